// Writing the packs gc leaves behind: what is needed into one, what is not needed but too young to go into a cruft pack, where each object
// keeps its own age.
//
// Invariant: a pack counts only after every object in it was read back from it (pack/verified-packs.ts).
// If the power fails: a private tmp_pack_* file, or a whole new pack beside the old ones. Format: gitformat-pack(5).
import { CorruptError } from '../pack/errors.js';
import type { ObjectStore } from '../pack/object-store.js';
import type { ObjectId, ObjectType } from '../pack/oid.js';
import { encodePackMtimesOf } from '../pack/pack-mtimes.js';
import { PackingList } from '../pack/packing-list.js';
import type { PackCaches } from '../pack/pack-reader.js';
import type { WrittenPack } from '../pack/pack-writer.js';
import { writeVerifiedPacks } from '../pack/verified-packs.js';
import type { PackSettings } from '../plumbing/objects/pack-settings.js';

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
  readonly settings: PackSettings;
  /** Makes it a cruft pack: the age of each object, in milliseconds since 1970. */
  readonly mtimesMs?: ReadonlyMap<ObjectId, number>;
  /** Where it is put: a path without '-<hash>.pack'. Default: with our other packs. */
  readonly base?: string;
  /** May be called often; may throw to stop. */
  readonly onProgress?: (phase: 'compressing' | 'writing' | 'verifying', done: number) => void;
}

/** Writes one pack of `objects`, visible and verified when this returns; CorruptError when an object has no good copy. */
export function writeVerifiedPack(options: RepackOptions): WrittenPack {
  const { store, caches, settings, objects, mtimesMs, onProgress } = options;
  const list = new PackingList();
  for (const [id, { type, group }] of objects) list.add(id, group, type);
  const { packs } = writeVerifiedPacks({
    list, store, caches, limits: settings.limits, level: settings.level, largeBytes: settings.largeBytes, usesOffsets: true,
    writer: {
      ...(options.base === undefined ? {} : { base: options.base }),
      hasReverseIndex: settings.hasReverseIndex, indexVersion: settings.indexVersion,
      ...(mtimesMs === undefined ? {} : { companions: ({ packId }) => new Map([['mtimes', encodePackMtimesOf(mtimesMs, packId, store.format)]]) }),
    },
    ...(onProgress === undefined ? {} : { onProgress }),
  });
  const [pack] = packs;
  if (pack === undefined) throw new CorruptError('there was nothing to pack', { code: 'gc-verify-failed' });
  return pack;
}
