// cairn reflog: where each ref has been; show it, expire old entries, delete one.
import { CorruptError, InvalidError, NotFoundError, UsageError } from '../../pack/errors.js';
import { type Arguments, type Command, type Context, type OptionSpec, parseArguments } from '../../plumbing/command.js';
import { abbreviateId, abbreviationDigits } from '../../plumbing/abbreviation.js';
import { type DateMode, approximateDate, formatDate, parseDateMode, parseExpiry } from '../../plumbing/date.js';
import { CommitFormat, parsePrettyFormat } from '../../plumbing/format.js';
import { type RefName, isRefName } from '../../plumbing/ref-name.js';
import { type ReflogEntry, hasReflog, listReflogs, readReflog } from '../../plumbing/reflog.js';
import { type ExpiryRules, expireReflog, findReflogNumber } from '../../plumbing/reflog-expiry.js';
import { Repository } from '../../plumbing/repository.js';
import { expandRefName } from '../../plumbing/revision.js';
import { shortenRef } from '../../plumbing/short-ref.js';

const changing: readonly OptionSpec[] = [
  { name: 'dry-run', short: 'n', negatable: true, help: 'change nothing' },
  { name: 'rewrite', negatable: true, help: 'close the gaps that removed entries leave' },
  { name: 'updateref', negatable: true, help: 'move the ref to what its newest remaining entry says' },
  { name: 'verbose', negatable: true, help: 'tell of every entry' },
];
const tables: Readonly<Record<string, readonly OptionSpec[]>> = {
  show: [
    { name: 'max-count', short: 'n', value: 'number', help: 'show at most this many entries' },
    { name: 'skip', value: 'number', help: 'leave out this many first' },
    { name: 'format', value: 'format', help: 'how each entry is shown, as for log' },
    { name: 'date', value: 'mode', help: 'show times instead of numbers' },
    { name: 'abbrev-commit', negatable: true, help: 'shorten ids (default)' },
  ],
  expire: [
    ...changing,
    { name: 'expire', value: 'time', help: 'remove entries older than this' },
    { name: 'expire-unreachable', value: 'time', help: 'remove entries older than this that the ref no longer leads to' },
    { name: 'all', negatable: true, help: 'all refs' },
    { name: 'single-worktree', negatable: true, help: 'with --all, only refs of this work tree' },
  ],
  delete: changing,
  exists: [],
};

export const command: Command = {
  name: 'reflog',
  family: 'git',
  summary: 'show, expire or delete records of where refs have been',
  usage: [
    'reflog [show] [-n <number>] [--skip=<number>] [--format=<format>] [--date=<mode>] [<ref>]',
    'reflog expire [--expire=<time>] [--expire-unreachable=<time>] [--rewrite] [--updateref]\n              [--dry-run] [--verbose] [--all [--single-worktree] | <ref>...]',
    'reflog delete [--rewrite] [--updateref] [--dry-run] [--verbose] <ref>@{<specifier>}...',
    'reflog exists <ref>',
  ],
  options: [...new Map(Object.values(tables).flat().map((option) => [option.name, option])).values()],
  rawArguments: true,
  run(context, args) {
    const [first = 'show', ...rest] = args.argv;
    const isNamed = Object.hasOwn(tables, first);
    const verb = isNamed ? first : 'show';
    const parsed = parseArguments({ options: tables[verb]!, numeric: verb === 'show' }, isNamed ? rest : args.argv);
    const repository = Repository.open(context);
    switch (verb) {
      case 'expire': return expire(repository, parsed);
      case 'delete': return remove(repository, parsed);
      case 'exists': return exists(repository, parsed);
      default: return show(repository, parsed);
    }
  },
};

function exists(repository: Repository, args: Arguments): number {
  const [name] = args.positionals;
  if (name === undefined || args.positionals.length > 1) throw new UsageError('one ref is needed');
  if (!isRefName(name, { oneLevel: true })) throw new InvalidError(`invalid ref format: ${name}`, { code: 'bad-ref-name' });
  return hasReflog(repository, name) ? 0 : 1;
}

function rulesOf(args: Arguments): Pick<ExpiryRules, 'rewrite' | 'updateRef' | 'dryRun'> {
  return { rewrite: args.has('rewrite'), updateRef: args.has('updateref'), dryRun: args.has('dry-run') };
}

function expire(repository: Repository, args: Arguments): number {
  const { context } = repository;
  const time = (option: string): number | undefined => {
    const text = args.value(option);
    return text === undefined ? undefined : parseExpiry(text, context.clock);
  };
  const rules: ExpiryRules = { ...rulesOf(args), expire: time('expire'), expireUnreachable: time('expire-unreachable') };
  let failed = false;
  const names: RefName[] = [];
  if (args.has('all')) names.push(...listReflogs(repository, { allWorkTrees: !args.has('single-worktree') }));
  for (const typed of args.positionals) {
    const name = findLogged(repository, typed);
    if (name === undefined) {
      context.stderr.write(`error: ${typed} points nowhere!\n`);
      failed = true;
    } else {
      names.push(name);
    }
  }
  for (const name of names) if (!apply(repository, name, rules, args.has('verbose'))) failed = true;
  return failed ? 255 : 0;
}

function remove(repository: Repository, args: Arguments): number {
  const { stderr } = repository.context;
  if (args.positionals.length === 0) {
    stderr.write('error: no reflog specified to delete\n');
    return 255;
  }
  let failed = false;
  for (const typed of args.positionals) {
    const match = /^([^]*)@\{([^]*)\}$/.exec(typed);
    if (match === null) {
      stderr.write(`error: not a reflog: ${typed}\n`);
      failed = true;
      continue;
    }
    const name = findLogged(repository, match[1]!);
    if (name === undefined) {
      stderr.write(`error: no reflog for '${typed}'\n`);
      failed = true;
      continue;
    }
    if (!apply(repository, name, { ...rulesOf(args), onlyNumber: findReflogNumber(repository, name, match[2]!) }, args.has('verbose'))) failed = true;
  }
  return failed ? 255 : 0;
}

