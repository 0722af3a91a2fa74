// Walking history: which commits, in which order. Two ways of going: streaming by date when nothing has to be known beforehand,
// or collecting everything first (exclusions, topological order, ancestry), as git does, so that the order is the same.
//
// Paths simplify history the way git-log(1) describes under "History Simplification": the default mode, --full-history and
// --sparse. Commits go by number here (see history); a walk has a history of its own, whose flags and parents it changes, and can be
// walked once.
import { InvalidError } from '../pack/errors.js';
import type { Commit } from '../pack/commit.js';
import type { ObjectId } from '../pack/oid.js';
import { CommitQueue } from './commit-queue.js';
import { hasTreeDifference } from './diff.js';
import { type CommitNode, History } from './history.js';
import type { Pathspec } from './pathspec.js';
import type { Repository } from './repository.js';

/** Where a walk begins, or with `isExcluded` what it leaves out. */
export interface Tip {
  readonly id: ObjectId;
  readonly isExcluded?: boolean;
  /** From the left of 'a...b'. */
  readonly isLeft?: boolean;
  /** The name as given. */
  readonly name?: string;
}

export interface WalkOptions {
  /** 'date': children first, by committer's time among them; 'default': by time alone. */
  readonly order?: 'default' | 'topo' | 'date' | 'author-date';
  /** Only the tips themselves: by date, or as given. */
  readonly noWalk?: 'sorted' | 'unsorted';
  readonly reverse?: boolean;
  readonly maxCount?: number;
  readonly skip?: number;
  /** Seconds since 1970: stop at commits older, leave out commits younger. */
  readonly since?: number;
  readonly until?: number;
  /** Leave older commits out without stopping at them. */
  readonly sinceAsFilter?: boolean;
  readonly minParents?: number;
  readonly maxParents?: number;
  readonly firstParent?: boolean;
  /** Also give the excluded commits that border on what is shown. */
  readonly boundary?: boolean;
  readonly side?: 'left' | 'right';
  readonly ancestryPath?: boolean;
  /** Author, committer and message limits. */
  readonly matches?: (commit: Commit, node: CommitNode) => boolean;
  readonly pathspec?: Pathspec;
  readonly fullHistory?: boolean;
  /** Also give commits that change nothing in the paths. */
  readonly sparse?: boolean;
  /** Parents are shown, so they have to be shown commits. */
  readonly rewriteParents?: boolean;
  readonly wantChildren?: boolean;
  /** Commits whose change is on both sides of 'a...b': left out, or marked. */
  readonly cherry?: 'pick' | 'mark';
  /** Equal for commits with equal changes; needed for `cherry`. */
  readonly patchKey?: (node: CommitNode) => string | undefined;
  /** Remember which tip each commit was reached from. */
  readonly wantSource?: boolean;
  /** Content that was read for the walk is kept for showing. */
  readonly keepContent?: boolean;
}

export const flag = {
  seen: 1, uninteresting: 2, added: 4, shown: 8, treeSame: 16, boundary: 32, childShown: 64, left: 128, bottom: 256,
  patchSame: 512, marked: 1024,
} as const;

const slopCommits = 5;

/** One walk over the commits reachable from its tips. */
export class RevWalk {
  readonly history: History;
  readonly #options: WalkOptions;
  readonly #tips: readonly number[];
  readonly #prune: Pathspec | undefined;
  readonly #limited: boolean;
  /** Each commit is shown as soon as it is its turn, and never asked for again. */
  readonly #isPassing: boolean;
  readonly #sameness = new Map<number, boolean[]>();
  readonly #children = new Map<number, number[]>();
  readonly #queue = new CommitQueue();
  #ready: number[] = [];
  #readyAt = 0;

  constructor(repository: Repository, tips: readonly Tip[], options: WalkOptions = {}) {
    this.#options = options;
    this.history = new History(repository, { keepContent: options.keepContent ?? false });
    this.#prune = options.pathspec;
    const { table, sources } = this.history;
    const commits: number[] = [];
    for (const tip of tips) {
      const commit = table.number(tip.id);
      this.history.loadCommit(commit);
      if (tip.isExcluded) this.#mark(commit, flag.uninteresting | flag.bottom);
      if (tip.isLeft) this.#mark(commit, flag.left);
      if (options.wantSource && tip.name !== undefined && !sources.has(commit)) sources.set(commit, tip.name);
      commits.push(commit);
    }
    this.#tips = commits;
    this.#limited = tips.some(({ isExcluded }) => isExcluded) || (options.order ?? 'default') !== 'default' || options.ancestryPath === true
      || options.cherry !== undefined || options.side !== undefined || options.wantChildren === true;
    this.#isPassing = !this.#limited && options.pathspec === undefined && options.noWalk === undefined && !options.boundary
      && !options.rewriteParents && !options.wantSource && !tips.some(({ isLeft }) => isLeft);
  }

