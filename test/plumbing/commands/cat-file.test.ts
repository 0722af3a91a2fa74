import test from 'ava';
import { type Case, bothFormats, compareFinished, compareWithGit, makeRepository } from '../../helpers/differential.js';
import { run } from '../../../porcelain/main.js';
import { cairn, makeContext } from '../../helpers/cairn.js';
import { git, gitOutput, skipWithoutGit } from '../../helpers/stock-git.js';

const history = `
mkdir dir
for i in 1 2 3 4; do seq 1 $((300 + i)) > numbers; echo $i > dir/small; git add .; git commit -qm "change $i"; done
printf 'odd' > "$(printf 'caf\\303\\251\\t"x"')"; ln -s numbers link; : > empty; git add .; git commit -qm odd
git tag -am 'the tag' v1; git tag -am 'a tag of a tag' v2 v1; git tag -a -m 'of a blob' blob HEAD:numbers
`;

for (const format of bothFormats) {
  for (const [how, more] of [['loose', ''], ['packed', 'git gc -q'], ['half packed', 'git repack -q -d; echo x > y; git add y; git commit -qm more']] as const) {
    test(`single objects are shown as git shows them (${format}, ${how})`, async (t) => {
      if (skipWithoutGit(t)) return;
      const repository = makeRepository(t, format, `${history}\n${more}`);
      const blob = gitOutput(['rev-parse', 'HEAD:numbers'], { cwd: repository });
      const names = ['HEAD', 'HEAD~2', 'HEAD^{tree}', 'HEAD:dir', 'v1', 'v2', 'blob', 'HEAD:numbers', 'HEAD:empty', 'HEAD:link', blob.slice(0, 12), 'nonsense', 'HEAD:nonsense', '1'.repeat(blob.length)];
      const cases: Case[] = names.flatMap((name) => [
        ...['-t', '-s', '-e', '-p', 'commit', 'tree', 'blob', 'tag'].map((question) => ({ argv: ['cat-file', question, name] })),
      ]);
      cases.push({ argv: ['-c', 'core.quotePath=false', 'cat-file', '-p', 'HEAD^{tree}'] });
      cases.push({ argv: ['cat-file', 'HEAD'] }, { argv: ['cat-file', '-t'] }, { argv: ['cat-file', '-t', '-s', 'HEAD'] }, { argv: ['cat-file', 'nonsense', 'HEAD'] });
      cases.push({ argv: ['cat-file', '--buffer', 'blob', blob] }, { argv: ['cat-file', '--allow-unknown-type', '-e', blob] });
      await compareWithGit(t, repository, cases.map((one) => ({ ...one, readsOnly: true })));
    });

    test(`batches answer as git's do (${format}, ${how})`, async (t) => {
      if (skipWithoutGit(t)) return;
      const repository = makeRepository(t, format, `${history}\n${more}`);
      const blob = gitOutput(['rev-parse', 'HEAD:numbers'], { cwd: repository });
      const stdin = `HEAD\nHEAD:numbers\nv2\n${blob} and the rest \n${blob}\n\nHEAD:dir\nno such\n${'1'.repeat(blob.length)}\nHEAD:empty\n:/change\n`;
      const all = '%(objectname)|%(objecttype)|%(objectsize)|%(objectsize:disk)|%(deltabase)|%(rest)|%%|%x41';
      await compareWithGit(t, repository, [
        { argv: ['cat-file', '--batch'], stdin },
        { argv: ['cat-file', '--batch-check'], stdin },
        { argv: ['cat-file', `--batch-check=${all}`], stdin: stdin.replace('HEAD:dir', 'v2') },
        { argv: ['cat-file', '--batch=%(objectsize) %(rest)', '--buffer'], stdin },
        { argv: ['cat-file', '--batch-check=%(nonsense)'], stdin },
        { argv: ['cat-file', '--batch-check=%(rest)x%(objecttype)'], stdin },
        { argv: ['cat-file', '--batch-check'], stdin: 'HEAD\r\nv1\r\n' },
        { argv: ['cat-file', '--batch-check=%(objectname'], stdin },
        { argv: ['cat-file', '--batch-command=%(objectname) %(rest)'], stdin: 'info HEAD rest\n' },
        { argv: ['cat-file', '--batch', '-z'], stdin: 'HEAD\0v1\0no\nsuch\0' },
        { argv: ['cat-file', '--batch-command'], stdin: `info HEAD\ncontents ${blob}\ninfo no such\n` },
        { argv: ['cat-file', '--batch-command=%(objecttype)', '--buffer'], stdin: 'info HEAD\nflush\ncontents v1\n' },
        { argv: ['cat-file', '--batch-command'], stdin: 'flush\n' },
        { argv: ['cat-file', '--batch-command'], stdin: 'info HEAD\nnonsense HEAD\n' },
        { argv: ['cat-file', '--batch-command'], stdin: '\n' },
        { argv: ['cat-file', '--batch-command'], stdin: 'info\n' },
        { argv: ['cat-file', '--batch-check', '--batch-all-objects'] },
        { argv: ['cat-file', `--batch-check=${all}`, '--batch-all-objects'] },
        { argv: ['cat-file', '--batch', '--batch-all-objects'] },
        { argv: ['cat-file', '--batch-all-objects'] },
        { argv: ['cat-file', '--batch', 'HEAD'] },
      ].map((one) => ({ ...one, readsOnly: true })));
      const unordered = ['cat-file', '--batch-check', '--batch-all-objects', '--unordered'];
      const ours = await cairn(unordered, { cwd: repository });
      t.deepEqual(ours.stdout.split('\n').sort(), git(unordered, { cwd: repository }).stdout.split('\n').sort());
    });
  }
}

