// Gzip (RFC 1952) undone as it comes. One member, as programs that make archives write; CorruptError for damage, and for anything that follows.
import { CorruptError } from '../../pack/errors.js';
import { RawInflater, crc32 } from '../../pack/zlib.js';

const trailerBytes = 8;
const mostHeaderBytes = 64 * 1024;

export function isGzip(start: Buffer): boolean {
  return start.length >= 3 && start[0] === 0x1f && start[1] === 0x8b && start[2] === 8;
}

/** The content; its checksum and length are checked at the end. */
export function* gunzip(pieces: Iterable<Uint8Array>): Generator<Buffer> {
  const inflater = new RawInflater();
  let held: Buffer = Buffer.alloc(0);
  let isBegun = false;
  let crc = 0;
  let sizeBytes = 0;
  const count = function* (content: Iterable<Buffer>): Generator<Buffer> {
    for (const piece of content) {
      crc = crc32(piece, crc);
      sizeBytes += piece.length;
      yield piece;
    }
  };
  try {
    for (const piece of pieces) {
      held = Buffer.concat([held, piece]);
      if (!isBegun) {
        const end = headerEnd(held);
        if (end === undefined) {
          if (held.length > mostHeaderBytes) throw damaged('its header does not end');
          continue;
        }
        held = held.subarray(end);
        isBegun = true;
      }
      if (held.length <= trailerBytes) continue;
      const body = held.subarray(0, held.length - trailerBytes);
      held = held.subarray(body.length);
      yield* count(inflater.push(body));
    }
    if (!isBegun || held.length < trailerBytes) throw damaged('it ends early');
    yield* count(inflater.finish());
  } finally {
    inflater.close();
  }
  if (held.readUInt32LE(0) !== crc || held.readUInt32LE(4) !== sizeBytes % 2 ** 32) throw damaged('its checksum does not match');
}

/** Where the compressed data begins; undefined when more is needed to tell. */
function headerEnd(bytes: Buffer): number | undefined {
  if (bytes.length < 10) return undefined;
  if (!isGzip(bytes)) throw damaged('it does not begin as gzip does');
  const flags = bytes[3]!;
  if ((flags & 0xe0) !== 0) throw damaged('it has flags that are not known');
  let at = 10;
  if ((flags & 4) !== 0) {
    if (bytes.length < at + 2) return undefined;
    at += 2 + bytes.readUInt16LE(at);
  }
  for (const flag of [8, 16]) {
    if ((flags & flag) === 0) continue;
    const end = bytes.indexOf(0, at);
    if (end < 0 || at > bytes.length) return undefined;
    at = end + 1;
  }
  if ((flags & 2) !== 0) at += 2;
  return at <= bytes.length ? at : undefined;
}

function damaged(what: string): CorruptError {
  return new CorruptError(`the gzip data is damaged: ${what}`, { code: 'bad-gzip' });
}
