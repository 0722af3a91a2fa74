// Running a repository's hooks: programs people put into hooks/ (or core.hooksPath), run at git's moments with git's arguments,
// environment and input (githooks(5)). What a hook prints goes to stderr. A hook that is not executable is passed over with a hint, and hooks
// of a repository that belongs to somebody else are never run.
import * as fs from 'node:fs';
import { join, resolve } from 'node:path';
import { RefusedError, isSystemError } from '../pack/errors.js';
import { lazyModule } from '../pack/lazy-module.js';
import type { Repository } from './repository.js';

const childProcess = lazyModule<typeof import('node:child_process')>('node:child_process');

export interface HookOptions {
  readonly args?: readonly string[];
  readonly stdin?: Buffer | string;
  /** Added to the environment. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface HookResult {
  /** False when there is no such hook. */
  readonly ran: boolean;
  /** 0 when there is none; 128 + signal number when it was killed. */
  readonly exitCode: number;
}

/** Every hook that is run, and by what. */
export const hooksAndMoments: Readonly<Record<string, string>> = {
  'pre-commit': 'commit', 'prepare-commit-msg': 'commit, merge, cherry-pick, revert, rebase', 'commit-msg': 'commit, merge', 'post-commit': 'commit, cherry-pick, revert, rebase',
  'pre-merge-commit': 'merge', 'post-merge': 'merge', 'pre-rebase': 'rebase', 'post-rewrite': 'commit --amend, rebase',
  'post-checkout': 'checkout, switch, worktree add', 'reference-transaction': 'every change of refs', 'pre-auto-gc': 'gc --auto', 'post-gc': 'gc',
  'pre-release': 'release, rollback', 'post-release': 'release, rollback',
};

export interface HookState {
  readonly name: string;
  /** The commands that run it; undefined where none does. */
  readonly runBy: string | undefined;
  readonly path: string;
  /** False: the file is there, but is passed over. */
  readonly isExecutable: boolean;
}

/** The hooks there are files of, by name; samples and files that no hook is called like (with a dot) are none. */
export function listHooks(repository: Repository): HookState[] {
  const directory = hookPath(repository, '');
  if (!fs.statSync(directory, { throwIfNoEntry: false })?.isDirectory()) return [];
  return fs.readdirSync(directory).filter((name) => /^[a-z0-9-]+$/.test(name)).sort().flatMap((name) => {
    const path = join(directory, name);
    const status = fs.statSync(path, { throwIfNoEntry: false });
    if (!status?.isFile()) return [];
    return [{ name, runBy: hooksAndMoments[name], path, isExecutable: (status.mode & 0o111) !== 0 }];
  });
}

function hookPath(repository: Repository, name: string): string {
  const configured = repository.config.getPath('core.hookspath');
  const directory = configured === undefined ? join(repository.commonDirectory, 'hooks') : resolve(workingDirectory(repository), configured);
  return join(directory, name);
}

/** True when a file has the hook's name, whether it can be run or not: says nothing to anybody. */
export function hasHook(repository: Repository, name: string): boolean {
  return fs.existsSync(hookPath(repository, name));
}

/** The hook's file, when there is one that can be run. */
export function findHook(repository: Repository, name: string): string | undefined {
  const path = hookPath(repository, name);
  const status = fs.statSync(path, { throwIfNoEntry: false });
  if (status === undefined || !status.isFile()) return undefined;
  try {
    fs.accessSync(path, fs.constants.X_OK);
  } catch (error) {
    if (!isSystemError(error, 'EACCES', 'EPERM')) throw error;
    if (repository.config.getBoolean('advice.ignoredhook', true)) {
      repository.context.stderr.write(`hint: the '${path}' hook was ignored because it's not set as executable.\n`
        + 'hint: you can disable this warning with `cairn config advice.ignoredHook false`.\n');
    }
    return undefined;
  }
  if (!repository.isTrusted) {
    repository.context.stderr.write(`warning: hook '${path}' was not run: the repository belongs to another user\n`);
    return undefined;
  }
  return path;
}

/** A file of the repository's as a hook is told of it: relative to the work tree, where the repository is in it. */
export function pathForHook({ gitDirectory, workTree }: Repository, name: string): string {
  return workTree !== undefined && gitDirectory === join(workTree, '.git') ? `.git/${name}` : join(gitDirectory, name);
}

/** Runs a hook when there is one; the caller decides what its exit code means. */
export function runHook(repository: Repository, name: string, options: HookOptions = {}): HookResult {
  const path = findHook(repository, name);
  if (path === undefined) return { ran: false, exitCode: 0 };
  const { context } = repository;
  context.stdout.flush();
  context.stderr.flush();
  const result = childProcess().spawnSync(path, [...options.args ?? []], {
    cwd: workingDirectory(repository),
    env: childEnvironment(repository, options.env),
    input: options.stdin ?? '',
    // Standard output must not mix with ours, which scripts read.
    stdio: ['pipe', 'pipe', 'pipe'],
    maxBuffer: 64 * 1024 * 1024,
  });
  if (result.stdout?.length) context.stderr.write(result.stdout);
  if (result.stderr?.length) context.stderr.write(result.stderr);
  if (result.error !== undefined && !isSystemError(result.error, 'EPIPE')) {
    throw new RefusedError(`hook '${path}' could not be run: ${result.error.message}`, { code: 'hook-failed', cause: result.error });
  }
  if (result.signal !== null) return { ran: true, exitCode: 128 + (signalNumbers[result.signal] ?? 0) };
  return { ran: true, exitCode: result.status ?? 1 };
}

const signalNumbers: Readonly<Record<string, number>> = { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGABRT: 6, SIGKILL: 9, SIGSEGV: 11, SIGPIPE: 13, SIGTERM: 15 };

function workingDirectory(repository: Repository): string {
  return repository.workTree ?? repository.gitDirectory;
}

/** The environment of a program that is run on behalf of a repository. */
export function childEnvironment(repository: Repository, added: Readonly<Record<string, string>> = {}): Record<string, string> {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(repository.context.env)) if (value !== undefined) env[name] = value;
  // Git finds '.git' from the work tree by itself; it would not find '.cairn', and a linked work tree's hook must not guess.
  env['GIT_DIR'] = repository.workTree !== undefined && repository.gitDirectory === join(repository.workTree, '.git') ? '.git' : repository.gitDirectory;
  if (repository.workTree !== undefined) {
    env['GIT_PREFIX'] = Buffer.from(repository.prefix, 'latin1').toString();
    if (env['GIT_WORK_TREE'] !== undefined || repository.gitDirectory !== join(repository.workTree, '.git')) env['GIT_WORK_TREE'] = repository.workTree;
  }
  if (env['GIT_INDEX_FILE'] !== undefined) env['GIT_INDEX_FILE'] = repository.indexPath;
  if (repository.context.configOverrides.length > 0) env['GIT_CONFIG_PARAMETERS'] = formatParameters(env['GIT_CONFIG_PARAMETERS'], repository.context.configOverrides);
  return Object.assign(env, added);
}

/** `-c` options as the programs a hook starts understand them. */
function formatParameters(inherited: string | undefined, overrides: readonly (readonly [string, string | undefined])[]): string {
  const quote = (text: string): string => `'${text.replace(/['!]/g, '\'\\$&\'')}'`;
  const words = overrides.map(([name, value]) => value === undefined ? `${quote(name)}=` : `${quote(name)}=${quote(value)}`);
  return [...(inherited ? [inherited] : []), ...words].join(' ');
}
