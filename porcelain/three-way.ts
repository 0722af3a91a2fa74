// Taking the outcome of a three-way merge of trees into the index and the work tree: what merge, stash, cherry-pick, revert, rebase and
// checkout -m have in common. The merge itself is plumbing/merge/merge.ts.
//
// What would lose a local change or an untracked file is refused with nothing touched. The index is not written: that is for the caller,
// under its lock. If the power fails before that, status shows which files were already changed.
import { join } from 'node:path';
import { replaceFile } from '../pack/disk.js';
import type { ObjectId } from '../pack/oid.js';
import type { RepoPath } from '../pack/tree.js';
import { indexEntry } from '../plumbing/index/index-file.js';
import type { IndexLock } from '../plumbing/index/index-lock.js';
import type { MergeResult } from '../plumbing/merge/merge.js';
import type { Repository } from '../plumbing/repository.js';
import { moveTrees } from './switching.js';

/** From the tree `ours`, which the index holds, to what the merge came to; paths in conflict get their stages. */
export function takeMerge(repository: Repository, lock: IndexLock, ours: ObjectId, result: MergeResult, doing: string): void {
  moveTrees(repository, lock, ours, result.tree, 'keep', doing);
  // What the files were made to hold, for who compares them with it while conflicts are resolved.
  replaceFile(join(repository.gitDirectory, 'AUTO_MERGE'), `${result.tree}\n`);
  const { index } = lock;
  for (const path of new Set(result.conflicts.map((conflict) => conflict.path))) index.remove(path);
  for (const { path, id, mode, stage } of result.conflicts) index.set(indexEntry({ path: path as RepoPath, id, mode, stage }));
}

/** What the merge has to say, on standard output. */
export function tellMerge({ context }: Repository, { messages }: MergeResult): void {
  context.stdout.write(Buffer.from(messages.map(({ text }) => `${text}\n`).join(''), 'latin1'));
}
