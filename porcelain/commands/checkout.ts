// cairn checkout: go to another branch or commit, or bring files back; switch and restore in one, as git has it.
import { InvalidError, NotFoundError, RefusedError, UsageError } from '../../pack/errors.js';
import type { Arguments, Command, Context } from '../../plumbing/command.js';
import { lockIndex } from '../../plumbing/index/index-lock.js';
import { clearMergeState } from '../../plumbing/merge/merge-state.js';
import { normalisePath } from '../../plumbing/pathspec.js';
import { readPathspecs } from '../../plumbing/pathspec-file.js';
import { Repository } from '../../plumbing/repository.js';
import { findRevision, peel } from '../../plumbing/history/revision.js';
import { WorkTree } from '../../plumbing/index/work-tree.js';
import { type Tracking, findStart } from '../branch.js';
import { expandDash, findDestination, guessDestination, nameFromTracked, newBranch, orphanBranch, unknownDestination } from '../destination.js';
import { choosingModes } from '../hunks/choosing-mode.js';
import { chooseHunks } from '../hunks/hunk-choosing.js';
import { restorePaths } from '../restoring.js';
import { carrying } from '../carrying.js';
import { type Destination, moveTrees, printChanges, refresh, runPostCheckout, switchTo, tellTracking } from '../switching.js';

export const command: Command = {
  name: 'checkout',
  family: 'cairn',
  summary: 'go to another branch or commit, or bring files back',
  usage: [
    'checkout [-f] [-q] [(-b | -B | --orphan) <new-branch>] [--detach] [<branch> | <commit> | -]',
    'checkout [-f | --ours | --theirs] [<tree>] [--] <pathspec>...',
    'checkout -p [<tree>] [--] [<pathspec>...]',
  ],
  options: [
    { name: 'b', value: 'branch', help: 'make this branch and go there' },
    { name: 'B', value: 'branch', help: 'the same, moving a branch that exists' },
    { name: 'l', help: 'keep a log of the new branch (as is done anyway)' },
    { name: 'detach', short: 'd', negatable: true, help: 'go to a commit, on no branch' },
    { name: 'guess', negatable: true, help: 'make a branch that only a remote has (the default)' },
    { name: 'force', short: 'f', negatable: true, help: 'give up local changes; pass unmerged paths over' },
    { name: 'track', short: 't', value: 'mode', valueOptional: true, negatable: true, help: 'the new branch follows what it starts from (direct), or what that follows (inherit)' },
    { name: 'orphan', value: 'branch', help: 'begin a branch without history; index and files stay' },
    { name: 'ignore-other-worktrees', negatable: true, help: 'also a branch that is checked out elsewhere' },
    { name: 'patch', short: 'p', negatable: true, help: 'choose hunk by hunk what is brought back' },
    { name: 'ours', short: '2', help: 'of unmerged paths take our version' },
    { name: 'theirs', short: '3', help: 'of unmerged paths take their version' },
    { name: 'merge', short: 'm', negatable: true, help: 'merge local changes that are in the way into where they go' },
    { name: 'overlay', negatable: true, help: 'keep files the tree does not have (the default)' },
    { name: 'quiet', short: 'q', negatable: true, help: 'say nothing but errors' },
    { name: 'pathspec-from-file', value: 'file', help: 'read pathspecs from this file; - is standard input' },
    { name: 'pathspec-file-nul', negatable: true, help: 'they end in NUL' },
  ],
  run(context, args) {
    const repository = Repository.open(context);
    repository.requireWorkTree();
    const { word, paths } = split(repository, args);
    const making = ['b', 'B', 'orphan'].filter((name) => args.has(name));
    if (making.length > 1) throw new UsageError('-b, -B and --orphan do not go together');
    if (args.has('patch')) return choose(repository, args, word, paths);
    if (paths.length > 0) return restore(context, repository, args, word, paths);
    if (args.has('ours') || args.has('theirs')) throw new UsageError('--ours and --theirs are about paths');
    if (args.flag('overlay') !== undefined) throw new UsageError('--overlay and --no-overlay are about paths');
    return go(repository, args, word);
  },
};

