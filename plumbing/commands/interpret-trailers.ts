// cairn interpret-trailers: find, add and rewrite the trailers of messages (git-interpret-trailers(1)).
import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { replaceFile } from '../../pack/disk.js';
import { InvalidError, NotFoundError, UsageError, isSystemError } from '../../pack/errors.js';
import { lazyModule } from '../../pack/lazy-module.js';
import type { Arguments, Command, Context } from '../command.js';
import { Config } from '../config.js';
import { readInput } from '../line-reader.js';
import { commentCharacter } from '../message.js';
import { Repository } from '../repository.js';
import {
  type NewTrailer, type RunTrailerCommand, TrailerRules, applyTrailers, existsActions, findChoice, lacksKey, missingActions, placements,
} from '../trailer-rules.js';

const childProcess = lazyModule<typeof import('node:child_process')>('node:child_process');

export const command: Command = {
  name: 'interpret-trailers',
  family: 'git',
  summary: 'find, add and rewrite the trailers of messages',
  usage: [
    'interpret-trailers [--in-place] [--trim-empty] [(--trailer <token>[(=|:)<value>])...] [--parse] [<file>...]',
  ],
  options: [
    { name: 'in-place', negatable: true, help: 'change the files' },
    { name: 'trim-empty', negatable: true, help: 'leave out trailers without a value' },
    { name: 'where', value: 'placement', negatable: true, help: 'where the trailers that follow go: after, before, end or start' },
    { name: 'if-exists', value: 'action', negatable: true, help: 'what to do when there is one: addIfDifferentNeighbor, addIfDifferent, add, replace or doNothing' },
    { name: 'if-missing', value: 'action', negatable: true, help: 'what to do when there is none: add or doNothing' },
    { name: 'only-trailers', negatable: true, help: 'print only the trailers' },
    { name: 'only-input', negatable: true, help: 'add none' },
    { name: 'unfold', negatable: true, help: 'join the lines of each' },
    { name: 'parse', help: 'as --only-trailers --only-input --unfold' },
    { name: 'no-divider', negatable: true, help: 'do not take --- for the end of the message' },
    { name: 'trailer', value: 'trailer', negatable: true, help: 'add this one: <key>=<value>, <key>:<value> or <key>' },
  ],
  run(context, args) {
    const added = listTrailers(args);
    const parses = args.has('parse');
    const options = {
      trimEmpty: args.has('trim-empty'), noDivider: args.has('no-divider'), onlyTrailers: parses || args.has('only-trailers'),
      onlyInput: parses || args.has('only-input'), unfold: parses || args.has('unfold'),
    };
    if (options.onlyInput && added.length > 0) throw new UsageError('--trailer with --only-input does not make sense');
    if (args.has('in-place') && args.positionals.length === 0) throw new InvalidError('no input file given for in-place editing', { code: 'no-file' });
    const repository = Repository.find(context);
    const config = repository?.config ?? Config.open(context);
    const warn = (message: string): void => context.stderr.write(`warning: ${message}\n`);
    const rules = new TrailerRules(config, commentCharacter(config.get('core.commentchar'), ''), warn);
    for (const { text } of added) if (lacksKey(text, rules)) context.stderr.write(Buffer.from(`error: empty trailer token in trailer '${text}'\n`, 'latin1'));
    const usable = added.filter(({ text }) => !lacksKey(text, rules));
    const convert = (message: string): string => applyTrailers(message, usable, rules, options, runner(context, repository));
    for (const file of args.positionals) {
      const path = resolve(context.cwd, file);
      const result = Buffer.from(convert(readMessage(path, file, args.has('in-place'))), 'latin1');
      if (args.has('in-place')) replaceFile(path, result);
      else context.stdout.write(result);
    }
    if (args.positionals.length === 0) context.stdout.write(Buffer.from(convert(readInput(context.stdin).toString('latin1')), 'latin1'));
    return 0;
  },
};

function readMessage(path: string, file: string, isEdited: boolean): string {
  try {
    if (isEdited && !statSync(path).isFile()) throw new InvalidError(`file ${file} is not a regular file`, { code: 'not-a-file' });
    return readFileSync(path).toString('latin1');
  } catch (error) {
    if (!isSystemError(error, 'ENOENT', 'ENOTDIR')) throw error;
    throw new NotFoundError(`could not read input file '${file}'`, { code: 'no-file', cause: error });
  }
}

/** Every --trailer, with what was last said before it about placing. */
function listTrailers(args: Arguments): NewTrailer[] {
  let added: NewTrailer[] = [];
  let placing: Omit<NewTrailer, 'text'> = {};
  const choose = <Choice extends string>(known: readonly Choice[], name: string, value: string | undefined): Choice | undefined => {
    if (value === undefined) return undefined;
    const found = findChoice(known, value);
    if (found === undefined) throw new UsageError(`option '${name}' expects one of ${known.join(', ')}`);
    return found;
  };
  for (const token of args.tokens) {
    if (token.kind !== 'option') continue;
    const value = token.negated ? undefined : token.value;
    if (token.name === 'trailer') {
      if (value === undefined) added = [];
      else added.push({ ...placing, text: Buffer.from(value).toString('latin1') });
    } else if (token.name === 'where') placing = { ...placing, where: choose(placements, token.name, value) };
    else if (token.name === 'if-exists') placing = { ...placing, ifExists: choose(existsActions, token.name, value) };
    else if (token.name === 'if-missing') placing = { ...placing, ifMissing: choose(missingActions, token.name, value) };
  }
  return added;
}

/** Commands run with a shell, where the command was typed (from the top of the work tree, as with git). */
function runner(context: Context, repository: Repository | undefined): RunTrailerCommand {
  return (line, words) => {
    const env = Object.fromEntries(Object.entries(context.env).filter((entry): entry is [string, string] => entry[1] !== undefined));
    const bytes = (text: string): string => Buffer.from(text, 'latin1').toString();
    const shown = bytes(line);
    const result = childProcess().spawnSync('/bin/sh', ['-c', words.length === 0 ? shown : `${shown} "$@"`, shown, ...words.map(bytes)], {
      cwd: repository?.isInsideWorkTree ? repository.workTree : context.cwd, env, stdio: ['ignore', 'pipe', 'pipe'],
    });
    if (result.stderr?.length) context.stderr.write(result.stderr);
    if (result.status === 0) return result.stdout.toString('latin1');
    context.stderr.write(`error: running trailer command '${shown}' failed\n`);
    return '';
  };
}
