// What goes into a new pack, and how: which objects are stored as deltas of which, what is copied from the packs there are and what is
// compressed anew. Planned for all objects first, then written in an order that is quick to read again (git-pack-objects(1)).
//
// Invariant: whatever is copied was checked against the CRC its index has for it, or read and compared with its id; what is
// compressed anew was compared with its id when it was read. A copy that is damaged is passed over for another one. Nothing is
// written to disk here: that is the output's affair, and so is what is left when the power fails.
// Memory: some hundred bytes per object, the window of the delta search and a bounded spool of deltas that wait to be written.
import { createDelta } from './delta.js';
import { DeltaSpool } from './delta-spool.js';
import { type DeltaPiece, type FoundDeltas, compressDelta } from './delta-search.js';
import { searchTogether } from './delta-threads.js';
import { type DeltaLimits, leastDeltaBytes } from './delta-window.js';
import { CorruptError } from './errors.js';
import { streamThresholdBytes } from './object.js';
import type { ObjectStore } from './object-store.js';
import type { PackingList } from './packing-list.js';
import { type ObjectId, type ObjectType, rawSize } from './oid.js';
import { type PackEntry, type PackReader, packTypes } from './pack-reader.js';
import { type PackOutput, encodeBaseIdHeader, encodeDeltaHeader, encodeEntryHeader } from './pack-writer.js';
import { type DeflateLevel, Deflater, crc32, deflate } from './zlib.js';

export interface PackPlanOptions {
  readonly store: ObjectStore;
  readonly limits: DeltaLimits;
  /** zlib level for what is compressed anew. */
  readonly level: DeflateLevel;
  /** False searches deltas for objects that are stored as deltas already. */
  readonly reuseDeltas?: boolean;
  /** False compresses everything anew; implies the former. */
  readonly reuseObjects?: boolean;
  /** True names the base of a delta by how far back it begins, which takes less room; else by its id. */
  readonly usesOffsets?: boolean;
  /** Larger objects are neither made deltas nor bases. */
  readonly largeBytes?: number;
  /** Only objects of the same group are compared, and those of group 0 with none. */
  readonly keepsGroupsApart?: boolean;
  /** Objects whose stored entry is known to be damaged: another copy is looked for, as a whole. */
  readonly passedOver?: ReadonlySet<ObjectId>;
  /** May be called often, and may throw to stop. */
  readonly onProgress?: (phase: 'compressing' | 'writing', done: number, total: number) => void;
}

/** What became of the objects of a plan. */
export interface PackStatistics {
  readonly objects: number;
  readonly deltas: number;
  readonly reused: number;
  readonly reusedDeltas: number;
}

/** Where an output begins another pack, and the most bytes one may have. */
export interface PackSplit {
  readonly mostBytes: number;
  readonly next: () => PackOutput;
}

const spoolBytes = 64 * 1024 * 1024;
/** Entries larger than this are copied in pieces. */
const pieceBytes = 1024 * 1024;
const none = -1;
/** Order of the kinds in a pack: what history is walked by comes first. */
const writtenKinds: readonly ObjectType[] = ['commit', 'tag', 'tree', 'blob'];

/** Of one object, where its first copy is stored. */
interface Stored {
  readonly pack: PackReader;
  readonly position: number;
}

export class PackPlan {
  readonly #options: PackPlanOptions;
  readonly #list: PackingList;
  readonly #packs: PackReader[] = [];
  readonly #spool = new DeltaSpool(spoolBytes);
  #state: PlanState | undefined;
  #reused = 0;
  #reusedDeltas = 0;
  #deltas = 0;

  /** Nothing may be added to the list afterwards. */
  constructor(list: PackingList, options: PackPlanOptions) {
    this.#list = list;
    this.#options = options;
  }

