// Commands by comparison with stock git: the same argv in two copies of one repository; output, exit code, refs, index and
// objects afterwards must agree, and `git fsck --strict` must be content with what cairn left.
import type { ExecutionContext } from 'ava';
import { appendFileSync, cpSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type InProcessOptions, cairn } from './cairn.js';
import { makeSandbox } from './sandbox.js';
import { type Finished, git, gitOutput, runProgram } from './stock-git.js';

export type Format = 'sha1' | 'sha256';
export const bothFormats: readonly Format[] = ['sha1', 'sha256'];

/** One command line and what it is given. */
export interface Case {
  readonly argv: readonly string[];
  readonly stdin?: string | Buffer;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Below the work tree; default its top. */
  readonly subdirectory?: string;
  /** Compare standard error too (default: only whether there is some when the exit code is not 0 is left alone). */
  readonly compareStderr?: boolean;
  /** The command changes nothing, so what is left need not be compared after it (it is once, at the end). */
  readonly readsOnly?: boolean;
  /** Do not compare which objects there are: one side keeps trees nobody refers to. */
  readonly ignoreObjects?: boolean;
  /** Do not compare output, only exit code and what is left. */
  readonly ignoreOutput?: boolean;
}

/** Where every case run is written down, one JSON array of words per line; `npm test` counts them at its end. */
const caseRecord = process.env['CAIRN_CASE_RECORD'];

/** Counts a command line that a test of its own kind has compared with git's answer. */
export function recordCase(argv: readonly string[]): void {
  if (caseRecord !== undefined) appendFileSync(join(caseRecord, String(process.pid)), `${JSON.stringify(argv)}\n`);
}

/** A shell script run by `sh -e` with stock git on its path makes the repository both sides start from. */
export function makeRepository(t: ExecutionContext, format: Format, script: string): string {
  const directory = join(makeSandbox(t), 'repo');
  const made = runProgram('git', ['init', '-q', '-b', 'main', `--object-format=${format}`, directory], { cwd: '/' });
  if (made.code !== 0) throw new Error(made.stderr);
  const result = runProgram('sh', ['-e', '-c', script], { cwd: directory });
  if (result.code !== 0) throw new Error(`fixture failed: ${result.stderr}`);
  return directory;
}

/** Runs every case in turn with git in one copy of `repository` and with cairn in another, comparing after each. */
export async function compareWithGit(t: ExecutionContext, repository: string, cases: readonly Case[]): Promise<void> {
  const base = makeSandbox(t);
  // Both copies lie at the same depth and under names of the same length, so that printed relative paths agree.
  const theirs = join(base, 'a', 'repo');
  const ours = join(base, 'b', 'repo');
  cpSync(repository, theirs, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
  cpSync(repository, ours, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
  for (const one of cases) {
    const label = `cairn ${one.argv.join(' ')}`;
    const expected = git(one.argv, optionsFor(theirs, one));
    const actual = await cairn(one.argv, optionsFor(ours, one) as InProcessOptions);
    recordCase(one.argv);
    compareOutcome(t, label, expected, actual, one);
    const state = (directory: string): object => ({ ...stateOf(directory), ...(one.ignoreObjects ? { objects: '' } : {}) });
    if (!one.readsOnly) t.deepEqual(state(ours), state(theirs), `${label}: refs, index and objects afterwards`);
  }
  if (cases.at(-1)?.readsOnly) t.deepEqual(stateOf(ours), stateOf(theirs), 'refs, index and objects at the end');
  const check = git(['fsck', '--strict', '--full'], { cwd: ours });
  const reference = git(['fsck', '--strict', '--full'], { cwd: theirs });
  t.is(check.code, reference.code, `git fsck of what cairn left: ${check.stderr}`);
}

function optionsFor(root: string, one: Case): { cwd: string; stdin?: string | Buffer; env?: Readonly<Record<string, string | undefined>> } {
  return {
    cwd: one.subdirectory === undefined ? root : join(root, one.subdirectory),
    ...(one.stdin === undefined ? {} : { stdin: one.stdin }),
    ...(one.env === undefined ? {} : { env: one.env }),
  };
}

/** Output and exit code must agree; on failure git's words are shown. The label is the command line, words between blanks. */
export function compareFinished(t: ExecutionContext, label: string, expected: Finished, actual: Finished, one: Pick<Case, 'compareStderr' | 'ignoreOutput'> = {}): void {
  recordCase(label.replace(/^cairn /, '').split(' '));
  compareOutcome(t, label, expected, actual, one);
}

function compareOutcome(t: ExecutionContext, label: string, expected: Finished, actual: Finished, one: Pick<Case, 'compareStderr' | 'ignoreOutput'>): void {
  t.is(actual.code, expected.code, `${label}: exit code\n  git: ${expected.stderr}\n  cairn: ${actual.stderr}`);
  // Usage goes to standard output with -h and is worded by each for itself.
  if (!one.ignoreOutput && expected.code !== 129) t.is(actual.stdout, expected.stdout, `${label}: output`);
  if (one.compareStderr) t.is(actual.stderr, expected.stderr, `${label}: standard error`);
}

/** Refs, symbolic refs, index entries and object ids of a repository, told by stock git. */
export function stateOf(repository: string): { refs: string; head: string; index: string; objects: string } {
  const options = { cwd: repository };
  const bare = existsSync(join(repository, 'HEAD'));
  const head = readFileSync(join(repository, bare ? 'HEAD' : '.git/HEAD'), 'utf8');
  return {
    refs: gitOutput(['for-each-ref', '--format=%(refname) %(objectname) %(symref)'], options),
    head,
    index: bare ? '' : gitOutput(['ls-files', '-s', '-z'], options),
    objects: gitOutput(['cat-file', '--batch-all-objects', '--batch-check=%(objectname) %(objecttype) %(objectsize)'], options),
  };
}
