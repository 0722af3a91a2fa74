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
  readonly sizeBytes: number;
  /** Called at most once, when its content is needed; undefined to decline. */
  readonly read: () => Buffer | undefined;
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

/** An object and, once it is needed, its content. */
class Candidate {
  readonly target: DeltaTarget;
  depth = 0;
  isDeclined = false;
  bytes: Buffer | undefined;
  index: DeltaIndex | undefined;

  constructor(target: DeltaTarget) {
    this.target = target;
  }
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
    const candidate = new Candidate(target);
    const best = target.isBaseOnly ? undefined : this.#find(candidate, depth - target.childDepth);
    if (best !== undefined) this.#prefer(best.base);
    candidate.depth = best?.depth ?? 0;
    // On a full chain nothing can hang.
    if (candidate.depth < depth && !candidate.isDeclined) this.#push(candidate);
    else this.#heldBytes -= candidate.bytes?.length ?? 0;
    return best;
  }

  #find(wanted: Candidate, mostDepth: number): FoundDelta | undefined {
    const candidates = this.#candidates;
    const { sizeBytes: size, searched } = wanted.target;
    let best: FoundDelta | undefined;
    for (let at = candidates.length - 1; at >= 0; at -= 1) {
      const candidate = candidates[at]!;
      const { target } = candidate;
      if (candidate.depth >= mostDepth || (searched !== 0 && target.searched === searched && !target.isBaseOnly)) continue;
      // Long chains are slow to read, so they must gain more.
      const most = best === undefined ? (size >>> 1) - this.#idBytes : best.delta.length;
      const room = Math.floor((most * (mostDepth - candidate.depth)) / (mostDepth - (best?.depth ?? 1) + 1));
      if (room <= 0 || size - target.sizeBytes >= room || size < target.sizeBytes / 32) continue;
      const bytes = this.#load(wanted);
      if (bytes === undefined) return undefined;
      const base = this.#load(candidate);
      if (base === undefined) continue;
      candidate.index ??= new DeltaIndex(base);
      const delta = candidate.index.create(bytes, room);
      if (delta === undefined) continue;
      if (best !== undefined && delta.length >= best.delta.length && candidate.depth + 1 >= best.depth) continue;
      best = { base: target.number, delta, depth: candidate.depth + 1 };
    }
    return best;
  }

  #load(candidate: Candidate): Buffer | undefined {
    if (candidate.bytes !== undefined || candidate.isDeclined) return candidate.bytes;
    candidate.bytes = candidate.target.read();
    candidate.isDeclined = candidate.bytes === undefined;
    this.#heldBytes += candidate.bytes?.length ?? 0;
    return candidate.bytes;
  }

  /** What served once is likely to serve again: it stays longer than others that came before it. */
  #prefer(number: number): void {
    const at = this.#candidates.findIndex(({ target }) => target.number === number);
    if (at >= 0) this.#candidates.push(...this.#candidates.splice(at, 1));
  }

  #push(candidate: Candidate): void {
    this.#candidates.push(candidate);
    while (this.#candidates.length > this.#limits.window || (this.#heldBytes > this.#memoryBytes && this.#candidates.length > 1)) {
      this.#heldBytes -= this.#candidates.shift()!.bytes?.length ?? 0;
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
