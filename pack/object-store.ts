// All objects of a repository: loose, packed, and those of its alternates. Only this file knows where an object is; only it
// adds or removes one (gitrepository-layout(5), "objects").
//
// Invariants: whatever is read hashes to its id. A copy that is damaged does not hide a good one. Nothing written is
// acknowledged before its bytes are durable; `flush` makes the names durable too, and runs before a ref moves. An existing
// path is never proof of content: writing an object that is there verifies it, heals it when it is damaged, and renews its age.
// A pack or directory that comes or goes meanwhile (gc beside us) is looked for again, never reported as damage.
// If the power fails: objects nobody refers to yet may remain, and private tmp_* files; gc removes both.
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { listObjectDirectories } from './alternates.js';
import { decodeCommit } from './commit.js';
import type { Commit } from './commit.js';
import { disk, makeDirectories, removeIfPresent } from './disk.js';
import { CorruptError, InvalidError, NotFoundError, isSystemError } from './errors.js';
import { listDirectory } from './file-lookup.js';
import { type Hardening, hardenEverything } from './hardening.js';
import { LooseObjects } from './loose.js';
import { listLooseDebris, listPackDebris } from './object-debris.js';
import type { Debris } from './object-debris.js';
import type { LooseFile } from './loose.js';
import { mismatchError, streamThresholdBytes } from './object.js';
import type { GitObject, ObjectHeader, ObjectStream } from './object.js';
import { MultiPackIndex } from './multi-pack-index.js';
import { decodeObjectId, emptyTreeId, encodeObjectHeader, encodeObjectId, encodeObjectIdInto, hashFramed, hashObject, hexSize, rawSize } from './oid.js';
import type { ObjectFormat, ObjectId, ObjectType } from './oid.js';
import type { PackIndex } from './pack-index.js';
import { PackCursor } from './pack-cursor.js';
import { PackCaches, PackReader } from './pack-reader.js';
import { PackWriter } from './pack-writer.js';
import { listQuarantined } from './quarantine.js';
import type { BulkWriter, PackWriterOptions } from './pack-writer.js';
import { decodeTag } from './tag.js';
import type { Tag } from './tag.js';
import { decodeTree } from './tree.js';
import type { TreeEntry } from './tree.js';

export interface ObjectStoreOptions {
  /** More objects directories to read from, absolute (GIT_ALTERNATE_OBJECT_DIRECTORIES); objects/info/alternates is read anyway. */
  readonly alternates?: readonly string[];
  /** zlib level of loose objects; default 1. */
  readonly compression?: number;
  /** Objects to be read in place of others (refs/replace). */
  readonly replace?: ReadonlyMap<ObjectId, ObjectId>;
  /** Where objects are looked for last: directory of batches a sweep took away (pack/quarantine.ts). */
  readonly quarantine?: string;
  /** Commits whose parents need not be there (a shallow history ends with them). */
  readonly boundary?: () => ReadonlySet<ObjectId>;
  /** What is made durable when it is written; default everything. */
  readonly hardening?: Hardening;
  /** Default: room for walks over a large history. */
  readonly caches?: PackCaches;
}

/** Where a copy of an object is. */
export type ObjectLocation =
  | { readonly kind: 'loose'; readonly path: string; readonly sizeOnDisk: number }
  | { readonly kind: 'pack'; readonly pack: PackReader; readonly position: number };

/** Where one copy of an object is, to be changed from one to the next. */
export interface ObjectPlace {
  /** Undefined: it is loose, and `looseId` says which one. */
  pack: PackReader | undefined;
  position: number;
  /** The place is all positions from `position` to here, where those who go from place to place say so. */
  until: number;
  looseId: ObjectId | undefined;
}

/** One objects directory: ours, or an alternate. */
interface Source {
  readonly directory: string;
  readonly loose: LooseObjects;
  readonly packs: Map<string, PackReader>;
  midx: { readonly index: MultiPackIndex; readonly identity: string } | undefined;
  /** Packs whose index cannot be read, and why. */
  readonly damaged: Map<string, CorruptError>;
}

/** Names of the directories loose objects are in. */
const hexBytes = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
const deepestReplacement = 5;
/** Typed objects kept decoded; the oldest go first. */
const cachedCommits = 4096;
const cachedTrees = 512;
/** More rescued objects than this go into one pack. */
const rescueAsPack = 100;
/** A pack's or file's age is renewed at most this often by one process. */
const renewEveryMs = 10_000;
/** Names younger than this may not be durable yet: whoever made them need not have come that far. Systems write back within a minute or so. */
const settledMs = 3_600_000;

export class ObjectStore {
  readonly directory: string;
  readonly format: ObjectFormat;
  readonly #writing: { readonly compression: number; readonly hardening: Hardening };
  readonly #sources: Source[];
  readonly #replace: ReadonlyMap<ObjectId, ObjectId> | undefined;
  readonly #caches: PackCaches;
  readonly #commits = new Map<ObjectId, Commit>();
  readonly #trees = new Map<ObjectId, TreeEntry[]>();
  /** The id being looked up; a lookup is over before the next begins. */
  readonly #raw: Buffer;
  readonly #renewedMs = new Map<string, number>();
  /** Directories of objects found there, whose names somebody else may not have made durable yet. */
  readonly #unsettled = new Set<string>();
  readonly #fanOuts = new Map<string, ObjectId[]>();
  readonly #quarantine: string | undefined;
  readonly #boundary: (() => ReadonlySet<ObjectId>) | undefined;
  /** What is in quarantine, and the batches it was opened for. */
  #quarantined: { readonly batches: string; readonly store: ObjectStore } | undefined;
  /** Objects that were asked for and found only there. */
  readonly #lent = new Set<ObjectId>();
  /** Packs of all sources, the last one used first. */
  #packs: PackReader[] = [];
  /** Those of them that no multi-pack-index covers. */
  #uncovered: PackReader[] = [];
  /** Packs that are gone, still open for whoever reads them. */
  readonly #retired: PackReader[] = [];

