// What repack leaves is what git's leaves: the same packs by what is in them, the same loose files, and nothing lost.
import test from 'ava';
import { cpSync, existsSync, readFileSync, readdirSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { cairn } from '../../helpers/cairn.js';
import { type Format, bothFormats, makeRepository, recordCase } from '../../helpers/differential.js';
import { makeSandbox } from '../../helpers/sandbox.js';
import { git, gitOutput, skipWithoutGit } from '../../helpers/stock-git.js';
import { splitGeometrically } from '../../../porcelain/repack.js';

const fixture = `
  for i in 1 2 3; do mkdir -p d/e; seq $i 300 >a; seq 1 $((200+i)) >d/b; echo $i >d/e/g; git add -A; git commit -qm c$i; done
  git tag -a -m x ann
  git repack -adq
  git checkout -q -b side HEAD~2; echo s >s; git add -A; git commit -qm side
  git repack -dq; ls .git/objects/pack/*.pack | head -1 | sed 's/pack$/keep/' | xargs touch
  git checkout -q main; git merge -q -m m side; cp a d/acopy; git add -A; git commit -qm copy
  echo staged >st; git add st; echo dangling | git hash-object -w --stdin; git reflog expire --expire=all refs/heads/side; git branch -qD side
  echo packed | git hash-object -w --stdin | git pack-objects -q .git/objects/pack/pack
`;

function packs(repository: string): string[] {
  const directory = join(repository, '.git/objects/pack');
  return readdirSync(directory).filter((name) => name.endsWith('.idx')).map((name) => {
    const format = gitOutput(['rev-parse', '--show-object-format'], { cwd: repository });
    const ids = gitOutput(['show-index', `--object-format=${format}`], { cwd: repository, stdin: readFileSync(join(directory, name)) })
      .split('\n').map((line) => line.split(' ')[1]).sort();
    const companions = ['keep', 'mtimes', 'rev'].filter((suffix) => existsSync(join(directory, name.replace(/idx$/, suffix))));
    return `${companions.join()} ${ids.join(' ')}`;
  }).sort();
}

function loose(repository: string): string[] {
  const objects = join(repository, '.git/objects');
  return readdirSync(objects).filter((name) => name.length === 2).flatMap((name) => readdirSync(join(objects, name)).map((file) => name + file)).sort();
}

const requests: readonly (readonly string[])[] = [
  [], ['-q'], ['-d', '-q'], ['-a'], ['-adf'], ['-adF', '-l'], ['-Adq'], ['-adk', '-q'], ['-Ad', '--unpack-unreachable=now', '-q'], ['--cruft', '-dq'], ['--cruft', '-q'],
  ['--cruft', '-d', '--cruft-expiration=now', '-q'], ['--geometric=2', '-d', '-q'], ['-g3', '-dm', '-q'], ['-adm', '-n'], ['--pack-kept-objects', '-adq'],
  ['-adfq', '--depth=5', '--threads=1'], ['-adq', '--max-pack-size=1m'], ['-adq', '--no-write-bitmap-index'], ['-adq', '--keep-pack=pack-none.pack'],
  ['--cruft', '-d', '--cruft-expiration=now', '--expire-to=.git/expired', '-q'], ['-g2', '-a'], ['--cruft', '-k'], ['-A', '-k'], ['-adq', '--window=x'], ['-adq', '--window=1k'], ['-adq', '--window-memory=1k'], ['-x'],
];

for (const format of bothFormats) {
  test(`the packs and loose objects are git's (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    const repository = makeRepository(t, format as Format, fixture);
    const base = makeSandbox(t);
    for (const [number, argv] of requests.entries()) {
      const [theirs, ours] = [join(base, `${number}a`), join(base, `${number}b`)];
      for (const copy of [theirs, ours]) cpSync(repository, copy, { recursive: true, preserveTimestamps: true });
      const expected = git(['repack', ...argv], { cwd: theirs });
      const actual = await cairn(['repack', ...argv], { cwd: ours, nowMs: Date.now() });
      const label = `repack ${argv.join(' ')}: ${actual.stderr}`;
      recordCase(['repack', ...argv]);
      t.is(actual.code, expected.code, label);
      if (actual.code === 129) continue;
      t.is(actual.stdout, expected.stdout, label);
      t.deepEqual(packs(ours), packs(theirs), label);
      t.deepEqual(loose(ours), loose(theirs), label);
      t.is(existsSync(join(ours, '.git/objects/pack/multi-pack-index')), existsSync(join(theirs, '.git/objects/pack/multi-pack-index')), label);
      t.is(git(['fsck', '--full', '--strict'], { cwd: ours }).code, 0, label);
    }
  });
}

test('a pack that somebody relied on while it was repacked stays', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeRepository(t, 'sha1', `${fixture} rm .git/objects/pack/*.keep`);
  const { Repository } = await import('../../../plumbing/repository.js');
  const { repack } = await import('../../../porcelain/repack.js');
  const { MaintenanceLock } = await import('../../../porcelain/leases.js');
  const { readPackSettings } = await import('../../../plumbing/objects/pack-settings.js');
  const { makeContext } = await import('../../helpers/cairn.js');
  const opened = Repository.open(makeContext({ cwd: repository, nowMs: Date.now() }).context);
  const directory = join(repository, '.git/objects/pack');
  const old = readdirSync(directory).filter((name) => name.endsWith('.pack')).map((name) => join(directory, name));
  const settings = readPackSettings(opened.config);
  using lock = MaintenanceLock.acquire(opened);
  repack(opened, {
    scope: 'all', removesOld: true, unneeded: 'dropped', isLocal: false, reuseDeltas: true, reuseObjects: true, usesOffsets: true, settings, cruftSettings: settings,
    packsKept: false, keptPacks: new Set(), writesMultiPackIndex: false, updatesServerInfo: false,
    onProgress: (phase) => { if (phase === 'verifying') utimesSync(old[0]!, new Date(), new Date(statSync(old[0]!).mtimeMs + 5000)); },
  }, lock);
  t.true(existsSync(old[0]!));
  for (const path of old.slice(1)) t.false(existsSync(path));
});

test('packs that grow by the factor stay as they are', (t) => {
  t.is(splitGeometrically([], 2), 0);
  t.is(splitGeometrically([5], 2), 0);
  t.is(splitGeometrically([1, 2, 4, 8], 2), 0);
  t.is(splitGeometrically([1, 1, 4, 8], 2), 2);
  t.is(splitGeometrically([4, 4, 8, 100], 2), 3);
  t.is(splitGeometrically([3, 10, 11, 12], 2), 4);
});

test('update-server-info writes what git writes', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeRepository(t, 'sha1', fixture);
  const files = ['.git/info/refs', '.git/objects/info/packs'].map((path) => join(repository, path));
  t.is((await cairn(['update-server-info', '-f'], { cwd: repository })).code, 0);
  const ours = files.map((path) => readFileSync(path, 'utf8').split('\n').sort());
  gitOutput(['update-server-info', '-f'], { cwd: repository });
  t.deepEqual(ours, files.map((path) => readFileSync(path, 'utf8').split('\n').sort()));
});

test('what grafts hide is packed as well, and not lost', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeRepository(t, 'sha1', `${fixture}
    git rev-parse HEAD~1 > .git/info/grafts`);
  const copy = join(makeSandbox(t), 'copy');
  cpSync(repository, copy, { recursive: true, preserveTimestamps: true });
  t.is(git(['repack', '-adq'], { cwd: copy }).code, 0);
  t.is((await cairn(['repack', '-adq'], { cwd: repository, nowMs: Date.now() })).code, 0);
  t.deepEqual(packs(repository), packs(copy));
});
