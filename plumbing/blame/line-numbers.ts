// Lines of many versions of a file as numbers: equal lines have equal numbers, whichever version they are in, so that versions are
// compared without looking at their bytes again.
//
// A version is numbered beside one that is known: what both begin and end with is copied, only the rest is looked at. Each distinct
// line is kept once. Pure.
import { type LineChange, type Lines, type NumberedLines, type TextDiffOptions, diffNumbered, lineKey, trimCommonTail } from '../diff/text-diff.js';

const blockBytes = 4096;

export class LineNumbers {
  readonly #options: TextDiffOptions;
  readonly #key: ((text: string) => string) | undefined;
  /** With a key: numbers by key. */
  readonly #byKey = new Map<string, number>();
  /** Without: the bytes of each number, and a table of numbers by hash, 0 for a free slot, else one more than the number. */
  #bytes = Buffer.allocUnsafe(1 << 16);
  #used = 0;
  #starts = new Int32Array(1024);
  #hashes = new Int32Array(1024);
  #slots = new Int32Array(4096);
  #count = 0;

  constructor(options: TextDiffOptions) {
    this.#options = options;
    this.#key = lineKey(options);
  }

  /** The lines of `bytes`; `near` is a version much like it. */
  number(bytes: Buffer, near?: NumberedLines): NumberedLines {
    const before = near?.lines;
    const head = before === undefined ? 0 : commonHead(before, bytes);
    const tail = before === undefined ? 0 : commonTail(before, bytes, head);
    const starts: number[] = [];
    const middle: number[] = [];
    const from = before === undefined ? 0 : before.starts[head]!;
    const tailAt = before === undefined ? bytes.length : bytes.length - (before.bytes.length - before.starts[before.count - tail]!);
    for (let at = from; at < tailAt;) {
      starts.push(at);
      const newline = bytes.indexOf(10, at);
      const end = newline < 0 || newline >= tailAt ? tailAt : newline + 1;
      middle.push(this.#key === undefined ? this.#numberOf(bytes, at, end) : this.#numberByKey(this.#key(bytes.toString('latin1', at, end))));
      at = end;
    }
    const count = head + middle.length + tail;
    const allStarts = new Int32Array(count + 1);
    const numbers = new Int32Array(count);
    if (before !== undefined) {
      allStarts.set(before.starts.subarray(0, head));
      numbers.set(near!.numbers.subarray(0, head));
      numbers.set(near!.numbers.subarray(before.count - tail), count - tail);
      const shift = bytes.length - before.bytes.length;
      for (let line = 0; line < tail; line += 1) allStarts[count - tail + line] = before.starts[before.count - tail + line]! + shift;
    }
    allStarts.set(starts, head);
    numbers.set(middle, head);
    allStarts[count] = bytes.length;
    return { lines: { bytes, count, starts: allStarts }, numbers };
  }

  /** What turns `a` into `b`, both numbered here, as git finds it when it shows no context. */
  diff(a: NumberedLines, b: NumberedLines): LineChange[] {
    const [left, right] = trimmed(a, b);
    return diffNumbered(left, right, this.#count + this.#byKey.size, this.#options);
  }

  #numberByKey(key: string): number {
    let number = this.#byKey.get(key);
    if (number === undefined) this.#byKey.set(key, number = this.#byKey.size);
    return number;
  }

  #numberOf(bytes: Buffer, from: number, to: number): number {
    let hash = 0x811c9dc5;
    for (let at = from; at < to; at += 1) hash = Math.imul(hash ^ bytes[at]!, 0x01000193);
    hash ^= hash >>> 15;
    const mask = this.#slots.length - 1;
    let slot = hash & mask;
    for (let held = this.#slots[slot]!; held !== 0; held = this.#slots[slot = (slot + 1) & mask]!) {
      const number = held - 1;
      if (this.#hashes[number] === hash && this.#holds(number, bytes, from, to)) return number;
    }
    return this.#add(slot, hash, bytes, from, to);
  }

  #holds(number: number, bytes: Buffer, from: number, to: number): boolean {
    const start = this.#starts[number]!;
    if (this.#starts[number + 1]! - start !== to - from) return false;
    const own = this.#bytes;
    for (let at = from; at < to; at += 1) if (own[start + at - from] !== bytes[at]) return false;
    return true;
  }

  #add(slot: number, hash: number, bytes: Buffer, from: number, to: number): number {
    const number = this.#count;
    this.#count += 1;
    if (this.#used + to - from > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#used + to - from));
      this.#bytes.copy(larger, 0, 0, this.#used);
      this.#bytes = larger;
    }
    bytes.copy(this.#bytes, this.#used, from, to);
    this.#used += to - from;
    if (number + 1 >= this.#starts.length) {
      this.#starts = grown(this.#starts);
      this.#hashes = grown(this.#hashes);
    }
    this.#starts[number + 1] = this.#used;
    this.#hashes[number] = hash;
    this.#slots[slot] = number + 1;
    if (this.#count * 2 > this.#slots.length) this.#spread();
    return number;
  }

  #spread(): void {
    const slots = new Int32Array(this.#slots.length * 2);
    const mask = slots.length - 1;
    for (let number = 0; number < this.#count; number += 1) {
      let slot = this.#hashes[number]! & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = number + 1;
    }
    this.#slots = slots;
  }
}

function grown(array: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(array.length * 2);
  larger.set(array);
  return larger;
}

/** Some of the lines, as a text of their own. */
export function linesFrom({ lines, numbers }: NumberedLines, from: number, to: number): NumberedLines {
  return { lines: { bytes: lines.bytes, count: to - from, starts: lines.starts.subarray(from, to + 1) }, numbers: numbers.subarray(from, to) };
}

function bytesOf({ bytes, count, starts }: Lines): Buffer {
  return bytes.subarray(starts[0], starts[count]);
}

function trimmed(a: NumberedLines, b: NumberedLines): [NumberedLines, NumberedLines] {
  const [left, right] = [bytesOf(a.lines), bytesOf(b.lines)];
  const cut = left.length - trimCommonTail(left, right)[0].length;
  return cut === 0 ? [a, b] : [linesFrom(a, 0, lineAt(a.lines, cut)), linesFrom(b, 0, lineAt(b.lines, cut))];
}

/** How many lines are left when `cut` bytes, which begin with a line, go from the end. */
function lineAt({ count, starts }: Lines, cut: number): number {
  const end = starts[count]! - cut;
  let [low, high] = [0, count];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (starts[middle]! < end) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** How many whole lines both begin with. */
function commonHead(before: Lines, bytes: Buffer): number {
  const most = Math.min(before.bytes.length, bytes.length);
  let same = 0;
  while (same < most) {
    const end = Math.min(same + blockBytes, most);
    if (before.bytes.compare(bytes, same, end, same, end) !== 0) break;
    same = end;
  }
  while (same < most && before.bytes[same] === bytes[same]) same += 1;
  let [low, high] = [0, before.count];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (before.starts[middle]! <= same) low = middle;
    else high = middle - 1;
  }
  // The end of a text without a last line end ends no line of a longer one.
  while (low > 0 && bytes[before.starts[low]! - 1] !== 10 && before.starts[low]! !== bytes.length) low -= 1;
  return low;
}

/** How many whole lines after the first `head` both end with. */
function commonTail(before: Lines, bytes: Buffer, head: number): number {
  const from = before.starts[head]!;
  const most = Math.min(before.bytes.length, bytes.length) - from;
  let same = 0;
  const [one, two] = [before.bytes.length, bytes.length];
  while (same < most) {
    const step = Math.min(blockBytes, most - same);
    if (before.bytes.compare(bytes, two - same - step, two - same, one - same - step, one - same) !== 0) break;
    same += step;
  }
  while (same < most && before.bytes[one - same - 1] === bytes[two - same - 1]) same += 1;
  let [low, high] = [head, before.count];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (before.starts[middle]! >= one - same) high = middle;
    else low = middle + 1;
  }
  // A line counts only if the other text has one that begins there, too.
  while (low < before.count && two - (one - before.starts[low]!) !== from && bytes[two - (one - before.starts[low]!) - 1] !== 10) low += 1;
  return before.count - low;
}
