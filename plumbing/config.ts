// Git's configuration: scanning one file, and the layers seen by a command. Format: git-config(1), "CONFIGURATION FILE".
//
// Scanning works on latin1 text (one character per byte), so that the editor in config-file.ts can use the same offsets and leave
// every untouched byte alone. Values are handed out as UTF-8 text; `raw` keeps the bytes for whoever prints them.
// A file is read when its layer is first asked for; a missing file is an empty one. A malformed one is InvalidError with file and line.
import * as fs from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { InvalidError, isSystemError } from '../pack/errors.js';
import type { Context } from './command.js';
import { wildmatch } from './wildmatch.js';

export type ConfigScope = 'system' | 'global' | 'local' | 'worktree' | 'command' | 'unknown';

export interface ConfigEntry {
  /** Section and variable in lower case, subsection as written: 'remote.Origin.url'. */
  readonly name: string;
  /** Undefined when the variable stands alone, which means true. */
  readonly value: string | undefined;
  /** The value's bytes as latin1. */
  readonly raw: string | undefined;
  readonly scope: ConfigScope;
  /** As `--show-origin` prints it: 'file:.git/config', 'command line:'. */
  readonly origin: string;
  readonly line: number;
}

/** One header, variable or comment of a file with its place in the text; `start` and `end` cover exactly its own characters. */
export interface ConfigItem {
  readonly kind: 'section' | 'variable' | 'comment';
  /** 'section', 'section.Sub', or for a variable the whole name; latin1; empty for a comment. */
  readonly name: string;
  readonly value: string | undefined;
  readonly start: number;
  /** After the closing bracket, or after the value's line (comment included, line end not). */
  readonly end: number;
  readonly line: number;
}

const LF = 10, CR = 13, SPACE = 32, TAB = 9, QUOTE = 34, HASH = 35, EQUALS = 61, SEMICOLON = 59, OPEN = 91, BACKSLASH = 92, CLOSE = 93;

function isSpace(code: number): boolean {
  return code === SPACE || code === LF || code === TAB || code === CR;
}

function isAlpha(code: number): boolean {
  return (code >= 97 && code <= 122) || (code >= 65 && code <= 90);
}

function isKeyCharacter(code: number): boolean {
  return isAlpha(code) || (code >= 48 && code <= 57) || code === 45;
}

