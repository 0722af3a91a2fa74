// Loose objects that are packed as well, and need not be loose any more (git-prune-packed(1)).
//
// Invariant: a loose object goes only when a pack has a copy that was read and found good. A cruft pack does not count: there the object
// would be as old as before it was written again, and gc might take it. Unlike git, which looks only whether a pack names it.
import { join, relative } from 'node:path';
import { disk } from '../../pack/disk.js';
import { isSystemError } from '../../pack/errors.js';
import { encodeObjectId } from '../../pack/oid.js';
import type { LooseFile } from '../../pack/loose.js';
import type { ObjectStore } from '../../pack/object-store.js';
import type { ObjectId } from '../../pack/oid.js';
import type { Repository } from '../repository.js';

export interface PackedLooseOptions {
  /** Ages cruft packs have for their objects, in milliseconds since 1970: a copy there counts when it is no older than the loose one. */
  readonly cruftAgesMs?: ReadonlyMap<ObjectId, number>;
  /** Told of each file that was removed. */
  readonly onRemoved?: () => void;
}

/** Loose files of ours whose object a pack has too. */
export function* listPackedLoose(store: ObjectStore, { cruftAgesMs }: PackedLooseOptions = {}): Generator<LooseFile> {
  for (const file of store.listLoose()) {
    const isAsYoung = (cruftAgesMs?.get(file.id) ?? -Infinity) >= file.mtimeMs;
    if (isPacked(store, file.id, isAsYoung)) yield file;
  }
}

/** Removes them, and directories that become empty. */
export function removePackedLoose(store: ObjectStore, options: PackedLooseOptions = {}): void {
  const fanOuts = new Set<string>();
  for (const { id } of listPackedLoose(store, options)) {
    store.removeLoose(id);
    fanOuts.add(id.slice(0, 2));
    options.onRemoved?.();
  }
  for (const fanOut of fanOuts) removeIfEmpty(join(store.directory, fanOut));
}

/** True when a pack has a copy that is what the id says. */
function isPacked(store: ObjectStore, id: ObjectId, countsCruft: boolean): boolean {
  const raw = encodeObjectId(id);
  return store.listPacks().some((pack) => {
    const position = pack.isCruft && !countsCruft ? -1 : pack.position(raw);
    return position >= 0 && pack.isGoodAt(position);
  });
}

/** Removes a directory unless something is in it. */
export function removeIfEmpty(directory: string): void {
  try {
    disk().rmdir(directory);
  } catch (error) {
    if (!isSystemError(error, 'ENOTEMPTY', 'EEXIST', 'ENOENT')) throw error;
  }
}

/** A loose file as git would name it: seen from the top of the work tree, or from a bare repository. */
export function shownLoosePath(repository: Repository, id: ObjectId): string {
  return `${shownDirectory(repository)}/${id.slice(0, 2)}/${id.slice(2)}`;
}

function shownDirectory(repository: Repository): string {
  const { workTree, objectsDirectory, context } = repository;
  if (context.env['GIT_OBJECT_DIRECTORY']) return context.env['GIT_OBJECT_DIRECTORY'];
  if (context.env['GIT_DIR']) return `${context.env['GIT_DIR']}/objects`;
  if (workTree !== undefined) return relative(workTree, objectsDirectory);
  return context.cwd === repository.gitDirectory ? `./${relative(context.cwd, objectsDirectory)}` : objectsDirectory;
}
