// The options all commands that show differences share, and what they come to: which entries are kept, and how they are written.
//
// One table, so that log, show, diff and the plumbing mean the same by the same words. Specified by git-diff(1); what is not
// supported is not in the table, and so refused.
import { InvalidError, UsageError } from '../../pack/errors.js';
import type { ObjectStore } from '../../pack/object-store.js';
import type { ObjectId } from '../../pack/oid.js';
import type { RepoPath } from '../../pack/tree.js';
import type { AttributeValue } from '../content/attributes.js';
import { type Arguments, type OptionSpec, parseArguments } from '../command.js';
import { type DiffEntry, type DiffSide, diffTrees } from './diff.js';
import { readDiffColors } from './diff-colors.js';
import { readSide } from './diff-content.js';
import { DiffDrivers } from './diff-driver.js';
import { DiffPrograms } from './diff-programs.js';
import { type DiffFormatOptions, DiffWriter, type Sink } from './diff-format.js';
import { orderByPatterns, rotateTo } from './diff-order.js';
import { type Pickaxe, parsePickaxe } from './diff-pickaxe.js';
import type { DirstatOptions, StatOptions } from './diff-stat.js';
import { defaultAbbreviation } from '../history/format.js';
import { findRuleFile } from '../ignore.js';
import { latin1 } from '../latin1.js';
import { wantsAllPaths } from '../merge/merge-style.js';
import { parsePattern } from '../posix-regex.js';
import { type RenameOptions, findRenames, maxScore } from './rename.js';
import type { Repository } from '../repository.js';
import { findRevision } from '../history/revision.js';
import { type RewriteOptions, breakRewrites, mergeRewrites } from './rewrite.js';
import { type InnerDiff, SubmoduleDiff } from './submodule-diff.js';
import type { TextDiffOptions } from './text-diff.js';
import { whitespaceRuleOf } from './whitespace.js';

