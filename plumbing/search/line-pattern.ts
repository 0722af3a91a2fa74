// One pattern of a search and where it matches in a line. Lines are latin1, one character for each byte, without their line ends.
//
// POSIX takes the longest of the matches that begin first; the language's own expressions take the first alternative. So alternatives
// that stand at the top of a pattern are expressions of their own here. Specified by git-grep(1). Pure.
import { InvalidError, UsageError } from '../../pack/errors.js';
import { type PatternKind, parsePattern } from '../posix-regex.js';

/** Where something was found: from `start` up to, and without, `end`. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export interface PatternOptions {
  readonly kind: PatternKind;
  readonly ignoreCase: boolean;
  /** Only whole words. */
  readonly words: boolean;
}

export class LinePattern {
  /** Text every match is, where there are no wildcards. */
  readonly literal: string | undefined;
  readonly #expressions: readonly RegExp[];
  readonly #words: boolean;
  readonly #wholeText: readonly RegExp[];

  /** InvalidError when `text` (latin1) is no pattern of that kind, UsageError for one that would mean something else here. */
  constructor(text: string, { kind, ignoreCase, words }: PatternOptions) {
    if (kind === 'perl') checkPerl(text);
    const isPlain = kind === 'fixed' || !/[\\^$.*+?()[\]{}|]/.test(text);
    this.literal = isPlain && !ignoreCase ? text : undefined;
    const parts = isPlain || kind === 'perl' ? [text] : splitAlternatives(text, kind);
    const parse = (lines: boolean, flags: string): RegExp[] => parts.map((part) => {
      if (isPlain && ignoreCase && /[\x80-\xff]/.test(part)) return new RegExp(bothCases(part), `i${flags}`);
      const { source, flags: own } = parsePattern(part, isPlain ? 'fixed' : kind, { ignoreCase, lines });
      return new RegExp(source, [...new Set(own + flags)].join(''));
    });
    this.#expressions = parse(false, 'g');
    this.#wholeText = parse(true, 'm');
    this.#words = words;
  }

  /** False when no line of the text can match. */
  mayBeIn(text: string): boolean {
    return this.literal === undefined ? this.#wholeText.some((expression) => expression.test(text)) : text.includes(this.literal);
  }

  /** The first match at or after `from`, where the line's beginning is only at 0. */
  find(line: string, from: number): Span | undefined {
    for (let at = from; ;) {
      const span = this.#findAny(line, at);
      if (span === undefined || !this.#words) return span;
      const { start, end } = span;
      // As git has it: where the search goes on, a word may begin.
      if (end > start && (start === at || !isWordCharacter(line, start - 1)) && !isWordCharacter(line, end)) return span;
      if (start + 1 >= line.length) return undefined;
      at = start + 1;
      while (at < line.length && isWordCharacter(line, at - 1)) at += 1;
      if (at >= line.length) return undefined;
    }
  }

  #findAny(line: string, from: number): Span | undefined {
    let best: Span | undefined;
    for (const expression of this.#expressions) {
      expression.lastIndex = from;
      const match = expression.exec(line);
      if (match === null) continue;
      const span = { start: match.index, end: match.index + match[0].length };
      if (best === undefined || span.start < best.start || (span.start === best.start && span.end > best.end)) best = span;
    }
    return best;
  }
}

/** An expression for text in UTF-8 whose letters, also beyond ASCII, may be small or capital. */
function bothCases(text: string): string {
  const literal = (part: string): string => Buffer.from(part).toString('latin1').replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
  return [...Buffer.from(text, 'latin1').toString('utf8')].map((letter) => {
    if (letter < '\x80') return literal(letter);
    return `(?:${[...new Set([letter, letter.toLowerCase(), letter.toUpperCase()])].map(literal).join('|')})`;
  }).join('');
}

function isWordCharacter(line: string, at: number): boolean {
  return at < line.length && /[A-Za-z0-9_]/.test(line[at]!);
}

/** The alternatives at the top of a POSIX pattern. */
function splitAlternatives(text: string, kind: PatternKind): string[] {
  const parts: string[] = [];
  let depth = 0;
  let from = 0;
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] === '[') {
      at = endOfBracket(text, at);
      continue;
    }
    const isEscaped = text[at] === '\\';
    if (isEscaped) at += 1;
    if (isEscaped === (kind === 'extended')) continue;
    if (text[at] === '(') depth += 1;
    if (text[at] === ')') depth -= 1;
    if (text[at] !== '|' || depth > 0) continue;
    parts.push(text.slice(from, isEscaped ? at - 1 : at));
    from = at + 1;
  }
  parts.push(text.slice(from));
  // A reference counts the groups of the whole pattern.
  return parts.length > 1 && (/\\[1-9]/.test(text) || parts.includes('')) ? [text] : parts;
}

function endOfBracket(text: string, at: number): number {
  let end = at + 1;
  if (text[end] === '^') end += 1;
  if (text[end] === ']') end += 1;
  while (end < text.length && text[end] !== ']') end = text.startsWith('[:', end) ? Math.max(text.indexOf(':]', end) + 1, end) + 1 : end + 1;
  return end;
}

