// SHA-1 of blocks in linear memory, and a look at each block for signs of a collision attack: counter-cryptanalysis as published by
// Stevens (CRYPTO 2013). Every known attack makes two messages whose difference in the last blocks follows from a disturbance vector, of
// which 32 are of use to an attacker; and at some step the two computations are in the same state. So from one message the
// other's block is known for each vector, and running it from that state shows whether it leads to the same hash.
//
// All tables are computed from the vectors' definitions (type, K, b; Manuel 2011). A vector is passed over where a message bit has a sign
// with which a disturbance that stands alone cannot be corrected, or where, stepping back from the common state, a difference
// arises that the vector does not have; what is left is run through all 80 steps, and only that decides.

/** Where the caller's regions may begin. */
export function regionStart(): usize { return __heap_base; }

const vectors: i32 = 32;
/** type << 16 | K << 8 | b */
const definitions = memory.data<u32>([
  0x12b00, 0x12c00, 0x12d00, 0x12e00, 0x12e02, 0x12f00, 0x12f02, 0x13000, 0x13002, 0x13100, 0x13102, 0x13200, 0x13202, 0x13300, 0x13302, 0x13400,
  0x22d00, 0x22e00, 0x22e02, 0x22f00, 0x23000, 0x23100, 0x23102, 0x23200, 0x23202, 0x23300, 0x23302, 0x23400, 0x23500, 0x23600, 0x23700, 0x23800,
]);
/** Disturbances begin at step -5. */
const before: i32 = 5;
const disturbances = memory.data(4 * 32 * 85, 16);
const differences = memory.data(4 * 32 * 80, 16);
/** The first step all of whose five state words are without difference. */
const commonSteps = memory.data(4 * 32, 16);
/** Four bytes each: two steps and two bits that must differ; then the vectors that ask for it. */
const mostConditions: i32 = 512;
const conditions = memory.data(8 * 512, 16);
let conditionCount: i32 = 0;

/** Four blocks are expanded side by side: word `step` of block `lane` is at 16 * step + 4 * lane. */
const words = memory.data(16 * 80, 16);
/** Of the block in hand: where its words, its state words and the hash behind it begin. */
let blockWords: usize = 0;
let blockStates: usize = 0;
let blockHash: usize = 0;
const candidates = memory.data(16, 16);
/** State words of four blocks side by side; that of step i is at i + 4, which is computed by step i - 1. */
const states = memory.data(16 * 85, 16);
/** The five words of each of four hashes, side by side; the first is also that of `update`. */
const hashes = memory.data(16 * 5, 16);
const idle = memory.data(64, 16);
let isPrepared: bool = false;

// @ts-ignore: decorator
@inline
function disturbanceAt(vector: i32, step: i32): u32 {
  return load<u32>(disturbances + ((vector * 85 + step + before) << 2));
}

function setDisturbance(vector: i32, step: i32, value: u32): void {
  store<u32>(disturbances + ((vector * 85 + step + before) << 2), value);
}

function prepare(): void {
  for (let vector = 0; vector < vectors; vector++) {
    const definition = load<u32>(definitions + (vector << 2));
    const k: i32 = (definition >> 8) & 0xff;
    const b: u32 = definition & 0xff;
    for (let step = k; step < k + 15; step++) setDisturbance(vector, step, 0);
    setDisturbance(vector, k + 15, 1 << b);
    if (definition >> 16 === 2) {
      setDisturbance(vector, k + 1, rotl<u32>(1, (31 + b) & 31));
      setDisturbance(vector, k + 3, rotl<u32>(1, (31 + b) & 31));
    }
    for (let step = k + 16; step < 80; step++) {
      setDisturbance(vector, step, rotl<u32>(
        disturbanceAt(vector, step - 3) ^ disturbanceAt(vector, step - 8) ^ disturbanceAt(vector, step - 14) ^ disturbanceAt(vector, step - 16), 1));
    }
    for (let step = k - 1; step >= -before; step--) {
      setDisturbance(vector, step, rotl<u32>(disturbanceAt(vector, step + 16), 31)
        ^ disturbanceAt(vector, step + 13) ^ disturbanceAt(vector, step + 8) ^ disturbanceAt(vector, step + 2));
    }
    for (let step = 0; step < 80; step++) {
      store<u32>(differences + ((vector * 80 + step) << 2), disturbanceAt(vector, step) ^ rotl<u32>(disturbanceAt(vector, step - 1), 5)
        ^ disturbanceAt(vector, step - 2)
        ^ rotl<u32>(disturbanceAt(vector, step - 3) ^ disturbanceAt(vector, step - 4) ^ disturbanceAt(vector, step - 5), 30));
    }
    store<i32>(commonSteps + (vector << 2), definition >> 16 === 2 ? k + 9 : k + 5);
    addConditions(vector);
  }
  isPrepared = true;
}

