// The reverse index of a pack: its index positions in the order the pack stores the entries (gitformat-pack(5), "pack-*.rev files").
// Pure: bytes in, values out.
//
// It says nothing the index does not say, only sooner: whoever finds none, or a damaged one, sorts the offsets instead.
import { CorruptError } from './errors.js';
import { type ObjectFormat, digest, rawSize } from './oid.js';

const magic = 0x52494458;
const headerBytes = 12;

/** Index positions by ascending offset, each of `count` exactly once; CorruptError when the file is not that of this pack. */
export function decodeReverseIndex(bytes: Buffer, count: number, packChecksum: Uint8Array, format: ObjectFormat): Uint32Array {
  const idSize = rawSize(format);
  if (bytes.length !== headerBytes + 4 * count + 2 * idSize) throw damaged('its size does not fit its pack');
  if (bytes.readUInt32BE(0) !== magic || bytes.readUInt32BE(4) !== 1) throw damaged('it is of no known version');
  if (bytes.readUInt32BE(8) !== hashNumber(format)) throw damaged('it is of another object format');
  const end = bytes.length - idSize;
  if (!bytes.subarray(end - idSize, end).equals(packChecksum)) throw damaged('it belongs to another pack');
  if (!digest(bytes.subarray(0, end), format).equals(bytes.subarray(end))) throw damaged('its checksum is wrong');
  const positions = new Uint32Array(count);
  const seen = new Uint8Array(count);
  for (let at = 0; at < count; at += 1) {
    const position = bytes.readUInt32BE(headerBytes + 4 * at);
    if (position >= count || seen[position] === 1) throw damaged(`its entry ${at} is not a position of its own`);
    seen[position] = 1;
    positions[at] = position;
  }
  return positions;
}

/** The file's bytes, as git writes them. `positions` are those of `PackIndex.positionsByOffset`. */
export function encodeReverseIndex(positions: Uint32Array, packChecksum: Uint8Array, format: ObjectFormat): Buffer {
  const idSize = rawSize(format);
  const bytes = Buffer.allocUnsafe(headerBytes + 4 * positions.length + 2 * idSize);
  bytes.writeUInt32BE(magic, 0);
  bytes.writeUInt32BE(1, 4);
  bytes.writeUInt32BE(hashNumber(format), 8);
  positions.forEach((position, at) => bytes.writeUInt32BE(position, headerBytes + 4 * at));
  const end = bytes.length - idSize;
  bytes.set(packChecksum.subarray(0, idSize), end - idSize);
  bytes.set(digest(bytes.subarray(0, end), format), end);
  return bytes;
}

function hashNumber(format: ObjectFormat): 1 | 2 {
  return format === 'sha1' ? 1 : 2;
}

function damaged(what: string): CorruptError {
  return new CorruptError(`reverse index is damaged: ${what}`, { code: 'bad-reverse-index' });
}
