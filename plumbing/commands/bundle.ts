// cairn bundle: moves objects and refs by file (git-bundle(1)).
import { join, resolve } from 'node:path';
import { fillNamedFile } from '../../pack/disk.js';
import { CorruptError, InvalidError, NotFoundError, RefusedError, UsageError, isSystemError } from '../../pack/errors.js';
import { PackIntake } from '../../pack/pack-intake.js';
import { Arguments, type Command, type Context } from '../command.js';
import { IncomingObjects } from '../objects/incoming-objects.js';
import { combineObjectFilters, parseObjectFilter } from '../history/object-filter.js';
import { parseCount } from '../option-number.js';
import { Repository } from '../repository.js';
import { RevWalk } from '../history/walk.js';
import { parseWalk, walkOptions } from '../history/walk-options.js';
import { type BundleHeader, BundleReader, encodeBundleHeader } from '../wire/bundle.js';
import { selectContents, writeBundlePack } from '../wire/bundle-contents.js';
import { whileNaming } from '../refs/announcement.js';

export const command: Command = {
  name: 'bundle',
  family: 'git',
  summary: 'move objects and refs by file',
  usage: [
    'bundle create [-q] [--version=<version>] <file> <commit>... [<options>]',
    'bundle verify [-q] <file>',
    'bundle list-heads <file> [<ref>...]',
    'bundle unbundle [--progress] <file> [<ref>...]',
  ],
  numeric: true,
  options: [
    { name: 'quiet', short: 'q', help: 'tell less' },
    { name: 'progress', help: 'tell how many objects there were' },
    { name: 'all-progress', help: 'same as --progress' },
    { name: 'all-progress-implied', help: 'accepted; changes nothing' },
    { name: 'version', value: 'version', help: 'of the format: 2 or 3' },
    { name: 'filter', value: 'spec', help: 'leave out some blobs or trees' },
    ...walkOptions,
  ],
  run(context, args) {
    const [first] = args.argv;
    const [action, file] = args.positionals;
    if (first === undefined || action === undefined) throw new UsageError('need a subcommand');
    if (first !== action) throw new UsageError(`option '${first}' comes behind the subcommand`);
    if (!['create', 'verify', 'list-heads', 'unbundle'].includes(action)) throw new UsageError(`unknown subcommand: '${action}'`);
    if (file === undefined) throw new UsageError('need a <file> argument');
    if (action !== 'create') checkFew(args, action);
    switch (action) {
      case 'create': return create(context, args, file);
      case 'list-heads': return listHeads(context, args, file);
      case 'verify': return verify(context, args, file);
      default: return unbundle(context, args, file);
    }
  },
};

/** Which options the subcommands besides create take. */
function checkFew(args: Arguments, action: string): void {
  const known = { verify: ['quiet'], unbundle: ['progress'] }[action] ?? [];
  for (const token of args.tokens) {
    if (token.kind === 'option' && !known.includes(token.name)) throw new UsageError(`unknown option '${token.name}'`);
  }
  if (action === 'verify' && args.positionals.length > 2) throw new UsageError('one bundle is verified at a time');
}

/** The arguments without the subcommand and the file. */
function withoutFile(args: Arguments): Arguments {
  let left = 2;
  const tokens = args.tokens.filter((token) => token.kind !== 'positional' || left-- <= 0);
  return new Arguments(args.argv, tokens);
}

function create(context: Context, args: Arguments, file: string): number {
  const repository = Repository.open({ ...context, env: { ...context.env, GIT_NO_REPLACE_OBJECTS: '1' } });
  const request = parseWalk(repository, withoutFile(args));
  if (request.isReflogWalk) throw new InvalidError('a bundle is made of refs, not of reflogs', { code: 'bad-options' });
  const filter = combineObjectFilters(args.values('filter').map(parseObjectFilter));
  const version = versionOf(repository, args, filter !== undefined);
  const contents = selectContents(repository, request.set.tips, request.options, (message) => { context.stderr.write(`${message}\n`); });
  const header: BundleHeader = { version, format: repository.format, filter: args.has('filter') ? args.values('filter').join('+') : undefined, ...contents };
  let count = 0;
  const fill = (append: (bytes: Uint8Array) => void): void => {
    append(encodeBundleHeader(header));
    count = writeBundlePack(repository, contents, filter, append);
  };
  if (file === '-') fill((bytes) => { context.stdout.write(bytes); });
  else fillReported(resolve(context.cwd, file), file, fill);
  const asked = args.lastOf('quiet', 'progress', 'all-progress');
  if (asked === undefined ? context.stderr.isTerminal : asked !== 'quiet') context.stderr.write(`Total ${count} objects\n`);
  return 0;
}

function fillReported(path: string, shown: string, fill: Parameters<typeof fillNamedFile>[1]): void {
  try {
    fillNamedFile(path, fill);
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) throw new NotFoundError(`cannot create '${shown}': its directory does not exist`, { code: 'directory-missing', cause: error });
    throw error;
  }
}

