// cairn prune-packed: removes loose objects that are also in a pack (git-prune-packed(1)).
import { relative } from 'node:path';
import { UsageError } from '../../pack/errors.js';
import type { Command } from '../command.js';
import { listPackedLoose, removePackedLoose } from '../packed-loose.js';
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
      for (const { id } of listPackedLoose(store)) context.stdout.write(`rm -f ${shownDirectory(repository)}/${id.slice(0, 2)}/${id.slice(2)}\n`);
    } else {
      removePackedLoose(store);
    }
    return 0;
  },
};

/** The objects directory as git would name it: seen from the top of the work tree, or from a bare repository. */
function shownDirectory(repository: Repository): string {
  const { workTree, objectsDirectory, context } = repository;
  if (context.env['GIT_OBJECT_DIRECTORY']) return context.env['GIT_OBJECT_DIRECTORY'];
  if (context.env['GIT_DIR']) return `${context.env['GIT_DIR']}/objects`;
  if (workTree !== undefined) return relative(workTree, objectsDirectory);
  return context.cwd === repository.gitDirectory ? `./${relative(context.cwd, objectsDirectory)}` : objectsDirectory;
}
