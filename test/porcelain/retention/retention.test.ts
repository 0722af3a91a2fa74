// retain and hold as a user meets them: what is judged, what goes, what refuses, and that the bytes promised are the bytes freed.
import test, { type ExecutionContext } from 'ava';
import { existsSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodeTag } from '../../../pack/tag.js';
import { CorruptError } from '../../../pack/errors.js';
import type { ObjectId } from '../../../pack/oid.js';
import { packRefs } from '../../../plumbing/refs/ref-packing.js';
import { updateRef } from '../../../plumbing/refs/ref-transaction.js';
import type { Repository } from '../../../plumbing/repository.js';
import { parseChannel } from '../../../porcelain/channel.js';
import { listEvents } from '../../../porcelain/events.js';
import { listReceipts } from '../../../porcelain/receipt.js';
import { listHolds } from '../../../porcelain/retention/hold.js';
import { parseUntil } from '../../../porcelain/retention/holding.js';
import { readPolicies } from '../../../porcelain/retention/policy.js';
import { type InProcessOptions, cairn, cairnOutput, makeContext } from '../../helpers/cairn.js';
import { writeFiles } from '../../helpers/sandbox.js';
import { commitFiles, makeRepository, reopen, writeTree } from '../../helpers/snapshots.js';
import { type Finished, git, gitOutput, hasGit, skipWithoutGit } from '../../helpers/stock-git.js';

const hour = 3_600_000;
const day = 24 * hour;
const start = Date.UTC(2026, 10, 1, 10);

interface Item {
  readonly kind: string;
  readonly name: string;
  readonly verdict: string;
  readonly arrived: string | null;
  readonly reasons: readonly { readonly rule: string; readonly detail: string }[];
  readonly freed: { readonly objects: number; readonly bytes: number };
}

interface Plan {
  readonly plan: string;
  readonly items: readonly Item[];
  readonly directories: readonly { readonly directory: string; readonly verdict: string; readonly bytes: number }[];
  readonly freed: { readonly objects: number; readonly bytes: number };
  readonly later: { readonly objects: number };
}

/** A repository, and a clock that only goes when told. */
class Site {
  readonly repository: Repository;
  readonly root: string;
  nowMs = start;

  constructor(t: ExecutionContext) {
    this.repository = makeRepository(t);
    this.root = this.repository.workTree!;
  }

  run(argv: readonly string[], options: Partial<InProcessOptions> = {}): Promise<Finished> {
    return cairn(argv, { cwd: this.root, nowMs: this.nowMs, ...options, env: { GIT_COMMITTER_DATE: '', ...options.env } });
  }

  ok(argv: readonly string[], options: Partial<InProcessOptions> = {}): Promise<string> {
    return cairnOutput(argv, { cwd: this.root, nowMs: this.nowMs, ...options, env: { GIT_COMMITTER_DATE: '', ...options.env } });
  }

  /** A run a day later than the last, of a file of its own. */
  async addRun(id: string, env: Record<string, string> = {}): Promise<void> {
    this.nowMs += day;
    writeFileSync(join(this.root, 'file'), `run ${id}\n`);
    await this.ok(['add', '.']);
    await this.ok(['commit', '-q', '-m', id, '--run', id], { env });
  }

  async plan(): Promise<Plan> {
    return JSON.parse(await this.ok(['retain', 'plan', '--json'])) as Plan;
  }

  async dropped(): Promise<string[]> {
    return (await this.plan()).items.filter(({ verdict }) => verdict === 'drop').map(({ name }) => name);
  }

  async reasons(name: string): Promise<string[]> {
    return (await this.plan()).items.find((item) => item.name === name)!.reasons.map(({ rule }) => rule);
  }

  /** A ref to a commit without parents that nothing else names. */
  addLone(ref: string, text: string): ObjectId {
    const tree = writeTree(this.repository, { file: text });
    const id = this.repository.objects.write('commit', Buffer.from(`tree ${tree}\nauthor a <a@b> 1 +0000\ncommitter a <a@b> 1 +0000\n\n${text}\n`));
    updateRef(this.repository, { name: ref, target: { id } });
    return id;
  }

