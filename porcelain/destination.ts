// Which branch or commit somebody means who says where to go: a branch, '-' for the one before, a remote's branch that is made here when
// nothing else has the name, or any commit. Shared by switch and checkout. Nothing is changed.
import { InvalidError, NotFoundError, RefusedError } from '../pack/errors.js';
import { branchName, isRefName } from '../plumbing/refs/ref-name.js';
import type { Repository } from '../plumbing/repository.js';
import { expandBranchName } from '../plumbing/history/revision.js';
import { mapRef } from '../plumbing/refs/upstream.js';
import { type Tracking, findCheckedOut, findStart, parseBranchName, planBranch, resolveStart } from './branch.js';
import type { Destination } from './switching.js';

/** '-' is the place before. */
export function expandDash(word: string): string {
  return word === '-' ? '@{-1}' : word;
}

/** The branch or commit `word` means; undefined when it means neither. A commit that is no branch is a detached HEAD. */
export function findDestination(repository: Repository, word: string, options: { readonly detach: boolean; readonly ignoresOthers: boolean }): Destination | undefined {
  const { refs } = repository;
  const name = expandBranchName(repository, expandDash(word)) ?? word;
  const full = `refs/heads/${name}`;
  if (!options.detach && isRefName(full) && name !== 'HEAD') {
    const ref = refs.find(full);
    if (ref !== undefined) {
      const place = findCheckedOut(repository, full);
      if (place !== undefined && refs.headBranch() !== full && !options.ignoresOthers) {
        throw new RefusedError(`'${name}' is already checked out at '${place}'`, { code: 'branch-in-use' });
      }
      return { kind: 'branch', full, id: ref.id };
    }
  }
  const id = findStart(repository, expandDash(word));
  return id === undefined ? undefined : { kind: 'detached', id, name };
}

/** The branch of that name on the one remote that has it, to be made here; undefined when there is none. */
export function guessDestination(repository: Repository, name: string): Destination | undefined {
  const { config, refs } = repository;
  const found = config.subsections('remote').flatMap((remote) => {
    const ref = mapRef(config.getAll(`remote.${remote}.fetch`), `refs/heads/${name}`);
    return ref !== undefined && refs.find(ref) !== undefined ? [{ remote, ref }] : [];
  });
  const preferred = config.get('checkout.defaultremote');
  const chosen = found.length === 1 ? found[0] : found.find(({ remote }) => remote === preferred);
  if (chosen !== undefined) return newBranch(repository, name, chosen.ref, { force: false, track: 'direct' });
  if (found.length > 1) {
    throw new InvalidError(`'${name}' matched multiple (${found.length}) remote tracking branches`, {
      code: 'ambiguous-branch', hint: 'say which one with --track <remote>/<branch>, or set checkout.defaultRemote',
    });
  }
  return undefined;
}

/** A branch that is made, or with force moved, on the way. */
export function newBranch(repository: Repository, name: string, start: string, options: { readonly force: boolean; readonly track: Tracking; readonly quiet?: boolean }): Destination {
  const full = parseBranchName(repository, name);
  const from = expandDash(start);
  // The current branch may be moved: the work tree goes with it.
  const isCurrent = repository.refs.headBranch() === full && repository.refs.find(full) !== undefined;
  if (isCurrent && options.force) {
    const id = resolveStart(repository, from);
    return { kind: 'branch', full, id, plan: { full, start: id, former: repository.refs.find(full)!.id, message: `branch: Reset to ${start}`, track: () => { /* as before */ } } };
  }
  const plan = planBranch(repository, { name, start: from, ...options });
  return { kind: 'branch', full, id: plan.start, plan };
}

/** A branch that will begin anew; RefusedError when there is one of that name. */
export function orphanBranch(repository: Repository, name: string): Destination & { readonly kind: 'orphan' } {
  const full = parseBranchName(repository, name);
  if (repository.refs.find(full) !== undefined) throw new RefusedError(`a branch named '${branchName(full)!}' already exists`, { code: 'branch-exists' });
  return { kind: 'orphan', full };
}

/** The name a branch gets that is to follow `start`: what comes after the remote's. */
export function nameFromTracked(start: string): string {
  const rest = start.replace(/^refs\//, '').replace(/^remotes\//, '');
  const slash = rest.indexOf('/');
  if (slash < 0 || slash === rest.length - 1) throw new InvalidError(`missing branch name for '${start}'`, { code: 'bad-ref-name', hint: 'give one with -c or -b' });
  return rest.slice(slash + 1);
}

/** NotFoundError for a word that means nothing. */
export function unknownDestination(word: string): NotFoundError {
  return new NotFoundError(`invalid reference: ${word}`, { code: 'bad-revision' });
}
