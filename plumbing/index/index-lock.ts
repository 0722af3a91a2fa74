// Changing the index file: lock, write, fsync, rename, under Git's lock protocol (lockfile.ts), so that whoever dies on the way leaves the old
// index. Apart from index-file.ts because those who only read need none of it.
//
// Invariant: when the new index is in place, the objects it names are durable and in the store, and no entry looks fresh whose file is not.
import type { ObjectId } from '../../pack/oid.js';
import { whileNaming } from '../refs/announcement.js';
import { type Index, type IndexVersion, readIndex } from './index-file.js';
import { LockFile } from '../lockfile.js';
import type { Repository } from '../repository.js';
import { WorkTree } from './work-tree.js';

/** The index under its lock: nobody else changes it until `write` or `rollback`. */
export class IndexLock {
  readonly index: Index;
  readonly #repository: Repository;
  readonly #lock: LockFile;
  constructor(repository: Repository, lock: LockFile, index: Index) {
    this.#repository = repository;
    this.#lock = lock;
    this.index = index;
  }

  /** Puts the index in place, durably, and before it the objects it names. The lock is given back. `trees`: entries came from these. */
  write(version?: IndexVersion, trees: readonly ObjectId[] = []): void {
    this.#repository.flushObjects();
    this.#markRacy();
    const { named } = this.index;
    if (named.size + trees.length === 0) return this.#put(version);
    return whileNaming(this.#repository, () => {
      const { objects } = this.#repository;
      for (const id of [...named, ...trees]) objects.has(id);
      objects.rescue();
      this.#put(version);
    });
  }

  #put(version: IndexVersion | undefined): void {
    this.#lock.write(this.index.encode(version));
    this.#lock.commit();
  }

  rollback(): void {
    this.#lock.rollback();
  }

  [Symbol.dispose](): void {
    this.rollback();
  }

  /**
   * The new file will be younger than its racy entries, which then would no longer be suspected. Those whose file looks the same but
   * is not get the size 0, which says: compare the content.
   */
  #markRacy(): void {
    const racy = this.index.listRacy();
    if (racy.length === 0 || this.#repository.workTree === undefined) return;
    const workTree = new WorkTree(this.#repository, this.index);
    for (const entry of racy.map((at) => this.index.entryAt(at))) {
      if (entry.stat.size === 0 || entry.intentToAdd || entry.skipWorktree || entry.assumeValid) continue;
      const status = workTree.findOwnStatus(entry.path);
      if (status === undefined || workTree.compareStatus(entry, status, this.index) !== 'dubious') continue;
      if (!workTree.hasContentOf(entry)) this.index.refresh({ ...entry, stat: { ...entry.stat, size: 0 } });
    }
  }
}

/** Locks and reads the index (LockedError when somebody holds it); leaving the scope without `write` changes nothing. */
export function lockIndex(repository: Repository, options: { readonly timeoutMs?: number } = {}): IndexLock {
  const lock = LockFile.acquire(repository.indexPath, { ...options, holder: repository.lockHolder, durable: repository.hardening.index });
  try {
    return new IndexLock(repository, lock, readIndex(repository));
  } catch (error) {
    lock.rollback();
    throw error;
  }
}
