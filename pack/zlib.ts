// The only file that compresses or decompresses: zlib streams (RFC 1950), which loose objects and packs are made of.
//
// Invariant: every stream written is one stock git reads; every stream read gives exactly its bytes, checked against its
// checksum, or CorruptError (code 'bad-zlib') within the memory the caller allowed. Only `inflatePrefix` does not see the checksum.
import { CorruptError } from './errors.js';
import { adler32 } from './kernels/adler32.js';
import { describeDamage, inflateDone, inflateNeedsInput } from './kernels/inflate-status.js';
import { PlainInflate } from './kernels/plain-inflate.js';
import { lazyModule } from './lazy-module.js';

const zlib = lazyModule<typeof import('node:zlib')>('node:zlib');

/** Content inflated, and how many bytes of the input it took. */
export interface Inflated {
  readonly bytes: Buffer;
  readonly consumed: number;
}

/** A stream of n bytes can hold at most this many times n: one bit each for the two codes of a copy of 258. */
const mostExpansion = 1032;
const pieceBytes = 128 * 1024;

function badZlib(what: string, cause?: unknown): CorruptError {
  return new CorruptError(`compressed data is damaged: ${what}`, { code: 'bad-zlib', cause });
}

/** Compresses to a zlib stream: level 0 stores, 1 is fast, 9 is small. */
export function deflate(bytes: Uint8Array, level = 1): Buffer {
  return zlib().deflateSync(bytes, { level, chunkSize: Math.max(64, bytes.length + (bytes.length >> 3) + 64) });
}

/** Inflates exactly `sizeBytes` from the stream at `offset` of `input`, which may go on behind it; CorruptError on more or fewer. */
export function inflate(input: Uint8Array, offset: number, sizeBytes: number): Inflated {
  const available = input.length - offset;
  if (sizeBytes > available * mostExpansion) throw badZlib('it is too short for its declared size');
  const result = inflateWithNode(input.subarray(offset), sizeBytes + 1, sizeBytes + 1);
  if (result.bytes.length !== sizeBytes) throw badZlib(`it holds ${result.bytes.length} bytes, not ${sizeBytes}`);
  return result;
}

/** Inflates the stream `input` begins with; CorruptError when it holds more than `maxBytes`. */
export function inflateBounded(input: Uint8Array, maxBytes: number): Inflated {
  const chunkBytes = Math.min(maxBytes + 1, Math.max(4 * input.length, 1024), pieceBytes);
  const result = inflateWithNode(input, maxBytes + 1, chunkBytes);
  if (result.bytes.length > maxBytes) throw badZlib(`it holds more than ${maxBytes} bytes`);
  return result;
}

function inflateWithNode(input: Uint8Array, mostBytes: number, chunkBytes: number): Inflated {
  const options = { info: true, chunkSize: Math.max(64, chunkBytes), maxOutputLength: Math.max(64, mostBytes) };
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
  if (code === 'Z_BUF_ERROR') return badZlib('it ends before its end', error);
  if (code === 'Z_DATA_ERROR' || code === 'Z_NEED_DICT') return badZlib(error instanceof Error ? error.message : code, error);
  return error;
}

/** The first `wantBytes` of the content, fewer only when the stream is shorter; what follows, and the checksum, is not looked at. */
export function inflatePrefix(input: Uint8Array, offset: number, wantBytes: number): Buffer {
  const engine = new PlainInflate(Math.min(wantBytes, pieceBytes));
  const pieces: Buffer[] = [];
  let left = wantBytes;
  let at = offset;
  while (left > 0) {
    const { status, used, output } = engine.run(input.subarray(at), left);
    if (status < 0 && output.length < left) throw badZlib(describeDamage(status));
    pieces.push(output.subarray(0, left));
    left -= output.length;
    at += used;
    if (status === inflateDone) break;
    if (status === inflateNeedsInput && left > 0) throw badZlib('it ends before its end');
  }
  return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
}

/**
 * Inflates a stream given in chunks, in constant memory. The content is verified when `finished` is true; a stream that was
 * given whole and is not finished then is cut short. Damage is thrown as CorruptError while iterating.
 */
export class Inflater {
  readonly #engine = new PlainInflate(pieceBytes);
  #pending: Buffer = Buffer.alloc(0);
  #finished = false;
  #consumed = 0;

