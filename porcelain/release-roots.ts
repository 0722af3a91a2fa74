// What gc must keep for releases: every receipt of every channel (and through it the snapshot it published), and what a release in
// the making is about to name. Reading only; a receipt that cannot be read is an error, so that gc stops instead of guessing.
import type { ObjectId } from '../pack/oid.js';
import type { Repository } from '../plumbing/repository.js';
import { listChannels } from './channel.js';
import { listReceipts } from './receipt.js';
import { listJournals } from './release-journal.js';

/** Ids of receipts and commits, each with the reason in words for people. */
export function* listReleaseRoots(repository: Repository): Generator<{ readonly id: ObjectId; readonly reason: string }> {
  for (const { channel } of listChannels(repository)) {
    let live = true;
    for (const { id, number } of listReceipts(repository, channel)) {
      yield { id, reason: live ? `live release '${channel}/${number}'` : `earlier release '${channel}/${number}'` };
      live = false;
    }
  }
  for (const { channel, commit, receipt } of listJournals(repository)) {
    const reason = `release in progress on '${channel}'`;
    yield { id: commit, reason };
    if (receipt !== null) yield { id: receipt, reason };
  }
}
