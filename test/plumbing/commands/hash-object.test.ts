import test from 'ava';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { cairn } from '../../helpers/cairn.js';
import { bothFormats, compareWithGit, makeRepository } from '../../helpers/differential.js';
import { makeSandbox, writeFiles } from '../../helpers/sandbox.js';
import { git, gitOutput, skipWithoutGit } from '../../helpers/stock-git.js';

for (const format of bothFormats) {
  test(`ids, and what is written, are git's (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    const repository = makeRepository(t, format, `
      echo hello > file; : > empty; mkdir dir; printf 'a\\r\\nb\\r\\n' > dir/crlf.txt; printf 'a\\r\\nb\\r\\n' > plain
      echo '*.txt text' > .gitattributes; git add .; git commit -qm x; git tag -am t v1`);
    const bytesOf = (type: string, name: string): Buffer => git(['cat-file', type, name], { cwd: repository }).stdoutBytes;
    await compareWithGit(t, repository, [
      { argv: ['hash-object', 'file', 'empty', 'dir/crlf.txt', 'plain'] },
      { argv: ['hash-object', '-w', '--stdin'], stdin: 'new content' },
      { argv: ['hash-object', '-w', '--stdin', 'file'], stdin: 'other content' },
      { argv: ['hash-object', '--stdin-paths'], stdin: 'file\n"dir/crlf.txt"\nempty\n' },
      { argv: ['hash-object', '--stdin-paths', '-w', '--no-filters'], stdin: 'plain\ndir/crlf.txt\n' },
      { argv: ['hash-object', '--stdin-paths'], stdin: 'file\nnone\n' },
      { argv: ['hash-object', 'crlf.txt', '../plain'], subdirectory: 'dir' },
      { argv: ['hash-object', '--path=x.txt', 'plain'] },
      { argv: ['hash-object', '--path', 'dir/x.txt', '--stdin'], stdin: 'a\r\n' },
      { argv: ['hash-object', '--no-filters', 'dir/crlf.txt'] },
      { argv: ['hash-object', '--path=x', '--no-filters', 'plain'] },
      { argv: ['hash-object', '--stdin', '--stdin-paths'], stdin: '' },
      { argv: ['hash-object', '--stdin-paths', 'file'], stdin: '' },
      { argv: ['hash-object', '--stdin', '--stdin'], stdin: '' },
      { argv: ['hash-object', 'none'] },
      { argv: ['hash-object', 'dir'] },
      { argv: ['hash-object'] },
      { argv: ['hash-object', '--nonsense'] },
      { argv: ['hash-object', '-t', 'tree', '-w', '--stdin'], stdin: bytesOf('tree', 'HEAD^{tree}') },
      { argv: ['hash-object', '-t', 'tree', '-w', '--stdin'], stdin: '' },
      { argv: ['hash-object', '-t', 'commit', '-w', '--stdin'], stdin: Buffer.concat([bytesOf('commit', 'HEAD'), Buffer.from('more')]) },
      { argv: ['hash-object', '-t', 'tag', '--stdin'], stdin: bytesOf('tag', 'v1') },
      { argv: ['hash-object', '-t', 'tree', '--stdin'], stdin: 'nonsense' },
      { argv: ['hash-object', '-t', 'commit', '--stdin'], stdin: 'nonsense' },
      { argv: ['hash-object', '-t', 'tag', '--stdin'], stdin: 'nonsense' },
      { argv: ['hash-object', '-t', 'strange', '--stdin'], stdin: 'x' },
      { argv: ['hash-object', '-t', 'strange', '--literally', '--stdin'], stdin: 'x' },
      { argv: ['hash-object', '-t', 'commit', '--literally', '--stdin'], stdin: 'x' },
    ]);
  });
}

test('outside of a repository ids are those of sha1', async (t) => {
  if (skipWithoutGit(t)) return;
  const directory = makeSandbox(t);
  writeFiles(directory, { file: 'content\n' });
  const ours = await cairn(['hash-object', 'file'], { cwd: directory });
  t.is(ours.stdout.trim(), gitOutput(['hash-object', 'file'], { cwd: directory }));
  t.is((await cairn(['hash-object', '-w', 'file'], { cwd: directory })).code, 128);
});

test('a file beyond the threshold is streamed, and git reads it back', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeRepository(t, 'sha256', 'seq 1 2600000 > big');
  const { stdout, code } = await cairn(['hash-object', '-w', 'big'], { cwd: repository });
  t.is(code, 0);
  t.is(stdout.trim(), gitOutput(['hash-object', 'big'], { cwd: repository }));
  t.is(git(['fsck', '--full'], { cwd: repository }).code, 0);
  t.is((await cairn(['cat-file', '-s', stdout.trim()], { cwd: repository })).stdout, `${gitOutput(['cat-file', '-s', stdout.trim()], { cwd: repository })}\n`);
  t.true((await cairn(['cat-file', 'blob', stdout.trim()], { cwd: repository })).stdoutBytes.equals(git(['cat-file', 'blob', stdout.trim()], { cwd: repository }).stdoutBytes));
  const bytes = Buffer.alloc(18_000_000, 'many bytes ');
  const piped = await cairn(['hash-object', '-w', '--stdin'], { cwd: repository, stdin: bytes });
  t.is(piped.stdout.trim(), gitOutput(['hash-object', '--stdin'], { cwd: repository, stdin: bytes }));
  t.is(gitOutput(['cat-file', '-s', piped.stdout.trim()], { cwd: repository }), '18000000');
  t.deepEqual(readdirSync(join(repository, '.git/objects')).filter((name) => name.startsWith('tmp_')), []);
});
