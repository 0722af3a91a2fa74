// Inflating without WebAssembly: a resumable decoder of zlib streams (RFC 1950, RFC 1951) in plain TypeScript.
//
// Invariant: state changes only at safe points (between symbols, blocks and trailer fields). When input or room runs out in
// the middle of one, the decoder goes back to the last safe point and leaves those bytes to be given again, so that no step
// needs to remember how far it was. At most about 600 bytes (a block header) are ever given twice. Every table index and every
// copy is bounded by construction: hostile input gives a negative status (see inflate-status.ts), nothing else.
import { inflateDone, inflateNeedsInput, inflateOutputFull } from './inflate-status.js';
import { adler32 } from './adler32.js';

const lengthBase = Uint16Array.of(3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258);
const lengthExtra = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0);
const distanceBase = Uint16Array.of(
  1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577);
const distanceExtra = Uint8Array.of(0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13);
const codeLengthOrder = Uint8Array.of(16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15);

const windowBytes = 32768;
const longestMatch = 258;
const tableBits = 10;

/** The codes of one alphabet: short ones by table, longer ones by canonical order. */
class CodeTable {
  /** symbol << 4 | length for every pattern of `tableBits` bits that starts with a short code, else 0. */
  readonly #short = new Uint16Array(1 << tableBits);
  readonly #counts = new Uint16Array(16);
  readonly #symbols: Uint16Array;

