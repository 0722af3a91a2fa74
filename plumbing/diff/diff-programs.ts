// Programs of the user's that take part in showing differences: diff.<driver>.textconv makes content readable before it is compared;
// diff.<driver>.command, GIT_EXTERNAL_DIFF or diff.external shows a whole difference itself, in that order.
//
// Specified by git-diff(1) (--ext-diff, --textconv), git(1) (GIT_EXTERNAL_DIFF) and gitattributes(5). Links are not converted.
import { RefusedError } from '../../pack/errors.js';
import type { ObjectStore } from '../../pack/object-store.js';
import { formatMode } from '../../pack/tree.js';
import { runShell } from '../content/filter-driver.js';
import { HandedFile } from '../content/handed-file.js';
import { TextConversion } from '../content/text-conversion.js';
import type { Repository } from '../repository.js';
import type { DiffEntry, DiffSide } from './diff.js';
import { readSide } from './diff-content.js';
import type { DiffDrivers } from './diff-driver.js';

export class DiffPrograms {
  readonly #repository: Repository;
  readonly #drivers: DiffDrivers;
  readonly #texts: TextConversion | undefined;
  readonly #shows: boolean;
  readonly #external: string | undefined;
  readonly #converted = new Map<string, Buffer>();
  #count = 0;

  constructor(repository: Repository, drivers: DiffDrivers, allowed: { readonly commands: boolean; readonly textConverters: boolean }) {
    this.#repository = repository;
    this.#drivers = drivers;
    this.#texts = allowed.textConverters ? new TextConversion(repository, drivers) : undefined;
    this.#shows = allowed.commands;
    this.#external = repository.context.env['GIT_EXTERNAL_DIFF'] ?? repository.config.get('diff.external');
  }

  get #objects(): ObjectStore {
    return this.#repository.objects;
  }

  /** The side is converted before it is compared. */
  converts(path: string, side: DiffSide): boolean {
    return isFile(side) && this.#texts?.has(path) === true;
  }

  /** Content as it is compared: converted where the path has a program for that. */
  read(path: string, side: DiffSide): Buffer {
    if (!this.converts(path, side)) return readSide(this.#objects, side);
    const key = `${path}\0${side.id}`;
    const known = side.content === undefined ? this.#converted.get(key) : undefined;
    if (known !== undefined) return known;
    const bytes = this.#texts!.find(path, () => readSide(this.#objects, side), side.file)!;
    if (side.content === undefined) this.#converted.set(key, bytes);
    return bytes;
  }

  /** A program for all files takes what became of another kind as one difference; else it is two. */
  get takesAll(): boolean {
    return this.#shows && this.#external !== undefined;
  }

  /**
   * Has the program for an entry show it; false when there is none. `header` is what a patch says beside names and content. RefusedError when it fails,
   * after what it printed.
   */
  show(entry: DiffEntry, total: number, header: string, sink: (latin1: string) => void): boolean {
    const name = entry.oldPath ?? entry.path;
    const command = this.find(entry);
    if (command === undefined) return false;
    this.#count += 1;
    const text = (path: string): string => Buffer.from(path, 'latin1').toString();
    const words = [text(name)];
    using one = entry.status === 'U' ? undefined : this.#hand(name, entry.old);
    using two = entry.status === 'U' ? undefined : this.#hand(entry.path, entry.new);
    if (one !== undefined && two !== undefined) words.push(...one.words, ...two.words);
    if (name !== entry.path) words.push(text(entry.path), text(header));
    const added = { GIT_DIFF_PATH_COUNTER: String(this.#count), GIT_DIFF_PATH_TOTAL: String(total) };
    const { code, stdout } = command === '' ? { code: 127, stdout: Buffer.alloc(0) } : runShell(this.#repository, command, Buffer.alloc(0), words, added);
    sink(stdout.toString('latin1'));
    if (code === 0) return true;
    throw new RefusedError(`external diff died, stopping at ${text(name)}`, { code: 'external-diff-failed' });
  }

  /** The program that would show an entry. */
  find(entry: DiffEntry): string | undefined {
    return this.#shows ? this.#drivers.driverOf(entry.oldPath ?? entry.path).command ?? this.#external : undefined;
  }

  /** File, id and mode as a program is told them. */
  #hand(path: string, side: DiffSide): { readonly words: readonly string[]; [Symbol.dispose](): void } {
    if (side.mode === 0) return { words: ['/dev/null', '.', '.'], [Symbol.dispose]: () => undefined };
    const handed = side.file === undefined ? HandedFile.write(this.#repository.context, path, readSide(this.#objects, side)) : undefined;
    return { words: [handed?.path ?? side.file!, side.id, formatMode(side.mode)], [Symbol.dispose]: () => handed?.[Symbol.dispose]() };
  }
}

function isFile(side: DiffSide): boolean {
  return (side.mode & 0o170000) === 0o100000;
}
