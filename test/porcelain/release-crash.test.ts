// What readers and the next command find when a release fails or dies at any step: the old tree or the new one, exactly; a history
// that says the same; and nothing left behind once the next release is made, without anybody's help.
import test, { type ExecutionContext } from 'ava';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, readFileSync, readdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Disk, realDisk, useDisk } from '../../pack/disk.js';
import { type Channel, parseChannel } from '../../porcelain/channel.js';
import { listEvents } from '../../porcelain/events.js';
import { listReceipts } from '../../porcelain/receipt.js';
import { findJournal } from '../../porcelain/release-journal.js';
import { settleReleases } from '../../porcelain/release-recovery.js';
import { planRollback, publish } from '../../porcelain/release.js';
import type { Repository } from '../../plumbing/repository.js';
import { type Failure, ProcessDied, withFailingDisk } from '../helpers/failing-disk.js';
import { makeSandbox } from '../helpers/sandbox.js';
import { commitFiles, makeRepository, reopen } from '../helpers/snapshots.js';

const channel: Channel = parseChannel('prod');

function release(repository: Repository, targets: readonly string[] | undefined): void {
  publish(repository, { channel, commit: repository.refs.find('HEAD')!.id, targets, paths: undefined, message: '', restores: undefined, expected: undefined });
}

function rollback(repository: Repository): void {
  publish(repository, planRollback(repository, channel, 1, ''));
}

/** What a reader sees at a target, as one text. */
function see(root: string, target: string): string {
  const path = join(root, target);
  if (!existsSync(path)) return 'nothing';
  const names = readdirSync(path, { recursive: true, encoding: 'utf8' }).sort();
  return names.map((name) => `${name}=${name.endsWith('d') ? '' : readFileSync(join(path, name), 'utf8')}`).join(' ');
}

/** Us, whom lock files can name as their holder. */
const us = { pid: process.pid };

/** A process for `work` to run as, dead when it returns, so that what it locked is known to be left over. */
async function asMortal<Result>(work: (options: { readonly pid: number }) => Result): Promise<Result> {
  const child = spawn('sleep', ['60'], { stdio: 'ignore' });
  const gone = once(child, 'exit');
  try {
    return work({ pid: child.pid! });
  } finally {
    child.kill('SIGKILL');
    await gone;
  }
}

const failures: readonly Failure[] = ['EIO', 'ENOSPC', 'EACCES'];
const treeOne = { a: 'one', 'd/b': 'same', gone: 'x' };
const treeTwo = { a: 'two', 'd/b': 'same', 'd/new': { executable: 'y' }, l: { link: 'a' } };
const seenOne = 'a=one d= d/b=same gone=x';
const seenTwo = 'a=two d= d/b=same d/new=y l=two';

interface Scenario {
  readonly name: string;
  readonly targets: readonly string[];
  /** Brings a fresh repository to where the failing step begins. */
  readonly prepare: (repository: Repository, targets: readonly string[]) => void;
  readonly act: (repository: Repository, targets: readonly string[]) => void;
  readonly before: string;
  readonly after: string;
  readonly receiptsBefore: number;
}

const scenarios: readonly Scenario[] = [
  {
    name: 'the first release', targets: ['www'], before: 'nothing', after: seenOne, receiptsBefore: 0,
    prepare: (repository) => { commitFiles(repository, treeOne); },
    act: (repository, targets) => release(repository, targets),
  },
  {
    name: 'the second release', targets: ['www'], before: seenOne, after: seenTwo, receiptsBefore: 1,
    prepare: (repository, targets) => {
      commitFiles(repository, treeOne);
      release(repository, targets);
      commitFiles(repository, treeTwo);
    },
    act: (repository) => release(repository, undefined),
  },
  {
    name: 'a rollback', targets: ['www'], before: seenTwo, after: seenOne, receiptsBefore: 2,
    prepare: (repository, targets) => {
      commitFiles(repository, treeOne);
      release(repository, targets);
      commitFiles(repository, treeTwo);
      release(repository, undefined);
    },
    act: (repository) => rollback(repository),
  },
  {
    name: 'a release to two targets', targets: ['www', 'mirror'], before: seenOne, after: seenTwo, receiptsBefore: 1,
    prepare: (repository, targets) => {
      commitFiles(repository, treeOne);
      release(repository, targets);
      commitFiles(repository, treeTwo);
    },
    act: (repository) => release(repository, undefined),
  },
];

