// merge-index: runs a program for files that are unmerged in the index. See git-merge-index(1).
import { InvalidError, UsageError } from '../../pack/errors.js';
import { lazyModule } from '../../pack/lazy-module.js';
import type { Arguments, Command, Context } from '../command.js';
import { type Index, type IndexEntry, readIndex } from '../index/index-file.js';
import { mergeOneFile } from '../merge/merge-one-file.js';
import { Repository } from '../repository.js';

const childProcess = lazyModule<typeof import('node:child_process')>('node:child_process');

/** The program that is part of this one. */
const ownProgram = /^(?:git|cairn)-merge-one-file$/;

export const command: Command = {
  name: 'merge-index',
  family: 'git',
  summary: 'run a merge for files that are unmerged in the index',
  usage: ['merge-index [-o] [-q] <merge-program> (-a | ([--] <file>...))'],
  options: [
    { name: 'o', help: 'go on when a merge fails, and do all of them' },
    { name: 'q', help: 'do not complain of merges that fail' },
    { name: 'a', help: 'run the merge for all unmerged files' },
  ],
  rawArguments: true,
  run(context: Context, args: Arguments): number {
    const words = [...args.argv];
    const settings = { goesOn: false, isQuiet: false };
    for (; words[0] === '-o' || words[0] === '-q'; words.shift()) {
      if (words[0] === '-o') settings.goesOn = true;
      else settings.isQuiet = true;
    }
    const program = words.shift();
    if (program === undefined || args.argv.length < 2) throw new UsageError('a program, and -a or files are needed');
    const repository = Repository.open(context);
    const run = new MergeRun(context, repository, program, settings);
    let isForced = false;
    for (const word of words) {
      if (!isForced && word.startsWith('-')) {
        if (word === '--') isForced = true;
        else if (word === '-a') run.mergeAll();
        else throw new InvalidError(`unknown option '${word}'`, { code: 'bad-option' });
      } else run.mergePath(Buffer.from(repository.prefix, 'latin1').toString() + word);
    }
    if (run.failures > 0 && !settings.isQuiet) throw new InvalidError('merge program failed', { code: 'merge-failed' });
    return Math.min(run.failures, 255);
  },
};

class MergeRun {
  failures = 0;
  readonly #context: Context;
  readonly #repository: Repository;
  readonly #program: string;
  readonly #settings: { readonly goesOn: boolean; readonly isQuiet: boolean };
  readonly #index: Index;

  constructor(context: Context, repository: Repository, program: string, settings: { readonly goesOn: boolean; readonly isQuiet: boolean }) {
    this.#context = context;
    this.#repository = repository;
    this.#program = program;
    this.#settings = settings;
    this.#index = readIndex(repository);
  }

  mergeAll(): void {
    const paths = new Set<string>();
    for (const entry of this.#index.entries) if (entry.stage !== 0) paths.add(entry.path);
    for (const path of paths) if (!this.#merge(path)) return;
  }

  mergePath(path: string): void {
    const latin1 = Buffer.from(path).toString('latin1');
    if (![0, 1, 2, 3].some((stage) => this.#index.find(latin1, stage) !== undefined)) throw new InvalidError(`'${path}' is not in the cache`, { code: 'not-in-index' });
    if (this.#index.find(latin1, 0) === undefined) this.#merge(latin1);
  }

  /** False when nothing more is to be done. */
  #merge(path: string): boolean {
    const stages = [1, 2, 3].map((stage) => this.#index.find(path, stage));
    const [base, ours, theirs] = stages;
    const code = ownProgram.test(this.#program)
      ? mergeOneFile(this.#repository, { path, ...(base && { base }), ...(ours && { ours }), ...(theirs && { theirs }) })
      : this.#runProgram(path, stages);
    if (code === 0) return true;
    this.failures += 1;
    if (this.#settings.goesOn) return true;
    if (!this.#settings.isQuiet) throw new InvalidError('merge program failed', { code: 'merge-failed' });
    return false;
  }

  /** The program gets ids, path and modes, base first; nothing stands for what is not there. */
  #runProgram(path: string, stages: readonly (IndexEntry | undefined)[]): number {
    const ids = stages.map((entry) => entry?.id ?? '');
    const modes = stages.map((entry) => (entry === undefined ? '' : entry.mode.toString(8).padStart(6, '0')));
    const top = this.#repository.workTree ?? this.#repository.gitDirectory;
    this.#context.stdout.flush();
    const result = childProcess().spawnSync(this.#program, [...ids, Buffer.from(path, 'latin1').toString(), ...modes], {
      cwd: top, env: this.#context.env as NodeJS.ProcessEnv, stdio: ['inherit', 'pipe', 'inherit'], maxBuffer: 1 << 30,
    });
    if (result.error !== undefined) {
      this.#context.stderr.write(`error: cannot run '${this.#program}': ${result.error.message}\n`);
      return 128;
    }
    this.#context.stdout.write(result.stdout);
    return result.status ?? 128;
  }
}
