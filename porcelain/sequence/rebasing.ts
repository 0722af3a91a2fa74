// Rebasing: going to another base, doing the listed commits again there, and bringing the branch along at the end. Specified by git-rebase(1);
// the single step is replay.ts, what is kept between commands is rebase-state.ts.
//
// HEAD is detached meanwhile; the branch moves once, when all is done, from where it was when the rebase began. So until the last step --abort
// brings everything back, whatever happened on the way.
import { join } from 'node:path';
import { removeIfPresent, replaceFile } from '../../pack/disk.js';
import { CairnError, ConflictError, InvalidError, RefusedError } from '../../pack/errors.js';
import type { Ident } from '../../pack/ident.js';
import { lazyModule } from '../../pack/lazy-module.js';
import { type ObjectId, emptyTreeId } from '../../pack/oid.js';
import { DiffRequest, diffOptions } from '../../plumbing/diff/diff-options.js';
import { diffTrees } from '../../plumbing/diff/diff.js';
import { parseArguments } from '../../plumbing/command.js';
import { formatOffset } from '../../plumbing/date.js';
import { runHook } from '../../plumbing/hooks.js';
import { committerIdent } from '../../plumbing/identity.js';
import { readIndex } from '../../plumbing/index/index-file.js';
import { lockIndex } from '../../plumbing/index/index-lock.js';
import { listStagedChanges } from '../../plumbing/index/staged-changes.js';
import { applyRefresh, scanWorkTree } from '../../plumbing/index/work-status.js';
import { WorkTree } from '../../plumbing/index/work-tree.js';
import { clearMergeState } from '../../plumbing/merge/merge-state.js';
import { holdLease, whileNaming } from '../../plumbing/refs/announcement.js';
import type { RefName } from '../../plumbing/refs/ref-name.js';
import { RefTransaction, updateRef } from '../../plumbing/refs/ref-transaction.js';
import type { Repository } from '../../plumbing/repository.js';
import { applyEntry, makeEntry, readEntry, storeEntry } from '../stash.js';
import { moveTrees, runPostCheckout } from '../switching.js';
import { editFile, findEditor } from '../terminal.js';
import { countMelded, endMelding, meldMessage } from './melded-message.js';
import { noteHead } from './pick-state.js';
import { type RebaseBasics, type RebaseOptions, RebaseState } from './rebase-state.js';
import { type StepOutcome, Replayer, concludeByHand } from './replay.js';
import { type TodoItem, formatTodo, isFixup, parseTodo } from './todo-list.js';

const childProcess = lazyModule<typeof import('node:child_process')>('node:child_process');

export interface RebaseRequest extends RebaseBasics {
  readonly ontoName: string;
  /** What is to be done; empty: nothing but going there. */
  readonly items: readonly TodoItem[];
  /** A person edits the list first. */
  readonly edits: boolean;
  /** Commits that would stay as they are, stay. */
  readonly allowsForward: boolean;
}

/** Whether the work tree or the index differ from what was committed; unmerged paths are listed on standard output. */
export function hasLocalChanges(repository: Repository): { readonly unstaged: boolean; readonly staged: boolean } {
  const { objects, refs, format } = repository;
  using lock = lockIndex(repository);
  const { index } = lock;
  const scan = scanWorkTree(new WorkTree(repository, index), index);
  if (applyRefresh(index, scan)) lock.write();
  repository.context.stdout.write(Buffer.from(scan.changes.map(({ kind, path }) => (kind === 'unmerged' ? `${path}: needs merge\n` : '')).join(''), 'latin1'));
  const head = refs.find('HEAD')?.id;
  const tree = head === undefined ? emptyTreeId(format) : objects.readCommit(head).tree;
  return { unstaged: scan.changes.length > 0, staged: listStagedChanges(objects, tree, index).length > 0 };
}

export class Rebase {
  readonly #repository: Repository;
  readonly #state: RebaseState;
  /** What reflogs begin with. */
  readonly #action: string;
  /** Commits that would stay as they are, stay. */
  #allowsForward = true;

  constructor(repository: Repository) {
    this.#repository = repository;
    this.#state = new RebaseState(repository);
    this.#action = repository.context.env['GIT_REFLOG_ACTION'] ?? 'rebase';
  }

  // ---- beginning

