// Deltas without WebAssembly: Git's copy/insert format (gitformat-pack, "Deltified representation") in plain TypeScript.
//
// Invariant: `applyPlainDelta` writes exactly into `result` and reads only inside `base` and `delta`; anything else is a negative
// status (see delta-status.ts). `PlainDeltaIndex` writes deltas that reproduce the target byte for byte.
import { deltaCopyOutside, deltaReserved, deltaResultLong, deltaResultShort, deltaTruncated } from './delta-status.js';

/** Applies the instructions of `delta` from `start` on; 0, or what is wrong with them. */
export function applyPlainDelta(base: Buffer, delta: Buffer, start: number, result: Buffer): number {
  let from = start;
  let to = 0;
  const end = delta.length;
  while (from < end) {
    const op = delta[from++]!;
    if (op === 0) return deltaReserved;
    let offset = from;
    let size = op;
    let source = delta;
    if (op >= 128) {
      offset = 0;
      size = 0;
      for (let bit = 0; bit < 7; bit++) {
        if ((op & (1 << bit)) === 0) continue;
        if (from >= end) return deltaTruncated;
        const byte = delta[from++]!;
        if (bit < 4) offset += byte * 2 ** (8 * bit);
        else size += byte * 2 ** (8 * (bit - 4));
      }
      if (size === 0) size = 0x10000;
      if (offset + size > base.length) return deltaCopyOutside;
      source = base;
    } else {
      from += size;
      if (from > end) return deltaTruncated;
    }
    if (to + size > result.length) return deltaResultLong;
    if (size < 32) {
      for (let i = 0; i < size; i++) result[to + i] = source[offset + i]!;
    } else {
      source.copy(result, to, offset, offset + size);
    }
    to += size;
  }
  return to === result.length ? 0 : deltaResultShort;
}

const blockBytes = 16;
const longestCopy = 0x10000;
const longestInsert = 127;

/** Where each block of a base is, for making deltas against it. */
export class PlainDeltaIndex {
  readonly #base: Buffer;
  /** Position + 1 of the first block with each hash; 0 where there is none. */
  readonly #slots: Uint32Array;
  readonly #shift: number;

  constructor(base: Buffer) {
    this.#base = base;
    const step = indexStep(base.length);
    const bits = indexBits(base.length, step);
    this.#shift = 32 - bits;
    this.#slots = new Uint32Array(1 << bits);
    for (let at = lastBlock(base.length, step); at >= 0; at -= step) this.#slots[this.#hash(base, at)] = at + 1;
  }

  /** Writes a delta that makes `target` into `out` from `to` on; its end, or -1 when `out` has no room for it. */
  create(target: Buffer, out: Buffer, to: number): number {
    const base = this.#base;
    let at = 0;
    let inserted = 0;
    const lastStart = target.length - blockBytes;
    while (at <= lastStart) {
      const slot = this.#slots[this.#hash(target, at)]!;
      let from = slot - 1;
      if (slot === 0 || !sameBlock(base, from, target, at)) {
        at++;
        continue;
      }
      let size = blockBytes;
      while (from + size < base.length && at + size < target.length && base[from + size] === target[at + size]) size++;
      while (from > 0 && at > inserted && base[from - 1] === target[at - 1]) {
        from--;
        at--;
        size++;
      }
      to = writeInserts(target, inserted, at, out, to);
      to = to < 0 ? -1 : writeCopies(from, size, out, to);
      if (to < 0) return -1;
      at += size;
      inserted = at;
    }
    return writeInserts(target, inserted, target.length, out, to);
  }

  #hash(bytes: Buffer, at: number): number {
    let hash = 0;
    for (let i = 0; i < blockBytes; i += 4) {
      const word = bytes[at + i]! | (bytes[at + i + 1]! << 8) | (bytes[at + i + 2]! << 16) | (bytes[at + i + 3]! << 24);
      hash = Math.imul(hash ^ word, 0x9e3779b1);
      hash ^= hash >>> 15;
    }
    return Math.imul(hash, 0x85ebca6b) >>> this.#shift;
  }
}

/** Blocks of a base are indexed this far apart: closely while that is cheap. */
export function indexStep(baseBytes: number): number {
  return baseBytes <= 0x4000 ? 4 : baseBytes <= 0x40000 ? 8 : 16;
}

/** log2 of the slots an index uses. */
export function indexBits(baseBytes: number, step: number): number {
  return Math.min(20, Math.max(6, 33 - Math.clz32(Math.ceil(baseBytes / step))));
}

function lastBlock(baseBytes: number, step: number): number {
  return baseBytes < blockBytes ? -1 : Math.floor((baseBytes - blockBytes) / step) * step;
}

function sameBlock(base: Buffer, from: number, target: Buffer, at: number): boolean {
  for (let i = 0; i < blockBytes; i++) {
    if (base[from + i] !== target[at + i]) return false;
  }
  return true;
}

function writeInserts(target: Buffer, from: number, end: number, out: Buffer, to: number): number {
  while (from < end) {
    const size = Math.min(longestInsert, end - from);
    if (to + 1 + size > out.length) return -1;
    out[to] = size;
    target.copy(out, to + 1, from, from + size);
    to += 1 + size;
    from += size;
  }
  return to;
}

function writeCopies(from: number, total: number, out: Buffer, to: number): number {
  while (total > 0) {
    const size = Math.min(longestCopy, total);
    const opAt = to++;
    let op = 0x80;
    for (let bit = 0; bit < 4; bit++) {
      const byte = (from >>> (8 * bit)) & 255;
      if (byte === 0) continue;
      op |= 1 << bit;
      out[to++] = byte;
    }
    if (size !== longestCopy) {
      for (let bit = 0; bit < 2; bit++) {
        const byte = (size >>> (8 * bit)) & 255;
        if (byte === 0) continue;
        op |= 16 << bit;
        out[to++] = byte;
      }
    }
    // Writing behind the end has no effect.
    if (to > out.length) return -1;
    out[opAt] = op;
    from += size;
    total -= size;
  }
  return to;
}
