// The only file that compresses or decompresses: zlib streams (RFC 1950), which loose objects and packs are made of.
//
// Invariant: every stream written is one stock git reads; every stream read gives exactly its bytes, checked against its
// checksum, or CorruptError (code 'bad-zlib', or 'short-zlib' where it is cut) within the memory the caller allowed. Only `inflatePrefix` does not see the checksum.
import { CorruptError, RefusedError } from './errors.js';
import { adler32 } from './kernels/adler32.js';
import { DeflateKernel, DeflateStreamKernel } from './kernels/deflate-kernel.js';
import type { DeflateMode } from './kernels/deflate-kernel.js';
import { InflateKernel, InflateStreamKernel } from './kernels/inflate-kernel.js';
import { describeDamage, inflateDone, inflateNeedsInput, inflateOutputFull } from './kernels/inflate-status.js';
import { hasKernels } from './kernels/kernel.js';
import { PlainInflate } from './kernels/plain-inflate.js';
import { lazyModule } from './lazy-module.js';

export { useKernels } from './kernels/kernel.js';
export type { DeflateMode } from './kernels/deflate-kernel.js';

const zlib = lazyModule<typeof import('node:zlib')>('node:zlib');
const loadZlibSync = lazyModule<ZlibSync>('zlib-sync');

/** Content inflated, and how many bytes of the input it took. */
export interface Inflated {
  readonly bytes: Buffer;
  readonly consumed: number;
}

/** A stream of n bytes can hold at most this many times n: one bit each for the two codes of a copy of 258. */
const mostExpansion = 1032;
const pieceBytes = 128 * 1024;
/** No Node has smaller limits. */
const mostBufferBytes = 2 ** 32;
const mostChunkBytes = 32 * 1024 * 1024;
const noBytes: Buffer = Buffer.alloc(0);

/** What is there is good, but not all is there. */
function shortZlib(cause?: unknown): CorruptError {
  return new CorruptError('compressed data is damaged: it ends before its end', { code: 'short-zlib', cause });
}

function badZlib(what: string, cause?: unknown): CorruptError {
  return new CorruptError(`compressed data is damaged: ${what}`, { code: 'bad-zlib', cause });
}

/** A process that inflates no more than this often is done sooner with node:zlib than with a kernel that has to be compiled first. */
const callsBeforeKernel = 100;
/** Larger contents are inflated by node:zlib: the kernel is no faster there. */
const mostInflateBytes = 512 * 1024;
/** Larger contents are compressed by node:zlib: the memory of the kernel would stay that large. */
const mostDeflateBytes = 4 * 1024 * 1024;

let inflateCalls = 0;
let inflateKernel: InflateKernel | undefined;
let deflateKernel: DeflateKernel | undefined;

function inflaterKernel(): InflateKernel | undefined {
  if (!hasKernels() || (inflateKernel === undefined && ++inflateCalls <= callsBeforeKernel)) return undefined;
  return (inflateKernel ??= InflateKernel.open());
}

function deflaterKernel(): DeflateKernel | undefined {
  return hasKernels() ? (deflateKernel ??= DeflateKernel.open()) : undefined;
}

/** How hard to try: 0 stores, 1 is fast (the kernel), 9 is small; 'fixed' is the kernel whatever the size, see `canDeflateFixed`. */
export type DeflateLevel = number | 'fixed';

/** True where the level 'fixed' can be had: its output depends on the content alone, not on the machine or the version of Node. */
export function canDeflateFixed(): boolean {
  return hasKernels();
}

/** Compresses to a zlib stream. */
export function deflate(bytes: Uint8Array, level: DeflateLevel = 1): Buffer {
  if (level === 'fixed') return deflateFixed(bytes);
  const kernel = level === 1 && bytes.length <= mostDeflateBytes ? deflaterKernel() : undefined;
  if (kernel !== undefined) {
    kernel.reserve(bytes.length).set(bytes);
    return Buffer.from(kernel.deflate(0, bytes.length, 'fast'));
  }
  return deflateWithNode(bytes, level);
}

