// Patches: the header of each file, and its hunks as lines or as words; and --check, which looks at the lines patches add.
//
// What is printed is what git prints, byte for byte. Text is latin1. Specified by "GENERATING PATCH TEXT" of git-diff(1).
import type { ObjectStore } from '../../pack/object-store.js';
import { type ObjectId, hashObject, zeroId } from '../../pack/oid.js';
import { formatMode } from '../../pack/tree.js';
import { formatBinaryPatch } from './binary-patch.js';
import type { DiffEntry, DiffSide } from './diff.js';
import { isHuge, readSide } from './diff-content.js';
import { type DiffDriver, type FunctionFinder, plainDriver, standardFunction } from './diff-driver.js';
import type { DiffColors, DiffFormatOptions, Sink } from './diff-format.js';
import { WordDiff } from './diff-words.js';
import { parsePattern } from '../posix-regex.js';
import { quotePath } from '../quote.js';
import { maxScore } from './rename.js';
import { type FunctionLines, type Hunk, type Lines, diffLines, hunksOf, splitLines, trimCommonTail } from './text-diff.js';
import { type WhitespaceRule, checkWhitespace, paintWhitespace, whitespaceRuleOf } from './whitespace.js';

export const noColors: DiffColors = { meta: '', frag: '', func: '', old: '', new: '', context: '', whitespace: '', reset: '' };
const plainIndicators = { old: '-', new: '+', context: ' ' } as const;
const defaultHighlights = { old: false, new: true, context: false } as const;
const standardRule = whitespaceRuleOf(undefined, undefined);

/** Knows which files are not text. */
export interface BinaryKnowledge {
  /** Shown as binary: neither asked to be taken for text nor converted. */
  isBinary(entry: DiffEntry): boolean;
  /** Stored as binary. */
  looksBinary(entry: DiffEntry): boolean;
}

/** Writes the patches of entries, one after the other. */
export class PatchWriter {
  readonly #store: ObjectStore;
  readonly #options: DiffFormatOptions;
  readonly #sink: Sink;
  readonly #colors: DiffColors;
  readonly #files: BinaryKnowledge;

  constructor(store: ObjectStore, options: DiffFormatOptions, sink: Sink, files: BinaryKnowledge) {
    this.#store = store;
    this.#options = options;
    this.#sink = sink;
    this.#colors = options.colors ?? noColors;
    this.#files = files;
  }

