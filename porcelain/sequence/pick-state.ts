// What several commits to be picked or reverted leave in <gitdir>/sequencer while they are under way: where HEAD was, what is left to do, and
// how; git reads and writes the same. Every file is replaced as a whole, so that after a power cut each is the old or the new one.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { makeDirectories, removeIfPresent, replaceFile } from '../../pack/disk.js';
import { CorruptError, InvalidError, RefusedError } from '../../pack/errors.js';
import { findFile } from '../../pack/file-lookup.js';
import { type ObjectId, isObjectId, zeroId } from '../../pack/oid.js';
import { parseConfig, parseConfigBoolean } from '../../plumbing/config.js';
import { parseConfigKey, setInConfig } from '../../plumbing/config-file.js';
import { removeSequence } from '../../plumbing/merge/merge-state.js';
import { commentCharacter } from '../../plumbing/message.js';
import { readReflog } from '../../plumbing/refs/reflog.js';
import type { Repository } from '../../plumbing/repository.js';
import type { ReplaySettings } from './replay.js';
import { type TodoItem, formatTodo, parseTodo } from './todo-list.js';

function pathOf({ gitDirectory }: Repository, name: string): string {
  return join(gitDirectory, 'sequencer', name);
}

/** True while a sequence is under way. */
export function hasSequence(repository: Repository): boolean {
  return existsSync(pathOf(repository, 'todo'));
}

/** Begins a sequence. RefusedError when one is under way. */
export function beginSequence(repository: Repository, items: readonly TodoItem[], settings: ReplaySettings): void {
  if (hasSequence(repository)) {
    throw new RefusedError('a cherry-pick or revert is already in progress', { code: 'sequence-under-way', hint: 'say --continue, --skip, --abort or --quit' });
  }
  makeDirectories(join(repository.gitDirectory, 'sequencer'));
  const head = repository.refs.find('HEAD')?.id ?? zeroId(repository.format);
  replaceFile(pathOf(repository, 'head'), `${head}\n`);
  const options = formatSettings(settings);
  if (options !== '') replaceFile(pathOf(repository, 'opts'), options);
  noteHead(repository);
  writeSequence(repository, items);
}

/** What is left to do, that which is being done included. */
export function writeSequence(repository: Repository, items: readonly TodoItem[]): void {
  replaceFile(pathOf(repository, 'todo'), Buffer.from(formatTodo(repository, items, 'short'), 'latin1'));
}

/** Remembers where HEAD is: only from there an abort goes back. Nothing while no sequence is under way. */
export function noteHead(repository: Repository): void {
  if (!existsSync(join(repository.gitDirectory, 'sequencer'))) return;
  replaceFile(pathOf(repository, 'abort-safety'), `${repository.refs.find('HEAD')?.id ?? ''}\n`);
}

/** What is left; all of it picks or all of it reverts. */
export function readSequence(repository: Repository): TodoItem[] {
  const text = findFile(pathOf(repository, 'todo'))?.toString('latin1') ?? '';
  const items = parseTodo(repository, text, commentCharacter(repository.config.get('core.commentchar'), ''));
  if (items.length === 0) throw new InvalidError('the list of what is left to do is empty', { code: 'bad-todo' });
  return items;
}

/** Where HEAD was when the sequence began; undefined when none is under way, the zero id when there was no commit yet. */
export function findStartOfSequence({ format, ...repository }: Repository): ObjectId | undefined {
  const text = findFile(join(repository.gitDirectory, 'sequencer', 'head'))?.toString('latin1').trim();
  if (text === undefined) return undefined;
  if (!isObjectId(text, format)) throw new CorruptError("'sequencer/head' does not hold an object id", { code: 'bad-sequence' });
  return text;
}

/** False when HEAD was moved by somebody since the sequence stopped; a step that was interrupted right behind its commit is nobody. */
export function isHeadUntouched(repository: Repository): boolean {
  const noted = findFile(pathOf(repository, 'abort-safety'))?.toString('latin1').trim() ?? '';
  if (noted === (repository.refs.find('HEAD')?.id ?? '')) return true;
  return findBegun(repository) !== undefined && readReflog(repository, 'HEAD').at(-1)?.oldId === noted;
}

/** Notes that a commit is being replayed; undefined: no more. Whoever finds it later knows that the step was interrupted. */
export function noteBegun(repository: Repository, commit: ObjectId | undefined): void {
  if (!hasSequence(repository)) return;
  if (commit === undefined) removeIfPresent(pathOf(repository, 'begun'));
  else replaceFile(pathOf(repository, 'begun'), `${commit}\n`);
}

/** The commit whose replay was interrupted. */
function findBegun(repository: Repository): string | undefined {
  return findFile(pathOf(repository, 'begun'))?.toString('latin1').trim();
}

/** True when the first of `items` was begun, and interrupted before there was a commit. */
export function isInterrupted(repository: Repository, [first]: readonly TodoItem[]): boolean {
  const noted = findFile(pathOf(repository, 'abort-safety'))?.toString('latin1').trim() ?? '';
  return first?.commit !== undefined && findBegun(repository) === first.commit && noted === (repository.refs.find('HEAD')?.id ?? '');
}

/** Forgets the sequence. */
export function endSequence(repository: Repository): void {
  removeSequence(repository);
}

const flags: readonly (readonly [key: string, setting: 'noCommit' | 'edits' | 'allowsEmpty' | 'keepsRedundant' | 'signOff' | 'recordsOrigin' | 'allowsForward'])[] = [
  ['no-commit', 'noCommit'], ['edit', 'edits'], ['allow-empty', 'allowsEmpty'], ['keep-redundant-commits', 'keepsRedundant'],
  ['signoff', 'signOff'], ['record-origin', 'recordsOrigin'], ['allow-ff', 'allowsForward'],
];

function formatSettings(settings: ReplaySettings): string {
  let text = '';
  const set = (key: string, value: string): void => {
    text = setInConfig(text, parseConfigKey(`options.${key}`), value, 'opts', { add: true });
  };
  for (const [key, setting] of flags) {
    if (setting === 'edits') {
      if (settings.editAsked !== undefined) set(key, String(settings.editAsked));
    } else if (settings[setting]) set(key, 'true');
  }
  if (settings.mainline !== undefined) set('mainline', String(settings.mainline));
  for (const option of settings.strategyOptions) set('strategy-option', option);
  if (settings.cleanup !== undefined) set('default-msg-cleanup', settings.cleanup);
  return text;
}

/** How the sequence was begun; what it does not say comes from `defaults`. */
export function readSettings(repository: Repository, defaults: ReplaySettings): ReplaySettings {
  const bytes = findFile(pathOf(repository, 'opts'));
  const entries = bytes === undefined ? [] : parseConfig(bytes, 'sequencer/opts');
  const find = (key: string): string | undefined => entries.findLast(({ name }) => name === `options.${key}`)?.value;
  const given: { -readonly [setting in (typeof flags)[number][1]]?: boolean } = {};
  for (const [key, setting] of flags) {
    const value = find(key);
    if (value !== undefined) given[setting] = parseConfigBoolean(value) === true;
  }
  const strategyOptions = entries.flatMap(({ name, value }) => (name === 'options.strategy-option' && value !== undefined ? [value] : []));
  const mainline = find('mainline');
  return { ...defaults, ...given, editAsked: given.edits, strategyOptions, mainline: mainline === undefined ? undefined : Number(mainline), cleanup: find('default-msg-cleanup') };
}
