// Which commits to show by who made them and what their messages say: --author, --committer and --grep of git-rev-list(1).
import type { Commit } from '../../pack/commit.js';
import { InvalidError } from '../../pack/errors.js';
import type { ObjectId } from '../../pack/oid.js';
import type { Arguments } from '../command.js';
import { messageOf } from './format.js';
import type { Mailmap, Person } from './mailmap.js';
import { type PatternKind, parsePattern } from '../posix-regex.js';
import type { Repository } from '../repository.js';

export interface MessageSources {
  /** The names people are looked for by. */
  readonly mailmap?: Mailmap | undefined;
  /** What --grep looks into besides the message. */
  readonly notesOf?: ((id: ObjectId) => string) | undefined;
}

/** A test for commits; undefined when none of the options is given. */
export function messageFilter(
  repository: Repository, args: Arguments, { mailmap, notesOf }: MessageSources,
): ((commit: Commit, node: { readonly id: ObjectId }) => boolean) | undefined {
  const compile = compilerOf(repository, args);
  const authors = args.values('author').map(compile);
  const committers = args.values('committer').map(compile);
  const messages = args.values('grep').map(compile);
  if (authors.length + committers.length + messages.length === 0) return undefined;
  const isAll = args.has('all-match');
  const isInverted = args.has('invert-grep');
  const encoding = repository.config.get('i18n.logoutputencoding');
  const line = (ident: Person): string => {
    const { name, email } = mailmap === undefined ? ident : mailmap.map(ident);
    return `${name} <${email}>`;
  };
  return (commit, node) => {
    if (authors.length > 0 && !authors.some((regex) => regex.test(line(commit.author)))) return false;
    if (committers.length > 0 && !committers.some((regex) => regex.test(line(commit.committer)))) return false;
    if (messages.length === 0) return true;
    const lines = `${messageOf(commit, encoding)}\n${notesOf?.(node.id) ?? ''}`.split('\n');
    const hits = (regex: RegExp): boolean => lines.some((line) => regex.test(line));
    return (isAll ? messages.every(hits) : messages.some(hits)) !== isInverted;
  };
}

/** A test for the messages of reflog entries: --grep-reflog. InvalidError without --walk-reflogs. */
export function reflogFilter(repository: Repository, args: Arguments): ((message: string) => boolean) | undefined {
  const patterns = args.values('grep-reflog').map(compilerOf(repository, args));
  if (patterns.length === 0) return undefined;
  if (!args.has('walk-reflogs')) throw new InvalidError('the option --grep-reflog requires --walk-reflogs', { code: 'bad-options' });
  return (message) => patterns.some((pattern) => pattern.test(message));
}

function compilerOf(repository: Repository, args: Arguments): (pattern: string) => RegExp {
  const kind = patternKind(repository, args);
  return (pattern) => parsePattern(Buffer.from(pattern).toString('latin1'), kind, { ignoreCase: args.has('regexp-ignore-case') });
}

function patternKind(repository: Repository, args: Arguments): PatternKind {
  for (let at = args.tokens.length - 1; at >= 0; at -= 1) {
    const token = args.tokens[at]!;
    if (token.kind !== 'option') continue;
    const kind = { 'basic-regexp': 'basic', 'extended-regexp': 'extended', 'fixed-strings': 'fixed', 'perl-regexp': 'perl' }[token.name];
    if (kind !== undefined) return kind as PatternKind;
  }
  const configured = repository.config.get('grep.patterntype');
  if (configured === 'extended' || configured === 'fixed' || configured === 'perl' || configured === 'basic') return configured;
  return repository.config.getBoolean('grep.extendedregexp') === true ? 'extended' : 'basic';
}
