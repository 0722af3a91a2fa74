// The journal of a release in the making: what will be built, and later what will be swapped, written down and durable before it
// happens, so that whoever comes after a crash can finish or undo it. One small file per channel; specified by cairn-receipt(5), "JOURNAL".
//
// Invariant: while anything exists at a target that no receipt names, a journal names it. Replaced as a whole, so never torn.
import * as fs from 'node:fs';
import { join } from 'node:path';
import { disk, makeDirectories, removeIfPresent, replaceFile } from '../pack/disk.js';
import { CorruptError, isSystemError } from '../pack/errors.js';
import { findFile } from '../pack/file-lookup.js';
import { type ObjectFormat, type ObjectId, isObjectId } from '../pack/oid.js';
import type { Repository } from '../plumbing/repository.js';
import { type Channel, encodeChannel, isChannel } from './channel.js';
import { directoryPattern } from './receipt.js';

export interface JournalOutput {
  /** As in the receipt: relative to the base. */
  readonly target: string;
  /** Private name beside the target, 'tmp-…'. */
  readonly staging: string;
  /** Final name beside the target. */
  readonly directory: string;
  /** False when an existing directory is used again. */
  readonly fresh: boolean;
  /** The link's value before; null when there was none. */
  readonly before: string | null;
}

export interface Journal {
  readonly channel: Channel;
  readonly phase: 'building' | 'swapping';
  readonly commit: ObjectId;
  /** In phase 'swapping': stored and durable, but named by no ref yet. */
  readonly receipt: ObjectId | null;
  readonly outputs: readonly JournalOutput[];
  /** Values to remember as the channel's targets once the release is made; null leaves them as they are. */
  readonly remember: readonly string[] | null;
}

const version = 1;
const suffix = '.journal';
const stagingPattern = /^tmp-[0-9a-f]{16}$/;

/** Where journals and the records of directories are: <gitdir>/cairn/releases. */
export function releasesDirectory(repository: Repository): string {
  return join(repository.commonDirectory, 'cairn/releases');
}

/** The file of a channel's journal; also what is locked while a release is made. */
export function journalPath(repository: Repository, channel: Channel): string {
  return join(releasesDirectory(repository), encodeChannel(channel) + suffix);
}

const recordSuffix = '.index';
/** Names of records, whichever channel's. */
export const recordPattern = /\.[1-9][0-9]*\.[0-9a-f]{16}\.index$/;

/** Where the record of a channel's directory is kept. */
export function recordPath(repository: Repository, channel: Channel, directory: string): string {
  return join(releasesDirectory(repository), `${encodeChannel(channel)}.${directory}${recordSuffix}`);
}

/** The directories of a channel that have a record, in no order that means anything. */
export function listRecorded(repository: Repository, channel: Channel): string[] {
  const prefix = `${encodeChannel(channel)}.`;
  return listNames(repository).flatMap((name) => {
    const directory = name.startsWith(prefix) && name.endsWith(recordSuffix) ? name.slice(prefix.length, -recordSuffix.length) : '';
    return directoryPattern.test(directory) ? [directory] : [];
  });
}

/** Durable when it returns. */
export function writeJournal(repository: Repository, journal: Journal): void {
  makeDirectories(releasesDirectory(repository));
  replaceFile(journalPath(repository, journal.channel), JSON.stringify({ version, ...journal }) + '\n');
}

/** The release is over: complete or undone. */
export function removeJournal(repository: Repository, channel: Channel): void {
  if (removeIfPresent(journalPath(repository, channel))) disk().fsyncDirectory(releasesDirectory(repository));
}

/** Undefined when no release was interrupted; CorruptError when the file cannot be read as a journal. */
export function findJournal(repository: Repository, channel: Channel): Journal | undefined {
  return readJournalFile(journalPath(repository, channel), repository.format);
}

/** Every channel's journal, in the order of file names. */
export function listJournals(repository: Repository): Journal[] {
  return listNames(repository).filter((name) => name.endsWith(suffix)).flatMap((name) => {
    const journal = readJournalFile(join(releasesDirectory(repository), name), repository.format);
    return journal === undefined ? [] : [journal];
  });
}

/** The names in <gitdir>/cairn/releases, sorted. */
export function listNames(repository: Repository): string[] {
  try {
    return fs.readdirSync(releasesDirectory(repository)).sort();
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return [];
    throw error;
  }
}

function readJournalFile(path: string, format: ObjectFormat): Journal | undefined {
  const text = findFile(path)?.toString();
  return text === undefined ? undefined : decodeJournal(text, format, path);
}

/** `path` is for the message. */
export function decodeJournal(text: string, format: ObjectFormat, path: string): Journal {
  const damaged = (what: string): CorruptError => new CorruptError(`release journal '${path}' is damaged: ${what}`, {
    code: 'bad-journal', hint: 'look where the targets point, then remove the file',
  });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw damaged(error instanceof Error ? error.message : 'it is not JSON');
  }
  if (!isObject(value)) throw damaged('it is no object');
  const { channel, phase, commit, receipt, outputs, remember } = value;
  if (value['version'] !== version) throw damaged(`its version is not ${version}`);
  if (typeof channel !== 'string' || !isChannel(channel)) throw damaged('its channel is no channel name');
  if (phase !== 'building' && phase !== 'swapping') throw damaged('its phase is unknown');
  if (typeof commit !== 'string' || !isObjectId(commit, format)) throw damaged('its commit is no object id');
  const receiptId = typeof receipt === 'string' && isObjectId(receipt, format) ? receipt : null;
  if (receiptId !== receipt || (phase === 'swapping') !== (receiptId !== null)) throw damaged('its receipt is no object id');
  if (!Array.isArray(outputs)) throw damaged('it has no outputs');
  if (remember !== null && !(Array.isArray(remember) && remember.every((one) => typeof one === 'string'))) throw damaged('what it remembers is no list');
  return {
    channel, phase, commit, receipt: receiptId, remember,
    outputs: outputs.map((output: unknown) => decodeOutput(output) ?? raise(damaged('one of its outputs is malformed'))),
  };
}

function decodeOutput(value: unknown): JournalOutput | undefined {
  if (!isObject(value)) return undefined;
  const { target, staging, directory, fresh, before } = value;
  if (typeof target !== 'string' || target === '' || target.startsWith('/') || target.includes('\0')) return undefined;
  if (typeof staging !== 'string' || !stagingPattern.test(staging) || typeof directory !== 'string' || !directoryPattern.test(directory)) return undefined;
  if (typeof fresh !== 'boolean' || !(before === null || typeof before === 'string')) return undefined;
  return { target, staging, directory, fresh, before };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function raise(error: Error): never {
  throw error;
}
