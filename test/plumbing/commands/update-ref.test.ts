import test, { type ExecutionContext } from 'ava';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Repository } from '../../../plumbing/repository.js';
import { cairn, cairnProgram, makeContext } from '../../helpers/cairn.js';
import { type Case, bothFormats, compareWithGit, makeRepository } from '../../helpers/differential.js';
import { makeSandbox } from '../../helpers/sandbox.js';
import { gitOutput, runProgram, skipWithoutGit } from '../../helpers/stock-git.js';

const script = `
git commit -q --allow-empty -m one; git commit -q --allow-empty -m two; git commit -q --allow-empty -m three
git tag -a -m annotated v1 HEAD~1; git tag light HEAD~2
git branch packed HEAD~1; git branch other HEAD~2
git pack-refs --all
git update-ref refs/heads/loose HEAD~1
git symbolic-ref refs/heads/alias refs/heads/loose
git symbolic-ref refs/remotes/origin/HEAD refs/remotes/origin/none`;

const edits: readonly Case[] = [
  { argv: ['update-ref', 'refs/heads/new', 'HEAD'] },
  { argv: ['update-ref', 'refs/heads/new', 'HEAD~1', 'HEAD'] },
  { argv: ['update-ref', 'refs/heads/new', 'HEAD', 'HEAD'] },
  { argv: ['update-ref', 'refs/heads/new', 'HEAD', ''] },
  { argv: ['update-ref', 'refs/heads/new2', 'HEAD', ''] },
  { argv: ['update-ref', '-m', 'because', 'HEAD', 'HEAD~1'] },
  { argv: ['update-ref', '-m', '', 'HEAD', 'HEAD~1'] },
  { argv: ['update-ref', 'refs/heads/alias', 'other'] },
  { argv: ['update-ref', '--no-deref', 'refs/heads/alias', 'other'] },
  { argv: ['update-ref', 'refs/heads/packed', 'other', 'packed'] },
  { argv: ['update-ref', '-d', 'refs/heads/packed'] },
  { argv: ['update-ref', '-d', 'refs/heads/packed'] },
  { argv: ['update-ref', '-d', 'refs/heads/other', 'main'] },
  { argv: ['update-ref', '-d', 'refs/heads/other', '0000'] },
  { argv: ['update-ref', '-d', 'refs/heads/other', 'other'] },
  { argv: ['update-ref', 'refs/heads/tag', 'v1'] },
  { argv: ['update-ref', 'refs/tags/tag', 'v1'] },
  { argv: ['update-ref', 'refs/heads/tree', 'HEAD^{tree}'] },
  { argv: ['update-ref', 'refs/other/tree', 'HEAD^{tree}'] },
  { argv: ['update-ref', 'refs/heads/new/below', 'HEAD'] },
  { argv: ['update-ref', 'refs/heads', 'HEAD'] },
  { argv: ['update-ref', 'refs/heads/a..b', 'HEAD'] },
  { argv: ['update-ref', 'refs/heads/../../HEAD', 'HEAD'] },
  { argv: ['update-ref', 'refs/heads/missing', 'no-such-revision'] },
  { argv: ['update-ref', '--create-reflog', 'refs/notices/x', 'HEAD'] },
  { argv: ['update-ref', 'ORIG_HEAD', 'HEAD'] },
  { argv: ['update-ref', '-d', 'ORIG_HEAD'] },
  { argv: ['update-ref', '--no-deref', '-d', 'refs/heads/alias'] },
  { argv: ['update-ref', '--no-deref', 'HEAD', 'HEAD~1'] },
  { argv: ['update-ref'] },
  { argv: ['update-ref', 'one'] },
  { argv: ['update-ref', '-z', 'refs/heads/x', 'HEAD'] },
  { argv: ['update-ref', '--stdin', '-d'] },
];

const scripts: readonly string[] = [
  'create refs/heads/s1 HEAD\nupdate refs/heads/s2 HEAD~1\nverify refs/heads/none\n',
  'create refs/heads/s1 HEAD\n',
  'update refs/heads/s1 HEAD~1 HEAD\nupdate refs/heads/s2 HEAD HEAD\n',
  'update refs/heads/s1 HEAD~1 HEAD\nupdate refs/heads/s2 HEAD HEAD~1\n',
  'delete refs/heads/s1 HEAD~1\ncreate refs/heads/s1/deep HEAD\n',
  'delete refs/heads/s1 HEAD~1\ncreate refs/heads/deeper HEAD\n',
  'verify refs/heads/s2 HEAD\nverify refs/heads/nothing 0000000000000000000000000000000000000000\n',
  'verify refs/heads/s2 HEAD\n',
  'verify refs/heads/s2\n',
  'start\nupdate refs/heads/t HEAD\nprepare\ncommit\n',
  'start\nupdate refs/heads/u HEAD\n',
  'start\nupdate refs/heads/u HEAD\nabort\nstart\ncreate refs/heads/v HEAD\ncommit\n',
  'start\nstart\n',
  'prepare\nupdate refs/heads/u HEAD\n',
  'commit\nupdate refs/heads/u HEAD\n',
  'option no-deref\nupdate refs/heads/alias HEAD\nupdate refs/heads/w HEAD\n',
  'option something\n',
  'update "refs/heads/quoted" "HEAD" \n',
  'update "refs/heads/qu\\157ted2" HEAD~1\n',
  'update refs/heads/x "HEAD\n',
  'update refs/heads/x\n',
  'update refs/heads/x HEAD HEAD extra\n',
  'update refs/heads/x  HEAD\n',
  'update  refs/heads/x HEAD\n',
  'create refs/heads/x \n',
  'delete refs/heads/x \n',
  'delete refs/heads/w\n',
  'update refs/heads/same HEAD\nupdate refs/heads/same HEAD~1\n',
  'unknown refs/heads/x\n',
  'starting\n',
  '\n',
  ' update refs/heads/x HEAD\n',
  'update refs/heads/noeol HEAD',
  '',
];

