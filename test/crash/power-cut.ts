// The states a power cut may leave. A model of a file system replays recorded operations up to some point, knowing of every name and
// every byte whether it is durable; from there it draws states: names not yet durable kept or lost, bytes not yet durable kept, lost,
// zero-filled (size without data) or torn at 512 bytes. It is stricter than ext4 and xfs: fsync of a file does not make its name
// durable, and names that are not durable may be lost in any combination, a rename as a whole. Only what happens to the names of
// one file keeps its order, since the file's link count is written along.
import { chmodSync, linkSync, lstatSync, mkdirSync, readFileSync, readdirSync, readlinkSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Operation } from './recording-disk.js';

interface FileNode {
  readonly kind: 'file';
  readonly serial: number;
  mode: number;
  mtimeMs: number;
  /** What a cut leaves for certain. */
  durable: Buffer;
  /** What a reader sees now. */
  current: Buffer;
  /** Changes since the last fsync. */
  pending: ({ readonly position: number; readonly bytes: Buffer } | { readonly sizeBytes: number })[];
}

interface LinkNode {
  readonly kind: 'link';
  readonly serial: number;
  readonly target: string;
}

interface DirectoryNode {
  readonly kind: 'directory';
  readonly serial: number;
  readonly durable: Map<string, Node>;
  readonly current: Map<string, Node>;
}

type Node = FileNode | LinkNode | DirectoryNode;

/** One change of names that is or is not on the disk, as a whole. */
interface NameChange {
  readonly steps: readonly { readonly directory: DirectoryNode; readonly name: string; readonly node: Node; readonly appears: boolean }[];
}

/** How bytes that are not durable come out. */
export type DataFate = 'kept' | 'lost' | 'zero' | 'torn' | 'mixed';

/** How one state is drawn: which pending names are kept, and what becomes of data. */
export interface Draw {
  /** 'prefix': a journal that was cut somewhere; 'mixed': any of them. */
  readonly names: 'kept' | 'lost' | 'prefix' | 'mixed';
  readonly data: DataFate;
  readonly random: () => number;
}

/** A file of a state, or where a symbolic link points, or a directory. */
export type StateEntry =
  /** Names with the same `serial` are links to one file. */
  | { readonly kind: 'file'; readonly serial: number; readonly bytes: Buffer; readonly mode: number; readonly mtimeMs: number }
  | { readonly kind: 'link'; readonly target: string }
  | { readonly kind: 'directory'; readonly mtimeMs?: number };

/** Everything below the root by latin1 path, parents before what is in them. */
export type State = ReadonlyMap<string, StateEntry>;

const sectorBytes = 512;

export class FileSystemModel {
  readonly #root: DirectoryNode;
  readonly #open = new Map<number, FileNode>();
  #pending: NameChange[] = [];
  #serial = 0;

  /** Begins with a directory as it is, all of it durable. */
  constructor(root: string) {
    this.#root = this.#load(root) as DirectoryNode;
  }

  #load(path: string): Node {
    const status = lstatSync(path);
    this.#serial += 1;
    const serial = this.#serial;
    if (status.isSymbolicLink()) return { kind: 'link', serial, target: readlinkSync(path) };
    if (!status.isDirectory()) {
      const bytes = readFileSync(path);
      return { kind: 'file', serial, mode: status.mode & 0o777, mtimeMs: status.mtimeMs, durable: bytes, current: bytes, pending: [] };
    }
    const names = new Map<string, Node>();
    for (const name of readdirSync(path)) names.set(Buffer.from(name).toString('latin1'), this.#load(join(path, name)));
    return { kind: 'directory', serial, durable: names, current: new Map(names) };
  }

