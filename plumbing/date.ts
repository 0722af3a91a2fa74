// Dates as git reads and prints them: exact formats, free-form phrases ("2 weeks ago", "last friday noon"), every --date mode.
//
// Times are whole seconds since 1970 UTC; they may be negative or beyond 2106. Nothing here reads the clock or the time zone by
// itself: the caller's Clock does. Every text gives an answer in time linear in its length.
// Formats: "DATE FORMATS" of git-commit(1), "--date" of git-log(1), and what stock git is seen to do with the rest.
import { InvalidError } from '../pack/errors.js';
import type { Clock } from './command.js';

/** A moment and the zone it was written in, e.g. '+0100'. */
export interface ZonedTime {
  readonly seconds: number;
  readonly offset: string;
}

/** How a date is printed; made by parseDateMode. */
export interface DateMode {
  readonly kind: 'default' | 'iso' | 'iso-strict' | 'rfc' | 'short' | 'raw' | 'unix' | 'relative' | 'human' | 'format';
  /** Shown in the reader's time zone instead of the writer's. */
  readonly local: boolean;
  /** For 'format': the strftime pattern. */
  readonly pattern?: string;
}

const monthNames = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December'];
const weekdayNames = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const numberNames = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten'];
const unitSeconds: readonly (readonly [string, number])[] =
  [['seconds', 1], ['minutes', 60], ['hours', 3600], ['days', 86400], ['weeks', 604800]];
/** Hours east of Greenwich, summer time counted in. */
const zoneNames: readonly (readonly [string, number])[] = [
  ['IDLW', -12], ['NT', -11], ['CAT', -10], ['HST', -10], ['HDT', -9], ['YST', -9], ['YDT', -8], ['PST', -8], ['PDT', -7],
  ['MST', -7], ['MDT', -6], ['CST', -6], ['CDT', -5], ['EST', -5], ['EDT', -4], ['AST', -3], ['ADT', -2], ['WAT', -1],
  ['GMT', 0], ['UTC', 0], ['Z', 0], ['WET', 0], ['BST', 1], ['MET', 1], ['MEWT', 1], ['MEST', 2], ['CET', 1], ['MESZ', 2],
  ['FWT', 1], ['FST', 2], ['EET', 2], ['EEST', 3], ['WAST', 7], ['WADT', 8], ['CCT', 8], ['JST', 9], ['EAST', 10],
  ['EADT', 11], ['GST', 10], ['NZT', 12], ['NZST', 12], ['NZDT', 13], ['IDLE', 12],
];

/** Calendar fields; -1 means "not said yet". */
interface Fields { year: number; month: number; day: number; hour: number; minute: number; second: number; weekday: number }

const isDigit = (text: string | undefined): boolean => text !== undefined && text >= '0' && text <= '9';
const isAlpha = (text: string | undefined): boolean => text !== undefined && /^[A-Za-z]$/.test(text);

function fieldsOf(secondsSinceEpoch: number): Fields {
  const date = new Date(secondsSinceEpoch * 1000);
  return {
    year: date.getUTCFullYear(), month: date.getUTCMonth(), day: date.getUTCDate(), hour: date.getUTCHours(),
    minute: date.getUTCMinutes(), second: date.getUTCSeconds(), weekday: date.getUTCDay(),
  };
}

function secondsOf(fields: Fields): number {
  const date = new Date(0);
  date.setUTCFullYear(fields.year, fields.month, fields.day);
  date.setUTCHours(fields.hour, fields.minute, fields.second);
  return date.getTime() / 1000;
}

/** Local wall-clock seconds to UTC, by the offset that holds at that wall clock. */
function localToUtc(wallSeconds: number, clock: Clock): number {
  const first = wallSeconds - clock.offsetMinutes(wallSeconds * 1000) * 60;
  return wallSeconds - clock.offsetMinutes(first * 1000) * 60;
}

function localFields(seconds: number, clock: Clock): Fields {
  return fieldsOf(seconds + clock.offsetMinutes(seconds * 1000) * 60);
}

/** '+0100' from minutes east. */
export function formatOffset(minutes: number): string {
  const absolute = Math.abs(minutes);
  return `${minutes < 0 ? '-' : '+'}${pad(Math.floor(absolute / 60))}${pad(absolute % 60)}`;
}

