// Which lines changed between two texts: the shortest edit script by Myers' method with git's short cuts (or one found by
// rare-line-diff.ts), then each group of changes slid to where it reads best (git's indent heuristic), then hunks with context.
//
// The result is the one git's default algorithm prints, line for line: the constants and the order of the steps below are what
// decides between scripts of equal length, so none of them is free. Time and memory are bounded by the cost limit in `split`.
// Background: E. Myers, "An O(ND) Difference Algorithm and its Variations"; diff options of git-diff(1).

import { compareByHistogram, compareByPatience } from './rare-line-diff.js';

/** A text cut into lines; a line includes its '\n', which the last one may lack. */
export interface Lines {
  readonly bytes: Buffer;
  readonly count: number;
  /** Where line i begins; `starts[count]` is the end. */
  readonly starts: Int32Array;
}

/** One run of lines replaced by another; either count may be 0. Line numbers count from 0. */
export interface LineChange {
  readonly oldAt: number;
  readonly oldCount: number;
  readonly newAt: number;
  readonly newCount: number;
  /** Only blank lines, and those are to be ignored. */
  readonly ignorable: boolean;
}

/** Changes close enough to share context, and the ranges of both texts they are shown with. */
export interface Hunk {
  readonly oldAt: number;
  readonly oldCount: number;
  readonly newAt: number;
  readonly newCount: number;
  readonly changes: readonly LineChange[];
}

export interface TextDiffOptions {
  readonly ignoreAllSpace?: boolean;
  readonly ignoreSpaceChange?: boolean;
  readonly ignoreSpaceAtEol?: boolean;
  readonly ignoreCrAtEol?: boolean;
  readonly ignoreBlankLines?: boolean;
  /** Spend whatever time it takes for the smallest script. */
  readonly minimal?: boolean;
  /** Default true, as in git. */
  readonly indentHeuristic?: boolean;
  /** Default 'myers'. */
  readonly algorithm?: 'myers' | 'patience' | 'histogram';
  /** With 'patience': lines that begin with one of these stay where they are, if they can. */
  readonly anchors?: readonly string[];
  /** Changes of which every line matches one of these make no difference. */
  readonly ignoreLines?: readonly RegExp[];
}

const maxEqualLines = 1024;
const discardRunFactor = 4;
const similarWindow = 100;
const minimumCostLimit = 256;
const snakeLength = 20;
const heuristicMinimumCost = 256;
const heuristicFactor = 4;
const maxSliding = 100;
const maxIndent = 200;
const maxBlanks = 20;
const farAway = 0x7fffffff;

/** True when git would call the content binary: a NUL byte among the first 8000. */
export function isBinary(bytes: Buffer): boolean {
  const at = bytes.indexOf(0);
  return at >= 0 && at < 8000;
}

export function splitLines(bytes: Buffer): Lines {
  const starts: number[] = [];
  let at = 0;
  while (at < bytes.length) {
    starts.push(at);
    const newline = bytes.indexOf(10, at);
    at = newline < 0 ? bytes.length : newline + 1;
  }
  const count = starts.length;
  starts.push(bytes.length);
  return { bytes, count, starts: Int32Array.from(starts) };
}

function lineText(lines: Lines, index: number): string {
  return lines.bytes.toString('latin1', lines.starts[index]!, lines.starts[index + 1]!);
}

/** What two lines (latin1) have in common when they count as equal; undefined when that is all of them. */
export function lineKey(options: TextDiffOptions): ((text: string) => string) | undefined {
  if (options.ignoreAllSpace) return (text) => text.replace(/[ \t\n\v\f\r]+/g, '');
  if (options.ignoreSpaceChange) return (text) => text.replace(/[ \t\n\v\f\r]+$/, '').replace(/[ \t\n\v\f\r]+/g, ' ');
  if (options.ignoreSpaceAtEol) return (text) => text.replace(/[ \t\n\v\f\r]+$/, '');
  if (options.ignoreCrAtEol) return (text) => text.replace(/\r?\n$|\r$/, '');
  return undefined;
}

/** One of the two texts while it is compared. */
interface Side {
  readonly lines: Lines;
  /** Equal lines have equal numbers, across both sides. */
  readonly kinds: Int32Array;
  /** 1 for a line that is not in the other text; one zero before and after. Indexed with +1. */
  readonly changed: Uint8Array;
  /** Lines left to compare, after those with no counterpart are set aside. */
  kept: Int32Array;
  keptKinds: Int32Array;
}

