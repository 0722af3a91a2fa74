// Verifying a repository: that every ref, reflog, index and record can be read, that everything needed is there, and that every stored
// byte is still what it was, by comparing each copy of each object with its id (cairn-verify(1)).
//
// Nothing is written and nothing is locked. Beside writers and gc: what seems wrong and was replaced or removed meanwhile is looked at
// once more, and only what is wrong then counts.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CairnError, CorruptError } from '../../pack/errors.js';
import { findFile } from '../../pack/file-lookup.js';
import type { ObjectStore } from '../../pack/object-store.js';
import type { ObjectId } from '../../pack/oid.js';
import { CommitGraphing } from '../../plumbing/history/commit-graphing.js';
import { markReachable } from '../../plumbing/history/reachable.js';
import { MultiPackIndexing } from '../../plumbing/objects/multi-pack-indexing.js';
import { Index } from '../../plumbing/index/index-file.js';
import { hasReflog, listReflogs, readReflog } from '../../plumbing/refs/reflog.js';
import type { Repository } from '../../plumbing/repository.js';
import { listWorkTrees } from '../../plumbing/work-trees.js';
import { listRoots, readShallow } from '../gc-roots.js';
import { type Finding, collected, errorAt, findingsOf, noticeAt } from './finding.js';
import { checkOwnRecords } from './own-records.js';
import { type CopyCount, type DataPart, checkCopies } from './stored-copies.js';

export type VerificationPhase = 'reading' | 'following';

export interface VerificationOptions {
  /** Which part of the data is read; undefined: only what is needed to follow what names what. */
  readonly part: DataPart | undefined;
  readonly onProgress?: (phase: VerificationPhase, done: number) => void;
}

export interface Verification {
  /** Errors first. */
  readonly findings: readonly Finding[];
  readonly copies: CopyCount;
  /** Objects that are needed. */
  readonly needed: ReadonlySet<ObjectId>;
  readonly roots: number;
  /** Needed objects that are nowhere. */
  readonly missing: readonly ObjectId[];
}

/** Where git and cairn keep refs, and the best known of other programs. */
const knownPlaces = /^refs\/(?:heads|tags|remotes|notes|replace|bisect|worktree|rewritten|prefetch|releases|runs|holds|cairn|pull|merge-requests|changes|keep-around)\/|^refs\/stash$/;

/** Looks at everything; never throws for damage. */
export function verifyRepository(repository: Repository, options: VerificationOptions): Verification {
  const store = repository.openStored();
  try {
    return verify(repository, store, options);
  } finally {
    store.close();
  }
}

function verify(repository: Repository, store: ObjectStore, options: VerificationOptions): Verification {
  const findings: Finding[] = [];
  const { commonDirectory } = repository;
  const tags: ObjectId[] = [];
  const copies = checkCopies(store, {
    part: options.part,
    onFinding: (finding) => { findings.push(finding); },
    onObject: (id, type) => { if (type === 'tag') tags.push(id); },
    onProgress: (done) => { options.onProgress?.('reading', done); },
  });
  findings.push(...confirmed(() => collected('derived', store.directory, checkDerived(store))));
  findings.push(...confirmed(() => collected('ref', commonDirectory, checkRefs(repository, store))));
  const { roots, damaged } = readRoots(repository);
  findings.push(...damaged);
  const { needed, missing, broken } = follow(repository, store, roots, options);
  findings.push(...tags.flatMap((id) => (needed.has(id) ? [] : [noticeAt('object', `object '${id}'`, `it is the tag '${findTagName(store, id)}', which no ref leads to`)])));
  findings.push(...broken, ...confirmed(() => collected('record', join(commonDirectory, 'cairn'), checkOwnRecords(repository, store))));
  return {
    findings: [...findings.filter(({ severity }) => severity === 'error'), ...findings.filter(({ severity }) => severity === 'notice')],
    copies, needed, missing, roots: roots.size,
  };
}

/** What is wrong when looked at twice: the first time something may just have been replaced. */
function confirmed(check: () => Iterable<Finding>): Finding[] {
  const first = [...check()];
  if (first.length === 0) return first;
  const described = new Set(first.map(describe));
  return [...check()].filter((finding) => described.has(describe(finding)));
}

function describe({ subject, message }: Finding): string {
  return `${subject}\0${message}`;
}

