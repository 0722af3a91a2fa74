import test from 'ava';
import { type Case, bothFormats, compareWithGit, makeRepository } from '../../helpers/differential.js';
import { gitOutput, skipWithoutGit } from '../../helpers/stock-git.js';
import { cairn } from '../../helpers/cairn.js';

const fixture = `
  mkdir -p sub/deep; echo one >one; echo two >sub/two; echo three >sub/deep/three; ln -s one link
  printf '\\0binary' >bin; chmod +x bin; : >empty; printf odd >'odd "name"'
  git add one sub; git commit -qm base
  git init -q nested; (cd nested; git commit -q --allow-empty -m inner); git init -q unborn
  printf one | git hash-object -w --stdin; git hash-object -w bin empty one; printf odd | git hash-object -w --stdin`;

const blob = { sha1: 'e69de29bb2d1d6434b8b29ae775ad8c2e48c5391', sha256: '473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813' };

function cases(format: 'sha1' | 'sha256'): Case[] {
  const id = blob[format];
  return [
    { argv: ['update-index', 'link'] },
    { argv: ['update-index', '--add', 'link', 'bin', 'empty', 'odd "name"'] },
    { argv: ['update-index', '--add', '--verbose', 'link', 'one'] },
    { argv: ['update-index', '--add', 'missing'] },
    { argv: ['update-index', '--remove', 'missing'] },
    { argv: ['update-index', '--add', 'sub'] },
    { argv: ['update-index', '--add', 'nested'] },
    { argv: ['update-index', '--add', 'unborn'] },
    { argv: ['update-index', '--add', 'link/below'] },
    { argv: ['update-index', '--add', '../outside'] },
    { argv: ['update-index', '--force-remove', 'sub/two'] },
    { argv: ['update-index', '--add', 'two', 'deep/../two'], subdirectory: 'sub' },
    { argv: ['update-index', '--add', 'two'], subdirectory: 'sub' },
    { argv: ['update-index', '--cacheinfo', `100644,${id},sub/two`] },
    { argv: ['update-index', '--add', '--cacheinfo', `100644,${id.replace(/./g, '0')},made`] },
    { argv: ['update-index', '--index-info'], stdin: `100644 ${id.replace(/./g, '0')}\tmade\n` },
    { argv: ['update-index', '--add', '--cacheinfo', `100755,${id},made`] },
    { argv: ['update-index', '--add', '--cacheinfo', '120000', id, 'linked'] },
    { argv: ['update-index', '--cacheinfo', `100644,${id},absent`] },
    { argv: ['update-index', '--add', '--cacheinfo', `100644,${id},../absent`] },
    { argv: ['update-index', '--add', '--cacheinfo', `100644,${id},a/.git/b`] },
    { argv: ['update-index', '--add', '--cacheinfo', `100644,${id}`] },
    { argv: ['update-index', '--add', '--cacheinfo', `100644,${id},one/below`] },
    { argv: ['update-index', '--add', '--replace', '--cacheinfo', `100644,${id},one/below`] },
    { argv: ['update-index', '--add', '--replace', 'one'] },
    { argv: ['update-index', '--chmod=+x', 'one'] },
    { argv: ['update-index', '--chmod=-x', 'bin'] },
    { argv: ['update-index', '--chmod=+x', 'link'] },
    { argv: ['update-index', '--chmod=x', 'bin'] },
    { argv: ['update-index', '--add', '--stdin'], stdin: 'bin\n"odd \\"name\\""\nempty\n' },
    { argv: ['update-index', '--add', '-z', '--stdin'], stdin: 'bin\0odd "name"\0' },
    { argv: ['update-index', '--stdin', '--add'], stdin: 'bin\n' },
    {
      argv: ['update-index', '--index-info'],
      stdin: `100644 ${id}\tfrom-info\n100755 blob ${id}\tfrom-tree\n100644 ${id} 1\tunmerged\n100644 ${id} 2\tunmerged\n0 ${'0'.repeat(id.length)}\tmade\n`,
    },
    { argv: ['ls-files', '-s'] },
    { argv: ['ls-files', '-u'] },
    { argv: ['write-tree'] },
    { argv: ['update-index', '--refresh'] },
    { argv: ['update-index', '--unmerged', '-q', '--refresh'] },
    { argv: ['update-index', '--ignore-missing', '--refresh'] },
    { argv: ['update-index', '--index-info'], stdin: 'nonsense\n' },
    { argv: ['update-index', '--add', '--cacheinfo', `100644,${id},unmerged`] },
    { argv: ['write-tree'] },
    { argv: ['write-tree', '--prefix=sub/'] },
    { argv: ['write-tree', '--prefix=none/'] },
    { argv: ['update-index', '--assume-unchanged', 'one'] },
    { argv: ['ls-files', '-v', 'one', 'bin'] },
    { argv: ['update-index', '--no-assume-unchanged', 'one'] },
    { argv: ['update-index', '--skip-worktree', 'one'] },
    { argv: ['ls-files', '-t'] },
    { argv: ['update-index', '--remove', 'one'] },
    { argv: ['update-index', '--no-skip-worktree', 'nowhere'] },
    { argv: ['update-index', '--index-version', '4'] },
    { argv: ['update-index', '--add', 'bin'] },
    { argv: ['update-index', '--index-version', '5'] },
    { argv: ['update-index', '--again'] },
    { argv: ['update-index', '--really-refresh'] },
  ];
}

for (const format of bothFormats) {
  test(`update-index changes the index as git does (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    await compareWithGit(t, makeRepository(t, format, fixture), cases(format));
  });
}

test('update-index --info-only stores nothing', async (t) => {
  if (skipWithoutGit(t)) return;
  const directory = makeRepository(t, 'sha1', 'printf unknown >new');
  t.is((await cairn(['update-index', '--add', '--info-only', 'new'], { cwd: directory })).code, 0);
  t.is(gitOutput(['count-objects'], { cwd: directory }), '0 objects, 0 kilobytes');
  t.is((await cairn(['write-tree'], { cwd: directory })).code, 128);
  t.is((await cairn(['write-tree', '--missing-ok'], { cwd: directory })).code, 0);
});

test('many new files become one pack', async (t) => {
  if (skipWithoutGit(t)) return;
  const directory = makeRepository(t, 'sha256', 'for i in $(seq 40); do echo $i >file$i; done');
  const names = Array.from({ length: 40 }, (_value, at) => `file${at + 1}\n`).join('');
  t.is((await cairn(['update-index', '--add', '--stdin'], { cwd: directory, stdin: names })).code, 0);
  t.regex(gitOutput(['count-objects', '-v'], { cwd: directory }), /count: 0\n[\s\S]*packs: 1\n/);
  t.is(gitOutput(['status', '--porcelain'], { cwd: directory }).split('\n').filter((line) => !line.startsWith('A  ')).length, 0);
});
