// Reflogs walked like history: each entry a commit, newest first, with the selector that names it.
//
// Specified by --walk-reflogs of git-log(1).
import type { ObjectStore } from '../../pack/object-store.js';
import { isZeroId } from '../../pack/oid.js';
import { type DateMode, approximateDate, formatDate } from '../date.js';
import { hasTreeDifference } from '../diff/diff.js';
import type { CommitView } from './format.js';
import { type CommitNode, History } from './history.js';
import type { Pathspec } from '../pathspec.js';
import { readReflog } from '../refs/reflog.js';
import type { Repository } from '../repository.js';
import { expandLoggedName } from './revision.js';
import type { WalkRequest } from './walk-options.js';

export interface ReflogCommit {
  readonly node: CommitNode;
  readonly reflog: NonNullable<CommitView['reflog']>;
}

/** The entries of the reflogs named by the request (HEAD's when none is), limited as it says. `dateMode` makes dated selectors. */
export function* listReflogCommits(repository: Repository, request: WalkRequest, dateMode: DateMode | undefined): Generator<ReflogCommit> {
  const { options, set } = request;
  const history = new History(repository, { keep: 'contents' });
  let skip = options.skip ?? 0;
  let left = options.maxCount === undefined || options.maxCount < 0 ? Infinity : options.maxCount;
  for (const { node, reflog } of mergeByTime(set.tips.map((tip) => listOne(repository, tip.name, history, dateMode)))) {
    const { commit } = node;
    const count = commit.parents.length;
    if (count < (options.minParents ?? 0) || (options.maxParents !== undefined && options.maxParents >= 0 && count > options.maxParents)) continue;
    if (options.until !== undefined && node.seconds > options.until) continue;
    if (options.since !== undefined && node.seconds < options.since) continue;
    if (request.reflogMatches?.(reflog.message) === false) continue;
    if (options.matches !== undefined && !options.matches(commit, node)) continue;
    if (options.pathspec !== undefined && !changesPaths(repository.objects, node, options.pathspec, options.firstParent === true)) continue;
    if (skip > 0) {
      skip -= 1;
      continue;
    }
    if (left <= 0) return;
    left -= 1;
    yield { node, reflog };
  }
}

/** True when the paths of a commit are those of none of its parents. */
function changesPaths(store: ObjectStore, { commit }: CommitNode, pathspec: Pathspec, isFirstOnly: boolean): boolean {
  if (commit.parents.length === 0) return hasTreeDifference(store, undefined, commit.tree, pathspec);
  const parents = isFirstOnly ? commit.parents.slice(0, 1) : commit.parents;
  return parents.every((parent) => hasTreeDifference(store, store.readCommit(parent).tree, commit.tree, pathspec));
}

/** Several reflogs as one: always the entry made last, of the first log among equals. */
function* mergeByTime(logs: readonly Generator<ReflogCommit>[]): Generator<ReflogCommit> {
  const heads = logs.map((log) => ({ log, next: log.next() }));
  for (;;) {
    let best: (typeof heads)[number] | undefined;
    let latest = -1;
    for (const head of heads) {
      if (head.next.done || head.next.value.reflog.ident.seconds <= latest) continue;
      best = head;
      latest = head.next.value.reflog.ident.seconds;
    }
    if (best?.next.done !== false) return;
    yield best.next.value;
    best.next = best.log.next();
  }
}

function* listOne(repository: Repository, typed: string, history: History, dateMode: DateMode | undefined): Generator<ReflogCommit> {
  const at = /^(.*)@\{([^}]*)\}$/s.exec(typed);
  const base = at ? at[1]! : typed;
  const full = base === '' ? repository.refs.headBranch() ?? 'HEAD' : expandLoggedName(repository, base);
  // What is named in another way has no log, and so nothing to tell.
  if (full === undefined) return;
  const entries = readReflog(repository, full).filter(({ newId }) => !isZeroId(newId));
  const first = at && /^[0-9]+$/.test(at[2]!) ? Number(at[2]) : 0;
  const until = at && !/^[0-9]+$/.test(at[2]!) ? approximateDate(at[2]!, repository.context.clock).seconds : undefined;
  // A name that git has to look for is told in full.
  const name = base !== '' && [base, `refs/${base}`, `refs/heads/${base}`].includes(full) ? base : full;
  const short = name.replace(/^refs\/(heads|tags|remotes)\//, '').replace(/^refs\//, '');
  for (let number = first; number < entries.length; number += 1) {
    const entry = entries[entries.length - 1 - number]!;
    if (until !== undefined && entry.ident.seconds > until) continue;
    if (repository.objects.findHeader(entry.newId)?.type !== 'commit') continue;
    const { seconds, offset } = entry.ident;
    const selector = dateMode === undefined && until === undefined ? String(number) : formatDate(seconds, offset, dateMode ?? 'default', repository.context.clock);
    yield {
      node: history.load(history.node(entry.newId)),
      reflog: { selector: `${name}@{${selector}}`, shortSelector: `${short}@{${selector}}`, ident: entry.ident, message: entry.message },
    };
  }
}
