// The command lines `cairn batch` is asked to run, read from one stream: each with its words, what is added to its environment, and the bytes
// that are its standard input. Specified in cairn-batch(1).
//
// Invariant: a request is taken whole or refused, and after a refusal nothing more is read, because where the next one begins would be a
// guess. A line is bounded; input is handed on piece by piece, so memory does not grow with it.
import { InvalidError } from '../pack/errors.js';
import type { Input } from '../plumbing/command.js';

export interface Request {
  /** Global options, the command's name and its arguments. */
  readonly words: readonly string[];
  /** From NAME=value in front of them. */
  readonly env: Readonly<Record<string, string>>;
  readonly input: RequestInput;
}

/** More than the arguments a process can be started with. */
const longestRequestBytes = 16 << 20;
const assignment = /^([A-Za-z_][A-Za-z0-9_]*)=([^]*)$/;

export class RequestStream {
  readonly #source: Input;
  readonly #nul: boolean;
  #held: Buffer = Buffer.alloc(0);

  /** `nul`: words end in NUL and are counted; else a request is a line, quoted as for a shell. */
  constructor(source: Input, nul: boolean) {
    this.#source = source;
    this.#nul = nul;
  }

  /** The next request; undefined at the end. InvalidError for what is none. */
  next(): Request | undefined {
    return this.#nul ? this.#nextCounted() : this.#nextLine();
  }

  #nextLine(): Request | undefined {
    for (;;) {
      const line = this.#readUntil(0x0a);
      if (line === undefined) return undefined;
      const { words, inputBytes } = parseLine(line.toString('latin1'));
      if (words.length > 0 || inputBytes > 0) return this.#request(words, inputBytes);
    }
  }

  #nextCounted(): Request | undefined {
    const head = this.#readUntil(0)?.toString('latin1');
    if (head === undefined) return undefined;
    const counts = /^([0-9]{1,7}) ([0-9]{1,15})$/.exec(head);
    if (counts === null) throw malformed('a request begins with how many words and how many bytes of input it has');
    const words: string[] = [];
    let sizeBytes = 0;
    for (let left = Number(counts[1]); left > 0; left -= 1) {
      const word = this.#readUntil(0);
      if (word === undefined) throw cutShort();
      sizeBytes += word.length + 1;
      if (sizeBytes > longestRequestBytes) throw malformed('it is too long');
      words.push(word.toString());
    }
    return this.#request(words, Number(counts[2]));
  }

  #request(all: readonly string[], inputBytes: number): Request {
    const env: Record<string, string> = {};
    let at = 0;
    for (; at < all.length; at += 1) {
      const match = assignment.exec(all[at]!);
      if (match === null) break;
      env[match[1]!] = match[2]!;
    }
    return { words: all.slice(at), env, input: new RequestInput(inputBytes, (most) => this.#readSome(most)) };
  }

  /** The bytes before the terminator; undefined when nothing is left. */
  #readUntil(terminator: number): Buffer | undefined {
    let from = 0;
    for (;;) {
      const end = this.#held.indexOf(terminator, from);
      if (end >= 0) {
        const found = this.#held.subarray(0, end);
        this.#held = this.#held.subarray(end + 1);
        return found;
      }
      from = this.#held.length;
      if (from > longestRequestBytes) throw malformed('it is too long');
      const more = this.#source.readChunk();
      if (more === undefined) {
        if (from > 0) throw cutShort();
        return undefined;
      }
      this.#held = from === 0 ? more : Buffer.concat([this.#held, more]);
    }
  }

  #readSome(mostBytes: number): Buffer | undefined {
    const piece = this.#held.length > 0 ? this.#held : this.#source.readChunk();
    if (piece === undefined) return undefined;
    this.#held = piece.subarray(mostBytes);
    return piece.subarray(0, mostBytes);
  }
}

/** The part of the stream that is one command's standard input. */
export class RequestInput implements Input {
  readonly isTerminal = false;
  readonly #read: (mostBytes: number) => Buffer | undefined;
  #left: number;

  constructor(sizeBytes: number, read: (mostBytes: number) => Buffer | undefined) {
    this.#left = sizeBytes;
    this.#read = read;
  }

