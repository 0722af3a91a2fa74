// The lines of one text that match, shown as git grep shows them: with the lines around them, with their function, counted, or only
// the name of the file. Specified by git-grep(1). All text is latin1.
import type { FunctionFinder } from '../diff/diff-driver.js';
import type { LineExpression } from './line-pattern.js';

export type SearchForm = 'lines' | 'names' | 'names-without' | 'counts' | 'quiet';

export interface SearchColors {
  readonly context: string;
  readonly filename: string;
  readonly function: string;
  readonly lineNumber: string;
  readonly column: string;
  readonly matchContext: string;
  readonly matchSelected: string;
  readonly selected: string;
  readonly separator: string;
}

export interface SearchOptions {
  readonly form: SearchForm;
  readonly invert: boolean;
  readonly allMatch: boolean;
  readonly binary: 'default' | 'skip' | 'text';
  readonly showsName: boolean;
  readonly showsLineNumber: boolean;
  readonly showsColumn: boolean;
  readonly onlyMatching: boolean;
  readonly nul: boolean;
  readonly heading: boolean;
  readonly fileBreak: boolean;
  readonly showsFunction: boolean;
  readonly wholeFunction: boolean;
  readonly before: number;
  readonly after: number;
  readonly maxCount: number | undefined;
  readonly colors: SearchColors | undefined;
  /** Hears the lines that match, instead of having them printed; a binary file has no line. */
  readonly onHit?: (hit: SearchHit) => void;
}

export interface SearchHit {
  /** As given. */
  readonly name: string;
  /** From 1; undefined for a binary file. */
  readonly line: number | undefined;
  /** Of the first match, in bytes from 1. */
  readonly column: number | undefined;
  readonly text: string | undefined;
}

/** A text to look into. */
export interface Searched {
  /** As shown. */
  readonly name: string;
  readonly content: Buffer;
  readonly isBinary: boolean;
  readonly findFunction: FunctionFinder;
}

/** Looks into one text after another and prints what it finds. */
export class FileSearch {
  readonly #expression: LineExpression;
  readonly #options: SearchOptions;
  readonly #print: (text: string) => void;
  /** Some text was shown: a mark stands before the next one. */
  #hasShown = false;

  constructor(expression: LineExpression, options: SearchOptions, print: (text: string) => void) {
    this.#expression = expression;
    this.#options = options;
    this.#print = print;
  }

