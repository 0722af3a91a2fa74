// Writing the packs gc leaves behind. Entries are copied as they are stored, deltas too when their base comes along; what is
// whole becomes a delta of a neighbour where that is smaller; the rest of what was loose is compressed anew. Memory is bounded: large entries are copied in pieces.
//
// Invariant: a pack counts only after every object in it was read back from it and found to be what its id says. A source that
// is damaged is passed over for another copy of the object; when there is none, the new pack is taken back and nothing else happens.
// If the power fails: a private tmp_pack_* file, or a whole new pack beside the old ones. Format: gitformat-pack(5).
import { join } from 'node:path';
import { disk, removeIfPresent } from '../pack/disk.js';
import { CorruptError } from '../pack/errors.js';
import { isObjectType, streamThresholdBytes } from '../pack/object.js';
import type { ObjectStore } from '../pack/object-store.js';
import { type ObjectId, type ObjectType, encodeObjectId } from '../pack/oid.js';
import { encodePackMtimes } from '../pack/pack-mtimes.js';
import { type PackCaches, type PackEntry, PackReader, packTypes } from '../pack/pack-reader.js';
import { PackWriter, type WrittenPack, encodeDeltaHeader } from '../pack/pack-writer.js';
import { crc32, deflate } from '../pack/zlib.js';
import { type DeltaLimits, DeltaWindow } from './gc-delta.js';
import type { Inventory, StoredPack } from './gc-inventory.js';

export interface RepackOptions {
  readonly inventory: Inventory;
  readonly store: ObjectStore;
  readonly caches: PackCaches;
  /** In the order they are written, but for bases of deltas, which come before them. */
  readonly ids: ReadonlySet<ObjectId>;
  /** zlib level for what is compressed anew. */
  readonly level: number;
  readonly deltas: DeltaLimits;
  /** Makes it a cruft pack: the age of each object, in milliseconds since 1970. */
  readonly mtimesMs?: ReadonlyMap<ObjectId, number>;
  /** Called after each object written or verified; may throw to stop. */
  readonly onProgress?: (phase: 'writing' | 'verifying', done: number) => void;
}

/** Larger entries than this are copied in pieces. */
const pieceBytes = 1024 * 1024;

/** Writes one pack of `ids`, visible and verified when this returns; CorruptError when an object has no good copy. */
export function writeVerifiedPack(options: RepackOptions): WrittenPack {
  let passedOver = new Set<ObjectId>();
  for (;;) {
    const pack = new Repacking(options, passedOver).write();
    // Their memory is needed for reading back.
    for (const { reader } of options.inventory.packs) reader.close();
    const bad = findBadObjects(options, pack);
    if (bad.length === 0) return pack;
    takeBack(options, pack);
    const again = bad.find((id) => passedOver.has(id));
    if (again !== undefined) throw new CorruptError(`object '${again}' could not be packed: it reads back wrong`, { code: 'gc-verify-failed' });
    passedOver = new Set([...passedOver, ...bad]);
  }
}

/** An object as a pack of ours holds it. */
interface Stored {
  readonly pack: StoredPack;
  readonly entry: PackEntry;
}

class Repacking {
  readonly #options: RepackOptions;
  /** Objects whose stored entry is damaged: read through the store, which finds another copy or says that there is none. */
  readonly #passedOver: ReadonlySet<ObjectId>;
  readonly #writer: PackWriter;
  /** Where each object written so far begins, and how long its chain of deltas is. */
  readonly #offsets = new Map<ObjectId, number>();
  readonly #depths = new Map<ObjectId, number>();
  readonly #window: DeltaWindow;
  #type: ObjectType | undefined;
  /** Packs with deltas in them: what is whole there was compared with its neighbours when they were written. */
  readonly #searchedPacks = new Map<StoredPack, boolean>();

