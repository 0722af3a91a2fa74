// cherry-pick and revert beside stock git: commits, conflicts, what is kept while a sequence is under way, and going on with what the other began.
import test from 'ava';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cairn } from '../../helpers/cairn.js';
import { bothFormats, makeRepository } from '../../helpers/differential.js';
import { compareScript } from '../../helpers/side-by-side.js';
import { git, gitOutput, runProgram, skipWithoutGit } from '../../helpers/stock-git.js';

const fixture = `seq 10 > f; echo g > g; git add .; git commit -qm base; git branch b0; git checkout -qb t
  for i in 1 2 3; do sed -i "\${i}s/.*/t$i/" f; echo $i > n$i; git add .; GIT_AUTHOR_NAME=Other GIT_AUTHOR_DATE="12345678$i +0100" git commit -qm "t$i subject

body $i"; done; git commit -q --allow-empty -m 'empty one'; git checkout -q main; sed -i 2s/.*/m2/ f; git commit -qam m2; echo q > q; git add q; git commit -qm 'add q'
  git checkout -qb side b0; echo s > s; git add s; git commit -qm 'side s'; git checkout -q main; git merge -q --no-edit side`;

const scripts: Readonly<Record<string, string>> = {
  'a single commit is picked, or stops at a conflict': `
    $ cherry-pick t~1
    git checkout -q --theirs f; git add f
    $ status
    $ cherry-pick --continue
    $ cherry-pick -m 1 main~1
    $ cherry-pick -m 3 HEAD~1
    $ cherry-pick side..t:f
    $ cherry-pick t
    $ cherry-pick --allow-empty t
    $ cherry-pick side
    $ cherry-pick --skip
    $ cherry-pick --continue
    git reset -q --hard b0
    $ cherry-pick --ff t~3
    $ cherry-pick -n t~2
    $ cherry-pick side
    $ cherry-pick --ff -x t`,
  'a sequence stops, is skipped, continued and aborted': `
    $ cherry-pick -x -s t~3..t
    $ cherry-pick --abort
    $ cherry-pick b0..t
    git checkout --theirs f; git add f
    $ cherry-pick --continue
    $ status
    $ cherry-pick --skip
    $ cherry-pick t~3 t~2
    git reset -q --hard; echo x > x; git add x; git commit -qm moved
    $ cherry-pick --abort
    $ cherry-pick t~3 side
    git reset -q --hard
    $ cherry-pick --continue
    $ cherry-pick -Xtheirs t~3..t~1
    $ cherry-pick --quit`,
  'commits are reverted, merges too': `
    $ revert --no-edit HEAD~1
    $ revert -m 1 HEAD~1
    $ revert -s -m 1 HEAD~1
    $ revert HEAD~2
    $ revert -n HEAD
    $ status
    $ revert --abort
    git checkout -q t
    $ revert t~3 t~2
    $ status
    git checkout --ours f; git add .
    $ revert --continue
    $ revert --skip
    $ revert --reference t~1
    $ log -3 --format=raw`,
  'on a branch without commits a first one is made': `
    git checkout -q --orphan o; git rm -rfq .
    $ cherry-pick b0
    $ cherry-pick t~3
    $ log --format=raw`,
  'local changes are in nobody\'s way, or stop it before it begins': `
    echo d >> f; git add f
    $ cherry-pick t~3
    git reset -q --hard; echo d >> f
    $ cherry-pick t~3
    $ cherry-pick side
    $ cherry-pick t~3..t~1`,
};

for (const [name, script] of Object.entries(scripts)) {
  for (const format of name.startsWith('a sequence') ? bothFormats : ['sha1'] as const) {
    test(`${name} (${format})`, async (t) => {
      if (skipWithoutGit(t)) return;
      await compareScript(t, format, fixture, script);
    });
  }
}

test('git goes on with what cairn began, and the other way round', async (t) => {
  if (skipWithoutGit(t)) return;
  const cwd = makeRepository(t, 'sha1', fixture);
  const resolve = (): void => { runProgram('sh', ['-c', 'git checkout -q --theirs f; git add f'], { cwd }); };
  t.is((await cairn(['cherry-pick', '-x', 'b0..t~1'], { cwd })).code, 1);
  resolve();
  t.is(git(['cherry-pick', '--continue'], { cwd }).code, 0);
  t.regex(gitOutput(['log', '-1', '--format=%B'], { cwd }), /cherry picked from/);
  gitOutput(['reset', '-q', '--hard', 'HEAD~3'], { cwd });
  t.is(git(['cherry-pick', '-x', 'b0..t~1'], { cwd }).code, 1);
  resolve();
  t.is((await cairn(['cherry-pick', '--continue'], { cwd })).code, 0);
  t.regex(gitOutput(['log', '-1', '--format=%B'], { cwd }), /cherry picked from/);
  t.is(gitOutput(['status', '--porcelain'], { cwd }), '');
});

test('a step that was interrupted before its commit is done again, and one that was interrupted behind it can be aborted', async (t) => {
  if (skipWithoutGit(t)) return;
  const cwd = makeRepository(t, 'sha1', `${fixture}; git checkout -q --detach b0`);
  const [start, first] = ['b0', 't~3'].map((name) => gitOutput(['rev-parse', name], { cwd }));
  const leave = (): void => {
    mkdirSync(join(cwd, '.git/sequencer'));
    for (const [name, text] of [['head', start], ['abort-safety', start], ['begun', first], ['todo', `pick ${first!} t1\npick ${gitOutput(['rev-parse', 't~2'], { cwd })} t2`]] as const) {
      writeFileSync(join(cwd, '.git/sequencer', name), `${text!}\n`);
    }
  };
  leave();
  t.is((await cairn(['cherry-pick', '--continue'], { cwd })).code, 0);
  t.is(gitOutput(['log', '--format=%s', 'b0..'], { cwd }), 't2 subject\nt1 subject');
  gitOutput(['reset', '-q', '--hard', 'b0'], { cwd });
  leave();
  gitOutput(['cherry-pick', first!], { cwd });
  writeFileSync(join(cwd, '.git/sequencer/abort-safety'), `${start!}\n`);
  t.is((await cairn(['cherry-pick', '--abort'], { cwd })).code, 0);
  t.is(gitOutput(['rev-parse', 'HEAD'], { cwd }), start!);
});
