// Object ids: the hash of "<type> <size>\0<content>", lower-case hex outside pack/, raw bytes inside it.
// Only this file hashes content. Format: gitformat-pack and hash-function-transition in Git's technical documentation.
import { InvalidError } from './errors.js';
import { lazyModule } from './lazy-module.js';

const crypto = lazyModule<typeof import('node:crypto')>('node:crypto');

/** The hash a repository is named by. */
export type ObjectFormat = 'sha1' | 'sha256';

declare const objectIdBrand: unique symbol;
/** 40 (sha1) or 64 (sha256) lower-case hex digits. */
export type ObjectId = string & { readonly [objectIdBrand]: true };

/** The four kinds of object Git stores. */
export type ObjectType = 'blob' | 'tree' | 'commit' | 'tag';

/** Length of an id in raw bytes: 20 or 32. */
export function rawSize(format: ObjectFormat): 20 | 32 {
  return format === 'sha1' ? 20 : 32;
}

/** Length of an id in hex digits: 40 or 64. */
export function hexSize(format: ObjectFormat): 40 | 64 {
  return format === 'sha1' ? 40 : 64;
}

/** True when `text` is a full lower-case id of `format`. */
export function isObjectId(text: string, format: ObjectFormat): text is ObjectId {
  if (text.length !== hexSize(format)) return false;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit < 48 || unit > 102 || (unit > 57 && unit < 97)) return false;
  }
  return true;
}

/** `text` as an id of `format`, upper-case digits accepted; InvalidError otherwise. */
export function parseObjectId(text: string, format: ObjectFormat): ObjectId {
  const lower = text.toLowerCase();
  if (!isObjectId(lower, format)) throw new InvalidError(`'${text}' is not a ${format} object id`, { code: 'bad-object-id' });
  return lower;
}

/** The id at `offset` of `bytes` (raw form); the caller has checked that it is inside. */
export function decodeObjectId(bytes: Buffer, offset: number, format: ObjectFormat): ObjectId {
  return bytes.toString('hex', offset, offset + rawSize(format)) as ObjectId;
}

/** The raw form of `id`: 20 or 32 bytes. */
export function encodeObjectId(id: ObjectId): Buffer {
  return Buffer.from(id, 'hex');
}

/** `encodeObjectId` into `raw`, which has room: for lookups, where even a small allocation counts. */
export function encodeObjectIdInto(raw: Buffer, id: ObjectId): void {
  raw.write(id, 'hex');
}

/** What a byte stands for as a hex digit, lower case only; more than 255 for any other byte. */
const digitValues = new Uint16Array(256).fill(0x1000);
/** The two digits of each byte, the first in the low half. */
const digitPairs = new Uint16Array(256);
{
  const code = (digit: number): number => '0123456789abcdef'.charCodeAt(digit);
  for (let digit = 0; digit < 16; digit += 1) digitValues[code(digit)] = digit;
  for (let byte = 0; byte < 256; byte += 1) digitPairs[byte] = code(byte >> 4) | (code(byte & 15) << 8);
}

/** Puts the id whose lower-case digits are at `at` of `text` at `to` of `raw`, without a string between; false, and anything there, when there is none. */
export function decodeHexInto(raw: Uint8Array, to: number, text: Uint8Array, at: number, sizeBytes: number): boolean {
  let seen = at + sizeBytes * 2 > text.length ? 0x1000 : 0;
  for (let byte = 0; byte < sizeBytes; byte += 1) {
    const value = (digitValues[text[at + byte * 2]!]! << 4) | digitValues[text[at + byte * 2 + 1]!]!;
    seen |= value;
    raw[to + byte] = value;
  }
  return seen <= 0xff;
}

/** Writes the first `digits` hex digits of the raw id at `at`; how many bytes that are is `digits`. */
export function encodeHexInto(text: Uint8Array, to: number, raw: Uint8Array, at: number, digits: number): void {
  for (let digit = 0; digit < digits; digit += 2) {
    const pair = digitPairs[raw[at + (digit >> 1)]!]!;
    text[to + digit] = pair & 0xff;
    if (digit + 1 < digits) text[to + digit + 1] = pair >> 8;
  }
}

const zero = { sha1: '0'.repeat(40) as ObjectId, sha256: '0'.repeat(64) as ObjectId } as const;

