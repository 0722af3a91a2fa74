// A sweep: what expired leaves the store for quarantine, and what was in quarantine for long enough goes for good (cairn-safety(7), "The
// sweeper's steps", whose numbers are used here).
//
// Invariant: inside a removal phase; afterwards whatever an object in the store names is there too. A file has a durable second name before
// it loses its first, and what was touched, or is needed after all, has its first name back before the phase ends.
// If the power fails: the batch is open, and whoever comes next puts it back. A failure on the way is undone here in the same way.
import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import { disk, removeIfPresent } from '../pack/disk.js';
import { CorruptError, NotFoundError } from '../pack/errors.js';
import type { LooseFile } from '../pack/loose.js';
import type { ObjectStore } from '../pack/object-store.js';
import { type ObjectId, encodeObjectId } from '../pack/oid.js';
import { Batch, type BatchRecord, type Held, giveBack, removeGoneBatches } from '../pack/quarantine.js';
import type { StoredPack } from '../pack/inventory.js';
import { readPackSettings } from '../plumbing/pack-settings.js';
import { type ReachableOptions, markReachable } from '../plumbing/reachable.js';
import type { Repository } from '../plumbing/repository.js';
import { quarantineDirectory } from '../plumbing/sweep-flag.js';
import type { GcPlan, Tally } from './gc.js';
import { type PackedAs, writeVerifiedPack } from './gc-repack.js';
import { listRoots, readShallow } from './gc-roots.js';
import type { MaintenanceLock } from './leases.js';
import { RemovalPhase } from './removal-phase.js';

export interface SweepRequest {
  readonly plan: GcPlan;
  readonly store: ObjectStore;
  readonly lock: MaintenanceLock;
  /** Packs with expired objects in them; all else they hold was read back from files that stay. */
  readonly packs: readonly StoredPack[];
  /** Files of expired objects. */
  readonly loose: readonly LooseFile[];
  /** Names of packs this gc wrote. */
  readonly written: ReadonlySet<string>;
  /** Called for each file that is taken away. */
  readonly onRemoved: () => void;
}

/** What a sweep did. */
export interface SweepResult {
  /** What the batch holds, in bytes on disk. */
  readonly quarantined: Tally & { readonly batch: string | undefined };
  readonly discarded: Tally & { readonly batches: number };
  /** Packs that are gone for good, since what of them expired was packed anew in the batch. */
  readonly removedPacks: readonly StoredPack[];
  /** Spared: touched, or needed by now. */
  readonly sparedPacks: readonly StoredPack[];
  readonly sparedLoose: readonly LooseFile[];
  readonly rescued: readonly ObjectId[];
}

/** Does the phase; LockedError (code 'writers-at-work'), and nothing removed, when writers do not come to an end. */
export function sweep(repository: Repository, request: SweepRequest): SweepResult {
  return new Sweeping(repository, request).run();
}

class Sweeping {
  readonly #repository: Repository;
  readonly #request: SweepRequest;
  readonly #drawer: string;
  readonly #sparedPacks: StoredPack[] = [];
  readonly #sparedLoose: LooseFile[] = [];
  readonly #removedPacks: StoredPack[] = [];
  readonly #taken: LooseFile[] = [];
  readonly #rescued: ObjectId[] = [];
  /** Directories in which names came back. */
  readonly #returned = new Set<string>();

  constructor(repository: Repository, request: SweepRequest) {
    this.#repository = repository;
    this.#request = request;
    this.#drawer = quarantineDirectory(repository);
  }

