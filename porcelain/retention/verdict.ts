// What a policy keeps: a pure function of what arrived when, of the rules and of the time now (cairn-retention(7), "RULES"). No disk, no clock.
//
// A rule keeps the newest arrival of each of the newest n periods that have one; what any rule keeps, stays. Arrivals come in recorded
// order. Where recorded times contradict that order, because a clock was set, each rule is asked about three readings (times as recorded
// and sorted, never falling, never rising) and what it keeps in any of them stays: a wrong clock keeps more, never less.

/** One thing a policy judges. */
export interface Arrival {
  /** What it is called; unique. */
  readonly name: string;
  /** Milliseconds since 1970; undefined when nobody wrote down when it arrived. */
  readonly atMs: number | undefined;
  /** Things of which nobody knows which came first share this number, and count as one. */
  readonly batch?: number | undefined;
  /** A tag that names the same commit. */
  readonly tag?: string | undefined;
}

/** Undefined: the rule is not in force. Counts may be Infinity. */
export interface Rules {
  readonly last?: number | undefined;
  readonly hourly?: number | undefined;
  readonly daily?: number | undefined;
  readonly weekly?: number | undefined;
  readonly monthly?: number | undefined;
  readonly yearly?: number | undefined;
  readonly withinMs?: number | undefined;
  readonly tagged?: boolean | undefined;
}

/** Why something stays: the rule, and which of its places it takes. */
export interface Reason {
  readonly rule: string;
  readonly detail: string;
}

export interface Present {
  readonly nowMs: number;
  /** Minutes east of UTC that local time has at a moment. */
  offsetMinutes(atMs: number): number;
}

/** Arrivals that count as one, and what keeps them. */
interface Group {
  readonly names: string[];
  readonly atMs: number;
  readonly reasons: Map<string, string>;
}

interface Timed {
  readonly group: Group;
  readonly atMs: number;
}

const periods = ['hourly', 'daily', 'weekly', 'monthly', 'yearly'] as const;
type Period = (typeof periods)[number];

const hourMs = 3_600_000;
const dayMs = 86_400_000;

/** Everything that keeps each arrival, by name; who has no reason may go. `arrivals` are in the order they were recorded, the oldest first. */
export function judge(arrivals: readonly Arrival[], rules: Rules, present: Present): Map<string, Reason[]> {
  const verdicts = new Map<string, Reason[]>();
  const groups: Group[] = [];
  let batch: number | undefined;
  for (const { name, atMs, batch: own, tag } of arrivals) {
    const reasons: Reason[] = [];
    verdicts.set(name, reasons);
    if (rules.tagged === true && tag !== undefined) reasons.push({ rule: 'keep-tagged', detail: tag });
    if (atMs === undefined) reasons.push({ rule: 'unrecorded', detail: 'nobody wrote down when it arrived' });
    else if (atMs > present.nowMs) reasons.push({ rule: 'future', detail: 'it arrived later than now' });
    else if (own !== undefined && own === batch) groups.at(-1)!.names.push(name);
    else {
      groups.push({ names: [name], atMs, reasons: new Map() });
      batch = own;
    }
  }
  for (const reading of listReadings(groups)) {
    keepLast(reading, rules.last);
    for (const period of periods) keepPeriods(reading, period, rules[period], present);
  }
  keepWithin(groups, rules.withinMs);
  for (const { names, reasons } of groups) {
    for (const [rule, detail] of reasons) for (const name of names) verdicts.get(name)!.push({ rule, detail });
  }
  return verdicts;
}

/** The ways to read recorded times, each the newest first; one when no clock was ever set back. */
function listReadings(groups: readonly Group[]): Timed[][] {
  const asRecorded = groups.map((group): Timed => ({ group, atMs: group.atMs })).reverse();
  if (groups.every(({ atMs }, at) => at === 0 || atMs >= groups[at - 1]!.atMs)) return [asRecorded];
  const lowered: Timed[] = [];
  for (const { group, atMs } of asRecorded) lowered.push({ group, atMs: Math.min(atMs, lowered.at(-1)?.atMs ?? Infinity) });
  return [asRecorded.toSorted((one, two) => two.atMs - one.atMs), lift(groups).reverse(), lowered];
}

