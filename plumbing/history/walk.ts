// Walking history: which commits, in which order. Two ways of going: streaming by date when nothing has to be known beforehand,
// or collecting everything first (exclusions, topological order, ancestry), as git does, so that the order is the same.
//
// Paths simplify history (see simplifier). Commits go by number here (see history); a walk has a history of its own, whose flags
// and parents it changes, and can be walked once.
import { InvalidError } from '../../pack/errors.js';
import type { Commit } from '../../pack/commit.js';
import type { CommitLines, CommitWalk, CommitWalkOptions } from '../../pack/commit-walk.js';
import type { ObjectId } from '../../pack/oid.js';
import { type Bisection, type BisectionOptions, findBisection } from './bisection.js';
import { CommitQueue } from './commit-queue.js';
import { type CommitNode, History, type KeptPart } from './history.js';
import type { Pathspec } from '../pathspec.js';
import type { Repository } from '../repository.js';
import { Simplifier } from './simplifier.js';
import { flag } from './walk-flag.js';

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
  /** Only commits that lead to excluded ones. */
  readonly ancestryPath?: boolean;
  /** With `ancestryPath`: only commits that lead to these, or that these lead to. */
  readonly ancestryTips?: readonly ObjectId[];
  /** Of excluded commits only the first parents are excluded, too. */
  readonly excludeFirstParent?: boolean;
  /** Leave out commits that are in packs. */
  readonly unpacked?: boolean;
  /** Author, committer and message limits. */
  readonly matches?: (commit: Commit, node: CommitNode) => boolean;
  readonly pathspec?: Pathspec;
  readonly fullHistory?: boolean;
  /** Also give commits that change nothing in the paths. */
  readonly sparse?: boolean;
  /** What a commit adds has no history before it. */
  readonly removeEmpty?: boolean;
  /** Keep merges that brought a change into the first parent. */
  readonly showPulls?: boolean;
  /** Leave out merges that contribute nothing; goes with fullHistory and an order. */
  readonly simplifyMerges?: boolean;
  /** Commits that names point at count as changes. */
  readonly isDecorated?: (commit: ObjectId) => boolean;
  /** Collect everything before the first is shown. */
  readonly limited?: boolean;
  /** Parents are shown, so they have to be shown commits. */
  readonly rewriteParents?: boolean;
  readonly wantChildren?: boolean;
  /** Commits whose change is on both sides of 'a...b': left out, or marked. */
  readonly cherry?: 'pick' | 'mark';
  /** Equal for commits with equal changes; needed for `cherry`. */
  readonly patchKey?: (node: CommitNode) => string | undefined;
  /** Grafts hide no parents. */
  readonly keepsTrueParents?: boolean;
  /** Remember which tip each commit was reached from. */
  readonly wantSource?: boolean;
  /** What is kept for showing of the content that was read for the walk. */
  readonly keep?: KeptPart | undefined;
}

const slopCommits = 5;
/** So many are worth the quick way. */
const quickCommits = 256;

/** One walk over the commits reachable from its tips. */
export class RevWalk {
  readonly history: History;
  readonly #options: WalkOptions;
  readonly #tips: readonly number[];
  readonly #ancestryTips: readonly number[];
  readonly #simplifier: Simplifier | undefined;
  readonly #limited: boolean;
  /** Each commit is shown as soon as it is its turn, and never asked for again. */
  readonly #isPassing: boolean;
  readonly #children = new Map<number, number[]>();
  readonly #queue = new CommitQueue();
  #ready: number[] = [];
  #readyAt = 0;
  #isPrepared = false;

  constructor(repository: Repository, tips: readonly Tip[], options: WalkOptions = {}) {
    this.#options = options;
    const { keep, keepsTrueParents = false } = options;
    this.history = new History(repository, keep === undefined ? { keepsTrueParents } : { keep, keepsTrueParents });
    const isPruned = options.pathspec !== undefined || options.isDecorated !== undefined;
    this.#simplifier = isPruned ? new Simplifier(this.history, options) : undefined;
    const { table, sources } = this.history;
    this.#ancestryTips = (options.ancestryTips ?? []).map((id) => table.number(id));
    for (const commit of this.#ancestryTips) {
      this.history.loadCommit(commit);
      this.#mark(commit, flag.ancestryPath);
    }
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
      || options.cherry !== undefined || options.wantChildren === true || options.simplifyMerges === true || options.limited === true;
    this.#isPassing = !this.#limited && !isPruned && options.noWalk === undefined && !options.boundary
      && !options.rewriteParents && !options.wantSource && !tips.some(({ isLeft }) => isLeft);
  }

