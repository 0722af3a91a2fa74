// Reflogs: what each ref pointed at and when it moved, one line per move, oldest first. Format: gitrepository-layout(5), git-reflog(1).
//
// Untrusted like every file; a garbled line is CorruptError with file and line. The one residue a crash may leave, a last line without
// its end, is not an entry: reading passes over it and the next append removes it. Lines are appended under the ref's lock.
import * as fs from 'node:fs';
import { basename, dirname } from 'node:path';
import { type DiskPath, disk, makeDirectories, removeIfPresent } from '../../pack/disk.js';
import { CorruptError, isSystemError } from '../../pack/errors.js';
import { type Ident, formatIdent, parseIdentLoosely } from '../../pack/ident.js';
import { type ObjectFormat, type ObjectId, hexSize, isObjectId } from '../../pack/oid.js';
import { LockFile, lockSuffix } from '../lockfile.js';
import type { Repository } from '../repository.js';
import { type RefName, decodeRefName, isPerWorkTreeRef, isRefName } from './ref-name.js';
import { listWorkTrees } from '../work-trees.js';

export interface ReflogEntry {
  readonly oldId: ObjectId;
  readonly newId: ObjectId;
  readonly ident: Ident;
  /** latin1 bytes, one line, may be empty. */
  readonly message: string;
  /** The identity as it was written, when it was read from a file: rewriting keeps its bytes. */
  readonly who?: string;
}

/** Reads a reflog's bytes; CorruptError names `origin` and the line. */
export function decodeReflog(bytes: Buffer, format: ObjectFormat, origin: string): ReflogEntry[] {
  const text = bytes.toString('latin1');
  const digits = hexSize(format);
  const entries: ReflogEntry[] = [];
  for (let start = 0; ;) {
    const end = text.indexOf('\n', start);
    if (end < 0) return entries;
    const oldId = text.slice(start, start + digits);
    const newId = text.slice(start + digits + 1, start + 2 * digits + 1);
    const rest = text.slice(start + 2 * digits + 2, end);
    const tab = rest.indexOf('\t');
    const who = tab < 0 ? rest : rest.slice(0, tab);
    if (!isObjectId(oldId, format) || !isObjectId(newId, format) || text[start + digits] !== ' ' || text[start + 2 * digits + 1] !== ' '
      || !/> [0-9]+ [+-][0-9]{4}$/.test(who)) {
      throw new CorruptError(`reflog '${origin}' is damaged at line ${entries.length + 1}`, { code: 'reflog-damaged', hint: 'remove that line with an editor' });
    }
    entries.push({ oldId, newId, ident: parseIdentLoosely(who), message: tab < 0 ? '' : rest.slice(tab + 1), who });
    start = end + 1;
  }
}

/** One line with its end. An entry that was read keeps its tab before an empty message, as git rewrites it. */
export function encodeReflogEntry({ oldId, newId, ident, message, who }: ReflogEntry): Buffer {
  return Buffer.from(`${oldId} ${newId} ${who ?? formatIdent(ident)}${message === '' && who === undefined ? '' : `\t${message}`}\n`, 'latin1');
}

/** A message as reflogs hold it: latin1, on one line, with single spaces. */
export function formatReflogMessage(text: string): string {
  return Buffer.from(text).toString('latin1').replace(/[ \t\n\v\f\r]+/g, ' ').replace(/^ | $/g, '');
}

/** Entries of `name`'s reflog, newest last; empty when it has none. */
export function readReflog(repository: Repository, name: string): ReflogEntry[] {
  const path = repository.refs.logPath(name);
  try {
    return decodeReflog(fs.readFileSync(path), repository.format, String(path));
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR', 'EISDIR')) return [];
    throw error;
  }
}

export function hasReflog(repository: Repository, name: string): boolean {
  return isRefName(name, { oneLevel: true }) && fs.lstatSync(repository.refs.logPath(name), { throwIfNoEntry: false })?.isFile() === true;
}

