// What differs between the index and the work tree, and what the work tree holds beyond the index: one walk that reads each
// directory once and looks at each tracked file once. A directory whose files are as many as the index has there, all of
// them found, holds nothing untracked; its names are then not even compared.
//
// Untracked and ignored directories are collapsed as git-status(1) and gitignore(5) describe. Only reads; what was found to be
// unchanged although its stat had changed is handed back, so that the caller may refresh the index.
import type { Stats } from 'node:fs';
import { pathToUtf8, fileMode, gitlinkMode, type RepoPath } from '../../pack/tree.js';
import type { IgnoreRules } from '../ignore.js';
import type { StatData } from './appearance.js';
import type { Index, IndexEntry } from './index-file.js';
import type { KnownDirectories } from './known-directories.js';
import type { LookAhead } from './look-ahead.js';
import type { Pathspec } from '../pathspec.js';
import { UnchangedFiles } from './unchanged-files.js';
import type { Change, WorkTree } from './work-tree.js';

export interface ScanOptions {
  /** 'no': do not look; 'normal': collapse directories with nothing tracked; 'all': every file. */
  readonly untracked?: 'no' | 'normal' | 'all';
  /** 'traditional' collapses directories with nothing but ignored files, 'matching' those a pattern names. */
  readonly ignored?: 'no' | 'traditional' | 'matching';
  readonly pathspec?: Pathspec;
  /** Asked for when something untracked is found; without rules nothing is ignored. */
  readonly rules?: () => IgnoreRules;
  /** Report untracked directories even when nothing is in them (ls-files --directory). */
  readonly emptyDirectories?: boolean;
  /** Only what lies in this directory (with trailing slash). */
  readonly below?: string;
  /** Look into ignored directories and report their files one by one (ls-files -o -i). */
  readonly expandIgnored?: boolean;
  /** Do not look at tracked files (ls-files -o). */
  readonly trackedUnchecked?: boolean;
  /** Directories that need not be read while they look as they did; what is read is remembered in it. */
  readonly directories?: KnownDirectories;
  /** Threads that look at tracked files meanwhile. */
  readonly ahead?: LookAhead | undefined;
}

export interface Scan {
  /** In path order; entries of the index only. */
  readonly changes: Change[];
  /** Sorted; directories end in a slash. */
  readonly untracked: RepoPath[];
  readonly ignored: RepoPath[];
  /** Unchanged entries with the stat they should have. */
  readonly refreshed: IndexEntry[];
}

/** Compares the work tree with the index, within `pathspec`. */
export function scanWorkTree(workTree: WorkTree, index: Index, options: ScanOptions = {}): Scan {
  const scanner = new Scanner(workTree, index, options);
  if ((options.untracked ?? 'no') === 'no' && (options.ignored ?? 'no') === 'no') scanner.scanTracked();
  else {
    const { from, to } = index.rangeOf(options.below ?? '');
    scanner.walk(options.below ?? '', from, to);
  }
  return scanner.finish();
}

/** Compares one entry with its file; undefined when nothing changed. `refresh` is told the stat of an unchanged file that looks different. */
export function compareEntry(workTree: WorkTree, index: Index, entry: IndexEntry, refresh?: (stat: StatData) => void): Change | undefined {
  if (entry.assumeValid || entry.skipWorktree) return undefined;
  const old = { mode: entry.mode, id: entry.id };
  const status = workTree.findOwnStatus(entry.path);
  if (status === undefined) return { path: entry.path, kind: 'deleted', old };
  return compareFound(workTree, index, entry, status, refresh);
}

