// Text in encodings other than UTF-8, by the names iconv gives them: for the attribute working-tree-encoding (gitattributes(5)).
//
// Decoding never guesses: bytes that are not in the encoding, and encodings nobody here knows, give undefined. Nothing here touches a disk.

/** Byte order marks, by encoding. */
const marks: readonly (readonly [name: string, mark: Buffer])[] = [
  ['utf-32le', Buffer.from([0xff, 0xfe, 0, 0])], ['utf-32be', Buffer.from([0, 0, 0xfe, 0xff])],
  ['utf-16le', Buffer.from([0xff, 0xfe])], ['utf-16be', Buffer.from([0xfe, 0xff])],
];

const isShiftJis = /^(?:shift[-_]jis|sjis|ms_kanji)$/;

/** The name in lower case, with one spelling for each of UTF's. */
function canonical(name: string): string {
  const lower = name.toLowerCase();
  const utf = /^utf-?(8|16|32)(le|be)?(-bom)?$/.exec(lower);
  if (utf !== null) return `utf-${utf[1]}${utf[2] ?? ''}${utf[3] ?? ''}`;
  return /^(?:iso[-_]?8859-1|latin-?1|l1)$/.test(lower) ? 'latin1' : /^(?:us-)?ascii$/.test(lower) ? 'ascii' : lower;
}

export function isUtf8Name(name: string): boolean {
  return canonical(name) === 'utf-8';
}

/** What is wrong with the byte order mark of `bytes`: one that must not be there, or is missing. */
export function findMarkFault(bytes: Buffer, encoding: string): 'prohibited' | 'required' | undefined {
  const name = canonical(encoding);
  const width = /^utf-(16|32)/.exec(name)?.[1];
  if (width === undefined) return undefined;
  const hasMark = marks.some(([marked, mark]) => marked.startsWith(`utf-${width}`) && bytes.subarray(0, mark.length).equals(mark));
  if (/(?:le|be)$/.test(name)) return hasMark ? 'prohibited' : undefined;
  return name === `utf-${width}` && !hasMark ? 'required' : undefined;
}

/** The text; undefined when the encoding is unknown or `bytes` are not in it. A byte order mark is no part of it. */
export function decodeText(bytes: Buffer, encoding: string): string | undefined {
  const name = canonical(encoding);
  if (name.startsWith('utf-16') || name.startsWith('utf-32')) return decodeWide(bytes, name);
  if (name === 'latin1') return bytes.toString('latin1');
  if (name === 'ascii') return bytes.every((byte) => byte < 0x80) ? bytes.toString('latin1') : undefined;
  try {
    const text = new TextDecoder(name, { fatal: true, ignoreBOM: true }).decode(bytes);
    // As iconv has it: the two places of ASCII that the Japanese standard gives to other signs.
    return isShiftJis.test(name) ? text.replaceAll('\\', '\u00a5').replaceAll('~', '\u203e') : text;
  } catch (error) {
    if (error instanceof RangeError || error instanceof TypeError) return undefined;
    throw error;
  }
}

function decodeWide(bytes: Buffer, name: string): string | undefined {
  const width = name.startsWith('utf-16') ? 2 : 4;
  const marked = marks.find(([encoding, mark]) => encoding.startsWith(name.slice(0, 6)) && bytes.subarray(0, mark.length).equals(mark));
  const order = /(?:le|be)$/.exec(name)?.[0] ?? marked?.[0].slice(-2) ?? (name.includes('le') ? 'le' : 'be');
  const isMarkSkipped = !/(?:le|be)$/.test(name) && marked !== undefined;
  const body = isMarkSkipped ? bytes.subarray(width) : bytes;
  if (body.length % width !== 0) return undefined;
  if (width === 2) {
    const little = order === 'le' ? body : Buffer.from(body).swap16();
    return decodeText16(little);
  }
  let text = '';
  for (let at = 0; at < body.length; at += 4) {
    const code = order === 'le' ? body.readUInt32LE(at) : body.readUInt32BE(at);
    if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return undefined;
    text += String.fromCodePoint(code);
  }
  return text;
}

function decodeText16(little: Buffer): string | undefined {
  const text = little.toString('utf16le');
  return /\p{Cs}/u.test(text) ? undefined : text;
}

/** The bytes; undefined when the encoding is unknown, or has no bytes for a character of `text`. */
export function encodeText(text: string, encoding: string): Buffer | undefined {
  const name = canonical(encoding);
  const utf = /^utf-(16|32)(le|be)?(-bom)?$/.exec(name);
  if (utf !== null) {
    // Without an order: a mark and the order of most machines, as iconv has it.
    const order = utf[2] ?? 'le';
    const isMarked = utf[2] === undefined || utf[3] !== undefined;
    const body = utf[1] === '16' ? Buffer.from(text, 'utf16le') : encode32(text);
    const little = isMarked ? Buffer.concat([marks.find(([marked]) => marked === `utf-${utf[1]}le`)![1], body]) : body;
    if (order === 'le') return little;
    return utf[1] === '16' ? little.swap16() : little.swap32();
  }
  if (name === 'latin1' || name === 'ascii') {
    const limit = name === 'ascii' ? /^[\0-\x7f]*$/ : /^[\0-\xff]*$/;
    return limit.test(text) ? Buffer.from(text, 'latin1') : undefined;
  }
  const table = findTable(name);
  if (table === undefined) return undefined;
  const pieces: number[] = [];
  for (const character of text) {
    const bytes = table.get(character);
    if (bytes === undefined) return undefined;
    pieces.push(...bytes);
  }
  return Buffer.from(pieces);
}

function encode32(text: string): Buffer {
  const codes = [...text].map((character) => character.codePointAt(0)!);
  const bytes = Buffer.alloc(codes.length * 4);
  for (const [at, code] of codes.entries()) bytes.writeUInt32LE(code, at * 4);
  return bytes;
}

const tables = new Map<string, ReadonlyMap<string, readonly number[]> | undefined>();

/** Characters and their one or two bytes, found by decoding everything there is; encodings with states have no table. */
function findTable(name: string): ReadonlyMap<string, readonly number[]> | undefined {
  if (!tables.has(name)) tables.set(name, makeTable(name));
  return tables.get(name);
}

function makeTable(name: string): ReadonlyMap<string, readonly number[]> | undefined {
  if (decodeText(Buffer.from('A'), name) !== 'A' || name.startsWith('iso-2022')) return undefined;
  const table = new Map<string, readonly number[]>();
  const put = (bytes: readonly number[]): boolean => {
    const character = decodeText(Buffer.from(bytes), name);
    if (character === undefined || [...character].length !== 1) return false;
    if (!table.has(character)) table.set(character, bytes);
    return true;
  };
  for (let first = 0; first < 256; first += 1) {
    if (put([first]) || first < 0x80) continue;
    for (let second = 0x40; second < 256; second += 1) put([first, second]);
  }
  return table;
}
