// The pool for bulk hashing and compressing. Jobs are queued, results are taken in the order they are done, and both sides are
// synchronous: the caller sleeps in `take` until a worker is done. Starting a thread costs tens of milliseconds, so small
// amounts of work are done right here and threads start only once enough is queued.
//
// Invariant: at most `workers * 2` jobs are away at a time, each of bounded size, so memory does not grow with the work.
// Workers read files and change none; nothing here matters when the power fails.
import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import type { MessagePort, Worker } from 'node:worker_threads';
import { lazyModule } from './lazy-module.js';
import { performJob } from './packing-job.js';
import type { PackingJob, PackingResult } from './packing-job.js';

const threads = lazyModule<typeof import('node:worker_threads')>('node:worker_threads');
const os = lazyModule<typeof import('node:os')>('node:os');

/**
 * What a worker thread is started with: where tasks come from, and two numbers shared by all: the first is counted up after each
 * reply, the second is 1 once a thread could not answer and has ended.
 */
export interface WorkerSetup {
  readonly port: MessagePort;
  readonly signal: Int32Array;
}

/** What is sent to a worker thread. */
export interface WorkerTask {
  readonly number: number;
  readonly job: PackingJob;
}

/** What comes back. */
export type WorkerReply =
  | { readonly number: number; readonly result: PackingResult }
  | { readonly number: number; readonly failure: string };

/** A finished job; `number` is what `submit` returned for it. */
export interface FinishedJob {
  readonly number: number;
  readonly job: PackingJob;
  readonly result: PackingResult;
}

export interface WorkerPoolOptions {
  /** Most threads; 0 does everything here. Default: one for each processor, at most 4. */
  readonly threads?: number;
  /** What a thread may gather before it looks for garbage, in megabytes; default: as much as Node allows. */
  readonly youngMegabytes?: number;
  /** Threads start at once when queued jobs weigh this much together (the unit is the caller's). Default 1: at the first job. */
  readonly startWeight?: number;
}

interface Queued extends WorkerTask {
  readonly weight: number;
}

interface Member {
  readonly worker: Worker;
  readonly port: MessagePort;
  away: number;
}

const mostThreads = 4;
/** One job being done and one waiting behind it, so that no worker idles while this side is busy. */
const jobsPerWorker = 2;
/** Work that took this long here, and is not at its end, is worth threads. */
const mostHereMs = 50;
/** A job is seconds of work even on a slow disk, but for a digest, which reads a whole pack. */
const silenceMs = 600_000;
const slowestDigestBytesPerMs = 10_000;

export class WorkerPool {
  readonly #most: number;
  readonly #startWeight: number;
  readonly #youngMegabytes: number | undefined;
  readonly #signal = new Int32Array(new SharedArrayBuffer(8));
  readonly #members: Member[] = [];
  readonly #queue: Queued[] = [];
  readonly #away = new Map<number, { readonly job: PackingJob; readonly member: Member }>();
  #queuedWeight = 0;
  #spentHereMs = 0;
  #next = 1;
  #closed = false;

  constructor(options: WorkerPoolOptions = {}) {
    this.#most = options.threads ?? Math.min(os().availableParallelism(), mostThreads);
    this.#startWeight = options.startWeight ?? 1;
    this.#youngMegabytes = options.youngMegabytes;
  }

