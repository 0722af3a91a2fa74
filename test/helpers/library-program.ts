// An example of a program that keeps its results with cairn: it uses nothing but what the package exports, reads no process state and prints
// nothing. cairn-api(7) shows it.
import {
  type ObjectId, MaintenanceLock, RefTransaction, Repository, RevWalk, addHold, applyGc, applyRetention, commitEverything, createContext, diffTrees, listHolds, parseChannel,
  pathToUtf8, planGc, planRelease, planRetention, publish, readIndex, resolveTree,
} from '../../porcelain/library.js';

export interface Night {
  readonly commit: ObjectId;
  /** Paths that differ from the night before, with the letter of how. */
  readonly changed: readonly string[];
  readonly files: number;
  readonly history: readonly ObjectId[];
}

/** Opens the repository of a directory, making it when there is none. */
export function openResults(directory: string, env: Readonly<Record<string, string | undefined>>): Repository {
  const context = createContext({ cwd: directory, env });
  return Repository.find(context) ?? Repository.init(context, { directory }).repository;
}

/** Records what is in the directory, and tells how it differs from what was recorded last. */
export function recordNight(repository: Repository, message: string): Night | undefined {
  const commit = commitEverything(repository, message);
  if (commit === undefined) return undefined;
  const { objects } = repository;
  const before = objects.readCommit(commit).parents[0];
  const changes = diffTrees(objects, before === undefined ? undefined : resolveTree(repository, before), resolveTree(repository, commit), { recursive: true });
  return {
    commit,
    changed: changes.map(({ status, path }) => `${status} ${pathToUtf8(path)}`),
    files: readIndex(repository).count,
    history: [...new RevWalk(repository, [{ id: commit, name: 'HEAD', isExcluded: false }])].map(({ id }) => id),
  };
}

/** Names the commit by two refs at once, or by neither. */
export function markGood(repository: Repository, commit: ObjectId, day: string): void {
  const transaction = new RefTransaction(repository);
  transaction.add({ name: `refs/tags/${day}`, expected: 'absent', target: { id: commit } });
  transaction.add({ name: 'refs/heads/good', target: { id: commit }, message: 'good' });
  transaction.prepare();
  transaction.commit();
}

/** Publishes a commit where others read it, unless nothing would change there; returns whether it was. */
export function publishNight(repository: Repository, commit: ObjectId, target: string): boolean {
  const request = { channel: parseChannel('nightly'), commit, targets: [target], paths: undefined, message: '', restores: undefined, expected: undefined };
  const isNew = planRelease(repository, request).outputs.some(({ action }) => action !== 'keep');
  if (isNew) publish(repository, request);
  return isNew;
}

/** Keeps a commit whatever happens, looks at what policies would drop, and reclaims what nobody needs; returns the ids of holds. */
export function tidy(repository: Repository, keep: ObjectId, reason: string): readonly string[] {
  addHold(repository, { what: keep, reason, until: undefined });
  const plan = planRetention(repository);
  if (plan.candidates.some(({ verdict }) => verdict === 'drop')) applyRetention(repository, plan.id);
  using lock = MaintenanceLock.acquire(repository);
  const graceMs = 14 * 24 * 3600 * 1000;
  applyGc(repository, planGc(repository, { graceMs }), lock, { graceMs });
  return listHolds(repository).map(({ id }) => id);
}
