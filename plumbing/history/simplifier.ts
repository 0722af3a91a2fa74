// History as far as it tells how some paths came to be: which commits change them, and which parents stand for those that do not.
//
// A merge that equals one parent is followed along that parent alone, unless the full history is wanted. Works on the flags and
// parents of the walk it belongs to. Specified by git-log(1) under "History Simplification".
import type { ObjectId } from '../../pack/oid.js';
import { hasTreeDifference } from '../diff/diff.js';
import type { History } from './history.js';
import { independentOf } from './merge-base.js';
import type { Pathspec } from '../pathspec.js';
import { flag } from './walk-flag.js';

export interface SimplifierOptions {
  /** Absent: all paths, of use with `isDecorated`. */
  readonly pathspec?: Pathspec;
  readonly firstParent?: boolean;
  readonly fullHistory?: boolean;
  /** Commits of one parent are never left out. */
  readonly sparse?: boolean;
  /** What a commit adds has no history before it. */
  readonly removeEmpty?: boolean;
  /** Keep merges that brought a change into the first parent. */
  readonly showPulls?: boolean;
  /** Commits that names point at count as changes; with no pathspec only these. */
  readonly isDecorated?: (commit: ObjectId) => boolean;
}

export class Simplifier {
  readonly #history: History;
  readonly #options: SimplifierOptions;
  /** Of merges whose parents may still change: which of them they equal. */
  readonly #sameness = new Map<number, boolean[]>();

  constructor(history: History, options: SimplifierOptions) {
    this.#history = history;
    this.#options = options;
  }

