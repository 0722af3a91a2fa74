// cairn restore: bring files back from the index or from a commit. The work is done in ../restoring.ts.
import { RefusedError, UsageError } from '../../pack/errors.js';
import { emptyTreeId, type ObjectId } from '../../pack/oid.js';
import type { Command } from '../../plumbing/command.js';
import { readPathspecs } from '../../plumbing/pathspec-file.js';
import { Repository } from '../../plumbing/repository.js';
import { peel } from '../../plumbing/history/revision.js';
import { resolveStart } from '../branch.js';
import { resolveTree } from '../../plumbing/history/revision.js';
import { choosingModes } from '../hunks/choosing-mode.js';
import { chooseHunks } from '../hunks/hunk-choosing.js';
import { restorePaths } from '../restoring.js';

export const command: Command = {
  name: 'restore',
  family: 'cairn',
  summary: 'bring files back from the index or from a commit',
  usage: ['restore [--staged] [--worktree] [--source=<tree>] [--ours | --theirs] [--] <pathspec>...', 'restore -p [--staged] [--worktree] [--source=<tree>] [--] [<pathspec>...]'],
  options: [
    { name: 'source', short: 's', value: 'tree', help: 'take them from here' },
    { name: 'staged', short: 'S', negatable: true, help: 'bring back the index (from HEAD unless there is a source)' },
    { name: 'worktree', short: 'W', negatable: true, help: 'bring back files (the default)' },
    { name: 'patch', short: 'p', negatable: true, help: 'choose hunk by hunk what is brought back' },
    { name: 'ours', help: 'of unmerged paths take our version' },
    { name: 'theirs', help: 'of unmerged paths take their version' },
    { name: 'ignore-unmerged', negatable: true, help: 'pass unmerged paths over' },
    { name: 'overlay', negatable: true, help: 'keep files the source does not have' },
    { name: 'quiet', short: 'q', negatable: true, help: 'say nothing but errors' },
    { name: 'pathspec-from-file', value: 'file', help: 'read pathspecs from this file; - is standard input' },
    { name: 'pathspec-file-nul', negatable: true, help: 'they end in NUL' },
  ],
  run(context, args) {
    const repository = Repository.open(context);
    const paths = readPathspecs(context, args);
    if (paths.length === 0 && !args.has('patch')) throw new UsageError('you must specify path(s) to restore');
    const staged = args.has('staged');
    const workTree = args.flag('worktree') ?? !staged;
    if (!staged && !workTree) throw new UsageError('neither --staged nor --worktree was asked for');
    const side = args.lastOf('ours', 'theirs');
    const source = args.value('source');
    if ((side !== undefined || args.has('ignore-unmerged')) && (staged || source !== undefined)) {
      throw new RefusedError('--ours, --theirs and --ignore-unmerged are only about what is taken from the index', { code: 'bad-options' });
    }
    if (args.has('patch')) {
      if (side !== undefined || args.has('ignore-unmerged')) throw new RefusedError('--patch does not go with unmerged paths', { code: 'bad-options' });
      return choose(repository, { source, staged, workTree, paths });
    }
    if (staged && !workTree && args.has('overlay')) throw new UsageError('--overlay is about files of the work tree');
    const unmerged = side === 'ours' ? 2 as const : side === 'theirs' ? 3 as const : args.has('ignore-unmerged') ? 'skip' as const : undefined;
    restorePaths(repository, {
      tree: source !== undefined ? readTree(repository, source) : staged ? headTree(repository) : undefined,
      paths, index: staged, workTree, overlay: args.has('overlay'), ...(unmerged === undefined ? {} : { unmerged }),
    });
    return 0;
  },
};

function choose(
  repository: Repository, { source, staged, workTree, paths }: { readonly source: string | undefined; readonly staged: boolean; readonly workTree: boolean; readonly paths: readonly string[] },
): number {
  if (!staged && source === undefined) {
    chooseHunks(repository, { mode: choosingModes['discard-from-files'], paths });
    return 0;
  }
  const isHead = source === undefined || source === 'HEAD';
  const name = !staged ? isHead ? 'discard-from-head' : 'apply-to-files' : workTree ? isHead ? 'discard-from-both' : 'apply-to-both' : isHead ? 'unstage' : 'apply-to-index';
  chooseHunks(repository, { mode: choosingModes[name], tree: isHead ? headTree(repository) : readTree(repository, source), paths });
  return 0;
}

function readTree(repository: Repository, source: string): ObjectId {
  return source.includes('...') ? peel(repository, resolveStart(repository, source), 'tree')! : resolveTree(repository, source);
}

function headTree(repository: Repository): ObjectId {
  return repository.refs.find('HEAD') === undefined ? emptyTreeId(repository.format) : resolveTree(repository, 'HEAD');
}
