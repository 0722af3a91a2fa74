// The files of a tree as a flat list, ready to be written below a directory: every path checked by the one path validation, in the
// order of trees. Pure reading; bounded, so that a tree of trees of trees cannot exhaust the memory.
import { CorruptError, InvalidError, NotFoundError, RefusedError } from '../pack/errors.js';
import type { ObjectStore } from '../pack/object-store.js';
import type { ObjectId } from '../pack/oid.js';
import { type RepoPath, checkTreeDepth, gitlinkMode, isTreeMode, pathToUtf8, repoPath } from '../pack/tree.js';
import { type PathProtection, checkPath, findPathFault } from '../plumbing/path-safety.js';

export interface TreeFile {
  readonly path: RepoPath;
  /** 100644, 100755, 120000 or 160000 (octal). */
  readonly mode: number;
  readonly id: ObjectId;
}

/** More files than this in one tree are refused. */
export const mostFiles = 5_000_000;

/** Every file, symbolic link and gitlink below `tree`, in tree order; InvalidError 'unsafe-path' for a path nobody may write. */
export function listTreeFiles(store: ObjectStore, tree: ObjectId, protection: PathProtection, most = mostFiles): TreeFile[] {
  const files: TreeFile[] = [];
  let entriesLeft = most;
  const walk = (id: ObjectId, prefix: string, depth: number): void => {
    checkTreeDepth(depth, id);
    for (const { mode, name, id: child } of store.readTree(id)) {
      entriesLeft -= 1;
      if (entriesLeft < 0) throw new RefusedError(`tree '${tree}' has more than ${most} entries`, { code: 'tree-too-large' });
      const path = prefix + name;
      // Components above were checked on the way down.
      if (name.includes('/')) throw new CorruptError(`tree '${id}' is damaged: it has an entry named '${pathToUtf8(repoPath(name))}'`, { code: 'bad-tree' });
      if (findPathFault(name, protection, mode) !== undefined) checkPath(path, protection, mode);
      if (isTreeMode(mode)) walk(child, `${path}/`, depth + 1);
      else files.push({ path: repoPath(path), mode, id: child });
    }
  };
  walk(tree, '', 0);
  return files;
}

/** The tree at `path` inside `tree`; NotFoundError when nothing is there, InvalidError when it is no directory. */
export function findSubtree(store: ObjectStore, tree: ObjectId, path: RepoPath | undefined): ObjectId {
  if (path === undefined) return tree;
  let id = tree;
  for (const name of path.split('/')) {
    const entry = store.readTree(id).find((one) => one.name === name);
    if (entry === undefined) throw new NotFoundError(`path '${pathToUtf8(path)}' is not in tree '${tree}'`, { code: 'no-such-path' });
    if (!isTreeMode(entry.mode)) throw new InvalidError(`path '${pathToUtf8(path)}' is not a directory`, { code: 'not-a-directory' });
    id = entry.id;
  }
  return id;
}

/** The directories that the files lie in, parents before children, without the top. */
export function directoriesOf(files: readonly TreeFile[]): RepoPath[] {
  const seen = new Set<string>();
  const found: RepoPath[] = [];
  const visit = (path: string): void => {
    const slash = path.lastIndexOf('/');
    if (slash < 0) return;
    const parent = path.slice(0, slash);
    if (seen.has(parent)) return;
    seen.add(parent);
    visit(parent);
    found.push(repoPath(parent));
  };
  for (const { path, mode } of files) {
    visit(path);
    // Another repository's commit is an empty directory, as in a checkout.
    if (mode === gitlinkMode && !seen.has(path)) {
      seen.add(path);
      found.push(path);
    }
  }
  return found;
}

