import test from 'ava';
import { cairn } from '../../helpers/cairn.js';
import { caseLines } from '../../helpers/case-lines.js';
import { bothFormats, compareWithGit, makeRepository } from '../../helpers/differential.js';
import { git, skipWithoutGit } from '../../helpers/stock-git.js';

const history = 'for i in 1 2 3 4 5; do echo $i > f$i; git add .; git commit -qm $i; done; git tag -a -m t t; ';

for (const format of bothFormats) {
  test(`fsck tells what nothing reaches in git's order, and reads its configuration, ${format}`, async (t) => {
    if (skipWithoutGit(t)) return;
    const repository = makeRepository(t, format, `${history} for i in 1 2; do echo d$i | git hash-object -w --stdin; echo c$i | git commit-tree HEAD^{tree}; done
      b=$(printf 'tree %s\\nauthor A <a@b> 1 +0000\\ncommitter C c@d> 1 +0000\\n\\nx' $(git rev-parse HEAD^{tree}) | git hash-object -t commit -w --stdin --literally); echo $b > .git/refs/heads/bad
      printf '# not these\\n%s # why\\n\\n' $b > skip; echo nonsense > noskip; git repack -q -d`);
    await compareWithGit(t, repository, caseLines(`
      fsck
      fsck --unreachable
      fsck --progress
      fsck --no-progress
      -c fsck.skipList=skip fsck
      -c fsck.skipList=noskip fsck
      -c fsck.skipList=no-such-file fsck
      -c fsck.badName=ignore fsck
      -c fsck.badName=often fsck
      -c fsck.noSuchMessage=warn fsck
      -c fsck.nulInHeader=warn fsck
      fsck HEAD~2
    `, { readsOnly: true }));
  });
}

test('a ref that leads nowhere is an error of git\'s kind', async (t) => {
  if (skipWithoutGit(t)) return;
  for (const content of ['garbage', 'ref: refs/heads/nowhere', '1'.repeat(40)]) {
    const repository = makeRepository(t, 'sha1', `${history} echo '${content}' > .git/refs/heads/bad`);
    t.is((await cairn(['fsck'], { cwd: repository })).code, git(['fsck'], { cwd: repository }).code, content);
  }
});
