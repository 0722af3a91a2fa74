// A thread of look-ahead.ts: goes through the entries of an index from the end, some at a time, and marks those whose file looks the same.
// It ends where another thread or the scan has been, at the latest when everything was looked at. It only reads.
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { type LookAheadSetup, type LookAheadTask, lookAheadControl } from './look-ahead-task.js';
import { QuickLook } from './quick-look.js';

/** Entries taken at once: few, because the scan may be looking at the last ones, too. */
const entriesAtOnce = 64;

const { control } = workerData as LookAheadSetup;
Atomics.wait(control, lookAheadControl.sent, 0);
const received = receiveMessageOnPort(parentPort!) as { readonly message: LookAheadTask } | undefined;
if (received !== undefined) lookAt(received.message);

function lookAt({ rows, marks, rules, top }: LookAheadTask): void {
  const look = new QuickLook(rows, rules, top);
  for (;;) {
    const end = Atomics.sub(control, lookAheadControl.taken, entriesAtOnce);
    for (let at = Math.max(0, end - entriesAtOnce); at < end; at += 1) {
      if (at <= Atomics.load(control, lookAheadControl.front)) continue;
      const path = look.plainPath(at);
      if (path !== undefined && look.isUnchanged(at, path)) marks[at] = 1;
    }
    if (end - entriesAtOnce <= Atomics.load(control, lookAheadControl.front)) return;
  }
}
