// Checking a whole repository, as git-fsck(1) describes: every copy of every object against its id and the rules for its type,
// packs and their indexes, refs, HEAD, reflogs and indexes, and whether everything they need is there.
//
// Findings that answer a question (missing, dangling, unreachable, root, tagged, broken link) go to standard output, errors and
// warnings to standard error; the result is an exit code made of bits. Nothing is changed, except that dangling objects are
// written to <gitdir>/lost-found when asked for. Memory grows with the number of objects, not with their size.
import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { disk, makeDirectories, replaceFile } from '../../pack/disk.js';
import { CairnError, CorruptError, InvalidError, NotFoundError, RefusedError, asDamage, isSystemError } from '../../pack/errors.js';
import type { GitObject } from '../../pack/object.js';
import { type ObjectFormat, type ObjectId, type ObjectType, encodeObjectId, hexSize, isObjectId, isZeroId } from '../../pack/oid.js';
import { checkPackEntries, checkPackFiles } from '../../pack/pack-check.js';
import { IdTable } from '../../pack/id-table.js';
import { PackIntake } from '../../pack/pack-intake.js';
import type { PackReader } from '../../pack/pack-reader.js';
import { type Commit, decodeCommit } from '../../pack/commit.js';
import { decodeTag } from '../../pack/tag.js';
import { TreeScanner } from '../../pack/tree.js';
import type { CacheTree } from '../index/cache-tree.js';
import { type Grafts, readGrafts } from '../history/grafts.js';
import { CommitGraphing } from '../history/commit-graphing.js';
import { expandHome, findConfigBytes } from '../config.js';
import { checkGitmodules } from './gitmodules-check.js';
import { Index } from '../index/index-file.js';
import { MultiPackIndexing } from './multi-pack-indexing.js';
import { type Finding, type MessageId, type Severity, checkObject, checkSeverityNames, isGitmodulesName, mayBeSpecialName, messageIds, readSeverities } from './object-check.js';
import { listReflogs, readReflog } from '../refs/reflog.js';
import type { Repository } from '../repository.js';
import { findRevision } from '../history/revision.js';
import { listWorkTrees } from '../work-trees.js';

/**
 * `nodes` in the order git tells about them: that of its table of objects, which is open, twice as large as need be at least, and grown by
 * putting its objects into a larger one in turn.
 */
function* inTableOrder(nodes: readonly Node[], ids: IdTable): Generator<Node> {
  /** Numbers of nodes plus one. */
  let table = new Int32Array(0);
  const put = (number: number): void => {
    let at = ids.bytes.readUInt32LE(number * ids.idSize) & (table.length - 1);
    while (table[at] !== 0) at = at + 1 === table.length ? 0 : at + 1;
    table[at] = number + 1;
  };
  for (let number = 0; number < nodes.length; number += 1) {
    if (table.length - 1 <= number * 2) {
      const former = table;
      table = new Int32Array(former.length < 32 ? 32 : former.length * 2);
      for (const each of former) if (each !== 0) put(each - 1);
    }
    put(number);
  }
  for (const each of table) if (each !== 0) yield nodes[each - 1]!;
}

