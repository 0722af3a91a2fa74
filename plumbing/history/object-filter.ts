// Which objects behind commits are left out of a listing or a pack: --filter=<spec> of git-rev-list(1) and git-pack-objects(1).
//
// A specification is parsed once (`parseObjectFilter`); a walk asks a `FilterWalk` of its own about each object it meets, because
// what becomes of a tree depends on how deep it was met, and on whether it was met before at less depth. Objects named by the caller are
// never asked about. A filter never decides what is needed, only what is handed out: whoever asks for less gets less.
import { InvalidError } from '../../pack/errors.js';
import type { ObjectId, ObjectType } from '../../pack/oid.js';

/** A parsed specification. */
export type ObjectFilter =
  | { readonly kind: 'blob:none' }
  | { readonly kind: 'blob:limit'; readonly bytes: number }
  | { readonly kind: 'tree'; readonly depth: number }
  | { readonly kind: 'object:type'; readonly type: ObjectType }
  | { readonly kind: 'combine'; readonly filters: readonly ObjectFilter[] };

/** What a walk does with an object it met. */
export interface FilterVerdict {
  /** It is part of the result. */
  readonly show: boolean;
  /** It need not be asked about again. */
  readonly settled: boolean;
  /** For a tree: look at what is in it. */
  readonly enter: boolean;
}

