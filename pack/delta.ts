// Deltas between objects: Git's copy/insert instructions (gitformat-pack, "Deltified representation").
//
// Invariant: `applyDelta` gives exactly the declared number of bytes or throws CorruptError, and checks what a delta could
// possibly make before it allocates; `createDelta` gives a delta that stock git applies to the same bytes, or nothing.
import { CorruptError } from './errors.js';
import { DeltaKernel } from './kernels/delta-kernel.js';
import type { ResidentBase } from './kernels/delta-kernel.js';
import {
  deltaCopyOutside, deltaReserved, deltaResultLong, deltaResultShort, deltaTruncated, describeDeltaDamage,
} from './kernels/delta-status.js';
import { hasKernels } from './kernels/kernel.js';
import { applyPlainDelta, PlainDeltaIndex } from './kernels/plain-delta.js';

/** Larger ones are handled without the kernel, whose memory would stay that large. */
const mostKernelBytes = 16 * 1024 * 1024;

/** Deltas shorter than this are always applied without the kernel. */
const fewInstructionBytes = 256;

let shared: DeltaKernel | undefined;

function kernelFor(...sizes: readonly number[]): DeltaKernel | undefined {
  if (!hasKernels() || sizes.some((size) => size > mostKernelBytes)) return undefined;
  return (shared ??= DeltaKernel.open());
}

/** The two sizes a delta begins with. */
export interface DeltaSizes {
  readonly baseBytes: number;
  readonly resultBytes: number;
}

/** The sizes declared at the start of `delta`; CorruptError when they are not there or beyond what a number can hold. */
export function readDeltaSizes(delta: Uint8Array): DeltaSizes {
  const base = readSize(delta, 0);
  return { baseBytes: base.value, resultBytes: readSize(delta, base.end).value };
}

function readSize(delta: Uint8Array, at: number): { value: number; end: number } {
  let value = 0;
  for (let scale = 1; scale <= 2 ** 49; scale *= 128) {
    const byte = delta[at++];
    if (byte === undefined) throw badDelta('it ends in the middle of its sizes');
    value += (byte & 127) * scale;
    if (byte < 128) {
      if (!Number.isSafeInteger(value)) break;
      return { value, end: at };
    }
  }
  throw badDelta('it declares a size beyond all bounds');
}

function badDelta(what: string): CorruptError {
  return new CorruptError(`delta is damaged: ${what}`, { code: 'bad-delta' });
}

/**
 * The result of applying `delta` to `base`, in what `allocate` gives for its size; CorruptError (code 'bad-delta') on any violation of
 * the format.
 */
export function applyDelta(base: Buffer, delta: Buffer, allocate: (sizeBytes: number) => Buffer = Buffer.allocUnsafe): Buffer {
  const baseSize = readSize(delta, 0);
  const resultSize = readSize(delta, baseSize.end);
  if (baseSize.value !== base.length) {
    throw badDelta(`it is for a base of ${baseSize.value} bytes, not ${base.length}`);
  }
  // One instruction of at most eight bytes copies at most 2^24 - 1 bytes, and never more than the base holds.
  const most = (delta.length - resultSize.end) * Math.min(0xffffff, Math.max(1, base.length));
  if (resultSize.value > most) throw badDelta('it makes fewer bytes than it declares');
  const result = allocate(resultSize.value);
  // Few instructions for much content are quickest as they are; many pay for bringing everything into the kernel and back.
  const isDense = delta.length >= fewInstructionBytes && delta.length * 128 >= base.length + result.length;
  const kernel = isDense ? kernelFor(base.length, delta.length, result.length) : undefined;
  const status = kernel === undefined
    ? applyPlainDelta(base, delta, resultSize.end, result)
    : kernel.apply(base, delta, resultSize.end, result);
  if (status !== 0) throw badDelta(describeDeltaDamage(status));
  return result;
}

