// What exists after cairn archive create failed, or died, at any step: the old pair, no pair, or the new pair, and nothing else of the run.
// All tests here are serial, for they put another disk in place.
import test from 'ava';
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { type Disk, realDisk, useDisk } from '../../../pack/disk.js';
import { runSteps } from '../../../plumbing/interruption.js';
import { createArchive } from '../../../porcelain/archive/creation.js';
import { verifyArchive } from '../../../porcelain/archive/verification.js';
import { type InProcessOptions, cairn, makeContext } from '../../helpers/cairn.js';
import { type Failure, withFailingDisk } from '../../helpers/failing-disk.js';
import { writeFiles } from '../../helpers/sandbox.js';
import { commitFiles, makeRepository } from '../../helpers/snapshots.js';

/** Fails what matches; `args` are those of the disk's method, and a descriptor is told by the path it was opened with. */
type Fault = (method: string, args: readonly unknown[], path: string) => boolean;

function failing(fault: Fault, code = 'EIO', instead?: (method: string, args: readonly unknown[]) => unknown): Disk {
  const paths = new Map<number, string>();
  return new Proxy(realDisk, {
    get: (target, method: keyof Disk) => (...args: unknown[]): unknown => {
      const path = typeof args[0] === 'number' ? paths.get(args[0]) ?? '' : String(args[0]);
      if (fault(method, args, path)) {
        if (instead !== undefined) return instead(method, args);
        if (method === 'close') realDisk.close(args[0] as number);
        throw Object.assign(new Error(`${code}: made to fail, ${method} '${path}'`), { code, syscall: method, errno: -5 });
      }
      const result = (target[method] as (...all: unknown[]) => unknown)(...args);
      if (method === 'open') paths.set(result as number, path);
      return result;
    },
  });
}

/** Writes down when names appear in a directory and when it is made durable, by those who succeed. */
function watching(inner: Disk, directory: string, steps: string[]): Disk {
  return new Proxy(inner, {
    get: (_target, method: keyof Disk) => (...args: unknown[]): unknown => {
      const result = (inner[method] as (...all: unknown[]) => unknown)(...args);
      if ((method === 'link' || method === 'rename') && dirname(String(args[1])) === directory) steps.push(basename(String(args[1])));
      if (method === 'fsyncDirectory' && args[0] === directory) steps.push('durable');
      return result;
    },
  });
}

interface Row {
  readonly outcome: string;
  readonly argv?: readonly string[];
  readonly prepare?: (top: string) => void;
  readonly disk?: (top: string) => Disk;
  readonly exit: number;
  /** Files of the archive afterwards, where there was none before. */
  readonly left: readonly string[];
  /** What the former pair is afterwards, where there was one and --force is given. */
  readonly pair: 'old' | 'new';
  /** Besides the pair. */
  readonly more?: readonly string[];
}

const isArchiveFile = (path: string): boolean => /\/x\.tmp-[0-9a-f]{16}$/.test(path);
const isSidecarFile = (path: string): boolean => /\/x\.info\.json\.tmp-[0-9a-f]{16}$/.test(path);

const isSignatureFile = (path: string): boolean => /\/x\.info\.json\.sig\.tmp-[0-9a-f]{16}$/.test(path);

