// Bringing chosen hunks into a content: forwards, or back out of it. What git does with `apply`, for patches made here a moment ago.
//
// A hunk goes where its lines are: at its place (as far as hunks before it have moved that), or nearest to it; when they are nowhere, nothing is
// changed at all. Hunks that share lines, as those of a split do, are brought in together.
import { type Hunk, countSide } from './file-patch.js';

/** The content with the hunks in it; undefined when one of them does not fit. Both are latin1. */
export function applyHunks(content: string, hunks: readonly Hunk[], direction: 'forward' | 'back'): string | undefined {
  const lines = content.match(/[^\n]*\n|[^\n]+$/g) ?? [];
  const [from, to] = direction === 'forward' ? ['old', 'new'] as const : ['new', 'old'] as const;
  const result: string[] = [];
  let taken = 0;
  let moved = 0;
  for (const hunk of joinHunks(hunks, direction)) {
    const wanted = textsOf(hunk.lines, from);
    const at = from === 'old' ? hunk.oldAt : hunk.newAt;
    const place = findLines(lines, wanted, (wanted.length === 0 ? at : at - 1) + moved, taken);
    if (place === undefined) return undefined;
    moved = place - (wanted.length === 0 ? at : at - 1);
    result.push(...lines.slice(taken, place), ...textsOf(hunk.lines, to));
    taken = place + wanted.length;
  }
  result.push(...lines.slice(taken));
  // A line that lacks its end can only be the last one.
  return result.slice(0, -1).every((line) => line.endsWith('\n')) ? result.join('') : undefined;
}

/** What a side has in the place of a hunk. */
function textsOf(lines: readonly string[], side: 'old' | 'new'): string[] {
  const other = side === 'old' ? '+' : '-';
  return lines.filter((line) => line[0] !== other).map((line) => {
    const text = line[0] === '\n' ? line : line.slice(1);
    const end = text.indexOf('\n\\');
    return end < 0 ? text : text.slice(0, end);
  });
}

/** Hunks that follow one another on lines they share become one. */
function joinHunks(hunks: readonly Hunk[], direction: 'forward' | 'back'): Hunk[] {
  const joined: Hunk[] = [];
  const side = direction === 'forward' ? 'old' : 'new';
  const startOf = (hunk: Hunk): number => (side === 'old' ? hunk.oldAt : hunk.newAt);
  for (const hunk of hunks) {
    const last = joined.at(-1);
    const shared = last === undefined ? 0 : startOf(last) + countSide(last.lines, side) - startOf(hunk);
    if (last === undefined || shared <= 0) {
      joined.push(hunk);
      continue;
    }
    // The lines shared are those that stay, at the end of one and at the beginning of the other.
    joined[joined.length - 1] = { ...last, lines: [...last.lines, ...hunk.lines.slice(shared)] };
  }
  return joined;
}

/** Where the lines are, nearest to `near`, not before `least`. */
function findLines(lines: readonly string[], wanted: readonly string[], near: number, least: number): number | undefined {
  const fits = (at: number): boolean => at >= least && at + wanted.length <= lines.length && wanted.every((line, index) => lines[at + index] === line);
  if (wanted.length === 0) return near >= least && near <= lines.length ? near : undefined;
  for (let distance = 0; distance <= lines.length + Math.abs(near); distance += 1) {
    if (fits(near - distance)) return near - distance;
    if (fits(near + distance)) return near + distance;
  }
  return undefined;
}