  /** The commits, each once. Flags of a node tell its side and whether it is a boundary. */
  *[Symbol.iterator](): Generator<CommitNode> {
    const { history } = this;
    for (const commit of this.#listed()) yield this.#isPassing ? history.passingNode(commit) : history.nodeOf(commit);
  }

  /** How many commits there are, where the commit-graph can tell without looking at each; undefined otherwise. */
  findCount(): number | undefined {
    const { maxCount = -1, skip = 0, minParents = 0, maxParents = -1, since, until, matches, firstParent } = this.#options;
    const takesAll = maxCount < 0 && skip <= 0 && minParents <= 0 && maxParents < 0 && since === undefined && until === undefined && matches === undefined;
    return takesAll && this.#isPassing ? this.history.findCount(this.#tips, firstParent === true) : undefined;
  }

  /** The shown children of a commit, for `wantChildren`. */
  childrenOf(node: CommitNode): readonly CommitNode[] {
    return (this.#children.get(node.number) ?? []).map((child) => this.history.nodeOf(child));
  }

  /** Whether a commit not shown yet will be, as far as its own properties tell; for drawing lines to it. */
  willShow({ number: commit }: CommitNode): boolean {
    if (this.#options.boundary && this.#has(commit, flag.childShown)) return true;
    if (this.#has(commit, flag.shown | flag.uninteresting)) return false;
    this.history.loadCommit(commit);
    return this.#isWanted(commit);
  }

  /** Any of the flags. */
  #has(commit: number, flags: number): boolean {
    return (this.history.table.flags[commit]! & flags) !== 0;
  }

  #mark(commit: number, flags: number): void {
    this.history.table.flags[commit]! |= flags;
  }

  #seconds(commit: number): number {
    return this.history.table.seconds[commit]!;
  }

  #parents(commit: number): number[] {
    return this.history.table.parentsOf(commit);
  }

