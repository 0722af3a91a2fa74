// Pruning: loose objects that nothing needs go, and files crashes left behind (git-prune(1), man/cairn-safety.7).
//
// Invariants: plan, then apply. What a root reaches stays, and what is younger than asked and all that reaches, and what packed objects
// name, which stay themselves; a closure that is not whole ends it before anything goes. What goes does so in a removal phase (sweep.ts).
// If the power fails: all of what was to go is there, or gone.
import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { removeIfPresent } from '../pack/disk.js';
import { CorruptError, RefusedError } from '../pack/errors.js';
import { listDirectory } from '../pack/file-lookup.js';
import { Inventory, type StoreTimes, readStoreTimes } from '../pack/inventory.js';
import type { LooseFile } from '../pack/loose.js';
import type { ObjectStore } from '../pack/object-store.js';
import type { ObjectId } from '../pack/oid.js';
import { packingCaches } from '../pack/verified-packs.js';
import { LockFile } from '../plumbing/lockfile.js';
import { removeIfEmpty } from '../plumbing/objects/packed-loose.js';
import { markReachable } from '../plumbing/history/reachable.js';
import { Repository } from '../plumbing/repository.js';
import { listRoots, readShallow } from './gc-roots.js';
import type { MaintenanceLock } from './leases.js';
import { sweep } from './sweep.js';

export interface PrunePlan {
  /** Loose files whose objects nothing needs. */
  readonly objects: readonly LooseFile[];
  /** Private files of writes that never ended; absolute paths. */
  readonly leftovers: readonly string[];
  /** Lines of the file of shallow commits whose commit nothing reaches. */
  readonly shallow: readonly ObjectId[];
  /** Everything that is needed; extended when the plan is applied. */
  readonly marked: Set<ObjectId>;
  readonly store: ObjectStore;
  readonly times: StoreTimes;
}

/** Decides what goes. `heads` are kept with what they reach; files written after `expireMs` stay (milliseconds since 1970, Infinity spares none). */
export function planPrune(repository: Repository, heads: readonly ObjectId[], expireMs: number): PrunePlan {
  if (repository.config.getBoolean('extensions.preciousobjects')) throw new RefusedError('cannot prune in a precious-objects repo', { code: 'gc-precious' });
  const { context } = repository;
  const plain = Repository.open({ ...context, env: { ...context.env, GIT_NO_REPLACE_OBJECTS: '1' } });
  plain.useCaches(packingCaches());
  const store = plain.objects;
  const times = readStoreTimes(store);
  const marked = new Set<ObjectId>();
  mark(repository, store, marked, heads);
  const isExpired = (mtimeMs: number): boolean => Math.floor(mtimeMs / 1000) * 1000 <= expireMs;
  const loose = [...store.listLoose()];
  if (loose.some(({ id, mtimeMs }) => !marked.has(id) && isExpired(mtimeMs)) && expireMs !== Infinity) {
    const inventory = Inventory.read(store);
    const young: ObjectId[] = [];
    for (const id of inventory.listIds()) if (!marked.has(id) && !isExpired(inventory.youngestMs(id))) young.push(id);
    markReachable(store, young, { seen: marked, ...tolerant, withoutParents: readShallow(repository) });
  }
  const stays = namedByPacked(repository, store, marked, loose);
  const shallow = [...readShallow(repository)].filter((id) => !marked.has(id));
  return { shallow, objects: loose.filter(({ id, mtimeMs }) => !marked.has(id) && !stays.has(id) && isExpired(mtimeMs)), times, leftovers: [...listLeftovers(repository.objectsDirectory, isExpired)], marked, store };
}

