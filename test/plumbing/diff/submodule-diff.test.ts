// What changed in submodules, compared with stock git: forward, back, beside, added, gone, in the way, missing.
import test from 'ava';
import { caseLines } from '../../helpers/case-lines.js';
import { bothFormats, compareWithGit, makeRepository } from '../../helpers/differential.js';
import { skipWithoutGit } from '../../helpers/stock-git.js';

const history = (format: string): string => `
  export GIT_AUTHOR_DATE='1700000000 +0100' GIT_COMMITTER_DATE='1700000000 +0100'
  printf 'x\\n' > f; git add f; git commit -qm zero
  git init -q -b main --object-format=${format} sub
  for i in 1 2 3; do seq 1 $i > sub/file; git -C sub add .; git -C sub commit -qm "in sub $i"; done
  git -C sub checkout -q -b other HEAD~1; printf 'o\\n' > sub/other; git -C sub add .; git -C sub commit -qm 'other ü'
  git -C sub checkout -q main~2; git add sub 2>/dev/null; git commit -qm added
  git -C sub checkout -q main; git commit -qam forward; git -C sub checkout -q main~1; git commit -qam back; git -C sub checkout -q main; git commit -qam forth
  git -C sub checkout -q other; git commit -qam beside
  git update-index --cacheinfo "160000,$(git rev-parse HEAD),sub"; git commit -qm missing
  git rm -q --cached sub; printf 'now a file\\n' > y; git add y; git commit -qm gone
  git update-index --add --cacheinfo "160000,$(git rev-parse HEAD~2:sub),sub"; git commit -qm again
  git rm -q --cached sub; git update-index --add --cacheinfo "100644,$(git rev-parse HEAD:f),sub"; git commit -qm file
  git reset -q --hard HEAD~1; git -C sub checkout -q main
`;

for (const format of bothFormats) {
  test(`what changed in submodules is told as git tells it (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    const lines = caseLines(`
      log -p --format=%s --submodule=log ORIG_HEAD
      log -p --format=%s --submodule=diff ORIG_HEAD
      log -p --format=%s --submodule --color ORIG_HEAD
      log -p --format=%s --submodule=diff --color ORIG_HEAD
      log -p --graph --format=%s --submodule=diff ORIG_HEAD
      -c diff.submodule=log log -p --format=%s
      -c diff.submodule=diff show --submodule=short HEAD~3
      -c diff.submodule=nonsense show HEAD~3
      -c diff.submodule=log diff-tree -p HEAD~3
      diff-tree -p --submodule=diff HEAD~4 HEAD~3
      diff --submodule=log -R HEAD~4 HEAD~3
      diff --submodule=diff -R HEAD~4 HEAD~3
      diff --submodule=log
      diff --submodule=diff HEAD
      diff --submodule=diff --no-prefix -U0 -w --full-index HEAD~5 HEAD~3
      diff --submodule=log --stat -p HEAD~5 HEAD~3
      diff --submodule=log --quiet HEAD~5 HEAD~3
      diff-index -p --submodule=log HEAD~3
      diff-files -p --submodule=diff
    `, { readsOnly: true });
    await compareWithGit(t, makeRepository(t, format, history(format)), lines);
  });
}

test('a submodule that is not checked out is looked for where it is kept', async (t) => {
  if (skipWithoutGit(t)) return;
  const lines = caseLines('log -p --format=%s --submodule=log\nlog -p --format=%s --submodule=diff', { readsOnly: true });
  const kept = `${history('sha1')}
    printf '[submodule "name"]\\n\\tpath = sub\\n\\turl = ./sub\\n' > .gitmodules`;
  await compareWithGit(t, makeRepository(t, 'sha1', `${kept}; mkdir .git/modules; mv sub/.git .git/modules/name; mv sub .git/away`), lines);
  await compareWithGit(t, makeRepository(t, 'sha1', `${kept}; mv sub .git/away`), lines);
});
