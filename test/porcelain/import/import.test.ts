// cairn import: what comes in is what went out, in every format; what other programs write is read; what is hostile or damaged is refused, and
// the branch stays.
import test, { type ExecutionContext } from 'ava';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { TarWriter } from '../../../porcelain/export/tar-writer.js';
import { ZipWriter } from '../../../porcelain/export/zip-writer.js';
import { type Incoming } from '../../../porcelain/import/incoming-files.js';
import { gunzip } from '../../../porcelain/import/gunzip.js';
import { PieceReader } from '../../../porcelain/import/piece-reader.js';
import { readTar } from '../../../porcelain/import/tar-reader.js';
import { CairnError } from '../../../pack/errors.js';
import { type Repository } from '../../../plumbing/repository.js';
import { cairn, cairnOutput } from '../../helpers/cairn.js';
import { testSeed } from '../../helpers/sample-content.js';
import { makeSandbox, seededRandom, writeFiles } from '../../helpers/sandbox.js';
import { type Finished } from '../../helpers/stock-git.js';
import { commitFiles, makeRepository } from '../../helpers/snapshots.js';

const person = { GIT_AUTHOR_NAME: 'a', GIT_AUTHOR_EMAIL: 'a', GIT_COMMITTER_NAME: 'a', GIT_COMMITTER_EMAIL: 'a' };
const treeOf = (cwd: string, name: string): Promise<string> => cairnOutput(['rev-parse', `${name}^{tree}`], { cwd });

function take(repository: Repository, argv: readonly string[], stdin?: Buffer): Promise<Finished> {
  return cairn(['import', ...argv], { cwd: repository.workTree!, env: person, ...(stdin === undefined ? {} : { stdin }) });
}

const files = {
  plain: 'text\n', empty: '', run: { executable: '#!/bin/sh\n' }, link: { link: 'plain' }, 'd/e/f': 'deep\n', 'd.txt': 'between\n', 'odd name\n\u00e9': 'x',
  [`${'p'.repeat(60)}/${'q'.repeat(60)}/split`]: 'parts\n', ['n'.repeat(120)]: 'long\n', [`l${'i'.repeat(3)}`]: { link: 't'.repeat(120) }, large: 'compressible '.repeat(20_000),
};

test('what was exported comes back as the same tree, in every format', async (t) => {
  const repository = makeRepository(t);
  const top = makeSandbox(t, { inMemory: true });
  commitFiles(repository, files);
  const cwd = repository.workTree!;
  const tree = await treeOf(cwd, 'HEAD');
  for (const format of ['tar', 'tar.gz', 'zip', 'oci'] as const) {
    const path = join(top, `x.${format}`);
    t.is((await cairn(['export', '--format', format, '-o', path, ...(format === 'oci' ? [] : ['--prefix', 'pre/fix/'])], { cwd })).code, 0);
    const branch = format.replace('.', '-');
    const result = await take(repository, ['--format', format, '-b', branch, '--json', ...(format === 'oci' ? [] : ['--strip', '2']), path]);
    t.is(result.code, 0, result.stderr);
    t.like(JSON.parse(result.stdout), { tree, parent: null, branch: `refs/heads/${branch}`, files: Object.keys(files).length });
    t.is((await take(repository, ['--format', format, '-b', branch, ...(format === 'oci' ? [] : ['--strip', '2']), path])).code, 1);
  }
  const tar = (await cairn(['export'], { cwd })).stdoutBytes;
  t.is((await take(repository, ['--format', 'tar', '-b', 'stdin', '-'], tar)).code, 0);
  t.is(await treeOf(cwd, 'stdin'), tree);
  mkdirSync(join(top, 'layout'));
  spawnSync('tar', ['-xf', 'x.oci', '-C', 'layout'], { cwd: top });
  t.is((await take(repository, ['--format', 'oci', '-b', 'layout', join(top, 'layout')])).code, 0);
  t.is(await treeOf(cwd, 'layout'), tree);
});