/** The id of no object, which update-ref and reflogs use for "does not exist". */
export function zeroId(format: ObjectFormat): ObjectId {
  return zero[format];
}

export function isZeroId(id: ObjectId): boolean {
  return id === zero.sha1 || id === zero.sha256;
}

/** The id of the tree with no entries, which every repository knows without storing it. */
export function emptyTreeId(format: ObjectFormat): ObjectId {
  return (format === 'sha1'
    ? '4b825dc642cb6eb9a060e54bf8d69288fbee4904'
    : '6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321') as ObjectId;
}

/** The id of the blob with no bytes. */
export function emptyBlobId(format: ObjectFormat): ObjectId {
  return (format === 'sha1'
    ? 'e69de29bb2d1d6434b8b29ae775ad8c2e48c5391'
    : '473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813') as ObjectId;
}

/** The header that is hashed and stored before an object's content. */
export function encodeObjectHeader(type: ObjectType, sizeBytes: number): Buffer {
  return Buffer.from(`${type} ${sizeBytes}\0`, 'latin1');
}

/** Up to this size, copying content behind its header and hashing both in one call is the cheapest way. */
const scratchBytes = 32 * 1024;
let scratch: Buffer | undefined;

/** The id of an object with this content. */
export function hashObject(type: ObjectType, content: Uint8Array, format: ObjectFormat): ObjectId {
  if (content.length <= scratchBytes) {
    scratch ??= Buffer.allocUnsafeSlow(scratchBytes + 32);
    const headerBytes = scratch.write(`${type} ${content.length}\0`, 'latin1');
    scratch.set(content, headerBytes);
    return hashFramed(scratch.subarray(0, headerBytes + content.length), format);
  }
  const hasher = new Hasher(format);
  hasher.update(encodeObjectHeader(type, content.length));
  hasher.update(content);
  return hasher.digestId();
}

/** The id of `framed`, which already begins with the object's header; the fast path for small objects (one contiguous buffer). */
export function hashFramed(framed: Uint8Array, format: ObjectFormat): ObjectId {
  const { hash, createHash } = crypto();
  return (typeof hash === 'function' ? hash(format, framed, 'hex') : createHash(format).update(framed).digest('hex')) as ObjectId;
}

/** True when `framed` hashes to the id whose raw bytes are at `at`; as quick as can be for small objects. */
export function isHashOf(raw: Uint8Array, at: number, framed: Uint8Array, format: ObjectFormat): boolean {
  const { hash, createHash } = crypto();
  // Of all the ways to get a digest out of OpenSSL a string of its bytes is the cheapest.
  const digest = typeof hash === 'function' ? hash(format, framed, 'binary') : createHash(format).update(framed).digest('binary');
  for (let byte = 0; byte < digest.length; byte += 1) if (digest.charCodeAt(byte) !== raw[at + byte]) return false;
  return true;
}

/** Digest of anything else that ends in a checksum (packs, indexes): raw bytes. */
export function digest(bytes: Uint8Array, format: ObjectFormat): Buffer {
  return crypto().createHash(format).update(bytes).digest();
}

/** True for a file that ends in the digest of all before it. */
export function endsInDigest(bytes: Uint8Array, format: ObjectFormat): boolean {
  const end = bytes.length - rawSize(format);
  return end >= 0 && digest(bytes.subarray(0, end), format).equals(bytes.subarray(end));
}

/** The id of content in pieces that are `sizeBytes` long together. */
export function hashPieces(type: ObjectType, sizeBytes: number, pieces: Iterable<Uint8Array>, format: ObjectFormat): ObjectId {
  const hasher = new Hasher(format);
  hasher.update(encodeObjectHeader(type, sizeBytes));
  for (const piece of pieces) hasher.update(piece);
  return hasher.digestId();
}

/** Hashing in pieces, for objects and files of any size. */
export class Hasher {
  readonly #hash: import('node:crypto').Hash;
  constructor(format: ObjectFormat) { this.#hash = crypto().createHash(format); }
  update(bytes: Uint8Array): void { this.#hash.update(bytes); }
  /** The id; the hasher cannot be used afterwards. */
  digestId(): ObjectId { return this.#hash.digest('hex') as ObjectId; }
  /** The raw digest; the hasher cannot be used afterwards. */
  digestBytes(): Buffer { return this.#hash.digest(); }
}
