// cairn hook: runs a hook of the repository as the commands that have hooks do, and lists those there are.
import { UsageError } from '../../pack/errors.js';
import type { Arguments, Command, Context } from '../../plumbing/command.js';
import { type HookState, findHook, listHooks, runHook } from '../../plumbing/hooks.js';
import { Repository } from '../../plumbing/repository.js';

export const command: Command = {
  name: 'hook',
  family: 'git',
  summary: 'run a hook of the repository, or list them',
  usage: ['hook run [--ignore-missing] <hook-name> [-- <hook-args>]', 'hook list [--json]'],
  options: [
    { name: 'ignore-missing', negatable: true, help: 'a hook that is not there is no failure' },
    { name: 'json', help: 'list as JSON' },
  ],
  run(context, args) {
    const { before, after } = args.split();
    const [verb, ...words] = before;
    if (verb === undefined) throw new UsageError('need a subcommand');
    if (verb === 'list') return list(context, args, [...words, ...after]);
    if (verb !== 'run') throw new UsageError(`unknown subcommand: '${verb}'`);
    const [name, ...others] = words;
    if (name === undefined || others.length > 0) throw new UsageError(name === undefined ? 'the name of a hook is needed' : 'arguments of the hook come after --');
    if (args.has('json')) throw new UsageError("option '--json' goes with 'hook list' only");
    const repository = Repository.open(context);
    if (findHook(repository, name) === undefined) {
      if (args.has('ignore-missing')) return 0;
      context.stderr.write(`error: cannot find a hook named ${name}\n`);
      return 1;
    }
    return runHook(repository, name, { args: after }).exitCode;
  },
};

function list(context: Context, args: Arguments, words: readonly string[]): number {
  if (words.length > 0) throw new UsageError('too many arguments');
  if (args.has('ignore-missing')) throw new UsageError("option '--ignore-missing' goes with 'hook run' only");
  const hooks = listHooks(Repository.open(context));
  if (args.has('json')) {
    context.stdout.write(`${JSON.stringify(hooks.map(({ name, runBy, path, isExecutable }) => ({ name, path, executable: isExecutable, runBy: runBy ?? null })))}\n`);
    return 0;
  }
  const width = Math.max(0, ...hooks.map(({ name }) => name.length));
  for (const hook of hooks) context.stdout.write(`${hook.name.padEnd(width)}  ${describe(hook)}\n`);
  return 0;
}

function describe({ runBy, isExecutable }: HookState): string {
  if (runBy === undefined) return 'not run: no command has a hook of this name';
  return isExecutable ? `run by ${runBy}` : `not run: the file is not executable (it would be by ${runBy})`;
}
