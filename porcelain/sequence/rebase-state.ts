// What a rebase keeps in <gitdir>/rebase-merge while it is under way: what is rebased and onto what, what is done and what is left, and what is
// needed to go on after a stop. The files are git's, so that each program goes on with what the other began.
//
// Every file is replaced as a whole. An item leaves the list before it is begun: what was begun last is the last line of `done`. If the power
// fails, --continue goes on behind it, --skip leaves out what it changed, and --abort goes back to `orig-head`.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { disk, makeDirectories, removeIfPresent, replaceFile } from '../../pack/disk.js';
import { CorruptError, RefusedError } from '../../pack/errors.js';
import { findFile, listDirectory } from '../../pack/file-lookup.js';
import type { Ident } from '../../pack/ident.js';
import { type ObjectId, isObjectId } from '../../pack/oid.js';
import { commentCharacter } from '../../plumbing/message.js';
import { updateRef } from '../../plumbing/refs/ref-transaction.js';
import type { RefName } from '../../plumbing/refs/ref-name.js';
import type { Repository } from '../../plumbing/repository.js';
import { type TodoItem, formatTodo, parseTodo } from './todo-list.js';

/** How commits are rebased. */
export interface RebaseOptions {
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly signOff: boolean;
  readonly committerDateIsAuthorDate: boolean;
  readonly ignoresDate: boolean;
  readonly empty: 'drop' | 'keep' | 'ask';
  readonly reschedulesExec: boolean;
  /** As typed after -X. */
  readonly strategyOptions: readonly string[];
}

/** What is rebased, and onto what. */
export interface RebaseBasics {
  /** The full name of the branch, or 'detached HEAD'. */
  readonly headName: string;
  readonly onto: ObjectId;
  readonly origHead: ObjectId;
  /** A stand-in for no commit at all, onto which a first commit is rebased. */
  readonly squashOnto: ObjectId | undefined;
}

/** The files by which a rebase is remembered. */
export class RebaseState {
  readonly #repository: Repository;
  readonly #directory: string;

  constructor(repository: Repository) {
    this.#repository = repository;
    this.#directory = join(repository.gitDirectory, 'rebase-merge');
  }