/** Scans one file's latin1 text in order; InvalidError 'bad-config' (or 'bad-config-section') names `origin` and the line. */
export function* scanConfig(text: string, origin: string): Generator<ConfigItem> {
  const length = text.length;
  let at = text.startsWith('\u00ef\u00bb\u00bf') ? 3 : 0;
  let line = 1;
  let section = '';
  const bad = (code = 'bad-config'): InvalidError => new InvalidError(`bad config line ${line} in ${origin}`, { code, hint: 'correct that line with an editor' });
  /** The character at `at` as git reads it: CR LF is LF, the end is LF. */
  const peek = (): number => {
    if (at >= length) return LF;
    const code = text.charCodeAt(at);
    return code === CR && text.charCodeAt(at + 1) === LF ? LF : code;
  };
  const advance = (): void => {
    if (text.charCodeAt(at) === CR && text.charCodeAt(at + 1) === LF) at += 1;
    at += 1;
  };
  while (at < length) {
    const code = text.charCodeAt(at);
    if (code === LF) {
      line += 1;
      at += 1;
    } else if (isSpace(code)) {
      at += 1;
    } else if (code === HASH || code === SEMICOLON) {
      const start = at;
      const end = text.indexOf('\n', at);
      at = end < 0 ? length : end;
      yield { kind: 'comment', name: '', value: undefined, start, end: at, line };
    } else if (code === OPEN) {
      const start = at;
      at += 1;
      section = scanHeader();
      yield { kind: 'section', name: section, value: undefined, start, end: at, line };
    } else if (isAlpha(code)) {
      const start = at;
      const startLine = line;
      at += 1;
      while (at < length && isKeyCharacter(text.charCodeAt(at))) at += 1;
      const variable = text.slice(start, at).toLowerCase();
      while (peek() === SPACE || peek() === TAB) at += 1;
      let value: string | undefined;
      if (peek() !== LF) {
        if (peek() !== EQUALS) throw bad();
        at += 1;
        value = scanValue();
      }
      yield { kind: 'variable', name: section === '' ? variable : `${section}.${variable}`, value, start, end: at, line: startLine };
    } else {
      throw bad();
    }
  }

  function scanHeader(): string {
    const start = at;
    while (at < length && (isKeyCharacter(text.charCodeAt(at)) || text.charCodeAt(at) === 46)) at += 1;
    const base = text.slice(start, at).toLowerCase();
    if (base === '') throw bad('bad-config-section');
    if (at >= length) throw bad('bad-config-section');
    if (text.charCodeAt(at) === CLOSE) {
      at += 1;
      return base;
    }
    if (!isSpace(text.charCodeAt(at))) throw bad('bad-config-section');
    do {
      if (peek() === LF) throw bad('bad-config-section');
      at += 1;
    } while (isSpace(peek()));
    if (peek() !== QUOTE) throw bad('bad-config-section');
    at += 1;
    let name = '';
    for (;;) {
      let inner = peek();
      if (inner === LF) throw bad('bad-config-section');
      if (inner === QUOTE) break;
      if (inner === BACKSLASH) {
        at += 1;
        inner = peek();
        if (inner === LF) throw bad('bad-config-section');
      }
      name += text[at];
      at += 1;
    }
    at += 1;
    if (text.charCodeAt(at) !== CLOSE) throw bad('bad-config-section');
    at += 1;
    return `${base}.${name}`;
  }

  /** From after '=' up to, not including, the line end. */
  function scanValue(): string {
    let value = '';
    let spaces = 0;
    let quoted = false;
    for (;;) {
      const code = peek();
      if (code === LF) {
        if (quoted) throw bad();
        return value;
      }
      if (!quoted && isSpace(code)) {
        if (value !== '') spaces += 1;
        at += 1;
        continue;
      }
      if (!quoted && (code === HASH || code === SEMICOLON)) {
        const end = text.indexOf('\n', at);
        at = end < 0 ? length : text.charCodeAt(end - 1) === CR ? end - 1 : end;
        return value;
      }
      if (spaces > 0) {
        value += ' '.repeat(spaces);
        spaces = 0;
      }
      if (code === QUOTE) {
        quoted = !quoted;
        at += 1;
      } else if (code === BACKSLASH) {
        at += 1;
        const escaped = peek();
        if (escaped === LF) {
          if (at >= length) continue;
          line += 1;
          advance();
        } else {
          if (escaped === 116) value += '\t';
          else if (escaped === 98) value += '\b';
          else if (escaped === 110) value += '\n';
          else if (escaped === BACKSLASH || escaped === QUOTE) value += text[at];
          else throw bad();
          at += 1;
        }
      } else {
        // Ordinary characters up to the next one that means something, in one piece.
        const start = at;
        do at += 1; while (at < length && isOrdinary(text.charCodeAt(at)));
        value += text.slice(start, at);
      }
    }
  }
}

function isOrdinary(code: number): boolean {
  return code > SPACE && code !== QUOTE && code !== HASH && code !== SEMICOLON && code !== BACKSLASH;
}

/** UTF-8 text of a latin1 byte string. */
function decodeText(latin1: string): string {
  for (let at = 0; at < latin1.length; at += 1) if (latin1.charCodeAt(at) > 127) return Buffer.from(latin1, 'latin1').toString('utf8');
  return latin1;
}

/** The variables of one file, in order. `origin` is what errors and `--show-origin` say: 'file:<path>' or 'blob:<id>'. */
export function parseConfig(bytes: Buffer, origin: string, scope: ConfigScope = 'unknown'): ConfigEntry[] {
  const entries: ConfigEntry[] = [];
  for (const item of scanConfig(bytes.toString('latin1'), origin.replace(/^(file|blob):/, '$1 '))) {
    if (item.kind === 'variable') entries.push(makeEntry(item.name, item.value, scope, origin, item.line));
  }
  return entries;
}

