// The merge of two trees from a third, renames followed, without an index or a work tree: the result is a tree (which holds conflict
// markers where the sides disagree), the stages of paths in conflict, and messages about them.
//
// First all three trees are walked and what is trivially decided is decided; then renames are found on both sides and entries brought
// together; then every path is decided, directories after what is in them. The outcome and the messages are those of git's `ort`
// strategy. Objects are written as they are made, under an announcement (cairn-safety(7)); nothing refers to them, so a crash leaves only what gc takes.
import { InvalidError, RefusedError } from '../../pack/errors.js';
import type { ObjectStore } from '../../pack/object-store.js';
import { type ObjectId, zeroId } from '../../pack/oid.js';
import { checkTreeDepth, encodeTree, gitlinkMode, isTreeMode, pathToUtf8, type RepoPath, type TreeEntry } from '../../pack/tree.js';
import { ContentMerger } from './content-merge.js';
import type { DiffEntry } from '../diff/diff.js';
import { type DirectoryRenames, type Relevance, countDirectoryMoves, decideDirectoryRenames, directoryOf, findRenamedDirectory } from './directory-renames.js';
import { mergeBases } from '../history/merge-base.js';
import { findRenames } from '../diff/rename.js';
import type { TextDiffOptions } from '../diff/text-diff.js';
import type { TextMergeOptions } from './text-merge.js';
import { whileNaming } from '../refs/announcement.js';
import type { Repository } from '../repository.js';

/** A mode and an object; mode 0 where there is nothing. */
export interface MergeVersion { readonly mode: number; readonly id: ObjectId }

/** One version of a path in conflict: stage 1 is the base's, 2 ours, 3 theirs. */
export interface ConflictStage extends MergeVersion { readonly path: string; readonly stage: 1 | 2 | 3 }

/** Something to be said about `paths`; `text` is latin1 and ends no line. */
export interface MergeMessage { readonly kind: string; readonly paths: readonly string[]; readonly text: string }

export interface MergeOptions {
  /** How the sides are called in messages and markers; latin1. */
  readonly ours: string;
  readonly theirs: string;
  /** What the base is called in markers; default after where it is from. */
  readonly base?: string;
  /** Decides conflicts in contents. */
  readonly favor?: 'ours' | 'theirs';
  /** False: what was moved is gone here and new there. Default true. */
  readonly findsRenames?: boolean;
  /** Similarity from which on a file was moved, 0 to 60000; default half. */
  readonly renameScore?: number;
  /** How lines are compared; default 'histogram'. */
  readonly algorithm?: TextDiffOptions['algorithm'];
  /** White space that makes no difference. */
  readonly text?: TextMergeOptions['text'];
}

export interface MergeResult {
  readonly tree: ObjectId;
  readonly isClean: boolean;
  /** Sorted by path and stage. */
  readonly conflicts: readonly ConflictStage[];
  /** Sorted by the first path. */
  readonly messages: readonly MergeMessage[];
}

type Side = 1 | 2;
type Versions = [MergeVersion, MergeVersion, MergeVersion];

/** What is known of a path. Masks: 1 for the base, 2 for ours, 4 for theirs. */
interface Entry {
  versions: Versions;
  /** What each version's path is or was. */
  names: [string, string, string];
  fileMask: number;
  directoryMask: number;
  matchMask: number;
  /** A file here and a directory there. */
  isMixed: boolean;
  /** Renames disagree about it. */
  isDisputed: boolean;
  isClean: boolean;
  result: MergeVersion | undefined;
}

/** A directory not gone into yet. */
interface Deferred { readonly entry: Entry; readonly path: string; readonly trees: readonly (ObjectId | undefined)[]; readonly mask: number; readonly depth: number }

/** A file that one side moved, or added below a directory the other side moved. */
interface Rename { readonly side: Side; readonly from: string; to: string; readonly isAddition: boolean }

const typeOf = (mode: number): number => mode & 0o170000;
const isFile = (mode: number): boolean => typeOf(mode) === 0o100000;

/** Merges two commits from what they have in common; several merge bases are merged first. */
export function mergeCommits(repository: Repository, ours: ObjectId, theirs: ObjectId, bases: readonly ObjectId[], options: MergeOptions): MergeResult {
  const store = repository.objects;
  const treeOf = (commit: ObjectId): ObjectId => store.readCommit(commit).tree;
  const base = mergeBaseTrees(repository, bases, options, 0);
  return mergeTrees(repository, base.tree, treeOf(ours), treeOf(theirs), { ...options, base: options.base ?? base.name });
}

