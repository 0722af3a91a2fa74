// Every byte of an archive and its sidecar counts: one that is flipped, or a cut anywhere, is noticed, and what is damaged is named.
import test, { type ExecutionContext } from 'ava';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ObjectFormat, ObjectId } from '../../../pack/oid.js';
import { PackIntake } from '../../../pack/pack-intake.js';
import { CairnError } from '../../../pack/errors.js';
import { runSteps } from '../../../plumbing/interruption.js';
import { verifyArchive } from '../../../porcelain/archive/verification.js';
import { cairn } from '../../helpers/cairn.js';
import { testSeed } from '../../helpers/sample-content.js';
import { makeSandbox, seededRandom } from '../../helpers/sandbox.js';
import { commitFiles, makeRepository } from '../../helpers/snapshots.js';

interface Made {
  readonly path: string;
  readonly bytes: Buffer;
  readonly sidecar: Buffer;
  readonly packOffset: number;
  /** Of each object, where it begins in the file and where it ends, what it builds on, and what builds on it. */
  readonly objects: readonly { readonly id: ObjectId; readonly start: number; readonly end: number }[];
}

async function make(t: ExecutionContext, format: ObjectFormat, snapshots: readonly Readonly<Record<string, string>>[]): Promise<Made> {
  const repository = makeRepository(t, { objectFormat: format });
  for (const files of snapshots) commitFiles(repository, files);
  const path = join(makeSandbox(t, { inMemory: true }), 'x.cairn');
  const created = await cairn(['archive', 'create', path], { cwd: repository.workTree! });
  if (created.code !== 0) throw new Error(created.stderr);
  const { packOffset } = runSteps(verifyArchive(path));
  using intake = PackIntake.readFile(path, format, { startsAt: packOffset });
  const { indexer } = intake;
  const objects = Array.from({ length: indexer.count }, (_, number) => {
    const start = packOffset + indexer.offsetAt(number);
    return { id: indexer.idAt(number), start, end: start + indexer.storedBytesAt(number) };
  });
  return { path, bytes: readFileSync(path), sidecar: readFileSync(`${path}.info.json`), packOffset, objects };
}

/** What verifying says: undefined when it finds nothing wrong. */
function complaint(path: string): string | undefined {
  try {
    runSteps(verifyArchive(path));
    return undefined;
  } catch (error) {
    if (error instanceof CairnError) return error.message;
    throw error;
  }
}

const text = (seed: number, lines: number): string => {
  const random = seededRandom(seed);
  return Array.from({ length: lines }, () => `${Math.floor(random() * 1e6)} words\n`).join('');
};
const grown = [{ file: text(1, 40), 'dir/same': 'same\n' }, { file: `${text(1, 40)}more\n`, 'dir/same': 'same\n' }];

for (const format of ['sha1', 'sha256'] as const) {
  test(`each flipped byte and each cut of a small archive of ${format} is noticed and the object named`, async (t) => {
    const { path, bytes, packOffset, objects } = await make(t, format, grown);
    const masks = [0x01, 0x80];
    let flips = 0;
    for (let at = 0; at < bytes.length; at += 1) {
      const damaged = Buffer.from(bytes);
      damaged[at]! ^= masks[at % 2]!;
      writeFileSync(path, damaged);
      const said = complaint(path);
      flips += 1;
      const object = objects.find(({ start, end }) => at >= start && at < end);
      if (said === undefined) t.fail(`byte ${at} of ${bytes.length}`);
      else if (object !== undefined) t.true(said.includes(object.id), `byte ${at}, ${object.id}: ${said}`);
      else t.regex(said, at < packOffset ? /its header, at byte/ : at < packOffset + 12 ? /pack's header/ : /checksum at its end/, `byte ${at}`);
    }
    for (let length = 0; length < bytes.length; length += 1) {
      writeFileSync(path, bytes.subarray(0, length));
      const said = complaint(path) ?? '';
      t.true(said.includes(`${length} bytes long instead of ${bytes.length}`), `cut at ${length}: ${said}`);
      // Each object whose end is cut off is not whole; the first of them is named, or one that is needed by it.
      const cut = objects.filter(({ end }) => end > length);
      if (cut.length > 0) t.true(cut.some(({ id }) => said.includes(id)), `cut at ${length}: ${said}`);
    }
    writeFileSync(path, Buffer.concat([bytes, Buffer.from('x')]));
    t.regex(complaint(path) ?? '', /bytes long instead of/);
    writeFileSync(path, bytes);
    t.is(complaint(path), undefined);
    t.log(`${flips} flips, ${bytes.length} cuts`);
  });
}

test('each flipped byte and each cut of a sidecar is noticed', async (t) => {
  const { path, sidecar } = await make(t, 'sha256', grown);
  const place = `${path}.info.json`;
  for (let at = 0; at < sidecar.length; at += 1) {
    for (const mask of [0x01, 0x20]) {
      const damaged = Buffer.from(sidecar);
      damaged[at]! ^= mask;
      writeFileSync(place, damaged);
      t.regex(complaint(path) ?? '', /sidecar/, `byte ${at}`);
    }
    writeFileSync(place, sidecar.subarray(0, at));
    t.regex(complaint(path) ?? '', /sidecar/, `cut at ${at}`);
  }
  writeFileSync(place, Buffer.concat([sidecar, Buffer.from('\n')]));
  t.regex(complaint(path) ?? '', /sidecar/);
});

test('a sample of flipped bytes and cuts of a larger archive is noticed and the object named', async (t) => {
  const random = seededRandom(testSeed);
  const files = (round: number): Record<string, string> => Object.fromEntries(Array.from({ length: 60 }, (_, at) => [`d${at % 7}/f${at}`, text(at, 100 + at) + (at % 5 === 0 ? `${round}\n` : '')]));
  const { path, bytes, objects } = await make(t, 'sha256', [files(1), files(2), files(3)]);
  for (let sample = 0; sample < 60; sample += 1) {
    const object = objects[Math.floor(random() * objects.length)]!;
    const at = object.start + Math.floor(random() * (object.end - object.start));
    const damaged = Buffer.from(bytes);
    damaged[at]! ^= 1 << Math.floor(random() * 8);
    writeFileSync(path, damaged);
    const said = complaint(path) ?? 'nothing';
    t.true(said.includes(object.id) || /more objects are not whole/.test(said), `seed ${testSeed}, byte ${at}, ${object.id}: ${said}`);
    const cut = Math.floor(random() * bytes.length);
    writeFileSync(path, bytes.subarray(0, cut));
    t.regex(complaint(path) ?? 'nothing', /bytes long instead of/, `seed ${testSeed}, cut at ${cut}`);
  }
});
