// Where else than in refs a repository names objects: reflogs, the HEADs of other work trees, indexes, a bisection, refs of the
// repositories objects are borrowed from. What --reflog, --indexed-objects, --bisect and --alternate-refs of git-rev-list(1) begin with.
import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { listObjectDirectories } from '../../pack/alternates.js';
import { findFile } from '../../pack/file-lookup.js';
import { type ObjectId, isZeroId } from '../../pack/oid.js';
import type { CacheTree } from '../index/cache-tree.js';
import { Index } from '../index/index-file.js';
import { listReflogs, readReflog } from '../refs/reflog.js';
import { Refs } from '../refs/refs.js';
import type { Repository } from '../repository.js';
import { listWorkTrees } from '../work-trees.js';

/** Both ids of every entry of every reflog. */
export function* listReflogIds(repository: Repository, allWorkTrees: boolean): Generator<ObjectId> {
  for (const name of listReflogs(repository, { allWorkTrees })) {
    for (const { oldId, newId } of readReflog(repository, name)) for (const id of [oldId, newId]) if (!isZeroId(id)) yield id;
  }
}

/** What HEAD is in the other work trees. */
export function* listOtherHeads(repository: Repository): Generator<ObjectId> {
  for (const { gitDirectory } of listWorkTrees(repository)) {
    if (gitDirectory === repository.gitDirectory) continue;
    const head = new Refs({ gitDirectory, commonDirectory: repository.commonDirectory, format: repository.format }).find('HEAD');
    // All zeros where a work tree is being made, or its making was cut short.
    if (head !== undefined && !isZeroId(head.id)) yield head.id;
  }
}

/** A blob an index has, or a tree it remembers, which need not be stored. */
export interface IndexObject {
  readonly id: ObjectId;
  readonly type: 'blob' | 'tree';
  readonly path: string;
}

/** Everything the index names, and with `allWorkTrees` the other work trees' indexes. */
export function* listIndexObjects(repository: Repository, allWorkTrees: boolean): Generator<IndexObject> {
  const paths = [repository.indexPath];
  if (allWorkTrees) for (const { gitDirectory } of listWorkTrees(repository)) if (gitDirectory !== repository.gitDirectory) paths.push(join(gitDirectory, 'index'));
  for (const path of paths) {
    const index = Index.read(path, repository.format);
    for (const { id, mode, path: name } of index.entries) if (mode !== 0o160000) yield { id, type: 'blob', path: name };
    yield* listCachedTrees(index.cacheTree, '');
  }
}

function* listCachedTrees(node: CacheTree | undefined, path: string): Generator<IndexObject> {
  if (node === undefined) return;
  if (node.isValid && node.id !== undefined) yield { id: node.id, type: 'tree', path };
  for (const [name, child] of node.children) yield* listCachedTrees(child, path === '' ? name : `${path}/${name}`);
}

/** The refs of a bisection: first those known to be bad, then the good ones. */
export function* listBisectRefs(repository: Repository): Generator<{ readonly id: ObjectId; readonly name: string; readonly isGood: boolean }> {
  const terms = findFile(join(repository.gitDirectory, 'BISECT_TERMS'))?.toString('utf8').split('\n') ?? [];
  const [bad = 'bad', good = 'good'] = terms.filter((term) => term !== '');
  for (const term of [bad, good]) for (const { id, name } of repository.refs.list(`refs/bisect/${term}`)) yield { id, name, isGood: term === good };
}

/** What refs point at in the repositories whose objects are used here. */
export function* listAlternateTips(repository: Repository): Generator<ObjectId> {
  for (const directory of listObjectDirectories(repository.objectsDirectory, []).slice(1)) {
    const gitDirectory = dirname(directory);
    if (basename(directory) !== 'objects' || !existsSync(join(gitDirectory, 'refs'))) continue;
    for (const { id } of new Refs({ gitDirectory, commonDirectory: gitDirectory, format: repository.format }).list()) yield id;
  }
}
