// Commits as nodes of a graph: parents, tree and date of each, from the commit-graph when there is one, else from the commit.
//
// Every walk goes through here, so that grafts mean the same everywhere. A commit is a number in a table (see
// commit-table) from when it is first named, and loaded when it is first asked about; content is read only when asked for. Whoever
// walks far asks by number; a node is the same for whoever wants an object.
import { decodeCommit } from '../../pack/commit.js';
import type { Commit } from '../../pack/commit.js';
import { CommitGraph, type GraphTables } from '../../pack/commit-graph.js';
import { CommitTable } from '../../pack/commit-table.js';
import { CommitWalk } from '../../pack/commit-walk.js';
import { CorruptError, NotFoundError } from '../../pack/errors.js';
import type { ObjectStore } from '../../pack/object-store.js';
import type { ObjectId } from '../../pack/oid.js';
import type { PackCursor } from '../../pack/pack-cursor.js';
import { type Grafts, readGrafts } from './grafts.js';
import { HeldContents } from './held-contents.js';
import type { OutputPage } from '../output-page.js';
import { findPlainSubject } from './plain-subject.js';
import type { Repository } from '../repository.js';

/** A commit being walked. `flags` and `parents` are the walk's, which may simplify them. */
export class CommitNode {
  /** In the table of its history. */
  readonly number: number;
  readonly #history: History;

  constructor(history: History, number: number) {
    this.number = number;
    this.#history = history;
  }

