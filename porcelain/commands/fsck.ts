// cairn fsck: checks objects, packs, refs and whether everything they need is there (git-fsck(1)).
import type { Command } from '../../plumbing/command.js';
import { Fsck, type FsckFinding } from '../../plumbing/objects/fsck.js';
import { Repository } from '../../plumbing/repository.js';
import { checkOwnRecords } from '../integrity/own-records.js';
import { Progress } from '../terminal.js';

export const command: Command = {
  name: 'fsck',
  family: 'git',
  summary: 'check every object, and that everything needed is there',
  usage: ['fsck [<options>] [<object>...]'],
  options: [
    { name: 'verbose', short: 'v', negatable: true, help: 'name every object that is checked' },
    { name: 'unreachable', negatable: true, help: 'show objects that nothing reaches' },
    { name: 'dangling', negatable: true, help: 'show objects that nothing leads to (the default)' },
    { name: 'tags', negatable: true, help: 'show tags and what they name' },
    { name: 'root', negatable: true, help: 'show commits without parents' },
    { name: 'cache', negatable: true, help: 'start from the index too, although objects are given' },
    { name: 'reflogs', negatable: true, help: 'start from reflogs too (the default)' },
    { name: 'full', negatable: true, help: 'check packs and alternates too (the default)' },
    { name: 'connectivity-only', negatable: true, help: 'check only that everything needed is there' },
    { name: 'strict', negatable: true, help: 'treat warnings as errors' },
    { name: 'lost-found', negatable: true, help: 'write dangling objects to lost-found in the repository' },
    { name: 'name-objects', negatable: true, help: 'show names by which objects are reached' },
    { name: 'progress', negatable: true, help: 'say how many objects were checked' },
    { name: 'json', help: 'one JSON object per finding' },
  ],
  run(context, args) {
    const lostFound = args.has('lost-found');
    const repository = Repository.open(context);
    using progress = args.flag('progress') === false || args.has('json') ? undefined : new Progress(context, 'Checking objects');
    return new Fsck(repository, {
      onProgress: (checked) => {
        if (checked === undefined) progress?.[Symbol.dispose]();
        else progress?.update(checked);
      },
      names: args.positionals,
      index: args.has('cache'),
      full: lostFound || (args.flag('full') ?? true),
      strict: args.has('strict'),
      connectivityOnly: args.has('connectivity-only'),
      unreachable: args.has('unreachable'),
      dangling: args.flag('dangling') ?? true,
      roots: args.has('root'),
      tags: args.has('tags'),
      reflogs: !lostFound && (args.flag('reflogs') ?? true),
      lostFound,
      nameObjects: args.has('name-objects'),
      verbose: args.has('verbose'),
      progress: args.has('progress'),
      ...(args.has('json') ? {
        onFinding: ({ severity, message }: FsckFinding) => {
          context.stdout.write(`${JSON.stringify({ severity, message: Buffer.from(message, 'latin1').toString() })}\n`);
        },
      } : {}),
      ownRecords: () => checkOwnRecords(repository, repository.objects),
    }).run();
  },
};
