// What a TypeScript program imports from 'cairn': repositories, objects, refs, the index, history, snapshots, releases and gc.
// Nothing here reads the process, prints or exits: the program makes a Context of what it wants cairn to know.
// Specified by cairn-api(7).
import { RefusedError } from '../pack/errors.js';
import type { ObjectId } from '../pack/oid.js';
import type { Context } from '../plumbing/command.js';
import { authorIdent } from '../plumbing/identity.js';
import type { Repository } from '../plumbing/repository.js';
import { makeCommit } from './commit.js';

export {
  CairnError, ConflictError, CorruptError, InvalidError, LockedError, NotFoundError, RefusedError, RemoteError, UsageError,
} from '../pack/errors.js';
export { type ObjectFormat, type ObjectId, type ObjectType, isObjectId, parseObjectId } from '../pack/oid.js';
export type { GitObject, ObjectHeader, ObjectStream } from '../pack/object.js';
export { type TreeEntry, type RepoPath, decodeTree, encodeTree, pathFromUtf8, pathToUtf8 } from '../pack/tree.js';
export { type Commit, decodeCommit, encodeCommit } from '../pack/commit.js';
export { type Tag, decodeTag, encodeTag } from '../pack/tag.js';
export { type Ident, formatIdent, parseIdent } from '../pack/ident.js';
export { ObjectStore } from '../pack/object-store.js';
export type { BulkWriter } from '../pack/pack-writer.js';
export type { Clock, Context, Input, Output } from '../plumbing/command.js';
export { Repository } from '../plumbing/repository.js';
export { Config } from '../plumbing/config.js';
export { type Ref, Refs } from '../plumbing/refs/refs.js';
export { type RefEdit, RefTransaction, updateRef } from '../plumbing/refs/ref-transaction.js';
export { type IndexEntry, Index, readIndex } from '../plumbing/index/index-file.js';
export { lockIndex } from '../plumbing/index/index-lock.js';
export { writeTreeFromIndex } from '../plumbing/index/cache-tree.js';
export { type Scan, scanWorkTree } from '../plumbing/index/work-status.js';
export { IgnoreRules } from '../plumbing/ignore.js';
export { WorkTree } from '../plumbing/index/work-tree.js';
export { findRevision, resolveCommit, resolveRevision, resolveTree } from '../plumbing/history/revision.js';
export { type WalkOptions, RevWalk } from '../plumbing/history/walk.js';
export { type DiffEntry, diffTrees } from '../plumbing/diff/diff.js';
export { markReachable } from '../plumbing/history/reachable.js';
export { authorIdent, committerIdent } from '../plumbing/identity.js';
export { type CommitOutcome, type CommitRequest, makeCommit } from './commit.js';
export { type Channel, parseChannel } from './channel.js';
export { type ReleasePlan, type ReleaseRequest, planRelease, publish, planRollback } from './release.js';
export { type GcOptions, type GcPlan, type GcReport, applyGc, planGc } from './gc.js';
export { MaintenanceLock } from './leases.js';
export { type RetentionPlan, applyRetention, planRetention } from './retention/plan.js';
export { type Hold, listHolds } from './retention/hold.js';
export { addHold, releaseHold } from './retention/holding.js';

/** What a program tells cairn of itself; everything not given is silent, empty or unknown. */
export interface ContextOptions {
  /** Absolute; where repositories are looked for from. */
  readonly cwd: string;
  /** Git's variables, HOME and so on; give `process.env` to behave like the program does. */
  readonly env?: Context['env'];
  /** Give `process.pid`, so that a lock left behind by a dead process can be taken over. */
  readonly pid?: number;
  readonly uid?: number;
  readonly host?: string;
  readonly clock?: Context['clock'];
  /** Gets what a command would have printed to standard error, such as the words of a hook. */
  readonly onMessage?: (text: string) => void;
}

/** A Context without terminal or standard input; UTC is the time zone unless a clock is given. */
export function createContext(options: ContextOptions): Context {
  const silent = { isTerminal: false, columns: 80, flush: () => undefined };
  const say = (data: string | Uint8Array): void => options.onMessage?.(typeof data === 'string' ? data : Buffer.from(data).toString());
  return {
    cwd: options.cwd,
    env: options.env ?? {},
    clock: options.clock ?? { nowMs: () => Date.now(), offsetMinutes: () => 0 },
    stdin: { isTerminal: false, readChunk: () => undefined },
    stdout: { ...silent, write: say },
    stderr: { ...silent, write: say },
    process: { pid: options.pid ?? 0, uid: options.uid ?? 0, host: options.host ?? '' },
    configOverrides: [],
  };
}

/** Records the whole work tree as one commit on the current branch, as `cairn commit -A -m` does; undefined when nothing changed. */
export function commitEverything(repository: Repository, message: string): ObjectId | undefined {
  const outcome = makeCommit(repository, {
    content: { kind: 'everything' },
    message: { given: { kind: 'text', bytes: Buffer.from(message) }, signOff: false, trailers: [], allowEmpty: false },
    amend: false,
    allowEmpty: false,
    verify: true,
    postRewrite: true,
    author: () => authorIdent(repository),
  });
  if (outcome.kind === 'stopped') throw new RefusedError(outcome.reason ?? 'a hook refused the commit', { code: 'commit-stopped' });
  return outcome.kind === 'made' ? outcome.id : undefined;
}
