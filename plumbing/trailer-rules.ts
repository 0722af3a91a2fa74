// Trailers added to a message by rules: where, and what happens when one of the same key is there already (git-interpret-trailers(1) and the
// configuration it names). Texts are latin1: one character per byte. What a rule's command prints is asked of the caller.
import { InvalidError } from '../pack/errors.js';
import type { Config } from './config.js';

export const placements = ['end', 'after', 'before', 'start'] as const;
export const existsActions = ['addIfDifferentNeighbor', 'addIfDifferent', 'add', 'replace', 'doNothing'] as const;
export const missingActions = ['add', 'doNothing'] as const;

export type Placement = (typeof placements)[number];
export type ExistsAction = (typeof existsActions)[number];
export type MissingAction = (typeof missingActions)[number];

/** How trailers of one key are added. */
export interface TrailerRule {
  /** The name in the configuration; '' for the rule of everything else. */
  readonly name: string;
  readonly key?: string;
  readonly command?: string;
  /** Run with the value as its argument, instead of `command`, in which '$ARG' is replaced. */
  readonly cmd?: string;
  readonly where: Placement;
  readonly ifExists: ExistsAction;
  readonly ifMissing: MissingAction;
}

/** One --trailer, with what was said about placing it before it. */
export interface NewTrailer {
  readonly text: string;
  readonly where?: Placement | undefined;
  readonly ifExists?: ExistsAction | undefined;
  readonly ifMissing?: MissingAction | undefined;
}

export interface TrailerOptions {
  readonly trimEmpty?: boolean;
  readonly onlyTrailers?: boolean;
  readonly onlyInput?: boolean;
  readonly unfold?: boolean;
  /** A line '---' does not end the message. */
  readonly noDivider?: boolean;
}

/** Runs a rule's command line with a value; gives what it prints. */
export type RunTrailerCommand = (command: string, words: readonly string[]) => string;

/** One of `known` whatever its case; undefined for another word. */
export function findChoice<Choice extends string>(known: readonly Choice[], word: string): Choice | undefined {
  return known.find((choice) => choice.toLowerCase() === word.toLowerCase());
}

/** trailer.* of the configuration. */
export class TrailerRules {
  readonly separators: string;
  readonly comment: string;
  readonly #standard: TrailerRule;
  readonly #rules = new Map<string, TrailerRule>();

  /** `warn` is told of values that make no sense, which are passed over. */
  constructor(config: Config, comment: string, warn: (message: string) => void) {
    this.comment = comment;
    let separators = ':';
    let standard: TrailerRule = { name: '', where: 'end', ifExists: 'addIfDifferentNeighbor', ifMissing: 'add' };
    const entries = config.list().filter(({ name }) => name.startsWith('trailer.'));
    const value = (name: string, raw: string | undefined): string => {
      if (raw === undefined) throw new InvalidError(`missing value for '${name}'`, { code: 'bad-config-value' });
      return raw;
    };
    for (const { name, raw } of entries) {
      if (name.indexOf('.') !== name.lastIndexOf('.')) continue;
      const variable = name.slice('trailer.'.length);
      if (variable === 'separators') separators = value(name, raw);
      else standard = changeRule(standard, variable, value(name, raw), name, warn);
    }
    for (const { name, raw } of entries) {
      const last = name.lastIndexOf('.');
      if (last <= 'trailer.'.length) continue;
      const token = Buffer.from(name.slice('trailer.'.length, last)).toString('latin1');
      const variable = name.slice(last + 1);
      if (!['key', 'command', 'cmd', 'where', 'ifexists', 'ifmissing'].includes(variable)) continue;
      const known = this.#rules.get(token.toLowerCase()) ?? { ...standard, name: token };
      this.#rules.set(token.toLowerCase(), changeRule(known, variable, value(name, raw), name, warn));
    }
    this.separators = separators;
    this.#standard = standard;
  }

  list(): Iterable<TrailerRule> {
    return this.#rules.values();
  }

