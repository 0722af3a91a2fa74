// The delta kernel: makes and applies Git's copy/insert deltas (gitformat-pack, "Deltified representation") in linear memory.
//
// Invariant: `apply` reads only inside base and delta and writes only inside the result, whatever the delta says; anything wrong
// is a negative status (the list in delta-status.ts), never a trap. `create` writes instructions that make exactly the target.
// The caller keeps 16 readable bytes behind every region and 16 writable bytes behind the result and the instructions.

/** Where the caller's regions may begin. */
export function regionStart(): usize { return __heap_base; }

const blockBytes: usize = 16;
const longestCopy: usize = 0x10000;
const longestInsert: usize = 127;
const reachBack: usize = 512;

// @ts-ignore: decorator
@inline
function hashOf(at: usize, shift: u64): u32 {
  const mixed = load<u64>(at) * 0x9e3779b97f4a7c15 ^ rotr<u64>(load<u64>(at, 8) * 0xc2b2ae3d27d4eb4f, 29);
  return <u32>((mixed * 0x165667b19e3779f9) >> shift);
}

/** Fills the 2^`bits` slots at `slots` with the places (offset + 1) of every `step`th block; the first of equal blocks wins. */
export function index(base: usize, size: usize, slots: usize, bits: i32, step: usize): void {
  memory.fill(slots, 0, 4 << bits);
  if (size < blockBytes) return;
  const shift: u64 = 64 - bits;
  let offset = (size - blockBytes) / step * step;
  while (true) {
    store<u32>(slots + (hashOf(base + offset, shift) << 2), <u32>offset + 1);
    if (offset == 0) return;
    offset -= step;
  }
}

/** Writes instructions at `out` that make the target; gives their end, or 0 when they would not end before `limit`. */
export function create(
  base: usize, baseSize: usize, slots: usize, bits: i32, target: usize, targetSize: usize, out: usize, limit: usize,
): usize {
  const shift: u64 = 64 - bits;
  const baseEnd = base + baseSize;
  const targetEnd = target + targetSize;
  let at = target;
  let inserted = target;
  let misses: usize = 0;
  // What lies in the base where the last copy would go on: after bytes were changed in place, the likely continuation.
  let shiftToBase: isize = <isize>base - <isize>target;
  while (at + blockBytes <= targetEnd) {
    let from = at + shiftToBase;
    if (from < base || from + blockBytes > baseEnd || load<u64>(from) != load<u64>(at)) {
      const slot = load<u32>(slots + (hashOf(at, shift) << 2));
      from = base + slot - 1;
      if (slot == 0 || !sameBlock(from, at)) {
        misses++;
        at += 1 + min<usize>(misses >> 10, 15);
        // A copy found later may still reach back over the last of what would be inserted now.
        if (at > inserted + reachBack && at - inserted - reachBack > limit - out) return 0;
        continue;
      }
    }
    let size = sameBytes(from, baseEnd, at, targetEnd);
    while (from > base && at > inserted && load<u8>(from - 1) == load<u8>(at - 1)) {
      from--;
      at--;
      size++;
    }
    out = writeInserts(inserted, at, out, limit);
    if (out == 0) return 0;
    out = writeCopies(from - base, size, out, limit);
    if (out == 0) return 0;
    shiftToBase = <isize>from - <isize>at;
    at += size;
    inserted = at;
    misses = 0;
  }
  return writeInserts(inserted, targetEnd, out, limit);
}

// @ts-ignore: decorator
@inline
function sameBlock(from: usize, at: usize): bool {
  return load<u64>(from) == load<u64>(at) && load<u64>(from, 8) == load<u64>(at, 8);
}

/** How many bytes from `from` and from `at` on are equal. */
function sameBytes(from: usize, fromEnd: usize, at: usize, atEnd: usize): usize {
  const most = min<usize>(fromEnd - from, atEnd - at);
  let size: usize = 0;
  while (size + 16 <= most && i8x16.all_true(i8x16.eq(v128.load(from + size), v128.load(at + size)))) size += 16;
  while (size + 8 <= most) {
    const differing = load<u64>(from + size) ^ load<u64>(at + size);
    if (differing) return size + (<usize>ctz(differing) >> 3);
    size += 8;
  }
  while (size < most && load<u8>(from + size) == load<u8>(at + size)) size++;
  return size;
}

function writeInserts(from: usize, end: usize, out: usize, limit: usize): usize {
  while (from < end) {
    const size = min<usize>(longestInsert, end - from);
    if (out + 1 + size > limit) return 0;
    store<u8>(out, <u8>size);
    memory.copy(out + 1, from, size);
    out += 1 + size;
    from += size;
  }
  return out;
}

function writeCopies(offset: usize, total: usize, out: usize, limit: usize): usize {
  while (total) {
    const size = min<usize>(longestCopy, total);
    const opAt = out++;
    let op: u32 = 0x80;
    for (let bit: u32 = 0; bit < 4; bit++) {
      const byte = (<u32>offset >> (bit << 3)) & 255;
      if (byte == 0) continue;
      op |= 1 << bit;
      store<u8>(out++, <u8>byte);
    }
    if (size != longestCopy) {
      for (let bit: u32 = 0; bit < 2; bit++) {
        const byte = (<u32>size >> (bit << 3)) & 255;
        if (byte == 0) continue;
        op |= 16 << bit;
        store<u8>(out++, <u8>byte);
      }
    }
    store<u8>(opAt, <u8>op);
    if (out > limit) return 0;
    offset += size;
    total -= size;
  }
  return out;
}

/** Applies the instructions from `delta` to `deltaEnd`; 0, or what is wrong with them. */
export function apply(base: usize, baseSize: usize, delta: usize, deltaEnd: usize, result: usize, resultSize: usize): i32 {
  const resultEnd = result + resultSize;
  let to = result;
  while (delta < deltaEnd) {
    const op = <u32>load<u8>(delta++);
    let size: usize = op;
    let from = delta;
    if (op & 0x80) {
      if (delta + popcnt<u32>(op & 0x7f) > deltaEnd) return -1;
      let offset: u32 = 0;
      size = 0;
      if (op & 0x01) offset = load<u8>(delta++);
      if (op & 0x02) offset |= <u32>load<u8>(delta++) << 8;
      if (op & 0x04) offset |= <u32>load<u8>(delta++) << 16;
      if (op & 0x08) offset |= <u32>load<u8>(delta++) << 24;
      if (op & 0x10) size = load<u8>(delta++);
      if (op & 0x20) size |= <u32>load<u8>(delta++) << 8;
      if (op & 0x40) size |= <u32>load<u8>(delta++) << 16;
      if (size == 0) size = longestCopy;
      if (size > baseSize || <usize>offset > baseSize - size) return -3;
      from = base + offset;
    } else {
      if (op == 0) return -2;
      if (size > deltaEnd - delta) return -1;
      delta += size;
    }
    if (size > resultEnd - to) return -4;
    if (size <= 16) {
      // Sixteen bytes are written; what is too much is overwritten next, or lies in the room behind the result.
      v128.store(to, v128.load(from));
    } else if (size <= 256) {
      let done: usize = 0;
      do {
        v128.store(to + done, v128.load(from + done));
        done += 16;
      } while (done < size);
    } else {
      memory.copy(to, from, size);
    }
    to += size;
  }
  return to == resultEnd ? 0 : -5;
}
