// Every option of the shared table of differences, compared with stock git by way of diff-tree.
import test from 'ava';
import { bothFormats, compareWithGit, makeRepository } from '../../helpers/differential.js';
import { skipWithoutGit } from '../../helpers/stock-git.js';

const history = `
  mkdir -p dir/sub other src; seq 1 40 > nums; seq 1 3 90 > dir/f1; seq 2 3 90 > dir/f2; seq 100 160 > other/long; seq 200 230 > dir/sub/deep
  printf 'int main(void)\\n{\\n\\tint a = 1;\\n\\n\\treturn a;\\n}\\n\\nint foo(int x)\\n{\\n\\tif (x) {\\n\\t\\tx++;\\n\\t}\\n\\treturn x;\\n}\\n' > src/code.c
  printf 'hello\\0world\\n' > bin; printf 'no newline' > nonl; : > empty; ln -s nums link; printf 'a  b\\tc \\n\\n\\nq\\n' > ws
  printf 'x\\n' > run; chmod +x run; printf 'crlf\\r\\nline\\r\\n' > crlf; printf 'The quick brown fox\\njumps over the lazy dog\\n' > words
  printf 'x = 1\\nclass Foo:\\n    def bar(self):\\n        pass\\n\\n    def baz(self):\\n        a = 1\\n        b = 2\\n        c = 3\\n        return 1\\n' > src/p.py
  seq 1000 1200 > rewritten; printf '# order\\n*.c\\nnu*\\nother\\n' > order
  git add -A; git commit -qm one; git tag v0
  sed -i 's/^7$/seven/; s/^30$/thirty/' nums; sed -i 3d dir/f1; git mv dir/f2 dir/f2moved; echo 99 >> dir/f2moved; sed -i 's/a = 1/a = 10/; s/x++/x += 2/' src/code.c
  printf 'hello\\0changed\\n' > bin; printf 'no newline\\nnow' > nonl; rm link; ln -s ws link; printf 'a b\\tc\\n\\nq \\n\\tx\\n    y\\n \\tz\\n\\n\\n' > ws; chmod -x run
  git rm -q empty; cp src/code.c src/copy.c; echo '/* tail */' >> src/copy.c; printf 'crlf\\nline\\r\\n' > crlf; sed -i 's/return 1/return 2/' src/p.py
  printf 'The quick red fox\\njumped over the lazy dog\\nend\\n' > words; seq 5000 2 5400 > rewritten; echo '<<<<<<< ours' > marked; rm run; ln -s nums run
  git add -A; git commit -qm two; git tag v1
`;

const formats = [
  '--raw', '-p', '-U1', '-u', '--stat', '--stat=40,15,3', '--stat-width=50', '--stat-name-width=8', '--stat-graph-width=6', '--stat-count=2', '--numstat', '--shortstat',
  '--dirstat', '--dirstat=lines', '--dirstat=files,5,cumulative', '-X', '--cumulative', '--dirstat-by-file', '--dirstat=nonsense', '--summary', '--compact-summary',
  '--patch-with-stat', '--patch-with-raw', '--name-only', '--name-status', '--check', '-s', '-s --stat', '-s -p', '--no-patch --raw', '--name-only --check', '--stat --name-only',
];
const choices = [
  '-p -z', '-M -p', '-M90% --raw', '-C --raw', '-C --find-copies-harder --raw', '-B --raw', '-B -M --summary', '-B -p', '-B20%/60% --stat', '-D -p', '-l1 -M --raw', '--no-renames --raw',
  '-M --no-rename-empty --raw', '--diff-filter=B -B --raw', '-Sthirty --raw', '-Greturn --raw', '--pickaxe-all -Sthirty --raw', '--pickaxe-regex -St[a-z]+y --raw', '--find-object=v0:nums --raw',
  '-Oorder --name-only', '-Onone --name-only', '--rotate-to=nums --name-only', '--skip-to=nums --name-only', '--skip-to=nope --name-only', '-R -p', '--relative=dir -p', '--relative=src --dirstat',
  '-a -p', '-w -p', '-b -p', '--ignore-space-at-eol -p', '--ignore-cr-at-eol -p', '--ignore-blank-lines -p', '-I^[0-9] -p', '-Itail --stat', '--inter-hunk-context=9 -p', '--minimal -p', '--patience -p',
  '--histogram -p', '--anchored=seven -p', '--diff-algorithm=minimal -p', '--diff-algorithm=nope -p', '--no-indent-heuristic -p', '-W -p', '-W -U0', '--word-diff -p', '--word-diff=porcelain -p',
  '--word-diff=color -p', '--word-diff=none -p', '--word-diff-regex=[a-z]+ -p', '--color-words -p', '--color-words=. -p', '--color -p', '--color --stat', '--color --check', '--ws-error-highlight=all --color -p',
  '--ws-error-highlight=none --color -p', '--output-indicator-new=N --output-indicator-old=O --output-indicator-context=C -p', '--full-index -p', '--abbrev=10 -p', '--no-abbrev --raw', '--src-prefix=one/ -p',
  '--dst-prefix=two/ -p', '--no-prefix -p', '--line-prefix=>> -p --stat --raw', '--line-prefix=> -z --raw', '--ignore-submodules --raw', '--submodule=short --raw', '--exit-code --raw', '--quiet', '-w --quiet', '-I. --quiet', '-b --exit-code --name-only',
];