  /** Sets local changes aside until the end. */
  setAside(): void {
    const repository = this.#repository;
    const { refs, objects } = repository;
    if (readIndex(repository).isUnmerged) throw new RefusedError('cannot autostash', { code: 'unmerged-index', hint: 'resolve and add what is in conflict' });
    const id = whileNaming(repository, () => {
      const entry = makeEntry(repository, { message: 'autostash', untracked: 'no', stagedOnly: false, paths: [] });
      if (entry !== undefined) this.#state.write('autostash', `${entry.id}\n`);
      return entry?.id;
    });
    if (id === undefined) return;
    repository.context.stdout.write(`Created autostash: ${objects.abbreviate(id, 7)}\n`);
    using lock = lockIndex(repository);
    const { tree } = objects.readCommit(refs.find('HEAD')!.id);
    moveTrees(repository, lock, tree, tree, 'discard', 'reset');
    lock.write();
  }

  /** Begins; returns the exit code. */
  start(request: RebaseRequest, options: RebaseOptions): number {
    using _ = holdLease(this.#repository);
    const repository = this.#repository;
    this.#allowsForward = request.allowsForward;
    this.#state.begin(request, options);
    let items = request.items.length === 0 ? [{ verb: 'noop' as const, commit: undefined, text: '' }] : request.items;
    this.#state.write('git-rebase-todo.backup', formatTodo(repository, items, 'short'));
    if (request.edits) {
      const edited = this.#editAtFirst(items, request);
      if (typeof edited === 'number') return edited;
      items = edited;
    }
    let start = request.onto;
    let done = 0;
    if (request.allowsForward) {
      for (const { verb, commit } of items) {
        if (verb !== 'noop' && verb !== 'drop') {
          const parents = commit === undefined ? [] : repository.objects.readCommit(commit).parents;
          if (verb !== 'pick' || parents.length !== 1 || parents[0] !== start) break;
          start = commit!;
        }
        done += 1;
      }
    }
    const left = items.slice(done);
    this.#state.writeTodo(left);
    this.#state.noteDone(items.slice(0, done));
    if (done > 0 && isFixup(left[0])) this.#state.noteRewritten(start, false);
    if (!this.#checkOut(start, request)) return 1;
    this.#state.write('end', `${items.length}\n`);
    return this.#runAll(left, options, done, items.length);
  }

  #editAtFirst(items: readonly TodoItem[], request: RebaseRequest): readonly TodoItem[] | number {
    const repository = this.#repository;
    const { stderr } = repository.context;
    const giveUp = (why: string): number => {
      this.#bringBack();
      this.#state.end();
      stderr.write(`error: ${why}\n`);
      return 1;
    };
    let edited: string;
    try {
      edited = this.#edit(formatTodo(repository, items, 'short'));
    } catch (error) {
      if (!(error instanceof InvalidError)) throw error;
      return giveUp(error.message);
    }
    try {
      const found = parseTodo(repository, edited, this.#state.comment);
      if (found.length === 0) return giveUp('nothing to do');
      if (isFixup(found.find(({ verb }) => verb !== 'noop' && verb !== 'drop'))) throw new InvalidError('cannot squash without a commit before it', { code: 'bad-todo', hint: 'correct it with --edit-todo, then say --continue' });
      return found;
    } catch (error) {
      if (!(error instanceof InvalidError)) throw error;
      stderr.write(`error: ${error.message}\n${error.hint === undefined ? '' : `hint: ${error.hint}\n`}`);
      this.#checkOut(request.onto, request);
      return 1;
    }
  }

  /** Lets a person edit the list; returns what it holds then. */
  #edit(text: string): string {
    const { config, context } = this.#repository;
    const c = this.#state.comment;
    const help = [
      'One command a line, done from top to bottom; a line taken out leaves its commit out.', '',
      'p, pick <commit>     replay it', 'r, reword <commit>   replay it, with another message', 'e, edit <commit>     replay it, then stop',
      's, squash <commit>   make it part of the one before, with both messages', 'f, fixup <commit>    the same, with the message of the one before',
      'x, exec <command>    run it by the shell', 'b, break             stop', 'd, drop <commit>     leave it out',
    ].map((line) => `${c}${line === '' ? '' : ` ${line}`}\n`).join('');
    this.#state.write('git-rebase-todo', `${text}\n${help}`);
    const editor = context.env['GIT_SEQUENCE_EDITOR'] ?? config.get('sequence.editor') ?? findEditor(context, config);
    if (editor !== undefined) context.stdout.flush();
    editFile({ ...context, env: { ...context.env, ...(editor === undefined ? {} : { GIT_EDITOR: editor }) } }, config, this.#state.path('git-rebase-todo'));
    return this.#state.find('git-rebase-todo') ?? '';
  }

  /** HEAD goes there, on no branch. False when something is in the way; then everything is as before. */
  #checkOut(to: ObjectId, { ontoName, origHead }: RebaseRequest): boolean {
    const repository = this.#repository;
    const { objects, refs } = repository;
    const head = refs.find('HEAD')?.id;
    try {
      if (head === undefined) throw new RefusedError('could not determine HEAD revision', { code: 'no-head' });
      using lock = lockIndex(repository);
      moveTrees(repository, lock, objects.readCommit(head).tree, objects.readCommit(to).tree, 'keep', 'checkout');
      lock.write();
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      this.#bringBack();
      this.#state.end();
      repository.context.stderr.write(`error: ${error.message}\nerror: could not detach HEAD\n`);
      return false;
    }
    using transaction = new RefTransaction(repository);
    transaction.add({ name: 'ORIG_HEAD', target: { id: origHead } });
    transaction.add({ name: 'HEAD', expected: head!, target: { id: to }, noDeref: true, message: `${this.#action} (start): checkout ${ontoName}` }).commit();
    runPostCheckout(repository, head, to, true);
    return true;
  }

  /** Where nothing is to be rebased: goes to the branch or commit that was named. */
  goTo({ headName, origHead }: RebaseBasics, name: string): void {
    const repository = this.#repository;
    const { objects, refs } = repository;
    const head = refs.find('HEAD')?.id;
    {
      using lock = lockIndex(repository);
      moveTrees(repository, lock, head === undefined ? undefined : objects.readCommit(head).tree, objects.readCommit(origHead).tree, 'keep', 'checkout');
      lock.write();
    }
    const message = `${this.#action}: checkout ${name}`;
    this.#moveHead(headName, origHead, message);
    runPostCheckout(repository, head, origHead, true);
  }

  #moveHead(headName: string, id: ObjectId, message: string): void {
    const repository = this.#repository;
    if (headName.startsWith('refs/')) {
      updateRef(repository, { name: headName, target: { id }, noDeref: true, message });
      updateRef(repository, { name: 'HEAD', target: { symbolic: headName as RefName }, noDeref: true, message });
    } else updateRef(repository, { name: 'HEAD', target: { id }, noDeref: true, message });
  }

