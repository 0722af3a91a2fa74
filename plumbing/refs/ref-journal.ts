// The journal of a transaction that changes several refs: <gitdir>/cairn/ref-journal/<maker>_<number>, what each of them held and will hold,
// written after everything was checked and before the first of them changes, gone after the last. Whoever finds that of a process
// that died finishes its work (ref-recovery.ts), so several refs change all or not at all (cairn-safety(7), "Several refs at once").
//
// Invariant: durable, with its name, before the first ref changes; its removal is durable before the command says that it is done, since a
// journal that came back later would do old work again. Its bytes are not trusted: a checksum, and every name and id is checked.
// If the power fails: no journal and no ref changed, or a journal, or all refs changed.
import * as fs from 'node:fs';
import { basename, join } from 'node:path';
import { disk, makeDirectories, removeIfPresent } from '../../pack/disk.js';
import { CorruptError } from '../../pack/errors.js';
import { listDirectory } from '../../pack/file-lookup.js';
import { Hasher, type ObjectFormat, isObjectId } from '../../pack/oid.js';
import { lockSuffix } from '../lockfile.js';
import { formatIdentity, identifyProcess } from '../process-identity.js';
import type { SettingsMove } from '../branch-settings.js';
import { decodeReflog } from './reflog.js';
import { type RefName, isPerWorkTreeRef, isRefName, isSafeRefName } from './ref-name.js';
import type { RawRef } from './refs.js';
import type { Repository } from '../repository.js';

/** What a ref holds in its file: an id, 'ref: <name>', or nothing. */
export type RefContent = string | undefined;

export interface RefChange {
  /** Understood in every work tree: one work tree's own refs begin with 'main-worktree/' or 'worktrees/<id>/'. */
  readonly name: RefName;
  readonly before: RefContent;
  readonly after: RefContent;
  /** The whole reflog it gets with the value (latin1), where that of another branch comes along. */
  readonly log?: string;
}

export interface RefJournalRecord {
  /** The boot it is good for: where refs are not made durable, only those who saw it written may go by it. */
  readonly boot: string | undefined;
  readonly changes: readonly RefChange[];
  /** What becomes of a branch's settings once the refs have changed. */
  readonly settings?: SettingsMove;
}

const version = 1;
/** What a damaged journal is called once it was set aside. */
export const damagedSuffix = '.bad';
/** Far more than there are refs; a file larger than this is none of ours. */
const mostBytes = 256 * 1024 * 1024;
let made = 0;

export function refJournalDirectory(repository: { readonly commonDirectory: string }): string {
  return join(repository.commonDirectory, 'cairn/ref-journal');
}

/** True when there may be something to finish; the usual answer costs one look. */
export function hasRefJournal(repository: { readonly commonDirectory: string }): boolean {
  const directory = refJournalDirectory(repository);
  return fs.existsSync(directory) && fs.readdirSync(directory).some(isJournalName);
}

function isJournalName(name: string): boolean {
  return !name.endsWith(lockSuffix) && !name.endsWith(damagedSuffix);
}

/** Paths of the journals there are, the oldest first. */
export function listRefJournals(repository: { readonly commonDirectory: string }): string[] {
  const directory = refJournalDirectory(repository);
  const madeMs = (name: string): number => Number(/_(\d+)_[^_]*$/.exec(name)?.[1] ?? 0);
  return listDirectory(directory).filter(isJournalName).sort((a, b) => madeMs(a) - madeMs(b) || (a < b ? -1 : 1)).map((name) => join(directory, name));
}

/** Paths of journals that were set aside because they could not be understood or done. */
export function listDamagedRefJournals(repository: { readonly commonDirectory: string }): string[] {
  const directory = refJournalDirectory(repository);
  return listDirectory(directory).filter((name) => name.endsWith(damagedSuffix)).sort().map((name) => join(directory, name));
}

/** What a ref's file holds, as the journal tells it. */
export function contentOf(raw: RawRef | undefined): RefContent {
  return raw === undefined ? undefined : raw.kind === 'id' ? raw.id : `ref: ${raw.target}`;
}

