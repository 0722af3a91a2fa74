// Many revisions at once: ranges ('a..b', 'a...b', '^a', 'r^@', 'r^!', 'r^-2'), whole families (--all, --branches, --glob), and
// which arguments are revisions and which are paths.
//
// What is neither is an error that says how to tell them apart (exit code 128, as git). Specified by gitrevisions(7) and
// git-rev-list(1).
import { lstatSync } from 'node:fs';
import { resolve } from 'node:path';
import { InvalidError, NotFoundError, UsageError, isSystemError } from '../../pack/errors.js';
import type { ObjectId, ObjectType } from '../../pack/oid.js';
import type { Arguments } from '../command.js';
import { parentsOf } from './grafts.js';
import { parseHidingSection, readHiddenRefs } from '../refs/hidden-refs.js';
import { mergeBases } from './merge-base.js';
import type { Repository } from '../repository.js';
import { listAlternateTips, listBisectRefs, listIndexObjects, listOtherHeads, listReflogIds } from '../objects/repository-roots.js';
import { findNamed, peel, resolveCommit } from './revision.js';
import type { Tip } from './walk.js';
import { wildmatch } from '../wildmatch.js';

/** An object that was named, tags not followed. */
export interface NamedTip extends Tip {
  readonly name: string;
  /** As stored: the tag itself where a tag was named. */
  readonly object: ObjectId;
  readonly type: ObjectType;
  readonly mode?: number;
  readonly path?: string;
}

/** A family of refs: '--all' and its like, with the pattern after '='. */
export type Family = 'all' | 'branches' | 'tags' | 'remotes' | 'glob' | 'reflog';

/** Collects revisions in the order they are given. */
export class RevisionSet {
  readonly tips: NamedTip[] = [];
  /** Something was asked for, even if it came to nothing. */
  isGiven = false;
  readonly #repository: Repository;
  readonly #excludePatterns: string[] = [];
  #isHidden: ((name: string) => boolean) | undefined;
  #isNegated = false;
  #isThisWorkTreeOnly = false;

  constructor(repository: Repository) {
    this.#repository = repository;
  }

  /** '--not': what follows is left out, until the next '--not'. */
  negate(): void {
    this.#isNegated = !this.#isNegated;
  }

  /** '--exclude=<pattern>', for the next family. */
  exclude(pattern: string): void {
    this.#excludePatterns.push(pattern);
  }