  /** True when there was content to show; names, modes and similarities alone are none. */
  write(entry: DiffEntry): boolean {
    if (entry.status === 'U') {
      this.#sink(`* Unmerged path ${entry.path}\n`);
      return false;
    }
    const { old: one, new: two } = entry;
    if (isTree(one) || isTree(two)) return false;
    if (changesKind(entry)) {
      const [gone, made] = splitChange(entry, this.#store).map((part) => this.write(part));
      return gone! || made!;
    }
    if (this.#options.submodules !== undefined && [one, two].some(({ mode }) => (mode & 0o170000) === 0o160000)) {
      this.#options.submodules.write(entry, this.#sink);
      return true;
    }
    const header = this.#header(entry).map((line) => this.#painted(line)).join('');
    const isPlain = entry.status === 'M' && one.mode === two.mode && entry.score === undefined;
    if (this.#options.irreversibleDelete && two.mode === 0) {
      this.#sink(header);
      return false;
    }
    const isHidden = this.#files.isBinary(entry);
    if (isHidden) return this.#writeBinary(entry, header, isPlain);
    if (this.#options.programs !== undefined && this.isUnchanged(entry)) return false;
    if (!isPlain) this.#sink(header);
    const [before, after] = [this.#read(entry.oldPath ?? entry.path, one), this.#read(entry.path, two)];
    const isRewrite = entry.status === 'M' && entry.score !== undefined;
    const body = isRewrite ? this.#rewritten(entry.path, splitLines(before), splitLines(after)) : this.#body(entry, splitLines(before), splitLines(after));
    if (body !== '' && isPlain) this.#sink(header);
    if (body !== '') this.#sink(this.#painted(`--- ${this.#oldName(entry, true)}`) + this.#painted(`+++ ${this.#newName(entry, true)}`) + body);
    return body !== '';
  }

  #read(path: string, side: DiffSide): Buffer {
    return this.#options.programs?.read(path, side) ?? readSide(this.#store, side);
  }

  /** It only looks changed; such a file is not handed to a program. */
  isUnchanged({ status, old, new: now, score }: DiffEntry): boolean {
    return status === 'M' && old.mode === now.mode && score === undefined && this.#contentId(old) === this.#contentId(now);
  }

  /** What the header says of similarity and ids. */
  facts(entry: DiffEntry): string {
    return this.#header(entry).slice(1).filter((line) => !/^(?:old mode|new mode|new file mode|deleted file mode) /.test(line)).map((line) => `${line}\n`).join('');
  }

  /** A tab that only ends the name stays outside the colours. */
  #painted(text: string): string {
    const { meta, reset } = this.#colors;
    if (meta === '' && reset === '') return `${text}\n`;
    const [, words, tab] = /^(.*?)(\t?)$/s.exec(text)!;
    return `${meta}${words}${reset}${tab}\n`;
  }

  #writeBinary(entry: DiffEntry, header: string, isPlain: boolean): boolean {
    const { old: one, new: two } = entry;
    const isThere = one.mode !== 0 && two.mode !== 0;
    const isEqual = isThere && (one.id === two.id && two.content === undefined
      || !isHuge(this.#store, one) && !isHuge(this.#store, two) && readSide(this.#store, one).equals(readSide(this.#store, two)));
    if (!isEqual || !isPlain) this.#sink(header);
    if (isEqual) return false;
    if (this.#options.binary) this.#sink(formatBinaryPatch(readSide(this.#store, one), readSide(this.#store, two), this.#options.compression ?? 1));
    else this.#sink(`Binary files ${this.#oldName(entry, false)} and ${this.#newName(entry, false)} differ\n`);
    return true;
  }

  #oldName(entry: DiffEntry, withTab: boolean): string {
    return entry.old.mode === 0 ? '/dev/null' : this.#prefixed(this.#options.oldPrefix, entry.oldPath ?? entry.path, withTab);
  }

  #newName(entry: DiffEntry, withTab: boolean): string {
    return entry.new.mode === 0 ? '/dev/null' : this.#prefixed(this.#options.newPrefix, entry.path, withTab);
  }

  #prefixed(prefix: string, path: string, withTab: boolean): string {
    const name = this.#quote(prefix + path.replace(/^\//, ''));
    return withTab && /[ \t]/.test(name) ? `${name}\t` : name;
  }

  #quote(path: string): string {
    return quotePath(path, { quotePath: this.#options.quotePath ?? true });
  }

  #header(entry: DiffEntry): string[] {
    const { oldPrefix, newPrefix } = this.#options;
    const { old, new: now } = entry;
    const oldPath = old.mode === 0 ? entry.path : entry.oldPath ?? entry.path;
    const newPath = now.mode === 0 ? oldPath : entry.path;
    const lines = [`diff --git ${this.#prefixed(oldPrefix, oldPath, false)} ${this.#prefixed(newPrefix, newPath, false)}`];
    if (old.mode === 0) lines.push(`new file mode ${formatMode(now.mode)}`);
    else if (now.mode === 0) lines.push(`deleted file mode ${formatMode(old.mode)}`);
    else if (old.mode !== now.mode) lines.push(`old mode ${formatMode(old.mode)}`, `new mode ${formatMode(now.mode)}`);
    const percent = Math.trunc(((entry.score ?? 0) * 100) / maxScore);
    if (entry.status === 'M' && entry.score !== undefined) lines.push(`dissimilarity index ${percent}%`);
    if (entry.oldPath !== undefined && (entry.status === 'R' || entry.status === 'C')) {
      const word = entry.status === 'C' ? 'copy' : 'rename';
      lines.push(`similarity index ${percent}%`);
      lines.push(`${word} from ${this.#quote(entry.oldPath)}`, `${word} to ${this.#quote(entry.path)}`);
    }
    const one = this.#contentId(old);
    const two = this.#contentId(now);
    if (one !== two) {
      const full = this.#options.binary && this.#files.looksBinary(entry);
      const digits = full ? undefined : this.#options.indexAbbreviation;
      const mode = old.mode !== 0 && old.mode === now.mode ? ` ${formatMode(old.mode)}` : '';
      lines.push(`index ${this.#abbreviated(one, digits)}..${this.#abbreviated(two, digits)}${mode}`);
    }
    return lines;
  }

