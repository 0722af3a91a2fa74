// Whether bytes are UTF-8 as git wants it in commits, and what becomes of those that are not (git-commit(1), "DISCUSSION").

/** Length of the well-formed sequence at `at`; 0 when there is none. Surrogates and non-characters are not well-formed. */
function sequenceLength(bytes: Buffer, at: number): number {
  const first = bytes[at]!;
  if (first < 0x80) return 1;
  const length = first >= 0xc2 && first <= 0xdf ? 2 : first >= 0xe0 && first <= 0xef ? 3 : first >= 0xf0 && first <= 0xf4 ? 4 : 0;
  if (length === 0 || at + length > bytes.length) return 0;
  let codePoint = first & (0x7f >> length);
  for (let next = 1; next < length; next += 1) {
    const byte = bytes[at + next]!;
    if ((byte & 0xc0) !== 0x80) return 0;
    codePoint = codePoint * 64 + (byte & 0x3f);
  }
  const least = length === 2 ? 0x80 : length === 3 ? 0x800 : 0x10000;
  const isSurrogate = codePoint >= 0xd800 && codePoint <= 0xdfff;
  const isNoCharacter = (codePoint & 0xfffe) === 0xfffe || (codePoint >= 0xfdd0 && codePoint <= 0xfdef);
  return codePoint < least || codePoint > 0x10ffff || isSurrogate || isNoCharacter ? 0 : length;
}

/** True when every byte belongs to a well-formed sequence. */
export function isUtf8(bytes: Buffer): boolean {
  for (let at = 0; at < bytes.length;) {
    const length = sequenceLength(bytes, at);
    if (length === 0) return false;
    at += length;
  }
  return true;
}

/** The bytes with each one that is not UTF-8 taken for Latin-1 and written as UTF-8. */
export function repairUtf8(bytes: Buffer): Buffer {
  const repaired: number[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = sequenceLength(bytes, at);
    if (length === 0) {
      const byte = bytes[at]!;
      repaired.push(0xc0 | (byte >> 6), 0x80 | (byte & 0x3f));
      at += 1;
      continue;
    }
    for (let end = at + length; at < end; at += 1) repaired.push(bytes[at]!);
  }
  return Buffer.from(repaired);
}
