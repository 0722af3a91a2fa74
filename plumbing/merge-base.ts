// Best common ancestors of commits: those that no other common ancestor descends from.
//
// Commits are painted from both sides, the youngest first; what gets both colours is common. Paths that are known to be common are
// followed only as long as something one-coloured is left. Order of the results is git's: youngest first. See git-merge-base(1).
import { zeroId, isZeroId, type ObjectId } from '../pack/oid.js';
import { readReflog } from './reflog.js';
import { type CommitNode, History } from './history.js';
import type { Repository } from './repository.js';

const left = 1;
const right = 2;
const stale = 4;
const result = 8;

/** Nodes by date, the newest first, in the order they came when equal. */
class Queue {
  readonly nodes: CommitNode[] = [];
  push(node: CommitNode): void {
    let low = 0;
    let high = this.nodes.length;
    // The next one is at the end; an equal one that came before stays before.
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.nodes[middle]!.seconds >= node.seconds) high = middle;
      else low = middle + 1;
    }
    this.nodes.splice(low, 0, node);
  }
}

/** Paints from `one` and from all `others`; gives the common commits none of the still coloured ones descends from. */
function paint(history: History, one: ObjectId, others: readonly ObjectId[]): { node: CommitNode; flags: Map<CommitNode, number> }[] {
  const flags = new Map<CommitNode, number>();
  const queue = new Queue();
  const first = history.load(history.node(one));
  flags.set(first, left);
  if (others.length === 0) return [{ node: first, flags }];
  queue.push(first);
  for (const other of others) {
    const node = history.load(history.node(other));
    flags.set(node, (flags.get(node) ?? 0) | right);
    queue.push(node);
  }
  const found: CommitNode[] = [];
  let fresh = queue.nodes.length;
  const isStale = (node: CommitNode): boolean => ((flags.get(node) ?? 0) & stale) !== 0;
  while (fresh > 0) {
    const node = queue.nodes.pop();
    if (node === undefined) break;
    if (!isStale(node)) fresh -= 1;
    let own = (flags.get(node) ?? 0) & (left | right | stale);
    if (own === (left | right)) {
      if (((flags.get(node) ?? 0) & result) === 0) {
        flags.set(node, (flags.get(node) ?? 0) | result);
        found.push(node);
      }
      own |= stale;
    }
    for (const parent of node.parents) {
      const before = flags.get(parent) ?? 0;
      if ((before & own) === own) continue;
      history.load(parent);
      // Waiting copies of the parent in the queue change their colour with it.
      const waiting = queue.nodes.filter((each) => each === parent).length;
      if ((before & stale) === 0 && (own & stale) !== 0) fresh -= waiting;
      flags.set(parent, before | own);
      queue.push(parent);
      if (((before | own) & stale) === 0) fresh += 1;
    }
  }
  return found.filter((node) => !isStale(node)).map((node) => ({ node, flags }));
}

/** All best common ancestors of `one` and (a merge of) `others`. */
export function mergeBases(repository: Repository, one: ObjectId, others: readonly ObjectId[], history = new History(repository)): ObjectId[] {
  if (others.includes(one)) return [one];
  const found = paint(history, one, others).map(({ node }) => node);
  found.sort((a, b) => b.seconds - a.seconds);
  if (found.length <= 1) return found.map(({ id }) => id);
  const independent = new Set(removeRedundant(repository, found.map(({ id }) => id), history));
  return found.map(({ id }) => id).filter((id) => independent.has(id));
}

/** Those of `ids` (in order, without repeats) that no other of them descends from. */
export function removeRedundant(repository: Repository, ids: readonly ObjectId[], history = new History(repository)): ObjectId[] {
  const unique = [...new Set(ids)];
  return unique.filter((id) => !unique.some((other) => other !== id && isAncestor(repository, id, other, history)));
}

/** True when `ancestor` is `descendant` or can be reached from it. */
export function isAncestor(repository: Repository, ancestor: ObjectId, descendant: ObjectId, history = new History(repository)): boolean {
  if (ancestor === descendant) return true;
  const bases = paint(history, ancestor, [descendant]);
  return bases.some(({ node }) => node.id === ancestor);
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
    if (now === undefined) return undefined;
    tips.add(now);
  }
  const bases = mergeBases(repository, commit, [...tips]);
  // Only a commit the ref once pointed at is a fork point.
  return bases.length === 1 && tips.has(bases[0]!) ? bases[0] : undefined;
}
