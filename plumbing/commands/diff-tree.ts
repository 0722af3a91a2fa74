// diff-tree: the differences between two trees, or of commits from their parents. See git-diff-tree(1).
import { InvalidError, UsageError } from '../../pack/errors.js';
import { type ObjectId, emptyTreeId, isObjectId, zeroId } from '../../pack/oid.js';
import { formatCombined } from '../diff/combined-diff.js';
import type { Arguments, Command, Context } from '../command.js';
import { parseDateMode } from '../date.js';
import { Decorations } from '../history/decorations.js';
import { type DiffEntry, diffTrees } from '../diff/diff.js';
import { DiffRequest, diffOptions } from '../diff/diff-options.js';
import { DiffOutput } from '../diff/diff-report.js';
import type { Sink } from '../diff/diff-format.js';
import { CommitFormat, expansionOf, formatMailLine, parsePrettyFormat } from '../history/format.js';
import { listWholeLines } from '../line-reader.js';
import { type MergeStyle, mergeStyleOptions, parseMergeStyle } from '../merge/merge-style.js';
import { Notes, notesOptions, parseNotesChoice } from '../history/notes.js';
import { Pathspec, pathspecContext } from '../pathspec.js';
import { Repository } from '../repository.js';
import { findRevision, peel, resolveTree } from '../history/revision.js';
import { RevisionSet, checkCommits, checkOptionsFirst, takeRevisions } from '../history/revision-set.js';
import { mergeBases } from '../history/merge-base.js';

export const command: Command = {
  name: 'diff-tree',
  family: 'git',
  summary: 'compare two trees, or commits with their parents',
  usage: ['diff-tree [<options>] <tree> [<tree>] [<path>...]', 'diff-tree [<options>] --stdin [<path>...]'],
  options: [
    { name: 'r', short: 'r', help: 'go into directories' },
    { name: 't', short: 't', help: 'with -r: show the directories too' },
    { name: 'root', help: 'show a root commit as all new' },
    ...mergeStyleOptions,
    { name: 'no-commit-id', help: 'do not print the commit before its differences' },
    { name: 'always', help: 'print the commit even when nothing differs' },
    { name: 'stdin', help: 'read commits, or pairs of trees, from standard input' },
    { name: 'merge-base', help: 'start from the merge base of the two commits' },
    { name: 'v', short: 'v', help: 'print the message too' },
    { name: 'pretty', value: 'format', valueOptional: true, help: 'print the commit in a format' },
    { name: 'format', value: 'format', help: 'same as --pretty' },
    { name: 'oneline', help: 'same as --pretty=oneline --abbrev-commit' },
    { name: 'abbrev-commit', negatable: true, help: 'with --abbrev: abbreviate ids of commits' },
    { name: 'date', value: 'mode', help: 'how dates are shown: relative, local, iso, iso-strict, rfc, short, raw, human, unix, format:...' },
    { name: 'relative-date', help: 'same as --date=relative' },
    { name: 'encoding', value: 'name', help: 'encoding of messages' },
    { name: 'expand-tabs', value: 'columns', valueOptional: true, negatable: true, help: 'replace tabs in messages by spaces up to the next of so many columns (8)' },
    { name: 'encode-email-headers', negatable: true, help: 'with the formats of mails: write headers that are not ASCII as encoded words' },
    ...notesOptions,
    ...diffOptions,
  ],
  run(context: Context, args: Arguments): number {
    const repository = Repository.open(context);
    const run = new TreeComparison(context, repository, args);
    run.takeArguments();
    if (args.has('stdin')) run.takeInput();
    run.end();
    return run.code;
  },
};

/** The format commits are to be shown in; undefined: only their ids. */
function prettyOf(args: Arguments): string | undefined {
  switch (args.lastOf('pretty', 'format', 'oneline', 'v')) {
    case 'pretty': return args.value('pretty') ?? 'medium';
    case 'format': return args.value('format');
    case 'oneline': return 'oneline';
    case 'v': return 'medium';
    default: return undefined;
  }
}

class TreeComparison {
  readonly request: DiffRequest;
  /** The exit code so far. */
  code = 0;
  readonly #context: Context;
  readonly #repository: Repository;
  readonly #args: Arguments;
  readonly #format: CommitFormat | undefined;
  /** Hex digits of ids; undefined: all. */
  readonly #abbreviation: number | undefined;
  readonly #merges: MergeStyle;
  readonly #notes: Notes | undefined;
  #pathspec: Pathspec | undefined;
  #hasShown = false;
  /** Notes of a mail have been set off from its text already. */
  #hasDashes = false;
  readonly #output: DiffOutput;

