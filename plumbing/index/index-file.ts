// The index ("DIRC"): what the next tree will be, path by path, and what each file looked like when it was last known to have that
// content. Versions 2, 3 and 4 are read and written, with the extensions cache-tree and resolve-undo; other optional extensions are left out when
// the index is written again, required ones are refused. Format: gitformat-index.
//
// Large indexes stay bytes: a decoded index is a buffer and the offsets of its entries; names and objects are made when asked
// for; edits are kept aside and merged in when the order matters. Every byte is untrusted: a value or CorruptError.
// Only reads; changing the file is for index-lock.ts.
import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { CorruptError, isSystemError, withPath } from '../../pack/errors.js';
import { decodeObjectId, digest, encodeObjectId, rawSize, type ObjectFormat, type ObjectId } from '../../pack/oid.js';
import type { RepoPath } from '../../pack/tree.js';
import { type Comparable, type Compared, type FileTime, type StatData, isRacy, noStat } from './appearance.js';
import { decodeCacheTree, encodeCacheTree, CacheTree } from './cache-tree.js';
import {
  IndexRow, assumeValidBit, decodeStat, extendedBit, intentToAddBit, modeOffset, sizeOffset, skipWorktreeBit, statSize,
} from './index-row.js';
import type { IndexRows } from './quick-look.js';
import { type ResolveUndo, decodeResolveUndo, encodeResolveUndo } from './resolve-undo.js';
import type { Repository } from '../repository.js';

export interface IndexEntry {
  readonly path: RepoPath;
  readonly id: ObjectId;
  /** 100644, 100755, 120000 or 160000 (octal). */
  readonly mode: number;
  /** 0 merged; 1 base, 2 ours, 3 theirs of an unmerged path. */
  readonly stage: 0 | 1 | 2 | 3;
  readonly stat: StatData;
  readonly assumeValid: boolean;
  readonly skipWorktree: boolean;
  readonly intentToAdd: boolean;
}

/** An entry with the given parts and nothing else set. */
export function indexEntry(parts: Pick<IndexEntry, 'path' | 'id' | 'mode'> & Partial<IndexEntry>): IndexEntry {
  return { stage: 0, stat: noStat, assumeValid: false, skipWorktree: false, intentToAdd: false, ...parts };
}

export type IndexVersion = 2 | 3 | 4;

/** How much of the index is decoded at once for its names. */
const pageBytes = 8192;
/** From this size on an index is read so that threads can look at it, too (look-ahead.ts). */
const leastSharedBytes = 1 << 20;

export class Index implements Compared {
  readonly format: ObjectFormat;
  /** The version the file had; 2 for a new one. */
  readonly version: IndexVersion;
  /** When the file was last written; an entry whose file changed at that time or later is compared by content ("racy"). */
  readonly writtenAt: FileTime;
  readonly #base: Buffer;
  readonly #baseOffsets: Uint32Array;
  readonly #extra: IndexEntry[] = [];
  /** Row numbers in order: below the base's count an entry of the file, above it one of `#extra`; undefined while equal to the base. */
  #order: Int32Array | undefined;
  readonly #pending = new Map<string, IndexEntry | null>();
  readonly #named = new Set<ObjectId>();
  /** Directories that an entry was set in; a superset. */
  readonly #directories = new Set<string>();
  #entries: readonly IndexEntry[] | undefined;
  #cacheTree: CacheTree | undefined;
  #cacheTreeBytes: Buffer | undefined;
  #resolvedBytes: Buffer | undefined;
  #resolved: ResolveUndo | undefined;
  #changed = false;
  #view: IndexRow | undefined;
  /** False while no entry can be unmerged, so that nobody needs to look for other stages of a path. */
  #mayHaveStages: boolean;
  readonly #isAscii: boolean;
  /** The names of entries that lie together, as one text: whoever asks for them one after the other gets slices of it. */
  #page = '';
  #pageFrom = 0;
  #nextRow = 0;

  constructor(format: ObjectFormat, decoded?: DecodedIndex, writtenAt?: FileTime) {
    this.format = format;
    this.version = decoded?.version ?? 2;
    this.writtenAt = writtenAt ?? { seconds: 0, nanoseconds: 0 };
    this.#base = decoded?.bytes ?? Buffer.alloc(0);
    this.#baseOffsets = decoded?.offsets ?? new Uint32Array(0);
    this.#cacheTreeBytes = decoded?.cacheTree;
    this.#resolvedBytes = decoded?.resolveUndo;
    this.#mayHaveStages = decoded?.hasStages ?? false;
    this.#isAscii = decoded?.isAscii ?? true;
  }

  /** The index in `path`; empty when there is no such file. */
  static read(path: string, format: ObjectFormat): Index {
    let fd: number;
    try {
      fd = openSync(path, 'r');
    } catch (error) {
      if (isSystemError(error, 'ENOENT')) return new Index(format);
      throw error;
    }
    try {
      const { mtimeNs, size } = fstatSync(fd, { bigint: true });
      const bytes = size < leastSharedBytes ? readFileSync(fd) : readShared(fd, Number(size));
      const writtenAt = { seconds: Number(mtimeNs / 1_000_000_000n), nanoseconds: Number(mtimeNs % 1_000_000_000n) };
      return new Index(format, decodeIndex(bytes, format, path), writtenAt);
    } catch (error) {
      throw withPath(error, path);
    } finally {
      closeSync(fd);
    }
  }

