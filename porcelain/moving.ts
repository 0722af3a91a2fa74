// Moving tracked files and directories, in the work tree and in the index. Specified by git-mv(1).
//
// All moves are checked before the first is made; then each file gets its new name, and the index is written once at the end. If the power fails in
// between, the index still has the old names and status shows what was moved.
import { InvalidError, NotFoundError, isSystemError } from '../pack/errors.js';
import { gitlinkMode, pathToUtf8, type RepoPath } from '../pack/tree.js';
import type { Index } from '../plumbing/index/index-file.js';
import type { IndexLock } from '../plumbing/index/index-lock.js';
import { WorkTree } from '../plumbing/index/work-tree.js';
import { normalisePath } from '../plumbing/pathspec.js';
import type { Repository } from '../plumbing/repository.js';

export interface MoveRequest {
  /** As typed. */
  readonly sources: readonly string[];
  readonly destination: string;
  readonly force: boolean;
  /** Leave out what cannot be moved. */
  readonly skipsErrors: boolean;
}

/** One move; a directory's files come after it, and move with it. */
export interface Move {
  readonly from: RepoPath;
  readonly to: RepoPath;
  readonly kind: 'file' | 'directory' | 'within';
}

/** What tells of moves on the way. */
export interface MoveTold {
  readonly checking: (from: string, to: string) => void;
  readonly overwriting: (path: string) => void;
}

/** Decides what moves where. InvalidError names the first move that is not possible. */
export function planMoves(repository: Repository, { index }: IndexLock, request: MoveRequest, told: MoveTold): Move[] {
  return new MovePlanner(repository, index, request, told).plan();
}

/** Makes the moves; the index is written under its lock. */
export function applyMoves(repository: Repository, lock: IndexLock, moves: readonly Move[], skipsErrors: boolean, tell: (move: Move) => void): void {
  const { index } = lock;
  const workTree = new WorkTree(repository, index);
  for (const move of moves) {
    tell(move);
    const { from, to, kind } = move;
    if (kind !== 'within') {
      try {
        workTree.rename(from, to);
      } catch (error) {
        if (!isSystemError(error, 'ENOENT', 'ENOTDIR', 'EISDIR', 'ENOTEMPTY', 'EEXIST', 'EACCES')) throw error;
        if (skipsErrors) continue;
        throw new InvalidError(`renaming '${pathToUtf8(from)}' failed: ${error.message}`, { code: 'not-moved', cause: error });
      }
    }
    if (kind === 'directory') continue;
    const entry = index.find(from)!;
    index.remove(from);
    index.set({ ...entry, path: to, stat: workTree.statData(to)?.stat ?? entry.stat }, 'tree');
  }
  lock.write();
}

class MovePlanner {
  readonly #repository: Repository;
  readonly #index: Index;
  readonly #workTree: WorkTree;
  readonly #request: MoveRequest;
  readonly #told: MoveTold;
  readonly #targets = new Set<string>();

  constructor(repository: Repository, index: Index, request: MoveRequest, told: MoveTold) {
    this.#repository = repository;
    this.#index = index;
    this.#workTree = new WorkTree(repository, index);
    this.#request = request;
    this.#told = told;
  }

  plan(): Move[] {
    const { sources, destination, skipsErrors } = this.#request;
    const to = this.#pathOf(destination);
    const bare = to.replace(/\/$/, '');
    const isInto = bare === '' || this.#workTree.findStatus(bare)?.isDirectory() === true;
    if (!isInto && sources.length !== 1) throw new InvalidError(`destination '${pathToUtf8(to as RepoPath)}' is not a directory`, { code: 'not-a-directory' });
    const moves: Move[] = [];
    for (const source of sources) {
      const from = this.#pathOf(source).replace(/\/+$/, '');
      const target = isInto ? `${bare === '' ? '' : `${bare}/`}${from.slice(from.lastIndexOf('/') + 1)}` : to;
      this.#told.checking(from, target);
      const found = this.#planOne(from, target);
      if (typeof found !== 'string') {
        for (const move of found) {
          if (move.kind === 'within') this.#told.checking(move.from, move.to);
          moves.push(move);
        }
      } else if (!skipsErrors) {
        throw new InvalidError(`${found}, source=${pathToUtf8(from as RepoPath)}, destination=${pathToUtf8(target as RepoPath)}`, { code: 'bad-move' });
      }
    }
    return moves;
  }

  #pathOf(typed: string): string {
    const { prefix, workTree } = this.#repository;
    return normalisePath(Buffer.from(typed).toString('latin1'), prefix, workTree, typed);
  }

  /** The moves of one source; what is wrong with it otherwise. */
  #planOne(from: string, to: string): Move[] | string {
    const status = this.#workTree.findStatus(from);
    if (status === undefined || from === '') return 'bad source';
    if (to === from || to.startsWith(`${from}/`)) return 'can not move directory into itself';
    const target = this.#workTree.findStatus(to.replace(/\/$/, ''));
    if (status.isDirectory()) {
      if (target !== undefined) return 'destination already exists';
      return this.#planDirectory(from, to);
    }
    const entry = this.#index.find(from);
    if (entry === undefined) return this.#index.has(from) ? 'conflicted' : 'not under version control';
    if (target !== undefined) {
      if (!this.#request.force) return 'destination exists';
      if (!target.isFile() && !target.isSymbolicLink()) return 'cannot overwrite';
      this.#told.overwriting(to);
    } else {
      if (this.#targets.has(to)) return 'multiple sources for the same target';
      if (to.endsWith('/')) return 'destination directory does not exist';
    }
    this.#targets.add(to);
    return [{ from: from as RepoPath, to: to as RepoPath, kind: 'file' }];
  }

  #planDirectory(from: string, to: string): Move[] | string {
    if (this.#index.find(from)?.mode === gitlinkMode) throw new NotFoundError(`'${pathToUtf8(from as RepoPath)}' is a repository of its own and cannot be moved`, { code: 'nested-repository' });
    const { from: first, to: end } = this.#index.rangeOf(`${from}/`);
    if (first === end) return 'source directory is empty';
    const bare = to.replace(/\/$/, '');
    const within: Move[] = [];
    for (let at = first; at < end; at += 1) {
      if (this.#index.stageAt(at) !== 0) return 'conflicted';
      const path = this.#index.pathAt(at);
      within.push({ from: path, to: (bare + path.slice(from.length)) as RepoPath, kind: 'within' });
    }
    return [{ from: from as RepoPath, to: bare as RepoPath, kind: 'directory' }, ...within];
  }
}
