// Which line of a parent a changed line was before, for changes that are to be looked through (--ignore-rev of git-blame(1)): lines
// are compared by the pairs of letters in them, white space and case aside, and no two matches cross.
//
// The surest match is taken first; what stands above it is then looked for above, what stands below it below; what is left, in the whole
// parent. The constants, and what
// is forgotten when a match is taken, decide between equals, so they are git's. Pure.
import type { Lines } from '../diff/text-diff.js';

const furthest = 10;
/** Pairs of letters a line must have in common with one that stands elsewhere. */
const leastSimilarity = 10;
const notKnown = -1;
const nothingMatches = -2;

/** Pairs of letters and how often each comes. */
type Fingerprint = Map<number, number>;

/** Fingerprints of one text, made when first asked for; matches take out of them what they account for. */
export class Fingerprints {
  readonly #lines: Lines;
  readonly #prints: (Fingerprint | undefined)[] = [];

  constructor(lines: Lines) {
    this.#lines = lines;
  }

  get count(): number {
    return this.#lines.count;
  }

  at(line: number): Fingerprint {
    return this.#prints[line] ??= fingerprint(this.#lines.bytes, this.#lines.starts[line]!, this.#lines.starts[line + 1]!);
  }
}

function fingerprint(bytes: Buffer, from: number, to: number): Fingerprint {
  const pairs: Fingerprint = new Map();
  let before = 0;
  for (let at = from; at <= to; at += 1) {
    const byte = at === to ? 0x20 : bytes[at]!;
    const letter = byte === 0x20 || (byte >= 9 && byte <= 13) ? 0 : byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte;
    const pair = before | letter << 8;
    before = letter;
    if (pair !== 0) pairs.set(pair, (pairs.get(pair) ?? 0) + 1);
  }
  return pairs;
}

function similarity(one: Fingerprint, two: Fingerprint): number {
  let shared = 0;
  for (const [pair, count] of two) shared += Math.min(count, one.get(pair) ?? 0);
  return shared;
}

function subtract(from: Fingerprint, other: Fingerprint): void {
  for (const [pair, count] of other) {
    const own = from.get(pair);
    if (own === undefined) continue;
    if (own <= count) from.delete(pair);
    else from.set(pair, own - count);
  }
}

/** Lines of the parent and of the child that take each other's place. */
export interface ReplacedLines {
  readonly parentAt: number;
  readonly parentCount: number;
  readonly childAt: number;
  readonly childCount: number;
}

/** For each of the child's lines the parent's line it was, or -1. `parent` is changed by what matches. */
export function guessLines(parent: Fingerprints, child: Fingerprints, replaced: ReplacedLines): Int32Array {
  const { parentCount, childAt, childCount } = replaced;
  let found = new Int32Array(childCount).fill(-1);
  if (parentCount > 0) {
    const guess = new Guess(parent, child, replaced);
    guess.match(replaced.parentAt, parentCount, 0, childCount);
    found = guess.found;
  }
  for (let line = 0; line < childCount; line += 1) if (found[line]! < 0) found[line] = mostSimilar(parent, child.at(childAt + line), childAt + line);
  return found;
}

/** The line anywhere in the parent that is most like a line, the nearest among equals; -1 when none is like it. */
function mostSimilar(parent: Fingerprints, print: Fingerprint, line: number): number {
  let [most, best] = [leastSimilarity, -1];
  for (let partner = 0; partner < parent.count; partner += 1) {
    const value = similarity(print, parent.at(partner));
    if (value < most || (value === most && best >= 0 && Math.abs(best - line) < Math.abs(partner - line))) continue;
    [most, best] = [value, partner];
  }
  return best;
}

class Guess {
  readonly found: Int32Array<ArrayBuffer>;
  readonly #second: Int32Array;
  readonly #certainties: Int32Array;
  readonly #similarities: Int32Array;
  readonly #parent: Fingerprints;
  readonly #child: Fingerprints;
  readonly #replaced: ReplacedLines;
  readonly #reach: number;
  readonly #childReach: number;