function deflateFixed(bytes: Uint8Array): Buffer {
  if (bytes.length <= mostDeflateBytes) {
    const kernel = deflaterKernel();
    if (kernel === undefined) throw needsKernel();
    kernel.reserve(bytes.length).set(bytes);
    return Buffer.from(kernel.deflate(0, bytes.length, 'fast'));
  }
  const deflater = new Deflater('fixed');
  try {
    return Buffer.concat([...deflater.push(bytes), ...deflater.finish()]);
  } finally {
    deflater.close();
  }
}

function needsKernel(): RefusedError {
  return new RefusedError('compressing the same way everywhere needs WebAssembly, which this Node does not have', { code: 'no-kernels' });
}

function deflateWithNode(bytes: Uint8Array, level: number): Buffer {
  return zlib().deflateSync(bytes, { level, chunkSize: roomFor(bytes) });
}

/** Room for the whole output of node:zlib, so that it comes in one chunk. */
function roomFor(bytes: Uint8Array): number {
  return bytes.length + (bytes.length >> 3) + 64;
}

/** Inflates exactly `sizeBytes` from the stream at `offset` of `input`, which may go on behind it; CorruptError on more or fewer. */
export function inflate(input: Uint8Array, offset: number, sizeBytes: number): Inflated {
  const available = input.length - offset;
  if (sizeBytes > available * mostExpansion) throw badZlib('it is too short for its declared size');
  const kernel = sizeBytes <= mostInflateBytes ? inflaterKernel() : undefined;
  if (kernel === undefined) {
    const result = inflateWithNode(offset === 0 ? input : input.subarray(offset), sizeBytes + 1, sizeBytes + 1);
    if (result.bytes.length !== sizeBytes) throw wrongSize(result.bytes.length, sizeBytes);
    return result;
  }
  const status = kernel.run(input, offset, sizeBytes, sizeBytes, true);
  if (status !== inflateDone || kernel.produced !== sizeBytes) throw failure(status, kernel.produced, sizeBytes);
  return { bytes: kernel.take(sizeBytes), consumed: kernel.consumed };
}

/** As `inflate`, filling the whole of `into`; returns how many bytes of the input that took. */
export function inflateInto(input: Uint8Array, offset: number, into: Buffer): number {
  const kernel = into.length <= mostInflateBytes && into.length <= (input.length - offset) * mostExpansion ? inflaterKernel() : undefined;
  if (kernel === undefined) {
    const { bytes, consumed } = inflate(input, offset, into.length);
    bytes.copy(into);
    return consumed;
  }
  const status = kernel.run(input, offset, into.length, into.length, true);
  if (status !== inflateDone || kernel.produced !== into.length) throw failure(status, kernel.produced, into.length);
  kernel.take(into.length, into);
  return kernel.consumed;
}

/**
 * As `inflate`, for callers that do not ask how much of the input the stream took, which the optional zlib-sync cannot tell. Without
 * kernels it serves small contents, where it comes closest to node:zlib; larger ones it inflates more slowly. `into`, of
 * `sizeBytes`, takes the place of a new buffer.
 */
export function inflateContent(input: Buffer, offset: number, sizeBytes: number, into?: Buffer): Buffer {
  if (sizeBytes <= mostSyncBytes && !hasKernels()) {
    const content = inflateWithSync(input, offset, sizeBytes);
    if (content !== undefined) return placed(content, into);
  }
  const kernel = sizeBytes <= mostInflateBytes && sizeBytes <= (input.length - offset) * mostExpansion ? inflaterKernel() : undefined;
  if (kernel === undefined) return placed(inflate(input, offset, sizeBytes).bytes, into);
  const status = kernel.run(input, offset, sizeBytes, sizeBytes, true);
  if (status !== inflateDone || kernel.produced !== sizeBytes) throw failure(status, kernel.produced, sizeBytes);
  return kernel.take(sizeBytes, into);
}

/** The content, copied to `into` where that is given. */
function placed(content: Buffer, into: Buffer | undefined): Buffer {
  if (into === undefined) return content;
  content.copy(into);
  return into;
}

