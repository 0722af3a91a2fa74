// The sidecar of an archive: what the file beside it must be, and how it came about. Specified in cairn-archive(5).
//
// Every byte counts: a sidecar is accepted only in the one form its value has, and only with the digest of it, so that nothing in it can
// change unnoticed. Decoding gives a value or CorruptError; members that are not known are let through.
import { CorruptError, NotFoundError, isSystemError } from '../../pack/errors.js';
import { Hasher, type ObjectFormat, type ObjectId, isObjectId } from '../../pack/oid.js';
import { type RefName, isRefName } from '../../plumbing/refs/ref-name.js';
import { type JsonValue, formatCanonicalJson } from '../canonical-json.js';
import { readSmallFile } from './named-file.js';

/** Number of the sidecar's form, and of the rules packs are made by. */
export const sidecarFormat = 1;
export const packingRules = 1;

export interface FileDigest {
  readonly sha256: string;
  readonly sizeBytes: number;
}

export interface ArchiveHead {
  /** Full, or HEAD. */
  readonly name: RefName;
  readonly id: ObjectId;
}

export interface ArchiveCounts {
  readonly objects: number;
  readonly commits: number;
  readonly tags: number;
  readonly trees: number;
  readonly blobs: number;
  /** In the tree of the tip. */
  readonly files: number;
}

/** What shaped the archive, as it was asked for. */
export interface ArchiveOptions {
  readonly all: boolean;
  readonly revisions: readonly string[];
  readonly since: readonly string[];
  readonly paths: readonly string[];
  readonly input: boolean;
  readonly checksums: boolean;
}

export interface Sidecar {
  /** Undefined when there is no archive, because the self-test failed. */
  readonly archive: FileDigest | undefined;
  readonly cairn: string;
  readonly checksums: FileDigest | undefined;
  readonly counts: ArchiveCounts;
  readonly epoch: { readonly seconds: number; readonly isOverridden: boolean };
  readonly format: ObjectFormat;
  readonly heads: readonly ArchiveHead[];
  readonly options: ArchiveOptions;
  readonly prerequisites: readonly ObjectId[];
  readonly repository: string | undefined;
  readonly scopes: readonly string[];
  readonly selfTest: { readonly ran: boolean; readonly matched: boolean };
  readonly source: ObjectId | undefined;
  readonly writtenAtMs: number;
}

const mostSidecarBytes = 64 * 1024 * 1024;

/** Where the sidecar of an archive is. */
export function sidecarPath(archive: string): string {
  return `${archive}.info.json`;
}

/** Where a signature of an archive's sidecar is. */
export function signaturePath(archive: string): string {
  return `${sidecarPath(archive)}.sig`;
}

/** NotFoundError when there is none, CorruptError when it is damaged or of another version. */
export function readSidecar(archive: string): { readonly bytes: Buffer; readonly sidecar: Sidecar } {
  const path = sidecarPath(archive);
  let bytes: Buffer;
  try {
    bytes = readSmallFile(path, mostSidecarBytes);
  } catch (error) {
    if (!isSystemError(error, 'ENOENT', 'ENOTDIR')) throw error;
    throw new NotFoundError(`'${archive}' is no archive: it has no sidecar '${path}'`, {
      code: 'no-sidecar', hint: 'an archive is complete once its sidecar is there', cause: error,
    });
  }
  return { bytes, sidecar: decodeSidecar(bytes, path) };
}

export function encodeSidecar(sidecar: Sidecar): Buffer {
  const value = toJson(sidecar);
  return Buffer.from(`${formatCanonicalJson({ ...value, digest: digestOf(value) })}\n`);
}

/** As it is printed, without its digest. */
export function toJson({ archive, cairn, checksums, counts, epoch, format, heads, options, prerequisites, repository, scopes, selfTest, source, writtenAtMs }: Sidecar): { readonly [name: string]: JsonValue } {
  const file = (digest: FileDigest | undefined): JsonValue => (digest === undefined ? null : { sha256: digest.sha256, size: digest.sizeBytes });
  return {
    format: sidecarFormat,
    packing: packingRules,
    archive: file(archive),
    cairn,
    checksums: file(checksums),
    counts: { ...counts },
    epoch: { seconds: epoch.seconds, overridden: epoch.isOverridden },
    heads: heads.map(({ name, id }) => ({ name, id })),
    object_format: format,
    options: {
      all: options.all, revisions: options.revisions, since: options.since, path: options.paths, input: options.input, checksums: options.checksums,
    },
    prerequisites,
    repository: repository ?? null,
    scopes,
    self_test: selfTest,
    source: source ?? null,
    written: new Date(writtenAtMs).toISOString().replace(/\.[0-9]+Z$/, 'Z'),
  };
}

/** `path` is for messages. */
export function decodeSidecar(bytes: Buffer, path: string): Sidecar {
  const damaged = (what: string): CorruptError => new CorruptError(`sidecar '${path}' is damaged: ${what}`, { code: 'bad-sidecar' });
  const text = bytes.toString();
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof RangeError) throw damaged('it is no JSON');
    throw error;
  }
  if (!isRecord(value)) throw damaged('it is no object');
  if (value['format'] !== sidecarFormat) {
    if (!Number.isSafeInteger(value['format'])) throw damaged("member 'format' is no number");
    throw new CorruptError(`sidecar '${path}' has format ${String(value['format'])}, and only ${sidecarFormat} is known`, {
      code: 'sidecar-version', hint: 'read it with the version of cairn it was written by',
    });
  }
  const { digest, ...rest } = value;
  let canonical: string;
  try {
    canonical = formatCanonicalJson(value as { readonly [name: string]: JsonValue });
  } catch (error) {
    if (error instanceof RangeError) throw damaged('it has a number that is not whole, or is nested too deep');
    throw error;
  }
  if (!Buffer.from(`${canonical}\n`).equals(bytes)) throw damaged('it is not in canonical form');
  if (digest !== digestOf(rest as { readonly [name: string]: JsonValue })) throw damaged('its digest does not match');
  return new SidecarReader(value, damaged).read();
}

