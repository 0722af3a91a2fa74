// cairn worktree: further work trees of one repository.
import { basename } from 'node:path';
import { CairnError, InvalidError, NotFoundError, RefusedError, UsageError } from '../../pack/errors.js';
import { type Arguments, type Command, type OptionSpec, parseArguments } from '../../plumbing/command.js';
import { parseExpiry } from '../../plumbing/date.js';
import { displayWidth } from '../../plumbing/history/format.js';
import { latin1 } from '../../plumbing/latin1.js';
import { subjectOf } from '../../plumbing/message.js';
import { quotePath } from '../../plumbing/quote.js';
import { branchName, isRefName, type RefName } from '../../plumbing/refs/ref-name.js';
import { Repository } from '../../plumbing/repository.js';
import { type Tracking, createBranch, findCheckedOut, findStart, resolveStart } from '../branch.js';
import { expandDash, guessDestination } from '../destination.js';
import { type WorkTreeEntry, add, checkPlace, findEntry, findPruneReason, forget, greet, listEntries, listPrunable, lock, move, remove, repair, unlock } from '../linked-work-tree.js';

const force: OptionSpec = { name: 'force', short: 'f', negatable: true, help: 'insist; twice for a locked work tree' };
const tables: Readonly<Record<string, readonly OptionSpec[]>> = {
  add: [
    force,
    { name: 'b', value: 'branch', help: 'make a branch and be on it' },
    { name: 'B', value: 'branch', help: 'the same, and move the branch when there is one' },
    { name: 'detach', short: 'd', negatable: true, help: 'be on no branch' },
    { name: 'checkout', negatable: true, help: 'write the files (default)' },
    { name: 'lock', negatable: true, help: 'leave it locked' },
    { name: 'reason', value: 'text', help: 'why it is locked' },
    { name: 'quiet', short: 'q', negatable: true, help: 'say nothing but errors' },
    { name: 'track', value: 'mode', valueOptional: true, negatable: true, help: 'what the new branch follows' },
    { name: 'guess-remote', negatable: true, help: 'make the branch from the one remote branch of that name' },
  ],
  list: [
    { name: 'porcelain', negatable: true, help: 'a form for programs' },
    { name: 'verbose', short: 'v', negatable: true, help: 'tell why work trees are locked or can be pruned' },
    { name: 'expire', value: 'time', help: 'can be pruned only when not used since' },
    { name: 'z', help: 'end lines with NUL, with --porcelain' },
    { name: 'json', help: 'list as JSON' },
  ],
  lock: [{ name: 'reason', value: 'text', help: 'why it is locked' }],
  unlock: [],
  move: [force],
  prune: [
    { name: 'dry-run', short: 'n', negatable: true, help: 'only tell what would be removed' },
    { name: 'verbose', short: 'v', negatable: true, help: 'tell what is removed' },
    { name: 'expire', value: 'time', help: 'only what was not used since' },
  ],
  remove: [force],
  repair: [],
};

export const command: Command = {
  name: 'worktree',
  family: 'git',
  summary: 'make, list and remove further work trees',
  usage: [
    'worktree add [-f] [--detach] [--checkout] [--lock [--reason <text>]] [(-b | -B) <branch>] <path> [<commit>]',
    'worktree list [-v | --porcelain [-z] | --json]',
    'worktree lock [--reason <text>] <worktree>',
    'worktree move [-f] <worktree> <path>',
    'worktree prune [-n] [-v] [--expire <time>]',
    'worktree remove [-f] <worktree>',
    'worktree repair [<path>...]',
    'worktree unlock <worktree>',
  ],
  options: [...new Map(Object.values(tables).flat().map((option) => [option.name, option])).values()],
  rawArguments: true,
  run(context, { argv }) {
    const [verb = '', ...rest] = argv;
    const table = Object.hasOwn(tables, verb) ? tables[verb] : undefined;
    if (table === undefined) throw new UsageError(verb === '' ? 'a subcommand is needed' : `unknown subcommand: '${verb}'`);
    const args = parseArguments({ options: table }, rest);
    const repository = Repository.open(context);
    switch (verb) {
      case 'add': return runAdd(repository, args);
      case 'list': return runList(repository, args);
      case 'lock': return runLock(repository, args);
      case 'unlock': return runUnlock(repository, args);
      case 'move': return runMove(repository, args);
      case 'prune': return runPrune(repository, args);
      case 'remove': return runRemove(repository, args);
      default: return runRepair(repository, args);
    }
  },
};

function expect(args: Arguments, least: number, most = least): string[] {
  const { positionals } = args;
  if (positionals.length < least || positionals.length > most) throw new UsageError(positionals.length < least ? 'too few arguments' : 'too many arguments');
  return positionals;
}

