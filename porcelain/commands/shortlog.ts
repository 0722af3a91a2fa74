// shortlog: the log as release announcements want it, by author. See git-shortlog(1).
import { InvalidError, UsageError } from '../../pack/errors.js';
import type { Arguments, Command, Context } from '../../plumbing/command.js';
import { parseDateMode } from '../../plumbing/date.js';
import { CommitFormat, type CommitView, defaultAbbreviation, parsePrettyFormat } from '../../plumbing/history/format.js';
import { listLines } from '../../plumbing/line-reader.js';
import { Mailmap, findPerson } from '../../plumbing/history/mailmap.js';
import { NodeView } from '../../plumbing/history/node-view.js';
import { Repository } from '../../plumbing/repository.js';
import { parseTrailers } from '../../plumbing/trailers.js';
import { RevWalk } from '../../plumbing/history/walk.js';
import { parseWalk, walkOptions } from '../../plumbing/history/walk-options.js';
import { type LineFill, Shortlog } from '../shortlog.js';

/** Options of walks that git does not know here, or for which it never has an answer. */
const unfit = ['stdin', 'single-worktree', 'walk-reflogs', 'grep-reflog'];

export const command: Command = {
  name: 'shortlog',
  family: 'git',
  summary: 'summarise history by author',
  usage: ['shortlog [<options>] [<revision range>] [[--] <path>...]', 'log --pretty=short | cairn shortlog [<options>]'],
  numeric: true,
  options: [
    { name: 'committer', short: 'c', negatable: true, help: 'by committer: the same as --group=committer' },
    { name: 'numbered', short: 'n', negatable: true, help: 'the most commits first' },
    { name: 'summary', short: 's', negatable: true, help: 'only how many commits there are' },
    { name: 'email', short: 'e', negatable: true, help: 'show mail addresses, too' },
    { name: 'w', value: 'width', valueOptional: true, help: 'break lines: width, indentation of the first line and of the others (76,6,9)' },
    { name: 'group', value: 'field', negatable: true, help: 'by author, committer, trailer:<key> or format:<format>' },
    { name: 'format', value: 'format', help: 'what is shown of each commit instead of its subject' },
    { name: 'pretty', value: 'format', valueOptional: true, help: 'same as --format' },
    { name: 'date', value: 'mode', help: 'how dates are shown' },
    { name: 'abbrev', value: 'n', valueOptional: true, negatable: true, help: 'digits of abbreviated ids' },
    // -n and -c mean something else here.
    ...walkOptions.filter(({ name }) => !unfit.includes(name)).map((option) => (option.short === 'n' ? { ...option, short: undefined } : option)).map(({ short, ...option }) => (short === undefined ? option : { ...option, short })),
  ],
  run(context: Context, args: Arguments): number {
    const repository = Repository.find(context);
    const groups = groupsOf(args);
    const log = new Shortlog({ countsOnly: args.has('summary'), byNumber: args.has('numbered'), fill: fillOf(args) });
    const mailmap = repository === undefined ? Mailmap.readHere(context) : Mailmap.read(repository);
    if (repository === undefined && args.positionals.length > 0) throw new UsageError('too many arguments given outside a repository');
    const request = repository === undefined ? undefined : parseWalk(repository, args, context.stdin.isTerminal ? { start: 'HEAD' } : {});
    if (repository === undefined || request === undefined || (!request.set.isGiven && request.set.tips.length === 0)) {
      addFromInput(context, log, groups, mailmap, args.has('email'));
    } else {
      const grouping = new Grouping(repository, args, groups, mailmap);
      for (const node of new RevWalk(repository, request.set.commits, { ...request.options, keep: 'contents' })) {
        grouping.add(log, new NodeView(node, ''));
        node.letGo();
      }
    }
    for (const text of log.format()) context.stdout.write(Buffer.from(text, 'latin1'));
    return 0;
  },
};

/** What commits are grouped by. */
type Group = { readonly kind: 'author' | 'committer' } | { readonly kind: 'trailer' | 'format'; readonly text: string };

function groupsOf(args: Arguments): Group[] {
  let groups: Group[] = [];
  const add = (kind: 'author' | 'committer'): void => {
    if (!groups.some((group) => group.kind === kind)) groups.push({ kind });
  };
  for (const token of args.tokens) {
    if (token.kind !== 'option') continue;
    if (token.name === 'committer' && token.negated) groups = groups.filter(({ kind }) => kind !== 'committer');
    else if (token.name === 'committer') add('committer');
    if (token.name !== 'group') continue;
    const value = token.value ?? '';
    if (token.negated) groups = [];
    else if (/^(?:author|committer)$/i.test(value)) add(value.toLowerCase() as 'author' | 'committer');
    else if (value.startsWith('trailer:')) groups.push({ kind: 'trailer', text: value.slice(8) });
    else if (value.startsWith('format:')) groups.push({ kind: 'format', text: value.slice(7) });
    else if (value.includes('%')) groups.push({ kind: 'format', text: value });
    else throw new UsageError(`unknown group type: ${value}`);
  }
  return groups.length === 0 ? [{ kind: 'author' }] : groups;
}

