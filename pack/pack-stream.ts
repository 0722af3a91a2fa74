// Reading a pack from its first byte to its last without an index, as it comes in over the wire or lies in a file: gitformat-pack(5). Memory is
// bounded: a window of the input, and one small object at a time; large ones come in pieces.
//
// The bytes are untrusted: whatever is wrong is a CorruptError (code 'bad-pack'), at the latest when the iteration ends, which checks
// the trailer. Ids are not computed here, since an id needs a delta's base. Nothing is written.
import { CorruptError } from './errors.js';
import { Hasher, decodeObjectId, rawSize } from './oid.js';
import type { ObjectFormat, ObjectId, ObjectType } from './oid.js';
import { Inflater, crc32, inflate } from './zlib.js';

/** What an entry's content is: an object, or a delta to apply to the object at another place or of another name. */
export type PackStreamKind =
  | { readonly kind: 'object'; readonly type: ObjectType }
  | { readonly kind: 'offset-delta'; readonly baseOffset: number }
  | { readonly kind: 'id-delta'; readonly baseId: ObjectId };

const noBytes = Buffer.alloc(0);
const objectTypes: readonly (ObjectType | undefined)[] = [undefined, 'commit', 'tree', 'blob', 'tag'];
const offsetDelta = 6;
const idDelta = 7;
const headerBytes = 12;
/** Content up to this size is inflated at once. */
const smallBytes = 1024 * 1024;
/** Input handed to the inflater at a time for larger content. */
const pieceBytes = 64 * 1024;

function damaged(what: string, cause?: unknown): CorruptError {
  return new CorruptError(`pack is damaged: ${what}`, { code: 'bad-pack', cause });
}

/** Most bytes that compressing `sizeBytes` sensibly takes; streams of more are read piece by piece. */
function mostDeflated(sizeBytes: number): number {
  return sizeBytes + (sizeBytes >>> 9) + 1024;
}

/** The input as a window that moves forward, hashed and checksummed as it is used up. */
class PackInput {
  readonly #source: Iterator<Uint8Array>;
  readonly #hasher: Hasher;
  #window: Buffer = noBytes;
  #at = 0;
  #ended = false;
  /** Bytes used up so far. */
  offset = 0;
  /** Of what was used up since it was set to 0. */
  crc32 = 0;

  constructor(source: Iterable<Uint8Array>, format: ObjectFormat) {
    this.#source = source[Symbol.iterator]();
    this.#hasher = new Hasher(format);
  }

