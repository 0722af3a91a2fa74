// Releases and rollbacks as a user sees them: what lies at the target, what is recorded, what is refused.
import test from 'ava';
import {
  appendFileSync, chmodSync, existsSync, lstatSync, mkdirSync, readFileSync, readdirSync, readlinkSync, renameSync, rmSync, statSync, symlinkSync,
  unlinkSync, utimesSync, writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { type ObjectId, digest, hashObject } from '../../pack/oid.js';
import { PackWriter } from '../../pack/pack-writer.js';
import type { Repository } from '../../plumbing/repository.js';
import { isChannel, parseChannel } from '../../porcelain/channel.js';
import { listEvents } from '../../porcelain/events.js';
import { listReceipts } from '../../porcelain/receipt.js';
import { removeLeftovers } from '../../porcelain/release-recovery.js';
import { listReleaseRoots } from '../../porcelain/release-roots.js';
import { type InProcessOptions, cairn, cairnOutput } from '../helpers/cairn.js';
import { type FileSpec, writeFiles } from '../helpers/sandbox.js';
import { commitFiles, makeRepository, reopen } from '../helpers/snapshots.js';
import { type Finished, git, gitOutput, skipWithoutGit } from '../helpers/stock-git.js';

type Json = Record<string, unknown> & { readonly receipt: ObjectId };
const json = (text: string): Json => JSON.parse(text) as Json;

/** A repository with the commands run in it. */
class Site {
  readonly repository: Repository;
  readonly root: string;
  constructor(repository: Repository) {
    this.repository = repository;
    this.root = repository.workTree!;
  }

  run(argv: readonly string[], options: Partial<InProcessOptions> = {}): Promise<Finished> {
    return cairn(argv, { cwd: this.root, ...options });
  }

  ok(argv: readonly string[], options: Partial<InProcessOptions> = {}): Promise<string> {
    return cairnOutput(argv, { cwd: this.root, ...options });
  }

  commit(files: Readonly<Record<string, FileSpec>>): ObjectId {
    return commitFiles(this.repository, files);
  }

  path(...parts: readonly string[]): string {
    return join(this.root, ...parts);
  }

  read(path: string): string {
    return readFileSync(this.path(path), 'utf8');
  }

  hook(name: string, script: string): void {
    mkdirSync(join(this.repository.gitDirectory, 'hooks'), { recursive: true });
    const path = join(this.repository.gitDirectory, 'hooks', name);
    writeFileSync(path, `#!/bin/sh\n${script}\n`);
    chmodSync(path, 0o755);
  }

  /** Names in the sibling directory of a target, without the ignore file. */
  kept(container: string): string[] {
    return readdirSync(this.path(container)).filter((name) => name !== '.gitignore').sort();
  }
}

test('a release writes files, modes and links, and records what it did', async (t) => {
  const site = new Site(makeRepository(t));
  const commit = site.commit({ 'a.txt': 'one\n', 'bin/run': { executable: '#!/bin/sh\n' }, 'bin/link': { link: 'run' }, empty: '' });
  const receipt = json(await site.ok(['release', 'prod', '--to', 'deploy/www', '-m', 'first', '-m', 'why', '--json']));
  t.is(site.read('deploy/www/a.txt'), 'one\n');
  t.is(statSync(site.path('deploy/www/bin/run')).mode & 0o100, 0o100);
  t.is(statSync(site.path('deploy/www/a.txt')).mode & 0o100, 0);
  t.is(readlinkSync(site.path('deploy/www/bin/link')), 'run');
  t.is(site.read('deploy/www/empty'), '');
  t.like(receipt, {
    channel: 'prod', number: 1, kind: 'release', commit, previous: null, restores: null, bad: false, message: 'first\n\nwhy',
    tagger: { name: 'C O Mitter', email: 'committer@example.com', seconds: 1112911993, offset: '-0700' },
    outputs: [{ path: null, target: 'deploy/www', files: 4, bytes: 17, verification: 'hashed' }],
  });
  const again = reopen(site.root);
  t.is(again.refs.find('refs/releases/prod')?.id, receipt.receipt);
  t.is(again.refs.find(`refs/cairn/receipts/${receipt.receipt}`)?.id, receipt.receipt);
  t.is(again.config.get('release.prod.target'), 'deploy/www');
  t.deepEqual([...listEvents(again)].map(({ kind, data }) => [kind, data['channel'], data['number'], data['commit'], data['targets']]), [['release', 'prod', 1, commit, ['deploy/www']]]);
  t.deepEqual(site.kept('deploy/.www.cairn'), [readlinkSync(site.path('deploy/www')).slice('.www.cairn/'.length)]);
  t.deepEqual([...listReleaseRoots(again)], [{ id: receipt.receipt, reason: "live release 'prod/1'" }]);
});

test('the second release goes to the remembered target, chained to the first', async (t) => {
  const site = new Site(makeRepository(t, { objectFormat: 'sha1' }));
  site.commit({ a: '1', gone: 'x' });
  await site.ok(['release', 'prod', '--to', 'www']);
  const first = readlinkSync(site.path('www'));
  const second = site.commit({ a: '2', 'new/b': '3' });
  t.is(await site.ok(['release', 'prod', '--dry-run']), `would release prod 2: ${second}\n  write a new directory at www\n  M a\n  D gone\n  A new/b`);
  t.is(readlinkSync(site.path('www')), first, 'a dry run does nothing');
  await site.ok(['release', 'prod', 'HEAD~0']);
  t.deepEqual([site.read('www/a'), site.read('www/new/b'), existsSync(site.path('www/gone'))], ['2', '3', false]);
  t.is(site.read(`${first}/a`), '1', 'the old directory is untouched');
  t.deepEqual([...listReceipts(reopen(site.root), parseChannel('prod'))].map(({ number, kind }) => [number, kind]), [[2, 'release'], [1, 'release']]);
  if (skipWithoutGit(t)) return;
  t.is(git(['--git-dir', site.repository.gitDirectory, 'fsck', '--strict'], { cwd: site.root }).code, 0);
  // What stock git reclaims must not be any receipt.
  const options = { cwd: site.root };
  gitOutput(['--git-dir', site.repository.gitDirectory, 'reflog', 'expire', '--expire=now', '--all'], options);
  gitOutput(['--git-dir', site.repository.gitDirectory, 'gc', '-q', '--prune=now'], options);
  t.is((json(await site.ok(['release', '--history', 'prod', '--json']))['receipts'] as unknown[]).length, 2);
});

test('releasing what is live again keeps the directory and costs only a receipt', async (t) => {
  const site = new Site(makeRepository(t));
  site.commit({ a: '1' });
  await site.ok(['release', 'prod', '--to', 'www']);
  const link = readlinkSync(site.path('www'));
  const { ino } = lstatSync(site.path('www'));
  const receipt = json(await site.ok(['release', 'prod', '--json']));
  t.like(receipt, { number: 2, outputs: [{ verification: 'unchanged', files: 1, bytes: 1 }] });
  t.is(readlinkSync(site.path('www')), link);
  t.is(lstatSync(site.path('www')).ino, ino);
});

test('a subtree is published by --path, and again without it', async (t) => {
  const site = new Site(makeRepository(t));
  site.commit({ 'site/a': '1', other: 'x' });
  await site.ok(['release', 'prod', '--to', 'www', '--path', './site/']);
  t.deepEqual(readdirSync(site.path('www')), ['a']);
  site.commit({ 'site/a': '2', other: 'x' });
  await site.ok(['release', 'prod']);
  t.is(site.read('www/a'), '2');
  await site.ok(['release', 'prod', '--path', '.']);
  t.deepEqual(readdirSync(site.path('www')), ['other', 'site']);
  t.is((await site.run(['release', 'prod', '--path', 'none'])).code, 2);
  t.is((await site.run(['release', 'prod', '--path', 'other'])).code, 2);
  t.is((await site.run(['release', 'prod', '--path', '../x'])).code, 2);
});

test('several targets are published together, each with its path', async (t) => {
  const site = new Site(makeRepository(t));
  site.commit({ 'x/a': 'x', 'y/b': 'y' });
  await site.ok(['release', 'prod', '--to', 'out/x', '--path', 'x', '--to', 'out/y', '--path', 'y']);
  t.deepEqual([site.read('out/x/a'), site.read('out/y/b')], ['x', 'y']);
  site.commit({ 'x/a': 'x2', 'y/b': 'y2' });
  await site.ok(['release', 'prod']);
  t.deepEqual([site.read('out/x/a'), site.read('out/y/b')], ['x2', 'y2']);
  await site.ok(['rollback', 'prod']);
  t.deepEqual([site.read('out/x/a'), site.read('out/y/b')], ['x', 'y']);
  t.is((await site.run(['release', 'prod', '--path', 'x', '--path', 'y', '--path', 'x'])).code, 2);
  t.is((await site.run(['release', 'prod', '--to', 'same', '--to', './same'])).code, 3);
});

test('rolling back goes one release further back each time, and passes over what is marked bad', async (t) => {
  const site = new Site(makeRepository(t));
  for (const content of ['A', 'B', 'C', 'D']) {
    site.commit({ a: content });
    await site.ok(['release', 'prod', '--to', 'www']);
  }
  await site.ok(['rollback', 'prod']);
  t.is(site.read('www/a'), 'C');
  t.is(await site.ok(['release', '--mark-bad', 'prod', '#2']), 'prod/2 is marked bad');
  t.is(await site.ok(['release', '--mark-bad', 'prod', 'prod/2']), 'prod/2 is marked bad already');
  await site.ok(['rollback', 'prod', '-m', 'oldest']);
  t.is(site.read('www/a'), 'A');
  const none = await site.run(['rollback', 'prod', '--json']);
  t.is(none.code, 2);
  t.is(json(none.stderr)['code'], 'nothing-to-roll-back-to');
  t.is((await site.run(['rollback', 'prod', '#2'])).code, 3);
  t.is((await site.run(['rollback', 'prod', '#1'])).code, 0, 'a rollback of what a rollback restored is a record like any other');
  const history = json(await site.ok(['release', '--history', 'prod', '--json']))['receipts'] as unknown as Json[];
  const fourth = history.find((one) => one['number'] === 4)!;
  await site.ok(['rollback', 'prod', String(fourth['receipt']).slice(0, 12)]);
  t.is(site.read('www/a'), 'D');
  await site.ok(['rollback', 'prod', '1']);
  t.is(site.read('www/a'), 'C');
  t.is((await site.run(['rollback', 'prod', '0'])).code, 129);
  t.is((await site.run(['rollback', 'prod', '#77'])).code, 2);
  t.is((await site.run(['rollback', 'nowhere'])).code, 2);
});

test('marking the live rollback bad marks the release it restored', async (t) => {
  const site = new Site(makeRepository(t));
  for (const content of ['A', 'B', 'C']) {
    site.commit({ a: content });
    await site.ok(['release', 'prod', '--to', 'www']);
  }
  await site.ok(['rollback', 'prod']);
  const marked = json(await site.ok(['release', '--mark-bad', 'prod', '--json']));
  t.like(marked, { number: 2, bad: true });
  await site.ok(['rollback', 'prod']);
  t.is(site.read('www/a'), 'A');
});

test('a directory that was edited is not rolled back to; it is built anew', async (t) => {
  const site = new Site(makeRepository(t));
  site.commit({ a: 'A' });
  await site.ok(['release', 'prod', '--to', 'www']);
  const first = readlinkSync(site.path('www'));
  site.commit({ a: 'B' });
  await site.ok(['release', 'prod']);
  writeFileSync(site.path(first, 'a'), 'X');
  const receipt = json(await site.ok(['rollback', 'prod', '--json']));
  t.like(receipt, { outputs: [{ verification: 'hashed' }] });
  t.not(readlinkSync(site.path('www')), first);
  t.is(site.read('www/a'), 'A');
});

test('a directory of which only times changed is hashed again and used', async (t) => {
  const site = new Site(makeRepository(t));
  site.commit({ a: 'A' });
  await site.ok(['release', 'prod', '--to', 'www']);
  const first = readlinkSync(site.path('www'));
  site.commit({ a: 'B' });
  await site.ok(['release', 'prod']);
  utimesSync(site.path(first, 'a'), 1, 1);
  t.like(json(await site.ok(['rollback', 'prod', '--json'])), { outputs: [{ verification: 'unchanged' }] });
  t.is(readlinkSync(site.path('www')), first);
});

test('--verify finds edited, missing, extra, retyped files and changed modes, byte for byte', async (t) => {
  const site = new Site(makeRepository(t));
  site.commit({ a: 'same size', b: 'gone', 'd/c': { executable: 'x' }, 'd/l': { link: 'c' }, 'e/f': '1', 'g/h': '2' });
  await site.ok(['release', 'prod', '--to', 'www']);
  t.is(await site.ok(['release', '--verify', 'prod']), 'prod/1 is as published');
  const { atime, mtime } = statSync(site.path('www/a'));
  writeFileSync(site.path('www/a'), 'SAME SIZE');
  utimesSync(site.path('www/a'), atime, mtime);
  unlinkSync(site.path('www/b'));
  chmodSync(site.path('www/d/c'), 0o644);
  unlinkSync(site.path('www/d/l'));
  writeFileSync(site.path('www/d/l'), 'c');
  writeFileSync(site.path('www/d/.hidden\u001b[2J'), '');
  rmSync(site.path('www/e'), { recursive: true });
  symlinkSync('g', site.path('www/e'));
  renameSync(site.path('www/g'), site.path('www/G'));
  symlinkSync('G', site.path('www/g'));
  const result = await site.run(['release', '--verify', 'prod', '--json']);
  t.is(result.code, 1);
  const found = (json(result.stdout)['drift'] as unknown as Json[]).map((one) => `${one['kind']} ${one['path']}`);
  t.deepEqual(found.sort(), ['edited a', 'extra G', 'extra d/.hidden\u001b[2J', 'missing b', 'missing e/f', 'mode d/c', 'type d/l', 'type e', 'type g'].sort());
  const words = await site.run(['release', '--verify', 'prod']);
  t.is(words.code, 1);
  t.regex(words.stdout, /^extra {4}www\/d\/\.hidden\\x1b\[2J$/m);
  t.notRegex(words.stdout, /\u001b/);
  await site.ok(['release', 'prod']);
  t.is((await site.run(['release', '--verify', 'prod'])).code, 0, 'publishing again repairs');
});

test('a target that points elsewhere is drift, and is not replaced', async (t) => {
  const site = new Site(makeRepository(t));
  site.commit({ a: '1' });
  await site.ok(['release', 'prod', '--to', 'www']);
  const other = site.path('other');
  mkdirSync(other);
  unlinkSync(site.path('www'));
  symlinkSync(other, site.path('www'));
  const verified = await site.run(['release', '--verify', 'prod']);
  t.deepEqual([verified.code, verified.stdout], [1, 'target   www\n']);
  const refused = await site.run(['release', 'prod', '--json']);
  t.is(refused.code, 3);
  t.like(json(refused.stderr), { code: 'foreign-target', exit: 3 });
  t.deepEqual(readdirSync(other), []);
  unlinkSync(site.path('www'));
  await site.ok(['release', 'prod']);
  t.is(site.read('www/a'), '1');
});

const foreign: readonly (readonly [what: string, make: (site: Site) => void])[] = [
  ['a file', (site) => writeFileSync(site.path('www'), 'mine')],
  ['a directory', (site) => mkdirSync(site.path('www'))],
  ['a link to a directory', (site) => symlinkSync('/tmp', site.path('www'))],
  ['a link that leaves the sibling directory', (site) => symlinkSync('.www.cairn/../..', site.path('www'))],
  ['a link in place of the sibling directory', (site) => symlinkSync('/tmp', site.path('.www.cairn'))],
  ['a file in place of the sibling directory', (site) => writeFileSync(site.path('.www.cairn'), 'mine')],
];

for (const [what, make] of foreign) {
  test(`${what} where a release wants to be is refused and left alone`, async (t) => {
    const site = new Site(makeRepository(t));
    site.commit({ a: '1' });
    make(site);
    const before = readdirSync(site.root).sort();
    const result = await site.run(['release', 'prod', '--to', 'www', '--json']);
    t.is(result.code, 3, result.stderr);
    t.truthy(json(result.stderr)['hint']);
    t.deepEqual(readdirSync(site.root).sort(), before);
    t.is(reopen(site.root).refs.find('refs/releases/prod'), undefined);
    t.is(reopen(site.root).config.get('release.prod.target'), undefined);
    t.deepEqual([...listEvents(site.repository)], []);
  });
}

test('channel names keep to the rules of refs and cannot escape', async (t) => {
  for (const good of ['prod', 'site/staging', 'a.b', 'ü', 'x/y/z-1']) t.true(isChannel(good), good);
  for (const bad of ['', '/', 'a/', '/a', 'a//b', '..', 'a/../b', '../HEAD', 'a..b', '.a', 'a/.b', 'a.lock', 'a b', 'a\nb', 'a~1', 'a^', 'a:b', 'a?', 'a*', 'a[b', 'a\\b', '@{1}', 'a.', '-x', 'a/-b', 'a\u0085b', 'x'.repeat(200)]) t.false(isChannel(bad), bad);
  const site = new Site(makeRepository(t));
  site.commit({ a: '1' });
  const head = readFileSync(join(site.repository.gitDirectory, 'HEAD'));
  for (const bad of ['../../HEAD', '../heads/main', 'a/../../heads/main']) t.is((await site.run(['release', bad])).code, 2);
  t.deepEqual(readFileSync(join(site.repository.gitDirectory, 'HEAD')), head);
});

test('a channel without a target only records; one below another is refused as refs are', async (t) => {
  const site = new Site(makeRepository(t));
  site.commit({ a: '1', 'd/b': '22' });
  t.like(json(await site.ok(['release', 'site/prod', '--json'])), { outputs: [{ target: null, directory: null, files: 2, bytes: 3, verification: 'objects' }] });
  t.is((await site.run(['release', 'site/prod/x'])).code, 4);
  t.is(await site.ok(['release', '--verify', 'site/prod']), 'site/prod/1 is as published');
  t.is((json(await site.ok(['release', '--json']))['channels'] as unknown[]).length, 1);
});

test('two channels cannot share a target, and no target lies in the repository', async (t) => {
  const site = new Site(makeRepository(t));
  site.commit({ a: '1' });
  await site.ok(['release', 'prod', '--to', 'www']);
  t.is((await site.run(['release', 'test', '--to', 'www'])).code, 3);
  t.is((await site.run(['release', 'test', '--to', '.www.cairn'])).code, 3);
  t.is((await site.run(['release', 'test', '--to', '.cairn/www'])).code, 2);
  t.is((await site.run(['release', 'test', '--to', ''])).code, 129);
  t.is((await site.run(['release', 'test', '--to', 'www/inner'])).code, 3, 'a release is not written into');
  t.is((await site.run(['release', 'test', '--to', '.www.cairn/new/inner'])).code, 3);
  t.is((await site.run(['release', '--verify', 'prod'])).code, 0);
  t.is((await site.run(['-c', 'release.keep=0', 'release', 'prod'])).code, 2);
});

test('a moved repository takes its targets along', async (t) => {
  const site = new Site(makeRepository(t));
  site.commit({ a: '1' });
  await site.ok(['release', 'prod', '--to', 'deploy/www']);
  const moved = join(site.root, '../moved');
  renameSync(site.root, moved);
  t.is((await cairn(['release', '--verify', 'prod'], { cwd: moved })).code, 0);
  t.is(readFileSync(join(moved, 'deploy/www/a'), 'utf8'), '1');
  commitFiles(reopen(moved), { a: '2' });
  await cairnOutput(['release', 'prod'], { cwd: join(moved, 'deploy') });
  t.is(readFileSync(join(moved, 'deploy/www/a'), 'utf8'), '2');
});

test('a tampered object is refused by name and nothing is published', async (t) => {
  const site = new Site(makeRepository(t));
  site.commit({ a: 'good' });
  await site.ok(['release', 'prod', '--to', 'www']);
  site.commit({ a: 'better', b: 'good' });
  const blob = site.repository.objects.write('blob', Buffer.from('better'));
  const path = join(site.repository.gitDirectory, 'objects', blob.slice(0, 2), blob.slice(2));
  const other = site.repository.objects.write('blob', Buffer.from('evil!!'));
  chmodSync(path, 0o644);
  writeFileSync(path, readFileSync(join(site.repository.gitDirectory, 'objects', other.slice(0, 2), other.slice(2))));
  const result = await site.run(['release', 'prod']);
  t.is(result.code, 6, result.stderr);
  t.true(result.stderr.includes(blob), result.stderr);
  t.is(site.read('www/a'), 'good');
  t.is(site.kept('.www.cairn').length, 1);
  unlinkSync(path);
  const missing = await site.run(['release', 'prod']);
  t.true(missing.stderr.includes(blob), missing.stderr);
  t.is(missing.code, 6);
  t.is((json(await site.ok(['release', '--show', 'prod', '--json'])))['number'], 1);
});

test('an object whose pack holds other bytes under its id is refused by name', async (t) => {
  const site = new Site(makeRepository(t));
  const { format, objectsDirectory } = site.repository;
  site.commit({ a: 'good' });
  await site.ok(['release', 'prod', '--to', 'www']);
  site.commit({ a: 'better' });
  const [right, wrong] = ['better', 'evil!!'].map((text) => hashObject('blob', Buffer.from(text), format)) as [ObjectId, ObjectId];
  unlinkSync(join(objectsDirectory, right.slice(0, 2), right.slice(2)));
  using writer = new PackWriter(join(objectsDirectory, 'pack'), format);
  writer.add('blob', Buffer.from('evil!!'));
  writer.finish();
  // The index of a pack of one object, made to call it otherwise.
  const path = join(objectsDirectory, 'pack', readdirSync(join(objectsDirectory, 'pack')).find((name) => name.endsWith('.idx'))!);
  const bytes = readFileSync(path);
  for (let at = 0; at < 256; at += 1) bytes.writeUInt32BE(at >= Number.parseInt(right.slice(0, 2), 16) ? 1 : 0, 8 + 4 * at);
  t.is(bytes.toString('hex', 8 + 1024, 8 + 1024 + wrong.length / 2), wrong);
  bytes.write(right, 8 + 1024, 'hex');
  const body = bytes.subarray(0, bytes.length - right.length / 2);
  chmodSync(path, 0o644);
  writeFileSync(path, Buffer.concat([body, digest(body, format)]));
  const result = await site.run(['release', 'prod']);
  t.is(result.code, 6, result.stderr);
  t.true(result.stderr.includes(right), result.stderr);
  t.is(site.read('www/a'), 'good');
  t.is(site.kept('.www.cairn').length, 1);
});

test('a tree whose paths would escape is refused before anything is written', async (t) => {
  const site = new Site(makeRepository(t));
  const { objects } = site.repository;
  const blob = Buffer.from(objects.write('blob', Buffer.from('x')), 'hex');
  for (const name of ['..', '.git', '.cairn', '.GIT']) {
    const tree = objects.write('tree', Buffer.concat([Buffer.from(`100644 ${name}\0`), blob]));
    const bytes = objects.read(site.commit({ a: '1' })).bytes.toString().replace(/^tree \w+/, `tree ${tree}`);
    const result = await site.run(['release', 'prod', objects.write('commit', Buffer.from(bytes)), '--to', 'www']);
    t.is(result.code, 2, `${name}: ${result.stderr}`);
  }
  // A link and, under the same name, a directory: nothing may be written through the link.
  const inner = objects.write('tree', Buffer.concat([Buffer.from('100644 passwd\0'), blob]));
  const link = Buffer.from(objects.write('blob', Buffer.from('/tmp')), 'hex');
  const twins = objects.write('tree', Buffer.concat([Buffer.from('120000 d\0'), link, Buffer.from('40000 d\0'), Buffer.from(inner, 'hex')]));
  const bytes = objects.read(site.commit({ a: '1' })).bytes.toString().replace(/^tree \w+/, `tree ${twins}`);
  t.is((await site.run(['release', 'prod', objects.write('commit', Buffer.from(bytes)), '--to', 'www'])).code, 2);
  t.false(existsSync('/tmp/passwd'));
  t.deepEqual(site.kept('.www.cairn'), []);
  t.false(existsSync(site.path('www')));
});

test('names that are not UTF-8 are published byte for byte', async (t) => {
  const site = new Site(makeRepository(t));
  const { objects } = site.repository;
  const blob = Buffer.from(objects.write('blob', Buffer.from('x')), 'hex');
  const tree = objects.write('tree', Buffer.concat([Buffer.from('100644 \xe9\n\xff\0', 'latin1'), blob]));
  const bytes = objects.read(site.commit({ a: '1' })).bytes.toString().replace(/^tree \w+/, `tree ${tree}`);
  await site.ok(['release', 'prod', objects.write('commit', Buffer.from(bytes)), '--to', 'www']);
  t.deepEqual(readdirSync(site.path('www'), { encoding: 'latin1' }), ['\xe9\n\xff']);
  t.is((await site.run(['release', '--verify', 'prod'])).code, 0);
});

test('hooks get channel, commit and target; pre-release may look at what is built, and refuse', async (t) => {
  const site = new Site(makeRepository(t));
  const first = site.commit({ a: '1' });
  site.hook('pre-release', 'echo "pre $* $CAIRN_RELEASE_KIND $CAIRN_RELEASE_NUMBER $(cat "$CAIRN_RELEASE_DIRECTORY/a")" >> log; ls www 2>/dev/null | wc -l >> log');
  site.hook('post-release', 'echo "post $1 $(cat "$3/a") $CAIRN_RELEASE_RECEIPT" >> log; exit 7');
  const done = await site.run(['release', 'prod', '--to', 'www', '--json']);
  t.is(done.code, 0);
  t.regex(done.stderr, /post-release' exited with 7/);
  t.is(site.read('log').replace(/ +/g, ' '), `pre prod ${first} ${site.path('www')} release 1 1\n0\npost prod 1 ${json(done.stdout)['receipt']}\n`);
  site.hook('post-release', 'exit 0');
  writeFileSync(join(site.repository.gitDirectory, 'hooks/post-release'), '#!/no/such/interpreter\n');
  const untold = await site.run(['release', 'prod']);
  t.is(untold.code, 0, 'what comes after the release cannot unmake it');
  t.regex(untold.stderr, /post-release/);
  site.commit({ a: '2' });
  site.hook('pre-release', 'exit 1');
  const refused = await site.run(['release', 'prod', '--json']);
  t.is(refused.code, 3);
  t.is(json(refused.stderr)['code'], 'hook-refused');
  t.is(site.read('www/a'), '1');
  t.is(site.kept('.www.cairn').length, 1);
  site.hook('pre-release', 'echo evil > "$CAIRN_RELEASE_DIRECTORY/a"');
  t.is((await site.run(['release', 'prod'])).code, 3);
  t.is(site.read('www/a'), '1');
  t.deepEqual([...listReceipts(reopen(site.root), parseChannel('prod'))].map(({ number }) => number), [2, 1]);
});

test('only the newest release.keep directories stay, but the live one and the next rollback always', async (t) => {
  const site = new Site(makeRepository(t));
  for (let round = 1; round <= 6; round += 1) {
    site.commit({ a: String(round) });
    await site.ok(['release', 'prod', '--to', 'www']);
  }
  t.deepEqual(site.kept('.www.cairn').map((name) => name.split('.')[0]), ['4', '5', '6']);
  const records = readdirSync(join(site.repository.gitDirectory, 'cairn/releases')).map((name) => name.split('.')[1]);
  t.deepEqual(records.sort(), ['4', '5', '6']);
  await site.ok(['-c', 'release.keep=1', 'rollback', 'prod', '2']);
  t.is(site.read('www/a'), '4');
  t.deepEqual(site.kept('.www.cairn').map((name) => name.split('.')[0]), ['4'], 'the release before 4 has no directory any more');
  await site.ok(['-c', 'release.keep=1', 'rollback', 'prod', '1']);
  t.is(site.read('www/a'), '3');
  t.is((await site.run(['-c', 'release.keep=1', 'release', 'prod'])).code, 0);
  t.deepEqual(site.kept('.www.cairn').map((name) => name.split('.')[0]), ['8', '9']);
});

test('leftovers are removed: records no receipt names, old private files; what is needed stays', async (t) => {
  const site = new Site(makeRepository(t));
  site.commit({ a: '1' });
  await site.ok(['release', 'prod', '--to', 'www']);
  const drawer = join(site.repository.gitDirectory, 'cairn/releases');
  const [record] = readdirSync(drawer);
  for (const name of ['gone.9.0123456789abcdef.index', 'tmp_old', 'tmp_new', 'README']) writeFileSync(join(drawer, name), 'x');
  utimesSync(join(drawer, 'tmp_old'), 1, 1);
  removeLeftovers(reopen(site.root));
  t.deepEqual(readdirSync(drawer).sort(), [record!, 'README', 'tmp_new'].sort());
  // Directories somebody removed do not count as kept ones.
  for (const content of ['2', '3']) {
    site.commit({ a: content });
    await site.ok(['release', 'prod']);
  }
  rmSync(site.path('.www.cairn', site.kept('.www.cairn')[1]!), { recursive: true });
  site.commit({ a: '4' });
  await site.ok(['release', 'prod']);
  t.deepEqual(site.kept('.www.cairn').map((name) => name.split('.')[0]), ['1', '3', '4']);
  t.is(readdirSync(drawer).filter((name) => name.endsWith('.index')).length, 3);
});

test('large files are cloned from the live directory, never linked, and only when they are what they should be', async (t) => {
  const site = new Site(makeRepository(t));
  const large = Buffer.alloc(1024 * 1024 + 3, 'large ');
  site.commit({ large, a: '1' });
  await site.ok(['release', 'prod', '--to', 'www']);
  const first = readlinkSync(site.path('www'));
  site.commit({ large, a: '2' });
  await site.ok(['release', 'prod']);
  t.is(statSync(site.path('www/large')).nlink, 1);
  t.not(statSync(site.path('www/large')).ino, statSync(site.path(first, 'large')).ino);
  appendFileSync(site.path('www/large'), 'edited');
  site.commit({ large, a: '3' });
  await site.ok(['release', 'prod']);
  t.true(readFileSync(site.path('www/large')).equals(large));
  t.is((await site.run(['release', '--verify', 'prod'])).code, 0);
});

test('thousands of files, written by two threads, are as the snapshot says; an object one of them cannot read is named', async (t) => {
  const site = new Site(makeRepository(t));
  const many = (odd: string): Record<string, FileSpec> => Object.fromEntries(Array.from({ length: 3300 }, (_unused, at): [string, FileSpec] =>
    [`d${at % 7}/f${at}`, at === 2500 ? odd : at % 11 === 0 ? { executable: `x${at % 5}` } : `content ${at % 13}\n`]));
  site.commit(many('one'));
  t.like(json(await site.ok(['release', 'prod', '--to', 'www', '--json'])), { outputs: [{ files: 3300, verification: 'hashed' }] });
  t.is(await site.ok(['release', '--verify', 'prod']), 'prod/1 is as published');
  t.like(json(await site.ok(['release', 'prod', '--json'])), { outputs: [{ verification: 'unchanged' }] });
  site.commit(many('two'));
  const blob = site.repository.objects.write('blob', Buffer.from('two'));
  unlinkSync(join(site.repository.gitDirectory, 'objects', blob.slice(0, 2), blob.slice(2)));
  const result = await site.run(['release', 'prod']);
  t.is(result.code, 6, result.stderr);
  t.true(result.stderr.includes(blob), result.stderr);
  t.is(site.kept('.www.cairn').length, 1);
});

test('an empty snapshot is a snapshot', async (t) => {
  const site = new Site(makeRepository(t));
  site.commit({});
  t.like(json(await site.ok(['release', 'prod', '--to', 'www', '--json'])), { outputs: [{ files: 0, bytes: 0 }] });
  t.deepEqual(readdirSync(site.path('www')), []);
  t.is((await site.run(['release', '--verify', 'prod'])).code, 0);
  writeFiles(site.root, { 'www/extra': 'x' });
  t.is((await site.run(['release', '--verify', 'prod'])).code, 1);
});

test('what cannot be meant is a usage error', async (t) => {
  const site = new Site(makeRepository(t));
  site.commit({ a: '1' });
  for (const argv of [['release', '--to', 'x'], ['release', '--show'], ['release', '--show', '--history', 'prod'], ['release', '--verify', 'prod', 'HEAD'],
    ['release', '--verify', 'prod', '--to', 'x'], ['release', 'prod', 'HEAD', 'more'], ['rollback'], ['rollback', 'a', 'b', 'c']]) {
    t.is((await site.run(argv)).code, 129, argv.join(' '));
  }
  t.is((await site.run(['release', 'prod', 'no-such'])).code, 2);
  t.is((await site.run(['release', '--show', 'prod'])).code, 2);
});

test('messages with control characters do not reach the terminal', async (t) => {
  const site = new Site(makeRepository(t));
  site.commit({ a: '1' });
  await site.ok(['release', 'prod', '-m', 'red \u001b[31m alert']);
  for (const argv of [['release', '--show', 'prod'], ['release', '--history', 'prod'], ['release']]) {
    const output = await site.ok(argv);
    t.true(output.includes('\\x1b[31m'), argv.join(' '));
    t.false(output.includes('\u001b'), argv.join(' '));
  }
});