  /** Jobs submitted and not yet taken. */
  get pending(): number { return this.#queue.length + this.#away.size; }

  /** True while another job would have to wait: the time to `take`. */
  get isFull(): boolean {
    return this.#members.length > 0 && this.pending >= this.#members.length * jobsPerWorker;
  }

  /** True once threads run. */
  get isRunning(): boolean { return this.#members.length > 0; }

  /** Queues a job and returns its number. Memory a 'piece' or 'collisions' brings must not be used until it comes back. */
  submit(job: PackingJob, weight = 1): number {
    if (this.#closed) throw new Error('this pool was closed');
    const number = this.#next;
    this.#next += 1;
    this.#queue.push({ number, job, weight });
    this.#queuedWeight += weight;
    if (this.#most > 0 && this.#members.length === 0 && this.#queuedWeight >= this.#startWeight) this.#start();
    this.#dispatch();
    return number;
  }

  /** The next finished job, waiting for it; undefined when none is pending. Throws what went wrong with the job as a whole. */
  take(): FinishedJob | undefined {
    if (this.pending === 0) return undefined;
    if (this.#members.length === 0) {
      const { number, job, weight } = this.#queue.shift()!;
      this.#queuedWeight -= weight;
      const startedMs = performance.now();
      const result = performJob(job);
      this.#spentHereMs += performance.now() - startedMs;
      if (this.#most > 0 && this.#spentHereMs > mostHereMs && this.#queue.length > 0) {
        this.#start();
        this.#dispatch();
      }
      return { number, job, result };
    }
    for (;;) {
      const before = Atomics.load(this.#signal, 0);
      for (const member of this.#members) {
        const received = threads().receiveMessageOnPort(member.port) as { readonly message: WorkerReply } | undefined;
        if (received !== undefined) return this.#finish(received.message);
      }
      const isSilent = Atomics.load(this.#signal, 1) !== 0 || Atomics.wait(this.#signal, 0, before, this.#patienceMs()) === 'timed-out';
      if (isSilent) throw new Error('a worker thread ended before its work was done');
    }
  }

  #patienceMs(): number {
    let digestBytes = 0;
    for (const { job } of this.#away.values()) if (job.kind === 'digest') digestBytes += job.sizeBytes;
    return silenceMs + digestBytes / slowestDigestBytesPerMs;
  }

  /** Stops the threads; jobs not taken are forgotten. */
  close(): void {
    this.#closed = true;
    this.#queue.length = 0;
    this.#away.clear();
    for (const { worker, port } of this.#members) {
      port.close();
      void worker.terminate();
    }
    this.#members.length = 0;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #start(): void {
    const { MessageChannel, Worker } = threads();
    const script = join(dirname(import.meta.filename), import.meta.filename.endsWith('.cjs') ? 'worker.cjs' : 'worker.js');
    if (!fs.existsSync(script)) throw new Error(`'${script}' is missing; install cairn again`);
    const limits = this.#youngMegabytes === undefined ? {} : { resourceLimits: { maxYoungGenerationSizeMb: this.#youngMegabytes } };
    for (let at = 0; at < this.#most; at += 1) {
      const { port1, port2 } = new MessageChannel();
      const setup: WorkerSetup = { port: port2, signal: this.#signal };
      const worker = new Worker(script, { workerData: setup, transferList: [port2], env: {}, execArgv: [], ...limits });
      worker.unref();
      port1.unref();
      this.#members.push({ worker, port: port1, away: 0 });
    }
  }

  /** Sends what the workers have room for. */
  #dispatch(): void {
    while (this.#queue.length > 0 && this.#members.length > 0) {
      const member = this.#members.reduce((least, other) => (other.away < least.away ? other : least));
      if (member.away >= jobsPerWorker) return;
      const { number, job, weight } = this.#queue.shift()!;
      this.#queuedWeight -= weight;
      const task: WorkerTask = { number, job };
      member.port.postMessage(task, memoryOf(job));
      member.away += 1;
      this.#away.set(number, { job, member });
    }
  }

  #finish(reply: WorkerReply): FinishedJob {
    const { job, member } = this.#away.get(reply.number)!;
    this.#away.delete(reply.number);
    member.away -= 1;
    this.#dispatch();
    if ('failure' in reply) throw new Error(reply.failure);
    return { number: reply.number, job, result: reply.result };
  }
}

/** What is handed over with a job; the rest is copied. */
function memoryOf(job: PackingJob): ArrayBuffer[] {
  switch (job.kind) {
    case 'piece': return [job.bytes.buffer as ArrayBuffer];
    case 'collisions': return [job.messages.bytes.buffer as ArrayBuffer];
    default: return [];
  }
}
