// The order in which git tells the ids of a set: that of the table it keeps them in, by the first bytes of each id.
//
// The table has a power of two of places; an id that finds its place taken goes on by one, two, three ... places. Before it is filled to more
// than 77 in a hundred it is doubled, and everything in it is put again, from the first place on, each driving out what still stands in
// its way. What git prints at the end of a listing (--missing=print, --filter-print-omitted) comes in this order.
import type { ObjectId } from '../../pack/oid.js';

const fullness = 0.77;
/** What the sets that are printed begin with. */
const firstPlaces = 16_384;

/** `ids`, each once, as git would list them had it put them into a set in this order. */
export function inSetOrder(ids: Iterable<ObjectId>): ObjectId[] {
  const table = new PlaceTable();
  for (const id of new Set(ids)) table.add(id);
  return table.list();
}

class PlaceTable {
  #places: (ObjectId | undefined)[] = emptyPlaces(firstPlaces);
  #count = 0;

  add(id: ObjectId): void {
    if (this.#count >= limitOf(this.#places.length)) this.#grow();
    this.#places[firstFree(this.#places, id)] = id;
    this.#count += 1;
  }

  list(): ObjectId[] {
    return this.#places.filter((id) => id !== undefined);
  }

  #grow(): void {
    const old = this.#places;
    const places = emptyPlaces(old.length * 2);
    for (let at = 0; at < old.length; at += 1) {
      let id = old[at];
      old[at] = undefined;
      while (id !== undefined) {
        const place = firstFree(places, id);
        places[place] = id;
        // What was there before goes next.
        const driven: ObjectId | undefined = old[place];
        if (place < old.length) old[place] = undefined;
        id = driven;
      }
    }
    this.#places = places;
  }
}

function limitOf(places: number): number {
  return Math.floor(places * fullness + 0.5);
}

function emptyPlaces(count: number): (ObjectId | undefined)[] {
  return new Array<ObjectId | undefined>(count).fill(undefined);
}

function firstFree(places: readonly (ObjectId | undefined)[], id: ObjectId): number {
  let place = hashOf(id) % places.length;
  for (let step = 1; places[place] !== undefined; step += 1) place = (place + step) % places.length;
  return place;
}

/** The first four bytes, the lowest first. */
function hashOf(id: ObjectId): number {
  return Buffer.from(id.slice(0, 8), 'hex').readUInt32LE(0);
}