  /** Excluded commits do not count, but for those that were named. */
  isRelevant(commit: number): boolean {
    return (this.#flags(commit) & (flag.uninteresting | flag.bottom)) !== flag.uninteresting;
  }

  /** Finds out whether a commit changes the paths, and leaves it the one parent it equals, if any. */
  simplify(commit: number): void {
    const { firstParent, fullHistory, sparse, showPulls } = this.#options;
    const { table } = this.#history;
    const parents = table.parentsOf(commit);
    if (parents.length === 0) {
      if (this.#isEmpty(commit)) this.#mark(commit, flag.treeSame);
      return;
    }
    if (sparse && parents.length === 1) return;
    this.#history.saveParents(commit);
    let relevantParents = 0;
    let relevantChange = false;
    let irrelevantChange = false;
    const sameness: boolean[] = parents.map(() => false);
    for (const [index, parent] of parents.entries()) {
      const isRelevant = this.isRelevant(parent);
      if (isRelevant) relevantParents += 1;
      if (index === 1 && firstParent) break;
      this.#history.loadCommit(parent);
      if (this.#isSame(parent, commit)) {
        sameness[index] = true;
        if (fullHistory || !isRelevant) continue;
        table.setParents(commit, [parent]);
        // What came in by a merge is told about when pulls are shown.
        if (!showPulls || index === 0) this.#mark(commit, flag.treeSame);
        return;
      }
      if (this.#options.removeEmpty && this.#isEmpty(parent)) {
        this.#history.saveParents(parent);
        table.setParents(parent, []);
      }
      if (isRelevant) relevantChange = true;
      else irrelevantChange = true;
      if (index === 0) this.#mark(commit, flag.pullMerge);
    }
    if (fullHistory && !sparse && parents.length > 1 && !firstParent) this.#sameness.set(commit, sameness);
    if (relevantParents > 0 ? !relevantChange : !irrelevantChange) this.#mark(commit, flag.treeSame);
  }

  /** After parents became uninteresting, or fewer: whether a merge still differs from what counts. */
  refresh(commit: number): void {
    const sameness = this.#sameness.get(commit);
    if (sameness === undefined) return;
    const parents = this.#history.table.parentsOf(commit);
    const changed = (relevant: boolean): boolean => parents.some((parent, index) => this.isRelevant(parent) === relevant && !sameness[index]);
    this.#set(commit, flag.treeSame, !changed(parents.some((parent) => this.isRelevant(parent))));
  }

  /** Replaces parents that are not shown by the ancestors that stand for them. `visit` is told of each parent before it is looked at. */
  rewriteParents(commit: number, visit: (parent: number) => void): void {
    const { table } = this.#history;
    this.#history.saveParents(commit);
    const found = table.parentsOf(commit).map((parent) => this.#shownAncestor(parent, visit));
    // One that leads nowhere leaves no place behind.
    const sameness = this.#sameness.get(commit);
    if (sameness !== undefined) this.#sameness.set(commit, sameness.filter((_same, index) => found[index]! >= 0));
    table.setParents(commit, found.filter((parent) => parent >= 0));
    this.#removeDuplicates(commit);
  }

  /** Simplifies a whole list, of which it gives those commits that are left, their parents rewritten to each other. */
  simplifyMerges(list: readonly number[]): number[] {
    const simplified = new Map<number, number>();
    // Parents come before their children most of the time; who is too early waits for the next round.
    let waiting = [...list].reverse();
    while (waiting.length > 0) {
      const later: number[] = [];
      for (const commit of waiting) this.#simplifyMerge(commit, simplified, later);
      waiting = later;
    }
    return list.filter((commit) => simplified.get(commit) === commit);
  }

  #simplifyMerge(commit: number, simplified: Map<number, number>, later: number[]): void {
    const { table } = this.#history;
    const { firstParent, showPulls } = this.#options;
    if (simplified.has(commit)) return;
    const parents = table.parentsOf(commit);
    if (parents.length === 0 || (this.#flags(commit) & flag.uninteresting) !== 0) {
      simplified.set(commit, commit);
      return;
    }
    const counted = firstParent ? parents.slice(0, 1) : parents;
    const unknown = counted.filter((parent) => !simplified.has(parent));
    if (unknown.length > 0) {
      later.push(...unknown, commit);
      return;
    }
    this.#history.saveParents(commit);
    table.setParents(commit, parents.map((parent, index) => (index < counted.length ? simplified.get(parent)! : parent)));
    if (!firstParent) {
      this.#removeDuplicates(commit);
      this.#removeRedundant(commit);
    }
    const flags = this.#flags(commit);
    const isKept = (flags & flag.treeSame) === 0 || (showPulls === true && (flags & flag.pullMerge) !== 0);
    const parent = isKept ? -1 : this.#onlyRelevant(table.parentsOf(commit));
    simplified.set(commit, parent < 0 ? commit : simplified.get(parent)!);
  }

  /** Parents others descend from, and roots that add nothing, go; but not the last one the commit equals. */
  #removeRedundant(commit: number): void {
    const { table } = this.#history;
    const parents = table.parentsOf(commit);
    if (parents.length < 2) return;
    const independent = new Set(independentOf(this.#history, parents));
    const goes = parents.map((parent) => !independent.has(parent) || (table.parentCount(parent) === 0 && (this.#flags(parent) & flag.treeSame) !== 0));
    const sameness = this.#sameness.get(commit);
    const firstSame = goes.findIndex((isGoing, index) => isGoing && sameness?.[index] === true);
    if (firstSame >= 0 && !goes.some((isGoing, index) => !isGoing && sameness?.[index] === true)) goes[firstSame] = false;
    if (!goes.includes(true)) return;
    this.#keepParents(commit, goes.map((isGoing) => !isGoing));
    if ((this.#flags(commit) & flag.treeSame) === 0) this.refresh(commit);
  }

  #removeDuplicates(commit: number): void {
    const parents = this.#history.table.parentsOf(commit);
    const keeps = parents.map((parent, index) => parents.indexOf(parent) === index);
    if (keeps.includes(false)) this.#keepParents(commit, keeps);
  }

  /** What becomes of a commit when only some of its parents are left. */
  #keepParents(commit: number, keeps: readonly boolean[]): void {
    const { table } = this.#history;
    const parents = table.parentsOf(commit).filter((_parent, index) => keeps[index]);
    table.setParents(commit, parents);
    const sameness = this.#sameness.get(commit)?.filter((_same, index) => keeps[index]);
    if (parents.length === 0) this.#set(commit, flag.treeSame, this.#isEmpty(commit));
    if (sameness === undefined) return;
    if (parents.length > 1) {
      this.#sameness.set(commit, sameness);
      return;
    }
    this.#sameness.delete(commit);
    if (parents.length === 1) this.#set(commit, flag.treeSame, sameness[0] === true);
  }

  /** The commit itself or the ancestor that stands for it; -1 when there is none. */
  #shownAncestor(from: number, visit: (commit: number) => void): number {
    let commit = from;
    for (;;) {
      this.#history.loadCommit(commit);
      visit(commit);
      if ((this.#flags(commit) & flag.uninteresting) !== 0 || (this.#flags(commit) & flag.treeSame) === 0) return commit;
      const parents = this.#history.table.parentsOf(commit);
      if (parents.length === 0) return -1;
      const next = this.#onlyRelevant(parents);
      if (next < 0) return commit;
      commit = next;
    }
  }

  /** The one parent that counts; -1 when there are several, or none. */
  #onlyRelevant(parents: readonly number[]): number {
    if (parents.length === 0) return -1;
    if (parents.length === 1 || this.#options.firstParent) return parents[0]!;
    const relevant = parents.filter((parent) => this.isRelevant(parent));
    return relevant.length === 1 ? relevant[0]! : -1;
  }

  #isSame(parent: number, commit: number): boolean {
    const { isDecorated, pathspec } = this.#options;
    const { table, store } = this.#history;
    if (isDecorated !== undefined) {
      if (isDecorated(table.ids.idAt(commit))) return false;
      if (pathspec === undefined) return true;
    }
    return !hasTreeDifference(store, table.treeAt(parent), table.treeAt(commit), pathspec);
  }

  /** Has none of the paths. */
  #isEmpty(commit: number): boolean {
    const { table, store } = this.#history;
    return !hasTreeDifference(store, undefined, table.treeAt(commit), this.#options.pathspec);
  }

  #flags(commit: number): number {
    return this.#history.table.flags[commit]!;
  }

  #mark(commit: number, flags: number): void {
    this.#history.table.flags[commit]! |= flags;
  }

  #set(commit: number, flags: number, isSet: boolean): void {
    if (isSet) this.#mark(commit, flags);
    else this.#history.table.flags[commit]! &= ~flags;
  }
}
