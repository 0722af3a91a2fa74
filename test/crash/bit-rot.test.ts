// Promise: nothing wrong is ever returned from a file that has rotted, and verify and fsck find it. A sample; `npm run crash -- rot` tries every byte.
import test from 'ava';
import { makeRepository } from '../helpers/differential.js';
import { skipWithoutGit } from '../helpers/stock-git.js';
import { rot, rotScript } from './bit-rot.js';

test.serial('a byte changed, or a file cut, anywhere in a repository is an error or makes no difference', async (t) => {
  if (skipWithoutGit(t)) return;
  t.timeout(120_000);
  const { damages, harmless, noticed, problems } = await rot(makeRepository(t, 'sha1', rotScript), { every: 41, fsckEvery: 11 });
  t.deepEqual(problems, []);
  t.true(damages > 150);
  t.is(noticed, damages);
  t.log(`${damages} damages, all noticed, ${harmless} of them to nothing that is read`);
});
