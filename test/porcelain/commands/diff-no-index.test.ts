import test from 'ava';
import { compareWithGit, makeRepository } from '../../helpers/differential.js';
import { skipWithoutGit } from '../../helpers/stock-git.js';

const files = `
  mkdir -p one/x two/kind; seq 10 > one/a; seq 11 > two/a; echo q > one/x/y; echo new > two/n; echo f > one/kind; echo z > two/kind/g
  ln -s a one/l; ln -s n two/l; seq 30 > one/moved; seq 31 > two/elsewhere; printf 'a\\0b' > one/bin; printf 'a\\0c' > two/bin
`;

test('files and directories that are not tracked are compared as git compares them', async (t) => {
  if (skipWithoutGit(t)) return;
  const pairs = [
    ['one', 'two'], ['--stat', 'one', 'two'], ['--raw', 'one', 'two'], ['--name-status', 'one', 'two'], ['--name-only', '--', 'one', 'two'], ['-z', '--numstat', 'one', 'two'],
    ['--summary', 'one', 'two'], ['--no-renames', 'one', 'two'], ['-R', 'one/a', 'two/a'], ['--quiet', 'one', 'two'], ['one', 'one'], ['one/a', 'two'], ['one', 'two/a'], ['one/a', '/dev/null'],
    ['/dev/null', 'one/a'], ['one/a', 'none'], ['one/a'], ['one/a', 'two/a', 'one/l'], ['--word-diff', '-U0', 'one/a', 'two/a'],
  ];
  await compareWithGit(t, makeRepository(t, 'sha1', files), [
    ...pairs.map((argv) => ({ argv: ['diff', '--no-index', ...argv], readsOnly: true })),
    { argv: ['diff', '--no-index', 'a', '../two/a'], subdirectory: 'one', readsOnly: true },
    { argv: ['diff', '--no-index', '-', 'one/a'], stdin: '1\n2\n', readsOnly: true },
  ]);
});
