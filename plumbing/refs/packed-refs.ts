// The packed-refs file: many refs in one sorted file. Format: gitrepository-layout(5), git-pack-refs(1). Pure: bytes in, values out.
//
// The file is untrusted. A lookup in a sorted file is a binary search over its bytes and checks the lines it touches; listing checks all it
// passes. Names are latin1 byte strings here, so that order is byte order.
import { CorruptError } from '../../pack/errors.js';
import { type ObjectFormat, type ObjectId, hexSize, isObjectId } from '../../pack/oid.js';
import { decodeRefName, isRefName } from './ref-name.js';

export interface PackedRef {
  /** Bytes as latin1. */
  readonly name: string;
  readonly id: ObjectId;
  /** What the tag points at in the end; undefined when it is no tag, or not recorded. */
  readonly peeled: ObjectId | undefined;
  /** True when `peeled` is known, so that undefined means "no tag". */
  readonly isPeeled: boolean;
}

const header = '# pack-refs with:';

/** A search looks at a dozen lines: who has made one for each so many bytes had better read them all. */
const worthReadingBytes = 1000;

export class PackedRefs {
  static readonly empty = new PackedRefs(Buffer.alloc(0), 'sha1', '');
  readonly #text: string;
  readonly #format: ObjectFormat;
  readonly #origin: string;
  readonly #bodyStart: number;
  readonly #peeling: 'none' | 'tags' | 'fully';
  #sorted: readonly PackedRef[] | undefined;
  readonly #isSorted: boolean;
  #searches = 0;
  #byName: ReadonlyMap<string, PackedRef> | undefined;

  private constructor(bytes: Buffer, format: ObjectFormat, origin: string) {
    this.#text = bytes.toString('latin1');
    this.#format = format;
    this.#origin = origin;
    let traits: string[] = [];
    let start = 0;
    if (this.#text.startsWith('#')) {
      start = this.#text.indexOf('\n') + 1;
      const line = this.#text.slice(0, Math.max(0, start - 1));
      if (!line.startsWith(header)) throw this.#corrupt(0, 'unknown header');
      traits = line.slice(header.length).split(' ');
    }
    this.#bodyStart = start;
    this.#isSorted = traits.includes('sorted');
    this.#peeling = traits.includes('fully-peeled') ? 'fully' : traits.includes('peeled') ? 'tags' : 'none';
  }

  /** Reads a file's content; CorruptError when it is empty, cut off, or (noticed later) malformed. `origin` is its path. */
  static decode(bytes: Buffer, format: ObjectFormat, origin: string): PackedRefs {
    if (bytes.length === 0) {
      throw new CorruptError(`'${origin}' is empty`, { code: 'packed-refs-damaged', hint: `restore it from a copy; if there were no packed refs, remove '${origin}'` });
    }
    if (bytes[bytes.length - 1] !== 10) {
      throw new CorruptError(`'${origin}' is cut off: its last line has no end`, { code: 'packed-refs-damaged', hint: 'restore it from a copy' });
    }
    return new PackedRefs(bytes, format, origin);
  }

