// Contents that deltas are applied to, kept while they are likely to be needed again, in a bounded memory that is used over
// and over: contents lie in slabs, the oldest slab is emptied first, and what is used again moves on to the newest one.
// So nothing is allocated per object, and no small content keeps a large slab alive.
//
// Contents given out are views that later ones overwrite: for applying a delta at once, never to hand on. What `find` gives
// survives the next `reserve`, because it lies in the newer half.
import type { ObjectType } from './oid.js';

const slabBytes = 1024 * 1024;

interface Slab {
  readonly bytes: Buffer;
  used: number;
  /** Counts up; tells old slabs from new ones. */
  readonly number: number;
  readonly entries: { readonly owner: Map<number, CachedBase>; readonly key: number }[];
}

/** The content of a base; see above for how long `bytes` is valid. */
export interface CachedBase {
  readonly type: ObjectType;
  readonly bytes: Buffer;
  readonly slab: Slab;
}

export class BaseCache {
  readonly #budgetBytes: number;
  #slabs: Slab[] = [];
  #totalBytes = 0;
  #next = 0;
  #spare: Buffer | undefined;

  constructor(budgetBytes: number) { this.#budgetBytes = Math.max(budgetBytes, 4 * slabBytes); }

  /** What is kept for one owner under `key`. */
  find(owner: Map<number, CachedBase>, key: number): CachedBase | undefined {
    const found = owner.get(key);
    if (found === undefined || found.slab.number * 2 >= this.#slabs[0]!.number + this.#next) return found;
    if (found.bytes.length > slabBytes / 4) return found;
    const bytes = this.reserve(found.bytes.length);
    bytes.set(found.bytes);
    return this.keep(owner, key, found.type, bytes);
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
  keep(owner: Map<number, CachedBase>, key: number, type: ObjectType, bytes: Buffer): CachedBase {
    const isLarge = bytes.length > slabBytes / 4;
    if (isLarge && bytes.length > this.#budgetBytes / 4) return { type, bytes, slab: { bytes, used: 0, number: this.#next, entries: [] } };
    const slab = isLarge || this.#slabs.length === 0 ? this.#addSlab(isLarge ? bytes : undefined) : this.#slabs.at(-1)!;
    const base = { type, bytes, slab };
    owner.set(key, base);
    slab.entries.push({ owner, key });
    return base;
  }

  #addSlab(own: Buffer | undefined): Slab {
    const sizeBytes = own?.length ?? slabBytes;
    while (this.#slabs.length > 3 && this.#totalBytes + sizeBytes > this.#budgetBytes) this.#dropOldest();
    const bytes = own ?? this.#spare ?? Buffer.allocUnsafeSlow(slabBytes);
    if (own === undefined) this.#spare = undefined;
    const slab = { bytes, used: own?.length ?? 0, number: this.#next, entries: [] };
    this.#next += 1;
    this.#totalBytes += sizeBytes;
    this.#slabs.push(slab);
    return slab;
  }

  #dropOldest(): void {
    const slab = this.#slabs.shift()!;
    this.#totalBytes -= slab.bytes.length;
    for (const { owner, key } of slab.entries) if (owner.get(key)?.slab === slab) owner.delete(key);
    if (slab.bytes.length === slabBytes) this.#spare = slab.bytes;
  }
}
