// Who and when, as commits, tags and reflogs write it: "Name <mail> seconds offset". Names are latin1 byte strings, so that
// they round-trip whatever their encoding; the offset is kept as written ("-0000" is not "+0000").
import { InvalidError } from './errors.js';

export interface Ident {
  /** latin1 bytes; may be empty. */
  readonly name: string;
  /** latin1 bytes, without the angle brackets. */
  readonly email: string;
  /** Since 1970, UTC. */
  readonly seconds: number;
  /** As written, e.g. '+0100'. */
  readonly offset: string;
}

/** Reads a well-formed line; InvalidError otherwise. */
export function parseIdent(line: string): Ident {
  const match = /^([^<>\n]*?) ?<([^<>\n]*)> (0|[1-9][0-9]*) ([+-][0-9]{4})$/.exec(line);
  const seconds = match ? Number(match[3]) : NaN;
  if (!match || !Number.isSafeInteger(seconds)) throw new InvalidError(`'${line}' is not an identity`, { code: 'bad-identity' });
  return { name: match[1]!, email: match[2]!, seconds, offset: match[4]! };
}

/** Reads what old tools wrote as well as it can, as git does: the outermost '<' and '>' delimit the mail, a missing date is 0. */
export function parseIdentLoosely(line: string): Ident {
  const open = line.indexOf('<');
  const close = open < 0 ? -1 : line.indexOf('>', open);
  if (close < 0) return { name: line.trim(), email: '', seconds: 0, offset: '+0000' };
  const date = /^\s*([0-9]+)(?:\s+([+-][0-9]+))?/.exec(line.slice(line.lastIndexOf('>') + 1));
  const seconds = date ? Number(date[1]) : 0;
  return {
    name: line.slice(0, open).trim(),
    email: line.slice(open + 1, close).trim(),
    seconds: Number.isSafeInteger(seconds) ? seconds : 0,
    offset: date?.[2] ?? '+0000',
  };
}

/** "Name <mail> 123 +0100": what parseIdent reads back. */
export function formatIdent(ident: Ident): string {
  return `${ident.name} <${ident.email}> ${ident.seconds} ${ident.offset}`;
}

/** Minutes east of UTC that an offset as written stands for; 0 when it cannot be read. */
export function offsetMinutes(offset: string): number {
  const match = /^([+-])([0-9]+)$/.exec(offset);
  if (!match) return 0;
  const number = Number(match[2]);
  const minutes = Math.trunc(number / 100) * 60 + (number % 100);
  return match[1] === '-' ? -minutes : minutes;
}
