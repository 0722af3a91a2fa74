// What retention looks at: every run, the receipts of every channel, every other ref a policy covers, holds that are over; each with what
// its policies say and with what forbids to remove it (cairn-retention(7), "WHAT NEVER GOES"). Reading only.
//
// Invariant: what cannot be read is an error, never a candidate that may go.
import type { ObjectId } from '../../pack/oid.js';
import type { RefName } from '../../plumbing/refs/ref-name.js';
import { peelTag } from '../../plumbing/refs/ref-transaction.js';
import type { Ref } from '../../plumbing/refs/refs.js';
import type { Repository } from '../../plumbing/repository.js';
import { listBranchesInUse } from '../../plumbing/work-trees.js';
import { type Channel, listChannels, receiptRef, releaseRef, targetNamed } from '../channel.js';
import { type StoredReceipt, listReceipts } from '../receipt.js';
import { findLink, linkValue } from '../release-directory.js';
import { findRollback } from '../release-history.js';
import { listRecorded } from '../release-journal.js';
import { Arrivals, type Recorded, receiptKey } from './arrivals.js';
import { HeldObjects, type Hold, describeHold, isOver } from './hold.js';
import { type Policy, compilePattern } from './policy.js';
import { type Arrival, type Reason, judge } from './verdict.js';

/** What becomes of one ref or receipt, and why. */
export interface Candidate {
  readonly kind: 'run' | 'release' | 'ref' | 'hold';
  /** For people: the ref, or 'prod/3'. */
  readonly name: string;
  /** The ref that goes. */
  readonly ref: RefName;
  readonly id: ObjectId;
  readonly commit: ObjectId | undefined;
  /** Milliseconds since 1970; undefined when unrecorded. */
  readonly arrivedMs: number | undefined;
  readonly verdict: 'keep' | 'drop';
  /** All that keeps it, or the one reason it goes. */
  readonly reasons: readonly (Reason & { readonly policy?: string })[];
  readonly receipt?: StoredReceipt;
}

/** A candidate before it is judged. */
interface Subject {
  readonly kind: Candidate['kind'];
  readonly name: string;
  readonly ref: RefName;
  readonly id: ObjectId;
  readonly commit: ObjectId | undefined;
  readonly recorded: Recorded | undefined;
  readonly tag: string | undefined;
  readonly guards: Reason[];
  readonly policies: readonly Policy[];
  readonly kept: (Reason & { readonly policy: string })[];
  readonly receipt?: StoredReceipt;
}

/** Judges everything; in the order of kinds, and of arrival within one. */
export function judgeCandidates(repository: Repository, policies: readonly Policy[], holds: readonly Hold[]): Candidate[] {
  const subjects = new Collector(repository, policies, holds);
  const refs = subjects.listRefs();
  judgeTogether(repository, policies, refs);
  const candidates = refs.map(decide);
  for (const { channel } of listChannels(repository)) {
    const receipts = subjects.listReceipts(channel);
    judgeTogether(repository, policies, receipts);
    candidates.push(...keepOriginals(receipts.map(decide)));
  }
  const nowMs = repository.context.clock.nowMs();
  for (const hold of holds) {
    if (!isOver(hold, nowMs)) continue;
    candidates.push({
      kind: 'hold', name: hold.ref, ref: hold.ref, id: hold.record, commit: undefined, arrivedMs: hold.sinceMs, verdict: 'drop',
      reasons: [{ rule: 'over', detail: `the hold ended ${new Date(hold.untilMs!).toISOString()}` }],
    });
  }
  return candidates;
}

/** Each policy judges what it covers as one history. */
function judgeTogether(repository: Repository, policies: readonly Policy[], subjects: readonly Subject[]): void {
  const { clock } = repository.context;
  const present = { nowMs: clock.nowMs(), offsetMinutes: (atMs: number) => clock.offsetMinutes(atMs) };
  for (const policy of policies) {
    const covered = inRecordedOrder(subjects.filter((subject) => subject.policies.includes(policy)));
    const verdicts = judge(covered.map(({ name, recorded, tag }): Arrival => ({ name, atMs: recorded?.atMs, batch: recorded?.batch, tag })), policy.rules, present);
    for (const { name, kept } of covered) for (const reason of verdicts.get(name)!) kept.push({ ...reason, policy: policy.pattern });
  }
}

