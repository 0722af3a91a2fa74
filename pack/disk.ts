// The only file that changes a file system or makes a change durable. Everything else reads with node:fs and writes through
// `disk()`, so that a test can put a simulated disk in its place, cut the power after every step and look at what is left.
//
// Invariants kept by the helpers below: a file that appears under its final name is complete and durable (write to a private
// name, fsync, rename, fsync the directory); a failed write leaves nothing behind under the final name.
// If the power fails: a private `tmp_*` file may remain; it is never read, and gc removes it.
import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import { isSystemError } from './errors.js';
import { lazyModule } from './lazy-module.js';

const crypto = lazyModule<typeof import('node:crypto')>('node:crypto');
const childProcess = lazyModule<typeof import('node:child_process')>('node:child_process');
const extra = lazyModule<typeof import('fs-extra')>('fs-extra');

/** Paths are strings, or bytes where a work tree's file name is not UTF-8. */
export type DiskPath = string | Buffer;

/** One primitive change each; every method throws the operating system's error. Synchronous on purpose (see man/cairn-architecture.7). */
export interface Disk {
  /** Opens for writing. 'wx' creates exclusively, 'a' appends ('wx+', 'a+': to be read, too), 'r+' changes in place. Returns a file descriptor. */
  open(path: DiskPath, flags: 'wx' | 'wx+' | 'a' | 'a+' | 'r+' | 'w', mode: number): number;
  /** Writes all of `bytes` (at `position`, else at the current one). */
  write(fd: number, bytes: Uint8Array, position?: number): void;
  truncate(fd: number, sizeBytes: number): void;
  fsync(fd: number): void;
  close(fd: number): void;
  /** Makes the names in a directory durable. */
  fsyncDirectory(path: DiskPath): void;
  rename(from: DiskPath, to: DiskPath): void;
  link(existing: DiskPath, path: DiskPath): void;
  unlink(path: DiskPath): void;
  mkdir(path: DiskPath, mode?: number): void;
  rmdir(path: DiskPath): void;
  symlink(target: DiskPath, path: DiskPath): void;
  chmod(path: DiskPath, mode: number): void;
  /** Times in milliseconds since 1970. */
  utimes(path: DiskPath, atimeMs: number, mtimeMs: number): void;
  /** Copies a file by copy-on-write where the file system can, else byte by byte; `to` must not exist. */
  cloneFile(from: DiskPath, to: DiskPath): void;
  /** Removes a directory and everything in it; missing is fine. Only for what this program made itself. */
  removeTree(path: string): void;
}

/** What is open for writing: the system names no file when a write fails. */
const openPaths = new Map<number, DiskPath>();

/** `error`, with the file it happened to in its message. */
function namingFile(error: unknown, fd: number, path = openPaths.get(fd)): unknown {
  if (path !== undefined && error instanceof Error && !('path' in error)) {
    error.message += ` '${path.toString()}'`;
    Object.assign(error, { path: path.toString() });
  }
  return error;
}

export const realDisk: Disk = {
  open(path, flags, mode) {
    const fd = fs.openSync(path, flags, mode);
    openPaths.set(fd, path);
    return fd;
  },
  write(fd, bytes, position) {
    let done = 0;
    try {
      while (done < bytes.length) {
        done += fs.writeSync(fd, bytes, done, bytes.length - done, position === undefined ? null : position + done);
      }
    } catch (error) {
      throw namingFile(error, fd);
    }
  },
  truncate(fd, sizeBytes) {
    try {
      fs.ftruncateSync(fd, sizeBytes);
    } catch (error) {
      throw namingFile(error, fd);
    }
  },
  fsync(fd) {
    try {
      fs.fsyncSync(fd);
    } catch (error) {
      throw namingFile(error, fd);
    }
  },
  close(fd) {
    openPaths.delete(fd);
    fs.closeSync(fd);
  },
  fsyncDirectory(path) {
    const fd = fs.openSync(path, 'r');
    try {
      fs.fsyncSync(fd);
    } catch (error) {
      // Some file systems cannot fsync a directory and say so; nothing more can be done there.
      if (!isSystemError(error, 'EINVAL', 'ENOTSUP', 'EISDIR')) throw namingFile(error, fd, path);
    } finally {
      fs.closeSync(fd);
    }
  },
  rename: (from, to) => fs.renameSync(from, to),
  link: (existing, path) => fs.linkSync(existing, path),
  unlink: (path) => fs.unlinkSync(path),
  mkdir: (path, mode) => { fs.mkdirSync(path, mode); },
  rmdir: (path) => fs.rmdirSync(path),
  symlink: (target, path) => fs.symlinkSync(target, path),
  chmod: (path, mode) => fs.chmodSync(path, mode),
  utimes: (path, atimeMs, mtimeMs) => fs.utimesSync(path, atimeMs / 1000, mtimeMs / 1000),
  cloneFile: (from, to) => fs.copyFileSync(from, to, fs.constants.COPYFILE_EXCL | fs.constants.COPYFILE_FICLONE),
  removeTree: (path) => extra().removeSync(path),
};

let current: Disk = realDisk;

/** The disk everything writes to. */
export function disk(): Disk {
  return current;
}

/** True while nothing was put in the real disk's place: only then may other threads write as well. */
export function isRealDisk(): boolean {
  return current === realDisk;
}

