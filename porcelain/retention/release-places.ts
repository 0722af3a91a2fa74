// The directories releases lie in, and whether they go when receipts do (cairn-retention(7), "WHAT NEVER GOES").
//
// Invariant: a directory goes only when it is ours (it has a record), every receipt that published it goes, and no target points to it. It loses
// its name first and its record last, so that after a power cut an interrupted removal is taken up again.
import * as fs from 'node:fs';
import { join } from 'node:path';
import { removeIfPresent } from '../../pack/disk.js';
import { isSystemError } from '../../pack/errors.js';
import type { Repository } from '../../plumbing/repository.js';
import { type Channel, type Target, targetNamed } from '../channel.js';
import { findLink, linkValue, removeDirectory } from '../release-directory.js';
import { listRecorded, recordPath } from '../release-journal.js';
import type { Candidate } from './candidates.js';

/** A directory that was published, and what becomes of it. */
export interface ReleasePlace {
  readonly channel: Channel;
  readonly target: Target;
  /** Its name beside the target. */
  readonly directory: string;
  /** Receipts that name it: 'prod/3'. */
  readonly receipts: readonly string[];
  readonly verdict: 'keep' | 'drop';
  readonly reason: string;
  /** Sizes of its files together. */
  readonly bytes: number;
}

/** Every directory there is of the receipts that were judged. */
export function judgePlaces(repository: Repository, candidates: readonly Candidate[]): ReleasePlace[] {
  const users = new Map<string, { readonly channel: Channel; readonly target: Target; readonly directory: string; readonly receipts: Candidate[] }>();
  const recorded = new Map<Channel, Set<string>>();
  for (const candidate of candidates) {
    if (candidate.receipt === undefined) continue;
    const { channel, outputs } = candidate.receipt;
    if (!recorded.has(channel)) recorded.set(channel, new Set(listRecorded(repository, channel)));
    for (const { published } of outputs) {
      if (published === undefined || !recorded.get(channel)!.has(published.directory)) continue;
      const key = `${published.target}\0${published.directory}`;
      const known = users.get(key) ?? { channel, target: targetNamed(repository, published.target), directory: published.directory, receipts: [] };
      known.receipts.push(candidate);
      users.set(key, known);
    }
  }
  return [...users.values()].flatMap(({ channel, target, directory, receipts }): ReleasePlace[] => {
    const path = join(target.container, directory);
    if (fs.lstatSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) return [];
    const isLive = findLink(target) === linkValue(target, directory);
    const keeper = receipts.find(({ verdict }) => verdict === 'keep');
    const reason = isLive ? `'${target.name}' points to it` : keeper !== undefined ? `${keeper.name} stays` : `${receipts.map(({ name }) => name).join(', ')} ${receipts.length === 1 ? 'goes' : 'go'}`;
    return [{
      channel, target, directory, receipts: receipts.map(({ name }) => name), verdict: isLive || keeper !== undefined ? 'keep' : 'drop', reason, bytes: sizeOf(Buffer.from(path)),
    }];
  });
}

/** Removes a directory, unless a target points to it by now. */
export function removePlace(repository: Repository, { channel, target, directory }: ReleasePlace): void {
  if (findLink(target) === linkValue(target, directory)) return;
  removeDirectory(target.container, directory, `tmp-${directory.slice(directory.indexOf('.') + 1)}`);
  removeIfPresent(recordPath(repository, channel, directory));
}

function sizeOf(path: Buffer): number {
  let bytes = 0;
  try {
    for (const entry of fs.readdirSync(path, { withFileTypes: true, encoding: 'buffer' })) {
      const inner = Buffer.concat([path, Buffer.from('/'), entry.name]);
      bytes += entry.isDirectory() ? sizeOf(inner) : fs.lstatSync(inner, { throwIfNoEntry: false })?.size ?? 0;
    }
  } catch (error) {
    if (!isSystemError(error, 'ENOENT')) throw error;
  }
  return bytes;
}