  /** True when something was found. */
  search(file: Searched): boolean {
    const { invert, form, allMatch } = this.#options;
    if (file.isBinary && this.#options.binary === 'skip') return false;
    const text = file.content.toString('latin1');
    if (!invert && form !== 'names-without' && !this.#expression.mayBeIn(text)) return false;
    const lines = linesOf(text);
    if (allMatch && !this.#expression.matchesAll(lines)) return false;
    const shown = new ShownFile(this.#expression, this.#options, file, lines, this.#print, this.#hasShown);
    const isHit = shown.run();
    if (shown.lastShown > 0) this.#hasShown = true;
    return isHit;
  }
}

function linesOf(text: string): string[] {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

class ShownFile {
  /** The last line that was printed, from 1; 0 for none. */
  lastShown = 0;
  readonly #expression: LineExpression;
  readonly #options: SearchOptions;
  readonly #file: Searched;
  readonly #lines: readonly string[];
  readonly #print: (text: string) => void;
  readonly #isNext: boolean;

  constructor(expression: LineExpression, options: SearchOptions, file: Searched, lines: readonly string[], print: (text: string) => void, isNext: boolean) {
    this.#expression = expression;
    this.#options = options;
    this.#file = file;
    this.#lines = lines;
    this.#print = print;
    this.#isNext = isNext && (options.before > 0 || options.after > 0 || options.fileBreak || options.wholeFunction);
  }

  run(): boolean {
    const { form, invert, maxCount = Infinity, binary, before, after, wholeFunction, showsFunction, onHit } = this.#options;
    const lines = this.#lines;
    let count = 0;
    let lastHit = 0;
    let isInFunction = false;
    for (let number = 1; number <= lines.length; number += 1) {
      const { isMatch, columns } = this.#expression.match(lines[number - 1]!);
      const isHit = isMatch !== invert;
      if (form === 'names-without') {
        if (isHit) return false;
        continue;
      }
      if (isHit && count < maxCount) {
        count += 1;
        if (form === 'quiet') return true;
        if (form === 'names') return this.#showName();
        if (form === 'counts') continue;
        if (this.#file.isBinary && binary === 'default') {
          if (onHit !== undefined) {
            onHit({ name: this.#file.name, line: undefined, column: undefined, text: undefined });
            return true;
          }
          this.#print(`Binary file ${this.#paint(this.#file.name, 'filename')} matches\n`);
          return true;
        }
        const column = Math.max(invert ? columns.unwanted : columns.found, 0) + 1;
        lastHit = number;
        if (onHit !== undefined) {
          onHit({ name: this.#file.name, line: number, column, text: lines[number - 1]! });
          continue;
        }
        if (before > 0 || wholeFunction) this.#showBefore(number);
        else if (showsFunction) this.#showFunction(number);
        this.#showLine(number, column, ':');
        if (wholeFunction) isInFunction = true;
        continue;
      }
      if (isInFunction && this.#endsFunction(number)) isInFunction = false;
      if (isInFunction || (lastHit > 0 && number <= lastHit + after)) this.#showLine(number, columns.found + 1, '-');
    }
    if (form === 'names-without') return this.#showName();
    if (form !== 'counts' || count === 0) return lastHit > 0;
    const name = this.#options.showsName ? `${this.#paint(this.#file.name, 'filename')}${this.#options.nul ? '\0' : this.#separator(':')}` : '';
    this.#print(`${name}${count}\n`);
    return true;
  }

  #showName(): boolean {
    this.#print(`${this.#paint(this.#file.name, 'filename')}${this.#options.nul ? '\0' : '\n'}`);
    return true;
  }

  #isFunction(number: number): boolean {
    const line = this.#lines[number - 1];
    return line !== undefined && this.#file.findFunction(line) !== undefined;
  }

  #isBlank(number: number): boolean {
    return /^[ \t\v\f\r]*$/.test(this.#lines[number - 1]!);
  }

  /** The next line that is not blank begins another function. */
  #endsFunction(number: number): boolean {
    let next = number;
    while (next <= this.#lines.length && this.#isBlank(next)) next += 1;
    return this.#isFunction(next);
  }

  /** The lines before a hit: so many, or those back to where its function begins. */
  #showBefore(number: number): void {
    const { before, showsFunction, wholeFunction } = this.#options;
    const start = Math.max(before < number ? number - before : 1, this.lastShown + 1);
    let from = start;
    let functionAt = 0;
    let wantsFunction = showsFunction;
    let wantsComment = false;
    if (wholeFunction) {
      if (this.#isFunction(number)) wantsComment = true;
      else wantsFunction = true;
      from = this.lastShown + 1;
    }
    let at = number;
    while (at > 1 && at > from) {
      at -= 1;
      if (wantsComment && (this.#isBlank(at) || this.#isFunction(at))) {
        wantsComment = false;
        from = start;
        if (at < from) {
          at += 1;
          break;
        }
      }
      if (wantsFunction && this.#isFunction(at)) {
        functionAt = at;
        wantsFunction = false;
        if (wholeFunction) wantsComment = true;
        else from = start;
      }
    }
    if (showsFunction && wantsFunction) this.#showFunction(at);
    for (; at < number; at += 1) this.#showLine(at, 0, at === functionAt ? '=' : '-');
  }

  /** The line above that begins the function, unless it was shown. */
  #showFunction(number: number): void {
    for (let at = number - 1; at > this.lastShown; at -= 1) {
      if (!this.#isFunction(at)) continue;
      this.#showLine(at, 0, '=');
      return;
    }
  }

  #showLine(number: number, column: number, sign: string): void {
    const { fileBreak, before, after, wholeFunction, onlyMatching, colors } = this.#options;
    const line = this.#lines[number - 1]!;
    if (fileBreak && this.lastShown === 0) {
      if (this.#isNext) this.#print('\n');
    } else if (before > 0 || after > 0 || wholeFunction) {
      if (this.lastShown === 0 ? this.#isNext : number > this.lastShown + 1) this.#print(`${this.#paint('--', 'separator')}\n`);
    }
    if (!onlyMatching) this.#showHeader(number, column, sign);
    let rest = 0;
    if (colors !== undefined || onlyMatching) {
      const isSelected = sign === ':';
      const lineColor = isSelected ? 'selected' : sign === '=' ? 'function' : 'context';
      for (let span = this.#expression.findSpan(line, 0); span !== undefined && span.end > span.start; span = this.#expression.findSpan(line, rest)) {
        if (onlyMatching) this.#showHeader(number, column, sign);
        else this.#print(this.#paint(line.slice(rest, span.start), lineColor));
        this.#print(this.#paint(line.slice(span.start, span.end), isSelected ? 'matchSelected' : 'matchContext'));
        if (onlyMatching) this.#print('\n');
        // As git counts: from the end of the match, not from the beginning of the line.
        column += span.end - rest;
        rest = span.end;
        if (rest >= line.length) break;
      }
      if (!onlyMatching) this.#print(`${this.#paint(line.slice(rest), lineColor)}\n`);
      return;
    }
    this.#print(`${line}\n`);
  }

  #showHeader(number: number, column: number, sign: string): void {
    const { heading, showsName, nul, showsLineNumber, showsColumn } = this.#options;
    const { name } = this.#file;
    if (heading && this.lastShown === 0) this.#print(`${this.#paint(name, 'filename')}\n`);
    this.lastShown = number;
    if (!heading && showsName) this.#print(`${this.#paint(name, 'filename')}${nul ? '\0' : this.#separator(sign)}`);
    if (showsLineNumber) this.#print(`${this.#paint(String(number), 'lineNumber')}${this.#separator(sign)}`);
    if (showsColumn && column > 0) this.#print(`${this.#paint(String(column), 'column')}${this.#separator(sign)}`);
  }

  #separator(sign: string): string {
    return this.#options.nul ? '\0' : this.#paint(sign, 'separator');
  }

  #paint(text: string, what: keyof SearchColors): string {
    const color = this.#options.colors?.[what] ?? '';
    return color === '' ? text : `${color}${text}\u001b[m`;
  }
}
