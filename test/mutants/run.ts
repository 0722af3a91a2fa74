// `npm run mutants [-- <part of a name> ...]`: takes one fsync, one look, one comparison at a time out of a copy of the sources and runs the
// tests that should notice; prints who did. A mutant nobody notices is a failure, unless it says why that does no harm.
//
// CAIRN_MUTANTS_LIST=1 only lists them. The copy is beside the sources' own build and removed at the end; the sources are never touched.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { transformSync } from 'esbuild';
import { projectRoot } from '../helpers/cairn.js';
import { type Mutant, listFsyncMutants, namedMutants } from './mutants.js';

const print = (line: string): void => { process.stdout.write(`${line}\n`); };
const wanted = process.argv.slice(2);
const mutants = [...listFsyncMutants(projectRoot), ...namedMutants].filter(({ name }) => wanted.length === 0 || wanted.some((word) => name.includes(word)));
const copy = mkdtempSync(join(tmpdir(), 'cairn-mutants-'));
const longestMs = 240_000;

/** The source with the mutation in it; an edit that does not fit any more is an error, so that the list stays true. */
function mutate({ name, file, edits }: Mutant): string {
  let source = readFileSync(join(projectRoot, file), 'utf8');
  for (const { find, put, at } of edits) {
    const index = at ?? source.indexOf(find);
    const isThere = source.startsWith(find, index) && index >= 0 && (at !== undefined || source.indexOf(find, index + 1) < 0);
    if (!isThere) throw new Error(`${name}: '${find.split('\n')[0]}' is not there exactly once in ${file}`);
    source = source.slice(0, index) + put + source.slice(index + find.length);
  }
  return source;
}

/** Puts a source into the copy, compiled. */
function install(file: string, source: string, isProgram: boolean): void {
  writeFileSync(join(copy, file), source);
  writeFileSync(join(copy, 'dist/lib', file.replace(/ts$/, 'js')), transformSync(source, { loader: 'ts', format: 'esm', target: 'node20.19' }).code);
  if (!isProgram) return;
  const built = spawnSync(process.execPath, ['.ci/build.mjs', 'cli'], { cwd: copy, encoding: 'utf8' });
  if (built.status !== 0) throw new Error(built.stderr);
}

/** True when the suite fails. */
function isNoticedBy(suite: string): boolean {
  const [program, ...words] = commandOf(suite);
  const { status } = spawnSync(process.execPath, [program!, ...words], {
    cwd: copy, timeout: longestMs, killSignal: 'SIGKILL', stdio: 'ignore', env: { ...process.env, CAIRN_CRASH_ONLY: 'cut', CAIRN_CRASH_DRAWS: '4' },
  });
  return status !== 0;
}

function commandOf(suite: string): string[] {
  if (suite.startsWith('crash: ')) return ['dist/lib/test/crash/run.js', ...suite.slice('crash: '.length).split('; ')];
  const path = suite === 'rot' ? 'crash/bit-rot.test' : suite;
  return ['node_modules/ava/entrypoints/cli.mjs', '--fail-fast', `dist/lib/test/${path}.js`];
}

let green = 0;
try {
  for (const name of ['pack', 'plumbing', 'porcelain', 'dist', '.ci', 'package.json', 'tsconfig.json']) cpSync(join(projectRoot, name), join(copy, name), { recursive: true });
  symlinkSync(join(projectRoot, 'node_modules'), join(copy, 'node_modules'));
  for (const suite of new Set(mutants.flatMap(({ suites }) => suites))) {
    const [file] = commandOf(suite).slice(-1);
    if (file!.endsWith('.test.js') && !existsSync(join(copy, file!))) throw new Error(`there is no suite '${suite}'`);
  }
  for (const mutant of mutants) {
    const source = mutate(mutant);
    if (process.env['CAIRN_MUTANTS_LIST'] !== undefined) {
      print(`${mutant.name}: ${mutant.suites.join(', ')}${mutant.harmless === undefined ? '' : ` (${mutant.harmless})`}`);
      continue;
    }
    const startMs = performance.now();
    install(mutant.file, source, mutant.isProgram === true);
    const by = mutant.suites.find(isNoticedBy);
    install(mutant.file, readFileSync(join(projectRoot, mutant.file), 'utf8'), mutant.isProgram === true);
    if (by === undefined && mutant.harmless === undefined) green += 1;
    print(`${by === undefined ? (mutant.harmless === undefined ? 'GREEN' : 'harmless') : 'red'}\t${mutant.name}\t${by ?? mutant.harmless ?? `not noticed by ${mutant.suites.join(', ')}`}\t${Math.round((performance.now() - startMs) / 1000)} s`);
  }
} finally {
  rmSync(copy, { recursive: true, force: true });
}
print(`${mutants.length} mutants, ${green} of them noticed by nobody`);
process.exitCode = green === 0 ? 0 : 1;
