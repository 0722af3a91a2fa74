import test, { type ExecutionContext } from 'ava';
import { appendFileSync, chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConflictError, LockedError } from '../../pack/errors.js';
import type { ObjectId } from '../../pack/oid.js';
import { formatIdentity, identifyProcess } from '../../plumbing/process-identity.js';
import { Repository } from '../../plumbing/repository.js';
import { applyGc, planGc } from '../../porcelain/gc.js';
import { MaintenanceLock } from '../../porcelain/leases.js';
import { cairn, cairnOutput, makeContext } from '../helpers/cairn.js';
import { bothFormats, compareWithGit, makeRepository, type Format } from '../helpers/differential.js';
import { writeFiles } from '../helpers/sandbox.js';
import { git, gitOutput, runProgram, skipWithoutGit } from '../helpers/stock-git.js';

const day = 86_400_000;

/** Three commits, one of them packed, and a tag. */
function makeHistory(t: ExecutionContext, format: Format = 'sha1'): string {
  return makeRepository(t, format, `
    mkdir dir
    for i in 1 2; do echo "line $i" >>file; echo $i >dir/$i; git add -A; git commit -qm "commit $i"; done
    git repack -adq
    echo 3 >>file; git add -A; git commit -qm 'commit 3'; git tag -am release v1
  `);
}

/** An object nobody needs, of that age; its id. */
function orphan(repository: string, text: string, ageMs: number): string {
  const id = gitOutput(['hash-object', '-w', '--stdin'], { cwd: repository, stdin: text });
  setAge(loosePath(repository, id), ageMs);
  return id;
}

function loosePath(repository: string, id: string): string {
  return join(repository, '.git/objects', id.slice(0, 2), id.slice(2));
}

function setAge(path: string, ageMs: number): void {
  const seconds = (Date.now() - ageMs) / 1000;
  utimesSync(path, seconds, seconds);
}

function ageEverything(directory: string, ageMs: number): void {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) ageEverything(path, ageMs);
    else setAge(path, ageMs);
  }
}

async function gc(repository: string, ...options: readonly string[]): Promise<string> {
  return cairnOutput(['gc', ...options], { cwd: repository, nowMs: Date.now() });
}

function isThere(repository: string, id: string): boolean {
  return git(['cat-file', '-e', id], { cwd: repository }).code === 0;
}

function isSound(t: ExecutionContext, repository: string): void {
  const check = git(['fsck', '--full', '--strict'], { cwd: repository });
  t.is(check.code, 0, check.stderr);
}

