// The work tree: looking at files, turning them into blobs and blobs into files. Only this file asks for a change in the work
// tree, and every path is validated (path-safety.ts) before it is written or removed; nothing is ever written or removed through
// a symbolic link. What a file looked like is compared as Git compares it, so that either program takes the other's index for fresh.
//
// Files appear by removing what was there and creating exclusively. If the power fails a file of the work tree may be missing or
// cut short; the index, written afterwards, does not claim otherwise.
import * as fs from 'node:fs';
import { type DiskPath, disk, removeIfPresent, temporaryName } from '../../pack/disk.js';
import { ConflictError, InvalidError, NotFoundError, RefusedError, isSystemError } from '../../pack/errors.js';
import { type GitObject, streamThresholdBytes } from '../../pack/object.js';
import type { ObjectStore } from '../../pack/object-store.js';
import { Hasher, type ObjectId, encodeObjectHeader, hashObject } from '../../pack/oid.js';
import { type RepoPath, executableMode, fileMode, gitlinkMode, pathToUtf8, symlinkMode } from '../../pack/tree.js';
import {
  type AppearanceRules, type Comparable, type Comparison, type StatData, compareAppearance, looksSame, modeOfStatus, readAppearanceRules, toStatData,
} from './appearance.js';
import { Attributes } from '../content/attributes.js';
import { type Conversion, convertInward, convertOutward, findConversion, isNoConversion, needsWhole, noConversion } from '../content/conversion.js';
import type { Index, IndexEntry } from './index-file.js';
import {
  type LineEndings, type LineEndingDefaults, convertsToRepository, convertsToWorkTree, countText, readLineEndingDefaults, toCrlf, toLf,
} from '../content/line-endings.js';
import { type PathProtection, checkPath as checkRepoPath, readPathProtection } from '../path-safety.js';
import { Repository } from '../repository.js';

export { checkPath } from '../path-safety.js';

/** A path whose state in the work tree is not the one in the index. */
export interface Change {
  readonly path: RepoPath;
  readonly kind: 'added' | 'modified' | 'deleted' | 'typechange' | 'unmerged';
  readonly old?: { readonly mode: number; readonly id: ObjectId };
  /** `id` is there only when the content had to be hashed. */
  readonly new?: { readonly mode: number; readonly id?: ObjectId };
}

/** What a directory holds: names as latin1 bytes. 'other' is a socket, FIFO or device, which Git does not see. */
export interface DirectoryEntry {
  readonly name: string;
  readonly kind: 'file' | 'directory' | 'symlink' | 'other';
}

/** Takes blobs: the object store itself, or a writer that collects many. */
export interface BlobWriter {
  write(bytes: Buffer): ObjectId;
  writeStream(sizeBytes: number, chunks: Iterable<Buffer>): ObjectId;
}

export interface StageOptions {
  /** Line endings are converted even where the index has CRLF. */
  readonly renormalize?: boolean;
  /** False: nothing will be stored, so content that cannot be converted passes as it is. */
  readonly strict?: boolean;
}

export interface CheckoutOptions {
  /** Replace what is there. */
  readonly force?: boolean;
  /** Written in front of every path as it is, e.g. 'export/'. */
  readonly prefix?: string;
}

const ascii = /^[\x00-\x7f]*$/;
const chunkBytes = 1 << 20;

export class WorkTree {
  /** Absolute, without trailing slash. */
  readonly root: string;
  /** How files here compare with what an index keeps of them. */
  readonly appearance: AppearanceRules;
  readonly #repository: Repository;
  readonly #rootBytes: Buffer;
  readonly #index: Index | undefined;
  readonly #protection: PathProtection;
  readonly #lineEndings: LineEndingDefaults;
  readonly #safeCrlf: 'true' | 'false' | 'warn';
  #attributes: Attributes | undefined;
  #isEntered = false;
  #verifiedDirectories = new Set<string>();
  /** Warnings gathered on the way, for the command to print. */
  readonly warnings: string[] = [];

