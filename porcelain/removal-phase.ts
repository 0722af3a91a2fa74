// A removal phase: the only time when objects leave the store (cairn-safety(7), "The sweeper's steps"). While one is on, nobody names objects.
//
// Invariant: begun under the maintenance lock, after every writer that was about to name something has done so or stood back.
// If the power fails: the flag names an earlier start of the machine; whoever comes first undoes what was begun.
import { LockedError } from '../pack/errors.js';
import { listAnnounced, removeAnnounced } from '../plumbing/refs/announcement.js';
import { sleep } from '../plumbing/lockfile.js';
import type { Repository } from '../plumbing/repository.js';
import { SweepFlag, findSweep, undoDeadSweep } from '../plumbing/refs/sweep-flag.js';
import { parseGrace } from './grace.js';
import { type MaintenanceLock, lostError } from './leases.js';

/** How long to wait for writers that are about to name objects, when gc.waitForWriters does not say: they need milliseconds. */
const defaultPatience = '30s';

export class RemovalPhase {
  readonly #flag: SweepFlag;
  readonly #lock: MaintenanceLock;
  #beatenMs = Date.now();

  private constructor(flag: SweepFlag, lock: MaintenanceLock) {
    this.#flag = flag;
    this.#lock = lock;
  }

  /** Raises the flag and waits for writers; LockedError (code 'writers-at-work') when one does not come to an end. */
  static begin(repository: Repository, lock: MaintenanceLock): RemovalPhase {
    lock.check();
    const flag = SweepFlag.raise(repository) ?? raiseAgain(repository);
    try {
      const { config, context } = repository;
      const patienceMs = parseGrace(config.get('gc.waitforwriters') ?? defaultPatience, context.clock);
      const deadlineMs = Date.now() + patienceMs;
      // Whoever comes later sees the flag, and need not be waited for.
      let waited = listAnnounced(repository).filter(({ kind }) => kind === 'naming');
      for (let attempt = 1; waited.length > 0; attempt += 1) {
        const paths = new Set(waited.map(({ path }) => path));
        waited = listAnnounced(repository).filter((announced) => {
          if (!paths.has(announced.path)) return false;
          if (announced.isDead) removeAnnounced(announced);
          return !announced.isDead;
        });
        if (waited.length === 0) break;
        if (Date.now() >= deadlineMs) {
          const [{ pid }] = waited as [typeof waited[number]];
          throw new LockedError(`${pid === undefined ? 'a process' : `process ${pid}`} has been about to name objects for more than ${Math.round(patienceMs / 1000)} seconds`, {
            code: 'writers-at-work', hint: 'nothing was removed; if that process was stopped, continue or end it, then try again',
          });
        }
        lock.beat();
        sleep(Math.min(attempt, 20));
      }
      return new RemovalPhase(flag, lock);
    } catch (error) {
      flag.lower();
      throw error;
    }
  }

  /** Called before each step that takes something away: ConflictError when this process was taken for dead meanwhile. */
  check(): void {
    this.#lock.beat();
    const nowMs = Date.now();
    if (nowMs - this.#beatenMs < 1_000) return;
    if (!this.#flag.beat()) throw lostError();
    this.#beatenMs = nowMs;
  }

  end(): void {
    this.#flag.lower();
  }

  [Symbol.dispose](): void {
    this.end();
  }
}

/** There is a flag: that of the dead is settled first. */
function raiseAgain(repository: Repository): SweepFlag {
  const sweep = findSweep(repository);
  if (sweep?.isDead) undoDeadSweep(repository);
  const flag = SweepFlag.raise(repository);
  if (flag === undefined) throw new LockedError(`objects are being removed by ${findSweep(repository)?.holder ?? 'another process'}`, { code: 'sweep-running', hint: 'wait until it is done' });
  return flag;
}
