// Making an archive: what goes in, the bytes under a private name, the proof that they can be read back, and only then the name.
// Specified in cairn-archive(5); what exists after which failure is in archive.test.ts as one table.
//
// Invariant: an archive that was published was read back from the disk and compared, unless that was declined. A run that fails leaves what
// was there before, and nothing of its own.
import * as fs from 'node:fs';
import { resolve, sep } from 'node:path';
import { type Commit, encodeCommit } from '../../pack/commit.js';
import { CorruptError, InvalidError, NotFoundError } from '../../pack/errors.js';
import { type ObjectFormat, type ObjectId, digest } from '../../pack/oid.js';
import { PackCaches } from '../../pack/pack-reader.js';
import { PackWriter } from '../../pack/pack-writer.js';
import { type RepoPath, type TreeEntry, encodeTree, isTreeMode, pathFromUtf8, pathToUtf8 } from '../../pack/tree.js';
import type { Context } from '../../plumbing/command.js';
import { shallowFile } from '../../plumbing/history/grafts.js';
import { resolveCommit } from '../../plumbing/history/revision.js';
import { RevWalk } from '../../plumbing/history/walk.js';
import type { Steps } from '../../plumbing/interruption.js';
import { checkPath, fullProtection } from '../../plumbing/path-safety.js';
import type { RefName } from '../../plumbing/refs/ref-name.js';
import { Repository } from '../../plumbing/repository.js';
import { appendTrailers } from '../../plumbing/trailers.js';
import { listTreeFiles } from '../tree-listing.js';
import { type Contents, checkComplete, findHeads, findPrerequisites, findTip, listContents } from './archive-contents.js';
import { writeBundle } from './bundle-file.js';
import { describeTree } from './checksums.js';
import { DirectorySnapshot, type FoundFile } from './directory-snapshot.js';
import { Publication, mismatchPath } from './publication.js';
import { Scratch } from './scratch.js';
import { testArchive } from './self-test.js';
import { type ArchiveOptions, type Sidecar, encodeSidecar } from './sidecar.js';
import { signSidecar } from './sidecar-signature.js';

export interface CreationRequest {
  /** Absolute; where the archive will be. */
  readonly path: string;
  readonly options: ArchiveOptions;
  /** Absolute; the directory to archive instead of a repository. */
  readonly input: string | undefined;
  /** Of the ids of a directory's archive. */
  readonly inputFormat: ObjectFormat;
  /** Seconds since 1970. */
  readonly epoch: number | undefined;
  readonly selfTests: boolean;
  readonly scratchRoot: string;
  readonly force: boolean;
  /** The key to sign with, '' for the configured one; undefined leaves the archive unsigned. */
  readonly signingKey?: string | undefined;
  /** Of this program. */
  readonly version: string;
}

export interface CreationObserver {
  /** How many objects of all are done. */
  update(phase: 'listing' | 'compressing' | 'writing' | 'verifying', done: number, total?: number): void;
  warn(text: string): void;
}

/** Where the objects are, which of them, and what the sidecar says of their origin. */
interface Source {
  readonly repository: Repository;
  readonly contents: Contents;
  readonly repositoryId: string | undefined;
  readonly scopes: readonly string[];
  readonly commit: ObjectId | undefined;
  /** The directory, to be compared with what was archived of it. */
  readonly directory: { readonly snapshot: DirectorySnapshot; readonly files: readonly FoundFile[] } | undefined;
}

/** Makes the archive and its sidecar; CorruptError 'archive-mismatch' when what was read back differs. */
export function* createArchive(context: Context, request: CreationRequest, observer: CreationObserver): Steps<Sidecar> {
  using publication = Publication.prepare(request.path, { force: request.force });
  const directory = request.input === undefined ? undefined : yield* lookAt(request.input, request);
  using scratch = Scratch.make(request.scratchRoot);
  const source = directory === undefined ? yield* fromRepository(context, request, scratch, observer) : yield* fromDirectory(context, request, scratch, directory);
  const { contents, repository } = source;
  const epoch = chooseEpoch(request.epoch, contents.newestSeconds);
  const tip = findTip(repository.objects, contents.heads);
  const checksums = !request.options.checksums || tip === undefined ? undefined
    : Buffer.from(yield* describeTree(repository.objects, repository.objects.readCommit(tip).tree), 'latin1');
  const { path, result: written } = yield* publication.write((append) => writeBundle(repository, contents, append, (phase, done, total) => { observer.update(phase, done, total); }));
  const sidecar: Sidecar = {
    archive: written, cairn: request.version, checksums: checksums && { sha256: digest(checksums, 'sha256').toString('hex'), sizeBytes: checksums.length }, counts: contents.counts,
    epoch, format: repository.format, heads: contents.heads, options: request.options, prerequisites: contents.prerequisites,
    repository: source.repositoryId, scopes: source.scopes, selfTest: { ran: request.selfTests, matched: request.selfTests }, source: source.commit,
    writtenAtMs: context.clock.nowMs(),
  };
  if (request.selfTests) yield* prove(context, { publication, path, sidecar, source, scratch, observer });
  const encoded = encodeSidecar(sidecar);
  const signature = request.signingKey === undefined ? undefined : signSidecar(context, encoded, request.signingKey);
  for (const left of publication.publish(path, { sidecar: encoded, checksums, signature })) observer.warn(`'${left}' is a former file that could not be removed`);
  return sidecar;
}

