import test from 'ava';
import { ConflictError, CorruptError, InvalidError, LockedError, NotFoundError, RefusedError, RemoteError, UsageError } from '../../pack/errors.js';
import { asRefusal, exitCodeOf } from '../../porcelain/main.js';
import { cairn, cairnProcess } from '../helpers/cairn.js';
import { makeSandbox } from '../helpers/sandbox.js';
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { cairnProgram } from '../helpers/cairn.js';

const system = (code: string): Error => Object.assign(new Error(code), { code, syscall: 'open' });

const exits: readonly (readonly [error: unknown, git: number, ours: number])[] = [
  [new UsageError('x'), 129, 129],
  [new InvalidError('x'), 128, 2],
  [new NotFoundError('x'), 128, 2],
  [new RefusedError('x'), 128, 3],
  [new ConflictError('x'), 128, 4],
  [new LockedError('x'), 128, 4],
  [new RemoteError('x'), 128, 5],
  [new CorruptError('x'), 128, 6],
  [system('ENOSPC'), 128, 2],
  [system('EACCES'), 128, 2],
  [new TypeError('x'), 70, 70],
];

for (const [error, forGit, forOurs] of exits) {
  test(`an error of class ${(error as Error).constructor.name} (${(error as Error).message}) exits with ${forGit} or ${forOurs}`, (t) => {
    t.is(exitCodeOf(error, 'git'), forGit);
    t.is(exitCodeOf(error, 'cairn'), forOurs);
  });
}

test('a table that is full is a refusal that says so, any other wrong range a bug', (t) => {
  const full = asRefusal(new RangeError('Map maximum size exceeded'));
  t.true(full instanceof RefusedError && full.code === 'too-many-objects');
  t.is(exitCodeOf(full, 'git'), 128);
  const other = new RangeError('offset is out of range');
  t.is(asRefusal(other), other);
});

test('without a command the list of commands is shown and the exit code says that nothing was done', async (t) => {
  const result = await cairn([], { cwd: makeSandbox(t) });
  t.is(result.code, 1);
  t.regex(result.stdout, /^usage: cairn /);
  t.is((await cairn(['help'], { cwd: makeSandbox(t) })).code, 0);
  t.is((await cairn(['--help'], { cwd: makeSandbox(t) })).code, 0);
});

test('a mistyped command gets the nearest names', async (t) => {
  const result = await cairn(['hlep'], { cwd: makeSandbox(t) });
  t.is(result.code, 1);
  t.regex(result.stderr, /'hlep' is not a cairn command\nhint: did you mean 'help'/);
});

test('help of one command shows its options, by name and by --help', async (t) => {
  const cwd = makeSandbox(t);
  const byName = await cairn(['help', 'help'], { cwd });
  t.is(byName.code, 0);
  t.regex(byName.stdout, /--all/);
  t.is((await cairn(['help', '--help'], { cwd })).stdout, byName.stdout);
  const short = await cairn(['help', '-h'], { cwd });
  t.is(short.code, 129);
  t.regex(short.stdout, /^usage: cairn help/);
});

test('an option before the command that is not known is refused', async (t) => {
  const result = await cairn(['--frobnicate', 'help'], { cwd: makeSandbox(t) });
  t.is(result.code, 129);
  t.regex(result.stderr, /unknown option: --frobnicate/);
});

test('control characters in a name do not reach the terminal', async (t) => {
  const result = await cairn(['\u001b[31mred'], { cwd: makeSandbox(t) });
  t.false(result.stderr.includes('\u001b'));
});

test('as a process: output, exit code and version', (t) => {
  const cwd = makeSandbox(t);
  t.regex(cairnProcess(['--version'], { cwd }).stdout, /^cairn version \d+\.\d+\.\d+\n$/);
  t.is(cairnProcess(['frobnicate'], { cwd }).code, 1);
  t.is(cairnProcess(['--version'], { cwd, env: { NODE_EXTRA_CA_CERTS: '/nonexistent' } }).stderr, '', 'node is not told to load certificates');
});

test('as a process: a reader that goes away early is no error message', (t) => {
  const result = spawnSync('sh', ['-c', '{ "$0" help -a; echo $? >&2; } | exec 0<&-', cairnProgram], { cwd: makeSandbox(t), encoding: 'utf8' });
  t.regex(result.stderr.trim(), /^(0|141)$/);
});

test('a current directory that was removed is an error in words', (t) => {
  const directory = join(makeSandbox(t), 'gone');
  mkdirSync(directory);
  const inGone = (command: string): ReturnType<typeof spawnSync> =>
    spawnSync('/bin/sh', ['-c', `cd "$1" && rmdir "$1" && { "$2" "$3" ${command}; echo "exit $?"; mkdir "$1"; }`,
      'sh', directory, process.execPath, cairnProgram], { encoding: 'utf8' });
  const refused = inGone('status');
  t.is(refused.stdout, 'exit 128\n');
  t.regex(String(refused.stderr), /^fatal: the current directory does not exist any more\nhint: .*\n$/);
});