  /** The rule for a key, of which the beginning is enough, and how the key is written. */
  find(token: string): { readonly rule: TrailerRule; readonly token: string } {
    const length = bareLength(token);
    const rule = [...this.#rules.values()].find((each) => isSame(token, each.name, length) || (each.key !== undefined && isSame(token, each.key, length)));
    return rule === undefined ? { rule: this.#standard, token } : { rule, token: rule.key ?? token };
  }

  /** True for the beginning of a line that a rule is about. */
  knows(line: string, length: number): boolean {
    return [...this.#rules.values()].some((each) => isSame(line, each.name, length) || (each.key !== undefined && isSame(line, each.key, length)));
  }
}

function changeRule(rule: TrailerRule, variable: string, value: string, name: string, warn: (message: string) => void): TrailerRule {
  const chosen = <Choice extends string>(known: readonly Choice[], former: Choice): Choice => {
    const found = findChoice(known, value);
    if (found === undefined) warn(`unknown value '${value}' for key '${name}'`);
    return found ?? former;
  };
  switch (variable) {
    case 'where': return { ...rule, where: chosen(placements, rule.where) };
    case 'ifexists': return { ...rule, ifExists: chosen(existsActions, rule.ifExists) };
    case 'ifmissing': return { ...rule, ifMissing: chosen(missingActions, rule.ifMissing) };
    case 'key': return { ...rule, key: value };
    case 'command': return { ...rule, command: value };
    case 'cmd': return { ...rule, cmd: value };
    default: return rule;
  }
}

/** Without the separator and blanks a key may end in. */
function bareLength(token: string): number {
  return token.length - /[^A-Za-z0-9]*$/.exec(token)![0].length;
}

function isSame(one: string, two: string, length: number): boolean {
  return one.slice(0, length).toLowerCase() === two.slice(0, length).toLowerCase();
}

interface Item {
  /** Undefined for a line of the trailers that is none. */
  readonly token: string | undefined;
  readonly value: string;
}

interface Added extends Item {
  readonly token: string;
  readonly rule: TrailerRule;
}

/** The message with its trailers, as the rules and options have it. */
export function applyTrailers(message: string, added: readonly NewTrailer[], rules: TrailerRules, options: TrailerOptions, run: RunTrailerCommand): string {
  const { start, end, hasBlankBefore } = findTrailers(message, rules, options);
  let text = options.onlyTrailers ? '' : message.slice(0, start);
  if (!options.onlyTrailers && !hasBlankBefore) text += '\n';
  const items = readItems(message.slice(start, end), rules, options);
  if (!options.onlyInput) {
    for (const item of listAdded(added, rules)) placeItem(items, item, run);
  }
  for (const { token, value } of items) {
    if (options.trimEmpty && value === '') continue;
    if (token !== undefined) text += formatItem(token, value, rules.separators);
    else if (!options.onlyTrailers) text += `${value}\n`;
  }
  return options.onlyTrailers ? text : text + message.slice(end);
}

function formatItem(token: string, value: string, separators: string): string {
  const last = token.trimEnd().at(-1);
  if (last === undefined) return '';
  return separators.includes(last) ? `${token}${value}\n` : `${token}${separators[0]} ${value}\n`;
}

function readItems(block: string, rules: TrailerRules, { unfold, onlyTrailers }: TrailerOptions): Item[] {
  const lines: string[] = [];
  for (const line of block.match(/[^\n]*\n|[^\n]+$/g) ?? []) {
    // What is indented goes on with the line before it.
    if (/^[ \t\r\n]/.test(line) && lines.length > 0) lines.push(lines.pop()! + line);
    else lines.push(line);
  }
  return lines.flatMap((line): Item[] => {
    if (line.startsWith(rules.comment)) return [];
    const at = findSeparator(line, rules.separators);
    if (at < 1) return onlyTrailers ? [] : [{ token: undefined, value: line.replace(/\n$/, '') }];
    const { token } = rules.find(trim(line.slice(0, at)));
    const value = trim(line.slice(at + 1));
    return [{ token, value: unfold ? trim(value.replace(/\n[ \t\r\n]*/g, ' ')) : value }];
  });
}

function trim(text: string): string {
  return text.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, '');
}

/** Where the separator behind a key is; -1 when the line begins with none. */
function findSeparator(line: string, separators: string): number {
  let seenBlank = false;
  for (let at = 0; at < line.length; at += 1) {
    const character = line[at]!;
    if (separators.includes(character)) return at;
    if (!seenBlank && /[A-Za-z0-9-]/.test(character)) continue;
    if (at === 0 || (character !== ' ' && character !== '\t')) return -1;
    seenBlank = true;
  }
  return -1;
}

/** What is to be added: what commands make by themselves (`cmd` makes nothing by itself in git 2.39), then what was given. */
function listAdded(added: readonly NewTrailer[], rules: TrailerRules): Added[] {
  const list: Added[] = [];
  for (const rule of rules.list()) if (rule.command !== undefined) list.push({ token: rule.key ?? rule.name, value: '', rule });
  for (const { text, where, ifExists, ifMissing } of added) {
    const at = findSeparator(text, `=${rules.separators}`);
    const { token, rule } = rules.find(trim(at < 0 ? text : text.slice(0, at)));
    list.push({
      token, value: at < 0 ? '' : trim(text.slice(at + 1)),
      rule: { ...rule, where: where ?? rule.where, ifExists: ifExists ?? rule.ifExists, ifMissing: ifMissing ?? rule.ifMissing },
    });
  }
  return list;
}

/** True for a --trailer without a key, which cannot be added. */
export function lacksKey(text: string, rules: TrailerRules): boolean {
  return findSeparator(text, `=${rules.separators}`) === 0;
}

function placeItem(items: Item[], item: Added, run: RunTrailerCommand): void {
  const { where } = item.rule;
  const isBehind = where === 'after' || where === 'end';
  const places = items.map((_each, at) => at);
  const found = (isBehind ? places.reverse() : places).find((at) => hasSameKey(items[at]!, item));
  if (found === undefined) {
    if (item.rule.ifMissing === 'doNothing') return;
    const made = makeItem(item, undefined, run);
    if (isBehind) items.push(made);
    else items.unshift(made);
    return;
  }
  const beside = where === 'after' || where === 'before' ? found : isBehind ? items.length - 1 : 0;
  const { ifExists } = item.rule;
  if (ifExists === 'doNothing') return;
  const made = makeItem(item, items[found], run);
  if (ifExists === 'addIfDifferent' && !isDifferent(items, found, made, isBehind, true)) return;
  if (ifExists === 'addIfDifferentNeighbor' && !isDifferent(items, beside, made, isBehind, false)) return;
  const replaced = ifExists === 'replace' ? items[found] : undefined;
  items.splice(isBehind ? beside + 1 : beside, 0, made);
  if (replaced !== undefined) items.splice(items.indexOf(replaced), 1);
}

function hasSameKey(one: Item, two: Item): boolean {
  if (one.token === undefined || two.token === undefined) return false;
  return isSame(one.token, two.token, Math.min(bareLength(one.token), bareLength(two.token)));
}

/** Compares with the item at `at`, or with it and all those that a new one behind (or before) it comes after (or before). */
function isDifferent(items: readonly Item[], at: number, made: Item, isBehind: boolean, all: boolean): boolean {
  for (let place = at; place >= 0 && place < items.length; place += isBehind ? -1 : 1) {
    const item = items[place]!;
    if (hasSameKey(item, made) && item.value.toLowerCase() === made.value.toLowerCase()) return false;
    if (!all) break;
  }
  return true;
}

function makeItem({ token, value, rule }: Added, present: Item | undefined, run: RunTrailerCommand): Item {
  if (rule.command === undefined && rule.cmd === undefined) return { token, value };
  const argument = value === '' ? present?.value ?? '' : value;
  const output = rule.cmd !== undefined ? run(rule.cmd, [argument]) : run(rule.command!.replace('$ARG', () => argument), []);
  return { token, value: trim(output) };
}

interface Found {
  readonly start: number;
  readonly end: number;
  readonly hasBlankBefore: boolean;
}

function findTrailers(message: string, rules: TrailerRules, { noDivider }: TrailerOptions): Found {
  const divider = noDivider ? null : /^---(?:[ \t\r\n]|$(?![^]))/m.exec(message);
  const patch = divider?.index ?? message.length;
  const end = patch - ignoredLength(message.slice(0, patch), rules.comment);
  const start = findStart(message.slice(0, end), rules);
  const before = message.slice(0, start).split('\n');
  // What comes before ends in a line end, so that the last piece is empty.
  const hasBlankBefore = start > 0 && /^[ \t\r]*$/.test(before.at(-1) === '' ? before.at(-2) ?? '' : before.at(-1)!);
  return { start, end, hasBlankBefore };
}

/** How much of the end are comments, blank lines and the list of conflicts git left. */
function ignoredLength(text: string, comment: string): number {
  const scissors = `${comment} ------------------------ >8 ------------------------\n`;
  const cut = text.startsWith(scissors) ? 0 : text.indexOf(`\n${scissors}`) + 1;
  const cutoff = text.startsWith(scissors) || cut > 0 ? cut : text.length;
  let begin: number | undefined;
  let isInConflicts = false;
  for (let at = 0; at < cutoff;) {
    const newline = text.indexOf('\n', at);
    if (text[at] === comment || text[at] === '\n') begin ??= at;
    else if (text.startsWith('Conflicts:\n', at)) {
      isInConflicts = true;
      begin ??= at;
    } else if (!(isInConflicts && text[at] === '\t')) {
      begin = undefined;
      isInConflicts = false;
    }
    at = newline < 0 ? text.length : newline + 1;
  }
  return text.length - (begin ?? cutoff);
}

/** Where the last paragraph begins, when it is one of trailers; else the end. The first paragraph never is. */
function findStart(text: string, rules: TrailerRules): number {
  const lines: { readonly at: number; readonly line: string }[] = [];
  for (let at = 0; at < text.length;) {
    const newline = text.indexOf('\n', at);
    const next = newline < 0 ? text.length : newline + 1;
    lines.push({ at, line: text.slice(at, newline < 0 ? text.length : newline) });
    at = next;
  }
  const isBlank = (line: string): boolean => /^[ \t\r]*$/.test(line);
  const firstBlank = lines.findIndex(({ line }) => !line.startsWith(rules.comment) && isBlank(line));
  const titleEnd = firstBlank < 0 ? lines.length : firstBlank;
  let [trailers, others, continuations, isKnown, onlySpaces] = [0, 0, 0, false, true];
  for (let row = lines.length - 1; row >= titleEnd; row -= 1) {
    const { line } = lines[row]!;
    if (line.startsWith(rules.comment)) {
      others += continuations;
      continuations = 0;
      continue;
    }
    if (isBlank(line)) {
      if (onlySpaces) continue;
      others += continuations;
      const counts = isKnown ? trailers * 3 >= others : trailers > 0 && others === 0;
      return counts ? lines[row + 1]?.at ?? text.length : text.length;
    }
    onlySpaces = false;
    if (line.startsWith('Signed-off-by: ') || line.startsWith('(cherry picked from commit ')) {
      trailers += 1;
      continuations = 0;
      isKnown = true;
      continue;
    }
    const separator = findSeparator(line, rules.separators);
    if (separator >= 1 && !/^[ \t\r]/.test(line)) {
      trailers += 1;
      continuations = 0;
      isKnown ||= rules.knows(line, separator);
    } else if (/^[ \t\r]/.test(line)) {
      continuations += 1;
    } else {
      others += 1 + continuations;
      continuations = 0;
    }
  }
  return text.length;
}