  /** Does one operation. */
  apply(operation: Operation): void {
    switch (operation.kind) {
      case 'open': return this.#openFile(operation);
      case 'write': return this.#write(this.#opened(operation.file), operation.position, operation.bytes);
      case 'truncate': return this.#truncate(this.#opened(operation.file), operation.sizeBytes);
      case 'fsync': {
        const node = this.#opened(operation.file);
        node.durable = node.current;
        node.pending = [];
        return undefined;
      }
      case 'fsyncDirectory': return this.#makeDurable(this.#directory(operation.path));
      case 'rename': {
        const [from, fromName] = this.#parent(operation.from);
        const [to, toName] = this.#parent(operation.to);
        const node = from.current.get(fromName)!;
        // Renaming a name of a file to another name of the same file does nothing.
        if (to.current.get(toName) === node) return undefined;
        return this.#changeNames([{ directory: from, name: fromName, node, appears: false }, { directory: to, name: toName, node, appears: true }]);
      }
      case 'link': {
        const [to, toName] = this.#parent(operation.path);
        const [from, fromName] = this.#parent(operation.existing);
        return this.#changeNames([{ directory: to, name: toName, node: from.current.get(fromName)!, appears: true }]);
      }
      case 'unlink': case 'rmdir': {
        const [directory, name] = this.#parent(operation.path);
        return this.#changeNames([{ directory, name, node: directory.current.get(name)!, appears: false }]);
      }
      case 'mkdir': return this.#create(operation.path, { kind: 'directory', serial: this.#next(), durable: new Map(), current: new Map() });
      case 'symlink': return this.#create(operation.path, { kind: 'link', serial: this.#next(), target: operation.target });
      case 'chmod': case 'utimes': {
        const [directory, name] = this.#parent(operation.path);
        const node = directory.current.get(name);
        if (node?.kind === 'file') {
          if (operation.kind === 'chmod') node.mode = operation.mode;
          else node.mtimeMs = operation.mtimeMs;
        }
        return undefined;
      }
    }
  }

