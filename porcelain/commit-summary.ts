// What a commit tells when it was made: branch, short id and subject, how much changed, and which files came and went, as git commit
// does. Beyond a thousand files only their number is told, since counting lines would take longer than the commit itself.
import type { Ident } from '../pack/ident.js';
import type { ObjectStore } from '../pack/object-store.js';
import type { ObjectId } from '../pack/oid.js';
import { formatMode } from '../pack/tree.js';
import { abbreviateId } from '../plumbing/objects/abbreviation.js';
import { formatDate } from '../plumbing/date.js';
import { isHuge, readSide } from '../plumbing/diff/diff-content.js';
import { type DiffEntry, diffTrees } from '../plumbing/diff/diff.js';
import type { Index } from '../plumbing/index/index-file.js';
import { subjectOf } from '../plumbing/message.js';
import { Pathspec } from '../plumbing/pathspec.js';
import { quotePath } from '../plumbing/quote.js';
import { branchName, encodeRefName } from '../plumbing/refs/ref-name.js';
import type { Repository } from '../plumbing/repository.js';
import { diffLines, isBinary } from '../plumbing/diff/text-diff.js';
import type { CommitOutcome } from './commit.js';
import { formatLong, noColors } from './status-format.js';
import { readStatus } from './status-report.js';

/** How much a commit changed; lines are not counted when that is too much. */
export interface CommitSize {
  readonly files: number;
  readonly lines: { readonly inserted: number; readonly deleted: number } | undefined;
  readonly entries: readonly DiffEntry[];
}

const mostCounted = 1000;

/** Compares with the first parent, or with nothing. */
export function measureCommit(repository: Repository, tree: ObjectId, parent: ObjectId | undefined): CommitSize {
  const { objects } = repository;
  const base = parent === undefined ? undefined : objects.readCommit(parent).tree;
  const changed = diffTrees(objects, base, tree, { recursive: true });
  if (changed.length > mostCounted) return { files: changed.length, lines: undefined, entries: [] };
  const entries = base === undefined ? changed : diffTrees(objects, base, tree, { recursive: true, renames: {} });
  let inserted = 0;
  let deleted = 0;
  for (const entry of entries) {
    const count = countLines(objects, entry);
    inserted += count.inserted;
    deleted += count.deleted;
  }
  return { files: entries.length, lines: { inserted, deleted }, entries };
}

function countLines(store: ObjectStore, entry: DiffEntry): { inserted: number; deleted: number } {
  const none = { inserted: 0, deleted: 0 };
  if (entry.old.id === entry.new.id || isHuge(store, entry.old) || isHuge(store, entry.new)) return none;
  const old = readSide(store, entry.old);
  const now = readSide(store, entry.new);
  if (isBinary(old) || isBinary(now)) return none;
  const changes = diffLines(old, now);
  return {
    inserted: changes.reduce((sum, { newCount }) => sum + newCount, 0),
    deleted: changes.reduce((sum, { oldCount }) => sum + oldCount, 0),
  };
}

/** The lines git commit prints, latin1. `showDate`: the author's date was taken over or given; `tellsRoot`: that a commit is a first one is told. */
export function formatSummary(
  repository: Repository, outcome: CommitOutcome & { readonly kind: 'made' }, size: CommitSize, showDate: boolean, tellsRoot = true,
): string {
  const { commit, id, state } = outcome;
  const branch = state.branch === undefined ? 'detached HEAD' : encodeRefName(branchName(state.branch) ?? state.branch);
  const root = tellsRoot && commit.parents.length === 0 ? ' (root-commit)' : '';
  const short = abbreviateId(repository, id);
  let text = `[${branch}${root} ${short}] ${subjectOf(commit.message.toString('latin1'))}\n`;
  if (person(commit.author) !== person(commit.committer)) text += ` Author: ${person(commit.author)}\n`;
  if (showDate) text += ` Date: ${formatDate(commit.author.seconds, commit.author.offset, 'default', repository.context.clock)}\n`;
  // As git: a merge is not compared.
  if (commit.parents.length > 1 || size.files === 0) return text;
  return text + formatSize(size) + size.entries.map(formatEntry).join('');
}

function person({ name, email }: Ident): string {
  return `${name} <${email}>`;
}

function formatSize({ files, lines }: CommitSize): string {
  let text = ` ${files} file${files === 1 ? '' : 's'} changed`;
  if (lines !== undefined) {
    const { inserted, deleted } = lines;
    if (inserted > 0 || deleted === 0) text += `, ${inserted} insertion${inserted === 1 ? '' : 's'}(+)`;
    if (deleted > 0 || inserted === 0) text += `, ${deleted} deletion${deleted === 1 ? '' : 's'}(-)`;
  }
  return `${text}\n`;
}

function formatEntry({ status, path, oldPath, old, new: now, score }: DiffEntry): string {
  const modes = old.mode !== now.mode ? ` mode change ${formatMode(old.mode)} => ${formatMode(now.mode)}` : '';
  switch (status) {
    case 'A': return ` create mode ${formatMode(now.mode)} ${quotePath(path)}\n`;
    case 'D': return ` delete mode ${formatMode(old.mode)} ${quotePath(path)}\n`;
    case 'R': case 'C': {
      const percent = Math.floor(((score ?? 0) * 100) / 60000);
      return ` ${status === 'R' ? 'rename' : 'copy'} ${formatRename(oldPath ?? path, path)} (${percent}%)\n${modes === '' ? '' : `${modes}\n`}`;
    }
    default: return modes === '' ? '' : `${modes} ${quotePath(path)}\n`;
  }
}

/** 'a => b', with what both have in common outside of braces: 'dir/{old => new}/file'. */
export function formatRename(from: string, to: string): string {
  if (quotePath(from) !== from || quotePath(to) !== to) return `${quotePath(from)} => ${quotePath(to)}`;
  let prefix = 0;
  for (let at = 0; at < from.length && from[at] === to[at]; at += 1) if (from[at] === '/') prefix = at + 1;
  let suffix = 0;
  // The prefix ends in a slash that the suffix may begin with.
  const least = prefix > 0 ? prefix - 1 : 0;
  const most = Math.min(from.length, to.length) - least;
  for (let back = 1; back <= most && from.at(-back) === to.at(-back); back += 1) if (from.at(-back) === '/') suffix = back;
  const middle = (path: string): string => path.slice(prefix, Math.max(prefix, path.length - suffix));
  if (prefix + suffix === 0) return `${from} => ${to}`;
  return `${from.slice(0, prefix)}{${middle(from)} => ${middle(to)}}${suffix === 0 ? '' : from.slice(from.length - suffix)}`;
}

/** Why there is nothing to commit, told by the status. */
export function explainUnchanged(repository: Repository, index: Index): string {
  if (repository.workTree === undefined) return 'nothing to commit\n';
  const { config, prefix } = repository;
  const options = {
    untracked: 'normal', ignored: 'no', pathspec: Pathspec.everything, renameScore: 30_000, countsAheadBehind: true, showsStash: false, ignoresNested: false,
  } as const;
  const { report: status } = readStatus(repository, index, options);
  return formatLong(status, {
    repository, options, nul: false, showsBranch: false, colors: noColors,
    prefix: config.getBoolean('status.relativepaths') === false ? '' : prefix,
    hints: config.getBoolean('advice.statushints') !== false,
  });
}
