// cairn prune-packed: removes loose objects that are also in a pack (git-prune-packed(1)). Unlike git it reads the packed copy
// first: a loose object goes only when the pack really has it. A cruft pack does not count: there the object would be as old as before
// it was written again, and gc might take it.
import { join, relative } from 'node:path';
import { disk } from '../../pack/disk.js';
import { UsageError, isSystemError } from '../../pack/errors.js';
import { encodeObjectId } from '../../pack/oid.js';
import type { ObjectStore } from '../../pack/object-store.js';
import type { ObjectId } from '../../pack/oid.js';
import type { Command } from '../command.js';
import { Repository } from '../repository.js';

export const command: Command = {
  name: 'prune-packed',
  family: 'git',
  summary: 'remove loose objects that are in pack files',
  usage: ['prune-packed [-n | --dry-run] [-q | --quiet]'],
  options: [
    { name: 'dry-run', short: 'n', negatable: true, help: 'print what would be removed' },
    { name: 'quiet', short: 'q', negatable: true, help: 'be quiet' },
  ],
  run(context, args) {
    if (args.positionals.length > 0) throw new UsageError('too many arguments');
    const repository = Repository.open(context);
    const store = repository.objects;
    const dryRun = args.has('dry-run');
    const fanOuts = new Set<string>();
    for (const { id } of store.listLoose()) {
      if (!isPacked(store, id)) continue;
      const fanOut = id.slice(0, 2);
      fanOuts.add(fanOut);
      if (dryRun) context.stdout.write(`rm -f ${shownDirectory(repository)}/${fanOut}/${id.slice(2)}\n`);
      else store.removeLoose(id);
    }
    if (!dryRun) for (const fanOut of fanOuts) removeIfEmpty(join(repository.objectsDirectory, fanOut));
    return 0;
  },
};

/** True when a pack has a copy that is what the id says. */
function isPacked(store: ObjectStore, id: ObjectId): boolean {
  const raw = encodeObjectId(id);
  return store.listPacks().some((pack) => {
    const position = pack.isCruft ? -1 : pack.position(raw);
    return position >= 0 && pack.isGoodAt(position);
  });
}

/** The objects directory as git would name it: seen from the top of the work tree, or from a bare repository. */
function shownDirectory(repository: Repository): string {
  const { workTree, objectsDirectory, context } = repository;
  if (context.env['GIT_OBJECT_DIRECTORY']) return context.env['GIT_OBJECT_DIRECTORY'];
  if (context.env['GIT_DIR']) return `${context.env['GIT_DIR']}/objects`;
  if (workTree !== undefined) return relative(workTree, objectsDirectory);
  return context.cwd === repository.gitDirectory ? `./${relative(context.cwd, objectsDirectory)}` : objectsDirectory;
}

function removeIfEmpty(directory: string): void {
  try {
    disk().rmdir(directory);
  } catch (error) {
    if (!isSystemError(error, 'ENOTEMPTY', 'EEXIST', 'ENOENT')) throw error;
  }
}