  /** InvalidError when the stream ends before what was announced, so that nobody takes a part for the whole. */
  readChunk(): Buffer | undefined {
    if (this.#left === 0) return undefined;
    const piece = this.#read(this.#left);
    if (piece === undefined) throw cutShort();
    this.#left -= piece.length;
    return piece;
  }

  /** Passes over what the command did not read. */
  skip(): void {
    while (this.readChunk() !== undefined);
  }
}

function malformed(what: string): InvalidError {
  return new InvalidError(`this is not a request: ${what}`, { code: 'bad-request', hint: 'see cairn-batch(1)' });
}

function cutShort(): InvalidError {
  return malformed('the stream ends in the middle of it');
}

/** A line in words as a shell would have them; the last may be `<<bytes`. Whatever only a shell could do is refused. */
export function parseLine(line: string): { readonly words: readonly string[]; readonly inputBytes: number } {
  const words: string[] = [];
  let inputBytes = 0;
  let at = 0;
  for (;;) {
    while (line[at] === ' ' || line[at] === '\t' || line[at] === '\r') at += 1;
    if (at >= line.length) return { words, inputBytes };
    const input = /^<<([0-9]{1,15})[ \t\r]*$/.exec(line.slice(at, at + 64));
    if (input !== null) {
      inputBytes = Number(input[1]);
      return { words, inputBytes };
    }
    const word = parseWord(line, at);
    words.push(Buffer.from(word.text, 'latin1').toString());
    at = word.end;
  }
}

function parseWord(line: string, from: number): { readonly text: string; readonly end: number } {
  let text = '';
  let at = from;
  while (at < line.length) {
    const character = line[at]!;
    if (character === ' ' || character === '\t' || character === '\r') break;
    if (character === '\\') {
      if (at + 1 >= line.length) throw malformed('a line ends in a backslash');
      text += line[at + 1];
      at += 2;
    } else if (character === "'" || character === '"' || line.startsWith("$'", at)) {
      const quoted = character === '$' ? parseEscaped(line, at + 2) : parseQuoted(line, at + 1, character);
      text += quoted.text;
      at = quoted.end;
    } else if ('|&;<>()$`'.includes(character) || (character === '#' && at === from)) {
      throw malformed(`'${character}' must be quoted; there is no shell here`);
    } else {
      text += character;
      at += 1;
    }
  }
  return { text, end: at };
}

function parseQuoted(line: string, from: number, quote: string): { readonly text: string; readonly end: number } {
  let text = '';
  for (let at = from; at < line.length; at += 1) {
    const character = line[at]!;
    if (character === quote) return { text, end: at + 1 };
    const next = line[at + 1];
    if (quote === '"' && character === '\\' && next !== undefined && '\\"$`'.includes(next)) {
      text += next;
      at += 1;
    } else if (quote === '"' && (character === '$' || character === '`')) {
      throw malformed(`'${character}' must be quoted; there is no shell here`);
    } else text += character;
  }
  throw malformed('a quote is not closed');
}

const escapes: Readonly<Record<string, string>> = {
  a: '\x07', b: '\b', e: '\x1b', E: '\x1b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v', '\\': '\\', "'": "'", '"': '"', '?': '?',
};

/** What is inside $'...', as bash's printf %q writes words with control characters. */
function parseEscaped(line: string, from: number): { readonly text: string; readonly end: number } {
  let text = '';
  for (let at = from; at < line.length;) {
    const character = line[at]!;
    if (character === "'") return { text, end: at + 1 };
    if (character !== '\\') {
      text += character;
      at += 1;
      continue;
    }
    const numeric = /^\\(?:([0-7]{1,3})|x([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{1,4})|U([0-9a-fA-F]{1,8}))/.exec(line.slice(at, at + 10));
    const simple = escapes[line[at + 1] ?? ''];
    if (numeric !== null) {
      text += decodeNumber(numeric);
      at += numeric[0].length;
    } else if (simple !== undefined) {
      text += simple;
      at += 2;
    } else throw malformed(`'\\${line[at + 1] ?? ''}' means nothing inside $'...'`);
  }
  throw malformed('a quote is not closed');
}

function decodeNumber([, octal, hex, short, long]: RegExpExecArray): string {
  const value = octal !== undefined ? parseInt(octal, 8) & 0xff : parseInt((hex ?? short ?? long)!, 16);
  if (value === 0 || value > 0x10ffff) throw malformed('no word can hold that character');
  return short !== undefined || long !== undefined ? Buffer.from(String.fromCodePoint(value)).toString('latin1') : String.fromCharCode(value);
}