for (const format of bothFormats) {
  test(`gc leaves one pack of everything reachable, which git accepts (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    const repository = makeHistory(t, format);
    const before = gitOutput(['rev-list', '--objects', '--all'], { cwd: repository });
    const report = JSON.parse(await gc(repository, '--json'));
    t.is(gitOutput(['rev-list', '--objects', '--all'], { cwd: repository }), before);
    t.is(report.packed.objects, before.split('\n').length);
    t.is(report.kept.objects, report.packed.objects);
    t.is(report.expired.objects, 0);
    const counts = gitOutput(['count-objects', '-v'], { cwd: repository });
    t.regex(counts, /^count: 0\n/);
    t.regex(counts, /\npacks: 1\n/);
    t.regex(counts, /\ngarbage: 0\n/);
    isSound(t, repository);
    t.deepEqual(readdirSync(join(repository, '.git/objects')).sort(), ['info', 'pack']);
    const again = JSON.parse(await gc(repository, '--json'));
    t.deepEqual([again.packed.objects, again.removed], [0, { packs: 0, looseObjects: 0, leftovers: 0, bytes: 0 }], 'nothing is left to do');
  });
}

test('unreachable objects stay for their grace, in a cruft pack that git reads, and then go', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeHistory(t);
  const young = orphan(repository, 'young', 5 * day);
  const old = orphan(repository, 'old', 15 * day);
  const report = JSON.parse(await gc(repository, '--json'));
  t.deepEqual([report.cruft.objects, report.expired.objects, report.kept.by.young.objects], [1, 1, 1]);
  t.true(isThere(repository, young));
  t.false(isThere(repository, old));
  isSound(t, repository);
  const cruft = readdirSync(join(repository, '.git/objects/pack')).find((name) => name.endsWith('.mtimes'));
  t.truthy(cruft);
  const shown = gitOutput(['show-index'], { cwd: repository, stdin: readFileSync(join(repository, '.git/objects/pack', cruft!.replace('.mtimes', '.idx'))) });
  t.regex(shown, new RegExp(young));
  // The new pack files are new; the object in them is not.
  await cairnOutput(['gc', '-q'], { cwd: repository, nowMs: Date.now() + 8 * day });
  t.true(isThere(repository, young));
  await cairnOutput(['gc', '-q'], { cwd: repository, nowMs: Date.now() + 10 * day });
  t.false(isThere(repository, young));
  isSound(t, repository);
});

test('a cruft pack made by git keeps its ages', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeHistory(t);
  const young = orphan(repository, 'young', 5 * day);
  const old = orphan(repository, 'old', 15 * day);
  gitOutput(['repack', '--cruft', '-dq'], { cwd: repository });
  await gc(repository, '-q');
  t.true(isThere(repository, young));
  t.false(isThere(repository, old));
});

test('what a young object names stays, however old it is', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeHistory(t);
  const blob = orphan(repository, 'old content of a new tree', 100 * day);
  const tree = gitOutput(['mktree'], { cwd: repository, stdin: `100644 blob ${blob}\tname\n` });
  await gc(repository, '-q');
  t.true(isThere(repository, blob));
  t.is(gitOutput(['cat-file', '-p', tree], { cwd: repository }), `100644 blob ${blob}\tname`);
  t.regex(await gc(repository, '--explain', blob), new RegExp(`kept by age of '${tree}'`));
});

test('writing an object that is about to expire makes it young again', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeHistory(t);
  const ids = ['loose', 'in cruft'].map((text) => orphan(repository, text, 13 * day));
  await gc(repository, '-q');
  for (const text of ['loose', 'in cruft']) await cairnOutput(['hash-object', '-w', '--stdin'], { cwd: repository, stdin: text });
  await cairnOutput(['gc', '-q'], { cwd: repository, nowMs: Date.now() + 5 * day });
  for (const id of ids) t.true(isThere(repository, id));
});

/** For each kind of root a way to make it the only thing that keeps one blob. */
const keepers: Readonly<Record<string, (repository: string, blob: string, commit: string) => void>> = {
  'a branch': (repository, _blob, commit) => { gitOutput(['update-ref', 'refs/heads/other', commit], { cwd: repository }); },
  'a packed ref': (repository, _blob, commit) => {
    gitOutput(['update-ref', 'refs/heads/other', commit], { cwd: repository });
    gitOutput(['pack-refs', '--all'], { cwd: repository });
  },
  'a tag of a blob': (repository, blob) => { gitOutput(['tag', '-am', 'blob', 'blob-tag', blob], { cwd: repository }); },
  'a run': (repository, _blob, commit) => { gitOutput(['update-ref', 'refs/runs/20260101T000000', commit], { cwd: repository }); },
  'a hold': (repository, _blob, commit) => { gitOutput(['update-ref', 'refs/holds/audit', commit], { cwd: repository }); },
  'a replacement': (repository, blob) => {
    const readme = gitOutput(['rev-parse', 'HEAD:file'], { cwd: repository });
    gitOutput(['replace', readme, blob], { cwd: repository });
  },
  'what is replaced': (repository, blob) => {
    writeFiles(repository, { kept: 'the kept content' });
    gitOutput(['add', 'kept'], { cwd: repository });
    gitOutput(['commit', '-qm', 'kept'], { cwd: repository });
    gitOutput(['replace', blob, gitOutput(['rev-parse', 'HEAD:file'], { cwd: repository })], { cwd: repository });
  },
  'the stash': (repository) => {
    writeFiles(repository, { kept: 'the kept content' });
    gitOutput(['add', 'kept'], { cwd: repository });
    gitOutput(['stash', '-q'], { cwd: repository });
  },
  'a note': (repository, blob) => { gitOutput(['notes', 'add', '-C', blob, 'HEAD'], { cwd: repository }); },
  'the index': (repository, blob) => { gitOutput(['update-index', '--add', '--cacheinfo', `100644,${blob},kept`], { cwd: repository }); },
  'an unmerged entry of the index': (repository, blob) => {
    gitOutput(['update-index', '--index-info'], { cwd: repository, stdin: `100644 ${blob} 1\tkept\n` });
  },
  'an index being written': (repository, blob) => {
    gitOutput(['update-index', '--add', '--cacheinfo', `100644,${blob},kept`], { cwd: repository, env: { GIT_INDEX_FILE: '.git/index.lock' } });
  },
  'the index of a linked work tree': (repository, blob) => {
    gitOutput(['worktree', 'add', '-q', '--detach', '../linked'], { cwd: repository });
    gitOutput(['update-index', '--add', '--cacheinfo', `100644,${blob},kept`], { cwd: join(repository, '../linked') });
  },
  'the HEAD of a linked work tree': (repository, _blob, commit) => {
    gitOutput(['worktree', 'add', '-q', '--detach', '../linked', commit], { cwd: repository });
    gitOutput(['read-tree', '--empty'], { cwd: join(repository, '../linked') });
  },
  'a bisection in a linked work tree': (repository, _blob, commit) => {
    gitOutput(['worktree', 'add', '-q', '--detach', '../linked'], { cwd: repository });
    gitOutput(['update-ref', 'refs/bisect/bad', commit], { cwd: join(repository, '../linked') });
  },
  'a detached HEAD': (repository, _blob, commit) => {
    gitOutput(['update-ref', '--no-deref', 'HEAD', commit], { cwd: repository });
    rmSync(join(repository, '.git/logs/HEAD'));
  },
  'a reflog entry': (repository, _blob, commit) => {
    gitOutput(['update-ref', 'refs/heads/main', commit], { cwd: repository });
    gitOutput(['update-ref', 'refs/heads/main', `${commit}~`], { cwd: repository });
  },
  'the old id of a reflog entry': (repository, _blob, commit) => {
    const head = gitOutput(['rev-parse', 'HEAD'], { cwd: repository });
    writeFileSync(join(repository, '.git/logs/refs/heads/main'), `${commit} ${head} A <a@b> 1 +0000\tmoved\n`);
  },
  'the reflog of a ref that is gone': (repository, _blob, commit) => {
    mkdirSync(join(repository, '.git/logs/refs/heads/gone'), { recursive: true });
    writeFileSync(join(repository, '.git/logs/refs/heads/gone/branch'), `${'0'.repeat(40)} ${commit} A <a@b> 1 +0000\tmade\n`);
  },
  'the torn end of a reflog': (repository, _blob, commit) => { appendFileSync(join(repository, '.git/logs/HEAD'), `${'0'.repeat(40)} ${commit} A <a`); },
  'a merge in progress': (repository, _blob, commit) => { writeFileSync(join(repository, '.git/MERGE_HEAD'), `${commit}\n`); },
  'what was fetched': (repository, _blob, commit) => { writeFileSync(join(repository, '.git/FETCH_HEAD'), `${commit}\tnot-for-merge\tbranch 'x' of y\n`); },
  'a cherry-pick in progress': (repository, _blob, commit) => { writeFileSync(join(repository, '.git/CHERRY_PICK_HEAD'), `${commit}\n`); },
  'a revert in progress': (repository, _blob, commit) => { writeFileSync(join(repository, '.git/REVERT_HEAD'), `${commit}\n`); },
  'where HEAD was': (repository, _blob, commit) => { writeFileSync(join(repository, '.git/ORIG_HEAD'), `${commit}\n`); },
  'an automatic merge': (repository, _blob, commit) => { writeFileSync(join(repository, '.git/AUTO_MERGE'), `${gitOutput(['rev-parse', `${commit}^{tree}`], { cwd: repository })}\n`); },
  'a rebase in progress': (repository, _blob, commit) => {
    writeFiles(join(repository, '.git'), { 'rebase-merge/git-rebase-todo': `pick ${commit.slice(0, 9)} a message\n` });
  },
  'a sequence in progress': (repository, _blob, commit) => { writeFiles(join(repository, '.git'), { 'sequencer/todo': `pick ${commit} a message\n` }); },
  'a ref being written': (repository, _blob, commit) => { writeFileSync(join(repository, '.git/refs/heads/next.lock'), `${commit}\n`); },
  'a receipt': (repository, _blob, commit) => { gitOutput(['update-ref', `refs/cairn/receipts/${commit}`, commit], { cwd: repository }); },
  'an entry of the stash below the newest': (repository) => {
    for (const content of ['the kept content', 'newer']) {
      writeFiles(repository, { kept: content });
      gitOutput(['add', 'kept'], { cwd: repository });
      gitOutput(['stash', '-q'], { cwd: repository });
    }
  },
  'a patch series in progress': (repository, _blob, commit) => { writeFiles(join(repository, '.git'), { 'rebase-apply/abort-safety': `${commit}\n` }); },
  'where HEAD was in a linked work tree': (repository, _blob, commit) => {
    gitOutput(['worktree', 'add', '-q', '--detach', '../linked'], { cwd: repository });
    writeFileSync(join(repository, '.git/worktrees/linked/ORIG_HEAD'), `${commit}\n`);
  },
  'the reflog of a linked work tree': (repository, _blob, commit) => {
    gitOutput(['worktree', 'add', '-q', '--detach', '../linked'], { cwd: repository });
    gitOutput(['update-ref', 'HEAD', commit], { cwd: join(repository, '../linked') });
    gitOutput(['update-ref', 'HEAD', `${commit}~`], { cwd: join(repository, '../linked') });
  },
  'a ref of a linked work tree': (repository, _blob, commit) => {
    gitOutput(['worktree', 'add', '-q', '--detach', '../linked'], { cwd: repository });
    gitOutput(['update-ref', 'refs/worktree/kept', commit], { cwd: join(repository, '../linked') });
  },
  'a graft': (repository, _blob, commit) => {
    writeFileSync(join(repository, '.git/info/grafts'), `${gitOutput(['rev-parse', 'HEAD'], { cwd: repository })} ${commit}\n`);
  },
};

for (const [what, keep] of Object.entries(keepers)) {
  test(`an object stays that only ${what} keeps`, async (t) => {
    if (skipWithoutGit(t)) return;
    const repository = makeHistory(t);
    const blob = orphan(repository, 'the kept content', 0);
    const lost = orphan(repository, 'the lost content', 0);
    const tree = gitOutput(['mktree'], { cwd: repository, stdin: `100644 blob ${blob}\tname\n` });
    const commit = gitOutput(['commit-tree', '-p', 'HEAD', '-m', 'kept', tree], { cwd: repository });
    keep(repository, blob, commit);
    ageEverything(join(repository, '.git/objects'), 100 * day);
    await gc(repository, '-q');
    t.true(isThere(repository, blob));
    t.false(isThere(repository, lost), 'gc did remove what nothing keeps');
    const explained = await gc(repository, '--explain', blob);
    t.regex(explained, /^kept by (?:(ref|release|run|index|reflog|operation in progress) '|hold audit: no reason is recorded$)/);
  });
}

test('a linked work tree whose making was cut short, its HEAD still all zeros, is in the way of nothing', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeHistory(t);
  const kept = gitOutput(['rev-parse', 'HEAD'], { cwd: repository });
  gitOutput(['worktree', 'add', '-q', '--detach', '../linked'], { cwd: repository });
  writeFileSync(join(repository, '.git/worktrees/linked/HEAD'), `${'0'.repeat(40)}\n`);
  for (const argv of [['verify', '-q'], ['gc', '-q', '--grace=0'], ['repack', '-adq'], ['prune'], ['fsck']]) {
    const { code, stderr } = await cairn(argv, { cwd: repository });
    t.is(code, 0, `${argv.join(' ')}: ${stderr}`);
  }
  t.true(isThere(repository, kept));
});

/** Roots that cannot be read: gc says which, and deletes nothing. */
const damages: Readonly<Record<string, { readonly names: RegExp; readonly damage: (gitDirectory: string) => void }>> = {
  'an empty ref': { names: /refs\/heads\/main/, damage: (directory) => { writeFileSync(join(directory, 'refs/heads/main'), ''); } },
  'a garbled ref': { names: /refs\/tags\/v1/, damage: (directory) => { writeFileSync(join(directory, 'refs/tags/v1'), 'nonsense\n'); } },
  'a garbled packed-refs': { names: /packed-refs/, damage: (directory) => { writeFileSync(join(directory, 'packed-refs'), 'nonsense\n'); } },
  'a garbled index': { names: /index/, damage: (directory) => { writeFileSync(join(directory, 'index'), 'DIRCnonsense'); } },
  'a garbled reflog': { names: /reflog of HEAD/, damage: (directory) => { writeFileSync(join(directory, 'logs/HEAD'), 'nonsense\n'); } },
  'an empty MERGE_HEAD': { names: /MERGE_HEAD/, damage: (directory) => { writeFileSync(join(directory, 'MERGE_HEAD'), ''); } },
  'a garbled shallow file': { names: /shallow/, damage: (directory) => { writeFileSync(join(directory, 'shallow'), 'nonsense\n'); } },
  'a ref to a missing object': {
    names: /refs\/heads\/lost/, damage: (directory) => { writeFileSync(join(directory, 'refs/heads/lost'), `${'12'.repeat(20)}\n`); },
  },
  'a damaged pack': {
    names: /pack-/,
    damage: (directory) => {
      const name = readdirSync(join(directory, 'objects/pack')).find((file) => file.endsWith('.idx'))!;
      chmodSync(join(directory, 'objects/pack', name), 0o644);
      writeFileSync(join(directory, 'objects/pack', name), 'nonsense');
    },
  },
};

for (const [what, { names, damage }] of Object.entries(damages)) {
  test(`gc names ${what} and deletes nothing`, async (t) => {
    if (skipWithoutGit(t)) return;
    const repository = makeHistory(t);
    const old = orphan(repository, 'old', 100 * day);
    damage(join(repository, '.git'));
    const before = readdirSync(join(repository, '.git/objects'), { recursive: true }).sort();
    const result = await cairn(['gc'], { cwd: repository, nowMs: Date.now() });
    t.is(result.code, 6, result.stderr);
    t.regex(result.stderr, names);
    t.deepEqual(readdirSync(join(repository, '.git/objects'), { recursive: true }).sort(), before);
    t.true(existsSync(loosePath(repository, old)));
  });
}

test('an object missing behind a ref stops gc; behind a reflog it does not', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeHistory(t);
  const head = gitOutput(['rev-parse', 'HEAD'], { cwd: repository });
  writeFileSync(join(repository, '.git/logs/HEAD'), `${'12'.repeat(20)} ${head} A <a@b> 1 +0000\tcame from nowhere\n`);
  t.is((await cairn(['gc', '-q'], { cwd: repository, nowMs: Date.now() })).code, 0);
  const blob = gitOutput(['hash-object', '-w', 'file'], { cwd: repository, stdin: '' });
  writeFiles(repository, { more: 'more' });
  gitOutput(['add', 'more'], { cwd: repository });
  gitOutput(['commit', '-qm', 'more'], { cwd: repository });
  t.true(isThere(repository, blob));
  rmSync(loosePath(repository, gitOutput(['rev-parse', 'HEAD:more'], { cwd: repository })));
  const result = await cairn(['gc'], { cwd: repository, nowMs: Date.now() });
  t.is(result.code, 6);
  t.regex(result.stderr, /is missing/);
});

test('a damaged packed object is packed anew from a good loose copy', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeRepository(t, 'sha1', 'head -c 4000 /dev/urandom >file; git add -A; git commit -qm one; git repack -adq');
  const blob = gitOutput(['rev-parse', 'HEAD:file'], { cwd: repository });
  const packs = join(repository, '.git/objects/pack');
  const pack = join(packs, readdirSync(packs).find((name) => name.endsWith('.pack'))!);
  const bytes = readFileSync(pack);
  bytes[bytes.length - 2000]! ^= 1;
  chmodSync(pack, 0o644);
  writeFileSync(pack, bytes);
  t.is((await cairn(['gc', '-q'], { cwd: repository, nowMs: Date.now() })).code, 0, 'one pack that holds all is not read');
  writeFiles(repository, { other: 'other' });
  gitOutput(['add', '.'], { cwd: repository });
  const refused = await cairn(['gc', '-q'], { cwd: repository, nowMs: Date.now() });
  t.is(refused.code, 6, refused.stderr);
  t.true(existsSync(pack));
  t.is(readdirSync(packs).filter((name) => name.endsWith('.pack')).length, 1, 'the pack that could not be completed is taken back');
  await cairnOutput(['hash-object', '-w', 'file'], { cwd: repository });
  await gc(repository, '-q');
  t.is(gitOutput(['cat-file', '-s', blob], { cwd: repository }), '4000');
  isSound(t, repository);
});

test('a loose object stays while the packed copy is damaged', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeRepository(t, 'sha1', 'head -c 4000 /dev/urandom >file; git add -A; git commit -qm one; git repack -aq');
  const blob = gitOutput(['rev-parse', 'HEAD:file'], { cwd: repository });
  const packs = join(repository, '.git/objects/pack');
  const pack = join(packs, readdirSync(packs).find((name) => name.endsWith('.pack'))!);
  const bytes = readFileSync(pack);
  bytes[bytes.length - 2000]! ^= 1;
  chmodSync(pack, 0o644);
  writeFileSync(pack, bytes);
  t.is((await cairn(['prune-packed'], { cwd: repository })).code, 0);
  t.true(existsSync(loosePath(repository, blob)));
  await gc(repository, '-q');
  t.is(gitOutput(['cat-file', '-s', blob], { cwd: repository }), '4000');
});

test('a pack with a .keep file is not touched, nor is what is in it packed again', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeHistory(t);
  const packs = join(repository, '.git/objects/pack');
  const name = readdirSync(packs).find((file) => file.endsWith('.pack'))!.slice(0, -5);
  writeFileSync(join(packs, `${name}.keep`), '');
  const inPack = gitOutput(['show-index'], { cwd: repository, stdin: readFileSync(join(packs, `${name}.idx`)) }).split('\n').length;
  const all = gitOutput(['rev-list', '--objects', '--all'], { cwd: repository }).split('\n').length;
  const report = JSON.parse(await gc(repository, '--json'));
  t.true(existsSync(join(packs, `${name}.pack`)));
  t.is(report.packed.objects, all - inPack);
  isSound(t, repository);
});

test('commits below a shallow boundary are not missed', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeHistory(t);
  const clone = join(repository, '../clone');
  gitOutput(['clone', '-q', '--depth=1', `file://${repository}`, clone], { cwd: repository });
  await gc(clone, '-q');
  isSound(t, clone);
});

