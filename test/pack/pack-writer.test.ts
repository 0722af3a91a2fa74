import test from 'ava';
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { realDisk, useDisk } from '../../pack/disk.js';
import { emptyBlobId, hashObject } from '../../pack/oid.js';
import type { ObjectFormat } from '../../pack/oid.js';
import { ObjectStore } from '../../pack/object-store.js';
import { PackWriter, encodeEntryHeader } from '../../pack/pack-writer.js';
import { deflate } from '../../pack/zlib.js';
import { makeSandbox, seededRandom } from '../helpers/sandbox.js';
import { git, skipWithoutGit } from '../helpers/stock-git.js';

test('an entry header holds sizes beyond 32 bits', (t) => {
  t.deepEqual([...encodeEntryHeader('blob', 0)], [0x30]);
  t.deepEqual([...encodeEntryHeader('commit', 15)], [0x1f]);
  t.deepEqual([...encodeEntryHeader('tree', 16)], [0xa0, 0x01]);
  t.deepEqual([...encodeEntryHeader('blob', 2 ** 40 + 5)], [0xb5, 0x80, 0x80, 0x80, 0x80, 0x80, 0x02]);
});

for (const format of ['sha1', 'sha256'] as const) {
  test(`stock git verifies and reads a ${format} pack of every kind of entry`, (t) => {
    if (skipWithoutGit(t)) return;
    const directory = makeSandbox(t);
    git(['init', '-q', `--object-format=${format}`, '.'], { cwd: directory });
    const packs = join(directory, '.git/objects/pack');
    const visible: string[] = [];
    const writer = new PackWriter(packs, format, { onVisible: (pack) => visible.push(pack.packId) });
    const random = seededRandom(7);
    const noise = Buffer.from(Array.from({ length: 300_000 }, () => Math.floor(random() * 256)));
    const text = Buffer.from('the same line again\n'.repeat(150_000));
    const ids = [
      writer.add('blob', Buffer.from('small')),
      writer.add('blob', Buffer.alloc(0)),
      writer.addStream('blob', text.length, pieces(text, 70_001)),
      writer.addStream('blob', noise.length, pieces(noise, 1000)),
    ];
    const ready = Buffer.from('compressed elsewhere');
    const readyId = hashObject('blob', ready, format);
    writer.addCompressed({ id: readyId, type: 'blob', sizeBytes: ready.length, deflated: deflate(ready, 6) });
    t.is(writer.add('blob', Buffer.from('small')), ids[0]!);
    t.is(writer.addStream('blob', noise.length, [noise]), ids[3]!, 'a duplicate found late is taken back');
    t.is(writer.add('blob', Buffer.from('after')), hashObject('blob', Buffer.from('after'), format));
    t.is(writer.count, 6);
    t.deepEqual(readdirSync(packs).filter((name) => !name.startsWith('tmp_')), [], 'nothing is visible before finish');
    const pack = writer.finish()!;
    t.is(pack.objects, 6);
    t.deepEqual(visible, [pack.packId]);
    t.deepEqual(readdirSync(packs).sort(), [`pack-${pack.packId}.idx`, `pack-${pack.packId}.pack`]);
    t.is(statSync(join(packs, `pack-${pack.packId}.pack`)).size, pack.bytes);
    t.is(statSync(join(packs, `pack-${pack.packId}.pack`)).mode & 0o777, 0o444);
    t.is(git(['verify-pack', join(packs, `pack-${pack.packId}.idx`)], { cwd: directory }).code, 0);
    t.is(git(['fsck', '--full', '--strict'], { cwd: directory }).code, 0);
    t.true(git(['cat-file', 'blob', ids[2]!], { cwd: directory }).stdoutBytes.equals(text));
    t.true(git(['cat-file', 'blob', ids[3]!], { cwd: directory }).stdoutBytes.equals(noise));
    t.is(ids[1], emptyBlobId(format));
    t.is(git(['cat-file', 'blob', readyId], { cwd: directory }).stdout, 'compressed elsewhere');
    const again = join(directory, 'again.idx');
    git(['index-pack', '-o', again, join(packs, `pack-${pack.packId}.pack`)], { cwd: directory });
    t.true(readFileSync(join(packs, `pack-${pack.packId}.idx`)).equals(readFileSync(again)), 'the index is byte for byte git\'s');
  });
}

