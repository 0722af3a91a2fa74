// Writing one new pack of whole (not deltified) objects, as they come: for snapshots and other bulk writes. Constant memory
// but for about a hundred bytes per object. Format: gitformat-pack (version 2 packs, version 2 indexes).
//
// Invariant: nothing is visible before `finish`; then the pack and its index are durable, the index appearing last, since the
// index is what makes a pack visible. `abort`, or leaving the scope of a `using`, leaves nothing behind.
// If the power fails: at worst a private `tmp_pack_*` file, or a pack without an index, both invisible; gc removes them.
import * as fs from 'node:fs';
import { join } from 'node:path';
import { disk, makeDirectories, removeIfPresent, temporaryName } from './disk.js';
import { InvalidError, isSystemError } from './errors.js';
import { type Hardening, hardenEverything } from './hardening.js';
import { Hasher, encodeObjectHeader, encodeObjectId, hashObject, rawSize } from './oid.js';
import type { ObjectFormat, ObjectId, ObjectType } from './oid.js';
import { PackIndex, encodePackIndex } from './pack-index.js';
import { encodeReverseIndex } from './reverse-index.js';
import { Deflater, crc32, deflate } from './zlib.js';

/** Many objects written as one pack; nothing of it is visible or durable before `finish`. */
export interface BulkWriter {
  readonly format: ObjectFormat;
  readonly count: number;
  readonly nextOffset: number;
  has(id: ObjectId): boolean;
  holds(id: ObjectId): boolean;
  add(type: ObjectType, bytes: Uint8Array): ObjectId;
  addCompressed(entry: CompressedObject): void;
  addPacked(entry: PackedObject): void;
  addStream(type: ObjectType, sizeBytes: number, chunks: Iterable<Uint8Array>): ObjectId;
  beginEntry(type: ObjectType, sizeBytes: number): PackEntryWriter;
  readBack(offset: number, sizeBytes: number): Buffer;
  finish(): WrittenPack | undefined;
  abort(): void;
  [Symbol.dispose](): void;
}

/** Where the entries of a pack go, one behind the other. */
export interface PackOutput {
  /** Where the next entry will begin; a delta's distance to its base is counted from here. */
  readonly nextOffset: number;
  addPacked(entry: PackedObject): void;
  beginEntry(type: ObjectType, sizeBytes: number): PackEntryWriter;
}

/** An object whose content is already a zlib stream. */
export interface CompressedObject {
  readonly id: ObjectId;
  readonly type: ObjectType;
  readonly sizeBytes: number;
  readonly deflated: Uint8Array;
}

/** An object as a pack holds it: entry header and zlib stream, and the CRC-32 of both together. */
export interface PackedObject {
  readonly id: ObjectId;
  readonly bytes: Uint8Array;
  readonly crc32: number;
}

export interface WrittenPack {
  /** The pack's trailer in hex; its files are `pack-<packId>.pack` and `.idx`, unless another base was asked for. */
  readonly packId: string;
  readonly objects: number;
  /** Size of the pack. */
  readonly bytes: number;
}

export interface PackWriterOptions {
  /** Compression level: 0 stores, 1 is fast, 9 is small. Default 1. */
  readonly level?: number;
  /** True for objects that need not be written because they are stored elsewhere. */
  readonly isStored?: (id: ObjectId) => boolean;
  /** What the files' names begin with, instead of 'pack' in the directory. */
  readonly base?: string;
  /** True makes a pack even of no objects at all. */
  readonly mayBeEmpty?: boolean;
  /** Version of the index; default 2. */
  readonly indexVersion?: 1 | 2;
  /** True writes a reverse index (.rev) beside the pack. */
  readonly hasReverseIndex?: boolean;
  /** What is made durable; default both. Whoever removes what the pack replaces leaves it at that. */
  readonly hardening?: Pick<Hardening, 'pack' | 'packMetadata'>;
  /** More files to be there when the pack can be read: suffixes and contents. */
  readonly companions?: (pack: WrittenPack) => ReadonlyMap<string, Buffer>;
  /** Called just before the pack can be read; `base` is its path without suffix. */
  readonly beforeVisible?: (pack: WrittenPack, base: string) => void;
  /** Told once the pack can be read. */
  readonly onVisible?: (pack: WrittenPack) => void;
  /** Starts computing the digest of a file elsewhere and returns a function that waits for it; default: computed here. */
  readonly startDigest?: (path: string, sizeBytes: number) => () => Buffer;
}

