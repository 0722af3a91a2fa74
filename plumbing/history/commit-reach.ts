// Questions about which commits lead to which: for --contains, --merged and "ahead 2, behind 3". Each commit is looked at once per question,
// however many refs ask it. Terms: git-for-each-ref(1).
import type { ObjectId } from '../../pack/oid.js';
import { type CommitNode, History } from './history.js';
import type { Repository } from '../repository.js';

/** Commits, as far as they are asked about. */
export interface CommitSet {
  has(id: ObjectId): boolean;
}

/** Everything that can be reached from `starts`, themselves included. */
export function ancestorsOf(history: History, starts: Iterable<ObjectId>): CommitSet {
  const { table } = history;
  const seen = new ByteColumn();
  const waiting: number[] = [];
  const visit = (commit: number): void => {
    if (seen.at(commit) !== 0) return;
    seen.set(commit, 1);
    waiting.push(commit);
  };
  for (const id of starts) visit(table.number(id));
  for (let commit = waiting.pop(); commit !== undefined; commit = waiting.pop()) {
    history.loadCommit(commit);
    for (let index = 0, count = table.parentCount(commit); index < count; index += 1) visit(table.parentAt(commit, index));
  }
  return { has: (id) => seen.at(table.ids.findId(id)) !== 0 };
}

const isWithin = 1;
const isNotWithin = 2;

/** Tells of one commit after another whether any of `wanted` can be reached from it. */
export class Containment {
  readonly #history: History;
  readonly #answers = new ByteColumn();
  /** What a commit-graph says lies no higher leads to none of those wanted. */
  readonly #leastLevel: number;

  constructor(history: History, wanted: readonly ObjectId[]) {
    this.#history = history;
    let least = Infinity;
    for (const id of wanted) {
      const commit = history.table.number(id);
      this.#answers.set(commit, isWithin);
      least = Math.min(least, history.levelOf(commit));
    }
    this.#leastLevel = least;
  }

  contains(id: ObjectId): boolean {
    const history = this.#history;
    const { table } = history;
    const answers = this.#answers;
    const asked = table.number(id);
    const stack = [asked];
    while (stack.length > 0) {
      const commit = stack.at(-1)!;
      const answer = answers.at(commit) || this.#answerOf(commit, stack);
      if (answer === 0) continue;
      answers.set(commit, answer);
      stack.pop();
    }
    return answers.at(asked) === isWithin;
  }

  /** What the parents say; 0, and one of them is to be asked first, where they have not been. */
  #answerOf(commit: number, stack: number[]): number {
    const history = this.#history;
    const { table } = history;
    const level = history.levelOf(commit);
    if (level > 0 && level < Infinity && level <= this.#leastLevel) return isNotWithin;
    // Dates lie, so however old a commit claims to be, its parents are asked.
    history.loadCommit(commit);
    let unknown = -1;
    for (let index = table.parentCount(commit) - 1; index >= 0; index -= 1) {
      const parent = table.parentAt(commit, index);
      const answer = this.#answers.at(parent);
      if (answer === isWithin) return isWithin;
      if (answer === 0) unknown = parent;
    }
    if (unknown < 0) return isNotWithin;
    stack.push(unknown);
    return 0;
  }
}

/** A byte for each number there may be, 0 at first. */
class ByteColumn {
  #bytes = new Uint8Array(1024);

  at(number: number): number { return this.#bytes[number] ?? 0; }

  set(number: number, value: number): void {
    if (number >= this.#bytes.length) {
      const bytes = new Uint8Array(Math.max(number + 1, this.#bytes.length * 2));
      bytes.set(this.#bytes);
      this.#bytes = bytes;
    }
    this.#bytes[number] = value;
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