/** True when at a step one difference falls on this bit, and none on the bits beside it: it must then be corrected there, by itself. */
function isAlone(vector: i32, step: i32, bit: i32): bool {
  const here = rotl<u32>(1, bit);
  const beside = rotl<u32>(1, (bit + 1) & 31) | rotl<u32>(1, (bit + 31) & 31);
  let count = 0;
  for (let back = 0; back < 6; back++) {
    const turn: u32 = back === 1 ? 5 : back > 2 ? 30 : 0;
    const part = rotl<u32>(disturbanceAt(vector, step - back), turn);
    if ((part & beside) !== 0) return false;
    if ((part & here) !== 0) count++;
  }
  return count === 1;
}

/** Steps where differences follow the vector in every attack that is feasible. */
const firstSure: i32 = 36;
const lastSure: i32 = 72;

function addConditions(vector: i32): void {
  for (let step = firstSure; step < lastSure; step++) {
    for (let bit = 0; bit < 31; bit++) {
      if (((disturbanceAt(vector, step) >> bit) & 1) === 0 || !isAlone(vector, step, bit)) continue;
      addCondition(vector, step, bit, step + 1, (bit + 5) & 31);
      addCondition(vector, step, bit, step + 5, (bit + 30) & 31);
    }
  }
}

/** The correction has the other sign than the disturbance; in the topmost bit signs make no difference. */
function addCondition(vector: i32, step: i32, bit: i32, later: i32, laterBit: i32): void {
  if (laterBit === 31 || later > lastSure || !isAlone(vector, later, laterBit)) return;
  const key: u32 = step | (bit << 8) | (later << 16) | (laterBit << 24);
  for (let index = 0; index < conditionCount; index++) {
    const at = conditions + (index << 3);
    if (load<u32>(at) !== key) continue;
    store<u32>(at, load<u32>(at, 4) | (1 << vector), 4);
    return;
  }
  if (conditionCount === mostConditions) return;
  store<u32>(conditions + (conditionCount << 3), key);
  store<u32>(conditions + (conditionCount << 3), 1 << vector, 4);
  conditionCount++;
}

/** Begins a new hash, one of four. */
export function start(lane: i32): void {
  if (!isPrepared) prepare();
  const at = hashes + (<usize>lane << 2);
  store<u32>(at, 0x67452301);
  store<u32>(at, 0xefcdab89, 16);
  store<u32>(at, 0x98badcfe, 32);
  store<u32>(at, 0x10325476, 48);
  store<u32>(at, 0xc3d2e1f0, 64);
}

/** One of the five words of the first hash so far. */
export function word(index: i32): u32 {
  return load<u32>(hashes + (<usize>index << 4));
}

/** 64 bytes that may be hashed where there is nothing to hash. */
export function idleBlock(): usize { return idle; }

// @ts-ignore: decorator
@inline
function mix(step: i32, b: u32, c: u32, d: u32): u32 {
  if (step < 20) return (d ^ (b & (c ^ d))) + 0x5a827999;
  if (step < 40) return (b ^ c ^ d) + 0x6ed9eba1;
  if (step < 60) return ((b & c) | (d & (b | c))) + 0x8f1bbcdc;
  return (b ^ c ^ d) + 0xca62c1d6;
}

