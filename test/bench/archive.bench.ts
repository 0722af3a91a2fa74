// How cairn archive create, which proves what it wrote, compares with git bundle create, which proves nothing: wall and processor time of whole
// processes and the most memory, as ratios to git (below 1 is better). `node dist/lib/test/bench/archive.bench.js [case ...]`; cases: committed
// (packs as commits left them), packed (one pack, as git gc leaves it, which git only copies), noise (large files that nothing compresses).
//
// Set by the environment: CAIRN_BENCH_MEGABYTES (500), CAIRN_BENCH_ROUNDS (3), CAIRN_BENCH_DIRECTORY (a new temporary one).
// Rounds of both programs alternate; nothing is removed before the end, for that slows down ext4.
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { cairnProgram } from '../helpers/cairn.js';
import { seededRandom } from '../helpers/sandbox.js';
import { cleanEnvironment } from '../helpers/stock-git.js';

const megabytes = setting('MEGABYTES', 500);
const rounds = setting('ROUNDS', 3);
const wanted = process.argv.slice(2);
const given = process.env['CAIRN_BENCH_DIRECTORY'];
const top = given ?? mkdtempSync(join(tmpdir(), 'cairn-archives-'));
mkdirSync(top, { recursive: true });

function setting(name: string, fallback: number): number {
  const value = Number(process.env[`CAIRN_BENCH_${name}`] ?? fallback);
  if (!Number.isSafeInteger(value) || value < 1) throw new Error(`CAIRN_BENCH_${name} is not a positive number`);
  return value;
}

interface Measured {
  readonly ms: number;
  readonly cpuMs: number;
  readonly mebibytes: number;
  readonly bytes: number;
}

/** Runs a program below /usr/bin/time. */
function measure(output: string, argv: readonly string[]): Measured {
  const start = performance.now();
  const result = spawnSync('/usr/bin/time', ['-f', '%U %S %M', ...argv], { cwd: top, env: { ...cleanEnvironment, PATH: process.env['PATH'] ?? '' }, encoding: 'latin1' });
  const ms = performance.now() - start;
  if (result.status !== 0) throw new Error(`${argv.join(' ')}: ${result.stderr}`);
  const [user = 0, system = 0, kibibytes = 0] = result.stderr.trim().split('\n').at(-1)!.split(' ').map(Number);
  return { ms, cpuMs: (user + system) * 1000, mebibytes: kibibytes / 1024, bytes: statSync(join(top, output)).size };
}

function run(cwd: string, argv: readonly string[]): void {
  const result = spawnSync(argv[0]!, argv.slice(1), { cwd, env: { ...cleanEnvironment, PATH: process.env['PATH'] ?? '' }, encoding: 'latin1' });
  if (result.status !== 0) throw new Error(`${argv.join(' ')}: ${result.stderr}`);
}

/** A repository of six snapshots: text of which a little changes each time, or noise. */
function makeRepository(directory: string, isNoise: boolean): void {
  if (existsSync(directory)) return;
  mkdirSync(directory);
  run(directory, [cairnProgram, 'init', '-q', '.']);
  const random = seededRandom(11);
  const words = Array.from({ length: 5000 }, () => Math.floor(random() * 1e9).toString(36));
  const fileBytes = isNoise ? 20_000_000 : 100_000;
  const count = Math.max(1, Math.floor((megabytes * 1_000_000) / fileBytes));
  const nameOf = (file: number): string => join(directory, `d${file % 40}`, `f${file}`);
  for (let file = 0; file < count; file += 1) {
    mkdirSync(join(directory, `d${file % 40}`), { recursive: true });
    if (isNoise) {
      writeFileSync(nameOf(file), randomBytes(fileBytes));
      continue;
    }
    let text = '';
    while (text.length < fileBytes) text += words[Math.floor(random() * random() * 5000)]! + (random() < 0.1 ? '\n' : ' ');
    writeFileSync(nameOf(file), text);
  }
  for (let snapshot = 0; snapshot < 6; snapshot += 1) {
    for (let file = snapshot; snapshot > 0 && file < count; file += 5) if (!isNoise) appendFileSync(nameOf(file), `change ${snapshot}\n`);
    run(directory, [cairnProgram, 'commit', '-q', '-A', '--allow-empty', '-m', `snapshot ${snapshot}`]);
  }
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!;

for (const name of ['committed', 'packed', 'noise']) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const repository = join(top, name);
  makeRepository(repository, name === 'noise');
  if (name === 'packed') run(top, ['git', '--git-dir', join(repository, '.cairn'), '-c', 'gc.auto=0', 'repack', '-adq']);
  const results: { readonly git: Measured[]; readonly cairn: Measured[] } = { git: [], cairn: [] };
  for (let round = 0; round < rounds; round += 1) {
    results.git.push(measure(`${name}.bundle`, ['git', '--git-dir', join(repository, '.cairn'), 'bundle', 'create', '-q', `${name}.bundle`, '--all']));
    results.cairn.push(measure(`${name}.cairn`, [cairnProgram, '-C', repository, 'archive', 'create', join(top, `${name}.cairn`), '--all', '--force', '--scratch-root', top]));
  }
  const shown = (['ms', 'cpuMs', 'mebibytes', 'bytes'] as const).map((key) => {
    const git = median(results.git.map((one) => one[key]));
    const ours = median(results.cairn.map((one) => one[key]));
    return `${key} ${Math.round(ours)} (${(ours / git).toFixed(2)}x of ${Math.round(git)})`;
  });
  process.stdout.write(`${name.padEnd(10)} ${shown.join('  ')}\n`);
}
if (given === undefined) rmSync(top, { recursive: true, force: true });
