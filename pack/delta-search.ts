// One piece of the search for deltas: objects in the order they are tried, each with a window of those before it. Pieces are independent of one
// another, so that several threads can work on one pack; what comes out depends only on the piece.
//
// Reading only. Objects are read by their ids, verified; deltas come back compressed.
import { type DeltaLimits, DeltaWindow } from './delta-window.js';
import { CorruptError, NotFoundError } from './errors.js';
import { ObjectStore } from './object-store.js';
import { type ObjectFormat, type ObjectId, decodeObjectId, rawSize } from './oid.js';
import { PackCaches } from './pack-reader.js';
import { type DeflateLevel, deflate } from './zlib.js';

/** What to search, and where. Arrays have one element per object. */
export interface DeltaPiece {
  readonly objectsDirectory: string;
  readonly alternates: readonly string[];
  readonly format: ObjectFormat;
  readonly limits: DeltaLimits;
  /** zlib level of deltas. */
  readonly level: DeflateLevel;
  /** When given, objects of different groups are not compared, and those of group 0 with none. */
  readonly groups?: Uint32Array | undefined;
  /** Raw, one behind the other. */
  readonly ids: Uint8Array;
  /** Objects of different kinds are not compared. */
  readonly kinds: Uint8Array;
  readonly sizes: Float64Array;
  /** See DeltaTarget. */
  readonly childDepths: Uint16Array;
  readonly searched: Uint32Array;
  readonly isBaseOnly: Uint8Array;
}

/** What was found, one element per object of the piece. */
export interface FoundDeltas {
  /** The base's place in the piece; -1 where there is no delta. */
  readonly bases: Int32Array;
  /** Bytes of each delta as it is, and where its compressed form ends in `output`. */
  readonly deltaBytes: Uint32Array;
  readonly ends: Uint32Array;
  readonly output: Uint8Array;
}

/** In so few bytes nothing is found by looking longer. */
const tinyBytes = 512;

/** A delta as packs store it; the same bytes for the same delta and level, always. */
export function compressDelta(delta: Buffer, level: DeflateLevel): Buffer {
  return deflate(delta, level !== 'fixed' && level > 0 && delta.length <= tinyBytes ? 1 : level);
}

/** Searches; `read` gives verified contents. NotFoundError or CorruptError when an object that is not only a base cannot be read. */
export function searchDeltas(piece: DeltaPiece, read: (id: ObjectId) => Buffer): FoundDeltas {
  const { ids, kinds, sizes, childDepths, searched, isBaseOnly, limits, level, format, groups } = piece;
  const idSize = rawSize(format);
  const raw = Buffer.from(ids.buffer, ids.byteOffset, ids.byteLength);
  const count = kinds.length;
  const bases = new Int32Array(count).fill(-1);
  const deltaBytes = new Uint32Array(count);
  const ends = new Uint32Array(count);
  const window = new DeltaWindow(limits, idSize);
  const output: Buffer[] = [];
  let end = 0;
  for (let number = 0; number < count; number += 1) {
    if (number > 0 && (kinds[number] !== kinds[number - 1] || groups?.[number] !== groups?.[number - 1])) window.clear();
    const isBase = isBaseOnly[number] === 1;
    const found = window.offer({
      number, sizeBytes: sizes[number]!, childDepth: childDepths[number]!, searched: searched[number]!, isBaseOnly: isBase,
      read: () => readTarget(() => read(decodeObjectId(raw, number * idSize, format)), isBase),
    });
    if (found !== undefined) {
      const deflated = compressDelta(found.delta, level);
      bases[number] = found.base;
      deltaBytes[number] = found.delta.length;
      output.push(deflated);
      end += deflated.length;
    }
    ends[number] = end;
  }
  return { bases, deltaBytes, ends, output: Buffer.concat(output) };
}

/** A base nobody needs may be missing or damaged; an object that is to be packed may not. */
function readTarget(read: () => Buffer, isBase: boolean): Buffer | undefined {
  try {
    return read();
  } catch (error) {
    if (isBase && (error instanceof CorruptError || error instanceof NotFoundError)) return undefined;
    throw error;
  }
}

let opened: { readonly key: string; readonly store: ObjectStore } | undefined;

/** Searches with a store of this thread's own. */
export function searchDeltasAlone(piece: DeltaPiece): FoundDeltas {
  const key = [piece.objectsDirectory, ...piece.alternates, piece.format].join('\n');
  if (opened?.key !== key) {
    opened?.store.close();
    const caches = new PackCaches(4 * 1024 * 1024, 12 * 1024 * 1024);
    opened = { key, store: ObjectStore.open(piece.objectsDirectory, piece.format, { alternates: piece.alternates, caches }) };
  }
  const { store } = opened;
  return searchDeltas(piece, (id) => store.read(id).bytes);
}