  constructor(context: Context, repository: Repository, args: Arguments) {
    this.#context = context;
    this.#repository = repository;
    this.#args = args;
    this.#merges = parseMergeStyle(args).style ?? 'off';
    this.request = new DiffRequest(repository, args, { porcelain: false, format: this.#merges === 'dense' ? 'patch' : 'raw', columns: 80 });
    this.#output = new DiffOutput(context, this.request.outputPath);
    const pretty = prettyOf(args);
    const encoding = args.value('encoding');
    const date = args.has('relative-date') ? 'relative' : args.value('date') ?? 'default';
    this.#abbreviation = this.request.format.rawAbbreviation;
    const { choice, isWanted } = parseNotesChoice(args);
    const notes = isWanted === true ? new Notes(repository, choice) : undefined;
    const decorations = new Decorations(repository, { include: [], exclude: [], everything: true });
    this.#notes = notes;
    this.#format = pretty === undefined ? undefined : new CommitFormat(parsePrettyFormat(pretty, repository.config), {
      repository, clock: context.clock, dateMode: parseDateMode(date, context.stdout.isTerminal), hasDate: date !== 'default', ...expansionOf(args), mailSubject: 'Subject: ', encodesMailHeaders: args.flag('encode-email-headers') === true, abbreviation: this.#abbreviation ?? zeroId(repository.format).length,
      decorate: (id, style) => decorations.format(id, style, false),
      ...(notes === undefined ? {} : { notes: (id: ObjectId, raw: boolean) => notes.format(id, raw) }), ...(encoding === undefined ? {} : { encoding }),
    });
  }

  readonly #sink: Sink = (text) => this.#output.sink(text);

  end(): void {
    this.#output.end();
  }

