// cairn show-index: list what a pack index on standard input says (git-show-index(1)).
import { InvalidError, UsageError } from '../../pack/errors.js';
import type { ObjectFormat } from '../../pack/oid.js';
import { PackIndex } from '../../pack/pack-index.js';
import type { Arguments, Command, Context } from '../command.js';
import { readInput } from '../line-reader.js';
import { Repository } from '../repository.js';

export const command: Command = {
  name: 'show-index',
  family: 'git',
  summary: 'list what a pack index says',
  usage: ['show-index [--object-format=<format>]'],
  options: [{ name: 'object-format', value: 'format', negatable: true, help: 'hash of the index: sha1 or sha256' }],
  run(context, args) {
    if (args.positionals.length > 0) throw new UsageError('no arguments are taken');
    const index = PackIndex.decode(readInput(context.stdin), readFormat(context, args));
    for (let position = 0; position < index.count; position += 1) {
      const crc = index.crcAt(position);
      const place = `${index.offsetAt(position)} ${index.idAt(position)}`;
      context.stdout.write(crc === undefined ? `${place}\n` : `${place} (${crc.toString(16).padStart(8, '0')})\n`);
    }
    return 0;
  },
};

function readFormat(context: Context, args: Arguments): ObjectFormat {
  const format = args.value('object-format');
  if (format === undefined) return Repository.find(context)?.format ?? 'sha1';
  if (format !== 'sha1' && format !== 'sha256') throw new InvalidError(`unknown hash algorithm '${format}'`, { code: 'bad-object-format' });
  return format;
}
