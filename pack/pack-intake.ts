// Taking in a pack that has no index: from a file that stays where it is, or from a stream that is stored while it is read
// (git-index-pack(1)). A thin pack is completed with the bases it lacks.
//
// Invariant: the whole pack was read and checked, and all files are durable, before the first of them gets its name; the index gets its
// name last, since that is what makes a pack visible. Leaving the scope of a `using` before `place` leaves nothing behind.
// If the power fails: private tmp_* files, or a pack without an index, both invisible; gc removes them.
import * as fs from 'node:fs';
import { dirname } from 'node:path';
import { disk, makeDirectories, removeIfPresent, temporaryName } from './disk.js';
import { CorruptError, RefusedError, isSystemError } from './errors.js';
import { type Hardening, hardenEverything } from './hardening.js';
import type { GitObject } from './object.js';
import { rawSize } from './oid.js';
import type { ObjectFormat, ObjectId } from './oid.js';
import { PackIndex } from './pack-index.js';
import { PackIndexer } from './pack-indexer.js';
import type { AddedBase, IndexedObject } from './pack-indexer.js';
import { PackStream } from './pack-stream.js';
import { digestFile, encodeEntryHeader } from './pack-writer.js';
import { encodeReverseIndex } from './reverse-index.js';
import { crc32, deflate } from './zlib.js';

export interface PackIntakeOptions {
  readonly onObject?: (object: IndexedObject) => void;
  /** Where a thin pack's missing bases are found; without it such a pack is refused. */
  readonly findBase?: (id: ObjectId) => GitObject | undefined;
  /** See PackIndexerOptions. */
  readonly isUntrusted?: boolean;
  /** What is wrong with the pack is told here instead of being thrown; what came before it can be had. */
  readonly onDamage?: (error: CorruptError) => void;
  /** See PackIndexerOptions. */
  readonly keptBytes?: number;
  /** More than this is refused while it is read. */
  readonly mostBytes?: number;
  /** Compression level of bases that complete a thin pack. */
  readonly level?: number;
  /** Where in a file the pack begins, when that is read where it lies; it ends where the file does. */
  readonly startsAt?: number;
  /** What is made durable when it gets its name; default both. */
  readonly hardening?: Pick<Hardening, 'pack' | 'packMetadata'>;
}

/** Names and contents of the files that make the pack one. */
export interface PackPlace {
  /** Path without suffix: of the pack and, unless said otherwise, of what belongs to it. */
  readonly base: string;
  readonly packPath?: string;
  readonly indexPath?: string;
  readonly indexVersion?: 1 | 2;
  readonly largeAbove?: number;
  readonly reverseIndex?: boolean;
  /** Content of the .keep file; undefined: there will be none. */
  readonly keep?: string;
  readonly promisor?: string;
}

const pieceBytes = 1024 * 1024;

