// The objects behind commits: each tree and blob once, in the order git lists them, without those the excluded commits have.
//
// Each comes with the path it was first found under, for delta compression and for people. Specified by --objects of
// git-rev-list(1).
import type { ObjectStore } from '../pack/object-store.js';
import type { ObjectId } from '../pack/oid.js';
import { checkTreeDepth } from '../pack/tree.js';
import type { CommitNode } from './history.js';
import { type FilterVerdict, FilterWalk, type ObjectFilter } from './object-filter.js';
import { flag } from './walk-flag.js';

export interface ListedObject {
  readonly id: ObjectId;
  readonly type: 'tree' | 'blob';
  /** latin1; '' for a commit's own tree. */
  readonly path: string;
}

/** Trees and blobs reachable from trees, each once. */
export class ObjectLister {
  readonly #store: ObjectStore;
  readonly #seen = new Set<ObjectId>();
  /** What the caller named, which no filter leaves out. */
  readonly #given = new Set<ObjectId>();
  readonly #filter: FilterWalk | undefined;

  readonly #mayMiss: boolean;

  /** With `mayMiss`, trees that are not there have nothing in them. */
  constructor(store: ObjectStore, filter?: ObjectFilter, options: { readonly mayMiss?: boolean } = {}) {
    this.#store = store;
    this.#mayMiss = options.mayMiss ?? false;
    this.#filter = filter && new FilterWalk(filter, (id) => store.findHeader(id)?.sizeBytes);
  }

  /** Has an object that the caller named listed whatever the filter says. */
  give(id: ObjectId): void {
    this.#given.add(id);
  }

  /** Whether the filter lets a commit or tag through that the caller did not name. */
  lets(type: 'commit' | 'tag'): boolean {
    return this.#filter === undefined || (type === 'commit' ? this.#filter.commit() : this.#filter.tag());
  }

  /** Marks everything in a tree as known on the other side. */
  exclude(tree: ObjectId): void {
    if (this.#seen.has(tree) || !this.#store.has(tree)) return;
    this.#seen.add(tree);
    for (const entry of this.#store.readTree(tree)) {
      if (entry.mode === 0o160000) continue;
      if ((entry.mode & 0o170000) === 0o040000) this.exclude(entry.id);
      else this.#seen.add(entry.id);
    }
  }

  excludeBlob(id: ObjectId): void {
    this.#seen.add(id);
  }

  /** Marks the trees of the excluded commits that border on `nodes`; `onEdge` is told of each such commit. */
  excludeEdges(nodes: Iterable<CommitNode>, onEdge?: (node: CommitNode) => void): void {
    const told = new Set<CommitNode>();
    for (const node of nodes) {
      for (const parent of node.parents) {
        if (!(parent.flags & flag.uninteresting) || told.has(parent)) continue;
        told.add(parent);
        if (parent.isLoaded) this.exclude(parent.tree);
        onEdge?.(parent);
      }
    }
  }

  /** A tree and all below it that was not listed before. */
  *listTree(id: ObjectId, path: string, depth = 0): Generator<ListedObject> {
    if (this.#seen.has(id)) return;
    checkTreeDepth(depth, id);
    const filter = this.#given.has(id) ? undefined : this.#filter;
    const verdict = filter?.tree(id) ?? letThrough;
    if (verdict.settled) this.#seen.add(id);
    if (verdict.show) yield { id, type: 'tree', path };
    if (verdict.enter && !(this.#mayMiss && !this.#store.has(id))) {
      for (const entry of this.#store.readTree(id)) {
        if (entry.mode === 0o160000) continue;
        const below = path === '' ? entry.name : `${path}/${entry.name}`;
        if ((entry.mode & 0o170000) === 0o040000) yield* this.listTree(entry.id, below, depth + 1);
        else yield* this.listBlob(entry.id, below);
      }
    }
    filter?.leave();
  }

  *listBlob(id: ObjectId, path: string): Generator<ListedObject> {
    if (this.#seen.has(id)) return;
    const verdict = this.#given.has(id) ? letThrough : this.#filter?.blob(id) ?? letThrough;
    if (verdict.settled) this.#seen.add(id);
    if (verdict.show) yield { id, type: 'blob', path };
  }
}

const letThrough: FilterVerdict = { show: true, settled: true, enter: true };
