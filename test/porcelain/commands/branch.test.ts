import test from 'ava';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cairn } from '../../helpers/cairn.js';
import { type Case, bothFormats, compareWithGit, makeRepository } from '../../helpers/differential.js';
import { git, gitOutput, skipWithoutGit } from '../../helpers/stock-git.js';

const fixture = `
  echo a >a; git add a; git commit -qm one; git branch topic; echo b >b; git add b; git commit -qm 'two words'; git tag v1; git tag -a v2 -m annotated
  git checkout -q topic; echo c >c; git add c; git commit -qm three; git checkout -q main; git branch feature/x
  git update-ref refs/remotes/origin/main HEAD; git update-ref refs/remotes/origin/next topic; git symbolic-ref refs/remotes/origin/HEAD refs/remotes/origin/main
  git config remote.origin.url x; git config remote.origin.fetch '+refs/heads/*:refs/remotes/origin/*'; git branch -q --track tracked origin/next`;

const lists: readonly string[] = [
  '', '-a', '-r', '-v', '-vv', '-av', '-avv', '--list f*', '--list feature* topic', '-r --list o*/n*', '--contains topic', '--no-contains topic', '--merged', '--no-merged',
  '--merged topic', '--sort=-refname', '--sort=committerdate', '--format=%(refname)|%(HEAD)|%(upstream:track)', '--show-current', '--points-at HEAD', '--column',
  '--column=row -a', '-v --abbrev=10', '-v --no-abbrev', '-i --list TOP*',
];
const cases = (lines: readonly string[], readsOnly = false): Case[] => lines.map((line) => ({ argv: ['branch', ...line.split(' ').filter(Boolean)], ...(readsOnly ? { readsOnly } : {}) }));

for (const format of bothFormats) {
  test(`branch lists as git does (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    await compareWithGit(t, makeRepository(t, format, fixture), cases(lists, true));
  });

  test(`branch makes, moves, renames, copies and deletes as git does (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    await compareWithGit(t, makeRepository(t, format, fixture), [
      ...cases([
        'new', 'new2 topic', '-f new2 main', 'n3 origin/main', '--no-track n4 origin/main', '-t n5 main', '--track=inherit n6 n3', 'n9 main...topic', '-vv', '-d new',
        '-D new2 topic', '-r -d origin/next', '-m n4 ren', '-m ren ren/sub', '-m ren/sub ren', '-c n3 n33', '-C n3 cop', '-u n9', '--unset-upstream', '-m main master',
        '-u origin/main cop', '-vv', '-d -q ren',
      ]),
      { argv: ['reflog', 'cop'] },
      { argv: ['config', '--get-regexp', '^branch'], ignoreOutput: true },
    ]);
  });
}

test('branch tells where a detached HEAD is', async (t) => {
  if (skipWithoutGit(t)) return;
  for (const where of ['--detach', 'v2', 'origin/main']) {
    const repository = makeRepository(t, 'sha1', `${fixture}; git checkout -q ${where}`);
    await compareWithGit(t, repository, cases(['', '-v', '-a', '--show-current', '--format=%(refname)|%(HEAD)'], true));
  }
});

test('a branch that is checked out or not merged stays, and so does one that is there already', async (t) => {
  if (skipWithoutGit(t)) return;
  const directory = makeRepository(t, 'sha1', fixture);
  const before = gitOutput(['for-each-ref'], { cwd: directory });
  for (const [line, code] of [['-d topic', 3], ['-d main', 3], ['-D main', 3], ['-f main topic', 3], ['topic', 3], ['-m topic main', 3], ['-d nosuch', 2], ['x nosuch', 2],
    ['bad..name', 2], ['-m a..b', 2], ['-u nosuch', 2], ['-t x v1', 3], ['-a x', 129], ['-d -m x', 129], ['a b c', 129]] as const) {
    t.is((await cairn(['branch', ...line.split(' ')], { cwd: directory })).code, code, line);
  }
  t.is(gitOutput(['for-each-ref'], { cwd: directory }), before);
});

test('deleting a branch forgets its settings, renaming it takes them along', async (t) => {
  if (skipWithoutGit(t)) return;
  const directory = makeRepository(t, 'sha256', fixture);
  await cairn(['branch', '-m', 'tracked', 'größer'], { cwd: directory });
  await cairn(['branch', '-m', 'größer', 'moved'], { cwd: directory });
  t.is(gitOutput(['config', 'branch.moved.merge'], { cwd: directory }), 'refs/heads/next');
  t.is((await cairn(['branch', '-D', 'moved'], { cwd: directory })).code, 0);
  t.false(readFileSync(join(directory, '.git/config'), 'utf8').includes('moved'));
});

test('a renamed branch takes along its log, and every work tree that is on it, as git does', async (t) => {
  if (skipWithoutGit(t)) return;
  const script = 'for i in 1 2; do git commit -q --allow-empty -m $i; done; git branch o; git branch over HEAD~1; git branch x; git worktree add -q .git/linked -b w';
  const theirs = makeRepository(t, 'sha1', script);
  const ours = makeRepository(t, 'sha1', script);
  for (const argv of [['-m', 'foo'], ['-m', 'o', 'p'], ['-c', 'foo', 'copy'], ['-M', 'p', 'over'], ['-m', 'w', 'w/deeper'], ['-m', 'w/deeper', 'w'], ['-C', 'x', 'over']]) {
    git(['branch', ...argv], { cwd: theirs });
    t.is((await cairn(['branch', ...argv], { cwd: ours })).code, 0, argv.join(' '));
  }
  const look = (directory: string): string => gitOutput(['for-each-ref', '--format=%(refname) %(objectname)'], { cwd: directory })
    + ['HEAD', 'foo', 'copy', 'over', 'w', 'x'].map((name) => gitOutput(['reflog', 'show', '--format=%gd %H %gs', name, '--'], { cwd: directory })).join('\n')
    + gitOutput(['symbolic-ref', 'HEAD'], { cwd: join(directory, '.git/linked') });
  t.is(look(ours), look(theirs));
  t.is((await cairn(['branch', '-m', 'foo', 'main'], { cwd: join(ours, '.git/linked') })).code, 0);
  t.is(gitOutput(['symbolic-ref', 'HEAD'], { cwd: ours }), 'refs/heads/main');
  t.deepEqual(readdirSync(join(ours, '.git/cairn/ref-journal')), []);
});

test('a rename whose settings cannot be changed changes nothing', async (t) => {
  if (skipWithoutGit(t)) return;
  const directory = makeRepository(t, 'sha1', fixture);
  const look = (): string => gitOutput(['for-each-ref'], { cwd: directory }) + ['main', 'topic', 'tracked'].map((name) => gitOutput(['reflog', 'show', name, '--'], { cwd: directory })).join('\n');
  const before = look();
  writeFileSync(join(directory, '.git/config.lock'), '');
  t.is((await cairn(['branch', '-M', 'tracked', 'topic'], { cwd: directory })).code, 4);
  t.is(look(), before);
});

test('branch --json tells name, commit and whether it is the current one', async (t) => {
  if (skipWithoutGit(t)) return;
  const directory = makeRepository(t, 'sha1', fixture);
  const found = JSON.parse((await cairn(['branch', '--json'], { cwd: directory })).stdout) as { name: string; commit: string; current: boolean; upstream: string | null }[];
  t.deepEqual(found.filter(({ current }) => current).map(({ name }) => name), ['refs/heads/main']);
  t.is(found.find(({ name }) => name === 'refs/heads/tracked')?.upstream, 'refs/heads/next');
});
