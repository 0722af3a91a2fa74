// describe: a name for a commit by the nearest tag it has. See git-describe(1).
import { CorruptError, InvalidError, NotFoundError, RefusedError } from '../../pack/errors.js';
import { type ObjectId, hexSize } from '../../pack/oid.js';
import { abbreviateId, fewestDigits } from '../objects/abbreviation.js';
import type { Arguments, Command, Context } from '../command.js';
import { type Description, Describer, findBlobOrigin, formatDescription, mostCandidates } from '../history/describe.js';
import { diffTreeToWorkTree } from '../diff/diff-index.js';
import { readIndex } from '../index/index-file.js';
import { latin1 } from '../latin1.js';
import { parseCount } from '../option-number.js';
import { Repository } from '../repository.js';
import { nameRevisions } from '../history/rev-name.js';
import { findRevision, peel, resolveTree } from '../history/revision.js';

export const command: Command = {
  name: 'describe',
  family: 'git',
  summary: 'name a commit by the nearest tag',
  usage: ['describe [<options>] [<commit-ish>...]', 'describe [<options>] --dirty[=<mark>]', 'describe <blob>'],
  options: [
    { name: 'contains', negatable: true, help: 'find the tag that comes after the commit' },
    { name: 'debug', negatable: true, help: 'tell how the tag was chosen, on standard error' },
    { name: 'all', negatable: true, help: 'use any ref' },
    { name: 'tags', negatable: true, help: 'use any tag, even one without a message' },
    { name: 'long', negatable: true, help: 'print the number of commits and the id in any case' },
    { name: 'first-parent', negatable: true, help: 'follow only the first parent of merges' },
    { name: 'abbrev', value: 'n', valueOptional: true, negatable: true, help: 'digits of the id; 0 for the tag alone' },
    { name: 'exact-match', negatable: true, help: 'only a tag at the commit itself counts' },
    { name: 'candidates', value: 'n', negatable: true, help: 'how many tags are weighed (default: 10)' },
    { name: 'match', value: 'pattern', negatable: true, help: 'use only tags that match' },
    { name: 'exclude', value: 'pattern', negatable: true, help: 'do not use tags that match' },
    { name: 'always', negatable: true, help: 'print the abbreviated id where there is no tag' },
    { name: 'dirty', value: 'mark', valueOptional: true, negatable: true, help: 'append a mark when the work tree has changes (default: -dirty)' },
    { name: 'broken', value: 'mark', valueOptional: true, negatable: true, help: 'append a mark when the work tree cannot be examined (default: -broken)' },
  ],
  run(context: Context, args: Arguments): number {
    const words = args.positionals;
    const repository = Repository.open(context);
    const digits = digitsOf(repository, args);
    if (args.has('long') && digits === 0) throw new InvalidError('--long and --abbrev=0 cannot be used together', { code: 'bad-options' });
    const patterns = args.values('match').map(latin1);
    const excludes = args.values('exclude').map(latin1);
    if (args.has('contains')) return nameContaining(context, repository, args, words);
    const describer = new Describer(repository, {
      all: args.has('all'), tags: args.has('tags'), patterns, excludes, candidates: candidatesOf(args), firstParent: args.has('first-parent'),
    });
    if (describer.isEmpty && !args.has('always')) throw new NotFoundError('no names found, cannot describe anything', { code: 'no-description' });
    if (words.length > 0 && (args.has('dirty') || args.has('broken'))) {
      throw new InvalidError('--dirty and --broken cannot be used with commits', { code: 'bad-options' });
    }
    const printing = { context, repository, args, describer, digits, suffix: suffixOf(repository, args) };
    for (const word of words.length === 0 ? ['HEAD'] : words) context.stdout.write(Buffer.from(`${describe(printing, word)}\n`, 'latin1'));
    return 0;
  },
};

interface Printing {
  readonly context: Context;
  readonly repository: Repository;
  readonly args: Arguments;
  readonly describer: Describer;
  readonly digits: number | undefined;
  readonly suffix: string;
}

