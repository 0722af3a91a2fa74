// Packs that may take the place of others: each is read back object by object, from the files as they are on disk, before it counts.
//
// Invariant: when this returns, every object asked for was read from one of the new packs and found to be what its id says. A stored
// copy that turns out damaged is passed over for another one; when there is none, the new packs are taken back and nothing else happens.
// If the power fails: a private tmp_pack_* file, or whole new packs beside the old ones.
import { join } from 'node:path';
import { removeIfPresent } from './disk.js';
import { CorruptError } from './errors.js';
import { type ObjectId, encodeObjectId } from './oid.js';
import { PackPlan, type PackPlanOptions, type PackStatistics } from './pack-plan.js';
import type { PackingList } from './packing-list.js';
import { PackCaches, PackReader } from './pack-reader.js';
import { PackWriter, type PackWriterOptions, type WrittenPack } from './pack-writer.js';

export interface VerifiedPacksOptions extends Omit<PackPlanOptions, 'passedOver' | 'onProgress'> {
  readonly caches: PackCaches;
  readonly list: PackingList;
  /** Splits what is larger into several packs. */
  readonly mostBytes?: number;
  readonly writer?: Pick<PackWriterOptions, 'base' | 'indexVersion' | 'hasReverseIndex' | 'companions' | 'mayBeEmpty'>;
  /** May be called often, and may throw to stop. */
  readonly onProgress?: (phase: 'compressing' | 'writing' | 'verifying', done: number, total: number) => void;
}

export interface VerifiedPacks {
  readonly packs: readonly WrittenPack[];
  readonly statistics: PackStatistics;
}

/** Memory for choosing, packing and reading back: objects are read in the order of their paths, and again in that of the new pack. */
export function packingCaches(): PackCaches {
  return new PackCaches(12 * 1024 * 1024, 16 * 1024 * 1024);
}

/** Plans, writes and reads back; CorruptError when an object has no good copy. No packs when there was nothing to pack. */
export function writeVerifiedPacks(options: VerifiedPacksOptions): VerifiedPacks {
  const { store } = options;
  const former = new Set(store.listOwnPacks().map(({ name }) => name));
  let passedOver: ReadonlySet<ObjectId> = new Set();
  for (;;) {
    const written: WrittenPack[] = [];
    try {
      const plan = new PackPlan(options.list, { ...options, passedOver });
      writePlan(options, plan, written);
      // Their memory is needed for reading back.
      for (const pack of store.listPacks()) pack.close();
      const bad = findBadObjects(options, written);
      if (bad.length === 0) return { packs: written, statistics: plan.statistics };
      const again = bad.find((id) => passedOver.has(id));
      if (again !== undefined) throw notVerified(`object '${again}' could not be packed: it reads back wrong`);
      passedOver = new Set([...passedOver, ...bad]);
    } catch (error) {
      takeBack(options, written, former);
      throw error;
    }
    takeBack(options, written, former);
  }
}

function writePlan(options: VerifiedPacksOptions, plan: PackPlan, written: WrittenPack[]): void {
  if (options.list.count === 0 && options.writer?.mayBeEmpty !== true) return;
  plan.prepare();
  const { store, mostBytes, writer } = options;
  let current = new PackWriter(join(store.directory, 'pack'), store.format, writer);
  const finish = (): void => {
    const pack = current.finish();
    if (pack !== undefined) written.push(pack);
  };
  try {
    plan.write(current, mostBytes === undefined ? undefined : {
      mostBytes,
      next: () => {
        finish();
        return current = new PackWriter(join(store.directory, 'pack'), store.format, writer);
      },
    });
    finish();
  } finally {
    current.abort();
  }
}

/** Objects that do not read back, from the files as they are now, as what they should be. */
function findBadObjects(options: VerifiedPacksOptions, packs: readonly WrittenPack[]): ObjectId[] {
  const { store, caches, list, onProgress } = options;
  const readers = packs.map((pack) => PackReader.open(`${stemOf(options, pack)}.pack`, store.format, caches));
  try {
    for (const reader of readers) {
      if (!reader.loadIndex().hasValidChecksum()) throw notVerified(`index of '${reader.path}' reads back wrong`);
      const { stored, actual } = reader.checksums();
      if (!stored.equals(actual)) throw notVerified(`'${reader.path}' reads back wrong`);
    }
    for (const id of list.listIds()) {
      const raw = encodeObjectId(id);
      if (!readers.some((reader) => reader.position(raw) >= 0)) throw notVerified(`object '${id}' is missing from what was packed`);
    }
    const bad: ObjectId[] = [];
    let done = 0;
    for (const reader of readers) {
      for (const position of reader.index.positionsByOffset()) {
        if (!reader.isGoodAt(position)) bad.push(reader.idAt(position));
        done += 1;
        onProgress?.('verifying', done, list.count);
      }
    }
    return bad;
  } finally {
    for (const reader of readers) reader.close();
  }
}

/** Path of a new pack without suffix. */
function stemOf({ store, writer }: VerifiedPacksOptions, { packId }: WrittenPack): string {
  return `${writer?.base ?? join(store.directory, 'pack', 'pack')}-${packId}`;
}

/** Removes new packs again, unless one came out the same as one that was there; all they hold is still where it came from. */
function takeBack(options: VerifiedPacksOptions, packs: readonly WrittenPack[], former: ReadonlySet<string>): void {
  for (const pack of packs) {
    if (former.has(`pack-${pack.packId}`)) continue;
    for (const suffix of ['.idx', '.rev', '.mtimes', '.pack']) removeIfPresent(stemOf(options, pack) + suffix);
  }
}

function notVerified(message: string): CorruptError {
  return new CorruptError(message, { code: 'gc-verify-failed' });
}
