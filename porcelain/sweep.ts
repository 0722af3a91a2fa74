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
import { type StoreTimes, type StoredPack, listChanged } from '../pack/inventory.js';
import type { PackCaches, PackReader } from '../pack/pack-reader.js';
import { readPackSettings } from '../plumbing/objects/pack-settings.js';
import { type ReachableOptions, markReachable } from '../plumbing/history/reachable.js';
import type { Repository } from '../plumbing/repository.js';
import { quarantineDirectory } from '../plumbing/refs/sweep-flag.js';
import type { Tally } from './gc.js';
import { type PackedAs, writeVerifiedPack } from './gc-repack.js';
import { listRoots, readShallow } from './gc-roots.js';
import type { MaintenanceLock } from './leases.js';
import { RemovalPhase } from './removal-phase.js';

export interface SweepRequest {
  readonly store: ObjectStore;
  readonly lock: MaintenanceLock;
  /** Packs with expired objects in them; all else they hold was read back from files that stay. */
  readonly packs: readonly Pick<StoredPack, 'reader' | 'mtimeMs'>[];
  /** Files of expired objects. */
  readonly loose: readonly LooseFile[];
  /** All objects nobody needs, in these files and elsewhere, and when they were last used in milliseconds since 1970. */
  readonly expired: ReadonlyMap<ObjectId, { readonly lastUsedMs: number }>;
  /** Objects known to be needed, with all they reach; extended. */
  readonly marked: Set<ObjectId>;
  /** What the store was like when these were found out. */
  readonly times: StoreTimes;
  /** Names of packs the caller wrote since. */
  readonly written: ReadonlySet<string>;
  /** The multi-pack-index names none of these packs. */
  readonly hasNewMultiPackIndex?: boolean;
  /** Needed besides what the repository's own roots reach. */
  readonly heads?: readonly ObjectId[];
  /** There are objects nobody needs that stay nevertheless, and what these name stays with them. */
  readonly othersStay?: boolean;
  /** Where it goes; absent: away for good when the phase ends. */
  readonly quarantine?: {
    readonly nowMs: number;
    /** How long it stays there, in milliseconds. */
    readonly windowMs: number;
    /** Batches that were there for long enough. */
    readonly discarded: readonly Batch[];
    readonly caches: PackCaches;
  };
  /** Called for each file that is taken away. */
  readonly onRemoved?: () => void;
}

/** What a sweep did. */
export interface SweepResult {
  /** What the batch holds, in bytes on disk. */
  readonly quarantined: Tally & { readonly batch: string | undefined };
  readonly discarded: Tally & { readonly batches: number };
  /** Names of packs that are gone. */
  readonly removedPacks: ReadonlySet<string>;
  /** How many packs and loose files were touched, or are needed by now, and stay. */
  readonly spared: { readonly packs: number; readonly looseObjects: number };
  /** Expired objects that are still in the store, or came back. */
  readonly remaining: ReadonlySet<ObjectId>;
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
  readonly #removedPacks = new Set<string>();
  readonly #taken: LooseFile[] = [];
  readonly #rescued: ObjectId[] = [];

  constructor(repository: Repository, request: SweepRequest) {
    this.#repository = repository;
    this.#request = request;
    this.#drawer = quarantineDirectory(repository);
  }

