// History drawn with characters beside the commits, one row at a time: '*' for a commit, '|' for a line of history, '\' and '/' where
// lines part and meet.
//
// A machine of six states: each commit has rows before it (room for many parents), its own row, one where the lines to its parents
// leave, and rows in which lines move left to their places. The drawing is git's --graph, row for row.
import type { CommitNode } from './history.js';

/** A line of history: the commit it leads to, and its colour (an index). */
interface Column { readonly node: CommitNode; readonly color: number }

type State = 'padding' | 'skip' | 'before' | 'commit' | 'parting' | 'moving';

export interface GraphOptions {
  /** Whether a commit will be shown. */
  readonly isShown: (node: CommitNode) => boolean;
  /** What stands for a commit: '*', 'o', '<' … */
  readonly mark: (node: CommitNode) => string;
  readonly firstParent: boolean;
  /** Escape sequences lines take in turn; empty for no colour. */
  readonly colors: readonly string[];
  readonly reset: string;
}

/** The drawing, as far as it has come. */
export class HistoryGraph {
  readonly #options: GraphOptions;
  #node: CommitNode | undefined;
  #parents: readonly CommitNode[] = [];
  #width = 0;
  #expansionRow = 0;
  #state: State = 'padding';
  #lastState: State = 'padding';
  #index = 0;
  #lastIndex = 0;
  /** 0: the first parent's line leaves to the left; 1: straight down. */
  #mergeLayout = 0;
  #edgesAdded = 0;
  #lastEdgesAdded = 0;
  #columns: Column[] = [];
  #newColumns: Column[] = [];
  #mapping: number[] = [];
  #oldMapping: number[] = [];
  #mappingSize = 0;
  #color: number;
  /** Text of the row being made, and its width without colours. */
  #row = '';
  #rowWidth = 0;

  constructor(options: GraphOptions) {
    this.#options = options;
    this.#color = options.colors.length - 1;
  }

  /** Begins a commit. */
  update(node: CommitNode): void {
    this.#node = node;
    const parents = this.#options.firstParent ? node.parents.slice(0, 1) : node.parents;
    this.#parents = parents.filter((parent) => this.#options.isShown(parent));
    this.#lastIndex = this.#index;
    this.#updateColumns();
    this.#expansionRow = 0;
    this.#state = this.#state !== 'padding' ? 'skip' : this.#needsRoom() ? 'before' : 'commit';
  }

  /** No row of the commit is left. */
  get isFinished(): boolean {
    return this.#state === 'padding';
  }

  /** Rows up to and including the commit's own, the last without its line end. */
  commitRows(): string {
    if (this.isFinished) return this.paddingRow();
    let text = '';
    while (!this.isFinished) {
      const isCommit = this.#state === 'commit';
      text += this.nextRow();
      if (isCommit) break;
      text += '\n';
    }
    return text;
  }

  /** What is left of the commit's rows, the last without its line end. */
  remainingRows(): string {
    const rows: string[] = [];
    while (!this.isFinished) rows.push(this.nextRow());
    return rows.join('\n');
  }

  /** A row for other text of the same commit. */
  paddingRow(): string {
    if (this.#state !== 'commit') return this.nextRow();
    this.#beginRow();
    for (const column of this.#columns) {
      this.#line(column, '|');
      this.#space(column.node === this.#node && this.#parents.length > 2 ? (this.#parents.length - 2) * 2 : 1);
    }
    this.#lastState = 'padding';
    return this.#endRow();
  }

  /** A message with a row before each of its lines but the first; then the rows that are left. */
  message(text: string): string {
    let out = '';
    const lines = text.split('\n');
    for (const [index, line] of lines.entries()) {
      const isLast = index === lines.length - 1;
      if (isLast && line === '') break;
      if (index > 0) out += this.nextRow();
      out += isLast ? line : `${line}\n`;
    }
    if (this.isFinished) return out;
    const ended = text.endsWith('\n');
    return `${out}${ended ? '' : '\n'}${this.remainingRows()}${ended ? '\n' : ''}`;
  }

  nextRow(): string {
    this.#beginRow();
    switch (this.#state) {
      case 'padding': this.#drawPadding(); break;
      case 'skip':
        this.#put('...');
        this.#enter(this.#needsRoom() ? 'before' : 'commit');
        break;
      case 'before': this.#drawRoom(); break;
      case 'commit': this.#drawCommit(); break;
      case 'parting': this.#drawParting(); break;
      case 'moving': this.#drawMoving(); break;
      default:
    }
    return this.#endRow();
  }

  #enter(state: State): void {
    this.#lastState = this.#state;
    this.#state = state;
  }

