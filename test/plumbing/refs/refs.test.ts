import test, { type ExecutionContext } from 'ava';
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { CairnError, ConflictError, CorruptError, InvalidError, LockedError, NotFoundError, RefusedError } from '../../../pack/errors.js';
import { realDisk, useDisk } from '../../../pack/disk.js';
import type { ObjectId } from '../../../pack/oid.js';
import { parseConfig } from '../../../plumbing/config.js';
import { PackedRefs, encodePackedRefs } from '../../../plumbing/refs/packed-refs.js';
import { decodeRefName, encodeRefName, isRefName } from '../../../plumbing/refs/ref-name.js';
import { packRefs } from '../../../plumbing/refs/ref-packing.js';
import { type RefEdit, RefTransaction, updateRef } from '../../../plumbing/refs/ref-transaction.js';
import { decodeReflog, encodeReflogEntry, readReflog } from '../../../plumbing/refs/reflog.js';
import { decodeLooseRef } from '../../../plumbing/refs/refs.js';
import { Repository } from '../../../plumbing/repository.js';
import { cairnProgram, makeContext } from '../../helpers/cairn.js';
import { withFailingDisk } from '../../helpers/failing-disk.js';
import { makeSandbox, seededRandom, writeFiles } from '../../helpers/sandbox.js';
import { cleanEnvironment, gitOutput, skipWithoutGit } from '../../helpers/stock-git.js';

interface Made { readonly repository: Repository; readonly git: string; readonly ids: readonly [ObjectId, ObjectId, ObjectId] }

function make(t: ExecutionContext, format: 'sha1' | 'sha256' = 'sha1'): Made {
  const directory = makeSandbox(t);
  const { repository } = Repository.init(makeContext({ cwd: directory, pid: process.pid }).context, { directory, objectFormat: format });
  const tree = repository.objects.write('tree', Buffer.alloc(0));
  const commit = (message: string): ObjectId => repository.objects.write('commit', Buffer.from(`tree ${tree}\nauthor a <b> 1 +0000\ncommitter a <b> 1 +0000\n\n${message}\n`));
  return { repository, git: join(directory, '.cairn'), ids: [commit('a'), commit('b'), commit('c')] };
}

test('a damaged loose ref is named, wherever it is met', (t) => {
  const { repository, git, ids } = make(t);
  for (const content of ['', '\n', 'garbage', `${ids[0].slice(0, 39)}\n`, `${ids[0]}x\n`, 'ref: \n', 'ref: ../../etc/passwd\n', 'ref: refs/heads/a..b\n', '\0'.repeat(41), `ref: ${'x'.repeat(9000)}`]) {
    writeFileSync(join(git, 'refs/heads/bad'), content);
    t.throws(() => repository.refs.find('refs/heads/bad'), { instanceOf: CorruptError, message: /refs\/heads\/bad/ }, JSON.stringify(content));
    t.throws(() => [...repository.refs.list()], { instanceOf: CorruptError });
    t.throws(() => updateRef(repository, { name: 'refs/heads/bad', target: { id: ids[0] }, expected: 'absent' }), { instanceOf: CorruptError });
  }
  updateRef(repository, { name: 'refs/heads/bad', target: { id: ids[0] } });
  t.is(repository.refs.find('refs/heads/bad')?.id, ids[0]);
});

test('no symbolic link is followed: not by reading a ref, not by listing, not by writing', (t) => {
  const { repository, git, ids } = make(t);
  const outside = makeSandbox(t);
  writeFileSync(join(outside, 'secret'), `${ids[0]}\n`);
  symlinkSync(join(outside, 'secret'), join(git, 'refs/heads/link'));
  t.throws(() => repository.refs.find('refs/heads/link'), { instanceOf: CorruptError });
  symlinkSync(outside, join(git, 'refs/heads/elsewhere'));
  t.deepEqual([...repository.refs.listNames()], ['refs/heads/elsewhere', 'refs/heads/link'] as never[]);
  t.throws(() => updateRef(repository, { name: 'refs/heads/elsewhere/new/x', target: { id: ids[0] } }), { instanceOf: CorruptError });
  t.deepEqual(readdirSync(outside), ['secret']);
});

