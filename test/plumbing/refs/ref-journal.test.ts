// Promise: a transaction over several refs that was cut off anywhere is finished by whoever comes next; nothing else is ever changed by its journal.
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { useDisk } from '../../../pack/disk.js';
import { CorruptError } from '../../../pack/errors.js';
import type { ObjectId } from '../../../pack/oid.js';
import { type RefChange, decodeRefJournal, encodeRefJournal } from '../../../plumbing/refs/ref-journal.js';
import type { RefName } from '../../../plumbing/refs/ref-name.js';
import { runIn } from '../../crash/crash-lab.js';
import { RecordingDisk } from '../../crash/recording-disk.js';
import { cairn } from '../../helpers/cairn.js';
import { makeRepository } from '../../helpers/differential.js';
import { ProcessDied, bury } from '../../helpers/failing-disk.js';
import { git, gitOutput, skipWithoutGit } from '../../helpers/stock-git.js';

const script = 'for i in 1 2 3; do git commit -q --allow-empty -m $i; done; git branch a; git branch b; git branch c; git branch gone; git branch packed; git pack-refs --all';
const one = '1'.repeat(40) as ObjectId;
const two = '2'.repeat(40) as ObjectId;
const changes: readonly RefChange[] = [
  { name: 'refs/heads/a' as RefName, before: one, after: two },
  { name: 'refs/heads/ü' as RefName, before: undefined, after: 'ref: refs/heads/a' },
  { name: 'main-worktree/HEAD' as RefName, before: 'ref: refs/heads/a', after: undefined },
];

test('a journal reads back as it was written', (t) => {
  t.deepEqual(decodeRefJournal(encodeRefJournal({ boot: undefined, changes }, 'sha1'), 'sha1'), { boot: undefined, changes });
  t.deepEqual(decodeRefJournal(encodeRefJournal({ boot: 'b', changes: [] }, 'sha256'), 'sha256'), { boot: 'b', changes: [] });
  const log = `${one} ${two} A <a@example.com> 1 +0000\tm\xfcde\n`;
  const renamed = { boot: undefined, changes: [{ ...changes[0]!, log }, { ...changes[0]!, log: '' }], settings: { from: 'ü', to: 'a/b', copies: false } };
  t.deepEqual(decodeRefJournal(encodeRefJournal(renamed, 'sha1'), 'sha1'), renamed);
});

test('a journal with a reflog or settings that cannot be is not read, although its checksum is right', (t) => {
  for (const log of ['x\n', `${one} ${two} A <a@example.com> 1 +0000`, '\u0100\n']) {
    t.throws(() => decodeRefJournal(encodeRefJournal({ boot: undefined, changes: [{ ...changes[0]!, log }] }, 'sha1'), 'sha1'), { instanceOf: CorruptError }, log);
  }
  const settings = { from: 'a..b', to: 'c', copies: false };
  t.throws(() => decodeRefJournal(encodeRefJournal({ boot: undefined, changes: [], settings }, 'sha1'), 'sha1'), { instanceOf: CorruptError });
});

test('a journal with any byte changed, or cut anywhere, is not read', (t) => {
  const bytes = encodeRefJournal({ boot: undefined, changes }, 'sha1');
  for (let at = 0; at < bytes.length; at += 1) {
    const flipped = Buffer.from(bytes);
    flipped[at]! ^= 1 << (at % 8);
    t.throws(() => decodeRefJournal(flipped, 'sha1'), { instanceOf: CorruptError }, `flipped ${at}`);
    t.throws(() => decodeRefJournal(bytes.subarray(0, at), 'sha1'), { instanceOf: CorruptError }, `cut at ${at}`);
  }
});

for (const name of ['refs/heads/../x', '../x', 'refs/heads/a.lock', 'config', '']) {
  test(`a journal that names '${name}' is not read, although its checksum is right`, (t) => {
    const bytes = encodeRefJournal({ boot: undefined, changes: [{ name: name as RefName, before: undefined, after: one }] }, 'sha1');
    t.throws(() => decodeRefJournal(bytes, 'sha1'), { instanceOf: CorruptError });
  });
}

