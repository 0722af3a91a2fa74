// cairn update-server-info: lists refs and packs for servers that know nothing of git (git-update-server-info(1)).
import { UsageError } from '../../pack/errors.js';
import type { Command } from '../command.js';
import { Repository } from '../repository.js';
import { updateServerInfo } from '../objects/server-info.js';

export const command: Command = {
  name: 'update-server-info',
  family: 'git',
  summary: 'list refs and packs for servers of plain files',
  usage: ['update-server-info [-f | --force]'],
  options: [{ name: 'force', short: 'f', negatable: true, help: 'write the lists anew even when nothing changed' }],
  run(context, args) {
    if (args.positionals.length > 0) throw new UsageError('too many arguments');
    updateServerInfo(Repository.open(context), { force: args.has('force') });
    return 0;
  },
};
