// Commits: header lines ("tree", "parent"*, "author", "committer", "encoding"?, others), an empty line, the message.
// A header's value may go on over several lines, each beginning with a space (gpgsig, mergetag).
//
// Reading is as tolerant as git's reader: tree and parents must be well formed, identities are read as well as can be.
// For what decodes strictly, encodeCommit gives the same bytes back.
import { CorruptError, InvalidError } from './errors.js';
import { formatIdent, parseIdentLoosely } from './ident.js';
import type { Ident } from './ident.js';
import { isObjectId } from './oid.js';
import type { ObjectFormat, ObjectId } from './oid.js';

/** One header that has no field of its own; `value` is latin1, lines joined by '\n'. */
export interface ExtraHeader {
  readonly key: string;
  readonly value: string;
}

export interface Commit {
  readonly tree: ObjectId;
  readonly parents: readonly ObjectId[];
  readonly author: Ident;
  readonly committer: Ident;
  /** Of the message and the names; UTF-8 when absent. */
  readonly encoding?: string;
  /** In stored order: gpgsig, mergetag and whatever else. */
  readonly extraHeaders: readonly ExtraHeader[];
  readonly message: Buffer;
}

/** Header lines up to the empty line, continuation lines joined, and where the message begins. */
export function splitHeaders(bytes: Buffer): { headers: ExtraHeader[]; messageAt: number } {
  const headers: ExtraHeader[] = [];
  let at = 0;
  while (at < bytes.length && bytes[at] !== 0x0a) {
    const newline = bytes.indexOf(0x0a, at);
    const end = newline < 0 ? bytes.length : newline;
    const line = bytes.toString('latin1', at, end);
    const last = headers.at(-1);
    if (line.startsWith(' ') && last) {
      headers[headers.length - 1] = joined(bytes, last, at);
      at = continuationEnd(bytes, at);
      continue;
    }
    const space = line.indexOf(' ');
    headers.push(space < 0 ? { key: line, value: '' } : { key: line.slice(0, space), value: line.slice(space + 1) });
    at = end + 1;
  }
  return { headers, messageAt: Math.min(at + 1, bytes.length) };
}

function continuationEnd(bytes: Buffer, from: number): number {
  let at = from;
  while (bytes[at] === 0x20) {
    const newline = bytes.indexOf(0x0a, at);
    if (newline < 0) return bytes.length;
    at = newline + 1;
  }
  return at;
}

/** `header` with the continuation lines beginning at `from`, in time linear in their length. */
function joined(bytes: Buffer, header: ExtraHeader, from: number): ExtraHeader {
  const end = continuationEnd(bytes, from);
  const text = bytes.toString('latin1', from, bytes[end - 1] === 0x0a ? end - 1 : end);
  return { key: header.key, value: `${header.value}\n${text.slice(1).replaceAll('\n ', '\n')}` };
}

/** CorruptError when tree, parents, author or committer are missing or out of order. */
export function decodeCommit(bytes: Buffer, format: ObjectFormat): Commit {
  const { headers, messageAt } = splitHeaders(bytes);
  let at = 0;
  const next = (key: string): string | undefined => (headers[at]?.key === key ? headers[at++]!.value : undefined);
  const idOf = (value: string | undefined, key: string): ObjectId => {
    if (value === undefined || !isObjectId(value, format)) throw damaged(`its '${key}' line is missing or malformed`);
    return value;
  };
  const tree = idOf(next('tree'), 'tree');
  const parents: ObjectId[] = [];
  for (let value = next('parent'); value !== undefined; value = next('parent')) parents.push(idOf(value, 'parent'));
  const author = next('author');
  // Some old tools wrote the author twice; git reads the first.
  while (headers[at]?.key === 'author') at += 1;
  const committer = next('committer');
  if (author === undefined || committer === undefined) throw damaged('its author or committer is missing');
  const encoding = next('encoding');
  const extraHeaders = headers.slice(at);
  const later = encoding ?? extraHeaders.find(({ key }) => key === 'encoding')?.value;
  return {
    tree, parents,
    author: parseIdentLoosely(author),
    committer: parseIdentLoosely(committer),
    ...(later === undefined ? {} : { encoding: later }),
    extraHeaders,
    message: bytes.subarray(messageAt),
  };
}

function damaged(what: string): CorruptError {
  return new CorruptError(`commit is damaged: ${what}`, { code: 'bad-commit' });
}

/** The bytes of a commit; InvalidError when a field would break the header's lines. */
export function encodeCommit(commit: Commit): Buffer {
  const lines = [`tree ${commit.tree}`, ...commit.parents.map((parent) => `parent ${parent}`)];
  lines.push(`author ${formatIdent(commit.author)}`, `committer ${formatIdent(commit.committer)}`);
  if (commit.encoding !== undefined && !commit.extraHeaders.some(({ key }) => key === 'encoding')) {
    lines.push(`encoding ${commit.encoding}`);
  }
  for (const line of lines) {
    if (/[\n\0]/.test(line)) throw new InvalidError(`'${line}' cannot be a line of a commit`, { code: 'bad-header' });
  }
  lines.push(...encodeExtraHeaders(commit.extraHeaders));
  return Buffer.concat([Buffer.from(`${lines.join('\n')}\n\n`, 'latin1'), commit.message]);
}

/** Extra headers as stored: every line of a value after the first begins with a space. */
export function encodeExtraHeaders(headers: readonly ExtraHeader[]): string[] {
  return headers.map(({ key, value }) => {
    if (key === '' || /[ \n\0]/.test(key) || value.includes('\0')) {
      throw new InvalidError(`'${key}' cannot be a header`, { code: 'bad-header' });
    }
    return `${key} ${value.replaceAll('\n', '\n ')}`;
  });
}
