// What cairn keeps of its own in <gitdir>/cairn: journals, receipts, records of directories, events, batches in quarantine; and whether
// the objects directories that are borrowed from are there, of which only a missing object would tell otherwise. Each is read
// here as whoever uses it would, so that damage shows before it is needed (cairn-receipt(5), cairn-events(5), cairn-safety(7)).
//
// Nothing is written; whatever another process finishes or removes meanwhile is passed over.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { listMissingAlternates } from '../../pack/alternates.js';
import { findFile } from '../../pack/file-lookup.js';
import { ObjectStore } from '../../pack/object-store.js';
import { Batch } from '../../pack/quarantine.js';
import { Index } from '../../plumbing/index/index-file.js';
import { decodeRefJournal, listDamagedRefJournals, listRefJournals } from '../../plumbing/refs/ref-journal.js';
import { quarantineDirectory } from '../../plumbing/refs/sweep-flag.js';
import type { Repository } from '../../plumbing/repository.js';
import { receiptsPrefix } from '../channel.js';
import { countTornBytes, listEventFiles } from '../events.js';
import { readReceipt } from '../receipt.js';
import { decodeJournal, listNames, recordPattern, releasesDirectory } from '../release-journal.js';
import { holdsPrefix, readHold } from '../retention/hold.js';
import { type Finding, findingsOf, noticeAt } from './finding.js';

/** What is wrong with them. */
export function* checkOwnRecords(repository: Repository, store: ObjectStore): Generator<Finding> {
  yield* checkRefJournals(repository);
  yield* checkReleases(repository);
  yield* checkReceipts(repository, store);
  yield* checkHolds(repository);
  for (const path of listEventFiles(repository)) {
    const torn = countTornBytes(readFileSync(path));
    if (torn > 0) yield noticeAt('record', path, `${torn} bytes belong to no whole record`);
  }
  yield* checkQuarantine(repository);
  for (const path of listMissingAlternates(store.directory)) {
    yield noticeAt('record', join(store.directory, 'info/alternates'), `the objects directory '${path}' that it names is not there`);
  }
}

function* checkRefJournals(repository: Repository): Generator<Finding> {
  for (const path of listDamagedRefJournals(repository)) yield noticeAt('record', path, 'a change of several refs could not be finished; look at it, then remove it');
  for (const path of listRefJournals(repository)) {
    yield* findingsOf('record', path, () => {
      const bytes = findFile(path);
      if (bytes !== undefined) decodeRefJournal(bytes, repository.format);
    });
  }
}

function* checkReleases(repository: Repository): Generator<Finding> {
  for (const name of listNames(repository)) {
    const path = join(releasesDirectory(repository), name);
    yield* findingsOf('record', path, () => {
      const bytes = findFile(path);
      if (bytes === undefined) return;
      if (name.endsWith('.journal')) decodeJournal(bytes.toString(), repository.format, path);
      else if (recordPattern.test(name)) Index.decode(bytes, repository.format);
    });
  }
}

function* checkReceipts(repository: Repository, store: ObjectStore): Generator<Finding> {
  for (const { name, id } of repository.refs.list(receiptsPrefix, () => undefined)) {
    yield* findingsOf('record', name, () => { readReceipt(store, id); });
  }
}

function* checkHolds(repository: Repository): Generator<Finding> {
  for (const { name, id } of repository.refs.list(holdsPrefix, () => undefined)) {
    yield* findingsOf('record', name, () => { readHold(repository, name, id); });
  }
}

/** Objects there are good for nothing when they are damaged, but nothing was promised about them. */
function* checkQuarantine(repository: Repository): Generator<Finding> {
  for (const { directory, hasRecord } of Batch.list(quarantineDirectory(repository))) {
    if (!hasRecord) yield noticeAt('record', join(directory, 'record'), 'it cannot be read; what is in the batch goes back with the next gc');
    const store = ObjectStore.open(directory, repository.format);
    try {
      for (const { path, error } of store.checkLoose()) if (error !== undefined) yield noticeAt('object', path, error.message);
      for (const { path, error } of store.listDamagedPacks()) if (existsSync(path)) yield noticeAt('pack', path, error.message);
    } finally {
      store.close();
    }
  }
}
