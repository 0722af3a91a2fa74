// Getting back what was archived: verified first, made whole in a private directory beside its destination, which then appears at once.
//
// Invariant: the destination is not there, or is complete and durable. An archive that builds on others is restored with these, oldest first;
// what it needs must be in them. If the power fails: a private directory '<destination>.tmp-<hex>' may remain.
import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import { disk, syncTogether, temporaryName } from '../../pack/disk.js';
import { CorruptError, InvalidError, NotFoundError, RefusedError } from '../../pack/errors.js';
import type { ObjectId } from '../../pack/oid.js';
import { PackIntake } from '../../pack/pack-intake.js';
import { gitlinkMode, symlinkMode } from '../../pack/tree.js';
import type { Context } from '../../plumbing/command.js';
import { lockIndex } from '../../plumbing/index/index-lock.js';
import type { Steps } from '../../plumbing/interruption.js';
import { fullProtection } from '../../plumbing/path-safety.js';
import type { RefName } from '../../plumbing/refs/ref-name.js';
import { RefTransaction } from '../../plumbing/refs/ref-transaction.js';
import { Repository, repositoryVariables } from '../../plumbing/repository.js';
import { BundleReader } from '../../plumbing/wire/bundle.js';
import { pathBelow } from '../file-writer.js';
import { buildDirectory } from '../release-directory.js';
import { moveTrees } from '../switching.js';
import { directoriesOf, listTreeFiles } from '../tree-listing.js';
import { findTip, listContents } from './archive-contents.js';
import { keptBytes } from './bundle-file.js';
import type { ArchiveHead, Sidecar } from './sidecar.js';
import { requireSignature } from './sidecar-signature.js';
import { type Verified, verifyArchive } from './verification.js';

/** What is made: a repository with its files, one without, or the files alone. */
export type RestoredForm = 'repository' | 'bare' | 'files';

export interface RestorationRequest {
  /** Absolute; earlier archives first, the one that is meant last. */
  readonly archives: readonly string[];
  /** Absolute. */
  readonly destination: string;
  readonly form: RestoredForm | undefined;
  /** The repository it must be from. */
  readonly expectedId: string | undefined;
  /** Each archive must have a good signature. */
  readonly requiresSignature: boolean;
}

export interface Restored {
  readonly sidecar: Sidecar;
  readonly form: RestoredForm;
  readonly tip: ObjectId | undefined;
}

/** Restores; CorruptError when an archive is damaged, RefusedError when it must not, NotFoundError when it builds on what is not there. */
export function* restoreArchive(context: Context, request: RestorationRequest, onProgress?: (done: number, total: number) => void): Steps<Restored> {
  const { archives, destination, expectedId, requiresSignature } = request;
  checkDestination(destination);
  const verified: Verified[] = [];
  for (const path of archives) {
    const one = yield* verifyArchive(path, onProgress);
    if (requiresSignature) requireSignature(context, path, one);
    checkId(path, one.sidecar, expectedId);
    if (one.sidecar.format !== (verified[0] ?? one).sidecar.format) throw new InvalidError(`'${path}' has ids of another format than the archive before it`, { code: 'format-mismatch' });
    verified.push(one);
  }
  const { sidecar } = verified.at(-1)!;
  const form = request.form ?? (sidecar.options.input ? 'files' : 'repository');
  const stage = temporaryName(dirname(destination), `${destination.slice(destination.lastIndexOf('/') + 1)}.tmp-`);
  disk().mkdir(stage, 0o700);
  try {
    const repository = makeRepository(context, join(stage, 'repository'), sidecar, form !== 'repository');
    for (const [at, path] of archives.entries()) yield* receive(repository, path, verified[at]!.sidecar);
    repository.objects.refresh();
    yield* listContents(repository, { heads: sidecar.heads, prerequisites: [] });
    const tip = findTip(repository.objects, sidecar.heads);
    yield;
    const result = form === 'files' ? restoreFiles(repository, stage, tip) : restoreRepository(repository, sidecar.heads, tip);
    checkDestination(destination);
    disk().rename(result, destination);
    disk().fsyncDirectory(dirname(destination));
    return { sidecar, form, tip };
  } finally {
    disk().removeTree(stage);
  }
}

