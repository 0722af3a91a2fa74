// The tree of a notes ref while notes are written to it: a note's path is the id of what it annotates, split after two digits as often as
// the number of notes asks for (every 256-fold more of them, once more).
import { hexSize, type ObjectFormat, type ObjectId } from '../../pack/oid.js';
import { fileMode } from '../../pack/tree.js';
import type { ImportTree } from './import-tree.js';

export class NoteTree {
  readonly #tree: ImportTree;
  readonly #format: ObjectFormat;
  #count: number;
  #fanOut: number;

  constructor(tree: ImportTree, format: ObjectFormat) {
    this.#tree = tree;
    this.#format = format;
    const notes = this.#list();
    this.#count = notes.length;
    this.#fanOut = fanOutOf(notes.length);
    // Whoever wrote the tree before may have split otherwise.
    this.#spread(notes);
  }

  /** Makes the blob `note` the note of `target`, or takes its note away. */
  set(target: ObjectId, note: ObjectId | undefined): void {
    const path = this.#pathOf(target);
    if (this.#tree.find(path) !== undefined) {
      this.#tree.remove(path);
      this.#count -= 1;
    }
    if (note === undefined) return;
    this.#tree.set(path, fileMode, note);
    this.#count += 1;
  }

  /** Splits paths anew when there are many more or fewer notes than before. */
  settle(): void {
    if (this.#fanOut === fanOutOf(this.#count)) return;
    const notes = this.#list();
    this.#fanOut = fanOutOf(this.#count);
    this.#spread(notes);
  }

  #list(): { readonly target: ObjectId; readonly path: string; readonly id: ObjectId }[] {
    const notes: { target: ObjectId; path: string; id: ObjectId }[] = [];
    for (const { path, id } of this.#tree.listFiles()) {
      const target = path.replaceAll('/', '');
      if (target.length === hexSize(this.#format) && /^[0-9a-f]+$/.test(target)) notes.push({ target: target as ObjectId, path, id });
    }
    return notes;
  }

  #spread(notes: readonly { readonly target: ObjectId; readonly path: string; readonly id: ObjectId }[]): void {
    const moved = notes.filter(({ target, path }) => path !== this.#pathOf(target));
    for (const { path } of moved) this.#tree.remove(path);
    for (const { target, id } of moved) this.#tree.set(this.#pathOf(target), fileMode, id);
  }

  #pathOf(target: ObjectId): string {
    const parts: string[] = [];
    for (let level = 0; level < this.#fanOut; level += 1) parts.push(target.slice(2 * level, 2 * level + 2));
    return [...parts, target.slice(2 * this.#fanOut)].join('/');
  }
}

function fanOutOf(count: number): number {
  let fanOut = 0;
  for (let rest = count >>> 8; rest > 0; rest >>>= 8) fanOut += 1;
  return fanOut;
}
