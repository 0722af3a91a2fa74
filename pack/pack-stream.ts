// Reading a pack from its first byte to its last without an index, as it comes in over the wire or lies in a file: gitformat-pack(5). Memory is
// bounded: a window of the input, and one small object at a time; large ones come in pieces.
//
// The bytes are untrusted: whatever is wrong is a CorruptError (code 'bad-pack'), at the latest when the iteration ends, which checks
// the trailer. Ids are not computed here, since an id needs a delta's base. Nothing is written.
import { CorruptError } from './errors.js';
import { Hasher, decodeObjectId, rawSize } from './oid.js';
import type { ObjectFormat, ObjectId, ObjectType } from './oid.js';
import { Inflater, crc32, inflateInto } from './zlib.js';

/** What an entry's content is: an object, or a delta to apply to the object at another place or of another name. */
export type PackStreamKind =
  | { readonly kind: 'object'; readonly type: ObjectType }
  | { readonly kind: 'offset-delta'; readonly baseOffset: number }
  | { readonly kind: 'id-delta'; readonly baseId: ObjectId };

const noBytes: Buffer = Buffer.alloc(0);
const objectKinds: readonly (PackStreamKind | undefined)[] = [
  undefined, ...(['commit', 'tree', 'blob', 'tag'] as const).map((type) => ({ kind: 'object', type }) as const),
];
const offsetDelta = 6;
const idDelta = 7;
const headerBytes = 12;
/** Content up to this size is inflated at once. */
const smallBytes = 1024 * 1024;
const firstWindowBytes = 512 * 1024;
/** Input handed to the inflater at a time for larger content. */
const pieceBytes = 64 * 1024;

function damaged(what: string, cause?: unknown): CorruptError {
  return new CorruptError(`pack is damaged: ${what}`, { code: 'bad-pack', cause });
}

/** Most bytes that compressing `sizeBytes` sensibly takes; streams of more are read piece by piece. */
function mostDeflated(sizeBytes: number): number {
  return sizeBytes + (sizeBytes >>> 9) + 1024;
}

/** The input as a window that moves forward, hashed and handed on as it is used up. */
class PackInput {
  readonly #source: Iterator<Uint8Array>;
  readonly #hasher: Hasher;
  readonly #onBytes: ((bytes: Buffer) => void) | undefined;
  #window: Buffer = Buffer.allocUnsafeSlow(firstWindowBytes);
  /** The filled part of the window. */
  #filled: Buffer = noBytes;
  /** Where in the pack the window begins. */
  #windowOffset = 0;
  #at = 0;
  /** What lies before was hashed and handed on. */
  #settledTo = 0;
  /** What lies between here and `#at` is missing in `#crc32`. */
  #crcFrom = 0;
  #crc32 = 0;
  #ended = false;

  constructor(source: Iterable<Uint8Array>, format: ObjectFormat, onBytes: ((bytes: Buffer) => void) | undefined) {
    this.#source = source[Symbol.iterator]();
    this.#hasher = new Hasher(format);
    this.#onBytes = onBytes;
  }