  refs(): string[] {
    return [...reopen(this.root).refs.list()].map(({ name }) => name);
  }
}

test('runs are judged by when they were recorded, whatever their commits say', async (t) => {
  const site = new Site(t);
  for (const id of ['a', 'b', 'c', 'd']) {
    await site.addRun(id, { GIT_AUTHOR_DATE: id === 'a' ? '2099-01-01T00:00:00Z' : '2001-01-01T00:00:00Z', GIT_COMMITTER_DATE: id === 'b' ? '2098-01-01T00:00:00Z' : '2002-01-01T00:00:00Z' });
  }
  await site.ok(['retain', 'set', 'refs/runs/*', '--keep-last', '2']);
  t.deepEqual(await site.dropped(), ['refs/runs/a', 'refs/runs/b']);
  t.is((await site.plan()).items[0]!.arrived, new Date(start + day).toISOString());
  packRefs(reopen(site.root), { all: true, prune: true });
  t.deepEqual(await site.dropped(), ['refs/runs/a', 'refs/runs/b'], 'packed refs arrived when they did');
});

test('apply does exactly the plan that was shown', async (t) => {
  const site = new Site(t);
  for (const id of ['a', 'b', 'c']) await site.addRun(id);
  await site.ok(['retain', 'set', 'refs/runs/*', '--keep-last', '1']);
  const text = await site.ok(['retain', 'plan']);
  const id = /\nplan ([0-9a-f]{16})$/.exec(text)![1]!;
  t.regex(text, /^drop  refs\/runs\/a  2026-11-02T10:00:00Z  no-rule /);
  t.regex(text, /\nkeep  refs\/runs\/c  .*keep-last 1 \(the newest\)/);
  t.is((await site.plan()).plan, id, 'the same plan has the same id');
  site.nowMs += hour;
  t.is((await site.plan()).plan, id, 'also later');
  t.deepEqual(JSON.parse(await site.ok(['retain', 'apply', id, '--json'])), { plan: id, droppedRefs: 2, removedDirectories: 0 });
  t.deepEqual(site.refs(), ['refs/heads/main', 'refs/runs/c']);
  const again = await site.run(['retain', 'apply', id]);
  t.is(again.code, 4);
  t.deepEqual(site.refs(), ['refs/heads/main', 'refs/runs/c']);
});

test('apply refuses when something was added, held, or its policy changed since', async (t) => {
  const site = new Site(t);
  for (const id of ['a', 'b']) await site.addRun(id);
  await site.ok(['retain', 'set', 'refs/runs/*', '--keep-last', '1']);
  const refuses = async (id: string, why: string): Promise<void> => {
    const result = await site.run(['retain', 'apply', id, '--json']);
    t.is(result.code, 4, why);
    t.true(site.refs().includes('refs/runs/a'), why);
  };
  const first = (await site.plan()).plan;
  await site.addRun('c');
  await refuses(first, 'a run was added');
  const second = (await site.plan()).plan;
  await site.ok(['hold', 'add', 'a', '--reason', 'evidence']);
  await refuses(second, 'a run was held');
  const third = (await site.plan()).plan;
  await site.ok(['retain', 'set', 'refs/runs/*', '--keep-last', '2']);
  await refuses(third, 'the policy changed');
  t.is((await site.run(['retain', 'apply', 'nonsense'])).code, 2);
});

test('a hold made while the refs are being locked stops the plan', async (t) => {
  if (skipWithoutGit(t)) return;
  const site = new Site(t);
  for (const id of ['a', 'b']) await site.addRun(id);
  await site.ok(['retain', 'set', 'refs/runs/*', '--keep-last', '1']);
  const { plan } = await site.plan();
  const hook = join(site.repository.gitDirectory, 'hooks/reference-transaction');
  const held = site.repository.refs.find('refs/runs/a')!.id;
  writeFiles(site.repository.gitDirectory, { 'hooks/reference-transaction': { executable: `#!/bin/sh\ntest "$1" = prepared && grep -q refs/runs/ || exit 0\nrm "$0"; git update-ref refs/holds/late ${held}\n` } });
  t.is((await site.run(['retain', 'apply', plan])).code, 4);
  t.false(existsSync(hook), 'the hook ran');
  t.true(site.refs().includes('refs/runs/a'));
  t.deepEqual(await site.reasons('refs/runs/a'), ['held']);
});

