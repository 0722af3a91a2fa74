// Commits in words: the named formats (oneline … raw), and the %-placeholders of git-log(1) "PRETTY FORMATS".
//
// All text is latin1, one character per byte, in the output encoding; a message in another encoding is converted. A format is
// compiled once and then applied to many commits. Colour is the caller's: without a `color` function there is none.
import type { Ident } from '../../pack/ident.js';
import { InvalidError } from '../../pack/errors.js';
import type { Commit } from '../../pack/commit.js';
import type { ObjectId } from '../../pack/oid.js';
import { abbreviationDigits } from '../objects/abbreviation.js';
import { formatColor } from '../color.js';
import type { Arguments, Clock } from '../command.js';
import { type DateMode, formatDate } from '../date.js';
import { Describer, formatDescription } from './describe.js';
import { escapeMailText, formatMailSubject, formatSender, formatTextHeaders } from './mail-headers.js';
import { Mailmap, type Person } from './mailmap.js';
import { findPlainSubject } from './plain-subject.js';
import { parseCount } from '../option-number.js';
import type { Repository } from '../repository.js';
import { type SignatureReport, checkCommit } from '../signature/signature-check.js';
import { findTrailerText, parseTrailerBlock } from '../trailers.js';

/** The formats that have a name. */
export type NamedFormat = 'oneline' | 'short' | 'medium' | 'full' | 'fuller' | 'raw' | 'reference' | 'email' | 'mboxrd';

/** What --pretty or --format came to. */
export type PrettyFormat =
  | { readonly kind: NamedFormat }
  /** `terminated`: each one ends its own line, instead of a separator between two. */
  | { readonly kind: 'user'; readonly text: string; readonly terminated: boolean };

/** A commit to be shown, and what its surroundings know of it. */
export interface CommitView {
  readonly id: ObjectId;
  readonly commit: Commit;
  /** As shown, which after simplification need not be those stored. */
  readonly parents: readonly ObjectId[];
  /** The commit's bytes; for 'raw'. */
  readonly bytes?: Buffer | undefined;
  /** '>', '<', '-', '=' or '+'. */
  readonly mark?: string;
  readonly source?: string | undefined;
  readonly reflog?: { readonly selector: string; readonly shortSelector: string; readonly ident: Ident; readonly message: string } | undefined;
}

export interface FormatOptions {
  readonly repository: Repository;
  readonly clock: Clock;
  readonly dateMode: DateMode;
  /** The mode was asked for, so --pretty=reference heeds it, too. */
  readonly hasDate?: boolean;
  /** Hex digits of abbreviated ids at least. */
  readonly abbreviation: number;
  /** Escape sequence for git's colour words; absent: no colour. */
  readonly color?: (words: string) => string;
  /** ' (HEAD -> main, tag: v1)' or ''. */
  readonly decorate?: (id: ObjectId, style: 'wrapped' | 'plain') => string;
  /** Replace tabs in messages by spaces up to the next of so many columns, 0 for never; default 8 for medium, full and fuller. */
  readonly expandTabs?: number;
  /** Notes of a commit, '' when it has none; `raw` without titles. Absent: %N is empty. */
  readonly notes?: (id: ObjectId, raw: boolean) => string;
  /** i18n.logOutputEncoding; default UTF-8. */
  readonly encoding?: string;
  /** How 'email' and 'mboxrd' begin the line of the subject; absent: it stands below the headers. */
  readonly mailSubject?: string;
  /** In these formats, headers that are not ASCII are written as encoded words. */
  readonly encodesMailHeaders?: boolean;
  /** Applied to the people in the named formats. %aN and its like are always mapped. */
  readonly mailmap?: Mailmap;
}

const namedFormats: readonly NamedFormat[] = ['oneline', 'short', 'medium', 'full', 'fuller', 'raw', 'reference', 'email', 'mboxrd'];

/** Reads --pretty=<text>; pretty.<name> of the configuration counts. InvalidError when there is no such format. */
export function parsePrettyFormat(text: string, config?: { get(name: string): string | undefined }, depth = 0): PrettyFormat {
  if (text === '') return { kind: 'user', text: '', terminated: true };
  if (text.startsWith('format:')) return { kind: 'user', text: toBytes(text.slice(7)), terminated: false };
  if (text.startsWith('tformat:')) return { kind: 'user', text: toBytes(text.slice(8)), terminated: true };
  if (text.includes('%')) return { kind: 'user', text: toBytes(text), terminated: true };
  const alias = /^[a-zA-Z0-9.-]+$/.test(text) ? config?.get(`pretty.${text}`) : undefined;
  if (alias !== undefined && !namedFormats.includes(text as NamedFormat)) {
    if (depth > 10) throw new InvalidError(`'pretty.${text}' refers to itself`, { code: 'bad-pretty' });
    return parsePrettyFormat(alias, config, depth + 1);
  }
  const kind = namedFormats.find((name) => name.startsWith(text) && (name === text || text.length > 0));
  if (kind === undefined) throw new InvalidError(`invalid --pretty format: ${text}`, { code: 'bad-pretty' });
  return { kind };
}

