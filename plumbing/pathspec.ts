// Pathspecs: which paths a command is about, as gitglossary(7) describes them. A pathspec without wildcards names a path and all below
// it; `*` crosses slashes unless the magic word `glob` is given. Paths are relative to where the command was typed.
//
// Supported magic: top, literal, icase, glob, exclude (`:/`, `:!`, `:^`), prefix; attr where the caller knows attributes.
import { isAbsolute } from 'node:path';
import { InvalidError, NotFoundError, RefusedError } from '../pack/errors.js';
import { Attributes, type AttributeValue, isAttributeName } from './content/attributes.js';
import { foldCase } from './ignore.js';
import type { Repository } from './repository.js';
import { compileWildmatch, literalLength } from './wildmatch.js';

/** What parsing needs to know of the repository and the caller. */
export interface PathspecContext {
  /** '' or the current directory inside the work tree with a trailing slash, as bytes. */
  readonly prefix: string;
  /** Absolute; undefined in a bare repository. */
  readonly workTree: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What `:(attr:...)` asks; without it such pathspecs are refused. Loaded when the first path is matched. */
  readonly attributes?: () => Attributes;
}

/** All of that, of a repository. */
export function pathspecContext(repository: Repository): PathspecContext {
  const { prefix, workTree, context: { env } } = repository;
  return { prefix, workTree, env, attributes: () => Attributes.load(repository) };
}

/** One element of a pathspec. */
export interface PathspecItem {
  /** As typed. */
  readonly original: string;
  /** Relative to the top; '' matches everything; a trailing slash is kept. */
  readonly match: string;
  /** Bytes of `match` that must be equal even with `icase`: what the current directory put in front. */
  readonly prefixLength: number;
  /** Bytes of `match` before the first wildcard; all of it when there is none. */
  readonly literalLength: number;
  readonly exclude: boolean;
  readonly icase: boolean;
}

interface CompiledItem extends PathspecItem {
  readonly glob: ((text: string) => boolean) | undefined;
  /** What a path's attributes must be besides. */
  readonly hasAttributes?: (path: string) => boolean;
}

/** Magic taken apart. */
interface Magic {
  readonly words: readonly string[];
  /** Attributes and what they must be; undefined: unspecified. */
  readonly attributes?: readonly (readonly [name: string, value: AttributeValue | undefined])[];
  /** How many bytes of the path are taken as if the current directory had put them there. */
  readonly prefixLength?: number;
}

export class Pathspec {
  readonly items: readonly PathspecItem[];
  readonly #positive: readonly CompiledItem[];
  readonly #negative: readonly CompiledItem[];
  readonly #seen = new Set<PathspecItem>();

  private constructor(items: readonly CompiledItem[]) {
    this.items = items;
    this.#positive = items.filter((item) => !item.exclude);
    this.#negative = items.filter((item) => item.exclude);
  }

  /** Matches every path. */
  static readonly everything = new Pathspec([]);

  /** InvalidError for magic that is malformed, NotFoundError 'outside-repository' for a path outside; none given matches everything. */
  static parse(args: readonly string[], context: PathspecContext, options: { readonly emptyIsPrefix?: boolean } = {}): Pathspec {
    if (args.length === 0) {
      if (options.emptyIsPrefix !== true || context.prefix === '') return Pathspec.everything;
      return new Pathspec([compileItem('', { words: [] }, context, globalMagic(context.env))]);
    }
    const globals = globalMagic(context.env);
    const items = args.flatMap((text) => {
      if (text === '') {
        throw new InvalidError("empty string is not a valid pathspec; use '.' to match all paths", { code: 'bad-pathspec' });
      }
      const { magic, rest, nothing } = parseMagic(text, globals, context);
      return nothing ? [] : [compileItem(text, magic, context, globals, rest)];
    });
    if (items.length > 0 && items.every((item) => item.exclude)) {
      items.push(compileItem('', { words: options.emptyIsPrefix ? [] : ['top'] }, context, { literal: false, glob: false, icase: false }));
    }
    return new Pathspec(items);
  }

  /** True when nothing was asked for: every path matches. */
  get isEmpty(): boolean {
    return this.items.length === 0;
  }

  /** True when every path matches, given or not. */
  get matchesAll(): boolean {
    return this.#negative.length === 0 && (this.items.length === 0 || this.#positive.some((item) => item.match === '' && item.hasAttributes === undefined));
  }

