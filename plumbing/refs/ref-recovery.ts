// Finishing what a transaction over several refs had begun when its process died: its journal (ref-journal.ts) says what each ref held and was to
// hold. Each that still holds the old value gets the new one; what holds anything else was changed already, or since, and stays.
//
// Invariants: only the journal of a process that is provably dead is touched, by one process at a time. It never blocks: what is
// damaged, or names objects nobody has any more, is set aside under '.bad', where fsck tells of it; what cannot be done now (no permission, a
// ref locked) is left to the next. If the power fails: the journal is still there, and is done again, which changes nothing that was done.
import * as fs from 'node:fs';
import { basename } from 'node:path';
import { disk } from '../../pack/disk.js';
import { ConflictError, CorruptError, LockedError, isSystemError } from '../../pack/errors.js';
import { findFile } from '../../pack/file-lookup.js';
import { isObjectId } from '../../pack/oid.js';
import { moveBranchSettings } from '../branch-settings.js';
import { whileNaming } from './announcement.js';
import { LockFile } from '../lockfile.js';
import { identifyProcess, isAbandoned, parseIdentity } from '../process-identity.js';
import { type RefJournalRecord, damagedSuffix, decodeRefJournal, listRefJournals, removeRefJournal } from './ref-journal.js';
import { changeRefIfStill } from './ref-transaction.js';
import type { Repository } from '../repository.js';

/** A maker we cannot see is taken for dead when its journal is this old: a transaction takes moments. */
const abandonedMs = 10 * 60_000;
/** How long to wait for another process that is finishing the same journal. */
const patienceMs = 5_000;

/** Finishes every transaction whose process is dead; never throws for what only keeps it from being done now. */
export function finishRefTransactions(repository: Repository): void {
  for (const path of listRefJournals(repository)) {
    try {
      finish(repository, path);
    } catch (error) {
      // Reading goes on with the refs as they are; whoever comes next, and may write here, finishes it.
      if (!(error instanceof LockedError) && !(error instanceof ConflictError) && !isSystemError(error)) throw error;
    }
  }
}

function finish(repository: Repository, path: string): void {
  const status = fs.lstatSync(path, { throwIfNoEntry: false });
  if (status === undefined || !isLeftBehind(repository, path, status)) return;
  using _ = LockFile.acquire(path, { holder: repository.lockHolder, timeoutMs: patienceMs });
  const bytes = findFile(path);
  if (bytes === undefined) return;
  let record: RefJournalRecord;
  try {
    record = decodeRefJournal(bytes, repository.format);
  } catch (error) {
    if (!(error instanceof CorruptError)) throw error;
    disk().rename(path, path + damagedSuffix);
    return;
  }
  if (record.boot !== undefined && record.boot !== identifyProcess(repository.context.process.pid)?.boot) {
    // Written where refs need not survive a power cut, which there has been: what it says may be older than the refs.
    removeRefJournal(path, true);
    return;
  }
  if (replay(repository, record)) removeRefJournal(path, true);
  else disk().rename(path, path + damagedSuffix);
}

/** False when an object a ref is to name is gone; then nothing was changed. */
function replay(repository: Repository, { changes, settings }: RefJournalRecord): boolean {
  return whileNaming(repository, () => {
    const { objects } = repository;
    for (const { after } of changes) {
      if (after !== undefined && isObjectId(after, repository.format) && objects.findHeader(after) === undefined) return false;
    }
    objects.rescue();
    for (const change of changes) changeRefIfStill(repository, change);
    if (settings !== undefined) moveBranchSettings(repository, settings);
    return true;
  });
}

/** True for a dead process's, and for what this very process could not finish. */
function isLeftBehind(repository: Repository, path: string, status: fs.Stats): boolean {
  const maker = parseIdentity(basename(path));
  const own = repository.context.process;
  const here = identifyProcess(own.pid);
  if (maker !== undefined && here !== undefined && maker.pid === here.pid && maker.start === here.start && maker.boot === here.boot) return true;
  return isAbandoned(maker, path, status, own, abandonedMs);
}
