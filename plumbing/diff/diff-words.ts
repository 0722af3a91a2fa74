// Changed lines shown as lines with changed words in them, in the ways of --word-diff of git-diff(1).
//
// The words of the lines that go and of those that come are compared as if each stood on a line of its own; what lies between
// the words of the new text is shown as it is. Texts are latin1.
import { diffLines, trimCommonTail } from './text-diff.js';

export type WordStyle = 'plain' | 'color' | 'porcelain';

export interface WordDiffOptions {
  readonly style: WordStyle;
  /** What is a word: a pattern (with the flag 'g'), or several (with the flag 'y') of which the longest match counts; absent: what is between white space. */
  readonly pattern?: RegExp | readonly RegExp[];
}

/** Colours of words that go, that come, and of the rest; '' for none. */
export interface WordColors {
  readonly old: string;
  readonly new: string;
  readonly context: string;
  readonly reset: string;
}

interface Element { readonly before: string; readonly after: string; readonly color: string }

/** Words and where they are. */
interface Words { readonly text: string; readonly places: readonly { readonly from: number; readonly to: number }[] }

/** Collects the lines of a hunk and writes them as words. */
export class WordDiff {
  readonly #options: WordDiffOptions;
  readonly #sink: (text: string) => void;
  readonly #old: Element;
  readonly #new: Element;
  readonly #context: Element;
  readonly #newline: string;
  #removed = '';
  #added = '';

  constructor(options: WordDiffOptions, colors: WordColors, sink: (text: string) => void) {
    this.#options = options;
    this.#sink = (text) => { if (text !== '') sink(text); };
    const { style } = options;
    const element = (before: string, after: string, color: string): Element => ({ before, after, color });
    const marks = { plain: ['[-', '-]', '{+', '+}', '', ''], color: ['', '', '', '', '', ''], porcelain: ['-', '\n', '+', '\n', ' ', '\n'] }[style];
    this.#old = element(marks[0]!, marks[1]!, colors.old);
    this.#new = element(marks[2]!, marks[3]!, colors.new);
    this.#context = element(marks[4]!, marks[5]!, colors.context);
    this.#newline = style === 'porcelain' ? '~\n' : '\n';
    this.#reset = colors.reset;
  }

  readonly #reset: string;

  remove(line: string): void {
    this.#removed += line;
  }

  add(line: string): void {
    this.#added += line;
  }

  /** A line both have, with its line end. */
  keep(line: string): void {
    this.flush();
    const { color } = this.#context;
    const end = /\r?\n?$/.exec(line)![0];
    const shown = `${this.#options.style === 'porcelain' ? ' ' : ''}${line.slice(0, line.length - end.length)}`;
    this.#sink(`${shown === '' && end === '\n' ? '' : `${color}${shown}${this.#reset}`}${end}`);
    if (this.#options.style === 'porcelain') this.#sink('~\n');
  }

  /** Writes what was collected. */
  flush(): void {
    const [removed, added] = [this.#removed, this.#added];
    this.#removed = '';
    this.#added = '';
    if (removed === '' && added === '') return;
    if (added === '') {
      this.#write(this.#old, removed);
      return;
    }
    const one = this.#split(removed);
    const two = this.#split(added);
    let shown = 0;
    for (const change of diffLines(...trimCommonTail(asLines(one), asLines(two)), { indentHeuristic: false })) {
      const [oldFrom, oldTo] = stretch(one, change.oldAt, change.oldCount);
      const [newFrom, newTo] = stretch(two, change.newAt, change.newCount);
      this.#write(this.#context, added.slice(shown, newFrom));
      this.#write(this.#old, removed.slice(oldFrom, oldTo));
      this.#write(this.#new, added.slice(newFrom, newTo));
      shown = newTo;
    }
    this.#write(this.#context, added.slice(shown));
  }

  #write({ before, after, color }: Element, text: string): void {
    for (let at = 0; at < text.length;) {
      const end = text.indexOf('\n', at);
      const line = end < 0 ? text.slice(at) : text.slice(at, end);
      if (line !== '') this.#sink(`${color}${before}${line}${after}${color === '' ? '' : this.#reset}`);
      if (end < 0) return;
      this.#sink(this.#newline);
      at = end + 1;
    }
  }

  #split(text: string): Words {
    const places: { from: number; to: number }[] = [];
    const pattern = this.#options.pattern;
    if (pattern === undefined) {
      for (const match of text.matchAll(/[^ \t\n\v\f\r]+/g)) places.push({ from: match.index, to: match.index + match[0].length });
      return { text, places };
    }
    const find = pattern instanceof RegExp ? (at: number): Word | undefined => findWord(pattern, text, at) : (at: number): Word | undefined => findLongest(pattern, text, at);
    for (let at = 0; at < text.length;) {
      const found = find(at);
      if (found === undefined) break;
      const newline = found.text.indexOf('\n');
      const to = newline < 0 ? found.from + found.text.length : found.from + newline;
      if (to <= found.from) break;
      places.push({ from: found.from, to });
      at = to;
    }
    return { text, places };
  }
}

interface Word { readonly from: number; readonly text: string }

function findWord(pattern: RegExp, text: string, at: number): Word | undefined {
  pattern.lastIndex = at;
  const match = pattern.exec(text);
  return match === null ? undefined : { from: match.index, text: match[0] };
}

/** The longest of the matches at the next place that is not white space. */
function findLongest(kinds: readonly RegExp[], text: string, at: number): Word | undefined {
  let from = at;
  while (from < text.length && ' \t\n\v\f\r'.includes(text[from]!)) from += 1;
  let best: Word | undefined;
  for (const kind of kinds) {
    const found = findWord(kind, text, from);
    if (found !== undefined && found.text.length > (best?.text.length ?? 0)) best = found;
  }
  return best;
}

function asLines({ text, places }: Words): Buffer {
  return Buffer.from(places.map(({ from, to }) => `${text.slice(from, to)}\n`).join(''), 'latin1');
}

/** From the first to the last of some words; of none, the place after the word before. */
function stretch({ places }: Words, at: number, count: number): [number, number] {
  if (count > 0) return [places[at]!.from, places[at + count - 1]!.to];
  const place = at === 0 ? 0 : places[at - 1]!.to;
  return [place, place];
}
