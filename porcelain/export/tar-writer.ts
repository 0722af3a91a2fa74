// Tar archives (pax, POSIX.1-2001), byte for byte as git archive writes them for the same files: blocks of 10240 bytes, owner root, one time
// for all. What does not fit a header goes into an extended one before it.
//
// Constant memory. Where the bytes go is the caller's affair; `write` must be done with what it is given when it returns.
import { RefusedError } from '../../pack/errors.js';

/** What one entry is. */
export interface TarEntry {
  /** latin1; a directory ends in '/'. */
  readonly path: string;
  readonly kind: 'file' | 'directory' | 'link';
  /** Permission bits. */
  readonly permissions: number;
  readonly sizeBytes: number;
  /** latin1; of a link. */
  readonly target?: string;
  /** Names the headers of what does not fit. */
  readonly label: string;
}

const blockBytes = 512;
const recordBytes = 20 * blockBytes;
const mostNameBytes = 100;
const mostPrefixBytes = 155;
const mostOctal = 0o77777777777;
const types = { file: '0', directory: '5', link: '2' } as const;

export class TarWriter {
  readonly #write: (bytes: Uint8Array) => void;
  readonly #seconds: number;
  #written = 0;
  #left = 0;

  /** `seconds`: the time of every entry, since 1970. */
  constructor(write: (bytes: Uint8Array) => void, seconds: number) {
    this.#write = write;
    this.#seconds = Math.min(Math.max(0, seconds), mostOctal);
    this.#lateSeconds = seconds > mostOctal ? seconds : undefined;
  }

  readonly #lateSeconds: number | undefined;

  /** The header for all, with the commit the files are of, as git reads it back; before any entry. */
  addGlobal(commit: string | undefined): void {
    const records = [
      ...(commit === undefined ? [] : [paxRecord('comment', commit)]),
      ...(this.#lateSeconds === undefined ? [] : [paxRecord('mtime', String(this.#lateSeconds))]),
    ].join('');
    if (records === '') return;
    this.#putHeader({ name: 'pax_global_header', prefix: '', mode: 0o666, sizeBytes: records.length, type: 'g', target: '' });
    this.#putWhole(Buffer.from(records, 'latin1'));
  }

  /** Begins an entry; exactly `sizeBytes` of content follow by `append`. */
  begin({ path, kind, permissions, sizeBytes, target = '', label }: TarEntry): void {
    if (this.#left !== 0) throw new Error('the entry before is not complete');
    let name = path;
    let prefix = '';
    let link = target;
    const extended: string[] = [];
    if (path.length > mostNameBytes) {
      const cut = prefixEnd(path);
      if (cut > 0 && path.length - cut - 1 <= mostNameBytes) {
        prefix = path.slice(0, cut);
        name = path.slice(cut + 1);
      } else {
        name = `${label}.data`;
        extended.push(paxRecord('path', path));
      }
    }
    if (link.length > mostNameBytes) {
      extended.push(paxRecord('linkpath', link));
      link = `see ${label}.paxheader`;
    }
    if (sizeBytes > mostOctal) extended.push(paxRecord('size', String(sizeBytes)));
    const records = extended.join('');
    if (records !== '') {
      this.#putHeader({ name: `${label}.paxheader`, prefix: '', mode: 0o666, sizeBytes: records.length, type: 'x', target: '' });
      this.#putWhole(Buffer.from(records, 'latin1'));
    }
    this.#putHeader({ name, prefix, mode: permissions, sizeBytes: sizeBytes > mostOctal ? 0 : sizeBytes, type: types[kind], target: link });
    this.#left = sizeBytes;
    this.#pad();
  }

  append(bytes: Uint8Array): void {
    if (bytes.length > this.#left) throw new RefusedError('a file is larger than was announced', { code: 'size-changed' });
    this.#left -= bytes.length;
    this.#put(bytes);
    this.#pad();
  }

  /** Ends the archive. */
  finish(): void {
    if (this.#left !== 0) throw new Error('the last entry is not complete');
    const tail = recordBytes - (this.#written % recordBytes);
    this.#put(Buffer.alloc(tail < 2 * blockBytes ? tail + recordBytes : tail));
  }

  #putWhole(bytes: Buffer): void {
    this.#put(bytes);
    this.#pad();
  }

  #put(bytes: Uint8Array): void {
    this.#write(bytes);
    this.#written += bytes.length;
  }

  /** Fills the block up where an entry ends. */
  #pad(): void {
    const over = this.#written % blockBytes;
    if (this.#left === 0 && over > 0) this.#put(Buffer.alloc(blockBytes - over));
  }

  #putHeader({ name, prefix, mode, sizeBytes, type, target }: { name: string; prefix: string; mode: number; sizeBytes: number; type: string; target: string }): void {
    const header = Buffer.alloc(blockBytes);
    const octal = (value: number, digits: number): string => value.toString(8).padStart(digits, '0');
    header.write(name, 0, mostNameBytes, 'latin1');
    header.write(octal(mode, 7), 100, 'latin1');
    header.write(octal(0, 7), 108, 'latin1');
    header.write(octal(0, 7), 116, 'latin1');
    header.write(octal(sizeBytes, 11), 124, 'latin1');
    header.write(octal(this.#seconds, 11), 136, 'latin1');
    header.fill(0x20, 148, 156);
    header.write(type, 156, 'latin1');
    header.write(target, 157, mostNameBytes, 'latin1');
    header.write('ustar\x0000root', 257, 'latin1');
    header.write('root', 297, 'latin1');
    header.write(octal(0, 7), 329, 'latin1');
    header.write(octal(0, 7), 337, 'latin1');
    header.write(prefix, 345, mostPrefixBytes, 'latin1');
    header.write(`${octal(header.reduce((sum, byte) => sum + byte, 0), 7)}\0`, 148, 'latin1');
    this.#put(header);
  }
}

/** Where a path is cut so that what comes before fits the field for it: at the last slash there, but not one at its end; 0 for nowhere. */
function prefixEnd(path: string): number {
  const end = path.endsWith('/') ? path.length - 1 : path.length;
  return Math.max(0, path.lastIndexOf('/', Math.min(end, mostPrefixBytes) - 1));
}

/** '<length> <key>=<value>\n', where the length counts itself. */
function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return `${length}${rest}`;
}
