// cairn symbolic-ref: read, set or delete a symbolic ref, HEAD above all.
import { ConflictError, InvalidError, LockedError, NotFoundError, RefusedError, UsageError } from '../../pack/errors.js';
import type { Command } from '../command.js';
import { isRefName } from '../refs/ref-name.js';
import { type RefEdit, updateRef } from '../refs/ref-transaction.js';
import { Repository } from '../repository.js';
import { shortenRef } from '../refs/short-ref.js';

export const command: Command = {
  name: 'symbolic-ref',
  family: 'git',
  summary: 'read, set or delete a symbolic ref',
  usage: ['symbolic-ref [-m <reason>] <name> <ref>', 'symbolic-ref [-q] [--short] [--no-recurse] <name>', 'symbolic-ref --delete [-q] <name>'],
  options: [
    { name: 'quiet', short: 'q', negatable: true, help: 'say nothing when the name is no symbolic ref; exit with 1' },
    { name: 'delete', short: 'd', negatable: true, help: 'delete the symbolic ref' },
    { name: 'short', negatable: true, help: 'print the short name' },
    { name: 'no-recurse', negatable: true, help: 'print what the name itself points to, though that be symbolic too' },
    { name: 'm', value: 'reason', help: 'what the reflog says' },
  ],
  run(context, args) {
    const { positionals } = args;
    const message = args.value('m');
    if (message === '') throw new InvalidError('refusing to perform update with empty message', { code: 'empty-message' });
    const [name, target] = positionals;
    if (name === undefined || positionals.length > 2 || (args.has('delete') && target !== undefined)) throw new UsageError('a name, and to set it a ref, are needed');
    const repository = Repository.open(context);
    const { refs } = repository;
    if (target !== undefined) {
      if (name === 'HEAD' && !target.startsWith('refs/')) throw new RefusedError('refusing to point HEAD outside of refs/', { code: 'bad-ref-name' });
      if (!isRefName(target, { oneLevel: true })) throw new RefusedError(`refusing to set '${name}' to invalid ref '${target}'`, { code: 'bad-ref-name' });
      return changed(repository, { name, target: { symbolic: target }, noDeref: true, ...(message === undefined ? {} : { message }) });
    }
    const raw = isRefName(name, { oneLevel: true }) ? refs.readRaw(name) : undefined;
    if (raw?.kind !== 'symbolic') {
      if (raw === undefined && !args.has('delete') && !args.has('quiet')) throw new NotFoundError(`no such ref: ${name}`, { code: 'no-ref' });
      if (args.has('delete')) throw new RefusedError(`cannot delete ${name}, not a symbolic ref`, { code: 'not-symbolic' });
      if (!args.has('quiet')) throw new RefusedError(`ref ${name} is not a symbolic ref`, { code: 'not-symbolic' });
      return 1;
    }
    if (args.has('delete')) {
      if (name === 'HEAD') throw new RefusedError('deleting HEAD is not allowed', { code: 'head-needed' });
      return changed(repository, { name, target: 'delete', noDeref: true });
    }
    const last = args.has('no-recurse') ? raw.target : refs.resolve(name).name;
    context.stdout.write(`${args.has('short') ? shortenRef(repository, last, repository.config.getBoolean('core.warnambiguousrefs', true)) : last}\n`);
    return 0;
  },
};

/** A change that is not possible now is an answer, exit 1, as with git. */
function changed(repository: Repository, edit: RefEdit): number {
  try {
    updateRef(repository, edit);
    return 0;
  } catch (error) {
    if (!(error instanceof ConflictError || error instanceof LockedError)) throw error;
    repository.context.stderr.write(`error: ${error.message}\n`);
    return 1;
  }
}
