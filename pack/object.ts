// What an object is: a type and its content. Nothing here touches a disk.
import type { ObjectId, ObjectType } from './oid.js';
import { CorruptError } from './errors.js';

export interface GitObject {
  readonly type: ObjectType;
  /** The content, without the "<type> <size>\0" header. */
  readonly bytes: Buffer;
}

export interface ObjectHeader {
  readonly type: ObjectType;
  readonly sizeBytes: number;
}

/** A blob too large to hold at once: its size, and its content in pieces of bounded size, in order. */
export interface ObjectStream extends ObjectHeader {
  /** Verified as a whole: the last step throws CorruptError when the bytes are not what the id says. */
  readonly chunks: Iterable<Buffer>;
}

export function isObjectType(text: string): text is ObjectType {
  return text === 'blob' || text === 'tree' || text === 'commit' || text === 'tag';
}

/** Objects at least this large are streamed, never held whole or deltified; git's core.bigFileThreshold default is 512 MiB. */
export const streamThresholdBytes = 16 * 1024 * 1024;

/** The error every reader raises when stored bytes do not hash to their id. */
export function mismatchError(id: ObjectId, where: string): CorruptError {
  return new CorruptError(`object '${id}' in '${where}' is damaged: its bytes do not match its id`, {
    code: 'object-mismatch', hint: 'run cairn fsck; restore the object from another copy',
  });
}
