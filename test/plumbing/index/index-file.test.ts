import test from 'ava';
import { existsSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CairnError, CorruptError } from '../../../pack/errors.js';
import { digest, type ObjectFormat, type ObjectId } from '../../../pack/oid.js';
import { repoPath } from '../../../pack/tree.js';
import { Index, type IndexEntry, indexEntry } from '../../../plumbing/index/index-file.js';
import { lockIndex } from '../../../plumbing/index/index-lock.js';
import { Repository } from '../../../plumbing/repository.js';
import { cairn, makeContext } from '../../helpers/cairn.js';
import { bothFormats, makeRepository } from '../../helpers/differential.js';
import { seededRandom } from '../../helpers/sandbox.js';
import { git, gitOutput, skipWithoutGit } from '../../helpers/stock-git.js';

const idOf = (format: ObjectFormat, text: string): ObjectId => digest(Buffer.from(text), format).toString('hex') as ObjectId;

function entry(format: ObjectFormat, path: string, more: Partial<IndexEntry> = {}): IndexEntry {
  return indexEntry({ path: repoPath(path), id: idOf(format, path), mode: 0o100644, ...more });
}

const stat = { ctimeS: 1, ctimeNs: 2, mtimeS: 0xffffffff, mtimeNs: 999_999_999, dev: 5, ino: 0xfffffffe, uid: 7, gid: 8, size: 0xffffffff };

function sample(format: ObjectFormat): Index {
  const index = new Index(format);
  index.set(entry(format, 'b', { mode: 0o100755, stat }));
  index.set(entry(format, 'a/x', { skipWorktree: true }));
  index.set(entry(format, 'a/y', { intentToAdd: true }));
  index.set(entry(format, 'caf\xe9\xff', { assumeValid: true }));
  index.set(entry(format, `long/${'n'.repeat(5000)}`));
  for (const stage of [1, 2, 3] as const) index.set(entry(format, 'c', { stage }));
  index.set(entry(format, 'link', { mode: 0o120000 }));
  index.set(entry(format, 'nested', { mode: 0o160000 }));
  return index;
}

for (const format of bothFormats) {
  test(`every version gives back what was encoded (${format})`, (t) => {
    const index = sample(format);
    for (const version of [2, 3, 4] as const) {
      const again = Index.decode(index.encode(version), format);
      t.deepEqual(again.entries, index.entries);
      t.is(again.version, version === 4 ? 4 : 3);
      t.deepEqual(Index.decode(again.encode(), format).entries, index.entries);
    }
  });

  test(`stock git reads what is written, and cairn reads stock git's, byte for byte (${format})`, (t) => {
    if (skipWithoutGit(t)) return;
    const directory = makeRepository(t, format, 'mkdir -p d/e; echo 1 >d/e/f; echo 2 >d/g; echo 3 >h; ln -s h l; chmod +x h; git add .; git commit -qm x');
    const path = join(directory, '.git/index');
    for (const version of ['2', '4']) {
      gitOutput(['update-index', '--index-version', version], { cwd: directory });
      const bytes = readFileSync(path);
      t.deepEqual(Index.decode(bytes, format).encode(), bytes);
    }
    for (const version of [2, 3, 4] as const) {
      writeFileSync(path, sample(format).encode(version));
      const listed = gitOutput(['ls-files', '-s', '-z', '-v'], { cwd: directory }).split('\0').filter((line) => line !== '');
      t.deepEqual(listed, sample(format).entries.map((each) => {
        const tag = each.stage !== 0 ? 'M' : each.skipWorktree ? 'S' : each.assumeValid ? 'h' : 'H';
        return `${tag} ${each.mode.toString(8)} ${each.id} ${each.stage}\t${each.path}`;
      }));
    }
  });

  test(`a flipped byte, a cut and any nonsense are errors, never wrong entries (${format})`, (t) => {
    const index = new Index(format);
    for (const path of ['a', 'dir/b', 'dir/c']) index.set(entry(format, path));
    const good = index.encode();
    for (let at = 0; at < good.length; at += 1) {
      const flipped = Buffer.from(good);
      flipped[at] = flipped[at]! ^ 0x41;
      t.throws(() => Index.decode(flipped, format), { instanceOf: CorruptError }, `byte ${at}`);
      t.throws(() => Index.decode(good.subarray(0, at), format), { instanceOf: CorruptError }, `cut at ${at}`);
    }
  });

  test(`nonsense under a right checksum gives a value or an error (${format})`, (t) => {
    const seed = Number(process.env['SEED'] ?? 4711);
    t.log(`seed ${seed}`);
    const random = seededRandom(seed);
    const sources = ([2, 3, 4] as const).map((version) => {
      const index = sample(format);
      index.remove(`long/${'n'.repeat(5000)}`);
      return index.encode(version);
    });
    let decoded = 0;
    for (let round = 0; round < 3000; round += 1) {
      const source = sources[round % 3]!;
      const size = source.length - (format === 'sha1' ? 20 : 32);
      const body = Buffer.from(source.subarray(0, size));
      for (let left = 1 + Math.floor(random() * 3); left > 0; left -= 1) {
        const at = Math.floor(random() * body.length);
        body[at] = random() < 0.5 ? Math.floor(random() * 256) : random() < 0.5 ? 0xff : 0;
      }
      const bytes = Buffer.concat([body, digest(body, format)]);
      try {
        const index = Index.decode(bytes, format);
        for (const each of index.entries) t.true(each.path.length > 0 && index.find(each.path, each.stage) !== undefined);
        void index.cacheTree;
        decoded += 1;
      } catch (error) {
        if (!(error instanceof CairnError)) throw error;
      }
    }
    t.true(decoded > 100, 'most changes of names and stats are legal');
  });
}

