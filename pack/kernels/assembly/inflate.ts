// The inflate kernel: a resumable decoder of zlib streams (RFC 1950, RFC 1951) between two regions of linear memory.
//
// Invariant: state changes only at safe points (between symbols, blocks and trailer fields). When input runs out in the middle
// of one, the decoder goes back to the last safe point. Every table index is masked and every copy is checked against the start
// of the history, so hostile input gives a negative status (the list in inflate-status.ts), never a trap.
// The caller keeps `inputSlack` readable bytes behind the input and `outputSlack` writable bytes behind `stopAt`.
import { adler32 } from './_adler';

const done = 0;
const needsInput = 1;
const outputFull = 2;
const symbolDone = 3;

/** Bytes behind the input that may be read (their values do not matter). */
export const inputSlack: i32 = 16;
/** Bytes behind the place to stop that may be written: three literals, the longest copy, one vector. */
export const outputSlack: i32 = 320;
/** Where the caller's regions may begin. */
export function regionStart(): usize { return __heap_base; }

const literalBits = 11;
const distanceBits = 9;
const literalTable = memory.data(4 << literalBits, 16);
const distanceTable = memory.data(4 << distanceBits, 16);
// Those of the fixed codes, made at their first use. All their codes are short.
const fixedLiteralTable = memory.data(4 << 9, 16);
const fixedDistanceTable = memory.data(4 << 5, 16);
const literalCodes = memory.data(2 * 16 + 2 * 288, 16);
const distanceCodes = memory.data(2 * 16 + 2 * 32, 16);
const lengths = memory.data(320 + 160, 16);
const places = memory.data(2 * 16, 16);

// A table entry says all about a symbol: bits 0-7 all bits to take (code and extra), 8-12 the code's bits, 14 invalid symbol,
// 15 not a literal or a length (end of block, or invalid), 16-30 the literal or the base, 31 literal. An entry of 0: no short code.
const isSpecial: u32 = 0x8000;
const isInvalid: u32 = 0x4000;
const literalEntries = memory.data(4 * 288, 16);
const distanceEntries = memory.data(4 * 32, 16);
const lengthEntries = memory.data(4 * 19, 16);
const codeLengthOrder = memory.data<u8>([16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]);

function describeSymbols(): void {
  for (let symbol: u32 = 0; symbol < 256; symbol++) store<u32>(literalEntries + (symbol << 2), 0x80000000 | (symbol << 16));
  store<u32>(literalEntries + (256 << 2), isSpecial);
  let base: u32 = 3;
  for (let kind: u32 = 0; kind < 28; kind++) {
    const extra: u32 = kind < 8 ? 0 : (kind >> 2) - 1;
    store<u32>(literalEntries + ((257 + kind) << 2), (base << 16) | extra);
    base += 1 << extra;
  }
  store<u32>(literalEntries + (285 << 2), 258 << 16);
  store<u32>(literalEntries + (286 << 2), isSpecial | isInvalid);
  store<u32>(literalEntries + (287 << 2), isSpecial | isInvalid);
  base = 1;
  for (let kind: u32 = 0; kind < 30; kind++) {
    const extra: u32 = kind < 4 ? 0 : (kind >> 1) - 1;
    store<u32>(distanceEntries + (kind << 2), (base << 16) | extra);
    base += 1 << extra;
  }
  store<u32>(distanceEntries + (30 << 2), isSpecial | isInvalid);
  store<u32>(distanceEntries + (31 << 2), isSpecial | isInvalid);
  for (let symbol: u32 = 0; symbol < 19; symbol++) store<u32>(lengthEntries + (symbol << 2), symbol << 16);
}
describeSymbols();

const atHeader = 0;
const atBlock = 1;
const atStored = 2;
const atCodes = 3;
const atTrailer = 4;
const atEnd = 5;

