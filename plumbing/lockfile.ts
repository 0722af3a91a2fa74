// Git's lock protocol: whoever creates '<path>.lock' exclusively may replace <path>; the new content is written into the lock, made
// durable, and renamed over the file. Readers never lock: they see the old file or the new one. Specified by git's own behaviour
// (api-lockfile) and, for what follows, by cairn-architecture(7).
//
// A lock whose holder is dead must not block for ever. So a lock inside a repository is a second name of a file in
// <gitdir>/cairn/locks whose name tells the holder; git sees an ordinary lock. Taking over is one rename of that first name, which
// only one process can win, and the winner then owns the lock as if it had made it. Death is only believed when it is provable:
// same kernel and pid namespace and no such process, or an earlier boot of the one kernel that can mount this file system.
// If the power fails: the old file, or the new one; a lock left over is taken over as above.
import * as fs from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { disk, isDevice, makeDirectories, removeIfPresent, syncTogether } from '../pack/disk.js';
import { ConflictError, LockedError, isSystemError, RefusedError } from '../pack/errors.js';
import { type ProcessIdentity, findOut, formatIdentity, identifyProcess, parseIdentity } from './process-identity.js';

/** Who takes locks, and where that is written down. */
export interface LockHolder {
  /** <gitdir>/cairn/locks; made when first needed. */
  readonly directory: string;
  readonly pid: number;
  readonly uid: number;
}

export interface LockOptions {
  /** How long to wait for somebody else's lock; 0 fails at once. */
  readonly timeoutMs?: number;
  /** Absent: the lock is a plain file, which nobody can take over. */
  readonly holder?: LockHolder | undefined;
  /** Permissions of the new file before umask; default those of the file replaced, else 0o666. */
  readonly mode?: number;
  /** False: the new content need not survive a power cut, as the user configured it. */
  readonly durable?: boolean;
}

/** Suffix of a lock; such names are never refs. */
export const lockSuffix = '.lock';

export class LockFile {
  /** The file that is locked. */
  readonly path: string;
  readonly lockPath: string;
  readonly #claim: string | undefined;
  readonly #durable: boolean;
  #fd: number | undefined;
  #state: 'held' | 'committed' | 'released' = 'held';

  private constructor(path: string, fd: number, claim: string | undefined, durable: boolean) {
    this.path = path;
    this.lockPath = path + lockSuffix;
    this.#fd = fd;
    this.#claim = claim;
    this.#durable = durable;
  }

  /** Locks `path`, whose directory exists; LockedError says how old the other lock is and, where it can be told, whose. */
  static acquire(path: string, options: LockOptions = {}): LockFile {
    const status = fs.lstatSync(path, { throwIfNoEntry: false });
    if (isDevice(path, status)) throw new RefusedError(`'${path}' is no file and cannot be replaced by one`, { code: 'not-a-file' });
    const mode = options.mode ?? modeOf(status?.isSymbolicLink() ? fs.statSync(path, { throwIfNoEntry: false }) : status);
    // Loading the clock takes a millisecond, which only who has to wait should pay.
    let deadlineMs: number | undefined;
    for (let attempt = 1; ; attempt += 1) {
      const lock = LockFile.#tryAcquire(path, mode, options);
      if (lock !== undefined) return lock;
      const remainingMs = options.timeoutMs ? (deadlineMs ??= performance.now() + options.timeoutMs) - performance.now() : 0;
      if (remainingMs <= 0) throw lockedError(path, options.holder);
      sleep(Math.min(remainingMs, Math.min(attempt * attempt, 100) * (0.75 + Math.random() / 2)));
    }
  }

