// Packs cairn writes hold the objects git's hold for the same request, and stock git accepts every one of them.
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { mkdtempSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { cairn } from '../../helpers/cairn.js';
import { type Format, bothFormats, makeRepository, recordCase } from '../../helpers/differential.js';
import { makeSandbox } from '../../helpers/sandbox.js';
import { git, gitOutput, skipWithoutGit } from '../../helpers/stock-git.js';

const fixture = `
  for i in 1 2 3 4; do mkdir -p d/e/f; seq $i 300 >a; seq 1 $((200+i)) >d/b; seq $((i*3)) 100 >d/e/c; echo $i > d/e/f/g; git add -A; git commit -qm c$i; done
  git tag light; git tag -a -m x ann; git tag -a -m y nested ann; git tag -a -m b btag HEAD:a
  git repack -adq
  git checkout -q -b side HEAD~2; echo s >s; cp d/b bcopy; git add -A; git commit -qm side; git tag -a -m side sidetag
  git repack -dq; ls .git/objects/pack/*.pack | head -1 | sed 's/pack$/keep/' | xargs touch
  git checkout -q main; git merge -q -m m side; cp a d/acopy; git add -A; git commit -qm copy
  echo staged >st; git add st; echo dangling | git hash-object -w --stdin; git reflog expire --expire=all refs/heads/side; git branch -qD side
  echo packed | git hash-object -w --stdin | git pack-objects -q .git/objects/pack/pack
`;

interface Request {
  readonly argv: readonly string[];
  readonly stdin?: string;
}

/** Ids in a pack, told by stock git, which checks it while indexing; a thin one is completed from the repository. */
function idsIn(t: ExecutionContext, repository: string, format: Format, pack: Buffer, label: string): string[] {
  const count = pack.readUInt32BE(8);
  if (count === 0) return [];
  const bare = mkdtempSync(join(makeSandbox(t), 'x'));
  gitOutput(['init', '-q', '--bare', `--object-format=${format}`, bare], { cwd: '/' });
  const env = { GIT_ALTERNATE_OBJECT_DIRECTORIES: join(repository, '.git/objects') };
  const indexed = git(['index-pack', '--strict', '--fix-thin', '--stdin'], { cwd: bare, stdin: pack, env });
  t.is(indexed.code, 0, `${label}: ${indexed.stderr}`);
  const index = readdirSync(join(bare, 'objects/pack')).find((name) => name.endsWith('.idx'))!;
  return gitOutput(['show-index'], { cwd: bare, stdin: readFileSync(join(bare, 'objects/pack', index)) }).split('\n').map((line) => line.split(' ')[1]!).sort();
}

async function compare(t: ExecutionContext, repository: string, format: Format, { argv, stdin = '' }: Request): Promise<void> {
  const label = `pack-objects ${argv.join(' ')} <${JSON.stringify(stdin)}`;
  const theirs = git(['pack-objects', ...argv], { cwd: repository, stdin });
  const ours = await cairn(['pack-objects', ...argv], { cwd: repository, stdin });
  recordCase(['pack-objects', ...argv]);
  t.is(ours.code, theirs.code, `${label}: ${ours.stderr}`);
  if (theirs.code !== 0 || theirs.stdoutBytes.length === 0) {
    t.is(ours.stdout.length, theirs.stdout.length, label);
    return;
  }
  t.is(ours.stdoutBytes.readUInt32BE(8), theirs.stdoutBytes.readUInt32BE(8), `${label}: number of objects`);
  // What a thin pack is completed with depends on the bases that were chosen.
  const expected = idsIn(t, repository, format, theirs.stdoutBytes, label);
  const actual = idsIn(t, repository, format, ours.stdoutBytes, label);
  if (!argv.includes('--thin')) t.deepEqual(actual, expected, label);
}

for (const format of bothFormats) {
  test(`the objects asked for are packed, no more and no fewer (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    const repository = makeRepository(t, format, fixture);
    const [head, tree, blob, tag] = gitOutput(['rev-parse', 'HEAD', 'HEAD^{tree}', 'HEAD:a', 'nested'], { cwd: repository }).split('\n');
    const requests: Request[] = [
      { argv: [] }, { argv: ['--non-empty'] }, { argv: [], stdin: `${head}\n${tree}\n${blob} a\n${blob} b\n` },
      { argv: [], stdin: `-${head}\n${blob} a\n` }, { argv: [], stdin: 'xyz\n' }, { argv: [], stdin: `${'1'.repeat(head!.length)}\n` },
      { argv: ['--revs'], stdin: 'HEAD\n--not\nHEAD~2\n' }, { argv: ['--revs'], stdin: 'HEAD\n\n^HEAD~1\n' }, { argv: ['--revs'], stdin: '--all\n' },
      { argv: ['--revs'], stdin: 'nosuch\n' }, { argv: ['--revs', '--thin'], stdin: 'HEAD~2..HEAD\n' },
      { argv: ['--thin', '--delta-base-offset'], stdin: 'HEAD\n^HEAD~1\n' }, { argv: ['--revs', '--include-tag'], stdin: 'HEAD~1\n' },
      { argv: ['--revs'], stdin: `${tag}\n^HEAD~3\n` }, { argv: ['--revs'], stdin: `${tree}\n${blob}\n` }, { argv: ['--revs'], stdin: 'HEAD:\n^HEAD~1\n' },
      { argv: ['--all', '--reflog', '--indexed-objects'] }, { argv: ['--indexed-objects'] }, { argv: ['--all', '--unpacked', '--incremental'] },
      { argv: ['--all', '--unpacked'] }, { argv: ['--all', '--honor-pack-keep'] }, { argv: ['--all', '--local', '--window=0'] },
      { argv: ['--all', '--reuse-delta', '--threads=2', '--progress', '--all-progress', '--all-progress-implied'] }, { argv: ['--all', '--sparse', '--use-bitmap-index'] },
      { argv: ['--revs', '--shallow', '--keep-true-parents'], stdin: 'HEAD\n' }, { argv: ['--all', '--missing=allow-any', '--window-memory=1m'] },
      { argv: ['--all', '--unpack-unreachable'] }, { argv: ['--all', '--unpack-unreachable=now'] },
      { argv: ['--all', '--no-reuse-object', '--compression=9', '--depth=1'] }, { argv: ['--all', '--keep-unreachable', '--pack-loose-unreachable'] },
    ];
    for (const request of requests) await compare(t, repository, format, { ...request, argv: ['--stdout', '-q', ...request.argv] });
  });

  test(`filters leave out what git's leave out (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    const repository = makeRepository(t, format, fixture);
    for (const spec of ['blob:none', 'blob:limit=0', 'blob:limit=100', 'blob:limit=1k', 'tree:0', 'tree:1', 'tree:2', 'tree:3', 'object:type=tag', 'object:type=commit',
      'object:type=tree', 'object:type=blob', 'combine:blob:none+tree:2', 'combine:tree:3+blob:limit=50', 'blob:some']) {
      await compare(t, repository, format, { argv: ['--stdout', '-q', '--all', `--filter=${spec}`] });
    }
    await compare(t, repository, format, { argv: ['--stdout', '-q', '--revs', '--filter=blob:none'], stdin: 'HEAD\n^HEAD~1\n' });
  });

  test(`whole packs, and what nobody reaches, are packed by their names (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    const repository = makeRepository(t, format, fixture);
    for (const name of readdirSync(join(repository, '.git/objects/pack')).filter((file) => file.endsWith('.pack'))) {
      for (const stdin of [`${name}\n`, `^${name}\n`]) await compare(t, repository, format, { argv: ['--stdout', '-q', '--stdin-packs', '--unpacked'], stdin });
      for (const stdin of [`${name}\n`, `-${name}\n`]) {
        await compare(t, repository, format, { argv: ['--stdout', '-q', '--cruft'], stdin });
        await compare(t, repository, format, { argv: ['--stdout', '-q', '--cruft', '--cruft-expiration=now'], stdin });
      }
      await compare(t, repository, format, { argv: ['--stdout', '-q', '--stdin-packs'], stdin: `${name}\n` });
      await compare(t, repository, format, { argv: ['--stdout', '-q', '--all', `--keep-pack=${name}`] });
    }
    await compare(t, repository, format, { argv: ['--stdout', '--stdin-packs'], stdin: 'pack-none.pack\n' });
  });
}

test('combinations that make no sense are refused as git refuses them', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeRepository(t, 'sha1', fixture);
  for (const argv of [[], ['a', 'b'], ['--stdout', 'a'], ['--thin', 'a'], ['--filter=blob:none', '--all', 'a'], ['--stdout', '--all', '--max-pack-size=1m'],
    ['--stdout', '--all', '--window=x'], ['--stdout', '--all', '--window-memory=x'], ['--stdout', '--all', '--compression=10'], ['--stdout', '--all', '--index-version=3'],
    ['--stdout', '--all', '--keep-unreachable', '--unpack-unreachable'], ['--stdout', '--stdin-packs', '--all'], ['--stdout', '--cruft', '--all'], ['--stdout', '--all', '--missing=x']]) {
    const theirs = git(['pack-objects', ...argv], { cwd: repository });
    const ours = await cairn(['pack-objects', ...argv], { cwd: repository });
    recordCase(['pack-objects', ...argv]);
    t.is(ours.code, theirs.code, argv.join(' '));
  }
});

test('files appear under the base name, with all that belongs to them, and no larger than asked for', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeRepository(t, 'sha256', `
    git config pack.writeReverseIndex true
    for i in 1 2 3 4 5 6; do head -c 400000 /dev/urandom >file$i; done; git add -A; git commit -qm x`);
  const out = makeSandbox(t);
  const whole = await cairn(['pack-objects', '-q', '--all', '--index-version=1', join(out, 'one')], { cwd: repository });
  const id = whole.stdout.trim();
  t.deepEqual(readdirSync(out).sort(), ['idx', 'pack', 'rev'].map((suffix) => `one-${id}.${suffix}`));
  gitOutput(['verify-pack', join(out, `one-${id}.pack`)], { cwd: repository });
  const parts = await cairn(['pack-objects', '-q', '--all', '--max-pack-size=1m', join(out, 'part')], { cwd: repository });
  const ids = parts.stdout.trim().split('\n');
  t.is(ids.length, git(['pack-objects', '-q', '--all', '--max-pack-size=1m', join(out, 'theirs')], { cwd: repository }).stdout.trim().split('\n').length);
  for (const part of ids) {
    t.true(readFileSync(join(out, `part-${part}.pack`)).length <= 1024 * 1024);
    gitOutput(['verify-pack', join(out, `part-${part}.pack`)], { cwd: repository });
  }
});

test('a stored delta that is damaged is not taken over', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeRepository(t, 'sha1', 'seq 1 4000 >a; git add a; git commit -qm 1; seq 2 4000 >a; git commit -qam 2; git repack -adfq');
  const directory = join(repository, '.git/objects/pack');
  const path = join(directory, readdirSync(directory).find((name) => name.endsWith('.pack'))!);
  const bytes = readFileSync(path);
  bytes[bytes.length - 30]! ^= 0x40;
  const { chmodSync, writeFileSync } = await import('node:fs');
  chmodSync(path, 0o644);
  writeFileSync(path, bytes);
  const result = await cairn(['pack-objects', '-q', '--all', '--stdout'], { cwd: repository });
  t.is(result.code, 128);
  t.regex(result.stderr, /damaged/);
});

test('parents that grafts hide are packed when they are to be kept', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeRepository(t, 'sha1', `
    for i in 1 2 3 4; do echo $i > file; git add file; git commit -qm "change $i"; done
    other=$(git commit-tree -m other HEAD^{tree})
    printf '%s\\n%s %s\\n' "$(git rev-parse HEAD~2)" "$(git rev-parse HEAD)" $other > .git/info/grafts`);
  for (const argv of [[], ['--keep-true-parents'], ['--no-keep-true-parents']]) {
    await compare(t, repository, 'sha1', { argv: ['--stdout', '-q', '--all', ...argv] });
  }
});
