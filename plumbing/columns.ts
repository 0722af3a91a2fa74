// Lists in columns: how wide they are, how they are filled, and what the user asked for (git-column(1), and column.* of
// git-config(1)). Items are latin1 byte strings, one line each. Nothing here touches a disk.
import { InvalidError } from '../pack/errors.js';
import type { Context } from './command.js';
import type { Config } from './config.js';
import { displayWidth } from './history/format.js';

/** How a list is laid out, and whether it is at all. */
export interface ColumnMode {
  readonly when: 'always' | 'never' | 'auto';
  readonly layout: 'column' | 'row' | 'plain';
  /** Columns of unequal width, to make the most of the line. */
  readonly dense: boolean;
}

/** What is in force until somebody says otherwise. */
export const noColumns: ColumnMode = { when: 'never', layout: 'column', dense: false };

export interface ColumnLook {
  /** Columns of the line. */
  readonly width: number;
  readonly indent: string;
  /** What ends a line. */
  readonly lineEnd: string;
  /** Spaces between columns. */
  readonly padding: number;
}

/** `former` as changed by words such as 'row,dense'; InvalidError (code 'bad-column-mode') for one that is not known. */
export function parseColumnMode(words: string, former: ColumnMode): ColumnMode {
  let mode = former;
  let [saysWhen, saysLayout] = [false, false];
  for (const word of words.split(/[ ,]+/)) {
    if (word === 'always' || word === 'never' || word === 'auto') {
      mode = { ...mode, when: word };
      saysWhen = true;
    } else if (word === 'column' || word === 'row' || word === 'plain') {
      mode = { ...mode, layout: word };
      saysLayout = true;
    } else if (word === 'dense' || word === 'nodense') {
      mode = { ...mode, dense: word === 'dense' };
    } else if (word !== '') {
      throw new InvalidError(`unsupported option '${word}'`, { code: 'bad-column-mode' });
    }
  }
  // Whoever chooses a layout wants columns.
  return saysLayout && !saysWhen ? { ...mode, when: 'always' } : mode;
}

/** What column.ui says, and after it column.<name> for the command of that name. */
export function readColumnMode(config: Config, name?: string): ColumnMode {
  let mode = noColumns;
  for (const key of ['column.ui', ...(name === undefined ? [] : [`column.${name}`])]) {
    const entry = config.find(key);
    if (entry === undefined) continue;
    if (entry.value === undefined) throw new InvalidError(`missing value for '${key}'`, { code: 'bad-config-value' });
    mode = parseColumnMode(entry.value, mode);
  }
  return mode;
}

/** Whether `mode` means columns where the output goes to `context`. */
export function usesColumns(mode: ColumnMode, context: Context): boolean {
  return mode.when === 'always' || (mode.when === 'auto' && context.stdout.isTerminal);
}

/** Columns of the terminal: what COLUMNS says, else what the terminal has. */
export function terminalColumns({ env, stdout }: Context): number {
  const told = Number.parseInt(env['COLUMNS'] ?? '', 10);
  return told > 0 ? told : stdout.columns;
}

/** The list as text; an item per line when the layout is 'plain'. */
export function formatColumns(items: readonly string[], mode: ColumnMode, look: ColumnLook): string {
  if (mode.layout === 'plain') return items.map((item) => look.indent + item + look.lineEnd).join('');
  return new Table(items, mode, look).format();
}

const escapes = /\x1b\[[\d;]*m/g;

class Table {
  readonly #items: readonly string[];
  readonly #byColumn: boolean;
  readonly #look: ColumnLook;
  readonly #lengths: readonly number[];
  readonly #cell: number;
  #rows: number;
  #columns: number;
  /** The width of each column when they differ. */
  #widths: readonly number[] | undefined;

  constructor(items: readonly string[], mode: ColumnMode, look: ColumnLook) {
    this.#items = items;
    this.#byColumn = mode.layout === 'column';
    this.#look = look;
    this.#lengths = items.map((item) => displayWidth(item.replace(escapes, '')));
    this.#cell = Math.max(0, ...this.#lengths) + look.padding;
    this.#columns = Math.max(1, Math.trunc((look.width - look.indent.length) / this.#cell));
    this.#rows = Math.ceil(items.length / this.#columns);
    if (mode.dense) this.#shrink();
  }

  #at(column: number, row: number): number {
    return this.#byColumn ? column * this.#rows + row : row * this.#columns + column;
  }

  /** One row less, as long as the columns, each as narrow as can be, still fit. */
  #shrink(): void {
    while (this.#rows > 1) {
      const [rows, columns] = [this.#rows, this.#columns];
      this.#rows -= 1;
      this.#columns = Math.ceil(this.#items.length / this.#rows);
      const total = this.#measure().reduce((sum, width) => sum + width + this.#look.padding, this.#look.indent.length);
      if (total > this.#look.width) {
        [this.#rows, this.#columns] = [rows, columns];
        break;
      }
    }
    this.#widths = this.#measure();
  }

  #measure(): number[] {
    return Array.from({ length: this.#columns }, (_, column) => {
      let width = 0;
      for (let row = 0; row < this.#rows; row += 1) width = Math.max(width, this.#lengths[this.#at(column, row)] ?? 0);
      return width;
    });
  }

  format(): string {
    const { indent, lineEnd, padding } = this.#look;
    const count = this.#items.length;
    let text = '';
    for (let row = 0; row < this.#rows; row += 1) {
      for (let column = 0; column < this.#columns; column += 1) {
        const at = this.#at(column, row);
        if (at >= count) break;
        const isLast = this.#byColumn ? at + this.#rows >= count : column === this.#columns - 1 || at === count - 1;
        const width = this.#widths === undefined ? this.#cell : this.#widths[column]! + padding;
        text += (column === 0 ? indent : '') + this.#items[at]! + (isLast ? lineEnd : ' '.repeat(Math.max(0, width - this.#lengths[at]!)));
      }
    }
    return text;
  }
}
