// cairn help [<command>]: the list of commands, or one command's page.
import { UsageError } from '../../pack/errors.js';
import type { Arguments, Command, Context } from '../../plumbing/command.js';
import { findCommand, plumbingCommands, porcelainCommands, porcelainForScripts } from '../commands.js';
import { formatHelpPage } from '../main.js';

const everyday: readonly (readonly [title: string, names: readonly string[]])[] = [
  ['start', ['init', 'config', 'help']],
  ['record', ['add', 'rm', 'commit', 'status']],
  ['look', ['log', 'show', 'diff', 'reflog']],
  ['branch and go back', ['branch', 'tag', 'switch', 'restore', 'reset']],
  ['publish', ['release', 'rollback']],
  ['keep and reclaim', ['gc', 'fsck']],
];

export const command: Command = {
  name: 'help',
  family: 'cairn',
  summary: 'show the commands, or how one is used',
  usage: ['help [-a] [<command>]'],
  options: [{ name: 'all', short: 'a', help: 'list every command, plumbing too' }],
  async run(context, args) {
    const [name] = args.positionals;
    if (name === undefined) return list(context, args);
    const load = findCommand(name);
    if (load === undefined) throw new UsageError(`'${name}' is not a cairn command`, { code: 'unknown-command', hint: "see 'cairn help -a'" });
    const { command: found } = await load();
    context.stdout.write(await formatHelpPage(found, context.stdout.columns));
    return 0;
  },
};

async function list(context: Context, args: Arguments): Promise<number> {
  const { stdout } = context;
  stdout.write('usage: cairn [-C <path>] [-c <name>=<value>] [--git-dir=<path>] [--work-tree=<path>] <command> [<args>]\n');
  const groups = args.has('all')
    ? [
      ['for people', Object.keys(porcelainCommands).filter((name) => !porcelainForScripts.includes(name))],
      ['for scripts', [...Object.keys(plumbingCommands), ...porcelainForScripts].sort()],
    ] as const
    : everyday;
  for (const [title, names] of groups) {
    stdout.write(`\n${title}\n`);
    for (const name of names) {
      const load = findCommand(name);
      if (load === undefined) continue;
      stdout.write(`   ${name.padEnd(18)} ${(await load()).command.summary}\n`);
    }
  }
  stdout.write("\n'cairn help <command>' explains one command; 'cairn help -a' lists all of them.\n");
  return 0;
}
