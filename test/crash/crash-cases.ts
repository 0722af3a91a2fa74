// What the crash lab runs: one case per command that changes a repository, and the repository it starts from.
import { lstatSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ObjectId } from '../../pack/oid.js';
import { Repository } from '../../plumbing/repository.js';
import { cairnProcess, makeContext } from '../helpers/cairn.js';
import { git, gitOutput } from '../helpers/stock-git.js';
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
  echo lost | git hash-object -w --stdin >.git/lost
  blob=$(echo foreign | git hash-object -w --stdin); tree=$(printf '100644 blob %s\\tf\\n' $blob | git mktree)
  foreign=$(git commit-tree -m foreign $tree); git update-ref refs/heads/foreign $foreign
  git bundle create -q .git/spare.bundle foreign; git rev-list --objects --no-object-names foreign >.git/spare.ids
  git pack-objects -q .git/spare <.git/spare.ids >/dev/null; mv .git/spare-*.pack .git/spare.pack; rm .git/spare-*
  git update-ref -d refs/heads/foreign
  for id in $(cat .git/spare.ids); do rm -f .git/objects/$(echo $id | cut -c1-2)/$(echo $id | cut -c3-); done
`;

const main = 'refs/heads/main';

const importStream = `blob
mark :1
data 6
hello

commit refs/heads/imported
mark :2
committer A <a@example.com> 1112911993 +0000
data 3
one
M 100644 :1 greeting

commit refs/heads/imported
committer A <a@example.com> 1112911993 +0000
data 3
two
M 100644 inline greeting
data 4
bye

done
`;

/** What was handed over from elsewhere is there, whole, once that was acknowledged. */
function checkForeign(directory: string, phase: 'cut' | 'acknowledged' | 'again'): void {
  if (phase === 'cut') return;
  for (const id of readFileSync(join(directory, '.git/spare.ids'), 'latin1').trim().split('\n')) requireObject(directory, id);
}

/** What nobody needs is in the store or in quarantine at any time. */
function requireLost(directory: string): void {
  const { objects } = Repository.open(makeContext({ cwd: directory, pid: process.pid }).context);
  try {
    objects.read(readFileSync(join(directory, '.git/lost'), 'latin1').trim() as ObjectId);
  } finally {
    objects.close();
  }
}

function requireClean(directory: string, phase: string): void {
  const { code, stderr } = git(['fsck', '--full'], { cwd: directory });
  if (code !== 0) throw new Error(`${phase}: ${stderr}`);
}

function requireObject(directory: string, id: string): void {
  const { code, stderr } = git(['cat-file', '-p', id], { cwd: directory });
  if (code !== 0) throw new Error(`object '${id}' is not there: ${stderr}`);
}

/** Exactly one of the branches is there, with settings and a reflog. */
function requireWhole(directory: string, names: readonly string[], former = 'other'): void {
  const there = names.filter((name) => git(['rev-parse', '-q', '--verify', `refs/heads/${name}`], { cwd: directory }).code === 0);
  const [name] = there;
  if (name === undefined || there.length > 1) throw new Error(`of ${names.join(' and ')} there are ${there.length}`);
  const merge = git(['config', '--get-all', `branch.${name}.merge`], { cwd: directory }).stdout.trim();
  if (merge !== 'refs/heads/main') throw new Error(`branch ${name}, ${former} before, follows '${merge}'`);
  if (git(['reflog', 'show', name, '--'], { cwd: directory }).stdout === '') throw new Error(`branch ${name} has no reflog`);
}

/** Nothing staged, and a branch that is to be merged. */
const prepareMerge = `
  git reset -q --hard
  blob=$(echo topic | git hash-object -w --stdin)
  GIT_INDEX_FILE=.git/topic.index git read-tree HEAD~1
  GIT_INDEX_FILE=.git/topic.index git update-index --add --cacheinfo 100644,$blob,topic/file
  git update-ref refs/heads/topic $(git commit-tree -p HEAD~1 -m topic $(GIT_INDEX_FILE=.git/topic.index git write-tree))
  rm .git/topic.index
