// Whether an archive is, byte for byte, what its sidecar says, and whether everything in it is what its id says. Reads every byte; needs no
// repository and writes nothing. Specified in cairn-archive(5).
//
// CorruptError names what is damaged (see damage-report). Memory: some dozens of bytes per object beside the indexer's caches.
import * as fs from 'node:fs';
import { CorruptError } from '../../pack/errors.js';
import { IdTable } from '../../pack/id-table.js';
import { type ObjectFormat, decodeObjectId } from '../../pack/oid.js';
import type { IndexedObject, PackIndexer } from '../../pack/pack-indexer.js';
import { PackIntake } from '../../pack/pack-intake.js';
import type { Steps } from '../../plumbing/interruption.js';
import { encodeHeader, keptBytes } from './bundle-file.js';
import { digestFile } from './checksums.js';
import { reportDamage } from './damage-report.js';
import { listLinks } from './object-links.js';
import { checksumsPath } from './publication.js';
import { type Sidecar, readSidecar, sidecarPath } from './sidecar.js';

export interface Verified {
  readonly sidecar: Sidecar;
  /** The sidecar as it is on disk, for who checks a signature of it. */
  readonly sidecarBytes: Buffer;
  /** Where the pack begins. */
  readonly packOffset: number;
}

/** Reads it all; NotFoundError when a file is missing, CorruptError when anything is not what it should be. */
export function* verifyArchive(path: string, onProgress?: (done: number, total: number) => void): Steps<Verified> {
  const { sidecar, bytes } = readSidecar(path);
  const expected = sidecar.archive;
  if (expected === undefined) {
    throw new CorruptError(`there is no archive '${path}': its self-test failed`, { code: 'archive-mismatch', hint: `'${sidecarPath(path)}' says so; make it again` });
  }
  const found = yield* digestFile(path);
  const packOffset = encodeHeader(sidecar, sidecar.format).length;
  if (found.sizeBytes !== expected.sizeBytes || found.sha256 !== expected.sha256) throw damaged(path, yield* reportDamage(path, sidecar, found.sizeBytes));
  yield* verifyPack(path, sidecar, packOffset, onProgress);
  if (sidecar.checksums !== undefined) {
    const checksums = yield* digestFile(checksumsPath(path));
    if (checksums.sha256 !== sidecar.checksums.sha256) throw new CorruptError(`'${checksumsPath(path)}' is not what the sidecar says`, { code: 'bad-archive' });
  }
  return { sidecar, sidecarBytes: bytes, packOffset };
}

function damaged(path: string, lines: readonly string[], cause?: unknown): CorruptError {
  return new CorruptError(`archive '${path}' is damaged: ${lines.join('; ')}`, { code: 'bad-archive', hint: 'use another copy of it', cause });
}

/** The bytes are those that were written; were these right? */
function* verifyPack(path: string, sidecar: Sidecar, packOffset: number, onProgress?: (done: number, total: number) => void): Steps<void> {
  const { format, counts } = sidecar;
  const header = encodeHeader(sidecar, format);
  if (!readAt(path, header.length).equals(header)) throw damaged(path, ['its header is not what the sidecar says']);
  const kinds = { commit: 0, tag: 0, tree: 0, blob: 0 };
  const wanted = new IdTable(format);
  let seen = 0;
  const look = ({ type, bytes }: IndexedObject): void => {
    kinds[type] += 1;
    seen += 1;
    onProgress?.(seen, counts.objects);
    if (bytes !== undefined) for (const { id } of listLinks(type, bytes, format)) wanted.addId(id);
  };
  try {
    using intake = yield* PackIntake.readingFile(path, format, { startsAt: packOffset, keptBytes, onObject: look });
    const { indexer } = intake;
    if (indexer.count !== counts.objects || kinds.commit !== counts.commits || kinds.tag !== counts.tags || kinds.tree !== counts.trees || kinds.blob !== counts.blobs) {
      throw damaged(path, ['its objects are not as many as the sidecar says']);
    }
    checkLinks(path, sidecar, indexer, wanted, format);
  } catch (error) {
    if (!(error instanceof CorruptError) || error.code === 'bad-archive') throw error;
    throw damaged(path, [error.message], error);
  }
}

/** That all that is named is there; of what builds on other archives only the heads. */
function checkLinks(path: string, { heads, prerequisites }: Sidecar, indexer: PackIndexer, wanted: IdTable, format: ObjectFormat): void {
  const there = new IdTable(format);
  for (let number = 0; number < indexer.count; number += 1) there.addId(indexer.idAt(number));
  const given = new Set(prerequisites);
  for (const { id, name } of heads) if (there.findId(id) < 0 && !given.has(id)) throw damaged(path, [`object '${id}', which '${name}' names, is not in it`]);
  if (prerequisites.length > 0) return;
  for (let number = 0; number < wanted.count; number += 1) {
    const id = decodeObjectId(wanted.bytes, number * wanted.idSize, format);
    if (there.findId(id) < 0) throw damaged(path, [`object '${id}' is named, but not in it`]);
  }
}

function readAt(path: string, lengthBytes: number): Buffer {
  const fd = fs.openSync(path, 'r');
  try {
    const bytes = Buffer.alloc(lengthBytes);
    return bytes.subarray(0, fs.readSync(fd, bytes, 0, lengthBytes, 0));
  } finally {
    fs.closeSync(fd);
  }
}
