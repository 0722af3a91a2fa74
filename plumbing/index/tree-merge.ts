// Reading trees into the index: one over what is there, two as a move from one to the other, three as a merge of what is trivial; the
// case tables are those of git-read-tree(1) and of technical/trivial-merge. First everything is decided and nothing touched;
// what would lose somebody's work is listed as a rejection; only a plan without rejections may be applied.
//
// Applying removes and writes files of the work tree, then changes the index in memory; the caller writes it under its lock.
// If the power fails in between, the old index is in place and status shows what was done.
import { ConflictError, RefusedError } from '../../pack/errors.js';
import type { ObjectStore } from '../../pack/object-store.js';
import type { ObjectId } from '../../pack/oid.js';
import { checkTreeDepth, gitlinkMode, isTreeMode, pathToUtf8, type RepoPath } from '../../pack/tree.js';
import { CacheTree } from './cache-tree.js';
import type { IgnoreRules } from '../ignore.js';
import { type Index, type IndexEntry, indexEntry } from './index-file.js';
import { checkPath, fullProtection, type PathProtection } from '../path-safety.js';
import { scanWorkTree } from './work-status.js';
import type { WorkTree } from './work-tree.js';

/**
 * 'overlay': the index is forgotten, later trees win. 'one': the tree replaces the index. 'two': from the first tree to the second,
 * keeping what the index changed. 'three': ancestors, ours, theirs. 'bind': put below `prefix`, the index stays.
 */
export type TreeMergeKind = 'overlay' | 'one' | 'two' | 'three' | 'bind';

export interface TreeMergeOptions {
  readonly kind: TreeMergeKind;
  /** Unmerged entries and changes of the work tree are given up. */
  readonly reset?: boolean;
  /** The work tree is updated, and looked at beforehand; absent: only the index. */
  readonly workTree?: WorkTree;
  /** Changed files are looked at although the work tree is not updated (read-tree -m without -i). */
  readonly verify?: WorkTree;
  /** Resolve deletions and equal additions too. */
  readonly aggressive?: boolean;
  /** The index did not exist before: nothing was taken out of it. */
  readonly initial?: boolean;
  /** Where 'bind' puts the tree: without trailing slash. */
  readonly prefix?: string;
  /** Ignored files may be overwritten. */
  readonly rules?: () => IgnoreRules;
  readonly protection?: PathProtection;
  /** Compare files whose stat differs by content, too, instead of taking them for changed (see update-index --refresh). */
  readonly compareContent?: boolean;
  /** More new entries than this are refused; default 5,000,000. */
  readonly mostEntries?: number;
}

const mostEntries = 5_000_000;

/** Why a path keeps the merge from happening. */
export interface Rejection {
  readonly path: RepoPath;
  readonly reason: 'not-uptodate' | 'untracked-overwritten' | 'untracked-removed' | 'would-overwrite' | 'overlap' | 'directory-not-clean';
}

/** An index entry, or the mark that a path was unmerged. */
interface Current {
  readonly entry: IndexEntry;
  readonly conflicted: boolean;
}

interface Side {
  readonly id: ObjectId;
  readonly mode: number;
}

/** What a tree has at a path: a file, nothing, or something that is a directory there (or a file above). */
type Source = Side | undefined | 'conflict';

/** A directory to go into: the trees that have it, and which of them have a file above it. */
interface InnerDirectory {
  readonly directory: string;
  readonly trees: readonly (ObjectId | undefined)[];
  readonly below: readonly boolean[];
}

/** What is to be done; `apply` does it. */
export class TreeMergePlan {
  readonly rejections: Rejection[] = [];
  /** Entries to put in, with stages; their paths' former entries go first. */
  readonly puts: IndexEntry[] = [];
  readonly removals: RepoPath[] = [];
  /** Merged entries whose files are to be written. */
  readonly updates: IndexEntry[] = [];
  /** Files to be removed. */
  readonly deletions: RepoPath[] = [];
  /** Something was left unmerged. */
  isNontrivial = false;

