// What scripts meet rarely: usage errors without a repository, lines with NUL or CR in them, patterns and paths that are looked for but not shown.
import test from 'ava';
import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { cairn } from '../../helpers/cairn.js';
import { bothFormats, compareFinished, compareWithGit, makeRepository } from '../../helpers/differential.js';
import { makeSandbox } from '../../helpers/sandbox.js';
import { git, hasGit } from '../../helpers/stock-git.js';

const usual = hasGit() ? test : test.skip;

const fixture = `
mkdir -p dir/sub; echo hello > a.txt; printf 'x\\r\\n' > crlf.txt; echo 1 > dir/one; ln -s a.txt link; echo '*.txt text' > .gitattributes
git add -A; git commit -qm first; echo 2 > dir/one; echo o > x.o; echo '*.o' > .gitignore; git branch side; git tag tagged
`;

for (const format of bothFormats) {
  usual(`names on standard input are read as git reads them (${format})`, async (t) => {
    await compareWithGit(t, makeRepository(t, format, fixture), [
      { argv: ['cat-file', '--batch-check'], stdin: 'HEAD\0HEAD\nHEAD:a.txt\r\n' },
      { argv: ['cat-file', '--batch-check', '--follow-symlinks'], stdin: 'HEAD:./link\nHEAD:dir/../link\nHEAD:link\n' },
      { argv: ['cat-file', '--batch-check', '--follow-symlinks'], stdin: 'HEAD:../link\nHEAD:./one\n', subdirectory: 'dir' },
      { argv: ['check-ignore', '--stdin', '-v', '-n'], stdin: 'x.o\0a.txt\nx.o\r\na.txt\n' },
      { argv: ['check-ignore', '--stdin', '-z', '-v', '-n'], stdin: 'x.o\0a.txt\r\0' },
      { argv: ['check-attr', '--stdin', 'text'], stdin: 'a.txt\0b\ncrlf.txt\r\n' },
      { argv: ['check-attr', '--stdin', 'text', '--', 'a.txt'], stdin: 'a.txt\n' },
      { argv: ['update-index', '--add', '--stdin'], stdin: 'x.o\r\ndir/one\0junk\n' },
      { argv: ['checkout-index', '-f', '--stdin'], stdin: 'a.txt\r\n' },
      { argv: ['checkout-index', '-f', '--stdin'], stdin: 'a.txt\0x\n' },
      { argv: ['update-index', '--add', '--stdin'], stdin: 'x.o\0junk\n' },
      { argv: ['hash-object', '--stdin-paths'], stdin: 'dir/one\na.txt\n', subdirectory: 'dir' },
      { argv: ['hash-object', '--stdin-paths'], stdin: 'one\n', subdirectory: 'dir' },
      { argv: ['hash-object', '-w', '--stdin-paths'], stdin: 'crlf.txt\r\n', subdirectory: 'dir/sub' },
    ]);
  });

  usual(`what is not shown is not found (${format})`, async (t) => {
    await compareWithGit(t, makeRepository(t, format, fixture), [
      { argv: ['ls-files', '-d', '--error-unmatch', 'a.txt'] },
      { argv: ['ls-files', '-m', '--error-unmatch', 'dir/one'] },
      { argv: ['ls-files', '-m', '--error-unmatch', 'a.txt', 'dir/one'] },
      { argv: ['ls-files', '-c', '-i', '-x', '*.dat', '--error-unmatch', 'a.txt'] },
      { argv: ['ls-files', '-X', 'nosuch'] },
      { argv: ['check-attr', 'bad name', 'a.txt'] },
      { argv: ['-c', 'x.y=8g', 'config', '--type=bool', 'x.y'] },
      { argv: ['-c', 'x.y=8g', 'config', '--type=bool-or-int', 'x.y'] },
      { argv: ['-c', 'x.y=8g', 'config', '--type=int', 'x.y'] },
      { argv: ['-c', 'x.y=2147483647', 'config', '--type=bool-or-int', 'x.y'] },
      { argv: ['-c', 'x.y=-2147483648', 'config', '--type=bool', 'x.y'] },
      { argv: ['-c', 'x.y=8g', 'config', '--type=bool-or-str', 'x.y'] },
      { argv: ['-c', 'x.y=bad', '-c', 'x.y=1', 'config', '--get', '--bool', 'x.y'] },
      { argv: ['-c', 'x.y=bad', '-c', 'x.y=1', 'config', '--bool', 'x.y'] },
      { argv: ['rev-parse', '--verify', '-q', 'refs/tags/none@{0}'] },
      { argv: ['rev-parse', '--verify', '-q', 'tagged@{0}'] },
      { argv: ['rev-parse', '--verify', 'tagged@{now}'] },
      { argv: ['rev-parse', 'tagged@{1}'] },
      { argv: ['rev-parse', '--verify', '-q', 'main@{0}'] },
      { argv: ['rev-parse', '--verify', '-q', 'main@{9}'] },
      { argv: ['rev-parse', '--sq', 'HEAD', '^side', 'HEAD..side'] },
      { argv: ['cat-file', '--batch-check', '--batch-check'], stdin: 'HEAD\n' },
      { argv: ['column', '--width=x'], stdin: 'a\n' },
      { argv: ['pack-objects', '--threads=x', '--stdout'], stdin: '' },
      { argv: ['write-tree', '--prefix=/'] },
      { argv: ['write-tree', '--prefix=dir//'] },
    ]);
  });
}