function makeEntry(name: string, raw: string | undefined, scope: ConfigScope, origin: string, line: number): ConfigEntry {
  // Git's values are C strings: they end at a NUL.
  const nul = raw?.indexOf('\0') ?? -1;
  const cut = nul < 0 ? raw : raw!.slice(0, nul);
  return { name: decodeText(name), value: cut === undefined ? undefined : decodeText(cut), raw: cut, scope, origin, line };
}

/** 'Remote.Origin.URL' as 'remote.Origin.url'; undefined when it is no name of a variable. */
export function canonicalConfigName(name: string): string | undefined {
  const first = name.indexOf('.');
  const last = name.lastIndexOf('.');
  if (first <= 0 || last === name.length - 1) return undefined;
  const section = name.slice(0, first);
  const variable = name.slice(last + 1);
  if (!/^[A-Za-z0-9-]+$/.test(section) || !/^[A-Za-z][A-Za-z0-9-]*$/.test(variable) || name.includes('\n')) return undefined;
  return section.toLowerCase() + name.slice(first, last + 1) + variable.toLowerCase();
}

/** Git's boolean words; undefined when it is none. A variable without '=' is true, an empty value false. */
export function parseConfigBoolean(value: string | undefined): boolean | undefined {
  if (value === undefined) return true;
  const lower = value.toLowerCase();
  if (lower === 'true' || lower === 'yes' || lower === 'on') return true;
  if (lower === 'false' || lower === 'no' || lower === 'off' || lower === '') return false;
  const number = parseConfigInteger(value);
  return number === undefined || !isNarrow(number) ? undefined : number !== 0;
}

/** Whether a number has at most 32 bits, as git wants it of what may stand in the place of a boolean. */
export function isNarrow(number: number): boolean {
  return Math.abs(number) <= 0x7fffffff;
}

/** A number with an optional k, m or g (1024 each); undefined when it is none or exceeds 64 bits as git counts. */
export function parseConfigInteger(value: string): number | undefined {
  const match = /^[ \t\n\r\v\f]*([+-]?)(0x[0-9a-f]+|[0-9]+)([kmg]?)$/i.exec(value);
  if (match === null) return undefined;
  const digits = match[2]!;
  // Like strtoimax with base 0: a leading 0 means octal.
  const octal = /^0[0-9]+$/.test(digits);
  if (octal && !/^[0-7]+$/.test(digits)) return undefined;
  const magnitude = BigInt(octal ? `0o${digits.slice(1)}` : digits) * ({ '': 1n, k: 1024n, m: 1048576n, g: 1073741824n }[match[3]!.toLowerCase()]!);
  if (magnitude > 0x7fffffffffffffffn) return undefined;
  return Number(match[1] === '-' ? -magnitude : magnitude);
}

/** Where the files of the layers outside a repository are. */
export interface ConfigPlaces {
  readonly system: string | undefined;
  /** In the order they are read; the last is the one written to unless only the first exists. */
  readonly global: readonly string[];
}

/** The system and global files of `context`, by GIT_CONFIG_* and HOME as git looks for them. */
export function configPlaces(context: Context): ConfigPlaces {
  const { env } = context;
  const noSystem = parseConfigBoolean(env['GIT_CONFIG_NOSYSTEM'] ?? 'false') === true;
  const system = noSystem ? undefined : env['GIT_CONFIG_SYSTEM'] ?? '/etc/gitconfig';
  const override = env['GIT_CONFIG_GLOBAL'];
  if (override !== undefined) return { system, global: [override] };
  const home = env['HOME'];
  const global: string[] = [];
  const xdg = env['XDG_CONFIG_HOME'];
  if (xdg) global.push(join(xdg, 'git/config'));
  else if (home) global.push(join(home, '.config/git/config'));
  if (home) global.push(join(home, '.gitconfig'));
  return { system, global };
}

/** What the conditions of `includeIf` look at. */
export interface IncludeConditions {
  /** Absolute; undefined outside a repository. */
  readonly gitDirectory: string | undefined;
  /** The short name of the branch checked out, when there is one. */
  readonly branch: () => string | undefined;
  /** Every remote.<name>.url of all layers, found without following includes that ask for them. */
  readonly remoteUrls?: () => readonly string[];
}