  run(): SweepResult {
    const { packs, loose, plan, lock } = this.#request;
    const { pid } = this.#repository.context.process;
    const batch = packs.length + loose.length === 0 ? undefined : Batch.create(this.#drawer, plan.nowMs, pid);
    let packed: Tally = { objects: 0, bytes: 0 };
    let phase: RemovalPhase;
    try {
      if (batch !== undefined) packed = this.#packExpired(batch);
      phase = RemovalPhase.begin(this.#repository, lock);
    } catch (error) {
      // So far it holds nothing but copies.
      batch?.remove();
      throw error;
    }
    try {
      const needed = this.#findNeeded();
      if (batch !== undefined) {
        this.#take(batch, phase, needed);
        this.#findNeeded();
      }
      for (const directory of this.#returned) disk().fsyncDirectory(directory);
      const isEmpty = this.#taken.length + this.#removedPacks.length === 0;
      const quarantined = isEmpty ? { objects: 0, bytes: 0 } : {
        objects: packed.objects + this.#taken.length, bytes: packed.bytes + this.#taken.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
      };
      if (isEmpty) batch?.unname();
      else batch?.complete(plan.nowMs, quarantined.objects, quarantined.bytes);
      const discarded = this.#discard(phase, plan.discarded);
      phase.end();
      if (!isEmpty) batch?.dropSuperseded();
      // A window of nothing: it was there for the phase only.
      if (!isEmpty && plan.windowMs === 0) batch?.unname();
      removeGoneBatches(this.#drawer);
      return {
        quarantined: { ...quarantined, batch: isEmpty || plan.windowMs === 0 ? undefined : batch?.name },
        discarded, removedPacks: this.#removedPacks, sparedPacks: this.#sparedPacks, sparedLoose: this.#sparedLoose, rescued: this.#rescued,
      };
    } catch (error) {
      // When this fails as well the flag stays, and who finds it does it.
      if (batch?.record.state === 'open') batch.restore(this.#repository.objectsDirectory, { renew: false, nowMs: Date.now() });
      phase.end();
      throw error;
    }
  }

  /** Packs what expires out of packs, each object with its age; what is damaged is not worth it. */
  #packExpired(batch: Batch): Tally {
    const { plan, packs, loose, store } = this.#request;
    const isLoose = new Set(loose.map(({ id }) => id));
    const objects = new Map<ObjectId, PackedAs>();
    for (const { reader } of packs) {
      for (let position = 0; position < reader.objectCount; position += 1) {
        const id = reader.idAt(position);
        if (!plan.expired.has(id) || isLoose.has(id) || objects.has(id) || !reader.isGoodAt(position)) continue;
        objects.set(id, { type: reader.headerAt(position).type, group: 0 });
      }
    }
    if (objects.size === 0) return { objects: 0, bytes: 0 };
    const { bytes } = writeVerifiedPack({
      store, caches: plan.caches, objects, settings: readPackSettings(this.#repository.config), base: join(batch.packDirectory(), 'pack'),
      mtimesMs: new Map([...objects.keys()].map((id) => [id, plan.expired.get(id)!.lastUsedMs])),
      onProgress: () => { this.#request.lock.beat(); },
    });
    return { objects: objects.size, bytes };
  }

  /** S4, S8: what roots, and objects written or renewed since the plan, reach by now. What of it only quarantine has comes back. */
  #findNeeded(): Set<ObjectId> {
    const { plan, store, written, lock } = this.#request;
    const needed = new Set<ObjectId>();
    const options: ReachableOptions = {
      seen: plan.marked,
      withoutParents: readShallow(this.#repository),
      checkBlobs: true,
      onMissing: () => undefined,
      onCorrupt: (_id, error) => { if (!(error instanceof CorruptError)) throw error; },
      onObject: (id) => {
        lock.beat();
        if (plan.expired.has(id)) needed.add(id);
      },
    };
    const roots = [...listRoots(this.#repository)];
    markReachable(store, roots.map(({ id }) => id), options);
    // A tree that is not in any ref yet may name an old blob.
    markReachable(store, plan.inventory.listChanged(store, written), options);
    this.#rescued.push(...store.rescue());
    return needed;
  }

  #take(batch: Batch, phase: RemovalPhase, needed: ReadonlySet<ObjectId>): void {
    const { packs, loose, onRemoved } = this.#request;
    // S5
    const heldLoose = loose.flatMap((file) => {
      const held = needed.has(file.id) || !isUnchanged(file.path, file.mtimeMs) ? undefined : batch.holdLoose(file.path);
      if (held === undefined) this.#sparedLoose.push(file);
      return held === undefined ? [] : [{ file, held }];
    });
    const heldPacks = packs.flatMap((pack) => {
      const held = this.#isNeeded(pack, needed) || !isUnchanged(pack.reader.path, pack.mtimeMs) ? [] : batch.holdPack(pack.reader.path);
      if (held.length === 0) this.#sparedPacks.push(pack);
      return held.length === 0 ? [] : [{ pack, held }];
    });
    batch.settle();
    // S6, S7
    if (heldPacks.length > 0) this.#takePacks(heldPacks, phase);
    for (const { file, held } of heldLoose) {
      phase.check();
      if (this.#takeAway([held], file, () => this.#request.store.removeLoose(file.id))) {
        this.#taken.push(file);
        onRemoved();
      } else {
        this.#sparedLoose.push(file);
      }
    }
  }

  #takePacks(held: readonly { readonly pack: StoredPack; readonly held: readonly Held[] }[], phase: RemovalPhase): void {
    const { store, onRemoved } = this.#request;
    store.removeMultiPackIndex();
    const own = new Map(store.listOwnPacks().map((reader) => [reader.name, reader]));
    for (const { pack, held: files } of held) {
      phase.check();
      const reader = own.get(pack.reader.name);
      if (reader !== undefined && this.#takeAway(files, { path: pack.reader.path, mtimeMs: pack.mtimeMs }, () => store.removePack(reader))) {
        this.#removedPacks.push(pack);
        onRemoved();
      } else {
        this.#sparedPacks.push(pack);
        store.refresh();
      }
    }
  }

  /** False when it was touched before it was away: then all its names are there as before, and none is left in the batch. */
  #takeAway(files: readonly Held[], { path, mtimeMs }: { readonly path: string; readonly mtimeMs: number }, away: () => void): boolean {
    const own = files.find((file) => file.path === path)!;
    if (isUnchanged(path, mtimeMs)) {
      away();
      if (isUnchanged(own.held, mtimeMs)) return true;
      for (const file of files) {
        giveBack(file);
        this.#returned.add(dirname(file.path));
      }
      for (const directory of this.#returned) disk().fsyncDirectory(directory);
    }
    for (const { held } of files) removeIfPresent(held);
    return false;
  }

  #isNeeded({ reader }: StoredPack, needed: ReadonlySet<ObjectId>): boolean {
    for (const id of needed) if (reader.position(encodeObjectId(id)) >= 0) return true;
    return false;
  }

  /** Nothing that is needed is only there any more: the mark came by, and took it back. */
  #discard(phase: RemovalPhase, batches: readonly Batch[]): SweepResult['discarded'] {
    const total = { batches: 0, objects: 0, bytes: 0 };
    for (const batch of batches) {
      phase.check();
      batch.unname();
      total.batches += 1;
      total.objects += batch.record.objects;
      total.bytes += batch.record.bytes;
    }
    return total;
  }
}

/** Nobody wrote the file, or relied on what is in it, since it had that time. */
export function isUnchanged(path: string, mtimeMs: number): boolean {
  return fs.statSync(path, { throwIfNoEntry: false })?.mtimeMs === mtimeMs;
}

/** Complete batches, the oldest first. */
export function listCompleteBatches(repository: Repository): Batch[] {
  return Batch.list(quarantineDirectory(repository)).filter(({ record }) => record.state === 'complete');
}

/** Brings the last batch back, as young as new; what it held. NotFoundError when there is none. */
export function undoLastSweep(repository: Repository, lock: MaintenanceLock): BatchRecord {
  const last = listCompleteBatches(repository).at(-1);
  if (last === undefined) throw new NotFoundError('nothing is in quarantine', { code: 'no-quarantine' });
  const { record } = last;
  const phase = RemovalPhase.begin(repository, lock);
  // Children may come after parents, so nobody may name one meanwhile; when this fails the flag stays, and who finds it goes on.
  last.restore(repository.objectsDirectory, { renew: true, nowMs: Date.now() });
  phase.end();
  repository.objects.refresh();
  return record;
}
