// cairn commit-graph: keep the file that makes walking history quick (git-commit-graph(1)).
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { CairnError, InvalidError, NotFoundError, UsageError } from '../../pack/errors.js';
import { findFile } from '../../pack/file-lookup.js';
import { type ObjectId, isObjectId } from '../../pack/oid.js';
import { PackCaches, PackReader } from '../../pack/pack-reader.js';
import type { Arguments, Command, Context } from '../command.js';
import { CommitGraphing, type SplitRequest } from '../history/commit-graphing.js';
import { parseExpiry } from '../date.js';
import { listLines } from '../line-reader.js';
import { parseCount } from '../option-number.js';
import { Repository } from '../repository.js';
import { peel } from '../history/revision.js';

const writeOnly = [
  'reachable', 'stdin-packs', 'stdin-commits', 'append', 'no-changed-paths', 'split', 'max-commits', 'size-multiple', 'expire-time', 'max-new-filters',
] as const;

export const command: Command = {
  name: 'commit-graph',
  family: 'git',
  summary: 'keep the file that makes walking history quick',
  usage: [
    'commit-graph verify [--object-dir <dir>] [--shallow] [--[no-]progress]',
    'commit-graph write [--object-dir <dir>] [--append] [--split[=<strategy>]] [--reachable | --stdin-packs | --stdin-commits] [--no-changed-paths] [--[no-]progress] <split options>',
  ],
  options: [
    { name: 'object-dir', value: 'dir', help: 'the objects directory, in place of the repository\'s' },
    { name: 'progress', negatable: true, help: 'accepted; nothing is shown' },
    { name: 'shallow', negatable: true, help: 'verify only the topmost file of a chain' },
    { name: 'reachable', negatable: true, help: 'begin with all refs' },
    { name: 'stdin-packs', negatable: true, help: 'begin with the commits of the packs whose indexes are named on standard input' },
    { name: 'stdin-commits', negatable: true, help: 'begin with the commits on standard input' },
    { name: 'append', negatable: true, help: 'also keep what is in the graph now' },
    { name: 'no-changed-paths', negatable: true, help: 'write no filters of changed paths, which is the default' },
    { name: 'split', value: 'strategy', valueOptional: true, negatable: true, help: 'add a file to a chain: merge as needed, no-merge or replace' },
    { name: 'max-commits', value: 'n', help: 'most commits of a file that is not the lowest' },
    { name: 'size-multiple', value: 'n', help: 'how many times as large the file below must be' },
    { name: 'expire-time', value: 'date', help: 'remove only unused files older than this' },
    { name: 'max-new-filters', value: 'n', negatable: true, help: 'accepted; no filters are written' },
  ],
  run(context, args) {
    const [action, ...others] = args.positionals;
    if (action === undefined) throw new UsageError('need a subcommand');
    if (action !== 'write' && action !== 'verify') throw new UsageError(`unknown subcommand: '${action}'`);
    const [first] = args.tokens.filter((token) => token.kind === 'positional' || token.name !== 'object-dir');
    if (first?.kind === 'option') throw new UsageError(`option '${first.name}' comes behind the subcommand`);
    for (const name of action === 'write' ? ['shallow'] : writeOnly) if (args.flag(name) !== undefined) throw new UsageError(`unknown option '${name}'`);
    if (others.length > 0) throw new UsageError('too many arguments');
    if (args.flag('no-changed-paths') === false) throw new UsageError('filters of changed paths are not supported');
    return action === 'write' ? write(context, args) : verify(context, args);
  },
};

function open(context: Context, args: Arguments): { readonly repository: Repository; readonly graphing: CommitGraphing; readonly directory: string } {
  const repository = Repository.open(context);
  const { objects } = repository;
  const named = args.value('object-dir');
  const directory = named === undefined ? objects.directory : resolve(context.cwd, named);
  if (directory !== objects.directory && !objects.alternates.includes(directory)) {
    throw new NotFoundError(`could not find object directory matching ${named}`, { code: 'no-object-directory' });
  }
  return { repository, graphing: new CommitGraphing(objects, directory, repository.lockHolder), directory };
}

function verify(context: Context, args: Arguments): number {
  const { graphing } = open(context, args);
  let faults = 0;
  for (const fault of graphing.check({ shallow: args.has('shallow') })) {
    context.stderr.write(`${fault}\n`);
    faults += 1;
  }
  return faults > 0 ? 1 : 0;
}

