// Descriptions of commits by the nearest tag: 'v1.0-14-g2414721' is 14 commits after v1.0. Of blobs: the commit that brought it in, and the path.
//
// The search goes back in time and stops when nothing older can be nearer; of all candidates it then counts the commits the tag does
// not have. Specified by git-describe(1).
import { NotFoundError } from '../../pack/errors.js';
import type { ObjectId } from '../../pack/oid.js';
import { abbreviateId } from '../objects/abbreviation.js';
import { CommitQueue } from './commit-queue.js';
import { History } from './history.js';
import { ObjectLister } from './object-walk.js';
import type { Repository } from '../repository.js';
import { peel, resolveCommit } from './revision.js';
import { RevWalk } from './walk.js';
import { compileWildmatch } from '../wildmatch.js';

/** Each candidate has a bit of its own in the marks of commits. */
export const mostCandidates = 27;

export interface DescribeOptions {
  /** Any ref, not just annotated tags. */
  readonly all?: boolean;
  /** Lightweight tags too. */
  readonly tags?: boolean;
  /** Globs on the name without its first directories. */
  readonly patterns?: readonly string[];
  readonly excludes?: readonly string[];
  /** So many tags are weighed, 0 to `mostCandidates`; with 0 only exact matches count. Default 10. */
  readonly candidates?: number;
  readonly firstParent?: boolean;
}

/** Whether a name is a tag with a message, a tag without, or any other ref. */
type Rank = 2 | 1 | 0;

interface Label {
  /** Without refs/, and without tags/ where only tags count. */
  readonly path: string;
  /** What the tag object names, which may be another tag; else what the ref points at. */
  readonly object: ObjectId;
  readonly rank: Rank;
  /** The tagger's time; 0 where there is none. */
  readonly seconds: number;
  /** As the tag object calls itself, where there is one. */
  readonly tagName: string | undefined;
}

interface Candidate {
  readonly label: Label;
  readonly bit: number;
  depth: number;
}

/** What was found. */
export interface Description {
  readonly name: string;
  /** Commits since the tag. */
  readonly depth: number;
  /** The tag is at the commit itself; `object` is then what a longer form is to name. */
  readonly isExact: boolean;
  readonly object: ObjectId;
  /** The tag object bears another name than the ref, which is shown with the id so that it cannot be mistaken. */
  readonly isMisnamed: boolean;
  /** Everything that was weighed, the best first. */
  readonly candidates: readonly { readonly name: string; readonly depth: number; readonly rank: Rank }[];
}

/** 'v1-3-gdeadbee', or the name alone where the tag is at the commit; `digits` of the id, 0 for the name alone, undefined as configured. */
export function formatDescription(repository: Repository, found: Description, digits: number | undefined, isLong = false): string {
  const isFull = found.isExact ? found.isMisnamed || isLong : digits !== 0;
  if (!isFull) return found.name;
  return `${found.name}-${found.depth}-g${digits === 0 ? found.object : abbreviateId(repository, found.object, digits)}`;
}

/** Describes the commits of one repository. */
export class Describer {
  readonly #repository: Repository;
  readonly #options: DescribeOptions;
  readonly #labels: ReadonlyMap<ObjectId, Label>;

  constructor(repository: Repository, options: DescribeOptions = {}) {
    this.#repository = repository;
    this.#options = options;
    this.#labels = listLabels(repository, options);
  }

  /** No ref counts: nothing can be described. */
  get isEmpty(): boolean {
    return this.#labels.size === 0;
  }