test('what tar and python write is read', async (t) => {
  const repository = makeRepository(t);
  const top = makeSandbox(t, { inMemory: true });
  commitFiles(repository, files);
  const cwd = repository.workTree!;
  const tree = await treeOf(cwd, 'HEAD');
  writeFiles(join(top, 'in'), files);
  for (const [name, options] of [['gnu', ['--format=gnu']], ['posix', ['--format=posix']], ['dot', ['--format=gnu', '-z']]] as const) {
    t.is(spawnSync('tar', ['-cf', join(top, `${name}.tar`), ...options, '.'], { cwd: join(top, 'in') }).status, 0);
    const result = await take(repository, ['--format=tar', '-b', name, join(top, `${name}.tar`)]);
    t.is(result.code, 0, `${name}: ${result.stderr}`);
    t.is(await treeOf(cwd, name), tree, name);
  }
  t.is((await take(repository, ['--format=dir', '-b', 'dir', join(top, 'in')])).code, 0);
  t.is(await treeOf(cwd, 'dir'), tree);
  const python = spawnSync('python3', ['-c', 'import zipfile; z = zipfile.ZipFile("p.zip", "w", zipfile.ZIP_DEFLATED); z.writestr("a/b", "b" * 1000); z.writestr("c", "c"); z.close()'], { cwd: top });
  if (python.status !== 0) {
    t.log('python3 is not there');
    return;
  }
  t.is((await take(repository, ['--format=zip', '-b', 'python', join(top, 'p.zip')])).code, 0);
  t.is(await cairnOutput(['cat-file', 'blob', 'python:a/b'], { cwd }), 'b'.repeat(1000));
});