for (const format of bothFormats) {
  test(`every option of differences does what git's does (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    const lines = [...formats, ...choices].filter((_line, at) => format === 'sha1' || at % 4 === 0);
    await compareWithGit(t, makeRepository(t, format, history), lines.map((line) => ({ argv: ['diff-tree', '-r', ...line.split(' '), 'v0', 'v1'], readsOnly: true })));
  });
}

test('what is no value of an option is told as git tells it', async (t) => {
  if (skipWithoutGit(t)) return;
  const wrong = [
    '-Uabc', '--unified', '--stat=abc', '--stat=1,2,3,4', '--no-stat', '--stat-width=x', '--diff-filter=Q', '-Mabc', '--word-diff=bad', '--color=bad', '--ws-error-highlight=bad', '--submodule=bad',
    '--ignore-submodules=bad', '--find-object=nosuch', '--output-indicator-new=ab', '--abbrev=100 -r', '--abbrev=2 -r', '-I[ -p', '-lx -M', '--inter-hunk-context=x', '-M100% -r', '-M5 -r', '-M0.5 -r',
    '-U0 -U5', '--no-prefix --dst-prefix=x/ -p', '--dst-prefix=x/ --no-prefix -p', '--stat-count=2 --stat=50,20,3', '-G x -S y', '--no-abbrev --abbrev --raw',
  ];
  await compareWithGit(t, makeRepository(t, 'sha1', history), wrong.map((line) => ({ argv: ['diff-tree', ...line.split(' '), 'v0', 'v1'], readsOnly: true })));
});

test('attributes and configuration say how a path is compared', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeRepository(t, 'sha1', `${history}
    printf '*.c diff=mine\\n*.py diff=python\\nnums -diff\\nwords diff=letters\\nws whitespace=tab-in-indent\\ncrlf whitespace=cr-at-eol\\nmarked conflict-marker-size=9\\n' > .gitattributes
    git config diff.mine.xfuncname '^int ([a-z]+)'; git config diff.letters.wordRegex .; git config diff.letters.binary false
    git config core.whitespace trailing-space,indent-with-non-tab,tabwidth=4; git config color.diff.old 'bold blue'; git config diff.orderFile order
    git config diff.dirstat files; git config diff.wsErrorHighlight old,new`);
  await compareWithGit(t, repository, ['-p', '-W -p', '--word-diff -p', '--check', '--color -p', '--stat', '--dirstat', '--name-only'].map((line) => (
    { argv: ['diff-tree', '-r', ...line.split(' '), 'v0', 'v1'], readsOnly: true })));
});

test('a configured program that would compare or convert is refused, not ignored', async (t) => {
  if (skipWithoutGit(t)) return;
  const { cairn } = await import('../../helpers/cairn.js');
  const cwd = makeRepository(t, 'sha1', `${history}\nprintf 'nums diff=mine\\n' > .gitattributes; git config diff.mine.textconv 'tr a b'; git config diff.mine.command false`);
  for (const option of ['--textconv', '--ext-diff']) t.is((await cairn(['diff-tree', '-p', option, 'v0', 'v1'], { cwd })).code, 128);
  t.is((await cairn(['diff-tree', '-p', 'v0', 'v1'], { cwd })).code, 0);
});
