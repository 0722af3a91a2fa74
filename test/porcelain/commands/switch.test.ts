// switch, checkout, restore and reset beside stock git, with the work tree compared too.
import test, { type ExecutionContext } from 'ava';
import { mkdirSync, readFileSync, readdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cairn } from '../../helpers/cairn.js';
import { type Case, bothFormats, compareWithGit, makeRepository } from '../../helpers/differential.js';
import { compareScript } from '../../helpers/side-by-side.js';
import { gitOutput, runProgram, skipWithoutGit } from '../../helpers/stock-git.js';

const fixture = `
  mkdir d; for f in a b d/x d/y; do echo $f >$f; done; git add .; git commit -qm one; git branch topic
  echo 2 >>a; git rm -q d/y; echo n >new; git add .; git commit -qm two; git tag v1; git tag -a v2 -m t
  git checkout -q topic; echo t >tfile; ln -s a link; rm -r d; echo file >d; git add -A; git commit -qm three; git checkout -q main
  git update-ref refs/remotes/origin/rem topic; git config remote.origin.url x; git config remote.origin.fetch '+refs/heads/*:refs/remotes/origin/*'`;

const cases = (text: string): Case[] => text.trim().split('\n').flatMap((line) => [
  { argv: line.trim().split(' ') }, { argv: ['diff', '--name-status'], readsOnly: true }, { argv: ['reflog', '-1'], readsOnly: true },
  { argv: ['ls-files', '-o'], readsOnly: true },
]);

const groups: Readonly<Record<string, string>> = {
  'switch and checkout go where git goes': `switch topic
    switch -
    switch --detach v1
    switch -
    switch -c new1
    switch main
    switch -C new1 topic
    switch -c new2 v1
    switch rem
    switch --orphan orph
    switch main
    checkout -b cb
    checkout -B cb topic
    checkout -b cb2 v2
    checkout v1
    checkout HEAD~1
    checkout main
    checkout --detach
    checkout -
    checkout main...topic
    checkout -f main
    checkout -t -b rem2 origin/rem
    checkout --orphan or2
    checkout -f main`,
  'restore and checkout bring paths back as git does': `checkout HEAD~1 -- a
    checkout HEAD -- .
    checkout topic -- tfile link
    restore --staged .
    restore -s v1 .
    restore -s topic -S tfile
    restore --source=HEAD --staged --worktree .
    restore --source=HEAD~1 -S -W a new
    restore -SW .`,
  'reset moves branch, index and files as git does': `reset HEAD~1
    reset --hard topic
    reset --hard main@{2}
    reset --soft HEAD~1
    reset
    reset --hard v1
    reset -q HEAD~1 -- .
    reset a
    reset --hard
    reset --merge HEAD~1
    reset --merge v1
    reset --keep HEAD~1
    reset --keep v1`,
};

for (const format of bothFormats) {
  for (const [title, lines] of Object.entries(groups)) {
    test(`${title} (${format})`, async (t) => {
      if (skipWithoutGit(t)) return;
      await compareWithGit(t, makeRepository(t, format, fixture), cases(lines));
    });
  }
}

test('local changes go along where the commits agree, and are told of', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeRepository(t, 'sha256', `${fixture}; echo local >>b; rm new; git rm -q --cached new`);
  await compareWithGit(t, repository, cases(`checkout
    switch -c other
    switch main`));
});

/** Everything in the work tree. */
function filesOf(directory: string, below = ''): string[] {
  return readdirSync(join(directory, below), { withFileTypes: true }).filter(({ name }) => name !== '.git').flatMap((entry) => {
    const path = join(below, entry.name);
    if (entry.isDirectory()) return filesOf(directory, path);
    return [`${path}: ${entry.isSymbolicLink() ? readlinkSync(join(directory, path)) : readFileSync(join(directory, path), 'latin1')}`];
  }).sort();
}

async function refuses(t: ExecutionContext, directory: string, line: string, code: number): Promise<void> {
  const state = (): object => ({
    files: filesOf(directory), head: readFileSync(join(directory, '.git/HEAD'), 'utf8'),
    refs: gitOutput(['for-each-ref'], { cwd: directory }), index: gitOutput(['ls-files', '-s'], { cwd: directory }),
  });
  const before = state();
  t.is((await cairn(line.split(' '), { cwd: directory })).code, code, line);
  t.deepEqual(state(), before, line);
}

