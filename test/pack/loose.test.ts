import test from 'ava';
import { chmodSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { deflateSync } from 'node:zlib';
import { CairnError, CorruptError } from '../../pack/errors.js';
import { LooseObjects, decodeLoose, decodeLooseHeader } from '../../pack/loose.js';
import { encodeObjectHeader, hashObject } from '../../pack/oid.js';
import type { ObjectId } from '../../pack/oid.js';
import { bothFormats } from '../helpers/differential.js';
import { withFailingDisk } from '../helpers/failing-disk.js';
import { makeSandbox, seededRandom } from '../helpers/sandbox.js';

for (const format of bothFormats) {
  test(`every flipped byte and every cut of a loose object is noticed, or changes nothing (${format})`, (t) => {
    const objects = new LooseObjects(makeSandbox(t), format, { compression: 6, durable: false });
    const content = Buffer.from('some content, some content, some more content\n'.repeat(4));
    const id = hashObject('blob', content, format);
    objects.write(id, Buffer.concat([encodeObjectHeader('blob', content.length), content]));
    const path = objects.path(id);
    const good = readFileSync(path);
    chmodSync(path, 0o644);
    let refused = 0;
    const check = (damage: Buffer): void => {
      writeFileSync(path, damage);
      for (const read of [() => objects.find(id)?.bytes, () => Buffer.concat([...objects.openStream(id)!.chunks])]) {
        try {
          t.true(read()!.equals(content));
        } catch (error) {
          t.true(error instanceof CorruptError, String(error));
          t.true((error as CairnError).message.includes(id.slice(2)), 'the object is named');
          refused += 1;
        }
      }
    };
    for (let at = 0; at < good.length; at += 1) {
      for (const mask of [0x01, 0x80, 0xff]) {
        const bytes = Buffer.from(good);
        bytes[at] = bytes[at]! ^ mask;
        check(bytes);
      }
    }
    for (let length = 0; length < good.length; length += 1) check(good.subarray(0, length));
    // Only the three bits of the compression level, and nothing else, may change without harm.
    t.true(refused >= (good.length * 4 - 6) * 2, `${refused} of ${good.length * 4 * 2}`);
  });
}

function heldAndSettled(objects: LooseObjects, write: () => void): void {
  objects.hold();
  try {
    write();
    objects.settle();
  } finally {
    objects.release();
  }
}

test('files that are held have no name before all of them are durable, get their names in order, and can be read meanwhile', (t) => {
  const directory = makeSandbox(t);
  const objects = new LooseObjects(directory, 'sha256', { compression: 1, durable: true });
  const contents = Array.from({ length: 5 }, (_, at) => Buffer.from(`content ${at}`));
  const ids = contents.map((content) => hashObject('blob', content, 'sha256'));
  const { steps, error } = withFailingDisk(0, 'EIO', () => {
    heldAndSettled(objects, () => {
      contents.forEach((content, at) => { objects.write(ids[at]!, Buffer.concat([encodeObjectHeader('blob', content.length), content])); });
      t.deepEqual(ids.map((id) => objects.find(id)?.bytes), contents);
      t.deepEqual([...objects.list()], [], 'nobody else sees them');
    });
    objects.flush();
  });
  t.is(error, undefined);
  const changes = steps.filter((step) => step === 'fsync' || step === 'rename' || step === 'fsyncDirectory');
  t.deepEqual(changes, [...ids.map(() => 'fsync'), ...ids.map(() => 'rename'), ...changes.filter((step) => step === 'fsyncDirectory')]);
  t.true(changes.includes('fsyncDirectory'));
  t.deepEqual(ids.map((id) => objects.find(id)?.bytes), contents);
  t.is([...objects.list()].length, 5);
});

test('what is held and never settled is gone', (t) => {
  const directory = makeSandbox(t);
  const objects = new LooseObjects(directory, 'sha1', { compression: 1, durable: true });
  const content = Buffer.from('content');
  objects.hold();
  objects.write(hashObject('blob', content, 'sha1'), Buffer.concat([encodeObjectHeader('blob', content.length), content]));
  objects.release();
  t.is(objects.find(hashObject('blob', content, 'sha1')), undefined);
  t.deepEqual(readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()), []);
});

