// cairn export beside git archive: the same tar byte for byte, the same files in the others, and the same bytes each time.
import test from 'ava';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { cairn } from '../../helpers/cairn.js';
import { makeSandbox, writeFiles } from '../../helpers/sandbox.js';
import { git, gitOutput, skipWithoutGit } from '../../helpers/stock-git.js';

const long = (letter: string, count: number): string => letter.repeat(count);

/** A snapshot with everything a format may stumble over. */
function makeSnapshot(directory: string, format = 'sha1'): void {
  mkdirSync(directory);
  const run = (...argv: string[]): void => { gitOutput(argv, { cwd: directory }); };
  run('init', '-q', '-b', 'main', `--object-format=${format}`);
  writeFiles(directory, {
    plain: 'text\n', empty: '', run: { executable: '#!/bin/sh\n' }, link: { link: 'plain' }, 'd/e/f': 'deep\n', 'd.txt': 'between\n', 'odd name\n\u00e9': 'x',
    [`${long('p', 60)}/${long('q', 60)}/split`]: 'name in two parts\n', [`${long('n', 120)}`]: 'long name\n', [`${long('r', 99)}/${long('s', 120)}`]: 'longer\n',
    [`l${long('i', 3)}`]: { link: long('t', 120) }, [`${long('a', 50)}/${long('b', 49)}`]: 'exactly hundred\n', [`${long('x', 100)}/y`]: '101\n',
    '.gitattributes': '*.secret export-ignore\nkept-back export-ignore\n*.crlf eol=crlf\nsubst export-subst\nident ident\n', 'a.secret': 'no', 'sub/b.secret': 'no',
    'kept-back/file': 'no', 'sub/.gitattributes': 'local export-ignore\n', 'sub/local': 'no', 'sub/yes': 'yes', 'onlysecret/c.secret': 'no',
    'text.crlf': 'one\ntwo\n', subst: 'commit $Format:%H %h %an %s %ad%n$ $Format:%d$ $Format:unended\n', ident: '$Id$\n', large: 'compressible '.repeat(20_000),
  });
  run('add', '-A');
  run('commit', '-qm', 'the snapshot');
  run('tag', '-am', 'tagged', 'v1');
}

for (const format of ['sha1', 'sha256']) {
  test(`a tar of ${format} is byte for byte what git archive writes`, async (t) => {
    if (skipWithoutGit(t)) return;
    const repo = join(makeSandbox(t, { inMemory: true }), 'repo');
    makeSnapshot(repo, format);
    for (const argv of [[], ['v1'], ['--prefix=pre/'], ['--prefix=pre-'], ['HEAD', 'd', 'sub/'], ['HEAD', '--', 'd/e'], ['HEAD', '*.crlf'], ['HEAD', ':!d'], ['HEAD', '*.secret'], ['HEAD', 'd', 'kept-back'], ['--prefix=a/b/', 'main', 'run']]) {
      const ours = await cairn(['export', '--format=tar', ...argv], { cwd: repo });
      const theirs = git(['archive', '--format=tar', ...(argv.some((word) => !word.startsWith('-')) ? argv : [...argv, 'HEAD'])], { cwd: repo });
      t.is(ours.code, 0, ours.stderr);
      t.true(ours.stdoutBytes.equals(theirs.stdoutBytes), argv.join(' '));
    }
    gitOutput(['config', 'tar.umask', '0077'], { cwd: repo });
    t.true((await cairn(['export'], { cwd: repo })).stdoutBytes.equals(git(['archive', 'HEAD'], { cwd: repo }).stdoutBytes));
  });
}

test('a tar.gz unpacks to the tar, and a zip to the same files', async (t) => {
  if (skipWithoutGit(t)) return;
  const top = makeSandbox(t, { inMemory: true });
  const repo = join(top, 'repo');
  makeSnapshot(repo);
  const tar = (await cairn(['export', '--prefix=x/'], { cwd: repo })).stdoutBytes;
  t.is((await cairn(['export', '--prefix=x/', '-o', '../x.tgz'], { cwd: repo })).code, 0);
  const packed = readFileSync(join(top, 'x.tgz'));
  t.true(gunzipSync(packed).equals(tar));
  t.true((await cairn(['export', '--prefix=x/', '--format=tgz'], { cwd: repo })).stdoutBytes.equals(packed));
  t.is((await cairn(['export', '-o', '../x.zip'], { cwd: repo })).code, 0);
  t.true((await cairn(['export', '--format=zip'], { cwd: repo })).stdoutBytes.equals(readFileSync(join(top, 'x.zip'))));
  mkdirSync(join(top, 'fromtar'));
  mkdirSync(join(top, 'fromzip'));
  spawnSync('tar', ['-xf', '-', '-C', 'fromtar', '--strip-components=1'], { cwd: top, input: tar });
  const unpacked = spawnSync('python3', ['-c', [
    'import zipfile, os, sys, stat', 'z = zipfile.ZipFile("x.zip")', 'assert z.testzip() is None',
    'for i in z.infolist():', '  p = os.path.join("fromzip", i.filename); m = i.external_attr >> 16',
    '  if i.is_dir(): os.makedirs(p, exist_ok=True)', '  elif stat.S_ISLNK(m): os.symlink(z.read(i), p.encode())',
    '  else: open(p, "wb").write(z.read(i)); os.chmod(p, m & 0o777)', 'print(z.comment.decode())',
  ].join('\n')], { cwd: top });
  if (unpacked.error !== undefined) {
    t.log('python3 is not there: the zip was not unpacked');
    return;
  }
  t.is(unpacked.stderr.toString(), '');
  t.is(unpacked.stdout.toString().trim(), gitOutput(['rev-parse', 'HEAD'], { cwd: repo }));
  t.is(spawnSync('diff', ['-r', '--no-dereference', 'fromtar', 'fromzip'], { cwd: top }).stdout.toString(), '');
});

