// Loose objects: one zlib stream per file, "<type> <size>\0<content>", at objects/ab/cdef… (gitrepository-layout(5)).
//
// Invariant: a file under an object's name is complete and durable (private name, write, fsync, rename; the directory's own
// entry is made durable by `flush`, before any ref names the object). Between `hold` and `settle` files keep their private names,
// to be made durable together. What is read is given only if it hashes to its id.
// If the power fails: a tmp_obj_* file may remain; it is never read, and gc removes it.
import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { disk, removeIfPresent, syncTogether, temporaryName } from './disk.js';
import { CorruptError, InvalidError, asDamage, isSystemError } from './errors.js';
import { findFile, listDirectory } from './file-lookup.js';
import { isObjectType, mismatchError } from './object.js';
import type { GitObject, ObjectHeader, ObjectStream } from './object.js';
import { Hasher, encodeObjectHeader, hashFramed, hexSize } from './oid.js';
import type { ObjectFormat, ObjectId, ObjectType } from './oid.js';
import { Deflater, Inflater, deflate, inflate, inflatePrefix } from './zlib.js';

/** Where a loose object is. */
export interface LooseFile {
  readonly id: ObjectId;
  readonly path: string;
  readonly sizeBytes: number;
  readonly mtimeMs: number;
}

/** The longest header: "commit " and twenty digits. */
const longestHeaderBytes = 32;
const pieceBytes = 128 * 1024;
/** So many files are kept under private names at most, before those there are get their own. */
const mostHeld = 16_384;

/** The header at the start of inflated bytes; CorruptError unless it is exactly "<type> <decimal size>\0". */
export function decodeLooseHeader(bytes: Buffer): ObjectHeader & { readonly headerBytes: number } {
  const { type, sizeBytes, headerBytes } = decodeAnyHeader(bytes);
  if (!isObjectType(type)) throw new CorruptError(`loose object is of unknown type '${type}'`, { code: 'bad-loose-header' });
  return { type, sizeBytes, headerBytes };
}

function decodeAnyHeader(bytes: Buffer): { type: string; sizeBytes: number; headerBytes: number } {
  const nul = bytes.subarray(0, longestHeaderBytes).indexOf(0);
  const match = /^([\x21-\x7e]+) (0|[1-9][0-9]*)$/.exec(bytes.toString('latin1', 0, Math.max(0, nul)));
  const sizeBytes = Number(match?.[2]);
  if (!match || !Number.isSafeInteger(sizeBytes)) throw new CorruptError('loose object has no valid header', { code: 'bad-loose-header' });
  return { type: match[1]!, sizeBytes, headerBytes: nul + 1 };
}

/** The object in the bytes of a loose file, not yet compared with an id; CorruptError when header, size or stream are wrong. */
export function decodeLoose(file: Buffer): { object: GitObject; framed: Buffer } {
  const header = decodeLooseHeader(inflatePrefix(file, 0, longestHeaderBytes));
  const { bytes: framed, consumed } = inflate(file, 0, header.headerBytes + header.sizeBytes);
  if (consumed !== file.length) throw new CorruptError('loose object has bytes after its end', { code: 'bad-loose' });
  return { object: { type: header.type, bytes: framed.subarray(header.headerBytes) }, framed };
}

/**
 * True for the bytes of a good loose file that differ from what anybody writes in bits that inflating does not look at: those left over in
 * the last byte before the checksum, and after the head of a stored block. Only rot sets them.
 */
export function hasStrayBits(file: Buffer): boolean {
  // 00: a stored block, whose head is padded to a whole byte.
  if ((file[2]! & 0x06) === 0 && (file[2]! & 0xf8) !== 0) return true;
  const last = file.length - 5;
  const seen = Buffer.from(file);
  for (let bit = 0x80; bit > 1; bit >>= 1) {
    seen[last] = file[last]! ^ bit;
    if (!isWhole(seen)) return false;
    if ((file[last]! & bit) !== 0) return true;
  }
  return false;
}

function isWhole(file: Buffer): boolean {
  try {
    decodeLoose(file);
    return true;
  } catch (error) {
    if (error instanceof CorruptError) return false;
    throw error;
  }
}

