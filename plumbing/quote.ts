// Putting names into lines, and taking them out again: C-style quoting of paths (core.quotePath in git-config(1)) and
// quoting for a shell. All texts are latin1 byte strings, written to an output as `Buffer.from(line, 'latin1')`.
import { InvalidError } from '../pack/errors.js';

const letterOf: Readonly<Record<string, string>> = {
  '\x07': 'a', '\b': 'b', '\t': 't', '\n': 'n', '\v': 'v', '\f': 'f', '\r': 'r', '"': '"', '\\': '\\',
};
const byteOf: Readonly<Record<string, string>> = Object.fromEntries(Object.entries(letterOf).map(([byte, letter]) => [letter, byte]));

export interface QuoteOptions {
  /** Quote bytes from 0x80 on too; git's default is true. */
  readonly quotePath: boolean;
}

/** A path as git prints it in a line: as it is, or in double quotes with escapes when a byte in it needs that. */
export function quotePath(path: string, options: QuoteOptions = { quotePath: true }): string {
  const special = options.quotePath ? /[\x00-\x1f"\\\x7f-\xff]/ : /[\x00-\x1f"\\\x7f]/;
  return special.test(path) ? `"${escaped(path, options)}"` : path;
}

function escaped(text: string, options: QuoteOptions): string {
  const every = options.quotePath ? /[\x00-\x1f"\\\x7f-\xff]/g : /[\x00-\x1f"\\\x7f]/g;
  return text.replace(every, (byte) => `\\${letterOf[byte] ?? byte.charCodeAt(0).toString(8).padStart(3, '0')}`);
}

/** The text between the double quote `quoted` begins with and its closing one, and where what follows begins; InvalidError when malformed. */
export function cUnquote(quoted: string): { readonly value: string; readonly end: number } {
  const fail = (): never => { throw new InvalidError(`'${quoted}' is not quoted properly`, { code: 'bad-quoting' }); };
  if (quoted[0] !== '"') fail();
  let value = '';
  for (let at = 1; at < quoted.length; at += 1) {
    const byte = quoted[at]!;
    if (byte === '"') return { value, end: at + 1 };
    if (byte !== '\\') {
      value += byte;
      continue;
    }
    at += 1;
    const octal = /^[0-3][0-7]{2}/.exec(quoted.slice(at, at + 3));
    if (octal) {
      value += String.fromCharCode(parseInt(octal[0], 8));
      at += 2;
    } else {
      value += byteOf[quoted[at] ?? ''] ?? fail();
    }
  }
  return fail();
}

/** A path as read from a line: unquoted when it begins with a double quote; InvalidError when anything follows the closing one. */
export function unquotePath(text: string): string {
  if (!text.startsWith('"')) return text;
  const { value, end } = cUnquote(text);
  if (end !== text.length) throw new InvalidError(`'${text}' is not quoted properly`, { code: 'bad-quoting' });
  return value;
}

/** `text` as one word of a POSIX shell. */
export function shellQuote(text: string): string {
  return `'${text.replace(/['!]/g, (character) => `'\\${character}'`)}'`;
}

/** Text safe to print: control characters other than tab and line end become `\x1b` and the like. */
export function escapeControls(text: string): string {
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, (character) =>
    `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`);
}
