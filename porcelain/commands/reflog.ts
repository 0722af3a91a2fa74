// cairn reflog: where each ref has been; show it, expire old entries, delete one.
import { CorruptError, InvalidError, UsageError } from '../../pack/errors.js';
import { type Arguments, type Command, type Context, type OptionSpec, parseArguments } from '../../plumbing/command.js';
import { parseExpiry } from '../../plumbing/date.js';
import { type RefName, isRefName, refSearchPatterns } from '../../plumbing/refs/ref-name.js';
import { hasReflog, listReflogs } from '../../plumbing/refs/reflog.js';
import { type ExpiryRules, expireReflog, findReflogNumber } from '../../plumbing/refs/reflog-expiry.js';
import { Repository } from '../../plumbing/repository.js';
import { showReflogs } from '../reflog-view.js';

const changing: readonly OptionSpec[] = [
  { name: 'dry-run', short: 'n', negatable: true, help: 'change nothing' },
  { name: 'rewrite', negatable: true, help: 'close the gaps that removed entries leave' },
  { name: 'updateref', negatable: true, help: 'move the ref to what its newest remaining entry says' },
  { name: 'verbose', negatable: true, help: 'tell of every entry' },
];
const tables: Readonly<Record<string, readonly OptionSpec[]>> = {
  // The ones most asked for; all of log's are taken.
  show: [
    { name: 'max-count', short: 'n', value: 'number', help: 'show at most this many entries' },
    { name: 'skip', value: 'number', help: 'leave out this many first' },
    { name: 'format', value: 'format', help: 'how each entry is shown' },
    { name: 'date', value: 'mode', help: 'show times instead of numbers' },
    { name: 'abbrev-commit', negatable: true, help: 'shorten ids (default)' },
    { name: 'json', help: 'show: one JSON object per line' },
  ],
  expire: [
    ...changing,
    { name: 'expire', value: 'time', help: 'remove entries older than this' },
    { name: 'expire-unreachable', value: 'time', help: 'remove entries older than this that the ref no longer leads to' },
    { name: 'stale-fix', negatable: true, help: 'remove entries whose commits are gone or incomplete, too' },
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
    'reflog [show] [<log options>] [<ref>]',
    'reflog expire [--expire=<time>] [--expire-unreachable=<time>] [--rewrite] [--updateref]\n              [--stale-fix] [--dry-run] [--verbose] [--all [--single-worktree] | <ref>...]',
    'reflog delete [--rewrite] [--updateref] [--dry-run] [--verbose] <ref>@{<specifier>}...',
    'reflog exists <ref>',
  ],
  options: [...new Map(Object.values(tables).flat().map((option) => [option.name, option])).values()],
  rawArguments: true,
  paged: true,
  run(context, args) {
    const [first = 'show', ...rest] = args.argv;
    const isNamed = Object.hasOwn(tables, first);
    const verb = isNamed ? first : 'show';
    const words = isNamed ? rest : args.argv;
    const repository = Repository.open(context);
  
    if (verb === 'show') return showReflogs(repository, ['--abbrev-commit', '--pretty=oneline', ...words]);
    const parsed = parseArguments({ options: tables[verb]! }, words);
    switch (verb) {
      case 'expire': return expire(repository, parsed);
      case 'delete': return remove(repository, parsed);
      default: return exists(repository, parsed);
    }
  },
};

function exists(repository: Repository, args: Arguments): number {
  const [name] = args.positionals;
  if (name === undefined) throw new UsageError('a ref is needed');
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
  if (args.has('stale-fix') && args.has('verbose')) context.stdout.write('Marking reachable objects...\n');
  const rules: ExpiryRules = { ...rulesOf(args), staleFix: args.has('stale-fix'), expire: time('expire'), expireUnreachable: time('expire-unreachable') };
  let failed = false;
  const names: RefName[] = [];
  if (args.has('all')) names.push(...listReflogs(repository, { allWorkTrees: !args.has('single-worktree') }));
  const unnamed = names.length;
  for (const typed of args.positionals) {
    const name = findLogged(repository, typed);
    if (name === undefined) {
      context.stderr.write(`error: ${typed} points nowhere!\n`);
      failed = true;
    } else {
      names.push(name);
    }
  }
  // Stock git says "would" of all refs, but not of those that are named.
  for (const [at, name] of names.entries()) if (!apply(repository, name, rules, args.has('verbose'), at < unnamed)) failed = true;
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
    if (!apply(repository, name, { ...rulesOf(args), onlyNumber: findReflogNumber(repository, name, match[2]!) }, args.has('verbose'), true)) failed = true;
  }
  return failed ? 255 : 0;
}

/** A damaged reflog is left as it is and said to be so; others go on. */
function apply(repository: Repository, name: RefName, rules: ExpiryRules, verbose: boolean, saysWould: boolean): boolean {
  const { context } = repository;
  try {
    for (const { entry, isPruned } of expireReflog(repository, name, rules)) {
      if (verbose) print(context, `${isPruned ? (rules.dryRun && saysWould ? 'would prune' : 'prune') : 'keep'} ${entry.message}\n`);
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
  for (const pattern of refSearchPatterns) {
    const name = pattern.replace('%', () => typed);
    if (isRefName(name, { oneLevel: true }) && hasReflog(repository, name)) return name;
  }
  return undefined;
}

function print(context: Context, latin1: string): void {
  context.stdout.write(Buffer.from(latin1, 'latin1'));
}
