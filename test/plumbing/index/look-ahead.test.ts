import test from 'ava';
import { renameSync, rmSync, symlinkSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { hashObject } from '../../../pack/oid.js';
import { repoPath } from '../../../pack/tree.js';
import { type Index, indexEntry, readIndex } from '../../../plumbing/index/index-file.js';
import { lockIndex } from '../../../plumbing/index/index-lock.js';
import { LookAhead } from '../../../plumbing/index/look-ahead.js';
import { type LookAheadTask, lookAheadControl } from '../../../plumbing/index/look-ahead-task.js';
import type { Repository } from '../../../plumbing/repository.js';
import { type Scan, scanWorkTree } from '../../../plumbing/index/work-status.js';
import { WorkTree } from '../../../plumbing/index/work-tree.js';
import { cairnOutput, cairnProcess, projectRoot } from '../../helpers/cairn.js';
import { writeFiles } from '../../helpers/sandbox.js';
import { makeRepository, reopen } from '../../helpers/snapshots.js';

const fileCount = 600;
const files = Object.fromEntries(Array.from({ length: fileCount }, (_, at) => [`d${Math.floor(at / 50)}/e${at % 3}/file${at}`, `${at}\n`]));

async function makeTree(t: Parameters<typeof makeRepository>[0]): Promise<{ repository: Repository; top: string }> {
  const top = makeRepository(t).workTree!;
  writeFiles(top, files);
  // Older than the index, so that nothing is racy.
  for (const path of Object.keys(files)) utimesSync(join(top, path), 1_000_000_000, 1_000_000_000.5);
  await cairnOutput(['add', '.'], { cwd: top });
  return { repository: reopen(top), top };
}

function scan(repository: Repository, untracked: 'no' | 'all', ahead?: LookAhead): Scan {
  const index = readIndex(repository);
  return scanWorkTree(new WorkTree(repository, index), index, { untracked, ahead });
}

test('a scan with threads finds what one without them finds', async (t) => {
  const { repository, top } = await makeTree(t);
  const names = Object.keys(files);
  rmSync(join(top, names[3]!));
  rmSync(join(top, names.at(-2)!));
  rmSync(join(top, 'd7'), { recursive: true });
  // Through the link the very same files are found, but they are not where the index has them.
  renameSync(join(top, 'd9/e0'), join(top, 'moved'));
  symlinkSync('../moved', join(top, 'd9/e0'));
  writeFiles(top, { [names[100]!]: 'changed\n', [names[500]!]: 'changed, too\n', 'd11/new': 'x', 'd3/e1/new': 'x' });
  for (const untracked of ['no', 'all'] as const) {
    const alone = scan(repository, untracked);
    t.true(alone.changes.length > 50);
    t.is(alone.untracked.length, untracked === 'all' ? 20 : 0);
    for (const threads of [1, 3]) {
      using ahead = LookAhead.start(repository, { leastIndexBytes: 0, threads })!;
      t.deepEqual(scan(repository, untracked, ahead), alone, `${threads} threads`);
    }
  }
});

test('small indexes, missing ones and single processors get no thread', async (t) => {
  const { repository } = await makeTree(t);
  t.is(LookAhead.start(repository), undefined);
  t.is(LookAhead.start(repository, { leastIndexBytes: 0, threads: 0 }), undefined);
  rmSync(repository.indexPath);
  t.is(LookAhead.start(repository), undefined);
});

/** What a thread marks when nobody goes through the entries from the front. */
async function marksOf(repository: Repository, index: Index): Promise<Uint8Array> {
  const control = new Int32Array(new SharedArrayBuffer(12));
  const marks = new Uint8Array(new SharedArrayBuffer(index.count));
  const workTree = new WorkTree(repository, index);
  const worker = new Worker(join(projectRoot, 'dist/lib/plumbing/index/look-ahead-worker.js'), { workerData: { control } });
  const task: LookAheadTask = { rows: index.rows!, marks, rules: workTree.appearance, top: workTree.top };
  control[lookAheadControl.taken] = index.count;
  worker.postMessage(task);
  const ended = new Promise((resolve, reject) => worker.once('exit', resolve).once('error', reject));
  Atomics.store(control, lookAheadControl.sent, 1);
  Atomics.notify(control, lookAheadControl.sent);
  await ended;
  return marks;
}

test('a thread marks exactly what is unchanged, from the end to the one entry the scan begins with', async (t) => {
  const { repository, top } = await makeTree(t);
  const index = readIndex(repository);
  rmSync(join(top, Object.keys(files)[7]!));
  writeFiles(top, { [Object.keys(files)[200]!]: 'changed\n' });
  const marks = await marksOf(repository, index);
  const unmarked = index.entries.filter((_, at) => marks[at] !== 1).map(({ path }): string => path);
  t.deepEqual(new Set(unmarked), new Set([index.pathAt(0), Object.keys(files)[7]!, Object.keys(files)[200]!]));
});

test('as a process: status of an index large enough for threads says what is there and what is not', async (t) => {
  const { repository, top } = await makeTree(t);
  {
    using lock = lockIndex(repository);
    const id = hashObject('blob', Buffer.from('x'), repository.format);
    for (let at = 0; at < 12_000; at += 1) lock.index.set(indexEntry({ path: repoPath(`gone/${'name'.repeat(60)}${at}`), mode: 0o100644, id }));
    lock.write();
  }
  const changed = Object.keys(files).at(-1)!;
  writeFiles(top, { [changed]: 'changed\n', new: 'x' });
  const result = cairnProcess(['-c', 'status.renames=false', 'status', '--porcelain'], { cwd: top });
  t.is(result.code, 0);
  t.is(result.stderr, '');
  const lines = result.stdout.trim().split('\n').filter((line) => !line.startsWith('A  '));
  t.is(lines.filter((line) => line.startsWith('AD gone/')).length, 12_000);
  t.deepEqual(lines.filter((line) => !line.startsWith('AD ')), [`AM ${changed}`, '?? new']);
});
