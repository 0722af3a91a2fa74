// cairn verify-pack: checks packs and their indexes, and lists what is in them (git-verify-pack(1)).
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { CorruptError, InvalidError, UsageError, isSystemError } from '../../pack/errors.js';
import type { ObjectFormat } from '../../pack/oid.js';
import { type CheckedEntry, checkPackEntries, checkPackFiles } from '../../pack/pack-check.js';
import { PackReader } from '../../pack/pack-reader.js';
import type { Arguments, Command, Context } from '../command.js';
import { Repository } from '../repository.js';

export const command: Command = {
  name: 'verify-pack',
  family: 'git',
  summary: 'check packs and list what is in them',
  usage: ['verify-pack [-v | --verbose] [-s | --stat-only] [--object-format=<format>] [--] <pack>.idx...'],
  options: [
    { name: 'verbose', short: 'v', negatable: true, help: 'list the objects, then how long the chains of deltas are' },
    { name: 'stat-only', short: 's', negatable: true, help: 'show only how long the chains of deltas are' },
    { name: 'object-format', value: 'format', help: 'hash of the pack outside of a repository: sha1 or sha256' },
  ],
  run(context, args) {
    const names = args.positionals;
    if (names.length === 0) throw new UsageError('at least one pack is required');
    const format = findFormat(context, args);
    let failed = false;
    for (const name of names) {
      const shown = name.endsWith('.idx') ? `${name.slice(0, -4)}.pack` : name.endsWith('.pack') ? name : `${name}.pack`;
      const isGood = verify(context, args, shown, format);
      if (!isGood) failed = true;
      if (args.has('verbose') && !args.has('stat-only')) context.stdout.write(`${shown}: ${isGood ? 'ok' : 'bad'}\n`);
      else if (!isGood && args.has('stat-only')) context.stdout.write(`${shown}: bad\n`);
    }
    return failed ? 1 : 0;
  },
};

function findFormat(context: Context, args: Arguments): ObjectFormat {
  const named = args.value('object-format');
  if (named !== undefined && named !== 'sha1' && named !== 'sha256') throw new InvalidError(`unknown object format '${named}'`, { code: 'bad-object-format' });
  return named ?? Repository.find(context)?.format ?? 'sha1';
}

/** True when nothing is wrong with the pack; says what is on standard error. */
function verify(context: Context, args: Arguments, shown: string, format: ObjectFormat): boolean {
  const path = resolve(context.cwd, shown);
  const complain = (message: string): void => context.stderr.write(`error: ${message}\n`);
  if (!existsSync(path) || !existsSync(path.replace(/\.pack$/, '.idx'))) {
    complain(`'${shown}' or its index is not there`);
    return false;
  }
  const pack = PackReader.open(path, format);
  try {
    const { faults } = checkPackFiles(pack);
    for (const fault of faults) complain(fault.message);
    if (faults.length > 0) return false;
    const listing = args.has('verbose') || args.has('stat-only') ? new Listing(pack) : undefined;
    let isGood = true;
    for (const entry of checkPackEntries(pack)) {
      if (entry.error) {
        complain(entry.error.message);
        isGood = false;
      } else if (listing) {
        const line = listing.describe(entry);
        if (!args.has('stat-only')) context.stdout.write(line);
      }
    }
    if (isGood && listing) context.stdout.write(listing.summary());
    return isGood;
  } catch (error) {
    if (!(error instanceof CorruptError) && !isSystemError(error, 'ENOENT')) throw error;
    complain(error.message);
    return false;
  } finally {
    pack.close();
  }
}

/** What verify-pack says of each object, and of all of them in the end. */
class Listing {
  readonly #pack: PackReader;
  /** How many deltas lead to the object at an offset; bases come before their deltas, or are looked up as needed. */
  readonly #depths = new Map<number, number>();
  readonly #lengths: number[] = [];

  constructor(pack: PackReader) { this.#pack = pack; }

  describe({ id, position, header }: CheckedEntry): string {
    const pack = this.#pack;
    const entry = pack.entryAt(pack.offsetAt(position));
    const depth = this.#depthAt(entry.offset);
    this.#lengths[depth] = (this.#lengths[depth] ?? 0) + 1;
    const stored = `${id} ${header!.type.padEnd(6)} ${entry.sizeBytes} ${pack.endAt(entry.offset) - entry.offset} ${entry.offset}`;
    if (entry.baseOffset === undefined) return `${stored}\n`;
    return `${stored} ${depth} ${pack.idAt(pack.index.positionOfOffset(entry.baseOffset))}\n`;
  }

  #depthAt(offset: number): number {
    const chain: number[] = [];
    let depth = this.#depths.get(offset);
    for (let at = offset; depth === undefined;) {
      const { baseOffset } = this.#pack.entryAt(at);
      chain.push(at);
      if (baseOffset === undefined) {
        depth = -1;
        break;
      }
      at = baseOffset;
      depth = this.#depths.get(at);
    }
    for (let link = chain.length - 1; link >= 0; link -= 1) {
      depth += 1;
      this.#depths.set(chain[link]!, depth);
    }
    return depth;
  }

  summary(): string {
    const counted = (count: number): string => `${count} ${count === 1 ? 'object' : 'objects'}\n`;
    const lines = this.#lengths.map((count, depth) => (depth === 0 ? `non delta: ${counted(count)}` : `chain length = ${depth}: ${counted(count)}`));
    return lines.join('');
  }
}
