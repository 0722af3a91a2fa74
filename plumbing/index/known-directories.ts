// How many names each directory of the work tree held when a scan last read it, so that one nobody touched since need not be read again.
//
// Invariant: a count is believed only while the directory's inode, mtime and ctime are those it was read under, and is kept only when those
// times were some seconds old by then, so that a later change shows in them. The file is <gitdir>/cairn/directories, a cache: losing it, or
// finding nonsense in it, costs nothing but time. core.untrackedCache=false is for file systems that do not tell by a directory's times
// that its names changed (cairn-compatibility(7)).
import { readFileSync, type Stats } from 'node:fs';
import { dirname, join } from 'node:path';
import { makeDirectories, replaceFile } from '../../pack/disk.js';
import { isSystemError } from '../../pack/errors.js';
import type { Repository } from '../repository.js';

interface Known {
  readonly count: number;
  readonly ino: number;
  readonly mtimeMs: number;
  readonly ctimeMs: number;
}

/** Times younger than this may be those of a later change, too: file systems count in steps of up to two seconds. */
const settledMs = 3000;
/** Fewer new counts than this are read again rather than written. */
const leastWorthWriting = 64;
const version = 1;

export class KnownDirectories {
  readonly #path: string;
  readonly #startedMs: number;
  readonly #former: ReadonlyMap<string, Known>;
  readonly #present = new Map<string, Known>();
  #newCount = 0;

  private constructor(path: string, startedMs: number, former: ReadonlyMap<string, Known>) {
    this.#path = path;
    this.#startedMs = startedMs;
    this.#former = former;
  }

  /** What is known of the repository's work tree; undefined when the configuration says that it is not to be trusted. */
  static open(repository: Repository): KnownDirectories | undefined {
    const { config, context, gitDirectory } = repository;
    const wanted = config.get('core.untrackedcache');
    if (wanted !== undefined && wanted.toLowerCase() !== 'keep' && config.getBoolean('core.untrackedcache') === false) return undefined;
    const path = join(gitDirectory, 'cairn/directories');
    return new KnownDirectories(path, context.clock.nowMs(), parseKnown(readText(path)));
  }

  /** How many names the directory with this status holds, as far as that is known. */
  find(directory: string, status: Stats): number | undefined {
    const known = this.#former.get(directory);
    if (known === undefined || known.ino !== status.ino || known.mtimeMs !== status.mtimeMs || known.ctimeMs !== status.ctimeMs) return undefined;
    this.#present.set(directory, known);
    return known.count;
  }

  /** Remembers what was counted after `status` was looked at. */
  keep(directory: string, { ino, mtimeMs, ctimeMs }: Stats, count: number): void {
    if (Math.max(mtimeMs, ctimeMs) > this.#startedMs - settledMs) return;
    this.#present.set(directory, { count, ino, mtimeMs, ctimeMs });
    this.#newCount += 1;
  }

  /** True after a scan of everything that learned enough. */
  get isWorthWriting(): boolean {
    return this.#newCount >= leastWorthWriting;
  }

  /** Keeps what this scan has seen, and forgets all else. */
  write(): void {
    const rows = [...this.#present].map(([directory, { count, ino, mtimeMs, ctimeMs }]) => [directory, count, ino, mtimeMs, ctimeMs]);
    makeDirectories(dirname(this.#path));
    replaceFile(this.#path, JSON.stringify({ version, rows }));
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (isSystemError(error)) return '';
    throw error;
  }
}

/** Anything but what `write` writes is nothing known. */
function parseKnown(text: string): ReadonlyMap<string, Known> {
  const known = new Map<string, Known>();
  if (text === '') return known;
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return known;
    throw error;
  }
  const { version: written, rows } = Object(content) as { readonly version?: unknown; readonly rows?: unknown };
  if (written !== version || !Array.isArray(rows)) return known;
  for (const row of rows as readonly unknown[]) {
    if (!Array.isArray(row)) return new Map();
    const [directory, count, ino, mtimeMs, ctimeMs] = row as readonly unknown[];
    if (typeof directory !== 'string' || typeof count !== 'number' || typeof ino !== 'number' || typeof mtimeMs !== 'number'
      || typeof ctimeMs !== 'number') return new Map();
    known.set(directory, { count, ino, mtimeMs, ctimeMs });
  }
  return known;
}
