// Promise: an object that is touched while a sweep takes it away gets its name back, durably, before the sweep lets go of it.
import test from 'ava';
import { readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Disk, realDisk, useDisk } from '../../pack/disk.js';
import { runIn } from '../crash/crash-lab.js';
import { type Operation, RecordingDisk } from '../crash/recording-disk.js';
import { makeRepository } from '../helpers/differential.js';
import { git, skipWithoutGit } from '../helpers/stock-git.js';

test.serial('what is touched at the moment its name goes is given back before its second name goes', async (t) => {
  if (skipWithoutGit(t)) return;
  const top = makeRepository(t, 'sha1', 'git commit -q --allow-empty -m one; echo lost | git hash-object -w --stdin >.git/lost');
  const id = readFileSync(join(top, '.git/lost'), 'latin1').trim();
  const path = `.git/objects/${id.slice(0, 2)}/${id.slice(2)}`;
  let isTouched = false;
  const recording = new RecordingDisk(top, (operation) => {
    if (isTouched || operation.kind !== 'unlink' || operation.path !== path) return;
    isTouched = true;
    utimesSync(join(top, path), Date.now() / 1000 + 5, Date.now() / 1000 + 5);
  });
  const restore = useDisk(recording);
  try {
    const { code, stderr } = await runIn(top, ['gc', '-q', '--grace=0']);
    t.is(code, 0, stderr);
  } finally {
    restore();
  }
  t.true(isTouched);
  t.is(git(['cat-file', '-e', id], { cwd: top }).code, 0);
  const steps = recording.operations.flatMap((operation) => {
    if (operation.kind === 'link' && operation.path === path) return ['given back'];
    if (operation.kind === 'fsyncDirectory' && operation.path === path.slice(0, -39)) return ['durable'];
    if (operation.kind === 'unlink' && operation.path.endsWith(path.slice('.git/objects'.length))) return [operation.path === path ? 'taken' : 'let go'];
    return [];
  });
  t.deepEqual(steps.slice(steps.indexOf('taken')), ['taken', 'given back', 'durable', 'let go']);
});

/** What gc does to the file of an object nobody needs, when `act` is called before each operation. */
async function collect(top: string, path: string, act: (operation: Operation) => void): Promise<string[]> {
  const recording = new RecordingDisk(top, act);
  const restore = useDisk(recording);
  try {
    await runIn(top, ['gc', '-q', '--grace=0']);
  } finally {
    restore();
  }
  return recording.operations.flatMap((operation) => (operation.kind === 'unlink' && operation.path === path ? ['taken'] : []));
}

const lost = 'git commit -q --allow-empty -m one; git commit -q --allow-empty -m lost; git rev-parse HEAD >.git/lost; git reset -q --hard HEAD~1; rm -rf .git/logs .git/ORIG_HEAD';

test.serial('what a ref names when the flag goes up is not taken away, not even for a moment', async (t) => {
  if (skipWithoutGit(t)) return;
  const top = makeRepository(t, 'sha1', lost);
  const id = readFileSync(join(top, '.git/lost'), 'latin1').trim();
  let isNamed = false;
  const steps = await collect(top, `.git/objects/${id.slice(0, 2)}/${id.slice(2)}`, (operation) => {
    if (isNamed || !('path' in operation) || operation.path !== '.git/cairn/sweep') return;
    isNamed = true;
    writeFileSync(join(top, '.git/refs/heads/named'), `${id}\n`);
  });
  t.true(isNamed);
  t.deepEqual(steps, []);
  t.is(git(['fsck', '--full'], { cwd: top }).code, 0);
});

test.serial('what is touched before its name goes is not taken away, not even for a moment', async (t) => {
  if (skipWithoutGit(t)) return;
  const top = makeRepository(t, 'sha1', lost);
  const id = readFileSync(join(top, '.git/lost'), 'latin1').trim();
  const path = `.git/objects/${id.slice(0, 2)}/${id.slice(2)}`;
  let isTouched = false;
  const steps = await collect(top, path, (operation) => {
    if (isTouched || operation.kind !== 'link' || operation.existing !== path) return;
    isTouched = true;
    utimesSync(join(top, path), Date.now() / 1000 + 5, Date.now() / 1000 + 5);
  });
  t.true(isTouched);
  t.deepEqual(steps, []);
  t.is(git(['cat-file', '-e', id], { cwd: top }).code, 0);
});

test.serial('who lost the maintenance lock takes nothing away', async (t) => {
  if (skipWithoutGit(t)) return;
  const top = makeRepository(t, 'sha1', lost);
  const id = readFileSync(join(top, '.git/lost'), 'latin1').trim();
  const holder = join(top, '.git/cairn/maintenance');
  let isStolen = false;
  const steps = await collect(top, `.git/objects/${id.slice(0, 2)}/${id.slice(2)}`, (operation) => {
    if (isStolen || operation.kind !== 'mkdir' || !operation.path.startsWith('.git/cairn/quarantine/')) return;
    isStolen = true;
    writeFileSync(holder, readFileSync(holder, 'utf8').replace(/"token":"[^"]*"/, '"token":"of another"'));
  });
  t.true(isStolen);
  t.deepEqual(steps, []);
  t.is(git(['cat-file', '-e', id], { cwd: top }).code, 0);
});

test.serial('a new pack that does not read back as it was written takes nothing\'s place', async (t) => {
  if (skipWithoutGit(t)) return;
  const top = makeRepository(t, 'sha1', 'seq 1 2000 >file; git add file; git commit -qm one; seq 1 3000 >file; git commit -qam two');
  const packs = new Set<number>();
  let changed = 0;
  const restore = useDisk(new Proxy(realDisk, {
    get: (target, method: keyof Disk) => (...args: unknown[]): unknown => {
      if (method === 'write' && packs.has(args[0] as number) && (args[1] as Uint8Array).length > 500) {
        args[1] = Buffer.from(args[1] as Uint8Array);
        (args[1] as Buffer)[(args[1] as Buffer).length >> 1]! ^= 1;
        changed += 1;
      }
      const result = (target[method] as (...all: unknown[]) => unknown)(...args);
      if (method === 'open' && String(args[0]).includes('tmp_pack_')) packs.add(result as number);
      if (method === 'close') packs.delete(args[0] as number);
      return result;
    },
  }));
  try {
    t.not((await runIn(top, ['gc', '-q'])).code, 0);
  } finally {
    restore();
  }
  t.true(changed > 0);
  const { code, stderr } = git(['fsck', '--full', '--strict'], { cwd: top });
  t.is(code, 0, stderr);
});
