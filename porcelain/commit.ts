// Making a commit: what goes in, under which message, who made it, and the one step that makes it count.
//
// Invariant: everything the commit names is durable before the branch moves, and the branch moves only from where it was when the
// command began; the rename of the ref is the commit. A commit that loses that race keeps its objects, and the error names it.
// If the power fails: before the rename nothing happened (unreferenced objects wait for gc); after it, at worst the index is older than
// the branch, which status shows and the next add or commit puts right. Specified in cairn-commit(1) and git-commit(1).
import { disk } from '../pack/disk.js';
import type { Commit } from '../pack/commit.js';
import { encodeCommit } from '../pack/commit.js';
import { ConflictError, CorruptError, InvalidError, NotFoundError, RefusedError } from '../pack/errors.js';
import type { Ident } from '../pack/ident.js';
import { type ObjectId, emptyTreeId } from '../pack/oid.js';
import { pathToUtf8 } from '../pack/tree.js';
import { isAncestor } from '../plumbing/history/merge-base.js';
import { peel } from '../plumbing/history/revision.js';
import { holdLease, whileNaming } from '../plumbing/refs/announcement.js';
import { writeTreeFromIndex } from '../plumbing/index/cache-tree.js';
import { diffTrees } from '../plumbing/diff/diff.js';
import { findHook, runHook } from '../plumbing/hooks.js';
import { committerIdent } from '../plumbing/identity.js';
import { Index, indexEntry, readIndex } from '../plumbing/index/index-file.js';
import { LockFile } from '../plumbing/lockfile.js';
import { type MergeState, clearMergeState, readMergeState } from '../plumbing/merge/merge-state.js';
import { Pathspec, pathspecContext } from '../plumbing/pathspec.js';
import { RefTransaction } from '../plumbing/refs/ref-transaction.js';
import type { RefName } from '../plumbing/refs/ref-name.js';
import type { Repository } from '../plumbing/repository.js';
import { isSignatureHeader } from '../plumbing/signature/signed-object.js';
import type { CommitSigner } from '../plumbing/signature/signing-option.js';
import { readPathProtection } from '../plumbing/path-safety.js';
import { type MessageRequest, composeMessage } from './commit-message.js';
import { encodingOf } from './commit-object.js';
import { mergedTags } from './merged-tags.js';
import { tellEvent } from './events.js';
import { existingRun, requireNewRun } from './run.js';
import { type RunMetadata, metadataRef, writeMetadata } from './run-metadata.js';
import { Snapshot } from './snapshot.js';

/** What goes into the commit. */
export type CommitContent =
  /** What the index holds. */
  | { readonly kind: 'index' }
  /** Also what changed in files the index knows. */
  | { readonly kind: 'tracked' }
  /** The whole work tree. */
  | { readonly kind: 'everything' }
  /** What the index holds, and these paths as they are in the work tree. */
  | { readonly kind: 'include'; readonly paths: readonly string[] }
  /** These paths as they are in the work tree, everything else as in the last commit. */
  | { readonly kind: 'only'; readonly paths: readonly string[] };

export interface CommitRequest {
  readonly content: CommitContent;
  readonly message: MessageRequest;
  readonly amend: boolean;
  /** Absent: the commit is not signed. */
  readonly sign?: CommitSigner;
  readonly allowEmpty: boolean;
  /** Run pre-commit and commit-msg. */
  readonly verify: boolean;
  /** Run post-rewrite after an amend. */
  readonly postRewrite: boolean;
  /** Who wrote it and when, already decided. */
  readonly author: (state: CommitState) => Ident;
  /** What reflogs say before the subject, instead of 'commit'. */
  readonly action?: string;
  /** Also record it as this run. */
  readonly run?: string;
  /** Recorded with the run. */
  readonly metadata?: RunMetadata;
}

