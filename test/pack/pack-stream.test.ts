import test from 'ava';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { CorruptError } from '../../pack/errors.js';
import type { ObjectFormat, ObjectId } from '../../pack/oid.js';
import { PackStream } from '../../pack/pack-stream.js';
import { PackWriter } from '../../pack/pack-writer.js';
import { bothFormats, makeRepository } from '../helpers/differential.js';
import { makeSandbox, seededRandom } from '../helpers/sandbox.js';
import { git, gitOutput, skipWithoutGit } from '../helpers/stock-git.js';

function* pieces(bytes: Buffer, size: number): Iterable<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** Offsets, what the entries are, sizes and checksums, in the order of the pack. */
function listed(pack: Buffer, format: ObjectFormat, pieceBytes: number): string[] {
  const stream = new PackStream(pieces(pack, pieceBytes), format);
  const found: string[] = [];
  for (const entry of stream.entries()) {
    const content = entry.read();
    found.push(`${entry.offset} ${entry.what.kind} ${entry.sizeBytes} ${content.length} ${entry.crc32.toString(16).padStart(8, '0')}`);
  }
  if (!stream.checksum.equals(pack.subarray(-stream.checksum.length))) throw new Error('another checksum');
  return found;
}

for (const format of bothFormats) {
  test(`a pack of git's, deltas and all, is read whatever its pieces (${format})`, (t) => {
    if (skipWithoutGit(t)) return;
    const directory = makeRepository(t, format, `
for i in 1 2 3 4 5 6; do seq 1 $((900 + i)) > numbers; seq $i 300 > more; git add .; git commit -qm "change $i"; done; git repack -q -a -d`);
    const packs = join(directory, '.git/objects/pack');
    const name = readdirSync(packs).find((file) => file.endsWith('.pack'))!;
    const pack = readFileSync(join(packs, name));
    const expected = listed(pack, format, pack.length);
    t.true(expected.some((line) => line.includes('offset-delta')));
    const index = readFileSync(join(packs, name.replace('.pack', '.idx')));
    const checksums = git(['show-index', `--object-format=${format}`], { cwd: directory, stdin: index }).stdout.trim().split('\n');
    const byOffset = new Map(checksums.map((line) => { const [offset, , checksum] = line.split(' '); return [offset, checksum!.slice(1, -1)]; }));
    for (const line of expected) t.is(byOffset.get(line.split(' ')[0]), line.split(' ')[4]);
    for (const size of [1, 7, 1000]) t.deepEqual(listed(pack, format, size), expected);
    const verified = gitOutput(['verify-pack', '-v', join(packs, name)], { cwd: directory }).split('\n').filter((line) => /^[0-9a-f]{40}/.test(line));
    const sizes = new Map(verified.map((line) => { const parts = line.split(/ +/); return [Number(parts[4]), Number(parts[2])]; }));
    for (const line of expected) {
      const [offset, , size] = line.split(' ');
      t.is(sizes.get(Number(offset)), Number(size));
    }
  });
}

/** A pack of every kind of content, and what is in it. */
function makePack(directory: string): { readonly bytes: Buffer; readonly contents: Buffer[] } {
  const random = seededRandom(9);
  const noise = Buffer.alloc(70_000);
  for (let at = 0; at < noise.length; at += 1) noise[at] = Math.floor(random() * 256);
  const contents = [Buffer.alloc(0), Buffer.from('small'), noise, Buffer.alloc(2_500_000, 'a large text that is inflated in pieces\n')];
  const writer = new PackWriter(directory, 'sha1');
  for (const content of contents) writer.add('blob', content);
  const { packId } = writer.finish()!;
  return { bytes: readFileSync(join(directory, `pack-${packId}.pack`)), contents };
}

test('small and large contents come back, and what nobody reads is passed over', (t) => {
  const { bytes, contents } = makePack(makeSandbox(t));
  const all = [...new PackStream(pieces(bytes, 5000), 'sha1').entries()];
  t.is(all.length, contents.length, 'none was read');
  let at = 0;
  for (const entry of new PackStream([bytes], 'sha1').entries()) {
    t.deepEqual(entry.what, { kind: 'object', type: 'blob' });
    t.true(entry.read().equals(contents[at]!));
    at += 1;
  }
  for (const entry of new PackStream([bytes], 'sha1').entries()) {
    if (entry.sizeBytes > 1_000_000) for (const chunk of entry.chunks()) t.true(chunk.length <= 1_000_000);
  }
});

function readAll(bytes: Buffer, pieceBytes: number): number {
  let size = 0;
  for (const entry of new PackStream(pieces(bytes, pieceBytes), 'sha1').entries()) size += entry.read().length;
  return size;
}

test('a pack that is cut, changed or goes on is an error, never something else', (t) => {
  const directory = makeSandbox(t);
  const writer = new PackWriter(directory, 'sha1');
  for (let at = 0; at < 5; at += 1) writer.add('blob', Buffer.from(`content ${at}`.repeat(at + 1)));
  const pack = readFileSync(join(directory, `pack-${writer.finish()!.packId}.pack`));
  for (let length = 0; length < pack.length; length += 1) t.throws(() => readAll(pack.subarray(0, length), 13), { instanceOf: CorruptError, code: 'bad-pack' } as never);
  for (let at = 0; at < pack.length; at += 1) {
    const changed = Buffer.from(pack);
    changed[at]! ^= 0x41;
    t.throws(() => readAll(changed, 17), { instanceOf: CorruptError } as never, `byte ${at}`);
  }
  t.throws(() => readAll(Buffer.concat([pack, Buffer.from('x')]), 100), { message: /something follows/ });
  t.notThrows(() => readAll(pack, 1));
});

test('hostile headers are refused at once', (t) => {
  const header = Buffer.from('PACK\0\0\0\x02\xff\xff\xff\xff', 'latin1');
  const endless = Buffer.concat([header, Buffer.alloc(40, 0xff)]);
  t.throws(() => readAll(endless, 3), { instanceOf: CorruptError, code: 'bad-pack' } as never);
  const huge = Buffer.concat([header, Buffer.from([0xbf, 0xff, 0xff, 0xff, 0x7f]), Buffer.from([0x78, 1, 3, 0, 0, 0, 0, 1])]);
  t.throws(() => readAll(huge, 3), { instanceOf: CorruptError, code: 'bad-pack' } as never);
  for (const delta of [[0x65, 0], [0x65, 1], [0x65, 0xff, 0xff, 0xff, 0x7f]]) {
    t.throws(() => readAll(Buffer.concat([header, Buffer.from(delta), Buffer.alloc(40)]), 5), { instanceOf: CorruptError } as never);
  }
  t.throws(() => new PackStream([Buffer.from('PACK\0\0\0\x09\0\0\0\0', 'latin1')], 'sha1'), { message: /version 9/ });
  t.throws(() => new PackStream([Buffer.from('nothing at all')], 'sha1'), { message: /PACK/ });
  const byId = Buffer.concat([header, Buffer.from([0x75]), Buffer.alloc(20, 0xab), Buffer.from([0x78, 1])]);
  const [entry] = new PackStream([byId], 'sha1').entries();
  t.deepEqual(entry?.what, { kind: 'id-delta', baseId: 'ab'.repeat(20) as ObjectId });
});
