// SHA-1 and SHA-256 (FIPS 180-4) of what lies in memory, padded in place. For small objects, where asking the runtime costs more
// than hashing: what is kept here is that an object is what its id says, so no id is ever given to anything here.

const schedule = memory.data(320, 16);
const state = memory.data(32, 16);
const sha256Constants = memory.data<u32>([
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be,
  0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa,
  0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85,
  0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3,
  0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f,
  0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
]);
const sha1Start = memory.data<u32>([0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0, 0, 0, 0]);
const sha256Start = memory.data<u32>([0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19]);

/** True when the `size` bytes at `message` hash to the id at `id`, whose length tells the function. Up to 88 bytes behind are overwritten. */
export function isHashOf(id: usize, idBytes: u32, message: usize, size: u32): bool {
  const isSha1 = idBytes == 20;
  const end = pad(message, size);
  const first = isSha1 ? sha1Start : sha256Start;
  v128.store(state, v128.load(first));
  v128.store(state + 16, v128.load(first + 16));
  if (isSha1) for (let block = message; block < end; block += 64) addSha1(block);
  else for (let block = message; block < end; block += 64) addSha256(block);
  for (let at: u32 = 0; at < idBytes; at += 4) if (bswap<u32>(load<u32>(id + at)) != load<u32>(state + at)) return false;
  return true;
}

function pad(message: usize, size: u32): usize {
  const end = message + ((size + 72) & ~63);
  // What lies behind the end may be zeroed, too.
  for (let at = message + size; at < end; at += 16) v128.store(at, i8x16.splat(0));
  store<u8>(message + size, 0x80);
  store<u64>(end - 8, bswap<u64>(<u64>size << 3));
  return end;
}

// @ts-ignore: decorator
@inline
function wordsAt(at: usize): v128 {
  const bytes = v128.load(at);
  return v128.shuffle<u8>(bytes, bytes, 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12);
}

// @ts-ignore: decorator
@inline
function word(at: usize): u32 { return load<u32>(schedule + at); }

// @ts-ignore: decorator
@inline
function choose(x: u32, y: u32, z: u32): u32 { return z ^ (x & (y ^ z)); }

// @ts-ignore: decorator
@inline
function majority(x: u32, y: u32, z: u32): u32 { return (x & y) | (z & (x | y)); }

// @ts-ignore: decorator
@inline
function parity(x: u32, y: u32, z: u32): u32 { return x ^ y ^ z; }

function addSha1(block: usize): void {
  for (let at: usize = 0; at < 64; at += 16) v128.store(schedule + at, wordsAt(block + at));
  for (let at = schedule + 64; at < schedule + 128; at += 4) {
    store<u32>(at, rotl<u32>(load<u32>(at - 12) ^ load<u32>(at - 32) ^ load<u32>(at - 56) ^ load<u32>(at - 64), 1));
  }
  // The same, twice over: so far back that four words do not need each other.
  for (let at = schedule + 128; at < schedule + 320; at += 16) {
    const sum = v128.xor(v128.xor(v128.load(at - 24), v128.load(at - 64)), v128.xor(v128.load(at - 112), v128.load(at - 128)));
    v128.store(at, v128.or(i32x4.shl(sum, 2), i32x4.shr_u(sum, 30)));
  }
  let a = load<u32>(state);
  let b = load<u32>(state, 4);
  let c = load<u32>(state, 8);
  let d = load<u32>(state, 12);
  let e = load<u32>(state, 16);
  let at: usize = 0;
  for (; at < 80; at += 20) {
    e += rotl<u32>(a, 5) + choose(b, c, d) + 0x5a827999 + word(at); b = rotl<u32>(b, 30);
    d += rotl<u32>(e, 5) + choose(a, b, c) + 0x5a827999 + word(at + 4); a = rotl<u32>(a, 30);
    c += rotl<u32>(d, 5) + choose(e, a, b) + 0x5a827999 + word(at + 8); e = rotl<u32>(e, 30);
    b += rotl<u32>(c, 5) + choose(d, e, a) + 0x5a827999 + word(at + 12); d = rotl<u32>(d, 30);
    a += rotl<u32>(b, 5) + choose(c, d, e) + 0x5a827999 + word(at + 16); c = rotl<u32>(c, 30);
  }
  for (; at < 160; at += 20) {
    e += rotl<u32>(a, 5) + parity(b, c, d) + 0x6ed9eba1 + word(at); b = rotl<u32>(b, 30);
    d += rotl<u32>(e, 5) + parity(a, b, c) + 0x6ed9eba1 + word(at + 4); a = rotl<u32>(a, 30);
    c += rotl<u32>(d, 5) + parity(e, a, b) + 0x6ed9eba1 + word(at + 8); e = rotl<u32>(e, 30);
    b += rotl<u32>(c, 5) + parity(d, e, a) + 0x6ed9eba1 + word(at + 12); d = rotl<u32>(d, 30);
    a += rotl<u32>(b, 5) + parity(c, d, e) + 0x6ed9eba1 + word(at + 16); c = rotl<u32>(c, 30);
  }
  for (; at < 240; at += 20) {
    e += rotl<u32>(a, 5) + majority(b, c, d) + 0x8f1bbcdc + word(at); b = rotl<u32>(b, 30);
    d += rotl<u32>(e, 5) + majority(a, b, c) + 0x8f1bbcdc + word(at + 4); a = rotl<u32>(a, 30);
    c += rotl<u32>(d, 5) + majority(e, a, b) + 0x8f1bbcdc + word(at + 8); e = rotl<u32>(e, 30);
    b += rotl<u32>(c, 5) + majority(d, e, a) + 0x8f1bbcdc + word(at + 12); d = rotl<u32>(d, 30);
    a += rotl<u32>(b, 5) + majority(c, d, e) + 0x8f1bbcdc + word(at + 16); c = rotl<u32>(c, 30);
  }
  for (; at < 320; at += 20) {
    e += rotl<u32>(a, 5) + parity(b, c, d) + 0xca62c1d6 + word(at); b = rotl<u32>(b, 30);
    d += rotl<u32>(e, 5) + parity(a, b, c) + 0xca62c1d6 + word(at + 4); a = rotl<u32>(a, 30);
    c += rotl<u32>(d, 5) + parity(e, a, b) + 0xca62c1d6 + word(at + 8); e = rotl<u32>(e, 30);
    b += rotl<u32>(c, 5) + parity(d, e, a) + 0xca62c1d6 + word(at + 12); d = rotl<u32>(d, 30);
    a += rotl<u32>(b, 5) + parity(c, d, e) + 0xca62c1d6 + word(at + 16); c = rotl<u32>(c, 30);
  }
  store<u32>(state, load<u32>(state) + a);
  store<u32>(state, load<u32>(state, 4) + b, 4);
  store<u32>(state, load<u32>(state, 8) + c, 8);
  store<u32>(state, load<u32>(state, 12) + d, 12);
  store<u32>(state, load<u32>(state, 16) + e, 16);
}

