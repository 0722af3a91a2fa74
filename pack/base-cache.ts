// Contents that deltas are applied to, kept while they are likely to be needed again, in a bounded memory that is used over
// and over: contents lie in slabs, the oldest slab is emptied first, and what is used again moves on to the newest one.
// So nothing is allocated per object, and no small content keeps a large slab alive.
//
// Contents given out are views that later ones overwrite: for applying a delta at once, never to hand on. What `find` gives
// survives the next `reserve`, because there is room for another slab or it lies in the newer half.
import type { ObjectType } from './oid.js';

const slabBytes = 1024 * 1024;

interface Slab {
  readonly bytes: Buffer;
  used: number;
  /** Counts up; tells old slabs from new ones. */
  readonly number: number;
  /** What lies here, whose it is, and under which key: to be forgotten with the slab. */
  readonly owners: KeptBases[];
  readonly keys: number[];
}

/** Where a content lies. */
export interface KeptBase {
  readonly type: ObjectType;
  readonly slab: Slab;
  readonly start: number;
  readonly end: number;
}

/** Where an owner's contents lie, by a number of its choice: a Map, or for numbers without gaps a `KeptList`. */
export interface KeptBases {
  get(key: number): KeptBase | undefined;
  set(key: number, kept: KeptBase): void;
  delete(key: number): void;
}

/** Hundreds of thousands of contents one after the other cost a list less than a Map, which moves all of them whenever it grows. */
export class KeptList implements KeptBases {
  readonly #kept: (KeptBase | undefined)[] = [];

  get(key: number): KeptBase | undefined { return this.#kept[key]; }

  set(key: number, kept: KeptBase): void {
    while (this.#kept.length < key) this.#kept.push(undefined);
    this.#kept[key] = kept;
  }

  delete(key: number): void {
    this.#kept[key] = undefined;
  }
}

/** The content of a base; see above for how long `bytes` is valid. */
export interface Base {
  readonly type: ObjectType;
  readonly bytes: Buffer;
}

export class BaseCache {
  readonly #budgetBytes: number;
  #slabs: Slab[] = [];
  #totalBytes = 0;
  #next = 0;
  #spare: Buffer | undefined;

  constructor(budgetBytes: number) { this.#budgetBytes = Math.max(budgetBytes, 4 * slabBytes); }

  /** What is kept for one owner under `key`. */
  find(owner: KeptBases, key: number): Base | undefined {
    const kept = owner.get(key);
    if (kept === undefined) return undefined;
    const { type, slab, start, end } = kept;
    const bytes = slab.bytes.subarray(start, end);
    const isSafe = this.#totalBytes + slabBytes <= this.#budgetBytes || slab.number * 2 >= this.#slabs[0]!.number + this.#next;
    if (isSafe || bytes.length > slabBytes / 4) return { type, bytes };
    const moved = this.reserve(bytes.length);
    moved.set(bytes);
    this.keep(owner, key, type, moved);
    return { type, bytes: moved };
  }

  /** Room for `sizeBytes`, to be filled and kept; a buffer of its own when that is too much to keep. */
  reserve(sizeBytes: number): Buffer {
    if (sizeBytes > slabBytes / 4) return Buffer.allocUnsafeSlow(sizeBytes);
    let slab = this.#slabs.at(-1);
    if (slab === undefined || slab.bytes.length !== slabBytes || slab.used + sizeBytes > slabBytes) slab = this.#addSlab(undefined);
    const bytes = slab.bytes.subarray(slab.used, slab.used + sizeBytes);
    slab.used += sizeBytes;
    return bytes;
  }

  /** Keeps a content that fills what `reserve` gave last. */
  keep(owner: KeptBases, key: number, type: ObjectType, bytes: Buffer): void {
    const isLarge = bytes.length > slabBytes / 4;
    if (isLarge && bytes.length > this.#budgetBytes / 4) return;
    const slab = isLarge || this.#slabs.length === 0 ? this.#addSlab(isLarge ? bytes : undefined) : this.#slabs.at(-1)!;
    owner.set(key, { type, slab, start: slab.used - bytes.length, end: slab.used });
    slab.owners.push(owner);
    slab.keys.push(key);
  }

  #addSlab(own: Buffer | undefined): Slab {
    const sizeBytes = own?.length ?? slabBytes;
    while (this.#slabs.length > 3 && this.#totalBytes + sizeBytes > this.#budgetBytes) this.#dropOldest();
    const bytes = own ?? this.#spare ?? Buffer.allocUnsafeSlow(slabBytes);
    if (own === undefined) this.#spare = undefined;
    const slab = { bytes, used: own?.length ?? 0, number: this.#next, owners: [], keys: [] };
    this.#next += 1;
    this.#totalBytes += sizeBytes;
    this.#slabs.push(slab);
    return slab;
  }

  #dropOldest(): void {
    const slab = this.#slabs.shift()!;
    this.#totalBytes -= slab.bytes.length;
    slab.keys.forEach((key, at) => {
      const owner = slab.owners[at]!;
      if (owner.get(key)?.slab === slab) owner.delete(key);
    });
    if (slab.bytes.length === slabBytes) this.#spare = slab.bytes;
  }
}