const toBytes = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

/** How many hex digits abbreviated ids have: core.abbrev, or by the number of objects. */
export const defaultAbbreviation: (repository: Repository) => number = abbreviationDigits;

/** The line that stands before a commit as a mail. */
export function formatMailLine(id: ObjectId): string {
  return `From ${id} Mon Sep 17 00:00:00 2001`;
}

/** Formats commits, one way. */
export class CommitFormat {
  readonly pretty: PrettyFormat;
  readonly #options: FormatOptions;
  readonly #parts: readonly Part[];
  #mailmap: Mailmap | undefined;
  readonly #findMailmap = (): Mailmap => (this.#mailmap ??= this.#options.mailmap ?? Mailmap.read(this.#options.repository));

  constructor(pretty: PrettyFormat, options: FormatOptions) {
    this.pretty = pretty;
    this.#options = options;
    const reference = '%C(auto)%h (%s, %ad)';
    this.#parts = pretty.kind === 'user' ? compile(pretty.text) : pretty.kind === 'reference' ? compile(reference) : [];
  }

  /** One line per commit, or lines that end themselves. */
  get isTerminated(): boolean {
    return this.pretty.kind === 'oneline' || this.pretty.kind === 'reference' || (this.pretty.kind === 'user' && this.pretty.terminated);
  }

  /** No text at all comes of it. */
  get isEmpty(): boolean {
    return this.pretty.kind === 'user' && this.pretty.text === '';
  }

  /** No "commit <id>" line is put before it. */
  get isWhole(): boolean {
    return this.pretty.kind === 'user' || this.pretty.kind === 'reference';
  }

  /** The head of a mail and its text. */
  get isMail(): boolean {
    return this.pretty.kind === 'email' || this.pretty.kind === 'mboxrd';
  }

  /** The text; for named formats without the "commit <id>" line. Lines of 'medium' and its like end in '\n'. */
  format(view: CommitView): string {
    switch (this.pretty.kind) {
      case 'user': case 'reference': return this.#expand(view);
      case 'oneline': return this.#subject(view);
      case 'email': case 'mboxrd': return this.#formatMail(view, this.pretty.kind === 'mboxrd');
      default: return this.#formatHeaders(view, this.pretty.kind);
    }
  }

