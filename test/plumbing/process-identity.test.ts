import test from 'ava';
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { identifyProcess } from '../../plumbing/process-identity.js';

test('a process that has ended is no process, even when nobody asked for its exit code', async (t) => {
  if (!existsSync('/proc/self/stat')) return void t.pass('there is no /proc here');
  // Who takes the place of the shell knows nothing of its child.
  const parent = spawn('/bin/sh', ['-c', 'sleep 0 & echo $!; exec sleep 60'], { stdio: ['ignore', 'pipe', 'ignore'] });
  t.teardown(() => parent.kill());
  const [chunk] = await parent.stdout!.take(1).toArray() as [Buffer];
  const pid = Number(chunk.toString());
  while (!/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'))) await wait(5);
  t.is(identifyProcess(pid), undefined);
  t.is(identifyProcess(process.pid)?.pid, process.pid);
});
