// Compressing by the WASM kernel: whole contents, read in and handed out in place, and contents that come in chunks.
//
// Invariant: a view of the kernel's memory is valid until the next call of the same object. The output depends only on the
// content, the mode and, in chunks, on the sizes gathered here, never on what was compressed before.
import { hasKernels, openKernel } from './kernel.js';
import type { Kernel, KernelExports } from './kernel.js';

interface DeflateExports extends KernelExports {
  start(forget: number): void;
  compress(input: number, end: number, output: number, last: number, mode: number): number;
  compressPiece(input: number, end: number, output: number, mode: number): number;
  checksumOfContent(): number;
  mostOutput(size: number): number;
}

/** 'fast' is about as small as zlib's level 1; 'small' takes longer for a few hundredths less. */
export type DeflateMode = 'fast' | 'small';

// As assembly/deflate.ts asks for.
const slack = 16;

/** Compresses one content after the other. */
export class DeflateKernel {
  readonly #kernel: Kernel<DeflateExports>;
  #reservedBytes = 0;

  private constructor(kernel: Kernel<DeflateExports>) { this.#kernel = kernel; }

  static open(): DeflateKernel | undefined {
    const kernel = openKernel<DeflateExports>('deflate');
    return kernel && new DeflateKernel(kernel);
  }

  /** A view of `inputBytes` to put content into, content unspecified; valid until the next `reserve`. */
  reserve(inputBytes: number): Buffer {
    const { regionStart, exports } = this.#kernel;
    this.#reservedBytes = inputBytes;
    // Room for the output is made now, so that `deflate` never moves the memory under the view.
    const heap = this.#kernel.heap(this.#outputStart() + exports.mostOutput(inputBytes) + slack);
    return heap.subarray(regionStart, regionStart + inputBytes);
  }

  /** The zlib stream of bytes `start` to `end` of the reserved view; a view, valid until the next call. */
  deflate(start: number, end: number, mode: DeflateMode): Buffer {
    if (!(start >= 0 && start <= end && end <= this.#reservedBytes)) throw new RangeError('not inside the reserved bytes');
    const { regionStart, exports } = this.#kernel;
    const output = this.#outputStart();
    exports.start(0);
    const outputEnd = exports.compress(regionStart + start, regionStart + end, output, 1, mode === 'fast' ? 0 : 1);
    return this.#kernel.heap(0).subarray(output, outputEnd);
  }

  /**
   * The reserved view as a part of a raw deflate stream, which ends on a byte boundary and does not end the stream (a view, valid
   * until the next call), and the Adler-32 of the content.
   */
  deflatePiece(mode: DeflateMode): { readonly bytes: Buffer; readonly adler32: number } {
    const { regionStart, exports } = this.#kernel;
    const output = this.#outputStart();
    const outputEnd = exports.compressPiece(regionStart, regionStart + this.#reservedBytes, output, mode === 'fast' ? 0 : 1);
    return { bytes: this.#kernel.heap(0).subarray(output, outputEnd), adler32: exports.checksumOfContent() >>> 0 };
  }

  #outputStart(): number {
    return (this.#kernel.regionStart + this.#reservedBytes + slack + 63) & ~63;
  }
}

const windowBytes = 32768;
const idle: Kernel<DeflateExports>[] = [];

/** Compresses one content in chunks: put up to `room` bytes into `space`, then `compress` them. */
export class DeflateStreamKernel {
  /** Content gathered for one call of `compress`. */
  static readonly chunkBytes = 4 * 65535;
  readonly #kernel: Kernel<DeflateExports>;
  readonly #input: number;
  readonly #output: number;
  #filled = 0;
  #closed = false;

  private constructor(kernel: Kernel<DeflateExports>) {
    this.#kernel = kernel;
    this.#input = kernel.regionStart + windowBytes;
    this.#output = (this.#input + DeflateStreamKernel.chunkBytes + slack + 63) & ~63;
    kernel.heap(this.#output + kernel.exports.mostOutput(DeflateStreamKernel.chunkBytes) + slack);
    kernel.exports.start(1);
  }

  static open(): DeflateStreamKernel | undefined {
    const kernel = hasKernels() ? idle.pop() ?? openKernel<DeflateExports>('deflate') : undefined;
    return kernel && new DeflateStreamKernel(kernel);
  }

  /** Takes as much of `chunk` from `from` on as there is room for; how much it took. */
  fill(chunk: Uint8Array, from: number): number {
    const size = Math.min(chunk.length - from, DeflateStreamKernel.chunkBytes - this.#filled);
    this.#kernel.heap(0).set(chunk.subarray(from, from + size), this.#input + this.#filled);
    this.#filled += size;
    return size;
  }

  get full(): boolean { return this.#filled === DeflateStreamKernel.chunkBytes; }

  /** Compresses what was gathered (all of it `full`, except the last); a copy of what came out. */
  compress(last: boolean): Buffer {
    const heap = this.#kernel.heap(0);
    const end = this.#input + this.#filled;
    const outputEnd = this.#kernel.exports.compress(this.#input, end, this.#output, last ? 1 : 0, 0);
    heap.copyWithin(this.#input - windowBytes, end - windowBytes, end);
    this.#filled = 0;
    return Buffer.from(heap.subarray(this.#output, outputEnd));
  }

  close(): void {
    if (!this.#closed && idle.length < 2) idle.push(this.#kernel);
    this.#closed = true;
  }
}
