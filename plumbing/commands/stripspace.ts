// cairn stripspace: standard input without superfluous whitespace, without comments, or as comments (git-stripspace(1)).
import { InvalidError, UsageError } from '../../pack/errors.js';
import type { Command, Context } from '../command.js';
import { Config } from '../config.js';
import { readInput } from '../line-reader.js';
import { commentLines, stripSpace } from '../message.js';
import { Repository } from '../repository.js';

export const command: Command = {
  name: 'stripspace',
  family: 'git',
  summary: 'remove superfluous whitespace from text',
  usage: ['stripspace [-s | --strip-comments]', 'stripspace [-c | --comment-lines]'],
  options: [
    { name: 'strip-comments', short: 's', help: 'also leave out lines that begin with the comment character' },
    { name: 'comment-lines', short: 'c', help: 'begin each line with the comment character and a space' },
  ],
  run(context, args) {
    if (args.has('strip-comments') && args.has('comment-lines')) throw new UsageError('-s and -c exclude each other');
    if (args.positionals.length > 0) throw new UsageError('no arguments are taken');
    const comment = args.has('strip-comments') || args.has('comment-lines') ? readCommentCharacter(context) : undefined;
    const text = readInput(context.stdin).toString('latin1');
    const result = args.has('comment-lines') ? commentLines(text, comment!) : stripSpace(text, comment);
    context.stdout.write(Buffer.from(result, 'latin1'));
    return 0;
  },
};

/** 'auto' is for whoever writes a message; here it is the usual one. */
function readCommentCharacter(context: Context): string {
  const config = Repository.find(context)?.config ?? Config.open(context);
  const configured = config.find('core.commentchar');
  if (configured === undefined || configured.raw?.toLowerCase() === 'auto') return '#';
  if (configured.raw?.length !== 1) throw new InvalidError('core.commentChar should only be one character', { code: 'bad-config-value' });
  return configured.raw;
}
