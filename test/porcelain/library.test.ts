// The library as a program uses it: no process state, no console, no exit.
import test from 'ava';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  ConflictError, MaintenanceLock, NotFoundError, Repository, RevWalk, applyGc, commitEverything, createContext, diffTrees, isObjectId, markReachable,
  parseChannel, pathToUtf8, planGc, planRelease, publish, resolveCommit, resolveTree, updateRef,
} from '../../porcelain/library.js';
import { projectRoot } from '../helpers/cairn.js';
import { markGood, openResults, publishNight, recordNight, tidy } from '../helpers/library-program.js';
import { makeSandbox, writeFiles } from '../helpers/sandbox.js';
import { git, hasGit } from '../helpers/stock-git.js';

const people = { GIT_AUTHOR_NAME: 'A', GIT_AUTHOR_EMAIL: 'a@example.com', GIT_COMMITTER_NAME: 'C', GIT_COMMITTER_EMAIL: 'c@example.com' };

test('a program records a directory, walks its history, releases it and collects garbage', (t) => {
  const home = makeSandbox(t);
  const directory = join(home, 'work');
  const said: string[] = [];
  const context = createContext({ cwd: home, env: people, pid: process.pid, onMessage: (text) => said.push(text) });
  const { repository } = Repository.init(context, { directory });
  t.is(repository.format, 'sha256');

  writeFiles(directory, { 'a.txt': 'one\n', 'sub/b.txt': 'two\n' });
  const first = commitEverything(repository, 'First')!;
  writeFileSync(join(directory, 'a.txt'), 'changed\n');
  const second = commitEverything(repository, 'Second')!;
  t.is(commitEverything(repository, 'Nothing new'), undefined);
  t.true(isObjectId(second, 'sha256'));
  t.is(resolveCommit(repository, 'HEAD~1'), first);

  t.deepEqual([...new RevWalk(repository, [{ id: second, name: 'HEAD', isExcluded: false }])].map((node) => node.id), [second, first]);
  const changes = diffTrees(repository.objects, resolveTree(repository, first), resolveTree(repository, second), { recursive: true });
  t.deepEqual(changes.map(({ status, path }) => [status, pathToUtf8(path)]), [['M', 'a.txt']]);
  t.is(repository.objects.read(changes[0]!.new.id!).bytes.toString(), 'changed\n');
  t.throws(() => updateRef(repository, { name: 'refs/heads/main', expected: first, target: { id: first } }), { instanceOf: ConflictError });

  const request = {
    channel: parseChannel('stable'), commit: second, targets: ['../live'], paths: undefined, message: '', restores: undefined, expected: undefined,
  };
  t.is(planRelease(repository, request).outputs.length, 1);
  publish(repository, request);
  t.is(readFileSync(join(home, 'live', 'a.txt'), 'utf8'), 'changed\n');

  const reachable = markReachable(repository.objects, [second]);
  t.true(reachable.has(first) && reachable.has(second));
  const plan = planGc(repository, { graceMs: 0 });
  using lock = MaintenanceLock.acquire(repository);
  applyGc(repository, plan, lock, { graceMs: 0 });
  t.is(repository.objects.read(second).type, 'commit');
  if (hasGit()) t.is(git(['--git-dir', repository.gitDirectory, 'fsck', '--strict', '--full'], { cwd: home }).code, 0);
  t.throws(() => Repository.open(createContext({ cwd: '/' })), { instanceOf: NotFoundError });
  t.deepEqual(said, [], 'a library says nothing of its own accord');
});

test('the package gives the library under its own name', async (t) => {
  const name = 'cairn';
  const library = await import(name) as Record<string, unknown>;
  t.is(library['Repository'], Repository);
  t.true(readFileSync(join(projectRoot, 'dist/lib/porcelain/library.d.ts'), 'utf8').includes('createContext'));
});

test('the example program records nights, marks and publishes them, and tidies up', (t) => {
  const home = makeSandbox(t);
  const directory = join(home, 'results');
  writeFiles(directory, { 'metrics.json': '1', 'data/points': '1' });
  const repository = openResults(directory, people);
  const first = recordNight(repository, 'night 1')!;
  t.deepEqual([first.changed, first.files], [['A data/points', 'A metrics.json'], 2]);
  t.is(recordNight(repository, 'nothing new'), undefined);
  writeFiles(directory, { 'metrics.json': '2' });
  const second = recordNight(openResults(directory, people), 'night 2')!;
  t.deepEqual([second.changed, second.history], [['M metrics.json'], [second.commit, first.commit]]);
  const later = openResults(directory, people);
  markGood(later, first.commit, 'day-1');
  t.is(later.refs.find('refs/heads/good')?.id, first.commit);
  t.throws(() => { markGood(later, second.commit, 'day-1'); }, { instanceOf: ConflictError });
  t.is(later.refs.find('refs/heads/good')?.id, first.commit, 'both refs move or none');
  t.true(publishNight(later, second.commit, join(home, 'live')));
  t.false(publishNight(later, second.commit, join(home, 'live')), 'it is live already');
  t.is(readFileSync(join(home, 'live/metrics.json'), 'utf8'), '2');
  t.is(tidy(later, first.commit, 'quoted').length, 1);
  t.is(later.objects.readCommit(first.commit).message.toString(), 'night 1\n');
});

test('the page names only what the package exports, and all that the example uses', async (t) => {
  const page = readFileSync(join(projectRoot, 'man/cairn-api.7'), 'utf8');
  const exported = readFileSync(join(projectRoot, 'porcelain/library.ts'), 'utf8');
  const example = readFileSync(join(projectRoot, 'test/helpers/library-program.ts'), 'utf8');
  const used = /import \{([^}]*)\}/.exec(example)![1]!.split(',').map((name) => name.trim()).filter((name) => name !== '' && !name.startsWith('type '));
  for (const name of used) t.regex(page, new RegExp(`\\b${name}\\b`), name);
  const named = [...page.matchAll(/^\.BR? (.*)$/gm)].flatMap(([, words]) => words!.replaceAll('"', ' ').split(/[\s,;]+/)).filter((word) => /^(?:plan|apply|resolve|find|read|list|add|lock|write|decode|encode|parse|create|commit|make|mark|diff|scan|release|update)[A-Z]\w*$/.test(word));
  const methods = await import('../../porcelain/library.js');
  const owns = (word: string): boolean => [methods.Repository, methods.ObjectStore, methods.Refs, methods.RefTransaction, methods.Index].some(({ prototype }) => word in prototype);
  t.deepEqual(named.filter((word) => !exported.includes(word) && !owns(word)), []);
});
