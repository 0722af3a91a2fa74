// Reading refs: loose files, packed-refs, symbolic refs, HEAD, and those each work tree has for itself. Nothing here writes; see
// ref-transaction.ts. Format: gitrepository-layout(5).
//
// Every file is untrusted: an empty, cut or garbled ref is CorruptError naming the file, never "no such ref", since a caller who takes a damaged
// HEAD for an unborn one makes a second root. A symbolic link is a ref only in git's old form (pointing at 'refs/...'); it is never followed.
import * as fs from 'node:fs';
import { join } from 'node:path';
import { CorruptError, isSystemError, withPath } from '../../pack/errors.js';
import { type ObjectFormat, type ObjectId, hexSize, isObjectId } from '../../pack/oid.js';
import { lockSuffix } from '../lockfile.js';
import { type PackedRef, PackedRefs } from './packed-refs.js';
import {
  type RefName, branchName, decodeRefName, encodeRefName, isPerWorkTreeRef, isRefName, isRootRefName, isSafeRefName, isText, refSearchPatterns,
} from './ref-name.js';

/** A ref that leads to an object. */
export interface Ref {
  readonly name: RefName;
  readonly id: ObjectId;
  /** Where a symbolic ref points, one step. */
  readonly symbolicTarget?: RefName;
  /** What a tag points at in the end, when packed-refs knows it. */
  readonly peeled?: ObjectId;
}

/** What a ref's own file or line says. */
export type RawRef =
  | { readonly kind: 'id'; readonly id: ObjectId; readonly peeled?: ObjectId; readonly isPacked: boolean }
  | { readonly kind: 'symbolic'; readonly target: RefName };

/** Git's limit on how many symbolic refs are followed. */
const maxSymbolicDepth = 5;

export interface RefsPlaces {
  readonly gitDirectory: string;
  readonly commonDirectory: string;
  readonly format: ObjectFormat;
}

export class Refs {
  readonly #places: RefsPlaces;
  #packed: { readonly refs: PackedRefs; readonly stamp: string } | undefined;

  constructor(places: RefsPlaces) {
    this.#places = places;
  }

  /** The file a loose ref is in, in the file system's own bytes. */
  filePath(name: string): string | Buffer {
    return this.#pathBelow(name, '');
  }

  /** The file its reflog is in. */
  logPath(name: string): string | Buffer {
    return this.#pathBelow(name, 'logs/');
  }

  get packedPath(): string {
    return join(this.#places.commonDirectory, 'packed-refs');
  }

  #pathBelow(name: string, drawer: string): string | Buffer {
    const { gitDirectory, commonDirectory } = this.#places;
    const other = /^(main-worktree|worktrees\/[^/]+)\/(.+)$/.exec(name);
    let base = isPerWorkTreeRef(name) ? gitDirectory : commonDirectory;
    let rest = name;
    if (other !== null) {
      base = other[1] === 'main-worktree' ? commonDirectory : join(commonDirectory, other[1]!);
      rest = other[2]!;
    }
    if (isText(rest)) return `${base}/${drawer}${rest}`;
    return Buffer.concat([Buffer.from(`${base}/${drawer}`), Buffer.from(encodeRefName(rest), 'latin1')]);
  }

  /** What the ref itself says, following nothing; undefined when there is none or `name` is not a ref's name. CorruptError when damaged. */
  readRaw(name: string): RawRef | undefined {
    if (!isRefName(name, { oneLevel: true })) return undefined;
    return this.#readLoose(name) ?? this.findPacked(name);
  }

  /** The loose file alone, ignoring packed-refs. */
  readLoose(name: RefName): RawRef | undefined {
    return this.#readLoose(name);
  }

  /** What packed-refs says; who asks for many gives what `packed` gave, and has looked for loose files before that. */
  findPacked(name: string, refs?: PackedRefs): RawRef | undefined {
    if (!name.startsWith('refs/')) return undefined;
    const packed = (refs ?? this.packed()).find(encodeRefName(name));
    return packed && { kind: 'id', id: packed.id, isPacked: true, ...(packed.peeled === undefined ? {} : { peeled: packed.peeled }) };
  }

  #readLoose(name: string): RawRef | undefined {
    const path = this.filePath(name);
    const content = readSmall(path);
    if (content === undefined) return undefined;
    if (content.kind === 'link') {
      const target = decodeRefName(content.target);
      if (target.startsWith('refs/') && isRefName(target)) return { kind: 'symbolic', target };
      throw damaged(name, path, 'it is a symbolic link to something that is no ref');
    }
    const raw = decodeLooseRef(content.text, this.#places.format);
    if (typeof raw !== 'string') return raw;
    // Any file in the repository can be spelt like a ref ('config', 'logs/HEAD'): only where refs live is it damage.
    if (name.startsWith('refs/') || isHeadName(name)) throw damaged(name, path, raw);
    return undefined;
  }

