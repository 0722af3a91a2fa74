// Which added files are old files under a new name: first equal content, then equal base names, then the most similar pairs.
//
// Similarity is the share of bytes found again, counted in pieces of a line or 64 bytes; scores go from 0 to 60000. The order in
// which candidates are looked at decides between equals, so it is git's. Work is bounded: above `limit` squared pairs, only equal
// content is looked for. Specified by -M, -C and -l of git-diff(1).
import type { ObjectStore } from '../../pack/object-store.js';
import { emptyBlobId, hashObject } from '../../pack/oid.js';
import { isBinary } from './text-diff.js';
import { readSide } from './diff-content.js';
import type { DiffEntry, DiffSide } from './diff.js';
import { type DirectoryCounts, countDirectoryMoves, directoryOf } from '../merge/directory-renames.js';

export interface RenameOptions {
  /** Lowest score that counts; default 30000, that is 50%. */
  readonly minimumScore?: number;
  /** Also find copies, of files that changed. */
  readonly copies?: boolean;
  /** Also of files that did not change. */
  readonly findCopiesHarder?: boolean;
  /** Empty files are no renames of each other. */
  readonly skipsEmpty?: boolean;
  /** Only these are compared with files they are not equal to. */
  readonly relevantSources?: ReadonlySet<string>;
  /** Files of one name in many directories are looked for where files beside them went. */
  readonly guessesDirectories?: boolean;
  /** Most files on each side to compare; default 1000, 0 for no limit. */
  readonly limit?: number;
}

export const maxScore = 60000;
const defaultMinimum = 30000;
const defaultLimit = 1000;
const candidatesPerFile = 4;
const pieceBytes = 64;
const hashBase = 107927;

/** `side` is the old one of the entry, with the id of its content. */
interface Source { readonly entry: DiffEntry; side: DiffSide; used: number; readonly staysAround: boolean }
/** `entry` is the one of the list; `side` is its new one, with the id of its content. */
interface Target { readonly entry: DiffEntry; side: DiffSide; source: Source | undefined; score: number }
interface Candidate { target: number; source: number; score: number; nameScore: number }

const isRegular = (mode: number): boolean => (mode & 0o170000) === 0o100000;

