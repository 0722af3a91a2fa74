// Options that scripts seldom use: each at least once beside stock git. `npm test` fails when an option of a plumbing command has no case.
import test from 'ava';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { cairn } from '../../helpers/cairn.js';
import { caseLines } from '../../helpers/case-lines.js';
import { bothFormats, compareFinished, compareWithGit, makeRepository, recordCase, stateOf } from '../../helpers/differential.js';
import { richHistory } from '../../helpers/rich-history.js';
import { makeSandbox } from '../../helpers/sandbox.js';
import { git, skipWithoutGit } from '../../helpers/stock-git.js';

const changes = `
echo more >>src/main.c; rm o1.txt; echo n >new; git add -N new
B=$(echo base | git hash-object -w --stdin)
printf "100644 $B 1\\tconf\\n100644 $B 2\\tconf\\n100755 $B 3\\tconf\\n" | git update-index --index-info; echo mine >conf
git update-index --skip-worktree o2.txt
`;

for (const format of bothFormats) {
  test(`walks and their output (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    await compareWithGit(t, makeRepository(t, format, richHistory), caseLines(`
      rev-list --objects --object-names HEAD~3..
      rev-list --objects --no-object-names --object-names HEAD~3..
      rev-list --encoding=ISO-8859-1 --pretty=%s HEAD~3..
      rev-list --encoding=none --pretty=medium HEAD~3..
      rev-list --pretty=medium --expand-tabs=4 HEAD~3..
      rev-list --pretty=medium --expand-tabs v0
      rev-list --pretty=medium --no-expand-tabs v0
      rev-list --show-signature --pretty=oneline HEAD~2..
      rev-parse --since=@1112000000 --after='2005-04-09 10:00:00 +0000' --until='2005-05-01 00:00:00 +0200' --before=@1113000000
      rev-parse --bisect
      rev-parse --show-superproject-working-tree
      rev-parse --shared-index-path
      shortlog -s --reflog
      shortlog --pretty=%h --abbrev=9 HEAD~3..
      describe --debug --tags HEAD~1
      describe --debug --exact-match v1
      fast-export --reencode=no --reflog --show-original-ids HEAD
      fast-export --reencode=no --default refs/heads/main
      fast-export --default topic v0
      fast-export --grep-reflog=x HEAD
      fast-export --reencode=no --walk-reflogs HEAD
      fast-export --children v0
      diff-tree --pretty --abbrev-commit HEAD~1
      diff-tree --pretty --no-abbrev-commit --abbrev-commit HEAD~1
      diff-tree --pretty=format:%s --encoding=ISO-8859-1 --root -s HEAD
      diff-tree --pretty --encoding=none -s --root HEAD
      -c core.abbrev=9 diff-tree --oneline -s HEAD
      commit-graph write --reachable --no-changed-paths
      commit-graph write --reachable --max-new-filters=5 --no-changed-paths
      update-server-info --force
      commit-tree --no-gpg-sign -m plain HEAD^{tree}
      write-tree --missing-ok
      symbolic-ref -m why refs/heads/alias refs/heads/topic
      symbolic-ref -m why HEAD refs/heads/alias
      symbolic-ref --no-recurse HEAD
      symbolic-ref --recurse HEAD
      reflog show HEAD -1
    `).map((one) => (/fast-export|commit-graph/.test(one.argv.join(' ')) ? { ...one, ignoreOutput: /show-original|commit-graph/.test(one.argv.join(' ')) } : one)));
  });

  test(`the index and the work tree (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    await compareWithGit(t, makeRepository(t, format, richHistory + changes), caseLines(`
      diff-files --ours
      diff-files --theirs
      diff-files --base -p
      diff-files -r
      diff-files -t --name-status
      diff-files -2 conf
      ls-files --debug conf
      update-index --ignore-submodules --refresh -q
      update-index --ignore-skip-worktree-entries --force-remove o2.txt
      update-index --ignore-skip-worktree-entries --remove o2.txt
      update-index --info-only --add o3.txt
      update-index --info-only src/main.c
      update-index --force-write-index
      update-index --force-write-index -q --refresh
      read-tree --verbose -u --reset HEAD
      read-tree --no-sparse-checkout -m -u HEAD
      read-tree --index-output=.git/other -m HEAD~1
      checkout-index --force -z --stdin
    `).map((one) => ({
      ...one,
      ...(one.argv.includes('--stdin') ? { stdin: 'src/main.c\0tool.sh\0' } : {}),
      // The words of what is refreshed are git's own.
      ...(one.argv.includes('--debug') ? { ignoreOutput: true, readsOnly: true } : {}),
    })));
  });

  test(`bundles of what is named in a roundabout way (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    await compareWithGit(t, makeRepository(t, format, `${richHistory} git config transfer.hideRefs refs/heads/o; git config receive.hideRefs refs/tags`), caseLines(`
      bundle create -q b1 --exclude-hidden=receive --all
      bundle list-heads b1
      bundle create -q b2 --exclude-hidden=fetch --all
      bundle create -q b3 --reflog main
      bundle list-heads b3
      bundle verify -q b3
      bundle create -q b4 --max-count=2 --all
      bundle list-heads b4
    `));
  });

  test(`answers that have no fixed order, or names made up, agree in what they say (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    const repository = makeRepository(t, format, richHistory);
    const sorted = (text: string): string[] => text.split('\n').sort();
    for (const argv of [['cat-file', '--batch-check', '--batch-all-objects', '--unordered'], ['cat-file', '--batch-all-objects', '--unordered', '--batch-check=%(objectname)']]) {
      const [theirs, ours] = [git(argv, { cwd: repository }), await cairn(argv, { cwd: repository })];
      recordCase(argv);
      t.is(ours.code, theirs.code);
      t.deepEqual(sorted(ours.stdout), sorted(theirs.stdout), argv.join(' '));
    }
    for (const argv of [['checkout-index', '--temp', 'src/main.c', 'tool.sh', 'link'], ['checkout-index', '--temp', '--stage=all', 'src/main.c'], ['checkout-index', '--temp', 'none']]) {
      const copies = ['a', 'b'].map((side) => join(makeSandbox(t), side));
      for (const copy of copies) cpSync(repository, copy, { recursive: true, verbatimSymlinks: true });
      const [theirs, ours] = [git(argv, { cwd: copies[0]! }), await cairn(argv, { cwd: copies[1]! })];
      recordCase(argv);
      const plain = (text: string): string => text.replace(/\.merge_(file|link)_\w+/g, 'temporary $1');
      t.is(ours.code, theirs.code, argv.join(' '));
      t.is(plain(ours.stdout), plain(theirs.stdout), argv.join(' '));
      t.deepEqual(stateOf(copies[1]!), stateOf(copies[0]!));
    }
  });

  test(`places and times are told alike (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    const repository = makeRepository(t, format, richHistory);
    const nowMs = Date.now();
    for (const line of ['rev-parse --absolute-git-dir', 'rev-parse --path-format=absolute --git-common-dir', 'diff-tree --pretty --relative-date -s HEAD~1',
      'diff-tree --pretty --date=relative -s HEAD~2', 'update-index --test-untracked-cache']) {
      const argv = line.split(' ');
      const theirs = git(argv, { cwd: repository });
      const ours = await cairn(argv, { cwd: repository, nowMs });
      compareFinished(t, line, theirs, ours, { ignoreOutput: line.startsWith('update-index') });
    }
  });
}
