// Setting local changes aside, and bringing them back: the entries of refs/stash and its reflog, as git has them (git-stash(1), "DISCUSSION").
//
// An entry is a commit of the work tree with up to three parents: HEAD, a commit of the index, and one of untracked files. Entries are
// numbered by the reflog, newest first. What is set aside is stored and named before anything is taken out of the work tree, so
// whoever dies on the way loses nothing; an entry goes only after it was applied without conflict.
import { NotFoundError, InvalidError, RefusedError } from '../pack/errors.js';
import type { Ident } from '../pack/ident.js';
import { type ObjectId, emptyTreeId } from '../pack/oid.js';
import { pathToUtf8, type RepoPath } from '../pack/tree.js';
import { diffTreeToWorkTree } from '../plumbing/diff/diff-index.js';
import { type DiffEntry, diffTrees } from '../plumbing/diff/diff.js';
import { findRevision } from '../plumbing/history/revision.js';
import { authorIdent, committerIdent } from '../plumbing/identity.js';
import { IgnoreRules } from '../plumbing/ignore.js';
import { writeTreeFromIndex } from '../plumbing/index/cache-tree.js';
import { Index, indexEntry } from '../plumbing/index/index-file.js';
import { lockIndex } from '../plumbing/index/index-lock.js';
import { listStagedChanges } from '../plumbing/index/staged-changes.js';
import { planTreeMerge } from '../plumbing/index/tree-merge.js';
import { applyRefresh, scanWorkTree } from '../plumbing/index/work-status.js';
import { WorkTree } from '../plumbing/index/work-tree.js';
import { mergeTrees } from '../plumbing/merge/merge.js';
import { subjectOf } from '../plumbing/message.js';
import { readPathProtection } from '../plumbing/path-safety.js';
import { Pathspec, pathspecContext } from '../plumbing/pathspec.js';
import { holdLease, whileNaming } from '../plumbing/refs/announcement.js';
import type { RefName } from '../plumbing/refs/ref-name.js';
import { expireReflog, findReflogNumber } from '../plumbing/refs/reflog-expiry.js';
import { readReflog } from '../plumbing/refs/reflog.js';
import { updateRef } from '../plumbing/refs/ref-transaction.js';
import type { Repository } from '../plumbing/repository.js';
import { applyClean, planClean } from './cleaning.js';
import { storeCommit } from './commit-object.js';
import { takeOutOfFiles } from './hunks/file-content.js';
import { restorePaths } from './restoring.js';
import { Snapshot } from './snapshot.js';
import { noteReset, resetTo } from './switching.js';
import { takeMerge, tellMerge } from './three-way.js';

/** Where entries are. */
export const stashRef = 'refs/stash' as RefName;

export interface StashRequest {
  /** latin1; empty: made from the branch and its last commit. */
  readonly message: string;
  readonly untracked: 'no' | 'untracked' | 'all';
  /** Only what is in the index. */
  readonly stagedOnly: boolean;
  /** As typed. */
  readonly paths: readonly string[];
  /** Puts what is to be set aside into an index that holds the tree of HEAD; for who chooses. */
  readonly choose?: (index: Index, headTree: ObjectId) => void;
}

/** An entry, taken apart. */
export interface StashEntry {
  /** As it is named in messages. */
  readonly name: string;
  readonly id: ObjectId;
  readonly baseTree: ObjectId;
  readonly base: ObjectId;
  readonly workTree: ObjectId;
  readonly indexTree: ObjectId;
  readonly untrackedTree: ObjectId | undefined;
  /** It is one of refs/stash, and can be dropped. */
  readonly isListed: boolean;
}