const maxIncludeDepth = 10;

/** Reads one file and, when told to, what it includes; missing is empty. `shown` is the path as origins name it. */
export function readConfigFile(path: string, scope: ConfigScope, context: Context, conditions: IncludeConditions | undefined, shown = path): ConfigEntry[] {
  const entries: ConfigEntry[] = [];
  readInto(entries, path, scope, context, conditions, shown, 1);
  return entries;
}

/** A file's bytes; undefined when it, or a directory above it, is missing. */
export function findConfigBytes(path: string): Buffer | undefined {
  try {
    return fs.readFileSync(path);
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return undefined;
    if (isSystemError(error, 'EISDIR')) throw new InvalidError(`config '${path}' is a directory`, { code: 'bad-config', cause: error });
    throw error;
  }
}

function readInto(entries: ConfigEntry[], path: string, scope: ConfigScope, context: Context, conditions: IncludeConditions | undefined, shown: string, depth: number): void {
  const bytes = findConfigBytes(path);
  if (bytes === undefined) return;
  for (const entry of parseConfig(bytes, `file:${shown}`, scope)) {
    entries.push(entry);
    if (conditions !== undefined && isInclude(entry)) includeFrom(entries, entry, { path, shown }, context, conditions, depth);
  }
}

function isInclude(entry: ConfigEntry): boolean {
  return entry.name === 'include.path' || (entry.name.startsWith('includeif.') && entry.name.endsWith('.path'));
}

/** Adds what an include entry names, when its condition holds. `file` is the one that says it; undefined on the command line. */
function includeFrom(entries: ConfigEntry[], entry: ConfigEntry, file: { path: string; shown: string } | undefined, context: Context, conditions: IncludeConditions, depth: number): void {
  const from = file?.path;
  if (entry.name !== 'include.path' && !holds(entry.name.slice('includeif.'.length, -'.path'.length), from, context, conditions)) return;
  if (entry.value === undefined) throw new InvalidError(`missing value for '${entry.name}'`, { code: 'bad-config' });
  if (depth >= maxIncludeDepth) {
    throw new InvalidError(`exceeded maximum include depth (${maxIncludeDepth}) while including '${entry.value}'`, {
      code: 'config-include-depth', hint: 'files including one another in a circle would do this',
    });
  }
  const expanded = expandHome(entry.value, context);
  if (from === undefined && !isAbsolute(expanded)) {
    throw new InvalidError(`relative include '${entry.value}' must come from a file`, { code: 'bad-config' });
  }
  const path = from === undefined ? expanded : resolve(context.cwd, dirname(from), expanded);
  const first = entries.length;
  const shown = file === undefined || isAbsolute(expanded) ? expanded : file.shown.slice(0, file.shown.lastIndexOf('/') + 1) + expanded;
  readInto(entries, path, entry.scope, context, conditions, shown, depth + 1);
  if (!entry.name.startsWith(`includeif.${remoteCondition}`)) return;
  // What decides whether the file is read cannot be in it.
  const remote = entries.slice(first).find(({ name }) => isRemoteUrl(name));
  if (remote !== undefined) {
    throw new InvalidError(`remote URLs cannot be configured in a file included by '${entry.name}'`, { code: 'bad-config', hint: `remove '${remote.name}' from '${path}'` });
  }
}

function isRemoteUrl(name: string): boolean {
  return name.startsWith('remote.') && name.endsWith('.url');
}

const remoteCondition = 'hasconfig:remote.*.url:';

function holds(condition: string, from: string | undefined, context: Context, conditions: IncludeConditions): boolean {
  const colon = condition.indexOf(':');
  const kind = condition.slice(0, colon);
  const pattern = condition.slice(colon + 1);
  if (kind === 'gitdir' || kind === 'gitdir/i') return gitDirectoryMatches(pattern, kind === 'gitdir/i', from, context, conditions);
  if (kind === 'onbranch') {
    const branch = conditions.branch();
    return branch !== undefined && wildmatch(bytesOf(pattern.endsWith('/') ? `${pattern}**` : pattern), bytesOf(branch), { pathname: true });
  }
  if (condition.startsWith(remoteCondition)) {
    const glob = bytesOf(condition.slice(remoteCondition.length));
    return conditions.remoteUrls?.().some((url) => wildmatch(glob, bytesOf(url), { pathname: true })) ?? false;
  }
  return false;
}

