// The shortest name a ref can be called by without being taken for another: %(refname:short), symbolic-ref --short, rev-parse --abbrev-ref.
// Specified by git-for-each-ref(1), "refname", and the lookup order of gitrevisions(7).
import { type RefName, isRefName, refSearchPatterns } from './ref-name.js';
import type { Repository } from './repository.js';

/** `name` without as much of its beginning as can be left out; `strict` also avoids names git would call ambiguous. */
export function shortenRefName(repository: Repository, name: RefName, strict = repository.config.getBoolean('core.warnambiguousrefs', true)): string {
  for (let rule = refSearchPatterns.length - 1; rule > 0; rule -= 1) {
    const short = match(refSearchPatterns[rule]!, name);
    if (short === undefined) continue;
    const others = refSearchPatterns.slice(0, strict ? undefined : rule).filter((pattern) => pattern !== refSearchPatterns[rule]);
    if (!others.some((pattern) => exists(repository, pattern.replace('%', () => short)))) return short;
  }
  return name;
}

function match(pattern: string, name: string): string | undefined {
  const [before, after] = pattern.split('%') as [string, string];
  const inside = name.startsWith(before) && name.endsWith(after) && name.length > before.length + after.length;
  return inside ? name.slice(before.length, name.length - after.length) : undefined;
}

function exists(repository: Repository, name: string): boolean {
  return isRefName(name, { oneLevel: true }) && repository.refs.readRaw(name) !== undefined;
}