test('what the plan says is freed is what gc then frees, to the byte', async (t) => {
  if (skipWithoutGit(t)) return;
  const site = new Site(t);
  const shared = 'shared '.repeat(1000);
  for (const [at, name] of ['a', 'b', 'c'].entries()) {
    const tree = writeTree(site.repository, { shared, own: `own ${name} `.repeat(500 + at) });
    const id = site.repository.objects.write('commit', Buffer.from(`tree ${tree}\nauthor a <a@b> 1 +0000\ncommitter a <a@b> 1 +0000\n\n${name}\n`));
    updateRef(site.repository, { name: `refs/runs/${name}`, target: { id } });
    site.nowMs += day;
    await site.ok(['retain', 'set', 'refs/runs/*', '--keep-last', '1']);
  }
  commitFiles(site.repository, { other: 'other' });
  for (const packed of [false, true]) {
    if (packed) await site.ok(['gc', '-q'], { nowMs: Date.now() });
    const { freed, later, items } = await site.plan();
    const environment = { cwd: site.root, env: { GIT_DIR: site.repository.gitDirectory } };
    const list = (...refs: readonly string[]): string[] => gitOutput(['rev-list', '--objects', '--no-object-names', ...refs], environment).split('\n');
    const needed = new Set(list('refs/runs/c', 'refs/heads/main'));
    const ids = list('refs/runs/a', 'refs/runs/b').filter((id) => !needed.has(id));
    const sizes = gitOutput(['cat-file', '--batch-check=%(objectsize:disk)'], { ...environment, stdin: `${ids.join('\n')}\n` }).split('\n').map(Number);
    t.is(ids.length, 6);
    t.deepEqual(freed, { objects: 6, bytes: sizes.reduce((sum, size) => sum + size, 0) }, packed ? 'packed' : 'loose');
    t.is(later.objects, 0);
    t.is(items.reduce((sum, { freed: own }) => sum + own.bytes, 0), freed.bytes, 'each object counts once');
  }
  const { plan, freed } = await site.plan();
  await site.ok(['retain', 'apply', plan]);
  const report = JSON.parse(await site.ok(['gc', '--grace', '0', '--json'], { nowMs: Date.now() + hour })) as { expired: object };
  t.deepEqual(report.expired, { objects: freed.objects, bytes: freed.bytes });
  t.is(git(['fsck', '--full', '--strict'], { cwd: site.root, env: { GIT_DIR: site.repository.gitDirectory } }).code, 0);
});

test('what reflogs still name is told apart', async (t) => {
  const site = new Site(t);
  await site.ok(['retain', 'set', 'refs/heads/try/*', '--keep-last', '1']);
  await site.addRun('first');
  for (const name of ['one', 'two']) {
    site.nowMs += day;
    await site.ok(['switch', '-q', '-c', `try/${name}`]);
    writeFileSync(join(site.root, 'file'), name);
    await site.ok(['commit', '-qam', name]);
    await site.ok(['switch', '-q', 'main']);
  }
  const { items, freed, later } = await site.plan();
  t.deepEqual(items.map(({ name, verdict }) => `${verdict} ${name}`), ['drop refs/heads/try/one', 'keep refs/heads/try/two', 'keep refs/runs/first']);
  t.deepEqual([freed.objects, later.objects], [0, 3], "HEAD's reflog was there");
});

