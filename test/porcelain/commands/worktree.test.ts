import test from 'ava';
import type { ExecutionContext } from 'ava';
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type InProcessOptions, cairn } from '../../helpers/cairn.js';
import { splitWords } from '../../helpers/case-lines.js';
import { compareFinished, makeRepository } from '../../helpers/differential.js';
import { makeSandbox } from '../../helpers/sandbox.js';
import { git, gitOutput, skipWithoutGit } from '../../helpers/stock-git.js';

const history = `
export GIT_AUTHOR_DATE='1112911993 +0000' GIT_COMMITTER_DATE='1112911993 +0000'
echo a > f; mkdir d; echo b > d/g; git add .; git commit -qm one; git tag v1; git branch topic; git branch other; echo c >> f; git commit -qam 'two words'
git update-ref refs/remotes/origin/remo HEAD~1; git config remote.origin.url /nowhere; git config remote.origin.fetch '+refs/heads/*:refs/remotes/origin/*'
mkdir ../full; echo x > ../full/x; mkdir ../empty
`;

/** What is below a directory: every file but objects and indexes, which name no paths; with `top` taken out. */
function contentsOf(top: string, directory = top): Record<string, string> {
  const found: Record<string, string> = {};
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (/\.git\/(objects|index$|cairn$)|\/worktrees\/[^/]*\/index$/.test(path)) continue;
    if (entry.isDirectory()) Object.assign(found, contentsOf(top, path));
    else found[path.slice(top.length)] = readFileSync(path, 'utf8').replaceAll(top, 'TOP');
  }
  return found;
}

/** Runs each line with both programs in a copy of its own, and compares all that is left after each. */
async function compareWorkTrees(t: ExecutionContext, steps: readonly (string | ((top: string) => void))[]): Promise<void> {
  const made = makeRepository(t, 'sha1', history);
  const base = makeSandbox(t);
  const tops = ['a', 'b'].map((name) => join(base, name));
  for (const top of tops) cpSync(dirname(made), top, { recursive: true, preserveTimestamps: true });
  const [theirs, ours] = tops.map((top) => ({ cwd: join(top, 'repo') })) as [InProcessOptions, InProcessOptions];
  for (const step of steps) {
    if (typeof step === 'function') {
      for (const top of tops) step(top);
      continue;
    }
    const argv = splitWords(step);
    const [expected, actual] = [git(argv, theirs), await cairn(argv, ours)];
    const plain = (text: string): string => tops.reduce((shown, top) => shown.replaceAll(top, 'TOP'), text);
    compareFinished(t, `cairn ${step}`, { ...expected, stdout: plain(expected.stdout) }, { ...actual, stdout: plain(actual.stdout) });
    t.deepEqual(contentsOf(tops[1]!), contentsOf(tops[0]!), `${step}: what is left`);
  }
}

test('work trees are made and listed as git does it', async (t) => {
  if (skipWithoutGit(t)) return;
  await compareWorkTrees(t, [
    'worktree list', 'worktree add ../w1', 'worktree add ../topic', 'worktree add ../w2 topic', 'worktree add -f ../w2 topic', 'worktree add ../w3 v1',
    'worktree add --detach ../w5', 'worktree add -b nb ../w7', 'worktree add -b nb ../w8', 'worktree add -B nb2 ../w8 v1', 'worktree add -b x -d ../w10',
    'worktree add ../full topic', 'worktree add ../empty', 'worktree add ../w11 remo', 'worktree add ../w12 nosuch', 'worktree add --no-checkout ../w13',
    'worktree add --lock ../w14', "worktree add --lock --reason 'because of me' ../w15", 'worktree add --reason x ../w16', 'worktree add -q ../w16',
    'worktree add --track -b tr ../w17 origin/remo', 'worktree add --guess-remote ../remo', 'worktree add ../sub/dir/w1',
    'worktree list', 'worktree list -v', 'worktree list --porcelain', 'worktree list --porcelain -z', 'worktree list -z', 'worktree', 'worktree bogus',
  ]);
});

