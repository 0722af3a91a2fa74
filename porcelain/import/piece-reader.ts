// A stream of bytes read in exact amounts, and how much of it may be made of what was read: what unpacks to far more than it takes is refused
// while it is read. Constant memory.
import { CorruptError, RefusedError } from '../../pack/errors.js';

export class PieceReader {
  readonly #pieces: Iterator<Uint8Array>;
  readonly #what: string;
  #piece: Buffer = Buffer.alloc(0);
  #offset = 0;

  /** `what` is named in errors. */
  constructor(pieces: Iterable<Uint8Array>, what: string) {
    this.#pieces = pieces[Symbol.iterator]();
    this.#what = what;
  }

  /** Bytes used up so far. */
  get offset(): number { return this.#offset; }

  /** Up to `most` bytes, fewer where a piece ends; empty at the end. A view, good until the next call. */
  some(most: number): Buffer {
    while (this.#piece.length === 0) {
      const next = this.#pieces.next();
      if (next.done === true) return this.#piece;
      this.#piece = Buffer.from(next.value.buffer, next.value.byteOffset, next.value.byteLength);
    }
    const taken = this.#piece.subarray(0, most);
    this.#piece = this.#piece.subarray(taken.length);
    this.#offset += taken.length;
    return taken;
  }

  /** Exactly so many bytes; undefined where the stream ends before the first of them. CorruptError when it ends within. */
  take(sizeBytes: number): Buffer | undefined {
    const bytes = Buffer.alloc(sizeBytes);
    let done = 0;
    while (done < sizeBytes) {
      const part = this.some(sizeBytes - done);
      if (part.length === 0) break;
      part.copy(bytes, done);
      done += part.length;
    }
    if (done === sizeBytes) return bytes;
    if (done === 0) return undefined;
    throw this.#early();
  }

  /** The same in pieces; each is good until the next. */
  *stream(sizeBytes: number): Generator<Buffer> {
    for (let left = sizeBytes; left > 0;) {
      const part = this.some(left);
      if (part.length === 0) throw this.#early();
      left -= part.length;
      yield Buffer.from(part);
    }
  }

  #early(): CorruptError {
    return new CorruptError(`${this.#what} ends early`, { code: 'bad-import' });
  }
}

/** What may always be unpacked, and how much more for each byte that was read. */
const freeBytes = 4 * 1024 * 1024 * 1024;
const mostExpansion = 100;

/** How much content may come out of how much input. */
export class Budget {
  readonly #mostBytes: number | undefined;
  #read = 0;
  #made = 0;

  /** `mostBytes`: the caller's own limit instead. */
  constructor(mostBytes: number | undefined) { this.#mostBytes = mostBytes; }

  /** Counts input on its way. */
  *reading(pieces: Iterable<Uint8Array>): Generator<Uint8Array> {
    for (const piece of pieces) {
      this.#read += piece.length;
      yield piece;
    }
  }

  /** Notes input that is read some other way. */
  addRead(sizeBytes: number): void {
    this.#read += sizeBytes;
  }

  /** Counts content on its way; RefusedError when there is too much of it. */
  *making(pieces: Iterable<Buffer>): Generator<Buffer> {
    for (const piece of pieces) {
      this.#made += piece.length;
      const most = this.#mostBytes ?? freeBytes + mostExpansion * this.#read;
      if (this.#made > most) throw new RefusedError(`it unpacks to more than ${most} bytes`, { code: 'import-too-large', hint: 'if that is right, allow more with --most-bytes' });
      yield piece;
    }
  }
}
