// check-mailmap: who somebody is, by the mailmaps. See git-check-mailmap(1).
import { InvalidError } from '../../pack/errors.js';
import type { Arguments, Command, Context } from '../command.js';
import { listLines } from '../line-reader.js';
import { Mailmap, findPerson } from '../history/mailmap.js';
import { Repository } from '../repository.js';

export const command: Command = {
  name: 'check-mailmap',
  family: 'git',
  summary: 'tell the proper names and mails of people',
  usage: ['check-mailmap [<options>] <contact>...'],
  options: [{ name: 'stdin', negatable: true, help: 'read more contacts from standard input, one per line' }],
  run(context: Context, args: Arguments): number {
    const contacts = args.positionals;
    if (contacts.length === 0 && !args.has('stdin')) throw new InvalidError('no contacts are given', { code: 'no-contacts' });
    const mailmap = Mailmap.read(Repository.open(context));
    const tell = (contact: string): void => {
      const person = findPerson(contact);
      if (person === undefined) throw new InvalidError(`unable to parse contact: ${contact}`, { code: 'bad-contact' });
      const { name, email } = mailmap.map(person);
      context.stdout.write(Buffer.from(`${name === '' ? '' : `${name} `}<${email}>\n`, 'latin1'));
    };
    for (const contact of contacts) tell(Buffer.from(contact).toString('latin1'));
    if (!args.has('stdin')) return 0;
    for (const line of listLines(context.stdin)) {
      tell(line);
      // Somebody may wait for the answer before the next question.
      context.stdout.flush();
    }
    return 0;
  },
};