function gitDirectoryMatches(pattern: string, caseFold: boolean, from: string | undefined, context: Context, conditions: IncludeConditions): boolean {
  if (conditions.gitDirectory === undefined) return false;
  let glob = expandHome(pattern, context);
  if (glob.startsWith('./')) {
    if (from === undefined) throw new InvalidError('relative config include conditionals must come from files', { code: 'bad-config' });
    glob = join(fs.realpathSync(dirname(from)), glob.slice(1));
    if (pattern.endsWith('/') && !glob.endsWith('/')) glob += '/';
  } else if (!isAbsolute(glob)) {
    glob = `**/${glob}`;
  }
  if (glob.endsWith('/')) glob += '**';
  const options = { pathname: true, caseFold };
  return wildmatch(bytesOf(glob), bytesOf(conditions.gitDirectory), options) || wildmatch(bytesOf(glob), bytesOf(fs.realpathSync(conditions.gitDirectory)), options);
}

function bytesOf(text: string): string {
  return Buffer.from(text).toString('latin1');
}

/** '~/x' below HOME, '~user/x' below that user's directory; InvalidError when it is not known. */
export function expandHome(path: string, context: Context): string {
  if (!path.startsWith('~')) return path;
  if (path !== '~' && !path.startsWith('~/')) {
    const slash = path.indexOf('/');
    const home = findHomeOf(path.slice(1, slash < 0 ? undefined : slash));
    if (home === undefined) throw new InvalidError(`failed to expand user dir in '${path}'`, { code: 'bad-path', hint: 'write the directory in full' });
    return slash < 0 ? home : home + path.slice(slash);
  }
  const home = context.env['HOME'];
  if (!home) throw new InvalidError(`cannot expand '${path}': HOME is not set`, { code: 'no-home' });
  return home + path.slice(1);
}

/** The directory /etc/passwd has for a user. */
function findHomeOf(user: string): string | undefined {
  const users = findConfigBytes('/etc/passwd')?.toString('utf8').split('\n').map((line) => line.split(':')) ?? [];
  return users.find(([name]) => name === user)?.[5];
}

/** Variables given on the command line and in GIT_CONFIG_COUNT and GIT_CONFIG_PARAMETERS. */
export function readCommandConfig(context: Context, conditions: IncludeConditions | undefined): ConfigEntry[] {
  const entries: ConfigEntry[] = [];
  const add = (name: string, value: string | undefined): void => {
    const canonical = canonicalConfigName(name);
    if (canonical === undefined) {
      throw new InvalidError(`bogus config parameter: '${name}'`, { code: 'bad-config', hint: 'a name is section.variable or section.subsection.variable' });
    }
    const entry: ConfigEntry = {
      name: canonical, value, raw: value === undefined ? undefined : Buffer.from(value).toString('latin1'), scope: 'command', origin: 'command line:', line: 0,
    };
    entries.push(entry);
    if (conditions !== undefined && isInclude(entry)) includeFrom(entries, entry, undefined, context, conditions, 1);
  };
  const { env } = context;
  const count = env['GIT_CONFIG_COUNT'];
  if (count) {
    if (!/^[0-9]+$/.test(count)) throw new InvalidError('bogus count in GIT_CONFIG_COUNT', { code: 'bad-config' });
    if (Number(count) > 100_000) throw new InvalidError('too many entries in GIT_CONFIG_COUNT', { code: 'bad-config' });
    for (let index = 0; index < Number(count); index += 1) {
      const name = env[`GIT_CONFIG_KEY_${index}`];
      const value = env[`GIT_CONFIG_VALUE_${index}`];
      if (name === undefined) throw new InvalidError(`missing config key GIT_CONFIG_KEY_${index}`, { code: 'bad-config' });
      if (value === undefined) throw new InvalidError(`missing config value GIT_CONFIG_VALUE_${index}`, { code: 'bad-config' });
      add(name, value);
    }
  }
  for (const [name, value] of parseConfigParameters(env['GIT_CONFIG_PARAMETERS'] ?? '')) add(name, value);
  for (const [name, value] of context.configOverrides) add(name, value);
  return entries;
}

