import test from 'ava';
import { createHash } from 'node:crypto';
import { cairn } from '../../helpers/cairn.js';
import { caseLines } from '../../helpers/case-lines.js';
import { type Case, bothFormats, compareWithGit, makeRepository } from '../../helpers/differential.js';
import { git, skipWithoutGit } from '../../helpers/stock-git.js';

const history = `
export GIT_AUTHOR_DATE='1112911993 +0000' GIT_COMMITTER_DATE='1112911993 +0000'
i=0; while [ $i -lt 6 ]; do echo $i > f; git add f; git commit -qm "c$i"; git tag t$i; i=$((i+1)); done
printf '  spaces  \\n\\n\\nand lines  \\n' > nf2; git config notes.rewriteRef 'refs/notes/*'
`;

const env = { GIT_EDITOR: ':' };

const lines = `
notes
notes list
notes show
notes get-ref
notes --ref=x get-ref
notes --ref=notes/x get-ref
notes --ref refs/notes/x get-ref
notes --ref refs/heads/x get-ref
notes add -m one
notes list
notes list HEAD
notes show
notes add -m two
notes add -f -m two
notes add -f -m two
notes add -m 'a  ' -m ' b' t1
notes show t1
notes add -F nf2 t2
notes add -F nosuch t4
notes add -C t1:f t4
notes show t4
notes add -C HEAD t5
notes add -C nosuch t5
notes add -m x nosuch
notes add -m '' t0
notes add --allow-empty -m '' t0
notes show t0
notes add -f -m '' t0
notes list t0
notes append -m more t1
notes show t1
notes append -m first t0
notes append -m '' t0
notes edit -m edited t1
notes edit -m '' t1
notes list
notes edit t2
notes add t5
notes copy t2 t1
notes copy t2 t1
notes copy -f t3 t1
notes copy t5 t4
notes copy nosuch t4
notes copy t2
notes copy
notes show t3
notes remove t4
notes remove t4
notes remove --ignore-missing t4
notes remove t0 nosuch
notes remove t0 t1
notes remove
notes list
notes --ref=other add -m o1 t1
notes --ref=other add -m o2 t2
notes merge -s theirs other
notes merge other
notes list
notes add -f -m local t1
notes --ref=other add -f -m remote t1
notes --ref=other add -m new t3
notes merge -s ours other
notes --ref=other add -f -m remote2 t1
notes merge -s theirs other
notes add -f -m local3 t1
notes --ref=other add -f -m remote3 t1
notes merge -s union other
notes add -f -m b\\na t2
notes --ref=other add -f -m c\\na t2
notes merge -q -s cat_sort_uniq refs/notes/other
notes list
notes show t2
notes merge nosuch
notes merge -s bogus other
notes merge
notes --ref=fresh merge other
notes prune
notes prune -n
notes bogus
notes list a b
notes --ref refs/heads/x list
notes --ref refs/heads/x add -m x
notes --ref=commits add -m x t0:
notes list t0:
notes show t0:f
`;

const piped: readonly Case[] = [
  { argv: ['notes', 'add', '-m', 'one', 't1'] },
  { argv: ['notes', 'get-ref'], env: { GIT_NOTES_REF: 'refs/notes/env' } },
  { argv: ['notes', 'add', '-F', '-', 't2'], stdin: 'from standard input\n' },
  { argv: ['notes', 'copy', '--stdin'], stdin: 't1 t3\nt2 t4\n' },
  { argv: ['notes', 'copy', '--stdin'], stdin: 't1 t4\nt1 t5\n' },
  { argv: ['notes', 'copy', '--stdin'], stdin: 'bad\n' },
  { argv: ['notes', 'copy', '--for-rewrite=amend'], stdin: 't1 t2\n' },
  { argv: ['-c', 'notes.rewriteMode=overwrite', 'notes', 'copy', '--for-rewrite=rebase'], stdin: 't2 t3\n' },
  { argv: ['-c', 'notes.rewriteMode=cat_sort_uniq', 'notes', 'copy', '--for-rewrite=rebase'], stdin: 't2 t3\n' },
  { argv: ['-c', 'notes.rewrite.rebase=false', 'notes', 'copy', '--for-rewrite=rebase'], stdin: 't1 t0\n' },
  { argv: ['notes', 'remove', '--stdin'], stdin: 't1\nt2\n' },
];

for (const format of bothFormats) {
  test(`notes are kept, shown and merged as git does it (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    const repository = makeRepository(t, format, history);
    await compareWithGit(t, repository, caseLines(lines, { env }).filter((_case, at) => format === 'sha1' || at < 30));
    await compareWithGit(t, repository, piped.map((one) => ({ ...one, env: { ...env, ...one.env } })));
  });
}

test('many notes are cut into directories as git cuts them, and few are put together again', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeRepository(t, 'sha1', history);
  const ids = Array.from({ length: 150 }, (_id, at) => createHash('sha1').update(String(at)).digest('hex'));
  const copy: Case = { argv: ['notes', 'copy', '--stdin'], stdin: ids.map((id) => `t1 ${id}\n`).join('') };
  await compareWithGit(t, repository, [{ argv: ['notes', 'add', '-m', 'one', 't1'] }, copy, { argv: ['notes', 'add', '-m', 'two', 't2'] },
    { argv: ['notes', 'remove', '--stdin'], stdin: ids.slice(0, 100).map((id) => `${id}\n`).join('') }, { argv: ['notes', 'list'] }]);
});

test('a note is what the editor leaves of it', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeRepository(t, 'sha1', history);
  const editor = { GIT_EDITOR: `sh -c 'echo edited > "$1"; echo "# comment" >> "$1"' -` };
  t.is((await cairn(['notes', 'add', 't1'], { cwd: repository, env: editor })).code, 0);
  t.is(git(['notes', 'show', 't1'], { cwd: repository }).stdout, 'edited\n');
});
