import test from 'ava';
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cairnProcess, cairnProgram } from '../helpers/cairn.js';
import { makeRepository } from '../helpers/differential.js';
import { cleanEnvironment, git, gitOutput, skipWithoutGit } from '../helpers/stock-git.js';

/** Writes a chain of commits with plumbing only, each its own process; what update-ref acknowledged goes to a journal. */
const writer = `
  parent=
  for i in 1 2 3 4 5; do
    blob=$(echo "content $1 $i" | $CAIRN hash-object -w --stdin) || exit 1
    tree=$(printf '100644 blob %s\\tname\\n' $blob | $CAIRN mktree) || exit 1
    commit=$($CAIRN commit-tree $parent -m "$1 $i" $tree) || exit 1
    $CAIRN update-ref refs/heads/$1 $commit || exit 1
    echo "$commit" >>"$2"
    parent="-p $commit"
  done
`;

function startWriter(program: string, name: string, repository: string, journal: string): Promise<number | null> {
  const child = spawn('sh', ['-c', writer, 'sh', name, journal], { cwd: repository, env: { ...cleanEnvironment, CAIRN: program }, stdio: ['ignore', 'ignore', 'inherit'] });
  return new Promise((resolve) => { child.on('exit', resolve); });
}

test('writers beside gc, ours and stock git, lose nothing they were told is there', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeRepository(t, 'sha1', 'for i in 1 2 3; do echo $i >file; git add file; git commit -qm $i; done; git repack -adq');
  const journals = ['one', 'two', 'three'].map((name) => ({ name, path: join(repository, '..', `journal-${name}`) }));
  let running = journals.length;
  const writers = journals.map(async ({ name, path }) => {
    const code = await startWriter(name === 'three' ? 'git' : cairnProgram, name, repository, path);
    running -= 1;
    return code;
  });
  let collections = 0;
  while (running > 0) {
    const result = await new Promise<number | null>((resolve) => {
      spawn(cairnProgram, ['gc', '-q'], { cwd: repository, env: { ...cleanEnvironment }, stdio: 'ignore' }).on('exit', resolve);
    });
    t.is(result, 0);
    collections += 1;
  }
  t.deepEqual(await Promise.all(writers), [0, 0, 0]);
  t.is(cairnProcess(['gc', '-q'], { cwd: repository }).code, 0);
  for (const { name, path } of journals) {
    const acknowledged = readFileSync(path, 'utf8').trim().split('\n');
    t.deepEqual(gitOutput(['rev-list', '--reverse', name], { cwd: repository }).split('\n'), acknowledged);
  }
  t.is(git(['fsck', '--full', '--strict'], { cwd: repository }).code, 0);
  t.log(`${collections} collections beside 3 writers`);
});

/** Runs a program to its end without waiting for it here; its exit code. */
function start(program: string, argv: readonly string[], repository: string): Promise<number | null> {
  const child = spawn(program, argv, { cwd: repository, env: { ...cleanEnvironment }, stdio: ['ignore', 'ignore', 'inherit'] });
  return new Promise((resolve) => { child.on('exit', resolve); });
}

test('beside gc with a grace of 0 no ref ever names what is missing, and every acknowledged update is there', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeRepository(t, 'sha1', 'echo 1 >file; git add file; git commit -qm 1');
  const journals = ['one', 'two', 'three', 'four'].map((name) => ({ name, path: join(repository, '..', `journal-0-${name}`) }));
  let running = journals.length;
  const writers = journals.map(async ({ name, path }) => {
    const code = await startWriter(cairnProgram, name, repository, path);
    running -= 1;
    return code;
  });
  let collections = 0;
  while (running > 0) {
    t.is(await start(cairnProgram, ['gc', '-q', '--grace=0'], repository), 0);
    collections += 1;
    // Stock git knows nothing of quarantine: what it finds is in the store.
    const check = git(['fsck', '--connectivity-only'], { cwd: repository });
    t.is(check.code, 0, check.stderr);
  }
  t.deepEqual(await Promise.all(writers), [0, 0, 0, 0]);
  let acknowledged = 0;
  for (const { name, path } of journals) {
    const lines = readFileSync(path, 'utf8').trim().split('\n');
    acknowledged += lines.length;
    t.deepEqual(gitOutput(['rev-list', '--reverse', name], { cwd: repository }).split('\n'), lines);
  }
  t.is(git(['fsck', '--full', '--strict'], { cwd: repository }).code, 0);
  t.log(`${collections} collections beside 4 writers, ${acknowledged} updates acknowledged`);
});

test('an updater that is stopped between its look and its rename keeps gc from removing, and then succeeds', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeRepository(t, 'sha1', `
    echo 1 >file; git add file; git commit -qm 1; echo 2 >file; git commit -qam 2
    git rev-parse HEAD >../lost; git reset -q --hard HEAD~1; rm -rf .git/logs .git/ORIG_HEAD
    echo nobody needs this | git hash-object -w --stdin
    git config gc.waitForWriters 1s
  `);
  const lost = readFileSync(join(repository, '../lost'), 'utf8').trim();
  const hook = join(repository, '.git/hooks/reference-transaction');
  mkdirSync(join(repository, '.git/hooks'), { recursive: true });
  // Called when all is locked and looked at, before anything is renamed.
  writeFileSync(hook, '#!/bin/sh\n[ "$1" = prepared ] || exit 0\nkill -STOP $PPID\ntouch stopped\n', { mode: 0o755 });
  const updater = spawn(cairnProgram, ['update-ref', 'refs/heads/kept', lost], { cwd: repository, env: { ...cleanEnvironment }, stdio: 'ignore' });
  const code = new Promise<number | null>((resolve) => { updater.on('exit', resolve); });
  t.teardown(() => updater.kill('SIGKILL'));
  const marker = [join(repository, 'stopped'), join(repository, '.git/stopped')];
  while (!marker.some(existsSync)) await new Promise((resolve) => { setTimeout(resolve, 20); });
  const blocked = await start(cairnProgram, ['gc', '-q', '--grace=0'], repository);
  t.is(blocked, 4);
  t.is(git(['cat-file', '-e', lost], { cwd: repository }).code, 0);
  updater.kill('SIGCONT');
  t.is(await code, 0);
  t.is(await start(cairnProgram, ['gc', '-q', '--grace=0'], repository), 0);
  t.is(gitOutput(['show', 'kept:file'], { cwd: repository }), '2');
  t.is(git(['fsck', '--full', '--strict'], { cwd: repository }).code, 0);
});

test('of two gc at once one does the work and the other is refused or finds it done', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeRepository(t, 'sha1', 'for i in 1 2 3; do echo $i >file; git add file; git commit -qm $i; done');
  const codes = await Promise.all([1, 2, 3].map(() => new Promise<number | null>((resolve) => {
    spawn(cairnProgram, ['gc', '-q', '--grace=0'], { cwd: repository, env: { ...cleanEnvironment }, stdio: 'ignore' }).on('exit', resolve);
  })));
  t.true(codes.includes(0));
  t.true(codes.every((code) => code === 0 || code === 4), codes.join());
  t.is(git(['fsck', '--full', '--strict'], { cwd: repository }).code, 0);
  t.is(gitOutput(['rev-list', '--count', 'HEAD'], { cwd: repository }), '3');
});
