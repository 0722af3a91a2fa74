// cairn archive: what it makes, byte for byte; that it can be read by stock git and restored; and what it refuses.
import test, { type ExecutionContext } from 'ava';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, linkSync, lstatSync, mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ObjectFormat } from '../../../pack/oid.js';
import { decodeSidecar, encodeSidecar } from '../../../porcelain/archive/sidecar.js';
import { formatChecksum, parseChecksums } from '../../../porcelain/archive/checksums.js';
import { formatCanonicalJson } from '../../../porcelain/canonical-json.js';
import { repoPath } from '../../../pack/tree.js';
import { cairn } from '../../helpers/cairn.js';
import { makeSandbox, writeFiles } from '../../helpers/sandbox.js';
import { gitOutput, skipWithoutGit } from '../../helpers/stock-git.js';

/** A repository with history that has deltas, a merge, tags, a link, an executable and odd names. */
function makeHistory(directory: string, format: ObjectFormat): void {
  mkdirSync(directory);
  const run = (...argv: string[]): void => { gitOutput(argv, { cwd: directory }); };
  run('init', '-q', '-b', 'main', `--object-format=${format}`);
  const lines = (count: number): string => Array.from({ length: count }, (_, at) => `line ${at * 7919 % 1000} of the file\n`).join('');
  for (let at = 1; at <= 5; at += 1) {
    writeFiles(directory, { file: lines(100 + at * 20), [`dir/${at}`]: `${at}\n`, 'dir/deep/same': 'same\n', 'odd name\n': 'x', empty: '' });
    if (at === 2) writeFiles(directory, { script: { executable: '#!/bin/sh\n' }, link: { link: 'dir/1' } });
    run('add', '-A');
    run('commit', '-qm', `commit ${at}`);
    if (at === 2) run('branch', 'side');
    if (at === 3) run('tag', '-am', 'first', 'v1');
  }
  run('switch', '-q', 'side');
  writeFiles(directory, { other: lines(50) });
  run('add', '-A');
  run('commit', '-qm', 'on the side');
  run('switch', '-q', 'main');
  run('merge', '-q', '--no-edit', 'side');
}

const formats: readonly ObjectFormat[] = ['sha1', 'sha256'];