const headerBytes = 12;
const stageBytes = 1024 * 1024;
const typeNumbers: Readonly<Record<ObjectType, number>> = { commit: 1, tree: 2, blob: 3, tag: 4 };

const offsetDelta = 6;
const idDelta = 7;

/** The bytes before an object's compressed content in a pack: its type and size, seven bits at a time after the first four. */
export function encodeEntryHeader(type: ObjectType, sizeBytes: number): Buffer {
  return encodeKindAndSize(typeNumbers[type], sizeBytes);
}

/** The bytes before a compressed delta whose base begins `distance` bytes earlier in the same pack. */
export function encodeDeltaHeader(sizeBytes: number, distance: number): Buffer {
  const back = [distance % 128];
  for (let rest = Math.floor(distance / 128); rest > 0; rest = Math.floor(rest / 128)) {
    rest -= 1;
    back.unshift(0x80 | (rest % 128));
  }
  return Buffer.concat([encodeKindAndSize(offsetDelta, sizeBytes), Buffer.from(back)]);
}

/** The bytes before a compressed delta whose base is named by its id, and may be in another pack. */
export function encodeBaseIdHeader(sizeBytes: number, base: ObjectId): Buffer {
  return Buffer.concat([encodeKindAndSize(idDelta, sizeBytes), encodeObjectId(base)]);
}

function encodeKindAndSize(kind: number, sizeBytes: number): Buffer {
  const bytes: number[] = [];
  let byte = (kind << 4) | (sizeBytes % 16);
  let rest = Math.floor(sizeBytes / 16);
  while (rest > 0) {
    bytes.push(byte | 0x80);
    byte = rest % 128;
    rest = Math.floor(rest / 128);
  }
  bytes.push(byte);
  return Buffer.from(bytes);
}

export class PackWriter implements BulkWriter {
  readonly format: ObjectFormat;
  readonly #directory: string;
  readonly #options: PackWriterOptions;
  readonly #level: number;
  readonly #ids = new Set<ObjectId>();
  /** Of the objects in the order written: raw ids one behind the other, offsets, checksums. */
  #rawIds = Buffer.alloc(0);
  readonly #offsets: number[] = [];
  readonly #checksums: number[] = [];
  readonly #stage = Buffer.allocUnsafeSlow(stageBytes);
  #staged = 0;
  /** Bytes of the pack that were handed to the disk; the staged ones follow. */
  #written = 0;
  #temporary: string | undefined;
  /** Files to remove when it comes to nothing. */
  readonly #leftovers: string[] = [];
  #fd: number | undefined;
  /** For reading back what was written. */
  #readFd: number | undefined;
  /** While an entry is written in pieces, nothing else may get between them. */
  #isInEntry = false;
  #ended = false;

  /** Nothing is created before the first object; `directory` is the repository's objects/pack. */
  constructor(directory: string, format: ObjectFormat, options: PackWriterOptions = {}) {
    this.#directory = directory;
    this.format = format;
    this.#options = options;
    this.#level = options.level ?? 1;
  }

