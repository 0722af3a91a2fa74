// How an archive gets its name: everything is written under private names first, then the archive appears, and what belongs to it, a signature
// of the sidecar for one, then, last, the sidecar, which is the commit marker (cairn-archive(5), "FILES"). What is replaced is moved aside before and comes back when anything fails.
//
// Invariant: what has an archive's name and a matching sidecar is whole and durable. Nothing is followed, replaced or removed that is not a
// regular file; nothing is removed that this run did not make, but a stale list of differences, and the signature of a former sidecar.
// If the power fails: there is the old pair, or no pair, or the new pair; private names may remain, the old files among them.
import * as fs from 'node:fs';
import { dirname } from 'node:path';
import { disk, removeIfPresent, temporaryName } from '../../pack/disk.js';
import { ConflictError, CorruptError, NotFoundError, RefusedError, isSystemError } from '../../pack/errors.js';
import { runSteps } from '../../plumbing/interruption.js';
import { digestFile } from './checksums.js';
import { notRegular, readSmallFile } from './named-file.js';
import { decodeSidecar, sidecarPath, signaturePath } from './sidecar.js';

export function mismatchPath(archive: string): string {
  return `${archive}.mismatch.txt`;
}

export function checksumsPath(archive: string): string {
  return `${archive}.CHECKSUMS`;
}

const mostDifferences = 64;
const mostSignatureBytes = 1024 * 1024;

/** A file of ours that has its final name by now, and one that made room for it. */
interface Placed {
  readonly path: string;
  readonly inode: bigint;
}

interface Moved {
  readonly path: string;
  readonly aside: string;
}

/** What appears with an archive. */
export interface Publishable {
  readonly sidecar: Uint8Array;
  readonly checksums: Uint8Array | undefined;
  /** Of the sidecar. */
  readonly signature: Uint8Array | undefined;
}

export class Publication {
  readonly path: string;
  readonly #force: boolean;
  /** Made by this run, and to be removed at its end. */
  readonly #private = new Set<string>();

  private constructor(path: string, force: boolean) {
    this.path = path;
    this.#force = force;
  }

  /** Removes a stale list of differences, and looks whether everything could be published. RefusedError when not. */
  static prepare(path: string, options: { readonly force: boolean }): Publication {
    const directory = dirname(path);
    if (fs.statSync(directory, { throwIfNoEntry: false })?.isDirectory() !== true) {
      throw new NotFoundError(`'${directory}' is not a directory`, { code: 'no-such-directory' });
    }
    if (isThere(mismatchPath(path))) disk().unlink(mismatchPath(path));
    const publication = new Publication(path, options.force);
    publication.#check();
    return publication;
  }

  #check(): void {
    for (const path of [this.path, checksumsPath(this.path), signaturePath(this.path)]) isThere(path);
    // Without a sidecar there is no archive: what a crash left is replaced, if it is the same; which is known later.
    if (isThere(sidecarPath(this.path)) && !this.#force && !this.#isOfFailure()) throw taken(this.path);
  }

