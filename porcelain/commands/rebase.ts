// cairn rebase: do commits again on top of another base. What is to be done is decided in ../sequence/rebase-plan.ts, doing it is
// ../sequence/rebasing.ts.
import { CairnError, InvalidError, RefusedError, UsageError } from '../../pack/errors.js';
import { type ObjectId, emptyTreeId } from '../../pack/oid.js';
import { encodeTree } from '../../pack/tree.js';
import { terminalColumns } from '../../plumbing/columns.js';
import { type Arguments, type Command, parseArguments } from '../../plumbing/command.js';
import { DiffRequest, diffOptions } from '../../plumbing/diff/diff-options.js';
import { DiffOutput } from '../../plumbing/diff/diff-report.js';
import { diffTrees } from '../../plumbing/diff/diff.js';
import { mergeBases } from '../../plumbing/history/merge-base.js';
import { RevWalk } from '../../plumbing/history/walk.js';
import { walkOptions } from '../../plumbing/history/walk-options.js';
import { runHook } from '../../plumbing/hooks.js';
import { authorIdent, committerIdent } from '../../plumbing/identity.js';
import { parseStrategyOptions } from '../../plumbing/merge/strategy-option.js';
import { Repository } from '../../plumbing/repository.js';
import { storeCommit } from '../commit-object.js';
import { HistoryView, viewOptions } from '../history-view.js';
import { runForJson } from '../sequence/json-outcome.js';
import { type RebaseRange, addCommands, isUpToDate, listItems, moveFixups, planRange } from '../sequence/rebase-plan.js';
import type { RebaseOptions } from '../sequence/rebase-state.js';
import { Rebase, hasLocalChanges } from '../sequence/rebasing.js';

export const command: Command = {
  name: 'rebase',
  family: 'git',
  summary: 'do commits again on top of another base',
  usage: [
    'rebase [-i] [<options>] [--exec <command>] [--onto <base> | --keep-base] [<upstream> [<branch>]]',
    'rebase [-i] [<options>] [--exec <command>] [--onto <base>] --root [<branch>]',
    'rebase (--continue | --skip | --abort | --quit | --edit-todo | --show-current-patch)',
  ],
  options: [
    { name: 'onto', value: 'base', help: 'go there instead of to the upstream' },
    { name: 'keep-base', help: 'stay where the branch left the upstream' },
    { name: 'root', help: 'all commits, from the first' },
    { name: 'interactive', short: 'i', help: 'edit the list of what is done' },
    { name: 'exec', short: 'x', value: 'command', help: 'run a command line after each commit' },
    { name: 'autosquash', negatable: true, help: 'with -i: put fixups behind what they belong to' },
    { name: 'autostash', negatable: true, help: 'set local changes aside meanwhile' },
    { name: 'fork-point', negatable: true, help: 'leave out what the upstream has dropped by its reflog' },
    { name: 'force-rebase', short: 'f', help: 'make all commits anew, changed or not' },
    { name: 'no-ff', help: 'the same' },
    { name: 'empty', value: 'what', help: 'commits that become empty: drop, keep or ask' },
    { name: 'keep-empty', negatable: true, help: 'keep commits that were empty to begin with (the default)' },
    { name: 'reapply-cherry-picks', negatable: true, help: 'also commits whose change is upstream already' },
    { name: 'signoff', help: 'add a Signed-off-by trailer to each commit' },
    { name: 'committer-date-is-author-date', help: 'committed when it was written' },
    { name: 'reset-author-date', help: 'written now' },
    { name: 'ignore-date', help: 'the same' },
    { name: 'reschedule-failed-exec', negatable: true, help: 'a command line that fails is tried again' },
    { name: 'strategy', short: 's', value: 'strategy', help: 'ort, recursive or resolve: all mean the same' },
    { name: 'strategy-option', short: 'X', value: 'option', help: 'how to merge: ours, theirs, ignore-space-change, no-renames, patience, ...' },
    { name: 'merge', short: 'm', help: 'merge, instead of applying patches (as is done anyway)' },
    { name: 'stat', help: 'tell what changed upstream' },
    { name: 'no-stat', short: 'n', help: 'do not' },
    { name: 'quiet', short: 'q', help: 'say nothing but errors' },
    { name: 'verbose', short: 'v', help: 'the same as --stat' },
    { name: 'no-verify', negatable: true, help: 'do not run the hook pre-rebase' },
    { name: 'continue', help: 'commit what is resolved, and go on' },
    { name: 'skip', help: 'leave out the commit that stopped, and go on' },
    { name: 'abort', help: 'bring everything back to where it was' },
    { name: 'quit', help: 'forget the rebase; HEAD, index and files stay' },
    { name: 'json', help: 'print the result as JSON' },
    { name: 'edit-todo', help: 'edit the list of what is left' },
    { name: 'show-current-patch', help: 'show the commit that stopped' },
  ],
  run(context, args) {
    return args.has('json') ? runForJson(context, args, rebaseWith) : rebaseWith(Repository.open(context), args);
  },
};

