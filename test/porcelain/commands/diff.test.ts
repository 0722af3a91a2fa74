import test from 'ava';
import { bothFormats, compareWithGit, makeRepository } from '../../helpers/differential.js';
import { caseLines } from '../../helpers/case-lines.js';
import { branchyHistory } from '../../helpers/branchy-history.js';
import { cairn } from '../../helpers/cairn.js';
import { git, gitOutput, skipWithoutGit } from '../../helpers/stock-git.js';

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

test('prefixes tell what is compared, where that is configured', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeRepository(t, 'sha1', `
    git config diff.mnemonicPrefix true; seq 9 > f; seq 5 > g; git add .; git commit -qm one; echo x >> f; git commit -qam two
    echo y >> f; git add f; echo z >> g; mkdir d; echo n > d/new; git add -N d/new`);
  await compareWithGit(t, repository, caseLines(`
    diff
    diff -R
    diff --cached
    diff --cached -R HEAD~1
    diff HEAD
    diff -R HEAD~1
    diff HEAD~1 HEAD
    diff HEAD:f f
    diff HEAD:f HEAD:g
    diff --no-index f g
    diff --src-prefix=from/
    diff --dst-prefix=to/ -R
    diff --no-prefix
    -c diff.noPrefix=true diff
    -c diff.noPrefix=true diff --src-prefix=from/
    -c diff.noPrefix=true show
    show
    diff-index -p HEAD
    diff-files -p
    d$ diff --relative
  `, { readsOnly: true }));
  await compareWithGit(t, makeRepository(t, 'sha1', `
    git config diff.mnemonicPrefix true; seq 9 > f; git add f; git commit -qm one; git checkout -q -b side; echo a >> f; git commit -qam a
    git checkout -q main; echo b >> f; git commit -qam b; git merge side || true`), caseLines('diff\ndiff HEAD\ndiff --ours\ndiff --cc HEAD main~1 side', { readsOnly: true }));
});

test('a binary patch is made of deltas where these are shorter, and git applies it in both directions', async (t) => {
  if (skipWithoutGit(t)) return;
  const cwd = makeRepository(t, 'sha1', `
    head -c 9000 /dev/zero > zeros; (printf '\\0'; seq 1 2000) > f; : > empty; git add .; git commit -qm one
    sed -i 's/^70$/seventy/; 1500,1510d' f; printf 'x\\0' > empty; rm zeros; printf 'y\\0' > made; git add -A; git commit -qm two`);
  const patch = (await cairn(['diff', '--binary', '--no-renames', 'HEAD~1', 'HEAD'], { cwd })).stdout;
  t.regex(patch, /^delta \d+$/m);
  t.regex(patch, /^literal 2$/m);
  git(['apply', '-R', '--index'], { cwd, stdin: patch });
  t.is(gitOutput(['write-tree'], { cwd }), gitOutput(['rev-parse', 'HEAD~1^{tree}'], { cwd }));
  git(['apply', '--index'], { cwd, stdin: patch });
  t.is(gitOutput(['write-tree'], { cwd }), gitOutput(['rev-parse', 'HEAD^{tree}'], { cwd }));
});

test('rewritten files are sources of renames beside others as in git', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeRepository(t, 'sha1', `
    mkdir d0 d1 d2; seq 1 100 > d0/f9; cp d0/f9 d1/f7; seq 1000 1100 > d0/f12; seq 2000 2100 > d0/n58; seq 3000 3100 > d1/c13; seq 4000 4100 > d1/f4; seq 5000 5100 > whole
    git add .; git commit -qm one
    (seq 1 80; seq 200 220) > d2/c61; (seq 1 66; seq 300 340) > d0/c27; git show HEAD:d0/f12 > d0/n58; git show HEAD:d0/n58 > d0/f12
    seq 6000 6100 > d0/f9; git show HEAD:d0/f12 > d1/f7; seq 7000 7100 > d1/c13; seq 8000 8100 > d1/f4; cp whole copied; (seq 9000 9100; printf '\\n\\n') > whole; sed -i 's/$/ /' whole
    git add .; git commit -qm two`);
  await compareWithGit(t, repository, caseLines(`
    diff-tree -r -B --raw HEAD
    diff-tree -r -B -M --raw HEAD
    diff-tree -r -B -C --raw HEAD
    diff-tree -r -B -C -C --raw HEAD
    diff-tree -r -B -M -R --raw HEAD
    diff-tree -r -B -M -p HEAD
    diff-tree -r -B20/30 -M --summary HEAD
    diff-tree -r -B -M --diff-filter=C --name-status HEAD
    show -B --color --ws-error-highlight=all
    show -B -D --stat -p
  `, { readsOnly: true }));
});
