// cairn verify-commit: checks the signatures of commits (git-verify-commit(1)).
import { UsageError } from '../../pack/errors.js';
import type { Command } from '../command.js';
import { Repository } from '../repository.js';
import { findNamed, verificationOptions, verifyObject } from '../signature/verification.js';

export const command: Command = {
  name: 'verify-commit',
  family: 'git',
  summary: 'check the signatures of commits',
  usage: ['verify-commit [-v] [--raw] <commit>...'],
  options: verificationOptions,
  run(context, args) {
    const repository = Repository.open(context);
    if (args.positionals.length === 0) throw new UsageError('a commit is required');
    const request = { type: 'commit', verbose: args.flag('verbose') === true, raw: args.flag('raw') === true } as const;
    let isGood = true;
    for (const name of args.positionals) {
      const id = findNamed(repository, name, 'commit');
      isGood = id !== undefined && verifyObject(repository, name, id, request) && isGood;
    }
    return isGood ? 0 : 1;
  },
};
