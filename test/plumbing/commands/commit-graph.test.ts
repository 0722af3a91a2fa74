import test from 'ava';
import type { ExecutionContext } from 'ava';
import { cpSync, existsSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cairn } from '../../helpers/cairn.js';
import { bothFormats, compareFinished, makeRepository } from '../../helpers/differential.js';
import { makeSandbox } from '../../helpers/sandbox.js';
import { git, runProgram, skipWithoutGit } from '../../helpers/stock-git.js';

// Merges, an octopus, dates that go backwards and one far in the future, tags of tags, of trees and of blobs.
const script = `
commit() { echo $1 > f$1; git add f$1; GIT_COMMITTER_DATE="@$2 +0000" GIT_AUTHOR_DATE="@$2 +0000" git commit -qm $1; }
commit 1 1600000000; commit 2 1500000000; commit 3 1600000100
git checkout -q -b a HEAD~1; commit a 1400000000; git checkout -q -b b main~1; commit b 1700000000; git checkout -q -b c main~2; commit c 1600000000
git checkout -q main; GIT_COMMITTER_DATE="1600000200 +0000" git merge -q -m octopus a b c; commit 4 8000000000; commit 5 1600000300
git tag -am x t1; git tag -am xx t2 t1; git tag blob HEAD:f1; git tag tree HEAD^{tree}; git update-ref refs/odd/x c; git branch -D c -q; git repack -qd
commit 6 1600000400; git pack-refs --all`;

class Pair {
  readonly #t: ExecutionContext;
  readonly theirs: string;
  readonly ours: string;

  constructor(t: ExecutionContext, repository: string) {
    this.#t = t;
    const base = makeSandbox(t);
    this.theirs = join(base, 'a', 'repo');
    this.ours = join(base, 'b', 'repo');
    for (const copy of [this.theirs, this.ours]) cpSync(repository, copy, { recursive: true, preserveTimestamps: true });
  }

