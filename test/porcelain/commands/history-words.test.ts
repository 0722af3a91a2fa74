// Words on the command line that meet rarely: a file beside a blob, counts behind clusters, --skip with objects, --follow with directories.
import test from 'ava';
import { caseLines } from '../../helpers/case-lines.js';
import { bothFormats, compareWithGit, makeRepository } from '../../helpers/differential.js';
import { skipWithoutGit } from '../../helpers/stock-git.js';

const fixture = `
mkdir sub; echo one > sub/a; seq 9 > file; git add .; git commit -qm first
echo two > sub/a; git commit -qam second; seq 10 > file; git add .; git commit -qm third; git mv file moved; git commit -qm fourth
git mv sub/a sub/b; git commit -qm fifth; echo changed >> moved; ln -s moved link
`;

for (const format of bothFormats) {
  test(`rare words mean what they mean to git (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    await compareWithGit(t, makeRepository(t, format, fixture), caseLines(`
      diff HEAD:moved moved
      diff HEAD:sub/b moved
      diff HEAD:moved ./link
      diff --stat HEAD:moved sub/b
      diff --raw HEAD:moved moved
      diff --exit-code HEAD:sub/b sub/b
      diff HEAD:moved -- moved
      diff HEAD:moved sub
      diff HEAD~1:file HEAD:moved moved
      sub$ diff HEAD:moved b
      diff HEAD --not HEAD~1
      diff --not HEAD~1 HEAD
      diff --not HEAD~2 --not HEAD~1
      diff --not HEAD~2 --not HEAD -- sub
      diff ^HEAD~1 ^HEAD
      diff HEAD ^HEAD~1
      diff ^HEAD~1 HEAD
      diff HEAD~1..HEAD
      diff --not HEAD~1
      diff ^HEAD~1
      shortlog -n2
      shortlog -ns -2 HEAD
      show -s --format=%s --skip=1 HEAD HEAD~1 HEAD~2
      show -s --format=%s --skip=1 HEAD
      log --format=%s --follow sub
      log --format=%s --follow sub/
      log --format=%s --follow moved
      log --format=%s -1 --diff-filter=R
      log --format=%s -1 --skip=1 --diff-filter=M
      log --format=%s -1 --diff-filter=M --reverse
      log --format=%s -2 -Stwo
      log --format=%gs -1 -g --diff-filter=M
      reset --no-refresh
      reset --refresh
      reset --no-refresh HEAD~1
    `));
  });
}
