// A private directory per test, removed afterwards. Tests never share a directory and never chdir.
import type { ExecutionContext } from 'ava';
import { accessSync, chmodSync, constants, lstatSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** Where files live in memory, so that fsync costs nothing; undefined where there is no such place. */
const memory = ['/dev/shm'].find((path) => {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
});

/** A fresh absolute directory, removed when the test ends; `inMemory` for tests that sync much and measure nothing. */
export function makeSandbox(t: ExecutionContext, options: { readonly inMemory?: boolean } = {}): string {
  const place = (options.inMemory && process.env['TMPDIR'] === undefined ? memory : undefined) ?? tmpdir();
  const directory = realpathSync(mkdtempSync(join(place, 'cairn-test-')));
  t.teardown(() => removeAll(directory));
  return directory;
}

function removeAll(directory: string): void {
  try {
    rmSync(directory, { recursive: true, force: true });
  } catch (error) {
    // Directories made read-only on purpose are opened up first; then removal must succeed.
    openUp(directory);
    rmSync(directory, { recursive: true, force: true });
    if (!(error instanceof Error)) throw error;
  }
}

function openUp(path: string): void {
  if (!lstatSync(path).isDirectory()) return;
  chmodSync(path, 0o700);
  for (const name of readdirSync(path)) openUp(join(path, name));
}

/** What to put at a path: text or bytes, an executable, a symbolic link. */
export type FileSpec = string | Buffer | { readonly executable: string } | { readonly link: string };

/** Writes files below `root`, parents included. */
export function writeFiles(root: string, files: Readonly<Record<string, FileSpec>>): void {
  for (const [path, spec] of Object.entries(files)) {
    const full = join(root, path);
    mkdirSync(dirname(full), { recursive: true });
    if (typeof spec === 'string' || Buffer.isBuffer(spec)) writeFileSync(full, spec);
    else if ('link' in spec) symlinkSync(spec.link, full);
    else writeFileSync(full, spec.executable, { mode: 0o755 });
  }
}

/** A seeded source of numbers in [0, 1), so that a failing case can be run again. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
