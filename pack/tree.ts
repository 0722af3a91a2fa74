// Trees: one directory level, "<octal mode> <name>\0<raw id>" after one another, sorted as git-mktree(1) and gitformat-index
// describe: by bytes, a directory as if its name ended in '/'.
//
// Reading is as tolerant as git's reader (odd modes are made canonical, order is not checked; plumbing/objects/fsck.ts is strict);
// writing is strict: what encodeTree gives back is sorted, without duplicates, and every name is one path component.
import { CorruptError, InvalidError, RefusedError } from './errors.js';
import { decodeObjectId, isObjectId, rawSize } from './oid.js';
import type { ObjectFormat, ObjectId } from './oid.js';

declare const repoPathBrand: unique symbol;
/** A path inside a tree as a latin1 byte string (one character is one byte): it sorts like memcmp and round-trips any name. */
export type RepoPath = string & { readonly [repoPathBrand]: true };

/** The modes git stores. */
export type FileMode = 0o100644 | 0o100755 | 0o120000 | 0o160000 | 0o040000;

export const fileMode = 0o100644;
export const executableMode = 0o100755;
export const symlinkMode = 0o120000;
export const gitlinkMode = 0o160000;

export interface TreeEntry {
  readonly mode: number;
  /** latin1, one path component. */
  readonly name: string;
  readonly id: ObjectId;
}

/** Brands a latin1 byte string; checks nothing (plumbing/index/work-tree.ts `checkPath` does). */
export function repoPath(latin1: string): RepoPath {
  return latin1 as RepoPath;
}

/** The path whose bytes are the UTF-8 of `text`. */
export function pathFromUtf8(text: string): RepoPath {
  return Buffer.from(text, 'utf8').toString('latin1') as RepoPath;
}

/** The path read as UTF-8, for people; bytes that are not UTF-8 become replacement characters. */
export function pathToUtf8(path: RepoPath): string {
  return Buffer.from(path, 'latin1').toString('utf8');
}

/** Six octal digits, '040000' for a directory, as ls-tree prints them. */
export function formatMode(mode: number): string {
  return mode.toString(8).padStart(6, '0');
}

/** What an entry with this mode names: a gitlink names a commit of another repository. */
export function typeOfMode(mode: number): 'blob' | 'tree' | 'commit' {
  const kind = mode & 0o170000;
  return kind === 0o040000 ? 'tree' : kind === 0o160000 ? 'commit' : 'blob';
}

/** Trees below this many others are refused by whoever walks down: no file system has such paths, and hostile ones would use up the stack. */
export const deepestTree = 2048;

/** RefusedError 'tree-too-deep' when `id` lies below so many trees that walking on could not end well. */
export function checkTreeDepth(depth: number, id: ObjectId): void {
  if (depth > deepestTree) throw new RefusedError(`tree '${id}' is nested more than ${deepestTree} deep`, { code: 'tree-too-deep' });
}

export function isTreeMode(mode: number): boolean {
  return (mode & 0o170000) === 0o040000;
}

/** The nearest mode git writes today; old trees hold others (100664). */
export function canonicalMode(mode: number): FileMode {
  switch (mode & 0o170000) {
    case 0o100000: return (mode & 0o100) !== 0 ? 0o100755 : 0o100644;
    case 0o120000: return 0o120000;
    case 0o040000: return 0o040000;
    default: return 0o160000;
  }
}

/** The order of names in a tree: negative, zero or positive; zero only for the same name and kind. */
export function compareTreeNames(a: string, aIsTree: boolean, b: string, bIsTree: boolean): number {
  const left = aIsTree ? `${a}/` : a;
  const right = bIsTree ? `${b}/` : b;
  return left < right ? -1 : left > right ? 1 : 0;
}

