import test from 'ava';
import type { ExecutionContext } from 'ava';
import fs, { appendFileSync, mkdirSync, readdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { FileIntake } from '../../pack/file-intake.js';
import type { IntakeObserver } from '../../pack/file-intake.js';
import { ObjectStore } from '../../pack/object-store.js';
import { hashObject } from '../../pack/oid.js';
import type { ObjectId } from '../../pack/oid.js';
import { WorkerPool } from '../../pack/workers.js';
import { makeSandbox, writeFiles } from '../helpers/sandbox.js';

interface Setting {
  readonly files: string;
  readonly store: ObjectStore;
  readonly stored: Map<string, ObjectId>;
  readonly gone: string[];
  /** Takes the paths in and finishes the pack; returns how many objects were new. */
  take(paths: readonly string[], observer?: Partial<IntakeObserver>): number;
}

function setting(t: ExecutionContext, threads: number): Setting {
  const root = makeSandbox(t);
  const files = join(root, 'fil\u00e9s');
  mkdirSync(files);
  const store = ObjectStore.open(join(root, 'objects'), 'sha256');
  const stored = new Map<string, ObjectId>();
  const gone: string[] = [];
  return {
    files, store, stored, gone,
    take(paths, observer) {
      using pool = new WorkerPool({ threads });
      using bulk = store.bulk();
      const intake = new FileIntake({
        root: files, format: 'sha256', level: 1, pool, bulk,
        observer: { stored: (path, id) => { stored.set(path, id); }, gone: (path) => { gone.push(path); }, ...observer },
      });
      for (const path of paths) intake.add(path);
      intake.drain();
      return bulk.finish()?.objects ?? 0;
    },
  };
}

const megabyte = 1024 * 1024;

for (const threads of [0, 2]) {
  test(`small and large files are stored once each and read back, ${threads} threads`, (t) => {
    const { files, store, stored, gone, take } = setting(t, threads);
    const contents: Record<string, Buffer> = {
      'large text': Buffer.alloc(5 * megabyte + 17, 'a line of some text\n'),
      'copy of large text': Buffer.alloc(5 * megabyte + 17, 'a line of some text\n'),
      'exactly pieces': Buffer.alloc(4 * megabyte, 'pieces'),
      'just small': Buffer.alloc(4 * megabyte - 1, 'small'),
      empty: Buffer.alloc(0),
      'dir/copy of empty': Buffer.alloc(0),
    };
    for (let at = 0; at < 300; at += 1) contents[`many/${at % 7}/${at}`] = Buffer.from(`file ${at % 250}\n`);
    writeFiles(files, contents);
    writeFileSync(Buffer.concat([Buffer.from(`${files}/`), Buffer.from([0x61, 0xff])]), 'file 1\n');
    t.is(take([...Object.keys(contents), 'a\xff', 'never there']), 250 + 4);
    t.deepEqual(gone, ['never there']);
    t.is(stored.size, Object.keys(contents).length + 1);
    for (const [path, content] of Object.entries(contents)) {
      t.is(stored.get(path), hashObject('blob', content, 'sha256'));
      const chunks = [...store.openStream(stored.get(path)!).chunks];
      t.true(Buffer.concat(chunks).equals(content), path);
    }
    t.is(take(['large text', 'empty', 'many/1/1']), 0, 'nothing is stored twice');
  });
}

test('a small file that changes between two reads is read again, never stored as a mixture', (t) => {
  const { files, stored, take } = setting(t, 0);
  const path = join(files, 'small');
  writeFileSync(path, Buffer.alloc(10_000, 'a'));
  utimesSync(path, 1000, 1000);
  const { readSync } = fs;
  let reads = 0;
  // The first read stops half way, and the file is another one when it goes on.
  fs.readSync = ((fd: number, buffer: Buffer, offset: number, length: number, position: number) => {
    reads += 1;
    if (reads > 1) return readSync(fd, buffer, offset, length, position);
    const got = readSync(fd, buffer, offset, 5000, position);
    writeFileSync(path, Buffer.alloc(10_000, 'b'));
    return got;
  }) as typeof readSync;
  syncBuiltinESMExports();
  try {
    take(['small']);
  } finally {
    fs.readSync = readSync;
    syncBuiltinESMExports();
  }
  t.is(stored.get('small'), hashObject('blob', Buffer.alloc(10_000, 'b'), 'sha256'));
});

test('a large file that became a link meanwhile may be stored as one, and spoils no other file', (t) => {
  const { files, store, stored } = setting(t, 0);
  const content = Buffer.alloc(12 * megabyte, 'a line of some text\n');
  writeFiles(files, { first: content, second: content, small: 'small' });
  using pool = new WorkerPool({ threads: 0 });
  using bulk = store.bulk();
  const intake = new FileIntake({
    root: files, format: 'sha256', level: 1, pool, bulk,
    observer: {
      stored: (path, id) => {
        stored.set(path, id);
        if (path !== 'small') return;
        rmSync(join(files, 'second'));
        symlinkSync('elsewhere', join(files, 'second'));
      },
      gone: (path) => { stored.set(path, bulk.add('blob', fs.readlinkSync(join(files, path), { encoding: 'buffer' }))); },
    },
  });
  for (const path of ['first', 'second', 'small']) intake.add(path);
  intake.drain();
  bulk.finish();
  t.true(Buffer.concat([...store.openStream(stored.get('first')!).chunks]).equals(content));
  t.is(store.read(stored.get('second')!).bytes.toString(), 'elsewhere');
});

test('a large file that grows meanwhile is an error that names it, and leaves nothing', (t) => {
  const { files, store, take } = setting(t, 0);
  writeFileSync(join(files, 'log'), Buffer.alloc(9 * megabyte));
  writeFileSync(join(files, 'first'), Buffer.alloc(5 * megabyte));
  const grow = (path: string): void => { if (path === 'first') appendFileSync(join(files, 'log'), 'more'); };
  t.throws(() => take(['first', 'log'], { stored: grow }), { message: 'file \'log\' changed while it was read', code: 'file-changed' } as never);
  t.deepEqual(readdirSync(join(store.directory, 'pack')), []);
});
