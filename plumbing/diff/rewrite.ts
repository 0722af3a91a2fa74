// Files rewritten so much that what they were may be found elsewhere: taken apart into a deletion and an addition before renames are
// looked for, and put together afterwards where nothing was found. Specified by -B of git-diff(1); scores go from 0 to 60000.
import type { ObjectStore } from '../../pack/object-store.js';
import { zeroId } from '../../pack/oid.js';
import type { DiffEntry, DiffSide } from './diff.js';
import { readSide } from './diff-content.js';
import { countChanges, maxScore } from './rename.js';

export interface RewriteOptions {
  /** A change larger than this takes a file apart; default 30000. */
  readonly breakScore?: number;
  /** Less gone than this is no rewrite after all; default 36000. */
  readonly mergeScore?: number;
}

const defaultBreakScore = 30000;
const defaultMergeScore = 36000;
/** Smaller files are never taken apart. */
const minimumBytes = 400;

const isRegular = ({ mode }: DiffSide): boolean => (mode & 0o170000) === 0o100000;
const isBlob = ({ mode }: DiffSide): boolean => (mode & 0o170000) === 0o100000 || (mode & 0o170000) === 0o120000;

/** Takes rewritten files apart. */
export function breakRewrites(store: ObjectStore, entries: readonly DiffEntry[], options: RewriteOptions): DiffEntry[] {
  const nothing: DiffSide = { mode: 0, id: zeroId(store.format) };
  return entries.flatMap((entry): DiffEntry[] => {
    if ((entry.status !== 'M' && entry.status !== 'T') || !isBlob(entry.old) || !isBlob(entry.new)) return [entry];
    const gone = rewriteScore(store, entry, options.breakScore ?? defaultBreakScore);
    if (gone === undefined) return [entry];
    const brokenScore = gone < (options.mergeScore ?? defaultMergeScore) ? 0 : gone;
    return [{ path: entry.path, status: 'D', old: entry.old, new: nothing, brokenScore }, { path: entry.path, status: 'A', old: nothing, new: entry.new, brokenScore }];
  });
}

/** How much of the old content is gone; undefined when the change is no rewrite. */
function rewriteScore(store: ObjectStore, { old, new: now }: DiffEntry, breakScore: number): number | undefined {
  if (isRegular(old) !== isRegular(now)) return maxScore;
  if (old.id === now.id && now.content === undefined) return undefined;
  const [before, after] = [readSide(store, old), readSide(store, now)];
  const larger = Math.max(before.length, after.length);
  if (larger < minimumBytes || before.length === 0) return undefined;
  const { copied, added } = countChanges(before, after);
  const kept = Math.min(copied, before.length);
  const fresh = after.length < added + kept ? Math.max(0, after.length - kept) : added;
  const removed = before.length - kept;
  const score = Math.trunc((removed * maxScore) / before.length);
  if (score > breakScore) return score;
  if (Math.trunc(((removed + fresh) * maxScore) / larger) < breakScore) return undefined;
  // Much taken away and little put in its place is not a rewrite.
  if (before.length * breakScore < removed * maxScore && fresh * 20 < removed && fresh * 20 < kept) return undefined;
  return score;
}

/** Puts together what was taken apart and not used for a rename. */
export function mergeRewrites(entries: readonly DiffEntry[]): DiffEntry[] {
  const created = new Map<string, DiffEntry>();
  for (const entry of entries) if (entry.brokenScore !== undefined && entry.status === 'A') created.set(entry.path, entry);
  const merged = new Set<DiffEntry>();
  const result: DiffEntry[] = [];
  for (const entry of entries) {
    if (merged.has(entry)) continue;
    const other = entry.brokenScore !== undefined && entry.status === 'D' ? created.get(entry.path) : undefined;
    if (other === undefined) {
      result.push(entry);
      continue;
    }
    merged.add(other);
    const isTypeChange = (entry.old.mode & 0o170000) !== (other.new.mode & 0o170000);
    const score = entry.brokenScore!;
    result.push({ path: entry.path, status: isTypeChange ? 'T' : 'M', old: entry.old, new: other.new, ...(score === 0 ? {} : { score }) });
  }
  return result;
}