  /** What was done; meaningful once written. */
  get statistics(): PackStatistics {
    return { objects: this.#list.count, deltas: this.#deltas, reused: this.#reused, reusedDeltas: this.#reusedDeltas };
  }

  /** Decides how each object is stored; NotFoundError for one that is not there. */
  prepare(): void {
    for (const _step of this.preparing()) continue;
  }

  /** The same in steps, for who has to see to other things meanwhile. */
  *preparing(): Generator<void> {
    const state = new PlanState(this.#list);
    this.#state = state;
    for (const number of this.#locateAll(state)) {
      this.#inspect(state, number);
      yield;
    }
    this.#limitReusedChains(state);
    yield* this.#search(state);
  }

  /** Numbers in the order they are stored, so that looking at them reads forwards. */
  #locateAll(state: PlanState): Uint32Array {
    const { store, passedOver } = this.#options;
    const numbers = new Map<PackReader, number>();
    const order = new Uint32Array(this.#list.ids.length);
    for (const [number, id] of this.#list.ids.entries()) {
      order[number] = number;
      const place = passedOver?.has(id) === true ? undefined : store.locate(id);
      if (place?.kind !== 'pack') continue;
      let pack = numbers.get(place.pack);
      if (pack === undefined) numbers.set(place.pack, pack = this.#packs.push(place.pack) - 1);
      state.pack[number] = pack;
      state.position[number] = place.position;
      state.place[number] = place.pack.offsetAt(place.position);
    }
    return order.sort((a, b) => state.pack[a]! - state.pack[b]! || state.place[a]! - state.place[b]!);
  }

  #inspect(state: PlanState, number: number): void {
    const stored = this.#stored(state, number);
    if (stored !== undefined) {
      try {
        const entry = stored.pack.entryAt(state.place[number]!);
        if (entry.baseOffset === undefined) {
          state.kind[number] = entry.kind;
          state.size[number] = entry.sizeBytes;
          return;
        }
        state.isDelta[number] = 1;
        if (this.#reuse(state, number, stored.pack, entry)) return;
      } catch (error) {
        if (!(error instanceof CorruptError)) throw error;
        state.pack[number] = none;
      }
    }
    this.#measure(state, number);
  }

  /** Asks the store for type and size. */
  #measure(state: PlanState, number: number): void {
    const { type, sizeBytes } = this.#options.store.readHeader(this.#list.ids[number]!);
    state.kind[number] = packTypes.indexOf(type);
    state.size[number] = sizeBytes;
  }

  /** Takes a stored delta over when its base comes along. */
  #reuse(state: PlanState, number: number, pack: PackReader, entry: PackEntry): boolean {
    const { reuseDeltas = true, reuseObjects = true } = this.#options;
    if (!reuseDeltas || !reuseObjects || this.#list.isBaseOnly(number) || entry.baseOffset === undefined) return false;
    const position = pack.index.positionOfOffset(entry.baseOffset);
    const base = position < 0 ? undefined : this.#list.find(pack.idAt(position));
    if (base === undefined || base === number) return false;
    if (state.kind[number] === 0) this.#measure(state, number);
    state.base[number] = base;
    state.isReused[number] = 1;
    return true;
  }

  #stored(state: PlanState, number: number): Stored | undefined {
    const pack = state.pack[number]!;
    return pack === none ? undefined : { pack: this.#packs[pack]!, position: state.position[number]! };
  }

  /** Chains taken over from several packs may come out too long, or closed; and what they hang on must keep its own chain short. */
  #limitReusedChains(state: PlanState): void {
    const { depth: most } = this.#options.limits;
    const chain: number[] = [];
    for (let number = 0; number < this.#list.ids.length; number += 1) {
      for (let at = number; state.base[at] !== none && state.depth[at] === 0; at = state.base[at]!) {
        // Marked as on the chain, so that one that is closed ends.
        state.depth[at] = onChain;
        chain.push(at);
      }
      for (let at = chain.pop(); at !== undefined; at = chain.pop()) {
        const below = state.depth[state.base[at]!]!;
        if (below !== onChain && below < most) {
          state.depth[at] = below + 1;
        } else {
          state.depth[at] = 0;
          this.#drop(state, at);
        }
      }
    }
    for (let number = 0; number < this.#list.ids.length; number += 1) {
      const depth = state.depth[number]!;
      if (depth === 0) continue;
      let root = number;
      while (state.base[root] !== none) root = state.base[root]!;
      state.childDepth[root] = Math.max(state.childDepth[root]!, depth);
    }
  }

  #drop(state: PlanState, number: number): void {
    state.base[number] = none;
    state.isReused[number] = 0;
    this.#measure(state, number);
  }

