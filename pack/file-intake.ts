// Storing many files as blobs in one new pack: small ones in batches, each hashed and compressed by a worker, large ones
// in pieces, hashed here while workers compress. Both cores and the disk are kept busy; memory stays bounded whatever there is to store.
//
// Invariant: a blob's id is the hash of the very bytes stored, and the status reported with it was read before them; a file that
// changes while it is read is an error, never a mixture. Nothing is visible before the bulk writer's `finish`.
// If the power fails: see pack-writer.ts.
import * as fs from 'node:fs';
import { ConflictError, isSystemError } from './errors.js';
import { combineAdler32 } from './kernels/adler32.js';
import { Hasher, encodeObjectHeader } from './oid.js';
import type { ObjectFormat, ObjectId } from './oid.js';
import type { BulkWriter, PackEntryWriter } from './pack-writer.js';
import { fileStat, openForReading } from './packing-job.js';
import type { FileStat, PackedFiles, PackedPiece } from './packing-job.js';
import type { WorkerPool } from './workers.js';
import { zlibHeader, zlibTrailer } from './zlib.js';

/** Paths are below the root, '/'-separated, one character per byte. */
export interface IntakeObserver {
  /** The file's content is in the pack, or was stored before. */
  stored(path: string, id: ObjectId, stat: FileStat): void;
  /** It is not there any more, or is no regular file any more. */
  gone(path: string): void;
}

export interface IntakeOptions {
  /** Absolute; text, unlike the paths below it. */
  readonly root: string;
  readonly format: ObjectFormat;
  /** Compression level: 0 stores, 1 is fast, 9 is small. */
  readonly level: number;
  readonly pool: WorkerPool;
  readonly bulk: BulkWriter;
  readonly observer: IntakeObserver;
}

const batchFiles = 128;
const pieceBytes = 1024 * 1024;
/** Pieces read and not yet written; what is in flight is at most twice as much. */
const mostPieces = 8;

/** A large file being stored: what its pieces became, in order. */
interface LargeFile {
  readonly path: string;
  readonly stat: FileStat;
}

type Step =
  | { readonly kind: 'begin'; readonly file: LargeFile }
  | { readonly kind: 'piece'; readonly number: number }
  | { readonly kind: 'end'; readonly file: LargeFile; readonly id: ObjectId };

export class FileIntake {
  readonly #options: IntakeOptions;
  #batch: string[] = [];
  readonly #large: string[] = [];
  /** What is to be done with the pack, in order, once the pieces named are compressed. */
  readonly #steps: Step[] = [];
  readonly #pieces = new Map<number, PackedPiece>();
  #piecesAway = 0;
  readonly #memory: Uint8Array[] = [];
  #entry: PackEntryWriter | undefined;
  #adler32 = 1;

  /** The root with one character per byte, as the paths below it have. */
  readonly #root: string;

  constructor(options: IntakeOptions) {
    this.#options = options;
    this.#root = Buffer.from(options.root).toString('latin1');
  }

