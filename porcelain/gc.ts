// Garbage collection: plan, then apply (man/cairn-safety.7, man/cairn-gc.1). `planGc` reads roots, closes over them and says of every
// object and file of ours what becomes of it; it writes nothing and takes no lock. `applyGc`, under the maintenance lock, does that.
//
// Invariants: new packs are visible and read back before anything old goes; only files in the plan are removed, only while they are
// as they were; roots are read again just before, and what they reach by then stays. Nothing younger than the grace is removed.
// If the power fails at any step: every object is in the old files, the new ones, or both; the next gc goes on from there.
import * as fs from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { CommitGraph } from '../pack/commit-graph.js';
import { pathGroup } from '../pack/delta-window.js';
import { removeIfPresent } from '../pack/disk.js';
import { CorruptError, RefusedError } from '../pack/errors.js';
import { listDirectory } from '../pack/file-lookup.js';
import type { LooseFile } from '../pack/loose.js';
import { ObjectStore } from '../pack/object-store.js';
import { type ObjectId, emptyBlobId, emptyTreeId, encodeObjectId } from '../pack/oid.js';
import { PackCaches, type PackReader } from '../pack/pack-reader.js';
import { readPackSettings } from '../plumbing/objects/pack-settings.js';
import { removeIfEmpty } from '../plumbing/objects/packed-loose.js';
import { type ReachableOptions, markReachable } from '../plumbing/history/reachable.js';
import type { Repository } from '../plumbing/repository.js';
import { type Batch, removeGoneBatches } from '../pack/quarantine.js';
import { listAnnounced } from '../plumbing/refs/announcement.js';
import { quarantineDirectory } from '../plumbing/refs/sweep-flag.js';
import { Inventory, type StoredPack } from '../pack/inventory.js';
import { type PackedAs, writeVerifiedPack } from './gc-repack.js';
import { parseGrace } from './grace.js';
import { type Root, type RootKind, listRoots, readShallow, rootKinds } from './gc-roots.js';
import type { MaintenanceLock } from './leases.js';
import { type SweepResult, isUnchanged, listCompleteBatches, sweep } from './sweep.js';

/** Why an object stays: the first kind of root that reaches it, that it is too young to go, or that its pack has a .keep file. */
export type KeptKind = RootKind | 'young' | 'keep-file';
export const keptKinds: readonly KeptKind[] = [...rootKinds, 'young', 'keep-file'];

/** Objects, and the bytes they take on our disk. */
export interface Tally {
  readonly objects: number;
  readonly bytes: number;
}

export interface GcOptions {
  /** Unreachable objects written or relied on later than this many milliseconds ago stay; Infinity keeps all. */
  readonly graceMs: number;
  /** Says how far it has come; may be called often. */
  readonly onProgress?: (phase: GcPhase, done: number, total?: number) => void;
}

export type GcPhase = 'marking' | 'compressing' | 'writing' | 'verifying' | 'removing';

/** What will become of every object and file; made by `planGc`. */
export interface GcPlan {
  readonly nowMs: number;
  /** Unreachable objects younger than this stay. */
  readonly cutoffMs: number;
  readonly inventory: Inventory;
  /** Memory for reading packs, one for all that read on behalf of this plan. */
  readonly caches: PackCaches;
  /** Everything a root reaches, and everything young objects reach; extended while the plan is applied, never reduced. */
  readonly marked: Set<ObjectId>;
  readonly kept: ReadonlyMap<KeptKind, Tally>;
  /** To be written into one new pack, in the order they were met; empty when the packs that are there will do. */
  readonly toPack: ReadonlyMap<ObjectId, PackedAs>;
  /** To be written into a cruft pack, with their ages in milliseconds since 1970. */
  readonly toCruft: ReadonlyMap<ObjectId, PackedAs & { readonly mtimeMs: number }>;
  /** Nobody needs them and their grace is over. */
  readonly expired: ReadonlyMap<ObjectId, ExpiredObject>;
  /** Packs whose objects are all in the new packs, or expired. */
  readonly retired: readonly StoredPack[];
  /** Loose files whose objects are in packs, or expired. */
  readonly loose: readonly LooseFile[];
  /** Needed, and only in quarantine by now: they come back. */
  readonly rescued: readonly ObjectId[];
  /** How long what expires stays in quarantine, in milliseconds. */
  readonly windowMs: number;
  /** Batches in quarantine whose window is over. */
  readonly discarded: readonly Batch[];
  /** Files crashes and interrupted commands left behind. */
  readonly leftovers: readonly { readonly path: string; readonly sizeBytes: number; readonly mtimeMs: number }[];
}