  /** True for a path that is meant; `isDirectory` lets 'dir/' match the directory itself. Remembers which elements matched. */
  matches(path: string, isDirectory = false): boolean {
    if (this.items.length === 0) return true;
    let found = false;
    for (const item of this.#positive) {
      if (!matchItem(item, path, isDirectory)) continue;
      this.#seen.add(item);
      found = true;
    }
    return found && !this.#negative.some((item) => matchItem(item, path, isDirectory));
  }

  /** Like matches, but an element that named one path in full does so once: as git counts where every element must match (--error-unmatch). */
  matchesOnce(path: string): boolean {
    const isOpen = (item: CompiledItem): boolean => !(this.#seen.has(item) && item.match === path);
    return (this.items.length === 0 || this.#positive.some((item) => isOpen(item) && matchItem(item, path, false))) && this.matches(path);
  }

  /** Like matches, but what matched does not count as found. */
  admits(path: string, isDirectory = false): boolean {
    return (this.items.length === 0 || this.#positive.some((item) => matchItem(item, path, isDirectory)))
      && !this.#negative.some((item) => matchItem(item, path, isDirectory));
  }

  /** Whether some path below `directory` (with trailing slash) may match: false only when none can. */
  mayMatchBelow(directory: string): boolean {
    if (this.items.length === 0) return true;
    if (this.#negative.some((item) => item.glob === undefined && item.hasAttributes === undefined && matchItem(item, directory.slice(0, -1), true))) return false;
    return this.#positive.some((item) => {
      const literal = item.match.slice(0, item.literalLength);
      const shared = Math.min(literal.length, directory.length);
      const fold = (text: string): string => item.icase ? foldCase(text) : text;
      if (fold(literal.slice(0, shared)) !== fold(directory.slice(0, shared))) return false;
      return literal.length >= directory.length || item.glob !== undefined || matchName(item, directory.slice(0, -1), true);
    });
  }

  /** The elements (as typed, in order) that no path has matched so far; exclusions are not counted. */
  listUnmatched(): string[] {
    return this.#positive.filter((item) => !this.#seen.has(item)).map((item) => item.original);
  }

  /** The longest directory (with trailing slash, or '') that every match lies in. */
  get commonDirectory(): string {
    let common: string | undefined;
    for (const item of this.#positive) {
      const literal = item.icase ? item.match.slice(0, item.prefixLength) : item.match.slice(0, item.literalLength);
      const directory = literal.slice(0, literal.lastIndexOf('/') + 1);
      if (common === undefined) common = directory;
      while (!directory.startsWith(common)) common = common.slice(0, common.slice(0, -1).lastIndexOf('/') + 1);
    }
    return common ?? '';
  }
}

interface GlobalMagic {
  readonly literal: boolean;
  readonly glob: boolean;
  readonly icase: boolean;
  readonly noglob?: boolean;
}

function globalMagic(env: PathspecContext['env']): GlobalMagic {
  const on = (name: string): boolean => {
    const value = env[name];
    return value !== undefined && !/^(?:|0|false|no|off)$/i.test(value);
  };
  const literal = on('GIT_LITERAL_PATHSPECS');
  const glob = on('GIT_GLOB_PATHSPECS');
  const noglob = on('GIT_NOGLOB_PATHSPECS');
  const icase = on('GIT_ICASE_PATHSPECS');
  if (glob && noglob) throw new InvalidError("global 'glob' and 'noglob' pathspec settings are incompatible", { code: 'bad-pathspec' });
  if (literal && (glob || noglob || icase)) {
    throw new InvalidError("global 'literal' pathspec setting is incompatible with all other global pathspec settings", { code: 'bad-pathspec' });
  }
  return { literal, glob, icase, noglob };
}

const shortMagic: Readonly<Record<string, string>> = { '/': 'top', '!': 'exclude', '^': 'exclude' };
const longMagic = ['top', 'literal', 'icase', 'glob', 'exclude', 'attr', 'prefix'];

/** Splits magic from the path; ':' alone means no pathspec at all. */
function parseMagic(text: string, globals: GlobalMagic, context: PathspecContext): { magic: Magic; rest: string; nothing: boolean } {
  const words: string[] = [];
  if (!text.startsWith(':') || globals.literal) return { magic: { words }, rest: text, nothing: false };
  if (text.startsWith(':(')) {
    const close = text.indexOf(')');
    if (close < 0) throw new InvalidError(`missing ')' at the end of pathspec magic in '${text}'`, { code: 'bad-pathspec' });
    let more: Partial<Magic> = {};
    for (const word of text.slice(2, close).split(',')) {
      if (word === '') continue;
      const name = word.split(':', 1)[0]!;
      if (!longMagic.includes(name) || (name !== word && name !== 'attr' && name !== 'prefix')) {
        throw new InvalidError(`invalid pathspec magic '${word}' in '${text}'`, { code: 'bad-pathspec' });
      }
      if (name === 'attr') {
        if (context.attributes === undefined) {
          throw new RefusedError(`pathspec magic 'attr' in '${text}' is not supported by this command`, { code: 'unsupported-pathspec' });
        }
        if (more.attributes !== undefined) throw new InvalidError("only one 'attr:' specification is allowed", { code: 'bad-pathspec' });
        more = { ...more, attributes: parseAttributeWords(word.slice('attr:'.length), text) };
      } else if (name === 'prefix') {
        if (!/^prefix:[0-9]+$/.test(word)) throw new InvalidError(`invalid parameter for pathspec magic 'prefix' in '${text}'`, { code: 'bad-pathspec' });
        if (context.prefix !== '') throw new RefusedError(`pathspec magic 'prefix' in '${text}' is for the top of the work tree`, { code: 'unsupported-pathspec' });
        more = { ...more, prefixLength: Number(word.slice('prefix:'.length)) };
      } else {
        words.push(name);
      }
    }
    return { magic: { words, ...more }, rest: text.slice(close + 1), nothing: false };
  }
  let at = 1;
  for (; at < text.length && text[at] !== ':'; at += 1) {
    const word = shortMagic[text[at]!];
    if (word !== undefined) {
      words.push(word);
      continue;
    }
    // Magic is one of the punctuation characters; anything else begins the path.
    if (!/[!"#%&',\-;<=>@_`~]/.test(text[at]!)) break;
    throw new InvalidError(`unimplemented pathspec magic '${text[at]}' in '${text}'`, { code: 'bad-pathspec' });
  }
  if (text[at] === ':') at += 1;
  return { magic: { words }, rest: text.slice(at), nothing: text === ':' };
}

/** 'name', '-name', '!name' and 'name=value', separated by blanks. */
function parseAttributeWords(words: string, text: string): [string, AttributeValue | undefined][] {
  const latin1 = Buffer.from(words).toString('latin1');
  if (latin1 === '') throw new InvalidError(`attr spec must not be empty in '${text}'`, { code: 'bad-pathspec' });
  return latin1.split(' ').filter((word) => word !== '').map((word) => {
    const sign = word[0] === '-' || word[0] === '!' ? word[0] : '';
    const equals = sign === '' ? word.indexOf('=') : -1;
    const name = word.slice(sign.length, equals < 0 ? undefined : equals);
    if (!isAttributeName(name)) throw new InvalidError(`invalid attribute name ${name} in '${text}'`, { code: 'bad-pathspec' });
    if (sign !== '') return [name, sign === '-' ? false : undefined];
    return [name, equals < 0 ? true : unescapeValue(word.slice(equals + 1), text)];
  });
}

function unescapeValue(value: string, text: string): string {
  if (/\\$/.test(value.replace(/\\\\/g, ''))) throw new InvalidError(`escape character '\\' not allowed as last character in attr value of '${text}'`, { code: 'bad-pathspec' });
  return value.replace(/\\?([^])/g, (_whole, character: string) => {
    if (!/[A-Za-z0-9,_-]/.test(character)) throw new InvalidError(`cannot use '${character}' for value matching in '${text}'`, { code: 'bad-pathspec' });
    return character;
  });
}

function compileItem(original: string, magic: Magic, context: PathspecContext, globals: GlobalMagic, rest = original): CompiledItem {
  const has = (word: string): boolean => magic.words.includes(word);
  if (has('literal') && has('glob')) throw new InvalidError(`'literal' and 'glob' are incompatible in '${original}'`, { code: 'bad-pathspec' });
  const literal = has('literal') || globals.literal || (globals.noglob === true && !has('glob'));
  const glob = !literal && (has('glob') || globals.glob);
  const icase = has('icase') || globals.icase;
  const prefix = has('top') ? '' : context.prefix;
  const bytes = Buffer.from(rest).toString('latin1');
  // From the top, what follows is taken as it is.
  const match = has('top') ? bytes : normalisePath(bytes, prefix, context.workTree, original);
  const prefixLength = magic.prefixLength === undefined ? (match.startsWith(prefix) ? prefix.length : 0) : Math.min(magic.prefixLength, match.length);
  const literalPart = literal ? match.length : prefixLength + literalLength(match.slice(prefixLength));
  const wild = literalPart < match.length ? compileWildmatch(match.slice(literalPart), { pathname: glob, caseFold: icase }) : undefined;
  const item = { original, match, prefixLength, literalLength: literalPart, exclude: has('exclude'), icase, glob: wild };
  const { attributes } = magic;
  if (attributes === undefined) return item;
  let source: Attributes | undefined;
  return {
    ...item,
    hasAttributes: (path) => {
      source ??= context.attributes!();
      const found = source.find(path);
      return attributes.every(([name, value]) => found.get(name) === value);
    },
  };
}

function matchItem(item: CompiledItem, path: string, isDirectory: boolean): boolean {
  return matchName(item, path, isDirectory) && (item.hasAttributes === undefined || item.hasAttributes(isDirectory && !path.endsWith('/') ? `${path}/` : path));
}

function matchName(item: CompiledItem, path: string, isDirectory: boolean): boolean {
  const { match } = item;
  if (item.icase && path.slice(0, item.prefixLength) !== match.slice(0, item.prefixLength)) return false;
  if (match === '' || match.length === item.prefixLength) return path.startsWith(match) || (isDirectory && `${path}/` === match);
  const fold = (text: string): string => item.icase ? foldCase(text) : text;
  if (match.length <= path.length) {
    if (fold(path.slice(0, match.length)) === fold(match)
      && (match.length === path.length || match.endsWith('/') || path[match.length] === '/')) return true;
  } else if (isDirectory && match.length === path.length + 1 && match.endsWith('/') && fold(match) === fold(`${path}/`)) {
    return true;
  }
  if (item.glob === undefined) return false;
  return fold(path.slice(0, item.literalLength)) === fold(match.slice(0, item.literalLength)) && item.glob(path.slice(item.literalLength));
}

/** The path a pathspec names for a command that takes no magic but `top` and no wildcards; `typed` is bytes. InvalidError for other magic. */
export function plainPath(typed: string, context: Omit<PathspecContext, 'attributes'>): string {
  const globals = globalMagic(context.env);
  const { magic, rest } = parseMagic(typed, globals, context);
  const everywhere = [...(globals.literal || globals.noglob ? ['literal'] : []), ...(globals.glob ? ['glob'] : []), ...(globals.icase ? ['icase'] : [])];
  const refused = [...magic.words, ...everywhere].find((word) => word !== 'top');
  if (refused !== undefined) throw new InvalidError(`pathspec magic '${refused}' in '${typed}' is not supported by this command`, { code: 'bad-pathspec' });
  return magic.words.includes('top') ? rest : normalisePath(rest, context.prefix, context.workTree, typed);
}

/** `path` as typed (bytes) below `prefix`, '.' and '..' resolved, relative to the top; a trailing slash is kept. */
export function normalisePath(path: string, prefix: string, workTree: string | undefined, shown = path): string {
  let relative = prefix + path;
  if (isAbsolute(path)) {
    const root = workTree === undefined ? undefined : Buffer.from(workTree).toString('latin1').replace(/\/*$/, '/');
    const absolute = resolveDots(path, true);
    if (root === undefined || absolute === undefined || !`${absolute}/`.startsWith(root)) throw outside(shown, workTree);
    relative = absolute.slice(root.length);
  }
  const resolved = resolveDots(relative, false);
  if (resolved === undefined) throw outside(shown, workTree);
  return resolved;
}

function outside(shown: string, workTree: string | undefined): NotFoundError {
  return new NotFoundError(`'${shown}' is outside repository${workTree === undefined ? '' : ` at '${workTree}'`}`, { code: 'outside-repository' });
}

/** Undefined when '..' leads above the start. */
function resolveDots(path: string, absolute: boolean): string | undefined {
  const parts: string[] = [];
  const words = path.split('/');
  for (const [at, word] of words.entries()) {
    if (word === '.' || (word === '' && at < words.length - 1)) continue;
    if (word === '') {
      if (parts.length > 0) parts.push('');
    } else if (word === '..') {
      if (parts.pop() === undefined) return undefined;
    } else parts.push(word);
  }
  const endsInDots = /(?:^|\/)\.\.?$/.test(path) && parts.length > 0 && parts.at(-1) !== '';
  const joined = parts.join('/');
  return (absolute ? '/' : '') + (endsInDots ? `${joined}/` : joined);
}

/** The paths given to a command, as limits of what it looks at; nothing when there are none. */
export function parseLimits(repository: Repository, words: readonly string[]): { readonly pathspec?: Pathspec } {
  if (words.length === 0) return {};
  return { pathspec: Pathspec.parse(words, pathspecContext(repository)) };
}
