// Who wrote each line of a file: lines go from a commit to its parents as long as a parent has them, and stay with the commit that
// has what no parent has.
//
// A suspect is a file in a commit; the lines it is suspected of are runs, ordered by where they are in that file. The youngest commit
// is asked first. Which of several equal answers is given depends on the order of every step, so that order is git's; it is specified,
// as far as it is, by git-blame(1). Nothing is written.
import { type ObjectId, zeroId } from '../../pack/oid.js';
import { type RepoPath, TreeScanner, gitlinkMode, isTreeMode } from '../../pack/tree.js';
import { type DiffEntry, diffTrees } from '../diff/diff.js';
import { findRenames } from '../diff/rename.js';
import type { LineChange, Lines, NumberedLines } from '../diff/text-diff.js';
import { CommitQueue } from '../history/commit-queue.js';
import type { CommitNode, History } from '../history/history.js';
import type { Index } from '../index/index-file.js';
import { listStagedChanges } from '../index/staged-changes.js';
import type { Repository } from '../repository.js';
import { Fingerprints, guessLines } from './line-guess.js';
import { LineNumbers, linesFrom } from './line-numbers.js';
import type { LineRange } from './line-range.js';

/** What is looked at besides a file's own history: score is the number of letters and digits from which on it counts. */
export interface BlameOptions {
  /** Lines moved within a file. */
  readonly moves?: { readonly minimumScore: number };
  /** Lines copied from files changed in the same commit; at level 2 from any file when the commit made this one, at 3 always. */
  readonly copies?: { readonly minimumScore: number; readonly level: 1 | 2 | 3 };
  readonly ignoreAllSpace?: boolean;
  readonly minimal?: boolean;
  readonly indentHeuristic?: boolean;
  readonly firstParent?: boolean;
  /** Lines of a commit without parents are its own; otherwise they came from beyond the history. */
  readonly showsRoots?: boolean;
  /** Commits older than this are not looked into; seconds since 1970. */
  readonly since?: number;
  /** Commits that are not looked into. */
  readonly isExcluded?: (id: ObjectId) => boolean;
  /** Lines are followed to these instead of to parents: until when they lasted. */
  readonly childrenOf?: (id: ObjectId) => readonly ObjectId[];
  /** Parents of commits that are to have others than they say. */
  readonly grafts?: ReadonlyMap<ObjectId, readonly ObjectId[]>;
  /** Commits whose changes are looked through. */
  readonly ignored?: ReadonlySet<ObjectId>;
  /** Given each run as soon as it is known whose it is. */
  readonly onFound?: (run: BlamedRun) => void;
  /** The content of a file as it is compared; default the blob as it is. */
  readonly contentOf?: (path: RepoPath, id: ObjectId) => Buffer;
}

/** The file that is looked at: in a commit, or beside all of them. */
export interface BlameTarget {
  readonly path: RepoPath;
  /** Content as it is shown and compared. */
  readonly content: Buffer;
  readonly commit: ObjectId;
  readonly id: ObjectId;
  readonly mode: number;
  /** For what is in no commit yet: what it would be based on, when it is from, and the files around it. */
  readonly uncommitted?: { readonly parents: readonly ObjectId[]; readonly seconds: number; readonly index: Index };
}

/** Lines one after another that came from one place. */
export interface BlamedRun {
  /** In the file looked at; from 0. */
  readonly at: number;
  readonly count: number;
  /** In the suspect's file. */
  readonly sourceAt: number;
  readonly suspect: Suspect;
  /** A change of an ignored commit was looked through. */
  readonly isIgnored: boolean;
  /** A change of an ignored commit that could not be looked through. */
  readonly isUnblamable: boolean;
}

interface Run {
  at: number;
  count: number;
  sourceAt: number;
  suspect: Suspect;
  isIgnored: boolean;
  isUnblamable: boolean;
}

/** A commit, or what is not committed yet. */
export class BlamedCommit {
  readonly id: ObjectId;
  /** Undefined for what is in no commit. */
  readonly node: CommitNode | undefined;
  readonly number: number;
  readonly seconds: number;
  readonly suspects: Suspect[] = [];
  /** Nothing before it was looked at. */
  isBoundary = false;

