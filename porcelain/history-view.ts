// What log and show have in common: their options beyond the walk and the differences, and a printer made from them.
//
// Specified by git-log(1) and git-show(1); the record of --json by cairn-log(1).
import { InvalidError, UsageError } from '../pack/errors.js';
import type { ObjectId } from '../pack/oid.js';
import type { Tag } from '../pack/tag.js';
import { terminalColumns } from '../plumbing/columns.js';
import type { Arguments, Context, OptionSpec } from '../plumbing/command.js';
import { formatCombined } from '../plumbing/diff/combined-diff.js';
import { type MarkOptions, commitMark } from '../plumbing/history/commit-mark.js';
import { type DateMode, formatDate, parseDateMode } from '../plumbing/date.js';
import { type DecorationOptions, Decorations } from '../plumbing/history/decorations.js';
import { type DiffEntry, diffTrees } from '../plumbing/diff/diff.js';
import { DiffOutput } from '../plumbing/diff/diff-report.js';
import { readDiffColors } from '../plumbing/diff/diff-colors.js';
import type { DiffColors, Sink } from '../plumbing/diff/diff-format.js';
import type { FileStat } from '../plumbing/diff/diff-stat.js';
import { DiffRequest, typedColor } from '../plumbing/diff/diff-options.js';
import { CommitFormat, type CommitView, type PrettyFormat, bodyOf, defaultAbbreviation, expansionOf, messageOf, parsePrettyFormat, subjectOf } from '../plumbing/history/format.js';
import { HistoryGraph } from '../plumbing/history/graph.js';
import type { CommitNode, KeptPart } from '../plumbing/history/history.js';
import { type LogEntry, LogPrinter } from '../plumbing/history/log-printer.js';
import { Mailmap } from '../plumbing/history/mailmap.js';
import { type MergeStyle, type MergeStyleChoice, mergeStyleOptions, parseMergeStyle } from '../plumbing/merge/merge-style.js';
import { Notes, notesOptions, parseNotesChoice } from '../plumbing/history/notes.js';
import { NodeView } from '../plumbing/history/node-view.js';
import { Pathspec, pathspecContext } from '../plumbing/pathspec.js';
import { maxScore } from '../plumbing/diff/rename.js';
import type { Repository } from '../plumbing/repository.js';
import type { RevWalk } from '../plumbing/history/walk.js';
import { listSignatureLines } from '../plumbing/signature/signature-lines.js';
import { findMetadata } from './run-metadata.js';
import { formatColor, wantsColor } from './terminal.js';

export const viewOptions: readonly OptionSpec[] = [
  { name: 'pretty', value: 'format', valueOptional: true, help: 'how commits are shown' },
  { name: 'format', value: 'format', help: 'same as --pretty' },
  { name: 'oneline', help: 'one line for each commit, ids abbreviated' },
  { name: 'abbrev-commit', negatable: true, help: 'abbreviate ids of commits' },
  { name: 'date', value: 'mode', help: 'how dates are shown: relative, local, iso, iso-strict, rfc, short, raw, human, unix, format:...' },
  { name: 'mailmap', negatable: true, help: 'show people by the names the mailmaps give them (the default, unless log.mailmap is false)' },
  { name: 'use-mailmap', negatable: true, help: 'same as --mailmap' },
  { name: 'relative-date', help: 'same as --date=relative' },
  { name: 'encoding', value: 'name', help: 'encoding of messages' },
  { name: 'expand-tabs', value: 'columns', valueOptional: true, negatable: true, help: 'replace tabs in messages by spaces up to the next of so many columns (8)' },
  { name: 'encode-email-headers', negatable: true, help: 'with the formats of mails: write headers that are not ASCII as encoded words (the default, unless format.encodeEmailHeaders is false)' },
  ...notesOptions,
  { name: 'decorate', value: 'how', valueOptional: true, negatable: true, help: 'names of refs beside commits: short, full, auto or no' },
  { name: 'decorate-refs', value: 'pattern', help: 'only these refs beside commits' },
  { name: 'decorate-refs-exclude', value: 'pattern', help: 'not these refs beside commits' },
  { name: 'clear-decorations', help: 'all refs beside commits' },
  { name: 'show-signature', negatable: true, help: 'check the signatures of commits, and show what was found' },
  { name: 'log-size', negatable: true, help: 'show the size of each message below its id' },
  { name: 'show-linear-break', value: 'bar', valueOptional: true, help: 'show a bar between commits that do not follow one another' },
  { name: 'source', help: 'show the name each commit was reached from' },
  { name: 'quiet', short: 'q', help: 'show no differences' },
  ...mergeStyleOptions,
  { name: 'root', help: 'a root commit is shown as all new (the default, unless log.showRoot is false)' },
  { name: 'r', help: 'go into directories (always)' },
  { name: 't', help: 'show the trees too' },
  { name: 'full-diff', help: 'show whole commits, not just the given paths' },
  { name: 'json', help: 'one JSON object per line' },
];

