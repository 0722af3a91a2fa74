// SHA-1 by the WASM kernel, which looks at every block for signs of a collision attack.
//
// Invariant: the digest is that of the standard; `isSuspicious` is true exactly when one of the blocks is the last one of a collision made
// by one of the known kinds of attack, which no other content is but by an accident of 1 in 2^155.
import { openKernel } from './kernel.js';
import type { Kernel, KernelExports } from './kernel.js';

interface Sha1Exports extends KernelExports {
  start(): void;
  update(from: number, end: number): number;
  word(index: number): number;
}

const blockBytes = 64;
const portionBytes = 64 * 1024;

export class Sha1Kernel {
  readonly #kernel: Kernel<Sha1Exports>;
  #pending = 0;
  #total = 0;
  /** A block looked like the last of a collision, since `start`. */
  isSuspicious = false;

  private constructor(kernel: Kernel<Sha1Exports>) { this.#kernel = kernel; }

  static open(): Sha1Kernel | undefined {
    const kernel = openKernel<Sha1Exports>('sha1');
    return kernel && new Sha1Kernel(kernel);
  }

  /** Begins a new digest. */
  start(): void {
    this.#kernel.exports.start();
    this.#pending = 0;
    this.#total = 0;
    this.isSuspicious = false;
  }

  update(bytes: Uint8Array): void {
    const { regionStart } = this.#kernel;
    const heap = this.#kernel.heap(regionStart + portionBytes);
    this.#total += bytes.length;
    for (let at = 0; at < bytes.length;) {
      const end = Math.min(bytes.length, at + portionBytes - this.#pending);
      heap.set(at === 0 && end === bytes.length ? bytes : bytes.subarray(at, end), regionStart + this.#pending);
      this.#pending += end - at;
      at = end;
      this.#hashWhole(heap);
    }
  }

  #hashWhole(heap: Buffer): void {
    const { exports, regionStart } = this.#kernel;
    const whole = this.#pending - (this.#pending % blockBytes);
    if (whole === 0) return;
    if (exports.update(regionStart, regionStart + whole) !== 0) this.isSuspicious = true;
    heap.copyWithin(regionStart, regionStart + whole, regionStart + this.#pending);
    this.#pending -= whole;
  }

  /** The digest in hex of all that came since `start`. */
  digest(): string {
    const { exports, regionStart } = this.#kernel;
    const heap = this.#kernel.heap(regionStart + portionBytes);
    const end = this.#pending + 9 > blockBytes ? 2 * blockBytes : blockBytes;
    heap.fill(0, regionStart + this.#pending, regionStart + end);
    heap[regionStart + this.#pending] = 0x80;
    heap.writeUInt32BE(Math.floor(this.#total / 2 ** 29), regionStart + end - 8);
    heap.writeUInt32BE((this.#total * 8) % 2 ** 32, regionStart + end - 4);
    this.#pending = end;
    this.#hashWhole(heap);
    let hex = '';
    for (let index = 0; index < 5; index += 1) hex += (exports.word(index) >>> 0).toString(16).padStart(8, '0');
    return hex;
  }
}
