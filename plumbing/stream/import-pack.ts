// Where fast-import puts objects: a pack being written, from which they can be read back before anybody else sees it, and after it the
// repository's object store.
//
// Objects become deltas of what they were before where that is smaller. Few objects end up loose rather than as a small pack
// (fastimport.unpackLimit in git-config(1)). If the power fails: nothing refers to what was written; gc removes it.
import { applyDelta, createDelta } from '../../pack/delta.js';
import type { GitObject, ObjectHeader } from '../../pack/object.js';
import type { ObjectStore } from '../../pack/object-store.js';
import { hashObject, type ObjectId, type ObjectType } from '../../pack/oid.js';
import { type BulkWriter, encodeDeltaHeader, encodeEntryHeader } from '../../pack/pack-writer.js';
import { type TreeEntry, decodeTree, encodeTree } from '../../pack/tree.js';
import { crc32, deflate, inflateContent } from '../../pack/zlib.js';
import type { TreeStorage } from './import-tree.js';

export interface ImportPackOptions {
  /** zlib level. */
  readonly level: number;
  /** Longest chain of deltas. */
  readonly depth: number;
  /** A new pack is begun before one gets larger than this. */
  readonly maxPackBytes: number;
  /** Content of this size and more is passed on without being held, and never a delta. */
  readonly bigFileBytes: number;
  /** Up to so many objects become loose ones. */
  readonly unpackLimit: number;
}

/** An entry of the pack being written. */
interface Entry {
  readonly type: ObjectType;
  readonly offset: number;
  /** Of the zlib stream. */
  readonly contentAt: number;
  readonly end: number;
  /** What the zlib stream inflates to: the object, or a delta. */
  readonly streamBytes: number;
  readonly sizeBytes: number;
  readonly base: Entry | undefined;
  readonly depth: number;
}

/** What an object may be a delta of. */
interface Base {
  readonly id: ObjectId;
  readonly bytes: Buffer;
}

/** How much was written, by type. */
export interface ImportCounts {
  readonly written: number;
  readonly deltas: number;
  readonly duplicates: number;
}

/** Content is never held as a whole from here on, whatever the options say. */
const mostHeldBytes = 16 * 1024 * 1024;

/** Trees encoded last, which the next ones are likely to be deltas of. */
const rememberedTrees = 256;

export class ImportPack implements TreeStorage {
  readonly #objects: ObjectStore;
  #options: ImportPackOptions;
  #writer: BulkWriter;
  readonly #entries = new Map<ObjectId, Entry>();
  readonly #trees = new Map<ObjectId, Buffer>();
  #lastBlob: Base | undefined;
  #hasBigFile = false;
  readonly #counts = new Map<ObjectType, { written: number; deltas: number; duplicates: number }>();

  constructor(objects: ObjectStore, options: ImportPackOptions) {
    this.#objects = objects;
    this.#options = options;
    this.#writer = objects.bulk();
  }

  /** Changes how the objects from here on are packed. */
  tune(options: Partial<ImportPackOptions>): void {
    this.#options = { ...this.#options, ...options };
  }

