// Paths in trees as if the trees were checked out: symbolic links are followed as long as they stay inside (cat-file --follow-symlinks, git-cat-file(1)).
// Nothing is written.
import { gitlinkMode, isTreeMode, symlinkMode } from '../pack/tree.js';
import type { ObjectId } from '../pack/oid.js';
import type { Repository } from './repository.js';

/** Where a path came to. 'outside': a link led out of the tree, and `path` is where to. 'dangling': a link led to nothing. */
export type Followed =
  | { readonly kind: 'found'; readonly id: ObjectId }
  | { readonly kind: 'outside'; readonly path: string }
  | { readonly kind: 'missing' | 'dangling' | 'loop' | 'not-a-directory' };

/** So many links are followed. */
const mostLinks = 40;

/** Follows `path` (latin1) from the top of `tree`. */
export function followPath(repository: Repository, tree: ObjectId, path: string): Followed {
  const { objects } = repository;
  const above: ObjectId[] = [tree];
  let rest = path;
  for (let links = 0; ;) {
    rest = rest.replace(/^\/+/, '');
    if (rest === '') return { kind: 'found', id: above.at(-1)! };
    const slash = rest.indexOf('/');
    const name = slash < 0 ? rest : rest.slice(0, slash);
    const behind = slash < 0 ? undefined : rest.slice(slash + 1);
    if (name === '..') {
      if (above.length === 1) return { kind: 'outside', path: rest };
      above.pop();
      rest = behind ?? '';
      continue;
    }
    const entry = objects.readTree(above.at(-1)!).find((each) => each.name === name);
    if (entry === undefined) return { kind: links > 0 ? 'dangling' : 'missing' };
    if (isTreeMode(entry.mode)) {
      if (behind === undefined) return { kind: 'found', id: entry.id };
      above.push(entry.id);
      rest = behind;
    } else if (entry.mode === symlinkMode) {
      if (links === mostLinks) return { kind: 'loop' };
      links += 1;
      const target = objects.read(entry.id).bytes.toString('latin1');
      if (target.startsWith('/')) return { kind: 'outside', path: target };
      rest = behind === undefined ? target : `${target}/${behind}`;
    } else {
      if (behind !== undefined && entry.mode !== gitlinkMode) return { kind: 'not-a-directory' };
      return { kind: 'found', id: entry.id };
    }
  }
}
