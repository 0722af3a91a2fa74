import test from 'ava';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cairn } from '../../helpers/cairn.js';
import { caseLines, splitWords } from '../../helpers/case-lines.js';
import { compareFinished, compareWithGit, makeRepository } from '../../helpers/differential.js';
import { makeSandbox } from '../../helpers/sandbox.js';
import { git, runProgram, skipWithoutGit } from '../../helpers/stock-git.js';

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

test('outside of a repository two paths are compared without being asked to', async (t) => {
  if (skipWithoutGit(t)) return;
  const directory = makeSandbox(t);
  runProgram('sh', ['-e', '-c', files], { cwd: directory });
  writeFileSync(join(directory, '.gitattributes'), 'a -diff\n');
  writeFileSync(join(directory, 'attributes'), 'a diff\nbin diff\n');
  for (const line of [
    'diff one two', 'diff --no-index one two', 'diff one/a two/a', 'diff --compact-summary one two', 'diff --compact-summary two one', 'diff -- one/a two/a', 'diff one/a two/a one/l', 'diff one/a',
    'diff', 'diff --cached one two', 'diff --quiet one two', 'diff one one', 'diff one/l two/n', 'diff two/n one/l', 'diff -c one two', 'diff --raw --abbrev=12 one two', 'diff --binary one/bin two/bin',
    'diff --full-index one/a two/a', 'diff one/a nowhere', 'diff --check one two', '-c core.attributesfile=attributes diff one two', '-c diff.noprefix=true diff one two', 'diff-files -p one two',
    'diff-index -p HEAD', 'diff-tree HEAD',
  ]) {
    const argv = splitWords(line);
    compareFinished(t, line, git(argv, { cwd: directory }), await cairn(argv, { cwd: directory }));
  }
});

test('in a repository two paths are compared when one of them leads out of the work tree', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeRepository(t, 'sha256', `${files} echo 'a -diff' > .gitattributes; echo 'a diff' > two/.gitattributes; git add one; git commit -qm one; echo more >> one/a; echo a > a`);
  await compareWithGit(t, repository, caseLines(`
    diff one two
    diff one/a ../repo/two/a
    diff ../repo/one/a two/a
    diff /dev/null one/a
    diff -- /dev/null one/a
    diff --cached /dev/null one/a
    diff -1 /dev/null one/a
    diff /dev/null one/none
    diff HEAD /dev/null
    diff one/a -- /dev/null
    diff /dev/null one/a --
    diff /dev/null one/a one
    one$ diff ../two/a a
    two$ diff ../../repo/one/a a
    two$ diff --no-index ../one/a a
    .git$ diff HEAD config
    .git$ diff description config
  `, { readsOnly: true }));
});
