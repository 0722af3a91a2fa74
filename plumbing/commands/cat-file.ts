// cairn cat-file: content, type or size of objects, one or a stream of them (git-cat-file(1)).
import { InvalidError, NotFoundError, UsageError } from '../../pack/errors.js';
import { isObjectType } from '../../pack/object.js';
import type { ObjectId } from '../../pack/oid.js';
import { formatMode, typeOfMode } from '../../pack/tree.js';
import { ObjectBatch } from '../objects/object-batch.js';
import type { Arguments, Command } from '../command.js';
import { contentForPath } from '../content/conversion.js';
import { Mailmap } from '../history/mailmap.js';
import { quotePath } from '../quote.js';
import { Repository } from '../repository.js';
import { peel, resolveNamed } from '../history/revision.js';
import { TextConversion } from '../content/text-conversion.js';
import { WorkTree } from '../index/work-tree.js';

const batchModes = ['batch', 'batch-check', 'batch-command'] as const;
const questions = ['t', 's', 'e', 'p', 'filters', 'textconv'] as const;
const conversions = ['filters', 'textconv'] as const;

export const command: Command = {
  name: 'cat-file',
  family: 'git',
  summary: 'show the content, type or size of objects',
  usage: [
    'cat-file <type> <object>',
    'cat-file (-e | -p | -t | -s) [--allow-unknown-type] <object>',
    'cat-file (--batch | --batch-check | --batch-command)[=<format>] [--batch-all-objects] [--buffer] [--unordered] [-z]',
    'cat-file (--textconv | --filters) [<rev>:<path> | --path=<path> <rev>]',
  ],
  options: [
    { name: 't', help: 'show the type' },
    { name: 's', help: 'show the size' },
    { name: 'e', help: 'only say by the exit code whether the object is there' },
    { name: 'p', help: 'show the content as suits its type' },
    { name: 'allow-unknown-type', help: 'with -t and -s, let the type be one nobody knows' },
    { name: 'filters', help: 'show the content as it would be checked out' },
    { name: 'textconv', help: 'show the content as a text converter makes it' },
    { name: 'use-mailmap', negatable: true, help: 'show people as mailmaps have them' },
    { name: 'mailmap', negatable: true, help: 'as --use-mailmap' },
    { name: 'follow-symlinks', negatable: true, help: 'in batch modes, follow symbolic links inside of trees' },
    { name: 'path', value: 'path', help: 'convert as if the object were at this path' },
    { name: 'batch', value: 'format', valueOptional: true, help: 'show header and content of every object named on standard input' },
    { name: 'batch-check', value: 'format', valueOptional: true, help: 'show the header of every object named on standard input' },
    { name: 'batch-command', value: 'format', valueOptional: true, help: 'do what standard input says: info, contents, flush' },
    { name: 'batch-all-objects', help: 'every object there is, instead of those on standard input' },
    { name: 'buffer', negatable: true, help: 'do not write each answer at once' },
    { name: 'unordered', help: 'with --batch-all-objects, in whatever order is quickest' },
    { name: 'z', help: 'names on standard input end in NUL' },
  ],
  run(context, args) {
    const conversion = conversions.find((name) => args.has(name));
    const batch = batchModes.filter((name) => args.has(name));
    const asked = questions.filter((name) => args.has(name) && !(batch.length > 0 && name === conversion));
    const modes = [...batch, ...asked];
    if (batch.some((name) => args.count(name) > 1)) throw new UsageError('only one batch option may be specified');
    if (modes.length > 1) throw new UsageError(`-${modes[0]} cannot be combined with -${modes[1]}`);
    const mode = modes[0];
    if (mode === 'batch' || mode === 'batch-check' || mode === 'batch-command') {
      // With a conversion git does not look at what else is there.
      if (args.positionals.length > 0 && conversion === undefined) throw new UsageError('batch modes take no arguments');
      if (args.has('path')) throw new UsageError('--path is incompatible with a batch mode');
      if (conversion !== undefined && args.has('batch-all-objects')) throw new UsageError(`--${conversion} is incompatible with --batch-all-objects`);
      // All objects are shown as they are; what stands in for one is among them.
      const all = args.has('batch-all-objects');
      const repository = Repository.open(all ? { ...context, env: { ...context.env, GIT_NO_REPLACE_OBJECTS: '1' } } : context);
      const people = usesMailmap(args) ? Mailmap.read(repository) : undefined;
      return new ObjectBatch(repository, mode, {
        format: args.value(mode), all, buffered: args.flag('buffer'),
        unordered: args.has('unordered'), terminator: args.has('z') ? '\0' : '\n', followLinks: args.has('follow-symlinks'),
        ...(conversion === undefined ? {} : { convertBlob: converter(repository, conversion) }),
        ...(people === undefined ? {} : { convertHeader: (bytes: Buffer) => people.mapHeader(bytes) }),
      }).run();
    }
    const batchOnly = ['batch-all-objects', 'buffer', 'follow-symlinks', 'unordered', 'z'].find((name) => args.has(name));
    if (batchOnly !== undefined) throw new UsageError(`--${batchOnly} requires a batch mode`);
    if (args.has('path') && mode !== 'filters' && mode !== 'textconv') throw new UsageError('--path needs --filters');
    if (args.has('allow-unknown-type') && mode !== 't' && mode !== 's') throw new InvalidError('--allow-unknown-type: use with -s or -t', { code: 'bad-arguments' });
    return showOne(Repository.open(context), args, mode);
  },
};

