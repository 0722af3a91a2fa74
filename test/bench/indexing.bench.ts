// How taking packs in and checking them measures against stock git: wall and processor time of whole processes, medians of interleaved rounds,
// ratios to git (below 1 is faster). `node dist/lib/test/bench/indexing.bench.js [pack ...]`; packs are 'whole' (many small files, no
// deltas) and 'history' (files that change, deltas of deltas).
//
// Set by the environment: CAIRN_BENCH_ROUNDS (5), CAIRN_BENCH_PACK_MIB (200, of 'whole'), CAIRN_BENCH_COMMITS (2000, of 'history').
import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, readdirSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { cairnProgram } from '../helpers/cairn.js';
import { seededRandom } from '../helpers/sandbox.js';
import { cleanEnvironment } from '../helpers/stock-git.js';

const rounds = Number(process.env['CAIRN_BENCH_ROUNDS'] ?? 5);
const wholeMebibytes = Number(process.env['CAIRN_BENCH_PACK_MIB'] ?? 200);
const commits = Number(process.env['CAIRN_BENCH_COMMITS'] ?? 2000);
const wanted = process.argv.slice(2);
const random = seededRandom(17);
const top = mkdtempSync(join(tmpdir(), 'cairn-bench-'));
const words = Array.from({ length: 4000 }, () => Array.from({ length: 2 + Math.floor(random() * 9) }, () => 'etaoinshrdlucmfwypvbgkjqxz'[Math.floor(random() * 26)]).join(''));

function line(): string {
  return Array.from({ length: 3 + Math.floor(random() * 9) }, () => words[Math.floor(random() * words.length)]).join(' ');
}

function run(argv: readonly string[], stdin: number | 'ignore' = 'ignore'): { readonly wallMs: number; readonly processorMs: number } {
  const startedMs = performance.now();
  const timed = spawnSync('/usr/bin/time', ['-f', '%U %S', ...argv], { cwd: top, env: cleanEnvironment, stdio: [stdin, 'ignore', 'pipe'], encoding: 'utf8', maxBuffer: 1 << 28 });
  const wallMs = performance.now() - startedMs;
  if (timed.status !== 0) throw new Error(`${argv.join(' ')} failed: ${timed.stderr}`);
  const [user, system] = timed.stderr.trim().split('\n').at(-1)!.split(' ').map(Number);
  return { wallMs, processorMs: (user! + system!) * 1000 };
}

/** A bare repository of what a fast-import stream makes, and the path of its one pack without suffix. */
function makePack(name: string, options: readonly string[], write: (out: (text: string) => void) => void, repack: boolean): string {
  const directory = join(top, `${name}.git`);
  run(['git', 'init', '-q', '--bare', directory]);
  const path = join(top, `${name}.stream`);
  const fd = openSync(path, 'wx');
  write((text) => { writeSync(fd, text); });
  closeSync(fd);
  const stream = openSync(path, 'r');
  run(['git', '-C', directory, 'fast-import', '--quiet', ...options], stream);
  closeSync(stream);
  if (repack) run(['git', '-C', directory, 'repack', '-adfq']);
  const packs = join(directory, 'objects/pack');
  return join(packs, readdirSync(packs).find((file) => file.endsWith('.pack'))!.slice(0, -'.pack'.length));
}

function blob(path: string, content: string): string {
  return `M 100644 inline ${path}\ndata ${Buffer.byteLength(content)}\n${content}\n`;
}

function commit(number: number): string {
  return `commit refs/heads/main\ncommitter A <a@b> ${1_500_000_000 + number * 60} +0000\ndata 2\nx\n`;
}

function writeWhole(out: (text: string) => void): void {
  for (let made = 0, number = 0; made < wholeMebibytes * 2.2 * 2 ** 20; number += 1) {
    if (number % 1000 === 0) out(commit(number));
    const content = Array.from({ length: 70 + Math.floor(random() * 60) }, line).join('\n');
    out(blob(`d${number % 200}/e${number % 7}/f${number}`, content));
    made += content.length;
  }
}

function writeHistory(out: (text: string) => void): void {
  const files = Array.from({ length: 300 }, () => Array.from({ length: 100 + Math.floor(random() * 500) }, line));
  for (let number = 0; number < commits; number += 1) {
    out(commit(number));
    for (let at = 0; at < (number === 0 ? files.length : 10); at += 1) {
      const which = number === 0 ? at : Math.floor(random() * files.length);
      const lines = files[which]!;
      for (let edit = 0; edit < 4; edit += 1) lines.splice(Math.floor(random() * lines.length), Math.floor(random() * 2), line());
      out(blob(`d${which % 20}/f${which}`, lines.join('\n')));
    }
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

/** `argv` comes without the program; `input`, a file, is its standard input. */
function compare(name: string, aim: number, argv: (turn: string) => readonly string[], input?: string): void {
  const measured = { git: [] as ReturnType<typeof run>[], cairn: [] as ReturnType<typeof run>[] };
  for (let round = 0; round < rounds; round += 1) {
    for (const side of round % 2 === 0 ? ['git', 'cairn'] as const : ['cairn', 'git'] as const) {
      const stdin = input === undefined ? 'ignore' : openSync(input, 'r');
      measured[side].push(run([side === 'git' ? 'git' : cairnProgram, ...argv(`${side}${round}`)], stdin));
      if (stdin !== 'ignore') closeSync(stdin);
    }
  }
  const ratio = (of: (one: ReturnType<typeof run>) => number): string => (
    median(measured.cairn.map((one, round) => of(one) / of(measured.git[round]!)))
  ).toFixed(2);
  const wall = (side: 'git' | 'cairn'): string => median(measured[side].map(({ wallMs }) => wallMs)).toFixed(0).padStart(6);
  process.stdout.write(`${name.padEnd(28)} git ${wall('git')} ms   cairn ${wall('cairn')} ms   ratio ${ratio(({ wallMs }) => wallMs)}   `
    + `processor ${ratio(({ processorMs }) => processorMs)}   aim ${aim}\n`);
}

const packs: Readonly<Record<string, () => string>> = {
  whole: () => makePack('whole', ['--depth=0'], writeWhole, false),
  history: () => makePack('history', [], writeHistory, true),
};

for (const [name, make] of Object.entries(packs)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const base = make();
  const directory = join(top, `${name}.git`);
  compare(`${name}: index-pack`, 0.9, (turn) => ['index-pack', '-o', join(top, `${name}-${turn}.idx`), `${base}.pack`]);
  compare(`${name}: index-pack --stdin`, 0.9, (turn) => {
    const target = join(top, `${name}-${turn}.git`);
    mkdirSync(target);
    run(['git', 'init', '-q', '--bare', target]);
    return ['-C', target, 'index-pack', '--stdin'];
  }, `${base}.pack`);
  compare(`${name}: verify-pack`, 1.5, () => ['verify-pack', `${base}.idx`]);
  compare(`${name}: fsck --full`, 1.5, () => ['-C', directory, 'fsck', '--full']);
}
rmSync(top, { recursive: true, force: true });