const table: readonly Row[] = [
  { outcome: 'usage error', argv: ['--epoch', '1.5'], exit: 129, left: [], pair: 'old' },
  { outcome: 'missing input', argv: ['--input', '../absent'], exit: 2, left: [], pair: 'old' },
  { outcome: 'missing revision', argv: ['absent'], exit: 2, left: [], pair: 'old' },
  { outcome: 'bad input', argv: ['--input', '../bad'], prepare: (top) => { mkdirSync(join(top, 'bad/void'), { recursive: true }); }, exit: 3, left: [], pair: 'old' },
  { outcome: 'epoch too low', argv: ['--epoch', '1'], exit: 6, left: [], pair: 'old' },
  { outcome: 'temporary file cannot be made', disk: () => failing((method, _args, path) => method === 'open' && isArchiveFile(path), 'EACCES'), exit: 2, left: [], pair: 'old' },
  { outcome: 'temporary write error', disk: () => failing((method, _args, path) => method === 'write' && isArchiveFile(path), 'ENOSPC'), exit: 2, left: [], pair: 'old' },
  { outcome: 'temporary file cannot be made durable', disk: () => failing((method, _args, path) => method === 'fsync' && isArchiveFile(path)), exit: 2, left: [], pair: 'old' },
  { outcome: 'no scratch root', argv: ['--scratch-root', '../absent'], exit: 2, left: [], pair: 'old' },
  { outcome: 'scratch cannot be made', disk: () => failing((method, _args, path) => method === 'mkdir' && path.includes('cairn-archive-'), 'EACCES'), exit: 2, left: [], pair: 'old' },
  { outcome: 'scratch write error', disk: () => failing((method, _args, path) => method === 'write' && path.includes('tmp_pack_'), 'ENOSPC'), exit: 2, left: [], pair: 'old' },
  {
    outcome: 'mismatch: the disk does not give back what was written',
    disk: () => failing((method, args, path) => method === 'write' && isArchiveFile(path) && (args[1] as Uint8Array).length > 100, '', (_method, args) => {
      const bytes = Buffer.from(args[1] as Uint8Array);
      bytes[bytes.length - 50]! ^= 1;
      realDisk.write(args[0] as number, bytes);
    }),
    exit: 6, left: ['x.info.json', 'x.mismatch.txt'], pair: 'old', more: ['x.mismatch.txt'],
  },
  {
    outcome: 'mismatch: the directory changed',
    argv: ['--input', '../input'],
    prepare: (top) => { writeFiles(join(top, 'input'), { a: 'text', b: 'text' }); },
    disk: (top) => failing((method, _args, path) => method === 'fsync' && isArchiveFile(path), '', (_method, args) => {
      writeFileSync(join(top, 'input/b'), 'tex!');
      realDisk.fsync(args[0] as number);
    }),
    exit: 6, left: ['x.info.json', 'x.mismatch.txt'], pair: 'old', more: ['x.mismatch.txt'],
  },
  { outcome: 'former files cannot be moved aside', disk: () => failing((method) => method === 'rename'), exit: 2, left: [], pair: 'old' },
  { outcome: 'rename fails', disk: () => failing((method, args) => method === 'link' && String(args[1]).endsWith('/x')), exit: 2, left: [], pair: 'old' },
  { outcome: 'directory fsync fails', disk: (top) => failing((() => {
    let count = 0;
    return (method, _args, path) => method === 'fsyncDirectory' && path === join(top, 'out') && (count += 1) === 1;
  })()), exit: 2, left: [], pair: 'old' },
  { outcome: 'sidecar path refused', prepare: (top) => {
    rmSync(join(top, 'out/x.info.json'), { force: true });
    symlinkSync('/nowhere', join(top, 'out/x.info.json'));
  }, exit: 3, left: ['x.info.json'], pair: 'old' },
  { outcome: 'sidecar write fails', disk: () => failing((method, _args, path) => method === 'write' && isSidecarFile(path), 'ENOSPC'), exit: 2, left: [], pair: 'old' },
  { outcome: 'sidecar cannot be made durable', disk: () => failing((method, _args, path) => method === 'fsync' && isSidecarFile(path)), exit: 2, left: [], pair: 'old' },
  { outcome: 'sidecar rename fails', disk: () => failing((method, args) => method === 'link' && String(args[1]).endsWith('/x.info.json')), exit: 2, left: [], pair: 'old' },
  { outcome: 'it cannot be signed', argv: ['--sign=nobody'], exit: 3, left: [], pair: 'old' },
  { outcome: 'signature write fails', argv: ['--sign'], disk: () => failing((method, _args, path) => method === 'write' && isSignatureFile(path), 'ENOSPC'), exit: 2, left: [], pair: 'old' },
  { outcome: 'signature cannot be made durable', argv: ['--sign'], disk: () => failing((method, _args, path) => method === 'fsync' && isSignatureFile(path)), exit: 2, left: [], pair: 'old' },
  { outcome: 'signature rename fails', argv: ['--sign'], disk: () => failing((method, args) => method === 'link' && String(args[1]).endsWith('/x.info.json.sig')), exit: 2, left: [], pair: 'old' },
  { outcome: 'sidecar rename fails after the signature', argv: ['--sign'], disk: () => failing((method, args) => method === 'link' && String(args[1]).endsWith('/x.info.json')), exit: 2, left: [], pair: 'old' },
  { outcome: 'success, signed', argv: ['--sign'], exit: 0, left: ['x', 'x.info.json', 'x.info.json.sig'], pair: 'new', more: ['x.info.json.sig'] },
  { outcome: 'success', exit: 0, left: ['x', 'x.info.json'], pair: 'new' },
  { outcome: 'success without links', disk: () => failing((method) => method === 'link', 'EPERM'), exit: 0, left: ['x', 'x.info.json'], pair: 'new' },
  { outcome: 'success without a test', argv: ['--no-self-test'], exit: 0, left: ['x', 'x.info.json'], pair: 'new' },
];

