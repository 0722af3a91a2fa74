import test from 'ava';
import { chmodSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ObjectStore } from '../../pack/object-store.js';
import type { ObjectFormat, ObjectType } from '../../pack/oid.js';
import type { PackCursor } from '../../pack/pack-cursor.js';
import { PackCaches, packTypes } from '../../pack/pack-reader.js';
import { useKernels } from '../../pack/zlib.js';
import { bothFormats, makeRepository } from '../helpers/differential.js';
import { seededRandom } from '../helpers/sandbox.js';
import { skipWithoutGit } from '../helpers/stock-git.js';

const history = `
for i in 1 2 3 4 5 6; do seq 1 $((300 + i)) > numbers; mkdir -p dir/$i; echo $i > dir/$i/small; git add .; git commit -qm "change $i"; done
: > empty; git add .; git commit -qm empty; git tag -am 'the tag' v1`;

function contentOf({ memory, start, end, kind }: PackCursor): { type: ObjectType; bytes: Buffer } {
  return { type: packTypes[kind] as ObjectType, bytes: Buffer.from(memory.subarray(start, end)) };
}

/** Sizes and types of all objects of the cursor's pack, as the kernel writes them. */
function describeAll(cursor: PackCursor, to: number, roomBytes: number): string {
  let text = '';
  for (cursor.position = 0; cursor.position < cursor.pack!.objectCount; cursor.position += 1) {
    cursor.describeRange(cursor.pack!.objectCount, to, to + roomBytes);
    text += cursor.memory.toString('latin1', to, cursor.describedEnd);
    if (cursor.position < cursor.pack!.objectCount) text += `${cursor.id} refused\n`;
  }
  return text;
}

function openStore(directory: string, format: ObjectFormat, caches?: PackCaches): ObjectStore {
  return ObjectStore.open(join(directory, '.git/objects'), format, caches ? { caches } : {});
}

const repacks = [['offset deltas', 'git gc -q --aggressive'], ['deltas by id', 'git -c repack.useDeltaBaseOffset=false repack -adfq']] as const;

for (const format of bothFormats) {
  for (const [what, repack] of repacks) {
    test(`a cursor reads what the store reads, in any order (${format}, ${what})`, (t) => {
      if (skipWithoutGit(t)) return;
      const store = openStore(makeRepository(t, format, `${history}\n${repack}`), format);
      const cursor = store.openCursor()!;
      const ids = [...store.listIds()];
      const right = ids.map((id) => store.read(id));
      for (const order of [ids, [...store.listIdsUnordered()], [...ids].reverse()]) {
        for (const id of order) {
          const { type, bytes } = right[ids.indexOf(id)]!;
          t.true(cursor.findId(id) && cursor.read());
          t.deepEqual(contentOf(cursor), { type, bytes });
          t.true(cursor.findHex(Buffer.from(`x${id}`), 1) && cursor.readHead(30));
          const head = contentOf(cursor);
          t.is(head.type, type);
          t.true(head.bytes.length >= Math.min(30, bytes.length) && head.bytes.equals(bytes.subarray(0, head.bytes.length)));
        }
      }
      const to = cursor.reserve(4096);
      cursor.useTemplate(Buffer.from('<\x01 \x02\x03>'));
      t.true(cursor.findId(ids[0]!));
      t.is(describeAll(cursor, to, 4096), ids.map((id, at) => `<${id} ${right[at]!.type}${right[at]!.bytes.length}>\n`).join(''));
      t.false(cursor.findHex(Buffer.from('g'.repeat(64)), 0));
      t.false(cursor.findHex(Buffer.from(ids[0]!.toUpperCase()), 0));
      store.close();
    });
  }

  test(`a damaged pack gives a cursor nothing wrong, and lets it go on (${format})`, (t) => {
    if (skipWithoutGit(t)) return;
    const directory = makeRepository(t, format, `${history}\ngit gc -q --aggressive`);
    const good = openStore(directory, format);
    const right = new Map([...good.listIds()].map((id) => [id, good.read(id)] as const));
    good.close();
    const packs = join(directory, '.git/objects/pack');
    const path = join(packs, readdirSync(packs).find((name) => name.endsWith('.pack'))!);
    const bytes = readFileSync(path);
    chmodSync(path, 0o644);
    const caches = new PackCaches();
    let refused = 0;
    for (let at = 12; at < bytes.length; at += 5) {
      const damage = Buffer.from(bytes);
      damage[at] = damage[at]! ^ (at % 3 === 0 ? 0xff : 1 << (at % 8));
      writeFileSync(path, damage);
      const store = openStore(directory, format, caches);
      const cursor = store.openCursor()!;
      for (const [id, object] of right) {
        if (!cursor.findId(id)) t.fail(`byte ${at}: ${id} is not found`);
        try {
          if (!cursor.read()) refused += 1;
          else if (!contentOf(cursor).bytes.equals(object.bytes)) t.fail(`byte ${at}: ${id} is another`);
          cursor.readHead(100);
          cursor.describeRange(cursor.position + 1, 0, 0);
        } catch (error) {
          // Only the trailer is looked at when the pack is opened.
          if (at < bytes.length - 32) t.fail(`byte ${at}: ${String(error)}`);
        }
      }
      store.close();
    }
    t.true(refused > bytes.length / 10);
  });
}

