// Who may do maintenance: one process at a time holds <gitdir>/cairn/maintenance (man/cairn-safety.7, "Maintenance lock").
//
// proper-lockfile makes the lock, a directory beside that file, and takes it over when its heartbeat stopped. Our work is
// synchronous, so its timers never run; the holder beats by hand, from `beat`, which also finds out that the lock was lost.
// The file says who holds it: a holder that is provably dead (same host, other boot or no such process) is not waited for.
// If the power fails: the lock stays and is taken over by the next gc, since the machine has booted anew.
import * as fs from 'node:fs';
import { join } from 'node:path';
import { disk, removeIfPresent, replaceFile } from '../pack/disk.js';
import { ConflictError, LockedError, isSystemError } from '../pack/errors.js';
import { findFile } from '../pack/file-lookup.js';
import { lazyModule } from '../pack/lazy-module.js';
import { lockSuffix } from '../plumbing/lockfile.js';
import type { Repository } from '../plumbing/repository.js';
import { announceMaintenance, listAnnounced } from '../plumbing/refs/announcement.js';
import { findSweep, restoreOpenBatches, undoDeadSweep } from '../plumbing/refs/sweep-flag.js';

const properLockfile = lazyModule<typeof import('proper-lockfile')>('proper-lockfile');

/** A lock without a heartbeat for this long belongs to nobody any more. */
const staleMs = 120_000;
/** The same for a lock whose holder has not said who it is, which takes it a moment. */
const namelessStaleMs = 10_000;
/** The holder beats at most this often; it looks whether the lock is still its own as often. */
const beatEveryMs = 2_000;
/** How far the times of files may lag behind the clock. */
const clockSlackMs = 100;

/** What the lock's file says of its holder. */
interface Holder {
  readonly pid: number;
  readonly host: string;
  /** Tells one start of the machine from the next; empty where the system does not say. */
  readonly boot: string;
  readonly startedMs: number;
  readonly token: string;
}

/** Held while objects are packed or removed; leaving the scope of a `using` releases it. */
export class MaintenanceLock {
  readonly #path: string;
  readonly #token: string;
  readonly #release: () => void;
  /** Stands for as long as the lock is there. */
  readonly #announced: Disposable;
  #beatenMs: number;
  #released = false;

  private constructor(path: string, token: string, announced: Disposable, release: () => void) {
    this.#path = path;
    this.#token = token;
    this.#announced = announced;
    this.#release = release;
    this.#beatenMs = Date.now();
  }

  /** Takes the lock at once; LockedError (code 'maintenance-running') says who holds it. */
  static acquire(repository: Repository): MaintenanceLock {
    const announced = announceMaintenance(repository);
    try {
      return MaintenanceLock.#acquire(repository, announced);
    } catch (error) {
      announced[Symbol.dispose]();
      throw error;
    }
  }