  /** Text is shown in UTF-8. */
  get isUtf8(): boolean {
    return canonicalEncoding(this.#options.encoding) === 'utf-8';
  }

  #subject(view: CommitView): string {
    const plain = view.bytes && findPlainSubject(view.bytes, 0, view.bytes.length, this.isUtf8);
    return plain === undefined ? subjectOf(messageOf(view.commit, this.#options.encoding)) : view.bytes!.toString('latin1', plain.start, plain.end);
  }

  #expand(view: CommitView): string {
    const state = new Expansion(view, this.#options, this.pretty.kind === 'reference' && !this.#options.hasDate ? { kind: 'short', local: false } : this.#options.dateMode, this.#findMailmap);
    for (const part of this.#parts) part(state);
    return state.finish();
  }

  /** Headers, the subject among them or below them, and the rest of the message. */
  #formatMail({ commit }: CommitView, escapes: boolean): string {
    const { encoding, mailSubject, clock } = this.#options;
    const message = messageOf(commit, encoding);
    const shown = this.isUtf8 ? 'UTF-8' : encoding ?? 'UTF-8';
    const words = this.#options.encodesMailHeaders ? shown : undefined;
    const { author } = commit;
    const { name, email } = this.#person(author, commit.encoding);
    const sender = formatSender(name, email, wrapText, words);
    const subject = mailSubject === undefined ? `\n${subjectOf(message)}\n` : formatMailSubject(mailSubject, subjectOf(message), wrapText, words);
    const head = `${sender}Date: ${formatDate(author.seconds, author.offset, 'rfc', clock)}\n${subject}${formatTextHeaders(message, shown)}\n`;
    const body = indented(bodyOf(message), false, this.#options.expandTabs ?? 0, '');
    const text = trimEnd(head + (escapes ? escapeMailText(body) : body));
    return text.length < head.length ? `${text}\n\n` : `${text}\n`;
  }

  /** By the mailmaps where they are asked for, in the output encoding. */
  #person(ident: Ident, from: string | undefined): Person {
    const { mailmap, encoding } = this.#options;
    const name = convert(ident.name, from, encoding);
    return mailmap === undefined ? { name, email: convert(ident.email, from, encoding) } : mailmap.map({ name, email: ident.email });
  }

  #formatHeaders(view: CommitView, kind: Exclude<NamedFormat, 'oneline' | 'reference' | 'email' | 'mboxrd'>): string {
    const { commit } = view;
    const { encoding } = this.#options;
    const message = messageOf(commit, encoding);
    if (kind === 'raw') {
      const bytes = view.bytes ?? Buffer.alloc(0);
      const end = bytes.indexOf('\n\n');
      const stored = bytes.toString('latin1', 0, end < 0 ? bytes.length : end + 1);
      const headers = reencodedHeaders(convert(stored, commit.encoding, encoding), commit.encoding, encoding);
      return `${headers}\n${indented(message, false, this.#options.expandTabs ?? 0)}`.trimEnd() + '\n';
    }
    const lines: string[] = [];
    if (view.parents.length > 1) {
      lines.push(`Merge: ${view.parents.map((id) => this.#options.repository.objects.abbreviate(id, this.#options.abbreviation)).join(' ')}`);
    }
    const { mailmap } = this.#options;
    const person = (ident: Ident): string => {
      const { name, email } = mailmap === undefined ? ident : mailmap.map({ name: convert(ident.name, commit.encoding, encoding), email: ident.email });
      return convert(`${name} <${email}>`, mailmap === undefined ? commit.encoding : encoding, encoding);
    };
    const date = (ident: Ident): string => formatDate(ident.seconds, ident.offset, this.#options.dateMode, this.#options.clock);
    if (kind === 'fuller') {
      lines.push(`Author:     ${person(commit.author)}`, `AuthorDate: ${date(commit.author)}`);
      lines.push(`Commit:     ${person(commit.committer)}`, `CommitDate: ${date(commit.committer)}`);
    } else {
      lines.push(`Author: ${person(commit.author)}`);
      if (kind === 'full') lines.push(`Commit: ${person(commit.committer)}`);
      if (kind === 'medium') lines.push(`Date:   ${date(commit.author)}`);
    }
    return `${trimEnd(`${lines.join('\n')}\n\n${indented(message, kind === 'short', this.#options.expandTabs ?? (kind === 'short' ? 0 : 8))}`)}\n`;
  }
}

/** What --expand-tabs comes to; nothing when it is not given. */
export function expansionOf(args: Arguments): { expandTabs?: number } {
  const flag = args.flag('expand-tabs');
  if (flag === undefined) return {};
  return { expandTabs: flag ? parseCount('expand-tabs', args.value('expand-tabs') ?? '8') : 0 };
}

/** The message, behind `margin`; `titleOnly` stops at the first blank line. */
function indented(message: string, titleOnly: boolean, tabColumns: number, margin = '    '): string {
  let text = '';
  let first = true;
  for (const line of message.split('\n')) {
    const trimmed = trimEnd(line);
    if (trimmed === '') {
      if (first) continue;
      if (titleOnly) break;
      text += `${margin}\n`;
      continue;
    }
    first = false;
    text += `${margin}${tabColumns > 0 ? withoutTabs(trimmed, tabColumns) : trimmed}\n`;
  }
  return text;
}

/** Without blanks and line ends behind it: what a pattern does only by looking at every blank in between. */
function trimEnd(text: string): string {
  let end = text.length;
  for (; end > 0; end -= 1) {
    const unit = text.charCodeAt(end - 1);
    if (unit !== 32 && (unit < 9 || unit > 13)) break;
  }
  return text.slice(0, end);
}

function withoutTabs(line: string, tabColumns: number): string {
  if (!line.includes('\t')) return line;
  let text = '';
  let columns = 0;
  for (const [index, piece] of line.split('\t').entries()) {
    if (index > 0) {
      const blanks = tabColumns - columns % tabColumns;
      text += ' '.repeat(blanks);
      columns += blanks;
    }
    text += piece;
    columns += displayWidth(piece);
  }
  return text;
}

/** Columns a latin1 byte string of UTF-8 takes on a terminal: wide characters two, combining ones none. */
export function displayWidth(bytes: string): number {
  if (!/[\x80-\xff]/.test(bytes)) return bytes.length;
  let columns = 0;
  for (const character of Buffer.from(bytes, 'latin1').toString('utf8')) columns += characterWidth(character.codePointAt(0)!);
  return columns;
}

function characterWidth(code: number): number {
  if ((code >= 0x300 && code <= 0x36f) || (code >= 0x200b && code <= 0x200f) || (code >= 0xfe00 && code <= 0xfe0f) || (code >= 0x20d0 && code <= 0x20ff)) return 0;
  const wide = (code >= 0x1100 && code <= 0x115f) || (code >= 0x2e80 && code <= 0xa4cf && code !== 0x303f) || (code >= 0xac00 && code <= 0xd7a3)
    || (code >= 0xf900 && code <= 0xfaff) || (code >= 0xfe30 && code <= 0xfe6f) || (code >= 0xff00 && code <= 0xff60)
    || (code >= 0xffe0 && code <= 0xffe6) || (code >= 0x1f300 && code <= 0x1f64f) || (code >= 0x1f900 && code <= 0x1f9ff)
    || (code >= 0x20000 && code <= 0x3fffd);
  return wide ? 2 : 1;
}

/** `bytes` from one encoding to another; unchanged when they are the same or one is unknown. */
function convert(bytes: string, from: string | undefined, to: string | undefined): string {
  if (from === to) return bytes;
  return reencode(bytes, from, to) ?? bytes;
}

/** `bytes` from one encoding to another; undefined when one is unknown or cannot hold the text. */
export function reencode(bytes: string, from: string | undefined, to: string | undefined): string | undefined {
  const source = canonicalEncoding(from);
  const target = canonicalEncoding(to);
  if (source === target || !/[\x80-\xff]/.test(bytes)) return bytes;
  let text: string;
  try {
    text = source === 'latin1' ? bytes : new TextDecoder(source, { fatal: true }).decode(Buffer.from(bytes, 'latin1'));
  } catch (error) {
    // An encoding nobody here knows, or bytes that are not in it: shown as they are, like git does.
    if (error instanceof RangeError || error instanceof TypeError) return undefined;
    throw error;
  }
  if (target === 'utf-8') return Buffer.from(text, 'utf8').toString('latin1');
  return target === 'latin1' && /^[\0-\xff]*$/.test(text) ? text : undefined;
}

/** The line that names the encoding goes when the text is UTF-8 now, and tells the new one otherwise. */
function reencodedHeaders(headers: string, from: string | undefined, to: string | undefined): string {
  if (from === undefined || canonicalEncoding(from) === canonicalEncoding(to)) return headers;
  return headers.replace(/\nencoding [^\n]*/, canonicalEncoding(to) === 'utf-8' ? '' : `\nencoding ${to}`);
}

function canonicalEncoding(name: string | undefined): string {
  const lower = (name ?? 'utf-8').toLowerCase();
  if (lower === 'utf8' || lower === 'utf-8') return 'utf-8';
  return /^(iso-?8859-1|latin-?1|l1)$/.test(lower) ? 'latin1' : lower;
}

/** The message in the output encoding, without blank lines before it. */
export function messageOf(commit: Pick<Commit, 'message' | 'encoding'>, encoding?: string): string {
  return convert(commit.message.toString('latin1'), commit.encoding, encoding).replace(/^(?:[ \t\v\f\r]*\n)+/, '');
}

/** The first paragraph on one line. */
export function subjectOf(message: string): string {
  const newline = message.indexOf('\n');
  if (newline < 0) return trimEnd(message);
  const lines: string[] = [];
  for (const line of message.split('\n')) {
    const trimmed = trimEnd(line);
    if (trimmed === '') break;
    lines.push(trimmed);
  }
  return lines.join(' ');
}

/** What follows the first paragraph and the blank lines after it. */
export function bodyOf(message: string): string {
  let at = 0;
  while (at < message.length) {
    const newline = message.indexOf('\n', at);
    const end = newline < 0 ? message.length : newline + 1;
    const blank = message.slice(at, end).trim() === '';
    at = end;
    if (blank) break;
  }
  return message.slice(at).replace(/^(?:[ \t\v\f\r]*\n)+/, '');
}

/** The subject as part of a file name. */
function sanitised(subject: string): string {
  let text = '';
  let space = 2;
  for (const character of subject) {
    if (/[A-Za-z0-9._]/.test(character)) {
      if (space === 1) text += '-';
      space = 0;
      if (character === '.' && text.endsWith('.')) continue;
      text += character;
    } else space |= 1;
  }
  return text.replace(/[.-]+$/, '');
}

type Part = (state: Expansion) => void;
type Alignment = 'left' | 'right' | 'both' | 'left-and-steal';

/** The text of one commit while it is put together. */
class Expansion {
  readonly view: CommitView;
  readonly options: FormatOptions;
  readonly dateMode: DateMode;
  readonly #findMailmap: () => Mailmap;
  autoColor = false;
  text = '';
  /** Set by %< and its like for the next placeholder. */
  padding: { readonly align: Alignment; readonly width: number; readonly toColumn: boolean; readonly cut: 'none' | 'left' | 'middle' | 'right' } | undefined;
  wrap: { readonly width: number; readonly first: number; readonly rest: number; readonly from: number } | undefined;
  #message: string | undefined;
  #signature: SignatureReport | undefined;

  constructor(view: CommitView, options: FormatOptions, dateMode: DateMode, findMailmap: () => Mailmap) {
    this.view = view;
    this.options = options;
    this.dateMode = dateMode;
    this.#findMailmap = findMailmap;
  }

  get mailmap(): Mailmap {
    return this.#findMailmap();
  }

  get message(): string {
    return (this.#message ??= messageOf(this.view.commit, this.options.encoding));
  }

  get signature(): SignatureReport {
    return (this.#signature ??= checkCommit(this.options.repository, this.view.id, this.view.commit));
  }

  abbreviate(id: ObjectId): string {
    return this.options.repository.objects.abbreviate(id, this.options.abbreviation);
  }

  converted(bytes: string): string {
    return convert(bytes, this.view.commit.encoding, this.options.encoding);
  }

  /** By the mailmaps, in the output encoding. */
  mapped(ident: Ident): Person {
    return this.mailmap.map({ name: this.converted(ident.name), email: this.converted(ident.email) });
  }

  date(ident: Ident, mode: DateMode | string): string {
    return formatDate(ident.seconds, ident.offset, mode, this.options.clock);
  }

  /** `words` given to --color; '' when there is no colour. */
  color(words: string): string {
    return this.options.color?.(words) ?? '';
  }

  rewrap(next?: Expansion['wrap']): void {
    if (this.wrap !== undefined) {
      const { from, width, first, rest } = this.wrap;
      this.text = this.text.slice(0, from) + wrapText(this.text.slice(from), width, first, rest);
    }
    this.wrap = next;
  }

  /** Appends what a placeholder came to, padded when that was asked for. */
  add(value: string): void {
    const { padding } = this;
    if (padding === undefined) {
      this.text += value;
      return;
    }
    this.padding = undefined;
    const line = this.text.slice(this.text.lastIndexOf('\n') + 1);
    const width = padding.toColumn ? Math.max(padding.width - displayWidth(plain(line)), 0) : padding.width;
    const shown = displayWidth(plain(value));
    if (padding.align === 'left-and-steal' && shown > width) {
      // Takes the blanks before it when it needs the room.
      let missing = shown - width;
      while (missing > 0 && this.text.endsWith(' ')) {
        this.text = this.text.slice(0, -1);
        missing -= 1;
      }
      this.text += missing > 0 && padding.cut !== 'none' ? truncate(value, shown - missing, padding.cut) : value;
      return;
    }
    if (shown > width) {
      this.text += padding.cut === 'none' ? value : truncate(value, width, padding.cut);
      return;
    }
    const blanks = width - shown;
    const before = padding.align === 'left' ? 0 : padding.align === 'both' ? Math.floor(blanks / 2) : blanks;
    this.text += ' '.repeat(before) + value + ' '.repeat(blanks - before);
  }

  finish(): string {
    this.rewrap();
    return this.text;
  }
}

const plain = (text: string): string => text.replace(/\u001b\[[0-9;]*m/g, '');

function truncate(value: string, width: number, cut: 'none' | 'left' | 'middle' | 'right'): string {
  const characters = [...Buffer.from(value, 'latin1').toString('utf8')];
  const keep = Math.max(width - 2, 0);
  const take = (count: number, fromEnd: boolean): string => {
    const list = fromEnd ? [...characters].reverse() : characters;
    let columns = 0;
    const taken: string[] = [];
    for (const character of list) {
      columns += characterWidth(character.codePointAt(0)!);
      if (columns > count) break;
      taken.push(character);
    }
    return toBytes((fromEnd ? taken.reverse() : taken).join(''));
  };
  if (cut === 'left') return `..${take(keep, true)}`;
  if (cut === 'middle') return `${take(Math.floor(keep / 2), false)}..${take(keep - Math.floor(keep / 2), true)}`;
  return `${take(keep, false)}..`;
}

/** Fills lines to `width`, a paragraph at a time; a width of 0 only indents. Lines that begin with no letter or digit stay apart. */
export function wrapText(text: string, width: number, first: number, rest: number): string {
  if (width <= 0) {
    let out = '';
    let indent = first;
    for (const line of text.match(/[^\n]*\n|[^\n]+/g) ?? []) {
      out += ' '.repeat(Math.max(indent, 0)) + line;
      indent = rest;
    }
    return out;
  }
  let out = '';
  let at = 0;
  let lineStart = 0;
  let indent = first;
  let columns = Math.abs(first);
  /** Where the last blank is that is on this line already; undefined at the beginning of a line. */
  let blank: number | undefined = first < 0 ? 0 : undefined;
  const newLine = (from: number): void => {
    out += '\n';
    lineStart = from + (isBlankAt(text, from) ? 1 : 0);
    at = lineStart;
    blank = undefined;
    indent = rest;
    columns = rest;
  };
  for (;;) {
    const escape = /^\u001b\[[0-9;]*m/.exec(text.slice(at, at + 32));
    if (escape) {
      at += escape[0].length;
      continue;
    }
    if (at < text.length && !isBlankAt(text, at)) {
      const length = characterLength(text, at);
      columns += displayWidth(text.slice(at, at + length));
      at += length;
      continue;
    }
    if (columns > width && blank !== undefined) {
      newLine(blank);
      continue;
    }
    if (at >= text.length && at === lineStart) return out;
    out += blank === undefined ? ' '.repeat(Math.max(indent, 0)) + text.slice(lineStart, at) : text.slice(blank, at);
    if (at >= text.length) return out;
    blank = at;
    if (text[at] === '\t') columns |= 7;
    else if (text[at] === '\n') {
      blank += 1;
      if (text[blank] === '\n') {
        out += '\n';
        newLine(blank);
        continue;
      }
      if (!/[A-Za-z0-9]/.test(text[blank] ?? '')) {
        newLine(blank);
        continue;
      }
      out += ' ';
    }
    columns += 1;
    at += 1;
  }
}

function isBlankAt(text: string, at: number): boolean {
  return at < text.length && /[ \t\n\v\f\r]/.test(text[at]!);
}

/** Bytes of the UTF-8 character at `at`. */
function characterLength(text: string, at: number): number {
  const byte = text.charCodeAt(at);
  return byte < 0xc0 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
}

const colorNames: Readonly<Record<string, string>> = { red: 'red', green: 'green', blue: 'blue', reset: 'reset' };

/** One placeholder at `at` (after the '%'): what it appends and where it ends; undefined when it is none. */
interface Placeholder { readonly end: number; readonly value: (state: Expansion) => string | undefined }

function compile(format: string): Part[] {
  const parts: Part[] = [];
  let literal = '';
  let at = 0;
  const flush = (): void => {
    if (literal === '') return;
    const text = literal;
    literal = '';
    parts.push((state) => { state.text += text; });
  };
  while (at < format.length) {
    const percent = format.indexOf('%', at);
    if (percent < 0) {
      literal += format.slice(at);
      break;
    }
    literal += format.slice(at, percent);
    at = percent + 1;
    if (format[at] === '%') {
      literal += '%';
      at += 1;
      continue;
    }
    const layout = readLayout(format, at);
    if (layout !== undefined) {
      flush();
      parts.push(layout.part);
      at = layout.end;
      continue;
    }
    const magic = '+- '.includes(format[at] ?? '?') ? format[at]! : '';
    const found = readPlaceholder(format, at + magic.length);
    if (found === undefined) {
      literal += '%';
      continue;
    }
    flush();
    const { value } = found;
    parts.push((state) => {
      const text = value(state) ?? '';
      if (magic === '') state.add(text);
      else if (text === '') {
        if (magic === '-') state.text = state.text.replace(/\n+$/, '');
        if (state.padding !== undefined) state.add('');
      } else {
        if (magic === '+') state.text += '\n';
        if (magic === ' ') state.text += ' ';
        state.add(text);
      }
    });
    at = found.end;
  }
  flush();
  return parts;
}

/** %w(...), %<(...), %>(...), %><(...) and their like. */
function readLayout(format: string, at: number): { part: Part; end: number } | undefined {
  const rest = format.slice(at);
  const wrap = /^w\(\s*(?:(\d+)(?:,\s*(\d+)(?:,\s*(\d+))?)?)?\s*\)/.exec(rest);
  if (wrap) {
    const [width, first, indent] = [Number(wrap[1] ?? 0), Number(wrap[2] ?? 0), Number(wrap[3] ?? 0)];
    return {
      end: at + wrap[0].length,
      part: (state) => state.rewrap(width + first + indent === 0 ? undefined : { width, first, rest: indent, from: state.text.length }),
    };
  }
  const pad = /^(<\||<|>\||>>\||>>|>|><\||><)\(\s*(-?\d+)\s*(?:,\s*(trunc|ltrunc|mtrunc)\s*)?\)/.exec(rest);
  if (!pad) return undefined;
  const sign = pad[1]!.replace('|', '');
  const toColumn = pad[1]!.endsWith('|');
  const align: Alignment = sign === '<' ? 'left' : sign === '>' ? 'right' : sign === '><' ? 'both' : 'left-and-steal';
  const cut = pad[3] === 'trunc' ? 'right' : pad[3] === 'ltrunc' ? 'left' : pad[3] === 'mtrunc' ? 'middle' : 'none';
  const typed = Number(pad[2]);
  if (typed === 0 || (typed < 0 && !toColumn)) return undefined;
  return {
    end: at + pad[0].length,
    part: (state) => { state.padding = { align, width: typed < 0 ? Math.max(state.options.color === undefined ? 80 + typed : 80 + typed, 0) : typed, toColumn, cut }; },
  };
}

function readPlaceholder(format: string, at: number): Placeholder | undefined {
  const one = (value: Placeholder['value'], length = 1): Placeholder => ({ end: at + length, value });
  const letter = format[at];
  switch (letter) {
    case 'n': return one(() => '\n');
    case 'x': {
      const hex = /^[0-9a-fA-F]{2}/.exec(format.slice(at + 1));
      if (!hex) return undefined;
      const byte = String.fromCharCode(Number.parseInt(hex[0], 16));
      return one(() => byte, 3);
    }
    case 'H': return one(({ view, color, autoColor, options }) => withAuto(autoColor, options, view.id, color));
    case 'h': return one((state) => withAuto(state.autoColor, state.options, state.abbreviate(state.view.id), state.color));
    case 'T': return one(({ view }) => view.commit.tree);
    case 't': return one((state) => state.abbreviate(state.view.commit.tree));
    case 'P': return one(({ view }) => view.parents.join(' '));
    case 'p': return one((state) => state.view.parents.map((id) => state.abbreviate(id)).join(' '));
    case 'a': return person(format, at, (view) => view.commit.author);
    case 'c': return person(format, at, (view) => view.commit.committer);
    case 'd': return one(({ view, options }) => options.decorate?.(view.id, 'wrapped') ?? '');
    case 'D': return one(({ view, options }) => options.decorate?.(view.id, 'plain') ?? '');
    case 'S': return one(({ view }) => view.source ?? '');
    case 'e': return one(({ view }) => view.commit.encoding ?? '');
    case 's': return one((state) => subjectOf(state.message));
    case 'f': return one((state) => sanitised(/^[^\n]*/.exec(state.message)![0]));
    case 'b': return one((state) => bodyOf(state.message));
    case 'B': return one((state) => state.message);
    case 'N': return one(({ view, options }) => options.notes?.(view.id, true) ?? '');
    case 'm': return one(({ view }) => view.mark ?? '>');
    case 'g': return reflogPlaceholder(format, at);
    case 'G': return signaturePlaceholder(format, at);
    case 'C': return colorPlaceholder(format, at);
    case '(': return longPlaceholder(format, at);
    default: return undefined;
  }
}

function withAuto(auto: boolean, options: FormatOptions, text: string, color: (words: string) => string): string {
  if (!auto || options.color === undefined) return text;
  return `${options.color('yellow') || color('yellow')}${text}${options.color('reset')}`;
}

function localPart({ email }: Person): string {
  return email.replace(/@.*$/s, '');
}

function person(format: string, at: number, identOf: (view: CommitView) => Ident): Placeholder | undefined {
  const value = ((): Placeholder['value'] | undefined => {
    switch (format[at + 1]) {
      case 'n': return (state) => state.converted(identOf(state.view).name);
      case 'e': return (state) => state.converted(identOf(state.view).email);
      case 'l': return (state) => state.converted(localPart(identOf(state.view)));
      case 'N': return (state) => state.mapped(identOf(state.view)).name;
      case 'E': return (state) => state.mapped(identOf(state.view)).email;
      case 'L': return (state) => localPart(state.mapped(identOf(state.view)));
      case 't': return ({ view }) => String(identOf(view).seconds);
      case 'd': return (state) => state.date(identOf(state.view), state.dateMode);
      case 'D': return (state) => state.date(identOf(state.view), 'rfc');
      case 'r': return (state) => state.date(identOf(state.view), 'relative');
      case 'i': return (state) => state.date(identOf(state.view), 'iso');
      case 'I': return (state) => state.date(identOf(state.view), 'iso-strict');
      case 's': return (state) => state.date(identOf(state.view), 'short');
      case 'h': return (state) => state.date(identOf(state.view), 'human');
      default: return undefined;
    }
  })();
  return value === undefined ? undefined : { end: at + 2, value };
}

function reflogPlaceholder(format: string, at: number): Placeholder | undefined {
  const value = ((): Placeholder['value'] | undefined => {
    switch (format[at + 1]) {
      case 'D': return ({ view }) => view.reflog?.selector;
      case 'd': return ({ view }) => view.reflog?.shortSelector;
      case 'n': return ({ view }) => view.reflog?.ident.name;
      case 'e': return ({ view }) => view.reflog?.ident.email;
      case 'N': return (state) => state.view.reflog && state.mapped(state.view.reflog.ident).name;
      case 'E': return (state) => state.view.reflog && state.mapped(state.view.reflog.ident).email;
      case 's': return ({ view }) => view.reflog?.message;
      default: return undefined;
    }
  })();
  return value === undefined ? undefined : { end: at + 2, value };
}

function colorPlaceholder(format: string, at: number): Placeholder | undefined {
  const short = /^(red|green|blue|reset)/.exec(format.slice(at + 1));
  if (short) {
    const words = colorNames[short[1]!]!;
    return { end: at + 1 + short[0].length, value: (state) => state.color(words) };
  }
  const long = /^\(([^)]*)\)/.exec(format.slice(at + 1));
  if (!long) return undefined;
  const typed = long[1]!;
  const end = at + 1 + long[0].length;
  if (typed === 'auto') {
    return { end, value: (state) => { state.autoColor = true; return state.text === '' ? '' : state.color('reset'); } };
  }
  const words = typed.replace(/^(auto|always),/, '');
  // What is always wanted is shown where there are no colours, too.
  if (typed.startsWith('always,')) return { end, value: (state) => { state.autoColor = false; return formatColor(words); } };
  return { end, value: (state) => { state.autoColor = false; return state.color(words); } };
}

function longPlaceholder(format: string, at: number): Placeholder | undefined {
  const found = /^\(trailers(?::([^)]*))?\)/.exec(format.slice(at));
  if (!found) {
    const described = /^\(describe(?::([^)]*))?\)/.exec(format.slice(at));
    const value = described === null ? undefined : descriptionOf(described[1]);
    return value && { end: at + described![0].length, value };
  }
  const show = formatTrailers(found[1]);
  return show && { end: at + found[0].length, value: (state) => show(state.message) };
}

/** What %(describe:<options>) makes of a commit; undefined when an option is unknown. */
function descriptionOf(typed: string | undefined): Placeholder['value'] | undefined {
  const patterns: string[] = [];
  const excludes: string[] = [];
  let tags = false;
  let digits: number | undefined;
  for (const option of (typed ?? '').split(',').filter((each) => each !== '')) {
    const [, name, value] = /^([^=]*)(?:=(.*))?$/s.exec(option)!;
    if (name === 'match' && value !== undefined) patterns.push(value);
    else if (name === 'exclude' && value !== undefined) excludes.push(value);
    else if (name === 'abbrev' && value !== undefined && /^[0-9]+$/.test(value)) digits = Number(value);
    else if (name === 'tags') tags = value === undefined || /^(?:true|yes|on|1)$/.test(value);
    else return undefined;
  }
  let describer: Describer | undefined;
  return ({ view, options: { repository } }) => {
    describer ??= new Describer(repository, { tags, patterns, excludes });
    const found = describer.find(view.id);
    return found && formatDescription(repository, found, digits);
  };
}

/** What there is to tell of a commit's signature, checked once for each commit. */
function signaturePlaceholder(format: string, at: number): Placeholder | undefined {
  const letter = format[at + 1];
  if (letter === undefined || !'G?SKFPT'.includes(letter)) return undefined;
  return { end: at + 2, value: (state) => signatureField(state.signature, letter) };
}

function signatureField(report: SignatureReport, letter: string): string {
  switch (letter) {
    case '?': return report.verdict;
    case 'G': return report.output;
    case 'S': return report.signer;
    case 'K': return report.key;
    case 'F': return report.fingerprint;
    case 'P': return report.primaryFingerprint;
    default: return report.trust;
  }
}

/** What %(trailers:<options>) makes of a message; undefined when an option is unknown. */
export function formatTrailers(typed: string | undefined): ((message: string) => string) | undefined {
  const options = (typed ?? '').split(',').filter((each) => each !== '').map((each) => {
    const equals = each.indexOf('=');
    return equals < 0 ? [each, undefined] as const : [each.slice(0, equals), each.slice(equals + 1)] as const;
  });
  const keys: string[] = [];
  const on = { only: false, unfold: false, valueonly: false, keyonly: false };
  let separator = '\n';
  let hasSeparator = false;
  let keyValueSeparator: string | undefined;
  const isOn = (value: string | undefined): boolean => value === undefined || /^(true|yes|on|1)$/.test(value);
  const unescaped = (value: string): string => value.replace(/%x([0-9a-fA-F]{2})|%n|%%/g, (whole, hex: string | undefined) =>
    hex === undefined ? (whole === '%n' ? '\n' : '%') : String.fromCharCode(Number.parseInt(hex, 16)));
  for (const [name, value] of options) {
    if (name === 'key' && value !== undefined) { keys.push(value.replace(/:$/, '').toLowerCase()); on.only = true; }
    else if (name === 'separator' && value !== undefined) { separator = unescaped(value); hasSeparator = true; }
    else if (name === 'key_value_separator' && value !== undefined) keyValueSeparator = unescaped(value);
    else if (name === 'only') on.only = isOn(value);
    else if (name === 'unfold') on.unfold = isOn(value);
    else if (name === 'valueonly') on.valueonly = isOn(value);
    else if (name === 'keyonly') on.keyonly = isOn(value);
    else return undefined;
  }
  // With no wish about the parts, the paragraph is shown as it was written.
  if (keys.length === 0 && !Object.values(on).includes(true) && !hasSeparator && keyValueSeparator === undefined) return findTrailerText;
  return (message) => {
    const wanted = parseTrailerBlock(message).filter((item) =>
      typeof item === 'string' ? !on.only : keys.length === 0 || keys.includes(item.key.toLowerCase()));
    const lines = wanted.map((item) => {
      if (typeof item === 'string') return hasSeparator ? item.trimEnd() : item;
      const text = on.unfold ? item.value.replace(/\s*\n\s+/g, ' ') : item.value;
      if (on.keyonly) return on.valueonly ? '' : item.key;
      return on.valueonly ? text : `${item.key}${keyValueSeparator ?? ': '}${text}`;
    });
    return hasSeparator ? lines.join(separator) : lines.map((line) => `${line}\n`).join('');
  };
}
