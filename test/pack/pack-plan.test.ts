import test from 'ava';
import type { ExecutionContext } from 'ava';
import { join } from 'node:path';
import { createDelta } from '../../pack/delta.js';
import { DeltaSpool } from '../../pack/delta-spool.js';
import { searchDeltas } from '../../pack/delta-search.js';
import type { DeltaPiece } from '../../pack/delta-search.js';
import { searchTogether } from '../../pack/delta-threads.js';
import { DeltaWindow, pathGroup } from '../../pack/delta-window.js';
import { hardenNothing } from '../../pack/hardening.js';
import { ObjectStore } from '../../pack/object-store.js';
import { type ObjectId, encodeObjectId, hashObject } from '../../pack/oid.js';
import { PackEmitter } from '../../pack/pack-emitter.js';
import { PackPlan } from '../../pack/pack-plan.js';
import { PackReader } from '../../pack/pack-reader.js';
import { PackWriter, encodeBaseIdHeader, encodeEntryHeader } from '../../pack/pack-writer.js';
import { PackingList } from '../../pack/packing-list.js';
import { crc32, deflate } from '../../pack/zlib.js';
import { makeSandbox, seededRandom } from '../helpers/sandbox.js';

/** Versions of one text, each a little longer than the one before. */
function versions(count: number): Buffer[] {
  const random = seededRandom(3);
  const lines = Array.from({ length: 60 }, () => `line ${random()}`);
  return Array.from({ length: count }, () => {
    lines.splice(Math.floor(random() * lines.length), 1, `new ${random()}`, `more ${random()}`);
    return Buffer.from(lines.join('\n'));
  });
}

const target = (number: number, bytes: Buffer): Parameters<DeltaWindow['offer']>[0] => (
  { number, sizeBytes: bytes.length, read: () => bytes, childDepth: 0, searched: 0, isBaseOnly: false }
);

test('chains stay within the depth, and bases within the window', (t) => {
  const contents = versions(40).reverse();
  const window = new DeltaWindow({ window: 3, depth: 2 }, 20);
  let deltas = 0;
  for (const [number, bytes] of contents.entries()) {
    const found = window.offer(target(number, bytes));
    if (found === undefined) continue;
    deltas += 1;
    t.true(found.depth <= 2);
    t.true(found.base < number);
  }
  t.true(deltas > 20);
});

test('what was searched together before, and what only serves as a base, gets no delta', (t) => {
  const [first, second] = versions(2).reverse() as [Buffer, Buffer];
  const again = new DeltaWindow({ window: 10, depth: 50 }, 20);
  again.offer({ ...target(0, first), searched: 7, read: () => t.fail() as never });
  t.is(again.offer({ ...target(1, second), searched: 7, read: () => t.fail() as never }), undefined);
  const bases = new DeltaWindow({ window: 10, depth: 50 }, 20);
  t.is(bases.offer({ ...target(0, first), isBaseOnly: true }), undefined);
  t.is(bases.offer(target(1, second))?.base, 0);
});

test('like names come together', (t) => {
  t.is(pathGroup('some/a-rather-long-name.c'), pathGroup('other/place/a-rather-long-name.c'));
  t.not(pathGroup('a.c'), pathGroup('a.h'));
  t.true(Math.abs(pathGroup('x/a.c') - pathGroup('y/b.c')) < Math.abs(pathGroup('x/a.c') - pathGroup('x/a.h')));
});

test('a spool gives back what it kept, and keeps no more than it may', (t) => {
  const spool = new DeltaSpool(3_000_000);
  const random = seededRandom(4);
  const kept = Array.from({ length: 3000 }, () => Buffer.alloc(Math.floor(random() * 2000), random() * 256));
  kept.forEach((bytes, number) => { spool.keep(number, bytes); });
  let total = 0;
  for (const [number, bytes] of kept.entries()) {
    const found = spool.find(number);
    if (found === undefined) continue;
    t.deepEqual(found, bytes);
    total += found.length;
  }
  t.true(total <= 3_000_000 && total > 2_900_000);
  t.is(spool.find(5000), undefined);
});