test('a pack of many windows is read here and there with room for few of them', (t) => {
  if (skipWithoutGit(t)) return;
  const directory = makeRepository(t, 'sha1', `
for i in 1 2 3 4 5 6 7 8 9; do head -c 150000 /dev/urandom > big$i; head -c 3000 /dev/urandom > small$i; head -c 70000 big$i > part$i; done
git add .; git commit -qm all; git repack -adq`);
  const store = openStore(directory, 'sha1', new PackCaches(300 * 1024, 64 * 1024));
  const right = openStore(directory, 'sha1');
  const ids = [...right.listIds()];
  const cursor = store.openCursor()!;
  const random = seededRandom(3);
  for (let round = 0; round < 600; round += 1) {
    const id = ids[Math.floor(random() * ids.length)]!;
    t.true(cursor.findId(id) && cursor.read());
    t.true(right.read(id).bytes.equals(contentOf(cursor).bytes));
  }
  store.close();
  right.close();
});

test('without kernels there is no cursor, and the store reads the same', (t) => {
  if (skipWithoutGit(t)) return;
  const directory = makeRepository(t, 'sha1', `${history}\ngit gc -q`);
  const withKernels = openStore(directory, 'sha1');
  const right = [...withKernels.listIds()].map((id) => withKernels.read(id));
  useKernels(false);
  try {
    const store = openStore(directory, 'sha1');
    t.is(store.openCursor(), undefined);
    for (let round = 0; round < 4; round += 1) t.deepEqual([...store.listIds()].map((id) => store.read(id)), right);
    store.close();
  } finally {
    useKernels(true);
  }
});

for (const [what, harm] of [
  ['is gone', (path: string): void => { rmSync(path); }],
  ['belongs to another index', (path: string): void => { chmodSync(path, 0o644); const bytes = readFileSync(path); writeFileSync(path, bytes.fill(0, bytes.length - 20)); }],
] as const) {
  test(`a pack that ${what} when it is first read from is no answer of a cursor, and the store looks elsewhere`, (t) => {
    if (skipWithoutGit(t)) return;
    const directory = makeRepository(t, 'sha1', `${history}\ngit repack -adq; mkdir keep; mv .git/objects/pack/pack-* keep; cat keep/*.pack | git unpack-objects -q; cp keep/* .git/objects/pack`);
    const store = openStore(directory, 'sha1');
    const packs = join(directory, '.git/objects/pack');
    const [id] = store.listIds();
    const cursor = store.openCursor()!;
    t.true(cursor.findId(id!));
    harm(join(packs, readdirSync(packs).find((name) => name.endsWith('.pack'))!));
    t.false(cursor.read());
    t.false(cursor.readHead(10));
    t.notThrows(() => store.read(id!));
    store.close();
  });
}
