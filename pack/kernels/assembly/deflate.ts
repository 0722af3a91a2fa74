// The deflate kernel: writes zlib streams (RFC 1950, RFC 1951) from one region of linear memory into another.
//
// Invariant: the output is a valid stream whatever the input is, at most `mostOutput` bytes long, and depends only on the stream's
// own input, its chunks and its mode. Every copy is verified against the bytes it stands for before it is written, and reaches
// at most 32 KiB back within the same stream.
// The caller keeps 16 readable bytes behind the input and 16 writable bytes behind the bound of the output, and, between the chunks
// of one stream, the last 32 KiB of the former chunk right before the next.
import { adler32 } from './_adler';

/** Bytes behind the input that may be read and behind the output that may be written. */
export const slack: i32 = 16;
/** Where the caller's regions may begin. */
export function regionStart(): usize { return __heap_base; }

const windowBytes: u32 = 32768;
const shortestMatch: u32 = 4;
const longestMatch: u32 = 258;
const blockBytes: usize = 65535;

const hashBits = 15;
const heads = memory.data(4 << hashBits, 64);
const pairBits = 14;
const pairs = memory.data(8 << pairBits, 64);

// A sequence: literals, then a copy. 0-15 number of literals, 16-31 length (0: none), 32-63 distance.
const sequences = memory.data(8 * 16400, 64);
let sequenceEnd: usize = 0;

const literalSymbols: u32 = 286;
const distanceSymbols: u32 = 30;
const endOfBlock: u32 = 256;
const literalFrequencies = memory.data(4 * 288, 16);
const distanceFrequencies = memory.data(4 * 32, 16);
const lengthFrequencies = memory.data(4 * 20, 16);
// code << 8 | bits of the code, code with its first bit lowest
const literalCodes = memory.data(4 * 288, 16);
const distanceCodes = memory.data(4 * 32, 16);
const lengthCodes = memory.data(4 * 20, 16);
const fixedLiteralCodes = memory.data(4 * 288, 16);
const fixedDistanceCodes = memory.data(4 * 32, 16);
const allLengths = memory.data(320 + 32, 16);
const shortened = memory.data(2 * 320, 16);
const codeLengthOrder = memory.data<u8>([16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]);

// For a copy of `length`: its kind (symbol - 257); for a kind: base and number of extra bits.
const lengthKinds = memory.data(260, 16);
const lengthBases = memory.data(2 * 32, 16);
const lengthExtras = memory.data(32, 16);

function describeLengths(): void {
  let base: u32 = 3;
  for (let kind: u32 = 0; kind < 28; kind++) {
    const extra: u32 = kind < 8 ? 0 : (kind >> 2) - 1;
    store<u16>(lengthBases + (kind << 1), <u16>base);
    store<u8>(lengthExtras + kind, <u8>extra);
    memory.fill(lengthKinds + base, <u8>kind, 1 << extra);
    base += 1 << extra;
  }
  store<u16>(lengthBases + (28 << 1), 258);
  store<u8>(lengthKinds + 258, 28);
  for (let symbol: u32 = 0; symbol < 288; symbol++) {
    store<u8>(allLengths + symbol, symbol < 144 ? 8 : symbol < 256 ? 9 : symbol < 280 ? 7 : 8);
  }
  assignCodes(allLengths, 288, fixedLiteralCodes);
  memory.fill(allLengths, 5, 30);
  assignCodes(allLengths, 30, fixedDistanceCodes);
}

let pool: u64 = 0;
let poolBits: u32 = 0;
let writer: usize = 0;
let checksum: u32 = 1;
let begun: bool = false;
/** Positions count on across streams, so that entries of former streams are simply too far away. */
let position: u32 = windowBytes + 1;

/** Begins a new stream; `forget` 1 also empties the tables, which streams of gigabytes need to be repeatable. */
export function start(forget: i32): void {
  pool = 0;
  poolBits = 0;
  checksum = 1;
  begun = false;
  position += windowBytes + 1;
  if (forget || position > 0x40000000) {
    memory.fill(heads, 0, 4 << hashBits);
    memory.fill(pairs, 0, 8 << pairBits);
    position = windowBytes + 1;
  }
}

