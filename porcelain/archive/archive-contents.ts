// What goes into an archive: the refs it will have, the commits whoever reads it must have, and every object in between, in the one order
// that depends on nothing but these. Specified in cairn-archive(5), "Packing 1".
//
// Reading only; objects that are missing or damaged are errors that name them. Memory: some hundred bytes per object.
import { CorruptError, InvalidError, NotFoundError, RefusedError } from '../../pack/errors.js';
import type { ObjectStore } from '../../pack/object-store.js';
import type { ObjectId, ObjectType } from '../../pack/oid.js';
import { PackingList } from '../../pack/packing-list.js';
import { checkTreeDepth, gitlinkMode, isTreeMode } from '../../pack/tree.js';
import { ObjectLister } from '../../plumbing/history/object-walk.js';
import { expandRefName, resolveRevision } from '../../plumbing/history/revision.js';
import { type Tip, RevWalk } from '../../plumbing/history/walk.js';
import { flag } from '../../plumbing/history/walk-flag.js';
import type { Steps } from '../../plumbing/interruption.js';
import { type RefName, encodeRefName } from '../../plumbing/refs/ref-name.js';
import type { Repository } from '../../plumbing/repository.js';
import type { ArchiveCounts, ArchiveHead } from './sidecar.js';

export interface Bounds {
  /** HEAD first, then by name. */
  readonly heads: readonly ArchiveHead[];
  /** Sorted; what they reach is left out. */
  readonly prerequisites: readonly ObjectId[];
}

export interface Contents extends Bounds {
  readonly list: PackingList;
  readonly counts: ArchiveCounts;
  /** Committer's time of the youngest commit, in seconds since 1970; 0 when there is none. */
  readonly newestSeconds: number;
}

/** The heads of what was asked for: refs by their names, other revisions below refs/archive/. InvalidError when that is nothing. */
export function findHeads(repository: Repository, wanted: { readonly all: boolean; readonly revisions: readonly string[] }): ArchiveHead[] {
  const heads = new Map<string, ArchiveHead>();
  const add = (name: string, id: ObjectId): void => { heads.set(name, { name: name as RefName, id }); };
  if (wanted.all) {
    for (const { name, id } of repository.refs.list()) add(name, id);
    const head = repository.refs.find('HEAD');
    if (head !== undefined) add('HEAD', head.id);
  }
  for (const text of wanted.revisions) {
    if (text.startsWith('^') || text.includes('..')) throw new InvalidError(`'${text}' is a range`, { code: 'bad-revision', hint: 'leave out what the receiver has with --since' });
    addRevision(repository, text, add);
  }
  if (heads.size === 0) throw new InvalidError('there is nothing to archive', { code: 'empty-selection', hint: 'the repository has no commit, or no ref was named' });
  const sorted = [...heads.values()].filter(({ name }) => name !== 'HEAD').sort((a, b) => byBytes(encodeRefName(a.name), encodeRefName(b.name)));
  const head = heads.get('HEAD');
  return head === undefined ? sorted : [head, ...sorted];
}

/** A ref under its name; HEAD with its branch; the first commit that was named is HEAD as well, so that a clone checks it out. */
function addRevision(repository: Repository, text: string, add: (name: string, id: ObjectId) => void): void {
  const { objects, refs } = repository;
  const name = expandRefName(repository, text);
  const ref = name === undefined ? undefined : refs.find(name);
  const id = ref?.id ?? resolveRevision(repository, text);
  const commit = peelToCommit(objects, id);
  if (name === 'HEAD') {
    add('HEAD', id);
    const branch = refs.resolve('HEAD').name;
    if (branch !== 'HEAD') add(branch, id);
    return;
  }
  add(ref === undefined || name === undefined ? `refs/archive/${id}` : name, id);
  if (commit !== undefined) add('HEAD', commit);
}

function peelToCommit(objects: ObjectStore, id: ObjectId): ObjectId | undefined {
  let at = id;
  for (let header = objects.readHeader(at); ; header = objects.readHeader(at)) {
    if (header.type === 'commit') return at;
    if (header.type !== 'tag') return undefined;
    at = objects.readTag(at).object;
  }
}

function byBytes(one: string, two: string): number {
  return one < two ? -1 : one > two ? 1 : 0;
}

/** The commits `heads` build on when what `since` reaches is left out, each head's own that is left out among them. */
export function findPrerequisites(repository: Repository, heads: readonly ArchiveHead[], since: readonly ObjectId[]): ObjectId[] {
  if (since.length === 0) return [];
  const found = new Set<ObjectId>();
  const shown = new Set<ObjectId>();
  const tips = headCommits(repository, heads);
  const excluded = since.map((id) => ({ id, isExcluded: true }));
  for (const node of new RevWalk(repository, [...tips.map((id) => ({ id })), ...excluded], { boundary: true, keepsTrueParents: true })) {
    if ((node.flags & flag.boundary) === 0) shown.add(node.id);
  }
  if (shown.size === 0) {
    throw new InvalidError('there is nothing to archive: all that was named is reached by what the receiver has', { code: 'empty-selection' });
  }
  for (const id of shown) for (const parent of repository.objects.readCommit(id).parents) if (!shown.has(parent)) found.add(parent);
  for (const id of tips) if (!shown.has(id)) found.add(id);
  return [...found].sort(byBytes);
}