/** The first ref an abbreviated name may stand for that has a reflog, itself or what it points to. */
export function findLoggedRef(repository: Repository, short: string): string | undefined {
  for (const name of repository.refs.listExpansions(short)) {
    const logged = [name, repository.refs.resolve(name).name].find((each) => hasReflog(repository, each));
    if (logged !== undefined) return logged;
  }
  return undefined;
}

/** Names of all refs that have a reflog, in byte order: the roots a gc must keep. Other work trees' are named 'worktrees/<id>/HEAD' and the like. */
export function* listReflogs(repository: Repository, options: { readonly allWorkTrees?: boolean } = {}): Generator<RefName> {
  const bases = new Set([repository.gitDirectory, repository.commonDirectory]);
  const names = new Set<string>();
  for (const base of bases) {
    for (const name of walk(`${base}/logs/`, '')) {
      const own = isPerWorkTreeRef(name);
      if (bases.size > 1 && own !== (base === repository.gitDirectory)) continue;
      names.add(name);
    }
  }
  for (const latin1 of [...names].sort()) {
    const name = decodeRefName(latin1);
    if (isRefName(name, { oneLevel: true })) yield name;
  }
  if (options.allWorkTrees !== true) return;
  for (const { gitDirectory } of listWorkTrees(repository)) {
    if (gitDirectory === repository.gitDirectory) continue;
    const prefix = gitDirectory === repository.commonDirectory ? 'main-worktree' : `worktrees/${basename(gitDirectory)}`;
    for (const latin1 of [...walk(`${gitDirectory}/logs/`, '')].sort()) {
      const name = `${prefix}/${decodeRefName(latin1)}`;
      if (isPerWorkTreeRef(decodeRefName(latin1)) && isRefName(name)) yield name;
    }
  }
}

function* walk(base: string, directory: string): Generator<string> {
  let entries: fs.Dirent[];
  try {
    entries = fs.readdirSync(Buffer.concat([Buffer.from(base), Buffer.from(directory, 'latin1')]), { withFileTypes: true, encoding: 'latin1' });
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return;
    throw error;
  }
  for (const entry of entries) {
    if (entry.isDirectory()) yield* walk(base, `${directory}${entry.name}/`);
    else if (entry.isFile() && !entry.name.endsWith(lockSuffix)) yield directory + entry.name;
  }
}

/** Files and directories that are not durable yet. */
export interface Unsynced {
  readonly files: DiskPath[];
  readonly directories: Set<DiskPath>;
}

/**
 * Appends one entry; the caller holds the ref's lock, and makes durable what is told to `unsynced`. The file is made when `create`, else only an
 * existing one grows.
 */
export function appendReflog(repository: Repository, name: string, entry: ReflogEntry, create: boolean, unsynced: Unsynced): void {
  const path = repository.refs.logPath(name);
  const existing = fs.lstatSync(path, { throwIfNoEntry: false });
  if (existing?.isDirectory()) removeEmptyDirectories(String(path));
  const isNew = existing?.isFile() !== true;
  if (isNew && !create) return;
  const fd = openLog(path, unsynced);
  try {
    if (!isNew) trimTornEnd(fd, existing.size);
    disk().write(fd, encodeReflogEntry(entry));
  } finally {
    disk().close(fd);
  }
  unsynced.files.push(path);
  if (isNew) unsynced.directories.add(dirname(String(path)));
}

function openLog(path: string | Buffer, { directories }: Unsynced): number {
  try {
    return disk().open(path, 'a+', 0o666);
  } catch (error) {
    if (!isSystemError(error, 'ENOENT')) throw error;
    makeDirectories(dirname(String(path)), { later: directories });
    return disk().open(path, 'a+', 0o666);
  }
}

