// The files of a snapshot that comes from elsewhere, stored as they come and put into trees at the end. Every path passes the one validation; what a
// tree cannot hold, comes twice, or is more than it may be is refused by name.
//
// Nothing refers to what is stored before the commit that the caller makes of it. Memory: a few hundred bytes per file.
import { InvalidError, RefusedError } from '../../pack/errors.js';
import { streamThresholdBytes } from '../../pack/object.js';
import type { ObjectId } from '../../pack/oid.js';
import type { BulkWriter } from '../../pack/pack-writer.js';
import { type RepoPath, pathToUtf8, repoPath, symlinkMode } from '../../pack/tree.js';
import { type PathProtection, checkPath } from '../../plumbing/path-safety.js';
import { TreeBuilder } from '../tree-builder.js';
import { mostFiles } from '../tree-listing.js';

/** One thing that comes; paths are latin1, as they are written there. */
export type Incoming =
  | { readonly kind: 'file'; readonly path: string; readonly mode: number; readonly sizeBytes: number; readonly content: () => Iterable<Buffer> }
  | { readonly kind: 'link'; readonly path: string; readonly target: Buffer }
  /** Another name for a file that came before. */
  | { readonly kind: 'same'; readonly path: string; readonly as: string }
  | { readonly kind: 'directory'; readonly path: string };

interface Stored {
  readonly mode: number;
  readonly id: ObjectId;
  readonly layer: number;
}

export interface IncomingRules {
  readonly protection: PathProtection;
  /** How many leading components of each path are taken off. */
  readonly strip: number;
}

/** No link points further. */
const mostTargetBytes = 64 * 1024;

export class IncomingFiles {
  readonly #writer: BulkWriter;
  readonly #rules: IncomingRules;
  readonly #files = new Map<RepoPath, Stored>();
  readonly #directories = new Set<RepoPath>();
  #layer = 0;
  /** Directories in which earlier layers have files. */
  #formerDirectories: ReadonlySet<string> = new Set();

  constructor(writer: BulkWriter, rules: IncomingRules) {
    this.#writer = writer;
    this.#rules = rules;
  }

  get count(): number { return this.#files.size; }

  /** What comes from now on takes the place of what came before. */
  beginLayer(): void {
    this.#layer += 1;
    this.#formerDirectories = parentsOf(this.#files.keys());
  }

  /** Stores one thing; reads all of its content. */
  take(incoming: Incoming): void {
    const path = this.#pathOf(incoming.path);
    if (path === undefined) {
      if (incoming.kind === 'directory') return;
      throw new InvalidError(`'${shown(incoming.path)}' has no name left`, { code: 'unsafe-path' });
    }
    checkPath(path, this.#rules.protection, incoming.kind === 'link' ? symlinkMode : undefined);
    switch (incoming.kind) {
      case 'directory':
        this.#directories.add(path);
        if (this.#layer > 0) this.#files.delete(path);
        return;
      case 'same': {
        const as = this.#pathOf(incoming.as);
        const file = as === undefined ? undefined : this.#files.get(as);
        if (file === undefined) throw new InvalidError(`'${shown(incoming.path)}' is another name for '${shown(incoming.as)}', which did not come before it`, { code: 'bad-link' });
        this.#put(path, file.mode, file.id);
        return;
      }
      case 'link':
        if (incoming.target.length === 0 || incoming.target.length > mostTargetBytes || incoming.target.includes(0)) {
          throw new InvalidError(`the link '${shown(path)}' points nowhere that can be`, { code: 'bad-link' });
        }
        this.#put(path, symlinkMode, this.#writer.add('blob', incoming.target));
        return;
      default:
        this.#put(path, incoming.mode, this.#store(incoming));
    }
  }

  #store({ sizeBytes, content, path }: Incoming & { readonly kind: 'file' }): ObjectId {
    if (sizeBytes >= streamThresholdBytes) return this.#writer.addStream('blob', sizeBytes, content());
    const bytes = Buffer.concat([...content()]);
    if (bytes.length !== sizeBytes) throw new InvalidError(`'${shown(path)}' is not ${sizeBytes} bytes long`, { code: 'size-changed' });
    return this.#writer.add('blob', bytes);
  }

  #put(path: RepoPath, mode: number, id: ObjectId): void {
    const former = this.#files.get(path);
    if (former?.layer === this.#layer) throw new RefusedError(`'${shown(path)}' is there twice`, { code: 'path-conflict' });
    if (this.#layer > 0) this.#makeWay(path);
    this.#files.set(path, { mode, id, layer: this.#layer });
    if (this.#files.size > mostFiles) throw new RefusedError(`there are more than ${mostFiles} files`, { code: 'too-many-files' });
  }

  /** Removes what earlier layers have above or below a file. */
  #makeWay(path: RepoPath): void {
    for (let slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1)) {
      const above = repoPath(path.slice(0, slash));
      if (this.#files.get(above) !== undefined && this.#files.get(above)!.layer < this.#layer) this.#files.delete(above);
    }
    if (this.#formerDirectories.has(path)) this.removeBelow(path);
  }

  /** Takes away what earlier layers have at and below a path; '' is everything. */
  remove(path: string): void {
    const plain = this.#pathOf(path);
    if (plain !== undefined) {
      const former = this.#files.get(plain);
      if (former !== undefined && former.layer < this.#layer) this.#files.delete(plain);
    }
    this.removeBelow(plain ?? repoPath(''));
  }

  /** The same for what is below it only. */
  removeBelow(path: RepoPath): void {
    const prefix = path === '' ? '' : `${path}/`;
    for (const [other, { layer }] of this.#files) if (layer < this.#layer && other.startsWith(prefix)) this.#files.delete(other);
  }

  /** Without what leads to the top, a slash at the end, and what is stripped; undefined for the top itself. */
  #pathOf(typed: string): RepoPath | undefined {
    const plain = typed.replace(/^(?:\.\/+)+/, '').replace(/\/+$/, '');
    if (plain === '' && !typed.startsWith('/')) return undefined;
    if (plain === '.') return undefined;
    const { strip } = this.#rules;
    if (strip === 0) return repoPath(typed.startsWith('/') ? typed : plain);
    const names = plain.split('/');
    // Whatever is taken off must have been a path, too.
    checkPath(plain, this.#rules.protection);
    return names.length <= strip ? undefined : repoPath(names.slice(strip).join('/'));
  }

  /** Directories in which nothing is, which no tree can hold. */
  listEmpty(): RepoPath[] {
    const used = parentsOf([...this.#files.keys(), ...this.#directories]);
    return [...this.#directories].filter((path) => !used.has(path) && !this.#files.has(path)).sort();
  }

  /** Stores the trees; RefusedError when a path is a file and a directory. */
  finish(): ObjectId {
    const top = new TreeBuilder();
    for (const [path, { mode, id }] of this.#files) top.add(path, mode, id);
    for (const path of this.#directories) {
      if (this.#files.get(path)?.layer === 0) throw new RefusedError(`'${shown(path)}' is there as a file and as a directory`, { code: 'path-conflict' });
    }
    return top.store(this.#writer);
  }
}

/** All directories above some paths. */
function parentsOf(paths: Iterable<string>): Set<string> {
  const parents = new Set<string>();
  for (const path of paths) {
    for (let slash = path.lastIndexOf('/'); slash > 0; slash = path.lastIndexOf('/', slash - 1)) {
      const parent = path.slice(0, slash);
      if (parents.has(parent)) break;
      parents.add(parent);
    }
  }
  return parents;
}

function shown(path: string): string {
  return pathToUtf8(repoPath(path));
}
