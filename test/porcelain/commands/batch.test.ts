import test from 'ava';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { run } from '../../../porcelain/main.js';
import { cairn, cairnOutput, cairnProcess, cairnProgram, makeContext, projectRoot } from '../../helpers/cairn.js';
import { commitFiles, makeRepository } from '../../helpers/snapshots.js';
import { cleanEnvironment } from '../../helpers/stock-git.js';

interface Answer { readonly code: number; readonly stdout: string; readonly stderr: string }

function parseAnswers(bytes: Buffer): Answer[] {
  const answers: Answer[] = [];
  const held = { out: [] as Buffer[], err: [] as Buffer[] };
  for (let at = 0; at < bytes.length;) {
    const end = bytes.indexOf(0x0a, at);
    const [kind, number] = bytes.toString('latin1', at, end).split(' ');
    at = end + 1;
    if (kind === 'exit') {
      answers.push({ code: Number(number), stdout: Buffer.concat(held.out).toString('latin1'), stderr: Buffer.concat(held.err).toString('latin1') });
      held.out = [];
      held.err = [];
    } else {
      if (kind !== 'out' && kind !== 'err') throw new Error(`no frame: '${kind}'`);
      held[kind].push(bytes.subarray(at, at + Number(number)));
      at += Number(number);
    }
  }
  return answers;
}

/** A request as `-z` has it. */
function request(words: readonly string[], stdin: string | Buffer = ''): Buffer {
  const input = Buffer.from(stdin);
  return Buffer.concat([Buffer.from([`${words.length} ${input.length}`, ...words, ''].join('\0')), input]);
}

const calls: readonly (readonly [words: readonly string[], stdin?: string])[] = [
  [['rev-parse', 'HEAD', 'HEAD^{tree}']],
  [['rev-parse', 'nothing']],
  [['no-such-command']],
  [['rev-parse', '--no-such-option-of-ours=']],
  [['ls-tree', '-z', 'HEAD']],
  [['ls-tree', '--wrong', 'HEAD']],
  [['hash-object', '-w', '--stdin'], 'some text'],
  [['cat-file', '--batch'], 'HEAD\nHEAD:a\nnothing\n'],
  [['mktree'], '100644 blob 0000000000000000000000000000000000000001\tx\n'],
  [['cat-file', '-p', 'HEAD:a']],
  [['commit-tree', 'HEAD^{tree}', '-p', 'HEAD', '-m', 'second, "quoted" and\nlong']],
  [['update-ref', '--stdin'], 'create refs/heads/other HEAD\n'],
  [['update-ref', '--stdin'], 'create refs/heads/other HEAD\n'],
  [['show-ref']],
  [['-C', 'd', 'rev-parse', '--show-prefix']],
  [['-c', 'user.name=x', 'config', 'user.name']],
  [['status', '--porcelain']],
  [['-h']],
  [[]],
];

test('every command answers as it does in a process of its own', async (t) => {
  const files = { a: 'content\n', 'd/b': 'x' };
  const [alone, batched] = [makeRepository(t), makeRepository(t)].map((repository) => {
    commitFiles(repository, files);
    mkdirSync(join(repository.workTree!, 'd'));
    return repository.workTree!;
  });
  const expected: Answer[] = [];
  for (const [words, stdin] of calls) {
    const { code, stdout, stderr } = await cairn(words, { cwd: alone!, ...(stdin === undefined ? {} : { stdin }) });
    expected.push({ code, stdout, stderr });
  }
  const result = await cairn(['batch', '-z'], { cwd: batched!, stdin: Buffer.concat(calls.map(([words, stdin]) => request(words, stdin))) });
  t.is(result.code, 0);
  t.is(result.stderr, '');
  const answers = parseAnswers(result.stdoutBytes);
  for (const [at, [words]] of calls.entries()) t.deepEqual(answers[at], expected[at], words.join(' '));
  t.is(answers.length, calls.length);
});

test('lines are quoted as for a shell, and bring environment and input', async (t) => {
  const repository = makeRepository(t);
  commitFiles(repository, { 'a file': 'content\n' });
  const stdin = "cat-file -p 'HEAD:a file'\nGIT_COMMITTER_NAME='Some One' GIT_COMMITTER_EMAIL=one@example.com var GIT_COMMITTER_IDENT\nhash-object --stdin <<3\nabc\n";
  const answers = parseAnswers((await cairn(['batch'], { cwd: repository.workTree!, stdin })).stdoutBytes);
  t.is(answers[0]!.stdout, 'content\n');
  t.true(answers[1]!.stdout.startsWith('Some One <one@example.com> '));
  t.is(answers[2]!.stdout, `${await cairnOutput(['hash-object', '--stdin'], { cwd: repository.workTree!, stdin: 'abc' })}\n`);
});

