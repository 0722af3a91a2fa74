// cairn verify-tag: checks the signatures of tags (git-verify-tag(1)).
import { UsageError } from '../../pack/errors.js';
import type { Command } from '../command.js';
import { RefContext, RefFormat, RefSubject } from '../refs/ref-format.js';
import { Repository } from '../repository.js';
import { findNamed, verificationOptions, verifyObject } from '../signature/verification.js';
import type { RefName } from '../refs/ref-name.js';

export const command: Command = {
  name: 'verify-tag',
  family: 'git',
  summary: 'check the signatures of tags',
  usage: ['verify-tag [-v] [--format=<format>] [--raw] <tag>...'],
  options: [
    ...verificationOptions,
    { name: 'format', value: 'format', help: 'print this of each tag that is good, with the fields of for-each-ref' },
  ],
  run(context, args) {
    const repository = Repository.open(context);
    if (args.positionals.length === 0) throw new UsageError('a tag is required');
    const typed = args.value('format');
    const format = typed === undefined ? undefined : RefFormat.parse(typed, repository);
    const request = { type: 'tag', verbose: args.flag('verbose') === true && format === undefined, raw: args.flag('raw') === true, quiet: format !== undefined } as const;
    let isGood = true;
    for (const name of args.positionals) {
      const id = findNamed(repository, name, 'tag');
      if (id === undefined || !verifyObject(repository, name, id, request)) {
        isGood = false;
        continue;
      }
      if (format === undefined) continue;
      const subject = new RefSubject(new RefContext(repository), { name: name as RefName, id });
      context.stdout.write(Buffer.from(`${format.format(subject)}\n`, 'latin1'));
    }
    return isGood ? 0 : 1;
  },
};
