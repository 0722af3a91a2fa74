// SHA-1 by the WASM kernel, which looks at every block for signs of a collision attack.
//
// Invariant: the digest is that of the standard; `isSuspicious` is true exactly when one of the blocks is the last one of a collision made
// by one of the known kinds of attack, which no other content is but by an accident of 1 in 2^155.
import { openKernel } from './kernel.js';
import type { Kernel, KernelExports } from './kernel.js';

interface Sha1Exports extends KernelExports {
  start(lane: number): void;
  update(from: number, end: number): number;
  updateFour(first: number, second: number, third: number, fourth: number, blocks: number): number;
  idleBlock(): number;
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
    this.#kernel.exports.start(0);
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

const queueBytes = 1024 * 1024;
const paddingBytes = 9;

/** A message in the kernel's memory, or what is left of it. */
interface QueuedMessage {
  readonly name: string;
  readonly start: number;
  readonly blocks: number;
}

/**
 * Looks at many messages for signs of a collision attack, four at a time, which takes less than half the time that one after the other
 * takes. Digests are not given out. Messages wait until there are many; `finish` looks at the rest.
 */
export class Sha1Scanner {
  readonly #kernel: Kernel<Sha1Exports>;
  readonly #queue: QueuedMessage[] = [];
  #free: number;
  /** The name of a message with a block that looks like the last of a collision, once one was found. */
  suspect: string | undefined;

  private constructor(kernel: Kernel<Sha1Exports>) {
    this.#kernel = kernel;
    this.#free = kernel.regionStart;
  }

  static open(): Sha1Scanner | undefined {
    const kernel = openKernel<Sha1Exports>('sha1');
    return kernel && new Sha1Scanner(kernel);
  }

  /** True when a message of this size can be added. */
  takes(sizeBytes: number): boolean { return sizeBytes <= queueBytes - 2 * blockBytes; }

  /** Adds a message of two parts. */
  add(name: string, header: Uint8Array, bytes: Uint8Array): void {
    const total = header.length + bytes.length;
    const blocks = Math.ceil((total + paddingBytes) / blockBytes);
    if (this.#free + blocks * blockBytes > this.#kernel.regionStart + queueBytes) this.finish();
    const heap = this.#kernel.heap(this.#kernel.regionStart + queueBytes);
    const start = this.#free;
    const end = start + blocks * blockBytes;
    heap.set(header, start);
    heap.set(bytes, start + header.length);
    heap.fill(0, start + total, end);
    heap[start + total] = 0x80;
    heap.writeUInt32BE(Math.floor(total / 2 ** 29), end - 8);
    heap.writeUInt32BE((total * 8) % 2 ** 32, end - 4);
    this.#queue.push({ name, start, blocks });
    this.#free = end;
  }

  /** Looks at all that waits. */
  finish(): void {
    const { exports, regionStart } = this.#kernel;
    const idle = exports.idleBlock();
    const lanes: (QueuedMessage | undefined)[] = [undefined, undefined, undefined, undefined];
    const at = [idle, idle, idle, idle];
    const left = [0, 0, 0, 0];
    for (let next = 0; ;) {
      for (let lane = 0; lane < lanes.length; lane += 1) {
        if (left[lane]! > 0) continue;
        const message = this.#queue[next];
        next += 1;
        lanes[lane] = message;
        at[lane] = message?.start ?? idle;
        left[lane] = message?.blocks ?? 0;
        if (message !== undefined) exports.start(lane);
      }
      const busy = left.filter((blocks) => blocks > 0);
      if (busy.length === 0) break;
      const blocks = Math.min(...busy);
      const found = exports.updateFour(at[0]!, at[1]!, at[2]!, at[3]!, blocks);
      for (let lane = 0; lane < lanes.length; lane += 1) {
        if (left[lane] === 0) continue;
        if ((found & (1 << lane)) !== 0) this.suspect ??= lanes[lane]!.name;
        at[lane]! += blocks * blockBytes;
        left[lane]! -= blocks;
      }
    }
    this.#queue.length = 0;
    this.#free = regionStart;
  }
}