  /** What can be seen of the input; `fill` shows more. */
  get view(): Buffer { return this.#window.subarray(this.#at); }

  /** Makes at least `sizeBytes` visible unless the input ends before; false when it does. */
  fill(sizeBytes: number): boolean {
    const parts: Uint8Array[] = [];
    let visible = this.#window.length - this.#at;
    while (visible < sizeBytes && !this.#ended) {
      const next = this.#source.next();
      if (next.done) {
        this.#ended = true;
      } else {
        parts.push(next.value);
        visible += next.value.length;
      }
    }
    if (parts.length > 0) {
      this.#window = Buffer.concat([this.view, ...parts]);
      this.#at = 0;
    }
    return visible >= sizeBytes;
  }

  /** Uses up visible bytes. */
  consume(sizeBytes: number): Buffer {
    const used = this.#window.subarray(this.#at, this.#at + sizeBytes);
    this.#hasher.update(used);
    this.crc32 = crc32(used, this.crc32);
    this.#at += sizeBytes;
    this.offset += sizeBytes;
    return used;
  }

  /** Bytes that are not part of what the trailer covers. */
  takeTrailer(sizeBytes: number): { readonly trailer: Buffer; readonly digest: Buffer } {
    const trailer = this.#window.subarray(this.#at, this.#at + sizeBytes);
    this.#at += sizeBytes;
    return { trailer, digest: this.#hasher.digestBytes() };
  }
}

/** One entry on its way; its content must be read before the next entry is asked for, or it is passed over. */
export class PackStreamEntry {
  /** Where it begins in the pack. */
  readonly offset: number;
  readonly what: PackStreamKind;
  /** Of the content (of the delta, not of what it makes). */
  readonly sizeBytes: number;
  readonly #input: PackInput;
  #state: 'new' | 'reading' | 'done' = 'new';
  #crc32 = 0;

  constructor(input: PackInput, offset: number, what: PackStreamKind, sizeBytes: number) {
    this.#input = input;
    this.offset = offset;
    this.what = what;
    this.sizeBytes = sizeBytes;
  }

  /** CRC-32 of the entry as it is in the pack, as an index has it; known once the content was read. */
  get crc32(): number {
    if (this.#state !== 'done') throw new Error('the entry was not read yet');
    return this.#crc32;
  }

  /** The whole content; for what is known to fit into memory. */
  read(): Buffer {
    const pieces = [...this.chunks()];
    return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
  }

  /** The content in pieces; once. */
  *chunks(): Generator<Buffer> {
    if (this.#state !== 'new') throw new Error('the entry was read before');
    this.#state = 'reading';
    try {
      yield* this.#inflate();
    } catch (error) {
      if (error instanceof CorruptError && error.code !== 'bad-pack') throw damaged(`entry at ${this.offset}: ${error.message}`, error);
      throw error;
    }
    this.#crc32 = this.#input.crc32;
    this.#state = 'done';
  }

  *#inflate(): Generator<Buffer> {
    const { sizeBytes } = this;
    const input = this.#input;
    if (sizeBytes <= smallBytes) {
      const isWhole = input.fill(mostDeflated(sizeBytes));
      const small = this.#inflateSmall(!isWhole);
      if (small !== undefined) {
        yield small;
        return;
      }
    }
    const inflater = new Inflater();
    let given = 0;
    let got = 0;
    try {
      while (!inflater.finished) {
        input.fill(1);
        const piece = input.view.subarray(0, pieceBytes);
        if (piece.length === 0) throw damaged(`it ends inside the entry at ${this.offset}`);
        for (const chunk of inflater.push(piece)) {
          got += chunk.length;
          if (got > sizeBytes) throw damaged(`entry at ${this.offset} holds more than ${sizeBytes} bytes`);
          yield chunk;
        }
        given += piece.length;
        // What lies behind the stream's end stays for the next entry.
        input.consume(inflater.finished ? piece.length - (given - inflater.consumed) : piece.length);
      }
    } finally {
      inflater.close();
    }
    if (got !== sizeBytes) throw damaged(`entry at ${this.offset} holds ${got} bytes, not ${sizeBytes}`);
  }

  /** Undefined when the stream is longer than streams of this size are, so that not all of it is visible. */
  #inflateSmall(isAllThereIs: boolean): Buffer | undefined {
    try {
      const { bytes, consumed } = inflate(this.#input.view, 0, this.sizeBytes);
      this.#input.consume(consumed);
      return bytes;
    } catch (error) {
      if (!(error instanceof CorruptError) || isAllThereIs) throw error;
      return undefined;
    }
  }

  /** Reads what nobody wanted. */
  finish(): void {
    if (this.#state === 'done') return;
    if (this.#state === 'reading') throw new Error('the entry was read only in part');
    const chunks = this.chunks();
    while (!chunks.next().done);
  }
}

export class PackStream {
  readonly #input: PackInput;
  readonly #format: ObjectFormat;
  /** Entries the header promises. */
  readonly objectCount: number;
  #checksum: Buffer | undefined;

  /** Reads the header. `source` gives the pack's bytes in pieces of any size. */
  constructor(source: Iterable<Uint8Array>, format: ObjectFormat) {
    this.#input = new PackInput(source, format);
    this.#format = format;
    if (!this.#input.fill(headerBytes)) throw damaged('it is too short');
    const header = this.#input.consume(headerBytes);
    if (header.toString('latin1', 0, 4) !== 'PACK') throw damaged("it does not begin with 'PACK'");
    const version = header.readUInt32BE(4);
    if (version !== 2 && version !== 3) throw damaged(`version ${version} is not known`);
    this.objectCount = header.readUInt32BE(8);
  }

  /** The pack's trailer, once all entries were read. */
  get checksum(): Buffer {
    if (this.#checksum === undefined) throw new Error('the pack was not read to its end');
    return this.#checksum;
  }

  /** Every entry in turn; at the end the trailer is checked, and that nothing follows it. */
  *entries(): Generator<PackStreamEntry> {
    for (let count = 0; count < this.objectCount; count += 1) {
      const entry = this.#readEntry();
      yield entry;
      entry.finish();
    }
    const size = rawSize(this.#format);
    if (!this.#input.fill(size)) throw damaged('it ends before its trailer');
    const { trailer, digest } = this.#input.takeTrailer(size);
    if (!trailer.equals(digest)) throw damaged('its checksum does not match');
    if (this.#input.fill(1)) throw damaged('something follows its end');
    this.#checksum = Buffer.from(trailer);
  }

  #readEntry(): PackStreamEntry {
    const input = this.#input;
    const { offset } = input;
    input.crc32 = 0;
    const first = this.#readByte(offset);
    const type = (first >> 4) & 7;
    let sizeBytes = first & 15;
    let scale = 16;
    for (let byte = first; (byte & 0x80) !== 0; scale *= 128) {
      byte = this.#readByte(offset);
      sizeBytes += (byte & 0x7f) * scale;
      if (!Number.isSafeInteger(sizeBytes)) throw damaged(`entry at ${offset} is larger than can be`);
      if (scale > 2 ** 56) throw damaged(`entry at ${offset} has a size without end`);
    }
    return new PackStreamEntry(input, offset, this.#readKind(type, offset), sizeBytes);
  }

  #readKind(type: number, offset: number): PackStreamKind {
    const object = objectTypes[type];
    if (object !== undefined) return { kind: 'object', type: object };
    if (type === offsetDelta) {
      let byte = this.#readByte(offset);
      let distance = byte & 0x7f;
      while ((byte & 0x80) !== 0) {
        byte = this.#readByte(offset);
        distance = (distance + 1) * 128 + (byte & 0x7f);
        if (distance > offset) throw damaged(`entry at ${offset} has a base before the pack`);
      }
      if (distance === 0 || distance > offset - headerBytes) throw damaged(`entry at ${offset} has a base outside of the pack`);
      return { kind: 'offset-delta', baseOffset: offset - distance };
    }
    if (type === idDelta) {
      const size = rawSize(this.#format);
      if (!this.#input.fill(size)) throw damaged(`it ends inside the entry at ${offset}`);
      return { kind: 'id-delta', baseId: decodeObjectId(this.#input.consume(size), 0, this.#format) };
    }
    throw damaged(`entry at ${offset} has the unknown type ${type}`);
  }

  #readByte(offset: number): number {
    if (!this.#input.fill(1)) throw damaged(`it ends inside the entry at ${offset}`);
    return this.#input.consume(1)[0]!;
  }
}
