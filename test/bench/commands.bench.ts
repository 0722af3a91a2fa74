// How cairn's commands measure against stock git's: wall time of whole processes, medians of interleaved rounds, the ratio to git (below 1
// is faster), and the most memory a process had. `node dist/lib/test/bench/commands.bench.js [case ...]`.
//
// Set by the environment: CAIRN_BENCH_ROUNDS (5), CAIRN_BENCH_FILES (20000), CAIRN_BENCH_LARGE_MIB (2048), CAIRN_BENCH_COMMITS (20000; written
// history has three times as many), CAIRN_BENCH_REFS (10000), CAIRN_BENCH_DIRECTORY (a new directory of the system's temporary one). Taking
// packs in is measured by the bench 'indexing', making them by 'packs'.
//
// Three traps are avoided. Creating files where many were removed lately is slow on ext4, so every round writes to new directories and nothing
// is removed before the end. NODE_EXTRA_CA_CERTS makes Node 20 start slowly and is taken out of the environment of both. The machine's
// speed drifts, so rounds of both programs alternate, and who comes first alternates too.
import { spawn, spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readSync, readdirSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { cairnProgram } from '../helpers/cairn.js';
import { seededRandom } from '../helpers/sandbox.js';
import { cleanEnvironment } from '../helpers/stock-git.js';

const rounds = setting('ROUNDS', 5);
const files = setting('FILES', 20_000);
const largeMebibytes = setting('LARGE_MIB', 2048);
const commits = setting('COMMITS', 20_000);
const refs = setting('REFS', 10_000);
const wanted = process.argv.slice(2);
const nameWidth = 40;
const random = seededRandom(11);
const given = process.env['CAIRN_BENCH_DIRECTORY'];
const top = given ?? mkdtempSync(join(tmpdir(), 'cairn-bench-'));
mkdirSync(top, { recursive: true });

function setting(name: string, fallback: number): number {
  const value = Number(process.env[`CAIRN_BENCH_${name}`] ?? fallback);
  if (!Number.isSafeInteger(value) || value < 1) throw new Error(`CAIRN_BENCH_${name} is not a positive number`);
  return value;
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** One finished process. */
interface Measured {
  readonly ms: number;
  /** Undefined where it cannot be told. */
  readonly peakMebibytes: number | undefined;
}

interface Call {
  readonly argv: readonly string[];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
}

const timeProgram = existsSync('/usr/bin/time') ? '/usr/bin/time' : undefined;
const sizeFile = join(top, 'peak');

/** Runs programs one after the other, which must succeed, and measures them together. */
function measure(calls: readonly Call[]): Measured {
  let ms = 0;
  let peak: number | undefined;
  for (const { argv, cwd, env, stdin } of calls) {
    const words = timeProgram === undefined ? [...argv] : [timeProgram, '-o', sizeFile, '-f', '%M', ...argv];
    const output = openSync('/dev/null', 'w');
    const startedMs = performance.now();
    const result = spawnSync(words[0]!, words.slice(1), {
      cwd: cwd ?? top, env: { ...cleanEnvironment, ...env }, input: stdin ?? '', stdio: ['pipe', output, 'pipe'], maxBuffer: 1 << 30,
    });
    ms += performance.now() - startedMs;
    closeSync(output);
    if (result.status !== 0) throw new Error(`${argv.join(' ')} failed: ${result.stderr}`);
    if (timeProgram !== undefined) {
      const size = Number(spawnSync('cat', [sizeFile], { encoding: 'utf8' }).stdout.trim().split('\n').at(-1)) / 1024;
      peak = Math.max(peak ?? 0, size);
    }
  }
  return { ms, peakMebibytes: peak };
}

function must(argv: readonly string[], call: Omit<Call, 'argv'> = {}): void {
  measure([{ argv, ...call }]);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

/** `git` and `cairn` are asked anew each round for what to run. */
function compare(name: string, count: number, aim: number | undefined, git: () => readonly Call[], cairn: () => readonly Call[]): void {
  const theirs: Measured[] = [];
  const ours: Measured[] = [];
  for (let round = 0; round < count; round += 1) {
    const turns = [(): number => theirs.push(measure(git())), (): number => ours.push(measure(cairn()))];
    for (const turn of round % 2 === 0 ? turns : turns.toReversed()) turn();
  }
  const gitMs = median(theirs.map(({ ms }) => ms));
  const cairnMs = median(ours.map(({ ms }) => ms));
  const peaks = ours.flatMap(({ peakMebibytes }) => peakMebibytes ?? []);
  const peak = peaks.length === 0 ? '' : `   peak ${Math.max(...peaks).toFixed(0)} MiB`;
  const wish = aim === undefined ? '' : `   aim ${aim}`;
  print(`${name.padEnd(nameWidth)} git ${gitMs.toFixed(1).padStart(9)} ms   cairn ${cairnMs.toFixed(1).padStart(9)} ms   ratio ${(cairnMs / gitMs).toFixed(2)}${wish}${peak}`);
}

function section(name: string, body: () => void): void {
  if (wanted.length === 0 || wanted.includes(name)) body();
}

/** Text of words with a natural spread, so that it compresses as sources do. */
function text(sizeBytes: number): string {
  const parts: string[] = [];
  for (let size = 0; size < sizeBytes;) {
    const word = words[Math.floor(random() * random() * words.length)]! + (random() < 0.1 ? '\n' : ' ');
    parts.push(word);
    size += word.length;
  }
  return parts.join('').slice(0, sizeBytes);
}

const words = Array.from({ length: 4000 }, () =>
  Array.from({ length: 2 + Math.floor(random() * 9) }, () => 'etaoinshrdlucmfwypvbgkjqxz'[Math.floor(random() * random() * 26)]).join(''));

/** Files of about 4 KiB, fifty to a directory. */
function makeSmallFiles(directory: string, count: number): void {
  for (let at = 0; at < count; at += 1) {
    const folder = join(directory, `d${Math.floor(at / 1000)}`, `e${Math.floor(at / 50) % 20}`);
    if (at % 50 === 0) mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `file${at}.txt`), text(4096 * (0.7 + 0.6 * random())));
  }
}

/** Files of 100 MiB, half of them noise and half of them records. */
function makeLargeFiles(directory: string, mebibytes: number): void {
  mkdirSync(directory, { recursive: true });
  const piece = Buffer.alloc(1024 * 1024);
  for (let done = 0, number = 0; done < mebibytes; number += 1) {
    const fd = openSync(join(directory, `large${number}`), 'wx');
    const size = Math.min(100, mebibytes - done);
    for (let at = 0; at < size; at += 1) {
      if (number % 2 === 0) {
        for (let byte = 0; byte < piece.length; byte += 4) piece.writeUInt32LE(Math.floor(random() * 2 ** 32), byte);
      } else {
        for (let byte = 0; byte < piece.length; byte += 16) {
          piece.writeUInt32LE((done + at) * 65536 + byte, byte);
          piece.writeDoubleLE(Math.floor(random() * 100_000) / 100, byte + 4);
          piece.writeUInt32LE(byte & 0xff, byte + 12);
        }
      }
      writeSync(fd, piece);
    }
    closeSync(fd);
    done += size;
  }
}

let made = 0;
/** A new empty repository of its own, looking at `workTree`; the environment that says so. */
function newRepository(workTree: string): Record<string, string> {
  const directory = join(top, `repository${made}`);
  made += 1;
  must(['git', 'init', '-q', '-b', 'main', '--bare', directory]);
  must(['git', '--git-dir', directory, 'config', 'core.bare', 'false']);
  // Else git collects in the background while cairn is measured.
  must(['git', '--git-dir', directory, 'config', 'gc.auto', '0']);
  // An fsync would have to wait for what the round before, of git's as a rule, left to be written.
  spawnSync('sync');
  return { GIT_DIR: directory, GIT_WORK_TREE: workTree };
}

function compareFirstCommit(name: string, workTree: string, count: number, aim: number): void {
  compare(name, count, aim, () => {
    const env = newRepository(workTree);
    return [{ argv: ['git', 'add', '-A'], env }, { argv: ['git', 'commit', '-q', '-m', 'first'], env }];
  }, () => [{ argv: [cairnProgram, 'commit', '-A', '-q', '-m', 'first'], env: newRepository(workTree) }]);
}

function smallTree(): string {
  const tree = join(top, 'small');
  if (!existsSync(tree)) makeSmallFiles(tree, files);
  return tree;
}

section('small', () => compareFirstCommit(`first commit, ${files} small files`, smallTree(), rounds, 0.45));

section('large', () => {
  const tree = join(top, 'large');
  makeLargeFiles(tree, largeMebibytes);
  compareFirstCommit(`first commit, ${largeMebibytes} MiB in large files`, tree, Math.min(rounds, 3), 0.35);
});

section('one', () => {
  const tree = join(top, 'one');
  mkdirSync(tree);
  makeSmallFiles(tree, 1000);
  const env = newRepository(tree);
  must(['git', 'add', '-A'], { env });
  must(['git', 'commit', '-q', '-m', 'first'], { env });
  let change = 0;
  const touch = (): void => { writeFileSync(join(tree, 'd0/e0/file0.txt'), `change ${change += 1}\n`); };
  compare('commit one of 1000 files', rounds * 4, undefined, () => {
    touch();
    return [{ argv: ['git', 'commit', '-q', '-a', '-m', 'one'], env }];
  }, () => {
    touch();
    return [{ argv: [cairnProgram, 'commit', '-q', '-a', '-m', 'one'], env }];
  });
});

section('status', () => {
  const tree = smallTree();
  const env = newRepository(tree);
  must([cairnProgram, 'commit', '-A', '-q', '-m', 'first'], { env });
  compare(`status, ${files} files, clean`, rounds, 2.5, () => [{ argv: ['git', 'status'], env }], () => [{ argv: [cairnProgram, 'status'], env }]);
});

/** What a call takes beyond starting node; `aimMs` is for a machine that does nothing else. */
function timeAlone(name: string, count: number, aimMs: number, call: () => Call): void {
  const starts: number[] = [];
  const times: number[] = [];
  for (let round = 0; round < count; round += 1) {
    starts.push(measure([{ argv: [process.execPath, '-e', '0'] }]).ms);
    times.push(measure([call()]).ms);
  }
  const startMs = median(starts);
  print(`${name.padEnd(nameWidth)} node's start ${startMs.toFixed(1).padStart(6)} ms   cairn ${median(times).toFixed(1).padStart(9)} ms   above ${(median(times) - startMs).toFixed(1)} ms   aim ${aimMs}`);
}

section('release', () => {
  const env = newRepository(smallTree());
  must([cairnProgram, 'commit', '-A', '-q', '-m', 'first'], { env });
  const places = join(top, 'places');
  mkdirSync(places);
  let number = 0;
  // Nothing that is not durable may be left over from before.
  const settle = (): string => {
    spawnSync('sync');
    return String(number += 1);
  };
  compare(`release, ${files} files; checkout and sync`, rounds, 1, () => {
    const place = join(places, settle());
    mkdirSync(place);
    const away = { ...env, GIT_WORK_TREE: place, GIT_INDEX_FILE: `${place}.index` };
    return [{ argv: ['git', 'checkout', '-f', '-q', 'HEAD', '--', '.'], env: away }, { argv: ['sync'] }];
  }, () => {
    const name = settle();
    return [{ argv: [cairnProgram, 'release', `channel${name}`, '--to', join(places, name)], env }];
  });
  must([cairnProgram, 'release', 'prod', '--to', join(places, 'prod')], { env });
  timeAlone('release again, nothing changed', rounds, 100, () => ({ argv: [cairnProgram, 'release', 'prod'], env }));
  writeFileSync(join(smallTree(), 'more'), 'more');
  must([cairnProgram, 'commit', '-A', '-q', '-m', 'third'], { env });
  rmSync(join(smallTree(), 'more'));
  must([cairnProgram, 'release', 'prod'], { env });
  // The first one, and the one just made, in turn.
  let turn = 0;
  timeAlone('rollback', rounds, 100, () => ({ argv: [cairnProgram, 'rollback', 'prod', `#${(turn += 1) % 2 === 1 ? 1 : rounds + 2}`], env }));
});

/** A linear history made by fast-import. */
function makeHistory(env: Record<string, string>): void {
  const parts: string[] = [];
  for (let at = 1; at <= commits; at += 1) {
    const content = `line ${at}\n`;
    parts.push(`commit refs/heads/main\nmark :${at}\ncommitter C O Mitter <committer@example.com> ${1_100_000_000 + at * 60} +0000\n`
      + `data ${`change ${at}\n`.length}\nchange ${at}\n\n${at > 1 ? `from :${at - 1}\n` : ''}M 100644 inline dir${at % 50}/file${at % 1000}\ndata ${content.length}\n${content}\n`);
  }
  must(['git', 'fast-import', '--quiet'], { env, stdin: parts.join('') });
}

section('history', () => {
  mkdirSync(join(top, 'empty'));
  const env = newRepository(join(top, 'empty'));
  makeHistory(env);
  compare(`log --oneline, ${commits} commits`, rounds, 1.5,
    () => [{ argv: ['git', 'log', '--oneline'], env }], () => [{ argv: [cairnProgram, 'log', '--oneline'], env }]);
  compare(`rev-list --all, ${commits} commits`, rounds, undefined, () => [{ argv: ['git', 'rev-list', '--all'], env }], () => [{ argv: [cairnProgram, 'rev-list', '--all'], env }]);
  compareBatches(env, 'small, with deltas');
});

/** Objects of a repository one after the other: up to 100000, by id on standard input, and all of them. */
function compareBatches(env: Record<string, string>, what: string): void {
  const listed = spawnSync('git', ['cat-file', '--batch-all-objects', '--batch-check=%(objectname)'], { env: { ...cleanEnvironment, ...env }, encoding: 'utf8', maxBuffer: 1 << 30 }).stdout;
  const ids = listed.split('\n').slice(0, 100_000).join('\n');
  for (const [aim, ...options] of [[1.3, '--batch'], [1.5, '--batch-check'], [1.3, '--batch', '--batch-all-objects'], [1.5, '--batch-check', '--batch-all-objects']] as const) {
    const argv = ['cat-file', ...options];
    compare(`${argv.join(' ')} (${what})`, rounds, aim, () => [{ argv: ['git', ...argv], env, stdin: ids }], () => [{ argv: [cairnProgram, ...argv], env, stdin: ids }]);
  }
}

section('blobs', () => {
  mkdirSync(join(top, 'blobs'));
  const env = newRepository(join(top, 'blobs'));
  const words = Array.from({ length: 3000 }, () => Array.from({ length: 2 + Math.floor(random() * 8) }, () => 'etaoinshrdlucmfw'[Math.floor(random() * 16)]).join(''));
  const parts: string[] = [];
  for (let at = 0; at < files; at += 1) {
    let text = String(at);
    const sizeBytes = 3000 + Math.floor(random() * 1000);
    while (text.length < sizeBytes) text += ` ${words[Math.floor(random() * words.length)]}`;
    parts.push(`blob\ndata ${text.length}\n${text}\n`);
  }
  must(['git', 'fast-import', '--quiet'], { env, stdin: parts.join('') });
  compareBatches(env, `${files} blobs of 3-4 KB`);
});

section('batch', () => {
  mkdirSync(join(top, 'batch'));
  const git = newRepository(join(top, 'batch'));
  must(['git', 'commit', '-q', '--allow-empty', '-m', 'first'], { env: git });
  const env = { ...process.env, ...cleanEnvironment, ...git } as Record<string, string>;
  compareCalls(env, rounds * 20);
});

/** Calls one after the other: of git a process each, of cairn a request to one batch. What cairn stores is synced to the disk, what git stores is not. */
function compareCalls(env: Record<string, string>, count: number): void {
  const [toBatch, fromBatch] = [join(top, 'requests'), join(top, 'answers')];
  spawnSync('mkfifo', [toBatch, fromBatch]);
  const batch = spawn('sh', ['-c', 'exec "$0" batch -z <"$1" >"$2"', cairnProgram, toBatch, fromBatch], { env, stdio: 'inherit' });
  const [requests, answers] = [openSync(toBatch, 'w'), openSync(fromBatch, 'r')];
  const piece = Buffer.alloc(1 << 16);
  const ask = (argv: readonly string[], stdin: string): string => {
    writeSync(requests, [`${argv.length} ${Buffer.byteLength(stdin)}`, ...argv, ''].join('\0') + stdin);
    let answer = '';
    while (!/^exit \d+\n/m.test(answer)) answer += piece.toString('latin1', 0, readSync(answers, piece));
    if (!answer.endsWith('exit 0\n')) throw new Error(`${argv.join(' ')} failed in the batch: ${answer}`);
    return answer.replace(/^out \d+\n/, '').replace(/exit 0\n$/, '').trim();
  };
  const start = (argv: readonly string[], stdin: string): string => {
    const result = spawnSync('git', argv, { env, input: stdin, encoding: 'utf8' });
    if (result.status !== 0) throw new Error(`git ${argv.join(' ')} failed: ${result.stderr}`);
    return result.stdout.trim();
  };
  const times = new Map<string, { readonly git: number[]; readonly cairn: number[] }>();
  for (let round = 0; round < count; round += 1) {
    for (const program of ['git', 'cairn'] as const) {
      const call = (argv: readonly string[], stdin = ''): string => {
        const startedMs = performance.now();
        const printed = (program === 'git' ? start : ask)(argv, stdin);
        const known = times.get(argv[0]!) ?? { git: [], cairn: [] };
        times.set(argv[0]!, known);
        known[program].push(performance.now() - startedMs);
        return printed;
      };
      call(['rev-parse', 'HEAD']);
      const blob = call(['hash-object', '-w', '--stdin'], `${program} ${round}`);
      const tree = call(['mktree'], `100644 blob ${blob}\tfile\n`);
      const commit = call(['commit-tree', tree, '-m', 'message']);
      call(['update-ref', `refs/heads/${program}`, commit]);
    }
  }
  closeSync(requests);
  batch.unref();
  for (const [name, { git, cairn }] of times) {
    print(`${`batch: ${name}`.padEnd(nameWidth)} git ${median(git).toFixed(1).padStart(9)} ms   cairn ${median(cairn).toFixed(1).padStart(9)} ms   `
      + `ratio ${(median(cairn) / median(git)).toFixed(2)}   aim 1.5`);
  }
}

/** As people write it: messages of a few lines, side lines that are merged. */
function makeWrittenHistory(env: Record<string, string>, count: number): void {
  const parts: string[] = [];
  const open: number[] = [];
  let trunk = 0;
  for (let at = 1; at <= count; at += 1) {
    const merged = random() < 0.15 ? open.shift() : undefined;
    const side = merged === undefined && open.length > 0 && random() < 0.5 ? Math.floor(random() * open.length) : -1;
    const from = side < 0 ? trunk : open[side]!;
    const message = `${text(30 + 40 * random()).replace(/\s+/g, ' ').trim()}\n\n${text(800 * random())}\n`;
    const content = text(200 + 1000 * random());
    const lines = ['commit refs/heads/main', `mark :${at}`, `committer C O Mitter <committer@example.com> ${1_100_000_000 + at * 60} +0000`, `data ${message.length}`, message];
    if (from > 0) lines.push(`from :${from}`);
    if (merged !== undefined) lines.push(`merge :${merged}`);
    lines.push(`M 100644 inline dir${at % 20}/part${at % 7}/file${at % 100}`, `data ${content.length}`, content, '');
    parts.push(lines.join('\n'));
    if (side >= 0) open[side] = at;
    else if (merged === undefined && from > 0 && random() < 0.15) open.push(at);
    else trunk = at;
  }
  // What is left open is merged, so that every commit can be reached.
  const last = ['commit refs/heads/main', `mark :${count + 1}`, `committer C O Mitter <committer@example.com> ${1_100_000_000 + count * 60} +0000`, 'data 5', 'last', '', `from :${trunk}`];
  parts.push([...last, ...open.map((mark) => `merge :${mark}`), '', ''].join('\n'));
  must(['git', 'fast-import', '--quiet', '--force'], { env, stdin: parts.join('') });
  must(['git', 'repack', '-adq'], { env });
}

/** Of a repository with one pack: taking it in, checking it, and making it anew, which each program does with what the other left. */
function comparePacks(env: Record<string, string>): void {
  const directory = join(env['GIT_DIR']!, 'objects/pack');
  const pack = join(directory, readdirSync(directory).find((name) => name.endsWith('.pack'))!);
  const index = pack.replace(/\.pack$/, '.idx');
  let number = 0;
  const both = (name: string, aim: number, call: (program: string) => Call): void => compare(name, rounds, aim, () => [call('git')], () => [call(cairnProgram)]);
  both('verify-pack', 1.5, (program) => ({ argv: [program, 'verify-pack', index], env }));
  both('index-pack', 0.9, (program) => ({ argv: [program, 'index-pack', '-o', join(top, `index${number += 1}.idx`), pack] }));
  both('index-pack --stdin', 0.9, (program) => ({
    argv: ['sh', '-c', 'exec "$0" index-pack --stdin <"$1"', program, pack], env: newRepository(top),
  }));
  both('repack -adf', 2, (program) => ({ argv: [program, '-c', 'repack.writeBitmaps=false', 'repack', '-adfq'], env }));
}

section('walk', () => {
  mkdirSync(join(top, 'written'));
  const env = newRepository(join(top, 'written'));
  makeWrittenHistory(env, commits * 3);
  const both = (name: string, aim: number | undefined, words: readonly string[]): void =>
    compare(name, rounds, aim, () => [{ argv: ['git', ...words], env }], () => [{ argv: [cairnProgram, ...words], env }]);
  both('log --oneline, written history', 1.5, ['log', '--oneline']);
  both('log, written history', undefined, ['log']);
  both('rev-list --all --count', 1.3, ['rev-list', '--all', '--count']);
  both('rev-list --objects --all', 2, ['rev-list', '--objects', '--all']);
  both('for-each-ref --contains', undefined, ['for-each-ref', '--contains', 'main~100']);
  both('fsck --full', 1.5, ['fsck', '--full']);
  comparePacks(env);
  must(['git', 'commit-graph', 'write', '--reachable'], { env });
  both('rev-list --all, commit-graph', undefined, ['rev-list', '--all']);
  both('rev-list --all --count, commit-graph', 1.3, ['rev-list', '--all', '--count']);
});

/** A file of 10,000 lines that a thousand commits change in a few places each. */
function makeManyVersions(env: Record<string, string>): void {
  const newLine = (): string => text(10 + 60 * random()).replace(/\s+/g, ' ');
  const lines = Array.from({ length: 10_000 }, newLine);
  const parts: string[] = [];
  for (let at = 0; at < 1000; at += 1) {
    for (let left = at === 0 ? 0 : 1 + Math.floor(random() * 6); left > 0; left -= 1) {
      const place = Math.floor(random() * lines.length);
      const count = 1 + Math.floor(random() * 8);
      const kind = Math.floor(random() * 3);
      lines.splice(place, kind === 1 ? 0 : count, ...(kind === 2 ? [] : Array.from({ length: count }, newLine)));
    }
    const content = `${lines.join('\n')}\n`;
    parts.push(`commit refs/heads/main\ncommitter C O Mitter <committer@example.com> ${1_100_000_000 + at * 60} +0000\ndata 1\nx\nM 644 inline file\ndata ${content.length}\n${content}\n`);
  }
  must(['git', 'fast-import', '--quiet', '--force'], { env, stdin: parts.join('') });
  must(['git', 'repack', '-adq'], { env });
}

section('blame', () => {
  mkdirSync(join(top, 'blame'));
  const env = newRepository(join(top, 'blame'));
  makeManyVersions(env);
  const words = ['blame', 'main', '--', 'file'];
  compare('blame, 10,000 lines, 1000 commits', rounds, 3, () => [{ argv: ['git', ...words], env }], () => [{ argv: [cairnProgram, ...words], env }]);
});

interface RefStep {
  readonly name: string;
  /** The instruction for a ref, given its name and the commits it goes between. */
  readonly line: (ref: string, before: string, after: string) => string;
}

const refSteps: readonly RefStep[] = [
  { name: 'create', line: (ref, before) => `create ${ref} ${before}\n` },
  { name: 'verify', line: (ref, before) => `verify ${ref} ${before}\n` },
  { name: 'update', line: (ref, before, after) => `update ${ref} ${after} ${before}\n` },
  { name: 'delete', line: (ref, before) => `delete ${ref} ${before}\n` },
];

/**
 * One transaction over many branches, with reflogs, each time in a new repository. Both programs make durable what `fsync` says: git by default
 * leaves refs to the system, cairn does not.
 */
function compareTransactions(fsync: 'none' | 'reference', isPacked: boolean): void {
  const names = Array.from({ length: refs }, (_, at) => `refs/heads/d${at % 100}/b${at}`);
  const prepare = (program: string, step: RefStep): Call[] => {
    const env = newRepository(top);
    const ask = (argv: readonly string[]): string => spawnSync('git', argv, { env: { ...cleanEnvironment, ...env }, input: '', encoding: 'utf8' }).stdout.trim();
    must(['git', 'config', 'core.fsync', fsync], { env });
    must(['git', 'config', 'core.logAllRefUpdates', 'true'], { env });
    const before = ask(['commit-tree', ask(['mktree']), '-m', 'before']);
    const after = ask(['commit-tree', `${before}^{tree}`, '-p', before, '-m', 'after']);
    const write = ({ line }: RefStep): string => names.map((name) => line(name, before, after)).join('');
    if (step.name !== 'create') must(['git', '-c', 'core.fsync=none', 'update-ref', '--stdin'], { env, stdin: write(refSteps[0]!) });
    if (isPacked) must(['git', 'pack-refs', '--all'], { env });
    return [{ argv: [program, 'update-ref', '--stdin', '-m', 'why'], env, stdin: write(step) }];
  };
  for (const step of refSteps) {
    if (isPacked && step.name === 'create') continue;
    compare(`update-ref --stdin: ${step.name} ${refs} ${isPacked ? 'packed' : 'loose'} refs, core.fsync=${fsync}`, rounds, 1.5,
      () => prepare('git', step), () => prepare(cairnProgram, step));
  }
}

section('refs', () => {
  for (const fsync of ['none', 'reference'] as const) for (const isPacked of [false, true]) compareTransactions(fsync, isPacked);
});

section('start', () => {
  mkdirSync(join(top, 'start'));
  const env = newRepository(join(top, 'start'));
  must(['git', 'commit', '-q', '--allow-empty', '-m', 'first'], { env });
  compare('rev-parse HEAD', rounds * 6, undefined, () => [{ argv: ['git', 'rev-parse', 'HEAD'], env }], () => [{ argv: [cairnProgram, 'rev-parse', 'HEAD'], env }]);
  const nodes = Array.from({ length: rounds * 6 }, () => measure([{ argv: [process.execPath, '-e', '0'] }]).ms);
  print(`${'  (node -e 0 alone)'.padEnd(nameWidth)} ${median(nodes).toFixed(1).padStart(37)} ms`);
});

if (given === undefined) rmSync(dirname(join(top, 'x')), { recursive: true });
