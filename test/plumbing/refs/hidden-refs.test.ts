import test from 'ava';
import { branchyHistory } from '../../helpers/branchy-history.js';
import { caseLines } from '../../helpers/case-lines.js';
import { compareWithGit, makeRepository } from '../../helpers/differential.js';
import { skipWithoutGit } from '../../helpers/stock-git.js';

test('rev-parse --exclude-hidden leaves out what git leaves out', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeRepository(t, 'sha1', `${branchyHistory}
    git config --add transfer.hideRefs refs/tags/; git config --add receive.hideRefs '!refs/tags/v1'; git config --add uploadpack.hideRefs refs/heads/si
    git config --add transfer.hideRefs '^refs/heads/side'`);
  await compareWithGit(t, repository, caseLines(`
    rev-parse --symbolic --exclude-hidden=receive --all
    rev-parse --symbolic --exclude-hidden=uploadpack --all --all
    rev-parse --symbolic --exclude-hidden=receive --glob=refs/tags
    rev-parse --exclude-hidden=receive --branches
    rev-parse --exclude-hidden=receive --exclude-hidden=receive --all
    rev-parse --exclude-hidden=other --all
    rev-parse --end-of-options -- --all
    rev-parse --prefix dir/ HEAD:./z :./z
    rev-parse --prefix dir/sub HEAD:./../z
    rev-parse --prefix dir/ -- z
  `, { readsOnly: true }));
});