  /** The ref resolved to an object id through symbolic refs; undefined when missing or unborn. */
  find(name: string): Ref | undefined {
    const { raw, first } = this.resolve(name);
    if (raw?.kind !== 'id') return undefined;
    return {
      name: name as RefName, id: raw.id,
      ...(first === undefined ? {} : { symbolicTarget: first }), ...(raw.peeled === undefined ? {} : { peeled: raw.peeled }),
    };
  }

  /** Follows symbolic refs: the name of the last one (which may not exist yet), what it says, and the first target. */
  resolve(name: string): { readonly name: string; readonly raw: RawRef | undefined; readonly first: RefName | undefined } {
    let current = name;
    let first: RefName | undefined;
    for (let depth = 0; ; depth += 1) {
      const raw = this.readRaw(current);
      if (raw?.kind !== 'symbolic') return { name: current, raw, first };
      if (depth >= maxSymbolicDepth) throw damaged(name, this.filePath(name), 'too many symbolic refs follow one another');
      first ??= raw.target;
      current = raw.target;
    }
  }

  /** Where a symbolic ref points, also when that is unborn; undefined when `name` is not symbolic. */
  findSymbolic(name: string): RefName | undefined {
    // Packed refs never are.
    const raw = isRefName(name, { oneLevel: true }) ? this.#readLoose(name) : undefined;
    return raw?.kind === 'symbolic' ? raw.target : undefined;
  }

  /** The branch HEAD is on ('refs/heads/...'), also when unborn; undefined when detached. */
  headBranch(): RefName | undefined {
    const target = this.findSymbolic('HEAD');
    return target !== undefined && branchName(target) !== undefined ? target : undefined;
  }

  /** The first ref an abbreviated name stands for, as git looks it up; undefined when none. */
  expand(short: string): RefName | undefined {
    return this.findExpanded(short)?.name;
  }

  /** The ref itself that `expand` names. */
  findExpanded(short: string): Ref | undefined {
    return this.#listExpanded(short).next().value ?? undefined;
  }

  /** All refs an abbreviated name may stand for, the winner first: more than one means it is ambiguous. */
  *listExpansions(short: string): Generator<RefName, undefined> {
    for (const { name } of this.#listExpanded(short)) yield name;
  }

  *#listExpanded(short: string): Generator<Ref, undefined> {
    for (const pattern of refSearchPatterns) {
      const ref = this.find(pattern.replace('%', () => short));
      if (ref !== undefined) yield ref;
    }
  }

  /**
   * Every ref below refs/ whose name begins with `prefix`, in byte order, loose over packed. A symbolic ref to nothing is left out.
   * A damaged ref throws, unless `onDamaged` takes the error instead.
   */
  *list(prefix = 'refs/', onDamaged?: (name: string, error: CorruptError) => void): Generator<Ref> {
    for (const { name, packed } of this.#listNames(prefix)) {
      try {
        const ref = packed === undefined ? this.find(name) : toRef(packed);
        if (ref !== undefined) yield ref;
      } catch (error) {
        if (onDamaged === undefined || !(error instanceof CorruptError)) throw error;
        onDamaged(name, error);
      }
    }
  }

  /** Names below refs/ beginning with `prefix`, whatever they hold: broken and dangling ones too. */
  *listNames(prefix = 'refs/'): Generator<RefName> {
    for (const { name } of this.#listNames(prefix)) yield name;
  }

  /** Those that are packed. */
  *listPackedNames(prefix: string, refs = this.packed()): Generator<RefName> {
    for (const { name } of refs.list(encodeRefName(prefix))) yield decodeRefName(name) as RefName;
  }

  /** Merges the loose names with the packed ones; `packed` is set when only packed-refs has it. */
  *#listNames(prefix: string): Generator<{ name: RefName; packed?: PackedRef }> {
    const bytes = encodeRefName(prefix);
    // All loose names first: a ref that is packed meanwhile, and loses its file, is then met in packed-refs or by `find`, never missed.
    const loose = [...this.#listLoose(bytes)].values();
    const packed = this.packed().list(bytes);
    let left = loose.next();
    let right = packed.next();
    while (!left.done || !right.done) {
      if (right.done || (!left.done && left.value <= right.value.name)) {
        if (!right.done && left.value === right.value.name) right = packed.next();
        const name = decodeRefName(left.value as string);
        left = loose.next();
        if (isRefName(name)) yield { name };
      } else {
        yield { name: decodeRefName(right.value.name) as RefName, packed: right.value };
        right = packed.next();
      }
    }
  }

  /** Latin1 names of loose refs beginning with `prefix`, in byte order. */
  *#listLoose(prefix: string): Generator<string> {
    const directory = prefix.slice(0, prefix.lastIndexOf('/') + 1);
    if (!`${directory}/`.startsWith('refs/')) {
      if ('refs/'.startsWith(prefix)) yield* this.#walk('refs/', prefix);
      return;
    }
    yield* this.#walk(directory, prefix);
  }