  async run(argv: readonly string[], stdin = ''): Promise<void> {
    const label = `cairn commit-graph ${argv.join(' ')}`;
    compareFinished(this.#t, label, git(['commit-graph', ...argv], { cwd: this.theirs, stdin }), await cairn(['commit-graph', ...argv], { cwd: this.ours, stdin }));
    this.#t.deepEqual(files(this.ours), files(this.theirs), label);
  }

  each(argv: readonly string[]): void {
    for (const cwd of [this.ours, this.theirs]) runProgram('git', argv, { cwd });
  }

  commit(number: number): void {
    const date = `${1_600_001_000 + number} +0000`;
    for (const cwd of [this.ours, this.theirs]) {
      runProgram('git', ['commit', '-q', '--allow-empty', '-m', String(number)], { cwd, env: { GIT_COMMITTER_DATE: date, GIT_AUTHOR_DATE: date } });
    }
  }

  config(name: string, value: string): void {
    this.each(['config', name, value]);
  }

  clear(): void {
    for (const cwd of [this.ours, this.theirs]) rmSync(join(cwd, '.git/objects/info'), { recursive: true, force: true });
  }
}

/** Names, modes and contents of what makes the graph. */
function files(repository: string): Record<string, string> {
  const info = join(repository, '.git/objects/info');
  if (!existsSync(info)) return {};
  const names = readdirSync(info, { recursive: true, encoding: 'utf8' }).filter((name) => name.includes('graph-') || name === 'commit-graph');
  return Object.fromEntries(names.filter((name) => statSync(join(info, name)).isFile()).sort().map((name) => (
    [`${name} ${(statSync(join(info, name)).mode & 0o777).toString(8)}`, readFileSync(join(info, name)).toString('hex')]
  )));
}

for (const format of bothFormats) {
  test(`a commit-graph is written byte for byte as git writes it (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    const repository = makeRepository(t, format, script);
    const pair = new Pair(t, repository);
    const id = (name: string): string => `${git(['rev-parse', name], { cwd: repository }).stdout.trim()}\n`;
    for (const argv of [[], ['bogus'], ['verify'], ['verify', 'x'], ['write', 'x'], ['verify', '--reachable'], ['write', '--shallow'], ['--object-dir=nowhere', 'write'],
      ['write', '--reachable', '--stdin-packs'], ['write', '--split=bogus'], ['write', '--max-commits=x'], ['write', '--expire-time=x']]) await pair.run(argv);
    await pair.run(['write']);
    await pair.run(['write', '--append']);
    await pair.run(['write', '--reachable', '--no-progress']);
    await pair.run(['verify']);
    await pair.run(['verify', '--shallow', '--no-progress']);
    pair.clear();
    await pair.run(['write', '--stdin-commits'], id('a') + id('t2') + id('blob') + id('tree'));
    await pair.run(['write', '--stdin-commits', '--append'], id('b'));
    await pair.run(['write', '--stdin-commits'], 'HEAD\n');
    await pair.run(['write', '--stdin-commits'], `${'1'.repeat(format === 'sha1' ? 40 : 64)}\n`);
    const packs = readdirSync(join(repository, '.git/objects/pack')).filter((name) => name.endsWith('.idx'));
    await pair.run(['--object-dir=.git/objects', 'write', '--stdin-packs'], `${packs.join('\n')}\n`);
    await pair.run(['write', '--stdin-packs'], 'bogus.idx\n');
    pair.config('commitGraph.generationVersion', '1');
    await pair.run(['write', '--reachable']);
    await pair.run(['verify']);
    pair.config('commitGraph.generationVersion', '2');
    pair.config('core.commitGraph', 'false');
    pair.clear();
    await pair.run(['write', '--reachable']);
    pair.config('core.commitGraph', 'true');
    pair.each(['replace', '--graft', 'HEAD']);
    await pair.run(['write', '--reachable']);
  });

  test(`chains grow and are merged as git's (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    const pair = new Pair(t, makeRepository(t, format, script));
    let number = 0;
    const grow = (commits: number): void => { for (let at = 0; at < commits; at += 1) pair.commit(number += 1); };
    await pair.run(['write', '--reachable']);
    await pair.run(['write', '--reachable', '--split']);
    grow(2);
    await pair.run(['write', '--reachable', '--split=no-merge']);
    grow(1);
    await pair.run(['write', '--reachable', '--split=no-merge']);
    await pair.run(['verify']);
    await pair.run(['verify', '--shallow']);
    grow(1);
    await pair.run(['write', '--reachable', '--split']);
    grow(1);
    await pair.run(['write', '--reachable', '--split', '--size-multiple=1', '--expire-time=2001-01-01']);
    grow(1);
    await pair.run(['write', '--reachable', '--split', '--size-multiple=30', '--max-commits=100']);
    grow(3);
    await pair.run(['write', '--reachable', '--split', '--size-multiple=1', '--max-commits=2']);
    pair.config('commitGraph.generationVersion', '1');
    await pair.run(['write', '--reachable', '--split=replace']);
    pair.config('commitGraph.generationVersion', '2');
    grow(1);
    await pair.run(['write', '--reachable', '--split=no-merge', '--append']);
    await pair.run(['verify']);
    await pair.run(['write', '--reachable', '--split=replace']);
    grow(1);
    await pair.run(['write', '--split=no-merge', '--stdin-commits'], git(['rev-parse', 'HEAD'], { cwd: pair.ours }).stdout);
    t.is(git(['commit-graph', 'verify'], { cwd: pair.ours }).code, 0);
    const counted = await cairn(['rev-list', '--count', '--all'], { cwd: pair.ours });
    t.is(counted.stdout, git(['-c', 'core.commitGraph=false', 'rev-list', '--count', '--all'], { cwd: pair.ours }).stdout);
    await pair.run(['write', '--reachable']);
  });
}

test('verify finds every flipped byte of a graph, and writing makes it good again', async (t) => {
  if (skipWithoutGit(t)) return;
  const cwd = makeRepository(t, 'sha1', script);
  await cairn(['commit-graph', 'write', '--reachable'], { cwd });
  const path = join(cwd, '.git/objects/info/commit-graph');
  const good = readFileSync(path);
  for (let at = 0; at < good.length; at += 31) {
    const flipped = Buffer.from(good);
    flipped[at] = flipped[at]! ^ 2;
    rmSync(path);
    writeFileSync(path, flipped);
    t.is((await cairn(['commit-graph', 'verify'], { cwd })).code, 1, `byte ${at}`);
  }
  t.is((await cairn(['commit-graph', 'write', '--reachable'], { cwd })).code, 0);
  t.deepEqual(readFileSync(path), good);
  t.is((await cairn(['commit-graph', 'write', '--reachable', '--changed-paths'], { cwd })).code, 129);
  git(['commit-graph', 'write', '--reachable', '--changed-paths'], { cwd });
  t.is((await cairn(['commit-graph', 'verify'], { cwd })).code, 0, 'filters of changed paths are passed over');
});
