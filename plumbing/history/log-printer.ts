// Commits one after the other as log shows them: header, message, differences, each beside the drawing when there is one.
//
// What stands between two commits depends on the format: those that end their own lines need nothing, others a separator before
// every commit but the first. Specified by git-log(1), "PRETTY FORMATS".
import type { ObjectId } from '../../pack/oid.js';
import type { DateMode } from '../date.js';
import type { DiffEntry } from '../diff/diff.js';
import type { DiffRequest } from '../diff/diff-options.js';
import { type CommitFormat, type CommitView, formatMailLine } from './format.js';
import type { HistoryGraph } from './graph.js';
import type { CommitNode } from './history.js';
import type { OutputPage } from '../output-page.js';
import type { Repository } from '../repository.js';
import type { RevWalk } from './walk.js';

export interface LogPrinterOptions {
  readonly repository: Repository;
  readonly format: CommitFormat;
  readonly page: OutputPage;
  readonly graph?: HistoryGraph;
  readonly diff?: DiffRequest;
  /** Hex digits of the id in the header; absent: all. */
  readonly abbreviation?: number;
  readonly showParents?: boolean;
  readonly showSource?: boolean;
  readonly showSize?: boolean;
  /** --line-prefix: stands before the lines of the header. */
  readonly linePrefix?: string;
  /** Set between commits that do not follow one another. */
  readonly breakBar?: string;
  readonly decorate?: (id: ObjectId) => string;
  /** What is put below the message of a named format; '' for nothing. */
  readonly notes?: (id: ObjectId) => string;
  /** Colour of the header line, and the end of it. */
  readonly commitColor?: string;
  readonly resetColor?: string;
  /** What is told of a commit's signatures, line by line, coloured. */
  readonly signatures?: (view: CommitView) => readonly string[];
  readonly nul?: boolean;
  readonly dateMode: DateMode;
  /** Dates rather than numbers in reflog selectors. */
  readonly datedReflog?: boolean;
  readonly childrenOf?: (node: CommitNode) => readonly CommitNode[];
}

/** A commit to print. */
export interface LogEntry {
  readonly node: CommitNode;
  readonly view: CommitView;
  /** Before the id: '<', '>', '-', '=' or ''. */
  readonly mark: string;
  /** Differences to show below, or the text of a combined one. */
  readonly changes?: readonly DiffEntry[] | string;
  /** Show the header only when there are changes. */
  readonly needsChanges?: boolean;
  /** ' (from <id>)' after the id, for one of several differences of a merge. */
  readonly from?: ObjectId;
}

export class LogPrinter {
  readonly #options: LogPrinterOptions;
  #isFirst = true;
  #missingNewline = false;
  /** Notes of a mail have been set off from its text already. */
  #hasDashes = false;
  #hasErrors = false;
  #hasChanges = false;

  constructor(options: LogPrinterOptions) {
    this.#options = options;
  }

