import test from 'ava';
import { type Case, bothFormats, compareWithGit, makeRepository } from '../../helpers/differential.js';
import { gitOutput, skipWithoutGit } from '../../helpers/stock-git.js';

const fixture = `
export GIT_AUTHOR_NAME=Ann GIT_COMMITTER_NAME=Carl
t=1112911993; c() { t=$((t+60)); GIT_AUTHOR_DATE="$t +0000" GIT_COMMITTER_DATE="$t +0000" git commit -q --allow-empty --allow-empty-message -m "$1"; }
c base; git branch old; git checkout -q -b one; c 'one 1'; c 'one 2
continued'; GIT_AUTHOR_NAME=Bob c 'one 3'; git tag -a -m 'tag message

body' t1
git checkout -q -b two main; GIT_AUTHOR_NAME=Dan c 'two 1'; git tag -a -m 'second' t2
git checkout -q -b three main; GIT_AUTHOR_NAME='A U Thor' GIT_COMMITTER_NAME='C O Mitter' c ' three'; c ''; git merge -q --no-ff -m m two; git checkout -q main; c 'main on'
git config branch.one.description 'desc of one
more'`;

/** What is merged: a revision, and what the list says of it. */
const lists: readonly (readonly (readonly [revision: string, description: string])[])[] = [
  [['one', "branch 'one' of ."]], [['one', "branch 'one' of ."], ['two', "branch 'two' of ."], ['three', "branch 'three' of ."]],
  [['one', "branch 'one' of x"], ['three', "branch 'three' of y"], ['t1', "tag 't1' of x"]], [['one', 'git://h/p'], ['two', "branch 'two' of git://h/p"]],
  [['one', "branch 'one' of git://h/p"], ['two', 'git://h/p'], ['three', "remote-tracking branch 'three' of ."]], [['t1', "tag 't1' of ."]],
  [['t1', "tag 't1' of ."], ['t2', "tag 't2' of u"]], [['one', "'abc' of ."]], [['old', "branch 'old' of ."]], [['three', "branch 'three' of ."], ['two', "branch 'two' of ."]],
];

for (const format of bothFormats) {
  test(`fmt-merge-msg writes what git writes, ${format}`, async (t) => {
    if (skipWithoutGit(t)) return;
    const repository = makeRepository(t, format, fixture);
    const cases = lists.flatMap((list): Case[] => {
      const stdin = list.map(([revision, description]) => `${gitOutput(['rev-parse', revision], { cwd: repository })}\t\t${description}\n`).join('');
      return [[], ['--log'], ['--log=2'], ['--summary'], ['-m', 'given'], ['--into-name', 'master', '--no-log']].map((options) => (
        { argv: ['-c', 'merge.branchdesc=true', 'fmt-merge-msg', ...options], stdin, readsOnly: true }));
    });
    const one = gitOutput(['rev-parse', 'one'], { cwd: repository });
    const settings = ['merge.log=1', 'merge.log=true', 'merge.log=-1', 'merge.summary=2', 'merge.suppressDest=', 'merge.suppressDest=m*', 'merge.suppressDest'];
    for (const setting of settings) cases.push({ argv: ['-c', setting, 'fmt-merge-msg'], stdin: `${one}\t\tbranch 'one' of .\n`, readsOnly: true });
    for (const stdin of ['', '\n', 'garbage\n', `${one}\tbranch x\n`, `${one}\tnot-for-merge\tx\n`, `${one}\t\t\n`, `${one}\t\tx of y`, `${'0'.repeat(one.length)}\t\tx of y\n`]) {
      cases.push({ argv: ['fmt-merge-msg', '--log'], stdin, readsOnly: true });
    }
    cases.push({ argv: ['fmt-merge-msg', '--log=x'], readsOnly: true }, { argv: ['fmt-merge-msg', '-F', 'nosuch'], readsOnly: true }, { argv: ['fmt-merge-msg', 'x'], readsOnly: true },
      { argv: ['symbolic-ref', 'HEAD', 'refs/heads/unborn'] }, { argv: ['fmt-merge-msg'], stdin: `${one}\t\tx of y\n` });
    await compareWithGit(t, repository, cases);
  });
}
