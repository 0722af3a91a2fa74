import test from 'ava';
import { caseLines } from '../../helpers/case-lines.js';
import { type Case, bothFormats, compareWithGit, makeRepository } from '../../helpers/differential.js';
import { skipWithoutGit } from '../../helpers/stock-git.js';

const fixture = `
mkdir -p dir/sub; echo one > a.txt; echo y > dir/sub/y; echo z > dir/z; printf 'bin\\000' > b.bin; printf 'x\\n' > crlf.txt
ln -s a.txt link; ln -s dir/sub dlink; ln -s nowhere dangling; ln -s ../../out outlink; ln -s /abs/path abs; ln -s loop2 loop1; ln -s loop1 loop2; ln -s ../z dir/sub/up; ln -s dlink/up twice
printf '*.bin diff=hex\\ncrlf.txt text eol=crlf\\n' > .gitattributes; git config diff.hex.textconv 'tr b B < '
printf 'Proper Name <author@example.com>\\nOther <other@x> <committer@example.com>\\n' > .mailmap
git add .; git commit -qm one; git tag -a -m tag t`;

for (const format of bothFormats) {
  test(`cat-file converts, maps people and follows links as git does, ${format}`, async (t) => {
    if (skipWithoutGit(t)) return;
    const names = ['link', 'dlink', 'dlink/', 'dlink/y', 'dlink/up', 'twice', 'dangling', 'dangling/x', 'outlink', 'abs', 'abs/x', 'loop1', 'a.txt/x', 'link/x', 'nosuch', 'dir/sub/../z',
      'dlink/../../a.txt', 'dir//z', '', 'dir', 'dlink/../..'];
    const stdin = `${names.map((name) => `HEAD:${name}\n`).join('')}t:link\nt\nnosuch:link\nHEAD\n`;
    const batch: Case[] = [
      { argv: ['cat-file', '--batch-check', '--follow-symlinks'], stdin }, { argv: ['cat-file', '--batch', '--follow-symlinks'], stdin },
      { argv: ['cat-file', '--batch', '--use-mailmap'], stdin: 'HEAD\nt\nHEAD:a.txt\n' }, { argv: ['cat-file', '--batch-check', '--mailmap'], stdin: 'HEAD\nt\n' },
      { argv: ['cat-file', '--batch-command', '--use-mailmap'], stdin: 'info HEAD\ncontents t\n' },
      { argv: ['cat-file', '--batch', '--textconv'], stdin: 'HEAD:b.bin b.bin\nHEAD:a.txt x.bin\nHEAD:a.txt a.txt\nHEAD x\nHEAD^{tree} y\n' },
      { argv: ['cat-file', '--batch', '--filters'], stdin: 'HEAD:crlf.txt crlf.txt\nHEAD:crlf.txt other\nHEAD other\n' },
      { argv: ['cat-file', '--batch=%(objectname) %(rest)', '--filters'], stdin: 'HEAD:crlf.txt crlf.txt\n' },
      { argv: ['cat-file', '--batch', '--filters'], stdin: 'HEAD:crlf.txt\n' }, { argv: ['cat-file', '--batch-check', '--textconv'], stdin: 'HEAD\nHEAD:b.bin\n' },
    ].map((one) => ({ ...one, readsOnly: true }));
    const single = caseLines(`
      cat-file --textconv HEAD:b.bin
      cat-file --textconv HEAD:a.txt
      cat-file --textconv --path=x.bin HEAD:a.txt
      cat-file --textconv HEAD:dir
      cat-file --textconv HEAD
      cat-file --textconv HEAD:link
      -c diff.hex.textconv=false cat-file --textconv HEAD:b.bin
      cat-file --filters HEAD:link
      cat-file --filters HEAD:dir/z
      cat-file --textconv --filters HEAD:b.bin
      cat-file --follow-symlinks -p HEAD:link
      cat-file --path=x --batch
      cat-file --use-mailmap -p HEAD
      cat-file --use-mailmap commit t
      cat-file --mailmap -p t
      cat-file --use-mailmap -s HEAD
      cat-file --use-mailmap --no-use-mailmap -p HEAD
    `, { readsOnly: true });
    await compareWithGit(t, makeRepository(t, format, fixture), [...batch, ...single]);
  });
}
