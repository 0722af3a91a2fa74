import test from 'ava';
import { cpSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { cairn } from '../../helpers/cairn.js';
import { bothFormats, compareWithGit, makeRepository } from '../../helpers/differential.js';
import { makeSandbox } from '../../helpers/sandbox.js';
import { type Finished, git, skipWithoutGit } from '../../helpers/stock-git.js';

const script = `
at() { export GIT_COMMITTER_DATE="$(($(date +%s) - $1 * 86400)) +0100"; }
at 200; git commit -q --allow-empty -m one
at 100; git commit -q --allow-empty -m two
at 60; git commit -q --allow-empty -m 'three  with  spaces'
at 50; git reset -q --hard HEAD~1
at 40; git checkout -q -b topic; git commit -q --allow-empty -m side
at 20; git checkout -q main; git merge -q --no-ff -m merge topic
at 10; git update-ref refs/heads/other HEAD~1; git update-ref -m moved refs/heads/other HEAD; git update-ref refs/stash HEAD~1 --create-reflog; at 0; git update-ref refs/stash HEAD
git tag v1; git worktree add -q ../linked topic; git branch lone; rm .git/logs/refs/heads/lone`;

const cases: readonly (readonly string[])[] = [
  [], ['show'], ['HEAD'], ['show', 'main'], ['refs/heads/main'], ['-2'], ['-n', '1', 'main'], ['--skip=1', '-n2'], ['main@{1}'], ['@{1}'], ['v1'], ['nothing'], ['other'], ['topic', '--no-abbrev-commit'],
  ['--format=%H %gD %gd %gn %ge %gs %s'], ['show', '--date=raw', '-3'], ['--date=iso', 'main'], ['--format=%gd', '--date=short', 'main'], ['HEAD', 'main'], ['--stat', '-1'], ['--no-abbrev', '--pretty=short', '-2'],
  ['exists', 'refs/heads/main'], ['exists', 'HEAD'], ['exists', 'main'], ['exists', 'refs/tags/v1'], ['exists', 'a..b'], ['exists'],
  ['delete'], ['delete', 'main'], ['delete', 'nothing@{0}'], ['delete', '--verbose', '--dry-run', 'main@{1}'], ['delete', '--dry-run', '--verbose', 'HEAD@{0}'], ['delete', 'HEAD@{2}', '--verbose'],
  ['delete', '--rewrite', 'HEAD@{1}'], ['delete', '--updateref', 'other@{0}'], ['delete', 'main@{99}'], ['delete', '--verbose', 'main@{30.days.ago}'], ['delete', 'HEAD@{0}', 'main@{0}'],
  ['expire', '--dry-run', '--verbose', '--all'], ['expire', '--verbose', '--expire=45.days.ago', '--expire-unreachable=never', 'main'], ['expire', '--verbose', '--expire=never', '--expire-unreachable=now', 'main'],
  ['expire', '--verbose', '--rewrite', '--expire=150.days.ago', 'HEAD'], ['expire', '--updateref', '--expire=15.days.ago', '--rewrite', 'other', 'topic'], ['expire', '--verbose', 'nothing'], ['expire'],
  ['expire', '--verbose', '--all'], ['expire', '--all', '--expire=now', '--verbose'], ['show', 'main'], ['expire', '--unknown'],
];

for (const format of bothFormats) {
  test(`reflog shows, expires and deletes as git does, byte for byte (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    const fixture = makeRepository(t, format, script);
    const base = makeSandbox(t);
    const differences: string[] = [];
    for (const argv of cases) {
      const results: Finished[] = [];
      const left: string[] = [];
      for (const side of ['a', 'b']) {
        const copy = join(base, side, 'repo');
        if (results.length === 0 || left.length === 1) cpSync(fixture, copy, { recursive: true, force: true });
        // Times are relative to the real clock, since stock git knows no other.
        const options = { cwd: copy, nowMs: Date.now() };
        results.push(side === 'a' ? git(['reflog', ...argv], options) : await cairn(['reflog', ...argv], options));
        left.push(logsOf(copy));
      }
      const [theirs, ours] = results as [Finished, Finished];
      if (ours.code === theirs.code && (theirs.code === 129 || inOrder(ours.stdout, argv) === inOrder(theirs.stdout, argv)) && left[0] === left[1]) continue;
      differences.push(`${argv.join(' ')}: exit ${theirs.code} ${ours.code}\n${theirs.stderr}${ours.stderr}\n--- git\n${theirs.stdout}--- cairn\n${ours.stdout}${left[0] === left[1] ? '' : `--- logs\n${left.join('\n---\n')}`}`);
    }
    t.deepEqual(differences, []);
  });
}

/** Git goes through all refs in the order the file system gives them. */
function inOrder(output: string, argv: readonly string[]): string {
  return argv.includes('--all') ? output.split('\n').sort().join('\n') : output;
}

/** Every reflog and every ref's own file. */
function logsOf(repository: string): string {
  const lines: string[] = [];
  const walk = (directory: string): void => {
    for (const name of readdirSync(directory).sort()) {
      const path = join(directory, name);
      if (statSync(path).isDirectory()) walk(path);
      else lines.push(`${path.slice(repository.length)}\n${readFileSync(path, 'latin1')}`);
    }
  };
  walk(join(repository, '.git/logs'));
  walk(join(repository, '.git/refs'));
  return lines.join('\n');
}

test('entries whose commits are gone go with --stale-fix, as in git; what refs lead to stays', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeRepository(t, 'sha1', `
    for i in 1 2 3 4; do git commit -q --allow-empty -m "c$i"; done; git reset -q --hard HEAD~1; git commit -q --allow-empty -m other
    id=$(git rev-parse HEAD@{2}); rm -f .git/objects/$(echo $id | cut -c1-2)/$(echo $id | cut -c3-)`);
  await compareWithGit(t, repository, [
    { argv: ['reflog', 'expire', '--stale-fix', '--expire=never', '--expire-unreachable=never', '--verbose', '--dry-run', 'main'] },
    { argv: ['reflog', 'expire', '--stale-fix', '--expire=never', '--expire-unreachable=never', '--all'] },
    { argv: ['reflog', 'show', 'main'] },
    { argv: ['reflog', 'show', 'HEAD'] },
  ]);
});