/** Files that only repeat what objects say. */
function* checkDerived(store: ObjectStore): Generator<Finding> {
  const { directory } = store;
  const graph = join(directory, existsSync(join(directory, 'info/commit-graph')) ? 'info/commit-graph' : 'info/commit-graphs');
  for (const fault of new CommitGraphing(store, directory).check({ shallow: false })) yield errorAt('derived', graph, fault);
  const midx = join(directory, 'pack/multi-pack-index');
  for (const fault of new MultiPackIndexing(store).check()) yield errorAt('derived', midx, fault);
  const list = join(directory, 'info/packs');
  const text = findFile(list)?.toString('latin1');
  if (text === undefined) return;
  const isStale = [...text.matchAll(/^P (.*)$/gm)].some(([, name]) => !existsSync(join(directory, 'pack', name!)));
  if (isStale || !/^(?:P pack-[0-9a-f]+\.pack\n)*\n$/.test(text)) yield noticeAt('derived', list, 'it does not list the packs that are there; cairn update-server-info writes it anew');
}

/** Refs that cannot be read, or do not fit their reflogs or what they name. */
function* checkRefs(repository: Repository, objects: ObjectStore): Generator<Finding> {
  const { refs } = repository;
  const found: Finding[] = [];
  const there = new Map<string, ObjectId>();
  for (const { name, id } of refs.list('refs/', (name, error) => { found.push(errorAt('ref', name, error.message)); })) there.set(name, id);
  yield* found;
  const head = repository.refs.resolve('HEAD');
  if (head.raw === undefined && head.name !== 'HEAD' && logEnd(repository, 'HEAD') !== undefined) {
    yield noticeAt('ref', 'HEAD', `it names '${head.name}', which is not there, although commits were made`);
  }
  for (const name of listReflogs(repository)) {
    const path = refs.logPath(name);
    const torn = countTornBytes(findFile(path));
    if (torn > 0) yield noticeAt('ref', String(path), `${torn} bytes at its end are no whole entry`);
    const last = logEnd(repository, name);
    if (last === undefined || name === 'HEAD') continue;
    const id = there.get(name);
    if (id === undefined) yield noticeAt('ref', name, 'it has a reflog, but is not there');
    else if (id !== last) yield noticeAt('ref', name, `it is ${id}, but its reflog ends with ${last}`);
  }
  if (repository.config.getBoolean('core.logallrefupdates') !== false && logEnd(repository, 'HEAD') !== undefined) {
    for (const name of there.keys()) if (name.startsWith('refs/heads/') && !hasReflog(repository, name)) yield noticeAt('ref', name, 'it has no reflog, as branches here have');
  }
  for (const name of there.keys()) if (!knownPlaces.test(name)) yield noticeAt('ref', name, 'it is in none of the places refs are kept in');
  yield* checkSpelling(repository);
  for (const { gitDirectory } of [repository, ...listWorkTrees(repository)]) {
    const path = join(gitDirectory, 'index');
    yield* findingsOf('index', path, () => { if (existsSync(path)) Index.read(path, repository.format); });
  }
  const packed = [...refs.packed().list('')];
  const isPeeled = packed.some(({ peeled }) => peeled !== undefined);
  if (packed.length === 0 && existsSync(refs.packedPath)) yield noticeAt('ref', refs.packedPath, 'no ref is in it');
  for (const { name, id, peeled } of packed) {
    if (peeled === undefined) {
      if (name.startsWith('refs/tags/') && findTagName(objects, id) !== undefined) yield noticeAt('ref', name, `packed-refs does not say where it leads${isPeeled ? ', as it does of others' : ''}`);
      continue;
    }
    yield* findingsOf('ref', name, () => {
      let end = objects.readTag(id);
      while (end.type === 'tag') end = objects.readTag(end.object);
      if (peeled !== end.object) throw new CorruptError(`packed-refs says it leads to ${peeled}, which it does not`, { code: 'bad-peeled' });
    });
  }
  for (const [name, id] of there) {
    const short = name.startsWith('refs/tags/') ? name.slice('refs/tags/'.length) : undefined;
    // Damage in what it names is found where everything is followed.
    const own = short === undefined ? undefined : findTagName(objects, id);
    if (own !== undefined && own !== short && !there.has(`refs/tags/${own}`)) yield noticeAt('ref', name, `its tag calls itself '${own}', and no ref is called so`);
  }
}