  #next(): number {
    this.#serial += 1;
    return this.#serial;
  }

  #openFile({ path, file, truncates, mode }: Operation & { kind: 'open' }): void {
    const [directory, name] = this.#parent(path);
    let node = directory.current.get(name);
    if (node === undefined) {
      node = { kind: 'file', serial: this.#next(), mode: mode & ~0o022, mtimeMs: Date.now(), durable: Buffer.alloc(0), current: Buffer.alloc(0), pending: [] };
      this.#create(path, node);
    }
    if (node.kind !== 'file') throw new Error(`'${path}' is no file`);
    this.#open.set(file, node);
    if (truncates && node.current.length > 0) this.#truncate(node, 0);
  }

  #opened(file: number): FileNode {
    const node = this.#open.get(file);
    if (node === undefined) throw new Error(`file ${file} was never opened`);
    return node;
  }

  #write(node: FileNode, position: number, bytes: Buffer): void {
    node.current = writeInto(node.current, position, bytes);
    node.pending.push({ position, bytes });
    node.mtimeMs = Date.now();
  }

  #truncate(node: FileNode, sizeBytes: number): void {
    node.current = resize(node.current, sizeBytes);
    node.pending.push({ sizeBytes });
  }

  #create(path: string, node: Node): void {
    const [directory, name] = this.#parent(path);
    this.#changeNames([{ directory, name, node, appears: true }]);
  }

  #changeNames(steps: NameChange['steps']): void {
    const change = { steps };
    applyNames(change, ({ current }) => current);
    this.#pending.push(change);
  }

  /** Earlier changes to names of the same files come along, whatever directory they were in. */
  #makeDurable(directory: DirectoryNode): void {
    const durable = new Set<NameChange>();
    const touched = new Set<Node>();
    for (const change of this.#pending.toReversed()) {
      if (!change.steps.some((step) => step.directory === directory || touched.has(step.node))) continue;
      durable.add(change);
      for (const { node } of change.steps) touched.add(node);
    }
    for (const change of this.#pending) if (durable.has(change)) applyNames(change, (place) => place.durable);
    this.#pending = this.#pending.filter((change) => !durable.has(change));
  }

  #directory(path: string): DirectoryNode {
    let node: Node = this.#root;
    for (const name of path.split('/').filter((part) => part !== '')) {
      const next: Node | undefined = node.kind === 'directory' ? node.current.get(name) : undefined;
      if (next === undefined) throw new Error(`no directory '${path}'`);
      node = next;
    }
    if (node.kind !== 'directory') throw new Error(`'${path}' is no directory`);
    return node;
  }

  #parent(path: string): [DirectoryNode, string] {
    const slash = path.lastIndexOf('/');
    return [this.#directory(path.slice(0, Math.max(0, slash))), path.slice(slash + 1)];
  }

  /** True when a cut now could lose something. */
  get hasPending(): boolean {
    return this.#pending.length > 0 || [...this.#open.values()].some(({ pending }) => pending.length > 0);
  }

  /** One state a cut at this moment may leave. */
  draw({ names, data, random }: Draw): State {
    const changed = new Map<DirectoryNode, Map<string, Node>>();
    const namesOf = (directory: DirectoryNode): Map<string, Node> => {
      let view = changed.get(directory);
      if (view === undefined) changed.set(directory, view = new Map(directory.durable));
      return view;
    };
    const cut = Math.floor(random() * (this.#pending.length + 1));
    const stopped = new Set<Node>();
    this.#pending.forEach((change, at) => {
      const isKept = names === 'kept' || (names === 'prefix' && at < cut) || (names === 'mixed' && random() < 0.5);
      if (isKept && !change.steps.some(({ node }) => stopped.has(node))) applyNames(change, namesOf);
      else for (const { node } of change.steps) stopped.add(node);
    });
    const state = new Map<string, StateEntry>();
    const contents = new Map<FileNode, Buffer>();
    const visit = (directory: DirectoryNode, prefix: string): void => {
      for (const [name, node] of changed.get(directory) ?? directory.durable) {
        const path = prefix + name;
        if (node.kind === 'directory') {
          state.set(path, { kind: 'directory' });
          visit(node, `${path}/`);
        } else if (node.kind === 'link') {
          state.set(path, { kind: 'link', target: node.target });
        } else {
          let bytes = contents.get(node);
          if (bytes === undefined) contents.set(node, bytes = fateOf(node, data, random));
          state.set(path, { kind: 'file', serial: node.serial, bytes, mode: node.mode, mtimeMs: node.mtimeMs });
        }
      }
    };
    visit(this.#root, '');
    return state;
  }
}

/** A name goes only while it stands for the same thing: what replaced it may have reached the disk before. */
function applyNames(change: NameChange, namesOf: (directory: DirectoryNode) => Map<string, Node>): void {
  for (const { directory, name, node, appears } of change.steps) {
    const names = namesOf(directory);
    if (appears) names.set(name, node);
    else if (names.get(name) === node) names.delete(name);
  }
}

function fateOf(node: FileNode, data: DataFate, random: () => number): Buffer {
  if (node.pending.length === 0 || data === 'kept') return node.current;
  if (data === 'lost') return node.durable;
  let bytes = node.durable;
  for (const change of node.pending) {
    const fate = data === 'mixed' ? (['kept', 'lost', 'zero', 'torn'] as const)[Math.floor(random() * 4)]! : data;
    if (fate === 'lost') continue;
    if ('sizeBytes' in change) bytes = resize(bytes, change.sizeBytes);
    else if (fate === 'kept') bytes = writeInto(bytes, change.position, change.bytes);
    else if (fate === 'zero') bytes = writeInto(bytes, change.position, Buffer.alloc(change.bytes.length));
    else bytes = tear(bytes, change.position, change.bytes, random);
  }
  return bytes;
}

