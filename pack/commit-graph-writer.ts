// Making a commit-graph file out of commits that are loaded, and comparing one with commits as they are stored (gitformat-commit-graph). Byte
// for byte what git writes. Pure: a table of commits in, bytes or findings out.
//
// Invariant: every parent of a commit in the file is in it, too, or in a file it stands on.
import { encodeChunks } from './chunk-file.js';
import type { CommitGraph } from './commit-graph.js';
import type { CommitTable } from './commit-table.js';
import { CorruptError } from './errors.js';
import { encodeFanOut, orderIds } from './id-order.js';
import { digest } from './oid.js';

const headerBytes = 8;
const noParent = 0x70000000;
const lastEdge = 0x80000000;
const longOffset = 0x80000000;
const deepestLevel = 0x3fffffff;

export interface CommitGraphRequest {
  readonly table: CommitTable;
  /** Numbers in the table, each once, all loaded. */
  readonly commits: readonly number[];
  /** What the file will stand on: its commits are not among `commits`. */
  readonly base?: CommitGraph;
  /** Whether corrected dates are written. */
  readonly hasDates: boolean;
}

/** One file being made: its commits in order, and where each is. */
class Draft {
  readonly table: CommitTable;
  readonly base: CommitGraph | undefined;
  /** Numbers in the table, in order of id. */
  readonly commits: Uint32Array;
  readonly ids: Buffer;
  readonly idSize: number;
  /** By number in the table: position in the chain, -1 where it is not known. */
  readonly #positions: Int32Array;
  readonly #levels: Uint32Array;
  readonly #corrected: Float64Array;