  /** `index` tells which files are stored with CRLF, and stands in for .gitattributes files that are not in the work tree. */
  constructor(repository: Repository, index?: Index) {
    const { config } = repository;
    this.root = repository.requireWorkTree().replace(/\/+$/, '');
    this.#rootBytes = Buffer.from(`${this.root}/`);
    this.#repository = repository;
    this.#index = index;
    this.#protection = readPathProtection(config);
    this.appearance = readAppearanceRules(config);
    this.#lineEndings = readLineEndingDefaults(config);
    const safe = config.get('core.safecrlf');
    this.#safeCrlf = safe?.toLowerCase() === 'warn' || safe === undefined ? 'warn' : config.getBoolean('core.safecrlf') === true ? 'true' : 'false';
  }

  /** Opened by the first who asks: looking at files needs no objects. */
  get #store(): ObjectStore {
    return this.#repository.objects;
  }

  get protection(): PathProtection {
    return this.#protection;
  }

  /** From now on files are named relative to the top, which the operating system finds quicker; where the process may move there. */
  enterTop(): void {
    const { enter } = this.#repository.context.process;
    if (enter === undefined) return;
    enter(this.root);
    this.#isEntered = true;
  }

  /** What is put in front of a plain ASCII path to name its file. */
  get top(): string {
    return this.#isEntered ? '' : `${this.root}/`;
  }

  /** The path on disk: bytes unless it is plain ASCII. Only a checkout's prefix may be absolute. */
  diskPath(path: string): DiskPath {
    if (path.charCodeAt(0) === 0x2f) return Buffer.from(path, 'latin1');
    if (ascii.test(path)) return this.top + path;
    return Buffer.concat([this.#rootBytes, Buffer.from(path, 'latin1')]);
  }

  /** Refuses a path that may not name a file here (InvalidError 'unsafe-path'). */
  checkPath(path: string, mode?: number): void {
    checkRepoPath(path, this.#protection, mode);
  }

  // ---- looking

  /** What is there, links not followed; undefined when nothing is. Does not notice symbolic links on the way. */
  findStatus(path: string): fs.Stats | undefined {
    return this.#findStatus(this.diskPath(path));
  }

  /** Like findStatus, of a path in the index known to be plain ASCII: for scans, which look at very many. */
  findAsciiStatus(path: string): fs.Stats | undefined {
    return this.#findStatus(this.top + path);
  }

  #findStatus(path: DiskPath): fs.Stats | undefined {
    try {
      return fs.lstatSync(path, noThrow);
    } catch (error) {
      if (isSystemError(error, 'ENOTDIR', 'ENAMETOOLONG', 'ELOOP')) return undefined;
      throw error;
    }
  }

  /** Like findStatus, but what lies behind a symbolic link on the way is not there. */
  findOwnStatus(path: string): fs.Stats | undefined {
    return this.isBehindSymlink(path) ? undefined : this.findStatus(path);
  }

  /** True when a directory on the way to `path` is a symbolic link. */
  isBehindSymlink(path: string): boolean {
    for (let slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1)) {
      const directory = path.slice(0, slash);
      if (this.#verifiedDirectories.has(directory)) continue;
      const status = this.findStatus(directory);
      if (status === undefined) return false;
      if (!status.isDirectory()) return status.isSymbolicLink();
      this.#verifiedDirectories.add(directory);
    }
    return false;
  }

  /** The entries of a directory ('' or with trailing slash), unsorted; a missing directory is empty. */
  list(directory: string): DirectoryEntry[] {
    const path = directory === '' ? this.root : this.diskPath(directory);
    let found: fs.Dirent[];
    try {
      found = fs.readdirSync(path, { withFileTypes: true });
    } catch (error) {
      if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return [];
      throw error;
    }
    const entries: DirectoryEntry[] = [];
    for (const entry of found) {
      const name = entry.name;
      if (name.includes('\ufffd')) return listBytes(path);
      entries.push({ name: ascii.test(name) ? name : Buffer.from(name).toString('latin1'), kind: kindOf(entry) });
    }
    return entries;
  }

  /** How many names a directory ('' or with trailing slash) holds, of whatever kind; 0 when it is not there. */
  countNames(directory: string): number {
    try {
      return fs.readdirSync(directory === '' ? this.root : this.diskPath(directory)).length;
    } catch (error) {
      if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return 0;
      throw error;
    }
  }

  /** True when the directory (without trailing slash) is the top of another repository. */
  isNestedRepository(directory: string): boolean {
    for (const name of ['.git', '.cairn']) {
      const status = this.findStatus(`${directory}/${name}`);
      if (status === undefined) continue;
      if (status.isFile()) return true;
      if (status.isDirectory() && this.findStatus(`${directory}/${name}/HEAD`) !== undefined) return true;
    }
    return false;
  }

  /** The commit a nested repository has checked out; undefined when it has none. */
  findNestedHead(directory: string): ObjectId | undefined {
    const nested = Repository.openAt(this.#repository.context, Buffer.from(this.diskPath(directory)).toString());
    const head = nested.refs.find('HEAD');
    if (head !== undefined && nested.format !== this.#repository.format) {
      throw new RefusedError(`'${shown(directory)}' is a repository of another object format`, { code: 'format-differs' });
    }
    return head?.id;
  }

  /** The mode Git gives the file; undefined for what it does not see. An existing entry's mode stands in where modes are not trusted. */
  modeOf(status: fs.Stats | fs.BigIntStats, former?: number): number | undefined {
    return modeOfStatus(status, this.appearance, former);
  }

  /** The mode Git gives a regular file with these permissions. */
  modeOfFile(permissions: number, former: () => number | undefined): number {
    const isExecutable = this.appearance.trustsExecutable ? (permissions & 0o100) !== 0 : former() === executableMode;
    return isExecutable ? executableMode : fileMode;
  }

  /** Compares by appearance; `index` decides who is racy. */
  compareStatus(entry: Comparable, status: fs.Stats, index: Index): Comparison {
    return compareAppearance(entry, status, this.appearance, index);
  }

  /** True when the file looks the same, racy or not: only then does Git's plumbing ask for its content. */
  looksSame(entry: Comparable, status: fs.Stats): boolean {
    return looksSame(entry, status, this.appearance, this.#repository.format);
  }

  /** True when the file's content, as it would be added, is the entry's blob (or a nested repository's HEAD its commit). */
  hasContentOf(entry: Pick<IndexEntry, 'path' | 'mode' | 'id'>): boolean {
    if (entry.mode === gitlinkMode) {
      // A directory without a repository stands for a gitlink that was not checked out.
      if (!this.isNestedRepository(entry.path)) return true;
      return this.findNestedHead(entry.path) === entry.id;
    }
    return this.hashFile(entry.path, entry.mode) === entry.id;
  }

  /** The stat data an index entry of this file gets. */
  statData(path: string): { readonly stat: StatData; readonly status: fs.BigIntStats } | undefined {
    try {
      const status = fs.lstatSync(this.diskPath(path), { bigint: true, throwIfNoEntry: false });
      return status === undefined ? undefined : { stat: toStatData(status), status };
    } catch (error) {
      if (isSystemError(error, 'ENOTDIR', 'ENAMETOOLONG', 'ELOOP')) return undefined;
      throw error;
    }
  }

  // ---- files into blobs

  /** The id the file's content would have as a blob; nothing is stored. */
  hashFile(path: string, mode: number): ObjectId {
    const { format } = this.#repository;
    return this.stageContent(path, mode, {
      write: (bytes) => hashObject('blob', bytes, format),
      writeStream: (sizeBytes, chunks) => {
        const hasher = new Hasher(format);
        hasher.update(encodeObjectHeader('blob', sizeBytes));
        for (const chunk of chunks) hasher.update(chunk);
        return hasher.digestId();
      },
    }, { strict: false });
  }

  /** Hands the file's content, converted, to `writer`. */
  stageContent(path: string, mode: number, writer: BlobWriter, options: StageOptions = {}): ObjectId {
    const full = this.diskPath(path);
    if (mode === symlinkMode && fs.lstatSync(full).isSymbolicLink()) return writer.write(fs.readlinkSync(full, { encoding: 'buffer' }));
    const conversion = mode === symlinkMode ? noConversion : this.conversion(path);
    const fd = fs.openSync(full, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK);
    try {
      const status = fs.fstatSync(fd);
      if (!status.isFile()) throw new InvalidError(`'${shown(path)}' is not a file`, { code: 'not-a-file' });
      if (status.size < streamThresholdBytes || needsWhole(conversion)) {
        return writer.write(this.#convertWhole(path, conversion, fs.readFileSync(fd), options));
      }
      const rule = conversion.lineEndings;
      const pieces = (): Iterable<Buffer> => readPieces(fd, status.size, path);
      if (!this.#convertIn(path, rule, pieces, options)) return writer.writeStream(status.size, pieces());
      const count = countText(pieces());
      return writer.writeStream(count.sizeBytes - count.crlf, toLf(pieces()));
    } finally {
      fs.closeSync(fd);
    }
  }

  /** Content that would be at `path`, as it is stored; for content that is no file of the work tree. */
  contentForRepository(path: string, bytes: Buffer, options: StageOptions = {}): Buffer {
    return this.#convertWhole(path, this.conversion(path), bytes, options);
  }

  /** Stored content as it would be at `path`. */
  contentForWorkTree(path: string, bytes: Buffer): Buffer {
    return this.#convertOut(path, this.conversion(path), bytes);
  }

  #convertWhole(path: string, conversion: Conversion, bytes: Buffer, options: StageOptions): Buffer {
    const endings = (content: Buffer): Buffer =>
      this.#convertIn(path, conversion.lineEndings, () => [content], options) ? Buffer.concat([...toLf([content])]) : content;
    if (!needsWhole(conversion)) return endings(bytes);
    return convertInward(this.#repository, conversion, path, bytes, { strict: options.strict !== false, toLf: endings });
  }

  #convertOut(path: string, conversion: Conversion, bytes: Buffer): Buffer {
    const endings = (content: Buffer): Buffer =>
      convertsToWorkTree(conversion.lineEndings, countText([content])) ? Buffer.concat([...toCrlf([content])]) : content;
    return needsWhole(conversion) ? convertOutward(this.#repository, conversion, path, bytes, endings) : endings(bytes);
  }

  #convertIn(path: string, rule: LineEndings, content: () => Iterable<Buffer>, options: StageOptions): boolean {
    if (rule.kind === 'none') return false;
    const count = countText(content());
    const converts = convertsToRepository(rule, count, () => options.renormalize !== true && this.#isStoredWithCrlf(path));
    if (this.#safeCrlf !== 'false') this.#checkReversible(path, rule, count, converts);
    return converts;
  }

  /** core.safecrlf: what is checked out again must be what was added. */
  #checkReversible(path: string, rule: LineEndings, count: ReturnType<typeof countText>, converts: boolean): void {
    if (rule.kind === 'auto' && count.looksBinary) return;
    const loses = converts && rule.workTree === 'lf' ? ['CRLF', 'LF'] : rule.workTree === 'crlf' && count.loneLf > 0 ? ['LF', 'CRLF'] : undefined;
    if (loses === undefined) return;
    if (this.#safeCrlf === 'true') {
      throw new RefusedError(`${loses[0]} would be replaced by ${loses[1]} in '${shown(path)}'`, { code: 'unsafe-crlf', hint: 'core.safecrlf is true' });
    }
    this.warnings.push(`in the working copy of '${shown(path)}', ${loses[0]} will be replaced by ${loses[1]} the next time git touches it`);
  }

  #isStoredWithCrlf(path: string): boolean {
    const entry = this.#index?.find(path) ?? this.#index?.find(path, 2);
    const object = entry === undefined ? undefined : this.#store.find(entry.id);
    if (object?.type !== 'blob') return false;
    const count = countText([object.bytes]);
    return count.crlf > 0 && !count.looksBinary;
  }

  /** What happens to the content of `path`. */
  conversion(path: string): Conversion {
    return findConversion(path, this.attributes, this.#repository.config, this.#lineEndings);
  }

  /** True when files at `path` are stored byte by byte as they are. */
  storesAsIs(path: string): boolean {
    return isNoConversion(this.conversion(path));
  }

  get attributes(): Attributes {
    return this.#attributes ??= Attributes.load(this.#repository, this.#index === undefined ? {} : { fallback: this.#index });
  }

  // ---- blobs into files

  /**
   * Makes the entry's file; false when something is there and `force` was not given. Returns the stat for the entry. The path is
   * validated; directories on the way are made, a symbolic link or file in their place is replaced only with `force`.
   */
  checkout(entry: Pick<IndexEntry, 'path' | 'mode' | 'id'>, options: CheckoutOptions = {}): StatData | false {
    this.checkPath(entry.path, entry.mode);
    const path = (options.prefix ?? '') + entry.path;
    if (!this.#makeWay(path, options)) return false;
    const present = this.findStatus(path);
    if (entry.mode === gitlinkMode) {
      if (present?.isDirectory() !== true) {
        if (present !== undefined && !options.force) return false;
        if (present !== undefined) disk().unlink(this.diskPath(path));
        disk().mkdir(this.diskPath(path), 0o777);
      }
      return this.statData(path)!.stat;
    }
    if (present !== undefined && !options.force) return false;
    this.#create(path, entry, present);
    return this.statData(path)!.stat;
  }

  /**
   * Puts other content in the place of a file that is there, and keeps its mode: what a merge came to. Old or new, never a part; nothing is
   * written through a symbolic link. RefusedError when there is no such file.
   */
  rewrite(path: string, bytes: Uint8Array): void {
    this.checkPath(path);
    const status = this.findOwnStatus(path);
    if (status?.isFile() !== true) throw new RefusedError(`'${shown(path)}' is no file any more`, { code: 'not-a-file', hint: 'nothing was written' });
    const temporary = this.diskPath(`${path.slice(0, path.lastIndexOf('/') + 1)}${temporaryName('', '.merge_file_')}`);
    const fd = disk().open(temporary, 'wx', status.mode & 0o777);
    try {
      try {
        disk().write(fd, bytes);
      } finally {
        disk().close(fd);
      }
      disk().chmod(temporary, status.mode & 0o777);
      disk().rename(temporary, this.diskPath(path));
    } catch (error) {
      removeIfPresent(temporary);
      throw error;
    }
  }

  /** Writes the entry's content to a new file of any name inside the work tree's top (checkout-index --temp). */
  checkoutTo(entry: Pick<IndexEntry, 'path' | 'mode' | 'id'>, name: string): void {
    this.checkPath(name);
    this.#create(name, entry.mode === symlinkMode ? { ...entry, mode: fileMode } : entry);
  }

  /** Makes every directory on the way to `path`; false when something else is in the way. What `options.prefix` names is taken as it is. */
  #makeWay(path: string, options: CheckoutOptions): boolean {
    const trusted = options.prefix?.lastIndexOf('/') ?? -1;
    for (let slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1)) {
      const directory = path.slice(0, slash);
      if (directory === '' || this.#verifiedDirectories.has(directory)) continue;
      const status = slash <= trusted ? fs.statSync(this.diskPath(directory), noThrow) : this.findStatus(directory);
      if (status?.isDirectory() !== true) {
        if (status !== undefined) {
          if (!options.force) return false;
          disk().unlink(this.diskPath(directory));
        }
        disk().mkdir(this.diskPath(directory), 0o777);
      }
      this.#verifiedDirectories.add(directory);
    }
    return true;
  }

  #removePresent(path: string, present: fs.Stats): void {
    if (present.isDirectory()) this.#removeTree(path);
    else disk().unlink(this.diskPath(path));
  }

  /** Everything below goes, as `checkout-index -f` has it; a nested repository is never removed. */
  #removeTree(directory: string): void {
    if (this.isNestedRepository(directory)) {
      throw new RefusedError(`'${shown(directory)}' is a repository of its own and in the way`, { code: 'nested-repository', hint: 'move it away' });
    }
    for (const { name, kind } of this.list(`${directory}/`)) {
      if (kind === 'directory') this.#removeTree(`${directory}/${name}`);
      else disk().unlink(this.diskPath(`${directory}/${name}`));
    }
    disk().rmdir(this.diskPath(directory));
    // On a file system that ignores case a verified directory may be this one under another name.
    this.#verifiedDirectories.clear();
  }

  /** Makes the file where `present` is, which stays while the content cannot be read; a file that comes to nothing is taken back. */
  #create(path: string, entry: Pick<IndexEntry, 'path' | 'mode' | 'id'>, present?: fs.Stats): void {
    const full = this.diskPath(path);
    if (entry.mode === symlinkMode && this.appearance.hasSymlinks) {
      const { bytes } = this.#readBlob(entry.id);
      if (present !== undefined) this.#removePresent(path, present);
      disk().symlink(bytes, full);
      this.#verifiedDirectories.clear();
      return;
    }
    const conversion = entry.mode === symlinkMode ? noConversion : this.conversion(entry.path);
    const rule = conversion.lineEndings;
    const { type, sizeBytes } = this.#store.readHeader(entry.id);
    if (type !== 'blob') throw notABlob(entry.id, type);
    const isLarge = sizeBytes >= streamThresholdBytes && !needsWhole(conversion);
    const content = isLarge ? (): Iterable<Buffer> => this.#store.openStream(entry.id).chunks : this.#readConverted(entry, conversion);
    const converts = isLarge && rule.kind !== 'none' && rule.workTree === 'crlf' && convertsToWorkTree(rule, countText(content()));
    if (present !== undefined) this.#removePresent(path, present);
    const fd = disk().open(full, 'wx', entry.mode === executableMode ? 0o777 : 0o666);
    try {
      try {
        for (const piece of converts ? toCrlf(content()) : content()) disk().write(fd, piece);
      } finally {
        disk().close(fd);
      }
    } catch (error) {
      removeIfPresent(full);
      throw error;
    }
  }

  #readConverted({ path, id }: Pick<IndexEntry, 'path' | 'id'>, conversion: Conversion): () => Iterable<Buffer> {
    const bytes = this.#convertOut(path, conversion, this.#readBlob(id).bytes);
    return () => [bytes];
  }

  #readBlob(id: ObjectId): GitObject {
    const object = this.#store.read(id);
    if (object.type !== 'blob') throw notABlob(id, object.type);
    return object;
  }

  /** Removes a file and the directories it leaves empty (but never the current one); false when there was nothing, or only behind a symbolic link. */
  remove(path: string): boolean {
    this.checkPath(path);
    if (this.isBehindSymlink(path)) return false;
    const status = this.findStatus(path);
    if (status === undefined) return false;
    try {
      if (status.isDirectory()) disk().rmdir(this.diskPath(path));
      else disk().unlink(this.diskPath(path));
    } catch (error) {
      if (isSystemError(error, 'ENOENT')) return false;
      if (status.isDirectory() && isSystemError(error, 'ENOTEMPTY', 'EEXIST')) {
        throw new ConflictError(`directory '${shown(path)}' is not empty`, { code: 'directory-not-empty' });
      }
      throw error;
    }
    this.removeEmptyParents(path);
    return true;
  }

  /** Gives a file or a directory another name; a file that has that name already is replaced. */
  rename(from: string, to: string): void {
    this.checkPath(from);
    this.checkPath(to);
    disk().rename(this.diskPath(from), this.diskPath(to));
    this.#verifiedDirectories.clear();
  }

  /** Removes a file, or a directory with all that is in it, repositories too; the directories above stay. */
  discard(path: string): void {
    this.checkPath(path);
    const status = this.findStatus(path);
    if (status === undefined) return;
    if (status.isDirectory()) this.#discardTree(path);
    else disk().unlink(this.diskPath(path));
  }

  #discardTree(directory: string): void {
    for (const { name, kind } of this.list(`${directory}/`)) {
      if (kind === 'directory') this.#discardTree(`${directory}/${name}`);
      else disk().unlink(this.diskPath(`${directory}/${name}`));
    }
    disk().rmdir(this.diskPath(directory));
    this.#verifiedDirectories.clear();
  }

  /** Removes the directories above `path` that are empty, from the deepest up. */
  removeEmptyParents(path: string): void {
    const here = this.#repository.prefix;
    for (let slash = path.lastIndexOf('/'); slash > 0; slash = path.lastIndexOf('/', slash - 1)) {
      const directory = path.slice(0, slash);
      if (here.startsWith(`${directory}/`)) return;
      try {
        disk().rmdir(this.diskPath(directory));
      } catch (error) {
        if (isSystemError(error, 'ENOTEMPTY', 'EEXIST', 'ENOENT', 'EACCES', 'EPERM', 'EBUSY', 'ENOTDIR')) return;
        throw error;
      }
      this.#verifiedDirectories.delete(directory);
    }
  }

  /** The content of a small file below the top, as it is; NotFoundError when it is not there. */
  readFile(path: string): Buffer {
    try {
      return fs.readFileSync(this.diskPath(path));
    } catch (error) {
      if (isSystemError(error, 'ENOENT', 'ENOTDIR')) throw new NotFoundError(`'${shown(path)}' is not there`, { code: 'no-file', cause: error });
      throw error;
    }
  }
}