test('objects of an alternate are neither packed nor removed', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeHistory(t);
  const clone = join(repository, '../clone');
  gitOutput(['clone', '-q', '--shared', repository, clone], { cwd: repository });
  writeFiles(clone, { own: 'own' });
  gitOutput(['add', 'own'], { cwd: clone });
  gitOutput(['commit', '-qm', 'own'], { cwd: clone });
  const before = gitOutput(['count-objects', '-v'], { cwd: repository });
  const report = JSON.parse(await gc(clone, '--json'));
  t.is(report.packed.objects, 3);
  t.is(gitOutput(['count-objects', '-v'], { cwd: repository }), before);
  isSound(t, clone);
});

test('temporary files go when they are old, and stay for an hour whatever the grace', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeHistory(t);
  const objects = join(repository, '.git/objects');
  writeFiles(objects, { 'pack/tmp_pack_old': 'x', 'pack/tmp_pack_new': 'x', tmp_obj_old: 'x', '17/tmp_obj_old': 'x', 'pack/pack-1234.pack': 'x' });
  for (const path of ['pack/tmp_pack_old', 'tmp_obj_old', '17/tmp_obj_old', 'pack/pack-1234.pack']) setAge(join(objects, path), 2 * 3_600_000);
  const report = JSON.parse(await gc(repository, '--json', '--grace=0'));
  t.is(report.removed.leftovers, 4);
  t.true(existsSync(join(objects, 'pack/tmp_pack_new')));
  t.false(existsSync(join(objects, '17')));
});

