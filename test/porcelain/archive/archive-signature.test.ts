// Signed archives: ssh-keygen alone verifies them, cairn does outside of any repository, and every changed byte is noticed.
import test from 'ava';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type InProcessOptions, cairn, cairnOutput } from '../../helpers/cairn.js';
import { makeSigningKeys } from '../../helpers/signing-keys.js';
import { commitFiles, makeRepository } from '../../helpers/snapshots.js';
import { runProgram } from '../../helpers/stock-git.js';

test('a signed archive is verified and restored where it is trusted, and nowhere else', async (t) => {
  const keys = makeSigningKeys(t);
  if (keys === undefined) return;
  const repository = makeRepository(t);
  const top = join(repository.workTree!, '..');
  mkdirSync(join(top, 'shelf'));
  const options: InProcessOptions = { cwd: join(top, 'shelf'), env: { TMPDIR: top } };
  const run = (...argv: string[]): ReturnType<typeof cairn> => cairn([...keys.words, 'archive', ...argv], options);
  mkdirSync(join(top, 'input'));
  writeFileSync(join(top, 'input/a'), 'text');
  t.is((await run('create', 'x', '--input', '../input', '--sign')).code, 0);
  t.is(statSync(join(top, 'shelf/x.info.json.sig')).mode & 0o777, 0o600);
  const verified = JSON.parse((await run('verify', 'x', '--require-signature', '--json')).stdout) as { signature: unknown };
  t.like(verified, { verified: true, signature: { verdict: 'G', good: true, signer: 'me@example.com' } });
  t.regex((await run('verify', 'x', '--require-signature')).stdout, /good signature of me@example\.com/);
  t.is(runProgram('ssh-keygen', ['-Y', 'verify', '-n', 'cairn-archive', '-f', keys.allowed, '-I', 'me@example.com', '-s', 'x.info.json.sig'],
    { cwd: options.cwd, stdin: readFileSync(join(top, 'shelf/x.info.json')) }).code, 0);
  t.is((await run('restore', 'x', 'back', '--require-signature')).code, 0);
  t.is(readFileSync(join(top, 'shelf/back/a'), 'utf8'), 'text');
  // Nobody is trusted by default.
  const untrusted = await cairn(['archive', 'verify', 'x', '--require-signature'], options);
  t.is(untrusted.code, 3);
  t.regex(untrusted.stderr, /allowedSignersFile/);
  // A signature of something else, a damaged one, none.
  const signature = readFileSync(join(top, 'shelf/x.info.json.sig'), 'latin1');
  t.is((await cairn([...keys.words, 'archive', 'create', 'other', '--input', '../input', '--sign', '--epoch', '5'], options)).code, 0);
  const damages: readonly (readonly [bytes: string, code: number])[] = [
    [readFileSync(join(top, 'shelf/other.info.json.sig'), 'latin1'), 6], [signature.replace(/[A-Za-z0-9+/](?=.{10}\n-----END)/, (one) => (one === 'A' ? 'B' : 'A')), 6], ['', 3], ['nonsense', 3],
  ];
  for (const [bytes, code] of damages) {
    writeFileSync(join(top, 'shelf/x.info.json.sig'), bytes, 'latin1');
    t.is((await run('verify', 'x', '--require-signature')).code, code, bytes);
    t.is((await run('restore', 'x', 'again', '--require-signature')).code, code, bytes);
    t.is((await run('verify', 'x')).code, 0);
  }
  t.false(existsSync(join(top, 'shelf/again')));
  // Replaced by one that is not signed: no signature stays behind.
  t.is((await run('create', 'x', '--input', '../input', '--force')).code, 0);
  t.false(existsSync(join(top, 'shelf/x.info.json.sig')));
  t.is((await run('verify', 'x', '--require-signature')).code, 3);
  t.regex(await cairnOutput(['archive', 'info', 'x'], options), /self-test: matched/);
});

test('a signature made for commits is none for archives', async (t) => {
  const keys = makeSigningKeys(t);
  if (keys === undefined) return;
  const repository = makeRepository(t);
  const cwd = repository.workTree!;
  commitFiles(repository, { a: 'one' });
  t.is((await cairn(['archive', 'create', '../x'], { cwd })).code, 0);
  t.is(runProgram('ssh-keygen', ['-Y', 'sign', '-n', 'git', '-f', keys.mine.replace(/\.pub$/, ''), '../x.info.json'], { cwd }).code, 0);
  t.is((await cairn([...keys.words, 'archive', 'verify', '../x', '--require-signature'], { cwd })).code, 6);
});
