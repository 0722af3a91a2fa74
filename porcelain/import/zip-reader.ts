// Zip archives (APPNOTE 6.3), by the directory at their end, which each local header must agree with. Entries that overlap, are encrypted or
// compressed otherwise than by deflate are refused; checksums are checked.
//
// The bytes are untrusted: a value or an error. Memory: a few hundred bytes per entry.
import * as fs from 'node:fs';
import { CorruptError, RefusedError } from '../../pack/errors.js';
import { executableMode, fileMode, pathToUtf8, repoPath } from '../../pack/tree.js';
import { RawInflater, crc32 } from '../../pack/zlib.js';
import { mostFiles } from '../tree-listing.js';
import type { Incoming } from './incoming-files.js';

interface Entry {
  readonly path: string;
  readonly mode: number;
  readonly method: number;
  readonly crc: number;
  readonly packedBytes: number;
  readonly sizeBytes: number;
  readonly offset: number;
}

const most32 = 0xffffffff;
const pieceBytes = 64 * 1024;
const mostDirectoryBytes = 2 ** 30;
const fileType = 0o170000;
const linkType = 0o120000;
const mostTargetBytes = 64 * 1024;

/** Everything in it, in the order of its directory. */
export function* readZip(fd: number, sizeBytes: number): Generator<Incoming> {
  const file = new ZipFile(fd, sizeBytes);
  for (const entry of file.list()) yield describe(file, entry);
}

function describe(file: ZipFile, entry: Entry): Incoming {
  const { path, mode, sizeBytes } = entry;
  if (path.endsWith('/')) return { kind: 'directory', path };
  const type = mode & fileType;
  if (type === linkType) {
    if (sizeBytes > mostTargetBytes) throw damaged('a link points too far');
    return { kind: 'link', path, target: Buffer.concat([...file.content(entry)]) };
  }
  if (type !== 0 && type !== 0o100000) {
    throw new RefusedError(`'${shown(path)}' is no file, link or directory, which are all a snapshot can hold`, { code: 'not-importable' });
  }
  return { kind: 'file', path, mode: (mode & 0o100) !== 0 ? executableMode : fileMode, sizeBytes, content: () => file.content(entry) };
}

class ZipFile {
  readonly #fd: number;
  readonly #sizeBytes: number;

  constructor(fd: number, sizeBytes: number) {
    this.#fd = fd;
    this.#sizeBytes = sizeBytes;
  }

  #read(offset: number, lengthBytes: number): Buffer {
    if (offset < 0 || lengthBytes < 0 || offset + lengthBytes > this.#sizeBytes) throw damaged('something lies outside of it');
    const bytes = Buffer.alloc(lengthBytes);
    let done = 0;
    while (done < lengthBytes) {
      const got = fs.readSync(this.#fd, bytes, done, lengthBytes - done, offset + done);
      if (got === 0) throw damaged('it was cut short meanwhile');
      done += got;
    }
    return bytes;
  }

  list(): Entry[] {
    const { start, size, count } = this.#findDirectory();
    if (size > mostDirectoryBytes || count > mostFiles) throw new RefusedError('the zip archive has too many entries', { code: 'too-many-files' });
    const directory = this.#read(start, size);
    const entries: Entry[] = [];
    for (let at = 0; entries.length < count;) {
      const { entry, end } = readCentral(directory, at);
      entries.push(entry);
      at = end;
    }
    this.#checkOverlap(entries, start);
    return entries;
  }

  #findDirectory(): { readonly start: number; readonly size: number; readonly count: number } {
    const tailBytes = Math.min(this.#sizeBytes, 22 + 0xffff);
    const tail = this.#read(this.#sizeBytes - tailBytes, tailBytes);
    for (let at = tail.length - 22; at >= 0; at -= 1) {
      // The comment must end where the file does.
      if (tail.readUInt32LE(at) !== 0x06054b50 || tail.readUInt16LE(at + 20) !== tail.length - at - 22) continue;
      if (tail.readUInt16LE(at + 4) !== 0 || tail.readUInt16LE(at + 6) !== 0) throw new RefusedError('a zip archive in several parts is not supported', { code: 'not-importable' });
      const small = { start: tail.readUInt32LE(at + 16), size: tail.readUInt32LE(at + 12), count: tail.readUInt16LE(at + 10) };
      if (small.start !== most32 && small.size !== most32 && small.count !== 0xffff) return small;
      return this.#findLargeDirectory(this.#sizeBytes - tailBytes + at) ?? small;
    }
    throw damaged('its end is not there');
  }

  #findLargeDirectory(end: number): { readonly start: number; readonly size: number; readonly count: number } | undefined {
    if (end < 20) return undefined;
    const locator = this.#read(end - 20, 20);
    if (locator.readUInt32LE(0) !== 0x07064b50) return undefined;
    const record = this.#read(safe(locator.readBigUInt64LE(8)), 56);
    if (record.readUInt32LE(0) !== 0x06064b50) throw damaged('its large end is not there');
    return { start: safe(record.readBigUInt64LE(48)), size: safe(record.readBigUInt64LE(40)), count: safe(record.readBigUInt64LE(32)) };
  }

