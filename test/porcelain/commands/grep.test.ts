import test from 'ava';
import { cairn } from '../../helpers/cairn.js';
import { caseLines } from '../../helpers/case-lines.js';
import { bothFormats, compareWithGit, makeRepository } from '../../helpers/differential.js';
import { makeSandbox, writeFiles } from '../../helpers/sandbox.js';
import { skipWithoutGit } from '../../helpers/stock-git.js';

const files = `
cat > a.c <<X
#include <stdio.h>

/* a comment */
int foo(int bar)
{
	int foobar = bar + foo(1);

	return foobar; /* foo bar */
}


static void other(void)
{
	char *x = "FOO";
	puts(x);
	int foo;
}

/* last */
int main(void) { return foo(bar); }
X
mkdir -p d/e/f; printf 'foo\\nbar\\nfoo bar\\nbar foo\\nbaz\\n' > d/x.txt; printf 'foo\\0bar\\nfoo\\n' > d/bin; printf 'deep foo\\n' > d/e/f/deep.txt; printf 'no newline foo' > d/e/nonl
printf 'é foo\\nÄ foo\\nfoo_bar foo\\nxfoo foo\\n' > 'ü.txt'; printf '*.ign\\n' > .gitignore; echo 'foo ign' > x.ign; echo 'foo tracked' > t.ign; git add . ; git add -f t.ign; ln -s a.c link; printf 'foo\\nbar' > 'sp a"ce'; printf 'a.b\\na+b\\na*b\\n(x)\\n[y]\\n{z}\\n^a\\na$\\n\\\\w\\n' > regex.txt
printf 'foo attr\\n' > attr.dat; printf 'text\\0foo\\n' > forced.txt; printf '*.dat -diff\\nforced.txt diff\\n' > .gitattributes; : > empty; printf '\\n\\nfoo\\n\\n' > blank
printf 'foo\\n^bar\\n' > .pats
seq 1 30 > n.txt
git add .; git commit -qm one; git tag v1; git branch foo
echo 'foo staged' >> d/x.txt; git add d/x.txt; echo 'foo unstaged' >> d/x.txt; echo 'foo untracked' > unt.txt; mkdir u; echo foo > u/in; rm n.txt; git update-index --assume-unchanged regex.txt; echo ita foo > ita; git add -N ita
`;