  // ---- doing what is listed

  #replayer(options: RebaseOptions): Replayer {
    const now = (): Ident => committerIdent(this.#repository);
    const { clock } = this.#repository.context;
    const { ignoresDate, committerDateIsAuthorDate } = options;
    return new Replayer(this.#repository, {
      action: 'rebase', noCommit: false, edits: false, signOff: options.signOff, recordsOrigin: false, refers: false,
      allowsForward: !(options.signOff || ignoresDate || committerDateIsAuthorDate) && this.#allowsForward, allowsEmpty: true,
      keepsRedundant: options.empty === 'keep', dropsRedundant: options.empty === 'drop', strategyOptions: options.strategyOptions,
      ...(ignoresDate ? { author: (author: Ident): Ident => ({ ...author, seconds: Math.floor(clock.nowMs() / 1000), offset: formatOffset(clock.offsetMinutes(clock.nowMs())) }) } : {}),
      ...(committerDateIsAuthorDate ? { committer: (author: Ident): Ident => ({ ...now(), seconds: author.seconds, offset: author.offset }) } : {}),
    });
  }

  #runAll(items: readonly TodoItem[], options: RebaseOptions, doneBefore: number, total: number): number {
    const { stderr } = this.#repository.context;
    const replayer = this.#replayer(options);
    for (let at = 0; at < items.length; at += 1) {
      const item = items[at]!;
      this.#state.writeTodo(items.slice(at + 1));
      this.#state.noteDone([item]);
      this.#state.write('msgnum', `${doneBefore + at + 1}\n`);
      if (!options.quiet) stderr.write(`Rebasing (${doneBefore + at + 1}/${total})\n`);
      this.#state.remove('message', 'author-script', 'stopped-sha', 'amend', 'patch');
      this.#state.forgetStopped();
      removeIfPresent(join(this.#repository.gitDirectory, 'MERGE_HEAD'));
      removeIfPresent(join(this.#repository.gitDirectory, 'AUTO_MERGE'));
      if (item.verb === 'break') {
        stderr.write(`Stopped at ${this.#repository.objects.abbreviate(this.#repository.refs.find('HEAD')!.id, 7)}\n`);
        return 0;
      }
      if (item.verb === 'exec') {
        const code = this.#execute(item.text);
        if (code !== 0) {
          if (options.reschedulesExec) this.#reschedule(items, at);
          return 1;
        }
        const reread = this.#state.readTodo();
        if (formatTodo(this.#repository, reread, 'whole') !== formatTodo(this.#repository, items.slice(at + 1), 'whole')) {
          return this.#runAll(reread, options, doneBefore + at + 1, doneBefore + at + 1 + reread.length);
        }
        continue;
      }
      if (item.commit === undefined || item.verb === 'drop') continue;
      const code = this.#replay(replayer, items, at);
      if (code !== undefined) return code;
    }
    return this.#finish(options);
  }

  /** Undefined: go on. */
  #replay(replayer: Replayer, items: readonly TodoItem[], at: number): number | undefined {
    const repository = this.#repository;
    const { refs, objects, context } = repository;
    const { verb, commit: id } = items[at]! as TodoItem & { readonly commit: ObjectId };
    if (verb === 'exec' || verb === 'break' || verb === 'noop' || verb === 'drop') return undefined;
    const head = refs.find('HEAD')!.id;
    const isFinal = isFixup(items[at]) && !isFixup(items.slice(at + 1).find((next) => next.verb !== 'noop'));
    this.#state.writeAuthor(objects.readCommit(id).author);
    const meld = verb === 'squash' || verb === 'fixup';
    // Who finds this later knows that the step was interrupted.
    this.#state.write('begun', `${id} ${head}\n`);
    let outcome: StepOutcome;
    try {
      outcome = replayer.run({
        verb, commit: id, reflog: `${this.#action} (${verb})`, isRoot: this.#state.has('squash-onto') && this.#state.readBasics().squashOnto === head,
        ...(meld ? { meld: () => meldMessage(repository, this.#state, verb, id, isFinal) } : {}),
      });
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      context.stderr.write(`error: ${error.message}\n`);
      outcome = 'refused';
    }
    if (outcome !== 'refused') noteHead(repository);
    this.#state.remove('begun');
    if (outcome === 'refused') this.#reschedule(items, at);
    if (outcome === 'done' && isFinal) endMelding(this.#state);
    if (verb === 'edit' || outcome !== 'done') {
      if (meld && outcome === 'stopped') this.#noteMeldedStop(isFinal);
      this.#notePatch(id);
      const isAmend = outcome === 'done' || (meld && outcome === 'stopped') || (verb === 'reword' && refs.find('HEAD')!.id === id);
      if (isAmend) this.#state.write('amend', `${refs.find('HEAD')!.id}\n`);
      const subject = Buffer.from(items[at]!.text, 'latin1').toString();
      if (outcome === 'done') context.stderr.write(`Stopped at ${objects.abbreviate(id, 7)}...  ${subject}\n`);
      else context.stderr.write(`Could not apply ${objects.abbreviate(id, 7)}... ${subject}\n`);
      return outcome === 'done' ? 0 : 1;
    }
    this.#state.noteRewritten(id, !isFixup(items[at + 1]));
    return undefined;
  }

  /** What a person is to commit when a commit could not be melded: the message both have. */
  #noteMeldedStop(isFinal: boolean): void {
    const text = this.#state.find('message-squash');
    if (text === undefined) return;
    this.#state.write('message', text);
    replaceFile(join(this.#repository.gitDirectory, 'MERGE_MSG'), Buffer.from(text, 'latin1'));
    if (isFinal && !this.#state.has('message-fixup')) replaceFile(join(this.#repository.gitDirectory, 'SQUASH_MSG'), Buffer.from(text, 'latin1'));
  }

  #reschedule(items: readonly TodoItem[], at: number): void {
    this.#repository.context.stderr.write('hint: the last command is put back on the list; correct what is wrong and say --continue\n');
    this.#state.writeTodo(items.slice(at));
    if (at > 0) this.#state.noteDone([items[at - 1]!]);
  }

  /** What a person who resolves wants to look at. */
  #notePatch(id: ObjectId): void {
    const repository = this.#repository;
    const { objects } = repository;
    const commit = objects.readCommit(id);
    this.#state.noteStopped(id);
    const request = new DiffRequest(repository, parseArguments({ options: diffOptions }, ['-p']), { porcelain: false, columns: 80 });
    const pieces: string[] = [];
    const parent = commit.parents[0];
    request.write(request.finish(diffTrees(objects, parent === undefined ? undefined : objects.readCommit(parent).tree, commit.tree, { recursive: true })), (text) => { pieces.push(text); });
    this.#state.write('patch', pieces.join(''));
    if (!this.#state.has('message')) this.#state.write('message', `${commit.message.toString('latin1').replace(/^(?:[ \t]*\n)+/, '')}\n`);
  }

  /** Runs a command line; its exit code, 1 also when it left changes. */
  #execute(command: string): number {
    const repository = this.#repository;
    const { context } = repository;
    context.stderr.write(`Executing: ${Buffer.from(command, 'latin1').toString()}\n`);
    context.stdout.flush();
    const result = childProcess().spawnSync('sh', ['-c', Buffer.from(command, 'latin1').toString()], {
      cwd: repository.workTree, env: context.env as NodeJS.ProcessEnv, input: '', maxBuffer: 1024 * 1024 * 1024,
    });
    if (result.error !== undefined) throw result.error;
    context.stdout.write(result.stdout);
    context.stderr.write(result.stderr);
    const code = result.status ?? 128;
    const changes = hasLocalChanges(repository);
    const isDirty = changes.unstaged || changes.staged;
    if (code !== 0) {
      context.stderr.write(`warning: execution failed: ${command}\n${isDirty ? 'and made changes to the index and/or the work tree\n' : ''}hint: correct it, then say --continue\n`);
      return code === 127 ? 1 : code;
    }
    if (!isDirty) return 0;
    context.stderr.write('warning: execution succeeded, but left changes to the index and/or the work tree\nhint: commit or stash them, then say --continue\n');
    return 1;
  }

  // ---- the end

  #finish(options: RebaseOptions): number {
    const repository = this.#repository;
    const { refs, context } = repository;
    const { headName, origHead, onto } = this.#state.readBasics();
    const head = refs.find('HEAD')!.id;
    if (headName.startsWith('refs/')) {
      const name = headName as RefName;
      try {
        // Interrupted right behind this, it is where it belongs.
        const isThere = head !== origHead && refs.find(name)?.id === head;
        if (!isThere) updateRef(repository, { name, expected: origHead, target: { id: head }, noDeref: true, message: `${this.#action} (finish): ${headName} onto ${onto}` });
      } catch (error) {
        if (!(error instanceof ConflictError)) throw error;
        throw new ConflictError(`'${headName}' has moved since the rebase began; what was rebased is at HEAD`, { code: 'branch-moved', cause: error });
      }
      updateRef(repository, { name: 'HEAD', target: { symbolic: name }, noDeref: true, message: `${this.#action} (finish): returning to ${headName}` });
    }
    this.#state.flushRewritten();
    const rewritten = this.#state.find('rewritten-list') ?? '';
    if (rewritten !== '') runHook(repository, 'post-rewrite', { args: ['rebase'], stdin: Buffer.from(rewritten, 'latin1') });
    this.#bringBack();
    if (!options.quiet) context.stderr.write(`Successfully rebased and updated ${headName}.\n`);
    this.#state.end();
    return 0;
  }

  /** Forgets the rebase, and brings back what was set aside. */
  end(): void {
    this.#state.forgetStopped();
    removeIfPresent(join(this.#repository.gitDirectory, 'AUTO_MERGE'));
    this.#bringBack();
    this.#state.end();
  }

  #bringBack(): void {
    const repository = this.#repository;
    const id = this.#state.find('autostash')?.trim();
    if (id === undefined) return;
    const { stderr } = repository.context;
    const entry = readEntry(repository, id);
    let isClean = false;
    try {
      isClean = applyEntry(repository, entry, { withIndex: false, isSilent: true });
    } catch (error) {
      if (!(error instanceof CairnError)) throw error;
      stderr.write(`error: ${error.message}\n`);
    }
    if (isClean) stderr.write('Applied autostash.\n');
    else {
      storeEntry(repository, entry.id, 'autostash');
      stderr.write('Applying autostash resulted in conflicts.\nYour changes are safe in the stash.\n');
    }
    this.#state.remove('autostash');
  }

  // ---- going on

  #requireUnderWay(): void {
    if (!this.#state.isUnderWay) throw new RefusedError('no rebase in progress?', { code: 'no-rebase' });
  }

  /** Commits what was resolved, and goes on. */
  continue(): number {
    using _ = holdLease(this.#repository);
    this.#requireUnderWay();
    const { stdout } = this.#repository.context;
    if (hasLocalChanges(this.#repository).unstaged) {
      stdout.write('You must edit all merge conflicts and then\nmark them as resolved using git add\n');
      return 1;
    }
    return this.#goOn();
  }

  #goOn(): number {
    const options = this.#state.readOptions();
    let items: readonly TodoItem[];
    try {
      items = this.#putBackInterrupted(this.#state.readTodo());
      if (!this.#commitStaged(options, items)) return 1;
    } catch (error) {
      if (!(error instanceof InvalidError) && !(error instanceof RefusedError)) throw error;
      this.#repository.context.stderr.write(`error: ${error.message}\n${error.hint === undefined ? '' : `hint: ${error.hint}\n`}`);
      return 1;
    }
    const stopped = this.#state.find('stopped-sha')?.trim();
    if (stopped !== undefined && stopped !== '') this.#state.noteRewritten(stopped as ObjectId, !isFixup(items[0]));
    const doneCount = (this.#state.find('done') ?? '').split('\n').filter((line) => line.trim() !== '').length;
    this.#state.write('end', `${doneCount + items.length}\n`);
    return this.#runAll(items, options, doneCount, doneCount + items.length);
  }

  /** A commit whose replay was interrupted before it came to anything is first on the list again. */
  #putBackInterrupted(items: readonly TodoItem[]): readonly TodoItem[] {
    const begun = this.#state.find('begun')?.trim().split(' ');
    this.#state.remove('begun');
    const done = (this.#state.find('done') ?? '').split('\n').filter((line) => line !== '');
    const isUntouched = begun !== undefined && begun[1] === this.#repository.refs.find('HEAD')?.id && !this.#state.has('stopped-sha') && !hasLocalChanges(this.#repository).staged;
    const [last] = isUntouched ? parseTodo(this.#repository, done.at(-1) ?? '', this.#state.comment) : [];
    if (last?.commit === undefined || last.commit !== begun![0]) return items;
    this.#state.writeTodo([last, ...items]);
    this.#state.write('done', done.slice(0, -1).map((line) => `${line}\n`).join(''));
    return [last, ...items];
  }

  /** What was resolved becomes a commit, or part of the one it was to be melded into. */
  #commitStaged(options: RebaseOptions, items: readonly TodoItem[]): boolean {
    const repository = this.#repository;
    const { refs, gitDirectory } = repository;
    const isClean = !hasLocalChanges(repository).staged;
    if (!isClean && !this.#state.has('message')) {
      throw new RefusedError('there are staged changes, and no commit they belong to', { code: 'staged-changes', hint: 'commit them, with --amend if they belong to the last commit, then say --continue' });
    }
    const amended = this.#state.find('amend')?.trim();
    const head = refs.find('HEAD')!.id;
    let isFinal = false;
    let isEdited = true;
    if (amended !== undefined) {
      if (!isClean && amended !== head) throw new RefusedError('there are uncommitted changes', { code: 'staged-changes', hint: 'commit them first, then say --continue' });
      if (isClean && countMelded(this.#state) > 0) {
        if (amended !== head || !this.#state.has('stopped-sha')) {
          if (!isFixup(items[0])) endMelding(this.#state);
        } else [isFinal, isEdited] = this.#leaveOutMelded(items);
      }
    }
    if (isClean) {
      removeIfPresent(join(gitDirectory, 'CHERRY_PICK_HEAD'));
      removeIfPresent(join(gitDirectory, 'MERGE_MSG'));
      if (!isFinal) return true;
    }
    const author = this.#state.findAuthor();
    const text = isFinal ? undefined : this.#state.find('message');
    const outcome = concludeByHand(repository, {
      content: { kind: 'index' }, amend: amended !== undefined, allowEmpty: true, verify: false, postRewrite: true, action: `${this.#action} (continue)`,
      message: {
        ...(text === undefined ? {} : { given: { kind: 'text', bytes: Buffer.from(text, 'latin1') } }), edit: isEdited, ...(isEdited ? {} : { cleanup: 'strip' }),
        signOff: false, trailers: [], allowEmpty: false,
      },
      author: ({ headCommit }) => (amended !== undefined ? headCommit!.author : author ?? committerIdent(repository)),
    }, amended !== undefined || options.ignoresDate);
    if (outcome !== 'done') throw new RefusedError('could not commit staged changes', { code: 'not-committed' });
    this.#state.remove('amend');
    removeIfPresent(join(gitDirectory, 'MERGE_HEAD'));
    removeIfPresent(join(gitDirectory, 'AUTO_MERGE'));
    if (isFinal) this.#state.remove('message-fixup', 'message-squash');
    if (countMelded(this.#state) > 0) this.#state.remove('current-fixups');
    return true;
  }

  /** The commit that could not be melded was skipped: whether the message is to be cleaned up now, and by whom. */
  #leaveOutMelded(items: readonly TodoItem[]): [isFinal: boolean, isEdited: boolean] {
    const kept = (this.#state.find('current-fixups') ?? '').split('\n').filter((line) => line !== '').slice(0, -1);
    this.#state.write('current-fixups', kept.join('\n'));
    if (isFixup(items[0])) return [false, true];
    if (kept.length === 0) return [false, true];
    return [true, kept.some((line) => line.startsWith('squash '))];
  }

  /** Leaves out the commit that stopped the rebase, and goes on. */
  skip(): number {
    using _ = holdLease(this.#repository);
    this.#requireUnderWay();
    this.#state.remove('begun');
    this.#discard(this.#repository.refs.find('HEAD')!.id);
    clearMergeState(this.#repository);
    return this.#goOn();
  }

  #discard(to: ObjectId): void {
    const repository = this.#repository;
    using lock = lockIndex(repository);
    const { tree } = repository.objects.readCommit(to);
    moveTrees(repository, lock, tree, tree, 'discard', 'reset');
    lock.write();
  }

  /** Brings everything back to where it was. */
  abort(): void {
    this.#requireUnderWay();
    const repository = this.#repository;
    if (!this.#state.has('orig-head')) {
      this.end();
      return;
    }
    const { headName, origHead } = this.#state.readBasics();
    const isBranch = headName.startsWith('refs/');
    this.#discard(origHead);
    const message = `${this.#action} (abort): returning to ${isBranch ? headName : origHead}`;
    this.#moveHead(headName, origHead, message);
    clearMergeState(repository);
    this.end();
  }

  /** Forgets the rebase; HEAD, index and files stay. What was set aside goes to the stash. */
  quit(): void {
    this.#requireUnderWay();
    const repository = this.#repository;
    const id = this.#state.find('autostash')?.trim();
    if (id !== undefined) storeEntry(repository, readEntry(repository, id).id, 'autostash');
    this.#state.end();
  }

  /** Lets a person edit what is left; InvalidError when it means nothing afterwards. */
  editTodo(): void {
    this.#requireUnderWay();
    const { comment } = this.#state;
    const kept = (this.#state.find('git-rebase-todo') ?? '').split('\n').filter((line) => line.trim() !== '' && !line.startsWith(comment));
    const before = kept.map((line) => `${line}\n`).join('');
    let edited: string;
    try {
      edited = this.#edit(before);
    } catch (error) {
      this.#state.write('git-rebase-todo', before);
      throw error;
    }
    this.#state.writeTodo(parseTodo(this.#repository, edited, comment));
  }

  get isUnderWay(): boolean {
    return this.#state.isUnderWay;
  }
}
