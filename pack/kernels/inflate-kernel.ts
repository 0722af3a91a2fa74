// Inflating by the WASM kernel: whole streams out of one buffer, and streams that come in chunks.
//
// Invariant: what is given out is always a copy, never a view of the kernel's memory. Results are as in inflate-status.ts.
import { inflateNeedsInput, inflateOutputFull } from './inflate-status.js';
import { hasKernels, openKernel } from './kernel.js';
import type { Kernel, KernelExports } from './kernel.js';

interface InflateExports extends KernelExports {
  start(): void;
  run(input: number, end: number, historyStart: number, to: number, stopAt: number, verify: number): number;
  inputPosition(): number;
  outputPosition(): number;
}

// As assembly/inflate.ts asks for.
const inputSlack = 16;
const outputSlack = 320;
/** More than the longest block header: what is left of a portion always fits with more behind it. */
const leastPortion = 1024;

/** Inflates one stream after the other out of buffers. */
export class InflateKernel {
  readonly #kernel: Kernel<InflateExports>;
  #output = 0;
  /** Input bytes used by the last run. */
  consumed = 0;
  /** Output bytes made by the last run; can be more than asked for, by less than a copy's length. */
  produced = 0;

  private constructor(kernel: Kernel<InflateExports>) { this.#kernel = kernel; }

  static open(): InflateKernel | undefined {
    const kernel = openKernel<InflateExports>('inflate');
    return kernel && new InflateKernel(kernel);
  }

  /**
   * Inflates the stream at `offset` of `input` until it ends, or `stopBytes` came out. Where that is full and less than `mostBytes`,
   * the room is doubled. `verify` false: the checksum is not looked at.
   */
  run(input: Uint8Array, offset: number, stopBytes: number, mostBytes: number, verify: boolean): number {
    const { exports, regionStart } = this.#kernel;
    const portion = Math.max(leastPortion, Math.min(input.length - offset, stopBytes + (stopBytes >> 4) + 256));
    const output = (regionStart + portion + inputSlack + 63) & ~63;
    let room = stopBytes;
    let heap = this.#kernel.heap(output + room + outputSlack);
    this.#output = output;
    this.consumed = 0;
    exports.start();
    for (let to = output, from = offset; ;) {
      const end = Math.min(from + portion, input.length);
      heap.set(from === 0 && end === input.length ? input : input.subarray(from, end), regionStart);
      let status = exports.run(regionStart, regionStart + end - from, output, to, output + room, verify ? 1 : 0);
      from += exports.inputPosition() - regionStart;
      to = exports.outputPosition();
      this.consumed = from - offset;
      this.produced = to - output;
      if (status === inflateOutputFull && room < mostBytes) {
        room = Math.min(room * 2, mostBytes);
        heap = this.#kernel.heap(output + room + outputSlack);
      } else if (status !== inflateNeedsInput || end === input.length) {
        return status;
      }
    }
  }

  /** A copy of the first `size` bytes of what the last run made, in `bytes` where they are given. */
  take(size: number, bytes: Buffer = Buffer.allocUnsafe(size)): Buffer {
    const heap = this.#kernel.heap(0);
    if (size > 0) bytes.set(heap.subarray(this.#output, this.#output + size));
    return bytes;
  }
}

const windowBytes = 32768;
const portionBytes = 65536;
const idle: Kernel<InflateExports>[] = [];

/** Inflates one stream in chunks; `run` as in PlainInflate. */
export class InflateStreamKernel {
  readonly #kernel: Kernel<InflateExports>;
  readonly #output: number;
  readonly #stopAt: number;
  #to: number;
  #closed = false;

  private constructor(kernel: Kernel<InflateExports>, roomBytes: number) {
    this.#kernel = kernel;
    this.#output = kernel.regionStart + portionBytes + 64;
    this.#stopAt = this.#output + windowBytes + roomBytes;
    this.#to = this.#output;
    kernel.heap(this.#stopAt + outputSlack);
    kernel.exports.start();
  }

  /** `roomBytes` is about the most one run puts out. */
  static open(roomBytes: number): InflateStreamKernel | undefined {
    const kernel = hasKernels() ? idle.pop() ?? openKernel<InflateExports>('inflate') : undefined;
    return kernel && new InflateStreamKernel(kernel, roomBytes);
  }

  /** Continues with `input`; `used` counts whole input bytes, fewer than given when there is more output to fetch. */
  run(input: Uint8Array): { status: number; used: number; output: Buffer } {
    const { exports, regionStart } = this.#kernel;
    const heap = this.#kernel.heap(0);
    const kept = Math.min(this.#to - this.#output, windowBytes);
    heap.copyWithin(this.#output, this.#to - kept, this.#to);
    const first = this.#output + kept;
    let to = first;
    let used = 0;
    for (;;) {
      const end = Math.min(used + portionBytes, input.length);
      heap.set(input.subarray(used, end), regionStart);
      const status = exports.run(regionStart, regionStart + end - used, this.#output, to, this.#stopAt, 1);
      used += exports.inputPosition() - regionStart;
      to = exports.outputPosition();
      if (status === inflateNeedsInput && end < input.length) continue;
      this.#to = to;
      return { status, used, output: Buffer.from(heap.subarray(first, to)) };
    }
  }

  close(): void {
    if (!this.#closed && idle.length < 4) idle.push(this.#kernel);
    this.#closed = true;
  }
}