  constructor(options: RepackOptions, passedOver: ReadonlySet<ObjectId>) {
    this.#options = options;
    this.#passedOver = passedOver;
    const { mtimesMs, store } = options;
    this.#window = new DeltaWindow(options.deltas);
    this.#writer = new PackWriter(join(store.directory, 'pack'), store.format, {
      level: options.level,
      ...(mtimesMs === undefined ? {} : { beforeVisible: (pack, base) => { writeMtimes(pack, base, mtimesMs, store); } }),
    });
  }

  write(): WrittenPack {
    using writer = this.#writer;
    for (const id of this.#options.ids) {
      this.#addWithBases(id);
      this.#options.onProgress?.('writing', writer.count);
    }
    const pack = writer.finish();
    if (pack === undefined) throw new CorruptError('there was nothing to pack', { code: 'gc-verify-failed' });
    return pack;
  }

  /** Bases first, so that a delta's base always lies before it. */
  #addWithBases(id: ObjectId): void {
    const chain: ObjectId[] = [];
    const onChain = new Set<ObjectId>();
    for (let next: ObjectId | undefined = id; next !== undefined && !this.#offsets.has(next) && !onChain.has(next); next = this.#baseOf(next)) {
      chain.push(next);
      onChain.add(next);
    }
    for (let member = chain.pop(); member !== undefined; member = chain.pop()) this.#add(member);
  }

  /** The base a stored delta is taken over with; undefined when the object is written whole. */
  #baseOf(id: ObjectId): ObjectId | undefined {
    const found = this.#stored(id);
    if (found === undefined) return undefined;
    const { baseOffset } = found.entry;
    if (baseOffset === undefined) return undefined;
    const position = found.pack.reader.index.positionOfOffset(baseOffset);
    if (position < 0) return undefined;
    const base = found.pack.reader.idAt(position);
    return this.#options.ids.has(base) && base !== id ? base : undefined;
  }

  #stored(id: ObjectId): Stored | undefined {
    if (this.#passedOver.has(id)) return undefined;
    const copy = this.#options.inventory.find(id);
    if (copy?.kind !== 'pack') return undefined;
    try {
      return { pack: copy.pack, entry: copy.pack.reader.entryAt(copy.pack.reader.offsetAt(copy.position)) };
    } catch (error) {
      // Damaged: the store may know another copy.
      if (error instanceof CorruptError) return undefined;
      throw error;
    }
  }

  #add(id: ObjectId): void {
    if (this.#offsets.has(id)) return;
    const found = this.#stored(id);
    const offset = this.#writer.nextOffset;
    const type = this.#typeOf(id, found?.entry.kind);
    if (type !== this.#type) this.#window.clear();
    this.#type = type;
    const searched = found !== undefined && this.#isSearched(found.pack) ? found.pack.reader.name : undefined;
    const isCopied = found?.entry.baseOffset !== undefined && this.#copyDelta(id, found.pack.reader, found.entry);
    if (!isCopied && !this.#addDelta(id, type, found, searched)) {
      if (found === undefined || found.entry.baseOffset !== undefined) this.#addAnew(id);
      else this.#copyWhole(id, found.pack.reader, found.entry);
    }
    this.#offsets.set(id, offset);
    if (type === 'blob' || type === 'tree') this.#window.add(id, this.#depths.get(id) ?? 0, searched, () => this.#readSmall(id));
  }

  #typeOf(id: ObjectId, kind: number | undefined): ObjectType {
    const name = kind === undefined ? undefined : packTypes[kind];
    return name !== undefined && isObjectType(name) ? name : this.#options.store.readHeader(id).type;
  }

  #isSearched(pack: StoredPack): boolean {
    let searched = this.#searchedPacks.get(pack);
    if (searched === undefined) {
      searched = false;
      const { reader } = pack;
      for (const position of reader.index.positionsByOffset()) {
        if (reader.entryAt(reader.offsetAt(position)).baseOffset === undefined) continue;
        searched = true;
        break;
      }
      this.#searchedPacks.set(pack, searched);
    }
    return searched;
  }

  /** The content, when it is of a size deltas are made for. */
  #readSmall(id: ObjectId): Buffer | undefined {
    const { store } = this.#options;
    return this.#passedOver.has(id) || store.readHeader(id).sizeBytes > pieceBytes * 4 ? undefined : store.read(id).bytes;
  }

  /** Writes the object as a delta of one written before, when that is smaller than what it takes now. */
  #addDelta(id: ObjectId, type: ObjectType, found: Stored | undefined, searched: string | undefined): boolean {
    if (type !== 'blob' && type !== 'tree') return false;
    const { store, level, inventory } = this.#options;
    const sizeBytes = found?.entry.baseOffset === undefined && found !== undefined ? found.entry.sizeBytes : store.readHeader(id).sizeBytes;
    if (!this.#window.isWorthTrying(sizeBytes, searched)) return false;
    const target = this.#readSmall(id);
    const best = target && this.#window.find(target, searched);
    if (best === undefined) return false;
    const deflated = deflate(best.delta, level);
    if (deflated.length >= inventory.sizeOf(id) && found?.entry.baseOffset === undefined) return false;
    const header = encodeDeltaHeader(best.delta.length, this.#writer.nextOffset - this.#offsets.get(best.base)!);
    const bytes = Buffer.concat([header, deflated]);
    this.#writer.addPacked({ id, bytes, crc32: crc32(bytes) });
    this.#depths.set(id, (this.#depths.get(best.base) ?? 0) + 1);
    return true;
  }

  #addAnew(id: ObjectId): void {
    const { store } = this.#options;
    const { sizeBytes, type } = store.readHeader(id);
    if (sizeBytes >= streamThresholdBytes) {
      this.#writer.addStream(type, sizeBytes, store.openStream(id).chunks);
    } else {
      const object = store.read(id);
      this.#writer.add(object.type, object.bytes);
    }
  }

  #copyWhole(id: ObjectId, reader: PackReader, entry: PackEntry): void {
    const end = endOf(reader, entry.offset);
    const output = this.#writer.beginEntry(packTypes[entry.kind] as ObjectType, entry.sizeBytes);
    try {
      for (let at = entry.dataOffset; at < end; at += pieceBytes) output.append(reader.readBytes(at, Math.min(end, at + pieceBytes)));
      output.end(id);
    } finally {
      output.cancel();
    }
  }

  /** False when the base was not written before it, or the chain would become too long. */
  #copyDelta(id: ObjectId, reader: PackReader, entry: PackEntry): boolean {
    const base = this.#baseOf(id);
    const baseOffset = base === undefined ? undefined : this.#offsets.get(base);
    if (base === undefined || baseOffset === undefined) return false;
    const depth = (this.#depths.get(base) ?? 0) + 1;
    const end = endOf(reader, entry.offset);
    if (depth > this.#options.deltas.depth || end - entry.dataOffset > streamThresholdBytes) return false;
    const header = encodeDeltaHeader(entry.sizeBytes, this.#writer.nextOffset - baseOffset);
    const bytes = Buffer.concat([header, reader.readBytes(entry.dataOffset, end)]);
    this.#writer.addPacked({ id, bytes, crc32: crc32(bytes) });
    this.#depths.set(id, depth);
    return true;
  }
}

function endOf(reader: PackReader, offset: number): number {
  reader.index.positionsByOffset();
  return reader.endAt(offset);
}

/** Reads every object of a new pack back, from the files as they are now; the ids of those that are not what they should be. */
function findBadObjects(options: RepackOptions, pack: WrittenPack): ObjectId[] {
  const { ids, store, onProgress } = options;
  const reader = PackReader.open(packPath(store, pack), store.format, options.caches);
  try {
    if (!reader.loadIndex().hasValidChecksum()) throw new CorruptError(`index of '${reader.path}' reads back wrong`, { code: 'gc-verify-failed' });
    const { stored, actual } = reader.checksums();
    if (!stored.equals(actual)) throw new CorruptError(`'${reader.path}' reads back wrong`, { code: 'gc-verify-failed' });
    for (const id of ids) {
      if (reader.position(encodeObjectId(id)) < 0) throw new CorruptError(`object '${id}' is missing from '${reader.path}'`, { code: 'gc-verify-failed' });
    }
    const bad: ObjectId[] = [];
    let done = 0;
    for (const position of reader.index.positionsByOffset()) {
      if (!reader.isGoodAt(position)) bad.push(reader.idAt(position));
      done += 1;
      onProgress?.('verifying', done);
    }
    return bad;
  } catch (error) {
    takeBack(options, pack);
    throw error;
  } finally {
    reader.close();
  }
}

function packPath(store: ObjectStore, { packId }: WrittenPack): string {
  return join(store.directory, 'pack', `pack-${packId}.pack`);
}

/** Removes a new pack again, unless it came out the same as one that was there; all it holds is still where it came from. */
function takeBack({ store, inventory }: RepackOptions, pack: WrittenPack): void {
  if (inventory.packs.some(({ reader }) => reader.name === `pack-${pack.packId}`)) return;
  const stem = packPath(store, pack).slice(0, -'.pack'.length);
  for (const suffix of ['.idx', '.mtimes', '.pack']) removeIfPresent(stem + suffix);
}

/** Written before the pack can be read, so that nobody ever takes its objects for new ones. */
function writeMtimes(pack: WrittenPack, base: string, mtimesMs: ReadonlyMap<ObjectId, number>, store: ObjectStore): void {
  const seconds = [...mtimesMs.keys()].sort().map((id) => Math.floor(mtimesMs.get(id)! / 1000));
  const bytes = encodePackMtimes(seconds, Buffer.from(pack.packId, 'hex'), store.format);
  const path = `${base}.mtimes`;
  removeIfPresent(path);
  const fd = disk().open(path, 'wx', 0o444);
  try {
    disk().write(fd, bytes);
    disk().fsync(fd);
  } finally {
    disk().close(fd);
  }
}