  /** The commits, each once. Flags of a node tell its side and whether it is a boundary. */
  *[Symbol.iterator](): Generator<CommitNode> {
    const { history } = this;
    this.#prepare();
    const { reverse, boundary, skip = 0, maxCount = -1 } = this.#options;
    if (!reverse && !boundary && skip <= 0 && maxCount < 0) {
      // As below, with nothing in between: long walks go this way.
      for (let commit = this.#next(); commit >= 0; commit = this.#next()) {
        this.#mark(commit, flag.shown);
        yield this.#isPassing ? history.passingNode(commit) : history.nodeOf(commit);
      }
      return;
    }
    for (const commit of reverse ? [...this.#counted()].reverse() : this.#counted()) yield history.nodeOf(commit);
  }

  /** How many commits there are, where that can be told without nodes of them; undefined otherwise. */
  findCount(): number | undefined {
    if (!this.#takesAll || (this.#options.maxCount ?? -1) >= 0) return undefined;
    return this.history.findCount(this.#tips, this.#options.firstParent === true) ?? this.#runQuickly({});
  }

  /** Prints a line for each commit where that can be done without nodes of them; false, and nothing printed, otherwise. */
  printLines(lines: CommitLines): boolean {
    return this.#takesAll && this.#runQuickly({ lines }) !== undefined;
  }

  /** As `printLines`, and then the trees and blobs of the commits; `between` is called before those. */
  printObjects(lines: CommitLines, between: () => void): boolean {
    const walk = this.#takesAll ? this.history.openWalk() : undefined;
    if (walk === undefined || this.#runQuickly({ lines, keepsTrees: true }, walk) === undefined) return false;
    between();
    walk.printObjects(lines.write);
    return true;
  }

  /** Every commit that can be reached is shown, at once. */
  get #takesAll(): boolean {
    const { skip = 0, minParents = 0, maxParents = -1, since, until, matches, unpacked, reverse } = this.#options;
    return this.#isPassing && !this.#isPrepared && !reverse && skip <= 0 && minParents <= 0 && maxParents < 0 && since === undefined && until === undefined
      && matches === undefined && !unpacked;
  }

  #runQuickly(options: CommitWalkOptions, walk?: CommitWalk): number | undefined {
    const { firstParent = false, maxCount = -1 } = this.#options;
    // For a few commits nothing is set up.
    if (maxCount >= 0 && maxCount < quickCommits) return undefined;
    const { table } = this.history;
    const tips = this.#tips.map((commit) => table.ids.idAt(commit));
    return (walk ?? this.history.openWalk())?.run(tips, { firstParent, maxCount, graph: this.history.graphTables, ...options });
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

  /** What was collected before the first commit is shown, be it shown or not; where nothing is collected, where the walk begins. */
  collected(): CommitNode[] {
    this.#prepare();
    return (this.#limited ? this.#ready : this.#tips).map((commit) => this.history.nodeOf(commit));
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

  /** Leaves only the commits that halve what there is, or all of them from the middle on; `limited` must be given. Undefined: there are none. */
  bisect(options: Omit<BisectionOptions, 'firstParent'>): Bisection | undefined {
    this.#prepare();
    const found = findBisection(this.history, this.#ready, { ...options, firstParent: this.#options.firstParent === true });
    this.#ready = [...found?.commits ?? []];
    return found;
  }

  #prepare(): void {
    if (this.#isPrepared) return;
    this.#isPrepared = true;
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
      for (const commit of this.#ready) this.#simplifier?.simplify(commit);
      return;
    }
    for (const commit of fresh) this.#queue.push(commit, this.#seconds(commit));
    if (!this.#limited) return;
    const list = this.#limit();
    this.#ready = order === undefined || order === 'default' ? list : this.#sortTopologically(list);
    if (this.#options.simplifyMerges && this.#simplifier !== undefined) this.#ready = this.#simplifier.simplifyMerges(this.#ready);
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
    found = this.#sortTopologically(found);
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
      if (!this.#limited) {
        if (since !== undefined && !sinceAsFilter && this.#seconds(commit) < since) continue;
        if (!collected) this.#addParents(commit);
      }
      if (!this.#isWanted(commit)) continue;
      if (!this.#options.sparse && this.#wantsAncestry) this.#simplifier?.rewriteParents(commit, this.#visit);
      return commit;
    }
  }

  /** Ancestors are looked at before it is their turn when parents are rewritten. */
  readonly #visit = (commit: number): void => {
    if (!this.#limited) this.#addParents(commit);
  };

  get #wantsAncestry(): boolean {
    return this.#options.rewriteParents === true || this.#options.wantChildren === true;
  }

  #isWanted(commit: number): boolean {
    const { since, sinceAsFilter, until, minParents, maxParents, matches, sparse, unpacked } = this.#options;
    const { table } = this.history;
    if (this.#has(commit, flag.shown | flag.uninteresting)) return false;
    if (unpacked && this.history.store.isPacked(table.ids.idAt(commit))) return false;
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
    const simplifier = this.#simplifier;
    if (simplifier === undefined || sparse || !this.#has(commit, flag.treeSame)) return true;
    if (!this.#wantsAncestry) return false;
    // Merges tie together what is shown.
    return (this.#options.showPulls === true && this.#has(commit, flag.pullMerge)) || this.#parents(commit).filter((parent) => simplifier.isRelevant(parent)).length >= 2;
  }

  #markParents(commit: number): void {
    const pending = this.#excludedParents(commit);
    for (let parent = pending.pop(); parent !== undefined; parent = pending.pop()) {
      if (this.#has(parent, flag.uninteresting)) continue;
      this.#mark(parent, flag.uninteresting);
      for (const next of this.#excludedParents(parent)) pending.push(next);
    }
  }

  #excludedParents(commit: number): number[] {
    const parents = this.#parents(commit);
    return this.#options.excludeFirstParent ? parents.slice(0, 1) : parents;
  }

  /** Puts the parents not seen yet into the queue, after simplifying. */
  #addParents(commit: number): void {
    if (this.#has(commit, flag.added)) return;
    this.#mark(commit, flag.added);
    if (this.#has(commit, flag.uninteresting)) {
      this.#addExcludedParents(commit);
      return;
    }
    this.#simplifier?.simplify(commit);
    const { table, sources } = this.history;
    const passed = table.flags[commit]! & (flag.left | flag.ancestryPath);
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
    for (const parent of this.#excludedParents(commit)) {
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

  /** Collects all commits before any is shown. */
  #limit(): number[] {
    const { since, sinceAsFilter, until, ancestryPath } = this.#options;
    const implied = ancestryPath && this.#ancestryTips.length === 0 ? this.#tips.filter((commit) => this.#has(commit, flag.bottom)) : [];
    const bottoms = [...this.#ancestryTips, ...implied];
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
      if (since !== undefined && sinceAsFilter && this.#seconds(commit) < since) continue;
      date = this.#seconds(commit);
      list.push(commit);
    }
    if (this.#options.cherry) this.#compareSides(list);
    const { side } = this.#options;
    if (side !== undefined) {
      for (const commit of list) if (this.#has(commit, flag.left) !== (side === 'left')) this.#mark(commit, flag.shown);
    }
    if (ancestryPath) this.#limitToAncestry(bottoms, list);
    const simplifier = this.#simplifier;
    if (simplifier !== undefined) for (const commit of list) if (!this.#has(commit, flag.uninteresting | flag.treeSame)) simplifier.refresh(commit);
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

  #collectChildren(): void {
    for (const commit of this.#ready) {
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
    for (const commit of list) if (!this.#has(commit, flag.marked | flag.ancestryPath)) this.#mark(commit, flag.uninteresting);
    for (const commit of [...bottoms, ...list]) this.history.table.flags[commit]! &= ~(flag.marked | flag.ancestryPath);
  }
}
