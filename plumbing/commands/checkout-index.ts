// cairn checkout-index: files of the index into the work tree, or elsewhere with --prefix.
import { ConflictError, InvalidError } from '../../pack/errors.js';
import { pathToUtf8, symlinkMode, type RepoPath } from '../../pack/tree.js';
import type { Arguments, Command, Context } from '../command.js';
import { type Index, type IndexEntry, readIndex } from '../index/index-file.js';
import { type IndexLock, lockIndex } from '../index/index-lock.js';
import { listPathLines } from '../line-reader.js';
import { normalisePath } from '../pathspec.js';
import { quotePath, unquotePath } from '../quote.js';
import { Repository } from '../repository.js';
import { WorkTree } from '../index/work-tree.js';

export const command: Command = {
  name: 'checkout-index',
  family: 'git',
  summary: 'copy files from the index to the work tree',
  usage: ['checkout-index [<options>] [--] [<file>...]'],
  options: [
    { name: 'all', short: 'a', negatable: true, help: 'every file of the index' },
    { name: 'force', short: 'f', negatable: true, help: 'replace what is there' },
    { name: 'quiet', short: 'q', negatable: true, help: 'say nothing of files that exist or are not in the index' },
    { name: 'no-create', short: 'n', negatable: true, help: 'only files that are there already' },
    { name: 'index', short: 'u', negatable: true, help: 'put the stat data of what was written into the index' },
    { name: 'prefix', value: 'string', help: 'put this in front of every path' },
    { name: 'stage', value: '(1|2|3|all)', help: 'take this stage of unmerged paths' },
    { name: 'temp', negatable: true, help: 'write to temporary files and print their names' },
    { name: 'ignore-skip-worktree-bits', negatable: true, help: 'also files that are marked as not to be in the work tree' },
    { name: 'stdin', negatable: true, help: 'read paths from standard input' },
    { name: 'z', help: 'they end in NUL' },
  ],
  run(context, args) {
    const repository = Repository.open(context);
    repository.requireWorkTree();
    const stage = args.value('stage');
    if (args.values('stage').some((given) => !['1', '2', '3', 'all'].includes(given))) throw new InvalidError('stage should be between 1 and 3 or all', { code: 'bad-options' });
    if (args.has('all') && args.positionals.length > 0) {
      throw new InvalidError("checkout-index: don't mix '--all' and explicit filenames", { code: 'bad-options' });
    }
    if (args.has('stdin') && (args.has('all') || args.positionals.length > 0)) {
      throw new InvalidError("checkout-index: don't mix '--stdin' with '--all' or explicit filenames", { code: 'bad-options' });
    }
    const temporary = args.has('temp') || stage === 'all';
    const updates = args.has('index') && args.value('prefix') === undefined && !temporary;
    using lock = updates ? lockIndex(repository) : undefined;
    return new Checkout(context, repository, args, lock, temporary).run();
  },
};

class Checkout {
  readonly #context: Context;
  readonly #repository: Repository;
  readonly #args: Arguments;
  readonly #lock: IndexLock | undefined;
  readonly #index: Index;
  readonly #workTree: WorkTree;
  readonly #temporary: boolean;
  readonly #stages: readonly number[];
  readonly #prefix: string | undefined;
  #temporaryCount = 0;
  #failed = false;

  constructor(context: Context, repository: Repository, args: Arguments, lock: IndexLock | undefined, temporary: boolean) {
    this.#context = context;
    this.#repository = repository;
    this.#args = args;
    this.#lock = lock;
    this.#index = lock?.index ?? readIndex(repository);
    this.#workTree = new WorkTree(repository, this.#index);
    this.#temporary = temporary;
    const stage = args.value('stage');
    this.#stages = stage === undefined ? [0] : stage === 'all' ? [1, 2, 3] : [Number(stage)];
    const prefix = args.value('prefix');
    this.#prefix = prefix === undefined ? undefined : Buffer.from(prefix).toString('latin1');
  }