`;

export const crashCases: readonly CrashCase[] = [
  {
    name: 'hash-object', argv: ['hash-object', '-w', 'unstaged'],
    check: (directory, phase) => { if (phase !== 'cut') requireObject(directory, gitOutput(['hash-object', 'unstaged'], { cwd: directory })); },
  },
  {
    name: 'hash-object of several files', argv: ['hash-object', '-w', '--stdin-paths'], stdin: 'file\nunstaged\ndir/1\n',
    check: (directory, phase) => {
      if (phase !== 'cut') for (const file of ['file', 'unstaged', 'dir/1']) requireObject(directory, gitOutput(['hash-object', file], { cwd: directory }));
    },
  },
  { name: 'unpack-objects', argv: ['unpack-objects', '-q'], stdinFile: '.git/spare.pack', check: checkForeign },
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
  {
    // A journal that came back would move the refs forth once more.
    name: 'update-ref of several refs, forth and back', argv: ['update-ref', '--stdin'], stdin: `update refs/heads/side ${main}\nupdate refs/heads/other refs/heads/third\n`,
    then: [{ argv: ['update-ref', 'refs/heads/side', `${main}~2`] }, { argv: ['update-ref', 'refs/heads/other', main] }],
  },
  // A loose ref that came back would be the deleted one.
  { name: 'pack-refs, then update-ref -d', argv: ['pack-refs', '--all'], then: [{ argv: ['update-ref', '-d', 'refs/heads/third'] }] },
  { name: 'symbolic-ref', argv: ['symbolic-ref', '-m', 'switch', 'HEAD', 'refs/heads/side'] },
  { name: 'pack-refs', argv: ['pack-refs', '--all'] },
  { name: 'update-index', argv: ['update-index', '--add', 'unstaged'] },
  { name: 'config', argv: ['config', 'user.signingKey', 'a value'] },
  { name: 'gc', argv: ['gc', '-q'] },
  { name: 'repack', argv: ['repack', '-a', '-d', '-q'] },
  { name: 'repack into a geometric row', argv: ['repack', '--geometric=2', '-d', '-m', '-q'] },
  { name: 'prune', argv: ['prune'] },
  { name: 'gc with grace 0', argv: ['gc', '-q', '--grace=0'], check: requireLost },
  { name: 'gc --undo', prepare: 'node "$CAIRN" gc -q --grace=0', argv: ['gc', '-q', '--undo'], codesAgain: [0, 2], isRepeatable: false, check: requireLost },
  { name: 'commit', argv: ['commit', '-q', '-m', 'five'], codesAgain: [0, 1, 3], isRepeatable: false },
  {
    // The hook sees the lock's file, which is then written again. What the hook writes itself the lab does not see: its blob is there before.
    name: 'commit with a hook', argv: ['commit', '-q', '-a', '-m', 'five'], codesAgain: [0, 1, 3], isRepeatable: false,
    prepare: "mkdir -p .git/hooks; printf '#!/bin/sh\\ngit update-index --add unstaged\\n' >.git/hooks/pre-commit; chmod +x .git/hooks/pre-commit; echo more >>file; git hash-object -w unstaged",
  },
  { name: 'add', argv: ['add', '-A'] },
  { name: 'rm', argv: ['rm', '-q', 'dir/1'], again: ['rm', '-q', '--ignore-unmatch', 'dir/1'] },
  { name: 'tag', argv: ['tag', '-a', '-m', 'two', 'v2', 'side'], again: ['tag', '-f', '-a', '-m', 'two', 'v2', 'side'] },
  { name: 'branch', argv: ['branch', 'new', 'side'], again: ['branch', '-f', 'new', 'side'] },
  {
    name: 'branch -m', argv: ['branch', '-m', 'other', 'deep/er'], codesAgain: [0, 1, 2, 128], isRepeatable: false,
    prepare: 'git config branch.other.remote .; git config branch.other.merge refs/heads/main', check: (directory) => { requireWhole(directory, ['other', 'deep/er']); },
  },
  {
    name: 'branch -M of the branch two work trees are on', argv: ['branch', '-M', 'main', 'third'], codesAgain: [0, 1, 2, 128], isRepeatable: false,
    prepare: `
      git config branch.main.remote .; git config branch.main.merge refs/heads/main
      git worktree add -q --detach .git/linked 2>/dev/null; git -C .git/linked symbolic-ref HEAD refs/heads/main
    `,
    check: (directory) => {
      const heads = ['HEAD', 'worktrees/linked/HEAD'].map((name) => readFileSync(join(directory, '.git', name), 'latin1').trim().replace('ref: refs/heads/', ''));
      if (heads[0] !== heads[1]) throw new Error(`one work tree is on ${heads[0]}, the other on ${heads[1]}`);
      requireWhole(directory, heads[0] === 'main' ? ['main'] : ['third'], 'main');
    },
  },
  {
    name: 'branch -c', argv: ['branch', '-c', 'other', 'copy'], codesAgain: [0, 1, 2, 3, 128], isRepeatable: false,
    prepare: 'git config branch.other.remote .; git config branch.other.merge refs/heads/main',
    check: (directory) => {
      requireWhole(directory, ['other']);
      if (git(['rev-parse', '-q', '--verify', 'refs/heads/copy'], { cwd: directory }).code === 0) requireWhole(directory, ['copy']);
    },
  },
  { name: 'branch -D', argv: ['branch', '-D', 'third'], codesAgain: [0, 1, 2, 128], isRepeatable: false },
  // What was half written into the work tree is in the way of a careful command, so that the next one is told to replace it.
  { name: 'switch', argv: ['switch', '-q', '-f', 'side'] },
  { name: 'checkout of files', argv: ['checkout', '-q', 'HEAD~1', '--', 'file', 'dir'] },
  { name: 'restore', argv: ['restore', '--source=HEAD~1', '--staged', '--worktree', 'file'] },
  { name: 'reset', argv: ['reset', '-q', '--hard', 'HEAD~1'], again: ['reset', '-q', '--hard', 'other~1'] },
  { name: 'merge', prepare: prepareMerge, argv: ['merge', '-q', '-m', 'merged', 'topic'], again: ['reset', '-q', '--hard'], isRepeatable: false },
  { name: 'bundle create', argv: ['bundle', 'create', '-q', '.git/made.bundle', '--all'] },
  {
    // Everything in the damaged pack is there loose, too: at no time is anything needed out of reach.
    name: 'repair', isDamaged: true, argv: ['repair', '-q', '--from', '.git/copy.bundle'],
    prepare: `
      git bundle create -q .git/copy.bundle --all
      pack=$(ls .git/objects/pack/pack-*.pack); mv $pack .git/pack; git unpack-objects -q <.git/pack; mv .git/pack $pack
      chmod u+w $pack; printf rot | dd of=$pack bs=1 seek=60 conv=notrunc 2>/dev/null
    `,
    check: (directory, phase) => {
      if (phase !== 'cut') requireClean(directory, phase);
    },
  },
  {
    // A pack of which nothing can be read, and a commit-graph that is damaged: both are kept, wherever the power is cut.
    name: 'repair of what cannot be read', isDamaged: true, argv: ['repair', '-q', '--from', '.git/copy.bundle'],
    prepare: `
      git bundle create -q .git/copy.bundle --all
      pack=$(ls .git/objects/pack/pack-*.pack); mv $pack .git/pack; git unpack-objects -q <.git/pack; mv .git/pack $pack
      git commit-graph write --reachable
      chmod -R u+w .git/objects; printf rot | dd of=.git/objects/info/commit-graph bs=1 seek=200 conv=notrunc 2>/dev/null
      printf rot >$pack; printf rot >$(echo $pack | sed s/pack$/idx/)
    `,
    check: (directory, phase) => {
      const names = readdirSync(join(directory, '.git'), { recursive: true, encoding: 'utf8' }).filter((name) => /(?:\.idx|commit-graph)$/.test(name));
      const kept = names.filter((name) => readFileSync(join(directory, '.git', name), 'latin1').includes('rot'));
      if (!kept.some((name) => name.endsWith('.idx')) || !kept.some((name) => name.endsWith('commit-graph'))) throw new Error(`of what was damaged only ${kept.join(', ')} is left`);
      if (phase !== 'cut') requireClean(directory, phase);
    },
  },
  {
    name: 'archive', argv: ['archive', 'create', '{}/made.archive', '--force'],
    check: (directory, phase) => {
      if (phase === 'cut') return;
      const { code, stderr } = cairnProcess(['archive', 'verify', '../made.archive'], { cwd: directory });
      if (code !== 0) throw new Error(stderr);
    },
  },
  {
    name: 'archive restore', argv: ['archive', 'restore', '.git/made.archive', '.git/back/here'], prepare: 'node "$CAIRN" archive create .git/made.archive --all; mkdir .git/back',
    again: ['rev-parse', 'HEAD'],
    check: (directory, phase) => {
      const restored = join(directory, '.git/back/here');
      if (phase === 'cut' && lstatSync(restored, { throwIfNoEntry: false }) === undefined) return;
      if (phase === 'again' && lstatSync(restored, { throwIfNoEntry: false }) === undefined) return;
      requireClean(restored, phase);
      const { stdout } = git(['status', '--porcelain'], { cwd: restored });
      if (stdout !== '') throw new Error(`of what was restored this is not as it was: ${stdout}`);
    },
  },
  { name: 'hold', argv: ['hold', 'add', 'v1', '--reason', 'audit'], isRepeatable: false, codesAgain: [0, 1, 2, 3, 4], timedRefs: /^refs\/holds\// },
  {
    name: 'retain apply', argv: ['retain', 'apply', '{.git/plan}'], again: ['retain', 'plan'], isRepeatable: false,
    prepare: `
      for i in 1 2 3 4; do GIT_COMMITTER_DATE="111291199$i +0000" git update-ref --create-reflog refs/runs/$i $(git commit-tree -m run$i -p HEAD 'HEAD^{tree}'); done
      node "$CAIRN" retain set 'refs/runs/*' --keep-last 1; node "$CAIRN" retain plan --json | sed -n 's/.*"plan":"\\([0-9a-f]*\\)".*/\\1/p' | head -1 >.git/plan
    `,
  },
  { name: 'read-tree', argv: ['read-tree', 'HEAD~1'] },
  { name: 'write-tree', argv: ['write-tree'] },
  { name: 'reflog expire', argv: ['reflog', 'expire', '--expire=all', '--all'] },
  { name: 'prune-packed', argv: ['prune-packed'] },
  { name: 'fast-import', argv: ['fast-import', '--quiet', '--force'], stdin: importStream },
  { name: 'bundle unbundle', argv: ['bundle', 'unbundle', '.git/spare.bundle'], check: checkForeign },
  {
    name: 'index-pack',
    argv: ['index-pack', '.git/spare.pack'],
    check: (directory, phase) => {
      if (phase === 'cut') return;
      const { code, stderr } = git(['verify-pack', '.git/spare.idx'], { cwd: directory });
      if (code !== 0) throw new Error(stderr);
    },
  },
  { name: 'multi-pack-index', argv: ['multi-pack-index', 'write'] },
  { name: 'commit-graph in layers', argv: ['commit-graph', 'write', '--reachable', '--split'], prepare: 'git commit-graph write --reachable --split; git commit -q -m more' },
  { name: 'commit-graph', argv: ['commit-graph', 'write', '--reachable'] },
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
