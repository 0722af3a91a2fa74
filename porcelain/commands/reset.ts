// cairn reset: move the current branch, and with it the index and the work tree, or take paths back into the index.
import { RefusedError, UsageError } from '../../pack/errors.js';
import { emptyTreeId, type ObjectId } from '../../pack/oid.js';
import type { Arguments, Command } from '../../plumbing/command.js';
import { lockIndex } from '../../plumbing/index/index-lock.js';
import { subjectOf } from '../../plumbing/message.js';
import { readPathspecs } from '../../plumbing/pathspec-file.js';
import { Repository } from '../../plumbing/repository.js';
import { findRevision, resolveCommit, resolveTree } from '../../plumbing/history/revision.js';
import { choosingModes } from '../hunks/choosing-mode.js';
import { chooseHunks } from '../hunks/hunk-choosing.js';
import { restorePaths } from '../restoring.js';
import { type ResetMode, moveTrees, refresh, resetTo } from '../switching.js';

const modes: readonly ResetMode[] = ['soft', 'mixed', 'hard', 'merge', 'keep'];

export const command: Command = {
  name: 'reset',
  family: 'cairn',
  summary: 'move the current branch, or take paths back into the index',
  usage: ['reset [--soft | --mixed | --hard | --merge | --keep] [-q] [<commit>]', 'reset [-q] [<tree>] [--] <pathspec>...', 'reset -p [<tree>] [--] [<pathspec>...]'],
  options: [
    { name: 'soft', help: 'only the branch; index and files stay' },
    { name: 'mixed', help: 'the branch and the index; files stay (the default)' },
    { name: 'hard', help: 'the branch, the index and the files: local changes are gone' },
    { name: 'merge', help: 'as --hard, but keep what is changed in files and not in the index' },
    { name: 'keep', help: 'as --hard, but refuse when a changed file would have to change' },
    { name: 'patch', short: 'p', negatable: true, help: 'choose hunk by hunk what is taken back into the index' },
    { name: 'quiet', short: 'q', negatable: true, help: 'say nothing but errors' },
    { name: 'refresh', negatable: true, help: 'look which files are unchanged (the default)' },
    { name: 'pathspec-from-file', value: 'file', help: 'read pathspecs from this file; - is standard input' },
    { name: 'pathspec-file-nul', negatable: true, help: 'they end in NUL' },
  ],
  run(context, args) {
    const repository = Repository.open(context);
    const typed = modes.filter((name) => args.has(name));
    if (typed.length > 1) throw new UsageError(`--${typed[0]} and --${typed[1]} do not go together`);
    const { revision, paths } = split(repository, args);
    const refreshes = args.flag('refresh') !== false;
    const quiet = args.has('quiet') || repository.config.getBoolean('reset.quiet') === true;
    if (args.has('patch')) {
      if (typed.length > 0) throw new RefusedError(`--patch does not go with --${typed[0]}`, { code: 'bad-options' });
      const mode = revision === 'HEAD' ? choosingModes.unstage : choosingModes['apply-to-index'];
      chooseHunks(repository, { mode, tree: treeOf(repository, revision), paths });
      return 0;
    }
    if (paths.length > 0) {
      if (typed[0] !== undefined && typed[0] !== 'mixed') throw new UsageError(`cannot do a ${typed[0]} reset with paths`);
      restorePaths(repository, { tree: treeOf(repository, revision), paths, index: true, workTree: false, overlay: false, allowsUnmatched: true });
      if (!quiet && refreshes) tellChanged(repository);
      return 0;
    }
    const mode = args.lastOf(...modes) as ResetMode | undefined ?? 'mixed';
    if (mode !== 'soft' && mode !== 'mixed') repository.requireWorkTree();
    if (mode === 'mixed' && repository.isBare) throw new RefusedError('mixed reset is not possible in a bare repository', { code: 'bare' });
    if (repository.refs.find('HEAD') === undefined && revision === 'HEAD') return resetUnborn(repository, mode);
    const id = resolveCommit(repository, revision);
    const changed = resetTo(repository, id, mode, revision);
    if (quiet) return 0;
    if (mode === 'hard') {
      const subject = subjectOf(repository.objects.readCommit(id).message.toString('latin1'));
      context.stdout.write(Buffer.from(`HEAD is now at ${repository.objects.abbreviate(id, 7)} ${subject}\n`, 'latin1'));
    }
    if (refreshes) print(repository, changed);
    return 0;
  },
};

/** What comes first is a revision when it names one; everything after '--' is a path. */
function split(repository: Repository, args: Arguments): { readonly revision: string; readonly paths: readonly string[] } {
  const { before, after, dashes } = args.split();
  const [first, ...rest] = before;
  const fromFile = readPathspecs(repository.context, args, dashes ? after : []);
  if (first === undefined) return { revision: 'HEAD', paths: fromFile };
  if (dashes) {
    if (rest.length > 0) throw new UsageError('one revision at most before --');
    return { revision: first, paths: fromFile };
  }
  if (findRevision(repository, first) !== undefined || args.value('pathspec-from-file') !== undefined) return { revision: first, paths: [...rest, ...fromFile] };
  return { revision: 'HEAD', paths: before };
}

function treeOf(repository: Repository, revision: string): ObjectId {
  if (revision === 'HEAD' && repository.refs.find('HEAD') === undefined) return emptyTreeId(repository.format);
  return resolveTree(repository, revision);
}

/** Before the first commit there is only the index to empty. */
function resetUnborn(repository: Repository, mode: ResetMode): number {
  if (mode !== 'mixed' && mode !== 'hard') throw new RefusedError(`there is no commit to do a ${mode} reset to`, { code: 'no-head' });
  using lock = lockIndex(repository);
  if (mode === 'hard') moveTrees(repository, lock, undefined, emptyTreeId(repository.format), 'discard', 'reset');
  else lock.index.clear();
  lock.write();
  return 0;
}

function tellChanged(repository: Repository): void {
  if (repository.workTree === undefined) return;
  using lock = lockIndex(repository);
  print(repository, refresh(repository, lock));
}

function print({ context }: Repository, lines: readonly string[]): void {
  if (lines.length > 0) context.stdout.write(Buffer.from(`Unstaged changes after reset:\n${lines.join('')}`, 'latin1'));
}
