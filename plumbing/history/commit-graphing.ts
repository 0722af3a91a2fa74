// Keeping the commit-graph of an objects directory, one file or a chain of them (git-commit-graph(1)).
//
// Invariant: a file gets its name when it is complete and durable, the list of a chain after its files; only then go files nobody names any
// more. It is a cache: whoever finds it gone or damaged reads commits instead. If the power fails: the old graph or the new one.
import { statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { CommitGraph } from '../../pack/commit-graph.js';
import { checkCommitGraph, encodeCommitGraph } from '../../pack/commit-graph-writer.js';
import { CommitTable } from '../../pack/commit-table.js';
import { disk, makeDirectories, removeIfPresent, temporaryName } from '../../pack/disk.js';
import { CorruptError, NotFoundError } from '../../pack/errors.js';
import { listDirectory } from '../../pack/file-lookup.js';
import { ObjectStore } from '../../pack/object-store.js';
import { type ObjectId, rawSize } from '../../pack/oid.js';
import { LockFile, type LockHolder, type LockOptions } from '../lockfile.js';

/** How a chain grows: see git-commit-graph(1), --split. */
export interface SplitRequest {
  readonly strategy: 'merge' | 'no-merge' | 'replace';
  readonly sizeMultiple: number;
  /** 0: no limit. */
  readonly mostCommits: number;
}

export interface GraphWriteRequest {
  /** Commits to begin with; what they lead to is added. */
  readonly starts: Iterable<ObjectId>;
  /** Also what the graph has now. */
  readonly append: boolean;
  readonly hasDates: boolean;
  /** Undefined: one file. */
  readonly split?: SplitRequest;
  /** Files nobody names any more are removed unless they are younger, in seconds since 1970. */
  readonly expireBefore: number;
  readonly nowMs: number;
}

export class CommitGraphing {
  readonly #store: ObjectStore;
  readonly #directory: string;
  readonly #holder: LockHolder | undefined;
  readonly #chainDirectory: string;
  readonly #table: CommitTable;

  /** Of `directory`, the store's own or one of its alternates. */
  constructor(store: ObjectStore, directory: string, holder?: LockHolder) {
    // Commits as they are stored, whatever is read in their place.
    this.#store = ObjectStore.open(store.directory, store.format, { alternates: store.alternates, hardening: store.hardening });
    this.#holder = holder;
    this.#directory = join(directory, 'info');
    this.#chainDirectory = join(directory, 'info/commit-graphs');
    this.#table = new CommitTable(store.format);
  }

  get #isHardened(): boolean { return this.#store.hardening.commitGraph; }

  get #locking(): LockOptions { return { holder: this.#holder, durable: this.#isHardened }; }

  get #singlePath(): string { return join(this.#directory, 'commit-graph'); }

  /** The number of a commit, loaded from where it is stored; undefined when it is missing. */
  #load(id: ObjectId): number | undefined {
    const table = this.#table;
    const commit = table.number(id);
    if (table.isLoaded(commit)) return commit;
    const object = this.#store.find(id);
    if (object === undefined) return undefined;
    if (object.type !== 'commit') throw new CorruptError(`object '${id}' is a ${object.type}, not a commit`, { code: 'object-wrong-type' });
    table.decode(commit, object.bytes, 0, object.bytes.length, false);
    return commit;
  }

  #loadAll(ids: Iterable<ObjectId>, isKnown: (commit: number) => boolean): number[] {
    const table = this.#table;
    const seen = new Set<number>();
    const commits: number[] = [];
    const pending: number[] = [];
    const add = (commit: number): void => {
      if (seen.has(commit)) return;
      seen.add(commit);
      if (!isKnown(commit)) pending.push(commit);
    };
    for (const id of ids) {
      add(table.number(id));
      for (let commit = pending.pop(); commit !== undefined; commit = pending.pop()) {
        const own = table.ids.idAt(commit);
        if (this.#load(own) === undefined) throw new NotFoundError(`commit '${own}' is missing`, { code: 'object-missing' });
        commits.push(commit);
        for (const parent of table.parentsOf(commit)) add(parent);
      }
    }
    return commits;
  }

  /** Writes the graph anew, or a file on top of it; nothing when there is no commit to write. */
  write(request: GraphWriteRequest): void {
    const former = this.#findUsable();
    const { split } = request;
    const stays = split !== undefined && split.strategy !== 'replace' ? former : undefined;
    const inFormer = (commit: number): boolean => stays !== undefined
      && stays.positionOf(this.#table.ids.bytes, commit * this.#table.ids.idSize) >= 0;
    const starts = request.append && former !== undefined ? [...this.#stillThere(former, 0), ...request.starts] : request.starts;
    const commits = this.#loadAll(starts, inFormer);
    if (commits.length === 0 && split?.strategy !== 'replace') return;
    if (split === undefined) this.#writeSingle(commits, request);
    else this.#writeLayer(commits, split, former, request);
  }

  /** A graph that cannot be used is as none. */
  #findUsable(): CommitGraph | undefined {
    try {
      return CommitGraph.find(join(this.#directory, '..'), this.#store.format);
    } catch (error) {
      if (error instanceof CorruptError) return undefined;
      throw error;
    }
  }

  /** Commits of a graph from a position on, without those that are gone. */
  *#stillThere(graph: CommitGraph, from: number): Generator<ObjectId> {
    for (let position = from; position < graph.count; position += 1) {
      const id = graph.idAt(position);
      if (this.#store.has(id)) yield id;
    }
  }

  #writeSingle(commits: readonly number[], request: GraphWriteRequest): void {
    const bytes = encodeCommitGraph({ table: this.#table, commits, hasDates: request.hasDates });
    makeDirectories(this.#directory, { durable: this.#isHardened });
    writeLocked(this.#singlePath, bytes, this.#locking);
    removeIfPresent(join(this.#chainDirectory, 'commit-graph-chain'));
    this.#expire(new Set(), request.expireBefore);
  }

  #writeLayer(fresh: readonly number[], split: SplitRequest, former: CommitGraph | undefined, request: GraphWriteRequest): void {
    const kept = keptLayers(former, fresh.length, split);
    const base = former?.below(kept);
    const merged = former !== undefined && split.strategy !== 'replace' && kept < former.layers.length
      ? this.#loadAll(this.#stillThere(former, base?.count ?? 0), (commit) => (base?.positionOf(this.#table.ids.bytes, commit * this.#table.ids.idSize) ?? -1) >= 0)
      : [];
    const commits = [...new Set([...fresh, ...merged])];
    const hasDates = base === undefined ? request.hasDates : base.layers.at(-1)!.hasDates;
    const bytes = encodeCommitGraph({ table: this.#table, commits, hasDates, ...(base === undefined ? {} : { base }) });
    makeDirectories(this.#chainDirectory, { durable: this.#isHardened });
    const names = (base?.layers ?? []).map((layer) => layer.checksum.toString('hex'));
    if (base !== undefined && base.layers[0]!.path === this.#singlePath) linkUnlessThere(this.#singlePath, this.#pathOf(names[0]!));
    const name = bytes.subarray(-rawSize(this.#store.format)).toString('hex');
    this.#writeGraphFile(this.#pathOf(name), bytes);
    names.push(name);
    writeLocked(join(this.#chainDirectory, 'commit-graph-chain'), Buffer.from(names.map((line) => `${line}\n`).join('')), this.#locking);
    removeIfPresent(this.#singlePath);
    this.#touchDropped(former, kept, request.nowMs);
    this.#expire(new Set(names.map((one) => basename(this.#pathOf(one)))), request.expireBefore);
  }

  #pathOf(name: string): string {
    return join(this.#chainDirectory, `graph-${name}.graph`);
  }

  #writeGraphFile(path: string, bytes: Buffer): void {
    const temporary = temporaryName(this.#chainDirectory, 'tmp_graph_');
    const fd = disk().open(temporary, 'wx', 0o444);
    try {
      try {
        disk().write(fd, bytes);
        if (this.#isHardened) disk().fsync(fd);
      } finally {
        disk().close(fd);
      }
      disk().rename(temporary, path);
    } catch (error) {
      removeIfPresent(temporary);
      throw error;
    }
    if (this.#isHardened) disk().fsyncDirectory(this.#chainDirectory);
  }

  /** Files that left the chain count as used until now. */
  #touchDropped(former: CommitGraph | undefined, kept: number, nowMs: number): void {
    for (const layer of former?.layers.slice(kept) ?? []) {
      if (statSync(layer.path, { throwIfNoEntry: false }) !== undefined) disk().utimes(layer.path, nowMs, nowMs);
    }
  }

  #expire(named: ReadonlySet<string>, expireBefore: number): void {
    for (const name of listDirectory(this.#chainDirectory)) {
      const path = join(this.#chainDirectory, name);
      if (!name.endsWith('.graph') || named.has(name)) continue;
      const stat = statSync(path, { throwIfNoEntry: false });
      if (stat !== undefined && Math.floor(stat.mtimeMs / 1000) <= expireBefore) removeIfPresent(path);
    }
  }

  /** What is wrong with the graph, or only with its topmost file; nothing when there is none. */
  *check(options: { readonly shallow: boolean }): Generator<string> {
    try {
      const graph = CommitGraph.find(join(this.#directory, '..'), this.#store.format);
      if (graph === undefined) return;
      yield* checkCommitGraph(graph, options.shallow ? 1 : graph.layers.length, this.#table, (position) => this.#load(graph.idAt(position)));
    } catch (error) {
      if (!(error instanceof CorruptError)) throw error;
      yield error.message;
    }
  }
}

/** How many files of the former graph the new one stands on. */
function keptLayers(former: CommitGraph | undefined, freshCommits: number, { strategy, sizeMultiple, mostCommits }: SplitRequest): number {
  if (former === undefined || strategy === 'replace') return 0;
  let kept = former.layers.length;
  if (strategy === 'no-merge') return kept;
  for (let commits = freshCommits; kept > 0; kept -= 1) {
    const { count } = former.layers[kept - 1]!;
    if (count > sizeMultiple * commits && !(mostCommits > 0 && commits > mostCommits)) break;
    commits += count;
  }
  return kept;
}

/** Gives a file a second name, which may be its own already. */
function linkUnlessThere(path: string, name: string): void {
  if (statSync(name, { throwIfNoEntry: false }) === undefined) disk().link(path, name);
}

/** Replaces a file under git's lock; read-only, as git leaves it. */
function writeLocked(path: string, bytes: Buffer, options: LockOptions): void {
  using lock = LockFile.acquire(path, { mode: 0o444, ...options });
  lock.write(bytes);
  lock.commit();
}
