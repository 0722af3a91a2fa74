// Chunk files: a table of named chunks behind a header, as the multi-pack-index and the commit-graph are built
// (gitformat-chunk(5)). Untrusted: every chunk given lies inside the file, behind the table and before the trailer.
import { CorruptError, InvalidError } from './errors.js';

const tableEntryBytes = 12;

/** The chunks by name, each a view of `bytes`; `tableAt` is where the table begins, `end` where the trailer does. */
export function decodeChunks(bytes: Buffer, tableAt: number, count: number, end: number): Map<string, Buffer> {
  const first = tableAt + (count + 1) * tableEntryBytes;
  if (first > end) throw damaged('its table of chunks does not fit');
  const chunks = new Map<string, Buffer>();
  for (let number = 0; number < count; number += 1) {
    const at = tableAt + number * tableEntryBytes;
    const name = bytes.toString('latin1', at, at + 4);
    const from = readUInt64(bytes, at + 4);
    const to = readUInt64(bytes, at + tableEntryBytes + 4);
    if (name === '\0\0\0\0') throw damaged('its table of chunks ends early');
    if (from < first || to < from || to > end) throw damaged(`its chunk '${name}' lies outside`);
    if (chunks.has(name)) throw damaged(`it has two chunks '${name}'`);
    chunks.set(name, bytes.subarray(from, to));
  }
  if (bytes.readUInt32BE(tableAt + count * tableEntryBytes) !== 0) throw damaged('its table of chunks does not end');
  return chunks;
}

/** The table and the chunks in order, to be put behind a header of `headerBytes`; empty chunks are kept. */
export function encodeChunks(headerBytes: number, chunks: readonly (readonly [name: string, bytes: Buffer])[]): Buffer {
  const table = Buffer.alloc((chunks.length + 1) * tableEntryBytes);
  let offset = headerBytes + table.length;
  chunks.forEach(([name, bytes], number) => {
    if (!/^[\x20-\x7e]{4}$/.test(name)) throw new InvalidError(`'${name}' cannot name a chunk`, { code: 'bad-chunk-name' });
    table.write(name, number * tableEntryBytes, 'latin1');
    writeUInt64(table, offset, number * tableEntryBytes + 4);
    offset += bytes.length;
  });
  writeUInt64(table, offset, chunks.length * tableEntryBytes + 4);
  return Buffer.concat([table, ...chunks.map(([, bytes]) => bytes)]);
}

/** A 64-bit number; Infinity where a number cannot hold it exactly, so that every bounds check fails. */
export function readUInt64(bytes: Buffer, at: number): number {
  const value = bytes.readUInt32BE(at) * 0x100000000 + bytes.readUInt32BE(at + 4);
  return Number.isSafeInteger(value) ? value : Infinity;
}

function writeUInt64(bytes: Buffer, value: number, at: number): void {
  bytes.writeUInt32BE(Math.floor(value / 0x100000000), at);
  bytes.writeUInt32BE(value % 0x100000000, at + 4);
}

function damaged(what: string): CorruptError {
  return new CorruptError(`chunk file is damaged: ${what}`, { code: 'bad-chunk-file' });
}
