import test from 'ava';
import { spawn } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, readdirSync, renameSync, rmSync, rmdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { realDisk, useDisk } from '../../pack/disk.js';
import { hardenNothing } from '../../pack/hardening.js';
import { CorruptError, NotFoundError } from '../../pack/errors.js';
import { ObjectStore } from '../../pack/object-store.js';
import { emptyTreeId, hashObject } from '../../pack/oid.js';
import type { ObjectId } from '../../pack/oid.js';
import { encodePackMtimes } from '../../pack/pack-mtimes.js';
import { bothFormats, makeRepository } from '../helpers/differential.js';
import { makeSandbox, writeFiles } from '../helpers/sandbox.js';
import { cleanEnvironment, git, gitOutput, skipWithoutGit } from '../helpers/stock-git.js';

/** A history whose files change little, so that packs have delta chains; a tag; a file in a directory. */
const history = `
mkdir dir
for i in 1 2 3 4 5 6 7 8; do
  seq 1 $((400 + i)) > numbers; seq $i 300 > dir/more; echo $i > small
  git add . && git commit -qm "change $i"
done
git tag -am 'a tag' v1
`;

/** Ids, types and sizes as stock git tells them. */
function listed(directory: string): { id: ObjectId; type: string; size: number }[] {
  return gitOutput(['cat-file', '--batch-all-objects', '--batch-check'], { cwd: directory }).split('\n').map((line) => {
    const [id, type, size] = line.split(' ');
    return { id: id as ObjectId, type: type!, size: Number(size) };
  });
}

for (const format of bothFormats) {
  test(`every object git wrote is read with the same type, size and bytes, loose and packed (${format})`, (t) => {
    if (skipWithoutGit(t)) return;
    const directory = makeRepository(t, format, history);
    for (const pack of ['', 'repack -q -a -d', '-c pack.indexVersion=1 repack -q -a -d -f', 'repack -q -a -d -f --window=0']) {
      if (pack !== '') gitOutput(pack.split(' '), { cwd: directory });
      const store = ObjectStore.open(join(directory, '.git/objects'), format);
      const expected = listed(directory);
      t.deepEqual([...store.listIds()], expected.map(({ id }) => id));
      for (const { id, type, size } of expected) {
        t.deepEqual(store.findHeader(id), { type, sizeBytes: size } as never);
        const object = store.read(id);
        t.is(object.type, type as never);
        t.is(hashObject(object.type, object.bytes, format), id);
        t.deepEqual(Buffer.concat([...store.openStream(id).chunks]), object.bytes);
        t.deepEqual(store.findByPrefix(id.slice(0, 9)), [id]);
      }
      store.close();
    }
  });

  test(`what is written loose is read by git, and again by the store (${format})`, (t) => {
    if (skipWithoutGit(t)) return;
    const directory = makeRepository(t, format, 'true');
    const store = ObjectStore.open(join(directory, '.git/objects'), format);
    const content = Buffer.from('hello\n');
    const id = store.write('blob', content);
    t.deepEqual(store.read(id), { type: 'blob', bytes: content });
    t.is(gitOutput(['cat-file', 'blob', id], { cwd: directory }), 'hello');
    t.is(statSync(join(directory, '.git/objects', id.slice(0, 2), id.slice(2))).mode & 0o777, 0o444);
    const chunks = [Buffer.alloc(70_000, 'a'), Buffer.alloc(70_000, 'b')];
    const streamed = store.writeStream('blob', 140_000, chunks);
    t.is(gitOutput(['cat-file', '-s', streamed], { cwd: directory }), '140000');
    t.deepEqual(store.read(streamed).bytes, Buffer.concat(chunks));
    t.throws(() => store.writeStream('blob', 5, chunks), { message: /not the 5 bytes/ });
    t.throws(() => store.writeStream('blob', 500_000, chunks), { message: /not the 500000 bytes/ });
    t.deepEqual(readdirSync(join(directory, '.git/objects')).filter((name) => name.startsWith('tmp_')), []);
    t.is(git(['fsck', '--strict'], { cwd: directory }).code, 0);
  });
}

test('a missing object is not found, undefined or an error as the verb says; the empty tree is always there', (t) => {
  const store = ObjectStore.open(makeSandbox(t), 'sha1');
  const id = '1'.repeat(40) as ObjectId;
  t.is(store.find(id), undefined);
  t.is(store.findHeader(id), undefined);
  t.false(store.has(id));
  t.throws(() => store.read(id), { instanceOf: NotFoundError, code: 'object-missing' });
  t.deepEqual(store.readTree(emptyTreeId('sha1')), []);
});

