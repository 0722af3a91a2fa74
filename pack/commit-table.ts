// What history walks ask of commits, by number (see id-table): tree, parents, committer's time, and the walk's own flags, each in an
// array, so that hundreds of thousands of commits cost neither strings nor objects.
//
// A commit has a number as soon as it is named, the rest once it is loaded, from its content (gitformat-commit, the header lines) or
// from a commit-graph. Parents may be changed by the walk that owns the table.
import { CorruptError } from './errors.js';
import { IdTable } from './id-table.js';
import { decodeHexInto, decodeObjectId } from './oid.js';
import type { ObjectFormat, ObjectId } from './oid.js';

const newline = 0x0a;

export class CommitTable {
  readonly ids: IdTable;
  /** The walk's, for it to read and write; another array once the table grew, as those below. */
  flags: Uint16Array;
  /** Committer's time, since 1970. */
  seconds: Float64Array;
  /** In the commit-graph; -1 where a commit is not there, or was not looked for. */
  positions: Int32Array;
  #trees: Buffer;
  /** Where in `#links` the parents of a commit begin; -1 before it is loaded. */
  #linksAt: Int32Array;
  #links = new Int32Array(512);
  #linkCount = 0;

  constructor(format: ObjectFormat) {
    this.ids = new IdTable(format);
    const room = this.ids.capacity;
    this.flags = new Uint16Array(room);
    this.seconds = new Float64Array(room);
    this.positions = new Int32Array(room).fill(-1);
    this.#trees = Buffer.allocUnsafeSlow(room * this.ids.idSize);
    this.#linksAt = new Int32Array(room).fill(-1);
  }

  isLoaded(commit: number): boolean { return this.#linksAt[commit]! >= 0; }

  /** None before it is loaded. */
  parentCount(commit: number): number {
    const at = this.#linksAt[commit]!;
    return at < 0 ? 0 : this.#links[at]!;
  }

  parentAt(commit: number, index: number): number {
    return this.#links[this.#linksAt[commit]! + 1 + index]!;
  }

  parentsOf(commit: number): number[] {
    const parents: number[] = [];
    for (let index = 0, count = this.parentCount(commit); index < count; index += 1) parents.push(this.parentAt(commit, index));
    return parents;
  }

  treeAt(commit: number): ObjectId {
    return decodeObjectId(this.#trees, commit * this.ids.idSize, this.ids.format);
  }

  /** The number of a commit, new or known. */
  number(id: ObjectId): number {
    const number = this.ids.addId(id);
    this.#fit();
    return number;
  }

  /** As `number`, of an id given as raw bytes. */
  numberOf(raw: Uint8Array, at: number): number {
    const number = this.ids.add(raw, at);
    this.#fit();
    return number;
  }

  /** Fills in what a commit-graph knows; the raw id of the tree is at `treeAt`. */
  set(commit: number, tree: Uint8Array, treeAt: number, parents: readonly number[], seconds: number): void {
    this.#setTree(commit, tree, treeAt);
    this.seconds[commit] = seconds;
    this.setParents(commit, parents);
  }

  setParents(commit: number, parents: readonly number[]): void {
    this.#beginParents(commit);
    for (const parent of parents) this.#addParent(commit, parent);
  }

  /**
   * Fills in what the content between `start` and `end` says, without the parents where `isCut`; gives where the line after the
   * committer's begins. CorruptError when its tree or a parent is malformed.
   */
  decode(commit: number, bytes: Uint8Array, start: number, end: number, isCut: boolean): number {
    const { ids } = this;
    const { idSize } = ids;
    const digits = idSize * 2;
    const isTree = start + 6 + digits <= end && startsWith(bytes, start, treeKey) && bytes[start + 5 + digits] === newline;
    if (!isTree || !decodeHexInto(this.#trees, commit * idSize, bytes, start + 5, idSize)) throw this.#damaged(commit);
    let at = start + 5 + digits + 1;
    this.#beginParents(commit);
    while (at + 1 < end && bytes[at] === 0x70 && bytes[at + 1] === 0x61) {
      const isParent = at + 8 + digits <= end && startsWith(bytes, at, parentKey) && bytes[at + 7 + digits] === newline;
      const parent = isParent ? ids.addHex(bytes, at + 7) : -1;
      if (parent < 0) throw this.#undone(commit);
      this.#fit();
      if (!isCut) this.#addParent(commit, parent);
      at += 7 + digits + 1;
    }
    while (at < end && bytes[at] === 0x61) at = nextLine(bytes, at, end);
    const isCommitter = at < end && bytes[at] === 0x63;
    const after = isCommitter ? nextLine(bytes, at, end) : at;
    this.seconds[commit] = isCommitter ? decodeSeconds(bytes, at, after) : 0;
    return after;
  }

  #damaged(commit: number): CorruptError {
    return new CorruptError(`commit '${this.ids.idAt(commit)}' is damaged`, { code: 'bad-commit' });
  }

  /** What was begun does not count. */
  #undone(commit: number): CorruptError {
    this.#linksAt[commit] = -1;
    return this.#damaged(commit);
  }

  #setTree(commit: number, tree: Uint8Array, at: number): void {
    const { idSize } = this.ids;
    for (let byte = 0; byte < idSize; byte += 1) this.#trees[commit * idSize + byte] = tree[at + byte]!;
  }

  #beginParents(commit: number): void {
    this.#linksAt[commit] = this.#linkCount;
    this.#link(0);
  }

