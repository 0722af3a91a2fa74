// cairn unpack-objects: take the objects of a pack on standard input in, each as a file of its own (git-unpack-objects(1)).
import { join } from 'node:path';
import { CairnError, CorruptError, UsageError } from '../../pack/errors.js';
import { streamThresholdBytes } from '../../pack/object.js';
import type { ObjectStore } from '../../pack/object-store.js';
import type { PackIndexer } from '../../pack/pack-indexer.js';
import { PackIntake } from '../../pack/pack-intake.js';
import { PackStream } from '../../pack/pack-stream.js';
import { holdLease, whileNaming } from '../refs/announcement.js';
import type { Arguments, Command, Context } from '../command.js';
import { IncomingObjects, parseMostBytes, parseSeverities } from '../objects/incoming-objects.js';
import { listChunks } from '../line-reader.js';
import { Repository } from '../repository.js';

export const command: Command = {
  name: 'unpack-objects',
  family: 'git',
  summary: 'take the objects of a pack in, each as a file of its own',
  usage: ['unpack-objects [-n] [-q] [-r] [--strict] [--max-input-size=<size>]'],
  options: [
    { name: 'n', help: 'check the pack, write nothing' },
    { name: 'q', help: 'do not tell how many objects there were' },
    { name: 'r', help: 'write what can be had of a damaged pack' },
    { name: 'strict', value: 'severities', valueOptional: true, help: 'refuse objects that are not well formed, or name what is not there' },
    { name: 'max-input-size', value: 'size', help: 'refuse a larger pack' },
  ],
  run(context, args) {
    if (args.positionals.length > 0) throw new UsageError('the pack is read from standard input');
    const severities = args.value('strict');
    if (severities !== undefined) parseSeverities(severities);
    const repository = Repository.open(context);
    using _ = holdLease(repository);
    try {
      return args.has('n') ? check(context, repository) : unpack(context, args, repository);
    } catch (error) {
      // An object that does not inflate, or whose delta cannot be applied, is git's exit code 1; anything else wrong with the pack,
      // such as being cut, is not.
      const isContent = error instanceof CorruptError && error.cause instanceof CorruptError && error.cause.code !== 'short-zlib';
      if (!isContent) throw error;
      context.stderr.write(`error: ${error.message}\n`);
      return 1;
    }
  },
};

/** Reads the pack through; deltas are inflated but not resolved, as git does. */
function check(context: Context, repository: Repository): number {
  const stream = new PackStream(listChunks(context.stdin), repository.format, { mayGoOn: true });
  for (const entry of stream.entries()) entry.finish();
  context.stdout.write(stream.rest);
  return 0;
}

function unpack(context: Context, args: Arguments, repository: Repository): number {
  const { objects, format } = repository;
  const isStrict = args.has('strict');
  const mostBytes = parseMostBytes(args.value('max-input-size'));
  const incoming = new IncomingObjects({
    store: objects,
    format,
    links: isStrict,
    ...(isStrict ? { severityOf: parseSeverities(args.value('strict') ?? '') } : {}),
    warn: (line) => { context.stderr.write(`${line}\n`); },
  });
  let failure: CairnError | undefined;
  using intake = PackIntake.receive(listChunks(context.stdin), join(repository.objectsDirectory, 'pack'), format, {
    ...(mostBytes === undefined ? {} : { mostBytes }),
    isUntrusted: true,
    onObject: (object) => { incoming.see(object); },
    findBase: (id) => objects.find(id),
    ...(args.has('r') ? { onDamage: (error) => { failure = error; } } : {}),
  });
  const written = whileNaming(repository, () => {
    if (failure === undefined) incoming.finish(intake.indexer);
    objects.rescue();
    const count = objects.writeTogether(() => writeAll(objects, intake.indexer));
    objects.flush();
    return count;
  });
  if (!args.has('q')) context.stderr.write(`Unpacking objects: 100% (${written}/${written}), done.\n`);
  if (failure !== undefined) throw failure;
  context.stdout.write(intake.rest);
  return 0;
}

/**
 * Writes every object whose id is known, bases of a thin pack left out: they are here. Returns how many there were. What others name comes
 * last in a pack and is written first, so that what a crash leaves names little that is not there.
 */
function writeAll(objects: ObjectStore, indexer: PackIndexer): number {
  let written = 0;
  for (let number = indexer.count - 1; number >= 0; number -= 1) {
    if (!indexer.isResolvedAt(number)) continue;
    written += 1;
    if (objects.has(indexer.idAt(number)) && objects.renew(indexer.idAt(number))) continue;
    const type = indexer.typeAt(number);
    const sizeBytes = indexer.sizeAt(number);
    if (sizeBytes >= streamThresholdBytes) objects.writeStream(type, sizeBytes, indexer.contentChunks(number));
    else objects.write(type, Buffer.concat([...indexer.contentChunks(number)]));
  }
  return written;
}
