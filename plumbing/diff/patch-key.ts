// A key that is equal for commits that make the same change, wherever in the files and whatever the white space.
//
// Merges have none. The idea is git-patch-id(1)'s; the key stays inside the process.
import { lazyModule } from '../../pack/lazy-module.js';
import { diffTrees } from './diff.js';
import { readSide } from './diff-content.js';
import type { CommitNode } from '../history/history.js';
import type { Pathspec } from '../pathspec.js';
import type { Repository } from '../repository.js';
import { diffLines, hunksOf, isBinary, splitLines } from './text-diff.js';

const crypto = lazyModule<typeof import('node:crypto')>('node:crypto');

/** A function that gives the key of a commit, for what it changes in the paths given; undefined for merges. */
export function patchKeyOf(repository: Repository, pathspec?: Pathspec): (node: CommitNode) => string | undefined {
  const store = repository.objects;
  return (node) => {
    const commit = node.commit;
    if (commit.parents.length > 1) return undefined;
    const parent = commit.parents[0];
    const pieces: string[] = [];
    for (const entry of diffTrees(store, parent === undefined ? undefined : store.readCommit(parent).tree, commit.tree, { recursive: true, ...(pathspec === undefined ? {} : { pathspec }) })) {
      pieces.push(`${entry.status} ${entry.path} ${entry.old.mode === entry.new.mode ? '' : `${entry.old.mode} ${entry.new.mode}`}`);
      const [old, now] = [readSide(store, entry.old), readSide(store, entry.new)];
      if (isBinary(old) || isBinary(now)) {
        pieces.push(`${entry.old.id} ${entry.new.id}`);
        continue;
      }
      const [one, two] = [splitLines(old), splitLines(now)];
      const line = (lines: typeof one, at: number): string => lines.bytes.toString('latin1', lines.starts[at]!, lines.starts[at + 1]!).replace(/[ \t\n\v\f\r]+/g, '');
      for (const hunk of hunksOf(diffLines(one, two), one.count, two.count, 3)) {
        let at = hunk.newAt;
        for (const change of hunk.changes) {
          for (; at < change.newAt; at += 1) pieces.push(` ${line(two, at)}`);
          for (let index = 0; index < change.oldCount; index += 1) pieces.push(`-${line(one, change.oldAt + index)}`);
          for (let index = 0; index < change.newCount; index += 1) pieces.push(`+${line(two, change.newAt + index)}`);
          at = change.newAt + change.newCount;
        }
        for (; at < hunk.newAt + hunk.newCount; at += 1) pieces.push(` ${line(two, at)}`);
      }
    }
    return crypto().createHash('sha256').update(pieces.join('\n'), 'latin1').digest('hex');
  };
}
