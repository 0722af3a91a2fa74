// cairn revert: undo what commits did. The work is done in ../sequence/picking.ts.
import type { Command } from '../../plumbing/command.js';
import { Repository } from '../../plumbing/repository.js';
import { runForJson } from '../sequence/json-outcome.js';
import { pickOptions, runPicking } from '../sequence/pick-command.js';

export const command: Command = {
  name: 'revert',
  family: 'git',
  summary: 'undo what commits did',
  usage: ['revert [<options>] <commit>...', 'revert (--continue | --skip | --abort | --quit)'],
  options: [
    ...pickOptions,
    { name: 'reference', negatable: true, help: 'refer to the commit by its short id, subject and date' },
  ],
  run(context, args) {
    if (args.has('json')) return runForJson(context, args, (repository, others) => runPicking(repository, others, 'revert'));
    return runPicking(Repository.open(context), args, 'revert');
  },
};
