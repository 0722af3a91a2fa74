// What blame and annotate have in common, which is nearly all: their options, which file of which commit is meant, and what is asked of
// its lines. Specified by git-blame(1) and git-annotate(1). Nothing is written.
import * as fs from 'node:fs';
import { resolve } from 'node:path';
import { InvalidError, NotFoundError, UsageError, isSystemError } from '../pack/errors.js';
import { type ObjectId, hashObject, hexSize, isObjectId } from '../pack/oid.js';
import { type RepoPath, fileMode, pathToUtf8, symlinkMode } from '../pack/tree.js';
import { Blame, type BlameOptions, type BlameTarget, type BlamedRun } from '../plumbing/blame/blame.js';
import { parseLineRanges } from '../plumbing/blame/line-range.js';
import type { Arguments, OptionSpec } from '../plumbing/command.js';
import { approximateDate, formatOffset, parseDateMode } from '../plumbing/date.js';
import { TextConversion } from '../plumbing/content/text-conversion.js';
import { DiffDrivers } from '../plumbing/diff/diff-driver.js';
import { History } from '../plumbing/history/history.js';
import { Mailmap } from '../plumbing/history/mailmap.js';
import { findInTree, findNamed, peel, resolveCommit } from '../plumbing/history/revision.js';
import { RevisionSet } from '../plumbing/history/revision-set.js';
import { RevWalk } from '../plumbing/history/walk.js';
import { type Index, readIndex } from '../plumbing/index/index-file.js';
import { WorkTree } from '../plumbing/index/work-tree.js';
import { latin1 } from '../plumbing/latin1.js';
import { readInput } from '../plumbing/line-reader.js';
import { readMergeState } from '../plumbing/merge/merge-state.js';
import { normalisePath } from '../plumbing/pathspec.js';
import type { Repository } from '../plumbing/repository.js';
import { type BlameLook, BlameReport, type Uncommitted } from './blame-report.js';

export const blameOptions: readonly OptionSpec[] = [
  { name: 'incremental', help: 'show runs of lines as they are found' },
  { name: 'b', help: 'leave out the ids of boundary commits' },
  { name: 'root', negatable: true, help: 'commits without parents are no boundary' },
  { name: 'show-stats', negatable: true, help: 'show how much work it was' },
  { name: 'progress', negatable: true, help: 'accepted; progress is not shown' },
  { name: 'show-name', short: 'f', negatable: true, help: 'show the file of each line, too (default where it is another one)' },
  { name: 'show-number', short: 'n', negatable: true, help: 'show the number each line had in its commit' },
  { name: 'porcelain', short: 'p', negatable: true, help: 'a form for programs' },
  { name: 'json', help: 'one JSON object per line' },
  { name: 'line-porcelain', negatable: true, help: 'the same, with everything about the commit at each line' },
  { name: 'c', help: 'show lines as annotate does' },
  { name: 't', help: 'show times as seconds since 1970' },
  { name: 'l', help: 'show whole ids' },
  { name: 's', help: 'leave out author and time' },
  { name: 'show-email', short: 'e', negatable: true, help: 'show mail addresses instead of names' },
  { name: 'w', help: 'white space makes no difference' },
  { name: 'ignore-rev', value: 'rev', negatable: true, help: 'look through the changes of this commit' },
  { name: 'ignore-revs-file', value: 'file', negatable: true, help: 'look through the changes of the commits in this file' },
  { name: 'color-lines', negatable: true, help: 'colour what is the same as at the line before' },
  { name: 'color-by-age', negatable: true, help: 'colour lines by how old they are' },
  { name: 'minimal', negatable: true, help: 'spend more time on smaller differences' },
  { name: 'indent-heuristic', negatable: true, help: 'begin and end changes where the indentation suggests (default)' },
  { name: 'S', value: 'file', help: 'take the parents of commits from this file' },
  { name: 'contents', value: 'file', negatable: true, help: 'look at the content of this file (- for standard input)' },
  { name: 'C', value: 'score', valueOptional: true, help: 'find lines copied from files changed in the same commit; twice, thrice: from more files' },
  { name: 'M', value: 'score', valueOptional: true, help: 'find lines moved or copied within the file' },
  { name: 'L', value: 'range', help: 'only these lines: start,end or :function' },
  { name: 'abbrev', value: 'n', valueOptional: true, negatable: true, help: 'show so many digits of ids, and one more' },
  { name: 'date', value: 'mode', help: 'how times are shown' },
  { name: 'encoding', value: 'name', help: 'encoding of names and summaries' },
  { name: 'reverse', value: 'range', valueOptional: true, help: 'show until when lines lasted' },
  { name: 'first-parent', help: 'follow only the first parents of merges' },
  { name: 'since', value: 'date', help: 'do not look beyond this time' },
  { name: 'after', value: 'date', help: 'same as --since' },
  { name: 'textconv', negatable: true, help: 'look at what a program makes of the file (diff.<driver>.textconv; default)' },
];