/** Loose objects that nothing needs but packed ones name. Packs are not pruned, and what is in them must stay whole: somebody may name it. */
function namedByPacked(repository: Repository, store: ObjectStore, marked: ReadonlySet<ObjectId>, loose: readonly LooseFile[]): Set<ObjectId> {
  const stays = new Set<ObjectId>();
  if (loose.every(({ id }) => marked.has(id))) return stays;
  const unneeded: ObjectId[] = [];
  for (const pack of store.listOwnPacks()) {
    for (let position = 0; position < pack.objectCount; position += 1) {
      const id = pack.idAt(position);
      if (!marked.has(id)) unneeded.push(id);
    }
  }
  markReachable(store, unneeded, {
    ...tolerant, seen: new Set(marked), withoutParents: readShallow(repository), onObject: (id) => { if (!store.isPacked(id)) stays.add(id); },
  });
  return stays;
}

/** What is not whole is kept as far as it is there. */
const tolerant = {
  onMissing: (): void => undefined,
  onCorrupt: (_id: ObjectId, error: unknown): void => { if (!(error instanceof CorruptError)) throw error; },
};

/** Marks what roots reach; CorruptError when something a strong root needs is missing or damaged. */
function mark(repository: Repository, store: ObjectStore, seen: Set<ObjectId>, heads: readonly ObjectId[]): void {
  const withoutParents = readShallow(repository);
  const roots = [...listRoots(repository)];
  const refuse = (id: ObjectId, what: string): never => {
    throw new CorruptError(`object '${id}' is needed and ${what}`, { code: 'gc-incomplete', hint: 'nothing was removed; run cairn fsck' });
  };
  markReachable(store, [...heads, ...roots.filter(({ isWeak }) => !isWeak).map(({ id }) => id)], {
    seen, withoutParents,
    onMissing: (id, _by, type) => { if (type !== 'blob') refuse(id, 'missing'); },
    onCorrupt: (id, error) => {
      if (error instanceof CorruptError && error.code !== 'gc-incomplete') refuse(id, `damaged: ${error.message}`);
      throw error;
    },
  });
  markReachable(store, roots.filter(({ isWeak }) => isWeak).map(({ id }) => id), { seen, withoutParents, ...tolerant });
}

function* listLeftovers(objects: string, isExpired: (mtimeMs: number) => boolean): Generator<string> {
  const fanOuts = listDirectory(objects).filter((name) => /^[0-9a-f]{2}$/.test(name)).sort();
  for (const directory of [...fanOuts.map((name) => join(objects, name)), objects, join(objects, 'pack')]) {
    for (const name of listDirectory(directory).sort()) {
      if (!name.startsWith('tmp_')) continue;
      const status = lstatSync(join(directory, name), { throwIfNoEntry: false });
      if (status?.isFile() && isExpired(status.mtimeMs)) yield join(directory, name);
    }
  }
}

/** Does what the plan says, but for what is needed by now, or was written again. */
export function applyPrune(repository: Repository, plan: PrunePlan, lock: MaintenanceLock, heads: readonly ObjectId[]): void {
  const { store, marked, objects, leftovers, times } = plan;
  lock.check();
  mark(repository, store, marked, heads);
  const fanOuts = new Set(objects.map(({ id }) => id.slice(0, 2)));
  if (objects.length > 0) {
    const expired = new Map(objects.map(({ id, mtimeMs }) => [id, { lastUsedMs: mtimeMs }]));
    sweep(repository, { store, lock, packs: [], loose: objects, expired, marked, times, written: new Set(), heads });
  }
  for (const path of leftovers) removeIfPresent(path);
  if (plan.shallow.length > 0) rewriteShallow(repository, marked);
  for (const fanOut of fanOuts) removeIfEmpty(join(store.directory, fanOut));
}

/** Leaves only shallow commits that are needed; the file goes with the last one. */
function rewriteShallow(repository: Repository, marked: ReadonlySet<ObjectId>): void {
  const path = join(repository.commonDirectory, 'shallow');
  using lock = LockFile.acquire(path, { holder: repository.lockHolder });
  const kept = [...readShallow(repository)].filter((id) => marked.has(id));
  if (kept.length === 0) {
    removeIfPresent(path);
  } else {
    lock.write(Buffer.from(kept.map((id) => `${id}\n`).join('')));
    lock.commit();
  }
}