test('a damaged loose object is an error when read and healed when the right bytes are written again', (t) => {
  const directory = makeSandbox(t);
  const store = ObjectStore.open(directory, 'sha256', { hardening: hardenNothing });
  const id = store.write('blob', Buffer.from('precious'));
  const path = join(directory, id.slice(0, 2), id.slice(2));
  for (const damage of [Buffer.alloc(0), readFileSync(path).subarray(0, 12), Buffer.from('nonsense'), Buffer.concat([readFileSync(path), Buffer.of(0)])]) {
    chmodSync(path, 0o644);
    writeFileSync(path, damage);
    t.throws(() => store.read(id), { instanceOf: CorruptError, message: new RegExp(id.slice(2)) });
    t.is(store.write('blob', Buffer.from('precious')), id);
    t.is(store.read(id).bytes.toString(), 'precious');
  }
});

test('an object under the name of another is refused', (t) => {
  const directory = makeSandbox(t);
  const store = ObjectStore.open(directory, 'sha1', { hardening: hardenNothing });
  const right = store.write('blob', Buffer.from('right'));
  const wrong = store.write('blob', Buffer.from('wrong'));
  const pathOf = (id: string): string => join(directory, id.slice(0, 2), id.slice(2));
  renameSync(pathOf(wrong), pathOf(right));
  t.throws(() => store.read(right), { code: 'object-mismatch' });
  t.throws(() => [...store.openStream(right).chunks], { code: 'object-mismatch' });
});

test('a damaged pack does not hide a good loose copy, and writing the object again makes one', (t) => {
  if (skipWithoutGit(t)) return;
  const directory = makeRepository(t, 'sha1', 'echo content > file; git add .; git commit -qm one; git repack -q -a -d');
  const objects = join(directory, '.git/objects');
  const id = hashObject('blob', Buffer.from('content\n'), 'sha1');
  const before = ObjectStore.open(objects, 'sha1');
  const location = before.locate(id);
  if (location?.kind !== 'pack') return t.fail('the blob is packed');
  const bytes = readFileSync(location.pack.path);
  const at = location.pack.offsetAt(location.position) + 4;
  bytes[at] = bytes[at]! ^ 0xff;
  chmodSync(location.pack.path, 0o644);
  writeFileSync(location.pack.path, bytes);
  const store = ObjectStore.open(objects, 'sha1');
  t.throws(() => store.read(id), { instanceOf: CorruptError, message: new RegExp(id) });
  t.is(store.write('blob', Buffer.from('content\n')), id);
  t.is(store.read(id).bytes.toString(), 'content\n');
});

test.serial('of a pack that goes the index goes first: what has one is whole', (t) => {
  if (skipWithoutGit(t)) return;
  const directory = makeRepository(t, 'sha1', 'echo content > file; git add .; git commit -qm one; git repack -q -a -d');
  const store = ObjectStore.open(join(directory, '.git/objects'), 'sha1');
  const gone: string[] = [];
  const restore = useDisk(new Proxy(realDisk, {
    get: (target, method: keyof typeof realDisk) => (...args: unknown[]): unknown => {
      if (method === 'unlink') gone.push(String(args[0]).replace(/.*[.]/, ''));
      return (target[method] as (...all: unknown[]) => unknown)(...args);
    },
  }));
  try {
    store.removePack(store.listOwnPacks()[0]!);
  } finally {
    restore();
  }
  t.deepEqual([gone[0], gone.at(-1)], ['idx', 'pack']);
});

test('writing an object that is there renews the age of its file or pack', (t) => {
  if (skipWithoutGit(t)) return;
  const directory = makeRepository(t, 'sha1', 'echo packed > file; git add .; git commit -qm one; git repack -q -a -d; echo loose | git hash-object -w --stdin');
  const store = ObjectStore.open(join(directory, '.git/objects'), 'sha1');
  for (const content of ['packed\n', 'loose\n']) {
    const location = store.locate(hashObject('blob', Buffer.from(content), 'sha1'))!;
    const path = location.kind === 'pack' ? location.pack.path : location.path;
    utimesSync(path, 1000, 1000);
    store.write('blob', Buffer.from(content));
    t.true(statSync(path).mtimeMs > 2_000_000, path);
  }
  t.is([...store.listLoose()].length, 1);
});

