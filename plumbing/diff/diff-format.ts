// Differences in words: raw lines, names, counts, summaries, patches. What is printed is what git prints, byte for byte.
//
// Text is latin1, one character per byte, handed piece by piece to a sink. Files are read when their turn comes and forgotten
// afterwards. Specified by "RAW OUTPUT FORMAT", "OTHER DIFF FORMATS" and "GENERATING PATCH TEXT" of git-diff(1).
import type { ObjectStore } from '../../pack/object-store.js';
import { type ObjectId, zeroId } from '../../pack/oid.js';
import { formatMode } from '../../pack/tree.js';
import type { DiffEntry, DiffSide } from './diff.js';
import { isHuge, readSide } from './diff-content.js';
import { type DiffDriver, plainDriver } from './diff-driver.js';
import { PatchWriter, changesKind, splitChange } from './diff-patch.js';
import type { DiffPrograms } from './diff-programs.js';
import { type DirstatOptions, type FileStat, type StatOptions, formatDirstat, shortStat, writeStat } from './diff-stat.js';
import type { WordStyle } from './diff-words.js';
import { quotePath } from '../quote.js';
import { countChanges, maxScore } from './rename.js';
import { type Lines, type TextDiffOptions, diffLines, hunksOf, isBinary, splitLines, trimCommonTail } from './text-diff.js';
import type { SubmoduleDiff } from './submodule-diff.js';
import type { WhitespaceRule } from './whitespace.js';

/** Escape sequences; '' for no colour. */
export interface DiffColors {
  readonly meta: string;
  readonly frag: string;
  readonly func: string;
  readonly old: string;
  readonly new: string;
  readonly context: string;
  readonly whitespace: string;
  /** Of the line that names a commit. */
  readonly commit?: string;
  readonly reset: string;
}

export interface DiffFormatOptions {
  readonly raw?: boolean;
  readonly nameOnly?: boolean;
  readonly nameStatus?: boolean;
  readonly stat?: StatOptions;
  readonly numstat?: boolean;
  readonly shortstat?: boolean;
  readonly dirstat?: DirstatOptions;
  readonly summary?: boolean;
  readonly compactSummary?: boolean;
  readonly patch?: boolean;
  /** Tell errors in white space and left-over conflict markers. */
  readonly check?: boolean;
  /** Separate with NUL bytes, and quote nothing. */
  readonly nul?: boolean;
  readonly quotePath?: boolean;
  /** Hex digits of ids in raw lines; absent: all. */
  readonly rawAbbreviation?: number;
  /** Hex digits of ids in patches; absent: all. */
  readonly indexAbbreviation?: number;
  readonly binary?: boolean;
  /** Level contents are deflated with. */
  readonly compression?: number;
  readonly context: number;
  readonly interHunk?: number;
  /** Hunks show functions whole. */
  readonly wholeFunctions?: boolean;
  /** Of files that are gone only the header. */
  readonly irreversibleDelete?: boolean;
  readonly text?: TextDiffOptions;
  /** Changed words rather than lines; `pattern` (extended) tells what a word is. */
  readonly words?: { readonly style: WordStyle; readonly pattern?: string; readonly fallback?: string };
  /** Treat everything as text. */
  readonly allText?: boolean;
  /** What names are relative to; shares of directories are not. */
  readonly directory?: string;
  readonly oldPrefix: string;
  readonly newPrefix: string;
  /** Empty lines of context are really empty. */
  readonly suppressBlank?: boolean;
  /** What lines of hunks begin with. */
  readonly indicators?: { readonly old: string; readonly new: string; readonly context: string };
  readonly colors?: DiffColors;
  /** With colours: the lines whose white space is looked at. */
  readonly highlights?: { readonly old: boolean; readonly new: boolean; readonly context: boolean };
  readonly whitespaceOf?: (path: string) => WhitespaceRule;
  /** Length of the conflict markers a path has. */
  readonly markerSizeOf?: (path: string) => number;
  /** Written before every line (a graph). */
  readonly linePrefix?: () => string;
  readonly driverOf?: (path: string) => DiffDriver;
  /** Programs that may show a patch, or convert what is compared in one. */
  readonly programs?: DiffPrograms;
  /** Tells what changed in submodules; absent: the ids of their commits. */
  readonly submodules?: SubmoduleDiff;
  /** Paths of all parents in combined differences. */
  readonly allPaths?: boolean;
}

