// One pack and its index, for reading: objects whole, their headers, or in pieces (gitformat-pack(5)).
//
// Invariant: what `readAt` and `openStreamAt` give hashes to the id the index has at that position, or it is CorruptError.
// A pack is never held in memory: it is read at positions, in windows of a bounded cache shared by all packs; delta bases are
// kept in another. Delta chains of any length are followed in a loop; a chain that comes back to itself is CorruptError.
// The pack may be removed while it is open (gc): reading goes on. When it is gone before it was opened, the operating
// system's ENOENT passes through, and the object store looks elsewhere.
import { closeSync, existsSync, fstatSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import { BaseCache } from './base-cache.js';
import type { Base, KeptBase } from './base-cache.js';
import { ByteCache } from './byte-cache.js';
import type { ByteCacheShare } from './byte-cache.js';
import { applyDelta, readDeltaSizes } from './delta.js';
import { CorruptError, asDamage } from './errors.js';
import { mismatchError, streamThresholdBytes } from './object.js';
import type { GitObject, ObjectHeader, ObjectStream } from './object.js';
import { Hasher, encodeObjectHeader, hashObject, isHashOf, rawSize } from './oid.js';
import type { ObjectFormat, ObjectId, ObjectType } from './oid.js';
import { PackIndex } from './pack-index.js';
import { hasKernels } from './kernels/kernel.js';
import { Unpacker } from './unpacker.js';
import type { UnpackPlace } from './unpacker.js';
import { Inflater, inflateContent, inflatePrefix } from './zlib.js';

/** A process that reads no more objects than this is done sooner without a kernel that has to be compiled first. */
const readsBeforeUnpacker = 100;
/** Well below the usual limit of 1024 open files. */
const mostOpenPacks = 256;
const headerRoomBytes = 32;
const mostPassingBytes = 256 * 1024;

/** Memory shared by all packs of a store. */
export class PackCaches {
  readonly windows: ByteCache<Buffer>;
  readonly bases: BaseCache;
  /** Where deltas are inflated: each is used up before the next one is read. */
  readonly scratch = Buffer.allocUnsafeSlow(64 * 1024);
  /** Where contents are made that are passed on at once, behind room for the header they are hashed with. */
  readonly passing = Buffer.allocUnsafeSlow(headerRoomBytes + mostPassingBytes);
  /** Room in `passing` where a content fits. */
  readonly forPassing = (sizeBytes: number): Buffer => (
    sizeBytes <= mostPassingBytes ? this.passing.subarray(headerRoomBytes, headerRoomBytes + sizeBytes) : Buffer.allocUnsafe(sizeBytes)
  );
  /** Room for a base to be kept. */
  readonly keeping = (sizeBytes: number): Buffer => this.bases.reserve(sizeBytes);
  /** Readers whose pack is open, the one opened last at the end. */
  readonly #open = new Set<PackReader>();

  /** How much of a pack is read at a time. */
  readonly windowSizeBytes: number;
  readonly #budgets: { readonly windowBytes: number; readonly baseBytes: number };
  #unpacker: Unpacker | undefined;
  #reads = 0;

  /** Budgets in bytes, smaller ones for who reads everything once; smaller windows for who reads here and there. */
  constructor(windowBytes = 96 * 1024 * 1024, baseBytes = 64 * 1024 * 1024, windowSizeBytes = 64 * 1024) {
    // Where there is an unpacker, it takes most of it; what it refuses is large or rare.
    const share = hasKernels() ? 1 / 8 : 1;
    this.#budgets = { windowBytes, baseBytes: baseBytes / 2 };
    this.windows = new ByteCache<Buffer>(windowBytes * share);
    this.bases = new BaseCache(hasKernels() ? baseBytes / 2 : baseBytes);
    this.windowSizeBytes = windowSizeBytes;
  }

  /** For many reads; undefined where there are no kernels. */
  get unpacker(): Unpacker | undefined {
    return this.#unpacker ??= Unpacker.open(this.#budgets.windowBytes, this.#budgets.baseBytes);
  }

  /** The unpacker once so many objects were read that making it pays. */
  get unpackerIfWorthwhile(): Unpacker | undefined {
    if (this.#unpacker === undefined && (this.#reads += 1) <= readsBeforeUnpacker) return undefined;
    return hasKernels() ? this.unpacker : undefined;
  }

  /** Takes note of a pack that was opened, and closes the one opened first when there are too many. */
  noteOpened(pack: PackReader): void {
    this.#open.add(pack);
    if (this.#open.size <= mostOpenPacks) return;
    const [first] = this.#open;
    first!.closeFile();
  }

  noteClosed(pack: PackReader): void {
    this.#open.delete(pack);
  }
}

/** The numbers packs store for types. */
export const packTypes = ['', 'commit', 'tree', 'blob', 'tag', '', 'ofs-delta', 'ref-delta'] as const;
const offsetDelta = 6;
const refDelta = 7;

/** How an object is stored: the header of its entry. `kind` is 1 to 4 for whole objects, 6 and 7 for deltas. */
export interface PackEntry {
  readonly kind: number;
  /** Of what inflates: the object, or the delta. */
  readonly sizeBytes: number;
  readonly offset: number;
  /** Where the zlib stream begins. */
  readonly dataOffset: number;
  /** Of the base; undefined unless `kind` is a delta. */
  readonly baseOffset: number | undefined;
}

const windowBytes = 256 * 1024;
/** Windows overlap by this much, so that nearly every small entry lies in one of them. */
const overlapBytes = 4 * 1024;
/** Read for one object where no window is worth it: nearly every small entry is shorter. */
const glanceBytes = 8 * 1024;
/** The same for who asks only for type and size. */
const headerGlanceBytes = 1024;
/** A window is read when it was asked for this often: objects asked for here and there cost one small read each. */
const glancesBeforeWindow = 8;
/** The same where another window has to go for it. */
const glancesBeforeExchange = 128;
/** Deltas whose kind is remembered. */
const mostKinds = 2 ** 18;
const longestEntryHeaderBytes = 10 + 32;
/** The most bytes one stored byte can inflate to. */
const mostExpansion = 1032;
/** Read at a time for the checksum of the whole. */
const checkedBytes = 256 * 1024;

export class PackReader {
  readonly path: string;
  readonly format: ObjectFormat;
  #index: PackIndex | undefined;
  readonly #windows: ByteCacheShare<Buffer>;
  readonly #caches: PackCaches;
  readonly #bases = new Map<number, KeptBase>();
  /** By offset, what deltas are in the end: 1 to 4. */
  readonly #kinds = new Map<number, number>();
  /** The window used last, and where it begins. */
  #window: Buffer | undefined;
  #windowBase = 0;
  /** Number of the window read last: who reads on from there gets the next one at once. */
  #windowRead = -1;
  /** By window number, how often it was asked for without being read. */
  #glances: Uint8Array | undefined;
  #glance: Buffer | undefined;
  #fd: number | undefined;
  #sizeBytes = 0;
  #isCruft: boolean | undefined;
  /** Where the unpacker keeps what it knows of this pack; null when it cannot handle it. */
  #place: UnpackPlace | null | undefined;

  private constructor(path: string, format: ObjectFormat, caches: PackCaches) {
    this.path = path;
    this.format = format;
    this.#windows = caches.windows.share();
    this.#caches = caches;
  }

  /** A reader of `packPath` ("…/pack-<hash>.pack"); index and pack are each opened when first needed. */
  static open(packPath: string, format: ObjectFormat, caches: PackCaches = new PackCaches()): PackReader {
    return new PackReader(packPath, format, caches);
  }

  /** The index beside the pack; CorruptError when it cannot be used. */
  get index(): PackIndex {
    return this.#index ?? this.loadIndex();
  }

  /** Reads the index anew. */
  loadIndex(): PackIndex {
    const path = this.path.replace(/\.pack$/, '.idx');
    this.#index = named(path, () => PackIndex.decode(readFileSync(path), this.format));
    return this.#index;
  }

  /** "pack-<hash>". */
  get name(): string {
    return this.path.slice(this.path.lastIndexOf('/') + 1).replace(/\.pack$/, '');
  }

  get objectCount(): number { return this.index.count; }

  /** True for a cruft pack: each object has an age of its own, in the .mtimes file beside it, which touching the pack does not renew. */
  get isCruft(): boolean {
    return this.#isCruft ??= existsSync(this.path.replace(/\.pack$/, '.mtimes'));
  }

  /** Of the .pack file. */
  get sizeBytes(): number {
    return this.#fd === undefined ? statSync(this.path).size : this.#sizeBytes;
  }

  /** Index position of an id given as raw bytes; -1 when it is not in this pack. */
  position(raw: Uint8Array): number { return this.index.position(raw); }

  idAt(position: number): ObjectId { return this.index.idAt(position); }

  offsetAt(position: number): number { return this.index.offsetAt(position); }

  /** The verified object. */
  readAt(position: number): GitObject {
    const id = this.index.idAt(position);
    const quick = this.#readQuickly(position);
    if (quick !== undefined) return { type: quick.type, bytes: Buffer.from(quick.bytes) };
    const object = named(this.path, () => this.#resolve(this.entryAt(this.offsetAt(position))), id);
    return this.#verified(id, object);
  }

  /**
   * The verified object, like readAt, but its bytes may be overwritten by the next read from any pack of the store: for contents that
   * are passed on at once. Undefined for an object too large for that.
   */
  passAt(position: number): GitObject | undefined {
    const quick = this.#readQuickly(position);
    if (quick !== undefined) return quick;
    const entry = this.entryAt(this.offsetAt(position));
    if (entry.sizeBytes > mostPassingBytes) return undefined;
    const { passing } = this.#caches;
    const { type, bytes } = this.#resolve(entry, this.#caches.forPassing);
    if (bytes.buffer !== passing.buffer) return this.#verified(this.index.idAt(position), { type, bytes });
    const header = `${type} ${bytes.length}\0`;
    passing.write(header, headerRoomBytes - header.length, 'latin1');
    const framed = passing.subarray(headerRoomBytes - header.length, headerRoomBytes + bytes.length);
    if (!isHashOf(this.index.bytes, this.index.idOffset(position), framed, this.format)) throw mismatchError(this.index.idAt(position), this.path);
    return { type, bytes };
  }

  /** The pack as the unpacker of its store knows it; undefined when it cannot handle it. */
  enrol(unpacker: Unpacker): UnpackPlace | undefined {
    if (this.#place === undefined) {
      this.#open();
      const idSize = rawSize(this.format);
      this.#place = unpacker.enrol({
        sizeBytes: this.#sizeBytes,
        idSize,
        readInto: (bytes, at, length, offset) => this.#readInto(bytes, length, offset, at),
        findOffset: (raw) => {
          const position = this.index.position(raw);
          return position < 0 ? -1 : this.offsetAt(position);
        },
        index: { index: this.index.version === 2 ? this.index.bytes : undefined, count: this.index.count },
      }) ?? null;
    }
    return this.#place ?? undefined;
  }

  /** The verified object, its bytes good until the next is read; undefined where the careful way has to be gone. */
  #readQuickly(position: number): GitObject | undefined {
    const unpacker = this.#caches.unpackerIfWorthwhile;
    const place = unpacker && this.enrol(unpacker);
    if (unpacker === undefined || place === undefined) return undefined;
    const at = unpacker.resultAt;
    const length = unpacker.read(place, this.offsetAt(position), at, at + unpacker.frameBytes);
    if (length < 0) return undefined;
    if (!unpacker.isFrameOf(this.index.bytes, this.index.idOffset(position), this.format, at, length)) return undefined;
    const { bytes } = unpacker;
    return { type: packTypes[unpacker.kind] as ObjectType, bytes: bytes.subarray(at + length - unpacker.contentSize, at + length) };
  }

  #verified(id: ObjectId, object: GitObject): GitObject {
    if (hashObject(object.type, object.bytes, this.format) !== id) throw mismatchError(id, this.path);
    return object;
  }

  /** True when the object there is what its id says, read through to its end. */
  isGoodAt(position: number): boolean {
    try {
      if (this.passAt(position) !== undefined) return true;
      const chunks = this.openStreamAt(position).chunks[Symbol.iterator]();
      while (!chunks.next().done);
      return true;
    } catch (error) {
      if (error instanceof CorruptError) return false;
      throw error;
    }
  }

  /** Type and size, inflating no more than the size of a delta. */
  headerAt(position: number): ObjectHeader {
    try {
      const entry = this.entryAt(this.offsetAt(position), headerGlanceBytes);
      if (entry.baseOffset === undefined) return { type: packTypes[entry.kind] as ObjectType, sizeBytes: entry.sizeBytes };
      const head = this.#inflateHead(entry, Math.min(entry.sizeBytes, 20));
      return { type: this.#typeOf(entry), sizeBytes: readDeltaSizes(head).resultBytes };
    } catch (error) {
      throw asNamed(this.path, error, this.index.idAt(position));
    }
  }

  /** The object in pieces: in constant memory, unless it is a delta, which needs its base and itself whole. */
  openStreamAt(position: number): ObjectStream {
    const id = this.index.idAt(position);
    return named(this.path, () => {
      const entry = this.entryAt(this.offsetAt(position));
      if (entry.baseOffset === undefined && entry.sizeBytes >= streamThresholdBytes) {
        const type = packTypes[entry.kind] as ObjectType;
        return { type, sizeBytes: entry.sizeBytes, chunks: this.#chunks(entry, type, id) };
      }
      const { type, bytes } = this.#verified(id, this.#resolve(entry));
      return { type, sizeBytes: bytes.length, chunks: [bytes] };
    }, id);
  }

  *#chunks(entry: PackEntry, type: ObjectType, id: ObjectId): Generator<Buffer> {
    const hasher = new Hasher(this.format);
    hasher.update(encodeObjectHeader(type, entry.sizeBytes));
    const inflater = new Inflater();
    const end = this.#endOf(entry);
    let left = entry.sizeBytes;
    try {
      for (let at = entry.dataOffset; !inflater.finished; at += windowBytes) {
        if (at >= end) throw badPack('the object ends before its end');
        for (const piece of inflater.push(this.#readSpan(at, Math.min(windowBytes, end - at)))) {
          left -= piece.length;
          if (left < 0) throw badPack('the object holds more than it says');
          hasher.update(piece);
          yield piece;
        }
      }
    } catch (error) {
      throw asNamed(this.path, error, id);
    } finally {
      inflater.close();
    }
    if (left !== 0 || hasher.digestId() !== id) throw mismatchError(id, this.path);
  }

  /** The header of the entry at an offset, read with up to `mostBytes` where no window is; CorruptError when there cannot be one. */
  entryAt(offset: number, mostBytes = glanceBytes): PackEntry {
    this.#open();
    if (offset < 12 || offset >= this.#dataEnd) throw badPack(`there is no object at byte ${offset}`);
    const { bytes, start } = this.#view(offset, Math.min(longestEntryHeaderBytes, this.#sizeBytes - offset), mostBytes);
    let at = start;
    let byte = bytes[at++]!;
    const kind = (byte >> 4) & 7;
    let sizeBytes = byte & 15;
    for (let scale = 16; byte & 0x80; scale *= 128) {
      if (scale > 2 ** 53 || at >= bytes.length) throw badPack(`the object at byte ${offset} has no valid size`);
      byte = bytes[at++]!;
      sizeBytes += (byte & 0x7f) * scale;
    }
    if (!Number.isSafeInteger(sizeBytes)) throw badPack(`the object at byte ${offset} has no valid size`);
    let baseOffset: number | undefined;
    if (kind === offsetDelta) {
      byte = bytes[at++] ?? 0x80;
      let distance = byte & 0x7f;
      while (byte & 0x80) {
        if (at >= bytes.length || distance > 2 ** 45) throw badPack(`the delta at byte ${offset} has no valid base`);
        byte = bytes[at++]!;
        distance = (distance + 1) * 128 + (byte & 0x7f);
      }
      baseOffset = offset - distance;
      if (distance === 0 || baseOffset < 12) throw badPack(`the delta at byte ${offset} has its base outside the pack`);
    } else if (kind === refDelta) {
      const idSize = rawSize(this.format);
      const position = at + idSize <= bytes.length ? this.index.position(bytes.subarray(at, at + idSize)) : -1;
      if (position < 0) throw badPack(`the base of the delta at byte ${offset} is not in the pack`);
      baseOffset = this.offsetAt(position);
      at += idSize;
    } else if (kind === 0 || kind === 5) {
      throw badPack(`the object at byte ${offset} is of no known type`);
    }
    return { kind, sizeBytes, offset, dataOffset: offset + at - start, baseOffset };
  }

  /** Where the bytes of an entry end: the next entry or the trailer. */
  #endOf(entry: PackEntry): number {
    return Math.min(this.index.offsetAfter(entry.offset) ?? this.#dataEnd, this.#dataEnd);
  }

  /** First byte after the entry that begins at `offset`. */
  endAt(offset: number): number {
    this.#open();
    return Math.min(this.index.offsetAfter(offset) ?? this.#dataEnd, this.#dataEnd);
  }

  /** Stored bytes from `start` to `end`, as they are; not verified. */
  readBytes(start: number, end: number): Buffer {
    this.#open();
    if (start < 0 || end < start || end > this.#sizeBytes) throw badPack(`bytes ${start} to ${end} are outside '${this.path}'`);
    return this.#readSpan(start, end - start);
  }

  /** Like readBytes, but perhaps a view of memory that the next read fills anew. */
  viewBytes(start: number, end: number): Buffer {
    this.#open();
    if (start < 0 || end < start || end > this.#sizeBytes) throw badPack(`bytes ${start} to ${end} are outside '${this.path}'`);
    const view = this.#view(start, end - start);
    return view.bytes.subarray(view.start, view.start + end - start);
  }

  /** Follows a chain of deltas to an object stored whole or kept from before, then applies them from there. */
  #resolve(entry: PackEntry, allocate?: (sizeBytes: number) => Buffer): GitObject {
    if (entry.baseOffset === undefined) {
      return { type: packTypes[entry.kind] as ObjectType, bytes: this.#inflateEntry(entry, allocate?.(entry.sizeBytes)) };
    }
    const { bases } = this.#caches;
    const chain: PackEntry[] = [];
    let base: Base | undefined;
    for (let link = entry; base === undefined;) {
      if (link.baseOffset === undefined) {
        const bytes = this.#inflateEntry(link, bases.reserve(this.#checkedSize(link)));
        base = { type: packTypes[link.kind] as ObjectType, bytes };
        bases.keep(this.#bases, link.offset, base.type, bytes);
        break;
      }
      chain.push(link);
      if (chain.length > this.objectCount) throw badPack(`the delta at byte ${link.offset} is its own base`);
      base = bases.find(this.#bases, link.baseOffset);
      if (base === undefined) link = this.entryAt(link.baseOffset);
    }
    for (let depth = chain.length - 1; depth > 0; depth -= 1) {
      const delta = this.#inflateDelta(chain[depth]!);
      base = { type: base.type, bytes: applyDelta(base.bytes, delta, this.#caches.keeping) };
      bases.keep(this.#bases, chain[depth]!.offset, base.type, base.bytes);
    }
    return { type: base.type, bytes: applyDelta(base.bytes, this.#inflateDelta(entry), allocate) };
  }

  /** The type at the end of a chain of deltas; what was learnt on the way is kept for chains that share it. */
  #typeOf(delta: PackEntry): ObjectType {
    const links: number[] = [];
    let entry = delta;
    let kind: number | undefined;
    while (entry.baseOffset !== undefined && kind === undefined) {
      if (links.push(entry.offset) > this.objectCount) throw badPack(`the delta at byte ${entry.offset} is its own base`);
      kind = this.#kinds.get(entry.baseOffset);
      if (kind === undefined) entry = this.entryAt(entry.baseOffset, headerGlanceBytes);
    }
    kind ??= entry.kind;
    if (this.#kinds.size + links.length > mostKinds) this.#kinds.clear();
    for (const offset of links) this.#kinds.set(offset, kind);
    return packTypes[kind] as ObjectType;
  }

  #inflateDelta(entry: PackEntry): Buffer {
    const { scratch } = this.#caches;
    return this.#inflateEntry(entry, entry.sizeBytes <= scratch.length ? scratch.subarray(0, entry.sizeBytes) : undefined);
  }

  /** The declared size, when so few stored bytes can possibly make as much. */
  #checkedSize(entry: PackEntry): number {
    if (entry.sizeBytes > windowBytes && entry.sizeBytes > (this.#endOf(entry) - entry.dataOffset) * mostExpansion) {
      throw badPack(`the object at byte ${entry.offset} is too short for its declared size`);
    }
    return entry.sizeBytes;
  }

  #inflateEntry(entry: PackEntry, into?: Buffer): Buffer {
    if (entry.sizeBytes <= windowBytes) {
      // Enough for what any ordinary compressor makes of so many bytes; anything longer is read to its exact end below.
      const likely = Math.min(entry.sizeBytes + (entry.sizeBytes >> 8) + 64, this.#dataEnd - entry.dataOffset);
      const { bytes, start } = this.#view(entry.dataOffset, likely);
      try {
        return inflateContent(bytes, start, entry.sizeBytes, into);
      } catch (error) {
        if (!(error instanceof CorruptError)) throw error;
      }
    }
    const end = this.#endOf(entry);
    if (end <= entry.dataOffset) throw badPack(`the object at byte ${entry.offset} has no room`);
    return inflateContent(this.#readSpan(entry.dataOffset, end - entry.dataOffset), 0, entry.sizeBytes, into);
  }

  #inflateHead(entry: PackEntry, wantBytes: number): Buffer {
    const { bytes, start } = this.#view(entry.dataOffset, Math.min(512, this.#dataEnd - entry.dataOffset), headerGlanceBytes);
    return inflatePrefix(bytes, start, wantBytes);
  }

  /**
   * A buffer that has `length` bytes of the pack from `offset` on at `start`: a cached window where one covers them, otherwise one
   * that the next call may fill anew.
   */
  #view(offset: number, length: number, mostBytes = glanceBytes): { bytes: Buffer; start: number } {
    if (this.#window === undefined || offset < this.#windowBase || offset + length > this.#windowBase + this.#window.length) {
      const { windowSizeBytes } = this.#caches;
      const number = Math.floor(offset / windowSizeBytes);
      const base = number * windowSizeBytes;
      const fits = offset + length <= base + windowSizeBytes + overlapBytes;
      let window = fits ? this.#windows.get(number) : undefined;
      if (window === undefined) {
        if (!fits || !this.#isWorthReading(number)) return this.#glanceAt(offset, length, mostBytes);
        window = this.#readSpan(base, Math.min(windowSizeBytes + overlapBytes, this.#sizeBytes - base));
        this.#windows.set(number, window, window.length);
        this.#windowRead = number;
      }
      this.#window = window;
      this.#windowBase = base;
    }
    return { bytes: this.#window, start: offset - this.#windowBase };
  }

  #isWorthReading(number: number): boolean {
    if (number === this.#windowRead + 1 && number > 0) return true;
    const glances = this.#glances ??= new Uint8Array(Math.ceil(this.#sizeBytes / this.#caches.windowSizeBytes));
    const wanted = this.#caches.windows.hasRoom(this.#caches.windowSizeBytes + overlapBytes) ? glancesBeforeWindow : glancesBeforeExchange;
    const count = glances[number]! + 1;
    glances[number] = count < wanted ? count : 0;
    return count >= wanted;
  }

  #glanceAt(offset: number, length: number, mostBytes: number): { bytes: Buffer; start: number } {
    if (length > mostBytes) return { bytes: this.#readSpan(offset, length), start: 0 };
    const glance = this.#glance ??= Buffer.allocUnsafeSlow(glanceBytes);
    const size = Math.min(mostBytes, this.#sizeBytes - offset);
    this.#readInto(glance, size, offset);
    this.#window = size === glanceBytes ? glance : glance.subarray(0, size);
    this.#windowBase = offset;
    return { bytes: this.#window, start: 0 };
  }

  #readSpan(offset: number, length: number): Buffer {
    const bytes = Buffer.allocUnsafeSlow(length);
    this.#readInto(bytes, length, offset);
    return bytes;
  }

  #readInto(bytes: Buffer, length: number, offset: number, at = 0): void {
    this.#open();
    let done = 0;
    while (done < length) {
      const read = this.#readSome(bytes, at + done, length - done, offset + done);
      if (read === 0) throw badPack('it was cut short');
      done += read;
    }
  }

  #readSome(bytes: Buffer, at: number, length: number, offset: number): number {
    try {
      return readSync(this.#fd!, bytes, at, length, offset);
    } catch (error) {
      throw asNamed(this.path, error);
    }
  }

  /** Where objects end and the trailer begins. */
  get #dataEnd(): number { return this.#sizeBytes - rawSize(this.format); }

  #open(): void {
    if (this.#fd !== undefined) return;
    const fd = openSync(this.path, 'r');
    try {
      const sizeBytes = fstatSync(fd).size;
      const idSize = rawSize(this.format);
      if (sizeBytes < 12 + idSize) throw badPack('it is too short');
      const head = Buffer.alloc(12);
      const trailer = Buffer.alloc(idSize);
      readSync(fd, head, 0, 12, 0);
      readSync(fd, trailer, 0, idSize, sizeBytes - idSize);
      if (head.toString('latin1', 0, 4) !== 'PACK') throw badPack('it does not begin as a pack');
      if (head.readUInt32BE(4) !== 2 && head.readUInt32BE(4) !== 3) throw badPack(`version ${head.readUInt32BE(4)} is not known`);
      if (head.readUInt32BE(8) !== this.index.count) throw badPack('its index has another number of objects');
      if (!trailer.equals(this.index.packChecksum)) throw badPack('its index belongs to another pack');
      this.#sizeBytes = sizeBytes;
      this.#fd = fd;
      this.#caches.noteOpened(this);
    } catch (error) {
      closeSync(fd);
      throw asNamed(this.path, error);
    }
  }

  /** The checksum the pack ends in, and the one its bytes have; for fsck. */
  checksums(): { stored: Buffer; actual: Buffer } {
    this.#open();
    const hasher = new Hasher(this.format);
    const piece = Buffer.allocUnsafeSlow(checkedBytes);
    for (let at = 0; at < this.#dataEnd; at += checkedBytes) {
      const size = Math.min(checkedBytes, this.#dataEnd - at);
      this.#readInto(piece, size, at);
      hasher.update(piece.subarray(0, size));
    }
    return { stored: this.#readSpan(this.#dataEnd, rawSize(this.format)), actual: hasher.digestBytes() };
  }

  /** Lets the file go; reading opens it again. */
  closeFile(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
    this.#caches.noteClosed(this);
  }

  /** Lets file and memory go; reading opens and reads them again. */
  close(): void {
    this.closeFile();
    this.#windows.clear();
    this.#window = undefined;
    this.#windowRead = -1;
    this.#glances = undefined;
    this.#bases.clear();
    this.#kinds.clear();
    if (this.#place) this.#caches.unpacker?.release(this.#place);
    this.#place = undefined;
  }
}

function badPack(what: string): CorruptError {
  return new CorruptError(`pack is damaged: ${what}`, { code: 'bad-pack' });
}

/** What `action` gives; damage found in it is said with the file's name and the object's. */
function named<Value>(path: string, action: () => Value, id?: ObjectId): Value {
  try {
    return action();
  } catch (error) {
    throw asNamed(path, error, id);
  }
}

function asNamed(path: string, thrown: unknown, id?: ObjectId): unknown {
  const error = asDamage(thrown);
  if (!(error instanceof CorruptError) || error.message.includes(path)) return error;
  return new CorruptError(`${id === undefined ? '' : `object '${id}' in `}'${path}': ${error.message}`, {
    code: error.code, cause: error, hint: 'run cairn fsck; restore the pack from another copy',
  });
}
