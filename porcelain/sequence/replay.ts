// Doing once more what a commit did, or undoing it, on top of HEAD: one three-way merge and one commit. It is the step cherry-pick, revert
// and rebase consist of. Specified by git-cherry-pick(1), git-revert(1) and git-rebase(1).
//
// Files come first, then the index, then what a person or --continue needs (MERGE_MSG, CHERRY_PICK_HEAD or REVERT_HEAD), and the branch last. If
// the power fails before the branch moved, the step can be continued, skipped or aborted like one that stopped at a conflict.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { removeIfPresent, replaceFile } from '../../pack/disk.js';
import { InvalidError, RefusedError } from '../../pack/errors.js';
import type { Commit } from '../../pack/commit.js';
import { type Ident, offsetMinutes } from '../../pack/ident.js';
import { type ObjectId, emptyTreeId } from '../../pack/oid.js';
import { findHook, pathForHook, runHook } from '../../plumbing/hooks.js';
import { authorIdent, committerIdent } from '../../plumbing/identity.js';
import { writeTreeFromIndex } from '../../plumbing/index/cache-tree.js';
import { type Index, readIndex } from '../../plumbing/index/index-file.js';
import { type IndexLock, lockIndex } from '../../plumbing/index/index-lock.js';
import { listStagedChanges } from '../../plumbing/index/staged-changes.js';
import { type MergeResult, mergeTrees } from '../../plumbing/merge/merge.js';
import { type CleanupMode, cleanUpMessage, commentCharacter, parseCleanupMode, subjectOf } from '../../plumbing/message.js';
import { readPathProtection } from '../../plumbing/path-safety.js';
import { whileNaming } from '../../plumbing/refs/announcement.js';
import type { RefName } from '../../plumbing/refs/ref-name.js';
import { updateRef } from '../../plumbing/refs/ref-transaction.js';
import { parseStrategyOptions } from '../../plumbing/merge/strategy-option.js';
import type { Repository } from '../../plumbing/repository.js';
import { isSignatureHeader } from '../../plumbing/signature/signed-object.js';
import { findCommitSigner } from '../../plumbing/signature/signing-option.js';
import { appendOrigin, appendSignOff } from '../../plumbing/trailers.js';
import { type CommitOutcome, type CommitRequest, makeCommit } from '../commit.js';
import { storeCommit } from '../commit-object.js';
import { explainUnchanged, formatSummary, measureCommit } from '../commit-summary.js';
import { explainConflicts } from '../merging.js';
import { moveTrees } from '../switching.js';
import { takeMerge, tellMerge } from '../three-way.js';

/** How commits are replayed; the same for all of a sequence. */
export interface ReplaySettings {
  readonly action: 'cherry-pick' | 'revert' | 'rebase';
  /** Which parent of a merge counts as the one before it; counted from 1. */
  readonly mainline?: number | undefined;
  /** Only change index and files. */
  readonly noCommit: boolean;
  readonly edits: boolean;
  /** What was said about editing, which is remembered. */
  readonly editAsked?: boolean | undefined;
  readonly signOff: boolean;
  readonly recordsOrigin: boolean;
  /** Undoing is told without the subject. */
  readonly refers: boolean;
  /** Go forward where HEAD is the parent. */
  readonly allowsForward: boolean;
  /** Commits that were empty to begin with may stay. */
  readonly allowsEmpty: boolean;
  /** Commits that become empty stay, or are dropped; neither: they stop the sequence. */
  readonly keepsRedundant: boolean;
  readonly dropsRedundant: boolean;
  /** As typed after -X. */
  readonly strategyOptions: readonly string[];
  readonly cleanup?: string | undefined;
  /** In place of what the replayed commit says. */
  readonly committer?: ((author: Ident) => Ident) | undefined;
  readonly author?: ((author: Ident) => Ident) | undefined;
}

/** One commit to be replayed. */
export interface ReplayStep {
  readonly verb: 'pick' | 'revert' | 'reword' | 'edit' | 'squash' | 'fixup';
  readonly commit: ObjectId;
  /** What reflogs say before the subject. */
  readonly reflog: string;
  /** HEAD is a stand-in for no commit at all: a commit made on it is a first one. */
  readonly isRoot?: boolean;
  /** The commit becomes part of HEAD: the message they have together, made once it is known that it applies. */
  readonly meld?: (() => MeldedMessage) | undefined;
}

/** The message of a commit others were made part of. */
export interface MeldedMessage {
  readonly text: string;
  /** A person has the last word. */
  readonly edits: boolean;
  readonly cleanup: CleanupMode;
}