function digestOf(value: { readonly [name: string]: JsonValue }): string {
  const hasher = new Hasher('sha256');
  hasher.update(Buffer.from(`${formatCanonicalJson(value)}\n`));
  return hasher.digestId();
}

type Members = Readonly<Record<string, unknown>>;

function isRecord(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Takes members out of a value nobody checked. */
class SidecarReader {
  readonly #value: Members;
  readonly #damaged: (what: string) => CorruptError;

  constructor(value: Members, damaged: (what: string) => CorruptError) {
    this.#value = value;
    this.#damaged = damaged;
  }

  read(): Sidecar {
    const value = this.#value;
    const format = value['object_format'];
    if (format !== 'sha1' && format !== 'sha256') throw this.#wrong('object_format');
    if (value['packing'] !== packingRules && !Number.isSafeInteger(value['packing'])) throw this.#wrong('packing');
    const epoch = this.#record(value, 'epoch');
    const counts = this.#record(value, 'counts');
    const options = this.#record(value, 'options');
    const selfTest = this.#record(value, 'self_test');
    const count = (name: keyof ArchiveCounts): number => this.#number(counts, name);
    return {
      archive: this.#digest('archive'),
      cairn: this.#text(value, 'cairn'),
      checksums: this.#digest('checksums'),
      counts: { objects: count('objects'), commits: count('commits'), tags: count('tags'), trees: count('trees'), blobs: count('blobs'), files: count('files') },
      epoch: { seconds: this.#number(epoch, 'seconds'), isOverridden: this.#flag(epoch, 'overridden') },
      format,
      heads: this.#list(value, 'heads').map((head) => this.#head(head, format)),
      options: {
        all: this.#flag(options, 'all'), revisions: this.#texts(options, 'revisions'), since: this.#texts(options, 'since'),
        paths: this.#texts(options, 'path'), input: this.#flag(options, 'input'), checksums: this.#flag(options, 'checksums'),
      },
      prerequisites: this.#texts(value, 'prerequisites').map((id) => this.#id(id, format, 'prerequisites')),
      repository: value['repository'] === null ? undefined : this.#text(value, 'repository'),
      scopes: this.#texts(value, 'scopes'),
      selfTest: { ran: this.#flag(selfTest, 'ran'), matched: this.#flag(selfTest, 'matched') },
      source: value['source'] === null ? undefined : this.#id(this.#text(value, 'source'), format, 'source'),
      writtenAtMs: this.#time('written'),
    };
  }

  #wrong(name: string): CorruptError {
    return this.#damaged(`member '${name}' is not what it should be`);
  }

  #record(from: Members, name: string): Members {
    const value = from[name];
    if (!isRecord(value)) throw this.#wrong(name);
    return value;
  }

  #list(from: Members, name: string): readonly unknown[] {
    const value = from[name];
    if (!Array.isArray(value)) throw this.#wrong(name);
    return value;
  }

  #text(from: Members, name: string): string {
    const value = from[name];
    if (typeof value !== 'string') throw this.#wrong(name);
    return value;
  }

  #texts(from: Members, name: string): string[] {
    return this.#list(from, name).map((one) => {
      if (typeof one !== 'string') throw this.#wrong(name);
      return one;
    });
  }

  #number(from: Members, name: string): number {
    const value = from[name];
    if (typeof value !== 'number' || value < 0) throw this.#wrong(name);
    return value;
  }

  #flag(from: Members, name: string): boolean {
    const value = from[name];
    if (typeof value !== 'boolean') throw this.#wrong(name);
    return value;
  }

  #digest(name: string): FileDigest | undefined {
    if (this.#value[name] === null) return undefined;
    const value = this.#record(this.#value, name);
    const sha256 = this.#text(value, 'sha256');
    if (!/^[0-9a-f]{64}$/.test(sha256)) throw this.#wrong(name);
    return { sha256, sizeBytes: this.#number(value, 'size') };
  }

  #id(text: string, format: ObjectFormat, name: string): ObjectId {
    if (!isObjectId(text, format)) throw this.#wrong(name);
    return text;
  }

  #head(value: unknown, format: ObjectFormat): ArchiveHead {
    if (!isRecord(value)) throw this.#wrong('heads');
    const name = this.#text(value, 'name');
    if (!isRefName(name, { oneLevel: true }) || !(name === 'HEAD' || name.startsWith('refs/'))) throw this.#wrong('heads');
    return { name, id: this.#id(this.#text(value, 'id'), format, 'heads') };
  }

  #time(name: string): number {
    const text = this.#text(this.#value, name);
    const atMs = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$/.test(text) ? Date.parse(text) : Number.NaN;
    if (Number.isNaN(atMs)) throw this.#wrong(name);
    return atMs;
  }
}