/** Puts another disk in place (crash tests); returns a function that puts the former one back. */
export function useDisk(replacement: Disk): () => void {
  const former = current;
  current = replacement;
  return () => { current = former; };
}

/** A name nobody else uses, beside the file it will become. */
export function temporaryName(directory: string, prefix = 'tmp_'): string {
  return join(directory, prefix + crypto().randomBytes(8).toString('hex'));
}

export interface DirectoryOptions {
  readonly mode?: number;
  readonly durable?: boolean;
  /** Gets the directories whose new names the caller makes durable later, many together. */
  readonly later?: Set<DiskPath> | undefined;
}

/** Makes `path` and its missing parents, each durable in its own parent unless said otherwise. */
export function makeDirectories(path: string, options: DirectoryOptions = {}): void {
  const { mode = 0o777, durable = true, later } = options;
  try {
    disk().mkdir(path, mode);
  } catch (error) {
    if (isSystemError(error, 'EEXIST') && fs.statSync(path).isDirectory()) return;
    if (!isSystemError(error, 'ENOENT')) throw error;
    makeDirectories(dirname(path), options);
    try {
      disk().mkdir(path, mode);
    } catch (again) {
      if (!isSystemError(again, 'EEXIST')) throw again;
    }
  }
  if (durable && later !== undefined) later.add(dirname(path));
  else if (durable) disk().fsyncDirectory(dirname(path));
}

/** Puts a whole small file in place: old or new, never a part; durable when it returns. */
export function replaceFile(path: string, content: Uint8Array | string, mode = 0o666): void {
  fillFile(path, (append) => { append(typeof content === 'string' ? Buffer.from(content) : content); }, mode);
}

/**
 * The same for a file of any size, whose bytes `fill` appends; when it throws, nothing is left behind. A device or a pipe stays what it is
 * and gets the bytes.
 */
export function fillFile(path: string, fill: (append: (bytes: Uint8Array) => void) => void, mode = 0o666): void {
  for (const _step of fillingFile(path, function* (append) { fill(append); }, mode)) continue;
}

/** The same in steps, for who has to see to other things meanwhile; when they are given up, nothing is left behind either. */
export function* fillingFile(path: string, fill: (append: (bytes: Uint8Array) => void) => Generator<void>, mode = 0o666): Generator<void> {
  if (isDevice(path)) {
    const fd = disk().open(path, 'r+', mode);
    try {
      yield* fill((bytes) => disk().write(fd, bytes));
    } finally {
      disk().close(fd);
    }
    return;
  }
  const temporary = temporaryName(dirname(path));
  const fd = disk().open(temporary, 'wx', mode);
  let isPlaced = false;
  try {
    try {
      yield* fill((bytes) => disk().write(fd, bytes));
      disk().fsync(fd);
    } finally {
      disk().close(fd);
    }
    disk().rename(temporary, path);
    isPlaced = true;
  } finally {
    if (!isPlaced) removeIfPresent(temporary);
  }
  disk().fsyncDirectory(dirname(path));
}

/** The same for a file somebody named for output: behind symbolic links the file they lead to is replaced. */
export function fillNamedFile(path: string, fill: (append: (bytes: Uint8Array) => void) => void): void {
  fillFile(behindLinks(path), fill);
}

/** Where the file is that a name leads to, or would be. */
export function behindLinks(path: string): string {
  return fs.existsSync(path) ? fs.realpathSync(path) : path;
}

/** True for what is there and no file, directory or link: a rename would put a file in the place of /dev/null. */
export function isDevice(path: string, status = fs.lstatSync(path, { throwIfNoEntry: false })): boolean {
  return status !== undefined && !status.isFile() && !status.isDirectory() && !status.isSymbolicLink();
}

/** Removes a file; false when it was not there. */
export function removeIfPresent(path: DiskPath): boolean {
  try {
    disk().unlink(path);
    return true;
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return false;
    throw error;
  }
}

/** Fewer files than this are synced one by one; for more, asking for the whole file system at once costs less. */
const syncWholeThreshold = 200;

/**
 * Makes files and directories below `directory`, written just now, durable: many in a fraction of the time one fsync each would
 * take. A simulated disk sees an fsync for each.
 */
export function syncTogether(directory: string, files: readonly DiskPath[], directories: readonly DiskPath[]): void {
  if (current === realDisk && files.length + directories.length >= syncWholeThreshold && syncFileSystem(directory)) return;
  for (const file of files) {
    const fd = disk().open(file, 'r+', 0);
    try {
      disk().fsync(fd);
    } finally {
      disk().close(fd);
    }
  }
  for (const path of directories) disk().fsyncDirectory(path);
}

/** syncfs(2) by way of sync(1); false where it cannot be asked for, or does not report errors (Linux before 5.8). */
function syncFileSystem(directory: string): boolean {
  const program = ['/usr/bin/sync', '/bin/sync'].find((path) => fs.existsSync(path));
  if (program === undefined || !fs.existsSync('/proc/sys/kernel/osrelease')) return false;
  const [major, minor] = fs.readFileSync('/proc/sys/kernel/osrelease', 'latin1').split('.', 2).map(Number);
  if (!(major! > 5 || (major === 5 && minor! >= 8))) return false;
  // When it fails, an fsync of each file tells which one.
  return childProcess().spawnSync(program, ['-f', directory], { stdio: 'ignore' }).status === 0;
}