const deepestRecursion = 100;

/** One tree for all merge bases, the last one first. */
function mergeBaseTrees(repository: Repository, bases: readonly ObjectId[], options: MergeOptions, depth: number): { tree: ObjectId | undefined; name: string } {
  const store = repository.objects;
  if (depth > deepestRecursion) throw new RefusedError('merge bases of merge bases go too deep', { code: 'too-deep' });
  const order = bases.toReversed();
  const first = order[0];
  if (first === undefined) return { tree: undefined, name: 'empty tree' };
  let tree = store.readCommit(first).tree;
  if (order.length === 1) return { tree, name: store.abbreviate(first, 7) };
  const merged = [first];
  for (const next of order.slice(1)) {
    const inner = mergeBaseTrees(repository, mergeBases(repository, next, merged), options, depth + 1);
    const result = new TreeMerge(repository, { ...options, ours: 'Temporary merge branch 1', theirs: 'Temporary merge branch 2', base: inner.name }, depth + 1)
      .run(inner.tree, tree, store.readCommit(next).tree);
    tree = result.tree;
    merged.push(next);
  }
  return { tree, name: 'merged common ancestors' };
}

/** Merges two trees from a third; without one, from nothing. */
export function mergeTrees(repository: Repository, base: ObjectId | undefined, ours: ObjectId, theirs: ObjectId, options: MergeOptions): MergeResult {
  return new TreeMerge(repository, options, 0).run(base, ours, theirs);
}

class TreeMerge {
  readonly #repository: Repository;
  readonly #store: ObjectStore;
  readonly #options: MergeOptions;
  /** How often the result is merged again: 0 for the merge that was asked for. */
  readonly #depth: number;
  readonly #contents: ContentMerger;
  readonly #directoryRenames: 'no' | 'conflict' | 'yes';
  readonly #renameLimit: number;
  readonly #findsRenames: boolean;
  readonly #nothing: MergeVersion;
  readonly #entries = new Map<string, Entry>();
  readonly #conflicted = new Map<string, Entry>();
  readonly #messages: MergeMessage[] = [];
  /** Files of one side only, and of the base and not of a side: what renames are made of. */
  readonly #changes: Record<Side, DiffEntry[]> = { 1: [], 2: [] };
  readonly #relevantSources: Record<Side, Set<string>> = { 1: new Set(), 2: new Set() };
  readonly #directoriesGone: Record<Side, Map<string, Relevance>> = { 1: new Map(), 2: new Map() };
  /** Directories that one side alone changed: gone into only if that side may have moved something that matters there. */
  readonly #deferred: Record<Side, Deferred[] | undefined> = { 1: [], 2: [] };
  #isClean = true;

  constructor(repository: Repository, options: MergeOptions, depth: number) {
    this.#repository = repository;
    this.#store = repository.objects;
    this.#options = options;
    this.#depth = depth;
    this.#contents = new ContentMerger(repository);
    const { config } = repository;
    const configured = config.get('merge.directoryrenames') ?? 'conflict';
    this.#directoryRenames = configured === 'conflict' ? 'conflict' : config.getBoolean('merge.directoryrenames') ? 'yes' : 'no';
    this.#renameLimit = config.getInteger('merge.renamelimit') ?? config.getInteger('diff.renamelimit') ?? 7000;
    this.#findsRenames = options.findsRenames ?? true;
    this.#nothing = { mode: 0, id: zeroId(repository.format) };
  }

