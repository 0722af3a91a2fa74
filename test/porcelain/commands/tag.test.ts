import test from 'ava';
import { cairn } from '../../helpers/cairn.js';
import { type Case, bothFormats, compareWithGit, makeRepository } from '../../helpers/differential.js';
import { gitOutput, skipWithoutGit } from '../../helpers/stock-git.js';

const fixture = `
  echo a >a; git add a; git commit -qm one; git tag v9; echo b >b; git add b; git commit -qm 'two words'; git tag v1; git tag v10
  git tag -a v2 -m 'first line
second line'; printf 'from a file\\n\\nwith a body\\n' >message`;

const lists: readonly (readonly string[])[] = [
  [], ['-l', 'v1*'], ['-n'], ['-n5'], ['-n1', '-l', 'v2'], ['-n0', '-l', 'v*'], ['--sort=-v:refname'], ['--sort=version:refname'], ['--contains', 'HEAD'], ['--no-contains', 'HEAD'],
  ['--merged', 'v9'], ['--points-at', 'main'], ['--format=%(refname:short) %(objecttype)'], ['--column'], ['-i', '-l', 'V*'],
];

for (const format of bothFormats) {
  test(`tag lists, makes and deletes as git does (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    const changes: Case[] = [
      { argv: ['tag', 'light'] },
      { argv: ['tag', '-f', 'light', 'HEAD~1'] },
      { argv: ['tag', '-f', 'light', 'HEAD~1'] },
      { argv: ['tag', '-a', 'noted', '-m', 'hello', '-m', 'paragraph'] },
      { argv: ['tag', '-m', 'x', 'implied', 'HEAD~1'] },
      { argv: ['tag', '-F', 'message', 'filed'] },
      { argv: ['tag', '-F', '-', 'piped'], stdin: '  \n\ntext  \n# gone\n\n\nmore\n' },
      { argv: ['tag', 'tree', 'HEAD^{tree}'] },
      { argv: ['tag', '-a', 'nested', '-m', 'n', 'noted'] },
      ...['verbatim', 'whitespace', 'strip'].map((mode) => ({ argv: ['tag', '-a', mode, `--cleanup=${mode}`, '-m', '  x\n\n\n# y\n'] })),
      { argv: ['tag', '-f', '-m', 'again', 'noted'] },
      { argv: ['tag', '--create-reflog', 'logged'] },
      { argv: ['tag', '-d', 'light', 'nested', 'tree'] },
    ];
    await compareWithGit(t, makeRepository(t, format, fixture), [...lists.map((words) => ({ argv: ['tag', ...words], readsOnly: true })), ...changes]);
  });
}

test('a tag that exists and a bad name are refused', async (t) => {
  if (skipWithoutGit(t)) return;
  const directory = makeRepository(t, 'sha1', fixture);
  const before = gitOutput(['for-each-ref'], { cwd: directory });
  for (const [line, code] of [['v1', 3], ['a..b', 2], ['x nosuch', 2], ['-d nosuch', 2], ['a b c', 129], ['-l x -m y', 129]] as const) {
    t.is((await cairn(['tag', ...line.split(' ')], { cwd: directory })).code, code, line);
  }
  t.is(gitOutput(['for-each-ref'], { cwd: directory }), before);
});
