// What the commands that list refs (branch, tag, for-each-ref) are told by options: the commits and objects that choose refs, and colour.
import { UsageError } from '../pack/errors.js';
import type { ObjectId } from '../pack/oid.js';
import type { Arguments } from '../plumbing/command.js';
import { findRevision, peel, resolveRevision } from '../plumbing/history/revision.js';
import type { Repository } from '../plumbing/repository.js';

/** What was asked of --color; '' when it was given without a word. */
export function colorWord(args: Arguments): string | undefined {
  const flag = args.flag('color');
  const word = args.value('color');
  if (word !== undefined && !['always', 'never', 'auto'].includes(word)) throw new UsageError(`option 'color' expects "always", "auto", or "never"`);
  return flag === undefined ? undefined : flag ? word ?? '' : 'never';
}

/** The commits given with an option, HEAD where it was given without one. */
export function namedCommits(repository: Repository, args: Arguments, name: string): ObjectId[] {
  return args.tokens.flatMap((token) => {
    if (token.kind !== 'option' || token.name !== name) return [];
    const text = token.value ?? 'HEAD';
    // Git tells a wrong name apart only here: 128 for what is merged, 129 for what contains.
    const object = name.endsWith('merged') ? resolveRevision(repository, text) : namedObject(repository, text);
    const id = peel(repository, object, 'commit');
    if (id === undefined) throw new UsageError(`option '${name}' must point to a commit`);
    return [id];
  });
}

/** An object named by an option: a wrong name is a wrong command line. */
export function namedObject(repository: Repository, text: string): ObjectId {
  const id = findRevision(repository, text);
  if (id === undefined) throw new UsageError(`malformed object name '${text}'`);
  return id;
}