/** Where a source was. */
function sourcePath({ entry }: Source): DiffEntry['path'] {
  return entry.oldPath ?? entry.path;
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** `entries` with additions turned into renames and copies; unchanged files are dropped. */
export function findRenames(store: ObjectStore, entries: readonly DiffEntry[], options: RenameOptions): DiffEntry[] {
  const copies = options.copies === true || options.findCopiesHarder === true;
  const minimum = options.minimumScore ?? defaultMinimum;
  const sources: Source[] = [];
  const targets: Target[] = [];
  const isSkipped = (side: DiffSide): boolean => options.skipsEmpty === true && side.id === emptyBlobId(store.format);
  for (const entry of entries) {
    if (isSkipped(entry.old) || isSkipped(entry.new)) continue;
    if (entry.status === 'A' && !isTreeSide(entry.new)) targets.push({ entry, side: entry.new, source: undefined, score: 0 });
    else if (entry.status === 'D' && !isTreeSide(entry.old)) sources.push({ entry, side: entry.old, used: entry.brokenScore === 0 ? 1 : 0, staysAround: entry.brokenScore === 0 });
    else if (copies && entry.old.mode !== 0 && !isTreeSide(entry.old)) sources.push({ entry, side: entry.old, used: 1, staysAround: true });
  }
  if (targets.length > 0 && sources.length > 0) {
    for (const target of targets) target.side = hashed(store, target.side);
    for (const source of sources) source.side = hashed(store, source.side);
    matchEqual(sources, targets, copies);
    if (minimum < maxScore) new SimilarityMatcher(store, minimum, copies, options).run(sources, targets);
  }
  return rebuild(entries, sources, targets);
}

/** A file or symbolic link of the work tree with the id its content has. */
function hashed(store: ObjectStore, side: DiffSide): DiffSide {
  if (side.content === undefined || (side.mode & 0o170000) === 0o160000) return side;
  return { ...side, id: hashObject('blob', side.content(), store.format), isHashed: true };
}

function isTreeSide(side: DiffSide): boolean {
  return (side.mode & 0o170000) === 0o040000;
}

function assign(target: Target, source: Source, score: number): void {
  target.source = source;
  target.score = score;
  source.used += 1;
}

/** Renames without a change. */
function matchEqual(sources: readonly Source[], targets: readonly Target[], copies: boolean): void {
  const byId = new Map<string, Source[]>();
  for (const source of sources) {
    if (source.side.content !== undefined && !source.side.isHashed) continue;
    const { id } = source.side;
    const list = byId.get(id);
    if (list === undefined) byId.set(id, [source]);
    else list.push(source);
  }
  for (const target of targets) {
    if (target.side.content !== undefined && !target.side.isHashed) continue;
    let best: Source | undefined;
    let bestScore = -1;
    for (const source of byId.get(target.side.id) ?? []) {
      const from = source.entry.old.mode;
      const to = target.entry.new.mode;
      if ((!isRegular(from) || !isRegular(to)) && from !== to) continue;
      if (source.used > 0 && !copies) continue;
      const score = (source.used > 0 ? 0 : 1) + (baseName(sourcePath(source)) === baseName(target.entry.path) ? 1 : 0);
      if (score <= bestScore) continue;
      best = source;
      bestScore = score;
      if (score === 2) break;
    }
    if (best !== undefined) assign(target, best, maxScore);
  }
}

/** Renames with a change. */
class SimilarityMatcher {
  readonly #store: ObjectStore;
  readonly #minimum: number;
  readonly #copies: boolean;
  readonly #options: RenameOptions;
  readonly #counts = new WeakMap<DiffSide, { sizeBytes: number; pieces: Map<number, number> }>();

  constructor(store: ObjectStore, minimum: number, copies: boolean, options: RenameOptions) {
    this.#store = store;
    this.#minimum = minimum;
    this.#copies = copies;
    this.#options = options;
  }

  run(allSources: readonly Source[], targets: readonly Target[]): void {
    const relevant = this.#options.relevantSources;
    let sources = relevant === undefined ? allSources : allSources.filter(({ entry }) => relevant.has(entry.path));
    const moves = this.#options.guessesDirectories ? targets.flatMap(({ entry, source }) => (source === undefined ? [] : [{ from: source.entry.path, to: entry.path }])) : [];
    if (!this.#copies) {
      // Where files were taken apart, git looks at those it has used already, too.
      const isTakenApart = sources.some(({ entry }) => entry.brokenScore !== undefined);
      const open = (list: readonly Source[]): readonly Source[] => (isTakenApart ? list : list.filter((source) => source.used === 0));
      sources = open(sources);
      this.#matchBaseNames(sources, targets, countDirectoryMoves(moves, undefined));
      sources = open(sources);
    }
    const open = targets.flatMap((target, index) => (target.source === undefined ? [index] : []));
    if (open.length === 0 || sources.length === 0) return;
    let considered = sources;
    const limit = this.#options.limit ?? defaultLimit;
    if (limit > 0 && open.length * considered.length > limit * limit) {
      // As git does: too many with the unchanged files are tried once more without them.
      considered = considered.filter((source) => source.entry.status !== 'same');
      if (!this.#options.findCopiesHarder || open.length * considered.length > limit * limit) return;
    }
    const candidates: Candidate[] = [];
    for (const index of open) candidates.push(...this.#bestFor(targets[index]!, index, sources, considered));
    candidates.sort(compareCandidates);
    this.#take(candidates, sources, targets, false);
    if (this.#copies) this.#take(candidates, sources, targets, true);
  }

  #matchBaseNames(sources: readonly Source[], targets: readonly Target[], directories: DirectoryCounts): void {
    const unique = <Item>(items: readonly Item[], nameOf: (item: Item) => string): Map<string, Item | undefined> => {
      const found = new Map<string, Item | undefined>();
      for (const item of items) {
        const name = nameOf(item);
        found.set(name, found.has(name) ? undefined : item);
      }
      return found;
    };
    const minimum = this.#minimum + Math.trunc((maxScore - this.#minimum) * 0.5);
    const sourceByName = unique(sources, (source) => baseName(sourcePath(source)));
    const targetByName = unique(targets.filter(({ source }) => source === undefined), ({ entry }) => baseName(entry.path));
    for (const source of sources) {
      const name = baseName(sourcePath(source));
      let target = targetByName.get(name);
      if (sourceByName.get(name) !== source || target === undefined) {
        if (!targetByName.has(name)) continue;
        const directory = likelyDirectory(directories.get(directoryOf(source.entry.path)));
        const path = directory === undefined ? undefined : directory === '' ? name : `${directory}/${name}`;
        target = path === undefined ? undefined : targets.find(({ entry }) => entry.path === path);
      }
      if (target === undefined || target.source !== undefined) continue;
      const score = this.#similarity(source.entry.old, target.entry.new, minimum);
      if (score >= minimum) assign(target, source, score);
    }
  }

  #bestFor(target: Target, index: number, sources: readonly Source[], considered: readonly Source[]): Candidate[] {
    const best: Candidate[] = [];
    for (let slot = 0; slot < candidatesPerFile; slot += 1) best.push({ target: -1, source: -1, score: 0, nameScore: 0 });
    const allowed = considered === sources ? undefined : new Set(considered);
    for (const [at, source] of sources.entries()) {
      if (allowed !== undefined && !allowed.has(source)) continue;
      const candidate: Candidate = {
        target: index, source: at, score: this.#similarity(source.entry.old, target.entry.new, this.#minimum),
        nameScore: baseName(sourcePath(source)) === baseName(target.entry.path) ? 1 : 0,
      };
      let worst = 0;
      for (let slot = 1; slot < candidatesPerFile; slot += 1) if (compareCandidates(best[slot]!, best[worst]!) > 0) worst = slot;
      if (compareCandidates(best[worst]!, candidate) > 0) best[worst] = candidate;
    }
    return best;
  }

  #take(candidates: readonly Candidate[], sources: readonly Source[], targets: readonly Target[], copies: boolean): void {
    for (const candidate of candidates) {
      if (candidate.target < 0 || candidate.score < this.#minimum) return;
      const target = targets[candidate.target]!;
      const source = sources[candidate.source]!;
      if (target.source !== undefined || (!copies && source.used > 0)) continue;
      assign(target, source, candidate.score);
    }
  }

  /** 0 to maxScore; 0 when they cannot reach `minimum` by their sizes. */
  #similarity(old: DiffSide, now: DiffSide, minimum: number): number {
    if (!isRegular(old.mode) || !isRegular(now.mode)) return 0;
    const oldSize = this.#sizeOf(old);
    const newSize = this.#sizeOf(now);
    const larger = Math.max(oldSize, newSize);
    if (larger * (maxScore - minimum) < (larger - Math.min(oldSize, newSize)) * maxScore) return 0;
    if (newSize === 0) return 0;
    const from = this.#count(old).pieces;
    const to = this.#count(now).pieces;
    let copied = 0;
    for (const [hash, count] of from) copied += Math.min(count, to.get(hash) ?? 0);
    return Math.trunc((copied * maxScore) / larger);
  }

  #sizeOf(side: DiffSide): number {
    const counted = this.#counts.get(side);
    if (counted !== undefined) return counted.sizeBytes;
    return side.content === undefined ? this.#store.readHeader(side.id).sizeBytes : this.#count(side).sizeBytes;
  }

  #count(side: DiffSide): { sizeBytes: number; pieces: Map<number, number> } {
    let counted = this.#counts.get(side);
    if (counted === undefined) {
      const bytes = readSide(this.#store, side);
      counted = { sizeBytes: bytes.length, pieces: countPieces(bytes) };
      this.#counts.set(side, counted);
    }
    return counted;
  }
}

