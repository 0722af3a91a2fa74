// Counts of what changed: lines of --stat, --shortstat, and shares of directories (--dirstat). Specified by git-diff(1).
//
// Widths and roundings are git's; text is latin1.
import type { DiffEntry } from './diff.js';
import { displayWidth } from '../history/format.js';

export interface StatOptions {
  /** Columns; default 80. */
  readonly width: number;
  /** The width is that of the terminal: what stands before each line (a graph) takes its share. */
  readonly sharesWidth?: boolean;
  readonly nameWidth?: number;
  readonly graphWidth?: number;
  /** Files shown. */
  readonly count?: number;
}

/** What changed in a file, in lines; for binary files in bytes. */
export interface FileStat {
  readonly entry: DiffEntry;
  readonly added: number;
  readonly deleted: number;
  readonly isBinary: boolean;
  readonly isUnmerged: boolean;
}

/** Escape sequences; '' for no colour. */
export interface StatColors { readonly old: string; readonly new: string; readonly reset: string }

/** The histogram, one line for each file, and the line of counts. */
export function writeStat(files: readonly FileStat[], options: StatOptions, names: (file: FileStat) => string, colors: StatColors, sink: (text: string) => void): void {
  if (files.length === 0) return;
  const isShown = (file: FileStat): boolean => file.isUnmerged || file.isBinary || file.added + file.deleted > 0 || file.entry.status !== 'same';
  const shown = files.filter(isShown).slice(0, options.count ?? files.length);
  let longest = 0;
  let mostChanges = 0;
  let binaryWidth = 0;
  let numberWidth = 0;
  for (const file of shown) {
    longest = Math.max(longest, displayWidth(names(file)));
    if (file.isUnmerged) binaryWidth = Math.max(binaryWidth, 8);
    else if (file.isBinary) {
      binaryWidth = Math.max(binaryWidth, 14 + String(file.added).length + String(file.deleted).length);
      numberWidth = 3;
    } else mostChanges = Math.max(mostChanges, file.added + file.deleted);
  }
  numberWidth = Math.max(numberWidth, String(mostChanges).length);
  const width = Math.max(options.width, 16 + 6 + numberWidth);
  let graphWidth = mostChanges + 4 > binaryWidth ? mostChanges : binaryWidth - 4;
  const limit = options.graphWidth ?? 0;
  if (limit > 0 && limit < graphWidth) graphWidth = limit;
  let nameWidth = options.nameWidth !== undefined && options.nameWidth > 0 && options.nameWidth < longest ? options.nameWidth : longest;
  if (nameWidth + numberWidth + 6 + graphWidth > width) {
    if (graphWidth > Math.trunc((width * 3) / 8) - numberWidth - 6) graphWidth = Math.max(Math.trunc((width * 3) / 8) - numberWidth - 6, 6);
    if (limit > 0 && graphWidth > limit) graphWidth = limit;
    if (nameWidth > width - numberWidth - 6 - graphWidth) nameWidth = width - numberWidth - 6 - graphWidth;
    else graphWidth = width - numberWidth - 6 - nameWidth;
  }
  const scale = (count: number): number => (count === 0 ? 0 : 1 + Math.trunc((count * (graphWidth - 1)) / mostChanges));
  for (const file of shown) {
    const head = ` ${fitName(names(file), nameWidth)} |`;
    if (file.isBinary) {
      const sizes = file.added === 0 && file.deleted === 0 ? ''
        : ` ${colors.old}${file.deleted}${colors.reset} -> ${colors.new}${file.added}${colors.reset} bytes`;
      sink(`${head} ${'Bin'.padStart(numberWidth)}${sizes}\n`);
      continue;
    }
    if (file.isUnmerged) {
      // Stock git ends no line here, and scripts see what it prints.
      sink(`${head} ${'Unmerged'.padStart(numberWidth)}`);
      continue;
    }
    let plus = file.added;
    let minus = file.deleted;
    if (graphWidth <= mostChanges) {
      let total = scale(plus + minus);
      if (total < 2 && plus > 0 && minus > 0) total = 2;
      if (plus < minus) {
        plus = scale(plus);
        minus = total - plus;
      } else {
        minus = scale(minus);
        plus = total - minus;
      }
    }
    const bar = (text: string, color: string): string => (text === '' ? '' : `${color}${text}${color === '' ? '' : colors.reset}`);
    const total = file.added + file.deleted;
    sink(`${head} ${String(total).padStart(numberWidth)}${total > 0 ? ' ' : ''}${bar('+'.repeat(plus), colors.new)}${bar('-'.repeat(minus), colors.old)}\n`);
  }
  if (shown.length < files.length) sink(' ...\n');
  sink(shortStat(files));
}

/** A name in `width` columns: cut at the front, at a slash where there is one. */
function fitName(name: string, width: number): string {
  const columns = displayWidth(name);
  if (columns <= width) return name + ' '.repeat(width - columns);
  const rest = name.slice(name.length - Math.max(width - 3, 0));
  const slash = rest.indexOf('/');
  const shown = `...${slash < 0 ? rest : rest.slice(slash)}`;
  return shown.padEnd(width);
}

/** ' 2 files changed, 3 insertions(+), 1 deletion(-)'. */
export function shortStat(files: readonly FileStat[]): string {
  const counted = files.filter((file) => !file.isUnmerged);
  if (counted.length === 0) return files.length === 0 ? '' : ' 0 files changed\n';
  let added = 0;
  let deleted = 0;
  for (const file of counted) {
    if (file.isBinary) continue;
    added += file.added;
    deleted += file.deleted;
  }
  return formatShortStat(counted.length, added, deleted);
}

/** The line of counts that ends a --stat. */
export function formatShortStat(files: number, added: number, deleted: number): string {
  let line = ` ${files} file${files === 1 ? '' : 's'} changed`;
  if (added > 0 || deleted === 0) line += `, ${added} insertion${added === 1 ? '' : 's'}(+)`;
  if (deleted > 0 || added === 0) line += `, ${deleted} deletion${deleted === 1 ? '' : 's'}(-)`;
  return `${line}\n`;
}

export interface DirstatOptions {
  /** What is counted: bytes that changed, lines that changed, or files. */
  readonly measure: 'changes' | 'lines' | 'files';
  /** Parents count what their directories told. */
  readonly cumulative: boolean;
  /** Shares below this are not told. */
  readonly permille: number;
}

/** How much of what changed lies in which directory; `changes` are by path. */
export function formatDirstat(changes: readonly { readonly path: string; readonly amount: number }[], options: DirstatOptions): string {
  const total = changes.reduce((sum, { amount }) => sum + amount, 0);
  if (total === 0) return '';
  const files = changes.toSorted((one, two) => (one.path < two.path ? -1 : one.path > two.path ? 1 : 0));
  let at = 0;
  let text = '';
  const gather = (base: string): number => {
    let sum = 0;
    let sources = 0;
    for (let file = files[at]; file !== undefined && file.path.startsWith(base); file = files[at]) {
      const slash = file.path.indexOf('/', base.length);
      if (slash >= 0) {
        sum += gather(file.path.slice(0, slash + 1));
        sources += 1;
      } else {
        sum += file.amount;
        at += 1;
        sources += 2;
      }
    }
    // Nothing is told of the top, nor where everything came from one directory below.
    if (base === '' || sources === 1 || sum === 0) return sum;
    const permille = Math.trunc((sum * 1000) / total);
    if (permille < options.permille) return sum;
    text += `${String(Math.trunc(permille / 10)).padStart(4)}.${permille % 10}% ${base}\n`;
    return options.cumulative ? sum : 0;
  };
  gather('');
  return text;
}