  *#search(state: PlanState): Generator<void> {
    const { store, limits, onProgress, keepsGroupsApart, largeBytes = streamThresholdBytes, reuseDeltas = true, reuseObjects = true } = this.#options;
    const most = Math.min(largeBytes, streamThresholdBytes);
    const targets: number[] = [];
    for (let number = 0; number < this.#list.ids.length; number += 1) {
      const size = state.size[number]!;
      if (keepsGroupsApart === true && this.#list.groups[number] === 0) continue;
      if (state.isReused[number] === 0 && size >= leastDeltaBytes && size < most) targets.push(number);
    }
    if (limits.window <= 0 || limits.depth <= 0) return;
    const searched = reuseDeltas && reuseObjects ? this.#searchedPacks(state) : new Set<number>();
    const order = this.#searchOrder(state, targets);
    const pieces = [...(keepsGroupsApart === true ? this.#splitAtGroups(state, order) : this.#splitOrder(order))];
    let done = 0;
    const describe = (piece: number): DeltaPiece => this.#describePiece(state, pieces[piece]!, searched);
    for (const { piece, found } of searchTogether(pieces.length, describe, (id) => store.read(id).bytes)) {
      this.#takeFound(state, pieces[piece]!, found);
      done += pieces[piece]!.length;
      onProgress?.('compressing', done, order.length);
      yield;
    }
  }

  /** Pieces of the order that can be searched apart: where paths change, unless that takes too long. */
  *#splitOrder(order: Uint32Array): Generator<Uint32Array> {
    const { groups } = this.#list;
    let start = 0;
    for (let at = 1; at < order.length; at += 1) {
      const size = at - start;
      if (size < pieceObjects || (size < 4 * pieceObjects && groups[order[at]!] !== 0 && groups[order[at]!] === groups[order[at - 1]!])) continue;
      yield order.subarray(start, at);
      start = at;
    }
    if (start < order.length) yield order.subarray(start);
  }

  /** The same where only groups matter: smaller pieces lose nothing then. */
  *#splitAtGroups({ size }: PlanState, order: Uint32Array): Generator<Uint32Array> {
    const { groups } = this.#list;
    let start = 0;
    let bytes = 0;
    for (let at = 1; at < order.length; at += 1) {
      bytes += size[order[at - 1]!]!;
      const isSame = groups[order[at]!] === groups[order[at - 1]!];
      if (at - start < (isSame ? 4 * pieceObjects : pieceObjects) && (isSame || bytes < pieceContentBytes)) continue;
      yield order.subarray(start, at);
      start = at;
      bytes = 0;
    }
    if (start < order.length) yield order.subarray(start);
  }