function compareFound(
  workTree: WorkTree, index: Index, entry: IndexEntry, status: NonNullable<ReturnType<WorkTree['findStatus']>>, refresh?: (stat: StatData) => void,
): Change | undefined {
  const { path } = entry;
  const old = { mode: entry.mode, id: entry.id };
  if (status.isDirectory() && entry.mode !== gitlinkMode && !workTree.isNestedRepository(path)) return { path, kind: 'deleted', old };
  const mode = workTree.modeOf(status, entry.mode) ?? fileMode;
  if (entry.intentToAdd) return { path, kind: 'added', old, new: { mode } };
  const compared = workTree.compareStatus(entry, status, index);
  if (compared === 'same') return undefined;
  if (compared === 'dubious') {
    const found = entry.mode === gitlinkMode ? undefined : workTree.statData(path);
    if (workTree.hasContentOf(entry)) {
      if (found !== undefined) refresh?.(found.stat);
      return undefined;
    }
  }
  return { path, kind: (mode & 0o170000) === (entry.mode & 0o170000) ? 'modified' : 'typechange', old, new: { mode } };
}

type Content = 'nothing' | 'ignored' | 'untracked';

class Scanner {
  readonly #workTree: WorkTree;
  readonly #index: Index;
  readonly #options: ScanOptions;
  readonly #pathspec: Pathspec | undefined;
  readonly #wantUntracked: boolean;
  readonly #wantIgnored: boolean;
  readonly #changes: Change[] = [];
  readonly #untracked: string[] = [];
  readonly #ignored: string[] = [];
  readonly #refreshed: IndexEntry[] = [];
  readonly #isAscii: boolean;
  /** Where every entry counts. */
  readonly #unchanged: UnchangedFiles | undefined;
  #rules: IgnoreRules | undefined;

