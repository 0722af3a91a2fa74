// Attributes of paths, as gitattributes(5) has them. Sources, the strongest first: <gitdir>/info/attributes; .gitattributes of the path's own
// directory, then of its parents; core.attributesFile; the system's file. In a file the last line that matches decides, per attribute.
// Macros are expanded where they are set, and only files at the top may define them.
//
// Files come from the work tree, or from the index alone when asked. Nothing is written.
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { InvalidError } from '../../pack/errors.js';
import { compilePathPattern, findRuleFile, findUserFile, type PathPattern } from '../ignore.js';
import type { Index } from '../index/index-file.js';
import { cUnquote } from '../quote.js';
import type { Repository } from '../repository.js';

/** true: set; false: unset by '-'; a string: its value. Unspecified attributes are not there at all. */
export type AttributeValue = true | false | string;

interface Assignment {
  readonly name: string;
  /** undefined: unspecified again by '!'. */
  readonly value: AttributeValue | undefined;
}

interface Line {
  readonly pattern: PathPattern;
  readonly assignments: readonly Assignment[];
}

interface AttributeFile {
  /** Directory of the file, '' or with trailing slash. */
  readonly base: string;
  readonly lines: readonly Line[];
  readonly macros: ReadonlyMap<string, readonly Assignment[]>;
  /** Every name it mentions, in the order it does. */
  readonly names: ReadonlySet<string>;
}

const builtIn: AttributeFile = {
  base: '', lines: [],
  macros: new Map([['binary', [{ name: 'diff', value: false }, { name: 'merge', value: false }, { name: 'text', value: false }]]]),
  names: new Set(['binary', 'diff', 'merge', 'text']),
};

/** True for a name an attribute can have. */
export function isAttributeName(name: string): boolean {
  return /^[A-Za-z0-9_.][A-Za-z0-9_.-]*$/.test(name);
}

/** Git reads no longer line and no larger file of attributes. */
const longestLine = 2048;

function parseAttributeFile(text: string, base: string, mayDefineMacros: boolean, caseFold: boolean): AttributeFile {
  const lines: Line[] = [];
  const macros = new Map<string, readonly Assignment[]>();
  const names = new Set<string>();
  for (const raw of text.replace(/^\xef\xbb\xbf/, '').split('\n')) {
    const line = raw.replace(/^[ \t\r]+/, '');
    if (line === '' || line.startsWith('#') || raw.length >= longestLine) continue;
    const { head, rest } = splitPattern(line);
    const assignments = parseAssignments(rest);
    if (assignments === undefined) continue;
    if (head.startsWith('[attr]')) {
      const name = head.slice(6) || rest.trim().split(/[ \t\r]+/)[0]!;
      const body = head.length > 6 ? assignments : assignments.slice(1);
      if (!mayDefineMacros || !isAttributeName(name)) continue;
      macros.set(name, body);
      for (const mentioned of [name, ...body.map((assignment) => assignment.name)]) names.add(mentioned);
      continue;
    }
    // Negative patterns mean nothing here, and git says so.
    if (head.startsWith('!') || assignments.length === 0) continue;
    for (const assignment of assignments) names.add(assignment.name);
    lines.push({ pattern: compilePathPattern(head.startsWith('\\!') ? head.slice(1) : head, caseFold), assignments });
  }
  return { base, lines, macros, names };
}

/** The pattern of a line, which may be quoted as C does, and what follows it. */
function splitPattern(line: string): { head: string; rest: string } {
  if (line.startsWith('"')) {
    try {
      const { value, end } = cUnquote(line);
      return { head: value, rest: line.slice(end) };
    } catch (error) {
      // Not well formed: then the quote is part of the pattern.
      if (!(error instanceof InvalidError)) throw error;
    }
  }
  const end = /[ \t\r]/.exec(line)?.index ?? line.length;
  return { head: line.slice(0, end), rest: line.slice(end) };
}

/** Undefined when a name is not valid: git then leaves the whole line out. */
function parseAssignments(text: string): Assignment[] | undefined {
  const assignments: Assignment[] = [];
  for (const word of text.split(/[ \t\r]+/)) {
    if (word === '') continue;
    const equals = word.indexOf('=');
    const prefix = word[0] === '-' || word[0] === '!' ? word[0] : '';
    const name = equals >= 0 ? word.slice(prefix.length, equals) : word.slice(prefix.length);
    if (!isAttributeName(name)) return undefined;
    const value = prefix === '-' ? false : prefix === '!' ? undefined : equals >= 0 ? word.slice(equals + 1) : true;
    assignments.push({ name, value });
  }
  return assignments;
}

/** Where .gitattributes files are read from. */
export interface AttributeSources {
  /** Read them from this index only, not from the work tree (check-attr --cached, and bare repositories). */
  readonly index?: Index;
  /** Read them from the work tree, and from this index where the work tree has none (checkout). */
  readonly fallback?: Index;
}

export class Attributes {
  readonly #workTree: string | undefined;
  readonly #repository: Repository;
  readonly #sources: AttributeSources;
  readonly #caseFold: boolean;
  readonly #strongest: readonly AttributeFile[];
  readonly #weakest: readonly AttributeFile[];
  /** Per directory: its own file, if any, before those of its parents. */
  readonly #levels = new Map<string, readonly AttributeFile[]>();
  #isSimple: boolean | undefined;
  readonly #met = new Set<string>();

