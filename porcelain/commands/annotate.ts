// cairn annotate: which commit each line of a file comes from, in annotate's own form.
import type { Command } from '../../plumbing/command.js';
import { Repository } from '../../plumbing/repository.js';
import { blameOptions, runBlame } from '../blaming.js';

export const command: Command = {
  name: 'annotate',
  family: 'git',
  summary: 'show which commit each line of a file comes from, as annotate always did',
  usage: ['annotate [<options>] [<revision>] [--] <file>'],
  options: blameOptions,
  paged: true,
  run(context, args) {
    return runBlame(Repository.open(context), args, true);
  },
};