  static #tryAcquire(path: string, mode: number, { holder, durable = true }: LockOptions): LockFile | undefined {
    const lockPath = path + lockSuffix;
    if (holder !== undefined) {
      const claimed = tryClaimed(path, lockPath, mode, holder);
      if (claimed === 'busy') return undefined;
      if (claimed !== 'unsupported') return new LockFile(path, claimed.fd, claimed.claim, durable);
    }
    try {
      return new LockFile(path, disk().open(lockPath, 'wx', mode), undefined, durable);
    } catch (error) {
      if (isSystemError(error, 'EEXIST')) return undefined;
      throw error;
    }
  }

  /** Appends to the new content; any number of times. */
  write(bytes: Uint8Array | string): void {
    disk().write(this.#requireFd(), typeof bytes === 'string' ? Buffer.from(bytes) : bytes);
  }

  /** Makes what was written durable, so that `commit` can only fail at the rename. May be called before it, or left to it. */
  seal(): void {
    this.#finish(this.#durable);
  }

  /** Closes what was written, to be made durable by `sealTogether`: more locks can be held than files be open. */
  close(): void {
    this.#finish(false);
  }

  /** Seals many locks in one file system, whose `directory` is above them: one flush for all costs little more than for one. */
  static sealTogether(locks: readonly LockFile[], directory: string): void {
    for (const lock of locks) lock.close();
    syncTogether(directory, locks.filter((lock) => lock.#durable).map(({ lockPath }) => lockPath), []);
  }

  #finish(durable: boolean): void {
    if (this.#fd === undefined) return;
    const fd = this.#fd;
    if (durable) disk().fsync(fd);
    this.#fd = undefined;
    disk().close(fd);
  }

  /** Puts the new content in place. With `directory: 'later'` the caller makes the directory durable (many refs, one fsync). */
  commit(options: { readonly directory?: 'now' | 'later' } = {}): void {
    if (this.#state !== 'held') throw new ConflictError(`lock on '${this.path}' is no longer held`, { code: 'lock-lost' });
    this.seal();
    disk().rename(this.lockPath, this.path);
    this.#state = 'committed';
    if (this.#claim !== undefined) removeIfPresent(this.#claim);
    if (options.directory !== 'later' && this.#durable) disk().fsyncDirectory(dirname(this.path));
  }

  /** The new content is in place. */
  get isCommitted(): boolean { return this.#state === 'committed'; }

  /** Gives the lock up and leaves the file as it was; harmless after commit. */
  rollback(): void {
    if (this.#state !== 'held') return;
    this.#state = 'released';
    const fd = this.#fd;
    this.#fd = undefined;
    try {
      if (fd !== undefined) disk().close(fd);
    } finally {
      // Whatever close says: the lock must not stay.
      removeIfPresent(this.lockPath);
      if (this.#claim !== undefined) removeIfPresent(this.#claim);
    }
  }

  [Symbol.dispose](): void {
    this.rollback();
  }

  #requireFd(): number {
    if (this.#fd === undefined) throw new ConflictError(`lock on '${this.path}' is no longer open`, { code: 'lock-lost' });
    return this.#fd;
  }
}

/** Blocks this thread. */
export function sleep(milliseconds: number): void {
  if (milliseconds > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

function modeOf(status: fs.Stats | undefined): number {
  return (status?.mode ?? 0o666) & 0o777;
}

type Claimed = { readonly fd: number; readonly claim: string };

/** Makes the claim, then links it to the lock's name; or takes over the claim of the dead. */
function tryClaimed(path: string, lockPath: string, mode: number, holder: LockHolder): Claimed | 'busy' | 'unsupported' {
  const identity = identifyProcess(holder.pid);
  if (identity === undefined) return 'unsupported';
  const claim = join(holder.directory, claimName(identity));
  const fd = openClaim(claim, mode);
  if (fd === undefined) return 'unsupported';
  try {
    disk().link(claim, lockPath);
    return { fd, claim };
  } catch (error) {
    disk().close(fd);
    removeIfPresent(claim);
    if (isSystemError(error, 'EEXIST')) return takeOver(path, lockPath, identity, holder) ?? 'busy';
    if (isSystemError(error, 'EPERM', 'EXDEV', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK', 'ENOSYS')) return 'unsupported';
    throw error;
  }
}

function openClaim(claim: string, mode: number): number | undefined {
  for (let made = false; ; made = true) {
    try {
      return disk().open(claim, 'wx', mode);
    } catch (error) {
      // A lock that outlived the power cut without its claim could never be taken over.
      if (!made && isSystemError(error, 'ENOENT')) makeDirectories(dirname(claim));
      // A drawer that cannot be written (another user's, read-only) only costs the ability to be taken over.
      else if (isSystemError(error, 'EACCES', 'EROFS', 'EPERM', 'ENOTDIR')) return undefined;
      else throw error;
    }
  }
}

/** The lock of a holder that is provably dead, now ours and empty; undefined when it is not, or somebody else was quicker. */
function takeOver(path: string, lockPath: string, identity: ProcessIdentity, holder: LockHolder): Claimed | undefined {
  const found = findHolder(lockPath, holder.directory);
  if (found === undefined || findOut(found, identity, found.claim, found.uid, holder.uid) !== 'dead') return undefined;
  const claim = join(holder.directory, claimName(identity));
  try {
    disk().rename(found.claim, claim);
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return undefined;
    throw error;
  }
  // From here on nobody else can take it over; only a person could have removed the lock by hand.
  const lock = fs.statSync(lockPath, { throwIfNoEntry: false });
  if (lock === undefined || lock.ino !== found.inode) {
    removeIfPresent(claim);
    return undefined;
  }
  const target = fs.statSync(path, { throwIfNoEntry: false });
  if (target !== undefined && target.ino === found.inode) {
    removeIfPresent(claim);
    throw new ConflictError(`'${lockPath}' and '${path}' are the same file`, { code: 'lock-damaged', hint: `remove '${lockPath}'` });
  }
  const fd = disk().open(claim, 'r+', 0o666);
  disk().truncate(fd, 0);
  return { fd, claim };
}

interface FoundHolder extends ProcessIdentity {
  readonly claim: string;
  readonly inode: number;
  readonly uid: number;
}

let claimsMade = 0;

function claimName(identity: ProcessIdentity): string {
  claimsMade += 1;
  return `${formatIdentity(identity)}_${claimsMade}-${Math.floor(Math.random() * 0x100000000).toString(36)}`;
}

/** The claim that shares its file with the lock. */
function findHolder(lockPath: string, directory: string): FoundHolder | undefined {
  const lock = fs.lstatSync(lockPath, { throwIfNoEntry: false });
  if (lock === undefined || !lock.isFile() || lock.nlink < 2) return undefined;
  for (const name of listClaims(directory)) {
    const identity = parseIdentity(name);
    if (identity === undefined) continue;
    const claim = join(directory, name);
    const status = fs.lstatSync(claim, { throwIfNoEntry: false });
    if (status?.ino !== lock.ino || status.dev !== lock.dev) continue;
    return { ...identity, claim, inode: lock.ino, uid: status.uid };
  }
  return undefined;
}

function listClaims(directory: string): string[] {
  try {
    return fs.readdirSync(directory);
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR', 'EACCES')) return [];
    throw error;
  }
}

function lockedError(path: string, holder: LockHolder | undefined): LockedError {
  const lockPath = path + lockSuffix;
  const status = fs.lstatSync(lockPath, { throwIfNoEntry: false });
  const found = holder && findHolder(lockPath, holder.directory);
  const age = status === undefined ? '' : `, ${formatAge(Date.now() - status.mtimeMs)} old`;
  const who = found === undefined ? 'another process' : `process ${found.pid}`;
  return new LockedError(`'${basename(path)}' is locked by ${who}: '${resolve(lockPath)}' exists${age}`, {
    code: 'locked', hint: `try again; if no git or cairn process is at work here, remove '${lockPath}'`,
  });
}

function formatAge(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} days`;
}