const lines = `
grep foo
grep -i foo
grep -w foo
grep -wo 'foo[a-z]*'
grep -l foo
grep --name-only foo
grep -q nosuch
grep -o foo
grep --column foo
grep --column --not -e foo -- d/x.txt
grep --column -e bar --and --not -e foo
grep -h foo
grep -H foo
d$ grep foo
d$ grep foo ..
d$ grep foo v1
d$ grep --full-name foo v1
d$ grep -l foo HEAD:d
d/e$ grep -c foo -- :/
grep -lz foo
grep -z -n --column foo
grep -a foo
grep -a -o foo d/bin
grep -c foo d/bin
grep -E 'foo|bar'
grep -E -o 'foo|foobar'
grep -E -o 'foo|foobar|foo_bar'
grep -E '(foo|bar)+'
grep -F 'a.b'
grep 'a.b' regex.txt
grep -E 'a\\+b' regex.txt
grep -E 'a+b' regex.txt
grep '(x)' regex.txt
grep -E '\\(x\\)' regex.txt
grep '\\[y\\]' regex.txt
grep '^a' regex.txt
grep -F '^a' regex.txt
grep -P '\\d+'
grep -P '(?i)FOO' a.c
grep -e foo --and -e bar
grep -e foo --or -e baz
grep --not -e foo -- d
grep -e foo --and --not -e bar
grep -e foo --and '(' -e bar -e baz ')'
grep '(' -e foo -e baz ')' --and -e bar
grep --all-match -e foo -e baz
grep --all-match -e foo -e bar --and -e foo
grep -l --all-match -e foo -e FOO
grep -e foo --and
grep --and -e foo
grep -e a '(' -e b
grep --not
grep -f .pats -e baz -n
grep -B1 baz d
grep -1 bar d/x.txt
grep -C 3 -n other
grep -p return a.c
grep -n -p return
grep -p -n -C1 puts a.c
grep -W puts a.c
grep -W -n foobar a.c
grep -W -n other a.c
grep -W 'int foo' a.c
grep -W -p x a.c
grep --heading foo
grep --heading --break -n foo
grep --heading -c foo
grep --color=always foo
grep --color=always -n --column foo
grep --color=always -w -C1 foo d/x.txt
grep --color=always -v foo d/x.txt
grep --color=always -o foo d/x.txt
grep --color=always -l foo
grep --color=always -c foo
grep --color=always -p return a.c
grep --color=always foo d/bin
grep --color foo d/x.txt
grep --color=never foo d/x.txt
grep --no-color foo d/x.txt
-c color.grep=always grep foo d/x.txt
-c color.grep=always -c color.grep.match=green -c color.grep.filename=red grep foo d/x.txt
-c color.grep.selected=blue -c color.grep.context=yellow grep --color=always -C1 baz d/x.txt
-c grep.lineNumber=true grep --no-line-number foo d
-c grep.fullName=true grep foo d
-c grep.patternType=fixed grep 'a.b'
-c grep.extendedRegexp=true grep 'foo|bar' d
-c grep.patternType=fixed grep -G 'a.b'
grep -m 2 -c foo
grep -m0 foo
grep -m1 -v foo d
grep --max-depth 1 foo
grep --max-depth 1 foo d
grep --max-depth 0 foo '*.txt'
grep -r foo d
grep --cached -n foo d
grep --untracked -l foo u
grep --no-index foo
grep --no-index --exclude-standard -l foo
d$ grep --untracked -l foo
grep --cached foo HEAD
grep --untracked foo HEAD
grep --no-index foo HEAD
grep --exclude-standard foo
grep foo HEAD
grep foo v1 HEAD
grep -n foo v1
grep foo v1 d
grep foo v1:d/x.txt
grep foo HEAD^{tree}
grep -c foo HEAD
grep -L foo HEAD
grep foo nosuch --
grep foo foo
grep foo HEAD --
grep foo '*.txt'
grep foo -- ':(exclude)a.c'
grep -- foo
grep -- -x
grep foo -i
grep -e
grep '' empty blank
grep -c '' blank
grep '^$' blank
grep -i 'ä' 
grep -o 'é foo'
grep --no-textconv foo d
grep --bogus foo
grep -E '(' d
grep '\\(' d
grep 'a\\' d
grep -E '*foo' d
grep -E 'fo{2}' d
grep '\\bfoo\\b' d
grep -w 'foo.*' d
grep -w -e foo --and -e bar d
grep -v -e foo -e bar d
grep -v -l foo d
grep -qv foo d
grep -A1 -v foo d/x.txt
grep -lq foo d
grep -Lv foo d
grep --no-cached foo d
grep -a foo attr.dat
grep ita
grep regex
grep -c foo link
grep -n foo 'sp a"ce'
-c core.quotePath=false grep foo v1 -- ü.txt
`;

for (const format of bothFormats) {
  test(`lines are found where git finds them, and shown as git shows them (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    const repository = makeRepository(t, format, files);
    const cases = caseLines(lines, { readsOnly: true }).filter((_case, at) => format === 'sha1' || at % 6 === 0);
    await compareWithGit(t, repository, [...cases, { argv: ['grep', '-f', '-'], stdin: 'foo\nbaz\n', readsOnly: true }]);
  });
}

test('outside of repositories files are searched when that is asked for', async (t) => {
  const directory = makeSandbox(t);
  writeFiles(directory, { 'a/b.txt': 'one\ntwo\n', 'c.txt': 'two\n' });
  const env = { GIT_CEILING_DIRECTORIES: directory };
  t.is((await cairn(['grep', 'two'], { cwd: directory, env })).code, 128);
  const { code, stdout } = await cairn(['grep', '-n', '--no-index', 'two'], { cwd: directory, env });
  t.deepEqual({ code, stdout }, { code: 0, stdout: 'a/b.txt:2:two\nc.txt:1:two\n' });
});
