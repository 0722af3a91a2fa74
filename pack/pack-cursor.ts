// Going from one packed object to the next without making anything for each: ids are looked up as bytes, objects are numbers (a pack
// and a position in its index), and contents lie in a memory that the next one overwrites.
//
// Invariant: `read` only gives what hashes to its id. False never says that an object is missing or damaged, only that this way does not
// lead to it: it may be loose, replaced, large or broken, and ObjectStore has the careful way. `memory` is to be taken anew after each
// step, for it may have grown. What is read is to be used at once: all who read packs of the store share one place for it, since a cursor is
// opened for every walk, and regions of the memory are never given back.
import { CorruptError, isSystemError } from './errors.js';
import type { ObjectPlace } from './object-store.js';
import type { PackReader } from './pack-reader.js';
import { decodeHexInto, rawSize } from './oid.js';
import type { ObjectFormat, ObjectId } from './oid.js';
import type { UnpackExports, WalkSupply } from './kernels/unpack-kernel.js';
import type { UnpackPlace, Unpacker } from './unpacker.js';

/** Finds the pack that has an object; the store's part. */
export interface PackLookup {
  /** Sets `pack` and `position`, or gives false. */
  seek(raw: Uint8Array, found: ObjectPlace): boolean;
}

export class PackCursor implements ObjectPlace {
  /** Where `find` found the object; may be set directly. */
  pack: PackReader | undefined;
  position = -1;
  until = -1;
  looseId: ObjectId | undefined;
  /** Of the object read last: 1 to 4 for commit, tree, blob and tag; where its content is in `memory`. */
  kind = 0;
  start = 0;
  end = 0;
  readonly #lookup: PackLookup;
  readonly #unpacker: Unpacker;
  readonly #format: ObjectFormat;
  readonly #raw: Buffer;
  readonly #at: number;

  constructor(lookup: PackLookup, unpacker: Unpacker, format: ObjectFormat) {
    this.#lookup = lookup;
    this.#unpacker = unpacker;
    this.#format = format;
    this.#raw = Buffer.alloc(rawSize(format));
    this.#at = unpacker.resultAt;
  }

  /** Holds the object read last between `start` and `end`. */
  get memory(): Buffer { return this.#unpacker.bytes; }

  /** Goes to the object whose raw id is at `at` of `bytes`. */
  find(bytes: Uint8Array, at: number): boolean {
    const raw = this.#raw;
    for (let byte = 0; byte < raw.length; byte += 1) raw[byte] = bytes[at + byte]!;
    return this.#lookup.seek(raw, this);
  }

  /** As `find`, of an id in hex digits (lower case); false when they are none. */
  findHex(bytes: Uint8Array, at: number): boolean {
    return decodeHexInto(this.#raw, 0, bytes, at, this.#raw.length) && this.#lookup.seek(this.#raw, this);
  }

  findId(id: ObjectId): boolean {
    this.#raw.write(id, 'hex');
    return this.#lookup.seek(this.#raw, this);
  }

  /** Of the object it is at. */
  get id(): ObjectId { return this.pack === undefined ? this.looseId! : this.pack.idAt(this.position); }

  /** Where in `memory` the header the object is hashed with begins: "<type> <size>\0", its content follows. */
  get frameStart(): number { return this.#at; }

  /** The raw id of the object it is at is at `idOffset` of these bytes. */
  get ids(): Uint8Array { return this.pack!.index.bytes; }

  get idOffset(): number { return this.pack!.index.idOffset(this.position); }

  /** A region of the memory for the caller alone; its address. */
  reserve(sizeBytes: number): number { return this.#unpacker.reserve(sizeBytes); }

  /** See Unpacker. */
  room(purpose: string, sizeBytes: number): number { return this.#unpacker.room(purpose, sizeBytes); }

  /** The longest content `read` gives, and some more. */
  get mostBytes(): number { return this.#unpacker.frameBytes; }

  /** Reads the object and verifies it. */
  read(): boolean {
    const place = this.#placeOfPack();
    if (place === undefined) return false;
    const length = this.#unpacker.read(place, this.#offset, this.#at, this.#at + this.#unpacker.frameBytes);
    return this.#note(length) && this.#unpacker.isFrameOf(this.ids, this.idOffset, this.#format, this.#at, length);
  }

  /** Reads the object without verifying it, for who hashes what becomes of it. */
  readUnverified(): boolean {
    const place = this.#placeOfPack();
    return place !== undefined && this.#note(this.#unpacker.read(place, this.#offset, this.#at, this.#at + this.#unpacker.frameBytes));
  }

  /** True when what lies in `memory` from `frameStart` to `end` hashes to the object's id; what lies behind it is overwritten. */
  get holdsObject(): boolean {
    return this.#unpacker.isFrameOf(this.ids, this.idOffset, this.#format, this.#at, this.end - this.#at);
  }

  /** Reads at least the first `most` bytes, or all there are; they are not verified. */
  readHead(most: number): boolean {
    const place = this.#placeOfPack();
    if (place === undefined) return false;
    const limit = this.#at + this.#unpacker.frameBytes;
    return this.#note(this.#unpacker.readHead(place, this.#offset, this.#at, limit, most));
  }

  /** What the lines below are made of: bytes as they are, 1 for the id, 2 for the type, 3 for the size. */
  useTemplate(template: Uint8Array): void { this.#unpacker.useTemplate(template); }

  /**
   * Writes lines for ids in hex, each followed by `terminator`, as long as they are in the pack it is at. `text` to `end` and `to` to
   * `limit` are addresses in `memory`; gives where the first one not answered for begins. `describedEnd` is where the lines end.
   */
  describeLines(text: number, end: number, terminator: number, to: number, limit: number): number {
    const place = this.#placeOfPack();
    return place === undefined ? text : this.#unpacker.describeLines(place, text, end, terminator, to, limit);
  }

  /** The same for the objects from where it is to the position `until`, as far as it goes; it is at the first one not answered for then. */
  describeRange(until: number, to: number, limit: number): void {
    const place = this.#placeOfPack();
    if (place !== undefined) this.position = this.#unpacker.describeRange(place, this.position, until, to, limit);
  }

  get describedEnd(): number { return this.#unpacker.describedEnd; }

  /** Has a walk look for commits in the pack it is at first. */
  walkHere(): void {
    const place = this.#placeOfPack();
    if (place !== undefined) this.#unpacker.walkIn(place);
  }

  /** See Unpacker. */
  beginWalk(supply: WalkSupply, firstParentOnly: boolean): UnpackExports {
    return this.#unpacker.beginWalk(supply, this.#raw.length, firstParentOnly);
  }

  #note(length: number): boolean {
    if (length < 0) return false;
    this.kind = this.#unpacker.kind;
    this.end = this.#at + length;
    this.start = this.end - this.#unpacker.contentSize;
    return true;
  }

  /** Asked for each time: the pack may have been closed, and opened again, meanwhile. */
  #placeOfPack(): UnpackPlace | undefined {
    try {
      return this.pack?.enrol(this.#unpacker);
    } catch (error) {
      // Damaged, or gone before it was opened: the object may be elsewhere.
      if (error instanceof CorruptError || isSystemError(error, 'ENOENT', 'ESTALE')) return undefined;
      throw error;
    }
  }

  /** Where the object begins; 0, where no object is, when the index does not say. */
  get #offset(): number {
    try {
      return this.pack!.offsetAt(this.position);
    } catch (error) {
      if (error instanceof CorruptError) return 0;
      throw error;
    }
  }
}
