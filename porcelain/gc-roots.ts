// Everything that keeps an object alive (man/cairn-safety.7, "What is kept"): refs of every work tree, reflogs, indexes,
// operations in progress, releases, runs, holds, grafts. gc, and nothing else, asks here what may not be deleted.
//
// Invariant: what cannot be read or understood is an error that names it (CorruptError, code 'gc-root-damaged'), never an
// empty list, for a root overlooked is data lost. Read before any lock: refs may move meanwhile, so gc asks again before it deletes.
// Nothing is written.
import * as fs from 'node:fs';
import { join } from 'node:path';
import { CairnError, CorruptError, isSystemError } from '../pack/errors.js';
import { type ObjectId, hexSize, isZeroId } from '../pack/oid.js';
import { type CacheTree } from '../plumbing/index/cache-tree.js';
import { Index } from '../plumbing/index/index-file.js';
import { lockSuffix } from '../plumbing/lockfile.js';
import { decodeReflog } from '../plumbing/refs/reflog.js';
import { decodeLooseRef } from '../plumbing/refs/refs.js';
import type { Repository } from '../plumbing/repository.js';
import { listReleaseRoots } from './release-roots.js';

/** What kind of thing keeps an object; reports count by it, in this order. */
export const rootKinds = ['ref', 'release', 'run', 'hold', 'index', 'reflog', 'operation'] as const;
export type RootKind = (typeof rootKinds)[number];

/** One reason to keep an object and what it reaches. */
export interface Root {
  readonly kind: RootKind;
  /** For people: 'refs/heads/main', 'reflog of refs/heads/main', 'index', 'rebase-merge/onto'. */
  readonly source: string;
  readonly id: ObjectId;
  /** A mention rather than a promise (an old reflog entry, a half-written file): it keeps what is there, and nothing is wrong when it is not. */
  readonly isWeak: boolean;
}

/** A file larger than this is not a ref, a reflog or a note of an operation that anybody wrote. */
const largestStateBytes = 256 * 1024 * 1024;

/** Every root of the repository, those of linked work trees included; CorruptError when one cannot be told. */
export function* listRoots(repository: Repository): Generator<Root> {
  const { commonDirectory } = repository;
  for (const place of listPlaces(repository)) {
    yield* listLooseRefs(repository, place);
    yield* listStateFiles(repository, place);
    yield* listReflogRoots(repository, place);
    yield* listOperations(repository, place);
  }
  // After the loose ones: a ref that was packed meanwhile is seen here.
  yield* guarded('packed-refs', listPackedRefs(repository));
  yield* guarded('releases', listReleases(repository));
  yield* listGrafts(repository, commonDirectory);
  const named = repository.context.env['GIT_INDEX_FILE'];
  if (named) yield* listIndex(repository, repository.indexPath, named, false);
}

/** Commits whose parents were left out on purpose (shallow clones). */
export function readShallow(repository: Repository): Set<ObjectId> {
  const text = readState(join(repository.commonDirectory, 'shallow')) ?? '';
  const ids = new Set<ObjectId>();
  for (const line of text.split('\n')) {
    if (line === '') continue;
    if (line.length !== hexSize(repository.format) || !/^[0-9a-f]+$/.test(line)) throw damagedRoot('shallow', 'a line is no object id');
    ids.add(line as ObjectId);
  }
  return ids;
}

/** A work tree's own part of the repository; `name` is empty for the main one. */
interface Place {
  readonly directory: string;
  readonly prefix: string;
}

function listPlaces(repository: Repository): Place[] {
  const { commonDirectory } = repository;
  const names = readNames(Buffer.from(join(commonDirectory, 'worktrees'))).filter((entry) => entry.isDirectory()).map(({ name }) => name).sort();
  return [
    { directory: commonDirectory, prefix: '' },
    ...names.map((name) => ({ directory: join(commonDirectory, 'worktrees', Buffer.from(name, 'latin1').toString()), prefix: `worktrees/${name}/` })),
  ];
}

function kindOfRef(name: string): RootKind {
  if (name.startsWith('refs/runs/') || name.startsWith('refs/cairn/meta/')) return 'run';
  if (name.startsWith('refs/releases/') || name.startsWith('refs/cairn/')) return 'release';
  if (name.startsWith('refs/holds/')) return 'hold';
  return 'ref';
}

function* listLooseRefs(repository: Repository, place: Place): Generator<Root> {
  for (const name of walk(place.directory, 'refs/')) {
    const source = place.prefix + name;
    const text = readState(pathBelow(place.directory, name));
    if (text === undefined) continue;
    if (name.endsWith(lockSuffix)) {
      // About to become the ref's value, if its writer gets that far.
      yield* mentionedIds(repository, text, 'ref', source);
      continue;
    }
    const raw = decodeLooseRef(text, repository.format);
    if (typeof raw === 'string') throw damagedRoot(source, raw);
    if (raw.kind === 'id') yield { kind: kindOfRef(name), source, id: raw.id, isWeak: false };
  }
}

