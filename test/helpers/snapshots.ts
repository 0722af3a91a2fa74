// Repositories and snapshots for tests, made by the library itself: no stock git, no work tree.
import type { ExecutionContext } from 'ava';
import { join } from 'node:path';
import { encodeCommit } from '../../pack/commit.js';
import type { ObjectFormat, ObjectId } from '../../pack/oid.js';
import { type TreeEntry, encodeTree, pathFromUtf8 } from '../../pack/tree.js';
import { updateRef } from '../../plumbing/refs/ref-transaction.js';
import { Repository } from '../../plumbing/repository.js';
import { type InProcessOptions, makeContext } from './cairn.js';
import { type FileSpec, makeSandbox } from './sandbox.js';

/** A new repository with a work tree, in a sandbox of its own, in memory. */
export function makeRepository(t: ExecutionContext, options: Partial<InProcessOptions> & { readonly objectFormat?: ObjectFormat } = {}): Repository {
  const directory = join(makeSandbox(t, { inMemory: true }), 'repo');
  const { objectFormat, ...rest } = options;
  const { context } = makeContext({ cwd: '/', ...rest });
  Repository.init(context, { directory, ...(objectFormat === undefined ? {} : { objectFormat }) });
  return reopen(directory, rest);
}

/** The repository as a new process would see it. */
export function reopen(directory: string, options: Partial<InProcessOptions> = {}): Repository {
  return Repository.open(makeContext({ ...options, cwd: directory }).context);
}

/** A commit of these files on HEAD's branch; paths with '/' make directories. */
export function commitFiles(repository: Repository, files: Readonly<Record<string, FileSpec>>, message = 'snapshot'): ObjectId {
  const head = repository.refs.find('HEAD')?.id;
  const { objects } = repository;
  const person = { name: 'A U Thor', email: 'author@example.com', seconds: 1112911993, offset: '-0700' };
  const id = objects.write('commit', encodeCommit({
    tree: writeTree(repository, files), parents: head === undefined ? [] : [head], author: person, committer: person, extraHeaders: [],
    message: Buffer.from(`${message}\n`),
  }));
  updateRef(repository, { name: 'HEAD', target: { id } });
  return id;
}

/** A tree of these files. */
export function writeTree(repository: Repository, files: Readonly<Record<string, FileSpec>>): ObjectId {
  const { objects, format } = repository;
  const directories = new Map<string, Record<string, FileSpec>>();
  const entries: TreeEntry[] = [];
  for (const [path, spec] of Object.entries(files)) {
    const slash = path.indexOf('/');
    if (slash >= 0) {
      const inner = directories.get(path.slice(0, slash)) ?? {};
      inner[path.slice(slash + 1)] = spec;
      directories.set(path.slice(0, slash), inner);
    } else if (typeof spec === 'string' || Buffer.isBuffer(spec)) {
      entries.push({ mode: 0o100644, name: pathFromUtf8(path), id: objects.write('blob', Buffer.from(spec)) });
    } else if ('link' in spec) {
      entries.push({ mode: 0o120000, name: pathFromUtf8(path), id: objects.write('blob', Buffer.from(spec.link)) });
    } else {
      entries.push({ mode: 0o100755, name: pathFromUtf8(path), id: objects.write('blob', Buffer.from(spec.executable)) });
    }
  }
  for (const [name, inner] of directories) entries.push({ mode: 0o040000, name: pathFromUtf8(name), id: writeTree(repository, inner) });
  return objects.write('tree', encodeTree(entries, format));
}
