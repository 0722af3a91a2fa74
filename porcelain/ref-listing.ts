// What `branch` and `tag` have in common when they list: which refs are chosen, in which order, and how the lines come out. Patterns are
// compared with the short name, and a '*' in one goes past slashes (git-branch(1), git-tag(1)). Nothing is written.
import { type ColumnMode, formatColumns, parseColumnMode, readColumnMode, terminalColumns, usesColumns } from '../plumbing/columns.js';
import type { Arguments, Context, OptionSpec } from '../plumbing/command.js';
import { filterRefs, parseSortKeys, sortRefs } from '../plumbing/refs/ref-filter.js';
import type { RefSubject } from '../plumbing/refs/ref-format.js';
import { encodeRefName } from '../plumbing/refs/ref-name.js';
import type { Repository } from '../plumbing/repository.js';
import { compileWildmatch } from '../plumbing/wildmatch.js';
import { colorWord, namedCommits, namedObject } from './ref-options.js';
import { formatColor, wantsColor } from './terminal.js';

/** Options both commands have. */
export const listingOptions: readonly OptionSpec[] = [
  { name: 'contains', value: 'commit', valueOptionalAtEnd: true, help: 'list only those that lead to the commit' },
  { name: 'no-contains', value: 'commit', valueOptionalAtEnd: true, help: 'list only those that do not lead to the commit' },
  { name: 'merged', value: 'commit', valueOptionalAtEnd: true, help: 'list only those the commit leads to' },
  { name: 'no-merged', value: 'commit', valueOptionalAtEnd: true, help: 'list only those the commit does not lead to' },
  { name: 'points-at', value: 'object', help: 'list only those that point at the object' },
  { name: 'sort', value: 'key', negatable: true, help: 'a field to sort by; - before it reverses' },
  { name: 'format', value: 'format', negatable: true, help: 'what is printed for each' },
  { name: 'ignore-case', short: 'i', negatable: true, help: 'sort and match without regard to case' },
  { name: 'color', value: 'when', valueOptional: true, negatable: true, help: 'always, never or auto: whether there is colour' },
  { name: 'column', value: 'options', valueOptional: true, negatable: true, help: 'list in columns' },
];

/** True when an option was given that only a listing has. */
export function asksForListing(args: Arguments): boolean {
  return ['contains', 'no-contains', 'merged', 'no-merged', 'points-at'].some((name) => args.values(name).length > 0 || args.has(name));
}

export interface ListingPlace {
  /** Where the refs are: 'refs/tags/'. */
  readonly prefixes: readonly string[];
  /** The configuration variable that says how they are sorted. */
  readonly sortKey: string;
  /** A further one to choose and sort with the others: HEAD, when it is on no branch. */
  readonly first?: RefSubject | undefined;
}

/** The refs asked for, sorted. */
export function selectRefs(repository: Repository, args: Arguments, place: ListingPlace, patterns: readonly string[]): RefSubject[] {
  const ignoreCase = args.has('ignore-case');
  const tests = patterns.map((pattern) => compileWildmatch(Buffer.from(pattern).toString('latin1'), { caseFold: ignoreCase }));
  const fits = (subject: RefSubject): boolean => {
    if (tests.length === 0) return true;
    const name = encodeRefName(subject.ref.name).replace(/^refs\/(?:heads|tags|remotes)\//, '');
    return tests.some((test) => test(name));
  };
  const sort = args.values('sort');
  const keys = parseSortKeys(args.flag('sort') === undefined ? repository.config.getAll(place.sortKey) : sort, repository);
  const found = filterRefs(repository, {
    prefixes: place.prefixes, ignoreCase, accepts: fits,
    ...(place.first === undefined ? {} : { first: place.first }),
    pointsAt: args.values('points-at').map((text) => namedObject(repository, text)),
    contains: namedCommits(repository, args, 'contains'), noContains: namedCommits(repository, args, 'no-contains'),
    merged: namedCommits(repository, args, 'merged'), noMerged: namedCommits(repository, args, 'no-merged'),
  });
  const { first } = place;
  const rest = found.filter((subject) => subject !== first);
  sortRefs(rest, keys, ignoreCase, repository);
  return first !== undefined && found.includes(first) ? [first, ...rest] : rest;
}

/** How colour words become escape sequences here: not at all, where there is no colour. */
export function listingColor(context: Context, repository: Repository, args: Arguments, slot: string | undefined): (words: string) => string {
  const isColored = wantsColor(context, repository.config, slot, colorWord(args));
  return (words) => (isColored ? formatColor(words) : formatColor(words).slice(0, 0));
}

/** What column.* and --column say together. */
export function listingColumns(repository: Repository, args: Arguments, name: 'branch' | 'tag'): ColumnMode {
  let mode = readColumnMode(repository.config, name);
  for (const token of args.tokens) {
    if (token.kind !== 'option' || token.name !== 'column') continue;
    mode = token.negated ? { ...mode, when: 'never' } : parseColumnMode(token.value ?? 'always', { ...mode, when: 'always' });
  }
  return mode;
}

/** Prints the lines (latin1), in columns where that is asked for. */
export function printListing(context: Context, lines: readonly string[], mode: ColumnMode, padding = 1): void {
  const text = usesColumns(mode, context)
    ? formatColumns(lines, mode, { width: terminalColumns(context), indent: '', lineEnd: '\n', padding })
    : lines.map((line) => `${line}\n`).join('');
  context.stdout.write(Buffer.from(text, 'latin1'));
}
