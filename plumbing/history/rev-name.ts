// Names of commits by the refs that lead to them: 'main~3', 'tags/v1^0', 'v2~1^2'.
//
// Every ref spreads its name over its history, the better refs first; a commit keeps the name that is the shortest way for
// somebody who follows it, a tag before anything else. Specified by git-name-rev(1).
import type { ObjectId } from '../../pack/oid.js';
import { type CommitNode, History } from './history.js';
import type { Repository } from '../repository.js';
import { findRevision, peel } from './revision.js';
import { shortenRef } from '../refs/short-ref.js';
import { compileWildmatch } from '../wildmatch.js';

export interface RevNameOptions {
  readonly tagsOnly?: boolean;
  /** Only the names themselves will be shown: they may be as short as possible. */
  readonly nameOnly?: boolean;
  /** Globs on a ref's name, or on what is left of it behind any '/'; only matching refs count. */
  readonly patterns?: readonly string[];
  /** Refs that do not count. */
  readonly excludes?: readonly string[];
}

interface Tip {
  readonly object: ObjectId;
  readonly name: string;
  readonly commit: CommitNode | undefined;
  /** Of the tag where there is one, else of the commit. */
  readonly seconds: number;
  readonly isTag: boolean;
  readonly isPeeled: boolean;
}

/** What was asked for by a word, and its name. */
export interface NamedRevision {
  readonly word: string;
  readonly id: ObjectId;
  /** Undefined when no ref leads to it. */
  readonly name: string | undefined;
}

/** The way from a ref to a commit. */
interface Way {
  readonly tip: string;
  readonly seconds: number;
  /** First parents after the last turn. */
  readonly generation: number;
  readonly distance: number;
  readonly isTag: boolean;
}

/** What going over to another parent than the first costs, in first parents. */
const turnCost = 65_535;
/** Clocks differ: a commit may be younger than its child by so much. */
const clockSlopSeconds = 86_400;

/** The names of commits and of what refs point at. */
export class RevNames {
  readonly #ways = new Map<CommitNode, Way>();
  readonly #history: History;
  readonly #exact = new Map<ObjectId, string>();
  readonly #looked = new Set<CommitNode>();

  /** Names the commits that are no older than the oldest of `wanted`; all commits where that is undefined. */
  constructor(repository: Repository, options: RevNameOptions, wanted?: readonly ObjectId[]) {
    this.#history = new History(repository);
    let cutoff = wanted === undefined ? 0 : Infinity;
    for (const id of wanted ?? []) cutoff = Math.min(cutoff, this.#history.load(this.#history.node(id)).seconds);
    cutoff = Math.max(cutoff - clockSlopSeconds, 0);
    const tips = this.#listTips(repository, options);
    for (const { object, name } of tips) if (!this.#exact.has(object)) this.#exact.set(object, name);
    // A name that is better spreads first, so that a worse one has less to do.
    tips.sort((a, b) => Number(b.isTag) - Number(a.isTag) || a.seconds - b.seconds);
    this.#spreadAll(tips, cutoff);
    // With a commit graph git goes by generations, which do not lie as clocks do.
    if (cutoff > 0 && this.#history.hasGraph && wanted?.some((id) => !this.#ways.has(this.#history.node(id)))) {
      this.#ways.clear();
      this.#spreadAll(tips, 0);
    }
  }

  #spreadAll(tips: readonly Tip[], cutoff: number): void {
    for (const tip of tips) if (tip.commit !== undefined) this.#spread(tip, tip.commit, cutoff);
  }

  /** The name of an object; undefined where no ref leads to it. `isCommit`: it is a commit, which has a way to it. */
  find(id: ObjectId, isCommit: boolean): string | undefined {
    if (!isCommit) return this.#exact.get(id);
    const way = this.#ways.get(this.#history.node(id));
    if (way === undefined) return undefined;
    return way.generation === 0 ? way.tip : `${withoutPeeling(way.tip)}~${way.generation}`;
  }

  /** Every commit that was looked at, in the order of their ids: those with names, what refs that do not count point at, and its parents. */
  *listCommits(): Generator<{ readonly id: ObjectId; readonly name: string | undefined }> {
    const nodes = new Set([...this.#ways.keys(), ...this.#looked]);
    for (const id of [...nodes].map((node) => node.id).sort()) yield { id, name: this.find(id, true) };
  }

  #listTips(repository: Repository, options: RevNameOptions): Tip[] {
    const wanted = (options.patterns ?? []).map(matcher);
    const excluded = (options.excludes ?? []).map(matcher);
    const tips: Tip[] = [];
    for (const { name, id } of repository.refs.list('refs/', () => undefined)) {
      const target = this.#follow(repository, id);
      if (options.tagsOnly && !name.startsWith('refs/tags/')) continue;
      if (excluded.some((match) => match(name) !== undefined)) continue;
      const places = wanted.map((match) => match(name)).filter((place) => place !== undefined);
      if (wanted.length > 0 && places.length === 0) continue;
      const isShort = (options.tagsOnly === true && options.nameOnly === true) || places.some((place) => place > 0);
      tips.push({ ...target, object: id, name: isShort ? shortenRef(repository, name, false) : withoutDrawer(name), isTag: name.startsWith('refs/tags/') });
    }
    return tips;
  }

  /** Through tags to a commit. */
  #follow(repository: Repository, id: ObjectId): Pick<Tip, 'commit' | 'seconds' | 'isPeeled'> {
    let at = id;
    let seconds: number | undefined;
    let header = repository.objects.findHeader(at);
    while (header?.type === 'tag') {
      const tag = repository.objects.readTag(at);
      seconds = tag.tagger?.seconds ?? 0;
      at = tag.object;
      header = repository.objects.findHeader(at);
    }
    const commit = header?.type === 'commit' ? this.#history.load(this.#history.node(at)) : undefined;
    if (commit !== undefined) for (const node of [commit, ...commit.parents]) this.#looked.add(node);
    return { commit, seconds: seconds ?? commit?.seconds ?? 0, isPeeled: at !== id };
  }

  #spread(tip: Tip, start: CommitNode, cutoff: number): void {
    const first: Way = { tip: tip.isPeeled ? `${tip.name}^0` : tip.name, seconds: tip.seconds, generation: 0, distance: 0, isTag: tip.isTag };
    if (start.seconds < cutoff || !this.#improve(start, first)) return;
    const stack = [start];
    for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
      const way = this.#ways.get(node)!;
      const next: CommitNode[] = [];
      for (const [index, parent] of node.parents.entries()) {
        if (this.#history.load(parent).seconds < cutoff) continue;
        const isBetter = this.#improve(parent, index === 0
          ? { ...way, generation: way.generation + 1, distance: way.distance + 1 }
          : { ...way, tip: turned(way, index + 1), generation: 0, distance: way.distance + turnCost });
        if (isBetter) next.push(parent);
      }
      while (next.length > 0) stack.push(next.pop()!);
    }
  }

