// The objects that are to become a pack, each once, in the order history is walked, with what the search for deltas goes by.
//
// Objects are numbers here, in the order they were added. Pure; about a hundred bytes per object.
import type { ObjectId, ObjectType } from './oid.js';
import { packTypes } from './pack-reader.js';

export class PackingList {
  /** By number. */
  readonly ids: ObjectId[] = [];
  /** Of their paths, see pathGroup; 0 without one. */
  readonly groups: number[] = [];
  /** Indexes in packTypes; 0 where the type is not known. */
  readonly kinds: number[] = [];
  readonly #numbers = new Map<ObjectId, number>();
  readonly #bases = new Set<number>();

  /** How many objects will be written. */
  get count(): number { return this.ids.length - this.#bases.size; }

  /** The number of an object, be it only a base; undefined when it is not here. */
  find(id: ObjectId): number | undefined { return this.#numbers.get(id); }

  /** True when the object will be written. */
  has(id: ObjectId): boolean {
    const number = this.#numbers.get(id);
    return number !== undefined && !this.#bases.has(number);
  }

  /** True for an object that whoever reads the pack has already: not written, but deltas may be made against it. */
  isBaseOnly(number: number): boolean { return this.#bases.has(number); }

  /** False when it was there. */
  add(id: ObjectId, group = 0, type?: ObjectType): boolean {
    if (this.#numbers.has(id)) return false;
    this.#append(id, group, type);
    return true;
  }

  /** Adds an object that is only a base; see isBaseOnly. */
  addBase(id: ObjectId, group: number, type?: ObjectType): void {
    if (this.#numbers.has(id)) return;
    this.#bases.add(this.ids.length);
    this.#append(id, group, type);
  }

  #append(id: ObjectId, group: number, type: ObjectType | undefined): void {
    this.#numbers.set(id, this.ids.length);
    this.ids.push(id);
    this.groups.push(group);
    this.kinds.push(type === undefined ? 0 : packTypes.indexOf(type));
  }

  /** Ids of the objects that will be written, in order. */
  *listIds(): Generator<ObjectId> {
    for (const [number, id] of this.ids.entries()) if (!this.#bases.has(number)) yield id;
  }
}