function versionOf(repository: Repository, args: Arguments, hasFilter: boolean): 2 | 3 {
  const least = repository.format === 'sha1' && !hasFilter ? 2 : 3;
  const text = args.value('version');
  if (text === undefined || text === '-1') return least;
  const version = parseCount('version', text);
  if (version !== 2 && version !== 3) throw new InvalidError(`unsupported bundle version ${text}`, { code: 'bad-version' });
  if (version < least) throw new InvalidError(`cannot write bundle version ${version} with the object format ${repository.format}${hasFilter ? ' and a filter' : ''}`, { code: 'bad-version' });
  return version;
}

/** The bundle; undefined, with an explanation on standard error, when it cannot be read. */
function openBundle(context: Context, file: string): BundleReader | undefined {
  try {
    return BundleReader.open(resolve(context.cwd, file), file);
  } catch (error) {
    if (!(error instanceof NotFoundError) && !(error instanceof CorruptError)) throw error;
    context.stderr.write(`error: ${error.message}\n`);
    return undefined;
  }
}

function printRefs(context: Context, { refs }: BundleHeader, wanted: readonly string[]): void {
  for (const { id, name } of refs) {
    if (wanted.length === 0 || wanted.some((word) => Buffer.from(word).toString('latin1') === name)) context.stdout.write(Buffer.from(`${id} ${name}\n`, 'latin1'));
  }
}

function listHeads(context: Context, args: Arguments, file: string): number {
  using bundle = openBundle(context, file);
  if (bundle === undefined) return 1;
  printRefs(context, bundle.header, args.positionals.slice(2));
  return 0;
}

function verify(context: Context, args: Arguments, file: string): number {
  const repository = Repository.find(context);
  using bundle = openBundle(context, file);
  if (bundle === undefined) return 1;
  if (repository === undefined) {
    context.stderr.write('error: need a repository to verify a bundle\n');
    return 1;
  }
  const { header } = bundle;
  if (!hasPrerequisites(context, repository, header)) return 1;
  const { stdout } = context;
  if (!args.has('quiet')) {
    const { refs, prerequisites, filter } = header;
    stdout.write(refs.length === 1 ? 'The bundle contains this ref:\n' : `The bundle contains these ${refs.length} refs:\n`);
    printRefs(context, header, []);
    if (prerequisites.length === 0) stdout.write('The bundle records a complete history.\n');
    else stdout.write(prerequisites.length === 1 ? 'The bundle requires this ref:\n' : `The bundle requires these ${prerequisites.length} refs:\n`);
    for (const { id } of prerequisites) stdout.write(`${id} \n`);
    stdout.write(`The bundle uses this hash algorithm: ${header.format}\n`);
    if (filter !== undefined) stdout.write(`The bundle uses this filter: ${filter}\n`);
  }
  context.stderr.write(`${file} is okay\n`);
  return 0;
}

/** Whether all the bundle builds on is here, with its history; says what is not. */
function hasPrerequisites(context: Context, repository: Repository, { prerequisites, format }: BundleHeader): boolean {
  if (format !== repository.format) {
    throw new RefusedError(`the bundle is ${format}, the repository ${repository.format}`, { code: 'format-mismatch' });
  }
  const missing = prerequisites.filter(({ id }) => repository.objects.findHeader(id)?.type !== 'commit');
  if (missing.length > 0) {
    context.stderr.write('error: repository lacks these prerequisite commits:\n');
    for (const { id, comment } of missing) context.stderr.write(`error: ${id} ${comment}\n`);
    return false;
  }
  // Walking on to the roots finds what is missing behind them.
  if (prerequisites.length > 0) for (const _node of new RevWalk(repository, prerequisites)) continue;
  return true;
}

function unbundle(context: Context, args: Arguments, file: string): number {
  const repository = Repository.find(context);
  using bundle = openBundle(context, file);
  if (bundle === undefined) return 1;
  if (repository === undefined) throw new NotFoundError('need a repository to unbundle', { code: 'no-repository' });
  const { header } = bundle;
  if (!hasPrerequisites(context, repository, header)) return 1;
  const { objects, format } = repository;
  const directory = join(repository.objectsDirectory, 'pack');
  const incoming = new IncomingObjects({ store: objects, format, warn: (line) => { context.stderr.write(`${line}\n`); } });
  using intake = PackIntake.receive(bundle.packPieces(), directory, format, {
    isUntrusted: true, onObject: (object) => { incoming.see(object); }, findBase: (id) => objects.find(id), hardening: repository.hardening,
  });
  whileNaming(repository, () => {
    incoming.finish(intake.indexer);
    // What the bundle builds on may have been swept since it was looked at, and comes back.
    for (const { id } of header.prerequisites) objects.has(id);
    objects.rescue();
    intake.place({
      base: join(directory, `pack-${intake.checksum.toString('hex')}`), reverseIndex: repository.config.getBoolean('pack.writereverseindex') ?? false,
      ...(header.filter === undefined ? {} : { promisor: 'from-bundle' }),
    });
  });
  if (args.has('progress')) context.stderr.write(`Unbundling objects: 100% (${intake.indexer.count}/${intake.indexer.count}), done.\n`);
  printRefs(context, header, args.positionals.slice(2));
  return 0;
}
