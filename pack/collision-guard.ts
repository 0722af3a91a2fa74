// A look at content that comes from elsewhere, in sha1 repositories: every block of it is searched for signs of a collision attack, by the
// method in kernels/assembly/sha1.ts. That costs more than hashing costs, so content made here does without.
//
// Invariant: after `finish`, none of what was looked at was made to collide in a known way, or RefusedError (code 'sha1-collision')
// was thrown. Nothing is written. Memory: a megabyte of content that waits for company.
import { RefusedError } from './errors.js';
import { PlainSha1 } from './kernels/plain-sha1.js';
import { Sha1Kernel, Sha1Scanner } from './kernels/sha1-kernel.js';
import { encodeObjectHeader } from './oid.js';
import type { ObjectId, ObjectType } from './oid.js';

export class CollisionGuard {
  readonly #scanner = Sha1Scanner.open();
  #single: Sha1Kernel | PlainSha1 | undefined;

  /** Looks at an object, at the latest when `finish` is called. */
  look(id: ObjectId, type: ObjectType, bytes: Uint8Array): void {
    const header = encodeObjectHeader(type, bytes.length);
    if (this.#scanner?.takes(header.length + bytes.length) !== true) {
      for (const piece of this.passing(type, bytes.length, [bytes])) void piece;
      return;
    }
    this.#scanner.add(id, header, bytes);
    if (this.#scanner.suspect !== undefined) throw collision(this.#scanner.suspect);
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

  /** Looks at what was not looked at yet. */
  finish(): void {
    this.#scanner?.finish();
    if (this.#scanner?.suspect !== undefined) throw collision(this.#scanner.suspect);
  }
}

function collision(id: string): RefusedError {
  return new RefusedError(`object '${id}' was made to have the same SHA-1 as another`, { code: 'sha1-collision' });
}
