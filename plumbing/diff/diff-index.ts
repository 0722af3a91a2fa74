// What differs between the work tree and the index, or the work tree and a tree.
//
// A work-tree file that looks as it did when it was added is taken to be what the index says; any other is read, converted as it
// would be added, and compared: at once, or with `byAppearance` only when its content is asked for. Paths come in byte order.
// Specified by git-diff-index(1) and git-diff-files(1).
import type { ObjectStore } from '../../pack/object-store.js';
import { type ObjectId, hashObject, zeroId } from '../../pack/oid.js';
import { checkTreeDepth, gitlinkMode, type RepoPath } from '../../pack/tree.js';
import type { CombinedPath } from './combined-diff.js';
import { readSide } from './diff-content.js';
import { type DiffEntry, type DiffSide, statusOf } from './diff.js';
import { Index, type IndexEntry, indexEntry } from '../index/index-file.js';
import { LookAhead } from '../index/look-ahead.js';
import type { Pathspec } from '../pathspec.js';
import type { Repository } from '../repository.js';
import { UnchangedFiles } from '../index/unchanged-files.js';
import { WorkTree } from '../index/work-tree.js';

export interface IndexDiffOptions {
  readonly pathspec?: Pathspec;
  /** Also give paths that do not differ, as copy sources. */
  readonly unchanged?: boolean;
  /** A file that looks changed is changed, whatever it holds (git's plumbing). */
  readonly byAppearance?: boolean;
  /** Entries that are only intended to be added stand for empty files. */
  readonly showsIntended?: boolean;
  /** The stage unmerged files are compared with; default 2, ours. */
  readonly unmergedStage?: 0 | 1 | 2 | 3;
  /** Paths that differ in several ways at once are given in `combined` instead. */
  readonly combines?: boolean;
  /** Files that are gone are passed over, or (of a tree) taken to be as they were. */
  readonly ignoresMissing?: boolean;
}

/** What was found; `combined` are the paths that are compared with two sides at once. */
export interface IndexDiff {
  readonly entries: DiffEntry[];
  readonly combined: CombinedPath[];
}

/** Compares work-tree files with index entries. */
class WorkFiles {
  readonly #tree: WorkTree;
  readonly #store: ObjectStore;
  readonly #index: Index;
  readonly #byAppearance: boolean;

  constructor(repository: Repository, index: Index, options: IndexDiffOptions) {
    repository.requireWorkTree();
    this.#tree = new WorkTree(repository, index);
    this.#store = repository.objects;
    this.#index = index;
    this.#byAppearance = options.byAppearance === true;
  }

