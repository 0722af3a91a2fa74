// Repairing: what verify finds damaged or missing is taken from copies elsewhere, and damaged files are replaced (cairn-repair(1)).
//
// Invariant: nothing is deleted. An object counts as restored when it was written anew, hashed to its id and is durable; only then does a
// damaged file lose its name, and it has another one by then, in <gitdir>/cairn/damaged. A pack is replaced only when each of its objects
// that is needed was read back from a new pack. What others name is written before them as far as that is known.
// If the power fails: more good copies than before, and the damaged files in one of their two places. Running it again goes on from there.
import { existsSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { decodeCommit } from '../../pack/commit.js';
import { disk, makeDirectories, temporaryName } from '../../pack/disk.js';
import { CairnError, CorruptError, isSystemError } from '../../pack/errors.js';
import type { ObjectStream } from '../../pack/object.js';
import type { ObjectStore } from '../../pack/object-store.js';
import { type ObjectId, type ObjectType, hashPieces } from '../../pack/oid.js';
import type { PackReader } from '../../pack/pack-reader.js';
import { PackingList } from '../../pack/packing-list.js';
import { decodeTag } from '../../pack/tag.js';
import { decodeTree } from '../../pack/tree.js';
import { packingCaches, writeVerifiedPacks } from '../../pack/verified-packs.js';
import { readPackSettings } from '../../plumbing/objects/pack-settings.js';
import { holdLease } from '../../plumbing/refs/announcement.js';
import type { Repository } from '../../plumbing/repository.js';
import type { MaintenanceLock } from '../leases.js';
import type { Finding } from './finding.js';
import { type RepairSource, readWithoutIndex, salvage } from './repair-source.js';
import { type Verification, verifyRepository } from './verification.js';

/** More objects than this become one pack. */
const mostLoose = 100;

/** An object that has no good copy here, and who has one. */
export interface Restorable {
  readonly id: ObjectId;
  readonly type: ObjectType;
  readonly source: RepairSource;
}

export interface RepairPlan {
  readonly before: Verification;
  /** What other objects name first. */
  readonly restorable: readonly Restorable[];
  /** Needed or damaged, and no good copy is known. */
  readonly lost: readonly ObjectId[];
  /** Files of ours that are damaged: loose objects, packs, what is derived. */
  readonly loose: readonly { readonly path: string; readonly id: ObjectId }[];
  readonly packs: readonly string[];
  readonly derived: readonly string[];
}

export interface RepairReport {
  readonly restored: readonly { readonly id: ObjectId; readonly type: ObjectType; readonly from: string }[];
  /** Damaged files, by their old names; `drawer` has them now. */
  readonly setAside: readonly string[];
  readonly drawer: string | undefined;
  /** What is wrong still. */
  readonly after: Verification;
}

/** Decides what can be mended from where; nothing is written. `sources` are asked in order, after what is here. */
export function planRepair(repository: Repository, sources: readonly RepairSource[]): RepairPlan & Disposable {
  const before = verifyRepository(repository, { part: { number: 1, of: 1 } });
  const store = repository.openStored();
  const own = `${store.directory}/`;
  const all = before.findings.filter(({ severity }) => severity === 'error');
  const errors = all.filter(({ subject }) => !isElsewhere(subject, own));
  const loose = errors.flatMap(({ kind, subject, id }) => (kind === 'object' && id !== undefined && subject.startsWith(own) && !subject.endsWith('.pack') ? [{ path: subject, id }] : []));
  const packs = new Set(errors.filter(({ kind, subject }) => kind === 'pack' || (kind === 'object' && subject.endsWith('.pack'))).map(({ subject }) => subject.replace(/\.idx$/, '.pack')));
  const derived = new Set(errors.filter(({ kind, subject }) => kind === 'derived' && subject.startsWith(own)).map(({ subject }) => subject));
  const readable = new Map(store.listOwnPacks().filter(hasIndex).map((pack) => [pack.path, pack]));
  const salvaged = [...packs].filter((path) => !readable.has(path) && existsSync(path)).map((path) => salvage(path, repository.format));
  const search = new Search(store, [...salvaged, ...sources]);
  for (const { id } of all) if (id !== undefined) search.want(id);
  for (const path of packs) {
    const pack = readable.get(path);
    for (let position = 0; position < (pack?.objectCount ?? 0); position += 1) search.want(pack!.idAt(position));
  }
  for (const { ids } of salvaged) for (const id of ids) search.want(id);
  search.run();
  return {
    before, restorable: search.found.reverse(), lost: search.lost, loose, packs: [...packs], derived: [...derived],
    [Symbol.dispose]: () => {
      for (const source of salvaged) source.close();
      store.close();
    },
  };
}

/** True for a file of an alternate, which is not ours to change. */
function isElsewhere(subject: string, own: string): boolean {
  return /\/objects\//.test(subject) && subject.startsWith('/') && !subject.startsWith(own);
}

/** Looks for good copies of objects, and of what those name that is not here. */
class Search {
  readonly found: Restorable[] = [];
  readonly lost: ObjectId[] = [];
  readonly #store: ObjectStore;
  readonly #sources: readonly RepairSource[];
  readonly #seen = new Set<ObjectId>();
  readonly #pending: ObjectId[] = [];

  constructor(store: ObjectStore, sources: readonly RepairSource[]) {
    this.#store = store;
    this.#sources = sources;
  }

  want(id: ObjectId): void {
    if (this.#seen.has(id)) return;
    this.#seen.add(id);
    this.#pending.push(id);
  }

  run(): void {
    for (let at = 0; at < this.#pending.length; at += 1) {
      const id = this.#pending[at]!;
      if (hasGoodCopy(this.#store, id)) continue;
      const source = this.#sources.find((one) => isGood(one.open(id), id, this.#store));
      if (source === undefined) {
        this.lost.push(id);
        continue;
      }
      const { type, chunks } = source.open(id)!;
      this.found.push({ id, type, source });
      if (type === 'blob') continue;
      for (const child of childrenOf(type, Buffer.concat([...chunks]), this.#store)) if (!this.#store.has(child)) this.want(child);
    }
  }
}

/** Hashes what a source gives. */
function isGood(stream: ObjectStream | undefined, id: ObjectId, store: ObjectStore): boolean {
  if (stream === undefined) return false;
  try {
    return hashPieces(stream.type, stream.sizeBytes, stream.chunks, store.format) === id;
  } catch (error) {
    if (error instanceof CairnError) return false;
    throw error;
  }
}

function hasGoodCopy(store: ObjectStore, id: ObjectId): boolean {
  try {
    return store.findHeader(id) !== undefined && isGood(store.openStream(id), id, store);
  } catch (error) {
    if (error instanceof CairnError) return false;
    throw error;
  }
}

/** False for one whose index is damaged: where a multi-pack-index covers it, that shows only now. */
function hasIndex(pack: PackReader): boolean {
  try {
    return pack.index.count >= 0;
  } catch (error) {
    if (error instanceof CorruptError) return false;
    throw error;
  }
}

function childrenOf(type: ObjectType, bytes: Buffer, { format }: ObjectStore): ObjectId[] {
  try {
    if (type === 'commit') {
      const { tree, parents } = decodeCommit(bytes, format);
      return [tree, ...parents];
    }
    if (type === 'tag') return [decodeTag(bytes, format).object];
    return decodeTree(bytes, format).filter(({ mode }) => mode !== 0o160000).map(({ id }) => id);
  } catch (error) {
    // Its bytes are what its id says; that they are no good object is fsck's to tell.
    if (error instanceof CorruptError) return [];
    throw error;
  }
}

/** Does what was planned; the caller holds the maintenance lock. */
export function applyRepair(repository: Repository, plan: RepairPlan, lock: MaintenanceLock): RepairReport {
  using _ = holdLease(repository);
  return new Repairing(repository, lock).run(plan);
}

class Repairing {
  readonly #repository: Repository;
  readonly #lock: MaintenanceLock;
  readonly #store: ObjectStore;
  readonly #setAside: string[] = [];
  #drawer: string | undefined;

  constructor(repository: Repository, lock: MaintenanceLock) {
    this.#repository = repository;
    this.#lock = lock;
    this.#store = repository.openStored();
  }

  run(plan: RepairPlan): RepairReport {
    try {
      const lost = new Set(plan.lost);
      for (const { path, id } of plan.loose) if (!lost.has(id) && existsSync(path)) this.#keep(path);
      this.#restore(plan.restorable);
      for (const { path, id } of plan.loose) this.#mendLoose(path, id);
      for (const path of plan.derived) this.#remove(path);
      for (const path of plan.packs) this.#mendPack(path, plan);
      this.#store.flush();
    } finally {
      this.#store.close();
    }
    return {
      restored: plan.restorable.map(({ id, type, source }) => ({ id, type, from: source.name })),
      setAside: this.#setAside, drawer: this.#drawer,
      after: verifyRepository(this.#repository, { part: { number: 1, of: 1 } }),
    };
  }

  /** Durable when it returns. */
  #restore(restorable: readonly Restorable[]): void {
    const bulk = restorable.length > mostLoose ? this.#store.bulk() : undefined;
    try {
      this.#store.writeTogether(() => {
        for (const { id, source } of restorable) {
          this.#lock.beat();
          const { type, sizeBytes, chunks } = source.open(id)!;
          const written = bulk === undefined ? this.#store.writeStream(type, sizeBytes, chunks) : bulk.addStream(type, sizeBytes, chunks);
          if (written !== id) throw new CorruptError(`'${source.name}' gave another object for '${id}' when it was asked again`, { code: 'source-changed' });
        }
      });
      bulk?.finish();
    } catch (error) {
      bulk?.abort();
      throw error;
    }
    this.#store.flush();
  }

  /** A damaged loose file, which is kept aside, is written anew from a good copy; without one it stays. */
  #mendLoose(path: string, id: ObjectId): void {
    if (existsSync(path) && hasGoodCopy(this.#store, id)) this.#store.rewriteLoose(id);
  }

  #mendPack(path: string, plan: RepairPlan): void {
    this.#store.refresh();
    this.#lock.beat();
    const pack = this.#store.listOwnPacks().find((one) => one.path === path && hasIndex(one));
    if (pack === undefined) this.#mendUnreadable(path);
    else this.#mendEntries(pack, plan);
  }

  /** A pack whose index is of no use: it gets a new one, or, when it is damaged as well, what can be read of it was restored by now. */
  #mendUnreadable(path: string): void {
    if (!existsSync(path)) return;
    const stem = path.slice(0, -'.pack'.length);
    const { intake, isWhole } = readWithoutIndex(path, this.#repository.format);
    using _ = intake;
    if (intake !== undefined && isWhole) {
      for (const suffix of ['.idx', '.rev', '.bitmap']) if (existsSync(stem + suffix)) this.#keep(stem + suffix);
      intake.place({ base: stem, reverseIndex: existsSync(`${stem}.rev`) });
    } else {
      this.#removePack(path);
    }
    this.#store.refresh();
  }

  /** Every good object of the pack into a new one; the old one then goes, unless something needed has no good copy anywhere. */
  #mendEntries(pack: PackReader, plan: RepairPlan): void {
    const lost = new Set(plan.lost);
    const list = new PackingList();
    for (let position = 0; position < pack.objectCount; position += 1) {
      const id = pack.idAt(position);
      if (lost.has(id)) {
        if (plan.before.needed.has(id)) return;
        continue;
      }
      if (hasGoodCopy(this.#store, id)) list.add(id);
      else if (plan.before.needed.has(id)) return;
    }
    const { path } = pack;
    const held = this.#keepPack(path);
    this.#dropMultiPackIndex();
    const settings = readPackSettings(this.#repository.config);
    writeVerifiedPacks({
      list, store: this.#store, caches: packingCaches(), limits: settings.limits, level: settings.level, largeBytes: settings.largeBytes, usesOffsets: true,
      reuseObjects: false, writer: { hasReverseIndex: settings.hasReverseIndex, indexVersion: settings.indexVersion },
      onProgress: () => { this.#lock.beat(); },
    });
    // The new pack may have come out as the old one was before it was damaged: then its files are in place already.
    for (const file of held) if (isSameFile(file.path, file.held)) disk().unlink(file.path);
    disk().fsyncDirectory(dirname(path));
    this.#store.refresh();
  }

  #removePack(path: string): void {
    const held = this.#keepPack(path);
    this.#dropMultiPackIndex();
    for (const file of held) disk().unlink(file.path);
    disk().fsyncDirectory(dirname(path));
  }

  /** The index first: it is what makes a pack visible. */
  #keepPack(path: string): { readonly path: string; readonly held: string }[] {
    const stem = path.slice(0, -'.pack'.length);
    return ['.idx', '.rev', '.bitmap', '.mtimes', '.promisor', '.keep', '.pack'].flatMap((suffix) => {
      const file = stem + suffix;
      return existsSync(file) ? [{ path: file, held: this.#keep(file) }] : [];
    });
  }

  /** It sends readers to packs that are about to go; their own indexes say the same. */
  #dropMultiPackIndex(): void {
    const path = join(this.#store.directory, 'pack/multi-pack-index');
    if (existsSync(path)) this.#remove(path);
  }

  #remove(path: string): void {
    if (!existsSync(path)) return;
    if (statSync(path).isDirectory()) {
      // A chain of commit-graphs; without the list of them none is read.
      this.#remove(join(path, 'commit-graph-chain'));
      return;
    }
    this.#keep(path);
    disk().unlink(path);
    disk().fsyncDirectory(dirname(path));
    this.#store.refresh();
  }

  /** Gives a file a second name in the drawer, durably; returns it. */
  #keep(path: string): string {
    const drawer = this.#drawer ??= temporaryName(join(this.#repository.cairnDirectory(), 'damaged'), `${new Date().toISOString().replace(/[-:.]/g, '')}-`).slice(0, -8);
    const held = join(drawer, relative(dirname(this.#store.directory), path));
    makeDirectories(dirname(held));
    if (!existsSync(held)) {
      try {
        disk().link(path, held);
      } catch (error) {
        if (!isSystemError(error, 'EXDEV', 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK', 'ENOSYS')) throw error;
        disk().cloneFile(path, held);
      }
      disk().fsyncDirectory(dirname(held));
      this.#setAside.push(path);
    }
    return held;
  }
}

function isSameFile(path: string, held: string): boolean {
  const [one, other] = [path, held].map((file) => statSync(file, { throwIfNoEntry: false }));
  return one !== undefined && other !== undefined && one.ino === other.ino && one.dev === other.dev;
}

/** What repair cannot mend, and what a person can do about it. */
export function adviceFor({ kind }: Finding): string | undefined {
  if (kind === 'ref') return 'set refs that are damaged with cairn update-ref; their reflogs tell where they were';
  if (kind === 'index') return 'make a damaged index anew with cairn reset';
  return kind === 'object' ? 'name another repository or bundle that may have the objects with --from' : undefined;
}
