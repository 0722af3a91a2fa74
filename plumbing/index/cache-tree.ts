// The cache-tree: for each directory of the index, how many entries it has and which tree object they make, as long as none of
// them changed. It lets write-tree and commit skip unchanged directories. Kept in the index as the extension "TREE".
//
// It is only a memory: a count that does not fit the entries, or a tree that is not stored, is computed again, never
// believed. Format: gitformat-index, "Cache tree". Lost with the index; nothing else is written here.
import { CorruptError, InvalidError } from '../../pack/errors.js';
import { decodeObjectId, encodeObjectId, hashObject, rawSize, type ObjectFormat, type ObjectId } from '../../pack/oid.js';
import type { ObjectStore } from '../../pack/object-store.js';
import type { BulkWriter } from '../../pack/pack-writer.js';
import { encodeTree, type TreeEntry } from '../../pack/tree.js';
import { checkPath, fullProtection, type PathProtection } from '../path-safety.js';
import type { Index } from './index-file.js';

/** One directory; `entryCount` is negative and `id` meaningless while something below it has changed. */
export class CacheTree {
  entryCount = -1;
  id: ObjectId | undefined;
  readonly children = new Map<string, CacheTree>();

  get isValid(): boolean {
    return this.entryCount >= 0;
  }

  /** Forgets the trees of every directory that holds `path`. */
  invalidate(path: string): void {
    let node: CacheTree = this;
    node.entryCount = -1;
    let start = 0;
    for (;;) {
      const end = path.indexOf('/', start);
      if (end < 0) {
        node.children.delete(path.slice(start));
        return;
      }
      const child = node.children.get(path.slice(start, end));
      if (child === undefined) return;
      child.entryCount = -1;
      node = child;
      start = end + 1;
    }
  }

  /** The node of a directory named without a trailing slash; '' is the root. */
  find(directory: string): CacheTree | undefined {
    if (directory === '') return this;
    let node: CacheTree | undefined = this;
    for (const name of directory.split('/')) node = node?.children.get(name);
    return node;
  }
}

/** Deeper than any file system goes; keeps hostile nesting off the stack. */
const deepest = 4096;

/** The extension's content as a tree of nodes. */
export function decodeCacheTree(bytes: Buffer, format: ObjectFormat): CacheTree {
  let at = 0;
  const idSize = rawSize(format);
  const corrupt = (): CorruptError => new CorruptError('index extension TREE is damaged', { code: 'bad-index' });
  const decodeNode = (depth: number): { name: string; node: CacheTree } => {
    const nul = bytes.indexOf(0, at);
    if (nul < 0 || depth > deepest) throw corrupt();
    const name = bytes.toString('latin1', at, nul);
    const newline = bytes.indexOf(10, nul);
    const numbers = newline < 0 || newline - nul > 24 ? null : /^(-1|[0-9]{1,10}) ([0-9]{1,10})$/.exec(bytes.toString('latin1', nul + 1, newline));
    if (numbers === null || (depth === 0) !== (name === '')) throw corrupt();
    at = newline + 1;
    const node = new CacheTree();
    node.entryCount = Number(numbers[1]);
    if (node.isValid) {
      if (at + idSize > bytes.length) throw corrupt();
      node.id = decodeObjectId(bytes, at, format);
      at += idSize;
    }
    for (let left = Number(numbers[2]); left > 0; left -= 1) {
      const child = decodeNode(depth + 1);
      if (node.children.has(child.name)) throw corrupt();
      node.children.set(child.name, child.node);
    }
    return { name, node };
  };
  const { node } = decodeNode(0);
  if (at !== bytes.length) throw corrupt();
  return node;
}

/** The extension's content; children in Git's order (shorter names first, then by byte). */
export function encodeCacheTree(root: CacheTree): Buffer {
  const parts: Buffer[] = [];
  const encodeNode = (name: string, node: CacheTree): void => {
    parts.push(Buffer.from(`${name}\0${node.entryCount} ${node.children.size}\n`, 'latin1'));
    if (node.isValid) parts.push(encodeObjectId(node.id!));
    const names = [...node.children.keys()].sort((one, two) => one.length - two.length || (one < two ? -1 : 1));
    for (const child of names) encodeNode(child, node.children.get(child)!);
  };
  encodeNode('', root);
  return Buffer.concat(parts);
}

export interface TreeOptions {
  /** Do not ask whether the objects that entries name are stored. */
  readonly missingOk?: boolean;
  /** Give the id of this directory instead of the root's. */
  readonly prefix?: string;
  /** Compute ids only, store nothing. */
  readonly dryRun?: boolean;
  readonly protection?: PathProtection;
  /** Put new trees into this pack, which the caller finishes, instead of storing them at once. */
  readonly bulk?: BulkWriter;
}

/** Above this many new trees they go into one pack instead of single files. */
const bulkTrees = 20;

/**
 * Writes the trees the index describes and returns the id of the root, or of the directory `prefix`. Only what is new is written; the
 * index's cache-tree is brought up to date. InvalidError 'unmerged-index' while a path is unmerged, NotFoundError
 * 'object-missing' when an entry names an object that is not stored (unless `missingOk`).
 */
