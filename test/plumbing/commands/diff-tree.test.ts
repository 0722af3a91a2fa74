import test from 'ava';
import { bothFormats, compareWithGit, makeRepository } from '../../helpers/differential.js';
import { branchyHistory } from '../../helpers/branchy-history.js';
import { gitOutput, skipWithoutGit } from '../../helpers/stock-git.js';

const lines: readonly (readonly string[])[] = [
  ['HEAD'],
  ['v0', 'v2'],
  ['-r', 'v0', 'v2'],
  ['-r', '-t', 'v0', 'v2'],
  ['-r', '-M', 'v0', 'v2'],
  ['-r', '-C', '--find-copies-harder', 'v0', 'topic'],
  ['-p', 'v0', 'v2'],
  ['--stat', 'v0', 'v2'],
  ['-r', '--name-only', 'HEAD~2'],
  ['-r', '--no-commit-id', 'HEAD~3'],
  ['-r', 'HEAD~2'],
  ['--root', 'v0'],
  ['-r', '--root', 'v0^{}'],
  ['-m', 'HEAD'],
  ['-c', 'HEAD'],
  ['--cc', 'HEAD'],
  ['-r', '--pretty', 'HEAD~2'],
  ['-r', '--pretty=oneline', 'HEAD~2'],
  ['-r', '-z', 'v0', 'v2'],
  ['-r', '--abbrev', 'v0', 'v2'],
  ['-r', '--abbrev=8', 'v0', 'v2'],
  ['v0', 'v2', '--', 'dir'],
  ['v0', 'v2', 'dir/sub'],
  ['-r', 'v0', 'v2', 'dir/sub'],
  ['--exit-code', 'v0', 'v2'],
  ['--quiet', 'v0', 'v2'],
  ['-s', 'v0', 'v2'],
  ['-r', '--diff-filter=D', 'v0', 'topic'],
  ['-v', 'HEAD~2'],
  ['v0'],
  ['-c', '--combined-all-paths', 'HEAD'],
  ['--cc', '--combined-all-paths', 'HEAD'],
  ['-c', '-M', '--name-status', 'HEAD'],
  ['--cc', '--color', 'HEAD'],
  ['-c', '--diff-filter=D', 'HEAD'],
  ['--cc', '--stat', '--summary', 'HEAD'],
  ['-c', '--quiet', 'HEAD'],
  ['-m', '-p', '--pretty', 'HEAD'],
  ['--oneline', 'HEAD~2'],
  ['--oneline', '--abbrev=9', 'HEAD~2'],
  ['--format=%h %p', 'HEAD~2'],
  ['--pretty', '--date=iso', '-s', 'HEAD~2'],
  ['v0...v2'],
  ['--merge-base', 'v0', 'topic'],
  ['v0:dir', 'v2:dir'],
];

for (const format of bothFormats) {
  test(`trees are compared as git compares them (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    const repository = makeRepository(t, format, branchyHistory);
    // Both formats take the same ways; the second one is looked at in samples.
    const chosen = lines.filter((_line, at) => format === 'sha1' || at % 3 === 0);
    await compareWithGit(t, repository, chosen.map((argv) => ({ argv: ['diff-tree', ...argv], readsOnly: true })));
  });
}

test('commits and pairs of trees are taken from standard input, line by line', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeRepository(t, 'sha1', branchyHistory);
  const ids = gitOutput(['rev-parse', 'v0^{commit}', 'v2^{commit}', 'HEAD', 'v0^{tree}', 'v2^{tree}'], { cwd: repository }).split('\n');
  const [first, second, merge, oldTree, newTree] = ids as [string, string, string, string, string];
  const inputs = [`${second}\n${merge}\n`, `${first}\n${second}\n`, `${oldTree} ${newTree}\n${second}\n`, `${second} ${first}\n`, `garbage\n${second}\n`, `${second}`, `${'0'.repeat(39)}1\n${second}\n`];
  const options = [['-r'], ['-r', '--root'], ['-m'], ['-c'], ['--cc'], ['-p', '--pretty'], ['-r', '-z'], ['--no-commit-id', '-r'], ['--stat', '--pretty=oneline'], ['-s', '--format=%s'], ['-r', '--exit-code'], ['--always']];
  await compareWithGit(t, repository, options.flatMap((words, at) => [inputs[at % inputs.length]!, inputs[(at + 3) % inputs.length]!].map((stdin) => (
    { argv: ['diff-tree', '--stdin', ...words], stdin, readsOnly: true }))));
});