  constructor(workTree: WorkTree, index: Index, options: ScanOptions) {
    this.#workTree = workTree;
    this.#index = index;
    this.#isAscii = index.isAscii;
    this.#options = options;
    this.#pathspec = options.pathspec === undefined || options.pathspec.matchesAll ? undefined : options.pathspec;
    this.#wantUntracked = (options.untracked ?? 'no') !== 'no';
    this.#wantIgnored = (options.ignored ?? 'no') !== 'no';
    if (this.#pathspec === undefined && !options.trackedUnchecked) this.#unchanged = new UnchangedFiles(workTree, index, options.ahead);
  }

  finish(): Scan {
    const sort = (paths: string[]): RepoPath[] => paths.sort() as RepoPath[];
    return { changes: this.#changes, untracked: sort(this.#untracked), ignored: sort(this.#ignored), refreshed: this.#refreshed };
  }

  /** Every entry on its own, no directory read. */
  scanTracked(): void {
    const index = this.#index;
    for (let at = 0; at < index.count;) {
      if (this.#unchanged?.has(at)) {
        at += 1;
        continue;
      }
      const path = index.pathAt(at);
      if (this.#pathspec === undefined || this.#pathspec.matches(path)) {
        this.#compare(at, path, this.#skips(at) ? undefined : this.#workTree.findOwnStatus(path));
      }
      at = this.#afterPath(at, path);
    }
  }

  /** One directory ('' or with trailing slash) that has the index's entries [from, to), and its status when that is known. */
  walk(directory: string, from: number, to: number, own?: Stats): void {
    const index = this.#index;
    const unchecked = this.#options.trackedUnchecked === true;
    const listed = this.#countNames(directory, own);
    let found = 0;
    let exact = !unchecked;
    const skip = directory.length;
    for (let at = from; at < to;) {
      const next = this.#unchanged?.pass(at, to, skip) ?? at;
      found += next - at;
      at = next;
      if (at === to) break;
      const path = index.pathAt(at);
      const slash = path.indexOf('/', skip);
      if (slash >= 0) {
        const below = path.slice(0, slash + 1);
        const end = index.endOfDirectory(below, at, to);
        const status = listed > 0 ? this.#workTree.findStatus(path.slice(0, slash)) : undefined;
        const isThere = status?.isDirectory() === true;
        if (isThere) found += 1;
        if (this.#pathspec === undefined || this.#pathspec.mayMatchBelow(below)) {
          if (isThere) this.walk(below, at, end, status);
          else if (!unchecked) this.#compareMissing(at, end);
        }
        at = end;
        continue;
      }
      const isPlain = index.isPlainAt(at);
      if (unchecked || (!isPlain && this.#skips(at)) || (this.#pathspec !== undefined && !this.#pathspec.matches(path))) {
        exact = false;
      } else {
        const status = this.#isAscii ? this.#workTree.findAsciiStatus(path) : this.#workTree.findStatus(path);
        if (status !== undefined && ((status.mode & 0o170000) !== 0o040000 || index.modeAt(at) === gitlinkMode)) found += 1;
        this.#compare(at, path, status);
      }
      at = isPlain ? at + 1 : this.#afterPath(at, path);
    }
    if (!exact || found !== listed) this.#listUntracked(directory, from, to);
  }

  #countNames(directory: string, status: Stats | undefined): number {
    const { directories } = this.#options;
    if (directories === undefined || status === undefined) return this.#workTree.countNames(directory);
    const known = directories.find(directory, status);
    if (known !== undefined) return known;
    const count = this.#workTree.countNames(directory);
    directories.keep(directory, status, count);
    return count;
  }

  /** What is in a directory beyond the entries [from, to). */
  #listUntracked(directory: string, from: number, to: number): void {
    const files = new Set<string>();
    const directories = new Set<string>();
    for (let at = from; at < to;) {
      const path = this.#index.pathAt(at);
      const slash = path.indexOf('/', directory.length);
      if (slash >= 0) {
        directories.add(path.slice(directory.length, slash));
        at = this.#index.endOfDirectory(path.slice(0, slash + 1), at, to);
        continue;
      }
      (this.#index.modeAt(at) === gitlinkMode ? directories : files).add(path.slice(directory.length));
      at += 1;
    }
    for (const { name, kind } of this.#workTree.list(directory)) {
      if (name === '.git' || name === '.cairn' || kind === 'other') continue;
      if (kind === 'directory') {
        if (!directories.has(name)) this.#visit(`${directory}${name}/`);
      } else if (!files.has(name)) {
        this.#reportFile(`${directory}${name}`, false);
      }
    }
  }

  /** A file that is not in the index; `excluded` when its directory is ignored. */
  #reportFile(path: string, excluded: boolean): Content {
    if (this.#pathspec !== undefined && !this.#pathspec.matches(path)) return 'nothing';
    if (excluded || this.#isIgnored(path, false)) {
      if (this.#wantIgnored) this.#ignored.push(path);
      return 'ignored';
    }
    if (this.#wantUntracked) this.#untracked.push(path);
    return 'untracked';
  }

  /** A directory (with trailing slash) nothing in which is in the index. */
  #visit(directory: string, parentExcluded = false): Content {
    const path = directory.slice(0, -1);
    const wholly = this.#pathspec === undefined || this.#pathspec.matches(path, true);
    if (!wholly && !this.#pathspec!.mayMatchBelow(directory)) return 'nothing';
    const excluded = parentExcluded || this.#isIgnored(path, true);
    if (this.#workTree.isNestedRepository(path)) {
      // Where the index has a file, this is its change.
      if (!wholly || this.#index.has(path)) return 'nothing';
      if (excluded) { if (this.#wantIgnored) this.#ignored.push(directory); } else if (this.#wantUntracked) this.#untracked.push(directory);
      return excluded ? 'ignored' : 'untracked';
    }
    if (excluded && !this.#wantIgnored) return 'ignored';
    if (excluded && this.#options.ignored === 'matching' && !this.#options.expandIgnored) {
      this.#ignored.push(directory);
      return 'ignored';
    }
    const collapses = this.#options.untracked === 'normal' && wholly;
    // Where the index has a file the directory is only reported file by file.
    if (collapses && this.#index.has(path)) return 'nothing';
    if (collapses && this.#options.emptyDirectories && !this.#wantIgnored) {
      this.#untracked.push(directory);
      return 'untracked';
    }
    const untrackedBefore = this.#untracked.length;
    const ignoredBefore = this.#ignored.length;
    const content = this.#visitEntries(directory, excluded, collapses);
    if (!collapses) return content;
    if (content === 'untracked') {
      this.#untracked.length = untrackedBefore;
      if (this.#wantUntracked) this.#untracked.push(directory);
    } else if (content === 'ignored' && this.#options.ignored === 'traditional') {
      this.#ignored.length = ignoredBefore;
      this.#ignored.push(directory);
    }
    return content;
  }

  #visitEntries(directory: string, excluded: boolean, collapses: boolean): Content {
    let content: Content = 'nothing';
    for (const { name, kind } of this.#workTree.list(directory)) {
      if (name === '.git' || name === '.cairn' || kind === 'other') continue;
      const inner = kind === 'directory' ? this.#visit(`${directory}${name}/`, excluded) : this.#reportFile(`${directory}${name}`, excluded);
      if (inner === 'untracked' || content === 'nothing') content = inner;
      // One untracked file is enough to know, unless ignored ones are wanted too.
      if (collapses && content === 'untracked' && !this.#wantIgnored) return content;
    }
    return content;
  }

  #isIgnored(path: string, isDirectory: boolean): boolean {
    if (this.#options.rules === undefined) return false;
    this.#rules ??= this.#options.rules();
    return this.#rules.isIgnored(path, isDirectory);
  }

  /** True for an entry nobody wants compared. */
  #skips(at: number): boolean {
    if (this.#index.isPlainAt(at)) return false;
    const entry = this.#index.entryAt(at);
    return entry.stage === 0 && (entry.assumeValid || entry.skipWorktree);
  }

  #afterPath(at: number, path: string): number {
    let next = at + 1;
    if (this.#index.isPlainAt(at)) return next;
    while (next < this.#index.count && this.#index.stageAt(next) !== 0 && this.#index.pathAt(next) === path) next += 1;
    return next;
  }

  #compareMissing(from: number, to: number): void {
    for (let at = from; at < to;) {
      const path = this.#index.pathAt(at);
      if (this.#pathspec === undefined || this.#pathspec.matches(path)) this.#compare(at, path, undefined);
      at = this.#afterPath(at, path);
    }
  }

  #compare(at: number, path: RepoPath, status: ReturnType<WorkTree['findStatus']>): void {
    const index = this.#index;
    if (!index.isPlainAt(at)) {
      if (this.#skips(at)) return;
      if (index.stageAt(at) !== 0) {
        const mode = status === undefined ? undefined : this.#workTree.modeOf(status);
        this.#changes.push(mode === undefined ? { path, kind: 'unmerged' } : { path, kind: 'unmerged', new: { mode } });
        return;
      }
    }
    if (status === undefined) {
      this.#changes.push({ path, kind: 'deleted', old: { mode: index.modeAt(at), id: index.idAt(at) } });
      return;
    }
    const { mode } = status;
    const isFile = (mode & 0o170000) === 0o100000;
    if (isFile && index.isPlainAt(at) && this.#workTree.compareStatus(index.comparableAt(at), status, index) === 'same') return;
    const entry = index.entryAt(at);
    const change = compareFound(this.#workTree, index, entry, status, (stat) => this.#refreshed.push({ ...entry, stat }));
    if (change !== undefined) this.#changes.push(change);
  }
}

/** Puts what a scan found unchanged back with its present stat; true when there was any. */
export function applyRefresh(index: Index, scan: Scan): boolean {
  for (const entry of scan.refreshed) index.refresh(entry);
  return scan.refreshed.length > 0;
}

/** A path for people, from where the command was typed: '../x', './' for the directory itself. */
export function relativePath(path: string, prefix: string): string {
  if (prefix === '') return path;
  const from = prefix.slice(0, -1).split('/');
  const to = path.split('/');
  let same = 0;
  while (same < from.length && same < to.length - 1 && from[same] === to[same]) same += 1;
  const result = '../'.repeat(from.length - same) + to.slice(same).join('/');
  return result === '' ? './' : result;
}

/** For messages: UTF-8, relative to the current directory. */
export function shownPath(path: string, prefix: string): string {
  return pathToUtf8(relativePath(path, prefix) as RepoPath);
}
