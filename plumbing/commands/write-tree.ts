// cairn write-tree: the index as a tree object. What was learned about unchanged directories is kept in the index when its lock is free.
import { LockedError } from '../../pack/errors.js';
import type { ObjectId } from '../../pack/oid.js';
import { whileNaming } from '../refs/announcement.js';
import { writeTreeFromIndex } from '../index/cache-tree.js';
import type { Command } from '../command.js';
import { readIndex } from '../index/index-file.js';
import { type IndexLock, lockIndex } from '../index/index-lock.js';
import { readPathProtection } from '../path-safety.js';
import { Repository } from '../repository.js';

export const command: Command = {
  name: 'write-tree',
  family: 'git',
  summary: 'make a tree object of the index',
  usage: ['write-tree [--missing-ok] [--prefix=<prefix>/]'],
  options: [
    { name: 'missing-ok', negatable: true, help: 'do not check that the objects are stored' },
    { name: 'prefix', value: 'prefix/', help: 'write the tree of this directory' },
  ],
  run(context, args) {
    const repository = Repository.open(context);
    using lock = tryLock(repository);
    const index = lock?.index ?? readIndex(repository);
    const wasValid = index.cacheTree?.isValid === true;
    const prefix = args.value('prefix');
    const id: ObjectId = whileNaming(repository, () => writeTreeFromIndex(index, repository.objects, {
      missingOk: args.has('missing-ok'),
      protection: readPathProtection(repository.config),
      ...(prefix === undefined ? {} : { prefix: Buffer.from(prefix).toString('latin1') }),
    }));
    if (!wasValid) lock?.write();
    context.stdout.write(`${id}\n`);
    return 0;
  },
};

/** Undefined when somebody else holds the lock: the tree can be written all the same. */
function tryLock(repository: Repository): IndexLock | undefined {
  try {
    return lockIndex(repository);
  } catch (error) {
    if (error instanceof LockedError) return undefined;
    throw error;
  }
}
