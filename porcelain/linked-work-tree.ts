// Further work trees of a repository: a directory <gitdir>/worktrees/<id> holds each one's HEAD and index, and says where it is; a file
// in the work tree says where that directory is. Layout: gitrepository-layout(5); specified by git-worktree(1).
//
// While one is made it is locked, so that nobody prunes it. If the power fails then, a locked directory is left, which says that it was
// being made; remove it with `worktree remove -f -f`. What is removed goes in the other order: the files, then the directory.
import * as fs from 'node:fs';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { disk, makeDirectories, removeIfPresent, replaceFile } from '../pack/disk.js';
import { InvalidError, NotFoundError, RefusedError, isSystemError } from '../pack/errors.js';
import { type ObjectId, zeroId } from '../pack/oid.js';
import { listStagedChanges } from '../plumbing/index/staged-changes.js';
import { lockIndex } from '../plumbing/index/index-lock.js';
import { readIndex } from '../plumbing/index/index-file.js';
import { scanWorkTree } from '../plumbing/index/work-status.js';
import { WorkTree } from '../plumbing/index/work-tree.js';
import { IgnoreRules } from '../plumbing/ignore.js';
import { gitlinkMode } from '../pack/tree.js';
import { whileNaming } from '../plumbing/refs/announcement.js';
import type { RefName } from '../plumbing/refs/ref-name.js';
import { updateRef } from '../plumbing/refs/ref-transaction.js';
import { Refs } from '../plumbing/refs/refs.js';
import { Repository, repositoryName } from '../plumbing/repository.js';
import { type WorkTreePlace, listWorkTrees } from '../plumbing/work-trees.js';
import { moveTrees, noteReset, runPostCheckout } from './switching.js';

/** A work tree and the state it is in. */
export interface WorkTreeEntry extends WorkTreePlace {
  readonly id: string;
  readonly isMain: boolean;
  /** Undefined where HEAD cannot be read. */
  readonly head: { readonly id: ObjectId; readonly isDetached: boolean } | undefined;
  /** Why it is locked, perhaps ''; undefined when it is not. */
  readonly lockReason: string | undefined;
}

/** The main one first, the others by path. */
export function listEntries(repository: Repository): WorkTreeEntry[] {
  const [main, ...others] = [...listWorkTrees(repository)].map((place) => entryOf(repository, place));
  return [main!, ...others.sort((one, two) => (one.path < two.path ? -1 : 1))];
}

function entryOf({ commonDirectory, format }: Repository, place: WorkTreePlace): WorkTreeEntry {
  const { gitDirectory, isBare, branch } = place;
  const isMain = gitDirectory === commonDirectory;
  const refs = new Refs({ gitDirectory, commonDirectory, format });
  const head = isBare ? undefined : branch !== undefined ? { id: refs.find('HEAD')?.id ?? zeroId(format), isDetached: false } : detachedHead(refs);
  return { ...place, id: basename(gitDirectory), isMain, head, lockReason: isMain ? undefined : findText(join(gitDirectory, 'locked'))?.trimEnd() };
}

function detachedHead(refs: Refs): WorkTreeEntry['head'] {
  const id = refs.find('HEAD')?.id;
  return id === undefined ? undefined : { id, isDetached: true };
}

/** The work tree meant by a path, or by the end of one that only one work tree has. */
export function findEntry(repository: Repository, typed: string): WorkTreeEntry {
  const entries = listEntries(repository);
  const byEnd = isAbsolute(typed) ? [] : entries.filter(({ path }) => path === typed || path.endsWith(`/${typed}`));
  if (byEnd.length === 1) return byEnd[0]!;
  const full = realPath(resolve(repository.context.cwd, typed));
  const found = entries.find(({ path }) => realPath(path) === full);
  if (found === undefined) throw new NotFoundError(`'${typed}' is not a working tree`, { code: 'no-work-tree' });
  return found;
}

/** Why a work tree can be pruned; undefined when it cannot. `expire`: only when it was used before that time, in seconds. */
export function findPruneReason(entry: Pick<WorkTreeEntry, 'gitDirectory' | 'isMain' | 'lockReason'>, expire: number): string | undefined {
  if (entry.isMain || entry.lockReason !== undefined) return undefined;
  return directoryFault(entry.gitDirectory, expire);
}

