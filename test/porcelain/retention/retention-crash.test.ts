// The power is cut after every few operations of `retain apply` and `hold add`: all refs went or none, and who comes next needs nobody's help.
import test from 'ava';
import { join } from 'node:path';
import { Repository } from '../../../plumbing/repository.js';
import { crash, runIn } from '../../crash/crash-lab.js';
import { cairnOutput, makeContext } from '../../helpers/cairn.js';
import { makeRepository } from '../../helpers/differential.js';
import { makeSandbox } from '../../helpers/sandbox.js';
import { skipWithoutGit } from '../../helpers/stock-git.js';

const history = `
  for i in 1 2 3 4; do echo "line $i" >>file; git add -A; git commit -qm "commit $i"; GIT_COMMITTER_DATE="111291199$i +0000" git branch try/$i; done
  git pack-refs --all; GIT_COMMITTER_DATE='1112911995 +0000' git branch try/5
  git config 'retention.refs/heads/try/*.keepLast' 1
`;

test.serial('a power cut during retain apply leaves all refs or none', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeRepository(t, 'sha1', history);
  const planned = await runIn(repository, ['retain', 'plan']);
  t.is(planned.code, 0, planned.stderr);
  const id = /\nplan ([0-9a-f]{16})\n$/.exec(planned.stdout)![1]!;
  const tries = (directory: string): number => [...Repository.open(makeContext({ cwd: directory }).context).refs.list('refs/heads/try/')].length;
  const result = await crash({
    name: 'retain apply', argv: ['retain', 'apply', id], again: ['retain', 'plan'], isRepeatable: false,
    check: (directory, phase) => {
      const count = tries(directory);
      if (count !== 1 && (count !== 5 || phase === 'acknowledged')) throw new Error(`${count} branches are left`);
    },
  }, repository, join(makeSandbox(t), 'work'), { seed: 3, randomDraws: 2, every: 3, gitEvery: 20 });
  t.deepEqual(result.problems, []);
  t.log(`${result.states} states of ${result.operations} operations`);
});

test.serial('a power cut during hold add leaves a whole hold or none', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeRepository(t, 'sha1', history);
  const result = await crash({
    name: 'hold add', argv: ['hold', 'add', 'HEAD', '--reason', 'audit'], again: ['hold', 'list'], isRepeatable: false, timedRefs: /^refs\/holds\//,
  }, repository, join(makeSandbox(t), 'work'), { seed: 4, randomDraws: 2, every: 2, gitEvery: 20 });
  t.deepEqual(result.problems, []);
  t.is(await cairnOutput(['hold', 'list'], { cwd: repository }), '', 'the lab works on a copy');
  t.log(`${result.states} states of ${result.operations} operations`);
});
