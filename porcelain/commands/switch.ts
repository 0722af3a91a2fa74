// cairn switch: go to another branch. Where to is decided in ../destination.ts, going there is ../switching.ts.
import { RefusedError, UsageError } from '../../pack/errors.js';
import type { Arguments, Command } from '../../plumbing/command.js';
import { readIndex } from '../../plumbing/index/index-file.js';
import { readMergeState } from '../../plumbing/merge/merge-state.js';
import { Repository } from '../../plumbing/repository.js';
import type { Tracking } from '../branch.js';
import { findDestination, guessDestination, nameFromTracked, newBranch, orphanBranch, unknownDestination } from '../destination.js';
import { carrying } from '../carrying.js';
import { findRebaseProgress } from '../sequence/rebase-progress.js';
import { type Destination, switchTo } from '../switching.js';

export const command: Command = {
  name: 'switch',
  family: 'cairn',
  summary: 'go to another branch',
  usage: [
    'switch [-f] [--no-guess] (<branch> | -)',
    'switch [-f] (-c | -C) <new-branch> [<start>]',
    'switch [-f] --detach [<commit>]',
    'switch [-f] --orphan <new-branch>',
  ],
  options: [
    { name: 'create', short: 'c', value: 'branch', help: 'make this branch and go there' },
    { name: 'force-create', short: 'C', value: 'branch', help: 'the same, moving a branch that exists' },
    { name: 'detach', short: 'd', negatable: true, help: 'go to a commit, on no branch' },
    { name: 'guess', negatable: true, help: 'make a branch that only a remote has (the default)' },
    { name: 'discard-changes', negatable: true, help: 'give up local changes' },
    { name: 'merge', short: 'm', negatable: true, help: 'merge local changes that are in the way into where they go' },
    { name: 'force', short: 'f', negatable: true, help: 'the same' },
    { name: 'track', short: 't', value: 'mode', valueOptional: true, negatable: true, help: 'the new branch follows what it starts from (direct), or what that follows (inherit)' },
    { name: 'orphan', value: 'branch', help: 'begin a branch without history' },
    { name: 'ignore-other-worktrees', negatable: true, help: 'also a branch that is checked out elsewhere' },
    { name: 'quiet', short: 'q', negatable: true, help: 'say nothing but errors' },
  ],
  run(context, args) {
    const repository = Repository.open(context);
    repository.requireWorkTree();
    const discards = args.has('force') || args.has('discard-changes');
    if (args.has('merge') && discards) throw new RefusedError('--discard-changes and --merge do not go together', { code: 'bad-options' });
    const destination = decide(repository, args);
    const doing = findOperation(repository);
    if (doing !== undefined) throw new RefusedError(`cannot switch branch while ${doing}`, { code: 'merge-under-way', hint: 'conclude that first, or give it up with --abort or --quit' });
    if (!discards && readIndex(repository).isUnmerged) {
      throw new RefusedError('you need to resolve your current index first', { code: 'unmerged-index', hint: 'resolve and add what is in conflict' });
    }
    const carry = args.has('merge') ? carrying(repository, args.positionals[0] ?? 'HEAD') : undefined;
    switchTo(repository, { destination, changes: discards ? 'discard' : 'keep', quiet: args.has('quiet'), carry });
    return 0;
  },
};

/** What is unfinished here, in words. */
function findOperation(repository: Repository): string | undefined {
  const { mergeHeads, cherryPickHead, revertHead, sequence } = readMergeState(repository);
  if (mergeHeads.length > 0) return 'merging';
  if (findRebaseProgress(repository) !== undefined) return 'rebasing';
  if (cherryPickHead !== undefined || sequence === 'pick') return 'cherry-picking';
  return revertHead !== undefined || sequence === 'revert' ? 'reverting' : undefined;
}

function decide(repository: Repository, args: Arguments): Destination {
  const words = args.positionals;
  if (words.length > 1) throw new UsageError('only one reference expected');
  const [word] = words;
  const orphan = args.value('orphan');
  const created = args.value('create') ?? args.value('force-create');
  const given = ['orphan', 'create', 'force-create', 'detach'].filter((name) => args.has(name));
  if (given.length > 1) throw new UsageError(`--${given[0]} and --${given[1]} do not go together`);
  if (orphan !== undefined) {
    if (word !== undefined) throw new UsageError('--orphan takes no starting point');
    return orphanBranch(repository, orphan);
  }
  const track = trackingOf(args);
  const name = created ?? (track !== undefined && track !== 'no' && word !== undefined ? nameFromTracked(word) : undefined);
  if (name !== undefined) {
    const unborn = repository.refs.find('HEAD') === undefined && word === undefined;
    if (unborn) return orphanBranch(repository, name);
    return newBranch(repository, name, word ?? 'HEAD', { force: args.has('force-create'), track, quiet: args.has('quiet') });
  }
  if (word === undefined && !args.has('detach')) throw new UsageError('missing branch or commit argument');
  const destination = findDestination(repository, word ?? 'HEAD', { detach: args.has('detach'), ignoresOthers: args.has('ignore-other-worktrees') });
  if (destination === undefined) {
    const guessed = word !== undefined && !args.has('detach') && (args.flag('guess') ?? repository.config.getBoolean('checkout.guess') ?? true) ? guessDestination(repository, word) : undefined;
    if (guessed === undefined) throw unknownDestination(word ?? 'HEAD');
    return guessed;
  }
  if (destination.kind === 'detached' && !args.has('detach')) {
    throw new RefusedError(`a branch is expected, got '${word!}'`, { code: 'not-a-branch', hint: 'to go to a commit say --detach' });
  }
  return destination;
}

function trackingOf(args: Arguments): Tracking {
  const flag = args.flag('track');
  if (flag === undefined) return undefined;
  const mode = args.value('track') ?? 'direct';
  if (mode !== 'direct' && mode !== 'inherit') throw new UsageError("option '--track' expects \"direct\" or \"inherit\"");
  return flag ? mode : 'no';
}