function withExtension(signature: string, content: Buffer): Buffer {
  const index = new Index('sha1');
  index.set(entry('sha1', 'a'));
  const plain = index.encode();
  const head = Buffer.alloc(8);
  head.write(signature, 'latin1');
  head.writeUInt32BE(content.length, 4);
  const body = Buffer.concat([plain.subarray(0, -20), head, content]);
  return Buffer.concat([body, digest(body, 'sha1')]);
}

test('unknown optional extensions are left out, required ones refused by name', (t) => {
  const index = Index.decode(withExtension('XYZW', Buffer.from('anything')), 'sha1');
  t.is(index.count, 1);
  t.false(index.encode().includes('XYZW'));
  for (const name of ['link', 'sdir', 'abcd']) {
    const error = t.throws(() => Index.decode(withExtension(name, Buffer.alloc(4)), 'sha1'), { instanceOf: CorruptError, code: 'unknown-index-extension' });
    t.true(error?.message.includes(name));
  }
});

test('a cache-tree that nests for ever, or lies about counts, is an error or is not believed', (t) => {
  const deep = Buffer.concat(Array.from({ length: 10_000 }, (_value, at) => Buffer.from(`${at === 0 ? '' : 'd'}\0-1 1\n`)));
  t.throws(() => Index.decode(withExtension('TREE', deep), 'sha1').cacheTree, { instanceOf: CorruptError });
  t.throws(() => Index.decode(withExtension('TREE', Buffer.from('\x0099 0\nshort')), 'sha1').cacheTree, { instanceOf: CorruptError });
  t.throws(() => Index.decode(withExtension('TREE', Buffer.from('\x00-1 999999999\n')), 'sha1').cacheTree, { instanceOf: CorruptError });
});

test('a version 4 file cannot make names larger than the memory it is worth', (t) => {
  const entries: Buffer[] = [];
  const head = (): Buffer => {
    const bytes = Buffer.alloc(62);
    bytes.writeUInt32BE(0o100644, 24);
    bytes.writeUInt16BE(0xfff, 60);
    return bytes;
  };
  entries.push(head(), Buffer.from([0]), Buffer.alloc(200_000, 'a'), Buffer.from([0]));
  for (let at = 0; at < 4000; at += 1) entries.push(head(), Buffer.from([0]), Buffer.from('b\0'));
  const header = Buffer.from('DIRC\0\0\0\x04\0\0\0\0', 'latin1');
  header.writeUInt32BE(4001, 8);
  const body = Buffer.concat([header, ...entries]);
  t.throws(() => Index.decode(Buffer.concat([body, digest(body, 'sha1')]), 'sha1'), { instanceOf: CorruptError });
});

