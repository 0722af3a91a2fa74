// cairn hash-object: the id of content, which it may also write as an object (git-hash-object(1)).
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { resolve } from 'node:path';
import { decodeCommit } from '../../pack/commit.js';
import { CorruptError, InvalidError, UsageError, isSystemError } from '../../pack/errors.js';
import { isObjectType, streamThresholdBytes } from '../../pack/object.js';
import { Hasher, type ObjectFormat, type ObjectId, type ObjectType, encodeObjectHeader, hashObject } from '../../pack/oid.js';
import { decodeTag } from '../../pack/tag.js';
import { decodeTree, pathFromUtf8 } from '../../pack/tree.js';
import type { Arguments, Command, Context } from '../command.js';
import { listChunks, listRecordGroups, readInput } from '../line-reader.js';
import { unquotePath } from '../quote.js';
import { Repository } from '../repository.js';
import { WorkTree } from '../index/work-tree.js';

export const command: Command = {
  name: 'hash-object',
  family: 'git',
  summary: 'compute the id of content, and write it as an object',
  usage: [
    'hash-object [-t <type>] [-w] [--path=<file> | --no-filters] [--stdin [--literally]] [--] <file>...',
    'hash-object [-t <type>] [-w] --stdin-paths [--no-filters]',
  ],
  options: [
    { name: 't', value: 'type', help: 'type of the object (default blob)' },
    { name: 'w', help: 'write the object' },
    { name: 'stdin', help: 'read the content from standard input' },
    { name: 'stdin-paths', help: 'read file names from standard input' },
    { name: 'no-filters', help: 'take the bytes as they are' },
    { name: 'literally', help: 'check neither type nor content' },
    { name: 'path', value: 'file', help: 'convert as if the content were at this path' },
  ],
  run(context, args) {
    checkUsage(args);
    const hasher = new ObjectMaker(context, args);
    const print = (id: ObjectId): void => {
      hasher.flush();
      context.stdout.write(`${id}\n`);
    };
    if (args.has('stdin')) print(hasher.hashInput(args.value('path')));
    for (const path of args.positionals) print(hasher.hashFile(path, args.value('path') ?? path));
    if (args.has('stdin-paths')) {
      for (const lines of listRecordGroups(context.stdin)) {
        const { ids, failure } = hasher.hashFiles(lines.map((line) => Buffer.from(unquotePath(line), 'latin1').toString()));
        ids.forEach(print);
        context.stdout.flush();
        if (failure !== undefined) throw failure;
      }
    }
    return 0;
  },
};

function checkUsage(args: Arguments): void {
  if (args.has('stdin-paths')) {
    if (args.has('stdin')) throw new UsageError("can't use --stdin-paths with --stdin");
    if (args.positionals.length > 0) throw new UsageError("can't specify files with --stdin-paths");
    if (args.value('path') !== undefined) throw new UsageError("can't use --stdin-paths with --path");
  }
  if (args.count('stdin') > 1) throw new UsageError('multiple --stdin arguments are not supported');
  if (args.value('path') !== undefined && args.has('no-filters')) throw new UsageError("can't use --path with --no-filters");
}

/** Makes objects as the options say. */
class ObjectMaker {
  readonly #context: Context;
  readonly #repository: Repository | undefined;
  readonly #format: ObjectFormat;
  readonly #type: string;
  readonly #writes: boolean;
  readonly #literally: boolean;
  readonly #filters: boolean;
  readonly #directory: string;
  readonly #prefix: string;
  #workTree: WorkTree | undefined;

  constructor(context: Context, args: Arguments) {
    this.#context = context;
    this.#writes = args.has('w');
    this.#literally = args.has('literally');
    this.#filters = !args.has('no-filters');
    this.#repository = this.#writes ? Repository.open(context) : Repository.find(context);
    this.#format = this.#repository?.format ?? 'sha1';
    this.#type = args.value('t') ?? 'blob';
    // Paths on standard input are, as Git has it, from the top of the work tree.
    const isFromTop = args.has('stdin-paths') && this.#repository?.isInsideWorkTree === true;
    this.#directory = isFromTop ? this.#repository!.workTree! : context.cwd;
    this.#prefix = isFromTop ? '' : this.#repository?.prefix ?? '';
  }