test('names outside of refs/ are never read or written as refs', (t) => {
  const { repository, ids } = make(t);
  for (const name of ['refs/../HEAD', 'refs/heads/../../HEAD', 'config', '../x', '/refs/heads/x', 'refs//heads', 'refs/heads/x.lock', 'refs/heads/.x', 'objects/info/packs', '']) {
    t.is(repository.refs.find(name), undefined, name);
    t.throws(() => updateRef(repository, { name, target: { id: ids[0] } }), { instanceOf: InvalidError }, name);
    t.throws(() => updateRef(repository, { name, target: 'delete' }), { instanceOf: InvalidError }, name);
  }
});

test('symbolic refs are followed five steps and no further, and a circle is an error', (t) => {
  const { repository, git, ids } = make(t);
  updateRef(repository, { name: 'refs/heads/0', target: { id: ids[0] } });
  for (let step = 1; step <= 7; step += 1) writeFileSync(join(git, `refs/heads/${step}`), `ref: refs/heads/${step - 1}\n`);
  t.is(repository.refs.find('refs/heads/5')?.id, ids[0]);
  t.throws(() => repository.refs.find('refs/heads/6'), { instanceOf: CorruptError });
  writeFileSync(join(git, 'refs/heads/a'), 'ref: refs/heads/b\n');
  writeFileSync(join(git, 'refs/heads/b'), 'ref: refs/heads/a\n');
  t.throws(() => repository.refs.find('refs/heads/a'), { instanceOf: CorruptError });
  t.throws(() => updateRef(repository, { name: 'refs/heads/a', target: { id: ids[0] } }), { instanceOf: CorruptError });
});

test('a ref and a directory of refs cannot have one name; the message says which is in the way', (t) => {
  const { repository, ids } = make(t);
  const set = (name: string): void => updateRef(repository, { name, target: { id: ids[0] } });
  set('refs/heads/a/b');
  t.throws(() => set('refs/heads/a'), { instanceOf: ConflictError, message: /'refs\/heads\/a\/b' exists/ });
  t.throws(() => set('refs/heads/a/b/c'), { instanceOf: ConflictError, message: /'refs\/heads\/a\/b' exists/ });
  packRefs(repository, { all: true, prune: true });
  t.throws(() => set('refs/heads/a'), { instanceOf: ConflictError });
  t.throws(() => set('refs/heads/a/b/c'), { instanceOf: ConflictError });
  t.throws(() => new RefTransaction(repository).add({ name: 'refs/heads/x', target: { id: ids[0] } }).add({ name: 'refs/heads/x/y', target: { id: ids[0] } }).commit(), { instanceOf: ConflictError });
  new RefTransaction(repository).add({ name: 'refs/heads/a/b', target: 'delete' }).add({ name: 'refs/heads/c/d', target: { id: ids[1] } }).commit();
  set('refs/heads/a');
  t.deepEqual([...repository.refs.list()].map(({ name }) => String(name)), ['refs/heads/a', 'refs/heads/c/d']);
});

test('a transaction is all or nothing at prepare: one wrong expectation leaves every ref, reflog and lock as before', (t) => {
  const { repository, git, ids } = make(t);
  updateRef(repository, { name: 'refs/heads/one', target: { id: ids[0] } });
  const edits: readonly RefEdit[] = [
    { name: 'refs/heads/two', target: { id: ids[2] }, expected: ids[1] },
    { name: 'refs/heads/one', target: { id: ids[2] }, expected: ids[1] },
    { name: 'refs/heads/one', target: 'verify', expected: 'absent' },
    { name: 'refs/heads/one', target: 'delete', expected: ids[1] },
    { name: 'refs/heads/none', target: { id: 'f'.repeat(40) as ObjectId } },
    { name: 'refs/heads/tree', target: { id: repository.objects.readCommit(ids[0]).tree } },
  ];
  for (const edit of edits) {
    const transaction = new RefTransaction(repository).add({ name: 'refs/heads/fresh', target: { id: ids[1] } }).add(edit);
    t.true(t.throws(() => transaction.commit()) instanceof CairnError, edit.name);
    t.deepEqual([...repository.refs.list()].map(({ name, id }) => [String(name), id]), [['refs/heads/one', ids[0]]]);
    t.is(readReflog(repository, 'refs/heads/one').length, 1);
    t.deepEqual(readdirSync(join(git, 'refs/heads')), ['one']);
    t.deepEqual(readdirSync(join(git, 'cairn/locks')), []);
  }
  t.throws(() => new RefTransaction(repository).add(edits[0]!).add(edits[0]!).commit(), { instanceOf: InvalidError, code: 'ref-twice' });
});

