// The input of fast-import as it arrives: lines, and data between them of any size (git-fast-import(1), "Input Format").
//
// Text is latin1: one character is one byte. Nothing is held beyond the line or the piece of data asked for.
import { InvalidError } from '../../pack/errors.js';
import type { Input } from '../command.js';

/** Where content stands in the stream: so many bytes from here, or lines up to one that holds only the delimiter. */
export type DataExtent = { readonly sizeBytes: number } | { readonly delimiter: string };

/** Lines longer than this are no commands. */
const longestLineBytes = 16 * 1024 * 1024;
const newline = 0x0a;

export class ImportStream {
  readonly #input: Input;
  #chunk: Buffer = Buffer.alloc(0);
  #at = 0;
  #ended = false;
  #isPutBack = false;
  #line: string | undefined = '';
  /** The commands read last, for a report when one of them is wrong. */
  readonly recent: string[] = [];

  constructor(input: Input) {
    this.#input = input;
  }

  /** The command last read. */
  get line(): string | undefined { return this.#line; }

  /** The next line that is no comment, without its end; undefined at the end of the stream. */
  nextCommand(): string | undefined {
    if (this.#isPutBack) {
      this.#isPutBack = false;
      return this.#line;
    }
    do {
      this.#line = this.#readLine();
      if (this.#line === undefined) return undefined;
      this.recent.push(this.#line);
      if (this.recent.length > 100) this.recent.shift();
    } while (this.#line.startsWith('#'));
    return this.#line;
  }

  /** The next `nextCommand` gives the same line again. */
  putBack(): void {
    this.#isPutBack = true;
  }

  /** Passes over a line end, if one comes next. */
  skipNewline(): void {
    if (this.#fill() && this.#chunk[this.#at] === newline) this.#at += 1;
  }

  /** What the `data` command just read announces; InvalidError when it is none. */
  dataExtent(): DataExtent {
    const found = /^data (?:<<(.+)|([0-9]{1,16}))$/s.exec(this.#line ?? '');
    if (!found) throw new InvalidError(`expected 'data n' command, found: ${this.#line ?? 'the end of the stream'}`, { code: 'bad-stream' });
    return found[1] === undefined ? { sizeBytes: Number(found[2]) } : { delimiter: found[1] };
  }

  /** The whole content, and the line end that may follow it. */
  readData(extent: DataExtent): Buffer {
    const pieces = 'sizeBytes' in extent ? [...this.listPieces(extent.sizeBytes)] : this.#readUntil(extent.delimiter);
    this.skipNewline();
    return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
  }

  /** The next bytes of the stream, as they arrive; InvalidError when it ends before. */
  *listPieces(sizeBytes: number): Generator<Buffer> {
    for (let left = sizeBytes; left > 0;) {
      if (!this.#fill()) throw new InvalidError(`the stream ends within data: ${left} bytes are missing`, { code: 'bad-stream' });
      const piece = this.#chunk.subarray(this.#at, this.#at + left);
      this.#at += piece.length;
      left -= piece.length;
      yield piece;
    }
  }

  #readUntil(delimiter: string): Buffer[] {
    const lines: Buffer[] = [];
    for (;;) {
      const line = this.#readLine();
      if (line === undefined) throw new InvalidError(`the stream ends within data: no line '${delimiter}'`, { code: 'bad-stream' });
      if (line === delimiter) return lines;
      lines.push(Buffer.from(`${line}\n`, 'latin1'));
    }
  }

  /** False at the end of the stream. */
  #fill(): boolean {
    while (this.#at >= this.#chunk.length && !this.#ended) {
      const chunk = this.#input.readChunk();
      this.#ended = chunk === undefined;
      this.#chunk = chunk ?? this.#chunk.subarray(0, 0);
      this.#at = 0;
    }
    return this.#at < this.#chunk.length;
  }

  #readLine(): string | undefined {
    let line = '';
    if (!this.#fill()) return undefined;
    while (this.#fill()) {
      const end = this.#chunk.indexOf(newline, this.#at);
      line += this.#chunk.toString('latin1', this.#at, end < 0 ? this.#chunk.length : end);
      this.#at = end < 0 ? this.#chunk.length : end + 1;
      if (end >= 0) return line;
      if (line.length > longestLineBytes) throw new InvalidError('a line of the stream does not end', { code: 'bad-stream' });
    }
    return line;
  }
}
