import test from 'ava';
import { type Case, compareWithGit, makeRepository } from '../../helpers/differential.js';
import { skipWithoutGit } from '../../helpers/stock-git.js';

const messages = ['', 'subject', 's\n\nbody\n', 'Key: value\n', 's\n\nbody\n\nSigned-off-by: A\nAcked-by: B\n', 's\n\nKey: value\n  folded\n more\nnot a trailer\n',
  's\n\nKey: value\n  folded\n more\nSigned-off-by: x\nnot a trailer\n', 's\n\nbody\n---\nKey: v\n', 's\n\nbody\n\n---\n\nKey: v\n', 's\n\nbody\n----\n\nKey: v',
  's\n\nKey: v\n\n\n\n', 's\n\nKey: v\n# comment\n\n# more\n', 's\n\nKey: v\n\nConflicts:\n\ta\n\tb\n', '# c\n# d\ns\n\nKey: v\n', 's\n\nKey : v\nOther Key: x\n',
  's\n\nbody\nSigned-off-by: A\na\nb\nc\n', 's\n\nSigned-off-by: A\na\nb\nc\nd\n', 's\n\n(cherry picked from commit abc)\n', 's\n\nKey= v\nx# y\n', 's\n\n A: b\nC: d\n',
  's\r\n\r\nA: b\r\nC: d\r\n', 's\n\nA: b\n# ------------------------ >8 ------------------------\nX: y\n', 's\n\nfixes: 1\nrandom text here\nother\n', 's\n\nA:\nB: \n'];

test('trailers are found in every kind of message as by git', async (t) => {
  if (skipWithoutGit(t)) return;
  const options = [['--parse'], ['--only-trailers', '--trailer', 'a=b'], ['--no-divider', '--trailer', 'signed-off-by: A'], ['--trim-empty', '--unfold', '--trailer', 'lone']];
  await compareWithGit(t, makeRepository(t, 'sha1', 'git config trailer.fixes.key Fixes; git config trailer.separators :=#'), messages.flatMap((stdin) =>
    options.map((argv): Case => ({ argv: ['interpret-trailers', ...argv], stdin, readsOnly: true }))));
});

test('trailers go where options and rules say, as with git', async (t) => {
  if (skipWithoutGit(t)) return;
  const stdin = 's\n\nbody\n\nA: 1\nB: 2\nA: 3\n';
  const cases: Case[] = [];
  for (const where of ['after', 'before', 'end', 'start', 'START', 'bogus']) {
    for (const exists of ['addIfDifferentNeighbor', 'addIfDifferent', 'add', 'replace', 'doNothing']) {
      cases.push({ argv: ['interpret-trailers', '--where', where, '--if-exists', exists, '--trailer', 'a=1', '--trailer', 'b: 9', '--trailer', 'c: 1'], stdin, readsOnly: true });
    }
  }
  const rules = [['trailer.where=start'], ['trailer.where=bogus'], ['trailer.ifexists=add', 'trailer.a.ifexists=doNothing'], ['trailer.ifmissing=doNothing', 'trailer.cc.ifmissing=add'],
    ['trailer.bug.key=Bug #', 'trailer.separators=:#'], ['trailer.x.command=echo hi $ARG'], ['trailer.x.cmd=echo hi'], ['trailer.x.command=exit 1'],
    ['trailer.b.command=echo $ARG$ARG', 'trailer.b.ifexists=replace'], ['trailer.sign.key=Signed-off-by: ']];
  for (const rule of rules) {
    for (const given of [[], ['--trailer', 'a=1', '--trailer', 'bug=12', '--trailer', 'c=3', '--trailer', 'x= v w', '--trailer', 'si=Me']]) {
      cases.push({ argv: [...rule.flatMap((each) => ['-c', each]), 'interpret-trailers', ...given], stdin, readsOnly: true });
    }
  }
  for (const argv of [['--trailer', ''], ['--trailer', '=x', '--trailer', 'a b: c', '--trailer', 'a b'], ['--trailer', 'a=1', '--no-trailer', '--trailer', 'b=2'],
    ['--where', 'start', '--trailer', 'c=1', '--no-where', '--trailer', 'd=1'], ['--if-missing', 'doNothing', '--trailer', 'c=1', '--no-if-missing', '--trailer', 'd=1'],
    ['--only-input', '--trailer', 'x'], ['--trailer'], ['--in-place'], ['no-such-file'], ['--in-place', 'no-such-file'], ['--if-exists', 'x'], ['--if-missing', 'x']]) {
    cases.push({ argv: ['interpret-trailers', ...argv], stdin, readsOnly: true });
  }
  await compareWithGit(t, makeRepository(t, 'sha1', ':'), cases);
});

test('files are changed in place as by git', async (t) => {
  if (skipWithoutGit(t)) return;
  await compareWithGit(t, makeRepository(t, 'sha1', "printf 's\\n\\nbody\\n' > m; printf 's\\n\\nA: 1' > n"), [
    { argv: ['interpret-trailers', '--in-place', '--trailer', 'a=2', 'm', 'n', 'm'] }, { argv: ['interpret-trailers', 'm', 'n'], readsOnly: true },
    { argv: ['interpret-trailers', '--in-place', '.'] },
  ]);
});
