// Everything behind a walk in the order rev-list tells it: commits, then tags that were named, trees and blobs; what a filter leaves
// out, and what is not there.
//
// A blob is listed only when it is there: who lists all objects of some commits without an error has them all. Specified by --objects,
// --filter and --missing of git-rev-list(1).
import type { CommitLines } from '../../pack/commit-walk.js';
import { NotFoundError } from '../../pack/errors.js';
import type { ObjectId } from '../../pack/oid.js';
import type { CommitNode } from './history.js';
import { inSetOrder } from './id-set-order.js';
import type { ObjectFilter } from './object-filter.js';
import { type ListedObject, ObjectLister } from './object-walk.js';
import type { Pathspec } from '../pathspec.js';
import type { Repository } from '../repository.js';
import type { NamedTip } from './revision-set.js';
import type { RevWalk } from './walk.js';
import { flag } from './walk-flag.js';

export interface ObjectListingOptions {
  readonly filter?: ObjectFilter | undefined;
  /** The filter counts for what was named, too. */
  readonly filtersNamed: boolean;
  /** `omitted` will be asked for. */
  readonly recordsOmitted: boolean;
  /** What becomes of an object that is not there: an error, nothing, or it is found in `missing` afterwards. */
  readonly missing: 'error' | 'allow' | 'record';
  /** Excluded commits told of first: none, those that border on the others, or all that were named besides. */
  readonly edges: 'none' | 'bordering' | 'all';
  /** Trees and blobs come right after the first commit that has them. */
  readonly inCommitOrder: boolean;
  readonly pathspec?: Pathspec | undefined;
}

export type ListedItem =
  | { readonly kind: 'edge'; readonly id: ObjectId }
  | { readonly kind: 'commit'; readonly node: CommitNode }
  /** `path` is the tag's name for a tag. */
  | { readonly kind: 'object'; readonly id: ObjectId; readonly path: string };

/** One listing; it can be gone through once. */
export class ObjectListing {
  readonly #repository: Repository;
  readonly #walk: RevWalk;
  readonly #tips: readonly NamedTip[];
  readonly #options: ObjectListingOptions;
  readonly #lister: ObjectLister;
  readonly #missing: ObjectId[] = [];
  readonly #tags = new Set<ObjectId>();

  constructor(repository: Repository, walk: RevWalk, tips: readonly NamedTip[], options: ObjectListingOptions) {
    this.#repository = repository;
    this.#walk = walk;
    this.#tips = tips;
    this.#options = options;
    this.#lister = new ObjectLister(repository.objects, options.filter, { mayMiss: options.missing !== 'error', pathspec: options.pathspec, recordsOmitted: options.recordsOmitted });
  }

