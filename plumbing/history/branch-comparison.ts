// Several commits side by side: what of their history each of them has, down to where all of it is common, and a name for every
// commit by the shortest way from a tip.
//
// A commit has a bit for each tip that leads to it. Common history is marked as such and, but for `more` commits, not gone into.
// Nothing is written. Specified by git-show-branch(1).
import type { ObjectId } from '../../pack/oid.js';
import { CommitQueue } from './commit-queue.js';
import type { CommitNode, History } from './history.js';

/** So many tips can be told apart. */
export const mostTips = 26;

export interface Tip {
  readonly name: string;
  readonly id: ObjectId;
}

/** One bit more than those of the tips: reached from common history, or common itself and gone through. */
const common = 1 << mostTips;

export class BranchComparison {
  readonly #history: History;
  readonly #tips: readonly (Tip & { readonly commit: number })[];
  readonly #flags = new Map<number, number>();
  /** The bits of each tip before any history was looked at: those of the tips that are the same commit. */
  readonly #ownBits: readonly number[];
  /** In the order they were come upon. */
  readonly #seen: number[] = [];

  /** `more` commits beyond the first that is common to all are looked at; below 0 none but the tips are. */
  constructor(history: History, tips: readonly Tip[], more: number) {
    this.#history = history;
    this.#tips = tips.map((tip) => ({ ...tip, commit: history.load(history.node(tip.id)).number }));
    for (const [at, { commit }] of this.#tips.entries()) {
      this.#see(commit);
      this.#flags.set(commit, this.#bits(commit) | (1 << at));
    }
    this.#ownBits = this.#tips.map(({ commit }) => this.#bits(commit));
    if (more < 0) return;
    this.#join(more);
    this.#spreadCommon();
  }

