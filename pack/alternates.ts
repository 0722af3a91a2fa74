// Objects directories a store reads besides its own: those the caller names and those in objects/info/alternates, which may name
// further ones (gitrepository-layout(5)). Each once, however many ways lead to it; a directory that is not there is passed over.
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { join, resolve } from 'node:path';

const deepestAlternates = 5;

/** Our directory, then alternates in order, each once; they may name further ones, up to a depth. */
export function listObjectDirectories(directory: string, extra: readonly string[]): string[] {
  const seen = new Set<string>([resolved(directory)]);
  const sources = [directory];
  const add = (path: string, depth: number): void => {
    if (depth > deepestAlternates || !existsSync(path) || seen.has(resolved(path))) return;
    seen.add(resolved(path));
    sources.push(path);
    for (const next of readAlternates(path)) add(next, depth + 1);
  };
  for (const path of extra) add(path, 0);
  for (const path of readAlternates(directory)) add(path, 0);
  return sources;
}

/** The directories info/alternates names that are not there. */
export function listMissingAlternates(directory: string): string[] {
  return readAlternates(directory).filter((path) => !existsSync(path));
}

function resolved(path: string): string {
  return existsSync(path) ? realpathSync(path) : path;
}

/** The lines of info/alternates as absolute paths; comments are left out. */
function readAlternates(directory: string): string[] {
  const file = join(directory, 'info/alternates');
  if (!existsSync(file)) return [];
  return splitAlternates(readFileSync(file, 'utf8'), '\n').map((path) => resolve(directory, path));
}

const escapedLetters: Readonly<Record<string, string>> = { a: '\x07', b: '\b', t: '\t', n: '\n', v: '\v', f: '\f', r: '\r' };

/** Paths in a list; comments are left out, and a path may stand in double quotes as C has them, in which case it may hold the separator. */
export function splitAlternates(text: string, separator: string): string[] {
  const paths: string[] = [];
  for (let at = 0; at < text.length;) {
    const quoted = /^"((?:[^"\\]|\\[^])*)"/.exec(text.slice(at));
    const end = text.indexOf(separator, at + (quoted?.[0].length ?? 0));
    const word = text.slice(at, end < 0 ? undefined : end);
    at = end < 0 ? text.length : end + 1;
    if (word === '' || word.startsWith('#')) continue;
    paths.push(quoted !== null && quoted[0] === word ? unescaped(quoted[1]!) : word);
  }
  return paths;
}

/** Escapes of bytes stand for UTF-8. */
function unescaped(text: string): string {
  const bytes = Buffer.from(text).toString('latin1').replace(/\\(?:([0-3][0-7]{2})|([^]))/g, (_whole, octal: string | undefined, letter: string) =>
    (octal === undefined ? escapedLetters[letter] ?? letter : String.fromCharCode(Number.parseInt(octal, 8))));
  return Buffer.from(bytes, 'latin1').toString();
}