test('what another process wrote a moment ago is made durable by whoever relies on it', (t) => {
  const objects = join(makeSandbox(t), 'objects');
  const content = Buffer.from('the same content');
  const synced: string[] = [];
  const flushed = (store: ObjectStore): readonly string[] => {
    synced.length = 0;
    store.flush();
    return [...synced];
  };
  const restore = useDisk({ ...realDisk, fsyncDirectory: (path) => { synced.push(String(path)); } });
  try {
    const other = ObjectStore.open(objects, 'sha1');
    const id = other.write('blob', content);
    const loose = join(objects, id.slice(0, 2));
    const mine = ObjectStore.open(objects, 'sha1');
    t.is(mine.write('blob', content), id);
    t.deepEqual(flushed(mine), [loose]);
    t.deepEqual(flushed(mine), []);
    utimesSync(join(loose, id.slice(2)), 1000, 1000);
    t.is(mine.write('blob', content), id);
    t.deepEqual(flushed(mine), [], 'what is old is on the disk');
    rmSync(loose, { recursive: true });
    using bulk = other.bulk();
    bulk.add('blob', content);
    bulk.finish();
    const third = ObjectStore.open(objects, 'sha1');
    t.is(third.write('blob', content), id);
    t.deepEqual(flushed(third), [join(objects, 'pack')]);
  } finally {
    restore();
  }
});

test('objects written once more into a pack that was a cruft pack are young again', (t) => {
  const objects = join(makeSandbox(t), 'objects');
  const write = (): string => {
    using bulk = ObjectStore.open(objects, 'sha256').bulk();
    for (const text of ['one', 'two']) bulk.add('blob', Buffer.from(text));
    return bulk.finish()!.packId;
  };
  const packId = write();
  const ages = join(objects, `pack/pack-${packId}.mtimes`);
  writeFileSync(ages, encodePackMtimes([1000, 1000], Buffer.from(packId, 'hex'), 'sha256'));
  t.is(write(), packId);
  t.false(existsSync(ages));
});

test('packs that come, and objects that move into them, are found without opening the store again', (t) => {
  if (skipWithoutGit(t)) return;
  const directory = makeRepository(t, 'sha1', 'echo 1 > file; git add .; git commit -qm one');
  const store = ObjectStore.open(join(directory, '.git/objects'), 'sha1');
  const ids = [...store.listIds()];
  gitOutput(['repack', '-a', '-d', '-q'], { cwd: directory });
  for (const id of ids) t.truthy(store.read(id));
  // The pack of now goes away again, in favour of another, before this process opened it.
  const second = ObjectStore.open(join(directory, '.git/objects'), 'sha1');
  writeFiles(directory, { more: 'more\n' });
  gitOutput(['add', '.'], { cwd: directory });
  gitOutput(['commit', '-qm', 'two'], { cwd: directory });
  gitOutput(['repack', '-a', '-d', '-q'], { cwd: directory });
  for (const id of ids) t.truthy(second.read(id));
  t.is([...second.listIds()].length, ids.length + 3);
});

test('objects are written while the packs and the multi-pack-index known so far go away', (t) => {
  if (skipWithoutGit(t)) return;
  const directory = makeRepository(t, 'sha1', 'echo 1 >a; git add a; git commit -qm 1; git repack -dq; echo 2 >b; git add b; git commit -qm 2; git repack -dq; git multi-pack-index write');
  for (const use of ['write', 'bulk', 'isPacked', 'abbreviate'] as const) {
    const packs = join(directory, '.git/objects/pack');
    const store = ObjectStore.open(join(directory, '.git/objects'), 'sha1');
    const aside = join(directory, use);
    renameSync(packs, aside);
    const id = hashObject('blob', Buffer.from('1\n'), 'sha1');
    if (use === 'write') t.is(store.write('blob', Buffer.from('1\n')), id);
    else if (use === 'isPacked') t.false(store.isPacked(id));
    else if (use === 'abbreviate') t.true(id.startsWith(store.abbreviate(id, 7)));
    else {
      using bulk = store.bulk();
      t.is(bulk.add('blob', Buffer.from('1\n')), id);
      bulk.finish();
    }
    if (use === 'write' || use === 'bulk') t.is(ObjectStore.open(join(directory, '.git/objects'), 'sha1').read(id).bytes.toString(), '1\n');
    store.close();
    rmSync(join(directory, '.git/objects', id.slice(0, 2)), { recursive: true, force: true });
    rmSync(packs, { recursive: true, force: true });
    renameSync(aside, packs);
  }
});

test('a fan-out directory that gc removed is made again', (t) => {
  const directory = makeSandbox(t);
  const store = ObjectStore.open(directory, 'sha1', { hardening: hardenNothing });
  const id = store.write('blob', Buffer.from('x'));
  store.removeLoose(id);
  rmdirSync(join(directory, id.slice(0, 2)));
  t.false(store.has(id));
  store.flush();
  t.is(store.write('blob', Buffer.from('x')), id);
});