// @ts-ignore: decorator
@inline
function stateAt(step: i32): u32 {
  return load<u32>(blockStates + (<usize>(step + 4) << 4));
}

// @ts-ignore: decorator
@inline
function wordAt(step: i32): u32 {
  return load<u32>(blockWords + (<usize>step << 4));
}

/** Continues the first hash with the whole blocks between two addresses; true when one of them looks like the last of a collision. */
export function update(from: usize, end: usize): bool {
  let found = false;
  blockHash = hashes;
  for (let at = from; at < end; at += 256) {
    const lanes = min<usize>(4, (end - at) >> 6);
    for (let lane: usize = 0; lane < lanes; lane++) load16(at + (lane << 6), lane);
    expand();
    sieve();
    for (let lane: usize = 0; lane < lanes; lane++) {
      blockWords = words + (lane << 2);
      blockStates = states + (lane << 2);
      compress();
      const left = load<u32>(candidates + (lane << 2));
      if (left !== 0 && examine(left)) found = true;
    }
  }
  return found;
}

/** Continues each of the four hashes with as many blocks from its own address; bits tell in which of them one looks like the last of a collision. */
export function updateFour(first: usize, second: usize, third: usize, fourth: usize, blocks: i32): u32 {
  let found: u32 = 0;
  for (let block = 0; block < blocks; block++) {
    const offset = <usize>block << 6;
    load16(first === idle ? idle : first + offset, 0);
    load16(second === idle ? idle : second + offset, 1);
    load16(third === idle ? idle : third + offset, 2);
    load16(fourth === idle ? idle : fourth + offset, 3);
    expand();
    sieve();
    compressFour();
    for (let lane: usize = 0; lane < 4; lane++) {
      const left = load<u32>(candidates + (lane << 2));
      if (left === 0) continue;
      blockWords = words + (lane << 2);
      blockStates = states + (lane << 2);
      blockHash = hashes + (lane << 2);
      if (examine(left)) found |= <u32>1 << <u32>lane;
    }
  }
  return found;
}

// @ts-ignore: decorator
@inline
function load16(from: usize, lane: usize): void {
  const to = words + (lane << 2);
  for (let step: usize = 0; step < 16; step++) store<u32>(to + (step << 4), bswap<u32>(load<u32>(from + (step << 2))));
}

function expand(): void {
  for (let to = words + 256; to < words + 1280; to += 16) {
    const mixed = v128.xor(v128.xor(v128.load(to - 48), v128.load(to - 128)), v128.xor(v128.load(to - 224), v128.load(to - 256)));
    v128.store(to, turn(mixed, 1));
  }
}

// @ts-ignore: decorator
@inline
function turn(value: v128, bits: i32): v128 {
  return v128.or(i32x4.shl(value, bits), i32x4.shr_u(value, 32 - bits));
}

