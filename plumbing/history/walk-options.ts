// The options rev-list, log and show share: which commits, in which order, from where. See git-rev-list(1), "Commit Limiting".
//
// Positional arguments, families of refs, --not and --stdin count in the order they are given. What git has and this table has
// not is refused like any unknown option.
import { InvalidError, NotFoundError, UsageError } from '../../pack/errors.js';
import type { ObjectId } from '../../pack/oid.js';
import type { Arguments, OptionSpec } from '../command.js';
import { approximateDate } from '../date.js';
import { Decorations } from './decorations.js';
import { readIndex } from '../index/index-file.js';
import { readInput } from '../line-reader.js';
import type { Mailmap } from './mailmap.js';
import { keepsAllHistory } from '../merge/merge-style.js';
import { messageFilter, reflogFilter } from './message-filter.js';
import { parseCount } from '../option-number.js';
import { Pathspec, pathspecContext } from '../pathspec.js';
import type { Repository } from '../repository.js';
import { resolveCommit } from './revision.js';
import { type Family, RevisionSet, checkOptionsFirst, takeRevisions } from './revision-set.js';
import type { WalkOptions } from './walk.js';

export const walkOptions: readonly OptionSpec[] = [
  { name: 'max-count', short: 'n', value: 'number', help: 'at most this many commits' },
  { name: 'skip', value: 'number', help: 'leave out this many commits first' },
  { name: 'since', value: 'date', help: 'only commits after a date' },
  { name: 'after', value: 'date', help: 'same as --since' },
  { name: 'since-as-filter', value: 'date', help: 'like --since, without stopping at the first older commit' },
  { name: 'until', value: 'date', help: 'only commits before a date' },
  { name: 'before', value: 'date', help: 'same as --until' },
  { name: 'max-age', value: 'seconds', help: 'like --since, in seconds since 1970' },
  { name: 'min-age', value: 'seconds', help: 'like --until, in seconds since 1970' },
  { name: 'author', value: 'pattern', help: 'only commits whose author matches' },
  { name: 'committer', value: 'pattern', help: 'only commits whose committer matches' },
  { name: 'grep', value: 'pattern', help: 'only commits whose message matches' },
  { name: 'grep-reflog', value: 'pattern', help: 'with --walk-reflogs: only entries whose message matches' },
  { name: 'all-match', help: 'every --grep has to match, not just one' },
  { name: 'invert-grep', help: 'only commits whose message does not match --grep' },
  { name: 'regexp-ignore-case', short: 'i', help: 'patterns ignore case' },
  { name: 'basic-regexp', help: 'patterns are basic regular expressions (the default)' },
  { name: 'extended-regexp', short: 'E', help: 'patterns are extended regular expressions' },
  { name: 'fixed-strings', short: 'F', help: 'patterns are plain text' },
  { name: 'perl-regexp', short: 'P', help: 'patterns are Perl-like regular expressions' },
  { name: 'merges', help: 'only merges' },
  { name: 'no-merges', help: 'no merges' },
  { name: 'merge', help: 'commits that touch conflicted files, of both sides of the merge under way' },
  { name: 'min-parents', value: 'number', negatable: true, help: 'only commits with so many parents or more' },
  { name: 'max-parents', value: 'number', negatable: true, help: 'only commits with so many parents or fewer' },
  { name: 'first-parent', help: 'follow only the first parent of merges' },
  { name: 'exclude-first-parent-only', help: 'of what is left out follow only first parents' },
  { name: 'not', help: 'leave out what follows, until the next --not' },
  { name: 'all', help: 'all refs, and HEAD' },
  { name: 'branches', value: 'pattern', valueOptional: true, help: 'all branches that match' },
  { name: 'tags', value: 'pattern', valueOptional: true, help: 'all tags that match' },
  { name: 'remotes', value: 'pattern', valueOptional: true, help: 'all remote-tracking branches that match' },
  { name: 'glob', value: 'pattern', help: 'all refs that match' },
  { name: 'exclude', value: 'pattern', help: 'not these in the next --all, --branches, --tags, --remotes or --glob' },
  { name: 'exclude-hidden', value: 'section', help: 'not what receive or uploadpack hides, in the next --all or --glob' },
  { name: 'reflog', help: 'all commits the reflogs name' },
  { name: 'alternate-refs', help: 'all refs of the repositories objects are borrowed from' },
  { name: 'indexed-objects', help: 'all trees and files the index names' },
  { name: 'single-worktree', help: 'leave other work trees out of --all, --reflog and --indexed-objects' },
  { name: 'bisect', help: 'from the bad commit of a bisection, without the good ones' },
  { name: 'ignore-missing', help: 'leave out names of objects that are not there' },
  { name: 'stdin', help: 'read more arguments from standard input' },
  { name: 'default', value: 'revision', help: 'start from here when no revision is given' },
  { name: 'cherry-mark', help: 'mark commits whose change is on both sides with =' },
  { name: 'cherry-pick', help: 'leave out commits whose change is on both sides' },
  { name: 'left-only', help: 'only commits on the left of a...b' },
  { name: 'right-only', help: 'only commits on the right of a...b' },
  { name: 'cherry', help: 'same as --right-only --cherry-mark --no-merges' },
  { name: 'walk-reflogs', short: 'g', help: 'walk the entries of reflogs, newest first' },
  { name: 'boundary', help: 'show the commits where the walk stopped too, marked -' },
  { name: 'full-history', help: 'do not leave out side branches that end up the same' },
  { name: 'dense', help: 'only commits that change the paths (the default)' },
  { name: 'sparse', help: 'all commits of the simplified history' },
  { name: 'show-pulls', help: 'keep merges that brought a change into the first parent' },
  { name: 'remove-empty', help: 'stop where the paths come into being' },
  { name: 'simplify-merges', help: 'the full history without merges that contribute nothing' },
  { name: 'simplify-by-decoration', help: 'only commits that refs point at' },
  { name: 'ancestry-path', value: 'commit', valueOptional: true, help: 'only commits between the excluded ones and the others; or related to a commit' },
  { name: 'unpacked', help: 'only commits that are in no pack' },
  { name: 'date-order', help: 'children first, then by commit date' },
  { name: 'author-date-order', help: 'children first, then by author date' },
  { name: 'topo-order', help: 'children first, lines of history unmixed' },
  { name: 'reverse', negatable: true, help: 'oldest first' },
  { name: 'no-walk', value: 'kind', valueOptional: true, help: 'only the commits named, sorted or unsorted' },
  { name: 'do-walk', help: 'undo --no-walk' },
  { name: 'parents', help: 'print parents after each id' },
  { name: 'children', help: 'print children after each id' },
  { name: 'left-right', help: 'mark which side of a...b a commit is on' },
  { name: 'graph', negatable: true, help: 'draw history beside the commits' },
];

