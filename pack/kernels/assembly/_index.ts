// The index of the pack in use (gitformat-pack, "Version 2 pack-*.idx files"), where it lies in memory, and ids in hex and as bytes.
//
// Invariant: positions are less than the count of objects the index was checked for; only they may be asked about.

let idBytes: u32 = 20;
let fanOut: usize = 0;
let ids: usize = 0;
let offsets: usize = 0;
let objects: u32 = 0;

/** Another pack is in use, of which no index is here yet. */
export function forgetIndex(idSize: u32): void {
  idBytes = idSize;
  fanOut = 0;
}

/** Tells where the whole index of the pack in use is; 0: nowhere. */
export function useIndex(index: usize, count: u32): void {
  fanOut = index == 0 ? 0 : index + 8;
  ids = fanOut + 1024;
  offsets = ids + count * (idBytes + 4);
  objects = count;
}

// @ts-ignore: decorator
@inline
export function hasIndex(): bool { return fanOut != 0; }

// @ts-ignore: decorator
@inline
export function idAt(position: u32): usize { return ids + position * idBytes; }

/** Where the object is in the pack; -1 where only a larger table tells. */
// @ts-ignore: decorator
@inline
export function offsetAt(position: u32): i32 {
  const offset = <i32>bswap<u32>(load<u32>(offsets + (position << 2)));
  return max(offset, -1);
}

/** The position of an id in the index; -1 when it is not there. */
export function findPosition(id: usize): i32 { return findSorted(id, fanOut, ids, idBytes); }

/** The position of an id among ids in order, of which a fan-out table says how many begin with each byte at most; -1 when it is not there. */
export function findSorted(id: usize, fanOut: usize, ids: usize, idBytes: u32): i32 {
  const first = <usize>load<u8>(id) << 2;
  let low: u32 = first == 0 ? 0 : bswap<u32>(load<u32>(fanOut + first - 4));
  let high = bswap<u32>(load<u32>(fanOut + first));
  const key = bswap<u64>(load<u64>(id));
  // Ids are spread evenly: the first guess is mostly a few entries away, and each further one halves what is left at least.
  let middle = low + <u32>((<u64>(high - low) * ((key >> 32) & 0xffffff)) >> 24);
  let reach: u32 = 8;
  while (low < high) {
    const at = ids + middle * idBytes;
    const here = bswap<u64>(load<u64>(at));
    const order = here == key ? memory.compare(at + 8, id + 8, idBytes - 8) : here < key ? -1 : 1;
    if (order == 0) return middle;
    if (order < 0) {
      low = middle + 1;
      middle = high - low > reach ? low + reach : (low + high) >>> 1;
    } else {
      high = middle;
      middle = high - low > reach ? high - reach : (low + high) >>> 1;
    }
    reach <<= 2;
  }
  return -1;
}

/** How many digits the id at a position has in common with another one in the index, at most. */
export function sharedDigits(position: u32): u32 {
  const before = position == 0 ? 0 : commonDigits(idAt(position - 1), idAt(position));
  const behind = position + 1 >= objects ? 0 : commonDigits(idAt(position), idAt(position + 1));
  return max(before, behind);
}

function commonDigits(one: usize, other: usize): u32 {
  const difference = bswap<u64>(load<u64>(one) ^ load<u64>(other));
  if (difference != 0) return <u32>clz<u64>(difference) >> 2;
  let digits: u32 = 16;
  while (digits < idBytes << 1) {
    const here = <u32>load<u8>(one + (digits >> 1)) ^ <u32>load<u8>(other + (digits >> 1));
    if (here != 0) return digits + (here < 16 ? 1 : 0);
    digits += 2;
  }
  return digits;
}

/** Reads an id of `size` bytes in hex; false when there are other characters than lower-case digits. */
export function decodeId(text: usize, to: usize, size: u32): bool {
  let seen: u32 = 0;
  for (let byte: u32 = 0; byte < size; byte++) {
    const high = digitValue(load<u8>(text + (byte << 1)));
    const low = digitValue(load<u8>(text + (byte << 1), 1));
    seen |= high | low;
    store<u8>(to + byte, <u8>((high << 4) | low));
  }
  return seen < 16;
}

// @ts-ignore: decorator
@inline
function digitValue(unit: u32): u32 {
  const digit = unit - 48;
  const letter = unit - 97;
  return select<u32>(digit, select<u32>(letter + 10, 255, letter < 6), digit < 10);
}

/** Writes the first digits of an id; gives the address behind. One more may be written. */
export function writeHex(to: usize, raw: usize, digits: u32): usize {
  const end = to + digits;
  for (; to < end; raw++, to += 2) {
    const value = <u32>load<u8>(raw);
    store<u8>(to, hexDigit(value >> 4));
    store<u8>(to, hexDigit(value & 15), 1);
  }
  return end;
}

// @ts-ignore: decorator
@inline
function hexDigit(value: u32): u8 {
  return <u8>(value + select<u32>(87, 48, value > 9));
}
