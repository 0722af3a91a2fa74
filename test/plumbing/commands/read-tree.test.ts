import test from 'ava';
import { join } from 'node:path';
import { type Case, bothFormats, compareWithGit, makeRepository } from '../../helpers/differential.js';
import { makeSandbox, seededRandom } from '../../helpers/sandbox.js';
import { cairn } from '../../helpers/cairn.js';
import { git, gitOutput, skipWithoutGit } from '../../helpers/stock-git.js';
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';

const history = `
  echo base >file; mkdir dir; echo one >dir/one; echo two >dir/two; echo gone >gone
  git add .; git commit -qm base; git tag base
  echo changed >file; git rm -q gone; echo new >new; git add .; git commit -qm next; git tag next
  git checkout -q -b other base; echo three >dir/three; git rm -q dir/two; git add .; git commit -qm other; git tag other
  git checkout -q main; git update-index --refresh`;

const plain: readonly Case[] = [
  { argv: ['read-tree', 'base'] },
  { argv: ['write-tree'] },
  { argv: ['read-tree', 'base', 'other'] },
  { argv: ['read-tree', 'base', 'base', 'next'] },
  { argv: ['read-tree', '--empty'] },
  { argv: ['read-tree', '-m', 'next'] },
  { argv: ['read-tree', '--prefix=sub/', 'base'] },
  { argv: ['read-tree', '--prefix=sub', 'base'] },
  { argv: ['read-tree', '--prefix=sub/deep', 'other'] },
  { argv: ['write-tree', '--prefix=sub/deep'] },
  { argv: ['read-tree', '-m', 'base', 'next', 'other'] },
  { argv: ['read-tree', '-i', '-m', 'next'] },
  { argv: ['read-tree', '-i', '-m', 'base', 'next', 'other'] },
  { argv: ['write-tree'] },
  { argv: ['read-tree', '-m', 'next'] },
  { argv: ['read-tree', '--reset', 'next'] },
  { argv: ['read-tree', 'nothing'] },
  { argv: ['read-tree', '-u', 'base'] },
  { argv: ['read-tree', '-m', '--reset', 'base'] },
  { argv: ['read-tree', '-m'] },
  { argv: ['read-tree', '--empty', 'base'] },
  { argv: ['read-tree', '-n', '-i', '-m', 'base'] },
  { argv: ['read-tree', '-i', '-m', '--aggressive', 'base', 'next', 'other'] },
  { argv: ['read-tree', '--reset', 'next'] },
  { argv: ['read-tree', '-i', '-m', '--trivial', 'base', 'next', 'other'] },
  { argv: ['read-tree'] },
  // Git's fsck complains of the empty tree it remembers in an empty index; so end with another.
  { argv: ['read-tree', 'base'] },
];

