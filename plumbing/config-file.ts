// Changing a config file: what is not asked for stays byte for byte, comments, odd spacing and line ends included. Behaviour: git-config(1).
//
// The functions on text are pure (latin1 in, latin1 out); `editConfigFile` applies one under Git's lock, so that readers see the old
// file or the new one. A file that cannot be read as a whole is not changed. If the power fails: old or new.
import * as fs from 'node:fs';
import { dirname, resolve } from 'node:path';
import { ConflictError, InvalidError, NotFoundError } from '../pack/errors.js';
import { type ConfigItem, findConfigBytes, scanConfig } from './config.js';
import { LockFile, type LockHolder } from './lockfile.js';

export interface SetOptions {
  /** Only variables whose value (latin1; '' without '=') fits are replaced; default all of that name. */
  readonly matches?: (value: string) => boolean;
  /** Replace every one that fits by one; otherwise more than one is a ConflictError 'config-multiple'. */
  readonly all?: boolean;
  /** Never replace. */
  readonly add?: boolean;
}

/** A name as typed, split; InvalidError 'config-no-section' or 'config-bad-key' when it is none. latin1. */
export interface ConfigKey {
  /** 'section' or 'section.Sub', the section in lower case. */
  readonly section: string;
  /** The section as typed, for a new header. */
  readonly typedSection: string;
  /** The variable as typed. */
  readonly variable: string;
  /** Canonical. */
  readonly name: string;
}

/** Reads a name given by a person; text in, latin1 inside. */
export function parseConfigKey(typed: string): ConfigKey {
  const text = Buffer.from(typed).toString('latin1');
  const first = text.indexOf('.');
  const last = text.lastIndexOf('.');
  if (first <= 0) throw new InvalidError(`key does not contain a section: ${typed}`, { code: 'config-no-section' });
  if (last === text.length - 1) throw new InvalidError(`key does not contain variable name: ${typed}`, { code: 'config-no-section' });
  const base = text.slice(0, first);
  const variable = text.slice(last + 1);
  if (!/^[A-Za-z0-9-]+$/.test(base) || !/^[A-Za-z][A-Za-z0-9-]*$/.test(variable) || text.slice(first, last).includes('\n')) {
    throw new InvalidError(`invalid key: ${typed}`, { code: 'config-bad-key' });
  }
  const section = base.toLowerCase() + text.slice(first, last);
  return { section, typedSection: text.slice(0, last), variable, name: `${section}.${variable.toLowerCase()}` };
}

/** Applies `edit` to the file's text under its lock, waited for as long as said; a missing file is empty text, and is made when `edit` returns some. */
export function editConfigFile(path: string, edit: (text: string) => string, holder?: LockHolder, timeoutMs = 0): void {
  const target = followLinks(path);
  const lock = LockFile.acquire(target, { holder, timeoutMs });
  try {
    const before = findConfigBytes(target)?.toString('latin1') ?? '';
    const after = edit(before);
    if (after === before) return;
    lock.write(Buffer.from(after, 'latin1'));
    lock.commit();
  } finally {
    lock.rollback();
  }
}

/** People keep their configuration elsewhere and link to it: the file is replaced, not the link. */
function followLinks(path: string): string {
  let current = path;
  for (let depth = 0; depth < 10; depth += 1) {
    if (!fs.lstatSync(current, { throwIfNoEntry: false })?.isSymbolicLink()) return current;
    current = resolve(dirname(current), fs.readlinkSync(current));
  }
  throw new InvalidError(`too many symbolic links: '${path}'`, { code: 'bad-config' });
}

/** The text with the variable set. `origin` names the file in errors. */
export function setInConfig(text: string, key: ConfigKey, value: string, origin: string, options: SetOptions = {}): string {
  const items = [...scanConfig(text, origin)];
  const line = `\t${key.variable} = ${quoteValue(value)}\n`;
  const found = options.add ? [] : findVariables(items, key.name, options.matches);
  if (found.length > 1 && !options.all) throw multiple(key);
  if (found.length === 0) {
    const last = items.findLast((item) => sectionOf(item) === key.section);
    if (last === undefined) return `${endLine(text)}${formatHeader(key.typedSection)}\n${line}`;
    const at = afterLineEnd(text, last.end, last.kind === 'section');
    return endLine(text.slice(0, at)) + line + text.slice(at);
  }
  const pieces: string[] = [];
  let from = 0;
  for (const item of found) {
    pieces.push(cutBefore(text, from, item.start));
    from = afterLineEnd(text, item.end, false);
  }
  return pieces.join('') + line + text.slice(from);
}

/** The text without the variable; NotFoundError when there is none, ConflictError when there are many and `all` is not set. */
export function unsetInConfig(text: string, key: ConfigKey, origin: string, options: Omit<SetOptions, 'add'> = {}): string {
  const items = [...scanConfig(text, origin)];
  const found = findVariables(items, key.name, options.matches);
  if (found.length === 0) throw new NotFoundError(`'${key.name}' is not set in ${origin}`, { code: 'config-missing' });
  if (found.length > 1 && !options.all) throw multiple(key);
  const gone = new Set(found);
  const pieces: string[] = [];
  let from = 0;
  for (const item of found) {
    if (item.start < from) continue;
    const region = emptiedSection(text, items, items.indexOf(item), key.section, gone);
    const start = region?.start ?? item.start;
    pieces.push(cutBefore(text, from, start));
    from = region?.end ?? afterLineEnd(text, item.end, false);
  }
  return pieces.join('') + text.slice(from);
}