test('branches that are checked out, and targets of symbolic refs, never go', async (t) => {
  const site = new Site(t);
  const id = commitFiles(site.repository, { file: '1' });
  for (const name of ['refs/heads/old', 'refs/heads/new', 'refs/remotes/origin/main', 'refs/remotes/origin/new']) {
    updateRef(site.repository, { name, target: { id } });
  }
  updateRef(site.repository, { name: 'refs/remotes/origin/HEAD', target: { symbolic: 'refs/remotes/origin/main' as never } });
  await site.ok(['retain', 'set', 'refs/heads/*', '--keep-within', '1min']);
  await site.ok(['retain', 'set', 'refs/remotes/*', '--keep-last', '1']);
  t.true((await site.reasons('refs/heads/main')).includes('in-use'));
  t.true((await site.reasons('refs/remotes/origin/main')).includes('in-use'));
  t.false((await site.plan()).items.some(({ name }) => name === 'refs/remotes/origin/HEAD'));
  for (const [name, file, text] of [['old', 'rebase-merge/head-name', 'refs/heads/old\n'], ['new', 'BISECT_START', 'new\n']] as const) {
    t.false((await site.reasons(`refs/heads/${name}`)).includes('in-use'));
    writeFiles(site.repository.gitDirectory, { [file]: text });
    t.true((await site.reasons(`refs/heads/${name}`)).includes('in-use'), file);
    t.regex((await site.run(['branch', '-D', name])).stderr, /checked out at/);
  }
});

test('a ref nobody wrote down stays until it was seen, and then counts from there', async (t) => {
  const site = new Site(t);
  await site.ok(['retain', 'set', 'refs/tags/*', '--keep-last', '1']);
  site.addLone('refs/tags/one', '1');
  site.addLone('refs/tags/two', '2');
  t.deepEqual(await site.reasons('refs/tags/one'), ['unrecorded']);
  site.nowMs += day;
  await site.ok(['gc', '-q']);
  t.deepEqual(await site.dropped(), [], 'seen together, they count as one');
  site.nowMs += day;
  site.addLone('refs/tags/three', '3');
  await site.ok(['retain', 'set', 'refs/tags/*', '--keep-last', '1']);
  t.deepEqual(await site.dropped(), ['refs/tags/one', 'refs/tags/two']);
  site.addLone('refs/tags/two', '2 again');
  t.deepEqual(await site.dropped(), ['refs/tags/one'], 'what it holds now arrived anew');
});

test('branches that moved in the same second count as one', async (t) => {
  const site = new Site(t);
  for (const [at, name] of ['a', 'b', 'c', 'd'].entries()) {
    const id = commitFiles(site.repository, { file: name });
    await site.ok(['update-ref', '-m', 'made', `refs/heads/try/${name}`, id], { nowMs: start + Math.floor((at + 1) / 2) * 1000 + at });
  }
  site.nowMs += day;
  await site.ok(['retain', 'set', 'refs/heads/try/*', '--keep-last', '1']);
  t.deepEqual(await site.dropped(), ['refs/heads/try/a', 'refs/heads/try/b', 'refs/heads/try/c']);
  await site.ok(['update-ref', '-d', 'refs/heads/try/d']);
  t.deepEqual(await site.dropped(), ['refs/heads/try/a']);
});

test('a run whose arrival could not be written down is made, and stays', async (t) => {
  const site = new Site(t);
  await site.addRun('a');
  const events = join(site.repository.gitDirectory, 'cairn/events');
  renameSync(events, `${events}.away`);
  writeFileSync(events, 'no directory');
  writeFileSync(join(site.root, 'file'), 'more\n');
  const made = await site.run(['commit', '-qam', 'b', '--run', 'b']);
  t.is(made.code, 0);
  t.regex(made.stderr, /^warning: this is done, but the event 'run' could not be recorded/);
  rmSync(events);
  renameSync(`${events}.away`, events);
  await site.addRun('c');
  await site.ok(['config', 'retention.refs/runs/*.keepLast', '1']);
  t.deepEqual(await site.dropped(), ['refs/runs/a']);
  t.deepEqual(await site.reasons('refs/runs/b'), ['unrecorded']);
});

