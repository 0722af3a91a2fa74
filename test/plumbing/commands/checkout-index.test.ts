import test from 'ava';
import { chmodSync, existsSync, lstatSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cairn } from '../../helpers/cairn.js';
import { type Case, compareWithGit, makeRepository } from '../../helpers/differential.js';
import { makeSandbox } from '../../helpers/sandbox.js';
import { gitOutput, skipWithoutGit } from '../../helpers/stock-git.js';

const fixture = `
  mkdir -p dir/deep; echo one >one; echo two >dir/two; echo three >dir/deep/three; ln -s one link; printf '#!/bin/sh\\n' >run; chmod +x run
  printf 'a\\nb\\n' >crlf.txt; echo '*.txt eol=crlf' >.gitattributes; git add .; git commit -qm base
  id=$(git rev-parse :one); printf "100644 $id 1\\tun\\n100644 $id 3\\tun\\n" | git update-index --index-info
  rm -r dir one link crlf.txt; echo local >run`;

test('checkout-index writes, refuses and reports as git does', async (t) => {
  if (skipWithoutGit(t)) return;
  const cases: Case[] = [
    { argv: ['checkout-index', 'one', 'nothing'] },
    { argv: ['checkout-index', 'one'] },
    { argv: ['checkout-index', 'un'] },
    { argv: ['checkout-index', '--stage=3', 'un'] },
    { argv: ['checkout-index', '--stage=2', 'un'] },
    { argv: ['checkout-index', '-n', 'link'] },
    { argv: ['checkout-index', 'run'] },
    { argv: ['checkout-index', '-q', 'run'] },
    { argv: ['checkout-index', '-f', '-u', 'run'] },
    { argv: ['checkout-index', '--stdin'], stdin: 'dir/two\n"link"\n' },
    { argv: ['checkout-index', '--prefix=export/', '-a'] },
    { argv: ['checkout-index', '--prefix=.pre-', 'one'] },
    { argv: ['checkout-index', '-a', '-u'] },
    { argv: ['checkout-index', '-a', 'one'] },
    { argv: ['checkout-index', '--stage=4', 'one'] },
    { argv: ['ls-files', '-o'] },
  ];
  await compareWithGit(t, makeRepository(t, 'sha256', fixture), cases);
});

test('what is checked out is fresh for git, with mode, link and line endings', async (t) => {
  if (skipWithoutGit(t)) return;
  const directory = makeRepository(t, 'sha1', `${fixture}\ngit rm -q --cached un; git reset -q`);
  t.is((await cairn(['checkout-index', '-f', '-u', '-a'], { cwd: directory })).code, 0);
  t.is(gitOutput(['diff-files', '--name-status'], { cwd: directory }), '');
  t.is(gitOutput(['status', '--porcelain'], { cwd: directory }), '');
  t.is(readFileSync(join(directory, 'crlf.txt'), 'latin1'), 'a\r\nb\r\n');
  t.is(lstatSync(join(directory, 'run')).mode & 0o111, 0o111);
  t.true(lstatSync(join(directory, 'link')).isSymbolicLink());
});

test('a prefix may lead out of the work tree', async (t) => {
  if (skipWithoutGit(t)) return;
  const directory = makeRepository(t, 'sha1', fixture);
  const outside = makeSandbox(t);
  t.is((await cairn(['checkout-index', '-a', `--prefix=${outside}/new/`], { cwd: directory })).code, 0);
  t.is(readFileSync(join(outside, 'new/dir/deep/three'), 'latin1'), 'three\n');
});

test('checkout-index --temp prints where it put each stage', async (t) => {
  if (skipWithoutGit(t)) return;
  const directory = makeRepository(t, 'sha1', fixture);
  const { stdout, code } = await cairn(['checkout-index', '--stage=all', '--temp', 'un'], { cwd: directory });
  t.is(code, 0);
  const match = /^(\.merge_file_\w+) \. (\.merge_file_\w+)\tun\n$/.exec(stdout);
  t.truthy(match, stdout);
  t.is(readFileSync(join(directory, match![1]!), 'latin1'), 'one\n');
  t.is(readFileSync(join(directory, match![2]!), 'latin1'), 'one\n');
});

test('nothing is written through a symbolic link that somebody planted', async (t) => {
  if (skipWithoutGit(t)) return;
  const directory = makeRepository(t, 'sha1', fixture);
  const outside = makeSandbox(t);
  mkdirSync(join(outside, 'deep'));
  symlinkSync(outside, join(directory, 'dir'));
  t.is((await cairn(['checkout-index', 'dir/two'], { cwd: directory })).code, 1);
  t.false(existsSync(join(outside, 'two')));
  t.is((await cairn(['checkout-index', '-f', 'dir/two'], { cwd: directory })).code, 0);
  t.false(existsSync(join(outside, 'two')));
  t.true(lstatSync(join(directory, 'dir')).isDirectory());
  t.is(readFileSync(join(directory, 'dir/two'), 'latin1'), 'two\n');
});

test('a file where a link to it was planted is replaced, not followed', async (t) => {
  if (skipWithoutGit(t)) return;
  const directory = makeRepository(t, 'sha1', fixture);
  const victim = join(makeSandbox(t), 'victim');
  writeFileSync(victim, 'precious');
  symlinkSync(victim, join(directory, 'one'));
  t.is((await cairn(['checkout-index', '-f', 'one'], { cwd: directory })).code, 0);
  t.is(readFileSync(victim, 'latin1'), 'precious');
  t.is(readFileSync(join(directory, 'one'), 'latin1'), 'one\n');
});

test('what lies in a file stays while its replacement cannot be read; what turns out damaged on the way is not left as if whole', async (t) => {
  if (skipWithoutGit(t)) return;
  const directory = makeRepository(t, 'sha1', 'echo small >small; head -c 17000000 /dev/zero >large; git add .; echo mine >small; rm large');
  const loose = (name: string): string => {
    const id = gitOutput(['rev-parse', `:${name}`], { cwd: directory });
    return join(directory, '.git/objects', id.slice(0, 2), id.slice(2));
  };
  rmSync(loose('small'));
  const damaged = readFileSync(loose('large'));
  damaged[damaged.length - 1]! ^= 1;
  chmodSync(loose('large'), 0o644);
  writeFileSync(loose('large'), damaged);
  t.is((await cairn(['checkout-index', '-f', 'small'], { cwd: directory })).code, 128);
  t.is(readFileSync(join(directory, 'small'), 'latin1'), 'mine\n');
  t.is((await cairn(['checkout-index', 'large'], { cwd: directory })).code, 128);
  t.false(existsSync(join(directory, 'large')));
});
