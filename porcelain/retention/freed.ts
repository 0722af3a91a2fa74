// How much room there is once refs are gone: what only they reach, each object counted once and as large as it is on disk (as cat-file's
// %(objectsize:disk) says). Found by walking; nothing is estimated, and nothing is written.
import { CorruptError } from '../../pack/errors.js';
import { Inventory } from '../../pack/inventory.js';
import { ObjectStore } from '../../pack/object-store.js';
import type { ObjectId } from '../../pack/oid.js';
import { markReachable } from '../../plumbing/history/reachable.js';
import type { Repository } from '../../plumbing/repository.js';
import { badRef } from '../channel.js';
import type { Tally } from '../gc.js';
import { listRoots, readShallow } from '../gc-roots.js';
import type { Candidate } from './candidates.js';

export interface Freed {
  /** Nothing else reaches these. */
  readonly freed: Tally;
  /** Only reflogs, or operations in progress, still do: these follow when those let go. */
  readonly later: Tally;
  /** By ref: what of `freed` it is the first to reach, in the order given. */
  readonly byRef: ReadonlyMap<string, Tally>;
}

const nothing: Tally = { objects: 0, bytes: 0 };

/** Measures what goes with `dropped`; RefusedError in a partial clone, where nobody can tell. */
export function measureFreed(repository: Repository, dropped: readonly Candidate[]): Freed {
  if (dropped.length === 0) return { freed: nothing, later: nothing, byRef: new Map() };
  const store = ObjectStore.open(repository.objectsDirectory, repository.format, { alternates: repository.objects.alternates });
  try {
    return measure(repository, store, dropped);
  } finally {
    store.close();
  }
}

function measure(repository: Repository, store: ObjectStore, dropped: readonly Candidate[]): Freed {
  const inventory = Inventory.read(store);
  const withoutParents = readShallow(repository);
  const refs = new Set<string>(dropped.flatMap(({ ref, id }) => [ref, `reflog of ${ref}`, badRef(id)]));
  const receipts = new Set<ObjectId>(dropped.flatMap(({ kind, id }) => (kind === 'release' ? [id] : [])));
  const strong: ObjectId[] = [];
  const weak: ObjectId[] = [];
  for (const { kind, source, id, isWeak } of listRoots(repository)) {
    // A receipt is named by its own ref, by its mark, and by its channel and the reflog of that; they go together.
    if (refs.has(source) || (receipts.has(id) && (kind === 'release' || source.startsWith('reflog of refs/releases/')))) continue;
    (isWeak ? weak : strong).push(id);
  }
  const walk = (roots: Iterable<ObjectId>, seen: Set<ObjectId>, onFound: (id: ObjectId) => void = () => undefined): void => {
    markReachable(store, roots, {
      seen, withoutParents, onMissing: () => undefined, onObject: onFound,
      onCorrupt: (_id, error) => { if (!(error instanceof CorruptError)) throw error; },
    });
  };
  const needed = new Set<ObjectId>();
  walk(strong, needed);
  const reached = new Set(needed);
  const loggedOnly = new Set<ObjectId>();
  walk(weak, reached, (id) => loggedOnly.add(id));
  let freed = nothing;
  let later = nothing;
  const byRef = new Map<string, Tally>();
  for (const { ref, id } of dropped) {
    let own = nothing;
    walk([id], needed, (found) => {
      if (!inventory.has(found)) return;
      const bytes = inventory.sizeOf(found);
      if (loggedOnly.has(found)) later = { objects: later.objects + 1, bytes: later.bytes + bytes };
      else own = { objects: own.objects + 1, bytes: own.bytes + bytes };
    });
    byRef.set(ref, own);
    freed = { objects: freed.objects + own.objects, bytes: freed.bytes + own.bytes };
  }
  return { freed, later, byRef };
}
