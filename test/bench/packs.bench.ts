// How packing compares with stock git's: wall and processor time of whole processes, the most memory, and the size of the pack, as ratios to
// git (below 1 is better). `node dist/lib/test/bench/packs.bench.js [case ...]`; cases: anew, again, stream, clone.
//
// The history is made by fast-import: commits that each change one or two of 2000 files of some kilobytes of words, in directories three deep.
// Set by the environment: CAIRN_BENCH_COMMITS (50000), CAIRN_BENCH_ROUNDS (3), CAIRN_BENCH_DIRECTORY (a new temporary one).
// Rounds of both programs alternate, each on a fresh copy; nothing is removed before the end, for that slows down ext4.
import { spawnSync } from 'node:child_process';
import { cpSync, closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, readdirSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { cairnProgram } from '../helpers/cairn.js';
import { seededRandom } from '../helpers/sandbox.js';
import { cleanEnvironment } from '../helpers/stock-git.js';

const commits = setting('COMMITS', 50_000);
const rounds = setting('ROUNDS', 3);
const wanted = process.argv.slice(2);
const given = process.env['CAIRN_BENCH_DIRECTORY'];
const top = given ?? mkdtempSync(join(tmpdir(), 'cairn-packs-'));
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

const timeProgram = '/usr/bin/time';
const seed = join(top, 'seed.git');

/** Writes the stream fast-import reads. */
function writeHistory(path: string): void {
  const random = seededRandom(5);
  const words = Array.from({ length: 3000 }, () => Array.from({ length: 2 + Math.floor(random() * 9) }, () => String.fromCharCode(97 + Math.floor(random() * 26))).join(''));
  const word = (): string => words[Math.floor(random() * random() * words.length)]!;
  const line = (): string => '  '.repeat(Math.floor(random() * 4)) + Array.from({ length: 1 + Math.floor(random() * 12) }, word).join(' ') + '\n';
  const files = new Map<number, string[]>();
  const fd = openSync(path, 'w');
  for (let at = 1; at <= commits; at += 1) {
    const message = `change ${at}: ${word()} ${word()}\n\n${line()}${line()}`;
    let text = `commit refs/heads/main\nmark :${at}\ncommitter C O Mitter <committer@example.com> ${1_100_000_000 + at * 600} +0000\ndata ${message.length}\n${message}\n`;
    if (at > 1) text += `from :${at - 1}\n`;
    for (let left = random() < 0.7 ? 1 : 2; left > 0; left -= 1) {
      const number = Math.floor(random() * random() * 2000);
      const lines = files.get(number);
      if (lines === undefined) files.set(number, Array.from({ length: 20 + Math.floor(random() * random() * 600) }, line));
      else for (let edits = 1 + Math.floor(random() * 4); edits > 0; edits -= 1) lines.splice(Math.floor(random() * lines.length), Math.floor(random() * 2), line());
      const content = files.get(number)!.join('');
      text += `M 100644 inline d${number % 20}/s${(number * 7) % 15}/f${number}.c\ndata ${content.length}\n${content}\n`;
    }
    writeSync(fd, text);
  }
  closeSync(fd);
}

function must(argv: readonly string[], cwd: string, input?: string): void {
  const stdin = input === undefined ? 'ignore' : openSync(input, 'r');
  const result = spawnSync(argv[0]!, argv.slice(1), { cwd, env: cleanEnvironment, stdio: [stdin, 'ignore', 'inherit'] });
  if (result.status !== 0) throw new Error(`${argv.join(' ')} failed`);
}

let copies = 0;
function copyOf(repository: string): string {
  const copy = join(top, `copy${copies += 1}.git`);
  cpSync(repository, copy, { recursive: true });
  return copy;
}

/** Runs one program in `repository`; what it prints goes to a file, whose size counts unless it is empty: then that of the packs does. */
function measure(argv: readonly string[], repository: string, input: string): Measured {
  const printed = join(top, 'printed');
  const output = openSync(printed, 'w');
  const report = join(top, 'report');
  const words = existsSync(timeProgram) ? [timeProgram, '-o', report, '-f', '%M %U %S', ...argv] : [...argv];
  const startedMs = performance.now();
  const result = spawnSync(words[0]!, words.slice(1), { cwd: repository, env: cleanEnvironment, input, stdio: ['pipe', output, 'pipe'] });
  const ms = performance.now() - startedMs;
  closeSync(output);
  if (result.status !== 0) throw new Error(`${argv.join(' ')} failed: ${result.stderr.toString()}`);
  const [kibibytes = NaN, user = NaN, system = NaN] = existsSync(report) ? readFileSync(report, 'utf8').trim().split('\n').at(-1)!.split(' ').map(Number) : [];
  const packs = join(repository, 'objects/pack');
  const stored = readdirSync(packs).filter((name) => name.endsWith('.pack')).reduce((sum, name) => sum + statSync(join(packs, name)).size, 0);
  return { ms, cpuMs: (user + system) * 1000, mebibytes: kibibytes / 1024, bytes: statSync(printed).size || stored };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

function compare(name: string, argv: readonly string[], repository: string, input = ''): void {
  const theirs: Measured[] = [];
  const ours: Measured[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const turns = [
      (): number => theirs.push(measure(['git', '-c', 'repack.writeBitmaps=false', ...argv], copyOf(repository), input)),
      (): number => ours.push(measure([cairnProgram, ...argv], copyOf(repository), input)),
    ];
    for (const turn of round % 2 === 0 ? turns : turns.toReversed()) turn();
  }
  const ratio = (pick: (one: Measured) => number): string => (median(ours.map(pick)) / median(theirs.map(pick))).toFixed(2);
  const seconds = (all: readonly Measured[]): string => (median(all.map(({ ms }) => ms)) / 1000).toFixed(2).padStart(6);
  process.stdout.write(`${name.padEnd(40)} git ${seconds(theirs)} s  cairn ${seconds(ours)} s  wall ${ratio(({ ms }) => ms)}  processor ${ratio(({ cpuMs }) => cpuMs)}`
    + `  size ${ratio(({ bytes }) => bytes)}  memory ${ratio(({ mebibytes }) => mebibytes)} (${median(ours.map(({ mebibytes }) => mebibytes)).toFixed(0)} MiB)\n`);
}

function section(name: string, body: () => void): void {
  if (wanted.length === 0 || wanted.includes(name)) body();
}

must(['git', 'init', '-q', '--bare', seed], top);
writeHistory(join(top, 'stream'));
must(['git', 'fast-import', '--quiet'], seed, join(top, 'stream'));
const packed = copyOf(seed);
// Bitmaps let git answer some of this without looking at objects; cairn has none to compare with.
must(['git', '-c', 'repack.writeBitmaps=false', 'repack', '-adfq'], packed);

section('anew', () => compare(`repack -adf, ${commits} commits`, ['repack', '-adfq'], seed));
section('again', () => compare('repack -ad of what is packed', ['repack', '-adq'], packed));
section('stream', () => compare('pack-objects --all --stdout', ['pack-objects', '--all', '--delta-base-offset', '--stdout', '-q'], packed));
section('clone', () => compare('pack-objects --revs of 1000 commits', ['pack-objects', '--revs', '--thin', '--delta-base-offset', '--stdout', '-q'], packed, 'main\n^main~1000\n'));
if (given === undefined) rmSync(top, { recursive: true });
