// What cherry-pick and revert have in common on the command line: their options, and which commits are meant. See git-cherry-pick(1) and
// git-revert(1).
import { InvalidError, RefusedError, UsageError } from '../../pack/errors.js';
import type { ObjectId } from '../../pack/oid.js';
import { type Arguments, type OptionSpec, parseArguments } from '../../plumbing/command.js';
import { peel } from '../../plumbing/history/revision.js';
import { RevWalk } from '../../plumbing/history/walk.js';
import { parseWalk } from '../../plumbing/history/walk-options.js';
import { parseStrategyOptions } from '../../plumbing/merge/strategy-option.js';
import { Repository } from '../../plumbing/repository.js';
import { abortPicking, continuePicking, pickCommits, quitPicking, skipPicking } from './picking.js';
import type { ReplaySettings, StepOutcome } from './replay.js';

export const pickOptions: readonly OptionSpec[] = [
  { name: 'no-commit', short: 'n', negatable: true, help: 'change index and files, but make no commit' },
  { name: 'edit', short: 'e', negatable: true, help: 'edit the message' },
  { name: 'mainline', short: 'm', value: 'parent', help: 'of merges: which parent counts as the one before, from 1' },
  { name: 'signoff', short: 's', negatable: true, help: 'add a Signed-off-by trailer' },
  { name: 'cleanup', value: 'mode', help: 'what is taken out of the message: strip, whitespace, verbatim, scissors, default' },
  { name: 'strategy', value: 'strategy', help: 'ort, recursive or resolve: all mean the same' },
  { name: 'strategy-option', short: 'X', value: 'option', help: 'how to merge: ours, theirs, ignore-space-change, no-renames, patience, ...' },
  { name: 'continue', help: 'commit what is resolved, and go on' },
  { name: 'skip', help: 'leave out the commit that stopped, and go on' },
  { name: 'abort', help: 'go back to where it began' },
  { name: 'json', help: 'print the result as JSON' },
  { name: 'quit', help: 'forget what is left; HEAD, index and files stay' },
];

/** Runs either command; returns its exit code. */
export function runPicking(repository: Repository, args: Arguments, action: 'cherry-pick' | 'revert'): number {
  repository.requireWorkTree();
  const controls = ['quit', 'continue', 'skip', 'abort'].filter((name) => args.has(name));
  if (controls.length > 1) throw new UsageError(`--${controls[0]!} and --${controls[1]!} do not go together`);
  const settings = readSettings(repository, args, action);
  const [control] = controls;
  if (control === undefined) return codeOf(pick(repository, args, settings), action);
  const other = args.tokens.find((token) => token.kind === 'option' && token.name !== control && token.name !== 'edit');
  if (other?.kind === 'option') throw new InvalidError(`--${other.name} cannot be used with --${control}`, { code: 'bad-options' });
  switch (control) {
    case 'quit': quitPicking(repository); return 0;
    case 'abort': abortPicking(repository); return 0;
    case 'skip': return codeOf(skipPicking(repository, settings), action);
    default: return codeOf(continuePicking(repository, settings, args.flag('edit')), action);
  }
}

function codeOf(outcome: StepOutcome, action: string): number {
  if (outcome === 'refused') throw new RefusedError(`${action} failed`, { code: 'changes-in-the-way' });
  return outcome === 'done' ? 0 : 1;
}

function readSettings({ context }: Repository, args: Arguments, action: 'cherry-pick' | 'revert'): ReplaySettings {
  const strategy = args.value('strategy');
  if (strategy !== undefined && !['ort', 'recursive', 'resolve'].includes(strategy)) throw new UsageError(`strategy '${strategy}' is not supported`);
  const strategyOptions = args.values('strategy-option');
  parseStrategyOptions(strategyOptions);
  const parent = args.value('mainline');
  if (parent !== undefined && !/^[1-9][0-9]*$/.test(parent)) throw new UsageError("option 'mainline' expects a number greater than zero");
  const settings: ReplaySettings = {
    action, mainline: parent === undefined ? undefined : Number(parent), noCommit: args.has('no-commit'),
    edits: args.flag('edit') ?? (action === 'revert' && context.stdin.isTerminal), editAsked: args.flag('edit'), signOff: args.has('signoff'),
    recordsOrigin: args.has('x'), refers: args.has('reference'), allowsForward: args.has('ff'),
    allowsEmpty: args.has('allow-empty') || args.has('keep-redundant-commits'), keepsRedundant: args.has('keep-redundant-commits'), dropsRedundant: false,
    strategyOptions, cleanup: args.value('cleanup'),
  };
  const clash = settings.allowsForward ? ([['signoff', settings.signOff], ['no-commit', settings.noCommit], ['x', settings.recordsOrigin], ['edit', args.has('edit')]] as const).find(([, isGiven]) => isGiven) : undefined;
  if (clash !== undefined) throw new InvalidError(`--ff cannot be used with --${clash[0]}`, { code: 'bad-options' });
  return settings;
}

function pick(repository: Repository, args: Arguments, settings: ReplaySettings): StepOutcome {
  const words = args.positionals.map((word) => (word === '-' ? '@{-1}' : word));
  if (words.length === 0) throw new UsageError('name the commits');
  const request = parseWalk(repository, parseArguments({ options: [] }, ['--end-of-options', ...words]), { noWalk: 'unsorted' });
  for (const tip of request.set.tips) {
    if (peel(repository, tip.object, 'commit') === undefined) throw new InvalidError(`${tip.name}: can't ${settings.action} a ${tip.type}`, { code: 'wrong-type' });
  }
  const walks = request.options.noWalk === undefined;
  const walk = new RevWalk(repository, request.set.commits, { ...request.options, reverse: walks && settings.action === 'cherry-pick' });
  const commits: ObjectId[] = [];
  for (const node of walk) commits.push(node.id);
  if (commits.length === 0) throw new RefusedError('empty commit set passed', { code: 'no-commits' });
  const isSingle = words.length === 1 && !walks && commits.length === 1;
  return pickCommits(repository, commits, isSingle, settings);
}