test('a tag keeps what it names, where the policy says so', async (t) => {
  const site = new Site(t);
  for (const id of ['a', 'b', 'c']) await site.addRun(id);
  await site.ok(['retain', 'set', 'refs/runs/*', '--keep-last', '1', '--keep-tagged']);
  await site.ok(['tag', '-m', 'good', 'v1', 'refs/runs/a']);
  t.deepEqual(await site.dropped(), ['refs/runs/b']);
  t.deepEqual(await site.reasons('refs/runs/a'), ['keep-tagged']);
});

test('a policy that is not understood stops everything', async (t) => {
  const site = new Site(t);
  await site.addRun('a');
  for (const [key, value] of [['keepWeeky', '3'], ['keepLast', 'many'], ['keepWithin', '6m']] as const) {
    await site.ok(['config', `retention.refs/runs/*.${key}`, value]);
    t.is((await site.run(['retain', 'plan'])).code, 2, key);
    await site.ok(['config', '--remove-section', 'retention.refs/runs/*']);
  }
  for (const argv of [['set', 'refs/runs/*'], ['set', 'runs/*', '--keep-last', '1'], ['set', 'refs/holds/*', '--keep-last', '1'], ['unset', 'refs/x']]) {
    t.is((await site.run(['retain', ...argv])).code, 2, argv.join(' '));
  }
  for (const argv of [[], ['wait'], ['plan', 'x'], ['apply'], ['list', '--keep-last', '1']]) t.is((await site.run(['retain', ...argv])).code, 129, argv.join(' '));
});

test('policies are written, listed, replaced and taken out; the rest of the config stays', async (t) => {
  const site = new Site(t);
  await site.ok(['config', 'user.nick', 'x']);
  await site.ok(['retain', 'set', 'refs/runs/né"ly/*', '--keep-last', '3', '--keep-within', '30d']);
  await site.ok(['retain', 'set', 'refs/heads/*', '--keep-tagged', '--keep-yearly', 'unlimited']);
  await site.ok(['retain', 'set', 'refs/runs/né"ly/*', '--keep-daily', '7']);
  t.deepEqual(JSON.parse((await site.run(['retain', 'list', '--json'])).stdoutBytes.toString()), {
    policies: [{ pattern: 'refs/heads/*', keepYearly: 'unlimited', keepTagged: 'true' }, { pattern: 'refs/runs/né"ly/*', keepDaily: '7' }],
  });
  await site.ok(['retain', 'unset', 'refs/runs/né"ly/*']);
  await site.ok(['retain', 'unset', 'refs/heads/*']);
  t.deepEqual(readPolicies(reopen(site.root)), []);
  t.is(await site.ok(['config', 'user.nick']), 'x');
});

test('without a policy everything stays', async (t) => {
  const site = new Site(t);
  await site.addRun('a');
  const { items, plan } = await site.plan();
  t.deepEqual(items.map(({ name, reasons }) => [name, reasons[0]!.rule]), [['refs/runs/a', 'no-policy']]);
  await site.ok(['retain', 'apply', plan]);
  t.true(site.refs().includes('refs/runs/a'));
});

/** A channel of that many releases, a day apart, each of a commit of its own. */
async function releaseOften(site: Site, count: number): Promise<void> {
  for (let number = 1; number <= count; number += 1) {
    site.nowMs += day;
    commitFiles(site.repository, { file: `release ${number}` });
    await site.ok(['release', 'prod', '--to', 'out']);
  }
}

const numbersOf = (site: Site): number[] => [...listReceipts(reopen(site.root), parseChannel('prod'))].map(({ number }) => number);

