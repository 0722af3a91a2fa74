// Releases as real processes: killed at any moment under the eyes of a reader, and racing for one channel.
import test from 'ava';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, readdirSync, readlinkSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ObjectId } from '../../pack/oid.js';
import { parseChannel } from '../../porcelain/channel.js';
import { listEvents } from '../../porcelain/events.js';
import { listReceipts } from '../../porcelain/receipt.js';
import { cairnProcess, cairnProgram } from '../helpers/cairn.js';
import { seededRandom } from '../helpers/sandbox.js';
import { commitFiles, makeRepository, reopen } from '../helpers/snapshots.js';
import { cleanEnvironment } from '../helpers/stock-git.js';

const channel = parseChannel('prod');
const fileCount = 12;

/** Every file says which version it belongs to. */
function version(number: number): Record<string, string> {
  return Object.fromEntries(Array.from({ length: fileCount }, (_unused, at) => [`d${at % 3}/f${at}`, `${number}:${at}\n`]));
}

/** The version a reader sees, who opens the target once; throws when it is a mixture. */
function readVersion(target: string): number {
  const directory = realpathSync(target);
  const seen = new Set<string>();
  let files = 0;
  for (const inner of readdirSync(directory)) {
    for (const name of readdirSync(join(directory, inner))) {
      const [number, at] = readFileSync(join(directory, inner, name), 'utf8').trim().split(':');
      if (name !== `f${at}`) throw new Error(`'${name}' holds what belongs to f${at}`);
      seen.add(number!);
      files += 1;
    }
  }
  if (seen.size !== 1 || files !== fileCount) throw new Error(`a mixture of ${[...seen].join(', ')} in ${files} files`);
  return Number([...seen][0]);
}

test('a reader sees whole releases only, while releases are killed again and again; then one more needs no help', async (t) => {
  const seed = Number(process.env['CAIRN_TEST_SEED'] ?? 20051120);
  const random = seededRandom(seed);
  t.log(`seed ${seed}`);
  const repository = makeRepository(t);
  const root = repository.workTree!;
  const target = join(root, 'www');
  const commits: ObjectId[] = [];
  for (let number = 0; number < 24; number += 1) commits.push(commitFiles(repository, version(number)));
  const begunMs = performance.now();
  t.is(cairnProcess(['release', 'prod', commits[0]!, '--to', 'www'], { cwd: root }).code, 0);
  const usualMs = performance.now() - begunMs;
  let reads = 0;
  let reading = true;
  const reader = (async () => {
    while (reading) {
      for (let again = 0; again < 10; again += 1, reads += 1) readVersion(target);
      await delay(4);
    }
  })();
  let killed = 0;
  let acknowledged = 1;
  for (const commit of commits.slice(1)) {
    const child = spawn(cairnProgram, ['release', 'prod', commit], { cwd: root, env: cleanEnvironment, stdio: 'ignore' });
    const timer = setTimeout(() => child.kill('SIGKILL'), usualMs * (0.2 + random() * 2.4));
    const [code] = await once(child, 'exit') as [number | null];
    clearTimeout(timer);
    if (code === 0) acknowledged += 1;
    else killed += 1;
  }
  reading = false;
  await t.notThrowsAsync(reader);
  t.true(reads > 100);
  t.is(cairnProcess(['release', 'prod', commits[3]!], { cwd: root }).code, 0);
  t.is(readVersion(target), 3);
  t.is(cairnProcess(['release', '--verify', 'prod'], { cwd: root }).code, 0);
  const receipts = [...listReceipts(reopen(root), channel)];
  t.true(receipts.length >= acknowledged + 1, 'everything acknowledged is in the history');
  t.is([...listEvents(reopen(root))].length, receipts.length);
  t.false(existsSync(join(repository.gitDirectory, 'cairn/releases/prod.journal')));
  t.deepEqual(readdirSync(join(root, '.www.cairn')).filter((name) => name.startsWith('tmp-')), []);
  t.log(`${killed} killed, ${acknowledged} acknowledged, ${reads} reads`);
});

test('releases racing for one channel are made one after the other, or refused with exit 4', async (t) => {
  const repository = makeRepository(t);
  const root = repository.workTree!;
  const commits = [0, 1, 2, 3].map((number) => commitFiles(repository, version(number)));
  const codes = await Promise.all(commits.map(async (commit) => {
    const child = spawn(cairnProgram, ['release', 'prod', commit, '--to', 'www'], { cwd: root, env: cleanEnvironment, stdio: 'ignore' });
    return (await once(child, 'exit') as [number | null])[0];
  }));
  t.true(codes.every((code) => code === 0 || code === 4), codes.join(' '));
  const receipts = [...listReceipts(reopen(root), channel)];
  t.is(receipts.length, codes.filter((code) => code === 0).length);
  t.true(receipts.length > 0);
  t.is(readlinkSync(join(root, 'www')), `.www.cairn/${receipts[0]!.outputs[0]!.published!.directory}`);
  t.is(commits[readVersion(join(root, 'www'))], receipts[0]!.commit);
});