/** A walk as asked for. */
export interface WalkRequest {
  readonly set: RevisionSet;
  readonly options: WalkOptions;
  readonly paths: readonly string[];
  readonly isReflogWalk: boolean;
  /** Whether an entry's message is one that is looked for. */
  readonly reflogMatches: ((message: string) => boolean) | undefined;
  readonly isGraph: boolean;
}

export interface WalkDefaults {
  /** Options that may stand behind paths; absent: all. */
  readonly late?: ReadonlySet<string>;
  /** Where to start when nothing is named. */
  readonly start?: string;
  readonly noWalk?: WalkOptions['noWalk'];
  /** --author and --committer look for people by these names. */
  readonly mailmap?: Mailmap | undefined;
  /** The raw notes of a commit where notes are shown: --grep looks into them, too. */
  readonly notesOf?: ((id: ObjectId) => string) | undefined;
  /** The names --simplify-by-decoration goes by; default all refs. */
  readonly decorations?: Decorations;
}

/** Reads the arguments. */
export function parseWalk(repository: Repository, args: Arguments, defaults: WalkDefaults = {}): WalkRequest {
  const set = new RevisionSet(repository);
  const split = args.split();
  const words: string[] = [];
  const paths: string[] = [];
  let skipped = 0;
  let pathsBegan = false;
  let isRead = false;
  const input: string[] = [];
  // Words are looked up one at a time, since --not and families of refs stand between them.
  for (const token of args.tokens) {
    if (token.kind === 'positional') {
      if (token.afterDashes) continue;
      if (pathsBegan) {
        words.push(token.value);
        continue;
      }
      const rest = split.before.slice(skipped);
      skipped += 1;
      const found = takeOne(repository, set, token.value, rest, split.dashes, args.has('ignore-missing'));
      if (!found) {
        pathsBegan = true;
        words.push(token.value);
      }
      continue;
    }
    switch (token.name) {
      case 'not': set.negate(); break;
      case 'exclude': set.exclude(token.value ?? ''); break;
      case 'all': case 'branches': case 'tags': case 'remotes': case 'glob': set.addFamily(token.name as Family, token.value); break;
      case 'exclude-hidden': set.excludeHidden(token.value ?? ''); break;
      case 'single-worktree': set.keepToThisWorkTree(); break;
      case 'reflog': case 'alternate-refs': case 'indexed-objects': case 'bisect': set.addRoots(token.name); break;
      case 'merge': set.addMergeUnderWay(); break;
      case 'stdin':
        if (isRead) throw new InvalidError('--stdin given twice', { code: 'bad-options' });
        isRead = true;
        for (const path of takeInput(repository, set)) input.push(path);
        break;
      default:
    }
  }
  if (defaults.late !== undefined) checkOptionsFirst(args, words, defaults.late);
  paths.push(...(pathsBegan ? words : split.after));
  for (const path of input) paths.push(path);
  const start = args.value('default') ?? defaults.start;
  if (!set.isGiven && start !== undefined) takeDefault(repository, set, start);
  return { set, paths, options: optionsOf(repository, args, set, paths, defaults), isReflogWalk: args.has('walk-reflogs'), reflogMatches: reflogFilter(repository, args), isGraph: args.flag('graph') === true };
}

