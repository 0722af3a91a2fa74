// Compressed deltas between being found and being written, in a bounded memory. Once that is full, deltas are dropped and made again when
// they are written: the same base and target give the same delta.
//
// Contents lie one behind the other in large pieces of memory, since hundreds of thousands of small buffers would take more room themselves.

const pieceBytes = 1024 * 1024;

export class DeltaSpool {
  readonly #mostBytes: number;
  readonly #pieces: Buffer[] = [];
  readonly #places = new Map<number, number>();
  #used = pieceBytes;
  #totalBytes = 0;

  /** Keeps at most `mostBytes`. */
  constructor(mostBytes: number) { this.#mostBytes = mostBytes; }

  /** Keeps a copy of what belongs to `number`, where there is room. */
  keep(number: number, bytes: Uint8Array): void {
    // A place is one number: where it begins, and how long it is.
    if (bytes.length >= pieceBytes || this.#totalBytes + bytes.length > this.#mostBytes) return;
    if (this.#used + bytes.length > pieceBytes) {
      this.#pieces.push(Buffer.allocUnsafeSlow(pieceBytes));
      this.#used = 0;
    }
    this.#pieces.at(-1)!.set(bytes, this.#used);
    this.#places.set(number, ((this.#pieces.length - 1) * pieceBytes + this.#used) * pieceBytes + bytes.length);
    this.#used += bytes.length;
    this.#totalBytes += bytes.length;
  }

  /** What was kept for `number`: a view. */
  find(number: number): Buffer | undefined {
    const place = this.#places.get(number);
    if (place === undefined) return undefined;
    const start = Math.floor(place / pieceBytes);
    const at = start % pieceBytes;
    return this.#pieces[Math.floor(start / pieceBytes)]!.subarray(at, at + (place % pieceBytes));
  }
}