const standardMoveScore = 20;
const standardCopyScore = 40;
const standardAgeColors = 'blue,12 month ago,white,1 month ago,red';

/** Runs either command. */
export function runBlame(repository: Repository, args: Arguments, isAnnotateCommand: boolean): number {
  return new Blaming(repository, args, isAnnotateCommand).run();
}

interface Words { readonly revisions: readonly string[]; readonly path: RepoPath }

class Blaming {
  readonly #repository: Repository;
  readonly #args: Arguments;
  readonly #isAnnotateCommand: boolean;
  readonly #drivers: DiffDrivers;
  readonly #texts: TextConversion | undefined;

  constructor(repository: Repository, args: Arguments, isAnnotateCommand: boolean) {
    this.#repository = repository;
    this.#args = args;
    this.#isAnnotateCommand = isAnnotateCommand;
    this.#drivers = new DiffDrivers(repository, '');
    this.#texts = args.flag('textconv') === false ? undefined : new TextConversion(repository, this.#drivers);
  }

  run(): number {
    const repository = this.#repository;
    const args = this.#args;
    const { context } = repository;
    const look = this.#look();
    const { revisions, path } = this.#split();
    const { target, named, bottoms, isReverse } = this.#aim(revisions, path);
    const history = new History(repository);
    const now = Math.floor(context.clock.nowMs() / 1000);
    const contents = args.value('contents');
    const uncommitted: Uncommitted = {
      name: 'Not Committed Yet', mail: 'not.committed.yet', seconds: now, offset: formatOffset(context.clock.offsetMinutes(now * 1000)),
      summary: `Version of ${path} from ${contents === undefined ? path : contents === '-' ? 'standard input' : latin1(contents)}`,
    };
    const report = new BlameReport(repository, look, Mailmap.read(repository), uncommitted);
    const isIncremental = args.has('incremental');
    const contentOf = (at: RepoPath, id: ObjectId): Buffer => this.#contentOf(at, id);
    const options = { ...this.#options(), contentOf, ...this.#limits(isReverse, named, bottoms), ...(isIncremental ? { onFound: (run: BlamedRun) => { report.printIncrement(run); } } : {}) };
    const blame = new Blame(repository, history, target, options);
    const ranges = parseLineRanges(args.values('L'), pathToUtf8(path), blame.image.lines, this.#drivers.driverOf(path).findFunction);
    const runs = blame.run(ranges);
    const form = args.lastOf('porcelain', 'line-porcelain');
    if (args.has('json') && (isIncremental || form !== undefined)) throw new UsageError('--json is a form of its own');
    if (!isIncremental) {
      if (args.has('json')) report.printJson(blame, runs);
      else if (form !== undefined) report.printPorcelain(blame, runs, args.has('line-porcelain'));
      else report.printLines(blame, runs, path);
    }
    if (args.has('show-stats')) {
      const { blobs, comparisons, commits } = blame.counts;
      context.stdout.write(`num read blob: ${blobs}\nnum get patch: ${comparisons}\nnum commits: ${commits}\n`);
    }
    return 0;
  }

  #split(): Words {
    const { before, after, dashes } = this.#args.split();
    let revisions = before;
    let typed: string | undefined;
    if (dashes) {
      if (after.length === 2 && before.length === 0) [typed, revisions] = [after[0], [after[1]!]];
      else if (after.length === 1) typed = after[0];
      else throw new UsageError('one file is needed');
    } else {
      if (before.length === 0) throw new UsageError('one file is needed');
      const last = before.at(-1)!;
      const isRevision = before.length < 3 && this.#isRevision(last);
      if (before.length === 2 && isRevision) [typed, revisions] = [before[0], [last]];
      else {
        if (before.length === 1 && isRevision && this.#repository.workTree === undefined) throw new InvalidError('missing <path> to blame', { code: 'no-path' });
        [typed, revisions] = [last, before.slice(0, -1)];
      }
    }
    const { prefix, workTree } = this.#repository;
    return { revisions, path: normalisePath(latin1(typed!), prefix, workTree, typed!) as RepoPath };
  }

  #isRevision(word: string): boolean {
    const found = findNamed(this.#repository, word);
    return found !== undefined && this.#repository.objects.has(found.id);
  }

  /** The commit and file that are meant. */
  #aim(typed: readonly string[], path: RepoPath): { target: BlameTarget; named: readonly ObjectId[]; bottoms: readonly ObjectId[]; isReverse: boolean } {
    const repository = this.#repository;
    const args = this.#args;
    const set = new RevisionSet(repository);
    const isReverse = args.lastOf('reverse') !== undefined;
    const words = args.value('reverse') === undefined ? typed : [args.value('reverse')!, ...typed];
    for (const word of words) if (!set.add(word)) throw new NotFoundError(`bad revision '${word}'`, { code: 'bad-revision' });
    const commits = set.tips.map(({ id, name, isExcluded }) => {
      const commit = peel(repository, id, 'commit');
      if (commit === undefined) throw new InvalidError(`non commit ${name}?`, { code: 'not-a-commit' });
      return { id: commit, name, isExcluded: isExcluded === true };
    });
    let named = commits.filter(({ isExcluded }) => !isExcluded);
    let bottoms = commits.filter(({ isExcluded }) => isExcluded);
    if (isReverse) {
      if (args.has('contents')) throw new InvalidError('--contents and --reverse do not blend well', { code: 'bad-options' });
      if (bottoms.length === 0 && named.length === 1) {
        bottoms = named;
        named = [{ id: resolveCommit(repository, 'HEAD'), name: 'HEAD', isExcluded: false }];
      }
      if (bottoms.length === 0) throw new InvalidError('no commit to dig up from?', { code: 'no-revision' });
    }
    // Without a work tree, what is committed is looked at.
    if (!isReverse && named.length === 0 && repository.workTree === undefined && !args.has('contents')) named = [{ id: resolveCommit(repository, 'HEAD'), name: 'HEAD', isExcluded: false }];
    const finals = isReverse ? bottoms : named;
    if (finals.length > 1) throw new InvalidError(`more than one commit to dig ${isReverse ? 'up ' : ''}from, ${finals[0]!.name} and ${finals[1]!.name}?`, { code: 'several-revisions' });
    const final = finals[0];
    if (final !== undefined && args.value('contents') !== undefined) throw new InvalidError('cannot use --contents with final commit object name', { code: 'bad-options' });
    const target = final === undefined ? this.#uncommitted(path) : this.#committed(final.id, final.name, path);
    return { target, named: named.map(({ id }) => id), bottoms: bottoms.map(({ id }) => id), isReverse };
  }

  #committed(commit: ObjectId, name: string, path: RepoPath): BlameTarget {
    const { objects } = this.#repository;
    const found = findInTree(this.#repository, objects.readCommit(commit).tree, path);
    const isBlob = found !== undefined && objects.findHeader(found.id)?.type === 'blob';
    if (!isBlob) throw new NotFoundError(`no such path ${pathToUtf8(path)} in ${name}`, { code: 'no-path' });
    return { path, commit, id: found.id, mode: found.mode ?? fileMode, content: this.#contentOf(path, found.id) };
  }

  #contentOf(path: RepoPath, id: ObjectId): Buffer {
    const { bytes } = this.#repository.objects.read(id);
    return this.#texts?.find(path, () => bytes) ?? bytes;
  }

  #uncommitted(path: RepoPath): BlameTarget {
    const repository = this.#repository;
    const { context, objects } = repository;
    const contents = this.#args.value('contents');
    repository.requireWorkTree();
    const head = repository.refs.find('HEAD')?.id;
    if (head === undefined) throw new InvalidError('no such ref: HEAD', { code: 'unborn-branch' });
    const index = readIndex(repository);
    const parents = [head, ...readMergeState(repository).mergeHeads];
    const isKnown = parents.some((parent) => {
      const found = findInTree(repository, objects.readCommit(parent).tree, path);
      return found !== undefined && objects.findHeader(found.id)?.type === 'blob';
    });
    if (!isKnown && !index.has(path)) throw new NotFoundError(`no such path '${pathToUtf8(path)}' in HEAD`, { code: 'no-path' });
    const { bytes, mode } = contents === undefined ? this.#readWorkFile(path, index) : this.#readContents(contents, path, index);
    const content = new WorkTree(repository, index).contentForRepository(path, this.#texts?.find(path, () => bytes) ?? bytes);
    return {
      path, content, mode, id: hashObject('blob', content, repository.format), commit: head,
      uncommitted: { parents, seconds: Math.floor(context.clock.nowMs() / 1000), index },
    };
  }

  #readWorkFile(path: RepoPath, index: Index): { bytes: Buffer; mode: number } {
    const tree = new WorkTree(this.#repository, index);
    const status = tree.findStatus(path);
    if (status === undefined) throw new NotFoundError(`cannot lstat '${pathToUtf8(path)}'`, { code: 'no-file' });
    if (status.isSymbolicLink()) return { bytes: fs.readlinkSync(tree.diskPath(path), { encoding: 'buffer' }), mode: symlinkMode };
    if (!status.isFile()) throw new InvalidError(`unsupported file type ${pathToUtf8(path)}`, { code: 'not-a-file' });
    return { bytes: tree.readFile(path), mode: index.find(path)?.mode ?? fileMode };
  }

  #readContents(typed: string, path: RepoPath, index: Index): { bytes: Buffer; mode: number } {
    const { context } = this.#repository;
    const mode = index.find(path)?.mode ?? fileMode;
    if (typed === '-') return { bytes: readInput(context.stdin), mode };
    try {
      return { bytes: fs.readFileSync(resolve(context.cwd, typed)), mode };
    } catch (error) {
      if (isSystemError(error, 'ENOENT', 'ENOTDIR', 'EISDIR')) throw new NotFoundError(`cannot read '${typed}'`, { code: 'no-file', cause: error });
      throw error;
    }
  }

