// A short one of `npm run crash -- release-kills`.
import test from 'ava';
import { join } from 'node:path';
import { makeSandbox } from '../helpers/sandbox.js';
import { killReleases } from './release-kills.js';

test('whatever moment a release of many files is killed at, a reader sees the old one or the new one', async (t) => {
  t.timeout(120_000);
  const seed = Number(process.env['CAIRN_TEST_SEED'] ?? 20261120);
  const { problems, killed, acknowledged, reads } = await killReleases({ files: 1500, kills: 5, seed, directory: join(makeSandbox(t, { inMemory: true }), 'kills') });
  t.log(`seed ${seed}: ${killed} killed, ${acknowledged} acknowledged, ${reads} reads`);
  t.deepEqual(problems, []);
  t.true(reads > 5);
});
