// Binary contents in a patch: deflated, in base 85, in lines of at most 52 bytes that begin with their length. A content is written
// whole, or as a delta against the other one where that is shorter; in both directions, so that the patch can be undone.
// Specified by --binary of git-diff(1).
import { createDelta } from '../../pack/delta.js';
import { deflate } from '../../pack/zlib.js';

/** The part of a patch that makes `now` of `old`, and back. */
export function formatBinaryPatch(old: Buffer, now: Buffer, level: number): string {
  return `GIT binary patch\n${binaryBlock(old, now, level)}${binaryBlock(now, old, level)}`;
}

const base85 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~';

/** What makes `content` of `base`. */
function binaryBlock(base: Buffer, content: Buffer, level: number): string {
  const whole = deflate(content, level);
  const delta = base.length === 0 || content.length === 0 ? undefined : createDelta(base, content, whole.length);
  const packed = delta && deflate(delta, level);
  if (packed === undefined || packed.length >= whole.length) return `literal ${content.length}\n${encode(whole)}\n`;
  return `delta ${delta!.length}\n${encode(packed)}\n`;
}

function encode(packed: Buffer): string {
  let text = '';
  for (let at = 0; at < packed.length; at += 52) {
    const line = packed.subarray(at, Math.min(at + 52, packed.length));
    text += String.fromCharCode(line.length <= 26 ? 64 + line.length : 70 + line.length);
    for (let from = 0; from < line.length; from += 4) {
      let value = 0;
      for (let index = 0; index < 4; index += 1) value = value * 256 + (line[from + index] ?? 0);
      let digits = '';
      for (let index = 0; index < 5; index += 1) {
        digits = base85[value % 85]! + digits;
        value = Math.floor(value / 85);
      }
      text += digits;
    }
    text += '\n';
  }
  return text;
}