test('a dry run says what would be done and does nothing', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeHistory(t);
  const old = orphan(repository, 'old', 15 * day);
  const before = readdirSync(join(repository, '.git'), { recursive: true }).sort();
  const text = await gc(repository, '--dry-run');
  t.regex(text, new RegExp(`${old} last used `));
  t.regex(text, /^would remove pack-/m);
  const json = JSON.parse(await gc(repository, '--dry-run', '--json'));
  t.deepEqual([json.dryRun, json.expired.objects, json.expiredObjects[0].id], [true, 1, old]);
  t.deepEqual(readdirSync(join(repository, '.git'), { recursive: true }).sort(), before);
});

test('--explain tells until when an unreachable object stays', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeHistory(t);
  t.regex(await gc(repository, '--explain', 'HEAD~1'), /^kept by ref 'refs\/heads\/main'\nkept by reflog 'reflog of HEAD'$/);
  const young = orphan(repository, 'young', 5 * day);
  t.regex(await gc(repository, '--explain', young), /kept by age until /);
  t.regex(await gc(repository, '--explain', young, '--grace', '1d'), /the next gc removes it/);
  const json = JSON.parse(await gc(repository, '--explain', young, '--json', '--grace=never'));
  t.deepEqual([json.keptBy, json.expiresAt, json.graceMs], [[], null, null]);
  t.is((await cairn(['gc', '--explain', '12'.repeat(20)], { cwd: repository })).code, 2);
});

