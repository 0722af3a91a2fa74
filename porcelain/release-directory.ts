// A materialised directory: the files of one tree, written below a private name, read back and hashed to their ids, durable, and
// only then given their name. What was verified is recorded in an index file beside the journal, so that later a glance at every file's
// stat tells whether the directory is still what it was. Specified by cairn-receipt(5), "DIRECTORIES".
//
// Invariants: nothing is written through a symbolic link (the directory is new, private and random; files are created exclusively;
// links are made last), and nothing is hard-linked. If the power fails before the final rename, only a 'tmp-…' directory
// remains, which the journal names.
import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import { type DiskPath, disk, makeDirectories, removeIfPresent, replaceFile, syncTogether } from '../pack/disk.js';
import { ConflictError, CorruptError, RefusedError, isSystemError } from '../pack/errors.js';
import type { ObjectStore } from '../pack/object-store.js';
import type { ObjectFormat } from '../pack/oid.js';
import { type RepoPath, gitlinkMode, repoPath, symlinkMode } from '../pack/tree.js';
import { type StatData, isSameFile, toRoundedStatData } from '../plumbing/index/appearance.js';
import { Index, type IndexEntry, indexEntry } from '../plumbing/index/index-file.js';
import type { Target } from './channel.js';
import { FileWriter, type Hashed, exclusively, findStatus, hasMode, hashFileAt, hashLinkAt, pathBelow } from './file-writer.js';
import { type TreeFile, directoriesOf } from './tree-listing.js';
import { writeTogether } from './writing-together.js';

/** What was written: counts for the receipt, and the record of how every file looked. */
export interface BuiltDirectory {
  readonly files: number;
  readonly bytes: number;
  readonly record: Index;
}

/** A directory to take unchanged large files from. */
export interface CloneSource {
  readonly path: string;
  readonly record: Index;
}

/** A file of a directory that is not what the snapshot says. '' is the target itself. */
export interface Drift {
  readonly path: RepoPath | '';
  readonly kind: 'edited' | 'missing' | 'extra' | 'mode' | 'type' | 'target';
}

/** Smaller files cost less to write than to clone, and are always read from the object store. */
const cloneThresholdBytes = 1024 * 1024;

/** The sibling directory of a target, made when missing; RefusedError when something else has its name. */
export function openContainer(target: Target): void {
  makeDirectories(dirname(target.path));
  try {
    disk().mkdir(target.container, 0o777);
    disk().fsyncDirectory(dirname(target.container));
  } catch (error) {
    if (!isSystemError(error, 'EEXIST')) throw error;
  }
  if (!fs.lstatSync(target.container).isDirectory()) {
    throw new RefusedError(`'${target.container}' is not a directory`, { code: 'container-taken', hint: 'move it away; releases of this target are kept there' });
  }
  // A target inside a work tree: what is published there must not be added to the next snapshot by 'add .'.
  const ignore = join(target.container, '.gitignore');
  if (!fs.existsSync(ignore)) replaceFile(ignore, '*\n');
}

/**
 * Writes `files` below '<container>/<staging>', verifies and syncs them, and gives the result the name '<container>/<directory>'.
 * CorruptError names the object or file that is not what its id says.
 */
export function buildDirectory(store: ObjectStore, files: readonly TreeFile[], container: string, names: { readonly staging: string; readonly directory: string }, source?: CloneSource): BuiltDirectory {
  const staging = join(container, names.staging);
  const root = join(staging, 'tree');
  disk().mkdir(staging, 0o700);
  disk().mkdir(root, 0o777);
  const builder = new Builder(store, root, source);
  builder.write(files);
  const built = builder.finish();
  disk().rename(root, join(container, names.directory));
  disk().fsyncDirectory(staging);
  disk().fsyncDirectory(container);
  disk().rmdir(staging);
  return built;
}

class Builder {
  readonly #store: ObjectStore;
  readonly #root: string;
  readonly #writer: FileWriter;
  readonly #source: CloneSource | undefined;
  readonly #sourcePath: (path: string) => DiskPath;
  readonly #written: DiskPath[] = [];
  readonly #directories: DiskPath[] = [];
  readonly #entries: IndexEntry[] = [];
  #files = 0;
  #bytes = 0;

  constructor(store: ObjectStore, root: string, source: CloneSource | undefined) {
    this.#store = store;
    this.#root = root;
    this.#writer = new FileWriter(store, root);
    this.#source = source;
    this.#sourcePath = pathBelow(source?.path ?? '');
    this.#directories.push(root);
  }

