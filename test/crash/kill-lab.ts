// Kills the real program (SIGKILL), or lets a call fail, at its n-th system call of each kind that changes something, for every n, with strace; then
// what is left must be the old state or the new one, and the command must go through when it is run again.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readFileSync, rmSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { type cairn, cairnProcess, cairnProgram } from '../helpers/cairn.js';
import { cleanEnvironment } from '../helpers/stock-git.js';
import { type CrashCase, type CrashResult, checkAgain, compare, fillIn, fsck, inputOf, observe, prepare, readEverything } from './crash-lab.js';

/** System calls that change something; reading cannot leave anything half done. */
const changingCalls = ['rename', 'link', 'unlink', 'mkdir', 'rmdir', 'fsync', 'ftruncate', 'utimensat', 'pwrite64', 'write', 'symlink', 'chmod'] as const;

/** False where there is no strace, or it may not trace. */
export function canKill(): boolean {
  const probe = spawnSync('strace', ['-f', '-qq', '-o', '/dev/null', '-e', 'trace=fsync', '-e', 'inject=fsync:signal=KILL:when=1', 'true']);
  return probe.error === undefined && probe.status === 0;
}

export interface KillOptions {
  readonly calls?: readonly (typeof changingCalls)[number][];
  /** At most so many kills per kind of call. */
  readonly most?: number;
}

