// The history of reflogs, entry by entry, as log -g shows it: for reflog and stash list. See git-reflog(1). Only reads.
import { type OptionSpec, parseArguments } from '../plumbing/command.js';
import { diffOptions } from '../plumbing/diff/diff-options.js';
import { listReflogCommits } from '../plumbing/history/reflog-walk.js';
import { RevWalk } from '../plumbing/history/walk.js';
import { parseWalk, walkOptions } from '../plumbing/history/walk-options.js';
import type { Repository } from '../plumbing/repository.js';
import { HistoryView, findMailmap, lateOptions, viewOptions } from './history-view.js';

const taken = new Set([...walkOptions, ...viewOptions].map(({ name }) => name));
const showOptions: readonly OptionSpec[] = [...walkOptions, ...viewOptions, ...diffOptions.filter(({ name }) => !taken.has(name) && name !== 'exit-code')];

/** Prints the entries that options and revisions of log choose (HEAD's without any); returns 0. */
export function showReflogs(repository: Repository, argv: readonly string[]): number {
  const { context } = repository;
  const args = parseArguments({ options: showOptions, numeric: true }, ['--walk-reflogs', ...argv]);
  const mailmap = findMailmap(repository, args);
  const request = parseWalk(repository, args, { start: 'HEAD', late: lateOptions, mailmap });
  const { pathspec, ...unlimited } = request.options;
  const walk = new RevWalk(repository, request.set.commits, { ...unlimited, ...(pathspec === undefined ? {} : { pathspec }), keep: 'contents' });
  const view = new HistoryView(context, repository, args, { showsPatches: args.has('c') || args.has('cc'), denseMerges: false, paths: request.paths, walk, graph: request.isGraph, mailmap });
  const dated = args.has('date') ? view.dateMode : undefined;
  for (const { node, reflog } of listReflogCommits(repository, request, dated)) view.show(node, reflog);
  view.flush();
  return 0;
}