export interface ExpiredObject {
  /** When it was last written or relied on, in milliseconds since 1970. */
  readonly lastUsedMs: number;
  /** Bytes it takes on disk. */
  readonly bytes: number;
}

/** What happened; nothing is counted that did not. */
export interface GcReport {
  readonly packed: Tally;
  /** Unreachable objects put together in a cruft pack until their grace is over. */
  readonly cruft: Tally;
  /** Left the store: their grace was over. */
  readonly expired: Tally;
  /** What the new batch in quarantine holds, in bytes there. */
  readonly quarantined: Tally & { readonly batch: string | undefined };
  /** Brought back from quarantine, because they are needed after all. */
  readonly rescued: { readonly objects: number };
  /** Removed from quarantine for good. */
  readonly discarded: Tally & { readonly batches: number };
  readonly removed: { readonly packs: number; readonly looseObjects: number; readonly leftovers: number; readonly bytes: number };
  /** Planned to go, but found to be needed, or renewed, when it was their turn. */
  readonly spared: { readonly objects: number; readonly packs: number };
}

/** Temporary files younger than this may belong to a process at work, whatever the grace. */
const leftoverMinimumMs = 60 * 60 * 1000;

/** A store that reads what is there: gc must keep replaced objects and their replacements. */
function openPlainStore(repository: Repository, caches: PackCaches): ObjectStore {
  return ObjectStore.open(repository.objectsDirectory, repository.format, {
    alternates: repository.objects.alternates, caches, quarantine: quarantineDirectory(repository),
  });
}

/** Decides what stays and what goes. CorruptError when a root cannot be read or something it reaches is missing: then nothing may be deleted. */
export function planGc(repository: Repository, options: GcOptions): GcPlan {
  refuseWhatIsPrecious(repository);
  const nowMs = repository.context.clock.nowMs();
  // Nothing goes that was written since this moment, or since the oldest command at work began.
  const cutoffMs = Math.min(nowMs - options.graceMs, oldestLeaseMs(repository));
  // Objects are packed in the order of their paths, so reading jumps about.
  const caches = new PackCaches(8 * 1024 * 1024, 32 * 1024 * 1024, 16 * 1024);
  const store = openPlainStore(repository, caches);
  try {
    const inventory = Inventory.read(store);
    const mark = new Mark(repository, store, inventory, options);
    mark.addRoots(listRoots(repository));
    const reachable = mark.take();
    mark.addYoung(cutoffMs);
    const young = mark.take();
    const isInKeptPack = (id: ObjectId): boolean => {
      const copy = inventory.find(id);
      return copy?.kind === 'pack' && copy.pack.isKept;
    };
    const expired = new Map<ObjectId, ExpiredObject>();
    let unreachable = 0;
    for (const id of inventory.listIds()) {
      if (mark.seen.has(id)) continue;
      unreachable += 1;
      // What is damaged in a kept pack names nothing, and stays nevertheless.
      if (isInKeptPack(id)) mark.count('keep-file', id);
      else expired.set(id, { lastUsedMs: inventory.youngestMs(id), bytes: inventory.sizeOf(id) });
    }
    const packable = new Map([...reachable].filter(([id]) => !isInKeptPack(id)));
    const cruft = new Map([...young].filter(([id]) => !isInKeptPack(id)).map(([id, as]) => [id, { ...as, mtimeMs: inventory.youngestMs(id) }]));
    const rescued = [...store.lent];
    const windowMs = quarantineWindowMs(repository);
    const isStuck = inventory.count - unreachable !== reachable.size + young.size;
    const stuck = isStuck ? listStuck(inventory, mark.seen, [reachable, young]) : new Set<ObjectId>();
    const main = findExactPack(inventory, [...packable.keys()], false);
    const formerCruft = findExactPack(inventory, [...cruft.keys()], true);
    return {
      nowMs,
      cutoffMs,
      inventory,
      caches,
      marked: mark.seen,
      kept: mark.kept,
      toPack: main === undefined ? packable : new Map(),
      toCruft: formerCruft === undefined ? cruft : new Map(),
      expired,
      rescued,
      windowMs,
      discarded: listCompleteBatches(repository).filter(({ record }) => record.atMs <= nowMs - windowMs),
      retired: inventory.packs.filter((pack) => !pack.isKept && pack !== main && pack !== formerCruft && !holdsAny(pack, stuck)),
      loose: inventory.loose.filter(({ id }) => !stuck.has(id)),
      leftovers: [...listLeftovers(repository, Math.min(cutoffMs, nowMs - leftoverMinimumMs))],
    };
  } finally {
    store.close();
  }
}