test('a disk that fails at any step leaves no private file and no object that was not acknowledged', (t) => {
  const content = Buffer.alloc(5000, 'abc');
  const framed = Buffer.concat([encodeObjectHeader('blob', content.length), content]);
  const id = hashObject('blob', content, 'sha256');
  const ways: Readonly<Record<string, (objects: LooseObjects) => void>> = {
    write: (objects) => { objects.write(id, framed); },
    writeStream: (objects) => { objects.writeStream('blob', content.length, [content]); },
    writeUnsized: (objects) => { objects.writeUnsized('blob', [content]); },
    'write, held': (objects) => { heldAndSettled(objects, () => { objects.write(id, framed); }); },
    'writeStream, held': (objects) => { heldAndSettled(objects, () => { objects.writeStream('blob', content.length, [content]); }); },
  };
  for (const [name, write] of Object.entries(ways)) {
    for (let failAt = 1; ; failAt += 1) {
      const directory = makeSandbox(t);
      const objects = new LooseObjects(directory, 'sha256', { compression: 1, durable: true });
      const { steps, error } = withFailingDisk(failAt, 'ENOSPC', () => { write(objects); });
      if (steps.length < failAt) break;
      const left = readdirSync(directory, { recursive: true }).map(String).filter((path) => path.includes('tmp_'));
      // What could not be removed is left to gc.
      if (steps[failAt - 1] !== 'unlink') t.deepEqual(left, [], `${name}, step ${failAt} (${steps[failAt - 1]})`);
      if (error !== undefined && steps[failAt - 1] !== 'unlink') t.false(objects.has(id), `${name}, step ${failAt}`);
    }
  }
});

test('headers are read strictly', (t) => {
  const decode = (text: string): unknown => decodeLooseHeader(Buffer.from(text, 'latin1'));
  t.deepEqual(decode('blob 12\0rest'), { type: 'blob', sizeBytes: 12, headerBytes: 8 });
  for (const text of ['', 'blob', 'blob 12', 'blob 012\0', 'blob -1\0', 'blob +1\0', 'blob 0x1\0', 'blob  1\0', 'blob 1 \0', 'Blob 1\0', 'strange 1\0', ' 1\0', 'blob \0', `blob ${'9'.repeat(25)}\0`, `blob 99999999999999999\0`]) {
    t.throws(() => decode(text), { instanceOf: CorruptError }, JSON.stringify(text));
  }
});

test('a small file that claims or makes a huge object is refused without the memory for it', (t) => {
  const bomb = deflateSync(Buffer.concat([encodeObjectHeader('blob', 10), Buffer.alloc(50_000_000)]));
  t.throws(() => decodeLoose(bomb), { instanceOf: CorruptError });
  const claim = deflateSync(Buffer.concat([encodeObjectHeader('blob', 9_007_199_254_740_991), Buffer.from('x')]));
  t.throws(() => decodeLoose(claim), { instanceOf: CorruptError });
  const objects = new LooseObjects(makeSandbox(t), 'sha1', { compression: 1, durable: false });
  for (const bytes of [bomb, claim]) {
    const id = 'ab'.repeat(20) as ObjectId;
    mkdirSync(dirname(objects.path(id)), { recursive: true });
    writeFileSync(objects.path(id), bytes);
    const before = process.memoryUsage().arrayBuffers;
    t.throws(() => { for (const chunk of objects.openStream(id)!.chunks) t.true(chunk.length < 1_000_000); }, { instanceOf: CorruptError });
    t.true(process.memoryUsage().arrayBuffers - before < 40_000_000);
  }
});

test('nonsense is an error, not an object', (t) => {
  const random = seededRandom(3);
  const good = deflateSync(Buffer.concat([encodeObjectHeader('tree', 0)]));
  for (let round = 0; round < 3000; round += 1) {
    const bytes = round % 2 === 0 ? Buffer.from(Array.from({ length: Math.floor(random() * 60) }, () => Math.floor(random() * 256))) : Buffer.from(good);
    if (round % 2 === 1) bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
    try {
      t.deepEqual(decodeLoose(bytes).object, { type: 'tree', bytes: Buffer.alloc(0) });
    } catch (error) {
      t.true(error instanceof CorruptError, `round ${round}: ${String(error)}`);
    }
  }
});