  #beginRow(): void {
    this.#row = '';
    this.#rowWidth = 0;
  }

  #endRow(): string {
    return this.#row + ' '.repeat(Math.max(this.#width - this.#rowWidth, 0));
  }

  #put(text: string): void {
    this.#row += text;
    this.#rowWidth += text.length;
  }

  #space(count = 1): void {
    this.#put(' '.repeat(count));
  }

  #line(column: Column | undefined, character: string): void {
    const color = column === undefined ? undefined : this.#options.colors[column.color];
    this.#row += color === undefined ? character : `${color}${character}${this.#options.reset}`;
    this.#rowWidth += 1;
  }

  #needsRoom(): boolean {
    return this.#parents.length >= 3 && this.#index < this.#columns.length - 1 && this.#expansionRow < this.#dashedParents() * 2;
  }

  #dashedParents(): number {
    return this.#parents.length + this.#mergeLayout - 3;
  }

  #updateColumns(): void {
    this.#columns = this.#newColumns;
    this.#newColumns = [];
    const most = this.#columns.length + this.#parents.length;
    this.#mappingSize = 2 * most;
    this.#mapping = new Array<number>(Math.max(this.#mappingSize, 1)).fill(-1);
    while (this.#oldMapping.length < this.#mapping.length) this.#oldMapping.push(-1);
    this.#width = 0;
    this.#lastEdgesAdded = this.#edgesAdded;
    this.#edgesAdded = 0;
    let isSeen = false;
    for (let index = 0; index <= this.#columns.length; index += 1) {
      const column = this.#columns[index];
      if (column === undefined && isSeen) break;
      if (column !== undefined && column.node !== this.#node) {
        this.#place(column.node, -1);
        continue;
      }
      isSeen = true;
      this.#index = index;
      this.#mergeLayout = -1;
      for (const parent of this.#parents) {
        if (this.#parents.length > 1 || column === undefined) this.#color = this.#options.colors.length === 0 ? 0 : (this.#color + 1) % this.#options.colors.length;
        this.#place(parent, index);
      }
      if (this.#parents.length === 0) this.#width += 2;
    }
    while (this.#mappingSize > 1 && this.#mapping[this.#mappingSize - 1]! < 0) this.#mappingSize -= 1;
  }

  #findNewColumn(node: CommitNode): number {
    return this.#newColumns.findIndex((column) => column.node === node);
  }

  /** Gives a commit its column below, and says where on this row the line to it begins. */
  #place(node: CommitNode, from: number): void {
    let to = this.#findNewColumn(node);
    if (to < 0) {
      to = this.#newColumns.length;
      this.#newColumns.push({ node, color: this.#columns.find((column) => column.node === node)?.color ?? this.#color });
    }
    let at: number;
    if (this.#parents.length > 1 && from > -1 && this.#mergeLayout === -1) {
      const distance = from - to;
      const shift = distance > 1 ? 2 * distance - 3 : 1;
      this.#mergeLayout = distance > 0 ? 0 : 1;
      this.#edgesAdded = this.#parents.length + this.#mergeLayout - 2;
      at = this.#width + (this.#mergeLayout - 1) * shift;
      this.#width += 2 * this.#mergeLayout;
    } else if (this.#edgesAdded > 0 && to === this.#mapping[this.#width - 2]) {
      at = this.#width - 2;
      this.#edgesAdded = -1;
    } else {
      at = this.#width;
      this.#width += 2;
    }
    this.#mapping[at] = to;
  }

  #isSettled(): boolean {
    for (let at = 0; at < this.#mappingSize; at += 1) {
      const target = this.#mapping[at]!;
      if (target >= 0 && target !== at >> 1) return false;
    }
    return true;
  }

  #drawPadding(): void {
    for (const column of this.#newColumns) {
      this.#line(column, '|');
      this.#space();
    }
  }

  #drawRoom(): void {
    let isSeen = false;
    for (const [index, column] of this.#columns.entries()) {
      if (column.node === this.#node) {
        isSeen = true;
        this.#line(column, '|');
        this.#space(this.#expansionRow);
      } else if (isSeen && this.#expansionRow === 0) {
        this.#line(column, this.#lastState === 'parting' && this.#lastIndex < index ? '\\' : '|');
      } else this.#line(column, isSeen ? '\\' : '|');
      this.#space();
    }
    this.#expansionRow += 1;
    if (!this.#needsRoom()) this.#enter('commit');
  }

  #drawCommit(): void {
    let isSeen = false;
    for (let index = 0; index <= this.#columns.length; index += 1) {
      const column = this.#columns[index];
      if (column === undefined && isSeen) break;
      if (column === undefined || column.node === this.#node) {
        isSeen = true;
        this.#put(this.#options.mark(this.#node!));
        if (this.#parents.length > 2) this.#drawDashes();
      } else if (isSeen && this.#edgesAdded > 1) this.#line(column, '\\');
      else if (isSeen && this.#edgesAdded === 1) {
        this.#line(column, this.#lastState === 'parting' && this.#lastEdgesAdded > 0 && this.#lastIndex < index ? '\\' : '|');
      } else if (this.#lastState === 'moving' && this.#oldMapping[2 * index + 1] === index && this.#mapping[2 * index]! < index) this.#line(column, '/');
      else this.#line(column, '|');
      this.#space();
    }
    this.#enter(this.#parents.length > 1 ? 'parting' : this.#isSettled() ? 'padding' : 'moving');
  }

  /** The dashes over the parents of a merge of more than two. */
  #drawDashes(): void {
    const dashed = this.#dashedParents();
    for (let index = 0; index < dashed; index += 1) {
      // A parent whose line was drawn already may have no column of its own here.
      const column = this.#newColumns[this.#mapping[(this.#index + index + 2) * 2] ?? -1];
      this.#line(column, '-');
      this.#line(column, index === dashed - 1 ? '.' : '-');
    }
  }

  #drawParting(): void {
    let isSeen = false;
    const first = this.#parents[0];
    let firstColumn: Column | undefined;
    for (let index = 0; index <= this.#columns.length; index += 1) {
      const column = this.#columns[index];
      if (column === undefined && isSeen) break;
      const node = column === undefined ? this.#node : column.node;
      if (column === undefined || node === this.#node) {
        isSeen = true;
        let kind = this.#mergeLayout;
        for (const [place, parent] of this.#parents.entries()) {
          this.#line(this.#newColumns[this.#findNewColumn(parent)]!, '/|\\'[kind]!);
          if (kind < 2) kind += 1;
          else if (this.#edgesAdded > 0 || place < this.#parents.length - 1) this.#space();
        }
        if (this.#edgesAdded === 0) this.#space();
      } else if (isSeen) {
        this.#line(column, this.#edgesAdded > 0 ? '\\' : '|');
        this.#space();
      } else {
        this.#line(column, '|');
        if (this.#mergeLayout !== 0 || index !== this.#index - 1) {
          if (firstColumn !== undefined) this.#line(firstColumn, '_');
          else this.#space();
        }
      }
      if (node === first) firstColumn = column;
    }
    this.#enter(this.#isSettled() ? 'padding' : 'moving');
  }

  /** Every line that is not where it belongs moves to the left: by one, across one other line, or far along a horizontal one. */
  #drawMoving(): void {
    [this.#mapping, this.#oldMapping] = [this.#oldMapping, this.#mapping];
    const mapping = this.#mapping;
    const before = this.#oldMapping;
    while (mapping.length < this.#mappingSize) mapping.push(-1);
    for (let at = 0; at < this.#mappingSize; at += 1) mapping[at] = -1;
    let horizontal = -1;
    let horizontalTarget = -1;
    for (let at = 0; at < this.#mappingSize; at += 1) {
      const target = before[at]!;
      if (target < 0) continue;
      if (target * 2 === at) mapping[at] = target;
      else if (mapping[at - 1]! < 0) {
        mapping[at - 1] = target;
        if (horizontal === -1) {
          horizontal = at;
          horizontalTarget = target;
          for (let place = target * 2 + 3; place < at - 2; place += 2) mapping[place] = target;
        }
      } else if (mapping[at - 1] !== target) {
        mapping[at - 2] = target;
        if (horizontal === -1) {
          horizontalTarget = target;
          horizontal = at - 1;
          for (let place = target * 2 + 3; place < at - 2; place += 2) mapping[place] = target;
        }
      }
    }
    for (let at = 0; at < this.#mappingSize; at += 1) before[at] = mapping[at]!;
    if (mapping[this.#mappingSize - 1]! < 0) this.#mappingSize -= 1;
    let usedHorizontal = false;
    for (let at = 0; at < this.#mappingSize; at += 1) {
      const target = mapping[at]!;
      if (target < 0) {
        this.#space();
        continue;
      }
      const column = this.#newColumns[target]!;
      if (target * 2 === at) this.#line(column, '|');
      else if (target === horizontalTarget && at !== horizontal - 1) {
        if (at !== target * 2 + 3) mapping[at] = -1;
        usedHorizontal = true;
        this.#line(column, '_');
      } else {
        if (usedHorizontal && at < horizontal) mapping[at] = -1;
        this.#line(column, '/');
      }
    }
    if (this.#isSettled()) this.#enter('padding');
  }
}
