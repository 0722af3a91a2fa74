import test from 'ava';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Repository } from '../../../plumbing/repository.js';
import { cairn, cairnOutput, makeContext } from '../../helpers/cairn.js';
import { withFailingDisk } from '../../helpers/failing-disk.js';
import { makeSandbox, writeFiles } from '../../helpers/sandbox.js';
import { git, gitOutput, skipWithoutGit } from '../../helpers/stock-git.js';

test('init makes .cairn with sha256 and branch main, says where, and is safe to run again', async (t) => {
  const cwd = makeSandbox(t);
  const first = await cairn(['init'], { cwd });
  t.is(first.stdout, `Initialized empty repository in ${cwd}/.cairn/\n`);
  t.is(readFileSync(join(cwd, '.cairn/HEAD'), 'utf8'), 'ref: refs/heads/main\n');
  await cairnOutput(['config', 'x.y', 'kept'], { cwd });
  const again = await cairn(['init', '-b', 'other'], { cwd });
  t.is(again.code, 0);
  t.is(again.stdout, `Reinitialized existing repository in ${cwd}/.cairn/\n`);
  t.regex(again.stderr, /ignored --initial-branch=other/);
  t.is(await cairnOutput(['config', 'x.y'], { cwd }), 'kept');
  t.is(readFileSync(join(cwd, '.cairn/HEAD'), 'utf8'), 'ref: refs/heads/main\n');
  t.is((await cairn(['init', '--object-format=sha1'], { cwd })).code, 3);
});