/** Entries in stored order, modes made canonical; CorruptError when the bytes end early or a mode or name cannot be read. */
export function decodeTree(bytes: Buffer, format: ObjectFormat): TreeEntry[] {
  const entries: TreeEntry[] = [];
  const scanner = new TreeScanner(format);
  for (let at = 0; at < bytes.length;) {
    at = scanner.scan(bytes, at, bytes.length);
    entries.push({
      mode: canonicalMode(scanner.mode),
      name: bytes.toString('latin1', scanner.nameStart, scanner.nameEnd),
      id: decodeObjectId(bytes, scanner.idAt, format),
    });
  }
  return entries;
}

/** Finds out where the parts of one entry after another are, for who makes nothing of most of them. */
export class TreeScanner {
  /** As stored. */
  mode = 0;
  nameStart = 0;
  nameEnd = 0;
  /** Of the raw id. */
  idAt = 0;
  readonly #idSize: number;

  constructor(format: ObjectFormat) {
    this.#idSize = rawSize(format);
  }

  /** Looks at the entry at `start` of a tree that ends at `end`; gives where the next one is. CorruptError as decodeTree. */
  scan(bytes: Uint8Array, start: number, end: number): number {
    let mode = 0;
    let at = start;
    for (; at < end && bytes[at] !== 0x20; at += 1) {
      const digit = bytes[at]! - 0x30;
      if (digit < 0 || digit > 7 || at - start > 10) throw damaged('a mode is not octal', start);
      mode = mode * 8 + digit;
    }
    if (at === start || at >= end) throw damaged('a mode is missing', start);
    this.mode = mode;
    this.nameStart = at + 1;
    let nul = at + 1;
    while (nul < end && bytes[nul] !== 0) nul += 1;
    if (nul + 1 + this.#idSize > end) throw damaged('it ends inside an entry', start);
    if (nul === at + 1) throw damaged('a name is empty', start);
    this.nameEnd = nul;
    this.idAt = nul + 1;
    return nul + 1 + this.#idSize;
  }
}

function damaged(what: string, offset: number): CorruptError {
  return new CorruptError(`tree is damaged: ${what} at byte ${offset}`, { code: 'bad-tree' });
}

/** The bytes of a tree with these entries, in any order; InvalidError for a duplicate or a name that is not one component. */
export function encodeTree(entries: readonly TreeEntry[], format: ObjectFormat): Buffer {
  const names = new Set<string>();
  let sizeBytes = 0;
  const keyed = entries.map((entry) => {
    checkEntry(entry, format);
    if (names.size === names.add(entry.name).size) {
      throw new InvalidError(`tree has two entries named '${entry.name}'`, { code: 'duplicate-entry' });
    }
    const mode = entry.mode.toString(8);
    sizeBytes += mode.length + 1 + entry.name.length + 1 + rawSize(format);
    return { key: isTreeMode(entry.mode) ? `${entry.name}/` : entry.name, mode, entry };
  });
  let sorted = true;
  for (let at = 1; at < keyed.length && sorted; at += 1) sorted = keyed[at - 1]!.key < keyed[at]!.key;
  if (!sorted) keyed.sort((a, b) => (a.key < b.key ? -1 : 1));
  const bytes = Buffer.allocUnsafe(sizeBytes);
  let at = 0;
  for (const { mode, entry } of keyed) {
    at += bytes.write(`${mode} ${entry.name}\0`, at, 'latin1');
    at += bytes.write(entry.id, at, 'hex');
  }
  return bytes;
}

function checkEntry({ mode, name, id }: TreeEntry, format: ObjectFormat): void {
  if (name === '' || name.includes('/') || name.includes('\0')) {
    throw new InvalidError(`'${name}' cannot be the name of a tree entry`, { code: 'bad-entry-name' });
  }
  if (!isObjectId(id, format)) throw new InvalidError(`'${id}' is not a ${format} object id`, { code: 'bad-object-id' });
  if (!Number.isInteger(mode) || mode <= 0 || mode > 0o177777) throw new InvalidError(`'${mode}' is not a file mode`, { code: 'bad-mode' });
}
