// Looking at tracked files on other processors: while a scan walks the index from its front, threads go through it from its end, and mark
// each entry whose file looks as it did. Where they meet, the scan finds the marks and need not look itself. A mark is only ever a saving:
// what a thread did not find out (an entry that is not plain, a file that looks different, is racy, unreadable or gone; or all of it, should
// the thread fail) the scan looks at as if there were no threads.
//
// Threads start as soon as the size of the index is known, because that takes as long as reading it. They only read.
import { statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { lazyModule } from '../../pack/lazy-module.js';
import type { AppearanceRules } from './appearance.js';
import { type LookAheadSetup, type LookAheadTask, lookAheadControl } from './look-ahead-task.js';
import type { IndexRows } from './quick-look.js';
import type { Repository } from '../repository.js';

const threads = lazyModule<typeof import('node:worker_threads')>('node:worker_threads');
const os = lazyModule<typeof import('node:os')>('node:os');

export interface LookAheadOptions {
  /** Smaller indexes are not worth a thread (default: some thirty thousand entries). */
  readonly leastIndexBytes?: number;
  /** Most threads; default: one less than there are processors, at most 3. */
  readonly threads?: number;
}

/** Starting a thread costs as much as looking at some ten thousand files. */
const leastIndexBytes = 3 << 20;
const bytesPerThread = 8 << 20;
const mostThreads = 3;

export class LookAhead {
  readonly #workers: readonly Worker[];
  readonly #control: Int32Array;
  #marks: Uint8Array | undefined;

  private constructor(workers: readonly Worker[], control: Int32Array) {
    this.#workers = workers;
    this.#control = control;
  }

  /** Starts threads for a scan of the repository's whole index; undefined where they would not pay. */
  static start(repository: Repository, options: LookAheadOptions = {}): LookAhead | undefined {
    const sizeBytes = statSync(repository.indexPath, { throwIfNoEntry: false })?.size ?? 0;
    if (sizeBytes < (options.leastIndexBytes ?? leastIndexBytes)) return undefined;
    const most = options.threads ?? Math.min(os().availableParallelism() - 1, mostThreads, Math.ceil(sizeBytes / bytesPerThread));
    if (most < 1) return undefined;
    const { Worker } = threads();
    const script = join(dirname(import.meta.filename), import.meta.filename.endsWith('.cjs') ? 'look-ahead-worker.cjs' : 'look-ahead-worker.js');
    const control = new Int32Array(new SharedArrayBuffer(12));
    const setup: LookAheadSetup = { control };
    const workers = Array.from({ length: most }, () => {
      // Outputs of its own, which nobody writes to, spare opening the process's; a shared environment spares copying it.
      const worker = new Worker(script, { workerData: setup, env: threads().SHARE_ENV, execArgv: [], stdout: true, stderr: true });
      worker.unref();
      // The scan looks at whatever a thread that failed did not mark.
      worker.on('error', () => undefined);
      return worker;
    });
    return new LookAhead(workers, control);
  }

  /** Lets the threads begin; the index must not change until the scan is over. */
  send(rows: IndexRows, rules: AppearanceRules, top: string): void {
    if (this.#marks !== undefined) return;
    const count = rows.offsets.length;
    this.#marks = new Uint8Array(new SharedArrayBuffer(count));
    const task: LookAheadTask = {
      rows: { ...rows, bytes: shareBytes(rows.bytes), offsets: shareNumbers(rows.offsets) }, marks: this.#marks, rules, top,
    };
    this.#control[lookAheadControl.taken] = count;
    for (const worker of this.#workers) worker.postMessage(task);
    this.#release();
  }

  /** True when the entry's file was there and looked the same. Directories on the way may have been links. Entries are asked for in order. */
  isSame(at: number): boolean {
    Atomics.store(this.#control, lookAheadControl.front, at);
    return this.#marks !== undefined && this.#marks[at] === 1;
  }

  /** Lets the threads end. */
  [Symbol.dispose](): void {
    Atomics.store(this.#control, lookAheadControl.front, 0x7fffffff);
    this.#release();
  }

  #release(): void {
    Atomics.store(this.#control, lookAheadControl.sent, 1);
    Atomics.notify(this.#control, lookAheadControl.sent);
  }
}

/** The same values where threads see them. */
function shareBytes(values: Uint8Array): Uint8Array {
  if (values.buffer instanceof SharedArrayBuffer) return values;
  const shared = new Uint8Array(new SharedArrayBuffer(values.length));
  shared.set(values);
  return shared;
}

function shareNumbers(values: Uint32Array): Uint32Array {
  const shared = shareBytes(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  return new Uint32Array(shared.buffer, shared.byteOffset, values.length);
}
