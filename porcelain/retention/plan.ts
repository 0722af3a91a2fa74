// Retention: plan, show, apply (cairn-retention(7)). `planRetention` judges what there is and changes nothing; `applyRetention` does exactly a
// plan that was shown, or refuses because it would not come to the same any more.
//
// Invariants: the id of a plan is a hash of all that was judged and of each verdict; every ref goes in one transaction that expects the value
// that was judged; while all of them are locked everything is judged once more. What a dropped ref led to is gc's business, with its grace.
// If the power fails: all refs are there or none is (cairn-safety(7), "SEVERAL REFS AT ONCE"); a directory may be gone whose receipt is still
// there, which the next rollback builds anew.
import { CairnError, ConflictError, InvalidError, isSystemError } from '../../pack/errors.js';
import { type ObjectId, hashObject, zeroId } from '../../pack/oid.js';
import { hasReflog, rewriteReflog } from '../../plumbing/refs/reflog.js';
import { RefTransaction, holdRef } from '../../plumbing/refs/ref-transaction.js';
import type { Repository } from '../../plumbing/repository.js';
import { type Channel, badRef, releaseRef } from '../channel.js';
import { tellEvent } from '../events.js';
import { lockChannel, settleReleases, warn } from '../release-recovery.js';
import { metadataRef } from '../run-metadata.js';
import { noteArrivals } from './arrivals.js';
import { type Candidate, judgeCandidates } from './candidates.js';
import { type Freed, measureFreed } from './freed.js';
import { type Hold, isOver, listHolds } from './hold.js';
import { lockRetention } from './holding.js';
import { type Policy, readPolicies } from './policy.js';
import { type ReleasePlace, judgePlaces, removePlace } from './release-places.js';

export interface RetentionPlan {
  /** Sixteen hexadecimal digits; the same for as long as everything that was judged, and every verdict, is the same. */
  readonly id: string;
  readonly policies: readonly Policy[];
  readonly candidates: readonly Candidate[];
  readonly places: readonly ReleasePlace[];
}

export interface Applied {
  readonly plan: RetentionPlan;
  readonly droppedRefs: number;
  readonly removedDirectories: number;
}

const channelTimeoutMs = 10_000;

/** Judges everything. CorruptError or InvalidError when something cannot be read or a policy is not understood. */
export function planRetention(repository: Repository): RetentionPlan {
  const policies = readPolicies(repository);
  const holds = listHolds(repository);
  const candidates = judgeCandidates(repository, policies, holds);
  const places = judgePlaces(repository, candidates);
  return { id: identify(repository, policies, holds, candidates, places), policies, candidates, places };
}

/** The refs that would go. */
export function listDropped({ candidates }: RetentionPlan): Candidate[] {
  return candidates.filter(({ verdict }) => verdict === 'drop');
}

/** How much room the plan makes in the store; a walk over everything that stays. */
export function measurePlan(repository: Repository, plan: RetentionPlan): Freed {
  return measureFreed(repository, listDropped(plan));
}

/** Does the plan of that id. ConflictError (code 'plan-moved') when that is not what would be done now; then nothing is done. */
export function applyRetention(repository: Repository, id: string): Applied {
  if (!/^[0-9a-f]{16}$/.test(id)) throw new InvalidError(`'${id}' is no plan id`, { code: 'bad-plan-id', hint: 'cairn retain plan ends with one' });
  settleReleases(repository);
  using _lock = lockRetention(repository);
  const plan = requirePlan(repository, id);
  const dropped = listDropped(plan);
  const gone = plan.places.filter(({ verdict }) => verdict === 'drop');
  const channels = new Set<Channel>(dropped.flatMap(({ receipt }) => (receipt === undefined ? [] : [receipt.channel])));
  using locks = new DisposableList();
  for (const channel of [...channels].sort()) locks.add(lockChannel(repository, channel, channelTimeoutMs));
  if (dropped.length > 0) {
    using transaction = new RefTransaction(repository);
    for (const { ref, id: expected, kind } of dropped) {
      transaction.add({ name: ref, expected, target: 'delete', noDeref: true });
      const metadata = kind === 'run' ? repository.refs.find(metadataRef(ref.slice('refs/runs/'.length))) : undefined;
      if (metadata !== undefined) transaction.add({ name: metadata.name, expected: metadata.id, target: 'delete', noDeref: true });
      if (kind === 'release' && repository.refs.find(badRef(expected)) !== undefined) transaction.add({ name: badRef(expected), expected, target: 'delete', noDeref: true });
    }
    transaction.prepare();
    // From here on none of them can move; whatever else was judged must still be as it was.
    requirePlan(repository, id);
    for (const place of gone) removePlace(repository, place);
    transaction.commit();
    for (const channel of channels) tidyReflog(repository, channel, new Set(dropped.map(({ id: receipt }) => receipt)));
    tellEvent(repository, 'retain', { plan: id, dropped: dropped.length, directories: gone.length });
  }
  noteArrivals(repository, plan.policies);
  return { plan, droppedRefs: dropped.length, removedDirectories: gone.length };
}

/** The refs are gone whatever becomes of the reflog, so a failure is only told. */
function tidyReflog(repository: Repository, channel: Channel, gone: ReadonlySet<ObjectId>): void {
  try {
    forgetInReflog(repository, channel, gone);
  } catch (error) {
    if (!(error instanceof CairnError) && !isSystemError(error)) throw error;
    warn(repository, `the reflog of '${channel}' still names what was dropped: ${error.message}`);
  }
}

/** Takes receipts that are gone out of the reflog of their channel, which would keep them for months. */
function forgetInReflog(repository: Repository, channel: Channel, gone: ReadonlySet<ObjectId>): void {
  const name = releaseRef(channel);
  holdRef(repository, name, () => {
    if (!hasReflog(repository, name)) return undefined;
    rewriteReflog(repository, name, (entries) => {
      let before = zeroId(repository.format);
      return entries.flatMap((entry) => {
        if (gone.has(entry.newId)) return [];
        const closed = gone.has(entry.oldId) ? { ...entry, oldId: before } : entry;
        before = entry.newId;
        return [closed];
      });
    });
    return undefined;
  });
}

function requirePlan(repository: Repository, id: string): RetentionPlan {
  const plan = planRetention(repository);
  if (plan.id === id) return plan;
  throw new ConflictError(`plan '${id}' is not what would be done now`, {
    code: 'plan-moved', hint: `something was added, changed or held, or became old enough, since it was made; look at cairn retain plan (now ${plan.id})`,
  });
}

/** Everything that was looked at, in a form that is the same whenever it is the same. */
function identify(repository: Repository, policies: readonly Policy[], holds: readonly Hold[], candidates: readonly Candidate[], places: readonly ReleasePlace[]): string {
  const nowMs = repository.context.clock.nowMs();
  const judged = {
    policies: policies.map(({ pattern, values }) => [pattern, values]),
    holds: holds.map((hold) => [hold.id, hold.record, isOver(hold, nowMs)]),
    candidates: candidates.map(({ ref, id, arrivedMs, verdict }) => [ref, id, arrivedMs ?? null, verdict]),
    places: places.map(({ target, directory, verdict }) => [target.name, directory, verdict]),
  };
  return hashObject('blob', Buffer.from(JSON.stringify(judged)), 'sha256').slice(0, 16);
}

/** Things to let go of together when a scope is left, the last one first. */
class DisposableList {
  readonly #items: Disposable[] = [];

  add(item: Disposable): void {
    this.#items.push(item);
  }

  [Symbol.dispose](): void {
    for (const item of this.#items.reverse()) item[Symbol.dispose]();
  }
}