function fillOf(args: Arguments): LineFill | undefined {
  if (args.lastOf('w') === undefined) return undefined;
  const typed = args.value('w') ?? '';
  const found = /^([0-9]*)(?:,([0-9]*)(?:,([0-9]*))?)?$/.exec(typed);
  const number = (text: string | undefined, standard: number): number => (text === undefined || text === '' ? standard : Number(text));
  if (found === null) throw new UsageError(`'${typed}' is no way to break lines`);
  const fill = { width: number(found[1], 76), first: number(found[2], 6), rest: number(found[3], 9) };
  if (fill.width > 0 && (fill.width <= fill.first || fill.width <= fill.rest)) throw new UsageError(`lines of ${fill.width} columns have no room for what is indented`);
  return fill;
}

/** Finds the groups of commits. */
class Grouping {
  readonly #subject: CommitFormat;
  readonly #formats: readonly CommitFormat[];
  readonly #trailers: ReadonlySet<string>;
  readonly #message: CommitFormat;
  readonly #mailmap: Mailmap;
  readonly #showsMail: boolean;

  constructor(repository: Repository, args: Arguments, groups: readonly Group[], mailmap: Mailmap) {
    const typed = args.value('abbrev');
    const options = {
      repository, clock: repository.context.clock, dateMode: parseDateMode(args.value('date') ?? 'default', repository.context.stdout.isTerminal), mailmap,
      abbreviation: typed === undefined ? defaultAbbreviation(repository) : Math.max(Number.parseInt(typed, 10) || 0, 4),
      ...encodingOf(repository, args),
    };
    const compile = (text: string): CommitFormat => new CommitFormat({ kind: 'user', text: Buffer.from(text).toString('latin1'), terminated: false }, options);
    const last = args.lastOf('format', 'pretty');
    const pretty = last === undefined ? undefined : parsePrettyFormat(args.value(last) ?? 'medium', repository.config);
    // Only a format of one's own is followed.
    this.#subject = pretty?.kind === 'user' ? new CommitFormat(pretty, options) : compile('%s');
    this.#message = compile('%B');
    this.#showsMail = args.has('email');
    const person = (letter: string): CommitFormat => compile(this.#showsMail ? `%${letter}N <%${letter}E>` : `%${letter}N`);
    const own = groups.flatMap((group) => (group.kind === 'format' ? [compile(group.text)] : []));
    const people = (['author', 'committer'] as const).filter((kind) => groups.some((group) => group.kind === kind)).map((kind) => person(kind[0]!));
    this.#formats = [...own, ...people];
    this.#trailers = new Set(groups.flatMap((group) => (group.kind === 'trailer' ? [group.text.toLowerCase()] : [])));
    this.#mailmap = mailmap;
  }

  add(log: Shortlog, view: CommitView): void {
    const subject = this.#subject.format(view) || '<none>';
    const names = new Set<string>();
    if (this.#trailers.size > 0) for (const name of this.#trailerNames(view)) names.add(name);
    for (const format of this.#formats) names.add(format.format(view));
    for (const name of names) log.add(name, subject);
  }

  *#trailerNames(view: CommitView): Generator<string> {
    for (const { key, value } of parseTrailers(this.#message.format(view))) {
      if (!this.#trailers.has(key.toLowerCase())) continue;
      const text = value.replace(/\s*\n\s+/g, ' ');
      yield nameOf(text, this.#mailmap, this.#showsMail) ?? text;
    }
  }
}

function encodingOf(repository: Repository, args: Arguments): { readonly encoding?: string } {
  const encoding = args.has('encoding') ? args.value('encoding') : repository.config.get('i18n.logoutputencoding');
  return encoding === undefined ? {} : { encoding };
}

/** "Name <mail> ..." by the mailmaps; undefined when it is no person. */
function nameOf(text: string, mailmap: Mailmap, showsMail: boolean): string | undefined {
  const person = findPerson(text);
  if (person === undefined) return undefined;
  const { name, email } = mailmap.map(person);
  return showsMail ? `${name} <${email}>` : name;
}

/** Reads what log printed: the line of the author, and the first line after the next blank ones. */
function addFromInput(context: Context, log: Shortlog, groups: readonly Group[], mailmap: Mailmap, showsMail: boolean): void {
  const [group, ...others] = groups as [Group, ...Group[]];
  if (others.some(({ kind }) => kind !== group.kind)) throw new InvalidError('several groups cannot be made of standard input', { code: 'bad-options' });
  if (group.kind !== 'author' && group.kind !== 'committer') throw new InvalidError(`--group=${group.kind} cannot be used with standard input`, { code: 'bad-options' });
  const heads = group.kind === 'author' ? ['Author: ', 'author '] : ['Commit: ', 'committer '];
  const lines = listLines(context.stdin)[Symbol.iterator]();
  const next = (): string | undefined => {
    const { done, value } = lines.next();
    return done ? undefined : value;
  };
  for (let line = next(); line !== undefined; line = next()) {
    const head = heads.find((each) => line!.startsWith(each));
    if (head === undefined) continue;
    let subject = next();
    while (subject !== undefined && subject !== '') subject = next();
    while (subject === '') subject = next();
    const name = nameOf(line.slice(head.length), mailmap, showsMail);
    if (name !== undefined) log.add(name, subject ?? '');
  }
}
