import test, { type ExecutionContext } from 'ava';
import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { type Disk, realDisk, useDisk } from '../../pack/disk.js';
import type { ObjectId } from '../../pack/oid.js';
import { Announcement, holdLease, listAnnounced } from '../../plumbing/refs/announcement.js';
import { formatIdentity, identifyProcess } from '../../plumbing/process-identity.js';
import { RefTransaction } from '../../plumbing/refs/ref-transaction.js';
import { Repository } from '../../plumbing/repository.js';
import { needsWholeGc } from '../../porcelain/gc-need.js';
import { cairn, cairnOutput, cairnProcess, cairnProgram, makeContext } from '../helpers/cairn.js';
import { makeRepository } from '../helpers/differential.js';
import { cleanEnvironment, git, gitOutput, runProgram, skipWithoutGit } from '../helpers/stock-git.js';

const day = 86_400_000;
const history = 'echo 1 >file; git add file; git commit -qm 1';

/** A commit that nothing leads to any more, loose or packed, and all that only it needs; its id. */
function abandon(repository: string, options: { readonly packed?: boolean } = {}): ObjectId {
  const shell = (script: string): void => { gitOutput(['-c', `alias.do=!sh -c '${script}'`, 'do'], { cwd: repository }); };
  shell('echo lost >lost; git add lost; git commit -qm lost');
  if (options.packed) shell('git repack -adq');
  const id = gitOutput(['rev-parse', 'HEAD'], { cwd: repository }) as ObjectId;
  shell('git reset -q --hard HEAD~1; rm -rf .git/logs .git/ORIG_HEAD');
  return id;
}

async function gc(repository: string, ...options: readonly string[]): Promise<{ [name: string]: { objects: number; batches: number } }> {
  return JSON.parse(await cairnOutput(['gc', '--json', ...options], { cwd: repository, nowMs: Date.now(), pid: process.pid }));
}

function hasGitObject(repository: string, id: string): boolean {
  return git(['cat-file', '-e', id], { cwd: repository }).code === 0;
}

function isSound(t: ExecutionContext, repository: string): void {
  const check = git(['fsck', '--full', '--strict'], { cwd: repository });
  t.is(check.code, 0, check.stderr);
}

function batches(repository: string): string[] {
  const drawer = join(repository, '.git/cairn/quarantine');
  return existsSync(drawer) ? readdirSync(drawer).sort() : [];
}

function open(repository: string, nowMs = Date.now()): Repository {
  return Repository.open(makeContext({ cwd: repository, nowMs, pid: process.pid }).context);
}

/** True, and the test passes, where the system does not tell who lives. */
function isMute(t: ExecutionContext): boolean {
  if (identifyProcess(process.pid) !== undefined) return false;
  t.log('skipped: this system does not say who lives');
  t.pass();
  return true;
}

for (const packed of [false, true]) {
  const how = packed ? 'packed' : 'loose';

  test(`what gc swept (${how}) is not in the store, can be read, and comes back whole when a ref names it`, async (t) => {
    if (skipWithoutGit(t)) return;
    const repository = makeRepository(t, 'sha1', history);
    const lost = abandon(repository, { packed });
    const report = await gc(repository, '--grace=0');
    const explained = JSON.parse(await cairnOutput(['gc', '--explain', lost, '--json'], { cwd: repository, nowMs: Date.now(), pid: process.pid }));
    t.deepEqual(batches(repository), [explained.quarantine.batch]);
    t.true(Math.abs(Date.parse(explained.quarantine.until) - Date.now() - day) < 600_000);
    t.is(report['expired']!.objects, 3);
    t.is(report['quarantined']!.objects, 3);
    t.false(hasGitObject(repository, lost));
    t.regex(await cairnOutput(['cat-file', '-p', `${lost}^{tree}`], { cwd: repository }), /\tlost$/m);
    t.false(hasGitObject(repository, lost), 'reading alone brings nothing back');
    await cairnOutput(['update-ref', 'refs/heads/back', lost], { cwd: repository, pid: process.pid });
    t.is(gitOutput(['show', 'back:lost'], { cwd: repository }), 'lost');
    isSound(t, repository);
  });

  test(`gc --undo brings a sweep back (${how}), as young as new`, async (t) => {
    if (skipWithoutGit(t)) return;
    const repository = makeRepository(t, 'sha1', history);
    const lost = abandon(repository, { packed });
    await gc(repository, '--grace=0');
    const answer = await cairnOutput(['gc', '--undo', '--json'], { cwd: repository, pid: process.pid });
    t.is(JSON.parse(answer).restored.objects, 3);
    t.true(hasGitObject(repository, lost));
    isSound(t, repository);
    t.deepEqual(batches(repository), []);
    await gc(repository);
    t.true(hasGitObject(repository, lost));
    t.is((await cairn(['gc', '--undo'], { cwd: repository, pid: process.pid })).code, 2, 'there is nothing more to bring back');
  });
}

