// Writing one file of a snapshot below a new, private directory, reading it back and hashing it; and the same look at files that are
// there already. A file is created exclusively, so nothing is ever written through a symbolic link or over another file.
//
// What a pack gives is not verified before it is written, for what is read back from the disk is; if that is wrong, the object is read again,
// verified, so that the error names what is to blame. Runs in the main thread and in release-worker.ts alike. If the power fails, what was written is below a 'tmp-…' directory.
import * as fs from 'node:fs';
import { type DiskPath, disk } from '../pack/disk.js';
import { CorruptError, InvalidError, isSystemError } from '../pack/errors.js';
import { streamThresholdBytes } from '../pack/object.js';
import type { ObjectStore } from '../pack/object-store.js';
import type { PackCursor } from '../pack/pack-cursor.js';
import { Hasher, type ObjectFormat, type ObjectId, encodeObjectHeader, hashFramed, hashObject } from '../pack/oid.js';
import { type RepoPath, executableMode, pathToUtf8, symlinkMode } from '../pack/tree.js';
import type { TreeFile } from './tree-listing.js';

const ascii = /^[\x00-\x7f]*$/;

/** Paths below `root` as the disk takes them: bytes unless plain ASCII. */
export function pathBelow(root: string): (path: string) => DiskPath {
  const prefix = Buffer.from(`${root}/`);
  return (path) => ascii.test(path) ? `${root}/${path}` : Buffer.concat([prefix, Buffer.from(path, 'latin1')]);
}

/** Writes files and symbolic links of a snapshot below one directory. */
export class FileWriter {
  readonly #store: ObjectStore;
  readonly #cursor: PackCursor | undefined;
  readonly path: (path: string) => DiskPath;

  constructor(store: ObjectStore, root: string) {
    this.#store = store;
    this.#cursor = store.hasReplacements ? undefined : store.openCursor();
    this.path = pathBelow(root);
  }

  /** Writes a regular file, whose directory exists, and reads it back; CorruptError names what is not as its id says. */
  write(file: TreeFile): Hashed {
    return this.#writeFromPack(file) ?? this.#writeVerified(file);
  }

