// What is in a pack that has no index: every object's id, type, size, place and checksum, deltas resolved (gitformat-pack(5)).
//
// The pack is read once from its first byte to its last. A delta whose base is still at hand is resolved on the spot, which is nearly
// every one in a pack as git writes them; the others wait until the end, and are resolved family by family, small families first, so
// that few contents are held at a time. Each object is handed to `onObject` once, when its id is known.
//
// The bytes are untrusted: whatever is wrong is a CorruptError. Memory is a few dozen bytes for each entry that was really there (the
// count in the header is believed by nobody), the caches, and the contents of one delta and its base. Nothing is written.
import { BaseCache, KeptList } from './base-cache.js';
import { CollisionGuard } from './collision-guard.js';
import { applyDelta, applyDeltaInPieces, readDeltaSizes } from './delta.js';
import { CorruptError, RefusedError } from './errors.js';
import { streamThresholdBytes } from './object.js';
import type { GitObject } from './object.js';
import { decodeObjectId, encodeObjectIdInto, hashObject, hashPieces, rawSize } from './oid.js';
import type { ObjectFormat, ObjectId, ObjectType } from './oid.js';
import { encodePackIndex } from './pack-index.js';
import type { PackStream, PackStreamEntry } from './pack-stream.js';
import { Inflater, inflateInto } from './zlib.js';

/** One object of the pack, or one added to complete it. */
export interface IndexedObject {
  /** Of its entry: 0 for the first in the pack. */
  readonly number: number;
  readonly id: ObjectId;
  readonly type: ObjectType;
  readonly sizeBytes: number;
  /** The content, valid only during the call; undefined when it is too large to hold (a blob, most likely). */
  readonly bytes: Buffer | undefined;
}

/** An object the pack lacked, with the entry it was given at the pack's end. */
export interface AddedBase {
  readonly object: GitObject;
  readonly offset: number;
  readonly dataOffset: number;
  readonly end: number;
  readonly crc32: number;
}

export interface PackIndexerOptions {
  /** Reads again what the stream has passed: `lengthBytes` from `offset` of the pack on. */
  readonly readAgain: (offset: number, lengthBytes: number) => Buffer;
  readonly onObject?: (object: IndexedObject) => void;
  /** Contents come from elsewhere: one that was made to collide with another is refused. */
  readonly isUntrusted?: boolean;
  /** Contents and deltas kept for what builds on them, each up to so much; less than usual for who knows that bases are near. */
  readonly keptBytes?: number;
  /** Completes a thin pack: undefined when that object is not to be had either. */
  readonly addBase?: (id: ObjectId) => AddedBase | undefined;
}

const types: readonly ObjectType[] = ['commit', 'tree', 'blob', 'tag'];
const cacheBytes = 96 * 1024 * 1024;
/** Deltas that wait for their base are kept up to this much, and read again beyond. */
const mostWaitingBytes = 64 * 1024 * 1024;
/** Contents that still have deltas waiting, beyond which the one used longest ago is dropped and made again later. */
const mostPendingBytes = 96 * 1024 * 1024;
/** Deltas, their bases and what they make: git makes none of files larger than this (core.bigFileThreshold). */
const mostDeltaBytes = 512 * 1024 * 1024;
const pieceBytes = 1024 * 1024;
const noBase = -1;
const baseNotThere = -2;

/** A content whose deltas are being resolved. */
interface Family {
  readonly number: number;
  bytes: Buffer | undefined;
  /** The largest family last. */
  readonly members: readonly number[];
  next: number;
}

export class PackIndexer {
  readonly #format: ObjectFormat;
  readonly #options: PackIndexerOptions;
  readonly #idSize: number;
  readonly #guard: CollisionGuard | undefined;
  #count = 0;
  /** By entry number. */
  #ids = Buffer.alloc(0);
  #offsets = new Float64Array(0);
  #dataOffsets = new Float64Array(0);
  /** Of what inflates: the object, or the delta. */
  #storedSizes = new Float64Array(0);
  #sizes = new Float64Array(0);
  #crcs = new Uint32Array(0);
  /** 0 until the id is known, then 1 to 4 as packs number types. */
  #types = new Uint8Array(0);
  #bases = new Int32Array(0);
  /** Deltas that wait, by entry number of their base: the first one, and for each the next one. */
  #firstWaiting = new Int32Array(0);
  #nextWaiting = new Int32Array(0);
  readonly #waitingForId = new Map<ObjectId, number[]>();
  readonly #cache: BaseCache;
  readonly #kept = new KeptList();
  readonly #scratch = Buffer.allocUnsafeSlow(256 * 1024);
  readonly #deltas = new Map<number, Buffer>();
  #deltaBytes = 0;
  #unresolved = 0;
  /** Where the last entry ends. */
  #entriesEnd = 0;
  #sizesOfFamilies: Int32Array<ArrayBuffer> | undefined;