test('mktree, commit-tree and the index bring back what they name', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeRepository(t, 'sha1', history);
  const write = (argv: readonly string[], stdin?: string): Promise<string> => cairnOutput(argv, { cwd: repository, pid: process.pid, ...(stdin === undefined ? {} : { stdin }) });
  const blob = await write(['hash-object', '-w', '--stdin'], 'content');
  await gc(repository, '--grace=0');
  t.false(hasGitObject(repository, blob));
  const tree = await write(['mktree'], `100644 blob ${blob}\tname\n`);
  t.true(hasGitObject(repository, blob));
  await gc(repository, '--grace=0');
  t.false(hasGitObject(repository, tree));
  await write(['commit-tree', '-m', 'message', tree]);
  t.true(hasGitObject(repository, tree) && hasGitObject(repository, blob));
  const other = await write(['hash-object', '-w', '--stdin'], 'other');
  await gc(repository, '--grace=0');
  t.false(hasGitObject(repository, other));
  await write(['update-index', '--add', '--cacheinfo', `100644,${other},other`]);
  t.true(hasGitObject(repository, other));
});

test('a merge of what was swept, and a pack that names it, bring it back', async (t) => {
  if (skipWithoutGit(t)) return;
  const merged = makeRepository(t, 'sha1', history);
  const lost = abandon(merged);
  writeFileSync(join(merged, 'other'), 'other');
  gitOutput(['add', 'other'], { cwd: merged });
  gitOutput(['commit', '-qm', 'other'], { cwd: merged });
  await gc(merged, '--grace=0');
  const tree = await cairnOutput(['merge-tree', '--write-tree', 'HEAD', lost], { cwd: merged, pid: process.pid });
  t.deepEqual(gitOutput(['ls-tree', '-r', '--name-only', tree], { cwd: merged }).split('\n'), ['file', 'lost', 'other']);
  t.true(hasGitObject(merged, `${tree}:lost`));

  for (const command of [['unpack-objects', '-q', '--strict'], ['index-pack', '--stdin', '--strict']]) {
    const repository = makeRepository(t, 'sha1', history);
    const named = abandon(repository);
    const child = gitOutput(['commit-tree', '-p', named, '-m', 'child', `${named}^{tree}`], { cwd: repository });
    const pack = runProgram('git', ['pack-objects', '-q', '--stdout'], { cwd: repository, stdin: `${child}\n` }).stdoutBytes;
    rmSync(join(repository, '.git/objects', child.slice(0, 2), child.slice(2)));
    await gc(repository, '--grace=0');
    t.false(hasGitObject(repository, named));
    await cairnOutput(command, { cwd: repository, stdin: pack, pid: process.pid });
    t.true(hasGitObject(repository, `${child}~:lost`), command[0]);
  }
});