/** Everything must agree: targets, receipts, events, records, directories; nothing half made is left. */
function checkSettled(t: ExecutionContext, root: string, scenario: Scenario, label: string): 'old' | 'new' {
  const repository = reopen(root, us);
  const receipts = [...listReceipts(repository, channel)];
  const isNew = receipts.length > scenario.receiptsBefore;
  for (const target of scenario.targets) t.is(see(root, target), isNew ? scenario.after : scenario.before, `${label}: ${target}`);
  for (const receipt of receipts) {
    t.truthy(repository.refs.find(`refs/cairn/receipts/${receipt.id}`), `${label}: receipt ${receipt.number} is kept`);
    t.is([...listEvents(repository)].filter(({ data }) => data['receipt'] === receipt.id).length, 1, `${label}: receipt ${receipt.number} is logged once`);
  }
  t.is([...repository.refs.list('refs/cairn/receipts/')].length, receipts.length, `${label}: no receipt counts that was not made`);
  t.is(findJournal(repository, channel), undefined, `${label}: no journal`);
  const drawer = join(repository.gitDirectory, 'cairn/releases');
  const records = (existsSync(drawer) ? readdirSync(drawer) : []).filter((name) => name.endsWith('.index')).map((name) => name.slice('prod.'.length, -'.index'.length)).sort();
  const directories = scenario.targets.flatMap((target) => {
    const container = join(root, `.${target}.cairn`);
    return existsSync(container) ? readdirSync(container).filter((name) => name !== '.gitignore' && !name.startsWith('tmp_')) : [];
  });
  t.deepEqual(directories.sort(), records, `${label}: directories and records`);
  if (isNew) {
    const live = receipts[0]!.outputs.map(({ published }) => published!.directory);
    t.deepEqual(scenario.targets.map((target) => readlinkSync(join(root, target)).split('/')[1]), live, `${label}: links and receipt`);
    t.deepEqual(repository.config.getAll('release.prod.target'), [...scenario.targets], `${label}: targets are remembered`);
  }
  return isNew ? 'new' : 'old';
}

/** The repository a scenario begins with, once; each step gets a copy. */
function prepare(t: ExecutionContext, scenario: Scenario): { readonly copy: () => string; readonly total: number } {
  const original = makeRepository(t).workTree!;
  scenario.prepare(reopen(original), scenario.targets);
  const base = makeSandbox(t, { inMemory: true });
  let copies = 0;
  const copy = (): string => {
    const to = join(base, String(copies += 1), 'repo');
    cpSync(original, to, { recursive: true, verbatimSymlinks: true });
    return to;
  };
  const { steps, error } = withFailingDisk(0, 'died', () => scenario.act(reopen(copy(), us), scenario.targets));
  t.is(error, undefined);
  return { copy, total: steps.length };
}

for (const scenario of scenarios) {
  test(`${scenario.name}, killed at any step, is old or new, and the next command settles it`, async (t) => {
    const { copy, total } = prepare(t, scenario);
    const outcomes = { old: 0, new: 0 };
    for (let step = 1; step <= total; step += 1) {
      const root = copy();
      const label = `step ${step} of ${total}`;
      const { error } = await asMortal((options) => withFailingDisk(step, 'died', () => scenario.act(reopen(root, options), scenario.targets)));
      // Random ids may find their fan-out directory made or not, so one run has a step more or less than another.
      if (error === undefined && step > total - 4) break;
      t.true(error instanceof Error && (error instanceof ProcessDied || error.name === 'SuppressedError'), `${label}: ${String(error)}`);
      for (const target of scenario.targets) t.true([scenario.before, scenario.after].includes(see(root, target)), `${label}: '${see(root, target)}' at ${target}`);
      settleReleases(reopen(root, us));
      outcomes[checkSettled(t, root, scenario, label)] += 1;
      // And the next one needs no help.
      if (step % 4 === 0) {
        release(reopen(root, us), scenario.targets);
        t.is(findJournal(reopen(root, us), channel), undefined);
      }
    }
    t.true(outcomes.old > 10 && outcomes.new > 2, JSON.stringify(outcomes));
    t.log(`${total} steps: ${outcomes.old} old, ${outcomes.new} new`);
  });

  test(`${scenario.name}, when one step fails, is undone or made, never half`, async (t) => {
    const { copy, total } = prepare(t, scenario);
    // Every third step; the scenarios begin at different ones.
    for (let step = 1 + (scenarios.indexOf(scenario) % 3); step <= total; step += 3) {
      const root = copy();
      const failure = failures[step % failures.length]!;
      const { error, steps } = await asMortal((options) => withFailingDisk(step, failure, () => scenario.act(reopen(root, options), scenario.targets)));
      const label = `step ${step} of ${total} (${steps[step - 1]}): ${String(error)}`;
      const made = [...listReceipts(reopen(root, us), channel)].length > scenario.receiptsBefore;
      t.true(made || error !== undefined, label);
      for (const target of scenario.targets) t.is(see(root, target), made ? scenario.after : scenario.before, label);
      settleReleases(reopen(root, us));
      checkSettled(t, root, scenario, label);
      if (step % 4 === 0) release(reopen(root, us), scenario.targets);
    }
  });
}