/** Where most went. */
function likelyDirectory(targets: ReadonlyMap<string, number> | undefined): string | undefined {
  let [most, best]: [number, string | undefined] = [0, undefined];
  for (const [directory, count] of targets ?? []) if (count > most) [most, best] = [count, directory];
  return best;
}

/** Unused slots last, then by score, then equal base names first. */
function compareCandidates(a: Candidate, b: Candidate): number {
  if (a.target < 0) return b.target >= 0 ? 1 : 0;
  if (b.target < 0) return -1;
  return a.score === b.score ? b.nameScore - a.nameScore : b.score - a.score;
}

/** How many bytes of `old` are found again in `now`, and how many of `now` are not from `old`: counted as similarity is. */
export function countChanges(old: Buffer, now: Buffer): { readonly copied: number; readonly added: number } {
  const [from, to] = [countPieces(old), countPieces(now)];
  let copied = 0;
  let added = 0;
  for (const [hash, count] of from) copied += Math.min(count, to.get(hash) ?? 0);
  for (const [hash, count] of to) added += Math.max(0, count - (from.get(hash) ?? 0));
  return { copied, added };
}

/** Bytes by the hash of the piece they are in. */
function countPieces(bytes: Buffer): Map<number, number> {
  const pieces = new Map<number, number>();
  const isText = !isBinary(bytes);
  let one = 0;
  let two = 0;
  let length = 0;
  const add = (): void => {
    const hash = ((one >>> 0) + Math.imul(two, 0x61) >>> 0) % hashBase;
    pieces.set(hash, (pieces.get(hash) ?? 0) + length);
    one = 0;
    two = 0;
    length = 0;
  };
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at]!;
    if (isText && byte === 13 && bytes[at + 1] === 10) continue;
    const before = one;
    one = (one << 7) ^ (two >>> 25);
    two = (two << 7) ^ (before >>> 25);
    one = (one + byte) | 0;
    length += 1;
    if (length >= pieceBytes || byte === 10) add();
  }
  // What follows the last line end does not count, as in git before 2.44.
  return pieces;
}