  /** Objects that were not there, in git's order. */
  missing(): ObjectId[] {
    return inSetOrder(this.#missing);
  }

  /** Trees and blobs the filter left out, in git's order. */
  omitted(): ObjectId[] {
    return inSetOrder(this.#lister.omitted().flatMap((part) => [...part]));
  }

  /**
   * Prints what `list` would give, commits as `lines` says, where everything is to be listed and nothing was named but commits and tags;
   * `printTag` is for the tags. False, and nothing printed, otherwise.
   */
  printAll(lines: CommitLines, printTag: (item: ListedItem) => void): boolean {
    const { filter, missing, edges, inCommitOrder, pathspec } = this.#options;
    const isPlain = filter === undefined && missing === 'error' && edges === 'none' && !inCommitOrder && pathspec === undefined
      && this.#tips.every(({ isExcluded, id, type }) => !isExcluded && (type === 'commit' || (type === 'tag' && this.#repository.objects.findHeader(id)?.type === 'commit')));
    return isPlain && this.#walk.printObjects(lines, () => { for (const item of this.#listNamed()) printTag(item); });
  }

  *list(): Generator<ListedItem> {
    const { inCommitOrder, filtersNamed } = this.#options;
    yield* this.#exclude();
    const named = new Set(filtersNamed ? [] : this.#tips.filter(({ isExcluded }) => !isExcluded).map(({ id }) => id));
    for (const id of named) this.#lister.give(id);
    let trees: ObjectId[] = [];
    let isFirst = true;
    for (const node of this.#walk) {
      if (named.has(node.id) || this.#lister.lets('commit')) yield { kind: 'commit', node };
      if (node.flags & flag.uninteresting) continue;
      trees.push(node.tree);
      // A tree that was named, and is a commit's besides, is filtered as that.
      if (named.has(node.tree)) this.#lister.takeBack(node.tree);
      if (!inCommitOrder) continue;
      if (isFirst) yield* this.#listNamed();
      isFirst = false;
      yield* this.#listTrees(trees);
      trees = [];
    }
    if (isFirst) yield* this.#listNamed();
    yield* this.#listTrees(trees);
  }

  /** What is known on the other side. */
  *#exclude(): Generator<ListedItem> {
    const { edges } = this.#options;
    const told = new Set<ObjectId>();
    const bordering: ObjectId[] = [];
    for (const { id, type, isExcluded } of this.#tips) if (isExcluded && type === 'tree') this.#lister.exclude(id);
    const collected = this.#walk.collected();
    // With clocks that differ, some turn out to be excluded only after they were collected.
    for (const node of collected) {
      if ((node.flags & flag.uninteresting) === 0) continue;
      this.#lister.exclude(node.tree);
      if (edges === 'all') bordering.push(node.id);
    }
    this.#lister.excludeEdges(collected.filter(({ flags }) => (flags & flag.uninteresting) === 0), ({ id }) => bordering.push(id));
    for (const { id, type, object, isExcluded } of this.#tips) {
      if (!isExcluded) continue;
      if (type === 'blob') this.#lister.excludeBlob(id);
      if (type === 'tag') for (const tag of this.#listTags(object)) this.#tags.add(tag.id);
      if (edges === 'all' && type === 'commit') bordering.push(id);
    }
    if (edges === 'none') return;
    for (const id of bordering) {
      if (told.has(id)) continue;
      told.add(id);
      if (edges === 'all') this.#lister.exclude(this.#walk.history.node(id).tree);
      yield { kind: 'edge', id };
    }
  }

  /** Tags that were named, and trees and blobs that were. */
  *#listNamed(): Generator<ListedItem> {
    const { objects } = this.#repository;
    for (const tip of this.#tips) {
      if (tip.isExcluded) continue;
      for (const tag of this.#listTags(tip.object)) {
        if (this.#tags.has(tag.id)) continue;
        this.#tags.add(tag.id);
        if (!this.#options.filtersNamed || this.#lister.lets('tag')) yield { kind: 'object', ...tag };
      }
      const type = objects.findHeader(tip.id)?.type;
      if (type === 'tree') yield* this.#checked(this.#lister.listTree(tip.id, tip.path ?? ''));
      if (type === 'blob') yield* this.#checked(this.#lister.listBlob(tip.id, tip.path ?? ''));
    }
  }

  /** A tag, and the tags it leads to. */
  *#listTags(id: ObjectId): Generator<{ readonly id: ObjectId; readonly path: string }> {
    const { objects } = this.#repository;
    for (let at = id; objects.findHeader(at)?.type === 'tag';) {
      const { name, object } = objects.readTag(at);
      yield { id: at, path: name };
      at = object;
    }
  }

  *#listTrees(trees: readonly ObjectId[]): Generator<ListedItem> {
    for (const tree of trees) yield* this.#checked(this.#lister.listTree(tree, ''));
  }

  *#checked(found: Iterable<ListedObject>): Generator<ListedItem> {
    const { objects } = this.#repository;
    const { missing } = this.#options;
    for (const { id, type, path } of found) {
      // A tree that is gone into has been read.
      if ((missing !== 'error' || type === 'blob') && !objects.has(id)) {
        if (missing === 'error') throw new NotFoundError(`missing ${type} object '${id}'`, { code: 'object-missing' });
        if (missing === 'record') this.#missing.push(id);
        continue;
      }
      yield { kind: 'object', id, path };
    }
  }
}