export const diffOptions: readonly OptionSpec[] = [
  { name: 'patch', short: 'p', negatable: true, help: 'show what changed, line by line' },
  { name: 'u', help: 'same as -p' },
  { name: 's', help: 'show no differences' },
  { name: 'unified', short: 'U', value: 'lines', valueOptional: true, help: 'lines of context around changes' },
  { name: 'function-context', short: 'W', negatable: true, help: 'show functions whole' },
  { name: 'raw', help: 'one line of modes and ids for each file' },
  { name: 'stat', value: 'width,name,count', valueOptional: true, help: 'a histogram of changed lines' },
  { name: 'stat-width', value: 'columns', help: 'columns of --stat' },
  { name: 'stat-name-width', value: 'columns', help: 'columns for names in --stat' },
  { name: 'stat-graph-width', value: 'columns', help: 'columns for the bars in --stat' },
  { name: 'stat-count', value: 'files', help: 'files in --stat' },
  { name: 'numstat', help: 'counts of added and deleted lines' },
  { name: 'shortstat', help: 'only the last line of --stat' },
  { name: 'dirstat', short: 'X', value: 'how', valueOptional: true, help: 'how much of what changed lies in which directory (changes, lines, files, cumulative, least percentage)' },
  { name: 'cumulative', help: 'same as --dirstat=cumulative' },
  { name: 'dirstat-by-file', value: 'how', valueOptional: true, help: 'same as --dirstat=files' },
  { name: 'summary', help: 'files made, deleted, renamed, and changes of mode' },
  { name: 'compact-summary', negatable: true, help: '--stat with what --summary tells' },
  { name: 'patch-with-stat', help: '-p and --stat' },
  { name: 'patch-with-raw', help: '-p and --raw' },
  { name: 'name-only', help: 'only names' },
  { name: 'name-status', help: 'names and what happened to them' },
  { name: 'check', help: 'tell errors in white space and conflict markers that were added; exits with 2 when there are some' },
  { name: 'z', help: 'NUL bytes between records, nothing quoted' },
  { name: 'find-renames', short: 'M', value: 'n', valueOptional: true, help: 'find renames; n is the least similarity' },
  { name: 'renames', negatable: true, help: 'find renames, or with --no-renames do not' },
  { name: 'rename-empty', negatable: true, help: 'empty files can be renamed (the default)' },
  { name: 'find-copies', short: 'C', value: 'n', valueOptional: true, help: 'find copies of changed files too' },
  { name: 'find-copies-harder', help: 'find copies of any file' },
  { name: 'break-rewrites', short: 'B', value: 'n/m', valueOptional: true, help: 'take rewritten files for a deletion and an addition' },
  { name: 'irreversible-delete', short: 'D', help: 'do not show the content of files that are gone' },
  { name: 'l', value: 'files', help: 'most files compared for renames' },
  { name: 'diff-filter', value: 'letters', help: 'only these kinds of change (A C D M R T U X B; lower case leaves out)' },
  { name: 'S', value: 'string', help: 'only files in which the number of occurrences changed' },
  { name: 'G', value: 'regex', help: 'only files with a changed line that matches' },
  { name: 'find-object', value: 'object', help: 'only files that were or became this object' },
  { name: 'pickaxe-all', help: 'with -S or -G: all files of a commit in which one matches' },
  { name: 'pickaxe-regex', help: 'the string of -S is an extended regular expression' },
  { name: 'O', value: 'file', help: 'order files by the patterns in a file' },
  { name: 'rotate-to', value: 'path', help: 'begin with this path; those before it come last' },
  { name: 'skip-to', value: 'path', help: 'begin with this path' },
  { name: 'R', help: 'swap old and new' },
  { name: 'relative', value: 'directory', valueOptional: true, negatable: true, help: 'only below this directory, names relative to it' },
  { name: 'text', short: 'a', negatable: true, help: 'treat all files as text' },
  { name: 'ignore-all-space', short: 'w', help: 'white space makes no difference' },
  { name: 'ignore-space-change', short: 'b', help: 'the amount of white space makes no difference' },
  { name: 'ignore-space-at-eol', help: 'white space at line ends makes no difference' },
  { name: 'ignore-cr-at-eol', help: 'a carriage return at line ends makes no difference' },
  { name: 'ignore-blank-lines', help: 'blank lines make no difference' },
  { name: 'ignore-matching-lines', short: 'I', value: 'regex', help: 'changes of which all lines match make no difference' },
  { name: 'inter-hunk-context', value: 'lines', help: 'join hunks this near to each other' },
  { name: 'minimal', negatable: true, help: 'take the time to find the smallest difference' },
  { name: 'patience', help: 'hold on to lines that occur once' },
  { name: 'histogram', help: 'hold on to lines that occur seldom' },
  { name: 'anchored', value: 'text', help: 'like --patience; lines that begin with this stay where they are' },
  { name: 'diff-algorithm', value: 'name', help: 'myers (or default), minimal, patience or histogram' },
  { name: 'indent-heuristic', negatable: true, help: 'move hunks to where they read well (the default)' },
  { name: 'word-diff', value: 'how', valueOptional: true, help: 'show changed words: plain, color, porcelain or none' },
  { name: 'word-diff-regex', value: 'regex', help: 'what a word is, for --word-diff' },
  { name: 'color-words', value: 'regex', valueOptional: true, help: '--word-diff=color, and what a word is' },
  { name: 'color', value: 'when', valueOptional: true, negatable: true, help: 'colours: always, never or auto' },
  { name: 'color-moved', value: 'mode', valueOptional: true, negatable: true, help: 'no; other modes are refused where there are colours' },
  { name: 'color-moved-ws', value: 'modes', negatable: true, hidden: true, help: 'white space in moved lines' },
  { name: 'ws-error-highlight', value: 'kinds', help: 'with colours, mark wrong white space in these lines: old, new, context, all, none, default' },
  { name: 'output-indicator-new', value: 'character', help: 'instead of +' },
  { name: 'output-indicator-old', value: 'character', help: 'instead of -' },
  { name: 'output-indicator-context', value: 'character', help: 'instead of a space' },
  { name: 'binary', help: 'write binary files so that they can be applied' },
  { name: 'full-index', negatable: true, help: 'whole ids in patches' },
  { name: 'abbrev', value: 'n', valueOptional: true, negatable: true, help: 'digits of abbreviated ids' },
  { name: 'src-prefix', value: 'prefix', help: 'instead of a/' },
  { name: 'dst-prefix', value: 'prefix', help: 'instead of b/' },
  { name: 'no-prefix', help: 'neither a/ nor b/' },
  { name: 'line-prefix', value: 'prefix', help: 'put this before every line' },
  { name: 'combined-all-paths', help: 'with -c or --cc: the paths in all parents' },
  { name: 'submodule', value: 'how', valueOptional: true, help: 'how submodules are shown in patches: log (commits between), diff (files) or short (the default)' },
  { name: 'ignore-submodules', value: 'when', valueOptional: true, help: 'leave out submodules: all; dirty, untracked, none: their own changes, which are never looked at' },
  { name: 'ita-invisible-in-index', negatable: true, help: 'what is only intended to be added is not in the index' },
  { name: 'ita-visible-in-index', help: 'what is only intended to be added is an empty file in the index' },
  { name: 'output', value: 'file', help: 'write to a file instead of standard output' },
  { name: 'exit-code', help: 'exit with 1 when there are differences' },
  { name: 'quiet', help: 'show nothing, exit with 1 when there are differences' },
  { name: 'ext-diff', negatable: true, help: 'let programs show differences: diff.<driver>.command, GIT_EXTERNAL_DIFF, diff.external' },
  { name: 'textconv', negatable: true, help: 'let programs convert files to text: diff.<driver>.textconv' },
];