  private constructor(directory: string, format: ObjectFormat, options: ObjectStoreOptions) {
    this.directory = directory;
    this.format = format;
    this.#raw = Buffer.alloc(rawSize(format));
    this.#replace = options.replace;
    this.#caches = options.caches ?? new PackCaches();
    this.#quarantine = options.quarantine;
    this.#boundary = options.boundary;
    this.#writing = { compression: options.compression ?? 1, hardening: options.hardening ?? hardenEverything };
    this.#sources = listObjectDirectories(directory, options.alternates ?? []).map((path) => ({
      directory: path,
      loose: new LooseObjects(path, format, { compression: this.#writing.compression, durable: this.#writing.hardening.looseObject }),
      packs: new Map(),
      midx: undefined,
      damaged: new Map(),
    }));
    this.refresh();
  }

  /** A store on an objects directory, which need not be complete: a missing `pack` or fan-out directory holds nothing. */
  static open(objectsDirectory: string, format: ObjectFormat, options: ObjectStoreOptions = {}): ObjectStore {
    return new ObjectStore(objectsDirectory, format, options);
  }

  /** What of this repository is made durable when it is written. */
  get hardening(): Hardening { return this.#writing.hardening; }

  get #loose(): LooseObjects { return this.#sources[0]!.loose; }

  /** True when there is a copy, not verified; looks again on disk before saying no. */
  has(id: ObjectId): boolean {
    return this.locate(this.#replacement(id)) !== undefined || id === emptyTreeId(this.format);
  }

  /** As `has`, going by what is known of the disk: for many ids, of which nearly all are new. */
  hasProbably(id: ObjectId): boolean {
    return this.isPacked(id) || this.#looseBeside(Number.parseInt(id.slice(0, 2), 16)).includes(id);
  }

  /** True when some pack has a copy, not verified. */
  isPacked(id: ObjectId): boolean {
    const raw = encodeObjectId(id);
    return this.#packs.some((pack) => findPosition(pack, raw) >= 0);
  }

  /** True when a loose file of ours has a copy that is what the id says. */
  hasGoodLoose(id: ObjectId): boolean {
    return isGood(() => drain(this.#loose.openStream(id)));
  }

  /** Where the first copy is, not verified. */
  locate(id: ObjectId): ObjectLocation | undefined {
    return this.#lookup<ObjectLocation>(id,
      (pack, position) => ({ kind: 'pack', pack, position }),
      (loose) => {
        const stat = statSync(loose.path(id), { throwIfNoEntry: false });
        return stat && { kind: 'loose', path: loose.path(id), sizeOnDisk: stat.size };
      }, false);
  }

  /** The verified object; undefined when there is none, CorruptError when every copy is damaged. */
  find(id: ObjectId): GitObject | undefined {
    const wanted = this.#replacement(id);
    return this.#lookup(wanted, readPacked, (loose) => loose.find(wanted)) ?? this.#builtIn(wanted);
  }

  /** The verified object; NotFoundError (code 'object-missing') when there is none. */
  read(id: ObjectId): GitObject {
    return this.find(id) ?? missing(id);
  }

  /** Type and size, not verified; undefined when there is none. */
  findHeader(id: ObjectId): ObjectHeader | undefined {
    const wanted = this.#replacement(id);
    const found = this.#lookup(wanted, readPackedHeader, (loose) => loose.findHeader(wanted));
    if (found !== undefined) return found;
    const builtIn = this.#builtIn(wanted);
    return builtIn && { type: builtIn.type, sizeBytes: builtIn.bytes.length };
  }

  /** Type and size, not verified; NotFoundError (code 'object-missing') when there is none. */
  readHeader(id: ObjectId): ObjectHeader {
    return this.findHeader(id) ?? missing(id);
  }

  /**
   * The object in pieces, in constant memory whatever its size, unless it is stored as a delta: then it and its base are held
   * whole. NotFoundError when there is none; the iteration ends in CorruptError when the bytes are not what the id says.
   */
  openStream(id: ObjectId): ObjectStream {
    const wanted = this.#replacement(id);
    const open = (): ObjectStream | undefined => this.#lookup(wanted,
      (pack, position) => pack.openStreamAt(position),
      (loose) => {
        const header = loose.findHeader(wanted);
        if (header === undefined || header.sizeBytes >= streamThresholdBytes) return loose.openStream(wanted);
        const object = loose.find(wanted);
        return object && { type: object.type, sizeBytes: object.bytes.length, chunks: [object.bytes] };
      });
    const stream = open();
    if (stream !== undefined) return Array.isArray(stream.chunks) ? stream : { ...stream, chunks: reopened(stream, open) };
    const { type, bytes } = this.#builtIn(wanted) ?? missing(id);
    return { type, sizeBytes: bytes.length, chunks: [bytes] };
  }

  /**
   * Hands the verified content on without keeping it: `begin` gets type and size, then `write` each piece, which is valid only during
   * the call. False, and nothing called, when there is no such object. The quickest way to read many objects once.
   */
  pass(id: ObjectId, begin: (header: ObjectHeader) => void, write: (piece: Buffer) => void): boolean {
    const wanted = this.#replacement(id);
    encodeObjectIdInto(this.#raw, wanted);
    const object = this.#passQuickly(this.#raw);
    if (object !== undefined) {
      begin({ type: object.type, sizeBytes: object.bytes.length });
      write(object.bytes);
      return true;
    }
    if (this.findHeader(wanted) === undefined) return false;
    const stream = this.openStream(wanted);
    begin({ type: stream.type, sizeBytes: stream.sizeBytes });
    for (const piece of stream.chunks) write(piece);
    return true;
  }

  /** For reading many packed objects, each once; undefined where there are no kernels. Replacements (refs/replace) are not looked at. */
  openCursor(): PackCursor | undefined {
    const { unpacker } = this.#caches;
    return unpacker && new PackCursor(this, unpacker, this.format);
  }

  /** True when some objects are read in place of others, which a cursor does not do. */
  get hasReplacements(): boolean { return this.#replace !== undefined && this.#replace.size > 0; }

  /** Sets the first pack that has an object, and where; false when none of those known now has. For PackCursor. */
  seek(raw: Uint8Array, found: ObjectPlace): boolean {
    const covering = this.#coveringPack(raw);
    if (covering !== undefined && seekIn(covering, raw, found)) return true;
    if (covering !== undefined) return false;
    const packs = this.#uncovered;
    for (let at = 0; at < packs.length; at += 1) {
      if (!seekIn(packs[at]!, raw, found)) continue;
      if (at > 0) packs.unshift(...packs.splice(at, 1));
      return true;
    }
    return false;
  }

  /**
   * The verified object whose raw id is at `at`, its bytes good until the next object is read; undefined where anything is out of the
   * ordinary (not in a pack, replaced, large, damaged), for `pass` or `find` to answer.
   */
  findPacked(ids: Uint8Array, at: number): GitObject | undefined {
    if (this.#replace !== undefined && this.#replace.size > 0) return undefined;
    const raw = this.#raw;
    for (let byte = 0; byte < raw.length; byte += 1) raw[byte] = ids[at + byte]!;
    return this.#passQuickly(raw);
  }

  /** The object from the first pack that has it; undefined where anything is out of the ordinary. */
  #passQuickly(raw: Buffer): GitObject | undefined {
    const covering = this.#coveringPack(raw);
    for (const pack of covering === undefined ? this.#uncovered : [covering]) {
      try {
        const position = pack.position(raw);
        if (position >= 0) return pack.passAt(position);
      } catch (error) {
        // The careful way finds another copy, or says what is wrong.
        if (error instanceof CorruptError || isSystemError(error, 'ENOENT')) return undefined;
        throw error;
      }
    }
    return undefined;
  }

  /** The entries of a tree (shared: do not change them); CorruptError when the object is not a tree. */
  readTree(id: ObjectId): TreeEntry[] {
    return this.#cached(this.#trees, cachedTrees, id, 'tree', decodeTree);
  }

  /** CorruptError when the object is not a commit. */
  readCommit(id: ObjectId): Commit {
    return this.#cached(this.#commits, cachedCommits, id, 'commit', decodeCommit);
  }

  /** CorruptError when the object is not a tag. */
  readTag(id: ObjectId): Tag {
    return decodeNamed(id, () => decodeTag(this.#readTyped(id, 'tag'), this.format));
  }

  #cached<Value>(cache: Map<ObjectId, Value>, limit: number, id: ObjectId, type: ObjectType, decode: (bytes: Buffer, format: ObjectFormat) => Value): Value {
    const known = cache.get(id);
    if (known !== undefined) return known;
    const value = decodeNamed(id, () => decode(this.#readTyped(id, type), this.format));
    if (cache.size >= limit) cache.delete(cache.keys().next().value!);
    cache.set(id, value);
    return value;
  }

  #readTyped(id: ObjectId, type: ObjectType): Buffer {
    const object = this.read(id);
    if (object.type !== type) {
      throw new CorruptError(`object '${id}' is a ${object.type}, not a ${type}`, { code: 'object-wrong-type' });
    }
    return object.bytes;
  }

  /** Writes an object unless a good copy is there, whose age is renewed instead; returns its id. Durable, see `flush`. */
  write(type: ObjectType, bytes: Buffer): ObjectId {
    const id = hashObject(type, bytes, this.format);
    if (this.renew(id)) return id;
    this.#makeDirectory();
    if (bytes.length >= streamThresholdBytes) this.#loose.writeStream(type, bytes.length, [bytes]);
    else this.#loose.write(id, Buffer.concat([encodeObjectHeader(type, bytes.length), bytes]));
    this.#fanOuts.delete(id.slice(0, 2));
    return id;
  }

  /**
   * What `action` writes loose is made durable together when it is done, or when `flush` is called: that costs a fraction of one fsync each.
   * Until then nobody else sees it. When `action` throws, it is gone.
   */
  writeTogether<Result>(action: () => Result): Result {
    if (this.#loose.isHolding) return action();
    this.#loose.hold();
    try {
      const result = action();
      this.#loose.settle();
      return result;
    } finally {
      this.#loose.release();
    }
  }

  /** Writes a loose copy of an object, as old as `mtimeMs` says; one that is there stays as it is. */
  loosen(id: ObjectId, mtimeMs: number): void {
    if (this.#loose.has(id)) return;
    const { type, sizeBytes, chunks } = this.openStream(id);
    this.#makeDirectory();
    this.#loose.writeStream(type, sizeBytes, chunks);
    this.#fanOuts.delete(id.slice(0, 2));
    disk().utimes(this.#loose.path(id), mtimeMs, mtimeMs);
  }

  /** Puts a good copy of an object, wherever it is, in the place of our loose one. Durable, see `flush`. */
  rewriteLoose(id: ObjectId): void {
    const { type, sizeBytes, chunks } = this.openStream(id);
    if (this.#loose.writeStream(type, sizeBytes, chunks) !== id) throw mismatchError(id, this.#loose.path(id));
    this.#fanOuts.delete(id.slice(0, 2));
  }

  /** Writes loose an object whose type nobody knows (hash-object --literally), over what has its name; only `findAnyHeader` reads it. */
  writeLiterally(type: string, bytes: Buffer): ObjectId {
    if (!/^[\x21-\x7e]{1,20}$/.test(type)) throw new InvalidError(`'${type}' cannot be the type of an object`, { code: 'bad-type' });
    const framed = Buffer.concat([Buffer.from(`${type} ${bytes.length}\0`), bytes]);
    const id = hashFramed(framed, this.format);
    this.#makeDirectory();
    this.#loose.write(id, framed);
    this.#fanOuts.delete(id.slice(0, 2));
    return id;
  }

  /** Type and size of an object even when its type is unknown; undefined when there is none. */
  findAnyHeader(id: ObjectId): { readonly type: string; readonly sizeBytes: number } | undefined {
    for (const { loose } of this.#sources) {
      const header = loose.findAnyHeader(id);
      if (header !== undefined) return header;
    }
    return this.findHeader(id);
  }

  /** Writes content of any size in constant memory; InvalidError when the chunks are not `sizeBytes` long together. */
  writeStream(type: ObjectType, sizeBytes: number, chunks: Iterable<Buffer>): ObjectId {
    this.#makeDirectory();
    const id = this.#loose.writeStream(type, sizeBytes, chunks);
    this.#fanOuts.delete(id.slice(0, 2));
    return id;
  }

  /**
   * A writer of many objects, which become one new pack, known here once it is finished. What is stored already is not written
   * again, but its age is renewed. `startDigest` lets another thread hash the pack.
   */
  bulk(options: Pick<PackWriterOptions, 'startDigest'> = {}): BulkWriter {
    const directory = join(this.directory, 'pack');
    // What others store meanwhile may be stored twice, which does no harm; a first snapshot need not look at all.
    const fanOuts = new Set(this.#sources.flatMap((source) => listDirectory(source.directory)));
    return new PackWriter(directory, this.format, {
      ...options,
      level: this.#writing.compression,
      hardening: this.#writing.hardening,
      isStored: (id) => (this.#packs.length > 0 || fanOuts.has(id.slice(0, 2))) && this.renew(id),
      // A cruft pack of the very same objects has the same name: from now on they are young.
      beforeVisible: (_pack, base) => { removeIfPresent(`${base}.mtimes`); },
      onVisible: ({ packId }) => { this.addPack(join(directory, `pack-${packId}.pack`)); },
    });
  }

  /** Writes content of any size, not known beforehand, in constant memory. */
  writeUnsized(type: ObjectType, chunks: Iterable<Buffer>): ObjectId {
    this.#makeDirectory();
    const id = this.#loose.writeUnsized(type, chunks);
    this.#fanOuts.delete(id.slice(0, 2));
    return id;
  }

  #makeDirectory(): void {
    if (!existsSync(this.directory)) makeDirectories(this.directory, { durable: this.hardening.looseObject });
  }

  /** True when a good copy is there whose age could be set to now, so that gc begins to count again. */
  renew(id: ObjectId): boolean {
    const raw = encodeObjectId(id);
    for (const pack of this.#packs) {
      const position = findPosition(pack, raw);
      if (position < 0 || pack.isCruft) continue;
      if (isGood(() => drain(pack.openStreamAt(position))) && this.#touch(pack.path)) return true;
    }
    return this.#sources.some(({ loose }) => {
      if (!loose.has(id)) return false;
      const path = loose.path(id);
      return isGood(() => drain(loose.openStream(id))) && this.#touch(path);
    });
  }

  #touch(path: string): boolean {
    const nowMs = Date.now();
    const lastMs = this.#renewedMs.get(path);
    if (lastMs !== undefined && nowMs >= lastMs && nowMs - lastMs < renewEveryMs && existsSync(path)) return true;
    const formerMs = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
    if (formerMs === undefined) return false;
    try {
      disk().utimes(path, nowMs, nowMs);
    } catch (error) {
      // Gone meanwhile, or in an alternate that is not ours to change: then the object is written here.
      if (isSystemError(error, 'ENOENT', 'EACCES', 'EPERM', 'EROFS')) return false;
      throw error;
    }
    if (path.endsWith('.pack')) this.#renewedMs.set(path, nowMs);
    if (formerMs > nowMs - settledMs) this.#unsettled.add(dirname(path));
    return true;
  }

  /** Objects found only in quarantine since the last rescue. */
  get lent(): ReadonlySet<ObjectId> { return this.#lent; }

  /**
   * Brings back everything that was found only in quarantine, and what that reaches and is only there: children first, so that what is here
   * names nothing that is not. The caller sees to it that no sweep is on. Returns the objects written.
   *
   * What needs an object that went for good meanwhile stays where it is: NotFoundError (code 'object-missing'), unless `leavesBroken`.
   */
  rescue(options: { readonly leavesBroken?: boolean } = {}): ObjectId[] {
    if (this.#lent.size === 0) return [];
    const wanted = new Set(this.#lent);
    this.#lent.clear();
    const source = this.#openQuarantine();
    if (source === undefined) {
      const gone = [...wanted].find((id) => !this.isHere(id));
      if (gone === undefined || options.leavesBroken) return [];
      throw new NotFoundError(`object '${gone}' is missing`, { code: 'object-missing', hint: 'it was in quarantine, and went for good' });
    }
    const { lost, broken } = listLost(source, wanted, (id) => this.isHere(id), this.#boundary?.() ?? new Set());
    for (const [id, missing] of broken) {
      if (!wanted.has(id) || options.leavesBroken || this.isHere(id)) continue;
      throw new NotFoundError(`object '${missing}' is missing, which '${id}' needs`, {
        code: 'object-missing', hint: `'${id}' is in quarantine; what it needs went for good: get it from another copy with cairn repair`,
      });
    }
    const rescued: ObjectId[] = [];
    const bulk = lost.length > rescueAsPack ? this.bulk() : undefined;
    try {
      this.writeTogether(() => {
        for (const id of lost) {
          const { type, sizeBytes, chunks } = source.openStream(id);
          if (bulk === undefined) this.writeStream(type, sizeBytes, chunks);
          else bulk.addStream(type, sizeBytes, chunks);
          rescued.push(id);
        }
      });
      bulk?.finish();
    } catch (error) {
      bulk?.abort();
      throw error;
    }
    this.flush();
    return rescued;
  }

  /** True when there is a copy that is not in quarantine, not verified; looks again on disk before saying no. */
  isHere(id: ObjectId): boolean {
    return this.#lookupHere(id, () => true, (loose) => loose.has(id) || undefined, false) === true;
  }

  /** A store of what is in quarantine; undefined when nothing is. */
  #openQuarantine(): ObjectStore | undefined {
    if (this.#quarantine === undefined) return undefined;
    const [first, ...rest] = listQuarantined(this.#quarantine);
    if (first === undefined) return undefined;
    const batches = [first, ...rest].join('\n');
    if (this.#quarantined?.batches !== batches) {
      this.#quarantined?.store.close();
      const store = new ObjectStore(first, this.format, { alternates: rest, caches: this.#caches, hardening: this.#writing.hardening });
      this.#quarantined = { batches, store };
    }
    return this.#quarantined.store;
  }

  /** Makes the names of everything written or relied on durable; ref-transaction calls it before a ref moves. */
  flush(): void {
    this.#loose.flush(this.#unsettled);
    this.#unsettled.clear();
  }

  /** Every id once, ascending, replaced or not. */
  *listIds(): Generator<ObjectId> {
    const place = nowhere();
    for (const _ of this.visit(place)) yield* placedIds(place);
  }

  /** Every id once, packs first and in the order they store, which is the quickest to read. */
  *listIdsUnordered(): Generator<ObjectId> {
    const place = nowhere();
    for (const _ of this.visitUnordered(place)) yield* placedIds(place);
  }

  /** Sets `place` to copies of all objects, one or several at a time, by ascending id. */
  *visit(place: ObjectPlace): Generator<void> {
    const packs = this.#loadPacks();
    for (let byte = 0; byte < 256; byte += 1) {
      const prefix = byte.toString(16).padStart(2, '0');
      const loose = this.#sources.flatMap((source) => source.loose.listFanOut(prefix));
      const present = packs.filter(({ index }) => index.fanOut(byte) < index.fanOut(byte + 1));
      if (loose.length > 0 || present.length > 1) {
        yield* visitMerged(place, present, loose, byte);
        continue;
      }
      for (const pack of present) {
        place.pack = pack;
        place.position = pack.index.fanOut(byte);
        place.until = pack.index.fanOut(byte + 1);
        yield;
      }
    }
  }

  /** As `visit`, but packs first and in the order they store. */
  *visitUnordered(place: ObjectPlace): Generator<void> {
    const packs = this.#loadPacks();
    for (const [number, pack] of packs.entries()) {
      const earlier = packs.slice(0, number);
      for (const position of pack.index.positionsByOffset()) {
        if (earlier.length > 0 && isInOneOf(earlier, pack.index.rawIdAt(position))) continue;
        place.pack = pack;
        place.position = position;
        place.until = position + 1;
        yield;
      }
    }
    place.pack = undefined;
    for (const [number, { loose }] of this.#sources.entries()) {
      const earlier = this.#sources.slice(0, number);
      for (const { id } of loose.list()) {
        if (isInOneOf(packs, encodeObjectId(id)) || earlier.some((source) => source.loose.has(id))) continue;
        place.looseId = id;
        yield;
      }
    }
  }

  /** Ids that begin with these hex digits (at least two), ascending. */
  findByPrefix(prefixHex: string): ObjectId[] {
    const packs = this.#loadPacks();
    const prefix = prefixHex.toLowerCase();
    if (!/^[0-9a-f]{2,}$/.test(prefix) || prefix.length > hexSize(this.format)) return [];
    const least = Buffer.from(prefix.length % 2 === 0 ? prefix : `${prefix}0`, 'hex');
    const found = new Set<ObjectId>();
    for (const pack of packs) {
      for (let position = pack.index.lowerBound(least); position < pack.objectCount; position += 1) {
        const id = pack.idAt(position);
        if (!id.startsWith(prefix)) break;
        found.add(id);
      }
    }
    for (const { loose } of this.#sources) {
      for (const id of loose.listFanOut(prefix.slice(0, 2))) if (id.startsWith(prefix)) found.add(id);
    }
    return [...found].sort();
  }

  /** The shortest beginning of `id`, of at least `minimumDigits`, that no other object shares. */
  abbreviate(id: ObjectId, minimumDigits: number): string {
    encodeObjectIdInto(this.#raw, id);
    return id.slice(0, this.#digitsApart(this.#raw, minimumDigits));
  }

  /** How many digits `abbreviate` would give the id whose raw bytes are at `at`. */
  abbreviatedDigits(ids: Uint8Array, at: number, minimumDigits: number): number {
    const raw = this.#raw;
    for (let byte = 0; byte < raw.length; byte += 1) raw[byte] = ids[at + byte]!;
    return this.#digitsApart(raw, minimumDigits);
  }

  #digitsApart(raw: Buffer, minimumDigits: number): number {
    const most = raw.length * 2;
    let digits = Math.min(Math.max(minimumDigits, 4), most);
    for (const pack of this.#packs) {
      const shared = findIndex(pack)?.sharedDigits(raw) ?? 0;
      if (shared >= digits && shared < most) digits = shared + 1;
    }
    const loose = this.#looseBeside(raw[0]!);
    if (loose.length === 0) return digits;
    const id = decodeObjectId(raw, 0, this.format);
    for (const other of loose) {
      if (other === id) continue;
      let same = 0;
      while (other[same] === id[same]) same += 1;
      digits = Math.max(digits, same + 1);
    }
    return digits;
  }

  /** True when ids might be alike in one pack only, and in loose objects. */
  get hasOnePack(): boolean { return this.#packs.length === 1; }

  /** True when loose objects have ids that begin with a byte. */
  hasLooseBeside(first: number): boolean { return this.#looseBeside(first).length > 0; }

  /** Loose ids that begin with a byte, as they were when first asked for. */
  #looseBeside(first: number): readonly ObjectId[] {
    const prefix = hexBytes[first]!;
    const known = this.#fanOuts.get(prefix);
    if (known !== undefined) return known;
    if (this.#fanOuts.size === 0) {
      // One look at the directory spares a failing one at each of most fan-outs in a store that is packed.
      const present = new Set(this.#sources.flatMap(({ directory }) => listDirectory(directory)));
      for (const name of hexBytes) if (!present.has(name)) this.#fanOuts.set(name, []);
    }
    const found = this.#fanOuts.get(prefix) ?? this.#sources.flatMap(({ loose }) => loose.listFanOut(prefix));
    this.#fanOuts.set(prefix, found);
    return found;
  }

  /** Digits an abbreviation has by default in a store of this size (core.abbrev=auto): 7, more in large ones. */
  get automaticDigits(): number {
    const packed = this.#packs.reduce((sum, pack) => sum + pack.objectCount, 0);
    return packed === 0 ? 7 : Math.max(7, Math.ceil((Math.floor(Math.log2(packed)) + 1) / 2));
  }

  /** Loose objects of our own directory, ascending. */
  listLoose(): Iterable<LooseFile> {
    return this.#loose.list();
  }

  /** What lies in our directory, or among the packs of alternates, but is no object. */
  listDebris(): Debris[] {
    return [...listLooseDebris(this.directory, this.format), ...this.#sources.flatMap(({ directory }) => listPackDebris(directory))];
  }

  /** Every loose copy that is wanted, ours and those of alternates, each read and compared with its id; for fsck. */
  *checkLoose(isWanted: (id: ObjectId) => boolean = () => true): Generator<{ readonly id: ObjectId; readonly path: string; readonly header?: ObjectHeader; readonly object?: GitObject; readonly error?: CorruptError }> {
    for (const { loose } of this.#sources) {
      for (const { id, path } of loose.list()) {
        if (!isWanted(id)) continue;
        try {
          const header = loose.findHeader(id);
          if (header === undefined) continue;
          if (header.sizeBytes >= streamThresholdBytes) drain(loose.openStream(id));
          const object = header.sizeBytes >= streamThresholdBytes ? undefined : loose.find(id);
          yield { id, path, header, ...(object === undefined ? {} : { object }) };
        } catch (error) {
          if (error instanceof CorruptError) yield { id, path, error };
          // Gone meanwhile: packed by somebody, and read from there.
          else if (!isSystemError(error, 'ENOENT')) throw error;
        }
      }
    }
  }

  /** Readable packs, our own first, by name. */
  listPacks(): PackReader[] {
    return this.#sources.flatMap(({ packs }) => [...packs.keys()].sort().map((name) => packs.get(name)!));
  }

  /** Our own packs, not those of alternates, by name. */
  listOwnPacks(): PackReader[] {
    const { packs } = this.#sources[0]!;
    return [...packs.keys()].sort().map((name) => packs.get(name)!);
  }

  /** Objects directories read besides our own. */
  get alternates(): string[] {
    return this.#sources.slice(1).map(({ directory }) => directory);
  }

  /** True when an alternate has a copy, not verified. */
  isBorrowed(id: ObjectId): boolean {
    const raw = encodeObjectId(id);
    return this.#sources.slice(1).some(({ packs, loose }) => loose.has(id) || [...packs.values()].some((pack) => findPosition(pack, raw) >= 0));
  }

  /** Packs that are there but cannot be used, and why; for fsck. */
  listDamagedPacks(): { readonly path: string; readonly error: CorruptError }[] {
    return this.#sources.flatMap(({ damaged }) => [...damaged].map(([path, error]) => ({ path, error })));
  }

  /** Looks again which packs there are. */
  refresh(): void {
    this.#fanOuts.clear();
    let changed = false;
    for (const source of this.#sources) {
      const directory = `${source.directory}/pack`;
      const names = new Set(listDirectory(directory));
      source.damaged.clear();
      if (refreshMultiPackIndex(source, names.has('multi-pack-index'), this.format)) changed = true;
      const covered = new Set(source.midx?.index.packNames);
      for (const [name, pack] of source.packs) {
        if (names.has(`${name}.idx`) && names.has(`${name}.pack`)) continue;
        source.packs.delete(name);
        this.#retired.push(pack);
        changed = true;
      }
      for (const file of names) {
        if (!file.endsWith('.idx')) continue;
        const name = file.slice(0, -4);
        if (source.packs.has(name) || !names.has(`${name}.pack`)) continue;
        if (this.#openPack(source, `${directory}/${name}.pack`, name, covered.has(file))) changed = true;
      }
    }
    if (!changed) return;
    this.#packs = this.listPacks();
    const covered = new Set(this.#sources.flatMap(({ packs, midx }) => (
      midx?.index.packNames.map((name) => packs.get(name.slice(0, -'.idx'.length))) ?? []
    )));
    this.#uncovered = this.#packs.filter((pack) => !covered.has(pack));
  }

  /** The packs there are now, the index of each read: from here on none can go away unread. */
  #loadPacks(): readonly PackReader[] {
    for (let round = 1; ; round += 1) {
      this.refresh();
      try {
        for (const pack of this.#packs) void pack.index;
        return [...this.#packs];
      } catch (error) {
        if (round === 4 || !isSystemError(error, 'ENOENT')) throw error;
      }
    }
  }

  /** A pack that a multi-pack-index covers has its own index read only when an object is read from it. */
  #openPack(source: Source, path: string, name: string, lazily: boolean): boolean {
    try {
      const pack = PackReader.open(path, this.format, this.#caches);
      if (!lazily) pack.loadIndex();
      source.packs.set(name, pack);
      return true;
    } catch (error) {
      if (error instanceof CorruptError) source.damaged.set(path, error);
      else if (!isSystemError(error, 'ENOENT')) throw error;
      return false;
    }
  }

  /** Makes a pack that was just put in place (…/pack-<hash>.pack, its .idx beside it) known without another look at the disk. */
  addPack(path: string): PackReader {
    const source = this.#sources[0]!;
    const name = path.slice(path.lastIndexOf('/') + 1, -'.pack'.length);
    const pack = source.packs.get(name) ?? PackReader.open(path, this.format, this.#caches);
    source.packs.set(name, pack);
    if (!this.#packs.includes(pack)) {
      this.#packs.unshift(pack);
      this.#uncovered.unshift(pack);
    }
    return pack;
  }

  /** Removes one of our packs with all files beside it; the index goes first, so that nobody begins to read it. */
  removePack(pack: PackReader): void {
    const stem = pack.path.slice(0, -'.pack'.length);
    for (const suffix of ['.idx', '.rev', '.bitmap', '.mtimes', '.promisor', '.keep', '.pack']) removeIfPresent(stem + suffix);
    for (const { packs } of this.#sources) if (packs.get(pack.name) === pack) packs.delete(pack.name);
    this.#packs = this.#packs.filter((other) => other !== pack);
    this.#uncovered = this.#uncovered.filter((other) => other !== pack);
    this.#retired.push(pack);
  }

  /** Removes our multi-pack-index, so that packs it names may go; their own indexes say the same. False when there is none. */
  removeMultiPackIndex(): boolean {
    const directory = join(this.directory, 'pack');
    const removed = removeIfPresent(join(directory, 'multi-pack-index'));
    for (const name of listDirectory(directory)) if (/^multi-pack-index-[0-9a-f]+\.(?:bitmap|rev)$/.test(name)) removeIfPresent(join(directory, name));
    if (removed) this.refresh();
    return removed;
  }

  /** Removes a loose file of ours; other copies stay. */
  removeLoose(id: ObjectId): void {
    this.#loose.remove(id);
    this.#fanOuts.delete(id.slice(0, 2));
  }

  /** Lets all files and memory go; the store can be used again, and then opens them anew. */
  close(): void {
    this.#quarantined?.store.close();
    this.#quarantined = undefined;
    for (const pack of [...this.#packs, ...this.#retired]) pack.close();
    this.#retired.length = 0;
    this.#commits.clear();
    this.#trees.clear();
  }

  #replacement(id: ObjectId): ObjectId {
    if (this.#replace === undefined || this.#replace.size === 0) return id;
    let current = id;
    for (let depth = 0; ; depth += 1) {
      const next = this.#replace.get(current);
      if (next === undefined) return current;
      if (depth === deepestReplacement) throw new CorruptError(`replacements of object '${id}' go too deep`, { code: 'replace-depth' });
      current = next;
    }
  }

  /** The empty tree is known to every repository without being stored. */
  #builtIn(id: ObjectId): GitObject | undefined {
    return id === emptyTreeId(this.format) ? { type: 'tree', bytes: Buffer.alloc(0) } : undefined;
  }

  /** The pack a multi-pack-index says an object is in. */
  #coveringPack(raw: Uint8Array): PackReader | undefined {
    for (const { midx, packs } of this.#sources) {
      const position = midx === undefined ? -1 : midx.index.position(raw);
      if (position < 0) continue;
      const name = midx!.index.packNames[midx!.index.packAt(position)];
      if (name !== undefined) return packs.get(name.slice(0, -'.idx'.length));
    }
    return undefined;
  }

  /** As `#lookupHere`; what is found nowhere, or only damaged, is looked for in quarantine. */
  #lookup<Answer>(
    id: ObjectId,
    fromPack: (pack: PackReader, position: number) => Answer | undefined,
    fromLoose: (loose: LooseObjects) => Answer | undefined,
    strict = true,
  ): Answer | undefined {
    let damage: CorruptError | undefined;
    try {
      const answer = this.#lookupHere(id, fromPack, fromLoose, strict);
      if (answer !== undefined) return answer;
    } catch (error) {
      if (!(error instanceof CorruptError)) throw error;
      damage = error;
    }
    const source = this.#openQuarantine();
    const lent = source === undefined ? undefined : source.#lookupHere(id, fromPack, fromLoose, false);
    if (lent !== undefined) this.#lent.add(id);
    else if (damage !== undefined) throw damage;
    return lent;
  }

  /**
   * The first answer any copy gives. A damaged copy is passed over while another may be good; a pack or file that went away
   * is looked for again, after a fresh look at the disk. `strict`: damage is thrown when no copy answers.
   */
  #lookupHere<Answer>(
    id: ObjectId,
    fromPack: (pack: PackReader, position: number) => Answer | undefined,
    fromLoose: (loose: LooseObjects) => Answer | undefined,
    strict = true,
  ): Answer | undefined {
    const raw = this.#raw;
    encodeObjectIdInto(raw, id);
    let damage: CorruptError | undefined;
    /** Looks at the disk that are worth it: more while things keep moving. */
    let rounds = 2;
    const attempt = (ask: () => Answer | undefined): Answer | undefined => {
      try {
        return ask();
      } catch (error) {
        if (error instanceof CorruptError) damage ??= error;
        else if (isSystemError(error, 'ENOENT', 'ESTALE')) rounds = 4;
        else throw error;
        return undefined;
      }
    };
    for (let round = 0; round < rounds; round += 1) {
      const covering = round === 0 ? this.#coveringPack(raw) : undefined;
      if (covering !== undefined) {
        const answer = attempt(() => askPack(covering, raw, fromPack));
        if (answer !== undefined) return answer;
      }
      // The second time packs are asked whatever a multi-pack-index says.
      const packs = round === 0 ? this.#uncovered : this.#packs;
      for (let at = 0; at < packs.length; at += 1) {
        const pack = packs[at]!;
        const answer = attempt(() => askPack(pack, raw, fromPack));
        if (answer === undefined) continue;
        if (at > 0) {
          packs.splice(at, 1);
          packs.unshift(pack);
        }
        return answer;
      }
      for (const { loose } of this.#sources) {
        const answer = attempt(() => fromLoose(loose));
        if (answer !== undefined) return answer;
      }
      if (round + 1 < rounds) this.refresh();
    }
    damage ??= this.#sources.flatMap(({ damaged }) => [...damaged.values()])[0];
    if (strict && damage !== undefined) throw damage;
    return undefined;
  }
}

/**
 * `ids`, of which a copy here may be damaged, and what they reach in `source` without passing what is here, what is named first. Apart from them those that need, by
 * whichever way, an object that is nowhere, each with that object. Parents of the commits in `boundary` need not be anywhere.
 */
function listLost(source: ObjectStore, ids: ReadonlySet<ObjectId>, isHere: (id: ObjectId) => boolean, boundary: ReadonlySet<ObjectId>): {
  readonly lost: ObjectId[]; readonly broken: ReadonlyMap<ObjectId, ObjectId>;
} {
  const seen = new Set<ObjectId>();
  const lost: ObjectId[] = [];
  const broken = new Map<ObjectId, ObjectId>();
  for (const root of ids) {
    const pending: { readonly id: ObjectId; readonly named: readonly ObjectId[]; next: number }[] = [];
    const enter = (id: ObjectId): void => {
      if (seen.has(id)) return;
      seen.add(id);
      if (!ids.has(id) && isHere(id)) return;
      if (source.has(id)) pending.push({ id, named: namedBy(source, id, boundary), next: 0 });
      else if (!isHere(id)) broken.set(id, id);
    };
    enter(root);
    for (let top = pending.at(-1); top !== undefined; top = pending.at(-1)) {
      const named = top.named[top.next];
      if (named !== undefined) {
        top.next += 1;
        enter(named);
        continue;
      }
      const missing = top.named.map((id) => broken.get(id)).find((id) => id !== undefined);
      if (missing === undefined) lost.push(top.id);
      else broken.set(top.id, missing);
      pending.pop();
    }
  }
  return { lost, broken };
}

/** The objects one names directly; commits of submodules are elsewhere, and so are parents of the commits in `boundary`. */
function namedBy(store: ObjectStore, id: ObjectId, boundary: ReadonlySet<ObjectId>): ObjectId[] {
  switch (store.readHeader(id).type) {
    case 'blob': return [];
    case 'tree': return store.readTree(id).filter(({ mode }) => mode !== 0o160000).map((entry) => entry.id);
    case 'commit': {
      const { tree, parents } = store.readCommit(id);
      return boundary.has(id) ? [tree] : [tree, ...parents];
    }
    case 'tag': return [store.readTag(id).object];
  }
}

function askPack<Answer>(pack: PackReader, raw: Buffer, ask: (pack: PackReader, position: number) => Answer | undefined): Answer | undefined {
  const position = pack.position(raw);
  return position < 0 ? undefined : ask(pack, position);
}

function nowhere(): ObjectPlace {
  return { pack: undefined, position: -1, until: -1, looseId: undefined };
}

function* placedIds({ pack, position, until, looseId }: ObjectPlace): Generator<ObjectId> {
  if (pack === undefined) yield looseId!;
  else for (let at = position; at < until; at += 1) yield pack.idAt(at);
}

function isInOneOf(packs: readonly PackReader[], raw: Uint8Array): boolean {
  return packs.some((pack) => pack.position(raw) >= 0);
}

/** `visit` of the ids that begin with one byte, where several packs or files have some. */
function* visitMerged(place: ObjectPlace, packs: readonly PackReader[], loose: readonly ObjectId[], byte: number): Generator<void> {
  const places: { readonly id: ObjectId; readonly pack: PackReader | undefined; readonly position: number }[] = [];
  for (const pack of packs) {
    const end = pack.index.fanOut(byte + 1);
    for (let position = pack.index.fanOut(byte); position < end; position += 1) places.push({ id: pack.idAt(position), pack, position });
  }
  for (const id of loose) places.push({ id, pack: undefined, position: -1 });
  // Of equal ids the one in the first pack stays first.
  places.sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
  let former: ObjectId | undefined;
  for (const { id, pack, position } of places) {
    if (id === former) continue;
    former = id;
    place.pack = pack;
    place.position = position;
    place.until = position + 1;
    place.looseId = id;
    yield;
  }
}

/** A pack's index; undefined when it, read only now, is gone or damaged. */
function findIndex(pack: PackReader): PackIndex | undefined {
  try {
    return pack.index;
  } catch (error) {
    if (error instanceof CorruptError || isSystemError(error, 'ENOENT')) return undefined;
    throw error;
  }
}

function seekIn(pack: PackReader, raw: Uint8Array, found: ObjectPlace): boolean {
  const position = findIndex(pack)?.position(raw) ?? -1;
  if (position < 0) return false;
  found.pack = pack;
  found.position = position;
  return true;
}

function findPosition(pack: PackReader, raw: Buffer): number {
  return findIndex(pack)?.position(raw) ?? -1;
}

/** Reads the multi-pack-index when it changed; a damaged one is as none, for the packs' own indexes say the same. */
function refreshMultiPackIndex(source: Source, present: boolean, format: ObjectFormat): boolean {
  const former = source.midx;
  const path = `${source.directory}/pack/multi-pack-index`;
  const stat = present ? statSync(path, { throwIfNoEntry: false }) : undefined;
  const identity = stat && `${stat.ino} ${stat.size} ${stat.mtimeMs}`;
  if (identity === former?.identity) return false;
  source.midx = undefined;
  if (identity === undefined) return true;
  try {
    source.midx = { index: MultiPackIndex.decode(readFileSync(path), format), identity };
  } catch (error) {
    if (!(error instanceof CorruptError) && !isSystemError(error, 'ENOENT', 'EIO', 'EISDIR')) throw error;
  }
  return true;
}

function readPacked(pack: PackReader, position: number): GitObject { return pack.readAt(position); }

function readPackedHeader(pack: PackReader, position: number): ObjectHeader { return pack.headerAt(position); }

function missing(id: ObjectId): never {
  throw new NotFoundError(`object '${id}' is missing`, { code: 'object-missing' });
}

function decodeNamed<Value>(id: ObjectId, decode: () => Value): Value {
  try {
    return decode();
  } catch (error) {
    if (!(error instanceof CorruptError) || error.message.includes(id)) throw error;
    throw new CorruptError(`object '${id}': ${error.message}`, { code: error.code, cause: error });
  }
}

/** The chunks of a stream whose file may go away before the first is read: then it is opened anew, once. */
function* reopened(stream: ObjectStream, open: () => ObjectStream | undefined): Generator<Buffer> {
  let begun = false;
  try {
    for (const chunk of stream.chunks) {
      begun = true;
      yield chunk;
    }
  } catch (error) {
    const again = !begun && isSystemError(error, 'ENOENT') ? open() : undefined;
    if (again === undefined) throw error;
    yield* again.chunks;
  }
}

/** Reads a stream to its end, for what its verification says; false when there is none. */
function drain(stream: ObjectStream | undefined): boolean {
  if (stream === undefined) return false;
  const chunks = stream.chunks[Symbol.iterator]();
  while (!chunks.next().done);
  return true;
}

/** False when the copy is damaged or gone. */
function isGood(verify: () => boolean): boolean {
  try {
    return verify();
  } catch (error) {
    if (error instanceof CorruptError || isSystemError(error, 'ENOENT')) return false;
    throw error;
  }
}
