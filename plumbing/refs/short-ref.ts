// The shortest name that still means one ref: 'main' for refs/heads/main unless a tag of that name is there too.
//
// Used by --abbrev-ref and decorations. The rules are those of gitrevisions(7), read backwards.
import { refSearchPatterns } from './ref-name.js';
import type { Repository } from '../repository.js';

/** `full` shortened. `strict`: no other ref may match at all; else only those that would be found before it. */
export function shortenRef(repository: Repository, full: string, strict: boolean): string {
  // Never by the last pattern: 'origin/HEAD' stays so, and is not called 'origin'.
  for (let rule = refSearchPatterns.length - 2; rule > 0; rule -= 1) {
    const short = matchRule(refSearchPatterns[rule]!, full);
    if (short === undefined) continue;
    const isTaken = refSearchPatterns.some((pattern, other) =>
      other !== rule && (strict || other < rule) && repository.refs.readRaw(pattern.replace('%', () => short)) !== undefined);
    if (!isTaken) return short;
  }
  return full;
}

function matchRule(pattern: string, full: string): string | undefined {
  const [before, after] = pattern.split('%') as [string, string];
  if (!full.startsWith(before) || !full.endsWith(after) || full.length <= before.length + after.length) return undefined;
  return full.slice(before.length, full.length - after.length);
}
