// Reading every copy of every object there is, loose and packed, here and in alternates, and comparing it with its id; or one part of
// them, so that a large repository is read in as many runs as one likes. Tells where each damaged copy is.
//
// Nothing is written. A file that goes away meanwhile (gc beside us) is passed over. Memory: one object, or what its deltas need.
import { existsSync, readFileSync } from 'node:fs';
import { CorruptError, RefusedError, asDamage, isSystemError } from '../../pack/errors.js';
import { findFile } from '../../pack/file-lookup.js';
import { hasStrayBits } from '../../pack/loose.js';
import type { ObjectStore } from '../../pack/object-store.js';
import { type ObjectId, type ObjectType, endsInDigest, rawSize } from '../../pack/oid.js';
import { checkPackEntries, checkPackFiles } from '../../pack/pack-check.js';
import { PackIntake } from '../../pack/pack-intake.js';
import { decodePackMtimes } from '../../pack/pack-mtimes.js';
import type { PackReader } from '../../pack/pack-reader.js';
import { encodeReverseIndex } from '../../pack/reverse-index.js';
import { type Finding, errorAt } from './finding.js';

/** The `number`-th of `of` parts of the data, counted from 1. */
export interface DataPart {
  readonly number: number;
  readonly of: number;
}

export interface CopyCount {
  objects: number;
  packs: number;
  loose: number;
  bytes: number;
}

export interface CopyCheckOptions {
  /** Which part of the data is read; undefined: indexes only. */
  readonly part: DataPart | undefined;
  readonly onFinding: (finding: Finding) => void;
  /** Told of every good object that was read. */
  readonly onObject?: (id: ObjectId, type: ObjectType) => void;
  readonly onProgress?: (objects: number) => void;
}

/** Reads the copies; returns how many there were. */
export function checkCopies(store: ObjectStore, options: CopyCheckOptions): CopyCount {
  const count: CopyCount = { objects: 0, packs: 0, loose: 0, bytes: 0 };
  const { part, onFinding } = options;
  const seen = (id: ObjectId, type: ObjectType | undefined): void => {
    options.onProgress?.(count.objects += 1);
    if (type !== undefined) options.onObject?.(id, type);
  };
  for (const { path, error } of store.listDamagedPacks()) if (existsSync(path)) onFinding(errorAt('pack', path, error.message));
  for (const pack of store.listPacks()) {
    const findings = [...checkIndexFiles(pack)];
    if (part !== undefined) findings.push(...checkPackData(pack, part, seen));
    if (!existsSync(pack.path)) continue;
    count.packs += 1;
    if (part !== undefined) count.bytes += Math.round(pack.sizeBytes / part.of);
    findings.forEach(onFinding);
    pack.close();
  }
  if (part === undefined) return count;
  const isWanted = (id: string): boolean => Number.parseInt(id.slice(0, 2), 16) % part.of === part.number - 1;
  for (const { id, path, error, object, header } of store.checkLoose(isWanted)) {
    seen(id, error === undefined ? header?.type : undefined);
    count.loose += 1;
    const bytes = object === undefined ? undefined : findFile(path);
    count.bytes += bytes?.length ?? 0;
    if (error !== undefined) onFinding(errorAt('object', path, error.message, id));
    else if (bytes !== undefined && hasStrayBits(bytes)) onFinding(errorAt('object', path, `object '${id}' is whole, but bits of its file that mean nothing were changed`, id));
  }
  return count;
}

/** The files beside a pack: they end in a checksum, and say what the pack's index says. */
function* checkIndexFiles(pack: PackReader): Generator<Finding> {
  const stem = pack.path.slice(0, -'.pack'.length);
  const complain = (suffix: string, message: string): Finding => errorAt(suffix === '.idx' ? 'pack' : 'derived', stem + suffix, message);
  try {
    const { index, format } = pack;
    if (!index.hasValidChecksum()) yield complain('.idx', 'it does not match its own checksum');
    if (pack.sizeBytes < 12 + rawSize(format)) yield errorAt('pack', pack.path, 'it is too short');
    const reverse = findFile(`${stem}.rev`);
    if (reverse !== undefined && !reverse.equals(encodeReverseIndex(index.positionsByOffset(), index.packChecksum, format))) {
      yield complain('.rev', 'it does not say what the index says');
    }
    const mtimes = findFile(`${stem}.mtimes`);
    if (mtimes !== undefined) decodePackMtimes(mtimes, index.count, index.packChecksum, format);
    const bitmap = findFile(`${stem}.bitmap`);
    if (bitmap !== undefined && !endsInDigest(bitmap, format)) yield complain('.bitmap', 'it does not match its own checksum');
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return;
    if (!(error instanceof CorruptError)) throw error;
    yield errorAt(error.code === 'bad-pack-mtimes' ? 'derived' : 'pack', error.code === 'bad-pack-mtimes' ? `${stem}.mtimes` : pack.path, error.message);
  }
}

type Seen = (id: ObjectId, type: ObjectType | undefined) => void;

/** Every byte of a pack, or the entries of one part of it. */
function* checkPackData(pack: PackReader, part: DataPart, seen: Seen): Generator<Finding> {
  try {
    if (part.of === 1 && isSound(pack, seen)) return;
    const { faults, hasEntries } = part.of === 1 ? checkPackFiles(pack) : { faults: [], hasEntries: true };
    for (const fault of faults) yield errorAt('pack', pack.path, fault.message);
    if (!hasEntries) return;
    const start = Math.floor((pack.objectCount * (part.number - 1)) / part.of);
    const end = Math.floor((pack.objectCount * part.number) / part.of);
    for (const { id, header, error } of checkPackEntries(pack, start, end)) {
      if (part.of > 1) seen(id, header?.type);
      if (error !== undefined) yield errorAt('object', pack.path, error.message, id);
    }
  } catch (error) {
    if (error instanceof CorruptError) yield errorAt('pack', pack.path, error.message);
    else if (!isSystemError(error, 'ENOENT')) throw error;
  }
}

/** Reads the pack through once and compares the index with it: quick, but says only that something is wrong. */
function isSound(pack: PackReader, seen: Seen): boolean {
  try {
    using intake = PackIntake.readFile(pack.path, pack.format, { onObject: ({ id, type }) => { seen(id, type); } });
    return intake.matches(readFileSync(pack.path.replace(/\.pack$/, '.idx')));
  } catch (error) {
    if (asDamage(error) instanceof CorruptError || error instanceof RefusedError) return false;
    throw error;
  }
}