function rebaseWith(repository: Repository, args: Arguments): number {
  repository.requireWorkTree();
  const rebase = new Rebase(repository);
  const controls = ['continue', 'skip', 'abort', 'quit', 'edit-todo', 'show-current-patch'].filter((name) => args.has(name));
  if (controls.length > 0) {
    if (args.argv.length > 1) throw new UsageError(`--${controls[0]!} expects no arguments`);
    return control(repository, rebase, controls[0]!);
  }
  if (rebase.isUnderWay) {
    throw new RefusedError('a rebase is in progress already', { code: 'rebase-under-way', hint: 'say --continue, --skip, --abort or --quit' });
  }
  if (args.positionals.length > 2 || (args.has('root') && args.positionals.length > 1)) throw new UsageError('too many arguments');
  return start(repository, rebase, args);
}

function control(repository: Repository, rebase: Rebase, what: string): number {
  if (!rebase.isUnderWay) throw new RefusedError('no rebase in progress?', { code: 'no-rebase' });
  switch (what) {
    case 'continue': return rebase.continue();
    case 'skip': return rebase.skip();
    case 'abort': rebase.abort(); return 0;
    case 'quit': rebase.quit(); return 0;
    case 'edit-todo': return orOne(repository, () => { rebase.editTodo(); return 0; });
    default: return showStopped(repository);
  }
}

/** What cannot be done now is told, with exit code 1. */
function orOne({ context }: Repository, action: () => number): number {
  try {
    return action();
  } catch (error) {
    if (!(error instanceof CairnError) || error instanceof UsageError) throw error;
    context.stdout.flush();
    context.stderr.write(`error: ${error.message}\n${error.hint === undefined ? '' : `hint: ${error.hint}\n`}`);
    return 1;
  }
}

function showStopped(repository: Repository): number {
  const id = repository.refs.find('REBASE_HEAD')?.id;
  if (id === undefined) throw new RefusedError('no commit stopped the rebase', { code: 'no-rebase' });
  const taken = new Set([...walkOptions, ...viewOptions].map(({ name }) => name));
  const args = parseArguments({ options: [...walkOptions, ...viewOptions, ...diffOptions.filter(({ name }) => !taken.has(name))] }, []);
  const view = new HistoryView(repository.context, repository, args, { showsPatches: true, denseMerges: true, paths: [], mailmap: undefined });
  for (const node of new RevWalk(repository, [{ id }], { noWalk: 'unsorted', keep: 'contents' })) view.show(node);
  view.flush();
  return view.code;
}

function start(repository: Repository, rebase: Rebase, args: Arguments): number {
  const { config, context } = repository;
  const options = readOptions(repository, args);
  const [first, second] = args.positionals.map((word) => (word === '-' ? '@{-1}' : word));
  if (args.has('keep-base') && args.has('onto')) throw new InvalidError('options --keep-base and --onto cannot be used together', { code: 'bad-options' });
  if (args.has('keep-base') && args.has('root')) throw new InvalidError('options --keep-base and --root cannot be used together', { code: 'bad-options' });
  if (args.has('fork-point') && args.has('root')) throw new InvalidError('options --root and --fork-point cannot be used together', { code: 'bad-options' });
  for (const line of args.values('exec')) {
    if (line.trim() === '') throw new RefusedError('empty exec command', { code: 'bad-options' });
    if (line.includes('\n')) throw new RefusedError('exec commands cannot contain newlines', { code: 'bad-options' });
  }
  const isRoot = args.has('root');
  let range: RebaseRange;
  try {
    range = planRange(repository, {
      upstream: isRoot ? undefined : first, branch: isRoot ? first : second, onto: args.value('onto'), isRoot, keepsBase: args.has('keep-base'), usesForkPoint: args.flag('fork-point'),
    });
  } catch (error) {
    if (error instanceof CairnError && error.code === 'no-upstream') return explainUpstream(repository);
    throw error;
  }
  const edits = args.has('interactive');
  const commands = args.values('exec');
  const isForced = args.has('force-rebase') || args.has('no-ff') || options.signOff || options.ignoresDate || options.committerDateIsAuthorDate;
  const changes = hasLocalChanges(repository);
  if (changes.unstaged || changes.staged) {
    if (args.flag('autostash') ?? config.getBoolean('rebase.autostash') === true) rebase.setAside();
    else {
      context.stderr.write(`error: cannot rebase: ${changes.unstaged ? 'you have unstaged changes' : 'your index contains uncommitted changes'}\nhint: commit or stash them\n`);
      return 1;
    }
  }
  const usesAutosquash = args.flag('autosquash') ?? config.getBoolean('rebase.autosquash') === true;
  if (!edits && commands.length === 0 && !usesAutosquash && isUpToDate(repository, range)) {
    const what = range.branchName === 'HEAD' ? 'HEAD' : `Current branch ${range.branchName}`;
    if (!options.quiet) context.stdout.write(`${what} is up to date${isForced ? ', rebase forced' : ''}.\n`);
    if (!isForced) {
      const named = isRoot ? first : second;
      if (named !== undefined) rebase.goTo({ ...range, onto: range.origHead, squashOnto: undefined }, named);
      rebase.end();
      return 0;
    }
  }
  if (!args.has('no-verify')) {
    const { exitCode } = runHook(repository, 'pre-rebase', { args: [isRoot ? '--root' : range.upstreamName!, ...(args.positionals.length > (isRoot ? 0 : 1) ? [args.positionals.at(-1)!] : [])] });
    if (exitCode !== 0) {
      rebase.end();
      throw new RefusedError('the pre-rebase hook refused to rebase', { code: 'hook-failed' });
    }
  }
  if (wantsStat(repository, args, options)) tellUpstream(repository, range, options);
  const squashOnto = isRoot && range.onto === undefined ? storeNothing(repository) : undefined;
  const onto = range.onto ?? squashOnto!;
  const reapplies = args.flag('reapply-cherry-picks') ?? args.has('keep-base');
  const listed = listItems(repository, { ...range, onto }, squashOnto, { reapplies, keepsEmpty: args.flag('keep-empty') !== false });
  const moved = usesAutosquash && edits ? moveFixups(repository, listed) : listed;
  const items = addCommands(moved.length === 0 && commands.length > 0 ? [] : moved, commands);
  return rebase.start({
    headName: range.headName, origHead: range.origHead, onto, ontoName: squashOnto ?? range.ontoName, squashOnto, items, edits, allowsForward: !isForced,
  }, options);
}

