// cairn grep: the lines of files that match a pattern, in the work tree, the index, or commits.
import * as fs from 'node:fs';
import { join, resolve } from 'node:path';
import { InvalidError, NotFoundError, UsageError, isSystemError } from '../../pack/errors.js';
import type { ObjectId } from '../../pack/oid.js';
import { type RepoPath, isTreeMode } from '../../pack/tree.js';
import { type ArgumentToken, Arguments, type Command, type Context, type OptionSpec, parseArguments } from '../../plumbing/command.js';
import type { Config } from '../../plumbing/config.js';
import { TextConversion } from '../../plumbing/content/text-conversion.js';
import { type DiffDriver, DiffDrivers, plainDriver } from '../../plumbing/diff/diff-driver.js';
import { isBinary } from '../../plumbing/diff/text-diff.js';
import { findNamed, peel } from '../../plumbing/history/revision.js';
import { ambiguousArgument, isPresentPath, unknownArgument } from '../../plumbing/history/revision-set.js';
import { IgnoreRules } from '../../plumbing/ignore.js';
import { readIndex } from '../../plumbing/index/index-file.js';
import { WorkTree } from '../../plumbing/index/work-tree.js';
import { relativePath } from '../../plumbing/index/work-status.js';
import { latin1 } from '../../plumbing/latin1.js';
import { readInput } from '../../plumbing/line-reader.js';
import { parseCount } from '../../plumbing/option-number.js';
import { Pathspec, type PathspecContext, pathspecContext } from '../../plumbing/pathspec.js';
import type { PatternKind } from '../../plumbing/posix-regex.js';
import { quotePath } from '../../plumbing/quote.js';
import { Repository } from '../../plumbing/repository.js';
import { FileSearch, type SearchColors, type SearchForm, type SearchHit, type SearchOptions } from '../../plumbing/search/file-search.js';
import { type ExpressionWord, LineExpression } from '../../plumbing/search/line-pattern.js';
import { formatColor, openConfig, wantsColor } from '../terminal.js';

const options: readonly OptionSpec[] = [
  { name: 'cached', negatable: true, help: 'search the index instead of the work tree' },
  { name: 'no-index', negatable: true, help: 'search files whether or not they are in a repository' },
  { name: 'untracked', negatable: true, help: 'search untracked files, too' },
  { name: 'exclude-standard', negatable: true, help: 'leave out ignored files' },
  { name: 'invert-match', short: 'v', negatable: true, help: 'show lines that do not match' },
  { name: 'ignore-case', short: 'i', negatable: true, help: 'letters match whatever their case' },
  { name: 'word-regexp', short: 'w', negatable: true, help: 'only whole words match' },
  { name: 'text', short: 'a', negatable: true, help: 'treat binary files as text' },
  { name: 'I', help: 'binary files do not match' },
  { name: 'textconv', negatable: true, help: 'search what a program makes of files (diff.<driver>.textconv)' },
  { name: 'recursive', short: 'r', negatable: true, help: 'go into directories (default)' },
  { name: 'max-depth', value: 'depth', negatable: true, help: 'go at most so many directories deep' },
  { name: 'extended-regexp', short: 'E', negatable: true, help: 'patterns are extended regular expressions' },
  { name: 'basic-regexp', short: 'G', negatable: true, help: 'patterns are basic regular expressions (default)' },
  { name: 'fixed-strings', short: 'F', negatable: true, help: 'patterns are plain text' },
  { name: 'perl-regexp', short: 'P', negatable: true, help: 'patterns are Perl-like regular expressions' },
  { name: 'line-number', short: 'n', negatable: true, help: 'show line numbers' },
  { name: 'column', negatable: true, help: 'show the column of the first match' },
  { name: 'h', help: 'do not show names' },
  { name: 'H', help: 'show names (default)' },
  { name: 'full-name', negatable: true, help: 'show names from the top of the work tree' },
  { name: 'files-with-matches', short: 'l', negatable: true, help: 'show only names of files that match' },
  { name: 'name-only', negatable: true, help: 'same as --files-with-matches' },
  { name: 'files-without-match', short: 'L', negatable: true, help: 'show only names of files that do not match' },
  { name: 'null', short: 'z', negatable: true, help: 'end names with NUL' },
  { name: 'only-matching', short: 'o', negatable: true, help: 'show only what matches of a line' },
  { name: 'count', short: 'c', negatable: true, help: 'show how many lines match' },
  { name: 'color', value: 'when', valueOptional: true, negatable: true, help: 'colour: always, never or auto' },
  { name: 'break', negatable: true, help: 'an empty line between files' },
  { name: 'heading', negatable: true, help: 'show the name once above the lines of a file' },
  { name: 'context', short: 'C', value: 'number', negatable: true, help: 'show so many lines around matches' },
  { name: 'before-context', short: 'B', value: 'number', negatable: true, help: 'show so many lines before matches' },
  { name: 'after-context', short: 'A', value: 'number', negatable: true, help: 'show so many lines after matches' },
  { name: 'threads', value: 'number', negatable: true, help: 'accepted; one is used' },
  { name: 'show-function', short: 'p', negatable: true, help: 'show the line that begins the function of a match' },
  { name: 'function-context', short: 'W', negatable: true, help: 'show the whole function of a match' },
  { name: 'f', value: 'file', help: 'read patterns from a file, one a line' },
  { name: 'e', value: 'pattern', help: 'a pattern' },
  { name: 'and', help: 'both patterns have to match' },
  { name: 'or', help: 'one of the patterns has to match (default)' },
  { name: 'not', help: 'the pattern must not match' },
  { name: 'quiet', short: 'q', negatable: true, help: 'print nothing, tell by the exit code' },
  { name: 'all-match', negatable: true, help: 'only files in which each pattern matches some line' },
  { name: 'json', help: 'one JSON object per matching line' },
  { name: 'max-count', short: 'm', value: 'number', negatable: true, help: 'at most so many lines of a file' },
];