  /** Where the search ends, and for --reverse where it goes. */
  #limits(isReverse: boolean, named: readonly ObjectId[], bottoms: readonly ObjectId[]): Pick<BlameOptions, 'isExcluded' | 'childrenOf'> {
    const repository = this.#repository;
    if (bottoms.length === 0) return {};
    const tips = named.length > 0 ? named : [resolveCommit(repository, 'HEAD')];
    const walk = new RevWalk(repository, [...tips.map((id) => ({ id })), ...bottoms.map((id) => ({ id, isExcluded: true }))]);
    const wanted = new Set<ObjectId>();
    const children = new Map<ObjectId, ObjectId[]>();
    for (const { id, parentIds } of walk) {
      wanted.add(id);
      if (!isReverse) continue;
      for (const parent of parentIds) children.set(parent, [id, ...children.get(parent) ?? []]);
    }
    const isExcluded = (id: ObjectId): boolean => !wanted.has(id);
    if (!isReverse) return { isExcluded };
    if (this.#args.has('first-parent')) return { isExcluded, childrenOf: this.#chain(tips[0]!, bottoms[0]!) };
    return { isExcluded, childrenOf: (id) => children.get(id) ?? [] };
  }

  /** Children along first parents, from the last commit back to the first. */
  #chain(last: ObjectId, first: ObjectId): (id: ObjectId) => readonly ObjectId[] {
    const history = new History(this.#repository);
    const next = new Map<ObjectId, ObjectId>();
    let at = last;
    while (at !== first) {
      const parent = history.load(history.node(at)).parentIds[0];
      if (parent === undefined) throw new InvalidError('--reverse --first-parent together require range along first-parent chain', { code: 'bad-range' });
      next.set(parent, at);
      at = parent;
    }
    return (id) => {
      const child = next.get(id);
      return child === undefined ? [] : [child];
    };
  }

