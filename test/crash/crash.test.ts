import test from 'ava';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { realDisk, replaceFile, useDisk } from '../../pack/disk.js';
import { findCommand } from '../../porcelain/commands.js';
import { makeRepository } from '../helpers/differential.js';
import { bury } from '../helpers/failing-disk.js';
import { makeSandbox, seededRandom } from '../helpers/sandbox.js';
import { skipWithoutGit } from '../helpers/stock-git.js';
import { crashCases, fixtureScript } from './crash-cases.js';
import { crash, readEverything, runIn } from './crash-lab.js';
import { canKill, failEverywhere, killEverywhere, shortenEverywhere } from './kill-lab.js';
import { type Draw, FileSystemModel } from './power-cut.js';
import { RecordingDisk } from './recording-disk.js';

const caseNamed = (name: string) => crashCases.find((one) => one.name === name)!;
const draw = (names: Draw['names'], data: Draw['data']): Draw => ({ names, data, random: seededRandom(1) });

// One at a time: the disk in use is one for the whole process.
const sampled: readonly (readonly [name: string, every: number])[] = [
  ['update-ref of several refs', 4], ['pack-refs', 4], ['update-index', 2], ['config', 2], ['gc', 16], ['unpack-objects', 5], ['repair', 30], ['bundle unbundle', 5], ['fast-import', 12], ['update-ref of several refs, packed ones too', 9], ['gc with grace 0', 14], ['commit', 8],
];

for (const [name, every] of sampled) {
  test.serial(`cutting the power during ${name} leaves the old state or the new one`, async (t) => {
    if (skipWithoutGit(t)) return;
    const one = caseNamed(name);
    t.not(findCommand(one.argv[0]!), undefined);
    const repository = makeRepository(t, 'sha1', fixtureScript);
    const result = await crash(one, repository, join(makeSandbox(t), 'work'), { seed: 7, randomDraws: 2, every, gitEvery: 20 });
    t.deepEqual(result.problems, []);
    t.log(`${result.states} states at ${Math.ceil(result.operations / every)} of ${result.operations} operations`);
  });
}

for (const omit of ['fsync', 'fsyncDirectory'] as const) {
  test.serial(`the lab finds out when ${omit} is never done`, async (t) => {
    if (skipWithoutGit(t)) return;
    const repository = makeRepository(t, 'sha1', fixtureScript);
    const result = await crash(caseNamed('update-ref'), repository, join(makeSandbox(t), 'work'), { seed: 7, randomDraws: 2, gitEvery: 0, omit });
    t.true(result.problems.length > 0);
  });
}

test.serial('gc loses nothing when the disk fails at any operation, says so, and succeeds afterwards', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeRepository(t, 'sha1', fixtureScript);
  const scratch = makeSandbox(t);
  const total = (await failAt(repository, join(scratch, 'whole'), Infinity)).operations;
  t.true(total > 50);
  for (let nth = 0; nth < total; nth += 9) {
    const top = join(scratch, String(nth));
    const { code, stderr } = await failAt(repository, top, nth);
    t.true(code !== 0 && code !== 70, `failed at ${nth}: ${code} ${stderr}`);
    t.notThrows(() => { readEverything(top); }, `failed at ${nth}`);
    // A lock that could not be removed outlives its process, but not for anybody else.
    bury(top);
    const again = await runIn(top, ['gc', '-q']);
    t.is(again.code, 0, `after a failure at ${nth}: ${again.stderr}`);
    t.notThrows(() => { readEverything(top); });
    rmSync(top, { recursive: true });
  }
});

/** Runs gc on a copy whose disk says at its n-th operation that it is full. */
async function failAt(repository: string, top: string, nth: number): Promise<{ code: number; stderr: string; operations: number }> {
  cpSync(repository, top, { recursive: true, preserveTimestamps: true });
  let done = 0;
  const recording = new RecordingDisk(top, ({ kind }) => {
    done += 1;
    if (done === nth + 1) throw Object.assign(new Error(`ENOSPC: no space left on device, ${kind}`), { code: 'ENOSPC', syscall: kind });
  });
  const restore = useDisk(recording);
  try {
    return { ...await runIn(top, ['gc', '-q']), operations: done };
  } finally {
    restore();
  }
}