/** What Perl's expressions have and the language's own have not, or mean otherwise. */
const onlyPerl = /\\[ACEGHKNPQRXZaceghlopuzG]|\(\?[>|R&P0-9+^#imsxn-]|\(\*|[*+?}]\+|\[\[:|\\[0-9]{2,}|\[\]|\[\^\]/;

function checkPerl(text: string): void {
  const found = onlyPerl.exec(text.replace(/^\(\?i\)/, ''));
  if (found !== null) throw new UsageError(`'${found[0]}' is not supported in a Perl-like regular expression`);
}

type Node =
  | { readonly kind: 'atom'; readonly pattern: LinePattern }
  | { readonly kind: 'not'; readonly inner: Node }
  | { readonly kind: 'and' | 'or'; readonly left: Node; readonly right: Node };

/** An expression as it was typed, one word after another. */
export type ExpressionWord = { readonly kind: 'pattern'; readonly text: string } | { readonly kind: 'and' | 'or' | 'not' | 'open' | 'close' };

/** Where the first match began, and the first of what was not to match. */
interface Columns { found: number; unwanted: number }

/** Several patterns, and how they are combined. */
export class LineExpression {
  /** All of them, in order. */
  readonly patterns: readonly LinePattern[];
  readonly #root: Node;
  readonly #isPlain: boolean;

  /** InvalidError when the words are no expression. */
  constructor(words: readonly ExpressionWord[], options: PatternOptions) {
    const patterns: LinePattern[] = [];
    let at = 0;
    const malformed = (what: string): InvalidError => new InvalidError(what, { code: 'bad-expression' });
    const readAtom = (): Node | undefined => {
      const word = words[at];
      if (word?.kind === 'pattern') {
        at += 1;
        const pattern = new LinePattern(word.text, options);
        patterns.push(pattern);
        return { kind: 'atom', pattern };
      }
      if (word?.kind !== 'open') return undefined;
      at += 1;
      const inner = readOr();
      if (words[at]?.kind !== 'close') throw malformed('unmatched parenthesis');
      at += 1;
      return inner;
    };
    const readNot = (): Node | undefined => {
      if (words[at]?.kind !== 'not') return readAtom();
      at += 1;
      if (words[at] === undefined) throw malformed('--not not followed by pattern expression');
      const inner = readNot();
      if (inner === undefined) throw malformed('--not followed by non pattern expression');
      return { kind: 'not', inner };
    };
    const readAnd = (): Node | undefined => {
      const left = readNot();
      if (words[at]?.kind !== 'and') return left;
      if (left === undefined) throw malformed('--and not preceded by pattern expression');
      at += 1;
      if (words[at] === undefined) throw malformed('--and not followed by pattern expression');
      const right = readAnd();
      if (right === undefined) throw malformed('--and not followed by pattern expression');
      return { kind: 'and', left, right };
    };
    const readOr = (): Node | undefined => {
      const left = readAnd();
      const next = words[at];
      if (left === undefined || next === undefined || next.kind === 'close') return left;
      if (next.kind === 'or') at += 1;
      const right = readOr();
      if (right === undefined) throw malformed(`not a pattern expression`);
      return { kind: 'or', left, right };
    };
    const root = readOr();
    if (root === undefined || at < words.length) throw malformed(words.some(({ kind }) => kind === 'open' || kind === 'close') ? 'unmatched parenthesis' : 'incomplete pattern expression');
    this.#root = root;
    this.patterns = patterns;
    this.#isPlain = words.every(({ kind }) => kind === 'pattern' || kind === 'or');
  }

  /** False when no line of the text can match; true does not mean that one does. */
  mayBeIn(text: string): boolean {
    return !this.#isPlain || this.patterns.some((pattern) => pattern.mayBeIn(text));
  }

  /** The column (from 0) a line matches at, which may be that of any of its matches; undefined when it does not match. */
  match(line: string): { readonly isMatch: boolean; readonly columns: { readonly found: number; readonly unwanted: number } } {
    const columns: Columns = { found: -1, unwanted: -1 };
    const isMatch = evaluate(this.#root, line, columns, false);
    return { isMatch, columns };
  }

  /** True when every pattern (or group of them) at the top matches some line. */
  matchesAll(lines: Iterable<string>): boolean {
    let left = topOf(this.#root);
    for (const line of lines) {
      left = left.filter((node) => !evaluate(node, line, { found: -1, unwanted: -1 }, false));
      if (left.length === 0) return true;
    }
    return false;
  }

  /** The first match of any pattern at or after `from`, the longest among equals. */
  findSpan(line: string, from: number): Span | undefined {
    let best: Span | undefined;
    for (const pattern of this.patterns) {
      const span = pattern.find(line, from);
      if (span === undefined) continue;
      if (best === undefined || span.start < best.start || (span.start === best.start && span.end >= best.end)) best = span;
    }
    return best;
  }
}

function topOf(node: Node): Node[] {
  return node.kind === 'or' ? [node.left, ...topOf(node.right)] : [node];
}

function evaluate(node: Node, line: string, columns: Columns, isSwapped: boolean): boolean {
  switch (node.kind) {
    case 'atom': {
      const span = node.pattern.find(line, 0);
      if (span === undefined) return false;
      const key = isSwapped ? 'unwanted' : 'found';
      if (columns[key] < 0 || span.start < columns[key]) columns[key] = span.start;
      return true;
    }
    case 'not': return !evaluate(node.inner, line, columns, !isSwapped);
    default: {
      const left = evaluate(node.left, line, columns, isSwapped);
      const right = evaluate(node.right, line, columns, isSwapped);
      return node.kind === 'and' ? left && right : left || right;
    }
  }
}