/** Undefined: as configured; 0: none. */
function digitsOf(repository: Repository, args: Arguments): number | undefined {
  if (args.flag('abbrev') === false) return 0;
  const typed = args.value('abbrev');
  if (typed === undefined) return undefined;
  const number = parseCount('abbrev', typed);
  if (number === 0) return 0;
  return number < 0 ? undefined : Math.min(Math.max(number, fewestDigits), hexSize(repository.format));
}

/** The last of --exact-match and --candidates counts. */
function candidatesOf(args: Arguments): number {
  let count = 10;
  for (const token of args.tokens) {
    if (token.kind !== 'option') continue;
    if (token.name === 'exact-match') count = 0;
    if (token.name !== 'candidates') continue;
    const typed = token.negated ? '0' : token.value ?? '';
    count = Math.min(Math.max(parseCount('candidates', typed), 0), mostCandidates);
  }
  return count;
}

/** What tells of the state of the work tree. */
function suffixOf(repository: Repository, args: Arguments): string {
  if (!args.has('dirty') && !args.has('broken')) return '';
  try {
    const index = readIndex(repository);
    const changes = diffTreeToWorkTree(repository, resolveTree(repository, 'HEAD'), index);
    return changes.entries.length === 0 ? '' : latin1(args.value('dirty') ?? '-dirty');
  } catch (error) {
    if (!args.has('broken') || !(error instanceof CorruptError || error instanceof NotFoundError || error instanceof RefusedError)) throw error;
    return latin1(args.value('broken') ?? '-broken');
  }
}

function describe(printing: Printing, word: string): string {
  const { context, repository, args } = printing;
  if (args.has('debug')) context.stderr.write(`describe ${word}\n`);
  const id = findRevision(repository, word);
  if (id === undefined) throw new NotFoundError(`not a valid object name ${word}`, { code: 'bad-revision' });
  const commit = peel(repository, id, 'commit');
  if (commit !== undefined) return describeCommit(printing, commit);
  if (repository.objects.findHeader(id)?.type !== 'blob') throw new InvalidError(`${word} is neither a commit nor blob`, { code: 'bad-revision' });
  const origin = findBlobOrigin(repository, id);
  return origin === undefined ? '' : `${describeCommit(printing, origin.commit)}:${origin.path}`;
}

function describeCommit({ context, repository, args, describer, digits, suffix }: Printing, id: ObjectId): string {
  const found = describer.find(id);
  if (found === undefined) {
    if (args.has('always')) return (digits === 0 ? id : abbreviateId(repository, id, digits)) + suffix;
    throw new NotFoundError(`no tags can describe '${id}'`, { code: 'no-description', hint: 'try --always or --tags, or create some tags' });
  }
  if (args.has('debug')) context.stderr.write(explain(found));
  if (found.isMisnamed) context.stderr.write(`warning: the tag known here under another name calls itself '${found.name}'\n`);
  return formatDescription(repository, found, digits, args.has('long')) + suffix;
}

function explain({ isExact, candidates }: Description): string {
  if (isExact) return '';
  const ranks = ['head', 'lightweight', 'annotated'];
  const lines = candidates.map(({ name, depth, rank }) => ` ${ranks[rank]!.padEnd(11)} ${String(depth).padStart(8)} ${name}\n`);
  return `No exact match on refs or tags, searching to describe\n${lines.join('')}`;
}

/** --contains: by the tag that comes after, as name-rev does. */
function nameContaining(context: Context, repository: Repository, args: Arguments, words: readonly string[]): number {
  const inTags = (pattern: string): string => `refs/tags/${latin1(pattern)}`;
  const isAll = args.has('all');
  const options = { nameOnly: true, tagsOnly: !isAll, patterns: isAll ? [] : args.values('match').map(inTags), excludes: isAll ? [] : args.values('exclude').map(inTags) };
  const skip = (word: string): void => context.stderr.write(`could not get object for ${word}, skipping\n`);
  for (const { id, name } of nameRevisions(repository, options, words.length === 0 ? ['HEAD'] : words, true, skip)) {
    if (name === undefined && !args.has('always')) throw new NotFoundError(`cannot describe '${id}'`, { code: 'no-description' });
    context.stdout.write(Buffer.from(`${name ?? abbreviateId(repository, id)}\n`, 'latin1'));
  }
  return 0;
}
