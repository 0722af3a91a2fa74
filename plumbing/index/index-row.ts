// One entry of an index file as its bytes: where what is, and a view that is moved from entry to entry, so that many can be compared with
// their files while nothing is made. Format: gitformat-index, the layout of versions 2 and 3.
//
// Only for bytes that index-file.ts has checked: nothing here looks whether an offset is right.
import { type ObjectFormat, type ObjectId, decodeObjectId } from '../../pack/oid.js';
import type { Comparable, StatData } from './appearance.js';

/** Before the object's id lie ten numbers: the stat, and among it the mode. */
export const statSize = 40;
export const modeOffset = 24;
export const sizeOffset = 36;
export const assumeValidBit = 0x8000;
export const extendedBit = 0x4000;
export const skipWorktreeBit = 0x4000;
export const intentToAddBit = 0x2000;

/** The stat of the entry at an offset. */
export function decodeStat(bytes: Buffer, at: number): StatData {
  return {
    ctimeS: bytes.readUInt32BE(at), ctimeNs: bytes.readUInt32BE(at + 4),
    mtimeS: bytes.readUInt32BE(at + 8), mtimeNs: bytes.readUInt32BE(at + 12),
    dev: bytes.readUInt32BE(at + 16), ino: bytes.readUInt32BE(at + 20),
    uid: bytes.readUInt32BE(at + 28), gid: bytes.readUInt32BE(at + 32), size: bytes.readUInt32BE(at + sizeOffset),
  };
}

/** An entry seen through its bytes; `offset` says which. */
export class IndexRow implements StatData, Comparable {
  offset = 0;
  readonly #bytes: Buffer;
  readonly #view: DataView;
  readonly #format: ObjectFormat;

  constructor(bytes: Buffer, format: ObjectFormat) {
    this.#bytes = bytes;
    // Cheaper than the methods of Buffer until the compiler has seen them run many times, which here is most of the time.
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#format = format;
  }

  get stat(): StatData { return this; }
  get ctimeS(): number { return this.#view.getUint32(this.offset); }
  get ctimeNs(): number { return this.#view.getUint32(this.offset + 4); }
  get mtimeS(): number { return this.#view.getUint32(this.offset + 8); }
  get mtimeNs(): number { return this.#view.getUint32(this.offset + 12); }
  get dev(): number { return this.#view.getUint32(this.offset + 16); }
  get ino(): number { return this.#view.getUint32(this.offset + 20); }
  get mode(): number { return this.#view.getUint32(this.offset + modeOffset); }
  get uid(): number { return this.#view.getUint32(this.offset + 28); }
  get gid(): number { return this.#view.getUint32(this.offset + 32); }
  get size(): number { return this.#view.getUint32(this.offset + sizeOffset); }
  get id(): ObjectId { return decodeObjectId(this.#bytes, this.offset + statSize, this.#format); }
}