test('a batch goes for good when its window is over, and what somebody named in a way we did not see comes back before', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeRepository(t, 'sha1', history);
  const lost = abandon(repository);
  await gc(repository, '--grace=0');
  const needed = gitOutput(['rev-parse', 'HEAD'], { cwd: repository });
  t.not(needed, lost);
  t.is((await gc(repository))['discarded']!.batches, 0);
  // As a stock git that looked before the sweep and wrote after it.
  writeFileSync(join(repository, '.git/refs/heads/blind'), `${lost}\n`);
  t.is(git(['fsck'], { cwd: repository }).code === 0, false);
  const later = JSON.parse(await cairnOutput(['gc', '--json'], { cwd: repository, nowMs: Date.now() + 2 * day, pid: process.pid }));
  t.is(later.rescued.objects, 3);
  t.is(later.discarded.batches, 1);
  t.deepEqual(batches(repository), []);
  isSound(t, repository);
});

test('with a window of nothing gc leaves no batch', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeRepository(t, 'sha1', history);
  const lost = abandon(repository, { packed: true });
  gitOutput(['config', 'gc.quarantine', '0'], { cwd: repository });
  await gc(repository, '--grace=0');
  t.deepEqual(batches(repository), []);
  t.is((await cairn(['cat-file', '-e', lost], { cwd: repository })).code, 1);
});

/** Runs `action` with a disk on which `before` is called ahead of each removal of a file. */
async function withRemovals<Value>(before: (path: string) => void, action: () => Promise<Value>): Promise<Value> {
  const watched: Disk = { ...realDisk, unlink: (path) => { before(String(path)); realDisk.unlink(path); } };
  const restore = useDisk(watched);
  try {
    return await action();
  } finally {
    restore();
  }
}

test.serial('what is touched in the moment it is taken away stays, and so does all it reaches', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeRepository(t, 'sha1', history);
  const lost = abandon(repository);
  const path = join(repository, '.git/objects', lost.slice(0, 2), lost.slice(2));
  let touched = false;
  const report = await withRemovals((removed) => {
    if (removed !== path) return;
    touched = true;
    utimesSync(path, new Date(), new Date());
  }, () => gc(repository, '--grace=0'));
  t.true(touched);
  t.is(report['spared']!.objects, 3);
  t.is(gitOutput(['show', `${lost}:lost`], { cwd: repository }), 'lost');
});

test.serial('a sweep that fails half way is undone', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeRepository(t, 'sha1', history);
  const lost = abandon(repository);
  let removals = 0;
  const result = await withRemovals((path) => {
    if (!/objects\/[0-9a-f]{2}\/[0-9a-f]{38}$/.test(path) || path.includes('quarantine')) return;
    removals += 1;
    if (removals === 6) throw Object.assign(new Error('EIO: i/o error'), { code: 'EIO', syscall: 'unlink' });
  }, () => cairn(['gc', '--grace=0'], { cwd: repository, nowMs: Date.now(), pid: process.pid }));
  t.is(result.code, 2);
  t.is(gitOutput(['show', `${lost}:lost`], { cwd: repository }), 'lost');
  t.false(existsSync(join(repository, '.git/cairn/sweep')));
  t.is((await cairn(['gc', '-q'], { cwd: repository, nowMs: Date.now(), pid: process.pid })).code, 0);
  isSound(t, repository);
});

/** As a sweeper leaves it that was killed between taking things away and saying that all is well. */
async function killSweep(repository: string): Promise<void> {
  await gc(repository, '--grace=0');
  const batch = join(repository, '.git/cairn/quarantine', batches(repository)[0]!);
  const dead = { ...identifyProcess(process.pid)!, start: '1' };
  writeFileSync(join(batch, 'record'), JSON.stringify({ version: 1, state: 'open', atMs: 0, pid: 1, objects: 0, bytes: 0 }));
  writeFileSync(join(repository, '.git/cairn/sweep'), `${formatIdentity(dead)}\nhost\ntoken\n`);
}