function* pieces(bytes: Buffer, size: number): Iterable<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

function writerIn(directory: string, format: ObjectFormat = 'sha1'): PackWriter {
  return new PackWriter(join(directory, 'pack'), format);
}

test('a pack of nothing is not written', (t) => {
  const directory = makeSandbox(t);
  t.is(writerIn(directory).finish(), undefined);
  const late = writerIn(directory);
  const bytes = Buffer.from('x');
  const once = new PackWriter(join(directory, 'pack'), 'sha1', { isStored: (id) => id === hashObject('blob', bytes, 'sha1') });
  once.add('blob', bytes);
  t.is(once.addStream('blob', 1, [bytes]), hashObject('blob', bytes, 'sha1'));
  t.is(once.finish(), undefined);
  late.abort();
  t.deepEqual(readdirSync(join(directory, 'pack')), []);
});

test('abort, and leaving the scope, leave nothing behind', (t) => {
  const directory = makeSandbox(t);
  {
    using writer = writerIn(directory);
    writer.add('blob', Buffer.from('never seen'));
    t.is(readdirSync(join(directory, 'pack')).length, 1);
  }
  t.deepEqual(readdirSync(join(directory, 'pack')), []);
});

test('a stream of the wrong length is refused and the pack goes on without it', (t) => {
  const directory = makeSandbox(t);
  const writer = writerIn(directory);
  writer.add('blob', Buffer.from('before'));
  t.throws(() => writer.addStream('blob', 10, [Buffer.from('short')]), { message: /not 10 bytes/ });
  t.throws(() => writer.addStream('blob', 2, [Buffer.from('too long')]), { message: /not 2 bytes/ });
  writer.add('blob', Buffer.from('after'));
  const pack = writer.finish()!;
  t.is(pack.objects, 2);
  t.true(existsSync(join(directory, 'pack', `pack-${pack.packId}.idx`)));
});

test('the same objects in the same order make the same pack, also when it is there already', (t) => {
  const directory = makeSandbox(t);
  const make = (): string => {
    const writer = writerIn(directory);
    writer.add('blob', Buffer.from('one'));
    writer.add('blob', Buffer.from('two'));
    return writer.finish()!.packId;
  };
  t.is(make(), make());
  t.is(readdirSync(join(directory, 'pack')).length, 2);
});

test('a store knows what its bulk writer finished, and does not store it twice', (t) => {
  const directory = makeSandbox(t);
  const store = ObjectStore.open(directory, 'sha256');
  const loose = store.write('blob', Buffer.from('loose already'));
  const bulk = store.bulk();
  const id = bulk.add('blob', Buffer.from('packed'));
  bulk.add('blob', Buffer.from('loose already'));
  t.false(store.has(id));
  t.is(bulk.finish()?.objects, 1);
  t.deepEqual(store.read(id).bytes, Buffer.from('packed'));
  t.is(store.locate(loose)?.kind, 'loose');
  const again = store.bulk();
  again.add('blob', Buffer.from('packed'));
  t.is(again.finish(), undefined);
});

test.serial('the index of a pack gets its name last: it is what makes the pack visible', (t) => {
  const directory = makeSandbox(t);
  const named: string[] = [];
  const restore = useDisk({ ...realDisk, rename: (from, to) => {
    named.push(String(to).replace(/.*\./, ''));
    realDisk.rename(from, to);
  } });
  try {
    const writer = new PackWriter(directory, 'sha1', { hasReverseIndex: true });
    writer.add('blob', Buffer.from('content'));
    writer.finish();
  } finally {
    restore();
  }
  t.deepEqual(named, ['pack', 'rev', 'idx']);
});
