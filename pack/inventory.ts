// What our own objects directory holds when gc looks: every pack and loose file, and for each object where its copies are and
// how old the youngest is. Alternates are not ours and not counted.
//
// Invariant: gc removes only files listed here, and only while they are as they were then; what came later is not in it.
// A pack that cannot be read is an error, for nobody could say what would be lost with it. Nothing is written.
import * as fs from 'node:fs';
import { CorruptError, RefusedError } from './errors.js';
import { findFile } from './file-lookup.js';
import type { LooseFile } from './loose.js';
import type { ObjectStore } from './object-store.js';
import type { ObjectId } from './oid.js';
import { decodePackMtimes } from './pack-mtimes.js';
import type { PackReader } from './pack-reader.js';

export interface StoredPack {
  readonly reader: PackReader;
  readonly sizeBytes: number;
  readonly mtimeMs: number;
  /** Marked with a .keep file: never touched. */
  readonly isKept: boolean;
  /** Ages of its objects in seconds, when it is a cruft pack. */
  readonly mtimes: Uint32Array | undefined;
}

/** Where an object's first copy is. */
export type StoredCopy =
  | { readonly kind: 'pack'; readonly pack: StoredPack; readonly position: number }
  | { readonly kind: 'loose'; readonly file: LooseFile };

/** Copies are numbers: 2^32 times the pack's place in the list plus the position in it; loose files count from -1 downwards. */
const packStep = 2 ** 32;

export class Inventory {
  /** Kept packs first, cruft packs last, larger ones before smaller: the first copy found is the best to take. */
  readonly packs: readonly StoredPack[];
  readonly loose: readonly LooseFile[];
  readonly #copies = new Map<ObjectId, number>();
  /** Of objects with more than one copy. */
  readonly #youngestMs = new Map<ObjectId, number>();

  private constructor(packs: readonly StoredPack[], loose: readonly LooseFile[]) {
    this.packs = packs;
    this.loose = loose;
    packs.forEach((pack, number) => {
      for (let position = 0; position < pack.reader.objectCount; position += 1) {
        this.#add(pack.reader.idAt(position), number * packStep + position);
      }
    });
    loose.forEach((file, number) => this.#add(file.id, -1 - number));
  }

  /** Looks at the disk; CorruptError for a pack that cannot be read, RefusedError in a partial clone. */
  static read(store: ObjectStore): Inventory {
    store.refresh();
    const damaged = store.listDamagedPacks().find(({ path }) => path.startsWith(`${store.directory}/`));
    if (damaged !== undefined) {
      throw new CorruptError(`pack '${damaged.path}' cannot be read: ${damaged.error.message}`, {
        code: 'gc-pack-damaged', cause: damaged.error, hint: 'nothing was deleted; run cairn fsck, restore or remove that pack',
      });
    }
    const packs: StoredPack[] = [];
    for (const reader of store.listOwnPacks()) {
      const pack = describePack(reader);
      if (pack !== undefined) packs.push(pack);
    }
    packs.sort((a, b) => rank(a) - rank(b) || b.reader.objectCount - a.reader.objectCount || (a.reader.name < b.reader.name ? -1 : 1));
    return new Inventory(packs, [...store.listLoose()]);
  }

  /** For `listChanged`. */
  get times(): StoreTimes {
    return {
      packs: new Map(this.packs.map(({ reader, mtimeMs }) => [reader.name, mtimeMs])),
      loose: new Map(this.loose.map(({ id, mtimeMs }) => [id, mtimeMs])),
    };
  }

  #add(id: ObjectId, copy: number): void {
    const first = this.#copies.get(id);
    if (first === undefined) {
      this.#copies.set(id, copy);
    } else {
      this.#youngestMs.set(id, Math.max(this.#youngestMs.get(id) ?? this.#mtimeOf(first), this.#mtimeOf(copy)));
    }
  }