/** Minutes east from '+0100'; as git, -0530 is minus five hours and minus thirty minutes. */
export function parseOffset(offset: string): number {
  const value = Number.parseInt(offset, 10) || 0;
  const minutes = Math.trunc(Math.abs(value) / 100) * 60 + Math.abs(value) % 100;
  return value < 0 ? -minutes : minutes;
}

const pad = (value: number, width = 2): string => String(value).padStart(width, '0');

/** How many characters of `text` at `at` spell `word` or a beginning of it that ends at a non-alphanumeric; 0 for another word. */
function matchWord(text: string, at: number, word: string): number {
  let count = 0;
  while (at + count < text.length) {
    const typed = text[at + count]!;
    if (count < word.length && typed.toLowerCase() === word[count]!.toLowerCase()) count += 1;
    else if (/[A-Za-z0-9]/.test(typed)) return 0;
    else break;
  }
  return count;
}

function digitsAt(text: string, at: number): string {
  let end = at;
  while (isDigit(text[end])) end += 1;
  return text.slice(at, end);
}

function setTime(hour: number, minute: number, second: number, fields: Fields): boolean {
  if (hour > 24 || minute >= 60 || second > 60) return false;
  Object.assign(fields, { hour, minute, second });
  return true;
}

/** Sets year, month and day when they make sense; with `refuseAfter`, not when that is more than ten days later. */
function setDate(year: number, month: number, day: number, now: number, refuseFuture: boolean, fields: Fields): boolean {
  if (month < 1 || month > 12 || day < 1 || day > 31) return false;
  let full = -1;
  if (year === -1) {
    if (!refuseFuture) return false;
    full = fieldsOf(now).year;
  } else if (year >= 1970 && year < 2100) full = year;
  else if (year > 70 && year < 100) full = year + 1900;
  else if (year < 38) full = year + 2000;
  else return false;
  if (refuseFuture) {
    const stated = strictSeconds({ ...fields, year: full, month: month - 1, day });
    if (stated !== undefined && now + 864000 < stated) return false;
  }
  fields.month = month - 1;
  fields.day = day;
  if (year !== -1) fields.year = full;
  return true;
}

/** UTC seconds of fields that are all known and between 1970 and 2099. */
function strictSeconds(fields: Fields): number | undefined {
  if (fields.year < 1970 || fields.year > 2099 || fields.month < 0 || fields.day < 0) return undefined;
  if (fields.hour < 0 || fields.minute < 0 || fields.second < 0) return undefined;
  return secondsOf(fields);
}

/** Numbers joined by ':', '-', '/' or '.': a time or a date. Returns the end, or `at` when it is neither. */
function matchNumbers(text: string, at: number, now: number, fields: Fields): number {
  const one = digitsAt(text, at);
  let end = at + one.length;
  const separator = text[end];
  const two = digitsAt(text, end + 1);
  end += 1 + two.length;
  let third = -1;
  if (text[end] === separator && isDigit(text[end + 1])) {
    const three = digitsAt(text, end + 1);
    third = Number(three);
    end += 1 + three.length;
  }
  const first = Number(one);
  const second = Number(two);
  if (separator === ':') {
    if (!setTime(first, second, Math.max(third, 0), fields)) return at;
    if (text[end] === '.' && isDigit(text[end + 1]) && fields.day >= 0 && fields.month >= 0 && fields.year >= 0) {
      end += 1 + digitsAt(text, end + 1).length;
    }
    return end;
  }
  const done = (first > 70 && (setDate(first, second, third, now, false, fields) || setDate(first, third, second, now, false, fields)))
    || (separator !== '.' && setDate(third, first, second, now, true, fields))
    || setDate(third, second, first, now, true, fields)
    || (separator === '.' && setDate(third, first, second, now, true, fields));
  return done ? end : at;
}

/** State of reading an exact date. */
interface ExactState { readonly fields: Fields; offset: number | undefined; isUtc: boolean }

