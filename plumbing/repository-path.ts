// How the repository's own paths are told to scripts: '.git', '../../.git', or absolute, by where the command was typed.
//
// Specified by --git-dir, --git-common-dir, --git-path and --path-format of git-rev-parse(1).
import { realpathSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, relative } from 'node:path';
import { isSystemError } from '../pack/errors.js';
import type { Repository } from './repository.js';

/** 'relative' and 'absolute' are asked for; 'usual' is what git prints without being asked. */
export type PathFormat = 'usual' | 'relative' | 'absolute';

function realPath(path: string): string {
  try {
    return realpathSync.native(path);
  } catch (error) {
    if (!isSystemError(error, 'ENOENT', 'ENOTDIR')) throw error;
    // What does not exist yet is told below its real parent.
    return path === dirname(path) ? path : join(realPath(dirname(path)), basename(path));
  }
}

/** `path` seen from the current directory; './' for the directory itself. */
export function relativeTo(cwd: string, path: string, trailingSlash = false): string {
  const seen = relative(realPath(cwd), realPath(path));
  if (seen === '') return './';
  return trailingSlash && /^(\.\.(\/|$))+$/.test(seen) ? `${seen}/` : seen;
}

/** The repository goes by its absolute path here: GIT_DIR says so, or a work tree that was named had to be entered. */
function isNamedAbsolutely({ context: { env }, config, prefix }: Repository): boolean {
  if (isAbsolute(env['GIT_DIR'] ?? '')) return true;
  return prefix !== '' && (Boolean(env['GIT_WORK_TREE']) || config.get('core.worktree') !== undefined);
}

/** The repository directory as --git-dir prints it. */
export function showGitDirectory(repository: Repository, format: PathFormat): string {
  const { cwd, env } = repository.context;
  if (format === 'absolute') return realPath(repository.gitDirectory);
  if (format === 'relative') return relativeTo(cwd, repository.gitDirectory, true);
  if (env['GIT_DIR'] && (isAbsolute(env['GIT_DIR']) || !isNamedAbsolutely(repository))) return env['GIT_DIR'];
  if (isNamedAbsolutely(repository)) return repository.gitDirectory;
  const here = realPath(cwd);
  if (here === realPath(repository.gitDirectory)) return '.';
  // At the top of the work tree its own name is enough.
  if (realPath(dirname(repository.gitDirectory)) === here && repository.workTree !== undefined) return basename(repository.gitDirectory);
  return repository.gitDirectory;
}

/** A directory or file of the repository, as --git-common-dir and --git-path print it. */
export function showRepositoryPath(repository: Repository, path: string, format: PathFormat): string {
  const { cwd } = repository.context;
  if (format === 'absolute' || (format === 'usual' && isNamedAbsolutely(repository))) return realPath(path);
  if (format === 'relative') return relativeTo(cwd, path, true);
  const seen = relative(realPath(cwd), realPath(path));
  if (seen === '') return '.';
  const isOutside = repository.workTree === undefined || relative(realPath(repository.workTree), realPath(path)).startsWith('..');
  return seen.startsWith('..') && isOutside && !repository.context.env['GIT_DIR'] ? realPath(path) : seen;
}

/** Where a file of the repository is, by name: environment variables and shared directories count. */
export function locateRepositoryFile(repository: Repository, name: string): string {
  if (name === 'index') return repository.indexPath;
  if (name === 'objects' || name.startsWith('objects/')) return join(repository.objectsDirectory, name.slice('objects'.length));
  if (name === 'hooks' || name.startsWith('hooks/')) {
    const configured = repository.config.getPath('core.hookspath');
    if (configured !== undefined) return join(configured, name.slice('hooks'.length));
  }
  const shared = /^(branches|hooks|info|lost-found|modules|objects|refs|remotes|worktrees|rr-cache|svn|config|gc\.pid|packed-refs|shallow)(\/|$)|^logs($|\/refs)/.test(name)
    && !/^(refs\/(bisect|worktree|rewritten)|logs\/refs\/(bisect|worktree|rewritten))(\/|$)|^info\/sparse-checkout/.test(name);
  return join(shared || name === '' ? repository.commonDirectory : repository.gitDirectory, name);
}