for (const format of ['sha1', 'sha256'] as const) {
  test(`stock git works on what init made, and its config is the one git writes (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    const cwd = makeSandbox(t);
    writeFiles(cwd, { file: 'content\n' });
    t.is((await cairn(['init', '-q', '--object-format', format], { cwd })).stdout, '');
    const stock = ['--git-dir=.cairn', '--work-tree=.'];
    t.is(gitOutput([...stock, 'status', '--porcelain'], { cwd }), '?? file');
    gitOutput([...stock, 'add', '-A'], { cwd });
    gitOutput([...stock, 'commit', '-qm', 'by git'], { cwd });
    t.is(gitOutput([...stock, 'ls-files'], { cwd }), 'file');
    t.is(gitOutput([...stock, 'rev-parse', 'HEAD'], { cwd }), await cairnOutput(['show-ref', '-s', '--verify', 'refs/heads/main'], { cwd }));
    const theirs = join(cwd, 'theirs');
    gitOutput(['init', '-q', `--object-format=${format}`, theirs], { cwd });
    t.is(readFileSync(join(cwd, '.cairn/config'), 'utf8'), readFileSync(join(theirs, '.git/config'), 'utf8'));
  });
}

test('a git repository around it does not see .cairn', async (t) => {
  if (skipWithoutGit(t)) return;
  const cwd = makeSandbox(t);
  gitOutput(['init', '-q'], { cwd });
  await cairnOutput(['init'], { cwd });
  t.is(gitOutput(['status', '--porcelain'], { cwd }), '');
  t.is(gitOutput(['add', '-An'], { cwd }), '');
});

test('directory, first branch, hash and places follow options, environment and configuration', async (t) => {
  const cwd = makeSandbox(t);
  writeFiles(cwd, { 'template/info/exclude': '*.o\n', 'template/hooks/pre-commit': { executable: '#!/bin/sh\n' }, 'template/.hidden': 'x', config: '[init]\n\tdefaultBranch = configured\n\ttemplateDir = ' + `${cwd}/template\n` });
  await cairnOutput(['init', '-b', 'topic/x', 'a/b'], { cwd });
  t.is(readFileSync(join(cwd, 'a/b/.cairn/HEAD'), 'utf8'), 'ref: refs/heads/topic/x\n');
  await cairnOutput(['init', 'c'], { cwd, env: { GIT_CONFIG_GLOBAL: join(cwd, 'config'), GIT_DEFAULT_HASH: 'sha1' } });
  t.is(readFileSync(join(cwd, 'c/.cairn/HEAD'), 'utf8'), 'ref: refs/heads/configured\n');
  t.notRegex(readFileSync(join(cwd, 'c/.cairn/config'), 'utf8'), /sha256/);
  t.is(readFileSync(join(cwd, 'c/.cairn/info/exclude'), 'utf8'), '*.o\n');
  t.is(statSync(join(cwd, 'c/.cairn/hooks/pre-commit')).mode & 0o111, 0o111);
  t.false(existsSync(join(cwd, 'c/.cairn/.hidden')));
  await cairnOutput(['init', '--bare', 'bare'], { cwd });
  t.regex(readFileSync(join(cwd, 'bare/config'), 'utf8'), /bare = true/);
  t.false(existsSync(join(cwd, 'bare/.gitignore')));
  t.is((await cairn(['init', '--bare', 'bare'], { cwd })).stdout, `Reinitialized existing repository in ${cwd}/bare/\n`);
  await cairnOutput(['init', '--separate-git-dir', 'elsewhere', 'd'], { cwd });
  t.is(readFileSync(join(cwd, 'd/.cairn'), 'utf8'), `gitdir: ${cwd}/elsewhere\n`);
  t.is(await cairnOutput(['symbolic-ref', 'HEAD'], { cwd: join(cwd, 'd') }), 'refs/heads/main');
  await cairnOutput(['init'], { cwd, env: { GIT_DIR: 'named' } });
  t.true(existsSync(join(cwd, 'named/HEAD')));
});

test('what cannot be done is refused with nothing made', async (t) => {
  const cwd = makeSandbox(t);
  writeFiles(cwd, { file: 'x' });
  for (const [argv, code, env] of [
    [['init', '-b', 'a..b', 'x'], 2], [['init', '--object-format=md5', 'x'], 129], [['init', 'x', 'y'], 129], [['init', '--shared', 'x'], 129],
    [['init', '--bare', '--separate-git-dir=x', 'y'], 129], [['init', 'x'], 2, { GIT_DEFAULT_HASH: 'md5' }], [['init', 'x'], 3, { GIT_WORK_TREE: 'x' }], [['init', '--template=none', 'file/x'], 2],
  ] as const) {
    const result = await cairn(argv, { cwd, ...(env === undefined ? {} : { env }) });
    t.is(result.code, code, `${argv.join(' ')}: ${result.stderr}`);
    t.false(existsSync(join(cwd, 'x/.cairn/HEAD')));
  }
});

test('a clone of it by stock git is whole', async (t) => {
  if (skipWithoutGit(t)) return;
  const cwd = makeSandbox(t);
  await cairnOutput(['init', '-q', 'a'], { cwd });
  gitOutput(['--git-dir=a/.cairn', '--work-tree=a', 'commit', '-q', '--allow-empty', '-m', 'x'], { cwd });
  t.is(git(['clone', '-q', 'a/.cairn', 'b'], { cwd }).code, 0);
});

test('an init that dies at any step leaves no repository, or a whole one, and running it again completes it, whatever the hash asked for then', (t) => {
  const base = makeSandbox(t);
  for (let step = 1; ; step += 1) {
    const directory = join(base, String(step));
    const { context } = makeContext({ cwd: base });
    const { error } = withFailingDisk(step, 'died', () => Repository.init(context, { directory }));
    if (error === undefined) break;
    const found = existsSync(directory) ? Repository.find({ ...context, cwd: directory }) : undefined;
    t.true(found === undefined || (found.format === 'sha256' && found.refs.headBranch() === 'refs/heads/main' as never), `step ${step}`);
    const { repository } = Repository.init(context, { directory, objectFormat: found === undefined ? 'sha1' : 'sha256' });
    t.is(repository.format, found === undefined ? 'sha1' : 'sha256', `step ${step}`);
    t.is(repository.refs.headBranch(), 'refs/heads/main' as never);
  }
});

test('a template may bring configuration of its own, which is kept', async (t) => {
  const cwd = makeSandbox(t);
  writeFiles(cwd, { 'template/config': '# ours\n[user]\n\tname = T\n[core]\n\tbare = true\n' });
  await cairnOutput(['init', '-q', '--template=template', 'x'], { cwd });
  t.is(readFileSync(join(cwd, 'x/.cairn/config'), 'utf8'), '# ours\n[user]\n\tname = T\n[core]\n\tbare = false\n\trepositoryformatversion = 1\n\tfilemode = true\n\tlogallrefupdates = true\n'
    + '[extensions]\n\tobjectformat = sha256\n');
});