for (const command of [['update-ref', 'refs/heads/x', 'HEAD'], ['gc', '-q'], ['commit', '-q', '--allow-empty', '-m', 'x']]) {
  test(`the sweep of a process that died is undone by ${command[0]}`, async (t) => {
    if (skipWithoutGit(t)) return;
    if (isMute(t)) return;
    const repository = makeRepository(t, 'sha1', history);
    const lost = abandon(repository, { packed: command[0] === 'gc' });
    await killSweep(repository);
    t.false(hasGitObject(repository, lost));
    const result = await cairn(command, { cwd: repository, nowMs: Date.now(), pid: process.pid });
    t.is(result.code, 0, result.stderr);
    t.true(hasGitObject(repository, lost));
    t.deepEqual(batches(repository), []);
    t.false(existsSync(join(repository, '.git/cairn/sweep')));
  });
}

test.serial('one announcement for a whole transaction, none left behind, also after a failure', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeRepository(t, 'sha1', history);
  const id = gitOutput(['rev-parse', 'HEAD'], { cwd: repository });
  const lines = Array.from({ length: 300 }, (_, at) => `create refs/tags/t${at} ${id}\n`).join('');
  let made = 0;
  const restore = useDisk({ ...realDisk, open: (path, flags, mode) => {
    if (String(path).includes('cairn/leases')) made += 1;
    return realDisk.open(path, flags, mode);
  } });
  try {
    t.is((await cairn(['update-ref', '--stdin'], { cwd: repository, stdin: lines, pid: process.pid })).code, 0);
  } finally {
    restore();
  }
  // The first finds that there is no directory yet.
  t.true(made <= 2, `${made}`);
  t.is((await cairn(['update-ref', 'refs/heads/bad', '1'.repeat(40)], { cwd: repository, pid: process.pid })).code, 128);
  t.deepEqual(readdirSync(join(repository, '.git/cairn/leases')), []);
});

test('nothing written since the oldest command at work began goes, whatever the grace', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeRepository(t, 'sha1', history);
  {
    using _ = holdLease(open(repository));
    const blob = await cairnOutput(['hash-object', '-w', '--stdin'], { cwd: repository, stdin: 'new', pid: process.pid });
    await gc(repository, '--grace=0');
    t.true(hasGitObject(repository, blob));
    t.regex(await cairnOutput(['gc', '--explain', blob, '--grace=0'], { cwd: repository, nowMs: Date.now(), pid: process.pid }), /kept by a command at work/);
  }
  t.is((await gc(repository, '--grace=0'))['expired']!.objects, 1);
});

test('a removal waits for who is about to name objects, and gives up on who does not come to an end', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeRepository(t, 'sha1', history);
  const lost = abandon(repository);
  gitOutput(['config', 'gc.waitForWriters', '1s'], { cwd: repository });
  {
    using _ = Announcement.make(open(repository));
    // The announcement's start is a lease as well, so what is to go must be older.
    const result = cairnProcess(['gc', '--grace=0'], { cwd: repository });
    t.is(result.code, 4, result.stderr);
    t.regex(result.stderr, new RegExp(`process ${process.pid} `));
    t.true(hasGitObject(repository, lost));
  }
  t.deepEqual(batches(repository), []);
  t.is(cairnProcess(['gc', '--grace=0', '-q'], { cwd: repository }).code, 0);
  t.false(hasGitObject(repository, lost));
});

test('a transaction whose announcement was taken for abandoned is refused, and changes nothing', (t) => {
  if (skipWithoutGit(t) || isMute(t)) return;
  const directory = makeRepository(t, 'sha1', history);
  const repository = open(directory);
  using transaction = new RefTransaction(repository);
  transaction.add({ name: 'refs/heads/new', target: { id: gitOutput(['rev-parse', 'HEAD'], { cwd: directory }) as ObjectId } }).prepare();
  for (const { path } of listAnnounced(repository)) rmSync(path);
  t.throws(() => { transaction.commit(); }, { code: 'announcement-lost' });
  t.is(git(['rev-parse', '-q', '--verify', 'refs/heads/new'], { cwd: directory }).code, 1);
});

