// The older three-tree form of merge-tree: what a merge of three trees would change in ours, told path by path, with a difference of
// the contents. Renames are not followed and nothing is written. Specified by git-merge-tree(1), "DEPRECATED DESCRIPTION".
import type { ObjectStore } from '../../pack/object-store.js';
import type { ObjectId } from '../../pack/oid.js';
import { checkTreeDepth, isTreeMode, type TreeEntry } from '../../pack/tree.js';
import type { Sink } from '../diff/diff-format.js';
import { HunkPainter, noColors } from '../diff/diff-patch.js';
import { diffLines, hunksOf, isBinary, splitLines } from '../diff/text-diff.js';
import { mergeTexts } from './text-merge.js';

/** A version of a path; stage 0 is the result, 1 the base, 2 ours, 3 theirs. */
interface Version { readonly stage: 0 | 1 | 2 | 3; readonly mode: number; readonly id: ObjectId }

const contextLines = 3;

/** Tells what differs from ours, in the order of the trees. */
export function showTrivialMerge(store: ObjectStore, trees: readonly [ObjectId, ObjectId, ObjectId], sink: Sink): void {
  walk(store, trees, '', 0, (path, versions) => {
    sink(`${explain(versions)}\n`);
    const names = ['result', 'base', 'our', 'their'] as const;
    for (const { stage, mode, id } of versions) sink(`  ${names[stage].padEnd(6)} ${mode.toString(8)} ${id} ${path}\n`);
    sink(differenceOf(store, versions));
  });
}

const isPlain = (entry: TreeEntry | undefined): entry is TreeEntry => entry !== undefined && !isTreeMode(entry.mode);
const same = (one: TreeEntry | undefined, two: TreeEntry | undefined): boolean => one !== undefined && two !== undefined && one.id === two.id && one.mode === two.mode;

function walk(
  store: ObjectStore, trees: readonly (ObjectId | undefined)[], prefix: string, depth: number, tell: (path: string, versions: readonly Version[]) => void,
): void {
  for (const tree of trees) if (tree !== undefined) checkTreeDepth(depth, tree);
  const levels = trees.map((id) => new Map((id === undefined ? [] : store.readTree(id)).map((entry) => [entry.name, entry])));
  const keys = new Map<string, string>();
  for (const level of levels) for (const { name, mode } of level.values()) if (!keys.has(name)) keys.set(name, isTreeMode(mode) ? `${name}/` : name);
  for (const [name] of [...keys].sort(([, one], [, two]) => (one < two ? -1 : one > two ? 1 : 0))) {
    const [base, ours, theirs] = levels.map((level) => level.get(name));
    if (same(ours, theirs) || (ours === undefined && theirs === undefined)) continue;
    const path = prefix + name;
    if (same(base, ours) && isPlain(theirs)) {
      tell(path, [{ stage: 0, mode: theirs.mode, id: theirs.id }, { stage: 2, mode: ours!.mode, id: ours!.id }]);
      continue;
    }
    if (same(base, theirs) || (base === undefined && theirs === undefined)) continue;
    const found = [base, ours, theirs];
    if (found.some((entry) => entry !== undefined && isTreeMode(entry.mode))) {
      walk(store, found.map((entry) => (entry !== undefined && isTreeMode(entry.mode) ? entry.id : undefined)), `${path}/`, depth + 1, tell);
    }
    const versions = found.flatMap((entry, at): Version[] => (isPlain(entry) ? [{ stage: (at + 1) as 1 | 2 | 3, mode: entry.mode, id: entry.id }] : []));
    if (versions.length > 0) tell(path, versions);
  }
}

function explain([first, second, third]: readonly Version[]): string {
  switch (first!.stage) {
    case 0: return 'merged';
    case 3: return 'added in remote';
    case 2: return second === undefined ? 'added in local' : 'added in both';
    default:
  }
  if (second === undefined) return 'removed in both';
  if (third !== undefined) return 'changed in both';
  return second.stage === 3 ? 'removed in local' : 'removed in remote';
}

/** From our version to the result, as hunks; nothing for what is no file, or not here. */
function differenceOf(store: ObjectStore, versions: readonly Version[]): string {
  const contentOf = (stage: number): Buffer | undefined => {
    const version = versions.find((each) => each.stage === stage);
    const object = version === undefined ? undefined : store.find(version.id);
    return object?.type === 'blob' ? object.bytes : undefined;
  };
  const [result, base, ours, theirs] = [0, 1, 2, 3].map(contentOf);
  let merged = result;
  if (merged === undefined && ours !== undefined && theirs !== undefined) {
    merged = [base ?? ours, ours, theirs].some(isBinary) ? ours : mergeTexts(base ?? Buffer.alloc(0), ours, theirs, { labels: { ours: '.our', base: '', theirs: '.their' } }).bytes;
  } else if (merged === undefined && base === undefined) merged = ours ?? theirs;
  const [one, two] = [splitLines(ours ?? Buffer.alloc(0)), splitLines(merged ?? Buffer.alloc(0))];
  const painter = new HunkPainter(one, two, { colors: noColors, findFunction: () => undefined });
  return hunksOf(diffLines(one, two, { indentHeuristic: false }), one.count, two.count, contextLines).map((hunk) => painter.paint(hunk)).join('');
}