/** Signs with anything but the key of nobody. */
const signer = `#!/bin/sh
cat > /dev/null
case "$6" in */nobody) exit 1;; esac
printf -- '-----BEGIN SSH SIGNATURE-----\\nAAAA\\n-----END SSH SIGNATURE-----\\n'
`;

/** The configuration under which it does. */
function signingEnvironment(top: string): Record<string, string> {
  const path = join(top, 'signer');
  writeFileSync(path, signer);
  chmodSync(path, 0o755);
  const values = [['gpg.format', 'ssh'], ['gpg.ssh.program', path], ['user.signingKey', '/key']] as const;
  return Object.fromEntries([['GIT_CONFIG_COUNT', '3'], ...values.flatMap(([key, value], at) => [[`GIT_CONFIG_KEY_${at}`, key], [`GIT_CONFIG_VALUE_${at}`, value]] as const)]) as Record<string, string>;
}

for (const row of table) {
  for (const hasFormer of [false, true]) {
    test.serial(`outcome: ${row.outcome}${hasFormer ? ', over a former archive' : ''}`, async (t) => {
      const repository = makeRepository(t);
      const repo = repository.workTree!;
      const top = join(repo, '..');
      const out = join(top, 'out');
      mkdirSync(out);
      mkdirSync(join(top, 'scratch'));
      const options: InProcessOptions = { cwd: repo, env: { TMPDIR: join(top, 'scratch'), ...signingEnvironment(top) } };
      commitFiles(repository, { a: 'one', 'd/b': 'two'.repeat(100) });
      const before = new Map<string, Buffer>();
      if (hasFormer) {
        t.is((await cairn(['archive', 'create', '../out/x'], options)).code, 0);
        for (const name of readdirSync(out)) before.set(name, readFileSync(join(out, name)));
      }
      writeFileSync(join(out, 'x.mismatch.txt'), 'stale\n');
      writeFileSync(join(out, 'bystander.tmp-0123456789abcdef'), 'not ours');
      commitFiles(repository, { a: 'other', 'd/b': 'two'.repeat(90) });
      row.prepare?.(top);
      const isPlanted = row.outcome === 'sidecar path refused';
      const steps: string[] = [];
      const restore = useDisk(watching(row.disk === undefined ? realDisk : row.disk(top), out, steps));
      let result;
      try {
        result = await cairn(['archive', 'create', '../out/x', ...(hasFormer ? ['--force'] : []), ...(row.argv ?? [])], options);
      } finally {
        restore();
      }
      t.is(result.code, row.exit, result.stderr);
      if (steps.length > 0) t.is(steps.at(-1), 'durable', steps.join(', '));
      if (row.exit === 0) t.true(steps.slice(steps.lastIndexOf('x'), steps.lastIndexOf('x.info.json')).includes('durable'), steps.join(', '));
      const isChecked = row.exit !== 129;
      const stale = isChecked ? [] : ['x.mismatch.txt'];
      const names = readdirSync(out).filter((name) => !name.startsWith('bystander')).sort();
      t.deepEqual(names, [...(hasFormer ? ['x', 'x.info.json', ...(row.more ?? [])] : row.left), ...stale].sort());
      if (hasFormer && row.pair === 'old') {
        for (const [name, bytes] of before) if (!isPlanted || name === 'x') t.true(readFileSync(join(out, name)).equals(bytes), name);
      } else if (names.includes('x')) {
        t.is((await cairn(['archive', 'verify', '../out/x'], options)).code, 0);
        t.not(readFileSync(join(out, 'x')).toString('latin1'), before.get('x')?.toString('latin1'));
      } else if (names.includes('x.info.json') && !isPlanted) {
        t.like(JSON.parse(readFileSync(join(out, 'x.info.json'), 'utf8')), { archive: null, self_test: { ran: true, matched: false } });
        t.is((await cairn(['archive', 'verify', '../out/x'], options)).code, 6);
        t.regex(readFileSync(join(out, 'x.mismatch.txt'), 'utf8'), /^(?:archive|content) .*\n$/);
        // Trying again needs nobody's help.
        if (row.argv === undefined) {
          t.is((await cairn(['archive', 'create', '../out/x'], options)).code, 0);
          t.deepEqual(readdirSync(out).filter((name) => !name.startsWith('bystander')).sort(), ['x', 'x.info.json']);
        }
      }
      t.is(readFileSync(join(out, 'bystander.tmp-0123456789abcdef'), 'utf8'), 'not ours');
      t.deepEqual(readdirSync(join(top, 'scratch')), []);
    });
  }
}

/** The pair that is there, by the message of its tip; 'absent' when there is none. */
function pairAt(path: string): string {
  if (!existsSync(path) || !existsSync(`${path}.info.json`)) return 'absent';
  return runSteps(verifyArchive(path)).sidecar.heads[0]!.id;
}