/** fsck.skipList: files that name objects of which nothing is said, an id per line. */
function readSkipped(repository: Repository): ReadonlySet<string> {
  const skipped = new Set<string>();
  for (const { name, value } of repository.config.list()) {
    if (name !== 'fsck.skiplist') continue;
    if (value === undefined || value === '') throw new InvalidError('missing value for \'fsck.skiplist\'', { code: 'bad-config-value' });
    const path = resolve(repository.workTree ?? repository.context.cwd, expandHome(value, repository.context));
    const bytes = findConfigBytes(path);
    if (bytes === undefined) throw new NotFoundError(`could not open object name list: ${value}`, { code: 'no-file' });
    for (const line of bytes.toString('latin1').split('\n')) {
      const id = line.replace(/#.*$/s, '').trim();
      if (id === '') continue;
      if (!isObjectId(id, repository.format)) throw new InvalidError(`invalid object name: ${id}`, { code: 'bad-object-id' });
      skipped.add(id);
    }
  }
  return skipped;
}

/** What the bits of the exit code mean. */
export const fsckErrors = { object: 1, reachable: 2, pack: 4, refs: 8, commitGraph: 16, multiPackIndex: 32 } as const;

/** What fsck has to say: a fault, or with severity 'info' what it was asked to show. */
export interface FsckFinding {
  readonly severity: 'error' | 'warning' | 'notice' | 'info';
  /** latin1, as it is printed. */
  readonly message: string;
}

export interface FsckOptions {
  /** Say how many objects were checked. */
  readonly progress: boolean;
  /** Start from these names instead of all refs, reflogs and indexes. */
  readonly names: readonly string[];
  /** The index is a root too, although names are given. */
  readonly index: boolean;
  readonly full: boolean;
  readonly strict: boolean;
  readonly connectivityOnly: boolean;
  readonly unreachable: boolean;
  readonly dangling: boolean;
  readonly roots: boolean;
  readonly tags: boolean;
  readonly reflogs: boolean;
  readonly lostFound: boolean;
  readonly nameObjects: boolean;
  readonly verbose: boolean;
  /** Hears how many objects were checked; undefined: that is over. */
  readonly onProgress?: (checked: number | undefined) => void;
  /** Hears every finding, which is not printed then. */
  readonly onFinding?: (finding: FsckFinding) => void;
  /** Finds what is wrong with records that are not git's. */
  readonly ownRecords?: () => Iterable<{ readonly severity: 'error' | 'notice'; readonly subject: string; readonly message: string }>;
}

/** What is known of an object: what others say it is, whether it is there, and what it leads to. */
class Node {
  readonly #ids: IdTable;
  readonly number: number;
  type: ObjectType | undefined = undefined;
  isPresent = false;
  isReachable = false;
  /** Something that is there leads to it. */
  isUsed = false;
  name: string | undefined = undefined;
  /** Where what it leads to is noted; -1 where that is not known. */
  linksAt = -1;

  constructor(ids: IdTable, number: number) {
    this.#ids = ids;
    this.number = number;
  }

  get id(): ObjectId { return this.#ids.idAt(this.number); }
}

interface Edge {
  readonly id: ObjectId;
  readonly type: ObjectType;
  /** Made from the name of what leads here. */
  readonly nameFrom: (name: string) => string;
}

export class Fsck {
  readonly #repository: Repository;
  readonly #options: FsckOptions;
  readonly #severityOf: (id: MessageId) => Severity;
  readonly #skipped: ReadonlySet<string>;
  readonly #ids: IdTable;
  /** By number of their ids. */
  readonly #nodes: Node[] = [];
  /** For each node looked into: how many it leads to, and their numbers. */
  #links = new Int32Array(1024);
  #linkCount = 0;
  /** Damaged, or missing when looked for again. */
  readonly #lost = new Set<Node>();
  readonly #gitmodules = new Set<ObjectId>();
  #grafts: Grafts | undefined;
  readonly #pending: Node[] = [];
  #showsUnreachable: boolean;
  /** What a faulty object counts as: in packs, a fault of its pack. */
  #faultBit: number = fsckErrors.object;
  #found = 0;
  #checked = 0;

  constructor(repository: Repository, options: FsckOptions) {
    this.#repository = repository;
    this.#options = options;
    this.#ids = new IdTable(repository.format);
    this.#severityOf = readSeverities(repository.config, { strict: options.strict });
    checkSeverityNames(repository.config.list());
    this.#skipped = readSkipped(repository);
    for (const id of messageIds) this.#severityOf(id);
    this.#showsUnreachable = options.unreachable;
  }

  /** Checks everything; returns the exit code. */
  run(): number {
    if (this.#options.connectivityOnly) for (const id of this.#repository.objects.listIds()) this.#node(id).isPresent = true;
    else this.#checkObjects();
    this.#options.onProgress?.(undefined);
    if (this.#options.progress) this.#repository.context.stderr.write(`Checking objects: ${this.#nodes.length}, done.\n`);
    this.#checkGitmodules();
    this.#checkHead();
    if (this.#options.names.length > 0) this.#markNamed();
    else this.#markDefaults();
    if (this.#options.names.length === 0 || this.#options.index) this.#markIndexes();
    this.#traverse();
    if (this.#options.connectivityOnly) this.#findUsed();
    this.#report();
    if (!this.#options.connectivityOnly) this.#checkDerived();
    for (const { severity, subject, message } of this.#options.ownRecords?.() ?? []) {
      if (severity === 'error') this.#complain('error', `${subject}: ${message}`, fsckErrors.refs);
      else this.#complain('warning', `${subject}: ${message}`);
    }
    return this.#found;
  }

  #print(line: string): void {
    const { onFinding } = this.#options;
    if (onFinding === undefined) this.#repository.context.stdout.write(Buffer.from(`${line}\n`, 'latin1'));
    else onFinding({ severity: /^(?:missing|broken)\b/.test(line) ? 'error' : 'info', message: line });
  }

  #complain(kind: 'error' | 'warning' | 'notice', text: string, bit = 0): void {
    const { onFinding } = this.#options;
    if (onFinding === undefined) this.#repository.context.stderr.write(`${kind}: ${text}\n`);
    else onFinding({ severity: kind, message: text });
    this.#found |= bit;
  }

  #complainOfObject(id: ObjectId, text: string, bit: number): void {
    this.#lost.add(this.#node(id));
    this.#complain('error', text, bit);
  }

  /** Whether an object is there; one that arrived since its place was looked at is checked now. */
  #isThere(node: Node): boolean {
    if (node.isPresent || this.#lost.has(node)) return node.isPresent;
    const { objects } = this.#repository;
    const header = objects.isHere(node.id) ? decodable(() => objects.findHeader(node.id)) : undefined;
    const object = header === undefined || header.type === 'blob' ? undefined : decodable(() => objects.find(node.id));
    if (header === undefined || (header.type !== 'blob' && object === undefined)) this.#lost.add(node);
    else this.#checkOne(node.id, header.type, object);
    return node.isPresent;
  }

  #node(id: ObjectId, type?: ObjectType): Node {
    return this.#nodeOf(this.#ids.addId(id), type);
  }

  #nodeOf(number: number, type: ObjectType | undefined): Node {
    const node = this.#nodes[number] ??= new Node(this.#ids, number);
    node.type ??= type;
    return node;
  }

  #checkObjects(): void {
    const { objects } = this.#repository;
    for (const { id, path, header, object, error } of objects.checkLoose()) {
      if (error) this.#complainOfObject(id, `${id}: object corrupt or missing: ${path}: ${error.message}`, fsckErrors.object);
      else this.#checkOne(id, header!.type, object);
    }
    this.#checkPacks();
  }

  /** Every pack, also those that others make meanwhile of what is checked. */
  #checkPacks(): void {
    const { objects } = this.#repository;
    this.#faultBit = fsckErrors.pack;
    objects.refresh();
    for (const { error } of objects.listDamagedPacks()) this.#complain('error', error.message, fsckErrors.pack);
    const done = new Set<string>();
    for (;;) {
      const packs = objects.listPacks().filter(({ path }) => !done.has(path));
      if (packs.length === 0) break;
      for (const pack of packs) {
        done.add(pack.path);
        try {
          this.#checkPack(pack);
        } catch (error) {
          // Gone meanwhile: what was in it is in a pack that the next round finds.
          if (!isSystemError(error, 'ENOENT')) throw error;
        }
      }
      objects.refresh();
    }
    this.#faultBit = fsckErrors.object;
  }

  #checkPack(pack: PackReader): void {
    if (!this.#options.full) {
      for (let position = 0; position < pack.objectCount; position += 1) this.#node(pack.idAt(position)).isPresent = true;
    } else if (!this.#checkSoundPack(pack)) {
      this.#checkDamagedPack(pack);
    }
  }

  /** Reads a pack through and compares its index with what it holds: quick, but says only that something is wrong. */
  #checkSoundPack(pack: PackReader): boolean {
    try {
      using intake = PackIntake.readFile(pack.path, pack.format, {
        onObject: ({ id, type, bytes }) => {
          if (pack.position(encodeObjectId(id)) >= 0) this.#checkOne(id, type, bytes && { type, bytes });
        },
      });
      return intake.matches(readFileSync(pack.path.replace(/\.pack$/, '.idx')));
    } catch (error) {
      if (asDamage(error) instanceof CorruptError || error instanceof RefusedError) return false;
      throw error;
    }
  }

  /** Looks at each object on its own, and names those that are damaged. */
  #checkDamagedPack(pack: PackReader): void {
    const { faults, hasEntries } = checkPackFiles(pack);
    for (const fault of faults) this.#complain('error', fault.message, fsckErrors.pack);
    if (!hasEntries) return;
    for (const { id, header, object, error } of checkPackEntries(pack)) {
      if (error) this.#complainOfObject(id, error.message, fsckErrors.pack);
      else this.#checkOne(id, header!.type, object);
    }
  }

  /** One good copy of an object; a second one says nothing new. */
  #checkOne(id: ObjectId, type: ObjectType, object: GitObject | undefined): void {
    this.#checked += 1;
    this.#options.onProgress?.(this.#checked);
    const node = this.#node(id);
    if (node.isPresent) return;
    if (this.#options.verbose) this.#repository.context.stderr.write(`Checking ${type} ${id}\n`);
    if (node.type !== undefined && node.type !== type) {
      this.#complain('error', `object ${id} is a ${type}, not a ${node.type}`, fsckErrors.object);
    }
    node.type = type;
    node.isPresent = true;
    if (object === undefined) return;
    const { format } = this.#repository;
    if (!isReadable(object, format)) {
      node.isPresent = false;
      this.#complainOfObject(id, `${id}: object could not be parsed`, fsckErrors.object);
      return;
    }
    this.#reportFindings(type, id, checkObject(type, object.bytes, { format, strict: this.#options.strict }));
    const children = this.#childrenIn(node, object);
    for (const number of children) this.#nodes[number]!.isUsed = true;
    node.linksAt = this.#noteLinks(children);
    this.#describeOne(id, object);
  }

  #reportFindings(type: ObjectType, id: ObjectId, findings: readonly Finding[]): void {
    if (this.#skipped.has(id)) return;
    for (const { id: message, text } of findings) {
      const severity = this.#severityOf(message);
      if (severity === 'ignore') continue;
      const isError = severity === 'fatal' || severity === 'error';
      const { onFinding } = this.#options;
      const told = `in ${type} ${this.#shown(id)}: ${message}: ${text}`;
      if (onFinding === undefined) this.#repository.context.stderr.write(`${isError ? 'error' : 'warning'} ${told}\n`);
      else onFinding({ severity: isError ? 'error' : 'warning', message: told });
      if (isError) this.#found |= this.#faultBit;
    }
  }

  #describeOne(id: ObjectId, object: GitObject): void {
    if (object.type === 'commit' && this.#options.roots && this.#decodeGrafted(id, object.bytes)?.parents.length === 0) {
      this.#print(`root ${this.#shown(id)}`);
    }
    const tag = object.type === 'tag' && this.#options.tags ? decodable(() => decodeTag(object.bytes, this.#repository.format)) : undefined;
    if (tag) this.#print(`tagged ${tag.type} ${this.#shown(tag.object)} (${tag.name}) in ${this.#shown(id)}`);
  }

  /** What a content leads to, as nodes; names are passed on. */
  #childrenIn(node: Node, object: GitObject): number[] {
    if (object.type === 'tree') return this.#entriesIn(node, object.bytes);
    return this.#edgesIn(node.id, object).map(({ id, type, nameFrom }) => {
      const child = this.#node(id, type);
      if (this.#options.nameObjects && node.name !== undefined) child.name ??= nameFrom(node.name);
      return child.number;
    });
  }

  /** Keeps numbers of nodes in one array for all: millions of links would be much to look through for who collects garbage. */
  #noteLinks(numbers: readonly number[]): number {
    const at = this.#linkCount;
    this.#linkCount += 1 + numbers.length;
    if (this.#linkCount > this.#links.length) {
      const links = new Int32Array(Math.max(this.#linkCount, this.#links.length * 2));
      links.set(this.#links);
      this.#links = links;
    }
    this.#links[at] = numbers.length;
    this.#links.set(numbers, at + 1);
    return at;
  }

  /** The commit with the parents that count: behind the boundaries of a shallow repository nothing is looked for. */
  #decodeGrafted(id: ObjectId, bytes: Buffer): Commit | undefined {
    const commit = decodable(() => decodeCommit(bytes, this.#repository.format));
    const parents = (this.#grafts ??= readGrafts(this.#repository)).get(id);
    return commit && parents ? { ...commit, parents } : commit;
  }

  #edgesIn(id: ObjectId, { type, bytes }: GitObject): Edge[] {
    const { format } = this.#repository;
    if (type === 'commit') {
      const commit = this.#decodeGrafted(id, bytes);
      if (!commit) return [];
      return [
        { id: commit.tree, type: 'tree', nameFrom: (name) => `${name}:` },
        ...commit.parents.map((id, number): Edge => ({ id, type: 'commit', nameFrom: (name) => nameOfParent(name, number) })),
      ];
    }
    if (type === 'tag') {
      const tag = decodable(() => decodeTag(bytes, format));
      return tag ? [{ id: tag.object, type: tag.type, nameFrom: (name) => name }] : [];
    }
    return [];
  }

  /** The entries of a tree, none of one that is damaged. There are many: nothing is made for one but its node. */
  #entriesIn(node: Node, bytes: Buffer): number[] {
    const entry = new TreeScanner(this.#repository.format);
    const end = bytes.length;
    const isWhole = decodable(() => {
      for (let at = 0; at < end;) at = entry.scan(bytes, at, end);
      return true;
    });
    if (isWhole !== true) return [];
    const children: number[] = [];
    for (let at = 0; at < end;) {
      at = entry.scan(bytes, at, end);
      const kind = entry.mode & 0o170000;
      if (kind === 0o160000) continue;
      const isTree = kind === 0o040000;
      const child = this.#nodeOf(this.#ids.add(bytes, entry.idAt), isTree ? 'tree' : 'blob');
      children.push(child.number);
      const name = (): string => bytes.toString('latin1', entry.nameStart, entry.nameEnd);
      if (kind !== 0o120000 && mayBeSpecialName(bytes, entry.nameStart, entry.nameEnd) && isGitmodulesName(name())) this.#gitmodules.add(child.id);
      if (this.#options.nameObjects && node.name !== undefined) child.name ??= `${node.name}${name()}${isTree ? '/' : ''}`;
    }
    return children;
  }

  #checkGitmodules(): void {
    if (this.#options.connectivityOnly) return;
    for (const id of this.#gitmodules) {
      const node = this.#node(id);
      if (!node.isPresent) this.#reportFindings('blob', id, [{ id: 'gitmodulesMissing', text: 'unable to read .gitmodules blob' }]);
      else if (node.type !== 'blob') this.#reportFindings(node.type!, id, [{ id: 'gitmodulesBlob', text: 'non-blob found at .gitmodules' }]);
      else this.#reportFindings('blob', id, checkGitmodules(this.#repository.objects.read(id).bytes));
    }
  }

  #checkHead(): void {
    const { refs, format } = this.#repository;
    try {
      const head = refs.readRaw('HEAD');
      if (head === undefined) this.#complain('error', 'invalid HEAD', fsckErrors.refs);
      else if (head.kind === 'symbolic' && !head.target.startsWith('refs/heads/')) {
        this.#complain('error', `HEAD points to something strange (${head.target})`, fsckErrors.refs);
      } else if (head.kind === 'symbolic' && refs.find('HEAD') === undefined) {
        this.#complain('notice', `HEAD points to an unborn branch (${head.target.slice('refs/heads/'.length)})`);
      } else if (head.kind === 'id' && (isZeroId(head.id) || head.id.length !== (format === 'sha1' ? 40 : 64))) {
        this.#complain('error', 'HEAD: detached HEAD points at nothing', fsckErrors.refs);
      }
    } catch (error) {
      if (!(error instanceof CairnError)) throw error;
      this.#complain('error', `HEAD: ${error.message}`, fsckErrors.refs);
    }
  }

  #markNamed(): void {
    for (const name of this.#options.names) {
      const id = findRevision(this.#repository, name);
      if (id === undefined) {
        this.#complain('error', `invalid parameter: expected an object, got '${name}'`, fsckErrors.object);
        continue;
      }
      const node = this.#node(id);
      if (!this.#isThere(node)) {
        this.#complain('error', `${id}: object missing`, fsckErrors.object);
        continue;
      }
      node.isUsed = true;
      node.name ??= this.#options.nameObjects ? name : undefined;
      this.#markReachable(node);
    }
  }

  /** Refs and HEAD of every work tree, then reflogs. */
  #markDefaults(): void {
    const { refs } = this.#repository;
    const damaged = (name: string, error: CorruptError): void => this.#complain('error', `${name}: ${error.message}`, fsckErrors.reachable);
    let count = 0;
    const leading = new Set<string>();
    for (const { name, id } of refs.list('refs/', damaged)) {
      count += 1;
      leading.add(name);
      this.#markRef(name, id);
    }
    for (const name of refs.listNames()) {
      if (leading.has(name) || decodable(() => refs.readRaw(name)) === undefined) continue;
      this.#complain('error', `${name}: it leads to nothing`, fsckErrors.reachable);
    }
    const head = decodable(() => refs.find('HEAD'));
    if (head) {
      count += 1;
      this.#markRef('HEAD', head.id);
    }
    if (this.#options.reflogs) for (const name of listReflogs(this.#repository)) this.#markReflog(name);
    if (count > 0) return;
    this.#complain('notice', 'No default references');
    this.#showsUnreachable = false;
  }

  #markRef(name: string, id: ObjectId): void {
    const node = this.#node(id);
    if (!this.#isThere(node)) {
      this.#complain('error', `${name}: invalid sha1 pointer ${id}`, fsckErrors.reachable);
      return;
    }
    if (name.startsWith('refs/heads/') && this.#typeOf(node) !== 'commit') this.#complain('error', `${name}: not a commit`, fsckErrors.refs);
    node.isUsed = true;
    node.name ??= this.#options.nameObjects ? name : undefined;
    this.#markReachable(node);
  }

  #typeOf(node: Node): ObjectType | undefined {
    return (node.type ??= decodable(() => this.#repository.objects.findHeader(node.id))?.type);
  }

  #markReflog(name: string): void {
    try {
      readReflog(this.#repository, name).forEach(({ oldId, newId, ident }) => {
        for (const id of [oldId, newId]) {
          if (isZeroId(id)) continue;
          const node = this.#node(id);
          if (!this.#isThere(node)) {
            this.#complain('error', `${name}: invalid reflog entry ${id}`, fsckErrors.reachable);
            continue;
          }
          node.isUsed = true;
          node.name ??= this.#options.nameObjects ? `${name}@{${ident.seconds}}` : undefined;
          this.#markReachable(node);
        }
      });
    } catch (error) {
      if (!(error instanceof CorruptError)) throw error;
      this.#complain('error', error.message, fsckErrors.refs);
    }
  }

  #markIndexes(): void {
    const { format, indexPath, gitDirectory } = this.#repository;
    const paths = new Set([indexPath]);
    for (const place of listWorkTrees(this.#repository)) if (place.gitDirectory !== gitDirectory) paths.add(join(place.gitDirectory, 'index'));
    for (const path of paths) {
      try {
        const index = Index.read(path, format);
        for (const { id, mode, path: name } of index.entries) {
          if ((mode & 0o170000) === 0o160000 || isZeroId(id)) continue;
          this.#markFromIndex(this.#node(id, 'blob'), `:${name}`);
        }
        if (index.cacheTree) this.#markCacheTree(index.cacheTree);
      } catch (error) {
        if (!(error instanceof CorruptError)) throw error;
        this.#complain('error', error.message, fsckErrors.refs);
      }
    }
  }

  #markFromIndex(node: Node, name: string): void {
    node.isUsed = true;
    node.name ??= this.#options.nameObjects ? name : undefined;
    this.#markReachable(node);
  }

  #markCacheTree(tree: CacheTree): void {
    if (tree.isValid && tree.id !== undefined) {
      const node = this.#node(tree.id, 'tree');
      if (this.#isThere(node)) this.#markFromIndex(node, ':');
      else this.#complain('error', `${tree.id}: invalid sha1 pointer in cache-tree`, fsckErrors.refs);
    }
    for (const child of tree.children.values()) this.#markCacheTree(child);
  }

  /** Takes a root; where it leads is followed when all are known. */
  #markReachable(root: Node): void {
    if (root.isReachable) return;
    root.isReachable = true;
    this.#pending.push(root);
  }

  /** Marks everything the roots lead to, and says where a link is broken. */
  #traverse(): void {
    const pending = this.#pending;
    for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
      if (!this.#isThere(node)) continue;
      for (const child of this.#childrenOf(node)) {
        if (child.isReachable) continue;
        child.isReachable = true;
        child.isUsed = true;
        if (this.#isThere(child)) pending.push(child);
        else this.#reportBroken(node, child);
      }
    }
  }

  *#childrenOf(node: Node): Generator<Node> {
    this.#findLinks(node);
    const { linksAt } = node;
    if (linksAt >= 0) for (let at = linksAt + 1, end = at + this.#links[linksAt]!; at < end; at += 1) yield this.#nodes[this.#links[at]!]!;
  }

  #findLinks(node: Node): void {
    // What a ref leads to gets its name only now, and hands it on.
    if (node.linksAt >= 0 && !this.#options.nameObjects) return;
    const type = this.#typeOf(node);
    if (type === undefined || type === 'blob') return;
    try {
      node.linksAt = this.#noteLinks(this.#childrenIn(node, this.#repository.objects.read(node.id)));
    } catch (error) {
      if (!(error instanceof CairnError)) throw error;
      this.#complain('error', error.message, fsckErrors.object);
      node.linksAt = this.#noteLinks([]);
    }
  }

  #reportBroken(from: Node, to: Node): void {
    if (this.#repository.objects.has(to.id)) return;
    this.#print(`broken link from ${typeName(from).padStart(7)} ${this.#shown(from.id)}\n              to ${typeName(to).padStart(7)} ${this.#shown(to.id)}`);
    this.#found |= fsckErrors.reachable;
  }

  /** Without having read every object: which of those nothing reaches are led to by others of them. */
  #findUsed(): void {
    for (const node of [...this.#nodes]) {
      if (node.isReachable || !node.isPresent) continue;
      for (const child of this.#childrenOf(node)) child.isUsed = true;
    }
  }

  #report(): void {
    for (const node of inTableOrder([...this.#nodes], this.#ids)) {
      if (node.isReachable && !node.isPresent) this.#reportMissing(node);
      else if (!node.isReachable && node.isPresent) this.#reportUnreachable(node);
    }
  }

  #reportMissing(node: Node): void {
    // A damaged copy in a pack was reported as such.
    if (this.#repository.objects.isPacked(node.id)) return;
    this.#print(`missing ${typeName(node)} ${this.#shown(node.id)}`);
    this.#found |= fsckErrors.reachable;
  }

  #reportUnreachable(node: Node): void {
    const type = this.#typeOf(node) ?? 'unknown';
    if (this.#showsUnreachable) {
      this.#print(`unreachable ${type} ${this.#shown(node.id)}`);
      return;
    }
    if (node.isUsed) return;
    if (this.#options.dangling) this.#print(`dangling ${type} ${this.#shown(node.id)}`);
    if (this.#options.lostFound) this.#rescue(node);
  }

  /** A dangling object where people find it: a blob's content, of anything else its id. */
  #rescue({ id, type }: Node): void {
    const path = join(this.#repository.gitDirectory, 'lost-found', type === 'commit' ? 'commit' : 'other', id);
    makeDirectories(dirname(path));
    if (type !== 'blob') {
      replaceFile(path, `${id}\n`);
      return;
    }
    const fd = disk().open(path, 'w', 0o666);
    try {
      for (const chunk of this.#repository.objects.openStream(id).chunks) disk().write(fd, chunk);
      disk().fsync(fd);
    } finally {
      disk().close(fd);
    }
  }

  /** Files that only repeat what objects say: their own checksums and, for the multi-pack-index, where it says objects are. */
  #checkDerived(): void {
    const { objectsDirectory, objects } = this.#repository;
    for (const fault of new CommitGraphing(objects, objectsDirectory).check({ shallow: false })) this.#complain('error', fault, fsckErrors.commitGraph);
    for (const fault of new MultiPackIndexing(objects).check()) {
      this.#complain('error', `'${join(objectsDirectory, 'pack/multi-pack-index')}': ${fault}`, fsckErrors.multiPackIndex);
    }
  }

  /** An id, with a name in brackets when one is known. */
  #shown(id: ObjectId): string {
    const name = this.#nodes[this.#ids.findId(id)]?.name;
    return name === undefined ? id : `${id} (${name})`;
  }
}

/** True for what git's readers take for a commit or tag: the lines that lead to other objects are there. Trees and blobs always are. */
function isReadable({ type, bytes }: GitObject, format: ObjectFormat): boolean {
  const digits = hexSize(format);
  const head = bytes.toString('latin1', 0, 2 * digits + 64);
  if (type === 'commit') {
    if (!new RegExp(`^tree [0-9a-fA-F]{${digits}}\n`).test(head)) return false;
    const parent = new RegExp(`^parent [0-9a-fA-F]{${digits}}\n`);
    for (let at = digits + 6; bytes.toString('latin1', at, at + 7) === 'parent ' && at + digits + 7 < bytes.length; at += digits + 8) {
      if (!parent.test(bytes.toString('latin1', at, at + digits + 8))) return false;
    }
    return true;
  }
  return type !== 'tag' || new RegExp(`^object [0-9a-fA-F]{${digits}}\ntype (?:blob|tree|commit|tag)\ntag `).test(head);
}

function typeName(node: Node): string {
  return node.type ?? 'unknown';
}

/** The value; undefined where it is damaged, which is reported elsewhere. */
function decodable<Value>(decode: () => Value): Value | undefined {
  try {
    return decode();
  } catch (error) {
    if (error instanceof CorruptError) return undefined;
    throw error;
  }
}

/** 'main', 'main^', 'main~2', ...; other parents than the first are 'main^2'. */
function nameOfParent(name: string, number: number): string {
  if (number > 0) return `${name}^${number + 1}`;
  const generation = /^(.*)~([0-9]+)$/s.exec(name);
  if (generation) return `${generation[1]}~${Number(generation[2]) + 1}`;
  return name.endsWith('^') ? `${name.slice(0, -1)}~2` : `${name}^`;
}
