// Writing the files of a large snapshot with two threads: this one and release-worker.ts take the next few files in turn from a shared
// counter, until none is left. Few files, a disk that is not the real one, or a place without the worker: this thread does all.
//
// Invariant: when `writeTogether` returns or throws, no thread writes any more. Durability is the caller's.
import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import { isRealDisk } from '../pack/disk.js';
import { CairnError, ConflictError, CorruptError, InvalidError, NotFoundError, RefusedError } from '../pack/errors.js';
import { lazyModule } from '../pack/lazy-module.js';
import type { ObjectStore } from '../pack/object-store.js';
import type { ObjectFormat } from '../pack/oid.js';
import { type StatData, toRoundedStatData } from '../plumbing/index/appearance.js';
import { FileWriter } from './file-writer.js';
import type { TreeFile } from './tree-listing.js';

const threads = lazyModule<typeof import('node:worker_threads')>('node:worker_threads');
const os = lazyModule<typeof import('node:os')>('node:os');

/** Starting a thread costs what writing some hundred files costs. */
const fewestFiles = 3000;
const batchFiles = 64;

/** What the worker is started with. */
export interface WritingSetup {
  /** [next batch, state]; the state goes 0 (starting) → 1 (writing) → 2 (done), or 0 → 3 (not wanted any more). */
  readonly shared: Int32Array;
  readonly port: import('node:worker_threads').MessagePort;
  readonly objectsDirectory: string;
  readonly alternates: readonly string[];
  readonly format: ObjectFormat;
  readonly root: string;
  readonly files: readonly TreeFile[];
}

/** What it answers: which batches it wrote with ten numbers for each file (the stat, and the size in full), or why it stopped. */
export type WritingReply =
  | { readonly batches: readonly number[]; readonly numbers: Float64Array }
  | { readonly failure: { readonly name: string; readonly message: string; readonly code: string; readonly hint: string | undefined; readonly syscall: string | undefined } };

export const writingStates = { starting: 0, writing: 1, done: 2, unwanted: 3 } as const;
const noMoreBatches = 0x40000000;
const numbersPerFile = 10;

/** Takes batches until none is left. */
export function writeBatches(writer: FileWriter, files: readonly TreeFile[], shared: Int32Array, note: (batch: number, at: number, stat: StatData, sizeBytes: number) => void): void {
  for (;;) {
    const batch = Atomics.add(shared, 0, 1);
    if (batch * batchFiles >= files.length) return;
    const end = Math.min((batch + 1) * batchFiles, files.length);
    for (let at = batch * batchFiles; at < end; at += 1) {
      const { status } = writer.write(files[at]!);
      note(batch, at, toRoundedStatData(status), status.size);
    }
  }
}

/** A stat and a size as numbers, for the way between threads. */
export function statNumbers(stat: StatData, sizeBytes: number): number[] {
  return [stat.ctimeS, stat.ctimeNs, stat.mtimeS, stat.mtimeNs, stat.dev, stat.ino, stat.uid, stat.gid, stat.size, sizeBytes];
}

/** Writes regular files, whose directories exist, below `root`, and reads them back; tells how each one looks, in any order. */
export function writeTogether(store: ObjectStore, root: string, files: readonly TreeFile[], note: (file: TreeFile, stat: StatData, sizeBytes: number) => void): void {
  const shared = new Int32Array(new SharedArrayBuffer(8));
  const helper = files.length < fewestFiles ? undefined : startHelper(store, root, files, shared);
  try {
    writeBatches(new FileWriter(store, root), files, shared, (_batch, at, stat, sizeBytes) => note(files[at]!, stat, sizeBytes));
  } finally {
    Atomics.store(shared, 0, noMoreBatches);
    if (helper !== undefined && Atomics.compareExchange(shared, 1, writingStates.starting, writingStates.unwanted) !== writingStates.starting) {
      Atomics.wait(shared, 1, writingStates.writing);
    }
  }
  if (helper === undefined) return;
  const reply = threads().receiveMessageOnPort(helper) as { readonly message: WritingReply } | undefined;
  helper.close();
  if (reply === undefined) return;
  if ('failure' in reply.message) throw failureOf(reply.message.failure);
  const { batches, numbers } = reply.message;
  let at = 0;
  for (const batch of batches) {
    for (const file of files.slice(batch * batchFiles, (batch + 1) * batchFiles)) {
      const [ctimeS, ctimeNs, mtimeS, mtimeNs, dev, ino, uid, gid, size, sizeBytes] = numbers.subarray(at, at + numbersPerFile) as unknown as readonly [number, number, number, number, number, number, number, number, number, number];
      note(file, { ctimeS, ctimeNs, mtimeS, mtimeNs, dev, ino, uid, gid, size }, sizeBytes);
      at += numbersPerFile;
    }
  }
}

function startHelper(store: ObjectStore, root: string, files: readonly TreeFile[], shared: Int32Array): import('node:worker_threads').MessagePort | undefined {
  if (!isRealDisk() || os().availableParallelism() < 2) return undefined;
  const script = join(dirname(import.meta.filename), import.meta.filename.endsWith('.cjs') ? 'release-worker.cjs' : 'release-worker.js');
  if (!fs.existsSync(script)) return undefined;
  const { MessageChannel, Worker } = threads();
  const { port1, port2 } = new MessageChannel();
  const setup: WritingSetup = { shared, port: port2, objectsDirectory: store.directory, alternates: store.alternates, format: store.format, root, files };
  const worker = new Worker(script, { workerData: setup, transferList: [port2], env: {}, execArgv: [] });
  worker.unref();
  port1.unref();
  return port1;
}

const classes = { ConflictError, CorruptError, InvalidError, NotFoundError, RefusedError } as const;

function failureOf({ name, message, code, hint, syscall }: Extract<WritingReply, { failure: unknown }>['failure']): Error {
  if (Object.hasOwn(classes, name)) return new classes[name as keyof typeof classes](message, hint === undefined ? { code } : { code, hint });
  return Object.assign(new Error(message), syscall === undefined ? {} : { code, syscall });
}

/** The parts of an error that survive the way between threads. */
export function encodeFailure(error: unknown): Extract<WritingReply, { failure: unknown }> {
  if (!(error instanceof Error)) return { failure: { name: 'Error', message: String(error), code: '', hint: undefined, syscall: undefined } };
  return {
    failure: {
      name: error.name, message: error.message, code: 'code' in error ? String(error.code) : '',
      hint: error instanceof CairnError ? error.hint : undefined, syscall: 'syscall' in error ? String(error.syscall) : undefined,
    },
  };
}
