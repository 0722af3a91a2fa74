// The reverse index of a pack: its index positions in the order the pack stores the entries (gitformat-pack(5), "pack-*.rev files").
// Pure: bytes in, values out.
//
// It says nothing the index does not say, only sooner: whoever finds none, or a damaged one, sorts the offsets instead.
import { CorruptError } from './errors.js';
import type { ObjectFormat } from './oid.js';
import { decodePackTable, encodePackTable } from './pack-table.js';

const magic = 0x52494458;

/** Index positions by ascending offset, each of `count` exactly once; CorruptError when the file is not that of this pack. */
export function decodeReverseIndex(bytes: Buffer, count: number, packChecksum: Uint8Array, format: ObjectFormat): Uint32Array {
  const positions = decodePackTable(bytes, magic, { count, checksum: packChecksum, format }, damaged);
  const seen = new Uint8Array(count);
  for (const [at, position] of positions.entries()) {
    if (position >= count || seen[position] === 1) throw damaged(`its entry ${at} is not a position of its own`);
    seen[position] = 1;
  }
  return positions;
}

/** The file's bytes, as git writes them. `positions` are those of `PackIndex.positionsByOffset`. */
export function encodeReverseIndex(positions: Uint32Array, packChecksum: Uint8Array, format: ObjectFormat): Buffer {
  return encodePackTable(magic, positions, packChecksum, format);
}

function damaged(what: string): CorruptError {
  return new CorruptError(`reverse index is damaged: ${what}`, { code: 'bad-reverse-index' });
}
