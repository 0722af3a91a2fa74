// cairn completion: prints the script that completes cairn's command lines in a shell; with --words, which the scripts call, what the
// last of the words behind -- could become.
import { UsageError } from '../../pack/errors.js';
import type { Command } from '../../plumbing/command.js';
import { findCommand, porcelainCommands, porcelainForScripts } from '../commands.js';
import { type ExplainedCommand, completionShells, formatCompletionScript } from '../completion-script.js';
import { proposeWords } from '../completion.js';

export const command: Command = {
  name: 'completion',
  family: 'cairn',
  summary: 'print what makes a shell complete command lines',
  usage: ['completion <shell>'],
  options: [{ name: 'words', hidden: true, help: 'propose words for the last of those behind --' }],
  async run(context, args) {
    if (args.has('words')) {
      const { before, after } = args.split();
      if (before.length > 0) throw new UsageError('the words come behind --');
      // A proposal is a line, so a name with line ends in it is none.
      for (const { word, help } of await proposeWords(context, after)) {
        if (!/[\n\t]/.test(word)) context.stdout.write(help === undefined ? `${word}\n` : `${word}\t${help}\n`);
      }
      return 0;
    }
    const [typed, ...others] = args.positionals;
    const shell = completionShells.find((name) => name === typed);
    if (shell === undefined || others.length > 0) {
      throw new UsageError(typed === undefined || others.length > 0 ? 'one shell is named' : `'${typed}' is not a shell this can be done for`, { hint: 'say bash, zsh or fish' });
    }
    context.stdout.write(formatCompletionScript(shell, await everydayCommands()));
    return 0;
  },
};

async function everydayCommands(): Promise<ExplainedCommand[]> {
  const names = Object.keys(porcelainCommands).filter((name) => !porcelainForScripts.includes(name)).sort();
  return Promise.all(names.map(async (name) => ({ name, summary: (await findCommand(name)!()).command.summary })));
}