/** What a command sets when nothing is asked for. */
export interface DiffDefaults {
  /** Renames are found unless configured otherwise (log, show, diff). */
  readonly porcelain: boolean;
  /** The format when none is given. */
  readonly format?: 'patch' | 'raw';
  /** Columns of the terminal, for --stat. */
  readonly columns: number;
  /** Programs show differences without --ext-diff. */
  readonly usesPrograms?: boolean;
  /** Many differences are shown one after the other (log, show). */
  readonly walks?: boolean;
  /** Files are compared as they lie there, named from the current directory: differences make the exit code 1. */
  readonly comparesFiles?: boolean;
  /** The prefixes diff.mnemonicPrefix asks for, by what is compared; absent: the ordinary ones. */
  readonly mnemonics?: readonly [old: string, now: string];
  /** Colours are wanted; absent: as --color says. */
  readonly isColored?: boolean;
}

/** The formats asked for, and everything else about showing differences. */
export class DiffRequest {
  readonly format: DiffFormatOptions;
  readonly renames: RenameOptions | undefined;
  readonly rewrites: RewriteOptions | undefined;
  readonly isReversed: boolean;
  readonly pickaxe: Pickaxe | undefined;
  readonly filter: string | undefined;
  /** Directory (with slash, or '') names are relative to; undefined for all names. */
  readonly relative: string | undefined;
  readonly exitCode: boolean;
  readonly quiet: boolean;
  readonly isAnyFormatGiven: boolean;
  /** Entries that are only intended to be added count as in the index; undefined: as the command likes. */
  readonly showsIntended: boolean | undefined;
  /** File to write to. */
  readonly outputPath: string | undefined;
  readonly #repository: Repository;
  readonly #isPorcelain: boolean;
  readonly #drivers: DiffDrivers;
  readonly #programs: DiffPrograms | undefined;
  readonly #order: string | undefined;
  readonly #rotation: { readonly path: string; readonly skips: boolean; readonly isStrict: boolean } | undefined;
  readonly #ignoresSubmodules: boolean;
  /** Whether there are differences is known only from the patch. */
  readonly #needsContent: boolean;

