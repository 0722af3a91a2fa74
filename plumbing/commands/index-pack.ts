// cairn index-pack: make the index of a pack, or take a pack in from standard input (git-index-pack(1)).
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { CorruptError, InvalidError, NotFoundError, RefusedError, UsageError, isSystemError } from '../../pack/errors.js';
import type { ObjectFormat } from '../../pack/oid.js';
import { PackIntake, type PackIntakeOptions, type PackPlace } from '../../pack/pack-intake.js';
import { holdLease, whileNaming } from '../refs/announcement.js';
import type { Arguments, Command, Context } from '../command.js';
import { IncomingObjects, parseMostBytes, parseSeverities } from '../objects/incoming-objects.js';
import { listChunks } from '../line-reader.js';
import { listPack } from '../objects/pack-listing.js';
import { Repository } from '../repository.js';

export const command: Command = {
  name: 'index-pack',
  family: 'git',
  summary: 'make the index of a pack, or take a pack in',
  usage: [
    'index-pack [-v] [-o <index-file>] [--keep[=<msg>]] [--[no-]rev-index] [--verify] [--strict] <pack-file>',
    'index-pack --stdin [--fix-thin] [-v] [-o <index-file>] [--keep[=<msg>]] [--[no-]rev-index] [--strict] [<pack-file>]',
  ],
  options: [
    { name: 'v', help: 'tell on standard error how many objects there were' },
    { name: 'o', value: 'index-file', help: 'write the index there' },
    { name: 'stdin', help: 'read the pack from standard input, and store it' },
    { name: 'fix-thin', help: 'add the objects that deltas need and the pack lacks' },
    { name: 'keep', value: 'msg', valueOptional: true, help: 'make a .keep file beside the pack' },
    { name: 'promisor', value: 'message', valueOptional: true, help: 'make a .promisor file beside the pack' },
    { name: 'rev-index', negatable: true, help: 'make a reverse index, too' },
    { name: 'index-version', value: 'version[,offset]', help: 'version of the index, and where 64-bit offsets begin' },
    { name: 'strict', value: 'severities', valueOptional: true, help: 'refuse objects that are not well formed, or name what is not there' },
    { name: 'fsck-objects', help: 'refuse objects that are not well formed' },
    { name: 'check-self-contained-and-connected', help: 'exit with 1 when the pack names objects outside of it' },
    { name: 'verify', help: 'compare the index that is there with the pack' },
    { name: 'verify-stat', help: 'the same, and list what is in the pack' },
    { name: 'verify-stat-only', help: 'the same, and count chains of deltas' },
    { name: 'max-input-size', value: 'size', help: 'refuse a larger pack' },
    { name: 'object-format', value: 'format', help: 'hash of the pack: sha1 or sha256' },
    { name: 'threads', value: 'n', help: 'accepted as git does; one thread does the work' },
    { name: 'progress-title', value: 'title', hidden: true, help: 'what the count of objects is called' },
  ],
  run(context, args) {
    const repository = Repository.find(context);
    const request = readRequest(context, args, repository);
    const verifies = args.lastOf('verify', 'verify-stat', 'verify-stat-only') !== undefined;
    const incoming = verifies ? undefined : makeChecks(context, args, repository, request.format);
    using _ = repository === undefined || verifies ? undefined : holdLease(repository);
    using intake = open(context, args, repository, request, incoming);
    if (verifies) return verify(context, args, request, intake);
    const id = intake.checksum.toString('hex');
    const settle = (): ReturnType<IncomingObjects['finish']> & { readonly kept: boolean } => {
      const found = incoming!.finish(intake.indexer);
      if (args.has('strict') && incoming!.twin !== undefined) {
        throw new RefusedError(`the object '${incoming!.twin}' is in the pack twice`, { code: 'object-twice' });
      }
      repository?.objects.rescue();
      return { ...found, kept: intake.place(placeOf(args, repository, request, id)).kept };
    };
    // What the pack names and was found here stays until the pack is here, too.
    const found = repository === undefined ? settle() : whileNaming(repository, settle);
    const { kept } = found;
    tell(context, args, intake);
    context.stdout.write(args.has('stdin') ? `${kept ? 'keep' : 'pack'}\t${id}\n` : `${id}\n`);
    for (const missing of found.missingGitmodules) context.stdout.write(`${missing}\n`);
    if (args.has('stdin')) context.stdout.write(intake.rest);
    return args.has('check-self-contained-and-connected') && found.foreign > 0 ? 1 : 0;
  },
};

