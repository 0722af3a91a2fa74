// cairn fmt-merge-msg: the message of a merge, from the list of what is merged (git-fmt-merge-msg(1)).
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { NotFoundError, UsageError, isSystemError } from '../../pack/errors.js';
import type { Arguments, Command, Context } from '../command.js';
import { readInput } from '../line-reader.js';
import { formatMergeMessage, readLogLength, usualLogLength } from '../merge/merge-message.js';
import { parseCount } from '../option-number.js';
import { Repository } from '../repository.js';

export const command: Command = {
  name: 'fmt-merge-msg',
  family: 'git',
  summary: 'make the message of a merge',
  usage: ['fmt-merge-msg [-m <message>] [--log[=<n>] | --no-log] [--into-name <branch>] [-F <file>]'],
  options: [
    { name: 'log', value: 'n', valueOptional: true, negatable: true, help: 'list the subjects of so many commits (20)' },
    { name: 'summary', value: 'n', valueOptional: true, negatable: true, help: 'the old name of --log' },
    { name: 'message', short: 'm', value: 'text', negatable: true, help: 'begin with this instead of naming branches' },
    { name: 'into-name', value: 'branch', negatable: true, help: 'the name of what is merged into' },
    { name: 'file', short: 'F', value: 'file', negatable: true, help: 'read the list from this file' },
  ],
  run(context, args) {
    if (args.positionals.length > 0) throw new UsageError('no arguments are taken');
    const asked = askedLength(args);
    const repository = Repository.open(context);
    const configured = readLogLength(repository);
    const list = readList(context, args.value('file'));
    const message = args.value('message');
    const given = message === undefined ? undefined : Buffer.from(message).toString('latin1');
    const text = formatMergeMessage(repository, list, { log: asked ?? configured, given, into: args.value('into-name') });
    context.stdout.write(Buffer.from(text, 'latin1'));
    return 0;
  },
};

function askedLength(args: Arguments): number | undefined {
  const token = args.tokens.findLast((each) => each.kind === 'option' && (each.name === 'log' || each.name === 'summary'));
  if (token?.kind !== 'option') return undefined;
  if (token.negated) return 0;
  const { value } = token;
  const length = value === undefined ? usualLogLength : parseCount(token.name, value);
  return length < 0 ? undefined : length;
}

function readList(context: Context, file: string | undefined): string {
  if (file === undefined || file === '-') return readInput(context.stdin).toString('latin1');
  try {
    return readFileSync(resolve(context.cwd, file)).toString('latin1');
  } catch (error) {
    if (!isSystemError(error, 'ENOENT', 'ENOTDIR')) throw error;
    throw new NotFoundError(`cannot open '${file}'`, { code: 'no-file', cause: error });
  }
}