/** The most bytes `compress` writes for `size` bytes of input. */
export function mostOutput(size: i32): i32 {
  return size + 5 * (size / 65535 + 2) + 32;
}

/**
 * Compresses the bytes from `input` to `end`, writing at `output`; gives where the output ends. `last` 1 ends the stream.
 * Mode 0 looks at one former place for each position, mode 1 at two.
 */
export function compress(input: usize, end: usize, output: usize, last: i32, mode: i32): usize {
  writer = output;
  if (!begun) {
    store<u16>(writer, 0x0178);
    writer += 2;
    begun = true;
  }
  checksum = adler32(input, end - input, checksum);
  const bias = position - <u32>input;
  let at = input;
  let segmentEnd = input;
  let incompressible = false;
  while (at < end) {
    if (at >= segmentEnd) {
      segmentEnd = min<usize>(end, at + segmentBytes);
      incompressible = segmentEnd - at >= probedBytes && isIncompressible(at, segmentEnd);
    }
    const blockEnd = min<usize>(segmentEnd, at + blockBytes);
    const final = last != 0 && blockEnd == end;
    if (incompressible) {
      writeStored(at, blockEnd, final);
    } else {
      memory.fill(literalFrequencies, 0, 4 * 288);
      memory.fill(distanceFrequencies, 0, 4 * 32);
      sequenceEnd = sequences;
      if (mode == 0) findOne(at, blockEnd, bias);
      else findTwo(at, blockEnd, bias);
      writeBlock(at, blockEnd, final);
    }
    at = blockEnd;
  }
  position += <u32>(end - input);
  if (last) {
    if (input == end) put(3, 10);
    flush();
    if (poolBits) writer++;
    store<u32>(writer, bswap<u32>(checksum));
    writer += 4;
  }
  return writer;
}

/**
 * Compresses the bytes on their own as a part of a stream: no header before, no end behind, closed on a byte boundary by an empty
 * stored block. Gives where the output ends, which is at most 5 bytes beyond `mostOutput`; `checksumOfContent` tells the rest.
 */
export function compressPiece(input: usize, end: usize, output: usize, mode: i32): usize {
  start(0);
  begun = true;
  compress(input, end, output, 0, mode);
  writeStored(end, end, false);
  return writer;
}

/** Adler-32 of the content compressed since the last start. */
export function checksumOfContent(): u32 { return checksum; }

const segmentBytes: usize = 4 * blockBytes;
const probedBytes: usize = blockBytes;

/**
 * True when 4096 bytes taken from all over look evenly spread over all values: more than 7.9 bits of entropy a byte, which is
 * measured by the sum of squares (the second-order term of the entropy) instead of logarithms.
 */
function isIncompressible(from: usize, end: usize): bool {
  const counts = literalFrequencies;
  memory.fill(counts, 0, 4 * 256);
  // Runs of 64 bytes: single bytes at even steps could all fall into one column of a table.
  const step = (end - from - 64) / 63;
  for (let run: usize = 0; run < 64; run++) {
    const runStart = from + run * step;
    for (let at = runStart; at < runStart + 64; at++) count(counts, load<u8>(at));
  }
  let squares: u32 = 0;
  for (let value: u32 = 0; value < 256; value++) {
    const times = load<u32>(counts + (value << 2));
    squares += times * times;
  }
  return squares < 74600;
}

// @ts-ignore: decorator
@inline
function count(frequencies: usize, symbol: u32): void {
  const at = frequencies + (symbol << 2);
  store<u32>(at, load<u32>(at) + 1);
}

// @ts-ignore: decorator
@inline
function hashOf(word: u32, bits: u32): u32 {
  return (word * 0x9e3779b1) >>> (32 - bits);
}