  /** The bits of all tips. */
  get #all(): number {
    return 2 ** this.#tips.length - 1;
  }

  /** Which tips lead to a commit. */
  reachedFrom(node: CommitNode): boolean[] {
    const bits = this.#bits(node.number);
    return this.#tips.map((_tip, at) => (bits & (1 << at)) !== 0);
  }

  isCommon(node: CommitNode): boolean {
    return (this.#bits(node.number) & this.#all) === this.#all;
  }

  /** True for a merge that only one tip leads to, and that is no tip. */
  isInner(node: CommitNode): boolean {
    return !this.#tips.some(({ commit }) => commit === node.number) && this.reachedFrom(node).filter(Boolean).length === 1;
  }

  /** Youngest first, those that are common and that no other common commit leads to. */
  mergeBases(): ObjectId[] {
    return this.#history.idsOf(this.#byDate().filter((commit) => this.#bits(commit) === this.#all));
  }

  /** The tips no other tip leads to, each once. */
  independent(): ObjectId[] {
    const ids = this.#tips.filter(({ commit }, at) => this.#bits(commit) === this.#ownBits[at]).map(({ id }) => id);
    return [...new Set(ids)];
  }

  /** All that was looked at, parents behind their children: each line of history as a whole, or by date. */
  listCommits(byDate: boolean): CommitNode[] {
    const { table } = this.#history;
    const listed = this.#byDate();
    const children = new Map(listed.map((commit) => [commit, 0]));
    for (const commit of listed) for (const parent of this.#parents(commit)) if (children.has(parent)) children.set(parent, children.get(parent)! + 1);
    const ready = new CommitQueue();
    // Without dates, what came last is next.
    let serial = 0;
    const put = (commit: number): void => { ready.push(commit, byDate ? table.seconds[commit]! : (serial += 1)); };
    const tips = listed.filter((commit) => children.get(commit) === 0);
    for (const tip of byDate ? tips : tips.reverse()) put(tip);
    const order: CommitNode[] = [];
    for (let commit = ready.pop(); commit >= 0; commit = ready.pop()) {
      order.push(this.#history.nodeOf(commit));
      for (const parent of this.#parents(commit)) {
        const left = children.get(parent);
        if (left === undefined) continue;
        children.set(parent, left - 1);
        if (left === 1) put(parent);
      }
    }
    return order;
  }

  /** 'main', 'main^', 'main~2', 'main~2^2~3': by number, for every commit of `order` a tip leads to. */
  nameCommits(order: readonly CommitNode[]): Map<number, string> {
    const names = new Map<number, { readonly head: string; readonly generation: number }>();
    const nameLine = (start: number): boolean => {
      let found = false;
      for (let commit = start; ;) {
        const name = names.get(commit);
        const [parent] = this.#parents(commit);
        if (name === undefined || parent === undefined || names.has(parent)) return found;
        names.set(parent, { head: name.head, generation: name.generation + 1 });
        found = true;
        commit = parent;
      }
    };
    for (const { number } of order) {
      const tip = this.#tips.find(({ commit }) => commit === number);
      if (tip !== undefined) names.set(number, { head: tip.name, generation: 0 });
    }
    while (order.map(({ number }) => nameLine(number)).includes(true));
    for (let found = true; found;) {
      found = false;
      for (const { number } of order) {
        const name = names.get(number);
        if (name === undefined) continue;
        for (const [at, parent] of this.#parents(number).entries()) {
          if (names.has(parent)) continue;
          names.set(parent, { head: `${formatName(name)}${at === 0 ? '^' : `^${at + 1}`}`, generation: 0 });
          nameLine(parent);
          found = true;
        }
      }
    }
    return new Map([...names].map(([commit, name]) => [commit, formatName(name)]));
  }

  #bits(commit: number): number {
    return this.#flags.get(commit) ?? 0;
  }

  #parents(commit: number): number[] {
    return this.#history.table.isLoaded(commit) ? this.#history.table.parentsOf(commit) : [];
  }

  /** True for the first time. */
  #see(commit: number): boolean {
    if (this.#flags.has(commit)) return false;
    this.#flags.set(commit, 0);
    this.#seen.push(commit);
    return true;
  }

  /** Of one date, what was come upon last is first. */
  #byDate(): number[] {
    const { seconds } = this.#history.table;
    return [...this.#seen].reverse().sort((one, two) => seconds[two]! - seconds[one]!);
  }

  /** Hands the bits of the tips on to what they lead to, the youngest first. */
  #join(more: number): void {
    const { table } = this.#history;
    const queue = new CommitQueue();
    let left = more;
    for (const commit of new Set(this.#tips.map((tip) => tip.commit))) queue.push(commit, table.seconds[commit]!);
    while (queue.length > 0) {
      const isOpen = queue.waiting().some((commit) => (this.#bits(commit) & common) === 0);
      if (!isOpen && left <= 0) return;
      const commit = queue.pop();
      let bits = this.#bits(commit);
      if ((bits & this.#all) === this.#all) bits |= common;
      this.#flags.set(commit, this.#bits(commit));
      for (const parent of table.parentsOf(commit)) {
        if ((this.#bits(parent) & bits) === bits) continue;
        this.#history.loadCommit(parent);
        if (this.#see(parent) && !isOpen) left -= 1;
        this.#flags.set(parent, this.#bits(parent) | bits);
        queue.push(parent, table.seconds[parent]!);
      }
    }
  }

  /** What common history leads to, as far as it was looked at, is common history. */
  #spreadCommon(): void {
    for (let changed = true; changed;) {
      changed = false;
      for (const commit of this.#seen) {
        const bits = this.#bits(commit);
        if ((bits & this.#all) !== this.#all && (bits & common) === 0) continue;
        for (const parent of this.#parents(commit)) {
          if ((this.#bits(parent) & common) !== 0) continue;
          this.#flags.set(parent, this.#bits(parent) | common);
          changed = true;
        }
      }
    }
  }
}

function formatName({ head, generation }: { readonly head: string; readonly generation: number }): string {
  return generation === 0 ? head : generation === 1 ? `${head}^` : `${head}~${generation}`;
}