  get isUnderWay(): boolean {
    return existsSync(this.#directory);
  }

  path(name: string): string {
    return join(this.#directory, name);
  }

  has(name: string): boolean {
    return existsSync(this.path(name));
  }

  /** latin1; undefined when there is no such file. */
  find(name: string): string | undefined {
    return findFile(this.path(name))?.toString('latin1');
  }

  /** latin1. */
  write(name: string, text: string): void {
    makeDirectories(this.#directory);
    replaceFile(this.path(name), Buffer.from(text, 'latin1'));
  }

  remove(...names: readonly string[]): void {
    for (const name of names) removeIfPresent(this.path(name));
  }

  /** Writes down all that does not change. */
  begin({ headName, onto, origHead, squashOnto }: RebaseBasics, options: RebaseOptions): void {
    this.write('interactive', '');
    this.write('head-name', `${Buffer.from(headName).toString('latin1')}\n`);
    this.write('onto', `${onto}\n`);
    if (options.quiet) this.write('quiet', '');
    if (options.verbose) this.write('verbose', '');
    if (options.strategyOptions.length > 0) {
      this.write('strategy', 'ort\n');
      this.write('strategy_opts', `${options.strategyOptions.map((option) => ` --${option}`).join('')}\n`);
    }
    if (options.signOff) this.write('signoff', '--signoff\n');
    if (options.empty === 'drop') this.write('drop_redundant_commits', '');
    if (options.empty === 'keep') this.write('keep_redundant_commits', '');
    if (options.committerDateIsAuthorDate) this.write('cdate_is_adate', '');
    if (options.ignoresDate) this.write('ignore_date', '');
    this.write(options.reschedulesExec ? 'reschedule-failed-exec' : 'no-reschedule-failed-exec', '');
    if (squashOnto !== undefined) this.write('squash-onto', `${squashOnto}\n`);
    // Last: without it nothing has begun.
    this.write('orig-head', `${origHead}\n`);
  }

  /** CorruptError when what is there is no rebase of ours or git's. */
  readBasics(): RebaseBasics {
    const headName = this.find('head-name')?.replace(/\n+$/, '');
    if (headName === undefined) throw this.#damaged('head-name');
    return {
      headName: Buffer.from(headName, 'latin1').toString(), onto: this.#readId('onto'), origHead: this.#readId('orig-head'),
      squashOnto: this.has('squash-onto') ? this.#readId('squash-onto') : undefined,
    };
  }

  readOptions(): RebaseOptions {
    const words = (this.find('strategy_opts') ?? '').trim().split(/\s+/).filter((word) => word !== '').map((word) => word.replace(/^'?--|'$/g, ''));
    const strategy = this.find('strategy')?.trim();
    if (strategy !== undefined && strategy !== 'ort' && strategy !== 'recursive') {
      throw new RefusedError('this rebase was begun with a strategy that is not supported', { code: 'unsupported', hint: 'go on with git' });
    }
    return {
      quiet: this.has('quiet'), verbose: this.has('verbose'), signOff: this.has('signoff'), committerDateIsAuthorDate: this.has('cdate_is_adate'),
      ignoresDate: this.has('ignore_date'), empty: this.has('drop_redundant_commits') ? 'drop' : this.has('keep_redundant_commits') ? 'keep' : 'ask',
      reschedulesExec: this.has('reschedule-failed-exec'), strategyOptions: words,
    };
  }

  #readId(name: string): ObjectId {
    const text = this.find(name)?.trim();
    if (text === undefined || !isObjectId(text, this.#repository.format)) throw this.#damaged(name);
    return text;
  }

  #damaged(name: string): CorruptError {
    return new CorruptError(`'rebase-merge/${name}' does not hold what it should`, { code: 'bad-rebase-state', hint: 'say cairn rebase --abort, or --quit' });
  }

  // ---- the list

  readTodo(): TodoItem[] {
    return parseTodo(this.#repository, this.find('git-rebase-todo') ?? '', this.comment);
  }

  get comment(): string {
    return commentCharacter(this.#repository.config.get('core.commentchar'), '');
  }

  writeTodo(items: readonly TodoItem[]): void {
    this.write('git-rebase-todo', formatTodo(this.#repository, items, 'whole'));
  }

  noteDone(items: readonly TodoItem[]): void {
    if (items.length > 0) this.write('done', (this.find('done') ?? '') + formatTodo(this.#repository, items, 'whole'));
  }

  // ---- what became of commits

  /** A commit was replayed; what it became is known once nothing more is melded into it. */
  noteRewritten(old: ObjectId, isFinal: boolean): void {
    this.write('rewritten-pending', `${this.find('rewritten-pending') ?? ''}${old}\n`);
    if (isFinal) this.flushRewritten();
  }

  flushRewritten(): void {
    const pending = this.find('rewritten-pending');
    if (pending === undefined) return;
    const head = this.#repository.refs.find('HEAD')!.id;
    const lines = pending.split('\n').filter((line) => line !== '').map((line) => `${line} ${head}\n`).join('');
    this.write('rewritten-list', (this.find('rewritten-list') ?? '') + lines);
    this.remove('rewritten-pending');
  }

  // ---- the author of what is being replayed

  writeAuthor({ name, email, seconds, offset }: Ident): void {
    const quote = (text: string): string => `'${text.replaceAll('\'', '\'\\\'\'')}'`;
    this.write('author-script', `GIT_AUTHOR_NAME=${quote(name)}\nGIT_AUTHOR_EMAIL=${quote(email)}\nGIT_AUTHOR_DATE=${quote(`@${seconds} ${offset}`)}\n`);
  }

  findAuthor(): Ident | undefined {
    const text = this.find('author-script') ?? '';
    const read = (name: string): string | undefined => {
      const quoted = new RegExp(`^${name}='((?:[^']|'\\\\'')*)'$`, 'm').exec(text)?.[1];
      return quoted?.replaceAll('\'\\\'\'', '\'');
    };
    const [name, email] = [read('GIT_AUTHOR_NAME'), read('GIT_AUTHOR_EMAIL')];
    const date = /^@(\d+) ([+-]\d{4})$/.exec(read('GIT_AUTHOR_DATE') ?? '');
    return name === undefined || email === undefined || date === null ? undefined : { name, email, seconds: Number(date[1]), offset: date[2]! };
  }

  // ---- the end

  noteStopped(commit: ObjectId): void {
    this.write('stopped-sha', `${commit}\n`);
    updateRef(this.#repository, { name: 'REBASE_HEAD' as RefName, target: { id: commit }, noDeref: true });
  }

  forgetStopped(): void {
    removeIfPresent(join(this.#repository.gitDirectory, 'REBASE_HEAD'));
  }

  /** Forgets the rebase. */
  end(): void {
    for (const name of ['head-name', ...listDirectory(this.#directory)]) removeIfPresent(this.path(name));
    if (existsSync(this.#directory)) disk().rmdir(this.#directory);
  }
}