  constructor({ table, commits, base }: CommitGraphRequest) {
    this.table = table;
    this.base = base;
    this.idSize = table.ids.idSize;
    const { idSize } = this;
    const raw = Buffer.allocUnsafe(commits.length * idSize);
    commits.forEach((commit, at) => table.ids.bytes.copy(raw, at * idSize, commit * idSize, (commit + 1) * idSize));
    const order = orderIds(raw, commits.length, idSize, (a, b) => a - b);
    this.commits = order.map((at) => commits[at]!);
    this.ids = Buffer.allocUnsafe(raw.length);
    order.forEach((from, at) => raw.copy(this.ids, at * idSize, from * idSize, (from + 1) * idSize));
    this.#positions = new Int32Array(table.ids.count).fill(-1);
    this.#levels = new Uint32Array(table.ids.count);
    this.#corrected = new Float64Array(table.ids.count);
    this.commits.forEach((commit, at) => { this.#positions[commit] = (base?.count ?? 0) + at; });
  }

  get count(): number { return this.commits.length; }

  positionOf(commit: number): number {
    const known = this.#positions[commit]!;
    if (known >= 0) return known;
    const found = this.base?.positionOf(this.table.ids.bytes, commit * this.idSize) ?? -1;
    if (found < 0) throw new CorruptError(`parent '${this.table.ids.idAt(commit)}' is missing`, { code: 'object-missing' });
    this.#positions[commit] = found;
    return found;
  }

  levelOf(commit: number): number { return this.#levels[commit]!; }
  correctedOf(commit: number): number { return this.#corrected[commit]!; }

  /** Computes levels and corrected dates, parents first, without recursion. */
  rank(): void {
    const pending: number[] = [];
    for (const commit of this.commits) {
      pending.push(commit);
      for (let top = pending.at(-1); top !== undefined; top = pending.at(-1)) {
        const before = pending.length;
        if (this.#levels[top] === 0) this.#pushUnranked(top, pending);
        if (pending.length > before) continue;
        pending.pop();
        if (this.#levels[top] === 0) this.#rankOne(top);
      }
    }
  }

  #pushUnranked(commit: number, pending: number[]): void {
    const { table, base } = this;
    for (let index = 0, count = table.parentCount(commit); index < count; index += 1) {
      const parent = table.parentAt(commit, index);
      if (this.#levels[parent] !== 0) continue;
      const position = this.positionOf(parent);
      if (base === undefined || position >= base.count) {
        pending.push(parent);
      } else {
        this.#levels[parent] = Math.max(1, base.levelAt(position));
        this.#corrected[parent] = base.correctedSecondsAt(position) ?? base.secondsAt(position);
      }
    }
  }

  #rankOne(commit: number): void {
    const { table } = this;
    let level = 0;
    let corrected = table.seconds[commit]!;
    for (let index = 0, count = table.parentCount(commit); index < count; index += 1) {
      const parent = table.parentAt(commit, index);
      level = Math.max(level, this.#levels[parent]!);
      corrected = Math.max(corrected, this.#corrected[parent]! + 1);
    }
    this.#levels[commit] = Math.min(deepestLevel, level + 1);
    this.#corrected[commit] = corrected;
  }
}

/** The bytes of the file; CorruptError when a parent is nowhere. */
export function encodeCommitGraph(request: CommitGraphRequest): Buffer {
  const draft = new Draft(request);
  draft.rank();
  const { format } = request.table.ids;
  const { data, edges } = encodeData(draft);
  const layers = request.base?.layers ?? [];
  const chunks: [string, Buffer][] = [
    ['OIDF', encodeFanOut(Uint32Array.from(draft.commits.keys()), draft.ids, draft.idSize)],
    ['OIDL', draft.ids],
    ['CDAT', data],
    ...(request.hasDates ? encodeDates(draft) : []),
    ...(edges.length > 0 ? [['EDGE', edges] as [string, Buffer]] : []),
    ...(layers.length > 0 ? [['BASE', Buffer.concat(layers.map(({ checksum }) => checksum))] as [string, Buffer]] : []),
  ];
  const header = Buffer.from('CGPH\x01\0\0\0', 'latin1');
  header[5] = format === 'sha1' ? 1 : 2;
  header[6] = chunks.length;
  header[7] = layers.length;
  const body = Buffer.concat([header, encodeChunks(headerBytes, chunks)]);
  return Buffer.concat([body, digest(body, format)]);
}

function encodeData(draft: Draft): { readonly data: Buffer; readonly edges: Buffer } {
  const { table, idSize } = draft;
  const data = Buffer.allocUnsafe(draft.count * (idSize + 16));
  const edges: number[] = [];
  draft.commits.forEach((commit, index) => {
    const at = index * (idSize + 16);
    data.write(table.treeAt(commit), at, 'hex');
    const parents = table.parentsOf(commit).map((parent) => draft.positionOf(parent));
    data.writeUInt32BE(parents[0] ?? noParent, at + idSize);
    data.writeUInt32BE(parents.length > 2 ? lastEdge + edges.length : parents[1] ?? noParent, at + idSize + 4);
    if (parents.length > 2) {
      edges.push(...parents.slice(1));
      edges[edges.length - 1]! += lastEdge;
    }
    const seconds = table.seconds[commit]!;
    data.writeUInt32BE(draft.levelOf(commit) * 4 + (Math.floor(seconds / 2 ** 32) % 4), at + idSize + 8);
    data.writeUInt32BE(seconds % 2 ** 32, at + idSize + 12);
  });
  const bytes = Buffer.allocUnsafe(edges.length * 4);
  edges.forEach((edge, at) => bytes.writeUInt32BE(edge, at * 4));
  return { data, edges: bytes };
}

function encodeDates(draft: Draft): [string, Buffer][] {
  const dates = Buffer.allocUnsafe(draft.count * 4);
  const long: number[] = [];
  draft.commits.forEach((commit, index) => {
    const offset = draft.correctedOf(commit) - draft.table.seconds[commit]!;
    if (offset < longOffset) {
      dates.writeUInt32BE(offset, index * 4);
    } else {
      dates.writeUInt32BE(longOffset + long.length, index * 4);
      long.push(offset);
    }
  });
  if (long.length === 0) return [['GDA2', dates]];
  const bytes = Buffer.allocUnsafe(long.length * 8);
  long.forEach((offset, at) => bytes.writeBigUInt64BE(BigInt(offset), at * 8));
  return [['GDA2', dates], ['GDO2', bytes]];
}

/**
 * What is wrong with the topmost `layers` files of a graph. `load` gives the number of a commit in `table`, loaded from where it is
 * stored; undefined when it is not there.
 */
export function* checkCommitGraph(graph: CommitGraph, layers: number, table: CommitTable, load: (position: number) => number | undefined): Generator<string> {
  for (const layer of graph.layers.slice(-layers)) {
    const end = layer.bytes.length - layer.checksum.length;
    if (!digest(layer.bytes.subarray(0, end), table.ids.format).equals(layer.checksum)) yield `'${layer.path}' does not match its own checksum`;
    const below = Buffer.concat(graph.layers.slice(0, graph.layers.indexOf(layer)).map(({ checksum }) => checksum));
    if (!layer.baseChecksums.equals(below)) yield `'${layer.path}' does not stand on the files it names`;
    for (let position = layer.firstPosition; position < layer.firstPosition + layer.count; position += 1) {
      const id = graph.idAt(position);
      if (position > layer.firstPosition && graph.idAt(position - 1) >= id) yield `commit '${id}' is not in its place`;
      if (graph.position(id) !== position) yield `commit '${id}' is not found where it is`;
      const commit = load(position);
      if (commit === undefined) yield `commit '${id}' is not there`;
      else yield* checkOne(graph, position, table, commit);
    }
  }
}

function* checkOne(graph: CommitGraph, position: number, table: CommitTable, commit: number): Generator<string> {
  const id = table.ids.idAt(commit);
  if (graph.treeAt(position) !== table.treeAt(commit)) yield `commit '${id}' has another tree`;
  if (graph.secondsAt(position) !== table.seconds[commit]! % 2 ** 34) yield `commit '${id}' has another date`;
  const parents = graph.parentsAt(position);
  const stored = table.parentsOf(commit).map((parent) => table.ids.idAt(parent));
  if (parents.length !== stored.length || parents.some((parent, index) => graph.idAt(parent) !== stored[index])) yield `commit '${id}' has other parents`;
  const level = graph.levelAt(position);
  const deepest = parents.reduce((most, parent) => Math.max(most, graph.levelAt(parent)), 0);
  if (level !== 0 && level !== Math.min(deepestLevel, deepest + 1)) yield `commit '${id}' is at level ${level}, not ${deepest + 1}`;
  const corrected = graph.correctedSecondsAt(position);
  if (corrected === undefined) return;
  const least = parents.reduce((most, parent) => Math.max(most, (graph.correctedSecondsAt(parent) ?? -1) + 1), graph.secondsAt(position));
  if (corrected < least) yield `commit '${id}' has a corrected date of ${corrected}, less than ${least}`;
}