/** Cuts off what a crash left of a last line. */
function trimTornEnd(fd: number, sizeBytes: number): void {
  if (sizeBytes === 0) return;
  fs.readSync(fd, lastByte, 0, 1, sizeBytes - 1);
  if (lastByte[0] === 10) return;
  const whole = Buffer.alloc(sizeBytes);
  disk().truncate(fd, whole.subarray(0, fs.readSync(fd, whole, 0, sizeBytes, 0)).lastIndexOf(10) + 1);
}

const lastByte = new Uint8Array(1);

/** Removes reflogs and the directories they leave empty; the caller holds the locks of their refs. */
export function removeReflogs(repository: Repository, names: readonly string[]): void {
  const removed: string[] = [];
  for (const name of names) {
    const path = repository.refs.logPath(name);
    try {
      if (removeIfPresent(path) && name.startsWith('refs/')) removed.push(String(path));
    } catch (error) {
      if (!isSystemError(error, 'ENOTDIR', 'EISDIR', 'EPERM')) throw error;
    }
  }
  removeEmptyParents(removed, 'logs/refs');
}

/** Removes empty directories above `paths`, up to but not including two levels below `top` ('refs/heads' itself stays). */
export function removeEmptyParents(paths: readonly string[], top: string): void {
  for (const directory of new Set(paths.map((path) => dirname(path)))) removeWhileEmpty(directory, top);
}

function removeWhileEmpty(lowest: string, top: string): void {
  for (let directory = lowest; ; directory = dirname(directory)) {
    const below = directory.lastIndexOf(`/${top}/`);
    // Git keeps refs/heads and its like: at least one more component must follow.
    if (below < 0 || !directory.slice(below + top.length + 2).includes('/')) return;
    try {
      disk().rmdir(directory);
    } catch (error) {
      if (isSystemError(error, 'ENOTEMPTY', 'EEXIST', 'ENOENT', 'EACCES')) return;
      throw error;
    }
  }
}

/** Removes a directory that holds nothing but empty directories; false when it holds a file. */
export function removeEmptyDirectories(path: string): boolean {
  for (const entry of fs.readdirSync(path, { withFileTypes: true })) {
    if (!entry.isDirectory() || !removeEmptyDirectories(`${path}/${entry.name}`)) return false;
  }
  try {
    disk().rmdir(path);
    return true;
  } catch (error) {
    if (isSystemError(error, 'ENOTEMPTY', 'EEXIST', 'ENOENT')) return false;
    throw error;
  }
}

/** The bytes of a reflog as latin1, up to the end of its last whole line; empty when there is none. */
export function readReflogText(repository: Repository, name: string): string {
  try {
    const text = fs.readFileSync(repository.refs.logPath(name), 'latin1');
    return text.slice(0, text.lastIndexOf('\n') + 1);
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR', 'EISDIR')) return '';
    throw error;
  }
}

/** Puts a whole reflog (latin1) in place, or takes it away when there is nothing in it; the caller holds the lock of its ref. */
export function replaceReflog(repository: Repository, name: string, text: string): void {
  if (text === '') {
    removeReflogs(repository, [name]);
    return;
  }
  const path = String(repository.refs.logPath(name));
  if (fs.lstatSync(path, { throwIfNoEntry: false })?.isDirectory()) removeEmptyDirectories(path);
  makeDirectories(dirname(path));
  using log = LockFile.acquire(path, { holder: repository.lockHolder, durable: repository.hardening.reference });
  log.write(Buffer.from(text, 'latin1'));
  log.commit();
}

/** Rewrites a reflog; the caller holds the lock of its ref. `select` gets the entries and gives those that stay. */
export function rewriteReflog(repository: Repository, name: string, select: (entries: readonly ReflogEntry[]) => readonly ReflogEntry[]): void {
  const path = String(repository.refs.logPath(name));
  const entries = readReflog(repository, name);
  if (entries.length === 0) return;
  using log = LockFile.acquire(path, { holder: repository.lockHolder });
  log.write(Buffer.concat(select(entries).map(encodeReflogEntry)));
  log.commit();
}