function takeOne(repository: Repository, set: RevisionSet, word: string, rest: readonly string[], dashes: boolean, ignoreMissing: boolean): boolean {
  if (ignoreMissing) {
    set.isGiven = true;
    if (!/^[0-9a-f]{40,64}$/.test(word) || repository.objects.has(word as ObjectId)) set.add(word);
    return true;
  }
  if (takeRevisions(repository, set, [word], dashes, []).length === 0) return true;
  // It is a path, and so must be all that follow.
  takeRevisions(repository, new RevisionSet(repository), rest, dashes, []);
  return false;
}

function takeDefault(repository: Repository, set: RevisionSet, start: string): void {
  if (set.add(start)) return;
  const branch = start === 'HEAD' ? repository.refs.headBranch() : undefined;
  if (branch !== undefined) {
    throw new InvalidError(`your current branch '${branch.replace(/^refs\/heads\//, '')}' does not have any commits yet`, { code: 'unborn-branch' });
  }
  throw new InvalidError(`bad default revision '${start}'`, { code: 'bad-revision' });
}

/** Revisions, one per line, up to an empty line; after a line '--', paths. Options are refused. */
function takeInput(repository: Repository, set: RevisionSet): string[] {
  const lines = readInput(repository.context.stdin).toString('utf8').split('\n');
  if (lines.at(-1) === '') lines.pop();
  for (const [index, line] of lines.entries()) {
    if (line === '') return [];
    if (line === '--') return lines.slice(index + 1);
    if (line.startsWith('-')) throw new InvalidError('options not supported in --stdin mode', { code: 'bad-option' });
    if (!set.add(line)) throw new NotFoundError(`bad revision '${line}'`, { code: 'bad-revision' });
  }
  return [];
}