let place: i32 = atHeader;
let lastBlock: bool = false;
let fixedTables: bool = false;
/** Tables of the block at hand. */
let literals: usize = literalTable;
let distances: usize = distanceTable;
let storedLeft: u32 = 0;
let checksum: u32 = 1;
let literalTableBits: i32 = 0;
let distanceTableBits: i32 = 0;
let pool: u64 = 0;
let poolBits: i32 = 0;
let reader: usize = 0;
let inputEnd: usize = 0;
let writer: usize = 0;

/** Begins a new stream. */
export function start(): void {
  place = atHeader;
  lastBlock = false;
  checksum = 1;
  pool = 0;
  poolBits = 0;
}

/** Where the input not yet used begins, after `run`. */
export function inputPosition(): usize { return reader; }

/** Where the output ends, after `run`; it may lie up to `outputSlack` behind the place to stop. */
export function outputPosition(): usize { return writer; }

/**
 * Decodes from `input` until `end`, writing at `to`; copies may reach back to `historyStart`. Stops when a symbol begins at or
 * behind `stopAt`. `verify` 0 leaves the checksum alone, for callers that want only the beginning.
 */
export function run(input: usize, end: usize, historyStart: usize, to: usize, stopAt: usize, verify: i32): i32 {
  reader = input;
  inputEnd = end;
  writer = to;
  let checked = to;
  let status = done;
  while (status == done) {
    if (place == atCodes) {
      status = decodeCodes(historyStart, stopAt);
    } else if (place == atBlock) {
      status = readBlock();
    } else if (place == atHeader) {
      status = readHeader();
    } else if (place == atStored) {
      status = copyStored(stopAt);
    } else if (place == atTrailer) {
      if (verify) checksum = adler32(checked, writer - checked, checksum);
      checked = writer;
      status = readTrailer(verify);
    } else {
      break;
    }
  }
  if (verify) checksum = adler32(checked, writer - checked, checksum);
  // Whole bytes still in the hold go back.
  reader -= poolBits >> 3;
  poolBits &= 7;
  pool &= (1 << poolBits) - 1;
  return status;
}

/** Makes at least `count` (up to 56) bits available; false when the input ends before. */
// @ts-ignore: decorator
@inline
function need(count: i32): bool {
  return poolBits >= count || refill(count);
}

function refill(count: i32): bool {
  if (reader + 8 <= inputEnd) {
    pool |= load<u64>(reader) << poolBits;
    reader += (63 - poolBits) >> 3;
    poolBits |= 56;
    // Only counted bits may stay: a byte read here is read again.
    pool &= (<u64>1 << poolBits) - 1;
    return true;
  }
  while (poolBits < 56 && reader < inputEnd) {
    pool |= <u64>load<u8>(reader++) << poolBits;
    poolBits += 8;
  }
  return poolBits >= count;
}

// @ts-ignore: decorator
@inline
function take(count: i32): u32 {
  const value = <u32>pool & ((1 << count) - 1);
  pool >>= count;
  poolBits -= count;
  return value;
}

function readHeader(): i32 {
  if (!need(16)) return needsInput;
  const first = take(8);
  const second = take(8);
  if ((first & 15) != 8 || first >> 4 > 7 || (second & 32) != 0 || ((first << 8) | second) % 31 != 0) return -1;
  place = atBlock;
  return done;
}

function readBlock(): i32 {
  const formerHold = pool;
  const formerBits = poolBits;
  const formerNext = reader;
  const status = readBlockHeader();
  if (status == needsInput) {
    pool = formerHold;
    poolBits = formerBits;
    reader = formerNext;
  }
  return status;
}

function readBlockHeader(): i32 {
  if (lastBlock) {
    take(poolBits & 7);
    place = atTrailer;
    return done;
  }
  if (!need(3)) return needsInput;
  const last = take(1) == 1;
  const kind = take(2);
  let status = done;
  if (kind == 0) status = readStoredHeader();
  else if (kind == 1) useFixedCodes();
  else if (kind == 2) status = readDynamicCodes();
  else return -2;
  if (status != done) return status;
  lastBlock = last;
  place = kind == 0 ? atStored : atCodes;
  return done;
}

