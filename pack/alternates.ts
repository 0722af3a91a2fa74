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

function resolved(path: string): string {
  return existsSync(path) ? realpathSync(path) : path;
}

/** The lines of info/alternates as absolute paths; comments are left out. */
function readAlternates(directory: string): string[] {
  const file = join(directory, 'info/alternates');
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8').split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => resolve(directory, line));
}
