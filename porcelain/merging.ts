// Merging another branch into the current one: going forward where that is all it takes, else a merge of the trees, its commit, or what is left
// for a person to resolve. Specified by git-merge(1); the merge of trees itself is plumbing/merge/merge.ts.
//
// Nothing is begun unless index and HEAD agree and no local change or untracked file is in the way. Files come first, then the index, then what a
// later commit needs (MERGE_HEAD and its like), and the branch last. If the power fails in between, the branch is where it was, and `reset --merge`
// or the same command again brings things in order.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { removeIfPresent, replaceFile } from '../pack/disk.js';
import { type Commit, encodeCommit } from '../pack/commit.js';
import { NotFoundError, RefusedError } from '../pack/errors.js';
import { type ObjectId, emptyTreeId } from '../pack/oid.js';
import { whileNaming } from '../plumbing/refs/announcement.js';
import { formatDate } from '../plumbing/date.js';
import { pathForHook, runHook } from '../plumbing/hooks.js';
import { authorIdent, committerIdent } from '../plumbing/identity.js';
import { type IndexLock, lockIndex } from '../plumbing/index/index-lock.js';
import { isAncestor, mergeBases } from '../plumbing/history/merge-base.js';
import { formatMergeMessage } from '../plumbing/merge/merge-message.js';
import { clearMergeState, readMergeState } from '../plumbing/merge/merge-state.js';
import { type MergeResult, mergeCommits } from '../plumbing/merge/merge.js';
import type { MergeTuning } from '../plumbing/merge/strategy-option.js';
import { cleanUpMessage, commentCharacter, isEmptyMessage } from '../plumbing/message.js';
import { encodeRefName } from '../plumbing/refs/ref-name.js';
import { updateRef } from '../plumbing/refs/ref-transaction.js';
import type { Repository } from '../plumbing/repository.js';
import { mergedTags } from './merged-tags.js';
import { type OctopusFailure, mergeHeads } from './octopus.js';
import type { CommitSigner } from '../plumbing/signature/signing-option.js';
import { expandBranchName, expandRefName, peel, resolveRevision } from '../plumbing/history/revision.js';
import { listStagedChanges } from '../plumbing/index/staged-changes.js';
import { RevWalk } from '../plumbing/history/walk.js';
import { moveTrees } from './switching.js';
import { takeMerge } from './three-way.js';
import { editFile } from './terminal.js';

export interface MergeRequest {
  /** As typed; several are merged all at once. */
  readonly names: readonly string[];
  readonly forward: 'allow' | 'only' | 'never';
  /** 'octopus' is for several. */
  readonly strategy: 'ort' | 'ours' | 'octopus';
  readonly tuning: MergeTuning;
  readonly squash: boolean;
  readonly commits: boolean;
  readonly allowsUnrelated: boolean;
  /** latin1; undefined: made from what is merged. */
  readonly message: string | undefined;
  /** Subjects listed in the message. */
  readonly log: number;
  readonly into: string | undefined;
  readonly edits: boolean;
  readonly verify: boolean;
  /** Absent: the merge is not signed. */
  readonly sign?: CommitSigner;
}

export type MergeOutcome =
  | { readonly kind: 'up-to-date' }
  | { readonly kind: 'forward' | 'made'; readonly from: ObjectId | undefined; readonly to: ObjectId; readonly messages: readonly string[]; readonly strategy?: string }
  /** Merged, not committed: as asked for (squash or not), or because of conflicts. */
  | { readonly kind: 'stopped' | 'squashed' | 'conflicts'; readonly from: ObjectId; readonly to: ObjectId; readonly messages: readonly string[]; readonly isForward: boolean }
  /** Several could not be merged at once; nothing was changed. */
  | { readonly kind: 'failed'; readonly reason: string; readonly messages: readonly string[] }
  /** A hook said no, or there was no message; the merge is left to be committed. */
  | { readonly kind: 'refused'; readonly reason: string | undefined; readonly messages: readonly string[] };