/** A text whose equal lines have equal numbers, also across the texts it is compared with. */
export interface NumberedLines {
  readonly lines: Lines;
  readonly numbers: Int32Array;
}

/** The changes that turn `a` into `b`, in order. */
export function diffLines(a: Buffer | Lines, b: Buffer | Lines, options: TextDiffOptions = {}): LineChange[] {
  const key = lineKey(options) ?? ((text: string) => text);
  const known = new Map<string, number>();
  const numbered = (lines: Lines): NumberedLines => {
    const numbers = new Int32Array(lines.count);
    for (let index = 0; index < lines.count; index += 1) {
      const text = key(lineText(lines, index));
      let number = known.get(text);
      if (number === undefined) known.set(text, number = known.size);
      numbers[index] = number;
    }
    return { lines, numbers };
  };
  const one = numbered(Buffer.isBuffer(a) ? splitLines(a) : a);
  const two = numbered(Buffer.isBuffer(b) ? splitLines(b) : b);
  return diffNumbered(one, two, known.size, options);
}

/** Like `diffLines`, for who numbered the lines already (by `lineKey`); all numbers are below `numberCount`. */
export function diffNumbered(a: NumberedLines, b: NumberedLines, numberCount: number, options: TextDiffOptions = {}): LineChange[] {
  const sideOf = ({ lines, numbers }: NumberedLines): Side => (
    { lines, kinds: numbers, changed: new Uint8Array(lines.count + 2), kept: new Int32Array(0), keptKinds: new Int32Array(0) });
  const one = sideOf(a);
  const two = sideOf(b);
  if (options.algorithm === undefined || options.algorithm === 'myers') compareClassically(one, two, numberCount, options.minimal ?? false);
  else compareByRareLines(one, two, numberCount, options);
  const heuristic = options.indentHeuristic ?? true;
  compact(one, two, heuristic);
  compact(two, one, heuristic);
  return script(one, two, options);
}

function compareClassically(one: Side, two: Side, kindCount: number, minimal: boolean): void {
  setAside(one, two, kindCount);
  new Comparison(one, two).run(minimal);
}

function compareByRareLines(one: Side, two: Side, kindCount: number, options: TextDiffOptions): void {
  const part = (side: Side, from: number, to: number): Side => ({ ...side, kinds: side.kinds.subarray(from, to), changed: new Uint8Array(to - from + 2) });
  const texts = {
    ones: one.kinds, twos: two.kinds, changedOnes: one.changed, changedTwos: two.changed,
    classic: (oneFrom: number, oneTo: number, twoFrom: number, twoTo: number): void => {
      const [left, right] = [part(one, oneFrom, oneTo), part(two, twoFrom, twoTo)];
      compareClassically(left, right, kindCount, options.minimal ?? false);
      one.changed.set(left.changed.subarray(1, oneTo - oneFrom + 1), oneFrom + 1);
      two.changed.set(right.changed.subarray(1, twoTo - twoFrom + 1), twoFrom + 1);
    },
  };
  if (options.algorithm === 'histogram') compareByHistogram(texts);
  else compareByPatience(texts, (line) => options.anchors?.some((anchor) => lineText(one.lines, line).startsWith(anchor)) === true);
}

function roughSquareRoot(value: number): number {
  let root = 1;
  for (let left = value; left > 0; left >>= 2) root <<= 1;
  return root;
}