/** 'done'; 'stopped' at a conflict, an empty commit or a hook; 'refused' before anything was changed. */
export type StepOutcome = 'done' | 'stopped' | 'refused';

/** The commit, and what it is called in conflicts. */
interface Source {
  readonly commit: Commit;
  readonly parent: ObjectId | undefined;
  readonly label: string;
  readonly parentLabel: string;
}

export class Replayer {
  readonly #repository: Repository;
  readonly #settings: ReplaySettings;

  constructor(repository: Repository, settings: ReplaySettings) {
    this.#repository = repository;
    this.#settings = settings;
  }

  /** Replays one commit. RefusedError when local changes or a merge commit stand against it; conflicts are told on standard output. */
  run(step: ReplayStep): StepOutcome {
    const repository = this.#repository;
    const { refs, context } = repository;
    const head = refs.find('HEAD')?.id;
    const isUnborn = head === undefined || step.isRoot === true;
    const source = this.#sourceOf(step);
    const ours = this.#ourTree(isUnborn ? undefined : head);
    if (this.#canForward(step, source, isUnborn ? undefined : head)) {
      this.#goForward(step, head);
      return step.verb === 'reword' ? this.#reword(step) : 'done';
    }
    const message = this.#messageOf(step, source);
    const meld = step.meld?.();
    const result = this.#merge(step, source, ours);
    if (result === undefined) return 'refused';
    const isRebase = this.#settings.action === 'rebase';
    if (!isRebase || !result.isClean) tellMerge(repository, result);
    replaceFile(this.#path('MERGE_MSG'), Buffer.from(result.isClean ? message : explainConflicts(repository, message, result), 'latin1'));
    if (step.verb === 'revert') {
      if (this.#settings.noCommit || !result.isClean) this.#note('REVERT_HEAD', step.commit);
    } else if (step.meld === undefined && !this.#settings.noCommit && (result.isClean || !isRebase)) this.#note('CHERRY_PICK_HEAD', step.commit);
    if (!result.isClean) {
      const what = step.verb === 'revert' ? 'revert' : 'apply';
      context.stderr.write(`error: could not ${what} ${repository.objects.abbreviate(step.commit, 7)}... ${Buffer.from(subjectOf(source.commit.message.toString('latin1')), 'latin1').toString()}\n`);
      this.#advise();
      return 'stopped';
    }
    if (this.#settings.noCommit) return 'done';
    return this.#conclude(step, source, meld, isUnborn ? undefined : head);
  }

  #path(name: string): string {
    return join(this.#repository.gitDirectory, name);
  }

  #note(name: 'CHERRY_PICK_HEAD' | 'REVERT_HEAD' | 'REBASE_HEAD', id: ObjectId): void {
    updateRef(this.#repository, { name: name as RefName, target: { id }, noDeref: true });
  }

  #advise(): void {
    const { action, noCommit } = this.#settings;
    const program = noCommit ? 'resolve the conflicts and add the paths' : `resolve the conflicts, add the paths, then say cairn ${action} --continue; or --skip, or --abort`;
    this.#repository.context.stderr.write(`hint: ${program}\n`);
  }

  #sourceOf({ commit: id }: ReplayStep): Source {
    const { objects } = this.#repository;
    const commit = objects.readCommit(id);
    const { mainline } = this.#settings;
    if (commit.parents.length > 1 && mainline === undefined) {
      throw new RefusedError(`commit ${id} is a merge but no -m option was given`, { code: 'merge-commit', hint: 'say with -m which parent it is compared with' });
    }
    const isWrong = commit.parents.length > 1 ? mainline! > commit.parents.length : (mainline ?? 1) > 1;
    if (isWrong) throw new RefusedError(`commit ${id} does not have parent ${mainline!}`, { code: 'merge-commit' });
    const label = `${objects.abbreviate(id, 7)} (${subjectOf(commit.message.toString('latin1'))})`;
    return { commit, parent: commit.parents[(mainline ?? 1) - 1], label, parentLabel: `parent of ${label}` };
  }

  /** The tree of HEAD, which the index must agree with; with noCommit what the index holds. */
  #ourTree(head: ObjectId | undefined): ObjectId {
    const repository = this.#repository;
    const { objects, format } = repository;
    const index = readIndex(repository);
    if (index.isUnmerged) {
      throw new RefusedError(`${this.#settings.action} is not possible because there are unmerged files`, { code: 'unmerged-index', hint: 'resolve and add what is in conflict' });
    }
    if (this.#settings.noCommit) return whileNaming(repository, () => writeTreeFromIndex(index, objects, { protection: readPathProtection(repository.config) }));
    const tree = head === undefined ? emptyTreeId(format) : objects.readCommit(head).tree;
    if (listStagedChanges(objects, tree, index).length > 0) {
      throw new RefusedError(`your local changes would be overwritten by ${this.#settings.action}`, { code: 'changes-in-the-way', hint: 'commit or stash them first' });
    }
    return tree;
  }

  #canForward({ verb }: ReplayStep, { parent }: Source, head: ObjectId | undefined): boolean {
    return this.#settings.allowsForward && !this.#settings.noCommit && verb !== 'squash' && verb !== 'fixup' && verb !== 'revert' && parent === head;
  }

  #goForward({ commit }: ReplayStep, head: ObjectId | undefined): void {
    const repository = this.#repository;
    const { objects, format } = repository;
    {
      using lock = lockIndex(repository);
      moveTrees(repository, lock, head === undefined ? emptyTreeId(format) : objects.readCommit(head).tree, objects.readCommit(commit).tree, 'keep', this.#settings.action);
      lock.write();
    }
    const action = repository.context.env['GIT_REFLOG_ACTION'] ?? this.#settings.action;
    updateRef(repository, { name: 'HEAD', expected: head ?? 'absent', target: { id: commit }, message: `${action}: fast-forward` });
  }

  #merge({ verb }: ReplayStep, { commit, parent, label, parentLabel }: Source, ours: ObjectId): MergeResult | undefined {
    const repository = this.#repository;
    const { objects, format } = repository;
    const parentTree = parent === undefined ? undefined : objects.readCommit(parent).tree;
    const shared = { ours: 'HEAD', ...parseStrategyOptions(this.#settings.strategyOptions) };
    using lock = lockIndex(repository);
    const result = verb === 'revert'
      ? mergeTrees(repository, commit.tree, ours, parentTree ?? emptyTreeId(format), { ...shared, base: label, theirs: parent === undefined ? '(empty tree)' : parentLabel })
      : mergeTrees(repository, parentTree ?? emptyTreeId(format), ours, commit.tree, { ...shared, base: parent === undefined ? '(empty tree)' : parentLabel, theirs: label });
    if (!this.#take(lock, ours, result)) return undefined;
    lock.write();
    return result;
  }

  /** False when something was in the way, which was told. */
  #take(lock: IndexLock, ours: ObjectId, result: MergeResult): boolean {
    try {
      takeMerge(this.#repository, lock, ours, result, 'merge');
      return true;
    } catch (error) {
      if (!(error instanceof RefusedError) || error.code !== 'changes-in-the-way') throw error;
      return false;
    }
  }

  #messageOf({ verb, commit: id }: ReplayStep, { commit, parent }: Source): string {
    const { signOff, recordsOrigin, refers } = this.#settings;
    let text = commit.message.toString('latin1').replace(/^(?:[ \t\r\f\v]*\n)+/, '');
    if (verb === 'revert') {
      const reference = (of: ObjectId): string => (refers ? this.#refer(of) : of);
      const title = refers ? '# *** SAY WHY WE ARE REVERTING ON THE TITLE LINE ***' : `Revert "${subjectOf(text)}"`;
      const reversing = commit.parents.length > 1 ? `, reversing\nchanges made to ${reference(parent!)}` : '';
      text = `${title}\n\nThis reverts commit ${reference(id)}${reversing}.\n`;
    } else if (recordsOrigin) text = appendOrigin(text, id);
    if (signOff && verb !== 'squash' && verb !== 'fixup') text = appendSignOff(text, personOf(committerIdent(this.#repository)));
    return text;
  }

  #refer(id: ObjectId): string {
    const { objects } = this.#repository;
    const commit = objects.readCommit(id);
    const date = new Date(commit.author.seconds * 1000 + offsetMinutes(commit.author.offset) * 60_000).toISOString().slice(0, 10);
    return `${objects.abbreviate(id, 7)} (${subjectOf(commit.message.toString('latin1'))}, ${date})`;
  }

  /** Commits what was merged, unless that comes to nothing. */
  #conclude(step: ReplayStep, source: Source, meld: MeldedMessage | undefined, head: ObjectId | undefined): StepOutcome {
    const repository = this.#repository;
    const { objects, context } = repository;
    const { allowsEmpty, keepsRedundant, dropsRedundant } = this.#settings;
    const index = readIndex(repository);
    const tree = this.#writeTree(index);
    const isUnchanged = tree === (head === undefined ? emptyTreeId(repository.format) : objects.readCommit(head).tree);
    let isAllowed = false;
    if (isUnchanged && allowsEmpty) {
      const wasEmpty = source.commit.tree === (source.commit.parents[0] === undefined ? emptyTreeId(repository.format) : objects.readCommit(source.commit.parents[0]).tree);
      isAllowed = keepsRedundant || wasEmpty;
      if (!isAllowed && dropsRedundant) {
        this.#forget();
        removeIfPresent(this.#path('AUTO_MERGE'));
        context.stderr.write(`dropping ${step.commit} ${Buffer.from(subjectOf(source.commit.message.toString('latin1')), 'latin1').toString()} -- patch contents already upstream\n`);
        return 'done';
      }
    }
    const amends = meld !== undefined;
    if (meld?.edits === true || (meld === undefined && this.#settings.edits)) return this.#commitByHand(step, meld, amends, isAllowed);
    const made = this.#record(step, source, meld, tree, head, isAllowed);
    if (made === 'empty') return this.#commitByHand(step, meld, amends, false);
    if (made === 'refused') return 'stopped';
    this.#forget();
    return step.verb === 'reword' ? this.#reword(step) : 'done';
  }

  #writeTree(index: Index): ObjectId {
    const { objects, config } = this.#repository;
    return whileNaming(this.#repository, () => writeTreeFromIndex(index, objects, { protection: readPathProtection(config) }));
  }

  /** What only an unfinished step needs. */
  #forget(): void {
    for (const name of ['CHERRY_PICK_HEAD', 'MERGE_MSG']) removeIfPresent(this.#path(name));
  }

  /** The commit, made without anybody's help. */
  #record(step: ReplayStep, source: Source, meld: MeldedMessage | undefined, tree: ObjectId, head: ObjectId | undefined, allowsEmpty: boolean): 'made' | 'empty' | 'refused' {
    const repository = this.#repository;
    const { objects, refs, format, config, context } = repository;
    const amended = meld === undefined || head === undefined ? undefined : objects.readCommit(head);
    const parents = amended === undefined ? (head === undefined ? [] : [head]) : amended.parents;
    const before = parents[0] === undefined ? emptyTreeId(format) : objects.readCommit(parents[0]).tree;
    if (!allowsEmpty && tree === before) return 'empty';
    let text = meld?.text ?? readFileSync(this.#path('MERGE_MSG'), 'latin1');
    text = cleanUpMessage(text, meld?.cleanup ?? this.#cleanup(), commentCharacter(config.get('core.commentchar'), text), true);
    const hooked = this.#runPrepareMessage(text, amended !== undefined);
    if (hooked === undefined) return 'refused';
    text = hooked;
    const original = amended?.author ?? (step.verb === 'revert' ? authorIdent(repository) : source.commit.author);
    const author = this.#settings.author?.(original) ?? original;
    const committer = this.#settings.committer?.(author) ?? committerIdent(repository);
    const id = whileNaming(repository, () => {
      const extraHeaders = amended?.extraHeaders.filter(({ key }) => !isSignatureHeader(key)) ?? [];
      const made = storeCommit(repository, { tree, parents, author, committer, message: text, extraHeaders }, findCommitSigner(repository));
      updateRef(repository, { name: 'HEAD', expected: refs.find('HEAD')?.id ?? 'absent', target: { id: made }, message: `${this.#action(step)}: ${firstLine(text)}` });
      return made;
    });
    runHook(repository, 'post-commit');
    if (amended !== undefined) runHook(repository, 'post-rewrite', { args: ['amend'], stdin: `${head!} ${id}\n` });
    if (this.#settings.action === 'rebase') return 'made';
    const commit = objects.readCommit(id);
    const state = { head, headCommit: undefined, branch: refs.headBranch(), merge: { mergeHeads: [], keepsAllParents: false, mergeMessage: undefined, squashMessage: undefined, cherryPickHead: undefined, revertHead: undefined, sequence: undefined } };
    const outcome = { kind: 'made', id, commit, state, run: undefined, warnings: [] } as const;
    context.stdout.write(Buffer.from(formatSummary(repository, outcome, measureCommit(repository, tree, parents[0]), true, false), 'latin1'));
    return 'made';
  }

  #action({ reflog }: ReplayStep): string {
    return this.#settings.action === 'rebase' ? reflog : this.#repository.context.env['GIT_REFLOG_ACTION'] ?? reflog;
  }

  #cleanup(): CleanupMode {
    const { signOff, recordsOrigin, cleanup } = this.#settings;
    const configured = this.#repository.config.get('commit.cleanup');
    if (cleanup !== undefined) return parseCleanupMode(cleanup);
    if (signOff || recordsOrigin) return 'whitespace';
    return configured === undefined || configured === 'default' || configured === 'scissors' ? 'verbatim' : parseCleanupMode(configured);
  }

  /** The message as the hook leaves it; undefined when it says no. */
  #runPrepareMessage(text: string, amends: boolean): string | undefined {
    const repository = this.#repository;
    if (findHook(repository, 'prepare-commit-msg') === undefined) return text;
    const path = this.#path('COMMIT_EDITMSG');
    replaceFile(path, Buffer.from(text, 'latin1'));
    const args = [pathForHook(repository, 'COMMIT_EDITMSG'), ...(amends ? ['commit', 'HEAD'] : ['message'])];
    if (runHook(repository, 'prepare-commit-msg', { args, env: { GIT_INDEX_FILE: repository.indexPath, GIT_EDITOR: ':' } }).exitCode !== 0) return undefined;
    return readFileSync(path, 'latin1');
  }

  /** As commit does it for a person. */
  #commitByHand(step: ReplayStep, meld: MeldedMessage | undefined, amends: boolean, allowsEmpty: boolean): StepOutcome {
    const original = step.verb === 'revert' ? undefined : this.#repository.objects.readCommit(step.commit).author;
    if (this.#settings.action === 'rebase') this.#note('REBASE_HEAD', step.commit);
    return concludeByHand(this.#repository, {
      content: { kind: 'index' }, amend: amends, allowEmpty: allowsEmpty, verify: false, postRewrite: true, action: this.#action(step),
      message: {
        ...(meld === undefined ? {} : { given: { kind: 'text', bytes: Buffer.from(meld.text, 'latin1') } }), edit: meld?.edits ?? this.#settings.edits,
        ...(this.#settings.cleanup === undefined ? {} : { cleanup: this.#settings.cleanup }), signOff: false, trailers: [], allowEmpty: !this.#settings.edits,
      },
      author: ({ headCommit }) => (amends ? headCommit!.author : this.#settings.author?.(original ?? authorIdent(this.#repository)) ?? original ?? authorIdent(this.#repository)),
    }, step.verb !== 'revert', this.#settings.action === 'rebase' && meld?.edits !== true);
  }

  /** The commit that was just made gets a message by hand. */
  #reword(step: ReplayStep): StepOutcome {
    return concludeByHand(this.#repository, {
      content: { kind: 'index' }, amend: true, allowEmpty: true, verify: true, postRewrite: true, action: this.#action(step),
      message: { edit: true, signOff: false, trailers: [], allowEmpty: false }, author: ({ headCommit }) => headCommit!.author,
    }, true);
  }
}

/** Makes a commit as a person would with commit, and prints what became of it. `isReused`: the author is somebody else's; `isQuiet`: only failure is told, and not on standard output. */
export function concludeByHand(repository: Repository, request: CommitRequest, isReused: boolean, isQuiet = false): StepOutcome {
  const { stdout, stderr } = repository.context;
  let outcome: CommitOutcome;
  try {
    outcome = makeCommit(repository, request);
  } catch (error) {
    if (!(error instanceof InvalidError) || (error.code !== 'editor-failed' && error.code !== 'no-editor')) throw error;
    outcome = { kind: 'stopped', reason: `error: ${error.message}` };
  }
  switch (outcome.kind) {
    case 'stopped':
      if (outcome.reason !== undefined) stderr.write(`${outcome.reason}\n`);
      return 'stopped';
    case 'unchanged':
      (isQuiet ? stderr : stdout).write(Buffer.from(explainUnchanged(repository, outcome.index), 'latin1'));
      return 'stopped';
    default: {
      if (isQuiet) return 'done';
      const size = measureCommit(repository, outcome.commit.tree, outcome.commit.parents[0]);
      stdout.write(Buffer.from(formatSummary(repository, outcome, size, isReused), 'latin1'));
      return 'done';
    }
  }
}

function personOf({ name, email }: Ident): string {
  return `${name} <${email}>`;
}

function firstLine(message: string): string {
  return Buffer.from(message.split('\n', 1)[0]!, 'latin1').toString();
}