/** The words of GIT_CONFIG_PARAMETERS: 'name'='value' each, or the older 'name=value', in shell quotes, separated by spaces. */
export function parseConfigParameters(text: string): [name: string, value: string | undefined][] {
  const bad = (): InvalidError => new InvalidError('bogus format in GIT_CONFIG_PARAMETERS', { code: 'bad-config' });
  const parameters: [string, string | undefined][] = [];
  let at = 0;
  const word = (): string => {
    if (text[at] !== '\'') throw bad();
    let value = '';
    for (;;) {
      const end = text.indexOf('\'', at + 1);
      if (end < 0) throw bad();
      value += text.slice(at + 1, end);
      at = end + 1;
      const escaped = text[at + 1];
      if (text[at] !== '\\' || (escaped !== '\'' && escaped !== '!') || text[at + 2] !== '\'') return value;
      value += escaped;
      at += 2;
    }
  };
  while (at < text.length) {
    if (text[at] === ' ') {
      at += 1;
      continue;
    }
    const name = word();
    if (text[at] === '=') {
      at += 1;
      parameters.push([name, at >= text.length || text[at] === ' ' ? undefined : word()]);
    } else {
      const equals = name.indexOf('=');
      parameters.push(equals < 0 ? [name, undefined] : [name.slice(0, equals), name.slice(equals + 1)]);
    }
    if (at < text.length && text[at] !== ' ') throw bad();
  }
  return parameters;
}

/** Which repository, if any, the layers belong to. */
export interface ConfigRepository {
  readonly gitDirectory: string;
  readonly commonDirectory: string;
  /** How the repository's config file is named in origins; absent: its path. */
  readonly shownDirectory?: string;
}

export class Config {
  readonly #context: Context;
  readonly #repository: ConfigRepository | undefined;
  #entries: readonly ConfigEntry[] | undefined;
  #byName: Map<string, ConfigEntry[]> | undefined;

  private constructor(context: Context, repository: ConfigRepository | undefined, entries?: readonly ConfigEntry[]) {
    this.#context = context;
    this.#repository = repository;
    this.#entries = entries;
  }

  /** All layers; without a repository those outside it. Nothing is read before the first question. */
  static open(context: Context, repository?: ConfigRepository): Config {
    return new Config(context, repository);
  }

  /** Exactly these entries (one file, one blob). */
  static of(context: Context, entries: readonly ConfigEntry[]): Config {
    return new Config(context, undefined, entries);
  }

  /** The last value; undefined when not set. A variable without '=' reads as ''; ask getBoolean for switches. */
  get(name: string): string | undefined {
    const entry = this.find(name);
    return entry && (entry.value ?? '');
  }

  /** The last entry with its origin. */
  find(name: string): ConfigEntry | undefined {
    return this.#lookup(name).at(-1);
  }

  getAll(name: string): string[] {
    return this.#lookup(name).map((entry) => entry.value ?? '');
  }

  getBoolean(name: string, fallback: boolean): boolean;
  getBoolean(name: string, fallback?: boolean): boolean | undefined;
  getBoolean(name: string, fallback?: boolean): boolean | undefined {
    const entry = this.find(name);
    if (entry === undefined) return fallback;
    const value = parseConfigBoolean(entry.value);
    if (value === undefined) throw badValue(entry, 'boolean');
    return value;
  }

  /** InvalidError when the value is no number. */
  getInteger(name: string): number | undefined {
    const entry = this.find(name);
    if (entry === undefined) return undefined;
    const value = entry.value === undefined ? undefined : parseConfigInteger(entry.value);
    if (value === undefined) throw badValue(entry, 'numeric');
    return value;
  }

