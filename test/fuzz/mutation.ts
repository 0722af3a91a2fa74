// Damage done to real files by chance, from a seed: flipped bits, bytes of special meaning, pieces cut out, doubled or exchanged,
// numbers made absurd. A trailing checksum is made right again half of the time, so that damage also reaches what it protects.
import { createHash } from 'node:crypto';

export type Random = () => number;

const specialBytes = [0, 1, 0x0a, 0x0d, 0x20, 0x22, 0x2f, 0x5c, 0x7f, 0x80, 0xff];
const specialNumbers = [0, 1, 2, 0x7f, 0x80, 0xffff, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff];
const specialWords = ['99999999999999999999', '-1', '0', '1e9', '\0', '..', '../', '//', '.git', '^{}', '@{', '~', ':', '[[', '**/', '\\', '"', '\n', '\r\n'];

function below(random: Random, limit: number): number {
  return Math.floor(random() * limit);
}

type Damage = (bytes: Buffer, random: Random, others: readonly Buffer[]) => Buffer;

const damages: readonly Damage[] = [
  function flipBit(bytes, random) {
    if (bytes.length > 0) bytes[below(random, bytes.length)]! ^= 1 << below(random, 8);
    return bytes;
  },
  function setByte(bytes, random) {
    if (bytes.length > 0) bytes[below(random, bytes.length)] = specialBytes[below(random, specialBytes.length)]!;
    return bytes;
  },
  function setNumber(bytes, random) {
    if (bytes.length >= 4) bytes.writeUInt32BE(specialNumbers[below(random, specialNumbers.length)]!, below(random, bytes.length - 3));
    return bytes;
  },
  function cutEnd(bytes, random) { return bytes.subarray(0, below(random, bytes.length + 1)); },
  function cutOut(bytes, random) {
    const at = below(random, bytes.length + 1);
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + below(random, 40))]);
  },
  function double(bytes, random) {
    const at = below(random, bytes.length + 1);
    const end = at + below(random, 60);
    return Buffer.concat([bytes.subarray(0, end), bytes.subarray(at)]);
  },
  function insertWord(bytes, random) {
    const at = below(random, bytes.length + 1);
    return Buffer.concat([bytes.subarray(0, at), Buffer.from(specialWords[below(random, specialWords.length)]!), bytes.subarray(at)]);
  },
  function replaceDigits(bytes, random) {
    const text = bytes.toString('latin1');
    const numbers = [...text.matchAll(/[0-9]+/g)];
    const chosen = numbers[below(random, numbers.length)];
    if (chosen === undefined) return bytes;
    const word = specialWords[below(random, 4)]!;
    return Buffer.from(text.slice(0, chosen.index) + word + text.slice(chosen.index + chosen[0].length), 'latin1');
  },
  function exchange(bytes, random, others) {
    const other = others[below(random, others.length)] ?? bytes;
    return Buffer.concat([bytes.subarray(0, below(random, bytes.length + 1)), other.subarray(below(random, other.length + 1))]);
  },
  function repeat(bytes, random) {
    const at = below(random, bytes.length);
    const piece = bytes.subarray(at, at + 1 + below(random, 8));
    return Buffer.concat([bytes.subarray(0, at), ...Array.from({ length: 1 + below(random, 2000) }, () => piece), bytes.subarray(at)]);
  },
];

/** A damaged copy of one of `samples`; `trailer` names the hash the file ends in. */
export function mutate(samples: readonly Buffer[], random: Random, trailer?: 'sha1' | 'sha256'): Buffer {
  let bytes: Buffer = Buffer.from(samples[below(random, samples.length)]!);
  for (let count = 1 + below(random, 4); count > 0; count -= 1) bytes = damages[below(random, damages.length)]!(Buffer.from(bytes), random, samples);
  if (trailer !== undefined && random() < 0.5) {
    const size = trailer === 'sha1' ? 20 : 32;
    if (bytes.length > size) createHash(trailer).update(bytes.subarray(0, -size)).digest().copy(bytes, bytes.length - size);
  }
  return bytes;
}
