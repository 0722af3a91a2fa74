// Differences in words: raw lines, names, counts, summaries, patches. What is printed is what git prints, byte for byte.
//
// Text is latin1, one character per byte, handed piece by piece to a sink. Files are read when their turn comes and forgotten
// afterwards. Specified by "RAW OUTPUT FORMAT", "OTHER DIFF FORMATS" and "GENERATING PATCH TEXT" of git-diff(1).
import type { ObjectStore } from '../pack/object-store.js';
import { deflate } from '../pack/zlib.js';
import { type ObjectId, hashObject, zeroId } from '../pack/oid.js';
import { formatMode } from '../pack/tree.js';
import type { DiffEntry, DiffSide } from './diff.js';
import { isHuge, readSide } from './diff-content.js';
import { displayWidth } from './format.js';
import { quotePath } from './quote.js';
import { maxScore } from './rename.js';
import { type Hunk, type Lines, type TextDiffOptions, diffLines, hunksOf, isBinary, splitLines, trimCommonTail } from './text-diff.js';

/** Escape sequences; '' for no colour. */
export interface DiffColors {
  readonly meta: string;
  readonly frag: string;
  readonly func: string;
  readonly old: string;
  readonly new: string;
  readonly context: string;
  readonly whitespace: string;
  readonly reset: string;
}

export interface StatOptions {
  /** Columns; default 80. */
  readonly width: number;
  readonly nameWidth?: number;
  readonly graphWidth?: number;
  /** Files shown. */
  readonly count?: number;
}

export interface DiffFormatOptions {
  readonly raw?: boolean;
  readonly nameOnly?: boolean;
  readonly nameStatus?: boolean;
  readonly stat?: StatOptions;
  readonly numstat?: boolean;
  readonly shortstat?: boolean;
  readonly summary?: boolean;
  readonly compactSummary?: boolean;
  readonly patch?: boolean;
  /** Separate with NUL bytes, and quote nothing. */
  readonly nul?: boolean;
  readonly quotePath?: boolean;
  /** Hex digits of ids in raw lines; absent: all. */
  readonly rawAbbreviation?: number;
  /** Hex digits of ids in patches; absent: all. */
  readonly indexAbbreviation?: number;
  readonly binary?: boolean;
  readonly context: number;
  readonly interHunk?: number;
  readonly text?: TextDiffOptions;
  /** Treat everything as text. */
  readonly allText?: boolean;
  readonly oldPrefix: string;
  readonly newPrefix: string;
  readonly colors?: DiffColors;
  /** Written before every line (a graph). */
  readonly linePrefix?: () => string;
  /** The attribute 'diff' of a path: true for text, false for binary, undefined for neither. */
  readonly isText?: (path: string) => boolean | undefined;
}

export type Sink = (latin1: string) => void;

const noColors: DiffColors = { meta: '', frag: '', func: '', old: '', new: '', context: '', whitespace: '', reset: '' };

/** What changed in a file, in lines; for binary files in bytes. */
export interface FileStat {
  readonly entry: DiffEntry;
  readonly added: number;
  readonly deleted: number;
  readonly isBinary: boolean;
  readonly isUnmerged: boolean;
}

/** Writes entries in all the ways asked for. */
export class DiffWriter {
  readonly #store: ObjectStore;
  readonly #options: DiffFormatOptions;
  readonly #sink: Sink;
  readonly #colors: DiffColors;

  constructor(store: ObjectStore, options: DiffFormatOptions, sink: Sink) {
    this.#store = store;
    this.#options = options;
    this.#colors = options.colors ?? noColors;
    const prefix = options.linePrefix;
    this.#sink = prefix === undefined || options.nul ? sink : (text) => sink(text.replace(/[^\n]*\n/g, (line) => prefix() + line));
  }

