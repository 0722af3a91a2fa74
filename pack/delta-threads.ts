// The search for deltas of a whole pack by several threads: this one works from the front, helpers from the back.
//
// What is found does not depend on who found it, nor on how many threads there are. Helpers read and change nothing.
import { type DeltaPiece, type FoundDeltas, searchDeltas } from './delta-search.js';
import { lazyModule } from './lazy-module.js';
import type { ObjectId } from './oid.js';
import { WorkerPool } from './workers.js';

const os = lazyModule<typeof import('node:os')>('node:os');

/** Less is done before another thread has begun. */
const leastPiecesForHelp = 4;
/** Each takes some fifty megabytes of memory. */
const mostHelpers = 2;

/** What was found in one of the pieces. */
export interface SearchedPiece {
  readonly piece: number;
  readonly found: FoundDeltas;
}

/** Searches `count` pieces, each described when its turn comes; `read` gives verified contents for what is done in this thread. */
export function* searchTogether(count: number, describe: (piece: number) => DeltaPiece, read: (id: ObjectId) => Buffer): Generator<SearchedPiece> {
  const threads = count < leastPiecesForHelp ? 0 : Math.min(mostHelpers, os().availableParallelism() - 1);
  using helpers = new WorkerPool({ threads, youngMegabytes: 6 });
  const away = new Map<number, number>();
  const collect = (): SearchedPiece => {
    const finished = helpers.take();
    if (finished?.result.kind !== 'deltas') throw new Error('a helper answered what it was not asked');
    return { piece: away.get(finished.number)!, found: finished.result.found };
  };
  let end = count;
  for (let piece = 0; piece < end; piece += 1) {
    while (threads > 0 && end - 1 > piece && !helpers.isFull) {
      end -= 1;
      away.set(helpers.submit({ kind: 'deltas', piece: describe(end) }), end);
    }
    yield { piece, found: searchDeltas(describe(piece), read) };
    while (helpers.pending > 0 && helpers.isFull) yield collect();
  }
  while (helpers.pending > 0) yield collect();
}