test('what would lose a local change or an untracked file is refused, with nothing touched', async (t) => {
  if (skipWithoutGit(t)) return;
  const changed = makeRepository(t, 'sha1', `${fixture}; echo local >>a`);
  for (const line of ['switch topic', 'checkout topic', 'checkout v1~1', 'reset --keep v1~1', 'switch -c x topic']) await refuses(t, changed, line, 3);
  const untracked = makeRepository(t, 'sha1', fixture);
  writeFileSync(join(untracked, 'tfile'), 'mine');
  await refuses(t, untracked, 'switch topic', 3);
  const inside = makeRepository(t, 'sha1', fixture);
  mkdirSync(join(inside, 'd/mine'));
  writeFileSync(join(inside, 'd/mine/file'), 'mine');
  await refuses(t, inside, 'checkout topic', 3);
  const merging = makeRepository(t, 'sha1', `${fixture}; git checkout -q -b m HEAD~1; echo c >>a; git commit -qam c; git merge main || true`);
  for (const line of ['switch main', 'checkout main', 'checkout a', 'reset --soft HEAD~1']) await refuses(t, merging, line, 3);
  for (const line of ['switch nosuch', 'checkout nosuch', 'restore nosuch', 'reset nosuch~1 -- a', 'switch -c a..b']) await refuses(t, merging, line, 2);
  for (const line of ['switch', 'switch a b', 'restore', 'reset --hard -- a', 'reset --soft --hard', 'checkout -b x -B y']) await refuses(t, merging, line, 129);
});

test('before the first commit reset empties the index, and with --hard takes the files too', async (t) => {
  if (skipWithoutGit(t)) return;
  for (const [line, files] of [['reset', ['a: a\n']], ['reset --hard', []]] as const) {
    const directory = makeRepository(t, 'sha1', 'echo a >a; git add a');
    t.is((await cairn(line.split(' '), { cwd: directory })).code, 0);
    t.is(gitOutput(['ls-files'], { cwd: directory }), '');
    t.deepEqual(filesOf(directory), [...files]);
  }
});

test('one side of a conflict can be taken', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeRepository(t, 'sha1', `${fixture}; git checkout -q -b m HEAD~1; echo c >>a; git commit -qam c; git merge main || true`);
  await compareWithGit(t, repository, cases(`checkout --ours a
    checkout --theirs a
    restore --ours a
    checkout -f a
    restore --ignore-unmerged .
    reset --merge`));
});

test('post-checkout is told from where to where', async (t) => {
  if (skipWithoutGit(t)) return;
  const directory = makeRepository(t, 'sha1', `${fixture}; printf '#!/bin/sh\\necho "$@" >>hooked\\n' >.git/hooks/post-checkout; chmod +x .git/hooks/post-checkout`);
  await cairn(['switch', 'topic'], { cwd: directory });
  await cairn(['checkout', 'a'], { cwd: directory });
  const [main, topic] = ['main', 'topic'].map((name) => gitOutput(['rev-parse', name], { cwd: directory }).trim());
  t.is(readFileSync(join(directory, 'hooked'), 'utf8'), `${main} ${topic} 1\n${topic} ${topic} 0\n`);
  t.is(runProgram('git', ['status', '-sb'], { cwd: directory }).stdout, '## topic\n?? hooked\n');
});

test('--merge takes local changes along, with conflicts where both changed the same lines', async (t) => {
  if (skipWithoutGit(t)) return;
  await compareScript(t, 'sha1', `seq 10 > f; echo g > g; git add .; git commit -qm base; git checkout -qb t; sed -i 3s/.*/t/ f; echo n > n; git add .; git commit -qm t; git checkout -q main`, `
    sed -i 9s/.*/local/ f
    $ checkout -m t
    $ status
    $ switch -m main
    sed -i 3s/.*/local/ f
    $ checkout -m t
    $ status
    git checkout -q -f main; sed -i 3s/.*/local/ f; git checkout -q --detach t~1
    $ switch -m -c other t
    $ diff`);
});

test('what a branch follows is told on arriving there', async (t) => {
  if (skipWithoutGit(t)) return;
  await compareScript(t, 'sha1', `echo a > a; git add .; git commit -qm i; git branch x; git branch -u main x; git checkout -qb y; git branch -u main; echo b > b; git add b; git commit -qm y
    git checkout -q main; echo c > c; git add c; git commit -qm m`, `
    $ checkout x
    $ switch y
    $ checkout
    $ checkout -f
    $ switch -C x main
    $ checkout -b n --track y
    $ -c advice.statusHints=false switch y
    $ switch -q x`);
});