test('receipts and their directories go together, and history passes over the gap', async (t) => {
  const site = new Site(t);
  await site.ok(['config', 'release.keep', '9']);
  await releaseOften(site, 6);
  await site.ok(['hold', 'add', 'prod/2', '--reason', 'audit']);
  await site.ok(['retain', 'set', 'refs/releases/*', '--keep-last', '1']);
  const { plan, items, directories } = await site.plan();
  t.deepEqual(items.map(({ name, verdict }) => `${verdict} ${name}`), ['drop prod/1', 'keep prod/2', 'drop prod/3', 'drop prod/4', 'keep prod/5', 'keep prod/6']);
  t.deepEqual(items.map(({ reasons }) => reasons.map(({ rule }) => rule).join()), ['no-rule', 'held', 'no-rule', 'no-rule', 'rollback', 'live,keep-last 1']);
  t.is(directories.filter(({ verdict }) => verdict === 'drop').length, 3);
  await site.ok(['retain', 'apply', plan]);
  t.deepEqual(numbersOf(site), [6, 5, 2]);
  t.deepEqual(readdirSync(join(site.root, '.out.cairn')).filter((name) => !name.startsWith('.')).map((name) => name.split('.')[0]).sort(), ['2', '5', '6']);
  const kept = JSON.parse(await site.ok(['gc', '--dry-run', '--json', '--grace', '0'], { nowMs: Date.now() + hour })) as { expired: { objects: number } };
  t.is(kept.expired.objects, 3, 'three receipts; their commits are in the history of main');
  if (hasGit()) {
    const environment = { cwd: site.root, env: { GIT_DIR: site.repository.gitDirectory } };
    gitOutput(['reflog', 'expire', '--expire=now', '--all'], environment);
    gitOutput(['gc', '-q', '--prune=now'], environment);
    t.is(git(['fsck', '--full', '--strict'], environment).code, 0, 'what is kept is kept by refs');
  }
  t.is((await site.run(['release', '--verify', 'prod'])).code, 0);
  await site.ok(['rollback', 'prod']);
  t.deepEqual(numbersOf(site), [7, 6, 5, 2]);
  await site.ok(['rollback', 'prod']);
  t.is((await site.ok(['release', '--show', 'prod'])).includes('audit'), false);
  t.deepEqual(await site.dropped(), ['prod/5', 'prod/6', 'prod/7'], 'what was rolled back from is as old as any release');
});

test('a receipt that a kept rollback published again stays, with its mark', async (t) => {
  const site = new Site(t);
  await releaseOften(site, 3);
  await site.ok(['rollback', 'prod', '#1']);
  await site.ok(['release', 'prod', 'HEAD']);
  await site.ok(['release', '--mark-bad', 'prod', '#1']);
  await site.ok(['retain', 'set', 'refs/releases/prod', '--keep-last', '2']);
  t.deepEqual(await site.dropped(), ['prod/2', 'prod/3']);
  t.deepEqual(await site.reasons('prod/1'), ['restored']);
  t.deepEqual(await site.reasons('prod/4'), ['keep-last 2']);
});

test('a release whose directory is live, or would be taken by a rollback, stays', async (t) => {
  const site = new Site(t);
  await site.ok(['config', 'release.keep', '9']);
  await releaseOften(site, 4);
  const names = readdirSync(join(site.root, '.out.cairn'));
  const named = (number: number): string => names.find((name) => name.startsWith(`${number}.`))!;
  await site.ok(['retain', 'set', 'refs/releases/*', '--keep-last', '1']);
  rmSync(join(site.root, 'out'));
  symlinkSync(`.out.cairn/${named(1)}`, join(site.root, 'out'));
  t.deepEqual(await site.reasons('prod/1'), ['live']);
  t.deepEqual(await site.dropped(), ['prod/2']);
  await site.ok(['retain', 'apply', (await site.plan()).plan]);
  t.true(existsSync(join(site.root, 'out', 'file')));
  t.false(existsSync(join(site.root, '.out.cairn', named(2))));
});

test('the newest release stays even when no rule keeps it, and so does the one before', async (t) => {
  const site = new Site(t);
  for (const number of [1, 2, 3]) {
    commitFiles(site.repository, { file: `release ${number}` });
    await site.ok(['release', 'notes']);
  }
  await site.ok(['retain', 'set', 'refs/releases/notes', '--keep-tagged']);
  t.deepEqual(await site.dropped(), ['notes/1']);
  t.deepEqual(await site.reasons('notes/3'), ['live']);
});