  /** Bytes that count more than once are how a little becomes a lot. */
  #checkOverlap(entries: readonly Entry[], directory: number): void {
    let end = 0;
    for (const entry of entries.toSorted((a, b) => a.offset - b.offset)) {
      if (entry.offset < end) throw new RefusedError(`'${shown(entry.path)}' overlaps another entry`, { code: 'zip-overlap' });
      end = this.#dataOffset(entry) + entry.packedBytes;
      if (end > directory) throw damaged(`'${shown(entry.path)}' reaches into the directory`);
    }
  }

  #dataOffset({ offset, path, method }: Entry): number {
    const local = this.#read(offset, 30);
    if (local.readUInt32LE(0) !== 0x04034b50) throw damaged(`'${shown(path)}' does not begin where it should`);
    const nameBytes = local.readUInt16LE(26);
    const name = this.#read(offset + 30, nameBytes).toString('latin1');
    if (name !== path || local.readUInt16LE(8) !== method) throw damaged(`'${shown(path)}' is said to be something else in front of it`);
    return offset + 30 + nameBytes + local.readUInt16LE(28);
  }

  /** Checked as a whole at its end. */
  *content(entry: Entry): Generator<Buffer> {
    let crc = 0;
    let got = 0;
    for (const piece of entry.method === 0 ? this.#stored(entry) : this.#inflated(entry)) {
      crc = crc32(piece, crc);
      got += piece.length;
      if (got > entry.sizeBytes) break;
      yield piece;
    }
    if (got !== entry.sizeBytes || crc !== entry.crc) throw damaged(`'${shown(entry.path)}' is not what its checksum says`);
  }

  *#stored(entry: Entry): Generator<Buffer> {
    const start = this.#dataOffset(entry);
    for (let at = 0; at < entry.packedBytes; at += pieceBytes) yield this.#read(start + at, Math.min(pieceBytes, entry.packedBytes - at));
  }

  *#inflated(entry: Entry): Generator<Buffer> {
    const inflater = new RawInflater();
    try {
      for (const piece of this.#stored(entry)) yield* inflater.push(piece);
      yield* inflater.finish();
    } finally {
      inflater.close();
    }
  }
}

function readCentral(directory: Buffer, at: number): { readonly entry: Entry; readonly end: number } {
  if (at + 46 > directory.length || directory.readUInt32LE(at) !== 0x02014b50) throw damaged('its directory ends early');
  const nameBytes = directory.readUInt16LE(at + 28);
  const extraBytes = directory.readUInt16LE(at + 30);
  const end = at + 46 + nameBytes + extraBytes + directory.readUInt16LE(at + 32);
  if (end > directory.length) throw damaged('its directory ends early');
  const path = directory.toString('latin1', at + 46, at + 46 + nameBytes);
  const flags = directory.readUInt16LE(at + 8);
  const method = directory.readUInt16LE(at + 10);
  if ((flags & 0x2041) !== 0) throw new RefusedError(`'${shown(path)}' is encrypted`, { code: 'not-importable' });
  if (method !== 0 && method !== 8) throw new RefusedError(`'${shown(path)}' is compressed by a method that is not supported (${method})`, { code: 'not-importable' });
  const isUnix = directory[at + 5] === 3;
  const large = extra64(directory.subarray(at + 46 + nameBytes, at + 46 + nameBytes + extraBytes));
  const field = (offset: number): number => {
    const value = directory.readUInt32LE(at + offset);
    return value === most32 ? large() : value;
  };
  const sizeBytes = field(24);
  const packedBytes = field(20);
  const offset = field(42);
  if (method === 0 && packedBytes !== sizeBytes) throw damaged(`'${shown(path)}' has two sizes`);
  return {
    entry: { path, mode: isUnix ? directory.readUInt32LE(at + 38) >>> 16 : 0, method, crc: directory.readUInt32LE(at + 16), packedBytes, sizeBytes, offset },
    end,
  };
}

/** The 64-bit numbers of an entry, one after the other. */
function extra64(extra: Buffer): () => number {
  for (let at = 0; at + 4 <= extra.length;) {
    const length = extra.readUInt16LE(at + 2);
    const start = at + 4;
    if (extra.readUInt16LE(at) === 1 && start + length <= extra.length) {
      let next = start;
      return () => {
        if (next + 8 > start + length) throw damaged('a large number is not there');
        next += 8;
        return safe(extra.readBigUInt64LE(next - 8));
      };
    }
    at = start + length;
  }
  return () => most32;
}

function safe(value: bigint): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw damaged('a number is too large');
  return Number(value);
}

function shown(path: string): string {
  return pathToUtf8(repoPath(path));
}

function damaged(what: string): CorruptError {
  return new CorruptError(`the zip archive is damaged: ${what}`, { code: 'bad-zip' });
}
