// Storing a commit whose parts are all decided: its encoding is what the configuration says. Nothing refers to it yet.
import { type Commit, encodeCommit } from '../pack/commit.js';
import type { ObjectId } from '../pack/oid.js';
import type { Repository } from '../plumbing/repository.js';

/** A commit's parts; the message is latin1, one character per byte. */
export type CommitParts = Pick<Commit, 'tree' | 'parents' | 'author' | 'committer'> & { readonly message: string; readonly extraHeaders?: Commit['extraHeaders'] };

/** Stores a commit; i18n.commitEncoding is noted in it. */
export function storeCommit({ objects, config }: Repository, { message, extraHeaders = [], ...parts }: CommitParts): ObjectId {
  return objects.write('commit', encodeCommit({ ...parts, ...encodingOf(config), message: Buffer.from(message, 'latin1'), extraHeaders }));
}

/** The encoding messages are said to be in; none for UTF-8. */
export function encodingOf(config: Repository['config']): { readonly encoding?: string } {
  const encoding = config.get('i18n.commitencoding');
  return encoding === undefined || /^utf-?8$/i.test(encoding) ? {} : { encoding };
}
