// Taking a work tree into the repository: what differs from the index is stored, the index is brought up to date in memory, and the
// trees it describes are written. A few small files become single objects, as Git's own add makes them; anything more becomes one new pack,
// hashed and compressed by worker threads.
//
// Invariant: `finish` and `writeTree` return only when every object is durable; nothing refers to any of them yet. The index itself is
// written by the caller, under its lock. Every path is validated before it is taken in, ignore rules and attributes are honoured.
// If the power fails, or the scope of a `using` is left: at most objects nobody refers to remain; gc removes them.
import { InvalidError } from '../pack/errors.js';
import { FileIntake } from '../pack/file-intake.js';
import type { ObjectId } from '../pack/oid.js';
import type { BulkWriter } from '../pack/pack-writer.js';
import { type RepoPath, gitlinkMode, pathToUtf8, repoPath } from '../pack/tree.js';
import { WorkerPool } from '../pack/workers.js';
import { writeTreeFromIndex } from '../plumbing/index/cache-tree.js';
import type { StatData } from '../plumbing/index/appearance.js';
import { IgnoreRules } from '../plumbing/ignore.js';
import { type Index, indexEntry } from '../plumbing/index/index-file.js';
import { LookAhead } from '../plumbing/index/look-ahead.js';
import type { Pathspec } from '../plumbing/pathspec.js';
import type { Repository } from '../plumbing/repository.js';
import { applyRefresh, scanWorkTree } from '../plumbing/index/work-status.js';
import { type BlobWriter, WorkTree } from '../plumbing/index/work-tree.js';
import { Progress } from './terminal.js';

export interface SnapshotScope {
  /** Also files that are not in the index; otherwise only what is there already is looked at. */
  readonly untracked: boolean;
  readonly pathspec?: Pathspec;
}

/** Up to so many files, of so many bytes together, are stored as single objects. */
const mostLooseFiles = 20;
const mostLooseBytes = 4 * 1024 * 1024;
/** So many files are work enough to start threads at once. */
const manyFiles = 2500;

export class Snapshot {
  /** Brought up to date in memory. */
  readonly index: Index;
  readonly #repository: Repository;
  readonly #workTree: WorkTree;
  #bulk: BulkWriter | undefined;
  #pool: WorkerPool | undefined;
  #changed = 0;

  constructor(repository: Repository, index: Index) {
    this.#repository = repository;
    this.index = index;
    this.#workTree = new WorkTree(repository, index);
  }