function readStoredHeader(): i32 {
  take(poolBits & 7);
  if (!need(32)) return needsInput;
  const size = take(16);
  if ((take(16) ^ 0xffff) != size) return -3;
  storedLeft = size;
  return done;
}

function useFixedCodes(): void {
  if (!fixedTables) {
    memory.fill(lengths, 8, 144);
    memory.fill(lengths + 144, 9, 112);
    memory.fill(lengths + 256, 7, 24);
    memory.fill(lengths + 280, 8, 8);
    build(lengths, 288, fixedLiteralTable, 9, literalEntries, literalCodes, false);
    memory.fill(lengths, 5, 32);
    build(lengths, 32, fixedDistanceTable, 5, distanceEntries, distanceCodes, false);
    fixedTables = true;
  }
  literals = fixedLiteralTable;
  distances = fixedDistanceTable;
  literalTableBits = 9;
  distanceTableBits = 5;
}

function readDynamicCodes(): i32 {
  if (!need(14)) return needsInput;
  const literalCount: u32 = 257 + take(5);
  const distanceCount: u32 = 1 + take(5);
  const codes: u32 = 4 + take(4);
  if (literalCount > 286 || distanceCount > 30) return -4;
  fill(lengths, 0, 19);
  for (let i: u32 = 0; i < codes; i++) {
    if (!need(3)) return needsInput;
    store<u8>(lengths + load<u8>(codeLengthOrder + i), <u8>take(3));
  }
  // The distance table serves for the code lengths' own codes until it is built for distances.
  const tableBits = build(lengths, 19, distanceTable, 7, lengthEntries, distanceCodes, false);
  if (tableBits < 0) return -4;
  const mask: u32 = (1 << tableBits) - 1;
  const total = literalCount + distanceCount;
  let i: u32 = 0;
  while (i < total) {
    need(14);
    const entry = load<u32>(distanceTable + ((<u32>pool & mask) << 2));
    const codeBits = <i32>(entry & 0xff);
    if (codeBits > poolBits) return needsInput;
    const symbol = entry >> 16;
    if (symbol < 16) {
      take(codeBits);
      store<u8>(lengths + i, <u8>symbol);
      i++;
      continue;
    }
    const extra = symbol == 16 ? 2 : symbol == 17 ? 3 : 7;
    if (codeBits + extra > poolBits) return needsInput;
    take(codeBits);
    if (symbol == 16 && i == 0) return -4;
    const value: u8 = symbol == 16 ? load<u8>(lengths + i - 1) : 0;
    const times: u32 = take(extra) + (symbol == 18 ? 11 : 3);
    if (i + times > total) return -4;
    fill(lengths + i, value, times);
    i += times;
  }
  if (load<u8>(lengths, 256) == 0) return -4;
  literalTableBits = build(lengths, literalCount, literalTable, literalBits, literalEntries, literalCodes, true);
  if (literalTableBits < 0) return -4;
  distanceTableBits = build(lengths + literalCount, distanceCount, distanceTable, distanceBits, distanceEntries, distanceCodes, true);
  literals = literalTable;
  distances = distanceTable;
  return distanceTableBits < 0 ? -4 : done;
}

/** As memory.fill, which costs more than this for a few bytes; up to 15 more may be written. */
// @ts-ignore: decorator
@inline
function fill(at: usize, value: u8, size: u32): void {
  const values = i8x16.splat(value);
  for (let done: u32 = 0; done < size; done += 16) v128.store(at + done, values);
}

/** The lengths of the eight symbols from `symbol` on, of `count` altogether: those of small streams are nearly all 0. */
// @ts-ignore: decorator
@inline
function lengthsFrom(lengths: usize, symbol: u32, count: u32): u64 {
  const eight = load<u64>(lengths + symbol);
  return count - symbol < 8 ? eight & (((<u64>1) << ((count - symbol) << 3)) - 1) : eight;
}