test('the mark of a bad release goes with it', async (t) => {
  const site = new Site(t);
  await releaseOften(site, 3);
  await site.ok(['release', '--mark-bad', 'prod', '#1']);
  await site.ok(['retain', 'set', 'refs/releases/prod', '--keep-last', '1']);
  const { plan, later, freed } = await site.plan();
  t.deepEqual([freed.objects, later.objects], [1, 0], "the channel's reflog lets go as well");
  await site.ok(['retain', 'apply', plan]);
  t.deepEqual(site.refs().filter((name) => name.startsWith('refs/cairn/bad/')), []);
});

test('a hold keeps an object without any other ref, in stock git as well', async (t) => {
  if (skipWithoutGit(t)) return;
  const site = new Site(t);
  commitFiles(site.repository, { file: 'main' });
  const id = site.addLone('refs/runs/lone', 'evidence');
  const added = JSON.parse(await site.ok(['hold', 'add', 'lone', '--reason', 'case 7\n\nmore: about it', '--until', '2027-01-31', '--json'])) as { id: string; until: string; object: string; named: string };
  t.like(added, { object: id, named: 'refs/runs/lone', until: '2027-02-01T00:00:00.000Z', reason: 'case 7\n\nmore: about it', over: false });
  await site.ok(['update-ref', '-d', 'refs/runs/lone']);
  const environment = { cwd: site.root, env: { GIT_DIR: site.repository.gitDirectory } };
  gitOutput(['reflog', 'expire', '--expire=now', '--all'], environment);
  gitOutput(['gc', '-q', '--prune=now'], environment);
  await site.ok(['gc', '-q', '--grace', '0'], { nowMs: Date.now() + hour });
  t.is(git(['cat-file', '-e', `${id}^{tree}`], environment).code, 0);
  t.is(git(['fsck', '--full', '--strict'], environment).code, 0);
  t.regex(gitOutput(['cat-file', 'tag', `refs/holds/${added.id}`], environment), /\n\ncase 7\n\nmore: about it\n\nHold: /);
  t.regex(await site.ok(['gc', '--explain', id]), new RegExp(`kept by hold ${added.id}: case 7$`, 'm'));
  t.is((JSON.parse(await site.ok(['gc', '--dry-run', '--json'], { nowMs: Date.now() })) as { kept: { by: { hold: { objects: number } } } }).kept.by.hold.objects, 4);
  await site.ok(['hold', 'release', added.id]);
  await site.ok(['gc', '-q', '--grace', '0'], { nowMs: Date.now() + 2 * hour });
  t.not(git(['cat-file', '-e', id], environment).code, 0);
  t.deepEqual([...listEvents(site.repository)].map(({ kind }) => kind), ['hold', 'hold-release']);
});

test('what is held is not deleted, and the refusal says why', async (t) => {
  const site = new Site(t);
  await site.addRun('a');
  await site.ok(['branch', 'side']);
  await site.ok(['tag', 'light']);
  await site.ok(['tag', '-m', 'x', 'heavy']);
  const { id } = JSON.parse(await site.ok(['hold', 'add', 'HEAD', '--reason', 'evidence', '--until', '30d', '--json'])) as { id: string };
  for (const argv of [['branch', '-D', 'side'], ['branch', '-d', 'side'], ['tag', '-d', 'light'], ['tag', '-d', 'heavy']]) {
    const result = await site.run(argv);
    t.not(result.code, 0, argv.join(' '));
    t.regex(result.stderr, /held by .* until 2026-12-02T10:00:00.000Z: evidence/, argv.join(' '));
  }
  await site.addRun('b');
  await site.ok(['retain', 'set', 'refs/*', '--keep-last', '1']);
  t.true((await site.reasons('refs/runs/a')).includes('held'));
  t.true((await site.reasons('refs/heads/side')).includes('held'));
  t.deepEqual(await site.dropped(), ['refs/runs/b'], 'which main has too');
  site.nowMs += 31 * day;
  t.regex(await site.ok(['hold', 'list']), /over since 2026-12-02/);
  t.true((await site.dropped()).includes('refs/runs/a'), 'a hold that is over keeps nothing');
  t.true((await site.dropped()).includes(`refs/holds/${id}`), 'and may go itself');
  await site.ok(['tag', '-d', 'light']);
  await site.ok(['retain', 'apply', (await site.plan()).plan]);
  t.is(await site.ok(['hold', 'list']), '');
});

