// Bringing HEAD, index and work tree from one commit to another: what switch, checkout, reset and merge have in common. Specified by
// git-switch(1), git-reset(1) and the table of the two-tree merge in git-read-tree(1).
//
// First all is decided, and what would lose a local change or an untracked file is refused with nothing touched; then files, then the index,
// then HEAD. If the power fails in between, HEAD is still where it was and status shows how far it came; the same command brings it to its end.
import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { RefusedError } from '../pack/errors.js';
import { type ObjectId, emptyTreeId, zeroId } from '../pack/oid.js';
import { pathToUtf8 } from '../pack/tree.js';
import { diffTreeToWorkTree } from '../plumbing/diff/diff-index.js';
import { runHook } from '../plumbing/hooks.js';
import { IgnoreRules } from '../plumbing/ignore.js';
import { type IndexLock, lockIndex } from '../plumbing/index/index-lock.js';
import { clearMergeState, readMergeState } from '../plumbing/merge/merge-state.js';
import { subjectOf } from '../plumbing/message.js';
import { readPathProtection } from '../plumbing/path-safety.js';
import { quotePath } from '../plumbing/quote.js';
import type { RefName } from '../plumbing/refs/ref-name.js';
import { RefTransaction, updateRef } from '../plumbing/refs/ref-transaction.js';
import type { Repository } from '../plumbing/repository.js';
import { type TreeMergeKind, type TreeMergePlan, describeRejection, planTreeMerge, primeCacheTree } from '../plumbing/index/tree-merge.js';
import { applyRefresh, relativePath, scanWorkTree } from '../plumbing/index/work-status.js';
import { WorkTree } from '../plumbing/index/work-tree.js';
import { type BranchPlan, shortBranch } from './branch.js';
import { formatTracking } from './status-format.js';
import { readUpstream } from './status-report.js';
import { Progress } from './terminal.js';

/** How local changes are treated: kept or refused ('keep'), given up ('discard'). */
export type Changes = 'keep' | 'discard';

/**
 * Brings the locked index and the work tree from tree `from` (undefined: nothing) to tree `to`; the index is not written yet. RefusedError
 * 'changes-in-the-way', with nothing touched, when that would lose something.
 */
export function moveTrees(repository: Repository, { index }: IndexLock, from: ObjectId | undefined, to: ObjectId, changes: Changes, doing: string): void {
  if (changes === 'keep') requireMerged(index.isUnmerged);
  const { format } = repository;
  const plan = changes === 'discard' ? planMove(repository, index, 'one', [to], { reset: true }, doing)
    : planMove(repository, index, 'two', [from ?? emptyTreeId(format), to], {}, doing);
  using progress = new Progress(repository.context, 'Updating files', plan.updates.length);
  plan.apply(index, new WorkTree(repository, index), (files) => { progress.update(files); });
}

function requireMerged(isUnmerged: boolean): void {
  if (isUnmerged) throw new RefusedError('you need to resolve your current index first', { code: 'unmerged-index', hint: 'resolve and add what is in conflict' });
}

/** A plan that loses nothing. */
export function planMove(
  repository: Repository, index: IndexLock['index'], kind: TreeMergeKind, trees: readonly ObjectId[], options: { readonly reset?: boolean }, doing: string,
): TreeMergePlan {
  let rules: IgnoreRules | undefined;
  const plan = planTreeMerge(repository.objects, index, trees, {
    kind, ...options, workTree: new WorkTree(repository, index), compareContent: true, initial: !existsSync(repository.indexPath),
    rules: () => (rules ??= IgnoreRules.load(repository)), protection: readPathProtection(repository.config),
  });
  requireNoLoss(repository, plan, doing);
  return plan;
}

/** Lists what is in the way, all of it, and refuses. */
function requireNoLoss({ context }: Repository, { rejections }: TreeMergePlan, doing: string): void {
  const [first] = rejections;
  if (first === undefined) return;
  const groups: readonly (readonly [string, (reason: string) => boolean])[] = [
    [`your local changes to the following files would be overwritten by ${doing}:`, (reason) => reason === 'not-uptodate' || reason === 'would-overwrite'],
    [`the following untracked working tree files would be overwritten by ${doing}:`, (reason) => reason === 'untracked-overwritten'],
    [`the following untracked working tree files would be removed by ${doing}:`, (reason) => reason === 'untracked-removed'],
    [`updating the following directories would lose untracked files in them:`, (reason) => reason === 'directory-not-clean'],
  ];
  for (const [title, fits] of groups) {
    const paths = rejections.filter(({ reason }) => fits(reason)).map(({ path }) => path).sort();
    if (paths.length > 0) context.stderr.write(`error: ${title}\n${paths.map((path) => `\t${pathToUtf8(path)}\n`).join('')}`);
  }
  throw new RefusedError(rejections.length === 1 ? describeRejection(first) : `${rejections.length} paths are in the way of the ${doing}`, {
    code: 'changes-in-the-way', hint: 'commit or take back the changes, or move the files away',
  });
}