  /** How many objects are in the pack so far. */
  get count(): number { return this.#offsets.length; }

  /** Where the next entry will begin; a delta's distance to its base is counted from here. */
  get nextOffset(): number { return this.#fd === undefined && !this.#ended ? headerBytes : this.#written + this.#staged; }

  /** True when the object was added to this pack. */
  holds(id: ObjectId): boolean {
    return this.#ids.has(id);
  }

  /** True when this pack already holds the object, or `isStored` says so. */
  has(id: ObjectId): boolean {
    return this.#ids.has(id) || this.#options.isStored?.(id) === true;
  }

  /** Adds an object unless it is stored already. */
  add(type: ObjectType, bytes: Uint8Array): ObjectId {
    const id = hashObject(type, bytes, this.format);
    if (!this.has(id)) this.addCompressed({ id, type, sizeBytes: bytes.length, deflated: deflate(bytes, this.#level) });
    return id;
  }

  /** Adds an object whose content is already a zlib stream; the caller vouches that `id` names it. */
  addCompressed(entry: CompressedObject): void {
    if (this.has(entry.id)) return;
    this.#openBetweenEntries();
    const header = encodeEntryHeader(entry.type, entry.sizeBytes);
    this.#record(entry.id, this.#written + this.#staged, crc32(entry.deflated, crc32(header)));
    this.#append(header);
    this.#append(entry.deflated);
  }

  /** Adds a whole pack entry (header and zlib stream) made elsewhere; the caller vouches for all three. */
  addPacked(entry: PackedObject): void {
    if (this.has(entry.id)) return;
    this.#openBetweenEntries();
    this.#record(entry.id, this.#written + this.#staged, entry.crc32);
    this.#append(entry.bytes);
  }

  /** Adds an object of any size in constant memory; InvalidError when the chunks do not add up to `sizeBytes`. */
  addStream(type: ObjectType, sizeBytes: number, chunks: Iterable<Uint8Array>): ObjectId {
    const hasher = new Hasher(this.format);
    hasher.update(encodeObjectHeader(type, sizeBytes));
    const deflater = new Deflater(this.#level);
    const entry = this.beginEntry(type, sizeBytes);
    try {
      let seen = 0;
      for (const chunk of chunks) {
        seen += chunk.length;
        if (seen > sizeBytes) break;
        hasher.update(chunk);
        for (const piece of deflater.push(chunk)) entry.append(piece);
      }
      if (seen !== sizeBytes) {
        throw new InvalidError(`content is not ${sizeBytes} bytes long as announced`, { code: 'size-changed' });
      }
      for (const piece of deflater.finish()) entry.append(piece);
      const id = hasher.digestId();
      entry.end(id);
      return id;
    } finally {
      deflater.close();
      entry.cancel();
    }
  }

  /** Starts an entry whose zlib stream comes in pieces and whose id is known last; one at a time, nothing else in between. */
  beginEntry(type: ObjectType, sizeBytes: number): PackEntryWriter {
    this.#openBetweenEntries();
    this.#flush();
    this.#isInEntry = true;
    const start = this.#written;
    const header = encodeEntryHeader(type, sizeBytes);
    let checksum = crc32(header);
    let open = true;
    this.#append(header);
    const cancel = (): void => {
      if (!open) return;
      open = false;
      this.#isInEntry = false;
      this.#staged = 0;
      if (this.#written > start && this.#fd !== undefined) disk().truncate(this.#fd, start);
      this.#written = start;
    };
    return {
      append: (bytes) => {
        checksum = crc32(bytes, checksum);
        this.#append(bytes);
      },
      end: (id) => {
        if (this.has(id)) {
          cancel();
        } else {
          open = false;
          this.#isInEntry = false;
          this.#record(id, start, checksum);
        }
      },
      cancel,
    };
  }

  /** Bytes of complete entries, as they are in the pack so far. */
  readBack(offset: number, sizeBytes: number): Buffer {
    this.#openBetweenEntries();
    this.#flush();
    const bytes = Buffer.allocUnsafe(sizeBytes);
    const fd = this.#readFd ??= fs.openSync(this.#temporary!, 'r');
    for (let at = 0; at < sizeBytes;) {
      const got = fs.readSync(fd, bytes, at, sizeBytes - at, offset + at);
      if (got === 0) throw new Error(`the pack being written ends before byte ${offset + sizeBytes}`);
      at += got;
    }
    return bytes;
  }

  /** Makes the pack durable and visible; undefined when no object was added. Nothing can be added afterwards. */
  finish(): WrittenPack | undefined {
    if (this.#ended) throw new Error('this pack was finished before');
    if (this.#isInEntry) throw new Error('an entry of this pack is being written in pieces');
    if (this.#options.mayBeEmpty === true) this.#open();
    if (this.#fd === undefined || this.#temporary === undefined || (this.#offsets.length === 0 && this.#options.mayBeEmpty !== true)) {
      this.abort();
      return undefined;
    }
    try {
      const checksum = this.#seal(this.#fd, this.#temporary);
      this.#close();
      const packId = checksum.toString('hex');
      const base = `${this.#options.base ?? join(this.#directory, 'pack')}-${packId}`;
      const temporaryIndex = temporaryName(this.#directory, 'tmp_idx_');
      this.#leftovers.push(temporaryIndex);
      const entries = { ids: this.#rawIds, offsets: this.#offsets, crcs: this.#checksums, packChecksum: checksum };
      const index = encodePackIndex(entries, this.format, this.#options.indexVersion);
      this.#writeFile(temporaryIndex, index);
      // The same objects in the same order make the same pack; one that is there stays.
      if (!fs.existsSync(`${base}.idx`)) this.#leftovers.push(`${base}.pack`);
      const pack = { packId, objects: this.#offsets.length, bytes: this.#written };
      disk().rename(this.#temporary, `${base}.pack`);
      if (this.#options.hasReverseIndex === true) this.#writeCompanion(`${base}.rev`, this.#reverse(index, checksum));
      for (const [suffix, bytes] of this.#options.companions?.(pack) ?? []) this.#writeCompanion(`${base}.${suffix}`, bytes);
      this.#options.beforeVisible?.(pack, base);
      disk().rename(temporaryIndex, `${base}.idx`);
      this.#leftovers.length = 0;
      if (this.#hardening.pack || this.#hardening.packMetadata) disk().fsyncDirectory(this.#directory);
      this.#ended = true;
      this.#options.onVisible?.(pack);
      return pack;
    } catch (error) {
      this.abort();
      throw error;
    }
  }

  get #hardening(): Pick<Hardening, 'pack' | 'packMetadata'> { return this.#options.hardening ?? hardenEverything; }

  /** Forgets everything added; harmless after `finish`. */
  abort(): void {
    this.#ended = true;
    const leftovers = this.#leftovers.splice(0);
    for (const cleanUp of [() => this.#close(), ...leftovers.map((path) => () => removeIfPresent(path))]) {
      try {
        cleanUp();
      } catch (error) {
        // Files nobody sees that cannot be removed now are gc's to remove; what went wrong before matters more.
        if (!isSystemError(error)) throw error;
      }
    }
  }

  #close(): void {
    if (this.#readFd !== undefined) fs.closeSync(this.#readFd);
    this.#readFd = undefined;
    const fd = this.#fd;
    this.#fd = undefined;
    if (fd !== undefined) disk().close(fd);
  }

  [Symbol.dispose](): void {
    this.abort();
  }

  /** Writes the final object count and the trailer, durably; returns the trailer. */
  #seal(fd: number, path: string): Buffer {
    this.#flush();
    const count = Buffer.alloc(4);
    count.writeUInt32BE(this.#offsets.length);
    disk().write(fd, count, 8);
    // The digest covers the count, so it is computed from the file's (cached) pages once all is written; where that happens in
    // another thread, the disk writes the pages meanwhile.
    const digest = (this.#options.startDigest ?? startDigestHere(this.format))(path, this.#written);
    if (this.#hardening.pack) disk().fsync(fd);
    const checksum = digest();
    disk().write(fd, checksum, this.#written);
    this.#written += checksum.length;
    if (this.#hardening.pack) disk().fsync(fd);
    return checksum;
  }

  #record(id: ObjectId, offset: number, checksum: number): void {
    const size = rawSize(this.format);
    const at = this.#offsets.length * size;
    if (at + size > this.#rawIds.length) {
      const larger = Buffer.alloc(Math.max(256 * size, 2 * this.#rawIds.length));
      this.#rawIds.copy(larger);
      this.#rawIds = larger;
    }
    this.#rawIds.write(id, at, 'hex');
    this.#ids.add(id);
    this.#offsets.push(offset);
    this.#checksums.push(checksum);
  }

  #openBetweenEntries(): void {
    if (this.#isInEntry) throw new Error('an entry of this pack is being written in pieces');
    this.#open();
  }

  #open(): void {
    if (this.#ended) throw new Error('this pack was finished before');
    if (this.#fd !== undefined) return;
    makeDirectories(this.#directory, { durable: this.#hardening.pack });
    this.#temporary = temporaryName(this.#directory, 'tmp_pack_');
    this.#leftovers.push(this.#temporary);
    this.#fd = disk().open(this.#temporary, 'wx', 0o444);
    const header = Buffer.alloc(headerBytes);
    header.write('PACK', 'latin1');
    header.writeUInt32BE(2, 4);
    this.#append(header);
  }

  #append(bytes: Uint8Array): void {
    if (this.#staged + bytes.length > stageBytes) this.#flush();
    if (bytes.length >= stageBytes) {
      this.#write(bytes);
    } else {
      this.#stage.set(bytes, this.#staged);
      this.#staged += bytes.length;
    }
  }

  #flush(): void {
    if (this.#staged === 0) return;
    this.#write(this.#stage.subarray(0, this.#staged));
    this.#staged = 0;
  }

  #write(bytes: Uint8Array): void {
    if (this.#fd === undefined) throw new Error('this pack was finished before');
    disk().write(this.#fd, bytes, this.#written);
    this.#written += bytes.length;
  }

  #reverse(index: Buffer, checksum: Buffer): Buffer {
    return encodeReverseIndex(PackIndex.decode(index, this.format).positionsByOffset(), checksum, this.format);
  }

  #writeCompanion(path: string, bytes: Buffer): void {
    const temporary = temporaryName(this.#directory, 'tmp_');
    this.#leftovers.push(temporary);
    this.#writeFile(temporary, bytes);
    if (!fs.existsSync(path)) this.#leftovers.push(path);
    disk().rename(temporary, path);
  }

  #writeFile(path: string, bytes: Buffer): void {
    const fd = disk().open(path, 'wx', 0o444);
    try {
      disk().write(fd, bytes);
      if (this.#hardening.packMetadata) disk().fsync(fd);
    } finally {
      disk().close(fd);
    }
  }
}

/** An entry being written in pieces. Exactly one of `end` and `cancel` counts; `cancel` after `end` does nothing. */
export interface PackEntryWriter {
  append(bytes: Uint8Array): void;
  /** Completes the entry, or takes it back when the object is stored already. */
  end(id: ObjectId): void;
  cancel(): void;
}

/** The digest of the first `sizeBytes` of a file, in constant memory. */
export function digestFile(path: string, sizeBytes: number, format: ObjectFormat): Buffer {
  const hasher = new Hasher(format);
  const buffer = Buffer.allocUnsafe(Math.min(stageBytes, sizeBytes));
  const fd = fs.openSync(path, 'r');
  try {
    for (let at = 0; at < sizeBytes;) {
      const got = fs.readSync(fd, buffer, 0, Math.min(buffer.length, sizeBytes - at), at);
      if (got === 0) throw new Error(`'${path}' ended at ${at} of ${sizeBytes} bytes`);
      hasher.update(buffer.subarray(0, got));
      at += got;
    }
  } finally {
    fs.closeSync(fd);
  }
  return hasher.digestBytes();
}

function startDigestHere(format: ObjectFormat): (path: string, sizeBytes: number) => () => Buffer {
  return (path, sizeBytes) => {
    const checksum = digestFile(path, sizeBytes, format);
    return () => checksum;
  };
}