  /** '--exclude-hidden=<section>', for the next --all or --glob. InvalidError for the second one. */
  excludeHidden(section: string): void {
    if (this.#isHidden !== undefined) throw new InvalidError('--exclude-hidden= passed more than once', { code: 'bad-options' });
    this.#isHidden = readHiddenRefs(this.#repository.config, parseHidingSection(section));
  }

  /** '--single-worktree': what other work trees name does not count. */
  keepToThisWorkTree(): void {
    this.#isThisWorkTreeOnly = true;
  }

  /** Adds every ref of a family; with '--all' HEAD, of other work trees too. */
  addFamily(family: Family, pattern?: string): void {
    this.isGiven = true;
    const isHidden = this.#isHidden ?? (() => false);
    if (this.#isHidden !== undefined && family !== 'all' && family !== 'glob') {
      throw new UsageError(`--exclude-hidden cannot be used together with --${family}`);
    }
    this.#isHidden = undefined;
    const shared = { branches: 'refs/heads/', tags: 'refs/tags/', remotes: 'refs/remotes/' }[family as string] ?? '';
    for (const { name, id } of listFamily(this.#repository, family, pattern, this.#excludePatterns.splice(0))) {
      if (!isHidden(name)) this.#add(id, name.slice(shared.length), this.#isNegated);
    }
    if (family === 'all' && !this.#isThisWorkTreeOnly) for (const id of listOtherHeads(this.#repository)) this.#add(id, 'HEAD', this.#isNegated);
  }

  /** '--reflog', '--indexed-objects', '--alternate-refs' and '--bisect': what is named elsewhere than in refs. */
  addRoots(kind: 'reflog' | 'indexed-objects' | 'alternate-refs' | 'bisect'): void {
    const before = this.tips.length;
    const repository = this.#repository;
    const { objects } = repository;
    switch (kind) {
      case 'reflog':
        for (const id of listReflogIds(repository, !this.#isThisWorkTreeOnly)) if (objects.has(id)) this.#add(id, '', this.#isNegated);
        break;
      case 'indexed-objects':
        for (const { id, path } of listIndexObjects(repository, !this.#isThisWorkTreeOnly)) if (objects.has(id)) this.#add(id, '', this.#isNegated, { path });
        break;
      case 'alternate-refs':
        for (const id of listAlternateTips(repository)) if (objects.has(id)) this.#add(id, '.alternate', this.#isNegated);
        break;
      case 'bisect':
        for (const { id, name, isGood } of listBisectRefs(repository)) this.#add(id, name, this.#isNegated !== isGood);
    }
    // There need not be any, and then nothing was asked for.
    if (kind === 'bisect' || this.tips.length > before) this.isGiven = true;
  }

  /** '--merge': both sides of the merge under way, ours on the left, without what they have in common. */
  addMergeUnderWay(): void {
    this.isGiven = true;
    const ours = resolveCommit(this.#repository, 'HEAD');
    const theirs = resolveCommit(this.#repository, 'MERGE_HEAD');
    this.#add(ours, 'HEAD', false, { isLeft: true });
    this.#add(theirs, 'MERGE_HEAD', false);
    for (const base of mergeBases(this.#repository, ours, [theirs])) this.#add(base, base, true);
  }

  /** Adds what `text` stands for; false when it is no revision. */
  add(text: string): boolean {
    const isAdded = this.#addForm(text);
    if (isAdded) this.isGiven = true;
    return isAdded;
  }

  #addForm(text: string): boolean {
    const range = /^(.*?)(\.\.\.?)(?!\.)(.*)$/s.exec(text);
    if (range && text !== '..' && colonFree(range[1]!)) {
      if (this.#addRange(range[1]! || 'HEAD', range[2] === '...', range[3]! || 'HEAD')) return true;
    }
    const special = /^(\^?)(.+)\^(@|!|-[0-9]*)$/s.exec(text);
    if (special && this.#addParents(special[2]!, special[3]!, this.#isNegated !== (special[1] === '^'))) return true;
    const negated = text.startsWith('^');
    const name = negated ? text.slice(1) : text;
    const found = findNamed(this.#repository, name, 'committish');
    if (found === undefined) return false;
    this.#add(found.id, name, this.#isNegated !== negated, { ...(found.mode === undefined ? {} : { mode: found.mode }), ...(found.path === undefined ? {} : { path: found.path }) });
    return true;
  }

  #addRange(from: string, isSymmetric: boolean, to: string): boolean {
    const one = findNamed(this.#repository, from, 'committish')?.id;
    const two = findNamed(this.#repository, to, 'committish')?.id;
    if (one === undefined || two === undefined) return false;
    if (!isSymmetric) {
      this.#add(one, from, !this.#isNegated);
      this.#add(two, to, this.#isNegated);
      return true;
    }
    const left = peel(this.#repository, one, 'commit');
    const right = peel(this.#repository, two, 'commit');
    if (left === undefined || right === undefined) throw new InvalidError(`invalid symmetric difference expression '${from}...${to}'`, { code: 'bad-revision' });
    for (const base of mergeBases(this.#repository, left, [right])) this.#add(base, base, !this.#isNegated);
    this.#add(left, from, this.#isNegated, { isLeft: true });
    this.#add(right, to, this.#isNegated);
    return true;
  }

  #addParents(name: string, kind: string, negated: boolean): boolean {
    const found = findNamed(this.#repository, name, 'committish')?.id;
    const commit = found === undefined ? undefined : peel(this.#repository, found, 'commit');
    if (commit === undefined) return false;
    const parents = parentsOf(this.#repository, commit);
    if (kind === '@') {
      for (const parent of parents) this.#add(parent, name, negated);
      return true;
    }
    const number = kind === '!' ? 0 : kind === '-' ? 1 : Number(kind.slice(1));
    if (kind !== '!' && (number < 1 || number > parents.length)) return false;
    for (const [index, parent] of parents.entries()) if (kind === '!' || index === number - 1) this.#add(parent, name, !negated);
    this.#add(commit, name, negated);
    return true;
  }

  #add(id: ObjectId, name: string, isExcluded: boolean, extra: { isLeft?: boolean; mode?: number; path?: string } = {}): void {
    const type = this.#repository.objects.findHeader(id)?.type;
    if (type === undefined) {
      if (isExcluded) return;
      throw new NotFoundError(`bad object '${name}'`, { code: 'bad-revision' });
    }
    this.tips.push({ id: peel(this.#repository, id, 'any') ?? id, object: id, type, name, isExcluded, ...extra });
  }

  /** The commits among them, to walk from. */
  get commits(): NamedTip[] {
    return this.tips.filter((tip) => this.#repository.objects.findHeader(tip.id)?.type === 'commit');
  }
}

function colonFree(text: string): boolean {
  let depth = 0;
  for (const character of text) {
    if (character === '{') depth += 1;
    if (character === '}') depth -= 1;
    if (character === ':' && depth === 0) return false;
  }
  return true;
}

/** The refs of a family, in order; '--all' ends with HEAD. */
export function* listFamily(
  repository: Repository, family: Family, pattern: string | undefined, excludes: readonly string[] = [],
): Generator<{ readonly name: string; readonly id: ObjectId }> {
  const prefix = { all: 'refs/', branches: 'refs/heads/', tags: 'refs/tags/', remotes: 'refs/remotes/', glob: 'refs/', reflog: 'refs/' }[family];
  let wanted: string | undefined;
  if (pattern !== undefined) {
    wanted = pattern.startsWith('refs/') && family === 'glob' ? pattern : prefix + pattern;
    if (!/[?*[]/.test(wanted)) wanted = `${wanted.replace(/\/$/, '')}/*`;
  }
  const base = family === 'all' || family === 'glob' ? '' : prefix;
  const isExcluded = (name: string): boolean => excludes.some((each) => wildmatch(family === 'all' || family === 'glob' ? each : base + each, name, {}));
  for (const { name, id } of repository.refs.list(prefix)) {
    if (wanted !== undefined && !wildmatch(wanted, name, {})) continue;
    if (!isExcluded(name)) yield { name, id };
  }
  if (family === 'all' && !isExcluded('HEAD')) {
    const head = repository.refs.find('HEAD');
    if (head !== undefined) yield { name: 'HEAD', id: head.id };
  }
}

/** True when a file of that name is there, relative to the current directory. */
export function isPresentPath(repository: Repository, argument: string): boolean {
  if (argument.startsWith(':(') || argument === ':' || /[*?[]/.test(argument)) return true;
  const short = /^:([/!^])(.*)$/s.exec(argument);
  if (short !== null) return short[2] === '' || isThere(short[1] === '/' ? repository.workTree ?? repository.gitDirectory : repository.context.cwd, short[2]!);
  return !argument.startsWith(':') && isThere(repository.context.cwd, argument);
}

function isThere(directory: string, path: string): boolean {
  try {
    lstatSync(resolve(directory, path));
    return true;
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR', 'ENAMETOOLONG', 'EINVAL')) return false;
    if (error instanceof TypeError || error instanceof RangeError) return false;
    throw error;
  }
}

/** The error for an argument that is neither a revision nor a path. */
export function unknownArgument(argument: string): NotFoundError {
  return new NotFoundError(`ambiguous argument '${argument}': unknown revision or path not in the working tree`, {
    code: 'bad-revision', hint: "use '--' to separate paths from revisions, like this: cairn <command> [<revision>...] -- [<file>...]",
  });
}

/** The error for an argument that is a revision and a path. */
export function ambiguousArgument(argument: string): InvalidError {
  return new InvalidError(`ambiguous argument '${argument}': both revision and filename`, {
    code: 'ambiguous-argument', hint: "use '--' to separate paths from revisions, like this: cairn <command> [<revision>...] -- [<file>...]",
  });
}

/**
 * Takes positional arguments apart: revisions go into the set until one is none; the rest are paths. `hasDashes`: '--' was typed, and
 * `afterDashes` are the paths behind it.
 */
export function takeRevisions(repository: Repository, set: RevisionSet, words: readonly string[], hasDashes: boolean, afterDashes: readonly string[]): string[] {
  for (const [index, word] of words.entries()) {
    if (set.add(word)) {
      if (!hasDashes && !word.startsWith('^') && repository.workTree !== undefined && !/\.\./.test(word) && isPlainFile(repository, word)) throw ambiguousArgument(word);
      continue;
    }
    if (hasDashes) throw new NotFoundError(`bad revision '${word}'`, { code: 'bad-revision' });
    const paths = words.slice(index);
    for (const [place, path] of paths.entries()) {
      if (!isPresentPath(repository, path)) throw unknownArgument(path);
      if (place > 0 && findQuietly(repository, path)) throw ambiguousArgument(path);
    }
    return paths;
  }
  return [...afterDashes];
}

function isPlainFile(repository: Repository, word: string): boolean {
  return !/[*?[]/.test(word) && (!word.startsWith(':') || /^:[/!^]/.test(word)) && isPresentPath(repository, word);
}

function findQuietly(repository: Repository, word: string): boolean {
  try {
    return findNamed(repository, word) !== undefined;
  } catch (error) {
    if (error instanceof InvalidError || error instanceof NotFoundError) return false;
    throw error;
  }
}

/** InvalidError for an option behind the first of `paths`, which end the positional words; those in `late` may stand there. */
export function checkOptionsFirst(args: Arguments, paths: readonly string[], late: ReadonlySet<string> = new Set()): void {
  if (args.dashes || paths.length === 0) return;
  const places = args.tokens.flatMap((token, place) => (token.kind === 'positional' ? [place] : []));
  const first = places[places.length - paths.length] ?? args.tokens.length;
  for (const token of args.tokens.slice(first)) {
    if (token.kind !== 'option' || late.has(token.name)) continue;
    throw new InvalidError(`option '${token.name}' must come before non-option arguments`, { code: 'option-behind-paths' });
  }
}

/** The merge bases, first and second commit of 'a...b', for diff; undefined for anything else. */
export function splitSymmetric(repository: Repository, text: string): { one: ObjectId; two: ObjectId; bases: ObjectId[] } | undefined {
  const range = /^(.*?)\.\.\.(.*)$/s.exec(text);
  if (!range) return undefined;
  const one = resolveCommit(repository, range[1]! || 'HEAD');
  const two = resolveCommit(repository, range[2]! || 'HEAD');
  return { one, two, bases: mergeBases(repository, one, [two]) };
}

/** The tree a tip stands for; InvalidError 'not-a-tree' when it is none. */
export function treeOfTip(repository: Repository, tip: NamedTip): ObjectId {
  const tree = peel(repository, tip.id, 'tree');
  if (tree === undefined) throw new InvalidError(`'${tip.name}' is no tree`, { code: 'not-a-tree' });
  return tree;
}

/** InvalidError unless all are commits, named without a tag: what --merge-base asks for. */
export function checkCommits(tips: readonly NamedTip[]): void {
  if (tips.some(({ object, id, type }) => type !== 'commit' || object !== id)) throw new InvalidError('--merge-base only works with commits', { code: 'not-a-commit' });
}

/** The tree of the only merge base of two revisions; an error when there is none, or several. */
export function mergeBaseTree(repository: Repository, one: string, two: string): ObjectId {
  const found = splitSymmetric(repository, `${one}...${two}`);
  const base = found?.bases[0];
  if (base === undefined) throw new NotFoundError('no merge base found', { code: 'no-merge-base' });
  if (found!.bases.length > 1) throw new InvalidError('multiple merge bases found', { code: 'many-merge-bases' });
  return peel(repository, base, 'tree')!;
}