function exactWord(text: string, at: number, state: ExactState): number {
  const { fields } = state;
  for (const [month, name] of monthNames.entries()) {
    const length = matchWord(text, at, name);
    if (length >= 3) { fields.month = month; return length; }
  }
  for (const [weekday, name] of weekdayNames.entries()) {
    const length = matchWord(text, at, name);
    if (length >= 3) { fields.weekday = weekday; return length; }
  }
  for (const [name, hours] of zoneNames) {
    const length = matchWord(text, at, name);
    if (length >= 3 || length === name.length) {
      state.offset ??= hours * 60;
      return length;
    }
  }
  if (matchWord(text, at, 'PM') === 2) { fields.hour = (fields.hour % 12) + 12; return 2; }
  if (matchWord(text, at, 'AM') === 2) { fields.hour %= 12; return 2; }
  if (text[at] === 'T' && isDigit(text[at + 1]) && fields.hour === -1) {
    fields.minute = 0;
    fields.second = 0;
    return 1;
  }
  let length = 1;
  while (isAlpha(text[at + length])) length += 1;
  return length;
}

function exactNumber(text: string, at: number, now: number, state: ExactState): number {
  const { fields } = state;
  const digits = digitsAt(text, at);
  const value = Number(digits);
  const nothingYet = fields.year < 0 && fields.month < 0 && fields.day < 0 && fields.hour < 0 && fields.minute < 0 && fields.second < 0;
  if (value >= 100000000 && nothingYet) {
    Object.assign(fields, fieldsOf(value));
    state.isUtc = true;
    return digits.length;
  }
  const next = text[at + digits.length];
  if (next !== undefined && ':./-'.includes(next) && isDigit(text[at + digits.length + 1])) {
    const end = matchNumbers(text, at, now, fields);
    if (end > at) return end - at;
  }
  const count = digits.length;
  if (count === 8 || count === 6) {
    const [high, middle, low] = [Math.floor(value / 10000), Math.floor(value / 100) % 100, value % 100];
    if (count === 8) setDate(high, middle, low, now, false, fields);
    else if (setTime(high, middle, low, fields) && next === '.' && isDigit(text[at + 7])) return count + 1 + digitsAt(text, at + 7).length;
    return count;
  }
  if (fields.hour === -1 && fields.minute === 0 && fields.second === 0) {
    const [hour, minute] = count === 4 ? [Math.floor(value / 100), value % 100] : [value, 0];
    if ((count === 4 || count === 2) && setTime(hour, minute, 0, fields)) return count;
    fields.minute = -1;
    fields.second = -1;
  }
  if (count === 4) {
    if (value <= 1400 && state.offset === undefined) state.offset = Math.floor(value / 100) * 60 + value % 100;
    else if (value > 1900 && value < 2100) fields.year = value;
    return count;
  }
  if (count > 2) return count;
  if (value > 0 && value < 32 && fields.day < 0) fields.day = value;
  else if (count === 2 && fields.year < 0 && value < 10 && fields.day >= 0) fields.year = value + 2000;
  else if (count === 2 && fields.year < 0 && value >= 70) fields.year = value + 1900;
  else if (value > 0 && value < 13 && fields.month < 0) fields.month = value - 1;
  return count;
}

function exactZone(text: string, at: number, state: ExactState): number {
  const digits = digitsAt(text, at + 1);
  let hours = Number(digits);
  let minutes = 0;
  let end = at + 1 + digits.length;
  if (digits.length === 4) {
    minutes = hours % 100;
    hours = Math.floor(hours / 100);
  } else if (digits.length !== 2) {
    minutes = 99;
  } else if (text[end] === ':') {
    const rest = digitsAt(text, end + 1);
    minutes = rest.length === 2 ? Number(rest) : 99;
    end += 1 + rest.length;
  }
  if (minutes < 60 && hours < 24) state.offset = (text[at] === '-' ? -1 : 1) * (hours * 60 + minutes);
  return end - at;
}

