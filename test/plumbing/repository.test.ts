import test from 'ava';
import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CorruptError, InvalidError, NotFoundError, RefusedError } from '../../pack/errors.js';
import type { Context } from '../../plumbing/command.js';
import { Repository } from '../../plumbing/repository.js';
import { cairn, makeContext } from '../helpers/cairn.js';
import { makeSandbox, writeFiles } from '../helpers/sandbox.js';
import { git, gitOutput, skipWithoutGit } from '../helpers/stock-git.js';

const at = (cwd: string, env: Record<string, string> = {}): Context => makeContext({ cwd, env }).context;
const make = (directory: string, bare = false): Repository => Repository.init(at('/'), { directory, bare, objectFormat: 'sha1' }).repository;

test('the nearest level wins, and at one level .cairn before .git', (t) => {
  const base = makeSandbox(t);
  make(base);
  mkdirSync(join(base, 'a/b'), { recursive: true });
  t.is(Repository.open(at(join(base, 'a/b'))).gitDirectory, join(base, '.cairn'));
  t.is(Repository.open(at(join(base, 'a/b'))).prefix, 'a/b/');
  make(join(base, 'a'));
  renameSync(join(base, 'a/.cairn'), join(base, 'a/.git'));
  t.is(Repository.open(at(join(base, 'a/b'))).gitDirectory, join(base, 'a/.git'));
  make(join(base, 'a'));
  t.is(Repository.open(at(join(base, 'a/b'))).gitDirectory, join(base, 'a/.cairn'));
});

test('inside the repository directory there is no work tree; in a bare one neither', (t) => {
  const base = makeSandbox(t);
  make(base);
  const inside = Repository.open(at(join(base, '.cairn/refs')));
  t.is(inside.gitDirectory, join(base, '.cairn'));
  t.is(inside.workTree, undefined);
  t.throws(() => inside.requireWorkTree(), { instanceOf: RefusedError });
  make(join(base, 'bare'), true);
  const bare = Repository.open(at(join(base, 'bare/objects')));
  t.true(bare.isBare);
  t.is(bare.gitDirectory, join(base, 'bare'));
});

test('the environment names repository, work tree, index, objects and limits of the search', (t) => {
  const base = makeSandbox(t);
  make(base);
  mkdirSync(join(base, 'deep/er'), { recursive: true });
  const cwd = join(base, 'deep/er');
  const named = Repository.open(at(cwd, { GIT_DIR: '../../.cairn' }));
  t.is(named.workTree, cwd);
  t.is(named.prefix, '');
  const treed = Repository.open(at(cwd, { GIT_DIR: '../../.cairn', GIT_WORK_TREE: base, GIT_INDEX_FILE: 'idx', GIT_OBJECT_DIRECTORY: join(base, '.cairn/objects') }));
  t.is(treed.workTree, base);
  t.is(treed.prefix, 'deep/er/');
  t.is(treed.indexPath, join(base, 'idx'), 'relative to the top of the work tree, as git has it');
  t.is(Repository.find(at(cwd, { GIT_CEILING_DIRECTORIES: base })), undefined);
  t.not(Repository.find(at(cwd, { GIT_CEILING_DIRECTORIES: cwd })), undefined);
  t.throws(() => Repository.open(at(cwd, { GIT_DIR: 'nothing' })), { instanceOf: NotFoundError });
});

test('a file that names the repository is followed; a malformed one, or one that leads nowhere, is an error', (t) => {
  const base = makeSandbox(t);
  make(join(base, 'real'));
  renameSync(join(base, 'real/.cairn'), join(base, 'moved'));
  writeFileSync(join(base, 'real/.cairn'), 'gitdir: ../moved\n');
  const repository = Repository.open(at(join(base, 'real')));
  t.is(repository.gitDirectory, join(base, 'moved'));
  t.is(repository.workTree, join(base, 'real'));
  writeFileSync(join(base, 'real/.cairn'), 'something else');
  t.throws(() => Repository.find(at(join(base, 'real'))), { instanceOf: CorruptError });
  writeFileSync(join(base, 'real/.cairn'), 'gitdir: gone\n');
  t.throws(() => Repository.find(at(join(base, 'real'))), { instanceOf: NotFoundError });
});

test('a linked work tree has its own HEAD and index, and shares branches and config', (t) => {
  if (skipWithoutGit(t)) return;
  const base = makeSandbox(t);
  const main = join(base, 'main');
  gitOutput(['init', '-q', '-b', 'main', main], { cwd: base });
  gitOutput(['commit', '-q', '--allow-empty', '-m', 'x'], { cwd: main });
  gitOutput(['worktree', 'add', '-q', '-b', 'side', '../linked'], { cwd: main });
  gitOutput(['update-ref', 'refs/worktree/own', 'HEAD'], { cwd: join(base, 'linked') });
  gitOutput(['update-ref', 'refs/bisect/bad', 'HEAD'], { cwd: main });
  const linked = Repository.open(at(join(base, 'linked')));
  t.is(linked.commonDirectory, join(main, '.git'));
  t.is(linked.gitDirectory, join(main, '.git/worktrees/linked'));
  t.is(linked.workTree, join(base, 'linked'));
  t.is(linked.refs.headBranch(), 'refs/heads/side' as never);
  t.deepEqual([...linked.refs.list()].map(({ name }) => String(name)), ['refs/heads/main', 'refs/heads/side', 'refs/worktree/own']);
  t.is(linked.refs.find('main-worktree/HEAD')?.symbolicTarget, 'refs/heads/main' as never);
  t.is(Repository.open(at(main)).refs.find('worktrees/linked/HEAD')?.symbolicTarget, 'refs/heads/side' as never);
  t.deepEqual([...Repository.open(at(main)).refs.list()].map(({ name }) => String(name)), ['refs/bisect/bad', 'refs/heads/main', 'refs/heads/side']);
});

