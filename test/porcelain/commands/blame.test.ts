import test from 'ava';
import { caseLines } from '../../helpers/case-lines.js';
import { cairn } from '../../helpers/cairn.js';
import { bothFormats, compareWithGit, makeRepository } from '../../helpers/differential.js';
import { skipWithoutGit } from '../../helpers/stock-git.js';

/** Lines that move, change their white space, are copied between files, and go through merges and renames. */
const history = `
t=1112911993
c() { t=$((t+$2)); git add .; GIT_AUTHOR_NAME="$3" GIT_AUTHOR_DATE="$((t-30)) +0200" GIT_COMMITTER_DATE="$t -0700" git commit -q --allow-empty -m "$1"; }
printf '#include <stdio.h>\\n\\nint one(void)\\n{\\n\\treturn 1; /* the first one of them all */\\n}\\n\\nint two(int a)\\n{\\n\\tint b = a + 1; /* something long enough to count */\\n\\treturn b * 2;\\n}\\n\\nstatic int three(void)\\n{\\n\\tprintf("three is a number as well");\\n}\\n' > f.c
seq 1 60 | sed 's/$/ is a number that is written down here/' > n.txt; mkdir -p d/e; cp f.c d/e/g.c; printf x > nonl; c first 60 'A U Thor'; git tag v0
sed -i '5s/1/100/; 10s/+ 1/+ 11/' f.c; c second 60 B
git checkout -q -b side; sed -i '3s/one/uno/' f.c; sed -i '20,30s/number/NUMBER/' n.txt; c 'side one' 100 'Side Person With A Long Name'
{ sed -n '14,17p' f.c; sed -n '1,13p' f.c; } > x; mv x f.c; c 'moves blocks' 100 Mover
git checkout -q main; sed -i 's/^\\t/    /' f.c; c retabs 60 'White Space'
sed -i '40,45d' n.txt; seq 100 110 >> n.txt; c numbers 60 'Änn Ümläut'
t=$((t+200)); GIT_AUTHOR_DATE="$t +0000" GIT_COMMITTER_DATE="$t +0000" git merge -q -m merge side >/dev/null 2>&1 || { git checkout -q --theirs .; c merged 10 Merger; }
git mv n.txt d/numbers; sed -i '1s/^/renamed /' d/numbers; c renames 60 R
sed -n '5,30p' d/numbers > copied; printf 'x\\ny' > nonl; c 'copies from a file that did not change' 60 C
{ sed -n '1,12p' f.c; echo mixed; sed -n '10,25p' d/numbers; } > mixed; echo '/* end */' >> d/numbers; c 'copies from a changed file' 60 C
sed -i 's/int/long int/; s/number/numeral/' f.c d/numbers; c 'words change' 60 'Ignored Person'
printf '%s # comment\\n# nothing\\n' "$(git rev-parse HEAD)" > .ignore
sed -i '2s/.*/changed again/' d/numbers; c again 100 Z
printf 'Zed <zed@zed> Z <author@example.com>\\n' > .mailmap; git tag -m tagged v1; cp f.c 'odd	name'; c last 60 B
printf '%s %s\\n' "$(git rev-parse HEAD)" "$(git rev-parse v0)" > graft
echo staged >> d/numbers; git add d/numbers; echo unstaged >> d/numbers; sed -i 3d f.c; : > empty; git add empty; echo untracked > untracked
`;

