import test from 'ava';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, statSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { replaceFile } from '../../pack/disk.js';
import { LockedError, RefusedError } from '../../pack/errors.js';
import { LockFile, type LockHolder } from '../../plumbing/lockfile.js';
import { ProcessDied, withFailingDisk } from '../helpers/failing-disk.js';
import { makeSandbox } from '../helpers/sandbox.js';

const uid = process.getuid?.() ?? 0;
const holderIn = (base: string, pid = process.pid): LockHolder => ({ directory: join(base, 'locks'), pid, uid });
const canTell = existsSync('/proc/self/stat');

test('a committed lock replaces the file, a given up one leaves it, and neither leaves anything behind', (t) => {
  const base = makeSandbox(t);
  const path = join(base, 'file');
  for (const options of [{}, { holder: holderIn(base) }]) {
    writeFileSync(path, 'old', { mode: 0o640 });
    {
      using lock = LockFile.acquire(path, options);
      lock.write('given up');
      t.true(existsSync(`${path}.lock`));
    }
    t.is(readFileSync(path, 'utf8'), 'old');
    using lock = LockFile.acquire(path, options);
    lock.write('ne');
    lock.write(Buffer.from('w'));
    t.is(readFileSync(path, 'utf8'), 'old');
    lock.commit();
    lock.rollback();
    t.is(readFileSync(path, 'utf8'), 'new');
    t.is(statSync(path).mode & 0o777, 0o640);
    t.is(statSync(path).nlink, 1);
    t.deepEqual(readdirSync(base).filter((name) => name !== 'locks'), ['file']);
    t.throws(() => lock.commit(), { code: 'lock-lost' });
  }
  t.deepEqual(readdirSync(join(base, 'locks')), []);
});