/** Where HEAD goes. */
export type Destination =
  | { readonly kind: 'branch'; readonly full: RefName; readonly id: ObjectId; readonly plan?: BranchPlan }
  | { readonly kind: 'detached'; readonly id: ObjectId; readonly name: string }
  /** A branch without a commit; the index becomes empty, and so do tracked files. */
  | { readonly kind: 'orphan'; readonly full: RefName };

export interface SwitchRequest {
  readonly destination: Destination;
  readonly changes: Changes;
  readonly quiet: boolean;
  /** Leave index and work tree as they are (checkout --orphan at the current commit). */
  readonly keepsTrees?: boolean;
  /** Looks at local changes even where the branch begins at the current commit. */
  readonly looksAround?: boolean;
  /** Takes local changes along by merging where the move alone would lose them; false where there is nothing to merge. */
  readonly carry?: ((lock: IndexLock, from: ObjectId, to: ObjectId, fromName: string) => boolean) | undefined;
}

/** Brings everything there, tells what was changed locally, and runs post-checkout. */
export function switchTo(repository: Repository, { destination, changes, quiet, keepsTrees, looksAround, carry }: SwitchRequest): void {
  const { objects, refs, format, context } = repository;
  const head = refs.find('HEAD')?.id;
  const branch = refs.headBranch();
  const treeOf = (id: ObjectId | undefined): ObjectId => (id === undefined ? emptyTreeId(format) : objects.readCommit(id).tree);
  const id = destination.kind === 'orphan' ? undefined : destination.id;
  // A branch begun where one is changes nothing else, and then git does not look around either.
  const staysPut = looksAround !== true && destination.kind === 'branch' && destination.plan !== undefined && destination.plan.former === undefined && id === head && changes === 'keep';
  if (keepsTrees !== true && !staysPut) {
    using lock = lockIndex(repository);
    const carried = changes === 'keep' && carry?.(lock, treeOf(head), treeOf(id), branch === undefined ? head ?? '' : shortBranch(branch)) === true;
    if (!carried) moveTrees(repository, lock, treeOf(head), treeOf(id), changes, 'checkout');
    lock.write();
    if (!quiet && id !== undefined && changes === 'keep') printChanges(repository, lock, treeOf(id));
  }
  moveHead(repository, destination, branch, head);
  clearMergeState(repository);
  if (!quiet) tell(repository, destination, branch, head);
  if (destination.kind === 'branch') {
    destination.plan?.track();
    if (!quiet && (destination.plan === undefined || destination.plan.former !== undefined)) tellTracking(repository, destination.full, destination.id);
  }
  context.stdout.flush();
  runPostCheckout(repository, head, id, true);
}

/** Tells how far a branch and what it follows have gone apart. */
export function tellTracking(repository: Repository, branch: RefName, head: ObjectId): void {
  const upstream = readUpstream(repository, branch, head, true);
  if (upstream === undefined) return;
  const program = basename(repository.gitDirectory) === '.cairn' ? 'cairn' : 'git';
  const text = formatTracking(upstream, program, repository.config.getBoolean('advice.statushints') !== false);
  repository.context.stdout.write(Buffer.from(text, 'latin1'));
}

/** Runs the hook; git's exit code then is the hook's, ours only warns. */
export function runPostCheckout(repository: Repository, from: ObjectId | undefined, to: ObjectId | undefined, isBranch: boolean): void {
  const none = zeroId(repository.format);
  const { exitCode } = runHook(repository, 'post-checkout', { args: [from ?? none, to ?? none, isBranch ? '1' : '0'] });
  if (exitCode !== 0) throw new RefusedError(`the post-checkout hook failed with exit code ${exitCode}`, { code: 'hook-failed', hint: 'the checkout itself was done' });
}

/** Prints the files that are not as in the tree: 'M\tpath'. */
export function printChanges(repository: Repository, { index }: IndexLock, tree: ObjectId): void {
  const { entries } = diffTreeToWorkTree(repository, tree, index);
  repository.context.stdout.write(Buffer.from(entries.filter(({ status }) => status !== 'same').map(({ status, path }) => `${status}\t${quotePath(path)}\n`).join(''), 'latin1'));
}

