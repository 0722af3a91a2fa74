// log: commits that can be reached, newest first, and what they changed. See git-log(1) and cairn-log(1).
import { InvalidError } from '../../pack/errors.js';
import type { Arguments, Command, Context } from '../../plumbing/command.js';
import { diffOptions } from '../../plumbing/diff-options.js';
import { patchKeyOf } from '../../plumbing/patch-key.js';
import { Pathspec } from '../../plumbing/pathspec.js';
import { listReflogCommits } from '../../plumbing/reflog-walk.js';
import { Repository } from '../../plumbing/repository.js';
import { RevWalk } from '../../plumbing/walk.js';
import { parseWalk, walkOptions } from '../../plumbing/walk-options.js';
import { HistoryView, viewOptions } from '../history-view.js';

const taken = new Set([...walkOptions, ...viewOptions].map(({ name }) => name));

export const command: Command = {
  name: 'log',
  family: 'git',
  summary: 'show the history of commits',
  usage: ['log [<options>] [<revision range>] [[--] <path>...]'],
  numeric: true,
  paged: true,
  options: [
    ...walkOptions, ...viewOptions, ...diffOptions.filter(({ name }) => !taken.has(name) && name !== 'exit-code'),
    { name: 'follow', help: 'go on beyond renames of the one file given' },
  ],
  run(context: Context, args: Arguments): number {
    const repository = Repository.open(context);
    const request = parseWalk(repository, args, { start: 'HEAD' });
    const follow = args.has('follow') ? followed(repository, request.paths) : undefined;
    const { pathspec, ...unlimited } = request.options;
    const walk = new RevWalk(repository, request.set.commits, {
      ...unlimited, ...(pathspec === undefined || follow !== undefined ? {} : { pathspec }), keepContent: true, wantSource: HistoryView.needsSource(args),
      ...(unlimited.cherry === undefined ? {} : { patchKey: patchKeyOf(repository) }),
      ...(follow === undefined ? {} : { maxCount: -1 }),
    });
    const view = new HistoryView(context, repository, args, {
      showsPatches: args.has('c') || args.has('cc'), denseMerges: false, paths: request.paths, walk, graph: request.isGraph, ...(follow === undefined ? {} : { follow }),
    });
    if (request.isReflogWalk) {
      const dated = args.has('date') ? view.dateMode : undefined;
      for (const { node, reflog } of listReflogCommits(repository, request, dated)) view.show(node, reflog);
    } else {
      let left = follow === undefined || request.options.maxCount === undefined ? Infinity : request.options.maxCount;
      for (const node of walk) {
        if (!view.follows(node)) continue;
        if (left <= 0) break;
        left -= 1;
        view.show(node);
        view.stepBack(node);
      }
    }
    view.flush();
    return 0;
  },
};

function followed(repository: Repository, paths: readonly string[]): string {
  if (paths.length !== 1) throw new InvalidError('--follow requires exactly one pathspec', { code: 'bad-options' });
  const pathspec = Pathspec.parse(paths, { prefix: repository.prefix, workTree: repository.workTree, env: repository.context.env });
  return pathspec.items[0]!.match;
}
