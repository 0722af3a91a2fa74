// Answers about packed objects, of cat-file --batch and --batch-check (git-cat-file(1), "BATCH OUTPUT"): made in the memory the objects
// are read into, and written from there, so that nothing is made or copied for each.
//
// Invariant: an answer is complete or was not begun, and content is verified before it counts. False means that the object has to be
// answered for in another way, after `flush`: answers leave in the order they were made.
import type { PackCursor } from '../../pack/pack-cursor.js';
import { encodeHexInto, hexSize } from '../../pack/oid.js';
import type { Output } from '../command.js';
import type { Repository } from '../repository.js';

/** Bytes in a template that stand for something else. */
const parts = { objectname: 1, objecttype: 2, objectsize: 3 } as const;

/** A format that asks for nothing but name, type and size as a template of lines; undefined for any other. */
export function lineTemplate(format: string): Buffer | undefined {
  if (!/^(?:[\x20-\x24\x26-\x7e]|%\((?:objectname|objecttype|objectsize)\)){1,1000}$/.test(format)) return undefined;
  return Buffer.from(format.replace(/%\((object(?:name|type|size))\)/g, (_, name: keyof typeof parts) => String.fromCharCode(parts[name])));
}

/** Written out when there is this much: more than any buffer or pipe takes at once. */
const enoughBytes = 128 * 1024;
/** More than the longest line of a template takes. */
const mostLineBytes = 80 * 1024;
const mostInputBytes = 64 * 1024;
const newline = 0x0a;

export class PackedAnswers {
  readonly cursor: PackCursor;
  readonly #stdout: Output;
  readonly #digits: number;
  readonly #start: number;
  readonly #limit: number;
  #end: number;
  /** The input that lies at `#inputAt`. */
  #input: Buffer | undefined;
  #inputAt = 0;

  private constructor(cursor: PackCursor, stdout: Output, digits: number) {
    this.cursor = cursor;
    this.#stdout = stdout;
    this.#digits = digits;
    this.#limit = enoughBytes + mostLineBytes + cursor.mostBytes;
    this.#start = cursor.reserve(this.#limit);
    this.#limit += this.#start;
    this.#end = this.#start;
  }

  /** Answers with lines made of `template` (contents always have the usual line); undefined where objects cannot be read that way. */
  static open(repository: Repository, template: Uint8Array): PackedAnswers | undefined {
    const { objects, format, context: { stdout } } = repository;
    const cursor = objects.hasReplacements ? undefined : objects.openCursor();
    cursor?.useTemplate(template);
    return cursor && new PackedAnswers(cursor, stdout, hexSize(format));
  }

  /** The usual line of the object the cursor is at, its content, and a newline. */
  addContent(): boolean {
    const { cursor } = this;
    if (!cursor.read()) return false;
    const { memory, start, end } = cursor;
    encodeHexInto(memory, this.#end, cursor.ids, cursor.idOffset, this.#digits);
    const at = this.#end + this.#digits;
    // The header an object is hashed with has the rest of the line, with a NUL in place of the newline.
    memory[at] = 0x20;
    memory.copyWithin(at + 1, cursor.frameStart, end);
    memory[at + start - cursor.frameStart] = newline;
    memory[at + 1 + end - cursor.frameStart] = newline;
    this.#end = at + 2 + end - cursor.frameStart;
    this.#flushEnough();
    return true;
  }

  /**
   * Lines of the ids that begin at `start` of a piece of input, each with `terminator` behind it: where the first begins that has to be
   * answered for in another way.
   */
  addLines(input: Buffer, start: number, terminator: number): number {
    const { cursor } = this;
    if (cursor.pack === undefined || input.length > mostInputBytes) return start;
    if (this.#input !== input) {
      this.#inputAt ||= cursor.reserve(mostInputBytes + 64);
      cursor.memory.set(input, this.#inputAt);
      this.#input = input;
    }
    let at = this.#inputAt + start;
    for (;;) {
      const next = cursor.describeLines(at, this.#inputAt + input.length, terminator, this.#end, this.#limit);
      if (next === at) return at - this.#inputAt;
      at = next;
      this.#end = cursor.describedEnd;
      this.#flushEnough();
    }
  }

  /** Lines of the objects from where the cursor is to a position; it stays at the first that has to be answered for in another way. */
  addRange(until: number): void {
    const { cursor } = this;
    for (;;) {
      const from = cursor.position;
      cursor.describeRange(until, this.#end, this.#limit);
      if (cursor.position === from) return;
      this.#end = cursor.describedEnd;
      this.#flushEnough();
    }
  }

  #flushEnough(): void {
    if (this.#end - this.#start >= enoughBytes) this.flush();
  }

  /** Hands over what was answered so far. */
  flush(): void {
    if (this.#end === this.#start) return;
    this.#stdout.write(this.cursor.memory.subarray(this.#start, this.#end));
    this.#end = this.#start;
  }
}
