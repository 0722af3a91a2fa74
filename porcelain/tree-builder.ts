// Trees made of a flat list of files, stored from below once all are known. Paths were checked before; a path that is a file and a directory at
// once, or a file twice, is refused here. Memory: an object per directory and per file.
import { RefusedError } from '../pack/errors.js';
import type { ObjectFormat, ObjectId, ObjectType } from '../pack/oid.js';
import { type RepoPath, type TreeEntry, encodeTree, pathToUtf8 } from '../pack/tree.js';

const treeMode = 0o040000;

/** Takes trees; returns their ids. */
export interface TreeStore {
  readonly format: ObjectFormat;
  add(type: ObjectType, bytes: Uint8Array): ObjectId;
}

export class TreeBuilder {
  readonly #files = new Map<string, TreeEntry>();
  readonly #directories = new Map<string, TreeBuilder>();

  /** RefusedError 'path-conflict' when something else has the path. */
  add(path: RepoPath, mode: number, id: ObjectId): void {
    let at: TreeBuilder = this;
    const names = path.split('/');
    const last = names.pop()!;
    for (const name of names) {
      if (at.#files.has(name)) throw conflict(path);
      let below = at.#directories.get(name);
      if (below === undefined) at.#directories.set(name, below = new TreeBuilder());
      at = below;
    }
    if (at.#files.has(last) || at.#directories.has(last)) throw conflict(path);
    at.#files.set(last, { name: last, mode, id });
  }

  /** Stores all trees; the id of the topmost. */
  store(store: TreeStore): ObjectId {
    const directories = [...this.#directories].map(([name, below]) => ({ name, mode: treeMode, id: below.store(store) }));
    return store.add('tree', encodeTree([...this.#files.values(), ...directories], store.format));
  }
}

function conflict(path: RepoPath): RefusedError {
  return new RefusedError(`'${pathToUtf8(path)}' is there twice, or as a file and as a directory`, { code: 'path-conflict' });
}