test('--auto does nothing until enough has piled up, and asks the hook before', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeHistory(t);
  t.is(await gc(repository, '--auto'), '');
  t.false(existsSync(join(repository, '.git/cairn')));
  mkdirSync(join(repository, '.git/objects/17'), { recursive: true });
  for (let number = 0; number < 3; number += 1) writeFileSync(join(repository, `.git/objects/17/${String(number).padStart(38, '0')}`), '');
  gitOutput(['config', 'gc.auto', '300'], { cwd: repository });
  writeFileSync(join(repository, '.git/hooks/pre-auto-gc'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
  t.is(await gc(repository, '--auto'), '', 'the hook said no');
  rmSync(join(repository, '.git/hooks/pre-auto-gc'));
  t.regex(await gc(repository, '--auto'), /^kept /);
  gitOutput(['config', 'gc.auto', '0'], { cwd: repository });
  t.is(await gc(repository, '--auto'), '');
});

test('a second gc is refused while one runs; the lock of a dead one is taken over', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeHistory(t);
  const lock = join(repository, '.git/cairn/maintenance.lock');
  mkdirSync(lock, { recursive: true });
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
  const holder = (pid: number, bootId: string): string => JSON.stringify({ pid, host: 'test-host', boot: bootId, startedMs: Date.now(), token: 'x' });
  writeFileSync(join(repository, '.git/cairn/maintenance'), holder(process.pid, boot));
  const refused = await cairn(['gc'], { cwd: repository, nowMs: Date.now() });
  t.is(refused.code, 4);
  t.regex(refused.stderr, new RegExp(`process ${process.pid} on 'test-host'`));
  gitOutput(['repack', '-q'], { cwd: repository });
  const auto = await cairn(['gc', '--auto'], { cwd: repository, nowMs: Date.now(), env: { GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'gc.autoPackLimit', GIT_CONFIG_VALUE_0: '1' } });
  t.deepEqual([auto.code, auto.stdout], [0, ''], 'the automatic one leaves it to the other');
  t.is(readdirSync(join(repository, '.git/objects/pack')).filter((name) => name.endsWith('.pack')).length, 2);
  writeFileSync(join(repository, '.git/cairn/maintenance'), holder(process.pid, 'another boot'));
  await gc(repository, '-q');
  t.false(existsSync(lock));
  mkdirSync(lock);
  setAge(lock, 180_000);
  await gc(repository, '-q');
  t.false(existsSync(lock));
});

