// What assembly/sha1.ts does, without WASM and without its shortcuts: every disturbance vector is run through all steps for every block.
// Far slower; for where there are no kernels, and to test them against. See there for the method.
const definitions: readonly (readonly [type: 1 | 2, k: number, b: number])[] = [
  ...[[43, 0], [44, 0], [45, 0], [46, 0], [46, 2], [47, 0], [47, 2], [48, 0], [48, 2], [49, 0], [49, 2], [50, 0], [50, 2], [51, 0], [51, 2], [52, 0]]
    .map(([k, b]) => [1, k!, b!] as const),
  ...[[45, 0], [46, 0], [46, 2], [47, 0], [48, 0], [49, 0], [49, 2], [50, 0], [50, 2], [51, 0], [51, 2], [52, 0], [53, 0], [54, 0], [55, 0], [56, 0]]
    .map(([k, b]) => [2, k!, b!] as const),
];

const before = 5;

function turn(value: number, bits: number): number {
  return ((value << bits) | (value >>> (32 - bits))) >>> 0;
}

interface Vector {
  /** Of the words of the expanded message. */
  readonly differences: Uint32Array;
  /** A step at which both computations are in the same state. */
  readonly common: number;
}

function makeVector([type, k, b]: readonly [type: 1 | 2, k: number, b: number]): Vector {
  const words = new Uint32Array(80 + before);
  const at = (step: number): number => words[step + before]!;
  words[k + 15 + before] = 1 << b;
  if (type === 2) words[k + 1 + before] = words[k + 3 + before] = turn(1, (31 + b) % 32);
  for (let step = k + 16; step < 80; step += 1) words[step + before] = turn(at(step - 3) ^ at(step - 8) ^ at(step - 14) ^ at(step - 16), 1);
  for (let step = k - 1; step >= -before; step -= 1) words[step + before] = turn(at(step + 16), 31) ^ at(step + 13) ^ at(step + 8) ^ at(step + 2);
  const differences = Uint32Array.from({ length: 80 }, (_, step) => (
    at(step) ^ turn(at(step - 1), 5) ^ at(step - 2) ^ turn(at(step - 3) ^ at(step - 4) ^ at(step - 5), 30)
  ));
  return { differences, common: type === 2 ? k + 9 : k + 5 };
}

function mix(step: number, b: number, c: number, d: number): number {
  if (step < 20) return ((b & c) | (~b & d)) + 0x5a827999;
  if (step < 40) return (b ^ c ^ d) + 0x6ed9eba1;
  if (step < 60) return ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
  return (b ^ c ^ d) + 0xca62c1d6;
}

let vectors: readonly Vector[] | undefined;

/** One digest, as Sha1Kernel. */
export class PlainSha1 {
  #hash: Uint32Array = new Uint32Array(5);
  readonly #words = new Uint32Array(80);
  readonly #states = new Uint32Array(85);
  #pending: Buffer = Buffer.alloc(0);
  #total = 0;
  isSuspicious = false;

  start(): void {
    vectors ??= definitions.map(makeVector);
    this.#hash = Uint32Array.of(0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0);
    this.#pending = Buffer.alloc(0);
    this.#total = 0;
    this.isSuspicious = false;
  }

  update(bytes: Uint8Array): void {
    this.#total += bytes.length;
    const input = Buffer.concat([this.#pending, bytes]);
    let at = 0;
    for (; at + 64 <= input.length; at += 64) this.#block(input, at);
    this.#pending = input.subarray(at);
  }

  digest(): string {
    const bits = Buffer.alloc(8);
    bits.writeBigUInt64BE(BigInt(this.#total) * 8n);
    this.update(Buffer.concat([Buffer.of(0x80), Buffer.alloc((119 - (this.#total % 64)) % 64), bits]));
    return [...this.#hash].map((word) => word.toString(16).padStart(8, '0')).join('');
  }

  #block(input: Buffer, at: number): void {
    const words = this.#words;
    for (let step = 0; step < 16; step += 1) words[step] = input.readUInt32BE(at + step * 4);
    for (let step = 16; step < 80; step += 1) words[step] = turn(words[step - 3]! ^ words[step - 8]! ^ words[step - 14]! ^ words[step - 16]!, 1);
    const states = this.#states;
    const hash = this.#hash;
    states.set([turn(hash[4]!, 2), turn(hash[3]!, 2), turn(hash[2]!, 2), hash[1]!, hash[0]!]);
    for (let step = 0; step < 80; step += 1) states[step + 5] = this.#forward(step, states, step, words[step]!);
    const out = this.#add(states, 80, hash);
    if (vectors!.some((vector) => this.#leadsTo(vector, out))) this.isSuspicious = true;
    this.#hash = out;
  }

  /** The state word made by a step out of the five from `at` on. */
  #forward(step: number, states: Uint32Array, at: number, word: number): number {
    return turn(states[at + 4]!, 5) + mix(step, states[at + 3]!, turn(states[at + 2]!, 30), turn(states[at + 1]!, 30)) + turn(states[at]!, 30) + word;
  }

  /** The hash after the state that begins at `at`, given the one before the block. */
  #add(states: Uint32Array, at: number, hash: Uint32Array): Uint32Array {
    return Uint32Array.of(hash[0]! + states[at + 4]!, hash[1]! + states[at + 3]!, hash[2]! + turn(states[at + 2]!, 30),
      hash[3]! + turn(states[at + 1]!, 30), hash[4]! + turn(states[at]!, 30));
  }

  #leadsTo({ differences, common }: Vector, out: Uint32Array): boolean {
    const states = Uint32Array.from(this.#states);
    const word = (step: number): number => (this.#words[step]! ^ differences[step]!) >>> 0;
    for (let step = common - 1; step >= 0; step -= 1) {
      states[step] = 0;
      states[step] = turn((states[step + 5]! - this.#forward(step, states, step, word(step))) >>> 0, 2);
    }
    for (let step = common; step < 80; step += 1) states[step + 5] = this.#forward(step, states, step, word(step));
    const first = Uint32Array.of(states[4]!, states[3]!, turn(states[2]!, 30), turn(states[1]!, 30), turn(states[0]!, 30));
    return this.#add(states, 80, first).every((value, index) => value === out[index]);
  }
}