  constructor(symbols: number) { this.#symbols = new Uint16Array(symbols); }

  /** False when `lengths` are no usable set of codes; one lonely code of one bit is allowed, as RFC 1951 does for distances. */
  build(lengths: Uint8Array, count: number, mayBeLonely: boolean): boolean {
    const counts = this.#counts.fill(0);
    for (let symbol = 0; symbol < count; symbol++) counts[lengths[symbol]!]!++;
    counts[0] = 0;
    let left = 1;
    let longest = 0;
    const next = new Uint16Array(17);
    const places = new Uint16Array(17);
    for (let length = 1, code = 0, place = 0; length < 16; length++) {
      const codes = counts[length]!;
      left = left * 2 - codes;
      if (left < 0) return false;
      if (codes > 0) longest = length;
      code <<= 1;
      next[length] = code;
      places[length] = place;
      code += codes;
      place += codes;
    }
    if (left > 0 && !(mayBeLonely && longest <= 1)) return false;
    const short = this.#short.fill(0);
    for (let symbol = 0; symbol < count; symbol++) {
      const length = lengths[symbol]!;
      if (length === 0) continue;
      this.#symbols[places[length]!++] = symbol;
      const code = next[length]!++;
      if (length > tableBits) continue;
      let reversed = 0;
      for (let bit = 0; bit < length; bit++) reversed |= ((code >> bit) & 1) << (length - 1 - bit);
      for (let pattern = reversed; pattern < short.length; pattern += 1 << length) short[pattern] = (symbol << 4) | length;
    }
    return true;
  }

  /** symbol << 4 | length of the code `hold` starts with; 0 when no code of at most `bits` bits matches. */
  find(hold: number, bits: number): number {
    const entry = this.#short[hold & ((1 << tableBits) - 1)]!;
    if (entry !== 0) return (entry & 15) <= bits ? entry : 0;
    let code = 0;
    let first = 0;
    let index = 0;
    const longest = Math.min(bits, 15);
    for (let length = 1; length <= longest; length++) {
      code |= (hold >>> (length - 1)) & 1;
      const count = this.#counts[length]!;
      if (code - count < first) return (this.#symbols[index + code - first]! << 4) | length;
      index += count;
      first = (first + count) << 1;
      code <<= 1;
    }
    return 0;
  }
}

type Place = 'header' | 'block' | 'stored' | 'codes' | 'trailer' | 'end';

/** One stream at a time; `run` until it says done. */
export class PlainInflate {
  /** Where output goes: up to 32 KiB of history, then new bytes. */
  #output: Buffer;
  #produced = 0;
  #place: Place = 'header';
  #last = false;
  #storedLeft = 0;
  #adler = 1;
  #hold = 0;
  #bits = 0;
  #input: Uint8Array = new Uint8Array(0);
  #next = 0;
  readonly #literals = new CodeTable(288);
  readonly #distances = new CodeTable(32);
  readonly #lengths = new Uint8Array(320);

  /** `roomBytes` is the most one run puts out. */
  constructor(roomBytes: number) {
    this.#output = Buffer.allocUnsafe(windowBytes + roomBytes + longestMatch);
  }

  /** Continues with `input`; stops early once `wantBytes` came out. `used` counts whole input bytes; `output` is a copy. */
  run(input: Uint8Array, wantBytes = Infinity): { status: number; used: number; output: Buffer } {
    const kept = Math.min(this.#produced, windowBytes);
    this.#output.copyWithin(0, this.#produced - kept, this.#produced);
    this.#produced = kept;
    this.#input = input;
    this.#next = 0;
    const stopAt = Math.min(kept + wantBytes, this.#output.length - longestMatch);
    const status = this.#steps(stopAt);
    // Whole bytes still in the hold go back.
    this.#next -= this.#bits >> 3;
    this.#bits &= 7;
    this.#hold &= (1 << this.#bits) - 1;
    return { status, used: this.#next, output: Buffer.from(this.#output.subarray(kept, this.#produced)) };
  }

  #steps(stopAt: number): number {
    let checked = this.#produced;
    let status = inflateNeedsInput;
    for (;;) {
      switch (this.#place) {
        case 'header': status = this.#header(); break;
        case 'block': status = this.#block(); break;
        case 'stored': status = this.#stored(stopAt); break;
        case 'codes': status = this.#codes(stopAt); break;
        case 'trailer':
          this.#adler = adler32(this.#output.subarray(checked, this.#produced), this.#adler);
          checked = this.#produced;
          status = this.#trailer();
          break;
        case 'end': return inflateDone;
      }
      if (status !== inflateDone) break;
    }
    this.#adler = adler32(this.#output.subarray(checked, this.#produced), this.#adler);
    return status;
  }

  /** Makes at least `count` (up to 25) bits available; false when the input ends before. */
  #need(count: number): boolean {
    while (this.#bits < count) {
      if (this.#next >= this.#input.length) return false;
      this.#hold |= this.#input[this.#next++]! << this.#bits;
      this.#bits += 8;
    }
    return true;
  }

  #take(count: number): number {
    const value = this.#hold & ((1 << count) - 1);
    this.#hold >>>= count;
    this.#bits -= count;
    return value;
  }

  #header(): number {
    if (!this.#need(16)) return inflateNeedsInput;
    const first = this.#take(8);
    const second = this.#take(8);
    if ((first & 15) !== 8 || first >> 4 > 7 || (second & 32) !== 0 || ((first << 8) | second) % 31 !== 0) return -1;
    this.#place = 'block';
    return inflateDone;
  }

  #block(): number {
    const hold = this.#hold;
    const bits = this.#bits;
    const next = this.#next;
    const status = this.#blockHeader();
    if (status === inflateNeedsInput) {
      this.#hold = hold;
      this.#bits = bits;
      this.#next = next;
    }
    return status;
  }

  #blockHeader(): number {
    if (this.#last) {
      this.#take(this.#bits & 7);
      this.#place = 'trailer';
      return inflateDone;
    }
    if (!this.#need(3)) return inflateNeedsInput;
    const last = this.#take(1) === 1;
    const kind = this.#take(2);
    if (kind === 3) return -2;
    const status = kind === 0 ? this.#storedHeader() : kind === 1 ? this.#fixedCodes() : this.#dynamicCodes();
    if (status !== inflateDone) return status;
    this.#last = last;
    this.#place = kind === 0 ? 'stored' : 'codes';
    return inflateDone;
  }

  #storedHeader(): number {
    this.#take(this.#bits & 7);
    if (!this.#need(16)) return inflateNeedsInput;
    const size = this.#take(16);
    if (!this.#need(16)) return inflateNeedsInput;
    if ((this.#take(16) ^ 0xffff) !== size) return -3;
    this.#storedLeft = size;
    return inflateDone;
  }

  #fixedCodes(): number {
    const lengths = this.#lengths;
    lengths.fill(8, 0, 144).fill(9, 144, 256).fill(7, 256, 280).fill(8, 280, 288);
    this.#literals.build(lengths, 288, false);
    lengths.fill(5, 0, 32);
    this.#distances.build(lengths, 32, false);
    return inflateDone;
  }

  #dynamicCodes(): number {
    if (!this.#need(14)) return inflateNeedsInput;
    const literals = this.#take(5) + 257;
    const distances = this.#take(5) + 1;
    const codes = this.#take(4) + 4;
    if (literals > 286 || distances > 30) return -4;
    const lengths = this.#lengths.fill(0);
    for (let i = 0; i < codes; i++) {
      if (!this.#need(3)) return inflateNeedsInput;
      lengths[codeLengthOrder[i]!] = this.#take(3);
    }
    // The distance table serves for the code lengths' own codes until it is built for distances.
    if (!this.#distances.build(lengths, 19, false)) return -4;
    lengths.fill(0);
    for (let i = 0; i < literals + distances;) {
      this.#need(14);
      const found = this.#distances.find(this.#hold, this.#bits);
      if (found === 0) return this.#bits < 7 ? inflateNeedsInput : -4;
      const symbol = found >> 4;
      const extra = symbol < 16 ? 0 : symbol === 16 ? 2 : symbol === 17 ? 3 : 7;
      if ((found & 15) + extra > this.#bits) return inflateNeedsInput;
      this.#take(found & 15);
      if (symbol < 16) {
        lengths[i++] = symbol;
        continue;
      }
      if (symbol === 16 && i === 0) return -4;
      const value = symbol === 16 ? lengths[i - 1]! : 0;
      const times = this.#take(extra) + (symbol === 18 ? 11 : 3);
      if (i + times > literals + distances) return -4;
      lengths.fill(value, i, i + times);
      i += times;
    }
    if (lengths[256] === 0) return -4;
    if (!this.#literals.build(lengths, literals, true)) return -4;
    return this.#distances.build(lengths.subarray(literals), distances, true) ? inflateDone : -4;
  }

  #stored(stopAt: number): number {
    while (this.#storedLeft > 0) {
      if (this.#produced >= stopAt) return inflateOutputFull;
      if (this.#bits >= 8) {
        this.#output[this.#produced++] = this.#take(8);
        this.#storedLeft--;
        continue;
      }
      const count = Math.min(this.#storedLeft, stopAt - this.#produced, this.#input.length - this.#next);
      if (count === 0) return inflateNeedsInput;
      this.#output.set(this.#input.subarray(this.#next, this.#next + count), this.#produced);
      this.#next += count;
      this.#produced += count;
      this.#storedLeft -= count;
    }
    this.#place = 'block';
    return inflateDone;
  }

  #codes(stopAt: number): number {
    const output = this.#output;
    for (;;) {
      const hold = this.#hold;
      const bits = this.#bits;
      const next = this.#next;
      this.#need(20);
      const found = this.#literals.find(this.#hold, this.#bits);
      const symbol = found >> 4;
      let status = inflateDone;
      if (found === 0) {
        status = this.#bits < 15 ? inflateNeedsInput : -5;
      } else if (symbol === 256) {
        this.#take(found & 15);
        this.#place = 'block';
        return inflateDone;
      } else if (this.#produced >= stopAt) {
        status = inflateOutputFull;
      } else if (symbol < 256) {
        this.#take(found & 15);
        output[this.#produced++] = symbol;
      } else {
        status = this.#match(found);
      }
      if (status === inflateDone) continue;
      this.#hold = hold;
      this.#bits = bits;
      this.#next = next;
      return status;
    }
  }

  #match(found: number): number {
    const kind = (found >> 4) - 257;
    if (kind >= lengthBase.length) return -5;
    if ((found & 15) + lengthExtra[kind]! > this.#bits) return inflateNeedsInput;
    this.#take(found & 15);
    const length = lengthBase[kind]! + this.#take(lengthExtra[kind]!);
    this.#need(15);
    const far = this.#distances.find(this.#hold, this.#bits);
    if (far === 0) return this.#bits < 15 ? inflateNeedsInput : -5;
    const range = far >> 4;
    if (range >= distanceBase.length) return -5;
    this.#take(far & 15);
    if (!this.#need(distanceExtra[range]!)) return inflateNeedsInput;
    const distance = distanceBase[range]! + this.#take(distanceExtra[range]!);
    if (distance > this.#produced) return -6;
    const output = this.#output;
    let from = this.#produced - distance;
    let to = this.#produced;
    for (const end = to + length; to < end;) output[to++] = output[from++]!;
    this.#produced = to;
    return inflateDone;
  }

  #trailer(): number {
    const hold = this.#hold;
    const bits = this.#bits;
    const next = this.#next;
    let sum = 0;
    for (let i = 0; i < 4; i++) {
      if (!this.#need(8)) {
        this.#hold = hold;
        this.#bits = bits;
        this.#next = next;
        return inflateNeedsInput;
      }
      sum = ((sum << 8) | this.#take(8)) >>> 0;
    }
    if (sum !== this.#adler) return -7;
    this.#place = 'end';
    return inflateDone;
  }
}