test('a lock whose holder died before it said who it is holds nobody up', (t) => {
  if (skipWithoutGit(t)) return;
  const identity = identifyProcess(process.pid);
  if (identity === undefined) return t.pass('this system does not say who lives');
  const repository = makeHistory(t);
  const lock = join(repository, '.git/cairn/maintenance.lock');
  const leases = join(repository, '.git/cairn/leases');
  mkdirSync(leases, { recursive: true });
  const announced = join(leases, `${formatIdentity(identity)}_maintainer_${Date.now() - 2000}_1-1`);
  writeFileSync(announced, '');
  mkdirSync(lock);
  setAge(lock, 1000);
  const acquire = (): MaintenanceLock => MaintenanceLock.acquire(Repository.open(makeContext({ cwd: repository, pid: process.pid }).context));
  t.throws(acquire, { instanceOf: LockedError }, 'it lives, and is about to say so');
  rmSync(announced);
  writeFileSync(join(leases, `${formatIdentity({ ...identity, start: '1' })}_maintainer_${Date.now() - 2000}_1-1`), '');
  acquire().release();
  t.false(existsSync(lock));
  t.deepEqual(readdirSync(leases).filter((name) => name.startsWith(formatIdentity(identity))), [], 'nothing is announced any more');
  return undefined;
});

test('durations are strict', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeHistory(t);
  for (const grace of ['2w', '36h', '90m', '30s', '1d', '0', 'now', 'never', '2.weeks.ago']) {
    t.is((await cairn(['gc', '-n', '-q', '--grace', grace], { cwd: repository, nowMs: Date.now() })).code, 0, grace);
  }
  for (const grace of ['', '5', '-1d', '1x', 'nonsense', '1e3s']) {
    t.is((await cairn(['gc', '-n', '-q', `--grace=${grace}`], { cwd: repository, nowMs: Date.now() })).code, 2, grace);
  }
});

test('a repository whose objects are precious, or partly elsewhere, is refused', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeHistory(t);
  const packs = join(repository, '.git/objects/pack');
  const promisor = join(packs, readdirSync(packs).find((name) => name.endsWith('.pack'))!.replace('.pack', '.promisor'));
  writeFileSync(promisor, '');
  t.is((await cairn(['gc'], { cwd: repository, nowMs: Date.now() })).code, 3);
  rmSync(promisor);
  gitOutput(['config', 'core.repositoryFormatVersion', '1'], { cwd: repository });
  gitOutput(['config', 'extensions.preciousObjects', 'true'], { cwd: repository });
  t.is((await cairn(['gc'], { cwd: repository, nowMs: Date.now() })).code, 3);
});

test('deltas are taken over, and so is a commit-graph unless it names what goes', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeRepository(t, 'sha1', `
    for i in 1 2 3 4 5 6 7 8; do seq 1 $((1000 + i)) >file; git add file; git commit -qm $i; done
    git checkout -q -b other; echo x >x; git add x; git commit -qm x; git checkout -q main; git commit-graph write --reachable
    git repack -adq; seq 1 2000 >file; git add file; git commit -qm more
  `);
  const packSize = (): number => readdirSync(join(repository, '.git/objects/pack')).filter((name) => name.endsWith('.pack'))
    .reduce((sum, name) => sum + statSync(join(repository, '.git/objects/pack', name)).size, 0);
  const before = packSize();
  await gc(repository, '-q');
  t.true(packSize() < before + 5000, `${packSize()} after ${before}`);
  t.true(existsSync(join(repository, '.git/objects/info/commit-graph')));
  isSound(t, repository);
  gitOutput(['branch', '-D', 'other'], { cwd: repository });
  rmSync(join(repository, '.git/logs'), { recursive: true });
  await gc(repository, '-q', '--grace=0');
  isSound(t, repository);
});

