import test from 'ava';
import { readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cairn, cairnOutput } from '../../helpers/cairn.js';
import { findCommand } from '../../../porcelain/commands.js';
import { makeRepository } from '../../helpers/differential.js';
import { makeSandbox, writeFiles } from '../../helpers/sandbox.js';
import { git, gitOutput, skipWithoutGit } from '../../helpers/stock-git.js';

const work = `
  mkdir -p d deep/er; for i in 1 2 3 4 5 6; do echo line$i; done >ren; echo a >a; echo b >b; echo c >d/c; echo sp >'sp ace'
  printf x >"caf$(printf '\\303\\251')"; printf q >'q"uote'; ln -s a link; echo e >deep/er/e; printf '*.o\\nign/\\n' >.gitignore
  git add .; git commit -qm one; git update-ref refs/remotes/origin/main HEAD
  git config remote.origin.url ../nowhere; git config remote.origin.fetch '+refs/heads/*:refs/remotes/origin/*'
  git config branch.main.remote origin; git config branch.main.merge refs/heads/main; git commit -q --allow-empty -m two
  git init -q --object-format=$(git rev-parse --show-object-format) nest; (cd nest; git commit -q --allow-empty -m i); git add nest; git commit -qm nest; (cd nest; git commit -q --allow-empty -m j)`;

const dirty = `${work}
  git mv ren renamed; echo line7 >>renamed; git add renamed; git mv 'sp ace' 'new space'; git rm -q --cached a; echo z >>b; chmod +x d/c
  rm link; echo nolink >link; rm 'q"uote'; mkdir ign un un/sub emptydir onlyign
  touch ign/x un/f un/sub/g x.o un/y.o onlyign/z.o d/new 'un tracked' deep/er/n.o; git add -N d/new; echo staged >st; git add st; echo more >>st`;

const conflict = `${work}
  git checkout -q -b side; echo s >b; echo new >both; git rm -q a; echo gone >ren; git add .; git commit -qm s
  git checkout -q main; echo m >b; echo new2 >both; echo am >a; git rm -q deep/er/e ren; git add .; git commit -qm m
  git checkout -q side; echo emod >deep/er/e; git commit -qam e; git merge -q main >/dev/null || true`;

const fixtures: Readonly<Record<string, string>> = {
  'no commit and nothing': 'mkdir d',
  'no commit yet': 'mkdir d; echo a >a; echo b >d/b; git add .; echo c >>a; echo u >u',
  'clean and ahead': `${work}\ngit submodule status >/dev/null 2>&1 || true; (cd nest; git reset -q --hard HEAD~1)`,
  'everything at once': dirty,
  'behind': `${work}\ngit update-ref refs/remotes/origin/main HEAD; git reset -q HEAD~1`,
  'diverged': `${work}\ngit update-ref refs/remotes/origin/main HEAD; git reset -q HEAD~2; git commit -q --allow-empty -m mine`,
  'upstream gone': `${work}\ngit update-ref -d refs/remotes/origin/main`,
  'detached': `${work}\ngit checkout -q --detach; git stash list`,
  'detached from a tag': `${work}\ngit tag v1; git checkout -q v1; git commit -q --allow-empty -m off`,
  'stashed': `${work}\necho 1 >>b; git stash -q`,
  'conflicts': conflict,
  'conflicts resolved': `${conflict}\ngit add -A`,
  'cherry-picking': `${conflict}\ngit merge --abort; git cherry-pick main >/dev/null 2>&1 || true`,
  'directories for files': `${work}\nrm a b; mkdir a; echo in >a/x; rm -r d; echo f >d; mkdir -p nogit/.git`,
};

const options: readonly (readonly string[])[] = [
  [], ['-s'], ['-sb'], ['--porcelain'], ['--porcelain=v2', '-b', '--show-stash'], ['-z'], ['--porcelain=v2', '-z'], ['-uno'], ['-s', '-uall'], ['--ignored'],
  ['-s', '--ignored=matching'], ['--ignored', '-uall'], ['--no-renames'], ['--show-stash', '--no-ahead-behind'], ['-s', 'd'], ['-s', ':!d'], ['--ignore-submodules', '-s'],
];

for (const [name, script] of Object.entries(fixtures)) {
  test(`status says what git says: ${name}`, async (t) => {
    if (skipWithoutGit(t)) return;
    const directory = makeRepository(t, 'sha1', script);
    for (const words of name === 'everything at once' ? options : options.slice(0, 9)) {
      const expected = git(['status', ...words], { cwd: directory });
      const actual = await cairn(['status', ...words], { cwd: directory });
      t.is(actual.stdout, expected.stdout, `status ${words.join(' ')}`);
      t.is(actual.code, expected.code);
    }
    if (name !== 'everything at once') return;
    for (const words of [[], ['-s'], ['--porcelain'], ['-s', '.']]) {
      const there = { cwd: join(directory, 'd') };
      t.is((await cairn(['status', ...words], there)).stdout, git(['status', ...words], there).stdout, `in d: ${words.join(' ')}`);
    }
  });
}

