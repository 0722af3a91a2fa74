// Where options may stand, and options of rev-list and diff-tree that are seldom asked for, compared with stock git.
import test from 'ava';
import { caseLines } from '../../helpers/case-lines.js';
import { bothFormats, compareWithGit, makeRepository } from '../../helpers/differential.js';
import { skipWithoutGit } from '../../helpers/stock-git.js';

const history = `
  printf 'a\\n' > f; mkdir d; seq 9 > d/g; git add .; git commit -qm one; git tag v1
  printf 'b\\n' > f; git commit -qam 'two
a	tab'; git branch side HEAD~1; git checkout -q side; cp f h; git add h; git commit -qm three; git checkout -q main; git merge -q -m four side; printf 'c\\n' > f`;

for (const format of bothFormats) {
  test(`options come before paths, and some need not (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    await compareWithGit(t, makeRepository(t, format, history), caseLines(`
      diff-files f -p
      diff-files -p -- f
      diff-files -- -p
      diff-index HEAD -p
      diff-index HEAD f -p
      diff-index --cached HEAD~1 f
      diff-index HEAD~1 f --cached
      diff-tree HEAD~1 -p
      diff-tree HEAD~1 f -p
      diff-tree HEAD^{tree}
      diff-tree HEAD:f
      diff HEAD~1 --stat HEAD
      diff HEAD~1 f --stat
      diff f -p
      log -1 f -p
      log f -1 --oneline
      log -1 f --decorate
      log -1 f --source --oneline
      log -1 f -q
      log --oneline v1 f
      show HEAD~1 f -s
      show HEAD~1 -s --oneline
      rev-list HEAD f --parents
      rev-list HEAD -1 f
      rev-list HEAD f -1
      rev-list HEAD --count -- f
      reflog show main f --oneline
    `, { readsOnly: true }));
  });
}

test('options of rev-list and diff-tree that are seldom asked for do what they do in git', async (t) => {
  if (skipWithoutGit(t)) return;
  await compareWithGit(t, makeRepository(t, 'sha1', history), caseLines(`
    rev-list --verify-objects HEAD
    rev-list --verify-objects --count HEAD
    rev-list --verify-objects --no-object-names -2 HEAD
    rev-list -z -2 HEAD
    rev-list -z --format=%s -2 HEAD
    rev-list --show-linear-break HEAD
    rev-list --show-linear-break=xx --pretty HEAD
    rev-list --color --pretty -2 HEAD
    rev-list --color --format=%C(auto)%h%d -2 HEAD
    rev-list --color=always --format=%Cred%h%Creset -2 HEAD
    rev-list --no-color --format=%C(always,red)%h -2 HEAD
    rev-list --color=nonsense HEAD
    diff-tree -v --expand-tabs HEAD~1
    diff-tree -v --no-expand-tabs HEAD~1
    diff-tree --pretty --expand-tabs=4 HEAD~1
    diff --no-color-moved-ws HEAD~1
    diff --color-moved-ws=no HEAD~1
    diff --color-moved-ws=ignore-space-change,allow-indentation-change HEAD~1
    diff --color-moved-ws=nonsense HEAD~1
    diff --color-moved=nonsense HEAD~1
    diff --color-moved=plain HEAD~1
    diff-tree --find-copies-harder HEAD~1 HEAD
  `, { readsOnly: true }));
  await compareWithGit(t, makeRepository(t, 'sha1', `
    export GIT_AUTHOR_DATE='1700000000 +0100' GIT_COMMITTER_DATE='1700000000 +0100'; git commit -q --allow-empty -m one`), caseLines(`
    rev-list --relative-date --date=short --format=%ad HEAD
    rev-list --date=short --format=reference HEAD
  `, { readsOnly: true }));
});