/** By the log's order; what is known from reflogs only takes its place by its time. */
function inRecordedOrder(subjects: readonly Subject[]): Subject[] {
  const logged = subjects.filter(({ recorded }) => recorded?.order !== undefined).sort((one, two) => one.recorded!.order! - two.recorded!.order!);
  const others = subjects.filter(({ recorded }) => recorded?.order === undefined)
    .sort((one, two) => (one.recorded?.atMs ?? -Infinity) - (two.recorded?.atMs ?? -Infinity));
  if (others.length === 0) return logged;
  const merged: Subject[] = [];
  let next = 0;
  for (const subject of logged) {
    while (next < others.length && (others[next]!.recorded?.atMs ?? -Infinity) < subject.recorded!.atMs) merged.push(others[next++]!);
    merged.push(subject);
  }
  return [...merged, ...others.slice(next)];
}

function decide(subject: Subject): Candidate {
  const { kind, name, ref, id, commit, recorded, guards, policies, kept, receipt } = subject;
  const keeps = [...guards, ...kept];
  if (policies.length === 0) keeps.push({ rule: 'no-policy', detail: 'no policy covers it' });
  const dropped: Reason = { rule: 'no-rule', detail: `no rule of ${policies.map(({ pattern }) => `'${pattern}'`).join(', ')} keeps it` };
  return {
    kind, name, ref, id, commit, arrivedMs: recorded?.atMs, verdict: keeps.length > 0 ? 'keep' : 'drop',
    reasons: keeps.length > 0 ? keeps : [dropped], ...(receipt === undefined ? {} : { receipt }),
  };
}

/** What a kept rollback published again stays with it: only there it can be marked bad. */
function keepOriginals(candidates: readonly Candidate[]): Candidate[] {
  const needed = new Map<ObjectId, string>();
  for (const { verdict, receipt, name } of candidates) if (verdict === 'keep' && receipt?.restores !== undefined) needed.set(receipt.restores, name);
  return candidates.map((candidate) => {
    const by = needed.get(candidate.id);
    if (candidate.verdict === 'keep' || by === undefined) return candidate;
    return { ...candidate, verdict: 'keep', reasons: [{ rule: 'restored', detail: `published again as ${by}` }] };
  });
}

/** Directories of releases that must stay: a receipt has to go on naming them, or nobody would ever remove them. */
class DirectoriesInUse {
  readonly #repository: Repository;
  readonly #links = new Map<string, string | null | undefined>();
  /** Those that are there and that no newer receipt names. */
  readonly #recorded: Set<string>;
  /** What a rollback publishes and has no directory of its own any more: it takes the newest one that holds the same. */
  readonly #wanted = new Set<ObjectId>();