  get counts(): ReadonlyMap<ObjectType, ImportCounts> { return this.#counts; }

  /** Type and size of an object, written here or not; undefined when there is none. */
  findHeader(id: ObjectId): ObjectHeader | undefined {
    return this.#entries.get(id) ?? this.#objects.findHeader(id);
  }

  /** NotFoundError when there is none. */
  read(id: ObjectId): GitObject {
    const entry = this.#entries.get(id);
    return entry === undefined ? this.#objects.read(id) : { type: entry.type, bytes: this.#readEntry(entry) };
  }

  readTree(id: ObjectId): readonly TreeEntry[] {
    const recent = this.#trees.get(id);
    if (recent !== undefined) return decodeTree(recent, this.#objects.format);
    return this.#entries.has(id) ? decodeTree(this.read(id).bytes, this.#objects.format) : this.#objects.readTree(id);
  }

  writeTree(entries: readonly TreeEntry[], previous: ObjectId | undefined): ObjectId {
    const bytes = encodeTree(entries, this.#objects.format);
    const base = previous === undefined ? undefined : this.#trees.get(previous);
    const id = this.#add('tree', bytes, base === undefined ? undefined : { id: previous!, bytes: base });
    if (previous !== undefined) this.#trees.delete(previous);
    this.#trees.set(id, bytes);
    if (this.#trees.size > rememberedTrees) this.#trees.delete(this.#trees.keys().next().value!);
    return id;
  }

  /** Writes a commit or tag. */
  write(type: 'commit' | 'tag', bytes: Buffer): ObjectId {
    return this.#add(type, bytes, undefined);
  }

  /** Writes content, perhaps as a delta of the content written before it. */
  writeBlob(bytes: Buffer): ObjectId {
    const id = this.#add('blob', bytes, this.#lastBlob);
    this.#lastBlob = { id, bytes };
    return id;
  }

  /** True for content that `writeBig` should take. */
  isBig(sizeBytes: number): boolean {
    return sizeBytes >= Math.min(this.#options.bigFileBytes, mostHeldBytes);
  }

  /** Writes content of any size without holding it. */
  writeBig(sizeBytes: number, pieces: Iterable<Buffer>): ObjectId {
    this.#makeRoom(sizeBytes);
    const offset = this.#writer.nextOffset;
    const id = this.#writer.addStream('blob', sizeBytes, pieces);
    const end = this.#writer.nextOffset;
    this.#hasBigFile ||= end > offset;
    if (end > offset) this.#record(id, { type: 'blob', offset, contentAt: offset + encodeEntryHeader('blob', sizeBytes).length, end, streamBytes: sizeBytes, sizeBytes, base: undefined, depth: 0 });
    else this.#count('blob').duplicates += 1;
    return id;
  }

  /** Ends the pack: everything written is in the object store now. Returns the pack's id, unless the objects became loose ones. */
  finish(): string | undefined {
    const { count } = this.#writer;
    let packId: string | undefined;
    if (count <= this.#options.unpackLimit && !this.#hasBigFile) {
      this.#objects.writeTogether(() => { for (const [, entry] of this.#entries) this.#objects.write(entry.type, this.#readEntry(entry)); });
      this.#writer.abort();
    } else {
      packId = this.#writer.finish()?.packId;
    }
    this.#beginPack();
    return packId;
  }

  /** Forgets what was not finished. */
  abort(): void {
    this.#writer.abort();
  }

  #add(type: ObjectType, bytes: Buffer, base: Base | undefined): ObjectId {
    const id = hashObject(type, bytes, this.#objects.format);
    if (this.#writer.has(id)) {
      this.#count(type).duplicates += 1;
      return id;
    }
    this.#makeRoom(bytes.length);
    const offset = this.#writer.nextOffset;
    const baseEntry = base === undefined ? undefined : this.#entries.get(base.id);
    const delta = base === undefined || baseEntry === undefined || baseEntry.depth >= this.#options.depth || this.isBig(bytes.length)
      ? undefined : createDelta(base.bytes, bytes, bytes.length - 20);
    const header = delta === undefined ? encodeEntryHeader(type, bytes.length) : encodeDeltaHeader(delta.length, offset - baseEntry!.offset);
    const stream = deflate(delta ?? bytes, this.#options.level);
    this.#writer.addPacked({ id, bytes: Buffer.concat([header, stream]), crc32: crc32(stream, crc32(header)) });
    if (delta !== undefined) this.#count(type).deltas += 1;
    this.#record(id, {
      type, offset, contentAt: offset + header.length, end: this.#writer.nextOffset, sizeBytes: bytes.length,
      streamBytes: (delta ?? bytes).length, base: delta && baseEntry, depth: delta === undefined ? 0 : baseEntry!.depth + 1,
    });
    return id;
  }

  #record(id: ObjectId, entry: Entry): void {
    this.#count(entry.type).written += 1;
    this.#entries.set(id, entry);
  }

  #count(type: ObjectType): { written: number; deltas: number; duplicates: number } {
    let counts = this.#counts.get(type);
    if (counts === undefined) this.#counts.set(type, counts = { written: 0, deltas: 0, duplicates: 0 });
    return counts;
  }

  /** What was written before is no base for what comes now. */
  #beginPack(): void {
    this.#entries.clear();
    this.#lastBlob = undefined;
    this.#hasBigFile = false;
    this.#writer = this.#objects.bulk();
  }

  /** Ends the pack when an object of that size could make it too large. */
  #makeRoom(sizeBytes: number): void {
    if (this.#writer.count > 0 && this.#writer.nextOffset + sizeBytes + 64 > this.#options.maxPackBytes) {
      this.#writer.finish();
      this.#beginPack();
    }
  }

  #readEntry(entry: Entry): Buffer {
    const packed = this.#writer.readBack(entry.contentAt, entry.end - entry.contentAt);
    const bytes = inflateContent(packed, 0, entry.streamBytes);
    return entry.base === undefined ? bytes : applyDelta(this.#readEntry(entry.base), bytes);
  }
}
