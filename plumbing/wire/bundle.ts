// Bundles: refs, what they need, and a pack, in one file (gitformat-bundle(5)). Version 2 knows sha1 only; version 3 says its object format
// and filter as capabilities.
//
// Text is latin1. Reading: a value or CorruptError, with lines of bounded length; the pack behind the header is passed on in pieces.
import * as fs from 'node:fs';
import { CorruptError, NotFoundError, isSystemError } from '../../pack/errors.js';
import { type ObjectFormat, type ObjectId, isObjectId } from '../../pack/oid.js';
import { isRefName } from '../refs/ref-name.js';

export interface BundleRef {
  /** latin1; a full name, or HEAD. */
  readonly name: string;
  readonly id: ObjectId;
}

export interface BundlePrerequisite {
  readonly id: ObjectId;
  /** For people; latin1. */
  readonly comment: string;
}

export interface BundleHeader {
  readonly version: 2 | 3;
  readonly format: ObjectFormat;
  /** As `rev-list --filter` takes it, when objects were left out. */
  readonly filter: string | undefined;
  /** Commits the receiver must have. */
  readonly prerequisites: readonly BundlePrerequisite[];
  readonly refs: readonly BundleRef[];
}

const pieceBytes = 64 * 1024;
const longestLineBytes = 1024 * 1024;
const mostHeaderBytes = 256 * 1024 * 1024;

/** The bytes before the pack. */
export function encodeBundleHeader(header: BundleHeader): Buffer {
  const lines = [`# v${header.version} git bundle`];
  if (header.version === 3) {
    lines.push(`@object-format=${header.format}`);
    if (header.filter !== undefined) lines.push(`@filter=${header.filter}`);
  }
  for (const { id, comment } of header.prerequisites) lines.push(`-${id} ${comment}`);
  for (const { id, name } of header.refs) lines.push(`${id} ${name}`);
  return Buffer.from(`${lines.join('\n')}\n\n`, 'latin1');
}

/** A bundle that is read: its header at once, its pack when asked for. */
export class BundleReader {
  readonly header: BundleHeader;
  readonly #path: string;
  readonly #fd: number;
  /** What was read of the pack together with the header. */
  #ahead: Buffer = Buffer.alloc(0);
  #readBytes = 0;

  private constructor(path: string, fd: number) {
    this.#path = path;
    this.#fd = fd;
    this.header = this.#readHeader();
  }

  /** NotFoundError when the file cannot be opened, CorruptError when it is no bundle this version can read. */
  static open(path: string, shown = path): BundleReader {
    let fd: number;
    try {
      fd = fs.openSync(path, 'r');
    } catch (error) {
      if (isSystemError(error, 'ENOENT', 'ENOTDIR', 'EACCES', 'EISDIR')) throw new NotFoundError(`could not open '${shown}'`, { code: 'bundle-missing', cause: error });
      throw error;
    }
    try {
      return new BundleReader(shown, fd);
    } catch (error) {
      fs.closeSync(fd);
      throw error;
    }
  }

  /** The pack, once. */
  *packPieces(): Generator<Buffer> {
    if (this.#ahead.length > 0) yield this.#ahead;
    this.#ahead = Buffer.alloc(0);
    for (let piece = this.#readPiece(); piece !== undefined; piece = this.#readPiece()) yield piece;
  }

  close(): void {
    fs.closeSync(this.#fd);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #readPiece(): Buffer | undefined {
    const piece = Buffer.allocUnsafe(pieceBytes);
    let got: number;
    try {
      got = fs.readSync(this.#fd, piece, 0, pieceBytes, null);
    } catch (error) {
      if (isSystemError(error, 'EISDIR')) throw this.#noBundle();
      throw error;
    }
    this.#readBytes += got;
    return got === 0 ? undefined : piece.subarray(0, got);
  }

  /** Undefined when the file ends before a line does. */
  #readLine(): string | undefined {
    const parts: Buffer[] = [];
    let length = 0;
    for (;;) {
      const end = this.#ahead.indexOf(0x0a);
      if (end >= 0) {
        parts.push(this.#ahead.subarray(0, end));
        this.#ahead = this.#ahead.subarray(end + 1);
        return Buffer.concat(parts).toString('latin1');
      }
      parts.push(this.#ahead);
      length += this.#ahead.length;
      if (length > longestLineBytes || this.#readBytes > mostHeaderBytes) throw new CorruptError(`the header of bundle '${this.#path}' is too long`, { code: 'bad-bundle' });
      this.#ahead = this.#readPiece() ?? Buffer.alloc(0);
      if (this.#ahead.length === 0) return undefined;
    }
  }

  #noBundle(): CorruptError {
    return new CorruptError(`'${this.#path}' does not look like a v2 or v3 bundle file`, { code: 'bad-bundle' });
  }

  #readHeader(): BundleHeader {
    // A file that is no bundle need not have lines.
    this.#ahead = this.#readPiece() ?? this.#ahead;
    const signature = /^# v([23]) git bundle\n/.exec(this.#ahead.toString('latin1', 0, 20));
    if (!signature) throw this.#noBundle();
    this.#readLine();
    const version = signature[1] === '2' ? 2 : 3;
    let format: ObjectFormat = 'sha1';
    let filter: string | undefined;
    const prerequisites: BundlePrerequisite[] = [];
    const refs: BundleRef[] = [];
    for (let line = this.#readLine(); line !== ''; line = this.#readLine()) {
      if (line === undefined) throw this.#badLine('it ends early');
      if (version === 3 && line.startsWith('@')) {
        const [, key, value] = /^@([^=]*)(?:=(.*))?$/s.exec(line)!;
        if (key === 'object-format' && (value === 'sha1' || value === 'sha256')) format = value;
        else if (key === 'filter' && value !== undefined) filter = value;
        else throw new CorruptError(`bundle '${this.#path}' needs the capability '${line.slice(1)}', which is not known`, { code: 'bundle-capability' });
        continue;
      }
      const isNeeded = line.startsWith('-');
      const [, id = '', text = ''] = /^-?([0-9a-f]+)(?: (.*))?$/s.exec(line) ?? [];
      if (!isObjectId(id, format)) throw this.#badLine(`unrecognized header: ${line}`);
      if (isNeeded) prerequisites.push({ id, comment: text });
      else if (text === 'HEAD' || isRefName(text, { oneLevel: true })) refs.push({ id, name: text });
      else throw this.#badLine(`unrecognized header: ${line}`);
    }
    return { version, format, filter, prerequisites, refs };
  }

  #badLine(what: string): CorruptError {
    return new CorruptError(`the header of bundle '${this.#path}' is damaged: ${what}`, { code: 'bad-bundle' });
  }
}