  private constructor(repository: Repository, sources: AttributeSources) {
    this.#workTree = repository.isBare ? undefined : repository.workTree;
    this.#repository = repository;
    this.#sources = sources;
    const { config, context } = repository;
    this.#caseFold = config.getBoolean('core.ignorecase') === true;
    const read = (path: string | undefined): AttributeFile[] => {
      const text = path === undefined ? undefined : findRuleFile(path, true);
      return text === undefined ? [] : [parseAttributeFile(text, '', true, this.#caseFold)];
    };
    const own = config.getPath('core.attributesfile') ?? findUserFile(repository, 'attributes');
    const noSystem = context.env['GIT_ATTR_NOSYSTEM'] ?? '';
    this.#strongest = read(join(repository.commonDirectory, 'info/attributes'));
    this.#weakest = [
      ...read(own === undefined ? undefined : resolve(repository.workTree ?? context.cwd, own)),
      ...(/^(?:|0|false|no|off)$/i.test(noSystem) ? read('/etc/gitattributes') : []),
      builtIn,
    ];
  }

  static load(repository: Repository, sources: AttributeSources = {}): Attributes {
    return new Attributes(repository, sources);
  }

  /** The attributes of `path` (a latin1 byte string; a trailing slash makes it a directory) that are specified, in no special order. */
  find(path: string): ReadonlyMap<string, AttributeValue> {
    const isDirectory = path.endsWith('/');
    const plain = isDirectory ? path.slice(0, -1) : path;
    const nameAt = plain.lastIndexOf('/') + 1;
    const files = [...this.#strongest, ...this.#level(plain.slice(0, nameAt)), ...this.#weakest];
    const decided = new Map<string, AttributeValue | undefined>();
    for (const file of files) {
      for (let at = file.lines.length - 1; at >= 0; at -= 1) {
        const { pattern, assignments } = file.lines[at]!;
        if (pattern.mustBeDirectory && !isDirectory) continue;
        if (pattern.matches(plain, nameAt, file.base.length)) assign(assignments, decided, files);
      }
    }
    const specified = new Map<string, AttributeValue>();
    for (const [name, value] of decided) if (value !== undefined) specified.set(name, value);
    return specified;
  }

  /**
   * The names `find` gave for a path, in git's order, in which it met them: in what it knows by itself, the files above all directories, the one at
   * the top, info/attributes, and those of directories from the first path on.
   */
  sortNames(names: Iterable<string>): string[] {
    if (this.#met.size === 0) {
      for (const file of [...this.#weakest.toReversed(), ...this.#level(''), ...this.#strongest]) this.#meet(file);
    }
    for (const level of this.#levels.values()) if (level[0] !== undefined) this.#meet(level[0]);
    const places = new Map([...this.#met].map((name, place) => [name, place]));
    return [...names].sort((one, two) => places.get(one)! - places.get(two)!);
  }

  #meet(file: AttributeFile): void {
    for (const name of file.names) this.#met.add(name);
  }

  /** True when no file assigns anything to anything, at the top or above; then only deeper files can. */
  get isSimple(): boolean {
    this.#isSimple ??= [...this.#strongest, ...this.#weakest].every((file) => file.lines.length === 0);
    return this.#isSimple;
  }

  /** True when no line can match anything in `directory` ('' or with trailing slash). */
  isEmptyIn(directory: string): boolean {
    return this.isSimple && this.#level(directory).every((file) => file.lines.length === 0);
  }

  #level(directory: string): readonly AttributeFile[] {
    const known = this.#levels.get(directory);
    if (known !== undefined) return known;
    const parent = directory === '' ? [] : this.#level(directory.slice(0, directory.slice(0, -1).lastIndexOf('/') + 1));
    const text = this.#readFile(`${directory}.gitattributes`);
    const level = text === undefined ? parent : [parseAttributeFile(text, directory, directory === '', this.#caseFold), ...parent];
    this.#levels.set(directory, level);
    return level;
  }

  #readFile(path: string): string | undefined {
    const { index, fallback } = this.#sources;
    if (index === undefined && this.#workTree !== undefined) {
      const full = /^[\x00-\x7f]*$/.test(path) ? join(this.#workTree, path)
        : Buffer.concat([Buffer.from(`${this.#workTree}/`), Buffer.from(path, 'latin1')]);
      const text = existsSync(full) ? findRuleFile(full, false) : undefined;
      if (text !== undefined) return text;
    }
    const entry = (index ?? fallback)?.find(path);
    const object = entry === undefined || entry.mode === 0o120000 ? undefined : this.#repository.objects.find(entry.id);
    return object?.type === 'blob' ? object.bytes.toString('latin1') : undefined;
  }
}

/** What a line says goes where nothing stronger has spoken; the last word of a line is the strongest. */
function assign(assignments: readonly Assignment[], decided: Map<string, AttributeValue | undefined>, files: readonly AttributeFile[]): void {
  for (let at = assignments.length - 1; at >= 0; at -= 1) {
    const { name, value } = assignments[at]!;
    if (decided.has(name)) continue;
    decided.set(name, value);
    if (value !== true) continue;
    const macro = files.find((file) => file.macros.has(name))?.macros.get(name);
    if (macro !== undefined) assign(macro, decided, files);
  }
}