  /** Several files, whose objects are made durable together; those before one that fails count. */
  hashFiles(paths: readonly string[]): { readonly ids: readonly ObjectId[]; readonly failure: unknown } {
    const ids: ObjectId[] = [];
    let failure: unknown;
    const hash = (): void => {
      try {
        for (const path of paths) ids.push(this.hashFile(path, path));
      } catch (error) {
        failure = error;
      }
    };
    if (this.#writes) this.#repository!.objects.writeTogether(hash);
    else hash();
    return { ids, failure };
  }

  /** Makes what was written durable; before its id is told. */
  flush(): void {
    if (this.#writes) this.#repository!.objects.flush();
  }

  hashFile(typed: string, conversionPath: string): ObjectId {
    const path = resolve(this.#directory, typed);
    const fd = openNamed(path, typed);
    try {
      const stat = fstatSync(fd);
      if (stat.isDirectory()) throw new InvalidError(`unable to hash '${typed}': it is a directory`, { code: 'not-a-file' });
      if (stat.isFile() && stat.size >= streamThresholdBytes && this.#type === 'blob' && this.#storesAsIs(conversionPath)) {
        return this.#hashStream(stat.size, pieces(fd));
      }
      return this.hashBytes(Buffer.concat([...pieces(fd)]), conversionPath);
    } finally {
      closeSync(fd);
    }
  }

  /** Standard input; only what is written as a blob without being converted may be of any size. */
  hashInput(conversionPath: string | undefined): ObjectId {
    const { stdin } = this.#context;
    if (!this.#writes || this.#type !== 'blob' || conversionPath !== undefined) return this.hashBytes(readInput(stdin), conversionPath);
    const first: Buffer[] = [];
    let sizeBytes = 0;
    for (const chunk of listChunks(stdin)) {
      first.push(chunk);
      sizeBytes += chunk.length;
      if (sizeBytes < streamThresholdBytes) continue;
      const { objects } = this.#repository!;
      return objects.writeUnsized('blob', concatenated(first, listChunks(stdin)));
    }
    return this.hashBytes(Buffer.concat(first), undefined);
  }

  hashBytes(bytes: Buffer, conversionPath: string | undefined): ObjectId {
    const type = this.#type;
    if (this.#literally) return this.#writeLiterally(bytes);
    if (!isObjectType(type)) throw new InvalidError(`invalid object type '${type}'`, { code: 'bad-type' });
    const content = type === 'blob' && conversionPath !== undefined ? this.#converted(bytes, conversionPath) : bytes;
    checkParses(type, content, this.#format);
    return this.#writes ? this.#repository!.objects.write(type, content) : hashObject(type, content, this.#format);
  }

  #writeLiterally(bytes: Buffer): ObjectId {
    const type = this.#type;
    if (isObjectType(type)) return this.#writes ? this.#repository!.objects.write(type, bytes) : hashObject(type, bytes, this.#format);
    if (this.#writes) return this.#repository!.objects.writeLiterally(type, bytes);
    const hasher = new Hasher(this.#format);
    hasher.update(encodeObjectHeader(type as ObjectType, bytes.length));
    hasher.update(bytes);
    return hasher.digestId();
  }

  #hashStream(sizeBytes: number, chunks: Iterable<Buffer>): ObjectId {
    if (this.#writes) return this.#repository!.objects.writeStream('blob', sizeBytes, chunks);
    const hasher = new Hasher(this.#format);
    hasher.update(encodeObjectHeader('blob', sizeBytes));
    for (const chunk of chunks) hasher.update(chunk);
    return hasher.digestId();
  }

  #storesAsIs(path: string): boolean {
    if (!this.#filters || this.#type !== 'blob' || this.#literally) return true;
    return this.#findWorkTree()?.storesAsIs(this.#repositoryPath(path)) ?? true;
  }

  #converted(bytes: Buffer, path: string): Buffer {
    const tree = this.#filters ? this.#findWorkTree() : undefined;
    return tree?.contentForRepository(this.#repositoryPath(path), bytes, { renormalize: true, strict: this.#writes }) ?? bytes;
  }

  #findWorkTree(): WorkTree | undefined {
    if (this.#repository?.workTree === undefined) return undefined;
    return this.#workTree ??= new WorkTree(this.#repository);
  }

  #repositoryPath(typed: string): string {
    return this.#prefix + pathFromUtf8(typed);
  }
}

function* concatenated(...parts: readonly Iterable<Buffer>[]): Generator<Buffer> {
  for (const part of parts) yield* part;
}

function openNamed(path: string, typed: string): number {
  try {
    return openSync(path, 'r');
  } catch (error) {
    if (!isSystemError(error, 'ENOENT', 'ENOTDIR')) throw error;
    throw new InvalidError(`could not open '${typed}' for reading: no such file`, { code: 'no-such-file', cause: error });
  }
}

function* pieces(fd: number): Generator<Buffer> {
  for (;;) {
    const piece = Buffer.allocUnsafe(1024 * 1024);
    const length = readSync(fd, piece, 0, piece.length, null);
    if (length === 0) return;
    yield piece.subarray(0, length);
  }
}

/** What git's own readers could not read is not written under a type they know. */
function checkParses(type: ObjectType, bytes: Buffer, format: ObjectFormat): void {
  try {
    if (type === 'tree') decodeTree(bytes, format);
    else if (type === 'commit') decodeCommit(bytes, format);
    else if (type === 'tag') decodeTag(bytes, format);
  } catch (error) {
    if (!(error instanceof CorruptError)) throw error;
    throw new InvalidError(`corrupt ${type}: ${error.message}`, { code: 'corrupt-object', cause: error });
  }
}
