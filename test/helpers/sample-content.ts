// Made-up content of the kinds that compressors and delta makers treat differently, from a seed.
import { seededRandom } from './sandbox.js';

/** A source of sample contents; the same seed gives the same ones. */
export class SampleContent {
  readonly #random: () => number;

  constructor(seed: number) { this.#random = seededRandom(seed); }

  /** A whole number below `end`. */
  below(end: number): number {
    return Math.floor(this.#random() * end);
  }

  /** Up to `mostBytes` of noise, text, near repeats, records or runs. */
  content(mostBytes: number): Buffer {
    const bytes = Buffer.alloc(this.below(mostBytes + 1));
    const fill = [this.#noise, this.#text, this.#repeats, this.#records, this.#runs][this.below(5)]!;
    fill.call(this, bytes);
    return bytes;
  }

  /** Pieces of `content` moved, removed, repeated and changed. */
  edited(content: Buffer): Buffer {
    const pieces: Buffer[] = [];
    for (let left = 1 + this.below(5); left > 0; left--) {
      const start = this.below(content.length + 1);
      pieces.push(content.subarray(start, start + this.below(content.length - start + 1)));
      if (this.below(2) === 0) pieces.push(this.content(60));
    }
    const bytes = Buffer.concat(pieces);
    for (let left = this.below(4); left > 0 && bytes.length > 0; left--) bytes[this.below(bytes.length)] = this.below(256);
    return bytes;
  }

  /** A copy with one bit flipped, one byte replaced, or the end cut off. */
  damaged(bytes: Buffer): Buffer {
    const copy = Buffer.from(bytes);
    const at = this.below(copy.length);
    const way = this.below(3);
    if (way === 0) copy[at]! ^= 1 << this.below(8);
    else if (way === 1) copy[at] = this.below(256);
    else return copy.subarray(0, at);
    return copy;
  }

  #noise(bytes: Buffer): void {
    for (let i = 0; i < bytes.length; i++) bytes[i] = this.below(256);
  }

  #text(bytes: Buffer): void {
    const words = Array.from({ length: 40 }, () => Array.from({ length: 1 + this.below(9) }, () => 'etaoinshrdlu'[this.below(12)]).join(''));
    for (let at = 0; at < bytes.length;) at += bytes.write(`${words[this.below(40)]} `, at, 'latin1');
  }

  #repeats(bytes: Buffer): void {
    const far = 1 + this.below(40000);
    for (let i = 0; i < bytes.length; i++) bytes[i] = i >= far && this.below(30) > 0 ? bytes[i - far]! : this.below(256);
  }

  #records(bytes: Buffer): void {
    const size = 3 + this.below(30);
    for (let i = 0; i < bytes.length; i++) bytes[i] = i % size < 3 ? (i / size) >> (8 * (i % size)) : i % size;
  }

  #runs(bytes: Buffer): void {
    for (let at = 0; at < bytes.length;) {
      const length = 1 + this.below(1000);
      bytes.fill(this.below(256), at, Math.min(at + length, bytes.length));
      at += length;
    }
  }
}

/** Seeds of the tests; CAIRN_TEST_SEED gives others. */
export const testSeed = Number(process.env['CAIRN_TEST_SEED'] ?? 20050407);
