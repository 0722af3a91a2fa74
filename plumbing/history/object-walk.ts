// The objects behind commits: each tree and blob once, in the order git lists them, without those the excluded commits have.
//
// Each comes with the path it was first found under, for delta compression and for people. Specified by --objects of
// git-rev-list(1).
import { CorruptError } from '../../pack/errors.js';
import { IdTable } from '../../pack/id-table.js';
import type { ObjectStore } from '../../pack/object-store.js';
import { type ObjectId, decodeObjectId, encodeObjectId } from '../../pack/oid.js';
import type { PackCursor } from '../../pack/pack-cursor.js';
import { TreeScanner, canonicalMode, checkTreeDepth, gitlinkMode, isTreeMode } from '../../pack/tree.js';
import type { CommitNode } from './history.js';
import { type FilterVerdict, FilterWalk, type ObjectFilter } from './object-filter.js';
import type { Pathspec } from '../pathspec.js';
import { flag } from './walk-flag.js';

export interface ListedObject {
  readonly id: ObjectId;
  readonly type: 'tree' | 'blob';
  /** latin1; '' for a commit's own tree. */
  readonly path: string;
}

export interface ObjectListerOptions {
  /** Trees that are not there have nothing in them. */
  readonly mayMiss?: boolean;
  /** Of what is in trees only what this names is listed, and the ways there. */
  readonly pathspec?: Pathspec | undefined;
  /** What the filter leaves out will be asked for. */
  readonly recordsOmitted?: boolean;
}

/** Trees and blobs reachable from trees, each once. */
export class ObjectLister {
  readonly #store: ObjectStore;
  readonly #seen: IdTable;
  readonly #cursor: PackCursor | undefined;
  /** Levels that were gone through, to be used again. */
  readonly #spare: Level[] = [];
  /** What the caller named, which no filter leaves out. */
  readonly #given = new Set<ObjectId>();
  readonly #filter: FilterWalk | undefined;

  readonly #mayMiss: boolean;
  readonly #pathspec: Pathspec | undefined;

  constructor(store: ObjectStore, filter?: ObjectFilter, options: ObjectListerOptions = {}) {
    this.#store = store;
    this.#seen = new IdTable(store.format);
    this.#cursor = store.hasReplacements ? undefined : store.openCursor();
    this.#mayMiss = options.mayMiss ?? false;
    this.#pathspec = options.pathspec;
    this.#filter = filter && new FilterWalk(filter, (id) => store.findHeader(id)?.sizeBytes, { records: options.recordsOmitted ?? false });
  }

  /** What the filter left out, a set for each part of it. */
  omitted(): ReadonlySet<ObjectId>[] {
    return this.#filter?.omitted() ?? [];
  }

  /** Has an object that the caller named listed whatever the filter says. */
  give(id: ObjectId): void {
    this.#given.add(id);
  }

  /** Undoes `give`: the object was met otherwise first. */
  takeBack(id: ObjectId): void {
    this.#given.delete(id);
  }

  /** Whether the filter lets a commit or tag through that the caller did not name. */
  lets(type: 'commit' | 'tag'): boolean {
    return this.#filter === undefined || (type === 'commit' ? this.#filter.commit() : this.#filter.tag());
  }