/** A damaged reflog is left as it is and said to be so; others go on. */
function apply(repository: Repository, name: RefName, rules: ExpiryRules, verbose: boolean): boolean {
  const { context } = repository;
  try {
    for (const { entry, isPruned } of expireReflog(repository, name, rules)) {
      if (verbose) print(context, `${isPruned ? (rules.dryRun ? 'would prune' : 'prune') : 'keep'} ${entry.message}\n`);
    }
    return true;
  } catch (error) {
    if (!(error instanceof CorruptError)) throw error;
    context.stderr.write(`error: ${error.message}\n`);
    return false;
  }
}

/** The ref a name stands for, among those that have a reflog. */
function findLogged(repository: Repository, typed: string): RefName | undefined {
  for (const pattern of ['%', 'refs/%', 'refs/tags/%', 'refs/heads/%', 'refs/remotes/%', 'refs/remotes/%/HEAD']) {
    const name = pattern.replace('%', () => typed);
    if (isRefName(name, { oneLevel: true }) && hasReflog(repository, name)) return name;
  }
  return undefined;
}

function show(repository: Repository, args: Arguments): number {
  const { context } = repository;
  if (args.positionals.length > 1) throw new UsageError('one ref at most');
  const typed = args.positionals[0] ?? 'HEAD';
  const start = /^(.*)@\{([^{}]*)\}$/.exec(typed);
  const base = start === null ? typed : start[1] || (repository.refs.headBranch() ?? 'HEAD');
  const name = expandRefName(repository, base);
  if (name === undefined) throw new NotFoundError(`'${typed}' is not a known ref`, { code: 'bad-revision' });
  const entries = readReflog(repository, name).reverse();
  let mode: DateMode | undefined = args.value('date') === undefined ? undefined : parseDateMode(args.value('date')!);
  let first = 0;
  if (start !== null && /^[0-9]+$/.test(start[2]!)) {
    first = Number(start[2]);
  } else if (start !== null) {
    const { seconds } = approximateDate(start[2]!, context.clock);
    mode ??= parseDateMode('default');
    first = entries.findIndex(({ ident }) => ident.seconds <= seconds);
    if (first < 0) first = Math.max(0, entries.length - 1);
  }
  const view = new EntryView(repository, args, base === '@' ? 'HEAD' : base, name, mode);
  const skip = count(args.value('skip'), 'skip') ?? 0;
  const most = count(args.value('max-count') ?? args.value('number'), 'max-count') ?? Infinity;
  let shown = 0;
  let passed = 0;
  for (let index = first; index < entries.length && shown < most; index += 1) {
    const text = view.format(entries[index]!, index);
    if (text === undefined) continue;
    passed += 1;
    if (passed <= skip) continue;
    print(context, text);
    shown += 1;
  }
  return 0;
}

function count(text: string | undefined, option: string): number | undefined {
  if (text === undefined) return undefined;
  if (!/^-?[0-9]+$/.test(text)) throw new UsageError(`option '${option}' expects a numerical value`);
  return Number(text) < 0 ? Infinity : Number(text);
}

/** How entries are written. */
class EntryView {
  readonly #repository: Repository;
  readonly #base: string;
  readonly #name: string;
  readonly #mode: DateMode | undefined;
  readonly #format: CommitFormat | undefined;
  readonly #inFull: boolean;

  constructor(repository: Repository, args: Arguments, base: string, name: string, mode: DateMode | undefined) {
    this.#repository = repository;
    this.#base = base;
    this.#name = name;
    this.#mode = mode;
    this.#inFull = args.flag('abbrev-commit') === false;
    const format = args.value('format');
    if (format !== undefined) {
      const pretty = parsePrettyFormat(format, repository.config);
      if (pretty.kind !== 'user' && pretty.kind !== 'oneline') throw new UsageError(`format '${format}' is not supported here; use cairn log -g`);
      if (pretty.kind === 'user') {
        this.#format = new CommitFormat(pretty, {
          repository, clock: repository.context.clock, dateMode: mode ?? parseDateMode('default'), abbreviation: abbreviationDigits(repository),
        });
      }
    }
  }

  /** The text with its line end; undefined for an entry that leads to no commit, which git does not show. */
  format(entry: ReflogEntry, index: number): string | undefined {
    const { objects } = this.#repository;
    if (objects.findHeader(entry.newId)?.type !== 'commit') return undefined;
    const selector = `@{${this.#mode === undefined ? index : formatDate(entry.ident.seconds, entry.ident.offset, this.#mode, this.#repository.context.clock)}}`;
    const full = Buffer.from(`${this.#name}${selector}`).toString('latin1');
    if (this.#format === undefined) {
      const id = this.#inFull ? entry.newId : abbreviateId(this.#repository, entry.newId);
      return `${id} ${Buffer.from(`${this.#base}${selector}`).toString('latin1')}: ${entry.message}\n`;
    }
    const commit = objects.readCommit(entry.newId);
    const shortSelector = Buffer.from(`${shortenRef(this.#repository, this.#name, false)}${selector}`).toString('latin1');
    return `${this.#format.format({
      id: entry.newId, commit, parents: commit.parents, reflog: { selector: full, shortSelector, ident: entry.ident, message: entry.message },
    })}\n`;
  }
}

function print(context: Context, latin1: string): void {
  context.stdout.write(Buffer.from(latin1, 'latin1'));
}
