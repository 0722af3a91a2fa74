// The work trees of a repository: its own and those linked to it below <gitdir>/worktrees. Layout: gitrepository-layout(5), git-worktree(1).
import * as fs from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { isSystemError } from '../pack/errors.js';
import type { RefName } from './refs/ref-name.js';
import { Refs } from './refs/refs.js';
import type { Repository } from './repository.js';

export interface WorkTreePlace {
  /** Absolute path of its top. */
  readonly path: string;
  readonly gitDirectory: string;
  /** The branch checked out there; undefined when detached, unreadable, or there is no work tree. */
  readonly branch: RefName | undefined;
  readonly isBare: boolean;
}

/** The main work tree first, then linked ones by name. */
export function* listWorkTrees(repository: Repository): Generator<WorkTreePlace> {
  const { commonDirectory, format } = repository;
  const branchOf = (gitDirectory: string): RefName | undefined => new Refs({ gitDirectory, commonDirectory, format }).headBranch();
  const isBare = repository.config.getBoolean('core.bare', false);
  const own = repository.gitDirectory === commonDirectory ? repository.workTree : undefined;
  yield { path: own ?? (isBare ? commonDirectory : dirname(commonDirectory)), gitDirectory: commonDirectory, branch: isBare ? undefined : branchOf(commonDirectory), isBare };
  const drawer = join(commonDirectory, 'worktrees');
  for (const name of listNames(drawer)) {
    const gitDirectory = join(drawer, name);
    const link = readLine(join(gitDirectory, 'gitdir'));
    if (link === undefined) continue;
    yield { path: dirname(resolve(gitDirectory, link)), gitDirectory, branch: branchOf(gitDirectory), isBare: false };
  }
}

/** Branches that some work tree is on, or comes back to when its rebase or bisection ends. */
export function* listBranchesInUse(repository: Repository): Generator<{ readonly branch: string; readonly path: string }> {
  for (const { branch, path, gitDirectory } of listWorkTrees(repository)) {
    if (branch !== undefined) yield { branch, path };
    for (const file of ['rebase-merge/head-name', 'rebase-apply/head-name']) {
      const name = readLine(join(gitDirectory, file));
      if (name !== undefined) yield { branch: name, path };
    }
    const bisected = readLine(join(gitDirectory, 'BISECT_START'));
    if (bisected !== undefined) yield { branch: `refs/heads/${bisected}`, path };
  }
}

function listNames(directory: string): string[] {
  try {
    return fs.readdirSync(directory).sort();
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return [];
    throw error;
  }
}

function readLine(path: string): string | undefined {
  try {
    return fs.readFileSync(path, 'utf8').split('\n', 1)[0] || undefined;
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR', 'EISDIR')) return undefined;
    throw error;
  }
}