/**
 * Builds the table of the short codes at `table` (at most `most` bits) and what `findLong` needs at `codes`: sixteen counts,
 * then the symbols in canonical order. Gives the table's bits, or -1 when the lengths are no usable set of codes.
 */
function build(lengths: usize, count: u32, table: usize, most: i32, entries: usize, codes: usize, mayBeLonely: bool): i32 {
  store<u64>(codes, 0, 0);
  store<u64>(codes, 0, 8);
  store<u64>(codes, 0, 16);
  store<u64>(codes, 0, 24);
  for (let first: u32 = 0; first < count; first += 8) {
    for (let eight = lengthsFrom(lengths, first, count); eight != 0;) {
      const shift = ctz<u64>(eight) & 56;
      const at = codes + ((<u32>(eight >> shift) & 0xff) << 1);
      store<u16>(at, load<u16>(at) + 1);
      eight &= ~((<u64>0xff) << shift);
    }
  }
  let left: i32 = 1;
  let longest: i32 = 0;
  let position: u32 = 0;
  for (let length = 1; length < 16; length++) {
    const codesOfLength = <i32>load<u16>(codes + (length << 1));
    left = (left << 1) - codesOfLength;
    if (left < 0) return -1;
    if (codesOfLength) longest = length;
    store<u16>(places + (length << 1), <u16>position);
    position += codesOfLength;
  }
  if (left > 0 && !(mayBeLonely && longest <= 1)) return -1;
  const symbols = codes + 32;
  for (let first: u32 = 0; first < count; first += 8) {
    for (let eight = lengthsFrom(lengths, first, count); eight != 0;) {
      const shift = ctz<u64>(eight) & 56;
      const at = places + ((<u32>(eight >> shift) & 0xff) << 1);
      const to = <u32>load<u16>(at);
      store<u16>(at, <u16>(to + 1));
      store<u16>(symbols + (to << 1), <u16>(first + (<u32>shift >> 3)));
      eight &= ~((<u64>0xff) << shift);
    }
  }
  // The table grows by doubling: what a pattern means does not change when bits behind its code are added.
  const tableBits = longest == 0 ? 1 : min(longest, most);
  store<u64>(table, 0);
  let code: u32 = 0;
  let symbolAt = symbols;
  let length = 1;
  while (true) {
    const full: u32 = (1 << length) - 1;
    for (let left = <u32>load<u16>(codes + (length << 1)); left; left--) {
      const entry = load<u32>(entries + (<u32>load<u16>(symbolAt) << 2)) + length * 0x101;
      symbolAt += 2;
      store<u32>(table + (code << 2), entry);
      // The next code, counted with its first bit lowest.
      const free = code ^ full;
      if (free == 0) break;
      const bit: u32 = 0x80000000 >>> clz<u32>(free);
      code = (code & (bit - 1)) | bit;
    }
    if (length == tableBits) return tableBits;
    const bytes: u32 = 4 << length;
    if (bytes >= 16) {
      for (let at: u32 = 0; at < bytes; at += 16) v128.store(table + bytes + at, v128.load(table + at));
    } else {
      store<u64>(table + bytes, load<u64>(table));
    }
    length++;
  }
}

/** The entry of the code `pattern` starts with, for codes longer than the table's; 0 when there is none. */
function findLong(pattern: u32, codes: usize, entries: usize): u32 {
  let code: i32 = 0;
  let first: i32 = 0;
  let index: i32 = 0;
  for (let length = 1; length < 16; length++) {
    code |= pattern & 1;
    pattern >>= 1;
    const count = <i32>load<u16>(codes + (length << 1));
    if (code - count < first) {
      return load<u32>(entries + (<u32>load<u16>(codes + 32 + ((index + code - first) << 1)) << 2)) + length * 0x101;
    }
    index += count;
    first = (first + count) << 1;
    code <<= 1;
  }
  return 0;
}

