// A worker thread of pack/workers.ts: does one job after the other and hands memory over instead of copying it.
// It reads files and changes none, so nothing here matters when the power fails.
import { workerData } from 'node:worker_threads';
import { performJob } from './packing-job.js';
import type { PackingResult } from './packing-job.js';
import type { WorkerReply, WorkerSetup, WorkerTask } from './workers.js';

const { port, signal } = workerData as WorkerSetup;

port.on('message', (task: WorkerTask) => {
  try {
    port.postMessage(...answer(task));
  } catch (error) {
    // Whoever waits for an answer must learn that none will come.
    Atomics.store(signal, 1, 1);
    throw error;
  } finally {
    // The other side sleeps until this number changes; the message is there by then.
    Atomics.add(signal, 0, 1);
    Atomics.notify(signal, 0);
  }
});

/** The reply, and the memory that goes with it. */
function answer(task: WorkerTask): [WorkerReply, ArrayBuffer[]] {
  try {
    const result = performJob(task.job);
    return [{ number: task.number, result }, memoryOf(result)];
  } catch (error) {
    return [{ number: task.number, failure: error instanceof Error ? error.stack ?? error.message : String(error) }, []];
  }
}

/** The memory handed over with a result; the rest is copied. */
function memoryOf(result: PackingResult): ArrayBuffer[] {
  switch (result.kind) {
    case 'files': return wholeMemory(result.output);
    case 'piece': return [...wholeMemory(result.bytes), ...wholeMemory(result.deflated)];
    case 'deltas': return wholeMemory(result.found.output);
    case 'collisions': return wholeMemory(result.bytes);
    case 'digest': return [];
  }
}

/** Small buffers may be parts of one that Node keeps using; those are copied. */
const pooledBytes = 64 * 1024;

function wholeMemory(bytes: Uint8Array): ArrayBuffer[] {
  return bytes.buffer instanceof ArrayBuffer && bytes.buffer.byteLength > pooledBytes ? [bytes.buffer] : [];
}
