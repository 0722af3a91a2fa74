// Reading objects of packs in bulk: windows of the packs are read straight into the memory of the unpack kernel, which makes the
// objects there. Shared by all packs of a store; nothing is allocated per object.
//
// Invariant: memory stays within the budgets given. Nothing is verified against ids here, and what is out of the ordinary (large, deep
// or damaged) is refused without a reason: PackReader has a careful way, and finds the words. When there is no room for another
// window, the one not used for longest goes, roughly: a hand goes round and passes over those used since it last came by.
import { CorruptError, isSystemError } from './errors.js';
import { isHashOf, rawSize } from './oid.js';
import type { ObjectFormat } from './oid.js';
import { hasKernels } from './kernels/kernel.js';
import { UnpackKernel, mostPackBytes, mostPackKeys } from './kernels/unpack-kernel.js';
import type { UnpackExports, WalkSupply } from './kernels/unpack-kernel.js';

export { noRoom, refused } from './kernels/unpack-kernel.js';

/** A pack, as the unpacker wants to see it. */
export interface UnpackSource {
  /** Of the file. */
  readonly sizeBytes: number;
  /** Of a raw id. */
  readonly idSize: number;
  /** Fills `bytes` from `at` on; throws when the file is shorter. */
  readInto(bytes: Buffer, at: number, length: number, offset: number): void;
  /** Offset of the object with this raw id; -1 when it is not here. */
  findOffset(raw: Uint8Array): number;
  /** The whole index where it is of version 2, and how many objects it has. */
  readonly index: { readonly index: Uint8Array | undefined; readonly count: number };
}

/** What is known about a pack while it is in use. */
export interface UnpackPlace {
  readonly source: UnpackSource;
  readonly key: number;
  /** Where the kernel finds, by window number, the addresses of windows, or 0. */
  readonly table: number;
  /** By window number: how often it was asked for without being read. */
  readonly glances: Uint8Array;
  windowsRead: number;
  /** Number of the window read last: who reads on from there gets the next one at once. */
  lastRead: number;
  /** Where the kernel finds the index, 0 when it is not to, undefined before it was needed. */
  indexAt: number | undefined;
}

/** Longer frames are hashed by the runtime, which is quicker once it was asked. */
const mostHashedBytes = 1024;
/** A longer index is not brought into the kernel's memory. */
const mostIndexBytes = 32 * 1024 * 1024;

/** A glance has this much more than was wanted, for what is wanted next lies behind a header. */
const glanceMoreBytes = 704;
/** A window is read when it was asked for this often: objects asked for here and there cost one small read each. */
const glancesBeforeWindow = 4;
/** Once so many were read, the others are at once. */
const windowsBeforeAll = 4;
/** As glancesBeforeWindow where another window has to go for it. */
const glancesBeforeExchange = 128;

export class Unpacker {
  readonly #kernel: UnpackKernel;
  readonly #mostWindows: number;
  readonly #windowBytes: number;
  /** Of a window and what it overlaps the next one by. */
  readonly #spanBytes: number;
  readonly #regionBytes: number;
  /** By slot: where it is, whose window it holds, and which one. */
  readonly #addresses: number[] = [];
  readonly #owners: (UnpackPlace | undefined)[] = [];
  readonly #numbers: number[] = [];
  #hand = 0;
  readonly #glance: number;
  #current: UnpackPlace | undefined;
  #nextKey = 1;
  #result = 0;
  readonly #rooms = new Map<string, { readonly address: number; readonly sizeBytes: number }>();
  #walk: WalkSupply | undefined;

  private constructor(windowsBytes: number, basesBytes: number) {
    const unpacker = this;
    this.#kernel = UnpackKernel.open({
      get walk() { return unpacker.#walk; },
      provide: (offset, wanted) => this.#provide(offset, wanted),
      offsetOf: (address) => {
        const { idSize, findOffset } = this.#current!.source;
        return findOffset(this.#kernel.bytes.subarray(address, address + idSize));
      },
    }, basesBytes)!;
    const { exports } = this.#kernel;
    this.#windowBytes = exports.windowSize();
    this.#spanBytes = this.#windowBytes + exports.overlapSize();
    this.#regionBytes = exports.windowRegionSize();
    this.#mostWindows = Math.max(4, Math.floor(windowsBytes / this.#regionBytes));
    this.#glance = this.#kernel.reserve(this.#regionBytes - this.#windowBytes + glanceMoreBytes);
  }

  /** Budgets in bytes for windows and for bases of deltas; undefined where there are no kernels. */
  static open(windowsBytes: number, basesBytes: number): Unpacker | undefined {
    return hasKernels() ? new Unpacker(windowsBytes, basesBytes) : undefined;
  }

