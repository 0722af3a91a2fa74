// Ages of the objects in a cruft pack, one per object in index order (gitformat-pack(5), "pack-*.mtimes files"), so that packing
// unreachable objects together does not make them look new. Pure: bytes in, values out.
//
// Without this file the pack's own age counts for all its objects, which is newer: losing it keeps objects longer, never shorter.
import { CorruptError } from './errors.js';
import type { ObjectFormat, ObjectId } from './oid.js';
import { decodePackTable, encodePackTable } from './pack-table.js';

const magic = 0x4d544d45;

/** Seconds since 1970 for each object of a pack, by index position. */
export function decodePackMtimes(bytes: Buffer, count: number, packChecksum: Uint8Array, format: ObjectFormat): Uint32Array {
  return decodePackTable(bytes, magic, { count, checksum: packChecksum, format }, damaged);
}

/** The file's bytes; times beyond what 32 bits hold become the nearest they do. */
export function encodePackMtimes(seconds: readonly number[], packChecksum: Uint8Array, format: ObjectFormat): Buffer {
  const held = Uint32Array.from(seconds, (second) => Math.min(0xffffffff, Math.max(0, Math.floor(second))));
  return encodePackTable(magic, held, packChecksum, format);
}

/** The file for a pack of these objects, whose ages are in milliseconds since 1970. */
export function encodePackMtimesOf(agesMs: ReadonlyMap<ObjectId, number>, packId: string, format: ObjectFormat): Buffer {
  const seconds = [...agesMs.keys()].sort().map((id) => agesMs.get(id)! / 1000);
  return encodePackMtimes(seconds, Buffer.from(packId, 'hex'), format);
}

function damaged(what: string): CorruptError {
  return new CorruptError(`ages of a cruft pack are damaged: ${what}`, { code: 'bad-pack-mtimes' });
}