/** Where to go or what to take from, and which paths; a word that is both a revision and a file must be told apart by '--'. */
function split(repository: Repository, args: Arguments): { readonly word: string | undefined; readonly paths: readonly string[] } {
  const { before, after, dashes } = args.split();
  const fromFile = args.value('pathspec-from-file') !== undefined;
  if (dashes) {
    if (before.length > 1) throw new UsageError('one branch or tree at most before --');
    return { word: before[0], paths: readPathspecs(repository.context, args, after) };
  }
  const [first, ...rest] = before;
  if (first === undefined) return { word: undefined, paths: fromFile ? readPathspecs(repository.context, args, []) : [] };
  const isRevision = findStart(repository, expandDash(first)) !== undefined || findRevision(repository, expandDash(first)) !== undefined;
  if (isRevision) {
    if (rest.length === 0 && isFile(repository, first)) {
      throw new InvalidError(`'${first}' could be both a local file and a tracking branch or commit`, { code: 'ambiguous-argument', hint: "use -- to tell them apart" });
    }
    return { word: first, paths: readPathspecs(repository.context, args, rest) };
  }
  const makes = args.has('b') || args.has('B') || args.has('orphan') || args.has('track');
  if (makes || (rest.length === 0 && !isFile(repository, first) && guesses(repository, args) && guessDestination(repository, first) !== undefined)) {
    return { word: first, paths: rest };
  }
  return { word: undefined, paths: readPathspecs(repository.context, args, before) };
}

function isFile(repository: Repository, word: string): boolean {
  if (word.startsWith(':') || word === '-') return false;
  try {
    const path = normalisePath(Buffer.from(word).toString('latin1'), repository.prefix, repository.workTree);
    return path === '' || new WorkTree(repository).findStatus(path.replace(/\/$/, '')) !== undefined;
  } catch (error) {
    if (error instanceof NotFoundError || error instanceof InvalidError) return false;
    throw error;
  }
}

function guesses(repository: Repository, args: Arguments): boolean {
  return args.flag('guess') ?? repository.config.getBoolean('checkout.guess') ?? true;
}

function choose(repository: Repository, args: Arguments, word: string | undefined, paths: readonly string[]): number {
  const other = ['b', 'B', 'orphan', 'detach', 'merge', 'force', 'ours', 'theirs'].find((name) => args.has(name));
  if (other !== undefined) throw new RefusedError(`--patch does not go with --${other}`, { code: 'bad-options' });
  if (word === undefined) chooseHunks(repository, { mode: choosingModes['discard-from-files'], paths });
  else chooseHunks(repository, { mode: choosingModes[word === 'HEAD' ? 'discard-from-both' : 'apply-to-both'], tree: treeOf(repository, word), paths });
  return 0;
}

function restore(context: Context, repository: Repository, args: Arguments, word: string | undefined, paths: readonly string[]): number {
  if (args.has('merge')) throw new UsageError('--merge is not supported with paths');
  if (args.has('b') || args.has('B') || args.has('orphan') || args.has('detach')) throw new UsageError('making a branch or detaching HEAD does not go with paths');
  const tree = word === undefined ? undefined : treeOf(repository, word);
  const side = args.lastOf('ours', 'theirs');
  if (tree !== undefined && (side !== undefined || args.has('force'))) throw new UsageError(`--${side ?? 'force'} does not go with a tree`);
  const unmerged = side === 'ours' ? 2 as const : side === 'theirs' ? 3 as const : args.has('force') ? 'skip' as const : undefined;
  const count = restorePaths(repository, {
    tree, paths, index: tree !== undefined, workTree: true, overlay: args.flag('overlay') ?? true, ...(unmerged === undefined ? {} : { unmerged }),
  });
  if (!args.has('quiet')) context.stderr.write(`Updated ${count} path${count === 1 ? '' : 's'} from ${tree === undefined ? 'the index' : repository.objects.abbreviate(tree, 7)}\n`);
  const head = repository.refs.find('HEAD')?.id;
  runPostCheckout(repository, head, head, false);
  return 0;
}

