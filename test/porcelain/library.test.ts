// The library as a program uses it: no process state, no console, no exit.
import test from 'ava';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  ConflictError, MaintenanceLock, NotFoundError, Repository, RevWalk, applyGc, commitEverything, createContext, diffTrees, isObjectId, markReachable,
  parseChannel, pathToUtf8, planGc, planRelease, publish, resolveCommit, resolveTree, updateRef,
} from '../../porcelain/library.js';
import { projectRoot } from '../helpers/cairn.js';
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