/** One block of the first hash: a loop for each way of mixing, so that no step has to ask for its own. */
function compress(): void {
  const from = blockWords;
  const to = blockStates;
  let a = word(0);
  let b = word(1);
  let c = word(2);
  let d = word(3);
  let e = word(4);
  store<u32>(to, rotl<u32>(e, 2));
  store<u32>(to, rotl<u32>(d, 2), 16);
  store<u32>(to, rotl<u32>(c, 2), 32);
  store<u32>(to, b, 48);
  store<u32>(to, a, 64);
  for (let step: usize = 0; step < 320; step += 16) {
    const next = rotl<u32>(a, 5) + (d ^ (b & (c ^ d))) + 0x5a827999 + e + load<u32>(from + step);
    e = d; d = c; c = rotl<u32>(b, 30); b = a; a = next;
    store<u32>(to + step, next, 80);
  }
  for (let step: usize = 320; step < 640; step += 16) {
    const next = rotl<u32>(a, 5) + (b ^ c ^ d) + 0x6ed9eba1 + e + load<u32>(from + step);
    e = d; d = c; c = rotl<u32>(b, 30); b = a; a = next;
    store<u32>(to + step, next, 80);
  }
  for (let step: usize = 640; step < 960; step += 16) {
    const next = rotl<u32>(a, 5) + ((b & c) | (d & (b | c))) + 0x8f1bbcdc + e + load<u32>(from + step);
    e = d; d = c; c = rotl<u32>(b, 30); b = a; a = next;
    store<u32>(to + step, next, 80);
  }
  for (let step: usize = 960; step < 1280; step += 16) {
    const next = rotl<u32>(a, 5) + (b ^ c ^ d) + 0xca62c1d6 + e + load<u32>(from + step);
    e = d; d = c; c = rotl<u32>(b, 30); b = a; a = next;
    store<u32>(to + step, next, 80);
  }
  store<u32>(hashes, word(0) + a);
  store<u32>(hashes, word(1) + b, 16);
  store<u32>(hashes, word(2) + c, 32);
  store<u32>(hashes, word(3) + d, 48);
  store<u32>(hashes, word(4) + e, 64);
}

/** As `compress`, a block of each of the four hashes. */
function compressFour(): void {
  const in0 = v128.load(hashes);
  const in1 = v128.load(hashes, 16);
  const in2 = v128.load(hashes, 32);
  const in3 = v128.load(hashes, 48);
  const in4 = v128.load(hashes, 64);
  let a = in0;
  let b = in1;
  let c = in2;
  let d = in3;
  let e = in4;
  v128.store(states, turn(e, 2));
  v128.store(states, turn(d, 2), 16);
  v128.store(states, turn(c, 2), 32);
  v128.store(states, b, 48);
  v128.store(states, a, 64);
  for (let step: usize = 0; step < 320; step += 16) {
    const mixed = i32x4.add(v128.xor(d, v128.and(b, v128.xor(c, d))), i32x4.splat(0x5a827999));
    const next = i32x4.add(i32x4.add(turn(a, 5), mixed), i32x4.add(e, v128.load(words + step)));
    e = d; d = c; c = turn(b, 30); b = a; a = next;
    v128.store(states + step, next, 80);
  }
  for (let step: usize = 320; step < 640; step += 16) {
    const mixed = i32x4.add(v128.xor(v128.xor(b, c), d), i32x4.splat(0x6ed9eba1));
    const next = i32x4.add(i32x4.add(turn(a, 5), mixed), i32x4.add(e, v128.load(words + step)));
    e = d; d = c; c = turn(b, 30); b = a; a = next;
    v128.store(states + step, next, 80);
  }
  for (let step: usize = 640; step < 960; step += 16) {
    const mixed = i32x4.add(v128.or(v128.and(b, c), v128.and(d, v128.or(b, c))), i32x4.splat(0x8f1bbcdc));
    const next = i32x4.add(i32x4.add(turn(a, 5), mixed), i32x4.add(e, v128.load(words + step)));
    e = d; d = c; c = turn(b, 30); b = a; a = next;
    v128.store(states + step, next, 80);
  }
  for (let step: usize = 960; step < 1280; step += 16) {
    const mixed = i32x4.add(v128.xor(v128.xor(b, c), d), i32x4.splat(0xca62c1d6));
    const next = i32x4.add(i32x4.add(turn(a, 5), mixed), i32x4.add(e, v128.load(words + step)));
    e = d; d = c; c = turn(b, 30); b = a; a = next;
    v128.store(states + step, next, 80);
  }
  v128.store(hashes, i32x4.add(in0, a));
  v128.store(hashes, i32x4.add(in1, b), 16);
  v128.store(hashes, i32x4.add(in2, c), 32);
  v128.store(hashes, i32x4.add(in3, d), 48);
  v128.store(hashes, i32x4.add(in4, e), 64);
}

