import test from 'ava';
import { type Case, compareWithGit, makeRepository } from '../../helpers/differential.js';
import { skipWithoutGit } from '../../helpers/stock-git.js';

const fixture = `
  mkdir -p sub/deep; cat >.gitattributes <<'END'
# comment
[attr]mine text -diff custom=1
* all
*.bin binary
*.c text eol=lf !all
"quo ted" quoted
"a\\tb" tab
sub/** below=top
sub/ directory
deep/x nothing
*.mine mine
*.both -text
*.both text=auto
!negative bad
name 9bad=1 ok
trailing  spaces=yes
END
  printf '*.c -text below=sub\\n[attr]inner x\\n*.x inner\\n/anchored here\\n' >sub/.gitattributes
  echo '*.info info=yes' >.git/info/attributes; echo '*.bin -text diff' >sub/deep/.gitattributes
  git add .; git commit -qm base; echo '*.c onlyworktree' >>.gitattributes`;

const paths = ['a.bin', 'a.c', 'quo ted', 'a\tb', 'sub/a.c', 'sub/deep/a.c', 'sub/deep/a.bin', 'sub', 'sub/', 'deep/x', 'sub/deep/x', 'a.mine', 'a.both',
  'negative', 'name', 'trailing', 'a.x', 'sub/a.x', 'sub/anchored', 'sub/deep/anchored', 'a.info'];

test('check-attr finds the attributes git finds', async (t) => {
  if (skipWithoutGit(t)) return;
  const names = ['text', 'eol', 'diff', 'merge', 'binary', 'all', 'below', 'mine', 'custom', 'quoted', 'tab', 'directory', 'nothing', 'x', 'inner', 'here', 'info', 'ok', 'spaces', 'onlyworktree'];
  const cases: Case[] = [
    { argv: ['check-attr', ...names, '--', ...paths] },
    { argv: ['check-attr', '--cached', ...names, '--', ...paths] },
    { argv: ['check-attr', '-a', 'a.bin'] },
    { argv: ['check-attr', 'text', 'a.c', 'sub/a.c'] },
    { argv: ['check-attr', '--stdin', 'text', 'below'], stdin: 'a.c\n"a\\tb"\nsub/a.c\n' },
    { argv: ['check-attr', '--stdin', 'text'], stdin: 'a.c\r\nsub/a.c\r\n' },
    { argv: ['check-attr', '-z', '--stdin', 'text'], stdin: 'a.c\0sub/a.c\0' },
    { argv: ['check-attr', 'below', '--', 'a.c', '../a.c'], subdirectory: 'sub' },
    { argv: ['check-attr', '-bad', '--', 'a.c'] },
    { argv: ['check-attr'] },
    { argv: ['check-attr', 'text', '--'] },
  ];
  await compareWithGit(t, makeRepository(t, 'sha1', fixture), cases);
});
