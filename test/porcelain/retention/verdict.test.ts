// Verdicts by golden files: test/fixtures/retention/*.golden hold the time, the rules and what arrived, then '---' and what becomes of it.
import test from 'ava';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { makePolicy, parseWithin, policyKeys, type PolicyKey } from '../../../porcelain/retention/policy.js';
import { type Arrival, type Present, type Rules, judge } from '../../../porcelain/retention/verdict.js';
import { projectRoot } from '../../helpers/cairn.js';
import { seededRandom } from '../../helpers/sandbox.js';

const folder = join(projectRoot, 'test/fixtures/retention');
const day = 86_400_000;

interface GoldenCase {
  readonly policies: readonly Rules[];
  readonly present: Present;
  readonly arrivals: readonly Arrival[];
}

/** 'now <time>', 'zone <minutes> [<time> <minutes>]...', 'policy keep-last=3 ...', '<name> <time|unrecorded> [tag=<tag>] [batch=<n>]', '# ...'. */
function parseCase(text: string): GoldenCase {
  let nowMs = 0;
  let zone: readonly string[] = ['0'];
  const policies: Rules[] = [];
  const arrivals: Arrival[] = [];
  for (const line of text.split('\n')) {
    const [word = '', ...rest] = line.split(/\s+/);
    if (word === '' || word === '#') continue;
    if (word === 'now') nowMs = Date.parse(rest[0]!);
    else if (word === 'zone') zone = rest;
    else if (word === 'policy') {
      const given = new Map(rest.map((pair) => {
        const [option = '', value = 'true'] = pair.split('=');
        const key = policyKeys.find((each) => each.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`) === option)!;
        return [key, value] as readonly [PolicyKey, string];
      }));
      policies.push(makePolicy('refs/runs/*', given).rules);
    } else {
      const option = (name: string): string | undefined => rest.find((each) => each.startsWith(`${name}=`))?.slice(name.length + 1);
      const batch = option('batch');
      arrivals.push({ name: word, atMs: rest[0] === 'unrecorded' ? undefined : Date.parse(rest[0] ?? ''), tag: option('tag'), ...(batch === undefined ? {} : { batch: Number(batch) }) });
    }
  }
  const offsetMinutes = (atMs: number): number => {
    let minutes = Number(zone[0]);
    for (let at = 1; at + 1 < zone.length; at += 2) if (atMs >= Date.parse(zone[at] ?? '')) minutes = Number(zone[at + 1]);
    return minutes;
  };
  return { policies, present: { nowMs, offsetMinutes }, arrivals };
}

/** What any policy keeps, stays. */
function formatVerdicts({ policies, present, arrivals }: GoldenCase): string {
  const judged = policies.map((rules) => judge(arrivals, rules, present));
  return arrivals.map(({ name }) => {
    const reasons = judged.flatMap((verdicts) => verdicts.get(name)!);
    return `${name} ${reasons.length === 0 ? 'drop' : `keep ${reasons.map(({ rule, detail }) => `${rule} (${detail})`).join(', ')}`}\n`;
  }).join('');
}

for (const file of readdirSync(folder).sort()) {
  test(`verdicts are as written down: ${file}`, (t) => {
    const [given = '', expected = 'missing'] = readFileSync(join(folder, file), 'utf8').split('---\n');
    t.is(formatVerdicts(parseCase(given)), expected);
  });
}

test('nothing to judge is judged', (t) => {
  t.is(judge([], { last: 3, daily: 2, withinMs: day }, { nowMs: 0, offsetMinutes: () => 0 }).size, 0);
});

test('more rules, or larger ones, never keep less', (t) => {
  const random = seededRandom(11);
  for (let round = 0; round < 200; round += 1) {
    const present = { nowMs: 400 * day, offsetMinutes: () => 60 };
    const arrivals = Array.from({ length: 40 }, (_, at): Arrival => ({ name: String(at), atMs: random() < 0.1 ? Math.floor(random() * 500 * day) : at * 9 * day + Math.floor(random() * day) }));
    const rules = { last: 1 + Math.floor(random() * 3), daily: 1 + Math.floor(random() * 5), monthly: 1 + Math.floor(random() * 5) };
    const kept = (given: Rules): string[] => [...judge(arrivals, given, present)].flatMap(([name, reasons]) => (reasons.length > 0 ? [name] : []));
    const few = new Set(kept(rules));
    const many = new Set([...kept({ ...rules, daily: rules.daily + 1 }), ...kept({ ...rules, last: rules.last + 2 })]);
    // The oldest of a young history is kept in place of a period there is not yet, so it may go once the rule is full.
    t.deepEqual([...few].filter((name) => !many.has(name)), [], `round ${round}`);
    t.true(few.has('39'), 'the newest stays');
  }
});

test('a clock that was wrong for one arrival, and right for the next, never lets go of what a right one would have kept', (t) => {
  const random = seededRandom(12);
  const present = { nowMs: 1000 * day, offsetMinutes: () => 0 };
  const rules = { last: 2, daily: 4, weekly: 3, monthly: 3, withinMs: 5 * day };
  for (let round = 0; round < 300; round += 1) {
    const right = Array.from({ length: 60 }, (_, at): Arrival => ({ name: String(at), atMs: at * 3 * day + Math.floor(random() * 3 * day) }));
    const victim = Math.floor(random() * (right.length - 1));
    const wrongMs = Math.floor(random() * 1200 * day);
    const wrong = right.map((arrival, at) => (at === victim ? { ...arrival, atMs: wrongMs } : arrival));
    const before = judge(right, rules, present);
    const after = judge(wrong, rules, present);
    const lost = right.filter(({ name }, at) => at !== victim && before.get(name)!.length > 0 && after.get(name)!.length === 0);
    t.deepEqual(lost, [], `round ${round}: arrival ${victim} says ${wrongMs / day}`);
  }
});

test('a hundred thousand arrivals are judged quickly', (t) => {
  const arrivals = Array.from({ length: 100_000 }, (_, at): Arrival => ({ name: String(at), atMs: at * 600_000 }));
  const started = Date.now();
  const verdicts = judge(arrivals, { last: 10, hourly: 24, daily: 30, weekly: 10, monthly: Infinity, yearly: Infinity, withinMs: day }, { nowMs: 100_000 * 600_000, offsetMinutes: () => 0 });
  t.true(Date.now() - started < 5000);
  t.is(verdicts.get('0')!.length > 0, true, 'the oldest, of a year that is kept without end');
  t.is([...verdicts.values()].filter((reasons) => reasons.length > 0).length > 150, true);
});

test('durations, counts and patterns are strict', (t) => {
  t.is(parseWithin('1y6mo'), (366 + 6 * 31) * day);
  t.is(parseWithin('90min'), 90 * 60_000);
  for (const text of ['', '6m', '30', 'd', '-1d', '1d ', '1d2', '1.5d', '9999999d']) t.throws(() => parseWithin(text), { message: /is not a duration/ }, text);
  for (const count of ['0', '-1', '1.5', '', 'all', '01']) t.throws(() => makePolicy('refs/runs/*', new Map([['keepLast', count]])), { message: /number to keep/ }, count);
  for (const pattern of ['', 'runs/*', 'refs/', 'refs/holds/*', 'refs/cairn/receipts/*', 'refs/stash', 'refs/a\n']) {
    t.throws(() => makePolicy(pattern, new Map([['keepLast', '1']])), undefined, pattern);
  }
  t.throws(() => makePolicy('refs/runs/*', new Map()), { message: /has no rule/ });
  t.throws(() => makePolicy('refs/runs/*', new Map([['keepTagged', 'false']])), { message: /has no rule/ });
});
