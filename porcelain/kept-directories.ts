// The materialised directories of a channel: finding one that still holds a tree, and removing those beyond the newest few. A directory is
// ours when it has a record (release-directory.ts); only such are ever removed, and never the one a target points to.
//
// If the power fails while one is removed: its record goes last, so the next release takes the removal up again.
import * as fs from 'node:fs';
import { join } from 'node:path';
import { removeIfPresent } from '../pack/disk.js';
import { InvalidError } from '../pack/errors.js';
import type { ObjectId } from '../pack/oid.js';
import type { Repository } from '../plumbing/repository.js';
import { type Channel, type Target, targetNamed } from './channel.js';
import { type ReceiptOutput, type StoredReceipt, listReceipts } from './receipt.js';
import { findLink, findRecord, isIntact, linkValue, removeDirectory } from './release-directory.js';
import { findRollback, isBad } from './release-history.js';
import { listRecorded, recordPath } from './release-journal.js';
import { HeldObjects } from './retention/hold.js';

const defaultKeep = 3;

/** What a channel's receipts say of directories, read as far as a question needs. */
export class ChannelDirectories {
  readonly #repository: Repository;
  readonly #channel: Channel;
  readonly #source: Iterator<StoredReceipt>;
  readonly #read: StoredReceipt[] = [];
  /** Directories that have a record, so may still be there. */
  readonly #recorded: ReadonlySet<string>;

  constructor(repository: Repository, channel: Channel) {
    this.#repository = repository;
    this.#channel = channel;
    this.#source = listReceipts(repository, channel);
    this.#recorded = new Set(listRecorded(repository, channel));
  }

  *#receipts(): Generator<StoredReceipt> {
    for (let at = 0; ; at += 1) {
      if (at === this.#read.length) {
        const next = this.#source.next();
        if (next.done === true) return;
        this.#read.push(next.value);
      }
      yield this.#read[at]!;
    }
  }

  /** The outputs published to a target whose directories have a record, newest first, each directory once. */
  *#published(target: Target): Generator<ReceiptOutput> {
    const left = new Set(this.#recorded);
    for (const { outputs } of this.#receipts()) {
      for (const output of outputs) {
        const { published } = output;
        if (published !== undefined && left.delete(published.directory) && published.target === target.name) yield output;
      }
      if (left.size === 0) return;
    }
  }

  findDirectory(target: Target, directory: string): ReceiptOutput | undefined {
    for (const output of this.#published(target)) if (output.published?.directory === directory) return output;
    return undefined;
  }

  /** A directory that still holds exactly `tree`; the live one first. */
  findIntact(target: Target, tree: ObjectId, live: string | null): ReceiptOutput | undefined {
    const candidates = [...this.#published(target)].filter((output) => output.tree === tree)
      .sort((a, b) => Number(b.published?.directory === live) - Number(a.published?.directory === live));
    return candidates.find(({ published }) => {
      const path = join(target.container, published!.directory);
      if (fs.lstatSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) return false;
      const record = findRecord(recordPath(this.#repository, this.#channel, published!.directory), this.#repository.format);
      return record !== undefined && isIntact(path, record);
    });
  }

  /** The newest outputs of a target first, each directory once, with the receipt that is to blame for it. */
  *listDirectories(target: Target): Generator<{ readonly directory: string; readonly tree: ObjectId; readonly receipt: StoredReceipt }> {
    const left = new Set(this.#recorded);
    for (const receipt of this.#receipts()) {
      for (const { published, tree } of receipt.outputs) {
        if (published !== undefined && left.delete(published.directory) && published.target === target.name) yield { directory: published.directory, tree, receipt };
      }
      if (left.size === 0) return;
    }
  }
}

/** release.keep: how many directories of a target are kept; InvalidError when it makes no sense. */
export function readKeep(repository: Repository): number {
  const keep = repository.config.getInteger('release.keep') ?? defaultKeep;
  if (keep < 1) throw new InvalidError(`bad config value '${keep}' for 'release.keep': at least 1 is needed`, { code: 'bad-config-value' });
  return keep;
}

/** Directories that a held release was published to. */
function heldDirectories(repository: Repository, channel: Channel): Set<string> {
  const held = new HeldObjects(repository);
  const directories = new Set<string>();
  if (held.isEmpty) return directories;
  for (const { id, commit, outputs } of listReceipts(repository, channel)) {
    if (held.find(id, commit) === undefined) continue;
    for (const { published } of outputs) if (published !== undefined) directories.add(published.directory);
  }
  return directories;
}

/** Removes directories of the receipt's targets beyond the newest release.keep; never the live one or the one a rollback would take. */
export function pruneDirectories(repository: Repository, receipt: StoredReceipt): void {
  const keep = readKeep(repository);
  const { channel } = receipt;
  const back = findRollback(repository, channel, 1);
  const held = heldDirectories(repository, channel);
  for (const { published } of receipt.outputs) {
    if (published === undefined) continue;
    const target = targetNamed(repository, published.target);
    const live = findLink(target);
    // The rollback would take the newest directory of its tree, whichever receipt made it.
    let spared = back && (back.outputs.find((output) => output.published?.target === published.target) ?? back.outputs[0])?.tree;
    let kept = 0;
    for (const { directory, tree, receipt: owner } of new ChannelDirectories(repository, channel).listDirectories(target)) {
      const isThere = fs.existsSync(join(target.container, directory));
      const isSpared = isThere && tree === spared;
      if (isSpared) spared = undefined;
      if (isSpared || held.has(directory) || live === linkValue(target, directory) || (isThere && kept < keep && !isBad(repository, owner))) {
        kept += 1;
        continue;
      }
      // The record goes last: while it is there, an interrupted removal is taken up again.
      removeDirectory(target.container, directory, `tmp-${directory.slice(directory.indexOf('.') + 1)}`);
      removeIfPresent(recordPath(repository, channel, directory));
    }
  }
}