test('all that is published, the receipt and the journal are durable before a link is replaced, and the link before the ref moves', (t) => {
  const repository = makeRepository(t);
  const root = repository.workTree!;
  commitFiles(repository, treeTwo);
  const paths = new Map<number, string>();
  /** Names that were made or written and not yet synced. */
  const unsynced = new Set<string>();
  const moments: string[] = [];
  const disk: Disk = {
    ...realDisk,
    open(path, flags, mode) {
      const fd = realDisk.open(path, flags, mode);
      paths.set(fd, String(path));
      if (flags.startsWith('wx')) unsynced.add(`name ${String(path)}`);
      return fd;
    },
    write(fd, bytes, position) {
      realDisk.write(fd, bytes, position);
      unsynced.add(`data ${paths.get(fd)}`);
    },
    fsync(fd) {
      realDisk.fsync(fd);
      unsynced.delete(`data ${paths.get(fd)}`);
    },
    mkdir(path, mode) {
      realDisk.mkdir(path, mode);
      unsynced.add(`name ${String(path)}`);
    },
    symlink(to, path) {
      realDisk.symlink(to, path);
      unsynced.add(`name ${String(path)}`);
    },
    fsyncDirectory(path) {
      realDisk.fsyncDirectory(path);
      for (const name of [...unsynced]) if (name.startsWith('name ') && dirname(name.slice(5)) === String(path)) unsynced.delete(name);
    },
    unlink(path) {
      realDisk.unlink(path);
      for (const kind of ['name', 'data']) unsynced.delete(`${kind} ${String(path)}`);
    },
    rename(from, to) {
      const moved = [...unsynced].filter((name) => name.slice(5) === String(from) || name.slice(5).startsWith(`${String(from)}/`));
      const isSwap = String(to) === join(root, 'www');
      const isRef = String(to).endsWith('refs/releases/prod');
      // The link itself, locks that are held and announcements need not be durable; directories of refs are so before those appear.
      const open = [...unsynced].filter((name) => !/\.link$|\.lock$|\/cairn\/(?:locks|leases)\/|^name .*\/refs\//.test(name));
      if (isSwap) t.deepEqual(open, [], 'when the link is replaced');
      if (isRef) t.deepEqual([...unsynced].filter((name) => name.startsWith('data ') || name.includes('www')), [], 'when the ref moves');
      if (isSwap || isRef) moments.push(isSwap ? 'link' : 'ref');
      realDisk.rename(from, to);
      for (const name of moved) {
        unsynced.delete(name);
        unsynced.add(name.slice(0, 5) + String(to) + name.slice(5 + String(from).length));
      }
      unsynced.add(`name ${String(to)}`);
    },
  };
  const restore = useDisk(disk);
  try {
    release(repository, ['www']);
  } finally {
    restore();
  }
  t.deepEqual(moments, ['link', 'ref']);
  t.deepEqual([...unsynced].filter((name) => !/\.lock$|\/cairn\/locks\//.test(name)), [], 'in the end');
});

test('a journal that cannot be read is an error that names the file', (t) => {
  const repository = makeRepository(t);
  commitFiles(repository, treeOne);
  release(repository, ['www']);
  const path = join(repository.gitDirectory, 'cairn/releases/prod.journal');
  for (const text of ['', '{', '[]', '{"version":2}', '{"version":1,"channel":"../x"}']) {
    writeFileSync(path, text);
    const error = t.throws(() => release(reopen(repository.workTree!), undefined), { code: 'bad-journal' });
    t.true(error.message.includes(path));
  }
});
