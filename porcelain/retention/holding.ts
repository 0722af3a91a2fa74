// Making holds and ending them (cairn-hold(1)).
//
// The record is durable before its ref names it, and the ref is the hold: one update, there or not after a power cut, never in part. While
// retention removes what policy lets go, no hold is made; the hold then finds what is left.
import { join } from 'node:path';
import { makeDirectories } from '../../pack/disk.js';
import { InvalidError, NotFoundError } from '../../pack/errors.js';
import { lazyModule } from '../../pack/lazy-module.js';
import { encodeTag } from '../../pack/tag.js';
import type { Clock } from '../../plumbing/command.js';
import { findExactDate } from '../../plumbing/date.js';
import { committerIdent } from '../../plumbing/identity.js';
import { LockFile } from '../../plumbing/lockfile.js';
import { whileNaming } from '../../plumbing/refs/announcement.js';
import { type RefName, isRefName } from '../../plumbing/refs/ref-name.js';
import { updateRef } from '../../plumbing/refs/ref-transaction.js';
import type { Repository } from '../../plumbing/repository.js';
import { tellEvent } from '../events.js';
import { findNamedSnapshot } from '../named-snapshot.js';
import { type Hold, holdsPrefix, readHold } from './hold.js';
import { parseWithin } from './policy.js';

const crypto = lazyModule<typeof import('node:crypto')>('node:crypto');
const lockTimeoutMs = 10_000;

export interface HoldRequest {
  /** A receipt ('prod/3'), a revision, a run's id, or a channel for its newest receipt. */
  readonly what: string;
  readonly reason: string;
  /** As `parseUntil` takes it; undefined: without end. */
  readonly until: string | undefined;
}

/** Makes a hold. InvalidError without a reason or with an end that is over; NotFoundError when nothing is called so. */
export function addHold(repository: Repository, { what, reason, until }: HoldRequest): Hold {
  const { clock } = repository.context;
  const text = reason.trim();
  if (text === '' || text.includes('\0')) throw new InvalidError('a hold needs a reason', { code: 'no-reason', hint: 'say it with --reason' });
  const untilMs = until === undefined ? undefined : parseUntil(until, clock);
  const tagger = committerIdent(repository);
  using _lock = lockRetention(repository);
  return whileNaming(repository, () => {
    const { object, type, named } = findNamedSnapshot(repository, what, 'nothing-to-hold');
    const id = `${new Date(clock.nowMs()).toISOString().slice(0, 10).replaceAll('-', '')}-${crypto().randomBytes(4).toString('hex')}`;
    const lines = [`Hold: ${id}`, `Object: ${object}`, `Named: ${named}`, ...(untilMs === undefined ? [] : [`Until: ${new Date(untilMs).toISOString().slice(0, 19)}Z`])];
    const record = repository.objects.write('tag', encodeTag({
      object, type, name: `hold/${id}`, tagger, message: Buffer.from(`${text}\n\n${lines.join('\n')}\n`),
    }));
    const ref = `${holdsPrefix}${id}` as RefName;
    updateRef(repository, { name: ref, expected: 'absent', target: { id: record } });
    tellEvent(repository, 'hold', { hold: id, object, named, reason: text, untilMs: untilMs ?? null });
    return readHold(repository, ref, record);
  });
}

/** Ends a hold, over or not, and gives what it was; NotFoundError when there is none of that name. */
export function releaseHold(repository: Repository, id: string): Hold {
  const ref = `${holdsPrefix}${id}`;
  const found = isRefName(ref) ? repository.refs.find(ref) : undefined;
  if (found === undefined) throw new NotFoundError(`there is no hold '${id}'`, { code: 'no-hold', hint: 'cairn hold list shows what there is' });
  const hold = readHold(repository, found.name, found.id);
  using _lock = lockRetention(repository);
  updateRef(repository, { name: ref, expected: found.id, target: 'delete' });
  tellEvent(repository, 'hold-release', { hold: id, object: hold.object, reason: hold.reason });
  return hold;
}

/** Holds are made, and what policy lets go is removed, one after the other. */
export function lockRetention(repository: Repository): LockFile {
  makeDirectories(repository.cairnDirectory());
  return LockFile.acquire(join(repository.cairnDirectory(), 'retention'), { holder: repository.lockHolder, timeoutMs: lockTimeoutMs });
}

/** When a hold is to end: a day ('2027-01-31', to its last moment), a date and time, or a duration from now. InvalidError when that is over. */
export function parseUntil(text: string, clock: Clock): number {
  const day = /^(\d{4})-(\d\d)-(\d\d)$/.exec(text);
  let untilMs: number;
  if (day !== null) {
    const utcMs = Date.UTC(Number(day[1]), Number(day[2]) - 1, Number(day[3]) + 1);
    const isDate = new Date(utcMs - 1).toISOString().startsWith(text);
    if (!isDate) throw new InvalidError(`there is no day '${text}'`, { code: 'bad-date' });
    untilMs = utcMs - clock.offsetMinutes(utcMs) * 60_000;
  } else if (/^[0-9]+(?:min|mo|[hdwy])/.test(text)) {
    untilMs = clock.nowMs() + parseWithin(text);
  } else {
    const exact = findExactDate(text, clock);
    if (exact === undefined) throw new InvalidError(`'${text}' is no date`, { code: 'bad-date', hint: "say '2027-01-31', '2027-01-31T12:00:00Z' or '90d'" });
    untilMs = exact.seconds * 1000;
  }
  if (untilMs <= clock.nowMs()) throw new InvalidError(`'${text}' is over`, { code: 'bad-date', hint: 'a hold ends in the future' });
  return Math.ceil(untilMs / 1000) * 1000;
}
