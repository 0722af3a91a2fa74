// Ages of the objects in a cruft pack, one per object in index order (gitformat-pack(5), "pack-*.mtimes files"), so that packing
// unreachable objects together does not make them look new. Pure: bytes in, values out.
//
// Without this file the pack's own age counts for all its objects, which is newer: losing it keeps objects longer, never shorter.
import { CorruptError } from './errors.js';
import { type ObjectFormat, type ObjectId, digest, rawSize } from './oid.js';

const magic = 0x4d544d45;
const headerBytes = 12;

/** Seconds since 1970 for each object of a pack, by index position. */
export function decodePackMtimes(bytes: Buffer, count: number, packChecksum: Uint8Array, format: ObjectFormat): Uint32Array {
  const idSize = rawSize(format);
  if (bytes.length !== headerBytes + 4 * count + 2 * idSize) throw damaged('its size does not fit its pack');
  if (bytes.readUInt32BE(0) !== magic || bytes.readUInt32BE(4) !== 1) throw damaged('it is of no known version');
  if (bytes.readUInt32BE(8) !== hashNumber(format)) throw damaged('it is of another object format');
  const end = bytes.length - idSize;
  if (!bytes.subarray(end - idSize, end).equals(packChecksum)) throw damaged('it belongs to another pack');
  if (!digest(bytes.subarray(0, end), format).equals(bytes.subarray(end))) throw damaged('its checksum is wrong');
  const seconds = new Uint32Array(count);
  for (let at = 0; at < count; at += 1) seconds[at] = bytes.readUInt32BE(headerBytes + 4 * at);
  return seconds;
}

/** The file's bytes; times beyond what 32 bits hold become the nearest they do. */
export function encodePackMtimes(seconds: readonly number[], packChecksum: Uint8Array, format: ObjectFormat): Buffer {
  const idSize = rawSize(format);
  const bytes = Buffer.alloc(headerBytes + 4 * seconds.length + 2 * idSize);
  bytes.writeUInt32BE(magic, 0);
  bytes.writeUInt32BE(1, 4);
  bytes.writeUInt32BE(hashNumber(format), 8);
  seconds.forEach((second, at) => bytes.writeUInt32BE(Math.min(0xffffffff, Math.max(0, Math.floor(second))), headerBytes + 4 * at));
  const end = bytes.length - idSize;
  bytes.set(packChecksum, end - idSize);
  bytes.set(digest(bytes.subarray(0, end), format), end);
  return bytes;
}

/** The file for a pack of these objects, whose ages are in milliseconds since 1970. */
export function encodePackMtimesOf(agesMs: ReadonlyMap<ObjectId, number>, packId: string, format: ObjectFormat): Buffer {
  const seconds = [...agesMs.keys()].sort().map((id) => agesMs.get(id)! / 1000);
  return encodePackMtimes(seconds, Buffer.from(packId, 'hex'), format);
}

function hashNumber(format: ObjectFormat): 1 | 2 {
  return format === 'sha1' ? 1 : 2;
}

function damaged(what: string): CorruptError {
  return new CorruptError(`ages of a cruft pack are damaged: ${what}`, { code: 'bad-pack-mtimes' });
}
