// Holds: an object that must stay, why, and until when. A hold is an annotated tag under refs/holds/, so that stock git keeps the object too.
// This file reads them; holding.ts makes and ends them. Specified by cairn-hold(1), "THE RECORD".
//
// Invariant: whatever is found under refs/holds/ holds; one that is not as we write them has no end.
import { RefusedError } from '../../pack/errors.js';
import type { ObjectId } from '../../pack/oid.js';
import { subjectOf } from '../../plumbing/message.js';
import type { RefName } from '../../plumbing/refs/ref-name.js';
import { peelTag } from '../../plumbing/refs/ref-transaction.js';
import type { Repository } from '../../plumbing/repository.js';

export const holdsPrefix = 'refs/holds/';

export interface Hold {
  /** What it is called: the rest of the ref's name. */
  readonly id: string;
  readonly ref: RefName;
  /** What the ref names: the record, or the object itself when nobody wrote one. */
  readonly record: ObjectId;
  readonly object: ObjectId;
  /** What the object was called when it was held. */
  readonly named: string | undefined;
  readonly reason: string;
  /** "name <mail>". */
  readonly by: string | undefined;
  /** Milliseconds since 1970. */
  readonly sinceMs: number | undefined;
  /** The hold is over from this moment on; undefined: never. */
  readonly untilMs: number | undefined;
}

/** Every hold, also those that are over, in the order of their names. */
export function listHolds(repository: Repository): Hold[] {
  return [...repository.refs.list(holdsPrefix)].map(({ name, id }) => readHold(repository, name, id));
}

export function isOver({ untilMs }: Hold, nowMs: number): boolean {
  return untilMs !== undefined && untilMs <= nowMs;
}

/** The hold a ref under refs/holds/ stands for. */
export function readHold({ objects }: Repository, ref: RefName, id: ObjectId): Hold {
  const hold = { id: ref.slice(holdsPrefix.length), ref, record: id, object: id, named: undefined, reason: 'no reason is recorded', by: undefined, sinceMs: undefined, untilMs: undefined };
  if (objects.readHeader(id).type !== 'tag') return hold;
  const { object, message, tagger } = objects.readTag(id);
  const text = message.toString().replace(/\n+$/, '');
  const split = text.lastIndexOf('\n\n');
  const fields = new Map(text.slice(split + 2).split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]));
  const isOurs = split >= 0 && fields.get('Hold') === hold.id && fields.get('Object') === object;
  const until = isOurs ? fields.get('Until') : undefined;
  return {
    ...hold, object,
    named: isOurs ? fields.get('Named') : undefined,
    reason: isOurs ? text.slice(0, split) : Buffer.from(subjectOf(message.toString('latin1')), 'latin1').toString() || hold.reason,
    by: tagger === undefined ? undefined : Buffer.from(`${tagger.name} <${tagger.email}>`, 'latin1').toString(),
    sinceMs: tagger === undefined ? undefined : tagger.seconds * 1000,
    // What cannot be read as a time is no end.
    untilMs: until !== undefined && /^\d{4,6}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(until) && !Number.isNaN(Date.parse(until)) ? Date.parse(until) : undefined,
  };
}

/** The holds in force, by the objects they are about: what is held itself, and the commit a held tag or receipt names. */
export class HeldObjects {
  readonly #holds = new Map<ObjectId, Hold>();

  constructor(repository: Repository, holds: readonly Hold[] = listHolds(repository)) {
    const nowMs = repository.context.clock.nowMs();
    for (const hold of holds) {
      if (isOver(hold, nowMs)) continue;
      for (const id of [hold.object, peelTag(repository, hold.object)]) if (id !== undefined && !this.#holds.has(id)) this.#holds.set(id, hold);
    }
  }

  get isEmpty(): boolean { return this.#holds.size === 0; }

  /** The hold on any of these objects. */
  find(...ids: readonly (ObjectId | undefined)[]): Hold | undefined {
    for (const id of ids) {
      const hold = id === undefined ? undefined : this.#holds.get(id);
      if (hold !== undefined) return hold;
    }
    return undefined;
  }
}

/** 'held by 20260131-0f1e2d3c until 2027-01-31T00:00:00.000Z: reason'. */
export function describeHold({ id, untilMs, reason }: Hold): string {
  return `held by ${id}${untilMs === undefined ? '' : ` until ${new Date(untilMs).toISOString()}`}: ${reason.split('\n', 1)[0]}`;
}

/** RefusedError (code 'held') when the object a ref names, or the commit behind it, is held. */
export function requireNotHeld(repository: Repository, shown: string, id: ObjectId): void {
  const held = new HeldObjects(repository);
  const hold = held.isEmpty ? undefined : held.find(id, peelTag(repository, id));
  if (hold === undefined) return;
  throw new RefusedError(`'${shown}' cannot be deleted: it is ${describeHold(hold)}`, { code: 'held', hint: `to end that: cairn hold release ${hold.id}` });
}