  /** Undefined, and nothing left, when the object is in no pack, too large, no blob, or not what it should be. */
  #writeFromPack({ path, mode, id }: TreeFile): Hashed | undefined {
    const cursor = this.#cursor;
    if (cursor === undefined || !cursor.findId(id) || cursor.pack === undefined || !cursor.readUnverified() || cursor.kind !== blobKind) return undefined;
    const { memory, start, end } = cursor;
    const sizeBytes = end - start;
    const full = this.path(path);
    const fd = exclusively(path, () => disk().open(full, 'wx+', creationMode(mode)));
    try {
      if (sizeBytes > 0) disk().write(fd, memory.subarray(start, end));
      memory.fill(0, start, end);
      let done = 0;
      for (let count; done < sizeBytes && (count = fs.readSync(fd, memory, start + done, sizeBytes - done, done)) > 0;) done += count;
      const status = fs.fstatSync(fd);
      if (done === sizeBytes && status.size === sizeBytes && status.isFile() && cursor.holdsObject) return { id, status };
    } finally {
      disk().close(fd);
    }
    disk().unlink(full);
    return undefined;
  }

  #writeVerified(file: TreeFile): Hashed {
    const { path, mode, id } = file;
    const header = this.#store.readHeader(id);
    if (header.type !== 'blob') throw notAFile(file, header.type);
    const chunks = header.sizeBytes >= streamThresholdBytes ? this.#store.openStream(id).chunks : [this.#store.read(id).bytes];
    const fd = exclusively(path, () => disk().open(this.path(path), 'wx+', creationMode(mode)));
    try {
      for (const chunk of chunks) if (chunk.length > 0) disk().write(fd, chunk);
      return requireId(file, hashDescriptor(fd, this.#store.format));
    } finally {
      disk().close(fd);
    }
  }

  writeLink(file: TreeFile): Hashed {
    const { path, id } = file;
    const { type, bytes } = this.#store.read(id);
    if (type !== 'blob') throw notAFile(file, type);
    if (bytes.length === 0 || bytes.includes(0)) {
      throw new CorruptError(`object '${id}' cannot be the target of the symbolic link '${pathToUtf8(path)}'`, { code: 'bad-tree' });
    }
    exclusively(path, () => disk().symlink(bytes, this.path(path)));
    return requireId(file, hashLinkAt(this.path(path), this.#store.format));
  }
}

const blobKind = 3;

/** Before the umask. */
function creationMode(mode: number): number {
  return mode === executableMode ? 0o777 : 0o666;
}

/** What exists already was made by this very tree: names the file system cannot tell apart. */
export function exclusively<Result>(path: RepoPath, make: () => Result): Result {
  try {
    return make();
  } catch (error) {
    if (!isSystemError(error, 'EEXIST')) throw error;
    throw new InvalidError(`path '${pathToUtf8(path)}' cannot be told from another one of the same tree on this file system`, { code: 'path-collision' });
  }
}

function requireId({ path, id }: TreeFile, found: Hashed | undefined): Hashed {
  if (found?.id === id) return found;
  throw new CorruptError(`'${pathToUtf8(path)}' was written but does not read back as object '${id}'`, {
    code: 'readback-mismatch', hint: 'check the disk; nothing was published',
  });
}

function notAFile({ path, id }: TreeFile, type: string): CorruptError {
  return new CorruptError(`object '${id}' cannot be the content of '${pathToUtf8(path)}' (it is a ${type})`, { code: 'bad-tree' });
}

/** What a file's bytes hash to, and its status at that moment. */
export interface Hashed {
  readonly id: ObjectId;
  readonly status: fs.Stats;
}

let readBuffer: Buffer | undefined;
const readBufferBytes = 1024 * 1024;
const headRoomBytes = 32;

/** The id of a regular file's bytes, read anew; undefined when it is not one. Constant memory. */
export function hashFileAt(path: DiskPath, format: ObjectFormat): Hashed | undefined {
  let fd: number;
  try {
    fd = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK);
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ELOOP', 'ENOTDIR', 'ENXIO')) return undefined;
    throw error;
  }
  try {
    return hashDescriptor(fd, format);
  } finally {
    fs.closeSync(fd);
  }
}

/** The same for an open file, whatever its position. */
function hashDescriptor(fd: number, format: ObjectFormat): Hashed | undefined {
  const status = fs.fstatSync(fd);
  if (!status.isFile()) return undefined;
  const sizeBytes = status.size;
  readBuffer ??= Buffer.allocUnsafeSlow(headRoomBytes + readBufferBytes);
  const header = encodeObjectHeader('blob', sizeBytes);
  if (sizeBytes < readBufferBytes) {
    const start = headRoomBytes - header.length;
    header.copy(readBuffer, start);
    // Asking for one byte more tells a file that grew meanwhile.
    let done = 0;
    for (let count; done <= sizeBytes && (count = fs.readSync(fd, readBuffer, headRoomBytes + done, sizeBytes + 1 - done, done)) > 0;) {
      done += count;
      if (done === sizeBytes) break;
    }
    return done === sizeBytes ? { id: hashFramed(readBuffer.subarray(start, headRoomBytes + sizeBytes), format), status } : undefined;
  }
  const hasher = new Hasher(format);
  hasher.update(header);
  let done = 0;
  for (let count; (count = fs.readSync(fd, readBuffer, 0, readBuffer.length, done)) > 0; done += count) hasher.update(readBuffer.subarray(0, count));
  return done === sizeBytes ? { id: hasher.digestId(), status } : undefined;
}

/** The id of what a symbolic link says; undefined when it is none. */
export function hashLinkAt(path: DiskPath, format: ObjectFormat): Hashed | undefined {
  const status = findStatus(path);
  if (status?.isSymbolicLink() !== true) return undefined;
  return { id: hashObject('blob', fs.readlinkSync(path, { encoding: 'buffer' }), format), status };
}

/** Links not followed; undefined when nothing is there. */
export function findStatus(path: DiskPath): fs.Stats | undefined {
  try {
    return fs.lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if (isSystemError(error, 'ENOTDIR', 'ELOOP')) return undefined;
    throw error;
  }
}

/** True when a file is of the kind its mode says, and executable when it should be. */
export function hasMode(status: fs.Stats, mode: number): boolean {
  if (mode === symlinkMode) return status.isSymbolicLink();
  return status.isFile() && ((status.mode & 0o100) !== 0) === (mode === executableMode);
}
