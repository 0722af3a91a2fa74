// Moving refs from their own files into packed-refs, by value unchanged: git-pack-refs(1).
//
// The new packed-refs is in place and durable before any loose file goes, and a loose file goes only under its own lock and only while it
// still holds what was packed. If the power fails: refs are in both places or in one; loose wins, and both say the same.
import * as fs from 'node:fs';
import { dirname } from 'node:path';
import { disk, removeIfPresent } from '../../pack/disk.js';
import { CorruptError, LockedError, isSystemError } from '../../pack/errors.js';
import type { ObjectId } from '../../pack/oid.js';
import { LockFile } from '../lockfile.js';
import { type PackedRef, encodePackedRefs } from './packed-refs.js';
import { type RefName, encodeRefName, isPerWorkTreeRef } from './ref-name.js';
import { completePeeling, peelTag } from './ref-transaction.js';
import { removeEmptyParents } from './reflog.js';
import type { Repository } from '../repository.js';

export interface PackRefsOptions {
  /** Every ref; otherwise tags, and refs that were packed before. */
  readonly all: boolean;
  /** Remove the loose files of what was packed. */
  readonly prune: boolean;
}

/** Packs refs; damaged ones, symbolic ones and those whose object is missing stay where they are. */
export function packRefs(repository: Repository, options: PackRefsOptions): void {
  const { refs, config, lockHolder } = repository;
  using lock = LockFile.acquire(refs.packedPath, { timeoutMs: config.getInteger('core.packedrefstimeout') ?? 1000, holder: lockHolder });
  const packed = new Map<string, PackedRef>();
  for (const ref of refs.packed().list()) packed.set(ref.name, completePeeling(repository, ref));
  const moved: { name: RefName; id: ObjectId }[] = [];
  for (const name of refs.listNames()) {
    const bytes = encodeRefName(name);
    if (isPerWorkTreeRef(name) || !(options.all || name.startsWith('refs/tags/') || packed.has(bytes))) continue;
    const id = findPackable(repository, name);
    if (id === undefined) continue;
    packed.set(bytes, { name: bytes, id, peeled: peelTag(repository, id), isPeeled: true });
    moved.push({ name, id });
  }
  lock.write(encodePackedRefs([...packed.values()].sort((a, b) => (a.name < b.name ? -1 : 1))));
  lock.commit();
  if (options.prune) for (const { name, id } of moved) prune(repository, name, id);
}

/** The id of a loose ref that can be packed. */
function findPackable(repository: Repository, name: RefName): ObjectId | undefined {
  const { stderr } = repository.context;
  try {
    const raw = repository.refs.readLoose(name);
    if (raw?.kind !== 'id') return undefined;
    if (repository.objects.has(raw.id)) return raw.id;
    stderr.write(`error: ${name} does not point to a valid object!\n`);
  } catch (error) {
    if (!(error instanceof CorruptError)) throw error;
    stderr.write(`warning: ignoring broken ref ${name}\n`);
  }
  return undefined;
}

/** Removes a loose file whose value is packed; whoever holds its lock keeps it. */
function prune(repository: Repository, name: RefName, id: ObjectId): void {
  const path = repository.refs.filePath(name);
  if (typeof path !== 'string') return;
  let lock: LockFile;
  try {
    lock = LockFile.acquire(path, { holder: repository.lockHolder });
  } catch (error) {
    if (error instanceof LockedError || isSystemError(error, 'ENOENT')) return;
    throw error;
  }
  try {
    const raw = repository.refs.readLoose(name);
    if (raw?.kind === 'id' && raw.id === id && removeIfPresent(path)) disk().fsyncDirectory(dirname(path));
  } finally {
    lock.rollback();
  }
  if (!fs.existsSync(path)) removeEmptyParents([path], 'refs');
}
