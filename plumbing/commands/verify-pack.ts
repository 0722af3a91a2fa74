// cairn verify-pack: checks packs and their indexes, and lists what is in them (git-verify-pack(1)).
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { CorruptError, UsageError, isSystemError } from '../../pack/errors.js';
import type { ObjectFormat } from '../../pack/oid.js';
import { PackIntake } from '../../pack/pack-intake.js';
import type { Arguments, Command, Context } from '../command.js';
import { listPack } from '../objects/pack-listing.js';
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

/** Undefined for a hash nobody knows: then no pack is good. */
function findFormat(context: Context, args: Arguments): ObjectFormat | undefined {
  const named = args.value('object-format');
  if (named === undefined) return Repository.find(context)?.format ?? 'sha1';
  return named === 'sha1' || named === 'sha256' ? named : undefined;
}

/** True when nothing is wrong with the pack; says what is on standard error. */
function verify(context: Context, args: Arguments, shown: string, format: ObjectFormat | undefined): boolean {
  const path = resolve(context.cwd, shown);
  const indexPath = path.replace(/\.pack$/, '.idx');
  const complain = (message: string): boolean => {
    context.stderr.write(`error: ${message}\n`);
    return false;
  };
  if (format === undefined) return complain(`unknown object format '${args.value('object-format')}'`);
  if (!existsSync(path) || !existsSync(indexPath)) return complain(`'${shown}' or its index is not there`);
  try {
    const index = readFileSync(indexPath);
    using intake = PackIntake.readFile(path, format);
    if (args.has('verbose') || args.has('stat-only')) {
      for (const line of listPack(intake.indexer, { summaryOnly: args.has('stat-only') })) context.stdout.write(`${line}\n`);
    }
    return intake.matches(index) || complain(`'${shown}': its index does not say what it holds`);
  } catch (error) {
    if (!(error instanceof CorruptError) && !isSystemError(error, 'ENOENT')) throw error;
    return complain(`'${shown}': ${error.message}`);
  }
}