const nulScripts: readonly string[] = [
  'create refs/heads/z1\0HEAD\0update refs/heads/z2\0HEAD~1\0\0',
  'update refs/heads/z1\0HEAD~1\0HEAD\0delete refs/heads/z2\0\0',
  'update refs/heads/z1\0\0\0',
  'update refs/heads/z3\0HEAD\0',
  'start\0create refs/heads/z4\0HEAD\0commit\0',
  'verify refs/heads/z4\0\0',
  'update refs/heads/z5\0HEAD\0' + '0'.repeat(40) + '\0',
];

for (const format of bothFormats) {
  test(`update-ref sets, creates and deletes ${format} refs as git does`, async (t) => {
    if (skipWithoutGit(t)) return;
    await compareWithGit(t, makeRepository(t, format, script), edits);
  });

  test(`update-ref --stdin obeys the same instructions as git (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    await compareWithGit(t, makeRepository(t, format, script), [
      ...scripts.map((stdin) => ({ argv: ['update-ref', '--stdin'], stdin })),
      ...nulScripts.map((stdin) => ({ argv: ['update-ref', '--stdin', '-z'], stdin })),
    ]);
  });
}

test('reflogs say what git writes: the branch, HEAD, the message, and nothing for a value that stays', async (t) => {
  if (skipWithoutGit(t)) return;
  const ours = makeRepository(t, 'sha1', script);
  const theirs = makeRepository(t, 'sha1', script);
  const moves = [
    ['update-ref', '-m', 'one  line\nand another', 'HEAD', 'HEAD~1'],
    ['update-ref', 'refs/heads/main', 'other'],
    ['update-ref', 'refs/heads/main', 'other'],
    ['update-ref', 'HEAD', 'other'],
    ['update-ref', '-m', 'through', 'refs/heads/alias', 'other'],
    ['update-ref', '--create-reflog', 'refs/tags/logged', 'other'],
    ['symbolic-ref', '-m', 'switched', 'HEAD', 'refs/heads/packed'],
    ['symbolic-ref', 'HEAD', 'refs/heads/main'],
    ['update-ref', '--no-deref', '-m', 'detached', 'HEAD', 'packed'],
  ];
  for (const argv of moves) {
    t.is((await cairn(argv, { cwd: ours })).code, 0, argv.join(' '));
    gitOutput(argv, { cwd: theirs });
    for (const log of ['HEAD', 'refs/heads/main', 'refs/heads/loose', 'refs/heads/alias', 'refs/tags/logged', 'refs/heads/packed']) {
      t.is(read(join(ours, '.git/logs', log)), read(join(theirs, '.git/logs', log)), `${argv.join(' ')}: ${log}`);
    }
  }
});

test('a name that is no ref is never written, not even one stock git would write into the repository', async (t) => {
  const repository = makeRepositoryWithoutGit(t);
  const before = readFileSync(join(repository, '.cairn/config'));
  for (const name of ['config', 'refs/../HEAD', 'refs/heads/../../config', 'objects/x', 'logs/HEAD', 'lower']) {
    const result = await cairn(['update-ref', name, '0'.repeat(63) + '1'], { cwd: repository });
    t.is(result.code, 128, name);
  }
  t.deepEqual(readFileSync(join(repository, '.cairn/config')), before);
  t.is(readFileSync(join(repository, '.cairn/HEAD'), 'utf8'), 'ref: refs/heads/main\n');
});

test('a transaction is not bound by how many files a process may have open', (t) => {
  const directory = makeRepositoryWithoutGit(t);
  const run = (input: string): void => {
    const result = runProgram('/bin/sh', ['-c', `ulimit -n 150 && exec "${process.execPath}" "${cairnProgram}" update-ref --stdin`], { cwd: directory, stdin: input });
    t.is(result.code, 0, result.stderr);
  };
  const repository = Repository.open(makeContext({ cwd: directory }).context);
  const id = repository.objects.write('blob', Buffer.from('x'));
  const names = Array.from({ length: 300 }, (_, at) => `refs/runs/${at}`);
  run(names.map((name) => `create ${name} ${id}\n`).join(''));
  t.is([...repository.refs.list('refs/runs/')].filter((ref) => ref.id === id).length, 300);
  run(names.map((name) => `delete ${name} ${id}\n`).join(''));
  t.is([...repository.refs.list('refs/runs/')].length, 0);
});

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return undefined;
  }
}

function makeRepositoryWithoutGit(t: ExecutionContext): string {
  const directory = makeSandbox(t);
  Repository.init(makeContext({ cwd: directory }).context, { directory });
  writeFileSync(join(directory, 'file'), 'content');
  return directory;
}