  /** How many paths were taken in or out. */
  get changed(): number { return this.#changed; }

  /** What the person should know, e.g. line endings that will change. */
  get warnings(): readonly string[] { return this.#workTree.warnings; }

  /** Brings the index up to date with the work tree, storing every file that differs. */
  take(scope: SnapshotScope): void {
    using ahead = scope.pathspec === undefined ? LookAhead.start(this.#repository) : undefined;
    const scan = scanWorkTree(this.#workTree, this.index, {
      ahead,
      untracked: scope.untracked ? 'all' : 'no',
      rules: () => IgnoreRules.load(this.#repository),
      ...(scope.pathspec === undefined ? {} : { pathspec: scope.pathspec }),
    });
    applyRefresh(this.index, scan);
    const files: RepoPath[] = [];
    for (const { path, kind } of scan.changes) {
      if (kind === 'deleted' || (kind === 'unmerged' && this.#workTree.findOwnStatus(path) === undefined)) this.#remove(path);
      else files.push(path);
    }
    for (const path of scan.untracked) files.push(path);
    this.add(files);
  }

  /** Stores these files and puts them into the index; a trailing slash names a nested repository. */
  add(paths: readonly RepoPath[]): void {
    const files: RepoPath[] = [];
    for (const path of paths) {
      if (path.endsWith('/')) this.#addRepository(repoPath(path.slice(0, -1)));
      else files.push(path);
    }
    if (!this.#isLittle(files)) {
      this.#addMany(files);
      return;
    }
    const { objects } = this.#repository;
    const loose: BlobWriter = {
      write: (bytes) => objects.write('blob', bytes),
      writeStream: (sizeBytes, chunks) => objects.writeStream('blob', sizeBytes, chunks),
    };
    objects.writeTogether(() => { for (const path of files) this.#addFile(path, loose); });
  }

  /** Makes everything stored durable; nothing can be added afterwards. */
  finish(): void {
    this.#bulk?.finish();
    this.#bulk = undefined;
    this.#pool?.close();
    this.#pool = undefined;
  }

  /** Writes the trees the index describes, makes all durable and returns the id of the root. */
  writeTree(): ObjectId {
    const bulk = this.#bulk;
    const id = writeTreeFromIndex(this.index, this.#repository.objects, {
      protection: this.#workTree.protection, ...(bulk === undefined ? {} : { bulk }),
    });
    this.finish();
    return id;
  }

  [Symbol.dispose](): void {
    this.#bulk?.abort();
    this.#pool?.close();
  }

  #isLittle(paths: readonly RepoPath[]): boolean {
    if (paths.length > mostLooseFiles || this.#bulk !== undefined) return false;
    let sizeBytes = 0;
    for (const path of paths) sizeBytes += this.#workTree.findStatus(path)?.size ?? 0;
    return sizeBytes <= mostLooseBytes;
  }

  #addMany(paths: readonly RepoPath[]): void {
    const { config, format, objects } = this.#repository;
    const workTree = this.#workTree;
    const pool = this.#pool ??= new WorkerPool({ startWeight: manyFiles });
    const bulk = this.#bulk ??= objects.bulk({ startDigest: (path, sizeBytes) => startDigest(pool, path, sizeBytes, format) });
    const direct: BlobWriter = {
      write: (bytes) => bulk.add('blob', bytes),
      writeStream: (sizeBytes, chunks) => bulk.addStream('blob', sizeBytes, chunks),
    };
    using progress = new Progress(this.#repository.context, 'Storing files', paths.length);
    const before = this.#changed;
    const intake = new FileIntake({
      root: workTree.root, format, pool, bulk,
      level: packLevel(config),
      observer: {
        stored: (path, id, stat) => {
          const mode = workTree.modeOfFile(stat.mode, () => this.index.find(path)?.mode);
          this.#set(repoPath(path), mode, id, {
            ...stat, ino: stat.ino % 0x1_0000_0000, dev: stat.dev % 0x1_0000_0000, size: stat.sizeBytes % 0x1_0000_0000,
            ctimeS: stat.ctimeS >>> 0, mtimeS: stat.mtimeS >>> 0,
          });
          progress.update(this.#changed - before);
        },
        // A symbolic link; or it is not what it was when it was found, and is looked at again.
        gone: (path) => this.#addFile(repoPath(path), direct),
      },
    });
    for (const path of paths) {
      workTree.checkPath(path);
      if (workTree.storesAsIs(path)) intake.add(path);
      else this.#addFile(path, direct);
    }
    intake.drain();
  }

  #addFile(path: RepoPath, writer: BlobWriter): void {
    const workTree = this.#workTree;
    const found = workTree.statData(path);
    if (found?.status.isDirectory() && workTree.isNestedRepository(path)) {
      this.#addRepository(path);
      return;
    }
    const former = this.index.find(path)?.mode;
    const mode = found === undefined || found.status.isDirectory() ? undefined : workTree.modeOf(found.status, former);
    if (found === undefined || mode === undefined) {
      this.#remove(path);
      return;
    }
    workTree.checkPath(path, mode);
    this.#set(path, mode, workTree.stageContent(path, mode, writer), found.stat);
  }

  /** A nested repository is recorded as the commit it is at. */
  #addRepository(path: RepoPath): void {
    const workTree = this.#workTree;
    workTree.checkPath(path);
    const found = workTree.statData(path);
    const id = workTree.findNestedHead(path);
    if (id === undefined || found === undefined) {
      throw new InvalidError(`'${pathToUtf8(path)}/' does not have a commit checked out`, {
        code: 'nested-unborn', hint: 'commit there first, or ignore it',
      });
    }
    if (this.index.find(path)?.mode !== gitlinkMode) workTree.warnings.push(`adding embedded repository: ${pathToUtf8(path)}`);
    this.#set(path, gitlinkMode, id, found.stat);
  }

  #set(path: RepoPath, mode: number, id: ObjectId, stat: StatData): void {
    this.index.set(indexEntry({ path, id, mode, stat }));
    this.#changed += 1;
  }

  #remove(path: RepoPath): void {
    if (this.index.remove(path)) this.#changed += 1;
  }
}

/** pack.compression, else core.compression; by default fast. */
function packLevel(config: Repository['config']): number {
  const level = config.getInteger('pack.compression') ?? config.getInteger('core.compression') ?? -1;
  if (level < -1 || level > 9) throw new InvalidError(`bad pack compression level ${level}`, { code: 'bad-config' });
  return level === -1 ? 1 : level;
}

/** Lets a worker hash the pack while this thread waits for the disk. */
function startDigest(pool: WorkerPool, path: string, sizeBytes: number, format: Repository['format']): () => Buffer {
  const number = pool.submit({ kind: 'digest', path, sizeBytes, format });
  return () => {
    const done = pool.take();
    if (done?.number !== number || done.result.kind !== 'digest') throw new Error('a worker answered another question');
    return Buffer.from(done.result.digest);
  };
}
