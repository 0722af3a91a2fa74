// patch-id: an id for every patch on standard input. See git-patch-id(1).
import { UsageError } from '../../pack/errors.js';
import type { Arguments, Command, Context } from '../command.js';
import { Config } from '../config.js';
import { listWholeLines } from '../line-reader.js';
import { type PatchIdKind, listPatchIds } from '../diff/patch-id.js';
import { Repository } from '../repository.js';

export const command: Command = {
  name: 'patch-id',
  family: 'git',
  summary: 'print the ids of the patches on standard input',
  usage: ['patch-id [--stable | --unstable | --verbatim]'],
  options: [
    { name: 'unstable', help: 'the order of files counts (the default)' },
    { name: 'stable', help: 'the order of files does not count' },
    { name: 'verbatim', help: 'like --stable, and white space counts' },
  ],
  run(context: Context, args: Arguments): number {
    const [one, another] = ['unstable', 'stable', 'verbatim'].filter((name) => args.has(name));
    if (another !== undefined) throw new UsageError(`--${one} cannot be combined with --${another}`);
    const repository = Repository.find(context);
    const config = repository?.config ?? Config.open(context);
    const configured = config.getBoolean('patchid.verbatim', false) ? 'verbatim' : config.getBoolean('patchid.stable', false) ? 'stable' : 'unstable';
    const kind = (one ?? configured) as PatchIdKind;
    for (const { id, commit } of listPatchIds(listWholeLines(context.stdin), repository?.format ?? 'sha1', kind)) context.stdout.write(`${id} ${commit}\n`);
    return 0;
  },
};