test('work trees are locked, moved, removed and pruned as git does it', async (t) => {
  if (skipWithoutGit(t)) return;
  await compareWorkTrees(t, [
    'worktree add -q ../w1', 'worktree add -q ../w2', 'worktree add -q ../w3', 'worktree add -q ../w4', 'worktree add -q ../w5', 'worktree lock ../w1', 'worktree lock ../w1',
    "worktree lock --reason 'why not' w2", 'worktree lock .', 'worktree lock ../nosuch', 'worktree unlock ../w3', 'worktree list -v', 'worktree list --porcelain',
    'worktree move w1 ../w1m', 'worktree move -f -f w1 ../w1m', 'worktree move ../w3 ../full', 'worktree move . ../x', 'worktree move ../w4 ../w2',
    (top) => { writeFileSync(join(top, 'full/w3/f'), 'dirty'); },
    'worktree remove ../full/w3', 'worktree remove -f ../full/w3', 'worktree remove w2', 'worktree remove -f -f w2', 'worktree remove .', 'worktree remove',
    'worktree unlock ../w1m', (top) => { rmSync(join(top, 'w1m'), { recursive: true }); },
    'worktree list', 'worktree list --expire=1.year.ago', 'worktree prune -n', 'worktree prune --expire=1.year.ago -v', 'worktree prune -v',
    (top) => { rmSync(join(top, 'w5'), { recursive: true }); }, 'worktree add ../w5', 'worktree add -f ../w5 v1',
    (top) => { renameSync(join(top, 'w5'), join(top, 'moved')); }, 'worktree repair', 'worktree repair ../moved', 'worktree list',
    (top) => { rmSync(join(top, 'moved/.git')); }, 'worktree repair', 'worktree list', 'worktree remove moved',
  ]);
});

test('both programs work in a work tree the other one made', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeRepository(t, 'sha1', history);
  const ours = join(dirname(repository), 'ours');
  t.is((await cairn(['worktree', 'add', '-b', 'ours', ours], { cwd: repository })).code, 0);
  writeFileSync(join(ours, 'f'), 'changed\n');
  t.is(git(['commit', '-qam', 'by git'], { cwd: ours }).code, 0);
  t.is((await cairn(['rev-parse', 'worktrees/ours/HEAD'], { cwd: repository })).stdout.trim(), gitOutput(['rev-parse', 'ours'], { cwd: repository }));
  const theirs = join(dirname(repository), 'theirs');
  mkdirSync(theirs);
  t.is(git(['worktree', 'add', '-q', '-b', 'theirs', theirs], { cwd: repository }).code, 0);
  writeFileSync(join(theirs, 'f'), 'changed too\n');
  t.is((await cairn(['add', 'f'], { cwd: theirs })).code, 0);
  t.is(git(['diff', '--cached', '--name-only'], { cwd: theirs }).stdout, 'f\n');
  // What only a linked work tree's HEAD or index names is kept.
  const staged = gitOutput(['rev-parse', ':f'], { cwd: theirs });
  t.is((await cairn(['prune', '--expire=now'], { cwd: repository })).code, 0);
  t.is(git(['cat-file', '-t', staged], { cwd: repository }).stdout, 'blob\n');
  t.true(existsSync(join(repository, '.git/worktrees/theirs/index')));
});

test('where the repository is named .cairn, so is the file that leads there', async (t) => {
  const base = makeSandbox(t);
  t.is((await cairn(['init', '-q', 'repo'], { cwd: base })).code, 0);
  const options = { cwd: join(base, 'repo') };
  writeFileSync(join(base, 'repo/f'), 'x');
  for (const argv of [['add', 'f'], ['commit', '-q', '-m', 'one'], ['worktree', 'add', '-q', '../other']]) t.is((await cairn(argv, options)).code, 0, argv.join(' '));
  t.true(existsSync(join(base, 'other/.cairn')));
  t.is((await cairn(['status', '--porcelain'], { cwd: join(base, 'other') })).stdout, '');
  t.is((await cairn(['rev-parse', '--abbrev-ref', 'HEAD'], { cwd: join(base, 'other') })).stdout, 'other\n');
});