/** Leaves out the common beginning and end, lines the other side does not have, and very common lines amid such lines. */
function setAside(one: Side, two: Side, kindCount: number): void {
  const smaller = Math.min(one.kinds.length, two.kinds.length);
  let start = 0;
  while (start < smaller && one.kinds[start] === two.kinds[start]) start += 1;
  let tail = 0;
  while (tail < smaller - start && one.kinds[one.kinds.length - 1 - tail] === two.kinds[two.kinds.length - 1 - tail]) tail += 1;
  const countKinds = (side: Side): Int32Array => {
    const counts = new Int32Array(kindCount);
    for (const kind of side.kinds) counts[kind]! += 1;
    return counts;
  };
  const keep = (side: Side, others: Int32Array): void => {
    const end = side.kinds.length - tail;
    const many = Math.min(roughSquareRoot(side.kinds.length), maxEqualLines);
    const matches = new Uint8Array(side.kinds.length);
    for (let at = start; at < end; at += 1) {
      const count = others[side.kinds[at]!]!;
      matches[at] = count === 0 ? 0 : count >= many ? 2 : 1;
    }
    const kept: number[] = [];
    for (let at = start; at < end; at += 1) {
      if (matches[at] === 1 || (matches[at] === 2 && !amidUnmatched(matches, at, start, end - 1))) kept.push(at);
      else side.changed[at + 1] = 1;
    }
    side.kept = Int32Array.from(kept);
    side.keptKinds = side.kept.map((at) => side.kinds[at]!);
  };
  const oldCounts = countKinds(one);
  const newCounts = countKinds(two);
  keep(one, newCounts);
  keep(two, oldCounts);
}

/** True when a line with many counterparts stands in a run made mostly of lines with none. */
function amidUnmatched(matches: Uint8Array, at: number, start: number, end: number): boolean {
  const low = Math.max(start, at - similarWindow);
  const high = Math.min(end, at + similarWindow);
  let none = 0;
  let many = 1;
  for (let place = at - 1; place >= low && matches[place] !== 1; place -= 1) {
    if (matches[place] === 0) none += 1;
    else many += 1;
  }
  if (none === 0) return false;
  let noneAfter = 0;
  let manyAfter = 1;
  for (let place = at + 1; place <= high && matches[place] !== 1; place += 1) {
    if (matches[place] === 0) noneAfter += 1;
    else manyAfter += 1;
  }
  if (noneAfter === 0) return false;
  const allNone = none + noneAfter;
  const allMany = many + manyAfter;
  return allMany * discardRunFactor < allMany + allNone;
}

/** A point both halves of a box are compared from, and whether each half must be minimal. */
interface Split { readonly one: number; readonly two: number; readonly lowMinimal: boolean; readonly highMinimal: boolean }

/** Myers' comparison, divide and conquer, of the kept lines. */
class Comparison {
  readonly #one: Side;
  readonly #two: Side;
  readonly #forward: Int32Array;
  readonly #backward: Int32Array;
  /** Index of diagonal 0. */
  readonly #zero: number;
  readonly #costLimit: number;

  constructor(one: Side, two: Side) {
    this.#one = one;
    this.#two = two;
    const diagonals = one.kept.length + two.kept.length + 3;
    this.#forward = new Int32Array(diagonals + 2);
    this.#backward = new Int32Array(diagonals + 2);
    this.#zero = two.kept.length + 1;
    this.#costLimit = Math.max(roughSquareRoot(diagonals), minimumCostLimit);
  }

  run(minimal: boolean): void {
    this.#compare(0, this.#one.kept.length, 0, this.#two.kept.length, minimal);
  }

