// Unpacking by the WASM kernel (assembly/unpack.ts): its functions, and how its memory is divided into regions.
//
// Invariant: a region, once given, keeps its address; the memory grows, and then `bytes` is a new view of it. What the kernel asks for
// while it works (bytes of a pack, an empty slab) comes through the functions it is opened with.
import { openKernel } from './kernel.js';
import type { Kernel, KernelExports } from './kernel.js';

export interface UnpackExports extends KernelExports {
  prepare(scratch: number, table: number): void;
  scratchSize(): number;
  tableSize(): number;
  slabSize(): number;
  frameSize(): number;
  windowSize(): number;
  overlapSize(): number;
  windowRegionSize(): number;
  use(key: number, end: number, idSize: number, table: number): void;
  setView(offset: number, address: number, size: number): void;
  setKeptSlabs(count: number): void;
  read(offset: number, to: number, limit: number): number;
  readHead(offset: number, to: number, limit: number, most: number): number;
  checkedIdAt(): number;
  isFrameOf(idSize: number, frame: number, size: number): number;
  describe(offset: number): number;
  useIndex(index: number, count: number): void;
  describeLines(text: number, end: number, terminator: number, to: number, limit: number): number;
  describeRange(from: number, until: number, to: number, limit: number): number;
  describedEnd(): number;
  useTemplate(at: number, size: number, names: number, others: number): void;
  beginWalk(idSize: number, firstParents: number, seed: number): void;
  printLines(digits: number, subjects: number, anyByte: number, end: number, onlyPack: number): void;
  addTip(id: number): number;
  walk(to: number, limit: number, mostCommits: number): number;
  walkedCount(): number;
  walkedEnd(): number;
  walkedId(): number;
  setContent(start: number, end: number): void;
  keepTrees(): void;
  useGraph(count: number, fanOut: number, ids: number, data: number, edges: number, edgesEnd: number, numbers: number): void;
  beginObjects(idSize: number): void;
  listObjects(to: number, limit: number): number;
  listedEnd(): number;
  listedId(): number;
  kind(): number;
  contentSize(): number;
}

/** What the kernel asks for; all addresses are in its memory. */
export interface UnpackSupply {
  /** Calls `setView` with `wanted` bytes from `offset` on, fewer only at the end of the pack, none when they cannot be had. */
  provide(offset: number, wanted: number): void;
  /** Offset of the object whose raw id is at an address; -1 when it is not in the pack. */
  offsetOf(idAddress: number): number;
  /** Of the walk that was begun last. */
  readonly walk: WalkSupply | undefined;
}

/** What the kernel asks for on a walk over commits. */
export interface WalkSupply {
  /** Calls `setContent` with the content of an object of a kind, or throws. */
  bring(idAddress: number, kind: number): void;
  /** Throws where a blob is nowhere. */
  need(idAddress: number): void;
  /** How many digits of an id are to be shown. */
  digitsOf(idAddress: number): number;
  /** Whether objects in no pack may begin with a byte. */
  hasLoose(first: number): boolean;
}

/** The object is larger, deeper or odder than the kernel handles, or damaged. */
export const refused = -1;
/** The result does not fit before the limit given. */
export const noRoom = -2;
/** No pack may end at or behind this offset. */
export const mostPackBytes = 2 ** 45;
/** No pack may have this key or a greater one. */
export const mostPackKeys = 2 ** 16;
const mostMemoryBytes = 2 ** 31;

export class UnpackKernel {
  readonly exports: UnpackExports;
  /** What a region for results must have for the longest of them. */
  readonly frameBytes: number;
  readonly #kernel: Kernel<UnpackExports>;
  readonly #mostSlabs: number;
  readonly #slabs: number[] = [];
  #nextSlab = 0;
  #free: number;

  private constructor(kernel: Kernel<UnpackExports>, slabBytes: number) {
    this.#kernel = kernel;
    this.exports = kernel.exports;
    this.frameBytes = kernel.exports.frameSize();
    this.#free = kernel.regionStart;
    // The base a delta is applied to, and the slab its result goes to, must not be the same.
    this.#mostSlabs = Math.max(4, Math.floor(slabBytes / kernel.exports.slabSize()));
    kernel.exports.setKeptSlabs(this.#mostSlabs >> 1);
    kernel.exports.prepare(this.reserve(kernel.exports.scratchSize()), this.reserve(kernel.exports.tableSize()));
  }

  /** `slabBytes`: about how much memory contents may take that deltas were applied to. Undefined where there are no kernels. */
  static open(supply: UnpackSupply, slabBytes: number): UnpackKernel | undefined {
    let opened: UnpackKernel | undefined;
    const kernel = openKernel<UnpackExports>('unpack', {
      pack: {
        provide: (offset: number, wanted: number) => supply.provide(offset, wanted),
        offsetOf: (idAddress: number) => supply.offsetOf(idAddress),
        emptySlab: () => opened!.#emptySlab(),
        reserve: (sizeBytes: number) => opened!.reserve(sizeBytes),
        bring: (idAddress: number, kind: number) => supply.walk!.bring(idAddress, kind),
        need: (idAddress: number) => supply.walk!.need(idAddress),
        digitsOf: (idAddress: number) => supply.walk!.digitsOf(idAddress),
        hasLoose: (first: number) => supply.walk!.hasLoose(first),
      },
    });
    if (kernel !== undefined) opened = new UnpackKernel(kernel, slabBytes);
    return opened;
  }

  /** The whole memory as it is now. */
  get bytes(): Buffer { return this.#kernel.heap(0); }

  /** The address of a new region. */
  reserve(sizeBytes: number): number {
    const address = this.#free;
    const end = Math.ceil((address + sizeBytes) / 64) * 64;
    // Beyond, addresses would come back from the kernel as negative numbers.
    if (end > mostMemoryBytes) throw new RangeError(`${end} bytes are more than a kernel can have`);
    this.#kernel.heap(end);
    this.#free = end;
    return address;
  }

  #emptySlab(): number {
    if (this.#slabs.length < this.#mostSlabs) {
      const address = this.reserve(this.exports.slabSize());
      this.#slabs.push(address);
      return address;
    }
    const address = this.#slabs[this.#nextSlab]!;
    this.#nextSlab = (this.#nextSlab + 1) % this.#mostSlabs;
    return address;
  }
}