const stdin = 'update refs/heads/a main~1\nupdate refs/heads/b main~1\nupdate refs/heads/new main\ndelete refs/heads/gone\n';

function journals(directory: string): string[] {
  return readdirSync(join(directory, '.git/cairn/ref-journal'));
}

/** Runs the transaction until its nth rename or unlink of a ref's file, where the process dies. */
async function interrupted(directory: string, nth: number): Promise<void> {
  let seen = 0;
  let dead = false;
  const recording = new RecordingDisk(directory, (operation) => {
    const path = operation.kind === 'rename' ? operation.to : operation.kind === 'unlink' ? operation.path : '';
    if (/^\.git\/(?:refs\/.*(?<!\.lock)|packed-refs)$/.test(path)) seen += 1;
    dead ||= seen === nth;
    if (dead) throw new ProcessDied(`at ${operation.kind} ${path}`);
  });
  const restore = useDisk(recording);
  try {
    await runIn(directory, ['update-ref', '--stdin'], stdin);
  } catch (error) {
    if (!(error instanceof ProcessDied)) throw error;
  } finally {
    restore();
  }
}

/** `git` sees what is in the files; cairn finishes what was begun. */
function valuesBy(directory: string): Record<string, string> {
  const lines = gitOutput(['for-each-ref', '--format=%(refname:short) %(objectname)'], { cwd: directory }).split('\n');
  return Object.fromEntries(lines.map((line) => line.split(' ') as [string, string]));
}

async function interruptedRepository(t: ExecutionContext, nth: number, isDead = true): Promise<{ directory: string; before: Record<string, string> }> {
  const directory = makeRepository(t, 'sha1', script);
  const before = valuesBy(directory);
  await interrupted(directory, nth);
  if (isDead) bury(directory);
  t.is(journals(directory).length, 1);
  return { directory, before };
}

for (const nth of [1, 2, 3, 4]) {
  for (const argv of [['for-each-ref'], ['rev-parse', 'HEAD'], ['update-ref', 'refs/heads/other', 'main'], ['log', '-1', 'a']]) {
    test.serial(`${argv[0]} finishes a transaction that died at its change number ${nth}`, async (t) => {
      if (skipWithoutGit(t)) return;
      const { directory, before } = await interruptedRepository(t, nth);
      const { code, stderr } = await runIn(directory, argv);
      t.is(code, 0, stderr);
      const { other: _, ...after } = valuesBy(directory);
      const parent = gitOutput(['rev-parse', 'main~1'], { cwd: directory });
      const { gone: __, ...rest } = before;
      t.deepEqual(after, { ...rest, a: parent, b: parent, new: before['main'] });
      t.deepEqual(journals(directory), []);
      t.is(git(['fsck', '--strict'], { cwd: directory }).code, 0);
      t.is(gitOutput(['reflog', 'show', 'a'], { cwd: directory }).split('\n').length, 2, 'one entry was added, not two');
    });
  }
}

test.serial('a ref that somebody moved meanwhile stays where it is', async (t) => {
  if (skipWithoutGit(t)) return;
  const { directory } = await interruptedRepository(t, 2);
  const moved = gitOutput(['rev-parse', 'main~2'], { cwd: directory });
  // Stock git neither knows of the journal nor takes over the lock.
  writeFileSync(join(directory, '.git/refs/heads/b'), `${moved}\n`);
  const { stdout } = await runIn(directory, ['rev-parse', 'b', 'refs/heads/new']);
  t.is(String(stdout), `${moved}\n${gitOutput(['rev-parse', 'main'], { cwd: directory })}\n`);
  t.deepEqual(journals(directory), []);
});

test.serial('a damaged journal is set aside, blocks nobody, and fsck tells of it', async (t) => {
  if (skipWithoutGit(t)) return;
  const { directory } = await interruptedRepository(t, 2);
  const [name] = journals(directory);
  const path = join(directory, '.git/cairn/ref-journal', name!);
  writeFileSync(path, readFileSync(path).subarray(0, 40));
  const { code, stderr } = await runIn(directory, ['update-ref', '--stdin'], stdin.replace('update refs/heads/new main\n', ''));
  t.is(code, 0, stderr);
  t.deepEqual(journals(directory), [`${name}.bad`]);
  const fsck = await runIn(directory, ['fsck']);
  t.regex(String(fsck.stderr), /ref-journal/);
});