function runAdd(repository: Repository, args: Arguments): number {
  const { context, refs } = repository;
  const [path, typed] = expect(args, 1, 2) as [string, string | undefined];
  const given = ['b', 'B', 'detach'].filter((name) => args.has(name));
  if (given.length > 1) throw new InvalidError('options -b, -B, and --detach cannot be used together', { code: 'bad-options' });
  const lockReason = args.has('lock') ? args.value('reason') ?? 'added with --lock' : undefined;
  if (args.has('reason') && lockReason === undefined) throw new InvalidError("the option '--reason' requires '--lock'", { code: 'bad-options' });
  const insists = args.count('force');
  const quiet = args.has('quiet');
  const say = (text: string): void => { if (!quiet) context.stderr.write(`Preparing worktree (${text})\n`); };
  const plan = decide(repository, args, path, typed);
  const full = plan.name === undefined ? undefined : `refs/heads/${plan.name}` as RefName;
  const isReset = plan.isNew && args.has('B') && refs.find(full!) !== undefined;
  if (full !== undefined && (!plan.isNew || isReset) && insists === 0) requireFree(repository, full);
  const commit = resolveStart(repository, plan.start);
  const target = checkPlace(repository, path, insists);
  if (plan.isNew) {
    say(isReset ? `resetting branch '${plan.name}'` : `new branch '${plan.name}'`);
    try {
      createBranch(repository, { name: plan.name!, start: plan.start, force: args.has('B'), track: plan.track, quiet });
    } catch (error) {
      if (!(error instanceof CairnError)) throw error;
      // Git lets its branch command do this, and fails with this code when that failed.
      context.stderr.write(`fatal: ${error.message}\n`);
      return 255;
    }
  } else say(plan.name === undefined ? `detached HEAD ${repository.objects.abbreviate(commit, 7)}` : `checking out '${plan.name}'`);
  const checksOut = args.flag('checkout') !== false;
  const inner = add(repository, target, { path, branch: full, commit, checksOut, lockReason, force: insists });
  if (checksOut && !quiet) {
    const subject = subjectOf(repository.objects.readCommit(commit).message.toString('latin1'));
    context.stdout.write(Buffer.from(`HEAD is now at ${repository.objects.abbreviate(commit, 7)} ${subject}\n`, 'latin1'));
  }
  context.stdout.flush();
  if (checksOut) greet(inner, commit);
  return 0;
}

/** The branch it is to be on (undefined: none), whether that is made first, and where it begins. */
interface Plan { readonly name: string | undefined; readonly isNew: boolean; readonly start: string; readonly track: Tracking }

function decide(repository: Repository, args: Arguments, path: string, typed: string | undefined): Plan {
  const { refs } = repository;
  const flag = args.flag('track');
  const track: Tracking = flag === undefined ? undefined : flag ? (args.value('track') === 'inherit' ? 'inherit' : 'direct') : 'no';
  const start = typed === undefined ? 'HEAD' : expandDash(typed);
  const created = args.value('b') ?? args.value('B');
  if (created !== undefined) return { name: created, isNew: true, start, track };
  const isBranch = (name: string): boolean => isRefName(`refs/heads/${name}`) && refs.find(`refs/heads/${name}`) !== undefined;
  if (args.has('detach')) return { name: undefined, isNew: false, start, track };
  if (typed === undefined) {
    const name = basename(path);
    if (isBranch(name)) return { name, isNew: false, start: `refs/heads/${name}`, track };
    const guesses = args.flag('guess-remote') ?? repository.config.getBoolean('worktree.guessremote', false);
    const guess = guesses ? guessDestination(repository, name) : undefined;
    if (guess?.kind === 'branch' && guess.plan !== undefined) return { name, isNew: true, start: guess.id, track };
    return { name, isNew: true, start, track };
  }
  if (findStart(repository, start) === undefined) {
    const guess = guessDestination(repository, typed);
    if (guess === undefined) throw new NotFoundError(`invalid reference: ${typed}`, { code: 'bad-revision' });
    return { name: typed, isNew: true, start: upstreamName(repository, typed), track: 'direct' };
  }
  if (track !== undefined) throw new RefusedError('--[no-]track can only be used if a new branch is created', { code: 'bad-options' });
  const name = branchName(`refs/heads/${start}`) ?? start;
  return isBranch(name) ? { name, isNew: false, start: `refs/heads/${name}`, track } : { name: undefined, isNew: false, start, track };
}

/** The one remote branch of that name, in full. */
function upstreamName({ refs }: Repository, name: string): string {
  const found = [...refs.list('refs/remotes/')].find((ref) => ref.name.endsWith(`/${name}`));
  return found?.name ?? name;
}

function requireFree(repository: Repository, full: RefName): void {
  const place = findCheckedOut(repository, full);
  if (place !== undefined) throw new RefusedError(`'${branchName(full) ?? full}' is already checked out at '${place}'`, { code: 'branch-in-use' });
}

function runList(repository: Repository, args: Arguments): number {
  expect(args, 0);
  const { context } = repository;
  if (args.has('porcelain') && args.has('verbose')) throw new InvalidError("options '--verbose' and '--porcelain' cannot be used together", { code: 'bad-options' });
  if (args.has('z') && !args.has('porcelain')) throw new InvalidError("the option '-z' requires '--porcelain'", { code: 'bad-options' });
  const typed = args.value('expire');
  const expire = typed === undefined ? Infinity : parseExpiry(typed, context.clock);
  const entries = listEntries(repository);
  if (args.has('json')) {
    context.stdout.write(`${JSON.stringify(entries.map((entry) => describe(entry, expire)))}\n`);
    return 0;
  }
  const text = args.has('porcelain') ? entries.map((entry) => formatRecord(entry, expire, args.has('z'))).join('') : formatTable(repository, entries, expire, args.has('verbose'));
  context.stdout.write(Buffer.from(text, 'latin1'));
  return 0;
}