test('objects of alternates are read, at any depth git allows, and cycles end', (t) => {
  const base = makeSandbox(t);
  const [one, two, three] = ['one', 'two', 'three'].map((name) => join(base, name)) as [string, string, string];
  const id = ObjectStore.open(three, 'sha1', { hardening: hardenNothing }).write('blob', Buffer.from('far'));
  writeFiles(base, { 'one/info/alternates': '# comment\n../two\n', 'two/info/alternates': `${three}\n`, 'three/info/alternates': '../one\n' });
  const store = ObjectStore.open(one, 'sha1');
  t.is(store.read(id).bytes.toString(), 'far');
  t.deepEqual(store.alternates, [two, three]);
  t.is(ObjectStore.open(two, 'sha1', { alternates: [one] }).read(id).bytes.toString(), 'far');
  rmSync(three, { recursive: true });
  t.is(ObjectStore.open(one, 'sha1').find(id), undefined);
});

test('replacements are read in place of the original, and a circle of them is an error', (t) => {
  const directory = makeSandbox(t);
  const plain = ObjectStore.open(directory, 'sha1', { hardening: hardenNothing });
  const [a, b] = [plain.write('blob', Buffer.from('a')), plain.write('blob', Buffer.from('bb'))];
  const store = ObjectStore.open(directory, 'sha1', { replace: new Map([[a, b]]) });
  t.is(store.read(a).bytes.toString(), 'bb');
  t.is(store.readHeader(a).sizeBytes, 2);
  const circle = ObjectStore.open(directory, 'sha1', { replace: new Map([[a, b], [b, a]]) });
  t.throws(() => circle.read(a), { code: 'replace-depth' });
});

test('abbreviations are as long as needed to be unique', (t) => {
  if (skipWithoutGit(t)) return;
  const directory = makeRepository(t, 'sha1', 'i=0; while [ $i -lt 300 ]; do echo $i > f$i; i=$((i+1)); done; git add .; git commit -qm x; git repack -q -d');
  gitOutput(['hash-object', '-w', '--stdin'], { cwd: directory, stdin: 'loose' });
  const store = ObjectStore.open(join(directory, '.git/objects'), 'sha1');
  const ids = [...store.listIds()];
  for (const id of ids) {
    const short = store.abbreviate(id, 4);
    t.is(ids.filter((other) => other.startsWith(short)).length, 1);
    if (short.length > 4) t.true(ids.filter((other) => other.startsWith(short.slice(0, -1))).length > 1);
  }
});

test('while git repacks, prunes and unpacks again and again, nothing is ever reported as damaged', async (t) => {
  if (skipWithoutGit(t)) return;
  const directory = makeRepository(t, 'sha1', history);
  const objects = join(directory, '.git/objects');
  const store = ObjectStore.open(objects, 'sha1');
  const ids = [...store.listIds()];
  const script = `for i in 1 2 3 4 5 6; do
    git repack -q -a -d && git multi-pack-index write && mv .git/objects/pack/*.pack ../moved.pack && rm -f .git/objects/pack/* && git unpack-objects -q < ../moved.pack
    git repack -q -d && git prune-packed && git repack -q -a -d -f; done`;
  // Between moving the pack away and unpacking it nothing is there: what is missing then must be missing, not damaged.
  const child = spawn('sh', ['-c', script], { cwd: directory, env: cleanEnvironment, stdio: 'ignore' });
  let running = true;
  const ended = new Promise<void>((resolve) => child.once('exit', () => { running = false; resolve(); }));
  let reads = 0;
  let missing = 0;
  while (running) {
    for (const id of ids) {
      const object = reads % 3 === 0 ? ObjectStore.open(objects, 'sha1').find(id) : store.find(id);
      if (object === undefined) missing += 1;
      reads += 1;
    }
    await new Promise((resolve) => { setImmediate(resolve); });
  }
  await ended;
  t.true(reads > ids.length && missing < reads);
  for (const id of ids) t.truthy(store.read(id));
  t.log(`${reads} reads, ${missing} while nothing was there`);
});

test('while git repacks, no object is ever missing or damaged', async (t) => {
  if (skipWithoutGit(t)) return;
  const directory = makeRepository(t, 'sha256', `${history}\ngit repack -q -a -d`);
  const objects = join(directory, '.git/objects');
  const store = ObjectStore.open(objects, 'sha256');
  const ids = [...store.listIds()];
  const script = 'for i in 1 2 3 4 5 6 7 8; do echo $i > new; git add new; git commit -qm $i; git repack -q -a -d -f --window=$i; git multi-pack-index write; done';
  const child = spawn('sh', ['-c', script], { cwd: directory, env: cleanEnvironment, stdio: 'ignore' });
  let running = true;
  const ended = new Promise<void>((resolve) => child.once('exit', () => { running = false; resolve(); }));
  let reads = 0;
  while (running) {
    for (const id of ids) {
      if ((reads % 4 === 0 ? ObjectStore.open(objects, 'sha256') : store).find(id) === undefined) t.fail(`${id} is missing`);
      reads += 1;
    }
    await new Promise((resolve) => { setImmediate(resolve); });
  }
  await ended;
  t.true(reads > ids.length);
});
