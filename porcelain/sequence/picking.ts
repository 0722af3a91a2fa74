// Picking or reverting commits, one or many: beginning, going on after a stop, and giving up. Specified by git-cherry-pick(1) and
// git-revert(1); the single step is replay.ts, what is kept between commands is pick-state.ts.
//
// A single commit keeps no list: what it left is CHERRY_PICK_HEAD or REVERT_HEAD alone. If the power fails, the list still has the commit that
// was being replayed, and --continue, --skip or --abort takes it from there.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { RefusedError } from '../../pack/errors.js';
import { type ObjectId, emptyTreeId, isZeroId } from '../../pack/oid.js';
import { readIndex } from '../../plumbing/index/index-file.js';
import { listStagedChanges } from '../../plumbing/index/staged-changes.js';
import { clearMergeState, readMergeState } from '../../plumbing/merge/merge-state.js';
import { quotePath } from '../../plumbing/quote.js';
import { holdLease } from '../../plumbing/refs/announcement.js';
import type { Repository } from '../../plumbing/repository.js';
import { resetTo } from '../switching.js';
import { authorIdent } from '../../plumbing/identity.js';
import { type ReplaySettings, type StepOutcome, Replayer, concludeByHand } from './replay.js';
import { beginSequence, endSequence, findStartOfSequence, hasSequence, isHeadUntouched, isInterrupted, noteBegun, noteHead, readSequence, readSettings, writeSequence } from './pick-state.js';
import { type TodoItem, todoOf } from './todo-list.js';

/** Replays `commits` in this order; `isRange`: a list is kept even for one. */
export function pickCommits(repository: Repository, commits: readonly ObjectId[], isSingle: boolean, settings: ReplaySettings): StepOutcome {
  using _ = holdLease(repository);
  const verb = settings.action === 'revert' ? 'revert' as const : 'pick' as const;
  if (isSingle) return runStep(repository, settings, commits[0]!, verb);
  if (settings.action === 'revert' && repository.refs.find('HEAD') === undefined) throw new RefusedError("can't revert as initial commit", { code: 'no-head' });
  const items = commits.map((commit) => todoOf(repository, verb, commit));
  beginSequence(repository, items, settings);
  return runAll(repository, items, settings);
}

function runStep(repository: Repository, settings: ReplaySettings, commit: ObjectId, verb: 'pick' | 'revert'): StepOutcome {
  noteBegun(repository, commit);
  let isOver = false;
  try {
    const outcome = new Replayer(repository, settings).run({ verb, commit, reflog: verb === 'pick' ? 'cherry-pick' : 'revert' });
    noteHead(repository);
    isOver = true;
    return outcome;
  } catch (error) {
    isOver = error instanceof RefusedError;
    throw error;
  } finally {
    if (isOver) noteBegun(repository, undefined);
  }
}

function runAll(repository: Repository, items: readonly TodoItem[], settings: ReplaySettings): StepOutcome {
  for (const [at, { commit, verb }] of items.entries()) {
    writeSequence(repository, items.slice(at));
    const outcome = runStep(repository, settings, commit!, verb === 'revert' ? 'revert' : 'pick');
    if (outcome !== 'done') return outcome;
  }
  endSequence(repository);
  return 'done';
}

function isStepUnderWay(repository: Repository): boolean {
  const { cherryPickHead, revertHead } = readMergeState(repository);
  return cherryPickHead !== undefined || revertHead !== undefined;
}

function nothingUnderWay(): RefusedError {
  return new RefusedError('no cherry-pick or revert in progress', { code: 'no-sequence' });
}

/** Commits what was resolved and goes on with what is left. RefusedError when nothing is under way. */
export function continuePicking(repository: Repository, defaults: ReplaySettings, edits: boolean | undefined): StepOutcome {
  using _ = holdLease(repository);
  requireMerged(repository);
  const settings = readSettings(repository, defaults);
  if (!hasSequence(repository)) return concludeStep(repository, edits);
  const items = readSequence(repository);
  const verb = settings.action === 'revert' ? 'revert' : 'pick';
  if (items.some((item) => item.verb !== verb)) {
    throw new RefusedError(settings.action === 'revert' ? 'cannot revert during a cherry-pick' : 'cannot cherry-pick during a revert', { code: 'sequence-under-way' });
  }
  // An interrupted step is done again, one that somebody took back is not.
  const redoes = !isStepUnderWay(repository) && isInterrupted(repository, items);
  if (isStepUnderWay(repository)) {
    const outcome = concludeStep(repository, settings.edits ? true : edits);
    if (outcome !== 'done') return outcome;
  }
  requireNothingStaged(repository, settings);
  return runAll(repository, redoes ? items : items.slice(1), settings);
}