  /** Bytes used up so far. */
  get offset(): number { return this.#windowOffset + this.#at; }

  /** The bytes at hand, of which those from `at` on are not used up; valid until `fill`. */
  get window(): Buffer { return this.#filled; }
  get at(): number { return this.#at; }

  /** Makes at least `sizeBytes` visible unless the input ends before; false when it does. */
  fill(sizeBytes: number): boolean {
    if (this.#filled.length - this.#at >= sizeBytes) return true;
    this.#settle();
    this.#foldCrc();
    let end = this.#filled.length - this.#at;
    this.#window.copyWithin(0, this.#at, this.#filled.length);
    this.#windowOffset += this.#at;
    this.#at = this.#settledTo = this.#crcFrom = 0;
    while (end < sizeBytes && !this.#ended) {
      const next = this.#source.next();
      if (next.done) {
        this.#ended = true;
        break;
      }
      this.#reserve(end, end + next.value.length);
      this.#window.set(next.value, end);
      end += next.value.length;
    }
    this.#filled = this.#window.subarray(0, end);
    return end >= sizeBytes;
  }

  #reserve(keptBytes: number, sizeBytes: number): void {
    if (sizeBytes <= this.#window.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(sizeBytes, 2 * this.#window.length));
    larger.set(this.#window.subarray(0, keptBytes));
    this.#window = larger;
  }

  /** Uses up visible bytes. */
  consume(sizeBytes: number): Buffer {
    const used = this.#filled.subarray(this.#at, this.#at + sizeBytes);
    this.#at += sizeBytes;
    return used;
  }

  /** The next byte, used up; undefined at the end. */
  readByte(): number | undefined {
    if (this.#at === this.#filled.length && !this.fill(1)) return undefined;
    this.#at += 1;
    return this.#filled[this.#at - 1];
  }

  /** From here on bytes count for `takeCrc32`. */
  startCrc32(): void {
    this.#crcFrom = this.#at;
    this.#crc32 = 0;
  }

  takeCrc32(): number {
    this.#foldCrc();
    return this.#crc32;
  }

  #foldCrc(): void {
    if (this.#crcFrom < this.#at) this.#crc32 = crc32(this.#filled.subarray(this.#crcFrom, this.#at), this.#crc32);
    this.#crcFrom = this.#at;
  }

  #settle(): void {
    if (this.#settledTo === this.#at) return;
    const used = this.#filled.subarray(this.#settledTo, this.#at);
    this.#hasher.update(used);
    this.#onBytes?.(used);
    this.#settledTo = this.#at;
  }

  /** The visible bytes that end the pack, which what they cover does not include. */
  takeTrailer(sizeBytes: number): { readonly trailer: Buffer; readonly digest: Buffer } {
    this.#settle();
    const trailer = Buffer.from(this.consume(sizeBytes));
    this.#onBytes?.(trailer);
    this.#settledTo = this.#at;
    return { trailer, digest: this.#hasher.digestBytes() };
  }
}

/** One entry on its way; its content must be read before the next entry is asked for, or it is passed over. */
export class PackStreamEntry {
  /** Where it begins in the pack, and where its compressed content does. */
  readonly offset: number;
  readonly dataOffset: number;
  readonly what: PackStreamKind;
  /** Of the content (of the delta, not of what it makes). */
  readonly sizeBytes: number;
  readonly #input: PackInput;
  #state: 'new' | 'reading' | 'done' = 'new';
  #crc32 = 0;

  constructor(input: PackInput, offset: number, what: PackStreamKind, sizeBytes: number) {
    this.#input = input;
    this.offset = offset;
    this.dataOffset = input.offset;
    this.what = what;
    this.sizeBytes = sizeBytes;
  }

  /** CRC-32 of the entry as it is in the pack, as an index has it; known once the content was read. */
  get crc32(): number {
    if (this.#state !== 'done') throw new Error('the entry was not read yet');
    return this.#crc32;
  }

  /** True when the content comes as one piece in any case. */
  get isSmall(): boolean { return this.sizeBytes <= smallBytes; }

  /** The whole content, for what is known to fit into memory; where it is small, in what `allocate` gives. */
  read(allocate: (sizeBytes: number) => Buffer = Buffer.allocUnsafe): Buffer {
    const small = this.#readSmall(allocate);
    if (small !== undefined) return small;
    const pieces = [...this.#readPieces()];
    return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
  }

  /** The content in pieces; once. */
  *chunks(): Generator<Buffer> {
    const small = this.#readSmall(Buffer.allocUnsafe);
    if (small === undefined) yield* this.#readPieces();
    else yield small;
  }

  /** Undefined when it is not small, or its stream is longer than streams of this size are, so that not all of it is visible. */
  #readSmall(allocate: (sizeBytes: number) => Buffer): Buffer | undefined {
    if (this.#state !== 'new') throw new Error('the entry was read before');
    this.#state = 'reading';
    if (!this.isSmall) return undefined;
    const input = this.#input;
    const isMoreThere = input.fill(mostDeflated(this.sizeBytes));
    try {
      const content = allocate(this.sizeBytes);
      input.consume(inflateInto(input.window, input.at, content));
      this.#finishReading();
      return content;
    } catch (error) {
      if (!(error instanceof CorruptError)) throw error;
      if (isMoreThere) return undefined;
      throw this.#named(error);
    }
  }

  *#readPieces(): Generator<Buffer> {
    try {
      yield* this.#inflatePieces();
    } catch (error) {
      throw this.#named(error);
    }
    this.#finishReading();
  }

  #finishReading(): void {
    this.#crc32 = this.#input.takeCrc32();
    this.#state = 'done';
  }

  #named(error: unknown): unknown {
    return error instanceof CorruptError && error.code !== 'bad-pack' ? damaged(`entry at ${this.offset}: ${error.message}`, error) : error;
  }

  *#inflatePieces(): Generator<Buffer> {
    const { sizeBytes } = this;
    const input = this.#input;
    const inflater = new Inflater();
    let given = 0;
    let got = 0;
    try {
      while (!inflater.finished) {
        input.fill(1);
        const piece = input.window.subarray(input.at, input.at + pieceBytes);
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

  /** Reads what nobody wanted. */
  finish(): void {
    if (this.#state === 'done') return;
    if (this.#state === 'reading') throw new Error('the entry was read only in part');
    const chunks = this.chunks();
    while (!chunks.next().done);
  }
}

export interface PackStreamOptions {
  /** Told all bytes of the pack in order, its trailer included; each piece is valid only during the call. */
  readonly onBytes?: (bytes: Buffer) => void;
  /** Something may follow the pack's end (see `rest`); otherwise that is damage. */
  readonly mayGoOn?: boolean;
}

export class PackStream {
  readonly #input: PackInput;
  readonly #format: ObjectFormat;
  readonly #options: PackStreamOptions;
  /** Entries the header promises; nobody has seen them yet. */
  readonly objectCount: number;
  #checksum: Buffer | undefined;

  /** Reads the header. `source` gives the pack's bytes in pieces of any size, which it may overwrite with the next one. */
  constructor(source: Iterable<Uint8Array>, format: ObjectFormat, options: PackStreamOptions = {}) {
    this.#input = new PackInput(source, format, options.onBytes);
    this.#format = format;
    this.#options = options;
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

  /** Bytes of the pack used up so far: all of it, once all entries were read. */
  get offset(): number { return this.#input.offset; }

  /** What came from the source together with the pack's end, but lies behind it. */
  get rest(): Buffer { return this.#input.window.subarray(this.#input.at); }

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
    if (!this.#options.mayGoOn && this.#input.fill(1)) throw damaged('something follows its end');
    this.#checksum = trailer;
  }

  #readEntry(): PackStreamEntry {
    const input = this.#input;
    const { offset } = input;
    input.startCrc32();
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
    const object = objectKinds[type];
    if (object !== undefined) return object;
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
    const byte = this.#input.readByte();
    if (byte === undefined) throw damaged(`it ends inside the entry at ${offset}`);
    return byte;
  }
}