/** What log and show take behind paths, too. */
export const lateOptions: ReadonlySet<string> = new Set([
  'quiet', 'source', 'mailmap', 'use-mailmap', 'clear-decorations', 'decorate', 'decorate-refs', 'decorate-refs-exclude', 'json', 'runs',
]);

const everyMark: MarkOptions = { graph: false, leftRight: true, cherryMark: true };

/** Shows commits the way the arguments ask for. */
export class HistoryView {
  readonly diff: DiffRequest;
  readonly dateMode: DateMode;
  readonly printer: LogPrinter;
  readonly format: CommitFormat;
  readonly color: ((words: string) => string) | undefined;
  readonly #repository: Repository;
  readonly #args: Arguments;
  readonly #merges: MergeStyle;
  readonly #mergesOnly: boolean;
  readonly #showsRoots: boolean;
  readonly #pathspec: Pathspec | undefined;
  readonly #isJson: boolean;
  readonly #decorations: Decorations;
  readonly #graph: HistoryGraph | undefined;
  readonly #context: Context;
  readonly #headerColor: string;
  readonly #marks: MarkOptions;
  /** Commits without changes are left out. */
  readonly #hasLimits: boolean;
  readonly #isBare: boolean;
  readonly #output: DiffOutput;
  #follow: string | undefined;
  #lastShown: { readonly id: ObjectId; readonly parents: readonly ObjectId[] } | undefined;

