// Checking one pack and its index through and through, for fsck and verify-pack: checksums of both files, that entries follow
// one another without gaps, the CRC of every entry, and that every object hashes to its id. Reports instead of throwing;
// constant memory, except for objects that are deltas.
import { CorruptError } from './errors.js';
import { streamThresholdBytes } from './object.js';
import type { GitObject, ObjectHeader } from './object.js';
import type { ObjectId } from './oid.js';
import type { PackEntry, PackReader } from './pack-reader.js';
import { crc32 } from './zlib.js';

/** One object of a pack, or what is wrong with it. */
export interface CheckedEntry {
  readonly id: ObjectId;
  readonly position: number;
  /** Undefined when the object cannot be read. */
  readonly header?: ObjectHeader;
  /** The content; undefined too when it is too large to hold, and was verified in pieces. */
  readonly object?: GitObject;
  readonly error?: CorruptError;
}

/** What is wrong with the files as such, and whether the objects in them can be looked at one by one. */
export function checkPackFiles(pack: PackReader): { readonly faults: readonly CorruptError[]; readonly hasEntries: boolean } {
  try {
    const { index, path } = pack;
    const faults: CorruptError[] = [];
    const fault = (what: string): number => faults.push(new CorruptError(`'${path}': ${what}`, { code: 'bad-pack' }));
    if (!index.hasValidChecksum()) fault('its index does not match its own checksum');
    const { stored, actual } = pack.checksums();
    if (!stored.equals(actual)) fault('it does not match its own checksum');
    let expected = 12;
    for (const position of index.positionsByOffset()) {
      const offset = index.offsetAt(position);
      if (offset < expected) fault(`two objects of its index begin at or before byte ${offset}`);
      if (expected === 12 && offset !== 12) fault('bytes before its first object belong to none');
      expected = offset + 1;
    }
    return { faults, hasEntries: true };
  } catch (error) {
    if (error instanceof CorruptError) return { faults: [error], hasEntries: false };
    throw error;
  }
}

/** Every object in the order it is stored, or those from the `start`-th up to the `end`-th, read and compared with its id. */
export function* checkPackEntries(pack: PackReader, start = 0, end = pack.objectCount): Generator<CheckedEntry> {
  for (const position of pack.index.positionsByOffset().subarray(start, end)) {
    const id = pack.idAt(position);
    try {
      const entry = pack.entryAt(pack.offsetAt(position));
      checkCrc(pack, position, entry);
      if (entry.baseOffset !== undefined || entry.sizeBytes < streamThresholdBytes) {
        const object = pack.readAt(position);
        yield { id, position, header: { type: object.type, sizeBytes: object.bytes.length }, object };
        continue;
      }
      const { type, sizeBytes, chunks } = pack.openStreamAt(position);
      for (const chunk of chunks) if (chunk.length > sizeBytes) break;
      yield { id, position, header: { type, sizeBytes } };
    } catch (error) {
      if (!(error instanceof CorruptError)) throw error;
      yield { id, position, error: named(pack, id, error) };
    }
  }
}

function named(pack: PackReader, id: ObjectId, error: CorruptError): CorruptError {
  if (error.message.includes(pack.path)) return error;
  return new CorruptError(`object '${id}' in '${pack.path}': ${error.message}`, { code: error.code, cause: error });
}

const pieceBytes = 1024 * 1024;

function checkCrc(pack: PackReader, position: number, entry: PackEntry): void {
  const expected = pack.index.crcAt(position);
  if (expected === undefined) return;
  const end = pack.endAt(entry.offset);
  let actual = 0;
  for (let at = entry.offset; at < end; at += pieceBytes) actual = crc32(pack.viewBytes(at, Math.min(at + pieceBytes, end)), actual);
  if (actual !== expected) {
    throw new CorruptError(`object '${pack.idAt(position)}' in '${pack.path}': its stored bytes do not match their CRC`, { code: 'bad-pack' });
  }
}