/** An exact date ('2005-04-07T22:13:13', RFC 2822, '1112911993 +0200', '@0 +0000'); undefined when it is none. */
export function findExactDate(text: string, clock: Clock): ZonedTime | undefined {
  const header = /^@([0-9]+) ([+-][0-9]{4})(?:\n|$)/.exec(text);
  if (header) return { seconds: Number(header[1]), offset: header[2]! };
  const now = Math.floor(clock.nowMs() / 1000);
  const fields: Fields = { year: -1, month: -1, day: -1, hour: -1, minute: -1, second: -1, weekday: -1 };
  const state: ExactState = { fields, offset: undefined, isUtc: false };
  let at = 0;
  while (at < text.length && text[at] !== '\n') {
    const letter = text[at]!;
    if (isAlpha(letter)) at += exactWord(text, at, state);
    else if (isDigit(letter)) at += exactNumber(text, at, now, state);
    else if ((letter === '-' || letter === '+') && isDigit(text[at + 1]) && fields.hour !== -1) at += exactZone(text, at, state);
    else at += 1;
  }
  const wall = state.isUtc ? secondsOf(fields) : strictSeconds(fields);
  if (wall === undefined || Number.isNaN(wall)) return undefined;
  const offset = state.offset ?? (state.isUtc ? clock.offsetMinutes(wall * 1000) : Math.round((wall - localToUtc(wall, clock)) / 60));
  return { seconds: state.isUtc ? wall : wall - offset * 60, offset: formatOffset(offset) };
}

/** An exact date, as GIT_AUTHOR_DATE takes it; InvalidError for anything else. */
export function parseDate(text: string, clock: Clock): ZonedTime {
  const exact = findExactDate(text, clock);
  if (exact === undefined) throw new InvalidError(`invalid date format: '${text}'`, { code: 'bad-date' });
  return exact;
}

/** What a phrase is being read into. `number` is one that was read and not used yet. */
interface PhraseState { fields: Fields; readonly today: Fields; readonly clock: Clock; readonly now: number; number: number; understood: boolean }

/** Fills the fields not said yet from today, then goes back by `seconds`; returns the moment. */
function settle(state: PhraseState, seconds: number): number {
  const { fields, today, clock } = state;
  if (fields.day < 0) fields.day = today.day;
  if (fields.month < 0) fields.month = today.month;
  if (fields.year < 0) fields.year = fields.month > today.month ? today.year - 1 : today.year;
  const moment = localToUtc(secondsOf(fields), clock) - seconds;
  // A number of years that leaves the calendar is the beginning of it.
  const bounded = Number.isFinite(moment) && Math.abs(moment) < 8e12 ? moment : 0;
  state.fields = localFields(bounded, clock);
  return bounded;
}

function usePendingNumber(state: PhraseState): void {
  const { number, fields } = state;
  state.number = 0;
  if (number === 0) return;
  if (fields.day < 0 && number < 32) fields.day = number;
  else if (fields.month < 0 && number < 13) fields.month = number - 1;
  else if (fields.year < 0) {
    if (number > 1969 && number < 2100) fields.year = number;
    else if (number > 69 && number < 100) fields.year = 1900 + number;
    else if (number < 38) fields.year = 2000 + number;
  }
}

function timeOfDay(state: PhraseState, hour: number): void {
  usePendingNumber(state);
  if (state.fields.hour < hour) settle(state, 86400);
  Object.assign(state.fields, { hour, minute: 0, second: 0 });
}

function halfDay(state: PhraseState, afternoon: boolean): void {
  const { fields, number } = state;
  state.number = 0;
  if (number !== 0) Object.assign(fields, { hour: number, minute: 0, second: 0 });
  fields.hour = (fields.hour % 12) + (afternoon ? 12 : 0);
}

const phraseWords: Readonly<Record<string, (state: PhraseState) => void>> = {
  midnight: (state) => timeOfDay(state, 0),
  noon: (state) => timeOfDay(state, 12),
  tea: (state) => timeOfDay(state, 17),
  PM: (state) => halfDay(state, true),
  AM: (state) => halfDay(state, false),
  now: (state) => { state.number = 0; settle(state, 0); },
  yesterday: (state) => { state.number = 0; settle(state, 86400); },
  never: (state) => { state.number = 0; state.fields = localFields(0, state.clock); },
};

