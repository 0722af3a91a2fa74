// cairn config: read and change configuration, in git's format, places and words.
import * as fs from 'node:fs';
import { join, resolve } from 'node:path';
import { replaceFile } from '../../pack/disk.js';
import { CairnError, ConflictError, InvalidError, LockedError, NotFoundError, RefusedError, UsageError, isSystemError } from '../../pack/errors.js';
import type { Arguments, Command, Context } from '../../plumbing/command.js';
import {
  Config, type ConfigEntry, type ConfigScope, configPlaces, expandHome, findConfigBytes, parseConfig, parseConfigBoolean, isNarrow, parseConfigInteger, readConfigFile,
} from '../../plumbing/config.js';
import { type ConfigKey, type SetOptions, editConfigFile, parseConfigKey, renameInConfig, setInConfig, unsetInConfig } from '../../plumbing/config-file.js';
import { parseExpiry } from '../../plumbing/date.js';
import { latin1 } from '../../plumbing/latin1.js';
import { readInput } from '../../plumbing/line-reader.js';
import { parsePattern } from '../../plumbing/posix-regex.js';
import { quotePath } from '../../plumbing/quote.js';
import { Repository } from '../../plumbing/repository.js';
import { resolveRevision } from '../../plumbing/history/revision.js';
import { matchUrl } from '../../plumbing/url-match.js';
import { editFile, formatColor } from '../terminal.js';

const types = ['bool', 'int', 'bool-or-int', 'bool-or-str', 'path', 'expiry-date', 'color'] as const;
type ValueType = (typeof types)[number];

/** Actions with how many words each takes: least and most. */
const actions: Readonly<Record<string, readonly [least: number, most: number]>> = {
  get: [1, 2], 'get-all': [1, 2], 'get-regexp': [1, 2], 'replace-all': [2, 3], add: [2, 2], unset: [1, 2], 'unset-all': [1, 2],
  'get-urlmatch': [2, 2], 'get-color': [1, 2], 'get-colorbool': [1, 2],
  'rename-section': [2, 2], 'remove-section': [1, 1], list: [0, 0], edit: [0, 0],
};

export const command: Command = {
  name: 'config',
  family: 'git',
  summary: 'read and change the configuration',
  usage: [
    'config [<where>] [--type=<type>] <name> [<value> [<value-pattern>]]',
    'config [<where>] [--type=<type>] [-z] --get <name> [<value-pattern>]',
    'config [<where>] --add <name> <value>',
    'config [<where>] --unset <name> [<value-pattern>]',
    'config [<where>] [-z] [--name-only] --list [--json]',
  ],
  options: [
    { name: 'global', help: "the person's own file" },
    { name: 'system', help: "the machine's file" },
    { name: 'local', help: "the repository's file" },
    { name: 'worktree', help: "the work tree's file" },
    { name: 'file', short: 'f', value: 'file', help: 'this file (- for standard input)' },
    { name: 'blob', value: 'blob', help: 'a file in a snapshot, as <revision>:<path>' },
    { name: 'get', help: 'print the last value' },
    { name: 'get-all', help: 'print all values' },
    { name: 'get-regexp', help: 'print variables whose name fits the pattern' },
    { name: 'get-urlmatch', help: 'print the value for a URL: <name> <url>' },
    { name: 'get-color', help: 'print the escape sequence of a colour: <name> [<default>]' },
    { name: 'get-colorbool', help: 'tell whether to use colour: <name> [<stdout-is-tty>]' },
    { name: 'replace-all', help: 'replace all values by one' },
    { name: 'add', help: 'add a value, keeping others' },
    { name: 'unset', help: 'remove a variable' },
    { name: 'unset-all', help: 'remove all values of a variable' },
    { name: 'rename-section', help: 'rename a section' },
    { name: 'remove-section', help: 'remove a section and all it holds' },
    { name: 'list', short: 'l', help: 'list all variables' },
    { name: 'json', help: 'list as JSON' },
    { name: 'fixed-value', help: 'value patterns are plain text' },
    { name: 'edit', short: 'e', help: 'open an editor' },
    { name: 'type', short: 't', value: 'type', negatable: true, help: `the kind of value: ${types.join(', ')}` },
    { name: 'bool', help: 'as --type=bool' },
    { name: 'int', help: 'as --type=int' },
    { name: 'bool-or-int', help: 'as --type=bool-or-int' },
    { name: 'bool-or-str', help: 'as --type=bool-or-str' },
    { name: 'path', help: 'as --type=path' },
    { name: 'expiry-date', help: 'as --type=expiry-date' },
    { name: 'null', short: 'z', negatable: true, help: 'end values with NUL' },
    { name: 'name-only', negatable: true, help: 'print names only' },
    { name: 'includes', negatable: true, help: 'follow include directives' },
    { name: 'show-origin', negatable: true, help: 'print where each value comes from' },
    { name: 'show-scope', negatable: true, help: 'print the layer of each value' },
    { name: 'default', value: 'value', negatable: true, help: 'with --get, the value when there is none' },
  ],
  stopAtPositional: true,
  run(context, args) {
    const request = new Request(context, args);
    return request.run();
  },
};

