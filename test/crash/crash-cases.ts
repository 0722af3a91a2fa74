// What the crash lab runs: one case per command that changes a repository, and the repository it starts from.
import { lstatSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CrashCase } from './crash-lab.js';

/** For stock git: two branches, packed and loose refs and objects, something staged, an object nobody needs. */
export const fixtureScript = `
  mkdir dir
  for i in 1 2 3; do echo "line $i" >>file; echo $i >dir/$i; git add -A; git commit -qm "commit $i"; done
  git tag -am release v1
  git repack -adq; git pack-refs --all
  git branch side HEAD~1
  echo 4 >>file; git add -A; git commit -qm 'commit 4'
  git branch other; git update-ref refs/heads/third HEAD~2
  echo staged >staged; git add staged
  echo unstaged >unstaged
  echo lost | git hash-object -w --stdin >/dev/null
`;

const main = 'refs/heads/main';

export const crashCases: readonly CrashCase[] = [
  { name: 'hash-object', argv: ['hash-object', '-w', 'file'] },
  { name: 'update-ref', argv: ['update-ref', 'refs/heads/new', main] },
  {
    name: 'update-ref of several refs',
    argv: ['update-ref', '--stdin'],
    stdin: `create refs/heads/a/b ${main}\nupdate refs/heads/side ${main}\nupdate refs/heads/other refs/heads/third\ndelete refs/heads/third\n`,
    again: ['update-ref', '--stdin'],
    stdinAgain: `update refs/heads/a/b ${main}\nupdate refs/heads/side ${main}\nupdate refs/heads/other ${main}~2\ndelete refs/heads/third\n`,
  },
  {
    name: 'update-ref of several refs, packed ones too',
    argv: ['update-ref', '--stdin'],
    stdin: `delete refs/tags/v1\nupdate refs/heads/new ${main}\nupdate refs/heads/side ${main}~1\ndelete refs/heads/main\n`,
    again: ['update-ref', '--stdin'],
    stdinAgain: 'delete refs/tags/v1\nupdate refs/heads/new refs/heads/other\nupdate refs/heads/side refs/heads/other~1\ndelete refs/heads/main\n',
  },
  { name: 'update-ref -d of a packed ref', argv: ['update-ref', '-d', 'refs/tags/v1'] },
  { name: 'symbolic-ref', argv: ['symbolic-ref', '-m', 'switch', 'HEAD', 'refs/heads/side'] },
  { name: 'pack-refs', argv: ['pack-refs', '--all'] },
  { name: 'update-index', argv: ['update-index', '--add', 'unstaged'] },
  { name: 'config', argv: ['config', 'user.signingKey', 'a value'] },
  { name: 'gc', argv: ['gc', '-q'] },
  { name: 'repack', argv: ['repack', '-a', '-d', '-q'] },
  { name: 'repack into a geometric row', argv: ['repack', '--geometric=2', '-d', '-m', '-q'] },
  { name: 'prune', argv: ['prune'] },
  { name: 'gc with grace 0', argv: ['gc', '-q', '--grace=0'] },
  { name: 'commit', argv: ['commit', '-q', '-m', 'five'], codesAgain: [0, 1, 3], isRepeatable: false },
  { name: 'add', argv: ['add', '-A'] },
  { name: 'rm', argv: ['rm', '-q', 'dir/1'], again: ['rm', '-q', '--ignore-unmatch', 'dir/1'] },
  { name: 'read-tree', argv: ['read-tree', 'HEAD~1'] },
  { name: 'write-tree', argv: ['write-tree'] },
  { name: 'reflog expire', argv: ['reflog', 'expire', '--expire=all', '--all'] },
  { name: 'prune-packed', argv: ['prune-packed'] },
  {
    name: 'release',
    argv: ['release', 'stable', '--to', '{}/target'],
    isRepeatable: false,
    timedRefs: /^refs\/(?:releases|cairn)\//,
    check: (directory, phase) => {
      const target = join(directory, '../target');
      if (phase === 'cut' && lstatSync(target, { throwIfNoEntry: false }) === undefined) return;
      const file = readFileSync(join(target, 'file'), 'utf8');
      if (file !== 'line 1\nline 2\nline 3\n4\n') throw new Error(`the target holds ${JSON.stringify(file)}`);
    },
  },
];
