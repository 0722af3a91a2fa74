// What of a damaged archive is damaged, told by the objects that are not whole in it any more. Only asked when the bytes are known to be wrong:
// whatever can be read is read, places that cannot are passed over until an entry begins again, and what others name and is not there is named.
//
// Reading only; the bytes are untrusted, and whatever they are, the report ends. It never throws because of them.
import * as fs from 'node:fs';
import { applyDelta, readDeltaSizes } from '../../pack/delta.js';
import { CorruptError } from '../../pack/errors.js';
import { IdTable } from '../../pack/id-table.js';
import { streamThresholdBytes } from '../../pack/object.js';
import { Hasher, type ObjectId, type ObjectType, encodeObjectHeader, hashObject, rawSize } from '../../pack/oid.js';
import { encodeDeltaHeader, encodeEntryHeader } from '../../pack/pack-writer.js';
import { Deflater, Inflater, deflate, zlibHeader } from '../../pack/zlib.js';
import type { Steps } from '../../plumbing/interruption.js';
import { encodeHeader } from './bundle-file.js';
import { listLinks } from './object-links.js';
import type { Sidecar } from './sidecar.js';

const mostLines = 8;
const packHeaderBytes = 12;
const pieceBytes = 64 * 1024;
/** No entry of ours has a longer header. */
const mostHeaderBytes = 20;
/** Contents kept for the deltas that build on them. */
const mostKeptBytes = 64 * 1024 * 1024;
const types: readonly (ObjectType | undefined)[] = [undefined, 'commit', 'tree', 'blob', 'tag'];
const offsetDelta = 6;

/** What an entry's first bytes say. */
interface Head {
  readonly type: ObjectType | undefined;
  /** Where its base begins; undefined for a whole object. */
  readonly base: number | undefined;
  readonly sizeBytes: number;
  readonly dataOffset: number;
}

/** An entry that inflates to what it says. */
interface Entry extends Head {
  readonly offset: number;
  readonly end: number;
  /** Of the object; undefined for a delta whose base is not there. */
  id: ObjectId | undefined;
  kind: ObjectType | undefined;
}

/** Lines, the most telling first; at least one. */
export function* reportDamage(path: string, sidecar: Sidecar, sizeBytes: number): Steps<string[]> {
  const fd = fs.openSync(path, 'r');
  try {
    return yield* new DamagedArchive(fd, sidecar, sizeBytes).report();
  } finally {
    fs.closeSync(fd);
  }
}

class DamagedArchive {
  readonly #fd: number;
  readonly #sidecar: Sidecar;
  readonly #sizeBytes: number;
  readonly #header: Buffer;
  /** Where entries end, as far as there is a file. */
  readonly #entriesEnd: number;
  /** By where they begin in the file. */
  readonly #entries = new Map<number, Entry>();
  readonly #badOffsets: number[] = [];
  readonly #kept = new Map<number, Buffer>();
  #keptBytes = 0;

  constructor(fd: number, sidecar: Sidecar, sizeBytes: number) {
    this.#fd = fd;
    this.#sidecar = sidecar;
    this.#sizeBytes = sizeBytes;
    this.#header = encodeHeader(sidecar, sidecar.format);
    this.#entriesEnd = Math.min(sizeBytes, sidecar.archive!.sizeBytes - rawSize(sidecar.format));
  }