  run(): number {
    const nul = this.#args.has('z');
    if (this.#args.has('all')) this.#checkoutAll();
    else if (this.#args.has('stdin')) {
      for (const line of listPathLines(this.#context.stdin, nul)) this.#checkoutNamed(nul ? line : unquotePath(line));
    } else {
      for (const word of this.#args.positionals) this.#checkoutNamed(Buffer.from(word).toString('latin1'));
    }
    if (this.#index.isChanged) this.#lock?.write();
    return this.#failed ? 1 : 0;
  }

  #checkoutAll(): void {
    const { prefix } = this.#repository;
    let former: string | undefined;
    for (let at = 0; at < this.#index.count; at += 1) {
      const path = this.#index.pathAt(at);
      if (path === former || !path.startsWith(prefix)) continue;
      former = path;
      const entries = this.#findStages(path);
      if (entries.some((entry) => entry !== undefined)) this.#checkout(path, entries);
    }
  }

  #checkoutNamed(typed: string): void {
    const path = normalisePath(typed, this.#repository.prefix, this.#repository.workTree) as RepoPath;
    const entries = this.#findStages(path);
    if (entries.some((entry) => entry !== undefined)) {
      this.#checkout(path, entries);
      return;
    }
    const stage = this.#args.value('stage');
    if (!this.#index.has(path)) this.#complain(path, 'is not in the cache');
    else if (stage === 'all') return;
    else if (this.#index.find(path)?.skipWorktree) this.#complain(path, "has skip-worktree enabled; use '--ignore-skip-worktree-bits' to checkout");
    else this.#complain(path, stage === undefined ? 'is unmerged' : `does not exist at stage ${stage}`);
  }

  #findStages(path: string): (IndexEntry | undefined)[] {
    const skips = !this.#args.has('ignore-skip-worktree-bits');
    return this.#stages.map((stage) => {
      const entry = this.#index.find(path, stage);
      return skips && entry?.skipWorktree ? undefined : entry;
    });
  }

  #complain(path: RepoPath, what: string): void {
    if (!this.#args.has('quiet')) this.#context.stderr.write(`cairn checkout-index: ${pathToUtf8(path)} ${what}\n`);
    this.#failed = true;
  }

  #checkout(path: RepoPath, entries: readonly (IndexEntry | undefined)[]): void {
    if (this.#temporary) {
      this.#checkoutTemporary(path, entries);
      return;
    }
    const entry = entries[0]!;
    const status = this.#prefix === undefined ? this.#workTree.findOwnStatus(path) : undefined;
    if (this.#args.has('no-create') && status === undefined) return;
    if (status !== undefined && this.#workTree.compareStatus(entry, status, this.#index) === 'same') return;
    try {
      const stat = this.#workTree.checkout(entry, {
        force: this.#args.has('force'), ...(this.#prefix === undefined ? {} : { prefix: this.#prefix }),
      });
      if (stat === false) this.#complain(path, 'already exists, no checkout');
      else if (this.#lock !== undefined) this.#index.refresh({ ...entry, stat });
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error;
      this.#complain(path, error.message);
    }
  }

  /** Prints `name\tpath`, or the names of all stages ('.' for one that is missing). */
  #checkoutTemporary(path: RepoPath, entries: readonly (IndexEntry | undefined)[]): void {
    const names = entries.map((entry) => {
      if (entry === undefined) return '.';
      const name = this.#temporaryName(entry);
      this.#workTree.checkoutTo(entry, name);
      return name;
    });
    const end = this.#args.has('z') ? '\0' : '\n';
    const shown = path.slice(this.#repository.prefix.length);
    this.#context.stdout.write(Buffer.from(`${names.join(' ')}\t${end === '\0' ? shown : quotePath(shown)}${end}`, 'latin1'));
  }

  #temporaryName(entry: IndexEntry): string {
    for (;;) {
      this.#temporaryCount += 1;
      const kind = entry.mode === symlinkMode ? 'link' : 'file';
      const name = `.merge_${kind}_${this.#context.process.pid.toString(36)}${this.#temporaryCount.toString(36).padStart(3, '0')}`;
      if (this.#workTree.findStatus(name) === undefined) return name;
    }
  }
}
