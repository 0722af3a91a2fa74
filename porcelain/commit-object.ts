// Storing a commit whose parts are all decided: its encoding is what the configuration says. Nothing refers to it yet.
import { type Commit, encodeCommit } from '../pack/commit.js';
import type { ObjectId } from '../pack/oid.js';
import type { Repository } from '../plumbing/repository.js';
import type { CommitSigner } from '../plumbing/signature/signing-option.js';

/** A commit's parts; the message is latin1, one character per byte. */
export type CommitParts = Pick<Commit, 'tree' | 'parents' | 'author' | 'committer'> & { readonly message: string; readonly extraHeaders?: Commit['extraHeaders'] };

/** Stores a commit, signed by `sign` if given; i18n.commitEncoding is noted in it. */
export function storeCommit({ objects, config }: Repository, { message, extraHeaders = [], ...parts }: CommitParts, sign: CommitSigner = (commit) => commit): ObjectId {
  return objects.write('commit', encodeCommit(sign({ ...parts, ...encodingOf(config), message: Buffer.from(message, 'latin1'), extraHeaders })));
}

/** The encoding messages are said to be in; none for UTF-8. */
export function encodingOf(config: Repository['config']): { readonly encoding?: string } {
  const encoding = config.get('i18n.commitencoding');
  return encoding === undefined || /^utf-?8$/i.test(encoding) ? {} : { encoding };
}
