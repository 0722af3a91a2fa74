// Deltas between objects: Git's copy/insert instructions (gitformat-pack, "Deltified representation").
//
// Invariant: `applyDelta` gives exactly the declared number of bytes or throws CorruptError, and checks what a delta could
// possibly make before it allocates; `createDelta` gives a delta that stock git applies to the same bytes, or nothing.
import { CorruptError } from './errors.js';
import { applyPlainDelta, PlainDeltaIndex } from './kernels/plain-delta.js';
import { describeDeltaDamage } from './kernels/delta-status.js';

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

/** The result of applying `delta` to `base`; CorruptError (code 'bad-delta') on any violation of the format. */
export function applyDelta(base: Buffer, delta: Buffer): Buffer {
  const baseSize = readSize(delta, 0);
  const resultSize = readSize(delta, baseSize.end);
  if (baseSize.value !== base.length) {
    throw badDelta(`it is for a base of ${baseSize.value} bytes, not ${base.length}`);
  }
  // One instruction of at most eight bytes copies at most 2^24 - 1 bytes, and never more than the base holds.
  const most = (delta.length - resultSize.end) * Math.min(0xffffff, Math.max(1, base.length));
  if (resultSize.value > most) throw badDelta('it makes fewer bytes than it declares');
  const result = Buffer.allocUnsafe(resultSize.value);
  const status = applyPlainDelta(base, delta, resultSize.end, result);
  if (status !== 0) throw badDelta(describeDeltaDamage(status));
  return result;
}

/** A delta that makes `target` from `base`, or undefined when it would take more than `maxBytes` (default: as many as `target`). */
export function createDelta(base: Buffer, target: Buffer, maxBytes?: number): Buffer | undefined {
  return new DeltaIndex(base).create(target, maxBytes);
}

/** A base prepared once, to make deltas of many targets against it. */
export class DeltaIndex {
  readonly #base: Buffer;
  readonly #index: PlainDeltaIndex;

  /** `base` must not change while the index is used. */
  constructor(base: Buffer) {
    this.#base = base;
    this.#index = new PlainDeltaIndex(base);
  }

  /** See `createDelta`. */
  create(target: Buffer, maxBytes = target.length): Buffer | undefined {
    const room = Math.max(0, Math.min(maxBytes, target.length + (target.length >> 6) + 32));
    // A copy is written only where seven bytes are free.
    const out = Buffer.allocUnsafe(room + 20);
    const start = writeSize(out, writeSize(out, 0, this.#base.length), target.length);
    const end = this.#index.create(target, out, start);
    return end < 0 || end > room ? undefined : Buffer.from(out.subarray(0, end));
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
