// Repacking: what is in several packs, or loose, into one, or into a few that grow by a factor (git-repack(1), man/cairn-safety.7).
//
// Invariants, as with gc: new packs are visible and read back object by object before anything old goes; an old pack goes only while it is as
// it was when the work began, and only when all it holds is in what stays or was needed by nothing, neither at the beginning nor at the end.
// Packs with a .keep file stay. One process at a time, under the maintenance lock.
// If the power fails at any step: every object is in the old packs, the new ones, or both.
import { statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { CorruptError, InvalidError, RefusedError } from '../pack/errors.js';
import { type StoreTimes, readStoreTimes } from '../pack/inventory.js';
import type { ObjectStore } from '../pack/object-store.js';
import type { ObjectId } from '../pack/oid.js';
import { encodePackMtimesOf } from '../pack/pack-mtimes.js';
import type { PackCaches, PackReader } from '../pack/pack-reader.js';
import type { WrittenPack } from '../pack/pack-writer.js';
import { PackingList } from '../pack/packing-list.js';
import { type VerifiedPacksOptions, packingCaches, writeVerifiedPacks } from '../pack/verified-packs.js';
import { MultiPackIndexing } from '../plumbing/objects/multi-pack-indexing.js';
import { PackSelection, type SelectionLimits, isKept } from '../plumbing/objects/pack-selection.js';
import type { PackSettings } from '../plumbing/objects/pack-settings.js';
import { removePackedLoose } from '../plumbing/objects/packed-loose.js';
import { Repository } from '../plumbing/repository.js';
import { updateServerInfo } from '../plumbing/objects/server-info.js';
import { listRoots, readShallow } from './gc-roots.js';
import { isUnchanged, sweep } from './sweep.js';
import type { MaintenanceLock } from './leases.js';

export interface RepackRequest {
  /** 'new': what is in no pack; 'all': everything that is needed; 'geometric': the packs that are too small for their neighbours. */
  readonly scope: 'new' | 'all' | 'geometric';
  /** Each pack has at least so many times the objects of the next smaller one. */
  readonly factor?: number;
  /** Old packs that are not needed any more go, and loose objects that are packed. */
  readonly removesOld: boolean;
  /** With scope 'all': what becomes of packed objects that nothing needs. */
  readonly unneeded: 'dropped' | 'loose' | 'kept' | 'cruft';
  /** Those last used before go for good; milliseconds since 1970. */
  readonly expireMs?: number;
  /** Where a pack of those that go for good is put: a path without '-<hash>.pack'. */
  readonly expireTo?: string;
  readonly isLocal: boolean;
  readonly reuseDeltas: boolean;
  readonly reuseObjects: boolean;
  readonly usesOffsets: boolean;
  readonly settings: PackSettings;
  readonly cruftSettings: PackSettings;
  /** Packs with a .keep file are packed, too; they stay nevertheless. */
  readonly packsKept: boolean;
  /** Names of packs to be treated as if they had a .keep file. */
  readonly keptPacks: ReadonlySet<string>;
  readonly writesMultiPackIndex: boolean;
  readonly updatesServerInfo: boolean;
  readonly onProgress?: (phase: 'compressing' | 'writing' | 'verifying', done: number, total: number) => void;
}

/** A pack that was there at the beginning. */
interface OldPack {
  readonly reader: PackReader;
  readonly mtimeMs: number;
}

/** Does what is asked; the packs it wrote. CorruptError when something needed is missing or damaged: then all stays as it was. */
export function repack(repository: Repository, request: RepackRequest, lock: MaintenanceLock): WrittenPack[] {
  if (request.removesOld && repository.config.getBoolean('extensions.preciousobjects')) {
    throw new RefusedError('cannot delete packs in a precious-objects repo', { code: 'gc-precious' });
  }
  if (repository.config.get('extensions.partialclone') !== undefined) {
    throw new RefusedError('this is a partial clone', { code: 'gc-partial-clone', hint: 'use git repack here' });
  }
  const { context } = repository;
  const plain = Repository.open({ ...context, env: { ...context.env, GIT_NO_REPLACE_OBJECTS: '1' } });
  const caches = packingCaches();
  plain.useCaches(caches);
  return new Repacking(plain, caches, request, lock).run();
}

class Repacking {
  readonly #repository: Repository;
  readonly #request: RepackRequest;
  readonly #lock: MaintenanceLock;
  readonly #caches: PackCaches;
  readonly #store: ObjectStore;
  /** Packs of ours that may be replaced. */
  readonly #old: readonly OldPack[];
  readonly #written: WrittenPack[] = [];
  readonly #times: StoreTimes;
  /** Of the objects in a new cruft pack. */
  #cruftAgesMs: ReadonlyMap<ObjectId, number> = new Map();

  constructor(repository: Repository, caches: PackCaches, request: RepackRequest, lock: MaintenanceLock) {
    this.#repository = repository;
    this.#caches = caches;
    this.#request = request;
    this.#lock = lock;
    this.#store = repository.objects;
    this.#times = readStoreTimes(this.#store);
    const damaged = this.#store.listDamagedPacks()[0];
    if (damaged !== undefined && request.removesOld) throw new CorruptError(`pack '${damaged.path}' cannot be read: ${damaged.error.message}`, { code: 'gc-pack-damaged', cause: damaged.error });
    this.#old = this.#store.listOwnPacks().filter((pack) => !isKept(pack) && !request.keptPacks.has(pack.name))
      .flatMap((reader) => {
        const mtimeMs = statSync(reader.path, { throwIfNoEntry: false })?.mtimeMs;
        return mtimeMs === undefined ? [] : [{ reader, mtimeMs }];
      });
  }

  run(): WrittenPack[] {
    try {
      const { scope, unneeded, removesOld } = this.#request;
      const rolledUp = scope === 'geometric' ? this.#packTogether() : undefined;
      if (rolledUp === undefined) this.#packReachable();
      if (scope === 'all' && unneeded === 'cruft') this.#packCruft();
      this.#store.refresh();
      if (this.#request.writesMultiPackIndex) this.#writeMultiPackIndex(rolledUp);
      if (removesOld) this.#removeOld(scope === 'all' ? this.#old : rolledUp ?? []);
      if (this.#request.updatesServerInfo) updateServerInfo(this.#repository);
      return this.#written;
    } finally {
      this.#store.close();
    }
  }

  get #limits(): SelectionLimits {
    const { isLocal, packsKept, keptPacks, scope } = this.#request;
    return { isLocal, honorsKeep: !packsKept, keptPacks, isIncremental: scope === 'new' };
  }

  /** What is needed: what git's repack takes, and what our own roots reach besides. */
  #packReachable(): void {
    const { scope, unneeded, removesOld, expireMs } = this.#request;
    const list = new PackingList();
    const selection = new PackSelection(this.#repository, list, this.#limits);
    const isNew = scope === 'new';
    selection.addReachable([], { all: true, reflogs: true, indexes: true, unpacked: isNew, keepsTrueParents: true });
    selection.addWhatIsThere([...listRoots(this.#repository)].map(({ id }) => id), readShallow(this.#repository));
    if (!isNew && removesOld && this.#old.length > 0) {
      if (unneeded === 'kept') selection.addAllOfOurs({ packed: true, loose: true });
      if (unneeded === 'loose') selection.loosenUnused(expireMs);
    }
    this.#write(list, this.#request.settings);
  }

  #write(list: PackingList, settings: PackSettings, writer: VerifiedPacksOptions['writer'] = {}): WrittenPack[] {
    this.#lock.check();
    const { reuseDeltas, reuseObjects, usesOffsets, onProgress } = this.#request;
    const { packs } = writeVerifiedPacks({
      list, store: this.#store, caches: this.#caches, reuseDeltas, reuseObjects, usesOffsets,
      limits: settings.limits, level: settings.level, largeBytes: settings.largeBytes,
      ...(settings.mostBytes === undefined ? {} : { mostBytes: settings.mostBytes }),
      writer: { ...writer, indexVersion: settings.indexVersion, hasReverseIndex: settings.hasReverseIndex },
      onProgress: (phase, done, total) => {
        this.#lock.beat();
        onProgress?.(phase, done, total);
      },
    });
    if (writer.base === undefined) this.#written.push(...packs);
    this.#store.refresh();
    return [...packs];
  }

  /** What is left in old packs and loose files, each object with its age. */
  #packCruft(): void {
    const { expireMs, expireTo, cruftSettings } = this.#request;
    const stays = new Set(this.#written.map(({ packId }) => `pack-${packId}`));
    const lines = this.#old.filter(({ reader }) => !stays.has(reader.name)).map(({ reader }) => `-${reader.name}.pack`);
    const write = (expire: number | undefined, base: string | undefined): void => {
      const list = new PackingList();
      const ages = new PackSelection(this.#repository, list, { ...this.#limits, isIncremental: false }).addUnreachable(lines, expire);
      const { format } = this.#repository;
      this.#write(list, { ...cruftSettings, mostBytes: undefined }, {
        ...(base === undefined ? {} : { base }), companions: ({ packId }) => new Map([['mtimes', encodePackMtimesOf(ages, packId, format)]]),
      });
      if (base === undefined) this.#cruftAgesMs = ages;
    };
    write(expireMs, undefined);
    if (expireTo !== undefined) write(undefined, expireTo);
  }

  /** Puts packs that are too small for their neighbours into one, with what is loose; gives them. */
  #packTogether(): OldPack[] {
    const { factor = 2, packsKept } = this.#request;
    const candidates = this.#old.filter(({ reader }) => !reader.isCruft);
    if (packsKept) for (const reader of this.#store.listOwnPacks()) if (isKept(reader)) candidates.push({ reader, mtimeMs: statSync(reader.path).mtimeMs });
    candidates.sort((a, b) => a.reader.objectCount - b.reader.objectCount);
    const split = splitGeometrically(candidates.map(({ reader }) => reader.objectCount), factor);
    const list = new PackingList();
    const selection = new PackSelection(this.#repository, list, { ...this.#limits, isIncremental: false });
    selection.addPacks(candidates.map(({ reader }, at) => `${at < split ? '' : '^'}${reader.name}.pack`), true);
    this.#write(list, this.#request.settings);
    return candidates.slice(0, split).filter(({ reader }) => !isKept(reader));
  }

  #writeMultiPackIndex(rolledUp: readonly OldPack[] | undefined): void {
    const { scope, removesOld } = this.#request;
    const written = new Set(this.#written.map(({ packId }) => `pack-${packId}`));
    const going = removesOld ? new Set((scope === 'all' ? this.#old : rolledUp ?? []).map(({ reader }) => reader.name)) : new Set<string>();
    const only = new Set(this.#store.listOwnPacks().filter(({ name }) => written.has(name) || !going.has(name)).map(({ name }) => `${name}.idx`));
    if (only.size > 0) new MultiPackIndexing(this.#store, this.#repository.lockHolder).write({ only, warn: (text) => { this.#repository.context.stderr.write(`warning: ${text}\n`); } });
  }

  #removeOld(packs: readonly OldPack[]): void {
    const written = new Set(this.#written.map(({ packId }) => `pack-${packId}`));
    const own = new Map(this.#store.listOwnPacks().map((reader) => [reader.name, reader]));
    const doomed = packs.filter(({ reader }) => !written.has(reader.name) && own.has(reader.name));
    const names = new Set(doomed.map(({ reader }) => reader.name));
    const staying = [...own.values()].filter(({ name }) => !names.has(name));
    const lost = this.#listLost(doomed, staying);
    const swept = new Set(lost.values());
    let isIndexed = !this.#request.writesMultiPackIndex;
    for (const { reader, mtimeMs } of doomed) {
      this.#lock.check();
      // Somebody wrote it again, or relied on what is in it: the next repack looks again.
      if (swept.has(reader.name) || !isUnchanged(reader.path, mtimeMs)) continue;
      if (isIndexed) this.#store.removeMultiPackIndex();
      isIndexed = false;
      this.#store.removePack(own.get(reader.name)!);
    }
    if (swept.size > 0) this.#sweep(doomed.filter(({ reader }) => swept.has(reader.name)), [...lost.keys()]);
    removePackedLoose(this.#store, { cruftAgesMs: this.#cruftAgesMs, onRemoved: () => { this.#lock.beat(); } });
  }

  /** Objects of which no pack that stays and no loose file has a good copy, and a pack that has each. */
  #listLost(doomed: readonly OldPack[], staying: readonly PackReader[]): Map<ObjectId, string> {
    const lost = new Map<ObjectId, string>();
    const verified = new Set(this.#written.map(({ packId }) => `pack-${packId}`));
    const stays = (raw: Buffer): boolean => staying.some((pack) => {
      const position = pack.position(raw);
      return position >= 0 && (verified.has(pack.name) || pack.isGoodAt(position));
    });
    for (const { reader } of doomed) {
      for (let position = 0; position < reader.objectCount; position += 1) {
        this.#lock.beat();
        if (stays(reader.index.rawIdAt(position))) continue;
        const id = reader.idAt(position);
        if (!this.#store.hasGoodLoose(id)) lost.set(id, reader.name);
      }
    }
    return lost;
  }

  /** Packs with objects that go with them do so in a removal phase, but for those that are needed by now. */
  #sweep(packs: readonly OldPack[], lost: readonly ObjectId[]): void {
    sweep(this.#repository, {
      store: this.#store, lock: this.#lock, packs, loose: [], times: this.#times, marked: new Set(),
      hasNewMultiPackIndex: this.#request.writesMultiPackIndex, othersStay: true,
      expired: new Map(lost.map((id) => [id, { lastUsedMs: 0 }])),
      written: new Set(this.#written.map(({ packId }) => `pack-${packId}`)),
    });
  }
}

/** How many of the smallest packs become one, so that each pack that is left has `factor` times the objects of the one before. `counts` ascend. */
export function splitGeometrically(counts: readonly number[], factor: number): number {
  let split = counts.length - 1;
  while (split > 0 && counts[split]! >= factor * counts[split - 1]!) split -= 1;
  if (split <= 0) return 0;
  split += 1;
  let total = counts.slice(0, split).reduce((sum, count) => sum + count, 0);
  while (split < counts.length && counts[split]! < factor * total) {
    total += counts[split]!;
    split += 1;
  }
  return split;
}

/** A pack's name as options give it: with or without a directory and suffix. */
export function packNameOf(text: string): string {
  return basename(text).replace(/\.(?:pack|idx)$/, '');
}

/** Where `--expire-to` puts packs: its directory must be there. */
export function expiryBase(path: string, cwd: string): string {
  const base = join(path.startsWith('/') ? '/' : cwd, path);
  if (statSync(dirname(base), { throwIfNoEntry: false })?.isDirectory() !== true) throw new InvalidError(`'${dirname(base)}' is no directory`, { code: 'bad-path' });
  return base;
}
