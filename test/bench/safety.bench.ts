// What safety costs: how much longer a commit of many files and an update-ref take for being durable and announced to sweeps, measured inside
// of each call (safety-meter.ts), and how long a gc --auto takes that finds nothing to do, beside node's own start. Medians.
// `node dist/lib/test/bench/safety.bench.js`; CAIRN_BENCH_ROUNDS (5), CAIRN_BENCH_FILES (20000), CAIRN_BENCH_DIRECTORY as for the others.
//
// What is not in the sums: looking whether an object is there before a ref names it, one or two lookups per ref.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { cairnProgram } from '../helpers/cairn.js';
import { cleanEnvironment } from '../helpers/stock-git.js';

const rounds = Number(process.env['CAIRN_BENCH_ROUNDS'] ?? 5);
const files = Number(process.env['CAIRN_BENCH_FILES'] ?? 20_000);
const given = process.env['CAIRN_BENCH_DIRECTORY'];
const top = given ?? mkdtempSync(join(tmpdir(), 'cairn-bench-'));
mkdirSync(top, { recursive: true });
const meter = join(top, 'meter');

interface Spent {
  readonly wholeMs: number;
  readonly durableMs: number;
  readonly announcedMs: number;
  readonly fsyncs: number;
}

function run(argv: readonly string[], cwd: string, env: Readonly<Record<string, string>> = {}): number {
  const startMs = performance.now();
  const { status, stderr } = spawnSync(process.execPath, argv, { cwd, env: { ...cleanEnvironment, ...env }, stdio: ['ignore', 'ignore', 'pipe'] });
  if (status !== 0) throw new Error(`${argv.join(' ')} failed: ${String(stderr)}`);
  return performance.now() - startMs;
}

/** One call of the program, and what of it safety took. */
function measure(words: readonly string[], cwd: string): Spent {
  const wholeMs = run(['--import', join(import.meta.dirname, 'safety-meter.js'), cairnProgram, ...words], cwd, { CAIRN_METER: meter });
  return { wholeMs, ...JSON.parse(readFileSync(meter, 'utf8')) as Omit<Spent, 'wholeMs'> };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

function report(name: string, all: readonly Spent[], aim: string): void {
  const safetyMs = median(all.map(({ durableMs, announcedMs }) => durableMs + announcedMs));
  const share = median(all.map(({ wholeMs, durableMs, announcedMs }) => (durableMs + announcedMs) / (wholeMs - durableMs - announcedMs)));
  process.stdout.write(`${name.padEnd(34)} ${median(all.map(({ wholeMs }) => wholeMs)).toFixed(1).padStart(9)} ms, of it safety ${safetyMs.toFixed(1)} ms (${
    median(all.map(({ durableMs }) => durableMs)).toFixed(1)} durable, ${median(all.map(({ announcedMs }) => announcedMs)).toFixed(1)} announced; ${
    median(all.map(({ fsyncs }) => fsyncs))} fsyncs): ${(share * 100).toFixed(0)} % more   aim ${aim}\n`);
}

try {
  const commits: Spent[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const directory = join(top, `commit-${round}`);
    mkdirSync(directory);
    run([cairnProgram, 'init', '-q'], directory);
    for (let at = 0; at < files; at += 1) {
      const folder = join(directory, `d${at % 200}`);
      if (at < 200) mkdirSync(folder);
      writeFileSync(join(folder, `f${at}`), `content ${at} ${round}\n`.repeat(1 + (at % 40)));
    }
    commits.push(measure(['commit', '-q', '-A', '-m', 'many'], directory));
  }
  report(`commit of ${files} files`, commits, 'at most 25 % more');
  const directory = join(top, 'commit-0');
  const refs = Array.from({ length: rounds * 4 }, (_, at) => measure(['update-ref', `refs/heads/b${at}`, 'HEAD'], directory));
  report('update-ref', refs, 'at most 10 ms');
  const nothing: number[] = [];
  const node: number[] = [];
  run([cairnProgram, 'gc', '-q'], directory);
  for (let round = 0; round < rounds * 4; round += 1) {
    node.push(run(['-e', '0'], directory));
    nothing.push(run([cairnProgram, 'gc', '--auto'], directory));
  }
  process.stdout.write(`${'gc --auto, nothing to do'.padEnd(34)} ${median(nothing).toFixed(1).padStart(9)} ms, node's own start ${median(node).toFixed(1)} ms: ${(median(nothing) / median(node)).toFixed(2)}   aim 1.3\n`);
} finally {
  if (given === undefined) rmSync(top, { recursive: true, force: true });
}
