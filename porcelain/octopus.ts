// Merging several branches at once: one after the other, each against all that came before, without renames. Only the last may leave
// conflicts: what is merged upon a conflict would have to be done again by hand. Specified by "octopus" under "MERGE STRATEGIES" of git-merge(1).
//
// Trees only; nothing but objects is written.
import type { ObjectId } from '../pack/oid.js';
import { mergeBases } from '../plumbing/history/merge-base.js';
import { diffTrees } from '../plumbing/diff/diff.js';
import { type MergeMessage, type MergeResult, mergeTrees } from '../plumbing/merge/merge.js';
import type { Repository } from '../plumbing/repository.js';

/** Why the heads cannot be merged at once, and what there is to say before that. */
export interface OctopusFailure {
  readonly failed: { readonly reason: string; readonly messages: readonly string[] };
}

/** What all of them come to; the messages are those of git's octopus, in its order. */
export function mergeHeads(repository: Repository, ours: ObjectId, heads: readonly { readonly typed: string; readonly commit: ObjectId }[]): MergeResult | OctopusFailure {
  const { objects } = repository;
  const treeOf = (id: ObjectId): ObjectId => objects.readCommit(id).tree;
  let merged: readonly ObjectId[] = [ours];
  let result: MergeResult = { tree: treeOf(ours), isClean: true, conflicts: [], messages: [] };
  let isForward = true;
  const messages: MergeMessage[] = [];
  const say = (text: string): void => { messages.push({ kind: 'octopus', paths: [], text }); };
  const failure = (reason: string): OctopusFailure => ({ failed: { reason, messages: messages.map(({ text }) => text) } });
  for (const { typed, commit } of heads) {
    const name = Buffer.from(typed).toString('latin1');
    if (!result.isClean) {
      say('Automated merge did not work.');
      say('Should not be doing an octopus.');
      return failure('only the last of the branches may be in conflict with the others');
    }
    const bases = mergeBases(repository, commit, [...merged]);
    const [base] = bases;
    if (base === undefined) return failure(`there is no common commit with ${name}`);
    if (isForward && bases.length === 1 && base === merged[0]) {
      say(`Fast-forwarding to: ${name}`);
      merged = [commit];
      result = { ...result, tree: treeOf(commit) };
      continue;
    }
    isForward = false;
    say(`Trying simple merge with ${name}`);
    const step = mergeTrees(repository, treeOf(base), result.tree, treeOf(commit), { ours: 'HEAD', theirs: name, findsRenames: false });
    if (touchesTwice(repository, treeOf(base), result.tree, treeOf(commit))) say('Simple merge did not work, trying automatic merge.');
    messages.push(...step.messages.filter(({ text }) => text.startsWith('Auto-merging ')));
    merged = [...merged, commit];
    result = step;
  }
  return { ...result, messages };
}

/** A file was changed on both sides, and not to the same. */
function touchesTwice({ objects }: Repository, base: ObjectId, ours: ObjectId, theirs: ObjectId): boolean {
  const changed = new Map(diffTrees(objects, base, ours, { recursive: true }).map((entry) => [entry.path, entry.new]));
  return diffTrees(objects, base, theirs, { recursive: true }).some(({ path, new: now }) => {
    const other = changed.get(path);
    return other !== undefined && (other.id !== now.id || other.mode !== now.mode);
  });
}