  /** Marks everything in a tree as known on the other side. */
  exclude(tree: ObjectId): void {
    if (this.#seen.findId(tree) >= 0) return;
    this.#seen.addId(tree);
    if (!this.#store.has(tree)) return;
    for (const entry of this.#store.readTree(tree)) {
      if (entry.mode === 0o160000) continue;
      if ((entry.mode & 0o170000) === 0o040000) this.exclude(entry.id);
      else this.#seen.addId(entry.id);
    }
  }

  excludeBlob(id: ObjectId): void {
    this.#seen.addId(id);
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
  *listTree(id: ObjectId, path: string): Generator<ListedObject> {
    const levels: Level[] = [];
    const scanner = new TreeScanner(this.#store.format);
    if (this.#seen.findId(id) >= 0) return;
    const found = this.#enter(levels, id, encodeObjectId(id), 0, path);
    if (found !== undefined) yield found;
    for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
      if (level.at >= level.end) {
        levels.pop();
        level.filter?.leave();
        this.#spare.push(level);
        continue;
      }
      const { bytes } = level;
      level.at = scanner.scan(bytes, level.at, level.end);
      const mode = canonicalMode(scanner.mode);
      // Most of what trees name was listed before: nothing is made of it.
      if (mode === gitlinkMode || this.#seen.find(bytes, scanner.idAt) >= 0) continue;
      const own = decodeObjectId(bytes, scanner.idAt, this.#store.format);
      const below = level.prefix + bytes.toString('latin1', scanner.nameStart, scanner.nameEnd);
      if (this.#pathspec !== undefined && !isWanted(this.#pathspec, below, isTreeMode(mode))) continue;
      const next = isTreeMode(mode) ? this.#enter(levels, own, bytes, scanner.idAt, below) : this.#findBlob(own, bytes, scanner.idAt, below);
      if (next !== undefined) yield next;
    }
  }

  *listBlob(id: ObjectId, path: string): Generator<ListedObject> {
    const found = this.#seen.findId(id) < 0 ? this.#findBlob(id, encodeObjectId(id), 0, path) : undefined;
    if (found !== undefined) yield found;
  }

  /**
   * Goes down into a tree that was not listed before, where that is wanted; gives it when it is to be shown. Its id is also at `at`
   * of `raw`.
   */
  #enter(levels: Level[], id: ObjectId, raw: Uint8Array, at: number, path: string): ListedObject | undefined {
    checkTreeDepth(levels.length, id);
    const filter = this.#given.has(id) ? undefined : this.#filter;
    const verdict = filter?.tree(id) ?? letThrough;
    if (verdict.settled) this.#seen.add(raw, at);
    if (verdict.enter && !(this.#mayMiss && !this.#store.has(id))) levels.push(this.#open(id, raw, at, path, filter));
    else filter?.leave();
    return verdict.show ? { id, type: 'tree', path } : undefined;
  }

  #findBlob(id: ObjectId, raw: Uint8Array, at: number, path: string): ListedObject | undefined {
    const verdict = this.#given.has(id) ? letThrough : this.#filter?.blob(id) ?? letThrough;
    if (verdict.settled) this.#seen.add(raw, at);
    return verdict.show ? { id, type: 'blob', path } : undefined;
  }

  /** Reads a tree into memory of its own, for others are read before its end is reached. */
  #open(id: ObjectId, raw: Uint8Array, at: number, path: string, filter: FilterWalk | undefined): Level {
    const level = this.#spare.pop() ?? { bytes: Buffer.allocUnsafeSlow(4096), at: 0, end: 0, prefix: '', filter: undefined };
    level.at = 0;
    level.prefix = path === '' ? '' : `${path}/`;
    level.filter = filter;
    const cursor = this.#cursor;
    if (cursor !== undefined && cursor.find(raw, at) && cursor.read() && cursor.kind === treeKind) {
      fill(level, cursor.memory, cursor.start, cursor.end);
    } else {
      const { type, bytes } = this.#store.read(id);
      if (type !== 'tree') throw new CorruptError(`object '${id}' is a ${type}, not a tree`, { code: 'object-wrong-type' });
      fill(level, bytes, 0, bytes.length);
    }
    return level;
  }
}

function isWanted(pathspec: Pathspec, path: string, isTree: boolean): boolean {
  return pathspec.matches(path, isTree) || (isTree && pathspec.mayMatchBelow(`${path}/`));
}

/** As packs number types. */
const treeKind = 2;

/** A tree that is being listed, up to `at`. */
interface Level {
  bytes: Buffer;
  at: number;
  end: number;
  /** Before the names in it. */
  prefix: string;
  filter: FilterWalk | undefined;
}

function fill(level: Level, bytes: Buffer, start: number, end: number): void {
  level.end = end - start;
  if (level.end > level.bytes.length) level.bytes = Buffer.allocUnsafeSlow(level.end * 2);
  bytes.copy(level.bytes, 0, start, end);
}

const letThrough: FilterVerdict = { show: true, settled: true, enter: true };