test('an OCI image layout has what its digests say, and the same bytes each time', async (t) => {
  if (skipWithoutGit(t)) return;
  const top = makeSandbox(t, { inMemory: true });
  const repo = join(top, 'repo');
  makeSnapshot(repo);
  const result = await cairn(['export', '--format=oci', '--output=../x.oci', '--json'], { cwd: repo });
  t.is(result.code, 0, result.stderr);
  t.like(JSON.parse(result.stdout), { path: '../x.oci', format: 'oci', commit: gitOutput(['rev-parse', 'HEAD'], { cwd: repo }) });
  t.true((await cairn(['export', '--format=oci'], { cwd: repo })).stdoutBytes.equals(readFileSync(join(top, 'x.oci'))));
  mkdirSync(join(top, 'layout'));
  t.is(spawnSync('tar', ['-xf', 'x.oci', '-C', 'layout'], { cwd: top }).status, 0);
  const blobs = join(top, 'layout/blobs/sha256');
  const names = readdirSync(blobs);
  t.is(names.length, 3);
  for (const name of names) t.is(createHash('sha256').update(readFileSync(join(blobs, name))).digest('hex'), name);
  const read = (digest: string): Record<string, never> => JSON.parse(readFileSync(join(blobs, digest.slice('sha256:'.length)), 'utf8')) as Record<string, never>;
  const index = JSON.parse(readFileSync(join(top, 'layout/index.json'), 'utf8')) as { manifests: { digest: string; size: number }[] };
  const manifest = read(index.manifests[0]!.digest) as unknown as { layers: { digest: string; size: number }[]; config: { digest: string } };
  const layer = readFileSync(join(blobs, manifest.layers[0]!.digest.slice('sha256:'.length)));
  t.is(layer.length, manifest.layers[0]!.size);
  const config = read(manifest.config.digest) as unknown as { rootfs: { diff_ids: string[] } };
  t.deepEqual(config.rootfs.diff_ids, [`sha256:${createHash('sha256').update(gunzipSync(layer)).digest('hex')}`]);
  const skopeo = spawnSync('skopeo', ['inspect', 'oci-archive:x.oci:latest'], { cwd: top });
  if (skopeo.error !== undefined) t.log('skopeo is not there');
  else t.is(skopeo.status, 0, skopeo.stderr.toString());
});

test('what cannot be exported is refused and named, and the output stays what it was', async (t) => {
  if (skipWithoutGit(t)) return;
  const top = makeSandbox(t, { inMemory: true });
  const repo = join(top, 'repo');
  makeSnapshot(repo);
  writeFileSync(join(top, 'out'), 'former');
  for (const [argv, code, pattern] of [
    [['--format=rar'], 129, /format/], [['--prefix=../x/'], 2, /prefix/], [['--prefix=/x/'], 2, /prefix/], [['absent'], 2, /absent/], [['HEAD', 'absent'], 2, /did not match/], [['--json'], 129, /--output/],
  ] as const) {
    const result = await cairn(['export', ...argv], { cwd: repo });
    t.is(result.code, code, argv.join(' '));
    t.regex(result.stderr, pattern);
  }
  const id = gitOutput(['rev-parse', 'HEAD:large'], { cwd: repo });
  const other = gitOutput(['rev-parse', 'HEAD:plain'], { cwd: repo });
  const path = (name: string): string => join(repo, '.git/objects', name.slice(0, 2), name.slice(2));
  chmodSync(path(id), 0o644);
  writeFileSync(path(id), readFileSync(path(other)));
  for (const format of ['tar', 'tar.gz', 'zip', 'oci']) {
    const result = await cairn(['export', `--format=${format}`, '-o', '../out'], { cwd: repo });
    t.is(result.code, 6, format);
    t.true(result.stderr.includes(id), format);
    t.is(readFileSync(join(top, 'out'), 'utf8'), 'former');
  }
});
