// What status has to say, as values: where HEAD is and what it follows, what is staged, what is changed and what is untracked. Formatting
// is status-format.ts. Only reads; unchanged entries whose stat was stale are handed back for the caller to write.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ObjectId } from '../pack/oid.js';
import type { RepoPath } from '../pack/tree.js';
import { abbreviateId } from '../plumbing/objects/abbreviation.js';
import { type DiffEntry } from '../plumbing/diff/diff.js';
import { IgnoreRules } from '../plumbing/ignore.js';
import { listStagedChanges } from '../plumbing/index/staged-changes.js';
import type { Index, IndexEntry } from '../plumbing/index/index-file.js';
import { KnownDirectories } from '../plumbing/index/known-directories.js';
import type { LookAhead } from '../plumbing/index/look-ahead.js';
import { type MergeState, readMergeState } from '../plumbing/merge/merge-state.js';
import type { Pathspec } from '../plumbing/pathspec.js';
import type { RefName } from '../plumbing/refs/ref-name.js';
import { readReflog } from '../plumbing/refs/reflog.js';
import { findRenames, maxScore } from '../plumbing/diff/rename.js';
import type { Repository } from '../plumbing/repository.js';
import { findRevision } from '../plumbing/history/revision.js';
import { shortenRef } from '../plumbing/refs/short-ref.js';
import { findRebaseProgress, type RebaseProgress } from './sequence/rebase-progress.js';
import { configuredUpstream, findUpstream } from '../plumbing/refs/upstream.js';
import { RevWalk } from '../plumbing/history/walk.js';
import { type Scan, type ScanOptions, scanWorkTree } from '../plumbing/index/work-status.js';
import { type Change, WorkTree } from '../plumbing/index/work-tree.js';
import { NotFoundError } from '../pack/errors.js';

export interface StatusOptions {
  readonly untracked: 'no' | 'normal' | 'all';
  readonly ignored: 'no' | 'traditional' | 'matching';
  readonly pathspec: Pathspec;
  /** Lowest score (0 to 60000) of a rename; undefined: renames are not looked for. */
  readonly renameScore: number | undefined;
  /** Count how far the branch and what it follows have gone apart. */
  readonly countsAheadBehind: boolean;
  readonly showsStash: boolean;
  /** Pass over gitlinks. */
  readonly ignoresNested: boolean;
}

/** What a branch follows. `ahead` and `behind` are undefined when not counted, `gone` when the ref does not exist. */
export interface Upstream {
  readonly ref: string;
  readonly shortName: string;
  readonly gone: boolean;
  readonly differs: boolean;
  readonly ahead: number | undefined;
  readonly behind: number | undefined;
}

/** HEAD away from any branch: what was checked out, and whether HEAD is still there. */
export interface Detached {
  readonly from: string;
  readonly isAt: boolean;
}

/** One path: what is staged, what is changed, or its stages while it is unmerged. */
export interface StatusEntry {
  readonly path: RepoPath;
  readonly staged: DiffEntry | undefined;
  readonly change: Change | undefined;
  readonly stages: readonly (IndexEntry | undefined)[] | undefined;
  /** The merged entry; undefined when the path is only in HEAD. */
  readonly entry: IndexEntry | undefined;
}

export interface StatusReport {
  readonly branch: RefName | undefined;
  readonly head: ObjectId | undefined;
  readonly upstream: Upstream | undefined;
  readonly detached: Detached | undefined;
  readonly merge: MergeState;
  readonly rebase: RebaseProgress | undefined;
  readonly bisectFrom: string | undefined;
  readonly entries: readonly StatusEntry[];
  readonly untracked: readonly RepoPath[];
  readonly ignored: readonly RepoPath[];
  readonly stashCount: number;
}

/** What a look at everything found; `scan` tells which entries could be refreshed, `directories` what need not be read the next time. */
export interface StatusFindings {
  readonly report: StatusReport;
  readonly scan: Scan;
  readonly directories: KnownDirectories | undefined;
}

