import test from 'ava';
import { caseLines } from '../helpers/case-lines.js';
import { branchyHistory } from '../helpers/branchy-history.js';
import { bothFormats, compareWithGit, makeRepository } from '../helpers/differential.js';
import { gitOutput, skipWithoutGit } from '../helpers/stock-git.js';

for (const format of bothFormats) {
  test(`replaced, grafted, shallow and borrowed objects are seen as git sees them, ${format}`, async (t) => {
    if (skipWithoutGit(t)) return;
    const repository = makeRepository(t, format, `${branchyHistory}
      git update-ref refs/other/$(git rev-parse HEAD~1) HEAD~2; git rev-parse HEAD~2 > .git/shallow-file; echo garbage > .git/bad-file
      echo "$(git rev-parse HEAD) $(git rev-parse v0)" > .git/graft-file; mkdir -p alt; git repack -qad; mv .git/objects/pack alt/pack; mkdir .git/objects/pack; printf '# borrowed\\n"../../alt"\\n' > .git/objects/info/alternates`);
    const questions = (env: Readonly<Record<string, string>>): ReturnType<typeof caseLines> => caseLines(`
      rev-list HEAD
      rev-parse HEAD^ HEAD^@
      rev-parse HEAD~2^
      cat-file -p HEAD~1
      rev-parse --is-shallow-repository
      ls-tree HEAD
      for-each-ref --format='%(parent) %(numparent)' refs/heads
    `, { readsOnly: true, env });
    const alternate = `${repository}/alt`;
    await compareWithGit(t, repository, [
      ...questions({}), ...questions({ GIT_REPLACE_REF_BASE: 'refs/other' }), ...questions({ GIT_REPLACE_REF_BASE: 'refs/other/', GIT_NO_REPLACE_OBJECTS: '1' }),
      ...questions({ GIT_SHALLOW_FILE: '.git/shallow-file' }), ...questions({ GIT_GRAFT_FILE: '.git/graft-file' }),
      ...questions({ GIT_SHALLOW_FILE: '.git/bad-file' }).slice(0, 1), ...questions({ GIT_ALTERNATE_OBJECT_DIRECTORIES: `no-such:"${alternate}"` }),
      ...caseLines(`
        dir$ rev-parse HEAD
        -c core.useReplaceRefs=false cat-file -p HEAD
      `, { readsOnly: true }),
    ]);
    t.is(gitOutput(['rev-parse', '--is-shallow-repository'], { cwd: repository }), 'false');
  });
}

test('commands that need no work tree do without one', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeRepository(t, 'sha1', `${branchyHistory} printf '*.txt text eol=crlf\\n' > .git/info/attributes`);
  await compareWithGit(t, repository, caseLines(`
    .git$ check-attr text a.txt
    .git$ rev-parse --show-cdup
    .git$ ls-tree HEAD
    .git$ write-tree
    -c core.bare=true --git-dir=.git cat-file --filters HEAD:a.txt
    --git-dir=.git --bare cat-file --filters HEAD:a.txt
  `, { readsOnly: true }));
});