  constructor(id: ObjectId, node: CommitNode | undefined, number: number, seconds: number) {
    this.id = id;
    this.node = node;
    this.number = number;
    this.seconds = seconds;
  }
}

/** A file in a commit. */
export class Suspect {
  readonly commit: BlamedCommit;
  readonly path: RepoPath;
  id: ObjectId;
  mode: number;
  /** What it is suspected of, by `sourceAt`. */
  runs: Run[] = [];
  /** The file it was made from, in the first parent that had it. */
  previous: Suspect | undefined;
  /** Some lines are its own. */
  isGuilty = false;
  text: NumberedLines | undefined;
  prints: Fingerprints | undefined;

  constructor(commit: BlamedCommit, path: RepoPath, id: ObjectId, mode: number) {
    this.commit = commit;
    this.path = path;
    this.id = id;
    this.mode = mode;
  }
}

/** What it took; the file looked at counts as read. */
export interface BlameCounts { blobs: number; comparisons: number; commits: number }

interface FoundFile { readonly id: ObjectId; readonly mode: number }

export class Blame {
  readonly counts: BlameCounts = { blobs: 1, comparisons: 0, commits: 0 };
  /** The file looked at. */
  readonly image: NumberedLines;
  readonly #repository: Repository;
  readonly #history: History;
  readonly #target: BlameTarget;
  readonly #options: BlameOptions;
  readonly #numbers: LineNumbers;
  readonly #commits = new Map<ObjectId, BlamedCommit>();
  readonly #byNumber: BlamedCommit[] = [];
  readonly #queue = new CommitQueue();
  readonly #found: Run[] = [];
  readonly #trees: TreePaths;
  /** Letters and digits before each line. */
  #letters: Int32Array | undefined;

  constructor(repository: Repository, history: History, target: BlameTarget, options: BlameOptions) {
    this.#repository = repository;
    this.#history = history;
    this.#target = target;
    this.#options = options;
    this.#trees = new TreePaths(repository);
    const { ignoreAllSpace = false, minimal = false, indentHeuristic = true } = options;
    this.#numbers = new LineNumbers({ ignoreAllSpace, minimal, indentHeuristic });
    this.image = this.#numbers.number(target.content);
  }

  /** Finds out about the lines in `ranges`; the runs in order, as long as they can be. */
  run(ranges: readonly LineRange[]): BlamedRun[] {
    const { path, id, mode, uncommitted } = this.#target;
    const commit = uncommitted === undefined ? this.#commit(this.#target.commit) : this.#uncommitted(uncommitted.seconds);
    const suspect = this.#suspect(commit, path, { id, mode });
    if (uncommitted !== undefined) suspect.text = this.image;
    const runs = ranges.map(({ from, to }): Run => ({ at: from, count: to - from, sourceAt: from, suspect, isIgnored: false, isUnblamable: false }));
    if (runs.length > 0) this.#enqueue(suspect, runs);
    for (let number = this.#queue.pop(); number >= 0; number = this.#queue.pop()) this.#settle(this.#byNumber[number]!);
    return joined(this.#found.sort((one, two) => one.at - two.at));
  }

  /** How many letters and digits the lines of a run have, and one more. */
  score({ at, count }: Pick<BlamedRun, 'at' | 'count'>): number {
    const sums = this.#letters ??= countLetters(this.image.lines);
    return sums[at + count]! - sums[at]! + 1;
  }

  #commit(id: ObjectId): BlamedCommit {
    let commit = this.#commits.get(id);
    if (commit === undefined) {
      const node = this.#history.load(this.#history.node(id));
      this.#commits.set(id, commit = new BlamedCommit(id, node, this.#byNumber.length, node.seconds));
      this.#byNumber.push(commit);
    }
    return commit;
  }

  #uncommitted(seconds: number): BlamedCommit {
    const commit = new BlamedCommit(zeroId(this.#repository.format), undefined, this.#byNumber.length, seconds);
    this.#byNumber.push(commit);
    return commit;
  }

  /** The one suspect of that name, at the front of its commit's. */
  #suspect(commit: BlamedCommit, path: RepoPath, file: FoundFile): Suspect {
    const { suspects } = commit;
    const at = suspects.findIndex((each) => each.path === path);
    const suspect = at < 0 ? new Suspect(commit, path, file.id, file.mode) : suspects.splice(at, 1)[0]!;
    suspects.unshift(suspect);
    suspect.id = file.id;
    suspect.mode = file.mode;
    return suspect;
  }

  #enqueue(suspect: Suspect, runs: readonly Run[]): void {
    for (const run of runs) run.suspect = suspect;
    if (suspect.runs.length > 0) {
      suspect.runs = merged(suspect.runs, runs);
      return;
    }
    const { commit } = suspect;
    const isWaiting = commit.suspects.some((each) => each.runs.length > 0);
    suspect.runs = [...runs];
    if (!isWaiting) this.#queue.push(commit.number, this.#options.childrenOf === undefined ? commit.seconds : -commit.seconds);
  }

