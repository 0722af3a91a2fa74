// Refs as listings show them: a damaged ref, or one whose object is missing, is passed over with a warning, as git does.
// Whoever must not overlook a ref (gc, fsck) lists with Refs.list, which throws.
import type { Ref } from './refs.js';
import type { Repository } from '../repository.js';

/** Refs below `prefix` in byte order that lead to an object that is there; warnings go to stderr. */
export function* listValidRefs(repository: Repository, prefix = 'refs/'): Generator<Ref> {
  const { stderr } = repository.context;
  const warn = (name: string): void => stderr.write(`warning: ignoring broken ref ${name}\n`);
  for (const ref of repository.refs.list(prefix, warn)) {
    if (repository.objects.has(ref.id)) yield ref;
    else stderr.write(`error: ${ref.name} does not point to a valid object!\n`);
  }
}