/** What is used of zlib-sync, declared here because the package is optional and this must build without it. */
export interface ZlibSync {
  readonly Inflate: new (options: { readonly chunkSize: number }) => {
    readonly result: Buffer | string | null;
    readonly err: number;
    push(input: Buffer, flush: number): void;
  };
  readonly Z_FINISH: number;
  readonly Z_STREAM_END: number;
}

/** zlib-sync puts out all a stream holds, however much; for contents up to this many bytes it is given little enough input. */
const mostSyncBytes = 512;
/** Given this much input, zlib-sync can put out a megabyte at most. */
const mostSyncInputBytes = 1024;

/** The content, or undefined when zlib-sync is not there or finds fault, which node:zlib then names. */
function inflateWithSync(input: Buffer, offset: number, sizeBytes: number): Buffer | undefined {
  const sync = findZlibSync();
  if (sync === undefined) return undefined;
  // Its output is cut short when it is exactly as long as a chunk.
  const inflater = new sync.Inflate({ chunkSize: sizeBytes + 64 });
  inflater.push(input.subarray(offset, offset + mostSyncInputBytes), sync.Z_FINISH);
  const content = inflater.err === sync.Z_STREAM_END ? inflater.result : undefined;
  return Buffer.isBuffer(content) && content.length === sizeBytes ? content : undefined;
}

let zlibSync: ZlibSync | 'missing' | undefined;

function findZlibSync(): ZlibSync | undefined {
  if (zlibSync === undefined) {
    try {
      zlibSync = loadZlibSync();
    } catch {
      // An optional package: its native part may not have been built here.
      zlibSync = 'missing';
    }
  }
  return zlibSync === 'missing' ? undefined : zlibSync;
}

function wrongSize(sizeBytes: number, declaredBytes: number): CorruptError {
  return badZlib(sizeBytes > declaredBytes ? `it holds more than ${declaredBytes} bytes` : `it holds ${sizeBytes} bytes, not ${declaredBytes}`);
}

function failure(status: number, producedBytes: number, declaredBytes: number): CorruptError {
  if (status < 0) return badZlib(describeDamage(status));
  if (status === inflateNeedsInput) return shortZlib();
  return wrongSize(status === inflateOutputFull ? declaredBytes + 1 : producedBytes, declaredBytes);
}

function inflateWithNode(input: Uint8Array, mostBytes: number, chunkBytes: number): Inflated {
  const options = {
    info: true,
    // A declared size is no reason to take that much memory before anything came out.
    chunkSize: Math.max(64, Math.min(chunkBytes, mostChunkBytes)),
    maxOutputLength: Math.max(64, Math.min(mostBytes, mostBufferBytes)),
  };
  try {
    // With `info` the result is this pair; the type declarations do not know.
    const result = zlib().inflateSync(input, options) as unknown as { buffer: Buffer; engine: { bytesWritten: number } };
    return { bytes: result.buffer, consumed: result.engine.bytesWritten };
  } catch (error) {
    throw asCorrupt(error);
  }
}

/** Damage found by node:zlib as CorruptError; anything else (no memory) as it is. */
function asCorrupt(error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ERR_BUFFER_TOO_LARGE') return badZlib('it holds more bytes than allowed', error);
  if (code === 'Z_BUF_ERROR') return shortZlib(error);
  if (code === 'Z_DATA_ERROR' || code === 'Z_NEED_DICT') return badZlib(error instanceof Error ? error.message : code, error);
  return error;
}

/** The first `wantBytes` of the content, fewer only when the stream is shorter; what follows, and the checksum, is not looked at. */
export function inflatePrefix(input: Uint8Array, offset: number, wantBytes: number): Buffer {
  if (wantBytes <= mostInflateBytes) {
    const kernel = inflaterKernel();
    if (kernel !== undefined) {
      const status = kernel.run(input, offset, wantBytes, wantBytes, false);
      if (kernel.produced < wantBytes && status !== inflateDone) throw failure(status, kernel.produced, wantBytes);
      return kernel.take(Math.min(kernel.produced, wantBytes));
    }
  }
  const engine = new PlainInflate(Math.min(wantBytes, pieceBytes));
  const pieces: Buffer[] = [];
  let left = wantBytes;
  let at = offset;
  while (left > 0) {
    const { status, used, output } = engine.run(input.subarray(at), left);
    if (output.length < left && (status < 0 || status === inflateNeedsInput)) throw failure(status, output.length, left);
    pieces.push(output.subarray(0, left));
    left -= output.length;
    at += used;
    if (status === inflateDone) break;
  }
  return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
}

