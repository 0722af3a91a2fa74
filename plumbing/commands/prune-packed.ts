// cairn prune-packed: removes loose objects that are also in a pack (git-prune-packed(1)).
import { UsageError } from '../../pack/errors.js';
import type { Command } from '../command.js';
import { listPackedLoose, removePackedLoose, shownLoosePath } from '../objects/packed-loose.js';
import { Repository } from '../repository.js';

export const command: Command = {
  name: 'prune-packed',
  family: 'git',
  summary: 'remove loose objects that are in pack files',
  usage: ['prune-packed [-n | --dry-run] [-q | --quiet]'],
  options: [
    { name: 'dry-run', short: 'n', negatable: true, help: 'print what would be removed' },
    { name: 'quiet', short: 'q', negatable: true, help: 'be quiet' },
  ],
  run(context, args) {
    if (args.positionals.length > 0) throw new UsageError('too many arguments');
    const repository = Repository.open(context);
    const store = repository.objects;
    if (args.has('dry-run')) {
      for (const { id } of listPackedLoose(store)) context.stdout.write(`rm -f ${shownLoosePath(repository, id)}\n`);
    } else {
      removePackedLoose(store);
    }
    return 0;
  },
};