function storeOf(t: ExecutionContext, contents: readonly Buffer[]): ObjectStore {
  const store = ObjectStore.open(join(makeSandbox(t), 'objects'), 'sha1', { hardening: hardenNothing });
  const writer = store.bulk();
  for (const bytes of contents) writer.add('blob', bytes);
  writer.finish();
  return store;
}

test('what is found does not depend on who searches', (t) => {
  const contents = versions(600).reverse();
  const store = storeOf(t, contents);
  const describe = (piece: number): DeltaPiece => {
    const part = contents.slice(piece * 100, piece * 100 + 100);
    return {
      objectsDirectory: store.directory, alternates: [], format: 'sha1', limits: { window: 10, depth: 50 }, level: 6,
      ids: Buffer.concat(part.map((bytes) => encodeObjectId(hashObject('blob', bytes, 'sha1')))), kinds: new Uint8Array(100).fill(3),
      sizes: Float64Array.from(part, ({ length }) => length), childDepths: new Uint16Array(100), searched: new Uint32Array(100), isBaseOnly: new Uint8Array(100),
    };
  };
  const read = (id: ObjectId): Buffer => store.read(id).bytes;
  const seen = new Set<number>();
  for (const { piece, found } of searchTogether(6, describe, read)) {
    seen.add(piece);
    const alone = searchDeltas(describe(piece), read);
    t.deepEqual([...found.bases], [...alone.bases]);
    t.deepEqual(Buffer.from(found.output), Buffer.from(alone.output));
    t.true(found.bases.some((base) => base >= 0));
  }
  t.is(seen.size, 6);
});

test('deltas taken over from several packs never become their own bases', (t) => {
  const [a, b, c] = versions(3) as [Buffer, Buffer, Buffer];
  const directory = join(makeSandbox(t), 'objects');
  const id = (bytes: Buffer): ObjectId => hashObject('blob', bytes, 'sha1');
  const pack = (whole: readonly Buffer[], base: Buffer, made: Buffer): void => {
    const writer = new PackWriter(join(directory, 'pack'), 'sha1', { hardening: hardenNothing });
    const add = (of: Buffer, bytes: Buffer): void => { writer.addPacked({ id: id(of), bytes, crc32: crc32(bytes) }); };
    for (const bytes of whole) add(bytes, Buffer.concat([encodeEntryHeader('blob', bytes.length), deflate(bytes)]));
    const delta = createDelta(base, made)!;
    add(made, Buffer.concat([encodeBaseIdHeader(delta.length, id(base)), deflate(delta)]));
    writer.finish();
  };
  pack([b], b, a);
  pack([a, c], a, b);
  for (const order of [[a, c, b], [b, c, a], [c, a, b], [a, b, c]]) {
    const store = ObjectStore.open(directory, 'sha1');
    const list = new PackingList();
    for (const bytes of order) list.add(id(bytes));
    const plan = new PackPlan(list, { store, limits: { window: 10, depth: 50 }, level: 6, usesOffsets: true });
    plan.prepare();
    const out = makeSandbox(t);
    const writer = new PackWriter(out, 'sha1', { hardening: hardenNothing });
    plan.write(writer);
    const reader = PackReader.open(join(out, `pack-${writer.finish()!.packId}.pack`), 'sha1');
    t.is(reader.objectCount, 3);
    for (const bytes of order) t.deepEqual(reader.readAt(reader.position(encodeObjectId(id(bytes)))).bytes, bytes);
    reader.close();
    store.close();
  }
});

test('a stream that ends with fewer objects than were announced is no pack', (t) => {
  const emitter = new PackEmitter('sha1', 2, () => undefined);
  emitter.addPacked({ id: '0'.repeat(40) as ObjectId, bytes: Buffer.alloc(5), crc32: 0 });
  t.throws(() => { emitter.finish(); });
});
