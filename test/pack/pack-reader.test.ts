import test from 'ava';
import { chmodSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hardenNothing } from '../../pack/hardening.js';
import { CorruptError } from '../../pack/errors.js';
import { streamThresholdBytes } from '../../pack/object.js';
import { ObjectStore } from '../../pack/object-store.js';
import { type ObjectFormat, type ObjectId, digest, encodeObjectId, hashObject, rawSize } from '../../pack/oid.js';
import { PackIndex, encodePackIndex } from '../../pack/pack-index.js';
import { PackCaches, PackReader } from '../../pack/pack-reader.js';
import { crc32, deflate } from '../../pack/zlib.js';
import { bothFormats, makeRepository } from '../helpers/differential.js';
import { makeSandbox, seededRandom } from '../helpers/sandbox.js';
import { gitOutput, skipWithoutGit } from '../helpers/stock-git.js';

/** Packs of a repository made by stock git: paths without suffix. */
function packsOf(directory: string): string[] {
  const packs = join(directory, '.git/objects/pack');
  return readdirSync(packs).filter((name) => name.endsWith('.pack')).map((name) => join(packs, name.slice(0, -5)));
}

/** Few and small objects with a delta among them. */
const small = `
seq 1 60 > numbers; git add .; git commit -qm one; seq 1 61 > numbers; echo x > other; git add .; git commit -qm two; git tag -am t v1
git gc -q --aggressive --prune=now; rm -f .git/objects/info/commit-graph .git/objects/pack/*.rev .git/objects/pack/*.bitmap`;

for (const format of bothFormats) {
  test(`every flipped byte and many cuts of a pack and of its index are noticed, and nothing wrong is read (${format})`, (t) => {
    if (skipWithoutGit(t)) return;
    const directory = makeRepository(t, format, small);
    const objects = join(directory, '.git/objects');
    const [stem] = packsOf(directory) as [string];
    const store = ObjectStore.open(objects, format);
    const right = [...store.listIds()].map((id) => ({ id, object: store.read(id) }));
    store.close();
    t.true(right.length >= 8);
    let counted = 0;
    for (const suffix of ['.pack', '.idx']) {
      const path = stem + suffix;
      const good = readFileSync(path);
      chmodSync(path, 0o644);
      const check = (damage: Buffer, what: string): void => {
        counted += 1;
        writeFileSync(path, damage);
        const damaged = ObjectStore.open(objects, format);
        for (const { id, object } of right) {
          try {
            const found = damaged.find(id);
            // A damaged index may deny an object, but never give another.
            if (found === undefined ? suffix !== '.idx' : found.type !== object.type || !found.bytes.equals(object.bytes)) t.fail(`${what}: ${id}`);
            const header = damaged.findHeader(id);
            if (header !== undefined && !Number.isSafeInteger(header.sizeBytes)) t.fail(`${what}: ${id}`);
          } catch (error) {
            if (!(error instanceof CorruptError)) t.fail(`${what}: ${String(error)}`);
          }
        }
        if (isIntact(stem, format)) t.fail(`${what} is noticed by the checksums`);
        damaged.close();
      };
      for (let at = 0; at < good.length; at += 1) {
        const bytes = Buffer.from(good);
        bytes[at] = bytes[at]! ^ (at % 3 === 0 ? 0xff : 1 << (at % 8));
        check(bytes, `${suffix} byte ${at}`);
      }
      for (let length = 0; length < good.length; length += 13) check(good.subarray(0, length), `${suffix} cut at ${length}`);
      writeFileSync(path, good);
      t.true(isIntact(stem, format));
    }
    t.log(`${counted} damages`);
  });

  test(`indexes of both versions are encoded byte for byte as git does (${format})`, (t) => {
    if (skipWithoutGit(t)) return;
    for (const version of [1, 2] as const) {
      const directory = makeRepository(t, format, `git config pack.indexVersion ${version}; ${small}`);
      const [stem] = packsOf(directory) as [string];
      const bytes = readFileSync(`${stem}.idx`);
      const index = PackIndex.decode(bytes, format);
      t.is(index.version, version);
      t.true(index.hasValidChecksum());
      const order = [...index.positionsByOffset()];
      const pack = PackReader.open(`${stem}.pack`, format);
      const crcs = order.map((position) => {
        const offset = index.offsetAt(position);
        const crc = crc32(pack.readBytes(offset, pack.endAt(offset)));
        if (version === 2) t.is(index.crcAt(position), crc);
        return crc;
      });
      pack.close();
      t.true(encodePackIndex({
        ids: Buffer.concat(order.map((position) => index.rawIdAt(position))),
        offsets: order.map((position) => index.offsetAt(position)), crcs, packChecksum: index.packChecksum,
      }, format, version).equals(bytes));
    }
  });
}

