// cairn update-ref: set, create, delete one ref with a check of its old value, or many in one transaction from standard input.
import { ConflictError, InvalidError, LockedError, RefusedError, UsageError } from '../../pack/errors.js';
import { type ObjectId, isZeroId } from '../../pack/oid.js';
import type { Command } from '../command.js';
import { runRefScript } from '../refs/ref-script.js';
import { type RefEdit, updateRef } from '../refs/ref-transaction.js';
import { Repository } from '../repository.js';
import { findRevision } from '../history/revision.js';

export const command: Command = {
  name: 'update-ref',
  family: 'git',
  summary: 'set, create or delete refs, checking their old values',
  usage: [
    'update-ref [-m <reason>] [--no-deref] [--create-reflog] <ref> <newvalue> [<oldvalue>]',
    'update-ref [-m <reason>] [--no-deref] -d <ref> [<oldvalue>]',
    'update-ref [-m <reason>] [--no-deref] [--create-reflog] --stdin [-z]',
  ],
  options: [
    { name: 'm', value: 'reason', help: 'what the reflog says' },
    { name: 'd', help: 'delete the ref' },
    { name: 'no-deref', negatable: true, help: 'change the named ref, not what it points at' },
    { name: 'z', help: 'instructions end with NUL' },
    { name: 'stdin', negatable: true, help: 'read instructions from standard input' },
    { name: 'create-reflog', negatable: true, help: 'make a reflog' },
  ],
  run(context, args) {
    const { positionals } = args;
    const message = args.value('m');
    if (message === '') throw new InvalidError('refusing to perform update with empty message', { code: 'empty-message' });
    const noDeref = args.has('no-deref');
    const createReflog = args.has('create-reflog');
    const removes = args.has('d');
    if (args.has('stdin')) {
      if (removes || positionals.length > 0) throw new UsageError('--stdin takes no ref and no -d');
      runRefScript(Repository.open(context), { nul: args.has('z'), noDeref, createReflog, message });
      return 0;
    }
    if (args.has('z')) throw new UsageError('-z needs --stdin');
    if (removes ? positionals.length < 1 || positionals.length > 2 : positionals.length < 2 || positionals.length > 3) {
      throw new UsageError(removes ? 'a ref, and perhaps its old value, are needed' : 'a ref, its new value, and perhaps its old value are needed');
    }
    const repository = Repository.open(context);
    const name = positionals[0]!;
    const oldText = positionals[removes ? 1 : 2];
    const read = (text: string, what: string): ObjectId => {
      const id = findRevision(repository, text);
      if (id === undefined) throw new InvalidError(`${text}: not a valid ${what}`, { code: 'bad-object-id' });
      return id;
    };
    const newId = removes ? undefined : read(positionals[1]!, 'new value');
    let expected: ObjectId | 'absent' | undefined;
    if (oldText !== undefined) {
      // An empty old value says that the ref must not exist yet.
      const old = oldText === '' ? undefined : read(oldText, 'old value');
      expected = old === undefined || isZeroId(old) ? 'absent' : old;
      if (removes && expected === 'absent' && oldText !== '') throw new InvalidError('-d requires a non-zero old value', { code: 'bad-object-id' });
    }
    const edit: RefEdit = {
      name, noDeref, createReflog, expected, target: newId === undefined ? 'delete' : { id: newId }, ...(message === undefined ? {} : { message }),
    };
    if (removes) return removeRef(repository, edit);
    updateRef(repository, edit);
    return 0;
  },
};

/** A deletion that is not possible now is an answer, exit 1, as with git. */
function removeRef(repository: Repository, edit: RefEdit): number {
  try {
    updateRef(repository, edit);
    return 0;
  } catch (error) {
    if (!(error instanceof ConflictError || error instanceof LockedError || error instanceof RefusedError || error instanceof InvalidError)) throw error;
    repository.context.stderr.write(`error: ${error.message}\n`);
    return 1;
  }
}
