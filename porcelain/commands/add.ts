// cairn add: put what the work tree holds into the index. Nothing is named by the index before it is stored; the index is written
// once, under its lock.
import { CairnError, InvalidError, NotFoundError, RefusedError, UsageError, isSystemError } from '../../pack/errors.js';
import { emptyBlobId } from '../../pack/oid.js';
import { executableMode, fileMode, gitlinkMode, pathToUtf8, type RepoPath } from '../../pack/tree.js';
import { BlobBatch } from '../../plumbing/objects/blob-batch.js';
import { holdLease } from '../../plumbing/refs/announcement.js';
import type { Arguments, Command, Context } from '../../plumbing/command.js';
import { IgnoreRules } from '../../plumbing/ignore.js';
import { type Index, indexEntry } from '../../plumbing/index/index-file.js';
import { type IndexLock, lockIndex } from '../../plumbing/index/index-lock.js';
import { LookAhead } from '../../plumbing/index/look-ahead.js';
import { Pathspec } from '../../plumbing/pathspec.js';
import { readPathspecs } from '../../plumbing/pathspec-file.js';
import { Repository } from '../../plumbing/repository.js';
import { applyRefresh, scanWorkTree } from '../../plumbing/index/work-status.js';
import { type Change, WorkTree } from '../../plumbing/index/work-tree.js';
import { choosingModes } from '../hunks/choosing-mode.js';
import { chooseHunks } from '../hunks/hunk-choosing.js';
import { Snapshot } from '../snapshot.js';

export const command: Command = {
  name: 'add',
  family: 'cairn',
  summary: 'put files of the work tree into the index',
  usage: ['add [<options>] [--] [<pathspec>...]'],
  options: [
    { name: 'all', short: 'A', negatable: true, help: 'also what was removed' },
    { name: 'ignore-removal', negatable: true, help: 'not what was removed; as --no-all' },
    { name: 'update', short: 'u', negatable: true, help: 'only what is in the index already' },
    { name: 'force', short: 'f', negatable: true, help: 'also ignored files' },
    { name: 'intent-to-add', short: 'N', negatable: true, help: 'only note that the files will be added' },
    { name: 'patch', short: 'p', negatable: true, help: 'choose hunk by hunk what is added' },
    { name: 'dry-run', short: 'n', negatable: true, help: 'only say what would be done' },
    { name: 'verbose', short: 'v', negatable: true, help: 'say what is added' },
    { name: 'refresh', negatable: true, help: 'only renew the stat data of unchanged files' },
    { name: 'renormalize', negatable: true, help: 'store tracked files again, line endings converted afresh' },
    { name: 'chmod', value: '(+|-)x', help: 'set or clear the execute bit in the index' },
    { name: 'ignore-errors', negatable: true, help: 'go on with the other files when one cannot be added' },
    { name: 'ignore-missing', negatable: true, help: 'with --dry-run: let paths be missing' },
    { name: 'pathspec-from-file', value: 'file', help: 'read pathspecs from this file; - is standard input' },
    { name: 'pathspec-file-nul', negatable: true, help: 'they end in NUL' },
  ],
  run(context, args) {
    const repository = Repository.open(context);
    repository.requireWorkTree();
    checkOptions(args);
    const words = readPathspecs(context, args);
    if (args.has('patch')) {
      chooseHunks(repository, { mode: choosingModes.stage, paths: words });
      return 0;
    }
    const needsPaths = !args.has('all') && !args.has('update') && !args.has('renormalize');
    if (words.length === 0 && needsPaths && !args.has('refresh')) {
      context.stderr.write("Nothing specified, nothing added.\nhint: maybe you wanted to say 'cairn add .'?\n");
      return 0;
    }
    using _ = holdLease(repository);
    using lock = lockIndex(repository);
    return new Adder(context, repository, args, lock, words).run();
  },
};

function checkOptions(args: Arguments): void {
  if (args.has('patch') && args.has('dry-run')) throw new RefusedError("options '--dry-run' and '--patch' cannot be used together", { code: 'bad-options' });
  if (args.has('all') && args.has('update')) throw new UsageError("options '-A' and '-u' cannot be used together");
  if (args.has('ignore-missing') && !args.has('dry-run')) throw new UsageError("the option '--ignore-missing' requires '--dry-run'");
  const chmod = args.value('chmod');
  if (chmod !== undefined && chmod !== '+x' && chmod !== '-x') throw new UsageError(`--chmod param '${chmod}' must be either -x or +x`);
}

