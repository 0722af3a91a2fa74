// Zip archives (APPNOTE 6.3), with 64-bit fields where they are needed: names as they are, marked as UTF-8 where they are that, Unix modes, one time
// for all in UTC. What gains nothing is stored. The same files give the same bytes everywhere.
//
// Content is read twice where it is large, so that sizes come first and no archive has to be read from behind. Constant memory but for the list
// at the end, some hundred bytes per file.
import { crc32, deflateRaw } from '../../pack/zlib.js';
import { isUtf8 } from '../../plumbing/utf8.js';

export interface ZipEntry {
  /** latin1; a directory ends in '/'. */
  readonly path: string;
  /** File type and permissions, as stat(2) has them. */
  readonly mode: number;
  readonly sizeBytes: number;
  /** The content, in pieces; may be asked for again. */
  readonly open: () => Iterable<Uint8Array>;
}

const most32 = 0xffffffff;
const utf8Flag = 0x800;
/** Smaller contents are held instead of being read twice. */
const mostHeldBytes = 16 * 1024 * 1024;
/** 4.5: what 64-bit fields need; made on Unix. */
const version = 45;
const unix = 3 << 8;
const directoryFlag = 0x10;

/** How content is stored. */
interface Packed {
  readonly method: 0 | 8;
  readonly crc: number;
  readonly packedBytes: number;
  readonly write: (put: (bytes: Uint8Array) => void) => void;
}

export class ZipWriter {
  readonly #write: (bytes: Uint8Array) => void;
  readonly #seconds: number;
  readonly #directory: Buffer[] = [];
  #count = 0;
  #offset = 0;

  /** `seconds`: the time of every entry, since 1970. */
  constructor(write: (bytes: Uint8Array) => void, seconds: number) {
    this.#write = write;
    this.#seconds = Math.max(0, seconds);
  }