/** Does all the steps. */
function runThrough<Result>(steps: Generator<void, Result>): Result {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** The content of an open file from `at` on, in one buffer that is used over and over. */
function* readPieces(fd: number, at: number): Generator<Buffer> {
  const piece = Buffer.allocUnsafeSlow(pieceBytes);
  for (;;) {
    const got = fs.readSync(fd, piece, 0, pieceBytes, at);
    if (got === 0) return;
    at += got;
    yield piece.subarray(0, got);
  }
}

export class PackIntake {
  readonly indexer: PackIndexer;
  readonly #format: ObjectFormat;
  readonly #path: string;
  /** The pack is ours: stored under a private name, to be renamed. */
  readonly #isReceived: boolean;
  readonly #options: PackIntakeOptions;
  #fd: number | undefined;
  readonly #leftovers: string[] = [];
  #written = 0;
  #checksum: Buffer = Buffer.alloc(0);
  /** What the source gave together with the pack's end, but lies behind it. */
  rest: Buffer = Buffer.alloc(0);

  private constructor(path: string, fd: number, isReceived: boolean, format: ObjectFormat, options: PackIntakeOptions) {
    this.#path = path;
    this.#fd = fd;
    this.#isReceived = isReceived;
    this.#format = format;
    this.#options = options;
    const { onObject, findBase, isUntrusted = false, keptBytes } = options;
    this.indexer = new PackIndexer(format, {
      readAgain: (offset, lengthBytes) => this.#readAgain(offset, lengthBytes),
      isUntrusted,
      ...(onObject === undefined ? {} : { onObject }),
      ...(keptBytes === undefined ? {} : { keptBytes }),
      ...(findBase === undefined ? {} : { addBase: (id) => this.#addBase(id, findBase) }),
    });
  }

  /** Reads and checks a pack where it lies; CorruptError or RefusedError when it cannot be taken. */
  static readFile(path: string, format: ObjectFormat, options: PackIntakeOptions = {}): PackIntake {
    return runThrough(PackIntake.readingFile(path, format, options));
  }

  /** The same in steps. */
  static *readingFile(path: string, format: ObjectFormat, options: PackIntakeOptions = {}): Generator<void, PackIntake> {
    const intake = new PackIntake(path, fs.openSync(path, 'r'), false, format, options);
    return yield* intake.#guarded(() => new PackStream(intake.#counted(readPieces(intake.#fd!, options.startsAt ?? 0)), format));
  }

  /** Stores a pack privately in `directory` while reading and checking it. */
  static receive(chunks: Iterable<Uint8Array>, directory: string, format: ObjectFormat, options: PackIntakeOptions = {}): PackIntake {
    return runThrough(PackIntake.receiving(chunks, directory, format, options));
  }

  /** The same in steps. */
  static *receiving(chunks: Iterable<Uint8Array>, directory: string, format: ObjectFormat, options: PackIntakeOptions = {}): Generator<void, PackIntake> {
    makeDirectories(directory, { durable: options.hardening?.pack ?? true });
    const path = temporaryName(directory, 'tmp_pack_');
    const fd = disk().open(path, 'wx+', 0o444);
    const intake = new PackIntake(path, fd, true, format, options);
    intake.#leftovers.push(path);
    const onBytes = (bytes: Buffer): void => intake.#append(bytes);
    return yield* intake.#guarded(() => new PackStream(intake.#counted(chunks), format, { onBytes, mayGoOn: true }));
  }

  /** Reads it all; lets everything go when that fails, or is given up. */
  *#guarded(open: () => PackStream): Generator<void, PackIntake> {
    let isRead = false;
    try {
      yield* this.#read(open());
      isRead = true;
      return this;
    } finally {
      if (!isRead) this.close();
    }
  }

  /** The pack's trailer, which its name is made of. */
  get checksum(): Buffer { return this.#checksum; }

  *#counted(chunks: Iterable<Uint8Array>): Generator<Uint8Array> {
    const { mostBytes } = this.#options;
    let seen = 0;
    for (const chunk of chunks) {
      seen += chunk.length;
      if (mostBytes !== undefined && seen > mostBytes) {
        throw new RefusedError(`the pack is larger than ${mostBytes} bytes`, { code: 'pack-too-large' });
      }
      yield chunk;
    }
  }

  *#read(stream: PackStream): Generator<void> {
    const { indexer } = this;
    try {
      yield* indexer.reading(stream);
    } catch (error) {
      const { onDamage } = this.#options;
      if (onDamage === undefined || !(error instanceof CorruptError)) throw error;
      onDamage(error);
      return;
    }
    this.rest = Buffer.from(stream.rest);
    this.#checksum = stream.checksum;
    const { unresolved } = indexer;
    if (unresolved > 0) throw new CorruptError(`pack is damaged: ${unresolved} deltas have no base`, { code: 'bad-pack' });
    if (indexer.count > stream.objectCount) this.#sealAnew();
  }

  #append(bytes: Uint8Array): void {
    disk().write(this.#fd!, bytes, this.#written);
    this.#written += bytes.length;
  }

  #readAgain(offset: number, lengthBytes: number): Buffer {
    const bytes = Buffer.allocUnsafe(lengthBytes);
    for (let done = 0; done < lengthBytes;) {
      const got = fs.readSync(this.#fd!, bytes, done, lengthBytes - done, (this.#options.startsAt ?? 0) + offset + done);
      if (got === 0) throw new CorruptError(`'${this.#path}' was cut short meanwhile`, { code: 'bad-pack' });
      done += got;
    }
    return bytes;
  }

  #addBase(id: ObjectId, findBase: (id: ObjectId) => GitObject | undefined): AddedBase | undefined {
    const object = findBase(id);
    if (object === undefined) return undefined;
    // The first one takes the place of the trailer.
    if (!this.#hasAdded) this.#written -= rawSize(this.#format);
    this.#hasAdded = true;
    const header = encodeEntryHeader(object.type, object.bytes.length);
    const offset = this.#written;
    const deflated = deflate(object.bytes, this.#options.level ?? 6);
    this.#append(header);
    this.#append(deflated);
    return { object, offset, dataOffset: offset + header.length, end: this.#written, crc32: crc32(deflated, crc32(header)) };
  }

  #hasAdded = false;

  /** Gives a completed pack its new count and trailer. */
  #sealAnew(): void {
    const fd = this.#fd!;
    const count = Buffer.alloc(4);
    count.writeUInt32BE(this.indexer.count);
    disk().write(fd, count, 8);
    this.#checksum = digestFile(this.#path, this.#written, this.#format);
    this.#append(this.#checksum);
    disk().truncate(fd, this.#written);
  }

  /** True when an existing index, and a reverse index where one is given, say exactly what the pack holds. */
  matches(index: Buffer, reverse?: Buffer): boolean {
    const { indexer } = this;
    const encoded = indexer.encodeIndex(this.#checksum);
    if (reverse === undefined && encoded.equals(index)) return true;
    const decoded = PackIndex.decode(index, this.#format);
    if (!decoded.hasValidChecksum() || decoded.count !== indexer.count || !decoded.packChecksum.equals(this.#checksum)) return false;
    const own = PackIndex.decode(encoded, this.#format);
    for (let position = 0; position < own.count; position += 1) {
      if (!own.rawIdAt(position).equals(decoded.rawIdAt(position)) || own.offsetAt(position) !== decoded.offsetAt(position)) return false;
      const crc = decoded.crcAt(position);
      if (crc !== undefined && crc !== own.crcAt(position)) return false;
    }
    return reverse === undefined || reverse.equals(encodeReverseIndex(own.positionsByOffset(), this.#checksum, this.#format));
  }

  /** Gives everything its name, durably; returns whether a .keep file was made, which one that is there already prevents. */
  place(place: PackPlace): { readonly kept: boolean } {
    const index = this.indexer.encodeIndex(this.#checksum, place.indexVersion, place.largeAbove);
    const indexPath = place.indexPath ?? `${place.base}.idx`;
    const reversePath = indexPath.replace(/(\.idx)?$/, '.rev');
    const temporaryIndex = this.#writePrivately(dirname(indexPath), 'tmp_idx_', index);
    const temporaryReverse = place.reverseIndex
      ? this.#writePrivately(dirname(reversePath), 'tmp_rev_', encodeReverseIndex(PackIndex.decode(index, this.#format).positionsByOffset(), this.#checksum, this.#format))
      : undefined;
    const { pack: hardPack, packMetadata: hardMetadata } = this.#hardening;
    if (this.#isReceived && hardPack) disk().fsync(this.#fd!);
    const kept = place.keep !== undefined && this.#writeNote(`${place.base}.keep`, place.keep);
    if (place.promisor !== undefined) this.#writeNote(`${place.base}.promisor`, place.promisor);
    if (this.#isReceived) disk().rename(this.#path, place.packPath ?? `${place.base}.pack`);
    if (temporaryReverse !== undefined) disk().rename(temporaryReverse, reversePath);
    disk().rename(temporaryIndex, indexPath);
    this.#leftovers.length = 0;
    const directories = new Set([...(hardPack || hardMetadata ? [dirname(place.base), dirname(place.packPath ?? place.base)] : []), ...(hardMetadata ? [dirname(indexPath)] : [])]);
    for (const directory of directories) disk().fsyncDirectory(directory);
    return { kept };
  }

  get #hardening(): Pick<Hardening, 'pack' | 'packMetadata'> { return this.#options.hardening ?? hardenEverything; }

  #writePrivately(directory: string, prefix: string, bytes: Buffer): string {
    const path = temporaryName(directory, prefix);
    this.#writeNew(path, bytes, 0o444);
    return path;
  }

  /** False when there is one already. */
  #writeNote(path: string, text: string): boolean {
    try {
      this.#writeNew(path, Buffer.from(text === '' ? '' : `${text}\n`), 0o600);
      return true;
    } catch (error) {
      if (isSystemError(error, 'EEXIST')) return false;
      throw error;
    }
  }

  #writeNew(path: string, bytes: Buffer, mode: number): void {
    const fd = disk().open(path, 'wx', mode);
    this.#leftovers.push(path);
    try {
      disk().write(fd, bytes);
      if (this.#hardening.packMetadata) disk().fsync(fd);
    } finally {
      disk().close(fd);
    }
  }

  /** Lets the file go and, unless it was placed, removes what was stored. */
  close(): void {
    const fd = this.#fd;
    this.#fd = undefined;
    if (fd !== undefined) {
      if (this.#isReceived) disk().close(fd);
      else fs.closeSync(fd);
    }
    for (const path of this.#leftovers.splice(0)) {
      try {
        removeIfPresent(path);
      } catch (error) {
        // Files nobody sees that cannot be removed now are gc's to remove; what went wrong before matters more.
        if (!isSystemError(error)) throw error;
      }
    }
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
