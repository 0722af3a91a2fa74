import test from 'ava';
import { bothFormats, compareWithGit, makeRepository } from '../../helpers/differential.js';
import { branchyHistory } from '../../helpers/branchy-history.js';
import { skipWithoutGit } from '../../helpers/stock-git.js';

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