  #abbreviated(id: ObjectId, digits: number | undefined): string {
    if (digits === undefined || digits >= id.length) return id;
    return /^0+$/.test(id) ? id.slice(0, digits) : this.#store.abbreviate(id, digits);
  }

  /** The id of what is shown; of a work-tree file it is made now. */
  #contentId(side: DiffSide): ObjectId {
    if (side.mode === 0 || side.content === undefined || side.isHashed) return side.id;
    return (side.mode & 0o170000) === 0o160000 ? side.id : hashObject('blob', side.content(), this.#store.format);
  }

  #body(entry: DiffEntry, old: Lines, now: Lines): string {
    const { context, interHunk, text, wholeFunctions } = this.#options;
    const [one, two] = context === 0 && !wholeFunctions ? trimCommonTail(old.bytes, now.bytes).map(splitLines) as [Lines, Lines] : [old, now];
    const painter = this.#painter(entry, one, two, now);
    const functions = wholeFunctions ? painter.functions() : undefined;
    const hunks = hunksOf(diffLines(one, two, text), one.count, two.count, context, interHunk ?? 0, functions);
    return hunks.map((hunk) => painter.paint(hunk)).join('');
  }

  #painter(entry: DiffEntry, one: Lines, two: Lines, whole: Lines): HunkPainter {
    const { driverOf, words, highlights, whitespaceOf, indicators } = this.#options;
    const [oldDriver, newDriver] = [driverOf?.(entry.oldPath ?? entry.path) ?? plainDriver, driverOf?.(entry.path) ?? plainDriver];
    const findFunction = entry.old.mode === 0 || oldDriver.findFunction === standardFunction ? newDriver.findFunction : oldDriver.findFunction;
    const pattern = words === undefined ? undefined : wordPatternOf(words, oldDriver, newDriver);
    return new HunkPainter(one, two, {
      colors: this.#colors, findFunction, suppressBlank: this.#options.suppressBlank === true, ...(indicators === undefined ? {} : { indicators }), ...(highlights === undefined ? {} : { highlights }),
      rule: whitespaceOf?.(entry.path) ?? standardRule, ...(entry.new.mode === 0 ? {} : { whole }),
      ...(words === undefined ? {} : { words: { style: words.style, ...(pattern === undefined ? {} : { pattern }) } }),
    });
  }

  /** All lines gone, all lines new. */
  #rewritten(path: string, old: Lines, now: Lines): string {
    const { highlights, indicators, whitespaceOf } = this.#options;
    const painter = new HunkPainter(old, now, {
      colors: this.#colors, rule: whitespaceOf?.(path) ?? standardRule, whole: now, ...(indicators === undefined ? {} : { indicators }), ...(highlights === undefined ? {} : { highlights }),
    });
    return painter.paintRewrite(this.#options.irreversibleDelete === true);
  }

  /** Tells what is wrong in the lines an entry adds; true when there is something. */
  check(entry: DiffEntry): boolean {
    const [old, now] = [splitLines(readSide(this.#store, entry.old)), splitLines(readSide(this.#store, entry.new))];
    const rule = this.#options.whitespaceOf?.(entry.path) ?? standardRule;
    const marker = this.#options.markerSizeOf?.(entry.path) ?? 7;
    const { new: color, whitespace, reset } = this.#colors;
    let found = false;
    for (const change of diffLines(old, now, { indentHeuristic: false })) {
      for (let at = change.newAt; at < change.newAt + change.newCount; at += 1) {
        const line = lineOf(now, at);
        if (isConflictMarker(line, marker)) {
          this.#sink(`${entry.path}:${at + 1}: leftover conflict marker\n`);
          found = true;
        }
        const checked = checkWhitespace(line, rule);
        if (checked.errors.length === 0) continue;
        found = true;
        this.#sink(`${entry.path}:${at + 1}: ${checked.errors.join(', ')}.\n`);
        this.#sink(`${color}+${reset}${paintWhitespace(checked, { text: color, error: whitespace, reset })}${line.endsWith('\n') ? '' : '\n'}`);
      }
    }
    const [before, after] = [countBlankEnd(old), countBlankEnd(now)];
    if (rule.blankAtEof && after > before) {
      this.#sink(`${entry.path}:${now.count - after + 1}: new blank line at EOF.\n`);
      found = true;
    }
    return found;
  }
}

/** What is a word: as was asked for, as a driver says, as is configured for all files. */
function wordPatternOf(words: NonNullable<DiffFormatOptions['words']>, ...drivers: readonly DiffDriver[]): RegExp | readonly RegExp[] | undefined {
  const compile = (text: string): RegExp => new RegExp(parsePattern(text, 'extended', { lines: true }), 'gm');
  if (words.pattern !== undefined) return compile(words.pattern);
  for (const { wordPattern, languageWords } of drivers) {
    if (wordPattern !== undefined) return compile(wordPattern);
    if (languageWords !== undefined) return languageWords;
  }
  return words.fallback === undefined ? undefined : compile(words.fallback);
}

/** '<<<<<<< ', '=======', '>>>>>>> ' or '||||||| ', of the length that is in use. */
function isConflictMarker(line: string, size: number): boolean {
  const first = line[0]!;
  if (line.length < size + 1 || !'=<>|'.includes(first)) return false;
  if (line.slice(0, size) !== first.repeat(size)) return false;
  return /[ \t\n\v\f\r]/.test(line[size]!);
}

/** A file became a link or a submodule, or the other way round. */
export function changesKind({ old, new: now }: DiffEntry): boolean {
  return old.mode !== 0 && now.mode !== 0 && (old.mode & 0o170000) !== (now.mode & 0o170000);
}

/** A file that became something of another kind, as one that went and one that came. */
export function splitChange(entry: DiffEntry, store: ObjectStore): [gone: DiffEntry, made: DiffEntry] {
  const nothing: DiffSide = { mode: 0, id: zeroId(store.format) };
  return [
    { path: entry.oldPath ?? entry.path, status: 'D', old: entry.old, new: nothing },
    { path: entry.path, status: 'A', old: nothing, new: entry.new },
  ];
}

function isTree(side: DiffSide): boolean {
  return (side.mode & 0o170000) === 0o040000;
}

/** How many blank lines end a text; as git counts them, without one of a single byte that begins it. */
function countBlankEnd({ bytes }: Lines): number {
  let count = 0;
  let at = bytes.length - 1;
  if (bytes[at] === 10) at -= 1;
  while (at > 0) {
    const newline = bytes.lastIndexOf(10, at);
    if (!/^[ \t\n\v\f\r]*$/.test(bytes.toString('latin1', newline + 1, at + 1))) break;
    count += 1;
    at = newline - 1;
  }
  return count;
}

function isBlankLine(lines: Lines, at: number): boolean {
  return /^[ \t\n\v\f\r]*$/.test(lineOf(lines, at));
}

export interface HunkStyle {
  readonly colors: DiffColors;
  readonly indicators?: { readonly old: string; readonly new: string; readonly context: string };
  readonly highlights?: { readonly old: boolean; readonly new: boolean; readonly context: boolean };
  readonly rule?: WhitespaceRule;
  /** The whole new text, for blank lines at its end. */
  readonly whole?: Lines;
  readonly findFunction?: FunctionFinder;
  readonly suppressBlank?: boolean;
  readonly words?: { readonly style: 'plain' | 'color' | 'porcelain'; readonly pattern?: RegExp | readonly RegExp[] };
}

/** Hunks of one file as text. */
export class HunkPainter {
  readonly #old: Lines;
  readonly #new: Lines;
  readonly #style: HunkStyle;
  readonly #colors: DiffColors;
  readonly #indicators: { readonly old: string; readonly new: string; readonly context: string };
  readonly #findFunction: FunctionFinder;
  /** The blank lines that end both texts begin at these lines (from 1), when the new one has more of them. */
  readonly #blankEnd: { readonly old: number; readonly new: number } | undefined;
  #function = '';
  #functionFrom = -1;

  constructor(old: Lines, now: Lines, style: HunkStyle) {
    this.#old = old;
    this.#new = now;
    this.#style = style;
    this.#colors = style.colors;
    this.#indicators = style.indicators ?? plainIndicators;
    this.#findFunction = style.findFunction ?? standardFunction;
    const { whole, rule = standardRule, colors } = style;
    const [before, after] = whole === undefined || colors.whitespace === '' || !rule.blankAtEof ? [0, 0] : [countBlankEnd(old), countBlankEnd(now)];
    this.#blankEnd = after > before ? { old: old.count - before + 1, new: now.count - after + 1 } : undefined;
  }

  /** Where functions begin, by this painter's rules. */
  functions(): FunctionLines {
    const textOf = (side: 'old' | 'new'): Lines => (side === 'old' ? this.#old : this.#new);
    return {
      oldLines: this.#old.count, newLines: this.#new.count,
      isFunction: (side, line) => this.#findFunction(plainLine(textOf(side), line)) !== undefined,
      isBlank: (side, line) => isBlankLine(textOf(side), line),
    };
  }

  paint(hunk: Hunk): string {
    const range = (at: number, count: number): string => `${count === 0 ? at : at + 1}${count === 1 ? '' : `,${count}`}`;
    const place = `@@ -${range(hunk.oldAt, hunk.oldCount)} +${range(hunk.newAt, hunk.newCount)} @@`;
    const text = this.#paintPlace(place, this.#heading(hunk.oldAt));
    return text + (this.#style.words === undefined ? this.#lines(hunk) : this.#words(hunk));
  }

  #paintPlace(place: string, heading: string): string {
    const { frag, func, context, reset } = this.#colors;
    let text = frag + place + (frag === '' && reset === '' ? '' : reset);
    if (heading !== '') text += reset === '' ? ` ${heading}` : `${context} ${reset}${func}${heading}${reset}`;
    return `${text}\n`;
  }

  #lines(hunk: Hunk): string {
    let text = '';
    let at = hunk.newAt;
    for (const change of hunk.changes) {
      for (; at < change.newAt; at += 1) text += this.#line('context', this.#new, at);
      for (let index = 0; index < change.oldCount; index += 1) text += this.#line('old', this.#old, change.oldAt + index);
      const oldLine = change.oldAt + change.oldCount + (hunk.oldCount === 0 ? 0 : 1);
      for (let index = 0; index < change.newCount; index += 1) {
        const newLine = change.newAt + index + (hunk.newCount === 0 ? 0 : 1);
        text += this.#line('new', this.#new, change.newAt + index, this.#endsBlank(oldLine, newLine));
      }
      at = change.newAt + change.newCount;
    }
    for (; at < hunk.newAt + hunk.newCount; at += 1) text += this.#line('context', this.#new, at);
    return text;
  }

  /** A line at these places (from 1) is among the blank ones that came to the end. */
  #endsBlank(oldLine: number, newLine: number): boolean {
    return this.#blankEnd !== undefined && this.#blankEnd.old <= oldLine && this.#blankEnd.new <= newLine + 1;
  }

  #words(hunk: Hunk): string {
    let text = '';
    const { old, new: added, context, reset } = this.#colors;
    const words = new WordDiff(this.#style.words!, { old, new: added, context, reset }, (piece) => { text += piece; });
    const whole = (lines: Lines, at: number): string => `${plainLine(lines, at)}\n`;
    let at = hunk.newAt;
    for (const change of hunk.changes) {
      for (; at < change.newAt; at += 1) words.keep(whole(this.#new, at));
      for (let index = 0; index < change.oldCount; index += 1) words.remove(whole(this.#old, change.oldAt + index));
      for (let index = 0; index < change.newCount; index += 1) words.add(whole(this.#new, change.newAt + index));
      at = change.newAt + change.newCount;
    }
    for (; at < hunk.newAt + hunk.newCount; at += 1) words.keep(whole(this.#new, at));
    words.flush();
    return text;
  }

  /** One hunk that takes everything away (not shown with `onlyPlace`), then brings everything. */
  paintRewrite(onlyPlace: boolean): string {
    const range = (count: number): string => (count === 0 ? '0,0' : count === 1 ? '1' : `1,${count}`);
    let text = this.#paintPlace(`@@ -${onlyPlace ? '?,?' : range(this.#old.count)} +${range(this.#new.count)} @@`, '');
    if (!onlyPlace) for (let at = 0; at < this.#old.count; at += 1) text += this.#line('old', this.#old, at);
    for (let at = 0; at < this.#new.count; at += 1) text += this.#line('new', this.#new, at, this.#endsBlank(this.#old.count + 1, at + 1));
    return text;
  }

  /** The nearest line before the hunk that begins like a definition; a hunk without one repeats the last. */
  #heading(before: number): string {
    for (let at = before - 1; at > this.#functionFrom; at -= 1) {
      const found = this.#findFunction(plainLine(this.#old, at));
      if (found === undefined) continue;
      this.#function = found;
      break;
    }
    this.#functionFrom = Math.max(before - 1, this.#functionFrom);
    return this.#function;
  }

  #line(kind: 'old' | 'new' | 'context', lines: Lines, at: number, isAtEnd = false): string {
    const line = lineOf(lines, at);
    const sign = kind === 'context' && line === '\n' && this.#style.suppressBlank ? '' : this.#indicators[kind];
    const end = line.endsWith('\n') ? '' : noNewline(this.#colors);
    const body = line.endsWith('\n') ? line.slice(0, -1) : line;
    const { reset, whitespace } = this.#colors;
    if (reset === '') return `${sign}${body}\n${end}`;
    const color = this.#colors[kind];
    if (sign === '' && body === '') return '\n';
    if ((this.#style.highlights ?? defaultHighlights)[kind] && whitespace !== '') {
      if (isAtEnd && /^[ \t\n\v\f\r]*$/.test(body)) return `${whitespace}${sign}${body}${reset}\n${end}`;
      const checked = checkWhitespace(body, this.#style.rule ?? standardRule);
      return `${color}${sign}${reset}${paintWhitespace(checked, { text: color, error: whitespace, reset })}\n${end}`;
    }
    const carriage = body.endsWith('\r') ? '\r' : '';
    return `${color}${sign}${carriage ? body.slice(0, -1) : body}${reset}${carriage}\n${end}`;
  }
}

function noNewline(colors: DiffColors): string {
  return colors.reset === '' ? '\\ No newline at end of file\n' : `${colors.context}\\ No newline at end of file${colors.reset}\n`;
}

function lineOf(lines: Lines, index: number): string {
  return lines.bytes.toString('latin1', lines.starts[index]!, lines.starts[index + 1]!);
}

function plainLine(lines: Lines, index: number): string {
  return lineOf(lines, index).replace(/\n$/, '');
}
