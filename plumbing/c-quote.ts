// Names between double quotes with backslash escapes, as C writes strings: how git prints and reads names that hold control characters, quotes
// or bytes above 127 (core.quotePath in git-config(1)). Pure; latin1 byte strings on both sides.
import { InvalidError } from '../pack/errors.js';

const letters: Readonly<Record<string, string>> = { a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v', '"': '"', '\\': '\\' };
const escapes = new Map(Object.entries(letters).map(([letter, byte]) => [byte, `\\${letter}`]));

/** The name, between quotes when it needs them. `quoteHigh` is core.quotePath: bytes above 127 are escaped too. */
export function quoteC(latin1: string, quoteHigh = true): string {
  const unsafe = quoteHigh ? /[\x00-\x1f"\\\x7f-\xff]/g : /[\x00-\x1f"\\\x7f]/g;
  const escaped = latin1.replace(unsafe, (byte) => escapes.get(byte) ?? `\\${byte.charCodeAt(0).toString(8).padStart(3, '0')}`);
  return escaped === latin1 ? latin1 : `"${escaped}"`;
}

/** Reads the quoted name at `start`, where a double quote is; `end` is after the closing one. InvalidError when it is malformed. */
export function unquoteC(text: string, start = 0): { readonly value: string; readonly end: number } {
  const bad = (): InvalidError => new InvalidError(`badly quoted argument: ${text.slice(start)}`, { code: 'bad-quoting' });
  if (text[start] !== '"') throw bad();
  let value = '';
  for (let at = start + 1; ;) {
    const special = /["\\]/g;
    special.lastIndex = at;
    const found = special.exec(text);
    if (found === null) throw bad();
    value += text.slice(at, found.index);
    at = found.index + 1;
    if (found[0] === '"') return { value, end: at };
    const letter = text[at];
    if (letter === undefined) throw bad();
    const octal = /^[0-3][0-7]{2}/.exec(text.slice(at, at + 3));
    if (octal !== null) {
      value += String.fromCharCode(parseInt(octal[0], 8));
      at += 3;
    } else {
      const byte = Object.hasOwn(letters, letter) ? letters[letter] : undefined;
      if (byte === undefined) throw bad();
      value += byte;
      at += 1;
    }
  }
}
