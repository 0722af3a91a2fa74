// The bytes behind one side of a difference: a blob, a file of the work tree, or the one line that stands for a submodule.
import { streamThresholdBytes } from '../../pack/object.js';
import type { ObjectStore } from '../../pack/object-store.js';
import type { DiffSide } from './diff.js';

/** The content of a side; empty when there is nothing. */
export function readSide(store: ObjectStore, side: DiffSide): Buffer {
  if (side.mode === 0) return Buffer.alloc(0);
  if (side.content !== undefined) return side.content();
  if ((side.mode & 0o170000) === 0o160000) return Buffer.from(`Subproject commit ${side.id}\n`);
  return store.read(side.id).bytes;
}

/** True when a side is too large to be compared as text. */
export function isHuge(store: ObjectStore, side: DiffSide): boolean {
  if (side.mode === 0 || side.content !== undefined || (side.mode & 0o170000) === 0o160000) return false;
  return store.readHeader(side.id).sizeBytes >= streamThresholdBytes;
}
