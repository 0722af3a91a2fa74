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

const paddingBytes = 9;

/** Messages one behind the other, each padded to whole blocks as SHA-1 wants it. */
export interface Sha1Messages {
  readonly bytes: Uint8Array;
  /** Of each message. */
  readonly blocks: readonly number[];
}

/** Gathers messages for a scanner, up to a limit. */
export class Sha1Batch implements Sha1Messages {
  /** So much is gathered at most. */
  static readonly mostBytes = 1024 * 1024;
  readonly #room: Buffer;
  readonly blocks: number[] = [];
  #used = 0;

  /** `room` may be what a former batch was in. */
  constructor(room: Buffer = Buffer.allocUnsafeSlow(Sha1Batch.mostBytes)) { this.#room = room; }

  /** True when a message of this size fits into an empty batch. */
  static takes(sizeBytes: number): boolean { return sizeBytes <= Sha1Batch.mostBytes - 2 * blockBytes; }

  hasRoomFor(sizeBytes: number): boolean { return this.#used + blocksOf(sizeBytes) * blockBytes <= this.#room.length; }

  get bytes(): Buffer { return this.#room.subarray(0, this.#used); }

  /** Adds a message of two parts, for which there is room. */
  add(header: Uint8Array, content: Uint8Array): void {
    const total = header.length + content.length;
    const blocks = blocksOf(total);
    const start = this.#used;
    const end = start + blocks * blockBytes;
    this.#room.set(header, start);
    this.#room.set(content, start + header.length);
    this.#room.fill(0, start + total, end);
    this.#room[start + total] = 0x80;
    this.#room.writeUInt32BE(Math.floor(total / 2 ** 29), end - 8);
    this.#room.writeUInt32BE((total * 8) % 2 ** 32, end - 4);
    this.blocks.push(blocks);
    this.#used = end;
  }
}

function blocksOf(sizeBytes: number): number {
  return Math.ceil((sizeBytes + paddingBytes) / blockBytes);
}

/**
 * Looks at many messages for signs of a collision attack, four at a time, which takes less than half the time that one after the other
 * takes. Digests are not given out.
 */
export class Sha1Scanner {
  readonly #kernel: Kernel<Sha1Exports>;

  private constructor(kernel: Kernel<Sha1Exports>) { this.#kernel = kernel; }

  static open(): Sha1Scanner | undefined {
    const kernel = openKernel<Sha1Exports>('sha1');
    return kernel && new Sha1Scanner(kernel);
  }

  /** Which message has a block that looks like the last of a collision; -1 when none has. */
  findSuspect({ bytes, blocks }: Sha1Messages): number {
    const { exports, regionStart } = this.#kernel;
    this.#kernel.heap(regionStart + bytes.length).set(bytes, regionStart);
    const idle = exports.idleBlock();
    const lanes = [-1, -1, -1, -1];
    const at = [idle, idle, idle, idle];
    const left = [0, 0, 0, 0];
    for (let next = 0, start = regionStart; ;) {
      for (let lane = 0; lane < lanes.length; lane += 1) {
        if (left[lane]! > 0) continue;
        const isMore = next < blocks.length;
        lanes[lane] = next;
        at[lane] = isMore ? start : idle;
        left[lane] = isMore ? blocks[next]! : 0;
        if (!isMore) continue;
        exports.start(lane);
        start += left[lane]! * blockBytes;
        next += 1;
      }
      const busy = left.filter((count) => count > 0);
      if (busy.length === 0) return -1;
      const count = Math.min(...busy);
      const found = exports.updateFour(at[0]!, at[1]!, at[2]!, at[3]!, count);
      for (let lane = 0; lane < lanes.length; lane += 1) {
        if (left[lane] === 0) continue;
        if ((found & (1 << lane)) !== 0) return lanes[lane]!;
        at[lane]! += count * blockBytes;
        left[lane]! -= count;
      }
    }
  }
}
