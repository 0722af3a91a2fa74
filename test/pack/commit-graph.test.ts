import test from 'ava';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { CommitGraph } from '../../pack/commit-graph.js';
import { CorruptError } from '../../pack/errors.js';
import type { ObjectId } from '../../pack/oid.js';
import { cairnOutput } from '../helpers/cairn.js';
import { branchyHistory } from '../helpers/branchy-history.js';
import { bothFormats, makeRepository } from '../helpers/differential.js';
import { seededRandom } from '../helpers/sandbox.js';
import { gitOutput, skipWithoutGit } from '../helpers/stock-git.js';

const octopus = `
for b in o1 o2 o3; do git checkout -q -b $b v0; echo $b > $b; git add .; c $b 60; done
git checkout -q -b octopus main; git merge -q -m octopus o1 o2 o3
`;

for (const format of bothFormats) {
  test(`a graph tells of each commit what the commit itself says (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    const cwd = makeRepository(t, format, branchyHistory + octopus);
    const objects = join(cwd, '.git/objects');
    const lines = gitOutput(['log', '--all', '--format=%H %T %ct %P'], { cwd }).split('\n');
    const plain = await cairnOutput(['log', '--all', '--graph', '--format=%H %T %P'], { cwd });
    const check = (): void => {
      const graph = CommitGraph.find(objects, format)!;
      t.is(graph.count, lines.length);
      for (const line of lines) {
        const [id, tree, seconds, ...parents] = line.trim().split(' ') as [ObjectId, string, string, ...string[]];
        t.deepEqual(graph.find(id), { tree: tree as ObjectId, parents: parents as ObjectId[], seconds: Number(seconds) });
      }
      t.is(graph.find('0'.repeat(lines[0]!.indexOf(' ')) as ObjectId), undefined);
    };
    t.is(CommitGraph.find(objects, format), undefined);
    gitOutput(['commit-graph', 'write', '--reachable'], { cwd });
    check();
    t.is(await cairnOutput(['log', '--all', '--graph', '--format=%H %T %P'], { cwd }), plain);
  });

  test(`history is walked and counted as git does, wherever the graph ends (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    const cwd = makeRepository(t, format, `${branchyHistory}${octopus}`);
    const questions = [
      ['rev-list', '--all'], ['rev-list', '--count', '--all'], ['rev-list', '--count', '--first-parent', 'octopus'], ['rev-list', '--count', '--no-merges', 'octopus'],
      ['rev-list', '--count', 'octopus', '^v0'], ['rev-list', '--count', '--skip=2', '--max-count=3', 'octopus'], ['rev-list', '--first-parent', 'octopus'],
      ['rev-list', '--parents', '--all'], ['rev-list', '--reverse', 'octopus'], ['log', '--oneline', '--all'], ['log', '--all'], ['log', '--format=%H %T %P %s', '--all'],
    ];
    const check = async (): Promise<void> => {
      for (const argv of questions) t.is(await cairnOutput(argv, { cwd }), gitOutput(argv, { cwd }), argv.join(' '));
    };
    await check();
    gitOutput(['commit-graph', 'write', '--reachable'], { cwd });
    await check();
    for (const parents of [['octopus'], ['octopus', 'side'], ['octopus', 'main', 'side']]) {
      const id = gitOutput(['commit-tree', 'main^{tree}', '-m', `on ${parents.length}`, ...parents.flatMap((name) => ['-p', name])], { cwd }).trim();
      gitOutput(['update-ref', 'refs/heads/octopus', id], { cwd });
    }
    await check();
  });

  test(`a chain of graphs is read from its base up (${format})`, (t) => {
    if (skipWithoutGit(t)) return;
    const cwd = makeRepository(t, format, `${branchyHistory}
git rev-parse side | git commit-graph write --split=no-merge --stdin-commits; git commit-graph write --split=no-merge --reachable`);
    const graph = CommitGraph.find(join(cwd, '.git/objects'), format)!;
    for (const line of gitOutput(['log', '--all', '--format=%H %P'], { cwd }).split('\n')) {
      const [id, ...parents] = line.trim().split(' ') as ObjectId[];
      t.deepEqual(graph.find(id!)!.parents, parents);
    }
  });

  test(`a damaged graph gives a value or a CorruptError, never anything else (${format})`, (t) => {
    if (skipWithoutGit(t)) return;
    const cwd = makeRepository(t, format, `${branchyHistory}${octopus}git commit-graph write --reachable`);
    const ids = gitOutput(['rev-list', '--all'], { cwd }).split('\n') as ObjectId[];
    const path = join(cwd, '.git/objects/info', readdirSync(join(cwd, '.git/objects/info')).find((name) => name === 'commit-graph')!);
    const good = readFileSync(path);
    const random = seededRandom(11);
    for (let round = 0; round < 1500; round += 1) {
      let bytes = Buffer.from(good);
      if (round % 10 === 0) bytes = bytes.subarray(0, Math.floor(random() * bytes.length));
      else for (let hit = 0; hit < 1 + round % 3; hit += 1) bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
      try {
        const graph = CommitGraph.decode([{ path, bytes }], format);
        for (const id of ids) graph.find(id);
        graph.countReachable([round % graph.count], false);
      } catch (error) {
        if (!(error instanceof CorruptError)) throw error;
      }
    }
    t.pass();
  });
}