test('what is no request ends the batch, and what came before it was done', async (t) => {
  const cwd = makeRepository(t).workTree!;
  const result = await cairn(['batch'], { cwd, stdin: 'rev-parse --git-dir\nrev-parse $(x)\nrev-parse --git-dir\n' });
  t.is(result.code, 129);
  t.deepEqual(parseAnswers(result.stdoutBytes).map(({ code }) => code), [0, 129]);
  // Half the input is not the input.
  const cut = await cairn(['batch'], { cwd, stdin: 'hash-object -w --stdin <<10\nabc' });
  t.is(cut.code, 129);
  t.true(parseAnswers(cut.stdoutBytes).every(({ code }) => code !== 0));
});

test('what others change between two commands is seen: refs, objects, configuration and packs', async (t) => {
  const repository = makeRepository(t);
  const cwd = repository.workTree!;
  const first = commitFiles(repository, { a: 'one' });
  let second = '';
  const { context, stdout } = makeContext({ cwd });
  const steps: (() => Buffer)[] = [
    () => request(['rev-parse', 'HEAD']),
    () => {
      second = commitFiles(repository, { a: 'two' });
      return request(['rev-parse', 'HEAD', 'HEAD^']);
    },
    () => request(['cat-file', '-p', 'HEAD:a']),
    () => {
      writeFileSync(join(repository.gitDirectory, 'config'), `${readFileSync(join(repository.gitDirectory, 'config'), 'utf8')}[alpha]\n\tbeta = 7\n`);
      return request(['config', 'alpha.beta']);
    },
    () => request(['pack-refs', '--all']),
    () => request(['for-each-ref', '--format=%(objectname)']),
  ];
  const code = await run({ ...context, stdin: { isTerminal: false, readChunk: () => steps.shift()?.() } }, ['batch', '-z']);
  t.is(code, 0);
  t.deepEqual(parseAnswers(stdout.bytes).map((answer) => answer.stdout), [`${first}\n`, `${second}\n${first}\n`, 'two', '7\n', '', `${second}\n`]);
});

test('large output comes in frames of bounded size, and files are not left open', async (t) => {
  const repository = makeRepository(t);
  const cwd = repository.workTree!;
  const content = 'line of text\n'.repeat(30_000);
  commitFiles(repository, { large: content });
  const ids = await cairnOutput(['rev-list', '--objects', '--all'], { cwd });
  await cairn(['pack-objects', '-q', join(repository.gitDirectory, 'objects/pack/pack')], { cwd, stdin: `${ids}\n` });
  await cairnOutput(['prune-packed'], { cwd });
  const openFiles = (): number => existsSync('/proc/self/fd') ? readdirSync('/proc/self/fd').length : 0;
  const before = openFiles();
  const result = await cairn(['batch', '-z'], { cwd, stdin: Buffer.concat(Array.from({ length: 40 }, () => request(['cat-file', 'blob', 'HEAD:large']))) });
  t.true(parseAnswers(result.stdoutBytes).every(({ stdout }) => stdout === content));
  t.true(openFiles() < before + 10);
});

test('as a process: the example of the page runs in bash', (t) => {
  const bash = spawnSync('bash', ['-c', 'echo "${BASH_VERSINFO[0]}"'], { encoding: 'utf8' });
  if (bash.status !== 0 || Number(bash.stdout) < 4) {
    t.log('skipped: no bash with coprocesses');
    t.pass();
    return;
  }
  const repository = makeRepository(t);
  const page = readFileSync(join(projectRoot, 'man/cairn-batch.1'), 'utf8');
  const example = /^coproc[^]*?(?=^\.fi)/m.exec(page)![0].replaceAll('\\-', '-').replaceAll('\\e', '\\');
  const programs = join(dirname(repository.workTree!), 'bin');
  mkdirSync(programs);
  symlinkSync(cairnProgram, join(programs, 'cairn'));
  const result = spawnSync('bash', ['--norc', '-e', '-u', '-c', `INPUT=\n${example}`], {
    cwd: repository.workTree!, env: { ...cleanEnvironment, PATH: `${programs}:${process.env['PATH']}` }, encoding: 'utf8',
  });
  t.is(result.stderr, '');
  t.is(result.stdout, 'some textno such branch: 1\n');
  t.is(result.status, 0);
  const commit = cairnProcess(['cat-file', '-p', 'refs/heads/notes'], { cwd: repository.workTree! }).stdout;
  t.true(commit.includes('author A. Batch <') && commit.endsWith('made in a batch\n'));
});
