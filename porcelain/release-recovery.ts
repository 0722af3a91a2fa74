// What follows a release that was made, failed or died: completing it or undoing it, from the journal (cairn-receipt(5), "JOURNAL").
//
// Invariant: a release whose ref has moved, or one of whose links readers may have seen replaced by a process that died, is completed; any
// other is undone. Each step can be repeated, so a crash in here is settled by the next command in the same way.
import * as fs from 'node:fs';
import { join } from 'node:path';
import { makeDirectories, removeIfPresent } from '../pack/disk.js';
import { CairnError, CorruptError, LockedError, NotFoundError, isSystemError } from '../pack/errors.js';
import type { ObjectId } from '../pack/oid.js';
import { LockFile } from '../plumbing/lockfile.js';
import { RefTransaction, updateRef } from '../plumbing/refs/ref-transaction.js';
import type { Repository } from '../plumbing/repository.js';
import { type Channel, listChannels, receiptRef, releaseRef, rememberTargets, targetKey, targetNamed } from './channel.js';
import { appendEvent, listEventsBackwards } from './events.js';
import { pruneDirectories } from './kept-directories.js';
import { type StoredReceipt, readReceipt } from './receipt.js';
import { type Swap, findLink, linkValue, removeDirectory, swapTargets } from './release-directory.js';
import {
  type Journal, findJournal, journalPath, listJournals, listNames, listRecorded, recordPath, recordPattern, releasesDirectory, removeJournal,
} from './release-journal.js';
import { escapeControls } from '../plumbing/quote.js';

/** A private file this old belongs to nobody any more. */
const abandonedMs = 3_600_000;

/** One release at a time on a channel; waits for as long as said. */
export function lockChannel(repository: Repository, channel: Channel, timeoutMs: number): LockFile {
  makeDirectories(releasesDirectory(repository));
  return LockFile.acquire(journalPath(repository, channel), { holder: repository.lockHolder, timeoutMs });
}

/** The refs of a receipt: the one that keeps it, then the channel's, which must still name the one before it. */
export function addRefEdits(transaction: RefTransaction, receipt: StoredReceipt): void {
  const { id } = receipt;
  transaction.add({ name: receiptRef(id), target: { id } });
  transaction.add({
    name: releaseRef(receipt.channel), expected: receipt.previous ?? 'absent', target: { id }, createReflog: true,
    message: `${receipt.kind}: ${receipt.channel} ${receipt.number}`,
  });
}

/** Makes a journal's targets point to its directories. */
export function swapAll(repository: Repository, journal: Journal): void {
  swapTargets(journal.outputs.map(({ target: name, staging, directory, before }): Swap => {
    const target = targetNamed(repository, name);
    return { target, before, after: linkValue(target, directory), temporary: `${staging}.link` };
  }));
}

/** Tells what does not stop the release. */
export function warn(repository: Repository, message: string): void {
  repository.context.stderr.write(`warning: ${escapeControls(message)}\n`);
}

/** What follows the moved ref. Nothing of it can unmake the release, so a failure is only told; the journal stays and it is tried again. */
export function complete(repository: Repository, receipt: StoredReceipt, journal: Journal): void {
  try {
    keepTargets(repository, journal);
    recordEvent(repository, receipt);
    removeJournal(repository, receipt.channel);
    pruneDirectories(repository, receipt);
  } catch (error) {
    if (!(error instanceof CairnError) && !isSystemError(error)) throw error;
    warn(repository, `the release is made, but not all is tidy yet: ${error.message}`);
  }
}

function keepTargets(repository: Repository, { channel, remember }: Journal): void {
  if (remember === null) return;
  const now = repository.config.getAll(targetKey(channel));
  if (now.length !== remember.length || now.some((value, at) => value !== remember[at])) rememberTargets(repository, channel, remember);
}

function recordEvent(repository: Repository, receipt: StoredReceipt): void {
  appendEvent(repository, receipt.kind, {
    channel: receipt.channel, number: receipt.number, receipt: receipt.id, commit: receipt.commit,
    targets: receipt.outputs.flatMap(({ published }) => published === undefined ? [] : [published.target]),
    ...(receipt.restores === undefined ? {} : { restores: receipt.restores }),
  });
}

/** Undoes a release that failed here; what cannot be undone now is left to the next command. */
export function undoAfter(repository: Repository, journal: Journal): void {
  try {
    undo(repository, journal);
  } catch (error) {
    if (!(error instanceof CairnError) && !isSystemError(error)) throw error;
    warn(repository, `what was begun is not yet undone (${error.message}); the next release will do it`);
  }
}

/** Puts refs and links back, then removes what was built. */
function undo(repository: Repository, journal: Journal): void {
  const { channel, receipt } = journal;
  if (receipt !== null) {
    if (repository.refs.find(releaseRef(channel))?.id === receipt) {
      const { previous } = readReceipt(repository.objects, receipt);
      updateRef(repository, { name: releaseRef(channel), expected: receipt, target: previous === undefined ? 'delete' : { id: previous }, message: 'release: undone' });
    }
    if (repository.refs.find(receiptRef(receipt)) !== undefined) updateRef(repository, { name: receiptRef(receipt), target: 'delete' });
  }
  swapTargets(journal.outputs.flatMap(({ target: name, staging, directory, before }): Swap[] => {
    const target = targetNamed(repository, name);
    const after = linkValue(target, directory);
    return findLink(target) === after && before !== after ? [{ target, before: after, after: before, temporary: `${staging}.link` }] : [];
  }));
  removeBuilt(repository, journal);
  removeJournal(repository, channel);
}