function treeOf(repository: Repository, word: string): NonNullable<ReturnType<typeof peel>> {
  const id = findStart(repository, expandDash(word)) ?? findRevision(repository, expandDash(word), 'treeish');
  const tree = id === undefined ? undefined : peel(repository, id, 'tree');
  if (tree === undefined) throw unknownDestination(word);
  return tree;
}

function go(repository: Repository, args: Arguments, word: string | undefined): number {
  if (args.has('merge') && args.has('force')) throw new InvalidError('-f and -m do not go together', { code: 'bad-options' });
  const quiet = args.has('quiet');
  const changes = args.has('force') ? 'discard' : 'keep';
  const orphan = args.value('orphan');
  if (orphan !== undefined) {
    const destination = orphanBranch(repository, orphan);
    if (word !== undefined) {
      const start = findDestination(repository, word, { detach: true, ignoresOthers: true });
      if (start === undefined) throw unknownDestination(word);
      throw new RefusedError('--orphan with a starting point is not supported', { code: 'unsupported', hint: `say cairn checkout ${word} first` });
    }
    switchTo(repository, { destination, changes, quiet, keepsTrees: true });
    return 0;
  }
  const destination = decide(repository, args, word);
  if (destination === undefined) return refreshOnly(repository, args);
  const carry = args.has('merge') ? carrying(repository, word ?? 'HEAD') : undefined;
  switchTo(repository, { destination, changes, quiet, carry });
  return 0;
}

/** Undefined: stay. */
function decide(repository: Repository, args: Arguments, word: string | undefined): Destination | undefined {
  const track = trackingOf(args);
  const name = args.value('b') ?? args.value('B') ?? (track !== undefined && track !== 'no' && word !== undefined ? nameFromTracked(word) : undefined);
  if (name !== undefined) {
    if (repository.refs.find('HEAD') === undefined && word === undefined) return orphanBranch(repository, name);
    return newBranch(repository, name, word ?? 'HEAD', { force: args.has('B'), track, quiet: args.has('quiet') });
  }
  if (word === undefined || (word === 'HEAD' && !args.has('detach'))) {
    if (!args.has('detach')) return undefined;
    return findDestination(repository, 'HEAD', { detach: true, ignoresOthers: true });
  }
  const found = findDestination(repository, word, { detach: args.has('detach'), ignoresOthers: args.has('ignore-other-worktrees') });
  if (found !== undefined) return found;
  const guessed = !args.has('detach') && guesses(repository, args) ? guessDestination(repository, word) : undefined;
  if (guessed === undefined) throw unknownDestination(word);
  return guessed;
}

function trackingOf(args: Arguments): Tracking {
  const flag = args.flag('track');
  if (flag === undefined) return undefined;
  const mode = args.value('track') ?? 'direct';
  if (mode !== 'direct' && mode !== 'inherit') throw new UsageError("option '--track' expects \"direct\" or \"inherit\"");
  return flag ? mode : 'no';
}

/** Nowhere to go: with force the files are brought back, without it told what is changed. */
function refreshOnly(repository: Repository, args: Arguments): number {
  const head = repository.refs.find('HEAD')?.id;
  if (head === undefined) throw new NotFoundError('you are on a branch yet to be born', { code: 'no-head' });
  const branch = repository.refs.headBranch();
  const { tree } = repository.objects.readCommit(head);
  using lock = lockIndex(repository);
  if (args.has('force')) moveTrees(repository, lock, tree, tree, 'discard', 'checkout');
  else refresh(repository, lock);
  lock.write();
  if (args.has('force')) clearMergeState(repository);
  if (!args.has('quiet')) {
    if (!args.has('force')) printChanges(repository, lock, tree);
    if (branch !== undefined) tellTracking(repository, branch, head);
  }
  runPostCheckout(repository, head, head, true);
  return 0;
}
