// Which objects go into a pack, as git-pack-objects(1) lets one say it: a list of ids, revisions and what they reach, whole packs,
// or all that nobody reaches; less what the limits exclude. What is found is put on a PackingList, in the order history is walked.
//
// Reading only. Replacements are not followed: a pack holds what is stored. Missing objects are errors unless the request says otherwise.
import { existsSync } from 'node:fs';
import { CorruptError, InvalidError, NotFoundError } from '../../pack/errors.js';
import { pathGroup } from '../../pack/delta-window.js';
import { Inventory } from '../../pack/inventory.js';
import type { ObjectStore } from '../../pack/object-store.js';
import { type ObjectId, type ObjectType, encodeObjectId, hexSize, isObjectId } from '../../pack/oid.js';
import type { PackingList } from '../../pack/packing-list.js';
import type { PackReader } from '../../pack/pack-reader.js';
import type { ObjectFilter } from '../history/object-filter.js';
import { ObjectLister } from '../history/object-walk.js';
import { markReachable } from '../history/reachable.js';
import type { Repository } from '../repository.js';
import { listIndexObjects, listOtherHeads, listReflogIds } from './repository-roots.js';
import { findInTree } from '../history/revision.js';
import { type NamedTip, RevisionSet, listFamily } from '../history/revision-set.js';
import { RevWalk } from '../history/walk.js';
import { flag } from '../history/walk-flag.js';

/** Objects left out although they were asked for. */
export interface SelectionLimits {
  /** What is only in an alternate. */
  readonly isLocal?: boolean;
  /** What is in any pack. */
  readonly isIncremental?: boolean;
  /** What is in a pack of ours with a .keep file. */
  readonly honorsKeep?: boolean;
  /** What is in one of these packs of ours, named 'pack-<hash>'. */
  readonly keptPacks?: ReadonlySet<string>;
}

/** Where to start from besides revisions that are named. */
export interface WalkSources {
  readonly all?: boolean;
  readonly reflogs?: boolean;
  readonly indexes?: boolean;
  /** Leaves out commits that are in a pack. */
  readonly unpacked?: boolean;
  /** Deltas may be made against what the excluded commits have. */
  readonly thin?: boolean;
  readonly filter?: ObjectFilter;
  /** Objects that are not there are left out silently. */
  readonly mayMiss?: boolean;
  /** Grafts hide no parents. */
  readonly keepsTrueParents?: boolean;
}

/** The most excluded commits whose trees are looked at for bases. */
const mostEdges = 10;

export class PackSelection {
  readonly #repository: Repository;
  readonly #store: ObjectStore;
  readonly #list: PackingList;
  readonly #limits: SelectionLimits;
  readonly #kept: readonly PackReader[];
  /** Trees the receiver has, and the paths that were looked up in them. */
  readonly #edgeTrees: ObjectId[] = [];
  readonly #lookedUp = new Set<string>();
  #mayMiss = false;

  /** `repository` must have been opened so that replacements are not followed. */
  constructor(repository: Repository, list: PackingList, limits: SelectionLimits) {
    this.#repository = repository;
    this.#store = repository.objects;
    this.#list = list;
    this.#limits = limits;
    this.#kept = this.#store.listOwnPacks().filter((pack) => limits.keptPacks?.has(pack.name) === true || (limits.honorsKeep === true && isKept(pack)));
  }