function directoryFault(gitDirectory: string, expire: number): string | undefined {
  if (fs.statSync(gitDirectory, { throwIfNoEntry: false })?.isDirectory() !== true) return 'not a valid directory';
  const text = findText(join(gitDirectory, 'gitdir'));
  if (text === undefined) return 'gitdir file does not exist';
  const link = text.trimEnd();
  if (link === '') return 'invalid gitdir file';
  if (fs.existsSync(resolve(gitDirectory, link))) return undefined;
  const used = fs.statSync(join(gitDirectory, 'index'), { throwIfNoEntry: false })?.mtimeMs;
  return used === undefined || Math.floor(used / 1000) <= expire ? 'gitdir file points to non-existent location' : undefined;
}

/** Ids and reasons of the directories that lead nowhere, or twice to one place. */
export function listPrunable(repository: Repository, expire: number): { readonly id: string; readonly reason: string }[] {
  const drawer = join(repository.commonDirectory, 'worktrees');
  const found: { id: string; reason: string }[] = [];
  const kept: { id: string; path: string }[] = [];
  const [main] = [...listWorkTrees(repository)];
  for (const id of fs.existsSync(drawer) ? fs.readdirSync(drawer).sort() : []) {
    const gitDirectory = join(drawer, id);
    if (fs.existsSync(join(gitDirectory, 'locked'))) continue;
    const reason = directoryFault(gitDirectory, expire);
    if (reason !== undefined) found.push({ id, reason });
    else kept.push({ id, path: dirname(resolve(gitDirectory, findText(join(gitDirectory, 'gitdir'))!.trimEnd())) });
  }
  const taken = new Set([main!.isBare ? '' : main!.path]);
  for (const { id, path } of kept.sort((one, two) => (one.path === two.path ? (one.id < two.id ? -1 : 1) : one.path < two.path ? -1 : 1))) {
    if (taken.has(path)) found.push({ id, reason: 'duplicate entry' });
    taken.add(path);
  }
  return found;
}

/** Removes the directory of a work tree, and the one around it when it was the last. */
export function forget(repository: Repository, id: string): void {
  const drawer = join(repository.commonDirectory, 'worktrees');
  disk().removeTree(join(drawer, id));
  if (fs.readdirSync(drawer).length === 0) disk().rmdir(drawer);
}

export function lock({ gitDirectory }: WorkTreeEntry, reason: string): void {
  replaceFile(join(gitDirectory, 'locked'), reason === '' || reason.endsWith('\n') ? reason : `${reason}\n`);
}

export function unlock({ gitDirectory }: WorkTreeEntry): void {
  removeIfPresent(join(gitDirectory, 'locked'));
}

export interface AddRequest {
  /** As typed. */
  readonly path: string;
  /** The branch it is on; undefined for a detached HEAD. */
  readonly branch: RefName | undefined;
  readonly commit: ObjectId;
  readonly checksOut: boolean;
  /** Stays locked, with that reason. */
  readonly lockReason: string | undefined;
  /** How often it was insisted. */
  readonly force: number;
}

/** RefusedError unless a work tree can be made there. */
export function checkPlace(repository: Repository, typed: string, force: number): string {
  const path = resolve(repository.context.cwd, typed);
  const status = fs.statSync(path, { throwIfNoEntry: false });
  if (status !== undefined && !(status.isDirectory() && fs.readdirSync(path).length === 0)) throw new RefusedError(`'${typed}' already exists`, { code: 'path-exists' });
  const known = listEntries(repository).find((entry) => entry.path === realPath(path));
  if (known === undefined) return path;
  const isLocked = known.lockReason !== undefined;
  if (force < (isLocked ? 2 : 1)) {
    throw new RefusedError(`'${typed}' is a missing but ${isLocked ? 'locked' : 'already registered'} worktree`, {
      code: 'work-tree-known', hint: isLocked ? 'use add -f -f to override, or unlock and prune or remove to clear' : 'use add -f to override, or prune or remove to clear',
    });
  }
  forget(repository, known.id);
  return path;
}

