// Commits as nodes of a graph: parents, tree and date of each, from the commit-graph when there is one, else from the commit.
//
// Every walk goes through here, so that shallow boundaries mean the same everywhere. A node is made when it is first named,
// loaded when it is first asked about; content is read only when asked for. Format of `shallow`: gitrepository-layout(5).
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeCommit } from '../pack/commit.js';
import type { Commit } from '../pack/commit.js';
import { CommitGraph } from '../pack/commit-graph.js';
import { CorruptError, NotFoundError, isSystemError } from '../pack/errors.js';
import type { ObjectStore } from '../pack/object-store.js';
import type { ObjectHeader } from '../pack/object.js';
import { type ObjectId, type ObjectType, hexSize, isObjectId } from '../pack/oid.js';
import type { Repository } from './repository.js';

/** A commit being walked. `flags` and `parents` belong to the walk, which may simplify them. */
export class CommitNode {
  flags = 0;
  isLoaded = false;
  /** Committer's, since 1970. */
  seconds = 0;
  /** In the commit-graph; -1 when it is not there, or not looked for yet. */
  position: number;
  /** The name it was reached from, for `--source`. */
  source: string | undefined = undefined;
  readonly #history: History;
  #id: ObjectId | undefined;
  #tree: ObjectId | undefined = undefined;
  #parentIds: readonly ObjectId[] | undefined = undefined;
  #parents: readonly CommitNode[] | undefined = undefined;
  #bytes: Buffer | undefined = undefined;

  /** Of a commit named by its id, or by its position in the graph. */
  constructor(history: History, id: ObjectId | undefined, position = -1) {
    this.#history = history;
    this.#id = id;
    this.position = position;
  }

