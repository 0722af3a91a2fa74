// The parts of fast-import's commands: identities with dates in the format that was chosen, and paths with or without quotes
// (git-fast-import(1), "Date Formats" and "filemodify"). Text is latin1.
import { InvalidError } from '../../pack/errors.js';
import type { Clock } from '../command.js';
import { findExactDate, formatOffset } from '../date.js';
import type { ImportDateFormat } from './import-options.js';
import { type PathProtection, findPathFault } from '../path-safety.js';
import { cUnquote } from '../quote.js';

/** "Name <mail> when" as a header of a commit; InvalidError when a part is missing or the date is not in the format. */
export function parseImportIdent(text: string, format: ImportDateFormat, clock: Clock): string {
  const found = /^(?:([^<>]*) |)<([^<>]*)> (.*)$/s.exec(text);
  if (!found) throw new InvalidError(`'${text}' is not an identity: Name <mail> and a date`, { code: 'bad-identity' });
  return `${found[1] ?? ''} <${found[2]}> ${parseWhen(found[3]!, format, clock)}`;
}

function parseWhen(text: string, format: ImportDateFormat, clock: Clock): string {
  switch (format) {
    case 'now': {
      if (text !== 'now') throw new InvalidError(`date in ident must be 'now': ${text}`, { code: 'bad-date' });
      const now = clock.nowMs();
      return `${Math.floor(now / 1000)} ${formatOffset(clock.offsetMinutes(now))}`;
    }
    case 'rfc2822': {
      const date = findExactDate(text, clock);
      if (date === undefined) throw new InvalidError(`invalid rfc2822 date '${text}'`, { code: 'bad-date' });
      return `${date.seconds} ${date.offset}`;
    }
    default: {
      const found = /^[0-9]{1,19} [-+]([0-9]{1,9})$/.exec(text);
      if (!found || format === 'raw' && Number(found[1]) > 1400) throw new InvalidError(`invalid raw date '${text}'`, { code: 'bad-date' });
      return text;
    }
  }
}

/** A path that ends with the line; '' is the root. InvalidError for one that may not be written. */
export function parseWholePath(text: string, protection: PathProtection): string {
  if (!text.startsWith('"')) return checked(text, protection);
  const { value, end } = cUnquote(text);
  if (end !== text.length) throw new InvalidError(`garbage after path: ${text}`, { code: 'bad-path' });
  return checked(value, protection);
}

/** A path that ends with a space unless it is quoted, and what follows. */
export function parsePathBefore(text: string, protection: PathProtection): { readonly path: string; readonly rest: string } {
  const quoted = text.startsWith('"') ? cUnquote(text) : undefined;
  const end = quoted?.end ?? text.indexOf(' ');
  if (end < 0 || text[end] !== ' ') throw new InvalidError(`missing space after source: ${text}`, { code: 'bad-path' });
  return { path: checked(quoted?.value ?? text.slice(0, end), protection), rest: text.slice(end + 1) };
}

function checked(path: string, protection: PathProtection): string {
  const fault = path === '' ? undefined : findPathFault(path, protection);
  if (fault !== undefined) throw new InvalidError(`invalid path '${path}': ${fault}`, { code: 'unsafe-path' });
  return path;
}
