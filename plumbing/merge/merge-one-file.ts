// The merge of one path that is unmerged in the index: deletions and additions that do not disagree are done, contents are merged into
// the work tree. Specified by git-merge-one-file(1).
//
// The work-tree file is written before the index, so that a crash leaves a path that is still unmerged.
import { ConflictError } from '../../pack/errors.js';
import type { ObjectId } from '../../pack/oid.js';
import type { RepoPath } from '../../pack/tree.js';
import { type IndexEntry, indexEntry } from '../index/index-file.js';
import { lockIndex } from '../index/index-lock.js';
import type { Repository } from '../repository.js';
import { isBinary } from '../diff/text-diff.js';
import { mergeTexts } from './text-merge.js';
import { WorkTree } from '../index/work-tree.js';

export interface VersionOfFile { readonly mode: number; readonly id: ObjectId }

/** What there is of a path, latin1. */
export interface FileVersions {
  readonly path: string;
  readonly base?: VersionOfFile;
  readonly ours?: VersionOfFile;
  readonly theirs?: VersionOfFile;
}

const isRegular = (version: VersionOfFile | undefined): boolean => version === undefined || (version.mode & 0o170000) === 0o100000;

/** Merges, and updates index and work tree; returns 0, or 1 when the sides disagree (said on standard error). */
export function mergeOneFile(repository: Repository, versions: FileVersions): number {
  const { path, base, ours, theirs } = versions;
  const { stdout, stderr } = repository.context;
  const shown = Buffer.from(path, 'latin1').toString();
  const fail = (message: string): number => {
    stderr.write(`ERROR: ${message}\n`);
    return 1;
  };
  const same = (one: VersionOfFile | undefined, two: VersionOfFile | undefined): boolean => one?.id === two?.id;
  if (base !== undefined && ((ours === undefined && (theirs === undefined || same(base, theirs))) || (theirs === undefined && same(base, ours)))) {
    // What is gone on both sides counts as changed, too: that is left to whoever looks at the conflict.
    if (base.mode !== (ours ?? theirs)?.mode) return fail(`File ${shown} deleted on one branch but had its permissions changed on the other`);
    if (ours !== undefined) stdout.write(`Removing ${shown}\n`);
    return removePath(repository, path, ours !== undefined);
  }
  if (base === undefined && ours !== undefined && theirs === undefined) return putEntry(repository, path, ours, false);
  if (base === undefined && ours === undefined && theirs !== undefined) {
    stdout.write(`Adding ${shown}\n`);
    if (new WorkTree(repository).findOwnStatus(path) !== undefined) return fail(`untracked ${shown} is overwritten by the merge.`);
    return putEntry(repository, path, theirs, true);
  }
  if (base === undefined && ours !== undefined && theirs !== undefined && same(ours, theirs)) {
    if (ours.mode !== theirs.mode) return fail(`File ${shown} added identically in both branches, but permissions conflict ${ours.mode.toString(8)}->${theirs.mode.toString(8)}.`);
    stdout.write(`Adding ${shown}\n`);
    return putEntry(repository, path, ours, true);
  }
  if (ours !== undefined && theirs !== undefined) return mergeContents(repository, path, shown, base, ours, theirs, fail);
  return fail(`${shown}: Not handling case ${base?.id ?? ''} -> ${ours?.id ?? ''} -> ${theirs?.id ?? ''}`);
}

function mergeContents(
  repository: Repository, path: string, shown: string, base: VersionOfFile | undefined, ours: VersionOfFile, theirs: VersionOfFile, fail: (message: string) => number,
): number {
  const { stdout } = repository.context;
  const types = [ours, theirs].map(({ mode }) => mode & 0o170000);
  if (types.includes(0o120000)) return fail(`${shown}: Not merging symbolic link changes.`);
  if (types.includes(0o160000)) return fail(`${shown}: Not merging conflicting submodule changes.`);
  if (!isRegular(ours) || !isRegular(theirs)) return fail(`${shown}: unknown kind of file`);
  stdout.write(base === undefined ? `Added ${shown} in both, but differently.\n` : `Auto-merging ${shown}\n`);
  const read = (version: VersionOfFile | undefined): Buffer => (version === undefined ? Buffer.alloc(0) : repository.objects.read(version.id).bytes);
  const contents = [read(base), read(ours), read(theirs)] as const;
  let reason: string | undefined;
  let bytes = contents[1];
  if (contents.some(isBinary)) reason = 'content conflict';
  else {
    const merged = mergeTexts(...contents, { joinsPunctuation: true, labels: { ours: '.merge_file_ours', base: '.merge_file_base', theirs: '.merge_file_theirs' } });
    bytes = merged.bytes;
    if (merged.conflicts > 0 || base === undefined) reason = 'content conflict';
  }
  if (ours.mode !== theirs.mode) {
    const modes = `${base?.mode.toString(8) ?? ''}->${ours.mode.toString(8)},${theirs.mode.toString(8)}`;
    reason = `${reason === undefined ? '' : `${reason}, `}permissions conflict: ${modes}`;
  }
  if (reason === undefined) return putEntry(repository, path, { mode: ours.mode, id: repository.objects.write('blob', bytes) }, true);
  const workTree = new WorkTree(repository);
  workTree.checkout(indexEntry({ path: path as RepoPath, id: ours.id, mode: ours.mode }), { force: true });
  workTree.rewrite(path, bytes);
  return fail(`${reason} in ${shown}`);
}

/** Makes the path merged, and its file what it says. */
function putEntry(repository: Repository, path: string, version: VersionOfFile, writesFile: boolean): number {
  using lock = lockIndex(repository);
  let entry: IndexEntry = indexEntry({ path: path as RepoPath, id: version.id, mode: version.mode });
  if (writesFile) {
    const stat = new WorkTree(repository, lock.index).checkout(entry, { force: true });
    if (stat === false) throw new ConflictError(`'${path}' is in the way`, { code: 'file-in-the-way' });
    entry = { ...entry, stat };
  }
  lock.index.remove(path);
  lock.index.set(entry);
  lock.write();
  return 0;
}

function removePath(repository: Repository, path: string, wasOurs: boolean): number {
  using lock = lockIndex(repository);
  const workTree = new WorkTree(repository, lock.index);
  const status = workTree.findOwnStatus(path);
  if (wasOurs && status !== undefined && !status.isDirectory()) workTree.remove(path);
  lock.index.remove(path);
  lock.write();
  return 0;
}