  /** What need not be looked at. */
  findUnchanged(ahead: LookAhead | undefined): UnchangedFiles {
    return new UnchangedFiles(this.#tree, this.#index, ahead);
  }

  /** The file as one side of a difference; mode 0 when it is not there. An unchanged one has the id of the entry. */
  side(entry: IndexEntry): DiffSide {
    const absent: DiffSide = { mode: 0, id: zeroId(this.#store.format) };
    if (entry.assumeValid || entry.skipWorktree) return { mode: entry.mode, id: entry.id };
    const status = this.#tree.findOwnStatus(entry.path);
    if (status === undefined) return absent;
    if (status.isDirectory() && entry.mode !== gitlinkMode) {
      // A directory stands where the file was; only a repository of its own would be tracked.
      if (!this.#tree.isNestedRepository(entry.path)) return absent;
      return this.#submodule(entry);
    }
    if (entry.mode === gitlinkMode) {
      if (!status.isDirectory()) return this.#file(entry, this.#tree.modeOf(status, entry.mode) ?? 0o100644);
      return this.#tree.isNestedRepository(entry.path) ? this.#submodule(entry) : { mode: entry.mode, id: entry.id };
    }
    const mode = this.#tree.modeOf(status, entry.mode);
    if (mode === undefined) return absent;
    const isPlain = entry.stage === 0 && !entry.intentToAdd;
    if (isPlain && this.#tree.compareStatus(entry, status, this.#index) === 'same') return { mode: entry.mode, id: entry.id };
    if (this.#byAppearance && !(isPlain && this.#tree.looksSame(entry, status))) return this.#read(entry, mode);
    return this.#file(entry, mode);
  }

  #submodule(entry: IndexEntry): DiffSide {
    const head = this.#tree.findNestedHead(entry.path);
    if (head === undefined || head === entry.id) return { mode: gitlinkMode, id: entry.mode === gitlinkMode ? entry.id : zeroId(this.#store.format) };
    return { mode: gitlinkMode, id: head, content: () => Buffer.from(`Subproject commit ${head}\n`) };
  }

  #file(entry: IndexEntry, mode: number): DiffSide {
    if (mode === entry.mode && !entry.intentToAdd && this.#tree.hashFile(entry.path, mode) === entry.id) return { mode, id: entry.id, ...fileAt(entry.path, mode) };
    return this.#read(entry, mode);
  }

  #read(entry: IndexEntry, mode: number): DiffSide {
    let held: Buffer | undefined;
    return {
      mode, id: zeroId(this.#store.format), ...fileAt(entry.path, mode),
      content: () => {
        if (held !== undefined) return held;
        const pieces: Buffer[] = [];
        const { format } = this.#store;
        this.#tree.stageContent(entry.path, mode, {
          write: (bytes) => { pieces.push(bytes); return hashObject('blob', bytes, format); },
          writeStream: (_size, chunks) => { for (const chunk of chunks) pieces.push(Buffer.from(chunk)); return zeroId(format); },
        });
        held = Buffer.concat(pieces);
        return held;
      },
    };
  }
}

/** A file of the work tree, tracked or not, as one side of a difference; mode 0 when there is no file or link. */
export function readWorkTreeSide(repository: Repository, path: RepoPath): DiffSide {
  const nothing = zeroId(repository.format);
  return new WorkFiles(repository, new Index(repository.format), {}).side(indexEntry({ path, id: nothing, mode: 0o100644 }));
}

/** Links are no files that programs could read. */
function fileAt(path: string, mode: number): { readonly file?: string } {
  return (mode & 0o170000) === 0o100000 ? { file: Buffer.from(path, 'latin1').toString() } : {};
}

const same = (one: DiffSide, two: DiffSide): boolean => one.mode === two.mode && one.id === two.id && one.content === undefined && two.content === undefined;

function isWanted(path: string, options: IndexDiffOptions): boolean {
  return options.pathspec === undefined || options.pathspec.matches(path);
}

/** The index against the work tree; unmerged paths once as 'U', and compared with one of their sides when it is there. */
export function diffIndexToWorkTree(repository: Repository, index: Index, options: IndexDiffOptions = {}): IndexDiff {
  const files = new WorkFiles(repository, index, options);
  const absent: DiffSide = { mode: 0, id: zeroId(repository.format) };
  const found: IndexDiff = { entries: [], combined: [] };
  const { entries: result, combined } = found;
  const wantsAll = options.unchanged === true || options.pathspec !== undefined;
  using ahead = wantsAll ? undefined : LookAhead.start(repository);
  const unchanged = wantsAll ? undefined : files.findUnchanged(ahead);
  for (let at = 0; at < index.count; at += 1) {
    if (unchanged?.has(at)) continue;
    let entry = index.entryAt(at);
    const { path } = entry;
    if (!isWanted(path, options)) continue;
    if (entry.stage !== 0) {
      const now = files.side(entry);
      const sides: DiffSide[] = [];
      let chosen: IndexEntry | undefined;
      for (; at < index.count && index.pathAt(at) === path; at += 1) {
        const { stage, mode, id } = index.entryAt(at);
        if (stage >= 2) sides.push({ mode, id });
        if (stage === (options.unmergedStage ?? 2)) chosen = index.entryAt(at);
      }
      at -= 1;
      if (options.combines && sides.length === 2) {
        combined.push({ path, parents: sides, result: now, statuses: ['M', 'M'] });
        continue;
      }
      result.push({ path, status: 'U', old: absent, new: now.mode === 0 ? absent : { mode: now.mode, id: absent.id } });
      if (chosen === undefined) continue;
      entry = chosen;
    }
    if (entry.skipWorktree) continue;
    const now = files.side(entry);
    const old = entry.intentToAdd && !options.showsIntended ? absent : { mode: entry.mode, id: entry.id };
    if (now.mode === 0 && (options.ignoresMissing || entry.intentToAdd && !options.showsIntended)) continue;
    if (!same(old, now)) result.push({ path, status: statusOf(old, now), old, new: now });
    else if (options.unchanged) result.push({ path, status: 'same', old, new: now });
  }
  return found;
}

interface TreeFile { readonly path: RepoPath; readonly side: DiffSide }

function* listTree(store: ObjectStore, tree: ObjectId | undefined, prefix: string, pathspec: Pathspec | undefined, depth = 0): Generator<TreeFile> {
  if (tree === undefined) return;
  checkTreeDepth(depth, tree);
  for (const { mode, name, id } of store.readTree(tree)) {
    const path = (prefix + name) as RepoPath;
    if ((mode & 0o170000) !== 0o040000) {
      if (pathspec === undefined || pathspec.matches(path)) yield { path, side: { mode, id } };
    } else if (pathspec === undefined || pathspec.mayMatchBelow(`${path}/`)) yield* listTree(store, id, `${path}/`, pathspec, depth + 1);
  }
}

/** A tree (undefined: nothing) against the work-tree files of the paths in the index. */
export function diffTreeToWorkTree(repository: Repository, tree: ObjectId | undefined, index: Index, options: IndexDiffOptions = {}): IndexDiff {
  const files = new WorkFiles(repository, index, options);
  const absent: DiffSide = { mode: 0, id: zeroId(repository.format) };
  const found: IndexDiff = { entries: [], combined: [] };
  const { entries: result, combined } = found;
  const old = listTree(repository.objects, tree, '', options.pathspec);
  let left = old.next();
  const { entries } = index;
  let at = 0;
  while (left.done !== true || at < entries.length) {
    const entry = entries[at];
    const file = left.done === true ? undefined : left.value;
    if (entry !== undefined && !isWanted(entry.path, options)) {
      at += 1;
      continue;
    }
    const order = file === undefined ? 1 : entry === undefined ? -1 : file.path < entry.path ? -1 : file.path > entry.path ? 1 : 0;
    const path = (order <= 0 ? file! : entry!).path;
    const before = order <= 0 ? file!.side : absent;
    if (order <= 0) left = old.next();
    // Of a path in conflict the first of its entries stands for all.
    if (order >= 0) while (entries[at]?.path === path) at += 1;
    if (order < 0 || entry === undefined) {
      result.push({ path, status: 'D', old: before, new: absent });
      continue;
    }
    let now = files.side(entry);
    if (now.mode === 0 && options.ignoresMissing) now = { mode: entry.mode, id: entry.id };
    if (before.mode === 0 && now.mode === 0) continue;
    if (options.combines && before.mode !== 0 && now.mode !== 0 && (now.content !== undefined || now.id !== before.id || entry.id !== before.id)) {
      const content = now.content ?? ((): Buffer => readSide(repository.objects, now));
      combined.push({ path, parents: [{ mode: entry.mode, id: entry.id }, before], result: { ...now, id: absent.id, content }, statuses: ['M', 'M'] });
    } else if (same(before, now)) {
      if (options.unchanged) result.push({ path, status: 'same', old: before, new: now });
    } else if (options.byAppearance || before.mode !== now.mode || now.content === undefined || !isBlob(repository.objects, before, now)) {
      result.push({ path, status: statusOf(before, now), old: before, new: now });
    }
  }
  return found;
}

/** True when a work-tree file that differs from the index is just what the tree has. */
function isBlob(store: ObjectStore, before: DiffSide, now: DiffSide): boolean {
  return now.content !== undefined && before.mode !== gitlinkMode && hashObject('blob', now.content(), store.format) === before.id;
}
