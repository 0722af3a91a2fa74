// cairn meta: the schemas that the metadata of runs is held against.
import { resolve } from 'node:path';
import { NotFoundError, UsageError, isSystemError } from '../../pack/errors.js';
import type { Command } from '../../plumbing/command.js';
import { escapeControls } from '../../plumbing/quote.js';
import { Repository } from '../../plumbing/repository.js';
import { readSmallFile } from '../archive/named-file.js';
import { type RegisteredSchema, addSchema, listSchemas, readSchema, removeSchema } from '../metadata-schema.js';

const mostBytes = 16 * 1024 * 1024;
const argumentCounts = { add: 2, list: 0, show: 1, remove: 1 } as const;
type Action = keyof typeof argumentCounts;

export const command: Command = {
  name: 'meta',
  family: 'cairn',
  summary: 'register the schemas that the metadata of runs is held against',
  usage: ['meta schema add [-f] <name> <file> [--json]', 'meta schema list [--json]', 'meta schema show <name>', 'meta schema remove <name> [--json]'],
  options: [
    { name: 'force', short: 'f', help: 'with add: replace a schema of that name' },
    { name: 'json', help: 'print JSON' },
  ],
  run(context, args) {
    const [kind, action, ...rest] = args.positionals;
    if (kind !== 'schema') throw new UsageError(kind === undefined ? "what to work with is missing: 'schema'" : `unknown subcommand: '${kind}'`);
    if (action === undefined || !Object.hasOwn(argumentCounts, action)) throw new UsageError(action === undefined ? 'what to do is missing: add, list, show or remove' : `unknown action '${action}'`);
    if (rest.length !== argumentCounts[action as Action]) throw new UsageError(rest.length < argumentCounts[action as Action] ? 'not enough arguments' : 'too many arguments');
    if (args.has('force') && action !== 'add') throw new UsageError("option '--force' goes with 'add' only");
    if (args.has('json') && action === 'show') throw new UsageError("option '--json' does not go with 'show', which prints JSON anyway");
    const repository = Repository.open(context);
    const [name = '', file = ''] = rest;
    if (action === 'show') {
      context.stdout.write(readSchema(repository, name).bytes);
      return 0;
    }
    if (action === 'list') {
      const schemas = listSchemas(repository);
      context.stdout.write(args.has('json') ? asLine({ schemas: schemas.map(toJson) }) : schemas.map(formatSchema).join(''));
      return 0;
    }
    const schema = action === 'add' ? addSchema(repository, name, readFile(resolve(context.cwd, file), file), { force: args.has('force') }) : removeSchema(repository, name);
    if (args.has('json')) context.stdout.write(asLine(toJson(schema)));
    else context.stdout.write(`${action === 'add' ? 'registered' : 'removed'} ${formatSchema(schema)}`);
    return 0;
  },
};

function readFile(path: string, typed: string): Buffer {
  try {
    return readSmallFile(path, mostBytes);
  } catch (error) {
    if (!isSystemError(error, 'ENOENT', 'ENOTDIR')) throw error;
    throw new NotFoundError(`'${typed}' does not exist`, { code: 'no-such-file', cause: error });
  }
}

function toJson({ name, id }: RegisteredSchema): Record<string, unknown> {
  return { name, schema: id };
}

function formatSchema({ name, id }: RegisteredSchema): string {
  return `${escapeControls(name)}  ${id}\n`;
}

function asLine(value: unknown): string {
  return `${JSON.stringify(value)}\n`;
}
