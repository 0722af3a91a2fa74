// Commits whose parents are said to be others than those stored: the boundaries of a shallow repository, which have none, and what
// info/grafts (or the file GIT_GRAFT_FILE names) says. Formats: gitrepository-layout(5).
//
// A line of grafts that is none is warned of and passed over, one of boundaries is an error. Nothing is written here.
import { join, resolve } from 'node:path';
import { CorruptError } from '../../pack/errors.js';
import { findFile } from '../../pack/file-lookup.js';
import { type ObjectId, isObjectId } from '../../pack/oid.js';
import type { Repository } from '../repository.js';

/** The parents of grafted commits. */
export type Grafts = ReadonlyMap<ObjectId, readonly ObjectId[]>;

/** `keepsTrueParents`: grafts add parents and take none away, so that nothing is hidden but what lies behind boundaries. */
export function readGrafts(repository: Repository, { keepsTrueParents = false }: { readonly keepsTrueParents?: boolean } = {}): Grafts {
  const { commonDirectory, context, format, objects } = repository;
  const storedParents = (id: ObjectId): readonly ObjectId[] => (objects.findHeader(id)?.type === 'commit' ? objects.readCommit(id).parents : []);
  const grafts = new Map<ObjectId, readonly ObjectId[]>();
  const isId = (word: string): word is ObjectId => isObjectId(word, format);
  const named = context.env['GIT_GRAFT_FILE'];
  const path = named ? resolve(context.cwd, named) : join(commonDirectory, 'info/grafts');
  for (const line of findFile(path)?.toString('latin1').split('\n') ?? []) {
    const words = line.trimEnd().split(' ');
    if (line.startsWith('#') || words[0] === '') continue;
    const [commit, ...parents] = words;
    if (isId(commit!) && parents.every(isId)) grafts.set(commit, keepsTrueParents ? [...new Set([...storedParents(commit), ...parents])] : parents);
    else context.stderr.write(`error: bad graft data: ${line}\n`);
  }
  for (const line of findFile(shallowFile(repository))?.toString('latin1').split('\n') ?? []) {
    if (line === '') continue;
    if (!isId(line)) throw new CorruptError(`bad shallow line: ${line}`, { code: 'bad-shallow', hint: 'the file should hold one id of a commit per line' });
    grafts.set(line, []);
  }
  return grafts;
}

/** The file that names the boundaries: 'shallow' in the repository, unless GIT_SHALLOW_FILE names another. */
export function shallowFile({ commonDirectory, context }: Repository): string {
  const named = context.env['GIT_SHALLOW_FILE'];
  return named ? resolve(context.cwd, named) : join(commonDirectory, 'shallow');
}

/** The parents that count. */
export function parentsOf(repository: Repository, commit: ObjectId, grafts: Grafts = readGrafts(repository)): readonly ObjectId[] {
  return grafts.get(commit) ?? repository.objects.readCommit(commit).parents;
}