async function create(cwd: string, argv: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<void> {
  const result = await cairn(['archive', 'create', ...argv], { cwd, env: { TMPDIR: join(cwd, '..'), ...env } });
  if (result.code !== 0) throw new Error(`cairn archive create ${argv.join(' ')}: ${result.code} ${result.stderr}`);
}

async function refused(t: ExecutionContext, cwd: string, argv: readonly string[], code: number, pattern: RegExp, env: Readonly<Record<string, string>> = {}): Promise<void> {
  const result = await cairn(['archive', ...argv], { cwd, env: { TMPDIR: join(cwd, '..'), ...env } });
  t.is(result.code, code, `${argv.join(' ')}: ${result.stderr}`);
  t.regex(result.stderr, pattern, argv.join(' '));
}

for (const format of formats) {
  test(`an archive of ${format} is what stock git clones, and restores to the same repository`, async (t) => {
    if (skipWithoutGit(t)) return;
    const top = makeSandbox(t, { inMemory: true });
    const repo = join(top, 'repo');
    makeHistory(repo, format);
    await create(repo, ['../all.cairn', '--all']);
    gitOutput(['clone', '-q', '--mirror', 'all.cairn', 'clone'], { cwd: top });
    t.is(gitOutput(['for-each-ref'], { cwd: join(top, 'clone') }), gitOutput(['for-each-ref'], { cwd: repo }));
    gitOutput(['fsck', '--strict'], { cwd: join(top, 'clone') });
    t.is((await cairn(['archive', 'restore', 'all.cairn'], { cwd: top })).code, 0);
    const restored = join(top, 'all');
    t.is(gitOutput(['--git-dir=.cairn', 'for-each-ref'], { cwd: restored }), gitOutput(['for-each-ref'], { cwd: repo }));
    t.is(gitOutput(['--git-dir=.cairn', '--work-tree=.', 'status', '--porcelain'], { cwd: restored }), '');
    t.is(gitOutput(['--git-dir=.cairn', 'symbolic-ref', 'HEAD'], { cwd: restored }), 'refs/heads/main');
    t.is(readFileSync(join(restored, 'file'), 'latin1'), readFileSync(join(repo, 'file'), 'latin1'));
    t.true(lstatSync(join(restored, 'link')).isSymbolicLink());
    t.is(lstatSync(join(top, 'all.cairn.info.json')).mode & 0o777, 0o600);
    t.deepEqual(readdirSync(top).sort(), ['all', 'all.cairn', 'all.cairn.info.json', 'clone', 'repo']);
  });

  test(`the bytes of an archive of ${format} do not depend on how its objects are stored`, async (t) => {
    if (skipWithoutGit(t)) return;
    const top = makeSandbox(t, { inMemory: true });
    const repo = join(top, 'repo');
    makeHistory(repo, format);
    await create(repo, ['../loose.cairn', '--all']);
    const bytes = readFileSync(join(top, 'loose.cairn'));
    const storages: Readonly<Record<string, readonly (readonly string[])[]>> = {
      packed: [['repack', '-adq']],
      graph: [['commit-graph', 'write', '--reachable']],
      deep: [['repack', '-adfq', '--depth=250', '--window=250']],
      flat: [['-c', 'pack.compression=9', 'repack', '-adFq', '--window=0']],
      several: [['pack-objects', '-q', '--revs', '.git/objects/pack/pack'], ['multi-pack-index', 'write']],
    };
    for (const [name, commands] of Object.entries(storages)) {
      for (const argv of commands) gitOutput(argv, { cwd: repo, stdin: 'side\n' });
      await create(repo, [`../${name}.cairn`, '--all']);
      t.true(readFileSync(join(top, `${name}.cairn`)).equals(bytes), name);
    }
    gitOutput(['clone', '-q', '--mirror', 'repo', 'mirror'], { cwd: top });
    await create(join(top, 'mirror'), ['../mirror.cairn', '--all']);
    t.true(readFileSync(join(top, 'mirror.cairn')).equals(bytes), 'a mirror');
  });
}

test('refs to anything, an empty commit and a submodule are archived as they are', async (t) => {
  if (skipWithoutGit(t)) return;
  const top = makeSandbox(t, { inMemory: true });
  const repo = join(top, 'repo');
  const run = (...argv: string[]): string => gitOutput(argv, { cwd: repo });
  mkdirSync(repo);
  run('init', '-q', '-b', 'main');
  await refused(t, repo, ['create', '../x', '--all'], 2, /nothing to archive/);
  await refused(t, repo, ['create', '../x'], 2, /nothing to archive/);
  run('commit', '-q', '--allow-empty', '-m', 'empty');
  await create(repo, ['../empty']);
  writeFiles(repo, { a: 'x' });
  run('add', 'a');
  run('update-index', '--add', '--cacheinfo', `160000,${run('rev-parse', 'HEAD')},sub`);
  run('commit', '-qm', 'with a submodule');
  for (const argv of [['blob', 'HEAD:a'], ['tree', 'HEAD^{tree}'], ['-am', 'of a tag', 'twice', 'blob']]) run('tag', ...argv);
  run('update-ref', 'refs/notes/x', 'HEAD');
  await create(repo, ['../all', '--all']);
  gitOutput(['clone', '-q', '--mirror', 'all', 'clone'], { cwd: top });
  t.is(gitOutput(['for-each-ref'], { cwd: join(top, 'clone') }), run('for-each-ref'));
  for (const name of ['empty', 'all']) t.is((await cairn(['archive', 'restore', name, `restored-${name}`], { cwd: top })).code, 0);
  t.is(gitOutput(['--git-dir=restored-all/.cairn', 'for-each-ref'], { cwd: top }), run('for-each-ref'));
  t.deepEqual(readdirSync(join(top, 'restored-empty')), ['.cairn']);
});

test('an archive that builds on another is restored with it, and not without', async (t) => {
  if (skipWithoutGit(t)) return;
  const top = makeSandbox(t, { inMemory: true });
  const repo = join(top, 'repo');
  makeHistory(repo, 'sha256');
  await create(repo, ['../base.cairn', 'v1', 'side~1']);
  await create(repo, ['../more.cairn', '--all', '--since', 'v1', '--since', 'side~1']);
  await refused(t, top, ['restore', 'more.cairn', 'alone'], 2, /builds on commit/);
  t.false(existsSync(join(top, 'alone')));
  t.is((await cairn(['archive', 'verify', 'more.cairn'], { cwd: top })).code, 0);
  const result = await cairn(['archive', 'restore', 'more.cairn', 'both', '--base', 'base.cairn'], { cwd: top });
  t.is(result.code, 0, result.stderr);
  t.is(gitOutput(['--git-dir=both/.cairn', 'for-each-ref'], { cwd: top }), gitOutput(['for-each-ref'], { cwd: repo }));
  gitOutput(['--git-dir=both/.cairn', 'fsck', '--strict', '--full'], { cwd: top });
  await refused(t, repo, ['create', '../none.cairn', 'v1', '--since', 'main'], 2, /nothing to archive/);
  t.false(existsSync(join(top, 'none.cairn')));
});

test('a directory is archived and comes back byte for byte, and the same directory gives the same bytes', async (t) => {
  const top = makeSandbox(t, { inMemory: true });
  const input = join(top, 'input');
  writeFiles(input, { 'a b': 'text', 'back\\slash': '1', 'new\nline': '2', 'dir/run': { executable: 'x' }, 'dir/link': { link: '../a b' }, '.gitattributes': '* text=auto eol=crlf', crlf: 'a\r\nb\n' });
  writeFileSync(Buffer.concat([Buffer.from(`${input}/`), Buffer.from([0xff, 0x41])]), 'no utf-8');
  await create(input, ['../one.cairn', '--input', '.', '--checksums'], { SOURCE_DATE_EPOCH: '1700000000' });
  await create(input, ['../two.cairn', '--input', '../input', '--epoch', '1700000000']);
  t.true(readFileSync(join(top, 'one.cairn')).equals(readFileSync(join(top, 'two.cairn'))));
  const result = await cairn(['archive', 'restore', 'one.cairn', 'out'], { cwd: top });
  t.is(result.code, 0, result.stderr);
  t.is(spawnSync('diff', ['-r', '--no-dereference', 'input', 'out'], { cwd: top }).stdout.toString(), '');
  t.is(lstatSync(join(top, 'out/dir/run')).mode & 0o100, 0o100);
  t.is(spawnSync('sha256sum', ['--quiet', '-c', '../one.cairn.CHECKSUMS'], { cwd: join(top, 'out') }).status, 0);
});

test('a directory with CHECKSUMS is archived only when they are right', async (t) => {
  const top = makeSandbox(t, { inMemory: true });
  const input = join(top, 'input');
  writeFiles(input, { a: 'text', 'odd\\na\nme': 'x' });
  const sums = spawnSync('sh', ['-c', 'sha256sum -- * >../sums && mv ../sums CHECKSUMS'], { cwd: input });
  t.is(sums.status, 0);
  await create(top, ['good.cairn', '--input', 'input']);
  writeFileSync(join(input, 'a'), 'other');
  await refused(t, top, ['create', 'bad.cairn', '--input', 'input'], 6, /'a' differs/);
  writeFileSync(join(input, 'a'), 'text');
  writeFileSync(join(input, 'new'), '');
  await refused(t, top, ['create', 'bad.cairn', '--input', 'input'], 6, /'new' is not listed/);
  writeFileSync(join(input, 'CHECKSUMS'), 'nonsense\n');
  await refused(t, top, ['create', 'bad.cairn', '--input', 'input'], 2, /line 1 of CHECKSUMS/);
  t.deepEqual(readdirSync(top).sort(), ['good.cairn', 'good.cairn.info.json', 'input']);
});

test('what an archive cannot hold is named and refuses it', async (t) => {
  const top = makeSandbox(t, { inMemory: true });
  const input = join(top, 'input');
  writeFiles(input, { a: 'text', 'sub/.git/config': 'x' });
  mkdirSync(join(input, 'void'));
  spawnSync('mkfifo', [join(input, 'pipe')]);
  await refused(t, top, ['create', 'x.cairn', '--input', 'input'], 3, /'pipe' \(a pipe\).*'sub\/\.git' .*directory 'void' \(empty\)/);
  mkdirSync(join(top, 'nothing'));
  await refused(t, top, ['create', 'x.cairn', '--input', 'nothing'], 2, /empty/);
  await refused(t, top, ['create', 'input/x.cairn', '--input', 'input'], 2, /inside/);
  await refused(t, top, ['create', 'x.cairn', '--input', 'absent'], 2, /does not exist/);
  t.deepEqual(readdirSync(top).sort(), ['input', 'nothing']);
});

test('subtrees are archived as one snapshot of their own that says where it is from', async (t) => {
  if (skipWithoutGit(t)) return;
  const top = makeSandbox(t, { inMemory: true });
  const repo = join(top, 'repo');
  makeHistory(repo, 'sha1');
  await create(repo, ['../part.cairn', 'v1', '--path', 'dir/deep', '--path', 'file']);
  gitOutput(['clone', '-q', 'part.cairn', 'part'], { cwd: top });
  t.is(gitOutput(['ls-files'], { cwd: join(top, 'part') }), 'dir/deep/same\nfile');
  t.is(gitOutput(['rev-list', '--count', 'HEAD'], { cwd: join(top, 'part') }), '1');
  t.is(gitOutput(['log', '-1', '--format=%(trailers:key=Archived-From,valueonly)'], { cwd: join(top, 'part') }).trim(), gitOutput(['rev-parse', 'v1^0'], { cwd: repo }));
  const record = JSON.parse(readFileSync(join(top, 'part.cairn.info.json'), 'utf8')) as { scopes: string[]; source: string };
  t.deepEqual(record.scopes, ['subtree:dir/deep', 'subtree:file']);
  t.is(record.source, gitOutput(['rev-parse', 'v1^0'], { cwd: repo }));
  await refused(t, repo, ['create', '../x.cairn', '--path', 'absent'], 2, /'absent' is not in/);
  await refused(t, repo, ['create', '../x.cairn', '--all', '--path', 'dir'], 129, /--path/);
});

test('a wrong command line is refused before anything is made', async (t) => {
  const top = makeSandbox(t, { inMemory: true });
  for (const argv of [
    [], ['create'], ['pack', 'x'], ['create', 'x', '--bare'], ['verify', 'x', '--force'], ['verify', 'x', 'y'], ['create', 'x', '--epoch', '12x', '--input', '.'],
    ['create', 'x', '--epoch', '+1', '--input', '.'], ['create', 'x', '--epoch', '-1', '--input', '.'], ['create', 'x', '--epoch', '', '--input', '.'],
    ['create', 'x', '--epoch', '99999999999999999999', '--input', '.'], ['create', 'x', '--epoch', '1e3', '--input', '.'], ['create', 'x', '--epoch', ' 1', '--input', '.'],
    ['create', 'x', '--input', '.', '--all'], ['create', 'x', 'main', '--all'], ['create', 'x', '--object-format', 'sha256'], ['restore', 'x', 'y', '--bare', '--files'],
  ]) await refused(t, top, argv, 129, /usage|error/);
  await refused(t, top, ['create', 'x', '--input', '.'], 129, /seconds/, { SOURCE_DATE_EPOCH: '1.5' });
  t.deepEqual(readdirSync(top), []);
});

test('planted links, pipes and directories at an output path are refused and left alone', async (t) => {
  const top = makeSandbox(t, { inMemory: true });
  const input = join(top, 'input');
  writeFiles(input, { a: 'text' });
  writeFileSync(join(top, 'victim'), 'precious');
  for (const suffix of ['', '.info.json', '.CHECKSUMS', '.mismatch.txt']) {
    for (const plant of [
      (path: string) => { symlinkSync('victim', path); }, (path: string) => { mkdirSync(path); }, (path: string) => { spawnSync('mkfifo', [path]); },
    ]) {
      const directory = join(top, 'out');
      spawnSync('rm', ['-rf', directory]);
      mkdirSync(directory);
      const path = join(directory, `x${suffix}`);
      plant(path);
      const before = lstatSync(path);
      await refused(t, top, ['create', 'out/x', '--input', 'input', '--force', '--checksums'], 3, /not a regular file/);
      t.is(lstatSync(path).ino, before.ino);
      t.deepEqual(readdirSync(directory), [`x${suffix}`]);
    }
  }
  // Whoever else has a name for a file that is replaced keeps what it says.
  mkdirSync(join(top, 'shelf'));
  linkSync(join(top, 'victim'), join(top, 'shelf/x'));
  await create(top, ['shelf/x', '--input', 'input', '--force']);
  t.is(readFileSync(join(top, 'victim'), 'utf8'), 'precious');
});

test('an archive is not overwritten unless that is asked for', async (t) => {
  const top = makeSandbox(t, { inMemory: true });
  writeFiles(join(top, 'input'), { a: 'one' });
  await create(top, ['x', '--input', 'input', '--checksums']);
  const before = ['x', 'x.info.json', 'x.CHECKSUMS'].map((name) => readFileSync(join(top, name)));
  writeFiles(join(top, 'input'), { a: 'two' });
  await refused(t, top, ['create', 'x', '--input', 'input'], 3, /exists already/);
  t.deepEqual(['x', 'x.info.json', 'x.CHECKSUMS'].map((name) => readFileSync(join(top, name))), before);
  await create(top, ['x', '--input', 'input', '--force']);
  t.false(readFileSync(join(top, 'x')).equals(before[0]!));
  t.deepEqual(readdirSync(top).sort(), ['input', 'x', 'x.info.json']);
});

test('the epoch of a repository may only be raised', async (t) => {
  if (skipWithoutGit(t)) return;
  const top = makeSandbox(t, { inMemory: true });
  const repo = join(top, 'repo');
  makeHistory(repo, 'sha1');
  const newest = Number(gitOutput(['log', '-1', '--format=%ct'], { cwd: repo }));
  await refused(t, repo, ['create', '../x', '--epoch', String(newest - 1)], 6, /older than the youngest/);
  t.deepEqual(readdirSync(top), ['repo']);
  await create(repo, ['../x', '--epoch', String(newest + 5)]);
  t.deepEqual((JSON.parse(readFileSync(join(top, 'x.info.json'), 'utf8')) as { epoch: object }).epoch, { overridden: true, seconds: newest + 5 });
});

test('restoring refuses what is in the way and another repository', async (t) => {
  if (skipWithoutGit(t)) return;
  const top = makeSandbox(t, { inMemory: true });
  const repo = join(top, 'repo');
  makeHistory(repo, 'sha256');
  await create(repo, ['../x.cairn']);
  const root = gitOutput(['rev-list', '--max-parents=0', 'HEAD'], { cwd: repo });
  await refused(t, top, ['restore', 'x.cairn', 'repo'], 3, /not an empty directory/);
  await refused(t, top, ['restore', 'x.cairn', 'y', '--expect-id', 'other'], 3, /not of 'other'/);
  mkdirSync(join(top, 'empty'));
  const good = await cairn(['archive', 'restore', 'x.cairn', 'empty', '--expect-id', root, '--bare', '--json'], { cwd: top });
  t.is(good.code, 0, good.stderr);
  t.like(JSON.parse(good.stdout), { form: 'bare', destination: 'empty', repository: root });
  t.is(gitOutput(['--git-dir=empty', 'rev-parse', 'main'], { cwd: top }), gitOutput(['rev-parse', 'main'], { cwd: repo }));
  t.deepEqual(readdirSync(top).sort(), ['empty', 'repo', 'x.cairn', 'x.cairn.info.json']);
});

test('an object that was tampered with in the repository is named, and nothing is made', async (t) => {
  if (skipWithoutGit(t)) return;
  const top = makeSandbox(t, { inMemory: true });
  const repo = join(top, 'repo');
  makeHistory(repo, 'sha1');
  const id = gitOutput(['rev-parse', 'HEAD:file'], { cwd: repo });
  const other = gitOutput(['rev-parse', 'HEAD:script'], { cwd: repo });
  const path = join(repo, '.git/objects', id.slice(0, 2), id.slice(2));
  chmodSync(path, 0o644);
  writeFileSync(path, readFileSync(join(repo, '.git/objects', other.slice(0, 2), other.slice(2))));
  await refused(t, repo, ['create', '../x'], 6, new RegExp(id));
  t.deepEqual(readdirSync(top), ['repo']);
});

test('a shallow repository is refused', async (t) => {
  if (skipWithoutGit(t)) return;
  const top = makeSandbox(t, { inMemory: true });
  makeHistory(join(top, 'repo'), 'sha1');
  gitOutput(['clone', '-q', '--depth=1', `file://${join(top, 'repo')}`, 'shallow'], { cwd: top });
  await refused(t, join(top, 'shallow'), ['create', '../x'], 3, /shallow/);
});

test('canonical JSON has one form for a value', (t) => {
  t.is(formatCanonicalJson({ b: [1, true, null], a: { '\ud83d\ude00': 'x\n', '\uff5e': '' } }), '{"a":{"\uff5e":"","\ud83d\ude00":"x\\n"},"b":[1,true,null]}');
  t.throws(() => formatCanonicalJson(0.5), { instanceOf: RangeError });
});

test('checksums of odd names are written and read as sha256sum does', (t) => {
  const sum = 'a'.repeat(64);
  for (const name of ['plain', 'back\\slash', 'new\nline', 'cr\r', '\\n', 'a\\\nb', ' lead']) {
    const line = formatChecksum(sum, repoPath(name));
    t.deepEqual([...parseChecksums(line)], [[name, sum]]);
  }
  for (const bad of [`${sum} x\n`, `${sum}  ../x\n`, `${sum}  /x\n`, `\\${sum}  a\\b\n`, `${sum}  a\n${sum}  a\n`, 'abc  x\n', `${sum}  \n`]) {
    t.throws(() => parseChecksums(bad), { code: 'bad-checksums' }, bad);
  }
});

test('a sidecar is read only in its one form, and members that are not known pass', async (t) => {
  const top = makeSandbox(t, { inMemory: true });
  writeFiles(join(top, 'input'), { a: 'one' });
  await create(top, ['x', '--input', 'input']);
  const bytes = readFileSync(join(top, 'x.info.json'));
  const sidecar = decodeSidecar(bytes, 'x');
  t.deepEqual(encodeSidecar(sidecar), bytes);
  t.throws(() => decodeSidecar(Buffer.from(bytes.toString().replace('{', '{ ')), 'x'), { code: 'bad-sidecar' });
  t.throws(() => decodeSidecar(Buffer.from(bytes.toString().replace('"format":1', '"format":2')), 'x'), { code: 'sidecar-version' });
});