function requireMerged(repository: Repository): void {
  const unmerged = new Set(readIndex(repository).entries.filter(({ stage }) => stage !== 0).map(({ path }) => path));
  repository.context.stdout.write(Buffer.from([...unmerged].map((path) => `U\t${quotePath(path)}\n`).join(''), 'latin1'));
  if (unmerged.size > 0) throw new RefusedError('there are unmerged files', { code: 'unmerged-index', hint: 'resolve them, add the result, then say --continue' });
}

function requireNothingStaged(repository: Repository, { action }: ReplaySettings): void {
  const { objects, refs, format } = repository;
  const head = refs.find('HEAD')?.id;
  const tree = head === undefined ? emptyTreeId(format) : objects.readCommit(head).tree;
  if (listStagedChanges(objects, tree, readIndex(repository)).length > 0) {
    throw new RefusedError(`your local changes would be overwritten by ${action}`, { code: 'changes-in-the-way', hint: 'commit or stash them first' });
  }
}

/** What was resolved becomes a commit, as `commit` makes it; comments go out of the message. */
function concludeStep(repository: Repository, edits: boolean | undefined): StepOutcome {
  if (!isStepUnderWay(repository)) throw nothingUnderWay();
  const { cherryPickHead } = readMergeState(repository);
  const edit = edits ?? repository.context.stdin.isTerminal;
  return concludeByHand(repository, {
    content: { kind: 'index' }, amend: false, allowEmpty: false, verify: true, postRewrite: true,
    message: { edit, ...(edit ? {} : { cleanup: 'strip' }), signOff: false, trailers: [], allowEmpty: false },
    author: () => (cherryPickHead === undefined ? authorIdent(repository) : repository.objects.readCommit(cherryPickHead).author),
  }, cherryPickHead !== undefined);
}

/** Leaves out the commit that stopped the sequence, and goes on. */
export function skipPicking(repository: Repository, settings: ReplaySettings): StepOutcome {
  const { cherryPickHead, revertHead } = readMergeState(repository);
  if ((settings.action === 'revert' ? revertHead : cherryPickHead) === undefined) {
    const isSame = hasSequence(repository) && readSequence(repository)[0]!.verb === (settings.action === 'revert' ? 'revert' : 'pick');
    if (!isSame) throw new RefusedError(`no ${settings.action} in progress`, { code: 'no-sequence' });
    if (!isHeadUntouched(repository)) throw new RefusedError('there is nothing to skip: has it been committed already?', { code: 'no-sequence', hint: 'say --continue' });
  }
  const head = repository.refs.find('HEAD')!.id;
  resetTo(repository, head, 'merge', head);
  noteBegun(repository, undefined);
  if (!existsSync(join(repository.gitDirectory, 'sequencer'))) return 'done';
  return continuePicking(repository, settings, undefined);
}

/** Goes back to where HEAD was, unless somebody moved it since; then only the sequence is forgotten, and that is told. */
export function abortPicking(repository: Repository): void {
  const start = findStartOfSequence(repository);
  if (start === undefined) {
    if (!isStepUnderWay(repository)) throw nothingUnderWay();
    const head = repository.refs.find('HEAD')?.id;
    if (head === undefined) throw new RefusedError('cannot abort from a branch yet to be born', { code: 'no-head' });
    resetTo(repository, head, 'merge', head);
    return;
  }
  if (isZeroId(start)) throw new RefusedError('cannot abort from a branch yet to be born', { code: 'no-head' });
  if (isHeadUntouched(repository)) resetTo(repository, start, 'merge', start);
  else repository.context.stderr.write('warning: HEAD seems to have moved; it is left where it is\n');
  endSequence(repository);
}

/** Forgets the sequence; HEAD, index and files stay. */
export function quitPicking(repository: Repository): void {
  endSequence(repository);
  clearMergeState(repository);
}