/** What the options ask for, checked before anything is read. */
interface Request {
  readonly format: ObjectFormat;
  readonly packPath: string | undefined;
  readonly indexPath: string | undefined;
  readonly version: 1 | 2;
  readonly largeAbove: number | undefined;
  readonly reverseIndex: boolean;
}

function readRequest(context: Context, args: Arguments, repository: Repository | undefined): Request {
  const { positionals } = args;
  const [name] = positionals;
  if (positionals.length > 1 || (name === undefined && !args.has('stdin'))) throw new UsageError('one pack is required');
  checkThreads(args);
  const severities = args.value('strict');
  if (severities !== undefined) parseSeverities(severities);
  if (args.has('fix-thin') && !args.has('stdin')) throw new InvalidError("the option '--fix-thin' requires '--stdin'", { code: 'bad-options' });
  if (args.has('stdin') && args.value('object-format') !== undefined) {
    throw new InvalidError("options '--object-format' and '--stdin' cannot be used together", { code: 'bad-options' });
  }
  if (args.has('stdin') && name === undefined && repository === undefined) {
    throw new NotFoundError('--stdin requires a git repository', { code: 'no-repository' });
  }
  const index = args.value('o');
  if (name !== undefined && index === undefined && !name.endsWith('.pack')) throw badName(name, '.pack');
  const reverseIndex = args.flag('rev-index') ?? repository?.config.getBoolean('pack.writeReverseIndex') ?? false;
  if (reverseIndex && index !== undefined && !index.endsWith('.idx')) throw badName(index, '.idx');
  return {
    format: readFormat(args) ?? repository?.format ?? 'sha1',
    packPath: name === undefined ? undefined : resolve(context.cwd, name),
    indexPath: index === undefined ? undefined : resolve(context.cwd, index),
    reverseIndex,
    ...readVersion(args, repository),
  };
}

function badName(name: string, suffix: string): InvalidError {
  return new InvalidError(`packfile name '${name}' does not end with '${suffix}'`, { code: 'bad-name' });
}

function checkThreads(args: Arguments): void {
  const threads = args.value('threads');
  if (threads !== undefined && !/^[0-9]+$/.test(threads)) throw new UsageError(`'${threads}' is not a number of threads`);
}

function readFormat(args: Arguments): ObjectFormat | undefined {
  const format = args.value('object-format');
  if (format === undefined || format === 'sha1' || format === 'sha256') return format;
  throw new InvalidError(`unknown hash algorithm '${format}'`, { code: 'bad-object-format' });
}

function readVersion(args: Arguments, repository: Repository | undefined): Pick<Request, 'version' | 'largeAbove'> {
  const text = args.value('index-version');
  const [, number, offset] = /^(\d+)(?:,(0[xX][0-9a-fA-F]+|\d+))?$/.exec(text ?? String(repository?.config.getInteger('pack.indexVersion') ?? 2)) ?? [];
  if (number !== '1' && number !== '2') throw new InvalidError(`bad --index-version=${text ?? ''}`, { code: 'bad-index-version' });
  return { version: number === '1' ? 1 : 2, largeAbove: offset === undefined ? undefined : readOffset(offset) };
}

/** Written as C writes numbers. */
function readOffset(text: string): number {
  return /^0[xX]/.test(text) ? Number(text) : Number.parseInt(text, text.startsWith('0') ? 8 : 10);
}