function copyStored(stopAt: usize): i32 {
  while (storedLeft && poolBits >= 8) {
    if (writer >= stopAt) return outputFull;
    store<u8>(writer++, <u8>take(8));
    storedLeft--;
  }
  if (storedLeft) {
    if (writer >= stopAt) return outputFull;
    const size = min<usize>(storedLeft, min<usize>(stopAt - writer, inputEnd - reader));
    memory.copy(writer, reader, size);
    reader += size;
    writer += size;
    storedLeft -= <u32>size;
    if (storedLeft) return writer >= stopAt ? outputFull : needsInput;
  }
  place = atBlock;
  return done;
}

// @ts-ignore: decorator
@inline
function valueOf(entry: u32, hold: u64): u32 {
  return ((entry >> 16) & 0x7fff) + ((<u32>hold & ((1 << (entry & 0x1f)) - 1)) >>> ((entry >> 8) & 0x1f));
}

// @ts-ignore: decorator
@inline
function copyMatch(to: usize, distance: u32, length: u32): void {
  const end = to + length;
  let from = to - distance;
  if (distance >= 16) {
    do {
      v128.store(to, v128.load(from));
      to += 16;
      from += 16;
    } while (to < end);
  } else if (distance == 1) {
    const run = i8x16.splat(load<u8>(from));
    do {
      v128.store(to, run);
      to += 16;
    } while (to < end);
  } else if (distance >= 8) {
    do {
      store<u64>(to, load<u64>(from));
      to += 8;
      from += 8;
    } while (to < end);
  } else {
    do {
      store<u8>(to++, load<u8>(from++));
    } while (to < end);
  }
}

/** Symbols of a block: fast while plenty of input and room is left, then one by one. */
function decodeCodes(historyStart: usize, stopAt: usize): i32 {
  let status = decodeFast(historyStart, stopAt);
  while (status == symbolDone) status = decodeCarefully(historyStart, stopAt);
  return status;
}

/** As `run` ends, or `symbolDone` when there is not enough input or room for this way. */
function decodeFast(historyStart: usize, stopAt: usize): i32 {
  // A round fetches at most three times, each time eight bytes, moving on by at most seven.
  if (inputEnd - reader < 24) return symbolDone;
  const inputSafe = inputEnd - 24;
  const literalMask: u32 = (1 << literalTableBits) - 1;
  const distanceMask: u32 = (1 << distanceTableBits) - 1;
  const literalTable = literals;
  const distanceTable = distances;
  let hold = pool;
  let bits = poolBits;
  let next = reader;
  let output = writer;
  let status = symbolDone;
  hold |= load<u64>(next) << bits;
  next += (63 - bits) >> 3;
  bits |= 56;
  // The entry of the next symbol is fetched before the bytes of the last are copied, so that one does not wait for the other.
  let entry = load<u32>(literalTable + ((<u32>hold & literalMask) << 2));
  while (next <= inputSafe && output < stopAt) {
    if (<i32>entry < 0) {
      store<u8>(output++, <u8>(entry >> 16));
      hold >>= entry;
      bits -= entry & 0x1f;
      entry = load<u32>(literalTable + ((<u32>hold & literalMask) << 2));
      if (<i32>entry < 0) {
        store<u8>(output++, <u8>(entry >> 16));
        hold >>= entry;
        bits -= entry & 0x1f;
        entry = load<u32>(literalTable + ((<u32>hold & literalMask) << 2));
      }
      hold |= load<u64>(next) << bits;
      next += (63 - bits) >> 3;
      bits |= 56;
      if (<i32>entry < 0) {
        store<u8>(output++, <u8>(entry >> 16));
        hold >>= entry;
        bits -= entry & 0x1f;
        entry = load<u32>(literalTable + ((<u32>hold & literalMask) << 2));
        if (<i32>entry < 0) continue;
        hold |= load<u64>(next) << bits;
        next += (63 - bits) >> 3;
        bits |= 56;
      }
    }
    if (entry == 0) {
      entry = findLong(<u32>hold, literalCodes, literalEntries);
      if (entry == 0) { status = -5; break; }
      if (<i32>entry < 0) continue;
    }
    if (entry & isSpecial) {
      if (entry & isInvalid) { status = -5; break; }
      hold >>= entry;
      bits -= entry & 0x1f;
      place = atBlock;
      status = done;
      break;
    }
    const length = valueOf(entry, hold);
    hold >>= entry;
    bits -= entry & 0x1f;
    entry = load<u32>(distanceTable + ((<u32>hold & distanceMask) << 2));
    if (entry == 0) entry = findLong(<u32>hold, distanceCodes, distanceEntries);
    if (entry == 0 || entry & isSpecial) { status = -5; break; }
    const distance = valueOf(entry, hold);
    hold >>= entry;
    bits -= entry & 0x1f;
    if (distance > <u32>(output - historyStart)) { status = -6; break; }
    hold |= load<u64>(next) << bits;
    next += (63 - bits) >> 3;
    bits |= 56;
    entry = load<u32>(literalTable + ((<u32>hold & literalMask) << 2));
    copyMatch(output, distance, length);
    output += length;
  }
  // Only counted bits stay in the pool.
  pool = hold & ((<u64>1 << bits) - 1);
  poolBits = bits;
  reader = next;
  writer = output;
  return status;
}

