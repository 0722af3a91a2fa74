// Which reflog entries go, and taking them out: by age, by age when unreachable, or one by its number. Specified by git-reflog(1).
//
// The ref's lock is held from reading its reflog to putting the new one in place. If the power fails: the old reflog or the new one.
import { NotFoundError, isSystemError } from '../../pack/errors.js';
import { type ObjectId, isZeroId, zeroId } from '../../pack/oid.js';
import { type CommitSet, ancestorsOf } from '../history/commit-reach.js';
import { parseExpiry } from '../date.js';
import { readGrafts } from '../history/grafts.js';
import { History } from '../history/history.js';
import { markReachable } from '../history/reachable.js';
import type { RefName } from './ref-name.js';
import { type ReflogEntry, readReflog, rewriteReflog } from './reflog.js';
import { holdRef, peelTag } from './ref-transaction.js';
import type { Repository } from '../repository.js';
import { compileWildmatch } from '../wildmatch.js';

export interface ExpiryRules {
  /** Entries older than this go; seconds since 1970, 0 for never. Undefined: as configured for the ref. */
  readonly expire?: number | undefined;
  /** Entries older than this go when the ref no longer leads to them. */
  readonly expireUnreachable?: number | undefined;
  /** Only this one goes, counted from the oldest, which is 1. */
  readonly onlyNumber?: number;
  /** Entries whose commits are gone, or lead to something that is gone, go whatever their age. */
  readonly staleFix?: boolean;
  /** Close the gaps: an entry's old id becomes the new id of the one before it. */
  readonly rewrite: boolean;
  /** Move the ref to what its newest remaining entry says. */
  readonly updateRef: boolean;
  readonly dryRun: boolean;
}

/** What became of an entry. */
export interface Verdict {
  readonly entry: ReflogEntry;
  readonly isPruned: boolean;
}

const daySeconds = 86_400;

/** Expires one ref's reflog and tells of every entry, oldest first. NotFoundError when there is no such ref. */
export function expireReflog(repository: Repository, name: RefName, rules: ExpiryRules): Verdict[] {
  const verdicts: Verdict[] = [];
  holdRef(repository, name, (current) => {
    const expires = compileRules(repository, name, current, rules);
    const stale = rules.staleFix === true ? new StaleCommits(repository) : undefined;
    const isExpired = (entry: ReflogEntry, number: number): boolean => expires(entry, number) || stale?.has(entry.oldId) === true || stale?.has(entry.newId) === true;
    let lastKept = zeroId(repository.format);
    const decide = (entries: readonly ReflogEntry[]): ReflogEntry[] => entries.flatMap((entry, index) => {
      const kept = rules.rewrite ? { ...entry, oldId: lastKept } : entry;
      const isPruned = isExpired(kept, index + 1);
      verdicts.push({ entry, isPruned });
      if (isPruned) return [];
      lastKept = entry.newId;
      return [kept];
    });
    if (rules.dryRun) {
      decide(readReflog(repository, name));
      return undefined;
    }
    rewriteIfThere(repository, name, decide);
    const isSymbolic = repository.refs.findSymbolic(name) !== undefined;
    return rules.updateRef && !isSymbolic && !isZeroId(lastKept) ? lastKept : undefined;
  });
  return verdicts;
}

function rewriteIfThere(repository: Repository, name: RefName, decide: (entries: readonly ReflogEntry[]) => ReflogEntry[]): void {
  try {
    rewriteReflog(repository, name, decide);
  } catch (error) {
    // No directory for the log, so no log.
    if (!isSystemError(error, 'ENOENT', 'ENOTDIR')) throw error;
  }
}

/** True for entries (with their number) that go. */
function compileRules(repository: Repository, name: RefName, current: ObjectId | undefined, rules: ExpiryRules): (entry: ReflogEntry, number: number) => boolean {
  const { onlyNumber } = rules;
  if (onlyNumber !== undefined) return (_entry, number) => number === onlyNumber;
  const configured = configuredTimes(repository, name);
  const expire = rules.expire ?? configured.expire;
  const expireUnreachable = rules.expireUnreachable ?? configured.expireUnreachable;
  let reachable: CommitSet | 'all' | undefined;
  const isUnreachable = (id: ObjectId): boolean => {
    if (isZeroId(id)) return false;
    const commit = peelToCommit(repository, id);
    if (commit === undefined) return false;
    reachable ??= findReachable(repository, name, current);
    return reachable === 'all' ? true : !reachable.has(commit);
  };
  return ({ oldId, newId, ident }) => {
    if (ident.seconds < expire) return true;
    if (ident.seconds >= expireUnreachable) return false;
    return expireUnreachable <= expire || isUnreachable(oldId) || isUnreachable(newId);
  };
}

