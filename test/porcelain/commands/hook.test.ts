import test from 'ava';
import { cairn } from '../../helpers/cairn.js';
import { caseLines } from '../../helpers/case-lines.js';
import { compareWithGit, makeRepository } from '../../helpers/differential.js';
import { skipWithoutGit } from '../../helpers/stock-git.js';

const hooks = `
git commit -q --allow-empty -m one; mkdir sub hk; touch sub/x
printf '#!/bin/sh\\necho out "$@"; pwd >&2; echo $GIT_DIR; cat; exit 3\\n' > .git/hooks/pre-commit; chmod +x .git/hooks/pre-commit
printf '#!/bin/sh\\nexit 0\\n' > .git/hooks/noexec; chmod -x .git/hooks/noexec
printf '#!/bin/sh\\nexit 7\\n' > hk/mine; chmod +x hk/mine
`;

test('hooks are run as git runs them', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeRepository(t, 'sha1', hooks);
  await compareWithGit(t, repository, [...caseLines(`
    hook
    hook run
    hook bogus
    hook run pre-commit
    hook run pre-commit -- a b
    hook run pre-commit a
    hook run nosuch
    hook run --ignore-missing nosuch
    hook run --ignore-missing pre-commit
    hook run noexec
    sub$ hook run pre-commit
    -c core.hooksPath=hk hook run mine
    -c core.hooksPath=hk hook run pre-commit
  `), { argv: ['hook', 'run', 'pre-commit'], stdin: 'not for the hook\n' }]);
  const { stderr } = await cairn(['hook', 'run', 'pre-commit', '--', 'a', 'b'], { cwd: repository });
  t.is(stderr, `out a b\n.git\n${repository}\n`);
});
