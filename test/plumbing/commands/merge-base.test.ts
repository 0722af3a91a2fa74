import test from 'ava';
import { bothFormats, compareWithGit, makeRepository } from '../../helpers/differential.js';
import { branchyHistory } from '../../helpers/branchy-history.js';
import { skipWithoutGit } from '../../helpers/stock-git.js';

const lines: readonly (readonly string[])[] = [
  ['HEAD', 'side'],
  ['topic', 'side'],
  ['-a', 'topic', 'HEAD'],
  ['--octopus', 'topic', 'side', 'HEAD'],
  ['--independent', 'topic', 'side', 'HEAD', 'v1'],
  ['--is-ancestor', 'v1', 'HEAD'],
  ['--is-ancestor', 'HEAD', 'v1'],
  ['--fork-point', 'main', 'topic'],
  ['HEAD'],
  ['--octopus'],
  ['--fork-point', 'nothing'],
  ['--is-ancestor', 'v1'],
  ['--is-ancestor', 'v1', 'HEAD', 'side'],
  ['--independent', '--all', 'v1', 'HEAD'],
  ['--octopus', '--independent', 'v1', 'HEAD'],
  ['--is-ancestor', '--all', 'v1', 'HEAD'],
  ['--is-ancestor', '--all', 'v1'],
  ['--no-all', 'topic', 'side'],
  ['--fork-point', 'v1', 'main'],
  ['--independent', 'HEAD', 'HEAD~1', 'HEAD~2', 'HEAD~3', 'topic', 'topic~1', 'side', 'side~1', 'conflict', 'v0'],
];

for (const format of bothFormats) {
  test(`merge bases are those git finds (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    const repository = makeRepository(t, format, branchyHistory);
    await compareWithGit(t, repository, lines.map((argv) => ({ argv: ['merge-base', ...argv], readsOnly: true })));
  });
}
