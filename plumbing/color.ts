// Colours in the words of git's configuration, as escape sequences. Specified by "color" under "Values" of git-config(1).
//
// Whether to use any is decided elsewhere: by an option here, by the terminal in the porcelain.
import { InvalidError } from '../pack/errors.js';

const colourCodes: Readonly<Record<string, number>> = {
  black: 0, red: 1, green: 2, yellow: 3, blue: 4, magenta: 5, cyan: 6, white: 7, default: 9,
};
const attributeCodes: Readonly<Record<string, number>> = { bold: 1, dim: 2, italic: 3, ul: 4, blink: 5, reverse: 7, strike: 9 };
const attributeOffCodes: Readonly<Record<string, number>> = { bold: 22, dim: 22, italic: 23, ul: 24, blink: 25, reverse: 27, strike: 29 };

/** The escape sequence of a colour in Git's words ("bold red", "#ff0000 black ul", "reset"); InvalidError for other words. */
export function formatColor(words: string): string {
  const attributes = new Set<number>();
  const grounds: string[] = [];
  let reset = false;
  for (const word of words.trim().toLowerCase().split(/\s+/)) {
    if (word === '') continue;
    if (word === 'reset') {
      reset = true;
      continue;
    }
    const attribute = attributeCode(word);
    if (attribute !== undefined) {
      attributes.add(attribute);
      continue;
    }
    const ground = groundCode(word, grounds.length === 0 ? 30 : 40);
    if (ground === undefined || grounds.length === 2) throw new InvalidError(`invalid color value '${words}'`, { code: 'bad-color' });
    grounds.push(ground);
  }
  // Git's order: reset, attributes by their codes, foreground, background.
  const codes = [...(reset ? [''] : []), ...[...attributes].sort((a, b) => a - b), ...grounds.filter((ground) => ground !== '')];
  return codes.length === 0 ? '' : `\u001b[${codes.join(';')}m`;
}

function attributeCode(word: string): number | undefined {
  const off = /^no-?(.+)$/.exec(word);
  if (off !== null && off[1]! in attributeOffCodes && word !== 'normal') return attributeOffCodes[off[1]!];
  return Object.hasOwn(attributeCodes, word) ? attributeCodes[word] : undefined;
}

/** Code of a foreground (base 30) or background (base 40) colour; '' for "normal", undefined when it is no colour. */
function groundCode(word: string, base: 30 | 40): string | undefined {
  if (word === 'normal' || word === '-1') return '';
  if (Object.hasOwn(colourCodes, word)) return String(base + colourCodes[word]!);
  const bright = /^bright(.+)$/.exec(word);
  if (bright !== null && Object.hasOwn(colourCodes, bright[1]!) && bright[1] !== 'default') return String(base + 60 + colourCodes[bright[1]!]!);
  const hex = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/.exec(word);
  if (hex !== null) return `${base + 8};2;${hex.slice(1).map((part) => Number.parseInt(part, 16)).join(';')}`;
  if (/^[0-9]{1,3}$/.test(word) && Number(word) <= 255) {
    const number = Number(word);
    if (number < 8) return String(base + number);
    return number < 16 ? String(base + 60 + number - 8) : `${base + 8};5;${number}`;
  }
  return undefined;
}

/** The end of any colour. */
export const colorReset = '\u001b[m';