test('setting an entry replaces its stages, and files where directories are needed', (t) => {
  const index = new Index('sha1');
  for (const path of ['a', 'b/x', 'b/y/z', 'b-c', 'b.c']) index.set(entry('sha1', path));
  index.set(entry('sha1', 'a/inside'));
  index.set(entry('sha1', 'b'));
  t.deepEqual(index.entries.map(({ path }) => String(path)), ['a/inside', 'b', 'b-c', 'b.c']);
  for (const stage of [1, 3] as const) index.set(entry('sha1', 'u', { stage }));
  t.true(index.isUnmerged);
  index.set(entry('sha1', 'u'));
  t.false(index.isUnmerged);
  t.is(index.removeDirectory('a'), 1);
  t.true(index.remove('b'));
  t.false(index.remove('b'));
  t.deepEqual(index.entries.map(({ path }) => String(path)), ['b-c', 'b.c', 'u']);
});

test('random edits give what a plain sorted map gives', (t) => {
  const seed = Number(process.env['SEED'] ?? 99);
  t.log(`seed ${seed}`);
  const random = seededRandom(seed);
  let index = new Index('sha1');
  const model = new Map<string, string>();
  const names = ['a', 'b', 'a-b', 'a.b', 'd', 'd0'];
  for (let round = 0; round < 2000; round += 1) {
    const path = Array.from({ length: 1 + Math.floor(random() * 3) }, () => names[Math.floor(random() * names.length)]!).join('/');
    if (random() < 0.6) {
      const made = entry('sha1', path, { id: idOf('sha1', String(round)) });
      for (const other of [...model.keys()]) if (other.startsWith(`${path}/`) || path.startsWith(`${other}/`)) model.delete(other);
      model.set(path, made.id);
      index.set(made);
    } else {
      t.is(index.remove(path), model.delete(path));
    }
    if (round % 97 === 0) index = Index.decode(index.encode(round % 2 === 0 ? 2 : 4), 'sha1');
    if (round % 31 === 0) {
      t.deepEqual(index.entries.map((each) => [each.path, each.id]), [...model].sort(([one], [two]) => (one < two ? -1 : 1)) as never);
    }
    t.is(index.has(path), model.has(path));
    t.is(index.hasDirectory('a'), [...model.keys()].some((each) => each.startsWith('a/')));
  }
});

test('names nest as deep as a file system allows, and no deeper', async (t) => {
  if (skipWithoutGit(t)) return;
  const tooDeep = new Index('sha1');
  tooDeep.set(entry('sha1', `${'d/'.repeat(100_000)}x`));
  t.throws(() => Index.decode(tooDeep.encode(), 'sha1'), { instanceOf: CorruptError });
  const directory = makeRepository(t, 'sha1', ':');
  const deep = new Index('sha1');
  deep.set(entry('sha1', `${'d/'.repeat(2047)}x`));
  writeFileSync(join(directory, '.git/index'), deep.encode());
  for (const argv of [['status', '-s'], ['write-tree', '--missing-ok'], ['ls-files', '-o'], ['add', '-u'], ['read-tree', '--empty']]) {
    const { code, stderr } = await cairn(argv, { cwd: directory });
    t.is(code, 0, `${argv.join(' ')}: ${stderr}`);
  }
});

test('a racy change is still seen after the index was written again', async (t) => {
  if (skipWithoutGit(t)) return;
  const directory = makeRepository(t, 'sha1', 'echo one >a; git add a; echo other >b');
  const then = new Date(Date.now() - 60_000);
  utimesSync(join(directory, 'a'), then, then);
  gitOutput(['update-index', '--refresh'], { cwd: directory });
  utimesSync(join(directory, '.git/index'), then, then);
  writeFileSync(join(directory, 'a'), 'two\n');
  utimesSync(join(directory, 'a'), then, then);
  t.is((await cairn(['-c', 'core.trustctime=false', 'add', 'b'], { cwd: directory })).code, 0);
  t.is(gitOutput(['-c', 'core.trustctime=false', 'diff-files', '--name-only'], { cwd: directory }), 'a');
});

test('a writer that gives up leaves the old index and no lock', (t) => {
  if (skipWithoutGit(t)) return;
  const directory = makeRepository(t, 'sha1', 'echo 1 >a; git add a');
  const repository = Repository.open(makeContext({ cwd: directory }).context);
  const before = readFileSync(repository.indexPath);
  {
    using lock = lockIndex(repository);
    lock.index.set(entry('sha1', 'b'));
    t.throws(() => lockIndex(repository), { code: 'locked' });
  }
  t.deepEqual(readFileSync(repository.indexPath), before);
  t.false(existsSync(`${repository.indexPath}.lock`));
  t.is(git(['update-index', '--refresh'], { cwd: directory }).code, 0);
});
