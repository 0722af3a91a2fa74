// cairn pack-refs: put refs into one file, for quick reading when there are many.
import { UsageError } from '../../pack/errors.js';
import type { Command } from '../command.js';
import { packRefs } from '../refs/ref-packing.js';
import { Repository } from '../repository.js';

export const command: Command = {
  name: 'pack-refs',
  family: 'git',
  summary: 'put refs into one file for quick reading',
  usage: ['pack-refs [--all] [--no-prune]'],
  options: [
    { name: 'all', negatable: true, help: 'pack everything, not only tags and what was packed before' },
    { name: 'prune', negatable: true, help: 'remove the files of what was packed (default)' },
  ],
  run(context, args) {
    if (args.positionals.length > 0) throw new UsageError('no arguments are taken');
    packRefs(Repository.open(context), { all: args.has('all'), prune: args.flag('prune') !== false });
    return 0;
  },
};