  /** ConflictError 'merge-refused' naming what would be lost. */
  requireClean(): void {
    if (this.rejections.length === 0) return;
    const first = this.rejections[0]!;
    const others = this.rejections.length - 1;
    throw new ConflictError(`${describeRejection(first)}${others > 0 ? ` (and ${others} more)` : ''}`, {
      code: 'merge-refused', hint: 'commit, move or remove what would be lost, then try again',
    });
  }

  /** Changes the index, and the work tree when one is given: removes first, then writes; `onWritten` hears how many files were. */
  apply(index: Index, workTree?: WorkTree, onWritten?: (files: number) => void): void {
    if (workTree !== undefined) for (const path of this.deletions) removeFile(workTree, path);
    for (const path of this.removals) index.remove(path);
    const cleared = new Set<string>();
    for (const entry of this.puts) {
      if (entry.stage !== 0 && !cleared.has(entry.path)) {
        index.remove(entry.path);
        cleared.add(entry.path);
      }
      index.set(entry, 'tree');
    }
    index.forgetResolved();
    if (workTree === undefined) return;
    for (const [at, entry] of this.updates.entries()) {
      onWritten?.(at);
      if (entry.skipWorktree) continue;
      const stat = workTree.checkout(entry, { force: true });
      if (stat !== false) index.refresh({ ...entry, stat });
    }
  }
}

/** Words for a rejection. */
export function describeRejection({ path, reason }: Rejection): string {
  const name = pathToUtf8(path);
  switch (reason) {
    case 'not-uptodate': return `entry '${name}' not uptodate; cannot merge`;
    case 'untracked-overwritten': return `untracked working tree file '${name}' would be overwritten by merge`;
    case 'untracked-removed': return `untracked working tree file '${name}' would be removed by merge`;
    case 'would-overwrite': return `entry '${name}' would be overwritten by merge; cannot merge`;
    case 'overlap': return `entry '${name}' overlaps with the tree; cannot bind`;
    case 'directory-not-clean': return `updating '${name}' would lose untracked files in it`;
  }
}

/** A nested repository stays where it is; everything else goes. */
function removeFile(workTree: WorkTree, path: RepoPath): void {
  const status = workTree.findOwnStatus(path);
  if (status === undefined) return;
  if (!status.isDirectory()) workTree.remove(path);
  else if (workTree.list(`${path}/`).length === 0) workTree.remove(path);
}

/** Decides what reading `trees` into `index` means; touches nothing. */
export function planTreeMerge(store: ObjectStore, index: Index, trees: readonly ObjectId[], options: TreeMergeOptions): TreeMergePlan {
  const planner = new Planner(store, index, trees.length, options);
  planner.run(trees);
  return planner.plan;
}

class Planner {
  readonly plan = new TreeMergePlan();
  readonly #store: ObjectStore;
  readonly #index: Index;
  readonly #treeCount: number;
  readonly #options: TreeMergeOptions;
  readonly #protection: PathProtection;
  readonly #removed = new Set<string>();

  constructor(store: ObjectStore, index: Index, treeCount: number, options: TreeMergeOptions) {
    this.#store = store;
    this.#index = index;
    this.#treeCount = treeCount;
    this.#options = options;
    this.#protection = options.protection ?? fullProtection;
  }

  run(trees: readonly ObjectId[]): void {
    const none = trees.map(() => false);
    if (this.#options.kind === 'bind') {
      this.#walk(this.#options.prefix === '' ? '' : `${this.#options.prefix!}/`, trees, none, true);
      return;
    }
    this.#walk('', trees, none, true);
  }