  *#walk(directory: string, prefix: string): Generator<string> {
    const names = new Map<string, boolean>();
    for (const base of this.#basesOf(directory)) {
      for (const entry of readDirectory(base, directory)) {
        const name = directory + entry.name + (entry.isDirectory ? '/' : '');
        if (entry.name.endsWith(lockSuffix) || !(name.startsWith(prefix) || (entry.isDirectory && prefix.startsWith(name)))) continue;
        // In a linked work tree refs/bisect and its like are its own, everything else is shared.
        if (this.#places.gitDirectory !== this.#places.commonDirectory) {
          const own = isPerWorkTreeRef(entry.isDirectory ? `${name}x` : name);
          if (own !== (base === this.#places.gitDirectory) && name !== 'refs/') continue;
        }
        names.set(name, entry.isDirectory);
      }
    }
    for (const name of [...names.keys()].sort()) {
      if (names.get(name)) yield* this.#walk(name, prefix);
      else yield name;
    }
  }

  #basesOf(directory: string): string[] {
    const { gitDirectory, commonDirectory } = this.#places;
    if (gitDirectory === commonDirectory) return [commonDirectory];
    if (directory === 'refs/') return [commonDirectory, gitDirectory];
    return [isPerWorkTreeRef(`${directory}x`) ? gitDirectory : commonDirectory];
  }

  /** The packed refs as they are now; read again when the file has been replaced. */
  packed(): PackedRefs {
    const path = this.packedPath;
    const status = fs.statSync(path, { throwIfNoEntry: false });
    const stamp = status === undefined ? 'none' : `${status.ino} ${status.size} ${status.mtimeMs}`;
    if (this.#packed?.stamp !== stamp) {
      this.#packed = { stamp, refs: status === undefined ? PackedRefs.empty : PackedRefs.decode(readWhole(path), this.#places.format, path) };
    }
    return this.#packed.refs;
  }
}

function toRef(packed: PackedRef): Ref {
  const name = decodeRefName(packed.name) as RefName;
  return packed.peeled === undefined ? { name, id: packed.id } : { name, id: packed.id, peeled: packed.peeled };
}

/** The content of a loose ref file as latin1; a string says what is wrong with it. */
export function decodeLooseRef(text: string, format: ObjectFormat): RawRef | string {
  if (text.startsWith('ref:')) {
    const target = decodeRefName(text.slice(4).replace(/^[ \t\n\r]+|[ \t\n\r]+$/g, ''));
    return isSafeRefName(target) ? { kind: 'symbolic', target } : 'it names no valid ref';
  }
  if (text === '') return 'it is empty';
  const digits = hexSize(format);
  const id = text.slice(0, digits).toLowerCase();
  if (!isObjectId(id, format)) return 'it holds no object id';
  if (text.length > digits && !' \t\n\r'.includes(text[digits]!)) return 'something follows the object id';
  return { kind: 'id', id, isPacked: false };
}

function isHeadName(name: string): boolean {
  return isRootRefName(name) && (name === 'HEAD' || name.endsWith('_HEAD'));
}

function damaged(name: string, path: string | Buffer, what: string): CorruptError {
  return new CorruptError(`ref '${name}' is damaged: ${what} ('${String(path)}')`, {
    code: 'ref-damaged', hint: `look for its last value in its reflog; then remove '${String(path)}' and set it with cairn update-ref`,
  });
}

type Content = { readonly kind: 'text'; readonly text: string } | { readonly kind: 'link'; readonly target: string };

/** Larger than any ref; FETCH_HEAD may be longer, but its first line is what counts. */
const maxRefBytes = 8192;

/** Used by one read at a time; a buffer for each would cost more than the read. */
let readBuffer: Buffer | undefined;

/** The beginning of a file, without following a symbolic link; undefined when missing, a directory, or below a file. */
function readSmall(path: string | Buffer): Content | undefined {
  let fd: number;
  try {
    fd = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK);
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR', 'EISDIR', 'ENAMETOOLONG', 'ENXIO')) return undefined;
    if (isSystemError(error, 'ELOOP', 'EMLINK')) return { kind: 'link', target: fs.readlinkSync(path, 'latin1') };
    throw error;
  }
  try {
    readBuffer ??= Buffer.allocUnsafe(maxRefBytes);
    const size = fs.readSync(fd, readBuffer, 0, maxRefBytes, 0);
    return { kind: 'text', text: readBuffer.toString('latin1', 0, size) };
  } catch (error) {
    if (isSystemError(error, 'EISDIR')) return undefined;
    throw withPath(error, path);
  } finally {
    fs.closeSync(fd);
  }
}

function readWhole(path: string): Buffer {
  try {
    return fs.readFileSync(path);
  } catch (error) {
    throw withPath(error, path);
  }
}

/** Entries with latin1 names; a missing directory has none, and links to directories are not followed. */
function readDirectory(base: string, directory: string): { readonly name: string; readonly isDirectory: boolean }[] {
  try {
    const path = Buffer.concat([Buffer.from(`${base}/`), Buffer.from(directory, 'latin1')]);
    const entries = fs.readdirSync(path, { withFileTypes: true, encoding: 'latin1' });
    return entries.map((entry) => ({ name: entry.name, isDirectory: entry.isDirectory() }));
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return [];
    throw error;
  }
}