test('a held release keeps its directory whatever release.keep says', async (t) => {
  const site = new Site(t);
  await site.ok(['config', 'release.keep', '1']);
  await releaseOften(site, 1);
  await site.ok(['hold', 'add', 'prod', '--reason', 'audit']);
  await releaseOften(site, 4);
  const [first] = readdirSync(join(site.root, '.out.cairn')).filter((name) => name.startsWith('1.'));
  t.truthy(first);
  t.true(existsSync(join(site.root, '.out.cairn', first!, 'file')));
});

test('a hold needs something to hold, a reason, and an end that is to come', async (t) => {
  const site = new Site(t);
  await site.addRun('a');
  for (const argv of [['add', 'nothing', '--reason', 'x'], ['add', 'a', '--reason', ' '], ['add', 'a', '--reason', 'x', '--until', '2001-01-01'], ['add', 'a', '--reason', 'x', '--until', '2027-02-30'],
    ['add', 'a', '--reason', 'x', '--until', 'soon'], ['release', 'nothing'], ['release', '../x']]) {
    t.is((await site.run(['hold', ...argv])).code, 2, argv.join(' '));
  }
  for (const argv of [[], ['keep'], ['add', 'a'], ['add', '--reason', 'x'], ['list', 'x'], ['list', '--reason', 'x'], ['release'], ['add', 'a', 'b', '--reason', 'x']]) {
    t.is((await site.run(['hold', ...argv])).code, 129, argv.join(' '));
  }
  t.is(await site.ok(['hold', 'list']), '');
  const { clock } = makeContext({ cwd: '/', nowMs: start }).context;
  t.is(parseUntil('2026-12-31T12:00:00Z', clock), Date.UTC(2026, 11, 31, 12));
  t.is(parseUntil('2106-02-07', clock), Date.UTC(2106, 1, 8));
  t.is(parseUntil('1y6mo', clock), start + (366 + 186) * day);
});

test('whatever is under refs/holds/ holds, also what is not as cairn writes it', async (t) => {
  const site = new Site(t);
  await site.addRun('a');
  const { id } = site.repository.refs.find('refs/runs/a')!;
  const tagger = { name: 'A', email: 'a@b', seconds: 1, offset: '+0000' };
  const tag = (name: string, message: string): void => {
    const made = site.repository.objects.write('tag', encodeTag({ object: id, type: 'commit', name, tagger, message: Buffer.from(message) }));
    updateRef(site.repository, { name: `refs/holds/${name}`, target: { id: made } });
  };
  updateRef(site.repository, { name: 'refs/holds/light', target: { id } });
  tag('plain', 'by hand\n');
  tag('garbled', `why\n\nHold: garbled\nObject: ${id}\nUntil: yesterday\n`);
  tag('borrowed', `why\n\nHold: other\nObject: ${id}\nUntil: 2001-01-01T00:00:00Z\n`);
  const holds = listHolds(reopen(site.root));
  t.deepEqual(holds.map(({ id: name, object, untilMs }) => [name, object, untilMs]), ['borrowed', 'garbled', 'light', 'plain'].map((name) => [name, id, undefined]));
  await site.addRun('b');
  await site.ok(['retain', 'set', 'refs/runs/*', '--keep-last', '1']);
  t.deepEqual(await site.reasons('refs/runs/a'), ['held']);
});

test('a hold that cannot be read stops the plan', async (t) => {
  const site = new Site(t);
  await site.addRun('a');
  await site.ok(['hold', 'add', 'a', '--reason', 'x']);
  for (const { ref } of listHolds(site.repository)) writeFileSync(join(site.repository.gitDirectory, ref), 'garbage\n');
  const result = await site.run(['retain', 'plan']);
  t.is(result.code, 6);
  t.throws(() => listHolds(reopen(site.root)), { instanceOf: CorruptError });
});