function refuseWhatIsPrecious({ config }: Repository): void {
  if (config.getBoolean('extensions.preciousobjects')) {
    throw new RefusedError('extensions.preciousObjects is set: objects must not be removed here', { code: 'gc-precious' });
  }
  if (config.get('extensions.partialclone') !== undefined) {
    throw new RefusedError('this is a partial clone', { code: 'gc-partial-clone', hint: 'use git gc here' });
  }
}

/** A pack that holds these objects and no others, so that it need not be written again. */
function findExactPack(inventory: Inventory, ids: readonly ObjectId[], isCruft: boolean): StoredPack | undefined {
  return inventory.packs.find((pack) => !pack.isKept && (pack.mtimes !== undefined) === isCruft && pack.reader.objectCount === ids.length
    && ids.every((id) => {
      const position = pack.reader.position(encodeObjectId(id));
      // An object relied on since its age was written down must have the new age.
      return position >= 0 && (pack.mtimes === undefined || inventory.youngestMs(id) <= pack.mtimes[position]! * 1000 + 999);
    }));
}

/** Objects that something names but that could not be read as what they should be: where they are, they stay. */
function listStuck(inventory: Inventory, seen: ReadonlySet<ObjectId>, placed: readonly ReadonlyMap<ObjectId, PackedAs>[]): Set<ObjectId> {
  const stuck = new Set<ObjectId>();
  for (const id of inventory.listIds()) if (seen.has(id) && !placed.some((objects) => objects.has(id))) stuck.add(id);
  return stuck;
}

/** Closes over roots, counting what each kind is the first to reach. */
class Mark {
  readonly seen = new Set<ObjectId>();
  readonly kept = new Map<KeptKind, Tally>();
  readonly #repository: Repository;
  readonly #store: ObjectStore;
  readonly #inventory: Inventory;
  readonly #options: GcOptions;
  readonly #shallow: ReadonlySet<ObjectId>;
  #found = new Map<ObjectId, PackedAs>();

  constructor(repository: Repository, store: ObjectStore, inventory: Inventory, options: GcOptions) {
    this.#repository = repository;
    this.#store = store;
    this.#inventory = inventory;
    this.#options = options;
    this.#shallow = readShallow(repository);
  }

  /** Strong roots first, kind by kind: what a strong root reaches must be whole, whatever a weak one reached before. */
  addRoots(roots: Iterable<Root>): void {
    const sorted = [...roots].sort((a, b) => Number(a.isWeak) - Number(b.isWeak) || rootKinds.indexOf(a.kind) - rootKinds.indexOf(b.kind));
    for (const root of sorted) this.#add(root.kind, [root.id], root.isWeak ? undefined : root.source);
  }

