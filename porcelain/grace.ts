// How long something is kept: durations as people type them, and as git writes dates (cairn-gc(1), "--grace"). Reading only.
import { InvalidError } from '../pack/errors.js';
import type { Clock } from '../plumbing/command.js';
import { parseExpiry } from '../plumbing/date.js';

const unitsMs: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** Milliseconds of '2w', '36h', '90m', '0', or since a date as git writes it ('2.weeks.ago', 'now', 'never'); Infinity for ever. */
export function parseGrace(text: string, clock: Clock): number {
  const match = /^([0-9]{1,9})([smhdw])$/.exec(text);
  if (match !== null) return Number(match[1]) * unitsMs[match[2]!]!;
  if (text === '0') return 0;
  if (/^(?:[-+].*|[0-9a-z]*[0-9][0-9a-z]*|)$/.test(text)) throw new InvalidError(`'${text}' is not a duration`, { code: 'bad-grace', hint: "say '2w', '36h', '90m', '0' or 'never'" });
  const seconds = parseExpiry(text, clock);
  return seconds === 0 ? Infinity : Math.max(0, clock.nowMs() - seconds * 1000);
}