/** How many bytes at `former` and `at` are equal, beyond the first four, at most 258 and not behind `end`. */
// @ts-ignore: decorator
@inline
function matchLength(former: usize, at: usize, end: usize): u32 {
  const most = min<u32>(longestMatch, <u32>(end - at));
  let length = shortestMatch;
  while (length + 8 <= most) {
    const differing = load<u64>(former + length) ^ load<u64>(at + length);
    if (differing) return length + (<u32>ctz(differing) >> 3);
    length += 8;
  }
  while (length < most && load<u8>(former + length) == load<u8>(at + length)) length++;
  return length;
}

// @ts-ignore: decorator
@inline
function distanceKind(distance: u32): u32 {
  const least = distance - 1;
  if (least < 4) return least;
  const bits = 31 - clz<u32>(least);
  return (bits << 1) + ((least >> (bits - 1)) & 1);
}

/** Notes a copy after the literals since `from`. */
// @ts-ignore: decorator
@inline
function note(from: usize, at: usize, length: u32, distance: u32): void {
  for (let literal = from; literal < at; literal++) count(literalFrequencies, load<u8>(literal));
  count(literalFrequencies, 257 + load<u8>(lengthKinds + length));
  count(distanceFrequencies, distanceKind(distance));
  store<u64>(sequenceEnd, (<u64>distance << 32) | (length << 16) | <u32>(at - from));
  sequenceEnd += 8;
}

/** Notes the literals behind the last copy. */
function noteRest(from: usize, end: usize): void {
  for (let literal = from; literal < end; literal++) count(literalFrequencies, load<u8>(literal));
  store<u64>(sequenceEnd, <u32>(end - from));
  sequenceEnd += 8;
  count(literalFrequencies, endOfBlock);
}

/** Greedy: the first copy found is taken. */
function findOne(input: usize, end: usize, bias: u32): void {
  let at = input;
  let from = input;
  while (at + 8 <= end) {
    const word = load<u32>(at);
    const head = heads + (hashOf(word, hashBits) << 2);
    const distance = <u32>at + bias - load<u32>(head);
    store<u32>(head, <u32>at + bias);
    const former = at - distance;
    if (distance > windowBytes || load<u32>(former) != word) {
      at++;
      continue;
    }
    const length = matchLength(former, at, end);
    note(from, at, length, distance);
    const next = at + length;
    if (next + 8 <= end) {
      const second = at + 1;
      store<u32>(heads + (hashOf(load<u32>(second), hashBits) << 2), <u32>second + bias);
      const beforeNext = next - 2;
      store<u32>(heads + (hashOf(load<u32>(beforeNext), hashBits) << 2), <u32>beforeNext + bias);
    }
    at = next;
    from = next;
  }
  noteRest(from, end);
}

/** Two former places for each position, the newer first. */
function findTwo(input: usize, end: usize, bias: u32): void {
  let at = input;
  let from = input;
  while (at + 8 <= end) {
    const word = load<u32>(at);
    const pair = pairs + (hashOf(word, pairBits) << 3);
    const places = load<u64>(pair);
    store<u64>(pair, (places << 32) | (<u32>at + bias));
    let distance = <u32>at + bias - <u32>places;
    let length: u32 = 0;
    if (distance <= windowBytes && load<u32>(at - distance) == word) length = matchLength(at - distance, at, end);
    const second = <u32>at + bias - <u32>(places >> 32);
    if (second <= windowBytes && load<u32>(at - second) == word) {
      const longer = matchLength(at - second, at, end);
      if (longer > length) {
        length = longer;
        distance = second;
      }
    }
    if (length == 0) {
      at++;
      continue;
    }
    note(from, at, length, distance);
    const next = at + length;
    const inserted = min<usize>(next, end - 8);
    at++;
    while (at < inserted) {
      const pair = pairs + (hashOf(load<u32>(at), pairBits) << 3);
      store<u64>(pair, (load<u64>(pair) << 32) | (<u32>at + bias));
      at++;
    }
    at = next;
    from = next;
  }
  noteRest(from, end);
}

/** Writes whole bytes of the pool. */
// @ts-ignore: decorator
@inline
function flush(): void {
  store<u64>(writer, pool);
  writer += poolBits >> 3;
  pool >>= poolBits & 56;
  poolBits &= 7;
}

