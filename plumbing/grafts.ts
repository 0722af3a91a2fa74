// Commits whose parents are said to be others than those stored: the boundaries of a shallow repository, which have none, and what
// info/grafts (or the file GIT_GRAFT_FILE names) says. Formats: gitrepository-layout(5).
//
// A line that is none is warned of and passed over. Nothing is written here.
import { join, resolve } from 'node:path';
import { findFile } from '../pack/file-lookup.js';
import { type ObjectId, isObjectId } from '../pack/oid.js';
import type { Repository } from './repository.js';

/** The parents of grafted commits. */
export type Grafts = ReadonlyMap<ObjectId, readonly ObjectId[]>;

export function readGrafts(repository: Repository): Grafts {
  const { commonDirectory, context, format } = repository;
  const grafts = new Map<ObjectId, readonly ObjectId[]>();
  const isId = (word: string): word is ObjectId => isObjectId(word, format);
  const named = context.env['GIT_GRAFT_FILE'];
  const path = named ? resolve(context.cwd, named) : join(commonDirectory, 'info/grafts');
  for (const line of findFile(path)?.toString('latin1').split('\n') ?? []) {
    const words = line.trimEnd().split(' ');
    if (line.startsWith('#') || words[0] === '') continue;
    const [commit, ...parents] = words;
    if (isId(commit!) && parents.every(isId)) grafts.set(commit, parents);
    else context.stderr.write(`error: bad graft data: ${line}\n`);
  }
  for (const line of findFile(join(commonDirectory, 'shallow'))?.toString('latin1').split('\n') ?? []) if (isId(line)) grafts.set(line, []);
  return grafts;
}

/** The parents that count. */
export function parentsOf(repository: Repository, commit: ObjectId, grafts: Grafts = readGrafts(repository)): readonly ObjectId[] {
  return grafts.get(commit) ?? repository.objects.readCommit(commit).parents;
}
