// cairn mktag: writes a tag object given on standard input, after checking it strictly (git-mktag(1)).
import { InvalidError } from '../../pack/errors.js';
import { decodeTag } from '../../pack/tag.js';
import { whileNaming } from '../refs/announcement.js';
import type { Command } from '../command.js';
import { readInput } from '../line-reader.js';
import { type MessageId, checkObject, readSeverities } from '../objects/object-check.js';
import { Repository } from '../repository.js';

export const command: Command = {
  name: 'mktag',
  family: 'git',
  summary: 'write a tag object from standard input, strictly checked',
  usage: ['mktag'],
  options: [{ name: 'strict', negatable: true, help: 'treat every finding as an error (the default)' }],
  run(context, args) {
    const repository = Repository.open(context);
    const bytes = readInput(context.stdin);
    checkStrictly(repository, bytes, args.flag('strict') ?? true);
    const tag = decodeTag(bytes, repository.format);
    const id = whileNaming(repository, () => {
      const header = repository.objects.findHeader(tag.object);
      if (header === undefined) throw new InvalidError(`could not read tagged object '${tag.object}'`, { code: 'object-missing' });
      if (header.type !== tag.type) {
        throw new InvalidError(`object '${tag.object}' tagged as '${tag.type}', but is a '${header.type}' type`, { code: 'type-mismatch' });
      }
      return repository.objects.write('tag', bytes);
    });
    repository.objects.flush();
    context.stdout.write(`${id}\n`);
    return 0;
  },
};

function checkStrictly(repository: Repository, bytes: Buffer, strict: boolean): void {
  const severityOf = readSeverities(repository.config, { defaults: new Map<MessageId, 'warn'>([['extraHeaderEntry', 'warn']]) });
  for (const { id, text } of checkObject('tag', bytes, { format: repository.format, strict })) {
    const severity = severityOf(id);
    if (severity === 'ignore') continue;
    if (strict || severity === 'fatal' || severity === 'error') {
      throw new InvalidError(`tag input does not pass fsck: ${id}: ${text}`, { code: 'bad-tag' });
    }
    repository.context.stderr.write(`warning: tag input does not pass fsck: ${id}: ${text}\n`);
  }
}