/** Adds `count` bits (at most 16); the caller flushes before 64 are in. */
// @ts-ignore: decorator
@inline
function put(value: u32, count: u32): void {
  pool |= <u64>value << poolBits;
  poolBits += count;
}

/** Blocks without compression. */
function writeStored(from: usize, end: usize, final: bool): void {
  put(final ? 1 : 0, 3);
  flush();
  if (poolBits) writer++;
  pool = 0;
  poolBits = 0;
  const size = <u32>(end - from);
  store<u32>(writer, size | ((size ^ 0xffff) << 16));
  memory.copy(writer + 4, from, size);
  writer += 4 + size;
}

/** Writes what was noted in the shortest of the three ways. */
function writeBlock(from: usize, end: usize, final: bool): void {
  buildCodes(literalFrequencies, literalSymbols, 14, literalCodes);
  buildCodes(distanceFrequencies, distanceSymbols, 15, distanceCodes);
  let literals: u32 = literalSymbols;
  while (literals > 257 && load<u32>(literalCodes + ((literals - 1) << 2)) == 0) literals--;
  let distances: u32 = distanceSymbols;
  while (distances > 1 && load<u32>(distanceCodes + ((distances - 1) << 2)) == 0) distances--;
  const shortenedEnd = shortenLengths(literals, distances);
  let lengths: u32 = 19;
  while (lengths > 4 && load<u32>(lengthCodes + (<u32>load<u8>(codeLengthOrder + lengths - 1) << 2)) == 0) lengths--;
  let headerBits: u32 = 14 + 3 * lengths;
  for (let at = shortened; at < shortenedEnd; at += 2) {
    const symbol = <u32>load<u8>(at);
    headerBits += (load<u32>(lengthCodes + (symbol << 2)) & 255) + repeatBits(symbol);
  }
  const dynamicBits = headerBits + costOf(literalCodes, distanceCodes);
  const fixedBits = costOf(fixedLiteralCodes, fixedDistanceCodes);
  const extraBits = costOfExtras();
  const storedBits: u32 = 32 + 7 + (<u32>(end - from) << 3);
  if (storedBits <= min<u32>(dynamicBits, fixedBits) + extraBits) {
    writeStored(from, end, final);
    return;
  }
  if (fixedBits <= dynamicBits) {
    put((final ? 1 : 0) | 2, 3);
    writeSequences(from, fixedLiteralCodes, fixedDistanceCodes);
    return;
  }
  put((final ? 1 : 0) | 4, 3);
  put(literals - 257, 5);
  put(distances - 1, 5);
  put(lengths - 4, 4);
  flush();
  for (let i: u32 = 0; i < lengths; i++) {
    put(load<u32>(lengthCodes + (<u32>load<u8>(codeLengthOrder + i) << 2)) & 255, 3);
    if (poolBits > 40) flush();
  }
  for (let at = shortened; at < shortenedEnd; at += 2) {
    const symbol = <u32>load<u8>(at);
    const entry = load<u32>(lengthCodes + (symbol << 2));
    put(entry >> 8, entry & 255);
    put(load<u8>(at, 1), repeatBits(symbol));
    if (poolBits > 32) flush();
  }
  flush();
  writeSequences(from, literalCodes, distanceCodes);
}

function repeatBits(symbol: u32): u32 {
  return symbol < 16 ? 0 : symbol == 16 ? 2 : symbol == 17 ? 3 : 7;
}

function costOf(literals: usize, distances: usize): u32 {
  let bits: u32 = 0;
  for (let symbol: usize = 0; symbol < 4 * literalSymbols; symbol += 4) {
    bits += load<u32>(literalFrequencies + symbol) * (load<u32>(literals + symbol) & 255);
  }
  for (let symbol: usize = 0; symbol < 4 * distanceSymbols; symbol += 4) {
    bits += load<u32>(distanceFrequencies + symbol) * (load<u32>(distances + symbol) & 255);
  }
  return bits;
}