/** Makes a work tree at a place that was checked; the repository as it is seen from there. */
export function add(repository: Repository, path: string, request: AddRequest): Repository {
  const { commonDirectory, context, format } = repository;
  const drawer = join(commonDirectory, 'worktrees');
  const id = freeName(drawer, basename(path));
  const gitDirectory = join(drawer, id);
  makeDirectories(gitDirectory);
  const { lockReason } = request;
  replaceFile(join(gitDirectory, 'locked'), lockReason === undefined ? 'initializing\n' : lockReason === '' ? '' : `${lockReason}\n`);
  makeDirectories(path);
  const top = realPath(path);
  // Found by the name the repository itself has.
  const linkName = basename(commonDirectory) === repositoryName ? repositoryName : '.git';
  replaceFile(join(gitDirectory, 'gitdir'), `${join(top, linkName)}\n`);
  replaceFile(join(top, linkName), `gitdir: ${realPath(gitDirectory)}\n`);
  replaceFile(join(gitDirectory, 'HEAD'), `${zeroId(format)}\n`);
  replaceFile(join(gitDirectory, 'commondir'), '../..\n');
  const inner = Repository.openAt(context, top);
  whileNaming(inner, () => {
    const { branch, commit } = request;
    updateRef(inner, { name: 'HEAD', target: branch === undefined ? { id: commit } : { symbolic: branch }, noDeref: true, message: '' });
    if (!request.checksOut) return;
    using held = lockIndex(inner);
    moveTrees(inner, held, undefined, inner.objects.readCommit(commit).tree, 'discard', 'checkout');
    held.write();
    noteReset(inner, commit, 'HEAD');
  });
  if (lockReason === undefined) removeIfPresent(join(gitDirectory, 'locked'));
  return inner;
}

/** Runs the hook of the new work tree, whose former HEAD is none. */
export function greet(inner: Repository, commit: ObjectId): void {
  runPostCheckout(inner, undefined, commit, true);
}