function* listPackedRefs(repository: Repository): Generator<Root> {
  for (const { name, id } of repository.refs.packed().list('')) yield { kind: kindOfRef(name), source: name, id, isWeak: false };
}

/** Receipts, which refs keep too, and what a release in the making is about to name. */
function* listReleases(repository: Repository): Generator<Root> {
  for (const { id, reason } of listReleaseRoots(repository)) yield { kind: 'release', source: reason, id, isWeak: false };
}

/** HEAD and its like, indexes, and other notes directly in the directory. */
function* listStateFiles(repository: Repository, place: Place): Generator<Root> {
  for (const entry of readNames(Buffer.from(place.directory))) {
    if (!entry.isFile() && !entry.isSymbolicLink()) continue;
    const { name } = entry;
    const source = place.prefix + name;
    const path = pathBelow(place.directory, name);
    // FETCH_HEAD is appended to in place, so it may be half written; losing a mention there loses nothing anybody was promised.
    if (name === 'FETCH_HEAD') yield* mentionedIds(repository, readState(path) ?? '', 'operation', source);
    else if (/^(.*_)?HEAD$/.test(name)) yield* listHead(repository, path, source, name);
    else if (/^[A-Z][A-Z_]*$/.test(name)) yield* mentionedIds(repository, readState(path) ?? '', 'operation', source);
    else if (name === 'index') yield* listIndex(repository, path, source, false);
    // 'index.lock' becomes the index; commit and stash make others beside it, named as they like.
    else if (startsAsIndex(path)) yield* listIndex(repository, path, source, true);
  }
}

/** A pseudo-ref: one id, a symbolic ref, or (MERGE_HEAD) one id per line. */
function* listHead(repository: Repository, path: Buffer, source: string, name: string): Generator<Root> {
  const text = readState(path);
  if (text === undefined) return;
  if (text.startsWith('ref:')) {
    const raw = decodeLooseRef(text, repository.format);
    if (typeof raw === 'string') throw damagedRoot(source, raw);
    return;
  }
  const lines = text.split('\n').filter((line) => line !== '');
  if (lines.length === 0) throw damagedRoot(source, 'it is empty');
  for (const line of lines) {
    const raw = decodeLooseRef(line, repository.format);
    if (typeof raw === 'string' || raw.kind !== 'id') throw damagedRoot(source, typeof raw === 'string' ? raw : 'it holds no object id');
    // A work tree that is being made, or whose making was cut short, is nowhere yet.
    if (name === 'HEAD' && source !== name && isZeroId(raw.id)) continue;
    const kind = name === 'HEAD' ? 'ref' : 'operation';
    // What was once fetched or merged may be gone with its remote branch; where HEAD is may not.
    yield { kind, source, id: raw.id, isWeak: name !== 'HEAD' };
  }
}

function* listReflogRoots(repository: Repository, place: Place): Generator<Root> {
  for (const name of walk(place.directory, 'logs/')) {
    const source = `reflog of ${place.prefix}${name.slice('logs/'.length)}`;
    const path = pathBelow(place.directory, name);
    if (name.endsWith(lockSuffix)) {
      yield* mentionedIds(repository, readState(path) ?? '', 'reflog', source);
      continue;
    }
    const text = readState(path);
    if (text === undefined) continue;
    const entries = guard(source, () => decodeReflog(Buffer.from(text, 'latin1'), repository.format, source));
    for (const { oldId, newId } of entries) {
      for (const id of [oldId, newId]) if (!isZeroId(id)) yield { kind: 'reflog', source, id, isWeak: true };
    }
    // A last line that a crash cut off still keeps what it names.
    yield* mentionedIds(repository, text.slice(text.lastIndexOf('\n') + 1), 'reflog', source);
  }
}

/** Entries, and trees the cache-tree remembers. `isWeak`: being written, or not git's name for it, so it may be anything. */
function* listIndex(repository: Repository, path: string | Buffer, source: string, isWeak: boolean): Generator<Root> {
  let index: Index;
  try {
    const bytes = readBytes(path);
    if (bytes === undefined || bytes.length === 0) return;
    index = Index.decode(bytes, repository.format);
  } catch (error) {
    if (isWeak && error instanceof CairnError) return;
    if (error instanceof CairnError) throw damagedRoot(source, error.message, error);
    throw error;
  }
  for (const { id, mode, intentToAdd } of index.entries) {
    if (mode !== 0o160000) yield { kind: 'index', source, id, isWeak: isWeak || intentToAdd };
  }
  if (index.cacheTree !== undefined) yield* listCacheTree(index.cacheTree, source);
}

function* listCacheTree(node: CacheTree, source: string): Generator<Root> {
  const pending = [node];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (next.isValid && next.id !== undefined) yield { kind: 'index', source, id: next.id, isWeak: true };
    pending.push(...next.children.values());
  }
}