type Question = (typeof questions)[number];

function usesMailmap(args: Arguments): boolean {
  return args.has('use-mailmap') || args.has('mailmap');
}

/** How a blob at a path is shown. */
function converter(repository: Repository, conversion: (typeof conversions)[number]): (path: string, bytes: Buffer) => Buffer {
  if (conversion === 'filters') {
    if (repository.workTree === undefined) return (path, bytes) => contentForPath(repository, path, bytes);
    const tree = new WorkTree(repository);
    return (path, bytes) => tree.contentForWorkTree(path, bytes);
  }
  const texts = new TextConversion(repository);
  return (path, bytes) => texts.find(path, () => bytes) ?? bytes;
}

function showOne(repository: Repository, args: Arguments, question: Question | undefined): number {
  const names = args.positionals;
  if (names.length !== (question === undefined ? 2 : 1)) {
    throw new UsageError(question === undefined ? 'exactly a type and an object are required' : 'exactly one object is required');
  }
  const { objects, context: { stdout } } = repository;
  const { id, path, mode } = resolveNamed(repository, names.at(-1)!);
  const people = usesMailmap(args) ? Mailmap.read(repository) : undefined;
  switch (question) {
    case undefined:
      showTyped(repository, names[0]!, names[1]!, id, people);
      return 0;
    case 'e':
      return objects.has(id) ? 0 : 1;
    case 't':
    case 's': {
      const header = args.has('allow-unknown-type') ? objects.findAnyHeader(id) : objects.findHeader(id);
      if (header === undefined) throw new NotFoundError(`could not get object info of '${names[0]}'`, { code: 'object-missing' });
      stdout.write(`${question === 't' ? header.type : header.sizeBytes}\n`);
      return 0;
    }
    case 'p':
      showPretty(repository, id, people);
      return 0;
    case 'filters':
    case 'textconv':
      showConverted(repository, { id, mode, path: args.value('path') === undefined ? path : Buffer.from(args.value('path')!).toString('latin1') }, names[0]!, question);
      return 0;
  }
}

/** Content of the object of `type` that `id` leads to. */
function showTyped(repository: Repository, type: string, name: string, id: ObjectId, people: Mailmap | undefined): void {
  if (!isObjectType(type)) throw new InvalidError(`invalid object type '${type}'`, { code: 'bad-type' });
  const wanted = peel(repository, id, type);
  if (wanted === undefined) throw new NotFoundError(`'${name}' leads to no ${type}`, { code: 'object-missing' });
  copyContent(repository, wanted, people);
}

function copyContent(repository: Repository, id: ObjectId, people: Mailmap | undefined): void {
  if (people !== undefined && !people.isEmpty && ['commit', 'tag'].includes(repository.objects.readHeader(id).type)) {
    repository.context.stdout.write(people.mapHeader(repository.objects.read(id).bytes));
    return;
  }
  for (const chunk of repository.objects.openStream(id).chunks) repository.context.stdout.write(chunk);
}

function showPretty(repository: Repository, id: ObjectId, people?: Mailmap): void {
  const { objects, context: { stdout }, config } = repository;
  if (objects.readHeader(id).type !== 'tree') return copyContent(repository, id, people);
  const quoting = { quotePath: config.getBoolean('core.quotepath') ?? true };
  for (const entry of objects.readTree(id)) {
    const line = `${formatMode(entry.mode)} ${typeOfMode(entry.mode)} ${entry.id}\t${quotePath(entry.name, quoting)}\n`;
    stdout.write(Buffer.from(line, 'latin1'));
  }
}

interface Shown {
  readonly id: ObjectId;
  readonly mode: number | undefined;
  readonly path: string | undefined;
}

function showConverted(repository: Repository, { id, mode, path }: Shown, name: string, conversion: (typeof conversions)[number]): void {
  const { objects, context: { stdout } } = repository;
  if (path === undefined) throw new InvalidError(`<object>:<path> required, only '${name}' given`, { code: 'path-required' });
  const isFile = objects.readHeader(id).type === 'blob' && (mode === undefined || (mode & 0o170000) === 0o100000);
  if (!isFile) {
    if (conversion === 'textconv') showPretty(repository, id);
    else copyContent(repository, id, undefined);
    return;
  }
  stdout.write(converter(repository, conversion)(path, objects.read(id).bytes));
}
