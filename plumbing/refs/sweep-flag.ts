// The sweep flag <gitdir>/cairn/sweep: it is there while a removal phase is on, and says whose (cairn-safety(7), "Beside running writers").
//
// Invariant: while it is there nobody names objects. Its holder's death is never guessed at; then whoever comes first undoes the phase: puts
// open batches back, makes that durable, and removes the flag.
// If the power fails: the flag, made durable before anything left the store, names an earlier start of the machine, and is undone so.
import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import { disk, makeDirectories, removeIfPresent, temporaryName } from '../../pack/disk.js';
import { isSystemError } from '../../pack/errors.js';
import { findFile } from '../../pack/file-lookup.js';
import { Batch } from '../../pack/quarantine.js';
import { LockFile } from '../lockfile.js';
import { formatIdentity, identifyProcess, isAbandoned, parseIdentity } from '../process-identity.js';
import type { Repository } from '../repository.js';

export interface Sweep {
  /** For people: 'process 123 on 'host''. */
  readonly holder: string;
  readonly isDead: boolean;
  /** Tells one sweep from the next. */
  readonly token: string;
}

/** A flag whose holder we cannot see is taken for abandoned after so long without a beat. */
const abandonedMs = 10 * 60_000;
/** The one who undoes a sweep has this long before others give up waiting. */
const undoTimeoutMs = 60_000;

function flagPath(repository: Repository): string {
  return join(repository.commonDirectory, 'cairn/sweep');
}

export function quarantineDirectory(repository: Repository): string {
  return join(repository.commonDirectory, 'cairn/quarantine');
}

/** Whose removal phase is on; undefined when none is. */
export function findSweep(repository: Repository): Sweep | undefined {
  const path = flagPath(repository);
  // The usual answer costs one look.
  const status = fs.statSync(path, { throwIfNoEntry: false });
  const text = status === undefined ? undefined : findFile(path)?.toString('latin1');
  if (status === undefined || text === undefined) return undefined;
  const [identityText = '', host = ''] = text.split('\n');
  const identity = parseIdentity(identityText);
  return {
    token: text,
    holder: identity === undefined ? 'another process' : `process ${identity.pid} on '${host.slice(0, 200)}'`,
    isDead: isAbandoned(identity, path, status, repository.context.process, abandonedMs),
  };
}

/** Held by the sweeper; never two at a time. */
export class SweepFlag {
  readonly #path: string;
  readonly #token: string;
  private constructor(path: string, token: string) {
    this.#path = path;
    this.#token = token;
  }

  /** Raises the flag, durably; undefined when it is up already. */
  static raise(repository: Repository): SweepFlag | undefined {
    const path = flagPath(repository);
    const { pid, host } = repository.context.process;
    const identity = identifyProcess(pid);
    const who = identity === undefined ? 'unknown' : formatIdentity(identity);
    const token = `${who}\n${host.replaceAll('\n', ' ')}\n${Date.now()}-${Math.floor(Math.random() * 2 ** 48).toString(36)}\n`;
    makeDirectories(dirname(path));
    // It appears whole, or not at all.
    const whole = temporaryName(dirname(path));
    const fd = disk().open(whole, 'wx', 0o666);
    try {
      try {
        disk().write(fd, Buffer.from(token, 'latin1'));
        disk().fsync(fd);
      } finally {
        disk().close(fd);
      }
      if (!appear(whole, path)) return undefined;
    } finally {
      removeIfPresent(whole);
    }
    disk().fsyncDirectory(dirname(path));
    return new SweepFlag(path, token);
  }

  /** Says that the sweeper is alive; false when the flag is not its own any more, and nothing may be removed. */
  beat(): boolean {
    if (findFile(this.#path)?.toString('latin1') !== this.#token) return false;
    const nowMs = Date.now();
    disk().utimes(this.#path, nowMs, nowMs);
    return true;
  }

  lower(): void {
    if (findFile(this.#path)?.toString('latin1') !== this.#token) return;
    removeIfPresent(this.#path);
    disk().fsyncDirectory(dirname(this.#path));
  }
}

/** Gives a file its public name unless that is taken; false when it is. */
function appear(whole: string, path: string): boolean {
  try {
    disk().link(whole, path);
    return true;
  } catch (error) {
    if (isSystemError(error, 'EEXIST')) return false;
    if (!isSystemError(error, 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK', 'ENOSYS')) throw error;
  }
  // No second names here: the maintenance lock sees to it that nobody else raises one.
  if (fs.existsSync(path)) return false;
  disk().rename(whole, path);
  return true;
}

/** Undoes what a sweeper that died had begun; of several who try, one does it and the others wait. Harmless when there is nothing to undo. */
export function undoDeadSweep(repository: Repository): void {
  const path = flagPath(repository);
  makeDirectories(dirname(path));
  using _ = LockFile.acquire(path, { holder: repository.lockHolder, timeoutMs: undoTimeoutMs });
  const sweep = findSweep(repository);
  // Settled by somebody else; an open batch may by now be that of the next sweep.
  if (sweep === undefined || !sweep.isDead) return;
  restoreOpenBatches(repository);
  removeIfPresent(path);
  disk().fsyncDirectory(dirname(path));
}

/** Puts back what open batches hold; the caller sees to it that nobody is filling one. */
export function restoreOpenBatches(repository: Repository): void {
  for (const batch of Batch.list(quarantineDirectory(repository))) {
    if (batch.record.state === 'open') batch.restore(repository.objectsDirectory, { renew: false, nowMs: Date.now() });
  }
  repository.objects.refresh();
}