/** The loose objects of one objects directory. */
export class LooseObjects {
  readonly directory: string;
  readonly #format: ObjectFormat;
  readonly #level: number;
  readonly #durable: boolean;
  /** Directories with new names that are not durable yet. */
  readonly #unflushed = new Set<string>();
  /** Files under private names, by what they will be, in the order they were written; undefined while none are held. */
  #held: Map<ObjectId, string> | undefined;

  constructor(directory: string, format: ObjectFormat, options: { readonly compression: number; readonly durable: boolean }) {
    this.directory = directory;
    this.#format = format;
    this.#level = options.compression;
    this.#durable = options.durable;
  }

  /** Where the object is or would be read; a held one under its private name. */
  path(id: ObjectId): string {
    return this.#held?.get(id) ?? this.#ownPath(id);
  }

  #ownPath(id: ObjectId): string {
    return `${this.directory}/${id.slice(0, 2)}/${id.slice(2)}`;
  }

  /** True when a file has the object's name; says nothing about its content. */
  has(id: ObjectId): boolean {
    return statSync(this.path(id), { throwIfNoEntry: false }) !== undefined;
  }

  /** The verified object; undefined when there is no file. */
  find(id: ObjectId): GitObject | undefined {
    const path = this.path(id);
    const file = named(path, () => findFile(path));
    if (file === undefined) return undefined;
    const { object, framed } = named(path, () => decodeLoose(file));
    if (hashFramed(framed, this.#format) !== id) throw mismatchError(id, path);
    return object;
  }

  /** Type and size as the header says; only the start of the file is read. */
  findHeader(id: ObjectId): ObjectHeader | undefined {
    return this.#readHeader(id, decodeLooseHeader);
  }

  /** Like findHeader, of whatever type the object says it is. */
  findAnyHeader(id: ObjectId): { readonly type: string; readonly sizeBytes: number } | undefined {
    return this.#readHeader(id, decodeAnyHeader);
  }

  #readHeader<Type>(id: ObjectId, decode: (bytes: Buffer) => { readonly type: Type; readonly sizeBytes: number }): { type: Type; sizeBytes: number } | undefined {
    const path = this.path(id);
    const fd = openIfPresent(path);
    if (fd === undefined) return undefined;
    try {
      const start = Buffer.allocUnsafe(256);
      const { type, sizeBytes } = named(path, () => {
        const length = readSync(fd, start, 0, start.length, 0);
        return decode(inflatePrefix(start.subarray(0, length), 0, longestHeaderBytes));
      });
      return { type, sizeBytes };
    } finally {
      closeSync(fd);
    }
  }

  /** The object in pieces, whatever its size; the iteration ends in CorruptError when it is not what its id says. */
  openStream(id: ObjectId): ObjectStream | undefined {
    const header = this.findHeader(id);
    if (header === undefined) return undefined;
    return { ...header, chunks: this.#chunks(id, header) };
  }

  *#chunks(id: ObjectId, header: ObjectHeader): Generator<Buffer> {
    const path = this.path(id);
    const fd = openSync(path, 'r');
    const inflater = new Inflater();
    try {
      const hasher = new Hasher(this.#format);
      const sizeBytes = fstatSync(fd).size;
      let skip = encodeObjectHeader(header.type, header.sizeBytes).length;
      let left = header.sizeBytes;
      let read = 0;
      const piece = Buffer.allocUnsafe(pieceBytes);
      while (!inflater.finished) {
        const length = readSync(fd, piece, 0, piece.length, null);
        if (length === 0) throw new CorruptError('loose object ends before its end', { code: 'bad-loose' });
        read += length;
        for (const inflated of inflater.push(piece.subarray(0, length))) {
          hasher.update(inflated);
          const content = inflated.subarray(Math.min(skip, inflated.length));
          skip -= inflated.length - content.length;
          left -= content.length;
          if (left < 0) throw new CorruptError('loose object holds more than it says', { code: 'bad-loose' });
          if (content.length > 0) yield content;
        }
      }
      if (left !== 0 || read !== sizeBytes || inflater.consumed !== read || hasher.digestId() !== id) throw mismatchError(id, path);
    } catch (error) {
      throw asNamed(path, error);
    } finally {
      inflater.close();
      closeSync(fd);
    }
  }

  /** Writes an object given with its header in front; replaces whatever has its name. */
  write(id: ObjectId, framed: Buffer): void {
    const deflated = deflate(framed, this.#level);
    this.#inFanOut(id, (directory) => {
      const temporary = temporaryName(directory, 'tmp_obj_');
      this.#fill(temporary, (fd) => disk().write(fd, deflated));
      this.#name(id, temporary);
    });
  }

  /** Gives a complete private file the object's name, or holds it. */
  #name(id: ObjectId, temporary: string): void {
    if (this.#held === undefined) return this.#appear(id, temporary);
    const former = this.#held.get(id);
    this.#held.set(id, temporary);
    if (former !== undefined) removeIfPresent(former);
    if (this.#held.size >= mostHeld) this.settle();
    return undefined;
  }

  #appear(id: ObjectId, temporary: string): void {
    orRemove(temporary, () => {
      if (dirname(temporary) === this.directory) this.#inFanOut(id, () => disk().rename(temporary, this.#ownPath(id)));
      else disk().rename(temporary, this.#ownPath(id));
    });
  }

  /** True while what is written keeps private names. */
  get isHolding(): boolean { return this.#held !== undefined; }

  /** From now on files keep private names, and nobody else sees them, until `settle`: one flush for many costs little more than for one. */
  hold(): void {
    this.#held ??= new Map();
  }

  /** Makes what is held durable, all at once, and then gives each file its name in the order they were written. */
  settle(): void {
    const held = this.#held;
    if (held === undefined || held.size === 0) return;
    this.#held = new Map();
    const left = new Map(held);
    try {
      if (this.#durable) syncTogether(this.directory, [...held.values()], []);
      for (const [id, temporary] of held) {
        this.#appear(id, temporary);
        left.delete(id);
      }
    } finally {
      for (const temporary of left.values()) removeIfPresent(temporary);
    }
  }

  /** Ends what `hold` began; what is still held is dropped. */
  release(): void {
    const held = this.#held;
    this.#held = undefined;
    for (const temporary of held?.values() ?? []) removeIfPresent(temporary);
  }

  /** Writes an object of any size in constant memory; returns its id. InvalidError when the chunks are not `sizeBytes` long. */
  writeStream(type: ObjectType, sizeBytes: number, chunks: Iterable<Buffer>): ObjectId {
    const hasher = new Hasher(this.#format);
    const header = encodeObjectHeader(type, sizeBytes);
    const temporary = temporaryName(this.directory, 'tmp_obj_');
    this.#fill(temporary, (fd) => {
      const deflater = new Deflater(this.#level);
      const append = (bytes: Buffer): void => {
        hasher.update(bytes);
        for (const piece of deflater.push(bytes)) disk().write(fd, piece);
      };
      try {
        let total = 0;
        append(header);
        for (const chunk of chunks) {
          total += chunk.length;
          if (total > sizeBytes) break;
          append(chunk);
        }
        if (total !== sizeBytes) throw new InvalidError(`content is not the ${sizeBytes} bytes it was said to be`, { code: 'size-changed' });
        for (const piece of deflater.finish()) disk().write(fd, piece);
      } finally {
        deflater.close();
      }
    });
    const id = hasher.digestId();
    this.#name(id, temporary);
    return id;
  }

  /** Like writeStream, for content whose size is not known before its end: it is kept in a private file meanwhile. */
  writeUnsized(type: ObjectType, chunks: Iterable<Buffer>): ObjectId {
    const spool = temporaryName(this.directory, 'tmp_obj_');
    const fd = disk().open(spool, 'wx', 0o600);
    try {
      let sizeBytes = 0;
      try {
        for (const chunk of chunks) {
          disk().write(fd, chunk);
          sizeBytes += chunk.length;
        }
      } finally {
        disk().close(fd);
      }
      return this.writeStream(type, sizeBytes, readPieces(spool));
    } finally {
      removeIfPresent(spool);
    }
  }

  /** A new private file, complete and (unless held) durable; gone again when `write` fails. */
  #fill(temporary: string, write: (fd: number) => void): void {
    const fd = disk().open(temporary, 'wx', 0o444);
    orRemove(temporary, () => {
      try {
        write(fd);
        if (this.#durable && this.#held === undefined) disk().fsync(fd);
      } finally {
        disk().close(fd);
      }
    });
  }

  /** Does `action` with the object's fan-out directory there, again when a concurrent gc removes the empty directory under it. */
  #inFanOut(id: ObjectId, action: (directory: string) => void): void {
    const directory = `${this.directory}/${id.slice(0, 2)}`;
    for (let attempt = 1; ; attempt += 1) {
      try {
        // One that this process used is nearly always there still.
        if (attempt > 1 || !this.#unflushed.has(directory)) {
          disk().mkdir(directory);
          this.#unflushed.add(this.directory);
        }
      } catch (error) {
        if (!isSystemError(error, 'EEXIST')) throw error;
      }
      try {
        action(directory);
        this.#unflushed.add(directory);
        return;
      } catch (error) {
        if (attempt === 5 || !isSystemError(error, 'ENOENT')) throw error;
      }
    }
  }

  /** Makes the names written so far durable, held ones too, and those in `more` directories. */
  flush(more: Iterable<string> = []): void {
    this.settle();
    for (const directory of new Set([...this.#unflushed, ...more])) {
      try {
        if (this.#durable) disk().fsyncDirectory(directory);
      } catch (error) {
        // A fan-out directory that gc emptied and removed has no names left to lose.
        if (!isSystemError(error, 'ENOENT')) throw error;
      }
      this.#unflushed.delete(directory);
    }
  }

  /** Removes a file; false when it was not there. */
  remove(id: ObjectId): boolean {
    return removeIfPresent(this.path(id));
  }

  /** Ids in fan-out directory `prefix` (two digits), ascending. */
  listFanOut(prefix: string): ObjectId[] {
    const rest = hexSize(this.#format) - 2;
    const names = listDirectory(`${this.directory}/${prefix}`).filter((name) => name.length === rest && /^[0-9a-f]+$/.test(name));
    return names.sort().map((name) => (prefix + name) as ObjectId);
  }

  /** Every loose file, ascending by id. */
  *list(): Generator<LooseFile> {
    for (let byte = 0; byte < 256; byte += 1) {
      for (const id of this.listFanOut(byte.toString(16).padStart(2, '0'))) {
        const path = this.path(id);
        const stat = statSync(path, { throwIfNoEntry: false });
        if (stat) yield { id, path, sizeBytes: stat.size, mtimeMs: stat.mtimeMs };
      }
    }
  }
}

/** Does it; when that fails, the private file goes. */
function orRemove(temporary: string, action: () => void): void {
  try {
    action();
  } catch (error) {
    removeIfPresent(temporary);
    throw error;
  }
}

function* readPieces(path: string): Generator<Buffer> {
  const fd = openSync(path, 'r');
  try {
    for (;;) {
      const piece = Buffer.allocUnsafe(pieceBytes);
      const length = readSync(fd, piece, 0, piece.length, null);
      if (length === 0) return;
      yield piece.subarray(0, length);
    }
  } finally {
    closeSync(fd);
  }
}

function openIfPresent(path: string): number | undefined {
  try {
    return openSync(path, 'r');
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

/** What `decode` gives; damage found in it is said with the file's name. */
function named<Value>(path: string, decode: () => Value): Value {
  try {
    return decode();
  } catch (error) {
    throw asNamed(path, error);
  }
}

/** An error of a decoder with the file's name in it; any other as it is. */
function asNamed(path: string, thrown: unknown): unknown {
  const error = asDamage(thrown);
  if (!(error instanceof CorruptError) || error.message.includes(path)) return error;
  return new CorruptError(`'${path}': ${error.message}`, {
    code: error.code, cause: error, hint: 'run cairn fsck; write the object again from its source to heal it',
  });
}