  constructor(parent: Fingerprints, child: Fingerprints, replaced: ReplacedLines) {
    const { parentCount, childCount } = replaced;
    this.#parent = parent;
    this.#child = child;
    this.#replaced = replaced;
    this.#reach = Math.min(furthest, parentCount - 1);
    this.#childReach = Math.trunc(((2 * this.#reach + 1) * childCount - 1) / parentCount);
    this.found = new Int32Array(childCount).fill(-1);
    this.#second = new Int32Array(childCount).fill(-1);
    this.#certainties = new Int32Array(childCount).fill(notKnown);
    this.#similarities = new Int32Array(childCount * (this.#reach * 2 + 1)).fill(-1);
  }

  /** Matches the child's lines `from` up to `from + count` (counted from the first replaced one) with the parent's at `parentAt`. */
  match(parentAt: number, parentCount: number, from: number, count: number): void {
    let surest = -1;
    let most = -1;
    for (let line = from; line < from + count; line += 1) {
      this.#matchLine(line, parentAt, parentCount);
      if (this.#certainties[line]! > most) [most, surest] = [this.#certainties[line]!, line];
    }
    if (surest < 0) return;
    const partner = this.found[surest]!;
    subtract(this.#parent.at(partner), this.#childPrint(surest));
    this.#forget(surest, partner, from, from + count);
    if (surest > from) this.match(parentAt, partner + 1 - parentAt, from, surest - from);
    if (surest + 1 < from + count) this.match(partner, parentCount + parentAt - partner, surest + 1, from + count - surest - 1);
  }

  #childPrint(line: number): Fingerprint {
    return this.#child.at(this.#replaced.childAt + line);
  }

  /** The line of the parent that stands where the child's does, by proportion. */
  #opposite(line: number): number {
    const { parentAt, parentCount, childCount } = this.#replaced;
    return Math.trunc((line * 2 + 1) * parentCount / (childCount * 2)) + parentAt;
  }

  #slot(line: number, partner: number): number {
    return line * (this.#reach * 2 + 1) + partner - this.#opposite(line) + this.#reach;
  }

  #matchLine(line: number, parentAt: number, parentCount: number): void {
    if (this.#certainties[line] !== notKnown) return;
    const opposite = this.#opposite(line);
    let [best, bestAt, second, secondAt] = [0, parentAt, 0, parentAt];
    const end = Math.min(opposite + this.#reach + 1, parentAt + parentCount);
    for (let partner = Math.max(opposite - this.#reach, parentAt); partner < end; partner += 1) {
      const slot = this.#slot(line, partner);
      if (this.#similarities[slot] === -1) {
        this.#similarities[slot] = similarity(this.#childPrint(line), this.#parent.at(partner)) * (1000 - Math.abs(partner - opposite));
      }
      const value = this.#similarities[slot]!;
      if (value > best) [second, secondAt, best, bestAt] = [best, bestAt, value, partner];
      else if (value > second) [second, secondAt] = [value, partner];
    }
    this.#certainties[line] = best === 0 ? nothingMatches : best * 2 - second;
    this.found[line] = best === 0 ? -1 : bestAt;
    if (best > 0) this.#second[line] = secondAt;
  }

  /** What was found out about other lines and no longer holds now that `surest` was `partner`. */
  #forget(surest: number, partner: number, from: number, to: number): void {
    const low = Math.max(surest - this.#childReach, from);
    const high = Math.min(surest + this.#childReach + 1, to);
    for (let line = low; line < high; line += 1) {
      if (Math.abs(partner - this.#opposite(line)) <= this.#reach) this.#similarities[this.#slot(line, partner)] = -1;
    }
    for (let line = low; line < high; line += 1) {
      if (line === surest || this.#certainties[line]! < 0) continue;
      const [one, two] = [this.found[line]!, this.#second[line]!];
      const isCrossing = line < surest ? one >= partner || two >= partner : one <= partner || two <= partner;
      if (isCrossing) this.#certainties[line] = notKnown;
    }
  }
}
