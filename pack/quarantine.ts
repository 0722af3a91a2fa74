// Batches of objects that were taken out of the store and may come back: <gitdir>/cairn/quarantine/<time>-<random>/, laid out as an
// objects directory, with a record beside (cairn-safety(7), "Quarantine").
//
// Invariant: a file has a durable name in its batch before it loses the one in the store, and one in the store before it loses that in
// the batch. So after a power cut it is in one of the two, or both; an open batch is then put back (plumbing/refs/sweep-flag.ts).
import * as fs from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { disk, makeDirectories, removeIfPresent, replaceFile, temporaryName } from './disk.js';
import { isSystemError } from './errors.js';
import { findFile, listDirectory } from './file-lookup.js';

/** What is known of a batch. */
export interface BatchRecord {
  /** 'open': it is being filled, or put back; what is in it belongs into the store. */
  readonly state: 'open' | 'complete';
  /** When it was made, or completed; milliseconds since 1970. */
  readonly atMs: number;
  readonly pid: number;
  readonly objects: number;
  readonly bytes: number;
}

const recordVersion = 1;
const batchName = /^[0-9]{8}T[0-9]{9}Z-[0-9a-f]+$/;
/** Private names in the drawer: batches that are being removed. */
const goneName = /^tmp_batch_/;
/** Old packs of which every object was written elsewhere; they go when the batch is complete. */
const superseded = 'superseded';

/** A file and its second name in the batch. */
export interface Held {
  readonly path: string;
  readonly held: string;
}

/** One sweep's catch. */
export class Batch {
  readonly directory: string;
  #record: BatchRecord;
  /** Directories with names that are not durable yet. */
  readonly #unsettled = new Set<string>();

  private constructor(directory: string, record: BatchRecord) {
    this.directory = directory;
    this.#record = record;
  }

  /** A new, open batch, its record durable. */
  static create(drawer: string, atMs: number, pid: number): Batch {
    makeDirectories(drawer);
    const random = basename(temporaryName(drawer, '')).slice(0, 8);
    const directory = join(drawer, `${new Date(atMs).toISOString().replace(/[-:.]/g, '')}-${random}`);
    makeDirectories(directory);
    const batch = new Batch(directory, { state: 'open', atMs, pid, objects: 0, bytes: 0 });
    batch.#write(batch.#record);
    return batch;
  }

  /** All batches, the oldest first. One without a readable record counts as open: what is in it goes back. */
  static list(drawer: string): Batch[] {
    return listDirectory(drawer).filter((name) => batchName.test(name)).sort().map((name) => {
      const directory = join(drawer, name);
      return new Batch(directory, findRecord(join(directory, 'record')) ?? { state: 'open', atMs: 0, pid: 0, objects: 0, bytes: 0 });
    });
  }