function costOfExtras(): u32 {
  let bits: u32 = 0;
  for (let kind: u32 = 8; kind < 28; kind++) {
    bits += load<u32>(literalFrequencies + ((257 + kind) << 2)) * <u32>load<u8>(lengthExtras + kind);
  }
  for (let kind: u32 = 4; kind < distanceSymbols; kind++) {
    bits += load<u32>(distanceFrequencies + (kind << 2)) * ((kind >> 1) - 1);
  }
  return bits;
}

/** Writes the lengths of both sets of codes as symbols with repeats to `shortened` and builds the codes for these. */
function shortenLengths(literals: u32, distances: u32): usize {
  for (let i: u32 = 0; i < literals; i++) store<u8>(allLengths + i, load<u8>(literalCodes + (i << 2)));
  for (let i: u32 = 0; i < distances; i++) store<u8>(allLengths + literals + i, load<u8>(distanceCodes + (i << 2)));
  memory.fill(lengthFrequencies, 0, 4 * 19);
  const total = literals + distances;
  let to = shortened;
  let i: u32 = 0;
  while (i < total) {
    const length = <u32>load<u8>(allLengths + i);
    let run: u32 = 1;
    while (i + run < total && load<u8>(allLengths + i + run) == length) run++;
    i += run;
    if (length == 0) {
      while (run >= 11) {
        const part = min<u32>(run, 138);
        to = shorten(to, 18, part - 11);
        run -= part;
      }
      if (run >= 3) {
        to = shorten(to, 17, run - 3);
        run = 0;
      }
    } else {
      to = shorten(to, length, 0);
      run--;
      while (run >= 3) {
        const part = min<u32>(run, 6);
        to = shorten(to, 16, part - 3);
        run -= part;
      }
    }
    while (run--) to = shorten(to, length, 0);
  }
  buildCodes(lengthFrequencies, 19, 7, lengthCodes);
  return to;
}

function shorten(to: usize, symbol: u32, extra: u32): usize {
  count(lengthFrequencies, symbol);
  store<u8>(to, <u8>symbol);
  store<u8>(to, <u8>extra, 1);
  return to + 2;
}

function writeSequences(from: usize, literals: usize, distances: usize): void {
  let hold = pool;
  let bits = poolBits;
  let to = writer;
  let literal = from;
  for (let at = sequences; at < sequenceEnd; at += 8) {
    const sequence = load<u64>(at);
    let left = <u32>sequence & 0xffff;
    // At most seven bits are left from before, and a literal has at most fourteen (fixed codes: nine).
    while (left >= 4) {
      const first = load<u32>(literals + (<u32>load<u8>(literal) << 2));
      hold |= <u64>(first >> 8) << bits;
      bits += first & 255;
      const second = load<u32>(literals + (<u32>load<u8>(literal, 1) << 2));
      hold |= <u64>(second >> 8) << bits;
      bits += second & 255;
      const third = load<u32>(literals + (<u32>load<u8>(literal, 2) << 2));
      hold |= <u64>(third >> 8) << bits;
      bits += third & 255;
      const fourth = load<u32>(literals + (<u32>load<u8>(literal, 3) << 2));
      hold |= <u64>(fourth >> 8) << bits;
      bits += fourth & 255;
      store<u64>(to, hold);
      to += bits >> 3;
      hold >>= bits & 56;
      bits &= 7;
      literal += 4;
      left -= 4;
    }
    if (left) {
      do {
        const entry = load<u32>(literals + (<u32>load<u8>(literal) << 2));
        hold |= <u64>(entry >> 8) << bits;
        bits += entry & 255;
        literal++;
        left--;
      } while (left);
      store<u64>(to, hold);
      to += bits >> 3;
      hold >>= bits & 56;
      bits &= 7;
    }
    const length = <u32>sequence >>> 16;
    if (length == 0) break;
    const kind = <u32>load<u8>(lengthKinds + length);
    let entry = load<u32>(literals + ((257 + kind) << 2));
    hold |= <u64>(entry >> 8) << bits;
    bits += entry & 255;
    hold |= <u64>(length - load<u16>(lengthBases + (kind << 1))) << bits;
    bits += load<u8>(lengthExtras + kind);
    const distance = <u32>(sequence >>> 32);
    const range = distanceKind(distance);
    entry = load<u32>(distances + (range << 2));
    hold |= <u64>(entry >> 8) << bits;
    bits += entry & 255;
    if (range >= 4) {
      const extra = (range >> 1) - 1;
      hold |= <u64>((distance - 1) & ((1 << extra) - 1)) << bits;
      bits += extra;
    }
    store<u64>(to, hold);
    to += bits >> 3;
    hold >>= bits & 56;
    bits &= 7;
    literal += length;
  }
  const entry = load<u32>(literals + (endOfBlock << 2));
  hold |= <u64>(entry >> 8) << bits;
  bits += entry & 255;
  store<u64>(to, hold);
  writer = to + (bits >> 3);
  pool = hold >> (bits & 56);
  poolBits = bits & 7;
}