test('all objects are listed as they are, also those that others stand in for', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeRepository(t, 'sha1', 'echo a >a; echo b >b; git add .; git commit -qm x; git replace $(git rev-parse :a) $(git rev-parse :b)');
  await compareWithGit(t, repository, [
    ...['--batch', '--batch-check=%(objectname) %(objectsize)'].map((mode) => ({ argv: ['cat-file', mode, '--batch-all-objects'], readsOnly: true })),
    { argv: ['cat-file', '--batch'], stdin: 'HEAD:a\n', readsOnly: true },
  ]);
});

test('an ambiguous abbreviation is said to be ambiguous', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeRepository(t, 'sha1', 'i=0; while [ $i -lt 900 ]; do echo $i; i=$((i+1)); done | while read i; do echo $i > f$i; done; git add .');
  const ids = gitOutput(['cat-file', '--batch-all-objects', '--batch-check=%(objectname)'], { cwd: repository }).split('\n');
  const twins = ids.filter((id, at) => ids[at + 1]?.slice(0, 4) === id.slice(0, 4)).map((id) => id.slice(0, 4));
  t.true(twins.length > 0);
  await compareWithGit(t, repository, [
    { argv: ['cat-file', '--batch-check'], stdin: `${twins.join('\n')}\nzzzz\n` },
    { argv: ['cat-file', '-t', twins[0]!] },
  ]);
});

test('line endings are converted with --filters', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeRepository(t, 'sha1', "printf 'a\\nb\\n' > a.txt; printf 'a\\nb\\n' > b.bin; echo '*.txt text eol=crlf' > .gitattributes; git add .; git commit -qm x");
  await compareWithGit(t, repository, [
    { argv: ['cat-file', '--filters', 'HEAD:a.txt'] },
    { argv: ['cat-file', '--filters', 'HEAD:b.bin'] },
    { argv: ['cat-file', '--filters', '--path=x.txt', 'HEAD:b.bin'] },
    { argv: ['cat-file', '--filters', 'HEAD'] },
    { argv: ['cat-file', '--path=x.txt', '-p', 'HEAD'] },
  ]);
});

