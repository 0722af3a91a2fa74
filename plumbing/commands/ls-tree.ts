// cairn ls-tree: the entries of a tree, one directory or all below it (git-ls-tree(1)). Paths given are taken literally.
import { InvalidError, NotFoundError, UsageError } from '../../pack/errors.js';
import { type ObjectId, hexSize } from '../../pack/oid.js';
import { checkTreeDepth, formatMode, isTreeMode, pathFromUtf8, typeOfMode } from '../../pack/tree.js';
import { abbreviateId, abbreviationDigits } from '../objects/abbreviation.js';
import type { Arguments, Command } from '../command.js';
import { quotePath } from '../quote.js';
import { Repository } from '../repository.js';
import { peel, resolveRevision } from '../history/revision.js';

export const command: Command = {
  name: 'ls-tree',
  family: 'git',
  summary: 'list the entries of a tree',
  usage: ['ls-tree [<options>] <tree-ish> [<path>...]'],
  options: [
    { name: 'd', help: 'show only trees' },
    { name: 'r', help: 'go into subtrees' },
    { name: 't', help: 'show trees too when going into them' },
    { name: 'z', help: 'end lines with NUL and do not quote paths' },
    { name: 'long', short: 'l', help: 'show the size of blobs' },
    { name: 'name-only', help: 'show only paths' },
    { name: 'name-status', help: 'the same as --name-only' },
    { name: 'object-only', help: 'show only ids' },
    { name: 'full-name', negatable: true, help: 'show paths from the top, not from the current directory' },
    { name: 'full-tree', negatable: true, help: 'list the whole tree, wherever the current directory is' },
    { name: 'format', value: 'format', help: 'print each entry in this format' },
    { name: 'abbrev', value: 'n', valueOptional: true, negatable: true, help: 'show abbreviated ids of at least this many digits' },
  ],
  run(context, args) {
    const repository = Repository.open(context);
    const [name, ...paths] = args.positionals;
    if (name === undefined) throw new UsageError('a tree-ish is required');
    const print = makePrinter(repository, args);
    const id = resolveRevision(repository, name, 'treeish');
    const tree = peel(repository, id, 'tree');
    if (tree === undefined) throw new InvalidError(`'${name}' is not a tree object`, { code: 'not-a-tree' });
    new Lister(repository, args, paths, print).list(tree);
    return 0;
  },
};

interface Entry {
  readonly mode: number;
  readonly id: ObjectId;
  /** From the top of the tree. */
  readonly path: string;
}

class Lister {
  readonly #repository: Repository;
  readonly #print: (entry: Entry) => void;
  readonly #paths: readonly string[];
  readonly #recursive: boolean;
  readonly #treesOnly: boolean;
  readonly #showTrees: boolean;

  constructor(repository: Repository, args: Arguments, paths: readonly string[], print: (entry: Entry) => void) {
    const prefix = args.has('full-tree') ? '' : repository.prefix;
    this.#repository = repository;
    this.#print = print;
    this.#recursive = args.has('r');
    this.#treesOnly = args.has('d');
    this.#showTrees = args.has('t') || (this.#treesOnly && this.#recursive);
    this.#paths = paths.length === 0 ? (prefix === '' ? [] : [prefix]) : paths.map((path) => toTreePath(path, prefix));
  }

  list(tree: ObjectId, base = '', depth = 0): void {
    checkTreeDepth(depth, tree);
    for (const { mode, name, id } of this.#repository.objects.readTree(tree)) {
      const path = base + name;
      const isTree = isTreeMode(mode);
      if (!this.#isWanted(path, isTree)) continue;
      const enters = isTree && this.#enters(path);
      const isShown = isTree ? !enters || this.#showTrees : typeOfMode(mode) === 'commit' || !this.#treesOnly;
      if (isShown) this.#print({ mode, id, path });
      if (enters) this.list(id, `${path}/`, depth + 1);
    }
  }

  /** True when the entry is named by a path, or lies below one, or leads to one. */
  #isWanted(path: string, isTree: boolean): boolean {
    return this.#paths.length === 0 || this.#paths.some((wanted) => {
      const whole = wanted.endsWith('/') ? wanted.slice(0, -1) : wanted;
      if (wanted === '' || path.startsWith(`${whole}/`)) return true;
      if (path === whole) return isTree || whole === wanted;
      return isTree && wanted.startsWith(`${path}/`);
    });
  }

  /** True when a tree is gone into: always with -r, else when a path leads below it. */
  #enters(path: string): boolean {
    return this.#recursive || this.#paths.some((wanted) => wanted.startsWith(`${path}/`));
  }
}