function isIntact(stem: string, format: ObjectFormat): boolean {
  try {
    const pack = PackReader.open(`${stem}.pack`, format);
    const { stored, actual } = pack.checksums();
    pack.close();
    return stored.equals(actual) && pack.index.hasValidChecksum();
  } catch (error) {
    if (error instanceof CorruptError) return false;
    throw error;
  }
}

test('offsets beyond 2 GiB are kept, and refused in version 1 beyond 4 GiB', (t) => {
  const ids = ['11', 'aa', '05', 'ff'].map((byte) => byte.repeat(20));
  const offsets = [12, 0x7fffffff, 0x80000000, 2 ** 40 + 5];
  const entries = { ids: Buffer.from(ids.join(''), 'hex'), offsets, crcs: [1, 2, 3, 0xffffffff], packChecksum: Buffer.alloc(20, 7) };
  const index = PackIndex.decode(encodePackIndex(entries, 'sha1'), 'sha1');
  ids.forEach((id, at) => {
    const position = index.position(Buffer.from(id, 'hex'));
    t.is(index.offsetAt(position), offsets[at]!);
    t.is(index.crcAt(position), entries.crcs[at]);
    t.is(index.positionOfOffset(offsets[at]!), position);
    t.is(index.offsetAfter(offsets[at]!), offsets[at + 1]);
  });
  t.is(index.position(Buffer.alloc(20, 0x12)), -1);
  t.is(index.positionOfOffset(13), -1);
  t.throws(() => encodePackIndex(entries, 'sha1', 1), { code: 'pack-too-large' });
  t.is(PackIndex.decode(encodePackIndex({ ...entries, ids: Buffer.alloc(0), offsets: [], crcs: [] }, 'sha1'), 'sha1').count, 0);
});

test('an index of nonsense is an error or answers within bounds', (t) => {
  const random = seededRandom(5);
  const count = 40;
  const ids = Buffer.from(Array.from({ length: count * 20 }, () => Math.floor(random() * 256)));
  const offsets = Array.from({ length: count }, (_, at) => (at % 5 === 0 ? 2 ** 33 + at : 12 + at));
  for (const version of [2, 1] as const) {
    const good = encodePackIndex({ ids, offsets: version === 1 ? offsets.map((_, at) => at) : offsets, crcs: offsets.map(() => 1), packChecksum: Buffer.alloc(20) }, 'sha1', version);
    for (let round = 0; round < 1500; round += 1) {
      const bytes = Buffer.from(good);
      for (let flip = 0; flip <= round % 4; flip += 1) bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
      try {
        const index = PackIndex.decode(round % 7 === 0 ? bytes.subarray(0, Math.floor(random() * bytes.length)) : bytes, 'sha1');
        for (let position = 0; position < index.count; position += 1) {
          t.is(index.idAt(position).length, 40);
          const found = index.position(index.rawIdAt(position));
          t.true(found >= -1 && found < index.count);
          t.true(index.offsetAt(position) >= 0);
        }
      } catch (error) {
        if (!(error instanceof CorruptError)) t.fail(`round ${round}: ${String(error)}`);
      }
    }
  }
});

/** An entry's header as packs store it. */
function entryHeader(kind: number, sizeBytes: number): Buffer {
  const bytes = [(kind << 4) | (sizeBytes & 15)];
  for (let rest = Math.floor(sizeBytes / 16); rest > 0; rest = Math.floor(rest / 128)) {
    bytes[bytes.length - 1] = bytes.at(-1)! | 0x80;
    bytes.push(rest % 128);
  }
  return Buffer.from(bytes);
}

/** How far back a base is, as offset deltas store it. */
function distanceBytes(distance: number): Buffer {
  const bytes = [distance % 128];
  for (let rest = Math.floor(distance / 128); rest > 0; rest = Math.floor(rest / 128)) {
    rest -= 1;
    bytes.unshift(0x80 | (rest % 128));
  }
  return Buffer.from(bytes);
}

/** A pack and index in `directory` with these entries, each stored as given. */
function writePack(directory: string, format: ObjectFormat, entries: readonly { readonly id: ObjectId; readonly stored: (offset: number) => Buffer }[]): string {
  const parts: Buffer[] = [Buffer.alloc(12)];
  parts[0]!.write('PACK');
  parts[0]!.writeUInt32BE(2, 4);
  parts[0]!.writeUInt32BE(entries.length, 8);
  let offset = 12;
  const offsets = entries.map(({ stored }) => {
    const at = offset;
    parts.push(stored(at));
    offset += parts.at(-1)!.length;
    return at;
  });
  const body = Buffer.concat(parts);
  const packChecksum = digest(body, format);
  const stem = join(directory, `pack/pack-${packChecksum.toString('hex')}`);
  mkdirSync(join(directory, 'pack'), { recursive: true });
  writeFileSync(`${stem}.pack`, Buffer.concat([body, packChecksum]));
  writeFileSync(`${stem}.idx`, encodePackIndex({ ids: Buffer.concat(entries.map(({ id }) => encodeObjectId(id))), offsets, crcs: offsets.map(() => 0), packChecksum }, format));
  return `${stem}.pack`;
}

