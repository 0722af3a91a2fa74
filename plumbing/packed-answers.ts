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
const newline = 0x0a;

export class PackedAnswers {
  readonly cursor: PackCursor;
  readonly #stdout: Output;
  readonly #digits: number;
  readonly #start: number;
  readonly #limit: number;
  #end: number;

  private constructor(cursor: PackCursor, stdout: Output, digits: number) {
    this.cursor = cursor;
    this.#stdout = stdout;
    this.#digits = digits;
    this.#start = cursor.reserve(enoughBytes + cursor.roomBytes);
    this.#limit = this.#start + enoughBytes + cursor.roomBytes;
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
    // The frame an object is hashed with ends as the line does, but for a NUL where the line has its newline.
    if (!cursor.readTo(this.#end + this.#digits + 1, this.#limit)) return false;
    const { memory } = cursor;
    encodeHexInto(memory, this.#end, cursor.ids, cursor.idOffset, this.#digits);
    memory[this.#end + this.#digits] = 0x20;
    memory[cursor.start - 1] = newline;
    memory[cursor.end] = newline;
    this.#end = cursor.end + 1;
    this.#flushEnough();
    return true;
  }

  /** The line `parts` make of the object the cursor is at. */
  addLine(parts: readonly LinePart[]): boolean {
    const { cursor } = this;
    if (!cursor.describe()) return false;
    const { memory } = cursor;
    let at = this.#end;
    for (const part of parts) {
      if (part === 'objectname') {
        encodeHexInto(memory, at, cursor.ids, cursor.idOffset, this.#digits);
        at += this.#digits;
      } else if (part === 'objectsize') {
        at = writeDecimal(memory, at, cursor.sizeBytes);
      } else {
        at = writeBytes(memory, at, part === 'objecttype' ? typeNames[cursor.kind]! : part);
      }
    }
    memory[at] = newline;
    this.#end = at + 1;
    this.#flushEnough();
    return true;
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