/** What was typed as a path of the tree, seen from the current directory; a trailing '/' is kept. */
function toTreePath(typed: string, prefix: string): string {
  const magic = /^:(?:\/|\(([^)]*)\))/.exec(typed);
  const excludes = /^:\/*[!^]/.exec(typed);
  if (excludes !== null) throw new InvalidError(`'${typed}': pathspec magic not supported by this command: 'exclude'`, { code: 'bad-pathspec' });
  let text = pathFromUtf8(typed) as string;
  let start = prefix;
  if (magic) {
    const words = magic[1] === undefined ? ['top'] : magic[1].split(',').filter((word) => word !== '');
    const unknown = words.find((word) => word !== 'top' && word !== 'literal' && !(/^prefix:[0-9]+$/.test(word) && prefix === ''));
    if (unknown !== undefined) throw new InvalidError(`'${typed}': pathspec magic not supported by this command: '${unknown}'`, { code: 'bad-pathspec' });
    text = text.slice(magic[0].length);
    if (words.includes('top')) start = '';
  } else if (text === '') {
    throw new InvalidError("empty string is not a valid pathspec; use '.' to match all paths", { code: 'bad-pathspec' });
  }
  const components: string[] = [];
  const typedComponents = text.split('/');
  for (const component of [...start.split('/'), ...typedComponents]) {
    if (component === '..' && components.length === 0) throw new NotFoundError(`'${typed}' is outside of the repository`, { code: 'outside-repository' });
    if (component === '..') components.pop();
    else if (component !== '' && component !== '.') components.push(component);
  }
  const isDirectory = ['', '.', '..'].includes(typedComponents.at(-1)!) && components.length > 0;
  return components.join('/') + (isDirectory ? '/' : '');
}

/** `path` as seen from directory `prefix` ('' or 'a/b/'); the directory itself is './'. */
function relativePath(path: string, prefix: string): string {
  if (path.startsWith(prefix)) return path.slice(prefix.length);
  const from = prefix.split('/').slice(0, -1);
  const to = path.split('/');
  let same = 0;
  while (same < from.length && from[same] === to[same]) same += 1;
  return ('../'.repeat(from.length - same) + to.slice(same).join('/')) || './';
}

/** What each field of a format shows. */
type Fields = Readonly<Record<string, (entry: Entry) => string>>;

/** What each layout is as a format. */
const layoutFormats: Readonly<Record<string, string>> = {
  default: '%(objectmode) %(objecttype) %(objectname)%x09%(path)',
  long: '%(objectmode) %(objecttype) %(objectname) %(objectsize:padded)%x09%(path)',
  'name-only': '%(path)',
  'name-status': '%(path)',
  'object-only': '%(objectname)',
};
const builtInFormats: ReadonlySet<string> = new Set(Object.values(layoutFormats));

function makePrinter(repository: Repository, args: Arguments): (entry: Entry) => void {
  const { stdout } = repository.context;
  const modes = ['long', 'name-only', 'name-status', 'object-only'].filter((name) => args.has(name));
  const [layout, another] = modes;
  if (another !== undefined) throw new UsageError(`--${layout} cannot be combined with --${another}`);
  const custom = args.value('format');
  if (custom !== undefined && layout !== undefined) throw new UsageError("--format can't be combined with other format-altering options");
  const format = custom !== undefined ? pathFromUtf8(custom) : layoutFormats[layout ?? 'default']!;
  const end = args.has('z') ? '\0' : '\n';
  // git quotes paths in formats of one's own even with -z, unless the format is one of its own layouts.
  const isVerbatim = args.has('z') && (custom === undefined || builtInFormats.has(custom));
  const parts = parseFormat(format, makeFields(repository, args, isVerbatim));
  return (entry) => stdout.write(Buffer.from(parts.map((part) => (typeof part === 'string' ? part : part(entry))).join('') + end, 'latin1'));
}

function makeFields(repository: Repository, args: Arguments, isVerbatim: boolean): Fields {
  const { objects } = repository;
  const prefix = args.has('full-name') || args.has('full-tree') ? '' : repository.prefix;
  const digits = abbreviation(repository, args);
  const quoting = { quotePath: repository.config.getBoolean('core.quotepath') ?? true };
  const size = ({ mode, id }: Entry): string => (typeOfMode(mode) === 'blob' ? String(objects.readHeader(id).sizeBytes) : '-');
  return {
    objectmode: ({ mode }) => formatMode(mode),
    objecttype: ({ mode }) => typeOfMode(mode),
    objectname: ({ id }) => (digits === undefined ? id : abbreviateId(repository, id, digits)),
    objectsize: size,
    'objectsize:padded': (entry) => size(entry).padStart(7),
    path: ({ path }) => {
      const shown = relativePath(path, prefix);
      return isVerbatim ? shown : quotePath(shown, quoting);
    },
  };
}

function abbreviation(repository: Repository, args: Arguments): number | undefined {
  const flag = args.flag('abbrev');
  if (flag !== true) return undefined;
  const value = args.value('abbrev');
  if (value === undefined) return abbreviationDigits(repository);
  if (!/^[0-9]+$/.test(value)) throw new UsageError("option 'abbrev' expects a numerical value");
  const digits = Number(value);
  return digits === 0 ? undefined : Math.min(Math.max(digits, 4), hexSize(repository.format));
}

/** A format as fixed texts and fields; InvalidError for what is not a field. */
function parseFormat(format: string, fields: Fields): (string | ((entry: Entry) => string))[] {
  const parts: (string | ((entry: Entry) => string))[] = [];
  for (let at = 0; at < format.length;) {
    const percent = format.indexOf('%', at);
    if (percent < 0) {
      parts.push(format.slice(at));
      break;
    }
    parts.push(format.slice(at, percent));
    const match = /^%(?:(%)|x([0-9a-fA-F]{2})|\(([^)]*)\)|n)/.exec(format.slice(percent));
    const field = match?.[3] === undefined ? undefined : fields[match[3]];
    if (!match || (match[3] !== undefined && field === undefined)) {
      throw new InvalidError(`bad ls-tree format: '${format.slice(percent)}'`, { code: 'bad-format' });
    }
    parts.push(field ?? match[1] ?? (match[2] === undefined ? '\n' : String.fromCharCode(parseInt(match[2], 16))));
    at = percent + match[0].length;
  }
  return parts;
}
