// What fast-import is told: by its command line, and by `feature` and `option` commands of the stream (git-fast-import(1), "Options").
import { resolve } from 'node:path';
import { InvalidError } from '../../pack/errors.js';
import type { Repository } from '../repository.js';

export type ImportDateFormat = 'raw' | 'raw-permissive' | 'rfc2822' | 'now';

export interface ImportOptions {
  readonly force: boolean;
  readonly dateFormat: ImportDateFormat;
  readonly allowUnsafeFeatures: boolean;
  /** The stream must end with `done`. */
  readonly needsDone: boolean;
  /** How many branches keep their trees in memory. */
  readonly activeBranches: number;
  /** Written at checkpoints and at the end; absolute. */
  readonly exportMarks: string | undefined;
  /** Read before the stream. */
  readonly importMarks: readonly MarksFile[];
  readonly relativeMarks: boolean;
  /** Ids of submodule commits that become others. */
  readonly submodules: ReadonlyMap<string, string>;
  /** Gets a line for every pack: its file, and the tips that are in it. */
  readonly exportPackEdges: string | undefined;
  /** The caller wants to tell how much was done. */
  readonly stats: boolean;
}

export interface MarksFile {
  readonly path: string;
  readonly mayBeMissing: boolean;
}

export function isDateFormat(text: string | undefined): text is ImportDateFormat {
  return text === 'raw' || text === 'raw-permissive' || text === 'rfc2822' || text === 'now';
}

/** Options that hold a number, and what it is called where it counts. */
export const tuningOf = { 'max-pack-size': 'maxPackBytes', 'big-file-threshold': 'bigFileBytes', depth: 'depth', 'active-branches': 'activeBranches' } as const;
export type Tuning = keyof typeof tuningOf;

export function isTuning(name: string): name is Tuning {
  return Object.hasOwn(tuningOf, name);
}

const smallestPackBytes = 1024 * 1024;

/** The number an option gives; InvalidError when it is none. Packs have at least a mebibyte; a small number of them counts mebibytes. */
export function parseTuning(name: Tuning, text: string): number {
  const isSize = name === 'max-pack-size' || name === 'big-file-threshold';
  const found = (isSize ? /^([0-9]{1,15})([kmg]?)$/i : /^([0-9]{1,9})()$/).exec(text);
  const amount = found ? Number(found[1]) * 1024 ** ['', 'k', 'm', 'g'].indexOf(found[2]!.toLowerCase()) : NaN;
  if (!Number.isSafeInteger(amount)) throw new InvalidError(`--${name}: '${text}' is not a number`, { code: 'bad-value' });
  if (name !== 'max-pack-size') return amount;
  return Math.max(smallestPackBytes, amount < 8192 ? amount * 1024 * 1024 : amount);
}

/** Where a marks file is: relative to the current directory, or below the repository. */
export function marksPath(repository: Repository, path: string, isRelative: boolean): string {
  return isRelative ? resolve(repository.gitDirectory, 'info/fast-import', path) : resolve(repository.context.cwd, path);
}