interface Proof {
  readonly publication: Publication;
  readonly path: string;
  readonly sidecar: Sidecar;
  readonly source: Source;
  readonly scratch: Scratch;
  readonly observer: CreationObserver;
}

/** Throws unless what is under the private name is what it should be. */
function* prove(context: Context, { publication, path, sidecar, source, scratch, observer }: Proof): Steps<void> {
  const { contents, repository } = source;
  const borrowed = contents.prerequisites.length === 0 ? [] : [repository.objectsDirectory, ...repository.objects.alternates];
  const total = contents.list.count;
  const tested = yield* testArchive({ context, path, sidecar, contents, scratch, borrowed, onProgress: (done) => { observer.update('verifying', done, total); } });
  const differences = [...tested.differences];
  if (source.directory !== undefined && tested.repository !== undefined && differences.length === 0) {
    const { objects } = tested.repository;
    const tree = objects.readCommit(contents.heads[0]!.id).tree;
    differences.push(...yield* source.directory.snapshot.compare(tested.repository, listTreeFiles(objects, tree, fullProtection)));
  }
  if (differences.length === 0) return;
  publication.publishDifferences(differences, encodeSidecar({ ...sidecar, archive: undefined, checksums: undefined, selfTest: { ran: true, matched: false } }));
  throw new CorruptError(`the archive read back differs from what went into it: ${differences[0]!}${differences.length > 1 ? `, and ${differences.length - 1} more` : ''}`, {
    code: 'archive-mismatch', hint: `see '${mismatchPath(publication.path)}'; nothing was published`,
  });
}

/** `asked` may only raise what the contents say. */
function chooseEpoch(asked: number | undefined, newestSeconds: number): Sidecar['epoch'] {
  if (asked !== undefined && asked < newestSeconds) {
    throw new CorruptError(`the epoch ${asked} is older than the youngest commit, which is of ${newestSeconds}`, { code: 'epoch-too-low', hint: 'an epoch may only be raised' });
  }
  return { seconds: asked ?? newestSeconds, isOverridden: asked !== undefined };
}

/** Looks at a directory before anything is made. */
function* lookAt(input: string, { path, scratchRoot }: CreationRequest): Steps<NonNullable<Source['directory']>> {
  const snapshot = new DirectorySnapshot(input);
  const real = fs.realpathSync(input);
  for (const [what, other] of [['the archive', resolve(path, '..')], ['the scratch directory', scratchRoot]] as const) {
    const place = fs.existsSync(other) ? fs.realpathSync(other) : other;
    if (place === real || place.startsWith(real.endsWith(sep) ? real : real + sep)) {
      throw new InvalidError(`${what} would be inside '${input}'`, { code: 'output-in-input', hint: 'put it elsewhere' });
    }
  }
  const files = yield* snapshot.list();
  yield* snapshot.checkSums(files);
  return { snapshot, files };
}

function* fromDirectory(context: Context, request: CreationRequest, scratch: Scratch, directory: NonNullable<Source['directory']>): Steps<Source> {
  const repository = scratch.makeRepository(context, 'directory', request.inputFormat);
  const id = yield* directory.snapshot.store(repository, directory.files, request.epoch ?? 0);
  const contents = yield* listContents(repository, { heads: singleHeads(id), prerequisites: [] });
  return { repository, contents, repositoryId: undefined, scopes: ['directory'], commit: undefined, directory };
}

function singleHeads(id: ObjectId): Contents['heads'] {
  return [{ name: 'HEAD' as RefName, id }, { name: 'refs/heads/main' as RefName, id }];
}

