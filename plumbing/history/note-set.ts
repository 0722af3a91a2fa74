// All notes of one notes ref, to be changed: what is annotated and the note's blob. Written back as a tree in which ids are cut into
// directories where there are many notes, as git does it: where each of the sixteen first digits leads to several notes, two digits are
// a directory, and so on below it.
//
// What else is in the tree is kept. Specified, as far as it is, by git-notes(1). Nothing refers to what is written until the caller
// moves the ref.
import { type ObjectFormat, type ObjectId, hexSize } from '../../pack/oid.js';
import type { ObjectStore } from '../../pack/object-store.js';
import { encodeTree, fileMode, isTreeMode } from '../../pack/tree.js';
import { ImportTree } from '../stream/import-tree.js';

export class NoteSet {
  readonly #objects: ObjectStore;
  readonly #format: ObjectFormat;
  readonly #notes = new Map<ObjectId, ObjectId>();
  readonly #others: { readonly path: string; readonly mode: number; readonly id: ObjectId }[] = [];
  /** Directories (without slashes) with one note, which git does not look into unless it is asked about. */
  readonly #unopened = new Map<string, number>();
  /** Something was set or removed since. */
  isChanged = false;

  /** The notes in `tree`, or none. */
  constructor(objects: ObjectStore, format: ObjectFormat, tree: ObjectId | undefined) {
    this.#objects = objects;
    this.#format = format;
    if (tree !== undefined) this.#load(tree, '', '');
  }

  #load(tree: ObjectId, digits: string, path: string): void {
    const whole = hexSize(this.#format);
    for (const { name, mode, id } of this.#objects.readTree(tree)) {
      const target = digits + name;
      const isHex = /^[0-9a-f]+$/.test(name);
      if (isTreeMode(mode) && isHex && name.length === 2 && target.length < whole) {
        this.#unopened.set(target, (this.#unopened.get(target) ?? 0) + 1);
        this.#load(id, target, `${path}${name}/`);
      } else if (!isTreeMode(mode) && isHex && target.length === whole) this.#notes.set(target as ObjectId, id);
      else this.#others.push({ path: path + name, mode, id });
    }
  }

  get count(): number {
    return this.#notes.size;
  }

  find(target: ObjectId): ObjectId | undefined {
    this.#open(target);
    return this.#notes.get(target);
  }

  set(target: ObjectId, note: ObjectId): void {
    this.#open(target);
    this.#notes.set(target, note);
    this.isChanged = true;
  }

  /** False when there was none. */
  remove(target: ObjectId): boolean {
    this.#open(target);
    const wasThere = this.#notes.delete(target);
    if (wasThere) this.isChanged = true;
    return wasThere;
  }

  #open(target: ObjectId): void {
    for (let digits = 2; digits < target.length; digits += 2) if (!this.#unopened.delete(target.slice(0, digits))) return;
  }

  /** By what is annotated. */
  list(): [target: ObjectId, note: ObjectId][] {
    return [...this.#notes].sort(([one], [two]) => (one < two ? -1 : 1));
  }

  /** Writes the tree and gives its id. */
  write(): ObjectId {
    const tree = new ImportTree({
      readTree: (id) => this.#objects.readTree(id),
      writeTree: (entries) => this.#objects.write('tree', encodeTree(entries, this.#format)),
    });
    for (const { path, mode, id } of this.#others) tree.set(path, mode, id);
    const notes = this.list();
    this.#place(tree, notes, 0, notes.length, 0, 0);
    return tree.write();
  }

  /** Notes `from` up to `to`, which share their first `digits`; `fanOut` directories are in front of their names so far. */
  #place(tree: ImportTree, notes: readonly (readonly [ObjectId, ObjectId])[], from: number, to: number, digits: number, fanOut: number): void {
    if (to - from === 1 && digits > 0) {
      const [target, note] = notes[from]!;
      tree.set(pathOf(target, fanOut), fileMode, note);
      return;
    }
    const slots: { from: number; to: number }[] = [];
    for (let at = from; at < to;) {
      let end = at + 1;
      while (end < to && notes[end]![0][digits] === notes[at]![0][digits]) end += 1;
      slots.push({ from: at, to: end });
      at = end;
    }
    const isFull = slots.length === 16 && slots.every((slot) => slot.to - slot.from > 1 || this.#isUnopened(notes[slot.from]![0], digits));
    const deeper = digits % 2 === 0 && digits <= 2 * fanOut && isFull ? fanOut + 1 : fanOut;
    for (const slot of slots) this.#place(tree, notes, slot.from, slot.to, digits + 1, deeper);
  }

  #isUnopened(target: ObjectId, digits: number): boolean {
    return this.#unopened.has(target.slice(0, digits + 2 - digits % 2));
  }
}

function pathOf(target: ObjectId, fanOut: number): string {
  const parts: string[] = [];
  for (let level = 0; level < fanOut; level += 1) parts.push(target.slice(2 * level, 2 * level + 2));
  return [...parts, target.slice(2 * fanOut)].join('/');
}