  run(base: ObjectId | undefined, ours: ObjectId, theirs: ObjectId): MergeResult {
    this.#collect('', [base, ours, theirs], 0, 0);
    for (const side of [1, 2] as const) this.#collectDeferred(side);
    this.#applyRenames(this.#collectRenames());
    const tree = whileNaming(this.#repository, () => {
      // What was read so far may have been swept since, and comes back with all it reaches.
      for (const side of [ours, theirs]) this.#store.has(side);
      this.#store.rescue();
      return this.#decideAll();
    });
    const conflicts = [...this.#conflicted].flatMap(([path, entry]) => entry.versions.flatMap((version, at): ConflictStage[] => (
      entry.fileMask & (1 << at) ? [{ ...version, path, stage: (at + 1) as 1 | 2 | 3 }] : [])));
    conflicts.sort((one, two) => (one.path < two.path ? -1 : one.path > two.path ? 1 : one.stage - two.stage));
    const messages = this.#messages.toSorted((one, two) => (one.paths[0]! < two.paths[0]! ? -1 : one.paths[0]! > two.paths[0]! ? 1 : 0));
    return { tree, isClean: this.#isClean && this.#conflicted.size === 0, conflicts, messages };
  }

  #branch(side: number): string {
    return side === 1 ? this.#options.ours : this.#options.theirs;
  }

  #say(kind: string, text: string, ...paths: readonly string[]): void {
    if (this.#depth === 0) this.#messages.push({ kind, text, paths });
  }

  // ---- what there is

  /** One directory ('' or with trailing slash) of the three trees. */
  #collect(prefix: string, trees: readonly (ObjectId | undefined)[], renameMask: number, depth: number): void {
    for (const tree of trees) if (tree !== undefined) checkTreeDepth(depth, tree);
    const levels = trees.map((id) => new Map((id === undefined ? [] : this.#store.readTree(id)).map((entry) => [entry.name, entry])));
    const names = [...new Set(levels.flatMap((level) => [...level.keys()]))].sort();
    const masksOf = (name: string): { files: number; directories: number } => {
      let [files, directories] = [0, 0];
      for (const [at, level] of levels.entries()) {
        const entry = level.get(name);
        if (entry === undefined) continue;
        if (isTreeMode(entry.mode)) directories |= 1 << at;
        else files |= 1 << at;
      }
      return { files, directories };
    };
    let mask = renameMask;
    // Where a directory is gone on one side and the other side added a file, it matters where the directory went.
    if ((mask === 2 || mask === 4) && names.some((name) => masksOf(name).files === mask)) mask = 7;
    for (const name of names) {
      // It would come apart into directories nobody made.
      if (name.includes('/')) throw new InvalidError(`invalid path '${pathToUtf8((prefix + name) as RepoPath)}': a name in a tree holds a slash`, { code: 'unsafe-path' });
      const { files, directories } = masksOf(name);
      this.#collectPath(prefix, name, levels.map((level) => level.get(name)), files, directories, mask, depth);
    }
  }

  #collectPath(
    prefix: string, name: string, found: readonly (TreeEntry | undefined)[], fileMask: number, directoryMask: number, outerMask: number, depth: number,
  ): void {
    const path = prefix + name;
    const versions = found.map((entry) => (entry === undefined ? this.#nothing : { mode: entry.mode, id: entry.id })) as Versions;
    const [base, ours, theirs] = versions;
    const match = (one: MergeVersion, two: MergeVersion): boolean => one.mode !== 0 && one.mode === two.mode && one.id === two.id;
    let matchMask = 0;
    if (match(base, ours)) matchMask = match(base, theirs) ? 7 : 3;
    else if (match(base, theirs)) matchMask = 5;
    else if (match(ours, theirs)) matchMask = 6;
    const entry: Entry = {
      versions, names: [path, path, path], fileMask, directoryMask, matchMask, isMixed: fileMask !== 0 && directoryMask !== 0,
      isDisputed: false, isClean: false, result: undefined,
    };
    this.#entries.set(path, entry);
    const decided = matchMask === 7 ? base : fileMask !== 7 ? undefined : matchMask === 3 ? theirs : matchMask === 0 ? undefined : ours;
    if (decided !== undefined) {
      entry.isClean = true;
      entry.result = decided;
      return;
    }
    const mask = this.#noteRenames(prefix, path, versions, fileMask, directoryMask, matchMask, outerMask);
    if (directoryMask === 0) return;
    let changed: Side | undefined = matchMask === 3 ? 2 : matchMask === 5 ? 1 : undefined;
    if (fileMask === 0 && (directoryMask === 2 || directoryMask === 4)) changed = directoryMask === 2 ? 1 : 2;
    const deferred = changed === undefined || mask === 7 ? undefined : this.#deferred[changed];
    const trees = found.map((each) => (each !== undefined && isTreeMode(each.mode) ? each.id : undefined));
    if (deferred !== undefined) {
      deferred.push({ entry, path, trees, mask, depth });
      return;
    }
    entry.matchMask &= fileMask;
    this.#collect(`${path}/`, trees, mask, depth + 1);
  }

  /** Goes into what was put off, or takes it as the side that changed it has it. */
  #collectDeferred(side: Side): void {
    const deferred = this.#deferred[side] ?? [];
    if (this.#relevantSources[side].size === 0) {
      for (const { entry } of deferred) {
        entry.isClean = true;
        entry.result = entry.versions[side];
      }
      return;
    }
    this.#deferred[side] = undefined;
    for (const { entry, path, trees, mask, depth } of deferred) {
      entry.matchMask &= entry.fileMask;
      this.#collect(`${path}/`, trees, mask, depth + 1);
    }
  }

  /** Notes what may be part of a rename; returns what holds below. */
  #noteRenames(prefix: string, path: string, versions: Versions, fileMask: number, directoryMask: number, matchMask: number, outerMask: number): number {
    const mask = outerMask !== 7 && (directoryMask === 3 || directoryMask === 5) ? directoryMask & ~1 : outerMask;
    if (directoryMask === 1 || directoryMask === 3 || directoryMask === 5) {
      const gone = 7 - directoryMask;
      const relevance: Relevance = mask === 7 ? 'ancestor' : 'none';
      if (gone & 2) this.#directoriesGone[1].set(path, relevance);
      if (gone & 4) this.#directoriesGone[2].set(path, relevance);
    }
    if (mask === 7 && (fileMask === 2 || fileMask === 4)) this.#directoriesGone[fileMask === 2 ? 2 : 1].set(prefix.slice(0, -1), 'self');
    if (fileMask === 0 || fileMask === 7) return mask;
    for (const side of [1, 2] as const) {
      const has = (fileMask & (1 << side)) !== 0;
      const hadBase = (fileMask & 1) !== 0;
      if (hadBase === has) continue;
      const [old, now] = hadBase ? [versions[0], this.#nothing] : [this.#nothing, versions[side]];
      this.#changes[side].push({ path: path as RepoPath, status: hadBase ? 'D' : 'A', old, new: now });
      if (hadBase && ((matchMask & fileMask) === 0 || mask === 7)) this.#relevantSources[side].add(path);
    }
    return mask;
  }

  // ---- renames

  /** The renames of both sides, changed by the directory renames of the other. */
  #collectRenames(): Rename[] {
    const found = ([1, 2] as const).map((side) => this.#renamesOf(side));
    const usesDirectories = this.#directoryRenames !== 'no' && this.#depth === 0;
    const directories = ([1, 2] as const).map((side, at) => (usesDirectories ? this.#directoriesOf(side, found[at]!) : new Map<string, string>()));
    // What both sides renamed is no guide.
    for (const from of [...directories[0]!.keys()]) {
      if (directories[1]!.delete(from)) directories[0]!.delete(from);
    }
    const all = ([1, 2] as const).flatMap((side, at) => this.#followDirectories(side, found[at]!, directories[1 - at]!, directories[at]!));
    return all.sort((one, two) => (one.from < two.from ? -1 : one.from > two.from ? 1 : one.side - two.side));
  }

  /** Renames first, then additions, as entries of a difference. */
  #renamesOf(side: Side): DiffEntry[] {
    const relevant = this.#relevantSources[side];
    const { renameScore } = this.#options;
    // Where nothing that was moved matters, nothing is taken for moved, not even what is equal.
    if (relevant.size === 0 || !this.#findsRenames) return this.#changes[side];
    return findRenames(this.#store, this.#changes[side], { limit: this.#renameLimit, relevantSources: relevant, guessesDirectories: true, ...(renameScore === undefined ? {} : { minimumScore: renameScore }) });
  }

  #directoriesOf(side: Side, found: readonly DiffEntry[]): Map<string, string> {
    const gone = this.#directoriesGone[side];
    if (gone.size === 0) return new Map();
    const moves = found.flatMap(({ status, oldPath, path }) => (status === 'R' ? [{ from: oldPath!, to: path }] : []));
    const { renames, split }: DirectoryRenames = decideDirectoryRenames(countDirectoryMoves(moves, gone), gone);
    for (const from of split) {
      this.#isClean = false;
      this.#say('CONFLICT(directory rename unclear split)', 'CONFLICT (directory rename split): '
        + `Unclear where to rename ${from} to; it was renamed to multiple other directories, with no destination getting a majority of the files.`, from);
    }
    return renames;
  }

  /** The renames of a side, and its additions to directories the other side renamed. */
  #followDirectories(side: Side, found: readonly DiffEntry[], others: ReadonlyMap<string, string>, own: ReadonlyMap<string, string>): Rename[] {
    const candidates = found.filter(({ status }) => status === 'A' || status === 'R');
    const targets = new Map<string, string[]>();
    for (const { path } of candidates) {
      const target = others.size === 0 ? undefined : findRenamedDirectory(path, others);
      if (target !== undefined) targets.set(target.newPath, [...targets.get(target.newPath) ?? [], path]);
    }
    const reported = new Set<string>();
    return candidates.flatMap((entry): Rename[] => {
      const isAddition = entry.status === 'A';
      const rename: Rename = { side, from: entry.oldPath ?? entry.path, to: entry.path, isAddition };
      const newPath = others.size === 0 ? undefined : this.#directoryTarget(side, entry.path, others, own, targets, reported);
      if (newPath === undefined) return isAddition ? [] : [rename];
      this.#move(side, rename, newPath);
      rename.to = newPath;
      return [rename];
    });
  }

  /** Where a directory rename takes a path; undefined when nowhere. */
  #directoryTarget(
    side: Side, path: string, others: ReadonlyMap<string, string>, own: ReadonlyMap<string, string>, targets: ReadonlyMap<string, readonly string[]>, reported: Set<string>,
  ): string | undefined {
    const target = findRenamedDirectory(path, others);
    if (target === undefined) return undefined;
    const { from, to, newPath } = target;
    if (own.has(to)) {
      this.#say('Directory rename skipped since directory was renamed on both sides',
        `WARNING: Avoiding applying ${from} -> ${to} rename to ${path}, because ${to} itself was renamed.`, from, path, to);
      return undefined;
    }
    const sources = targets.get(newPath) ?? [];
    const inTheWay = this.#entries.get(newPath);
    const isBlocked = inTheWay !== undefined && (inTheWay.isClean || ((inTheWay.fileMask | inTheWay.directoryMask) & (1 << side)) !== 0);
    if (!reported.has(newPath) && !isBlocked && sources.length <= 1) return newPath;
    this.#isClean = false;
    if (reported.has(newPath)) return undefined;
    reported.add(newPath);
    const list = sources.join(', ');
    if (isBlocked) {
      this.#say('CONFLICT (file in way of directory rename)', 'CONFLICT (implicit dir rename): Existing file/dir at '
        + `${newPath} in the way of implicit directory rename(s) putting the following path(s) there: ${list}.`, newPath, path);
    } else {
      this.#say('CONFLICT(directory rename collision)', `CONFLICT (implicit dir rename): Cannot map more than one path to ${newPath}; `
        + `implicit directory renames tried to put these paths there: ${list}`, newPath, path);
    }
    return undefined;
  }

  /** Moves what one side put at a path to where the other side renamed its directory to. */
  #move(side: Side, rename: Rename, newPath: string): void {
    const oldPath = rename.to;
    const entry = this.#entries.get(oldPath)!;
    for (let directory = directoryOf(newPath); directory !== '' && !this.#entries.has(directory); directory = directoryOf(directory)) {
      this.#entries.set(directory, this.#emptyDirectory(directory));
    }
    const index = entry.fileMask >> 1;
    let moved = entry;
    if (entry.directoryMask === 0) this.#entries.delete(oldPath);
    else {
      moved = { ...entry, versions: [...entry.versions], names: [...entry.names], directoryMask: 0, isMixed: false, matchMask: 0 };
      for (const at of [0, 1, 2]) if (!(entry.fileMask & (1 << at))) moved.versions[at] = this.#nothing;
      entry.versions[index] = this.#nothing;
      entry.fileMask = 0;
      entry.isMixed = false;
    }
    const present = this.#entries.get(newPath);
    if (present === undefined) {
      moved.names = [newPath, newPath, newPath];
      moved.names[index] = oldPath;
      this.#entries.set(newPath, moved);
    } else {
      present.fileMask |= moved.fileMask;
      if (present.directoryMask !== 0) present.isMixed = true;
      present.names[index] = moved.names[index]!;
      present.versions[index] = moved.versions[index]!;
      moved = present;
    }
    const [mine, other] = [this.#branch(side), this.#branch(3 - side)];
    const isCertain = this.#directoryRenames === 'yes';
    if (!isCertain) moved.isDisputed = true;
    const kind = isCertain ? 'Path updated due to directory rename' : 'CONFLICT (directory rename suggested)';
    const [start, end] = isCertain ? ['Path updated', 'moving it to'] : ['CONFLICT (file location)', 'suggesting it should perhaps be moved to'];
    if (rename.isAddition) this.#say(kind, `${start}: ${oldPath} added in ${mine} inside a directory that was renamed in ${other}${isCertain ? ';' : ','} ${end} ${newPath}.`, newPath, oldPath);
    else {
      this.#say(kind, `${start}: ${rename.from} renamed to ${oldPath} in ${mine}, inside a directory that was renamed in ${other}${isCertain ? ';' : ','} ${end} ${newPath}.`,
        newPath, oldPath);
    }
  }

  #emptyDirectory(path: string): Entry {
    return {
      versions: [this.#nothing, this.#nothing, this.#nothing], names: [path, path, path], fileMask: 0, directoryMask: 7, matchMask: 0,
      isMixed: false, isDisputed: false, isClean: false, result: undefined,
    };
  }

  /** Brings the versions of a renamed file together at its new path. */
  #applyRenames(renames: readonly Rename[]): void {
    for (let at = 0; at < renames.length; at += 1) {
      const rename = renames[at]!;
      const old = this.#entries.get(rename.from);
      const now = this.#entries.get(rename.to);
      if (old === undefined || old.isClean || now === undefined) continue;
      const next = renames[at + 1];
      if (next?.from === rename.from) {
        this.#renamedTwice(rename, next, old);
        at += 1;
      } else if (!rename.isAddition) this.#renamedOnce(rename, old, now);
    }
  }

  #renamedTwice(one: Rename, two: Rename, base: Entry): void {
    const [ours, theirs] = [this.#entries.get(one.to)!, this.#entries.get(two.to)!];
    if (one.to === two.to) {
      ours.versions[0] = base.versions[0];
      ours.fileMask |= 1;
      this.#remove(base);
      return;
    }
    const names: [string, string, string] = [one.from, one.to, two.to];
    const { version, isClean } = this.#mergeContent(one.from, [base.versions[0], ours.versions[1], theirs.versions[2]], names, 1 + 2 * this.#depth);
    const isUnmergeable = !isClean && version.mode === ours.versions[1].mode && version.id === ours.versions[1].id;
    ours.versions[1] = version;
    if (!isUnmergeable) theirs.versions[2] = version;
    base.isDisputed = true;
    ours.isDisputed = true;
    theirs.isDisputed = true;
    this.#say('CONFLICT (rename/rename)', `CONFLICT (rename/rename): ${one.from} renamed to ${one.to} in ${this.#options.ours} and to ${two.to} in ${this.#options.theirs}.`, ...names);
  }

  #renamedOnce({ side, from, to }: Rename, old: Entry, now: Entry): void {
    const other = (3 - side) as Side;
    const isDeleted = old.fileMask === 1;
    let collides = (now.fileMask & (1 << other)) !== 0;
    const changesType = !isDeleted && isFile(old.versions[other].mode) !== isFile(now.versions[side].mode);
    // Most likely the other side renamed it too, and put something else in the old place.
    if (changesType && collides) collides = false;
    const sayDeleted = (): void => {
      now.isDisputed = true;
      this.#say('CONFLICT (rename/delete)', `CONFLICT (rename/delete): ${from} renamed to ${to} in ${this.#branch(side)}, but deleted in ${this.#branch(other)}.`, to, from);
    };
    if (collides && isDeleted) sayDeleted();
    else if (collides) {
      const names: [string, string, string] = [from, from, from];
      names[side] = to;
      const versions: Versions = [old.versions[0], old.versions[1], old.versions[2]];
      versions[side] = now.versions[side];
      const { version, isClean } = this.#mergeContent(from, versions, names, 1 + 2 * this.#depth);
      now.versions[side] = version;
      if (!isClean) {
        this.#say('CONFLICT (rename involved in collision)', `CONFLICT (rename involved in collision): rename of ${from} -> ${to} has content conflicts AND `
          + 'collides with another path; this may result in nested conflict markers.', to, from);
      }
    } else {
      now.versions[0] = old.versions[0];
      now.fileMask |= 1;
      now.names[0] = from;
      if (changesType) {
        old.versions[0] = this.#nothing;
        old.fileMask &= 6;
      } else if (isDeleted) sayDeleted();
      else {
        now.versions[other] = old.versions[other];
        now.fileMask |= 1 << other;
        now.names[other] = from;
      }
    }
    if (!changesType) this.#remove(old);
  }

  /** The path is no more. */
  #remove(entry: Entry): void {
    entry.isClean = true;
    entry.result = undefined;
  }

  // ---- contents

  /** One version from three that are of the same type. */
  #mergeContent(path: string, [base, ours, theirs]: Versions, names: readonly string[], extraMarkerSize: number): { version: MergeVersion; isClean: boolean } {
    let isClean = true;
    let { mode } = theirs;
    if (ours.mode !== theirs.mode && ours.mode !== base.mode) {
      ({ mode } = ours);
      isClean = theirs.mode === base.mode;
    }
    if (ours.id === theirs.id || ours.id === base.id) return { version: { mode, id: theirs.id }, isClean };
    if (theirs.id === base.id) return { version: { mode, id: ours.id }, isClean };
    if (typeOf(ours.mode) === gitlinkMode) {
      this.#say('CONFLICT (submodule not initialized)', `Failed to merge submodule ${path} (not checked out)`, path);
      return { version: this.#depth > 0 ? { mode, id: base.mode === 0 ? ours.id : base.id } : { mode, id: ours.id }, isClean: false };
    }
    if (!isFile(ours.mode)) {
      if (this.#depth > 0) return { version: base, isClean: false };
      const { favor } = this.#options;
      return { version: { mode, id: favor === 'theirs' ? theirs.id : ours.id }, isClean: favor !== undefined };
    }
    const read = (version: MergeVersion): Buffer => (version.mode === 0 ? Buffer.alloc(0) : this.#store.read(version.id).bytes);
    const isSamePath = names[0] === names[1] && names[1] === names[2];
    const label = (name: string, at: number): string => (isSamePath ? name : `${name}:${names[at]!}`);
    const labels = { base: label(this.#options.base ?? '', 0), ours: label(this.#options.ours, 1), theirs: label(this.#options.theirs, 2) };
    const { favor, algorithm, text } = this.#options;
    const { bytes, outcome } = this.#contents.merge(
      { base: typeOf(base.mode) === typeOf(ours.mode) ? read(base) : Buffer.alloc(0), ours: read(ours), theirs: read(theirs) },
      { path, labels, extraMarkerSize, isVirtualBase: this.#depth > 0, ...(favor === undefined || this.#depth > 0 ? {} : { favor }),
        ...(algorithm === undefined ? {} : { algorithm }), ...(text === undefined ? {} : { text }) },
    );
    if (outcome === 'binary') this.#say('CONFLICT (binary)', `warning: Cannot merge binary files: ${path} (${labels.ours} vs. ${labels.theirs})`, path);
    this.#say('Auto-merging', `Auto-merging ${path}`, path);
    return { version: { mode, id: this.#store.write('blob', bytes) }, isClean: isClean && outcome === 'clean' };
  }

  // ---- decisions

  /** Decides every path, what is in a directory before the directory; returns the tree. */
  #decideAll(): ObjectId {
    const keyOf = (path: string, entry: Entry): string => (entry.directoryMask !== 0 ? `${path}/` : path);
    const order = [...this.#entries].map(([path, entry]) => ({ path, entry, key: keyOf(path, entry) }));
    order.sort((one, two) => (one.key < two.key ? 1 : one.key > two.key ? -1 : 0));
    const directories = new Map<string, TreeEntry[]>();
    const record = (path: string, version: MergeVersion | undefined): void => {
      if (version === undefined || version.mode === 0) return;
      const directory = directoryOf(path);
      const name = directory === '' ? path : path.slice(directory.length + 1);
      const list = directories.get(directory);
      if (list === undefined) directories.set(directory, [{ mode: version.mode, name, id: version.id }]);
      else list.push({ mode: version.mode, name, id: version.id });
    };
    for (const { path, entry } of order) {
      const inside = entry.directoryMask === 0 ? undefined : directories.get(path);
      if (inside !== undefined) entry.result = { mode: 0o040000, id: this.#store.write('tree', encodeTree(inside, this.#store.format)) };
      if (entry.isClean || inside !== undefined) record(path, entry.result);
      if (entry.isClean || entry.fileMask === 0) continue;
      this.#decide(path, entry, record);
    }
    return this.#store.write('tree', encodeTree(directories.get('') ?? [], this.#store.format));
  }

  #decide(typedPath: string, typedEntry: Entry, record: (path: string, version: MergeVersion | undefined) => void): void {
    let [path, entry] = [typedPath, typedEntry];
    let mixedSide: Side | undefined;
    if (entry.isMixed && entry.result === undefined) {
      // What was in the directory is gone: the file can stay.
      entry.isMixed = false;
      this.#forgetDirectories(entry);
    } else if (entry.isMixed) {
      if (entry.fileMask === 1) return;
      const copy: Entry = { ...entry, versions: [...entry.versions], names: [...entry.names], result: undefined };
      mixedSide = entry.directoryMask & 2 ? 2 : 1;
      this.#forgetDirectories(copy);
      const branch = this.#branch(mixedSide);
      const newPath = this.#uniquePath(path, branch);
      this.#entries.set(newPath, copy);
      this.#say('CONFLICT (file/directory)', `CONFLICT (file/directory): directory in the way of ${path} from ${branch}; moving it to ${newPath} instead.`, newPath, path);
      [path, entry] = [newPath, copy];
    }
    const { versions } = entry;
    const [base, ours, theirs] = versions;
    const isUndisputed = !entry.isMixed && !entry.isDisputed;
    if (entry.matchMask !== 0) {
      const version = entry.matchMask === 6 ? ours : (7 & ~entry.matchMask) === 4 ? theirs : ours;
      entry.result = version;
      entry.isClean = isUndisputed || version.mode === 0;
    } else if (entry.fileMask >= 6 && typeOf(ours.mode) !== typeOf(theirs.mode)) {
      path = this.#decideTypes(path, entry, record);
    } else if (entry.fileMask >= 6) {
      const merged = this.#mergeContent(path, [base, ours, theirs], entry.names, 2 * this.#depth);
      entry.result = merged.version;
      entry.isClean = merged.isClean && isUndisputed;
      if (merged.isClean && mixedSide !== undefined) {
        entry.fileMask = 1 << mixedSide;
        versions[mixedSide] = merged.version;
      }
      if (!merged.isClean) {
        const reason = typeOf(merged.version.mode) === gitlinkMode ? 'submodule' : entry.fileMask === 6 ? 'add/add' : 'content';
        this.#say('CONFLICT (contents)', `CONFLICT (${reason}): Merge conflict in ${path}`, path);
      }
    } else if (entry.fileMask === 3 || entry.fileMask === 5) {
      const side = entry.fileMask === 5 ? 2 : 1;
      entry.result = versions[this.#depth > 0 ? 0 : side];
      // A rename against a deletion was told before, and the content is as it was.
      if (!(entry.isDisputed && base.id === versions[side].id)) {
        const [modified, deleted] = [this.#branch(side), this.#branch(3 - side)];
        this.#say('CONFLICT (modify/delete)',
          `CONFLICT (modify/delete): ${path} deleted in ${deleted} and modified in ${modified}.  Version ${modified} of ${path} left in tree.`, path);
      }
    } else if (entry.fileMask === 1) {
      entry.result = undefined;
      entry.isClean = !entry.isDisputed;
    } else {
      entry.result = versions[entry.fileMask === 4 ? 2 : 1];
      entry.isClean = isUndisputed;
    }
    if (!entry.isClean) this.#conflicted.set(path, entry);
    record(path, entry.result);
  }

  #forgetDirectories(entry: Entry): void {
    entry.matchMask &= ~entry.directoryMask;
    entry.directoryMask = 0;
    for (const at of [0, 1, 2]) if (!(entry.fileMask & (1 << at))) entry.versions[at] = this.#nothing;
  }

  /** A file on one side, a link or submodule on the other: at least one of them gets a new name. Returns where our side's is. */
  #decideTypes(path: string, entry: Entry, record: (path: string, version: MergeVersion | undefined) => void): string {
    const [base, ours, theirs] = entry.versions;
    if (this.#depth > 0) {
      entry.result = base.mode === 0 ? undefined : base;
      return path;
    }
    const movesOurs = isFile(ours.mode) || !isFile(theirs.mode);
    const movesTheirs = !isFile(ours.mode);
    const oursPath = movesOurs ? this.#uniquePath(path, this.#options.ours) : path;
    const theirsPath = movesTheirs ? this.#uniquePath(path, this.#options.theirs) : path;
    const moved = [...(movesOurs ? [oursPath] : []), ...(movesTheirs ? [theirsPath] : [])];
    this.#say('CONFLICT (distinct modes)', `CONFLICT (distinct types): ${path} had different types on each side; `
      + `renamed ${moved.length === 2 ? 'both' : 'one'} of them so each can be recorded somewhere.`, path, ...moved);
    const isOf = (version: MergeVersion): boolean => typeOf(version.mode) === typeOf(base.mode);
    const other: Entry = {
      ...entry, versions: [isOf(theirs) ? base : this.#nothing, this.#nothing, theirs], fileMask: isOf(theirs) ? 5 : 4, result: theirs, isClean: false,
    };
    entry.versions = [isOf(ours) ? base : this.#nothing, ours, this.#nothing];
    entry.fileMask = isOf(ours) ? 3 : 2;
    entry.result = ours;
    if (movesOurs) this.#entries.set(oursPath, entry);
    this.#entries.set(theirsPath, other);
    if (movesOurs && movesTheirs) this.#entries.delete(path);
    this.#conflicted.set(theirsPath, other);
    record(theirsPath, theirs);
    return oursPath;
  }

  /** 'path~branch', with a number when that is taken. */
  #uniquePath(path: string, branch: string): string {
    const wanted = `${path}~${branch.replace(/\//g, '_')}`;
    let found = wanted;
    for (let number = 0; this.#entries.has(found); number += 1) found = `${wanted}_${number}`;
    return found;
  }
}
