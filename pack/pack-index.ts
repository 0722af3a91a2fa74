// The index of a pack: which object is where (gitformat-pack(5), "pack-*.idx files"), versions 1 and 2, both hashes.
//
// The bytes are untrusted: sizes and the fan-out are checked when opened, offsets when asked for. The checksum over the whole
// is not, for that would cost more than most lookups: objects are verified when read, and fsck checks it (`hasValidChecksum`).
// Kept as one Buffer; a lookup allocates nothing. Positions are those of the sorted ids, 0 to count - 1.
import { CorruptError, InvalidError } from './errors.js';
import { encodeFanOut, orderIds } from './id-order.js';
import { Hasher, decodeObjectId, digest, rawSize } from './oid.js';
import type { ObjectFormat, ObjectId } from './oid.js';

const magic = 0xff744f63;
const fanOutBytes = 256 * 4;

export class PackIndex {
  readonly version: 1 | 2;
  readonly count: number;
  readonly #bytes: Buffer;
  readonly #format: ObjectFormat;
  readonly #idSize: number;
  readonly #fanOutAt: number;
  /** Where the first id is, and how far apart they are. */
  readonly #idsAt: number;
  readonly #idStride: number;
  readonly #offsetsAt: number;
  readonly #largeAt: number;
  readonly #largeCount: number;
  #byOffset: Uint32Array | undefined;
  /** How often the offsets were looked through one by one. */
  #scans = 0;