  /** Directories first, symbolic links last, so that nothing can be written through one. */
  write(files: readonly TreeFile[]): void {
    for (const path of directoriesOf(files)) {
      exclusively(path, () => disk().mkdir(this.#writer.path(path), 0o777));
      this.#directories.push(this.#writer.path(path));
    }
    const plain: TreeFile[] = [];
    for (const file of files) {
      if (file.mode === gitlinkMode) {
        this.#entries.push(indexEntry(file));
      } else if (file.mode !== symlinkMode) {
        this.#written.push(this.#writer.path(file.path));
        const cloned = this.#clone(file);
        if (cloned === undefined) plain.push(file);
        else this.#note(file, toRoundedStatData(cloned.status), cloned.status.size);
      }
    }
    writeTogether(this.#store, this.#root, plain, (file, stat, sizeBytes) => this.#note(file, stat, sizeBytes));
    for (const file of files) {
      if (file.mode !== symlinkMode) continue;
      const { status } = this.#writer.writeLink(file);
      this.#note(file, toRoundedStatData(status), status.size);
    }
  }

  /** Makes everything durable; the counts, and the record of how every file looks. */
  finish(): BuiltDirectory {
    syncTogether(this.#root, this.#written, this.#directories);
    return { files: this.#files, bytes: this.#bytes, record: Index.of(this.#entries, this.#store.format) };
  }

  #note({ path, mode, id }: TreeFile, stat: StatData, sizeBytes: number): void {
    this.#files += 1;
    this.#bytes += sizeBytes;
    this.#entries.push(indexEntry({ path, mode, id, stat }));
  }

  /** Takes a large file from the live directory; undefined when it did not. What was cloned is hashed like everything else. */
  #clone(file: TreeFile): Hashed | undefined {
    const entry = this.#source?.record.find(file.path);
    if (entry === undefined || entry.id !== file.id || entry.mode !== file.mode || entry.stat.size < cloneThresholdBytes) return undefined;
    const from = this.#sourcePath(file.path);
    const to = this.#writer.path(file.path);
    const status = findStatus(from);
    if (status === undefined || !hasMode(status, entry.mode) || !isSameFile(entry.stat, status)) return undefined;
    try {
      exclusively(file.path, () => disk().cloneFile(from, to));
    } catch (error) {
      if (!isSystemError(error, 'ENOENT', 'EACCES')) throw error;
      removeIfPresent(to);
      return undefined;
    }
    const cloned = hashFileAt(to, this.#store.format);
    if (cloned?.id === file.id) return cloned;
    disk().unlink(to);
    return undefined;
  }
}

/** True when a directory is still what was verified: nothing extra, every file as recorded or, where only its stat changed, hashed again. */
export function isIntact(path: string, record: Index): boolean {
  const fullPath = pathBelow(path);
  const { count, format } = record;
  const names = new NameCounts();
  for (let at = 0; at < count; at += 1) {
    const mode = record.modeAt(at);
    const name = record.pathAt(at);
    names.add(name);
    if (mode === gitlinkMode) {
      names.addEmpty(name);
      continue;
    }
    const full = fullPath(name);
    const status = findStatus(full);
    if (status === undefined || !hasMode(status, mode)) return false;
    // Device numbers may change with a reboot.
    if (isSameFile(record.statAt(at), status)) continue;
    const found = mode === symlinkMode ? hashLinkAt(full, format) : hashFileAt(full, format);
    if (found?.id !== record.idAt(at)) return false;
  }
  // Every file is there, so a directory with as many names as it should have holds nothing else.
  for (const [directory, expected] of names.list()) {
    const full = directory === '' ? path : fullPath(directory);
    if (findStatus(full)?.isDirectory() !== true || fs.readdirSync(full).length !== expected) return false;
  }
  return true;
}

/** How many names each directory holds, the top as ''; told the paths in their order. */
class NameCounts {
  readonly #counts = new Map<string, number>([['', 0]]);
  /** The directory of the path told last, and its names among those since it was entered. */
  #current = '';
  #since = 0;

  add(path: string): void {
    const slash = path.lastIndexOf('/');
    const current = this.#current;
    if (slash !== (current === '' ? -1 : current.length) || !path.startsWith(current)) this.#enter(slash < 0 ? '' : path.slice(0, slash));
    this.#since += 1;
  }

  /** For a directory that holds nothing of what is told. */
  addEmpty(path: string): void {
    this.#counts.set(path, 0);
  }

  #enter(directory: string): void {
    this.#leave();
    this.#current = directory;
    this.#know(directory);
  }

  /** A directory is a name in its parent. */
  #know(directory: string): void {
    if (this.#counts.has(directory)) return;
    this.#counts.set(directory, 0);
    const parent = directory.slice(0, Math.max(directory.lastIndexOf('/'), 0));
    this.#know(parent);
    this.#counts.set(parent, this.#counts.get(parent)! + 1);
  }

  #leave(): void {
    this.#counts.set(this.#current, this.#counts.get(this.#current)! + this.#since);
    this.#since = 0;
  }

  list(): ReadonlyMap<string, number> {
    this.#leave();
    return this.#counts;
  }
}

/** Compares a directory with a tree's files byte for byte; what differs, in the order of paths, extra files last. */
export function* checkDirectory(path: string, files: readonly TreeFile[], format: ObjectFormat): Generator<Drift> {
  const fullPath = pathBelow(path);
  for (const { path: name, mode, id } of files) {
    const full = fullPath(name);
    const status = findStatus(full);
    if (status === undefined) yield { path: name, kind: 'missing' };
    else if (mode === gitlinkMode ? !status.isDirectory() : mode === symlinkMode ? !status.isSymbolicLink() : !status.isFile()) yield { path: name, kind: 'type' };
    else if (mode !== gitlinkMode) {
      const found = mode === symlinkMode ? hashLinkAt(full, format) : hashFileAt(full, format);
      if (found?.id !== id) yield { path: name, kind: 'edited' };
      else if (!hasMode(status, mode)) yield { path: name, kind: 'mode' };
    }
  }
  yield* findExtra(path, files);
}

/** What lies in a directory and is not among `files` nor on the way to them. */
function* findExtra(root: string, files: readonly Pick<TreeFile, 'path' | 'mode'>[]): Generator<Drift> {
  const expected = new Map<string, Set<string>>([['', new Set()]]);
  const expect = (path: string): void => {
    const slash = path.lastIndexOf('/');
    const parent = slash < 0 ? '' : path.slice(0, slash);
    let names = expected.get(parent);
    if (names === undefined) {
      names = new Set();
      expected.set(parent, names);
      expect(parent);
    }
    names.add(path.slice(slash + 1));
  };
  for (const { path, mode } of files) {
    expect(path);
    if (mode === gitlinkMode) expected.set(path, new Set());
  }
  const fullPath = pathBelow(root);
  for (const [directory, names] of expected) {
    const full = directory === '' ? root : fullPath(directory);
    const status = findStatus(full);
    if (status === undefined) continue;
    if (!status.isDirectory()) {
      yield { path: repoPath(directory), kind: 'type' };
      continue;
    }
    for (const name of fs.readdirSync(full, { encoding: 'latin1' })) {
      if (!names.has(name)) yield { path: repoPath(directory === '' ? name : `${directory}/${name}`), kind: 'extra' };
    }
  }
}

/** Keeps what was verified; durable when it returns. */
export function writeRecord(path: string, record: Index): void {
  replaceFile(path, record.encode());
}

/** Undefined when there is none, or when it cannot be trusted: the directory is then built again. */
export function findRecord(path: string, format: ObjectFormat): Index | undefined {
  if (!fs.existsSync(path)) return undefined;
  try {
    return Index.read(path, format);
  } catch (error) {
    if (error instanceof CorruptError) return undefined;
    throw error;
  }
}

/** Removes a directory of ours, or what is left of it: it first loses its name, so that what is half removed is never taken for whole. */
export function removeDirectory(container: string, name: string, temporary: string): void {
  const path = join(container, name);
  const status = fs.lstatSync(path, { throwIfNoEntry: false });
  if (status !== undefined && !status.isDirectory()) {
    throw new ConflictError(`'${path}' is no longer a directory`, { code: 'directory-replaced', hint: 'remove it by hand' });
  }
  if (status !== undefined && name !== temporary) disk().rename(path, join(container, temporary));
  disk().removeTree(join(container, temporary));
}

/** What a target is: the value of a link, nothing, or something else. */
export type TargetState = { readonly kind: 'link'; readonly value: string } | { readonly kind: 'absent' } | { readonly kind: 'other' };

export function readTarget(target: Target): TargetState {
  const status = fs.lstatSync(target.path, { throwIfNoEntry: false });
  if (status === undefined) return { kind: 'absent' };
  return status.isSymbolicLink() ? { kind: 'link', value: fs.readlinkSync(target.path) } : { kind: 'other' };
}

/** A link's value; null when nothing is there, undefined when something else is. */
export function findLink(target: Target): string | null | undefined {
  const state = readTarget(target);
  return state.kind === 'link' ? state.value : state.kind === 'absent' ? null : undefined;
}

/** The value of the link that makes `directory` live. */
export function linkValue(target: Target, directory: string): string {
  return `${target.containerName}/${directory}`;
}

/** A target that is to point elsewhere; null stands for no link. */
export interface Swap {
  readonly target: Target;
  readonly before: string | null;
  readonly after: string | null;
  /** A private name in the target's sibling directory. */
  readonly temporary: string;
}

/**
 * Makes the targets point to their new values, each by one rename, one right after the other, durable when it returns.
 * ConflictError, with nothing changed, when one is not what was expected to be there.
 */
export function swapTargets(swaps: readonly Swap[]): void {
  for (const { target, before } of swaps) {
    const now = readTarget(target);
    if (now.kind === 'other' || (now.kind === 'link' ? now.value : null) !== before) {
      throw new ConflictError(`target '${target.name}' was changed by somebody else`, { code: 'target-changed', hint: 'look at it, then try again' });
    }
  }
  for (const { target, before, after, temporary } of swaps) {
    if (after === null || after === before) continue;
    removeIfPresent(join(target.container, temporary));
    disk().symlink(after, join(target.container, temporary));
  }
  for (const { target, before, after, temporary } of swaps) {
    if (after === before) continue;
    if (after === null) disk().unlink(target.path);
    else disk().rename(join(target.container, temporary), target.path);
  }
  // Also where nothing changed: a crash may have kept an earlier rename from becoming durable.
  for (const parent of new Set(swaps.map(({ target }) => dirname(target.path)))) disk().fsyncDirectory(parent);
}