  constructor(repository: Repository, channel: Channel, back: StoredReceipt | undefined) {
    this.#repository = repository;
    this.#recorded = new Set(listRecorded(repository, channel));
    for (const { published, tree } of back?.outputs ?? []) if (published !== undefined && !this.#recorded.has(published.directory)) this.#wanted.add(tree);
  }

  /** Asked of the newest receipt first. */
  listGuards({ outputs }: StoredReceipt): Reason[] {
    return outputs.flatMap(({ published, tree }): Reason[] => {
      if (published === undefined || !this.#recorded.delete(published.directory)) return [];
      const target = targetNamed(this.#repository, published.target);
      if (!this.#links.has(target.name)) this.#links.set(target.name, findLink(target));
      if (this.#links.get(target.name) === linkValue(target, published.directory)) return [{ rule: 'live', detail: `'${target.name}' points to its directory` }];
      return this.#wanted.delete(tree) ? [{ rule: 'rollback', detail: 'its directory is what a rollback takes' }] : [];
    });
  }
}

class Collector {
  readonly #repository: Repository;
  readonly #policies: readonly (readonly [Policy, (name: string) => boolean])[];
  readonly #held: HeldObjects;
  readonly #arrivals: Arrivals;
  /** Tags by the commit they name, when a policy asks for them. */
  readonly #tags = new Map<ObjectId, string[]>();
  readonly #looksAtCommits: boolean;

  constructor(repository: Repository, policies: readonly Policy[], holds: readonly Hold[]) {
    this.#repository = repository;
    this.#policies = policies.map((policy) => [policy, compilePattern(policy)]);
    this.#held = new HeldObjects(repository, holds);
    this.#arrivals = Arrivals.read(repository);
    const asksForTags = policies.some(({ rules }) => rules.tagged === true);
    this.#looksAtCommits = asksForTags || !this.#held.isEmpty;
    if (!asksForTags) return;
    for (const { name, id, peeled } of repository.refs.list('refs/tags/')) {
      const commit = peeled ?? peelTag(repository, id) ?? id;
      this.#tags.set(commit, [...this.#tags.get(commit) ?? [], name]);
    }
  }

  /** Runs, and refs under a policy. */
  listRefs(): Subject[] {
    const checkedOut = this.#listCheckedOut();
    const found: Ref[] = [];
    const pointedAt = new Map<string, string>();
    for (const ref of this.#repository.refs.list()) {
      if (ref.symbolicTarget !== undefined) pointedAt.set(ref.symbolicTarget, ref.name);
      else if (!ref.name.startsWith('refs/releases/')) found.push(ref);
    }
    return found.flatMap(({ name, id, peeled }): Subject[] => {
      const policies = this.#covering(name);
      const isRun = name.startsWith('refs/runs/');
      if (policies.length === 0 && !isRun) return [];
      const commit = this.#looksAtCommits ? peeled ?? peelTag(this.#repository, id) ?? id : undefined;
      const guards: Reason[] = [];
      const place = checkedOut.get(name);
      if (place !== undefined) guards.push({ rule: 'in-use', detail: place });
      const pointer = pointedAt.get(name);
      if (pointer !== undefined) guards.push({ rule: 'in-use', detail: `'${pointer}' points to it` });
      this.#guardHeld(guards, id, commit);
      return [{
        kind: isRun ? 'run' : 'ref', name, ref: name, id, commit, recorded: this.#arrivals.find(name, id), tag: this.#findTag(commit, name), guards, policies, kept: [],
      }];
    });
  }

  /** A channel's receipts, the oldest first. */
  listReceipts(channel: Channel): Subject[] {
    const policies = this.#covering(releaseRef(channel));
    const back = findRollback(this.#repository, channel, 1);
    const inUse = new DirectoriesInUse(this.#repository, channel, back);
    const subjects: Subject[] = [];
    for (const receipt of listReceipts(this.#repository, channel)) {
      const { id, number, commit, tagger } = receipt;
      const guards: Reason[] = [];
      if (subjects.length === 0) guards.push({ rule: 'live', detail: `the newest release of '${channel}'` });
      if (id === back?.id || subjects[0]?.receipt?.restores === id) guards.push({ rule: 'rollback', detail: `what a rollback of '${channel}' goes to, or went to` });
      const inUseBy = inUse.listGuards(receipt);
      if (guards.length === 0) guards.push(...inUseBy);
      this.#guardHeld(guards, id, commit);
      const logged = this.#arrivals.find(receiptKey, id);
      subjects.push({
        kind: 'release', name: `${channel}/${number}`, ref: receiptRef(id), id, commit, tag: this.#findTag(commit, ''), guards, policies, kept: [], receipt,
        // Numbers tell the order, whatever any clock said.
        recorded: { atMs: logged?.atMs ?? tagger.seconds * 1000, order: number, batch: undefined },
      });
    }
    return subjects.reverse();
  }

  #covering(name: string): Policy[] {
    return this.#policies.flatMap(([policy, matches]) => (matches(name) ? [policy] : []));
  }

  #guardHeld(guards: Reason[], id: ObjectId, commit: ObjectId | undefined): void {
    const hold = this.#held.find(id, commit);
    if (hold !== undefined) guards.push({ rule: 'held', detail: describeHold(hold) });
  }

  #findTag(commit: ObjectId | undefined, except: string): string | undefined {
    return commit === undefined ? undefined : this.#tags.get(commit)?.find((name) => name !== except)?.slice('refs/tags/'.length);
  }

  /** Branches that must stay for a work tree's sake. */
  #listCheckedOut(): Map<string, string> {
    const found = new Map<string, string>();
    for (const { branch, path } of listBranchesInUse(this.#repository)) found.set(branch, `in use at '${path}'`);
    const head = this.#repository.refs.findSymbolic('HEAD');
    if (head !== undefined && !found.has(head)) found.set(head, 'HEAD points to it');
    return found;
  }
}
