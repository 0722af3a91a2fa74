// diff-index: the differences between a tree and the index, or a tree and the files of the work tree. See git-diff-index(1).
import { UsageError } from '../../pack/errors.js';
import type { Arguments, Command, Context } from '../command.js';
import { diffTreeToWorkTree } from '../diff/diff-index.js';
import { DiffRequest, diffOptions } from '../diff/diff-options.js';
import { reportDiff } from '../diff/diff-report.js';
import { readIndex } from '../index/index-file.js';
import { parseMergeStyle } from '../merge/merge-style.js';
import { parseLimits } from '../pathspec.js';
import { Repository } from '../repository.js';
import { RevisionSet, checkCommits, checkOptionsFirst, mergeBaseTree, takeRevisions, treeOfTip } from '../history/revision-set.js';
import { listStagedChanges } from '../index/staged-changes.js';

export const command: Command = {
  name: 'diff-index',
  family: 'git',
  summary: 'compare a tree with the index or the work tree',
  usage: ['diff-index [-m] [--cached] [--merge-base] [<options>] <tree-ish> [<path>...]'],
  options: [
    { name: 'cached', help: 'compare with the index, and do not look at the work tree' },
    { name: 'm', help: 'take files that are gone to be as they are in the index' },
    { name: 'merge-base', help: 'compare with the merge base of the commit and HEAD instead' },
    { name: 'c', help: 'show files that differ from index and tree as one difference from both' },
    { name: 'cc', help: 'like -c, only hunks that differ from both' },
    { name: 'r', help: 'go into directories (always)' },
    { name: 't', help: 'show directories too (there are none in an index)' },
    ...diffOptions,
  ],
  run(context: Context, args: Arguments): number {
    const repository = Repository.open(context);
    const combines = args.has('c') || args.has('cc');
    parseMergeStyle(args);
    const request = new DiffRequest(repository, args, { porcelain: false, format: combines ? 'patch' : 'raw', columns: 80 });
    const { before, after, dashes } = args.split();
    const set = new RevisionSet(repository);
    const paths = takeRevisions(repository, set, before, dashes, after);
    checkOptionsFirst(args, paths);
    const limits = parseLimits(repository, paths);
    const [tip] = set.tips;
    if (tip === undefined || set.tips.length > 1) throw new UsageError('one tree is needed');
    if (args.has('merge-base')) checkCommits([tip]);
    const tree = args.has('merge-base') ? mergeBaseTree(repository, tip.name, 'HEAD') : treeOfTip(repository, tip);
    const index = readIndex(repository);
    const options = { ...limits, unchanged: request.wantsUnchanged };
    const found = args.has('cached')
      ? { entries: listStagedChanges(repository.objects, tree, index, { ...options, showsIntended: request.showsIntended ?? true }), combined: [] }
      : diffTreeToWorkTree(repository, tree, index, { ...options, byAppearance: true, ignoresMissing: args.has('m'), combines });
    return reportDiff(context, repository, found, request, { dense: !args.has('c') });
  },
};