function freeName(drawer: string, base: string): string {
  const clean = base.replace(/[\x00-\x20\x7f~^:?*[\\]/g, '-').replace(/\.\.+/g, '.').replace(/@\{/g, '-{').replace(/\.lock$/, '-lock').replace(/^\./, '-') || 'worktree';
  let name = clean;
  for (let number = 1; fs.existsSync(join(drawer, name)); number += 1) name = `${clean}${number}`;
  return name;
}

/** Moves a work tree, which must not be locked unless it was insisted twice. */
export function move(repository: Repository, entry: WorkTreeEntry, typed: string, force: number): void {
  requireLinked(entry, 'move', force);
  let target = resolve(repository.context.cwd, typed);
  if (fs.statSync(target, { throwIfNoEntry: false })?.isDirectory()) target = join(target, basename(entry.path));
  if (fs.existsSync(target)) throw new RefusedError(`target '${target}' already exists`, { code: 'path-exists' });
  requireConnected(entry);
  if (readIndex(Repository.openAt(repository.context, entry.path)).entries.some(({ mode }) => mode === gitlinkMode)) {
    throw new RefusedError('working trees containing submodules cannot be moved or removed', { code: 'has-submodules' });
  }
  const linkName = basename(findText(join(entry.gitDirectory, 'gitdir'))!.trimEnd());
  disk().rename(entry.path, target);
  disk().fsyncDirectory(dirname(target));
  replaceFile(join(entry.gitDirectory, 'gitdir'), `${join(realPath(target), linkName)}\n`);
}

/** Removes a work tree; changes and untracked files have to be insisted on. */
export function remove(repository: Repository, entry: WorkTreeEntry, force: number): void {
  requireLinked(entry, 'remove', force);
  if (fs.existsSync(entry.path)) {
    requireConnected(entry);
    if (force === 0 && !isClean(Repository.openAt(repository.context, entry.path))) {
      throw new RefusedError(`'${entry.path}' contains modified or untracked files, use --force to delete it`, { code: 'work-tree-changed' });
    }
    disk().removeTree(entry.path);
  }
  forget(repository, entry.id);
}

function requireLinked({ isMain, lockReason, path }: WorkTreeEntry, verb: string, force: number): void {
  if (isMain) throw new RefusedError(`'${path}' is a main working tree`, { code: 'main-work-tree' });
  if (lockReason !== undefined && force < 2) {
    throw new RefusedError(`cannot ${verb} a locked working tree${lockReason === '' ? '' : `, lock reason: ${lockReason}`}`, { code: 'work-tree-locked', hint: `use '${verb} -f -f' to override or unlock first` });
  }
}

/** RefusedError unless the work tree and its directory name each other. */
function requireConnected({ path, gitDirectory }: WorkTreeEntry): void {
  const link = findText(resolve(gitDirectory, findText(join(gitDirectory, 'gitdir'))?.trimEnd() ?? ''));
  const target = /^gitdir: (.*)/.exec(link ?? '')?.[1];
  if (target === undefined) throw new RefusedError(`validation failed: '${path}' has no file that leads to its repository`, { code: 'work-tree-unconnected' });
  if (realPath(resolve(path, target)) !== realPath(gitDirectory)) {
    throw new RefusedError(`validation failed: '${path}' does not point back to '${gitDirectory}'`, { code: 'work-tree-unconnected', hint: 'run worktree repair' });
  }
}

function isClean(inner: Repository): boolean {
  const index = readIndex(inner);
  const head = inner.refs.find('HEAD')?.id;
  if (index.isUnmerged || listStagedChanges(inner.objects, head === undefined ? undefined : inner.objects.readCommit(head).tree, index).length > 0) return false;
  const scan = scanWorkTree(new WorkTree(inner, index), index, { untracked: 'normal', rules: () => IgnoreRules.load(inner) });
  return scan.changes.length === 0 && scan.untracked.length === 0;
}

/** What was wrong and is put right, or cannot be. */
export interface Repair {
  readonly path: string;
  readonly what: string;
  readonly isError: boolean;
}

/** Connects work trees and their directories again: those that are known from here, and those at `paths`, which were moved by hand. */
export function* repair(repository: Repository, paths: readonly string[]): Generator<Repair> {
  const main = listEntries(repository)[0]!;
  for (const path of paths) if (realPath(resolve(repository.context.cwd, path)) !== realPath(main.path)) yield* repairBackLink(repository, path);
  for (const entry of listEntries(repository)) if (!entry.isMain) yield* repairLink(entry);
}

/** The file in the work tree. */
function* repairLink({ path, gitDirectory }: WorkTreeEntry): Generator<Repair> {
  const status = fs.statSync(path, { throwIfNoEntry: false });
  if (status === undefined) return;
  if (!status.isDirectory()) {
    yield { path, what: 'not a directory', isError: true };
    return;
  }
  const link = resolve(gitDirectory, findText(join(gitDirectory, 'gitdir'))!.trimEnd());
  if (fs.statSync(link, { throwIfNoEntry: false })?.isDirectory()) {
    yield { path: link, what: '.git is not a file', isError: true };
    return;
  }
  const target = /^gitdir: (.*)/.exec(findText(link) ?? '')?.[1];
  if (target !== undefined && realPath(resolve(path, target)) === realPath(gitDirectory)) return;
  const leadsNowhere = target === undefined || !fs.existsSync(resolve(path, target));
  yield { path, what: leadsNowhere ? '.git file broken' : '.git file incorrect', isError: false };
  replaceFile(link, `gitdir: ${realPath(gitDirectory)}\n`);
}

/** What the directory says of where its work tree is. */
function* repairBackLink(repository: Repository, typed: string): Generator<Repair> {
  const top = resolve(repository.context.cwd, typed);
  const link = ['.git', repositoryName].map((name) => join(top, name)).find((path) => fs.existsSync(path));
  if (link === undefined) {
    yield { path: typed, what: 'not a valid path', isError: true };
    return;
  }
  const target = fs.statSync(link).isDirectory() ? undefined : /^gitdir: (.*)/.exec(findText(link) ?? '')?.[1];
  const gitDirectory = target === undefined ? undefined : resolve(top, target);
  if (gitDirectory === undefined || relative(join(repository.commonDirectory, 'worktrees'), gitDirectory).includes(sep)) {
    yield { path: link, what: target === undefined ? '.git is not a file' : '.git file does not reference a repository', isError: true };
    return;
  }
  if (!fs.existsSync(gitDirectory)) {
    yield { path: link, what: '.git file does not reference a repository', isError: true };
    return;
  }
  const known = findText(join(gitDirectory, 'gitdir'))?.trimEnd();
  const full = join(realPath(top), basename(link));
  if (known === full) return;
  yield { path: join(gitDirectory, 'gitdir'), what: known === undefined ? 'gitdir unreadable' : 'gitdir incorrect', isError: false };
  replaceFile(join(gitDirectory, 'gitdir'), `${full}\n`);
}

function findText(path: string): string | undefined {
  try {
    return fs.readFileSync(path, 'utf8');
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR', 'EISDIR')) return undefined;
    throw error;
  }
}

/** The path without symbolic links, as far as it is there. */
function realPath(path: string): string {
  try {
    return fs.realpathSync(path);
  } catch (error) {
    if (!isSystemError(error, 'ENOENT', 'ENOTDIR')) throw new InvalidError(`'${path}' cannot be followed`, { code: 'bad-path', cause: error });
    const parent = dirname(path);
    return parent === path ? path : join(realPath(parent), basename(path));
  }
}