function write(context: Context, args: Arguments): number {
  const split = parseSplit(args);
  parseNumber(args, 'max-new-filters');
  const expiry = args.value('expire-time');
  // 0 ("never") stands for none given, as in git.
  const expireBefore = (expiry === undefined ? 0 : parseExpiry(expiry, context.clock)) || Infinity;
  if (['reachable', 'stdin-packs', 'stdin-commits'].filter((name) => args.has(name)).length > 1) {
    throw new InvalidError('use at most one of --reachable, --stdin-commits, or --stdin-packs', { code: 'bad-options' });
  }
  const { repository, graphing, directory } = open(context, args);
  if (repository.config.getBoolean('core.commitGraph') === false) {
    context.stderr.write("warning: attempting to write a commit-graph, but 'core.commitGraph' is disabled\n");
    return 0;
  }
  if (!canHaveGraph(repository)) return 0;
  try {
    graphing.write({
      starts: listStarts(context, args, repository, directory),
      append: args.has('append'),
      hasDates: (repository.config.getInteger('commitGraph.generationVersion') ?? 2) === 2,
      ...(split === undefined ? {} : { split }),
      expireBefore,
      nowMs: context.clock.nowMs(),
    });
    return 0;
  } catch (error) {
    if (!(error instanceof CairnError) || !(error instanceof NotFoundError || error instanceof InvalidError)) throw error;
    context.stderr.write(`error: ${error.message}\n`);
    return 1;
  }
}

function parseSplit(args: Arguments): SplitRequest | undefined {
  const sizeMultiple = parseNumber(args, 'size-multiple') || 2;
  const mostCommits = parseNumber(args, 'max-commits') ?? 0;
  if (!args.has('split')) return undefined;
  const strategy = args.value('split') ?? 'merge';
  if (args.value('split') === 'merge' || !['merge', 'no-merge', 'replace'].includes(strategy)) {
    throw new InvalidError(`unrecognized --split argument, ${strategy}`, { code: 'bad-options' });
  }
  return { strategy: strategy as SplitRequest['strategy'], sizeMultiple, mostCommits };
}

function parseNumber(args: Arguments, name: string): number | undefined {
  const text = args.value(name);
  return text === undefined ? undefined : parseCount(name, text);
}

/** A graph says what is stored; where history is seen otherwise, it would be wrong. */
function canHaveGraph({ commonDirectory }: Repository): boolean {
  return !existsSync(join(commonDirectory, 'info/grafts')) && (findFile(join(commonDirectory, 'shallow'))?.length ?? 0) === 0;
}

function* listStarts(context: Context, args: Arguments, repository: Repository, directory: string): Generator<ObjectId> {
  if (args.has('reachable')) {
    for (const { id } of repository.refs.list('refs/')) yield* commitOf(repository, id);
  } else if (args.has('stdin-commits')) {
    for (const line of listLines(context.stdin)) {
      const text = line.trimEnd();
      if (!isObjectId(text.toLowerCase(), repository.format)) throw new InvalidError(`unexpected non-hex object ID: ${text}`, { code: 'bad-object-id' });
      const id = text.toLowerCase() as ObjectId;
      if (!repository.objects.has(id)) throw new NotFoundError(`invalid object: ${text}`, { code: 'object-missing' });
      yield* commitOf(repository, id);
    }
  } else if (args.has('stdin-packs')) {
    for (const line of listLines(context.stdin)) yield* commitsIn(openPack(repository, directory, line.trimEnd()));
  } else {
    for (const pack of repository.objects.listPacks()) yield* commitsIn(pack);
  }
}

/** What an object leads to by way of tags, when that is a commit. */
function commitOf(repository: Repository, id: ObjectId): ObjectId[] {
  const commit = peel(repository, id, 'any');
  return commit !== undefined && repository.objects.findHeader(commit)?.type === 'commit' ? [commit] : [];
}

function* commitsIn(pack: PackReader): Generator<ObjectId> {
  for (let position = 0; position < pack.objectCount; position += 1) if (pack.headerAt(position).type === 'commit') yield pack.idAt(position);
}

function openPack(repository: Repository, directory: string, name: string): PackReader {
  const path = join(directory, 'pack', name.replace(/\.idx$/, '.pack'));
  if (!name.endsWith('.idx') || !existsSync(path) || !existsSync(join(directory, 'pack', name))) {
    throw new NotFoundError(`error adding pack ${name}`, { code: 'pack-missing' });
  }
  return PackReader.open(path, repository.format, new PackCaches());
}
