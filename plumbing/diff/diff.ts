// What differs between two trees: a list of paths with their old and new mode and id.
//
// Entries come in git's order (a directory sorts as if it ended in '/'). A subtree with equal ids is never opened. Renames are
// found afterwards, by rename.ts; the words for it all are diff-format.ts.
import type { ObjectStore } from '../../pack/object-store.js';
import { type ObjectId, zeroId } from '../../pack/oid.js';
import { type RepoPath, type TreeEntry, checkTreeDepth, compareTreeNames } from '../../pack/tree.js';
import type { Pathspec } from '../pathspec.js';
import { findRenames, type RenameOptions } from './rename.js';

/** One side of an entry; mode 0 and a zero id where there is nothing. */
export interface DiffSide {
  readonly mode: number;
  readonly id: ObjectId;
  /** The content, where it is not that of the object `id` (a work-tree file). */
  readonly content?: () => Buffer;
  /** Where the content lies as a file, from the top of the work tree. */
  readonly file?: string;
  /** With `content`: `id` is that of the content. */
  readonly isHashed?: boolean;
}

/** Added, deleted, modified, type changed, renamed, copied, unmerged; 'same' only between diffing and rename detection. */
export type DiffStatus = 'A' | 'D' | 'M' | 'T' | 'R' | 'C' | 'U' | 'same';

export interface DiffEntry {
  /** The new path. */
  readonly path: RepoPath;
  /** Where it was, for renames and copies. */
  readonly oldPath?: RepoPath;
  readonly status: DiffStatus;
  readonly old: DiffSide;
  readonly new: DiffSide;
  /** Similarity of a rename or copy, 0 to 60000; how much was rewritten of a file that was changed beyond recognition. */
  readonly score?: number;
  /** This is half of a rewritten file, taken apart for rename detection: how much of it went (0: too little to tell). */
  readonly brokenScore?: number;
}

export interface TreeDiffOptions {
  readonly recursive?: boolean;
  /** With `recursive`: also give the trees. */
  readonly showTrees?: boolean;
  readonly pathspec?: Pathspec;
  readonly renames?: RenameOptions;
  /** Also give files that did not change, as copy sources. */
  readonly unchanged?: boolean;
}

const isTree = (mode: number): boolean => (mode & 0o170000) === 0o040000;

/** The status two sides make; undefined when they are equal. */
export function statusOf(old: DiffSide, now: DiffSide): DiffStatus {
  if (old.mode === 0) return 'A';
  if (now.mode === 0) return 'D';
  if ((old.mode & 0o170000) !== (now.mode & 0o170000)) return 'T';
  return 'M';
}

/** The differences from tree `a` to tree `b` (undefined: an empty tree), renames found when asked for. */
export function diffTrees(store: ObjectStore, a: ObjectId | undefined, b: ObjectId | undefined, options: TreeDiffOptions = {}): DiffEntry[] {
  const unchanged = options.unchanged ?? options.renames?.findCopiesHarder ?? false;
  const entries = [...walkTrees(store, a, b, { ...options, unchanged })];
  return options.renames === undefined ? entries : findRenames(store, entries, options.renames);
}

/** True when the trees differ in a path of the pathspec; stops at the first. */
export function hasTreeDifference(store: ObjectStore, a: ObjectId | undefined, b: ObjectId | undefined, pathspec?: Pathspec): boolean {
  return walkTrees(store, a, b, { recursive: true, ...(pathspec === undefined ? {} : { pathspec }) }).next().done !== true;
}

/** A directory to go into: what it is on both sides, its path with trailing slash. */
interface Descent { readonly a: ObjectId | undefined; readonly b: ObjectId | undefined; readonly prefix: string }

/** Level by level on a stack of its own, because generators inside generators use up the process's on deep trees. */
function* walkTrees(
  store: ObjectStore, a: ObjectId | undefined, b: ObjectId | undefined, options: TreeDiffOptions,
): Generator<DiffEntry> {
  const levels = [compareLevel(store, { a, b, prefix: '' }, options)];
  for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
    const { done, value } = level.next();
    if (done === true) levels.pop();
    else if ('status' in value) yield value;
    else {
      checkTreeDepth(levels.length, (value.a ?? value.b)!);
      levels.push(compareLevel(store, value, options));
    }
  }
}

function* compareLevel(store: ObjectStore, { a, b, prefix }: Descent, options: TreeDiffOptions): Generator<DiffEntry | Descent, void> {
  if (a === b && !options.unchanged) return;
  const absent: DiffSide = { mode: 0, id: zeroId(store.format) };
  const left = a === undefined ? [] : store.readTree(a);
  const right = b === undefined ? [] : store.readTree(b);
  let at = 0;
  let to = 0;
  while (at < left.length || to < right.length) {
    const one = left[at];
    const two = right[to];
    let order: number;
    if (one === undefined) order = 1;
    else if (two === undefined) order = -1;
    else if (one.name === two.name && isTree(one.mode) === isTree(two.mode)) order = 0;
    else order = compareTreeNames(one.name, isTree(one.mode), two.name, isTree(two.mode));
    if (order <= 0) at += 1;
    if (order >= 0) to += 1;
    if (order === 0 && !options.unchanged && one!.id === two!.id && one!.mode === two!.mode) continue;
    yield* compareEntries(order <= 0 ? one : undefined, order >= 0 ? two : undefined, prefix, options, absent);
  }
}

function* compareEntries(
  one: TreeEntry | undefined, two: TreeEntry | undefined, prefix: string, options: TreeDiffOptions, absent: DiffSide,
): Generator<DiffEntry | Descent, void> {
  const { mode, name } = (two ?? one)!;
  const path = (prefix + name) as RepoPath;
  const { pathspec } = options;
  const tree = isTree(mode);
  if (pathspec !== undefined && !(tree ? pathspec.mayMatchBelow(`${path}/`) || pathspec.matches(path, true) : pathspec.matches(path))) return;
  const isSame = one !== undefined && two !== undefined && one.id === two.id && one.mode === two.mode;
  const old = one === undefined ? absent : { mode: one.mode, id: one.id };
  const now = two === undefined ? absent : { mode: two.mode, id: two.id };
  const descend = tree && options.recursive === true;
  if ((!descend || options.showTrees) && !(isSame && tree)) yield { path, status: isSame ? 'same' : statusOf(old, now), old, new: now };
  if (descend) yield { a: one?.id, b: two?.id, prefix: `${path}/` };
}
