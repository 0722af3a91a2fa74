// Deltas by the WASM kernel. Bases prepared for making deltas stay in its memory, one behind the other, until that is full; then
// all are forgotten and come back when they are used again.
//
// Invariant: `create` gives instructions that make exactly the target; `apply` as in delta-status.ts. Results are copies.
import { openKernel } from './kernel.js';
import type { Kernel, KernelExports } from './kernel.js';
import { indexBits, indexStep } from './plain-delta.js';

interface DeltaExports extends KernelExports {
  index(base: number, size: number, slots: number, bits: number, step: number): void;
  create(
    base: number, baseSize: number, slots: number, bits: number, target: number, targetSize: number, out: number, limit: number,
  ): number;
  apply(base: number, baseSize: number, delta: number, deltaEnd: number, result: number, resultSize: number): number;
}

const slack = 32;
/** Prepared bases may take this much before all are forgotten. */
const residentBytes = 12 * 1024 * 1024;

function aligned(address: number): number {
  return (address + slack + 63) & ~63;
}

/** Where a base and its index are; stale when `generation` is not the kernel's. */
export interface ResidentBase {
  readonly generation: number;
  readonly base: number;
  readonly slots: number;
  readonly bits: number;
}

export class DeltaKernel {
  readonly #kernel: Kernel<DeltaExports>;
  #generation = 0;
  #free: number;

  private constructor(kernel: Kernel<DeltaExports>) {
    this.#kernel = kernel;
    this.#free = kernel.regionStart;
  }

  static open(): DeltaKernel | undefined {
    const kernel = openKernel<DeltaExports>('delta');
    return kernel && new DeltaKernel(kernel);
  }

  /** Applies the instructions of `delta` from `start` on, writing `result`; 0, or what is wrong with them. */
  apply(base: Buffer, delta: Buffer, start: number, result: Buffer): number {
    const at = this.#free;
    const instructions = aligned(at + base.length);
    const made = aligned(instructions + delta.length - start);
    const heap = this.#kernel.heap(aligned(made + result.length));
    heap.set(base, at);
    heap.set(delta.subarray(start), instructions);
    const end = instructions + delta.length - start;
    const status = this.#kernel.exports.apply(at, base.length, instructions, end, made, result.length);
    if (status === 0) result.set(heap.subarray(made, made + result.length));
    return status;
  }

  isResident(resident: ResidentBase): boolean {
    return resident.generation === this.#generation;
  }

  /** Brings a base in and indexes it. */
  prepare(base: Buffer): ResidentBase {
    const step = indexStep(base.length);
    const bits = indexBits(base.length, step);
    const needed = base.length + 4 * 2 ** bits + 4 * slack + 128;
    if (this.#free > this.#kernel.regionStart && this.#free + needed > residentBytes) {
      this.#free = this.#kernel.regionStart;
      this.#generation++;
    }
    const at = this.#free;
    const slots = aligned(at + base.length);
    const end = aligned(slots + 4 * 2 ** bits);
    this.#kernel.heap(end).set(base, at);
    this.#kernel.exports.index(at, base.length, slots, bits, step);
    this.#free = end;
    return { generation: this.#generation, base: at, slots, bits };
  }

  /** Instructions of at most `mostBytes` that make `target`, appended to `header`; undefined when that is not enough. */
  create(resident: ResidentBase, baseBytes: number, target: Buffer, header: Buffer, mostBytes: number): Buffer | undefined {
    const at = this.#free;
    const out = aligned(at + target.length);
    const heap = this.#kernel.heap(aligned(out + mostBytes));
    heap.set(target, at);
    const end = this.#kernel.exports.create(
      resident.base, baseBytes, resident.slots, resident.bits, at, target.length, out, out + mostBytes);
    if (end === 0) return undefined;
    const result = Buffer.allocUnsafe(header.length + end - out);
    result.set(header);
    result.set(heap.subarray(out, end), header.length);
    return result;
  }
}
