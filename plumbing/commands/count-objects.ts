// cairn count-objects: how many objects there are, and the space they take (git-count-objects(1)).
import { statSync } from 'node:fs';
import { UsageError } from '../../pack/errors.js';
import type { Command } from '../command.js';
import { quotePath } from '../quote.js';
import { Repository } from '../repository.js';

export const command: Command = {
  name: 'count-objects',
  family: 'git',
  summary: 'count objects and the space they take',
  usage: ['count-objects [-v] [-H | --human-readable]'],
  options: [
    { name: 'verbose', short: 'v', negatable: true, help: 'say more' },
    { name: 'human-readable', short: 'H', negatable: true, help: 'print sizes with units' },
  ],
  run(context, args) {
    if (args.positionals.length > 0) throw new UsageError('no arguments are taken');
    const { stdout, stderr } = context;
    const { objects } = Repository.open(context);
    const human = args.has('human-readable');
    const size = (bytes: number): string => (human ? formatBytes(bytes) : String(Math.floor(bytes / 1024)));
    const verbose = args.has('verbose');
    let count = 0;
    let looseBytes = 0;
    let packable = 0;
    for (const { id, path } of objects.listLoose()) {
      count += 1;
      looseBytes += (statSync(path, { throwIfNoEntry: false })?.blocks ?? 0) * 512;
      if (verbose && objects.isPacked(id)) packable += 1;
    }
    if (!verbose) {
      stdout.write(`${count} objects, ${human ? size(looseBytes) : `${size(looseBytes)} kilobytes`}\n`);
      return 0;
    }
    const packs = objects.listOwnPacks();
    const packBytes = packs.reduce((sum, pack) => sum + pack.sizeBytes + pack.index.sizeBytes, 0);
    const debris = objects.listDebris();
    for (const { path, reason } of debris) stderr.write(`warning: ${reason}: ${path}\n`);
    stdout.write(`count: ${count}\nsize: ${size(looseBytes)}\n`
      + `in-pack: ${packs.reduce((sum, pack) => sum + pack.objectCount, 0)}\npacks: ${packs.length}\nsize-pack: ${size(packBytes)}\n`
      + `prune-packable: ${packable}\ngarbage: ${debris.length}\n`
      + `size-garbage: ${size(debris.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0))}\n`);
    for (const path of objects.alternates) stdout.write(`alternate: ${quotePath(path)}\n`);
    return 0;
  },
};

const units = [[30, 'GiB', 0], [20, 'MiB', 5243], [10, 'KiB', 5]] as const;

/** Two decimals and the largest unit that is exceeded, as git prints sizes. */
function formatBytes(bytes: number): string {
  for (const [power, unit, rounding] of units) {
    if (bytes <= 2 ** power) continue;
    const rounded = bytes + rounding;
    const hundredths = power === 30
      ? Math.floor((rounded % 2 ** 30) / 10737419)
      : Math.floor(((rounded % 2 ** power) * 100) / 2 ** power);
    return `${Math.floor(rounded / 2 ** power)}.${String(hundredths).padStart(2, '0')} ${unit}`;
  }
  return `${bytes} ${bytes === 1 ? 'byte' : 'bytes'}`;
}
