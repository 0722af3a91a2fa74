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
