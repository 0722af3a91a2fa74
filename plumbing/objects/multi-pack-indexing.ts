// Keeping the multi-pack-index of an objects directory: writing it, checking it, letting packs go that it no longer needs, and putting
// small packs together (git-multi-pack-index(1)).
//
// Invariant: the file is replaced as a whole, under git's lock; a pack is removed only after a multi-pack-index without it is durable, so
// that no reader is sent to a pack that is gone. If the power fails: the old file or the new one, and perhaps packs nobody needs.
import { existsSync, opendirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { removeIfPresent } from '../../pack/disk.js';
import { CorruptError, NotFoundError, isSystemError } from '../../pack/errors.js';
import { findFile, listDirectory } from '../../pack/file-lookup.js';
import { MultiPackIndex } from '../../pack/multi-pack-index.js';
import { type ListedPack, checkMultiPackIndex, encodeMultiPackIndex } from '../../pack/multi-pack-index-writer.js';
import type { ObjectStore } from '../../pack/object-store.js';
import type { PackIndex } from '../../pack/pack-index.js';
import { PackCaches, PackReader } from '../../pack/pack-reader.js';
import { PackingList } from '../../pack/packing-list.js';
import { writeVerifiedPacks } from '../../pack/verified-packs.js';
import { LockFile } from '../lockfile.js';
import type { LockHolder } from '../lockfile.js';

export interface WriteRequest {
  /** Name of the pack (or its index) whose copies are chosen; where it is not there, the first one is taken, with a warning. */
  readonly preferred?: string;
  /** Names of the only indexes to list; what was known before does not count then. */
  readonly only?: ReadonlySet<string>;
  readonly dropped?: ReadonlySet<string>;
  readonly warn: (text: string) => void;
}

export class MultiPackIndexing {
  readonly #store: ObjectStore;
  readonly #directory: string;
  readonly #path: string;

  readonly #holder: LockHolder | undefined;

  /** Of the store's own directory, not of its alternates; `holder` takes the lock, and over what a dead one left of it. */
  constructor(store: ObjectStore, holder?: LockHolder) {
    this.#store = store;
    this.#holder = holder;
    this.#directory = join(store.directory, 'pack');
    this.#path = join(this.#directory, 'multi-pack-index');
  }

  /** What is there now; undefined when there is none, CorruptError when it cannot be used. */
  find(): MultiPackIndex | undefined {
    const bytes = findFile(this.#path);
    return bytes && MultiPackIndex.decode(bytes, this.#store.format);
  }

  /** Writes it anew unless it lists the packs there are already; NotFoundError when there is no pack to list. */
  write(request: WriteRequest): void {
    const { only, dropped, warn } = request;
    const known = only === undefined ? this.#usable(warn) : undefined;
    const listed = this.#listPacks(known, only);
    // Its numbers mean nothing when one of its packs is gone or damaged.
    const former = known?.packNames.every((name, number) => listed[number]?.name === name) === true ? known : undefined;
    const packs = former === known ? listed : this.#listPacks(undefined, only);
    const preferred = this.#findPreferred(packs, request.preferred, warn);
    if (packs.length === 0) throw new NotFoundError('no pack files to index', { code: 'no-packs' });
    if (former !== undefined && packs.length === former.packNames.length && dropped === undefined) {
      this.#removeCompanions(undefined);
      return;
    }
    const bytes = encodeMultiPackIndex({
      packs,
      ...(former === undefined ? {} : { former }),
      ...(preferred === undefined ? {} : { preferred }),
      ...(dropped === undefined ? {} : { dropped: new Set(packs.flatMap(({ name }, number) => (dropped.has(name) ? [number] : []))) }),
    }, this.#store.format);
    using lock = LockFile.acquire(this.#path, { holder: this.#holder, durable: this.#store.hardening.packMetadata });
    lock.write(bytes);
    lock.commit();
    this.#removeCompanions(bytes.subarray(-(this.#store.format === 'sha1' ? 20 : 32)).toString('hex'));
  }

  #usable(warn: (text: string) => void): MultiPackIndex | undefined {
    try {
      const midx = this.find();
      if (midx === undefined || (midx.hasValidChecksum() && namesItsPacks(midx) && midx.packNames.every((name) => existsSync(join(this.#directory, name))))) return midx;
      warn('ignoring existing multi-pack-index; checksum mismatch');
    } catch (error) {
      if (!(error instanceof CorruptError)) throw error;
      warn(error.message);
    }
    return undefined;
  }

  /** Those the former one lists, in its order, then the others as the directory has them. */
  #listPacks(former: MultiPackIndex | undefined, only: ReadonlySet<string> | undefined): ListedPack[] {
    const known = new Set(former?.packNames);
    const others = listUnsorted(this.#directory).filter((name) => name.endsWith('.idx') && !known.has(name) && only?.has(name) !== false);
    return [...known, ...others].flatMap((name) => {
      const pack = this.#openPack(name);
      if (pack === undefined) return [];
      const stat = statSync(pack.path);
      return [{ name, mtimeS: Math.floor(stat.mtimeMs / 1000), index: () => pack.index }];
    });
  }

  #openPack(indexName: string): PackReader | undefined {
    const path = join(this.#directory, indexName.replace(/\.idx$/, '.pack'));
    if (!existsSync(path)) return undefined;
    const pack = PackReader.open(path, this.#store.format, new PackCaches(0, 0));
    try {
      void pack.index;
      return pack;
    } catch (error) {
      if (error instanceof CorruptError || isSystemError(error, 'ENOENT')) return undefined;
      throw error;
    }
  }

  #findPreferred(packs: readonly ListedPack[], wanted: string | undefined, warn: (text: string) => void): number | undefined {
    if (wanted === undefined) return undefined;
    const stem = wanted.replace(/\.(idx|pack)$/, '');
    const number = packs.findIndex(({ name }) => name === `${stem}.idx`);
    if (number >= 0) return number;
    warn(`unknown preferred pack: '${wanted}'`);
    // Where git, too, ends up.
    return packs.length > 0 ? 0 : undefined;
  }

  /** Removes bitmaps and reverse indexes of another multi-pack-index than the one with this checksum; undefined: bitmaps of any. */
  #removeCompanions(checksum: string | undefined): void {
    for (const name of listDirectory(this.#directory)) {
      const [, of, suffix] = /^multi-pack-index-([0-9a-f]+)\.(bitmap|rev)$/.exec(name) ?? [];
      if (of !== undefined && of !== checksum && (checksum !== undefined || suffix === 'bitmap')) removeIfPresent(join(this.#directory, name));
    }
  }

  /** What is wrong with it; nothing when there is none. */
  *check(): Generator<string> {
    try {
      const midx = this.find();
      if (midx === undefined) return;
      const packs = new Map<string, PackIndex>();
      for (const name of midx.packNames) {
        const pack = this.#openPack(name);
        if (pack !== undefined) packs.set(name, pack.index);
      }
      yield* checkMultiPackIndex(midx, packs);
    } catch (error) {
      if (!(error instanceof CorruptError)) throw error;
      yield error.message;
    }
  }

  /** How many objects the multi-pack-index takes from each of its packs. */
  #countUsed(midx: MultiPackIndex): Uint32Array {
    const used = new Uint32Array(midx.packNames.length);
    for (let position = 0; position < midx.count; position += 1) {
      const pack = midx.packAt(position);
      if (pack < used.length) used[pack]! += 1;
    }
    return used;
  }

  /**
   * Removes the packs it lists but takes no object from, except those with a .keep file and cruft packs: each only when all it holds was
   * read in packs that stay, for what the file says may be wrong.
   */
  expire(warn: (text: string) => void): void {
    const midx = this.#usable(warn);
    if (midx === undefined) return;
    const used = this.#countUsed(midx);
    const unused = midx.packNames.flatMap((name, number) => {
      const pack = used[number] === 0 ? this.#openPack(name) : undefined;
      return pack === undefined || this.#isKept(name) || pack.isCruft ? [] : [pack];
    });
    const names = new Set(unused.map(({ name }) => name));
    const staying = this.#store.listOwnPacks().filter((pack) => !names.has(pack.name) && !pack.isCruft);
    const expired = unused.filter((pack) => {
      if (isHeldElsewhere(pack, staying)) return true;
      warn(`pack '${pack.name}' stays: not all it holds is in other packs`);
      return false;
    });
    if (expired.length === 0) return;
    this.write({ dropped: new Set(expired.map(({ name }) => `${name}.idx`)), warn });
    for (const pack of expired) this.#store.removePack(pack);
    this.#store.refresh();
  }

  #isKept(indexName: string): boolean {
    return existsSync(join(this.#directory, indexName.replace(/\.idx$/, '.keep')));
  }

  /** Packs the objects of small packs together, see `selectBatch`; with `batchBytes` 0 those of all. */
  repack(batchBytes: number, options: { readonly includesKept: boolean; readonly usesOffsets: boolean; readonly warn: (text: string) => void }): void {
    const midx = this.find();
    if (midx === undefined) return;
    const used = this.#countUsed(midx);
    const candidates = midx.packNames.flatMap((name, number) => {
      const pack = this.#openPack(name);
      if (pack === undefined || pack.isCruft || (!options.includesKept && this.#isKept(name))) return [];
      const stat = statSync(pack.path);
      return [{ number, mtimeMs: Math.floor(stat.mtimeMs / 1000), sizeBytes: stat.size, objects: pack.objectCount, used: used[number]! }];
    });
    const chosen = batchBytes === 0 ? candidates : selectBatch(candidates, batchBytes);
    if (chosen.length < 2) return;
    const numbers = new Set(chosen.map(({ number }) => number));
    const list = new PackingList();
    for (let position = 0; position < midx.count; position += 1) if (numbers.has(midx.packAt(position))) list.add(midx.idAt(position));
    writeVerifiedPacks({
      list,
      store: this.#store,
      caches: new PackCaches(),
      limits: { window: 10, depth: 50 },
      level: 6,
      usesOffsets: options.usesOffsets,
    });
    this.write({ warn: options.warn });
  }
}

/** True when every object is said to be in a pack that has a name, at a place that can be. */
function namesItsPacks(midx: MultiPackIndex): boolean {
  for (let position = 0; position < midx.count; position += 1) {
    if (midx.packAt(position) >= midx.packNames.length || !Number.isSafeInteger(midx.offsetAt(position))) return false;
  }
  return true;
}

/** True when other packs have a good copy of each object of a pack. */
function isHeldElsewhere(pack: PackReader, others: readonly PackReader[]): boolean {
  for (let at = 0; at < pack.objectCount; at += 1) {
    const raw = pack.index.rawIdAt(at);
    const isHeld = others.some((other) => {
      const position = other.position(raw);
      return position >= 0 && other.isGoodAt(position);
    });
    if (!isHeld) return false;
  }
  return true;
}

interface Candidate {
  readonly number: number;
  readonly mtimeMs: number;
  readonly sizeBytes: number;
  readonly objects: number;
  readonly used: number;
}

/** The oldest packs of which less than a batch is used, until together they make one; none when they do not. */
function selectBatch(candidates: readonly Candidate[], batchBytes: number): Candidate[] {
  const chosen: Candidate[] = [];
  let total = 0;
  for (const candidate of [...candidates].sort((a, b) => a.mtimeMs - b.mtimeMs || a.number - b.number)) {
    if (total >= batchBytes) break;
    const expected = candidate.objects === 0 ? batchBytes : Math.floor((candidate.sizeBytes * candidate.used) / candidate.objects);
    if (expected >= batchBytes) continue;
    total += expected;
    chosen.push(candidate);
  }
  return total < batchBytes ? [] : chosen;
}

/** Names as the system lists them: where copies are equally good, git chooses by that. */
function listUnsorted(directory: string): string[] {
  if (!existsSync(directory)) return [];
  const names: string[] = [];
  const open = opendirSync(directory);
  try {
    for (let entry = open.readSync(); entry !== null; entry = open.readSync()) names.push(entry.name);
  } finally {
    open.closeSync();
  }
  return names;
}