function optionsOf(repository: Repository, args: Arguments, set: RevisionSet, paths: readonly string[], defaults: WalkDefaults): WalkOptions {
  const { clock } = repository.context;
  const number = (name: string): number | undefined => {
    const text = args.value(name);
    return text === undefined ? undefined : parseCount(name, text);
  };
  const last = (...names: readonly string[]): { name: string; value: string } | undefined => {
    for (let at = args.tokens.length - 1; at >= 0; at -= 1) {
      const token = args.tokens[at]!;
      if (token.kind === 'option' && names.includes(token.name) && token.value !== undefined) return { name: token.name, value: token.value };
    }
    return undefined;
  };
  const moment = (found: { name: string; value: string } | undefined): number | undefined => {
    if (found === undefined) return undefined;
    return found.name.endsWith('-age') ? parseCount(found.name, found.value) : approximateDate(found.value, clock).seconds;
  };
  const since = last('since', 'after', 'max-age', 'since-as-filter');
  const until = moment(last('until', 'before', 'min-age'));
  const count = last('max-count', 'number');
  const cherry = args.has('cherry');
  const isByDecoration = args.has('simplify-by-decoration');
  const isSimplified = isByDecoration || args.has('simplify-merges');
  const isGraph = args.flag('graph') === true;
  if (isGraph && args.has('reverse')) throw new InvalidError('options --reverse and --graph cannot be used together', { code: 'bad-options' });
  if (args.has('walk-reflogs')) {
    if (['graph', 'parents', 'children', 'simplify-merges', 'simplify-by-decoration', 'ancestry-path', 'cherry', 'cherry-pick', 'cherry-mark', 'merge', 'bisect', 'topo-order', 'date-order', 'author-date-order']
      .some((name) => args.has(name)) || set.tips.some(({ isExcluded }) => isExcluded)) throw new InvalidError('cannot combine --walk-reflogs with history-limiting options', { code: 'bad-options' });
    if (args.has('reverse')) throw new InvalidError('options --reverse and --walk-reflogs cannot be used together', { code: 'bad-options' });
  }
  const rewriteParents = args.has('parents') || isGraph || isSimplified;
  if (rewriteParents && args.has('children')) throw new InvalidError('options --parents and --children cannot be used together', { code: 'bad-options' });
  if (args.has('left-only') && (args.has('right-only') || cherry)) throw new InvalidError('options --left-only and --right-only cannot be used together', { code: 'bad-options' });
  if (args.has('cherry-pick') && (args.has('cherry-mark') || cherry)) throw new InvalidError('options --cherry-pick and --cherry-mark cannot be used together', { code: 'bad-options' });
  const order = args.has('author-date-order') ? 'author-date' : args.has('date-order') ? 'date' : args.has('topo-order') || isGraph || isSimplified ? 'topo' : 'default';
  // What is left out can only be told by walking.
  const noWalk = set.tips.some(({ isExcluded }) => isExcluded) ? undefined : lastNoWalk(args, defaults.noWalk);
  if (isGraph && noWalk) throw new InvalidError('options --no-walk and --graph cannot be used together', { code: 'bad-options' });
  const named = paths.length === 0 ? undefined : Pathspec.parse(paths, pathspecContext(repository));
  const pathspec = args.has('merge') ? conflictedPaths(repository, named) : named;
  const matches = messageFilter(repository, args, defaults);
  const side = args.has('left-only') ? 'left' : args.has('right-only') || cherry ? 'right' : undefined;
  return {
    order, ...(noWalk === undefined ? {} : { noWalk }), reverse: args.has('reverse'),
    ...(count === undefined ? {} : { maxCount: parseCount('max-count', count.value) }), skip: number('skip') ?? 0,
    ...(since === undefined ? {} : { since: moment(since)!, sinceAsFilter: since.name === 'since-as-filter' }), ...(until === undefined ? {} : { until }),
    ...parentLimits(args), firstParent: args.has('first-parent'), excludeFirstParent: args.has('exclude-first-parent-only'),
    boundary: args.has('boundary'), ...(side === undefined ? {} : { side }), unpacked: args.has('unpacked'),
    ancestryPath: args.has('ancestry-path'), ancestryTips: args.values('ancestry-path').map((name) => resolveCommit(repository, name)),
    ...(matches === undefined ? {} : { matches }), ...(pathspec === undefined ? {} : { pathspec }),
    fullHistory: args.has('full-history') || keepsAllHistory(args) || isSimplified || args.has('ancestry-path'), sparse: args.lastOf('sparse', 'dense') === 'sparse',
    removeEmpty: args.has('remove-empty'), showPulls: args.has('show-pulls'), simplifyMerges: isSimplified,
    ...(isByDecoration ? { isDecorated: decorationTest(repository, defaults.decorations) } : {}),
    limited: args.has('merge') || args.has('bisect'), rewriteParents: rewriteParents || args.has('children'), wantChildren: args.has('children'),
    ...(args.has('cherry-mark') || cherry ? { cherry: 'mark' as const } : args.has('cherry-pick') ? { cherry: 'pick' as const } : {}),
  };
}

/** How many parents a commit may have; of options that contradict each other the last one counts. */
function parentLimits(args: Arguments): { readonly minParents: number; readonly maxParents: number } {
  let minParents = 0;
  let maxParents = -1;
  for (const token of args.tokens) {
    if (token.kind !== 'option') continue;
    if (token.name === 'merges') minParents = 2;
    if (token.name === 'no-merges' || token.name === 'cherry') maxParents = 1;
    if (token.name === 'min-parents') minParents = token.negated ? 0 : parseCount('min-parents', token.value ?? '');
    if (token.name === 'max-parents') maxParents = token.negated ? -1 : parseCount('max-parents', token.value ?? '');
  }
  return { minParents, maxParents };
}

/** The paths in conflict, of those named; all paths when there is none. */
function conflictedPaths(repository: Repository, named: Pathspec | undefined): Pathspec | undefined {
  const paths = new Set(readIndex(repository).entries.filter(({ stage, path }) => stage > 0 && named?.matches(path) !== false).map(({ path }) => path));
  if (paths.size === 0) return undefined;
  return Pathspec.parse([...paths].map((path) => `:(top,literal)${Buffer.from(path, 'latin1').toString('utf8')}`), pathspecContext(repository));
}

function decorationTest(repository: Repository, given: Decorations | undefined): (id: ObjectId) => boolean {
  const decorations = given ?? new Decorations(repository, { include: [], exclude: [], everything: true });
  return (id) => decorations.list(id).length > 0;
}

/** A number of commits is a wish to walk, too. */
function lastNoWalk(args: Arguments, standard: WalkOptions['noWalk']): WalkOptions['noWalk'] {
  let value = standard;
  for (const token of args.tokens) {
    if (token.kind !== 'option') continue;
    if (token.name === 'do-walk' || token.name === 'max-count' || token.name === 'number') value = undefined;
    if (token.name !== 'no-walk') continue;
    if (token.value !== undefined && token.value !== 'sorted' && token.value !== 'unsorted') throw new UsageError(`'${token.value}' is no way not to walk`);
    value = token.value ?? 'sorted';
  }
  return value;
}
