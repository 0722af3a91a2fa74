// cairn multi-pack-index: one index of many packs (git-multi-pack-index(1)).
import { resolve } from 'node:path';
import { NotFoundError, UsageError } from '../../pack/errors.js';
import { ObjectStore } from '../../pack/object-store.js';
import type { Arguments, Command, Context } from '../command.js';
import { parseConfigInteger } from '../config.js';
import { listLines } from '../line-reader.js';
import { MultiPackIndexing } from '../objects/multi-pack-indexing.js';
import { Repository } from '../repository.js';

/** Options and what takes them. */
const takers: Readonly<Record<string, readonly string[]>> = {
  'preferred-pack': ['write'], 'no-bitmap': ['write'], 'stdin-packs': ['write'], 'refs-snapshot': ['write'], 'batch-size': ['repack'],
};

export const command: Command = {
  name: 'multi-pack-index',
  family: 'git',
  summary: 'keep one index of many packs',
  usage: [
    'multi-pack-index [<options>] write [--preferred-pack=<pack>] [--stdin-packs]',
    'multi-pack-index [<options>] verify',
    'multi-pack-index [<options>] expire',
    'multi-pack-index [<options>] repack [--batch-size=<size>]',
  ],
  options: [
    { name: 'object-dir', value: 'directory', help: 'the objects directory, in place of the repository\'s' },
    { name: 'progress', negatable: true, help: 'accepted; nothing is shown' },
    { name: 'preferred-pack', value: 'pack', help: 'choose the copies of this pack' },
    { name: 'no-bitmap', negatable: true, help: 'write no bitmap, which is the default' },
    { name: 'stdin-packs', negatable: true, help: 'list only the packs named on standard input' },
    { name: 'refs-snapshot', value: 'path', help: 'tips for a bitmap, of which none is written' },
    { name: 'batch-size', value: 'size', help: 'put together packs of about this size' },
  ],
  run(context, args) {
    const [action, ...others] = args.positionals;
    if (action === undefined) throw new UsageError('need a subcommand');
    const [first] = args.tokens.filter((token) => token.kind === 'positional' || token.name !== 'object-dir');
    if (first?.kind === 'option') throw new UsageError(`option '${first.name}' comes behind the subcommand`);
    if (!['write', 'verify', 'expire', 'repack'].includes(action)) throw new UsageError(`unknown subcommand: '${action}'`);
    for (const [name, actions] of Object.entries(takers)) {
      if (args.flag(name) !== undefined && !actions.includes(action)) throw new UsageError(`unknown option '${name}'`);
    }
    if (others.length > 0) throw new UsageError('too many arguments');
    if (args.flag('no-bitmap') === false) throw new UsageError('bitmaps are not supported');
    const batchBytes = parseBatch(args);
    const repository = Repository.open(context);
    const warn = (text: string): void => { context.stderr.write(`warning: ${text}\n`); };
    const indexing = new MultiPackIndexing(openStore(context, args, repository, action), repository.lockHolder);
    switch (action) {
      case 'write': return write(context, args, indexing, warn);
      case 'verify': return verify(context, indexing);
      case 'expire':
        indexing.expire(warn);
        return 0;
      default:
        indexing.repack(batchBytes, {
          includesKept: repository.config.getBoolean('repack.packKeptObjects') ?? false,
          usesOffsets: repository.config.getBoolean('repack.useDeltaBaseOffset') ?? true,
          warn,
        });
        return 0;
    }
  },
};

function parseBatch(args: Arguments): number {
  const text = args.value('batch-size');
  if (text === undefined) return 0;
  const size = parseConfigInteger(text);
  if (size === undefined || size < 0) throw new UsageError("option 'batch-size' expects a non-negative integer value with an optional k/m/g suffix");
  return size;
}

/** The store to work on: that of the repository or one of its alternates; only to verify, any other. */
function openStore(context: Context, args: Arguments, repository: Repository, action: string): ObjectStore {
  const named = args.value('object-dir');
  const { objects } = repository;
  if (named === undefined) return objects;
  const directory = resolve(context.cwd, named);
  if (directory === objects.directory) return objects;
  if (action !== 'verify' && !objects.alternates.includes(directory)) {
    throw new NotFoundError(`could not find object directory matching '${directory}'`, { code: 'no-object-directory' });
  }
  return ObjectStore.open(directory, repository.format);
}

function write(context: Context, args: Arguments, indexing: MultiPackIndexing, warn: (text: string) => void): number {
  const only = args.has('stdin-packs') ? new Set([...listLines(context.stdin)].map((line) => line.trimEnd())) : undefined;
  const preferred = args.value('preferred-pack');
  try {
    indexing.write({ warn, ...(only === undefined ? {} : { only }), ...(preferred === undefined ? {} : { preferred }) });
    return 0;
  } catch (error) {
    if (!(error instanceof NotFoundError) || error.code !== 'no-packs') throw error;
    context.stderr.write(`error: ${error.message}\n`);
    return 1;
  }
}

function verify(context: Context, indexing: MultiPackIndexing): number {
  let faults = 0;
  for (const fault of indexing.check()) {
    context.stderr.write(`error: ${fault}\n`);
    faults += 1;
  }
  return faults > 0 ? 1 : 0;
}
