// Lists of SHA-256 digests as sha256sum(1) writes and checks them, odd names escaped as GNU does. Specified in cairn-archive(5), "CHECKSUMS".
// Paths are RepoPath (latin1 byte strings), so are the lists. Reading files only.
import * as fs from 'node:fs';
import { CorruptError, InvalidError } from '../../pack/errors.js';
import type { ObjectStore } from '../../pack/object-store.js';
import { Hasher, type ObjectId } from '../../pack/oid.js';
import { type RepoPath, gitlinkMode, pathToUtf8, repoPath, symlinkMode } from '../../pack/tree.js';
import type { Steps } from '../../plumbing/interruption.js';
import { findPathFault } from '../../plumbing/path-safety.js';
import { listTreeFiles } from '../tree-listing.js';
import { openRegularFile, readPieces } from './named-file.js';
import type { FileDigest } from './sidecar.js';

/** The name of the list at the top of a directory. */
export const checksumsName = repoPath('CHECKSUMS');

/** One line, with its end; latin1. */
export function formatChecksum(sha256: string, path: RepoPath): string {
  const escaped = path.replace(/[\\\n\r]/g, (letter) => (letter === '\\' ? '\\\\' : letter === '\n' ? '\\n' : '\\r'));
  return `${escaped === path ? '' : '\\'}${sha256}  ${escaped}\n`;
}

/** Digests by path; InvalidError for a line that is none, a path that leaves the directory, or one that is listed twice. */
export function parseChecksums(text: string): Map<RepoPath, string> {
  const found = new Map<RepoPath, string>();
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  for (const [at, line] of lines.entries()) {
    const bad = (what: string): InvalidError => new InvalidError(`line ${at + 1} of CHECKSUMS ${what}`, { code: 'bad-checksums' });
    const [, escape, sha256, typed] = /^(\\?)([0-9a-fA-F]{64}) [ *](.+)$/s.exec(line) ?? [];
    if (sha256 === undefined || typed === undefined) throw bad('is no SHA-256 digest and a path');
    if (escape === '\\' && !/^(?:[^\\]|\\[\\nr])*$/s.test(typed)) throw bad('has an escape that is not known');
    const plain = escape === '\\' ? typed.replace(/\\([\\nr])/g, (_all, letter: string) => (letter === 'n' ? '\n' : letter === 'r' ? '\r' : '\\')) : typed;
    const path = repoPath(plain.replace(/^(?:\.\/)+/, ''));
    const fault = findPathFault(path, { protectNtfs: false, protectHfs: false });
    if (fault !== undefined) throw bad(`has a path that cannot be: ${fault}`);
    if (found.has(path)) throw bad(`lists '${pathToUtf8(path)}' again`);
    found.set(path, sha256.toLowerCase());
  }
  return found;
}

/** The list of a tree's regular files, in the order of their bytes; latin1. */
export function* describeTree(store: ObjectStore, tree: ObjectId): Steps<string> {
  const lines: string[] = [];
  const files = listTreeFiles(store, tree, { protectNtfs: false, protectHfs: false }).filter(({ mode }) => mode !== symlinkMode && mode !== gitlinkMode);
  for (const { path, id } of files.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))) {
    const hasher = new Hasher('sha256');
    for (const chunk of store.openStream(id).chunks) {
      hasher.update(chunk);
      yield;
    }
    lines.push(formatChecksum(hasher.digestId(), path));
  }
  return lines.join('');
}

/** Digest and size of a regular file. */
export function* digestFile(path: string): Steps<FileDigest> {
  const { fd } = openRegularFile(path);
  try {
    return yield* digestPieces(readPieces(fd));
  } finally {
    fs.closeSync(fd);
  }
}

function* digestPieces(pieces: Iterable<Buffer>): Steps<FileDigest> {
  const hasher = new Hasher('sha256');
  let sizeBytes = 0;
  for (const piece of pieces) {
    hasher.update(piece);
    sizeBytes += piece.length;
    yield;
  }
  return { sha256: hasher.digestId(), sizeBytes };
}

/** Compares a list with the regular files of a directory; CorruptError that names what is missing, not listed or different. */
export function* compareChecksums(listed: ReadonlyMap<RepoPath, string>, files: readonly RepoPath[], digest: (path: RepoPath) => Steps<string>): Steps<void> {
  const faults: string[] = [];
  const left = new Set(listed.keys());
  for (const path of files) {
    if (path === checksumsName) continue;
    left.delete(path);
    const expected = listed.get(path);
    if (expected === undefined) faults.push(`'${pathToUtf8(path)}' is not listed`);
    else if ((yield* digest(path)) !== expected) faults.push(`'${pathToUtf8(path)}' differs`);
  }
  for (const path of left) faults.push(`'${pathToUtf8(path)}' is missing, or is no regular file`);
  if (faults.length === 0) return;
  throw new CorruptError(`CHECKSUMS does not match: ${faults.slice(0, 8).join(', ')}${faults.length > 8 ? `, and ${faults.length - 8} more` : ''}`, { code: 'checksums-mismatch' });
}