/** One symbol when input or room is short: `symbolDone`, or as `run` ends; without effect unless it is done. */
function decodeCarefully(historyStart: usize, stopAt: usize): i32 {
  const formerHold = pool;
  const formerBits = poolBits;
  const formerNext = reader;
  const status = decodeSymbol(historyStart, stopAt);
  if (status == needsInput || status == outputFull) {
    pool = formerHold;
    poolBits = formerBits;
    reader = formerNext;
  }
  return status;
}

function decodeSymbol(historyStart: usize, stopAt: usize): i32 {
  need(48);
  let entry = load<u32>(literals + ((<u32>pool & ((1 << literalTableBits) - 1)) << 2));
  if (entry == 0) entry = findLong(<u32>pool, literalCodes, literalEntries);
  if (entry == 0) return poolBits < 15 ? needsInput : -5;
  if (<i32>(entry & 0x1f) > poolBits) return needsInput;
  if (entry & isSpecial) {
    if (entry & isInvalid) return -5;
    take(entry & 0x1f);
    place = atBlock;
    return done;
  }
  if (writer >= stopAt) return outputFull;
  if (<i32>entry < 0) {
    take(entry & 0x1f);
    store<u8>(writer++, <u8>(entry >> 16));
    return symbolDone;
  }
  const length = valueOf(entry, pool);
  take(entry & 0x1f);
  entry = load<u32>(distances + ((<u32>pool & ((1 << distanceTableBits) - 1)) << 2));
  if (entry == 0) entry = findLong(<u32>pool, distanceCodes, distanceEntries);
  if (entry == 0) return poolBits < 15 ? needsInput : -5;
  if (<i32>(entry & 0x1f) > poolBits) return needsInput;
  if (entry & isSpecial) return -5;
  const distance = valueOf(entry, pool);
  take(entry & 0x1f);
  if (distance > <u32>(writer - historyStart)) return -6;
  copyMatch(writer, distance, length);
  writer += length;
  return symbolDone;
}

function readTrailer(verify: i32): i32 {
  if (!need(32)) return needsInput;
  const sum = bswap<u32>(take32());
  if (verify && sum != checksum) return -7;
  place = atEnd;
  return done;
}

// @ts-ignore: decorator
@inline
function take32(): u32 {
  const value = <u32>pool;
  pool >>= 32;
  poolBits -= 32;
  return value;
}
