// Promise: a file that cannot get a second name in a batch is copied, and the copy is durable before it has that name.
import test from 'ava';
import { mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Disk, realDisk, useDisk } from '../../pack/disk.js';
import { Batch } from '../../pack/quarantine.js';
import { makeSandbox } from '../helpers/sandbox.js';

test.serial('where a link cannot be made, a durable copy as old takes its place', (t) => {
  const root = makeSandbox(t);
  const file = join(root, 'objects/ab/cdef');
  mkdirSync(join(root, 'objects/ab'), { recursive: true });
  writeFileSync(file, 'content');
  utimesSync(file, 1_000_000, 1_000_000);
  const batch = Batch.create(join(root, 'quarantine'), 1_700_000_000_000, 1);
  const steps: string[] = [];
  const copied = new Map<number, string>();
  const disk: Disk = {
    ...realDisk,
    link: () => { throw Object.assign(new Error('EXDEV: cross-device link not permitted'), { code: 'EXDEV', syscall: 'link' }); },
    open: (path, flags, mode) => {
      const fd = realDisk.open(path, flags, mode);
      copied.set(fd, String(path));
      return fd;
    },
    cloneFile: (from, to) => {
      steps.push(`copy ${String(to)}`);
      realDisk.cloneFile(from, to);
    },
    fsync: (fd) => {
      steps.push(`fsync ${copied.get(fd)}`);
      realDisk.fsync(fd);
    },
    rename: (from, to) => {
      steps.push(`rename ${String(from)}`);
      realDisk.rename(from, to);
    },
  };
  const restore = useDisk(disk);
  try {
    const held = batch.holdLoose(file)!;
    t.is(readFileSync(held.held, 'utf8'), 'content');
    const copy = steps[0]!.slice('copy '.length);
    t.deepEqual(steps.slice(0, 3), [`copy ${copy}`, `fsync ${copy}`, `rename ${copy}`]);
  } finally {
    restore();
  }
});