/** Nothing, or an empty directory; its parent must be there. */
function checkDestination(path: string): void {
  if (fs.statSync(dirname(path), { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new NotFoundError(`'${dirname(path)}' is not a directory`, { code: 'no-such-directory' });
  }
  const status = fs.lstatSync(path, { throwIfNoEntry: false });
  if (status === undefined || (status.isDirectory() && fs.readdirSync(path).length === 0)) return;
  throw new RefusedError(`'${path}' is there already and not an empty directory`, { code: 'destination-taken', hint: 'name another directory' });
}

function checkId(path: string, { repository }: Sidecar, expected: string | undefined): void {
  if (expected === undefined || repository === expected) return;
  throw new RefusedError(`'${path}' is of ${repository === undefined ? 'no repository' : `the repository '${repository}'`}, not of '${expected}'`, { code: 'wrong-repository' });
}

function makeRepository(context: Context, directory: string, { format }: Sidecar, bare: boolean): Repository {
  const env = Object.fromEntries(Object.entries(context.env).filter(([name]) => !repositoryVariables.has(name)));
  return Repository.init({ ...context, env, cwd: dirname(directory) }, { directory, objectFormat: format, bare, initialBranch: 'main' }).repository;
}

/** Takes the objects of one archive in, given that what they build on is there. */
function* receive(repository: Repository, path: string, { prerequisites }: Sidecar): Steps<void> {
  repository.objects.refresh();
  const missing = prerequisites.filter((id) => repository.objects.findHeader(id)?.type !== 'commit');
  if (missing.length > 0) {
    throw new NotFoundError(`'${path}' builds on commit '${missing[0]!}', which is not there${missing.length > 1 ? `, and on ${missing.length - 1} more` : ''}`, {
      code: 'missing-prerequisites', hint: 'name the archives it builds on with --base, oldest first',
    });
  }
  using bundle = BundleReader.open(path);
  const directory = join(repository.objectsDirectory, 'pack');
  using intake = yield* PackIntake.receiving(bundle.packPieces(), directory, repository.format, { isUntrusted: true, keptBytes });
  if (intake.rest.length > 0) throw new CorruptError(`something follows the pack in '${path}'`, { code: 'bad-archive' });
  intake.place({ base: join(directory, `pack-${intake.checksum.toString('hex')}`) });
}

/** Where the files are. */
function restoreFiles(repository: Repository, stage: string, tip: ObjectId | undefined): string {
  if (tip === undefined) throw new InvalidError('the archive has no commit whose files could be restored', { code: 'no-tip' });
  const { objects } = repository;
  buildDirectory(objects, listTreeFiles(objects, objects.readCommit(tip).tree, fullProtection), stage, { staging: 'building', directory: 'files' });
  return join(stage, 'files');
}

/** Sets the refs and, where there is a work tree, fills it. */
function restoreRepository(repository: Repository, heads: readonly ArchiveHead[], tip: ObjectId | undefined): string {
  const branch = headBranch(heads);
  using transaction = new RefTransaction(repository);
  for (const { name, id } of heads) if (name !== 'HEAD') transaction.add({ name, expected: 'absent', target: { id }, message: 'archive: restored' });
  const head = heads.find(({ name }) => name === 'HEAD');
  if (branch !== undefined) transaction.add({ name: 'HEAD', target: { symbolic: branch }, noDeref: true });
  else if (head !== undefined) transaction.add({ name: 'HEAD', target: { id: head.id }, noDeref: true });
  transaction.commit();
  if (repository.workTree === undefined) return repository.gitDirectory;
  if (tip !== undefined && head !== undefined) checkOut(repository, tip);
  return repository.workTree;
}

/** The branch a clone would be on. */
function headBranch(heads: readonly ArchiveHead[]): RefName | undefined {
  const head = heads.find(({ name }) => name === 'HEAD');
  const branches = heads.filter(({ name, id }) => name.startsWith('refs/heads/') && (head === undefined || id === head.id)).map(({ name }) => name);
  return branches.find((name) => name === 'refs/heads/main') ?? branches.find((name) => name === 'refs/heads/master') ?? branches[0];
}

function checkOut(repository: Repository, tip: ObjectId): void {
  const { objects } = repository;
  const { tree } = objects.readCommit(tip);
  using lock = lockIndex(repository);
  moveTrees(repository, lock, undefined, tree, 'discard', 'restore');
  lock.write();
  const files = listTreeFiles(objects, tree, fullProtection);
  const place = pathBelow(repository.workTree!);
  const written = files.filter(({ mode }) => mode !== symlinkMode && mode !== gitlinkMode).map(({ path }) => place(path));
  syncTogether(repository.workTree!, written, [repository.workTree!, ...directoriesOf(files).map(place)]);
}