test.serial('a journal that names an object nobody has is set aside', async (t) => {
  if (skipWithoutGit(t)) return;
  const directory = makeRepository(t, 'sha1', script);
  const before = valuesBy(directory);
  mkdirSync(join(directory, '.git/cairn/ref-journal'), { recursive: true });
  const name = '4194305_1_1_00000000-0000-0000-0000-000000000000_1_1-a';
  const rows = ['a', 'b'].map((each) => ({ name: `refs/heads/${each}` as RefName, before: before['main']!, after: each === 'a' ? gitOutput(['rev-parse', 'main~1'], { cwd: directory }) : one }));
  writeFileSync(join(directory, '.git/cairn/ref-journal', name), encodeRefJournal({ boot: undefined, changes: rows }, 'sha1'));
  t.is((await runIn(directory, ['for-each-ref'])).code, 0);
  t.deepEqual(valuesBy(directory), before);
  t.deepEqual(journals(directory), [`${name}.bad`]);
});

test.serial('the journal of a process that lives is left alone', async (t) => {
  if (skipWithoutGit(t)) return;
  const { directory } = await interruptedRepository(t, 2, false);
  const between = valuesBy(directory);
  // Seen from another process, ours lives.
  t.is((await cairn(['for-each-ref'], { cwd: directory, pid: 1 })).code, 0);
  t.deepEqual(valuesBy(directory), between);
  t.is(journals(directory).length, 1);
});

test.serial('a transaction over one ref writes no journal', async (t) => {
  if (skipWithoutGit(t)) return;
  const directory = makeRepository(t, 'sha1', script);
  const recording = new RecordingDisk(directory);
  const restore = useDisk(recording);
  try {
    t.is((await runIn(directory, ['update-ref', 'HEAD', 'main~1'])).code, 0);
    t.is((await runIn(directory, ['update-ref', '-d', 'refs/heads/packed'])).code, 0);
  } finally {
    restore();
  }
  t.false(recording.operations.some((operation) => 'path' in operation && operation.path.includes('ref-journal')));
});

test.serial('when a change fails, what changed before it gets its old value back, and the journal goes', async (t) => {
  if (skipWithoutGit(t)) return;
  for (const nth of [1, 2, 3, 4]) {
    const directory = makeRepository(t, 'sha1', script);
    const before = valuesBy(directory);
    let seen = 0;
    const recording = new RecordingDisk(directory, (operation) => {
      const path = operation.kind === 'rename' ? operation.to : operation.kind === 'unlink' ? operation.path : '';
      if (!/^\.git\/(?:refs\/.*(?<!\.lock)|packed-refs)$/.test(path)) return;
      seen += 1;
      if (seen === nth) throw Object.assign(new Error(`EIO: i/o error, ${operation.kind} '${path}'`), { code: 'EIO', syscall: operation.kind, path });
    });
    const restore = useDisk(recording);
    try {
      const { code, stderr } = await runIn(directory, ['update-ref', '--stdin'], stdin);
      t.is(code, 128, stderr);
      t.regex(stderr, /refs|packed-refs/);
    } finally {
      restore();
    }
    t.deepEqual(valuesBy(directory), before, `failed at ${nth}`);
    t.deepEqual(journals(directory), []);
    t.is((await runIn(directory, ['update-ref', '--stdin'], stdin)).code, 0);
  }
});

test('a journal whose digest fits but that is no JSON is damaged, not a bug', (t) => {
  const line = Buffer.from('{"version":1,\n');
  t.throws(() => decodeRefJournal(Buffer.concat([line, Buffer.from(`${createHash('sha1').update(line).digest('hex')}\n`)]), 'sha1'), { instanceOf: CorruptError, code: 'ref-journal-damaged' });
});
