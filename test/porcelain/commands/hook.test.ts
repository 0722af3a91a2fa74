import test from 'ava';
import { join } from 'node:path';
import { cairn } from '../../helpers/cairn.js';
import { caseLines } from '../../helpers/case-lines.js';
import { compareWithGit, makeRepository } from '../../helpers/differential.js';
import { makeSandbox, writeFiles } from '../../helpers/sandbox.js';
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

test('hooks are listed with what runs them, or why nothing does', async (t) => {
  const cwd = makeSandbox(t);
  await cairn(['init', '-q'], { cwd });
  t.deepEqual(await cairn(['hook', 'list'], { cwd }).then(({ code, stdout }) => [code, stdout]), [0, '']);
  writeFiles(join(cwd, '.cairn/hooks'), {
    'pre-commit': { executable: '#!/bin/sh\n' }, 'post-merge': '#!/bin/sh\n', 'mine': { executable: '#!/bin/sh\n' }, 'pre-push.sample': { executable: '#!/bin/sh\n' },
  });
  t.is((await cairn(['hook', 'list'], { cwd })).stdout, [
    'mine        not run: no command has a hook of this name',
    'post-merge  not run: the file is not executable (it would be by merge)',
    'pre-commit  run by commit',
    '',
  ].join('\n'));
  const listed = JSON.parse((await cairn(['hook', 'list', '--json'], { cwd })).stdout) as readonly object[];
  t.deepEqual(listed[2], { name: 'pre-commit', path: join(cwd, '.cairn/hooks/pre-commit'), executable: true, runBy: 'commit' });
  t.is((await cairn(['hook', 'list', 'more'], { cwd })).code, 129);
});

test('post-gc is run when garbage was collected', async (t) => {
  const cwd = makeSandbox(t);
  await cairn(['init', '-q'], { cwd });
  writeFiles(join(cwd, '.cairn/hooks'), { 'post-gc': { executable: '#!/bin/sh\necho collected\n' } });
  t.regex((await cairn(['gc'], { cwd })).stderr, /^collected$/m);
  t.notRegex((await cairn(['gc', '--dry-run'], { cwd })).stderr, /collected/);
});