test('configuration changes status as it does with git', async (t) => {
  if (skipWithoutGit(t)) return;
  const directory = makeRepository(t, 'sha256', dirty);
  for (const [name, value] of [['status.short', 'true'], ['status.branch', 'true'], ['status.showUntrackedFiles', 'all'], ['status.showUntrackedFiles', 'no'],
    ['status.renames', 'false'], ['advice.statusHints', 'false'], ['core.quotePath', 'false'], ['core.fileMode', 'false'], ['color.status', 'always'], ['status.showStash', 'true']]) {
    const argv = ['-c', `${name}=${value}`, 'status'];
    t.is((await cairn(argv, { cwd: directory })).stdout, git(argv, { cwd: directory }).stdout, `${name}=${value}`);
  }
});

test('a change that leaves size and time as they were is seen when the index is as old', async (t) => {
  if (skipWithoutGit(t)) return;
  const directory = makeRepository(t, 'sha1', 'echo one >file; git add file; git commit -qm x');
  const file = join(directory, 'file');
  const then = new Date(Date.now() - 3600_000);
  utimesSync(file, then, then);
  t.is(await cairnOutput(['add', 'file'], { cwd: directory }), '');
  utimesSync(join(directory, '.git/index'), then, then);
  writeFileSync(file, 'two\n');
  utimesSync(file, then, then);
  t.is(await cairnOutput(['-c', 'core.trustctime=false', 'status', '-s'], { cwd: directory }), ' M file');
  t.is(gitOutput(['-c', 'core.trustctime=false', 'status', '-s'], { cwd: directory }), ' M file');
});

test('status renews stale stat data, and does without when the index is locked', async (t) => {
  if (skipWithoutGit(t)) return;
  const directory = makeRepository(t, 'sha1', 'echo one >file; git add file; git commit -qm x');
  const index = join(directory, '.git/index');
  const later = new Date(Date.now() - 5000);
  utimesSync(join(directory, 'file'), later, later);
  writeFileSync(`${index}.lock`, '');
  const before = readFileSync(index);
  t.is(await cairnOutput(['status', '-s'], { cwd: directory }), '');
  t.deepEqual(readFileSync(index), before);
  const { unlinkSync } = await import('node:fs');
  unlinkSync(`${index}.lock`);
  t.is(await cairnOutput(['status', '-s'], { cwd: directory }), '');
  t.notDeepEqual(readFileSync(index), before);
  const { mtimeMs } = statSync(index);
  t.is(gitOutput(['diff-files', '--name-only'], { cwd: directory }), '');
  t.is(statSync(index).mtimeMs, mtimeMs);
});

test('status --json has stable fields', async (t) => {
  if (skipWithoutGit(t)) return;
  const directory = makeRepository(t, 'sha1', dirty);
  const report = JSON.parse(await cairnOutput(['status', '--json', '--ignored'], { cwd: directory }));
  t.deepEqual(Object.keys(report), ['branch', 'head', 'upstream', 'merging', 'clean', 'entries', 'untracked', 'ignored']);
  t.is(report.branch, 'main');
  t.is(report.head, gitOutput(['rev-parse', 'HEAD'], { cwd: directory }));
  t.deepEqual(report.upstream, { name: 'origin/main', gone: false, ahead: 2, behind: 0 });
  const byPath = Object.fromEntries(report.entries.map((entry: { path: string }) => [entry.path, entry]));
  t.deepEqual(byPath['renamed'], { path: 'renamed', oldPath: 'ren', staged: 'renamed', unstaged: null, conflict: null });
  t.deepEqual(byPath['st'], { path: 'st', staged: 'added', unstaged: 'modified', conflict: null });
  t.true(report.untracked.some((entry: { path: string }) => entry.path === 'un/'));
  t.true(report.ignored.some((entry: { path: string }) => entry.path === 'x.o'));
});

test('in our own repositories hints name only commands there are', async (t) => {
  const root = makeSandbox(t);
  const env = { GIT_AUTHOR_NAME: 'A', GIT_AUTHOR_EMAIL: 'a@x', GIT_COMMITTER_NAME: 'A', GIT_COMMITTER_EMAIL: 'a@x' };
  const options = { cwd: root, env };
  await cairnOutput(['init', '-q'], options);
  writeFiles(root, { staged: 'one\n', changed: 'one\n', gone: 'one\n' });
  await cairnOutput(['commit', '-A', '-m', 'first'], options);
  writeFiles(root, { staged: 'two\n', changed: 'two\n', new: 'two\n' });
  await cairnOutput(['add', 'staged'], options);
  rmSync(join(root, 'gone'));
  const head = await cairnOutput(['rev-parse', 'HEAD'], options);
  const texts = [await cairnOutput(['status'], options)];
  for (const name of ['MERGE_HEAD', 'CHERRY_PICK_HEAD', 'REVERT_HEAD']) {
    writeFiles(root, { [`.cairn/${name}`]: `${head}\n` });
    texts.push(await cairnOutput(['status'], options));
    rmSync(join(root, '.cairn', name));
  }
  const named = new Set(texts.flatMap((text) => [...text.matchAll(/"cairn ([a-z-]+)/g)].map((match) => match[1]!)));
  t.true(named.size >= 3);
  t.deepEqual([...named].filter((name) => findCommand(name) === undefined), []);
  await cairnOutput(['checkout-index', '-f', '--', 'changed'], options);
  await cairnOutput(['read-tree', 'HEAD'], options);
  t.is(await cairnOutput(['status', '-s'], options), ' D gone\n M staged\n?? new');
});
