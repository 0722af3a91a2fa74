import test from 'ava';
import { spawnSync } from 'node:child_process';
import { existsSync, lstatSync, readFileSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Disk, fillNamedFile, makeDirectories, realDisk, removeIfPresent, replaceFile, useDisk } from '../../pack/disk.js';
import { makeSandbox } from '../helpers/sandbox.js';

/** A disk that notes what is asked of it, and fails at one kind of step. */
function watch(log: string[], failAt?: keyof Disk): Disk {
  return new Proxy(realDisk, {
    get: (target, name: keyof Disk) => (...args: never[]) => {
      log.push(name);
      if (name === failAt) throw Object.assign(new Error(`${name} failed`), { code: 'EIO', syscall: name });
      return (target[name] as (...all: never[]) => unknown)(...args);
    },
  });
}

// The disk in use is one for the whole process, so these tests run one after the other.
test.serial('a file is replaced by way of a private name, and is durable before it is visible', (t) => {
  const path = join(makeSandbox(t), 'file');
  const log: string[] = [];
  const restore = useDisk(watch(log));
  try {
    replaceFile(path, 'new');
  } finally {
    restore();
  }
  t.is(readFileSync(path, 'utf8'), 'new');
  t.deepEqual(log, ['open', 'write', 'fsync', 'close', 'rename', 'fsyncDirectory']);
});

for (const step of ['write', 'fsync', 'rename'] as const) {
  test.serial(`when ${step} fails the old file stays as it was and nothing else is left`, (t) => {
    const directory = makeSandbox(t);
    const path = join(directory, 'file');
    writeFileSync(path, 'old');
    const restore = useDisk(watch([], step));
    try {
      t.throws(() => replaceFile(path, 'new'), { code: 'EIO' });
    } finally {
      restore();
    }
    t.is(readFileSync(path, 'utf8'), 'old');
    t.deepEqual(readdirSync(directory), ['file']);
  });
}

test.serial('directories are made with all that is missing above them', (t) => {
  const path = join(makeSandbox(t), 'a', 'b', 'c');
  makeDirectories(path);
  makeDirectories(path);
  t.true(statSync(path).isDirectory());
  writeFileSync(join(path, 'file'), '');
  t.throws(() => makeDirectories(join(path, 'file')), { code: 'EEXIST' });
  t.throws(() => makeDirectories(join(path, 'file', 'below')), { code: 'ENOTDIR' });
});

test.serial('removing says whether there was something', (t) => {
  const path = join(makeSandbox(t), 'file');
  t.false(removeIfPresent(path));
  writeFileSync(path, '');
  t.true(removeIfPresent(path));
  t.false(existsSync(path));
});

test('a write that fails names the file', (t) => {
  if (!existsSync('/dev/full')) {
    t.pass('no /dev/full here');
    return;
  }
  const fd = realDisk.open('/dev/full', 'w', 0o600);
  t.throws(() => { realDisk.write(fd, Buffer.from('x')); }, { code: 'ENOSPC', message: /write '\/dev\/full'$/ });
  realDisk.close(fd);
});

test.serial('a named output file behind a symbolic link is replaced and the link stays', (t) => {
  const directory = makeSandbox(t);
  const [file, link] = [join(directory, 'file'), join(directory, 'link')];
  writeFileSync(file, 'old and longer');
  symlinkSync('file', link);
  fillNamedFile(link, (append) => { append(Buffer.from('new')); });
  t.true(lstatSync(link).isSymbolicLink());
  t.is(readFileSync(file, 'utf8'), 'new');
});

test.serial('a pipe or device named for output is written to, never replaced by a file', (t) => {
  const pipe = join(makeSandbox(t), 'pipe');
  if (spawnSync('mkfifo', [pipe]).status !== 0) return void t.log('skipped: no mkfifo here');
  fillNamedFile(pipe, (append) => { append(Buffer.from('new')); });
  t.true(lstatSync(pipe).isFIFO());
});