function describe(entry: WorkTreeEntry, expire: number): object {
  const { path, isMain, isBare, head, branch, lockReason } = entry;
  return { path, main: isMain, bare: isBare, head: head?.id ?? null, branch: branch ?? null, locked: lockReason ?? null, prunable: findPruneReason(entry, expire) ?? null };
}

function formatRecord(entry: WorkTreeEntry, expire: number, isNul: boolean): string {
  const { path, isBare, head, branch, lockReason } = entry;
  const lines = [`worktree ${latin1(path)}`];
  if (isBare) lines.push('bare');
  else {
    lines.push(`HEAD ${head?.id ?? ''}`);
    if (head?.isDetached) lines.push('detached');
    else if (branch !== undefined) lines.push(`branch ${branch}`);
  }
  const quoted = (text: string): string => (isNul ? latin1(text) : quotePath(latin1(text)));
  if (lockReason !== undefined) lines.push(lockReason === '' ? 'locked' : `locked ${quoted(lockReason)}`);
  const reason = findPruneReason(entry, expire);
  if (reason !== undefined) lines.push(`prunable ${reason}`);
  const end = isNul ? '\0' : '\n';
  return lines.map((line) => line + end).join('') + end;
}

function formatTable({ objects }: Repository, entries: readonly WorkTreeEntry[], expire: number, isVerbose: boolean): string {
  const ids = entries.map(({ head }) => (head === undefined ? '' : objects.abbreviate(head.id, 7)));
  const pathWidth = Math.max(...entries.map(({ path }) => displayWidth(latin1(path))));
  const idWidth = Math.max(...ids.map((id) => id.length));
  return entries.map((entry, at) => {
    const { path, isBare, head, branch, lockReason } = entry;
    const name = latin1(path);
    let line = `${name}${' '.repeat(pathWidth - displayWidth(name))}  `;
    if (isBare) line += '(bare)';
    else line += `${ids[at]!.padEnd(idWidth)} ${head?.isDetached ? '(detached HEAD)' : branch === undefined ? '(error)' : `[${latin1(branchName(branch) ?? branch)}]`}`;
    if (lockReason !== undefined) line += isVerbose && lockReason !== '' ? `\n\tlocked: ${latin1(lockReason)}` : ' locked';
    const reason = findPruneReason(entry, expire);
    if (reason !== undefined) line += isVerbose ? `\n\tprunable: ${reason}` : ' prunable';
    return `${line}\n`;
  }).join('');
}

function linkedEntry(repository: Repository, typed: string): WorkTreeEntry {
  const entry = findEntry(repository, typed);
  if (entry.isMain) throw new RefusedError('the main working tree cannot be locked or unlocked', { code: 'main-work-tree' });
  return entry;
}

function runLock(repository: Repository, args: Arguments): number {
  const entry = linkedEntry(repository, expect(args, 1)[0]!);
  if (entry.lockReason !== undefined) throw new RefusedError(`'${args.positionals[0]}' is already locked${entry.lockReason === '' ? '' : `, reason: ${entry.lockReason}`}`, { code: 'work-tree-locked' });
  lock(entry, args.value('reason') ?? '');
  return 0;
}

function runUnlock(repository: Repository, args: Arguments): number {
  const entry = linkedEntry(repository, expect(args, 1)[0]!);
  if (entry.lockReason === undefined) throw new RefusedError(`'${args.positionals[0]}' is not locked`, { code: 'work-tree-unlocked' });
  unlock(entry);
  return 0;
}

function runMove(repository: Repository, args: Arguments): number {
  const [from, to] = expect(args, 2) as [string, string];
  move(repository, findEntry(repository, from), to, args.count('force'));
  return 0;
}

function runRemove(repository: Repository, args: Arguments): number {
  remove(repository, findEntry(repository, expect(args, 1)[0]!), args.count('force'));
  return 0;
}

function runPrune(repository: Repository, args: Arguments): number {
  expect(args, 0);
  const { context } = repository;
  const typed = args.value('expire');
  const isDry = args.has('dry-run');
  for (const { id, reason } of listPrunable(repository, typed === undefined ? Infinity : parseExpiry(typed, context.clock))) {
    if (isDry || args.has('verbose')) context.stderr.write(`Removing worktrees/${id}: ${reason}\n`);
    if (!isDry) forget(repository, id);
  }
  return 0;
}

function runRepair(repository: Repository, args: Arguments): number {
  const { context } = repository;
  let failed = false;
  for (const { path, what, isError } of repair(repository, args.positionals.length > 0 ? args.positionals : ['.'])) {
    context.stderr.write(`${isError ? 'error' : 'repair'}: ${what}: ${path}\n`);
    failed ||= isError;
  }
  return failed ? 1 : 0;
}
