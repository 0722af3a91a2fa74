// What differs between a tree and the index: what the next commit would change. Directories whose tree the index's cache-tree
// remembers are compared by id alone.
import type { ObjectStore } from '../../pack/object-store.js';
import { type ObjectId, zeroId } from '../../pack/oid.js';
import { checkTreeDepth, isTreeMode, type RepoPath, type TreeEntry } from '../../pack/tree.js';
import { type DiffEntry, type DiffSide, statusOf } from '../diff/diff.js';
import type { Index } from './index-file.js';
import type { Pathspec } from '../pathspec.js';

export interface StagedChangesOptions {
  readonly pathspec?: Pathspec;
  /** Also give paths that do not differ, as copy sources. */
  readonly unchanged?: boolean;
  /** Entries that are only intended to be added count, as empty files. */
  readonly showsIntended?: boolean;
}

/** The differences from `tree` (undefined: an empty one) to the merged entries of the index, by path; unmerged paths have the status 'U'. */
export function listStagedChanges(store: ObjectStore, tree: ObjectId | undefined, index: Index, options: StagedChangesOptions = {}): DiffEntry[] {
  const differ = new IndexDiffer(store, index, options);
  differ.walk('', tree, 0, index.count);
  return differ.entries.sort((one, two) => (one.path < two.path ? -1 : one.path > two.path ? 1 : 0));
}

class IndexDiffer {
  readonly entries: DiffEntry[] = [];
  readonly #store: ObjectStore;
  readonly #index: Index;
  readonly #pathspec: Pathspec | undefined;
  readonly #options: StagedChangesOptions;
  readonly #absent: DiffSide;

  constructor(store: ObjectStore, index: Index, options: StagedChangesOptions) {
    this.#store = store;
    this.#index = index;
    this.#pathspec = options.pathspec;
    this.#options = options;
    this.#absent = { mode: 0, id: zeroId(store.format) };
  }

  /** One directory ('' or with trailing slash) and the index's entries in it. */
  walk(directory: string, tree: ObjectId | undefined, from: number, to: number, depth = 0): void {
    const index = this.#index;
    if (this.#pathspec !== undefined && directory !== '' && !this.#pathspec.mayMatchBelow(directory)) return;
    const node = tree === undefined ? undefined : index.cacheTree?.find(directory.slice(0, -1));
    if (!this.#options.unchanged && node?.id === tree && tree !== undefined && node?.entryCount === to - from) return;
    const left = new Map<string, TreeEntry>();
    if (tree !== undefined) checkTreeDepth(depth, tree);
    if (tree !== undefined) for (const entry of this.#store.readTree(tree)) left.set(entry.name, entry);
    for (let at = from; at < to;) {
      const path = index.pathAt(at);
      const slash = path.indexOf('/', directory.length);
      if (slash >= 0) {
        const name = path.slice(directory.length, slash);
        const end = index.endOfDirectory(path.slice(0, slash + 1), at, to);
        const old = left.get(name);
        const isTree = old !== undefined && isTreeMode(old.mode);
        if (isTree) left.delete(name);
        this.walk(path.slice(0, slash + 1), isTree ? old.id : undefined, at, end, depth + 1);
        at = end;
        continue;
      }
      at = this.#compare(path, at, left, directory.length);
    }
    for (const [name, entry] of left) this.#reportRemoved(directory + name, entry, depth + 1);
  }

  /** Compares the entry, or the stages, at one path; returns the position after them. */
  #compare(path: RepoPath, at: number, left: Map<string, TreeEntry>, skip: number): number {
    const index = this.#index;
    const name = path.slice(skip);
    const old = left.get(name);
    if (old !== undefined && !isTreeMode(old.mode)) left.delete(name);
    const before = old === undefined || isTreeMode(old.mode) ? this.#absent : { mode: old.mode, id: old.id };
    if (index.stageAt(at) !== 0) {
      let next = at + 1;
      while (next < index.count && index.pathAt(next) === path) next += 1;
      this.#report({ path, status: 'U', old: before, new: this.#absent });
      return next;
    }
    const mode = index.modeAt(at);
    const id = index.idAt(at);
    if (before.mode === mode && before.id === id) {
      if (this.#options.unchanged) this.#report({ path, status: 'same', old: before, new: before });
      return at + 1;
    }
    const isHidden = !this.#options.showsIntended && !index.isPlainAt(at) && index.entryAt(at).intentToAdd;
    const after = isHidden ? this.#absent : { mode, id };
    if (before.mode !== 0 || after.mode !== 0) this.#report({ path, status: statusOf(before, after), old: before, new: after });
    return at + 1;
  }

  #reportRemoved(path: string, entry: TreeEntry, depth: number): void {
    if (!isTreeMode(entry.mode)) {
      this.#report({ path: path as RepoPath, status: 'D', old: { mode: entry.mode, id: entry.id }, new: this.#absent });
      return;
    }
    checkTreeDepth(depth, entry.id);
    for (const inner of this.#store.readTree(entry.id)) this.#reportRemoved(`${path}/${inner.name}`, inner, depth + 1);
  }

  #report(entry: DiffEntry): void {
    if (this.#pathspec === undefined || this.#pathspec.matches(entry.path)) this.entries.push(entry);
  }
}
