// Stock git as the oracle. Where it is not installed, tests that need it are skipped and say so.
import type { ExecutionContext } from 'ava';
import { spawnSync } from 'node:child_process';

/** What a finished process left: exit code and what it printed, as bytes and as latin1 text. */
export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stdoutBytes: Buffer;
  readonly stderr: string;
}

/** The same people, time and language for git and for cairn; nothing of the machine's own configuration. */
export const cleanEnvironment: Readonly<Record<string, string>> = {
  PATH: process.env['PATH'] ?? '/usr/bin:/bin',
  HOME: '/nonexistent',
  LC_ALL: 'C.UTF-8',
  TZ: 'UTC',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_AUTHOR_NAME: 'A U Thor',
  GIT_AUTHOR_EMAIL: 'author@example.com',
  GIT_AUTHOR_DATE: '1112911993 -0700',
  GIT_COMMITTER_NAME: 'C O Mitter',
  GIT_COMMITTER_EMAIL: 'committer@example.com',
  GIT_COMMITTER_DATE: '1112911993 -0700',
  GIT_TERMINAL_PROMPT: '0',
};

export interface RunOptions {
  readonly cwd: string;
  readonly stdin?: string | Buffer;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

function environment(extra: RunOptions['env']): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = { ...cleanEnvironment };
  for (const [name, value] of Object.entries(extra ?? {})) {
    if (value === undefined) delete env[name];
    else env[name] = value;
  }
  return env;
}

/** Runs a program to its end, without a shell. */
export function runProgram(program: string, argv: readonly string[], options: RunOptions): Finished {
  const result = spawnSync(program, argv, {
    cwd: options.cwd,
    env: environment(options.env),
    input: options.stdin ?? '',
    maxBuffer: 1024 * 1024 * 1024,
  });
  // A program that ends without reading all it is given is no failure of the test.
  const isUnread = result.error !== undefined && 'code' in result.error && result.error.code === 'EPIPE' && result.status !== null;
  if (result.error !== undefined && !isUnread) throw result.error;
  return {
    code: result.status ?? 128 + 9,
    stdout: result.stdout.toString('latin1'),
    stdoutBytes: result.stdout,
    stderr: result.stderr.toString('latin1'),
  };
}

/** Runs stock git to its end. */
export function git(argv: readonly string[], options: RunOptions): Finished {
  return runProgram('git', argv, options);
}

/** Runs stock git, which must succeed; its output without the last line end. */
export function gitOutput(argv: readonly string[], options: RunOptions): string {
  const result = git(argv, options);
  if (result.code !== 0) throw new Error(`git ${argv.join(' ')} exited with ${result.code}: ${result.stderr}`);
  return result.stdout.replace(/\n$/, '');
}

let found: boolean | undefined;

/** True when stock git with sha256 support can be run here. */
export function hasGit(): boolean {
  if (found === undefined) {
    const probe = spawnSync('git', ['version'], { encoding: 'utf8' });
    const version = /git version (\d+)\.(\d+)/.exec(probe.stdout ?? '');
    found = probe.status === 0 && version !== null && (Number(version[1]) > 2 || Number(version[2]) >= 39);
  }
  return found;
}

/** Ends the test as passed, saying why, when stock git is missing; use as `if (skipWithoutGit(t)) return;`. */
export function skipWithoutGit(t: ExecutionContext): boolean {
  if (hasGit()) return false;
  t.log('skipped: stock git 2.39 or newer is not installed');
  t.pass();
  return true;
}