// @ts-ignore: decorator
@inline
function mixed(e: u32, f: u32, g: u32, at: usize): u32 {
  return (rotr<u32>(e, 6) ^ rotr<u32>(e, 11) ^ rotr<u32>(e, 25)) + choose(e, f, g) + load<u32>(sha256Constants + at) + word(at);
}

// @ts-ignore: decorator
@inline
function spread(a: u32, b: u32, c: u32): u32 { return (rotr<u32>(a, 2) ^ rotr<u32>(a, 13) ^ rotr<u32>(a, 22)) + majority(a, b, c); }

function addSha256(block: usize): void {
  for (let at: usize = 0; at < 64; at += 16) v128.store(schedule + at, wordsAt(block + at));
  for (let at = schedule + 64; at < schedule + 256; at += 4) {
    const near = load<u32>(at - 8);
    const far = load<u32>(at - 60);
    store<u32>(at, load<u32>(at - 64) + (rotr<u32>(far, 7) ^ rotr<u32>(far, 18) ^ (far >>> 3))
      + load<u32>(at - 28) + (rotr<u32>(near, 17) ^ rotr<u32>(near, 19) ^ (near >>> 10)));
  }
  let a = load<u32>(state);
  let b = load<u32>(state, 4);
  let c = load<u32>(state, 8);
  let d = load<u32>(state, 12);
  let e = load<u32>(state, 16);
  let f = load<u32>(state, 20);
  let g = load<u32>(state, 24);
  let h = load<u32>(state, 28);
  for (let at: usize = 0; at < 256; at += 32) {
    h += mixed(e, f, g, at); d += h; h += spread(a, b, c);
    g += mixed(d, e, f, at + 4); c += g; g += spread(h, a, b);
    f += mixed(c, d, e, at + 8); b += f; f += spread(g, h, a);
    e += mixed(b, c, d, at + 12); a += e; e += spread(f, g, h);
    d += mixed(a, b, c, at + 16); h += d; d += spread(e, f, g);
    c += mixed(h, a, b, at + 20); g += c; c += spread(d, e, f);
    b += mixed(g, h, a, at + 24); f += b; b += spread(c, d, e);
    a += mixed(f, g, h, at + 28); e += a; a += spread(b, c, d);
  }
  store<u32>(state, load<u32>(state) + a);
  store<u32>(state, load<u32>(state, 4) + b, 4);
  store<u32>(state, load<u32>(state, 8) + c, 8);
  store<u32>(state, load<u32>(state, 12) + d, 12);
  store<u32>(state, load<u32>(state, 16) + e, 16);
  store<u32>(state, load<u32>(state, 20) + f, 20);
  store<u32>(state, load<u32>(state, 24) + g, 24);
  store<u32>(state, load<u32>(state, 28) + h, 28);
}