export const command: Command = {
  name: 'grep',
  family: 'git',
  summary: 'show lines that match a pattern',
  usage: ['grep [<options>] [-e] <pattern> [<revision>...] [[--] <path>...]'],
  options,
  rawArguments: true,
  paged: true,
  run(context, { argv }) {
    const repository = Repository.find(context);
    const { args, rest } = parse(argv);
    return new Grep(context, repository, args, rest).run();
  },
};

/** Options up to the first word that is none; parentheses stand among them as positionals. */
function parse(argv: readonly string[]): { args: Arguments; rest: readonly string[] } {
  const tokens: ArgumentToken[] = [];
  for (let words = argv; ;) {
    const parsed = parseArguments({ options, numeric: true, stopAtPositional: true }, words);
    const at = parsed.tokens.findIndex(({ kind }) => kind === 'positional');
    tokens.push(...parsed.tokens.slice(0, at < 0 ? undefined : at));
    const { positionals } = parsed;
    const first = parsed.tokens[at];
    const isDashes = first === undefined ? words.at(-1) === '--' : first.kind === 'positional' && first.afterDashes;
    if (!isDashes && (positionals[0] === '(' || positionals[0] === ')')) {
      tokens.push({ kind: 'positional', value: positionals[0], afterDashes: false });
      words = positionals.slice(1);
      continue;
    }
    return { args: new Arguments(argv, tokens), rest: isDashes ? ['--', ...positionals] : positionals };
  }
}

const kindOptions: Readonly<Record<string, PatternKind>> = {
  'extended-regexp': 'extended', 'basic-regexp': 'basic', 'fixed-strings': 'fixed', 'perl-regexp': 'perl',
};

/** Forms that do not show lines, or show more than those that match. */
const linesOnly = [
  'files-with-matches', 'name-only', 'files-without-match', 'count', 'only-matching', 'context', 'before-context', 'after-context', 'number', 'show-function',
  'function-context', 'quiet', 'heading', 'break',
];

class Grep {
  readonly #context: Context;
  readonly #repository: Repository | undefined;
  readonly #config: Config;
  readonly #args: Arguments;
  readonly #rest: readonly string[];
  readonly #drivers: DiffDrivers | undefined;
  readonly #texts: TextConversion | undefined;
  #search!: FileSearch;
  #options!: SearchOptions;
  #pathspec!: Pathspec;
  #depth: number | undefined;
  #isQuiet = false;
  /** What stands before the names of a revision's files. */
  #before = '';