usual('a pack with an object twice is refused by index-pack --strict, and taken without', async (t) => {
  const entry = Buffer.concat([Buffer.from([0x36]), deflateSync('hello\n')]);
  const body = Buffer.concat([Buffer.from('PACK\0\0\0\x02\0\0\0\x02', 'latin1'), entry, entry]);
  const pack = Buffer.concat([body, createHash('sha1').update(body).digest()]);
  await compareWithGit(t, makeRepository(t, 'sha1', ''), [
    { argv: ['index-pack', '--stdin', '--strict'], stdin: pack }, { argv: ['unpack-objects', '-q', '--strict'], stdin: pack }, { argv: ['index-pack', '--stdin'], stdin: pack },
  ]);
});

usual('commands that need no repository are not disturbed by a GIT_DIR that is none', async (t) => {
  await compareWithGit(t, makeRepository(t, 'sha1', fixture), [
    { argv: ['hash-object', 'a.txt'] }, { argv: ['stripspace'], stdin: 'a  \n' }, { argv: ['interpret-trailers'], stdin: 'a\n' }, { argv: ['var', 'GIT_AUTHOR_IDENT'] },
    { argv: ['config', 'a.b'] }, { argv: ['config', '--local', 'a.b', 'c'] }, { argv: ['check-ref-format', 'refs/heads/a'] }, { argv: ['rev-parse', 'HEAD'] },
    { argv: ['rev-parse', '--git-dir'] }, { argv: ['cat-file', '-t', 'HEAD'] }, { argv: ['hash-object', '-w', 'a.txt'] }, { argv: ['show-ref'] },
  ].map((one) => ({ ...one, env: { GIT_DIR: 'nosuch' } })));
});

usual('where there is no repository that is said before anything about options', async (t) => {
  const directory = join(makeSandbox(t), 'none');
  mkdirSync(directory);
  for (const argv of [
    ['ls-tree', '-x'], ['cat-file', '-p', '-t', 'HEAD'], ['update-ref'], ['mktag', '--bogus'], ['for-each-ref', '--bogus'], ['count-objects', 'x'],
    ['fsck', '--bogus'], ['repack', '--bogus'], ['pack-refs', 'x'], ['rev-parse', '--since=2005-04-07'], ['rev-parse', '--bogus'],
    ['hash-object', '--bogus'], ['check-ref-format'], ['stripspace', 'x'], ['interpret-trailers', '--bogus'], ['verify-pack'], ['show-index', '--bogus'],
    ['ls-tree', '-h'], ['rev-parse', '--local-env-vars'], ['patch-id', '--bogus'], ['bundle', 'bogus'], ['config', '--bogus'], ['var'],
  ]) {
    const options = { cwd: directory, env: { GIT_CEILING_DIRECTORIES: join(directory, '..') } };
    compareFinished(t, argv.join(' '), git(argv, options), await cairn(argv, options), { ignoreOutput: argv.includes('-h') });
  }
});
