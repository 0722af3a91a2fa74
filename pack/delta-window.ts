// Which object to store as a delta of which: each is tried against the last few that came before it, in an order that puts versions of
// one file next to one another, the largest first. See git-pack-objects(1), --window, --depth and --window-memory.
//
// Whatever is chosen is only smaller or larger, never wrong: a delta makes exactly its target. Memory is bounded by the number of
// contents in the window and by their bytes.
import { DeltaIndex } from './delta.js';

export interface DeltaLimits {
  /** How many earlier objects are tried; 0 makes no deltas. */
  readonly window: number;
  /** How long a chain of deltas may become. */
  readonly depth: number;
  /** Contents kept in the window together, at most; the one tried next always fits. */
  readonly memoryBytes?: number;
}

/** An object to find a base for. `number` is the caller's name for it. */
export interface DeltaTarget {
  readonly number: number;
  readonly bytes: Buffer;
  /** Deltas that hang on this one already: its own chain must be that much shorter. */
  readonly childDepth: number;
  /** Whoever searched this pack before found nothing for pairs within it; 0 for objects from elsewhere. */
  readonly searched: number;
  /** It may serve as a base but stays as it is. */
  readonly isBaseOnly: boolean;
}

export interface FoundDelta {
  /** The base's number. */
  readonly base: number;
  readonly delta: Buffer;
  /** Length of the chain with this one. */
  readonly depth: number;
}

interface Candidate {
  readonly number: number;
  readonly bytes: Buffer;
  readonly depth: number;
  readonly searched: number;
  readonly isBaseOnly: boolean;
  index: DeltaIndex | undefined;
}

/** Shorter objects gain nothing. */
export const leastDeltaBytes = 50;
const defaultMemoryBytes = 48 * 1024 * 1024;

/** The last objects that came by, as bases for the next. */
export class DeltaWindow {
  readonly #limits: DeltaLimits;
  readonly #idBytes: number;
  readonly #memoryBytes: number;
  /** The one to be tried first comes last. */
  readonly #candidates: Candidate[] = [];
  #heldBytes = 0;

  /** `idBytes`: what naming a base costs, so that a delta must save at least that. */
  constructor(limits: DeltaLimits, idBytes: number) {
    this.#limits = limits;
    this.#idBytes = idBytes;
    this.#memoryBytes = limits.memoryBytes === undefined || limits.memoryBytes === 0 ? defaultMemoryBytes : limits.memoryBytes;
  }

  /** Forgets all candidates, for objects of another type follow. */
  clear(): void {
    this.#candidates.length = 0;
    this.#heldBytes = 0;
  }

  /** The best delta for an object, which then becomes a candidate itself; undefined when none saves half of it. */
  offer(target: DeltaTarget): FoundDelta | undefined {
    const { window, depth } = this.#limits;
    if (window <= 0 || depth <= 0) return undefined;
    const best = target.isBaseOnly ? undefined : this.#find(target, depth - target.childDepth);
    if (best !== undefined) this.#prefer(best.base);
    // On a full chain nothing can hang.
    if (best === undefined || best.depth < depth) this.#push(target, best?.depth ?? 0);
    return best;
  }

  #find({ bytes, searched }: DeltaTarget, mostDepth: number): FoundDelta | undefined {
    const candidates = this.#candidates;
    const size = bytes.length;
    let best: FoundDelta | undefined;
    for (let at = candidates.length - 1; at >= 0; at -= 1) {
      const candidate = candidates[at]!;
      if (candidate.depth >= mostDepth || (searched !== 0 && candidate.searched === searched && !candidate.isBaseOnly)) continue;
      // Long chains are slow to read, so they must gain more.
      const most = best === undefined ? (size >>> 1) - this.#idBytes : best.delta.length;
      const room = Math.floor((most * (mostDepth - candidate.depth)) / (mostDepth - (best?.depth ?? 1) + 1));
      const from = candidate.bytes.length;
      if (room <= 0 || size - from >= room || size < from / 32) continue;
      candidate.index ??= new DeltaIndex(candidate.bytes);
      const delta = candidate.index.create(bytes, room);
      if (delta === undefined) continue;
      if (best !== undefined && delta.length >= best.delta.length && candidate.depth + 1 >= best.depth) continue;
      best = { base: candidate.number, delta, depth: candidate.depth + 1 };
    }
    return best;
  }

  /** What served once is likely to serve again: it stays longer than others that came before it. */
  #prefer(number: number): void {
    const at = this.#candidates.findIndex((candidate) => candidate.number === number);
    if (at >= 0) this.#candidates.push(...this.#candidates.splice(at, 1));
  }

  #push({ number, bytes, searched, isBaseOnly }: DeltaTarget, depth: number): void {
    this.#candidates.push({ number, bytes, depth, searched, isBaseOnly, index: undefined });
    this.#heldBytes += bytes.length;
    while (this.#candidates.length > this.#limits.window || (this.#heldBytes > this.#memoryBytes && this.#candidates.length > 1)) {
      this.#heldBytes -= this.#candidates.shift()!.bytes.length;
    }
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
