// The options all commands that show differences share, and what they come to: which entries are kept, and how they are written.
//
// One table, so that log, show, diff and diff-tree mean the same by the same words. Specified by git-diff(1); what is not
// supported is not in the table, and so refused.
import { InvalidError, UsageError } from '../pack/errors.js';
import type { ObjectStore } from '../pack/object-store.js';
import { type RepoPath } from '../pack/tree.js';
import { Attributes } from './attributes.js';
import type { Arguments, OptionSpec } from './command.js';
import type { DiffEntry, DiffSide } from './diff.js';
import { readSide } from './diff-content.js';
import { type DiffColors, type DiffFormatOptions, DiffWriter, type Sink, type StatOptions } from './diff-format.js';
import { defaultAbbreviation } from './format.js';
import { parsePattern } from './posix-regex.js';
import { type RenameOptions, findRenames, maxScore } from './rename.js';
import type { Repository } from './repository.js';
import { diffLines, hunksOf, isBinary, splitLines } from './text-diff.js';

export const diffOptions: readonly OptionSpec[] = [
  { name: 'patch', short: 'p', negatable: true, help: 'show what changed, line by line' },
  { name: 'u', help: 'same as -p' },
  { name: 's', help: 'show no differences' },
  { name: 'unified', short: 'U', value: 'lines', help: 'lines of context around changes' },
  { name: 'raw', help: 'one line of modes and ids for each file' },
  { name: 'stat', value: 'width,name,count', valueOptional: true, negatable: true, help: 'a histogram of changed lines' },
  { name: 'stat-width', value: 'columns', help: 'columns of --stat' },
  { name: 'stat-name-width', value: 'columns', help: 'columns for names in --stat' },
  { name: 'stat-graph-width', value: 'columns', help: 'columns for the bars in --stat' },
  { name: 'stat-count', value: 'files', help: 'files in --stat' },
  { name: 'numstat', help: 'counts of added and deleted lines' },
  { name: 'shortstat', help: 'only the last line of --stat' },
  { name: 'summary', help: 'files made, deleted, renamed, and changes of mode' },
  { name: 'compact-summary', help: '--stat with what --summary tells' },
  { name: 'patch-with-stat', help: '-p and --stat' },
  { name: 'patch-with-raw', help: '-p and --raw' },
  { name: 'name-only', help: 'only names' },
  { name: 'name-status', help: 'names and what happened to them' },
  { name: 'z', help: 'NUL bytes between records, nothing quoted' },
  { name: 'find-renames', short: 'M', value: 'n', valueOptional: true, help: 'find renames; n is the least similarity' },
  { name: 'renames', negatable: true, help: 'find renames, or with --no-renames do not' },
  { name: 'find-copies', short: 'C', value: 'n', valueOptional: true, help: 'find copies of changed files too' },
  { name: 'find-copies-harder', help: 'find copies of any file' },
  { name: 'l', value: 'files', help: 'most files compared for renames' },
  { name: 'diff-filter', value: 'letters', help: 'only these kinds of change (A C D M R T U; lower case leaves out)' },
  { name: 'S', value: 'string', help: 'only files in which the number of occurrences changed' },
  { name: 'G', value: 'regex', help: 'only files with a changed line that matches' },
  { name: 'pickaxe-all', help: 'with -S or -G: all files of a commit in which one matches' },
  { name: 'pickaxe-regex', help: 'the string of -S is an extended regular expression' },
  { name: 'R', help: 'swap old and new' },
  { name: 'relative', value: 'directory', valueOptional: true, negatable: true, help: 'only below this directory, names relative to it' },
  { name: 'text', short: 'a', help: 'treat all files as text' },
  { name: 'ignore-all-space', short: 'w', help: 'white space makes no difference' },
  { name: 'ignore-space-change', short: 'b', help: 'the amount of white space makes no difference' },
  { name: 'ignore-space-at-eol', help: 'white space at line ends makes no difference' },
  { name: 'ignore-cr-at-eol', help: 'a carriage return at line ends makes no difference' },
  { name: 'ignore-blank-lines', help: 'blank lines make no difference' },
  { name: 'inter-hunk-context', value: 'lines', help: 'join hunks this near to each other' },
  { name: 'minimal', negatable: true, help: 'take the time to find the smallest difference' },
  { name: 'diff-algorithm', value: 'name', help: 'myers (or default), or minimal' },
  { name: 'indent-heuristic', negatable: true, help: 'move hunks to where they read well (the default)' },
  { name: 'binary', help: 'write binary files so that they can be applied' },
  { name: 'full-index', help: 'whole ids in patches' },
  { name: 'abbrev', value: 'n', valueOptional: true, negatable: true, help: 'digits of abbreviated ids' },
  { name: 'src-prefix', value: 'prefix', help: 'instead of a/' },
  { name: 'dst-prefix', value: 'prefix', help: 'instead of b/' },
  { name: 'no-prefix', help: 'neither a/ nor b/' },
  { name: 'exit-code', help: 'exit with 1 when there are differences' },
  { name: 'quiet', help: 'show nothing, exit with 1 when there are differences' },
  { name: 'ext-diff', negatable: true, hidden: true, help: 'external programs are never run' },
  { name: 'textconv', negatable: true, hidden: true, help: 'files are never converted' },
];