  get name(): string { return basename(this.directory); }
  get record(): BatchRecord { return this.#record; }
  /** False when what the record says cannot be read. */
  get hasRecord(): boolean { return findRecord(join(this.directory, 'record')) !== undefined; }

  /** Where packs of the batch are put, made when missing. */
  packDirectory(): string {
    const path = join(this.directory, 'pack');
    makeDirectories(path);
    return path;
  }

  /** Gives a loose file (…/xx/yyyy) a second name here; undefined when it is gone. `settle` makes such names durable. */
  holdLoose(path: string): Held | undefined {
    return this.#hold(path, join(this.directory, basename(dirname(path)), basename(path)));
  }

  /** The same for all files of a pack, the .pack first. `isCopied`: what matters in it is packed anew in the batch. */
  holdPack(path: string, isCopied: boolean): Held[] {
    const stem = path.slice(0, -'.pack'.length);
    const directory = join(this.directory, isCopied ? superseded : 'pack');
    return packSuffixes.flatMap((suffix) => this.#hold(stem + suffix, join(directory, basename(stem) + suffix)) ?? []);
  }

  #hold(path: string, held: string): Held | undefined {
    if (!this.#unsettled.has(dirname(held))) {
      makeDirectories(dirname(held));
      this.#unsettled.add(dirname(held));
    }
    return duplicate(path, held) === 'missing' ? undefined : { path, held };
  }

  settle(): void {
    for (const directory of this.#unsettled) disk().fsyncDirectory(directory);
    this.#unsettled.clear();
  }

  complete(atMs: number, objects: number, bytes: number): void {
    this.#write({ ...this.#record, state: 'complete', atMs, objects, bytes });
  }

  /** Removes the packs that were held whole, for all that is in them is in others; of a complete batch. */
  dropSuperseded(): void {
    removeTreeIfPresent(join(this.directory, superseded));
  }

  #write(record: BatchRecord): void {
    replaceFile(join(this.directory, 'record'), `${JSON.stringify({ version: recordVersion, ...record })}\n`);
    this.#record = record;
  }

  /**
   * Puts everything back into the store, and removes the batch. The names are durable before. `renew`: from now on it is all young. Whoever
   * calls keeps others from naming objects meanwhile, for children may come after parents; interrupted, it is begun again.
   */
  restore(objectsDirectory: string, options: { readonly renew: boolean; readonly nowMs: number }): void {
    const { renew, nowMs } = options;
    if (this.#record.state === 'complete') this.#write({ ...this.#record, state: 'open' });
    const touched = new Set<string>();
    const putBack = (held: string, path: string): boolean => {
      makeDirectories(dirname(path));
      touched.add(dirname(path));
      return duplicate(held, path) === 'done';
    };
    const restorePacks = (directory: string, isYoung: boolean): void => {
      const names = new Set(listDirectory(directory));
      for (const index of [...names].filter((name) => /^pack-[0-9a-f]+\.idx$/.test(name)).sort()) {
        const stem = index.slice(0, -'.idx'.length);
        if (!names.has(`${stem}.pack`)) continue;
        for (const suffix of packSuffixes) {
          if (!names.has(stem + suffix) || (isYoung && suffix === '.mtimes')) continue;
          const path = join(objectsDirectory, 'pack', stem + suffix);
          if (putBack(join(directory, stem + suffix), path) && isYoung) disk().utimes(path, nowMs, nowMs);
        }
      }
    };
    // Before it was complete, the pack in the batch is a second copy of what superseded packs hold; afterwards there are none of these.
    const packs = join(this.directory, superseded);
    restorePacks(packs, false);
    if (renew || !fs.existsSync(packs)) restorePacks(join(this.directory, 'pack'), renew);
    for (const fanOut of listDirectory(this.directory)) {
      if (!/^[0-9a-f]{2}$/.test(fanOut)) continue;
      for (const name of listDirectory(join(this.directory, fanOut)).sort()) {
        const path = join(objectsDirectory, fanOut, name);
        putBack(join(this.directory, fanOut, name), path);
        if (renew) disk().utimes(path, nowMs, nowMs);
      }
    }
    for (const directory of touched) disk().fsyncDirectory(directory);
    this.remove();
  }

  /** Gone for good; file by file, after nobody finds it any more. */
  remove(): void {
    disk().removeTree(this.unname());
  }

  /** Takes it from everybody's sight at once; `removeGoneBatches` removes the files. Gives its private name. */
  unname(): string {
    const gone = temporaryName(dirname(this.directory), 'tmp_batch_');
    disk().rename(this.directory, gone);
    return gone;
  }
}

/** Gives a file that was held its first name back; durable with the next fsync of its directory. */
export function giveBack({ path, held }: Held): void {
  makeDirectories(dirname(path));
  duplicate(held, path);
}

/** Takes away what crashes left of batches on their way out. */
export function removeGoneBatches(drawer: string): void {
  for (const name of listDirectory(drawer)) if (goneName.test(name)) removeTreeIfPresent(join(drawer, name));
}

/** Directories in which objects may be found, none when nothing is in quarantine. */
export function listQuarantined(drawer: string): string[] {
  return listDirectory(drawer).filter((name) => batchName.test(name)).sort().map((name) => join(drawer, name));
}

/** In the order in which a pack is put in place: who sees the index finds the rest. */
const packSuffixes = ['.pack', '.rev', '.bitmap', '.mtimes', '.promisor', '.idx'] as const;

/** A second name for a file, or where the system gives none, a copy as old. 'there': something has that name already. */
function duplicate(from: string, to: string): 'done' | 'there' | 'missing' {
  try {
    disk().link(from, to);
    return 'done';
  } catch (error) {
    if (isSystemError(error, 'EEXIST')) return 'there';
    if (isSystemError(error, 'ENOENT')) return 'missing';
    if (!isSystemError(error, 'EXDEV', 'EPERM', 'EACCES', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK', 'ENOSYS')) throw error;
  }
  const status = fs.statSync(from, { throwIfNoEntry: false });
  if (status === undefined) return 'missing';
  const copy = temporaryName(dirname(to));
  disk().cloneFile(from, copy);
  try {
    disk().chmod(copy, 0o644);
    const fd = disk().open(copy, 'r+', 0o644);
    try {
      disk().fsync(fd);
    } finally {
      disk().close(fd);
    }
    disk().utimes(copy, status.atimeMs, status.mtimeMs);
    disk().chmod(copy, 0o444);
    if (fs.existsSync(to)) return 'there';
    disk().rename(copy, to);
    return 'done';
  } finally {
    removeIfPresent(copy);
  }
}

function removeTreeIfPresent(path: string): void {
  if (fs.existsSync(path)) disk().removeTree(path);
}

function findRecord(path: string): BatchRecord | undefined {
  const text = findFile(path)?.toString();
  if (text === undefined) return undefined;
  try {
    const value = JSON.parse(text) as Partial<Record<keyof BatchRecord | 'version', unknown>> | null;
    if (typeof value !== 'object' || value === null || value.version !== recordVersion) return undefined;
    const { state, atMs, pid, objects, bytes } = value;
    if (state !== 'open' && state !== 'complete') return undefined;
    if (![atMs, pid, objects, bytes].every((number) => Number.isSafeInteger(number) && Math.abs(number as number) < 8e15)) return undefined;
    return { state, atMs: atMs as number, pid: pid as number, objects: objects as number, bytes: bytes as number };
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