  /** What --check and --exit-code make of what was printed; for the latter the last difference counts. */
  get code(): number {
    return (this.#hasErrors ? 2 : 0) | (this.#options.diff?.exitCode && this.#hasChanges ? 1 : 0);
  }

  /** False when there was nothing to print. */
  print(entry: LogEntry): boolean {
    const { diff, graph, page, format, nul } = this.#options;
    const sink = page.text;
    const { changes } = entry;
    const hasChanges = changes !== undefined && changes.length > 0;
    if (changes !== undefined && typeof changes !== 'string') this.#hasChanges = hasChanges;
    if (entry.needsChanges && !hasChanges) return false;
    this.#printHeader(entry);
    if (typeof changes === 'string' && diff?.isShown && !format.isEmpty) {
      // A merge shown as one difference is set off even when there is none.
      const prefix = graph === undefined ? undefined : (): string => graph.paddingRow();
      sink(`${prefix?.() ?? this.#options.linePrefix ?? ''}${nul ? '\0' : '\n'}`);
      sink(prefix === undefined ? changes : changes.replace(/[^\n]*\n/g, (line) => prefix() + line));
      return true;
    }
    if (typeof changes === 'string' || !hasChanges || diff === undefined || !diff.isShown) return true;
    if (format.pretty.kind !== 'oneline' && !format.isEmpty) {
      const both = diff.format.stat !== undefined && diff.format.patch;
      sink(`${graph?.paddingRow() ?? this.#options.linePrefix ?? ''}${both && !this.#hasDashes ? '---' : ''}\n`);
    }
    const prefix = graph === undefined ? undefined : (): string => graph.paddingRow();
    const writer = diff.writer(sink, prefix === undefined ? { nul: nul ?? false } : { linePrefix: prefix });
    writer.write(changes);
    this.#hasErrors ||= writer.hasErrors;
    return true;
  }

  /** Tells that the next commit does not follow the last one. */
  printBreak(): void {
    this.#options.page.text(`\n${this.#options.breakBar ?? ''}\n`);
  }

  /** A commit is its id and its subject, and nothing else that depends on it. */
  get isBare(): boolean {
    const { format, graph, decorate, notes, showParents, showSource, showSize, signatures, linePrefix, breakBar, childrenOf, commitColor = '' } = this.#options;
    return format.pretty.kind === 'oneline' && graph === undefined && decorate === undefined && notes === undefined && !showParents
      && !showSource && !showSize && signatures === undefined && linePrefix === undefined && breakBar === undefined && childrenOf === undefined && commitColor === '';
  }

  /** What `print` does where the printer is bare and the commit has neither mark nor changes; false, and nothing done, for a subject that is not plain. */
  printBare(node: CommitNode): boolean {
    const { abbreviation, format, page, nul } = this.#options;
    if (!node.putOneline(page, abbreviation, format.isUtf8)) return false;
    page.byte(nul ? 0 : 0x0a);
    this.#isFirst = false;
    this.#missingNewline = true;
    node.letGo();
    return true;
  }

  /** Prints all commits of a walk as `printBare` does, the others with `printOdd`; false, and nothing printed, when they have to be gone through. */
  printAllBare(walk: RevWalk, printOdd: (id: ObjectId) => void): boolean {
    const { abbreviation, format, page, nul } = this.#options;
    return walk.printLines({
      ...(abbreviation === undefined ? {} : { digits: abbreviation }), subjects: { isUtf8: format.isUtf8 }, terminator: nul ? 0 : 0x0a,
      write: (lines) => {
        page.bytes(lines);
        if (lines.length > 0) this.#isFirst = false;
        if (lines.length > 0) this.#missingNewline = true;
      },
      writeOdd: printOdd,
    });
  }

  /** What is no commit follows (a tag, a tree): apart from what came before. */
  beginOther(): void {
    if (!this.#isFirst) this.#options.page.text('\n');
    this.#isFirst = false;
    this.#missingNewline = false;
  }

  #printHeader(entry: LogEntry): void {
    const { format, graph, page, nul, notes, linePrefix = '', showSize, signatures } = this.#options;
    const sink = page.text;
    const { node, view } = entry;
    const end = nul ? '\0' : '\n';
    if (!this.#isFirst && !format.isTerminated) {
      if (!nul && !this.#missingNewline) sink(graph?.paddingRow() ?? linePrefix);
      sink(end);
    }
    this.#isFirst = false;
    sink(graph?.commitRows() ?? linePrefix);
    if (!format.isWhole) {
      sink(this.#headerLine(entry));
      if (format.pretty.kind === 'oneline') sink(' ');
      else {
        sink('\n');
        sink(graph?.nextRow() ?? linePrefix);
      }
      const reflog = format.isMail ? '' : this.#reflogLines(view);
      if (reflog !== '') sink(reflog);
      if (reflog !== '' && format.pretty.kind === 'oneline') {
        this.#missingNewline = false;
        return;
      }
      for (const line of format.isMail ? [] : signatures?.(view) ?? []) sink(`${line}\n${graph?.nextRow() ?? linePrefix}`);
    }
    const noted = format.isWhole || notes === undefined ? '' : notes(view.id);
    this.#hasDashes = format.isMail && noted !== '';
    const text = `${format.format(view)}${this.#hasDashes ? '---\n' : ''}${noted}`;
    this.#missingNewline = !text.endsWith('\n');
    if (showSize) sink(`log size ${text.length}\n${graph?.nextRow() ?? linePrefix}`);
    sink(graph === undefined ? text.replace(/\n(?=[^])/g, `\n${linePrefix}`) : graph.message(text));
    if (format.isTerminated && !format.isEmpty) {
      if (!this.#missingNewline) sink(graph?.paddingRow() ?? linePrefix);
      sink(end);
    }
    node.letGo();
  }

  #headerLine({ node, view, mark, from }: LogEntry): string {
    const { abbreviation, commitColor = '', resetColor = '', decorate, showParents, showSource, childrenOf, repository, format, graph } = this.#options;
    if (format.isMail) return formatMailLine(view.id);
    const shown = (id: ObjectId): string => (abbreviation === undefined ? id : repository.objects.abbreviate(id, abbreviation));
    let line = `${commitColor}${format.pretty.kind === 'oneline' ? '' : 'commit '}`;
    if (graph === undefined && mark !== '') line += `${mark} `;
    line += shown(view.id);
    if (showParents) line += view.parents.map((id) => ` ${shown(id)}`).join('');
    if (childrenOf !== undefined) line += childrenOf(node).map(({ id }) => ` ${shown(id)}`).join('');
    if (from !== undefined) line += ` (from ${shown(from)})`;
    line += commitColor === '' ? '' : resetColor;
    if (showSource && view.source !== undefined) line += `\t${view.source}`;
    return line + (decorate?.(view.id) ?? '');
  }

  #reflogLines(view: CommitView): string {
    const { reflog } = view;
    if (reflog === undefined) return '';
    const message = reflog.message === '' ? '' : reflog.message;
    if (this.#options.format.pretty.kind === 'oneline') return `${reflog.selector}: ${message}\n`;
    return `Reflog: ${reflog.selector} (${reflog.ident.name} <${reflog.ident.email}>)\nReflog message: ${message}\n`;
  }
}
