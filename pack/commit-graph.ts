// git's commit-graph: parents, trees and dates of commits in one file (or a chain of them), so that history is walked without
// opening a commit. Only reading; the file is a cache, and whoever finds it damaged may do without it.
//
// Everything in it is untrusted: a position or an offset that leads outside is a CorruptError, never a read out of bounds.
// Format: gitformat-commit-graph.
import { join } from 'node:path';
import { readUInt64 } from './chunk-file.js';
import type { CommitTable } from './commit-table.js';
import { CorruptError } from './errors.js';
import { findFile } from './file-lookup.js';
import { type ObjectFormat, type ObjectId, decodeObjectId, encodeObjectId, rawSize } from './oid.js';

/** What the graph knows of a commit. */
export interface GraphCommit {
  readonly tree: ObjectId;
  readonly parents: readonly ObjectId[];
  /** The committer's time, modulo 2^34. */
  readonly seconds: number;
}

const noParent = 0x70000000;
const edgeFlag = 0x80000000;
const maxLayers = 1000;

interface Chunk { readonly from: number; readonly to: number }

/** A graph as it lies in its file. */
export interface GraphTables {
  readonly bytes: Buffer;
  readonly count: number;
  readonly fanOut: number;
  readonly ids: number;
  readonly data: number;
  readonly edges: number;
  readonly edgesEnd: number;
}

/** One file: the commits of one layer, in order of id. */
class Layer {
  readonly bytes: Buffer;
  readonly count: number;
  readonly baseLayers: number;
  /** Position of this layer's first commit in the chain. */
  readonly firstPosition: number;
  readonly #size: number;
  readonly #fanout: Chunk;
  readonly #ids: Chunk;
  readonly #data: Chunk;
  readonly #edges: Chunk | undefined;
  readonly #dates: Chunk | undefined;
  readonly #longDates: Chunk | undefined;
  readonly #bases: Chunk | undefined;
  readonly #format: ObjectFormat;
  readonly path: string;