  /** True once the end of the stream was reached and its checksum is right. */
  get finished(): boolean { return this.#finished; }

  /** Bytes of input that belong to the stream, among those given so far. */
  get consumed(): number { return this.#consumed; }

  /** The next pieces of the content; iterate to the end before pushing more. Bytes behind the stream are not used. */
  push(chunk: Uint8Array): Iterable<Buffer> {
    this.#pending = Buffer.concat([this.#pending, chunk]);
    return this.#pieces();
  }

  *#pieces(): Iterable<Buffer> {
    while (!this.#finished) {
      const { status, used, output } = this.#engine.run(this.#pending);
      this.#pending = this.#pending.subarray(used);
      this.#consumed += used;
      if (status < 0) throw badZlib(describeDamage(status));
      this.#finished = status === inflateDone;
      if (output.length > 0) yield output;
      if (status === inflateNeedsInput) return;
    }
  }

  close(): void { this.#pending = Buffer.alloc(0); }
}

const blockBytes = 1024 * 1024;
const windowBytes = 32768;

/** Compresses content given in chunks, in constant memory. */
export class Deflater {
  readonly #level: number;
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  #history: Buffer = Buffer.alloc(0);
  #adler = 1;
  #started = false;

  constructor(level = 1) { this.#level = level; }

  /** The next pieces of the stream, none while a block is being gathered. */
  push(chunk: Uint8Array): Buffer[] {
    const pieces: Buffer[] = [];
    for (let at = 0; at < chunk.length;) {
      const part = chunk.subarray(at, at + blockBytes - this.#pendingBytes);
      this.#pending.push(Buffer.from(part));
      this.#pendingBytes += part.length;
      at += part.length;
      if (this.#pendingBytes === blockBytes) pieces.push(...this.#flush());
    }
    return pieces;
  }

  /** The rest of the stream; nothing can be pushed afterwards. */
  finish(): Buffer[] {
    const trailer = Buffer.alloc(6);
    const pieces = this.#flush();
    // An empty last block with fixed codes, then the checksum.
    trailer.writeUInt16LE(3, 0);
    trailer.writeUInt32BE(this.#adler, 2);
    pieces.push(trailer);
    return pieces;
  }

  #flush(): Buffer[] {
    const pieces: Buffer[] = [];
    if (!this.#started) pieces.push(Buffer.of(0x78, 0x01));
    this.#started = true;
    if (this.#pendingBytes === 0) return pieces;
    const block = Buffer.concat(this.#pending);
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#adler = adler32(block, this.#adler);
    const { deflateRawSync, constants } = zlib();
    const dictionary = this.#history.length > 0 ? { dictionary: this.#history } : {};
    pieces.push(deflateRawSync(block, {
      level: this.#level, finishFlush: constants.Z_SYNC_FLUSH, chunkSize: block.length + (block.length >> 3) + 64, ...dictionary,
    }));
    this.#history = block.length >= windowBytes
      ? block.subarray(block.length - windowBytes)
      : Buffer.concat([this.#history, block]).subarray(-windowBytes);
    return pieces;
  }

  close(): void {
    this.#pending = [];
    this.#pendingBytes = 0;
  }
}

/** 'fast' is about as small as zlib's level 1; 'small' takes a little longer for a little less. */
export type DeflateMode = 'fast' | 'small';

/**
 * Compresses one whole object after the other without copies: read a file straight into the view `reserve` gives (leave room in
 * front for the object's header), hash parts of it, then `deflate` any part. One per worker; keeps its memory until dropped.
 */
export class BulkDeflater {
  #input: Buffer = Buffer.alloc(0);

  /** A view of `inputBytes`, content unspecified; valid until the next `reserve`. */
  reserve(inputBytes: number): Buffer {
    if (this.#input.length < inputBytes) this.#input = Buffer.allocUnsafeSlow(inputBytes + (inputBytes >> 2));
    return this.#input.subarray(0, inputBytes);
  }

  /** The zlib stream of bytes `start` to `end` of the reserved view; a view of the result, valid until the next call. */
  deflate(start: number, end: number, mode: DeflateMode = 'fast'): Buffer {
    return deflate(this.#input.subarray(start, end), mode === 'fast' ? 1 : 3);
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

/** Compresses one piece of a large content on its own, so that several can be done at once; what looks like noise is stored. */
export function deflatePiece(bytes: Uint8Array, level = 1): DeflatedPiece {
  const { deflateRawSync, constants } = zlib();
  const stored = level === 0 || (level <= 3 && looksLikeNoise(bytes));
  const deflated = stored
    ? storeBlocks(bytes)
    : deflateRawSync(bytes, { level, finishFlush: constants.Z_SYNC_FLUSH, chunkSize: bytes.length + (bytes.length >> 3) + 64 });
  return { bytes: deflated, adler32: adler32(bytes) };
}

const noiseSamples = 4096;

/** True when a sample of the bytes has so even a distribution that compressing them would gain next to nothing. */
export function looksLikeNoise(bytes: Uint8Array): boolean {
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
