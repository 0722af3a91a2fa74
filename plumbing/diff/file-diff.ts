// What differs between two files or directories that need not be tracked, or not even lie in a repository: `diff --no-index`.
//
// Names are shown as they were typed, below the current directory's place in the work tree; /dev/null stands for what is not there.
import { type Stats, lstatSync, readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import { NotFoundError, isSystemError } from '../../pack/errors.js';
import type { ObjectFormat } from '../../pack/oid.js';
import { zeroId } from '../../pack/oid.js';
import type { RepoPath } from '../../pack/tree.js';
import { type DiffEntry, type DiffSide, statusOf } from './diff.js';

const nowhere = '/dev/null' as RepoPath;

export interface FileDiffOptions {
  /** Absolute; relative names start here. */
  readonly directory: string;
  readonly format: ObjectFormat;
  /** Where `directory` lies below the work tree's top: '' or with trailing slash. */
  readonly prefix: string;
  /** What '-' stands for. */
  readonly readInput: () => Buffer;
}

/** A file as it was named (latin1). */
interface Named { readonly name: string; readonly kind: 'file' | 'directory' | 'link'; readonly isExecutable: boolean }

/** The differences from one file or directory to another; NotFoundError when one of the two does not exist. */
export function diffFiles(one: string, two: string, options: FileDiffOptions): DiffEntry[] {
  const comparison = new FileComparison(options);
  const [from, to] = [one, two].map((name) => comparison.findNamed(name)) as [Named, Named];
  // A file is compared with the one of its name in a directory.
  if (from.kind === 'directory' && to.kind !== 'directory') comparison.compare(comparison.findNamed(inside(one, two)), to);
  else if (from.kind !== 'directory' && to.kind === 'directory') comparison.compare(from, comparison.findNamed(inside(two, one)));
  else comparison.compare(from, to);
  return comparison.entries;
}

/** The first of two names (UTF-8) behind which there is nothing. */
export function findMissing(directory: string, names: readonly string[]): string | undefined {
  if (names.length !== 2) return undefined;
  return names.find((name) => name !== '-' && lstatSync(resolve(directory, name), { throwIfNoEntry: false }) === undefined);
}

function inside(directory: string, file: string): string {
  return `${directory.replace(/\/$/, '')}/${file.slice(file.lastIndexOf('/') + 1)}`;
}

class FileComparison {
  readonly entries: DiffEntry[] = [];
  readonly #options: FileDiffOptions;
  #input: Buffer | undefined;

  constructor(options: FileDiffOptions) {
    this.#options = options;
  }

  #pathOf(name: string): Buffer {
    return Buffer.from(name.startsWith('/') ? name : `${Buffer.from(this.#options.directory).toString('latin1')}/${name}`, 'latin1');
  }

  /** As a program finds it that is run at the top of the work tree. */
  #shownPath(name: string): string {
    const text = Buffer.from(name, 'latin1').toString();
    return isAbsolute(text) ? text : `${Buffer.from(this.#options.prefix, 'latin1').toString()}${text}`;
  }

  findNamed(name: string): Named {
    const found = this.#find(name);
    if (found === undefined) throw new NotFoundError(`could not access '${Buffer.from(name, 'latin1').toString()}'`, { code: 'no-such-file' });
    return found;
  }

  #find(name: string): Named | undefined {
    if (name === '-') return { name, kind: 'file', isExecutable: false };
    if (name === nowhere) return { name, kind: 'file', isExecutable: false };
    let status: Stats | undefined;
    try {
      status = lstatSync(this.#pathOf(name), { throwIfNoEntry: false });
    } catch (error) {
      if (!isSystemError(error, 'ENOTDIR')) throw error;
    }
    if (status === undefined) return undefined;
    return { name, kind: status.isDirectory() ? 'directory' : status.isSymbolicLink() ? 'link' : 'file', isExecutable: (status.mode & 0o100) !== 0 };
  }

  /** At least one of the two is there. */
  compare(one: Named | undefined, two: Named | undefined): void {
    if (one !== undefined && two !== undefined && (one.kind === 'directory') !== (two.kind === 'directory')) {
      if (one.kind === 'directory') this.#queue(undefined, two);
      else this.#queue(one, undefined);
      this.compare(one.kind === 'directory' ? one : undefined, two.kind === 'directory' ? two : undefined);
      return;
    }
    if (one?.kind !== 'directory' && two?.kind !== 'directory') {
      this.#queue(one, two);
      return;
    }
    const [left, right] = [this.#list(one), this.#list(two)];
    for (const name of [...new Set([...left, ...right])].sort()) {
      const child = (parent: Named | undefined, names: ReadonlySet<string>): Named | undefined => (
        parent !== undefined && names.has(name) ? this.#find(`${parent.name.replace(/\/$/, '')}/${name}`) : undefined);
      const [from, to] = [child(one, left), child(two, right)];
      if (from !== undefined || to !== undefined) this.compare(from, to);
    }
  }

  #list(directory: Named | undefined): Set<string> {
    if (directory === undefined) return new Set();
    return new Set(readdirSync(this.#pathOf(directory.name), { encoding: 'buffer' }).map((name) => name.toString('latin1')));
  }

  #queue(one: Named | undefined, two: Named | undefined): void {
    const [old, now] = [this.#side(one), this.#side(two)];
    if (old.mode === 0 && now.mode === 0) return;
    const [from, to] = [(one?.name ?? nowhere) as RepoPath, (two?.name ?? nowhere) as RepoPath];
    this.entries.push({ path: to, ...(from === to ? {} : { oldPath: from }), status: statusOf(old, now), old, new: now });
  }

  #side(file: Named | undefined): DiffSide {
    const id = zeroId(this.#options.format);
    if (file === undefined || file.name === nowhere) return { mode: 0, id };
    if (file.name === '-') {
      this.#input ??= this.#options.readInput();
      const bytes = this.#input;
      // Nothing is said of what standard input would be called as an object.
      return { mode: 0o100644, id, content: () => bytes, isHashed: true };
    }
    const path = this.#pathOf(file.name);
    if (file.kind === 'link') return { mode: 0o120000, id, content: () => readlinkSync(path, { encoding: 'buffer' }) };
    return { mode: file.isExecutable ? 0o100755 : 0o100644, id, content: () => readFileSync(path), file: this.#shownPath(file.name) };
  }
}
