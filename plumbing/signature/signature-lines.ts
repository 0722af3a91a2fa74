// What log and show print of a commit's signature, and of the signed tags a merge took in (git-log(1), "--show-signature").
import { CairnError } from '../../pack/errors.js';
import type { Commit } from '../../pack/commit.js';
import type { ObjectId } from '../../pack/oid.js';
import { type Tag, decodeTag } from '../../pack/tag.js';
import type { Repository } from '../repository.js';
import { checkCommit, checkSignature } from './signature-check.js';
import { splitTag } from './signed-object.js';

/** A line without its newline, latin1. */
export interface SignatureLine {
  readonly text: string;
  readonly isGood: boolean;
}

/** What there is to say of a commit's signatures; nothing of one that has none. */
export function listSignatureLines(repository: Repository, id: ObjectId, commit: Commit): SignatureLine[] {
  const { output, isGood } = checkCommit(repository, id, commit);
  return [
    ...linesOf(output, isGood),
    ...commit.extraHeaders.filter(({ key }) => key === 'mergetag').flatMap(({ value }) => describeMergedTag(repository, commit, Buffer.from(`${value}\n`, 'latin1'))),
  ];
}

function describeMergedTag(repository: Repository, { parents }: Commit, bytes: Buffer): SignatureLine[] {
  let tag: Tag;
  try {
    tag = decodeTag(bytes, repository.format);
  } catch (error) {
    if (!(error instanceof CairnError)) throw error;
    return [{ text: 'malformed mergetag', isGood: false }];
  }
  const at = parents.indexOf(tag.object);
  const what = at < 0 ? `tag ${tag.name} names a non-parent ${tag.object}`
    : at === 1 && parents.length === 2 ? `merged tag '${tag.name}'` : `parent #${at + 1}, tagged '${tag.name}'`;
  const signed = splitTag(bytes);
  const { output, isGood } = checkSignature(repository, signed);
  return linesOf(`${what}\n${signed === undefined ? 'No signature\n' : output}`, isGood);
}

function linesOf(output: string, isGood: boolean): SignatureLine[] {
  return output.split('\n').slice(0, -1).map((text) => ({ text, isGood }));
}