test('the reference-transaction hook sees what git shows it, and may say no', (t) => {
  const { repository, git, ids } = make(t);
  const log = join(git, 'hooklog');
  writeFiles(git, { 'hooks/reference-transaction': { executable: `#!/bin/sh\necho "$1" >>'${log}'; cat >>'${log}'; grep -q refused '${git}/mood' 2>/dev/null && exit 1; exit 0\n` } });
  const none = '0'.repeat(40);
  updateRef(repository, { name: 'HEAD', target: { id: ids[0] }, expected: 'absent' });
  updateRef(repository, { name: 'refs/heads/main', target: { id: ids[1] }, expected: ids[0] });
  t.is(readFileSync(log, 'utf8'), ['prepared', 'committed'].map((state) => `${state}\n${none} ${ids[0]} HEAD\n${none} ${ids[0]} refs/heads/main\n`).join('')
    + ['prepared', 'committed'].map((state) => `${state}\n${ids[0]} ${ids[1]} refs/heads/main\n${ids[0]} ${ids[1]} HEAD\n`).join(''));
  writeFileSync(join(git, 'mood'), 'refused');
  t.throws(() => updateRef(repository, { name: 'HEAD', target: { id: ids[2] } }), { instanceOf: RefusedError, code: 'hook-refused' });
  t.regex(readFileSync(log, 'utf8'), /aborted\n[^\n]+HEAD\n[^\n]+main\n$/);
  t.is(repository.refs.find('HEAD')?.id, ids[1]);
  chmodSync(join(git, 'hooks/reference-transaction'), 0o644);
  updateRef(repository, { name: 'HEAD', target: { id: ids[2] } });
  t.is(repository.refs.find('HEAD')?.id, ids[2]);
});

test('a disk that fails at any step of a transaction leaves each ref old or new and the next command working', (t) => {
  const { repository: template, git: templateGit, ids } = make(t);
  updateRef(template, { name: 'refs/heads/gone', target: { id: ids[0] } });
  packRefs(template, { all: true, prune: true });
  updateRef(template, { name: 'refs/heads/moved', target: { id: ids[0] } });
  const before = stateOf(template);
  const base = makeSandbox(t);
  for (const failure of ['EIO', 'died'] as const) {
    for (let step = 1; ; step += 1) {
      const directory = join(base, failure + step);
      cpSync(join(templateGit, '..'), directory, { recursive: true });
      const { context } = makeContext({ cwd: directory, pid: process.pid });
      const { error, steps } = withFailingDisk(step, failure, () => {
        new RefTransaction(Repository.open(context)).add({ name: 'refs/heads/moved', target: { id: ids[1] } }).add({ name: 'refs/heads/new/deep', target: { id: ids[1] } })
          .add({ name: 'refs/heads/gone', target: 'delete' }).commit();
      });
      if (error === undefined) {
        t.true(step > 20);
        break;
      }
      const label = `${failure} at step ${step}: ${steps.join(' ')}`;
      const after = stateOf(Repository.open(context));
      for (const name of ['refs/heads/moved', 'refs/heads/new/deep', 'refs/heads/gone']) {
        const wanted = name === 'refs/heads/gone' ? undefined : ids[1];
        t.true(after.get(name) === before.get(name) || after.get(name) === wanted, `${label}: ${name}`);
      }
      // An fsync that failed stops everything: nothing has moved.
      if (failure !== 'died' && steps[step - 1] === 'fsync' && !steps.slice(0, step).includes('rename')) t.deepEqual(after, before, label);
      const locks = join(directory, '.cairn/cairn/locks');
      // The process that died has another start than the one that goes on.
      if (existsSync(locks)) for (const name of readdirSync(locks)) renameSync(join(locks, name), join(locks, name.replace(/^(\d+)_(\d+)_/, '$1_1_')));
      t.notThrows(() => updateRef(Repository.open(context), { name: 'refs/heads/moved', target: { id: ids[2] } }), label);
      t.notThrows(() => updateRef(Repository.open(context), { name: 'refs/heads/gone', target: 'delete' }), label);
    }
  }
});