function makeChecks(context: Context, args: Arguments, repository: Repository | undefined, format: ObjectFormat): IncomingObjects {
  const links = args.has('strict') || args.has('check-self-contained-and-connected');
  const isChecked = links || args.has('fsck-objects');
  return new IncomingObjects({
    store: repository?.format === format ? repository.objects : undefined,
    format,
    links,
    ...(isChecked ? { severityOf: parseSeverities(args.value('strict') ?? '') } : {}),
    warn: (line) => { context.stderr.write(`${line}\n`); },
  });
}

function open(context: Context, args: Arguments, repository: Repository | undefined, request: Request, incoming: IncomingObjects | undefined): PackIntake {
  const mostBytes = parseMostBytes(args.value('max-input-size'));
  const level = repository?.config.getInteger('core.compression');
  const options: PackIntakeOptions = {
    isUntrusted: args.has('stdin'),
    ...(incoming === undefined ? {} : { onObject: (object) => { incoming.see(object); } }),
    ...(mostBytes === undefined ? {} : { mostBytes }),
    ...(level === undefined || level < 0 ? {} : { level }),
    ...(repository === undefined ? {} : { hardening: repository.hardening }),
    ...(args.has('fix-thin') && repository !== undefined ? { findBase: (id) => repository.objects.find(id) } : {}),
  };
  const { packPath, format } = request;
  if (!args.has('stdin')) return readFile(packPath!, format, options);
  if (packPath !== undefined && existsSync(packPath)) throw new RefusedError(`'${packPath}' is there already`, { code: 'file-exists' });
  const directory = packPath === undefined ? packDirectory(repository!) : join(packPath, '..');
  return PackIntake.receive(listChunks(context.stdin), directory, format, options);
}

function readFile(path: string, format: ObjectFormat, options: PackIntakeOptions): PackIntake {
  try {
    return PackIntake.readFile(path, format, options);
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR', 'EISDIR')) throw new NotFoundError(`cannot open pack '${path}'`, { code: 'pack-missing', cause: error });
    throw error;
  }
}

function packDirectory(repository: Repository): string {
  return join(repository.objectsDirectory, 'pack');
}

function placeOf(args: Arguments, repository: Repository | undefined, request: Request, id: string): PackPlace {
  const { packPath, indexPath, version, largeAbove, reverseIndex } = request;
  const keep = args.has('keep') ? args.value('keep') ?? '' : undefined;
  const promisor = args.has('promisor') ? args.value('promisor') ?? '' : undefined;
  return {
    base: packPath === undefined ? join(packDirectory(repository!), `pack-${id}`) : packPath.replace(/\.pack$/, ''),
    indexVersion: version,
    reverseIndex,
    ...(packPath === undefined ? {} : { packPath }),
    ...(indexPath === undefined ? {} : { indexPath }),
    ...(largeAbove === undefined ? {} : { largeAbove }),
    ...(keep === undefined ? {} : { keep }),
    ...(promisor === undefined ? {} : { promisor }),
  };
}

function verify(context: Context, args: Arguments, request: Request, intake: PackIntake): number {
  const indexPath = request.indexPath ?? request.packPath!.replace(/\.pack$/, '.idx');
  const reversePath = indexPath.replace(/\.idx$/, '.rev');
  if (!existsSync(indexPath)) throw new NotFoundError(`cannot open existing pack idx file for '${indexPath}'`, { code: 'index-missing' });
  if (args.lastOf('verify-stat', 'verify-stat-only') !== undefined) {
    for (const line of listPack(intake.indexer, { summaryOnly: args.has('verify-stat-only') })) context.stdout.write(`${line}\n`);
  }
  const reverse = request.reverseIndex && existsSync(reversePath) ? readFileSync(reversePath) : undefined;
  if (!intake.matches(readFileSync(indexPath), reverse)) throw new CorruptError(`'${indexPath}' does not say what its pack holds`, { code: 'bad-pack-index' });
  return 0;
}

function tell(context: Context, args: Arguments, intake: PackIntake): void {
  if (!args.has('v')) return;
  const { count } = intake.indexer;
  const title = args.value('progress-title') ?? (args.has('stdin') ? 'Receiving objects' : 'Indexing objects');
  context.stderr.write(`${title}: 100% (${count}/${count}), done.\n`);
}