/** What the command found when it began. */
export interface CommitState {
  readonly head: ObjectId | undefined;
  readonly headCommit: Commit | undefined;
  /** The branch HEAD is on, also when it has no commit yet; undefined when detached. */
  readonly branch: RefName | undefined;
  readonly merge: MergeState;
}

/** Made, or the reason why there was nothing to do. */
export type CommitOutcome =
  | {
    readonly kind: 'made';
    readonly id: ObjectId;
    readonly commit: Commit;
    readonly state: CommitState;
    readonly run: RefName | undefined;
    readonly warnings: readonly string[];
  }
  | { readonly kind: 'unchanged'; readonly state: CommitState; readonly index: Index }
  /** A hook said no (it told why), or there is no message. */
  | { readonly kind: 'stopped'; readonly reason: string | undefined };

export function makeCommit(repository: Repository, request: CommitRequest): CommitOutcome {
  const state = readState(repository);
  if (request.amend) requireAmendable(state);
  const runName = request.run === undefined ? undefined : requireNewRun(repository, request.run);
  using _ = holdLease(repository);
  using staging = new Staging(repository, request.content, state);
  staging.take();
  if (request.verify && !staging.runPreCommit()) return { kind: 'stopped', reason: undefined };
  const tree = whileNaming(repository, () => staging.writeTree());
  const parents = parentsOf(repository, request, state);
  if (!request.allowEmpty && request.run === undefined && isUnchanged(repository, tree, parents, state, request.amend)) {
    return { kind: 'unchanged', state, index: staging.index };
  }
  const author = request.author(state);
  const committer = committerIdent(repository);
  const message = composeMessage(repository, request.message, {
    state, tree, amend: request.amend, author, committer, verify: request.verify, indexPath: staging.indexPath,
  });
  if (!Buffer.isBuffer(message)) return { kind: 'stopped', reason: message.stopped };
  if (message.includes(0)) throw new InvalidError('a NUL byte in a commit message is not allowed', { code: 'bad-message' });
  const draft: Commit = {
    tree, parents, author, committer, message,
    extraHeaders: request.amend ? keptHeaders(state.headCommit) : mergedTags(repository, state.merge.mergeHeads),
    ...encodingOf(repository.config),
  };
  // A key may ask for its passphrase, so this comes before anything is held.
  const commit = request.sign === undefined ? draft : request.sign(draft);
  const { objects } = repository;
  const id = whileNaming(repository, () => {
    // The message may have taken an hour, and what it is about nobody named.
    for (const named of [tree, ...parents]) objects.readHeader(named);
    objects.rescue();
    const made = objects.write('commit', encodeCommit(commit));
    if (request.metadata !== undefined) writeMetadata(repository, request.metadata);
    // A full disk shows here, not after the branch has moved.
    staging.seal();
    moveRefs(repository, state, made, reflogMessage(repository, request, state, message), runName, request);
    staging.publish();
    return made;
  });
  clearMergeState(repository);
  runHook(repository, 'post-commit');
  if (request.postRewrite && request.amend) runHook(repository, 'post-rewrite', { args: ['amend'], stdin: `${state.head} ${id}\n` });
  return { kind: 'made', id, commit, state, run: runName, warnings: staging.warnings };
}

/** What an amended commit keeps; a signature would not fit it any more. */
function keptHeaders(commit: Commit | undefined): Commit['extraHeaders'] {
  return (commit?.extraHeaders ?? []).filter(({ key }) => !isSignatureHeader(key) && key !== 'mergetag');
}

function readState(repository: Repository): CommitState {
  const head = repository.refs.find('HEAD')?.id;
  const branch = repository.refs.headBranch();
  if (head === undefined && branch === undefined) throw headOfNothing(repository);
  return {
    head,
    headCommit: head === undefined ? undefined : repository.objects.readCommit(head),
    branch,
    merge: readMergeState(repository),
  };
}