function stateOf(repository: Repository): Map<string, ObjectId> {
  return new Map([...repository.refs.list()].map(({ name, id }) => [name, id]));
}

test('of many processes that expect the same old value one wins and the others are told', (t) => {
  if (skipWithoutGit(t)) return;
  if (!existsSync(cairnProgram)) {
    t.pass('skipped: the program is not built');
    return;
  }
  const { repository, git, ids } = make(t);
  updateRef(repository, { name: 'refs/heads/main', target: { id: ids[0] } });
  const commands = Array.from({ length: 8 }, (_, index) => `("$0" update-ref refs/heads/main ${index % 2 === 0 ? ids[1] : ids[2]} ${ids[0]} 2>>err && echo won-${index % 2}) &`).join(' ');
  const result = spawnSync('sh', ['-c', `${commands} wait`, cairnProgram], { cwd: join(git, '..'), env: cleanEnvironment, encoding: 'utf8' });
  const winners = result.stdout.split('\n').filter((line) => line !== '');
  t.is(winners.length, 1, readFileSync(join(git, '../err'), 'utf8'));
  t.is(repository.refs.find('refs/heads/main')?.id, winners[0] === 'won-0' ? ids[1] : ids[2]);
  const complaints = readFileSync(join(git, '../err'), 'utf8').split('\n').filter((line) => line.startsWith('fatal'));
  t.is(complaints.length, 7);
  for (const line of complaints) t.regex(line, /but expected|is locked by/);
  t.is(gitOutput(['--git-dir', git, 'fsck', '--strict', '--no-dangling'], { cwd: git }), '');
  t.is(readReflog(repository, 'refs/heads/main').length, 2);
});

test('a deletion keeps packed-refs locked until the loose file is gone, so that packing meanwhile cannot bring the ref back', (t) => {
  const { repository, git, ids } = make(t);
  updateRef(repository, { name: 'refs/heads/x', target: { id: ids[0] } });
  for (const packedToo of [false, true]) {
    using transaction = new RefTransaction(repository).add({ name: 'refs/heads/x', target: 'delete' });
    transaction.prepare();
    t.true(existsSync(join(git, 'packed-refs.lock')));
    const inner = Repository.open({ ...repository.context, configOverrides: [['core.packedRefsTimeout', '10']] });
    t.throws(() => packRefs(inner, { all: true, prune: true }), { instanceOf: LockedError });
    transaction.commit();
    t.is(repository.refs.find('refs/heads/x'), undefined);
    t.deepEqual(readdirSync(git).filter((name) => /lock|tmp_/.test(name)), []);
    if (packedToo) break;
    updateRef(repository, { name: 'refs/heads/x', target: { id: ids[0] } });
    packRefs(repository, { all: true, prune: false });
  }
});

test('HEAD pointed elsewhere between deciding and locking is a conflict, not an update of the wrong branch', (t) => {
  const { repository, git, ids } = make(t);
  updateRef(repository, { name: 'HEAD', target: { id: ids[0] } });
  const transaction = new RefTransaction(repository).add({ name: 'HEAD', target: { id: ids[1] } });
  // The first lock taken is HEAD's: just before it, somebody else switches branches.
  let switched = false;
  const restore = useDisk({ ...realDisk, link: (existing, path) => {
    if (!switched) writeFileSync(join(git, 'HEAD'), 'ref: refs/heads/other\n');
    switched = true;
    realDisk.link(existing, path);
  } });
  try {
    t.throws(() => transaction.commit(), { instanceOf: ConflictError, code: 'ref-moved' });
  } finally {
    restore();
  }
  t.true(switched);
  t.is(repository.refs.find('refs/heads/main')?.id, ids[0]);
  t.is(repository.refs.find('refs/heads/other'), undefined);
});