  /** The index in `bytes`. */
  /** A new index of entries of stage 0, each of another path, and none of a path inside another one's. */
  static of(entries: Iterable<IndexEntry>, format: ObjectFormat): Index {
    const index = new Index(format);
    for (const entry of entries) index.#pending.set(editKey(entry.path, entry.stage), entry);
    return index;
  }

  static decode(bytes: Buffer, format: ObjectFormat): Index {
    return new Index(format, decodeIndex(bytes, format, 'index'));
  }

  get count(): number {
    this.#merge();
    return this.#order?.length ?? this.#baseOffsets.length;
  }

  /** All entries, sorted by path (as bytes), then stage. For large indexes prefer the `…At` methods. */
  get entries(): readonly IndexEntry[] {
    this.#merge();
    if (this.#entries === undefined) {
      const list: IndexEntry[] = [];
      for (let at = 0; at < this.count; at += 1) list.push(this.entryAt(at));
      this.#entries = list;
    }
    return this.#entries;
  }

  /** True when something was set or removed since it was read. */
  get isChanged(): boolean {
    return this.#changed;
  }

  /** True when every path that was read from the file is plain ASCII, and no others were set since. */
  get isAscii(): boolean {
    return this.#isAscii && this.#pending.size === 0 && this.#order === undefined;
  }

