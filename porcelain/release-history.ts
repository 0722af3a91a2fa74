// Earlier releases of a channel: which of them are marked bad, which one a rollback goes to, and finding one by what a person calls it.
// Specified by cairn-rollback(1). Reads receipts and refs; the only change is the ref that marks a release bad, one transaction.
import { CorruptError, InvalidError, NotFoundError } from '../pack/errors.js';
import { updateRef } from '../plumbing/refs/ref-transaction.js';
import type { Repository } from '../plumbing/repository.js';
import { type Channel, badRef } from './channel.js';
import { appendEvent } from './events.js';
import { type Receipt, ReceiptChain, type StoredReceipt, findNewestReceipt, findReceipt, listReceipts } from './receipt.js';

// ---- earlier releases

/** True when the receipt, or the one whose snapshot it published again, is marked bad. */
export function isBad(repository: Repository, receipt: StoredReceipt): boolean {
  return repository.refs.find(badRef(receipt.restores ?? receipt.id)) !== undefined;
}

/** What marking gives back: the receipt that is now marked. */
export function markBad(repository: Repository, receipt: StoredReceipt): StoredReceipt {
  const marked = (receipt.restores && findReceipt(repository, receipt.restores)) ?? receipt;
  if (isBad(repository, marked)) return marked;
  updateRef(repository, { name: badRef(marked.id), target: { id: marked.id } });
  appendEvent(repository, 'mark-bad', { channel: marked.channel, number: marked.number, receipt: marked.id });
  return marked;
}

/**
 * The release that lies `steps` before what is live: rollbacks count as what they restored, so rolling back twice goes back twice;
 * bad ones, and ones that publish the same as the one counted before, are passed over. Undefined when there is none.
 */
export function findRollback(repository: Repository, channel: Channel, steps: number): StoredReceipt | undefined {
  const origin = (receipt: StoredReceipt): StoredReceipt => (receipt.restores && findReceipt(repository, receipt.restores)) ?? receipt;
  const live = findNewestReceipt(repository, channel);
  if (live === undefined) return undefined;
  const chain = new ReceiptChain(repository);
  let cursor = origin(live);
  let counted = snapshotKey(cursor);
  for (let left = steps; left > 0;) {
    const earlier = chain.findBefore(cursor);
    if (earlier === undefined) return undefined;
    cursor = origin(earlier);
    if (cursor.number > earlier.number) throw new CorruptError(`'${earlier.id}': receipt is damaged: it cannot restore a later one`, { code: 'bad-receipt' });
    if (isBad(repository, cursor) || snapshotKey(cursor) === counted) continue;
    counted = snapshotKey(cursor);
    left -= 1;
  }
  return cursor;
}

function snapshotKey({ commit, outputs }: Receipt): string {
  return [commit, ...outputs.map(({ tree }) => tree)].join(' ');
}

/** The receipt of a channel that `text` names: '#<number>', '<channel>/<number>', or a receipt's id or the beginning of one. */
export function resolveReceipt(repository: Repository, channel: Channel, text: string): StoredReceipt {
  const number = text.startsWith('#') ? text.slice(1) : text.startsWith(`${channel}/`) ? text.slice(channel.length + 1) : undefined;
  const byId = number === undefined && /^[0-9a-fA-F]{4,64}$/.test(text) ? text.toLowerCase() : undefined;
  let found: StoredReceipt | undefined;
  for (const receipt of listReceipts(repository, channel)) {
    if (number !== undefined && String(receipt.number) === number) return receipt;
    if (byId === undefined || !receipt.id.startsWith(byId)) continue;
    if (found !== undefined) throw new InvalidError(`'${text}' names several receipts of '${channel}'`, { code: 'ambiguous-receipt', hint: 'give more digits' });
    found = receipt;
  }
  if (found === undefined) throw new NotFoundError(`'${text}' is no receipt of channel '${channel}'`, { code: 'no-receipt', hint: `cairn release --history ${channel} lists them` });
  return found;
}

/** The newest receipt; NotFoundError when nothing was released on the channel. */
export function requireNewestReceipt(repository: Repository, channel: Channel): StoredReceipt {
  const receipt = findNewestReceipt(repository, channel);
  if (receipt === undefined) throw new NotFoundError(`nothing was released on channel '${channel}'`, { code: 'no-channel', hint: "'cairn release' lists the channels" });
  return receipt;
}
