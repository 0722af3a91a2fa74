// Merging the notes of another ref into those of this one: what only one side changed is taken; what both changed is decided by the
// strategy. Specified by "NOTES MERGE STRATEGIES" of git-notes(1). The ref moves once, to a commit whose notes are complete.
import { RefusedError, UsageError } from '../pack/errors.js';
import type { ObjectId } from '../pack/oid.js';
import type { NoteSet } from '../plumbing/history/note-set.js';
import type { Repository } from '../plumbing/repository.js';

const strategies = ['manual', 'ours', 'theirs', 'union', 'cat_sort_uniq'] as const;
export type NoteMergeStrategy = (typeof strategies)[number];

/** UsageError for a strategy that is none. */
export function parseNoteMergeStrategy(text: string): NoteMergeStrategy {
  const found = strategies.find((each) => each === text);
  if (found === undefined) throw new UsageError(`unknown notes merge strategy '${text}'`);
  return found;
}

/** Brings what changed from `base` to `remote` into `local`; gives a line for each note that both sides changed. RefusedError when such a note is to be merged by hand. */
export function mergeNotes(repository: Repository, base: NoteSet, local: NoteSet, remote: NoteSet, strategy: NoteMergeStrategy): string[] {
  const told: string[] = [];
  const targets = new Set([...base.list(), ...remote.list()].map(([target]) => target));
  for (const target of [...targets].sort()) {
    const [before, ours, theirs] = [base.find(target), local.find(target), remote.find(target)];
    if (before === theirs || ours === theirs) continue;
    if (before === ours) {
      take(local, target, theirs);
      continue;
    }
    if (strategy === 'manual') {
      throw new RefusedError(`both sides changed the note of '${target}', and notes are not merged by hand here`, { code: 'note-conflict', hint: 'choose with --strategy' });
    }
    told.push(`${words[strategy]} for ${target}`);
    if (strategy === 'theirs') take(local, target, theirs);
    else if (strategy !== 'ours' && theirs !== undefined) local.set(target, strategy === 'union' ? concatenateNotes(repository, ours, theirs) : joinSortedLines(repository, ours, theirs));
  }
  return told;
}

const words: Readonly<Record<Exclude<NoteMergeStrategy, 'manual'>, string>> = {
  ours: 'Using local notes', theirs: 'Using remote notes', union: 'Concatenating local and remote notes',
  cat_sort_uniq: 'Concatenating unique lines in local and remote notes',
};

function take(local: NoteSet, target: ObjectId, note: ObjectId | undefined): void {
  if (note === undefined) local.remove(target);
  else local.set(target, note);
}

/** Both notes, an empty line between them. */
export function concatenateNotes({ objects }: Repository, one: ObjectId | undefined, two: ObjectId): ObjectId {
  const added = objects.read(two).bytes;
  const before = one === undefined ? Buffer.alloc(0) : objects.read(one).bytes;
  if (added.length === 0 && one !== undefined) return one;
  if (before.length === 0) return two;
  const end = before.at(-1) === 10 ? before.length - 1 : before.length;
  return objects.write('blob', Buffer.concat([before.subarray(0, end), Buffer.from('\n\n'), added]));
}

/** The lines of both, each once, in order. */
export function joinSortedLines({ objects }: Repository, one: ObjectId | undefined, two: ObjectId): ObjectId {
  const linesOf = (id: ObjectId | undefined): string[] => (id === undefined ? [] : objects.read(id).bytes.toString('latin1').split('\n').filter((line) => line !== ''));
  const lines = [...new Set([...linesOf(one), ...linesOf(two)])].sort();
  return objects.write('blob', Buffer.from(lines.map((line) => `${line}\n`).join(''), 'latin1'));
}