  /** One directory ('' or with trailing slash); `below[i]` says that tree i has a file above it. */
  #walk(directory: string, trees: readonly (ObjectId | undefined)[], below: readonly boolean[], mayShortcut: boolean, depth = 0): void {
    const { from, to } = this.#index.rangeOf(directory);
    if (mayShortcut && this.#isUntouched(directory, trees, from, to)) return;
    for (const tree of trees) if (tree !== undefined) checkTreeDepth(depth, tree);
    // Little is kept on the stack here, because directories nest deeply.
    for (const inner of this.#mergeFiles(directory, trees, below, from, to)) this.#walk(inner.directory, inner.trees, inner.below, true, depth + 1);
  }

  /** Merges what are files in one directory, and gives its directories in their turn. */
  *#mergeFiles(directory: string, trees: readonly (ObjectId | undefined)[], below: readonly boolean[], from: number, to: number): Iterable<InnerDirectory> {
    const levels = trees.map((id) => new Map((id === undefined ? [] : this.#store.readTree(id)).map((entry) => [entry.name, entry])));
    const names = new Set<string>();
    for (const level of levels) for (const name of level.keys()) names.add(name);
    const current = new Map<string, Current>();
    const directories = new Set<string>();
    for (let at = from; at < to;) {
      const path = this.#index.pathAt(at);
      const slash = path.indexOf('/', directory.length);
      if (slash >= 0) {
        directories.add(path.slice(directory.length, slash));
        at = this.#index.endOfDirectory(path.slice(0, slash + 1), at, to);
        continue;
      }
      const entry = this.#index.entryAt(at);
      const name = path.slice(directory.length);
      // Several stages of one path count once.
      if (!current.has(name)) current.set(name, { entry, conflicted: entry.stage !== 0 });
      at += 1;
    }
    for (const name of current.keys()) names.add(name);
    for (const name of directories) names.add(name);
    for (const name of [...names].sort()) {
      const path = (directory + name) as RepoPath;
      const entries = levels.map((level) => level.get(name));
      const found = current.get(name);
      const hasFile = entries.some((entry) => entry !== undefined && !isTreeMode(entry.mode));
      const hasDirectory = directories.has(name) || entries.some((entry) => entry !== undefined && isTreeMode(entry.mode));
      if (hasFile || found !== undefined) {
        if (hasFile) checkPath(path, this.#protection, entries.find((entry) => entry !== undefined && !isTreeMode(entry.mode))!.mode);
        this.#merge(path, found, entries.map((entry, at) => {
          if (entry === undefined) return below[at] ? 'conflict' : undefined;
          return isTreeMode(entry.mode) ? 'conflict' : entry;
        }));
      }
      if (hasDirectory) {
        yield {
          directory: `${path}/`,
          trees: entries.map((entry) => entry !== undefined && isTreeMode(entry.mode) ? entry.id : undefined),
          below: entries.map((entry, at) => below[at]! || (entry !== undefined && !isTreeMode(entry.mode))),
        };
      }
    }
  }

  /** True when it is known without looking further that nothing changes here. */
  #isUntouched(directory: string, trees: readonly (ObjectId | undefined)[], from: number, to: number): boolean {
    const { kind, reset } = this.#options;
    const [first] = trees;
    if (first === undefined || trees.some((id) => id !== first)) return false;
    if (reset || kind === 'overlay' || kind === 'bind') return false;
    // From a tree to itself: whatever the index has is kept.
    if (kind === 'two' && !this.#options.initial) return true;
    const node = this.#index.cacheTree?.find(directory.slice(0, -1));
    return node?.id === first && node.entryCount === to - from;
  }

  #merge(path: RepoPath, current: Current | undefined, sources: readonly Source[]): void {
    switch (this.#options.kind) {
      case 'overlay': this.#overlay(path, sources); return;
      case 'one': this.#one(path, current, sources[0]); return;
      case 'two': this.#two(path, current, sources[0], sources[1]); return;
      case 'three': this.#three(path, current, sources); return;
      case 'bind': this.#bind(path, current, sources[0]); return;
    }
  }