/** A file or set of files that was asked for. */
interface Place {
  /** Undefined: all layers. */
  readonly path: string | undefined;
  /** As typed or as origins show it. */
  readonly shown: string;
  readonly scope: ConfigScope;
  readonly entries?: readonly ConfigEntry[];
}

class Request {
  readonly #context: Context;
  readonly #args: Arguments;
  readonly #words: readonly string[];
  readonly #action: string;
  readonly #type: ValueType | undefined;
  readonly #repository: Repository | undefined;
  readonly #nul: boolean;

  constructor(context: Context, args: Arguments) {
    this.#context = context;
    this.#args = args;
    this.#words = args.positionals;
    this.#action = findAction(args);
    this.#type = findType(args);
    this.#nul = args.has('null');
    checkCombination(args, this.#action);
    const [least, most] = actions[this.#action] ?? [2, 3];
    if (this.#words.length < least || this.#words.length > most) throw new UsageError('wrong number of arguments');
    this.#repository = findRepository(context, args);
  }

  run(): number {
    const place = this.#place();
    switch (this.#action) {
      case 'list': return this.#list(place);
      case 'get': case 'get-all': case 'get-regexp': return this.#get(place);
      case 'get-urlmatch': return this.#getForUrl(place);
      case 'get-color': return this.#getColor(place);
      case 'get-colorbool': return this.#getColorSwitch(place);
      case 'edit': return this.#edit(place);
      default: return this.#change(place);
    }
  }

  #place(): Place {
    const args = this.#args;
    const context = this.#context;
    const scopes = ['global', 'system', 'local', 'worktree', 'file', 'blob'].filter((name) => args.has(name));
    if (scopes.length > 1) throw new UsageError('only one config file at a time');
    const file = args.value('file') ?? (scopes.length === 0 ? context.env['GIT_CONFIG'] || undefined : undefined);
    if (file !== undefined) {
      if (file !== '-') return { path: resolve(context.cwd, file), shown: file, scope: 'command' };
      return { path: undefined, shown: 'standard input', scope: 'command', entries: parseConfig(readInput(context.stdin), 'standard input:', 'command') };
    }
    const places = configPlaces(context);
    if (args.has('global')) {
      const own = places.global.at(-1);
      if (own === undefined) throw new NotFoundError('$HOME not set', { code: 'no-home', hint: 'set HOME, or GIT_CONFIG_GLOBAL to a file' });
      const other = places.global.length > 1 && !fs.existsSync(own) && fs.existsSync(places.global[0]!) ? places.global[0]! : own;
      return { path: resolve(context.cwd, other), shown: other, scope: 'global' };
    }
    if (args.has('system')) {
      const system = context.env['GIT_CONFIG_SYSTEM'] ?? '/etc/gitconfig';
      return { path: resolve(context.cwd, system), shown: system, scope: 'system' };
    }
    const blob = args.value('blob');
    if (blob !== undefined) return this.#blob(blob);
    if (args.has('local') || args.has('worktree')) return this.#own(args.has('worktree'));
    return { path: undefined, shown: '', scope: 'unknown' };
  }

  #own(worktree: boolean): Place {
    const repository = this.#repository;
    if (repository === undefined) {
      throw new RefusedError(`--${worktree ? 'worktree' : 'local'} can only be used inside a repository`, { code: 'no-repository' });
    }
    const perTree = worktree && repository.config.getBoolean('extensions.worktreeconfig', false);
    if (worktree && !perTree && fs.existsSync(join(repository.commonDirectory, 'worktrees')) && fs.readdirSync(join(repository.commonDirectory, 'worktrees')).length > 0) {
      throw new RefusedError('--worktree cannot be used with several work trees unless extensions.worktreeConfig is set', { code: 'no-worktree-config' });
    }
    const path = perTree ? join(repository.gitDirectory, 'config.worktree') : join(repository.commonDirectory, 'config');
    return { path, shown: repository.shownPath(path), scope: perTree ? 'worktree' : 'local' };
  }

  #blob(name: string): Place {
    if (this.#repository === undefined) throw new NotFoundError('not in a repository', { code: 'no-repository' });
    const object = this.#repository.objects.read(resolveRevision(this.#repository, name));
    if (object.type !== 'blob') throw new InvalidError(`reference '${name}' does not point to a blob`, { code: 'not-a-blob' });
    return { path: undefined, shown: name, scope: 'command', entries: parseConfig(object.bytes, `blob:${name}`, 'command') };
  }

  /** Entries of the place asked for; `undefined` when its one file is missing. */
  #read(place: Place): readonly ConfigEntry[] | undefined {
    if (place.entries !== undefined) return place.entries;
    const includes = this.#args.flag('includes');
    if (place.path === undefined) {
      const config = this.#repository?.config ?? Config.open(this.#context);
      return includes === false ? config.listWithoutIncludes() : config.list();
    }
    if (findConfigBytes(place.path) === undefined) return undefined;
    const repository = this.#repository;
    const conditions = { gitDirectory: repository?.gitDirectory, branch: () => repository?.refs.headBranch()?.slice('refs/heads/'.length) };
    return readConfigFile(place.path, place.scope, this.#context, includes === true ? conditions : undefined, place.shown);
  }

  #list(place: Place): number {
    const entries = this.#read(place);
    if (entries === undefined) throw new NotFoundError(`unable to read config file '${place.shown}'`, { code: 'no-config-file' });
    const nameOnly = this.#args.has('name-only');
    if (this.#args.has('json')) {
      const text = (bytes: string): string => Buffer.from(bytes, 'latin1').toString();
      const records = entries.map(({ name, raw, scope, origin, line }) => ({ name, value: raw === undefined ? null : text(raw), scope, origin: text(origin), line }));
      this.#context.stdout.write(`${JSON.stringify(records)}\n`);
      return 0;
    }
    const end = this.#nul ? '\0' : '\n';
    for (const entry of entries) {
      const value = nameOnly || entry.raw === undefined ? '' : `${this.#nul ? '\n' : '='}${entry.raw}`;
      this.#print(`${this.#whence(entry)}${latin1(entry.name)}${value}${end}`);
    }
    return 0;
  }

