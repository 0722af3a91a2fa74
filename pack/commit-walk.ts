// Walking commits by date without anything being made for each: the unpack kernel (assembly/_walk.ts) goes from commit to commit by
// itself, and prints their ids and subjects. What it cannot read or print it asks for here.
//
// Invariant: the order is that of CommitQueue, and every commit is one its id says. There may be one walk at a time in a store, which
// `run` sees to by coming to its end.
import type { GraphTables } from './commit-graph.js';
import { CorruptError, NotFoundError } from './errors.js';
import type { UnpackExports } from './kernels/unpack-kernel.js';
import type { ObjectStore } from './object-store.js';
import { decodeObjectId, rawSize } from './oid.js';
import type { ObjectId } from './oid.js';
import type { PackCursor } from './pack-cursor.js';
import { TreeScanner, checkTreeDepth, deepestTree } from './tree.js';

/** What is printed of each commit: a part of its id at least. */
export interface CommitLines {
  /** Hex digits of the id, or more where others begin with them; absent: all. */
  readonly digits?: number;
  /** Subjects behind the ids, in which bytes that are no ASCII are shown as they are where `isUtf8`. */
  readonly subjects?: { readonly isUtf8: boolean };
  readonly terminator: number;
  /** Gets lines, good until it returns. */
  readonly write: (lines: Buffer) => void;
  /** Prints the commit whose subject takes more than copying, with its line's end; only asked for where there are subjects. */
  readonly writeOdd?: (id: ObjectId) => void;
}

export interface CommitWalkOptions {
  readonly firstParent?: boolean;
  readonly maxCount?: number;
  /** Used where it tells enough. */
  readonly graph?: GraphTables | undefined;
  readonly lines?: CommitLines;
  /** `printObjects` will be called. */
  readonly keepsTrees?: boolean;
}

/** As packs number types. */
const commitKind = 1;
const pageBytes = 64 * 1024;
/** What the kernel may read behind what it looks at. */
const readBehindBytes = 64;
/** A larger graph is not used: the commits are read instead. */
const mostGraphBytes = 256 * 1024 * 1024;

// As the kernel says it.
const walkEnded = 0;
const walkPaused = 1;
const walkAtOddLine = 2;
const walkAtDamage = 3;
const walkAtGraphDamage = 4;

export class CommitWalk {
  readonly #store: ObjectStore;
  readonly #cursor: PackCursor;
  readonly #read: (ids: Uint8Array, at: number) => Buffer;
  readonly #page: number;
  #kernel: UnpackExports | undefined;

  /** `read` gives the content of the commit whose raw id is at an address, the careful way, or throws. */
  constructor(store: ObjectStore, cursor: PackCursor, read: (ids: Uint8Array, at: number) => Buffer) {
    this.#store = store;
    this.#cursor = cursor;
    this.#read = read;
    this.#page = cursor.room('page', pageBytes);
  }