/** Merges; `tellForward` is called before files change when HEAD only goes forward. */
export function mergeInto(repository: Repository, request: MergeRequest, tellForward: (from: ObjectId, to: ObjectId) => void): MergeOutcome {
  requireNoMerge(repository);
  const { refs } = repository;
  const named = request.names.map((name) => readHead(repository, name));
  const head = refs.find('HEAD')?.id;
  const given = repository.context.env['GIT_REFLOG_ACTION'];
  if (head === undefined) {
    if (request.squash || request.forward === 'never') throw new RefusedError('there is no commit yet to merge into', { code: 'no-head' });
    if (named.length > 1) throw new RefusedError('several branches cannot be merged into nothing', { code: 'no-head' });
    goForward(repository, undefined, named[0]!.commit, 'initial pull', false);
    return { kind: 'forward', from: undefined, to: named[0]!.commit, messages: [] };
  }
  updateRef(repository, { name: 'ORIG_HEAD', target: { id: head } });
  const heads = named.filter(({ commit }, at) => !isAncestor(repository, commit, head)
    && named.every((other, index) => index === at || (other.commit === commit ? index > at : !isAncestor(repository, commit, other.commit))));
  const [first, ...others] = heads;
  if (first === undefined) return { kind: 'up-to-date' };
  const action = given ?? `merge ${heads.map(({ typed }) => typed).join(' ')}`;
  if (others.length > 0) {
    if (request.forward === 'only') throw new RefusedError('not possible to fast-forward', { code: 'not-forward', hint: 'leave out --ff-only to merge' });
    if (request.strategy === 'ort') return { kind: 'failed', reason: 'the strategy ort merges no more than one branch at once', messages: [] };
    return new Merge(repository, request, heads, head, [], action).run();
  }
  const theirs = first.commit;
  const bases = mergeBases(repository, head, [theirs]);
  if (bases.length === 0 && !request.allowsUnrelated) {
    throw new RefusedError('refusing to merge unrelated histories', { code: 'unrelated-histories', hint: 'use --allow-unrelated-histories' });
  }
  const canForward = bases.length === 1 && bases[0] === head;
  if (canForward && request.forward !== 'never') {
    tellForward(head, theirs);
    goForward(repository, head, theirs, `${action}: Fast-forward`, request.squash);
    if (request.squash) {
      writeSquash(repository, head, [theirs]);
      return { kind: 'squashed', from: head, to: theirs, messages: [], isForward: true };
    }
    runHook(repository, 'post-merge', { args: ['0'] });
    return { kind: 'forward', from: head, to: theirs, messages: [] };
  }
  if (request.forward === 'only') throw new RefusedError('not possible to fast-forward', { code: 'not-forward', hint: 'leave out --ff-only to merge' });
  return new Merge(repository, { ...request, strategy: request.strategy === 'octopus' ? 'ort' : request.strategy }, heads, head, bases, action).run();
}

/** One of what is merged. */
interface MergeHead {
  readonly typed: string;
  readonly name: string;
  /** What the name names: the commit, or a tag of it. */
  readonly object: ObjectId;
  readonly commit: ObjectId;
}

function readHead(repository: Repository, typed: string): MergeHead {
  const name = expandBranchName(repository, typed) ?? typed;
  const object = resolveRevision(repository, name);
  const commit = peel(repository, object, 'commit');
  if (commit === undefined) throw new NotFoundError(`'${typed}' does not name a commit`, { code: 'bad-revision' });
  return { typed, name, object, commit };
}

function requireNoMerge(repository: Repository): void {
  const { mergeHeads, cherryPickHead } = readMergeState(repository);
  if (mergeHeads.length > 0) {
    throw new RefusedError('you have not concluded your merge (MERGE_HEAD exists)', { code: 'merge-under-way', hint: 'commit it, or give it up with cairn merge --abort' });
  }
  if (cherryPickHead !== undefined) throw new RefusedError('you have not concluded your cherry-pick (CHERRY_PICK_HEAD exists)', { code: 'merge-under-way', hint: 'commit it first' });
}

/** HEAD, index and work tree go to a commit that comes after; with `stays` the branch stays. */
function goForward(repository: Repository, from: ObjectId | undefined, to: ObjectId, message: string, stays: boolean): void {
  const { objects, format } = repository;
  using lock = lockIndex(repository);
  moveTrees(repository, lock, from === undefined ? emptyTreeId(format) : objects.readCommit(from).tree, objects.readCommit(to).tree, 'keep', 'merge');
  lock.write();
  if (!stays) updateRef(repository, { name: 'HEAD', expected: from ?? 'absent', target: { id: to }, message });
}

/** NotFoundError when no merge is under way. */
export function requireMergeUnderWay(repository: Repository): void {
  if (readMergeState(repository).mergeHeads.length === 0) throw new NotFoundError('there is no merge under way (MERGE_HEAD is missing)', { code: 'no-merge' });
}

class Merge {
  readonly #repository: Repository;
  readonly #request: MergeRequest;
  readonly #heads: readonly MergeHead[];
  readonly #ours: ObjectId;
  readonly #bases: readonly ObjectId[];
  readonly #action: string;