  /** The entries as the file has them, for others to read; undefined once something was set or removed. */
  get rows(): IndexRows | undefined {
    if (this.#changed) return undefined;
    return { format: this.format, writtenAt: this.writtenAt, bytes: this.#base, offsets: this.#baseOffsets, isAscii: this.#isAscii };
  }

  pathAt(at: number): RepoPath {
    const row = this.#row(at);
    return row < this.#baseOffsets.length ? this.#basePath(row) : this.#extra[row - this.#baseOffsets.length]!.path;
  }

  stageAt(at: number): number {
    const row = this.#row(at);
    return row < this.#baseOffsets.length ? this.#baseStage(row) : this.#extra[row - this.#baseOffsets.length]!.stage;
  }

  modeAt(at: number): number {
    const row = this.#row(at);
    return row < this.#baseOffsets.length
      ? this.#base.readUInt32BE(this.#baseOffsets[row]! + modeOffset)
      : this.#extra[row - this.#baseOffsets.length]!.mode;
  }

  idAt(at: number): ObjectId {
    const row = this.#row(at);
    return row < this.#baseOffsets.length
      ? decodeObjectId(this.#base, this.#baseOffsets[row]! + statSize, this.format)
      : this.#extra[row - this.#baseOffsets.length]!.id;
  }

  entryAt(at: number): IndexEntry {
    const row = this.#row(at);
    return row < this.#baseOffsets.length ? this.#baseEntry(row) : this.#extra[row - this.#baseOffsets.length]!;
  }

  /** Positions of merged files as they were read whose files had changed when the index was written, or later. */
  listRacy(): number[] {
    const { seconds } = this.writtenAt;
    const found: number[] = [];
    if (seconds === 0) return found;
    const base = this.#baseOffsets.length;
    for (let at = 0; at < this.count; at += 1) {
      const row = this.#row(at);
      if (row >= base) continue;
      const offset = this.#baseOffsets[row]!;
      if (this.#base.readUInt32BE(offset + 8) < seconds) continue;
      if (this.#baseStage(row) === 0 && this.modeAt(at) !== 0o160000 && isRacy(this.#baseStat(row), this.writtenAt)) found.push(at);
    }
    return found;
  }

  /** True when nothing can be wrong with the entry but its stat: stage 0 and no flag set. A shortcut for scans. */
  isPlainAt(at: number): boolean {
    const row = this.#row(at);
    if (row < this.#baseOffsets.length) {
      return (this.#base.readUInt16BE(this.#baseOffsets[row]! + statSize + rawSize(this.format)) & 0xf000) === 0;
    }
    const entry = this.#extra[row - this.#baseOffsets.length]!;
    return entry.stage === 0 && !entry.assumeValid && !entry.skipWorktree && !entry.intentToAdd;
  }

  /** What an entry is compared by, for comparing many with their files: nothing is made, and the value is only good until the next call. */
  comparableAt(at: number): Comparable {
    const row = this.#row(at);
    if (row >= this.#baseOffsets.length) return this.#extra[row - this.#baseOffsets.length]!;
    this.#view ??= new IndexRow(this.#base, this.format);
    this.#view.offset = this.#baseOffsets[row]!;
    return this.#view;
  }

  statAt(at: number): StatData {
    const row = this.#row(at);
    return row < this.#baseOffsets.length ? this.#baseStat(row) : this.#extra[row - this.#baseOffsets.length]!.stat;
  }

  /** The entry of a path; of stage 0 unless another is named. */
  find(path: string, stage = 0): IndexEntry | undefined {
    const edited = this.#pending.get(editKey(path, stage));
    if (edited !== undefined) return edited ?? undefined;
    const at = this.#searchMerged(path, stage);
    return at >= 0 ? this.#entryOfRow(this.#order?.[at] ?? at) : undefined;
  }

  /** True when the path is there at any stage. */
  has(path: string): boolean {
    const at = this.position(path);
    return at >= 0 || (~at < this.count && this.pathAt(~at) === path);
  }

  /** Where the entry is; when it is not there, the complement (~) of where it would be. */
  position(path: string, stage = 0): number {
    this.#merge();
    return this.#searchMerged(path, stage);
  }

  /** The positions [from, to) of all entries below a directory named with its trailing slash; everything for ''. */
  rangeOf(directory: string): { readonly from: number; readonly to: number } {
    if (directory === '') return { from: 0, to: this.count };
    const found = this.position(directory);
    const from = found < 0 ? ~found : found;
    return { from, to: this.endOfDirectory(directory, from, this.count) };
  }

  /** The first position in [from, to) that is not below `directory` (with trailing slash), when `from` is the first that is. */
  endOfDirectory(directory: string, from: number, to: number): number {
    let low = from;
    let step = 1;
    while (low < to && this.pathAt(low).startsWith(directory)) {
      const next = low + step;
      if (next < to && this.pathAt(next).startsWith(directory)) {
        low = next;
        step *= 2;
      } else {
        // The end is in (low, min(next, to)].
        let high = Math.min(next, to);
        while (high - low > 1) {
          const middle = (low + high) >> 1;
          if (this.pathAt(middle).startsWith(directory)) low = middle;
          else high = middle;
        }
        return high;
      }
    }
    return low;
  }

  /** True when a directory (named without trailing slash) has entries. */
  hasDirectory(directory: string): boolean {
    const { from, to } = this.rangeOf(directory + '/');
    return from < to;
  }

  /** The position of the first unmerged entry; -1 when all are merged. */
  firstUnmerged(): number {
    const count = this.count;
    for (let at = 0; at < count; at += 1) if (this.stageAt(at) !== 0) return at;
    return -1;
  }

  /** The first unmerged path. */
  findUnmerged(): RepoPath | undefined {
    const at = this.firstUnmerged();
    return at < 0 ? undefined : this.pathAt(at);
  }

  get isUnmerged(): boolean {
    return this.firstUnmerged() >= 0;
  }

  /** The paths in whose place `path` would be a file where they have a directory, or the other way round. */
  listConflicts(path: string, stage = 0): RepoPath[] {
    const found: RepoPath[] = [];
    for (let slash = path.lastIndexOf('/'); slash > 0; slash = path.lastIndexOf('/', slash - 1)) {
      const parent = this.find(path.slice(0, slash), stage);
      if (parent !== undefined) found.push(parent.path);
    }
    const { from, to } = this.rangeOf(path + '/');
    for (let at = from; at < to; at += 1) if (this.stageAt(at) === stage) found.push(this.pathAt(at));
    return found;
  }

  /** Puts an entry in: replaces the one of the same path and stage; a new one of stage 0 all its other stages; files where it needs directories, and back. `from` a tree: who writes the index sees to it that that tree is stored. */
  set(entry: IndexEntry, from?: 'tree'): void {
    const { path, stage } = entry;
    const key = editKey(path, stage);
    const edited = this.#pending.get(key);
    const former = edited === undefined ? this.find(path, stage) : edited ?? undefined;
    const sameTree = former !== undefined && former.id === entry.id && former.mode === entry.mode && former.intentToAdd === entry.intentToAdd;
    if (!sameTree) this.cacheTree?.invalidate(path);
    if (stage !== 0) this.#mayHaveStages = true;
    else if (this.#mayHaveStages && former === undefined) for (const other of [1, 2, 3]) this.#removeOne(path, other);
    if (former === undefined) this.#removeConflicts(path, stage);
    this.#pending.set(key, entry);
    if (from === undefined && former?.id !== entry.id && !entry.intentToAdd && entry.mode !== 0o160000) this.#named.add(entry.id);
    this.#touch();
  }

  /** Objects, but for those from trees, that entries name by now and did not when the index was read, or that were taken out again. */
  get named(): ReadonlySet<ObjectId> { return this.#named; }

  /** Changes nothing but the stat and flags of an entry that is there. */
  refresh(entry: IndexEntry): void {
    this.#pending.set(editKey(entry.path, entry.stage), entry);
    this.#touch();
  }

  /** Takes out one stage of a path, or all; false when it was not there. */
  remove(path: string, stage?: number): boolean {
    let removed = false;
    for (const each of stage === undefined ? [0, 1, 2, 3] : [stage]) removed = this.#removeOne(path, each) || removed;
    if (removed) this.cacheTree?.invalidate(path);
    return removed;
  }

  /** Takes out everything below a directory (named without trailing slash); returns how many entries that were. */
  removeDirectory(directory: string): number {
    const keys = this.#listKeys(directory === '' ? '' : directory + '/');
    for (const { path, stage } of keys) {
      if (stage !== 0) this.#rememberStage(path, stage);
      this.cacheTree?.invalidate(path);
      this.#pending.set(editKey(path, stage), null);
    }
    if (keys.length > 0) this.#touch();
    return keys.length;
  }

  /** Takes out everything. */
  clear(): void {
    this.removeDirectory('');
    this.#merge();
    this.#cacheTree = undefined;
    this.#cacheTreeBytes = undefined;
    this.#directories.clear();
    this.forgetResolved();
  }

  /** What the stages of resolved paths were. */
  get resolved(): ResolveUndo {
    if (this.#resolvedBytes !== undefined) {
      this.#resolved = decodeResolveUndo(this.#resolvedBytes, this.format);
      this.#resolvedBytes = undefined;
    }
    return this.#resolved ??= new Map();
  }

  /** No resolution can be taken back any more: the index is about something new. */
  forgetResolved(): void {
    if (this.#resolvedBytes === undefined && (this.#resolved?.size ?? 0) === 0) return;
    this.#resolvedBytes = undefined;
    this.#resolved = undefined;
    this.#changed = true;
  }

  /** Puts the stages a path had before it was resolved back in its place; false when they are not known. */
  unresolve(path: RepoPath): boolean {
    const stages = this.resolved.get(path);
    if (stages === undefined) return false;
    this.remove(path);
    for (const [at, stage] of stages.entries()) {
      if (stage === undefined) continue;
      this.set({ path, ...stage, stage: (at + 1) as IndexEntry['stage'], stat: noStat, assumeValid: false, skipWorktree: false, intentToAdd: false });
    }
    this.resolved.delete(path);
    this.#touch();
    return true;
  }

  /** A stage is about to go: what it was stays known, in case its path was resolved by mistake. */
  #rememberStage(path: string, stage: number): void {
    const entry = this.find(path, stage);
    if (entry === undefined) return;
    const stages = [...this.resolved.get(entry.path) ?? [undefined, undefined, undefined]];
    stages[stage - 1] = { mode: entry.mode, id: entry.id };
    this.resolved.set(entry.path, stages);
  }

  /** The trees known for its directories; undefined when none is remembered. */
  get cacheTree(): CacheTree | undefined {
    if (this.#cacheTreeBytes !== undefined) {
      this.#cacheTree = decodeCacheTree(this.#cacheTreeBytes, this.format);
      this.#cacheTreeBytes = undefined;
    }
    return this.#cacheTree;
  }

  /** Remembers the trees just computed; they are written with the index. */
  keepCacheTree(root: CacheTree): void {
    this.#cacheTreeBytes = undefined;
    this.#cacheTree = root;
  }

  /** The file's bytes: in `version`, or the version it had (3 instead of 2 when a flag needs it, 2 instead of 3 when none does). */
  encode(version?: IndexVersion): Buffer {
    this.#merge();
    const count = this.count;
    let extended = false;
    for (let at = 0; at < count && !extended; at += 1) extended = this.#isExtended(at);
    const wanted = version ?? this.version;
    const actual = wanted === 4 ? 4 : extended ? 3 : 2;
    const header = Buffer.alloc(12);
    header.write('DIRC', 'latin1');
    header.writeUInt32BE(actual, 4);
    header.writeUInt32BE(count, 8);
    const parts = [header, actual === 4 ? this.#encodeCompressed(count) : this.#encodePadded(count)];
    const cacheTree = this.cacheTree;
    if (cacheTree !== undefined && (cacheTree.isValid || cacheTree.children.size > 0)) {
      parts.push(...extension('TREE', encodeCacheTree(cacheTree)));
    }
    const resolved = this.#resolvedBytes ?? (this.#resolved === undefined || this.#resolved.size === 0 ? undefined : encodeResolveUndo(this.#resolved));
    if (resolved !== undefined) parts.push(...extension('REUC', resolved));
    const body = Buffer.concat(parts);
    return Buffer.concat([body, digest(body, this.format)]);
  }

  // ---- rows

  #row(at: number): number {
    if (this.#pending.size > 0) this.#merge();
    return this.#order === undefined ? at : this.#order[at]!;
  }

  #entryOfRow(row: number): IndexEntry {
    return row < this.#baseOffsets.length ? this.#baseEntry(row) : this.#extra[row - this.#baseOffsets.length]!;
  }

  #basePath(row: number): RepoPath {
    const offset = this.#baseOffsets[row]! + statSize + rawSize(this.format);
    const flags = this.#base.readUInt16BE(offset);
    const start = offset + (flags & extendedBit ? 4 : 2);
    const length = flags & 0xfff;
    const end = length < 0xfff ? start + length : this.#base.indexOf(0, start);
    if (start < this.#pageFrom || end > this.#pageFrom + this.#page.length) {
      // Only for the next in turn are those behind it worth decoding.
      const isInTurn = row === this.#nextRow;
      this.#nextRow = row + 1;
      if (!isInTurn) return this.#base.toString('latin1', start, end) as RepoPath;
      this.#page = this.#base.toString('latin1', start, Math.max(end, start + pageBytes));
      this.#pageFrom = start;
    }
    this.#nextRow = row + 1;
    return this.#page.slice(start - this.#pageFrom, end - this.#pageFrom) as RepoPath;
  }

  #baseStage(row: number): number {
    return (this.#base[this.#baseOffsets[row]! + statSize + rawSize(this.format)]! >> 4) & 3;
  }

  #baseStat(row: number): StatData {
    return decodeStat(this.#base, this.#baseOffsets[row]!);
  }

  #baseEntry(row: number): IndexEntry {
    const at = this.#baseOffsets[row]!;
    const flagsAt = at + statSize + rawSize(this.format);
    const flags = this.#base.readUInt16BE(flagsAt);
    const more = flags & extendedBit ? this.#base.readUInt16BE(flagsAt + 2) : 0;
    return {
      path: this.#basePath(row),
      id: decodeObjectId(this.#base, at + statSize, this.format),
      mode: this.#base.readUInt32BE(at + modeOffset),
      stage: ((flags >> 12) & 3) as IndexEntry['stage'],
      stat: this.#baseStat(row),
      assumeValid: (flags & assumeValidBit) !== 0,
      skipWorktree: (more & skipWorktreeBit) !== 0,
      intentToAdd: (more & intentToAddBit) !== 0,
    };
  }

  // ---- order and edits

  /** Position among the merged rows, edits not regarded. */
  #searchMerged(path: string, stage: number): number {
    const order = this.#order;
    const base = this.#baseOffsets.length;
    let low = 0;
    let high = order?.length ?? base;
    while (low < high) {
      const middle = (low + high) >> 1;
      const row = order === undefined ? middle : order[middle]!;
      const name = row < base ? this.#basePath(row) : this.#extra[row - base]!.path;
      if (name < path) low = middle + 1;
      else if (name > path) high = middle;
      else {
        const difference = (row < base ? this.#baseStage(row) : this.#extra[row - base]!.stage) - stage;
        if (difference === 0) return middle;
        if (difference < 0) low = middle + 1;
        else high = middle;
      }
    }
    return ~low;
  }

  #merge(): void {
    if (this.#pending.size === 0) return;
    const edits = [...this.#pending].sort(([one], [two]) => (one < two ? -1 : 1));
    const former = this.#order;
    const formerCount = former?.length ?? this.#baseOffsets.length;
    const merged = new Int32Array(formerCount + edits.length);
    let from = 0;
    let to = 0;
    const copyUntil = (end: number): void => {
      if (former !== undefined) merged.set(former.subarray(from, end), to);
      else for (let row = from; row < end; row += 1) merged[to + row - from] = row;
      to += end - from;
      from = end;
    };
    for (const [key, entry] of edits) {
      const found = this.#searchMerged(key.slice(0, -2), key.charCodeAt(key.length - 1) - 0x30);
      copyUntil(found < 0 ? ~found : found);
      if (found >= 0) from += 1;
      if (entry !== null) {
        merged[to] = this.#baseOffsets.length + this.#extra.length;
        this.#extra.push(entry);
        to += 1;
      }
    }
    copyUntil(formerCount);
    this.#order = merged.slice(0, to);
    this.#pending.clear();
  }

  #removeOne(path: string, stage: number): boolean {
    const key = editKey(path, stage);
    const edited = this.#pending.get(key);
    if (edited === null || (edited === undefined && this.#searchMerged(path, stage) < 0)) return false;
    if (stage !== 0) this.#rememberStage(path, stage);
    this.#pending.set(key, null);
    this.#touch();
    return true;
  }

  #removeConflicts(path: string, stage: number): void {
    for (let slash = path.lastIndexOf('/'); slash > 0; slash = path.lastIndexOf('/', slash - 1)) {
      const parent = path.slice(0, slash);
      if (this.#directories.has(parent)) break;
      if (this.#removeOne(parent, stage)) this.cacheTree?.invalidate(parent);
      this.#directories.add(parent);
    }
    const below = path + '/';
    if (this.#directories.delete(path)) {
      for (const directory of this.#directories) if (directory.startsWith(below)) this.#directories.delete(directory);
    } else {
      const at = this.#searchMerged(below, 0);
      const row = at < 0 ? ~at : at;
      const merged = this.#order?.length ?? this.#baseOffsets.length;
      if (row >= merged || !this.#entryOfRow(this.#order?.[row] ?? row).path.startsWith(below)) return;
    }
    for (const key of this.#listKeys(below)) if (key.stage === stage) this.#pending.set(editKey(key.path, stage), null);
  }

  /** Path and stage of everything below a directory, before any of it is edited. */
  #listKeys(directory: string): { path: RepoPath; stage: number }[] {
    const { from, to } = this.rangeOf(directory);
    const keys: { path: RepoPath; stage: number }[] = [];
    for (let at = from; at < to; at += 1) keys.push({ path: this.pathAt(at), stage: this.stageAt(at) });
    return keys;
  }

  #touch(): void {
    this.#changed = true;
    this.#entries = undefined;
  }

  // ---- encoding

  #isExtended(at: number): boolean {
    const row = this.#row(at);
    if (row >= this.#baseOffsets.length) {
      const entry = this.#extra[row - this.#baseOffsets.length]!;
      return entry.skipWorktree || entry.intentToAdd;
    }
    return (this.#base[this.#baseOffsets[row]! + statSize + rawSize(this.format)]! & 0x40) !== 0;
  }

  /** Entries of versions 2 and 3; those of the file that was read are copied as they are. */
  #encodePadded(count: number): Buffer {
    const idSize = rawSize(this.format);
    const base = this.#baseOffsets.length;
    let total = 0;
    for (let at = 0; at < count; at += 1) total += this.#paddedSize(this.#row(at), idSize);
    const bytes = Buffer.alloc(total);
    let to = 0;
    for (let at = 0; at < count; at += 1) {
      const row = this.#row(at);
      const size = this.#paddedSize(row, idSize);
      if (row < base) this.#base.copy(bytes, to, this.#baseOffsets[row]!, this.#baseOffsets[row]! + size);
      else encodeEntryHead(bytes, to, this.#extra[row - base]!, idSize, true);
      to += size;
    }
    return bytes;
  }

  #paddedSize(row: number, idSize: number): number {
    const base = this.#baseOffsets.length;
    if (row >= base) {
      const entry = this.#extra[row - base]!;
      return paddedSize(idSize, entry.skipWorktree || entry.intentToAdd, entry.path.length);
    }
    const flagsAt = this.#baseOffsets[row]! + statSize + idSize;
    const flags = this.#base.readUInt16BE(flagsAt);
    const length = (flags & 0xfff) < 0xfff ? flags & 0xfff : this.#basePath(row).length;
    return paddedSize(idSize, (flags & extendedBit) !== 0, length);
  }

  /** Entries of version 4: each name as what to cut from the name before it, and what to add. */
  #encodeCompressed(count: number): Buffer {
    const idSize = rawSize(this.format);
    const parts: Buffer[] = [];
    let former = '';
    for (let at = 0; at < count; at += 1) {
      const entry = this.entryAt(at);
      const head = Buffer.alloc(statSize + idSize + (entry.skipWorktree || entry.intentToAdd ? 4 : 2));
      encodeEntryHead(head, 0, entry, idSize, false);
      let shared = 0;
      while (shared < former.length && shared < entry.path.length && former.charCodeAt(shared) === entry.path.charCodeAt(shared)) shared += 1;
      parts.push(head, encodeOffset(former.length - shared), Buffer.from(entry.path.slice(shared) + '\0', 'latin1'));
      former = entry.path;
    }
    return Buffer.concat(parts);
  }
}

function extension(signature: string, content: Buffer): Buffer[] {
  const head = Buffer.alloc(8);
  head.write(signature, 'latin1');
  head.writeUInt32BE(content.length, 4);
  return [head, content];
}

function editKey(path: string, stage: number): string {
  return `${path}\0${stage}`;
}

function paddedSize(idSize: number, extended: boolean, nameLength: number): number {
  return (statSize + idSize + (extended ? 4 : 2) + nameLength + 8) & ~7;
}

function encodeEntryHead(bytes: Buffer, at: number, entry: IndexEntry, idSize: number, withName: boolean): void {
  const { stat } = entry;
  bytes.writeUInt32BE(stat.ctimeS, at);
  bytes.writeUInt32BE(stat.ctimeNs, at + 4);
  bytes.writeUInt32BE(stat.mtimeS, at + 8);
  bytes.writeUInt32BE(stat.mtimeNs, at + 12);
  bytes.writeUInt32BE(stat.dev, at + 16);
  bytes.writeUInt32BE(stat.ino, at + 20);
  bytes.writeUInt32BE(entry.mode, at + modeOffset);
  bytes.writeUInt32BE(stat.uid, at + 28);
  bytes.writeUInt32BE(stat.gid, at + 32);
  bytes.writeUInt32BE(stat.size, at + sizeOffset);
  encodeObjectId(entry.id).copy(bytes, at + statSize);
  const extended = entry.skipWorktree || entry.intentToAdd;
  const flagsAt = at + statSize + idSize;
  bytes.writeUInt16BE((entry.assumeValid ? assumeValidBit : 0) | (extended ? extendedBit : 0) | (entry.stage << 12)
    | Math.min(entry.path.length, 0xfff), flagsAt);
  if (extended) bytes.writeUInt16BE((entry.skipWorktree ? skipWorktreeBit : 0) | (entry.intentToAdd ? intentToAddBit : 0), flagsAt + 2);
  if (withName) bytes.write(entry.path, flagsAt + (extended ? 4 : 2), 'latin1');
}

/** Git's variable-length number, as in pack offsets: seven bits a byte, each continuation adding one. */
function encodeOffset(value: number): Buffer {
  const bytes = [value & 0x7f];
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) {
    rest -= 1;
    bytes.unshift(0x80 | (rest & 0x7f));
  }
  return Buffer.from(bytes);
}

/** The file's bytes in memory that threads can be given. */
function readShared(fd: number, sizeBytes: number): Buffer {
  const bytes = Buffer.from(new SharedArrayBuffer(sizeBytes));
  let done = 0;
  while (done < sizeBytes) {
    const got = readSync(fd, bytes, done, sizeBytes - done, done);
    if (got === 0) break;
    done += got;
  }
  return bytes.subarray(0, done);
}

/** Entries in the layout of version 3, whatever the file's version. */
interface DecodedIndex {
  readonly version: IndexVersion;
  readonly bytes: Buffer;
  readonly offsets: Uint32Array;
  readonly cacheTree: Buffer | undefined;
  readonly resolveUndo: Buffer | undefined;
  readonly isAscii: boolean;
  readonly hasStages: boolean;
}

/** Checks and indexes the bytes of an index file; `name` is for messages. */
function decodeIndex(file: Buffer, format: ObjectFormat, name: string): DecodedIndex {
  const idSize = rawSize(format);
  const end = file.length - idSize;
  const corrupt = (what: string, hint?: string): CorruptError =>
    new CorruptError(`index '${name}' is damaged: ${what}`, { code: 'bad-index', hint: hint ?? 'move it away and make a new one with: cairn read-tree HEAD' });
  if (end < 12 || file.toString('latin1', 0, 4) !== 'DIRC') throw corrupt('it does not begin with DIRC');
  if (file.length >= 2 ** 31) throw corrupt('it is larger than 2 GiB');
  const version = file.readUInt32BE(4);
  if (version !== 2 && version !== 3 && version !== 4) throw corrupt(`version ${version} is not known`);
  if (!digest(file.subarray(0, end), format).equals(file.subarray(end))) {
    throw corrupt('its checksum does not match', file.subarray(end).every((byte) => byte === 0)
      ? 'it was written with index.skipHash; write it again with: git -c index.skipHash=false update-index --force-write-index' : undefined);
  }
  const count = file.readUInt32BE(8);
  const leastSize = statSize + idSize + 2 + (version === 4 ? 2 : 0);
  if (count > (end - 12) / leastSize) throw corrupt('it has fewer entries than it says');
  const body = version === 4 ? expandEntries(file, end, count, idSize, corrupt) : { bytes: file, at: 12, limit: end, next: 0 };
  const offsets = new Uint32Array(count);
  const { end: after, isAscii, hasStages } = listOffsets(body.bytes, body.at, body.limit, offsets, idSize, version, corrupt);
  const extensions = decodeExtensions(file, version === 4 ? body.next : after, end, name, corrupt);
  return { version, bytes: body.bytes, offsets, ...extensions, isAscii, hasStages };
}

/** No longer path can be opened at once (PATH_MAX), and none that short nests deeper; deeper ones would only overflow the stack. */
const longestPlainName = 4096;
const deepestPath = longestPlainName / 2;

function countSlashes(bytes: Buffer, from: number, to: number): number {
  let count = 0;
  for (let at = from; at < to; at += 1) if (bytes[at] === 0x2f) count += 1;
  return count;
}

// Loops this short are compiled long before the function that needs them is.

function countSame(bytes: Buffer, one: number, other: number, most: number): number {
  let same = 0;
  while (same < most && bytes[one + same] === bytes[other + same]) same += 1;
  return same;
}

/** All bytes or'ed together; -1 when one of them is NUL. */
function collectBits(bytes: Buffer, from: number, to: number): number {
  let bits = 0;
  for (let at = from; at < to; at += 1) {
    const byte = bytes[at]!;
    if (byte === 0) return -1;
    bits |= byte;
  }
  return bits;
}

/** Fills `offsets`, checking every entry and that they ascend; tells where the entries end. */
function listOffsets(
  bytes: Buffer, start: number, limit: number, offsets: Uint32Array, idSize: number, version: number, corrupt: (what: string) => CorruptError,
): { end: number } & Pick<DecodedIndex, 'isAscii' | 'hasStages'> {
  const head = statSize + idSize + 2;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = start;
  let anyByte = 0;
  let anyStage = 0;
  let formerStart = 0;
  let formerEnd = 0;
  let formerStage = 0;
  for (let row = 0; row < offsets.length; row += 1) {
    if (at + head >= limit) throw corrupt('an entry is cut short');
    offsets[row] = at;
    const flags = view.getUint16(at + head - 2);
    const extended = (flags & extendedBit) !== 0;
    if (extended && (version === 2 || at + head + 2 >= limit || (bytes[at + head]! & 0x80) !== 0)) throw corrupt('an entry has unknown flags');
    const mode = view.getUint32(at + modeOffset);
    if (mode !== 0o100644 && mode !== 0o100755 && mode !== 0o120000 && mode !== 0o160000) {
      if (mode >>> 12 !== 0o10 || (mode & ~0o170777) !== 0) throw corrupt(`an entry has the mode ${mode.toString(8)}`);
    }
    const nameStart = at + head + (extended ? 2 : 0);
    const said = flags & 0xfff;
    const nameEnd = said < 0xfff ? nameStart + said : bytes.indexOf(0, nameStart);
    if (nameEnd < 0 || nameEnd >= limit || nameEnd === nameStart || bytes[nameEnd] !== 0 || bytes[nameStart] === 0x2f) {
      throw corrupt('an entry has no proper name');
    }
    if (said === 0xfff && nameEnd - nameStart < 0xfff) throw corrupt('an entry has no proper name');
    const stage = (flags >> 12) & 3;
    const same = countSame(bytes, formerStart, nameStart, Math.min(formerEnd - formerStart, nameEnd - nameStart));
    // The former name ends in NUL, which is less than any byte of a name.
    const former = same < formerEnd - formerStart ? bytes[formerStart + same]! : 0;
    const present = same < nameEnd - nameStart ? bytes[nameStart + same]! : 0;
    if (row > 0 && (former > present || (former === present && formerStage >= stage))) {
      throw corrupt('its entries are not in order');
    }
    // What is the same as in the name before was looked at there.
    const bits = collectBits(bytes, nameStart + same, nameEnd);
    if (bits < 0) throw corrupt('an entry has no proper name');
    anyByte |= bits;
    if (nameEnd - nameStart > longestPlainName && countSlashes(bytes, nameStart, nameEnd) > deepestPath) {
      throw corrupt('a name nests directories too deeply');
    }
    formerStart = nameStart;
    formerEnd = nameEnd;
    formerStage = stage;
    anyStage |= stage;
    at = at + ((nameEnd - at + 8) & ~7);
    if (at > limit) throw corrupt('an entry is cut short');
  }
  return { end: at, isAscii: anyByte < 0x80, hasStages: anyStage !== 0 };
}

/** Version 4's entries in the layout of version 3. Names may not take more than sixteen times the file's size; no honest index comes near. */
function expandEntries(
  file: Buffer, end: number, count: number, idSize: number, corrupt: (what: string) => CorruptError,
): { bytes: Buffer; at: number; limit: number; next: number } {
  const budget = Math.max(64 * 1024 * 1024, file.length * 16);
  let bytes = Buffer.alloc(file.length + count * 32);
  let to = 0;
  let at = 12;
  let former = Buffer.alloc(0);
  for (let row = 0; row < count; row += 1) {
    const extended = at + statSize + idSize + 4 <= end && (file[at + statSize + idSize]! & 0x40) !== 0;
    const head = statSize + idSize + (extended ? 4 : 2);
    let cursor = at + head;
    let cut = 0;
    for (let more = true; more; cursor += 1) {
      if (cursor >= end || cut > 0xffffff) throw corrupt('an entry is cut short');
      const byte = file[cursor]!;
      cut = cursor === at + head ? byte & 0x7f : ((cut + 1) << 7) | (byte & 0x7f);
      more = (byte & 0x80) !== 0;
    }
    const nul = file.indexOf(0, cursor);
    if (nul < 0 || nul >= end || cut > former.length) throw corrupt('an entry has no proper name');
    const name = Buffer.concat([former.subarray(0, former.length - cut), file.subarray(cursor, nul)]);
    const size = paddedSize(idSize, extended, name.length);
    if (to + size > budget) throw corrupt('its names are too long');
    if (to + size > bytes.length) bytes = Buffer.concat([bytes], Math.max(bytes.length * 2, to + size));
    file.copy(bytes, to, at, at + head);
    const flags = bytes.readUInt16BE(to + statSize + idSize);
    bytes.writeUInt16BE((flags & 0xf000) | Math.min(name.length, 0xfff), to + statSize + idSize);
    name.copy(bytes, to + head);
    to += size;
    at = nul + 1;
    former = name;
  }
  return { bytes, at: 0, limit: to + 1, next: at };
}

/** Finds cache-tree and resolve-undo among the extensions; refuses those that must be understood. */
function decodeExtensions(
  file: Buffer, start: number, end: number, name: string, corrupt: (what: string) => CorruptError,
): Pick<DecodedIndex, 'cacheTree' | 'resolveUndo'> {
  let cacheTree: Buffer | undefined;
  let resolveUndo: Buffer | undefined;
  let at = start;
  while (at < end) {
    if (at + 8 > end) throw corrupt('an extension is cut short');
    const signature = file.toString('latin1', at, at + 4);
    const size = file.readUInt32BE(at + 4);
    if (size > end - at - 8) throw corrupt('an extension is cut short');
    const content = file.subarray(at + 8, at + 8 + size);
    if (signature === 'TREE') cacheTree = content.length > 0 ? content : undefined;
    else if (signature === 'REUC') resolveUndo = content;
    else if (!/^[A-Z]/.test(signature)) {
      const known = signature === 'link' ? ' (a split index)' : signature === 'sdir' ? ' (a sparse index)' : '';
      throw new CorruptError(`index '${name}' needs the extension '${signature.replace(/[^ -~]/g, '?')}'${known}, which is not supported`, {
        code: 'unknown-index-extension',
        hint: known === '' ? 'write it again without that extension'
          : 'write it again with: git -c core.splitIndex=false -c index.sparse=false update-index --force-write-index',
      });
    }
    at += 8 + size;
  }
  return { cacheTree, resolveUndo };
}

/** The repository's index; empty when there is none yet. */
export function readIndex(repository: Repository): Index {
  return Index.read(repository.indexPath, repository.format);
}