  add(entry: ZipEntry): void {
    const { path, mode, sizeBytes } = entry;
    const name = Buffer.from(path, 'latin1');
    const packed = pack(entry);
    const offset = this.#offset;
    const flags = isUtf8(name) && name.some((byte) => byte > 0x7f) ? utf8Flag : 0;
    const isLarge = sizeBytes >= most32 || packed.packedBytes >= most32;
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    this.#describe(local, 4, flags, packed);
    local.writeUInt32LE(isLarge ? most32 : packed.packedBytes, 18);
    local.writeUInt32LE(isLarge ? most32 : sizeBytes, 22);
    local.writeUInt16LE(name.length, 26);
    const localExtra = Buffer.concat([this.#time(), ...(isLarge ? [extra64([sizeBytes, packed.packedBytes])] : [])]);
    local.writeUInt16LE(localExtra.length, 28);
    for (const part of [local, name, localExtra]) this.#put(part);
    packed.write((bytes) => { this.#put(bytes); });
    const isFar = offset >= most32;
    const large = [...(isLarge ? [sizeBytes, packed.packedBytes] : []), ...(isFar ? [offset] : [])];
    const extra = Buffer.concat([this.#time(), ...(large.length > 0 ? [extra64(large)] : [])]);
    const central = Buffer.alloc(46);
    central.writeUInt32LE(0x02014b50, 0);
    central.writeUInt16LE(unix | version, 4);
    this.#describe(central, 6, flags, packed);
    central.writeUInt32LE(isLarge ? most32 : packed.packedBytes, 20);
    central.writeUInt32LE(isLarge ? most32 : sizeBytes, 24);
    central.writeUInt16LE(name.length, 28);
    central.writeUInt16LE(extra.length, 30);
    central.writeUInt32LE(((mode << 16) | (path.endsWith('/') ? directoryFlag : 0)) >>> 0, 38);
    central.writeUInt32LE(isFar ? most32 : offset, 42);
    this.#directory.push(Buffer.concat([central, name, extra]));
    this.#count += 1;
  }

  /** Version needed, flags, method, time and checksum: the same in both headers. */
  #describe(header: Buffer, at: number, flags: number, { method, crc }: Packed): void {
    header.writeUInt16LE(version, at);
    header.writeUInt16LE(flags, at + 2);
    header.writeUInt16LE(method, at + 4);
    const date = new Date(this.#seconds * 1000);
    // The format begins in 1980 and ends in 2107.
    const year = Math.min(127, Math.max(0, date.getUTCFullYear() - 1980));
    header.writeUInt16LE((date.getUTCHours() << 11) | (date.getUTCMinutes() << 5) | (date.getUTCSeconds() >> 1), at + 6);
    header.writeUInt16LE((year << 9) | ((date.getUTCMonth() + 1) << 5) | date.getUTCDate(), at + 8);
    header.writeUInt32LE(crc, at + 10);
  }

  /** The time in UTC, which the fields above cannot tell. */
  #time(): Buffer {
    const extra = Buffer.from([0x55, 0x54, 5, 0, 1, 0, 0, 0, 0]);
    extra.writeUInt32LE(Math.min(this.#seconds, 0x7fffffff), 5);
    return extra;
  }

  /** Ends the archive, with a comment for all of it. */
  finish(comment: string): void {
    const start = this.#offset;
    for (const entry of this.#directory) this.#put(entry);
    const size = this.#offset - start;
    if (this.#count >= 0xffff || start >= most32 || size >= most32) this.#putEnd64(start, size);
    const end = Buffer.alloc(22);
    end.writeUInt32LE(0x06054b50, 0);
    end.writeUInt16LE(Math.min(this.#count, 0xffff), 8);
    end.writeUInt16LE(Math.min(this.#count, 0xffff), 10);
    end.writeUInt32LE(Math.min(size, most32), 12);
    end.writeUInt32LE(Math.min(start, most32), 16);
    end.writeUInt16LE(comment.length, 20);
    this.#put(Buffer.concat([end, Buffer.from(comment, 'latin1')]));
  }

  #putEnd64(start: number, size: number): void {
    const end = Buffer.alloc(56 + 20);
    end.writeUInt32LE(0x06064b50, 0);
    end.writeBigUInt64LE(44n, 4);
    end.writeUInt16LE(unix | version, 12);
    end.writeUInt16LE(version, 14);
    for (const at of [24, 32]) end.writeBigUInt64LE(BigInt(this.#count), at);
    end.writeBigUInt64LE(BigInt(size), 40);
    end.writeBigUInt64LE(BigInt(start), 48);
    end.writeUInt32LE(0x07064b50, 56);
    end.writeBigUInt64LE(BigInt(start + size), 64);
    end.writeUInt32LE(1, 72);
    this.#put(end);
  }

  #put(bytes: Uint8Array): void {
    this.#write(bytes);
    this.#offset += bytes.length;
  }
}

function extra64(values: readonly number[]): Buffer {
  const extra = Buffer.alloc(4 + 8 * values.length);
  extra.writeUInt16LE(1, 0);
  extra.writeUInt16LE(8 * values.length, 2);
  for (const [at, value] of values.entries()) extra.writeBigUInt64LE(BigInt(value), 4 + 8 * at);
  return extra;
}

function pack({ sizeBytes, open }: ZipEntry): Packed {
  if (sizeBytes < mostHeldBytes) {
    const content = Buffer.concat([...open()]);
    const deflated = Buffer.concat([...deflateRaw([content])]);
    const body = deflated.length < content.length ? deflated : content;
    return { method: body === content ? 0 : 8, crc: crc32(content), packedBytes: body.length, write: (put) => { put(body); } };
  }
  let crc = 0;
  let packedBytes = 0;
  const counted = function* (): Generator<Uint8Array> {
    for (const piece of open()) {
      crc = crc32(piece, crc);
      yield piece;
    }
  };
  for (const piece of deflateRaw(counted())) packedBytes += piece.length;
  const isSmaller = packedBytes < sizeBytes;
  return {
    method: isSmaller ? 8 : 0, crc, packedBytes: isSmaller ? packedBytes : sizeBytes,
    write: (put) => { for (const piece of isSmaller ? deflateRaw(open()) : open()) put(piece); },
  };
}