  /** Objects inside the grace, and what they reach; and what is named by objects in packs that stay whatever is in them. */
  addYoung(cutoffMs: number): void {
    const tips: ObjectId[] = [];
    const kept: ObjectId[] = [];
    for (const id of this.#inventory.listIds()) {
      if (this.seen.has(id)) continue;
      const copy = this.#inventory.find(id);
      if (copy?.kind === 'pack' && copy.pack.isKept) kept.push(id);
      else if (this.#inventory.youngestMs(id) >= cutoffMs) tips.push(id);
    }
    this.#add('young', tips, undefined);
    this.#add('keep-file', kept, undefined);
  }

  /** Objects of ours found since the last call, in the order they were met. */
  take(): ReadonlyMap<ObjectId, PackedAs> {
    const found = this.#found;
    this.#found = new Map();
    return found;
  }

  count(kind: KeptKind, id: ObjectId): void {
    this.#tally(kind, 1, this.#inventory.sizeOf(id));
  }

  #tally(kind: KeptKind, objects: number, bytes: number): void {
    const former = this.kept.get(kind) ?? { objects: 0, bytes: 0 };
    this.kept.set(kind, { objects: former.objects + objects, bytes: former.bytes + bytes });
  }

  /** `source` is named when something is missing; undefined for what keeps only what there is. */
  #add(kind: KeptKind, ids: Iterable<ObjectId>, source: string | undefined): void {
    let objects = 0;
    let bytes = 0;
    const refuse = (id: ObjectId, what: string): void => {
      if (source === undefined || this.#isBuiltIn(id)) return;
      throw new CorruptError(`object '${id}', which '${source}' needs, ${what}`, {
        code: 'gc-incomplete', hint: 'nothing was deleted; run cairn fsck, get the object from another copy and run gc again',
      });
    };
    const options: ReachableOptions = {
      seen: this.seen,
      withoutParents: this.#shallow,
      checkBlobs: true,
      onMissing: (id) => {
        refuse(id, 'is missing');
        // It may come back before anything is removed, and is looked at again then.
        this.seen.delete(id);
      },
      onCorrupt: (id, error) => {
        if (!(error instanceof CorruptError) || error.code === 'gc-incomplete') throw error;
        refuse(id, `is damaged: ${error.message}`);
      },
      onObject: (id, type, path) => {
        if (!this.#inventory.has(id)) return;
        objects += 1;
        bytes += this.#inventory.sizeOf(id);
        this.#found.set(id, { type, group: pathGroup(path) });
        this.#options.onProgress?.('marking', this.seen.size);
      },
    };
    markReachable(this.#store, ids, options);
    this.#tally(kind, objects, bytes);
  }

  /** Every repository knows the empty tree and the empty blob (of `add --intent-to-add`) without storing them. */
  #isBuiltIn(id: ObjectId): boolean {
    const { format } = this.#repository;
    return id === emptyTreeId(format) || id === emptyBlobId(format);
  }
}

/** Temporary files, and packs without their index, not touched since `beforeMs`. */
function* listLeftovers(repository: Repository, beforeMs: number): Generator<{ path: string; sizeBytes: number; mtimeMs: number }> {
  const objects = repository.objectsDirectory;
  const isTemporary = (name: string): boolean => /^(?:tmp_|\.tmp-)/.test(name);
  const old = function* (directory: string, isLeftover: (name: string) => boolean): Generator<{ path: string; sizeBytes: number; mtimeMs: number }> {
    for (const name of listDirectory(directory).sort()) {
      if (!isLeftover(name)) continue;
      const path = join(directory, name);
      const status = fs.lstatSync(path, { throwIfNoEntry: false });
      if (status?.isFile() && status.mtimeMs < beforeMs) yield { path, sizeBytes: status.size, mtimeMs: status.mtimeMs };
    }
  };
  yield* old(objects, isTemporary);
  for (const fanOut of listFanOuts(objects)) yield* old(fanOut, isTemporary);
  const packs = join(objects, 'pack');
  const present = new Set(listDirectory(packs));
  yield* old(packs, (name) => {
    if (isTemporary(name)) return true;
    const stem = /^(pack-[0-9a-f]+)\.(?:pack|rev|mtimes|bitmap)$/.exec(name)?.[1];
    return stem !== undefined && !present.has(`${stem}.idx`) && !present.has(`${stem}.keep`);
  });
  const drawer = join(repository.commonDirectory, 'cairn');
  for (const directory of [repository.commonDirectory, drawer]) yield* old(directory, isTemporary);
  for (const { path, isDead } of listAnnounced(repository)) if (isDead) yield* old(dirname(path), (name) => name === basename(path));
  // What a killed process leaves of a lock it held; a claim whose lock is still there is a name of the same file.
  for (const claim of old(join(drawer, 'locks'), () => true)) if (fs.statSync(claim.path, { throwIfNoEntry: false })?.nlink === 1) yield claim;
}

function listFanOuts(objects: string): string[] {
  return listDirectory(objects).sort().filter((name) => /^[0-9a-f]{2}$/.test(name)).map((name) => join(objects, name));
}

/** True when applying the plan would change no object or pack. */
export function isNothingToDo(plan: GcPlan): boolean {
  return plan.toPack.size === 0 && plan.toCruft.size === 0 && plan.rescued.length === 0 && plan.discarded.length === 0 && plan.retired.length === 0 && plan.loose.length === 0 && plan.leftovers.length === 0;
}

/** Does what the plan says, except where the world has moved since; `lock` is held by the caller. */
export function applyGc(repository: Repository, plan: GcPlan, lock: MaintenanceLock, options: GcOptions): GcReport {
  const store = openPlainStore(repository, plan.caches);
  try {
    return new Application(repository, store, plan, lock, options).run();
  } finally {
    store.close();
    repository.objects.refresh();
  }
}

class Application {
  readonly #repository: Repository;
  readonly #store: ObjectStore;
  readonly #plan: GcPlan;
  readonly #lock: MaintenanceLock;
  readonly #options: GcOptions;
  readonly #removed = { packs: 0, looseObjects: 0, leftovers: 0, bytes: 0 };
  #sparedPacks = 0;
  readonly #written = new Set<string>();
  /** Objects of the plan that are still in a file that was not removed after all. */
  readonly #remaining = new Set<ObjectId>();
  /** Packs that stay: written and verified by us, or not looked into yet. */
  readonly #verifiedPacks: PackReader[] = [];
  #stayingPacks: readonly PackReader[] = [];

