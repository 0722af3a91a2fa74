// A commit as rev-list writes it: a line with its id and what was asked to stand beside it, and the commit in words below.
//
// Text is latin1. Specified by git-rev-list(1), "Commit Formatting".
import type { ObjectId } from '../../pack/oid.js';
import type { Arguments } from '../command.js';
import { formatColor } from '../color.js';
import { colorWanted } from '../diff/diff-options.js';
import { commitMark } from './commit-mark.js';
import { type DateMode, parseDateMode } from '../date.js';
import type { Decorations } from './decorations.js';
import { CommitFormat, type CommitView, defaultAbbreviation, parsePrettyFormat } from './format.js';
import { HistoryGraph } from './graph.js';
import type { CommitNode } from './history.js';
import { NodeView } from './node-view.js';
import type { Repository } from '../repository.js';
import type { RevWalk } from './walk.js';
import { flag } from './walk-flag.js';

/** Options that put something beside the ids. */
const besideIds = ['timestamp', 'parents', 'children', 'header', 'left-right', 'cherry-mark', 'cherry', 'bisect-all'];
/** Commits with these have a mark in any case. */
const marked = flag.boundary | flag.uninteresting | flag.patchSame;

export class CommitLines {
  readonly #repository: Repository;
  readonly #args: Arguments;
  readonly #format: CommitFormat | undefined;
  readonly #digits: number | undefined;
  readonly #decorations: Decorations;
  readonly #walk: RevWalk | undefined;
  readonly #graph: HistoryGraph | undefined;
  readonly #isPlain: boolean;
  readonly #isColored: boolean;

  /** Without a walk nothing is drawn and children are not known. */
  constructor(repository: Repository, args: Arguments, decorations: Decorations, walk?: RevWalk) {
    this.#repository = repository;
    this.#args = args;
    this.#decorations = decorations;
    this.#walk = walk;
    this.#digits = digitsOf(repository, args);
    this.#isColored = colorWanted(args, repository.context.stdout.isTerminal);
    this.#format = this.#parseFormat();
    this.#graph = walk !== undefined && args.flag('graph') === true ? new HistoryGraph({
      isShown: (node) => walk.willShow(node), mark: (node) => commitMark(node, { graph: true, leftRight: args.has('left-right'), cherryMark: args.has('cherry-mark') }),
      firstParent: args.has('first-parent'), colors: [], reset: '',
    }) : undefined;
    this.#isPlain = this.#format === undefined && this.#graph === undefined && this.#digits === undefined && !besideIds.some((name) => args.has(name));
  }

  /** The commit's content is asked for. */
  static needsContent(args: Arguments): boolean {
    return prettyText(args) !== undefined || args.has('header');
  }

  /** Nothing but ids, and their marks, are shown. */
  get isBare(): boolean { return this.#isPlain; }

  /** Nothing but its id is shown of a commit. */
  isPlain(node: CommitNode): boolean {
    return this.#isPlain && (node.flags & marked) === 0;
  }

  #parseFormat(): CommitFormat | undefined {
    const text = prettyText(this.#args);
    if (text === undefined) return undefined;
    const { config, context } = this.#repository;
    const color = this.#isColored ? formatColor : undefined;
    const encoding = this.#args.value('encoding') ?? config.get('i18n.logoutputencoding');
    return new CommitFormat(parsePrettyFormat(text, config), {
      repository: this.#repository, clock: context.clock, expandTabs: 0, dateMode: this.#dateMode(context.stdout.isTerminal), hasDate: this.#args.has('date') || this.#args.has('relative-date'),
      abbreviation: this.#digits ?? defaultAbbreviation(this.#repository), decorate: (id, style) => this.#decorations.format(id, style, false, color), ...(color === undefined ? {} : { color }),
      ...(encoding === undefined ? {} : { encoding }),
    });
  }

  /** Of --date and --relative-date the last one counts. */
  #dateMode(isTerminal: boolean): DateMode {
    const isRelative = this.#args.lastOf('date', 'relative-date') === 'relative-date';
    return parseDateMode(isRelative ? 'relative' : this.#args.value('date') ?? 'default', isTerminal);
  }

  /** All that is printed for one commit, line end included. */
  format(node: CommitNode, reflog?: CommitView['reflog']): string {
    const graph = this.#graph;
    graph?.update(node);
    const mark = commitMark(node, { graph: false, leftRight: this.#args.has('left-right'), cherryMark: this.#args.has('cherry-mark') || this.#args.has('cherry') });
    const text = (graph?.commitRows() ?? '') + this.#header(node, mark);
    const message = this.#message(node, mark, reflog);
    node.letGo();
    if (message === undefined || message === '') {
      const rest = graph?.remainingRows() ?? '';
      return text + (rest === '' ? '' : `${rest}\n`) + (message === '' && this.#format?.pretty.kind === 'oneline' ? '\n' : '');
    }
    const end = this.#format === undefined ? '\0' : '\n';
    if (graph === undefined) return `${text}${message}${end}`;
    const row = this.#format?.pretty.kind === 'oneline' ? '' : graph.nextRow();
    return `${text}${row}${graph.message(message)}${message.endsWith('\n') ? graph.paddingRow() : ''}${end}`;
  }

  /** The line of the id; for formats of one's own it can be left out. */
  #header(node: CommitNode, mark: string): string {
    const args = this.#args;
    const kind = this.#format?.pretty.kind;
    if ((kind === 'user' || kind === 'reference') && args.flag('commit-header') === false) return '';
    const shown = (id: ObjectId): string => (this.#digits === undefined ? id : this.#repository.objects.abbreviate(id, this.#digits));
    // However short the commit's own id is, those beside it are whole.
    const listed = (ids: readonly ObjectId[]): string => ids.map((id) => ` ${id}`).join('');
    let text = args.has('timestamp') ? `${node.seconds} ` : '';
    if (this.#format !== undefined && kind !== 'oneline') text += 'commit ';
    text += (this.#graph === undefined ? mark : '') + shown(node.id);
    if (args.has('parents')) text += listed(node.parentIds);
    if (args.has('children') && this.#walk !== undefined) text += listed(this.#walk.childrenOf(node).map(({ id }) => id));
    if (args.has('bisect-all')) text += this.#decorations.format(node.id, 'wrapped', false);
    return text + (kind === 'oneline' ? ' ' : '\n');
  }

  /** Undefined when none is asked for. */
  #message(node: CommitNode, mark: string, reflog: CommitView['reflog']): string | undefined {
    const view = new NodeView(node, mark === '' ? '>' : mark, reflog);
    if (this.#format !== undefined) return this.#format.format(view);
    return this.#args.has('header') ? this.#rawFormat().format(view) : undefined;
  }

  #rawFormat(): CommitFormat {
    const { context } = this.#repository;
    return new CommitFormat({ kind: 'raw' }, { repository: this.#repository, clock: context.clock, expandTabs: 0, dateMode: parseDateMode('default'), abbreviation: 40 });
  }
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

/** Undefined: whole ids. The last of --oneline and --[no-]abbrev-commit counts. */
function digitsOf(repository: Repository, args: Arguments): number | undefined {
  const last = args.tokens.findLast((token) => token.kind === 'option' && (token.name === 'abbrev-commit' || token.name === 'oneline'));
  if (last?.kind !== 'option' || last.negated || args.flag('abbrev') === false) return undefined;
  const typed = args.value('abbrev');
  return typed === undefined ? defaultAbbreviation(repository) : Math.max(Number.parseInt(typed, 10) || 0, 4);
}
