// The order of version numbers in names: 'v1.9' before 'v1.10', and pre-releases where versionsort.suffix says. Specified by
// strverscmp(3) and versionsort.suffix in git-config(1). Pure.

/** Compares two names; `suffixes` are the configured ones, in order. */
export function compareVersions(a: string, b: string, suffixes: readonly string[] = []): number {
  let at = 0;
  while (at < a.length && a[at] === b[at]) at += 1;
  if (at === a.length && at === b.length) return 0;
  const bySuffix = suffixes.length === 0 ? 0 : compareSuffixes(a, b, at, suffixes);
  if (bySuffix !== 0) return bySuffix;
  let start = at;
  while (start > 0 && isDigit(a[start - 1])) start -= 1;
  const one = digitsFrom(a, start);
  const other = digitsFrom(b, start);
  if (one === '' || other === '') return a.slice(at) < b.slice(at) ? -1 : 1;
  if (one[0] === '0' || other[0] === '0') return compareFractions(one, other) || (a.slice(at) < b.slice(at) ? -1 : 1);
  if (one.length !== other.length) return one.length - other.length;
  if (one !== other) return one < other ? -1 : 1;
  return a.slice(at) < b.slice(at) ? -1 : 1;
}

/** Digits that begin with 0 are a fraction: the more zeros in front, the smaller. */
function compareFractions(a: string, b: string): number {
  let at = 0;
  while (at < a.length && at < b.length && a[at] === b[at]) at += 1;
  if (at < a.length && at < b.length) return a[at]! < b[at]! ? -1 : 1;
  if (a.length === b.length) return 0;
  const onlyZeros = /^0*$/.test(a.slice(0, at));
  return (a.length > b.length) === onlyZeros ? -1 : 1;
}

/** A name with a configured suffix at the difference comes before one without; two with suffixes by the order configured. */
function compareSuffixes(a: string, b: string, at: number, suffixes: readonly string[]): number {
  const one = findSuffix(a, at, suffixes);
  const other = findSuffix(b, at, suffixes);
  if (one === other) return 0;
  if (one === undefined) return 1;
  if (other === undefined) return -1;
  return one - other;
}

/** Which suffix covers or begins at the difference: the earliest in the name, of those the longest. */
function findSuffix(name: string, at: number, suffixes: readonly string[]): number | undefined {
  let best: { readonly index: number; readonly start: number; readonly length: number } | undefined;
  suffixes.forEach((suffix, index) => {
    for (let start = Math.max(0, at - suffix.length + (suffix === '' ? 0 : 1)); start <= at; start += 1) {
      if (!name.startsWith(suffix, start)) continue;
      if (best === undefined || start < best.start || (start === best.start && suffix.length > best.length)) best = { index, start, length: suffix.length };
      break;
    }
  });
  return best?.index;
}

function digitsFrom(text: string, start: number): string {
  let end = start;
  while (isDigit(text[end])) end += 1;
  return text.slice(start, end);
}

function isDigit(character: string | undefined): boolean {
  return character !== undefined && character >= '0' && character <= '9';
}
