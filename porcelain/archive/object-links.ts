// What one object names: the objects that must be there as well. Pure; CorruptError for an object that cannot be read.
import { decodeCommit } from '../../pack/commit.js';
import type { ObjectFormat, ObjectId, ObjectType } from '../../pack/oid.js';
import { decodeTag } from '../../pack/tag.js';
import { decodeTree, gitlinkMode } from '../../pack/tree.js';

export interface Link {
  readonly id: ObjectId;
  /** For people: 'tree', 'parent', 'tagged', or the name in the tree (latin1). */
  readonly as: string;
}

/** None for a blob; gitlinks are no links. */
export function listLinks(type: ObjectType, bytes: Buffer, format: ObjectFormat): Link[] {
  if (type === 'tree') return decodeTree(bytes, format).flatMap(({ mode, name, id }) => (mode === gitlinkMode ? [] : [{ id, as: name }]));
  if (type === 'tag') return [{ id: decodeTag(bytes, format).object, as: 'tagged' }];
  if (type !== 'commit') return [];
  const { tree, parents } = decodeCommit(bytes, format);
  return [{ id: tree, as: 'tree' }, ...parents.map((id) => ({ id, as: 'parent' }))];
}