  #options(): BlameOptions {
    const args = this.#args;
    const { config, context } = this.#repository;
    const level = Math.min(args.count('C'), 3) as 0 | 1 | 2 | 3;
    const score = (name: string, standard: number): number => {
      const text = args.values(name).at(-1);
      return text !== undefined && /^\s*\+?[0-9]+$/.test(text) && Number(text) > 0 ? Number(text) : standard;
    };
    const since = args.lastOf('since', 'after');
    const ignored = this.#readIgnored();
    const grafts = args.value('S');
    return {
      ...(level > 0 || args.has('M') ? { moves: { minimumScore: score('M', standardMoveScore) } } : {}),
      ...(level > 0 ? { copies: { minimumScore: score('C', standardCopyScore), level: level as 1 | 2 | 3 } } : {}),
      ignoreAllSpace: args.has('w'), minimal: args.has('minimal'),
      indentHeuristic: args.flag('indent-heuristic') ?? config.getBoolean('diff.indentheuristic', true),
      firstParent: args.has('first-parent'), showsRoots: args.flag('root') ?? config.getBoolean('blame.showroot', false),
      ...(since === undefined ? {} : { since: approximateDate(args.value(since)!, context.clock).seconds }),
      ...(ignored.size === 0 ? {} : { ignored }), ...(grafts === undefined ? {} : { grafts: this.#readGrafts(grafts) }),
    };
  }

  #readGrafts(file: string): Map<ObjectId, readonly ObjectId[]> {
    const { context, format } = this.#repository;
    const grafts = new Map<ObjectId, readonly ObjectId[]>();
    for (const line of readText(resolve(context.cwd, file)).split('\n')) {
      const [id, ...parents] = line.trim().split(' ');
      if (id === undefined || id === '' || id.startsWith('#')) continue;
      const ids = [id, ...parents].filter((each) => isObjectId(each, format));
      if (ids.length !== parents.length + 1) throw new InvalidError(`bad graft data: ${line}`, { code: 'bad-graft' });
      grafts.set(ids[0]!, ids.slice(1));
    }
    return grafts;
  }

