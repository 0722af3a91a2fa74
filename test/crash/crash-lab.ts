// Runs one command on a recording disk, then cuts the power after every operation in many ways and looks at what is left: it must
// open, hold for every ref and for the index the value from before or from after, have everything they need, and let the
// command run again without anybody's help. When the command had finished, everything must be as it reported.
import { cpSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { useDisk } from '../../pack/disk.js';
import { ObjectStore } from '../../pack/object-store.js';
import { Index } from '../../plumbing/index/index-file.js';
import { CommitGraphing } from '../../plumbing/history/commit-graphing.js';
import { markReachable } from '../../plumbing/history/reachable.js';
import { MultiPackIndexing } from '../../plumbing/objects/multi-pack-indexing.js';
import { listReflogs } from '../../plumbing/refs/reflog.js';
import { Repository } from '../../plumbing/repository.js';
import { listEvents } from '../../porcelain/events.js';
import { cairn, cairnProgram, makeContext } from '../helpers/cairn.js';
import { seededRandom } from '../helpers/sandbox.js';
import { git, hasGit, runProgram } from '../helpers/stock-git.js';
import { type Draw, FileSystemModel, type State, afterReboot, fingerprint, materialise } from './power-cut.js';
import { RecordingDisk } from './recording-disk.js';

export interface CrashCase {
  readonly name: string;
  /** The command, run at the top of the work tree; `{}` in an argument stands for the directory above it, `{path}` for what a file below it says. */
  readonly argv: readonly string[];
  /** For sh, with stock git and "$CAIRN", in the repository before anything else. */
  readonly prepare?: string;
  readonly stdin?: string;
  /** A file below the top whose bytes are standard input. */
  readonly stdinFile?: string;
  /** Run after it, on the same disk: what is acknowledged in the end is what they left; states on the way need only be whole. */
  readonly then?: readonly { readonly argv: readonly string[]; readonly stdin?: string }[];
  /** When it is run again after a cut, instead of `argv`. */
  readonly again?: readonly string[];
  readonly stdinAgain?: string;
  /** Exit codes allowed when it is run again; default 0. */
  readonly codesAgain?: readonly number[];
  /** After a run that went through, everything must be as after the first one; default true. */
  readonly isRepeatable?: boolean;
  /** Stock git is not content before the command went through. */
  readonly isDamaged?: boolean;
  /** Refs whose names or values depend on the time; a real process tells its own, so after a kill they are only read. */
  readonly timedRefs?: RegExp;
  /** A further look at a state; throws. `phase` tells whether the command had been acknowledged. */
  readonly check?: (directory: string, phase: 'cut' | 'acknowledged' | 'again') => void;
}

export interface CrashOptions {
  /** How many random states per operation, besides the regular ones. */
  readonly randomDraws: number;
  readonly seed: number;
  /** Only every n-th operation is cut at; default 1. */
  readonly every?: number;
  /** Let stock git check every n-th state; 0 never. */
  readonly gitEvery: number;
  readonly omit?: Omission;
}

/** Leaves out every operation of one kind, done or not: the lab must then find problems, or it would never find any. */
export type Omission = 'fsync' | 'fsyncDirectory';

export interface CrashResult {
  readonly operations: number;
  readonly states: number;
  /** One line each. */
  readonly problems: readonly string[];
}

export interface Observed {
  readonly refs: ReadonlyMap<string, string>;
  readonly index: string;
  /** Reflogs and events, as they are. */
  readonly logs: string;
}

/** Tries one case on a copy of `repository` below `scratch`. */
export async function crash(one: CrashCase, repository: string, scratch: string, options: CrashOptions): Promise<CrashResult> {
  const live = join(scratch, 'live');
  const stateDirectory = join(scratch, 'state');
  rmSync(scratch, { recursive: true, force: true });
  mkdirSync(live, { recursive: true });
  cpSync(repository, join(live, 'repo'), { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
  prepare(one, join(live, 'repo'));
  const model = new FileSystemModel(live);
  const before = observe(join(live, 'repo'));
  const recording = new RecordingDisk(live);
  const top = join(live, 'repo');
  for (const { argv, stdin } of [{ argv: one.argv, stdin: inputOf(one, top) }, ...one.then ?? []]) {
    const { code, stderr } = await withDisk(recording, () => runIn(top, argv, stdin));
    if (code !== 0) throw new Error(`${one.name}: ${argv.join(' ')} exited with ${code}: ${stderr}`);
  }
  const after = observe(join(live, 'repo'));
  const random = seededRandom(options.seed);
  const seen = new Set<string>();
  const problems: string[] = [];
  let states = 0;
  const operations = recording.operations.filter(({ kind }) => kind !== options.omit);
  for (let done = 0; done <= operations.length; done += 1) {
    if (done > 0) model.apply(operations[done - 1]!);
    const isLast = done === operations.length;
    if (!isLast && done % (options.every ?? 1) !== 0) continue;
    for (const draw of listDraws(options.randomDraws, random)) {
      const state = afterReboot(model.draw(draw));
      const print = `${isLast} ${fingerprint(state)}`;
      if (seen.has(print)) continue;
      seen.add(print);
      states += 1;
      const where = `${one.name}, after ${done} of ${operations.length} operations (${describe(operations[done - 1])}), names ${draw.names}, data ${draw.data}`;
      try {
        await checkState(one, state, stateDirectory, before, after, isLast, options.gitEvery > 0 && states % options.gitEvery === 0);
      } catch (error) {
        problems.push(`${where}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  }
  rmSync(scratch, { recursive: true, force: true });
  return { operations: operations.length, states, problems };
}

function describe(operation: { kind: string; path?: string; to?: string } | undefined): string {
  return operation === undefined ? 'nothing' : `${operation.kind} ${operation.path ?? operation.to ?? ''}`.trim();
}

function listDraws(randomDraws: number, random: () => number): Draw[] {
  const draws: Draw[] = [
    { names: 'kept', data: 'kept', random }, { names: 'lost', data: 'lost', random }, { names: 'kept', data: 'lost', random },
    { names: 'kept', data: 'zero', random }, { names: 'kept', data: 'torn', random },
  ];
  for (let number = 0; number < randomDraws; number += 1) draws.push({ names: number % 2 === 0 ? 'prefix' : 'mixed', data: 'mixed', random });
  return draws;
}

async function withDisk<Result>(disk: RecordingDisk, act: () => Promise<Result>): Promise<Result> {
  const restore = useDisk(disk);
  try {
    return await act();
  } finally {
    restore();
  }
}

/** Brings a copy of the repository to where the case begins. */
export function prepare(one: CrashCase, top: string): void {
  if (one.prepare === undefined) return;
  const made = runProgram('sh', ['-e', '-c', one.prepare], { cwd: top, env: { CAIRN: cairnProgram } });
  if (made.code !== 0) throw new Error(`${one.name}: ${made.stderr}`);
}

/** What the command reads. */
export function inputOf(one: CrashCase, top: string): string | Buffer | undefined {
  return one.stdinFile === undefined ? one.stdin : readFileSync(join(top, one.stdinFile));
}

/** `{}` stands for the directory above the work tree, `{path}` for what a file below its top says. */
export function fillIn(argv: readonly string[], above: string): string[] {
  return argv.map((word) => word.replace('{}', above).replace(/^\{(.+)\}$/, (_, path: string) => readFileSync(join(above, 'repo', path), 'latin1').trim()));
}

/** Runs one command line in this process. Locks tell their holder by the process's start, so it must be one that lives. */
export async function runIn(directory: string, argv: readonly string[], stdin?: string | Buffer): ReturnType<typeof cairn> {
  const top = join(directory, '..');
  return cairn(fillIn(argv, top), { cwd: directory, pid: process.pid, nowMs: Date.now(), ...(stdin === undefined ? {} : { stdin }) });
}

async function checkState(
  one: CrashCase, state: State, directory: string, before: Observed, after: Observed, isAcknowledged: boolean, askGit: boolean,
): Promise<void> {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  materialise(state, directory);
  const top = join(directory, 'repo');
  const found = observe(top);
  if (isAcknowledged || one.then === undefined) compare(found, isAcknowledged ? after : before, after);
  if (isAcknowledged && found.logs !== after.logs) throw new Error('reflogs or events are not as they were acknowledged');
  readEverything(top);
  if (isAcknowledged || !(one.isDamaged ?? false)) checkDerived(top);
  one.check?.(top, isAcknowledged ? 'acknowledged' : 'cut');
  if (askGit && hasGit() && !(one.isDamaged ?? false)) fsck(top);
  if (one.then === undefined) await checkAgain(one, top, after);
  if (askGit && hasGit()) fsck(top);
}

/** Runs the command again where it was cut off; throws unless it goes through and everything is there. */
export async function checkAgain(one: CrashCase, top: string, after: Observed, runner: typeof runIn = runIn): Promise<void> {
  const again = await runner(top, one.again ?? one.argv, one.stdinAgain ?? inputOf(one, top));
  if (!(one.codesAgain ?? [0]).includes(again.code)) throw new Error(`run again it exits with ${again.code}: ${again.stderr.trim()}`);
  if ((one.isRepeatable ?? true) && again.code === 0) compare(observe(top), after, after);
  readEverything(top);
  one.check?.(top, 'again');
}

/** Refs (HEAD too, as it says) and index of a repository. */
export function observe(directory: string): Observed {
  const repository = openRepository(directory);
  const refs = new Map<string, string>();
  for (const name of repository.refs.listNames()) {
    // Receipts name random directories, so their ids differ from run to run; that there is one is what counts.
    if (name.startsWith('refs/cairn/receipts/')) continue;
    refs.set(name, name.startsWith('refs/releases/') ? 'released' : JSON.stringify(repository.refs.readRaw(name), ['kind', 'id', 'target']));
  }
  refs.set('HEAD', JSON.stringify(repository.refs.readRaw('HEAD'), ['kind', 'id', 'target']));
  const index = Index.read(repository.indexPath, repository.format);
  const entries = index.entries.map(({ path, id, mode, stage }) => `${path} ${id} ${mode} ${stage}`).join('\n');
  // That of a deleted ref may come back; nothing is wrong with that.
  const logs = [...listReflogs(repository)].filter((name) => refs.has(name)).map((name) => `${name}\n${readFileSync(repository.refs.logPath(name), 'latin1')}`);
  const events = [...listEvents(repository)].map((event) => `${JSON.stringify(event)}\n`);
  return { refs, index: entries, logs: [...logs, ...events].join('') };
}

/** Throws unless the refs, all of them together, and the index are as in one of the two. */
export function compare(found: Observed, old: Observed, fresh: Observed, except?: RegExp): void {
  for (const name of new Set([...found.refs.keys(), ...old.refs.keys(), ...fresh.refs.keys()])) {
    const value = found.refs.get(name);
    if (except?.test(name)) continue;
    if (value !== old.refs.get(name) && value !== fresh.refs.get(name)) {
      throw new Error(`ref '${name}' is ${value}, neither ${old.refs.get(name)} nor ${fresh.refs.get(name)}`);
    }
  }
  const is = (state: Observed): boolean => {
    const names = new Set([...found.refs.keys(), ...state.refs.keys()]);
    return [...names].every((name) => except?.test(name) || found.refs.get(name) === state.refs.get(name));
  };
  if (!is(old) && !is(fresh)) {
    const changed = [...fresh.refs.keys(), ...old.refs.keys()].filter((name) => found.refs.get(name) === fresh.refs.get(name) && fresh.refs.get(name) !== old.refs.get(name));
    throw new Error(`of several refs only some have changed: ${[...new Set(changed)].join(', ')}`);
  }
  if (found.index !== old.index && found.index !== fresh.index) throw new Error('the index is neither the old one nor the new one');
}

/** Everything refs, HEAD and the index lead to is read and verified. */
export function readEverything(directory: string): void {
  const repository = openRepository(directory);
  const roots = [...repository.refs.list()].map(({ id }) => id);
  const head = repository.refs.find('HEAD');
  if (head !== undefined) roots.push(head.id);
  for (const { id, mode } of Index.read(repository.indexPath, repository.format).entries) if (mode !== 0o160000) roots.push(id);
  const store = ObjectStore.open(repository.objectsDirectory, repository.format);
  try {
    for (const id of markReachable(store, roots)) store.read(id);
  } finally {
    store.close();
    repository.objects.close();
  }
}

function openRepository(directory: string): Repository {
  return Repository.open(makeContext({ cwd: directory, pid: process.pid }).context);
}

/** What only repeats what objects say must not say anything else. */
function checkDerived(directory: string): void {
  const store = openRepository(directory).openStored();
  try {
    for (const fault of new CommitGraphing(store, store.directory).check({ shallow: false })) throw new Error(`commit-graph: ${fault}`);
    for (const fault of new MultiPackIndexing(store).check()) throw new Error(`multi-pack-index: ${fault}`);
  } finally {
    store.close();
  }
}

/** Stock git must be content. */
export function fsck(directory: string): void {
  const result = git(['fsck', '--full', '--strict'], { cwd: directory });
  if (result.code !== 0) throw new Error(`git fsck is not content: ${result.stderr.trim()}`);
}