/** Looks at everything. */
export function readStatus(repository: Repository, index: Index, options: StatusOptions, ahead?: LookAhead): StatusFindings {
  const workTree = new WorkTree(repository, index);
  workTree.enterTop();
  let rules: IgnoreRules | undefined;
  const directories = options.pathspec.isEmpty ? KnownDirectories.open(repository) : undefined;
  const scanOptions: ScanOptions = {
    ...(directories === undefined ? {} : { directories }), ahead,
    untracked: options.untracked, ignored: options.ignored, pathspec: options.pathspec,
    rules: () => (rules ??= IgnoreRules.load(repository)),
  };
  const scan = scanWorkTree(workTree, index, scanOptions);
  const head = repository.refs.find('HEAD')?.id;
  const branch = repository.refs.headBranch();
  return {
    scan,
    directories,
    report: {
      branch,
      head,
      upstream: branch === undefined || head === undefined ? undefined : readUpstream(repository, branch, head, options.countsAheadBehind),
      detached: branch === undefined && head !== undefined ? readDetached(repository, head) : undefined,
      merge: readMergeState(repository),
      rebase: findRebaseProgress(repository),
      bisectFrom: readBisect(repository),
      entries: joinEntries(repository, index, head, scan, options),
      untracked: scan.untracked,
      ignored: scan.ignored,
      stashCount: options.showsStash ? readReflog(repository, 'refs/stash').length : 0,
    },
  };
}

function joinEntries(repository: Repository, index: Index, head: ObjectId | undefined, scan: Scan, options: StatusOptions): StatusEntry[] {
  // The tree itself is not needed where the index still knows that it is the same.
  const tree = head === undefined ? undefined : repository.objects.readCommit(head).tree;
  const pathspec = options.pathspec.isEmpty ? undefined : options.pathspec;
  let staged = listStagedChanges(repository.objects, tree, index, pathspec === undefined ? {} : { pathspec });
  if (options.renameScore !== undefined) staged = findRenames(repository.objects, staged, { minimumScore: Math.min(options.renameScore, maxScore) });
  const entries = new Map<string, StatusEntry>();
  for (const entry of staged) {
    if (entry.status === 'U') continue;
    if (options.ignoresNested && (entry.old.mode === 0o160000 || entry.new.mode === 0o160000)) continue;
    entries.set(entry.path, { path: entry.path, staged: entry, change: undefined, stages: undefined, entry: index.find(entry.path) });
  }
  for (const change of scan.changes) {
    const { path } = change;
    if (options.ignoresNested && change.old?.mode === 0o160000) continue;
    const stages = change.kind === 'unmerged' ? [1, 2, 3].map((stage) => index.find(path, stage)) : undefined;
    entries.set(path, { path, staged: entries.get(path)?.staged, change, stages, entry: index.find(path) });
  }
  return [...entries.values()].sort((one, two) => (one.path < two.path ? -1 : 1));
}

/** What the branch follows; undefined when it follows nothing that can be told. */
export function readUpstream(repository: Repository, branch: RefName, head: ObjectId, counts: boolean): Upstream | undefined {
  if (configuredUpstream(repository, branch) === undefined) return undefined;
  let ref: string;
  try {
    ref = findUpstream(repository, branch);
  } catch (error) {
    if (error instanceof NotFoundError) return undefined;
    throw error;
  }
  const id = repository.refs.find(ref)?.id;
  const shortName = shortenRef(repository, ref, true);
  if (id === undefined) return { ref, shortName, gone: true, differs: true, ahead: undefined, behind: undefined };
  const count = (from: ObjectId, without: ObjectId): number => {
    let found = 0;
    for (const node of new RevWalk(repository, [{ id: from }, { id: without, isExcluded: true }])) if (node !== undefined) found += 1;
    return found;
  };
  const differs = id !== head;
  if (!differs) return { ref, shortName, gone: false, differs, ahead: 0, behind: 0 };
  return counts
    ? { ref, shortName, gone: false, differs, ahead: count(head, id), behind: count(id, head) }
    : { ref, shortName, gone: false, differs, ahead: undefined, behind: undefined };
}

/** The reflog tells what was checked out last; undefined when it does not know. */
export function readDetached(repository: Repository, head: ObjectId): Detached | undefined {
  const switched = readReflog(repository, 'HEAD').findLast((entry) => /^checkout: moving from .* to /.test(entry.message));
  if (switched === undefined) return undefined;
  const target = switched.message.slice(switched.message.lastIndexOf(' to ') + 4);
  const full = target === 'HEAD' ? undefined : repository.refs.expand(target);
  const named = full === undefined ? undefined : repository.refs.find(full)?.id;
  const isThatRef = named !== undefined && (named === switched.newId || findRevision(repository, `${full!}^{commit}`) === switched.newId);
  const from = isThatRef ? full!.replace(/^refs\/(?:tags|remotes)\//, '') : abbreviateId(repository, switched.newId);
  return { from, isAt: head === switched.newId };
}

function readBisect(repository: Repository): string | undefined {
  if (!existsSync(join(repository.gitDirectory, 'BISECT_LOG'))) return undefined;
  const start = join(repository.gitDirectory, 'BISECT_START');
  return existsSync(start) ? readFileSync(start, 'utf8').trim().replace(/^refs\/heads\//, '') : '';
}
