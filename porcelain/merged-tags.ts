// What a merge keeps of the tags that were merged: a signed one goes into the commit as a whole (its header 'mergetag'), for the signature to
// be checked later. Specified by "MERGING TAG" of git-merge(1) and signature-format of git's technical documentation.
import type { Commit } from '../pack/commit.js';
import type { ObjectId } from '../pack/oid.js';
import type { Repository } from '../plumbing/repository.js';
import { splitTag } from '../plumbing/signature/signed-object.js';

/** The headers for those of the objects that are signed tags, in order. */
export function mergedTags({ objects }: Repository, merged: readonly ObjectId[]): NonNullable<Commit['extraHeaders']> {
  return merged.flatMap((id) => {
    if (objects.readHeader(id).type !== 'tag') return [];
    const { bytes } = objects.read(id);
    return splitTag(bytes) === undefined ? [] : [{ key: 'mergetag', value: bytes.toString('latin1').replace(/\n$/, '') }];
  });
}
