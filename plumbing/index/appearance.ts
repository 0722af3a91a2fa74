// What a file looks like (its status) beside what the index keeps of how it looked when its content was known: the comparison that saves
// reading files. It is Git's, so that either program takes the other's index for fresh. Numbers are cut to 32 bits, as the index has them.
//
// Pure but for the configuration: a thread that looks at files ahead (status-thread-worker.ts) compares by the same rules as the one that asked.
import type { BigIntStats, Stats } from 'node:fs';
import { type ObjectFormat, type ObjectId, emptyBlobId } from '../../pack/oid.js';
import { executableMode, fileMode, gitlinkMode, symlinkMode } from '../../pack/tree.js';
import type { Config } from '../config.js';

/** What a file looked like; every number is cut to 32 bits, as Git stores it. */
export interface StatData {
  readonly ctimeS: number;
  readonly ctimeNs: number;
  readonly mtimeS: number;
  readonly mtimeNs: number;
  readonly dev: number;
  readonly ino: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
}

/** The stat of an entry that no file was compared with. */
export const noStat: StatData = { ctimeS: 0, ctimeNs: 0, mtimeS: 0, mtimeNs: 0, dev: 0, ino: 0, uid: 0, gid: 0, size: 0 };

/** A time in whole seconds and nanoseconds: when the index that was read was last written. */
export interface FileTime {
  readonly seconds: number;
  readonly nanoseconds: number;
}

/** What of an index is needed to compare its entries with files. */
export interface Compared {
  readonly format: ObjectFormat;
  /** Decides who is racy: changed when the index was written, or later. */
  readonly writtenAt: FileTime;
}

/** How an entry's file compares: 'dubious' when only its content can tell. */
export type Comparison = 'same' | 'changed' | 'dubious';

/** What of an index entry is compared. */
export interface Comparable {
  readonly mode: number;
  readonly stat: StatData;
  readonly id: ObjectId;
}

/** What the configuration says of the file system; plain values, which can be handed to a thread. */
export interface AppearanceRules {
  readonly trustsExecutable: boolean;
  readonly hasSymlinks: boolean;
  readonly trustsCtime: boolean;
  /** False: only size, mode and modification time count (core.checkStat=minimal). */
  readonly checksAll: boolean;
}

export function readAppearanceRules(config: Config): AppearanceRules {
  return {
    trustsExecutable: config.getBoolean('core.filemode') !== false,
    hasSymlinks: config.getBoolean('core.symlinks') !== false,
    trustsCtime: config.getBoolean('core.trustctime') !== false,
    checksAll: config.get('core.checkstat')?.toLowerCase() !== 'minimal',
  };
}

/** The mode Git gives the file; undefined for what it does not see. An existing entry's mode stands in where modes are not trusted. */
export function modeOfStatus(status: Stats | BigIntStats, rules: AppearanceRules, former?: number): number | undefined {
  const mode = Number(status.mode);
  const type = mode & 0o170000;
  if (type === 0o120000) return symlinkMode;
  if (type === 0o040000) return gitlinkMode;
  if (type !== 0o100000) return undefined;
  if (!rules.hasSymlinks && former === symlinkMode) return symlinkMode;
  const isExecutable = rules.trustsExecutable ? (mode & 0o100) !== 0 : former === executableMode;
  return isExecutable ? executableMode : fileMode;
}

/** Compares by appearance. */
export function compareAppearance(entry: Comparable, status: Stats, rules: AppearanceRules, compared: Compared): Comparison {
  const mode = modeOfStatus(status, rules, entry.mode);
  if (mode !== entry.mode) return 'changed';
  if (mode === gitlinkMode) return 'dubious';
  const { stat } = entry;
  if (stat.size !== status.size % 0x100000000) {
    // Size 0 of a file that is not empty: never compared since the entry was made, or marked as racy.
    return stat.size === 0 ? 'dubious' : 'changed';
  }
  if (stat.size === 0 && entry.id !== emptyBlobId(compared.format)) return 'dubious';
  if (!hasSameTimes(stat, status, rules)) return 'dubious';
  return isRacy(stat, compared.writtenAt) ? 'dubious' : 'same';
}