  /** Takes a pack in; undefined when it is larger than can be handled. */
  enrol(source: UnpackSource): UnpackPlace | undefined {
    const { sizeBytes } = source;
    if (sizeBytes >= mostPackBytes || this.#nextKey >= mostPackKeys) return undefined;
    const windows = Math.ceil(sizeBytes / this.#windowBytes);
    const table = this.#kernel.reserve(windows * 4);
    this.#kernel.bytes.fill(0, table, table + windows * 4);
    const place = { source, key: this.#nextKey, table, glances: new Uint8Array(windows), windowsRead: 0, lastRead: -1, indexAt: undefined };
    this.#nextKey += 1;
    return place;
  }

  /** Forgets a pack; its place cannot be used any more. */
  release(place: UnpackPlace): void {
    for (let slot = 0; slot < this.#owners.length; slot += 1) if (this.#owners[slot] === place) this.#owners[slot] = undefined;
    if (this.#current !== place) return;
    this.#current = undefined;
    // A walk would go on looking there.
    this.#kernel.exports.useIndex(0, 0);
  }

  /** The kernel's memory as it is now: growing it, which any call here may do, makes former views useless. */
  get bytes(): Buffer { return this.#kernel.bytes; }

  /** The address of a new region that is the caller's for good. */
  reserve(sizeBytes: number): number { return this.#kernel.reserve(sizeBytes); }

  /** A region of at least that size, the same for everyone who names the purpose; what was there before may be overwritten. */
  room(purpose: string, sizeBytes: number): number {
    const known = this.#rooms.get(purpose);
    if (known !== undefined && known.sizeBytes >= sizeBytes) return known.address;
    const room = Math.max(sizeBytes, 2 * (known?.sizeBytes ?? 0));
    const address = this.#kernel.reserve(room);
    this.#rooms.set(purpose, { address, sizeBytes: room });
    return address;
  }

  /** A region for one result of any size, shared by all who use what they read at once. */
  get resultAt(): number { return this.#result ||= this.#kernel.reserve(this.frameBytes); }

  /** Room that is enough for any result. */
  get frameBytes(): number { return this.#kernel.frameBytes; }

  /**
   * Puts the object at `offset`, framed as it is hashed, to an address: its length, `refused`, or `noRoom` when it might not fit before
   * `limit`. Afterwards `kind` and `contentSize` tell about it.
   */
  read(place: UnpackPlace, offset: number, to: number, limit: number): number {
    this.#use(place);
    return this.#kernel.exports.read(offset, to, limit);
  }

  /** As `read`, but perhaps only the first `most` bytes of the content, which is not checked against its checksum then. */
  readHead(place: UnpackPlace, offset: number, to: number, limit: number, most: number): number {
    this.#use(place);
    return this.#kernel.exports.readHead(offset, to, limit, most);
  }

  /** True when the frame that `read` just put to an address hashes to the raw id at `idAt`; what lies behind it is overwritten. */
  isFrameOf(ids: Uint8Array, idAt: number, format: ObjectFormat, at: number, length: number): boolean {
    const { bytes, exports } = this.#kernel;
    if (length > mostHashedBytes) return isHashOf(ids, idAt, bytes.subarray(at, at + length), format);
    const size = rawSize(format);
    const to = exports.checkedIdAt();
    for (let byte = 0; byte < size; byte += 1) bytes[to + byte] = ids[idAt + byte]!;
    return exports.isFrameOf(size, at, length) !== 0;
  }

  /** Size of the object at `offset`, its type is `kind`; `refused` when that cannot be told. */
  describe(place: UnpackPlace, offset: number): number {
    this.#use(place);
    return this.#kernel.exports.describe(offset);
  }

  /** What lines are made of from here on: bytes as they are, 1 for the id, 2 for the type, 3 for the size. */
  useTemplate(template: Uint8Array): void {
    const at = this.#kernel.reserve(template.length);
    this.#kernel.bytes.set(template, at);
    const count = (part: number): number => template.filter((byte) => byte === part).length;
    this.#kernel.exports.useTemplate(at, template.length, count(1), count(2) + count(3));
  }

  /**
   * Writes lines for ids in a text that lies in the memory, see `describeLines` of the kernel: the address of the first one that was not
   * answered for; `describedEnd` is where the lines end.
   */
  describeLines(place: UnpackPlace, text: number, end: number, terminator: number, to: number, limit: number): number {
    this.#use(place);
    this.#useIndex(place);
    return this.#kernel.exports.describeLines(text, end, terminator, to, limit);
  }

  /** Writes lines for the objects from one position to another: the first one not answered for. */
  describeRange(place: UnpackPlace, from: number, until: number, to: number, limit: number): number {
    this.#use(place);
    this.#useIndex(place);
    return this.#kernel.exports.describeRange(from, until, to, limit);
  }

  get describedEnd(): number { return this.#kernel.exports.describedEnd(); }

  /** Has a walk look for commits in a pack first. */
  walkIn(place: UnpackPlace): void {
    this.#use(place);
    this.#useIndex(place);
  }

  /** The kernel for a walk over commits with ids of so many bytes, which ends when the next one begins. */
  beginWalk(supply: WalkSupply, idSize: number, firstParentOnly: boolean): UnpackExports {
    this.#walk = supply;
    this.#kernel.exports.beginWalk(idSize, firstParentOnly ? 1 : 0, Math.floor(Math.random() * 2 ** 32));
    return this.#kernel.exports;
  }

  #useIndex(place: UnpackPlace): void {
    const { index, count } = place.source.index;
    if (place.indexAt === undefined) {
      place.indexAt = index === undefined || index.length > mostIndexBytes ? 0 : this.#kernel.reserve(index.length);
      if (place.indexAt !== 0) this.#kernel.bytes.set(index!, place.indexAt);
    }
    this.#kernel.exports.useIndex(place.indexAt, count);
  }

  /** Of the object read or described last: 1 to 4, as packs number types. */
  get kind(): number { return this.#kernel.exports.kind(); }

  /** Bytes of content the last read made; they are the last of the frame. */
  get contentSize(): number { return this.#kernel.exports.contentSize(); }

  #use(place: UnpackPlace): void {
    if (place === this.#current) return;
    this.#kernel.exports.use(place.key, place.source.sizeBytes - place.source.idSize, place.source.idSize, place.table);
    this.#current = place;
  }

  #provide(offset: number, wanted: number): void {
    const place = this.#current!;
    // Until the bytes are there the kernel's view of the pack is not to be relied on.
    this.#current = undefined;
    const number = Math.floor(offset / this.#windowBytes);
    try {
      if (this.#isWorthReading(place, number)) this.#readWindow(place, number);
      else this.#glanceAt(place, offset, wanted);
    } catch (error) {
      // The pack was cut short or is gone. The kernel refuses then, and the careful way says so.
      if (!(error instanceof CorruptError) && !isSystemError(error, 'ENOENT', 'ESTALE')) throw error;
      this.#kernel.exports.setView(offset, this.#glance, 0);
    }
    this.#current = place;
  }

  #glanceAt(place: UnpackPlace, offset: number, wanted: number): void {
    const length = Math.min(wanted + glanceMoreBytes, place.source.sizeBytes - offset);
    place.source.readInto(this.#kernel.bytes, this.#glance, length, offset);
    this.#kernel.exports.setView(offset, this.#glance, length);
  }

  #isWorthReading(place: UnpackPlace, number: number): boolean {
    if (number === place.lastRead + 1 && number > 0) return true;
    const count = place.glances[number]! + 1;
    const isRoomy = this.#addresses.length < this.#mostWindows;
    // Where so much of a pack was wanted, and it fits, the rest will be, too.
    const isEnough = isRoomy ? count >= glancesBeforeWindow || (place.windowsRead >= windowsBeforeAll && place.glances.length <= this.#mostWindows) : count >= glancesBeforeExchange;
    place.glances[number] = isEnough ? 0 : count;
    return isEnough;
  }

  #readWindow(place: UnpackPlace, number: number): void {
    const slot = this.#emptySlot();
    const address = this.#addresses[slot]!;
    const start = number * this.#windowBytes;
    const length = Math.min(this.#spanBytes, place.source.sizeBytes - start);
    place.source.readInto(this.#kernel.bytes, address, length, start);
    this.#owners[slot] = place;
    this.#numbers[slot] = number;
    this.#kernel.bytes[address + this.#regionBytes - 1] = 1;
    this.#kernel.bytes.writeUInt32LE(address, place.table + number * 4);
    place.lastRead = number;
    place.windowsRead += 1;
    this.#kernel.exports.setView(start, address, length);
  }

  /** A slot that holds nothing, and that no table names. */
  #emptySlot(): number {
    if (this.#addresses.length < this.#mostWindows) {
      this.#owners.push(undefined);
      this.#numbers.push(0);
      return this.#addresses.push(this.#kernel.reserve(this.#regionBytes)) - 1;
    }
    const { bytes } = this.#kernel;
    for (;;) {
      const slot = this.#hand;
      this.#hand = (slot + 1) % this.#mostWindows;
      const owner = this.#owners[slot];
      const usedAt = this.#addresses[slot]! + this.#regionBytes - 1;
      if (owner === undefined) return slot;
      if (bytes[usedAt] === 0) {
        bytes.writeUInt32LE(0, owner.table + this.#numbers[slot]! * 4);
        this.#owners[slot] = undefined;
        return slot;
      }
      bytes[usedAt] = 0;
    }
  }
}
