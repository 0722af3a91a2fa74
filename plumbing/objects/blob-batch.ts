// Storing the blobs of one command: a few as single files, many as one new pack, without knowing beforehand how many there will be.
// The first ones are held back (bounded in number and bytes) until it shows. Nothing may name a blob before `finish`.
// If the power fails before that, nothing is left but what gc removes.
import { streamThresholdBytes } from '../../pack/object.js';
import type { ObjectStore } from '../../pack/object-store.js';
import { type ObjectId, hashObject } from '../../pack/oid.js';
import type { BulkWriter } from '../../pack/pack-writer.js';
import type { BlobWriter } from '../index/work-tree.js';

/** With more blobs than this a pack is cheaper than single files. */
export const mostSingleBlobs = 20;

export class BlobBatch implements BlobWriter {
  readonly #store: ObjectStore;
  #held: Buffer[] = [];
  #heldBytes = 0;
  #bulk: BulkWriter | undefined;

  constructor(store: ObjectStore) {
    this.#store = store;
  }

  write(bytes: Buffer): ObjectId {
    if (this.#bulk !== undefined) return this.#bulk.add('blob', bytes);
    const id = hashObject('blob', bytes, this.#store.format);
    this.#held.push(bytes);
    this.#heldBytes += bytes.length;
    if (this.#held.length > mostSingleBlobs) this.#openBulk();
    else if (this.#heldBytes > streamThresholdBytes) this.#writeHeld();
    return id;
  }

  writeStream(sizeBytes: number, chunks: Iterable<Buffer>): ObjectId {
    return this.#bulk === undefined ? this.#store.writeStream('blob', sizeBytes, chunks) : this.#bulk.addStream('blob', sizeBytes, chunks);
  }

  /** Everything written is stored and can be read. */
  finish(): void {
    this.#writeHeld();
    this.#bulk?.finish();
    this.#bulk = undefined;
  }

  /** Drops what is not stored yet; harmless after `finish`. */
  [Symbol.dispose](): void {
    this.#held = [];
    this.#bulk?.abort();
    this.#bulk = undefined;
  }

  #openBulk(): void {
    this.#bulk = this.#store.bulk();
    for (const bytes of this.#held) this.#bulk.add('blob', bytes);
    this.#held = [];
  }

  #writeHeld(): void {
    this.#store.writeTogether(() => { for (const bytes of this.#held) this.#store.write('blob', bytes); });
    this.#held = [];
    this.#heldBytes = 0;
  }
}