  private constructor(bytes: Buffer, format: ObjectFormat) {
    this.#bytes = bytes;
    this.#format = format;
    const idSize = rawSize(format);
    this.#idSize = idSize;
    const headed = bytes.length >= 8 && bytes.readUInt32BE(0) === magic;
    if (headed && bytes.readUInt32BE(4) !== 2) throw damaged(`version ${bytes.readUInt32BE(4)} is not known`);
    this.version = headed ? 2 : 1;
    this.#fanOutAt = headed ? 8 : 0;
    const tableAt = this.#fanOutAt + fanOutBytes;
    if (bytes.length < tableAt + 2 * idSize) throw damaged('it is too short');
    this.count = this.#checkedFanOut();
    const tail = bytes.length - 2 * idSize - tableAt;
    if (headed) {
      this.#idStride = idSize;
      this.#idsAt = tableAt;
      this.#offsetsAt = tableAt + this.count * (idSize + 4);
      this.#largeAt = this.#offsetsAt + this.count * 4;
      const largeBytes = tail - this.count * (idSize + 8);
      this.#largeCount = largeBytes / 8;
      if (largeBytes < 0 || largeBytes % 8 !== 0 || this.#largeCount > this.count) throw damaged('its size does not fit its count');
    } else {
      this.#idStride = idSize + 4;
      this.#idsAt = tableAt + 4;
      this.#offsetsAt = tableAt;
      this.#largeAt = 0;
      this.#largeCount = 0;
      if (tail !== this.count * this.#idStride) throw damaged('its size does not fit its count');
    }
  }

  /** Checks the structure; CorruptError names what is wrong. `bytes` must not change afterwards. */
  static decode(bytes: Buffer, format: ObjectFormat): PackIndex {
    return new PackIndex(bytes, format);
  }

  #checkedFanOut(): number {
    let former = 0;
    for (let byte = 0; byte < 256; byte += 1) {
      const here = this.#bytes.readUInt32BE(this.#fanOutAt + byte * 4);
      if (here < former) throw damaged('its fan-out is not monotonic');
      former = here;
    }
    return former;
  }

  /** Of the file. */
  get sizeBytes(): number { return this.#bytes.length; }

  /** First position of ids beginning with `byte` or more; of 256: how many there are. */
  fanOut(byte: number): number {
    return byte === 0 ? 0 : this.#bytes.readUInt32BE(this.#fanOutAt + (byte - 1) * 4);
  }

  /** The position of the id whose raw bytes are at the start of `raw`; -1 when it is not here. */
  position(raw: Uint8Array): number {
    const first = raw[0]!;
    let low = this.fanOut(first);
    let high = this.#bytes.readUInt32BE(this.#fanOutAt + first * 4);
    // Ids are spread evenly: the first guess is mostly a few entries away, and each further one halves what is left at least.
    const share = (raw[1]! * 65536 + raw[2]! * 256 + raw[3]!) / 16777216;
    let middle = low + Math.floor((high - low) * share);
    let reach = 8;
    while (low < high) {
      const order = this.#compare(middle, raw, this.#idSize);
      if (order === 0) return middle;
      if (order < 0) {
        low = middle + 1;
        middle = low + reach < high ? low + reach : (low + high) >>> 1;
      } else {
        high = middle;
        middle = high - reach > low ? high - reach : (low + high) >>> 1;
      }
      reach *= 4;
    }
    return -1;
  }

  /** First position whose id is at least `raw` (of any length); count when all are less. */
  lowerBound(raw: Uint8Array): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#compare(middle, raw, raw.length) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** How many leading hex digits an id has in common with the nearest other ids here. */
  sharedDigits(raw: Uint8Array): number {
    const found = this.position(raw);
    const after = found < 0 ? this.lowerBound(raw) : found + 1;
    const before = (found < 0 ? after : found) - 1;
    return Math.max(before < 0 ? 0 : this.#sharedWith(before, raw), after >= this.count ? 0 : this.#sharedWith(after, raw));
  }

  #sharedWith(position: number, raw: Uint8Array): number {
    const at = this.#idsAt + position * this.#idStride;
    for (let byte = 0; byte < this.#idSize; byte += 1) {
      const difference = this.#bytes[at + byte]! ^ raw[byte]!;
      if (difference !== 0) return byte * 2 + (difference < 16 ? 1 : 0);
    }
    return this.#idSize * 2;
  }

  #compare(position: number, raw: Uint8Array, length: number): number {
    const bytes = this.#bytes;
    const at = this.#idsAt + position * this.#idStride;
    for (let byte = 0; byte < length; byte += 1) {
      const difference = bytes[at + byte]! - raw[byte]!;
      if (difference !== 0) return difference;
    }
    return 0;
  }

  idAt(position: number): ObjectId {
    return decodeObjectId(this.#bytes, this.#idsAt + position * this.#idStride, this.#format);
  }

  /** The whole index: for `idOffset`. */
  get bytes(): Readonly<Uint8Array> { return this.#bytes; }

  /** Where in `bytes` the raw id at a position is. */
  idOffset(position: number): number { return this.#idsAt + position * this.#idStride; }

  /** The raw id at a position: a view, not a copy. */
  rawIdAt(position: number): Buffer {
    const at = this.idOffset(position);
    return this.#bytes.subarray(at, at + this.#idSize);
  }

  /** Where the entry begins in the pack; CorruptError when the index refers outside itself. */
  offsetAt(position: number): number {
    if (this.version === 1) return this.#bytes.readUInt32BE(this.#offsetsAt + position * this.#idStride);
    const offset = this.#bytes.readUInt32BE(this.#offsetsAt + position * 4);
    if (offset < 0x80000000) return offset;
    const large = offset - 0x80000000;
    if (large >= this.#largeCount) throw damaged(`offset of entry ${position} is not in it`);
    const at = this.#largeAt + large * 8;
    const value = this.#bytes.readUInt32BE(at) * 0x100000000 + this.#bytes.readUInt32BE(at + 4);
    if (!Number.isSafeInteger(value)) throw damaged(`offset of entry ${position} is beyond all bounds`);
    return value;
  }

  /** CRC-32 of the entry as stored; undefined in version 1. */
  crcAt(position: number): number | undefined {
    return this.version === 1 ? undefined : this.#bytes.readUInt32BE(this.#idsAt + this.count * this.#idSize + position * 4);
  }

  /** The checksum the pack must end in. */
  get packChecksum(): Buffer {
    return this.#bytes.subarray(this.#bytes.length - 2 * this.#idSize, this.#bytes.length - this.#idSize);
  }

  /** True when the index ends in the checksum of its own bytes. */
  hasValidChecksum(): boolean {
    const end = this.#bytes.length - this.#idSize;
    return digest(this.#bytes.subarray(0, end), this.#format).equals(this.#bytes.subarray(end));
  }

  /** Positions by ascending offset; made once. */
  positionsByOffset(): Uint32Array {
    if (this.#byOffset) return this.#byOffset;
    const offsets = new Float64Array(this.count);
    for (let position = 0; position < this.count; position += 1) offsets[position] = this.offsetAt(position);
    const order = new Uint32Array(this.count).map((_, position) => position);
    order.sort((a, b) => offsets[a]! - offsets[b]!);
    this.#byOffset = order;
    return order;
  }

  /** The position whose entry begins at `offset`; -1 when none does. */
  positionOfOffset(offset: number): number {
    const order = this.positionsByOffset();
    const at = this.#lowerBoundOfOffset(offset);
    return at < order.length && this.offsetAt(order[at]!) === offset ? order[at]! : -1;
  }

  /** The least offset greater than `offset`; undefined for the last entry. */
  offsetAfter(offset: number): number | undefined {
    this.#scans += 1;
    // Sorting costs as much as many scans, and one object alone is often all that is asked for.
    if (this.#byOffset || this.#scans > 16) {
      const at = this.#lowerBoundOfOffset(offset + 1);
      return at < this.count ? this.offsetAt(this.positionsByOffset()[at]!) : undefined;
    }
    let next = Infinity;
    for (let position = 0; position < this.count; position += 1) {
      const other = this.offsetAt(position);
      if (other > offset && other < next) next = other;
    }
    return next === Infinity ? undefined : next;
  }

  #lowerBoundOfOffset(offset: number): number {
    const order = this.positionsByOffset();
    let low = 0;
    let high = order.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.offsetAt(order[middle]!) < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function damaged(what: string): CorruptError {
  return new CorruptError(`pack index is damaged: ${what}`, { code: 'bad-pack-index' });
}

/** What an index is made of, for encodePackIndex. */
export interface PackIndexEntries {
  /** Raw ids one after another, in any order. */
  readonly ids: Uint8Array;
  /** Of the same entries, in the same order. */
  readonly offsets: Float64Array | readonly number[];
  readonly crcs: Uint32Array | readonly number[];
  /** The pack's own trailer. */
  readonly packChecksum: Uint8Array;
}

const mostSmallOffset = 0x7fffffff;

/**
 * The bytes of an index, version 2 unless asked otherwise; byte for byte what git writes. Offsets above `largeAbove` take 64 bits, as
 * those beyond 31 bits do anyway. InvalidError for version 1 beyond 4 GiB.
 */
export function encodePackIndex(entries: PackIndexEntries, format: ObjectFormat, version: 1 | 2 = 2, largeAbove = mostSmallOffset): Buffer {
  const isLarge = (offset: number): boolean => offset > mostSmallOffset || offset > largeAbove;
  const idSize = rawSize(format);
  const count = entries.offsets.length;
  const ids = Buffer.from(entries.ids.buffer, entries.ids.byteOffset, count * idSize);
  const order = orderIds(ids, count, idSize, (a, b) => entries.offsets[a]! - entries.offsets[b]!);
  const large = version === 2 ? order.filter((at) => isLarge(entries.offsets[at]!)).length : 0;
  const headBytes = version === 2 ? 8 : 0;
  const bytes = Buffer.allocUnsafe(headBytes + fanOutBytes + count * (idSize + (version === 2 ? 8 : 4)) + large * 8 + 2 * idSize);
  if (version === 2) {
    bytes.writeUInt32BE(magic, 0);
    bytes.writeUInt32BE(2, 4);
  }
  bytes.set(encodeFanOut(order, ids, idSize), headBytes);
  const tableAt = headBytes + fanOutBytes;
  const end = version === 2 ? writeSecond(bytes, tableAt, order, ids, entries, idSize, isLarge) : writeFirst(bytes, tableAt, order, ids, entries, idSize);
  bytes.set(entries.packChecksum.subarray(0, idSize), end);
  const hasher = new Hasher(format);
  hasher.update(bytes.subarray(0, end + idSize));
  bytes.set(hasher.digestBytes(), end + idSize);
  return bytes;
}

function writeFirst(bytes: Buffer, at: number, order: Uint32Array, ids: Buffer, entries: PackIndexEntries, idSize: number): number {
  let end = at;
  for (const entry of order) {
    if (entries.offsets[entry]! > 0xffffffff) throw new InvalidError('a version 1 pack index cannot hold offsets beyond 4 GiB', { code: 'pack-too-large' });
    bytes.writeUInt32BE(entries.offsets[entry]!, end);
    ids.copy(bytes, end + 4, entry * idSize, entry * idSize + idSize);
    end += 4 + idSize;
  }
  return end;
}

function writeSecond(
  bytes: Buffer, idsAt: number, order: Uint32Array, ids: Buffer, entries: PackIndexEntries, idSize: number, isLarge: (offset: number) => boolean,
): number {
  const crcsAt = idsAt + order.length * idSize;
  const offsetsAt = crcsAt + order.length * 4;
  const largeAt = offsetsAt + order.length * 4;
  let largeUsed = 0;
  order.forEach((entry, position) => {
    ids.copy(bytes, idsAt + position * idSize, entry * idSize, entry * idSize + idSize);
    bytes.writeUInt32BE(entries.crcs[entry]! >>> 0, crcsAt + position * 4);
    const offset = entries.offsets[entry]!;
    if (!isLarge(offset)) {
      bytes.writeUInt32BE(offset, offsetsAt + position * 4);
      return;
    }
    bytes.writeUInt32BE(0x80000000 + largeUsed, offsetsAt + position * 4);
    bytes.writeUInt32BE(Math.floor(offset / 0x100000000), largeAt + largeUsed * 8);
    bytes.writeUInt32BE(offset % 0x100000000, largeAt + largeUsed * 8 + 4);
    largeUsed += 1;
  });
  return largeAt + largeUsed * 8;
}
