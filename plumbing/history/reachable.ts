// Everything that can be reached from some objects: commits and their trees, trees and what is in them, tags and their targets.
//
// Submodule commits are not followed: they live elsewhere. A missing object is reported to the caller, which decides what that
// means; nothing is read twice. Memory is one set of ids; blobs are named by their trees and not opened unless asked for.
import { decodeTree } from '../../pack/tree.js';
import type { ObjectId, ObjectType } from '../../pack/oid.js';
import { NotFoundError } from '../../pack/errors.js';
import type { ObjectStore } from '../../pack/object-store.js';

export interface ReachableOptions {
  /** Called for an object that is named but not there; without it NotFoundError is thrown. `by` names it; undefined for a root. */
  readonly onMissing?: (id: ObjectId, by: ObjectId | undefined, type: ObjectType | undefined) => void;
  /** Called for an object whose bytes are no object of its type; without it the CorruptError is thrown. */
  readonly onCorrupt?: (id: ObjectId, error: unknown) => void;
  /** Called once for each object found, before what it names; `path` is where the first tree that led to it has it, '' without one. */
  readonly onObject?: (id: ObjectId, type: ObjectType, path: string) => void;
  /** Objects known to be closed already: neither they nor what only they reach is visited. Extended in place when given. */
  readonly seen?: Set<ObjectId>;
  /** Commits whose parents are not followed (shallow clones). */
  readonly withoutParents?: ReadonlySet<ObjectId>;
  /** Also look whether blobs are there. */
  readonly checkBlobs?: boolean;
}

/** The ids of all objects reachable from `roots`, the roots themselves included. */
export function markReachable(store: ObjectStore, roots: Iterable<ObjectId>, options: ReachableOptions = {}): Set<ObjectId> {
  const seen = options.seen ?? new Set<ObjectId>();
  const pending: { id: ObjectId; by: ObjectId | undefined; type: ObjectType | undefined; path: string }[] = [];
  const missing = (id: ObjectId, by: ObjectId | undefined, type: ObjectType | undefined): void => {
    if (options.onMissing === undefined) throw new NotFoundError(`object '${id}' is missing`, { code: 'object-missing' });
    options.onMissing(id, by, type);
  };
  const visit = (id: ObjectId, by: ObjectId | undefined, type: ObjectType | undefined, directory = '', name = ''): void => {
    if (seen.has(id)) return;
    seen.add(id);
    const path = directory === '' ? name : `${directory}/${name}`;
    if (type === 'blob') {
      if (options.checkBlobs && !store.has(id)) missing(id, by, type);
      else options.onObject?.(id, 'blob', path);
      return;
    }
    pending.push({ id, by, type, path });
  };
  const open = (id: ObjectId, by: ObjectId | undefined, expected: ObjectType | undefined, path: string): void => {
    // A root may be a blob of any size: only its header is looked at.
    const type = expected ?? store.findHeader(id)?.type;
    if (type === undefined) return missing(id, by, undefined);
    if (type === 'blob') return options.onObject?.(id, 'blob', path);
    if (type === 'tree') {
      const found = store.find(id);
      if (found === undefined) return missing(id, by, type);
      options.onObject?.(id, 'tree', path);
      for (const entry of decodeTree(found.bytes, store.format)) {
        if (entry.mode === 0o160000) continue;
        visit(entry.id, id, (entry.mode & 0o170000) === 0o040000 ? 'tree' : 'blob', path, entry.name);
      }
      return undefined;
    }
    if (expected !== undefined && !store.has(id)) return missing(id, by, type);
    if (type === 'commit') {
      const commit = store.readCommit(id);
      options.onObject?.(id, 'commit', path);
      visit(commit.tree, id, 'tree');
      if (!options.withoutParents?.has(id)) for (const parent of commit.parents) visit(parent, id, 'commit');
      return undefined;
    }
    const tag = store.readTag(id);
    options.onObject?.(id, 'tag', path);
    visit(tag.object, id, tag.type);
    return undefined;
  };
  for (const root of roots) {
    visit(root, undefined, undefined);
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      try {
        open(next.id, next.by, next.type, next.path);
      } catch (error) {
        if (options.onCorrupt === undefined || !(error instanceof Error)) throw error;
        options.onCorrupt(next.id, error);
      }
    }
  }
  return seen;
}
