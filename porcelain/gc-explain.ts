// Why gc would keep one object, or since when nobody needs it: `cairn gc --explain` (man/cairn-gc.1). Reading only.
//
// The answer comes from the same roots, the same closure and the same ages as planGc's, so it cannot say anything else than gc does.
import { NotFoundError } from '../pack/errors.js';
import { ObjectStore } from '../pack/object-store.js';
import type { ObjectId } from '../pack/oid.js';
import { markReachable } from '../plumbing/history/reachable.js';
import type { Repository } from '../plumbing/repository.js';
import { Inventory } from '../pack/inventory.js';
import { oldestLeaseMs, quarantineWindowMs } from './gc.js';
import { listHolds } from './retention/hold.js';
import { listCompleteBatches } from './sweep.js';
import { type Root, type RootKind, listRoots, readShallow, rootKinds } from './gc-roots.js';

export interface Explanation {
  readonly id: ObjectId;
  /** The first root of each kind that reaches it; empty when none does. */
  readonly keptBy: readonly { readonly kind: RootKind; readonly source: string }[];
  /** In a pack with a .keep file. */
  readonly isInKeptPack: boolean;
  /** When it was last written or relied on, in milliseconds since 1970; undefined when it is only in an alternate. */
  readonly youngestMs: number | undefined;
  /** An object younger than the grace that names it; undefined when no root is needed to keep it, or none does. */
  readonly youngReferrer: ObjectId | undefined;
  /** When its grace ends; undefined while something else keeps it, Infinity when gc never expires anything here. */
  readonly expiresAtMs: number | undefined;
  /** Written since the oldest command at work began, which keeps it until that command ends. */
  readonly isLeased: boolean;
  /** Not in the store: swept, and where it is until when; nothing else is known of it then. */
  readonly quarantine: { readonly batch: string; readonly untilMs: number } | undefined;
}

/** Says what keeps `id`; NotFoundError when there is no such object. */
export function explainObject(repository: Repository, id: ObjectId, graceMs: number): Explanation {
  const store = ObjectStore.open(repository.objectsDirectory, repository.format, { alternates: repository.objects.alternates });
  try {
    if (!store.has(id)) {
      const quarantine = findInQuarantine(repository, id);
      if (quarantine === undefined) throw new NotFoundError(`object '${id}' is not here`, { code: 'object-missing' });
      return { id, quarantine, keptBy: [], isInKeptPack: false, isLeased: false, youngestMs: undefined, youngReferrer: undefined, expiresAtMs: undefined };
    }
    const inventory = Inventory.read(store);
    const withoutParents = readShallow(repository);
    const reaches = (from: ObjectId, seen: Set<ObjectId>): boolean => {
      markReachable(store, [from], { seen, withoutParents, onMissing: () => undefined, onCorrupt: () => undefined });
      return seen.has(id);
    };
    const roots = [...listRoots(repository)];
    const keptBy = rootKinds.flatMap((kind) => {
      const seen = new Set<ObjectId>();
      const root = roots.find((candidate) => candidate.kind === kind && reaches(candidate.id, seen));
      return root === undefined ? [] : [{ kind, source: kind === 'hold' ? describeHoldRoot(repository, root) : root.source }];
    });
    const copy = inventory.find(id);
    const isInKeptPack = copy?.kind === 'pack' && copy.pack.isKept;
    const youngestMs = copy === undefined ? undefined : inventory.youngestMs(id);
    let youngReferrer: ObjectId | undefined;
    let expiresAtMs: number | undefined;
    let isLeased = false;
    if (keptBy.length === 0 && !isInKeptPack && youngestMs !== undefined) {
      const leaseMs = oldestLeaseMs(repository);
      isLeased = youngestMs >= leaseMs;
      const cutoffMs = Math.min(repository.context.clock.nowMs() - graceMs, leaseMs);
      if (youngestMs < cutoffMs) {
        const seen = new Set<ObjectId>();
        for (const other of inventory.listIds()) {
          if (inventory.youngestMs(other) < cutoffMs || !reaches(other, seen)) continue;
          youngReferrer = other;
          break;
        }
      }
      if (youngReferrer === undefined) expiresAtMs = youngestMs + graceMs;
    }
    return { id, keptBy, isInKeptPack, isLeased, youngestMs, youngReferrer, expiresAtMs, quarantine: undefined };
  } finally {
    store.close();
  }
}

/** A hold is told with its reason. */
function describeHoldRoot(repository: Repository, { source }: Root): string {
  const hold = listHolds(repository).find(({ ref }) => ref === source);
  return hold === undefined ? source : `${hold.id}: ${hold.reason.split('\n', 1)[0]}`;
}

function findInQuarantine(repository: Repository, id: ObjectId): Explanation['quarantine'] {
  const windowMs = quarantineWindowMs(repository);
  for (const batch of listCompleteBatches(repository).reverse()) {
    const store = ObjectStore.open(batch.directory, repository.format);
    try {
      if (store.has(id)) return { batch: batch.name, untilMs: batch.record.atMs + windowMs };
    } finally {
      store.close();
    }
  }
  return undefined;
}