  #describePiece(state: PlanState, numbers: Uint32Array, searched: ReadonlySet<number>): DeltaPiece {
    const { store, limits, level, keepsGroupsApart } = this.#options;
    const idSize = rawSize(store.format);
    const ids = Buffer.allocUnsafeSlow(numbers.length * idSize);
    numbers.forEach((number, at) => ids.write(this.#list.ids[number]!, at * idSize, 'hex'));
    const isSearched = (number: number): boolean => searched.has(state.pack[number]!) && state.isDelta[number] === 0;
    return {
      objectsDirectory: store.directory, alternates: store.alternates, format: store.format, limits, level, ids,
      kinds: Uint8Array.from(numbers, (number) => state.kind[number]!),
      sizes: Float64Array.from(numbers, (number) => state.size[number]!),
      childDepths: Uint16Array.from(numbers, (number) => state.childDepth[number]!),
      searched: Uint32Array.from(numbers, (number) => (isSearched(number) ? state.pack[number]! + 1 : 0)),
      isBaseOnly: Uint8Array.from(numbers, (number) => (this.#list.isBaseOnly(number) ? 1 : 0)),
      groups: keepsGroupsApart === true ? Uint32Array.from(numbers, (number) => this.#list.groups[number]!) : undefined,
    };
  }

  #takeFound(state: PlanState, numbers: Uint32Array, { bases, deltaBytes, ends, output }: FoundDeltas): void {
    for (const [at, number] of numbers.entries()) {
      const base = bases[at]!;
      if (base < 0) continue;
      state.base[number] = numbers[base]!;
      state.deltaBytes[number] = deltaBytes[at]!;
      this.#spool.keep(number, output.subarray(at === 0 ? 0 : ends[at - 1]!, ends[at]!));
    }
  }

  /** Packs with deltas in them: what is whole there was compared with its neighbours when they were written. */
  #searchedPacks(state: PlanState): Set<number> {
    const packs = new Set<number>();
    for (let number = 0; number < this.#list.ids.length; number += 1) if (state.isDelta[number] === 1) packs.add(state.pack[number]!);
    return packs;
  }

  /** By kind, then like paths together, those that are only bases first, the largest first: things grow, and what is left out is told by nothing. */
  #searchOrder({ size, kind: kinds }: PlanState, targets: readonly number[]): Uint32Array {
    const { groups } = this.#list;
    const base = (number: number): number => (this.#list.isBaseOnly(number) ? 1 : 0);
    return Uint32Array.from(targets).sort((a, b) => (
      kinds[b]! - kinds[a]! || groups[b]! - groups[a]! || base(b) - base(a) || size[b]! - size[a]! || a - b
    ));
  }

  /** Writes all objects; with `split` into as many packs as are needed, beginning with `output`. */
  write(output: PackOutput, split?: PackSplit): void {
    for (const _step of this.writing(output, split)) continue;
  }

  /** The same in steps. */
  *writing(output: PackOutput, split?: PackSplit): Generator<void> {
    const state = this.#state;
    if (state === undefined) throw new Error('a plan must be prepared before it is written');
    const writing = new Writing(this.#list.ids.length, output, split);
    let done = 0;
    for (const number of this.#writtenOrder(state)) {
      yield* this.#writeWithBases(state, writing, number);
      done += 1;
      this.#options.onProgress?.('writing', done, this.#list.count);
    }
  }

  /** Commits and tags in the order history is walked; trees and blobs so, too, but with all that hangs on the same base, which reads quickly. */
  *#writtenOrder(state: PlanState): Generator<number> {
    const families = new Families(state.base);
    for (const type of writtenKinds) {
      const kind = packTypes.indexOf(type);
      const together = type === 'tree' || type === 'blob';
      for (let number = 0; number < this.#list.ids.length; number += 1) {
        if (state.kind[number] !== kind || state.isWritten[number] === 1 || this.#list.isBaseOnly(number)) continue;
        if (!together) yield number;
        else for (const member of families.of(number)) if (!this.#list.isBaseOnly(member)) yield member;
      }
    }
  }

  /** Bases first, so that a delta's base always lies before it. */
  *#writeWithBases(state: PlanState, writing: Writing, number: number): Generator<void> {
    const chain: number[] = [];
    for (let at = number; at !== none && state.isWritten[at] === 0 && !this.#list.isBaseOnly(at); at = state.base[at]!) chain.push(at);
    for (let at = chain.pop(); at !== undefined; at = chain.pop()) yield* this.#writeObject(state, writing, at);
  }

  *#writeObject(state: PlanState, writing: Writing, number: number): Generator<void> {
    const id = this.#list.ids[number]!;
    const isWritten = this.#writeDelta(state, writing, number) || (yield* this.#copyWhole(state, writing, number));
    if (!isWritten) yield* this.#writeAnew(state, writing, id, number);
    state.isWritten[number] = 1;
    yield;
  }

  #writeDelta(state: PlanState, writing: Writing, number: number): boolean {
    const base = state.base[number]!;
    if (base === none) return false;
    let data: Buffer | undefined;
    let sizeBytes = state.deltaBytes[number]!;
    if (state.isReused[number] === 1) {
      const found = this.#storedEntry(state, number);
      // A delta of this size gains nothing worth holding it in memory.
      if (found === undefined || found.end - found.entry.dataOffset > streamThresholdBytes) return false;
      sizeBytes = found.entry.sizeBytes;
      data = found.pack.viewBytes(found.entry.dataOffset, found.end);
    } else {
      data = this.#spool.find(number) ?? this.#makeDelta(base, number, sizeBytes);
    }
    const header = (): Buffer | undefined => {
      const offset = writing.offsetOf(base);
      if (offset !== 0 && this.#options.usesOffsets === true) return encodeDeltaHeader(sizeBytes, writing.nextOffset - offset);
      return offset !== 0 || this.#list.isBaseOnly(base) ? encodeBaseIdHeader(sizeBytes, this.#list.ids[base]!) : undefined;
    };
    const before = header();
    if (before === undefined) return false;
    writing.makeRoom(before.length + data.length);
    // In another pack its base may not be.
    const head = header();
    if (head === undefined) return false;
    const bytes = Buffer.concat([head, data]);
    writing.add(number, { id: this.#list.ids[number]!, bytes, crc32: crc32(bytes) });
    this.#deltas += 1;
    if (state.isReused[number] === 1) {
      this.#reused += 1;
      this.#reusedDeltas += 1;
    }
    return true;
  }

  /** The delta that was found before, made again; it has the size it had then, given as much room at least. */
  #makeDelta(base: number, number: number, sizeBytes: number): Buffer {
    const { store, level } = this.#options;
    const delta = createDelta(store.read(this.#list.ids[base]!).bytes, store.read(this.#list.ids[number]!).bytes);
    if (delta?.length !== sizeBytes) throw new Error('a delta came out different the second time');
    return compressDelta(delta, level);
  }

  /** The stored entry, when its bytes are what the index says. */
  #storedEntry(state: PlanState, number: number): { readonly pack: PackReader; readonly entry: PackEntry; readonly end: number } | undefined {
    const stored = this.#stored(state, number);
    if (stored === undefined) return undefined;
    const { pack, position } = stored;
    try {
      const entry = pack.entryAt(state.place[number]!);
      const end = pack.endAt(entry.offset);
      return isIntact(pack, position, entry.offset, end) ? { pack, entry, end } : undefined;
    } catch (error) {
      if (error instanceof CorruptError) return undefined;
      throw error;
    }
  }

  *#copyWhole(state: PlanState, writing: Writing, number: number): Generator<void, boolean> {
    if (this.#options.reuseObjects === false || state.isDelta[number] === 1) return false;
    const found = this.#storedEntry(state, number);
    if (found === undefined || found.entry.baseOffset !== undefined) return false;
    const { pack, entry, end } = found;
    const id = this.#list.ids[number]!;
    writing.makeRoom(end - entry.offset);
    if (end - entry.offset <= pieceBytes) {
      const bytes = pack.viewBytes(entry.offset, end);
      writing.add(number, { id, bytes, crc32: crc32(bytes) });
    } else {
      yield* writing.stream(number, id, packTypes[entry.kind] as ObjectType, entry.sizeBytes, function* copied() {
        for (let at = entry.dataOffset; at < end; at += pieceBytes) yield pack.viewBytes(at, Math.min(end, at + pieceBytes));
      });
    }
    this.#reused += 1;
    return true;
  }

  *#writeAnew(state: PlanState, writing: Writing, id: ObjectId, number: number): Generator<void> {
    const { store, level } = this.#options;
    if (state.size[number]! >= streamThresholdBytes) {
      const { type, sizeBytes, chunks } = store.openStream(id);
      writing.makeRoom(sizeBytes);
      yield* writing.stream(number, id, type, sizeBytes, () => compressed(chunks, level));
      return;
    }
    const { type, bytes } = store.read(id);
    const entry = Buffer.concat([encodeEntryHeader(type, bytes.length), deflate(bytes, level)]);
    writing.makeRoom(entry.length);
    writing.add(number, { id, bytes: entry, crc32: crc32(entry) });
  }
}

const onChain = 0xffff;
/** About this many objects are searched at a time; the last of one piece are not compared with the first of the next. */
const pieceObjects = 4096;
/** What is searched at a time where pieces may be smaller. */
const pieceContentBytes = 4 * 1024 * 1024;

/** What is decided of each object, by its number. */
class PlanState {
  /** Index in packTypes; 0 until it is known. */
  readonly kind: Uint8Array;
  /** Number of the pack its first copy is in, or none; its position in that pack's index, and where it begins there. */
  readonly pack: Int32Array;
  readonly position: Uint32Array;
  readonly place: Float64Array;
  /** Whether it is stored as a delta there, and whether that delta is taken over. */
  readonly isDelta: Uint8Array;
  readonly isReused: Uint8Array;
  readonly size: Float64Array;
  /** Number of the object it will be a delta of, or none. */
  readonly base: Int32Array;
  readonly deltaBytes: Float64Array;
  /** Length of the chain of deltas taken over that ends here, and of the longest one that begins here. */
  readonly depth: Uint16Array;
  readonly childDepth: Uint16Array;
  readonly isWritten: Uint8Array;

  constructor({ ids: { length: count }, kinds }: PackingList) {
    this.kind = Uint8Array.from(kinds);
    this.pack = new Int32Array(count).fill(none);
    this.position = new Uint32Array(count);
    this.place = new Float64Array(count);
    this.isDelta = new Uint8Array(count);
    this.isReused = new Uint8Array(count);
    this.size = new Float64Array(count);
    this.base = new Int32Array(count).fill(none);
    this.deltaBytes = new Float64Array(count);
    this.depth = new Uint16Array(count);
    this.childDepth = new Uint16Array(count);
    this.isWritten = new Uint8Array(count);
  }
}

/** What hangs on what. */
class Families {
  readonly #bases: Int32Array;
  /** Of each object, the first delta made of it, and the next one made of the same base; or none. */
  readonly #first: Int32Array;
  readonly #next: Int32Array;

  constructor(bases: Int32Array) {
    this.#bases = bases;
    this.#first = new Int32Array(bases.length).fill(none);
    this.#next = new Int32Array(bases.length).fill(none);
    for (let number = bases.length - 1; number >= 0; number -= 1) {
      const base = bases[number]!;
      if (base === none) continue;
      this.#next[number] = this.#first[base]!;
      this.#first[base] = number;
    }
  }

  /** All that stands and falls with the same whole object, bases first. */
  *of(member: number): Generator<number> {
    let root = member;
    while (this.#bases[root] !== none) root = this.#bases[root]!;
    const pending = [root];
    for (let number = pending.pop(); number !== undefined; number = pending.pop()) {
      yield number;
      if (this.#next[number] !== none && number !== root) pending.push(this.#next[number]!);
      if (this.#first[number] !== none) pending.push(this.#first[number]!);
    }
  }
}

/** The pack being written, and where in it objects begin. */
class Writing {
  /** By number; 0 for what is not in the present pack. */
  readonly #offsets: Float64Array;
  #isEmpty = true;
  #output: PackOutput;
  readonly #split: PackSplit | undefined;

  constructor(count: number, output: PackOutput, split: PackSplit | undefined) {
    this.#offsets = new Float64Array(count);
    this.#output = output;
    this.#split = split;
  }

  offsetOf(number: number): number { return this.#offsets[number]!; }

  get nextOffset(): number { return this.#output.nextOffset; }

  /** Begins another pack when this one would become too large with so many bytes more; a single object may be larger. */
  makeRoom(sizeBytes: number): void {
    if (this.#split === undefined || this.#isEmpty) return;
    if (this.nextOffset + sizeBytes + 32 < this.#split.mostBytes) return;
    this.#output = this.#split.next();
    this.#offsets.fill(0);
    this.#isEmpty = true;
  }

  #place(number: number): void {
    this.#offsets[number] = this.nextOffset;
    this.#isEmpty = false;
  }

  add(number: number, entry: { readonly id: ObjectId; readonly bytes: Buffer; readonly crc32: number }): void {
    this.#place(number);
    this.#output.addPacked(entry);
  }

  *stream(number: number, id: ObjectId, type: ObjectType, sizeBytes: number, pieces: () => Iterable<Uint8Array>): Generator<void> {
    this.#place(number);
    const entry = this.#output.beginEntry(type, sizeBytes);
    try {
      for (const piece of pieces()) {
        entry.append(piece);
        yield;
      }
      entry.end(id);
    } finally {
      entry.cancel();
    }
  }
}

function* compressed(chunks: Iterable<Buffer>, level: DeflateLevel): Generator<Uint8Array> {
  const deflater = new Deflater(level);
  try {
    for (const chunk of chunks) yield* deflater.push(chunk);
    yield* deflater.finish();
  } finally {
    deflater.close();
  }
}

/** True when stored bytes match their CRC; where the index has none, when the object is what its id says. */
function isIntact(pack: PackReader, position: number, offset: number, end: number): boolean {
  const expected = pack.index.crcAt(position);
  if (expected === undefined) return pack.isGoodAt(position);
  let actual = 0;
  for (let at = offset; at < end; at += pieceBytes) actual = crc32(pack.viewBytes(at, Math.min(at + pieceBytes, end)), actual);
  return actual === expected;
}
