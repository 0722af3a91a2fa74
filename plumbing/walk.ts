// Walking history: which commits, in which order. Two ways of going: streaming by date when nothing has to be known beforehand,
// or collecting everything first (exclusions, topological order, ancestry), as git does, so that the order is the same.
//
// Paths simplify history the way git-log(1) describes under "History Simplification": the default mode, --full-history and
// --sparse. A walk changes the flags and parents of its own nodes only; it can be walked once.
import { InvalidError } from '../pack/errors.js';
import type { Commit } from '../pack/commit.js';
import type { ObjectId } from '../pack/oid.js';
import { hasTreeDifference } from './diff.js';
import { type CommitNode, History, MetCommits } from './history.js';
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

/** Commits by date, the newest first, in the order they came when equal. */
class DateQueue {
  readonly #heap: { readonly node: CommitNode; readonly key: number; readonly serial: number }[] = [];
  #serial = 0;

  get length(): number { return this.#heap.length; }
  peek(): CommitNode | undefined { return this.#heap[0]?.node; }
  *nodes(): Iterable<CommitNode> { for (const { node } of this.#heap) yield node; }

  push(node: CommitNode, key: number = node.seconds): void {
    const heap = this.#heap;
    const item = { node, key, serial: this.#serial };
    this.#serial += 1;
    let at = heap.length;
    heap.push(item);
    while (at > 0) {
      const up = (at - 1) >> 1;
      const other = heap[up]!;
      if (other.key > key || (other.key === key && other.serial < item.serial)) break;
      heap[at] = other;
      at = up;
    }
    heap[at] = item;
  }

  pop(): CommitNode | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const item = heap.pop();
    if (first === undefined || item === undefined || heap.length === 0) return first?.node;
    let at = 0;
    for (;;) {
      let down = at * 2 + 1;
      if (down >= heap.length) break;
      const right = heap[down + 1];
      const left = heap[down]!;
      if (right !== undefined && (right.key > left.key || (right.key === left.key && right.serial < left.serial))) down += 1;
      const other = heap[down]!;
      if (item.key > other.key || (item.key === other.key && item.serial < other.serial)) break;
      heap[at] = other;
      at = down;
    }
    heap[at] = item;
    return first.node;
  }
}

/** One walk over the commits reachable from its tips. */
export class RevWalk {
  readonly history: History;
  readonly #options: WalkOptions;
  readonly #tips: readonly CommitNode[];
  readonly #prune: Pathspec | undefined;
  readonly #limited: boolean;
  /** Each commit is shown as soon as it is its turn, and never asked for again: only that it was met is remembered. */
  readonly #met: MetCommits | undefined;
  readonly #sameness = new Map<CommitNode, boolean[]>();
  readonly #children = new Map<CommitNode, CommitNode[]>();
  #queue = new DateQueue();
  #ready: CommitNode[] = [];
  #readyAt = 0;
  readonly #push = (node: CommitNode): void => { this.#queue.push(node); };

  constructor(repository: Repository, tips: readonly Tip[], options: WalkOptions = {}) {
    this.#options = options;
    this.history = new History(repository, { keepContent: options.keepContent ?? false });
    this.#prune = options.pathspec;
    const nodes: CommitNode[] = [];
    let excluded = false;
    for (const tip of tips) {
      const node = this.history.load(this.history.node(tip.id));
      if (tip.isExcluded) {
        node.flags |= flag.uninteresting | flag.bottom;
        excluded = true;
      }
      if (tip.isLeft) node.flags |= flag.left;
      if (options.wantSource && node.source === undefined) node.source = tip.name;
      nodes.push(node);
    }
    this.#tips = nodes;
    this.#limited = excluded || (options.order ?? 'default') !== 'default' || options.ancestryPath === true
      || options.cherry !== undefined || options.side !== undefined || options.wantChildren === true;
    const isPassing = !this.#limited && options.pathspec === undefined && options.noWalk === undefined && !options.boundary
      && !options.rewriteParents && !options.wantSource && !tips.some(({ isLeft }) => isLeft);
    this.#met = isPassing ? new MetCommits() : undefined;
  }

  /** The commits, each once. Flags of a node tell its side and whether it is a boundary. */
  *[Symbol.iterator](): Generator<CommitNode> {
    this.#prepare();
    const { reverse } = this.#options;
    if (!reverse) {
      yield* this.#counted();
      return;
    }
    yield* [...this.#counted()].reverse();
  }

  /** How many commits there are, where the commit-graph can tell without looking at each; undefined otherwise. */
  findCount(): number | undefined {
    const { maxCount = -1, skip = 0, minParents = 0, maxParents = -1, since, until, matches, firstParent } = this.#options;
    const takesAll = maxCount < 0 && skip <= 0 && minParents <= 0 && maxParents < 0 && since === undefined && until === undefined && matches === undefined;
    return takesAll && this.#met !== undefined ? this.history.findCount(this.#tips, firstParent === true) : undefined;
  }

  /** The shown children of a commit, for `wantChildren`. */
  childrenOf(node: CommitNode): readonly CommitNode[] {
    return this.#children.get(node) ?? [];
  }

  /** Whether a commit not shown yet will be, as far as its own properties tell; for drawing lines to it. */
  willShow(node: CommitNode): boolean {
    if (this.#options.boundary && node.flags & flag.childShown) return true;
    if (node.flags & (flag.shown | flag.uninteresting)) return false;
    this.history.load(node);
    return this.#isWanted(node);
  }

  #prepare(): void {
    for (const node of this.#tips) {
      if (node.flags & flag.uninteresting) this.#markParents(node);
    }
    const fresh: CommitNode[] = [];
    for (const node of this.#tips) {
      if (node.flags & flag.seen) continue;
      node.flags |= flag.seen;
      this.#met?.add(node, this.history.graphCount);
      fresh.push(node);
    }
    const { noWalk, order } = this.#options;
    if (noWalk !== undefined) {
      this.#ready = noWalk === 'unsorted' ? fresh : fresh.sort((a, b) => b.seconds - a.seconds);
      for (const node of this.#ready) this.#simplify(node);
      return;
    }
    for (const node of fresh) this.#queue.push(node);
    if (!this.#limited) return;
    const list = this.#limit();
    this.#ready = order === undefined || order === 'default' ? list : this.#sortTopologically(list);
    if (this.#options.wantChildren) this.#collectChildren();
  }

  /** `skip`, `maxCount` and the boundary. */
  *#counted(): Generator<CommitNode> {
    const { boundary, maxCount } = this.#options;
    let skip = this.#options.skip ?? 0;
    let left = maxCount === undefined || maxCount < 0 ? Infinity : maxCount;
    const bordering: CommitNode[] = [];
    while (left > 0) {
      const node = this.#next();
      if (node === undefined) break;
      if (skip > 0) {
        skip -= 1;
        continue;
      }
      left -= 1;
      node.flags |= flag.shown;
      if (boundary) {
        for (const parent of node.parents) {
          if (parent.flags & (flag.childShown | flag.shown)) continue;
          parent.flags |= flag.childShown;
          bordering.push(parent);
        }
      }
      yield node;
    }
    if (!boundary) return;
    let found: CommitNode[] = [];
    for (const node of bordering) {
      if (node.flags & (flag.shown | flag.boundary)) continue;
      node.flags |= flag.boundary;
      this.history.load(node);
      found.unshift(node);
    }
    if ((this.#options.order ?? 'default') !== 'default') found = this.#sortTopologically(found);
    for (const node of found) {
      node.flags |= flag.shown;
      yield node;
    }
  }

  /** The next commit to be shown. */
  #next(): CommitNode | undefined {
    const collected = this.#limited || this.#options.noWalk !== undefined;
    const { since, sinceAsFilter } = this.#options;
    for (;;) {
      const node = collected ? this.#ready[this.#readyAt] : this.#queue.pop();
      if (node === undefined) return undefined;
      if (collected) this.#readyAt += 1;
      else {
        if (since !== undefined && !sinceAsFilter && node.seconds < since) continue;
        this.#addParents(node);
      }
      if (!this.#isWanted(node)) continue;
      if (this.#prune && !this.#options.sparse && this.#wantsAncestry) this.#rewriteParents(node);
      return node;
    }
  }

  get #wantsAncestry(): boolean {
    return this.#options.rewriteParents === true || this.#options.wantChildren === true;
  }

  #isWanted(node: CommitNode): boolean {
    const { since, sinceAsFilter, until, minParents, maxParents, matches, sparse } = this.#options;
    if (node.flags & (flag.shown | flag.uninteresting)) return false;
    if (until !== undefined && node.seconds > until) return false;
    if (since !== undefined && sinceAsFilter && node.seconds < since) return false;
    if (minParents !== undefined && minParents > 0 && node.parentIds.length < minParents) return false;
    if (maxParents !== undefined && maxParents >= 0 && node.parentIds.length > maxParents) return false;
    if (matches !== undefined && !matches(node.commit, node)) return false;
    if (this.#prune && !sparse && (node.flags & flag.treeSame)) {
      return this.#wantsAncestry && node.parents.filter(isRelevant).length >= 2;
    }
    return true;
  }

  #markParents(node: CommitNode): void {
    const pending = [...node.parents];
    for (let parent = pending.pop(); parent !== undefined; parent = pending.pop()) {
      if (parent.flags & flag.uninteresting) continue;
      parent.flags |= flag.uninteresting;
      pending.push(...parent.parents);
    }
  }

  /** Puts the parents not seen yet into the queue, after simplifying. */
  #addParents(node: CommitNode): void {
    if (node.flags & flag.added) return;
    node.flags |= flag.added;
    if (this.#met !== undefined) {
      this.history.passParents(node, this.#met, this.#options.firstParent === true, this.#push);
      return;
    }
    if (node.flags & flag.uninteresting) {
      for (const parent of node.parents) {
        parent.flags |= flag.uninteresting;
        // What is left out need not be there, as in a shallow or partial repository.
        if (!this.#loadIfPresent(parent)) continue;
        if (parent.parents.length > 0) this.#markParents(parent);
        if (parent.flags & flag.seen) continue;
        parent.flags |= flag.seen;
        this.#queue.push(parent);
      }
      return;
    }
    this.#simplify(node);
    const passed = node.flags & flag.left;
    const parents = this.#options.firstParent ? node.parents.slice(0, 1) : node.parents;
    for (const parent of parents) {
      parent.flags |= passed;
      if (this.#options.wantSource && parent.source === undefined) parent.source = node.source;
      if (parent.flags & flag.seen) continue;
      parent.flags |= flag.seen;
      this.#queue.push(this.history.load(parent));
    }
  }

  #loadIfPresent(node: CommitNode): boolean {
    if (node.isLoaded) return true;
    if (!this.history.store.has(node.id)) return false;
    this.history.load(node);
    return true;
  }

  /** Finds out whether a commit changes the paths, and leaves it the one parent it equals, if any. */
  #simplify(node: CommitNode): void {
    const pathspec = this.#prune;
    if (pathspec === undefined) return;
    const { firstParent, fullHistory, sparse } = this.#options;
    if (node.parents.length === 0) {
      if (!hasTreeDifference(this.history.store, undefined, node.tree, pathspec)) node.flags |= flag.treeSame;
      return;
    }
    if (sparse && node.parents.length === 1) return;
    this.history.saveParents(node);
    let relevantParents = 0;
    let relevantChange = false;
    let irrelevantChange = false;
    const sameness: boolean[] = [];
    for (const [index, parent] of node.parents.entries()) {
      if (isRelevant(parent)) relevantParents += 1;
      if (index === 1 && firstParent) break;
      this.history.load(parent);
      const isSame = !hasTreeDifference(this.history.store, parent.tree, node.tree, pathspec);
      sameness[index] = isSame;
      if (isSame) {
        if (fullHistory || !isRelevant(parent)) continue;
        node.parents = [parent];
        node.flags |= flag.treeSame;
        return;
      }
      if (isRelevant(parent)) relevantChange = true;
      else irrelevantChange = true;
    }
    if (fullHistory && node.parents.length > 1 && !firstParent) this.#sameness.set(node, sameness);
    if (relevantParents > 0 ? !relevantChange : !irrelevantChange) node.flags |= flag.treeSame;
  }

  /** Collects all commits before any is shown. */
  #limit(): CommitNode[] {
    const { since, sinceAsFilter, until, ancestryPath } = this.#options;
    const bottoms = ancestryPath ? this.#tips.filter((node) => node.flags & flag.bottom) : [];
    if (ancestryPath && bottoms.length === 0) {
      throw new InvalidError('--ancestry-path given but there are no bottom commits', { code: 'no-bottom' });
    }
    const list: CommitNode[] = [];
    let slop = slopCommits;
    let date = Number.MAX_SAFE_INTEGER;
    const cache: { interesting: CommitNode | undefined } = { interesting: undefined };
    for (let node = this.#queue.pop(); node !== undefined; node = this.#queue.pop()) {
      if (node === cache.interesting) cache.interesting = undefined;
      if (since !== undefined && !sinceAsFilter && node.seconds < since) node.flags |= flag.uninteresting;
      this.#addParents(node);
      if (node.flags & flag.uninteresting) {
        this.#markParents(node);
        const next = this.#queue.peek();
        if (next === undefined) slop = 0;
        else if (date <= next.seconds || this.#anyInteresting(cache)) slop = slopCommits;
        else slop -= 1;
        if (slop > 0) continue;
        break;
      }
      if (until !== undefined && node.seconds > until) continue;
      date = node.seconds;
      list.push(node);
    }
    if (this.#options.cherry) this.#compareSides(list);
    const { side } = this.#options;
    if (side !== undefined) {
      for (const node of list) if (((node.flags & flag.left) !== 0) !== (side === 'left')) node.flags |= flag.shown;
    }
    if (ancestryPath) limitToAncestry(bottoms, list);
    for (const node of list) if (!(node.flags & (flag.uninteresting | flag.treeSame))) this.#updateSameness(node);
    return list;
  }

  #anyInteresting(cache: { interesting: CommitNode | undefined }): boolean {
    if (cache.interesting && !(cache.interesting.flags & flag.uninteresting)) return true;
    for (const node of this.#queue.nodes()) {
      if (node.flags & flag.uninteresting) continue;
      cache.interesting = node;
      return true;
    }
    return false;
  }

  /** After limiting, parents that became uninteresting no longer make a merge differ. */
  #updateSameness(node: CommitNode): void {
    const sameness = this.#sameness.get(node);
    if (sameness === undefined) return;
    const changed = (relevant: boolean): boolean => node.parents.some((parent, index) => isRelevant(parent) === relevant && !sameness[index]);
    if (node.parents.some(isRelevant) ? !changed(true) : !changed(false)) node.flags |= flag.treeSame;
  }

  #compareSides(list: readonly CommitNode[]): void {
    const key = this.#options.patchKey;
    if (key === undefined) return;
    const left = list.filter((node) => node.flags & flag.left);
    const right = list.filter((node) => !(node.flags & flag.left));
    if (left.length === 0 || right.length === 0) return;
    const mark = this.#options.cherry === 'mark' ? flag.patchSame : flag.shown;
    const [fewer, more] = left.length < right.length ? [left, right] : [right, left];
    const byKey = new Map<string, CommitNode[]>();
    for (const node of fewer) {
      const own = key(node);
      if (own !== undefined) byKey.set(own, [...byKey.get(own) ?? [], node]);
    }
    for (const node of more) {
      const own = key(node);
      const twins = own === undefined ? undefined : byKey.get(own);
      if (twins === undefined) continue;
      node.flags |= mark;
      for (const twin of twins) twin.flags |= mark;
    }
  }

  #sortTopologically(list: readonly CommitNode[]): CommitNode[] {
    const { order } = this.#options;
    const waiting = new Map<CommitNode, number>();
    for (const node of list) waiting.set(node, 1);
    for (const node of list) {
      for (const parent of node.parents) {
        const count = waiting.get(parent);
        if (count !== undefined) waiting.set(parent, count + 1);
      }
    }
    const byDate = order === 'date' || order === 'author-date';
    const queue = new DateQueue();
    const stack: CommitNode[] = [];
    const put = (node: CommitNode): void => {
      if (byDate) queue.push(node, order === 'author-date' ? node.commit.author.seconds : node.seconds);
      else stack.push(node);
    };
    const tips = list.filter((node) => waiting.get(node) === 1);
    if (!byDate) tips.reverse();
    for (const node of tips) put(node);
    const sorted: CommitNode[] = [];
    for (let node = byDate ? queue.pop() : stack.pop(); node !== undefined; node = byDate ? queue.pop() : stack.pop()) {
      for (const parent of node.parents) {
        const count = waiting.get(parent);
        if (!count) continue;
        waiting.set(parent, count - 1);
        if (count - 1 === 1) put(parent);
      }
      waiting.set(node, 0);
      sorted.push(node);
    }
    return sorted;
  }

  /** Skips parents that are not shown because they change nothing. */
  #rewriteParents(node: CommitNode): void {
    this.history.saveParents(node);
    const parents: CommitNode[] = [];
    for (const parent of node.parents) {
      const shown = this.#shownAncestor(parent);
      if (shown !== undefined && !parents.includes(shown)) parents.push(shown);
    }
    node.parents = parents;
  }

  #shownAncestor(from: CommitNode): CommitNode | undefined {
    let node = from;
    for (;;) {
      this.history.load(node);
      if (!this.#limited) this.#addParents(node);
      if (node.flags & flag.uninteresting || !(node.flags & flag.treeSame)) return node;
      if (node.parents.length === 0) return undefined;
      const next = node.parents.length === 1 || this.#options.firstParent ? node.parents[0] : onlyRelevant(node.parents);
      if (next === undefined) return node;
      node = next;
    }
  }

  #collectChildren(): void {
    const shown = this.#ready.filter((node) => this.#isWanted(node));
    for (const node of shown) {
      if (this.#prune && !this.#options.sparse) this.#rewriteParents(node);
      for (const parent of node.parents) {
        const list = this.#children.get(parent);
        if (list === undefined) this.#children.set(parent, [node]);
        else list.unshift(node);
      }
    }
  }
}

function isRelevant(node: CommitNode): boolean {
  return (node.flags & (flag.uninteresting | flag.bottom)) !== flag.uninteresting;
}

function onlyRelevant(nodes: readonly CommitNode[]): CommitNode | undefined {
  const relevant = nodes.filter(isRelevant);
  return relevant.length === 1 ? relevant[0] : undefined;
}

/** Leaves only commits that descend from the bottoms. */
function limitToAncestry(bottoms: readonly CommitNode[], list: readonly CommitNode[]): void {
  for (const node of bottoms) node.flags |= flag.marked;
  let moved = true;
  while (moved) {
    moved = false;
    for (let at = list.length - 1; at >= 0; at -= 1) {
      const node = list[at]!;
      if (node.flags & (flag.marked | flag.uninteresting)) continue;
      if (!node.parents.some((parent) => parent.flags & flag.marked)) continue;
      node.flags |= flag.marked;
      moved = true;
    }
  }
  for (const node of list) if (!(node.flags & flag.marked)) node.flags |= flag.uninteresting;
  for (const node of [...bottoms, ...list]) node.flags &= ~flag.marked;
}