function headCommits(repository: Repository, heads: readonly ArchiveHead[]): ObjectId[] {
  return [...new Set(heads.flatMap(({ id }) => peelToCommit(repository.objects, id) ?? []))];
}

/** The commit a clone of it checks out; undefined where no head leads to one. */
export function findTip(objects: ObjectStore, heads: readonly ArchiveHead[]): ObjectId | undefined {
  const head = heads.find(({ name }) => name === 'HEAD') ?? heads.find(({ name }) => name.startsWith('refs/heads/')) ?? heads[0];
  return head === undefined ? undefined : peelToCommit(objects, head.id);
}

/** Everything between the bounds, for a pack. */
export function* listContents(repository: Repository, { heads, prerequisites }: Bounds, onProgress?: (done: number) => void): Steps<Contents> {
  const { objects } = repository;
  const list = new PackingList();
  const counts = { commit: 0, tag: 0, tree: 0, blob: 0 };
  const add = (id: ObjectId, type: ObjectType, group = 0): void => { if (list.add(id, group, type)) counts[type] += 1; };
  const lister = new ObjectLister(objects);
  const commits: { readonly id: ObjectId; readonly seconds: number; readonly tree: ObjectId }[] = [];
  const tips: Tip[] = [...headCommits(repository, heads).map((id) => ({ id })), ...prerequisites.map((id) => ({ id, isExcluded: true }))];
  const nodes = [];
  for (const node of new RevWalk(repository, tips, { keepsTrueParents: true })) {
    if (node.flags & flag.uninteresting) continue;
    if (prerequisites.length > 0) nodes.push(node);
    commits.push({ id: node.id, seconds: node.seconds, tree: node.tree });
    yield;
  }
  for (const id of prerequisites) lister.exclude(objects.readCommit(id).tree);
  commits.sort((a, b) => b.seconds - a.seconds || byBytes(a.id, b.id));
  for (const { id } of commits) add(id, 'commit');
  for (const { id } of heads) for (const tag of listTags(objects, id)) add(tag, 'tag');
  const trees = [...commits.map(({ tree }) => tree), ...heads.map(({ id }) => peelTags(objects, id))];
  for (const root of trees) {
    const { type } = objects.readHeader(root);
    if (type === 'commit' || type === 'tag') continue;
    for (const { id, type: kind, path } of type === 'tree' ? lister.listTree(root, '') : lister.listBlob(root, '')) {
      if (kind === 'blob' && !objects.has(id)) throw new NotFoundError(`blob '${id}' is missing`, { code: 'object-missing', hint: 'run cairn fsck; restore the object from another copy' });
      add(id, kind, groupOf(path));
      onProgress?.(list.count);
      yield;
    }
  }
  if (list.count === 0) throw new InvalidError('there is nothing to archive', { code: 'empty-selection' });
  const tip = findTip(objects, heads);
  return {
    heads, prerequisites, list, newestSeconds: commits[0]?.seconds ?? 0,
    counts: {
      objects: list.count, commits: counts.commit, tags: counts.tag, trees: counts.tree, blobs: counts.blob,
      files: tip === undefined ? 0 : countFiles(objects, objects.readCommit(tip).tree),
    },
  };
}

function* listTags(objects: ObjectStore, id: ObjectId): Generator<ObjectId> {
  for (let at = id; objects.readHeader(at).type === 'tag'; at = objects.readTag(at).object) yield at;
}

function peelTags(objects: ObjectStore, id: ObjectId): ObjectId {
  let at = id;
  while (objects.readHeader(at).type === 'tag') at = objects.readTag(at).object;
  return at;
}

/** A number for a path, the same everywhere; paths that share one by chance are only compared in vain. Never 0. */
function groupOf(path: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < path.length; at += 1) hash = Math.imul(hash ^ path.charCodeAt(at), 0x01000193);
  return (hash >>> 0) || 1;
}

/** Files and links below a tree. */
function countFiles(objects: ObjectStore, tree: ObjectId): number {
  const known = new Map<ObjectId, number>();
  const count = (id: ObjectId, depth: number): number => {
    checkTreeDepth(depth, id);
    let files = known.get(id);
    if (files !== undefined) return files;
    files = 0;
    for (const entry of objects.readTree(id)) {
      if (isTreeMode(entry.mode)) files += count(entry.id, depth + 1);
      else if (entry.mode !== gitlinkMode) files += 1;
      if (!Number.isSafeInteger(files)) throw new CorruptError(`tree '${tree}' has more files than can be counted`, { code: 'bad-tree' });
    }
    known.set(id, files);
    return files;
  };
  return count(tree, 0);
}

/** RefusedError for a repository that does not have all of its history. */
export function checkComplete(repository: Repository, isShallow: boolean): void {
  if (isShallow) throw new RefusedError('the repository is shallow: it does not have the history an archive must hold', { code: 'shallow-repository' });
  if (repository.config.get('extensions.partialclone') !== undefined) {
    throw new RefusedError('the repository is a partial clone: it does not have all objects an archive must hold', { code: 'partial-clone' });
  }
}