  #get(place: Place): number {
    const typed = this.#words[0]!;
    let fits: (name: string) => boolean;
    if (this.#action === 'get-regexp') {
      const pattern = compileOrSay(this.#context, canonicalPattern(typed), 'invalid key pattern');
      if (pattern === undefined) return 6;
      fits = (name) => pattern.test(latin1(name));
    } else {
      const key = readKeyOrSay(this.#context, typed);
      if (key === undefined) return 1;
      fits = (name) => latin1(name) === key.name;
    }
    const matches = this.#valuePattern(this.#words[1]);
    if (matches === 'invalid') return 6;
    const found = (this.#read(place) ?? []).filter((entry) => fits(entry.name) && (matches === undefined || matches(entry.raw ?? '')));
    const fallback = this.#args.value('default');
    if (found.length === 0) {
      if (fallback === undefined) return 1;
      const raw = latin1(fallback);
      found.push({ name: typed, value: fallback, raw, scope: 'command', origin: 'command line:', line: 0 });
    }
    const showNames = this.#action === 'get-regexp';
    const nameOnly = this.#args.has('name-only');
    // Every value must be of the type, also those a later one overrides.
    const lines = found.map((entry) => {
      const value = nameOnly ? undefined : this.#format(entry);
      const shown = showNames ? latin1(entry.name) + (value === undefined ? '' : (this.#nul ? '\n' : ' ') + value) : value ?? '';
      return `${this.#whence(entry)}${shown}${this.#nul ? '\0' : '\n'}`;
    });
    this.#print(this.#action === 'get' ? lines.at(-1)! : lines.join(''));
    return 0;
  }

  /** `<section>` gives all its variables that are about the URL, `<section>.<variable>` one value. */
  #getForUrl(place: Place): number {
    const [typed, url] = [this.#words[0]!.toLowerCase(), this.#words[1]!];
    const dot = typed.indexOf('.');
    const found = matchUrl(this.#read(place) ?? [], dot < 0 ? typed : typed.slice(0, dot), url);
    const end = this.#nul ? '\0' : '\n';
    const lines = [...found].filter(([name]) => dot < 0 || name === typed).map(([name, entry]) => {
      const value = this.#format({ ...entry, name });
      if (dot >= 0) return `${value ?? ''}${end}`;
      return latin1(name) + (value === undefined ? '' : (this.#nul ? '\n' : ' ') + value) + end;
    });
    this.#print(lines.join(''));
    return lines.length > 0 ? 0 : 1;
  }

  #getColor(place: Place): number {
    const [name, fallback] = this.#words;
    const key = canonicalPattern(name!);
    const entry = (this.#read(place) ?? []).findLast((each) => latin1(each.name) === key);
    if (entry !== undefined && entry.value === undefined) throw new InvalidError(`missing value for '${entry.name}'`, { code: 'bad-config-value' });
    this.#print(formatColor(entry?.value ?? fallback ?? ''));
    return 0;
  }

  /** With a second word the answer is printed, else it is the exit code. */
  #getColorSwitch(place: Place): number {
    const [name, tty] = this.#words;
    const entries = this.#read(place) ?? [];
    const find = (wanted: string): ConfigEntry | undefined => entries.findLast((each) => latin1(each.name) === canonicalPattern(wanted));
    const entry = find(name!) ?? (name!.toLowerCase() === 'color.diff' ? find('diff.color') : undefined) ?? find('color.ui');
    for (const each of [find(name!), find('color.ui')]) if (each !== undefined) colorChoice(each);
    const terminal = tty === undefined ? this.#context.stdout.isTerminal : parseConfigBoolean(tty);
    if (terminal === undefined) throw new InvalidError(`bad boolean config value '${tty ?? ''}' for 'command line'`, { code: 'bad-config-value' });
    const { TERM } = this.#context.env;
    const choice = entry === undefined ? 'auto' : colorChoice(entry);
    const uses = choice === 'always' || (choice === 'auto' && terminal && TERM !== undefined && TERM !== 'dumb');
    if (tty === undefined) return uses ? 0 : 1;
    this.#print(`${uses}\n`);
    return 0;
  }

  /** The value by its type; undefined for a variable without '=' when no type is asked. latin1. */
  #format(entry: ConfigEntry): string | undefined {
    const bad = (kind: string): InvalidError =>
      new InvalidError(`bad ${kind} config value '${entry.value ?? ''}' for '${entry.name}' in ${entry.origin}`, { code: 'bad-config-value' });
    const value = entry.value ?? '';
    switch (this.#type) {
      case undefined: return entry.raw;
      case 'bool': {
        const boolean = parseConfigBoolean(entry.value);
        if (boolean === undefined) throw bad('boolean');
        return String(boolean);
      }
      case 'int': {
        const number = parseConfigInteger(value);
        if (number === undefined) throw bad('numeric');
        return String(number);
      }
      case 'bool-or-int': {
        const number = entry.value === undefined ? undefined : parseConfigInteger(value);
        if (number !== undefined && isNarrow(number)) return String(number);
        if (number !== undefined) throw bad('numeric');
        const boolean = parseConfigBoolean(entry.value);
        if (boolean === undefined) throw bad('boolean');
        return String(boolean);
      }
      case 'bool-or-str': {
        const boolean = parseConfigBoolean(entry.value);
        return boolean === undefined ? entry.raw : String(boolean);
      }
      case 'path':
        if (entry.value === undefined) throw new InvalidError(`missing value for '${entry.name}'`, { code: 'bad-config-value' });
        return latin1(expandHome(value, this.#context));
      case 'expiry-date': return formatExpiry(parseExpiry(value, this.#context.clock));
      case 'color': return formatColor(value);
    }
  }

  #whence(entry: ConfigEntry): string {
    const separator = this.#nul ? '\0' : '\t';
    let text = this.#args.has('show-scope') ? `${entry.scope}${separator}` : '';
    if (this.#args.has('show-origin')) {
      const colon = entry.origin.indexOf(':') + 1;
      const name = latin1(entry.origin.slice(colon));
      text += entry.origin.slice(0, colon) + (this.#nul ? name : quotePath(name)) + separator;
    }
    return text;
  }

  #print(text: string): void {
    this.#context.stdout.write(Buffer.from(text, 'latin1'));
  }

  /** A test for values (latin1); undefined without a pattern. */
  #valuePattern(pattern: string | undefined): ((value: string) => boolean) | undefined | 'invalid' {
    if (pattern === undefined) return undefined;
    const text = latin1(pattern);
    if (this.#args.has('fixed-value')) return (value) => value === text;
    const negated = text.startsWith('!');
    const expression = compileOrSay(this.#context, negated ? text.slice(1) : text, 'invalid pattern');
    return expression === undefined ? 'invalid' : (value) => expression.test(value) !== negated;
  }

  #writable(place: Place): { path: string; shown: string } {
    if (place.entries !== undefined) {
      throw new RefusedError(this.#args.has('blob') ? 'writing config blobs is not supported' : 'writing to standard input is not supported', { code: 'config-read-only' });
    }
    if (place.path !== undefined) return { path: place.path, shown: place.shown };
    if (this.#repository === undefined) throw new NotFoundError('not in a repository', { code: 'no-repository', hint: 'use --global for your own configuration' });
    const own = join(this.#repository.commonDirectory, 'config');
    return { path: own, shown: this.#repository.shownPath(own) };
  }

  #edit(place: Place): number {
    const { path } = this.#writable(place);
    if (!fs.existsSync(path)) replaceFile(path, '');
    editFile(this.#context, this.#repository?.config ?? Config.open(this.#context), path);
    return 0;
  }

  #change(place: Place): number {
    const { path, shown } = this.#writable(place);
    const [first, second, third] = this.#words;
    const origin = `file ${shown}`;
    if (this.#action === 'rename-section' || this.#action === 'remove-section') {
      return this.#apply(path, (text) => renameInConfig(text, first!, second, origin));
    }
    const unset = this.#action === 'unset' || this.#action === 'unset-all';
    const key = readKeyOrSay(this.#context, first!);
    if (key === undefined) return first!.includes('.') && !/^\.|\.$/.test(first!) ? 1 : 2;
    const matches = this.#valuePattern(unset ? second : third);
    if (matches === 'invalid') return 6;
    const options: SetOptions = {
      all: this.#action === 'replace-all' || this.#action === 'unset-all', add: this.#action === 'add', ...(matches === undefined ? {} : { matches }),
    };
    if (unset) return this.#apply(path, (text) => unsetInConfig(text, key, origin, options));
    const value = latin1(this.#normalize(key, second!));
    return this.#apply(path, (text) => setInConfig(text, key, value, origin, options));
  }

  /** Edits the file; what git answers with an exit code of its own is answered so. */
  #apply(path: string, edit: (text: string) => string): number {
    try {
      editConfigFile(path, edit, this.#repository?.ownsPath(path) ? this.#repository.lockHolder : undefined);
      this.#repository?.config.refresh();
      return 0;
    } catch (error) {
      const exit = exitOf(error);
      if (exit === undefined) throw error;
      // That there was nothing to unset is an answer and needs no words.
      if (!(error instanceof NotFoundError)) this.#context.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n`);
      return exit;
    }
  }

  /** The value as it is written, by its type. */
  #normalize(key: ConfigKey, value: string): string {
    const bad = (kind: string): InvalidError => new InvalidError(`bad ${kind} config value '${value}' for '${key.name}'`, { code: 'bad-config-value' });
    const number = parseConfigInteger(value);
    switch (this.#type) {
      case 'int':
        if (number === undefined) throw bad('numeric');
        return String(number);
      case 'bool': {
        const boolean = parseConfigBoolean(value);
        if (boolean === undefined) throw bad('boolean');
        return String(boolean);
      }
      case 'bool-or-int': {
        if (number !== undefined) return String(number);
        const boolean = parseConfigBoolean(value);
        if (boolean === undefined) throw bad('boolean');
        return String(boolean);
      }
      case 'bool-or-str': {
        const boolean = parseConfigBoolean(value);
        return boolean === undefined ? value : String(boolean);
      }
      case 'color':
        formatColor(value);
        return value;
      default: return value;
    }
  }
}

/** 'always', 'never' or 'auto', as a colour setting means it. */
function colorChoice(entry: ConfigEntry): 'always' | 'never' | 'auto' {
  const word = entry.value?.toLowerCase();
  if (word === 'always' || word === 'never' || word === 'auto') return word;
  const boolean = parseConfigBoolean(entry.value);
  if (boolean === undefined) throw new InvalidError(`bad boolean config value '${entry.value ?? ''}' for '${entry.name}'`, { code: 'bad-config-value' });
  return boolean ? 'auto' : 'never';
}

/** Git's name for everything there is, is the largest number it knows. */
function formatExpiry(seconds: number): string {
  return seconds === Number.MAX_SAFE_INTEGER ? '18446744073709551615' : String(seconds);
}

/** A repository that cannot be opened is in nobody's way when another file is meant: that is how its trouble is put right. */
function findRepository(context: Context, args: Arguments): Repository | undefined {
  try {
    return Repository.find(context);
  } catch (error) {
    const elsewhere = args.has('global') || args.has('system') || args.has('file');
    if (error instanceof CairnError && (elsewhere || error.code === 'unsafe-repository')) return undefined;
    throw error;
  }
}

function exitOf(error: unknown): number | undefined {
  if (error instanceof LockedError) return 255;
  if (isSystemError(error, 'EACCES', 'EROFS', 'ENOENT', 'ENOTDIR')) return 255;
  if (error instanceof ConflictError && error.code === 'config-multiple') return 5;
  if (error instanceof NotFoundError && error.code === 'config-missing') return 5;
  if (error instanceof InvalidError && error.code === 'bad-config-section') return 3;
  if (error instanceof InvalidError && error.code === 'config-bad-section') return 255;
  return undefined;
}

function findAction(args: Arguments): string {
  const given = Object.keys(actions).filter((name) => args.has(name));
  if (given.length > 1) throw new UsageError('only one action at a time');
  if (given.length === 1) return given[0]!;
  const { length } = args.positionals;
  if (length === 0 || length > 3) throw new UsageError('a name is needed');
  return length === 1 ? 'get' : 'set';
}

function findType(args: Arguments): ValueType | undefined {
  let found: ValueType | undefined;
  for (const token of args.tokens) {
    if (token.kind !== 'option') continue;
    const name = token.name === 'type' ? token.value : token.name;
    if (token.name === 'type' && token.negated) found = undefined;
    else if (isType(name) && token.name !== 'default') {
      if (found !== undefined && found !== name) throw new UsageError('only one type at a time');
      found = name;
    } else if (token.name === 'type') {
      throw new RefusedError(`unrecognized --type argument, ${name ?? ''}`, { code: 'unknown-type', hint: `known types: ${types.join(', ')}` });
    }
  }
  return found;
}

function isType(name: string | undefined): name is ValueType {
  return name !== undefined && (types as readonly string[]).includes(name);
}

/** What makes sense together. */
function checkCombination(args: Arguments, action: string): void {
  const reads = action === 'list' || action.startsWith('get');
  if (args.has('name-only') && action !== 'list' && action !== 'get-regexp') throw new UsageError('--name-only is only applicable to --list or --get-regexp');
  if (args.has('json') && (action !== 'list' || args.has('name-only') || args.has('null'))) throw new UsageError('--json is only applicable to --list, without -z and --name-only');
  if (args.has('show-origin') && !reads) throw new UsageError('--show-origin is only applicable to --get, --get-all, --get-regexp, and --list');
  if (args.value('default') !== undefined && action !== 'get') throw new UsageError('--default is only applicable to --get');
  if (args.has('fixed-value')) {
    const position = action === 'set' || action === 'replace-all' ? 2 : 1;
    const takesPattern = position === 2 || ['get', 'get-all', 'get-regexp', 'unset', 'unset-all'].includes(action);
    if (!takesPattern || args.positionals.length <= position) throw new UsageError('--fixed-value only applies with a value pattern');
  }
}

/** The key; undefined after saying what is wrong with it. */
function readKeyOrSay(context: Context, typed: string): ConfigKey | undefined {
  try {
    return parseConfigKey(typed);
  } catch (error) {
    if (!(error instanceof InvalidError)) throw error;
    context.stderr.write(`error: ${error.message}\n`);
    return undefined;
  }
}

function compileOrSay(context: Context, pattern: string, what: string): RegExp | undefined {
  try {
    return parsePattern(pattern, 'extended');
  } catch (error) {
    if (!(error instanceof InvalidError)) throw error;
    context.stderr.write(`error: ${what}: ${pattern}\n`);
    return undefined;
  }
}

/** Sections and variables are compared in lower case: the pattern's parts before the first and after the last dot too. */
function canonicalPattern(typed: string): string {
  const text = latin1(typed);
  const first = text.indexOf('.');
  const last = text.lastIndexOf('.');
  return last < 0 ? text.toLowerCase() : text.slice(0, first).toLowerCase() + text.slice(first, last) + text.slice(last).toLowerCase();
}