  *report(): Steps<string[]> {
    const lines: string[] = [];
    const places = this.#comparePlaces();
    yield* this.#scan();
    const missing = yield* this.#findMissing();
    for (const [id, as] of [...missing].slice(0, mostLines)) lines.push(`object '${id}'${as === '' ? '' : ` (${as})`} is not whole in it`);
    if (missing.size > mostLines) lines.push(`${missing.size - mostLines} more objects are not whole in it`);
    for (const offset of this.#badOffsets.slice(0, mostLines)) lines.push(`the entry at byte ${offset} cannot be read`);
    lines.push(...places);
    if (lines.length === 0) lines.push(...yield* this.#compareStorage());
    return lines.length > 0 ? lines : ['its bytes are not those that were written'];
  }

  /** Size, header and trailer, whose bytes are known. */
  #comparePlaces(): string[] {
    const lines: string[] = [];
    const { archive, counts, format, heads, prerequisites } = this.#sidecar;
    if (this.#sizeBytes !== archive!.sizeBytes) lines.push(`it is ${this.#sizeBytes} bytes long instead of ${archive!.sizeBytes}`);
    const header = this.#read(0, this.#header.length);
    if (!header.equals(this.#header)) {
      const at = this.#header.findIndex((byte, index) => byte !== header[index]);
      const line = this.#header.subarray(0, at).toString('latin1').split('\n').length - 1;
      const firstRef = (format === 'sha1' ? 1 : 2) + prerequisites.length;
      const what = heads[line - firstRef];
      lines.push(`its header, at byte ${at}${what === undefined ? '' : ` (${what.name} '${what.id}')`}`);
    }
    const packHeader = Buffer.from('PACK\0\0\0\x02\0\0\0\0', 'latin1');
    packHeader.writeUInt32BE(counts.objects, 8);
    if (!this.#read(this.#header.length, packHeaderBytes).equals(packHeader)) lines.push("its pack's header");
    return lines;
  }

  /** Fewer than asked for where the file ends. */
  #read(offset: number, lengthBytes: number): Buffer {
    const bytes = Buffer.alloc(Math.max(0, lengthBytes));
    let done = 0;
    while (done < lengthBytes) {
      const got = fs.readSync(this.#fd, bytes, done, lengthBytes - done, offset + done);
      if (got === 0) break;
      done += got;
    }
    return bytes.subarray(0, done);
  }

  /** Finds all entries that can be read. */
  *#scan(): Steps<void> {
    for (let at: number | undefined = this.#header.length + packHeaderBytes; at !== undefined && at < this.#entriesEnd;) {
      const entry: Entry | undefined = yield* this.#readEntry(at);
      if (entry === undefined) {
        this.#badOffsets.push(at);
        at = yield* this.#findEntry(at + 1);
        continue;
      }
      this.#entries.set(at, entry);
      at = entry.end;
    }
  }

  /** Undefined unless there is one that inflates to what it says. */
  *#readEntry(offset: number): Steps<Entry | undefined> {
    const head = this.#readHead(offset);
    if (head === undefined) return undefined;
    const isLarge = head.sizeBytes >= streamThresholdBytes;
    if (isLarge && head.base !== undefined) return undefined;
    const hasher = isLarge ? new Hasher(this.#sidecar.format) : undefined;
    if (head.type !== undefined) hasher?.update(encodeObjectHeader(head.type, head.sizeBytes));
    const pieces: Buffer[] = [];
    const end = yield* this.#inflate(head, (piece) => {
      if (hasher === undefined) pieces.push(piece);
      else hasher.update(piece);
    });
    if (end === undefined) return undefined;
    const entry: Entry = { ...head, offset, end, id: hasher?.digestId(), kind: head.type };
    if (!isLarge) this.#identify(entry, Buffer.concat(pieces));
    return entry;
  }

  #readHead(offset: number): Head | undefined {
    const bytes = this.#read(offset, Math.min(mostHeaderBytes, this.#entriesEnd - offset));
    let at = 0;
    const first = bytes[at++];
    if (first === undefined) return undefined;
    const kind = (first >> 4) & 7;
    let sizeBytes = first & 15;
    for (let byte: number | undefined = first, scale = 16; (byte & 0x80) !== 0; scale *= 128) {
      byte = bytes[at++];
      if (byte === undefined) return undefined;
      sizeBytes += (byte & 0x7f) * scale;
    }
    if (sizeBytes > this.#sizeBytes * 1032 + 1) return undefined;
    if (kind !== offsetDelta) return types[kind] === undefined ? undefined : { type: types[kind], base: undefined, sizeBytes, dataOffset: offset + at };
    let byte = bytes[at++];
    let distance = (byte ?? 0) & 0x7f;
    while (byte !== undefined && (byte & 0x80) !== 0) {
      byte = bytes[at++];
      distance = (distance + 1) * 128 + ((byte ?? 0) & 0x7f);
    }
    if (byte === undefined || distance <= 0 || distance > offset) return undefined;
    return { type: undefined, base: offset - distance, sizeBytes, dataOffset: offset + at };
  }

  /** Where the stream ends; undefined when it is damaged or of another size. `take` gets pieces of its own. */
  *#inflate({ dataOffset, sizeBytes }: Head, take: (piece: Buffer) => void): Steps<number | undefined> {
    const inflater = new Inflater();
    let got = 0;
    try {
      for (let at = dataOffset; !inflater.finished; at += pieceBytes) {
        const piece = this.#read(at, Math.min(pieceBytes, this.#entriesEnd - at));
        if (piece.length === 0) return undefined;
        for (const content of inflater.push(piece)) {
          got += content.length;
          if (got > sizeBytes) return undefined;
          take(Buffer.from(content));
        }
        yield;
      }
      return got === sizeBytes ? dataOffset + inflater.consumed : undefined;
    } catch (error) {
      if (error instanceof CorruptError) return undefined;
      throw error;
    } finally {
      inflater.close();
    }
  }

