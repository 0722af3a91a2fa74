// Taking local changes along to another commit where both changed the same files: a three-way merge of the commit left, the work tree and the
// commit gone to. Specified by git-checkout(1), "--merge".
//
// What is in the index only could not be told apart afterwards and is refused; so are untracked files in the way. The changed files are
// stored first: if the power fails on the way, fsck --lost-found finds them.
import { RefusedError } from '../pack/errors.js';
import type { ObjectId } from '../pack/oid.js';
import { readPathProtection } from '../plumbing/path-safety.js';
import { Index } from '../plumbing/index/index-file.js';
import type { IndexLock } from '../plumbing/index/index-lock.js';
import { listStagedChanges } from '../plumbing/index/staged-changes.js';
import { planTreeMerge } from '../plumbing/index/tree-merge.js';
import { WorkTree } from '../plumbing/index/work-tree.js';
import { IgnoreRules } from '../plumbing/ignore.js';
import { mergeTrees } from '../plumbing/merge/merge.js';
import type { Repository } from '../plumbing/repository.js';
import { Snapshot } from './snapshot.js';
import { moveTrees } from './switching.js';
import { takeMerge } from './three-way.js';

/** A tree, and what it is called in conflicts (latin1). */
export interface CarriedSide {
  readonly tree: ObjectId;
  readonly name: string;
}

/** True when going from one tree to the other is only kept from by local changes, which a merge can take along. */
export function needsCarrying(repository: Repository, { index }: IndexLock, from: ObjectId, to: ObjectId): boolean {
  let rules: IgnoreRules | undefined;
  const { rejections } = planTreeMerge(repository.objects, index, [from, to], {
    kind: 'two', workTree: new WorkTree(repository, index), compareContent: true, rules: () => (rules ??= IgnoreRules.load(repository)), protection: readPathProtection(repository.config),
  });
  return rejections.length > 0 && rejections.every(({ reason }) => reason === 'not-uptodate' || reason === 'would-overwrite');
}

/** Brings the locked index and the work tree there, local changes merged in; conflicts are left as stages. */
export function carryChanges(repository: Repository, lock: IndexLock, from: CarriedSide, to: CarriedSide): void {
  const { objects } = repository;
  const { index } = lock;
  const [staged] = listStagedChanges(objects, from.tree, index);
  if (staged !== undefined || index.isUnmerged) {
    throw new RefusedError('cannot continue with staged changes', { code: 'changes-in-the-way', hint: 'commit them, or take them back' });
  }
  const copy = Index.decode(index.encode(), repository.format);
  using snapshot = new Snapshot(repository, copy);
  snapshot.take({ untracked: false });
  const local = snapshot.writeTree();
  moveTrees(repository, lock, from.tree, to.tree, 'discard', 'checkout');
  const result = mergeTrees(repository, from.tree, to.tree, local, { base: from.name, ours: to.name, theirs: 'local' });
  takeMerge(repository, lock, to.tree, result, 'checkout');
  // What was merged cleanly is a local change again.
  for (const { path, status, old } of listStagedChanges(objects, to.tree, index)) {
    if (status === 'U') continue;
    if (old.mode === 0) index.remove(path);
    else index.set({ ...index.find(path)!, id: old.id, mode: old.mode, stat: { ...index.find(path)!.stat, size: 0 } }, 'tree');
  }
}

/** What switch and checkout do with --merge: local changes that are in the way are merged into where they go. */
export function carrying(repository: Repository, name: string): (lock: IndexLock, from: ObjectId, to: ObjectId, fromName: string) => boolean {
  return (lock, from, to, fromName) => {
    if (lock.index.isUnmerged || !needsCarrying(repository, lock, from, to)) return false;
    const latin1 = (text: string): string => Buffer.from(text).toString('latin1');
    carryChanges(repository, lock, { tree: from, name: latin1(fromName) }, { tree: to, name: latin1(name) });
    return true;
  };
}