/** True when the file looks the same, racy or not: only then does Git's plumbing ask for its content. */
export function looksSame(entry: Comparable, status: Stats, rules: AppearanceRules, format: ObjectFormat): boolean {
  const { stat } = entry;
  return modeOfStatus(status, rules, entry.mode) === entry.mode && stat.size === status.size % 0x100000000
    && (stat.size !== 0 || entry.id === emptyBlobId(format)) && hasSameTimes(stat, status, rules);
}

function hasSameTimes(stat: StatData, status: Stats, rules: AppearanceRules): boolean {
  if (!isSameTime(stat.mtimeS, stat.mtimeNs, status.mtimeMs)) return false;
  if (!rules.checksAll) return true;
  if (rules.trustsCtime && !isSameTime(stat.ctimeS, stat.ctimeNs, status.ctimeMs)) return false;
  return stat.ino === status.ino % 0x100000000 && stat.uid === status.uid >>> 0 && stat.gid === status.gid >>> 0;
}

/** A double of milliseconds holds a time of today to a quarter of a microsecond. */
export const timeToleranceMs = 0.002;

function isSameTime(seconds: number, nanoseconds: number, ms: number): boolean {
  const difference = ms - (seconds * 1000 + nanoseconds / 1e6);
  if (difference < timeToleranceMs && difference > -timeToleranceMs) return true;
  // Written by a program that keeps whole seconds, or beyond what 32 bits hold.
  return (nanoseconds === 0 || ms < 0 || ms >= 4294967296000) && (Math.floor(ms / 1000) >>> 0) === seconds;
}

/** True when the file changed when the index was written, or later: a change after the comparison may not show. */
export function isRacy(stat: StatData, { seconds, nanoseconds }: FileTime): boolean {
  if (seconds === 0) return false;
  return stat.mtimeS > seconds || (stat.mtimeS === seconds && (stat.mtimeNs >= nanoseconds || stat.mtimeNs === 0 || nanoseconds === 0));
}

/** The same of a status whose times are doubles of milliseconds, to a quarter of a microsecond. */
export function toRoundedStatData(status: Stats): StatData {
  const ctimeNs = nanosecondsOf(status.ctimeMs);
  const mtimeNs = nanosecondsOf(status.mtimeMs);
  return {
    ctimeS: Math.floor(status.ctimeMs / 1000) >>> 0, ctimeNs, mtimeS: Math.floor(status.mtimeMs / 1000) >>> 0, mtimeNs,
    dev: cutNumber(status.dev), ino: cutNumber(status.ino), uid: status.uid >>> 0, gid: status.gid >>> 0, size: cutNumber(status.size),
  };
}

function nanosecondsOf(ms: number): number {
  return Math.min(Math.round((ms - Math.floor(ms / 1000) * 1000) * 1e6), 999_999_999);
}

function cutNumber(value: number): number {
  return value % 0x100000000;
}

/** True when size, times and inode of a file are what they were, whatever device it is on. */
export function isSameFile({ size, ino, mtimeS, mtimeNs, ctimeS, ctimeNs }: StatData, status: Stats): boolean {
  return size === cutNumber(status.size) && ino === cutNumber(status.ino) && isSameTime(mtimeS, mtimeNs, status.mtimeMs) && isSameTime(ctimeS, ctimeNs, status.ctimeMs);
}

/** What the index keeps of a file's status, each number cut to 32 bits. */
export function toStatData(status: BigIntStats): StatData {
  return {
    ctimeS: cut(status.ctimeNs / 1_000_000_000n), ctimeNs: cut(status.ctimeNs % 1_000_000_000n),
    mtimeS: cut(status.mtimeNs / 1_000_000_000n), mtimeNs: cut(status.mtimeNs % 1_000_000_000n),
    dev: cut(status.dev), ino: cut(status.ino), uid: cut(status.uid), gid: cut(status.gid), size: cut(status.size),
  };
}

function cut(value: bigint): number {
  return Number(BigInt.asUintN(32, value));
}