/** A delta that inserts one byte before a base of `baseBytes` (below 128 times 128, at least 128). */
function prependingDelta(byte: number, baseBytes: number): Buffer {
  const size = (value: number): number[] => [(value % 128) | 0x80, Math.floor(value / 128)];
  return Buffer.from([...size(baseBytes), ...size(baseBytes + 1), 1, byte, 0xb0, baseBytes % 256, baseBytes >> 8]);
}

test('whole, passed on or in pieces: content under the id of other content is never given', (t) => {
  const wrong = hashObject('blob', Buffer.from('something else'), 'sha1');
  for (const sizeBytes of [300, 100_000, streamThresholdBytes + 1]) {
    const content = Buffer.alloc(sizeBytes, 'x');
    const stored = (): Buffer => Buffer.concat([entryHeader(3, sizeBytes), deflate(content)]);
    for (const [id, isRight] of [[wrong, false], [hashObject('blob', content, 'sha1'), true]] as const) {
      const reader = PackReader.open(writePack(makeSandbox(t), 'sha1', [{ id, stored }]), 'sha1');
      const ways = [() => reader.readAt(0).bytes.length, () => reader.passAt(0)?.bytes.length ?? sizeBytes, () => [...reader.openStreamAt(0).chunks].reduce((sum, piece) => sum + piece.length, 0)];
      for (const way of ways) {
        if (isRight) t.is(way(), sizeBytes);
        else if (way !== ways[1] || sizeBytes < streamThresholdBytes) t.throws(way, { code: 'object-mismatch' });
      }
      t.is(reader.isGoodAt(0), isRight);
      reader.close();
    }
  }
});

test('a chain of 4096 deltas is followed, by offset and by id', (t) => {
  for (const byId of [false, true]) {
    const directory = makeSandbox(t);
    let content: Buffer = Buffer.alloc(200, 'x');
    const first = content;
    let former = { id: hashObject('blob', content, 'sha1'), offset: 12 };
    const entries: { id: ObjectId; stored: (offset: number) => Buffer }[] = [{ id: former.id, stored: () => Buffer.concat([entryHeader(3, first.length), deflate(first)]) }];
    let base = former;
    for (let depth = 1; depth <= 4096; depth += 1) {
      const delta = prependingDelta(depth % 256, content.length);
      content = Buffer.concat([Buffer.of(depth % 256), content]);
      const id = hashObject('blob', content, 'sha1');
      const baseOf = base;
      const self = { id, offset: 0 };
      entries.push({
        id,
        stored: (offset: number): Buffer => {
          self.offset = offset;
          const reference = byId ? encodeObjectId(baseOf.id) : distanceBytes(offset - baseOf.offset);
          return Buffer.concat([entryHeader(byId ? 7 : 6, delta.length), reference, deflate(delta)]);
        },
      });
      base = self;
    }
    former = base;
    writePack(directory, 'sha1', entries);
    const store = ObjectStore.open(directory, 'sha1');
    t.deepEqual(store.findHeader(former.id), { type: 'blob', sizeBytes: content.length });
    t.true(store.read(former.id).bytes.equals(content));
  }
});