test('versions of one file become deltas of one another, within pack.window and pack.depth', async (t) => {
  if (skipWithoutGit(t)) return;
  const fixture = `
    git config core.compression 0
    for i in 1 2 3 4 5 6 7 8 9; do seq $((1000 + i * 250)) $((2000 + i * 250)) >file; git add -A; git commit -qm $i; done
  `;
  const chains = (repository: string): number[] => {
    const packs = join(repository, '.git/objects/pack');
    const name = readdirSync(packs).find((file) => file.endsWith('.idx'))!;
    return [...gitOutput(['verify-pack', '-v', join(packs, name)], { cwd: repository }).matchAll(/^chain length = (\d+): (\d+) object/gm)].map(([, length]) => Number(length));
  };
  const repository = makeRepository(t, 'sha1', fixture);
  await gc(repository, '-q');
  t.true(Math.max(...chains(repository)) >= 3);
  t.is(gitOutput(['count-objects', '-v'], { cwd: repository }).includes('size-garbage: 0'), true);
  isSound(t, repository);
  const shallow = makeRepository(t, 'sha1', `${fixture} git config pack.depth 2`);
  await gc(shallow, '-q');
  t.true(Math.max(...chains(shallow)) <= 2);
  const none = makeRepository(t, 'sha1', `${fixture} git config pack.window 0`);
  await gc(none, '-q');
  t.deepEqual(chains(none), []);
});

test('a multi-pack-index does not outlive its packs', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeHistory(t);
  gitOutput(['repack', '-q'], { cwd: repository });
  gitOutput(['multi-pack-index', 'write'], { cwd: repository });
  await gc(repository, '-q');
  isSound(t, repository);
  t.is(gitOutput(['rev-list', '--count', 'HEAD'], { cwd: repository }), '3');
});

test('an empty repository has nothing to do', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeRepository(t, 'sha256', 'true');
  t.regex(await gc(repository), /^kept 0 objects, 0 bytes\n/);
  t.is(await gc(repository, '--dry-run'), 'kept 0 objects, 0 bytes\nnothing to do');
});

test('a release and what it published stay when their branch is gone', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeHistory(t);
  gitOutput(['checkout', '-q', '-b', 'other'], { cwd: repository });
  writeFiles(repository, { released: 'released content' });
  gitOutput(['add', '.'], { cwd: repository });
  gitOutput(['commit', '-qm', 'to be released'], { cwd: repository });
  await cairnOutput(['release', 'stable'], { cwd: repository, nowMs: Date.now() });
  const blob = gitOutput(['rev-parse', 'HEAD:released'], { cwd: repository });
  gitOutput(['checkout', '-q', 'main'], { cwd: repository });
  gitOutput(['branch', '-D', 'other'], { cwd: repository });
  rmSync(join(repository, '.git/logs'), { recursive: true });
  ageEverything(join(repository, '.git/objects'), 100 * day);
  const report = JSON.parse(await gc(repository, '--json'));
  t.true(report.kept.by.release.objects > 0);
  t.true(isThere(repository, blob));
  t.regex(await gc(repository, '--explain', blob), /^kept by release 'refs\/cairn\/receipts\//);
  isSound(t, repository);
});

function openRepository(directory: string): Repository {
  return Repository.open(makeContext({ cwd: directory, nowMs: Date.now() + 1000 }).context);
}

test('what is named, renewed or written between plan and apply stays', (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeHistory(t);
  const named = orphan(repository, 'named by a ref', 100 * day);
  const inTree = orphan(repository, 'named by a new tree', 100 * day);
  const renewed = orphan(repository, 'renewed', 100 * day);
  const inRenewed = orphan(repository, 'named by a renewed tree', 100 * day);
  const renewedTree = gitOutput(['mktree'], { cwd: repository, stdin: `100644 blob ${inRenewed}\tname\n` });
  setAge(loosePath(repository, renewedTree), 100 * day);
  const lost = orphan(repository, 'lost', 100 * day);
  const opened = openRepository(repository);
  const options = { graceMs: 14 * day };
  using lock = MaintenanceLock.acquire(opened);
  const plan = planGc(opened, options);
  t.is(plan.expired.size, 6);
  gitOutput(['tag', 'named', named], { cwd: repository });
  const tree = gitOutput(['mktree'], { cwd: repository, stdin: `100644 blob ${inTree}\tname\n` });
  for (const id of [renewed, renewedTree]) utimesSync(loosePath(repository, id), new Date(), new Date());
  const report = applyGc(opened, plan, lock, options);
  t.is(report.expired.objects, 1);
  t.is(report.spared.objects, 5);
  for (const id of [named, inTree, renewed, renewedTree, inRenewed, tree]) t.true(isThere(repository, id));
  t.false(isThere(repository, lost));
});