  #readIgnored(): ReadonlySet<ObjectId> {
    const repository = this.#repository;
    const { config, context } = repository;
    const ignored = new Set<ObjectId>();
    const configured = [...new Set(config.getAll('blame.ignorerevsfile'))].map((path) => (path.startsWith('~') ? config.getPath('blame.ignorerevsfile') ?? path : path));
    const files = this.#args.flag('ignore-revs-file') === false ? [] : configured.sort();
    for (const file of [...files, ...this.#args.values('ignore-revs-file')]) {
      if (file === '') {
        ignored.clear();
        continue;
      }
      for (const line of readText(resolve(repository.workTree ?? context.cwd, file)).split('\n')) {
        const text = line.replace(/#.*$/, '').trim();
        if (text === '') continue;
        if (text.length !== hexSize(repository.format) || !isObjectId(text, repository.format)) throw new InvalidError(`invalid object name: ${text}`, { code: 'bad-id' });
        const commit = peel(repository, text, 'commit');
        if (commit !== undefined) ignored.add(commit);
      }
    }
    for (const typed of this.#args.values('ignore-rev')) {
      const found = findNamed(repository, typed, 'committish');
      const commit = found === undefined ? undefined : peel(repository, found.id, 'commit');
      if (commit === undefined) throw new NotFoundError(`cannot find revision ${typed} to ignore`, { code: 'bad-revision' });
      ignored.add(commit);
    }
    return ignored;
  }

  #look(): BlameLook {
    const args = this.#args;
    const { config, context, format } = this.#repository;
    const isAnnotate = this.#isAnnotateCommand || args.has('c');
    const date = this.#isAnnotateCommand ? 'iso' : args.value('date') ?? config.get('blame.date') ?? 'iso';
    const coloring = config.get('blame.coloring');
    const byAge = args.has('color-by-age');
    const byLine = args.has('color-lines');
    const none = !byAge && !byLine;
    const usesAge = byAge || (none && coloring?.toLowerCase() === 'highlightrecent');
    const usesLines = byLine || (none && coloring?.toLowerCase() === 'repeatedlines');
    return {
      isAnnotate, showsMail: args.flag('show-email') ?? config.getBoolean('blame.showemail', false), showsName: args.has('show-name'), showsNumber: args.has('show-number'),
      hidesAuthor: args.has('s'), showsRawTime: args.has('t'), blankBoundary: args.has('b') || config.getBoolean('blame.blankboundary', false),
      marksIgnored: config.getBoolean('blame.markignoredlines', false), marksUnblamable: config.getBoolean('blame.markunblamablelines', false),
      digits: this.#digits(hexSize(format)), isLong: args.has('l'), dateMode: parseDateMode(date, context.stdout.isTerminal), encoding: args.value('encoding') ?? config.get('i18n.logoutputencoding'),
      ...(usesLines ? { repeatedColor: config.get('color.blame.repeatedlines') ?? 'cyan' } : {}),
      ...(usesAge ? { ageColors: parseAgeColors(config.get('color.blame.highlightrecent') ?? standardAgeColors, (text) => approximateDate(text, context.clock).seconds) } : {}),
    };
  }

  #digits(whole: number): number | undefined {
    const flag = this.#args.flag('abbrev');
    if (flag === false) return whole;
    const typed = this.#args.value('abbrev');
    if (typed === undefined) return undefined;
    if (!/^[0-9]+$/.test(typed)) throw new UsageError("option 'abbrev' expects a numerical value");
    const digits = Number(typed) === 0 ? whole : Math.min(Math.max(Number(typed), 4), whole);
    return digits < whole ? digits + 1 : whole;
  }
}

function readText(path: string): string {
  try {
    return fs.readFileSync(path, 'utf8');
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR', 'EISDIR')) throw new NotFoundError(`could not open '${path}'`, { code: 'no-file', cause: error });
    throw error;
  }
}

/** 'blue,12 month ago,white,1 month ago,red': each colour until a time, the last one for what is younger. */
function parseAgeColors(text: string, secondsOf: (date: string) => number): { color: string; since: number }[] {
  const words = text.split(',').map((word) => word.trim());
  const colors: { color: string; since: number }[] = [];
  for (let at = 0; at < words.length; at += 2) {
    const until = words[at + 1];
    colors.push({ color: words[at]!, since: until === undefined ? Infinity : secondsOf(until) });
  }
  return colors;
}
