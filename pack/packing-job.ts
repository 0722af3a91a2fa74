// One piece of bulk work that touches no disk but for reading: hashing and compressing small files into pack entries,
// compressing one piece of a large file, searching deltas or signs of collision attacks, or computing a digest. Done here or in a worker thread (pack/workers.ts), by the same code.
//
// Invariant: the bytes whose hash is an entry's id are the very bytes that were compressed; a file is taken only when neither its
// size nor its time changed while it was read. Files are opened without following a symlink and without blocking on a pipe.
import * as fs from 'node:fs';
import { type DeltaPiece, type FoundDeltas, searchDeltasAlone } from './delta-search.js';
import { isSystemError } from './errors.js';
import { type Sha1Messages, Sha1Scanner } from './kernels/sha1-kernel.js';
import { encodeObjectHeader, hashFramed } from './oid.js';
import type { ObjectFormat, ObjectId } from './oid.js';
import { digestFile, encodeEntryHeader } from './pack-writer.js';
import { BulkDeflater, crc32, deflate } from './zlib.js';

/** Files of at least this many bytes are not read whole but come back as 'large', to be compressed piece by piece. */
export const largeFileBytes = 4 * 1024 * 1024;

export type PackingJob =
  | {
    readonly kind: 'files';
    /** Absolute, one character per byte. */
    readonly root: string;
    /** Below `root`, '/'-separated, one character per byte too. */
    readonly paths: readonly string[];
    readonly format: ObjectFormat;
    readonly level: number;
  }
  | { readonly kind: 'piece'; readonly bytes: Uint8Array; readonly level: number }
  | { readonly kind: 'digest'; readonly path: string; readonly sizeBytes: number; readonly format: ObjectFormat }
  | { readonly kind: 'deltas'; readonly piece: DeltaPiece }
  | { readonly kind: 'collisions'; readonly messages: Sha1Messages };

export type PackingResult =
  | PackedFiles
  | PackedPiece
  | { readonly kind: 'digest'; readonly digest: Uint8Array }
  | { readonly kind: 'deltas'; readonly found: FoundDeltas }
  /** The number of a message made to collide, or -1; and the messages' memory, to be used again. */
  | { readonly kind: 'collisions'; readonly suspect: number; readonly bytes: Uint8Array };

/** What became of each of the first `files.length` paths of a job; the others did not fit and must be asked for again. */
export interface PackedFiles {
  readonly kind: 'files';
  readonly files: readonly PackedFile[];
  /** The pack entries of those that were read, one behind the other. */
  readonly output: Uint8Array;
}

export type PackedFile =
  | { readonly state: 'packed'; readonly id: ObjectId; readonly stat: FileStat; readonly crc32: number; readonly start: number; readonly end: number }
  | { readonly state: 'large'; readonly stat: FileStat }
  /** Not there any more, not a regular file any more, or never still. */
  | { readonly state: 'missing' | 'other' | 'changing' }
  | { readonly state: 'unreadable'; readonly code: string; readonly message: string };

/** What a file's status says, as the index wants it: whole seconds and nanoseconds apart. */
export interface FileStat {
  readonly ctimeS: number;
  readonly ctimeNs: number;
  readonly mtimeS: number;
  readonly mtimeNs: number;
  readonly dev: number;
  readonly ino: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly sizeBytes: number;
}

/** A part of a raw deflate stream, ending on a byte boundary without ending the stream. */
export interface PackedPiece {
  readonly kind: 'piece';
  /** The content, handed back so that its memory can be used again. */
  readonly bytes: Uint8Array;
  readonly deflated: Uint8Array;
  /** Of the content. */
  readonly adler32: number;
}

let deflater: BulkDeflater | undefined;
let scanner: Sha1Scanner | undefined;

/** Does the work; throws only what is wrong with the job, never because of one of its files. */
export function performJob(job: PackingJob): PackingResult {
  switch (job.kind) {
    case 'files':
      deflater ??= new BulkDeflater();
      return new FilePacker(deflater, job).pack();
    case 'piece': {
      deflater ??= new BulkDeflater();
      const piece = deflater.deflatePiece(job.bytes, job.level);
      return { kind: 'piece', bytes: job.bytes, deflated: piece.bytes, adler32: piece.adler32 };
    }
    case 'digest':
      return { kind: 'digest', digest: digestFile(job.path, job.sizeBytes, job.format) };
    case 'deltas':
      return { kind: 'deltas', found: searchDeltasAlone(job.piece) };
    case 'collisions':
      scanner ??= Sha1Scanner.open()!;
      return { kind: 'collisions', suspect: scanner.findSuspect(job.messages), bytes: job.messages.bytes };
  }
}

/** A result is handed over once its output is this large, so that results in flight stay small. */
const fullOutputBytes = 4 * 1024 * 1024;
const firstOutputBytes = 256 * 1024;
/** Room for "blob <size>\0" in front of a file's content. */
const headroomBytes = 32;
const attempts = 3;
/** So much is read in less time than file times tell apart: a second look would show nothing. */
const pageBytes = 4096;

