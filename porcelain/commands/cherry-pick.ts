// cairn cherry-pick: do once more what commits did. The work is done in ../sequence/picking.ts.
import type { Command } from '../../plumbing/command.js';
import { Repository } from '../../plumbing/repository.js';
import { runForJson } from '../sequence/json-outcome.js';
import { pickOptions, runPicking } from '../sequence/pick-command.js';

export const command: Command = {
  name: 'cherry-pick',
  family: 'git',
  summary: 'do once more what commits did',
  usage: ['cherry-pick [<options>] <commit>...', 'cherry-pick (--continue | --skip | --abort | --quit)'],
  options: [
    ...pickOptions,
    { name: 'x', help: 'say in the message where it was picked from' },
    { name: 'ff', negatable: true, help: 'go forward where HEAD is the parent' },
    { name: 'allow-empty', negatable: true, help: 'keep commits that were empty to begin with' },
    { name: 'allow-empty-message', negatable: true, help: 'keep commits without a message (as is done anyway)' },
    { name: 'keep-redundant-commits', negatable: true, help: 'keep commits that become empty, too' },
  ],
  run(context, args) {
    if (args.has('json')) return runForJson(context, args, (repository, others) => runPicking(repository, others, 'cherry-pick'));
    return runPicking(Repository.open(context), args, 'cherry-pick');
  },
};
