// Ignore rules, exactly as gitignore(5) has them: which untracked paths nobody wants to see. Sources, the strongest first: patterns
// given by the caller; per-directory files (.gitignore), the deepest first; <gitdir>/info/exclude; core.excludesFile. In a list the last
// pattern that matches decides, and nothing below an ignored directory can be taken back.
//
// Files are read when a path below their directory is first asked about, and remembered. Nothing is written.
import { closeSync, constants, existsSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { NotFoundError, isSystemError } from '../pack/errors.js';
import type { DiskPath } from '../pack/disk.js';
import type { Repository } from './repository.js';
import { compileWildmatch, literalLength } from './wildmatch.js';

/** A pattern that decided about a path. */
export interface IgnoreMatch {
  /** As written, without '!' and a trailing '/'. */
  readonly pattern: string;
  /** The file it is from, as Git names it; '' for one given by the caller. */
  readonly source: string;
  /** From 1. */
  readonly line: number;
  /** The pattern says: do not ignore. */
  readonly negated: boolean;
  readonly mustBeDirectory: boolean;
}

/** A pattern that names files as .gitignore and .gitattributes do, compiled. */
export interface PathPattern {
  readonly mustBeDirectory: boolean;
  /** `path` is the whole path, `nameAt` where its last component begins; the directory of the pattern's file is `path`'s first `baseLength` bytes. */
  matches(path: string, nameAt: number, baseLength: number): boolean;
}

/** Compiles one pattern (without '!'); a trailing '/' means directories only, no other '/' means the last component at any depth. */
export function compilePathPattern(text: string, caseFold: boolean): PathPattern {
  const mustBeDirectory = text.endsWith('/');
  const pattern = mustBeDirectory ? text.slice(0, -1) : text;
  return { mustBeDirectory, matches: pattern.includes('/') ? compileAnchored(pattern, caseFold) : compileName(pattern, caseFold) };
}

function compileName(pattern: string, caseFold: boolean): PathPattern['matches'] {
  const fold = (text: string): string => caseFold ? foldCase(text) : text;
  const wanted = fold(pattern);
  const literal = literalLength(pattern);
  if (literal === pattern.length) return (path, nameAt) => path.length - nameAt === wanted.length && fold(path.slice(nameAt)) === wanted;
  if (literal === 0 && pattern[0] === '*' && literalLength(pattern.slice(1)) === pattern.length - 1) {
    const tail = wanted.slice(1);
    return (path, nameAt) => path.length - nameAt >= tail.length && fold(path).endsWith(tail);
  }
  const glob = compileWildmatch(pattern, { caseFold });
  return (path, nameAt) => glob(path.slice(nameAt));
}

function compileAnchored(pattern: string, caseFold: boolean): PathPattern['matches'] {
  const relative = pattern.startsWith('/') ? pattern.slice(1) : pattern;
  const fold = (text: string): string => caseFold ? foldCase(text) : text;
  const literal = fold(relative.slice(0, literalLength(relative)));
  const rest = relative.slice(literal.length);
  const glob = rest === '' ? (text: string) => text === '' : compileWildmatch(rest, { pathname: true, caseFold });
  return (path, _nameAt, baseLength) => {
    const globAt = baseLength + literal.length;
    return fold(path.slice(baseLength, globAt)) === literal && glob(path.slice(globAt));
  };
}

/** ASCII only, as Git folds bytes. */
export function foldCase(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

interface Rule extends IgnoreMatch {
  readonly matches: PathPattern['matches'];
}

/** The rules of one file or option, and the directory they are relative to ('' or with trailing slash). */
interface RuleList {
  readonly base: string;
  readonly rules: readonly Rule[];
}

/** One directory: the lists that apply to what is in it, and what ignores it altogether. */
interface Level {
  readonly lists: readonly RuleList[];
  readonly excludedBy: Rule | undefined;
}

/** Larger files are no list of patterns; Git stops at the same size. */
const largestRuleFile = 100 * 1024 * 1024;

/** The rules in the text of an ignore file. */
function parseRules(text: string, source: string, caseFold: boolean): Rule[] {
  const rules: Rule[] = [];
  let line = 0;
  for (const raw of text.replace(/^\xef\xbb\xbf/, '').split('\n')) {
    line += 1;
    if (raw === '' || raw.startsWith('#')) continue;
    const rule = parseRule(trimTrailingSpaces(raw.endsWith('\r') ? raw.slice(0, -1) : raw), source, line, caseFold);
    rules.push(rule);
  }
  return rules;
}

function parseRule(text: string, source: string, line: number, caseFold: boolean): Rule {
  const negated = text.startsWith('!');
  const body = negated ? text.slice(1) : text;
  const compiled = compilePathPattern(body, caseFold);
  return {
    pattern: compiled.mustBeDirectory ? body.slice(0, -1) : body, source, line, negated,
    mustBeDirectory: compiled.mustBeDirectory, matches: compiled.matches,
  };
}

/** Trailing spaces go, except one after a backslash. */
function trimTrailingSpaces(text: string): string {
  let end = text.length;
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] === ' ') {
      if (end === text.length) end = at;
      continue;
    }
    if (text[at] === '\\') at += 1;
    if (at >= text.length) return text;
    end = text.length;
  }
  return text.slice(0, end);
}

/** Where rules come from; by default everything gitignore(5) names. */
export interface IgnoreSources {
  /** .gitignore files, info/exclude and core.excludesFile. */
  readonly standard?: boolean;
  /** Further per-directory file names (ls-files --exclude-per-directory). */
  readonly perDirectory?: readonly string[];
  /** Further files of patterns, relative to the top of the work tree (ls-files --exclude-from). */
  readonly files?: readonly string[];
  /** Patterns of the caller's own (ls-files --exclude). */
  readonly patterns?: readonly string[];
}

