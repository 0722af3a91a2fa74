// A file beside a pack that has one 32-bit number for each of its objects, as reverse indexes and ages of objects are kept (gitformat-pack(5),
// "pack-*.rev files", "pack-*.mtimes files"): a header, the numbers, the checksum of the pack and that of the file. Pure: bytes in, values out.
import type { CorruptError } from './errors.js';
import { type ObjectFormat, digest, rawSize } from './oid.js';

const headerBytes = 12;

/** The numbers; what `damaged` gives is thrown when the file is not that of a pack with so many objects. */
export function decodePackTable(
  bytes: Buffer, magic: number, pack: { readonly count: number; readonly checksum: Uint8Array; readonly format: ObjectFormat }, damaged: (what: string) => CorruptError,
): Uint32Array {
  const { count, checksum, format } = pack;
  const idSize = rawSize(format);
  if (bytes.length !== headerBytes + 4 * count + 2 * idSize) throw damaged('its size does not fit its pack');
  if (bytes.readUInt32BE(0) !== magic || bytes.readUInt32BE(4) !== 1) throw damaged('it is of no known version');
  if (bytes.readUInt32BE(8) !== hashNumber(format)) throw damaged('it is of another object format');
  const end = bytes.length - idSize;
  if (!bytes.subarray(end - idSize, end).equals(checksum)) throw damaged('it belongs to another pack');
  if (!digest(bytes.subarray(0, end), format).equals(bytes.subarray(end))) throw damaged('its checksum is wrong');
  const numbers = new Uint32Array(count);
  for (let at = 0; at < count; at += 1) numbers[at] = bytes.readUInt32BE(headerBytes + 4 * at);
  return numbers;
}

/** The file's bytes, as git writes them. */
export function encodePackTable(magic: number, numbers: Uint32Array, packChecksum: Uint8Array, format: ObjectFormat): Buffer {
  const idSize = rawSize(format);
  const bytes = Buffer.allocUnsafe(headerBytes + 4 * numbers.length + 2 * idSize);
  bytes.writeUInt32BE(magic, 0);
  bytes.writeUInt32BE(1, 4);
  bytes.writeUInt32BE(hashNumber(format), 8);
  for (let at = 0; at < numbers.length; at += 1) bytes.writeUInt32BE(numbers[at]!, headerBytes + 4 * at);
  const end = bytes.length - idSize;
  bytes.set(packChecksum.subarray(0, idSize), end - idSize);
  bytes.set(digest(bytes.subarray(0, end), format), end);
  return bytes;
}

function hashNumber(format: ObjectFormat): 1 | 2 {
  return format === 'sha1' ? 1 : 2;
}