  #mtimeOf(copy: number): number {
    if (copy < 0) return this.loose[-1 - copy]!.mtimeMs;
    const pack = this.packs[Math.floor(copy / packStep)]!;
    const own = pack.mtimes?.[copy % packStep];
    return own === undefined ? pack.mtimeMs : own * 1000;
  }

  get count(): number { return this.#copies.size; }

  has(id: ObjectId): boolean { return this.#copies.has(id); }

  listIds(): Iterable<ObjectId> { return this.#copies.keys(); }

  find(id: ObjectId): StoredCopy | undefined {
    const copy = this.#copies.get(id);
    if (copy === undefined) return undefined;
    if (copy < 0) return { kind: 'loose', file: this.loose[-1 - copy]! };
    return { kind: 'pack', pack: this.packs[Math.floor(copy / packStep)]!, position: copy % packStep };
  }

  /** Bytes its first copy takes on disk; 0 when it is not ours. */
  sizeOf(id: ObjectId): number {
    const copy = this.find(id);
    if (copy === undefined) return 0;
    if (copy.kind === 'loose') return copy.file.sizeBytes;
    const { reader } = copy.pack;
    // Made once; without it each size would be a search through all offsets.
    reader.index.positionsByOffset();
    const offset = reader.offsetAt(copy.position);
    return reader.endAt(offset) - offset;
  }

  /** When the youngest copy was written or last relied on, in milliseconds since 1970. */
  youngestMs(id: ObjectId): number {
    const copy = this.#copies.get(id);
    return copy === undefined ? 0 : this.#youngestMs.get(id) ?? this.#mtimeOf(copy);
  }
}

/** When each file of ours was written or renewed: enough to tell later which objects were since. */
export interface StoreTimes {
  readonly packs: ReadonlyMap<string, number>;
  readonly loose: ReadonlyMap<ObjectId, number>;
}

export function readStoreTimes(store: ObjectStore): StoreTimes {
  store.refresh();
  const packs = new Map<string, number>();
  for (const { name, path } of store.listOwnPacks()) packs.set(name, fs.statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0);
  return { packs, loose: new Map([...store.listLoose()].map(({ id, mtimeMs }) => [id, mtimeMs])) };
}

/** Objects written or renewed since, by a fresh look at the disk that opens nothing known; packs named in `except` are passed over. */
export function listChanged(store: ObjectStore, times: StoreTimes, except: ReadonlySet<string>): ObjectId[] {
  store.refresh();
  const changed: ObjectId[] = [];
  for (const reader of store.listOwnPacks()) {
    if (except.has(reader.name) || times.packs.get(reader.name) === fs.statSync(reader.path, { throwIfNoEntry: false })?.mtimeMs) continue;
    for (let position = 0; position < reader.objectCount; position += 1) changed.push(reader.idAt(position));
  }
  for (const { id, mtimeMs } of store.listLoose()) if (times.loose.get(id) !== mtimeMs) changed.push(id);
  return changed;
}

function rank(pack: StoredPack): number {
  return pack.isKept ? 0 : pack.mtimes === undefined ? 1 : 2;
}

function describePack(reader: PackReader): StoredPack | undefined {
  const stem = reader.path.slice(0, -'.pack'.length);
  const status = fs.statSync(reader.path, { throwIfNoEntry: false });
  if (status === undefined) return undefined;
  if (fs.existsSync(`${stem}.promisor`)) {
    throw new RefusedError(`'${reader.name}' comes from a promisor: this is a partial clone`, {
      code: 'gc-partial-clone', hint: 'cairn gc does not know what the promisor can give again; use git gc here',
    });
  }
  return {
    reader,
    sizeBytes: status.size,
    mtimeMs: status.mtimeMs,
    isKept: fs.existsSync(`${stem}.keep`),
    mtimes: readMtimes(reader, `${stem}.mtimes`),
  };
}

function readMtimes(reader: PackReader, path: string): Uint32Array | undefined {
  const bytes = findFile(path);
  if (bytes === undefined) return undefined;
  try {
    return decodePackMtimes(bytes, reader.objectCount, reader.index.packChecksum, reader.format);
  } catch (error) {
    // Then the pack's own age counts, which is younger: the objects stay longer.
    if (error instanceof CorruptError) return undefined;
    throw error;
  }
}
