// Answers about packed objects, of cat-file --batch and --batch-check (git-cat-file(1), "BATCH OUTPUT"): made in the memory the objects
// are read into, and written from there, so that nothing is made or copied for each.
//
// Invariant: an answer is complete or was not begun, and content is verified before it counts. False means that the object has to be
// answered for in another way, after `flush`: answers leave in the order they were made.
import type { PackCursor } from '../pack/pack-cursor.js';
import { encodeHexInto, hexSize } from '../pack/oid.js';
import type { Output } from './command.js';
import type { Repository } from './repository.js';

/** Parts of a line: bytes as they are, or what they stand for. */
export type LinePart = Uint8Array | 'objectname' | 'objecttype' | 'objectsize';

/** What a line has when nobody says otherwise. */
export const usualLine: readonly LinePart[] = ['objectname', Buffer.from(' '), 'objecttype', Buffer.from(' '), 'objectsize'];

const typeNames = ['', 'commit', 'tree', 'blob', 'tag'].map((name) => Buffer.from(name));
/** Written out when there is this much: more than any buffer or pipe takes at once. */
const enoughBytes = 128 * 1024;
/** The parts of a format that are longer are not for this way. */
const mostLineBytes = 32 * 1024;
/** Longer than a usual line. */
const mostUsualBytes = 128;
const mostInputBytes = 64 * 1024;
const newline = 0x0a;

export class PackedAnswers {
  readonly cursor: PackCursor;
  readonly #stdout: Output;
  readonly #digits: number;
  readonly #start: number;
  #end: number;
  /** The input that lies at `#inputAt`. */
  #input: Buffer | undefined;
  #inputAt = 0;

  private constructor(cursor: PackCursor, stdout: Output, digits: number) {
    this.cursor = cursor;
    this.#stdout = stdout;
    this.#digits = digits;
    this.#start = cursor.reserve(enoughBytes + mostLineBytes + cursor.mostBytes);
    this.#end = this.#start;
  }

  /** Undefined where objects cannot be read that way. */
  static open(repository: Repository): PackedAnswers | undefined {
    const { objects, format, context: { stdout } } = repository;
    const cursor = objects.hasReplacements ? undefined : objects.openCursor();
    return cursor && new PackedAnswers(cursor, stdout, hexSize(format));
  }

  /** The usual line of the object the cursor is at, its content, and a newline. */
  addContent(): boolean {
    const { cursor } = this;
    if (!cursor.read()) return false;
    const at = this.#addLine(usualLine, cursor.kind, cursor.end - cursor.start);
    const { memory } = cursor;
    memory.copyWithin(at, cursor.start, cursor.end);
    this.#end = at + cursor.end - cursor.start;
    memory[this.#end] = newline;
    this.#end += 1;
    this.#flushEnough();
    return true;
  }

  /** The line `parts` make of the object the cursor is at. */
  addLine(parts: readonly LinePart[]): boolean {
    const { cursor } = this;
    if (!cursor.describe()) return false;
    this.#end = this.#addLine(parts, cursor.kind, cursor.sizeBytes);
    this.#flushEnough();
    return true;
  }

  /**
   * The usual lines of the ids that begin at `start` of a piece of input, each with `terminator` behind it: where the first begins that has to
   * be answered for in another way.
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
      const next = cursor.describeLines(at, this.#inputAt + input.length, terminator, this.#end, this.#start + enoughBytes);
      if (next === at) return at - this.#inputAt;
      at = next;
      this.#end = cursor.describedEnd;
      if (this.#end + mostUsualBytes > this.#start + enoughBytes) this.flush();
    }
  }

  /** Where the line ends. */
  #addLine(parts: readonly LinePart[], kind: number, sizeBytes: number): number {
    const { cursor } = this;
    const { memory } = cursor;
    let at = this.#end;
    for (let number = 0; number < parts.length; number += 1) {
      const part = parts[number]!;
      if (part === 'objectname') {
        encodeHexInto(memory, at, cursor.ids, cursor.idOffset, this.#digits);
        at += this.#digits;
      } else if (part === 'objectsize') {
        at = writeDecimal(memory, at, sizeBytes);
      } else {
        at = writeBytes(memory, at, part === 'objecttype' ? typeNames[kind]! : part);
      }
    }
    memory[at] = newline;
    return at + 1;
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

function writeBytes(memory: Uint8Array, at: number, bytes: Uint8Array): number {
  for (let byte = 0; byte < bytes.length; byte += 1) memory[at + byte] = bytes[byte]!;
  return at + bytes.length;
}

function writeDecimal(memory: Uint8Array, at: number, value: number): number {
  let digits = 1;
  for (let rest = value; rest >= 10; rest = Math.floor(rest / 10)) digits += 1;
  let rest = value;
  for (let digit = at + digits - 1; digit >= at; digit -= 1) {
    const tenth = Math.floor(rest / 10);
    memory[digit] = 48 + rest - tenth * 10;
    rest = tenth;
  }
  return at + digits;
}