  constructor(repository: Repository, request: MergeRequest, heads: readonly MergeHead[], ours: ObjectId, bases: readonly ObjectId[], action: string) {
    this.#repository = repository;
    this.#request = request;
    this.#heads = heads;
    this.#ours = ours;
    this.#bases = bases;
    this.#action = action;
  }

  run(): MergeOutcome {
    const repository = this.#repository;
    const result = this.#mergeTrees();
    if ('failed' in result) return { kind: 'failed', ...result.failed };
    const messages = result.messages.map(({ text }) => text);
    const [from, to] = [this.#ours, this.#heads[0]!.commit];
    if (!result.isClean) {
      this.#leave(result);
      return { kind: 'conflicts', from, to, messages, isForward: false };
    }
    if (this.#request.squash) {
      writeSquash(repository, from, this.#heads.map(({ commit }) => commit));
      return { kind: 'squashed', from, to, messages, isForward: false };
    }
    if (!this.#request.commits) {
      this.#leave(result);
      return { kind: 'stopped', from, to, messages, isForward: false };
    }
    return this.#commit(result, messages);
  }

  /** Merges, and brings index and work tree to what came of it. */
  #mergeTrees(): MergeResult | OctopusFailure {
    const repository = this.#repository;
    const { objects } = repository;
    const ourTree = objects.readCommit(this.#ours).tree;
    using lock = lockIndex(repository);
    this.#requireCleanIndex(lock, ourTree);
    const { tuning, strategy } = this.#request;
    const [first] = this.#heads;
    const result: MergeResult | OctopusFailure = strategy === 'ours' ? { tree: ourTree, isClean: true, conflicts: [], messages: [] }
      : strategy === 'octopus' ? mergeHeads(repository, this.#ours, this.#heads)
        : mergeCommits(repository, this.#ours, first!.commit, this.#bases, {
          ours: 'HEAD', theirs: Buffer.from(first!.typed).toString('latin1'), ...tuning,
        });
    if ('failed' in result) return result;
    takeMerge(repository, lock, ourTree, result, 'merge');
    // As git: only a merge of two keeps what it made of the files.
    if (strategy === 'octopus') removeIfPresent(join(repository.gitDirectory, 'AUTO_MERGE'));
    lock.write();
    return result;
  }

  #requireCleanIndex({ index }: IndexLock, tree: ObjectId): void {
    if (index.isUnmerged) throw new RefusedError('merging is not possible because you have unmerged files', { code: 'unmerged-index', hint: 'resolve and add what is in conflict' });
    const staged = listStagedChanges(this.#repository.objects, tree, index);
    if (staged.length === 0) return;
    const { stderr } = this.#repository.context;
    stderr.write(`error: your local changes to the following files would be overwritten by merge:\n${staged.map(({ path }) => `\t${Buffer.from(path, 'latin1').toString()}\n`).join('')}`);
    throw new RefusedError('the index holds what is not in HEAD', { code: 'changes-in-the-way', hint: 'commit it, or take it back with cairn restore --staged' });
  }

  #message(): string {
    const { message, log, into } = this.#request;
    const given = message === undefined ? undefined : message.replace(/([^\n])$/, '$1\n');
    if (given !== undefined && log === 0) return given;
    return formatMergeMessage(this.#repository, this.#heads.map((head) => this.#describe(head)).join(''), { log, given, into });
  }

  /** What is merged, as a line of FETCH_HEAD. */
  #describe({ name, object, commit }: MergeHead): string {
    const ref = expandRefName(this.#repository, name) ?? '';
    const kinds = [['refs/heads/', 'branch'], ['refs/tags/', 'tag'], ['refs/remotes/', 'remote-tracking branch']] as const;
    for (const [prefix, kind] of kinds) {
      if (ref.startsWith(prefix)) return `${object}\t\t${kind} '${encodeRefName(ref.slice(prefix.length))}' of .\n`;
    }
    const behind = /^(.+?)(?:\^+|~([0-9]*))$/.exec(name);
    if (behind !== null && this.#repository.refs.find(`refs/heads/${behind[1]!}`) !== undefined) {
      const isTip = behind[2] !== undefined && /^0+$/.test(behind[2]);
      return `${commit}\t\tbranch '${encodeRefName(behind[1]!)}'${isTip ? '' : ' (early part)'} of .\n`;
    }
    return `${commit}\t\tcommit '${encodeRefName(name)}'\n`;
  }

  /** Leaves the merge for a person to commit. */
  #leave(result: MergeResult): void {
    const repository = this.#repository;
    if (this.#request.squash) {
      writeSquash(repository, this.#ours, this.#heads.map(({ commit }) => commit));
      if (result.isClean) return;
      writeState(repository, 'MERGE_MSG', explainConflicts(repository, '', result));
      return;
    }
    const message = this.#message();
    // MERGE_HEAD last: it is what says that there is a merge.
    writeState(repository, 'MERGE_MSG', result.isClean ? message : explainConflicts(repository, message, result));
    writeState(repository, 'MERGE_MODE', this.#request.forward === 'never' ? 'no-ff' : '');
    writeState(repository, 'MERGE_HEAD', this.#heads.map(({ object }) => `${object}\n`).join(''));
  }

  /** HEAD is none where it is behind what is merged, unless a merge is wanted even there. */
  #parents(): ObjectId[] {
    const heads = this.#heads.map(({ commit }) => commit);
    const isBehind = heads.length > 1 && this.#request.forward !== 'never' && heads.some((commit) => isAncestor(this.#repository, this.#ours, commit));
    return isBehind ? heads : [this.#ours, ...heads];
  }

  #commit(result: MergeResult, messages: readonly string[]): MergeOutcome {
    const repository = this.#repository;
    const { config, context, gitDirectory } = repository;
    const refused = (reason?: string): MergeOutcome => ({ kind: 'refused', reason, messages });
    this.#leave(result);
    if (this.#request.verify && runHook(repository, 'pre-merge-commit', { env: { GIT_EDITOR: ':' } }).exitCode !== 0) return refused();
    const path = join(gitDirectory, 'MERGE_MSG');
    const comment = commentCharacter(config.get('core.commentchar'), '');
    if (this.#request.edits) writeState(repository, 'MERGE_MSG', `${this.#message()}\n${comment} Please say in the message why this merge is necessary.\n${comment} Lines beginning with '${comment}' are ignored, and an empty message aborts the commit.\n`);
    const env = this.#request.edits ? {} : { GIT_EDITOR: ':' };
    if (runHook(repository, 'prepare-commit-msg', { args: [pathForHook(repository, 'MERGE_MSG'), 'merge'], env }).exitCode !== 0) return refused();
    if (this.#request.edits) editFile(context, config, path);
    if (this.#request.verify && runHook(repository, 'commit-msg', { args: [pathForHook(repository, 'MERGE_MSG')], env }).exitCode !== 0) return refused();
    const text = cleanUpMessage(readFileSync(path, 'latin1'), 'default', comment, this.#request.edits);
    if (isEmptyMessage(text)) return refused('empty commit message');
    const draft: Commit = {
      tree: result.tree, parents: this.#parents(), author: authorIdent(repository), committer: committerIdent(repository),
      message: Buffer.from(text, 'latin1'), extraHeaders: mergedTags(repository, this.#heads.map(({ object }) => object)),
    };
    const commit = this.#request.sign === undefined ? draft : this.#request.sign(draft);
    const id = whileNaming(repository, () => {
      const made = repository.objects.write('commit', encodeCommit(commit));
      const how = `'${this.#request.strategy}' strategy`;
      updateRef(repository, { name: 'HEAD', expected: this.#ours, target: { id: made }, message: `${this.#action}: Merge made by the ${how}.` });
      return made;
    });
    clearMergeState(repository);
    runHook(repository, 'post-merge', { args: ['0'] });
    return { kind: 'made', from: this.#ours, to: id, messages, strategy: this.#request.strategy };
  }
}

function writeState(repository: Repository, name: string, text: string): void {
  replaceFile(join(repository.gitDirectory, name), Buffer.from(text, 'latin1'));
}

/** The message with the paths in conflict as comments behind it. */
export function explainConflicts(repository: Repository, message: string, { conflicts }: MergeResult): string {
  const comment = commentCharacter(repository.config.get('core.commentchar'), message);
  const paths = [...new Set(conflicts.map(({ path }) => path))];
  return `${message}\n${comment} Conflicts:\n${paths.map((path) => `${comment}\t${path}\n`).join('')}`;
}

/** The message a squashed merge may be committed with: the commits it stands for. */
function writeSquash(repository: Repository, ours: ObjectId, theirs: readonly ObjectId[]): void {
  let text = 'Squashed commit of the following:\n';
  for (const { id, commit } of new RevWalk(repository, [...theirs.map((id) => ({ id })), { id: ours, isExcluded: true }], { maxParents: 1 })) {
    const { author, message } = commit;
    const date = formatDate(author.seconds, author.offset, 'default', repository.context.clock);
    const lines = message.toString('latin1').replace(/\n+$/, '').split('\n').map((line) => `    ${line}\n`).join('');
    text += `\ncommit ${id}\nAuthor: ${author.name} <${author.email}>\nDate:   ${date}\n\n${lines}`;
  }
  writeState(repository, 'SQUASH_MSG', text);
}
