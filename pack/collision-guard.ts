// Ids of content that comes from elsewhere. In sha1 repositories every block is looked at for signs of a collision attack, by the method in
// kernels/assembly/sha1.ts; that costs several times what hashing costs, so content made here does without.
//
// Invariant: the id is that of hashObject, or nothing is given out. Nothing is written.
import { RefusedError } from './errors.js';
import { hasKernels } from './kernels/kernel.js';
import { PlainSha1 } from './kernels/plain-sha1.js';
import { Sha1Kernel } from './kernels/sha1-kernel.js';
import { encodeObjectHeader, hashPieces } from './oid.js';
import type { ObjectFormat, ObjectId, ObjectType } from './oid.js';

let guard: Sha1Kernel | PlainSha1 | undefined;

/**
 * The id of content that comes from elsewhere: as `hashObject`, but RefusedError (code 'sha1-collision') where SHA-1 is used and the content
 * was made to collide with another by one of the known kinds of attack. The pieces are `sizeBytes` long together.
 */
export function hashUntrusted(type: ObjectType, sizeBytes: number, pieces: Iterable<Uint8Array>, format: ObjectFormat): ObjectId {
  if (format !== 'sha1') return hashPieces(type, sizeBytes, pieces, format);
  if (guard === undefined || guard instanceof Sha1Kernel !== hasKernels()) guard = Sha1Kernel.open() ?? new PlainSha1();
  guard.start();
  guard.update(encodeObjectHeader(type, sizeBytes));
  for (const piece of pieces) guard.update(piece);
  const id = guard.digest() as ObjectId;
  if (!guard.isSuspicious) return id;
  throw new RefusedError(`object '${id}' was made to have the same SHA-1 as another`, { code: 'sha1-collision' });
}
