// Ranges of lines as -L of git-blame(1) takes them: numbers, patterns, offsets, or a function by the pattern of its name.
import { InvalidError, UsageError } from '../../pack/errors.js';
import type { Lines } from '../diff/text-diff.js';
import type { FunctionFinder } from '../diff/diff-driver.js';
import { latin1 } from '../latin1.js';
import { parsePattern } from '../posix-regex.js';

/** Lines `from` up to, and without, `to`; counted from 0. */
export interface LineRange {
  readonly from: number;
  readonly to: number;
}

/** The lines several -L ask for, in order and without overlap; all of them when there is none. InvalidError when a file has no such lines. */
export function parseLineRanges(typed: readonly string[], path: string, lines: Lines, isFunction: FunctionFinder): LineRange[] {
  const ranges: LineRange[] = [];
  const { count } = lines;
  let anchor = 1;
  for (const text of typed.length === 0 && count > 0 ? ['1'] : typed) {
    const { begin, end } = new RangeReader(latin1(text), lines, isFunction).read(anchor);
    if ((count === 0 && (begin > 0 || end > 0)) || count < begin) {
      throw new InvalidError(`file ${path} has only ${count} line${count === 1 ? '' : 's'}`, { code: 'bad-line-range' });
    }
    const to = end < 1 || count < end ? count : end;
    ranges.push({ from: Math.max(begin, 1) - 1, to });
    anchor = to + 1;
  }
  return merged(ranges);
}

function merged(ranges: readonly LineRange[]): LineRange[] {
  const result: { from: number; to: number }[] = [];
  for (const { from, to } of ranges.toSorted((one, two) => one.from - two.from)) {
    if (from === to) continue;
    const last = result.at(-1);
    if (last !== undefined && from <= last.to) last.to = Math.max(last.to, to);
    else result.push({ from, to });
  }
  return result;
}

/** Reads one range; lines are counted from 1 here, as people do, and 0 stands for "not said". */
class RangeReader {
  readonly #text: string;
  readonly #lines: Lines;
  readonly #isFunction: FunctionFinder;
  #at = 0;

  constructor(text: string, lines: Lines, isFunction: FunctionFinder) {
    this.#text = text;
    this.#lines = lines;
    this.#isFunction = isFunction;
  }

  /** `anchor` is where relative patterns begin. */
  read(anchor: number): { begin: number; end: number } {
    const start = Math.max(1, Math.min(anchor, this.#lines.count + 1));
    const isFunction = /^\^?:/.test(this.#text);
    const range = isFunction ? this.#readFunction(start) : this.#readPlaces(start);
    if (this.#at < this.#text.length) throw new UsageError(`'${Buffer.from(this.#text, 'latin1').toString()}' is no range of lines`);
    return range;
  }

  #readPlaces(anchor: number): { begin: number; end: number } {
    const begin = this.#readPlace(-anchor);
    let end = 0;
    if (this.#text[this.#at] === ',') {
      this.#at += 1;
      end = this.#readPlace(begin + 1);
    }
    return begin > 0 && end > 0 && end < begin ? { begin: end, end: begin } : { begin, end };
  }

  /** `start` positive: an offset counts from there; negative: a pattern is looked for from there, unless '^' says from the top. */
  #readPlace(start: number): number {
    const rest = this.#text.slice(this.#at);
    const offset = /^([+-])([+-]?[0-9]+)/.exec(rest);
    if (start >= 1 && (rest.startsWith('+') || rest.startsWith('-'))) {
      if (offset === null) return 0;
      this.#at += offset[0].length;
      const count = Number(offset[2]) * (offset[1] === '-' ? -1 : 1);
      if (count === 0) throw new InvalidError('-L invalid empty range', { code: 'bad-line-range' });
      return count > 0 ? start + count - 2 : Math.max(start + count, 1);
    }
    const number = /^\s*[+-]?[0-9]+/.exec(rest);
    if (number !== null) {
      this.#at += number[0].length;
      if (Number(number[0]) <= 0) throw new InvalidError(`-L invalid line number: ${Number(number[0])}`, { code: 'bad-line-range' });
      return Number(number[0]);
    }
    let from = start;
    let at = this.#at;
    if (start < 0) {
      from = rest.startsWith('^') ? 1 : -start;
      if (rest.startsWith('^')) at += 1;
    }
    const pattern = /^\/((?:\\[^]|[^/\\])*)\//.exec(this.#text.slice(at));
    if (pattern === null) {
      this.#at = at;
      return 0;
    }
    this.#at = at + pattern[0].length;
    return this.#find(pattern[1]!, from);
  }

  /** The first line from `from` where the pattern matches. */
  #find(pattern: string, from: number): number {
    const { bytes, starts, count } = this.#lines;
    const text = bytes.toString('latin1', starts[Math.min(from - 1, count)], starts[count]);
    const match = parsePattern(pattern, 'basic', { lines: true }).exec(text);
    if (match === null) throw new InvalidError(`-L parameter '${Buffer.from(pattern, 'latin1').toString()}' starting at line ${from}: no match`, { code: 'bad-line-range' });
    const place = starts[Math.min(from - 1, count)]! + match.index;
    let line = from;
    while (line < count && starts[line]! <= place) line += 1;
    return line;
  }

  #readFunction(anchor: number): { begin: number; end: number } {
    const { bytes, starts, count } = this.#lines;
    let first = anchor - 1;
    if (this.#text.startsWith('^')) {
      first = 0;
      this.#at += 1;
    }
    const found = /^:((?:\\[^]|[^:])+)/.exec(this.#text.slice(this.#at));
    if (found === null) throw new UsageError(`'${Buffer.from(this.#text, 'latin1').toString()}' is no range of lines`);
    this.#at += found[0].length;
    const pattern = parsePattern(found[1]!, 'basic', { lines: true });
    const base = starts[first]!;
    const text = bytes.toString('latin1', base, starts[count]);
    const shown = Buffer.from(found[1]!, 'latin1').toString();
    let begin = -1;
    for (let from = 0; begin < 0;) {
      const match = pattern.exec(text.slice(from));
      if (match === null) throw new InvalidError(`-L parameter '${shown}' starting at line ${first + 1}: no match`, { code: 'bad-line-range' });
      const line = this.#lineOf(base + from + match.index);
      const last = this.#lineOf(base + from + match.index + match[0].length);
      if (line >= count) throw new InvalidError(`-L parameter '${shown}' matches at EOF`, { code: 'bad-line-range' });
      if (this.#beginsFunction(line)) begin = line;
      from = starts[Math.min(last + 1, count)]! - base;
    }
    let end = begin + 1;
    while (end < count && !this.#beginsFunction(end)) end += 1;
    return { begin: begin + 1, end };
  }

  /** The line (from 0) a byte is in. */
  #lineOf(place: number): number {
    const { starts, count } = this.#lines;
    let [low, high] = [0, count];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (starts[middle]! <= place) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  #beginsFunction(line: number): boolean {
    const { bytes, starts } = this.#lines;
    return this.#isFunction(bytes.toString('latin1', starts[line], starts[line + 1]).replace(/\n$/, '')) !== undefined;
  }
}