test('an announcement of a process that is gone holds nobody up', (t) => {
  if (skipWithoutGit(t)) return;
  const repository = open(makeRepository(t, 'sha1', history));
  if (isMute(t)) return;
  const here = identifyProcess(process.pid)!;
  const leases = join(repository.commonDirectory, 'cairn/leases');
  mkdirSync(leases, { recursive: true });
  writeFileSync(join(leases, `${formatIdentity({ ...here, start: '1' })}_naming_1_1-x`), '');
  writeFileSync(join(leases, 'unknown_naming_1_1-x'), '');
  t.deepEqual(listAnnounced(repository).map(({ isDead }) => isDead).sort(), [false, true]);
  utimesSync(join(leases, 'unknown_naming_1_1-x'), 1, 1);
  t.deepEqual(listAnnounced(repository).map(({ isDead }) => isDead), [true, true]);
});

test('a writer stands back while a sweep is on', async (t) => {
  if (skipWithoutGit(t)) return;
  if (isMute(t)) return;
  const here = identifyProcess(process.pid)!;
  const repository = makeRepository(t, 'sha1', history);
  mkdirSync(join(repository, '.git/cairn'), { recursive: true });
  const flag = join(repository, '.git/cairn/sweep');
  writeFileSync(flag, `${formatIdentity(here)}\nhost\ntoken\n`);
  const writer = spawn(cairnProgram, ['update-ref', 'refs/heads/new', 'HEAD'], { cwd: repository, env: { ...cleanEnvironment }, stdio: 'ignore' });
  const code = new Promise<number | null>((resolve) => { writer.on('exit', resolve); });
  await new Promise((resolve) => { setTimeout(resolve, 1500); });
  t.is(writer.exitCode, null, 'it waits');
  t.false(existsSync(join(repository, '.git/refs/heads/new')));
  rmSync(flag);
  t.is(await code, 0);
  t.true(existsSync(join(repository, '.git/refs/heads/new')));
});

for (const [command, packed] of [[['gc', '-q', '--grace=0'], false], [['gc', '-q', '--grace=0'], true], [['prune'], false], [['repack', '-a', '-d', '-q'], true]] as const) {
  test.serial(`whatever step ${command[0]} is at, a writer that names what is about to go${packed ? ' from a pack' : ''} gets all of it or is refused`, async (t) => {
    if (skipWithoutGit(t)) return;
    const start = makeRepository(t, 'sha1', history);
    const lost = abandon(start, { packed });
    let named = 0;
    /** Names it before the disk operation of that number, when no flag is up: then it would wait for us, who wait for it. */
    const attempt = async (nth: number): Promise<number> => {
      const repository = join(dirname(start), `${basename(start)}-${command[0]}-${nth}`);
      cpSync(start, repository, { recursive: true, preserveTimestamps: true });
      let step = 0;
      let isNamed = false;
      const stepping = new Proxy(realDisk, {
        get: (disk, name: keyof Disk) => (...parameters: unknown[]): unknown => {
          if (step++ === nth && !existsSync(join(repository, '.git/cairn/sweep'))) {
            isNamed = cairnProcess(['update-ref', 'refs/heads/named', lost], { cwd: repository }).code === 0;
            if (isNamed) named += 1;
          }
          return (disk[name] as (...all: unknown[]) => unknown)(...parameters);
        },
      });
      const restore = useDisk(stepping);
      try {
        t.is((await cairn(command, { cwd: repository, nowMs: Date.now(), pid: process.pid })).code, 0);
      } finally {
        restore();
      }
      if (isNamed) t.is(gitOutput(['show', 'named:lost'], { cwd: repository }), 'lost', `named at step ${nth}`);
      isSound(t, repository);
      return step;
    };
    const total = await attempt(Infinity);
    for (let nth = 0; nth < total; nth += Math.ceil(total / 6)) await attempt(nth);
    t.true(named > 0);
  });
}

