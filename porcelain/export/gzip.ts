// Gzip (RFC 1952) of bytes as they come, without name and time, so that the same bytes give the same file everywhere.
import { crc32, deflateRaw } from '../../pack/zlib.js';

/** No flags, no time, made on Unix. */
const header = Buffer.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3);

/** `pieces` compressed; each piece may be overwritten once the next is asked for. */
export function* gzip(pieces: Iterable<Uint8Array>): Generator<Uint8Array> {
  let crc = 0;
  let sizeBytes = 0;
  yield header;
  const counted = function* (): Generator<Uint8Array> {
    for (const piece of pieces) {
      crc = crc32(piece, crc);
      sizeBytes += piece.length;
      yield piece;
    }
  };
  yield* deflateRaw(counted());
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(crc, 0);
  trailer.writeUInt32LE(sizeBytes % 2 ** 32, 4);
  yield trailer;
}
