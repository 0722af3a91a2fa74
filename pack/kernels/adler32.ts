// Adler-32, the checksum at the end of a zlib stream (RFC 1950).

/** The checksum of `bytes` following what `seed` already covers; 1 covers nothing. */
export function adler32(bytes: Uint8Array, seed = 1): number {
  let low = seed & 0xffff;
  let high = seed >>> 16;
  // 5552 is the most additions that cannot overflow 32 bits before the remainders are taken.
  for (let start = 0; start < bytes.length; start += 5552) {
    const end = Math.min(start + 5552, bytes.length);
    for (let i = start; i < end; i++) {
      low += bytes[i]!;
      high += low;
    }
    low %= 65521;
    high %= 65521;
  }
  return ((high << 16) | low) >>> 0;
}

/** The checksum of two contents one behind the other, from theirs and the size of the second. */
export function combineAdler32(first: number, second: number, secondSizeBytes: number): number {
  const base = 65521;
  const rest = secondSizeBytes % base;
  const firstLow = first & 0xffff;
  const low = (firstLow + (second & 0xffff) + base - 1) % base;
  // The second sum begins with the first one's low half, counted once for each of its bytes, instead of with 1.
  const high = ((first >>> 16) + (second >>> 16) + rest * firstLow + base - rest) % base;
  return ((high << 16) | low) >>> 0;
}