test('deltas that are their own base, or have it outside, are errors', (t) => {
  const directory = makeSandbox(t);
  const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((digit) => digit.repeat(40) as ObjectId) as [ObjectId, ObjectId, ObjectId, ObjectId];
  const delta = deflate(prependingDelta(1, 200));
  const refTo = (id: ObjectId) => () => Buffer.concat([entryHeader(7, 9), encodeObjectId(id), delta]);
  const back = (distance: number) => () => Buffer.concat([entryHeader(6, 9), distanceBytes(distance), delta]);
  writePack(directory, 'sha1', [
    { id: a, stored: refTo(b) }, { id: b, stored: refTo(a) }, { id: c, stored: refTo(c) }, { id: d, stored: refTo('9'.repeat(40) as ObjectId) },
    { id: '1'.repeat(40) as ObjectId, stored: back(0) }, { id: '2'.repeat(40) as ObjectId, stored: back(2 ** 40) },
    { id: '3'.repeat(40) as ObjectId, stored: back(7) }, { id: '4'.repeat(40) as ObjectId, stored: () => Buffer.concat([entryHeader(5, 9), delta]) },
    { id: '5'.repeat(40) as ObjectId, stored: () => Buffer.concat([entryHeader(3, 2 ** 50), delta]) },
    { id: '6'.repeat(40) as ObjectId, stored: () => Buffer.concat([Buffer.alloc(40, 0xff), delta]) },
    { id: '7'.repeat(40) as ObjectId, stored: () => Buffer.concat([entryHeader(3, 10 * 1024 * 1024), delta]) },
  ]);
  const store = ObjectStore.open(directory, 'sha1');
  const ids = [...store.listIds()];
  t.is(ids.length, 11);
  for (const id of ids) {
    t.throws(() => store.read(id), { instanceOf: CorruptError, message: new RegExp(id) }, id);
    t.throws(() => [...store.openStream(id).chunks], { instanceOf: CorruptError }, id);
  }
  for (const id of [a, b, c, d]) t.throws(() => store.findHeader(id), { instanceOf: CorruptError });
});

test('packs of nonsense behind a good index are errors', (t) => {
  if (skipWithoutGit(t)) return;
  const directory = makeRepository(t, 'sha1', small);
  const [stem] = packsOf(directory) as [string];
  const good = readFileSync(`${stem}.pack`);
  chmodSync(`${stem}.pack`, 0o644);
  const random = seededRandom(9);
  const objects = join(directory, '.git/objects');
  const reference = ObjectStore.open(objects, 'sha1');
  const right = new Map([...reference.listIds()].map((id) => [id, reference.read(id).bytes]));
  reference.close();
  for (let round = 0; round < 300; round += 1) {
    const bytes = Buffer.from(good);
    const from = 12 + Math.floor(random() * (bytes.length - 40));
    for (let at = from; at < Math.min(from + 30, bytes.length - rawSize('sha1')); at += 1) bytes[at] = Math.floor(random() * 256);
    writeFileSync(`${stem}.pack`, bytes);
    const store = ObjectStore.open(objects, 'sha1');
    for (const [id, content] of right) {
      try {
        t.true(store.read(id).bytes.equals(content));
        store.readHeader(id);
      } catch (error) {
        if (!(error instanceof CorruptError)) t.fail(`round ${round}: ${String(error)}`);
      }
    }
    store.close();
  }
});

test('a blob beyond the threshold is read from a pack in pieces', (t) => {
  if (skipWithoutGit(t)) return;
  const directory = makeRepository(t, 'sha256', 'seq 1 2600000 > big; git add .; git commit -qm big; git -c core.bigFileThreshold=1m repack -q -a -d');
  const id = gitOutput(['rev-parse', 'HEAD:big'], { cwd: directory }) as ObjectId;
  const store = ObjectStore.open(join(directory, '.git/objects'), 'sha256');
  t.is(store.locate(id)?.kind, 'pack');
  const { sizeBytes, chunks } = store.openStream(id);
  let total = 0;
  let pieces = 0;
  for (const chunk of chunks) {
    total += chunk.length;
    pieces += 1;
    t.true(chunk.length <= 4 * 1024 * 1024);
  }
  t.is(total, sizeBytes);
  t.true(pieces > 10);
});

test('objects of two packs are read here and there, and one after the other, with room for a few windows', (t) => {
  const directory = makeSandbox(t);
  const random = seededRandom(20);
  const caches = new PackCaches(100 * 1024, 64 * 1024, 16 * 1024);
  const store = ObjectStore.open(directory, 'sha1', { hardening: hardenNothing, caches });
  const written: { readonly id: ObjectId; readonly content: Buffer }[] = [];
  for (let pack = 0; pack < 2; pack += 1) {
    const writer = store.bulk();
    for (let count = 0; count < 300; count += 1) {
      const content = Buffer.from(Array.from({ length: 1 + random() ** 4 * 14_000 }, () => random() * 256));
      written.push({ id: writer.add('blob', content), content });
    }
    writer.finish();
  }
  const check = ({ id, content }: (typeof written)[number]): void => {
    const pieces: Buffer[] = [];
    store.pass(id, ({ sizeBytes }) => { if (sizeBytes !== content.length) t.fail(id); }, (piece) => pieces.push(Buffer.from(piece)));
    if (!Buffer.concat(pieces).equals(content) || !store.read(id).bytes.equals(content) || store.readHeader(id).sizeBytes !== content.length) t.fail(id);
  };
  for (let count = 0; count < 2000; count += 1) check(written[Math.floor(random() * written.length)]!);
  for (const one of written) check(one);
  t.true(caches.windows.usedBytes <= 100 * 1024);
  store.close();
});