  get id(): ObjectId {
    return (this.#id ??= this.#history.idAt(this.position));
  }

  /** Once loaded. */
  get tree(): ObjectId {
    return (this.#tree ??= this.#history.treeAt(this.position));
  }

  /** None before it is loaded. */
  get parents(): readonly CommitNode[] {
    if (this.#parents !== undefined) return this.#parents;
    return this.isLoaded ? (this.#parents = this.#history.nodesOfParents(this, this.#parentIds)) : noParents;
  }

  set parents(parents: readonly CommitNode[]) {
    this.#parents = parents;
  }

  /** Ids of `parents`, without making nodes of them. */
  get parentIds(): readonly ObjectId[] {
    if (this.#parents !== undefined || !this.isLoaded) return this.parents.map(({ id }) => id);
    return (this.#parentIds ??= this.#history.parentIdsAt(this.position));
  }

  /** The decoded commit. */
  get commit(): Commit {
    return decodeCommit(this.bytes, this.#history.store.format);
  }

  /** The commit's content. */
  get bytes(): Buffer {
    return this.#bytes ?? this.#history.read(this.id);
  }

  /** Ids of the parents it was stored with, before any simplification. */
  get storedParents(): readonly ObjectId[] {
    return this.#history.storedParents(this);
  }

  /** What its content says; what the graph says is asked for when needed. */
  link(tree: ObjectId, parentIds: readonly ObjectId[]): void {
    this.#tree = tree;
    this.#parentIds = parentIds;
  }

  /** Keeps the content until it is shown. */
  hold(bytes: Buffer | undefined): void {
    this.#bytes = bytes;
  }
}

const noParents: readonly CommitNode[] = [];

/** The commits a walk has met, by id or position: all it has to remember of them when each is shown at once. */
export class MetCommits {
  readonly #ids = new Set<ObjectId>();
  #positions = new Uint8Array(0);

  /** False when it was met before. A node has a position from its loading on, or never. */
  add(node: CommitNode, count: number): boolean {
    return node.position < 0 ? this.addId(node.id) : this.addPosition(node.position, count);
  }

  addId(id: ObjectId): boolean {
    const before = this.#ids.size;
    return this.#ids.add(id).size > before;
  }

  /** In a graph of `count` commits; a position outside of it counts as new and is an error when loaded. */
  addPosition(position: number, count: number): boolean {
    if (this.#positions.length < count) this.#positions = new Uint8Array(count);
    if (this.#positions[position] === 1) return false;
    this.#positions[position] = 1;
    return true;
  }
}

/** The commits of one repository, each at most once. */
export class History {
  readonly store: ObjectStore;
  readonly #nodes = new Map<ObjectId, CommitNode>();
  /** The same nodes by their place in the graph, which tells parents by place. */
  readonly #byPosition: (CommitNode | undefined)[] = [];
  readonly #graph: CommitGraph | undefined;
  readonly #shallow: ReadonlySet<ObjectId>;
  readonly #keepContent: boolean;
  readonly #stored = new Map<ObjectId, readonly ObjectId[]>();
  #passedType: ObjectType = 'commit';
  readonly #pieces: Buffer[] = [];
  #passedBytes = 0;
  readonly #beginPass = ({ type, sizeBytes }: ObjectHeader): void => {
    this.#passedType = type;
    this.#passedBytes = sizeBytes;
  };
  /** One of several pieces may be overwritten by the next. */
  readonly #takePiece = (piece: Buffer): void => { this.#pieces.push(piece.length === this.#passedBytes ? piece : Buffer.from(piece)); };

  /** With `keepContent`, what was read for a commit's header is kept for showing it. */
  constructor(repository: Repository, options: { readonly keepContent?: boolean } = {}) {
    this.store = repository.objects;
    this.#keepContent = options.keepContent ?? false;
    this.#shallow = readShallow(repository);
    const usable = this.#shallow.size === 0 && repository.config.getBoolean('core.commitgraph', true)
      && repository.refs.list('refs/replace/')[Symbol.iterator]().next().done === true;
    this.#graph = usable ? findGraph(this.store) : undefined;
  }

  /** The node of `id`, which need not exist until it is loaded. */
  node(id: ObjectId): CommitNode {
    let node = this.#nodes.get(id);
    if (node === undefined) this.#nodes.set(id, node = new CommitNode(this, id));
    return node;
  }

  /** Fills in tree, date and parents; NotFoundError when the commit is missing, CorruptError when it is none. */
  load(node: CommitNode): CommitNode {
    if (node.isLoaded) return node;
    this.#load(node);
    if (node.position >= 0) this.#byPosition[node.position] ??= node;
    return node;
  }

  #load(node: CommitNode): void {
    const graph = this.#graph;
    if (graph !== undefined && node.position < 0) node.position = graph.position(node.id);
    if (graph !== undefined && node.position >= 0) {
      node.seconds = graph.secondsAt(node.position);
    } else {
      const bytes = this.#readOnce(node.id);
      const { tree, parents, seconds } = decodeLinks(bytes, node.id, hexSize(this.store.format));
      node.link(tree, this.#shallow.has(node.id) ? [] : parents);
      node.seconds = seconds;
      if (this.#keepContent) node.hold(Buffer.from(bytes));
    }
    node.isLoaded = true;
  }

  /**
   * Loads the parents of a commit that were not met before and hands them to `take`. The nodes are the caller's alone, and so
   * gone when they were shown: what a long walk keeps is what the collector has to carry along.
   */
  passParents(node: CommitNode, met: MetCommits, firstOnly: boolean, take: (parent: CommitNode) => void): void {
    const graph = this.#graph;
    if (graph !== undefined && node.position >= 0) {
      const positions = graph.parentsAt(node.position);
      const count = firstOnly ? Math.min(positions.length, 1) : positions.length;
      for (let at = 0; at < count; at += 1) this.#passPosition(graph, positions[at]!, met, take);
      return;
    }
    const ids = node.parentIds;
    const count = firstOnly ? Math.min(ids.length, 1) : ids.length;
    for (let at = 0; at < count; at += 1) {
      const position = graph === undefined ? -1 : graph.position(ids[at]!);
      if (graph !== undefined && position >= 0) this.#passPosition(graph, position, met, take);
      else if (met.addId(ids[at]!)) this.#pass(new CommitNode(this, ids[at]!), take);
    }
  }

  #passPosition(graph: CommitGraph, position: number, met: MetCommits, take: (parent: CommitNode) => void): void {
    if (met.addPosition(position, graph.count)) this.#pass(new CommitNode(this, undefined, position), take);
  }

  #pass(node: CommitNode, take: (parent: CommitNode) => void): void {
    this.#load(node);
    take(node);
  }

  /** How many commits can be reached from loaded ones, themselves included; undefined when the graph does not have all of them. */
  findCount(nodes: readonly CommitNode[], firstParentOnly: boolean): number | undefined {
    const positions = nodes.map(({ position }) => position);
    return positions.some((position) => position < 0) ? undefined : this.#graph?.countReachable(positions, firstParentOnly);
  }

  /** Of the commit-graph in use. */
  get graphCount(): number {
    return this.#graph?.count ?? 0;
  }

  idAt(position: number): ObjectId {
    return this.#usedGraph.idAt(position);
  }

  treeAt(position: number): ObjectId {
    return this.#usedGraph.treeAt(position);
  }

  parentIdsAt(position: number): readonly ObjectId[] {
    const graph = this.#usedGraph;
    return graph.parentsAt(position).map((parent) => graph.idAt(parent));
  }

  /** The nodes of a commit's parents, whose ids are known unless the graph has them. */
  nodesOfParents(node: CommitNode, ids: readonly ObjectId[] | undefined): readonly CommitNode[] {
    if (ids !== undefined) return ids.map((id) => this.node(id));
    return this.#usedGraph.parentsAt(node.position).map((parent) => this.#nodeAt(this.#usedGraph, parent));
  }

  get #usedGraph(): CommitGraph {
    if (this.#graph === undefined) throw new CorruptError('a commit is looked for in a commit-graph that is not used', { code: 'bad-commit-graph' });
    return this.#graph;
  }

  #nodeAt(graph: CommitGraph, position: number): CommitNode {
    let node = this.#byPosition[position];
    if (node === undefined) {
      node = this.node(graph.idAt(position));
      node.position = position;
      this.#byPosition[position] = node;
    }
    return node;
  }

  /** Remembers the parents of a node before a walk changes them. */
  saveParents(node: CommitNode): void {
    if (!this.#stored.has(node.id)) this.#stored.set(node.id, node.parentIds);
  }

  storedParents(node: CommitNode): readonly ObjectId[] {
    return (this.#stored.size === 0 ? undefined : this.#stored.get(node.id)) ?? node.parentIds;
  }

  /** The bytes of a commit. */
  read(id: ObjectId): Buffer {
    return Buffer.from(this.#readOnce(id));
  }

  /** The bytes of a commit, good until the next object is read. */
  #readOnce(id: ObjectId): Buffer {
    this.#pieces.length = 0;
    if (!this.store.pass(id, this.#beginPass, this.#takePiece)) throw new NotFoundError(`commit '${id}' is missing`, { code: 'object-missing' });
    if (this.#passedType !== 'commit') throw new CorruptError(`object '${id}' is a ${this.#passedType}, not a commit`, { code: 'wrong-type' });
    return this.#pieces.length === 1 ? this.#pieces[0]! : Buffer.concat(this.#pieces);
  }
}

/** Tree, parents and committer's time of a commit's content, and nothing else of it. */
function decodeLinks(bytes: Buffer, id: ObjectId, digits: number): { tree: ObjectId; parents: ObjectId[]; seconds: number } {
  const tree = decodeIdLine(bytes, 0, 'tree ', id, digits);
  const parents: ObjectId[] = [];
  let at = 5 + digits + 1;
  while (bytes[at] === 0x70 && bytes[at + 1] === 0x61) {
    parents.push(decodeIdLine(bytes, at, 'parent ', id, digits));
    at += 7 + digits + 1;
  }
  while (bytes[at] === 0x61) at = nextLine(bytes, at);
  return { tree, parents, seconds: bytes[at] === 0x63 ? decodeSeconds(bytes, at) : 0 };
}

/** The id of the line "<key><id>\n" at `at`. */
function decodeIdLine(bytes: Buffer, at: number, key: string, commit: ObjectId, digits: number): ObjectId {
  const from = at + key.length;
  const end = from + digits;
  let isGood = bytes[end] === 0x0a;
  for (let index = 0; index < key.length; index += 1) isGood &&= bytes[at + index] === key.charCodeAt(index);
  for (let index = from; index < end; index += 1) {
    const byte = bytes[index]!;
    isGood &&= (byte >= 0x30 && byte <= 0x39) || (byte >= 0x61 && byte <= 0x66);
  }
  if (!isGood) throw new CorruptError(`commit '${commit}' is damaged`, { code: 'bad-commit' });
  return bytes.toString('latin1', from, end) as ObjectId;
}

/** The number behind the last '>' of the line at `at`; 0 when there is none. */
function decodeSeconds(bytes: Buffer, at: number): number {
  const end = nextLine(bytes, at);
  let from = end;
  while (from > at && bytes[from - 1] !== 0x3e) from -= 1;
  // All numbers but odd ones are digits behind one blank.
  let seconds = 0;
  let digit = from + 1;
  for (; digit < end && bytes[digit]! >= 0x30 && bytes[digit]! <= 0x39; digit += 1) seconds = seconds * 10 + bytes[digit]! - 0x30;
  if (bytes[from] !== 0x20 || digit === from + 1) seconds = Number.parseInt(bytes.toString('latin1', from, end), 10);
  return Number.isSafeInteger(seconds) && seconds > 0 ? seconds : 0;
}

function nextLine(bytes: Buffer, at: number): number {
  const newline = bytes.indexOf(0x0a, at);
  return newline < 0 ? bytes.length : newline + 1;
}

/** The commits whose parents are left out on purpose. */
function readShallow(repository: Repository): ReadonlySet<ObjectId> {
  try {
    const text = readFileSync(join(repository.commonDirectory, 'shallow'), 'latin1');
    return new Set(text.split('\n').filter((line): line is ObjectId => isObjectId(line, repository.format)));
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return new Set();
    throw error;
  }
}

/** A damaged graph is a cache that cannot be used: the commits themselves are read instead. */
function findGraph(store: ObjectStore): CommitGraph | undefined {
  try {
    return CommitGraph.find(store.directory, store.format);
  } catch (error) {
    if (error instanceof CorruptError) return undefined;
    throw error;
  }
}
