// diff-files: the differences between the index and the work tree. See git-diff-files(1).
import { UsageError } from '../../pack/errors.js';
import type { Arguments, Command, Context } from '../command.js';
import { diffIndexToWorkTree } from '../diff/diff-index.js';
import { DiffRequest, diffOptions } from '../diff/diff-options.js';
import { reportDiff } from '../diff/diff-report.js';
import { readIndex } from '../index/index-file.js';
import { parseMergeStyle } from '../merge/merge-style.js';
import { parseLimits } from '../pathspec.js';
import { Repository } from '../repository.js';
import { RevisionSet, checkOptionsFirst, takeRevisions } from '../history/revision-set.js';

export const command: Command = {
  name: 'diff-files',
  family: 'git',
  summary: 'compare files of the work tree with the index',
  usage: ['diff-files [-q] [-0 | -1 | -2 | -3 | -c | --cc] [<options>] [<path>...]'],
  options: [
    { name: 'q', help: 'for old scripts; git has come to list files that are gone with it, too' },
    { name: 'base', help: 'compare unmerged files with the base (-1)' },
    { name: 'ours', help: 'compare unmerged files with our side (-2, the default)' },
    { name: 'theirs', help: 'compare unmerged files with their side (-3)' },
    { name: '0', help: 'only tell that unmerged files are' },
    { name: '1', help: 'same as --base' },
    { name: '2', help: 'same as --ours' },
    { name: '3', help: 'same as --theirs' },
    { name: 'c', help: 'show unmerged files as one difference from both sides' },
    { name: 'cc', help: 'like -c, only hunks that differ from both sides (the default with -p)' },
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
    if (set.tips.length > 0) throw new UsageError('only paths may be given');
    const stage = args.lastOf('0', '1', '2', '3', 'base', 'ours', 'theirs');
    const stages = { 0: 0, 1: 1, 2: 2, 3: 3, base: 1, ours: 2, theirs: 3 } as const;
    const found = diffIndexToWorkTree(repository, readIndex(repository), {
      ...parseLimits(repository, paths), unchanged: request.wantsUnchanged, byAppearance: true, showsIntended: request.showsIntended ?? false,
      unmergedStage: stage === undefined ? 2 : stages[stage as keyof typeof stages],
      combines: combines || (request.format.patch === true && stage === undefined),
    });
    return reportDiff(context, repository, found, request, { dense: !args.has('c') });
  },
};
