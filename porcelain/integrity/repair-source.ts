// Where repair takes good objects from: another repository, a bundle, our own quarantine, or a pack whose index is useless. Nothing a source
// says is believed: whoever takes an object from it hashes what was written (cairn-repair(1)).
//
// Bundles and salvaged packs are read through once and kept as a private tmp_pack_* file or where they are; nothing is left behind.
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { CairnError, CorruptError, InvalidError, NotFoundError } from '../../pack/errors.js';
import type { GitObject, ObjectStream } from '../../pack/object.js';
import { ObjectStore } from '../../pack/object-store.js';
import type { ObjectFormat, ObjectId } from '../../pack/oid.js';
import { PackIntake } from '../../pack/pack-intake.js';
import { Batch } from '../../pack/quarantine.js';
import { quarantineDirectory } from '../../plumbing/refs/sweep-flag.js';
import { Repository } from '../../plumbing/repository.js';
import { BundleReader } from '../../plumbing/wire/bundle.js';

export interface RepairSource {
  /** As given by the user, or what it is. */
  readonly name: string;
  /** The object, good or not; undefined when it has none. */
  open(id: ObjectId): ObjectStream | undefined;
  close(): void;
}

/** A repository (its work tree or itself) or a bundle; NotFoundError or InvalidError when `path` is neither. */
export function openRepairSource(repository: Repository, path: string, shown: string, others: readonly RepairSource[]): RepairSource {
  const status = statSync(path, { throwIfNoEntry: false });
  if (status === undefined) throw new NotFoundError(`'${shown}' is not there`, { code: 'no-source' });
  if (status.isDirectory()) return sourceOfRepository(repository, path, shown);
  return sourceOfBundle(repository, path, shown, others);
}

function sourceOfRepository(repository: Repository, path: string, shown: string): RepairSource {
  const other = Repository.openAt(repository.context, path);
  requireFormat(repository, other.format, shown);
  return sourceOfStore(other.openStored(), shown);
}

function sourceOfStore(store: ObjectStore, name: string): RepairSource {
  return {
    name,
    open: (id) => {
      try {
        return store.findHeader(id) === undefined ? undefined : store.openStream(id);
      } catch (error) {
        // Damaged there, too.
        if (error instanceof CairnError) return undefined;
        throw error;
      }
    },
    close: () => { store.close(); },
  };
}

/** Thin packs are completed from here and from the sources before it. */
function sourceOfBundle(repository: Repository, path: string, shown: string, others: readonly RepairSource[]): RepairSource {
  using bundle = BundleReader.open(path, shown);
  requireFormat(repository, bundle.header.format, shown);
  const here = sourceOfStore(repository.openStored(), 'here');
  try {
    const intake = PackIntake.receive(bundle.packPieces(), join(repository.objectsDirectory, 'pack'), repository.format, {
      isUntrusted: true, onDamage: () => undefined, findBase: (id) => findWhole([here, ...others], id),
    });
    return sourceOfIntake(intake, shown);
  } finally {
    here.close();
  }
}

/** The first copy that can be read. */
function findWhole(sources: readonly RepairSource[], id: ObjectId): GitObject | undefined {
  for (const source of sources) {
    const stream = source.open(id);
    if (stream === undefined) continue;
    try {
      return { type: stream.type, bytes: Buffer.concat([...stream.chunks]) };
    } catch (error) {
      if (!(error instanceof CorruptError)) throw error;
    }
  }
  return undefined;
}

/** What can be read of a pack that has no usable index. */
export function salvage(path: string, format: ObjectFormat): RepairSource & { readonly ids: readonly ObjectId[] } {
  const { intake } = readWithoutIndex(path, format);
  if (intake === undefined) return { name: path, ids: [], open: () => undefined, close: () => undefined };
  const ids: ObjectId[] = [];
  for (let number = 0; number < intake.indexer.count; number += 1) if (intake.indexer.isResolvedAt(number)) ids.push(intake.indexer.idAt(number));
  return { ...sourceOfIntake(intake, path), ids };
}

/** Reads a pack as it comes; no intake when it is none at all. */
export function readWithoutIndex(path: string, format: ObjectFormat): { readonly intake: PackIntake | undefined; readonly isWhole: boolean } {
  let isWhole = true;
  try {
    const intake = PackIntake.readFile(path, format, { onDamage: () => { isWhole = false; } });
    return { intake, isWhole };
  } catch (error) {
    if (error instanceof CorruptError) return { intake: undefined, isWhole: false };
    throw error;
  }
}

function sourceOfIntake(intake: PackIntake, name: string): RepairSource {
  const { indexer } = intake;
  const numbers = new Map<ObjectId, number>();
  for (let number = 0; number < indexer.count; number += 1) if (indexer.isResolvedAt(number)) numbers.set(indexer.idAt(number), number);
  return {
    name,
    open: (id) => {
      const number = numbers.get(id);
      return number === undefined ? undefined : { type: indexer.typeAt(number), sizeBytes: indexer.sizeAt(number), chunks: indexer.contentChunks(number) };
    },
    close: () => { intake.close(); },
  };
}

/** What sweeps took away and still can be had. */
export function quarantineSources(repository: Repository): RepairSource[] {
  return Batch.list(quarantineDirectory(repository)).reverse().map(({ directory, name }) => sourceOfStore(ObjectStore.open(directory, repository.format), `quarantine ${name}`));
}

function requireFormat(repository: Repository, format: ObjectFormat, shown: string): void {
  if (format !== repository.format) throw new InvalidError(`'${shown}' is ${format}, this repository ${repository.format}`, { code: 'format-mismatch' });
}