  /** Passes on what a commit's suspects can pass on; the rest is theirs. */
  #settle(commit: BlamedCommit): void {
    for (let suspect = nextOf(commit); suspect !== undefined; suspect = nextOf(commit)) {
      const { since, isExcluded, showsRoots, childrenOf } = this.#options;
      const { node } = commit;
      if (childrenOf === undefined && ((node !== undefined && isExcluded?.(commit.id) === true) || (since !== undefined && commit.seconds < since))) commit.isBoundary = true;
      else this.#pass(suspect);
      if (node !== undefined && this.#parentsOf(commit).length === 0 && showsRoots !== true) commit.isBoundary = true;
      if (childrenOf !== undefined && isExcluded?.(commit.id) === true) commit.isBoundary = true;
      if (suspect.runs.length === 0) continue;
      suspect.isGuilty = true;
      for (const run of suspect.runs) this.#options.onFound?.(run);
      this.#found.push(...suspect.runs);
      suspect.runs = [];
    }
  }

  #parentsOf({ id, node }: BlamedCommit): readonly ObjectId[] {
    return this.#options.grafts?.get(id) ?? node?.parentIds ?? this.#target.uncommitted?.parents ?? [];
  }

  /** The commits lines may have come from. */
  #sourcesOf(commit: BlamedCommit): BlamedCommit[] {
    const { childrenOf, firstParent } = this.#options;
    if (childrenOf !== undefined) return childrenOf(commit.id).map((child) => this.#commit(child));
    const parents = this.#parentsOf(commit);
    return (firstParent === true ? parents.slice(0, 1) : parents).map((parent) => this.#commit(parent));
  }

  #pass(suspect: Suspect): void {
    const sources = this.#sourcesOf(suspect.commit);
    if (sources.length === 0) return;
    const origins: (Suspect | undefined)[] = sources.map(() => undefined);
    const small: Run[] = [];
    try {
      if (!this.#passWhole(suspect, sources, origins)) this.#passParts(suspect, sources, origins, small);
    } finally {
      suspect.runs = [...small, ...suspect.runs];
      for (const origin of origins) if (origin !== undefined && origin.runs.length === 0) this.#drop(origin);
      this.#drop(suspect);
    }
  }

  #drop(suspect: Suspect): void {
    suspect.text = undefined;
    suspect.prints = undefined;
  }

  /** True when a source has the very file; `origins` are those that have another version of it. */
  #passWhole(suspect: Suspect, sources: readonly BlamedCommit[], origins: (Suspect | undefined)[]): boolean {
    for (const find of [this.#findSame, this.#findRenamed]) {
      for (const [at, source] of sources.entries()) {
        if (origins[at] !== undefined) continue;
        const origin = find.call(this, source, suspect);
        if (origin === undefined) continue;
        if (origin.id === suspect.id) {
          if (origin.text === undefined && suspect.text !== undefined) [origin.text, suspect.text] = [suspect.text, undefined];
          const { runs } = suspect;
          suspect.runs = [];
          this.#enqueue(origin, runs);
          return true;
        }
        if (!origins.slice(0, at).some((other) => other?.id === origin.id)) origins[at] = origin;
      }
    }
    return false;
  }

  #passParts(suspect: Suspect, sources: readonly BlamedCommit[], origins: readonly (Suspect | undefined)[], small: Run[]): void {
    const { moves, copies, ignored } = this.#options;
    const found = origins.filter((origin) => origin !== undefined);
    this.counts.commits += 1;
    for (const origin of found) {
      suspect.previous ??= origin;
      this.#passUnchanged(suspect, origin, false);
      if (suspect.runs.length === 0) return;
    }
    if (ignored?.has(suspect.commit.id) === true) {
      for (const origin of found) {
        this.#passUnchanged(suspect, origin, true);
        // What was matched is gone from the fingerprints, which the next one may need whole.
        this.#drop(origin);
        if (suspect.runs.length === 0) return;
      }
    }
    if (moves !== undefined) {
      this.#setAside(suspect, small, moves.minimumScore);
      for (const origin of found) {
        if (suspect.runs.length === 0) break;
        this.#findMoves(suspect, origin, small, moves.minimumScore);
      }
    }
    if (copies === undefined) return;
    const minimumScore = copies.minimumScore;
    if (minimumScore < moves!.minimumScore) suspect.runs = merged(suspect.runs, small.splice(0));
    if (minimumScore !== moves!.minimumScore) this.#setAside(suspect, small, minimumScore);
    for (const [at, source] of sources.entries()) {
      if (suspect.runs.length === 0) return;
      this.#findCopies(suspect, source, origins[at], small, copies);
    }
  }

  /** Runs too short to be looked for elsewhere go into `small`. */
  #setAside(suspect: Suspect, small: Run[], minimumScore: number): void {
    small.push(...suspect.runs.filter((run) => this.score(run) <= minimumScore));
    suspect.runs = suspect.runs.filter((run) => this.score(run) > minimumScore);
  }

  /** The same path in another commit; it need not hold the same. */
  #findSame(source: BlamedCommit, suspect: Suspect): Suspect | undefined {
    const known = source.suspects.find(({ path }) => path === suspect.path);
    if (known !== undefined) return this.#suspect(source, known.path, known);
    const file = this.#trees.find(source.node!.tree, suspect.path);
    if (file === undefined || isTreeMode(file.mode) || (file.mode & 0o170000) !== (suspect.mode & 0o170000)) return undefined;
    return this.#suspect(source, suspect.path, file);
  }

  #findRenamed(source: BlamedCommit, suspect: Suspect): Suspect | undefined {
    const { objects, config } = this.#repository;
    const changes = this.#changes(source, suspect, false).filter(({ status, path }) => status !== 'A' || path === suspect.path);
    if (!changes.some(({ status, path }) => status === 'A' && path === suspect.path)) return undefined;
    const limit = config.getInteger('diff.renamelimit');
    const renamed = findRenames(objects, changes, limit === undefined ? {} : { limit }).find(({ status, path }) => status === 'R' && path === suspect.path);
    return renamed?.oldPath === undefined ? undefined : this.#suspect(source, renamed.oldPath, renamed.old);
  }

  /** What differs from a source to the suspect's commit, or to the index around what is not committed. */
  #changes(source: BlamedCommit, { commit, path, id, mode }: Suspect, unchanged: boolean): DiffEntry[] {
    const { objects } = this.#repository;
    if (commit.node !== undefined) return diffTrees(objects, source.node!.tree, commit.node.tree, { recursive: true, unchanged });
    const { index } = this.#target.uncommitted!;
    const content = (): Buffer => this.#target.content;
    return listStagedChanges(objects, source.node!.tree, index, { unchanged })
      .map((entry) => (entry.path === path ? { ...entry, new: { mode, id, content, isHashed: true } } : entry));
  }

  #textOf(suspect: Suspect, near?: NumberedLines): NumberedLines {
    if (suspect.text === undefined) {
      this.counts.blobs += 1;
      suspect.text = this.#numbers.number(this.#contentOf(suspect), near);
    }
    return suspect.text;
  }

  #contentOf({ path, id, mode }: Suspect): Buffer {
    if (this.#options.contentOf !== undefined && (mode & 0o170000) === 0o100000) return this.#options.contentOf(path, id);
    return this.#repository.objects.read(id).bytes;
  }

  /** Passes on what the change from `origin` to `suspect` left alone; `looksThrough`: and what was guessed to come from it. */
  #passUnchanged(suspect: Suspect, origin: Suspect, looksThrough: boolean): void {
    const now = this.#textOf(suspect, origin.text);
    const before = this.#textOf(origin, now);
    this.counts.comparisons += 1;
    if (looksThrough) {
      origin.prints ??= new Fingerprints(before.lines);
      suspect.prints ??= new Fingerprints(now.lines);
    }
    const split = new RunSplit(suspect.runs, origin);
    let offset = 0;
    for (const change of this.#numbers.diff(before, now)) {
      split.passUpTo(change.newAt, offset);
      if (looksThrough && change.newCount > 0) split.guess(change, suspect.prints!, origin.prints!);
      else split.keepUpTo(change.newAt + change.newCount);
      offset = change.oldAt + change.oldCount - (change.newAt + change.newCount);
    }
    split.passUpTo(Infinity, offset);
    suspect.runs = split.kept;
    if (looksThrough) split.passed.sort((one, two) => one.sourceAt - two.sourceAt);
    if (split.passed.length > 0) this.#enqueue(origin, split.passed);
  }

  #findMoves(suspect: Suspect, origin: Suspect, small: Run[], minimumScore: number): void {
    const text = this.#textOf(origin);
    const left: Run[] = [];
    const passed: Run[] = [];
    for (let open = suspect.runs; open.length > 0;) {
      const rest: Run[] = [];
      for (const run of open) {
        const found = this.#bestMatch(run, origin, text, undefined);
        if (found !== undefined && minimumScore < this.score(found.middle)) found.apply(passed, rest);
        else left.push(run);
      }
      small.push(...rest.filter((run) => this.score(run) <= minimumScore));
      open = rest.filter((run) => this.score(run) > minimumScore);
    }
    suspect.runs = left;
    if (passed.length > 0) this.#distribute(passed);
  }

  #findCopies(suspect: Suspect, source: BlamedCommit, origin: Suspect | undefined, small: Run[], { minimumScore, level }: NonNullable<BlameOptions['copies']>): void {
    const looksHarder = level === 3 || (level === 2 && origin?.path !== suspect.path);
    const changes = this.#changes(source, suspect, looksHarder)
      .filter(({ old, status, path }) => old.mode !== 0 && status !== 'U' && old.mode !== gitlinkMode && path !== origin?.path);
    const left: Run[] = [];
    const passed: Run[] = [];
    for (let open = suspect.runs; open.length > 0;) {
      const best: (Match | undefined)[] = open.map(() => undefined);
      for (const { path, old } of changes) {
        const other = this.#suspect(source, path, old);
        const text = this.#textOf(other);
        for (const [at, run] of open.entries()) best[at] = this.#bestMatch(run, other, text, best[at]);
      }
      const rest: Run[] = [];
      for (const [at, run] of open.entries()) {
        const found = best[at];
        if (found !== undefined && minimumScore < this.score(found.middle)) found.apply(passed, rest);
        else left.push(run);
      }
      for (const other of source.suspects) {
        if (other.runs.length === 0 && other !== origin && !passed.some((run) => run.suspect === other)) this.#drop(other);
      }
      small.push(...rest.filter((run) => this.score(run) <= minimumScore));
      open = rest.filter((run) => this.score(run) > minimumScore);
    }
    suspect.runs = left;
    if (passed.length > 0) this.#distribute(passed);
  }

  /** The part of a run that is found with the highest score in a text, or `best` when that has a higher one. */
  #bestMatch(run: Run, origin: Suspect, text: NumberedLines, best: Match | undefined): Match | undefined {
    let found = best;
    const consider = (from: number, sourceAt: number, to: number): void => {
      if (run.count <= from || from >= to) return;
      const match = new Match(run, origin, from, Math.min(to, run.count), sourceAt);
      if (found === undefined || this.score(match.middle) >= this.score(found.middle)) found = match;
    };
    let [sourceAt, from] = [0, 0];
    for (const change of this.#numbers.diff(text, linesFrom(this.image, run.at, run.at + run.count))) {
      consider(from, sourceAt, change.newAt);
      sourceAt = change.oldAt + change.oldCount;
      from = change.newAt + change.newCount;
    }
    consider(from, sourceAt, run.count);
    return found;
  }

  #distribute(passed: readonly Run[]): void {
    const bySuspect = new Map<Suspect, Run[]>();
    for (const run of passed) {
      const runs = bySuspect.get(run.suspect);
      if (runs === undefined) bySuspect.set(run.suspect, [run]);
      else runs.push(run);
    }
    for (const [suspect, runs] of bySuspect) this.#enqueue(suspect, runs.sort((one, two) => one.sourceAt - two.sourceAt));
  }
}

