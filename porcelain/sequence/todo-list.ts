// The list of what a sequence of commits to be replayed still has to do, one line each, as git writes it in sequencer/todo and
// rebase-merge/git-rebase-todo. Specified by git-rebase(1), "INTERACTIVE MODE". Texts are latin1, one character per byte; nothing touches a disk.
import { InvalidError } from '../../pack/errors.js';
import type { ObjectId } from '../../pack/oid.js';
import { findRevision, peel } from '../../plumbing/history/revision.js';
import { subjectOf } from '../../plumbing/message.js';
import type { Repository } from '../../plumbing/repository.js';

/** Those that name a commit first. */
const commitVerbs = ['pick', 'revert', 'reword', 'edit', 'squash', 'fixup', 'drop'] as const;
const otherVerbs = ['exec', 'break', 'noop'] as const;

export type CommitVerb = (typeof commitVerbs)[number];
export type TodoVerb = CommitVerb | (typeof otherVerbs)[number];

const letters: Readonly<Record<string, TodoVerb>> = {
  p: 'pick', r: 'reword', e: 'edit', s: 'squash', f: 'fixup', d: 'drop', x: 'exec', b: 'break',
};

export interface TodoItem {
  readonly verb: TodoVerb;
  /** What is replayed; undefined for what is no commit. */
  readonly commit: ObjectId | undefined;
  /** The subject or the command line. */
  readonly text: string;
}

/** Parses the lines that are no comments; InvalidError (code 'bad-todo') names the first that means nothing. */
export function parseTodo(repository: Repository, text: string, comment: string): TodoItem[] {
  const items: TodoItem[] = [];
  for (const [at, line] of text.split('\n').entries()) {
    const trimmed = line.replace(/^[ \t]+|[ \t\r]+$/g, '');
    if (trimmed === '' || trimmed.startsWith(comment)) continue;
    items.push(parseLine(repository, trimmed, at + 1));
  }
  return items;
}

function parseLine(repository: Repository, line: string, number: number): TodoItem {
  const bad = (why: string): InvalidError => new InvalidError(`invalid line ${number}: ${Buffer.from(line, 'latin1').toString()}${why}`, {
    code: 'bad-todo', hint: 'correct it with --edit-todo, then say --continue',
  });
  const [, word, rest] = /^(\S+)[ \t]*([^]*)$/.exec(line)!;
  const verb = letters[word!] ?? [...commitVerbs, ...otherVerbs].find((known) => known === word);
  if (verb === undefined) throw bad('');
  if (verb === 'noop' || verb === 'break') {
    if (rest !== '') throw bad(` (${verb} takes no arguments)`);
    return { verb, commit: undefined, text: '' };
  }
  if (rest === '') throw bad(` (missing arguments for ${verb})`);
  if (!isCommitVerb(verb)) return { verb, commit: undefined, text: rest! };
  const [, name, subject] = /^(\S+)[ \t]*([^]*)$/.exec(rest!)!;
  if (name!.startsWith('-')) throw bad(` (${name!} is not supported)`);
  const id = findRevision(repository, Buffer.from(name!, 'latin1').toString(), 'committish');
  const commit = id === undefined ? undefined : peel(repository, id, 'commit');
  if (commit === undefined) throw bad(` (could not parse '${name!}')`);
  if (verb !== 'drop' && verb !== 'revert' && repository.objects.readCommit(commit).parents.length > 1 && verb !== 'pick') throw bad(` (${verb} does not take merges)`);
  return { verb, commit, text: subject! };
}

function isCommitVerb(verb: TodoVerb): verb is CommitVerb {
  return (commitVerbs as readonly string[]).includes(verb);
}

/** True for what becomes part of the commit before it. */
export function isFixup(item: TodoItem | undefined): boolean {
  return item?.verb === 'fixup' || item?.verb === 'squash';
}

/** The lines; ids whole or as short as they can be. */
export function formatTodo({ objects }: Repository, items: readonly TodoItem[], ids: 'whole' | 'short'): string {
  return items.map(({ verb, commit, text }) => {
    const words = [verb, ...(commit === undefined ? [] : [ids === 'whole' ? commit : objects.abbreviate(commit, 7)]), ...(text === '' ? [] : [text])];
    return `${words.join(' ')}\n`;
  }).join('');
}

/** A commit to be replayed, with its subject as text. */
export function todoOf({ objects }: Repository, verb: CommitVerb, commit: ObjectId): TodoItem {
  return { verb, commit, text: subjectOf(objects.readCommit(commit).message.toString('latin1')) };
}
