// cairn check-ref-format: is this a name a ref may have? Exit 0 for yes, 1 for no.
import { InvalidError, UsageError } from '../../pack/errors.js';
import type { Command, Context } from '../command.js';
import { isRefName } from '../refs/ref-name.js';
import { Repository } from '../repository.js';
import { expandBranchName } from '../history/revision.js';

export const command: Command = {
  name: 'check-ref-format',
  family: 'git',
  summary: 'tell whether a name may be the name of a ref',
  usage: ['check-ref-format [--normalize] [--[no-]allow-onelevel] [--refspec-pattern] <refname>', 'check-ref-format --branch <branchname-shorthand>'],
  options: [
    { name: 'normalize', help: "print the name without needless '/'" },
    { name: 'print', hidden: true, help: 'the old name of --normalize' },
    { name: 'allow-onelevel', negatable: true, help: "accept a name without '/'" },
    { name: 'refspec-pattern', help: "accept one '*'" },
    { name: 'branch', value: 'name', help: 'print the branch a shorthand stands for' },
  ],
  // Git takes an option behind the name for a second name.
  stopAtPositional: true,
  run(context, args) {
    const branch = args.value('branch');
    if (branch !== undefined) {
      if (args.argv.length !== 2 || args.argv[0] !== '--branch') throw new UsageError('--branch takes one name and nothing else');
      return checkBranch(context, branch);
    }
    if (args.positionals.length !== 1) throw new UsageError('one name is needed');
    const normalize = args.has('normalize') || args.has('print');
    const typed = args.positionals[0]!;
    if (typed === '-' || args.dashes) throw new UsageError('one name is needed');
    const name = normalize ? typed.replace(/^\/+/, '').replace(/\/{2,}/g, '/') : typed;
    if (!isRefName(name, { oneLevel: args.has('allow-onelevel'), pattern: args.has('refspec-pattern') })) return 1;
    if (normalize) context.stdout.write(`${name}\n`);
    return 0;
  },
};

/** '@{-1}' and its like need a repository; plain names do not. */
function checkBranch(context: Context, shorthand: string): number {
  // Here '@' is a branch like any other.
  const repository = /^@\{-/.test(shorthand) ? Repository.find(context) : undefined;
  const name = (repository && expandBranchName(repository, shorthand)) ?? shorthand;
  if (name.startsWith('-') || name === 'HEAD' || !isRefName(`refs/heads/${name}`)) {
    throw new InvalidError(`'${shorthand}' is not a valid branch name`, { code: 'bad-ref-name' });
  }
  context.stdout.write(`${name}\n`);
  return 0;
}
