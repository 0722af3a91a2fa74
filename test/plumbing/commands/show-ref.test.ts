import test from 'ava';
import { cairn } from '../../helpers/cairn.js';
import { type Case, bothFormats, compareWithGit, makeRepository, recordCase } from '../../helpers/differential.js';
import { git, skipWithoutGit } from '../../helpers/stock-git.js';

const script = `
git commit -q --allow-empty -m one; git commit -q --allow-empty -m two
git tag -a -m annotated v1 HEAD~1; git tag light HEAD~1; git tag -a -m nested v2 v1
git branch side/main HEAD~1; git branch topic
git pack-refs --all
git branch loose; git update-ref refs/remotes/origin/main HEAD
git symbolic-ref refs/remotes/origin/HEAD refs/remotes/origin/main
git symbolic-ref refs/heads/dangling refs/heads/none`;

const cases: readonly Case[] = [
  { argv: ['show-ref'] },
  { argv: ['show-ref', '--head'] },
  { argv: ['show-ref', '--head', 'main'] },
  { argv: ['show-ref', '-d'] },
  { argv: ['show-ref', '--tags', '-d'] },
  { argv: ['show-ref', '--heads'] },
  { argv: ['show-ref', '--heads', '--tags'] },
  { argv: ['show-ref', 'main'] },
  { argv: ['show-ref', 'heads/main', 'v1'] },
  { argv: ['show-ref', 'ain'] },
  { argv: ['show-ref', '-s', 'v1'] },
  { argv: ['show-ref', '-s', '-d', 'v1'] },
  { argv: ['show-ref', '--hash=6', 'main'] },
  { argv: ['show-ref', '--hash=2', 'main'] },
  { argv: ['show-ref', '--hash=100', 'main'] },
  { argv: ['show-ref', '--abbrev'] },
  { argv: ['show-ref', '--abbrev=12', '-d'] },
  { argv: ['show-ref', '-q', 'main'] },
  { argv: ['show-ref', '-q', 'none'] },
  { argv: ['show-ref', '--verify', 'refs/heads/main'] },
  { argv: ['show-ref', '--verify', 'HEAD'] },
  { argv: ['show-ref', '--verify', 'main'] },
  { argv: ['show-ref', '--verify', '-q', 'main'] },
  { argv: ['show-ref', '--verify', '-d', 'refs/tags/v2', 'refs/heads/topic'] },
  { argv: ['show-ref', '--verify'] },
  { argv: ['show-ref', '--verify', 'refs/heads/../heads/main'] },
  { argv: ['show-ref', '--exclude-existing'], stdin: 'x refs/heads/main\nx refs/heads/new\ny refs/tags/v1^{}\ny refs/tags/v9^{}\nrefs/bad..name\nonelevel\n\n' },
  { argv: ['show-ref', '--exclude-existing=refs/tags/'], stdin: 'x refs/heads/new\ny refs/tags/v9' },
  { argv: ['symbolic-ref', 'HEAD'] },
  { argv: ['symbolic-ref', '--short', 'HEAD'] },
  { argv: ['symbolic-ref', 'refs/remotes/origin/HEAD'] },
  { argv: ['symbolic-ref', '--short', 'refs/remotes/origin/HEAD'] },
  { argv: ['symbolic-ref', 'refs/heads/dangling'] },
  { argv: ['symbolic-ref', 'refs/heads/main'] },
  { argv: ['symbolic-ref', '-q', 'refs/heads/main'] },
  { argv: ['symbolic-ref', 'refs/heads/absent'] },
  { argv: ['symbolic-ref', '-q', 'refs/heads/absent'] },
  { argv: ['symbolic-ref', 'HEAD', 'main'] },
  { argv: ['symbolic-ref', 'HEAD', 'refs/heads/a..b'] },
  { argv: ['symbolic-ref', 'refs/heads/alias', 'refs/heads/topic'] },
  { argv: ['symbolic-ref', 'HEAD', 'refs/heads/alias'] },
  { argv: ['symbolic-ref', 'HEAD'] },
  { argv: ['symbolic-ref', 'HEAD', 'refs/heads/unborn'] },
  { argv: ['symbolic-ref', 'HEAD'] },
  { argv: ['symbolic-ref', '-d', 'refs/heads/main'] },
  { argv: ['symbolic-ref', '-d', 'refs/heads/alias'] },
  { argv: ['symbolic-ref', '-d', 'refs/heads/none'] },
  { argv: ['symbolic-ref', '-d', 'HEAD'] },
  { argv: ['symbolic-ref'] },
  { argv: ['symbolic-ref', '-d'] },
  { argv: ['symbolic-ref', 'HEAD', 'refs/heads/main'] },
  { argv: ['pack-refs'] },
  { argv: ['pack-refs', '--no-prune', '--all'] },
  { argv: ['pack-refs', '--all'] },
  { argv: ['show-ref'] },
  { argv: ['pack-refs', 'x'] },
];

for (const format of bothFormats) {
  test(`show-ref, symbolic-ref and pack-refs agree with git (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    await compareWithGit(t, makeRepository(t, format, script), cases);
  });
}

const names = ['heads/foo', 'refs/heads/foo', 'foo', '/foo', 'foo/', 'foo//bar', '//foo//bar', '/', '', '.foo', 'foo/.bar', 'foo.', 'foo/bar.', 'foo.lock', 'a/foo.lock/b',
  'foo.lock.x/y', 'a..b', 'a/..', '../a', 'a/b/../c', 'a~b/c', 'a^/c', 'a:/c', 'a?/c', 'a*/c', '*/c', 'a/*', 'a/*/b*', 'a/**', 'a[/c', 'a\\/c', 'a b/c', 'a\u007f/b',
  'a\t/b', '@', '@/a', 'a/@', 'a@{b/c', 'a/@{', '{@/a', '-a/b', '-', 'a/-b', 'héads/ü', '\u{1F600}/x', 'refs/heads/a.b', 'refs/heads/.a', '.lock/a', 'a/.lock', 'a/lock',
  'a/b.lock', 'HEAD', 'refs/heads/HEAD', '@{-1}', 'a/b~', 'a/\u0001', '...', 'a/...', 'a/b...c'];

test('check-ref-format answers as git for every kind of name and option', async (t) => {
  if (skipWithoutGit(t)) return;
  const options = [[], ['--allow-onelevel'], ['--refspec-pattern'], ['--normalize'], ['--normalize', '--allow-onelevel', '--refspec-pattern'], ['--branch']];
  const repository = makeRepository(t, 'sha1', 'git commit -q --allow-empty -m one; git checkout -q -b other');
  const cases = options.flatMap((some) => names.map((name) => ({ argv: ['check-ref-format', ...some, name] })));
  cases.push({ argv: ['check-ref-format'] }, { argv: ['check-ref-format', 'a/b', 'c/d'] }, { argv: ['check-ref-format', '--branch', 'a', 'b'] }, { argv: ['check-ref-format', '--print', 'a//b'] });
  for (const { argv } of cases) {
    const theirs = git(argv, { cwd: repository });
    const ours = await cairn(argv, { cwd: repository });
    recordCase(argv);
    t.is(ours.code, theirs.code, argv.join(' '));
    if (theirs.code !== 129) t.is(ours.stdout, theirs.stdout, argv.join(' '));
  }
});
