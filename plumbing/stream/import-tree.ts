// The tree of a branch while commits are built on it: directories are read when something below them is touched, and written when a
// commit needs their ids.
//
// Invariant: a directory without entries is no entry of its parent; only the root may be empty.
import { InvalidError } from '../../pack/errors.js';
import type { ObjectId } from '../../pack/oid.js';
import { type TreeEntry, checkTreeDepth, deepestTree, isTreeMode } from '../../pack/tree.js';

/** Where trees come from and go to. */
export interface TreeStorage {
  readTree(id: ObjectId): readonly TreeEntry[];
  /** Stores a tree; `previous` is what it was before, a likely base for a delta. */
  writeTree(entries: readonly TreeEntry[], previous: ObjectId | undefined): ObjectId;
}

/** What stands at a path. */
export interface ImportedEntry {
  readonly mode: number;
  readonly id: ObjectId;
}

type Child = ImportedEntry | Directory;

export const directoryMode = 0o040000;

class Directory {
  readonly mode = directoryMode;
  /** Of what was read or written last; undefined for a new one. */
  stored: ObjectId | undefined;
  isChanged: boolean;
  #children: Map<string, Child> | undefined;

  constructor(stored: ObjectId | undefined) {
    this.stored = stored;
    this.isChanged = stored === undefined;
  }

  children(storage: TreeStorage): Map<string, Child> {
    return (this.#children ??= new Map((this.stored === undefined ? [] : storage.readTree(this.stored)).map(({ name, mode, id }) =>
      [name, isTreeMode(mode) ? new Directory(id) : { mode, id }])));
  }

  copy(): Directory {
    const twin = new Directory(this.stored);
    twin.isChanged = this.isChanged;
    if (this.isChanged && this.#children !== undefined) {
      twin.#children = new Map([...this.#children].map(([name, child]) => [name, child instanceof Directory ? child.copy() : child]));
    }
    return twin;
  }
}

export class ImportTree {
  readonly #storage: TreeStorage;
  #root: Directory;

  /** The tree `id`, or an empty one. */
  constructor(storage: TreeStorage, id?: ObjectId) {
    this.#storage = storage;
    this.#root = new Directory(id);
  }

  /** Puts a file, a link or a whole tree at `path`, in place of what is there; '' is the root, which only a tree can be. */
  set(path: string, mode: number, id: ObjectId): void {
    const child = isTreeMode(mode) ? new Directory(id) : { mode, id };
    this.#put(path, child);
  }

  /** Takes away what is at `path`, if anything, and the directories that are empty then; '' takes everything. */
  remove(path: string): void {
    if (path === '') this.#root = new Directory(undefined);
    else this.#removeBelow(this.#root, path.split('/'), 0);
  }

  /** Copies or moves what is at `from`; InvalidError when there is nothing. */
  copy(from: string, to: string, thenRemove: boolean): void {
    const found = from === '' ? this.#root : this.#child(from);
    if (found === undefined) throw new InvalidError(`path '${from}' is not in the branch`, { code: 'path-missing' });
    const twin = found instanceof Directory ? found.copy() : found;
    if (thenRemove) this.remove(from);
    this.#put(to, twin);
  }

  /** What is at `path`, directories being written for it; undefined when there is nothing. */
  find(path: string): ImportedEntry | undefined {
    const found = path === '' ? this.#root : this.#child(path);
    if (found === undefined) return undefined;
    return found instanceof Directory ? { mode: found.mode, id: this.#write(found) } : found;
  }

  /** Writes what was changed; the id of the root. */
  write(): ObjectId {
    return this.#write(this.#root);
  }

  /** Every file and link, with its path. */
  *listFiles(): Generator<ImportedEntry & { readonly path: string }> {
    yield* this.#listBelow(this.#root, '', 0);
  }

  *#listBelow(directory: Directory, prefix: string, depth: number): Generator<ImportedEntry & { readonly path: string }> {
    if (directory.stored !== undefined) checkTreeDepth(depth, directory.stored);
    for (const [name, child] of directory.children(this.#storage)) {
      if (child instanceof Directory) yield* this.#listBelow(child, `${prefix}${name}/`, depth + 1);
      else yield { path: prefix + name, mode: child.mode, id: child.id };
    }
  }

  #child(path: string): Child | undefined {
    let at: Child | undefined = this.#root;
    for (const name of path.split('/')) {
      if (!(at instanceof Directory)) return undefined;
      at = at.children(this.#storage).get(name);
    }
    return at;
  }

  #put(path: string, child: Child): void {
    if (path === '') {
      if (!(child instanceof Directory)) throw new InvalidError('the root cannot be a file', { code: 'bad-path' });
      this.#root = child;
      return;
    }
    const names = path.split('/');
    if (names.length > deepestTree) throw new InvalidError(`path '${path.slice(0, 100)}...' is too deep`, { code: 'bad-path' });
    const last = names.pop()!;
    let at = this.#root;
    for (const name of names) {
      at.isChanged = true;
      const children = at.children(this.#storage);
      let next = children.get(name);
      if (!(next instanceof Directory)) {
        next = new Directory(undefined);
        children.set(name, next);
      }
      at = next;
    }
    at.isChanged = true;
    at.children(this.#storage).set(last, child);
  }

  /** True when the path was there. */
  #removeBelow(directory: Directory, names: readonly string[], depth: number): boolean {
    const children = directory.children(this.#storage);
    const name = names[depth]!;
    const child = children.get(name);
    if (child === undefined) return false;
    if (depth === names.length - 1) {
      children.delete(name);
    } else {
      if (!(child instanceof Directory) || !this.#removeBelow(child, names, depth + 1)) return false;
      if (child.children(this.#storage).size === 0) children.delete(name);
    }
    directory.isChanged = true;
    return true;
  }

  #write(directory: Directory): ObjectId {
    if (!directory.isChanged) return directory.stored!;
    const entries: TreeEntry[] = [];
    for (const [name, child] of directory.children(this.#storage)) {
      entries.push({ name, mode: child.mode, id: child instanceof Directory ? this.#write(child) : child.id });
    }
    const id = this.#storage.writeTree(entries, directory.stored);
    directory.stored = id;
    directory.isChanged = false;
    return id;
  }
}