function phraseWord(text: string, at: number, state: PhraseState): boolean {
  for (const [month, name] of monthNames.entries()) {
    if (matchWord(text, at, name) >= 3) { state.fields.month = month; return true; }
  }
  for (const [word, act] of Object.entries(phraseWords)) {
    if (matchWord(text, at, word) === word.length) { act(state); return true; }
  }
  if (state.number === 0) {
    const named = numberNames.findIndex((name, value) => value > 0 && matchWord(text, at, name) === name.length);
    if (named > 0) state.number = named;
    else if (matchWord(text, at, 'last') === 4) state.number = 1;
    else return false;
    return true;
  }
  for (const [unit, length] of unitSeconds) {
    if (matchWord(text, at, unit) >= unit.length - 1) {
      settle(state, length * state.number);
      state.number = 0;
      return true;
    }
  }
  for (const [weekday, name] of weekdayNames.entries()) {
    if (matchWord(text, at, name) < 3) continue;
    let weeks = state.number - 1;
    const days = state.fields.weekday - weekday;
    if (days <= 0) weeks += 1;
    state.number = 0;
    settle(state, (days + 7 * weeks) * 86400);
    return true;
  }
  if (matchWord(text, at, 'months') >= 5) {
    settle(state, 0);
    const months = state.fields.year * 12 + state.fields.month - state.number;
    state.fields.year = Math.floor(months / 12);
    state.fields.month = months - state.fields.year * 12;
    state.number = 0;
    return true;
  }
  if (matchWord(text, at, 'years') >= 4) {
    settle(state, 0);
    state.fields.year -= state.number;
    state.number = 0;
    return true;
  }
  return false;
}

/** Any text as a moment, the way git guesses ("yesterday", "3 days ago", exact dates); `understood` is false when nothing in it was. */
export function approximateDate(text: string, clock: Clock): { readonly seconds: number; readonly understood: boolean } {
  const exact = findExactDate(text, clock);
  if (exact !== undefined) return { seconds: exact.seconds, understood: true };
  const now = Math.floor(clock.nowMs() / 1000);
  const today = localFields(now, clock);
  const state: PhraseState = { fields: { ...today, year: -1, month: -1, day: -1 }, today, clock, now, number: 0, understood: false };
  let at = 0;
  while (at < text.length) {
    if (isDigit(text[at])) {
      usePendingNumber(state);
      at = phraseNumber(text, at, state);
      state.understood = true;
    } else if (isAlpha(text[at])) {
      if (phraseWord(text, at, state)) state.understood = true;
      while (isAlpha(text[at])) at += 1;
    } else at += 1;
  }
  usePendingNumber(state);
  return { seconds: Math.max(settle(state, 0), 0), understood: state.understood };
}

function phraseNumber(text: string, at: number, state: PhraseState): number {
  const digits = digitsAt(text, at);
  const next = text[at + digits.length];
  if (next !== undefined && ':./-'.includes(next) && isDigit(text[at + digits.length + 1])) {
    const end = matchNumbers(text, at, state.now, state.fields);
    if (end > at) return end;
  }
  if (digits[0] !== '0' || digits.length <= 2) state.number = Number(digits);
  return at + digits.length;
}

/** A moment before which things expire: 'never' is 0, 'now' and 'all' are after everything; InvalidError when not understood. */
export function parseExpiry(text: string, clock: Clock): number {
  if (text === 'never' || text === 'false') return 0;
  if (text === 'all' || text === 'now') return Number.MAX_SAFE_INTEGER;
  const { seconds, understood } = approximateDate(text, clock);
  if (!understood) throw new InvalidError(`'${text}' is not a date`, { code: 'bad-date' });
  return seconds;
}

/** A --date argument; InvalidError when there is no such mode. `auto:<mode>` is <mode> where a person looks on, as `isTerminal` tells. */
export function parseDateMode(text: string, isTerminal = false): DateMode {
  if (text.startsWith('auto:')) return parseDateMode(isTerminal ? text.slice('auto:'.length) : 'default');
  for (const [prefix, local] of [['format:', false], ['format-local:', true]] as const) {
    if (text.startsWith(prefix)) return { kind: 'format', local, pattern: text.slice(prefix.length) };
  }
  if (text === 'local') return { kind: 'default', local: true };
  const local = text.endsWith('-local');
  const kind = dateKinds[local ? text.slice(0, -6) : text];
  if (kind === undefined) {
    throw new InvalidError(`unknown date format '${text}'`, { code: 'bad-date-mode' });
  }
  return { kind, local };
}