/** The entry of that name or number, the newest without one. NotFoundError 'no-stash' when there are none, InvalidError when it is something else. */
export function readEntry(repository: Repository, typed: string | undefined): StashEntry {
  const { refs, objects } = repository;
  if (typed === undefined && refs.find(stashRef) === undefined) throw new NotFoundError('no stash entries found', { code: 'no-stash' });
  const name = typed === undefined ? `${stashRef}@{0}` : /^[0-9]+$/.test(typed) ? `${stashRef}@{${typed}}` : typed;
  const id = findRevision(repository, name);
  if (id === undefined) throw new NotFoundError(`${name} is not a valid reference`, { code: 'no-stash-entry' });
  const find = (suffix: string): ObjectId | undefined => findRevision(repository, `${name}${suffix}`);
  const [base, baseTree, workTree, indexTree] = [find('^1'), find('^1:'), find(':'), find('^2:')];
  if (base === undefined || baseTree === undefined || workTree === undefined || indexTree === undefined || objects.readHeader(id).type !== 'commit') {
    throw new InvalidError(`'${name}' is not a stash-like commit`, { code: 'not-stash-like' });
  }
  const isListed = refs.expand(name.split('@', 1)[0]!) === stashRef;
  return { name, id, base, baseTree, workTree, indexTree, untrackedTree: find('^3:'), isListed };
}

/** The entry, which must be one of refs/stash. */
export function readListedEntry(repository: Repository, typed: string | undefined): StashEntry {
  const entry = readEntry(repository, typed);
  if (!entry.isListed) throw new InvalidError(`'${entry.name}' is not a stash reference`, { code: 'not-a-stash' });
  return entry;
}

// ---- making

/** A new entry, stored and not yet named; `message` is the one it is listed with. */
export interface MadeEntry {
  readonly id: ObjectId;
  readonly message: string;
  readonly indexTree: ObjectId;
  readonly workTree: ObjectId;
  readonly untracked: readonly RepoPath[];
}

/** Who made an entry, also where nobody said who they are. */
function whoever(repository: Repository): { readonly author: Ident; readonly committer: Ident } {
  const { config, context } = repository;
  const fallback = { ...context, env: { GIT_AUTHOR_NAME: 'git', GIT_AUTHOR_EMAIL: 'git@stash', GIT_COMMITTER_NAME: 'git', GIT_COMMITTER_EMAIL: 'git@stash', ...context.env } };
  const known = (): { author: Ident; committer: Ident } => ({ author: authorIdent(repository), committer: committerIdent(repository) });
  try {
    return known();
  } catch (error) {
    if (!(error instanceof NotFoundError) || error.code !== 'no-identity') throw error;
    return { author: authorIdent({ config, context: fallback }), committer: committerIdent({ config, context: fallback }) };
  }
}

/** Brings the stat data of the index up to date, and returns the index. */
function refreshedIndex(repository: Repository): Index {
  using lock = lockIndex(repository);
  const scan = scanWorkTree(new WorkTree(repository, lock.index), lock.index);
  if (applyRefresh(lock.index, scan)) lock.write();
  return lock.index;
}