/** The entries again, with what was found; the last user of a source that is gone is the rename, the others are copies. */
function rebuild(entries: readonly DiffEntry[], sources: readonly Source[], targets: readonly Target[]): DiffEntry[] {
  const bySource = new Map(sources.map((source) => [source.entry, source]));
  const byTarget = new Map(targets.map((target) => [target.entry, target]));
  const taken = new Set(targets.flatMap(({ source }) => source ?? []));
  const halves = new Map(targets.flatMap((target) => (target.entry.brokenScore === undefined ? [] : [[target.entry.path, target] as const])));
  const staysWhole = ({ path, brokenScore }: DiffEntry): boolean => brokenScore !== undefined && halves.get(path)?.source === undefined;
  // A rewritten file that is put together again uses what it was itself.
  for (const source of sources) if (staysWhole(source.entry)) source.used += 1;
  const result: DiffEntry[] = [];
  for (const entry of entries) {
    const target = byTarget.get(entry);
    const source = bySource.get(entry);
    if (target?.source !== undefined) {
      const from = target.source;
      from.used -= 1;
      result.push({
        path: entry.path, oldPath: sourcePath(from), status: from.used > 0 ? 'C' : 'R',
        old: from.side, new: target.side, score: target.score,
      });
    } else if (entry.brokenScore !== undefined && source !== undefined) {
      // Half of a rewritten file: it stays as long as the other half does.
      if (staysWhole(entry)) result.push(entry);
    } else if (entry.status !== 'same' && !(source !== undefined && !source.staysAround && taken.has(source))) {
      const [old, now] = [source?.side ?? entry.old, target?.side ?? entry.new];
      result.push(old === entry.old && now === entry.new ? entry : { ...entry, old, new: now });
    }
  }
  return result;
}