test('refs that are packed while they are listed are listed all the same', (t) => {
  const { repository, ids } = make(t);
  const names = ['a', 'm', 'z/deep'].map((name) => `refs/heads/${name}`);
  for (const name of names) updateRef(repository, { name, target: { id: ids[0] } });
  const packer = Repository.openAt(repository.context, repository.gitDirectory);
  const listing = repository.refs.list();
  const found = [listing.next().value?.name];
  packRefs(packer, { all: true, prune: true });
  for (const ref of listing) found.push(ref.name);
  t.deepEqual(found.map(String), names);
});

test('packed refs are found by search and by listing, sorted or not, and loose ones hide them', (t) => {
  const { repository, git, ids } = make(t);
  const lines = Array.from({ length: 500 }, (_, index) => `refs/heads/b${String(index).padStart(4, '0')}`);
  const text = (names: readonly string[], header: string): string => header + names.map((name, index) => `${ids[index % 3]} ${name}\n${index % 7 === 0 ? `^${ids[0]}\n` : ''}`).join('');
  for (const header of ['# pack-refs with: peeled fully-peeled sorted \n', '# pack-refs with: peeled \n', '']) {
    const names = header.includes('sorted') ? lines : [...lines].reverse();
    writeFileSync(join(git, 'packed-refs'), text(names, header));
    for (const [index, name] of names.entries()) t.is(repository.refs.find(name)?.id, ids[index % 3]);
    for (const absent of ['refs/heads/a', 'refs/heads/b', 'refs/heads/b00000', 'refs/heads/c', 'refs/heads/b0100x', 'refs/tags/b0001']) t.is(repository.refs.find(absent), undefined);
    t.deepEqual([...repository.refs.list('refs/heads/b004')].map(({ name }) => String(name)), lines.slice(40, 50));
  }
  updateRef(repository, { name: 'refs/heads/b0042', target: { id: ids[2] } });
  t.is([...repository.refs.list()].length, 500);
  t.is(repository.refs.find('refs/heads/b0042')?.id, ids[2]);
  updateRef(repository, { name: 'refs/heads/b0042', target: 'delete' });
  t.is([...repository.refs.list()].length, 499);
  t.is(repository.refs.find('refs/heads/b0042'), undefined);
});

test('names keep their bytes, UTF-8 or not', (t) => {
  const { repository, git, ids } = make(t);
  for (const latin1 of ['refs/heads/\xc3\xbc', 'refs/heads/\xff\xfe', 'refs/heads/a\xc3', 'refs/heads/\xed\xa0\x80', 'refs/heads/\xf0\x9f\x98\x80']) {
    t.is(encodeRefName(decodeRefName(latin1)), latin1);
    writeFileSync(Buffer.from(`${git}/${latin1}`, 'latin1'), `${ids[0]}\n`);
  }
  const names = [...repository.refs.list()].map(({ name }) => encodeRefName(name));
  t.deepEqual(names, [...names].sort());
  t.is(names.length, 5);
  packRefs(repository, { all: true, prune: false });
  t.is([...repository.refs.packed().list()].length, 5);
});

const seeds = [1, 2, 3];

/** Calls `decode` with damaged forms of `good`: a value or an error of ours, nothing else. */
function survives(t: ExecutionContext, good: Buffer, decode: (bytes: Buffer) => unknown): void {
  for (const seed of seeds) {
    const random = seededRandom(seed);
    for (let round = 0; round < 400; round += 1) {
      const bytes = Buffer.from(good.subarray(0, random() < 0.3 ? Math.floor(random() * good.length) : good.length));
      for (let change = 0; change < 1 + random() * 4 && bytes.length > 0; change += 1) {
        bytes[Math.floor(random() * bytes.length)] = random() < 0.5 ? Math.floor(random() * 256) : ' \n\r\t"\\[]=#;^~.\0'.charCodeAt(Math.floor(random() * 15));
      }
      try {
        decode(bytes);
      } catch (error) {
        if (!(error instanceof CairnError)) t.fail(`seed ${seed}, round ${round}: ${String(error)} for ${JSON.stringify(bytes.toString('latin1'))}`);
      }
    }
  }
  t.pass();
}