  constructor(bytes: Buffer, format: ObjectFormat, firstPosition: number, path: string) {
    const bad = (what: string): CorruptError => new CorruptError(`commit-graph '${path}' is damaged: ${what}`, { code: 'bad-commit-graph' });
    this.bytes = bytes;
    this.path = path;
    this.#format = format;
    this.#size = rawSize(format);
    this.firstPosition = firstPosition;
    if (bytes.length < 8 + this.#size || bytes.toString('latin1', 0, 4) !== 'CGPH') throw bad('it does not begin as one');
    if (bytes[4] !== 1) throw bad(`its version ${bytes[4]} is unknown`);
    if (bytes[5] !== (format === 'sha1' ? 1 : 2)) throw bad('it is of another hash');
    const chunkCount = bytes[6]!;
    this.baseLayers = bytes[7]!;
    const chunks = new Map<string, Chunk>();
    if (8 + (chunkCount + 1) * 12 > bytes.length) throw bad('its table of contents is cut short');
    for (let index = 0; index < chunkCount; index += 1) {
      const at = 8 + index * 12;
      const from = Number(bytes.readBigUInt64BE(at + 4));
      const to = Number(bytes.readBigUInt64BE(at + 16));
      if (from > to || to > bytes.length - this.#size) throw bad('a chunk lies outside of it');
      chunks.set(bytes.toString('latin1', at, at + 4), { from, to });
    }
    const need = (name: string): Chunk => {
      const chunk = chunks.get(name);
      if (chunk === undefined) throw bad(`it has no chunk '${name}'`);
      return chunk;
    };
    this.#fanout = need('OIDF');
    this.#ids = need('OIDL');
    this.#data = need('CDAT');
    this.#edges = chunks.get('EDGE');
    this.#dates = chunks.get('GDA2');
    this.#longDates = chunks.get('GDO2');
    this.#bases = chunks.get('BASE');
    if (this.#fanout.to - this.#fanout.from !== 1024) throw bad('its fan-out table has the wrong size');
    this.count = this.#fan(255);
    for (let byte = 0; byte < 255; byte += 1) if (this.#fan(byte) > this.#fan(byte + 1)) throw bad('its fan-out table is not in order');
    if (this.#ids.to - this.#ids.from !== this.count * this.#size || this.#data.to - this.#data.from !== this.count * (this.#size + 16)) {
      throw bad('its tables differ in length');
    }
    if (this.#dates !== undefined && this.#dates.to - this.#dates.from !== this.count * 4) throw bad('its table of dates has the wrong size');
  }

  /** True when it knows corrected dates. */
  get hasDates(): boolean { return this.#dates !== undefined; }

  /** The checksum the file ends in. */
  get checksum(): Buffer { return this.bytes.subarray(this.bytes.length - this.#size); }

  /** Checksums of the layers it stands on, base first, as it names them. */
  get baseChecksums(): Buffer {
    return this.#bases === undefined ? this.bytes.subarray(0, 0) : this.bytes.subarray(this.#bases.from, this.#bases.to);
  }

  /** How many parents deep history is here: one more than the deepest parent, 1 for a root; 0 when it was not computed. */
  levelAt(index: number): number {
    return this.bytes.readUInt32BE(this.#data.from + index * (this.#size + 16) + this.#size + 8) >>> 2;
  }

  /** The least date later than those of all parents and not before the commit's own; only where `hasDates`. */
  correctedSecondsAt(index: number): number {
    const offset = this.bytes.readUInt32BE(this.#dates!.from + index * 4);
    if (offset < edgeFlag) return this.secondsAt(index) + offset;
    const at = (this.#longDates?.from ?? Infinity) + (offset - edgeFlag) * 8;
    if (this.#longDates === undefined || at + 8 > this.#longDates.to) {
      throw new CorruptError(`commit-graph '${this.path}' is damaged: a date lies outside of it`, { code: 'bad-commit-graph' });
    }
    return this.secondsAt(index) + readUInt64(this.bytes, at);
  }

  /** Where in `bytes` its tables are. */
  get tables(): GraphTables {
    const edges = this.#edges ?? { from: 0, to: 0 };
    return { bytes: this.bytes, count: this.count, fanOut: this.#fanout.from, ids: this.#ids.from, data: this.#data.from, edges: edges.from, edgesEnd: edges.to };
  }

  #fan(byte: number): number {
    return this.bytes.readUInt32BE(this.#fanout.from + byte * 4);
  }

  /** Index in this layer, or -1. */
  find(raw: Uint8Array, at: number): number {
    const first = raw[at]!;
    let low = first === 0 ? 0 : this.#fan(first - 1);
    let high = this.#fan(first);
    while (low < high) {
      const middle = (low + high) >>> 1;
      const order = this.#compare(raw, at, middle);
      if (order === 0) return middle;
      if (order < 0) high = middle;
      else low = middle + 1;
    }
    return -1;
  }

  #compare(raw: Uint8Array, at: number, index: number): number {
    const { bytes } = this;
    const from = this.idOffset(index);
    for (let byte = 0; byte < this.#size; byte += 1) {
      const difference = raw[at + byte]! - bytes[from + byte]!;
      if (difference !== 0) return difference;
    }
    return 0;
  }

  /** Where in `bytes` its raw id is. */
  idOffset(index: number): number {
    return this.#ids.from + index * this.#size;
  }

  /** Where in `bytes` the raw id of its tree is. */
  treeOffset(index: number): number {
    return this.#data.from + index * (this.#size + 16);
  }

  idAt(index: number): ObjectId {
    return decodeObjectId(this.bytes, this.#ids.from + index * this.#size, this.#format);
  }

  treeAt(index: number): ObjectId {
    return decodeObjectId(this.bytes, this.#data.from + index * (this.#size + 16), this.#format);
  }

  /** The committer's time. */
  secondsAt(index: number): number {
    const { bytes } = this;
    const at = this.#data.from + index * (this.#size + 16) + this.#size + 8;
    return (bytes[at + 3]! & 3) * 2 ** 32 + bytes[at + 4]! * 2 ** 24 + ((bytes[at + 5]! << 16) | (bytes[at + 6]! << 8) | bytes[at + 7]!);
  }

  /** Positions of the parents in the chain. */
  parentsAt(index: number): number[] {
    const { bytes } = this;
    const from = this.#data.from + index * (this.#size + 16) + this.#size;
    const first = bytes.readUInt32BE(from);
    const second = bytes.readUInt32BE(from + 4);
    if (first === noParent) return [];
    if (second === noParent) return [first];
    if (second < edgeFlag) return [first, second];
    const parents = [first];
    this.#readEdges(second - edgeFlag, parents);
    return parents;
  }

  /** Puts the parents not marked in `seen` on `stack` and marks them; where there is no such commit, the stack's user finds out. */
  pushParents(index: number, seen: Uint8Array, stack: number[], firstOnly: boolean): void {
    const { bytes } = this;
    const from = this.#data.from + index * (this.#size + 16) + this.#size;
    const first = bytes.readUInt32BE(from);
    const second = bytes.readUInt32BE(from + 4);
    if (first !== noParent) pushNew(first, seen, stack);
    if (firstOnly || second === noParent) return;
    if (second < edgeFlag) pushNew(second, seen, stack);
    else for (const parent of this.parentsAt(index)) pushNew(parent, seen, stack);
  }

  #readEdges(from: number, parents: number[]): void {
    const edges = this.#edges;
    for (let at = from; ; at += 1) {
      const offset = edges === undefined ? NaN : edges.from + at * 4;
      if (edges === undefined || offset + 4 > edges.to) {
        throw new CorruptError('commit-graph is damaged: a list of parents lies outside of it', { code: 'bad-commit-graph' });
      }
      const value = this.bytes.readUInt32BE(offset);
      parents.push(value >= edgeFlag ? value - edgeFlag : value);
      if (value >= edgeFlag) return;
    }
  }
}

function pushNew(position: number, seen: Uint8Array, stack: number[]): void {
  if (seen[position] === 1) return;
  seen[position] = 1;
  stack.push(position);
}

/** What is known of one file of a graph. */
export interface GraphLayer {
  readonly path: string;
  readonly bytes: Buffer;
  /** Commits in this file, and in those below it. */
  readonly count: number;
  readonly firstPosition: number;
  readonly checksum: Buffer;
  readonly baseChecksums: Buffer;
  readonly hasDates: boolean;
}

/** A commit-graph that is open for reading. */
export class CommitGraph {
  readonly #layers: readonly Layer[];

  private constructor(layers: readonly Layer[]) {
    this.#layers = layers;
  }

  /** The graph of an objects directory (file or chain); undefined when it has none, CorruptError when it cannot be used. */
  static find(objectsDirectory: string, format: ObjectFormat): CommitGraph | undefined {
    const single = join(objectsDirectory, 'info/commit-graph');
    const bytes = findFile(single);
    if (bytes !== undefined) return CommitGraph.decode([{ path: single, bytes }], format);
    const folder = join(objectsDirectory, 'info/commit-graphs');
    const chain = findFile(join(folder, 'commit-graph-chain'));
    if (chain === undefined) return undefined;
    const names = chain.toString('latin1').split('\n').filter((line) => line !== '');
    if (names.length > maxLayers || !names.every((name) => /^[0-9a-f]{40,64}$/.test(name))) {
      throw new CorruptError(`commit-graph chain '${folder}' is damaged`, { code: 'bad-commit-graph' });
    }
    const files = names.map((name) => {
      const path = join(folder, `graph-${name}.graph`);
      const content = findFile(path);
      // A file named by the chain may vanish while a new chain is put in place: then there is no graph to use.
      return content === undefined ? undefined : { path, bytes: content };
    });
    return files.some((file) => file === undefined) ? undefined : CommitGraph.decode(files as { path: string; bytes: Buffer }[], format);
  }

  /** From the bytes of its files, base first. */
  static decode(files: readonly { readonly path: string; readonly bytes: Buffer }[], format: ObjectFormat): CommitGraph {
    const layers: Layer[] = [];
    let position = 0;
    for (const { path, bytes } of files) {
      const layer = new Layer(bytes, format, position, path);
      if (layer.baseLayers !== layers.length) {
        throw new CorruptError(`commit-graph '${path}' is damaged: it stands on ${layer.baseLayers} others, not ${layers.length}`, {
          code: 'bad-commit-graph',
        });
      }
      layers.push(layer);
      position += layer.count;
    }
    return new CommitGraph(layers);
  }

  /** Where its tables are; undefined where it is not one file. */
  get tables(): GraphTables | undefined { return this.#layers.length === 1 ? this.#layers[0]!.tables : undefined; }

  /** Its files, base first. */
  get layers(): readonly GraphLayer[] { return this.#layers; }

  /** The graph without its topmost files; undefined when none is left. */
  below(layers: number): CommitGraph | undefined {
    return layers > 0 ? new CommitGraph(this.#layers.slice(0, layers)) : undefined;
  }

  /** See Layer. */
  levelAt(position: number): number {
    const layer = this.#layerOf(position);
    return layer.levelAt(position - layer.firstPosition);
  }

  /** See Layer; undefined where the layer does not know. */
  correctedSecondsAt(position: number): number | undefined {
    const layer = this.#layerOf(position);
    return layer.hasDates ? layer.correctedSecondsAt(position - layer.firstPosition) : undefined;
  }

  get count(): number {
    const last = this.#layers.at(-1);
    return last === undefined ? 0 : last.firstPosition + last.count;
  }

  /** What is known of a commit; undefined when the graph does not have it. */
  find(id: ObjectId): GraphCommit | undefined {
    const position = this.position(id);
    if (position < 0) return undefined;
    return { tree: this.treeAt(position), parents: this.parentsAt(position).map((parent) => this.idAt(parent)), seconds: this.secondsAt(position) };
  }

  /** Where a commit is in the chain; -1 when the graph does not have it. */
  position(id: ObjectId): number {
    return this.positionOf(encodeObjectId(id), 0);
  }

  /** As `position`, of the id whose raw bytes are at `at`. */
  positionOf(raw: Uint8Array, at: number): number {
    for (let number = this.#layers.length - 1; number >= 0; number -= 1) {
      const layer = this.#layers[number]!;
      const index = layer.find(raw, at);
      if (index >= 0) return layer.firstPosition + index;
    }
    return -1;
  }

  /** The tree of the commit at a position; here and below CorruptError when there is none. */
  treeAt(position: number): ObjectId {
    const layer = this.#layerOf(position);
    return layer.treeAt(position - layer.firstPosition);
  }

  /** The committer's time, modulo 2^34. */
  secondsAt(position: number): number {
    const layer = this.#layerOf(position);
    return layer.secondsAt(position - layer.firstPosition);
  }

  /** Positions of the parents, which need not exist. */
  parentsAt(position: number): number[] {
    const layer = this.#layerOf(position);
    return layer.parentsAt(position - layer.firstPosition);
  }

  /** The number `table` has, or now gives, for the commit at a position. */
  numberIn(table: CommitTable, position: number): number {
    const layer = this.#layerOf(position);
    return table.numberOf(layer.bytes, layer.idOffset(position - layer.firstPosition));
  }

  /** Loads a commit of `table` that is at a position; `parents` are numbers of its parents there. */
  load(table: CommitTable, commit: number, position: number, parents: readonly number[]): void {
    const layer = this.#layerOf(position);
    const index = position - layer.firstPosition;
    table.set(commit, layer.bytes, layer.treeOffset(index), parents, layer.secondsAt(index));
  }

  /** How many commits can be reached from those at these positions, themselves included. */
  countReachable(positions: readonly number[], firstParentOnly: boolean): number {
    const seen = new Uint8Array(this.count);
    const stack: number[] = [];
    for (const position of positions) pushNew(position, seen, stack);
    let count = 0;
    for (let position = stack.pop(); position !== undefined; position = stack.pop()) {
      const layer = this.#layerOf(position);
      layer.pushParents(position - layer.firstPosition, seen, stack, firstParentOnly);
      count += 1;
    }
    return count;
  }

  /** The id at a position of the chain. */
  idAt(position: number): ObjectId {
    const layer = this.#layerOf(position);
    return layer.idAt(position - layer.firstPosition);
  }

  #layerOf(position: number): Layer {
    for (let at = this.#layers.length - 1; at >= 0; at -= 1) {
      const layer = this.#layers[at]!;
      if (position >= layer.firstPosition && position - layer.firstPosition < layer.count) return layer;
    }
    throw new CorruptError('commit-graph is damaged: a parent lies outside of it', { code: 'bad-commit-graph' });
  }
}
