// JSON in the one form a value can have: members in the order of the code points of their names, no white space, whole numbers, in
// strings only the escapes that must be. Equal values have equal bytes, so that a digest of the bytes is one of the value.
//
// Pure. Specified in cairn-archive(5), "THE SIDECAR".

/** What can be written. Numbers are whole and exact. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [name: string]: JsonValue };

/** One line without its end. */
export function formatCanonicalJson(value: JsonValue): string {
  if (typeof value === 'number' && !Number.isSafeInteger(value)) throw new RangeError(`not a whole number: ${value}`);
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (isList(value)) return `[${value.map(formatCanonicalJson).join(',')}]`;
  const names = Object.keys(value).sort(byCodePoints);
  return `{${names.map((name) => `${JSON.stringify(name)}:${formatCanonicalJson(value[name]!)}`).join(',')}}`;
}

function isList(value: object): value is readonly JsonValue[] {
  return Array.isArray(value);
}

/** The order of UTF-8 bytes, which differs from that of UTF-16 units beyond the first plane. */
function byCodePoints(one: string, two: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(two));
}