  constructor(repository: Repository, args: Arguments, defaults: DiffDefaults) {
    this.#repository = repository;
    this.#isPorcelain = defaults.porcelain;
    const { config } = repository;
    const given = formatsGiven(args, defaults.walks === true && args.has('quiet'));
    this.isAnyFormatGiven = given.size > 0;
    // Where commits are walked, --quiet only is an early -s.
    this.quiet = args.has('quiet') && !defaults.walks;
    this.exitCode = args.has('exit-code') || defaults.comparesFiles === true || this.quiet;
    this.isReversed = args.has('R');
    this.renames = renamesOf(args, defaults.porcelain ? config.get('diff.renames') : 'false', config.getInteger('diff.renamelimit'));
    this.rewrites = rewritesOf(args);
    this.filter = args.value('diff-filter');
    if (this.filter !== undefined && !/^[ACDMRTUXBacdmrtuxb*]*$/.test(this.filter)) {
      throw new UsageError(`unknown change class '${/[^ACDMRTUXBacdmrtuxb*]/.exec(this.filter)![0]}' in --diff-filter=${this.filter}`);
    }
    this.pickaxe = parsePickaxe(args, (name) => objectOf(repository, name));
    const relative = args.flag('relative') ?? (defaults.porcelain && config.getBoolean('diff.relative') === true);
    const below = args.value('relative');
    this.relative = !relative ? undefined : below === undefined ? repository.prefix : latin1(below.replace(/\/?$/, '/'));
    const intended = args.lastOf('ita-invisible-in-index', 'ita-visible-in-index');
    this.showsIntended = args.flag('ita-invisible-in-index') === false ? true : intended === undefined ? undefined : intended === 'ita-visible-in-index';
    this.outputPath = args.value('output');
    this.#order = orderOf(repository, args, defaults.porcelain);
    const rotation = args.lastOf('rotate-to', 'skip-to');
    this.#rotation = rotation === undefined ? undefined : { path: latin1(args.value(rotation)!), skips: rotation === 'skip-to', isStrict: !defaults.walks };
    this.#ignoresSubmodules = ignoresSubmodules(args, defaults.porcelain ? config.get('diff.ignoresubmodules') : undefined);
    this.#drivers = new DiffDrivers(repository, this.relative ?? (defaults.comparesFiles ? repository.prefix : ''));
    const [commands, textConverters] = [args.flag('ext-diff') ?? defaults.usesPrograms === true, args.flag('textconv') ?? defaults.porcelain];
    this.#programs = commands || textConverters ? new DiffPrograms(repository, this.#drivers, { commands, textConverters }) : undefined;
    this.format = this.#formatOf(args, defaults, given);
    const { text } = this.format;
    this.#needsContent = Boolean(text?.ignoreAllSpace || text?.ignoreSpaceChange || text?.ignoreSpaceAtEol || text?.ignoreCrAtEol
      || (text?.ignoreLines?.length ?? 0) > 0);
  }

  #formatOf(args: Arguments, defaults: DiffDefaults, given: ReadonlySet<Format>): DiffFormatOptions {
    const { config } = this.#repository;
    const { porcelain } = defaults;
    const setting = (name: string): string | undefined => (porcelain ? config.get(name) : undefined);
    const formats = new Set(given.size === 0 && defaults.format !== undefined ? [defaults.format] : given);
    const abbreviation = args.value('abbrev');
    const digits = abbreviation === undefined ? defaultAbbreviation(this.#repository) : Math.max(Number.parseInt(abbreviation, 10) || 0, 4);
    const rawFull = args.flag('abbrev') === false || (!porcelain && args.flag('abbrev') === undefined);
    const named = porcelain && config.getBoolean('diff.mnemonicprefix') === true ? defaults.mnemonics : undefined;
    const prefixes = prefixesOf(args, porcelain && config.getBoolean('diff.noprefix') === true ? ['', ''] : named ?? ['a/', 'b/']);
    const [oldPrefix, newPrefix] = this.isReversed ? [prefixes[1], prefixes[0]] : prefixes;
    const words = wordsOf(args, setting('diff.wordregex'));
    const isColored = defaults.isColored === true || colorWanted(args, this.#repository.context.stdout.isTerminal);
    if (isColored && args.has('color-moved') && args.value('color-moved') !== 'no') throw new UsageError('colours for moved lines are not supported');
    checkMoved(args);
    const linePrefix = args.value('line-prefix');
    const indicator = (kind: string, standard: string): string => {
      const text = args.value(`output-indicator-${kind}`);
      if (text !== undefined && Buffer.byteLength(text) !== 1) throw new UsageError(`option 'output-indicator-${kind}' expects a character, not '${text}'`);
      return text ?? standard;
    };
    const marker = (path: string): number => {
      const size = this.#drivers.attribute(path, 'conflict-marker-size');
      return typeof size === 'string' && Number(size) > 0 ? Number.parseInt(size, 10) : 7;
    };
    return {
      raw: formats.has('raw'), nameOnly: formats.has('name-only'), nameStatus: formats.has('name-status'), numstat: formats.has('numstat'),
      shortstat: formats.has('shortstat'), summary: formats.has('summary'), compactSummary: args.has('compact-summary'), patch: formats.has('patch'),
      check: formats.has('check'),
      ...(formats.has('stat') ? { stat: statOf(args, defaults, numberOf(setting('diff.statgraphwidth'))) } : {}),
      ...(formats.has('dirstat') ? { dirstat: dirstatOf(args, config.get('diff.dirstat')) } : {}),
      nul: args.has('z'),
      quotePath: config.getBoolean('core.quotepath', true) ?? true,
      ...(rawFull ? {} : { rawAbbreviation: digits }),
      ...(args.has('full-index') ? {} : { indexAbbreviation: digits }),
      binary: args.has('binary'), compression: config.getInteger('core.compression') ?? 1,
      context: countOf(args, 'unified') ?? contextOfEnvironment(this.#repository.context.env['GIT_DIFF_OPTS']) ?? numberOf(setting('diff.context')) ?? 3,
      interHunk: countOf(args, 'inter-hunk-context') ?? numberOf(setting('diff.interhunkcontext')) ?? 0,
      wholeFunctions: args.has('function-context'), irreversibleDelete: args.has('irreversible-delete'),
      text: textOf(args, setting('diff.algorithm'), (porcelain ? config.getBoolean('diff.indentheuristic', true) : true) ?? true),
      suppressBlank: config.getBoolean('diff.suppressblankempty') === true,
      allText: args.has('text'),
      ...(this.relative === undefined ? {} : { directory: this.relative }),
      ...(words === undefined ? {} : { words }),
      oldPrefix, newPrefix,
      indicators: { old: indicator('old', '-'), new: indicator('new', '+'), context: indicator('context', ' ') },
      ...(isColored ? { colors: readDiffColors(config) } : {}),
      highlights: highlightsOf(args.value('ws-error-highlight') ?? config.get('diff.wserrorhighlight')),
      whitespaceOf: (path) => whitespaceRuleOf(this.attribute(path, 'whitespace'), config.get('core.whitespace')),
      markerSizeOf: marker,
      ...(linePrefix === undefined ? {} : { linePrefix: () => latin1(linePrefix) }),
      driverOf: (path) => this.#drivers.driverOf(path),
      ...(this.#programs === undefined ? {} : { programs: this.#programs }),
      allPaths: wantsAllPaths(args),
      ...this.#submodulesOf(args, setting('diff.submodule'), isColored, oldPrefix, newPrefix),
    };
  }

  /** How submodules are shown in patches. */
  #submodulesOf(args: Arguments, configured: string | undefined, isColored: boolean, oldPrefix: string, newPrefix: string): Pick<DiffFormatOptions, 'submodules'> {
    const styles = ['short', 'log', 'diff'];
    const typed = args.has('submodule') ? args.value('submodule') ?? 'log' : undefined;
    if (typed !== undefined && !styles.includes(typed)) throw new UsageError(`failed to parse --submodule option parameter: '${typed}'`);
    if (typed === undefined && configured !== undefined && !styles.includes(configured)) {
      this.#repository.context.stderr.write(`warning: unknown value for 'diff.submodule': '${configured}'\n`);
    }
    const style = typed ?? configured;
    if (style !== 'log' && style !== 'diff') return {};
    const showFiles: InnerDiff = (inner, old, now, path, sink) => {
      const prefixes = [`--src-prefix=${Buffer.from(oldPrefix + path, 'latin1').toString()}/`, `--dst-prefix=${Buffer.from(newPrefix + path, 'latin1').toString()}/`];
      const innerArgs = parseArguments({ options: diffOptions }, ['--submodule=diff', `--color=${isColored ? 'always' : 'never'}`, ...prefixes]);
      const request = new DiffRequest(inner, innerArgs, { porcelain: true, format: 'patch', columns: 80, usesPrograms: true });
      const [one, two] = [old, now].map((id) => (id === undefined ? undefined : inner.objects.readCommit(id).tree));
      request.write(request.finish(diffTrees(inner.objects, one, two, { recursive: true, unchanged: request.wantsUnchanged })), sink);
    };
    const colors = isColored ? readDiffColors(this.#repository.config) : { old: '', new: '', reset: '' };
    return { submodules: new SubmoduleDiff(this.#repository, colors, style === 'diff' ? showFiles : undefined) };
  }

  /** An attribute of a path that is shown. */
  attribute(path: string, name: string): AttributeValue | undefined {
    return this.#drivers.attribute(path, name);
  }

  /** Some format that prints something is in force. */
  get isShown(): boolean {
    const { raw, nameOnly, nameStatus, numstat, shortstat, summary, patch, stat, dirstat, check } = this.format;
    return !this.quiet && Boolean(raw || nameOnly || nameStatus || numstat || shortstat || summary || patch || stat || dirstat || check);
  }

  /** Trees have to be gone into for what is asked. */
  get needsRecursion(): boolean {
    const { patch, stat, numstat, shortstat, summary, dirstat, check } = this.format;
    return Boolean(patch || stat || numstat || shortstat || summary || dirstat || check) || this.pickaxe !== undefined || this.renames?.findCopiesHarder === true;
  }

  /** Files that did not change are needed as well, as sources of copies. */
  get wantsUnchanged(): boolean {
    return this.renames?.findCopiesHarder === true;
  }

  /** Swaps, finds renames, filters, orders: what is left is to be shown. */
  finish(entries: readonly DiffEntry[]): DiffEntry[] {
    const { objects } = this.#repository;
    let list = this.isReversed ? entries.map(reversed) : [...entries];
    if (this.relative !== undefined) list = list.filter(({ path }) => path.startsWith(this.relative!));
    if (this.#ignoresSubmodules) list = list.filter((entry) => !isSubmodule(entry));
    if (this.rewrites !== undefined) list = breakRewrites(objects, list, this.rewrites);
    list = this.renames === undefined ? list.filter(({ status }) => status !== 'same') : findRenames(objects, list, this.renames);
    if (this.rewrites !== undefined) list = mergeRewrites(list);
    // Git's plumbing lists whatever looks changed.
    if (this.#isPorcelain) list = list.filter((entry) => !isSameContent(objects, entry));
    const { pickaxe } = this;
    if (pickaxe !== undefined) {
      const contents = {
        read: (path: string, side: DiffSide): Buffer => this.#programs?.read(path, side) ?? readSide(objects, side),
        isBinary: (entry: DiffEntry): boolean => this.writer(() => undefined).isBinary(entry),
      };
      const fitting = list.filter((entry) => pickaxe.matches(entry, contents));
      list = pickaxe.all && fitting.length > 0 ? list : fitting;
    }
    if (this.#order !== undefined) list = orderByPatterns(list, this.#order);
    if (this.#rotation !== undefined) list = rotateTo(list, this.#rotation);
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
    const kinds = ({ status, score }: DiffEntry): string => (status === 'M' && score !== undefined ? 'BM' : status);
    const fits = (entry: DiffEntry): boolean => {
      const own = [...kinds(entry)];
      return (wanted === '' || own.some((kind) => wanted.includes(kind))) && !own.some((kind) => unwanted.includes(kind));
    };
    if (filter.includes('*')) return wanted !== '' && entries.some(fits) ? entries : [];
    return entries.filter(fits);
  }

  writer(sink: Sink, extra: Partial<DiffFormatOptions> = {}): DiffWriter {
    return new DiffWriter(this.#repository.objects, { ...this.format, ...extra }, sink);
  }

  /** Writes entries; returns the exit code the options ask for. */
  write(entries: readonly DiffEntry[], sink: Sink): number {
    const writer = this.writer(sink);
    if (this.isShown) writer.write(entries);
    const isNothingShown = !this.isShown && this.#needsContent && this.exitCode;
    const differs = this.#needsContent ? writer.hasPatch || (isNothingShown && writer.findPatch(entries)) : entries.length > 0;
    return (this.exitCode && differs ? 1 : 0) | (writer.hasErrors ? 2 : 0);
  }
}

/** The object of a name; UsageError when there is none. */
function objectOf(repository: Repository, name: string): ObjectId {
  const found = findRevision(repository, name);
  if (found === undefined) throw new UsageError(`unable to resolve '${name}'`);
  return found;
}

function linePattern(text: string): RegExp {
  try {
    return parsePattern(latin1(text), 'extended', { lines: true });
  } catch (error) {
    if (error instanceof InvalidError) throw new UsageError(`invalid regex given to -I: '${text}'`, { cause: error });
    throw error;
  }
}

function reversed(entry: DiffEntry): DiffEntry {
  if (entry.status === 'U') return entry;
  const status = entry.status === 'A' ? 'D' : entry.status === 'D' ? 'A' : entry.status;
  const names = entry.oldPath === undefined ? {} : { path: entry.oldPath, oldPath: entry.path };
  return { ...entry, ...names, status, old: entry.new, new: entry.old };
}

function isSubmodule({ old, new: now }: DiffEntry): boolean {
  return [old, now].some(({ mode }) => (mode & 0o170000) === 0o160000);
}

/** A work-tree file may look changed and not be. */
function isSameContent(store: ObjectStore, entry: DiffEntry): boolean {
  if (entry.status !== 'M' || entry.old.mode !== entry.new.mode) return false;
  if (entry.old.content === undefined && entry.new.content === undefined) return false;
  return readSide(store, entry.old).equals(readSide(store, entry.new));
}

type Format = 'patch' | 'raw' | 'stat' | 'numstat' | 'shortstat' | 'dirstat' | 'summary' | 'name-only' | 'name-status' | 'check' | 'nothing';

const formatsOf: Readonly<Record<string, readonly Format[]>> = {
  patch: ['patch'], u: ['patch'], unified: ['patch'], binary: ['patch'], 'patch-with-raw': ['patch', 'raw'], 'patch-with-stat': ['patch', 'stat'],
  raw: ['raw'], stat: ['stat'], 'stat-width': ['stat'], 'stat-name-width': ['stat'], 'stat-graph-width': ['stat'], 'stat-count': ['stat'],
  'compact-summary': ['stat'], numstat: ['numstat'], shortstat: ['shortstat'], dirstat: ['dirstat'], cumulative: ['dirstat'], 'dirstat-by-file': ['dirstat'],
  summary: ['summary'], 'name-only': ['name-only'], 'name-status': ['name-status'], check: ['check'], s: ['nothing'],
};
/** Formats that stand alone: with one of them, the others mean nothing. */
const lonely: readonly Format[] = ['name-only', 'name-status', 'check', 'nothing'];
/** These take back an earlier -s. */
const loud = new Set(['patch', 'u', 'unified', 'binary', 'patch-with-raw', 'patch-with-stat']);

function formatsGiven(args: Arguments, isSilent: boolean): Set<Format> {
  const formats = new Set<Format>(isSilent ? ['nothing'] : []);
  for (const token of args.tokens) {
    if (token.kind !== 'option') continue;
    const { name, negated } = token;
    if (negated && name === 'patch') formats.add('nothing');
    if (negated || !Object.hasOwn(formatsOf, name)) continue;
    if (loud.has(name)) formats.delete('nothing');
    for (const format of formatsOf[name]!) formats.add(format);
  }
  const alone = lonely.filter((format) => formats.has(format));
  if (alone.length > 1) throw new InvalidError("options '--name-only', '--name-status', '--check', and '-s' cannot be used together", { code: 'bad-options' });
  return alone.length > 0 ? new Set(alone) : formats;
}

function numberOf(text: string | undefined): number | undefined {
  return text !== undefined && /^[0-9]+$/.test(text) ? Number(text) : undefined;
}

/** '-u5' or '--unified=5'. */
function contextOfEnvironment(text: string | undefined): number | undefined {
  return numberOf(/^(?:-u|--unified=)([0-9]+)/.exec(text ?? '')?.[1]);
}

function countOf(args: Arguments, name: string): number | undefined {
  const text = args.value(name);
  if (text === undefined) return undefined;
  if (!/^[0-9]+$/.test(text)) throw new UsageError(`option '${name}' expects a number, not '${text}'`);
  return Number(text);
}

/** Of the options that say the same, the last one counts. */
function statOf(args: Arguments, defaults: DiffDefaults, configuredGraph: number | undefined): StatOptions {
  let width = 0;
  let nameWidth: number | undefined;
  let graphWidth = configuredGraph;
  let count: number | undefined;
  for (const token of args.tokens) {
    if (token.kind !== 'option' || token.negated) continue;
    const { name, value = '' } = token;
    const number = (): number => {
      if (!/^[0-9]+$/.test(value)) throw new UsageError(`option '${name}' expects a number, not '${value}'`);
      return Number(value);
    };
    if (name === 'stat-width') width = number();
    else if (name === 'stat-name-width') nameWidth = number();
    else if (name === 'stat-graph-width') graphWidth = number();
    else if (name === 'stat-count') count = number();
    else if (name === 'stat') {
      const parts = value.split(',');
      if (parts.length > 3 || !parts.every((part) => /^[0-9]*$/.test(part))) throw new UsageError(`invalid --stat value: ${value}`);
      if (value !== '') width = Number(parts[0]);
      if (parts[1] !== undefined) nameWidth = Number(parts[1]);
      if (parts[2] !== undefined) count = Number(parts[2]);
    }
  }
  return {
    width: width || (defaults.porcelain ? defaults.columns : 80), ...(!width && defaults.porcelain ? { sharesWidth: true } : {}), ...(nameWidth === undefined ? {} : { nameWidth }),
    ...(count === undefined ? {} : { count }), ...(graphWidth === undefined ? {} : { graphWidth }),
  };
}

/** The words of --dirstat, one after the other. */
function dirstatOf(args: Arguments, configured: string | undefined): DirstatOptions {
  let options: DirstatOptions = { measure: 'changes', cumulative: false, permille: 30 };
  const take = (words: string, isStrict: boolean): void => {
    for (const word of words.split(',')) {
      const share = /^([0-9]+)(?:\.([0-9])[0-9]*)?$/.exec(word);
      if (word === 'changes' || word === 'lines' || word === 'files') options = { ...options, measure: word };
      else if (word === 'cumulative' || word === 'noncumulative') options = { ...options, cumulative: word === 'cumulative' };
      else if (share) options = { ...options, permille: Number(share[1]) * 10 + Number(share[2] ?? 0) };
      else if (isStrict && word !== '') throw new InvalidError(`failed to parse --dirstat/-X option parameter: unknown dirstat parameter '${word}'`, { code: 'bad-dirstat' });
    }
  };
  if (configured !== undefined) take(configured, false);
  for (const token of args.tokens) {
    if (token.kind !== 'option') continue;
    if (token.name === 'dirstat') take(token.value ?? '', true);
    if (token.name === 'cumulative') take('cumulative', true);
    if (token.name === 'dirstat-by-file') take(`files,${token.value ?? ''}`, true);
  }
  return options;
}

/** What is put before names; of the options the last one counts. */
function prefixesOf(args: Arguments, standard: readonly [old: string, now: string]): readonly [old: string, now: string] {
  let [old, now] = standard;
  for (const token of args.tokens) {
    if (token.kind !== 'option') continue;
    if (token.name === 'no-prefix') [old, now] = ['', ''];
    else if (token.name === 'src-prefix') old = token.value!;
    else if (token.name === 'dst-prefix') now = token.value!;
  }
  return [latin1(old), latin1(now)];
}

const algorithms = ['myers', 'default', 'minimal', 'patience', 'histogram'] as const;

/** How lines are compared; of the options that name an algorithm the last one counts. */
function textOf(args: Arguments, configured: string | undefined, indents: boolean): TextDiffOptions {
  let algorithm: string = configured?.toLowerCase() ?? 'myers';
  let minimal = algorithm === 'minimal';
  let anchors: string[] = [];
  for (const token of args.tokens) {
    if (token.kind !== 'option') continue;
    switch (token.name) {
      case 'minimal': minimal = !token.negated; break;
      case 'patience': [algorithm, anchors] = ['patience', []]; break;
      case 'histogram': algorithm = 'histogram'; break;
      case 'anchored': algorithm = 'patience'; anchors.push(latin1(token.value!)); break;
      case 'diff-algorithm':
        algorithm = token.value!.toLowerCase();
        minimal = algorithm === 'minimal';
        if (algorithm === 'patience') anchors = [];
        break;
      default:
    }
  }
  if (!algorithms.some((name) => name === algorithm)) {
    throw new UsageError(`option diff-algorithm accepts "myers", "minimal", "patience" and "histogram", not '${algorithm}'`);
  }
  return {
    ignoreAllSpace: args.has('ignore-all-space'), ignoreSpaceChange: args.has('ignore-space-change'),
    ignoreSpaceAtEol: args.has('ignore-space-at-eol'), ignoreCrAtEol: args.has('ignore-cr-at-eol'),
    ignoreBlankLines: args.has('ignore-blank-lines'),
    ignoreLines: args.values('ignore-matching-lines').map(linePattern),
    minimal, indentHeuristic: args.flag('indent-heuristic') ?? indents,
    algorithm: algorithm === 'patience' || algorithm === 'histogram' ? algorithm : 'myers', anchors,
  };
}

function wordsOf(args: Arguments, configured: string | undefined): DiffFormatOptions['words'] {
  let style: 'plain' | 'color' | 'porcelain' | undefined;
  let pattern: string | undefined;
  for (const token of args.tokens) {
    if (token.kind !== 'option') continue;
    if (token.name === 'word-diff') {
      const how = token.value ?? (style === undefined ? 'plain' : style);
      if (how === 'none') style = undefined;
      else if (how === 'plain' || how === 'color' || how === 'porcelain') style = how;
      else throw new UsageError(`bad --word-diff argument: ${how}`);
    } else if (token.name === 'word-diff-regex') {
      style ??= 'plain';
      pattern = token.value;
    } else if (token.name === 'color-words') {
      style = 'color';
      pattern = token.value;
    }
  }
  if (style === undefined) return undefined;
  return { style, ...(pattern === undefined ? {} : { pattern: latin1(pattern) }), ...(configured === undefined ? {} : { fallback: latin1(configured) }) };
}

/** What was typed about colours, as the value of --color; undefined for nothing. */
export function typedColor(args: Arguments): string | undefined {
  let typed: string | undefined;
  for (const token of args.tokens) {
    if (token.kind !== 'option') continue;
    if (token.name === 'color') typed = token.negated ? 'never' : token.value ?? '';
    if (token.name === 'color-words' || (token.name === 'word-diff' && token.value === 'color')) typed = 'always';
  }
  return typed;
}

/** Colours without a word from the porcelain: only where they are asked for. */
export function colorWanted(args: Arguments, isTerminal: boolean): boolean {
  let wanted = false;
  for (const token of args.tokens) {
    if (token.kind !== 'option') continue;
    if (token.name === 'color-words' || (token.name === 'word-diff' && token.value === 'color')) wanted = true;
    if (token.name !== 'color') continue;
    const when = token.negated ? 'never' : token.value ?? 'always';
    if (!['always', 'never', 'auto', 'true', 'false'].includes(when)) throw new UsageError(`option 'color' expects "always", "auto", or "never", not '${when}'`);
    wanted = when === 'always' || ((when === 'auto' || when === 'true') && isTerminal);
  }
  return wanted;
}

const movedModes = /^(?:no|default|blocks|zebra|dimmed[-_]zebra|plain|true|false|yes|on|off|[0-9]+|)$/i;
const movedSpaces = ['no', 'ignore-space-change', 'ignore-space-at-eol', 'ignore-all-space', 'allow-indentation-change'];

/** Colours of moved lines are not supported; what would be none in git is told as such. */
function checkMoved(args: Arguments): void {
  const mode = args.value('color-moved');
  if (mode !== undefined && !movedModes.test(mode)) throw new UsageError(`bad --color-moved argument: ${mode}`);
  for (const typed of args.values('color-moved-ws')) {
    const words = typed.split(',');
    const isMixed = words.includes('allow-indentation-change') && words.some((word) => word.startsWith('ignore-'));
    if (isMixed || words.some((word) => !movedSpaces.includes(word))) throw new UsageError(`invalid mode '${typed}' in --color-moved-ws`);
  }
}

function highlightsOf(text: string | undefined): NonNullable<DiffFormatOptions['highlights']> {
  let found = { old: false, new: true, context: false };
  if (text === undefined) return found;
  found = { old: false, new: false, context: false };
  for (const word of text.split(',')) {
    if (word === 'all') found = { old: true, new: true, context: true };
    else if (word === 'default') found = { old: false, new: true, context: false };
    else if (word === 'none') found = { old: false, new: false, context: false };
    else if (word === 'old' || word === 'new' || word === 'context') found = { ...found, [word]: true };
    else throw new UsageError(`unknown value after ws-error-highlight=${text}`);
  }
  return found;
}

function orderOf(repository: Repository, args: Arguments, porcelain: boolean): string | undefined {
  const typed = args.value('O');
  const path = typed ?? (porcelain ? repository.config.getPath('diff.orderfile') : undefined);
  if (path === undefined || path === '') return undefined;
  const base = typed === undefined ? repository.workTree ?? repository.gitDirectory : repository.context.cwd;
  const full = path.startsWith('/') ? path : `${base}/${path}`;
  const text = full === '/dev/null' ? '' : findRuleFile(full, true);
  if (text === undefined) throw new InvalidError(`could not read order file '${path}'`, { code: 'no-order-file' });
  return text;
}

function ignoresSubmodules(args: Arguments, configured: string | undefined): boolean {
  const when = args.has('ignore-submodules') ? args.value('ignore-submodules') ?? 'all' : configured ?? 'dirty';
  if (!['all', 'dirty', 'untracked', 'none'].includes(when)) throw new InvalidError(`bad --ignore-submodules argument: ${when}`, { code: 'bad-option' });
  return when === 'all';
}

/** '-B50%/60%'. */
function rewritesOf(args: Arguments): RewriteOptions | undefined {
  if (!args.has('break-rewrites')) return undefined;
  const [breakScore, mergeScore] = (args.value('break-rewrites') ?? '').split('/').map((text) => parseScore(text) || undefined);
  return { ...(breakScore === undefined ? {} : { breakScore }), ...(mergeScore === undefined ? {} : { mergeScore }) };
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
    if (token.name === 'find-renames' && !token.negated) {
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
    copies: mode === 'copies', findCopiesHarder: harder, skipsEmpty: args.flag('rename-empty') === false,
    ...(score === undefined || score === '' ? {} : { minimumScore: parseScore(score) || maxScore / 2 }), ...(bound === undefined ? {} : { limit: bound }),
  };
}