/** Rebases, cherry-picks and the like in progress: every file they keep, every id in it, abbreviated ones too. */
function* listOperations(repository: Repository, place: Place): Generator<Root> {
  for (const drawer of ['rebase-merge/', 'rebase-apply/', 'sequencer/']) {
    for (const name of walk(place.directory, drawer)) {
      const text = readState(pathBelow(place.directory, name)) ?? '';
      yield* mentionedIds(repository, text, 'operation', place.prefix + name, true);
    }
  }
}

/** Old-style grafts give commits other parents; both kinds are kept. */
function* listGrafts(repository: Repository, directory: string): Generator<Root> {
  yield* mentionedIds(repository, readState(join(directory, 'info/grafts')) ?? '', 'ref', 'info/grafts');
}

/** Everything in a text that could be an object id, as weak roots. */
function* mentionedIds(repository: Repository, text: string, kind: RootKind, source: string, abbreviated = false): Generator<Root> {
  const digits = hexSize(repository.format);
  const seen = new Set<string>();
  for (const [word] of text.matchAll(abbreviated ? /\b[0-9a-f]{7,}\b/g : /[0-9a-f]{40,}/g)) {
    if (seen.has(word)) continue;
    seen.add(word);
    if (word.length === digits) {
      yield { kind, source, id: word as ObjectId, isWeak: true };
    } else if (word.length < digits) {
      if (abbreviated) for (const id of repository.objects.findByPrefix(word)) yield { kind, source, id, isWeak: true };
    } else {
      // Two writes that ran into one another: either end may be an id.
      yield { kind, source, id: word.slice(0, digits) as ObjectId, isWeak: true };
      yield { kind, source, id: word.slice(-digits) as ObjectId, isWeak: true };
    }
  }
}

/** Latin1 names of all files below a directory, relative to `base`. */
function* walk(base: string, directory: string): Generator<string> {
  for (const entry of readNames(pathBelow(base, directory))) {
    if (entry.isDirectory()) yield* walk(base, `${directory}${entry.name}/`);
    else yield directory + entry.name;
  }
}

function pathBelow(base: string, latin1: string): Buffer {
  return Buffer.concat([Buffer.from(`${base}/`), Buffer.from(latin1, 'latin1')]);
}

/** Entries of a directory, names as latin1; none when there is no such directory. */
function readNames(path: Buffer): fs.Dirent[] {
  return guard(path.toString(), () => {
    try {
      return fs.readdirSync(path, { withFileTypes: true, encoding: 'latin1' });
    } catch (error) {
      if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return [];
      throw error;
    }
  });
}

/** A file's text as latin1; undefined when it is gone. A symbolic link (HEAD in git's oldest form) reads as the ref it points at. */
function readState(path: string | Buffer): string | undefined {
  const status = guard(String(path), () => fs.lstatSync(path, { throwIfNoEntry: false }));
  if (status?.isSymbolicLink()) {
    const target = fs.readlinkSync(path, 'latin1');
    if (target.startsWith('refs/')) return `ref: ${target}\n`;
  }
  return readBytes(path)?.toString('latin1');
}

function readBytes(path: string | Buffer): Buffer | undefined {
  return guard(String(path), () => {
    try {
      const { size } = fs.statSync(path);
      if (size > largestStateBytes) throw damagedRoot(String(path), `it is ${size} bytes long`);
      return fs.readFileSync(path);
    } catch (error) {
      if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return undefined;
      throw error;
    }
  });
}

function startsAsIndex(path: Buffer): boolean {
  return guard(String(path), () => {
    let fd: number;
    try {
      fd = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
    } catch (error) {
      if (isSystemError(error, 'ENOENT', 'ENXIO', 'ELOOP')) return false;
      throw error;
    }
    try {
      const head = Buffer.alloc(4);
      return fs.readSync(fd, head, 0, 4, 0) === 4 && head.toString('latin1') === 'DIRC';
    } finally {
      fs.closeSync(fd);
    }
  });
}

/** What the system or a decoder says, with the root's name. */
function guard<Value>(source: string, read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    if (error instanceof CorruptError && error.code === 'gc-root-damaged') throw error;
    if (error instanceof CairnError) throw damagedRoot(source, error.message, error);
    if (error instanceof Error && 'syscall' in error) throw damagedRoot(source, `it cannot be read (${error.message})`, error);
    throw error;
  }
}

function* guarded(source: string, roots: Iterable<Root>): Generator<Root> {
  const iterator = roots[Symbol.iterator]();
  for (let next = guard(source, () => iterator.next()); !next.done; next = guard(source, () => iterator.next())) yield next.value;
}

function damagedRoot(source: string, what: string, cause?: unknown): CorruptError {
  return new CorruptError(`'${source}' cannot be relied on: ${what}`, {
    code: 'gc-root-damaged', hint: 'nothing was deleted; run cairn fsck, repair what it names and run gc again', cause,
  });
}
