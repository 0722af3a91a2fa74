// cairn hook: runs a hook of the repository, as the commands that have hooks do.
import { UsageError } from '../../pack/errors.js';
import type { Command } from '../../plumbing/command.js';
import { findHook, runHook } from '../../plumbing/hooks.js';
import { Repository } from '../../plumbing/repository.js';

export const command: Command = {
  name: 'hook',
  family: 'git',
  summary: 'run a hook of the repository',
  usage: ['hook run [--ignore-missing] <hook-name> [-- <hook-args>]'],
  options: [{ name: 'ignore-missing', negatable: true, help: 'a hook that is not there is no failure' }],
  run(context, args) {
    const { before, after } = args.split();
    const [verb, name, ...others] = before;
    if (verb === undefined) throw new UsageError('need a subcommand');
    if (verb !== 'run') throw new UsageError(`unknown subcommand: '${verb}'`);
    if (name === undefined || others.length > 0) throw new UsageError(name === undefined ? 'the name of a hook is needed' : 'arguments of the hook come after --');
    const repository = Repository.open(context);
    if (findHook(repository, name) === undefined) {
      if (args.has('ignore-missing')) return 0;
      context.stderr.write(`error: cannot find a hook named ${name}\n`);
      return 1;
    }
    return runHook(repository, name, { args: after }).exitCode;
  },
};
