// Object ids as small numbers, so that what is known of many objects can stand in arrays: the first id is 0, the next new one 1.
//
// Ids lie one after another as raw bytes and are found by hashing. All their bytes count, in a way that is another one in each process: who
// makes up ids, which costs nothing where they only have to be named, cannot bring many of them together. Nothing is allocated per id. Only
// numbers that were given out may be asked about.
import { decodeHexInto, decodeObjectId, rawSize } from './oid.js';
import type { ObjectFormat, ObjectId } from './oid.js';

const fewestIds = 256;
const multiplier = Math.floor(Math.random() * 2 ** 32) | 1;

export class IdTable {
  readonly format: ObjectFormat;
  readonly idSize: number;
  #count = 0;
  #ids: Buffer;
  /** Number of an id plus one; 0 where nothing is. At most half of it is in use. */
  #buckets: Int32Array;

  constructor(format: ObjectFormat) {
    this.format = format;
    this.idSize = rawSize(format);
    this.#ids = Buffer.allocUnsafeSlow(fewestIds * this.idSize);
    this.#buckets = new Int32Array(fewestIds * 2);
  }

  get count(): number { return this.#count; }

  /** How many ids there is room for before the table grows; arrays beside it need as much. */
  get capacity(): number { return this.#buckets.length >> 1; }

  /** All ids, `idSize` bytes each; another buffer once the table grew. */
  get bytes(): Buffer { return this.#ids; }

  /** The number of the id whose raw bytes are at `at`; -1 when it was not added. */
  find(raw: Uint8Array, at: number): number {
    return this.#buckets[this.#bucketOf(raw, at)]! - 1;
  }

  /** The number of the id, a new one when it was not added before: then it is `count - 1`. */
  add(raw: Uint8Array, at: number): number {
    const bucket = this.#bucketOf(raw, at);
    const known = this.#buckets[bucket]!;
    if (known > 0) return known - 1;
    const number = this.#count;
    const ids = this.#ids;
    const to = number * this.idSize;
    if (raw !== ids || at !== to) for (let byte = 0; byte < this.idSize; byte += 1) ids[to + byte] = raw[at + byte]!;
    this.#buckets[bucket] = number + 1;
    this.#count += 1;
    if (this.#count === this.capacity) this.#grow();
    return number;
  }

  /** The number of the id written in hex digits at `at`, as `add`; -1 where there is none. */
  addHex(text: Uint8Array, at: number): number {
    const to = this.#count * this.idSize;
    return decodeHexInto(this.#ids, to, text, at, this.idSize) ? this.add(this.#ids, to) : -1;
  }

  /** As `add`. */
  addId(id: ObjectId): number {
    const to = this.#count * this.idSize;
    this.#ids.write(id, to, 'hex');
    return this.add(this.#ids, to);
  }

  /** As `find`. */
  findId(id: ObjectId): number {
    const to = this.#count * this.idSize;
    // Room for one more is always there.
    this.#ids.write(id, to, 'hex');
    return this.find(this.#ids, to);
  }

  idAt(number: number): ObjectId {
    return decodeObjectId(this.#ids, number * this.idSize, this.format);
  }

  /** Where the id is, or would be put. */
  #bucketOf(raw: Uint8Array, at: number): number {
    const buckets = this.#buckets;
    const mask = buckets.length - 1;
    const { idSize } = this;
    let hash = 0;
    for (let word = at; word < at + idSize; word += 4) {
      hash = Math.imul(hash ^ (raw[word]! | (raw[word + 1]! << 8) | (raw[word + 2]! << 16) | (raw[word + 3]! << 24)), multiplier);
      hash ^= hash >>> 15;
    }
    for (let bucket = hash & mask; ; bucket = (bucket + 1) & mask) {
      const known = buckets[bucket]!;
      if (known === 0) return bucket;
      const ids = this.#ids;
      const from = (known - 1) * idSize;
      let byte = 0;
      while (byte < idSize && ids[from + byte] === raw[at + byte]) byte += 1;
      if (byte === idSize) return bucket;
    }
  }

  #grow(): void {
    const ids = Buffer.allocUnsafeSlow(this.#ids.length * 2);
    ids.set(this.#ids);
    this.#ids = ids;
    const buckets = new Int32Array(this.#buckets.length * 2);
    this.#buckets = buckets;
    for (let number = 0; number < this.#count; number += 1) buckets[this.#bucketOf(ids, number * this.idSize)] = number + 1;
  }
}
