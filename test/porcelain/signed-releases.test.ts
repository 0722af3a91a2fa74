// Signed releases: stock git verifies the receipts, cairn tells what it finds, and what cannot be signed is not published.
import test from 'ava';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type InProcessOptions, cairn, cairnOutput } from '../helpers/cairn.js';
import { makeSigningKeys } from '../helpers/signing-keys.js';
import { commitFiles, makeRepository } from '../helpers/snapshots.js';
import { git, skipWithoutGit } from '../helpers/stock-git.js';

test('a signed receipt is one stock git verifies, and the release says whose signature it is', async (t) => {
  const keys = makeSigningKeys(t);
  if (keys === undefined || skipWithoutGit(t)) return;
  const repository = makeRepository(t);
  const options: InProcessOptions = { cwd: repository.workTree! };
  const run = (...argv: string[]): Promise<string> => cairnOutput([...keys.words, ...argv], options);
  commitFiles(repository, { a: 'one' });
  await run('release', 'prod', '--to', '../live', '--sign', '-m', 'first');
  commitFiles(repository, { a: 'two' });
  await run('release', 'prod');
  await run('-c', 'release.sign=true', 'rollback', 'prod');
  const receipts = (JSON.parse(await run('release', '--history', 'prod', '--json')) as { receipts: { receipt: string; signed: boolean; signature: unknown }[] }).receipts;
  t.deepEqual(receipts.map(({ signed }) => signed), [true, false, true]);
  t.like(receipts[0], { signature: { verdict: 'G', good: true, signer: 'me@example.com', trust: 'fully' } });
  t.is(receipts[1]!.signature, null);
  for (const { receipt, signed } of receipts) {
    t.is(git([...keys.words, 'verify-tag', receipt], { ...options, env: { GIT_DIR: repository.gitDirectory } }).code === 0, signed);
  }
  t.regex(await run('release', '--show', 'prod'), /^Signature: good signature of me@example\.com, SHA256:/m);
  t.regex(await run('release', '--verify', 'prod', '--require-signature'), /^prod\/3 is as published; good signature/);
  t.is(git(['fsck', '--strict'], { ...options, env: { GIT_DIR: repository.gitDirectory } }).code, 0);
  // Signed by somebody nobody knows; then by nobody.
  for (const [sign, verdict] of [[`--sign=${keys.other}`, /a key that is not trusted/], ['--no-sign', /prod\/\d: not signed/]] as const) {
    await run('-c', 'release.sign=true', 'release', 'prod', sign);
    const found = await cairn([...keys.words, 'release', '--verify', 'prod', '--require-signature'], options);
    t.is(found.code, 1);
    t.regex(found.stdout, verdict);
    t.is((await cairn([...keys.words, 'release', '--verify', 'prod'], options)).code, 0);
  }
});

test('a release that cannot be signed is not made', async (t) => {
  const repository = makeRepository(t);
  const options: InProcessOptions = { cwd: repository.workTree! };
  commitFiles(repository, { a: 'one' });
  const refused = await cairn(['-c', 'gpg.format=ssh', '-c', 'gpg.ssh.program=false', 'release', 'prod', '--to', '../live', '--sign=key'], options);
  t.is(refused.code, 3);
  t.false(existsSync(join(repository.workTree!, '../live')));
  t.is(await cairnOutput(['release', '--json'], options), '{"channels":[]}');
  t.is((await cairn(['release', 'prod', '--require-signature'], options)).code, 129);
});