const formats: readonly (readonly [config: string, error: (new (...args: never[]) => Error) | undefined])[] = [
  ['[core]\n\trepositoryformatversion = 0\n', undefined],
  ['[core]\n\trepositoryformatversion = 2\n', RefusedError],
  ['[core]\n\trepositoryformatversion = x\n', InvalidError],
  ['[core]\n\trepositoryformatversion = 1\n[extensions]\n\tunknownThing = 1\n', RefusedError],
  ['[core]\n\trepositoryformatversion = 0\n[extensions]\n\tunknownThing = 1\n', undefined],
  ['[core]\n\trepositoryformatversion = 0\n[extensions]\n\tobjectformat = sha256\n', RefusedError],
  ['[core]\n\trepositoryformatversion = 1\n[extensions]\n\tobjectformat = sha512\n', InvalidError],
  ['[core]\n\trepositoryformatversion = 1\n[extensions]\n\tnoop = 1\n\tpreciousObjects = true\n', undefined],
  ['[core\n', InvalidError],
  ['', undefined],
];

for (const [config, error] of formats) {
  test(`a repository with config ${JSON.stringify(config)} is ${error === undefined ? 'opened' : `refused with ${error.name}`}`, (t) => {
    const base = makeSandbox(t);
    make(base);
    writeFileSync(join(base, '.cairn/config'), config);
    if (error === undefined) t.is(Repository.open(at(base)).format, 'sha1');
    else t.throws(() => Repository.open(at(base)), { instanceOf: error });
  });
}

for (const head of ['', 'ref: ', 'garbage\n', '1234\n', '\0\0\0\0']) {
  test(`a damaged HEAD (${JSON.stringify(head)}) is named, not taken for "no repository here"`, (t) => {
    const base = makeSandbox(t);
    make(base);
    make(join(base, 'inner'));
    writeFileSync(join(base, 'inner/.cairn/HEAD'), head);
    const error = t.throws(() => Repository.open(at(join(base, 'inner'))).refs.headBranch(), { instanceOf: CorruptError });
    t.regex(error.message, /inner\/\.cairn\/HEAD|'HEAD'/);
  });
}

test("somebody else's repository is refused unless safe.directory of the person's own config names it", (t) => {
  const base = makeSandbox(t);
  const repository = join(base, 'repo');
  make(repository);
  writeFiles(base, { safe: `[safe]\n\tdirectory = ${repository}\n`, all: '[safe]\n\tdirectory = *\n', reset: '[safe]\n\tdirectory = *\n\tdirectory =\n' });
  const foreign = (env: Record<string, string> = {}): Context => {
    const context = at(repository, env);
    return { ...context, process: { ...context.process, uid: 54321 } };
  };
  t.throws(() => Repository.open(foreign()), { instanceOf: RefusedError, code: 'unsafe-repository' });
  t.notThrows(() => Repository.open(foreign({ GIT_CONFIG_GLOBAL: join(base, 'safe') })));
  t.notThrows(() => Repository.open(foreign({ GIT_CONFIG_GLOBAL: join(base, 'all') })));
  t.throws(() => Repository.open(foreign({ GIT_CONFIG_GLOBAL: join(base, 'reset') })), { code: 'unsafe-repository' });
  writeFileSync(join(repository, '.cairn/config'), readFileSync(join(repository, '.cairn/config'), 'utf8') + '[safe]\n\tdirectory = *\n');
  t.throws(() => Repository.open(foreign()), { code: 'unsafe-repository' });
  t.false(Repository.open(foreign({ GIT_DIR: join(repository, '.cairn') })).isTrusted);
});

test('core.worktree and core.bare are obeyed; a HEAD that is a symbolic link is git\'s old form', (t) => {
  const base = makeSandbox(t);
  make(base);
  mkdirSync(join(base, 'tree'));
  writeFileSync(join(base, '.cairn/config'), '[core]\n\trepositoryformatversion = 0\n\tworktree = ../tree\n');
  t.is(Repository.open(at(base)).workTree, join(base, 'tree'));
  writeFileSync(join(base, '.cairn/config'), '[core]\n\trepositoryformatversion = 0\n\tbare = true\n');
  t.true(Repository.open(at(base)).isBare);
  rmSync(join(base, '.cairn/HEAD'));
  symlinkSync('refs/heads/old', join(base, '.cairn/HEAD'));
  t.is(Repository.open(at(base)).refs.headBranch(), 'refs/heads/old' as never);
  chmodSync(base, 0o755);
});

test('--bare takes the current directory for the repository, which then has no work tree', async (t) => {
  if (skipWithoutGit(t)) return;
  const cwd = join(makeSandbox(t), 'repo');
  gitOutput(['init', '-q', cwd], { cwd: '/' });
  for (const question of ['--is-bare-repository', '--is-inside-work-tree', '--show-toplevel', '--git-dir']) {
    for (const directory of [cwd, join(cwd, '.git')]) {
      const expected = git(['--bare', 'rev-parse', question], { cwd: directory });
      const actual = await cairn(['--bare', 'rev-parse', question], { cwd: directory });
      t.deepEqual([actual.code, actual.stdout], [expected.code, expected.stdout], `${question} in ${directory}`);
    }
  }
});