/** Removes everything a journal says was made, but never what a target points to. */
function removeBuilt(repository: Repository, journal: Journal): void {
  for (const { target: name, staging, directory, fresh } of journal.outputs) {
    const target = targetNamed(repository, name);
    if (fs.lstatSync(target.container, { throwIfNoEntry: false })?.isDirectory() !== true) continue;
    removeIfPresent(join(target.container, `${staging}.link`));
    if (fresh && findLink(target) !== linkValue(target, directory)) {
      removeIfPresent(recordPath(repository, journal.channel, directory));
      removeDirectory(target.container, directory, staging);
    }
    removeDirectory(target.container, staging, staging);
  }
}

/** Completes or undoes what a crash left on a channel; the caller holds its lock. */
export function settleChannel(repository: Repository, channel: Channel): void {
  const journal = findJournal(repository, channel);
  if (journal === undefined) return;
  const receipt = journal.receipt === null ? undefined : findStored(repository, journal.receipt);
  if (receipt === undefined || !wasSwapped(repository, journal, receipt)) {
    undo(repository, journal);
    return;
  }
  swapTargets(journal.outputs.flatMap(({ target: name, staging, directory, before }): Swap[] => {
    const target = targetNamed(repository, name);
    const now = findLink(target);
    const after = linkValue(target, directory);
    // What somebody else put there stays.
    return now === after || now === before ? [{ target, before: now, after, temporary: `${staging}.link` }] : [];
  }));
  const edits = new RefTransaction(repository);
  if (repository.refs.find(releaseRef(channel))?.id === receipt.id) edits.add({ name: receiptRef(receipt.id), target: { id: receipt.id } });
  else addRefEdits(edits, receipt);
  edits.commit();
  for (const { target, staging } of journal.outputs) removeIfPresent(join(targetNamed(repository, target).container, `${staging}.link`));
  keepTargets(repository, journal);
  if (!isLogged(repository, receipt)) recordEvent(repository, receipt);
  removeJournal(repository, channel);
  pruneDirectories(repository, receipt);
}

/** True when readers may have seen the release: its ref has moved, or could still move and a link has been replaced. */
function wasSwapped(repository: Repository, journal: Journal, receipt: StoredReceipt): boolean {
  const now = repository.refs.find(releaseRef(journal.channel))?.id;
  if (now === receipt.id) return true;
  if (now !== receipt.previous) return false;
  return journal.outputs.some(({ target: name, directory, before }) => {
    const target = targetNamed(repository, name);
    const after = linkValue(target, directory);
    return before !== after && findLink(target) === after;
  });
}

function findStored(repository: Repository, id: ObjectId): StoredReceipt | undefined {
  try {
    return readReceipt(repository.objects, id);
  } catch (error) {
    if (error instanceof NotFoundError || error instanceof CorruptError) return undefined;
    throw error;
  }
}

function isLogged(repository: Repository, receipt: StoredReceipt): boolean {
  for (const { kind, data } of listEventsBackwards(repository)) {
    if ((kind === 'release' || kind === 'rollback') && data['channel'] === receipt.channel) return data['receipt'] === receipt.id;
  }
  return false;
}

/** Completes or undoes what crashes left, on every channel nobody is working on; where nothing may be written, nothing is done. */
export function settleReleases(repository: Repository): void {
  for (const { channel } of listJournals(repository)) {
    try {
      using _lock = lockChannel(repository, channel, 0);
      settleChannel(repository, channel);
    } catch (error) {
      if (!(error instanceof LockedError) && !isSystemError(error, 'EACCES', 'EPERM', 'EROFS')) throw error;
    }
  }
}

/** What interrupted releases and deleted channels left is settled or removed; gc calls this. */
export function removeLeftovers(repository: Repository): void {
  settleReleases(repository);
  const wanted = new Set(listJournals(repository).flatMap(({ channel, outputs }) => outputs.map(({ directory }) => recordPath(repository, channel, directory))));
  for (const { channel } of listChannels(repository)) {
    for (const directory of listRecorded(repository, channel)) wanted.add(recordPath(repository, channel, directory));
  }
  for (const name of listNames(repository)) {
    const path = join(releasesDirectory(repository), name);
    if (recordPattern.test(name) && !wanted.has(path)) removeIfPresent(path);
  }
  // What a process died over while it replaced a journal or a record; a living one needs no hour for that.
  for (const name of listNames(repository)) {
    const path = join(releasesDirectory(repository), name);
    const status = name.startsWith('tmp_') ? fs.statSync(path, { throwIfNoEntry: false }) : undefined;
    if (status !== undefined && status.mtimeMs < Date.now() - abandonedMs) removeIfPresent(path);
  }
}
