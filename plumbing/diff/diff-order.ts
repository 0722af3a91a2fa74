// The order differences are shown in: by patterns from a file (-O), and beginning with a path (--rotate-to, --skip-to).
// Specified by git-diff(1) and gitdiffcore(7).
import { NotFoundError } from '../../pack/errors.js';
import type { DiffEntry } from './diff.js';
import { compileWildmatch } from '../wildmatch.js';

/** Sorts by the first pattern (one per line of `text`, latin1) that matches a path or a directory above it; the rest comes last. */
export function orderByPatterns(entries: readonly DiffEntry[], text: string): DiffEntry[] {
  const patterns = text.split('\n').filter((line) => line !== '' && !line.startsWith('#')).map((line) => compileWildmatch(line, { pathname: false, caseFold: false }));
  const placeOf = (path: string): number => {
    for (const [place, matches] of patterns.entries()) {
      for (let name = path; name !== ''; name = name.slice(0, Math.max(name.lastIndexOf('/'), 0))) if (matches(name)) return place;
    }
    return patterns.length;
  };
  return entries.map((entry) => ({ entry, place: placeOf(entry.path) })).sort((one, two) => one.place - two.place).map(({ entry }) => entry);
}

/** Begins with `path`; what comes before it follows at the end, or is left out. When it is not there: all as they are, or a NotFoundError. */
export function rotateTo(entries: readonly DiffEntry[], { path, skips, isStrict }: { readonly path: string; readonly skips: boolean; readonly isStrict: boolean }): DiffEntry[] {
  if (entries.length === 0) return [];
  const at = entries.findIndex((entry) => entry.path === path);
  if (at < 0 && !isStrict) return [...entries];
  if (at < 0) throw new NotFoundError(`no such path '${path}' in the diff`, { code: 'no-such-path' });
  return [...entries.slice(at), ...(skips ? [] : entries.slice(0, at))];
}