  get id(): ObjectId { return this.#history.table.ids.idAt(this.number); }
  get flags(): number { return this.#history.table.flags[this.number]!; }
  get isLoaded(): boolean { return this.#history.table.isLoaded(this.number); }

  /** Committer's, since 1970; once loaded, as all below. */
  get seconds(): number { return this.#history.table.seconds[this.number]!; }
  get tree(): ObjectId { return this.#history.table.treeAt(this.number); }

  /** None before it is loaded. */
  get parents(): readonly CommitNode[] { return this.#history.table.parentsOf(this.number).map((parent) => this.#history.nodeOf(parent)); }

  /** Ids of `parents`, without making nodes of them. */
  get parentIds(): readonly ObjectId[] { return this.#history.idsOf(this.#history.table.parentsOf(this.number)); }

  /** Ids of the parents it was stored with, before any simplification. */
  get storedParents(): readonly ObjectId[] { return this.#history.storedParents(this.number); }

  /** The name it was reached from, for `--source`. */
  get source(): string | undefined { return this.#history.sources.get(this.number); }

  /** The decoded commit, whose message is good as long as `bytes`. */
  get commit(): Commit { return decodeCommit(this.bytes, this.#history.store.format); }

  /** The commit's content, good until it is let go. */
  get bytes(): Buffer { return this.#history.contentOf(this.number); }

  /** Prints id and subject, where the subject is shown as it is stored; false, and nothing printed, otherwise. */
  putOneline(page: OutputPage, digits: number | undefined, isUtf8: boolean): boolean {
    return this.#history.putOneline(this.number, page, digits, isUtf8);
  }

  /** Prints the id, shortened to at least `digits` where they are given. */
  putId(page: OutputPage, digits?: number): void { this.#history.putId(this.number, page, digits); }

  /** It was shown: content kept for that is not needed any more. */
  letGo(): void { this.#history.letGo(this.number); }
}

/** What is kept of what was read for a commit's header, for showing it: all, or where that is plain its subject, shown in UTF-8. */
export type KeptPart = 'contents' | 'subjects';

/** As packs number types. */
const commitKind = 1;

/** The commits of one repository, each at most once. */
export class History {
  readonly store: ObjectStore;
  readonly table: CommitTable;
  /** By number, the names commits were reached from. */
  readonly sources = new Map<number, string>();
  readonly #nodes = new Map<number, CommitNode>();
  readonly #graph: CommitGraph | undefined;
  /** The commit at each position of the graph; -1 where none is named yet. */
  readonly #numbers: Int32Array;
  readonly #grafts: Grafts;
  readonly #contents: HeldContents | undefined;
  /** Subjects that are shown as they are, of commits without `#contents`. */
  readonly #subjects: HeldContents | undefined;
  readonly #stored = new Map<number, readonly number[]>();
  #cursor: PackCursor | undefined;

  /** `keepsTrueParents`: see readGrafts. */
  constructor(repository: Repository, options: { readonly keep?: KeptPart; readonly keepsTrueParents?: boolean } = {}) {
    this.store = repository.objects;
    this.table = new CommitTable(this.store.format);
    this.#contents = options.keep === undefined ? undefined : new HeldContents();
    this.#subjects = options.keep === 'subjects' ? new HeldContents() : undefined;
    this.#grafts = readGrafts(repository, options);
    const usable = this.#grafts.size === 0 && repository.config.getBoolean('core.commitgraph', true)
      && repository.refs.list('refs/replace/')[Symbol.iterator]().next().done === true;
    this.#graph = usable ? findGraph(this.store) : undefined;
    this.#numbers = new Int32Array(this.#graph?.count ?? 0).fill(-1);
  }

  /** A commit graph tells of commits without reading them. */
  get hasGraph(): boolean {
    return this.#graph !== undefined;
  }

  /** The node of `id`, which need not exist until it is loaded. */
  node(id: ObjectId): CommitNode {
    return this.nodeOf(this.table.number(id));
  }

  /** The one node of a commit. */
  nodeOf(commit: number): CommitNode {
    let node = this.#nodes.get(commit);
    if (node === undefined) this.#nodes.set(commit, node = new CommitNode(this, commit));
    return node;
  }

  /** A node for who will have forgotten it when the next one is asked for. */
  passingNode(commit: number): CommitNode {
    return new CommitNode(this, commit);
  }

  idsOf(commits: readonly number[]): ObjectId[] {
    return commits.map((commit) => this.table.ids.idAt(commit));
  }

  /** See `loadCommit`. */
  load(node: CommitNode): CommitNode {
    this.loadCommit(node.number);
    return node;
  }

  /** Fills in tree, date and parents; NotFoundError when the commit is missing, CorruptError when it is none. */
  loadCommit(commit: number): void {
    const { table } = this;
    if (table.isLoaded(commit)) return;
    const graph = this.#graph;
    const position = graph === undefined ? -1 : this.#positionOf(graph, commit);
    if (graph !== undefined && position >= 0) {
      graph.load(table, commit, position, graph.parentsAt(position).map((parent) => this.#numberAt(graph, parent)));
      return;
    }
    const cursor = this.#readAtCursor(commit);
    if (cursor !== undefined) {
      this.#take(commit, cursor.memory, cursor.start, cursor.end);
    } else {
      const bytes = this.#readOnce(commit);
      this.#take(commit, bytes, 0, bytes.length);
    }
  }

  #take(commit: number, bytes: Buffer, start: number, end: number): void {
    const graft = this.#grafts.size === 0 ? undefined : this.#grafts.get(this.table.ids.idAt(commit));
    const from = this.table.decode(commit, bytes, start, end, graft !== undefined);
    if (graft !== undefined && graft.length > 0) this.table.setParents(commit, graft.map((parent) => this.table.number(parent)));
    const subject = this.#subjects && findPlainSubject(bytes, from, end, true);
    if (subject === undefined) this.#contents?.keep(commit, bytes, start, end);
    else this.#subjects!.keep(commit, bytes, subject.start, subject.end);
  }

  /** The cursor with the commit read; undefined where it does not lead there. */
  #readAtCursor(commit: number): PackCursor | undefined {
    if (this.store.hasReplacements) return undefined;
    const cursor = this.#cursor ??= this.store.openCursor();
    const { ids } = this.table;
    return cursor?.find(ids.bytes, commit * ids.idSize) && cursor.read() && cursor.kind === commitKind ? cursor : undefined;
  }

  /**
   * More than that of every commit that can be reached from it, as the commit-graph says; 0 where it does not, Infinity for a commit it does
   * not have, which none of those it has leads to.
   */
  levelOf(commit: number): number {
    const graph = this.#graph;
    const position = graph === undefined ? -1 : this.#positionOf(graph, commit);
    return position < 0 ? Infinity : graph!.levelAt(position);
  }

  /** In the graph; -1 when it is not there. */
  #positionOf(graph: CommitGraph, commit: number): number {
    const { ids, positions } = this.table;
    const known = positions[commit]!;
    if (known >= 0) return known;
    const position = graph.positionOf(ids.bytes, commit * ids.idSize);
    if (position >= 0) this.#place(commit, position);
    return position;
  }

  #numberAt(graph: CommitGraph, position: number): number {
    const known = this.#numbers[position];
    // A position outside of the graph is found out below.
    if (known !== undefined && known >= 0) return known;
    const commit = graph.numberIn(this.table, position);
    this.#place(commit, position);
    return commit;
  }

  #place(commit: number, position: number): void {
    this.table.positions[commit] = position;
    this.#numbers[position] = commit;
  }

  /** How many commits can be reached from loaded ones, themselves included; undefined when the graph does not have all of them. */
  findCount(commits: readonly number[], firstParentOnly: boolean): number | undefined {
    const positions = commits.map((commit) => this.table.positions[commit]!);
    return positions.some((position) => position < 0) ? undefined : this.#graph?.countReachable(positions, firstParentOnly);
  }

  /** The commit-graph, where it is used and is one file. */
  get graphTables(): GraphTables | undefined { return this.#graph?.tables; }

  /** The quick way over all commits, undefined where history is not just what commits say. */
  openWalk(): CommitWalk | undefined {
    if (this.#grafts.size > 0 || this.store.hasReplacements) return undefined;
    const cursor = this.#cursor ??= this.store.openCursor();
    return cursor && new CommitWalk(this.store, cursor, (ids, at) => this.#readOnce(this.table.numberOf(ids, at)));
  }

  /** Remembers the parents of a commit before a walk changes them. */
  saveParents(commit: number): void {
    if (!this.#stored.has(commit)) this.#stored.set(commit, this.table.parentsOf(commit));
  }

  storedParents(commit: number): readonly ObjectId[] {
    return this.idsOf((this.#stored.size === 0 ? undefined : this.#stored.get(commit)) ?? this.table.parentsOf(commit));
  }

  contentOf(commit: number): Buffer {
    return this.#contents?.get(commit) ?? Buffer.from(this.#readOnce(commit));
  }

  putId(commit: number, page: OutputPage, digits?: number): void {
    const { ids } = this.table;
    const at = commit * ids.idSize;
    page.id(ids.bytes, at, digits === undefined ? ids.idSize * 2 : this.store.abbreviatedDigits(ids.bytes, at, digits));
  }

  putOneline(commit: number, page: OutputPage, digits: number | undefined, isUtf8: boolean): boolean {
    const kept = this.#subjects?.has(commit) === true;
    const bytes = kept ? undefined : this.contentOf(commit);
    const subject = bytes && findPlainSubject(bytes, 0, bytes.length, isUtf8);
    if (!kept && subject === undefined) return false;
    this.putId(commit, page, digits);
    page.byte(0x20);
    if (subject !== undefined) page.span(bytes!, subject.start, subject.end);
    else this.#subjects?.put(commit, page);
    return true;
  }

  letGo(commit: number): void {
    this.#contents?.letGo(commit);
    this.#subjects?.letGo(commit);
  }

  /** The bytes of a commit, good until the next object is read. */
  #readOnce(commit: number): Buffer {
    const { ids } = this.table;
    const object = this.store.findPacked(ids.bytes, commit * ids.idSize) ?? this.store.find(ids.idAt(commit));
    if (object === undefined) throw new NotFoundError(`commit '${ids.idAt(commit)}' is missing`, { code: 'object-missing' });
    if (object.type !== 'commit') throw new CorruptError(`object '${ids.idAt(commit)}' is a ${object.type}, not a commit`, { code: 'wrong-type' });
    return object.bytes;
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