/** A first commit belongs on a branch: what names neither a branch nor a commit is a HEAD that was damaged, not a new beginning. */
function headOfNothing({ refs }: Repository): CorruptError {
  return new CorruptError(`'HEAD' names '${refs.findSymbolic('HEAD')}', which is no branch and does not exist`, {
    code: 'bad-head', hint: 'put it back on its branch with cairn symbolic-ref HEAD refs/heads/<branch>',
  });
}

function requireAmendable({ head, merge }: CommitState): void {
  if (head === undefined) throw new RefusedError('there is nothing yet to amend', { code: 'nothing-to-amend' });
  const what = merge.mergeHeads.length > 0 ? 'merge' : merge.cherryPickHead !== undefined ? 'cherry-pick' : undefined;
  if (what !== undefined) throw new RefusedError(`a ${what} is under way; it cannot be amended`, { code: 'merge-under-way' });
}

/** HEAD, and what is being merged, without those that others of them lead to; an amended commit keeps its parents. */
function parentsOf(repository: Repository, { amend }: CommitRequest, { head, headCommit, merge }: CommitState): readonly ObjectId[] {
  if (amend) return headCommit!.parents;
  const merged = merge.mergeHeads.map((id) => peel(repository, id, 'commit') ?? id);
  const all = [...new Set([...(head === undefined ? [] : [head]), ...merged])];
  if (merged.length === 0 || merge.keepsAllParents) return all;
  return all.filter((one) => !all.some((other) => other !== one && isAncestor(repository, one, other)));
}

/** True when the commit would add nothing to its parent. A merge always says something: its parents. */
function isUnchanged(repository: Repository, tree: ObjectId, parents: readonly ObjectId[], state: CommitState, amend: boolean): boolean {
  if (parents.length > 1 || state.merge.mergeHeads.length > 0) return false;
  const [parent] = parents;
  // Amending a first commit may leave anything, amending another may not make it an empty one.
  if (parent === undefined) return !amend && tree === emptyTreeId(repository.format);
  return (parent === state.head ? state.headCommit! : repository.objects.readCommit(parent)).tree === tree;
}

function reflogMessage(repository: Repository, { amend, action: given }: CommitRequest, { head, merge }: CommitState, message: Buffer): string {
  const action = given ?? repository.context.env['GIT_REFLOG_ACTION'];
  const detail = amend ? ' (amend)' : head === undefined ? ' (initial)' : merge.mergeHeads.length > 0 ? ' (merge)'
    : merge.cherryPickHead !== undefined ? ' (cherry-pick)' : '';
  return `${action ?? `commit${detail}`}: ${message.toString().split('\n', 1)[0]!}`;
}

/** Moves the branch and makes the run's ref in one step; when the branch has moved meanwhile, the run is kept and the branch refused. */
function moveRefs(
  repository: Repository, { head }: CommitState, id: ObjectId, message: string, runName: RefName | undefined, { run, metadata }: CommitRequest,
): void {
  const runEdit = runName === undefined ? undefined : { name: runName, expected: 'absent' as const, target: { id }, message };
  // A former run of that name that is gone may have left its metadata.
  const metadataEdits = run === undefined || metadata === undefined ? [] : [{ name: metadataRef(run), target: { id: metadata.tree } }];
  try {
    using transaction = new RefTransaction(repository);
    transaction.add({ name: 'HEAD', expected: head ?? 'absent', target: { id }, message });
    if (runEdit !== undefined) transaction.add(runEdit);
    for (const edit of metadataEdits) transaction.add(edit);
    transaction.commit();
    // Retention goes by when a run was recorded.
    if (run !== undefined) tellEvent(repository, 'run', { run, commit: id });
  } catch (error) {
    if (!(error instanceof ConflictError)) throw error;
    if (runEdit === undefined) {
      throw new ConflictError(`HEAD has moved since this commit began; commit '${id}' was made but the branch was not moved`, {
        code: 'head-moved', hint: 'look at what changed, then commit again', cause: error,
      });
    }
    if (repository.refs.readRaw(runEdit.name) !== undefined) throw existingRun(run!);
    using transaction = new RefTransaction(repository);
    transaction.add(runEdit);
    for (const edit of metadataEdits) transaction.add(edit);
    transaction.commit();
    tellEvent(repository, 'run', { run: run!, commit: id });
    throw new ConflictError(`HEAD has moved since this run began; it is kept as '${runEdit.name}' (${id}) and the branch was not moved`, {
      code: 'head-moved', hint: 'look at what changed, then commit again', cause: error,
    });
  }
}

