// A disk that does what it is told and writes down every operation, so that the states a power cut may leave can be worked out
// afterwards (see power-cut.ts). Paths outside of its root are passed on and not recorded.
import { fstatSync, lstatSync, readFileSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { type Disk, type DiskPath, realDisk } from '../../pack/disk.js';

/** One operation; paths are relative to the root, latin1; `file` numbers the opening of a file. */
export type Operation =
  | { readonly kind: 'open'; readonly path: string; readonly file: number; readonly truncates: boolean; readonly mode: number }
  | { readonly kind: 'write'; readonly file: number; readonly position: number; readonly bytes: Buffer }
  | { readonly kind: 'truncate'; readonly file: number; readonly sizeBytes: number }
  | { readonly kind: 'fsync'; readonly file: number }
  | { readonly kind: 'fsyncDirectory'; readonly path: string }
  | { readonly kind: 'rename'; readonly from: string; readonly to: string }
  | { readonly kind: 'link'; readonly existing: string; readonly path: string }
  | { readonly kind: 'unlink' | 'rmdir'; readonly path: string }
  | { readonly kind: 'mkdir'; readonly path: string }
  | { readonly kind: 'symlink'; readonly target: string; readonly path: string }
  | { readonly kind: 'chmod'; readonly path: string; readonly mode: number }
  | { readonly kind: 'utimes'; readonly path: string; readonly mtimeMs: number };

export class RecordingDisk implements Disk {
  readonly operations: Operation[] = [];
  readonly #root: string;
  readonly #files = new Map<number, { readonly file: number; readonly appends: boolean; position: number }>();
  #opened = 0;
  readonly #notice: ((operation: Operation) => void) | undefined;

  /** `onOperation` is told of each operation before it happens, and may throw in its place. */
  constructor(root: string, onOperation?: (operation: Operation) => void) {
    this.#root = root;
    this.#notice = onOperation;
  }

  /** Path below the root; undefined when outside. */
  #inside(path: DiskPath): string | undefined {
    const text = Buffer.isBuffer(path) ? path.toString('latin1') : Buffer.from(path).toString('latin1');
    const inside = relative(this.#root, text);
    return inside === '' || inside.startsWith('..') ? undefined : inside;
  }

  open(path: DiskPath, flags: 'wx' | 'a' | 'a+' | 'r+' | 'w', mode: number): number {
    const inside = this.#inside(path);
    if (inside === undefined) return realDisk.open(path, flags, mode);
    const file = this.#opened;
    const operation: Operation = { kind: 'open', path: inside, file, truncates: flags === 'w', mode };
    const fd = this.#change(operation, () => realDisk.open(path, flags, mode));
    this.#opened += 1;
    this.#files.set(fd, { file, appends: flags.startsWith('a'), position: 0 });
    return fd;
  }

  write(fd: number, bytes: Uint8Array, position?: number): void {
    const known = this.#files.get(fd);
    if (known === undefined) return realDisk.write(fd, bytes, position);
    const at = known.appends ? fstatSync(fd).size : position ?? known.position;
    this.#change({ kind: 'write', file: known.file, position: at, bytes: Buffer.from(bytes) }, () => realDisk.write(fd, bytes, position));
    if (position === undefined) known.position = at + bytes.length;
  }

  truncate(fd: number, sizeBytes: number): void {
    const known = this.#files.get(fd);
    this.#change(known && { kind: 'truncate', file: known.file, sizeBytes }, () => realDisk.truncate(fd, sizeBytes));
  }

  fsync(fd: number): void {
    const known = this.#files.get(fd);
    this.#change(known && { kind: 'fsync', file: known.file }, () => realDisk.fsync(fd));
  }

  close(fd: number): void {
    this.#files.delete(fd);
    realDisk.close(fd);
  }

  fsyncDirectory(path: DiskPath): void {
    const inside = this.#inside(join(String(path), 'x'));
    this.#change(inside === undefined ? undefined : { kind: 'fsyncDirectory', path: inside === 'x' ? '' : inside.slice(0, -2) },
      () => realDisk.fsyncDirectory(path));
  }

  rename(from: DiskPath, to: DiskPath): void {
    const [source, target] = [this.#inside(from), this.#inside(to)];
    this.#change(source === undefined || target === undefined ? undefined : { kind: 'rename', from: source, to: target }, () => realDisk.rename(from, to));
  }

  link(existing: DiskPath, path: DiskPath): void {
    const [source, target] = [this.#inside(existing), this.#inside(path)];
    this.#change(source === undefined || target === undefined ? undefined : { kind: 'link', existing: source, path: target }, () => realDisk.link(existing, path));
  }

  unlink(path: DiskPath): void {
    const inside = this.#inside(path);
    this.#change(inside === undefined ? undefined : { kind: 'unlink', path: inside }, () => realDisk.unlink(path));
  }

  mkdir(path: DiskPath, mode?: number): void {
    const inside = this.#inside(path);
    this.#change(inside === undefined ? undefined : { kind: 'mkdir', path: inside }, () => realDisk.mkdir(path, mode));
  }

  rmdir(path: DiskPath): void {
    const inside = this.#inside(path);
    this.#change(inside === undefined ? undefined : { kind: 'rmdir', path: inside }, () => realDisk.rmdir(path));
  }

  symlink(target: DiskPath, path: DiskPath): void {
    const inside = this.#inside(path);
    this.#change(inside === undefined ? undefined : { kind: 'symlink', target: String(target), path: inside }, () => realDisk.symlink(target, path));
  }

  chmod(path: DiskPath, mode: number): void {
    const inside = this.#inside(path);
    this.#change(inside === undefined ? undefined : { kind: 'chmod', path: inside, mode }, () => realDisk.chmod(path, mode));
  }

  utimes(path: DiskPath, atimeMs: number, mtimeMs: number): void {
    const inside = this.#inside(path);
    this.#change(inside === undefined ? undefined : { kind: 'utimes', path: inside, mtimeMs }, () => realDisk.utimes(path, atimeMs, mtimeMs));
  }

  cloneFile(from: DiskPath, to: DiskPath): void {
    const fd = this.open(to, 'wx', 0o666);
    try {
      this.write(fd, readFileSync(from));
    } finally {
      this.close(fd);
    }
  }

  removeTree(path: string): void {
    const status = lstatSync(path, { throwIfNoEntry: false });
    if (status === undefined) return;
    if (!status.isDirectory()) return this.unlink(path);
    for (const name of readdirSync(path)) this.removeTree(join(path, name));
    this.rmdir(path);
  }

  /** Records what succeeded; told of before, so that a test can fail it. */
  #change<Result>(operation: Operation | undefined, act: () => Result): Result {
    if (operation !== undefined) this.#notice?.(operation);
    const result = act();
    if (operation !== undefined) this.operations.push(operation);
    return result;
  }
}
