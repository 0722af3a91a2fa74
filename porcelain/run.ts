// Runs: a snapshot recorded under a name of its own, `refs/runs/<id>`, made once and never moved. Specified in cairn-commit(1), "RUNS".
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { resolve } from 'node:path';
import { InvalidError, NotFoundError, RefusedError, isSystemError } from '../pack/errors.js';
import { lazyModule } from '../pack/lazy-module.js';
import { Hasher, type ObjectId, encodeObjectHeader } from '../pack/oid.js';
import type { Clock } from '../plumbing/command.js';
import { type RefName, isRefName } from '../plumbing/refs/ref-name.js';
import type { Repository } from '../plumbing/repository.js';
import { findRevision, peel } from '../plumbing/history/revision.js';

const crypto = lazyModule<typeof import('node:crypto')>('node:crypto');

const runPrefix = 'refs/runs/';

/** A new id: the time in UTC to the microsecond, and eight random digits: '20260131T235959123000Z-0f1e2d3c'. */
export function makeRunId(clock: Clock): string {
  const time = new Date(clock.nowMs()).toISOString().replace(/[-:.]/g, '').replace('Z', '000Z');
  return `${time}-${crypto().randomBytes(4).toString('hex')}`;
}

/** The ref of a run; InvalidError (code 'bad-run-id') when the id cannot be part of a ref's name. */
export function runRefName(id: string): RefName {
  const name = `${runPrefix}${id}`;
  if (!isRefName(name)) {
    throw new InvalidError(`'${id}' is not a valid run id`, { code: 'bad-run-id', hint: 'see cairn check-ref-format for the rules' });
  }
  return name;
}

/** Refuses an id that names a run already. */
export function requireNewRun(repository: Repository, id: string): RefName {
  const name = runRefName(id);
  if (repository.refs.readRaw(name) !== undefined) throw existingRun(id);
  return name;
}

export function existingRun(id: string): RefusedError {
  return new RefusedError(`run '${id}' exists already`, {
    code: 'run-exists', hint: 'a run id names one run for ever; take another, or --run auto',
  });
}

/** Every run and its commit, the newest first; of runs made in the same second the one that sorts last. */
export function listRuns(repository: Repository): { readonly run: string; readonly commit: ObjectId }[] {
  const runs = [...repository.refs.list(runPrefix)].flatMap(({ name, id }) => {
    const commit = peel(repository, id, 'commit');
    if (commit === undefined) return [];
    return [{ run: name.slice(runPrefix.length), commit, seconds: repository.objects.readCommit(commit).committer.seconds }];
  });
  return runs.reverse().sort((one, two) => two.seconds - one.seconds);
}

/** What a run was made from, for its 'Input' trailer: the id of an object, or the id a file has as a blob, and the file's name. */
export function formatInput(repository: Repository, what: string): string {
  const hashed = hashFile(repository, resolve(repository.context.cwd, what));
  if (hashed !== undefined) return `${hashed} ${what.replace(/[\r\n]+/g, ' ')}`;
  const id = findRevision(repository, what);
  if (id === undefined) throw new NotFoundError(`input '${what}' is neither a file nor an object`, { code: 'no-input' });
  return id;
}

const chunkBytes = 1024 * 1024;

/** Undefined when there is no such file. */
function hashFile(repository: Repository, path: string): string | undefined {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR', 'ENAMETOOLONG')) return undefined;
    throw error;
  }
  try {
    const status = fstatSync(fd);
    if (!status.isFile()) throw new InvalidError(`input '${path}' is not a file`, { code: 'bad-input' });
    const hasher = new Hasher(repository.format);
    hasher.update(encodeObjectHeader('blob', status.size));
    const chunk = Buffer.allocUnsafe(chunkBytes);
    for (let at = 0; at < status.size;) {
      const got = readSync(fd, chunk, 0, Math.min(chunkBytes, status.size - at), at);
      if (got === 0) throw new InvalidError(`input '${path}' changed while it was read`, { code: 'file-changed' });
      hasher.update(chunk.subarray(0, got));
      at += got;
    }
    return hasher.digestId();
  } finally {
    closeSync(fd);
  }
}
