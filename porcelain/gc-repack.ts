// Writing the packs gc leaves behind: what is needed into one, what is not needed but too young to go into a cruft pack, where each object
// keeps its own age.
//
// Invariant: a pack counts only after every object in it was read back from it (pack/verified-packs.ts).
// If the power fails: a private tmp_pack_* file, or a whole new pack beside the old ones. Format: gitformat-pack(5).
import { disk, removeIfPresent } from '../pack/disk.js';
import type { DeltaLimits } from '../pack/delta-window.js';
import { CorruptError } from '../pack/errors.js';
import type { ObjectStore } from '../pack/object-store.js';
import type { ObjectId, ObjectType } from '../pack/oid.js';
import { encodePackMtimes } from '../pack/pack-mtimes.js';
import { PackingList } from '../pack/packing-list.js';
import type { PackCaches } from '../pack/pack-reader.js';
import type { WrittenPack } from '../pack/pack-writer.js';
import { writeVerifiedPacks } from '../pack/verified-packs.js';

/** What the delta search goes by. */
export interface PackedAs {
  readonly type: ObjectType;
  /** Of its path, see pathGroup. */
  readonly group: number;
}

export interface RepackOptions {
  readonly store: ObjectStore;
  readonly caches: PackCaches;
  /** In the order history is walked. */
  readonly objects: ReadonlyMap<ObjectId, PackedAs>;
  /** zlib level for what is compressed anew. */
  readonly level: number;
  readonly deltas: DeltaLimits;
  /** Makes it a cruft pack: the age of each object, in milliseconds since 1970. */
  readonly mtimesMs?: ReadonlyMap<ObjectId, number>;
  /** May be called often; may throw to stop. */
  readonly onProgress?: (phase: 'compressing' | 'writing' | 'verifying', done: number) => void;
}

/** Writes one pack of `objects`, visible and verified when this returns; CorruptError when an object has no good copy. */
export function writeVerifiedPack(options: RepackOptions): WrittenPack {
  const { store, caches, level, deltas, objects, mtimesMs, onProgress } = options;
  const list = new PackingList();
  for (const [id, { type, group }] of objects) list.add(id, group, type);
  const { packs } = writeVerifiedPacks({
    list, store, caches, level, limits: deltas, usesOffsets: true,
    ...(mtimesMs === undefined ? {} : { writer: { beforeVisible: (pack, base) => { writePackMtimes(pack, base, mtimesMs, store); } } }),
    ...(onProgress === undefined ? {} : { onProgress }),
  });
  const [pack] = packs;
  if (pack === undefined) throw new CorruptError('there was nothing to pack', { code: 'gc-verify-failed' });
  return pack;
}

/** Puts the ages of its objects beside a cruft pack before it can be read, so that nobody ever takes its objects for new ones. */
export function writePackMtimes(pack: WrittenPack, base: string, mtimesMs: ReadonlyMap<ObjectId, number>, store: ObjectStore): void {
  const seconds = [...mtimesMs.keys()].sort().map((id) => Math.floor(mtimesMs.get(id)! / 1000));
  const bytes = encodePackMtimes(seconds, Buffer.from(pack.packId, 'hex'), store.format);
  const path = `${base}.mtimes`;
  removeIfPresent(path);
  const fd = disk().open(path, 'wx', 0o444);
  try {
    disk().write(fd, bytes);
    disk().fsync(fd);
  } finally {
    disk().close(fd);
  }
}