/**
 * The result of applying `delta` to `base` as parts of either, in order, none of them copied: for results too large to hold. CorruptError
 * at the first violation of the format.
 */
export function* applyDeltaInPieces(base: Buffer, delta: Buffer): Generator<Buffer> {
  const baseSize = readSize(delta, 0);
  const resultSize = readSize(delta, baseSize.end);
  if (baseSize.value !== base.length) throw badDelta(`it is for a base of ${baseSize.value} bytes, not ${base.length}`);
  let left = resultSize.value;
  for (let at = resultSize.end; at < delta.length;) {
    const code = delta[at]!;
    at += 1;
    let piece: Buffer;
    if (code < 128) {
      if (code === 0) throw badDelta(describeDeltaDamage(deltaReserved));
      piece = delta.subarray(at, at + code);
      if (piece.length < code) throw badDelta(describeDeltaDamage(deltaTruncated));
      at += code;
    } else {
      let offset = 0;
      let size = 0;
      for (let bit = 0; bit < 7; bit += 1) {
        if ((code & (1 << bit)) === 0) continue;
        const byte = delta[at];
        if (byte === undefined) throw badDelta(describeDeltaDamage(deltaTruncated));
        at += 1;
        if (bit < 4) offset += byte * 256 ** bit;
        else size += byte * 256 ** (bit - 4);
      }
      if (size === 0) size = 0x10000;
      if (offset + size > base.length) throw badDelta(describeDeltaDamage(deltaCopyOutside));
      piece = base.subarray(offset, offset + size);
    }
    left -= piece.length;
    if (left < 0) throw badDelta(describeDeltaDamage(deltaResultLong));
    yield piece;
  }
  if (left > 0) throw badDelta(describeDeltaDamage(deltaResultShort));
}

/** A delta that makes `target` from `base` in at most `maxBytes` (default: as many as `target` has); undefined when none is found. */
export function createDelta(base: Buffer, target: Buffer, maxBytes?: number): Buffer | undefined {
  return new DeltaIndex(base).create(target, maxBytes);
}

/** A base prepared once, to make deltas of many targets against it. */
export class DeltaIndex {
  readonly #base: Buffer;
  #plain: PlainDeltaIndex | undefined;
  #resident: ResidentBase | undefined;

  /** `base` must not change while the index is used. */
  constructor(base: Buffer) { this.#base = base; }

  /** See `createDelta`. */
  create(target: Buffer, maxBytes = target.length): Buffer | undefined {
    const header = Buffer.alloc(16);
    const start = writeSize(header, writeSize(header, 0, this.#base.length), target.length);
    // Instructions never take more than this: inserts alone make one byte of every 127 more.
    const room = Math.min(maxBytes, start + target.length + Math.ceil(target.length / 127)) - start;
    if (room < 0) return undefined;
    const kernel = kernelFor(this.#base.length, target.length);
    return kernel === undefined
      ? this.#createPlain(target, header.subarray(0, start), room)
      : this.#createInKernel(kernel, target, header.subarray(0, start), room);
  }

  #createInKernel(kernel: DeltaKernel, target: Buffer, header: Buffer, room: number): Buffer | undefined {
    if (this.#resident === undefined || !kernel.isResident(this.#resident)) this.#resident = kernel.prepare(this.#base);
    return kernel.create(this.#resident, this.#base.length, target, header, room);
  }

  #createPlain(target: Buffer, header: Buffer, room: number): Buffer | undefined {
    this.#plain ??= new PlainDeltaIndex(this.#base);
    const out = Buffer.allocUnsafe(header.length + room);
    header.copy(out);
    const end = this.#plain.create(target, out, header.length);
    return end < 0 ? undefined : Buffer.from(out.subarray(0, end));
  }
}

function writeSize(out: Buffer, at: number, size: number): number {
  while (size >= 128) {
    out[at++] = (size % 128) | 128;
    size = Math.floor(size / 128);
  }
  out[at++] = size;
  return at;
}