  /** One ref by its latin1 name. */
  find(name: string): PackedRef | undefined {
    this.#searches += 1;
    if (this.#searches * worthReadingBytes > this.#text.length) this.#byName ??= new Map(Array.from(this.list(), (ref) => [ref.name, ref]));
    if (this.#byName !== undefined) return this.#byName.get(name);
    const first = this.list(name).next();
    return !first.done && first.value.name === name ? first.value : undefined;
  }

  /** Refs whose latin1 name begins with `prefix`, in byte order. */
  *list(prefix = ''): Generator<PackedRef> {
    if (!this.#isSorted) {
      const all = this.#all();
      for (let at = lowerBound(all, prefix); at < all.length && all[at]!.name.startsWith(prefix); at += 1) yield all[at]!;
      return;
    }
    let last = '';
    for (let at = this.#lowerOffset(prefix); at < this.#text.length;) {
      const { ref, next } = this.#recordAt(at);
      if (!ref.name.startsWith(prefix)) return;
      if (ref.name <= last) throw this.#corrupt(at, 'out of order');
      last = ref.name;
      yield ref;
      at = next;
    }
  }

  /** Where, in a sorted file, the first record whose name is not less than `name` begins. */
  #lowerOffset(name: string): number {
    let low = this.#bodyStart;
    let high = name === '' ? low : this.#text.length;
    while (low < high) {
      const start = this.#recordStart(low, (low + high) >>> 1);
      const { ref, next } = this.#recordAt(start);
      if (ref.name < name) low = next;
      else high = start;
    }
    return low;
  }

  #all(): readonly PackedRef[] {
    if (this.#sorted !== undefined) return this.#sorted;
    const refs: PackedRef[] = [];
    let ordered = true;
    for (let at = this.#bodyStart; at < this.#text.length;) {
      const { ref, next } = this.#recordAt(at);
      const last = refs.at(-1);
      if (last !== undefined && last.name >= ref.name) ordered = false;
      refs.push(ref);
      at = next;
    }
    if (!ordered) {
      refs.sort((a, b) => (a.name < b.name ? -1 : 1));
      for (let at = 1; at < refs.length; at += 1) if (refs[at]!.name === refs[at - 1]!.name) throw this.#corrupt(0, `two lines for '${refs[at]!.name}'`);
    }
    return this.#sorted = refs;
  }

  /** The start of the record that covers `at`, not before `low`: a line that is not the peeled line of the one above. */
  #recordStart(low: number, at: number): number {
    for (let start = at; ;) {
      start = start <= low ? low : this.#text.lastIndexOf('\n', start - 1) + 1;
      if (start <= low || this.#text.charCodeAt(start) !== 94) return Math.max(start, low);
      start -= 1;
    }
  }

  #recordAt(start: number): { ref: PackedRef; next: number } {
    const digits = hexSize(this.#format);
    const end = this.#text.indexOf('\n', start);
    const id = this.#text.slice(start, start + digits);
    const name = this.#text.slice(start + digits + 1, end);
    if (!isObjectId(id, this.#format) || this.#text.charCodeAt(start + digits) !== 32 || end < start + digits + 2) throw this.#corrupt(start, 'malformed line');
    if (!name.startsWith('refs/') || !isRefName(decodeRefName(name))) throw this.#corrupt(start, 'bad ref name');
    let next = end + 1;
    let peeled: ObjectId | undefined;
    if (this.#text.charCodeAt(next) === 94) {
      const peeledEnd = this.#text.indexOf('\n', next);
      const text = this.#text.slice(next + 1, peeledEnd);
      if (!isObjectId(text, this.#format)) throw this.#corrupt(next, 'malformed peeled line');
      peeled = text;
      next = peeledEnd + 1;
    }
    const isPeeled = peeled !== undefined || this.#peeling === 'fully' || (this.#peeling === 'tags' && name.startsWith('refs/tags/'));
    return { ref: { name, id, peeled, isPeeled }, next };
  }

  #corrupt(at: number, what: string): CorruptError {
    const line = this.#text.slice(0, at).split('\n').length;
    return new CorruptError(`'${this.#origin}' is damaged: ${what} at line ${line}`, { code: 'packed-refs-damaged', hint: 'restore it from a copy, or remove that line' });
  }
}

/** The file's bytes for `refs`, which are in byte order of their names. */
export function encodePackedRefs(refs: Iterable<PackedRef>): Buffer {
  const lines = [`${header} peeled fully-peeled sorted \n`];
  for (const ref of refs) lines.push(`${ref.id} ${ref.name}\n`, ref.peeled === undefined ? '' : `^${ref.peeled}\n`);
  return Buffer.from(lines.join(''), 'latin1');
}

/** Index of the first ref whose name is not less than `name`. */
function lowerBound(refs: readonly PackedRef[], name: string): number {
  let low = 0;
  let high = refs.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (refs[middle]!.name < name) low = middle + 1;
    else high = middle;
  }
  return low;
}