  static #acquire(repository: Repository, announced: Disposable): MaintenanceLock {
    const path = join(repository.cairnDirectory(), 'maintenance');
    const { pid, host } = repository.context.process;
    const boot = readBootId();
    const former = findHolder(path);
    if (former === undefined ? isFromEarlierBoot(path + lockSuffix) || isForsaken(repository, path + lockSuffix) : isDead(former, host, boot)) ageLock(path);
    let release: () => void;
    try {
      // Heartbeats are ours, and no timer of the package runs before the release; onCompromised could only come from it.
      release = properLockfile().lockSync(path, {
        realpath: false, stale: former === undefined ? namelessStaleMs : staleMs, update: staleMs,
        fs: diskForLocks(), onCompromised: () => undefined,
      });
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ELOCKED') throw lockedError(findHolder(path));
      throw error;
    }
    const token = `${pid}-${Date.now()}-${Math.floor(Math.random() * 2 ** 48).toString(36)}`;
    try {
      const holder: Holder = { pid, host, boot, startedMs: Date.now(), token };
      replaceFile(path, `${JSON.stringify(holder)}\n`);
    } catch (error) {
      release();
      throw error;
    }
    const lock = new MaintenanceLock(path, token, announced, release);
    try {
      settleFormerSweep(repository);
    } catch (error) {
      lock.release();
      throw error;
    }
    return lock;
  }

  /** Says that the holder is alive; cheap to call often. ConflictError when the lock is no longer its own: nothing may be removed then. */
  beat(): void {
    if (Date.now() - this.#beatenMs >= beatEveryMs) this.check();
  }

  /** Like `beat`, but looks now: called before each step that removes something. */
  check(): void {
    const nowMs = Date.now();
    if (this.#released || findHolder(this.#path)?.token !== this.#token) throw lostError();
    try {
      disk().utimes(this.#path + lockSuffix, nowMs, nowMs);
    } catch (error) {
      if (isSystemError(error, 'ENOENT')) throw lostError();
      throw error;
    }
    this.#beatenMs = nowMs;
  }

  /** Gives the lock up; harmless when it was lost or given up before. */
  release(): void {
    if (this.#released) return;
    this.#released = true;
    using _ = this.#announced;
    // Somebody else's by now: leave it alone.
    if (findHolder(this.#path)?.token !== this.#token) return;
    removeIfPresent(this.#path);
    this.#release();
  }

  [Symbol.dispose](): void {
    this.release();
  }
}

/** Nothing may be removed any more. */
export function lostError(): ConflictError {
  return new ConflictError('the maintenance lock was taken over by another process', {
    code: 'maintenance-lost', hint: 'nothing more was removed; run the command again when the other one is done',
  });
}

/** What somebody who died left of a removal phase is undone before anything else; LockedError when it is still on. */
function settleFormerSweep(repository: Repository): void {
  const sweep = findSweep(repository);
  if (sweep === undefined) {
    // Filled before the flag was raised; nobody else fills one while we hold the lock.
    restoreOpenBatches(repository);
    return;
  }
  if (!sweep.isDead) throw new LockedError(`objects are being removed by ${sweep.holder}`, { code: 'sweep-running', hint: 'wait until it is done; if that process was stopped, continue or end it' });
  undoDeadSweep(repository);
}

function lockedError(holder: Holder | undefined): LockedError {
  const who = holder === undefined
    ? 'another process'
    : `process ${holder.pid} on '${holder.host}' since ${new Date(holder.startedMs).toISOString()}`;
  return new LockedError(`maintenance is being done by ${who}`, {
    code: 'maintenance-running', hint: 'wait until it is done; a lock whose holder died is taken over by itself after two minutes',
  });
}

/** The holder the file names; undefined when there is none, or it cannot be told (then only the heartbeat counts). */
function findHolder(path: string): Holder | undefined {
  const text = findFile(path)?.toString();
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isHolder(value) ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function isHolder(value: unknown): value is Holder {
  if (typeof value !== 'object' || value === null) return false;
  const { pid, host, boot, startedMs, token } = value as Partial<Record<keyof Holder, unknown>>;
  return typeof pid === 'number' && typeof host === 'string' && typeof boot === 'string'
    && typeof startedMs === 'number' && Number.isFinite(startedMs) && Math.abs(startedMs) < 8e15 && typeof token === 'string';
}

/** Only what can be proved counts: a holder on another host, or where there is no /proc, lives until its heartbeat is old. */
function isDead(holder: Holder, host: string, boot: string): boolean {
  if (holder.host !== host || boot === '' || holder.boot === '') return false;
  if (holder.boot !== boot) return true;
  return fs.existsSync('/proc/self/stat') && !fs.existsSync(`/proc/${holder.pid}`);
}

/** True for a lock whose holder had no time to say who it is before the machine went down. */
function isFromEarlierBoot(lockPath: string): boolean {
  const seconds = Number(/^btime (\d+)$/m.exec(readProc('/proc/stat'))?.[1] ?? 0);
  const status = fs.statSync(lockPath, { throwIfNoEntry: false });
  return status !== undefined && status.mtimeMs < seconds * 1000;
}

/** True for a lock that does not say whose it is while nobody alive announced, before it was made, to be after it. */
function isForsaken(repository: Repository, lockPath: string): boolean {
  // First the lock is seen, then who announced: its holder did so before and still does.
  const status = fs.statSync(lockPath, { throwIfNoEntry: false });
  if (status === undefined) return false;
  return !listAnnounced(repository).some(({ kind, isDead: isGone, startedMs }) => kind === 'maintainer' && !isGone && startedMs <= status.mtimeMs + clockSlackMs);
}

function readBootId(): string {
  return readProc('/proc/sys/kernel/random/boot_id').trim();
}

/** Empty where the system has no such file. */
function readProc(path: string): string {
  try {
    return fs.readFileSync(path, 'latin1');
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'EACCES', 'ENOTDIR', 'EPERM')) return '';
    throw error;
  }
}

/** Makes the lock of the dead look as old as it is useless, so that the ordinary take-over applies. */
function ageLock(path: string): void {
  try {
    disk().utimes(path + lockSuffix, 0, 0);
  } catch (error) {
    if (!isSystemError(error, 'ENOENT')) throw error;
  }
}

/** The file system proper-lockfile sees: changes go through `disk()` like all others. */
function diskForLocks(): object {
  return {
    mkdirSync: (path: string) => { disk().mkdir(path); },
    rmdirSync: (path: string) => { disk().rmdir(path); },
    utimesSync: (path: string, atime: Date, mtime: Date) => { disk().utimes(path, atime.getTime(), mtime.getTime()); },
    statSync: fs.statSync,
    realpathSync: fs.realpathSync,
  };
}