/** Bytes of a tar; `spoil` may change them. */
function tarOf(entries: readonly (readonly [path: string, content: string | { link: string } | { type: string; as?: string }])[]): Buffer {
  const pieces: Buffer[] = [];
  const writer = new TarWriter((bytes) => { pieces.push(Buffer.from(bytes)); }, 0);
  for (const [path, content] of entries) {
    if (typeof content === 'string') {
      writer.begin({ path, kind: 'file', permissions: 0o644, sizeBytes: content.length, label: 'x' });
      writer.append(Buffer.from(content));
    } else if ('link' in content) {
      writer.begin({ path, kind: 'link', permissions: 0o777, sizeBytes: 0, target: content.link, label: 'x' });
    } else {
      writer.begin({ path, kind: 'link', permissions: 0o777, sizeBytes: 0, target: content.as ?? '', label: 'x' });
      const header = pieces.at(-1)!;
      header.write(content.type, 156, 'latin1');
      header.fill(0x20, 148, 156);
      header.write(`${header.reduce((sum, byte) => sum + byte, 0).toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
    }
  }
  writer.finish();
  return Buffer.concat(pieces);
}

function zipOf(entries: readonly (readonly [path: string, content: string, mode?: number])[]): Buffer {
  const pieces: Buffer[] = [];
  const writer = new ZipWriter((bytes) => { pieces.push(Buffer.from(bytes)); }, 0);
  for (const [path, content, mode = 0o100644] of entries) writer.add({ path, mode, sizeBytes: content.length, open: () => [Buffer.from(content)] });
  writer.finish('');
  return Buffer.concat(pieces);
}

async function refused(t: ExecutionContext, repository: Repository, format: string, bytes: Buffer, code: number, pattern: RegExp, more: readonly string[] = []): Promise<void> {
  const path = join(repository.workTree!, `x.${format}`);
  writeFileSync(path, bytes);
  const result = await take(repository, [`--format=${format}`, '-b', 'hostile', ...more, path]);
  t.is(result.code, code, `${pattern}: ${result.stderr}`);
  t.regex(result.stderr, pattern);
  t.is(repository.refs.find('refs/heads/hostile'), undefined);
}

test('hostile names and entries are refused by name, and the branch stays', async (t) => {
  const repository = makeRepository(t);
  for (const path of ['../x', '/etc/x', 'a/../x', 'a//b', '.git/config', 'a/.GIT/x', '.git./x', 'git~1/x', '.cairn/x', 'a/./b', '.g\u200cit/x']) {
    await refused(t, repository, 'tar', tarOf([[Buffer.from(path).toString('latin1'), 'x']]), 2, /invalid path/);
    await refused(t, repository, 'zip', zipOf([[Buffer.from(path).toString('latin1'), 'x']]), 2, /invalid path/);
  }
  await refused(t, repository, 'tar', tarOf([['a', 'x'], ['a', 'y']]), 3, /'a' is there twice/);
  await refused(t, repository, 'tar', tarOf([['a', { link: '/etc' }], ['a/passwd', 'x']]), 3, /as a file and as a directory/);
  await refused(t, repository, 'tar', tarOf([['a', 'x'], ['a/b', 'y']]), 3, /as a file and as a directory/);
  await refused(t, repository, 'tar', tarOf([['dev', { type: '3' }]]), 3, /'dev' is a device/);
  await refused(t, repository, 'tar', tarOf([['pipe', { type: '6' }]]), 3, /'pipe' is a pipe/);
  await refused(t, repository, 'tar', tarOf([['odd', { type: 'Z' }]]), 3, /'odd' is of the unknown type/);
  await refused(t, repository, 'tar', tarOf([['same', { type: '1', as: '/etc/passwd' }]]), 2, /did not come before/);
  await refused(t, repository, 'tar', tarOf([]), 2, /nothing to import/);
  await refused(t, repository, 'tar', tarOf([['a', 'x']]), 2, /no name left/, ['--strip=1']);
  await refused(t, repository, 'tar', tarOf([['../a', 'x']]), 2, /invalid path/, ['--strip=1']);
  await refused(t, repository, 'zip', zipOf([['a', 'x'], ['a', 'y']]), 3, /'a' is there twice/);
  await refused(t, repository, 'zip', zipOf([['dev', '', 0o020644]]), 3, /'dev' is no file/);
  const good = await take(repository, ['--format=tar', '-b', 'links', '-'], tarOf([['a', 'x'], ['b', { type: '1', as: 'a' }], ['./c/', { type: '5' }]]));
  t.is(good.code, 0, good.stderr);
  t.regex(good.stderr, /a directory is empty and left out: 'c'/);
  t.is(await cairnOutput(['cat-file', 'blob', 'links:b'], { cwd: repository.workTree! }), 'x');
});

test('what unpacks to more than it may is refused while it is read', async (t) => {
  const repository = makeRepository(t);
  const bomb = tarOf([['zeros', '\0'.repeat(3_000_000)]]);
  await refused(t, repository, 'tar', gzipSync(bomb), 3, /unpacks to more than 1048576 bytes/, ['--most-bytes=1m']);
  await refused(t, repository, 'zip', zipOf([['zeros', '\0'.repeat(3_000_000)]]), 3, /unpacks to more than/, ['--most-bytes', '1m']);
  // Two names in the directory for one place.
  const zip = zipOf([['a', 'x'.repeat(100)], ['b', 'y'.repeat(100)]]);
  const second = zip.indexOf(Buffer.from('PK\x01\x02', 'latin1'), zip.indexOf(Buffer.from('PK\x01\x02', 'latin1')) + 1);
  zip.writeUInt32LE(0, second + 42);
  await refused(t, repository, 'zip', zip, 3, /overlaps/);
});

test('each flipped byte of a zip or a compressed tar is refused, or changes nothing that is kept', async (t) => {
  const repository = makeRepository(t);
  const tar = tarOf([['a', 'content\n'], ['b/c', { link: 'a' }]]);
  const tree = JSON.parse((await take(repository, ['--format=tar', '-b', 'good', '--json', '-'], tar)).stdout) as { tree: string };
  for (const [format, bytes] of [['tar', gzipSync(tar)], ['zip', zipOf([['a', 'content\n'], ['b/c', 'a', 0o120777]])]] as const) {
    for (let at = 0; at < bytes.length; at += 1) {
      const damaged = Buffer.from(bytes);
      damaged[at]! ^= 0x04;
      const path = join(repository.workTree!, 'damaged');
      writeFileSync(path, damaged);
      const result = await take(repository, [`--format=${format}`, '-b', `flip-${format}-${at}`, '--json', path]);
      t.true([0, 2, 3, 6].includes(result.code), `${format} ${at}: ${result.stderr}`);
      // Names and modes of a zip are covered by no checksum.
      if (result.code === 0 && format === 'tar') t.is((JSON.parse(result.stdout) as { tree: string }).tree, tree.tree);
    }
  }
});

test('nonsense is a value or an error, for each reader', (t) => {
  const random = seededRandom(testSeed);
  const tar = tarOf([['a', 'content\n'], ['n'.repeat(150), 'long'], ['b/c', { link: 'a' }]]);
  for (let round = 0; round < 400; round += 1) {
    const bytes = Buffer.from(round % 4 === 0 ? gzipSync(tar) : tar);
    for (let change = 0; change < 3; change += 1) bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
    const cut = bytes.subarray(0, Math.floor(random() * (bytes.length + 1)));
    try {
      const source = round % 4 === 0 ? gunzip([cut]) : [cut];
      const found: Incoming[] = [];
      for (const incoming of readTar(new PieceReader(source, 'it'))) found.push(incoming);
      t.true(found.length <= 3);
    } catch (error) {
      if (!(error instanceof CairnError)) throw error;
    }
  }
  t.pass();
});

test('layers of an image come one over the other, with what they take away', async (t) => {
  const repository = makeRepository(t);
  const top = makeSandbox(t, { inMemory: true });
  const layout = join(top, 'layout');
  mkdirSync(join(layout, 'blobs/sha256'), { recursive: true });
  const { createHash } = await import('node:crypto');
  const put = (bytes: Buffer, mediaType: string): { mediaType: string; digest: string; size: number } => {
    const digest = createHash('sha256').update(bytes).digest('hex');
    writeFileSync(join(layout, 'blobs/sha256', digest), bytes);
    return { mediaType, digest: `sha256:${digest}`, size: bytes.length };
  };
  const layers = [
    tarOf([['kept', '1'], ['gone', '1'], ['dir/a', '1'], ['dir/b', '1'], ['opaque/old', '1'], ['file-to-dir', '1'], ['dir-to-file/x', '1']]),
    gzipSync(tarOf([['.wh.gone', ''], ['dir/.wh.a', ''], ['opaque/.wh..wh..opq', ''], ['opaque/new', '2'], ['file-to-dir/y', '2'], ['dir-to-file', '2'], ['kept', '2']])),
  ].map((bytes, at) => put(bytes, `application/vnd.oci.image.layer.v1.tar${at === 1 ? '+gzip' : ''}`));
  const manifest = put(Buffer.from(JSON.stringify({ schemaVersion: 2, layers, config: put(Buffer.from('{}'), 'application/vnd.oci.empty.v1+json') })), 'application/vnd.oci.image.manifest.v1+json');
  writeFileSync(join(layout, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  writeFileSync(join(layout, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [manifest] }));
  const result = await take(repository, ['--format=oci', '-b', 'image', layout]);
  t.is(result.code, 0, result.stderr);
  t.is(await cairnOutput(['ls-tree', '-r', '--name-only', 'image'], { cwd: repository.workTree! }), 'dir-to-file\ndir/b\nfile-to-dir/y\nkept\nopaque/new');
  t.is(await cairnOutput(['cat-file', 'blob', 'image:kept'], { cwd: repository.workTree! }), '2');
  const layer = join(layout, 'blobs/sha256', layers[0]!.digest.slice(7));
  const bytes = readFileSync(layer);
  bytes[600]! ^= 1;
  writeFileSync(layer, bytes);
  const damaged = await take(repository, ['--format=oci', '-b', 'damaged', layout]);
  t.is(damaged.code, 6);
  t.true(damaged.stderr.includes(layers[0]!.digest));
});

test('an import goes on top of its branch, not under files that are checked out, and large files pass through', async (t) => {
  const repository = makeRepository(t);
  const cwd = repository.workTree!;
  const large = tarOf([['large', 'so it goes on\n'.repeat(1_300_000)]]);
  const first = await take(repository, ['--format=tar', '-m', 'first', '-'], large);
  t.is(first.code, 0, first.stderr);
  t.is((await take(repository, ['--format=tar', '-'], large)).code, 3);
  t.is((await take(repository, ['--format=tar', '-b', 'other', '-m', 'one', '-m', 'two', '-'], large)).code, 0);
  t.is((await take(repository, ['--format=tar', '-b', 'other', '--allow-empty', '-'], large)).code, 0);
  t.is(await cairnOutput(['log', '--format=%s|%b', 'other'], { cwd }), 'Import from standard input|\none|two\n');
  for (const argv of [['--format=rar', 'x'], ['x'], ['--format=tar'], ['--format=zip', '-'], ['--format=tar', '--strip=x', '-'], ['--format=tar', '--most-bytes=x', '-'], ['--format=tar', 'x', 'y']]) {
    t.is((await take(repository, argv)).code, 129, argv.join(' '));
  }
  symlinkSync('/dev/null', join(cwd, 'null.tar'));
  t.is((await take(repository, ['--format=tar', '-b', 'x', join(cwd, 'null.tar')])).code, 3);
});