  run(): SweepResult {
    const { packs, loose, lock, quarantine } = this.#request;
    const { clock, process } = this.#repository.context;
    const nowMs = quarantine?.nowMs ?? clock.nowMs();
    const batch = packs.length + loose.length === 0 ? undefined : Batch.create(this.#drawer, nowMs, process.pid);
    let packed: Tally = { objects: 0, bytes: 0 };
    let phase: RemovalPhase;
    try {
      if (batch !== undefined && quarantine !== undefined) packed = this.#packExpired(batch, quarantine.caches);
      phase = RemovalPhase.begin(this.#repository, lock);
    } catch (error) {
      // So far it holds nothing but copies.
      batch?.remove();
      throw error;
    }
    try {
      this.#extendMark([]);
      if (batch !== undefined) this.#take(batch, phase);
      const remaining = this.#settle(batch !== undefined);
      const isEmpty = this.#taken.length + this.#removedPacks.size === 0;
      const isKept = !isEmpty && quarantine !== undefined && quarantine.windowMs > 0;
      const quarantined = {
        objects: packed.objects + this.#taken.length, bytes: packed.bytes + this.#taken.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
      };
      if (isKept) batch?.complete(nowMs, quarantined.objects, quarantined.bytes);
      else batch?.unname();
      const discarded = this.#discard(phase, quarantine?.discarded ?? []);
      phase.end();
      if (isKept) batch?.dropSuperseded();
      removeGoneBatches(this.#drawer);
      return {
        quarantined: isKept ? { ...quarantined, batch: batch?.name } : { objects: 0, bytes: 0, batch: undefined },
        discarded, remaining, rescued: this.#rescued, removedPacks: this.#removedPacks,
        spared: { packs: packs.length - this.#removedPacks.size, looseObjects: loose.length - this.#taken.length },
      };
    } catch (error) {
      // When this fails as well the flag stays, and who finds it does it.
      if (batch?.record.state === 'open' && fs.existsSync(batch.directory)) batch.restore(this.#repository.objectsDirectory, { renew: false, nowMs: Date.now() });
      phase.end();
      throw error;
    }
  }

  /** Packs what expires out of packs, each object with its age; what is damaged is not worth it. */
  #packExpired(batch: Batch, caches: PackCaches): Tally {
    const { expired, packs, loose, store } = this.#request;
    const isLoose = new Set(loose.map(({ id }) => id));
    const objects = new Map<ObjectId, PackedAs>();
    for (const { reader } of packs) {
      for (let position = 0; position < reader.objectCount; position += 1) {
        const id = reader.idAt(position);
        if (!expired.has(id) || isLoose.has(id) || objects.has(id) || !reader.isGoodAt(position)) continue;
        objects.set(id, { type: reader.headerAt(position).type, group: 0 });
      }
    }
    if (objects.size === 0) return { objects: 0, bytes: 0 };
    const { bytes } = writeVerifiedPack({
      store, caches, objects, settings: readPackSettings(this.#repository.config), base: join(batch.packDirectory(), 'pack'),
      mtimesMs: new Map([...objects.keys()].map((id) => [id, expired.get(id)!.lastUsedMs])),
      onProgress: () => { this.#request.lock.beat(); },
    });
    return { objects: objects.size, bytes };
  }

  /** S4, S8: what roots, `more`, and objects written or renewed since, reach by now. What of it only quarantine has comes back. */
  #extendMark(more: readonly ObjectId[]): void {
    const { marked, times, store, written, lock, heads = [] } = this.#request;
    const options: ReachableOptions = {
      seen: marked,
      withoutParents: readShallow(this.#repository),
      checkBlobs: true,
      onMissing: () => undefined,
      onCorrupt: (_id, error) => { if (!(error instanceof CorruptError)) throw error; },
      onObject: () => { lock.beat(); },
    };
    markReachable(store, [...[...listRoots(this.#repository)].map(({ id }) => id), ...heads, ...more], options);
    // A tree that is not in any ref yet may name an old blob.
    markReachable(store, listChanged(store, times, written), options);
    for (const id of store.rescue({ leavesBroken: true })) this.#rescued.push(id);
  }

  /** S8: the store is made whole again; gives what expired and is there nevertheless. */
  #settle(hasTaken: boolean): Set<ObjectId> {
    const { expired, store } = this.#request;
    const remaining = (): ObjectId[] => {
      store.refresh();
      return [...expired.keys()].filter((id) => store.isHere(id));
    };
    const { othersStay, marked } = this.#request;
    if (hasTaken) this.#extendMark(othersStay ? [...store.listIds()].filter((id) => !marked.has(id)) : remaining());
    return new Set(remaining());
  }

  #take(batch: Batch, phase: RemovalPhase): void {
    const { packs, loose, quarantine, store, expired, marked, onRemoved } = this.#request;
    const needed = new Set([...expired.keys()].filter((id) => marked.has(id)));
    // S5
    const heldLoose = loose.flatMap((file) => {
      const held = needed.has(file.id) || !isUnchanged(file.path, file.mtimeMs) ? undefined : batch.holdLoose(file.path);
      return held === undefined ? [] : [{ file, held }];
    });
    const heldPacks = packs.flatMap(({ reader, mtimeMs }) => {
      const held = isIn(reader, needed) || !isUnchanged(reader.path, mtimeMs) ? [] : batch.holdPack(reader.path, quarantine !== undefined);
      return held.length === 0 ? [] : [{ name: reader.name, path: reader.path, mtimeMs, held }];
    });
    batch.settle();
    // S6, S7
    if (heldPacks.length > 0 && !this.#request.hasNewMultiPackIndex) store.removeMultiPackIndex();
    const own = new Map(store.listOwnPacks().map((reader) => [reader.name, reader]));
    for (const { name, path, mtimeMs, held } of heldPacks) {
      phase.check();
      const reader = own.get(name);
      if (reader === undefined || !this.#takeAway(held, path, mtimeMs, () => store.removePack(reader))) continue;
      this.#removedPacks.add(name);
      onRemoved?.();
    }
    for (const { file, held } of heldLoose) {
      phase.check();
      if (!this.#takeAway([held], file.path, file.mtimeMs, () => store.removeLoose(file.id))) continue;
      this.#taken.push(file);
      onRemoved?.();
    }
  }

  /** False when it was touched before it was away: then all its names are there as before, and none is left in the batch. */
  #takeAway(files: readonly Held[], path: string, mtimeMs: number, away: () => void): boolean {
    const own = files.find((file) => file.path === path);
    if (own !== undefined && isUnchanged(path, mtimeMs)) {
      away();
      if (isUnchanged(own.held, mtimeMs)) return true;
      const directories = new Set(files.map((file) => dirname(file.path)));
      for (const file of files) giveBack(file);
      for (const directory of directories) disk().fsyncDirectory(directory);
    }
    for (const { held } of files) removeIfPresent(held);
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

function isIn(reader: PackReader, ids: ReadonlySet<ObjectId>): boolean {
  for (const id of ids) if (reader.position(encodeObjectId(id)) >= 0) return true;
  return false;
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
