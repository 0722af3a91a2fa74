// cairn mv: give tracked files and directories other names. The work is done in ../moving.ts.
import { UsageError } from '../../pack/errors.js';
import type { Command } from '../../plumbing/command.js';
import { lockIndex } from '../../plumbing/index/index-lock.js';
import { Repository } from '../../plumbing/repository.js';
import { applyMoves, planMoves } from '../moving.js';

export const command: Command = {
  name: 'mv',
  family: 'git',
  summary: 'give tracked files and directories other names',
  usage: ['mv [-f] [-k] [-n] [-v] <source>... <destination>'],
  options: [
    { name: 'force', short: 'f', negatable: true, help: 'replace a file that is in the way' },
    { name: 'k', help: 'leave out what cannot be moved' },
    { name: 'dry-run', short: 'n', negatable: true, help: 'only say what would be moved' },
    { name: 'verbose', short: 'v', negatable: true, help: 'say what is moved' },
  ],
  run(context, args) {
    const repository = Repository.open(context);
    repository.requireWorkTree();
    const words = args.positionals;
    if (words.length < 2) throw new UsageError('name what to move, and where to');
    const dryRun = args.has('dry-run');
    const say = (latin1: string): void => context.stdout.write(Buffer.from(latin1, 'latin1'));
    using lock = lockIndex(repository);
    const moves = planMoves(repository, lock, { sources: words.slice(0, -1), destination: words.at(-1)!, force: args.has('force'), skipsErrors: args.has('k') }, {
      checking: (from, to) => { if (dryRun) say(`Checking rename of '${from}' to '${to}'\n`); },
      overwriting: (path) => { if (args.has('verbose')) context.stderr.write(`warning: overwriting '${Buffer.from(path, 'latin1').toString()}'\n`); },
    });
    const tell = ({ from, to }: { readonly from: string; readonly to: string }): void => { if (dryRun || args.has('verbose')) say(`Renaming ${from} to ${to}\n`); };
    if (dryRun) for (const move of moves) tell(move);
    else applyMoves(repository, lock, moves, args.has('k'), tell);
    return 0;
  },
};