for (const failure of ['died', 'EIO', 'EACCES'] as const satisfies readonly Failure[]) {
  test.serial(`whatever step ${failure === 'died' ? 'it dies at' : `fails with ${failure}`}, there is the old pair, none, or the new one`, async (t) => {
    const repository = makeRepository(t);
    const repo = repository.workTree!;
    const top = join(repo, '..');
    const first = commitFiles(repository, { a: 'one', 'd/b': 'two' });
    const { context } = makeContext({ cwd: repo, env: signingEnvironment(top) });
    const create = (force: boolean): void => {
      runSteps(createArchive(context, {
        path: join(top, 'out/x'), options: { all: false, revisions: [], since: [], paths: [], input: false, checksums: true }, input: undefined, inputFormat: 'sha256',
        epoch: undefined, selfTests: true, scratchRoot: join(top, 'scratch'), force, signingKey: '', version: 'test',
      }, { update: () => undefined, warn: () => undefined }));
    };
    mkdirSync(join(top, 'scratch'));
    mkdirSync(join(top, 'out'));
    create(false);
    cpSync(join(top, 'out'), join(top, 'former'), { recursive: true });
    const second = commitFiles(repository, { a: 'other', 'd/b': 'two' });
    const seen = new Set<string>();
    for (const force of [false, true]) {
      for (let step = 1; ; step += 1) {
        rmSync(join(top, 'out'), { recursive: true });
        rmSync(join(top, 'scratch'), { recursive: true });
        mkdirSync(join(top, 'scratch'));
        if (force) cpSync(join(top, 'former'), join(top, 'out'), { recursive: true });
        else mkdirSync(join(top, 'out'));
        const run = withFailingDisk(step, failure, () => { create(force); });
        if (run.error === undefined && run.steps.length < step) break;
        const pair = pairAt(join(top, 'out/x'));
        seen.add(`${force} ${pair}`);
        t.true([...(failure === 'died' || !force ? ['absent'] : []), ...(force ? [first] : []), second].includes(pair), `step ${step} ${run.steps.at(-1)}: ${pair}`);
        if (run.error === undefined) t.is(pair, second);
        const undoing = ['unlink', 'removeTree', 'rename', 'fsyncDirectory', 'close'].includes(run.steps[step - 1] ?? '');
        if (failure !== 'died' && !undoing && run.error !== undefined) {
          t.deepEqual(readdirSync(join(top, 'out')).sort(), force ? ['x', 'x.CHECKSUMS', 'x.info.json', 'x.info.json.sig'] : [], `step ${step} ${run.steps[step - 1]}`);
          t.deepEqual(readdirSync(join(top, 'scratch')), []);
        }
        // The same command goes through, without anybody's help.
        if (pair === second) continue;
        create(force);
        t.is(pairAt(join(top, 'out/x')), second);
      }
    }
    t.true(seen.has(`true ${first}`) && seen.has(`true ${second}`) && seen.has('false absent') && seen.has(`false ${second}`), [...seen].join('\n'));
  });
}

test.serial('two runs with one scratch root do not meet', async (t) => {
  const repository = makeRepository(t);
  const repo = repository.workTree!;
  const top = join(repo, '..');
  commitFiles(repository, { a: 'one' });
  mkdirSync(join(top, 'scratch'));
  const { context } = makeContext({ cwd: repo });
  const begin = (name: string): Generator<void, unknown> => createArchive(context, {
    path: join(top, name), options: { all: false, revisions: [], since: [], paths: [], input: false, checksums: false }, input: undefined, inputFormat: 'sha256',
    epoch: undefined, selfTests: true, scratchRoot: join(top, 'scratch'), force: false, version: 'test',
  }, { update: () => undefined, warn: () => undefined });
  const runs = [begin('x'), begin('y')];
  let most = 0;
  for (let left = [...runs]; left.length > 0;) {
    left = left.filter((run) => run.next().done !== true);
    most = Math.max(most, readdirSync(join(top, 'scratch')).length);
  }
  t.is(most, 2);
  t.deepEqual(readdirSync(join(top, 'scratch')), []);
  t.true(readFileSync(join(top, 'x')).equals(readFileSync(join(top, 'y'))));
  t.is(pairAt(join(top, 'x')), pairAt(join(top, 'y')));
  // One that is given up leaves nothing.
  const given = begin('z');
  for (let step = 0; step < 6; step += 1) t.not(given.next().done, true);
  t.throws(() => given.throw(new Error('stop')), { message: 'stop' });
  t.deepEqual(readdirSync(join(top, 'scratch')), []);
  t.deepEqual(readdirSync(top).filter((name) => name.startsWith('z')), []);
});
