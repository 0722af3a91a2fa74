// Contents of commits, or their subjects, between the moment a walk reads them, for their dates, and the moment they are shown.
//
// They lie one after another in blocks; a block is used again once everything in it was let go, so that a long walk needs little
// memory and leaves the collector nothing to do. What `get` gives is a view, good until the content is let go.
import type { OutputPage } from '../output-page.js';

const blockBytes = 256 * 1024;

interface Block {
  readonly bytes: Buffer;
  used: number;
  /** Contents that were not let go yet. */
  held: number;
}

interface Held { readonly block: Block; readonly start: number; readonly end: number }

export class HeldContents {
  readonly #held = new Map<number, Held>();
  readonly #free: Block[] = [];
  #block: Block | undefined;

  /** Keeps a copy of the bytes from `from` to `to` under a number that has none. */
  keep(number: number, bytes: Buffer, from: number, to: number): void {
    const block = this.#room(to - from);
    const start = block.used;
    bytes.copy(block.bytes, start, from, to);
    block.used += to - from;
    block.held += 1;
    this.#held.set(number, { block, start, end: block.used });
  }

  get(number: number): Buffer | undefined {
    const held = this.#held.get(number);
    return held?.block.bytes.subarray(held.start, held.end);
  }

  has(number: number): boolean { return this.#held.has(number); }

  /** Prints a content that is there. */
  put(number: number, page: OutputPage): void {
    const held = this.#held.get(number);
    if (held !== undefined) page.span(held.block.bytes, held.start, held.end);
  }

  letGo(number: number): void {
    const held = this.#held.get(number);
    if (held === undefined) return;
    this.#held.delete(number);
    const { block } = held;
    block.held -= 1;
    if (block.held > 0) return;
    block.used = 0;
    if (block !== this.#block && block.bytes.length === blockBytes) this.#free.push(block);
  }

  #room(sizeBytes: number): Block {
    if (sizeBytes > blockBytes / 4) return { bytes: Buffer.allocUnsafeSlow(sizeBytes), used: 0, held: 0 };
    if (this.#block === undefined || this.#block.used + sizeBytes > blockBytes) {
      this.#block = this.#free.pop() ?? { bytes: Buffer.allocUnsafeSlow(blockBytes), used: 0, held: 0 };
    }
    return this.#block;
  }
}