const unitBytes: Readonly<Record<string, number>> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };
const reserved = /[~`!@#$^&*()[\]{}\\;'",<>?\x00-\x20\x7f]/;

/** Understands 'blob:none', 'blob:limit=<n>[kmg]', 'tree:<depth>', 'object:type=<type>' and 'combine:<spec>+<spec>…'; InvalidError for anything else. */
export function parseObjectFilter(spec: string): ObjectFilter {
  if (spec === 'blob:none') return { kind: 'blob:none' };
  const limit = /^blob:limit=([0-9]+)([kmgKMG]?)$/.exec(spec);
  if (limit !== null) return { kind: 'blob:limit', bytes: checkedNumber(Number(limit[1]) * unitBytes[limit[2]!.toLowerCase()]!, spec) };
  const depth = /^tree:([0-9]+)([kmgKMG]?)$/.exec(spec);
  if (depth !== null) return { kind: 'tree', depth: checkedNumber(Number(depth[1]) * unitBytes[depth[2]!.toLowerCase()]!, spec) };
  const type = /^object:type=(.*)$/s.exec(spec)?.[1];
  if (type !== undefined) {
    if (type !== 'blob' && type !== 'tree' && type !== 'commit' && type !== 'tag') throw invalid(`'${type}' for 'object:type=<type>' is not a valid object type`);
    return { kind: 'object:type', type };
  }
  if (spec.startsWith('combine:')) return parseCombined(spec.slice('combine:'.length));
  if (spec.startsWith('sparse:')) throw invalid(`filter '${spec}' is not supported: sparse filters need patterns of a work tree`);
  throw invalid(`invalid filter-spec '${spec}'`);
}

/** Several filters given one after the other let through what each of them lets through; undefined for none. */
export function combineObjectFilters(filters: readonly ObjectFilter[]): ObjectFilter | undefined {
  return filters.length <= 1 ? filters[0] : { kind: 'combine', filters };
}

function parseCombined(text: string): ObjectFilter {
  if (text === '') throw invalid("expected something after combine:");
  // What follows a trailing plus is nothing, not an empty filter.
  const parts = text.replace(/\+$/, '').split('+');
  return {
    kind: 'combine',
    filters: parts.map((part) => {
      const bad = reserved.exec(part)?.[0];
      if (bad !== undefined) throw invalid(`must escape char in sub-filter-spec: '${bad}'`);
      return parseObjectFilter(decodeEscapes(part));
    }),
  };
}

/** %xx of URLs; anything else after % stays as it is. */
function decodeEscapes(text: string): string {
  return Buffer.from(text.replace(/%([0-9a-fA-F]{2})/g, (_whole, digits: string) => String.fromCharCode(Number.parseInt(digits, 16))), 'latin1').toString('utf8');
}

function checkedNumber(value: number, spec: string): number {
  if (!Number.isSafeInteger(value)) throw invalid(`invalid filter-spec '${spec}'`);
  return value;
}

function invalid(message: string): InvalidError {
  return new InvalidError(message, { code: 'bad-filter' });
}

const shown: FilterVerdict = { show: true, settled: true, enter: true };
const hidden: FilterVerdict = { show: false, settled: true, enter: false };

/**
 * The state of one filter during one walk. The walk calls `tree` before it goes into a tree and `leave` when it is done with that tree,
 * entered or not; `sizeOf` gives a blob's size, undefined when the blob is not there.
 */
export class FilterWalk {
  readonly #part: FilterPart;

  /** With `records` it can be asked what it left out, which costs a look into trees that are left out. */
  constructor(filter: ObjectFilter, sizeOf: (id: ObjectId) => number | undefined, options: { readonly records?: boolean } = {}) {
    this.#part = makePart(filter, sizeOf, options.records === true);
  }

  /** Trees and blobs left out so far, in the order each part of the filter met them. */
  omitted(): ReadonlySet<ObjectId>[] { return this.#part.omitted(); }

  commit(): boolean { return this.#part.named('commit').show; }
  tag(): boolean { return this.#part.named('tag').show; }
  tree(id: ObjectId): FilterVerdict { return this.#part.tree(id); }
  leave(): void { this.#part.leave(); }
  blob(id: ObjectId): FilterVerdict { return this.#part.blob(id); }
}

interface FilterPart {
  named(type: 'commit' | 'tag'): FilterVerdict;
  tree(id: ObjectId): FilterVerdict;
  leave(): void;
  blob(id: ObjectId): FilterVerdict;
  /** A set of each part. */
  omitted(): ReadonlySet<ObjectId>[];
}

const ignore = (): void => undefined;

function makePart(filter: ObjectFilter, sizeOf: (id: ObjectId) => number | undefined, records: boolean): FilterPart {
  switch (filter.kind) {
    case 'blob:none': return blobPart(() => false);
    case 'blob:limit': {
      const { bytes } = filter;
      return blobPart((id) => (sizeOf(id) ?? -1) < bytes);
    }
    case 'tree': return new DepthPart(filter.depth, records);
    case 'object:type': return typePart(filter.type);
    case 'combine': return new CombinedPart(filter.filters.map((each) => makePart(each, sizeOf, records)));
  }
}

function blobPart(isShown: (id: ObjectId) => boolean): FilterPart {
  const left = new Set<ObjectId>();
  return {
    named: () => shown,
    tree: () => shown,
    leave: ignore,
    blob(id) {
      if (isShown(id)) return shown;
      left.add(id);
      return hidden;
    },
    omitted: () => [left],
  };
}

function typePart(type: ObjectType): FilterPart {
  const isTreeNeeded = type === 'tree' || type === 'blob';
  return {
    named: (met) => (met === type ? shown : hidden),
    tree: () => ({ show: type === 'tree', settled: true, enter: isTreeNeeded }),
    leave: ignore,
    blob: () => (type === 'blob' ? shown : hidden),
    omitted: () => [],
  };
}

/** Trees and blobs less deep than a number; what was met too deep may be met again at less depth. */
class DepthPart implements FilterPart {
  readonly #most: number;
  readonly #met = new Map<ObjectId, number>();
  /** Undefined where nobody will ask. */
  readonly #omitted: Set<ObjectId> | undefined;
  #depth = 0;

  constructor(most: number, records: boolean) {
    this.#most = most;
    this.#omitted = records ? new Set() : undefined;
  }

  omitted(): ReadonlySet<ObjectId>[] { return this.#omitted === undefined ? [] : [this.#omitted]; }

  named(): FilterVerdict { return shown; }

  tree(id: ObjectId): FilterVerdict {
    const depth = this.#depth;
    this.#depth += 1;
    const former = this.#met.get(id);
    if (former !== undefined && depth >= former) return { show: false, settled: false, enter: false };
    this.#met.set(id, depth);
    const isShallow = depth < this.#most;
    const isNew = this.#record(id, isShallow);
    // What is in a tree that is left out is left out, too.
    return { show: isShallow, settled: false, enter: isShallow || isNew };
  }

  /** True when it was not known to be left out. */
  #record(id: ObjectId, isShallow: boolean): boolean {
    const omitted = this.#omitted;
    if (omitted === undefined) return false;
    if (isShallow) omitted.delete(id);
    const before = omitted.size;
    return !isShallow && omitted.add(id).size > before;
  }

  leave(): void { this.#depth -= 1; }

  blob(id: ObjectId): FilterVerdict {
    const isShallow = this.#depth < this.#most;
    this.#record(id, isShallow);
    return { show: isShallow, settled: isShallow, enter: false };
  }
}

/** Lets through what every part lets through; each part sees only the trees it asked to enter, and each object until it is settled for it. */
class CombinedPart implements FilterPart {
  readonly #parts: readonly { readonly part: FilterPart; readonly settled: Set<ObjectId> }[];
  /** For each tree being walked, which parts were asked about it and which of them wait for its end. */
  readonly #stack: { readonly asked: readonly boolean[]; readonly skipping: readonly boolean[] }[] = [];

  constructor(parts: readonly FilterPart[]) {
    this.#parts = parts.map((part) => ({ part, settled: new Set<ObjectId>() }));
  }

  omitted(): ReadonlySet<ObjectId>[] { return this.#parts.flatMap(({ part }) => part.omitted()); }

  named(type: 'commit' | 'tag'): FilterVerdict {
    return this.#parts.every(({ part }) => part.named(type).show) ? shown : hidden;
  }

  tree(id: ObjectId): FilterVerdict {
    const above = this.#stack.at(-1)?.skipping;
    const asked = this.#parts.map(({ settled }, at) => above?.[at] !== true && !settled.has(id));
    const verdicts = this.#parts.map(({ part, settled }, at) => {
      if (!asked[at]) return undefined;
      const verdict = part.tree(id);
      if (verdict.settled) settled.add(id);
      return verdict;
    });
    const skipping = verdicts.map((verdict, at) => above?.[at] === true || verdict?.enter === false);
    this.#stack.push({ asked, skipping });
    return {
      show: verdicts.every((verdict) => verdict?.show === true),
      settled: this.#parts.every(({ settled }) => settled.has(id)),
      enter: skipping.some((skips) => !skips),
    };
  }

  leave(): void {
    const top = this.#stack.pop();
    this.#parts.forEach(({ part }, at) => { if (top?.asked[at] === true) part.leave(); });
  }

  blob(id: ObjectId): FilterVerdict {
    const above = this.#stack.at(-1)?.skipping;
    let show = true;
    this.#parts.forEach(({ part, settled }, at) => {
      if (above?.[at] === true || settled.has(id)) {
        show = false;
        return;
      }
      const verdict = part.blob(id);
      if (verdict.settled) settled.add(id);
      if (!verdict.show) show = false;
    });
    return { show, settled: this.#parts.every(({ settled }) => settled.has(id)), enter: false };
  }
}