  /** Takes the way when it is the better one. */
  #improve(node: CommitNode, way: Way): boolean {
    const known = this.#ways.get(node);
    if (known !== undefined && !isBetter(way, known)) return false;
    this.#ways.set(node, way);
    return true;
  }
}

/** Names what the words stand for; with `peels` the commit behind a tag. `onUnknown` is told of words that stand for nothing. */
export function nameRevisions(
  repository: Repository, options: RevNameOptions, words: readonly string[], peels: boolean, onUnknown: (word: string) => void,
): NamedRevision[] {
  const asked: { readonly word: string; readonly id: ObjectId; readonly isCommit: boolean }[] = [];
  const commits: ObjectId[] = [];
  for (const word of words) {
    const id = findRevision(repository, word);
    const header = id === undefined ? undefined : repository.objects.findHeader(id);
    const commit = id === undefined ? undefined : peel(repository, id, 'commit');
    if (commit !== undefined) commits.push(commit);
    if (id === undefined || header === undefined || (peels && commit === undefined)) onUnknown(word);
    else asked.push({ word, id: peels ? commit! : id, isCommit: peels || header.type === 'commit' });
  }
  const names = new RevNames(repository, options, commits);
  return asked.map(({ word, id, isCommit }) => ({ word, id, name: names.find(id, isCommit) }));
}

function isBetter(way: Way, known: Way): boolean {
  const [ownHops, knownHops] = [hops(way), hops(known)];
  // Of two tags the older one, even if it is farther away.
  if (way.isTag && known.isTag) return way.seconds === known.seconds ? ownHops < knownHops : way.seconds < known.seconds;
  if (way.isTag !== known.isTag) return way.isTag;
  return ownHops === knownHops ? way.seconds < known.seconds : ownHops < knownHops;
}

function hops({ distance, generation }: Way): number {
  return distance + (generation > 0 ? turnCost : 0);
}

function turned(way: Way, parent: number): string {
  const tip = withoutPeeling(way.tip);
  return way.generation > 0 ? `${tip}~${way.generation}^${parent}` : `${tip}^${parent}`;
}

function withoutPeeling(name: string): string {
  return name.endsWith('^0') ? name.slice(0, -2) : name;
}

function withoutDrawer(name: string): string {
  return name.replace(/^refs\/(?:heads\/)?/, '');
}

/** Where in a name, at its start or behind a '/', the pattern matches all the rest; undefined when nowhere. */
function matcher(pattern: string): (name: string) => number | undefined {
  const match = compileWildmatch(pattern);
  return (name) => {
    for (let at = 0; ; at += 1) {
      if (match(name.slice(at))) return at;
      at = name.indexOf('/', at);
      if (at < 0) return undefined;
    }
  };
}
