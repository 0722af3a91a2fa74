import test from 'ava';
import { spawnSync } from 'node:child_process';
import { chmodSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { combineAdler32, adler32 } from '../../pack/kernels/adler32.js';
import { digest, hashObject } from '../../pack/oid.js';
import { encodeEntryHeader } from '../../pack/pack-writer.js';
import { largeFileBytes } from '../../pack/packing-job.js';
import type { PackedFiles } from '../../pack/packing-job.js';
import { WorkerPool } from '../../pack/workers.js';
import { crc32, inflate, zlibHeader, zlibTrailer } from '../../pack/zlib.js';
import { makeSandbox, seededRandom, writeFiles } from '../helpers/sandbox.js';

function packed(pool: WorkerPool, root: string, paths: readonly string[], level = 1): PackedFiles {
  pool.submit({ kind: 'files', root, paths, format: 'sha256', level });
  const { result } = pool.take()!;
  if (result.kind !== 'files') throw new Error('another kind of result');
  return result;
}

for (const threads of [0, 2]) {
  for (const level of [0, 1, 6]) {
    test(`files become pack entries, ${threads} threads, level ${level}`, (t) => {
      const root = makeSandbox(t);
      const noise = Buffer.alloc(200_000);
      const random = seededRandom(3);
      for (let at = 0; at < noise.length; at += 1) noise[at] = Math.floor(random() * 256);
      const contents: Record<string, Buffer> = {
        empty: Buffer.alloc(0), 'sub/text': Buffer.from('line\n'.repeat(1000)), noise, exec: Buffer.from('#!/bin/sh\n'),
      };
      writeFiles(root, contents);
      writeFileSync(Buffer.from(`${root}/\xff\xe9`, 'latin1'), 'odd name');
      chmodSync(join(root, 'exec'), 0o755);
      using pool = new WorkerPool({ threads });
      const paths = [...Object.keys(contents), '\xff\xe9'];
      const result = packed(pool, root, paths, level);
      t.is(result.files.length, paths.length);
      result.files.forEach((file, at) => {
        const content = contents[paths[at]!] ?? Buffer.from('odd name');
        if (file.state !== 'packed') return t.fail(`${paths[at]} is ${file.state}`);
        t.is(file.id, hashObject('blob', content, 'sha256'));
        const entry = Buffer.from(result.output.subarray(file.start, file.end));
        t.is(file.crc32, crc32(entry));
        const header = encodeEntryHeader('blob', content.length);
        t.true(entry.subarray(0, header.length).equals(header));
        t.true(inflate(entry, header.length, content.length).bytes.equals(content));
        t.is(file.stat.sizeBytes, content.length);
        t.is(file.stat.mtimeS * 1000, Math.floor(statSync(Buffer.from(`${root}/${paths[at]}`, 'latin1')).mtimeMs / 1000) * 1000);
      });
      t.is(result.files[3]?.state === 'packed' && result.files[3].stat.mode & 0o100, 0o100);
    });
  }
}

test('what is no small regular file is named, and never followed or waited for', (t) => {
  const root = makeSandbox(t);
  writeFiles(root, { 'dir/file': 'x', link: { link: 'dir/file' }, large: '' });
  truncateSync(join(root, 'large'), largeFileBytes);
  if (spawnSync('mkfifo', [join(root, 'pipe')]).status !== 0) t.log('no mkfifo here');
  using pool = new WorkerPool({ threads: 0 });
  const { files, output } = packed(pool, root, ['dir', 'link', 'pipe', 'gone', 'dir/file/below', 'large', 'dir/file']);
  t.deepEqual(files.map((file) => file.state), ['other', 'other', 'other', 'missing', 'missing', 'large', 'packed']);
  t.true(output.length < 100);
});

test('a result stays bounded: what does not fit is left for another job', (t) => {
  const root = makeSandbox(t);
  const paths = Array.from({ length: 12 }, (_, at) => `noise${at}`);
  const random = seededRandom(5);
  const noise = Buffer.alloc(1024 * 1024);
  for (let at = 0; at < noise.length; at += 4) noise.writeUInt32LE(Math.floor(random() * 2 ** 32), at);
  for (const path of paths) writeFileSync(join(root, path), noise);
  using pool = new WorkerPool({ threads: 1 });
  const first = packed(pool, root, paths);
  t.true(first.files.length < paths.length);
  t.true(first.output.length < 8 * 1024 * 1024);
});

test('pieces compressed apart join to one zlib stream', (t) => {
  const content = Buffer.from('all work and no play '.repeat(20_000));
  using pool = new WorkerPool({ threads: 2 });
  const order: number[] = [];
  for (let at = 0; at < content.length; at += 100_000) {
    order.push(pool.submit({ kind: 'piece', bytes: Uint8Array.from(content.subarray(at, at + 100_000)), level: 1 }));
  }
  const results = new Map<number, { deflated: Uint8Array; adler32: number; length: number }>();
  for (let done = pool.take(); done !== undefined; done = pool.take()) {
    if (done.result.kind === 'piece') results.set(done.number, { ...done.result, length: done.result.bytes.length });
  }
  let checksum = 1;
  const parts: Uint8Array[] = [zlibHeader];
  for (const number of order) {
    const piece = results.get(number)!;
    parts.push(piece.deflated);
    checksum = combineAdler32(checksum, piece.adler32, piece.length);
  }
  t.is(checksum, adler32(content));
  const stream = Buffer.concat([...parts, zlibTrailer(checksum)]);
  t.true(inflate(stream, 0, content.length).bytes.equals(content));
});

test('a digest is computed elsewhere, and a failing job says why', (t) => {
  const root = makeSandbox(t);
  const content = Buffer.alloc(3_000_000, 'abc');
  writeFileSync(join(root, 'file'), content);
  using pool = new WorkerPool({ threads: 1 });
  pool.submit({ kind: 'digest', path: join(root, 'file'), sizeBytes: content.length - 1, format: 'sha1' });
  const { result } = pool.take()!;
  t.deepEqual(result.kind === 'digest' && Buffer.from(result.digest), digest(content.subarray(0, -1), 'sha1'));
  pool.submit({ kind: 'digest', path: join(root, 'file'), sizeBytes: content.length + 1, format: 'sha1' });
  t.throws(() => pool.take(), { message: /ended at 3000000/ });
  pool.submit({ kind: 'digest', path: join(root, 'file'), sizeBytes: 0, format: 'sha1' });
  t.is(pool.take()!.result.kind, 'digest');
});

test('threads start only once enough work is queued', (t) => {
  const root = makeSandbox(t);
  writeFiles(root, { one: '1', two: '2' });
  using pool = new WorkerPool({ threads: 1, startWeight: 3 });
  pool.submit({ kind: 'files', root, paths: ['one'], format: 'sha1', level: 1 }, 1);
  pool.submit({ kind: 'files', root, paths: ['two'], format: 'sha1', level: 1 }, 1);
  t.false(pool.isRunning);
  t.is(pool.take()!.number, 1);
  pool.submit({ kind: 'files', root, paths: ['one'], format: 'sha1', level: 1 }, 2);
  t.true(pool.isRunning);
  t.is(pool.pending, 2);
  t.truthy(pool.take());
  t.truthy(pool.take());
  t.is(pool.take(), undefined);
});