function moveHead(repository: Repository, destination: Destination, branch: RefName | undefined, head: ObjectId | undefined): void {
  const from = branch === undefined ? head! : shortBranch(branch);
  const action = repository.context.env['GIT_REFLOG_ACTION'] ?? 'checkout';
  const message = (to: string): string => `${action}: moving from ${from} to ${to}`;
  switch (destination.kind) {
    case 'detached':
      updateRef(repository, { name: 'HEAD', expected: head ?? 'absent', target: { id: destination.id }, noDeref: true, message: message(destination.name) });
      return;
    case 'orphan':
      updateRef(repository, { name: 'HEAD', target: { symbolic: destination.full } });
      return;
    case 'branch': {
      const { plan, full, id } = destination;
      if (plan !== undefined) {
        updateRef(repository, { name: full, expected: plan.former ?? 'absent', target: { id }, message: plan.message });
      }
      using transaction = new RefTransaction(repository);
      transaction.add({ name: 'HEAD', target: { symbolic: full }, message: message(shortBranch(full)) }).commit();
    }
  }
}

function tell(repository: Repository, destination: Destination, branch: RefName | undefined, head: ObjectId | undefined): void {
  const { objects, context: { stderr } } = repository;
  const describe = (id: ObjectId): string => `${objects.abbreviate(id, 7)} ${Buffer.from(subjectOf(objects.readCommit(id).message.toString('latin1')), 'latin1').toString()}`;
  const isElsewhere = destination.kind === 'orphan' || head !== destination.id;
  if (branch === undefined && head !== undefined && isElsewhere) stderr.write(`Previous HEAD position was ${describe(head)}\n`);
  if (destination.kind === 'detached') stderr.write(`HEAD is now at ${describe(destination.id)}\n`);
  else if (destination.kind === 'orphan') stderr.write(`Switched to a new branch '${shortBranch(destination.full)}'\n`);
  else if (destination.plan !== undefined) {
    stderr.write(`${destination.plan.former === undefined ? 'Switched to a new branch' : destination.full === branch ? 'Reset branch' : 'Switched to and reset branch'} '${shortBranch(destination.full)}'\n`);
  } else stderr.write(`${destination.full === branch ? 'Already on' : 'Switched to branch'} '${shortBranch(destination.full)}'\n`);
}

// ---- reset

export type ResetMode = 'soft' | 'mixed' | 'hard' | 'merge' | 'keep';

/** Moves the current branch to `id`, and index and work tree as the mode says; returns the paths whose files differ from a mixed reset's index. */
export function resetTo(repository: Repository, id: ObjectId, mode: ResetMode, typed: string): readonly string[] {
  const { objects, refs } = repository;
  const head = refs.find('HEAD')?.id;
  const { tree } = objects.readCommit(id);
  let changed: readonly string[] = [];
  if (mode === 'soft') {
    if (readMergeState(repository).mergeHeads.length > 0) throw new RefusedError('cannot do a soft reset in the middle of a merge', { code: 'merge-under-way' });
  } else {
    using lock = lockIndex(repository);
    changed = resetTrees(repository, lock, head === undefined ? undefined : objects.readCommit(head).tree, tree, mode);
    lock.write();
  }
  noteReset(repository, id, typed);
  clearMergeState(repository);
  return changed;
}

/** HEAD's part of a reset: it goes to `id`, and where it was is kept as ORIG_HEAD. */
export function noteReset(repository: Repository, id: ObjectId, typed: string): void {
  const head = repository.refs.find('HEAD')?.id;
  using transaction = new RefTransaction(repository);
  if (head !== undefined) transaction.add({ name: 'ORIG_HEAD', target: { id: head } });
  const action = repository.context.env['GIT_REFLOG_ACTION'];
  transaction.add({ name: 'HEAD', expected: head ?? 'absent', target: { id }, message: action === undefined ? `reset: moving to ${typed}` : `${action}: updating HEAD` });
  transaction.commit();
}

function resetTrees(repository: Repository, lock: IndexLock, from: ObjectId | undefined, to: ObjectId, mode: Exclude<ResetMode, 'soft'>): readonly string[] {
  const { index } = lock;
  if (mode === 'hard') moveTrees(repository, lock, from, to, 'discard', 'reset');
  else if (mode === 'merge') planMove(repository, index, 'one', [to], {}, 'reset').apply(index, new WorkTree(repository, index));
  else if (mode === 'keep') moveTrees(repository, lock, from, to, 'keep', 'reset');
  if (mode === 'mixed' || mode === 'keep') {
    const plan = planTreeMerge(repository.objects, index, [to], { kind: 'one', reset: true, protection: readPathProtection(repository.config) });
    plan.apply(index);
  }
  primeCacheTree(index, repository.objects, to);
  return mode === 'mixed' && repository.workTree !== undefined ? refresh(repository, lock) : [];
}

const changeLetters = { added: 'A', modified: 'M', deleted: 'D', typechange: 'T', unmerged: 'U' } as const;

/** Brings the stat data of unchanged files up to date; lines for those that are changed. */
export function refresh(repository: Repository, { index }: IndexLock): readonly string[] {
  const scan = scanWorkTree(new WorkTree(repository, index), index);
  applyRefresh(index, scan);
  return scan.changes.map(({ kind, path }) => `${changeLetters[kind]}\t${quotePath(relativePath(path, repository.prefix))}\n`);
}
