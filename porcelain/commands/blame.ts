// cairn blame: which commit each line of a file comes from.
import type { Command } from '../../plumbing/command.js';
import { Repository } from '../../plumbing/repository.js';
import { blameOptions, runBlame } from '../blaming.js';

export const command: Command = {
  name: 'blame',
  family: 'git',
  summary: 'show which commit each line of a file comes from',
  usage: ['blame [<options>] [<revision>] [--] <file>'],
  options: blameOptions,
  paged: true,
  run(context, args) {
    return runBlame(Repository.open(context), args, false);
  },
};