function* fromRepository(context: Context, { options }: CreationRequest, scratch: Scratch, observer: CreationObserver): Steps<Source> {
  const repository = Repository.open({ ...context, env: { ...context.env, GIT_NO_REPLACE_OBJECTS: '1' } });
  repository.useCaches(smallCaches());
  checkComplete(repository, fs.existsSync(shallowFile(repository)));
  const wanted = { all: options.all, revisions: options.all || options.revisions.length > 0 ? options.revisions : ['HEAD'] };
  if (!wanted.all && options.revisions.length === 0 && repository.refs.find('HEAD') === undefined) {
    throw new InvalidError('there is nothing to archive: HEAD has no commit', { code: 'empty-selection' });
  }
  const repositoryId = findRepositoryId(repository);
  if (options.paths.length > 0) return yield* fromSubtrees(context, repository, repositoryId, wanted.revisions, options.paths, scratch);
  const heads = findHeads(repository, wanted);
  const prerequisites = findPrerequisites(repository, heads, options.since.map((text) => resolveCommit(repository, text)));
  const contents = yield* listContents(repository, { heads, prerequisites }, (done) => { observer.update('listing', done); });
  return { repository, contents, repositoryId, scopes: prerequisites.length > 0 ? ['since'] : ['history'], commit: undefined, directory: undefined };
}

/** Everything is read once, in an order of its own. */
function smallCaches(): PackCaches {
  return new PackCaches(16 * 1024 * 1024, 24 * 1024 * 1024);
}

/** cairn.repositoryId, else the first of HEAD's first parents; undefined where HEAD has no commit. */
export function findRepositoryId(repository: Repository): string | undefined {
  const configured = repository.config.get('cairn.repositoryid');
  if (configured !== undefined && configured !== '') return configured;
  const head = repository.refs.find('HEAD')?.id;
  let root: ObjectId | undefined;
  if (head !== undefined) for (const { id } of new RevWalk(repository, [{ id: head }], { firstParent: true, keepsTrueParents: true })) root = id;
  return root;
}

/** One commit without parents that has some subtrees of another. */
function* fromSubtrees(context: Context, from: Repository, repositoryId: string | undefined, revisions: readonly string[], typed: readonly string[], scratch: Scratch): Steps<Source> {
  const source = resolveCommit(from, revisions[0]!);
  const repository = scratch.makeRepository(context, 'subtrees', from.format, [from.objectsDirectory, ...from.objects.alternates]);
  const paths = [...new Set(typed.map((text) => subtreePath(text)))];
  const original = from.objects.readCommit(source);
  const cut = new SubtreeCut(from, paths);
  using writer = new PackWriter(`${repository.objectsDirectory}/pack`, from.format, { level: 0 });
  const tree = cut.write(original.tree, '', writer);
  cut.requireAll();
  yield;
  const message = Buffer.from(appendTrailers(original.message.toString('latin1'), [{ key: 'Archived-From', value: source }]), 'latin1');
  const commit: Commit = { ...original, tree, parents: [], extraHeaders: original.extraHeaders.filter(({ key }) => key === 'encoding'), message };
  const id = writer.add('commit', encodeCommit(commit));
  writer.finish();
  repository.objects.refresh();
  const contents = yield* listContents(repository, { heads: singleHeads(id), prerequisites: [] });
  return { repository, contents, repositoryId, scopes: paths.map((path) => `subtree:${pathToUtf8(path)}`), commit: source, directory: undefined };
}

function subtreePath(text: string): RepoPath {
  const path = pathFromUtf8(text.replace(/\/+$/, ''));
  checkPath(path, fullProtection);
  return path;
}

/** A tree with only what some paths name, written from below. */
class SubtreeCut {
  readonly #repository: Repository;
  readonly #paths: readonly RepoPath[];
  readonly #found = new Set<string>();

  constructor(repository: Repository, paths: readonly RepoPath[]) {
    this.#repository = repository;
    this.#paths = paths;
  }

  write(tree: ObjectId, prefix: string, writer: PackWriter): ObjectId {
    const kept: TreeEntry[] = [];
    for (const entry of this.#repository.objects.readTree(tree)) {
      const path = prefix + entry.name;
      if (this.#paths.some((one) => one === path || path.startsWith(`${one}/`))) {
        this.#found.add(path);
        kept.push(entry);
      } else if (isTreeMode(entry.mode) && this.#paths.some((one) => one.startsWith(`${path}/`))) {
        const below = this.write(entry.id, `${path}/`, writer);
        if (this.#paths.some((one) => this.#found.has(one) && one.startsWith(`${path}/`))) kept.push({ ...entry, id: below });
      }
    }
    return writer.add('tree', encodeTree(kept, this.#repository.format));
  }

  requireAll(): void {
    for (const path of this.#paths) {
      if (this.#found.has(path) || this.#paths.some((one) => path.startsWith(`${one}/`))) continue;
      throw new NotFoundError(`path '${pathToUtf8(path)}' is not in the snapshot`, { code: 'no-such-path' });
    }
  }
}