  #compare(oneLow: number, oneHigh: number, twoLow: number, twoHigh: number, minimal: boolean): void {
    const { keptKinds: ones } = this.#one;
    const { keptKinds: twos } = this.#two;
    let [low1, high1, low2, high2] = [oneLow, oneHigh, twoLow, twoHigh];
    while (low1 < high1 && low2 < high2 && ones[low1] === twos[low2]) { low1 += 1; low2 += 1; }
    while (low1 < high1 && low2 < high2 && ones[high1 - 1] === twos[high2 - 1]) { high1 -= 1; high2 -= 1; }
    if (low1 === high1) {
      for (; low2 < high2; low2 += 1) this.#two.changed[this.#two.kept[low2]! + 1] = 1;
    } else if (low2 === high2) {
      for (; low1 < high1; low1 += 1) this.#one.changed[this.#one.kept[low1]! + 1] = 1;
    } else {
      const at = this.#split(low1, high1, low2, high2, minimal);
      this.#compare(low1, at.one, low2, at.two, at.lowMinimal);
      this.#compare(at.one, high1, at.two, high2, at.highMinimal);
    }
  }

  /** Where paths from both corners of the box meet, or a good enough point when that costs too much. */
  #split(low1: number, high1: number, low2: number, high2: number, minimal: boolean): Split {
    const ones = this.#one.keptKinds;
    const twos = this.#two.keptKinds;
    const forward = this.#forward;
    const backward = this.#backward;
    const zero = this.#zero;
    const least = low1 - high2;
    const most = high1 - low2;
    const forwardMiddle = low1 - low2;
    const backwardMiddle = high1 - high2;
    const odd = ((forwardMiddle - backwardMiddle) & 1) !== 0;
    let [forwardLow, forwardHigh, backwardLow, backwardHigh] = [forwardMiddle, forwardMiddle, backwardMiddle, backwardMiddle];
    forward[zero + forwardMiddle] = low1;
    backward[zero + backwardMiddle] = high1;
    for (let cost = 1; ; cost += 1) {
      let longSnake = false;
      if (forwardLow > least) forward[zero + (forwardLow -= 1) - 1] = -1;
      else forwardLow += 1;
      if (forwardHigh < most) forward[zero + (forwardHigh += 1) + 1] = -1;
      else forwardHigh -= 1;
      for (let diagonal = forwardHigh; diagonal >= forwardLow; diagonal -= 2) {
        const below = forward[zero + diagonal - 1]!;
        const above = forward[zero + diagonal + 1]!;
        let at1 = below >= above ? below + 1 : above;
        const from = at1;
        let at2 = at1 - diagonal;
        while (at1 < high1 && at2 < high2 && ones[at1] === twos[at2]) { at1 += 1; at2 += 1; }
        if (at1 - from > snakeLength) longSnake = true;
        forward[zero + diagonal] = at1;
        if (odd && backwardLow <= diagonal && diagonal <= backwardHigh && backward[zero + diagonal]! <= at1) {
          return { one: at1, two: at2, lowMinimal: true, highMinimal: true };
        }
      }
      if (backwardLow > least) backward[zero + (backwardLow -= 1) - 1] = farAway;
      else backwardLow += 1;
      if (backwardHigh < most) backward[zero + (backwardHigh += 1) + 1] = farAway;
      else backwardHigh -= 1;
      for (let diagonal = backwardHigh; diagonal >= backwardLow; diagonal -= 2) {
        const below = backward[zero + diagonal - 1]!;
        const above = backward[zero + diagonal + 1]!;
        let at1 = below < above ? below : above - 1;
        const from = at1;
        let at2 = at1 - diagonal;
        while (at1 > low1 && at2 > low2 && ones[at1 - 1] === twos[at2 - 1]) { at1 -= 1; at2 -= 1; }
        if (from - at1 > snakeLength) longSnake = true;
        backward[zero + diagonal] = at1;
        if (!odd && forwardLow <= diagonal && diagonal <= forwardHigh && at1 <= forward[zero + diagonal]!) {
          return { one: at1, two: at2, lowMinimal: true, highMinimal: true };
        }
      }
      if (minimal) continue;
      if (longSnake && cost > heuristicMinimumCost) {
        const near = this.#promisingForward(low1, high1, low2, high2, forwardLow, forwardHigh, cost)
          ?? this.#promisingBackward(low1, high1, low2, high2, backwardLow, backwardHigh, cost);
        if (near !== undefined) return near;
      }
      if (cost >= this.#costLimit) return this.#furthest(low1, high1, low2, high2, forwardLow, forwardHigh, backwardLow, backwardHigh);
    }
  }

  /** The forward path that came far along a long run of equal lines, when one came much further than its cost. */
  #promisingForward(low1: number, high1: number, low2: number, high2: number, from: number, to: number, cost: number): Split | undefined {
    const ones = this.#one.keptKinds;
    const twos = this.#two.keptKinds;
    let best = 0;
    let found: Split | undefined;
    for (let diagonal = to; diagonal >= from; diagonal -= 2) {
      const at1 = this.#forward[this.#zero + diagonal]!;
      const at2 = at1 - diagonal;
      const value = (at1 - low1) + (at2 - low2) - Math.abs(diagonal - (low1 - low2));
      if (value <= heuristicFactor * cost || value <= best) continue;
      if (low1 + snakeLength > at1 || at1 >= high1 || low2 + snakeLength > at2 || at2 >= high2) continue;
      let equal = 1;
      while (equal < snakeLength && ones[at1 - equal] === twos[at2 - equal]) equal += 1;
      if (equal === snakeLength && ones[at1 - equal] === twos[at2 - equal]) {
        best = value;
        found = { one: at1, two: at2, lowMinimal: true, highMinimal: false };
      }
    }
    return found;
  }

  #promisingBackward(low1: number, high1: number, low2: number, high2: number, from: number, to: number, cost: number): Split | undefined {
    const ones = this.#one.keptKinds;
    const twos = this.#two.keptKinds;
    let best = 0;
    let found: Split | undefined;
    for (let diagonal = to; diagonal >= from; diagonal -= 2) {
      const at1 = this.#backward[this.#zero + diagonal]!;
      const at2 = at1 - diagonal;
      const value = (high1 - at1) + (high2 - at2) - Math.abs(diagonal - (high1 - high2));
      if (value <= heuristicFactor * cost || value <= best) continue;
      if (low1 >= at1 || at1 > high1 - snakeLength || low2 >= at2 || at2 > high2 - snakeLength) continue;
      let equal = 0;
      while (equal < snakeLength && ones[at1 + equal] === twos[at2 + equal]) equal += 1;
      if (equal === snakeLength) {
        best = value;
        found = { one: at1, two: at2, lowMinimal: false, highMinimal: true };
      }
    }
    return found;
  }

  /** The cost limit is reached: whichever path came furthest. */
  #furthest(
    low1: number, high1: number, low2: number, high2: number,
    forwardLow: number, forwardHigh: number, backwardLow: number, backwardHigh: number,
  ): Split {
    let forwardBest = -1;
    let forwardOne = -1;
    for (let diagonal = forwardHigh; diagonal >= forwardLow; diagonal -= 2) {
      let at1 = Math.min(this.#forward[this.#zero + diagonal]!, high1);
      let at2 = at1 - diagonal;
      if (high2 < at2) { at1 = high2 + diagonal; at2 = high2; }
      if (forwardBest < at1 + at2) { forwardBest = at1 + at2; forwardOne = at1; }
    }
    let backwardBest = farAway;
    let backwardOne = farAway;
    for (let diagonal = backwardHigh; diagonal >= backwardLow; diagonal -= 2) {
      let at1 = Math.max(low1, this.#backward[this.#zero + diagonal]!);
      let at2 = at1 - diagonal;
      if (at2 < low2) { at1 = low2 + diagonal; at2 = low2; }
      if (at1 + at2 < backwardBest) { backwardBest = at1 + at2; backwardOne = at1; }
    }
    return (high1 + high2) - backwardBest < forwardBest - (low1 + low2)
      ? { one: forwardOne, two: forwardBest - forwardOne, lowMinimal: true, highMinimal: false }
      : { one: backwardOne, two: backwardBest - backwardOne, lowMinimal: false, highMinimal: true };
  }
}

/** A run of changed lines, possibly empty, between two unchanged ones; it can be slid over equal lines. */
class Group {
  start = 0;
  end = 0;
  readonly #side: Side;

  constructor(side: Side) {
    this.#side = side;
    while (side.changed[this.end + 1]) this.end += 1;
  }

  get isEmpty(): boolean { return this.end === this.start; }

  next(): boolean {
    if (this.end === this.#side.kinds.length) return false;
    this.start = this.end + 1;
    this.end = this.start;
    while (this.#side.changed[this.end + 1]) this.end += 1;
    return true;
  }

  previous(): boolean {
    if (this.start === 0) return false;
    this.end = this.start - 1;
    this.start = this.end;
    while (this.#side.changed[this.start]) this.start -= 1;
    return true;
  }

  /** One line down, swallowing a group it then touches. */
  slideDown(): boolean {
    const { kinds, changed } = this.#side;
    if (this.end >= kinds.length || kinds[this.start] !== kinds[this.end]) return false;
    changed[this.start + 1] = 0;
    changed[this.end + 1] = 1;
    this.start += 1;
    this.end += 1;
    while (changed[this.end + 1]) this.end += 1;
    return true;
  }

  slideUp(): boolean {
    const { kinds, changed } = this.#side;
    if (this.start <= 0 || kinds[this.start - 1] !== kinds[this.end - 1]) return false;
    this.start -= 1;
    this.end -= 1;
    changed[this.start + 1] = 1;
    changed[this.end + 1] = 0;
    while (changed[this.start]) this.start -= 1;
    return true;
  }
}

/** Slides every group of `side` to its best place: beside a change of the other side, or where the indentation suggests. */
function compact(side: Side, other: Side, heuristic: boolean): void {
  const group = new Group(side);
  const beside = new Group(other);
  do {
    if (group.isEmpty) continue;
    let size: number;
    let earliestEnd: number;
    let matchingEnd: number;
    do {
      size = group.end - group.start;
      matchingEnd = -1;
      while (group.slideUp()) beside.previous();
      earliestEnd = group.end;
      if (!beside.isEmpty) matchingEnd = group.end;
      while (group.slideDown()) {
        beside.next();
        if (!beside.isEmpty) matchingEnd = group.end;
      }
    } while (size !== group.end - group.start);
    if (group.end === earliestEnd) continue;
    if (matchingEnd !== -1) {
      while (beside.isEmpty) {
        group.slideUp();
        beside.previous();
      }
    } else if (heuristic) {
      const best = bestEnd(side.lines, earliestEnd, group.end, size);
      while (group.end > best) {
        group.slideUp();
        beside.previous();
      }
    }
  } while (group.next() && (beside.next() || true));
}

/** The end, among those a group may have, whose two cuts look least bad. */
function bestEnd(lines: Lines, earliest: number, latest: number, size: number): number {
  let best = -1;
  let bestIndent = 0;
  let bestPenalty = 0;
  for (let end = Math.max(earliest, latest - size - 1, latest - maxSliding); end <= latest; end += 1) {
    const below = cutScore(lines, end);
    const above = cutScore(lines, end - size);
    const indent = below.indent + above.indent;
    const penalty = below.penalty + above.penalty;
    if (best === -1 || 60 * Math.sign(indent - bestIndent) + (penalty - bestPenalty) <= 0) {
      best = end;
      bestIndent = indent;
      bestPenalty = penalty;
    }
  }
  return best;
}

/** Columns of indentation; -1 for a blank line. */
function indentOf(lines: Lines, index: number): number {
  let columns = 0;
  for (let at = lines.starts[index]!; at < lines.starts[index + 1]!; at += 1) {
    const byte = lines.bytes[at]!;
    if (byte === 0x20) columns += 1;
    else if (byte === 0x09) columns += 8 - columns % 8;
    else if (byte !== 0x0a && byte !== 0x0b && byte !== 0x0c && byte !== 0x0d) return columns;
    if (columns >= maxIndent) return maxIndent;
  }
  return -1;
}

/** How bad it looks to cut before line `at`: first by the indentation there, then by a penalty. */
function cutScore(lines: Lines, at: number): { indent: number; penalty: number } {
  const atEnd = at >= lines.count;
  const own = atEnd ? -1 : indentOf(lines, at);
  const scan = (from: number, step: number): { indent: number; blanks: number } => {
    let blanks = 0;
    for (let index = from; index >= 0 && index < lines.count; index += step) {
      const indent = indentOf(lines, index);
      if (indent !== -1) return { indent, blanks };
      blanks += 1;
      if (blanks === maxBlanks) return { indent: 0, blanks };
    }
    return { indent: -1, blanks };
  };
  const before = scan(at - 1, -1);
  const after = scan(at + 1, 1);
  let penalty = 0;
  if (before.indent === -1 && before.blanks === 0) penalty += 1;
  if (atEnd) penalty += 21;
  const blanksAfter = own === -1 ? 1 + after.blanks : 0;
  const blanks = before.blanks + blanksAfter;
  penalty += -30 * blanks + 6 * blanksAfter;
  const indent = own === -1 ? after.indent : own;
  if (indent !== -1 && before.indent !== -1 && indent !== before.indent) {
    if (indent > before.indent) penalty += blanks > 0 ? 10 : -4;
    else if (after.indent !== -1 && after.indent > indent) penalty += blanks > 0 ? 17 : 24;
    else penalty += blanks > 0 ? 17 : 23;
  }
  return { indent, penalty };
}

function script(one: Side, two: Side, options: TextDiffOptions): LineChange[] {
  const changes: LineChange[] = [];
  const anySpace = options.ignoreAllSpace || options.ignoreSpaceChange || options.ignoreSpaceAtEol || options.ignoreCrAtEol;
  const isBlank = (side: Side, index: number): boolean => {
    const { starts } = side.lines;
    return anySpace ? /^[ \t\n\v\f\r]*$/.test(lineText(side.lines, index)) : starts[index + 1]! - starts[index]! <= 1;
  };
  const allBlank = (side: Side, at: number, count: number): boolean => {
    for (let index = at; index < at + count; index += 1) if (!isBlank(side, index)) return false;
    return true;
  };
  const allMatch = (side: Side, at: number, count: number): boolean => {
    for (let index = at; index < at + count; index += 1) {
      const text = lineText(side.lines, index);
      if (!options.ignoreLines!.some((pattern) => pattern.test(text))) return false;
    }
    return true;
  };
  let oldAt = 0;
  let newAt = 0;
  const oldEnd = one.kinds.length;
  const newEnd = two.kinds.length;
  while (oldAt < oldEnd || newAt < newEnd) {
    if (!one.changed[oldAt + 1] && !two.changed[newAt + 1]) {
      oldAt += 1;
      newAt += 1;
      continue;
    }
    const [oldFrom, newFrom] = [oldAt, newAt];
    while (one.changed[oldAt + 1]) oldAt += 1;
    while (two.changed[newAt + 1]) newAt += 1;
    const ignorable = options.ignoreBlankLines === true
      && allBlank(one, oldFrom, oldAt - oldFrom) && allBlank(two, newFrom, newAt - newFrom)
      || options.ignoreLines !== undefined && options.ignoreLines.length > 0
      && allMatch(one, oldFrom, oldAt - oldFrom) && allMatch(two, newFrom, newAt - newFrom);
    changes.push({ oldAt: oldFrom, oldCount: oldAt - oldFrom, newAt: newFrom, newCount: newAt - newFrom, ignorable });
  }
  return changes;
}

/** Changes with `context` lines around them; those with at most twice that and `between` lines in between are shown as one. */
export function hunksOf(
  changes: readonly LineChange[], oldLines: number, newLines: number, context: number, between = 0, functions?: FunctionLines,
): Hunk[] {
  const hunks: Hunk[] = [];
  const reach = 2 * context + between;
  const gap = (left: LineChange, right: LineChange): number => right.oldAt - (left.oldAt + left.oldCount);
  let at = 0;
  while (at < changes.length) {
    const from = at;
    // Ignorable changes too far before the next one do not begin a hunk.
    for (let each = at; each < changes.length && changes[each]!.ignorable; each += 1) {
      const next = changes[each + 1];
      if (next === undefined || gap(changes[each]!, next) >= context) at = each + 1;
    }
    if (at >= changes.length) break;
    let last = at;
    let ignored = 0;
    for (let each = at + 1; each < changes.length; each += 1) {
      const change = changes[each]!;
      const distance = gap(changes[each - 1]!, change);
      if (distance > reach) break;
      if (distance < context && (!change.ignorable || last === each - 1)) {
        last = each;
        ignored = 0;
      } else if (distance < context && change.ignorable) ignored += change.newCount;
      else if (last !== each - 1 && change.oldAt + ignored - (changes[last]!.oldAt + changes[last]!.oldCount) > reach) break;
      else if (!change.ignorable) {
        last = each;
        ignored = 0;
      } else ignored += change.newCount;
    }
    const begin = functions === undefined ? { from: at, ...startOf(changes[at]!, context) } : functionStart(changes, from, at, context, functions);
    const end = functions === undefined ? { last, ...endOf(changes[last]!, oldLines, newLines, context) } : functionEnd(changes, last, oldLines, newLines, context, functions);
    hunks.push({
      oldAt: begin.oldAt, oldCount: end.oldEnd - begin.oldAt, newAt: begin.newAt, newCount: end.newEnd - begin.newAt,
      changes: changes.slice(begin.from, end.last + 1),
    });
    at = end.last + 1;
  }
  return hunks;
}

/** Where functions begin, for hunks that show them whole. */
export interface FunctionLines {
  readonly oldLines: number;
  readonly newLines: number;
  /** True when the line of the old (or new) text begins a function. */
  isFunction(side: 'old' | 'new', line: number): boolean;
  isBlank(side: 'old' | 'new', line: number): boolean;
}

function startOf(first: LineChange, context: number): { oldAt: number; newAt: number } {
  return { oldAt: Math.max(first.oldAt - context, 0), newAt: Math.max(first.newAt - context, 0) };
}

function endOf(final: LineChange, oldLines: number, newLines: number, context: number): { oldEnd: number; newEnd: number } {
  const oldDone = final.oldAt + final.oldCount;
  const newDone = final.newAt + final.newCount;
  const after = Math.min(context, oldLines - oldDone, newLines - newDone);
  return { oldEnd: oldDone + after, newEnd: newDone + after };
}

/** The start of a hunk, moved up to that of the function; `earliest` is the first change that was left out before it. */
function functionStart(
  changes: readonly LineChange[], earliest: number, at: number, context: number, functions: FunctionLines,
): { from: number; oldAt: number; newAt: number } {
  for (let from = at; ;) {
    const first = changes[from]!;
    let { oldAt, newAt } = startOf(first, context);
    const begin = functionBefore(first, functions);
    if (begin === undefined || begin >= oldAt) return { from, oldAt, newAt };
    newAt = Math.max(newAt - (oldAt - begin), 0);
    oldAt = begin;
    let inside = earliest;
    while (inside < from && changes[inside]!.oldAt + changes[inside]!.oldCount <= oldAt && changes[inside]!.newAt + changes[inside]!.newCount <= newAt) inside += 1;
    if (inside === from) return { from, oldAt, newAt };
    // An ignored change came into view: it is shown after all.
    from = inside;
  }
}

/** The line the function around a change begins at, with what stands directly above; undefined when the change adds a whole one. */
function functionBefore(first: LineChange, functions: FunctionLines): number | undefined {
  const { oldLines, newLines } = functions;
  let at = first.oldAt;
  if (at >= oldLines) {
    for (let added = first.newAt; added < newLines; added += 1) if (functions.isFunction('new', added)) return undefined;
    at = oldLines - 1;
  }
  while (at >= 0 && !functions.isFunction('old', at)) at -= 1;
  while (at > 0 && !functions.isBlank('old', at - 1) && !functions.isFunction('old', at - 1)) at -= 1;
  return Math.max(at, 0);
}

/** The end of a hunk, moved down to that of the function; changes it reaches become part of it. */
function functionEnd(
  changes: readonly LineChange[], at: number, oldLines: number, newLines: number, context: number, functions: FunctionLines,
): { last: number; oldEnd: number; newEnd: number } {
  for (let last = at; ; last += 1) {
    const final = changes[last]!;
    let { oldEnd, newEnd } = endOf(final, oldLines, newLines, context);
    let next = final.oldAt + final.oldCount;
    while (next < oldLines && !functions.isFunction('old', next)) next += 1;
    if (next < oldLines) while (next > 0 && functions.isBlank('old', next - 1)) next -= 1;
    if (next > oldEnd) {
      newEnd = Math.min(newEnd + (next - oldEnd), newLines);
      oldEnd = next;
    }
    const following = changes[last + 1];
    if (following === undefined) return { last, oldEnd, newEnd };
    const place = Math.min(following.oldAt, oldLines - 1);
    if (place - context > oldEnd && functionWithin(functions, place, oldEnd, oldLines)) return { last, oldEnd, newEnd };
  }
}

/** True when a function begins between two lines, looked at from `from` towards `limit`, which does not count. */
function functionWithin(functions: FunctionLines, from: number, limit: number, oldLines: number): boolean {
  const step = from > limit ? -1 : 1;
  for (let line = from; line !== limit && line >= 0 && line < oldLines; line += step) if (functions.isFunction('old', line)) return true;
  return false;
}

/** Both texts without their common end, except for one line of it: what git compares when no context is shown. */
export function trimCommonTail(a: Buffer, b: Buffer): [Buffer, Buffer] {
  const block = 1024;
  const smaller = Math.min(a.length, b.length);
  let trimmed = 0;
  while (block + trimmed <= smaller
    && a.compare(b, b.length - trimmed - block, b.length - trimmed, a.length - trimmed - block, a.length - trimmed) === 0) trimmed += block;
  let kept = 0;
  while (kept < trimmed) {
    kept += 1;
    if (a[a.length - trimmed + kept - 1] === 10) break;
  }
  return [a.subarray(0, a.length - trimmed + kept), b.subarray(0, b.length - trimmed + kept)];
}
