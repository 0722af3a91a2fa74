// The commit that halves a list of commits: testing it tells most about where a change came in.
//
// Commits that change none of the paths asked for do not count. Along a single line distances are added up; a merge's ancestors are
// counted one by one. Specified by --bisect of git-rev-list(1).
import type { History } from './history.js';
import { flag } from './walk-flag.js';

export interface BisectionOptions {
  /** All commits, the best first, instead of the best one. */
  readonly all: boolean;
  readonly firstParent: boolean;
}

export interface Bisection {
  /** By number. */
  readonly commits: readonly number[];
  /** How many commits the first of them leads to, itself included. */
  readonly reaches: number;
  /** How many there are. */
  readonly total: number;
  /** With `all`: how far from either end each commit is. */
  readonly distances: ReadonlyMap<number, number>;
}

/** Of `list`, children before parents; undefined when there is nothing to test. */
export function findBisection(history: History, list: readonly number[], options: BisectionOptions): Bisection | undefined {
  const search = new Search(history, list, options);
  const { total } = search;
  if (options.all) {
    const sorted = search.byDistance();
    if (sorted.length === 0) return undefined;
    return { commits: sorted.map(({ commit }) => commit), reaches: search.weight(sorted[0]!.commit), total, distances: new Map(sorted.map(({ commit, distance }) => [commit, distance])) };
  }
  const best = search.best();
  return best < 0 ? undefined : { commits: [best], reaches: search.weight(best), total, distances: new Map() };
}

class Search {
  readonly total: number;
  readonly #history: History;
  /** Parents before children. */
  readonly #list: readonly number[];
  readonly #options: BisectionOptions;
  /** How many commits each leads to, itself included. */
  readonly #weights = new Map<number, number>();

  constructor(history: History, list: readonly number[], options: BisectionOptions) {
    this.#history = history;
    this.#options = options;
    this.#list = list.filter((commit) => !this.#has(commit, flag.uninteresting)).reverse();
    this.total = this.#list.filter((commit) => !this.#has(commit, flag.treeSame)).length;
  }

  weight(commit: number): number {
    return this.#weights.get(commit) ?? 0;
  }

  /** The commit that halves the list; -1 for an empty one. */
  best(): number {
    const middle = this.#weigh();
    if (middle >= 0) return middle;
    let best = this.#list[0] ?? -1;
    let farthest = -1;
    for (const commit of this.#counted()) {
      const distance = this.#distance(commit);
      if (distance <= farthest) continue;
      best = commit;
      farthest = distance;
    }
    return best;
  }

  /** All commits, those nearest to the middle first. */
  byDistance(): { readonly commit: number; readonly distance: number }[] {
    this.#weigh();
    const { ids } = this.#history.table;
    const found = [...this.#counted()].map((commit) => ({ commit, distance: this.#distance(commit) }));
    return found.sort((a, b) => b.distance - a.distance || (ids.idAt(a.commit) < ids.idAt(b.commit) ? -1 : 1));
  }

  #counted(): readonly number[] {
    return this.#list.filter((commit) => !this.#has(commit, flag.treeSame));
  }

  #distance(commit: number): number {
    const weight = this.weight(commit);
    return Math.min(weight, this.total - weight);
  }

  /** Finds all weights; where one commit will do, stops at the first that is half-way and returns it, else -1. */
  #weigh(): number {
    const merges: number[] = [];
    const open: number[] = [];
    for (const commit of this.#list) {
      const count = this.#parents(commit).length;
      if (count === 0) this.#weights.set(commit, this.#own(commit));
      else (count === 1 ? open : merges).push(commit);
    }
    for (const commit of merges) {
      this.#weights.set(commit, this.#countReached(commit));
      if (this.#isHalfWay(commit)) return commit;
    }
    let left = open;
    while (left.length > 0) {
      const later: number[] = [];
      for (const commit of left) {
        const parent = this.#parents(commit)[0]!;
        const known = this.#weights.get(parent);
        if (known === undefined) {
          later.push(commit);
          continue;
        }
        this.#weights.set(commit, known + this.#own(commit));
        if (this.#isHalfWay(commit)) return commit;
      }
      // Parents that are not in the list at all lead nowhere.
      if (later.length === left.length) for (const commit of later) if (!this.#weights.has(commit)) this.#weights.set(commit, this.#own(commit));
      left = later.length === left.length ? [] : later;
    }
    return -1;
  }

  #own(commit: number): number {
    return this.#has(commit, flag.treeSame) ? 0 : 1;
  }

  #parents(commit: number): number[] {
    const parents = this.#history.table.parentsOf(commit);
    return (this.#options.firstParent ? parents.slice(0, 1) : parents).filter((parent) => !this.#has(parent, flag.uninteresting));
  }

  #countReached(from: number): number {
    const seen = new Set([from]);
    const pending = [from];
    let count = 0;
    for (let commit = pending.pop(); commit !== undefined; commit = pending.pop()) {
      count += this.#own(commit);
      for (const parent of this.#parents(commit)) {
        if (seen.has(parent)) continue;
        seen.add(parent);
        pending.push(parent);
      }
    }
    return count;
  }

  /** Near enough to the middle: of few commits at most one off, of many a thousandth. */
  #isHalfWay(commit: number): boolean {
    if (this.#options.all || this.#has(commit, flag.treeSame)) return false;
    const off = Math.abs(2 * this.weight(commit) - this.total);
    return off <= 1 || off < Math.floor(this.total / 1024);
  }

  #has(commit: number, flags: number): boolean {
    return (this.#history.table.flags[commit]! & flags) !== 0;
  }
}

/** How many more tests it takes, about, to find one of `total` commits. */
export function estimateSteps(total: number): number {
  if (total < 3) return 0;
  const steps = Math.floor(Math.log2(total));
  const power = 2 ** steps;
  return power < 3 * (total - power) ? steps : steps - 1;
}
