import test from 'ava';
import { existsSync, lstatSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cairn } from '../../helpers/cairn.js';
import { type Case, bothFormats, compareWithGit, makeRepository } from '../../helpers/differential.js';
import { makeSandbox } from '../../helpers/sandbox.js';
import { gitOutput, skipWithoutGit } from '../../helpers/stock-git.js';

const fixture = `
  mkdir -p d/e; for f in a b mod staged both gone d/k d/e/l q.c r.c; do echo $f >$f; done; git add .; git commit -qm x
  echo 1 >>mod; echo 1 >>staged; git add staged; echo 1 >>both; git add both; echo 2 >>both; rm gone; echo n >new; git add new; echo i >later; git add -N later`;

for (const format of bothFormats) {
  test(`rm removes what git removes (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    const cases: Case[] = [
      { argv: ['rm', '-n', 'a', 'gone'] },
      { argv: ['rm', 'a'] },
      { argv: ['rm', '--ignore-unmatch', 'nothing'] },
      { argv: ['rm', 'gone'] },
      { argv: ['rm', '--cached', 'mod'] },
      { argv: ['rm', '--cached', 'staged'] },
      { argv: ['rm', '-q', '--cached', 'later'] },
      { argv: ['rm', '-r', 'd'] },
      { argv: ['rm', '*.c'] },
      { argv: ['rm', '-f', 'both', 'new'] },
      { argv: ['ls-files', '-o'] },
      { argv: ['rm', '-r', '--pathspec-from-file=-'], stdin: 'b\n' },
    ];
    await compareWithGit(t, makeRepository(t, format, fixture), cases);
  });
}

test('what would be lost for good is refused, and nothing is removed', async (t) => {
  if (skipWithoutGit(t)) return;
  const directory = makeRepository(t, 'sha1', fixture);
  for (const argv of [['rm', 'a', 'mod'], ['rm', 'staged'], ['rm', 'both'], ['rm', '--cached', 'both'], ['rm', 'new'], ['rm', 'd'], ['rm', 'a', 'missing'], ['rm']]) {
    const { code } = await cairn(argv, { cwd: directory });
    t.true(code === 2 || code === 3, `${argv.join(' ')}: ${code}`);
    t.true(existsSync(join(directory, 'a')));
    t.is(gitOutput(['ls-files', 'a', 'mod', 'staged', 'both', 'new', 'd'], { cwd: directory }).split('\n').length, 7);
  }
});

test('nothing is removed through a symbolic link', async (t) => {
  if (skipWithoutGit(t)) return;
  const directory = makeRepository(t, 'sha1', `${fixture}\nrm -r d`);
  const outside = makeSandbox(t);
  mkdirSync(join(outside, 'e'));
  writeFileSync(join(outside, 'k'), 'precious');
  symlinkSync(outside, join(directory, 'd'));
  t.is((await cairn(['rm', '-f', '-r', 'd'], { cwd: directory })).code, 0);
  t.true(existsSync(join(outside, 'k')));
  t.true(lstatSync(join(directory, 'd')).isSymbolicLink());
});
