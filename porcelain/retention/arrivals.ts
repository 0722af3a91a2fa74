// When refs arrived, and in what order: by the log of events (runs, releases, what was first seen when), or else by the ref's reflog; never by
// dates in commits, which anybody can set. Specified by cairn-retention(7), "WHEN SOMETHING ARRIVED".
//
// Invariant: only an entry about this very ref and this very value counts. What has none is unrecorded, and stays until somebody who may
// write has looked (`noteArrivals`). If the power fails, at worst an entry is missing: what it was about stays longer.
import type { ObjectId } from '../../pack/oid.js';
import { readReflog } from '../../plumbing/refs/reflog.js';
import type { Repository } from '../../plumbing/repository.js';
import { appendEvent, listEvents } from '../events.js';
import { type Policy, compilePattern } from './policy.js';

/** One record of an arrival. */
export interface Recorded {
  readonly atMs: number;
  /** Rises with each record of the log; undefined for what a reflog says. */
  readonly order: number | undefined;
  /** Equal for what was first seen together, and for what reflogs say of one second: nobody knows which came first. */
  readonly batch: number | undefined;
}

/** The name arrivals of receipts go by. */
export const receiptKey = 'receipt';
/** One event is read as a whole, so it is not made large. */
const largestBatchBytes = 256 * 1024;

export class Arrivals {
  readonly #repository: Repository;
  readonly #recorded = new Map<string, Recorded>();

  private constructor(repository: Repository) {
    this.#repository = repository;
  }

  /** Reads the whole log. */
  static read(repository: Repository): Arrivals {
    const arrivals = new Arrivals(repository);
    let order = 0;
    for (const { kind, atMs, data } of listEvents(repository)) {
      order += 1;
      const record = (name: unknown, id: unknown, batch?: number): void => {
        if (typeof name === 'string' && typeof id === 'string') arrivals.#recorded.set(`${name} ${id}`, { atMs, order, batch });
      };
      if (kind === 'run') record(`refs/runs/${String(data['run'])}`, data['commit']);
      else if (kind === 'release' || kind === 'rollback') record(receiptKey, data['receipt']);
      else if (kind === 'first-seen' && Array.isArray(data['refs'])) {
        const refs: readonly unknown[] = data['refs'];
        const batch = typeof data['batch'] === 'number' ? data['batch'] : order;
        for (let at = 0; at + 1 < refs.length; at += 2) record(refs[at], refs[at + 1], batch);
      }
    }
    return arrivals;
  }

  /** Undefined when nobody wrote down when the ref came to hold this. */
  find(name: string, id: ObjectId): Recorded | undefined {
    const recorded = this.#recorded.get(`${name} ${id}`);
    if (recorded !== undefined || name === receiptKey) return recorded;
    const entry = readReflog(this.#repository, name).at(-1);
    // Nobody can tell which of those that moved in the same second came first.
    return entry?.newId === id ? { atMs: entry.ident.seconds * 1000, order: undefined, batch: -entry.ident.seconds } : undefined;
  }
}

/** Writes down that refs under a policy, of which nobody knows when they arrived, are here now. */
export function noteArrivals(repository: Repository, policies: readonly Policy[]): void {
  if (policies.length === 0) return;
  const covers = policies.map(compilePattern);
  const arrivals = Arrivals.read(repository);
  const batch = repository.context.clock.nowMs();
  let refs: string[] = [];
  let bytes = 0;
  const write = (): void => {
    if (refs.length > 0) appendEvent(repository, 'first-seen', { batch, refs });
    refs = [];
    bytes = 0;
  };
  for (const { name, id, symbolicTarget } of repository.refs.list()) {
    if (name.startsWith('refs/releases/') || symbolicTarget !== undefined || !covers.some((matches) => matches(name)) || arrivals.find(name, id) !== undefined) continue;
    refs.push(name, id);
    bytes += name.length * 3 + id.length + 8;
    if (bytes > largestBatchBytes) write();
  }
  write();
}
