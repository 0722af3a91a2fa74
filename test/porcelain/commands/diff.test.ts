import test from 'ava';
import { bothFormats, compareWithGit, makeRepository } from '../../helpers/differential.js';
import { branchyHistory } from '../../helpers/branchy-history.js';
import { skipWithoutGit } from '../../helpers/stock-git.js';

const lines: readonly (readonly string[])[] = [
  ['HEAD'],
  ['--cached'],
  ['HEAD~1', 'HEAD'],
  ['HEAD~1..HEAD'],
  ['side...topic'],
  ['side', 'topic', '--stat'],
  ['v0', 'v2', '--name-status'],
  ['v0', 'v2', '-M', '--summary'],
  ['v0', 'v2', '--raw'],
  ['v0', 'v2', '--raw', '-z'],
  ['v0', 'v2', '--numstat'],
  ['v0', 'v2', '--numstat', '-z'],
  ['v0', 'v2', '--shortstat'],
  ['v0', 'v2', '--', 'dir'],
  ['v0', 'v2', 'dir', 'a.txt'],
  ['v0', 'v2', '--no-renames'],
  ['v0', 'v2', '-R'],
  ['v0', 'v2', '--relative=dir'],
  ['v0', 'v2', '--exit-code'],
  ['v0', 'v0', '--exit-code'],
  ['v0', 'v2', '--quiet'],
  ['v0', 'topic', '-p', '--stat', '--summary'],
  ['v0', 'v2', '--diff-filter=AM', '--name-only'],
  ['v0', 'v2', '--diff-filter=a', '--name-only'],
  ['v0', 'v2', '-U1', '--inter-hunk-context=2'],
  ['v0', 'v2', '--binary'],
  ['v0', 'v2', '--full-index'],
  ['v0', 'v2', '--abbrev=10', '--raw'],
  ['v0:a.txt', 'v2:a.txt'],
  ['v0', 'v2', '-a'],
  ['v0', 'v2', '--color=always'],
  ['v0', 'v2', '--compact-summary'],
  ['v0', 'v2', '--stat=30'],
  ['v0', 'v2', '--patch-with-stat'],
  ['v0', 'v2', '-C', '--find-copies-harder', '--name-status'],
  ['v0', 'v2', '--no-prefix'],
  ['--merge-base', 'side', 'topic'],
  ['v0', 'v2', 'v1'],
  ['nosuch'],
  ['v0', 'v2', '-S', 'four', '--name-only'],
  ['v0', 'topic', '--name-status'],
  ['HEAD', 'topic'],
];

for (const format of bothFormats) {
  test(`differences between commits are shown as git shows them (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    const repository = makeRepository(t, format, branchyHistory);
    // Both formats take the same ways; the second one is looked at in samples.
    const chosen = lines.filter((_line, at) => format === 'sha1' || at % 3 === 0);
    await compareWithGit(t, repository, chosen.map((argv) => ({ argv: ['diff', ...argv], readsOnly: true })));
  });
}

const workTreeLines: readonly (readonly string[])[] = [
  [],
  ['--cached'],
  ['HEAD'],
  ['HEAD~2'],
  ['--stat'],
  ['--stat', 'HEAD'],
  ['--cached', '--stat'],
  ['--name-status'],
  ['--name-status', 'HEAD'],
  ['--cached', '--name-status'],
  ['--raw'],
  ['--raw', 'HEAD'],
  ['--cached', '--raw'],
  ['--numstat', 'HEAD'],
  ['--summary', 'HEAD'],
  ['-R'],
  ['-R', 'HEAD'],
  ['--exit-code'],
  ['--quiet'],
  ['--', 'a.txt'],
  ['dir'],
  ['HEAD', '--', 'dir'],
  ['--cached', 'v0'],
  ['--staged', '-M', '--name-status'],
  ['-z', '--name-only', 'HEAD'],
  ['--shortstat', 'HEAD'],
  ['--diff-filter=D', '--name-only'],
  ['--color=always'],
  ['--ext-diff', '--no-textconv'],
];

const changes = `
echo x >> a.txt; rm s.txt; chmod +x n.txt; echo new > new.txt; git add new.txt; git mv dir/z dir/q; echo more >> dir/q
printf 'q\\000q' > b.bin; ln -sf nowhere dir/sub/y; echo ita > ita.txt; git add -N ita.txt; echo untracked > unt.txt
mkdir 'sp ace'; printf 'a\\tb\\n' > "$(printf 'sp ace/t\\tab')"; git add 'sp ace'; echo é > é; git add é
`;

const conflict = `
git checkout -q -b left; printf 'one\\nLEFT\\nthree\\nfour\\nend\\n' > a.txt; echo l > both; git add .; git commit -qm left
git checkout -q -b right main; printf 'one\\nRIGHT\\nthree\\nfour\\nend\\n' > a.txt; echo r > both; git add .; git rm -q n.txt; git commit -qm right
git merge left >/dev/null 2>&1 || true
`;

for (const format of bothFormats) {
  for (const [what, script] of [['changed files', changes], ['files in conflict', conflict]] as const) {
    test(`${what} of the work tree are compared as git compares them (${format})`, async (t) => {
      if (skipWithoutGit(t)) return;
      const repository = makeRepository(t, format, branchyHistory + script);
      // Stock git exits with 0 when conflicts are the only differences; cairn does not, see cairn-compatibility(7).
      const compared = workTreeLines.filter(([first]) => script === changes || !/^--(exit-code|quiet)$/.test(first ?? ''));
      await compareWithGit(t, repository, compared.map((argv) => ({ argv: ['diff', ...argv], readsOnly: true })));
    });
  }
}