for (const format of bothFormats) {
  test(`read-tree reads, merges and refuses as git does (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    await compareWithGit(t, makeRepository(t, format, history), plain);
  });
}

/** The work tree as git sees it: names with content, sorted. */
function workTreeState(directory: string): string {
  return gitOutput(['ls-files', '-s'], { cwd: directory }) + '\n'
    + git(['-c', 'core.quotePath=false', 'status', '--porcelain', '-uall'], { cwd: directory }).stdout;
}

const sources: readonly { readonly name: string; readonly prepare: string; readonly argv: readonly string[] }[] = [
  { name: 'two trees, clean', prepare: ':', argv: ['-m', '-u', 'next', 'other'] },
  { name: 'two trees, back', prepare: 'git read-tree --reset -u other', argv: ['-m', '-u', 'other', 'base'] },
  { name: 'local change in a file that stays', prepare: 'echo local >dir/one', argv: ['-m', '-u', 'next', 'other'] },
  { name: 'local change in a file that changes', prepare: 'echo local >file', argv: ['-m', '-u', 'next', 'other'] },
  { name: 'staged change in a file that changes', prepare: 'echo local >file; git add file', argv: ['-m', '-u', 'next', 'other'] },
  { name: 'staged like the target', prepare: 'echo base >file; git add file', argv: ['-m', '-u', 'next', 'other'] },
  { name: 'removal staged', prepare: 'git rm -q --cached file', argv: ['-m', '-u', 'next', 'other'] },
  { name: 'untracked file in the way', prepare: 'echo mine >gone', argv: ['-m', '-u', 'next', 'other'] },
  { name: 'ignored file in the way', prepare: 'echo gone >.git/info/exclude; echo mine >gone', argv: ['-m', '-u', 'next', 'other'] },
  { name: 'untracked directory in the way', prepare: 'mkdir gone; echo mine >gone/x', argv: ['-m', '-u', 'next', 'other'] },
  { name: 'empty directory in the way', prepare: 'mkdir gone', argv: ['-m', '-u', 'next', 'other'] },
  { name: 'one tree over local changes', prepare: 'echo local >file', argv: ['-m', '-u', 'base'] },
  { name: 'reset over local changes', prepare: 'echo local >file; rm dir/one', argv: ['--reset', '-u', 'next'] },
  { name: 'reset over untracked files', prepare: 'echo mine >gone', argv: ['--reset', '-u', 'base'] },
  { name: 'reset without -u', prepare: 'echo local >file', argv: ['--reset', 'base'] },
  { name: 'symbolic link in place of a directory', prepare: 'rm -r dir; ln -s /tmp dir', argv: ['-m', '-u', 'next', 'other'] },
  { name: 'three trees with -u', prepare: ':', argv: ['-m', '-u', 'base', 'next', 'other'] },
  { name: 'three trees with -u, local change', prepare: 'echo local >dir/two', argv: ['-m', '-u', '--aggressive', 'base', 'next', 'other'] },
];

test('read-tree -u updates the work tree, or refuses to lose anything, as git does', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeRepository(t, 'sha256', history);
  for (const { name, prepare, argv } of sources) {
    const base = makeSandbox(t);
    const results = [];
    for (const who of ['a', 'b']) {
      const copy = join(base, who, 'repo');
      cpSync(repository, copy, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
      git(['update-index', '-q', '--refresh'], { cwd: copy });
      const { spawnSync } = await import('node:child_process');
      spawnSync('sh', ['-ec', prepare], { cwd: copy });
      const result = who === 'a' ? git(['read-tree', ...argv], { cwd: copy }) : await cairn(['read-tree', ...argv], { cwd: copy });
      results.push({ code: result.code, state: workTreeState(copy), stderr: result.stderr });
    }
    t.is(results[1]!.code, results[0]!.code, `${name}: ${results[0]!.stderr} / ${results[1]!.stderr}`);
    t.is(results[1]!.state, results[0]!.state, name);
  }
});

test('random three-way and two-way merges leave the index git leaves', async (t) => {
  if (skipWithoutGit(t)) return;
  const seed = Number(process.env['SEED'] ?? 20261120);
  t.log(`seed ${seed}`);
  const random = seededRandom(seed);
  const directory = makeRepository(t, 'sha1', ':');
  const options = { cwd: directory };
  const blobs = ['1', '2'].map((text) => gitOutput(['hash-object', '-w', '--stdin'], { cwd: directory, stdin: text }));
  const pick = <Value>(values: readonly Value[]): Value => values[Math.floor(random() * values.length)]!;
  const makeTree = (): string => {
    const lines: string[] = [];
    for (const name of ['a', 'd', 'e']) {
      const kind = random();
      if (kind < 0.25) continue;
      if (kind < 0.6) lines.push(`${pick(['100644', '100755'])} ${pick(blobs)}\t${name}`);
      else for (const inner of ['x', 'y']) if (random() < 0.7) lines.push(`100644 ${pick(blobs)}\t${name}/${inner}`);
    }
    git(['read-tree', '--empty'], options);
    git(['update-index', '--index-info'], { ...options, stdin: lines.map((line) => `${line}\n`).join('') });
    return gitOutput(['write-tree'], options);
  };
  const indexPath = join(directory, '.git/index');
  for (let round = 0; round < 30; round += 1) {
    const trees = Array.from({ length: pick([2, 3, 3, 3, 4]) }, makeTree);
    const flags = ['-i', '-m', ...(trees.length > 2 && random() < 0.5 ? ['--aggressive'] : [])];
    const start = random() < 0.8 ? trees[Math.max(0, trees.length - 2)]! : pick(trees);
    const argv = ['read-tree', ...flags, ...trees];
    git(['read-tree', start], options);
    const before = readFileSync(indexPath);
    const expected = git(argv, options);
    const expectedIndex = gitOutput(['ls-files', '-s'], options);
    rmSync(indexPath);
    writeFileSync(indexPath, before);
    const actual = await cairn(argv, options);
    t.is(actual.code, expected.code, `round ${round}: ${argv.join(' ')} from ${start}\n${expected.stderr}\n${actual.stderr}`);
    t.is(gitOutput(['ls-files', '-s'], options), expectedIndex, `round ${round}: ${argv.join(' ')} from ${start}`);
  }
});

test('read-tree --index-output leaves the index alone', async (t) => {
  if (skipWithoutGit(t)) return;
  const directory = makeRepository(t, 'sha1', history);
  const before = readFileSync(join(directory, '.git/index'));
  t.is((await cairn(['read-tree', '--index-output=.git/other', 'base'], { cwd: directory })).code, 0);
  t.deepEqual(readFileSync(join(directory, '.git/index')), before);
  t.is(gitOutput(['ls-files'], { cwd: directory, env: { GIT_INDEX_FILE: '.git/other' } }), 'dir/one\ndir/two\nfile\ngone');
  t.false(existsSync(join(directory, '.git/index.lock')));
});
