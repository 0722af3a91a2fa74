// Words somebody may have meant: those few typing slips away from what was typed. Pure; used for hints only, never to guess what to do.

/** Of `words`, at most three that are near `typed`, the nearest first; with `prefixes` also those that begin with it. */
export function nearWords(typed: string, words: Iterable<string>, options: { readonly prefixes?: boolean } = {}): string[] {
  const most = Math.max(1, Math.floor(typed.length / 3));
  const found: { readonly word: string; readonly distance: number }[] = [];
  for (const word of words) {
    if (Math.abs(word.length - typed.length) > most && !(options.prefixes && word.startsWith(typed))) continue;
    const distance = options.prefixes && word.startsWith(typed) ? 0 : editDistance(typed, word);
    if (distance <= most && word !== typed) found.push({ word, distance });
  }
  return found.sort((a, b) => a.distance - b.distance).slice(0, 3).map(({ word }) => word);
}

/** The hint that names near words, after `before` such as '--'; undefined when there are none. */
export function didYouMean(typed: string, words: Iterable<string>, options: { readonly prefixes?: boolean; readonly before?: string } = {}): string | undefined {
  const near = nearWords(typed, words, options);
  return near.length === 0 ? undefined : `did you mean ${near.map((word) => `'${options.before ?? ''}${word}'`).join(' or ')}?`;
}

/** Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`. */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) best = Math.min(best, beforeLast[j - 2]! + 1);
      row.push(best);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length]!;
}