/** The index on its way into a commit, and its lock. */
class Staging {
  index: Index;
  readonly #repository: Repository;
  readonly #content: CommitContent;
  readonly #state: CommitState;
  readonly #snapshot: Snapshot;
  /** What becomes the index when the commit is made; not `index` itself when only some paths are committed. */
  #next: Index;
  #lock: LockFile | undefined;
  #hookSawLock = false;

  constructor(repository: Repository, content: CommitContent, state: CommitState) {
    this.#repository = repository;
    this.#content = content;
    this.#state = state;
    repository.requireWorkTree();
    if (content.kind === 'only' && state.merge.mergeHeads.length > 0) {
      throw new RefusedError('cannot do a partial commit during a merge', { code: 'merge-under-way' });
    }
    this.#lock = LockFile.acquire(repository.indexPath, { holder: repository.lockHolder, durable: repository.hardening.index });
    try {
      this.index = readIndex(repository);
      this.#next = this.index;
      this.#snapshot = new Snapshot(repository, this.index);
    } catch (error) {
      this.#lock.rollback();
      throw error;
    }
  }

  get warnings(): readonly string[] { return this.#snapshot.warnings; }

  /** Where a hook finds what is to be committed. */
  get indexPath(): string { return this.#hookSawLock ? this.#lock!.lockPath : this.#repository.indexPath; }

  /** Brings the index up to date with what the commit is to hold. */
  take(): void {
    const content = this.#content;
    const unmerged = content.kind === 'index' || content.kind === 'include' || content.kind === 'only' ? this.index.findUnmerged() : undefined;
    if (unmerged !== undefined) {
      throw new RefusedError(`committing is not possible because '${pathToUtf8(unmerged)}' is unmerged`, {
        code: 'unmerged-index', hint: 'resolve it, then add the result',
      });
    }
    switch (content.kind) {
      case 'index': break;
      case 'tracked': this.#snapshot.take({ untracked: false }); break;
      case 'everything': this.#snapshot.take({ untracked: true }); break;
      case 'include': {
        const pathspec = this.#pathspec(content.paths);
        requireMatches(pathspec, [this.index]);
        this.#snapshot.take({ untracked: false, pathspec });
        break;
      }
      case 'only': this.#takeOnly(content.paths); break;
    }
  }

  #pathspec(paths: readonly string[]): Pathspec {
    return Pathspec.parse(paths, pathspecContext(this.#repository));
  }

  /** The commit gets HEAD's entries with the named paths as they are in the work tree; the index gets those paths too. */
  #takeOnly(words: readonly string[]): void {
    const { format, objects } = this.#repository;
    const base = new Index(format);
    for (const entry of diffTrees(objects, undefined, this.#state.headCommit?.tree, { recursive: true })) {
      base.set(indexEntry({ path: entry.path, id: entry.new.id, mode: entry.new.mode }));
    }
    this.index = base;
    if (words.length === 0) return;
    const pathspec = this.#pathspec(words);
    requireMatches(pathspec, [this.#next, base]);
    this.#snapshot.take({ untracked: false, pathspec });
    const paths = new Set([...base.entries, ...this.#next.entries].map(({ path }) => path).filter((path) => pathspec.matches(path)));
    for (const path of paths) {
      const entry = this.#next.find(path);
      if (entry === undefined) base.remove(path);
      else base.set(entry);
    }
  }

  /** False when the hook says no. The hook sees, and may change, what is to be committed. */
  runPreCommit(): boolean {
    const repository = this.#repository;
    if (findHook(repository, 'pre-commit') === undefined) return true;
    if (this.#content.kind === 'index') {
      // Others may use the index meanwhile, the hook above all.
      this.#release();
      if (!this.#callPreCommit()) return false;
      this.#lock = LockFile.acquire(repository.indexPath, { holder: repository.lockHolder, durable: repository.hardening.index });
      this.index = readIndex(repository);
      this.#next = this.index;
      return true;
    }
    this.#snapshot.finish();
    this.#lock!.write(this.index.encode());
    this.#lock!.seal();
    this.#hookSawLock = true;
    if (!this.#callPreCommit()) return false;
    const changed = Index.read(this.#lock!.lockPath, repository.format);
    if (this.#next === this.index) this.#next = changed;
    this.index = changed;
    return true;
  }

  #callPreCommit(): boolean {
    return runHook(this.#repository, 'pre-commit', { env: { GIT_INDEX_FILE: this.indexPath, GIT_EDITOR: ':' } }).exitCode === 0;
  }

  /** The tree to be committed, durable. */
  writeTree(): ObjectId {
    const { objects, config } = this.#repository;
    const former = this.index.cacheTree?.id;
    let tree: ObjectId;
    if (this.#snapshot.index === this.index) {
      tree = this.#snapshot.writeTree();
    } else {
      this.#snapshot.finish();
      tree = writeTreeFromIndex(this.index, objects, { protection: readPathProtection(config) });
    }
    // What was in the index stays there whatever comes of the commit; the lock is not held while somebody edits the message.
    if (this.#content.kind === 'index') {
      if (former !== tree) {
        this.seal();
        this.publish();
      }
      this.#release();
    }
    return tree;
  }

  /** Writes the new index beside the old one, durably: what is left is to rename it. */
  seal(): void {
    const lock = this.#lock;
    if (lock === undefined) return;
    // Before an index that names them is durable, so are the objects.
    this.#repository.flushObjects();
    if (this.#hookSawLock) {
      rewriteFile(lock.lockPath, this.#next.encode(), this.#repository.hardening.index);
    } else {
      lock.write(this.#next.encode());
      lock.seal();
    }
  }

  /** Puts the sealed index in place. */
  publish(): void {
    this.#lock?.commit();
    this.#lock = undefined;
  }

  #release(): void {
    this.#lock?.rollback();
    this.#lock = undefined;
  }

  [Symbol.dispose](): void {
    this.#snapshot[Symbol.dispose]();
    this.#release();
  }
}

/** Another content for a file that nobody reads yet. */
function rewriteFile(path: string, bytes: Uint8Array, durable: boolean): void {
  const fd = disk().open(path, 'r+', 0o666);
  try {
    disk().truncate(fd, 0);
    disk().write(fd, bytes);
    if (durable) disk().fsync(fd);
  } finally {
    disk().close(fd);
  }
}

/** NotFoundError (code 'no-match') names the first element that no entry of the indexes matches. */
function requireMatches(pathspec: Pathspec, indexes: readonly Index[]): void {
  for (const index of indexes) {
    for (let at = 0; at < index.count; at += 1) pathspec.matches(index.pathAt(at));
  }
  const [unmatched] = pathspec.listUnmatched();
  if (unmatched !== undefined) throw new NotFoundError(`pathspec '${unmatched}' did not match any file(s) known to cairn`, { code: 'no-match' });
}

/** 'Name <mail>' as typed; InvalidError for anything else. */
export function parsePerson(text: string): Pick<Ident, 'name' | 'email'> {
  const match = /^\s*([^<>]*?)\s*<([^<>]*)>\s*$/.exec(Buffer.from(text).toString('latin1'));
  if (match === null) {
    throw new InvalidError(`--author '${text}' is not 'Name <email>'`, { code: 'bad-author' });
  }
  return { name: match[1]!, email: match[2]! };
}
