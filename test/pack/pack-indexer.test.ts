import test from 'ava';
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { createDelta } from '../../pack/delta.js';
import { CorruptError } from '../../pack/errors.js';
import { hashObject } from '../../pack/oid.js';
import { PackIntake } from '../../pack/pack-intake.js';
import type { PackIntakeOptions } from '../../pack/pack-intake.js';
import { encodeDeltaHeader, encodeEntryHeader } from '../../pack/pack-writer.js';
import { makeSandbox, seededRandom } from '../helpers/sandbox.js';

/** A pack made by hand, one entry after the other. */
class PackMaker {
  readonly #parts: Buffer[] = [];
  #size = 12;
  #count = 0;

  /** Returns where the entry begins. */
  #add(header: Buffer, stream: Buffer): number {
    const offset = this.#size;
    this.#parts.push(header, stream);
    this.#size += header.length + stream.length;
    this.#count += 1;
    return offset;
  }

  whole(content: Buffer): number { return this.#add(encodeEntryHeader('blob', content.length), deflateSync(content)); }

  delta(baseOffset: number, delta: Buffer): number {
    return this.#add(encodeDeltaHeader(delta.length, this.#size - baseOffset), deflateSync(delta));
  }

  deltaById(baseId: string, delta: Buffer): number {
    const header = encodeEntryHeader('blob', delta.length);
    header[0] = (header[0]! & 0x8f) | 0x70;
    return this.#add(Buffer.concat([header, Buffer.from(baseId, 'hex')]), deflateSync(delta));
  }

  finish(count = this.#count): Buffer {
    const head = Buffer.from('PACK\0\0\0\x02\0\0\0\0', 'latin1');
    head.writeUInt32BE(count, 8);
    const body = Buffer.concat([head, ...this.#parts]);
    return Buffer.concat([body, createHash('sha1').update(body).digest()]);
  }
}

function read(directory: string, pack: Buffer, options: PackIntakeOptions = {}): PackIntake {
  const path = join(directory, 'a.pack');
  writeFileSync(path, pack);
  return PackIntake.readFile(path, 'sha1', options);
}

function* versions(count: number, sizeBytes: number): Generator<Buffer> {
  const random = seededRandom(3);
  const content = Buffer.from(Array.from({ length: sizeBytes }, () => Math.floor(random() * 256)));
  for (let at = 0; at < count; at += 1) {
    content[at % sizeBytes] = at & 255;
    content.writeUInt32BE(at, sizeBytes - 4);
    yield Buffer.from(content);
  }
}

test('chains of thousands of deltas are resolved, whether bases come before or after, are named by place or by id', (t) => {
  const directory = makeSandbox(t);
  const contents = [...versions(4096, 2000)];
  const ids = contents.map((content) => hashObject('blob', content, 'sha1'));
  const deltas = contents.slice(1).map((content, at) => createDelta(contents[at]!, content)!);
  const byPlace = new PackMaker();
  let offset = byPlace.whole(contents[0]!);
  for (const delta of deltas) offset = byPlace.delta(offset, delta);
  const byId = new PackMaker();
  for (let at = deltas.length - 1; at >= 0; at -= 1) byId.deltaById(ids[at]!, deltas[at]!);
  byId.whole(contents[0]!);
  for (const pack of [byPlace, byId]) {
    const seen: string[] = [];
    using intake = read(directory, pack.finish(), { onObject: ({ id, bytes }) => {
      seen.push(id);
      if (bytes === undefined || hashObject('blob', bytes, 'sha1') !== id) throw new Error('another content');
    } });
    t.is(intake.indexer.count, 4096);
    t.deepEqual([...seen].sort(), [...ids].sort());
    // All of them one after the other, as unpack-objects asks: each delta is applied about once, or this takes a minute.
    for (let number = 0; number < 4096; number += 1) {
      const content = Buffer.concat([...intake.indexer.contentChunks(number)]);
      if (hashObject('blob', content, 'sha1') !== intake.indexer.idAt(number)) t.fail(`entry ${number} has another content`);
    }
  }
});

test('many families of large contents are resolved in little memory', (t) => {
  const directory = makeSandbox(t);
  const maker = new PackMaker();
  const contents = [...versions(60, 3_000_000)];
  const ids = contents.map((content) => hashObject('blob', content, 'sha1'));
  // A tree of deltas: each of the first thirty has two that stand on it, all before their bases.
  for (let at = contents.length - 1; at > 0; at -= 1) {
    const base = (at - 1) >> 1;
    maker.deltaById(ids[base]!, createDelta(contents[base]!, contents[at]!)!);
  }
  maker.whole(contents[0]!);
  const before = process.memoryUsage().arrayBuffers;
  let most = 0;
  using intake = read(directory, maker.finish(), { onObject: () => { most = Math.max(most, process.memoryUsage().arrayBuffers - before); } });
  t.is(intake.indexer.unresolved, 0);
  t.true(most < 400 * 1024 * 1024, `${most}`);
});

test('a delta that makes much more than can be held is hashed all the same', (t) => {
  const base = Buffer.alloc(1 << 20, 'a base that is copied many times over ');
  const copies = 40;
  const copy = Buffer.from([0xf0, 0xff, 0xff, 0x0f]);
  const size = copies * 0x0fffff + 4;
  const varint = (value: number): number[] => (value < 128 ? [value] : [(value % 128) | 128, ...varint(Math.floor(value / 128))]);
  const delta = Buffer.concat([Buffer.from([...varint(base.length), ...varint(size)]), ...Array.from({ length: copies }, () => copy), Buffer.from('\x04more', 'latin1')]);
  const result = Buffer.concat([...Array.from({ length: copies }, () => base.subarray(0, 0x0fffff)), Buffer.from('more')]);
  const maker = new PackMaker();
  maker.delta(maker.whole(base), delta);
  const seen: [string, number, boolean][] = [];
  using intake = read(makeSandbox(t), maker.finish(), { isUntrusted: true, onObject: ({ id, sizeBytes, bytes }) => { seen.push([id, sizeBytes, bytes === undefined]); } });
  t.deepEqual(seen[1], [hashObject('blob', result, 'sha1'), size, true]);
  t.true(Buffer.concat([...intake.indexer.contentChunks(1)]).equals(result));
});

const bad = { instanceOf: CorruptError, code: 'bad-pack' } as never;

test('what no pack should be is refused in bounded time and memory', (t) => {
  const directory = makeSandbox(t);
  const content = Buffer.alloc(5000, 'some content ');
  const id = hashObject('blob', content, 'sha1');
  const delta = createDelta(content, Buffer.concat([content, Buffer.from('more')]))!;
  const cycle = new PackMaker();
  cycle.whole(content);
  cycle.deltaById('11'.repeat(20), delta);
  t.throws(() => read(directory, cycle.finish()), bad, 'a base that is nowhere');
  t.throws(() => read(directory, cycle.finish(), { findBase: () => undefined }), bad);
  const crowd = new PackMaker();
  crowd.whole(content);
  t.throws(() => read(directory, crowd.finish(0xffffffff)), bad, 'more objects promised than there are');
  t.throws(() => read(directory, crowd.finish(0)), bad, 'fewer');
  const hole = new PackMaker();
  hole.whole(content);
  hole.delta(13, delta);
  t.throws(() => read(directory, hole.finish()), bad, 'a base in the middle of an entry');
  const huge = new PackMaker();
  const at = huge.whole(content);
  // Declares 2^49 bytes made of one copy.
  huge.delta(at, Buffer.concat([Buffer.from([0x88, 0x27]), Buffer.from([0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01]), Buffer.from([0x80])]));
  t.throws(() => read(directory, huge.finish()), { code: 'pack-too-demanding' });
  const outside = new PackMaker();
  outside.delta(outside.whole(content), Buffer.from([0x88, 0x27, 0x10, 0x93, 0x80, 0x13, 0x10]));
  t.throws(() => read(directory, outside.finish()), { instanceOf: CorruptError });
  const bomb = new PackMaker();
  bomb.whole(Buffer.alloc(64 * 1024 * 1024));
  const lying = bomb.finish();
  // The same stream under the size of a small object.
  const small = encodeEntryHeader('blob', 100);
  const liar = Buffer.concat([lying.subarray(0, 12), small, lying.subarray(12 + encodeEntryHeader('blob', 64 * 1024 * 1024).length, -20)]);
  t.throws(() => read(directory, Buffer.concat([liar, createHash('sha1').update(liar).digest()])), bad);
  using honest = read(directory, lying);
  t.is(honest.indexer.sizeAt(0), 64 * 1024 * 1024);
  const twice = new PackMaker();
  twice.whole(content);
  twice.whole(content);
  twice.deltaById(id, delta);
  using doubled = read(directory, twice.finish());
  t.is(doubled.indexer.count, 3);
});

test('a pack cut or changed anywhere is an error, never something else', (t) => {
  const directory = makeSandbox(t);
  const maker = new PackMaker();
  const contents = [...versions(12, 300)];
  let offset = maker.whole(contents[0]!);
  for (let at = 1; at < contents.length; at += 1) offset = maker.delta(offset, createDelta(contents[at - 1]!, contents[at]!)!);
  const pack = maker.finish();
  for (let at = 0; at < pack.length; at += 3) {
    t.throws(() => read(directory, pack.subarray(0, at)), { instanceOf: CorruptError });
    const flipped = Buffer.from(pack);
    flipped[at] = flipped[at]! ^ 0x21;
    t.throws(() => read(directory, flipped), { instanceOf: CorruptError });
  }
});
