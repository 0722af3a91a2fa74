// A plain directory as one commit: what is archived with --input. Everything is looked at before anything is stored, and what a tree cannot
// hold is refused by name: sockets, pipes, devices, empty directories, unsafe names. Specified in cairn-archive(5), "SUBTREES AND DIRECTORIES".
//
// Files are opened without following links and without blocking. A file that changes while it is read is a ConflictError.
import * as fs from 'node:fs';
import { encodeCommit } from '../../pack/commit.js';
import { ConflictError, InvalidError, RefusedError, isSystemError } from '../../pack/errors.js';
import { streamThresholdBytes } from '../../pack/object.js';
import { Hasher, type ObjectId } from '../../pack/oid.js';
import { type BulkWriter, PackWriter } from '../../pack/pack-writer.js';
import { type RepoPath, executableMode, fileMode, pathToUtf8, repoPath, symlinkMode } from '../../pack/tree.js';
import type { Steps } from '../../plumbing/interruption.js';
import { findPathFault, fullProtection } from '../../plumbing/path-safety.js';
import type { Repository } from '../../plumbing/repository.js';
import { hashFileAt, hashLinkAt } from '../file-writer.js';
import { TreeBuilder } from '../tree-builder.js';
import type { TreeFile } from '../tree-listing.js';
import { checksumsName, compareChecksums, parseChecksums } from './checksums.js';
import { readPieces } from './named-file.js';

/** A file or symbolic link below the directory. */
export interface FoundFile {
  readonly path: RepoPath;
  readonly mode: number;
}

const mostShown = 10;
const deepest = 2048;

export class DirectorySnapshot {
  readonly #root: Buffer;

  /** InvalidError when `root` is no directory. */
  constructor(root: string) {
    const status = fs.statSync(root, { throwIfNoEntry: false });
    if (status === undefined) throw new InvalidError(`'${root}' does not exist`, { code: 'no-such-directory' });
    if (!status.isDirectory()) throw new InvalidError(`'${root}' is not a directory`, { code: 'not-a-directory' });
    this.#root = Buffer.from(root.replace(/\/+$/, '') || '/');
  }