  constructor(context: Context, repository: Repository | undefined, args: Arguments, rest: readonly string[]) {
    this.#context = context;
    this.#repository = repository;
    this.#config = repository?.config ?? openConfig(context);
    this.#args = args;
    this.#rest = rest;
    this.#drivers = repository && new DiffDrivers(repository, '');
    this.#texts = repository !== undefined && args.has('textconv') ? new TextConversion(repository, this.#drivers) : undefined;
  }

  run(): number {
    const args = this.#args;
    let usesIndex = args.flag('no-index') !== true;
    if (usesIndex && this.#repository === undefined) {
      if (!this.#config.getBoolean('grep.fallbacktonoindex', false)) Repository.open(this.#context);
      usesIndex = false;
    }
    const words = this.#expressionWords();
    let rest = this.#rest;
    if (words.length === 0) {
      if (rest[0] === '--') rest = rest.slice(1);
      if (rest.length === 0) throw new InvalidError('no pattern given', { code: 'no-pattern' });
      words.push(...patternsOf(rest[0]!));
      rest = rest.slice(1);
    }
    const options = this.#options = this.#readOptions();
    const expression = new LineExpression(words, { kind: this.#kind(), ignoreCase: args.has('ignore-case'), words: args.has('word-regexp') });
    const { stdout } = this.#context;
    this.#isQuiet = args.has('quiet');
    this.#search = new FileSearch(expression, options, (text) => { if (!this.#isQuiet) stdout.write(Buffer.from(text, 'latin1')); });
    const { tips, paths } = this.#split(rest, usesIndex);
    const isUntracked = args.has('untracked');
    if (args.flag('exclude-standard') !== undefined && usesIndex && !isUntracked) throw new InvalidError('--[no-]exclude-standard cannot be used for tracked contents', { code: 'bad-options' });
    if (!usesIndex && (args.has('cached') || isUntracked)) throw new InvalidError('--cached or --untracked cannot be used with --no-index', { code: 'bad-options' });
    if (args.has('cached') && isUntracked) throw new InvalidError('--untracked cannot be used with --cached', { code: 'bad-options' });
    if ((!usesIndex || isUntracked) && tips.length > 0) throw new InvalidError('--no-index or --untracked cannot be used with revs', { code: 'bad-options' });
    if (args.has('cached') && tips.length > 0) throw new InvalidError('both --cached and trees are given', { code: 'bad-options' });
    this.#pathspec = Pathspec.parse(paths, this.#pathspecContext(), { emptyIsPrefix: true });
    const depth = args.value('max-depth');
    this.#depth = depth !== undefined ? parseCount('max-depth', depth) : args.flag('recursive') === false ? 0 : undefined;
    if (this.#depth !== undefined && this.#depth < 0) this.#depth = undefined;
    if (options.maxCount === 0) return 1;
    return this.#run(tips, usesIndex, isUntracked) ? 0 : 1;
  }

  #run(tips: readonly { name: string; id: ObjectId }[], usesIndex: boolean, isUntracked: boolean): boolean {
    let isHit = false;
    const stops = this.#isQuiet;
    if (!usesIndex || isUntracked) return this.#searchDirectory(this.#args.flag('exclude-standard') ?? usesIndex);
    if (tips.length === 0) {
      if (!this.#args.has('cached')) this.#repository!.requireWorkTree();
      return this.#searchIndex(this.#args.has('cached'));
    }
    for (const { name, id } of tips) {
      if (this.#searchObject(name, id)) isHit = true;
      if (isHit && stops) break;
    }
    return isHit;
  }

  #pathspecContext(): PathspecContext {
    if (this.#repository !== undefined) return pathspecContext(this.#repository);
    return { prefix: '', workTree: this.#context.cwd, env: this.#context.env } as PathspecContext;
  }

  #expressionWords(): ExpressionWord[] {
    const words: ExpressionWord[] = [];
    for (const token of this.#args.tokens) {
      if (token.kind === 'positional') words.push({ kind: token.value === '(' ? 'open' : 'close' });
      else if (token.name === 'e') words.push(...patternsOf(token.value!));
      else if (token.name === 'f') words.push(...this.#readPatterns(token.value!));
      else if (token.name === 'and' || token.name === 'or' || token.name === 'not') words.push({ kind: token.name });
    }
    return words;
  }

  #readPatterns(file: string): ExpressionWord[] {
    let text: string;
    try {
      text = file === '-' ? readInput(this.#context.stdin).toString('latin1') : fs.readFileSync(resolve(this.#repository?.workTree ?? this.#context.cwd, file), 'latin1');
    } catch (error) {
      if (isSystemError(error, 'ENOENT', 'ENOTDIR', 'EISDIR')) throw new NotFoundError(`cannot open '${file}'`, { code: 'no-file', cause: error });
      throw error;
    }
    return text.replace(/\n$/, '').split('\n').map((line) => ({ kind: 'pattern', text: line }));
  }

  #kind(): PatternKind {
    let kind: PatternKind | undefined;
    for (const token of this.#args.tokens) {
      if (token.kind !== 'option' || !Object.hasOwn(kindOptions, token.name)) continue;
      kind = token.negated ? undefined : kindOptions[token.name];
    }
    if (kind !== undefined) return kind;
    const typed = this.#config.get('grep.patterntype') ?? 'default';
    const known: Readonly<Record<string, PatternKind>> = { basic: 'basic', extended: 'extended', fixed: 'fixed', perl: 'perl' };
    if (typed !== 'default' && known[typed] === undefined) throw new InvalidError(`bad grep.patternType '${typed}'`, { code: 'bad-config-value' });
    return known[typed] ?? (this.#config.getBoolean('grep.extendedregexp', false) ? 'extended' : 'basic');
  }

  #readOptions(): SearchOptions {
    const args = this.#args;
    const config = this.#config;
    const number = (name: string): number | undefined => {
      const text = args.value(name);
      return text === undefined ? undefined : parseCount(name, text);
    };
    const isColored = wantsColor(this.#context, config, 'color.grep', args.has('color') ? args.value('color') ?? '' : args.flag('color') === false ? 'never' : undefined);
    const around = Math.max(0, this.#around());
    const names = args.lastOf('h', 'H');
    const [isOnlyNames, isWithout] = [args.has('files-with-matches') || args.has('name-only'), args.has('files-without-match')];
    const form: SearchForm = isWithout ? 'names-without' : args.has('quiet') ? 'quiet' : isOnlyNames ? 'names' : args.has('count') ? 'counts' : 'lines';
    const maxCount = number('max-count');
    const isJson = args.has('json');
    const unfit = isJson ? args.lastOf(...linesOnly) : undefined;
    if (unfit !== undefined) throw new UsageError(`--json shows matching lines only, and does not go with --${unfit}`);
    return {
      form, invert: args.has('invert-match'), allMatch: args.has('all-match'), binary: args.has('I') ? 'skip' : args.has('text') ? 'text' : 'default',
      showsName: names !== 'h', showsLineNumber: args.flag('line-number') ?? config.getBoolean('grep.linenumber', false),
      showsColumn: args.flag('column') ?? config.getBoolean('grep.column', false), onlyMatching: args.has('only-matching') && !args.has('invert-match'), nul: args.has('null') || isJson, ...(isJson ? { onHit: (hit: SearchHit) => { this.#printHit(hit); } } : {}),
      heading: args.has('heading'), fileBreak: args.has('break'), showsFunction: args.has('show-function'), wholeFunction: args.has('function-context'),
      before: around > 0 && number('before-context') === undefined ? around : Math.max(0, number('before-context') ?? 0),
      after: around > 0 && number('after-context') === undefined ? around : Math.max(0, number('after-context') ?? 0),
      maxCount: maxCount === undefined || maxCount < 0 ? undefined : maxCount, colors: isColored ? readColors(config) : undefined,
    };
  }

  #printHit({ name, line, column, text }: SearchHit): void {
    const shown = (bytes: string): string => Buffer.from(bytes, 'latin1').toString();
    const before = this.#before;
    this.#context.stdout.write(`${JSON.stringify({
      revision: before === '' ? null : shown(before.replace(/:$/, '')), path: name === before ? null : shown(name.slice(before.length)),
      line: line ?? null, column: column ?? null, text: text === undefined ? null : shown(text),
    })}\n`);
  }

  #around(): number {
    const last = this.#args.tokens.findLast((token) => token.kind === 'option' && (token.name === 'context' || token.name === 'number'));
    if (last?.kind !== 'option' || last.negated) return 0;
    return parseCount('context', last.value ?? '0');
  }

  /** Revisions, up to the first word that is none, and paths. */
  #split(words: readonly string[], usesIndex: boolean): { tips: { name: string; id: ObjectId }[]; paths: readonly string[] } {
    const dashes = words.indexOf('--');
    const tips: { name: string; id: ObjectId }[] = [];
    let at = 0;
    for (; at < (dashes < 0 ? words.length : dashes); at += 1) {
      const word = words[at]!;
      const found = usesIndex && !word.startsWith('-') ? findNamed(this.#repository!, word) : undefined;
      if (found === undefined) {
        if (dashes >= 0 && usesIndex) throw new NotFoundError(`unable to resolve revision: ${word}`, { code: 'bad-revision' });
        break;
      }
      if (dashes < 0 && this.#repository!.workTree !== undefined && this.#isPresent(word) && !word.includes(':')) throw ambiguousArgument(word);
      if (!this.#repository!.objects.has(found.id)) throw new NotFoundError(`bad object ${word}`, { code: 'bad-revision' });
      tips.push({ name: word, id: found.id });
    }
    const paths = words.slice(dashes < 0 ? at : Math.max(at, dashes) + 1);
    for (const path of dashes < 0 ? paths : []) {
      if (path.startsWith('-')) throw new InvalidError(`option '${path}' must come before non-option arguments`, { code: 'bad-options' });
      if (!this.#isPresent(path)) throw unknownArgument(path);
    }
    return { tips, paths };
  }

  #isPresent(path: string): boolean {
    return this.#repository === undefined ? fs.existsSync(resolve(this.#context.cwd, path)) : isPresentPath(this.#repository, path);
  }

  /** True for a path that is meant, and not too deep. */
  #isWanted(path: string): boolean {
    if (!this.#pathspec.matches(path)) return false;
    if (this.#depth === undefined) return true;
    const depth = this.#depth;
    const { items } = this.#pathspec;
    const isWithin = (base: number): boolean => path.slice(base).split('/').length - 1 <= depth;
    if (items.length === 0) return isWithin(0);
    return items.filter(({ exclude }) => !exclude).some(({ match, literalLength }) => {
      if (literalLength < match.length) return true;
      const base = match === '' || match.endsWith('/') ? match.length : match.length + 1;
      return path === match || (path.startsWith(match) && isWithin(base));
    });
  }

  #shownName(path: string, before = ''): string {
    const prefix = this.#repository?.prefix ?? '';
    const shown = this.#args.has('full-name') || (this.#args.flag('full-name') === undefined && this.#config.getBoolean('grep.fullname', false)) ? path : relativePath(path, prefix);
    return before + (this.#options.nul ? shown : quotePath(shown, { quotePath: this.#config.getBoolean('core.quotepath', true) }));
  }

  /** Without a path, attributes do not count. */
  #searchContent(path: string | undefined, content: Buffer, name: string): boolean {
    const driver: DiffDriver = (path === undefined ? undefined : this.#drivers?.driverOf(path)) ?? plainDriver;
    const text = path === undefined ? undefined : this.#texts?.find(path, () => content);
    return this.#search.search({ name, content: text ?? content, isBinary: text === undefined && (driver.isBinary ?? isBinary(content)), findFunction: driver.findFunction });
  }

  #searchIndex(isCached: boolean): boolean {
    const repository = this.#repository!;
    const index = readIndex(repository);
    const tree = isCached ? undefined : new WorkTree(repository, index);
    let isHit = false;
    let last: string | undefined;
    for (const entry of index.entries) {
      const { path, mode, stage, skipWorktree, assumeValid, intentToAdd, id } = entry;
      if (path === last || (mode & 0o170000) !== 0o100000) continue;
      if (!isCached && skipWorktree) continue;
      if (!this.#isWanted(path)) continue;
      if (isCached || assumeValid) {
        if (stage > 0 || intentToAdd) continue;
        if (this.#searchContent(path, repository.objects.read(id).bytes, this.#shownName(path))) isHit = true;
      } else {
        last = path;
        const content = readWorkFile(tree!.diskPath(path));
        if (content !== undefined && this.#searchContent(path, content, this.#shownName(path))) isHit = true;
      }
      if (isHit && this.#isQuiet) return true;
    }
    return isHit;
  }

  #searchObject(name: string, id: ObjectId): boolean {
    const { objects } = this.#repository!;
    const shown = latin1(name);
    const target = peel(this.#repository!, id, 'any') ?? id;
    this.#before = shown;
    const { type } = objects.readHeader(target);
    if (type === 'blob') return this.#searchContent(undefined, objects.read(target).bytes, shown);
    this.#before = `${shown}:`;
    return this.#searchTree(peel(this.#repository!, target, 'tree')!, '', this.#before, type === 'commit');
  }

  #searchTree(tree: ObjectId, directory: string, before: string, hasAttributes: boolean): boolean {
    const { objects } = this.#repository!;
    let isHit = false;
    for (const { name, mode, id } of objects.readTree(tree)) {
      const path = directory + name;
      if (isTreeMode(mode)) {
        if (this.#pathspec.mayMatchBelow(`${path}/`) && this.#searchTree(id, `${path}/`, before, hasAttributes)) isHit = true;
      } else if ((mode & 0o170000) === 0o100000 && this.#isWanted(path)) {
        if (this.#searchContent(hasAttributes ? path : undefined, objects.read(id).bytes, this.#shownName(path, before))) isHit = true;
      }
      if (isHit && this.#isQuiet) return true;
    }
    return isHit;
  }

  /** Every file, in the index or not. */
  #searchDirectory(skipsIgnored: boolean): boolean {
    const repository = this.#repository;
    const top = repository === undefined ? this.#context.cwd : repository.requireWorkTree();
    const rules = skipsIgnored && repository !== undefined ? IgnoreRules.load(repository) : undefined;
    const paths = [...this.#listFiles(top, '', rules)].sort();
    let isHit = false;
    for (const path of paths) {
      if (!this.#isWanted(path)) continue;
      const content = readWorkFile(Buffer.concat([Buffer.from(`${top}/`), Buffer.from(path, 'latin1')]));
      if (content !== undefined && this.#searchContent(path, content, this.#shownName(path))) isHit = true;
      if (isHit && this.#isQuiet) return true;
    }
    return isHit;
  }

  *#listFiles(top: string, directory: string, rules: IgnoreRules | undefined): Generator<RepoPath> {
    const place = Buffer.concat([Buffer.from(`${top}/`), Buffer.from(directory, 'latin1')]);
    for (const entry of fs.readdirSync(place, { withFileTypes: true, encoding: 'buffer' })) {
      const name = entry.name.toString('latin1');
      const path = directory + name;
      const isDirectory = entry.isDirectory();
      if (name.toLowerCase() === '.git' || (isDirectory && name === '.cairn') || rules?.isIgnored(path, isDirectory)) continue;
      if (!isDirectory) yield path as RepoPath;
      else if (this.#pathspec.mayMatchBelow(`${path}/`) && !(rules !== undefined && fs.existsSync(join(top, path, '.git')))) yield* this.#listFiles(top, `${path}/`, rules);
    }
  }
}

/** Undefined for what is no file, or is not there. */
function readWorkFile(path: string | Buffer): Buffer | undefined {
  try {
    return fs.lstatSync(path).isFile() ? fs.readFileSync(path) : undefined;
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

function patternsOf(text: string): ExpressionWord[] {
  return latin1(text).split('\n').map((line) => ({ kind: 'pattern', text: line }));
}

function readColors(config: Config): SearchColors {
  const color = (name: string, standard: string): string => formatColor(config.get(`color.grep.${name}`) ?? standard);
  const match = config.get('color.grep.match') ?? 'bold red';
  return {
    context: color('context', ''), filename: color('filename', 'magenta'), function: color('function', ''), lineNumber: color('linenumber', 'green'),
    column: color('column', 'green'), matchContext: color('matchcontext', match), matchSelected: color('matchselected', match), selected: color('selected', ''),
    separator: color('separator', 'cyan'),
  };
}
