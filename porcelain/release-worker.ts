// The second thread of writing-together.ts: writes files of a release, reads them back, and answers once when no batch is left.
// It writes only below the private directory it is given; what the power cut leaves there is removed with it.
import { workerData } from 'node:worker_threads';
import { ObjectStore } from '../pack/object-store.js';
import { FileWriter } from './file-writer.js';
import { type WritingReply, type WritingSetup, encodeFailure, statNumbers, writeBatches, writingStates } from './writing-together.js';

const { shared, port, objectsDirectory, alternates, format, root, files } = workerData as WritingSetup;

function write(): WritingReply {
  const store = ObjectStore.open(objectsDirectory, format, { alternates });
  const batches: number[] = [];
  const numbers: number[] = [];
  try {
    writeBatches(new FileWriter(store, root), files, shared, (batch, _at, stat, sizeBytes) => {
      if (batches.at(-1) !== batch) batches.push(batch);
      numbers.push(...statNumbers(stat, sizeBytes));
    });
    return { batches, numbers: Float64Array.from(numbers) };
  } catch (error) {
    return encodeFailure(error);
  } finally {
    store.close();
  }
}

if (Atomics.compareExchange(shared, 1, writingStates.starting, writingStates.writing) === writingStates.starting) {
  try {
    port.postMessage(write());
  } finally {
    // The other side sleeps until this changes; the message is there by then.
    Atomics.store(shared, 1, writingStates.done);
    Atomics.notify(shared, 1);
  }
}
port.close();