  constructor(repository: Repository, store: ObjectStore, plan: GcPlan, lock: MaintenanceLock, options: GcOptions) {
    this.#repository = repository;
    this.#store = store;
    this.#plan = plan;
    this.#lock = lock;
    this.#options = options;
  }

  run(): GcReport {
    const { toPack, toCruft, expired, discarded } = this.#plan;
    this.#lock.check();
    const rescued = this.#rescue();
    const packed = this.#writePack(toPack, undefined);
    const cruft = this.#writePack(toCruft, new Map([...toCruft].map(([id, { mtimeMs }]) => [id, mtimeMs])));
    this.#lock.check();
    this.#dropStaleCommitGraph();
    const expiring = { packs: this.#removeSupersededPacks(), loose: this.#removeSupersededLoose() };
    const swept = expiring.packs.length + expiring.loose.length + discarded.length === 0 ? undefined : this.#sweep(expiring.packs, expiring.loose);
    this.#removeLeftovers();
    const gone = [...expired].filter(([id]) => !this.#remaining.has(id));
    return {
      packed,
      cruft,
      expired: { objects: gone.length, bytes: gone.reduce((sum, [, { bytes }]) => sum + bytes, 0) },
      quarantined: swept?.quarantined ?? { objects: 0, bytes: 0, batch: undefined },
      rescued: { objects: rescued + (swept?.rescued.length ?? 0) },
      discarded: swept?.discarded ?? { batches: 0, objects: 0, bytes: 0 },
      removed: this.#removed,
      spared: { objects: expired.size - gone.length, packs: this.#sparedPacks },
    };
  }

  /** What the mark found only in quarantine is needed; no sweep but ours can be on. */
  #rescue(): number {
    for (const id of this.#plan.rescued) this.#store.has(id);
    return this.#store.rescue({ leavesBroken: true }).length;
  }

  #writePack(objects: ReadonlyMap<ObjectId, PackedAs>, mtimesMs: ReadonlyMap<ObjectId, number> | undefined): Tally {
    if (objects.size === 0) return { objects: 0, bytes: 0 };
    const pack = writeVerifiedPack({
      store: this.#store,
      caches: this.#plan.caches,
      objects,
      settings: readPackSettings(this.#repository.config),
      ...(mtimesMs === undefined ? {} : { mtimesMs }),
      onProgress: (phase, done) => {
        this.#lock.beat();
        this.#options.onProgress?.(phase, done, phase === 'compressing' ? undefined : objects.size);
      },
    });
    const name = `pack-${pack.packId}`;
    this.#written.add(name);
    this.#store.refresh();
    this.#verifiedPacks.push(...this.#store.listOwnPacks().filter((reader) => reader.name === name));
    return { objects: pack.objects, bytes: pack.bytes };
  }

  /** A commit-graph that names a commit about to go would be taken for damage; git and we do without until the next one is written. */
  #dropStaleCommitGraph(): void {
    if (this.#plan.expired.size === 0) return;
    const { objectsDirectory, format } = this.#repository;
    let graph: CommitGraph | undefined;
    try {
      graph = CommitGraph.find(objectsDirectory, format);
    } catch (error) {
      // Damaged anyway.
      if (!(error instanceof CorruptError)) throw error;
    }
    const isStale = graph === undefined || [...this.#plan.expired.keys()].some((id) => graph.find(id) !== undefined);
    if (!isStale) return;
    removeIfPresent(join(objectsDirectory, 'info/commit-graphs/commit-graph-chain'));
    removeIfPresent(join(objectsDirectory, 'info/commit-graph'));
  }

  /** It was read back from a file that stays. */
  #isElsewhere(raw: Buffer): boolean {
    return this.#verifiedPacks.some((reader) => reader.position(raw) >= 0) || this.#stayingPacks.some((reader) => {
      const position = reader.position(raw);
      return position >= 0 && reader.isGoodAt(position);
    });
  }

  /** What becomes of a pack: all of it is elsewhere; the rest of it expires; or it holds what is neither. */
  #judge({ reader }: StoredPack): 'superseded' | 'expiring' | 'needed' {
    let verdict: 'superseded' | 'expiring' = 'superseded';
    for (let position = 0; position < reader.objectCount; position += 1) {
      if (this.#isElsewhere(reader.index.rawIdAt(position))) continue;
      if (!this.#plan.expired.has(reader.idAt(position))) return 'needed';
      verdict = 'expiring';
    }
    return verdict;
  }

  /** Packs nobody misses go at once, for the store loses nothing with them; gives those with expired objects. */
  #removeSupersededPacks(): StoredPack[] {
    const retired = new Set(this.#plan.retired.map(({ reader }) => reader.name));
    const own = new Map(this.#store.listOwnPacks().map((reader) => [reader.name, reader]));
    this.#stayingPacks = [...own.values()].filter(({ name }) => !this.#written.has(name) && !retired.has(name));
    const expiring: StoredPack[] = [];
    let isIndexed = true;
    for (const pack of this.#plan.retired) {
      this.#lock.check();
      const reader = own.get(pack.reader.name);
      // The same objects packed again in the same way give the same pack.
      if (this.#written.has(pack.reader.name) || reader === undefined) continue;
      const verdict = isUnchanged(pack.reader.path, pack.mtimeMs) ? this.#judge(pack) : 'needed';
      if (verdict === 'expiring') {
        expiring.push(pack);
      } else if (verdict === 'needed' || !isUnchanged(pack.reader.path, pack.mtimeMs)) {
        // Reading the others back took time, in which somebody may have come to rely on what is in this one.
        this.#spare(pack);
      } else {
        if (isIndexed) this.#store.removeMultiPackIndex();
        isIndexed = false;
        this.#store.removePack(reader);
        this.#countPack(pack);
      }
    }
    return expiring;
  }

  #countPack(pack: StoredPack): void {
    this.#removed.packs += 1;
    this.#removed.bytes += pack.sizeBytes;
    this.#progress();
  }

  #progress(): void {
    this.#options.onProgress?.('removing', this.#removed.packs + this.#removed.looseObjects);
  }

  #spare({ reader }: StoredPack): void {
    this.#sparedPacks += 1;
    for (let position = 0; position < reader.objectCount; position += 1) this.#remaining.add(reader.idAt(position));
  }

  /** The same for loose files. */
  #removeSupersededLoose(): LooseFile[] {
    const expiring: LooseFile[] = [];
    for (const file of this.#plan.loose) {
      this.#lock.beat();
      const isSuperseded = this.#isElsewhere(encodeObjectId(file.id));
      if (!isSuperseded && this.#plan.expired.has(file.id)) {
        expiring.push(file);
      } else if (!isSuperseded || !isUnchanged(file.path, file.mtimeMs)) {
        // Renewed, or in no file that stays: the next gc looks again.
        this.#remaining.add(file.id);
      } else {
        this.#store.removeLoose(file.id);
        this.#removed.looseObjects += 1;
        this.#removed.bytes += file.sizeBytes;
        this.#progress();
      }
    }
    return expiring;
  }

