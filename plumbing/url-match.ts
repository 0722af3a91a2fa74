// Which of the URLs in the configuration (http.<url>.*) is about a URL, and which of several is about it most: git-config(1), "http.<url>.*" and
// --get-urlmatch. URLs are compared in one spelling. Nothing here touches a disk.
import { InvalidError } from '../pack/errors.js';
import type { ConfigEntry } from './config.js';

/** A URL in one spelling. */
export interface PlainUrl {
  readonly scheme: string;
  readonly user: string | undefined;
  readonly host: string;
  readonly port: string;
  /** Begins with a slash. */
  readonly path: string;
}

/** How well a pattern fits: compared in this order. */
interface Fit {
  readonly hostLength: number;
  readonly pathLength: number;
  readonly isUser: boolean;
}

const usualPorts: Readonly<Record<string, string>> = { http: '80', https: '443' };

/** The URL in its plain spelling; undefined when it is none. In a pattern a host may have '*' for one of its parts. */
export function findPlainUrl(text: string, isPattern = false): PlainUrl | undefined {
  const found = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/(?:([^/?#]*)@)?(\[[0-9A-Fa-f:.]+\]|[^:/?#[\]]*)(?::([0-9]*))?(\/[^?#]*)?((?:\?|#)[^]*)?$/.exec(text);
  if (found === null) return undefined;
  const [, scheme, login, host, port = '', path = '/', rest = ''] = found;
  const lowered = scheme!.toLowerCase();
  if (host === '' && lowered !== 'file') return undefined;
  if (!/^[A-Za-z0-9.\-_*[\]:%]*$/.test(host!) || (!isPattern && host!.includes('*'))) return undefined;
  const number = port === '' ? '' : String(Number(port));
  if (number !== '' && (Number(number) < 1 || Number(number) > 65535)) return undefined;
  const plainPath = removeDots(unescapePlain(path));
  const user = login === undefined ? undefined : unescapePlain(login.split(':', 1)[0]!);
  if (plainPath === undefined) return undefined;
  return { scheme: lowered, user, host: host!.toLowerCase(), port: number === usualPorts[lowered] ? '' : number, path: plainPath + unescapePlain(rest) };
}

/** Escapes of characters that need none go; others are written in capitals. */
function unescapePlain(text: string): string {
  return text.replace(/%([0-9A-Fa-f]{2})/g, (whole, digits: string) => {
    const character = String.fromCharCode(Number.parseInt(digits, 16));
    return /[A-Za-z0-9\-._~]/.test(character) ? character : whole.toUpperCase();
  });
}

/** Undefined when '..' leads above the top. */
function removeDots(path: string): string | undefined {
  const parts: string[] = [];
  const words = path.split('/').slice(1);
  for (const [at, word] of words.entries()) {
    const isLast = at === words.length - 1;
    if (word === '.' || word === '..') {
      if (word === '..' && parts.pop() === undefined) return undefined;
      if (isLast) parts.push('');
    } else {
      parts.push(word);
    }
  }
  return `/${parts.join('/')}`;
}

function findFit(url: PlainUrl, pattern: PlainUrl): Fit | undefined {
  if (url.scheme !== pattern.scheme || url.port !== pattern.port) return undefined;
  if (pattern.user !== undefined && pattern.user !== url.user) return undefined;
  const labels = url.host.split('.');
  const wanted = pattern.host.split('.');
  if (labels.length !== wanted.length || !wanted.every((label, at) => label === '*' || label === labels[at])) return undefined;
  const bare = pattern.path.replace(/\/$/, '');
  if (url.path !== bare && !url.path.startsWith(`${bare}/`)) return undefined;
  return { hostLength: pattern.host.length, pathLength: bare.length + 1, isUser: pattern.user !== undefined };
}

function isWorse(one: Fit, two: Fit): boolean {
  if (one.hostLength !== two.hostLength) return one.hostLength < two.hostLength;
  if (one.pathLength !== two.pathLength) return one.pathLength < two.pathLength;
  return !one.isUser && two.isUser;
}

/**
 * The variables of `section` that are about `url`, by name without URL, each from where it fits best; of equals the last one counts.
 * InvalidError when `url` is none.
 */
export function matchUrl(entries: readonly ConfigEntry[], section: string, url: string): Map<string, ConfigEntry> {
  const plain = findPlainUrl(url);
  if (plain === undefined) throw new InvalidError(`'${url}' is no URL`, { code: 'bad-url' });
  const found = new Map<string, { readonly entry: ConfigEntry; readonly fit: Fit }>();
  for (const entry of entries) {
    if (!entry.name.startsWith(`${section}.`)) continue;
    const last = entry.name.lastIndexOf('.');
    let fit: Fit | undefined = { hostLength: 0, pathLength: 0, isUser: false };
    if (last > section.length) {
      const pattern = findPlainUrl(entry.name.slice(section.length + 1, last), true);
      fit = pattern === undefined ? undefined : findFit(plain, pattern);
    }
    if (fit === undefined) continue;
    const name = `${section}.${entry.name.slice(last + 1)}`;
    const former = found.get(name);
    if (former === undefined || !isWorse(fit, former.fit)) found.set(name, { entry, fit });
  }
  return new Map([...found].sort(([one], [two]) => (one < two ? -1 : 1)).map(([name, { entry }]) => [name, entry]));
}