export function writeTreeFromIndex(index: Index, store: ObjectStore, options: TreeOptions = {}): ObjectId {
  const unmerged = index.findUnmerged();
  if (unmerged !== undefined) {
    throw new InvalidError(`'${Buffer.from(unmerged, 'latin1').toString()}' is unmerged (${index.idAt(index.firstUnmerged())})`, {
      code: 'unmerged-index', hint: 'resolve it, then add the result',
    });
  }
  const root = index.cacheTree ?? new CacheTree();
  const builder = new TreeBuilder(index, store, options);
  builder.build(root, 0, index.count, 0, 0);
  builder.finish();
  index.keepCacheTree(root);
  const prefix = (options.prefix ?? '').replace(/(?<=[^/])\/+$/, '');
  const node = root.find(prefix);
  if (node === undefined || node.id === undefined) throw new InvalidError(`prefix '${prefix}' is not a directory of the index`, { code: 'bad-prefix' });
  return node.id;
}

class TreeBuilder {
  readonly #index: Index;
  readonly #store: ObjectStore;
  readonly #options: TreeOptions;
  readonly #new: { readonly id: ObjectId; readonly bytes: Buffer }[] = [];
  readonly #newIds = new Set<ObjectId>();

  constructor(index: Index, store: ObjectStore, options: TreeOptions) {
    this.#index = index;
    this.#store = store;
    this.#options = options;
  }

  /** Makes `node` the tree of entries [from, to), which share their first `skip` bytes; false when it holds something not yet to be committed. */
  build(node: CacheTree, from: number, to: number, skip: number, depth: number): boolean {
    const index = this.#index;
    if (depth > deepest) throw new InvalidError('the index nests directories too deeply', { code: 'unsafe-path' });
    if (node.entryCount === to - from && node.id !== undefined && to > from && this.#isStored(node.id)) return true;
    const entries: TreeEntry[] = [];
    const names = new Set<string>();
    let complete = true;
    let at = from;
    while (at < to) {
      const path = index.pathAt(at);
      const slash = path.indexOf('/', skip);
      if (slash < 0) {
        const name = path.slice(skip);
        names.add(name);
        const entry = index.entryAt(at);
        at += 1;
        if (entry.intentToAdd) { complete = false; continue; }
        checkPath(path, this.#options.protection ?? fullProtection, entry.mode);
        this.#checkStored(entry.id, entry.mode, path);
        entries.push({ mode: entry.mode, name, id: entry.id });
        node.children.delete(name);
        continue;
      }
      const name = path.slice(skip, slash);
      const end = index.endOfDirectory(path.slice(0, slash + 1), at, to);
      names.add(name);
      let child = node.children.get(name);
      if (child === undefined) node.children.set(name, child = new CacheTree());
      if (child.entryCount > end - at) child.entryCount = -1;
      if (!this.build(child, at, end, slash + 1, depth + 1)) complete = false;
      // A directory with nothing but intended additions is not in the tree.
      if (child.id !== undefined && !this.#isEmpty(child, at, end)) entries.push({ mode: 0o040000, name, id: child.id });
      at = end;
    }
    for (const name of node.children.keys()) if (!names.has(name)) node.children.delete(name);
    const bytes = encodeTree(entries, this.#store.format);
    node.id = this.#add(bytes);
    node.entryCount = complete ? to - from : -1;
    return complete;
  }

  /** Stores what is new: one by one when few, else in one pack. */
  finish(): void {
    const { bulk, dryRun } = this.#options;
    if (dryRun) return;
    if (bulk !== undefined) {
      for (const { bytes } of this.#new) bulk.add('tree', bytes);
      return;
    }
    if (this.#new.length <= bulkTrees) {
      this.#store.writeTogether(() => { for (const { bytes } of this.#new) this.#store.write('tree', bytes); });
      return;
    }
    const writer = this.#store.bulk();
    try {
      for (const { bytes } of this.#new) writer.add('tree', bytes);
      writer.finish();
    } catch (error) {
      writer.abort();
      throw error;
    }
  }

  #isEmpty(node: CacheTree, from: number, to: number): boolean {
    if (node.isValid) return false;
    for (let at = from; at < to; at += 1) if (!this.#index.entryAt(at).intentToAdd) return false;
    return true;
  }

  #isStored(id: ObjectId): boolean {
    return this.#newIds.has(id) || this.#isHere(id);
  }

  #isHere(id: ObjectId): boolean {
    return this.#options.bulk?.holds(id) === true || this.#store.has(id);
  }

  /** Really stored, and as good as new to gc: the empty tree is here without being stored, and what is old may be about to go. */
  #isKept(id: ObjectId): boolean {
    const { bulk, dryRun } = this.#options;
    return bulk?.holds(id) === true || (dryRun ? this.#store.has(id) : this.#store.renew(id));
  }

  #checkStored(id: ObjectId, mode: number, path: string): void {
    if (this.#options.missingOk || mode === 0o160000 || this.#isHere(id)) return;
    throw new InvalidError(`invalid object ${mode.toString(8)} ${id} for '${Buffer.from(path, 'latin1').toString()}'`, { code: 'object-missing' });
  }

  #add(bytes: Buffer): ObjectId {
    const id = hashObject('tree', bytes, this.#store.format);
    if (!this.#newIds.has(id) && !this.#isKept(id)) {
      this.#newIds.add(id);
      this.#new.push({ id, bytes });
    }
    return id;
  }
}
