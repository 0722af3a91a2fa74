// Which tracked files are certainly unchanged: the first question of every comparison of an index with the work tree, answered by a quick
// look (quick-look.ts) or by threads that looked ahead (look-ahead.ts). A "no" means: compare at leisure. Only reads.
import type { Index } from './index-file.js';
import type { LookAhead } from './look-ahead.js';
import { QuickLook } from './quick-look.js';
import type { WorkTree } from './work-tree.js';

export class UnchangedFiles {
  readonly #workTree: WorkTree;
  readonly #look: QuickLook | undefined;
  readonly #ahead: LookAhead | undefined;
  /** The one looked at last, no link on the way to it. */
  #directory = '';

  /** Of the index as it is now; entries are asked for in ascending order, and none may be set or removed meanwhile. */
  constructor(workTree: WorkTree, index: Index, ahead?: LookAhead) {
    const { rows } = index;
    this.#workTree = workTree;
    if (rows === undefined) return;
    this.#look = new QuickLook(rows, workTree.appearance, workTree.top);
    this.#ahead = ahead;
    ahead?.send(rows, workTree.appearance, workTree.top);
  }

  /** True when the entry's file is there, behind no symbolic link, and unchanged. */
  has(at: number): boolean {
    const path = this.#look?.plainPath(at);
    return path !== undefined && this.#isOwn(path) && this.#isSame(at, path);
  }

  /** The first entry in [at, to) that is not an unchanged file right in a directory that is one; its name has `nameLength` bytes. */
  pass(at: number, to: number, nameLength: number): number {
    const look = this.#look;
    if (look === undefined) return at;
    for (; at < to; at += 1) {
      const path = look.plainPath(at);
      if (path === undefined || path.indexOf('/', nameLength) >= 0 || !this.#isSame(at, path)) break;
    }
    return at;
  }

  /** True when no directory on the way is a link. Entries of one directory mostly follow one another. */
  #isOwn(path: string): boolean {
    const length = path.lastIndexOf('/');
    if (length < 0 || (length === this.#directory.length && path.startsWith(this.#directory))) return true;
    if (this.#workTree.isBehindSymlink(path)) return false;
    this.#directory = path.slice(0, length);
    return true;
  }

  #isSame(at: number, path: string): boolean {
    return this.#ahead?.isSame(at) === true || this.#look!.isUnchanged(at, path);
  }
}
