import test from 'ava';
import { bothFormats, compareWithGit, makeRepository } from '../../helpers/differential.js';
import { skipWithoutGit } from '../../helpers/stock-git.js';

/** Staged and unstaged changes, a file touched but not changed, one gone, one intended to be added. */
const changedWorkTree = `
  mkdir -p dir/sub
  seq 1 30 > nums; seq 1 20 > dir/one; seq 5 40 > dir/two; echo x > gone; echo same > touched; ln -s nums link
  git add -A; git commit -qm one; git tag v0
  sed -i 's/^7$/seven/' nums; git mv dir/two dir/sub/two; echo y >> dir/sub/two; git commit -qam two
  echo more >> nums; rm gone; echo staged > staged; git add staged; echo again >> staged
  echo later > later; git add -N later; chmod +x dir/one; touch -d 2020-01-01 touched; git rm -q --cached link
`;

/** A merge that stopped: both changed, one deleted and one changed. */
const unmerged = `
  for name in a b c d; do seq 1 12 > $name; done; git add -A; git commit -qm base
  git checkout -q -b side; sed -i 's/^5$/side/' b; git rm -q d; git commit -qam side
  git checkout -q main; sed -i 's/^5$/main/' b; echo end >> d; git commit -qam main
  git merge side >/dev/null || true
  echo dirty >> a
`;

const shared: readonly (readonly string[])[] = [
  [], ['-p'], ['-R'], ['-R', '-p'], ['-M', '-p'], ['-C', '--find-copies-harder'], ['--stat'], ['--numstat', '--summary'], ['-z', '--name-status'],
  ['--name-only', '--diff-filter=AM'], ['--exit-code'], ['--quiet'], ['-s'], ['--abbrev'], ['-c'], ['--cc'], ['-c', '--raw'],
];

for (const format of bothFormats) {
  test(`files are compared with the index as git compares them (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    await compareWithGit(t, makeRepository(t, format, changedWorkTree), [
      ...shared, ['--', 'nums', 'dir'], ['nums'], ['-q'], ['nosuch'], ['HEAD'],
    ].map((argv) => ({ argv: ['diff-files', ...argv], readsOnly: true })));
  });

  test(`files in conflict are compared with their stages (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    await compareWithGit(t, makeRepository(t, format, unmerged), [
      ...[...shared.filter(([first]) => first !== '-C'), ['-0'], ['-0', '-p'], ['-1'], ['-2', '-p'], ['-3'], ['-3', '-p'], ['--base'], ['--theirs']].map((argv) => ['diff-files', ...argv]),
      ...shared.map((argv) => ['diff-index', ...argv, 'HEAD']), ...shared.map((argv) => ['diff-index', '--cached', ...argv, 'HEAD']),
      ['diff'], ['diff', '--raw'], ['diff', '--stat'],
    ].map((argv) => ({ argv, readsOnly: true })));
  });

  test(`trees are compared with the index and the work tree as git compares them (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    await compareWithGit(t, makeRepository(t, format, changedWorkTree), [
      ...shared.flatMap((argv) => [[...argv, 'v0'], ['--cached', ...argv, 'v0']]), ['HEAD'], ['--cached', 'HEAD'], ['-m', 'HEAD'], ['-m', '-p', 'v0'],
      ['--merge-base', 'v0'], ['--cached', '--merge-base', 'v0'], ['HEAD', '--', 'nums'], ['HEAD', 'dir'], ['HEAD^{tree}'], ['HEAD:dir'], [], ['v0', 'HEAD'], ['nosuch'],
    ].map((argv) => ({ argv: ['diff-index', ...argv], readsOnly: true })));
  });
}
