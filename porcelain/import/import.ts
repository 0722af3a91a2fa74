// A snapshot taken in from a tar, zip, OCI image layout or directory, as one commit, without unpacking it to disk. Specified in cairn-import(1).
//
// Everything is stored in one new pack, which is durable before the branch moves; a run that fails leaves objects nobody refers to at most.
import * as fs from 'node:fs';
import { type Commit, encodeCommit } from '../../pack/commit.js';
import { InvalidError, RefusedError } from '../../pack/errors.js';
import type { ObjectId } from '../../pack/oid.js';
import type { BulkWriter } from '../../pack/pack-writer.js';
import { type RepoPath, pathToUtf8 } from '../../pack/tree.js';
import { authorIdent, committerIdent } from '../../plumbing/identity.js';
import type { Steps } from '../../plumbing/interruption.js';
import { readPathProtection } from '../../plumbing/path-safety.js';
import type { RefName } from '../../plumbing/refs/ref-name.js';
import { RefTransaction } from '../../plumbing/refs/ref-transaction.js';
import type { Repository } from '../../plumbing/repository.js';
import { DirectorySnapshot } from '../archive/directory-snapshot.js';
import { openRegularFile, readPieces } from '../archive/named-file.js';
import { gunzip, isGzip } from './gunzip.js';
import { IncomingFiles } from './incoming-files.js';
import { OciLayout } from './oci-reader.js';
import { Budget, PieceReader } from './piece-reader.js';
import { readTar } from './tar-reader.js';
import { readZip } from './zip-reader.js';

export const importFormats = ['tar', 'zip', 'oci', 'dir'] as const;
export type ImportFormat = (typeof importFormats)[number];

export interface ImportRequest {
  readonly format: ImportFormat;
  /** Absolute; undefined for standard input, which can be a tar only. */
  readonly path: string | undefined;
  readonly input: () => Iterable<Buffer>;
  /** Where the commit goes. */
  readonly branch: RefName;
  /** latin1. */
  readonly message: string;
  readonly strip: number;
  readonly mostBytes: number | undefined;
  readonly allowEmpty: boolean;
}

export interface Imported {
  /** Undefined when nothing changed, and nothing was committed. */
  readonly commit: ObjectId | undefined;
  readonly tree: ObjectId;
  readonly parent: ObjectId | undefined;
  readonly files: number;
  /** Directories with nothing in them, which were left out. */
  readonly empty: readonly RepoPath[];
}

/** Takes it in and moves the branch; ConflictError when that moved meanwhile. */
export function* importSnapshot(repository: Repository, request: ImportRequest): Steps<Imported> {
  const parent = repository.refs.find(request.branch)?.id;
  using writer = repository.objects.bulk();
  const { tree, files, empty } = request.format === 'dir' ? yield* takeDirectory(writer, request) : yield* takeStream(repository, writer, request);
  if (files === 0) throw new InvalidError('there is nothing to import', { code: 'empty-selection' });
  if (parent !== undefined && !request.allowEmpty && repository.objects.readCommit(parent).tree === tree) return { commit: undefined, tree, parent, files, empty };
  const commit: Commit = {
    tree, parents: parent === undefined ? [] : [parent], author: authorIdent(repository), committer: committerIdent(repository), extraHeaders: [],
    message: Buffer.from(request.message, 'latin1'),
  };
  const id = writer.add('commit', encodeCommit(commit));
  writer.finish();
  using transaction = new RefTransaction(repository);
  transaction.add({ name: request.branch, expected: parent ?? 'absent', target: { id }, message: `import: ${request.message.split('\n')[0] ?? ''}` });
  transaction.commit();
  return { commit: id, tree, parent, files, empty };
}

interface Taken {
  readonly tree: ObjectId;
  readonly files: number;
  readonly empty: readonly RepoPath[];
}

function* takeDirectory(writer: BulkWriter, { path, strip }: ImportRequest): Steps<Taken> {
  if (path === undefined || strip > 0) throw new InvalidError('a directory is imported as it is', { code: 'bad-import' });
  const snapshot = new DirectorySnapshot(path);
  const files = yield* snapshot.list();
  yield* snapshot.checkSums(files);
  return { tree: yield* snapshot.storeTree(writer, files), files: files.length, empty: [] };
}

function* takeStream(repository: Repository, writer: BulkWriter, request: ImportRequest): Steps<Taken> {
  const files = new IncomingFiles(writer, { protection: readPathProtection(repository.config), strip: request.strip });
  const budget = new Budget(request.mostBytes);
  if (request.format === 'tar') yield* takeTar(files, request, budget);
  else if (request.path === undefined) throw new InvalidError(`a ${request.format} is not read from standard input`, { code: 'bad-import' });
  else if (request.format === 'zip') yield* takeZip(files, request.path, budget);
  else yield* takeLayers(files, request.path, budget);
  const empty = files.listEmpty();
  return { tree: files.finish(), files: files.count, empty };
}

function* takeTar(files: IncomingFiles, { path, input }: ImportRequest, budget: Budget): Steps<void> {
  const opened = path === undefined ? undefined : openRegularFile(path);
  try {
    const pieces = opened === undefined ? input() : readPieces(opened.fd);
    const [start, all] = peek(budget.reading(pieces));
    const content = isGzip(start) ? budget.making(gunzip(all)) : all;
    for (const incoming of readTar(new PieceReader(content, 'the tar archive'))) {
      files.take(incoming);
      yield;
    }
  } finally {
    if (opened !== undefined) fs.closeSync(opened.fd);
  }
}

/** The first piece, and all of them. */
function peek(pieces: Generator<Uint8Array>): [Buffer, Iterable<Uint8Array>] {
  const first = pieces.next();
  const start = first.done === true ? Buffer.alloc(0) : Buffer.from(first.value);
  return [start, (function* () {
    yield start;
    yield* pieces;
  })()];
}

function* takeZip(files: IncomingFiles, path: string, budget: Budget): Steps<void> {
  const { fd, sizeBytes } = openRegularFile(path);
  try {
    budget.addRead(sizeBytes);
    for (const incoming of readZip(fd, sizeBytes)) {
      files.take(incoming.kind === 'file' ? { ...incoming, content: () => budget.making(incoming.content()) } : incoming);
      yield;
    }
  } finally {
    fs.closeSync(fd);
  }
}

function* takeLayers(files: IncomingFiles, path: string, budget: Budget): Steps<void> {
  using layout = OciLayout.open(path);
  let isFirst = true;
  for (const step of layout.read(budget)) {
    if (step.kind === 'layer' && !isFirst) files.beginLayer();
    isFirst = false;
    if (step.kind === 'add') files.take(step.incoming);
    else if (step.kind !== 'layer') files.remove(step.path);
    yield;
  }
}

/** RefusedError where the branch is checked out: files there would seem to be changed. */
export function checkNotCheckedOut(repository: Repository, branch: RefName): void {
  if (repository.workTree === undefined || repository.refs.resolve('HEAD').name !== branch || repository.refs.find(branch) === undefined) return;
  throw new RefusedError(`branch '${branch.replace(/^refs\/heads\//, '')}' is checked out`, { code: 'branch-checked-out', hint: 'name another with --branch, and merge it' });
}

/** One line for people, without its end. */
export function describeEmpty(empty: readonly RepoPath[]): string {
  const shown = empty.slice(0, 5).map((path) => `'${pathToUtf8(path)}'`).join(', ');
  return `${empty.length === 1 ? 'a directory is' : `${empty.length} directories are`} empty and left out: ${shown}${empty.length > 5 ? ', ...' : ''}`;
}