/**
 * Inflates a stream given in chunks, in constant memory. The content is verified when `finished` is true; a stream that was
 * given whole and is not finished then is cut short. Damage is thrown as CorruptError while iterating.
 */
export class Inflater {
  readonly #engine = InflateStreamKernel.open(pieceBytes) ?? new PlainInflate(pieceBytes);
  #pending: Buffer = noBytes;
  #finished = false;
  #closed = false;
  #consumed = 0;

  /** True once the end of the stream was reached and its checksum is right. */
  get finished(): boolean { return this.#finished; }

  /** Bytes of input that belong to the stream, among those given so far. */
  get consumed(): number { return this.#consumed; }

  /** The next pieces of the content; iterate to the end before pushing more. Bytes behind the stream are not used. */
  push(chunk: Uint8Array): Iterable<Buffer> {
    if (this.#closed) throw new Error('the inflater is closed');
    // A copy: the pieces may be fetched after the caller has filled its chunk anew.
    if (!this.#finished) this.#pending = Buffer.concat([this.#pending, chunk]);
    return this.#pieces();
  }

  *#pieces(): Iterable<Buffer> {
    while (!this.#finished && !this.#closed) {
      const { status, used, output } = this.#engine.run(this.#pending);
      this.#pending = this.#pending.subarray(used);
      this.#consumed += used;
      if (status < 0) throw badZlib(describeDamage(status));
      this.#finished = status === inflateDone;
      if (output.length > 0) yield output;
      if (status === inflateNeedsInput) return;
    }
  }

  /** Gives back what it holds; the kernel's memory goes to the next stream. */
  close(): void {
    if (!this.#closed && this.#engine instanceof InflateStreamKernel) this.#engine.close();
    this.#closed = true;
    this.#pending = noBytes;
  }
}

/** Compresses content given in chunks, in constant memory; what comes out does not depend on how it was cut into chunks. */
export class Deflater {
  readonly #engine: DeflateStreamKernel | NodeDeflateStream;

  constructor(level: DeflateLevel = 1) {
    const kernel = level === 1 || level === 'fixed' ? DeflateStreamKernel.open() : undefined;
    if (level === 'fixed' && kernel === undefined) throw needsKernel();
    this.#engine = kernel ?? new NodeDeflateStream(level as number);
  }

  /** The next pieces of the stream, none while a block is being gathered. */
  push(chunk: Uint8Array): Buffer[] {
    const pieces: Buffer[] = [];
    for (let at = 0; at < chunk.length;) {
      if (this.#engine.full) pieces.push(this.#engine.compress(false));
      at += this.#engine.fill(chunk, at);
    }
    return pieces;
  }

  /** The rest of the stream; nothing can be pushed afterwards. */
  finish(): Buffer[] {
    return [this.#engine.compress(true)];
  }

  /** Gives back what it holds; also right when the stream was not finished. */
  close(): void {
    this.#engine.close();
  }
}

const windowBytes = 32768;

/** Compresses in chunks with node:zlib, which has no such function that is synchronous: each block is flushed to a whole byte. */
class NodeDeflateStream {
  static readonly #blockBytes = 1024 * 1024;
  readonly #level: number;
  #parts: Buffer[] = [];
  #filled = 0;
  #history = noBytes;
  #adler = 1;
  #started = false;

  constructor(level: number) { this.#level = level; }

  get full(): boolean { return this.#filled === NodeDeflateStream.#blockBytes; }

  fill(chunk: Uint8Array, from: number): number {
    const part = Buffer.from(chunk.subarray(from, from + NodeDeflateStream.#blockBytes - this.#filled));
    this.#parts.push(part);
    this.#filled += part.length;
    return part.length;
  }

  compress(last: boolean): Buffer {
    const block = Buffer.concat(this.#parts);
    this.#parts = [];
    this.#filled = 0;
    this.#adler = adler32(block, this.#adler);
    const { deflateRawSync, constants: { Z_FINISH, Z_SYNC_FLUSH } } = zlib();
    const body = deflateRawSync(block, {
      level: this.#level,
      finishFlush: last ? Z_FINISH : Z_SYNC_FLUSH,
      chunkSize: roomFor(block),
      ...(this.#history.length > 0 ? { dictionary: this.#history } : {}),
    });
    this.#history = Buffer.concat([this.#history, block.subarray(-windowBytes)]).subarray(-windowBytes);
    const pieces = this.#started ? [body] : [Buffer.of(0x78, 0x01), body];
    this.#started = true;
    if (last) {
      const trailer = Buffer.alloc(4);
      trailer.writeUInt32BE(this.#adler);
      pieces.push(trailer);
    }
    return Buffer.concat(pieces);
  }

  close(): void { this.#parts = []; }
}

/**
 * Compresses one whole content after the other without copies: read a file straight into the view `reserve` gives (with room in
 * front for the object's header), hash parts of it, then `deflate` any part. One per worker; keeps its memory until dropped.
 */
export class BulkDeflater {
  readonly #kernel = DeflateKernel.open();
  #plain: Buffer = noBytes;

  /** A view of `inputBytes` to put content into, content unspecified; valid until the next `reserve`. */
  reserve(inputBytes: number): Buffer {
    if (this.#kernel !== undefined) return this.#kernel.reserve(inputBytes);
    if (this.#plain.length < inputBytes) this.#plain = Buffer.allocUnsafeSlow(inputBytes + (inputBytes >> 2));
    return this.#plain.subarray(0, inputBytes);
  }

  /** The zlib stream of bytes `start` to `end` of the reserved view; a view of the result, valid until the next call. */
  deflate(start: number, end: number, mode: DeflateMode = 'fast'): Buffer {
    if (this.#kernel !== undefined) return this.#kernel.deflate(start, end, mode);
    const content = this.#plain.subarray(start, end);
    return deflateWithNode(content, looksLikeNoise(content) ? 0 : mode === 'fast' ? 1 : 3);
  }

  /** One piece of a large content, on its own, so that several can be done at once; what looks like noise is stored. */
  deflatePiece(bytes: Uint8Array, level: number): DeflatedPiece {
    if (level === 1 && this.#kernel !== undefined) {
      this.#kernel.reserve(bytes.length).set(bytes);
      const piece = this.#kernel.deflatePiece('fast');
      return { bytes: Buffer.from(piece.bytes), adler32: piece.adler32 };
    }
    const { deflateRawSync, constants: { Z_SYNC_FLUSH } } = zlib();
    const deflated = level === 0 || (level <= 3 && looksLikeNoise(bytes))
      ? storeBlocks(bytes)
      : deflateRawSync(bytes, { level, finishFlush: Z_SYNC_FLUSH, chunkSize: roomFor(bytes) });
    return { bytes: deflated, adler32: adler32(bytes) };
  }
}

/** A part of a raw deflate stream (RFC 1951): it ends on a byte boundary and does not end the stream, so that parts can be joined. */
export interface DeflatedPiece {
  readonly bytes: Buffer;
  /** Adler-32 of the content. */
  readonly adler32: number;
}

/** The two bytes a zlib stream begins with. */
export const zlibHeader: Readonly<Buffer> = Buffer.of(0x78, 0x01);

/** The last six bytes of a zlib stream made of pieces: an empty last block with fixed codes, then the checksum of all content. */
export function zlibTrailer(contentAdler32: number): Buffer {
  const trailer = Buffer.alloc(6);
  trailer.writeUInt16LE(3, 0);
  trailer.writeUInt32BE(contentAdler32, 2);
  return trailer;
}

const noiseSamples = 4096;

/** True when a sample of the bytes has so even a distribution that compressing them would gain next to nothing. */
function looksLikeNoise(bytes: Uint8Array): boolean {
  if (bytes.length < 16 * noiseSamples) return false;
  const counts = new Uint16Array(256);
  const step = bytes.length / noiseSamples;
  for (let at = 0; at < noiseSamples; at += 1) {
    const byte = bytes[Math.floor(at * step)]!;
    counts[byte] = counts[byte]! + 1;
  }
  let bits = 0;
  for (const count of counts) if (count > 0) bits -= (count / noiseSamples) * Math.log2(count / noiseSamples);
  return bits > 7.9;
}

/** `bytes` as stored blocks of a raw deflate stream, none of them the last. */
function storeBlocks(bytes: Uint8Array): Buffer {
  const most = 0xffff;
  const output = Buffer.allocUnsafeSlow(bytes.length + 5 * Math.ceil(bytes.length / most));
  let at = 0;
  for (let start = 0; start < bytes.length; start += most) {
    const block = bytes.subarray(start, start + most);
    output[at] = 0;
    output.writeUInt16LE(block.length, at + 1);
    output.writeUInt16LE(block.length ^ most, at + 3);
    output.set(block, at + 5);
    at += 5 + block.length;
  }
  return output;
}

/** CRC-32 as packs and archives use it, following what `seed` already covers. */
export function crc32(bytes: Uint8Array, seed = 0): number {
  const native = zlib().crc32;
  return typeof native === 'function' ? native(bytes, seed) : crc32ByTable(bytes, seed);
}

let table: Uint32Array | undefined;

/** `crc32` for a Node whose zlib has none. */
export function crc32ByTable(bytes: Uint8Array, seed = 0): number {
  table ??= Uint32Array.from({ length: 256 }, (_, byte) => {
    for (let bit = 0; bit < 8; bit++) byte = byte & 1 ? (byte >>> 1) ^ 0xedb88320 : byte >>> 1;
    return byte;
  });
  let crc = ~seed;
  for (const byte of bytes) crc = (crc >>> 8) ^ table[(crc ^ byte) & 255]!;
  return ~crc >>> 0;
}

const zlibHeaderBytes = 2;
const zlibTrailerBytes = 4;

/** A raw deflate stream (RFC 1951), as gzip and zip hold it, of content in chunks; the same bytes for the same content everywhere. */
export function* deflateRaw(chunks: Iterable<Uint8Array>): Generator<Uint8Array> {
  const deflater = new Deflater('fixed');
  let isFirst = true;
  // The last bytes are held back, for the checksum at the end does not belong to it.
  let held: Uint8Array = noBytes;
  const hand = function* (piece: Uint8Array): Generator<Uint8Array> {
    const body = isFirst ? piece.subarray(zlibHeaderBytes) : piece;
    isFirst = false;
    const joined = Buffer.concat([held, body]);
    held = joined.subarray(Math.max(0, joined.length - zlibTrailerBytes));
    yield joined.subarray(0, joined.length - held.length);
  };
  try {
    for (const chunk of chunks) for (const piece of deflater.push(chunk)) yield* hand(piece);
    for (const piece of deflater.finish()) yield* hand(piece);
  } finally {
    deflater.close();
  }
}

/** Inflates a raw deflate stream given in chunks, of which all are part of the stream; `finish` throws CorruptError when they are not. */
export class RawInflater {
  readonly #inflater = new Inflater();
  #adler = 1;
  #isBegun = false;

  *push(chunk: Uint8Array): Generator<Buffer> {
    if (!this.#isBegun) {
      this.#isBegun = true;
      yield* this.#pieces(zlibHeader);
    }
    yield* this.#pieces(chunk);
  }

  *#pieces(chunk: Uint8Array): Generator<Buffer> {
    for (const piece of this.#inflater.push(chunk)) {
      this.#adler = adler32(piece, this.#adler);
      yield piece;
    }
  }

  /** What is left of the content. The container's own checksum is the caller's to check. */
  *finish(): Generator<Buffer> {
    const trailer = Buffer.alloc(zlibTrailerBytes);
    trailer.writeUInt32BE(this.#adler);
    yield* this.push(trailer);
    if (!this.#inflater.finished) throw shortZlib();
  }

  close(): void { this.#inflater.close(); }
}