test('nonsense in packed-refs, refs, reflogs and configuration is a value or an error of ours', (t) => {
  const id = 'a'.repeat(40) as ObjectId;
  const packed = encodePackedRefs(Array.from({ length: 20 }, (_, index) => ({ name: `refs/tags/${String(index).padStart(2, '0')}`, id, peeled: index % 2 ? id : undefined, isPeeled: true })));
  survives(t, packed, (bytes) => {
    const refs = PackedRefs.decode(bytes, 'sha1', 'packed-refs');
    for (const { name } of refs.list()) if (!isRefName(decodeRefName(name))) t.fail(name);
    for (let index = 0; index < 20; index += 1) refs.find(`refs/tags/${String(index).padStart(2, '0')}`);
  });
  survives(t, Buffer.from('ref: refs/heads/main\n'), (bytes) => decodeLooseRef(bytes.toString('latin1'), 'sha1'));
  const entry = { oldId: id, newId: id, ident: { name: 'A', email: 'b', seconds: 1, offset: '+0000' }, message: 'moved' };
  survives(t, Buffer.concat([encodeReflogEntry(entry), encodeReflogEntry(entry)]), (bytes) => decodeReflog(bytes, 'sha1', 'log'));
  survives(t, Buffer.from('\ufeff[core]\n\tbare = true ; x\n[remote "or\\"igin"]\r\n\turl = "a\\\nb" c\n\tflag\n[a.b]x=1\\\n2\n'), (bytes) => parseConfig(bytes, 'file:x'));
});

test('a cut packed-refs or reflog is noticed wherever a cut can be', (t) => {
  const id = 'b'.repeat(40) as ObjectId;
  const packed = encodePackedRefs([{ name: 'refs/heads/a', id, peeled: undefined, isPeeled: true }, { name: 'refs/heads/b', id, peeled: id, isPeeled: true }]);
  for (let length = 0; length < packed.length; length += 1) {
    const cut = packed.subarray(0, length);
    if (cut.at(-1) === 10) continue;
    t.throws(() => PackedRefs.decode(cut, 'sha1', 'packed-refs'), { instanceOf: CorruptError });
  }
});

test('what a crash left of a last reflog line is passed over, and the next entry begins on a line of its own', (t) => {
  const { repository, git, ids } = make(t);
  updateRef(repository, { name: 'HEAD', target: { id: ids[0] } });
  const path = join(git, 'logs/HEAD');
  const whole = readFileSync(path);
  writeFileSync(path, Buffer.concat([whole, whole.subarray(0, 60)]));
  t.is(readReflog(repository, 'HEAD').length, 1);
  updateRef(repository, { name: 'HEAD', target: { id: ids[1] } });
  t.deepEqual(readReflog(repository, 'HEAD').map(({ newId }) => newId), [ids[0], ids[1]]);
  writeFileSync(path, Buffer.concat([Buffer.from('nonsense\n'), whole]));
  t.throws(() => readReflog(repository, 'HEAD'), { instanceOf: CorruptError, message: /logs\/HEAD' is damaged at line 1/ });
});

test('a lock in the way is waited for and then named', (t) => {
  const { repository, git, ids } = make(t);
  mkdirSync(join(git, 'refs/heads'), { recursive: true });
  writeFileSync(join(git, 'refs/heads/main.lock'), '');
  t.throws(() => updateRef(repository, { name: 'refs/heads/main', target: { id: ids[0] } }), { instanceOf: LockedError, message: /main\.lock/ });
  t.throws(() => updateRef(repository, { name: 'refs/heads/x', target: { id: '1'.repeat(40) as ObjectId } }), { instanceOf: NotFoundError });
});