  constructor(
    context: Context, repository: Repository, args: Arguments,
    setup: { readonly showsPatches: boolean; readonly denseMerges: boolean; readonly paths: readonly string[]; readonly walk?: RevWalk; readonly graph?: boolean; readonly follow?: string; readonly showsRuns?: boolean; readonly mailmap: Mailmap | undefined },
  ) {
    this.#context = context;
    this.#repository = repository;
    this.#args = args;
    this.#isJson = args.has('json');
    const { config } = repository;
    if (args.has('show-linear-break') && args.flag('graph') === true) throw new InvalidError('options --show-linear-break and --graph cannot be used together', { code: 'bad-options' });
    const typed = typedColor(args);
    const isColored = !this.#isJson && wantsColor(context, config, 'color.diff', typed);
    const headerColor = config.get('color.diff.commit');
    this.#headerColor = isColored ? formatColor(headerColor ?? 'yellow') : '';
    this.color = isColored ? (words) => formatColor(words) : undefined;
    const merges = mergeStyle(args, setup.denseMerges);
    this.diff = new DiffRequest(repository, args, {
      porcelain: true, walks: true, columns: terminalColumns(context), ...(setup.showsPatches || merges.implies !== undefined ? { format: 'patch' as const } : {}),
      isColored,
    });
    this.#output = new DiffOutput(context, this.diff.outputPath);
    const paths = setup.paths;
    this.#pathspec = paths.length === 0 || args.has('full-diff') || setup.follow !== undefined ? undefined
      : Pathspec.parse(paths, pathspecContext(repository));
    this.#follow = setup.follow;
    this.#merges = merges.style;
    this.#showsRoots = args.has('root') || config.getBoolean('log.showroot') !== false;
    this.#mergesOnly = merges.implies === 'merges' && !setup.showsPatches && !this.diff.isAnyFormatGiven && !this.diff.exitCode
      && this.diff.pickaxe === undefined && this.diff.filter === undefined && !['full-diff', 'r', 't', 'follow'].some((name) => args.has(name));
    const date = args.has('relative-date') ? 'relative' : args.value('date') ?? config.get('log.date') ?? 'default';
    this.dateMode = parseDateMode(date, context.stdout.isTerminal);
    const pretty = parsePrettyFormat(prettyText(args) ?? (setup.showsRuns ? '%C(auto)%h%C(reset) %S %s' : config.get('format.pretty')) ?? 'medium', config);
    const abbreviated = args.flag('abbrev-commit') ?? (args.has('oneline') || config.getBoolean('log.abbrevcommit') === true);
    const digits = args.flag('abbrev') === false ? repository.format === 'sha1' ? 40 : 64 : Number(args.value('abbrev') ?? defaultAbbreviation(repository));
    this.#decorations = new Decorations(repository, decorationOptions(args));
    const decoration = decorationStyle(context, args, config.get('log.decorate'));
    const encoding = args.value('encoding') ?? config.get('i18n.logoutputencoding');
    const { color } = this;
    const notes = findNotes(repository, args, pretty);
    this.format = new CommitFormat(pretty, {
      repository, clock: context.clock, dateMode: this.dateMode, hasDate: args.has('date') || args.has('relative-date'), abbreviation: Math.max(digits, 4), ...expansionOf(args),
      decorate: (id, style) => this.#decorations.format(id, style, decoration === 'full', color),
      ...(color === undefined ? {} : { color }), ...(notes === undefined ? {} : { notes: (id: ObjectId, raw: boolean) => notes.format(id, raw) }), ...(encoding === undefined ? {} : { encoding }),
      ...(setup.mailmap === undefined ? {} : { mailmap: setup.mailmap }),
      mailSubject: mailSubjectOf(config.get('format.subjectprefix') ?? 'PATCH'), encodesMailHeaders: args.flag('encode-email-headers') ?? config.getBoolean('format.encodeemailheaders') !== false,
    });
    this.#marks = { graph: false, leftRight: args.has('left-right'), cherryMark: args.has('cherry-mark') || args.has('cherry') };
    this.#hasLimits = HistoryView.isChoosy(args);
    const { walk } = setup;
    this.#graph = setup.graph && walk !== undefined ? new HistoryGraph({
      isShown: (node) => walk.willShow(node), mark: (node) => commitMark(node, { graph: true, leftRight: args.has('left-right'), cherryMark: args.has('cherry-mark') }),
      firstParent: args.has('first-parent'), colors: isColored ? (config.get('log.graphcolors')?.split(',') ?? graphColors).map(formatColor) : [], reset: formatColor('reset'),
    }) : undefined;
    const showsSignatures = args.flag('show-signature') ?? config.getBoolean('log.showsignature') === true;
    this.printer = new LogPrinter({
      repository, format: this.format, page: this.#output.page, dateMode: this.dateMode, ...(this.#graph === undefined ? {} : { graph: this.#graph }),
      diff: this.diff, ...(abbreviated ? { abbreviation: Math.max(digits, 4) } : {}), showParents: args.has('parents'), showSource: args.has('source') || setup.showsRuns === true,
      ...(decoration === 'no' ? {} : { decorate: (id: ObjectId) => this.#decorations.format(id, 'wrapped', decoration === 'full', color) }),
      ...(notes === undefined ? {} : { notes: (id: ObjectId) => notes.format(id, false) }),
      ...(isColored ? { commitColor: this.#headerColor, resetColor: formatColor('reset') } : {}),
      ...(showsSignatures ? { signatures: signatureTeller(repository, isColored ? readDiffColors(config) : undefined) } : {}),
      showSize: args.flag('log-size') ?? config.getBoolean('log.showsize') === true,
      ...(args.has('line-prefix') ? { linePrefix: Buffer.from(args.value('line-prefix') ?? '').toString('latin1') } : {}),
      ...(args.has('show-linear-break') ? { breakBar: Buffer.from(args.value('show-linear-break') ?? ' '.repeat(20) + '.'.repeat(10)).toString('latin1') } : {}),
      nul: args.has('z'), ...(args.has('children') && walk !== undefined ? { childrenOf: (node: CommitNode) => walk.childrenOf(node) } : {}),
    });
    this.#isBare = this.printer.isBare && !this.#isJson && !this.diff.isShown && !this.#hasLimits && !this.diff.exitCode;
  }

  /** The format tells where commits were reached from, as --source does. */
  static needsSource(args: Arguments): boolean {
    return args.has('source') || (prettyText(args) ?? '').includes('%S');
  }

  /** What of a commit is shown; what a walk kept too little of is read again. */
  static keeps(repository: Repository, args: Arguments): KeptPart {
    const isUtf8 = /^(?:utf-?8)?$/i.test(args.value('encoding') ?? repository.config.get('i18n.logoutputencoding') ?? '');
    const needsMore = ['author', 'committer', 'grep', 'json', 'notes', 'show-signature'].some((name) => args.has(name));
    return prettyText(args) === 'oneline' && isUtf8 && !needsMore ? 'subjects' : 'contents';
  }

  /** Where text goes. */
  get sink(): Sink {
    return this.#output.page.text;
  }

  flush(): void {
    this.#output.flush();
  }

  /** Shows what `show` shows, also what comes before it fails; returns the exit code. */
  run(show: () => void): number {
    try {
      show();
    } finally {
      this.flush();
    }
    return this.code;
  }

  /** The exit code --check and --exit-code ask for. */
  get code(): number {
    return this.printer.code;
  }

  /** The first line of what is shown, in its colour. */
  paintHeader(latin1: string): string {
    return this.#headerColor === '' ? latin1 : `${this.#headerColor}${latin1}${formatColor('reset')}`;
  }

  /** Shows an annotated tag, without what it names. */
  showTag(tag: Tag): void {
    this.printer.beginOther();
    const { kind } = this.format.pretty;
    const lines = [this.paintHeader(`tag ${tag.name}`)];
    if (tag.tagger !== undefined && kind !== 'oneline') {
      const { name, email, seconds, offset } = tag.tagger;
      lines.push(`Tagger: ${kind === 'fuller' ? '    ' : ''}${name} <${email}>`);
      if (kind === 'medium') lines.push(`Date:   ${formatDate(seconds, offset, this.dateMode, this.#context.clock)}`);
      if (kind === 'fuller') lines.push(`TaggerDate: ${formatDate(seconds, offset, this.dateMode, this.#context.clock)}`);
    }
    this.sink(`${lines.join('\n')}\n\n${tag.message.toString('latin1')}`);
  }

  /** Shows all commits of a walk. */
  showAll(walk: RevWalk): void {
    const { history } = walk;
    if (this.#isBare && this.printer.printAllBare(walk, (id) => this.show(history.load(history.node(id))))) return;
    for (const node of walk) this.show(node);
  }

  /** Commits may be passed over for what they changed. */
  static isChoosy(args: Arguments): boolean {
    return ['S', 'G', 'find-object', 'diff-filter'].some((name) => args.has(name));
  }

  /** Shows one commit, and what it changed when that is asked for; false when it is passed over. */
  show(node: CommitNode, reflog?: CommitView['reflog']): boolean {
    if (!this.#args.has('show-linear-break')) return this.#showOne(node, reflog);
    const isReversed = this.#args.flag('reverse') === true;
    const parents = node.parentIds;
    const follows = this.#lastShown === undefined || (isReversed ? parents.includes(this.#lastShown.id) : this.#lastShown.parents.includes(node.id));
    if (!follows) this.printer.printBreak();
    this.#lastShown = { id: node.id, parents };
    return this.#showOne(node, reflog);
  }

  #showOne(node: CommitNode, reflog?: CommitView['reflog']): boolean {
    const mark = commitMark(node, this.#marks);
    if (this.#isBare && mark === '' && reflog === undefined && this.printer.printBare(node)) return true;
    const view = new NodeView(node, commitMark(node, everyMark), reflog);
    this.#graph?.update(node);
    if (this.#isJson) {
      this.#showJson(node, view);
      return true;
    }
    const hasLimits = this.#hasLimits;
    // Where nothing is shown of differences, a filter that only leaves out lets nothing pass in git.
    if (!this.diff.isShown && this.diff.filter !== undefined && !/[A-Z*]/.test(this.diff.filter)) return false;
    if (!this.diff.isShown && !hasLimits && !this.diff.exitCode) {
      return this.printer.print({ node, view, mark });
    }
    let isShown = false;
    for (const entry of this.#entries(node, view, mark)) {
      if (this.printer.print({ ...entry, needsChanges: hasLimits && typeof entry.changes !== 'string' })) isShown = true;
    }
    return isShown;
  }

  #entries(node: CommitNode, view: CommitView, mark: string): LogEntry[] {
    const parents = node.storedParents;
    if (parents.length <= 1) return this.#mergesOnly || (parents.length === 0 && !this.#showsRoots) ? [{ node, view, mark }] : [{ node, view, mark, changes: this.#changes(node, 0) }];
    switch (this.#merges) {
      case 'off': return [{ node, view, mark }];
      case 'first-parent': return [{ node, view, mark, changes: this.#changes(node, 0) }];
      case 'separate': {
        // A parent nothing differs from is passed over, unless that would leave the commit out.
        const entries = parents.map((from, index) => ({ node, view, mark, changes: this.#changes(node, index), from })).filter(({ changes }) => changes.length > 0);
        return entries.length > 0 || this.#hasLimits ? entries : [{ node, view, mark }];
      }
      default: {
        const colors = this.diff.format.colors;
        const text = formatCombined(this.#repository, node.tree, parents.map((id) => this.#repository.objects.readCommit(id).tree), {
          dense: this.#merges === 'dense', format: this.diff.format, request: this.diff, ...(this.#pathspec === undefined ? {} : { pathspec: this.#pathspec }),
          ...(colors === undefined ? {} : { colors }),
        });
        return [{ node, view, mark, changes: text }];
      }
    }
  }

  /** The differences from one parent (from nothing for a root commit). */
  #changes(node: CommitNode, index: number): DiffEntry[] {
    const { objects } = this.#repository;
    const parent = node.storedParents[index];
    const tree = parent === undefined ? undefined : objects.readCommit(parent).tree;
    return this.changesBetween(tree, node.tree);
  }

  changesBetween(one: ObjectId | undefined, two: ObjectId): DiffEntry[] {
    const { objects } = this.#repository;
    const entries = diffTrees(objects, one, two, {
      recursive: true, showTrees: this.#args.has('t'), unchanged: this.diff.wantsUnchanged, ...(this.#pathspec === undefined ? {} : { pathspec: this.#pathspec }),
    });
    const list = diffFinish(this.diff, objects, one, two, entries, this.#follow);
    return list;
  }

  /** With --follow: whether the commit changes the file, whose older name counts from then on. */
  follows(node: CommitNode): boolean {
    if (this.#follow === undefined) return true;
    const changes = node.storedParents.length > 1 ? [] : this.#changes(node, 0);
    return changes.length > 0;
  }

  /** After a commit was shown: an older name of the followed file. */
  stepBack(node: CommitNode): void {
    if (this.#follow === undefined) return;
    const renamed = this.#changes(node, 0).find(({ path, status, oldPath }) => path === this.#follow && (status === 'R' || status === 'C') && oldPath !== undefined);
    if (renamed?.oldPath !== undefined) this.#follow = renamed.oldPath;
  }

  #metadataOf(run: string): object {
    const metadata = findMetadata(this.#repository, run);
    return metadata === undefined ? {} : { meta: metadata.value, metaSchema: metadata.schema ?? null };
  }

  #showJson(node: CommitNode, view: CommitView): void {
    const { commit } = view;
    const text = (bytes: string): string => Buffer.from(bytes, 'latin1').toString('utf8');
    const message = messageOf(commit);
    const person = (ident: typeof commit.author): object => ({
      name: text(ident.name), email: text(ident.email), date: formatDate(ident.seconds, ident.offset, 'iso-strict', this.#context.clock), seconds: ident.seconds,
    });
    const needsFiles = this.diff.isShown && !(this.diff.format.patch && !this.diff.isAnyFormatGiven);
    const files = needsFiles ? this.diff.writer(this.sink).countLines(this.#changes(node, 0)).map(fileRecord) : undefined;
    const record = {
      id: view.id, tree: commit.tree, parents: node.storedParents, author: person(commit.author), committer: person(commit.committer),
      subject: text(subjectOf(message)), body: text(bodyOf(message)), refs: this.#decorations.list(view.id).map(({ name }) => name),
      ...(view.source === undefined ? {} : { [this.#args.has('runs') ? 'run' : 'source']: view.source }),
      ...(view.source !== undefined && this.#args.has('runs') ? this.#metadataOf(view.source) : {}),
      ...(view.reflog === undefined ? {} : { reflog: { selector: view.reflog.selector, message: text(view.reflog.message) } }),
      ...(files === undefined ? {} : { files }),
    };
    this.sink(Buffer.from(`${JSON.stringify(record)}\n`).toString('latin1'));
  }
}

/** Differences finished; of a followed file only its own. */
function diffFinish(
  diff: DiffRequest, store: Repository['objects'], one: ObjectId | undefined, two: ObjectId, entries: DiffEntry[], follow: string | undefined,
): DiffEntry[] {
  if (follow === undefined) return diff.finish(entries);
  const own = entries.filter(({ path }) => path === follow);
  if (own.length === 0) return [];
  if (own.some(({ status }) => status !== 'A')) return diff.finish(own);
  const all = diffTrees(store, one, two, { recursive: true, unchanged: true, renames: { copies: true, findCopiesHarder: true } });
  return all.filter(({ path }) => path === follow);
}

/** A file as --json tells it. */
export function fileRecord({ entry, added, deleted, isBinary }: FileStat): object {
  const text = (bytes: string): string => Buffer.from(bytes, 'latin1').toString('utf8');
  return {
    path: text(entry.path), ...(entry.oldPath === undefined ? {} : { oldPath: text(entry.oldPath) }), status: entry.status,
    oldMode: entry.old.mode.toString(8), newMode: entry.new.mode.toString(8), oldId: entry.old.id, newId: entry.new.id,
    ...(entry.score === undefined ? {} : { similarity: Math.trunc((entry.score * 100) / maxScore) }),
    ...(isBinary ? { binary: true } : { added, deleted }),
  };
}

const graphColors = ['red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'bold red', 'bold green', 'bold yellow', 'bold blue', 'bold magenta', 'bold cyan'];

/** The names people are shown and looked for by; undefined when that is not wanted, or none is told. */
export function findMailmap(repository: Repository, args: Arguments): Mailmap | undefined {
  const last = args.tokens.findLast((token) => token.kind === 'option' && (token.name === 'mailmap' || token.name === 'use-mailmap'));
  const isWanted = last?.kind === 'option' ? !last.negated : repository.config.getBoolean('log.mailmap', true);
  // Lines of subjects name nobody.
  const namesPeople = prettyText(args) !== 'oneline' || ['author', 'committer', 'json'].some((name) => args.has(name));
  const mailmap = isWanted && namesPeople ? Mailmap.read(repository) : undefined;
  return mailmap?.isEmpty ? undefined : mailmap;
}

function prettyText(args: Arguments): string | undefined {
  let text: string | undefined;
  for (const token of args.tokens) {
    if (token.kind !== 'option') continue;
    if (token.name === 'pretty' || token.name === 'format') text = token.value ?? 'medium';
    if (token.name === 'oneline') text = 'oneline';
  }
  return text;
}

/** How the subject of a mail begins. */
function mailSubjectOf(prefix: string): string {
  return prefix === '' ? 'Subject: ' : `Subject: [${Buffer.from(prefix).toString('latin1')}] `;
}

/** The style merges are shown in where some is, and whose patches that asks for. */
function mergeStyle(args: Arguments, dense: boolean): MergeStyleChoice & { readonly style: MergeStyle } {
  const { style, implies } = parseMergeStyle(args, dense);
  const found = style ?? (args.has('first-parent') ? 'first-parent' : dense ? 'dense' : 'off');
  return { style: found === 'separate' && args.has('first-parent') ? 'first-parent' : found, ...(implies === undefined ? {} : { implies }) };
}

/** What the options say about names beside commits; patterns count from the last --clear-decorations on. */
export function decorationOptions(args: Arguments): DecorationOptions {
  const options = { include: [] as string[], exclude: [] as string[], everything: false };
  for (const token of args.tokens) {
    if (token.kind !== 'option') continue;
    if (token.name === 'decorate-refs') options.include.push(token.value ?? '');
    if (token.name === 'decorate-refs-exclude') options.exclude.push(token.value ?? '');
    if (token.name === 'clear-decorations') Object.assign(options, { include: [], exclude: [], everything: true });
  }
  return options;
}

/** The notes --grep looks into: those that are shown. */
export function notesToSearch(repository: Repository, args: Arguments): ((id: ObjectId) => string) | undefined {
  if (!args.has('grep')) return undefined;
  const notes = findNotes(repository, args, parsePrettyFormat(prettyText(args) ?? 'medium', repository.config));
  return notes && ((id) => notes.format(id, true));
}

/** The notes to show; undefined when none are wanted or there are none. */
function findNotes(repository: Repository, args: Arguments, pretty: PrettyFormat): Notes | undefined {
  const { choice, isWanted } = parseNotesChoice(args);
  const isShown = isWanted ?? (prettyText(args) === undefined || (pretty.kind === 'user' && pretty.text.includes('%N')));
  const notes = isShown ? new Notes(repository, choice) : undefined;
  return notes?.isEmpty ? undefined : notes;
}

/** Lines about a commit's signatures, in the colours of whitespace errors unless good. */
function signatureTeller(repository: Repository, colors: DiffColors | undefined): (view: CommitView) => string[] {
  return ({ id, commit }) => listSignatureLines(repository, id, commit).map(({ text, isGood }) =>
    colors === undefined ? text : `${isGood ? colors.frag : colors.whitespace}${text}${colors.reset}`);
}

function decorationStyle(context: Context, args: Arguments, configured: string | undefined): 'short' | 'full' | 'no' {
  if (args.flag('decorate') === false) return 'no';
  const word = args.has('decorate') ? args.value('decorate') ?? 'short' : configured ?? 'auto';
  if (word === 'auto') return context.stdout.isTerminal ? 'short' : 'no';
  if (word === 'full') return 'full';
  if (/^(short|true|yes|1)$/.test(word)) return 'short';
  if (/^(no|false|0)$/.test(word)) return 'no';
  throw new UsageError(`invalid --decorate option: ${word}`);
}