  /** Finds out which object it is, given what it inflates to. */
  #identify(entry: Entry, stored: Buffer): void {
    if (entry.base === undefined) {
      entry.id = hashObject(entry.type!, stored, this.#sidecar.format);
      this.#keep(entry.offset, stored);
      return;
    }
    const base = this.#entries.get(entry.base);
    const content = base?.kind === undefined ? undefined : this.#applied(base, stored);
    if (base === undefined || content === undefined) {
      // Its base may be what is damaged, and then this one is not.
      if (base === undefined && !this.#badOffsets.includes(entry.base)) this.#badOffsets.push(entry.offset);
      return;
    }
    entry.kind = base.kind;
    entry.id = hashObject(base.kind!, content, this.#sidecar.format);
    this.#keep(entry.offset, content);
  }

  #applied(base: Entry, delta: Buffer): Buffer | undefined {
    const bytes = this.#content(base);
    if (bytes === undefined) return undefined;
    try {
      if (readDeltaSizes(delta).resultBytes >= streamThresholdBytes) return undefined;
      return applyDelta(bytes, delta);
    } catch (error) {
      if (error instanceof CorruptError) return undefined;
      throw error;
    }
  }

  /** The content of an object that was read before; undefined for a large one. */
  #content(entry: Entry): Buffer | undefined {
    const kept = this.#kept.get(entry.offset);
    if (kept !== undefined) return kept;
    if (entry.sizeBytes >= streamThresholdBytes) return undefined;
    const pieces: Buffer[] = [];
    for (const _step of this.#inflate(entry, (piece) => { pieces.push(piece); })) continue;
    const stored = Buffer.concat(pieces);
    const base = entry.base === undefined ? undefined : this.#entries.get(entry.base);
    const content = entry.base === undefined ? stored : base && this.#applied(base, stored);
    if (content !== undefined) this.#keep(entry.offset, content);
    return content;
  }

  #keep(offset: number, content: Buffer): void {
    if (this.#keptBytes + content.length > mostKeptBytes) {
      this.#kept.clear();
      this.#keptBytes = 0;
    }
    this.#kept.set(offset, content);
    this.#keptBytes += content.length;
  }

  /** Where the next entry begins, from `from` on: compressed data always begins with the same two bytes, which a header comes before. */
  *#findEntry(from: number): Steps<number | undefined> {
    for (let at = from; at < this.#entriesEnd; at += pieceBytes) {
      const block = this.#read(at, Math.min(pieceBytes + 1, this.#entriesEnd - at));
      for (let found = block.indexOf(zlibHeader); found >= 0; found = block.indexOf(zlibHeader, found + 1)) {
        const dataOffset = at + found;
        for (let offset = dataOffset - 1; offset >= Math.max(from, dataOffset - mostHeaderBytes); offset -= 1) {
          if (this.#readHead(offset)?.dataOffset === dataOffset && (yield* this.#readEntry(offset)) !== undefined) return offset;
        }
      }
      yield;
    }
    return undefined;
  }

  /** What heads and whole objects name and is not there, with a word on what it is. */
  *#findMissing(): Steps<Map<ObjectId, string>> {
    const { format, heads, prerequisites } = this.#sidecar;
    const found = new IdTable(format);
    for (const { id } of this.#entries.values()) if (id !== undefined) found.addId(id);
    const missing = new Map<ObjectId, string>();
    const given = new Set(prerequisites);
    const want = (id: ObjectId, as: string): void => {
      if (found.findId(id) < 0 && !given.has(id) && !missing.has(id)) missing.set(id, as);
    };
    for (const { id, name } of heads) want(id, name);
    // What other archives have cannot be told from what is damaged.
    if (prerequisites.length > 0) return missing;
    for (const entry of this.#entries.values()) {
      const content = entry.kind === undefined || entry.kind === 'blob' ? undefined : this.#content(entry);
      if (content === undefined) continue;
      try {
        for (const { id, as } of listLinks(entry.kind!, content, format)) want(id, Buffer.from(as, 'latin1').toString());
      } catch (error) {
        if (!(error instanceof CorruptError)) throw error;
      }
      yield;
    }
    return missing;
  }

  /** Entries that hold what they should, but not as they were written. */
  *#compareStorage(): Steps<string[]> {
    for (const entry of this.#entries.values()) {
      const { offset, end, base, type, sizeBytes, id } = entry;
      const head = base === undefined ? encodeEntryHeader(type!, sizeBytes) : encodeDeltaHeader(sizeBytes, offset - base);
      let at = offset;
      let isSame = true;
      const compare = (bytes: Uint8Array): void => {
        isSame &&= this.#read(at, bytes.length).equals(bytes);
        at += bytes.length;
      };
      compare(head);
      if (sizeBytes < streamThresholdBytes) {
        const pieces: Buffer[] = [];
        yield* this.#inflate(entry, (piece) => { pieces.push(piece); });
        compare(deflate(Buffer.concat(pieces), 'fixed'));
      } else {
        yield* this.#compareLarge(entry, compare);
      }
      if (!isSame || at !== end) return [`object '${id ?? 'unknown'}' at byte ${offset} is not stored as it was written`];
    }
    return ['the checksum at its end'];
  }

  /** The same for one that is too large to hold. */
  *#compareLarge(entry: Entry, compare: (bytes: Uint8Array) => void): Steps<void> {
    const deflater = new Deflater('fixed');
    try {
      yield* this.#inflate(entry, (piece) => { for (const part of deflater.push(piece)) compare(part); });
      for (const part of deflater.finish()) compare(part);
    } finally {
      deflater.close();
    }
  }
}