  /** Trees of the same trees name more files than any memory holds; RefusedError then. */
  #addEntry(entry: IndexEntry): void {
    const most = this.#options.mostEntries ?? mostEntries;
    if (this.plan.puts.length >= most) {
      throw new RefusedError(`the index would get more than ${most} entries`, { code: 'tree-too-large' });
    }
    this.plan.puts.push(entry);
  }

  #overlay(path: RepoPath, sources: readonly Source[]): void {
    for (let at = sources.length - 1; at >= 0; at -= 1) {
      const source = sources[at];
      if (source === 'conflict') return;
      if (source === undefined) continue;
      this.#addEntry(indexEntry({ path, id: source.id, mode: source.mode }));
      return;
    }
  }

  #one(path: RepoPath, current: Current | undefined, source: Source): void {
    const tree = side(source);
    if (tree === undefined) {
      this.#delete(path, current, current);
      return;
    }
    if (current === undefined || !same(current, tree)) {
      this.#put(path, tree, current);
      return;
    }
    // Reset gives up what was changed in the work tree.
    const { workTree, reset } = this.#options;
    if (!reset || workTree === undefined || current.entry.skipWorktree) return;
    const status = workTree.findOwnStatus(path);
    if (status === undefined || workTree.compareStatus(current.entry, status, this.#index) !== 'same') {
      if (tree.mode !== gitlinkMode || status === undefined) this.plan.updates.push(current.entry);
    }
  }

  #two(path: RepoPath, current: Current | undefined, from: Source, to: Source): void {
    const oldTree = side(from);
    const newTree = side(to);
    if (current === undefined) {
      if (newTree === undefined) this.#delete(path, undefined, current);
      else if (oldTree !== undefined && !this.#options.initial) {
        // The path was taken out of the index: fine as long as the trees agree on it.
        if (!sameSides(oldTree, newTree)) this.#reject(path, 'would-overwrite');
      } else this.#put(path, newTree, current);
      return;
    }
    if (current.conflicted) {
      if (!sameSides(oldTree, newTree) && !this.#options.reset) this.#reject(path, 'would-overwrite');
      else if (newTree === undefined) this.#delete(path, current, current);
      else this.#put(path, newTree, current);
      return;
    }
    const isNew = newTree !== undefined && same(current, newTree);
    if (oldTree === undefined && newTree === undefined) return;
    if (isNew || (oldTree !== undefined && newTree !== undefined && sameSides(oldTree, newTree))) return;
    if (oldTree === undefined || !same(current, oldTree)) this.#reject(path, 'would-overwrite');
    else if (newTree === undefined) this.#delete(path, current, current);
    else this.#put(path, newTree, current);
  }

  /** The numbers of the cases are those of technical/trivial-merge. */
  #three(path: RepoPath, current: Current | undefined, sources: readonly Source[]): void {
    const headAt = this.#treeCount - 2;
    const ancestors = sources.slice(0, headAt).map(side);
    const headConflict = sources[headAt] === 'conflict';
    const remoteConflict = sources[headAt + 1] === 'conflict';
    const head = side(sources[headAt]);
    const remote = side(sources[headAt + 1]);
    let headMatches = false;
    let remoteMatches = false;
    if (!sameSides(remote, head)) {
      // As Git has it, an ancestor that lacks the path is the same as a side that lacks it, unless a directory is in its place.
      for (const [at, ancestor] of ancestors.entries()) {
        if (sources[at] === 'conflict') continue;
        if (sameSides(ancestor, head)) headMatches = true;
        if (sameSides(ancestor, remote)) remoteMatches = true;
      }
    }
    // #14, #14ALT, #2ALT
    if (remote !== undefined && !headConflict && headMatches && !remoteMatches) {
      if (current !== undefined && !same(current, remote) && !(head !== undefined && same(current, head))) this.#reject(path, 'would-overwrite');
      else this.#put(path, remote, current);
      return;
    }
    if (current !== undefined && !(head !== undefined && same(current, head))) {
      this.#reject(path, 'would-overwrite');
      return;
    }
    if (head !== undefined) {
      // #5ALT, #15; #13, #3ALT
      if (sameSides(head, remote) || (!remoteConflict && remoteMatches && !headMatches)) {
        this.#put(path, head, current);
        return;
      }
    }
    // #1
    if (head === undefined && remote === undefined && ancestors.some((ancestor) => ancestor === undefined)) return;
    if (this.#options.aggressive && this.#mergeAggressively(path, current, head, remote, headMatches, remoteMatches, ancestors)) return;
    if (current !== undefined && !this.#isUpToDate(path, current)) return;
    this.plan.isNontrivial = true;
    // #2, #3, #4, #6, #7, #9, #10, #11
    const keep = (found: Side | undefined, stage: 1 | 2 | 3): void => {
      if (found !== undefined) this.#addEntry(indexEntry({ path, id: found.id, mode: found.mode, stage }));
    };
    if (!headMatches || !remoteMatches) keep(ancestors.find((ancestor) => ancestor !== undefined), 1);
    keep(head, 2);
    keep(remote, 3);
  }

  /** True when the case was decided: deleted on both sides, or on one and unchanged on the other; added equally. */
  #mergeAggressively(
    path: RepoPath, current: Current | undefined, head: Side | undefined, remote: Side | undefined, headMatches: boolean, remoteMatches: boolean,
    ancestors: readonly (Side | undefined)[],
  ): boolean {
    if ((head === undefined && remote === undefined) || (head === undefined && remoteMatches) || (remote === undefined && headMatches)) {
      if (current !== undefined) this.#delete(path, current, current);
      else if (head !== undefined) this.#verifyAbsent(path, 'untracked-removed');
      return true;
    }
    if (head !== undefined && sameSides(head, remote) && ancestors.every((ancestor) => ancestor === undefined)) {
      this.#put(path, head, current);
      return true;
    }
    return false;
  }

  #bind(path: RepoPath, current: Current | undefined, source: Source): void {
    const tree = side(source);
    if (tree === undefined) return;
    if (current !== undefined) this.#reject(path, 'overlap');
    else this.#put(path, tree, undefined);
  }

  #reject(path: RepoPath, reason: Rejection['reason']): void {
    this.plan.rejections.push({ path, reason });
  }

  /** The entry becomes `found`; the file follows. */
  #put(path: RepoPath, found: Side, current: Current | undefined): void {
    if (current === undefined) {
      if (!this.#verifyAbsent(path, 'untracked-overwritten')) return;
    } else if (current.conflicted) {
      if (this.#updatedTree?.findOwnStatus(path)?.isDirectory() && !this.#verifyAbsent(path, 'untracked-overwritten')) return;
    } else if (same(current, found)) {
      return;
    } else if (!this.#isUpToDate(path, current)) {
      return;
    }
    const entry = indexEntry({ path, id: found.id, mode: found.mode, skipWorktree: current?.entry.skipWorktree ?? false });
    this.#addEntry(entry);
    this.plan.updates.push(entry);
  }

  #delete(path: RepoPath, known: Current | undefined, current: Current | undefined): void {
    if (known === undefined || current === undefined) {
      this.#verifyAbsent(path, 'untracked-removed');
      return;
    }
    if (!current.conflicted && !this.#isUpToDate(path, current)) return;
    this.plan.removals.push(path);
    this.plan.deletions.push(path);
    this.#removed.add(path);
  }

  get #updatedTree(): WorkTree | undefined {
    return this.#options.workTree;
  }

  /** False, and rejected, when the file of an entry that goes or changes was itself changed. */
  #isUpToDate(path: RepoPath, { entry }: Current): boolean {
    const workTree = this.#options.workTree ?? this.#options.verify;
    if (workTree === undefined || this.#options.reset || entry.mode === gitlinkMode || this.#isClean(workTree, entry)) return true;
    this.#reject(path, 'not-uptodate');
    return false;
  }

  #isClean(workTree: WorkTree, entry: IndexEntry): boolean {
    const status = workTree.findOwnStatus(entry.path);
    if (status === undefined) return true;
    if (entry.intentToAdd) return false;
    const compared = workTree.compareStatus(entry, status, this.#index);
    if (compared !== 'dubious') return compared === 'same';
    if (!this.#options.compareContent && !workTree.looksSame(entry, status)) return false;
    return workTree.hasContentOf(entry);
  }

  /** False, and rejected, when something untracked is where a new file goes. */
  #verifyAbsent(path: RepoPath, reason: Rejection['reason']): boolean {
    const workTree = this.#updatedTree;
    if (workTree === undefined || this.#options.reset) return true;
    const blocker = this.#findBlocker(workTree, path);
    if (blocker === undefined) return true;
    const status = workTree.findStatus(blocker)!;
    if (this.#options.rules?.().isIgnored(blocker, status.isDirectory())) return true;
    if (status.isDirectory()) return this.#verifyDirectory(workTree, blocker);
    // What is tracked there is judged by its own entry, which this merge removes or rejects.
    if (this.#removed.has(blocker) || (blocker !== path && this.#options.kind !== 'bind' && this.#index.find(blocker) !== undefined)) return true;
    this.#reject(path, reason);
    return false;
  }

  /** The path itself, or what stands in place of one of its directories. */
  #findBlocker(workTree: WorkTree, path: string): RepoPath | undefined {
    for (let slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1)) {
      const status = workTree.findStatus(path.slice(0, slash));
      if (status === undefined) return undefined;
      if (!status.isDirectory()) return path.slice(0, slash) as RepoPath;
    }
    return workTree.findStatus(path) === undefined ? undefined : path as RepoPath;
  }

  /** A directory where a file goes: nothing untracked may be in it, and what is tracked must be unchanged. */
  #verifyDirectory(workTree: WorkTree, path: RepoPath): boolean {
    if (workTree.isNestedRepository(path)) {
      this.#reject(path, 'directory-not-clean');
      return false;
    }
    const { from, to } = this.#index.rangeOf(`${path}/`);
    for (let at = from; at < to; at += 1) {
      const entry = this.#index.entryAt(at);
      if (entry.stage === 0 && !this.#isUpToDate(entry.path, { entry, conflicted: false })) return false;
    }
    const { rules } = this.#options;
    const scan = scanWorkTree(workTree, this.#index, {
      untracked: 'all', below: `${path}/`, trackedUnchecked: true, ...(rules === undefined ? {} : { rules }),
    });
    if (scan.untracked.length === 0) return true;
    this.#reject(path, 'directory-not-clean');
    return false;
  }
}

function side(source: Source): Side | undefined {
  return source === 'conflict' ? undefined : source;
}

function same(current: Current, tree: Side): boolean {
  return !current.conflicted && current.entry.id === tree.id && current.entry.mode === tree.mode;
}

function sameSides(one: Side | undefined, two: Side | undefined): boolean {
  return one === undefined || two === undefined ? one === two : one.id === two.id && one.mode === two.mode;
}

/** The cache-tree of an index that was just made from one tree. */
export function primeCacheTree(index: Index, store: ObjectStore, tree: ObjectId): void {
  const build = (id: ObjectId, depth: number): CacheTree => {
    checkTreeDepth(depth, id);
    const node = new CacheTree();
    node.id = id;
    let count = 0;
    for (const entry of store.readTree(id)) {
      if (!isTreeMode(entry.mode)) {
        count += 1;
        continue;
      }
      const child = build(entry.id, depth + 1);
      node.children.set(entry.name, child);
      count += child.entryCount;
    }
    node.entryCount = count;
    return node;
  };
  index.keepCacheTree(build(tree, 0));
}