function readOptions({ config }: Repository, args: Arguments): RebaseOptions {
  const strategy = args.value('strategy');
  if (strategy !== undefined && !['ort', 'recursive', 'resolve'].includes(strategy)) throw new UsageError(`strategy '${strategy}' is not supported`);
  const strategyOptions = args.values('strategy-option');
  parseStrategyOptions(strategyOptions);
  const empty = args.value('empty') ?? (args.has('interactive') ? 'ask' : args.has('exec') ? 'keep' : 'drop');
  if (empty !== 'drop' && empty !== 'keep' && empty !== 'ask') throw new InvalidError(`unrecognized empty type '${empty}'; valid values are "drop", "keep", and "ask"`, { code: 'bad-options' });
  return {
    quiet: args.has('quiet'), verbose: args.has('verbose'), signOff: args.has('signoff'), committerDateIsAuthorDate: args.has('committer-date-is-author-date'),
    ignoresDate: args.has('ignore-date') || args.has('reset-author-date'), empty,
    reschedulesExec: args.flag('reschedule-failed-exec') ?? config.getBoolean('rebase.reschedulefailedexec') === true,
    strategyOptions,
  };
}

/** A commit of nothing, so that there is something to rebase a first commit onto. */
function storeNothing(repository: Repository): ObjectId {
  repository.objects.write('tree', encodeTree([], repository.format));
  return storeCommit(repository, { tree: emptyTreeId(repository.format), parents: [], author: authorIdent(repository), committer: committerIdent(repository), message: '' });
}

function wantsStat({ config }: Repository, args: Arguments, { quiet, verbose }: RebaseOptions): boolean {
  const last = args.lastOf('stat', 'no-stat');
  if (quiet) return false;
  return verbose || (last === undefined ? config.getBoolean('rebase.stat') === true : last === 'stat');
}

/** What the upstream changed since the branch left it. */
function tellUpstream(repository: Repository, { onto, origHead }: RebaseRange, { verbose }: RebaseOptions): void {
  const { context, objects } = repository;
  if (onto === undefined) return;
  const bases = mergeBases(repository, onto, [origHead]);
  const base = bases.length === 1 ? bases[0] : undefined;
  if (verbose) context.stdout.write(base === undefined ? `Changes to ${onto}:\n` : `Changes from ${base} to ${onto}:\n`);
  const request = new DiffRequest(repository, parseArguments({ options: diffOptions }, ['--stat', '--summary', '-M']), { porcelain: true, columns: terminalColumns(context) });
  const output = new DiffOutput(context);
  request.write(request.finish(diffTrees(objects, base === undefined ? undefined : objects.readCommit(base).tree, objects.readCommit(onto).tree, { recursive: true })), output.sink);
  output.end();
}

/** What to do where nothing says what to rebase onto. */
function explainUpstream({ context, refs, config }: Repository): number {
  const branch = refs.headBranch()?.replace(/^refs\/heads\//, '');
  const remote = branch === undefined ? undefined : config.get(`branch.${branch}.remote`) ?? '<remote>';
  context.stdout.write(`${branch === undefined ? 'You are not currently on a branch.' : 'There is no tracking information for the current branch.'}\n`
    + 'Please specify which branch you want to rebase against.\nSee git-rebase(1) for details.\n\n    git rebase \'<branch>\'\n\n'
    + (branch === undefined ? '' : `If you wish to set tracking information for this branch you can do so with:\n\n    git branch --set-upstream-to=${remote!}/<branch> ${branch}\n\n`));
  return 1;
}
