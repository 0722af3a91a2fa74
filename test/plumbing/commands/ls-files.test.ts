import test from 'ava';
import { type Case, bothFormats, compareWithGit, makeRepository } from '../../helpers/differential.js';
import { skipWithoutGit } from '../../helpers/stock-git.js';

const fixture = `
  mkdir -p sub/deep other/empty ign full/of/files; echo one >one; echo two >sub/two; echo three >sub/deep/three; ln -s one link
  printf 'a\\r\\nb\\r\\n' >crlf; printf 'a\\nb\\r\\n' >mixed; printf '\\0' >bin; : >empty; printf x >caf\\303\\251
  printf '*.txt text\\n*.bat eol=crlf\\nbin -text\\nauto* text=auto\\n' >.gitattributes; echo a >a.txt; echo b >b.bat; echo c >autoc
  git add .; git commit -qm base; git tag base
  printf '*.o\\n!keep.o\\n/ign/\\nfull/of/files/*\\n' >.gitignore
  touch x.o keep.o ign/file full/of/files/1 full/of/files/2 full/loose sub/new.c other/file
  echo changed >sub/two; rm sub/deep/three; rm one; mkdir one; echo in >one/inside
  git update-index --assume-unchanged crlf; git update-index --skip-worktree mixed
  git init -q nested; touch nested/inner
  id=$(git rev-parse :sub/two); printf "100644 $id 1\\tun\\n100644 $id 2\\tun\\n100644 $id 3\\tun\\n" | git update-index --index-info`;

const options: readonly (readonly string[])[] = [
  [], ['-s'], ['-c', '-s'], ['-d'], ['-m'], ['-d', '-m'], ['-d', '-m', '--deduplicate'], ['-c', '--deduplicate'], ['-o'], ['-o', '--directory'],
  ['-o', '--directory', '--no-empty-directory'], ['-o', '--exclude-standard'], ['-o', '--exclude-standard', '--directory'], ['-o', '-i', '--exclude-standard'],
  ['-c', '-i', '-x', '*.txt'], ['-o', '-i', '-x', '*.o'], ['-o', '-x', '*.o', '-x', '!x.o'],
  ['-i'], ['-i', '-o'], ['-u'], ['-k'], ['-t', '-c', '-d', '-m', '-o', '-k'], ['-v'], ['-f'], ['-z'], ['-z', '-s'], ['--eol'], ['--eol', '-o'],
  ['--error-unmatch', 'one', 'sub'], ['--error-unmatch', 'nothing', 'sub/two'], ['--with-tree=base'], ['--with-tree=base', '-s'], ['--abbrev', '-s'],
  ['--abbrev=10', '-s'], ['--format=%(objectmode) %(objectname) %(stage) %(path)%x09%x41%%%n'], ['--format=%(eolinfo:index) %(eolinfo:worktree) %(eolattr)'],
  ['--format=%(nothing)'], ['--format=x', '-s'], ['sub'], ['sub/'], ['*.txt'], [':(glob)*.txt'], [':!sub'], [':(exclude)sub', '.'], [':(icase)SUB/TWO'],
  [':(literal)*.txt'], ['../x'], [''], [':/'], ['sub/*'], [':(glob)sub/*'], ['s[u]b'], ['sub/deep/..'], ['./sub//two'], [':(top,icase)LINK'], [':(nonsense)x'],
  ['--exclude-per-directory=.gitignore', '-o'], ['--exclude-from=.gitignore', '-o'], ['-X', 'nothing', '-o'], ['-o', 'one'], ['-o', 'full/of'], ['-o', '--directory', 'full/of'],
];

for (const format of bothFormats) {
  test(`ls-files lists what git lists (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    const cases: Case[] = options.map((words) => ({ argv: ['ls-files', ...words] }));
    if (format === 'sha1') for (const words of [[], ['-o'], ['-s', '--full-name'], ['..'], ['../sub'], [':/one'], ['-d'], ['*two'], ['--error-unmatch', 'two'], [':!deep']]) {
      cases.push({ argv: ['ls-files', ...words], subdirectory: 'sub' });
    }
    for (const words of [['--eol'], ['--format=%(eolinfo:index)|%(eolinfo:worktree)|%(eolattr)|%(path)']]) cases.push({ argv: ['ls-files', ...words], subdirectory: '.git' });
    for (const name of ['GIT_LITERAL_PATHSPECS', 'GIT_GLOB_PATHSPECS', 'GIT_NOGLOB_PATHSPECS', 'GIT_ICASE_PATHSPECS']) {
      for (const words of [['*.txt'], ['SUB'], [':/sub'], ['sub/*'], [':(glob)**/two']]) cases.push({ argv: ['ls-files', ...words], env: { [name]: '1' } });
    }
    await compareWithGit(t, makeRepository(t, format, fixture), format === 'sha1' ? cases : cases.slice(0, 12));
  });
}
