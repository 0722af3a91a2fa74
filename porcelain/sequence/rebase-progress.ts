// How far a rebase under way has come, for people to see: read from the files git keeps in <gitdir>/rebase-merge (or rebase-apply, which only
// git makes). Only reads, and takes whatever is there.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { findFile } from '../../pack/file-lookup.js';
import { isObjectId } from '../../pack/oid.js';
import { commentCharacter } from '../../plumbing/message.js';
import type { Repository } from '../../plumbing/repository.js';

/** All texts are latin1. */
export interface RebaseProgress {
  readonly isInteractive: boolean;
  /** Without refs/heads/; undefined when no branch is rebased. */
  readonly branch: string | undefined;
  readonly onto: string;
  /** Lines with short ids. */
  readonly done: readonly string[];
  readonly todo: readonly string[];
  /** The file that has all of what was done. */
  readonly donePath: string;
  /** What was replayed waits to be committed; otherwise a commit may be changed now. */
  readonly isReplaying: boolean;
  /** The commit to be changed was taken back. */
  readonly isSplitting: boolean;
}

/** Undefined when none is under way. */
export function findRebaseProgress(repository: Repository): RebaseProgress | undefined {
  const { gitDirectory, objects, format, refs, config } = repository;
  const name = existsSync(join(gitDirectory, 'rebase-merge')) ? 'rebase-merge' : existsSync(join(gitDirectory, 'rebase-apply', 'rebasing')) ? 'rebase-apply' : undefined;
  if (name === undefined) return undefined;
  const read = (file: string): string | undefined => findFile(join(gitDirectory, name, file))?.toString('latin1').replace(/\n+$/, '');
  const short = (word: string): string => (isObjectId(word, format) && objects.has(word) ? objects.abbreviate(word, 7) : word);
  const comment = commentCharacter(config.get('core.commentchar'), '');
  const lines = (file: string): string[] => (read(file) ?? '').split('\n').map((line) => line.trim()).filter((line) => line !== '' && !line.startsWith(comment))
    .map((line) => (/^(?:x|exec|l|label|t|reset|u|update-ref)[ \t]/.test(line) ? line : line.replace(/^(\S+[ \t]+)(\S+)/, (_all, verb: string, id: string) => verb + short(id))));
  const head = read('head-name') ?? '';
  const amend = read('amend');
  const noted = read('orig-head');
  return {
    isInteractive: existsSync(join(gitDirectory, name, 'interactive')), branch: head.startsWith('refs/heads/') ? head.slice('refs/heads/'.length) : undefined,
    onto: short(read('onto') ?? ''), done: lines('done'), todo: lines('git-rebase-todo'), donePath: shownDirectory(repository, name),
    isReplaying: !existsSync(join(gitDirectory, name, 'interactive')) || existsSync(join(gitDirectory, 'MERGE_MSG')),
    isSplitting: amend !== undefined && (amend === noted ? refs.find('HEAD')?.id !== amend : refs.find('ORIG_HEAD')?.id !== noted),
  };
}

function shownDirectory({ gitDirectory, workTree, context }: Repository, name: string): string {
  const path = join(gitDirectory, name, 'done');
  return workTree !== undefined && context.cwd === workTree && path.startsWith(`${workTree}/`) ? path.slice(workTree.length + 1) : path;
}