export class IgnoreRules {
  readonly #root: string;
  readonly #names: readonly string[];
  readonly #given: RuleList;
  readonly #global: readonly RuleList[];
  readonly #caseFold: boolean;
  readonly #levels = new Map<string, Level>();

  private constructor(root: string, names: readonly string[], given: RuleList, global: readonly RuleList[], caseFold: boolean) {
    this.#root = root;
    this.#names = names;
    this.#given = given;
    this.#global = global;
    this.#caseFold = caseFold;
  }

  static load(repository: Repository, sources: IgnoreSources = { standard: true }): IgnoreRules {
    const { config, gitDirectory, commonDirectory } = repository;
    const caseFold = config.getBoolean('core.ignorecase') === true;
    const global: RuleList[] = [];
    const addFile = (path: string | undefined, shown: string): void => {
      const text = path === undefined ? undefined : findRuleFile(path, true);
      if (text !== undefined) global.unshift({ base: '', rules: parseRules(text, shown, caseFold) });
    };
    for (const file of sources.files ?? []) {
      // From where git has gone when it opened the repository.
      const path = resolve(repository.prefix === '' ? repository.context.cwd : repository.workTree!, file);
      if (!existsSync(path)) throw new NotFoundError(`cannot use '${file}' as an exclude file: there is none`, { code: 'no-file' });
      addFile(path, file);
    }
    if (sources.standard) {
      const excludes = config.getPath('core.excludesfile') ?? findUserFile(repository, 'ignore');
      addFile(excludes, excludes ?? '');
      const exclude = join(commonDirectory, 'info/exclude');
      addFile(exclude, relativeTo(repository.workTree ?? gitDirectory, exclude));
    }
    const given = { base: '', rules: (sources.patterns ?? []).map((text, at) => parseRule(text, '', at + 1, caseFold)) };
    const names = [...(sources.perDirectory ?? []), ...(sources.standard ? ['.gitignore'] : [])];
    return new IgnoreRules(repository.workTree ?? '', names, given, global, caseFold);
  }

  /** The pattern that decides about `path` (a latin1 byte string without trailing slash); undefined when none does. */
  match(path: string, isDirectory: boolean): IgnoreMatch | undefined {
    const nameAt = path.lastIndexOf('/') + 1;
    const level = this.#level(path.slice(0, nameAt));
    return level.excludedBy ?? this.#matchLists(level.lists, path, nameAt, isDirectory);
  }

  isIgnored(path: string, isDirectory: boolean): boolean {
    const match = this.match(path, isDirectory);
    return match !== undefined && !match.negated;
  }

  #matchLists(lists: readonly RuleList[], path: string, nameAt: number, isDirectory: boolean): Rule | undefined {
    for (const list of [this.#given, ...lists, ...this.#global]) {
      for (let at = list.rules.length - 1; at >= 0; at -= 1) {
        const rule = list.rules[at]!;
        if ((isDirectory || !rule.mustBeDirectory) && rule.matches(path, nameAt, list.base.length)) return rule;
      }
    }
    return undefined;
  }

  /** `directory` is '' or ends in a slash. */
  #level(directory: string): Level {
    const known = this.#levels.get(directory);
    if (known !== undefined) return known;
    let level: Level;
    if (directory === '') {
      level = { lists: this.#readDirectory(''), excludedBy: undefined };
    } else {
      const name = directory.slice(0, -1);
      const nameAt = name.lastIndexOf('/') + 1;
      const parent = this.#level(name.slice(0, nameAt));
      const excludedBy = parent.excludedBy ?? this.#matchLists(parent.lists, name, nameAt, true);
      level = excludedBy !== undefined && !excludedBy.negated
        ? { lists: [], excludedBy }
        : { lists: [...this.#readDirectory(directory), ...parent.lists], excludedBy: undefined };
    }
    this.#levels.set(directory, level);
    return level;
  }

  #readDirectory(directory: string): RuleList[] {
    const lists: RuleList[] = [];
    for (const name of this.#names) {
      const path = `${directory}${name}`;
      const text = findRuleFile(/^[\x00-\x7f]*$/.test(path) ? join(this.#root, path)
        : Buffer.concat([Buffer.from(`${this.#root}/`), Buffer.from(path, 'latin1')]), false);
      if (text !== undefined) lists.unshift({ base: directory, rules: parseRules(text, path, this.#caseFold) });
    }
    return lists;
  }
}

/** The text of a file of rules; undefined when there is none. In a work tree a symbolic link is no file of rules. */
export function findRuleFile(path: DiskPath, followLinks: boolean): string | undefined {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | (followLinks ? 0 : constants.O_NOFOLLOW));
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR', 'ELOOP', 'EACCES')) return undefined;
    throw error;
  }
  try {
    const status = fstatSync(fd);
    if (!status.isFile() || status.size > largestRuleFile) return undefined;
    return readFileSync(fd).toString('latin1');
  } finally {
    closeSync(fd);
  }
}

/** Git's place for a user's own file of this name: $XDG_CONFIG_HOME/git or ~/.config/git. */
export function findUserFile(repository: Repository, name: string): string | undefined {
  const { env } = repository.context;
  const configHome = env['XDG_CONFIG_HOME'];
  if (configHome !== undefined && configHome !== '') return join(configHome, 'git', name);
  return env['HOME'] ? join(env['HOME'], '.config/git', name) : undefined;
}

function relativeTo(root: string, path: string): string {
  return path.startsWith(`${root}/`) ? path.slice(root.length + 1) : path;
}