test.serial('killed at any system call, update-ref leaves the old state or the new one', async (t) => {
  if (skipWithoutGit(t)) return;
  if (!canKill()) {
    t.log('skipped: there is no strace that may trace');
    t.pass();
    return;
  }
  const repository = makeRepository(t, 'sha1', fixtureScript);
  const result = await killEverywhere(caseNamed('update-ref'), repository, join(makeSandbox(t), 'work'), { calls: ['rename', 'link', 'unlink', 'fsync'] });
  t.deepEqual(result.problems, []);
  t.true(result.states >= 4);
});

test.serial('when a system call of update-ref fails, it says where, several refs are the old ones, and it goes through afterwards', async (t) => {
  if (skipWithoutGit(t)) return;
  if (!canKill()) {
    t.log('skipped: there is no strace that may trace');
    t.pass();
    return;
  }
  const repository = makeRepository(t, 'sha1', fixtureScript);
  const result = await failEverywhere(caseNamed('update-ref of several refs'), repository, join(makeSandbox(t), 'work'), { only: ['EIO'], most: 2 });
  t.deepEqual(result.problems, []);
  t.true(result.states >= 8);
});

test.serial('what the disk takes only half of is written whole, and a disk that is full in the middle of a write leaves the old state', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeRepository(t, 'sha1', fixtureScript);
  const result = await shortenEverywhere(caseNamed('update-ref of several refs'), repository, join(makeSandbox(t), 'work'), 4);
  t.deepEqual(result.problems, []);
  t.is(result.states, 5);
});

test.serial('a file replaced is the old one or the new one after a cut at any operation', (t) => {
  const root = makeSandbox(t);
  mkdirSync(join(root, 'sub'));
  writeFileSync(join(root, 'sub/file'), 'old');
  const model = new FileSystemModel(root);
  const recording = new RecordingDisk(root);
  const restore = useDisk(recording);
  try {
    replaceFile(join(root, 'sub/file'), 'new content');
  } finally {
    restore();
  }
  t.deepEqual(recording.operations.map(({ kind }) => kind), ['open', 'write', 'fsync', 'rename', 'fsyncDirectory']);
  for (const operation of recording.operations) {
    model.apply(operation);
    for (const names of ['kept', 'lost', 'prefix', 'mixed'] as const) {
      for (const data of ['kept', 'lost', 'zero', 'torn', 'mixed'] as const) {
        const entry = model.draw(draw(names, data)).get('sub/file');
        const text = entry?.kind === 'file' ? entry.bytes.toString() : undefined;
        t.true(text === 'old' || text === 'new content', `${operation.kind} ${names} ${data}: ${text}`);
      }
    }
  }
  t.is(readFileSync(join(root, 'sub/file'), 'utf8'), 'new content');
});

test.serial('the model loses what was not made durable, and only that', (t) => {
  const root = makeSandbox(t);
  const model = new FileSystemModel(root);
  const recording = new RecordingDisk(root);
  const fd = recording.open(join(root, 'file'), 'wx', 0o666);
  recording.write(fd, Buffer.alloc(1500, 1));
  recording.fsync(fd);
  recording.write(fd, Buffer.alloc(1500, 2));
  recording.close(fd);
  recording.mkdir(join(root, 'directory'));
  recording.fsyncDirectory(join(root, 'directory'));
  for (const operation of recording.operations) model.apply(operation);
  t.deepEqual([...model.draw(draw('lost', 'lost')).keys()], [], 'no name was durable');
  const sizeOf = (data: Draw['data']): number | undefined => {
    const entry = model.draw(draw('kept', data)).get('file');
    return entry?.kind === 'file' ? entry.bytes.length : undefined;
  };
  t.deepEqual([sizeOf('kept'), sizeOf('lost'), sizeOf('zero'), sizeOf('torn')], [3000, 1500, 3000, 3000]);
  const torn = model.draw(draw('kept', 'torn')).get('file');
  t.true(torn?.kind === 'file' && torn.bytes.subarray(0, 1500).every((byte) => byte === 1), 'what was fsynced is never torn');
  realDisk.fsyncDirectory(root);
  model.apply({ kind: 'fsyncDirectory', path: '' });
  t.deepEqual([...model.draw(draw('lost', 'lost')).keys()].sort(), ['directory', 'file']);
});
