import test from 'ava';
import { readFileSync, rmSync, writeFileSync, chmodSync } from 'node:fs';
import { join } from 'node:path';
import { decodeChunks, encodeChunks } from '../../pack/chunk-file.js';
import { CorruptError } from '../../pack/errors.js';
import { MultiPackIndex } from '../../pack/multi-pack-index.js';
import { ObjectStore } from '../../pack/object-store.js';
import { encodeObjectId } from '../../pack/oid.js';
import { PackReader } from '../../pack/pack-reader.js';
import { bothFormats, makeRepository } from '../helpers/differential.js';
import { seededRandom } from '../helpers/sandbox.js';
import { gitOutput, skipWithoutGit } from '../helpers/stock-git.js';

const threePacks = `
for i in 1 2 3; do
  seq 1 $((50 + i)) > numbers; echo $i > f$i; git add .; git commit -qm "change $i"; git repack -q -d
done
git multi-pack-index write`;

for (const format of bothFormats) {
  test(`a multi-pack-index git wrote names the right pack and offset of every object (${format})`, (t) => {
    if (skipWithoutGit(t)) return;
    const objects = join(makeRepository(t, format, threePacks), '.git/objects');
    const midx = MultiPackIndex.decode(readFileSync(join(objects, 'pack/multi-pack-index')), format);
    t.is(midx.packNames.length, 3);
    t.true(midx.hasValidChecksum());
    const packs = midx.packNames.map((name) => PackReader.open(join(objects, 'pack', name.replace(/\.idx$/, '.pack')), format));
    const store = ObjectStore.open(objects, format);
    const ids = [...store.listIds()];
    t.is(ids.length, midx.count);
    ids.forEach((id, position) => {
      t.is(midx.position(encodeObjectId(id)), position);
      t.is(midx.idAt(position), id);
      const pack = packs[midx.packAt(position)]!;
      t.is(pack.index.positionOfOffset(midx.offsetAt(position)), pack.position(encodeObjectId(id)));
      t.truthy(store.read(id));
    });
    t.is(midx.position(Buffer.alloc(32, 0x5a)), -1);
  });
}

test('a multi-pack-index that lies or is damaged hides no object', (t) => {
  if (skipWithoutGit(t)) return;
  const directory = makeRepository(t, 'sha1', threePacks);
  const objects = join(directory, '.git/objects');
  const ids = [...ObjectStore.open(objects, 'sha1').listIds()];
  const path = join(objects, 'pack/multi-pack-index');
  const good = readFileSync(path);
  const random = seededRandom(7);
  chmodSync(path, 0o644);
  for (let round = 0; round < 60; round += 1) {
    const bytes = Buffer.from(good);
    for (let flip = 0; flip < 4; flip += 1) bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
    writeFileSync(path, round % 5 === 0 ? bytes.subarray(0, Math.floor(random() * bytes.length)) : bytes);
    const store = ObjectStore.open(objects, 'sha1');
    for (const id of ids) t.truthy(store.read(id), `round ${round}`);
    store.close();
  }
  // One that names a pack that is gone.
  writeFileSync(path, good);
  gitOutput(['-c', 'core.multiPackIndex=false', 'repack', '-q', '-a'], { cwd: directory });
  const names = MultiPackIndex.decode(good, 'sha1').packNames;
  for (const suffix of ['pack', 'idx']) rmSync(join(objects, 'pack', names[0]!.replace(/idx$/, suffix)));
  const store = ObjectStore.open(objects, 'sha1');
  for (const id of ids) t.truthy(store.read(id));
});

test('chunks decode to what was encoded, and a damaged table is an error', (t) => {
  const encoded = Buffer.concat([Buffer.from('HEAD'), encodeChunks(4, [['AAAA', Buffer.from('one')], ['BBBB', Buffer.alloc(0)]]), Buffer.from('end')]);
  const chunks = decodeChunks(encoded, 4, 2, encoded.length - 3);
  t.deepEqual([...chunks].map(([name, bytes]) => [name, bytes.toString()]), [['AAAA', 'one'], ['BBBB', '']]);
  t.throws(() => decodeChunks(encoded, 4, 3, encoded.length - 3), { instanceOf: CorruptError });
  t.throws(() => decodeChunks(encoded, 4, 200, encoded.length), { instanceOf: CorruptError });
  const random = seededRandom(11);
  for (let round = 0; round < 2000; round += 1) {
    const bytes = Buffer.from(encoded);
    bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
    try {
      for (const chunk of decodeChunks(bytes, 4, 2, bytes.length - 3).values()) t.true(chunk.length <= bytes.length);
    } catch (error) {
      t.true(error instanceof CorruptError);
    }
  }
});