const dateKinds: Readonly<Record<string, DateMode['kind']>> = {
  default: 'default', normal: 'default', iso: 'iso', iso8601: 'iso', 'iso-strict': 'iso-strict', 'iso8601-strict': 'iso-strict',
  rfc: 'rfc', rfc2822: 'rfc', short: 'short', raw: 'raw', unix: 'unix', relative: 'relative', human: 'human',
};

/** The date as git prints it in `mode` (a DateMode, or the text of one); 'relative' and 'human' compare with the clock. */
export function formatDate(seconds: number, offset: string, mode: DateMode | string, clock: Clock): string {
  const { kind, local, pattern } = typeof mode === 'string' ? parseDateMode(mode) : mode;
  if (kind === 'unix') return String(seconds);
  if (kind === 'relative') return formatRelative(seconds, clock);
  const minutes = local ? clock.offsetMinutes(seconds * 1000) : parseOffset(offset);
  const zone = formatOffset(minutes);
  if (kind === 'raw') return `${seconds} ${zone}`;
  const known = Math.abs(seconds) < 8e12;
  const fields = known ? fieldsOf(seconds + minutes * 60) : fieldsOf(0);
  const shownZone = known ? zone : '+0000';
  const day = `${pad(fields.year, 4)}-${pad(fields.month + 1)}-${pad(fields.day)}`;
  const time = `${pad(fields.hour)}:${pad(fields.minute)}:${pad(fields.second)}`;
  const weekday = weekdayNames[fields.weekday]!.slice(0, 3);
  const month = monthNames[fields.month]!.slice(0, 3);
  switch (kind) {
    case 'short': return day;
    case 'iso': return `${day} ${time} ${shownZone}`;
    case 'iso-strict': return `${day}T${time}${shownZone.slice(0, 3)}:${shownZone.slice(3)}`;
    case 'rfc': return `${weekday}, ${fields.day} ${month} ${fields.year} ${time} ${shownZone}`;
    case 'format': return formatPattern(pattern ?? '', fields, seconds, shownZone, local);
    case 'human': return formatHuman(seconds, fields, minutes, clock);
    default: return `${weekday} ${month} ${fields.day} ${time} ${fields.year}${local ? '' : ` ${shownZone}`}`;
  }
}

function ago(count: number, unit: string): string {
  return `${count} ${unit}${count === 1 ? '' : 's'} ago`;
}

function formatRelative(seconds: number, clock: Clock): string {
  let distance = Math.floor(clock.nowMs() / 1000) - seconds;
  if (distance < 0) return 'in the future';
  if (distance < 90) return ago(distance, 'second');
  distance = Math.floor((distance + 30) / 60);
  if (distance < 90) return ago(distance, 'minute');
  distance = Math.floor((distance + 30) / 60);
  if (distance < 36) return ago(distance, 'hour');
  const days = Math.floor((distance + 12) / 24);
  if (days < 14) return ago(days, 'day');
  if (days < 70) return ago(Math.floor((days + 3) / 7), 'week');
  if (days < 365) return ago(Math.floor((days + 15) / 30), 'month');
  if (days >= 1825) return ago(Math.floor((days + 183) / 365), 'year');
  const total = Math.floor((days * 24 + 365) / 730);
  const years = Math.floor(total / 12);
  if (total % 12 === 0) return ago(years, 'year');
  return `${years} year${years === 1 ? '' : 's'}, ${ago(total % 12, 'month')}`;
}