test('an object of a type nobody knows is described when asked to', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeRepository(t, 'sha1', 'true');
  const { stdout } = await cairn(['hash-object', '-t', 'strange', '--literally', '-w', '--stdin'], { cwd: repository, stdin: 'x\n' });
  const id = stdout.trim();
  t.is(id, gitOutput(['hash-object', '-t', 'strange', '--literally', '--stdin'], { cwd: repository, stdin: 'x\n' }));
  for (const argv of [['-t', '--allow-unknown-type'], ['-s', '--allow-unknown-type'], ['-t']]) {
    compareFinished(t, argv.join(' '), git(['cat-file', ...argv, id], { cwd: repository }), await cairn(['cat-file', ...argv, id], { cwd: repository }));
  }
});

test('replacements are shown unless told otherwise', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeRepository(t, 'sha1', 'echo a > a; echo bb > b; git add .; git commit -qm x; git replace -f $(git rev-parse HEAD:a) $(git rev-parse HEAD:b)');
  await compareWithGit(t, repository, [
    { argv: ['cat-file', '-p', 'HEAD:a'] },
    { argv: ['cat-file', '--batch'], stdin: 'HEAD:a\n' },
    { argv: ['--no-replace-objects', 'cat-file', '-p', 'HEAD:a'] },
    { argv: ['cat-file', '-s', 'HEAD:a'], env: { GIT_NO_REPLACE_OBJECTS: '1' } },
  ]);
});

test('a conversation over pipes gets each answer before the next question', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeRepository(t, 'sha256', 'echo one > one; git add .; git commit -qm x');
  const { context } = makeContext({ cwd: repository });
  const answers: string[] = [];
  let pending = '';
  const questions = ['HEAD:one\n', 'HE', 'AD\nHEAD:none\n'];
  const stdout = {
    isTerminal: false, columns: 80,
    write: (data: string | Uint8Array) => { pending += Buffer.from(data as Uint8Array).toString('latin1'); },
    flush: () => { answers.push(pending); pending = ''; },
  };
  const stdin = { isTerminal: false, readChunk: () => { const next = questions.shift(); answers.push('>'); return next === undefined ? undefined : Buffer.from(next); } };
  t.is(await run({ ...context, stdin, stdout }, ['cat-file', '--batch-check=%(objecttype)']), 0);
  t.deepEqual(answers.filter((answer) => answer !== ''), ['>', 'blob\n', '>', '>', 'commit\nHEAD:none missing\n', '>']);
});

for (const format of bothFormats) {
  test(`many ids in one input are answered in their order, wherever the objects are (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    const repository = makeRepository(t, format, `${history}
git repack -q -d; for i in 1 2 3; do seq 1 $((310 + i)) > numbers; git commit -qam "more $i"; done; git repack -q -d
echo loose > x; git add x; git commit -qm loose; git hash-object -w --stdin < /dev/null`);
    const ids = gitOutput(['cat-file', '--batch-all-objects', '--batch-check=%(objectname)'], { cwd: repository }).split('\n');
    const lines: string[] = [];
    for (let at = 0; at < 3000; at += 1) {
      lines.push(ids[(at * 7) % ids.length]!);
      if (at % 501 === 7) lines.push('HEAD', 'no such', '2'.repeat(ids[0]!.length), 'f'.repeat(ids[0]!.length), `${ids[0]}\r`, ids[1]!.toUpperCase());
    }
    const modes = ['--batch', '--batch-check', '--batch-check=<%(objecttype)%(objectname)|%(objectsize)>', '--batch=%(objectsize)', '--batch-check=%(objecttype) %(rest)'];
    await compareWithGit(t, repository, [
      ...modes.map((mode) => ({ argv: ['cat-file', mode], stdin: `${lines.join('\n')}\n`, readsOnly: true })),
      ...modes.map((mode) => ({ argv: ['cat-file', mode, '-z'], stdin: lines.join('\0'), readsOnly: true })),
      ...modes.map((mode) => ({ argv: ['cat-file', mode, '--batch-all-objects'], readsOnly: true })),
    ]);
  });
}
