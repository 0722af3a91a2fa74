// Questions about which commits lead to which: for --contains, --merged and "ahead 2, behind 3". Each commit is looked at once per question,
// however many refs ask it. Terms: git-for-each-ref(1).
import type { ObjectId } from '../../pack/oid.js';
import { type CommitNode, History } from './history.js';
import type { Repository } from '../repository.js';

/** Everything that can be reached from `starts`, themselves included. */
export function ancestorsOf(history: History, starts: Iterable<ObjectId>): Set<ObjectId> {
  const seen = new Set<ObjectId>();
  const waiting = [...starts].map((id) => history.node(id));
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    if (seen.has(node.id)) continue;
    seen.add(node.id);
    for (const parent of history.load(node).parents) if (!seen.has(parent.id)) waiting.push(parent);
  }
  return seen;
}

/** Tells of one commit after another whether any of `wanted` can be reached from it. */
export class Containment {
  readonly #history: History;
  readonly #answers = new Map<CommitNode, boolean>();

  constructor(history: History, wanted: readonly ObjectId[]) {
    this.#history = history;
    for (const id of wanted) this.#answers.set(history.node(id), true);
  }

  contains(id: ObjectId): boolean {
    const stack = [this.#history.node(id)];
    while (stack.length > 0) {
      const node = stack.at(-1)!;
      if (this.#answers.has(node)) {
        stack.pop();
        continue;
      }
      // Dates lie, so however old a commit claims to be, its parents are asked.
      const { parents } = this.#history.load(node);
      const unknown = parents.find((parent) => !this.#answers.has(parent));
      if (unknown !== undefined && !parents.some((parent) => this.#answers.get(parent) === true)) {
        stack.push(unknown);
        continue;
      }
      this.#answers.set(node, parents.some((parent) => this.#answers.get(parent) === true));
      stack.pop();
    }
    return this.#answers.get(this.#history.node(id))!;
  }
}

/** How many commits only the one side has, and only the other. */
export function countAheadBehind(repository: Repository, ours: ObjectId, theirs: ObjectId): { readonly ahead: number; readonly behind: number } {
  if (ours === theirs) return { ahead: 0, behind: 0 };
  const history = new History(repository);
  const flags = new Map<CommitNode, number>();
  const queue: CommitNode[] = [];
  const visit = (node: CommitNode, mark: number): void => {
    const before = flags.get(node) ?? 0;
    if ((before | mark) === before) return;
    history.load(node);
    flags.set(node, before | mark);
    insertByDate(queue, node);
  };
  visit(history.node(ours), 1);
  visit(history.node(theirs), 2);
  // What both have is followed only as long as it may still meet a commit that so far only one side has.
  let oldestSingle = Infinity;
  while (queue.length > 0) {
    const node = queue.pop()!;
    const mark = flags.get(node)!;
    if (mark !== 3) oldestSingle = Math.min(oldestSingle, node.seconds);
    else if (node.seconds < oldestSingle && queue.every((other) => flags.get(other) === 3)) break;
    for (const parent of node.parents) visit(parent, mark);
  }
  let ahead = 0;
  let behind = 0;
  for (const mark of flags.values()) {
    if (mark === 1) ahead += 1;
    else if (mark === 2) behind += 1;
  }
  return { ahead, behind };
}

/** Keeps the newest last. */
function insertByDate(queue: CommitNode[], node: CommitNode): void {
  let low = 0;
  let high = queue.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (queue[middle]!.seconds <= node.seconds) low = middle + 1;
    else high = middle;
  }
  queue.splice(low, 0, node);
}
