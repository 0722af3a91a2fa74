// Which object to store as a delta of which, when gc packs: each is tried against the last few written before it. The caller
// gives them in an order that puts versions of one file next to one another, newest first. See git-pack-objects(1), --window and --depth.
//
// Whatever is chosen is only smaller or larger, never wrong: a pack is read back object by object before it counts.
import { DeltaIndex } from '../pack/delta.js';
import type { ObjectId } from '../pack/oid.js';

export interface DeltaLimits {
  /** How many earlier objects are tried; 0 makes no deltas. */
  readonly window: number;
  /** How long a chain of deltas may become. */
  readonly depth: number;
}

export interface FoundDelta {
  readonly base: ObjectId;
  readonly delta: Buffer;
}

/** An object written before. */
interface Candidate {
  readonly id: ObjectId;
  /** Length of its own chain of deltas. */
  readonly depth: number;
  /** The pack it came from, when that was searched for deltas already. */
  readonly searched: string | undefined;
  readonly read: () => Buffer | undefined;
  bytes: Buffer | undefined;
  index: DeltaIndex | undefined;
}

/** Shorter objects gain nothing, larger ones take too much memory for what they gain. */
const leastBytes = 50;
const mostBytes = 4 * 1024 * 1024;
/** Candidates kept in memory together. */
const windowBytes = 24 * 1024 * 1024;

export class DeltaWindow {
  readonly #limits: DeltaLimits;
  #candidates: Candidate[] = [];

  constructor(limits: DeltaLimits) {
    this.#limits = limits;
  }

  /** Makes an object a candidate for those that come after it; `read` is called when it is tried, and gives undefined to decline. */
  add(id: ObjectId, depth: number, searched: string | undefined, read: () => Buffer | undefined): void {
    if (this.#limits.window <= 0) return;
    this.#candidates.push({ id, depth, searched, read, bytes: undefined, index: undefined });
    if (this.#candidates.length > this.#limits.window) this.#candidates.shift();
  }

  /** Forgets all candidates, for objects of another type follow. */
  clear(): void {
    this.#candidates = [];
  }

  /** True when some candidate was not compared with the object by whoever wrote `searched`. */
  isWorthTrying(sizeBytes: number, searched: string | undefined): boolean {
    return sizeBytes >= leastBytes && sizeBytes <= mostBytes
      && this.#candidates.some((candidate) => searched === undefined || candidate.searched !== searched);
  }

  /** The smallest delta that makes `target` from a candidate; undefined when none saves half of it. */
  find(target: Buffer, searched: string | undefined): FoundDelta | undefined {
    let best: FoundDelta | undefined;
    for (let at = this.#candidates.length - 1; at >= 0; at -= 1) {
      const candidate = this.#candidates[at]!;
      if (candidate.depth >= this.#limits.depth || (searched !== undefined && candidate.searched === searched)) continue;
      const bytes = this.#load(candidate);
      if (bytes === undefined || bytes.length < target.length / 32 || bytes.length > 32 * target.length) continue;
      // Long chains are slow to read, so they must gain more.
      const most = Math.floor((target.length / 2 - 20) * (1 - candidate.depth / (this.#limits.depth + 1)));
      const room = Math.min(most, best === undefined ? most : best.delta.length - 1);
      if (room < 8) continue;
      candidate.index ??= new DeltaIndex(bytes);
      const delta = candidate.index.create(target, room);
      if (delta !== undefined) best = { base: candidate.id, delta };
    }
    return best;
  }

  #load(candidate: Candidate): Buffer | undefined {
    if (candidate.bytes !== undefined) return candidate.bytes;
    const bytes = candidate.read();
    if (bytes === undefined || bytes.length < leastBytes || bytes.length > mostBytes) return undefined;
    candidate.bytes = bytes;
    let total = 0;
    for (let at = this.#candidates.length - 1; at >= 0; at -= 1) {
      const other = this.#candidates[at]!;
      total += other.bytes?.length ?? 0;
      if (total <= windowBytes || other === candidate) continue;
      other.bytes = undefined;
      other.index = undefined;
    }
    return bytes;
  }
}

/** A number by which paths sort so that like ones come together: what they end in counts most, as with git's own packs. */
export function pathGroup(path: string): number {
  let group = 0;
  for (let at = Math.max(0, path.length - 16); at < path.length; at += 1) {
    const code = path.charCodeAt(at);
    if (code !== 32) group = ((group >>> 2) + code * 0x1000000) >>> 0;
  }
  return group;
}
