// A look at content that comes from elsewhere, in sha1 repositories: every block of it is searched for signs of a collision attack, by the
// method in kernels/assembly/sha1.ts. That costs more than hashing costs, so where there is much of it another thread does it meanwhile, and
// content made here does without.
//
// Invariant: after `finish`, none of what was looked at was made to collide in a known way, or RefusedError (code 'sha1-collision')
// was thrown. Nothing is written. Memory: some megabytes of content on its way to the other thread.
import { RefusedError } from './errors.js';
import { hasKernels } from './kernels/kernel.js';
import { PlainSha1 } from './kernels/plain-sha1.js';
import { Sha1Batch, Sha1Kernel } from './kernels/sha1-kernel.js';
import { lazyModule } from './lazy-module.js';
import { encodeObjectHeader } from './oid.js';
import type { ObjectId, ObjectType } from './oid.js';
import { WorkerPool } from './workers.js';

const os = lazyModule<typeof import('node:os')>('node:os');

/** Less is looked at here before another thread has begun. */
const leastBatchesForHelp = 8;

export class CollisionGuard {
  readonly #canBatch = hasKernels();
  #batch: Sha1Batch | undefined;
  /** Of the objects in the batch. */
  #ids: ObjectId[] = [];
  #helper: WorkerPool | undefined;
  readonly #away = new Map<number, readonly ObjectId[]>();
  /** Memory that came back. */
  readonly #rooms: Buffer[] = [];
  #single: Sha1Kernel | PlainSha1 | undefined;

  /** Looks at an object, at the latest when `finish` is called. */
  look(id: ObjectId, type: ObjectType, bytes: Uint8Array): void {
    const header = encodeObjectHeader(type, bytes.length);
    const sizeBytes = header.length + bytes.length;
    if (!this.#canBatch || !Sha1Batch.takes(sizeBytes)) {
      for (const piece of this.passing(type, bytes.length, [bytes])) void piece;
      return;
    }
    if (this.#batch?.hasRoomFor(sizeBytes) === false) this.#send(this.#batch);
    this.#batch ??= new Sha1Batch(this.#rooms.pop());
    this.#batch.add(header, bytes);
    this.#ids.push(id);
  }

  /** Hands on the pieces of an object too large to hold, looking at them on the way. */
  *passing<Piece extends Uint8Array>(type: ObjectType, sizeBytes: number, pieces: Iterable<Piece>): Generator<Piece> {
    const single = this.#single ??= Sha1Kernel.open() ?? new PlainSha1();
    single.start();
    single.update(encodeObjectHeader(type, sizeBytes));
    for (const piece of pieces) {
      single.update(piece);
      yield piece;
    }
    const id = single.digest();
    if (single.isSuspicious) throw collision(id);
  }

  /** Looks at what was not looked at yet, and ends. */
  finish(): void {
    try {
      if (this.#batch !== undefined) this.#send(this.#batch);
      while (this.#away.size > 0) this.#take();
    } finally {
      this.#helper?.close();
      this.#away.clear();
    }
  }

  #send({ bytes, blocks }: Sha1Batch): void {
    this.#helper ??= new WorkerPool({ threads: Math.min(1, os().availableParallelism() - 1), startWeight: leastBatchesForHelp });
    this.#away.set(this.#helper.submit({ kind: 'collisions', messages: { bytes, blocks } }), this.#ids);
    this.#batch = undefined;
    this.#ids = [];
    while (this.#helper.isFull || (!this.#helper.isRunning && this.#away.size >= leastBatchesForHelp)) this.#take();
  }

  #take(): void {
    const finished = this.#helper!.take();
    if (finished?.result.kind !== 'collisions') throw new Error('a helper answered what it was not asked');
    const { suspect, bytes } = finished.result;
    const ids = this.#away.get(finished.number)!;
    this.#away.delete(finished.number);
    this.#rooms.push(Buffer.from(bytes.buffer as ArrayBuffer));
    if (suspect >= 0) throw collision(ids[suspect]!);
  }
}

function collision(id: string): RefusedError {
  return new RefusedError(`object '${id}' was made to have the same SHA-1 as another`, { code: 'sha1-collision' });
}