/** Renames every header of a section, or (`to` undefined) removes it with all it holds; NotFoundError when there is none. */
export function renameInConfig(text: string, from: string, to: string | undefined, origin: string): string {
  if (to !== undefined && !isSectionName(to)) throw new InvalidError(`invalid section name: ${to}`, { code: 'config-bad-section' });
  const headers = [...scanConfig(text, origin)].filter((item) => item.kind === 'section');
  // As git compares it: the section in lower case, as it is in canonical names.
  const wanted = Buffer.from(from).toString('latin1');
  const pieces: string[] = [];
  let copied = 0;
  let found = false;
  headers.forEach((header, index) => {
    if (header.name !== wanted) return;
    found = true;
    const start = lineStart(text, header.start);
    pieces.push(text.slice(copied, Math.max(copied, /^[ \t]*$/.test(text.slice(start, header.start)) || to === undefined ? start : header.start)));
    if (to === undefined) {
      const next = headers[index + 1];
      copied = next === undefined ? text.length : lineStart(text, next.start);
    } else {
      pieces.push(formatHeader(Buffer.from(to).toString('latin1')));
      copied = header.end;
      const rest = /^[ \t\r]*(?=[^ \t\r\n])/.exec(text.slice(header.end));
      if (rest !== null) {
        pieces.push('\n\t');
        copied += rest[0].length;
      }
    }
  });
  if (!found) throw new NotFoundError(`no such section: ${from}`, { code: 'config-no-such-section' });
  return pieces.join('') + text.slice(copied);
}

function isSectionName(name: string): boolean {
  const base = name.split('.', 1)[0]!;
  return /^[A-Za-z0-9-]+$/.test(base) && !name.includes('\n');
}

function multiple(key: ConfigKey): ConflictError {
  return new ConflictError(`'${key.name}' has multiple values`, { code: 'config-multiple', hint: 'use a value pattern, --add, --replace-all or --unset-all' });
}

function sectionOf(item: ConfigItem): string | undefined {
  if (item.kind === 'section') return item.name;
  return item.kind === 'variable' && item.name.includes('.') ? item.name.slice(0, item.name.lastIndexOf('.')) : undefined;
}

function findVariables(items: readonly ConfigItem[], name: string, matches: SetOptions['matches']): ConfigItem[] {
  return items.filter((item) => item.kind === 'variable' && item.name === name && (matches === undefined || matches(item.value ?? '')));
}

/** Where the line that ends at `end` is over. For a header whose line goes on, right after the header. */
function afterLineEnd(text: string, end: number, onlyIfEmpty: boolean): number {
  if (text.startsWith('\r\n', end)) return end + 2;
  if (text[end] === '\n') return end + 1;
  return onlyIfEmpty ? end : Math.min(text.length, end);
}

/** What stays before something that is cut out: without blanks left on its line, and ending in a line end. */
function cutBefore(text: string, from: number, start: number): string {
  let end = start;
  while (end > from && ' \t\r'.includes(text[end - 1]!)) end -= 1;
  return endLine(text.slice(from, end));
}

function endLine(text: string): string {
  return text === '' || text.endsWith('\n') ? text : `${text}\n`;
}

function lineStart(text: string, at: number): number {
  return text.lastIndexOf('\n', at - 1) + 1;
}

/** The stretch that a section leaves nothing in once `gone` is gone: header, blank lines around it, and no comment anywhere near. */
function emptiedSection(text: string, items: readonly ConfigItem[], index: number, section: string, gone: ReadonlySet<ConfigItem>): { start: number; end: number } | undefined {
  let first = index;
  let sawHeader = false;
  for (let at = index - 1; at >= 0; at -= 1) {
    const item = items[at]!;
    if (item.kind === 'comment') return undefined;
    if (sectionOf(item) !== section) break;
    if (item.kind === 'variable' && !gone.has(item)) return undefined;
    sawHeader ||= item.kind === 'section';
    first = at;
  }
  if (!sawHeader) return undefined;
  let next: ConfigItem | undefined;
  for (let at = index + 1; at < items.length && next === undefined; at += 1) {
    const item = items[at]!;
    if (item.kind === 'comment' || (item.kind === 'variable' && !gone.has(item))) return undefined;
    if (sectionOf(item) !== section) next = item;
  }
  const before = items[first - 1];
  return { start: before === undefined ? 0 : afterLineEnd(text, before.end, true), end: next?.start ?? text.length };
}

/** '[section "Sub"]' for a section as typed. */
function formatHeader(section: string): string {
  const dot = section.indexOf('.');
  return dot < 0 ? `[${section}]` : `[${section.slice(0, dot)} "${section.slice(dot + 1).replace(/["\\]/g, '\\$&')}"]`;
}

/** A value so that it reads back as it is. */
function quoteValue(value: string): string {
  const escaped = value.replace(/["\\]/g, '\\$&').replace(/\n/g, '\\n').replace(/\t/g, '\\t');
  return /^ | $|[;#]/.test(value) || /\r/.test(value) ? `"${escaped}"` : escaped;
}