/** What an annotated tag calls itself; undefined for anything else. */
function findTagName(objects: ObjectStore, id: ObjectId): string | undefined {
  try {
    return objects.findHeader(id)?.type === 'tag' ? objects.readTag(id).name : undefined;
  } catch (error) {
    if (error instanceof CairnError) return undefined;
    throw error;
  }
}

/** What is behind the last line end: a crash leaves that, zeros too, and readers pass over it. */
function countTornBytes(bytes: Buffer | undefined): number {
  return bytes === undefined ? 0 : bytes.length - 1 - bytes.lastIndexOf(10);
}

/** Where a reflog ends; undefined when it is empty or damaged, which shows elsewhere. */
function logEnd(repository: Repository, name: string): ObjectId | undefined {
  try {
    return readReflog(repository, name).at(-1)?.newId;
  } catch (error) {
    if (error instanceof CairnError) return undefined;
    throw error;
  }
}

/** Files with a ref in them that are not spelt as anybody spells them. */
function* checkSpelling(repository: Repository): Generator<Finding> {
  const { refs } = repository;
  for (const name of ['HEAD', ...refs.listNames()]) {
    const path = refs.filePath(name);
    if (!existsSync(path)) continue;
    yield* findingsOf('ref', String(path), () => {
      const text = readFileSync(path, 'latin1');
      if (!/^(?:[0-9a-f]{40}|[0-9a-f]{64}|ref: refs\/[^\s]+)\n$/.test(text)) throw new CorruptError('it is not spelt as a ref is', { code: 'odd-ref' });
    });
  }
  const header = existsSync(refs.packedPath) ? /^#.*/.exec(readFileSync(refs.packedPath, 'latin1'))?.[0] : undefined;
  if (header !== undefined && !/^# pack-refs with:(?: (?:peeled|fully-peeled|sorted))* ?$/.test(header)) {
    yield noticeAt('ref', refs.packedPath, `its first line is not one that is known: '${header}'`);
  }
}

/** Everything that must be whole, with what says so. */
function readRoots(repository: Repository): { readonly roots: ReadonlyMap<ObjectId, string>; readonly damaged: readonly Finding[] } {
  const roots = new Map<ObjectId, string>();
  const damaged: Finding[] = [];
  try {
    for (const { id, source, isWeak } of listRoots(repository)) if (!isWeak && !roots.has(id)) roots.set(id, source);
  } catch (error) {
    if (!(error instanceof CairnError)) throw error;
    damaged.push(errorAt('ref', repository.commonDirectory, error.message));
    // What comes after it is not known; refs that can be read are.
    damaged.push(...findingsOf('ref', repository.commonDirectory, () => {
      for (const { id, name } of repository.refs.list('refs/', () => undefined)) roots.set(id, name);
    }));
  }
  return { roots, damaged };
}

/** Follows what names what, from the roots; what is wrong on the way. */
function follow(repository: Repository, objects: ObjectStore, roots: ReadonlyMap<ObjectId, string>, options: VerificationOptions): {
  readonly needed: ReadonlySet<ObjectId>; readonly missing: readonly ObjectId[]; readonly broken: readonly Finding[];
} {
  const missing: ObjectId[] = [];
  const broken: Finding[] = [];
  const shallow = new Set<ObjectId>();
  broken.push(...findingsOf('ref', join(repository.commonDirectory, 'shallow'), () => { for (const id of readShallow(repository)) shallow.add(id); }));
  let done = 0;
  const seen = markReachable(objects, roots.keys(), {
    checkBlobs: true,
    withoutParents: shallow,
    onObject: () => { options.onProgress?.('following', done += 1); },
    onMissing: (id, by, type) => {
      missing.push(id);
      broken.push(errorAt('object', `object '${id}'`, `it is missing; ${by === undefined ? `'${roots.get(id)}' names it` : `object '${by}' names it as a ${type}`}`, id));
    },
    onCorrupt: (id, error) => {
      if (!(error instanceof CairnError)) throw error;
      broken.push(errorAt('object', `object '${id}'`, error.message, id));
    },
  });
  return { needed: seen, missing, broken };
}
