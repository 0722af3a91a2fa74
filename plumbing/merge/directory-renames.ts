// Directories one side of a merge renamed as a whole, told from the files it moved: what the other side added to such a directory
// probably belongs where the rest went.
//
// A directory counts as renamed when it is gone on that side, and most of its moved files went to one place. See
// technical/directory-rename-detection and merge.directoryRenames of git-config(1).

/** '' for what lies at the top. */
export function directoryOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf('/'), 0));
}

/** How much it matters that a directory is gone: 'self' when the other side added files to it. */
export type Relevance = 'none' | 'ancestor' | 'self';

/** A file that was moved. */
export interface Move { readonly from: string; readonly to: string }

/** Old directory, new directory, number of files that went that way. */
export type DirectoryCounts = Map<string, Map<string, number>>;

/** Counts the moves of `moves`; only out of directories that `relevance` knows, except for the nearest when there is none. */
export function countDirectoryMoves(moves: readonly Move[], relevance: ReadonlyMap<string, Relevance> | undefined): DirectoryCounts {
  const counts: DirectoryCounts = new Map();
  for (const { from, to } of moves) {
    let [oldDirectory, newDirectory] = [directoryOf(from), directoryOf(to)];
    for (let isFirst = true; ; isFirst = false) {
      const known = relevance?.get(oldDirectory) ?? 'none';
      if (known === 'self' || isFirst) {
        const targets = counts.get(oldDirectory) ?? new Map<string, number>();
        targets.set(newDirectory, (targets.get(newDirectory) ?? 0) + 1);
        counts.set(oldDirectory, targets);
      }
      if (known === 'none' || oldDirectory === '' || newDirectory === '') break;
      // 'a/b/c/d' to 'x/c/d' tells of 'a/b/c' to 'x/c' and of 'a/b' to 'x', and there it ends.
      const [oldName, newName] = [oldDirectory, newDirectory].map((path) => path.slice(path.lastIndexOf('/') + 1));
      if (oldName !== newName) break;
      oldDirectory = directoryOf(oldDirectory);
      newDirectory = directoryOf(newDirectory);
    }
  }
  return counts;
}

export interface DirectoryRenames {
  readonly renames: Map<string, string>;
  /** Directories whose files went to several places, to none of them most. */
  readonly split: readonly string[];
}

/** Where directories went. */
export function decideDirectoryRenames(counts: DirectoryCounts, relevance: ReadonlyMap<string, Relevance>): DirectoryRenames {
  const renames = new Map<string, string>();
  const split: string[] = [];
  for (const [from, targets] of counts) {
    if ((relevance.get(from) ?? 'none') === 'none') continue;
    let [most, best, isTied] = [0, '', false];
    for (const [to, count] of targets) {
      if (count === most) isTied = true;
      else if (count > most) [most, best, isTied] = [count, to, false];
    }
    if (isTied) split.push(from);
    else renames.set(from, best);
  }
  return { renames, split };
}

/** The nearest renamed directory `path` lies in, and where it would go. */
export function findRenamedDirectory(path: string, renames: ReadonlyMap<string, string>): { readonly from: string; readonly to: string; readonly newPath: string } | undefined {
  for (let from = directoryOf(path); ; from = directoryOf(from)) {
    const to = renames.get(from);
    if (to !== undefined) {
      const rest = from === '' ? `/${path}` : path.slice(from.length);
      return { from, to, newPath: to === '' ? rest.slice(1) : to + rest };
    }
    if (from === '') return undefined;
  }
}