test('repack keeps of what it drops what a loose object names, which stays', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeRepository(t, 'sha1', history);
  const lost = abandon(repository, { packed: true });
  const child = gitOutput(['commit-tree', '-p', lost, '-m', 'loose', `${lost}^{tree}`], { cwd: repository });
  await cairnOutput(['repack', '-a', '-d', '-q'], { cwd: repository, nowMs: Date.now(), pid: process.pid });
  await cairnOutput(['update-ref', 'refs/heads/child', child], { cwd: repository, pid: process.pid });
  isSound(t, repository);
});

test('what is in quarantine is not named when what it needs went for good', async (t) => {
  if (skipWithoutGit(t)) return;
  for (const remove of [['repack', '-a', '-d', '-q'], ['prune', '--expire=now']]) {
    const repository = makeRepository(t, 'sha1', history);
    const options = { cwd: repository, nowMs: Date.now(), pid: process.pid };
    const parent = gitOutput(['commit-tree', '-p', 'HEAD', '-m', 'parent', 'HEAD^{tree}'], { cwd: repository });
    const child = gitOutput(['commit-tree', '-p', parent, '-m', 'child', 'HEAD^{tree}'], { cwd: repository });
    const tag = gitOutput(['mktag'], { cwd: repository, stdin: `object ${child}\ntype commit\ntag t\ntagger A <a@b> 1 +0000\n\nt\n` });
    gitOutput(['update-ref', 'refs/heads/parent', parent], { cwd: repository });
    await gc(repository, '--grace=0');
    t.false(hasGitObject(repository, child));
    gitOutput(['update-ref', '-d', 'refs/heads/parent'], { cwd: repository });
    if (remove[0] === 'prune') runProgram('sh', ['-ec', 'mkdir out; mv .git/objects/pack/* out; for pack in out/*.pack; do git unpack-objects -q <$pack; done; rm -rf out'], { cwd: repository });
    await cairnOutput(remove, options);
    t.false(hasGitObject(repository, parent));
    for (const [ref, id] of [['refs/heads/child', child], ['refs/tags/child', tag]] as const) {
      const refused = await cairn(['update-ref', ref, id], options);
      t.is(refused.code, 128);
      t.regex(refused.stderr, new RegExp(`${parent}' is missing`));
    }
    const again = await cairn(['commit-tree', '-p', child, '-m', 'on top', 'HEAD^{tree}'], options);
    t.is(again.code, 128);
    t.is((await cairn(['cat-file', '-t', child], options)).stdout, 'commit\n');
    isSound(t, repository);
  }
});

test('gc --auto takes in what is new without letting anything go, when all was collected a while ago', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeRepository(t, 'sha1', history);
  gitOutput(['config', 'gc.autoPackLimit', '2'], { cwd: repository });
  await gc(repository);
  const lost = abandon(repository);
  const packs = (): number => readdirSync(join(repository, '.git/objects/pack')).filter((name) => name.endsWith('.pack')).length;
  for (const each of [1, 2, 3]) {
    gitOutput(['-c', `alias.do=!sh -c 'echo ${each} >file; git commit -qam ${each}; git repack -dq'`, 'do'], { cwd: repository });
  }
  t.true(packs() > 2);
  const answer = JSON.parse(await cairnOutput(['gc', '--auto', '--grace=0', '--json'], { cwd: repository, nowMs: Date.now(), pid: process.pid }));
  t.true(answer.consolidated.objects > 0);
  t.true(packs() <= 2, `${packs()}`);
  t.true(hasGitObject(repository, lost));
  isSound(t, repository);
  t.false(needsWholeGc(open(repository)));
  t.true(needsWholeGc(open(repository, Date.now() + 8 * day)));
});
