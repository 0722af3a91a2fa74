// Branches side by side, as stock git shows them.
import test from 'ava';
import { cairn } from '../../helpers/cairn.js';
import { caseLines } from '../../helpers/case-lines.js';
import { bothFormats, compareFinished, compareWithGit, makeRepository } from '../../helpers/differential.js';
import { richHistory } from '../../helpers/rich-history.js';
import { git, skipWithoutGit } from '../../helpers/stock-git.js';

for (const format of bothFormats) {
  test(`branches are compared down to what they share (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    await compareWithGit(t, makeRepository(t, format, richHistory), caseLines(`
      show-branch
      show-branch --all
      show-branch -a --no-all
      show-branch --remotes
      show-branch main topic conflict
      show-branch --topo-order main topic conflict o1
      show-branch --date-order main topic conflict o1
      show-branch --date-order --topo-order main conflict
      show-branch --more=3 main topic
      show-branch --more main topic
      show-branch --more=-1 main topic
      show-branch --list
      show-branch --list --no-list main o1
      show-branch --no-name main conflict
      show-branch --sha1-name main conflict
      show-branch --topics main conflict o1
      show-branch --topics main
      show-branch --sparse main side topic
      show-branch --current o1 o2
      show-branch --merge-base main topic
      show-branch --merge-base o1 o2 o3
      show-branch --merge-base main side
      show-branch --independent main topic o1 side
      show-branch --color=always main o1 o2
      show-branch --color=never main o1
      show-branch main
      show-branch o? feature/*
      show-branch nothing*
      show-branch refs/heads/main heads/o1 v1
      show-branch nothing
      show-branch blobtag
      show-branch --independent --merge-base main o1
      show-branch --list --merge-base main o1
      show-branch --reflog=1 --all
      show-branch --reflog=99
      show-branch --reflog=x
      show-branch main --list
      -c showbranch.default=--topics -c showbranch.default=main -c showbranch.default=o1 show-branch
      src$ show-branch --merge-base main conflict
    `, { readsOnly: true }));
  });

  test(`entries of a reflog are told with their age (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    const repository = makeRepository(t, format, richHistory);
    const nowMs = Date.now();
    for (const line of ['show-branch -g', 'show-branch --reflog=3', 'show-branch --reflog=2,1 main', 'show-branch --reflog=2 --list HEAD', 'show-branch --reflog=3,2005-04-08 main']) {
      const argv = line.split(' ');
      compareFinished(t, line, git(argv, { cwd: repository }), await cairn(argv, { cwd: repository, nowMs }));
    }
  });
}