  /** Everything, in git's order. */
  write(entries: readonly DiffEntry[]): void {
    const { raw, nameOnly, nameStatus, stat, numstat, shortstat, summary, patch } = this.#options;
    let sections = 0;
    if (raw || nameOnly || nameStatus) {
      for (const entry of entries) this.#writeRaw(entry);
      sections += 1;
    }
    if (stat || numstat || shortstat) {
      const files = this.countLines(entries);
      if (numstat) for (const file of files) this.#writeNumbers(file);
      if (stat) this.#writeStat(files, stat);
      if (shortstat) this.#sink(shortStat(files));
      sections += 1;
    }
    if (summary) {
      const lines = entries.flatMap((entry) => this.#summarise(entry));
      for (const line of lines) this.#sink(line);
      if (lines.length > 0) sections += 1;
    }
    if (patch) {
      if (sections > 0) this.#sink(this.#options.nul && !stat ? '\0' : '\n');
      for (const entry of entries) this.#writePatch(entry);
    }
  }

  #quote(path: string): string {
    return quotePath(path, { quotePath: this.#options.quotePath ?? true });
  }

  #rawId(side: DiffSide): string {
    const { rawAbbreviation } = this.#options;
    const id = side.content === undefined || side.isHashed ? side.id : zeroId(this.#store.format);
    return this.#abbreviated(id, rawAbbreviation);
  }

  #abbreviated(id: ObjectId, digits: number | undefined): string {
    if (digits === undefined || digits >= id.length) return id;
    return /^0+$/.test(id) ? id.slice(0, digits) : this.#store.abbreviate(id, digits);
  }

  #writeRaw(entry: DiffEntry): void {
    const { raw, nameStatus, nul } = this.#options;
    const status = entry.score === undefined ? entry.status : `${entry.status}${String(Math.trunc((entry.score * 100) / maxScore)).padStart(3, '0')}`;
    let head = '';
    if (raw) head = `:${formatMode(entry.old.mode)} ${formatMode(entry.new.mode)} ${this.#rawId(entry.old)} ${this.#rawId(entry.new)} ${status}`;
    else if (nameStatus) head = status;
    const paths = head !== '' && entry.oldPath !== undefined ? [entry.oldPath, entry.path] : [entry.path];
    const words = [...(head === '' ? [] : [head]), ...paths.map((path) => (nul ? path : this.#quote(path)))];
    this.#sink(words.join(nul ? '\0' : '\t') + (nul ? '\0' : '\n'));
  }

  /** Counts of added and deleted lines; files in which nothing of the kind looked for changed are left out. */
  countLines(entries: readonly DiffEntry[]): FileStat[] {
    return entries.flatMap((entry) => {
      if (entry.status === 'U') return [{ entry, added: 0, deleted: 0, isBinary: false, isUnmerged: true }];
      const file = this.#countFile(entry);
      const isNothing = entry.status === 'M' && !file.isBinary && file.added === 0 && file.deleted === 0 && entry.old.mode === entry.new.mode;
      return isNothing ? [] : [file];
    });
  }

  #countFile(entry: DiffEntry): FileStat {
    const same = entry.old.mode !== 0 && entry.new.mode !== 0 && entry.old.id === entry.new.id && entry.old.content === undefined && entry.new.content === undefined;
    if (this.#isBinary(entry)) {
      const size = (side: DiffSide): number => (side.mode === 0 ? 0 : side.content === undefined ? this.#store.readHeader(side.id).sizeBytes : side.content().length);
      return { entry, added: same ? 0 : size(entry.new), deleted: same ? 0 : size(entry.old), isBinary: true, isUnmerged: false };
    }
    let added = 0;
    let deleted = 0;
    if (!same) {
      const [old, now] = trimCommonTail(readSide(this.#store, entry.old), readSide(this.#store, entry.new));
      for (const change of diffLines(old, now, this.#options.text)) {
        if (change.ignorable) continue;
        added += change.newCount;
        deleted += change.oldCount;
      }
    }
    return { entry, added, deleted, isBinary: false, isUnmerged: false };
  }

  #isBinary(entry: DiffEntry): boolean {
    if (this.#options.allText) return false;
    return [[entry.old, entry.oldPath ?? entry.path] as const, [entry.new, entry.path] as const].some(([side, path]) => {
      if (side.mode === 0) return false;
      const declared = this.#options.isText?.(path);
      if (declared !== undefined) return !declared;
      return isHuge(this.#store, side) || isBinary(readSide(this.#store, side));
    });
  }

  #writeNumbers(file: FileStat): void {
    const { entry } = file;
    const counts = file.isBinary ? '-\t-\t' : `${file.added}\t${file.deleted}\t`;
    if (this.#options.nul) this.#sink(entry.oldPath === undefined ? `${counts}${entry.path}\0` : `${counts}\0${entry.oldPath}\0${entry.path}\0`);
    else this.#sink(`${counts}${this.#shownName(entry)}\n`);
  }

  #shownName(entry: DiffEntry): string {
    return entry.oldPath === undefined ? this.#quote(entry.path) : this.#renamed(entry.oldPath, entry.path);
  }

  /** 'dir/{old => new}/file': what two paths have in common is said once. */
  #renamed(old: string, now: string): string {
    if (this.#quote(old) !== old || this.#quote(now) !== now) return `${this.#quote(old)} => ${this.#quote(now)}`;
    let prefix = 0;
    for (let at = 0; at < old.length && at < now.length && old[at] === now[at]; at += 1) if (old[at] === '/') prefix = at + 1;
    let suffix = 0;
    const adjust = prefix > 0 ? 1 : 0;
    for (let one = old.length, two = now.length; one >= prefix - adjust && two >= prefix - adjust && old[one] === now[two]; one -= 1, two -= 1) {
      if (old[one] === '/') suffix = old.length - one;
    }
    const middle = (path: string): string => path.slice(prefix, Math.max(path.length - suffix, prefix));
    const change = `${middle(old)} => ${middle(now)}`;
    return prefix + suffix > 0 ? `${old.slice(0, prefix)}{${change}}${old.slice(old.length - suffix)}` : change;
  }

  #statName(file: FileStat): string {
    const name = this.#shownName(file.entry);
    if (!this.#options.compactSummary) return name;
    const { old, new: now, status } = file.entry;
    const isExecutable = (mode: number): boolean => (mode & 0o111) !== 0 && (mode & 0o170000) === 0o100000;
    let note = '';
    if (status === 'A') note = now.mode === 0o120000 ? 'new +l' : isExecutable(now.mode) ? 'new +x' : 'new';
    else if (status === 'D') note = 'gone';
    else if (now.mode === 0o120000 && old.mode !== 0o120000) note = 'mode +l';
    else if (old.mode === 0o120000 && now.mode !== 0o120000) note = 'mode -l';
    else if (!isExecutable(old.mode) && isExecutable(now.mode)) note = 'mode +x';
    else if (isExecutable(old.mode) && !isExecutable(now.mode)) note = 'mode -x';
    return note === '' ? name : `${name} (${note})`;
  }

  #writeStat(files: readonly FileStat[], options: StatOptions): void {
    if (files.length === 0) return;
    const colors = this.#colors;
    const isShown = (file: FileStat): boolean => file.isUnmerged || file.isBinary || file.added + file.deleted > 0 || file.entry.status !== 'same';
    const shown = files.filter(isShown).slice(0, options.count ?? files.length);
    let longest = 0;
    let mostChanges = 0;
    let binaryWidth = 0;
    let numberWidth = 0;
    for (const file of shown) {
      longest = Math.max(longest, displayWidth(this.#statName(file)));
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
      const head = ` ${fitName(this.#statName(file), nameWidth)} |`;
      if (file.isBinary) {
        const sizes = file.added === 0 && file.deleted === 0 ? ''
          : ` ${colors.old}${file.deleted}${colors.reset} -> ${colors.new}${file.added}${colors.reset} bytes`;
        this.#sink(`${head} ${'Bin'.padStart(numberWidth)}${sizes}\n`);
        continue;
      }
      if (file.isUnmerged) {
        // Stock git ends no line here, and scripts see what it prints.
        this.#sink(`${head} ${'Unmerged'.padStart(numberWidth)}`);
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
      this.#sink(`${head} ${String(total).padStart(numberWidth)}${total > 0 ? ' ' : ''}${bar('+'.repeat(plus), colors.new)}${bar('-'.repeat(minus), colors.old)}\n`);
    }
    if (shown.length < files.length) this.#sink(' ...\n');
    this.#sink(shortStat(files));
  }

  #summarise(entry: DiffEntry): string[] {
    const mode = entry.old.mode !== 0 && entry.new.mode !== 0 && entry.old.mode !== entry.new.mode
      ? ` mode change ${formatMode(entry.old.mode)} => ${formatMode(entry.new.mode)}` : '';
    switch (entry.status) {
      case 'A': return [` create mode ${formatMode(entry.new.mode)} ${this.#quote(entry.path)}\n`];
      case 'D': return [` delete mode ${formatMode(entry.old.mode)} ${this.#quote(entry.path)}\n`];
      case 'R': case 'C': {
        const percent = Math.trunc(((entry.score ?? 0) * 100) / maxScore);
        const line = ` ${entry.status === 'R' ? 'rename' : 'copy'} ${this.#renamed(entry.oldPath ?? entry.path, entry.path)} (${percent}%)\n`;
        return mode === '' ? [line] : [line, `${mode}\n`];
      }
      default: return mode === '' ? [] : [`${mode} ${this.#quote(entry.path)}\n`];
    }
  }

  #writePatch(entry: DiffEntry): void {
    const { meta, reset } = this.#colors;
    const colored = (text: string): string => (meta === '' ? `${text}\n` : `${meta}${text}${reset}\n`);
    if (entry.status === 'U') {
      this.#sink(`* Unmerged path ${entry.path}\n`);
      return;
    }
    if (isTree(entry.old) || isTree(entry.new)) return;
    if (entry.old.mode !== 0 && entry.new.mode !== 0 && (entry.old.mode & 0o170000) !== (entry.new.mode & 0o170000)) {
      const nothing: DiffSide = { mode: 0, id: zeroId(this.#store.format) };
      this.#writePatch({ path: entry.path, status: 'D', old: entry.old, new: nothing });
      this.#writePatch({ path: entry.path, status: 'A', old: nothing, new: entry.new });
      return;
    }
    const header = this.#patchHeader(entry).map(colored).join('');
    const isPlain = entry.status === 'M' && entry.old.mode === entry.new.mode;
    const old = readIfText(this.#store, entry.old);
    const now = readIfText(this.#store, entry.new);
    if (this.#isBinary(entry)) {
      const isEqual = entry.old.mode !== 0 && entry.new.mode !== 0 && (entry.old.id === entry.new.id && entry.new.content === undefined || (old !== undefined && now !== undefined && old.equals(now)));
      if (isEqual) {
        if (!isPlain) this.#sink(header);
        return;
      }
      this.#sink(header);
      if (this.#options.binary) this.#writeBinary(entry);
      else this.#sink(`Binary files ${this.#oldName(entry, false)} and ${this.#newName(entry, false)} differ\n`);
      return;
    }
    const body = this.#patchBody(entry, splitLines(old ?? readSide(this.#store, entry.old)), splitLines(now ?? readSide(this.#store, entry.new)));
    if (body === '' && isPlain) return;
    this.#sink(header);
    if (body === '') return;
    this.#sink(`${colored(`--- ${this.#oldName(entry, true)}`)}${colored(`+++ ${this.#newName(entry, true)}`)}`);
    this.#sink(body);
  }

  #oldName(entry: DiffEntry, withTab: boolean): string {
    return entry.old.mode === 0 ? '/dev/null' : this.#prefixed(this.#options.oldPrefix, entry.oldPath ?? entry.path, withTab);
  }

  #newName(entry: DiffEntry, withTab: boolean): string {
    return entry.new.mode === 0 ? '/dev/null' : this.#prefixed(this.#options.newPrefix, entry.path, withTab);
  }

  #prefixed(prefix: string, path: string, withTab: boolean): string {
    const name = this.#quote(prefix + path);
    return withTab && /[ \t]/.test(name) ? `${name}\t` : name;
  }

  #patchHeader(entry: DiffEntry): string[] {
    const { oldPrefix, newPrefix } = this.#options;
    const lines = [`diff --git ${this.#quote(oldPrefix + (entry.oldPath ?? entry.path))} ${this.#quote(newPrefix + entry.path)}`];
    const { old, new: now } = entry;
    if (old.mode === 0) lines.push(`new file mode ${formatMode(now.mode)}`);
    else if (now.mode === 0) lines.push(`deleted file mode ${formatMode(old.mode)}`);
    else if (old.mode !== now.mode) lines.push(`old mode ${formatMode(old.mode)}`, `new mode ${formatMode(now.mode)}`);
    if (entry.oldPath !== undefined) {
      const word = entry.status === 'C' ? 'copy' : 'rename';
      lines.push(`similarity index ${Math.trunc(((entry.score ?? 0) * 100) / maxScore)}%`);
      lines.push(`${word} from ${this.#quote(entry.oldPath)}`, `${word} to ${this.#quote(entry.path)}`);
    }
    const one = this.#contentId(old);
    const two = this.#contentId(now);
    if (one !== two) {
      const full = this.#options.binary && this.#isBinary(entry);
      const digits = full ? undefined : this.#options.indexAbbreviation;
      const mode = old.mode !== 0 && old.mode === now.mode ? ` ${formatMode(old.mode)}` : '';
      lines.push(`index ${this.#abbreviated(one, digits)}..${this.#abbreviated(two, digits)}${mode}`);
    }
    return lines;
  }

  /** The id of what is shown; of a work-tree file it is made now. */
  #contentId(side: DiffSide): ObjectId {
    if (side.mode === 0 || side.content === undefined) return side.id;
    return (side.mode & 0o170000) === 0o160000 ? side.id : hashObject('blob', side.content(), this.#store.format);
  }

  #patchBody(entry: DiffEntry, old: Lines, now: Lines): string {
    const { context, interHunk, text } = this.#options;
    let [one, two] = [old, now];
    if (context === 0) [one, two] = trimCommonTail(old.bytes, now.bytes).map(splitLines) as [Lines, Lines];
    const changes = diffLines(one, two, text);
    const hunks = hunksOf(changes, one.count, two.count, context, interHunk ?? 0);
    const painter = new HunkPainter(one, two, this.#colors, entry.new.mode === 0 ? undefined : now);
    return hunks.map((hunk) => painter.paint(hunk)).join('');
  }

  /** git's own way to write binary content: deflated, in base 85; whole contents both ways, so that it can be undone. */
  #writeBinary(entry: DiffEntry): void {
    this.#sink('GIT binary patch\n');
    this.#sink(binaryBlock(readSide(this.#store, entry.new)));
    this.#sink(binaryBlock(readSide(this.#store, entry.old)));
  }
}

function isTree(side: DiffSide): boolean {
  return (side.mode & 0o170000) === 0o040000;
}

function readIfText(store: ObjectStore, side: DiffSide): Buffer | undefined {
  return isHuge(store, side) ? undefined : readSide(store, side);
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

const whitespaceEnd = /[ \t\v\f\r]*$/;

/** Hunks of one file as text. */
export class HunkPainter {
  readonly #old: Lines;
  readonly #new: Lines;
  readonly #colors: DiffColors;
  /** The blank lines that end the new text begin here, when there are more of them than before. */
  readonly #blankAtEnd: number;
  #function = '';
  #functionFrom = -1;

  constructor(old: Lines, now: Lines, colors: DiffColors, whole: Lines | undefined) {
    this.#old = old;
    this.#new = now;
    this.#colors = colors;
    const blanks = (lines: Lines): number => {
      let count = 0;
      while (count < lines.count && lineOf(lines, lines.count - 1 - count).trim() === '') count += 1;
      return count;
    };
    const more = colors.whitespace !== '' && whole !== undefined && blanks(now) > blanks(old);
    this.#blankAtEnd = more ? now.count - blanks(now) : Infinity;
  }

  paint(hunk: Hunk): string {
    const { frag, func, context, reset } = this.#colors;
    const range = (at: number, count: number): string => `${count === 0 ? at : at + 1}${count === 1 ? '' : `,${count}`}`;
    const place = `@@ -${range(hunk.oldAt, hunk.oldCount)} +${range(hunk.newAt, hunk.newCount)} @@`;
    const heading = this.#heading(hunk.oldAt);
    let text = frag + place + (frag === '' ? '' : reset);
    if (heading !== '') text += reset === '' ? ` ${heading}` : `${context} ${reset}${func}${heading}${reset}`;
    text += '\n';
    let at = hunk.newAt;
    for (const change of hunk.changes) {
      for (; at < change.newAt; at += 1) text += this.#line(' ', this.#new, at, context);
      for (let index = 0; index < change.oldCount; index += 1) text += this.#line('-', this.#old, change.oldAt + index, this.#colors.old);
      for (let index = 0; index < change.newCount; index += 1) text += this.#added(change.newAt + index);
      at = change.newAt + change.newCount;
    }
    for (; at < hunk.newAt + hunk.newCount; at += 1) text += this.#line(' ', this.#new, at, context);
    return text;
  }

  /** The nearest line before the hunk that begins like a definition; a hunk without one repeats the last. */
  #heading(before: number): string {
    for (let at = before - 1; at > this.#functionFrom; at -= 1) {
      const line = lineOf(this.#old, at);
      if (!/^[A-Za-z_$]/.test(line)) continue;
      this.#function = line.slice(0, 80).replace(/[ \t\n\v\f\r]+$/, '');
      break;
    }
    this.#functionFrom = Math.max(before - 1, this.#functionFrom);
    return this.#function;
  }

  #line(sign: string, lines: Lines, at: number, color: string): string {
    const line = lineOf(lines, at);
    const end = line.endsWith('\n') ? '' : `\n${noNewline(this.#colors)}`;
    const body = line.endsWith('\n') ? line.slice(0, -1) : line;
    if (this.#colors.reset === '') return `${sign}${body}\n${end.slice(1)}`;
    const carriage = body.endsWith('\r') ? '\r' : '';
    return `${color}${sign}${carriage ? body.slice(0, -1) : body}${this.#colors.reset}${carriage}\n${end.slice(1)}`;
  }

  /** An added line, with what is wrong in its white space marked. */
  #added(at: number): string {
    const { new: color, whitespace, reset } = this.#colors;
    if (reset === '') return this.#line('+', this.#new, at, '');
    const line = lineOf(this.#new, at);
    const end = line.endsWith('\n') ? '' : noNewline(this.#colors);
    let body = line.endsWith('\n') ? line.slice(0, -1) : line;
    if (at >= this.#blankAtEnd && body.trim() === '') return `${whitespace}+${body}${reset}\n${end}`;
    let text = `${color}+${reset}`;
    const trailing = whitespaceEnd.exec(body)![0];
    body = body.slice(0, body.length - trailing.length);
    let written = 0;
    for (let index = 0; index < body.length && (body[index] === ' ' || body[index] === '\t'); index += 1) {
      if (body[index] === ' ') continue;
      const blanks = body.slice(written, index);
      text += blanks === '' ? '\t' : `${whitespace}${blanks}${reset}\t`;
      written = index + 1;
    }
    if (body.length > written) text += `${color}${body.slice(written)}${reset}`;
    if (trailing !== '') text += `${whitespace}${trailing}${reset}`;
    return `${text}\n${end}`;
  }
}

function noNewline(colors: DiffColors): string {
  return colors.reset === '' ? '\\ No newline at end of file\n' : `${colors.context}\\ No newline at end of file${colors.reset}\n`;
}

function lineOf(lines: Lines, index: number): string {
  return lines.bytes.toString('latin1', lines.starts[index]!, lines.starts[index + 1]!);
}

const base85 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~';

function binaryBlock(content: Buffer): string {
  const packed = deflate(content);
  let text = `literal ${content.length}\n`;
  for (let at = 0; at < packed.length; at += 52) {
    const line = packed.subarray(at, Math.min(at + 52, packed.length));
    text += String.fromCharCode(line.length <= 26 ? 64 + line.length : 70 + line.length);
    for (let from = 0; from < line.length; from += 4) {
      let value = 0;
      for (let index = 0; index < 4; index += 1) value = value * 256 + (line[from + index] ?? 0);
      let digits = '';
      for (let index = 0; index < 5; index += 1) {
        digits = base85[value % 85]! + digits;
        value = Math.floor(value / 85);
      }
      text += digits;
    }
    text += '\n';
  }
  return `${text}\n`;
}