  #at(path: RepoPath): Buffer {
    return path === '' ? this.#root : Buffer.concat([this.#root, Buffer.from(`/${path}`, 'latin1')]);
  }

  /** Everything in it, in the order of trees; RefusedError that names what cannot be held. */
  *list(): Steps<FoundFile[]> {
    const found: FoundFile[] = [];
    const faults: string[] = [];
    yield* this.#listBelow(repoPath(''), 0, found, faults);
    if (faults.length > 0) {
      const more = faults.length > mostShown ? `, and ${faults.length - mostShown} more` : '';
      throw new RefusedError(`the directory has what an archive cannot hold: ${faults.slice(0, mostShown).join(', ')}${more}`, { code: 'not-archivable' });
    }
    if (found.length === 0) throw new InvalidError('there is nothing to archive: the directory is empty', { code: 'empty-selection' });
    return found;
  }

  *#listBelow(directory: RepoPath, depth: number, found: FoundFile[], faults: string[]): Steps<void> {
    if (depth > deepest) throw new RefusedError(`'${pathToUtf8(directory)}' is nested more than ${deepest} deep`, { code: 'tree-too-deep' });
    let names: Buffer[];
    try {
      names = fs.readdirSync(this.#at(directory), { encoding: 'buffer' });
    } catch (error) {
      if (!isSystemError(error, 'EACCES', 'EPERM')) throw error;
      faults.push(`directory '${pathToUtf8(directory)}' (not readable)`);
      return;
    }
    if (names.length === 0 && directory !== '') faults.push(`directory '${pathToUtf8(directory)}' (empty)`);
    for (const name of names.map((bytes) => bytes.toString('latin1')).sort()) {
      const path = repoPath(directory === '' ? name : `${directory}/${name}`);
      const shown = pathToUtf8(path);
      const status = fs.lstatSync(this.#at(path));
      const mode = status.isSymbolicLink() ? symlinkMode : (status.mode & 0o100) !== 0 ? executableMode : fileMode;
      const fault = findPathFault(path, fullProtection, mode);
      if (fault !== undefined) faults.push(`'${shown}' (${fault})`);
      else if (status.isDirectory()) yield* this.#listBelow(path, depth + 1, found, faults);
      else if (status.isSymbolicLink()) found.push({ path, mode });
      else if (!status.isFile()) faults.push(`'${shown}' (${kindOf(status)})`);
      else if (this.#isReadable(path)) found.push({ path, mode });
      else faults.push(`'${shown}' (not readable)`);
      yield;
    }
  }

  #isReadable(path: RepoPath): boolean {
    try {
      fs.accessSync(this.#at(path), fs.constants.R_OK);
      return true;
    } catch (error) {
      if (isSystemError(error, 'EACCES', 'EPERM')) return false;
      throw error;
    }
  }

  /** Compares the directory with the CHECKSUMS file at its top, where it has one. */
  *checkSums(files: readonly FoundFile[]): Steps<void> {
    const regular = files.filter(({ mode }) => mode !== symlinkMode).map(({ path }) => path);
    if (!regular.includes(checksumsName)) return;
    yield* compareChecksums(parseChecksums(fs.readFileSync(this.#at(checksumsName), 'latin1')), regular, (path) => this.#digest(path));
  }

  *#digest(path: RepoPath): Steps<string> {
    const hasher = new Hasher('sha256');
    const fd = this.#open(path);
    try {
      for (const piece of readPieces(fd)) {
        hasher.update(piece);
        yield;
      }
    } finally {
      fs.closeSync(fd);
    }
    return hasher.digestId();
  }

  #open(path: RepoPath): number {
    try {
      return fs.openSync(this.#at(path), fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK);
    } catch (error) {
      if (isSystemError(error, 'ELOOP', 'ENOENT', 'ENXIO')) throw changed(path);
      throw error;
    }
  }

  /** Stores it all as one commit without parents; its id. */
  *store(repository: Repository, files: readonly FoundFile[], seconds: number): Steps<ObjectId> {
    // What is compressed the same way everywhere later need not be compressed now.
    using writer = new PackWriter(`${repository.objectsDirectory}/pack`, repository.format, { level: 0 });
    const tree = yield* this.storeTree(writer, files);
    const person = { name: 'cairn archive', email: 'archive@cairn.invalid', seconds, offset: '+0000' };
    const commit = encodeCommit({ tree, parents: [], author: person, committer: person, extraHeaders: [], message: Buffer.from('Archive of a directory\n') });
    const id = writer.add('commit', commit);
    writer.finish();
    repository.objects.refresh();
    return id;
  }

  /** Stores files and trees; the id of the topmost tree. */
  *storeTree(writer: BulkWriter, files: readonly FoundFile[]): Steps<ObjectId> {
    const top = new TreeBuilder();
    for (const { path, mode } of files) {
      top.add(path, mode, mode === symlinkMode ? writer.add('blob', this.#readLink(path)) : this.#storeFile(writer, path));
      yield;
    }
    return top.store(writer);
  }

  #readLink(path: RepoPath): Buffer {
    try {
      return fs.readlinkSync(this.#at(path), { encoding: 'buffer' });
    } catch (error) {
      if (isSystemError(error, 'EINVAL', 'ENOENT')) throw changed(path);
      throw error;
    }
  }

  #storeFile(writer: BulkWriter, path: RepoPath): ObjectId {
    const fd = this.#open(path);
    try {
      const before = fs.fstatSync(fd, { bigint: true });
      if (!before.isFile()) throw changed(path);
      const sizeBytes = Number(before.size);
      const id = sizeBytes < streamThresholdBytes ? writer.add('blob', readWhole(fd, sizeBytes, path)) : writer.addStream('blob', sizeBytes, readPieces(fd));
      const after = fs.fstatSync(fd, { bigint: true });
      if (after.size !== before.size || after.mtimeNs !== before.mtimeNs) throw changed(path);
      return id;
    } catch (error) {
      if (error instanceof InvalidError && error.code === 'size-changed') throw changed(path);
      throw error;
    } finally {
      fs.closeSync(fd);
    }
  }

  /** How the directory differs from a tree by now, a line each. Every file is read again. */
  *compare(repository: Repository, tree: readonly TreeFile[]): Steps<string[]> {
    const differences: string[] = [];
    const left = new Map(tree.map((file) => [file.path, file]));
    for (const { path, mode } of yield* this.list()) {
      const stored = left.get(path);
      left.delete(path);
      const shown = JSON.stringify(pathToUtf8(path));
      const hashed = mode === symlinkMode ? hashLinkAt(this.#at(path), repository.format) : hashFileAt(this.#at(path), repository.format);
      if (stored === undefined) differences.push(`extra ${shown}`);
      else if (stored.mode !== mode) differences.push(`mode ${shown}`);
      else if (hashed?.id !== stored.id) differences.push(`content ${shown}`);
      yield;
    }
    for (const { path } of left.values()) differences.push(`missing ${JSON.stringify(pathToUtf8(path))}`);
    return differences;
  }
}

function changed(path: RepoPath): ConflictError {
  return new ConflictError(`'${pathToUtf8(path)}' changed while it was read`, { code: 'file-changed', hint: 'run the command again when nobody writes there' });
}

function readWhole(fd: number, sizeBytes: number, path: RepoPath): Buffer {
  const bytes = Buffer.allocUnsafe(sizeBytes);
  let done = 0;
  while (done < sizeBytes) {
    const got = fs.readSync(fd, bytes, done, sizeBytes - done, done);
    if (got === 0) throw changed(path);
    done += got;
  }
  return bytes;
}

function kindOf(status: fs.Stats): string {
  if (status.isSocket()) return 'a socket';
  if (status.isFIFO()) return 'a pipe';
  return 'a device';
}
