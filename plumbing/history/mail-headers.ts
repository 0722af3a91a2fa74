// Commits as the head of a mail: who it is from, its subject, and how its text is written, in lines no longer than mail allows.
//
// Text is latin1, one character per byte, in the output encoding. What is not ASCII becomes the encoded words of RFC 2047 where
// that is wanted; a name with special characters is quoted as RFC 822 has it. A character is never cut in two. Specified by
// git-log(1), "PRETTY FORMATS", and format.encodeEmailHeaders.

/** The widest line of text, and of a line with encoded words. */
const widestLine = 78;
const widestEncoded = 76;

/** How text is put into lines: `first` negative is the columns of a line that has begun. */
export type Wrap = (text: string, width: number, first: number, rest: number) => string;

/** 'From: ' and a person; in encoded words when `encoding` is given and the name needs them. */
export function formatSender(name: string, email: string, wrap: Wrap, encoding?: string): string {
  let line = 'From: ';
  let widest = widestLine;
  if (encoding !== undefined && needsEncoding(name)) {
    line = appendEncoded(line, name, encoding, /[^A-Za-z0-9!*+/-]/);
    widest = widestEncoded;
  } else line += wrap(needsQuotes(name) ? `"${name.replace(/["\\]/g, '\\$&')}"` : name, widestLine, -6, 1);
  if (lastColumns(line) + email.length + 3 > widest) line += '\n';
  return `${line} <${email}>\n`;
}

/** `begin` ('Subject: [PATCH] ') and a subject. */
export function formatMailSubject(begin: string, subject: string, wrap: Wrap, encoding?: string): string {
  if (encoding !== undefined && needsEncoding(subject)) return `${appendEncoded(begin, subject, encoding, /[^\x21-\x7e]|[=?_]/)}\n`;
  return `${begin}${wrap(subject, widestLine, -begin.length, 1)}\n`;
}

/** The lines that tell the encoding of a text; '' for one in ASCII. */
export function formatTextHeaders(text: string, encoding: string): string {
  if (!/[\x80-\xff]/.test(text)) return '';
  return `MIME-Version: 1.0\nContent-Type: text/plain; charset=${encoding}\nContent-Transfer-Encoding: 8bit\n`;
}

/** Lines that would be taken for the beginning of a mail, in a way that can be undone. */
export function escapeMailText(text: string): string {
  return text.replace(/^>*From /gm, '>$&');
}

function needsEncoding(text: string): boolean {
  return /[\x80-\xff\n]|=\?/.test(text);
}

function needsQuotes(name: string): boolean {
  return /[()<>[\]:;@,."\\]/.test(name);
}

function lastColumns(text: string): number {
  return text.length - text.lastIndexOf('\n') - 1;
}

/** `line` and `text` in encoded words, as many lines as it takes. */
function appendEncoded(line: string, text: string, encoding: string, special: RegExp): string {
  const begin = `=?${encoding}?q?`;
  let out = line + begin;
  let columns = lastColumns(out);
  const characters = /^utf-?8$/i.test(encoding) ? text.match(/[\xc0-\xff][\x80-\xbf]+|[^]/g) ?? [] : [...text];
  for (const character of characters) {
    const isPlain = character.length === 1 && !special.test(character);
    const shown = isPlain ? character : [...character].map((byte) => `=${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`).join('');
    if (columns + shown.length + 2 > widestEncoded) {
      out += `?=\n ${begin}`;
      columns = 1 + begin.length;
    }
    out += shown;
    columns += shown.length;
  }
  return `${out}?=`;
}