  /** True for a sidecar a failed self-test left. */
  #isOfFailure(): boolean {
    const path = sidecarPath(this.path);
    try {
      return decodeSidecar(readSmallFile(path, 64 * 1024 * 1024), path).archive === undefined;
    } catch (error) {
      if (error instanceof CorruptError) return false;
      throw error;
    }
  }

  /** A new private file beside the archive; what `fill` leaves in it is durable. */
  *write<Result>(fill: (append: (bytes: Uint8Array) => void) => Generator<void, Result>): Generator<void, { readonly path: string; readonly result: Result }> {
    const path = temporaryName(dirname(this.path), `${this.path.slice(this.path.lastIndexOf('/') + 1)}.tmp-`);
    const fd = disk().open(path, 'wx', 0o666);
    this.#private.add(path);
    try {
      const result = yield* fill((bytes) => { disk().write(fd, bytes); });
      disk().fsync(fd);
      return { path, result };
    } finally {
      disk().close(fd);
    }
  }

  #writeSmall(path: string, content: Uint8Array, mode: number): string {
    const name = temporaryName(dirname(path), `${path.slice(path.lastIndexOf('/') + 1)}.tmp-`);
    const fd = disk().open(name, 'wx', mode);
    this.#private.add(name);
    try {
      disk().write(fd, content);
      disk().fsync(fd);
    } finally {
      disk().close(fd);
    }
    return name;
  }

  /** Makes the archive, whose bytes are in the private file `archive`, and what belongs to it, appear. Gives names of former files that could not be removed. */
  publish(archive: string, { sidecar, checksums, signature }: Publishable): string[] {
    const directory = dirname(this.path);
    const sidecarFile = this.#writeSmall(sidecarPath(this.path), sidecar, 0o600);
    const checksumsFile = checksums === undefined ? undefined : this.#writeSmall(checksumsPath(this.path), checksums, 0o666);
    const signatureFile = signature === undefined ? undefined : this.#writeSmall(signaturePath(this.path), signature, 0o600);
    const moved: Moved[] = [];
    const placed: Placed[] = [];
    try {
      this.#moveAside(sidecarPath(this.path), sidecarFile, moved);
      this.#moveAside(signaturePath(this.path), signatureFile, moved);
      this.#moveAside(checksumsPath(this.path), checksumsFile, moved);
      this.#moveAside(this.path, archive, moved);
      this.#place(archive, this.path, placed);
      if (checksumsFile !== undefined) this.#place(checksumsFile, checksumsPath(this.path), placed);
      if (signatureFile !== undefined) this.#place(signatureFile, signaturePath(this.path), placed);
      disk().fsyncDirectory(directory);
      this.#place(sidecarFile, sidecarPath(this.path), placed);
      disk().fsyncDirectory(directory);
    } catch (error) {
      undo(placed, moved);
      throw error;
    }
    return moved.flatMap(({ aside }) => (removeAside(aside) ? [] : [aside]));
  }

  /** Unless replacing is asked for, only what is the same as its successor, or tells of a failure, makes room. */
  #moveAside(path: string, successor: string | undefined, moved: Moved[]): void {
    if (!isThere(path)) return;
    if (!this.#force && !this.#mayMakeRoom(path, successor)) throw taken(path);
    const aside = temporaryName(dirname(path), `${path.slice(path.lastIndexOf('/') + 1)}.old-`);
    moved.push({ path, aside });
    disk().rename(path, aside);
  }

  #mayMakeRoom(path: string, successor: string | undefined): boolean {
    if (path === sidecarPath(this.path)) return this.#isOfFailure();
    // There is no sidecar any more: a signature alone signs nothing.
    if (path === signaturePath(this.path)) return isSignature(path);
    return successor !== undefined && isSame(path, successor);
  }

  /** A second name first, for that never replaces what somebody else put there meanwhile. */
  #place(from: string, to: string, placed: Placed[]): void {
    const { ino } = fs.lstatSync(from, { bigint: true });
    placed.push({ path: to, inode: ino });
    try {
      disk().link(from, to);
      disk().unlink(from);
    } catch (error) {
      if (isSystemError(error, 'EEXIST')) throw takenMeanwhile(to);
      if (!isSystemError(error, 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK')) throw error;
      disk().rename(from, to);
    }
    this.#private.delete(from);
  }

  /** What is left of a self-test that found differences: no archive, the list, and a sidecar that says so unless there is a pair already. */
  publishDifferences(differences: readonly string[], sidecar: Uint8Array): void {
    const sorted = [...differences].sort();
    const lines = sorted.slice(0, mostDifferences);
    if (sorted.length > lines.length) lines.push(`and ${sorted.length - lines.length} more`);
    const list = this.#writeSmall(mismatchPath(this.path), Buffer.from(lines.map((line) => `${line}\n`).join('')), 0o666);
    const placed: Placed[] = [];
    const moved: Moved[] = [];
    try {
      this.#place(list, mismatchPath(this.path), placed);
      if (!isThere(this.path)) {
        const file = this.#writeSmall(sidecarPath(this.path), sidecar, 0o600);
        this.#moveAside(sidecarPath(this.path), undefined, moved);
        this.#place(file, sidecarPath(this.path), placed);
      }
      disk().fsyncDirectory(dirname(this.path));
    } catch (error) {
      undo(placed, moved);
      throw error;
    }
    for (const { aside } of moved) removeAside(aside);
  }

  /** Removes what is still private. */
  [Symbol.dispose](): void {
    for (const path of this.#private) removeIfPresent(path);
    this.#private.clear();
  }
}

/** True for a regular file, false for nothing; RefusedError for anything else. */
function isThere(path: string): boolean {
  const status = fs.lstatSync(path, { throwIfNoEntry: false });
  if (status !== undefined && !status.isFile()) throw notRegular(path);
  return status !== undefined;
}

function isSignature(path: string): boolean {
  return /^-----BEGIN [A-Z ]*(?:SIGNATURE|MESSAGE)-----\n/.test(readSmallFile(path, mostSignatureBytes).toString('latin1'));
}

function isSame(one: string, two: string): boolean {
  const first = runSteps(digestFile(one));
  const second = runSteps(digestFile(two));
  return first.sha256 === second.sha256 && first.sizeBytes === second.sizeBytes;
}

function taken(path: string): RefusedError {
  return new RefusedError(`'${path}' exists already`, { code: 'archive-exists', hint: 'name another file, or replace it with --force' });
}

function takenMeanwhile(path: string): ConflictError {
  return new ConflictError(`'${path}' appeared meanwhile`, { code: 'output-taken', hint: 'somebody else writes there, too' });
}

/** Takes away what appeared and puts back what made room. */
function undo(placed: readonly Placed[], moved: readonly Moved[]): void {
  for (const { path, inode } of placed.toReversed()) {
    if (fs.lstatSync(path, { bigint: true, throwIfNoEntry: false })?.ino === inode) disk().unlink(path);
  }
  for (const { path, aside } of moved.toReversed()) if (fs.existsSync(aside)) disk().rename(aside, path);
  const [first] = [...placed, ...moved];
  if (first !== undefined) disk().fsyncDirectory(dirname(first.path));
}

/** False when it could not be removed: the new pair is there all the same. */
function removeAside(path: string): boolean {
  try {
    disk().unlink(path);
    return true;
  } catch (error) {
    if (isSystemError(error)) return false;
    throw error;
  }
}