/** Notes for each block the vectors for which no message bit has the wrong sign. */
function sieve(): void {
  let left = i32x4.splat(-1);
  const one = i32x4.splat(1);
  for (let at = conditions, end = conditions + (conditionCount << 3); at < end; at += 8) {
    const first = i32x4.shr_u(v128.load(words + (<usize>load<u8>(at) << 4)), load<u8>(at, 1));
    const second = i32x4.shr_u(v128.load(words + (<usize>load<u8>(at, 2) << 4)), load<u8>(at, 3));
    // All ones where the bits differ.
    const differs = i32x4.neg(v128.and(v128.xor(first, second), one));
    left = v128.and(left, v128.or(differs, i32x4.splat(~load<u32>(at, 4))));
  }
  v128.store(candidates, left);
}

function examine(vectorsLeft: u32): bool {
  for (let left = vectorsLeft; left !== 0; left &= left - 1) {
    const vector = <i32>ctz<u32>(left);
    if (followsBack(vector) && leadsToSame(vector)) return true;
  }
  return false;
}

/** The state word of step - 5, computed back from those after it with the other message; `a` to `d` are those of step to step - 3. */
// @ts-ignore: decorator
@inline
function stepBack(vector: i32, step: i32, next: u32, a: u32, b: u32, c: u32, d: u32): u32 {
  const other = wordAt(step) ^ load<u32>(differences + ((vector * 80 + step) << 2));
  return rotl<u32>(next - rotl<u32>(a, 5) - mix(step, b, rotl<u32>(c, 30), rotl<u32>(d, 30)) - other, 2);
}

/** Steps back from the common state as far as is sure; false where there is a difference that the vector does not have. */
function followsBack(vector: i32): bool {
  let step = load<i32>(commonSteps + (vector << 2)) - 1;
  let next = stateAt(step + 1);
  let a = stateAt(step);
  let b = stateAt(step - 1);
  let c = stateAt(step - 2);
  let d = stateAt(step - 3);
  for (; step > firstSure + 4; step--) {
    const e = stepBack(vector, step, next, a, b, c, d);
    if (e !== stateAt(step - 4) && disturbanceAt(vector, step - 5) === 0) return false;
    next = a;
    a = b;
    b = c;
    c = d;
    d = e;
  }
  return true;
}

/** Runs the other message from the common state to both ends; true when it has the same hash. */
function leadsToSame(vector: i32): bool {
  const common = load<i32>(commonSteps + (vector << 2));
  let next = stateAt(common);
  let a = stateAt(common - 1);
  let b = stateAt(common - 2);
  let c = stateAt(common - 3);
  let d = stateAt(common - 4);
  for (let step = common - 1; step >= 0; step--) {
    const e = stepBack(vector, step, next, a, b, c, d);
    next = a;
    a = b;
    b = c;
    c = d;
    d = e;
  }
  const first0 = next;
  const first1 = a;
  const first2 = rotl<u32>(b, 30);
  const first3 = rotl<u32>(c, 30);
  const first4 = rotl<u32>(d, 30);
  a = stateAt(common);
  b = stateAt(common - 1);
  c = rotl<u32>(stateAt(common - 2), 30);
  d = rotl<u32>(stateAt(common - 3), 30);
  let e = rotl<u32>(stateAt(common - 4), 30);
  for (let step = common; step < 80; step++) {
    const other = wordAt(step) ^ load<u32>(differences + ((vector * 80 + step) << 2));
    const made = rotl<u32>(a, 5) + mix(step, b, c, d) + e + other;
    e = d;
    d = c;
    c = rotl<u32>(b, 30);
    b = a;
    a = made;
  }
  return first0 + a === load<u32>(blockHash) && first1 + b === load<u32>(blockHash, 16) && first2 + c === load<u32>(blockHash, 32)
    && first3 + d === load<u32>(blockHash, 48) && first4 + e === load<u32>(blockHash, 64);
}
