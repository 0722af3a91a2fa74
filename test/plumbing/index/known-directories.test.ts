import test from 'ava';
import { existsSync, lstatSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { KnownDirectories } from '../../../plumbing/index/known-directories.js';
import { cairn, cairnOutput } from '../../helpers/cairn.js';
import { writeFiles } from '../../helpers/sandbox.js';
import { makeRepository, reopen } from '../../helpers/snapshots.js';

const directoryCount = 70;
const files = Object.fromEntries(Array.from({ length: directoryCount }, (_, at) => [`d${at}/file`, `${at}\n`]));
/** By when the times of what a test just made are old. */
const later = (): number => Date.now() + 60_000;

test('status reads no directory again that looks as it did, and sees what comes and goes in it', async (t) => {
  const { workTree: cwd, gitDirectory } = makeRepository(t);
  writeFiles(cwd!, files);
  await cairnOutput(['add', '.'], { cwd: cwd! });
  const status = async (): Promise<string> => (await cairn(['status', '--short'], { cwd: cwd!, nowMs: later() })).stdout;
  const staged = await status();
  const cache = join(gitDirectory, 'cairn/directories');
  t.is(JSON.parse(readFileSync(cache, 'utf8')).rows.length, directoryCount);
  t.is(await status(), staged);
  writeFiles(cwd!, { 'd7/new': 'x' });
  t.is(await status(), `${staged}?? d7/new\n`);
  rmSync(join(cwd!, 'd7/new'));
  t.is(await status(), staged);
  // As many names as before, but others.
  rmSync(join(cwd!, 'd9/file'));
  writeFiles(cwd!, { 'd9/other': 'x' });
  t.is(await status(), `${staged.replace('A  d9/file', 'AD d9/file')}?? d9/other\n`);
  // What leaves the index is untracked although the directory stays as it was.
  await cairnOutput(['rm', '-q', '--cached', 'd8/file'], { cwd: cwd! });
  t.true((await status()).includes('?? d8/\n'));
});

test('a wrong count is believed, which shows that it is used; not so where the configuration says that times tell nothing', async (t) => {
  const { workTree: cwd, gitDirectory } = makeRepository(t);
  writeFiles(cwd!, { ...files, 'd3/untracked': 'x' });
  await cairnOutput(['add', ...Object.keys(files)], { cwd: cwd! });
  const options = { cwd: cwd!, nowMs: later() };
  const honest = await cairnOutput(['status', '--short'], options);
  t.true(honest.includes('?? d3/untracked'));
  const cache = join(gitDirectory, 'cairn/directories');
  const written = readFileSync(cache, 'utf8');
  writeFileSync(cache, written.replace('["d3/",2,', '["d3/",1,'));
  t.false((await cairnOutput(['status', '--short'], options)).includes('untracked'));
  t.is(await cairnOutput(['-c', 'core.untrackedCache=false', 'status', '--short'], options), honest);
  for (const nonsense of ['', '{', '[]', 'null', '7', '{"version":2,"rows":[]}', '{"version":1,"rows":[7]}', '{"version":1,"rows":[["d3/","1",1,1,1]]}', written.slice(0, -9)]) {
    writeFileSync(cache, nonsense);
    t.is(await cairnOutput(['status', '--short'], options), honest, nonsense);
  }
});

test('a directory that changed a moment ago is read again, and nothing is written for a few', async (t) => {
  const repository = makeRepository(t);
  const directory = repository.workTree!;
  writeFiles(directory, { 'd/file': 'x' });
  const status = lstatSync(join(directory, 'd'));
  const reopened = (nowMs: number): KnownDirectories => KnownDirectories.open(reopen(directory, { nowMs }))!;
  const early = reopened(Math.ceil(status.ctimeMs) + 1000);
  for (let at = 0; at < directoryCount; at += 1) early.keep(`${at}/`, status, 1);
  t.false(early.isWorthWriting);
  const late = reopened(Math.ceil(status.ctimeMs) + 5000);
  late.keep('d/', status, 1);
  t.false(late.isWorthWriting);
  for (let at = 0; at < directoryCount; at += 1) late.keep(`${at}/`, status, 1);
  t.true(late.isWorthWriting);
  late.write();
  const next = reopened(later());
  t.is(next.find('d/', status), 1);
  t.is(next.find('unknown/', status), undefined);
  for (const key of ['ino', 'mtimeMs', 'ctimeMs'] as const) {
    const changed = Object.assign(lstatSync(join(directory, 'd')), { [key]: status[key] + 1 });
    t.is(next.find('d/', changed), undefined, key);
  }
});

test('status without optional locks writes nothing', async (t) => {
  const { workTree: cwd, gitDirectory } = makeRepository(t);
  writeFiles(cwd!, files);
  await cairnOutput(['add', '.'], { cwd: cwd! });
  t.is((await cairn(['status'], { cwd: cwd!, nowMs: later(), env: { GIT_OPTIONAL_LOCKS: '0' } })).code, 0);
  t.false(existsSync(join(gitDirectory, 'cairn/directories')));
});
