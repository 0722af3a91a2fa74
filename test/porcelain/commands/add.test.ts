import test from 'ava';
import { chmodSync, mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cairn, cairnOutput } from '../../helpers/cairn.js';
import { type Case, bothFormats, compareWithGit, makeRepository } from '../../helpers/differential.js';
import { gitOutput, runProgram, skipWithoutGit } from '../../helpers/stock-git.js';

const fixture = `
  mkdir -p d/e ign; for f in a b mod gone d/k d/e/l; do echo $f >$f; done; ln -s d link; printf '*.o\\n/ign/\\n' >.gitignore; git add .; git commit -qm x
  echo more >>mod; rm gone d/k; echo new >new; echo n >d/new; touch x.o ign/f 'sp ace'; printf '#!/bin/sh\\n' >run; chmod +x run; : >empty
  git init -q --object-format=$(git rev-parse --show-object-format) nest; (cd nest; git commit -q --allow-empty -m i; touch inner); ln -s nowhere dangling`;

for (const format of bothFormats) {
  test(`add puts into the index what git would (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    const cases: Case[] = [
      { argv: ['add'] },
      { argv: ['add', '-n', '.'] },
      { argv: ['add', '-n', '--ignore-missing', 'nowhere', 'new'] },
      { argv: ['add', 'x.o', 'new'] },
      { argv: ['add', '-f', 'x.o'] },
      { argv: ['add', '-v', 'd'] },
      { argv: ['add', '--no-all', '.', ':!nest'] },
      { argv: ['add', '-N', 'sp ace'] },
      { argv: ['add', '-u', '-v'] },
      { argv: ['add', '--chmod=+x', 'a', 'b'] },
      { argv: ['add', '--chmod=-x', 'run'] },
      { argv: ['add', '.'], subdirectory: 'd' },
      { argv: ['add', '-A', ':/'], subdirectory: 'd' },
      { argv: ['add', '--refresh', '.'] },
      { argv: ['add', '--pathspec-from-file=-'], stdin: 'a\n"b"\r\n' },
      { argv: ['add', '--pathspec-from-file=-', '--pathspec-file-nul'], stdin: 'a\0b\0' },
      { argv: ['add', '-A'] },
      { argv: ['add', '--renormalize', '.'] },
    ];
    await compareWithGit(t, makeRepository(t, format, fixture), format === 'sha1' ? cases : [{ argv: ['add', '-A'] }]);
  });
}

test('git status is clean right after cairn add and a commit', async (t) => {
  if (skipWithoutGit(t)) return;
  const directory = makeRepository(t, 'sha256', `${fixture}; mkfifo fifo`);
  t.is((await cairn(['add', 'fifo'], { cwd: directory })).code, 0);
  t.is((await cairn(['add', '-A'], { cwd: directory })).code, 0);
  t.is(gitOutput(['diff-files', '--name-only', '--ignore-submodules'], { cwd: directory }), '');
  gitOutput(['commit', '-qm', 'all'], { cwd: directory });
  t.is(gitOutput(['status', '--porcelain', '--ignore-submodules'], { cwd: directory }), '');
  t.is(gitOutput(['fsck', '--strict'], { cwd: directory }), '');
});

test('nothing is added when a path is missing, outside, behind a link or in a damaged nested repository', async (t) => {
  if (skipWithoutGit(t)) return;
  const directory = makeRepository(t, 'sha1', `${fixture}\ngit init -q unborn`);
  const before = readFileSync(join(directory, '.git/index'));
  for (const argv of [['add', 'new', 'missing'], ['add', '../x'], ['add', 'link/new'], ['add', 'unborn'], ['add', 'nothing*'], ['add', ''], ['add', '-e']]) {
    const { code, stderr } = await cairn(argv, { cwd: directory });
    t.true(code === 2 || code === 129, `${argv.join(' ')}: ${code} ${stderr}`);
    t.deepEqual(readFileSync(join(directory, '.git/index')), before, argv.join(' '));
  }
});

test("names no repository may hold are refused; everything else in the directory's name stays as it is", async (t) => {
  if (skipWithoutGit(t)) return;
  const directory = makeRepository(t, 'sha1', ':');
  for (const name of ['.GIT', 'git~1', '.git ', '.cairn.', '.g\u200cit']) {
    mkdirSync(join(directory, name));
    writeFileSync(join(directory, name, 'x'), '');
    const { code, stderr } = await cairn(['add', '.'], { cwd: directory });
    t.is(code, 2, `${name}: ${stderr}`);
    const { rmSync } = await import('node:fs');
    rmSync(join(directory, name), { recursive: true });
  }
  t.is(gitOutput(['ls-files'], { cwd: directory }), '');
});

test('names that are not UTF-8 come back byte for byte', async (t) => {
  if (skipWithoutGit(t)) return;
  const directory = makeRepository(t, 'sha1', ':');
  const names = [Buffer.from('bad\xff\xfe', 'latin1'), Buffer.from('caf\xc3\xa9', 'latin1'), Buffer.from('dir\xe9/in\x01side', 'latin1')];
  mkdirSync(Buffer.concat([Buffer.from(`${directory}/`), Buffer.from('dir\xe9', 'latin1')]));
  for (const name of names) writeFileSync(Buffer.concat([Buffer.from(`${directory}/`), name]), name);
  symlinkSync(Buffer.from('to\xff', 'latin1'), Buffer.concat([Buffer.from(`${directory}/`), Buffer.from('l\xff', 'latin1')]));
  t.is(await cairnOutput(['add', '.'], { cwd: directory }), '');
  t.is(gitOutput(['ls-files', '-z'], { cwd: directory }), 'bad\xff\xfe\0caf\xc3\xa9\0dir\xe9/in\x01side\0l\xff\0');
  t.is(gitOutput(['diff-files', '--name-only'], { cwd: directory }), '');
  runProgram('sh', ['-c', 'rm -r bad* caf* dir* l*'], { cwd: directory });
  t.is((await cairn(['checkout-index', '-a'], { cwd: directory })).code, 0);
  t.deepEqual(readdirSync(directory, { encoding: 'buffer' }).filter((name) => name.toString() !== '.git').map((name) => name.toString('latin1')).sort(),
    ['bad\xff\xfe', 'caf\xc3\xa9', 'dir\xe9', 'l\xff']);
});

test('line endings are converted on request only, and come back', async (t) => {
  if (skipWithoutGit(t)) return;
  const script = `printf 'a\\r\\nb\\r\\n' >crlf; printf 'a\\nb\\n' >lf; printf 'a\\r\\nb\\n' >mixed; printf 'a\\r\\n\\0' >bin; printf 'a\\rb' >lone; : >none`;
  for (const setup of [[], ['core.autocrlf=true'], ['core.autocrlf=input'], ['core.eol=crlf']]) {
    for (const attributes of ['', '* text', '* text=auto', '* -text', '* eol=crlf', '* text=auto eol=lf', '*f text\nbin text']) {
      const env = Object.fromEntries([['GIT_CONFIG_COUNT', String(setup.length)], ...setup.flatMap((word, at) => {
        const [name, value] = word.split('=');
        return [[`GIT_CONFIG_KEY_${at}`, name], [`GIT_CONFIG_VALUE_${at}`, value]];
      })]) as Record<string, string>;
      const directory = makeRepository(t, 'sha1', `${script}; printf '${attributes.replaceAll('\n', '\\n')}\\n' >.git/info/attributes`);
      runProgram('git', ['add', '-A'], { cwd: directory, env: { ...env, GIT_INDEX_FILE: '.git/theirs' } });
      t.is((await cairn(['add', '-A'], { cwd: directory, env })).code, 0);
      const label = `${setup.join()} / ${attributes}`;
      t.is(gitOutput(['ls-files', '-s'], { cwd: directory, env }), gitOutput(['ls-files', '-s'], { cwd: directory, env: { ...env, GIT_INDEX_FILE: '.git/theirs' } }), label);
      gitOutput(['checkout-index', '-a', '--prefix=theirs/'], { cwd: directory, env });
      t.is((await cairn(['checkout-index', '-a', '--prefix=mine/'], { cwd: directory, env })).code, 0);
      for (const name of ['crlf', 'lf', 'mixed', 'bin', 'lone', 'none']) {
        t.deepEqual(readFileSync(join(directory, 'mine', name)), readFileSync(join(directory, 'theirs', name)), `${label}: ${name}`);
      }
    }
  }
});

test('a file that cannot be read fails the command, or only itself with --ignore-errors', async (t) => {
  if (skipWithoutGit(t)) return;
  if (process.getuid?.() === 0) {
    t.log('skipped: root can read everything');
    t.pass();
    return;
  }
  const directory = makeRepository(t, 'sha1', 'echo 1 >a; echo 2 >b');
  chmodSync(join(directory, 'a'), 0);
  t.not((await cairn(['add', '.'], { cwd: directory })).code, 0);
  t.is((await cairn(['add', '--ignore-errors', '.'], { cwd: directory })).code, 1);
  t.is(gitOutput(['ls-files'], { cwd: directory }), 'b');
});

test('several adders at once: every path is kept, or its adder was refused', async (t) => {
  if (skipWithoutGit(t)) return;
  const { spawn } = await import('node:child_process');
  const { cairnProgram } = await import('../../helpers/cairn.js');
  const { cleanEnvironment } = await import('../../helpers/stock-git.js');
  const directory = makeRepository(t, 'sha1', 'for i in 1 2 3 4 5 6; do echo $i >f$i; done');
  const codes = await Promise.all([1, 2, 3, 4, 5, 6].map((at) => new Promise<number>((resolve) => {
    spawn(cairnProgram, ['add', `f${at}`], { cwd: directory, env: { ...cleanEnvironment }, stdio: 'ignore' }).on('exit', (code) => resolve(code ?? -1));
  })));
  const added = gitOutput(['ls-files'], { cwd: directory }).split('\n').filter((name) => name !== '');
  codes.forEach((code, at) => {
    t.true(code === 0 || code === 4, `f${at + 1}: ${code}`);
    t.is(added.includes(`f${at + 1}`), code === 0);
  });
  t.true(codes.includes(0));
});