test('a pack with an object that is needed again, or that was renewed, stays', (t) => {
  if (skipWithoutGit(t)) return;
  for (const relyOn of ['ref', 'age'] as const) {
    const repository = makeHistory(t);
    const blob = orphan(repository, 'packed and unreachable', 100 * day);
    gitOutput(['pack-objects', '-q', '.git/objects/pack/pack'], { cwd: repository, stdin: `${blob}\n` });
    rmSync(loosePath(repository, blob));
    ageEverything(join(repository, '.git/objects/pack'), 100 * day);
    const opened = openRepository(repository);
    const options = { graceMs: 14 * day };
    using lock = MaintenanceLock.acquire(opened);
    const plan = planGc(opened, options);
    t.true(plan.expired.has(blob as ObjectId));
    if (relyOn === 'ref') gitOutput(['tag', 'named', blob], { cwd: repository });
    else gitOutput(['hash-object', '-w', '--stdin'], { cwd: repository, stdin: 'packed and unreachable' });
    const report = applyGc(opened, plan, lock, options);
    t.is(report.spared.packs, 1, relyOn);
    t.true(isThere(repository, blob), relyOn);
    isSound(t, repository);
  }
});

test('a commit that an old reflog names and that comes back between plan and apply brings back what it needs', (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeHistory(t);
  const blob = orphan(repository, 'needed again', 100 * day);
  const tree = gitOutput(['mktree'], { cwd: repository, stdin: `100644 blob ${blob}\tname\n` });
  setAge(loosePath(repository, tree), 100 * day);
  const commit = gitOutput(['commit-tree', '-m', 'comes back', tree], { cwd: repository });
  const content = gitOutput(['cat-file', 'commit', commit], { cwd: repository });
  const head = gitOutput(['rev-parse', 'HEAD'], { cwd: repository });
  appendFileSync(join(repository, '.git/logs/HEAD'), `${commit} ${head} a <b> 1 +0000\tnames it\n`);
  rmSync(loosePath(repository, commit));
  const opened = openRepository(repository);
  const options = { graceMs: 14 * day };
  using lock = MaintenanceLock.acquire(opened);
  const plan = planGc(opened, options);
  t.is(plan.expired.size, 2);
  t.is(gitOutput(['hash-object', '-w', '-t', 'commit', '--stdin'], { cwd: repository, stdin: `${content}\n` }), commit);
  gitOutput(['tag', 'back', commit], { cwd: repository });
  applyGc(opened, plan, lock, options);
  t.deepEqual([commit, tree, blob].map((id) => isThere(repository, id)), [true, true, true]);
  isSound(t, repository);
});

test('a pack that is renewed while others are removed stays', (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeHistory(t);
  const blobs = ['one', 'two'].map((text) => orphan(repository, text, 100 * day));
  for (const blob of blobs) {
    gitOutput(['pack-objects', '-q', '.git/objects/pack/pack'], { cwd: repository, stdin: `${blob}\n` });
    rmSync(loosePath(repository, blob));
  }
  ageEverything(join(repository, '.git/objects/pack'), 100 * day);
  const opened = openRepository(repository);
  let removals = 0;
  const options = {
    graceMs: 14 * day,
    onProgress: (phase: string) => {
      if (phase !== 'removing') return;
      removals += 1;
      // What is left by now is written again, which renews it.
      if (removals === 1) for (const text of ['one', 'two']) gitOutput(['hash-object', '-w', '--stdin'], { cwd: repository, stdin: text });
    },
  };
  using lock = MaintenanceLock.acquire(opened);
  const plan = planGc(opened, options);
  t.is(plan.retired.length, 3);
  applyGc(opened, plan, lock, options);
  t.deepEqual(blobs.map((blob) => isThere(repository, blob)), [true, true]);
  isSound(t, repository);
});

test('nothing is removed any more once the lock is lost', (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeHistory(t);
  const old = orphan(repository, 'old', 100 * day);
  const opened = openRepository(repository);
  const options = { graceMs: 14 * day };
  using lock = MaintenanceLock.acquire(opened);
  const plan = planGc(opened, options);
  writeFileSync(join(repository, '.git/cairn/maintenance'), '{}');
  t.throws(() => applyGc(opened, plan, lock, options), { instanceOf: ConflictError, code: 'maintenance-lost' });
  t.true(isThere(repository, old));
});

test('prune-packed removes what git removes and says the same', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeRepository(t, 'sha1', 'mkdir dir; echo 1 >dir/file; git add -A; git commit -qm one; git repack -aq; echo 2 >dir/file; git add -A');
  await compareWithGit(t, repository, [
    { argv: ['prune-packed', '-n'] },
    { argv: ['prune-packed', '--dry-run'], subdirectory: 'dir' },
    { argv: ['prune-packed', 'x'] },
    { argv: ['prune-packed', '-q'] },
    { argv: ['prune-packed', '-n'] },
  ]);
  t.is(runProgram('find', ['.git/objects', '-type', 'f', '-path', '*/??/*'], { cwd: repository }).code, 0);
});

test('prune-packed leaves what was written again while a cruft pack has it', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeHistory(t);
  const id = orphan(repository, 'cruft', 100 * day);
  gitOutput(['repack', '-q', '-d', '-a', '--cruft'], { cwd: repository });
  gitOutput(['hash-object', '-w', '--stdin'], { cwd: repository, stdin: 'cruft' });
  t.true(existsSync(loosePath(repository, id)));
  await cairnOutput(['prune-packed'], { cwd: repository });
  t.true(existsSync(loosePath(repository, id)));
});
