// Promise: an object that is touched while a sweep takes it away gets its name back, durably, before the sweep lets go of it.
import test from 'ava';
import { readFileSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { useDisk } from '../../pack/disk.js';
import { runIn } from '../crash/crash-lab.js';
import { RecordingDisk } from '../crash/recording-disk.js';
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