/** What the ref leads to; for HEAD, what any ref leads to; 'all' when the ref leads to no commit, so that every entry is unreachable. */
function findReachable(repository: Repository, name: RefName, current: ObjectId | undefined): CommitSet | 'all' {
  const history = new History(repository);
  if (name !== 'HEAD' && !name.endsWith('/HEAD')) {
    const commit = current === undefined ? undefined : peelToCommit(repository, current);
    return commit === undefined ? 'all' : ancestorsOf(history, [commit]);
  }
  const tips = new Set<ObjectId>();
  for (const { id } of [...repository.refs.list(), ...(current === undefined ? [] : [{ id: current }])]) {
    const commit = peelToCommit(repository, id);
    if (commit !== undefined) tips.add(commit);
  }
  return ancestorsOf(history, tips);
}

function peelToCommit(repository: Repository, id: ObjectId): ObjectId | undefined {
  const type = repository.objects.findHeader(id)?.type;
  if (type === 'commit') return id;
  const peeled = type === 'tag' ? peelTag(repository, id) : undefined;
  return peeled !== undefined && repository.objects.findHeader(peeled)?.type === 'commit' ? peeled : undefined;
}

/** Tells which commits are gone, or lead to something that is. */
class StaleCommits {
  readonly #repository: Repository;
  readonly #whole = new Set<ObjectId>();
  readonly #ends: ReadonlySet<ObjectId>;

  constructor(repository: Repository) {
    this.#repository = repository;
    this.#ends = new Set([...readGrafts(repository)].flatMap(([id, parents]) => (parents.length === 0 ? [id] : [])));
    // What refs lead to is not given up, whatever is missing of it.
    const ignore = (): void => { /* it stays */ };
    const tips = [...repository.refs.list()].map(({ id }) => id);
    markReachable(repository.objects, tips, { seen: this.#whole, withoutParents: this.#ends, onMissing: ignore, onCorrupt: ignore });
  }

  has(id: ObjectId): boolean {
    if (isZeroId(id)) return false;
    const commit = peelToCommit(this.#repository, id);
    if (commit === undefined) return true;
    if (this.#whole.has(commit)) return false;
    const looked: ObjectId[] = [];
    let isBroken = false;
    const onFault = (fault: ObjectId): void => {
      isBroken = true;
      looked.push(fault);
    };
    markReachable(this.#repository.objects, [commit], {
      seen: this.#whole, withoutParents: this.#ends, checkBlobs: true, onMissing: onFault, onCorrupt: onFault, onObject: (found) => { looked.push(found); },
    });
    // Part of what was looked at now leads to what is gone.
    if (isBroken) for (const found of looked) this.#whole.delete(found);
    return isBroken;
  }
}

/** gc.<pattern>.reflogExpire and its like, then gc.reflogExpire, then 90 and 30 days; the stash keeps everything. */
function configuredTimes(repository: Repository, name: RefName): { expire: number; expireUnreachable: number } {
  const { config, context } = repository;
  const pattern = config.subsections('gc').find((glob) => compileWildmatch(Buffer.from(glob).toString('latin1'))(Buffer.from(name).toString('latin1'))
    && (config.get(`gc.${glob}.reflogexpire`) ?? config.get(`gc.${glob}.reflogexpireunreachable`)) !== undefined);
  const now = Math.floor(context.clock.nowMs() / 1000);
  const read = (variable: string, days: number): number => {
    const own = pattern === undefined ? undefined : config.get(`gc.${pattern}.${variable}`);
    if (own !== undefined) return parseExpiry(own, context.clock);
    if (pattern === undefined && name === 'refs/stash') return 0;
    const general = config.get(`gc.${variable}`);
    return general === undefined ? now - days * daySeconds : parseExpiry(general, context.clock);
  };
  return { expire: read('reflogexpire', 90), expireUnreachable: read('reflogexpireunreachable', 30) };
}

/** The number, counted from the oldest, of what 'name@{specifier}' means; NotFoundError 'no-reflog' when the ref has no reflog. */
export function findReflogNumber(repository: Repository, name: RefName, specifier: string): number {
  const entries = readReflog(repository, name);
  if (entries.length === 0) throw new NotFoundError(`no reflog for '${name}'`, { code: 'no-reflog' });
  if (/^[0-9]+$/.test(specifier)) return entries.length - Number(specifier);
  const time = parseExpiry(specifier, repository.context.clock);
  return entries.filter(({ ident }) => ident.seconds < time).length;
}