test("a lock that is held is waited for as long as asked, then named with its age and holder", (t) => {
  const base = makeSandbox(t);
  const path = join(base, 'file');
  using held = LockFile.acquire(path, { holder: holderIn(base) });
  const started = performance.now();
  const error = t.throws(() => LockFile.acquire(path, { timeoutMs: 60, holder: holderIn(base) }), { instanceOf: LockedError });
  t.true(performance.now() - started >= 55);
  if (canTell) t.regex(error.message, new RegExp(`process ${process.pid}`));
  t.regex(error.message, /file\.lock' exists, \d+ s old/);
  t.regex(error.hint ?? '', /remove '.*file\.lock'/);
  held.rollback();
});

test("stock git's lock, or a person's, is never taken over", (t) => {
  const base = makeSandbox(t);
  const path = join(base, 'file');
  writeFileSync(`${path}.lock`, '');
  t.throws(() => LockFile.acquire(path, { holder: holderIn(base) }), { instanceOf: LockedError, message: /another process/ });
  t.true(existsSync(`${path}.lock`));
  unlinkSync(`${path}.lock`);
  symlinkSync('nowhere', `${path}.lock`);
  t.throws(() => LockFile.acquire(path, { holder: holderIn(base) }), { instanceOf: LockedError });
});

/** Leaves the lock a process leaves that is killed after `step` steps of taking it. */
function leaveBehind(path: string, holder: LockHolder, step: number): void {
  const { error } = withFailingDisk(step, 'died', () => {
    const lock = LockFile.acquire(path, { holder });
    lock.write('half');
    lock.commit();
  });
  if (error !== undefined && !(error instanceof ProcessDied)) throw error;
}

test('the lock of a process that died at any step is taken over; that of a live one is not', (t) => {
  if (!canTell) {
    t.pass('skipped: no /proc');
    return;
  }
  const steps = withFailingDisk(0, 'died', () => {
    const base = makeSandbox(t);
    mkdirSync(join(base, 'locks'));
    using lock = LockFile.acquire(join(base, 'file'), { holder: holderIn(base) });
    lock.write('half');
    lock.commit();
  }).steps.length;
  t.true(steps >= 7);
  for (let step = 1; step <= steps; step += 1) {
    const base = makeSandbox(t);
    mkdirSync(join(base, 'locks'));
    const path = join(base, 'file');
    writeFileSync(path, 'old');
    leaveBehind(path, holderIn(base), step);
    const left = existsSync(`${path}.lock`);
    if (left) t.throws(() => LockFile.acquire(path, { holder: holderIn(base) }), { instanceOf: LockedError }, `step ${step}: its process still lives`);
    for (const name of readdirSync(join(base, 'locks'))) {
      // Nobody ever had this process's pid with another start.
      renameSync(join(base, 'locks', name), join(base, 'locks', name.replace(/^(\d+)_(\d+)_/, '$1_1_')));
    }
    t.true(['old', 'half'].includes(readFileSync(path, 'utf8')));
    using lock = LockFile.acquire(path, { holder: holderIn(base) });
    lock.write('mine');
    lock.commit();
    t.is(readFileSync(path, 'utf8'), 'mine', `step ${step}`);
    t.false(existsSync(`${path}.lock`));
    t.is(statSync(path).nlink, 1);
  }
});

test('an earlier boot is death, another pid namespace or another user is not', (t) => {
  if (!canTell) {
    t.pass('skipped: no /proc');
    return;
  }
  const cases: readonly (readonly [RegExp, string, boolean])[] = [
    [/_[0-9a-f-]{36}_/, '_00000000-0000-0000-0000-000000000000_', true],
    [/^(\d+)_(\d+)_(\d+)_/, '$1_1_1_', false],
    [/^(\d+)_/, '4194303_', true],
  ];
  for (const [pattern, replacement, isTaken] of cases) {
    const base = makeSandbox(t);
    mkdirSync(join(base, 'locks'));
    const path = join(base, 'file');
    leaveBehind(path, holderIn(base), 4);
    t.true(existsSync(`${path}.lock`));
    const [name] = readdirSync(join(base, 'locks'));
    renameSync(join(base, 'locks', name!), join(base, 'locks', name!.replace(pattern, replacement)));
    if (isTaken) LockFile.acquire(path, { holder: holderIn(base) }).rollback();
    else t.throws(() => LockFile.acquire(path, { holder: holderIn(base) }), { instanceOf: LockedError });
    t.is(existsSync(`${path}.lock`), !isTaken);
  }
});

test('of many processes that find the same dead lock, one at a time owns it', (t) => {
  if (!canTell) {
    t.pass('skipped: no /proc');
    return;
  }
  const base = makeSandbox(t);
  mkdirSync(join(base, 'locks'));
  const path = join(base, 'file');
  writeFileSync(path, '0');
  leaveBehind(path, holderIn(base), 4);
  const [name] = readdirSync(join(base, 'locks'));
  renameSync(join(base, 'locks', name!), join(base, 'locks', name!.replace(/^(\d+)_(\d+)_/, '$1_1_')));
  const script = `import { LockFile } from ${JSON.stringify(new URL('../../plumbing/lockfile.js', import.meta.url).href)};
    import { readFileSync } from 'node:fs';
    const holder = { directory: process.argv[2], pid: process.pid, uid: ${uid} };
    for (let round = 0; round < 5; round += 1) {
      const lock = LockFile.acquire(process.argv[1], { timeoutMs: 20000, holder });
      lock.write(String(Number(readFileSync(process.argv[1], 'utf8')) + 1));
      lock.commit();
    }`;
  const shell = Array.from({ length: 6 }, () => '"$@" &').join(' ');
  const result = spawnSync('sh', ['-c', `${shell} wait`, 'sh', process.execPath, '--input-type=module', '-e', script, path, join(base, 'locks')], { encoding: 'utf8' });
  t.is(result.stderr, '');
  t.is(readFileSync(path, 'utf8'), '30');
  t.deepEqual(readdirSync(join(base, 'locks')), []);
});

test('a disk that fails at any step leaves the old file and no lock', (t) => {
  for (const failure of ['EIO', 'ENOSPC'] as const) {
    for (let step = 1; ; step += 1) {
      const base = makeSandbox(t);
      mkdirSync(join(base, 'locks'));
      const path = join(base, 'file');
      writeFileSync(path, 'old');
      const { steps, error } = withFailingDisk(step, failure, () => {
        using lock = LockFile.acquire(path, { holder: holderIn(base) });
        lock.write('new');
        lock.commit();
      });
      if (error === undefined) break;
      const reached = steps.slice(0, step);
      t.is(readFileSync(path, 'utf8'), reached.includes('rename') && steps[step - 1] !== 'rename' ? 'new' : 'old', `${failure} at ${step}: ${reached.join(' ')}`);
      t.false(existsSync(`${path}.lock`) && steps[step - 1] !== 'unlink', `${failure} at ${step}: ${steps.join(' ')}`);
    }
  }
});

test('a device is written to, never replaced by a file', (t) => {
  const before = statSync('/dev/null');
  t.true(before.isCharacterDevice());
  t.throws(() => LockFile.acquire('/dev/null'), { instanceOf: RefusedError, code: 'not-a-file' });
  replaceFile('/dev/null', 'bytes');
  t.deepEqual([statSync('/dev/null').ino, statSync('/dev/null').rdev], [before.ino, before.rdev]);
});
