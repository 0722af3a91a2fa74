// Promise: what is to be durable is made so before it counts, and what the user switched off is not; an fsync that fails stops what relies on it.
import test from 'ava';
import { join } from 'node:path';
import { useDisk } from '../../pack/disk.js';
import { type Hardening, hardenEverything } from '../../pack/hardening.js';
import { parseHardening } from '../../plumbing/hardening-config.js';
import { runIn } from '../crash/crash-lab.js';
import { type Operation, RecordingDisk } from '../crash/recording-disk.js';
import { makeRepository } from '../helpers/differential.js';
import { git, gitOutput, skipWithoutGit } from '../helpers/stock-git.js';

const kinds = Object.keys(hardenEverything) as (keyof Hardening)[];

const values = test.macro((t, value: string, off: readonly (keyof Hardening)[], warnings: number) => {
  const warned: string[] = [];
  const result = parseHardening(value, (text) => { warned.push(text); });
  t.deepEqual(kinds.filter((kind) => !result[kind]), kinds.filter((kind) => off.includes(kind)));
  t.is(warned.length, warnings, warned.join('\n'));
});
test('an empty value is the default, which is everything', values, '', [], 0);
test('none switches everything off', values, 'none', kinds, 0);
test('none and one more leaves that one', values, 'none,reference', kinds.filter((kind) => kind !== 'reference'), 0);
test('one more than the default is the default', values, 'committed', [], 0);
test('a minus takes one away', values, '-loose-object, -index', ['looseObject', 'index'], 0);
test('an aggregate can be taken away', values, '-derived-metadata', ['packMetadata', 'commitGraph'], 0);
test('committed with a minus are the objects', values, '-committed', ['looseObject', 'pack'], 0);
test('added with a minus are objects and index', values, '-added', ['looseObject', 'pack', 'index'], 0);
test('what is both added and taken away is there', values, 'pack,-objects', ['looseObject'], 0);
test('all after none is everything', values, 'none,all', [], 0);
test('a name nobody knows changes nothing and is told', values, 'none,bogus,-bogus', kinds, 2);
test('a lone minus changes nothing and is told', values, '-', [], 1);

/** The operations of one command, `config` given on its command line. */
async function operationsOf(directory: string, config: readonly string[], argv: readonly string[], stdin?: string): Promise<Operation[]> {
  const recording = new RecordingDisk(directory);
  const restore = useDisk(recording);
  try {
    const { code, stderr } = await runIn(directory, [...config.flatMap((value) => ['-c', value]), ...argv], stdin);
    if (code !== 0) throw new Error(stderr);
  } finally {
    restore();
  }
  return recording.operations;
}

const script = 'echo a >a; git add a; git commit -qm one; echo b >b; git add b; git commit -qm two; mkdir d; echo c >d/c';

const switchedOff: readonly (readonly [name: string, argv: readonly string[], component: string, stdin?: string])[] = [
  ['hash-object', ['hash-object', '-w', 'd/c'], 'loose-object'],
  ['update-ref', ['update-ref', '--create-reflog', 'refs/heads/new/one', 'HEAD'], 'reference'],
  ['update-index', ['update-index', '--add', 'd/c'], 'loose-object,-index'],
  ['a commit', ['commit', '-q', '--allow-empty', '-m', 'three'], 'loose-object,-index,-reference'],
  ['commit-graph', ['commit-graph', 'write', '--reachable'], 'commit-graph'],
  ['multi-pack-index', ['multi-pack-index', 'write'], 'pack-metadata'],
  ['pack-objects', ['pack-objects', '-q', '--all', '.git/objects/pack/pack'], 'pack,-pack-metadata', ''],
];

for (const [name, argv, component, stdin] of switchedOff) {
  test.serial(`${name} makes durable what it writes, unless core.fsync switches -${component}`, async (t) => {
    if (skipWithoutGit(t)) return;
    const syncs = async (config: readonly string[]): Promise<number> => {
      const directory = makeRepository(t, 'sha1', name === 'multi-pack-index' ? `${script}; git repack -qad` : script);
      // Our own drawer is made once, and always durably.
      await operationsOf(directory, [], ['update-ref', 'refs/heads/first', 'HEAD']);
      return (await operationsOf(directory, config, argv, stdin)).filter(({ kind }) => kind === 'fsync' || kind === 'fsyncDirectory').length;
    };
    t.true(await syncs([]) > 0);
    t.true(await syncs(['core.fsync=committed', 'core.fsyncMethod=batch']) > 0);
    t.is(await syncs([`core.fsync=-${component}`]), 0);
    t.is(await syncs(['core.fsync=none']), 0);
  });
}

test.serial('core.fsyncObjectFiles=true hardens loose objects although core.fsync does not, and false switches nothing off', async (t) => {
  if (skipWithoutGit(t)) return;
  const syncs = async (...config: string[]): Promise<number> => (await operationsOf(makeRepository(t, 'sha1', script), config, ['hash-object', '-w', 'd/c']))
    .filter(({ kind }) => kind === 'fsync').length;
  t.is(await syncs('core.fsync=none', 'core.fsyncObjectFiles=true'), 1);
  t.is(await syncs('core.fsyncObjectFiles=false'), 1);
});

test.serial('values nobody knows are warned about and values that are missing or no boolean are refused, as git does', async (t) => {
  if (skipWithoutGit(t)) return;
  const directory = makeRepository(t, 'sha1', script);
  for (const config of ['core.fsync=bogus', 'core.fsyncMethod=bogus', 'core.fsync', 'core.fsyncMethod', 'core.fsyncObjectFiles=maybe', 'core.fsyncObjectFiles=true']) {
    const argv = ['-c', config, 'hash-object', '-w', 'd/c'];
    const ours = await runIn(directory, argv);
    const theirs = git(argv, { cwd: directory });
    t.is(ours.code, theirs.code, `${config}: ${ours.stderr}`);
    t.is(ours.stderr === '', theirs.stderr === '', `${config}: ${ours.stderr} against ${theirs.stderr}`);
  }
});

test.serial('a ref does not move when an fsync fails, and the message names the file', async (t) => {
  if (skipWithoutGit(t)) return;
  const directory = makeRepository(t, 'sha1', script);
  const before = gitOutput(['rev-parse', 'HEAD'], { cwd: directory });
  // The entry in the reflog, its directory's, and the new value: all of them before the rename.
  for (let nth = 1; ; nth += 1) {
    let seen = 0;
    let renamed = false;
    const recording = new RecordingDisk(directory, (operation) => {
      if (operation.kind === 'rename' && operation.to === '.git/refs/heads/main') renamed = true;
      if (operation.kind !== 'fsync' && operation.kind !== 'fsyncDirectory') return;
      seen += 1;
      if (seen === nth && !renamed) throw Object.assign(new Error("EIO: i/o error, fsync '.git/refs/heads/main.lock'"), { code: 'EIO', syscall: 'fsync' });
    });
    const restore = useDisk(recording);
    let result: Awaited<ReturnType<typeof runIn>>;
    try {
      result = await runIn(directory, ['update-ref', 'refs/heads/main', 'HEAD~1']);
    } finally {
      restore();
    }
    if (result.code === 0) {
      t.true(nth > 1, 'something was made durable before the rename');
      t.true(renamed);
      break;
    }
    t.false(renamed, `failed at ${nth}`);
    t.is(result.code, 128, result.stderr);
    t.regex(result.stderr, /EIO|input\/output/i);
    t.is(gitOutput(['rev-parse', 'main'], { cwd: directory }), before);
    t.is(git(['fsck', '--strict'], { cwd: directory }).code, 0, join(directory, '.git'));
  }
});