  /** The nearest name; undefined when there is none. NotFoundError when only an exact one counts. */
  find(id: ObjectId): Description | undefined {
    const own = this.#labels.get(id);
    if (own !== undefined && this.#counts(own)) {
      return { name: this.#nameOf(own), depth: 0, isExact: true, object: own.object, isMisnamed: this.#isMisnamed(own), candidates: [] };
    }
    if (this.#options.candidates === 0) throw new NotFoundError(`no tag exactly matches '${id}'`, { code: 'no-description' });
    const found = this.#search(id);
    if (found.length === 0) return undefined;
    const [best] = found as [Candidate];
    return {
      name: this.#nameOf(best.label), depth: best.depth, isExact: false, object: id, isMisnamed: this.#isMisnamed(best.label),
      candidates: found.map(({ label, depth }) => ({ name: this.#nameOf(label), depth, rank: label.rank })),
    };
  }

  #counts(label: Label): boolean {
    return this.#options.tags === true || this.#options.all === true || label.rank === 2;
  }

  #nameOf({ path, tagName }: Label): string {
    if (tagName === undefined) return path;
    return this.#options.all ? `tags/${tagName}` : tagName;
  }

  #isMisnamed({ path, tagName }: Label): boolean {
    return tagName !== undefined && tagName !== (this.#options.all ? path.replace(/^tags\//, '') : path);
  }

  /** The candidates, the nearest first; the depth of the first one is complete. */
  #search(id: ObjectId): Candidate[] {
    const { candidates: most = 10, firstParent } = this.#options;
    const walk = new TagWalk(new History(this.#repository), id);
    const found: Candidate[] = [];
    let count = 0;
    let annotated = 0;
    for (let commit = walk.next(); commit >= 0; commit = walk.next()) {
      count += 1;
      const label = this.#labels.get(walk.idOf(commit));
      if (label !== undefined && this.#counts(label)) {
        if (found.length >= most) {
          walk.putBack(commit);
          break;
        }
        const candidate = { label, bit: 1 << found.length, depth: count - 1 };
        found.push(candidate);
        walk.mark(commit, candidate.bit);
        if (label.rank === 2) annotated += 1;
      }
      for (const candidate of found) if (!walk.has(commit, candidate.bit)) candidate.depth += 1;
      if (annotated > 0 && walk.isDone && isBehindNearest(walk, commit, found)) break;
      walk.goOn(commit, firstParent === true);
    }
    // Equal ones stay in the order they were found in.
    found.sort((a, b) => a.depth - b.depth);
    const [best] = found;
    if (best !== undefined) completeDepth(best, walk);
    return found;
  }
}

/** Goes back in time; a commit has the marks of all its children. */
class TagWalk {
  readonly #history: History;
  readonly #queue = new CommitQueue();
  /** By number, of every commit met. */
  readonly #marks = new Map<number, number>();

  constructor(history: History, start: ObjectId) {
    this.#history = history;
    this.#meet(history.table.number(start), 0);
  }

  get isDone(): boolean { return this.#queue.length === 0; }

  /** The youngest commit that waits; -1 when none does. */
  next(): number { return this.#queue.pop(); }
  idOf(commit: number): ObjectId { return this.#history.table.ids.idAt(commit); }
  has(commit: number, bit: number): boolean { return (this.#marks.get(commit)! & bit) !== 0; }
  mark(commit: number, bit: number): void { this.#marks.set(commit, this.#marks.get(commit)! | bit); }
  putBack(commit: number): void { this.#queue.push(commit, this.#history.table.seconds[commit]!); }

  /** All that wait have the mark. */
  everyHas(bit: number): boolean { return this.#queue.waiting().every((commit) => this.has(commit, bit)); }

  goOn(commit: number, firstParentOnly: boolean): void {
    const parents = this.#history.table.parentsOf(commit);
    for (const parent of firstParentOnly ? parents.slice(0, 1) : parents) this.#meet(parent, this.#marks.get(commit)!);
  }

  #meet(commit: number, marks: number): void {
    const known = this.#marks.get(commit);
    this.#marks.set(commit, (known ?? 0) | marks);
    if (known !== undefined) return;
    this.#history.loadCommit(commit);
    this.putBack(commit);
  }
}

/** The commit is behind all candidates that are nearest so far. */
function isBehindNearest(walk: TagWalk, commit: number, found: readonly Candidate[]): boolean {
  const least = Math.min(...found.map(({ depth }) => depth));
  return found.every(({ depth, bit }) => depth !== least || walk.has(commit, bit));
}

/** Counts what else the tag does not have, until all that is left to look at has it. */
function completeDepth(best: Candidate, walk: TagWalk): void {
  for (let commit = walk.next(); commit >= 0; commit = walk.next()) {
    if (!walk.has(commit, best.bit)) best.depth += 1;
    else if (walk.everyHas(best.bit)) break;
    walk.goOn(commit, false);
  }
}

/** The best name of each object that has one, by the object it leads to. */
function listLabels(repository: Repository, options: DescribeOptions): Map<ObjectId, Label> {
  const labels = new Map<ObjectId, Label>();
  const patterns = (options.patterns ?? []).map((pattern) => compileWildmatch(pattern));
  const excludes = (options.excludes ?? []).map((pattern) => compileWildmatch(pattern));
  const isLimited = patterns.length + excludes.length > 0;
  for (const { name, id } of repository.refs.list(options.all ? 'refs/' : 'refs/tags/', () => undefined)) {
    const matched = /^refs\/(?:tags|heads|remotes)\/(.*)$/s.exec(name)?.[1];
    if (isLimited && matched === undefined) continue;
    if (excludes.some((match) => match(matched!)) || (patterns.length > 0 && !patterns.some((match) => match(matched!)))) continue;
    const label = labelOf(repository, name.slice(options.all ? 5 : 10), name, id);
    const target = label.rank === 2 ? peel(repository, id, 'any') ?? id : id;
    const known = labels.get(target);
    if (known === undefined || label.rank > known.rank || (label.rank === 2 && known.rank === 2 && label.seconds > known.seconds)) labels.set(target, label);
  }
  return labels;
}

function labelOf(repository: Repository, path: string, name: string, object: ObjectId): Label {
  if (repository.objects.findHeader(object)?.type !== 'tag') return { path, object, rank: name.startsWith('refs/tags/') ? 1 : 0, seconds: 0, tagName: undefined };
  const tag = repository.objects.readTag(object);
  return { path, object: tag.object, rank: 2, seconds: tag.tagger?.seconds ?? 0, tagName: tag.name };
}

/** The oldest commit of HEAD's history that has the blob, and where; undefined when none has it. */
export function findBlobOrigin(repository: Repository, blob: ObjectId): { readonly commit: ObjectId; readonly path: string } | undefined {
  const lister = new ObjectLister(repository.objects);
  for (const node of new RevWalk(repository, [{ id: resolveCommit(repository, 'HEAD') }], { reverse: true })) {
    for (const { id, path } of lister.listTree(node.tree, '')) if (id === blob) return { commit: node.id, path };
  }
  return undefined;
}
