// log: commits that can be reached, newest first, and what they changed; with --runs, the runs. See git-log(1) and cairn-log(1).
import { InvalidError, UsageError } from '../../pack/errors.js';
import type { ObjectId } from '../../pack/oid.js';
import type { Arguments, Command, Context } from '../../plumbing/command.js';
import { Decorations } from '../../plumbing/history/decorations.js';
import { diffOptions } from '../../plumbing/diff/diff-options.js';
import { patchKeyOf } from '../../plumbing/diff/patch-key.js';
import { findInTree, peel } from '../../plumbing/history/revision.js';
import { Pathspec, pathspecContext } from '../../plumbing/pathspec.js';
import { listReflogCommits } from '../../plumbing/history/reflog-walk.js';
import { Repository } from '../../plumbing/repository.js';
import { RevWalk, type WalkOptions } from '../../plumbing/history/walk.js';
import { type WalkRequest, parseWalk, walkOptions } from '../../plumbing/history/walk-options.js';
import { HistoryView, decorationOptions, findMailmap, lateOptions, notesToSearch, viewOptions } from '../history-view.js';
import { listRuns } from '../run.js';

const taken = new Set([...walkOptions, ...viewOptions].map(({ name }) => name));

export const command: Command = {
  name: 'log',
  family: 'git',
  summary: 'show the history of commits',
  usage: ['log [<options>] [<revision range>] [[--] <path>...]', 'log --runs [<options>] [--] [<path>...]'],
  numeric: true,
  paged: true,
  options: [
    ...walkOptions, ...viewOptions, ...diffOptions.filter(({ name }) => !taken.has(name)),
    { name: 'follow', negatable: true, help: 'go on beyond renames of the one file given' },
    { name: 'runs', help: 'list the runs and their commits instead of history' },
  ],
  run(context: Context, args: Arguments): number {
    const repository = Repository.open(context);
    return args.has('runs') ? showRuns(context, repository, args) : showHistory(context, repository, args);
  },
};

function showHistory(context: Context, repository: Repository, args: Arguments): number {
  const mailmap = findMailmap(repository, args);
  const request = parseWalk(repository, args, {
    start: 'HEAD', late: lateOptions, mailmap, decorations: new Decorations(repository, decorationOptions(args)), notesOf: notesToSearch(repository, args),
  });
  const follow = followed(repository, args, request.paths);
  const options = optionsFor(repository, request, args);
  // A followed file has several names: which commits change it is seen from their differences.
  const { pathspec: _unused, ...unlimited } = options;
  // Commits that are passed over for what they changed do not count, unless they have to be put in another order first.
  const countsShown = HistoryView.isChoosy(args) && options.reverse !== true && (options.maxCount ?? -1) >= 0;
  const limited = countsShown ? { ...options, maxCount: -1 } : options;
  const walk = new RevWalk(repository, request.set.commits, follow === undefined ? limited : { ...unlimited, maxCount: -1, skip: 0 });
  const view = new HistoryView(context, repository, args, {
    showsPatches: false, denseMerges: false, paths: request.paths, walk, graph: request.isGraph, mailmap, ...(follow === undefined ? {} : { follow }),
  });
  return view.run(() => {
    if (request.isReflogWalk) {
      const dated = args.has('date') ? view.dateMode : undefined;
      const left = new Counted(countsShown ? { maxCount: options.maxCount! } : {});
      for (const { node, reflog } of listReflogCommits(repository, { ...request, options: limited }, dated)) {
        if (left.isDone) break;
        if (view.show(node, reflog)) left.next();
      }
    } else if (follow === undefined && !countsShown) {
      view.showAll(walk);
    } else if (follow === undefined) {
      const left = new Counted({ maxCount: options.maxCount! });
      for (const node of walk) {
        if (left.isDone) break;
        if (view.show(node)) left.next();
      }
    } else {
      const counted = new Counted(options);
      for (const node of walk) {
        if (!view.follows(node)) continue;
        if (counted.isDone) break;
        if (counted.next()) view.show(node);
        view.stepBack(node);
      }
    }
  });
}

/** Each run once, even where two have the same commit. */
function showRuns(context: Context, repository: Repository, args: Arguments): number {
  const mailmap = findMailmap(repository, args);
  const request = parseWalk(repository, args, { mailmap });
  if (request.set.isGiven || request.isReflogWalk || request.isGraph || args.has('follow')) throw new UsageError('--runs takes no revisions, and no other way to walk');
  const { reverse, ...options } = optionsFor(repository, request, args);
  const view = new HistoryView(context, repository, args, { showsPatches: false, denseMerges: false, paths: request.paths, showsRuns: true, mailmap });
  const counted = new Counted(options);
  const runs = listRuns(repository).filter(({ commit }) => !counted.isDone && passes(commit) && counted.next());
  return view.run(() => {
    for (const { run, commit } of reverse ? runs.reverse() : runs) for (const node of walkOne(commit, run)) view.show(node);
  });

  function walkOne(id: ObjectId, name: string): RevWalk {
    return new RevWalk(repository, [{ id, name }], { ...options, noWalk: 'unsorted', wantSource: true, sinceAsFilter: true, maxCount: -1, skip: 0 });
  }

  function passes(id: ObjectId): boolean {
    return walkOne(id, '')[Symbol.iterator]().next().done !== true;
  }
}

function optionsFor(repository: Repository, { options }: WalkRequest, args: Arguments): WalkOptions {
  return {
    ...options, keep: HistoryView.keeps(repository, args), wantSource: HistoryView.needsSource(args),
    ...(options.cherry === undefined ? {} : { patchKey: patchKeyOf(repository, options.pathspec) }),
  };
}

/** --skip and --max-count, where the walk cannot count by itself. */
class Counted {
  #skip: number;
  #left: number;

  constructor({ skip, maxCount }: WalkOptions) {
    this.#skip = skip ?? 0;
    this.#left = maxCount === undefined || maxCount < 0 ? Infinity : maxCount;
  }

  get isDone(): boolean {
    return this.#left <= 0;
  }

  /** Takes one; true when it is to be shown. */
  next(): boolean {
    const isSkipped = this.#skip > 0;
    if (isSkipped) this.#skip -= 1;
    else this.#left -= 1;
    return !isSkipped;
  }
}

/** The file to follow: with --follow, or with log.follow when there is exactly one. */
function followed(repository: Repository, args: Arguments, paths: readonly string[]): string | undefined {
  const flag = args.flag('follow');
  if (!(flag ?? (paths.length === 1 && repository.config.getBoolean('log.follow') === true))) return undefined;
  if (paths.length !== 1) throw new InvalidError('--follow requires exactly one pathspec', { code: 'bad-options' });
  const pathspec = Pathspec.parse(paths, pathspecContext(repository));
  const { match } = pathspec.items[0]!;
  return isDirectory(repository, match) ? undefined : match;
}

/** A directory has no other names to go on with. */
function isDirectory(repository: Repository, path: string): boolean {
  const head = repository.refs.find('HEAD');
  const tree = head === undefined ? undefined : peel(repository, head.id, 'tree');
  return tree !== undefined && findInTree(repository, tree, path.replace(/\/$/, ''))?.mode === 0o040000;
}
