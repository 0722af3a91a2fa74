// Bringing paths back: into the index, the work tree or both, from a tree, from the index, or from one side of a conflict. Used by restore,
// checkout and reset with paths. Specified by git-restore(1).
//
// What is brought back replaces what is there: that is what was asked for. Untracked files are never removed. Files are written before the
// index; if the power fails in between, status compares them again.
import { InvalidError, NotFoundError, RefusedError } from '../pack/errors.js';
import type { ObjectId } from '../pack/oid.js';
import { pathToUtf8, type RepoPath } from '../pack/tree.js';
import { diffTrees } from '../plumbing/diff/diff.js';
import { type Index, type IndexEntry, indexEntry } from '../plumbing/index/index-file.js';
import { lockIndex } from '../plumbing/index/index-lock.js';
import { Pathspec, pathspecContext } from '../plumbing/pathspec.js';
import type { Repository } from '../plumbing/repository.js';
import { WorkTree } from '../plumbing/index/work-tree.js';
import { refresh } from './switching.js';

export interface RestoreRequest {
  /** The tree to take from; undefined: the index. */
  readonly tree: ObjectId | undefined;
  readonly paths: readonly string[];
  readonly index: boolean;
  readonly workTree: boolean;
  /** Keep what the source does not have. */
  readonly overlay: boolean;
  /** Of unmerged paths take this stage into the work tree; 'skip' passes them over. */
  readonly unmerged?: 2 | 3 | 'skip';
  /** Pathspecs that match nothing are no error. */
  readonly allowsUnmatched?: boolean;
}

/** Brings the paths back; returns how many files were written. */
export function restorePaths(repository: Repository, request: RestoreRequest): number {
  if (request.workTree) repository.requireWorkTree();
  const pathspec = Pathspec.parse(request.paths, pathspecContext(repository));
  using lock = lockIndex(repository);
  const { index } = lock;
  const source = request.tree === undefined ? undefined : listTree(repository, request.tree, pathspec);
  const present = listPaths(index, pathspec);
  const [unmatched] = request.allowsUnmatched === true ? [] : pathspec.listUnmatched();
  if (unmatched !== undefined) throw new NotFoundError(`pathspec '${unmatched}' did not match any file(s) known to cairn`, { code: 'no-match' });
  const workTree = request.workTree ? new WorkTree(repository, index) : undefined;
  const count = source === undefined
    ? fromIndex(index, workTree!, present, request)
    : fromTree(index, workTree, source, present, request);
  if (request.index && workTree === undefined && repository.workTree !== undefined) refresh(repository, lock);
  if (index.isChanged) lock.write();
  return count;
}

function listTree({ objects }: Repository, tree: ObjectId, pathspec: Pathspec): Map<RepoPath, IndexEntry> {
  const found = new Map<RepoPath, IndexEntry>();
  for (const { path, new: { id, mode } } of diffTrees(objects, undefined, tree, { recursive: true })) {
    if (pathspec.matches(path)) found.set(path, indexEntry({ path, id, mode }));
  }
  return found;
}

function listPaths(index: Index, pathspec: Pathspec): Set<RepoPath> {
  const found = new Set<RepoPath>();
  for (let at = 0; at < index.count; at += 1) {
    const path = index.pathAt(at);
    if (pathspec.matches(path)) found.add(path);
  }
  return found;
}

function fromTree(index: Index, workTree: WorkTree | undefined, source: ReadonlyMap<RepoPath, IndexEntry>, present: ReadonlySet<RepoPath>, request: RestoreRequest): number {
  let written = 0;
  if (!request.overlay) {
    for (const path of present) {
      if (source.has(path)) continue;
      if (workTree !== undefined && workTree.findOwnStatus(path)?.isDirectory() === false) workTree.remove(path);
      if (request.index) index.remove(path);
    }
  }
  for (const [path, entry] of source) {
    const held = index.find(path);
    const isSame = held !== undefined && held.id === entry.id && held.mode === entry.mode;
    if (request.index && !isSame) index.set(entry);
    if (workTree === undefined) continue;
    const kept = index.find(path);
    if (isSame && isFresh(index, workTree, held)) continue;
    const stat = workTree.checkout(entry, { force: true });
    written += 1;
    if (stat !== false && kept !== undefined && kept.id === entry.id && kept.mode === entry.mode) index.refresh({ ...kept, stat });
  }
  return written;
}

function fromIndex(index: Index, workTree: WorkTree, present: ReadonlySet<RepoPath>, { unmerged }: RestoreRequest): number {
  const entries: IndexEntry[] = [];
  for (const path of present) {
    const merged = index.find(path);
    const entry = merged ?? (unmerged === 2 || unmerged === 3 ? index.find(path, unmerged) : undefined);
    if (entry === undefined) {
      if (unmerged === 'skip') continue;
      if (unmerged === undefined) throw new RefusedError(`path '${pathToUtf8(path)}' is unmerged`, { code: 'unmerged-index', hint: 'take one side with --ours or --theirs' });
      throw new InvalidError(`path '${pathToUtf8(path)}' does not have ${unmerged === 2 ? 'our' : 'their'} version`, { code: 'no-stage' });
    }
    if (!entry.skipWorktree) entries.push(entry);
  }
  let written = 0;
  for (const entry of entries) {
    if (entry.stage === 0 && isFresh(index, workTree, entry)) continue;
    const stat = workTree.checkout(entry, { force: true });
    written += 1;
    if (stat !== false && entry.stage === 0) index.refresh({ ...entry, stat });
  }
  return written;
}

function isFresh(index: Index, workTree: WorkTree, entry: IndexEntry): boolean {
  const status = workTree.findOwnStatus(entry.path);
  return status !== undefined && !entry.intentToAdd && workTree.compareStatus(entry, status, index) === 'same';
}