// Building codes: frequencies sorted, the tree's depths by Moffat and Katajainen's in-place method, depths limited, codes assigned.
const sorted = memory.data(4 * 288, 16);
const depths = memory.data(4 * 288, 16);
const buckets = memory.data(4 * 256, 16);
const depthCounts = memory.data(4 * 32, 16);
const codeLengths = memory.data(288, 16);

/** Codes of at most `most` bits for the symbols that occur; at least two symbols get one. */
function buildCodes(frequencies: usize, symbols: u32, most: u32, codes: usize): void {
  const used = sortSymbols(frequencies, symbols);
  memory.fill(codeLengths, 0, symbols);
  if (used < 2) {
    // A set with a lone code is incomplete, which not every reader accepts.
    const only = used ? load<u32>(sorted) & 511 : 0;
    store<u8>(codeLengths + only, 1);
    store<u8>(codeLengths + (only ? 0 : 1), 1);
  } else {
    findDepths(used);
    limitDepths(used, most);
  }
  assignCodes(codeLengths, symbols, codes);
}

/** Fills `sorted` with frequency << 9 | symbol, lowest first, of the symbols that occur; gives their number. */
function sortSymbols(frequencies: usize, symbols: u32): u32 {
  memory.fill(buckets, 0, 4 * 256);
  let used: u32 = 0;
  for (let symbol: u32 = 0; symbol < symbols; symbol++) {
    const frequency = load<u32>(frequencies + (symbol << 2));
    if (frequency == 0) continue;
    count(buckets, min<u32>(frequency, 255));
    used++;
  }
  let before: u32 = 0;
  for (let bucket: u32 = 0; bucket < 256; bucket++) {
    const size = load<u32>(buckets + (bucket << 2));
    store<u32>(buckets + (bucket << 2), before);
    before += size;
  }
  const frequentStart = load<u32>(buckets + (255 << 2));
  for (let symbol: u32 = 0; symbol < symbols; symbol++) {
    const frequency = load<u32>(frequencies + (symbol << 2));
    if (frequency == 0) continue;
    const bucket = buckets + (min<u32>(frequency, 255) << 2);
    const to = load<u32>(bucket);
    store<u32>(bucket, to + 1);
    store<u32>(sorted + (to << 2), (frequency << 9) | symbol);
  }
  // The last bucket holds all that is frequent.
  for (let i = frequentStart + 1; i < used; i++) {
    const key = load<u32>(sorted + (i << 2));
    let to = i;
    while (to > frequentStart && load<u32>(sorted + ((to - 1) << 2)) > key) {
      store<u32>(sorted + (to << 2), load<u32>(sorted + ((to - 1) << 2)));
      to--;
    }
    store<u32>(sorted + (to << 2), key);
  }
  return used;
}

// @ts-ignore: decorator
@inline
function depth(i: i32): u32 { return load<u32>(depths + (i << 2)); }

// @ts-ignore: decorator
@inline
function setDepth(i: i32, value: u32): void { store<u32>(depths + (i << 2), value); }

