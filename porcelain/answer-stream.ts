// What `cairn batch` answers: everything a command prints, cut into frames that say their kind and size, and at last its exit code. A frame is a line
// `out <bytes>` or `err <bytes>`, followed by that many bytes; `exit <code>` ends the answer. Specified in cairn-batch(1).
//
// Invariant: nothing but frames is ever written, and an answer without `exit` is not complete. What fits into one frame of a kind comes as
// one; memory does not grow with what is printed.
import type { Output } from '../plumbing/command.js';

const frameBytes = 64 * 1024;

class FramedOutput implements Output {
  readonly isTerminal = false;
  readonly columns: number;
  readonly #sink: Output;
  readonly #kind: 'out' | 'err';
  readonly #held = Buffer.allocUnsafeSlow(frameBytes);
  #used = 0;

  constructor(sink: Output, kind: 'out' | 'err') {
    this.#sink = sink;
    this.#kind = kind;
    this.columns = sink.columns;
  }

  write(data: string | Uint8Array): void {
    const bytes = typeof data === 'string' ? Buffer.from(data) : data;
    if (bytes.length > frameBytes - this.#used) this.send();
    if (bytes.length > frameBytes) {
      this.#frame(bytes);
      return;
    }
    this.#held.set(bytes, this.#used);
    this.#used += bytes.length;
  }

  /** A command has no partner to talk to while it runs: all its input is there. */
  flush(): void { /* `send` does, when a frame is full and when the command ends */ }

  send(): void {
    if (this.#used === 0) return;
    this.#frame(this.#held.subarray(0, this.#used));
    this.#used = 0;
  }

  #frame(bytes: Uint8Array): void {
    this.#sink.write(`${this.#kind} ${bytes.length}\n`);
    this.#sink.write(bytes);
  }
}

export class AnswerStream {
  readonly #sink: Output;
  readonly #out: FramedOutput;
  readonly #err: FramedOutput;

  constructor(sink: Output) {
    this.#sink = sink;
    this.#out = new FramedOutput(sink, 'out');
    this.#err = new FramedOutput(sink, 'err');
  }

  /** Where the command prints. */
  get stdout(): Output { return this.#out; }
  get stderr(): Output { return this.#err; }

  /** Ends the answer, and lets the reader have it. */
  end(exitCode: number): void {
    this.#out.send();
    this.#err.send();
    this.#sink.write(`exit ${exitCode}\n`);
    this.#sink.flush();
  }
}