type FilesJob = PackingJob & { readonly kind: 'files' };

/** Reads, hashes and compresses files one after the other, in the deflater's memory. */
class FilePacker {
  readonly #deflater: BulkDeflater;
  readonly #job: FilesJob;
  #output = Buffer.allocUnsafeSlow(firstOutputBytes);
  #used = 0;

  constructor(deflater: BulkDeflater, job: FilesJob) {
    this.#deflater = deflater;
    this.#job = job;
  }

  pack(): PackedFiles {
    const files: PackedFile[] = [];
    for (const path of this.#job.paths) {
      files.push(this.#packFile(`${this.#job.root}/${path}`));
      if (this.#used >= fullOutputBytes) break;
    }
    return { kind: 'files', files, output: this.#output.subarray(0, this.#used) };
  }

  #packFile(path: string): PackedFile {
    let fd: number;
    try {
      fd = openForReading(path);
    } catch (error) {
      return describeFailure(error);
    }
    try {
      for (let attempt = 0; attempt < attempts; attempt += 1) {
        const status = fs.fstatSync(fd, { bigint: true });
        if (!status.isFile()) return { state: 'other' };
        const stat = fileStat(status);
        if (stat.sizeBytes >= largeFileBytes) return { state: 'large', stat };
        const former = this.#used;
        const packed = this.#packContent(fd, stat);
        if (packed !== undefined && (stat.sizeBytes <= pageBytes || fs.fstatSync(fd, { bigint: true }).mtimeNs === status.mtimeNs)) return packed;
        this.#used = former;
      }
      return { state: 'changing' };
    } catch (error) {
      return describeFailure(error);
    } finally {
      fs.closeSync(fd);
    }
  }

  /** The file's entry appended to the output; undefined when the file is not as long as its status says. */
  #packContent(fd: number, stat: FileStat): PackedFile | undefined {
    const size = stat.sizeBytes;
    // One byte more than expected is asked for, which shows a file that grew.
    const view = this.#deflater.reserve(headroomBytes + size + 1);
    let got = 0;
    for (let read = -1; read !== 0 && got < size;) {
      read = fs.readSync(fd, view, headroomBytes + got, size + 1 - got, got);
      got += read;
    }
    if (got !== size) return undefined;
    const header = encodeObjectHeader('blob', size);
    const start = headroomBytes - header.length;
    view.set(header, start);
    const id = hashFramed(view.subarray(start, headroomBytes + size), this.#job.format);
    return { state: 'packed', id, stat, ...this.#append(size, this.#compress(view, size)) };
  }

  #compress(view: Buffer, size: number): Uint8Array {
    const { level } = this.#job;
    if (level === 1) return this.#deflater.deflate(headroomBytes, headroomBytes + size, 'fast');
    return deflate(view.subarray(headroomBytes, headroomBytes + size), level);
  }

  #append(sizeBytes: number, deflated: Uint8Array): { crc32: number; start: number; end: number } {
    const header = encodeEntryHeader('blob', sizeBytes);
    const start = this.#used;
    const end = start + header.length + deflated.length;
    if (end > this.#output.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(end, 2 * this.#output.length));
      this.#output.copy(larger, 0, 0, start);
      this.#output = larger;
    }
    this.#output.set(header, start);
    this.#output.set(deflated, start + header.length);
    this.#used = end;
    return { crc32: crc32(this.#output.subarray(start, end)), start, end };
  }
}

/** Opens a file given one character per byte of its path; follows no symbolic link and waits for no pipe. */
export function openForReading(path: string): number {
  const { O_RDONLY, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = fs.constants;
  return fs.openSync(toDiskPath(path), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
}

/** The bytes of a path given one character per byte, as a string where that is the same (and faster). */
function toDiskPath(path: string): string | Buffer {
  return /^[\0-\x7f]*$/.test(path) ? path : Buffer.from(path, 'latin1');
}

const nanosecondsPerSecond = 1_000_000_000n;

/** A file's status as the index wants it. */
export function fileStat(status: fs.BigIntStats): FileStat {
  return {
    ctimeS: Number(status.ctimeNs / nanosecondsPerSecond),
    ctimeNs: Number(status.ctimeNs % nanosecondsPerSecond),
    mtimeS: Number(status.mtimeNs / nanosecondsPerSecond),
    mtimeNs: Number(status.mtimeNs % nanosecondsPerSecond),
    dev: Number(status.dev),
    ino: Number(status.ino),
    mode: Number(status.mode),
    uid: Number(status.uid),
    gid: Number(status.gid),
    sizeBytes: Number(status.size),
  };
}

function describeFailure(error: unknown): PackedFile {
  if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return { state: 'missing' };
  if (isSystemError(error, 'ELOOP', 'EISDIR', 'ENXIO')) return { state: 'other' };
  if (error instanceof Error && 'syscall' in error && 'code' in error) {
    return { state: 'unreadable', code: String(error.code), message: error.message };
  }
  throw error;
}