  /** Takes a file in, now or later; `drain` ends it. */
  add(path: string): void {
    this.#batch.push(path);
    if (this.#batch.length < batchFiles) return;
    this.#submitBatch();
    const { pool } = this.#options;
    while (pool.isFull) this.#takeFiles();
  }

  /** Stores everything added. ConflictError (code 'file-changed') when a file would not keep still. */
  drain(): void {
    if (this.#batch.length > 0) this.#submitBatch();
    while (this.#options.pool.pending > 0) this.#takeFiles();
    const gone: string[] = [];
    try {
      for (const path of this.#large) if (!this.#storeLarge(path)) gone.push(path);
      while (this.#steps.length > 0) this.#advance();
    } finally {
      this.#entry?.cancel();
      this.#entry = undefined;
    }
    this.#large.length = 0;
    // Only now: whoever is told may store something in its place, which must not get between the pieces of a large file.
    for (const path of gone) this.#options.observer.gone(path);
  }

  #submitBatch(): void {
    const paths = this.#batch;
    this.#batch = [];
    this.#submit(paths);
  }

  #submit(paths: readonly string[]): void {
    const { format, level, pool } = this.#options;
    pool.submit({ kind: 'files', root: this.#root, paths, format, level }, paths.length);
  }

  #takeFiles(): void {
    const done = this.#options.pool.take();
    if (done === undefined || done.result.kind !== 'files' || done.job.kind !== 'files') throw new Error('a worker answered another question');
    const { paths } = done.job;
    this.#storePacked(paths, done.result);
    if (done.result.files.length < paths.length) this.#submit(paths.slice(done.result.files.length));
  }

  #storePacked(paths: readonly string[], { files, output }: PackedFiles): void {
    const { bulk, observer } = this.#options;
    files.forEach((file, at) => {
      const path = paths[at]!;
      switch (file.state) {
        case 'packed':
          bulk.addPacked({ id: file.id, bytes: output.subarray(file.start, file.end), crc32: file.crc32 });
          observer.stored(path, file.id, file.stat);
          break;
        case 'large':
          this.#large.push(path);
          break;
        case 'missing':
        case 'other':
          observer.gone(path);
          break;
        case 'changing':
          throw changed(path);
        case 'unreadable':
          throw Object.assign(new Error(file.message), { code: file.code, syscall: 'read' });
      }
    });
  }

  /** Reads a large file and hands its pieces out to be compressed; false when it is not there any more, or no regular file. */
  #storeLarge(path: string): boolean {
    const { format, level, pool } = this.#options;
    let fd: number;
    try {
      fd = openForReading(`${this.#root}/${path}`);
    } catch (error) {
      if (isSystemError(error, 'ENOENT', 'ENOTDIR', 'ELOOP', 'ENXIO')) return false;
      throw error;
    }
    try {
      const status = fs.fstatSync(fd, { bigint: true });
      if (!status.isFile()) return false;
      const file = { path, stat: fileStat(status) };
      const { sizeBytes } = file.stat;
      const hasher = new Hasher(format);
      hasher.update(encodeObjectHeader('blob', sizeBytes));
      this.#steps.push({ kind: 'begin', file });
      for (let at = 0; at < sizeBytes; at += pieceBytes) {
        const bytes = (this.#memory.pop() ?? new Uint8Array(pieceBytes)).subarray(0, Math.min(pieceBytes, sizeBytes - at));
        if (!readFully(fd, bytes, at)) throw changed(path);
        hasher.update(bytes);
        this.#steps.push({ kind: 'piece', number: pool.submit({ kind: 'piece', bytes, level }) });
        this.#piecesAway += 1;
        while (this.#piecesAway >= mostPieces) this.#advance();
      }
      const after = fs.fstatSync(fd, { bigint: true });
      if (after.size !== status.size || after.mtimeNs !== status.mtimeNs) throw changed(path);
      this.#steps.push({ kind: 'end', file, id: hasher.digestId() });
      return true;
    } finally {
      fs.closeSync(fd);
    }
  }

  /** Does the first step, waiting for its piece. */
  #advance(): void {
    const { bulk, observer, pool } = this.#options;
    const step = this.#steps.shift()!;
    switch (step.kind) {
      case 'begin':
        this.#entry = bulk.beginEntry('blob', step.file.stat.sizeBytes);
        this.#entry.append(zlibHeader);
        this.#adler32 = 1;
        break;
      case 'piece': {
        let piece = this.#pieces.get(step.number);
        while (piece === undefined) {
          const done = pool.take();
          if (done === undefined || done.result.kind !== 'piece') throw new Error('a worker answered another question');
          this.#pieces.set(done.number, done.result);
          piece = this.#pieces.get(step.number);
        }
        this.#pieces.delete(step.number);
        this.#piecesAway -= 1;
        this.#entry!.append(piece.deflated);
        this.#adler32 = combineAdler32(this.#adler32, piece.adler32, piece.bytes.length);
        this.#memory.push(new Uint8Array(piece.bytes.buffer));
        break;
      }
      case 'end':
        this.#entry!.append(zlibTrailer(this.#adler32));
        this.#entry!.end(step.id);
        this.#entry = undefined;
        observer.stored(step.file.path, step.id, step.file.stat);
        break;
    }
  }
}

/** False when the file ends before `bytes` is full. */
function readFully(fd: number, bytes: Uint8Array, position: number): boolean {
  for (let got = 0; got < bytes.length;) {
    const read = fs.readSync(fd, bytes, got, bytes.length - got, position + got);
    if (read === 0) return false;
    got += read;
  }
  return true;
}

function changed(path: string): ConflictError {
  return new ConflictError(`file '${Buffer.from(path, 'latin1').toString()}' changed while it was read`, {
    code: 'file-changed', hint: 'run the command again once nothing writes to it',
  });
}