/** Some sectors of a write arrive, the others do not. */
function tear(bytes: Buffer, position: number, written: Buffer, random: () => number): Buffer {
  let torn = resize(bytes, Math.max(bytes.length, position + written.length));
  for (let at = position; at < position + written.length;) {
    const end = Math.min(position + written.length, (Math.floor(at / sectorBytes) + 1) * sectorBytes);
    if (random() < 0.5) torn = writeInto(torn, at, written.subarray(at - position, end - position));
    at = end;
  }
  // A file smaller than a sector would never be torn otherwise: let its end be missing.
  return written.length <= sectorBytes && random() < 0.5 ? torn.subarray(0, position + Math.floor(random() * written.length)) : torn;
}

function writeInto(bytes: Buffer, position: number, written: Buffer): Buffer {
  const result = Buffer.alloc(Math.max(bytes.length, position + written.length));
  bytes.copy(result);
  written.copy(result, position);
  return result;
}

function resize(bytes: Buffer, sizeBytes: number): Buffer {
  const result = Buffer.alloc(sizeBytes);
  bytes.copy(result, 0, 0, Math.min(bytes.length, sizeBytes));
  return result;
}

/** Puts a state into an empty directory. */
export function materialise(state: State, directory: string): void {
  const written = new Map<number, string>();
  for (const [path, entry] of state) {
    const full = join(directory, Buffer.from(path, 'latin1').toString());
    if (entry.kind === 'directory') {
      mkdirSync(full);
      if (entry.mtimeMs !== undefined) utimesSync(full, entry.mtimeMs / 1000, entry.mtimeMs / 1000);
    } else if (entry.kind === 'link') {
      symlinkSync(entry.target, full);
    } else if (written.has(entry.serial)) {
      linkSync(written.get(entry.serial)!, full);
    } else {
      written.set(entry.serial, full);
      writeFileSync(full, entry.bytes);
      chmodSync(full, entry.mode);
      utimesSync(full, entry.mtimeMs / 1000, entry.mtimeMs / 1000);
    }
  }
}

/**
 * The same after the machine has booted again. The process that ran the command is this one, still alive; so what tells which
 * process held a lock (claims by their names, the maintenance lock by its file and its time) is made to tell of an earlier boot.
 */
export function afterReboot(state: State): State {
  const result = new Map<string, StateEntry>();
  for (const [path, entry] of state) {
    const renamed = path.replace(/(\/cairn\/(?:locks|leases|ref-journal)\/\d+_)\d+(_\d+_)/, '$11$2');
    const rewritten = /\/cairn\/(?:sweep|tmp_[0-9a-f]+)$/.test(path) && entry.kind === 'file'
      ? { ...entry, bytes: Buffer.from(entry.bytes.toString('latin1').replace(/^(\d+_)\d+(_\d+_)/, '$11$2'), 'latin1') }
      : path.endsWith('/cairn/maintenance') && entry.kind === 'file'
      ? { ...entry, bytes: Buffer.from(entry.bytes.toString('latin1').replace(/"boot":"[^"]*"/, '"boot":"an earlier one"'), 'latin1') }
      : entry;
    result.set(renamed, path.endsWith('/cairn/maintenance.lock') ? { kind: 'directory', mtimeMs: 0 } : rewritten);
  }
  return result;
}

/** Equal for states with the same names and bytes. */
export function fingerprint(state: State): string {
  const hash = createHash('sha1');
  for (const path of [...state.keys()].sort()) {
    const entry = state.get(path)!;
    // Private names are random; what is in them is not.
    const name = path.replace(/tmp_([a-z]*_)?[0-9a-f]{16}/, 'tmp_').replace(/cairn\/(locks|leases)\/.*/, 'cairn/$1/claim').replace(/\/quarantine\/[^/]*/, '/quarantine/batch');
    hash.update(`${entry.kind} ${name}\0`);
    if (entry.kind === 'file') hash.update(entry.bytes);
    else if (entry.kind === 'link') hash.update(entry.target);
    hash.update('\0');
  }
  return hash.digest('hex');
}
