// The objects behind commits: each tree and blob once, in the order git lists them, without those the excluded commits have.
//
// Each comes with the path it was first found under, for delta compression and for people. Specified by --objects of
// git-rev-list(1).
import type { ObjectStore } from '../pack/object-store.js';
import type { ObjectId } from '../pack/oid.js';
import { checkTreeDepth } from '../pack/tree.js';
import type { CommitNode } from './history.js';
import { flag } from './walk.js';

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

  constructor(store: ObjectStore) {
    this.#store = store;
  }

  /** Marks everything in a tree as known on the other side. */
  exclude(tree: ObjectId): void {
    if (this.#seen.has(tree) || !this.#store.has(tree)) return;
    for (const found of this.listTree(tree, '')) void found;
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
    this.#seen.add(id);
    yield { id, type: 'tree', path };
    for (const entry of this.#store.readTree(id)) {
      if (entry.mode === 0o160000) continue;
      const below = path === '' ? entry.name : `${path}/${entry.name}`;
      if ((entry.mode & 0o170000) === 0o040000) yield* this.listTree(entry.id, below, depth + 1);
      else yield* this.listBlob(entry.id, below);
    }
  }

  *listBlob(id: ObjectId, path: string): Generator<ListedObject> {
    if (this.#seen.has(id)) return;
    this.#seen.add(id);
    yield { id, type: 'blob', path };
  }
}
