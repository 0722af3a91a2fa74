// merge-base: the best common ancestors of commits. See git-merge-base(1).
import { InvalidError, NotFoundError, UsageError } from '../../pack/errors.js';
import type { ObjectId } from '../../pack/oid.js';
import type { Arguments, Command, Context } from '../command.js';
import { forkPoint, isAncestor, mergeBases, octopusBases, removeRedundant } from '../history/merge-base.js';
import { Repository } from '../repository.js';
import { expandBranchName, resolveCommit } from '../history/revision.js';

export const command: Command = {
  name: 'merge-base',
  family: 'git',
  summary: 'find the best common ancestors of commits',
  usage: [
    'merge-base [-a | --all] <commit> <commit>...', 'merge-base [-a | --all] --octopus <commit>...', 'merge-base --is-ancestor <commit> <commit>',
    'merge-base --independent <commit>...', 'merge-base --fork-point <ref> [<commit>]',
  ],
  options: [
    { name: 'all', short: 'a', negatable: true, help: 'print all of them, not just one' },
    { name: 'octopus', help: 'common ancestors of all the commits' },
    { name: 'independent', help: 'the commits that cannot be reached from the others' },
    { name: 'is-ancestor', help: 'exit with 0 when the first is an ancestor of the second, else with 1' },
    { name: 'fork-point', help: 'where a commit forked off a ref, by its reflog' },
  ],
  run(context: Context, args: Arguments): number {
    const repository = Repository.open(context);
    const { before, after } = args.split();
    const words = [...before, ...after];
    const show = (ids: readonly ObjectId[]): number => {
      const shown = args.has('all') || args.has('independent') ? ids : ids.slice(0, 1);
      for (const id of shown) context.stdout.write(`${id}\n`);
      return ids.length === 0 ? 1 : 0;
    };
    const modes = ['octopus', 'independent', 'is-ancestor', 'fork-point'].filter((name) => args.has(name));
    if (modes.length > 1) throw new UsageError(`--${modes[0]} and --${modes[1]} cannot be used together`);
    if (args.has('is-ancestor') && words.length < 2) throw new UsageError('too few commits are given');
    if (args.has('all') && (args.has('is-ancestor') || args.has('independent'))) throw new InvalidError(`--${modes[0]} cannot be used with --all`, { code: 'bad-options' });
    if (args.has('is-ancestor')) {
      if (words.length > 2) throw new InvalidError('--is-ancestor takes exactly two commits', { code: 'bad-options' });
      return isAncestor(repository, resolveCommit(repository, words[0]!), resolveCommit(repository, words[1]!)) ? 0 : 1;
    }
    if (args.has('fork-point')) {
      if (words.length < 1 || words.length > 2) throw new UsageError('--fork-point takes a ref and at most one commit');
      const branch = expandBranchName(repository, words[0]!);
      const [name, another] = branch === undefined ? [] : repository.refs.listExpansions(branch);
      if (name === undefined) throw new NotFoundError(`no such ref: '${words[0]!}'`, { code: 'no-ref' });
      if (another !== undefined) throw new InvalidError(`ambiguous refname: '${words[0]!}'`, { code: 'ambiguous-ref' });
      const found = forkPoint(repository, name, resolveCommit(repository, words[1] ?? 'HEAD'));
      return show(found === undefined ? [] : [found]);
    }
    if (words.length < 2 && !args.has('octopus') && !args.has('independent')) throw new UsageError('too few commits are given');
    const ids = words.map((word) => resolveCommit(repository, word));
    if (args.has('octopus')) return show(octopusBases(repository, ids));
    if (args.has('independent')) return show(removeRedundant(repository, ids));
    return show(mergeBases(repository, ids[0]!, ids.slice(1)));
  },
};
