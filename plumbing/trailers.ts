// Trailers: the "Key: value" lines that end a message (git-interpret-trailers(1)). Texts are latin1: one character per byte.
// Nothing here touches a disk.
import { InvalidError } from '../pack/errors.js';

export interface Trailer {
  readonly key: string;
  /** Continuation lines are part of it, their line ends included. */
  readonly value: string;
}

interface Block {
  /** Where the trailers begin; the message's end (before trailing blank lines) when it has none. */
  readonly start: number;
  /** Behind the last line that is not blank. */
  readonly end: number;
}

/** The trailers of a message, in order. */
export function parseTrailers(message: string): Trailer[] {
  return parseTrailerBlock(message).filter((item) => typeof item !== 'string');
}

/** What the paragraph of trailers consists of: trailers, and each line that belongs to none as it is. */
export function parseTrailerBlock(message: string): (Trailer | string)[] {
  const { start, end } = findBlock(message);
  const items: ({ readonly key: string; value: string } | string)[] = [];
  for (const line of splitLines(message.slice(start, end))) {
    const separator = separatorAt(line);
    const last = items.at(-1);
    if (/^\s/.test(line) && typeof last === 'object') last.value += '\n' + line;
    else if (/^\s/.test(line) || separator <= 0) items.push(line);
    else items.push({ key: line.slice(0, separator).trimEnd(), value: line.slice(separator + 1).trim() });
  }
  return items;
}

/** The paragraph of trailers as it is written, its last line end included; empty when there is none. */
export function findTrailerText(message: string): string {
  const { start, end } = findBlock(message);
  const lineEnd = message.indexOf('\n', end);
  return start === end ? '' : lineEnd < 0 ? message.slice(start) : message.slice(start, lineEnd + 1);
}

/** What was given on a command line as 'key=value', 'key:value' or 'key'. */
export function parseTrailer(text: string): Trailer {
  const at = text.search(/[=:]/);
  const key = (at < 0 ? text : text.slice(0, at)).trim();
  if (key === '') throw new InvalidError(`empty trailer token in trailer '${text}'`, { code: 'bad-trailer' });
  return { key, value: at < 0 ? '' : text.slice(at + 1).trim() };
}

/** The message with trailers added at its end, all written alike; one that repeats the trailer right before it is left out. */
export function appendTrailers(message: string, added: readonly Trailer[]): string {
  const { start, end } = findBlock(message);
  let result = message.slice(0, start) + message.slice(start, end).replace(/^([A-Za-z0-9-]+)[ \t]*:[ \t]*/gm, '$1: ') + message.slice(end);
  for (const { key, value } of added) {
    const last = parseTrailerBlock(result).at(-1);
    if (typeof last === 'object' && last.key.toLowerCase() === key.toLowerCase() && last.value === value) continue;
    result = appendLine(result, `${key}: ${value}`);
  }
  return result;
}

/** The message signed off by `person` ("Name <mail>"), unless its last trailer says so already. */
export function appendSignOff(message: string, person: string): string {
  const line = `Signed-off-by: ${person}`;
  const { start, end } = findBlock(message);
  if (splitLines(message.slice(start, end)).at(-1) === line) return message;
  // An empty message leaves its first line to whoever edits it.
  if (message === '') return `\n\n${line}\n`;
  return appendLine(message, line);
}

/** The message with a note where it was picked from, which counts as a trailer. */
export function appendOrigin(message: string, id: string): string {
  return appendLine(message, `(cherry picked from commit ${id})`);
}

function appendLine(message: string, line: string): string {
  const { start, end } = findBlock(message);
  const body = message.slice(0, end);
  const separator = body === '' ? '' : start < end ? '\n' : '\n\n';
  return `${body.replace(/\n$/, '')}${separator}${line}\n`;
}

function splitLines(text: string): string[] {
  return text === '' ? [] : text.replace(/\n$/, '').split('\n');
}

/**
 * The last paragraph counts when it is not the first and either all of it are trailers, or it has one that Git makes and at least a
 * quarter of its lines are trailers.
 */
function findBlock(message: string): Block {
  const end = message.replace(/\s+$/, '').length;
  const lines = message.slice(0, end).split('\n');
  let trailerLines = 0;
  let otherLines = 0;
  let continuations = 0;
  let isRecognized = false;
  let start = end;
  for (let at = lines.length - 1; at > 0; at -= 1) {
    const line = lines[at]!;
    if (line.trim() === '') {
      otherLines += continuations;
      const counts = trailerLines > 0 && (otherLines === 0 || (isRecognized && trailerLines * 3 >= otherLines));
      return { start: counts ? start : end, end };
    }
    if (line.startsWith('Signed-off-by: ') || line.startsWith('(cherry picked from commit ')) {
      isRecognized = true;
      trailerLines += 1;
      continuations = 0;
    } else if (/^\s/.test(line)) {
      continuations += 1;
    } else if (separatorAt(line) > 0) {
      trailerLines += 1;
      continuations = 0;
    } else {
      otherLines += 1 + continuations;
      continuations = 0;
    }
    start -= line.length + (at === lines.length - 1 ? 0 : 1);
  }
  return { start: end, end };
}

/** Where the ':' of a trailer line is; -1 when it is none. */
function separatorAt(line: string): number {
  const match = /^[A-Za-z0-9-]+[ \t]*:/.exec(line);
  return match === null ? -1 : match[0].length - 1;
}