/** Times that never fall in recorded order, the oldest first. */
function lift(groups: readonly Group[]): Timed[] {
  const lifted: Timed[] = [];
  for (const group of groups) lifted.push({ group, atMs: Math.max(group.atMs, lifted.at(-1)?.atMs ?? -Infinity) });
  return lifted;
}

function keep({ reasons }: Group, rule: string, detail: string): void {
  if (!reasons.has(rule)) reasons.set(rule, detail);
}

function keepLast(reading: readonly Timed[], count: number | undefined): void {
  const most = Math.min(count ?? 0, reading.length);
  for (let at = 0; at < most; at += 1) keep(reading[at]!.group, `keep-last ${formatCount(count ?? 0)}`, at === 0 ? 'the newest' : `the newest but ${at}`);
}

function keepPeriods(reading: readonly Timed[], period: Period, count: number | undefined, present: Present): void {
  if (count === undefined || reading.length === 0) return;
  const rule = `keep-${period} ${formatCount(count)}`;
  let last: number | undefined;
  let found = 0;
  for (const { group, atMs } of reading) {
    const offset = present.offsetMinutes(atMs);
    const number = periodOf(period, atMs, offset);
    if (number === last) continue;
    if (found >= count) return;
    last = number;
    found += 1;
    keep(group, rule, labelOf(period, atMs, offset));
  }
  // A young history is not full yet: its beginning stays until there are as many periods as the rule may keep.
  if (found < count) keep(reading.at(-1)!.group, rule, 'the oldest');
}

/** A number for the period of local time that holds a moment; equal exactly for the same one. */
function periodOf(period: Period, atMs: number, offsetMinutes: number): number {
  const localMs = atMs + offsetMinutes * 60_000;
  const day = Math.floor(localMs / dayMs);
  switch (period) {
    // The hour that daylight saving repeats is two hours.
    case 'hourly': return Math.floor(localMs / hourMs) * 10_000 + offsetMinutes;
    case 'daily': return day;
    // 1970 began on a Thursday; weeks begin on Mondays.
    case 'weekly': return Math.floor((day + 3) / 7);
    case 'monthly': {
      const date = new Date(localMs);
      return date.getUTCFullYear() * 12 + date.getUTCMonth();
    }
    case 'yearly': return new Date(localMs).getUTCFullYear();
  }
}

function labelOf(period: Period, atMs: number, offsetMinutes: number): string {
  const localMs = atMs + offsetMinutes * 60_000;
  const text = new Date(localMs).toISOString();
  switch (period) {
    case 'hourly': return `${text.slice(0, 10)} ${text.slice(11, 13)}h${formatOffset(offsetMinutes)}`;
    case 'daily': return text.slice(0, 10);
    case 'weekly': {
      // A week belongs to the year its Thursday is in.
      const thursday = new Date((Math.floor((Math.floor(localMs / dayMs) + 3) / 7) * 7) * dayMs);
      const year = thursday.getUTCFullYear();
      return `${year}-W${String(Math.floor((thursday.getTime() - Date.UTC(year, 0, 1)) / dayMs / 7) + 1).padStart(2, '0')}`;
    }
    case 'monthly': return text.slice(0, 7);
    case 'yearly': return text.slice(0, 4);
  }
}

function formatOffset(minutes: number): string {
  const size = Math.abs(minutes);
  return `${minutes < 0 ? '-' : '+'}${String(Math.floor(size / 60)).padStart(2, '0')}${String(size % 60).padStart(2, '0')}`;
}

/** Counted back from the last arrival, not from now: where nothing arrives any more, nothing goes. */
function keepWithin(groups: readonly Group[], withinMs: number | undefined): void {
  if (withinMs === undefined) return;
  const lastMs = groups.at(-1)?.atMs ?? 0;
  for (const { group, atMs } of lift(groups)) {
    if (atMs >= lastMs - withinMs) keep(group, 'keep-within', 'young enough');
  }
}

function formatCount(count: number): string {
  return count === Infinity ? 'unlimited' : String(count);
}