/** What a command sets when nothing is asked for. */
export interface DiffDefaults {
  /** Renames are found unless configured otherwise (log, show, diff). */
  readonly porcelain: boolean;
  /** The format when none is given. */
  readonly format?: 'patch' | 'raw';
  /** Columns of the terminal, for --stat. */
  readonly columns: number;
  readonly colors?: DiffColors;
}

/** The formats asked for, and everything else about showing differences. */
export class DiffRequest {
  readonly format: DiffFormatOptions;
  readonly renames: RenameOptions | undefined;
  readonly isReversed: boolean;
  readonly pickaxe: { readonly all: boolean; readonly matches: (entry: DiffEntry, store: ObjectStore) => boolean } | undefined;
  readonly filter: string | undefined;
  /** Directory (with slash, or '') names are relative to; undefined for all names. */
  readonly relative: string | undefined;
  readonly exitCode: boolean;
  readonly quiet: boolean;
  readonly isAnyFormatGiven: boolean;
  readonly #repository: Repository;
  readonly #isPorcelain: boolean;
  #attributes: Attributes | undefined;

  constructor(repository: Repository, args: Arguments, defaults: DiffDefaults) {
    this.#repository = repository;
    this.#isPorcelain = defaults.porcelain;
    const { config } = repository;
    const given = formatsGiven(args);
    this.isAnyFormatGiven = given.any;
    this.quiet = args.has('quiet');
    this.exitCode = args.has('exit-code') || this.quiet;
    this.isReversed = args.has('R');
    this.renames = renamesOf(args, defaults.porcelain ? config.get('diff.renames') : 'false', defaults.porcelain ? config.getInteger('diff.renamelimit') : undefined);
    this.filter = args.value('diff-filter');
    if (this.filter !== undefined && !/^[ACDMRTUXBacdmrtuxb*]*$/.test(this.filter)) {
      throw new UsageError(`unknown change class '${/[^ACDMRTUXBacdmrtuxb*]/.exec(this.filter)![0]}' in --diff-filter=${this.filter}`);
    }
    this.pickaxe = pickaxeOf(args);
    const relative = args.flag('relative') ?? (defaults.porcelain && config.getBoolean('diff.relative') === true);
    const below = args.value('relative');
    this.relative = !relative ? undefined : below === undefined ? repository.prefix : Buffer.from(below.replace(/\/?$/, '/')).toString('latin1');
    const patch = given.patch || (!given.any && defaults.format === 'patch');
    const abbreviation = args.value('abbrev');
    const digits = abbreviation === undefined ? defaultAbbreviation(repository) : Math.max(Number.parseInt(abbreviation, 10) || 0, 4);
    const rawFull = args.flag('abbrev') === false || (!defaults.porcelain && args.flag('abbrev') === undefined);
    const noPrefix = args.has('no-prefix') || (defaults.porcelain && args.flag('no-prefix') === undefined && config.getBoolean('diff.noprefix') === true);
    const prefixes = [args.value('src-prefix') ?? (noPrefix ? '' : 'a/'), args.value('dst-prefix') ?? (noPrefix ? '' : 'b/')].map((text) => Buffer.from(text).toString('latin1'));
    const algorithm = args.value('diff-algorithm') ?? (defaults.porcelain ? config.get('diff.algorithm') : undefined) ?? 'myers';
    if (!['myers', 'default', 'minimal'].includes(algorithm)) throw new UsageError(`diff algorithm '${algorithm}' is not supported`);
    const stat = given.stat ? statOf(args, defaults, config.getInteger('diff.statgraphwidth')) : undefined;
    this.format = {
      raw: given.raw || (!given.any && defaults.format === 'raw'),
      nameOnly: args.has('name-only'), nameStatus: args.has('name-status'), numstat: args.has('numstat'), shortstat: args.has('shortstat'),
      summary: args.has('summary'), compactSummary: args.has('compact-summary'), patch,
      ...(stat === undefined ? {} : { stat }),
      nul: args.has('z'),
      quotePath: config.getBoolean('core.quotepath', true) ?? true,
      ...(rawFull ? {} : { rawAbbreviation: digits }),
      ...(args.has('full-index') ? {} : { indexAbbreviation: digits }),
      binary: args.has('binary'),
      context: countOf(args, 'unified') ?? (defaults.porcelain ? config.getInteger('diff.context') : undefined) ?? 3,
      interHunk: countOf(args, 'inter-hunk-context') ?? (defaults.porcelain ? config.getInteger('diff.interhunkcontext') : undefined) ?? 0,
      text: {
        ignoreAllSpace: args.has('ignore-all-space'), ignoreSpaceChange: args.has('ignore-space-change'),
        ignoreSpaceAtEol: args.has('ignore-space-at-eol'), ignoreCrAtEol: args.has('ignore-cr-at-eol'),
        ignoreBlankLines: args.has('ignore-blank-lines'),
        minimal: args.flag('minimal') ?? algorithm === 'minimal',
        indentHeuristic: args.flag('indent-heuristic') ?? config.getBoolean('diff.indentheuristic', true) ?? true,
      },
      allText: args.has('text'),
      oldPrefix: prefixes[this.isReversed ? 1 : 0]!, newPrefix: prefixes[this.isReversed ? 0 : 1]!,
      ...(defaults.colors === undefined ? {} : { colors: defaults.colors }),
      isText: (path) => this.#isText(path),
    };
  }