  #sweep(packs: readonly StoredPack[], loose: readonly LooseFile[]): SweepResult {
    let done = this.#removed.packs + this.#removed.looseObjects;
    const { nowMs, windowMs, discarded, caches, expired, marked, inventory } = this.#plan;
    const result = sweep(this.#repository, {
      store: this.#store, lock: this.#lock, packs, loose, expired, marked, times: inventory.times, written: this.#written,
      quarantine: { nowMs, windowMs, discarded, caches },
      onRemoved: () => { this.#options.onProgress?.('removing', done += 1); },
    });
    for (const pack of packs) if (result.removedPacks.has(pack.reader.name)) this.#countPack(pack);
    this.#sparedPacks += result.spared.packs;
    for (const id of result.remaining) this.#remaining.add(id);
    return result;
  }

  #removeLeftovers(): void {
    for (const { path, sizeBytes, mtimeMs } of this.#plan.leftovers) {
      this.#lock.beat();
      if (!isUnchanged(path, mtimeMs) || !removeIfPresent(path)) continue;
      this.#removed.leftovers += 1;
      this.#removed.bytes += sizeBytes;
    }
    for (const directory of listFanOuts(this.#repository.objectsDirectory)) removeIfEmpty(directory);
    removeGoneBatches(quarantineDirectory(this.#repository));
  }
}

function holdsAny(pack: StoredPack, ids: ReadonlySet<ObjectId>): boolean {
  for (const id of ids) if (pack.reader.position(encodeObjectId(id)) >= 0) return true;
  return false;
}

/** When the oldest command at work began, in milliseconds since 1970; Infinity when there is none. */
export function oldestLeaseMs(repository: Repository): number {
  return Math.min(Infinity, ...listAnnounced(repository).filter(({ kind, isDead }) => kind !== 'maintainer' && !isDead).map(({ startedMs }) => startedMs));
}

/** How long what was swept stays in quarantine (gc.quarantine), a day when it is not said. */
export function quarantineWindowMs({ config, context }: Repository): number {
  return parseGrace(config.get('gc.quarantine') ?? '1d', context.clock);
}

/** The grace the repository asks for (gc.pruneExpire), two weeks when it does not. */
export function configuredGraceMs({ config, context }: Repository): number {
  return parseGrace(config.get('gc.pruneexpire') ?? '2w', context.clock);
}