  #setPaths(paths: readonly string[]): void {
    if (paths.length > 0) {
      this.#pathspec = Pathspec.parse(paths, pathspecContext(this.#repository));
    }
  }

  takeArguments(): void {
    const { before, after, dashes } = this.#args.split();
    const set = new RevisionSet(this.#repository);
    const paths = takeRevisions(this.#repository, set, before, dashes, after);
    checkOptionsFirst(this.#args, paths);
    this.#setPaths(paths);
    const { tips } = set;
    const [one, two] = tips[1]?.isExcluded ? [tips[1], tips[0]] : tips;
    if (this.#args.has('merge-base') && (this.#args.has('stdin') || tips.length !== 2)) {
      throw new InvalidError('--merge-base only works with two commits', { code: 'bad-options' });
    }
    if (one === undefined) {
      if (this.#args.has('stdin')) return;
      throw new UsageError('one or two trees are needed');
    }
    // Of more there is nothing to be said, and git says nothing.
    if (tips.length > 2) return;
    if (two === undefined) {
      if (one.type === 'blob' || one.type === 'tree') this.#context.stderr.write(`error: object '${one.id}' is a ${one.type}, not a commit\n`);
      else this.#showCommit(one.id);
      return;
    }
    let from = one.id;
    if (this.#args.has('merge-base')) {
      checkCommits(tips);
      const bases = mergeBases(this.#repository, one.id, [two.id]);
      if (bases.length !== 1) throw new InvalidError(bases.length === 0 ? 'no merge base found' : 'multiple merge bases found', { code: 'merge-bases' });
      [from] = bases as [ObjectId];
    }
    this.#write(this.#changes(this.#treeOf(from), this.#treeOf(two.id)));
  }

  #treeOf(id: ObjectId): ObjectId {
    const tree = peel(this.#repository, id, 'tree');
    if (tree === undefined) throw new InvalidError(`object '${id}' does not lead to a tree`, { code: 'not-a-tree' });
    return tree;
  }

  takeInput(): void {
    for (const whole of listWholeLines(this.#context.stdin)) {
      // A line that does not end is not looked at.
      if (!whole.endsWith('\n')) return;
      const line = Buffer.from(whole.slice(0, -1), 'latin1').toString('utf8');
      const [first = '', second] = line.trim().split(/\s+/);
      const id = /^[0-9a-f]{40,64}$/.test(first) ? findRevision(this.#repository, first) : undefined;
      const type = id === undefined ? undefined : this.#repository.objects.findHeader(id)?.type;
      if (id !== undefined && type === 'commit') this.#showCommit(id, line.trim().split(/\s+/).slice(1) as ObjectId[]);
      else if (id !== undefined && type === 'tree' && second !== undefined) {
        const other = resolveTree(this.#repository, second);
        const changes = this.#changes(id, other);
        this.#sink(`${id} ${other}\n`);
        this.#write(changes);
      } else if (type === undefined && isObjectId(first, this.#repository.format)) this.#context.stderr.write(`error: object '${first}' is missing\n`);
      else this.#sink(`${line}\n`);
      this.#output.flush();
      this.#context.stdout.flush();
    }
  }

  #changes(one: ObjectId, two: ObjectId): DiffEntry[] {
    return this.request.finish(diffTrees(this.#repository.objects, one, two, {
      recursive: this.#args.has('r') || this.#args.has('t') || this.request.needsRecursion, showTrees: this.#args.has('t'),
      unchanged: this.request.wantsUnchanged, ...(this.#pathspec === undefined ? {} : { pathspec: this.#pathspec }),
    }));
  }

  #write(entries: readonly DiffEntry[]): void {
    this.code |= this.request.write(entries, this.#sink);
  }

  #showCommit(id: ObjectId, given?: readonly ObjectId[]): void {
    const { objects } = this.#repository;
    const commit = objects.readCommit(id);
    const parents = given !== undefined && given.length > 0 ? given : commit.parents;
    const treeOf = (parent: ObjectId): ObjectId => objects.readCommit(parent).tree;
    if (parents.length === 0) {
      const entries = this.#args.has('root') ? this.#changes(emptyTreeId(this.#repository.format), commit.tree) : [];
      this.#showOne(id, parents, entries);
    } else if (parents.length === 1) this.#showOne(id, parents, this.#changes(treeOf(parents[0]!), commit.tree));
    else if (this.#merges === 'combined' || this.#merges === 'dense') {
      const text = formatCombined(this.#repository, commit.tree, parents.map(treeOf), {
        dense: this.#merges === 'dense', format: this.request.format, request: this.request, ...(this.#pathspec === undefined ? {} : { pathspec: this.#pathspec }),
        ...(this.request.format.colors === undefined ? {} : { colors: this.request.format.colors }),
      });
      this.#header(id, parents, undefined);
      const isSetOff = this.#format !== undefined && !this.#format.isEmpty && !this.#args.has('no-commit-id');
      if (this.request.isShown) this.#sink((isSetOff ? this.#lineEnd : '') + text);
    } else if (this.#merges === 'first-parent') this.#showOne(id, parents, this.#changes(treeOf(parents[0]!), commit.tree));
    else if (this.#merges === 'separate') {
      for (const parent of parents) this.#showOne(id, parents, this.#changes(treeOf(parent), commit.tree), parent);
    } else if (this.#args.has('always')) this.#header(id, parents, undefined);
  }

  #showOne(id: ObjectId, parents: readonly ObjectId[], entries: readonly DiffEntry[], from?: ObjectId): void {
    if (entries.length === 0 && !this.#args.has('always')) return;
    this.#header(id, parents, from);
    if (this.#format !== undefined && !this.#args.has('no-commit-id') && entries.length > 0 && this.request.isShown && !this.#format.isEmpty && this.#format.pretty.kind !== 'oneline') {
      this.#sink(this.request.format.stat !== undefined && this.request.format.patch && !this.#hasDashes ? '---\n' : '\n');
    }
    this.#write(entries);
  }

  get #lineEnd(): string {
    return this.#args.has('z') ? '\0' : '\n';
  }

  #header(id: ObjectId, parents: readonly ObjectId[], from: ObjectId | undefined): void {
    if (this.#args.has('no-commit-id')) return;
    const end = this.#lineEnd;
    if (this.#format === undefined) {
      this.#sink(`${id}${end}`);
      return;
    }
    const format = this.#format;
    // Formats that do not end what they show are set apart.
    if (this.#hasShown && format.pretty.kind !== 'oneline' && !format.isTerminated) this.#sink('\n');
    this.#hasShown = true;
    const isShort = this.#abbreviation !== undefined && (this.#args.flag('abbrev-commit') ?? this.#args.has('oneline'));
    const shown = isShort ? this.#repository.objects.abbreviate(id, this.#abbreviation!) : id;
    const isLine = format.pretty.kind === 'oneline';
    const commit = this.request.format.colors?.commit ?? '';
    const reset = this.request.format.colors?.reset ?? '';
    if (format.isMail) this.#sink(`${formatMailLine(id)}\n`);
    else if (!format.isWhole) this.#sink(`${commit}${isLine ? '' : 'commit '}${shown}${from === undefined ? '' : ` (from ${from})`}${reset}${isLine ? ' ' : '\n'}`);
    const notes = format.isWhole ? '' : this.#notes?.format(id, false) ?? '';
    this.#hasDashes = format.isMail && notes !== '';
    const text = format.format({ id, commit: this.#repository.objects.readCommit(id), parents, bytes: this.#repository.objects.read(id).bytes }) + (this.#hasDashes ? '---\n' : '') + notes;
    this.#sink(format.isTerminated && !format.isEmpty ? text + end : text);
  }
}