  /** How many commits can be reached from the tips; all of them were printed by then. */
  run(tips: readonly ObjectId[], { firstParent = false, maxCount = -1, graph, lines, keepsTrees = false }: CommitWalkOptions): number {
    const store = this.#store;
    const cursor = this.#cursor;
    const kernel = cursor.beginWalk({
      bring: (at, kind) => kernel.setContent(...this.#bring(at, kind)),
      need: (at) => this.#need(this.#idAt(at)),
      digitsOf: (at) => store.abbreviatedDigits(cursor.memory, at, lines?.digits ?? 0),
      hasLoose: (first) => store.hasLooseBeside(first),
    }, firstParent);
    this.#kernel = kernel;
    if (keepsTrees) kernel.keepTrees();
    if (graph !== undefined && graph.bytes.length <= mostGraphBytes && !lines?.subjects) this.#useGraph(kernel, graph);
    const { subjects, digits = 0, terminator = 0 } = lines ?? {};
    if (lines !== undefined) kernel.printLines(Math.min(digits, rawSize(store.format) * 2), subjects ? 1 : 0, subjects?.isUtf8 ? 1 : 0, terminator, store.hasOnePack ? 1 : 0);
    const page = this.#page;
    for (const tip of tips) {
      cursor.memory.write(tip, page, 'hex');
      if (!kernel.addTip(page)) throw this.#damaged(kernel.walkedId());
    }
    let count = 0;
    for (;;) {
      const most = maxCount < 0 ? 0x7fffffff : maxCount - count;
      if (most <= 0) return count;
      let state: number;
      try {
        state = kernel.walk(page, page + pageBytes, most);
      } finally {
        // What came before a commit that is missing is shown.
        lines?.write(cursor.memory.subarray(page, kernel.walkedEnd()));
      }
      count += kernel.walkedCount();
      if (state === walkEnded) return count;
      if (state === walkAtOddLine) lines?.writeOdd?.(this.#idAt(kernel.walkedId()));
      if (state === walkAtGraphDamage) throw new CorruptError('commit-graph is damaged: a parent lies outside of it', { code: 'bad-commit-graph' });
      if (state === walkAtDamage) throw this.#damaged(kernel.walkedId());
    }
  }

  #useGraph(kernel: UnpackExports, { bytes, count, fanOut, ids, data, edges, edgesEnd }: GraphTables): void {
    const cursor = this.#cursor;
    const at = cursor.room('graph', bytes.length + readBehindBytes);
    const numbers = cursor.room('graph numbers', count * 4);
    cursor.memory.set(bytes, at);
    cursor.memory.fill(0, numbers, numbers + count * 4);
    kernel.useGraph(count, at + fanOut, at + ids, at + data, at + edges, at + edgesEnd, numbers);
  }

  /** Prints trees and blobs of the commits that were passed, those not printed before, with their paths. */
  printObjects(write: (lines: Buffer) => void): void {
    const kernel = this.#kernel!;
    const cursor = this.#cursor;
    kernel.beginObjects(rawSize(this.#store.format));
    for (let page = this.#page, room = pageBytes; ;) {
      let state: number;
      try {
        state = kernel.listObjects(page, page + room);
      } finally {
        write(cursor.memory.subarray(page, kernel.listedEnd()));
      }
      if (state === walkEnded) return;
      if (state !== walkPaused) this.#refuse(this.#idAt(kernel.listedId()), state === walkAtDamage);
      if (kernel.listedEnd() > page) continue;
      // A line that long.
      room *= 2;
      page = cursor.room('long page', room);
    }
  }

  /** Gives where the content is; further commits are looked for where it was found. */
  #bring(at: number, kind: number): [number, number] {
    const cursor = this.#cursor;
    if (cursor.find(cursor.memory, at) && cursor.read() && cursor.kind === kind) {
      cursor.walkHere();
      return [cursor.start, cursor.end];
    }
    const bytes = kind === commitKind ? this.#read(cursor.memory, at) : this.#readTree(this.#idAt(at));
    // The kernel has copied what it needs of the one before.
    const to = cursor.room('brought', bytes.length + readBehindBytes);
    cursor.memory.set(bytes, to);
    return [to, to + bytes.length];
  }

  #readTree(id: ObjectId): Buffer {
    const { type, bytes } = this.#store.read(id);
    if (type !== 'tree') throw new CorruptError(`object '${id}' is a ${type}, not a tree`, { code: 'object-wrong-type' });
    return bytes;
  }

  #need(id: ObjectId): void {
    if (!this.#store.has(id)) throw new NotFoundError(`missing blob object '${id}'`, { code: 'object-missing' });
  }

  /** Says what is wrong with a tree. */
  #refuse(id: ObjectId, isDamaged: boolean): void {
    if (!isDamaged) checkTreeDepth(deepestTree + 1, id);
    const bytes = this.#readTree(id);
    const scanner = new TreeScanner(this.#store.format);
    for (let at = 0; at < bytes.length;) at = scanner.scan(bytes, at, bytes.length);
  }

  #idAt(at: number): ObjectId { return decodeObjectId(this.#cursor.memory, at, this.#store.format); }

  #damaged(at: number): CorruptError {
    return new CorruptError(`commit '${this.#idAt(at)}' is damaged`, { code: 'bad-commit' });
  }
}
