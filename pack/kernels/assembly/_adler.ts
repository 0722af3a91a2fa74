// Adler-32 (RFC 1950), sixteen bytes at a time.

/** The checksum of `size` bytes at `from`, following what `seed` already covers; 1 covers nothing. */
export function adler32(from: usize, size: usize, seed: u32): u32 {
  let low: u32 = seed & 0xffff;
  let high: u32 = seed >>> 16;
  const weightsLeft = i16x8(16, 15, 14, 13, 12, 11, 10, 9);
  const weightsRight = i16x8(8, 7, 6, 5, 4, 3, 2, 1);
  while (size >= 16) {
    // 5552 is the most additions that cannot overflow 32 bits before the remainders are taken.
    let part: usize = min<usize>(size, 5552) & ~15;
    size -= part;
    high += low * <u32>part;
    let sums = i32x4.splat(0);
    let earlier = i32x4.splat(0);
    let weighted = i32x4.splat(0);
    do {
      const bytes = v128.load(from);
      earlier = i32x4.add(earlier, sums);
      sums = i32x4.add(sums, i32x4.extadd_pairwise_i16x8_u(i16x8.extadd_pairwise_i8x16_u(bytes)));
      weighted = i32x4.add(weighted, i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_u(bytes), weightsLeft));
      weighted = i32x4.add(weighted, i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_u(bytes), weightsRight));
      from += 16;
      part -= 16;
    } while (part);
    weighted = i32x4.add(weighted, i32x4.shl(earlier, 4));
    low += i32x4.extract_lane(sums, 0) + i32x4.extract_lane(sums, 1) + i32x4.extract_lane(sums, 2) + i32x4.extract_lane(sums, 3);
    high += i32x4.extract_lane(weighted, 0) + i32x4.extract_lane(weighted, 1)
      + i32x4.extract_lane(weighted, 2) + i32x4.extract_lane(weighted, 3);
    low %= 65521;
    high %= 65521;
  }
  while (size) {
    low += load<u8>(from++);
    high += low;
    size--;
  }
  return ((high % 65521) << 16) | (low % 65521);
}
