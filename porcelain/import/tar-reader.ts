// Tar archives read as they come: ustar, pax and GNU's long names (POSIX.1-2001, "pax"). What a tree cannot hold is refused by name; owners,
// times and extended attributes are not looked at.
//
// The bytes are untrusted: a value or an error, in constant memory.
import { CorruptError, RefusedError } from '../../pack/errors.js';
import { executableMode, fileMode, pathToUtf8, repoPath } from '../../pack/tree.js';
import type { Incoming } from './incoming-files.js';
import type { PieceReader } from './piece-reader.js';

const blockBytes = 512;
const mostExtraBytes = 1024 * 1024;
const pieceBytes = 64 * 1024;

/** What was said of the next entry before it. */
interface Extra {
  path?: string;
  linkpath?: string;
  size?: number;
}

/** Everything in it, in order; the content of one must be read before the next is asked for, or is passed over. `onFile` is told where content begins. */
export function* readTar(input: PieceReader, onFile?: (path: string, offset: number, sizeBytes: number) => void): Generator<Incoming> {
  let extra: Extra = {};
  for (;;) {
    const header = input.take(blockBytes);
    if (header === undefined) throw damaged('it ends without its end');
    if (header.every((byte) => byte === 0)) {
      const second = input.take(blockBytes);
      if (second !== undefined && second.some((byte) => byte !== 0)) throw damaged('an empty block is inside');
      // What follows means nothing, but whoever unpacks it checks it at its end.
      while (input.some(pieceBytes).length > 0) continue;
      return;
    }
    checkSum(header);
    const type = String.fromCharCode(header[156]!);
    const storedBytes = extra.size ?? number(header, 124, 12);
    const padding = (blockBytes - (storedBytes % blockBytes)) % blockBytes;
    if ('xgLK'.includes(type)) {
      if (storedBytes > mostExtraBytes) throw damaged('an extended header is too large');
      const content = input.take(storedBytes);
      if (storedBytes > 0 && content === undefined) throw damaged('it ends early');
      skip(input, padding);
      extra = { ...extra, ...readExtra(type, content ?? Buffer.alloc(0)) };
      continue;
    }
    const { path = nameOf(header), linkpath = text(header, 157, 100) } = extra;
    extra = {};
    const offset = input.offset;
    let isRead = false;
    const content = function* (): Generator<Buffer> {
      isRead = true;
      yield* input.stream(storedBytes);
    };
    onFile?.(path, offset, storedBytes);
    yield describe(type, path, linkpath, header, storedBytes, content);
    if (!isRead) for (const _piece of input.stream(storedBytes)) continue;
    skip(input, padding);
  }
}

function describe(type: string, path: string, linkpath: string, header: Buffer, sizeBytes: number, content: () => Iterable<Buffer>): Incoming {
  if (path === '' || path.includes('\0')) throw damaged('an entry has no name');
  // Before ustar, a slash at the end told directories.
  if (type === '5' || ((type === '0' || type === '\0') && path.endsWith('/'))) return { kind: 'directory', path };
  if (type === '0' || type === '\0' || type === '7') {
    return { kind: 'file', path, mode: (number(header, 100, 8) & 0o100) !== 0 ? executableMode : fileMode, sizeBytes, content };
  }
  if (type === '1') return { kind: 'same', path, as: linkpath };
  if (type === '2') return { kind: 'link', path, target: Buffer.from(linkpath, 'latin1') };
  const kinds: Readonly<Record<string, string>> = { 3: 'a device', 4: 'a device', 6: 'a pipe', S: 'a sparse file' };
  throw new RefusedError(`'${pathToUtf8(repoPath(path))}' is ${kinds[type] ?? `of the unknown type '${type}'`}, which a snapshot cannot hold`, { code: 'not-importable' });
}

function readExtra(type: string, content: Buffer): Extra {
  const plain = content.toString('latin1');
  if (type === 'L') return { path: plain.replace(/\0+$/, '') };
  if (type === 'K') return { linkpath: plain.replace(/\0+$/, '') };
  const extra: Extra = {};
  for (let at = 0; at < plain.length;) {
    const [, digits] = /^([0-9]{1,7}) /.exec(plain.slice(at, at + 8)) ?? [];
    const length = Number(digits);
    if (digits === undefined || length < digits.length + 3 || plain[at + length - 1] !== '\n') throw damaged('an extended header is no list of records');
    const record = plain.slice(at + digits.length + 1, at + length - 1);
    const equals = record.indexOf('=');
    const key = record.slice(0, equals);
    const value = record.slice(equals + 1);
    at += length;
    if (equals < 0) throw damaged('an extended header has a record without a value');
    if (key.startsWith('GNU.sparse.')) throw new RefusedError('sparse files are not supported', { code: 'not-importable' });
    if (key !== 'path' && key !== 'linkpath' && key !== 'size') continue;
    if (type === 'g') throw new RefusedError(`a header for all entries that has '${key}' is not supported`, { code: 'not-importable' });
    if (key !== 'size') extra[key] = value;
    else if (/^[0-9]{1,15}$/.test(value)) extra.size = Number(value);
    else throw damaged('an extended header has a size that is none');
  }
  return extra;
}

function nameOf(header: Buffer): string {
  const name = text(header, 0, 100);
  // GNU's own format has other things there.
  const prefix = header.toString('latin1', 257, 263) === 'ustar\0' ? text(header, 345, 155) : '';
  return prefix === '' ? name : `${prefix}/${name}`;
}

function text(header: Buffer, at: number, length: number): string {
  const field = header.toString('latin1', at, at + length);
  const end = field.indexOf('\0');
  return end < 0 ? field : field.slice(0, end);
}

/** Octal digits or, marked by the highest bit, a number in base 256. */
function number(header: Buffer, at: number, length: number): number {
  if ((header[at]! & 0x80) !== 0) {
    let value = header[at]! & 0x7f;
    for (let byte = at + 1; byte < at + length; byte += 1) value = value * 256 + header[byte]!;
    if (!Number.isSafeInteger(value) || (header[at]! & 0x40) !== 0) throw damaged('a number is too large');
    return value;
  }
  const digits = text(header, at, length).trim();
  if (!/^[0-7]*$/.test(digits)) throw damaged('a number is none');
  return Number.parseInt(digits || '0', 8);
}

function checkSum(header: Buffer): void {
  let sum = 0;
  for (let at = 0; at < blockBytes; at += 1) sum += at >= 148 && at < 156 ? 0x20 : header[at]!;
  if (number(header, 148, 8) !== sum) throw damaged("a header's checksum does not match");
}

function skip(input: PieceReader, sizeBytes: number): void {
  for (const _piece of input.stream(sizeBytes)) continue;
}

function damaged(what: string): CorruptError {
  return new CorruptError(`the tar archive is damaged: ${what}`, { code: 'bad-tar' });
}