/** Runs taken apart along the changes of a comparison, in order. */
class RunSplit {
  readonly kept: Run[] = [];
  readonly passed: Run[] = [];
  readonly #open: readonly Run[];
  readonly #origin: Suspect;
  #at = 0;
  /** Rests of runs whose beginnings are dealt with, before those from `#at`. */
  #ahead: Run[] = [];

  constructor(runs: readonly Run[], origin: Suspect) {
    this.#open = runs;
    this.#origin = origin;
  }

  /** What stands before `line` of the suspect is the origin's, there `offset` lines further on. */
  passUpTo(line: number, offset: number): void {
    for (const run of this.#takeUpTo(line)) {
      run.suspect = this.#origin;
      run.sourceAt += offset;
      this.passed.push(run);
    }
  }

  keepUpTo(line: number): void {
    for (const run of this.#takeUpTo(line)) this.kept.push(run);
  }

  /** Lines of a change: those that are like a line of the origin are passed on. */
  guess({ oldAt, oldCount, newAt, newCount }: LineChange, own: Fingerprints, origins: Fingerprints): void {
    const guesses = guessLines(origins, own, { parentAt: oldAt, parentCount: oldCount, childAt: newAt, childCount: newCount });
    const sourceOf = (line: number): { readonly isOrigin: boolean; readonly at: number } => {
      const guess = guesses[line - newAt]!;
      return guess >= 0 ? { isOrigin: true, at: guess } : { isOrigin: false, at: line };
    };
    for (const run of this.#takeUpTo(newAt + newCount)) {
      for (let line = run.sourceAt, end = run.sourceAt + run.count; line < end;) {
        const first = sourceOf(line);
        let count = 1;
        for (; line + count < end; count += 1) {
          const next = sourceOf(line + count);
          if (next.isOrigin !== first.isOrigin || next.at !== first.at + count) break;
        }
        const part: Run = { ...run, at: run.at + line - run.sourceAt, count, sourceAt: first.at };
        if (first.isOrigin) this.passed.push({ ...part, suspect: this.#origin, isIgnored: true });
        else this.kept.push({ ...part, isUnblamable: true });
        line += count;
      }
    }
  }

  /** The runs, or parts of them, before `line`. Several may be about the same lines. */
  #takeUpTo(line: number): Run[] {
    const taken: Run[] = [];
    const rests: Run[] = [];
    for (let run = this.#next(); run !== undefined && run.sourceAt < line; run = this.#next()) {
      if (this.#ahead.length > 0) this.#ahead.shift();
      else this.#at += 1;
      const count = Math.min(line - run.sourceAt, run.count);
      if (count < run.count) {
        rests.push({ ...run, at: run.at + count, sourceAt: run.sourceAt + count, count: run.count - count });
        run.count = count;
      }
      taken.push(run);
    }
    if (rests.length > 0) this.#ahead = [...rests, ...this.#ahead];
    return taken;
  }

  #next(): Run | undefined {
    return this.#ahead[0] ?? this.#open[this.#at];
  }
}

/** A run of which the middle was found elsewhere. */
class Match {
  readonly middle: Run;
  readonly #run: Run;
  readonly #from: number;
  readonly #to: number;

  /** Lines `from` up to `to` of the run are at `sourceAt` of the origin. */
  constructor(run: Run, origin: Suspect, from: number, to: number, sourceAt: number) {
    this.#run = run;
    this.#from = from;
    this.#to = to;
    this.middle = { ...run, at: run.at + from, count: to - from, sourceAt, suspect: origin };
  }

  apply(passed: Run[], rest: Run[]): void {
    const run = this.#run;
    if (this.#from > 0) rest.push({ ...run, count: this.#from });
    if (this.#to < run.count) rest.push({ ...run, at: run.at + this.#to, sourceAt: run.sourceAt + this.#to, count: run.count - this.#to });
    passed.push(this.middle);
  }
}

function nextOf(commit: BlamedCommit): Suspect | undefined {
  return commit.suspects.find(({ runs }) => runs.length > 0);
}

/** Two ordered lists as one. */
function merged(one: readonly Run[], two: readonly Run[]): Run[] {
  const result: Run[] = [];
  let at = 0;
  for (const run of one) {
    while (at < two.length && two[at]!.sourceAt < run.sourceAt) {
      result.push(two[at]!);
      at += 1;
    }
    result.push(run);
  }
  for (; at < two.length; at += 1) result.push(two[at]!);
  return result;
}

/** Runs that continue each other, as one. */
function joined(runs: readonly Run[]): Run[] {
  const result: Run[] = [];
  for (const run of runs) {
    const last = result.at(-1);
    const continues = last !== undefined && last.suspect === run.suspect && last.at + last.count === run.at && last.sourceAt + last.count === run.sourceAt
      && last.isIgnored === run.isIgnored && last.isUnblamable === run.isUnblamable;
    if (continues) last.count += run.count;
    else result.push({ ...run });
  }
  return result;
}

function countLetters({ bytes, count, starts }: Lines): Int32Array {
  const sums = new Int32Array(count + 1);
  let sum = 0;
  for (let line = 0; line < count; line += 1) {
    for (let at = starts[line]!; at < starts[line + 1]!; at += 1) if (isLetterOrDigit(bytes[at]!)) sum += 1;
    sums[line + 1] = sum;
  }
  return sums;
}

function isLetterOrDigit(byte: number): boolean {
  return (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a);
}

/** Looks paths up in trees; trees that many commits have in common are looked at once. */
class TreePaths {
  readonly #repository: Repository;
  readonly #scanner: TreeScanner;
  readonly #known = new Map<string, FoundFile | undefined>();

  constructor(repository: Repository) {
    this.#repository = repository;
    this.#scanner = new TreeScanner(repository.format);
  }

  find(tree: ObjectId, path: RepoPath): FoundFile | undefined {
    const key = `${tree} ${path}`;
    if (this.#known.has(key)) return this.#known.get(key);
    const slash = path.indexOf('/');
    const entry = this.#entry(tree, slash < 0 ? path : path.slice(0, slash));
    const isDirectory = entry !== undefined && isTreeMode(entry.mode);
    const found = slash < 0 ? entry : isDirectory ? this.find(entry.id, path.slice(slash + 1) as RepoPath) : undefined;
    this.#known.set(key, found);
    return found;
  }

  #entry(tree: ObjectId, name: string): FoundFile | undefined {
    const { bytes } = this.#repository.objects.read(tree);
    const wanted = Buffer.from(name, 'latin1');
    const scanner = this.#scanner;
    for (let at = 0; at < bytes.length;) {
      const next = scanner.scan(bytes, at, bytes.length);
      const { nameStart, nameEnd } = scanner;
      if (nameEnd - nameStart === wanted.length && wanted.compare(bytes, nameStart, nameEnd) === 0) {
        return { id: bytes.toString('hex', scanner.idAt, next) as ObjectId, mode: scanner.mode };
      }
      at = next;
    }
    return undefined;
  }
}