  #addParent(commit: number, parent: number): void {
    this.#link(parent);
    this.#links[this.#linksAt[commit]!]! += 1;
  }

  #link(value: number): void {
    if (this.#linkCount === this.#links.length) this.#links = grown(this.#links, new Int32Array(this.#links.length * 2));
    this.#links[this.#linkCount] = value;
    this.#linkCount += 1;
  }

  /** Gives the arrays as much room as the table of ids has. */
  #fit(): void {
    const room = this.ids.capacity;
    const before = this.flags.length;
    if (room === before) return;
    this.flags = grown(this.flags, new Uint16Array(room));
    this.seconds = grown(this.seconds, new Float64Array(room));
    this.positions = grown(this.positions, new Int32Array(room).fill(-1, before));
    this.#trees = grown(this.#trees, Buffer.allocUnsafeSlow(room * this.ids.idSize));
    this.#linksAt = grown(this.#linksAt, new Int32Array(room).fill(-1, before));
  }
}

function grown<Array extends Uint8Array | Uint16Array | Int32Array | Float64Array>(from: Array, to: Array): Array {
  to.set(from);
  return to;
}

const treeKey = Buffer.from('tree ');
const parentKey = Buffer.from('parent ');

function startsWith(bytes: Uint8Array, at: number, key: Uint8Array): boolean {
  for (let index = 0; index < key.length; index += 1) if (bytes[at + index] !== key[index]) return false;
  return true;
}

/** The number behind the last '>' of the line from `at` to `end`; 0 when there is none. */
function decodeSeconds(bytes: Uint8Array, at: number, end: number): number {
  let from = end;
  while (from > at && bytes[from - 1] !== 0x3e) from -= 1;
  // All numbers but odd ones are digits behind one blank.
  let seconds = 0;
  let digit = from + 1;
  for (; digit < end && bytes[digit]! >= 0x30 && bytes[digit]! <= 0x39; digit += 1) seconds = seconds * 10 + bytes[digit]! - 0x30;
  if (bytes[from] !== 0x20 || digit === from + 1) seconds = Number.parseInt(Buffer.from(bytes.subarray(from, end)).toString('latin1'), 10);
  return Number.isSafeInteger(seconds) && seconds > 0 ? seconds : 0;
}

function nextLine(bytes: Uint8Array, at: number, end: number): number {
  let to = at;
  while (to < end && bytes[to] !== newline) to += 1;
  return Math.min(to + 1, end);
}
