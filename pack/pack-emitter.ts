// A pack written to a stream, for who asked for it there: nothing can be taken back and the number of objects is said first
// (gitformat-pack(5)). Constant memory. Keeps nothing on disk: what the receiver makes of a stream that ends early is its affair, and
// the checksum at the end is what tells it.
import { Hasher } from './oid.js';
import type { ObjectFormat, ObjectType } from './oid.js';
import { type PackEntryWriter, type PackOutput, type PackedObject, encodeEntryHeader } from './pack-writer.js';

const stageBytes = 64 * 1024;

export class PackEmitter implements PackOutput {
  readonly #write: (bytes: Uint8Array) => void;
  readonly #hasher: Hasher;
  #left: number;
  #offset = 0;
  /** Gathers small entries, which one by one would cost more to hash and hand on than to make. */
  readonly #stage = Buffer.allocUnsafeSlow(stageBytes);
  #staged = 0;

  /** Begins a pack of exactly `count` objects. `write` must be done with what it is given when it returns. */
  constructor(format: ObjectFormat, count: number, write: (bytes: Uint8Array) => void) {
    this.#write = write;
    this.#hasher = new Hasher(format);
    this.#left = count;
    const header = Buffer.alloc(12);
    header.write('PACK', 'latin1');
    header.writeUInt32BE(2, 4);
    header.writeUInt32BE(count, 8);
    this.#put(header);
  }

  get nextOffset(): number { return this.#offset; }

  addPacked(entry: PackedObject): void {
    this.#left -= 1;
    this.#put(entry.bytes);
  }

  beginEntry(type: ObjectType, sizeBytes: number): PackEntryWriter {
    this.#put(encodeEntryHeader(type, sizeBytes));
    return {
      append: (bytes) => { this.#put(bytes); },
      end: () => { this.#left -= 1; },
      // What is sent is sent: an error on the way leaves the stream without its checksum.
      cancel: () => undefined,
    };
  }

  /** Ends the stream with its checksum. */
  finish(): void {
    if (this.#left !== 0) throw new Error(`a pack was announced with ${this.#left} more objects than it has`);
    this.#flush();
    this.#write(this.#hasher.digestBytes());
  }

  #put(bytes: Uint8Array): void {
    this.#offset += bytes.length;
    if (this.#staged + bytes.length > stageBytes) this.#flush();
    if (bytes.length > stageBytes) {
      this.#handOn(bytes);
    } else {
      this.#stage.set(bytes, this.#staged);
      this.#staged += bytes.length;
    }
  }

  #flush(): void {
    this.#handOn(this.#stage.subarray(0, this.#staged));
    this.#staged = 0;
  }

  /** `bytes` may be overwritten as soon as this returns. */
  #handOn(bytes: Uint8Array): void {
    this.#hasher.update(bytes);
    this.#write(bytes);
  }
}