/** The name that means the same ref in every work tree. */
export function nameEverywhere(repository: Repository, name: RefName): RefName {
  if (!isPerWorkTreeRef(name) || /^(?:main-worktree|worktrees)\//.test(name)) return name;
  const { gitDirectory, commonDirectory } = repository;
  return `${gitDirectory === commonDirectory ? 'main-worktree' : `worktrees/${basename(gitDirectory)}`}/${name}` as RefName;
}

/** A journal that is there; the transaction that wrote it removes it. */
export class RefJournal {
  readonly #path: string;
  readonly #durable: boolean;

  private constructor(path: string, durable: boolean) {
    this.#path = path;
    this.#durable = durable;
  }

  /** Writes down what is going to change, durably as refs are. */
  static write(repository: Repository, changes: readonly RefChange[], settings?: SettingsMove): RefJournal {
    const durable = repository.hardening.reference;
    const identity = identifyProcess(repository.context.process.pid);
    const directory = refJournalDirectory(repository);
    made += 1;
    const maker = identity === undefined ? 'unknown' : formatIdentity(identity);
    const path = join(directory, `${maker}_${Date.now()}_${made}-${Math.floor(Math.random() * 0x100000000).toString(36)}`);
    const bytes = encodeRefJournal({ boot: durable ? undefined : identity?.boot ?? 'unknown', changes, ...(settings === undefined ? {} : { settings }) }, repository.format);
    if (!fs.existsSync(directory)) makeDirectories(directory);
    const fd = disk().open(path, 'wx', 0o666);
    try {
      try {
        disk().write(fd, bytes);
        if (durable) disk().fsync(fd);
      } finally {
        disk().close(fd);
      }
      if (durable) disk().fsyncDirectory(directory);
    } catch (error) {
      removeIfPresent(path);
      throw error;
    }
    return new RefJournal(path, durable);
  }

  /** The work is done, or was not begun; durable when it returns. */
  remove(): void {
    removeRefJournal(this.#path, this.#durable);
  }
}

/** Removes a journal whose work is done. */
export function removeRefJournal(path: string, durable: boolean): void {
  if (removeIfPresent(path) && durable) disk().fsyncDirectory(join(path, '..'));
}

/** One line of JSON and one with its digest. */
export function encodeRefJournal(record: RefJournalRecord, format: ObjectFormat): Buffer {
  const changes = record.changes.map(({ name, before, after, log }) => [name, before ?? null, after ?? null, ...(log === undefined ? [] : [log])]);
  const line = Buffer.from(`${JSON.stringify({ version, ...(record.boot === undefined ? {} : { boot: record.boot }), changes, ...(record.settings === undefined ? {} : { settings: record.settings }) })}\n`);
  return Buffer.concat([line, Buffer.from(`${digest(line, format)}\n`)]);
}

/** Its digest fits, so somebody wrote it on purpose; that makes it no journal. */
function parseLine(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) throw damaged('it is not JSON');
    throw error;
  }
}

/** CorruptError unless every byte is as it was written and says something possible. */
export function decodeRefJournal(bytes: Buffer, format: ObjectFormat): RefJournalRecord {
  if (bytes.length > mostBytes) throw damaged('it is too large');
  const end = bytes.indexOf(10) + 1;
  if (end === 0 || bytes.toString('latin1', end) !== `${digest(bytes.subarray(0, end), format)}\n`) throw damaged('its checksum does not match');
  const value = parseLine(bytes.toString('utf8', 0, end));
  if (typeof value !== 'object' || value === null || !('version' in value) || value.version !== version) throw damaged('its version is not known');
  const boot = 'boot' in value ? value.boot : undefined;
  const rows: unknown = 'changes' in value ? value.changes : undefined;
  if (!Array.isArray(rows) || (boot !== undefined && typeof boot !== 'string')) throw damaged('it lists no changes');
  const settings = 'settings' in value ? { settings: decodeSettings(value.settings) } : {};
  return { boot, changes: rows.map((row: unknown) => decodeChange(row, format)), ...settings };
}

function decodeChange(row: unknown, format: ObjectFormat): RefChange {
  if (!Array.isArray(row) || row.length < 3 || row.length > 4) throw damaged('a change is malformed');
  const [name, before, after, log]: readonly unknown[] = row;
  if (typeof name !== 'string' || !isRefName(name, { oneLevel: true }) || !isSafeRefName(name)) throw damaged('it names no ref');
  const change = { name, before: decodeContent(before, format), after: decodeContent(after, format) };
  return row.length === 3 ? change : { ...change, log: decodeLog(log, name, format) };
}

function decodeLog(value: unknown, name: string, format: ObjectFormat): string {
  if (typeof value !== 'string' || !/^(?:[\x00-\xff]*\n)?$/.test(value)) throw damaged('a reflog is malformed');
  decodeReflog(Buffer.from(value, 'latin1'), format, name);
  return value;
}

function decodeSettings(value: unknown): SettingsMove {
  if (typeof value !== 'object' || value === null || !('from' in value) || !('to' in value) || !('copies' in value)) throw damaged('its settings are malformed');
  const { from, to, copies } = value;
  const isBranch = (text: unknown): text is string => typeof text === 'string' && isRefName(`refs/heads/${text}`);
  if (!isBranch(from) || !isBranch(to) || typeof copies !== 'boolean') throw damaged('its settings are malformed');
  return { from, to, copies };
}

function decodeContent(value: unknown, format: ObjectFormat): RefContent {
  if (value === null) return undefined;
  if (typeof value === 'string' && (isObjectId(value, format) || (value.startsWith('ref: ') && isRefName(value.slice(5))))) return value;
  throw damaged('a value is malformed');
}

function digest(bytes: Buffer, format: ObjectFormat): string {
  const hasher = new Hasher(format);
  hasher.update(bytes);
  return hasher.digestId();
}

function damaged(why: string): CorruptError {
  return new CorruptError(`ref journal is damaged: ${why}`, { code: 'ref-journal-damaged' });
}