/** Stores what would be set aside; undefined when there is nothing. RefusedError without a commit to come back to, or with unmerged paths. */
export function makeEntry(repository: Repository, request: StashRequest): MadeEntry | undefined {
  const { refs, objects } = repository;
  const pathspec = Pathspec.parse(request.paths, pathspecContext(repository));
  const index = refreshedIndex(repository);
  if (request.untracked === 'no') requireMatches(index, pathspec);
  const head = refs.find('HEAD')?.id;
  if (head === undefined) throw new RefusedError('there is no commit yet to come back to', { code: 'no-head' });
  const commit = objects.readCommit(head);
  const untracked = request.untracked === 'no' ? [] : listUntracked(repository, index, pathspec, request.untracked === 'all');
  const limit = pathspec.isEmpty ? {} : { pathspec };
  const staged = listStagedChanges(objects, commit.tree, index, limit);
  const changed = diffTreeToWorkTree(repository, commit.tree, index, { ...limit, byAppearance: true }).entries;
  if (staged.length === 0 && untracked.length === 0 && !hasChanges(repository, index, pathspec)) return undefined;
  requireMerged(repository, index, request.choose !== undefined);
  if (request.stagedOnly && staged.length === 0) throw new RefusedError('no staged changes', { code: 'nothing-staged' });
  const who = whoever(repository);
  const branch = refs.headBranch()?.replace(/^refs\/heads\//, '');
  const place = branch === undefined ? '(no branch)' : Buffer.from(branch).toString('latin1');
  const at = `${place}: ${objects.abbreviate(head, 7)} ${subjectOf(commit.message.toString('latin1'))}`;
  const protection = readPathProtection(repository.config);
  const indexTree = writeTreeFromIndex(index, objects, { protection });
  const indexCommit = storeCommit(repository, { ...who, tree: indexTree, parents: [head], message: `index on ${at}\n` });
  const others = request.untracked === 'no' ? [] : [
    storeCommit(repository, { ...who, tree: treeOfFiles(repository, untracked), parents: [], message: `untracked files on ${at}\n` }),
  ];
  const workTree = request.choose !== undefined ? chosenTree(repository, commit.tree, request.choose) : request.stagedOnly ? indexTree : treeOfWork(repository, index, changed);
  const message = request.message === '' ? `WIP on ${at}` : `On ${place}: ${request.message}`;
  const id = storeCommit(repository, { ...who, tree: workTree, parents: [head, indexCommit, ...others], message });
  return { id, message, indexTree, workTree, untracked };
}

/** What was chosen, as a tree; RefusedError when nothing was. */
function chosenTree(repository: Repository, headTree: ObjectId, choose: NonNullable<StashRequest['choose']>): ObjectId {
  const { objects, format } = repository;
  const index = new Index(format);
  for (const { path, new: { id, mode } } of diffTrees(objects, undefined, headTree, { recursive: true })) index.set(indexEntry({ path, id, mode }));
  choose(index, headTree);
  const tree = writeTreeFromIndex(index, objects, { protection: readPathProtection(repository.config) });
  if (tree === headTree) throw new RefusedError('no changes selected', { code: 'nothing-chosen' });
  return tree;
}

function requireMatches(index: Index, pathspec: Pathspec): void {
  for (let at = 0; at < index.count; at += 1) pathspec.matches(index.pathAt(at));
  const [unmatched] = pathspec.listUnmatched();
  if (unmatched !== undefined) throw new NotFoundError(`pathspec '${unmatched}' did not match any file(s) known to cairn`, { code: 'no-match' });
}

/** Unmerged paths are listed as git lists them; files that are only going to be added cannot be stored. */
function requireMerged({ context }: Repository, index: Index, allowsIntended: boolean): void {
  const unmerged = new Set(index.entries.filter(({ stage }) => stage !== 0).map(({ path }) => path));
  for (const path of unmerged) context.stdout.write(Buffer.from(`${path}: needs merge\n`, 'latin1'));
  if (unmerged.size > 0) throw new RefusedError('cannot save the current index state', { code: 'unmerged-index', hint: 'resolve and add what is in conflict' });
  const intended = allowsIntended ? undefined : index.entries.find(({ intentToAdd }) => intentToAdd);
  if (intended !== undefined) {
    throw new RefusedError(`'${pathToUtf8(intended.path)}' is only intended to be added`, { code: 'unmerged-index', hint: 'add it, or take it out of the index' });
  }
}

function hasChanges(repository: Repository, index: Index, pathspec: Pathspec): boolean {
  return scanWorkTree(new WorkTree(repository, index), index, pathspec.isEmpty ? {} : { pathspec }).changes.length > 0;
}

function listUntracked(repository: Repository, index: Index, pathspec: Pathspec, withIgnored: boolean): RepoPath[] {
  const rules = withIgnored ? {} : { rules: (): IgnoreRules => IgnoreRules.load(repository) };
  const { untracked } = scanWorkTree(new WorkTree(repository, index), index, { untracked: 'all', ...rules, ...(pathspec.isEmpty ? {} : { pathspec }) });
  return untracked.filter((path) => !path.endsWith('/'));
}

function treeOfFiles(repository: Repository, paths: readonly RepoPath[]): ObjectId {
  using snapshot = new Snapshot(repository, new Index(repository.format));
  snapshot.add(paths);
  return snapshot.writeTree();
}

/** The index with the files that are not as in HEAD. */
function treeOfWork(repository: Repository, index: Index, changed: readonly DiffEntry[]): ObjectId {
  const copy = Index.decode(index.encode(), repository.format);
  const workTree = new WorkTree(repository, copy);
  const isThere = (path: RepoPath): boolean => {
    const status = workTree.findOwnStatus(path);
    return status !== undefined && (!status.isDirectory() || workTree.isNestedRepository(path));
  };
  for (const { path } of changed) if (!isThere(path)) copy.remove(path);
  using snapshot = new Snapshot(repository, copy);
  snapshot.add(changed.filter(({ path, new: now }) => isThere(path) && now.mode !== 0o160000).map(({ path }) => path));
  return snapshot.writeTree();
}

/** Makes an entry the newest. */
export function storeEntry(repository: Repository, id: ObjectId, message: string): void {
  updateRef(repository, { name: stashRef, target: { id }, message: Buffer.from(message, 'latin1').toString(), createReflog: true });
}

export interface PushRequest extends StashRequest {
  /** What is in the index stays there, and in the files. */
  readonly keepsIndex: boolean;
}

/** Sets aside; `tell` gets the message of the new entry once it is safe. False when there was nothing to set aside. */
export function pushEntry(repository: Repository, request: PushRequest, tell: (message: string) => void): boolean {
  using _ = holdLease(repository);
  const made = whileNaming(repository, () => {
    const entry = makeEntry(repository, request);
    if (entry !== undefined) storeEntry(repository, entry.id, entry.message);
    return entry;
  });
  if (made === undefined) return false;
  tell(made.message);
  if (request.stagedOnly || request.choose !== undefined) takeBackStaged(repository, made, request.keepsIndex);
  else takeAway(repository, request, made);
  return true;
}

/** Work tree and index go back to HEAD, all of it or the given paths. */
function takeAway(repository: Repository, request: PushRequest, made: MadeEntry): void {
  const { refs, objects } = repository;
  const head = refs.find('HEAD')!.id;
  if (request.paths.length === 0) {
    if (request.untracked !== 'no') {
      using lock = lockIndex(repository);
      const plan = planClean(repository, lock.index, {
        directories: true, ignored: request.untracked === 'all' ? 'too' : 'keep', patterns: [], nested: false, pathspec: Pathspec.everything,
      });
      applyClean(repository, plan);
    }
    resetTo(repository, head, 'hard', 'HEAD');
  } else {
    const workTree = new WorkTree(repository);
    for (const path of made.untracked) workTree.remove(path);
    restorePaths(repository, {
      tree: objects.readCommit(head).tree, paths: request.paths, index: true, workTree: true, overlay: false, allowsUnmatched: true,
    });
  }
  if (!request.keepsIndex) return;
  const paths = request.paths.length === 0 ? [':/'] : request.paths;
  restorePaths(repository, { tree: made.indexTree, paths, index: true, workTree: true, overlay: false, allowsUnmatched: true });
}

/** Takes what was staged out of files that may hold more, and out of the index unless that stays. */
function takeBackStaged(repository: Repository, { workTree: staged }: MadeEntry, keepsIndex: boolean): void {
  const { objects, refs } = repository;
  const headTree = objects.readCommit(refs.find('HEAD')!.id).tree;
  using lock = lockIndex(repository);
  if (!takeOutOfFiles(repository, lock.index, headTree, staged)) {
    throw new RefusedError('cannot remove worktree changes', { code: 'changes-in-the-way', hint: 'files hold what was set aside in another form; the entry was made' });
  }
  lock.write();
  lock.rollback();
  if (!keepsIndex) resetTo(repository, refs.find('HEAD')!.id, 'mixed', 'HEAD');
}

// ---- bringing back

/** Brings an entry's changes into the work tree, and with `withIndex` also what was staged; false when that left conflicts or something in the way. */
export function applyEntry(repository: Repository, entry: StashEntry, options: { readonly withIndex: boolean; readonly isSilent?: boolean }): boolean {
  const { objects, context } = repository;
  using _ = holdLease(repository);
  let isClean = true;
  {
    using lock = lockIndex(repository);
    const { index } = lock;
    applyRefresh(index, scanWorkTree(new WorkTree(repository, index), index));
    if (index.isUnmerged) throw new RefusedError('cannot apply a stash in the middle of a merge', { code: 'unmerged-index', hint: 'resolve and add what is in conflict' });
    const protection = readPathProtection(repository.config);
    const current = whileNaming(repository, () => writeTreeFromIndex(index, objects, { protection }));
    const stagedTree = options.withIndex ? mergeIndex(repository, entry, current) : undefined;
    // Git resets the index on the way, and so its log says.
    if (stagedTree !== undefined) noteReset(repository, repository.refs.find('HEAD')!.id, 'HEAD');
    const result = mergeTrees(repository, entry.baseTree, current, entry.workTree, {
      ours: entry.baseTree === current ? 'Version stash was based on' : 'Updated upstream', theirs: 'Stashed changes', base: 'Stash base',
    });
    isClean = takeQuietly(() => takeMerge(repository, lock, current, result, 'merge')) && result.isClean;
    if (!isClean) {
      if (index.isUnmerged && options.isSilent !== true) tellMerge(repository, result);
      if (options.withIndex) context.stderr.write('Index was not unstashed.\n');
    } else {
      if (options.isSilent !== true) tellMerge(repository, result);
      if (stagedTree !== undefined) planTreeMerge(objects, index, [stagedTree], { kind: 'one', reset: true, protection }).apply(index);
      else unstage(repository, index, current);
      applyRefresh(index, scanWorkTree(new WorkTree(repository, index), index));
    }
    lock.write();
  }
  return restoreUntracked(repository, entry) && isClean;
}

/** False when something was in the way, which was told. */
function takeQuietly(action: () => void): boolean {
  try {
    action();
    return true;
  } catch (error) {
    if (!(error instanceof RefusedError) || error.code !== 'changes-in-the-way') throw error;
    return false;
  }
}

/** The tree the index is to hold: what is there now with what was staged; undefined when that comes to nothing of its own. */
function mergeIndex(repository: Repository, { baseTree, indexTree }: StashEntry, current: ObjectId): ObjectId | undefined {
  if (baseTree === indexTree || current === indexTree) return undefined;
  const result = mergeTrees(repository, baseTree, current, indexTree, { ours: 'index', theirs: 'stash' });
  if (!result.isClean) throw new RefusedError('conflicts in index; try without --index', { code: 'index-conflict' });
  return result.tree;
}

/** The index goes back to the tree it was, but for files that are new. */
function unstage({ objects }: Repository, index: Index, tree: ObjectId): void {
  for (const { path, old } of listStagedChanges(objects, tree, index)) {
    if (old.mode !== 0) index.set(indexEntry({ path, id: old.id, mode: old.mode }), 'tree');
  }
}

/** Files that are there already are left alone, and that is told. */
function restoreUntracked(repository: Repository, { untrackedTree }: StashEntry): boolean {
  const { objects, format, context } = repository;
  if (untrackedTree === undefined || untrackedTree === emptyTreeId(format)) return true;
  const workTree = new WorkTree(repository);
  let isComplete = true;
  for (const { path, new: { mode, id } } of diffTrees(objects, undefined, untrackedTree, { recursive: true })) {
    if (workTree.checkout({ path, mode, id }) !== false || workTree.hasContentOf({ path, mode, id })) continue;
    context.stderr.write(`${Buffer.from(path, 'latin1').toString()} already exists, no checkout\n`);
    isComplete = false;
  }
  if (!isComplete) context.stderr.write('error: could not restore untracked files from stash\n');
  return isComplete;
}

// ---- removing

/** Takes an entry off the list; the list itself when it was the last. */
export function dropEntry(repository: Repository, { name }: StashEntry): void {
  const specifier = /@\{([^]*)\}$/.exec(name)?.[1];
  if (specifier === undefined) throw new InvalidError(`${name}: could not drop stash entry`, { code: 'not-a-stash' });
  expireReflog(repository, stashRef, { rewrite: true, updateRef: true, dryRun: false, onlyNumber: findReflogNumber(repository, stashRef, specifier) });
  if (readReflog(repository, stashRef).length === 0) clearEntries(repository);
}

/** Forgets all entries. */
export function clearEntries(repository: Repository): void {
  if (repository.refs.find(stashRef) !== undefined) updateRef(repository, { name: stashRef, target: 'delete' });
}
