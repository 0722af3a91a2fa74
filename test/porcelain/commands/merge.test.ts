import test from 'ava';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cairn } from '../../helpers/cairn.js';
import { type Case, bothFormats, compareWithGit, makeRepository } from '../../helpers/differential.js';
import { gitOutput, skipWithoutGit } from '../../helpers/stock-git.js';

const fixture = `
  for i in 1 2 3 4 5 6 7 8 9; do echo $i; done >f; cp f g; cp f h; echo gone >del; git add .; git commit -qm base; git branch base
  git checkout -q -b ahead; echo x >new; git add .; git commit -qm 'ahead one'; echo y >>new; git commit -qam 'ahead two'
  git checkout -q -b clean base; sed -i s/1/one/ f; echo c >cl; git add .; git commit -qm clean; git tag -a vclean -m 'tag text'
  git checkout -q -b confl base; sed -i s/5/five/ f; git rm -q del; git commit -qam confl
  git checkout -q -b ren base; git mv g g2; sed -i s/9/nine/ g2; git commit -qam ren
  git checkout -q --orphan unrel; git rm -rqf .; echo u >u; git add .; git commit -qm unrel
  git checkout -q -b five base; sed -i s/5/FIVE/ f; git commit -qam five
  git checkout -q main; git update-ref refs/remotes/origin/clean clean; git checkout -q -b wrk; sed -i s/9/NINE/ f; echo del2 >>del; git commit -qam ours`;

const cases = (text: string): Case[] => text.trim().split('\n').flatMap((line) => [
  { argv: line.trim().split(' '), env: { GIT_EDITOR: 'true' } }, { argv: ['diff'], readsOnly: true }, { argv: ['log', '-1', '--format=%P%n%B'], readsOnly: true },
  { argv: ['reflog', '-1'], readsOnly: true }, { argv: ['rev-parse', 'ORIG_HEAD'], readsOnly: true },
]);

const groups: Readonly<Record<string, string>> = {
  'merge goes forward as git does': `checkout -q main
    merge ahead
    merge ahead
    reset -q --hard base
    merge --no-ff ahead
    reset -q --hard base
    merge --ff-only -q ahead
    reset -q --hard base
    merge --squash ahead`,
  'merge makes the commits git makes': `merge clean
    reset -q --hard HEAD^
    merge -m one -m two vclean
    reset -q --hard HEAD^
    merge vclean
    reset -q --hard HEAD^
    merge --log origin/clean
    reset -q --hard HEAD^
    merge --into-name=foo --no-stat ren
    reset -q --hard HEAD^
    merge clean~0
    reset -q --hard HEAD^
    merge --no-commit clean
    merge --continue
    reset -q --hard HEAD^
    merge -s ours clean
    reset -q --hard HEAD^
    merge --allow-unrelated-histories unrel
    reset -q --hard HEAD^
    merge --squash ren`,
  'conflicts are left as git leaves them': `merge confl
    merge --abort
    checkout -q five
    merge -X ours confl
    reset -q --hard five
    merge -X theirs confl
    reset -q --hard HEAD^
    merge --squash confl
    reset -q --hard
    merge clean~0 -q`,
};

for (const format of bothFormats) {
  for (const [title, lines] of Object.entries(groups)) {
    test(`${title} (${format})`, async (t) => {
      if (skipWithoutGit(t)) return;
      await compareWithGit(t, makeRepository(t, format, fixture), cases(lines));
    });
  }
}

test('a merge in conflict is taken up by a commit, and its files say what it was', async (t) => {
  if (skipWithoutGit(t)) return;
  const directory = makeRepository(t, 'sha256', fixture);
  t.is((await cairn(['merge', 'confl'], { cwd: directory })).code, 1);
  t.is(readFileSync(join(directory, '.git/MERGE_HEAD'), 'utf8').trim(), gitOutput(['rev-parse', 'confl'], { cwd: directory }).trim());
  t.is(readFileSync(join(directory, '.git/MERGE_MSG'), 'utf8'), "Merge branch 'confl' into wrk\n\n# Conflicts:\n#\tdel\n");
  t.is((await cairn(['merge', 'clean'], { cwd: directory })).code, 3, 'one merge at a time');
  gitOutput(['rm', '-q', 'del'], { cwd: directory });
  t.is((await cairn(['commit', '-m', 'resolved'], { cwd: directory })).code, 0);
  t.is(gitOutput(['log', '-1', '--format=%P'], { cwd: directory }).trim().split(' ').length, 2);
  t.false(existsSync(join(directory, '.git/MERGE_HEAD')));
  t.is((await cairn(['merge', '--abort'], { cwd: directory })).code, 2);
});

test('nothing is begun when something would be lost', async (t) => {
  if (skipWithoutGit(t)) return;
  for (const change of ['echo local >>f', 'echo staged >>h; git add h', 'echo untracked >cl']) {
    const directory = makeRepository(t, 'sha1', `${fixture}; ${change}`);
    const state = (): string => ['status -s', 'for-each-ref', 'ls-files -s', 'diff'].map((line) => gitOutput(line.split(' '), { cwd: directory })).join('\n');
    const before = state();
    t.is((await cairn(['merge', 'clean'], { cwd: directory })).code, 3, change);
    t.is(state(), before, change);
    t.false(existsSync(join(directory, '.git/MERGE_HEAD')));
  }
});

test('what cannot be merged is refused', async (t) => {
  if (skipWithoutGit(t)) return;
  const directory = makeRepository(t, 'sha1', fixture);
  for (const [line, code] of [['nosuch', 2], ['HEAD^{tree}', 2], ['unrel', 3], ['--ff-only clean', 3], ['-s octopus clean', 129], ['-X renormalize clean', 129],
    ['--abort', 2], ['--squash --no-ff clean', 129]] as const) {
    t.is((await cairn(['merge', ...line.split(' ')], { cwd: directory })).code, code, line);
  }
});

test('hooks decide about a merge and hear of it', async (t) => {
  if (skipWithoutGit(t)) return;
  const directory = makeRepository(t, 'sha1', `${fixture}; printf '#!/bin/sh\\nexit 1\\n' >.git/hooks/pre-merge-commit; chmod +x .git/hooks/pre-merge-commit
    printf '#!/bin/sh\\necho "post-merge $1" >>.git/heard\\n' >.git/hooks/post-merge; chmod +x .git/hooks/post-merge`);
  t.is((await cairn(['merge', 'clean'], { cwd: directory })).code, 1);
  t.true(existsSync(join(directory, '.git/MERGE_HEAD')));
  t.is((await cairn(['merge', '--abort'], { cwd: directory })).code, 0);
  t.is((await cairn(['merge', '--no-verify', 'clean'], { cwd: directory })).code, 0);
  t.is(readFileSync(join(directory, '.git/heard'), 'utf8'), 'post-merge 0\n');
});
