// What people call a snapshot: a revision, a release ('prod' for its newest, 'prod/7' or 'prod#7'), or a run's id. Reading only.
import { NotFoundError } from '../pack/errors.js';
import type { ObjectId, ObjectType } from '../pack/oid.js';
import { findRevision } from '../plumbing/history/revision.js';
import { isRefName } from '../plumbing/refs/ref-name.js';
import type { Repository } from '../plumbing/repository.js';
import { isChannel } from './channel.js';
import { requireNewestReceipt, resolveReceipt } from './release-history.js';

/** An object and what it is called; of a release the object is the receipt. NotFoundError with the code when it is nothing. */
export function findNamedSnapshot(repository: Repository, what: string, code: string): { readonly object: ObjectId; readonly type: ObjectType; readonly named: string } {
  const release = /^(.+)[/#](?:#)?([1-9][0-9]*)$/.exec(what);
  const channel = release?.[1]?.replace(/\/$/, '');
  const describe = (object: ObjectId, named: string) => ({ object, type: repository.objects.readHeader(object).type, named: named.replace(/[\u0000-\u001f\u007f]/g, ' ') });
  if (channel !== undefined && isChannel(channel) && repository.refs.find(`refs/releases/${channel}`) !== undefined) {
    return describe(resolveReceipt(repository, channel, `#${release![2]}`).id, `${channel}/${release![2]}`);
  }
  const id = findRevision(repository, what);
  if (id !== undefined) return describe(id, what);
  const run = `refs/runs/${what}`;
  const found = isRefName(run) ? repository.refs.find(run) : undefined;
  if (found !== undefined) return describe(found.id, run);
  if (isChannel(what) && repository.refs.find(`refs/releases/${what}`) !== undefined) {
    const newest = requireNewestReceipt(repository, what);
    return describe(newest.id, `${what}/${newest.number}`);
  }
  throw new NotFoundError(`'${what}' is neither a commit nor a release nor a run`, { code });
}
