// The rules of man/cairn-architecture.7, checked against the sources: imports look left, only X does Y, every command has a
// page and a test, and page and command list the same options.
import test from 'ava';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from '../plumbing/command.js';
import { plumbingCommands, porcelainCommands } from '../porcelain/commands.js';
import { version } from '../porcelain/main.js';
import { projectRoot } from './helpers/cairn.js';

const layers = ['pack', 'plumbing', 'porcelain'] as const;

function listSources(folder: string): string[] {
  return readdirSync(join(projectRoot, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return entry.name === 'assembly' ? [] : listSources(path);
    return entry.name.endsWith('.ts') && !entry.name.endsWith('.generated.ts') ? [path] : [];
  });
}

const sources = layers.flatMap(listSources);
const textOf = (path: string): string => readFileSync(join(projectRoot, path), 'utf8');
/** Comments and the insides of strings do not count as doing something. */
const codeOf = (path: string): string => textOf(path).replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|[^:'"`])\/\/.*$/gm, '$1');

interface Import { readonly from: string; readonly typeOnly: boolean; readonly dynamic: boolean }

function importsOf(path: string): Import[] {
  const code = codeOf(path);
  const found: Import[] = [];
  for (const match of code.matchAll(/^\s*(?:import|export)\s+(type\s)?[^;'"]*?from\s+'([^']+)'/gm)) {
    found.push({ from: match[2]!, typeOnly: match[1] !== undefined, dynamic: false });
  }
  for (const match of code.matchAll(/^\s*import\s+'([^']+)'/gm)) found.push({ from: match[1]!, typeOnly: false, dynamic: false });
  for (const match of code.matchAll(/(typeof\s+)?\bimport\(\s*'([^']+)'\s*\)(\.\w)?/g)) {
    found.push({ from: match[2]!, typeOnly: match[1] !== undefined || match[3] !== undefined && !/await\s*$/.test(code.slice(0, match.index)), dynamic: true });
  }
  for (const match of code.matchAll(/lazyModule<[^(]*>\(\s*'([^']+)'\s*\)/g)) found.push({ from: match[1]!, typeOnly: false, dynamic: true });
  return found;
}

function targetOf(path: string, from: string): string | undefined {
  if (!from.startsWith('.')) return undefined;
  return join(path, '..', from).replace(/\.js$/, '.ts');
}

test('imports only look left: pack <- plumbing <- porcelain', (t) => {
  const wrong: string[] = [];
  for (const path of sources) {
    const layer = layers.indexOf(path.split('/')[0] as (typeof layers)[number]);
    for (const { from } of importsOf(path)) {
      const target = targetOf(path, from);
      if (target === undefined) continue;
      const other = layers.indexOf(target.split('/')[0] as (typeof layers)[number]);
      if (other < 0 || other > layer) wrong.push(`${path} imports ${target}`);
    }
  }
  t.deepEqual(wrong, []);
});

test('no module imports a command; only the table of commands and main load them', (t) => {
  const wrong: string[] = [];
  for (const path of sources) {
    if (path === 'porcelain/commands.ts' || path === 'porcelain/main.ts') continue;
    for (const { from, typeOnly } of importsOf(path)) {
      if (!typeOnly && targetOf(path, from)?.includes('/commands/')) wrong.push(`${path} imports ${from}`);
    }
  }
  t.deepEqual(wrong, []);
});

/** Only the files named may import (or lazily load) the module. */
const homes: readonly (readonly [module: RegExp, files: readonly string[]])[] = [
  [/^yargs/, ['porcelain/main.ts']],
  [/^proper-lockfile$/, ['porcelain/gc.ts', 'porcelain/leases.ts']],
  [/^fs-extra$/, ['pack/disk.ts']],
  [/^(node:)?zlib$|^zlib-sync$/, ['pack/zlib.ts', 'pack/kernels/']],
  [/^(node:)?crypto$/, ['pack/oid.ts', 'pack/disk.ts']],
  [/^(node:)?process$/, ['porcelain/bin.ts']],
];

test('a package or builtin with a home is imported nowhere else', (t) => {
  const wrong: string[] = [];
  for (const path of sources) {
    for (const { from, typeOnly } of importsOf(path)) {
      for (const [module, files] of homes) {
        if (!typeOnly && module.test(from) && !files.some((file) => path.startsWith(file))) wrong.push(`${path} imports ${from}`);
      }
    }
  }
  t.deepEqual(wrong, []);
});

test('what is heavy to load is loaded only when used', (t) => {
  const heavy = /^node:(crypto|zlib|child_process|worker_threads|os|http|https|net|tty|readline|stream|util)$|^[a-z@]/;
  const wrong: string[] = [];
  for (const path of sources) {
    for (const { from, typeOnly, dynamic } of importsOf(path)) {
      if (!typeOnly && !dynamic && heavy.test(from) && !from.startsWith('.') && !/worker\.ts$/.test(path)
        && !['node:fs', 'node:path', 'node:module', 'node:url'].includes(from)) wrong.push(`${path} imports ${from}`);
    }
  }
  t.deepEqual(wrong, []);
});

/** Only the files named may contain the words. */
const deeds: readonly (readonly [deed: string, words: RegExp, files: readonly string[]])[] = [
  ['changes files', /\b(?:fs\.)?(?:writeFile|appendFile|rename|unlink|rm|rmdir|mkdir|mkdtemp|symlink|link|chmod|utimes|lutimes|ftruncate|truncate|fsync|copyFile|createWriteStream)(?:Sync)?\(\s*(?!\))/,
    ['pack/disk.ts']],
  ['writes to a descriptor', /\bfs\.writeSync\(|\bwriteSync\(/, ['pack/disk.ts', 'porcelain/bin.ts']],
  ['touches process', /(?<![.\w])process\.(?!program|pid|uid|host)\w/, ['porcelain/bin.ts']],
  ['uses the console', /\bconsole\.\w/, []],
  ['knows the suffix of lock files', /\.lock['`]/, ['plumbing/lockfile.ts']],
];

test('only the home of a deed does it', (t) => {
  const wrong: string[] = [];
  for (const path of sources) {
    for (const line of codeOf(path).split('\n')) {
      for (const [deed, words, files] of deeds) {
        if (!words.test(line) || files.includes(path) || line.includes('context.process.')) continue;
        // Methods of the same name on the disk in use are the way to do it.
        if (deed === 'changes files' && /disk\(?\)?\.|disk\.|#disk\.|^\s*(?:static |private |#)?\w+\([^)]*\)[^;]*\{\s*$/.test(line)) continue;
        if (deed === 'changes files' && !/\bfs\.|Sync\(/.test(line)) continue;
        wrong.push(`${path} ${deed}: ${line.trim()}`);
      }
    }
  }
  t.deepEqual(wrong, []);
});

test('no drawers: sources are named after one noun', (t) => {
  t.deepEqual(sources.filter((path) => /(^|\/)(index|utils?|common|helpers?|manager|types)\.ts$/.test(path)), []);
});

test('every source opens with what it is', (t) => {
  t.deepEqual(sources.filter((path) => !textOf(path).startsWith('//')), []);
});

const tables = { plumbing: plumbingCommands, porcelain: porcelainCommands };

test('every command file is in the table, and the other way round', (t) => {
  for (const [folder, table] of Object.entries(tables)) {
    const files = readdirSync(join(projectRoot, folder, 'commands')).filter((name) => name.endsWith('.ts')).map((name) => name.slice(0, -3)).sort();
    t.deepEqual(Object.keys(table).toSorted(), files, folder);
  }
});

const all = Object.entries({ ...plumbingCommands, ...porcelainCommands });

for (const [name, load] of all) {
  test(`cairn ${name}: the page and the command list the same options`, async (t) => {
    const { command } = await load();
    t.is(command.name, name);
    const page = join(projectRoot, 'man', `cairn-${name}.1`);
    t.true(existsSync(page), `man/cairn-${name}.1 is missing`);
    const text = readFileSync(page, 'utf8');
    for (const section of ['NAME', 'SYNOPSIS', 'DESCRIPTION']) t.regex(text, new RegExp(`^\\.SH "?${section}"?$`, 'm'), section);
    t.deepEqual(documentedOptions(text), declaredOptions(command));
  });
}

/** `--long` and `-x` at the heads of the OPTIONS section's entries. */
function documentedOptions(page: string): string[] {
  const section = /^\.SH "?OPTIONS"?\n([\s\S]*?)(?=^\.SH |$(?![\s\S]))/m.exec(page)?.[1] ?? '';
  const found = new Set<string>();
  const lines = section.split('\n');
  for (let at = 0; at < lines.length; at += 1) {
    if (lines[at] !== '.TP' && lines[at] !== '.TQ') continue;
    const head = lines[at + 1] ?? '';
    const plain = head.replace(/^\.[BIR]+ /, '').replace(/\\f[BIRP]/g, '').replace(/\\-/g, '-').replace(/"/g, '').replace(/\[no-\]/g, '');
    for (const match of plain.matchAll(/(?<![\w-])(--[a-z0-9][\w-]*|-[A-Za-z0-9?](?![\w-]))/g)) found.add(match[1]!);
  }
  return [...found].sort();
}

function declaredOptions(command: Command): string[] {
  const found = new Set<string>();
  for (const option of command.options) {
    if (option.hidden) continue;
    if (option.short !== undefined) found.add(`-${option.short}`);
    found.add(option.name.length === 1 ? `-${option.name}` : `--${option.name}`);
  }
  return [...found].sort();
}

test('every command has a test that names it', (t) => {
  const tests = listTests('test').map((path) => readFileSync(join(projectRoot, path), 'utf8')).join('\n');
  const untested = all.map(([name]) => name).filter((name) => !new RegExp(`['"\` ]${name}['"\` ]`).test(tests));
  t.deepEqual(untested, []);
});

function listTests(folder: string): string[] {
  return readdirSync(join(projectRoot, folder), { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? listTests(`${folder}/${entry.name}`) : entry.name.endsWith('.test.ts') ? [`${folder}/${entry.name}`] : []);
}

test('the version is the same everywhere', (t) => {
  t.is(version, JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')).version);
});

/** What npm found where, as package-lock.json records it; `''` is the project itself. */
interface LockedPackage {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

test('npm ci finds every package that is asked for in the lock file, those of other platforms included', (t) => {
  const locked = JSON.parse(readFileSync(join(projectRoot, 'package-lock.json'), 'utf8')).packages as Record<string, LockedPackage>;
  const missing: string[] = [];
  for (const [place, found] of Object.entries(locked)) {
    const wanted = { ...found.dependencies, ...found.optionalDependencies, ...(place === '' ? found.devDependencies : {}) };
    for (const name of Object.keys(wanted)) if (!isLocked(locked, place, name)) missing.push(`${name}, for ${place}`);
  }
  t.deepEqual(missing, []);
});

/** Node looks in node_modules beside the package, then beside what it is installed in, and so on. */
function isLocked(locked: Readonly<Record<string, LockedPackage>>, place: string, name: string): boolean {
  for (let at = place; ; at = at.replace(/(^|\/)node_modules\/(@[^/]+\/)?[^/]+$/, '')) {
    if (`${at}${at === '' ? '' : '/'}node_modules/${name}` in locked) return true;
    if (at === '') return false;
  }
}