  constructor(format: ObjectFormat, options: PackIndexerOptions) {
    this.#format = format;
    this.#options = options;
    this.#idSize = rawSize(format);
    this.#cache = new BaseCache(options.keptBytes ?? cacheBytes);
    this.#guard = options.isUntrusted && format === 'sha1' ? new CollisionGuard() : undefined;
  }

  /** Objects in the pack, including those added. */
  get count(): number { return this.#count; }

  /** Deltas without a base when `read` ended: their ids are not known. */
  get unresolved(): number { return this.#unresolved; }

  /** Reads the whole pack; CorruptError at the first thing that is wrong. Afterwards some deltas may be `unresolved`. */
  read(stream: PackStream): void {
    for (const _step of this.reading(stream)) continue;
  }

  /** The same in steps, for who has to see to other things meanwhile. */
  *reading(stream: PackStream): Generator<void> {
    try {
      yield* this.#readAll(stream);
    } finally {
      this.#guard?.finish();
    }
  }

  *#readAll(stream: PackStream): Generator<void> {
    for (const entry of stream.entries()) {
      this.#take(entry);
      yield;
    }
    this.#entriesEnd = stream.offset - this.#idSize;
    if (this.#unresolved === 0) return;
    this.#attachWaiting();
    const withFamily = this.#count;
    for (let number = 0; number < withFamily; number += 1) {
      if (this.#types[number] !== 0) this.#resolveFamily(number, undefined);
      yield;
    }
    if (this.#unresolved > 0 && this.#options.addBase !== undefined) this.#completeThin(this.#options.addBase);
  }

  idAt(number: number): ObjectId { return decodeObjectId(this.#ids, number * this.#idSize, this.#format); }
  offsetAt(number: number): number { return this.#offsets[number]!; }
  typeAt(number: number): ObjectType { return types[this.#types[number]! - 1]!; }
  sizeAt(number: number): number { return this.#sizes[number]!; }
  /** Of what the entry inflates to: the object, or the delta. */
  inflatedBytesAt(number: number): number { return this.#storedSizes[number]!; }
  /** Entry number of a delta's base; undefined for an object stored whole. */
  baseAt(number: number): number | undefined { return this.#bases[number]! < 0 ? undefined : this.#bases[number]; }
  /** What the entry takes in the pack. */
  storedBytesAt(number: number): number { return this.#endOf(number) - this.#offsets[number]!; }

  /** False for a delta whose base is missing, or came after what was damaged. */
  isResolvedAt(number: number): boolean { return this.#types[number] !== 0; }

  /** The content of a resolved object, read again: large ones in pieces, unless they are deltas. */
  *contentChunks(number: number): Generator<Buffer> {
    if (this.#bases[number]! >= 0 || this.#sizes[number]! < streamThresholdBytes) {
      yield this.#rebuild(number);
      return;
    }
    const inflater = new Inflater();
    try {
      for (let at = this.#dataOffsets[number]!; !inflater.finished; at += pieceBytes) {
        yield* inflater.push(this.#options.readAgain(at, Math.min(pieceBytes, this.#endOf(number) - at)));
      }
    } finally {
      inflater.close();
    }
  }

  /** The bytes of the pack's index; see `encodePackIndex`. */
  encodeIndex(packChecksum: Uint8Array, version?: 1 | 2, largeAbove?: number): Buffer {
    const count = this.#count;
    return encodePackIndex({
      ids: this.#ids.subarray(0, count * this.#idSize), offsets: this.#offsets.subarray(0, count), crcs: this.#crcs.subarray(0, count), packChecksum,
    }, this.#format, version, largeAbove);
  }

  #take(entry: PackStreamEntry): void {
    const { what } = entry;
    const number = this.#addEntry(entry.offset, entry.dataOffset, entry.sizeBytes);
    if (what.kind === 'object') {
      this.#takeWhole(number, entry, what.type);
    } else if (what.kind === 'offset-delta') {
      const base = this.#entryAt(what.baseOffset);
      if (base < 0) throw damaged(`the delta at byte ${entry.offset} has no object for a base`);
      this.#bases[number] = base;
      if (!this.#resolveAtOnce(number, entry, base)) this.#wait(number, entry);
    } else {
      this.#bases[number] = baseNotThere;
      const others = this.#waitingForId.get(what.baseId);
      if (others === undefined) this.#waitingForId.set(what.baseId, [number]);
      else others.push(number);
      this.#wait(number, entry);
    }
    this.#crcs[number] = entry.crc32;
  }

  #takeWhole(number: number, entry: PackStreamEntry, type: ObjectType): void {
    if (entry.sizeBytes < streamThresholdBytes) {
      const bytes = entry.read(this.#reserve);
      this.#resolved(number, type, bytes);
      this.#cache.keep(this.#kept, number, type, bytes);
      return;
    }
    this.#record(number, this.#hash(type, entry.sizeBytes, entry.chunks()), type, entry.sizeBytes, undefined);
  }

  readonly #reserve = (sizeBytes: number): Buffer => this.#cache.reserve(sizeBytes);

  /** True when the base was at hand. */
  #resolveAtOnce(number: number, entry: PackStreamEntry, base: number): boolean {
    if (this.#types[base] === 0 || entry.sizeBytes > this.#scratch.length) return false;
    const found = this.#cache.find(this.#kept, base);
    if (found === undefined) return false;
    const delta = entry.read((sizeBytes) => this.#scratch.subarray(0, sizeBytes));
    const { resultBytes } = readDeltaSizes(delta);
    if (resultBytes > streamThresholdBytes) {
      this.#keepDelta(number, Buffer.from(delta));
      return false;
    }
    const bytes = this.#named(number, () => applyDelta(found.bytes, delta, this.#reserve));
    this.#resolved(number, found.type, bytes);
    this.#cache.keep(this.#kept, number, found.type, bytes);
    return true;
  }

  #wait(number: number, entry: PackStreamEntry): void {
    this.#unresolved += 1;
    if (this.#deltas.has(number)) return;
    if (entry.isSmall && this.#deltaBytes + entry.sizeBytes <= mostWaitingBytes) this.#keepDelta(number, entry.read());
    else entry.finish();
  }

  #keepDelta(number: number, delta: Buffer): void {
    this.#deltas.set(number, delta);
    this.#deltaBytes += delta.length;
  }

  #takeDelta(number: number): Buffer {
    const kept = this.#deltas.get(number);
    if (kept === undefined) return this.#readStored(number);
    this.#deltas.delete(number);
    this.#deltaBytes -= kept.length;
    return kept;
  }

  #addEntry(offset: number, dataOffset: number, storedBytes: number): number {
    const number = this.#count;
    if (number === this.#offsets.length) this.#grow();
    this.#count += 1;
    this.#offsets[number] = offset;
    this.#dataOffsets[number] = dataOffset;
    this.#storedSizes[number] = storedBytes;
    this.#bases[number] = noBase;
    return number;
  }

  #grow(): void {
    const room = Math.max(1024, this.#offsets.length * 2);
    const grown = <Column extends Float64Array | Uint32Array | Int32Array | Uint8Array>(column: Column, larger: Column): Column => {
      larger.set(column);
      return larger;
    };
    this.#ids = grown(this.#ids, Buffer.alloc(room * this.#idSize));
    this.#offsets = grown(this.#offsets, new Float64Array(room));
    this.#dataOffsets = grown(this.#dataOffsets, new Float64Array(room));
    this.#storedSizes = grown(this.#storedSizes, new Float64Array(room));
    this.#sizes = grown(this.#sizes, new Float64Array(room));
    this.#crcs = grown(this.#crcs, new Uint32Array(room));
    this.#types = grown(this.#types, new Uint8Array(room));
    this.#bases = grown(this.#bases, new Int32Array(room));
  }

  /** The entry that begins at an offset; -1 when none does. */
  #entryAt(offset: number): number {
    let low = 0;
    let high = this.#count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#offsets[middle]! < offset) low = middle + 1;
      else high = middle;
    }
    return low < this.#count && this.#offsets[low] === offset ? low : -1;
  }

  #resolved(number: number, type: ObjectType, bytes: Buffer): ObjectId {
    const id = hashObject(type, bytes, this.#format);
    this.#guard?.look(id, type, bytes);
    this.#record(number, id, type, bytes.length, bytes);
    return id;
  }

  #hash(type: ObjectType, sizeBytes: number, pieces: Iterable<Buffer>): ObjectId {
    return hashPieces(type, sizeBytes, this.#guard?.passing(type, sizeBytes, pieces) ?? pieces, this.#format);
  }

  #record(number: number, id: ObjectId, type: ObjectType, sizeBytes: number, bytes: Buffer | undefined): void {
    const at = number * this.#idSize;
    encodeObjectIdInto(this.#ids.subarray(at, at + this.#idSize), id);
    this.#types[number] = types.indexOf(type) + 1;
    this.#sizes[number] = sizeBytes;
    this.#options.onObject?.({ number, id, type, sizeBytes, bytes });
  }

  /** Puts every delta that waits in the list of its base. */
  #attachWaiting(): void {
    this.#firstWaiting = new Int32Array(this.#count).fill(-1);
    this.#nextWaiting = new Int32Array(this.#count).fill(-1);
    for (let number = this.#count - 1; number >= 0; number -= 1) {
      if (this.#types[number] === 0 && this.#bases[number]! >= 0) this.#attach(number, this.#bases[number]!);
    }
    if (this.#waitingForId.size === 0) return;
    for (let number = 0; number < this.#count; number += 1) if (this.#types[number] !== 0) this.#attachWaitingForId(number);
  }

  #attach(number: number, base: number): void {
    this.#bases[number] = base;
    this.#nextWaiting[number] = this.#firstWaiting[base]!;
    this.#firstWaiting[base] = number;
  }

  #attachWaitingForId(base: number): void {
    if (this.#waitingForId.size === 0) return;
    const id = this.idAt(base);
    for (const number of this.#waitingForId.get(id) ?? []) this.#attach(number, base);
    this.#waitingForId.delete(id);
  }

  /** How many deltas wait for each, or for what will be made of it, as far as that is known. */
  #familySizes(): Int32Array<ArrayBuffer> {
    const sizes = new Int32Array(this.#count);
    for (let number = this.#count - 1; number >= 0; number -= 1) {
      const base = this.#bases[number]!;
      if (this.#types[number] === 0 && base >= 0 && base < number) sizes[base]! += sizes[number]! + 1;
    }
    return sizes;
  }

  #familyOf(number: number, bytes: Buffer | undefined): Family {
    this.#sizesOfFamilies ??= this.#familySizes();
    const sizes = this.#sizesOfFamilies;
    const members: number[] = [];
    for (let member = this.#firstWaiting[number]!; member >= 0; member = this.#nextWaiting[member]!) members.push(member);
    this.#firstWaiting[number] = -1;
    members.sort((a, b) => sizes[a]! - sizes[b]! || a - b);
    return { number, bytes, members, next: 0 };
  }

  /** Resolves all that wait for an object, and for what is made of it: the one with the largest family of its own last, when the base is no longer needed. */
  #resolveFamily(root: number, content: Buffer | undefined): void {
    if (this.#firstWaiting[root]! < 0) return;
    const pending = new PendingFamilies();
    pending.push(this.#familyOf(root, content));
    for (let family = pending.top; family !== undefined; family = pending.top) {
      const base = family.bytes ?? pending.hold(this.#rebuild(family.number));
      const member = family.members[family.next]!;
      family.next += 1;
      if (family.next === family.members.length) pending.pop();
      this.#unresolved -= 1;
      const bytes = this.#resolveMember(member, this.typeAt(family.number), base);
      this.#attachWaitingForId(member);
      if (this.#firstWaiting[member]! < 0) continue;
      pending.push(this.#familyOf(member, bytes));
    }
  }

  /** The content, unless it is too large to hold and nothing is known to stand on it: then it is only hashed. */
  #resolveMember(member: number, type: ObjectType, base: Buffer): Buffer | undefined {
    const delta = this.#takeDelta(member);
    const { resultBytes } = this.#named(member, () => readDeltaSizes(delta));
    checkSize(resultBytes, this.#offsets[member]!);
    const isLast = this.#firstWaiting[member]! < 0 && this.#waitingForId.size === 0;
    if (resultBytes > streamThresholdBytes && isLast) {
      const id = this.#named(member, () => this.#hash(type, resultBytes, applyDeltaInPieces(base, delta)));
      this.#record(member, id, type, resultBytes, undefined);
      return undefined;
    }
    const bytes = this.#apply(member, base, delta);
    this.#resolved(member, type, bytes);
    return bytes;
  }

  #apply(number: number, base: Buffer, delta = this.#takeDelta(number)): Buffer {
    return this.#named(number, () => {
      checkSize(readDeltaSizes(delta).resultBytes, this.#offsets[number]!);
      return applyDelta(base, delta);
    });
  }

  /** The content of an object whose id is known, made again from what the pack holds. */
  #rebuild(number: number): Buffer {
    const chain: number[] = [];
    let at = number;
    let bytes: Buffer | undefined;
    for (; bytes === undefined; at = this.#bases[at]!) {
      const kept = this.#cache.find(this.#kept, at);
      if (kept !== undefined) bytes = Buffer.from(kept.bytes);
      else if (this.#bases[at]! < 0) bytes = this.#readStored(at);
      else chain.push(at);
    }
    for (let link = chain.length - 1; link >= 0; link -= 1) {
      bytes = this.#apply(chain[link]!, bytes);
      this.#keepCopy(chain[link]!, bytes);
    }
    return bytes;
  }

  /** So that whoever goes through a long chain applies each of its deltas once. */
  #keepCopy(number: number, bytes: Buffer): void {
    const copy = this.#reserve(bytes.length);
    copy.set(bytes);
    this.#cache.keep(this.#kept, number, this.typeAt(number), copy);
  }

  /** What an entry inflates to, read again. */
  #readStored(number: number): Buffer {
    const sizeBytes = this.#storedSizes[number]!;
    checkSize(sizeBytes, this.#offsets[number]!);
    const start = this.#dataOffsets[number]!;
    const stored = this.#options.readAgain(start, this.#endOf(number) - start);
    const content = Buffer.allocUnsafe(sizeBytes);
    this.#named(number, () => inflateInto(stored, 0, content));
    return content;
  }

  #endOf(number: number): number {
    return number + 1 < this.#count ? this.#offsets[number + 1]! : this.#entriesEnd;
  }

  /** Adds the bases that are not in the pack, in the order in which they are first needed. */
  #completeThin(addBase: (id: ObjectId) => AddedBase | undefined): void {
    const wanted = [...this.#waitingForId].map(([id, numbers]) => ({ id, first: numbers[0]! })).sort((a, b) => a.first - b.first);
    for (const { id } of wanted) {
      if (!this.#waitingForId.has(id)) continue;
      const added = addBase(id);
      if (added === undefined) continue;
      this.#addBaseEntry(id, added);
    }
  }

  #addBaseEntry(id: ObjectId, { object, offset, dataOffset, end, crc32 }: AddedBase): void {
    const number = this.#addEntry(offset, dataOffset, object.bytes.length);
    this.#crcs[number] = crc32;
    this.#entriesEnd = end;
    this.#firstWaiting = withRoom(this.#firstWaiting, number);
    this.#nextWaiting = withRoom(this.#nextWaiting, number);
    this.#sizesOfFamilies = withRoom(this.#sizesOfFamilies ?? this.#familySizes(), number);
    this.#record(number, id, object.type, object.bytes.length, object.bytes);
    this.#attachWaitingForId(number);
    this.#resolveFamily(number, object.bytes);
  }

  #named<Value>(number: number, action: () => Value): Value {
    try {
      return action();
    } catch (error) {
      if (!(error instanceof CorruptError)) throw error;
      throw damaged(`the object at byte ${this.#offsets[number]}: ${error.message}`, error);
    }
  }
}

/** Families being resolved, each begun within the one below. When their contents take too much, those at the bottom are forgotten. */
class PendingFamilies {
  readonly #families: Family[] = [];
  #heldBytes = 0;
  /** Those below hold nothing. */
  #firstHeld = 0;

  get top(): Family | undefined { return this.#families.at(-1); }

  push(family: Family): void {
    this.#families.push(family);
    this.#heldBytes += family.bytes?.length ?? 0;
    for (; this.#heldBytes > mostPendingBytes && this.#firstHeld < this.#families.length - 1; this.#firstHeld += 1) {
      const lowest = this.#families[this.#firstHeld]!;
      this.#heldBytes -= lowest.bytes?.length ?? 0;
      lowest.bytes = undefined;
    }
  }

  /** Gives the topmost its content back. */
  hold(bytes: Buffer): Buffer {
    this.top!.bytes = bytes;
    this.#heldBytes += bytes.length;
    this.#firstHeld = Math.min(this.#firstHeld, this.#families.length - 1);
    return bytes;
  }

  pop(): void {
    this.#heldBytes -= this.#families.pop()?.bytes?.length ?? 0;
    this.#firstHeld = Math.min(this.#firstHeld, this.#families.length);
  }
}

function checkSize(sizeBytes: number, offset: number): void {
  if (sizeBytes <= mostDeltaBytes) return;
  throw new RefusedError(`the delta at byte ${offset} of the pack needs ${sizeBytes} bytes of memory at once`, { code: 'pack-too-demanding' });
}

function withRoom(column: Int32Array<ArrayBuffer>, number: number): Int32Array<ArrayBuffer> {
  if (number < column.length) return column;
  const larger = new Int32Array(Math.max(number + 1, column.length * 2)).fill(-1);
  larger.set(column);
  return larger;
}

function damaged(what: string, cause?: unknown): CorruptError {
  return new CorruptError(`pack is damaged: ${what}`, { code: 'bad-pack', cause });
}