  /** False for what the limits leave out. */
  #isWanted(id: ObjectId): boolean {
    const { isLocal, isIncremental } = this.#limits;
    if (this.#mayMiss && !this.#store.has(id)) return false;
    if (!isLocal && !isIncremental && this.#kept.length === 0) return true;
    const raw = encodeObjectId(id);
    if (this.#kept.some((pack) => pack.position(raw) >= 0)) return false;
    if (isIncremental && this.#store.isPacked(id)) return false;
    return !isLocal || !this.#store.isBorrowed(id);
  }

  #add(id: ObjectId, type?: ObjectType, path = ''): void {
    if (!this.#isWanted(id)) return;
    if (this.#edgeTrees.length > 0 && type !== 'commit' && type !== 'tag') this.#addBasesAt(path);
    this.#list.add(id, pathGroup(path), type);
  }

  /** '<id>[ <path>]' lines, one character per byte; '-<id>' names a commit whose tree deltas may be made against. InvalidError for anything else. */
  addListed(lines: Iterable<string>): void {
    const digits = hexSize(this.#repository.format);
    for (const line of lines) {
      const isEdge = line.startsWith('-');
      const id = (isEdge ? line.slice(1) : line).slice(0, digits).toLowerCase();
      if (!isObjectId(id, this.#repository.format)) {
        throw new InvalidError(`expected ${isEdge ? 'edge object ID' : 'object ID'}, got garbage: '${line}'`, { code: 'bad-object-list' });
      }
      if (isEdge) this.#addEdge(id);
      else this.#add(id, undefined, line.slice(digits + 1));
    }
  }

  /** Revisions as lines ('--not' turns what follows around), what `sources` says, and all they reach. */
  addReachable(lines: Iterable<string>, sources: WalkSources): void {
    const set = new RevisionSet(this.#repository);
    for (const line of lines) {
      if (line === '') break;
      if (line === '--not') set.negate();
      else if (line.startsWith('--shallow ')) throw new InvalidError("lines with '--shallow' are not supported", { code: 'not-supported' });
      else if (line.startsWith('-')) throw new InvalidError(`not a rev '${line}'`, { code: 'bad-revision' });
      else if (!set.add(line)) throw new NotFoundError(`bad revision '${line}'`, { code: 'bad-revision' });
    }
    const given = new RevisionSet(this.#repository);
    if (sources.all) given.addFamily('all');
    if (sources.all) for (const id of listOtherHeads(this.#repository)) this.#addTip(given, id);
    if (sources.reflogs) for (const id of listReflogIds(this.#repository, true)) this.#addTip(given, id);
    this.#mayMiss = sources.mayMiss === true;
    this.#walk([...set.tips, ...given.tips], sources);
  }

  #addTip(set: RevisionSet, id: ObjectId): void {
    if (this.#store.has(id)) set.add(id);
  }

  #walk(tips: readonly NamedTip[], sources: WalkSources): void {
    const lister = new ObjectLister(this.#store, sources.filter, { mayMiss: this.#mayMiss });
    const commits = tips.filter(({ id }) => this.#store.findHeader(id)?.type === 'commit');
    for (const tip of tips) if (!tip.isExcluded) lister.give(tip.id);
    const nodes = [...new RevWalk(this.#repository, commits, { keepsTrueParents: sources.keepsTrueParents === true })];
    for (const tip of tips) if (tip.isExcluded && this.#store.findHeader(tip.id)?.type === 'tree') lister.exclude(tip.id);
    lister.excludeEdges(nodes, (edge) => { if (sources.thin === true) this.#addEdge(edge.id); });
    for (const tip of tips) if (tip.isExcluded && tip.type === 'blob') lister.excludeBlob(tip.id);
    const given = new Set(tips.map(({ id }) => id));
    const trees: ObjectId[] = [];
    for (const node of nodes) {
      if (node.flags & flag.uninteresting || (sources.unpacked === true && this.#store.isPacked(node.id))) continue;
      if (given.has(node.id) || lister.lets('commit')) this.#add(node.id, 'commit');
      trees.push(node.tree);
    }
    const excluded = new Set(tips.flatMap((tip) => (tip.isExcluded ? [...this.#tagsOf(tip)] : [])));
    for (const tip of tips) if (!tip.isExcluded) this.#addNamed(lister, tip, excluded);
    if (sources.indexes) this.#addIndexes(lister);
    for (const tree of trees) for (const { id, type, path } of lister.listTree(tree, '')) this.#add(id, type, path);
  }

  /** Tags on the way to what was named, and trees and blobs that were named themselves. */
  #addNamed(lister: ObjectLister, tip: NamedTip, excluded: ReadonlySet<ObjectId>): void {
    for (const tag of this.#tagsOf(tip)) if (!excluded.has(tag)) this.#add(tag, 'tag', this.#store.readTag(tag).name);
    const type = this.#store.findHeader(tip.id)?.type;
    const path = tip.path ?? '';
    const found = type === 'tree' ? lister.listTree(tip.id, path) : type === 'blob' ? lister.listBlob(tip.id, path) : [];
    for (const object of found) this.#add(object.id, object.type, object.path);
  }

  *#tagsOf(tip: NamedTip): Generator<ObjectId> {
    for (let at = tip.object; at !== tip.id; at = this.#store.readTag(at).object) yield at;
  }

  #addIndexes(lister: ObjectLister): void {
    for (const { id, type, path } of listIndexObjects(this.#repository, true)) {
      // A tree the index remembers need not have been written.
      const found = type === 'blob' ? lister.listBlob(id, path) : this.#store.has(id) ? lister.listTree(id, '') : [];
      for (const object of found) this.#add(object.id, object.type, object.path);
    }
  }

  /** Takes note of a commit the receiver has; there need not be such. */
  #addEdge(id: ObjectId): void {
    if (this.#edgeTrees.length >= mostEdges) return;
    const type = this.#store.findHeader(id)?.type;
    const tree = type === 'commit' ? this.#store.readCommit(id).tree : type === 'tree' ? id : undefined;
    if (tree !== undefined && this.#store.has(tree)) this.#edgeTrees.push(tree);
  }

  /** What the receiver has where something is selected: deltas may be made against it. */
  #addBasesAt(path: string): void {
    if (this.#lookedUp.has(path)) return;
    this.#lookedUp.add(path);
    for (const tree of this.#edgeTrees) {
      const found = path === '' ? { id: tree, mode: 0o040000 } : findInTree(this.#repository, tree, path);
      if (found !== undefined && found.mode !== 0o160000 && this.#store.has(found.id)) this.#list.addBase(found.id, pathGroup(path));
    }
  }

  /** Objects and what they reach, as far as it is there. */
  addWhatIsThere(ids: readonly ObjectId[], withoutParents: ReadonlySet<ObjectId>): void {
    const fresh = ids.filter((id) => !this.#list.has(id) && this.#store.has(id));
    if (fresh.length === 0) return;
    markReachable(this.#store, fresh, {
      seen: new Set(this.#list.listIds()), withoutParents, checkBlobs: true, onMissing: () => undefined,
      onCorrupt: (_id, error) => { if (!(error instanceof CorruptError)) throw error; },
      onObject: (id, type, path) => { this.#add(id, type, path); },
    });
  }

  /** Annotated tags of what was selected. */
  addTagsOfSelected(): void {
    for (const { id } of listFamily(this.#repository, 'tags', undefined)) {
      const chain: ObjectId[] = [];
      let at = id;
      while (this.#store.findHeader(at)?.type === 'tag') {
        chain.push(at);
        at = this.#store.readTag(at).object;
      }
      if (chain.length > 0 && this.#list.has(at)) for (const tag of chain) this.#add(tag, 'tag');
    }
  }

  /** Everything in packs of ours that are not kept: with `loose`, in loose files too. */
  addAllOfOurs(which: { readonly packed: boolean; readonly loose: boolean }): void {
    if (which.packed) {
      for (const pack of this.#store.listOwnPacks()) {
        if (this.#limits.keptPacks?.has(pack.name) || isKept(pack)) continue;
        for (const position of pack.index.positionsByOffset()) this.#add(pack.idAt(position));
      }
    }
    if (which.loose) for (const { id } of this.#store.listLoose()) this.#add(id);
  }

  /**
   * Makes loose what is in packs of ours that are not kept and was not selected, unless it was last used before `expireMs` and nothing younger
   * reaches it. Durable when it returns.
   */
  loosenUnused(expireMs: number | undefined): void {
    const inventory = Inventory.read(this.#store);
    const isStaying = (id: ObjectId): boolean => {
      const raw = encodeObjectId(id);
      return inventory.packs.some(({ reader, isKept: kept }) => (kept || this.#limits.keptPacks?.has(reader.name) === true) && reader.position(raw) >= 0);
    };
    const unused: ObjectId[] = [];
    for (const id of inventory.listIds()) if (inventory.find(id)?.kind === 'pack' && !this.#list.has(id) && !isStaying(id)) unused.push(id);
    const wanted = expireMs === undefined ? undefined : this.#reachedByYoung(inventory, unused, expireMs);
    this.#store.writeTogether(() => {
      for (const id of unused) if (wanted === undefined || wanted.has(id)) this.#store.loosen(id, inventory.youngestMs(id));
    });
    this.#store.flush();
  }

  /** Objects of packs named '<pack>.pack', less those in packs named '^<pack>.pack'; with `loose`, what is loose as well. */
  addPacks(lines: Iterable<string>, loose: boolean): void {
    const packs = new Map(this.#store.listPacks().map((pack) => [`${pack.name}.pack`, pack]));
    const find = (name: string): PackReader => {
      const pack = packs.get(name);
      if (pack === undefined) throw new NotFoundError(`could not find pack '${name}'`, { code: 'pack-missing' });
      return pack;
    };
    const names = [...lines].filter((line) => line !== '');
    const excluded = names.filter((name) => name.startsWith('^')).map((name) => find(name.slice(1)));
    const included = names.filter((name) => !name.startsWith('^')).map(find);
    const groups = this.#groupsIn(included);
    for (const pack of included) {
      for (const position of pack.index.positionsByOffset()) {
        const raw = pack.index.rawIdAt(position);
        if (excluded.some((other) => other.position(raw) >= 0)) continue;
        const id = pack.idAt(position);
        if (this.#isWanted(id)) this.#list.add(id, groups.get(id) ?? 0);
      }
    }
    if (!loose) return;
    for (const { id } of this.#store.listLoose()) {
      const raw = encodeObjectId(id);
      if (!excluded.some((pack) => pack.position(raw) >= 0)) this.#add(id);
    }
  }

  /** Paths' groups of the trees and blobs that commits in these packs reach; best effort, for deltas only. */
  #groupsIn(packs: readonly PackReader[]): Map<ObjectId, number> {
    const groups = new Map<ObjectId, number>();
    const roots: ObjectId[] = [];
    for (const pack of packs) {
      for (const position of pack.index.positionsByOffset()) if (pack.headerAt(position).type === 'commit') roots.push(this.#store.readCommit(pack.idAt(position)).tree);
    }
    markReachable(this.#store, roots, { onMissing: () => undefined, onObject: (id, _type, path) => groups.set(id, pathGroup(path)) });
    return groups;
  }

  /**
   * What is in no pack that stays, be it loose or in a pack that goes: lines name packs that go with '-', and others that stay, as those do
   * that are not named. Objects last used before `expireMs` go, unless what is younger reaches them. Returns the age of each object selected,
   * in milliseconds since 1970.
   */
  addUnreachable(lines: Iterable<string>, expireMs: number | undefined): Map<ObjectId, number> {
    const inventory = Inventory.read(this.#store);
    const packs = new Map(inventory.packs.map(({ reader }) => [`${reader.name}.pack`, reader]));
    const staying = new Set(packs.values());
    for (const line of lines) {
      if (line === '') continue;
      const goes = line.startsWith('-');
      const pack = packs.get(goes ? line.slice(1) : line);
      if (pack === undefined) throw new NotFoundError(`could not find pack '${line.slice(goes ? 1 : 0)}'`, { code: 'pack-missing' });
      if (goes && !(this.#limits.honorsKeep === true && isKept(pack))) staying.delete(pack);
    }
    const sources = inventory.packs.filter(({ reader, isKept: kept }) => !kept && !staying.has(reader)).map(({ reader }) => reader);
    const candidates = new Set<ObjectId>();
    const consider = (id: ObjectId): void => {
      const raw = encodeObjectId(id);
      for (const pack of staying) if (pack.position(raw) >= 0) return;
      if (this.#isWanted(id)) candidates.add(id);
    };
    for (const pack of sources) for (const position of pack.index.positionsByOffset()) consider(pack.idAt(position));
    for (const { id } of inventory.loose) consider(id);
    const wanted = expireMs === undefined ? candidates : this.#reachedByYoung(inventory, candidates, expireMs);
    const ages = new Map<ObjectId, number>();
    for (const id of candidates) {
      if (!wanted.has(id)) continue;
      ages.set(id, inventory.youngestMs(id));
      this.#list.add(id);
    }
    return ages;
  }

  /** Those last used after a time, and all they reach. */
  #reachedByYoung(inventory: Inventory, ids: Iterable<ObjectId>, expireMs: number): ReadonlySet<ObjectId> {
    const young: ObjectId[] = [];
    for (const id of ids) if (Math.floor(inventory.youngestMs(id) / 1000) * 1000 > expireMs) young.push(id);
    // They may name what is gone already: that is no reason to lose them.
    return markReachable(this.#store, young, { onMissing: () => undefined, onCorrupt: () => undefined });
  }
}

/** True for a pack with a .keep file. */
export function isKept(pack: PackReader): boolean {
  return existsSync(pack.path.replace(/\.pack$/, '.keep'));
}
