// How an object is stored rather than what it is: its size on disk and its delta base, for %(objectsize:disk) and %(deltabase) of
// git-cat-file(1) and git-for-each-ref(1).
import { NotFoundError } from '../../pack/errors.js';
import type { ObjectLocation } from '../../pack/object-store.js';
import { type ObjectId, zeroId } from '../../pack/oid.js';
import type { Repository } from '../repository.js';

function locate(repository: Repository, id: ObjectId): ObjectLocation {
  const location = repository.objects.locate(id);
  if (location === undefined) throw new NotFoundError(`object '${id}' is missing`, { code: 'object-missing' });
  return location;
}

/** Bytes the object's file, or its entry in a pack, takes. */
export function storedSize(repository: Repository, id: ObjectId): number {
  const location = locate(repository, id);
  if (location.kind === 'loose') return location.sizeOnDisk;
  const offset = location.pack.offsetAt(location.position);
  return location.pack.endAt(offset) - offset;
}

/** What the object is stored as a delta of; the zero id when it is stored whole. */
export function deltaBase(repository: Repository, id: ObjectId): ObjectId {
  const none = zeroId(repository.format);
  const location = locate(repository, id);
  if (location.kind === 'loose') return none;
  const { pack, position } = location;
  const { baseOffset } = pack.entryAt(pack.offsetAt(position));
  return baseOffset === undefined ? none : pack.idAt(pack.index.positionOfOffset(baseOffset));
}
