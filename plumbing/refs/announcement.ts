// Who is about to name objects, or at work for long: one empty file each in <gitdir>/cairn/leases, whose name says which process made it
// (cairn-safety(7), "Beside running writers").
//
// Invariant: while an announcement of the kind 'naming' stands, and no sweep flag was there after it was made, no object leaves the store.
// If the power fails: the file names an earlier start of the machine, and gc removes it. Nothing of it is ever fsynced.
import * as fs from 'node:fs';
import { join } from 'node:path';
import { disk, makeDirectories, removeIfPresent } from '../../pack/disk.js';
import { LockedError, isSystemError } from '../../pack/errors.js';
import { listDirectory } from '../../pack/file-lookup.js';
import { sleep } from '../lockfile.js';
import { formatIdentity, identifyProcess, isAbandoned, parseIdentity } from '../process-identity.js';
import type { Repository } from '../repository.js';
import { findSweep, undoDeadSweep } from './sweep-flag.js';

/** 'naming': about to name objects, a sweep waits; 'writer': at work for long, what it wrote stays; 'maintainer': has, or wants, the maintenance lock. */
export type AnnouncementKind = 'naming' | 'writer' | 'maintainer';

export interface Announced {
  readonly path: string;
  readonly kind: AnnouncementKind;
  /** Milliseconds since 1970. */
  readonly startedMs: number;
  readonly pid: number | undefined;
  /** Its process is gone, or as good as gone: a host we cannot see has said nothing for long. */
  readonly isDead: boolean;
}

/** How long a writer waits for a sweep to end. */
const patienceMs = 60_000;
/** What a process we cannot see announced is taken for abandoned after this. */
const abandonedMs = 15 * 60_000;

/** Those that stand in this process, by directory: one within another is the same one. */
const standing = new Map<string, { readonly path: string | undefined; depth: number }>();
let made = 0;

/** Stands until it is withdrawn, or its scope left. */
export class Announcement {
  readonly #directory: string;
  readonly #path: string | undefined;
  #isWithdrawn = false;

  private constructor(directory: string, path: string | undefined) {
    this.#directory = directory;
    this.#path = path;
  }

  /** Announces that objects are going to be named; waits while a sweep is on. LockedError (code 'sweep-running') when that takes too long. */
  static make(repository: Repository): Announcement {
    const directory = leasesDirectory(repository);
    const known = standing.get(directory);
    if (known !== undefined) {
      known.depth += 1;
      return new Announcement(directory, known.path);
    }
    let deadlineMs: number | undefined;
    for (let attempt = 1; ; attempt += 1) {
      const path = create(repository, directory, 'naming');
      const sweep = findSweep(repository);
      if (sweep === undefined) {
        standing.set(directory, { path, depth: 1 });
        // What this process knows of packs may be from before a sweep.
        repository.objects.refresh();
        return new Announcement(directory, path);
      }
      if (path !== undefined) removeIfPresent(path);
      if (sweep.isDead) {
        undoDeadSweep(repository);
        continue;
      }
      deadlineMs ??= Date.now() + patienceMs;
      if (Date.now() >= deadlineMs) {
        throw new LockedError(`${sweep.holder} has been removing objects for more than ${patienceMs / 1000} seconds`, {
          code: 'sweep-running', hint: 'try again; if that process was stopped, continue or end it',
        });
      }
      sleep(Math.min(attempt * 2, 50));
    }
  }

  /** False when somebody took it for abandoned; then nothing may be named on the strength of it. */
  get isStanding(): boolean {
    return this.#path === undefined || fs.existsSync(this.#path);
  }

  withdraw(): void {
    if (this.#isWithdrawn) return;
    this.#isWithdrawn = true;
    const known = standing.get(this.#directory);
    if (known === undefined) return;
    known.depth -= 1;
    if (known.depth > 0) return;
    standing.delete(this.#directory);
    if (this.#path !== undefined) removeIfPresent(this.#path);
  }

  [Symbol.dispose](): void {
    this.withdraw();
  }
}

/** Does what names objects while no sweep takes any away; of what was read meanwhile, or before, nothing stays in quarantine only. */
export function whileNaming<Value>(repository: Repository, action: () => Value): Value {
  using _ = Announcement.make(repository);
  const value = action();
  repository.objects.rescue();
  return value;
}

/** Says, until it is disposed of, that a command is at work: what it writes or renews stays that long. */
export function holdLease(repository: Repository): Disposable {
  return announce(repository, 'writer');
}

/** Stands from before the maintenance lock is taken until after it is given back, so that a lock without one is nobody's. */
export function announceMaintenance(repository: Repository): Disposable {
  return announce(repository, 'maintainer');
}

function announce(repository: Repository, kind: AnnouncementKind): Disposable {
  const path = create(repository, leasesDirectory(repository), kind);
  return { [Symbol.dispose]: () => { if (path !== undefined) removeIfPresent(path); } };
}

/** Everything announced now, in no order; what is not understood is somebody's of unknown age. */
export function listAnnounced(repository: Repository): Announced[] {
  const directory = leasesDirectory(repository);
  const found: Announced[] = [];
  for (const name of listDirectory(directory)) {
    const match = /_(naming|writer|maintainer)_(\d{1,15})_[0-9]+-[0-9a-z]+$/.exec(name);
    if (match === null) continue;
    const path = join(directory, name);
    const status = fs.lstatSync(path, { throwIfNoEntry: false });
    if (status === undefined) continue;
    const identity = parseIdentity(name);
    found.push({
      path, kind: match[1] as AnnouncementKind, startedMs: Number(match[2]), pid: identity?.pid,
      isDead: isAbandoned(identity, path, status, repository.context.process, abandonedMs),
    });
  }
  return found;
}

/** Removes an announcement nobody stands behind. */
export function removeAnnounced({ path }: Announced): void {
  removeIfPresent(path);
}

function leasesDirectory(repository: Repository): string {
  return join(repository.commonDirectory, 'cairn/leases');
}

/** Undefined where we may not write: then the flag is all we look at. */
function create(repository: Repository, directory: string, kind: AnnouncementKind): string | undefined {
  const identity = identifyProcess(repository.context.process.pid);
  made += 1;
  const who = identity === undefined ? 'unknown' : formatIdentity(identity);
  const path = join(directory, `${who}_${kind}_${Date.now()}_${made}-${Math.floor(Math.random() * 0x100000000).toString(36)}`);
  for (let again = false; ; again = true) {
    try {
      disk().close(disk().open(path, 'wx', 0o666));
      return path;
    } catch (error) {
      if (!again && isSystemError(error, 'ENOENT')) makeDirectories(directory);
      else if (isSystemError(error, 'EACCES', 'EROFS', 'EPERM')) return undefined;
      else throw error;
    }
  }
}