export type Sink = (latin1: string) => void;

/** Writes entries in all the ways asked for. */
export class DiffWriter {
  /** A patch was not empty. */
  hasPatch = false;
  /** Errors in white space were found by `check`. */
  hasErrors = false;
  readonly #store: ObjectStore;
  readonly #options: DiffFormatOptions;
  readonly #sink: Sink;
  /** What programs print gets no prefix. */
  readonly #plainSink: Sink;
  readonly #prefix: () => string;

  constructor(store: ObjectStore, options: DiffFormatOptions, sink: Sink) {
    this.#store = store;
    this.#options = options;
    this.#plainSink = sink;
    const prefix = options.linePrefix;
    this.#prefix = prefix ?? ((): string => '');
    this.#sink = prefix === undefined || options.nul ? sink : (text) => sink(text.replace(/[^\n]*\n/g, (line) => prefix() + line));
  }

  /** The widths of --stat beside what stands before each line, colours counted as git counts them. */
  #fitted(stat: StatOptions): StatOptions {
    return stat.sharesWidth ? { ...stat, width: stat.width - this.#prefix().length } : stat;
  }

  /** Everything, in git's order. */
  write(entries: readonly DiffEntry[]): void {
    const { raw, nameOnly, nameStatus, check, stat, numstat, shortstat, dirstat, summary, patch } = this.#options;
    if (entries.length === 0) return;
    let sections = 0;
    if (raw || nameOnly || nameStatus || check) {
      for (const entry of entries) {
        if (raw || nameOnly || nameStatus) this.#writeRaw(entry);
        if (check) this.#check(entry);
      }
      sections += 1;
    }
    const countsLines = dirstat?.measure === 'lines';
    if (stat || numstat || shortstat || countsLines) {
      const files = this.countLines(entries);
      if (numstat) for (const file of files) this.#writeNumbers(file);
      if (stat) writeStat(files, this.#fitted(stat), (file) => this.#statName(file), this.#options.colors ?? { old: '', new: '', reset: '' }, this.#sink);
      if (shortstat) this.#sink(shortStat(files));
      if (countsLines) this.#sink(formatDirstat(files.filter(({ isUnmerged }) => !isUnmerged).map(lineDamage), dirstat));
      sections += 1;
    }
    if (dirstat !== undefined && !countsLines) this.#sink(formatDirstat(entries.flatMap((entry) => this.#damage(entry, dirstat)), dirstat));
    if (summary) {
      const lines = entries.flatMap((entry) => this.#summarise(entry));
      for (const line of lines) this.#sink(line);
      if (lines.length > 0) sections += 1;
    }
    if (patch) {
      if (sections > 0) this.#sink(this.#options.nul ? '\0' : '\n');
      const writer = new PatchWriter(this.#store, this.#options, this.#sink, this);
      for (const entry of entries) if (!this.#showOutside(writer, entry, entries.length) && writer.write(entry)) this.hasPatch = true;
    }
  }

  /** Has a program show an entry; false when there is none. */
  #showOutside(writer: PatchWriter, entry: DiffEntry, total: number): boolean {
    const { programs } = this.#options;
    if (programs?.find(entry) === undefined || isTree(entry.old) || isTree(entry.new) || writer.isUnchanged(entry)) return false;
    const parts = changesKind(entry) && !programs.takesAll ? splitChange(entry, this.#store) : [entry];
    return parts.filter((part) => programs.show(part, total, writer.facts(part), this.#plainSink)).length > 0;
  }

  /** Looks whether a patch would show anything. */
  findPatch(entries: readonly DiffEntry[]): boolean {
    const writer = new PatchWriter(this.#store, this.#options, () => undefined, this);
    return entries.some((entry) => this.#options.programs?.find(entry) === undefined && writer.write(entry));
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
    const isMoved = entry.status === 'R' || entry.status === 'C';
    const name = head !== '' && entry.old.mode !== 0 ? entry.oldPath ?? entry.path : entry.path;
    const paths = head !== '' && isMoved ? [entry.oldPath!, entry.path] : [name];
    const words = [...(head === '' ? [] : [head]), ...paths.map((path) => (nul ? path : this.#quote(path)))];
    this.#sink((nul ? this.#prefix() : '') + words.join(nul ? '\0' : '\t') + (nul ? '\0' : '\n'));
  }

  #check(entry: DiffEntry): void {
    if (entry.new.mode === 0 || entry.status === 'U' || isTree(entry.new) || this.#isBinarySide(entry.new, entry.path)) return;
    const writer = new PatchWriter(this.#store, this.#options, this.#sink, this);
    if (writer.check(entry)) this.hasErrors = true;
  }

  /** Counts of added and deleted lines; files in which nothing of the kind looked for changed are left out. */
  countLines(entries: readonly DiffEntry[]): FileStat[] {
    return entries.flatMap((entry) => {
      if (isTree(entry.old) || isTree(entry.new)) return [];
      if (entry.status === 'U') return [{ entry, added: 0, deleted: 0, isBinary: false, isUnmerged: true }];
      const file = this.#countFile(entry);
      const isNothing = entry.status === 'M' && !file.isBinary && file.added === 0 && file.deleted === 0 && entry.old.mode === entry.new.mode;
      return isNothing ? [] : [file];
    });
  }

  #countFile(entry: DiffEntry): FileStat {
    const same = entry.old.mode !== 0 && entry.new.mode !== 0 && entry.old.id === entry.new.id && entry.old.content === undefined && entry.new.content === undefined;
    if (this.looksBinary(entry)) {
      const isEqual = same || this.#isSameContent(entry);
      return { entry, added: isEqual ? 0 : this.#sizeOf(entry.new), deleted: isEqual ? 0 : this.#sizeOf(entry.old), isBinary: true, isUnmerged: false };
    }
    let added = 0;
    let deleted = 0;
    if (entry.status === 'M' && entry.score !== undefined) {
      added = splitLines(readSide(this.#store, entry.new)).count;
      deleted = splitLines(readSide(this.#store, entry.old)).count;
    } else if (!same) {
      const { context, interHunk, text } = this.#options;
      const contents = [readSide(this.#store, entry.old), readSide(this.#store, entry.new)] as const;
      const [old, now] = (context === 0 ? trimCommonTail(...contents) : contents).map(splitLines) as [Lines, Lines];
      // What makes no difference counts where it is shown, beside something that does.
      for (const hunk of hunksOf(diffLines(old, now, text), old.count, now.count, context, interHunk ?? 0)) {
        for (const { newCount, oldCount } of hunk.changes) {
          added += newCount;
          deleted += oldCount;
        }
      }
    }
    return { entry, added, deleted, isBinary: false, isUnmerged: false };
  }

  #isSameContent(entry: DiffEntry): boolean {
    return entry.old.mode !== 0 && entry.new.mode !== 0 && entry.new.content !== undefined
      && readSide(this.#store, entry.old).equals(readSide(this.#store, entry.new));
  }

  #sizeOf(side: DiffSide): number {
    if (side.mode === 0) return 0;
    return side.content === undefined ? this.#store.readHeader(side.id).sizeBytes : side.content().length;
  }

  /** What an entry adds to the shares of directories, in bytes or files. */
  #damage(entry: DiffEntry, options: DirstatOptions): { path: string; amount: number }[] {
    const { old, new: now } = entry;
    if (entry.status === 'U' || isTree(old) || isTree(now)) return [];
    const path = (this.#options.directory ?? '') + entry.path;
    if (old.mode !== 0 && now.mode !== 0 && old.id === now.id && now.content === undefined) return [{ path, amount: 0 }];
    if (options.measure === 'files') return [{ path, amount: 1 }];
    const { copied, added } = old.mode === 0 || now.mode === 0 ? { copied: 0, added: now.mode === 0 ? 0 : readSide(this.#store, now).length }
      : countChanges(readSide(this.#store, old), readSide(this.#store, now));
    const removed = old.mode === 0 ? 0 : readSide(this.#store, old).length - copied;
    return [{ path, amount: removed + added || 1 }];
  }

  /** Its content is not shown line by line. */
  isBinary(entry: DiffEntry): boolean {
    if (this.#options.allText) return false;
    const sides = [[entry.old, entry.oldPath ?? entry.path], [entry.new, entry.path]] as const;
    return sides.some(([side, path]) => !this.#options.programs?.converts(path, side) && this.#isBinarySide(side, path));
  }

  /** Its content is not text; counts are never of text that is only taken for text. */
  looksBinary(entry: DiffEntry): boolean {
    return this.#isBinarySide(entry.old, entry.oldPath ?? entry.path) || this.#isBinarySide(entry.new, entry.path);
  }

  #isBinarySide(side: DiffSide, path: string): boolean {
    if (side.mode === 0) return false;
    return ((side.mode & 0o170000) === 0o100000 ? this.#driverOf(path).isBinary : undefined) ?? (isHuge(this.#store, side) || isBinary(readSide(this.#store, side)));
  }

  #driverOf(path: string): DiffDriver {
    return this.#options.driverOf?.(path) ?? plainDriver;
  }

  #writeNumbers(file: FileStat): void {
    const { entry } = file;
    const counts = file.isBinary ? '-\t-\t' : `${file.added}\t${file.deleted}\t`;
    const prefix = this.#options.nul ? this.#prefix() : '';
    if (this.#options.nul) this.#sink(entry.oldPath === undefined ? `${prefix}${counts}${entry.path}\0` : `${prefix}${counts}\0${entry.oldPath}\0${entry.path}\0`);
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
    if (file.entry.oldPath !== undefined && (status === 'A' || status === 'D')) return name;
    if (status === 'A') note = now.mode === 0o120000 ? 'new +l' : isExecutable(now.mode) ? 'new +x' : 'new';
    else if (status === 'D') note = 'gone';
    else if (now.mode === 0o120000 && old.mode !== 0o120000) note = 'mode +l';
    else if (old.mode === 0o120000 && now.mode !== 0o120000) note = 'mode -l';
    else if (!isExecutable(old.mode) && isExecutable(now.mode)) note = 'mode +x';
    else if (isExecutable(old.mode) && !isExecutable(now.mode)) note = 'mode -x';
    return note === '' ? name : `${name} (${note})`;
  }

  #summarise(entry: DiffEntry): string[] {
    const mode = entry.old.mode !== 0 && entry.new.mode !== 0 && entry.old.mode !== entry.new.mode
      ? ` mode change ${formatMode(entry.old.mode)} => ${formatMode(entry.new.mode)}` : '';
    switch (entry.status) {
      case 'A': return [` create mode ${formatMode(entry.new.mode)} ${this.#quote(entry.path)}\n`];
      case 'D': return [` delete mode ${formatMode(entry.old.mode)} ${this.#quote(entry.oldPath ?? entry.path)}\n`];
      case 'R': case 'C': {
        const percent = Math.trunc(((entry.score ?? 0) * 100) / maxScore);
        const line = ` ${entry.status === 'R' ? 'rename' : 'copy'} ${this.#renamed(entry.oldPath ?? entry.path, entry.path)} (${percent}%)\n`;
        return mode === '' ? [line] : [line, `${mode}\n`];
      }
      default: {
        if (entry.score !== undefined) {
          const line = ` rewrite ${this.#quote(entry.path)} (${Math.trunc((entry.score * 100) / maxScore)}%)\n`;
          return mode === '' ? [line] : [line, `${mode}\n`];
        }
        return mode === '' ? [] : [`${mode} ${this.#quote(entry.path)}\n`];
      }
    }
  }
}

/** Lines count; a binary file's bytes count as lines of 64. */
function lineDamage({ entry, added, deleted, isBinary: binary }: FileStat): { path: string; amount: number } {
  return { path: entry.path, amount: binary ? Math.ceil((added + deleted) / 64) : added + deleted };
}

function isTree(side: DiffSide): boolean {
  return (side.mode & 0o170000) === 0o040000;
}