  /** Some format that prints something is in force. */
  get isShown(): boolean {
    const { raw, nameOnly, nameStatus, numstat, shortstat, summary, patch, stat } = this.format;
    return !this.quiet && Boolean(raw || nameOnly || nameStatus || numstat || shortstat || summary || patch || stat);
  }

  /** Trees have to be gone into for what is asked. */
  get needsRecursion(): boolean {
    const { patch, stat, numstat, shortstat, summary } = this.format;
    return Boolean(patch || stat || numstat || shortstat || summary) || this.pickaxe !== undefined || this.renames?.findCopiesHarder === true;
  }

  /** Files that did not change are needed as well, as sources of copies. */
  get wantsUnchanged(): boolean {
    return this.renames?.findCopiesHarder === true;
  }

  /** Swaps, finds renames, filters: what is left is to be shown. */
  finish(entries: readonly DiffEntry[]): DiffEntry[] {
    const { objects } = this.#repository;
    let list = this.isReversed ? entries.map(reversed) : [...entries];
    if (this.relative !== undefined) list = list.filter(({ path }) => path.startsWith(this.relative!));
    list = this.renames === undefined ? list.filter(({ status }) => status !== 'same') : findRenames(objects, list, this.renames);
    // Git's plumbing lists whatever looks changed.
    if (this.#isPorcelain) list = list.filter((entry) => !isSameContent(objects, entry));
    const { pickaxe } = this;
    if (pickaxe !== undefined) {
      const fitting = list.filter((entry) => pickaxe.matches(entry, objects));
      list = pickaxe.all && fitting.length > 0 ? list : fitting;
    }
    list = this.#applyFilter(list);
    if (this.relative === undefined || this.relative === '') return list;
    const cut = (path: string): RepoPath => path.slice(this.relative!.length) as RepoPath;
    return list.map((entry) => ({ ...entry, path: cut(entry.path), ...(entry.oldPath === undefined ? {} : { oldPath: cut(entry.oldPath) }) }));
  }

  #applyFilter(entries: DiffEntry[]): DiffEntry[] {
    const { filter } = this;
    if (filter === undefined) return entries;
    const wanted = filter.replace(/[^A-Z]/g, '');
    const unwanted = filter.replace(/[^a-z]/g, '').toUpperCase();
    const fits = ({ status }: DiffEntry): boolean => (wanted === '' || wanted.includes(status)) && !unwanted.includes(status);
    if (filter.includes('*')) return entries.some(fits) ? entries : [];
    return entries.filter(fits);
  }