/** Drops what goes without saying: the year of this year, the date of the last days, the zone of here. */
function formatHuman(seconds: number, fields: Fields, offsetMinutes: number, clock: Clock): string {
  const now = Math.floor(clock.nowMs() / 1000);
  const today = localFields(now, clock);
  const sameYear = fields.year === today.year;
  const sameMonth = sameYear && fields.month === today.month;
  if (sameMonth && fields.day === today.day) return formatRelative(seconds, clock);
  const weekdayOnly = sameMonth && fields.day < today.day && fields.day + 5 > today.day;
  const parts: string[] = [];
  if (sameYear) parts.push(weekdayNames[fields.weekday]!.slice(0, 3));
  if (!weekdayOnly) parts.push(`${monthNames[fields.month]!.slice(0, 3)} ${fields.day}`);
  if (sameYear) parts.push(`${pad(fields.hour)}:${pad(fields.minute)}`);
  else parts.push(String(fields.year));
  if (weekdayOnly && offsetMinutes !== clock.offsetMinutes(now * 1000)) parts.push(formatOffset(offsetMinutes));
  return parts.join(' ');
}

function dayOfYear(fields: Fields): number {
  return Math.round((Date.UTC(fields.year, fields.month, fields.day) - Date.UTC(fields.year, 0, 1)) / 86400000);
}

/** Year and week by ISO 8601: weeks begin on Monday, week 1 holds the first Thursday. */
function isoWeek(fields: Fields): { year: number; week: number } {
  const weekday = (fields.weekday + 6) % 7;
  const thursday = new Date(Date.UTC(fields.year, fields.month, fields.day - weekday + 3));
  const year = thursday.getUTCFullYear();
  return { year, week: 1 + Math.floor((thursday.getTime() - Date.UTC(year, 0, 1)) / 604800000) };
}

/** strftime in the C locale; %z and %Z are the shown zone (%Z is empty unless local, as git has it). */
function formatPattern(pattern: string, fields: Fields, seconds: number, zone: string, local: boolean): string {
  const hour12 = fields.hour % 12 === 0 ? 12 : fields.hour % 12;
  const space = (value: number): string => String(value).padStart(2, ' ');
  const expand = (text: string): string => text.replace(/%[EO_0^#-]?([a-zA-Z%+])/g, (whole, letter: string) => {
    switch (letter) {
      case 'a': return weekdayNames[fields.weekday]!.slice(0, 3);
      case 'A': return weekdayNames[fields.weekday]!;
      case 'b': case 'h': return monthNames[fields.month]!.slice(0, 3);
      case 'B': return monthNames[fields.month]!;
      case 'c': return expand('%a %b %e %H:%M:%S %Y');
      case 'C': return pad(Math.floor(fields.year / 100));
      case 'd': return whole[1] === '-' ? String(fields.day) : pad(fields.day);
      case 'D': case 'x': return expand('%m/%d/%y');
      case 'e': return space(fields.day);
      case 'F': return expand('%Y-%m-%d');
      case 'g': return pad(isoWeek(fields).year % 100);
      case 'G': return String(isoWeek(fields).year);
      case 'H': return pad(fields.hour);
      case 'I': return pad(hour12);
      case 'j': return pad(dayOfYear(fields) + 1, 3);
      case 'k': return space(fields.hour);
      case 'l': return space(hour12);
      case 'm': return whole[1] === '-' ? String(fields.month + 1) : pad(fields.month + 1);
      case 'M': return pad(fields.minute);
      case 'n': return '\n';
      case 'p': return fields.hour < 12 ? 'AM' : 'PM';
      case 'P': return fields.hour < 12 ? 'am' : 'pm';
      case 'r': return expand('%I:%M:%S %p');
      case 'R': return expand('%H:%M');
      case 's': return String(seconds);
      case 'S': return pad(fields.second);
      case 't': return '\t';
      case 'T': case 'X': return expand('%H:%M:%S');
      case 'u': return String(fields.weekday === 0 ? 7 : fields.weekday);
      case 'U': return pad(Math.floor((dayOfYear(fields) + 7 - fields.weekday) / 7));
      case 'V': return pad(isoWeek(fields).week);
      case 'w': return String(fields.weekday);
      case 'W': return pad(Math.floor((dayOfYear(fields) + 7 - (fields.weekday + 6) % 7) / 7));
      case 'y': return pad(fields.year % 100);
      case 'Y': return String(fields.year);
      case 'z': return zone;
      case 'Z': return local ? (zone === '+0000' ? 'UTC' : zone) : '';
      case '%': return '%';
      default: return whole;
    }
  });
  return expand(pattern);
}
