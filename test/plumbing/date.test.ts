import test from 'ava';
import { InvalidError } from '../../pack/errors.js';
import { approximateDate, findExactDate, formatDate, parseDate, parseDateMode, parseExpiry } from '../../plumbing/date.js';

/** Sunday, 30 August 2009, 19:20:00 UTC; where the zone is two hours east. */
const clock = { nowMs: () => 1251660000000, offsetMinutes: () => 0 };
const east = { nowMs: () => 1251660000000, offsetMinutes: () => 120 };
const iso = (seconds: number): string => formatDate(seconds, '+0000', 'iso', clock).slice(0, 19);

const exact: readonly (readonly [text: string, seconds: number, offset: string])[] = [
  ['1112911993 -0700', 1112911993, '-0700'], ['@0 +0000', 0, '+0000'], ['@1234567890 +0100', 1234567890, '+0100'], ['2008-02-14 20:30:45', 1203021045, '+0000'],
  ['2008-02-14 20:30:45 -0500', 1203039045, '-0500'], ['2008-02-14T20:30:45Z', 1203021045, '+0000'], ['2008-02-14 20:30:45.019-04:00', 1203035445, '-0400'],
  ['Thu, 7 Apr 2005 15:14:13 -0700', 1112912053, '-0700'], ['Thu Apr 7 15:14:13 PDT 2005', 1112912053, '-0700'], ['20080214T203045', 1203021045, '+0000'],
  ['2008.02.14 20:30:45', 1203021045, '+0000'], ['14/02/2008 20:30:45', 1203021045, '+0000'], ['2008-02-14 20:30:45 -05', 1203039045, '-0500'],
];

for (const [text, seconds, offset] of exact) {
  test(`'${text}' is an exact date`, (t) => t.deepEqual(parseDate(text, clock), { seconds, offset }));
}

for (const text of ['', 'nonsense', '2008-02', '2008-02-14', '20:30:45', '2008-02-30x', '- -', '1'.repeat(400)]) {
  test(`'${text.slice(0, 20)}' is no exact date`, (t) => {
    t.is(findExactDate(text, clock), undefined);
    t.throws(() => parseDate(text, clock), { instanceOf: InvalidError });
  });
}

const phrases: readonly (readonly [text: string, date: string])[] = [
  ['now', '2009-08-30 19:20:00'], ['5 seconds ago', '2009-08-30 19:19:55'], ['5.seconds.ago', '2009-08-30 19:19:55'], ['10.minutes.ago', '2009-08-30 19:10:00'], ['yesterday', '2009-08-29 19:20:00'],
  ['3.days.ago', '2009-08-27 19:20:00'], ['12:34:56.3.days.ago', '2009-08-27 12:34:56'], ['3.weeks.ago', '2009-08-09 19:20:00'], ['3.months.ago', '2009-05-30 19:20:00'],
  ['2.years.3.months.ago', '2007-05-30 19:20:00'], ['6am yesterday', '2009-08-29 06:00:00'], ['6pm yesterday', '2009-08-29 18:00:00'], ['3:00', '2009-08-30 03:00:00'], ['15:00', '2009-08-30 15:00:00'],
  ['noon today', '2009-08-30 12:00:00'], ['noon yesterday', '2009-08-29 12:00:00'], ['January 5th noon today', '2009-01-05 12:00:00'], ['last tuesday', '2009-08-25 19:20:00'], ['July 5th', '2009-07-05 19:20:00'],
  ['06/05/2009', '2009-06-05 19:20:00'], ['06.05.2009', '2009-05-06 19:20:00'], ['Jun 6, 5AM', '2009-06-06 05:00:00'], ['5AM Jun 6', '2009-06-06 05:00:00'], ['6AM, June 7, 2009', '2009-06-07 06:00:00'],
  ['2008-12-01', '2008-12-01 19:20:00'], ['tea', '2009-08-30 17:00:00'], ['midnight', '2009-08-30 00:00:00'], ['never', '1970-01-01 00:00:00'],
];

for (const [text, date] of phrases) {
  test(`'${text}' is understood as ${date}`, (t) => {
    const found = approximateDate(text, clock);
    t.is(iso(found.seconds), date);
    t.true(found.understood);
  });
}

test('what is not understood is now, and says so', (t) => {
  t.deepEqual(approximateDate('gibberish', clock), { seconds: 1251660000, understood: false });
  t.throws(() => parseExpiry('gibberish', clock), { instanceOf: InvalidError });
  t.is(parseExpiry('never', clock), 0);
  t.is(parseExpiry('now', clock), Number.MAX_SAFE_INTEGER);
});

const modes: readonly (readonly [mode: string, text: string])[] = [
  ['default', 'Mon Jun 15 10:13:20 2009 -0530'], ['iso', '2009-06-15 10:13:20 -0530'], ['iso-strict', '2009-06-15T10:13:20-05:30'], ['rfc', 'Mon, 15 Jun 2009 10:13:20 -0530'], ['short', '2009-06-15'],
  ['raw', '1245080600 -0530'], ['unix', '1245080600'], ['relative', '3 months ago'], ['iso-local', '2009-06-15 17:43:20 +0200'], ['local', 'Mon Jun 15 17:43:20 2009'], ['human', 'Mon Jun 15 10:13'],
  ['format:%Y-%j %H|%I|%p|%a|%A|%b|%B|%d|%e|%s|%z|%Z|%%|%u|%w|%V|%G', '2009-166 10|10|AM|Mon|Monday|Jun|June|15|15|1245080600|-0530||%|1|1|25|2009'],
];

for (const [mode, text] of modes) test(`mode ${mode}`, (t) => t.is(formatDate(1245080600, '-0530', mode, east), text));

test('times beyond 2106 and before 1970 are dates like others; times beyond the calendar are its beginning', (t) => {
  t.is(formatDate(4294967296, '+0000', 'iso', clock), '2106-02-07 06:28:16 +0000');
  t.is(formatDate(-1, '+0000', 'iso', clock), '1969-12-31 23:59:59 +0000');
  t.is(formatDate(1e15, '+0100', 'iso', clock), '1970-01-01 00:00:00 +0000');
  t.throws(() => parseDateMode('odd'), { instanceOf: InvalidError });
});