const noThrow = { throwIfNoEntry: false } as const;

function shown(path: string): string {
  return pathToUtf8(path as RepoPath);
}

function notABlob(id: ObjectId, type: string): InvalidError {
  return new InvalidError(`object '${id}' is a ${type}, not a blob`, { code: 'wrong-type' });
}

function kindOf(entry: fs.Dirent | fs.Dirent<Buffer>): DirectoryEntry['kind'] {
  return entry.isFile() ? 'file' : entry.isDirectory() ? 'directory' : entry.isSymbolicLink() ? 'symlink' : 'other';
}

function listBytes(path: DiskPath): DirectoryEntry[] {
  return fs.readdirSync(path, { withFileTypes: true, encoding: 'buffer' }).map((entry) => ({ name: entry.name.toString('latin1'), kind: kindOf(entry) }));
}

/** The file's first `sizeBytes` bytes; a file that became shorter meanwhile is refused. */
function* readPieces(fd: number, sizeBytes: number, path: string): Iterable<Buffer> {
  let at = 0;
  while (at < sizeBytes) {
    const piece = Buffer.allocUnsafe(Math.min(chunkBytes, sizeBytes - at));
    const got = fs.readSync(fd, piece, 0, piece.length, at);
    if (got === 0) throw new ConflictError(`'${shown(path)}' became shorter while it was read`, { code: 'file-changed' });
    at += got;
    yield piece.subarray(0, got);
  }
}