/** Tries one case on copies of `repository` below `scratch`; `states` counts the kills. */
export async function killEverywhere(one: CrashCase, repository: string, scratch: string, options: KillOptions = {}): Promise<CrashResult> {
  const top = join(scratch, 'repo');
  const { fresh, done } = startingPoint(one, repository, scratch);
  fresh();
  const before = observe(top);
  run(one, top, scratch, []);
  const after = observe(top);
  const problems: string[] = [];
  let kills = 0;
  for (const call of options.calls ?? changingCalls) {
    for (let nth = 1; nth <= (options.most ?? 10_000); nth += 1) {
      fresh();
      const result = run(one, top, scratch, ['strace', '-f', '-qq', '-o', '/dev/null', '-e', `trace=${call}`, '-e', `inject=${call}:signal=KILL:when=${nth}`]);
      if (result.signal !== 'SIGKILL') break;
      kills += 1;
      try {
        compare(observe(top), before, after, one.timedRefs);
        readEverything(top);
        letTimePass(top);
        await checkAgain(one, top, after, runAgain);
        if (kills % 5 === 0) fsck(top);
      } catch (error) {
        problems.push(`${one.name}, killed at ${call} number ${nth}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  }
  done();
  return { operations: 0, states: kills, problems };
}

/** Errors of the system given to the real program, and the calls they may come from. */
const faults = {
  EIO: ['fsync', 'write', 'pwrite64', 'rename', 'unlink', 'link', 'openat', 'mkdir'],
  ENOSPC: ['write', 'pwrite64', 'mkdir', 'link', 'rename', 'fsync'],
  EMFILE: ['openat'],
  EACCES: ['rename', 'unlink', 'link', 'mkdir', 'openat'],
} as const;

/** A call of Node's own that fails in the place of one of ours may leave it waiting for ever. */
const impatient = ['timeout', '-s', 'KILL', '90'];

export interface FaultOptions {
  readonly only?: readonly (keyof typeof faults)[];
  /** At most so many faults per kind of call. */
  readonly most?: number;
}

/**
 * Lets each system call that concerns the repository, or what is written beside it, fail once, on copies of `repository`: the command fails and says at which file, or goes
 * through; refs and index are the old or the new ones, and it goes through when it is run again. `states` counts the faults.
 */
export async function failEverywhere(one: CrashCase, repository: string, scratch: string, options: FaultOptions = {}): Promise<CrashResult> {
  const top = join(scratch, 'repo');
  const { fresh, done } = startingPoint(one, repository, scratch);
  fresh();
  const before = observe(top);
  const log = join(scratch, 'calls');
  const isOurs = (line: string): boolean => line.includes(`${scratch}/`) || line.includes('.git/');
  const problems: string[] = [];
  let count = 0;
  for (const [error, calls] of Object.entries(faults) as [keyof typeof faults, readonly string[]][]) {
    if (options.only !== undefined && !options.only.includes(error)) continue;
    for (const call of calls) {
      // Which of the calls are about the repository: descriptors are shown with their paths.
      fresh();
      run(one, top, scratch, ['strace', '-f', '-qq', '-y', '-o', log, '-e', `trace=${call}`]);
      const after = observe(top);
      const numbers = readFileSync(log, 'latin1').split('\n').filter((line) => line.includes(`${call}(`))
        .flatMap((line, at) => (isOurs(line) && !/O_RDONLY/.test(line) ? [at + 1] : [])).slice(0, options.most ?? 10_000);
      for (const nth of numbers) {
        fresh();
        const result = run(one, top, scratch, ['strace', '-f', '-qq', '-y', '-o', log, '-e', `trace=${call}`, '-e', `inject=${call}:error=${error}:when=${nth}`, ...impatient]);
        // Threads may come in another order: one of Node's own calls may have taken the turn.
        const injected = readFileSync(log, 'latin1').split('\n').find((line) => line.includes('INJECTED'));
        if (injected === undefined || !isOurs(injected)) continue;
        count += 1;
        try {
          const stderr = String(result.stderr);
          if (result.status === null || result.status === 70) throw new Error(`exits with ${result.status}: ${stderr}`);
          if (result.status !== 0 && !/['/]/.test(stderr)) throw new Error(`does not say where: ${stderr}`);
          compare(observe(top), result.status === 0 ? after : before, after, one.timedRefs);
          readEverything(top);
          await checkAgain(one, top, after, runAgain);
        } catch (problem) {
          problems.push(`${one.name}, ${error} from ${call} number ${nth}: ${problem instanceof Error ? problem.message : String(problem)}`);
        }
      }
    }
  }
  done();
  return { operations: 0, states: count, problems };
}

/** `fresh` makes the repository the case begins with, again and again; `done` removes it. */
function startingPoint(one: CrashCase, repository: string, scratch: string): { readonly fresh: () => void; readonly done: () => void } {
  const origin = `${scratch}-origin`;
  const done = (): void => { for (const directory of [scratch, origin]) rmSync(directory, { recursive: true, force: true }); };
  const copy = (from: string, to: string): void => cpSync(from, to, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
  done();
  copy(repository, origin);
  prepare(one, origin);
  const fresh = (): void => {
    rmSync(scratch, { recursive: true, force: true });
    copy(origin, join(scratch, 'repo'));
  };
  return { fresh, done };
}

/**
 * Lets the disk take only half of what it is given: of every write, where the rest is taken when it is offered again and all must be as ever;
 * and of each write to a file in turn, after which that file gets ENOSPC, as from a disk that is full. `states` counts the runs.
 */
export async function shortenEverywhere(one: CrashCase, repository: string, scratch: string, most = 10_000): Promise<CrashResult> {
  const top = join(scratch, 'repo');
  const { fresh, done } = startingPoint(one, repository, scratch);
  const problems: string[] = [];
  const complain = (what: string, problem: unknown): void => { problems.push(`${one.name}, ${what}: ${problem instanceof Error ? problem.message : String(problem)}`); };
  fresh();
  const before = observe(top);
  const whole = run(one, top, scratch, []);
  const after = observe(top);
  let runs = 1;
  fresh();
  const halved = run(one, top, scratch, [], 'all');
  try {
    if (halved.status !== whole.status) throw new Error(`exits with ${halved.status}: ${halved.stderr}`);
    if (one.timedRefs === undefined && String(halved.stdout) !== String(whole.stdout)) throw new Error(`prints ${String(halved.stdout)}`);
    compare(observe(top), after, after, one.timedRefs);
    readEverything(top);
  } catch (problem) {
    complain('only half of every write taken', problem);
  }
  for (let nth = 1; nth <= most; nth += 1) {
    fresh();
    const result = run(one, top, scratch, [], String(nth));
    if (result.stderr.includes('no such write')) break;
    runs += 1;
    try {
      if (result.status === null || result.status === 70) throw new Error(`exits with ${result.status}: ${result.stderr}`);
      if (result.status !== 0 && !result.stderr.includes('/')) throw new Error(`does not say where: ${result.stderr}`);
      compare(observe(top), result.status === 0 ? after : before, after, one.timedRefs);
      readEverything(top);
      await checkAgain(one, top, after, runAgain);
    } catch (problem) {
      complain(`the disk full in the middle of write number ${nth}`, problem);
    }
  }
  done();
  return { operations: 0, states: runs, problems };
}

/** With `short`, fs.writeSync is that of short-writes.ts. */
function run(one: CrashCase, top: string, above: string, tracer: readonly string[], short?: string): ReturnType<typeof spawnSync> & { readonly stderr: Buffer } {
  const preload = short === undefined ? [] : ['--import', join(import.meta.dirname, 'short-writes.js')];
  const [program, ...words] = [...tracer, process.execPath, ...preload, cairnProgram, ...fillIn(one.argv, above)];
  return spawnSync(program!, words, { cwd: top, env: { ...cleanEnvironment, ...(short === undefined ? {} : { CAIRN_TEST_SHORT: short }) }, input: inputOf(one, top) ?? '' });
}

/** As a process of its own: a lock is only taken over from a process of the same host. */
async function runAgain(directory: string, argv: readonly string[], stdin?: string | Buffer): ReturnType<typeof cairn> {
  return cairnProcess(fillIn(argv, join(directory, '..')), { cwd: directory, ...(stdin === undefined ? {} : { stdin }) });
}

/** A maintenance lock whose holder was killed before it could say who it is is taken over after a while: let that be now. */
function letTimePass(top: string): void {
  const lock = join(top, '.git/cairn/maintenance.lock');
  if (existsSync(lock) && !existsSync(join(top, '.git/cairn/maintenance'))) utimesSync(lock, 1, 1);
}
