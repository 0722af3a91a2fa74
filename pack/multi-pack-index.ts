// The multi-pack-index: one sorted list of the objects of many packs (gitformat-pack(5), "multi-pack-index files").
//
// It only says in which pack to look; the pack's own index says where, and the object's hash whether. So a wrong one costs
// time, never a wrong object. Structure is checked when opened; `hasValidChecksum` and `check…` in fsck look at the rest.
import { decodeChunks, readUInt64 } from './chunk-file.js';
import { CorruptError } from './errors.js';
import { decodeObjectId, digest, rawSize } from './oid.js';
import type { ObjectFormat, ObjectId } from './oid.js';

const headerBytes = 12;
const largeOffset = 0x80000000;

export class MultiPackIndex {
  readonly count: number;
  /** "pack-<hash>.idx", in stored order: the numbers `packAt` gives. */
  readonly packNames: readonly string[];
  readonly #bytes: Buffer;
  readonly #format: ObjectFormat;
  readonly #idSize: number;
  readonly #fanOut: Buffer;
  readonly #ids: Buffer;
  readonly #offsets: Buffer;
  readonly #largeOffsets: Buffer;

  private constructor(bytes: Buffer, format: ObjectFormat) {
    this.#bytes = bytes;
    this.#format = format;
    this.#idSize = rawSize(format);
    if (bytes.length < headerBytes + this.#idSize || bytes.toString('latin1', 0, 4) !== 'MIDX') throw damaged('it does not begin as one');
    if (bytes[4] !== 1) throw damaged(`version ${bytes[4]} is not known`);
    if (bytes[5] !== (format === 'sha1' ? 1 : 2)) throw damaged('it is of another object format');
    if (bytes[7] !== 0) throw damaged('it is part of a chain');
    const chunks = decodeChunks(bytes, headerBytes, bytes[6]!, bytes.length - this.#idSize);
    const chunk = (name: string): Buffer => chunks.get(name) ?? missingChunk(name);
    this.packNames = decodeNames(chunk('PNAM'), bytes.readUInt32BE(8));
    this.#fanOut = chunk('OIDF');
    this.count = checkedFanOut(this.#fanOut);
    this.#ids = chunk('OIDL');
    this.#offsets = chunk('OOFF');
    this.#largeOffsets = chunks.get('LOFF') ?? Buffer.alloc(0);
    if (this.#ids.length !== this.count * this.#idSize || this.#offsets.length !== this.count * 8) {
      throw damaged('its chunks do not fit its count');
    }
  }

  /** Checks the structure; CorruptError names what is wrong. `bytes` must not change afterwards. */
  static decode(bytes: Buffer, format: ObjectFormat): MultiPackIndex {
    return new MultiPackIndex(bytes, format);
  }

  /** The position of a raw id; -1 when it is not here. */
  position(raw: Uint8Array): number {
    const first = raw[0]!;
    let low = first === 0 ? 0 : this.#fanOut.readUInt32BE((first - 1) * 4);
    let high = this.#fanOut.readUInt32BE(first * 4);
    while (low < high) {
      const middle = (low + high) >>> 1;
      const order = this.#ids.compare(raw, 0, this.#idSize, middle * this.#idSize, (middle + 1) * this.#idSize);
      if (order === 0) return middle;
      if (order < 0) low = middle + 1;
      else high = middle;
    }
    return -1;
  }

  idAt(position: number): ObjectId {
    return decodeObjectId(this.#ids, position * this.#idSize, this.#format);
  }

  /** Number of the pack in `packNames`; untrusted: there may be no such pack. */
  packAt(position: number): number {
    return this.#offsets.readUInt32BE(position * 8);
  }

  /** Where the entry is said to begin in its pack. */
  offsetAt(position: number): number {
    const offset = this.#offsets.readUInt32BE(position * 8 + 4);
    if (offset < largeOffset || this.#largeOffsets.length === 0) return offset;
    const at = (offset - largeOffset) * 8;
    if (at + 8 > this.#largeOffsets.length) throw damaged(`offset of entry ${position} is not in it`);
    return readUInt64(this.#largeOffsets, at);
  }

  /** True when the file ends in the checksum of its own bytes. */
  hasValidChecksum(): boolean {
    const end = this.#bytes.length - this.#idSize;
    return digest(this.#bytes.subarray(0, end), this.#format).equals(this.#bytes.subarray(end));
  }
}

function decodeNames(bytes: Buffer, count: number): string[] {
  const names = bytes.toString('latin1').split('\0').filter((name) => name !== '');
  if (names.length !== count) throw damaged('it does not name as many packs as it says');
  names.forEach((name, at) => {
    if (name.includes('/')) throw damaged('a pack is named with a path');
    if (at > 0 && names[at - 1]! >= name) throw damaged('its packs are not sorted');
  });
  return names;
}

function checkedFanOut(bytes: Buffer): number {
  if (bytes.length !== 1024) throw damaged('its fan-out has the wrong size');
  let former = 0;
  for (let at = 0; at < 1024; at += 4) {
    const here = bytes.readUInt32BE(at);
    if (here < former) throw damaged('its fan-out is not monotonic');
    former = here;
  }
  return former;
}

function missingChunk(name: string): never {
  throw damaged(`its chunk '${name}' is missing`);
}

function damaged(what: string): CorruptError {
  return new CorruptError(`multi-pack-index is damaged: ${what}`, { code: 'bad-multi-pack-index' });
}