/** Fills `depths` with the depth of every sorted symbol in an optimal tree. */
function findDepths(used: i32): void {
  for (let i = 0; i < used; i++) setDepth(i, load<u32>(sorted + (i << 2)) >> 9);
  // Pair up the two lightest, leaves or inner nodes; an inner node's place then holds its parent.
  setDepth(0, depth(0) + depth(1));
  let root = 0;
  let leaf = 2;
  for (let next = 1; next < used - 1; next++) {
    let weight: u32;
    if (leaf >= used || depth(root) < depth(leaf)) {
      weight = depth(root);
      setDepth(root++, next);
    } else {
      weight = depth(leaf++);
    }
    if (leaf >= used || (root < next && depth(root) < depth(leaf))) {
      weight += depth(root);
      setDepth(root++, next);
    } else {
      weight += depth(leaf++);
    }
    setDepth(next, weight);
  }
  setDepth(used - 2, 0);
  for (let node = used - 3; node >= 0; node--) setDepth(node, depth(depth(node)) + 1);
  // Every level has room for twice the inner nodes above it; what inner nodes leave is for leaves.
  let room = 1;
  let level: u32 = 0;
  let node = used - 2;
  let next = used - 1;
  while (room > 0) {
    let inner = 0;
    while (node >= 0 && depth(node) == level) {
      inner++;
      node--;
    }
    while (room > inner) {
      setDepth(next--, level);
      room--;
    }
    room = inner << 1;
    level++;
  }
}

/** Writes `codeLengths` from `depths`, none above `most`, filling the code space exactly. */
function limitDepths(used: u32, most: u32): void {
  memory.fill(depthCounts, 0, 4 * 32);
  for (let i: u32 = 0; i < used; i++) count(depthCounts, min<u32>(load<u32>(depths + (i << 2)), most));
  let taken: u32 = 0;
  for (let length: u32 = 1; length <= most; length++) taken += load<u32>(depthCounts + (length << 2)) << (most - length);
  while (taken > (<u32>1 << most)) {
    // Two of the longest become neighbours below what was a leaf further up; one place of the longest is won.
    let length = most - 1;
    while (load<u32>(depthCounts + (length << 2)) == 0) length--;
    store<u32>(depthCounts + (length << 2), load<u32>(depthCounts + (length << 2)) - 1);
    store<u32>(depthCounts + ((length + 1) << 2), load<u32>(depthCounts + ((length + 1) << 2)) + 2);
    store<u32>(depthCounts + (most << 2), load<u32>(depthCounts + (most << 2)) - 1);
    taken--;
  }
  let i: u32 = 0;
  for (let length = most; length > 0; length--) {
    for (let left = load<u32>(depthCounts + (length << 2)); left; left--) {
      store<u8>(codeLengths + (load<u32>(sorted + (i << 2)) & 511), <u8>length);
      i++;
    }
  }
}

/** Canonical codes (RFC 1951, 3.2.2) for `lengths`. */
function assignCodes(lengths: usize, symbols: u32, codes: usize): void {
  memory.fill(depthCounts, 0, 4 * 32);
  for (let symbol: u32 = 0; symbol < symbols; symbol++) count(depthCounts, load<u8>(lengths + symbol));
  store<u32>(depthCounts, 0);
  let code: u32 = 0;
  let before: u32 = 0;
  for (let length: u32 = 1; length < 16; length++) {
    code = (code + before) << 1;
    before = load<u32>(depthCounts + (length << 2));
    store<u32>(depthCounts + (length << 2), code);
  }
  for (let symbol: u32 = 0; symbol < symbols; symbol++) {
    const length = <u32>load<u8>(lengths + symbol);
    let value: u32 = 0;
    if (length) {
      const next = load<u32>(depthCounts + (length << 2));
      store<u32>(depthCounts + (length << 2), next + 1);
      value = reverse(next) >>> (16 - length);
    }
    store<u32>(codes + (symbol << 2), (value << 8) | length);
  }
}

/** The sixteen low bits of `value`, backwards. */
function reverse(value: u32): u32 {
  value = ((value & 0x5555) << 1) | ((value >> 1) & 0x5555);
  value = ((value & 0x3333) << 2) | ((value >> 2) & 0x3333);
  value = ((value & 0x0f0f) << 4) | ((value >> 4) & 0x0f0f);
  return ((value & 0xff) << 8) | (value >> 8);
}

describeLengths();