const lines = `
blame -s f.c
blame -s -f -n d/numbers
blame HEAD f.c
blame -p HEAD d/numbers
blame --line-porcelain v1 d/numbers
blame --incremental HEAD d/numbers
blame -w HEAD f.c
blame -M HEAD -- f.c
blame -M5 -p HEAD -- f.c
blame -C HEAD copied
blame -C -C HEAD copied
blame -C -C -C -w HEAD mixed
blame -C10 -M30 HEAD mixed
blame --incremental -C -C HEAD mixed
blame -s -C -M mixed
blame HEAD nonl
blame -p HEAD 'odd	name'
blame -s empty
blame untracked
blame nosuch
blame HEAD nosuch
blame nosuch f.c
blame v0 v1 f.c
blame f.c HEAD
blame -- f.c HEAD
blame v0..HEAD f.c
blame -s ^v0 -- d/numbers
blame -b v0.. -- f.c
blame --root HEAD f.c
blame -e -l HEAD f.c
blame -t -f HEAD f.c
blame -c HEAD f.c
blame -c -e -t -b HEAD f.c
annotate HEAD d/numbers
annotate -l HEAD f.c
annotate -t HEAD f.c
blame --date=short HEAD f.c
blame --date=rfc HEAD f.c
blame --date=format:%Y HEAD f.c
blame --abbrev=4 HEAD f.c
blame --abbrev=40 HEAD f.c
blame --no-abbrev HEAD f.c
blame -s -L3,5 -L/two/,+3 f.c
blame -s -L5,-2 -L:three f.c
blame -s -L^:one -L4,6 -L3,4 f.c
blame -L100 f.c
blame -L0 f.c
blame -L3,+0 f.c
blame -L/nosuch/ f.c
blame -L:nosuch f.c
blame -L1,foo f.c
blame --reverse v0..HEAD f.c
blame --reverse v0 -- f.c
blame --reverse -p v0..v1 -- n.txt
blame --reverse --first-parent v0..HEAD f.c
blame --first-parent -p HEAD f.c
blame --ignore-rev HEAD~2 HEAD d/numbers
blame --ignore-revs-file .ignore HEAD d/numbers
-c blame.markIgnoredLines=true -c blame.markUnblamableLines=true blame --ignore-rev HEAD~2 --ignore-rev HEAD~3 HEAD f.c
-c blame.ignoreRevsFile=.ignore blame HEAD f.c
-c blame.ignoreRevsFile=.ignore blame --no-ignore-revs-file HEAD f.c
-c blame.showEmail=true -c blame.date=short -c blame.showRoot=1 blame HEAD f.c
-c blame.coloring=repeatedLines blame HEAD f.c
-c color.blame.highlightRecent=red,2005-04-07T22:20:00,blue blame --color-by-age HEAD f.c
blame --color-lines HEAD f.c
blame -s --contents mixed f.c
blame --contents mixed HEAD f.c
blame -S graft HEAD f.c
blame --show-stats HEAD d/numbers
blame --minimal --no-indent-heuristic HEAD f.c
blame --since=2005-04-07T22:20:00 HEAD f.c
d$ blame HEAD numbers
d$ blame -f HEAD ../f.c
blame HEAD ../x
blame --encoding=latin1 -p HEAD d/numbers
blame
blame --bogus f.c
`;

for (const format of bothFormats) {
  test(`lines are blamed on the commits git blames (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    const repository = makeRepository(t, format, history);
    // Both formats take the same ways; the second one is looked at in samples.
    const cases = caseLines(lines, { readsOnly: true }).filter((_case, at) => format === 'sha1' || at % 4 === 0);
    await compareWithGit(t, repository, cases);
  });
}

test('lines of the work tree are not committed yet', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeRepository(t, 'sha1', history);
  const { stdout } = await cairn(['blame', '-L', '67,68', 'd/numbers'], { cwd: repository });
  t.is(stdout, '00000000 (Not Committed Yet 2005-04-07 22:13:13 +0000 67) staged\n00000000 (Not Committed Yet 2005-04-07 22:13:13 +0000 68) unstaged\n');
});

test('annotate is blame in a form of its own', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeRepository(t, 'sha1', history);
  t.deepEqual((await cairn(['annotate', 'HEAD', 'f.c'], { cwd: repository })).stdout, (await cairn(['blame', '-c', 'HEAD', 'f.c'], { cwd: repository })).stdout);
});

test('in a bare repository HEAD is blamed, and searched', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeRepository(t, 'sha1', `${history} git clone -q --bare . bare.git`);
  await compareWithGit(t, repository, ['blame f.c', 'blame f.c HEAD', 'blame d/numbers', 'grep one HEAD', 'grep one'].map((line) => (
    { argv: line.split(' '), subdirectory: 'bare.git', readsOnly: true })));
});