  writer(sink: Sink, extra: Partial<DiffFormatOptions> = {}): DiffWriter {
    return new DiffWriter(this.#repository.objects, { ...this.format, ...extra }, sink);
  }

  #isText(path: string): boolean | undefined {
    if (this.#repository.isBare && this.#attributes === undefined) return undefined;
    this.#attributes ??= Attributes.load(this.#repository);
    const value = this.#attributes.find((this.relative ?? '') + path).get('diff');
    return typeof value === 'boolean' ? value : undefined;
  }
}

function reversed(entry: DiffEntry): DiffEntry {
  if (entry.status === 'U') return entry;
  const status = entry.status === 'A' ? 'D' : entry.status === 'D' ? 'A' : entry.status;
  return { ...entry, status, old: entry.new, new: entry.old };
}

/** A work-tree file may look changed and not be. */
function isSameContent(store: ObjectStore, entry: DiffEntry): boolean {
  if (entry.status !== 'M' || entry.old.mode !== entry.new.mode) return false;
  if (entry.old.content === undefined && entry.new.content === undefined) return false;
  return readSide(store, entry.old).equals(readSide(store, entry.new));
}

function formatsGiven(args: Arguments): { any: boolean; patch: boolean; raw: boolean; stat: boolean } {
  let patch = false;
  let any = false;
  for (const token of args.tokens) {
    if (token.kind !== 'option') continue;
    switch (token.name) {
      case 'patch': case 'u': patch = !token.negated; any = true; break;
      case 's': patch = false; any = true; break;
      case 'unified': case 'binary': case 'patch-with-stat': case 'patch-with-raw': patch = true; any = true; break;
      case 'raw': case 'stat': case 'stat-width': case 'stat-name-width': case 'stat-graph-width': case 'stat-count': case 'numstat': case 'shortstat':
      case 'summary': case 'compact-summary': case 'name-only': case 'name-status': any = true; break;
      default:
    }
  }
  const stat = args.has('stat') || args.has('compact-summary') || args.has('patch-with-stat') || args.has('stat-width')
    || args.has('stat-name-width') || args.has('stat-graph-width') || args.has('stat-count');
  const exclusive = ['name-only', 'name-status', 's'].filter((name) => args.has(name));
  if (exclusive.includes('name-only') && exclusive.includes('name-status')) {
    throw new InvalidError('options --name-only and --name-status cannot be used together', { code: 'bad-options' });
  }
  return { any, patch, raw: args.has('raw') || args.has('patch-with-raw'), stat };
}

function countOf(args: Arguments, name: string): number | undefined {
  const text = args.value(name);
  if (text === undefined) return undefined;
  if (!/^[0-9]+$/.test(text)) throw new UsageError(`option '${name}' expects a number, not '${text}'`);
  return Number(text);
}

function statOf(args: Arguments, defaults: DiffDefaults, configuredGraph: number | undefined): StatOptions {
  const parts = (args.value('stat') ?? '').split(',').map((text) => (text === '' ? undefined : Number.parseInt(text, 10) || 0));
  const width = countOf(args, 'stat-width') ?? (parts[0] || undefined) ?? (defaults.porcelain ? defaults.columns : 80);
  const nameWidth = countOf(args, 'stat-name-width') ?? parts[1];
  const count = countOf(args, 'stat-count') ?? parts[2];
  const graphWidth = countOf(args, 'stat-graph-width') ?? configuredGraph;
  return {
    width, ...(nameWidth === undefined ? {} : { nameWidth }), ...(count === undefined ? {} : { count }), ...(graphWidth === undefined ? {} : { graphWidth }),
  };
}

/** '50%', '5' (a half) or '90' (nine tenths), as a score. */
export function parseScore(text: string): number {
  const match = /^([0-9]*)(?:\.([0-9]*))?(%?)$/.exec(text);
  if (!match) throw new UsageError(`'${text}' is not a similarity`);
  const [whole, fraction, percent] = [match[1]!, match[2] ?? '', match[3]!];
  const value = percent === '%' ? Number(`${whole || 0}.${fraction || 0}`) / 100 : fraction === '' && match[2] === undefined ? Number(`0.${whole || 0}`) : Number(`${whole || 0}.${fraction || 0}`);
  return value >= 1 ? maxScore : Math.trunc(maxScore * value);
}

function renamesOf(args: Arguments, configured: string | undefined, limit: number | undefined): RenameOptions | undefined {
  let mode: 'none' | 'renames' | 'copies' = /^(copies|copy)$/i.test(configured ?? '') ? 'copies' : /^(false|no|off|0)$/i.test(configured ?? 'true') ? 'none' : 'renames';
  let score: string | undefined;
  let copies = 0;
  for (const token of args.tokens) {
    if (token.kind !== 'option') continue;
    if (token.name === 'renames') mode = token.negated ? 'none' : 'renames';
    if (token.name === 'find-renames') {
      mode = mode === 'copies' ? mode : 'renames';
      score = token.value ?? score;
    }
    if (token.name === 'find-copies') {
      mode = 'copies';
      copies += 1;
      score = token.value ?? score;
    }
  }
  const harder = args.has('find-copies-harder') || copies > 1;
  if (harder) mode = 'copies';
  if (mode === 'none') return undefined;
  const bound = countOf(args, 'l') ?? limit;
  return {
    copies: mode === 'copies', findCopiesHarder: harder,
    ...(score === undefined || score === '' ? {} : { minimumScore: parseScore(score) || maxScore / 2 }), ...(bound === undefined ? {} : { limit: bound }),
  };
}

function pickaxeOf(args: Arguments): DiffRequest['pickaxe'] {
  const [text, pattern] = [args.value('S'), args.value('G')];
  const all = args.has('pickaxe-all');
  if (text !== undefined && pattern !== undefined) throw new UsageError('-S and -G cannot be used together');
  if (text !== undefined) {
    const needle = Buffer.from(text).toString('latin1');
    const regex = args.has('pickaxe-regex') ? new RegExp(parsePattern(needle, 'extended', { lines: true }), 'gm') : undefined;
    const count = (bytes: Buffer): number => {
      if (regex !== undefined) return [...bytes.toString('latin1').matchAll(regex)].length;
      let found = 0;
      const wanted = Buffer.from(needle, 'latin1');
      for (let at = bytes.indexOf(wanted); at >= 0; at = bytes.indexOf(wanted, at + wanted.length)) found += 1;
      return found;
    };
    return { all, matches: (entry, store) => !isSubmodule(entry) && count(readSide(store, entry.old)) !== count(readSide(store, entry.new)) };
  }
  if (pattern === undefined) return undefined;
  const regex = parsePattern(Buffer.from(pattern).toString('latin1'), 'extended');
  return { all, matches: (entry, store) => !isSubmodule(entry) && hasChangedLine(readSide(store, entry.old), readSide(store, entry.new), regex, args.has('text')) };
}

function isSubmodule(entry: DiffEntry): boolean {
  return [entry.old, entry.new].some((side: DiffSide) => (side.mode & 0o170000) === 0o160000);
}

function hasChangedLine(old: Buffer, now: Buffer, regex: RegExp, allText: boolean): boolean {
  if (!allText && (isBinary(old) || isBinary(now))) return false;
  const [one, two] = [splitLines(old), splitLines(now)];
  const line = (lines: typeof one, at: number): string => lines.bytes.toString('latin1', lines.starts[at]!, lines.starts[at + 1]!).replace(/\n$/, '');
  for (const hunk of hunksOf(diffLines(one, two), one.count, two.count, 0)) {
    for (const change of hunk.changes) {
      for (let at = 0; at < change.oldCount; at += 1) if (regex.test(line(one, change.oldAt + at))) return true;
      for (let at = 0; at < change.newCount; at += 1) if (regex.test(line(two, change.newAt + at))) return true;
    }
  }
  return false;
}