  #listed(): Iterable<number> {
    this.#prepare();
    return this.#options.reverse ? [...this.#counted()].reverse() : this.#counted();
  }

  #prepare(): void {
    for (const commit of this.#tips) if (this.#has(commit, flag.uninteresting)) this.#markParents(commit);
    const fresh: number[] = [];
    for (const commit of this.#tips) {
      if (this.#has(commit, flag.seen)) continue;
      this.#mark(commit, flag.seen);
      fresh.push(commit);
    }
    const { noWalk, order } = this.#options;
    if (noWalk !== undefined) {
      this.#ready = noWalk === 'unsorted' ? fresh : fresh.sort((a, b) => this.#seconds(b) - this.#seconds(a));
      for (const commit of this.#ready) this.#simplify(commit);
      return;
    }
    for (const commit of fresh) this.#queue.push(commit, this.#seconds(commit));
    if (!this.#limited) return;
    const list = this.#limit();
    this.#ready = order === undefined || order === 'default' ? list : this.#sortTopologically(list);
    if (this.#options.wantChildren) this.#collectChildren();
  }

  /** `skip`, `maxCount` and the boundary. */
  *#counted(): Generator<number> {
    const { boundary, maxCount } = this.#options;
    let skip = this.#options.skip ?? 0;
    let left = maxCount === undefined || maxCount < 0 ? Infinity : maxCount;
    const bordering: number[] = [];
    while (left > 0) {
      const commit = this.#next();
      if (commit < 0) break;
      if (skip > 0) {
        skip -= 1;
        continue;
      }
      left -= 1;
      this.#mark(commit, flag.shown);
      if (boundary) {
        for (const parent of this.#parents(commit)) {
          if (this.#has(parent, flag.childShown | flag.shown)) continue;
          this.#mark(parent, flag.childShown);
          bordering.push(parent);
        }
      }
      yield commit;
    }
    if (!boundary) return;
    let found: number[] = [];
    for (const commit of bordering) {
      if (this.#has(commit, flag.shown | flag.boundary)) continue;
      this.#mark(commit, flag.boundary);
      this.history.loadCommit(commit);
      found.push(commit);
    }
    found.reverse();
    if ((this.#options.order ?? 'default') !== 'default') found = this.#sortTopologically(found);
    for (const commit of found) {
      this.#mark(commit, flag.shown);
      yield commit;
    }
  }

  /** The next commit to be shown; -1 when there is none. */
  #next(): number {
    const collected = this.#limited || this.#options.noWalk !== undefined;
    const { since, sinceAsFilter } = this.#options;
    for (;;) {
      const commit = collected ? this.#ready[this.#readyAt] ?? -1 : this.#queue.pop();
      if (commit < 0) return -1;
      if (collected) this.#readyAt += 1;
      else {
        if (since !== undefined && !sinceAsFilter && this.#seconds(commit) < since) continue;
        this.#addParents(commit);
      }
      if (!this.#isWanted(commit)) continue;
      if (this.#prune && !this.#options.sparse && this.#wantsAncestry) this.#rewriteParents(commit);
      return commit;
    }
  }

  get #wantsAncestry(): boolean {
    return this.#options.rewriteParents === true || this.#options.wantChildren === true;
  }

  #isWanted(commit: number): boolean {
    const { since, sinceAsFilter, until, minParents, maxParents, matches, sparse } = this.#options;
    const { table } = this.history;
    if (this.#has(commit, flag.shown | flag.uninteresting)) return false;
    if (until !== undefined && this.#seconds(commit) > until) return false;
    if (since !== undefined && sinceAsFilter && this.#seconds(commit) < since) return false;
    if (minParents !== undefined && minParents > 0 && table.parentCount(commit) < minParents) return false;
    if (maxParents !== undefined && maxParents >= 0 && table.parentCount(commit) > maxParents) return false;
    if (matches !== undefined) {
      const node = this.history.passingNode(commit);
      if (!matches(node.commit, node)) {
        // Not to be shown, now or later.
        if (this.#isPassing) node.letGo();
        return false;
      }
    }
    if (this.#prune && !sparse && this.#has(commit, flag.treeSame)) {
      return this.#wantsAncestry && this.#parents(commit).filter((parent) => this.#isRelevant(parent)).length >= 2;
    }
    return true;
  }

  #isRelevant(commit: number): boolean {
    return (this.history.table.flags[commit]! & (flag.uninteresting | flag.bottom)) !== flag.uninteresting;
  }

  #markParents(commit: number): void {
    const pending = this.#parents(commit);
    for (let parent = pending.pop(); parent !== undefined; parent = pending.pop()) {
      if (this.#has(parent, flag.uninteresting)) continue;
      this.#mark(parent, flag.uninteresting);
      for (const next of this.#parents(parent)) pending.push(next);
    }
  }

  /** Puts the parents not seen yet into the queue, after simplifying. */
  #addParents(commit: number): void {
    if (this.#has(commit, flag.added)) return;
    this.#mark(commit, flag.added);
    if (this.#has(commit, flag.uninteresting)) {
      this.#addExcludedParents(commit);
      return;
    }
    this.#simplify(commit);
    const { table, sources } = this.history;
    const passed = table.flags[commit]! & flag.left;
    const count = table.parentCount(commit);
    const last = this.#options.firstParent ? Math.min(count, 1) : count;
    for (let index = 0; index < last; index += 1) {
      const parent = table.parentAt(commit, index);
      this.#mark(parent, passed);
      if (this.#options.wantSource && sources.has(commit) && !sources.has(parent)) sources.set(parent, sources.get(commit)!);
      if (this.#has(parent, flag.seen)) continue;
      this.#mark(parent, flag.seen);
      this.history.loadCommit(parent);
      this.#queue.push(parent, this.#seconds(parent));
    }
  }

  #addExcludedParents(commit: number): void {
    for (const parent of this.#parents(commit)) {
      this.#mark(parent, flag.uninteresting);
      // What is left out need not be there, as in a shallow or partial repository.
      if (!this.#loadIfPresent(parent)) continue;
      this.#markParents(parent);
      if (this.#has(parent, flag.seen)) continue;
      this.#mark(parent, flag.seen);
      this.#queue.push(parent, this.#seconds(parent));
    }
  }

  #loadIfPresent(commit: number): boolean {
    const { table, store } = this.history;
    if (table.isLoaded(commit)) return true;
    if (!store.has(table.ids.idAt(commit))) return false;
    this.history.loadCommit(commit);
    return true;
  }

  /** Finds out whether a commit changes the paths, and leaves it the one parent it equals, if any. */
  #simplify(commit: number): void {
    const pathspec = this.#prune;
    if (pathspec === undefined) return;
    const { firstParent, fullHistory, sparse } = this.#options;
    const { table, store } = this.history;
    const parents = this.#parents(commit);
    if (parents.length === 0) {
      if (!hasTreeDifference(store, undefined, table.treeAt(commit), pathspec)) this.#mark(commit, flag.treeSame);
      return;
    }
    if (sparse && parents.length === 1) return;
    this.history.saveParents(commit);
    let relevantParents = 0;
    let relevantChange = false;
    let irrelevantChange = false;
    const sameness: boolean[] = [];
    for (const [index, parent] of parents.entries()) {
      if (this.#isRelevant(parent)) relevantParents += 1;
      if (index === 1 && firstParent) break;
      this.history.loadCommit(parent);
      const isSame = !hasTreeDifference(store, table.treeAt(parent), table.treeAt(commit), pathspec);
      sameness[index] = isSame;
      if (isSame) {
        if (fullHistory || !this.#isRelevant(parent)) continue;
        table.setParents(commit, [parent]);
        this.#mark(commit, flag.treeSame);
        return;
      }
      if (this.#isRelevant(parent)) relevantChange = true;
      else irrelevantChange = true;
    }
    if (fullHistory && parents.length > 1 && !firstParent) this.#sameness.set(commit, sameness);
    if (relevantParents > 0 ? !relevantChange : !irrelevantChange) this.#mark(commit, flag.treeSame);
  }

  /** Collects all commits before any is shown. */
  #limit(): number[] {
    const { since, sinceAsFilter, until, ancestryPath } = this.#options;
    const bottoms = ancestryPath ? this.#tips.filter((commit) => this.#has(commit, flag.bottom)) : [];
    if (ancestryPath && bottoms.length === 0) {
      throw new InvalidError('--ancestry-path given but there are no bottom commits', { code: 'no-bottom' });
    }
    const list: number[] = [];
    let slop = slopCommits;
    let date = Number.MAX_SAFE_INTEGER;
    const cache = { interesting: -1 };
    for (let commit = this.#queue.pop(); commit >= 0; commit = this.#queue.pop()) {
      if (commit === cache.interesting) cache.interesting = -1;
      if (since !== undefined && !sinceAsFilter && this.#seconds(commit) < since) this.#mark(commit, flag.uninteresting);
      this.#addParents(commit);
      if (this.#has(commit, flag.uninteresting)) {
        this.#markParents(commit);
        const next = this.#queue.peek();
        if (next < 0) slop = 0;
        else if (date <= this.#seconds(next) || this.#anyInteresting(cache)) slop = slopCommits;
        else slop -= 1;
        if (slop > 0) continue;
        break;
      }
      if (until !== undefined && this.#seconds(commit) > until) continue;
      date = this.#seconds(commit);
      list.push(commit);
    }
    if (this.#options.cherry) this.#compareSides(list);
    const { side } = this.#options;
    if (side !== undefined) {
      for (const commit of list) if (this.#has(commit, flag.left) !== (side === 'left')) this.#mark(commit, flag.shown);
    }
    if (ancestryPath) this.#limitToAncestry(bottoms, list);
    for (const commit of list) if (!this.#has(commit, flag.uninteresting | flag.treeSame)) this.#updateSameness(commit);
    return list;
  }

  #anyInteresting(cache: { interesting: number }): boolean {
    if (cache.interesting >= 0 && !this.#has(cache.interesting, flag.uninteresting)) return true;
    for (const commit of this.#queue.waiting()) {
      if (this.#has(commit, flag.uninteresting)) continue;
      cache.interesting = commit;
      return true;
    }
    return false;
  }

  /** After limiting, parents that became uninteresting no longer make a merge differ. */
  #updateSameness(commit: number): void {
    const sameness = this.#sameness.get(commit);
    if (sameness === undefined) return;
    const parents = this.#parents(commit);
    const changed = (relevant: boolean): boolean => parents.some((parent, index) => this.#isRelevant(parent) === relevant && !sameness[index]);
    if (parents.some((parent) => this.#isRelevant(parent)) ? !changed(true) : !changed(false)) this.#mark(commit, flag.treeSame);
  }

  #compareSides(list: readonly number[]): void {
    const { patchKey } = this.#options;
    if (patchKey === undefined) return;
    const key = (commit: number): string | undefined => patchKey(this.history.nodeOf(commit));
    const left = list.filter((commit) => this.#has(commit, flag.left));
    const right = list.filter((commit) => !this.#has(commit, flag.left));
    if (left.length === 0 || right.length === 0) return;
    const mark = this.#options.cherry === 'mark' ? flag.patchSame : flag.shown;
    const [fewer, more] = left.length < right.length ? [left, right] : [right, left];
    const byKey = new Map<string, number[]>();
    for (const commit of fewer) {
      const own = key(commit);
      if (own !== undefined) byKey.set(own, [...byKey.get(own) ?? [], commit]);
    }
    for (const commit of more) {
      const own = key(commit);
      const twins = own === undefined ? undefined : byKey.get(own);
      if (twins === undefined) continue;
      this.#mark(commit, mark);
      for (const twin of twins) this.#mark(twin, mark);
    }
  }

  #sortTopologically(list: readonly number[]): number[] {
    const { order } = this.#options;
    const { table } = this.history;
    // Children not sorted yet, plus one; 0 for what is not in the list, or sorted.
    const waiting = new Int32Array(table.ids.count);
    for (const commit of list) waiting[commit] = 1;
    for (const commit of list) {
      for (let index = 0, count = table.parentCount(commit); index < count; index += 1) {
        const parent = table.parentAt(commit, index);
        if (waiting[parent]! > 0) waiting[parent]! += 1;
      }
    }
    const byDate = order === 'date' || order === 'author-date';
    const queue = new CommitQueue();
    const stack: number[] = [];
    const put = (commit: number): void => {
      if (byDate) queue.push(commit, order === 'author-date' ? this.history.passingNode(commit).commit.author.seconds : this.#seconds(commit));
      else stack.push(commit);
    };
    const take = (): number => (byDate ? queue.pop() : stack.pop() ?? -1);
    const tips = list.filter((commit) => waiting[commit] === 1);
    if (!byDate) tips.reverse();
    for (const commit of tips) put(commit);
    const sorted: number[] = [];
    for (let commit = take(); commit >= 0; commit = take()) {
      for (let index = 0, count = table.parentCount(commit); index < count; index += 1) {
        const parent = table.parentAt(commit, index);
        if (waiting[parent] === 0) continue;
        waiting[parent]! -= 1;
        if (waiting[parent] === 1) put(parent);
      }
      waiting[commit] = 0;
      sorted.push(commit);
    }
    return sorted;
  }

  /** Skips parents that are not shown because they change nothing. */
  #rewriteParents(commit: number): void {
    this.history.saveParents(commit);
    const parents: number[] = [];
    for (const parent of this.#parents(commit)) {
      const shown = this.#shownAncestor(parent);
      if (shown >= 0 && !parents.includes(shown)) parents.push(shown);
    }
    this.history.table.setParents(commit, parents);
  }

  /** The commit itself or the ancestor that stands for it; -1 when there is none. */
  #shownAncestor(from: number): number {
    let commit = from;
    for (;;) {
      this.history.loadCommit(commit);
      if (!this.#limited) this.#addParents(commit);
      if (this.#has(commit, flag.uninteresting) || !this.#has(commit, flag.treeSame)) return commit;
      const parents = this.#parents(commit);
      if (parents.length === 0) return -1;
      const relevant = parents.length === 1 || this.#options.firstParent ? parents.slice(0, 1) : parents.filter((parent) => this.#isRelevant(parent));
      if (relevant.length !== 1) return commit;
      commit = relevant[0]!;
    }
  }

  #collectChildren(): void {
    const shown = this.#ready.filter((commit) => this.#isWanted(commit));
    for (const commit of shown) {
      if (this.#prune && !this.#options.sparse) this.#rewriteParents(commit);
      for (const parent of this.#parents(commit)) {
        const list = this.#children.get(parent);
        if (list === undefined) this.#children.set(parent, [commit]);
        else list.unshift(commit);
      }
    }
  }

  /** Leaves only commits that descend from the bottoms. */
  #limitToAncestry(bottoms: readonly number[], list: readonly number[]): void {
    for (const commit of bottoms) this.#mark(commit, flag.marked);
    let moved = true;
    while (moved) {
      moved = false;
      for (let at = list.length - 1; at >= 0; at -= 1) {
        const commit = list[at]!;
        if (this.#has(commit, flag.marked | flag.uninteresting)) continue;
        if (!this.#parents(commit).some((parent) => this.#has(parent, flag.marked))) continue;
        this.#mark(commit, flag.marked);
        moved = true;
      }
    }
    for (const commit of list) if (!this.#has(commit, flag.marked)) this.#mark(commit, flag.uninteresting);
    for (const commit of [...bottoms, ...list]) this.history.table.flags[commit]! &= ~flag.marked;
  }
}
