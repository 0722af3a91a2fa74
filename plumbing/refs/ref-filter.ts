// Choosing and ordering refs for a listing: patterns, --points-at, --merged, --contains, --sort. Specified by git-for-each-ref(1).
import { InvalidError } from '../../pack/errors.js';
import type { ObjectId } from '../../pack/oid.js';
import { Containment, ancestorsOf } from '../history/commit-reach.js';
import { History } from '../history/history.js';
import { type Atom, RefContext, RefSubject, parseAtom } from './ref-format.js';
import { encodeRefName } from './ref-name.js';
import type { Repository } from '../repository.js';
import { compareVersions } from '../version-order.js';
import { compileWildmatch } from '../wildmatch.js';

export interface RefFilter {
  /** Literal (whole, or up to a '/') or globs on the full name; none means all. */
  readonly patterns?: readonly string[];
  /** Where to look; default 'refs/'. */
  readonly prefixes?: readonly string[];
  readonly ignoreCase?: boolean;
  /** A further test, asked before those that need objects. */
  readonly accepts?: (subject: RefSubject) => boolean;
  /** One more to be tested, beside the refs found. */
  readonly first?: RefSubject;
  /** Objects, one of which the ref must point at, itself or through a tag. */
  readonly pointsAt?: readonly ObjectId[];
  /** Commits: refs that lead to any of them, to none of them, that any leads to, that none leads to. */
  readonly contains?: readonly ObjectId[];
  readonly noContains?: readonly ObjectId[];
  readonly merged?: readonly ObjectId[];
  readonly noMerged?: readonly ObjectId[];
}

/** The refs that pass, in byte order of their names. Damaged ones are passed over with a warning. */
export function filterRefs(repository: Repository, filter: RefFilter): RefSubject[] {
  const context = new RefContext(repository);
  const matches = compilePatterns(filter);
  const subjects: RefSubject[] = filter.first === undefined ? [] : [filter.first];
  for (const prefix of filter.prefixes ?? literalPrefixes(filter)) {
    for (const ref of repository.refs.list(prefix, (name) => repository.context.stderr.write(`warning: ignoring broken ref ${name}\n`))) {
      if (matches(encodeRefName(ref.name))) subjects.push(new RefSubject(context, ref));
    }
  }
  return subjects.filter(filter.accepts ?? (() => true)).filter(pointsAt(filter)).filter(reaches(repository, filter));
}

/** Where matching refs can be: the part of each pattern before its first special character. */
function literalPrefixes({ patterns = [], ignoreCase }: RefFilter): string[] {
  if (patterns.length === 0 || ignoreCase) return ['refs/'];
  const prefixes = patterns.map((pattern) => {
    const literal = /^[^*?[\\]*/.exec(pattern)![0];
    return literal === pattern ? pattern.replace(/\/+$/, '') : literal;
  }).filter((prefix) => prefix.startsWith('refs/') || 'refs/'.startsWith(prefix)).sort();
  return prefixes.filter((prefix, index) => !prefixes.some((other, at) => prefix.startsWith(other) && (at < index || other.length < prefix.length)));
}

function compilePatterns({ patterns = [], ignoreCase = false }: RefFilter): (name: string) => boolean {
  if (patterns.length === 0) return () => true;
  const fold = (text: string): string => (ignoreCase ? text.toLowerCase() : text);
  const tests = patterns.map((typed) => {
    const pattern = Buffer.from(typed).toString('latin1');
    const literal = fold(pattern);
    // The case of a directory always counts.
    const directory = pattern.endsWith('/') ? pattern : `${pattern}/`;
    const glob = /[*?[\\]/.test(pattern) ? compileWildmatch(pattern, { pathname: true, caseFold: ignoreCase }) : undefined;
    return (name: string): boolean => fold(name) === literal || name.startsWith(directory) || glob?.(name) === true;
  });
  return (name) => tests.some((test) => test(name));
}

function pointsAt({ pointsAt: wanted }: RefFilter): (subject: RefSubject) => boolean {
  if (wanted === undefined || wanted.length === 0) return () => true;
  return (subject) => wanted.includes(subject.ref.id) || (subject.inner !== undefined && wanted.includes(subject.inner.id));
}

/** The tests that need history; a ref that leads to no commit fails any of them. */
function reaches(repository: Repository, filter: RefFilter): (subject: RefSubject) => boolean {
  const asked = (ids: readonly ObjectId[] | undefined): ids is readonly ObjectId[] => ids !== undefined && ids.length > 0;
  const { contains, noContains, merged, noMerged } = filter;
  if (![contains, noContains, merged, noMerged].some(asked)) return () => true;
  const history = new History(repository);
  const inside = asked(contains) ? new Containment(history, contains) : undefined;
  const outside = asked(noContains) ? new Containment(history, noContains) : undefined;
  const reached = asked(merged) ? ancestorsOf(history, merged) : undefined;
  const unreached = asked(noMerged) ? ancestorsOf(history, noMerged) : undefined;
  return (subject) => {
    const id = subject.commitId;
    return id !== undefined && inside?.contains(id) !== false && outside?.contains(id) !== true
      && reached?.has(id) !== false && unreached?.has(id) !== true;
  };
}

/** One --sort key. */
interface SortKey {
  readonly atom: Atom;
  readonly descending: boolean;
  readonly version: boolean;
}

/** Reads --sort values in the order typed: the last is the most important. */
export function parseSortKeys(keys: readonly string[], repository: Repository): SortKey[] {
  return keys.map((typed) => {
    const descending = typed.startsWith('-');
    const field = descending ? typed.slice(1) : typed;
    const version = /^(?:version|v):/.exec(field);
    const name = version === null ? field : field.slice(version[0].length);
    if (name.startsWith('raw') && name !== 'raw' && name !== 'raw:size') throw new InvalidError(`unknown field name: ${name}`, { code: 'bad-format' });
    return { atom: parseAtom(Buffer.from(name).toString('latin1'), repository), descending, version: version !== null };
  }).reverse();
}

/** Sorts in place by the keys, then by name. */
export function sortRefs(subjects: RefSubject[], keys: readonly SortKey[], ignoreCase: boolean, repository: Repository): void {
  if (keys.length === 0 && !ignoreCase) return;
  const suffixes = keys.some(({ version }) => version) ? versionSuffixes(repository) : [];
  const fold = (text: string): string => (ignoreCase ? text.replace(/[A-Z]/g, (letter) => letter.toLowerCase()) : text);
  const compareText = (a: string, b: string): number => {
    const [one, other] = [fold(a), fold(b)];
    return one < other ? -1 : one > other ? 1 : 0;
  };
  subjects.sort((a, b) => {
    for (const { atom, descending, version } of keys) {
      const one = a.evaluateOnce(atom);
      const other = b.evaluateOnce(atom);
      const order = version ? compareVersions(one.text, other.text, suffixes)
        : atom.isNumeric ? (one.number ?? 0) - (other.number ?? 0) : compareText(one.text, other.text);
      if (order !== 0) return descending ? -order : order;
    }
    return compareText(encodeRefName(a.ref.name), encodeRefName(b.ref.name));
  });
}

function versionSuffixes({ config }: Repository): string[] {
  const suffixes = config.getAll('versionsort.suffix');
  return suffixes.length > 0 ? suffixes : config.getAll('versionsort.prereleasesuffix');
}
