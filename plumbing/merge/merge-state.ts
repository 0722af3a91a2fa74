// What an unfinished merge, cherry-pick or revert left for the commit that concludes it: MERGE_HEAD, MERGE_MSG, MERGE_MODE, SQUASH_MSG,
// CHERRY_PICK_HEAD, REVERT_HEAD in the repository's directory (gitrepository-layout(5)).
//
// They are cleared after the branch has moved. If the power fails in between, the same merge can be concluded once more or be
// given up; nothing is lost.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { disk, removeIfPresent } from '../../pack/disk.js';
import { CorruptError } from '../../pack/errors.js';
import { findFile, listDirectory } from '../../pack/file-lookup.js';
import { type ObjectId, isObjectId } from '../../pack/oid.js';
import type { Repository } from '../repository.js';

export interface MergeState {
  /** Further parents of the commit to come; empty when no merge is under way. */
  readonly mergeHeads: readonly ObjectId[];
  /** Keep parents that are reachable from others. */
  readonly keepsAllParents: boolean;
  /** Prepared messages, latin1. */
  readonly mergeMessage: string | undefined;
  readonly squashMessage: string | undefined;
  readonly cherryPickHead: ObjectId | undefined;
  readonly revertHead: ObjectId | undefined;
  /** Several commits are being picked or reverted. */
  readonly sequence: 'pick' | 'revert' | undefined;
}

const stateFiles = ['MERGE_HEAD', 'MERGE_MSG', 'MERGE_MODE', 'MERGE_RR', 'SQUASH_MSG', 'CHERRY_PICK_HEAD', 'REVERT_HEAD', 'AUTO_MERGE'] as const;

/** CorruptError when a file does not hold what it should. */
export function readMergeState(repository: Repository): MergeState {
  return {
    mergeHeads: readIds(repository, 'MERGE_HEAD'),
    keepsAllParents: readState(repository, 'MERGE_MODE')?.trim() === 'no-ff',
    mergeMessage: readState(repository, 'MERGE_MSG'),
    squashMessage: readState(repository, 'SQUASH_MSG'),
    cherryPickHead: readIds(repository, 'CHERRY_PICK_HEAD')[0],
    revertHead: readIds(repository, 'REVERT_HEAD')[0],
    sequence: readSequenceKind(repository),
  };
}

/** Forgets the unfinished operation, and the sequence of commits that it was the last of. */
export function clearMergeState(repository: Repository): void {
  const { cherryPickHead, revertHead } = readMergeState(repository);
  if ((cherryPickHead ?? revertHead) !== undefined && isLastOfSequence(repository)) removeSequence(repository);
  for (const name of stateFiles) removeIfPresent(join(repository.gitDirectory, name));
}

function readSequenceKind({ gitDirectory }: Repository): MergeState['sequence'] {
  const word = /^\s*(p(?:ick)?|revert)[ \t]/.exec(findFile(join(gitDirectory, 'sequencer', 'todo'))?.toString('latin1') ?? '')?.[1];
  return word === undefined ? undefined : word === 'revert' ? 'revert' : 'pick';
}

/** True when no more than one commit is left to be picked or reverted. */
function isLastOfSequence({ gitDirectory }: Repository): boolean {
  const todo = findFile(join(gitDirectory, 'sequencer', 'todo'));
  if (todo === undefined) return false;
  const end = todo.indexOf(10);
  return end < 0 || end === todo.length - 1;
}

/** Forgets commits that are still to be picked or reverted. */
export function removeSequence({ gitDirectory }: Repository): void {
  const directory = join(gitDirectory, 'sequencer');
  // What says that there is a sequence goes first.
  for (const name of ['todo', ...listDirectory(directory)]) removeIfPresent(join(directory, name));
  if (existsSync(directory)) disk().rmdir(directory);
}

function readState(repository: Repository, name: (typeof stateFiles)[number]): string | undefined {
  return findFile(join(repository.gitDirectory, name))?.toString('latin1');
}

function readIds(repository: Repository, name: (typeof stateFiles)[number]): ObjectId[] {
  const lines = readState(repository, name)?.split('\n').filter((line) => line !== '') ?? [];
  return lines.map((line) => {
    const id = line.split(/[ \t]/, 1)[0]!;
    if (!isObjectId(id, repository.format)) throw new CorruptError(`'${name}' does not hold object ids`, { code: 'bad-merge-state' });
    return id;
  });
}
