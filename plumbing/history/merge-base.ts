// Best common ancestors of commits: those that no other common ancestor descends from.
//
// Commits are painted from both sides, the youngest first; what gets both colours is common. Paths that are known to be common are
// followed only as long as something one-coloured is left. Order of the results is git's: youngest first. See git-merge-base(1).
import { zeroId, isZeroId, type ObjectId } from '../../pack/oid.js';
import { readReflog } from '../refs/reflog.js';
import { CommitQueue } from './commit-queue.js';
import { History } from './history.js';
import type { Repository } from '../repository.js';

const left = 1;
const right = 2;
const stale = 4;
const result = 8;

/** The colours of commits, and those that wait to hand theirs on. */
class Painting {
  readonly #history: History;
  readonly #queue = new CommitQueue();
  readonly #colors = new Map<number, number>();
  /** How often each commit is in the queue. */
  readonly #waiting = new Map<number, number>();
  /** Entries of the queue that are not stale: as long as there is one, there may be something to find. */
  #fresh = 0;

  constructor(history: History) {
    this.#history = history;
  }

  colors(commit: number): number {
    return this.#colors.get(commit) ?? 0;
  }

  /** Gives a commit colours; it hands on those it did not have. */
  add(commit: number, colors: number): void {
    const before = this.colors(commit);
    if ((before & colors) === colors) return;
    this.#history.loadCommit(commit);
    const waiting = this.#waiting.get(commit) ?? 0;
    if ((before & stale) === 0 && (colors & stale) !== 0) this.#fresh -= waiting;
    this.#colors.set(commit, before | colors);
    this.#waiting.set(commit, waiting + 1);
    this.#queue.push(commit, this.#history.table.seconds[commit]!);
    if (((before | colors) & stale) === 0) this.#fresh += 1;
  }

  /** The youngest that waits; -1 when nothing can be found any more. */
  next(): number {
    const commit = this.#fresh > 0 ? this.#queue.pop() : -1;
    if (commit < 0) return -1;
    this.#waiting.set(commit, this.#waiting.get(commit)! - 1);
    if ((this.colors(commit) & stale) === 0) this.#fresh -= 1;
    return commit;
  }

  /** True for the first time. */
  markResult(commit: number): boolean {
    const before = this.colors(commit);
    this.#colors.set(commit, before | result);
    return (before & result) === 0;
  }
}

/** Paints from `one` and from all `others`; gives the common commits none of the still coloured ones descends from. */
function paint(history: History, one: number, others: readonly number[]): number[] {
  const { table } = history;
  if (others.length === 0) return [one];
  const painting = new Painting(history);
  painting.add(one, left);
  for (const other of others) painting.add(other, right);
  const found: number[] = [];
  for (let commit = painting.next(); commit >= 0; commit = painting.next()) {
    let colors = painting.colors(commit) & (left | right | stale);
    if (colors === (left | right)) {
      if (painting.markResult(commit)) found.push(commit);
      colors |= stale;
    }
    for (const parent of table.parentsOf(commit)) painting.add(parent, colors);
  }
  return found.filter((commit) => (painting.colors(commit) & stale) === 0);
}

/** All best common ancestors of `one` and (a merge of) `others`. */
export function mergeBases(repository: Repository, one: ObjectId, others: readonly ObjectId[], history = new History(repository)): ObjectId[] {
  if (others.includes(one)) return [one];
  const { table } = history;
  const commits = paint(history, table.number(one), others.map((other) => table.number(other)));
  const found = history.idsOf(commits.sort((a, b) => table.seconds[b]! - table.seconds[a]!));
  return found.length <= 1 ? found : removeRedundant(repository, found, history);
}

/** Those of `ids` (in order, without repeats) that no other of them descends from. */
export function removeRedundant(repository: Repository, ids: readonly ObjectId[], history = new History(repository)): ObjectId[] {
  const commits = ids.map((id) => history.table.number(id));
  for (const commit of commits) history.loadCommit(commit);
  return history.idsOf(independentOf(history, commits));
}

/** So many are compared each with each; for more, all of history is walked once. */
const fewCommits = 8;

/** As removeRedundant, of loaded commits, by the parents they have in `history`, which need not be those stored. */
export function independentOf(history: History, commits: readonly number[]): number[] {
  const unique = [...new Set(commits)];
  if (unique.length > fewCommits) return notReached(history, unique);
  return unique.filter((commit) => !unique.some((other) => other !== commit && leadsTo(history, other, commit)));
}

function notReached(history: History, commits: readonly number[]): number[] {
  const { table } = history;
  const reached = new Set<number>();
  const pending = [...commits];
  for (let commit = pending.pop(); commit !== undefined; commit = pending.pop()) {
    history.loadCommit(commit);
    for (const parent of table.parentsOf(commit)) {
      if (reached.has(parent)) continue;
      reached.add(parent);
      pending.push(parent);
    }
  }
  return commits.filter((commit) => !reached.has(commit));
}

function leadsTo(history: History, descendant: number, ancestor: number): boolean {
  return paint(history, ancestor, [descendant]).includes(ancestor);
}

/** True when `ancestor` is `descendant` or can be reached from it. */
export function isAncestor(repository: Repository, ancestor: ObjectId, descendant: ObjectId, history = new History(repository)): boolean {
  if (ancestor === descendant) return true;
  return leadsTo(history, history.table.number(descendant), history.table.number(ancestor));
}

/** The best common ancestors of all of `ids`, for an octopus merge. */
export function octopusBases(repository: Repository, ids: readonly ObjectId[]): ObjectId[] {
  const history = new History(repository);
  let bases: ObjectId[] = ids.slice(0, 1);
  for (const id of ids.slice(1)) bases = [...new Set(bases.flatMap((base) => mergeBases(repository, id, [base], history)))];
  return removeRedundant(repository, bases, history);
}

/** Where `commit` forked off `ref`, by the reflog of that ref; undefined when that is not known. */
export function forkPoint(repository: Repository, ref: string, commit: ObjectId): ObjectId | undefined {
  const tips = new Set<ObjectId>();
  const isCommit = (id: ObjectId): boolean => repository.objects.findHeader(id)?.type === 'commit';
  const entries = readReflog(repository, ref);
  for (const [index, entry] of entries.entries()) {
    if (index === 0 && !isZeroId(entry.oldId) && isCommit(entry.oldId)) tips.add(entry.oldId);
    if (entry.newId !== zeroId(repository.format) && isCommit(entry.newId)) tips.add(entry.newId);
  }
  if (tips.size === 0) {
    const now = repository.refs.find(ref)?.id;
    if (now === undefined || !isCommit(now)) return undefined;
    tips.add(now);
  }
  const bases = mergeBases(repository, commit, [...tips]);
  // Only a commit the ref once pointed at is a fork point.
  return bases.length === 1 && tips.has(bases[0]!) ? bases[0] : undefined;
}