  /** The value with a leading '~/' expanded; not made absolute. */
  getPath(name: string): string | undefined {
    const value = this.get(name);
    return value === undefined ? undefined : expandHome(value, this.#context);
  }

  /** The distinct subsections of `section` in order of first appearance: 'branch' gives branch names. */
  subsections(section: string): string[] {
    const found = new Set<string>();
    for (const { name } of this.list()) {
      if (!name.startsWith(`${section}.`)) continue;
      const last = name.lastIndexOf('.');
      if (last > section.length) found.add(name.slice(section.length + 1, last));
    }
    return [...found];
  }

  /** Every entry, weakest layer first. */
  list(): readonly ConfigEntry[] {
    return this.#entries ??= this.#readLayers();
  }

  /** Every entry of the files themselves, include directives not followed. */
  listWithoutIncludes(): readonly ConfigEntry[] {
    return this.#readLayers('none');
  }

  /** Entries of the layers a repository cannot write: system, global and command line (git's "protected configuration"). */
  listProtected(): readonly ConfigEntry[] {
    return this.list().filter((entry) => entry.scope === 'system' || entry.scope === 'global' || entry.scope === 'command');
  }

  /** Forgets what was read, after an edit. */
  refresh(): void {
    this.#entries = undefined;
    this.#byName = undefined;
  }

  #lookup(name: string): readonly ConfigEntry[] {
    if (this.#byName === undefined) {
      this.#byName = new Map();
      for (const entry of this.list()) {
        const same = this.#byName.get(entry.name);
        if (same === undefined) this.#byName.set(entry.name, [entry]);
        else same.push(entry);
      }
    }
    return this.#byName.get(name) ?? this.#byName.get(canonicalConfigName(name) ?? name) ?? [];
  }

  #readLayers(includes: 'all' | 'plain' | 'none' = 'all'): ConfigEntry[] {
    const context = this.#context;
    const repository = this.#repository;
    const places = configPlaces(context);
    let urls: readonly string[] | undefined;
    const findUrls = (): readonly string[] => urls ??= this.#readLayers('plain').flatMap(({ name, value }) => (isRemoteUrl(name) && value !== undefined ? [value] : []));
    const conditions: IncludeConditions | undefined = includes === 'none' ? undefined : {
      gitDirectory: repository?.gitDirectory, branch: () => repository && branchOf(repository.gitDirectory), ...(includes === 'all' ? { remoteUrls: findUrls } : {}),
    };
    const read = (path: string, scope: ConfigScope, shown?: string): ConfigEntry[] => readConfigFile(resolve(context.cwd, path), scope, context, conditions, shown ?? path);
    const entries: ConfigEntry[] = [];
    if (places.system !== undefined) entries.push(...read(places.system, 'system'));
    for (const path of places.global) entries.push(...read(path, 'global'));
    if (repository !== undefined) {
      const shown = repository.shownDirectory ?? repository.commonDirectory;
      const local = read(join(repository.commonDirectory, 'config'), 'local', join(shown, 'config'));
      entries.push(...local);
      const perWorkTree = local.findLast((entry) => entry.name === 'extensions.worktreeconfig');
      if (perWorkTree !== undefined && parseConfigBoolean(perWorkTree.value) === true) {
        entries.push(...read(join(repository.gitDirectory, 'config.worktree'), 'worktree'));
      }
    }
    entries.push(...readCommandConfig(context, conditions));
    return entries;
  }
}

function badValue(entry: ConfigEntry, kind: string): InvalidError {
  return new InvalidError(`bad ${kind} config value '${entry.value ?? ''}' for '${entry.name}' in ${entry.origin.replace(/^file:/, 'file ')}`, { code: 'bad-config-value' });
}

/** The branch HEAD names, read directly since refs are not open yet. */
function branchOf(gitDirectory: string): string | undefined {
  const head = findConfigBytes(join(gitDirectory, 'HEAD'))?.toString('utf8');
  return head === undefined ? undefined : /^ref:\s*refs\/heads\/(\S+)\s*$/.exec(head)?.[1];
}
