// Output on its way: collected as bytes, and handed on in large pieces. Text is latin1, one character a byte, as everywhere in plumbing;
// ids and parts of contents are put in without becoming strings on the way.
//
// What was put in is out only after `flush`.
import { encodeHexInto } from '../pack/oid.js';

const pageBytes = 64 * 1024;

/** Where the pages go; the bytes are used again once `write` returns. */
export interface PageTaker {
  write(bytes: Uint8Array): void;
}

export class OutputPage {
  readonly #output: PageTaker;
  readonly #bytes = Buffer.allocUnsafeSlow(pageBytes);
  #used = 0;

  constructor(output: PageTaker) {
    this.#output = output;
  }

  /** For who knows nothing but text. */
  readonly text = (latin1: string): void => {
    if (latin1.length > pageBytes / 2) {
      this.flush();
      this.#output.write(Buffer.from(latin1, 'latin1'));
      return;
    }
    this.#need(latin1.length);
    this.#used += this.#bytes.write(latin1, this.#used, 'latin1');
  };

  byte(value: number): void {
    this.#need(1);
    this.#bytes[this.#used] = value;
    this.#used += 1;
  }

  /** The bytes from `start` to `end`, copied. */
  span(bytes: Buffer, start: number, end: number): void {
    if (end - start > pageBytes / 2) {
      this.flush();
      this.#output.write(bytes.subarray(start, end));
      return;
    }
    this.#need(end - start);
    // A few bytes are copied before the way into the runtime and back is gone.
    if (end - start > 128) bytes.copy(this.#bytes, this.#used, start, end);
    else for (let at = start, to = this.#used; at < end; at += 1, to += 1) this.#bytes[to] = bytes[at]!;
    this.#used += end - start;
  }

  /** As `span`, all of them. */
  bytes(bytes: Buffer): void {
    this.span(bytes, 0, bytes.length);
  }

  /** The first `digits` of the id whose raw bytes are at `at`. */
  id(raw: Uint8Array, at: number, digits: number): void {
    this.#need(digits);
    encodeHexInto(this.#bytes, this.#used, raw, at, digits);
    this.#used += digits;
  }

  flush(): void {
    if (this.#used > 0) this.#output.write(this.#bytes.subarray(0, this.#used));
    this.#used = 0;
  }

  #need(sizeBytes: number): void {
    if (this.#used + sizeBytes > pageBytes) this.flush();
  }
}