class Adder {
  readonly #context: Context;
  readonly #repository: Repository;
  readonly #args: Arguments;
  readonly #lock: IndexLock;
  readonly #index: Index;
  readonly #workTree: WorkTree;
  readonly #words: readonly string[];
  readonly #pathspec: Pathspec;
  readonly #rules: IgnoreRules;
  #failed = false;

  constructor(context: Context, repository: Repository, args: Arguments, lock: IndexLock, words: readonly string[]) {
    this.#context = context;
    this.#repository = repository;
    this.#args = args;
    this.#lock = lock;
    this.#index = lock.index;
    this.#workTree = new WorkTree(repository, lock.index);
    this.#words = words;
    this.#pathspec = this.#parsePathspec();
    this.#rules = IgnoreRules.load(repository);
  }

  #parsePathspec(): Pathspec {
    const { prefix, workTree, context } = this.#repository;
    return Pathspec.parse(this.#words, { prefix, workTree, env: context.env });
  }

  run(): number {
    const args = this.#args;
    this.#checkPathspecs();
    const onlyTracked = args.has('update') || args.has('renormalize') || args.has('refresh');
    using ahead = this.#pathspec.matchesAll ? LookAhead.start(this.#repository) : undefined;
    const scan = scanWorkTree(this.#workTree, this.#index, {
      ahead,
      untracked: onlyTracked ? 'no' : 'all',
      pathspec: this.#pathspec,
      ...(args.has('force') ? {} : { rules: () => this.#rules }),
    });
    applyRefresh(this.#index, scan);
    if (args.has('refresh')) {
      this.#requireMatches([]);
      this.#lock.write();
      return 0;
    }
    this.#requireMatches(scan.untracked);
    const { removed, files } = this.#sort(scan.changes, scan.untracked);
    if (args.has('dry-run')) {
      for (const path of removed) this.#say('remove', path);
      for (const path of files) this.#say('add', path);
      return this.#failed ? 1 : 0;
    }
    for (const path of removed) this.#index.remove(path);
    this.#store(files, args.has('renormalize'));
    if (args.has('verbose')) {
      for (const path of removed) this.#say('remove', path);
      for (const path of files) this.#say('add', path);
    }
    if (args.value('chmod') !== undefined) this.#changeModes(args.value('chmod') === '+x');
    if (this.#index.isChanged) this.#lock.write();
    for (const warning of this.#workTree.warnings) this.#context.stderr.write(`warning: ${warning}\n`);
    return this.#failed ? 1 : 0;
  }

  /** Plain paths behind symbolic links are refused before anything is done. */
  #checkPathspecs(): void {
    for (const item of this.#pathspec.items) {
      const literal = item.match.slice(0, item.literalLength).replace(/\/$/, '');
      if (item.exclude || item.literalLength < item.match.length || !this.#workTree.isBehindSymlink(literal)) continue;
      throw new InvalidError(`pathspec '${item.original}' is beyond a symbolic link`, { code: 'beyond-symlink' });
    }
  }

  /** NotFoundError for a pathspec nothing matches; ignored files asked for by name are told and fail the command in the end. */
  #requireMatches(untracked: readonly RepoPath[]): void {
    if (this.#words.length === 0 || (this.#words.length === 1 && this.#pathspec.matchesAll)) return;
    // The scan has also seen ignored files match; here only what can be added counts.
    const matcher = this.#parsePathspec();
    for (let at = 0; at < this.#index.count; at += 1) matcher.matches(this.#index.pathAt(at));
    for (const path of untracked) matcher.matches(path.replace(/\/$/, ''), true);
    const ignored: string[] = [];
    const unmatched = new Set(matcher.listUnmatched());
    for (const item of matcher.items) {
      if (item.exclude || !unmatched.has(item.original)) continue;
      const path = item.match.replace(/\/$/, '');
      const status = item.literalLength < item.match.length || path === '' ? undefined : this.#workTree.findStatus(path);
      const isDirectory = status?.isDirectory() ?? item.match.endsWith('/');
      if (path !== '' && item.literalLength === item.match.length && !this.#args.has('force')
        && (status !== undefined || this.#args.has('ignore-missing')) && this.#rules.isIgnored(path, isDirectory)) {
        ignored.push(path);
      } else if (status === undefined && path !== '' && !this.#args.has('ignore-missing')) {
        throw new NotFoundError(`pathspec '${item.original}' did not match any files`, { code: 'no-match' });
      }
    }
    if (ignored.length === 0) return;
    this.#failed = true;
    const names = ignored.map((path) => `${pathToUtf8(path as RepoPath)}\n`).join('');
    this.#context.stderr.write(`The following paths are ignored by one of your .gitignore files:\n${names}hint: use -f if you really want to add them\n`);
  }

  #sort(changes: readonly Change[], untracked: readonly RepoPath[]): { removed: RepoPath[]; files: RepoPath[] } {
    const args = this.#args;
    const removals = !(args.flag('all') === false || args.flag('ignore-removal') === true);
    const removed: RepoPath[] = [];
    const files: RepoPath[] = [];
    const changed = args.has('renormalize') ? this.#listTracked() : changes;
    for (const { path, kind } of changed) {
      const isMissing = kind === 'deleted' || (kind === 'unmerged' && this.#workTree.findOwnStatus(path) === undefined);
      if (!isMissing) {
        if (kind !== 'added' || !args.has('intent-to-add')) files.push(path);
      } else if (removals) removed.push(path);
    }
    return { removed, files: [...files, ...untracked] };
  }

  /** Every merged file that matches, as if it had changed. */
  #listTracked(): Change[] {
    return this.#index.entries.flatMap((entry): Change[] => {
      if (entry.stage !== 0 || entry.mode === gitlinkMode || !this.#pathspec.matches(entry.path)) return [];
      return [{ path: entry.path, kind: this.#workTree.findOwnStatus(entry.path) === undefined ? 'deleted' : 'modified' }];
    });
  }

  #store(files: readonly RepoPath[], renormalize: boolean): void {
    if (this.#args.has('intent-to-add')) {
      for (const path of files) this.#intend(path);
    } else if (renormalize || this.#args.has('ignore-errors')) {
      this.#storeOneByOne(files, renormalize);
    } else if (files.length > 0) {
      using snapshot = new Snapshot(this.#repository, this.#index);
      snapshot.add(files);
      snapshot.finish();
      for (const warning of snapshot.warnings) this.#context.stderr.write(`warning: ${warning}\n`);
    }
  }

  /** With --ignore-errors, a file that cannot be added is told and left out. */
  #storeOneByOne(files: readonly RepoPath[], renormalize: boolean): void {
    using blobs = new BlobBatch(this.#repository.objects);
    for (const path of files) {
      try {
        this.#workTree.checkPath(path.replace(/\/$/, ''));
        const found = this.#workTree.statData(path);
        const mode = found && this.#workTree.modeOf(found.status, this.#index.find(path)?.mode);
        if (found === undefined || mode === undefined) throw new NotFoundError(`'${pathToUtf8(path)}' is not there any more`, { code: 'no-file' });
        if (mode === gitlinkMode) {
          const plain = path.replace(/\/$/, '') as RepoPath;
          const id = this.#workTree.findNestedHead(plain);
          if (id === undefined) throw new InvalidError(`'${pathToUtf8(path)}' does not have a commit checked out`, { code: 'nested-unborn' });
          this.#index.set(indexEntry({ path: plain, id, mode, stat: found.stat }));
        } else {
          this.#index.set(indexEntry({ path, mode, stat: found.stat, id: this.#workTree.stageContent(path, mode, blobs, { renormalize }) }));
        }
      } catch (error) {
        if (!this.#args.has('ignore-errors') || !(error instanceof CairnError || isSystemError(error, 'EACCES', 'EPERM', 'EIO', 'ENOENT'))) throw error;
        this.#failed = true;
        this.#context.stderr.write(`error: ${error.message}\n`);
      }
    }
    blobs.finish();
  }

  #intend(path: RepoPath): void {
    const found = this.#workTree.statData(path);
    const mode = found && this.#workTree.modeOf(found.status);
    if (found === undefined || mode === undefined || mode === gitlinkMode || this.#index.has(path)) return;
    this.#workTree.checkPath(path, mode);
    this.#repository.objects.write('blob', Buffer.alloc(0));
    this.#index.set(indexEntry({ path, mode, id: emptyBlobId(this.#repository.format), intentToAdd: true }));
  }

  #changeModes(executable: boolean): void {
    for (const entry of [...this.#index.entries]) {
      if (entry.stage !== 0 || !this.#pathspec.matches(entry.path)) continue;
      if ((entry.mode & 0o170000) !== 0o100000) {
        this.#failed = true;
        this.#context.stderr.write(`error: cannot chmod ${executable ? '+' : '-'}x '${pathToUtf8(entry.path)}'\n`);
      } else {
        this.#index.set({ ...entry, mode: executable ? executableMode : fileMode });
      }
    }
  }

  #say(what: string, path: string): void {
    this.#context.stdout.write(Buffer.from(`${what} '${path}'\n`, 'latin1'));
  }
}
