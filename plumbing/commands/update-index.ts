// cairn update-index: change the index path by path. Options and paths work in the order they are typed, as with git.
import { CairnError, InvalidError, LockedError, UsageError } from '../../pack/errors.js';
import { isObjectId, isZeroId, parseObjectId, type ObjectId } from '../../pack/oid.js';
import { canonicalMode, executableMode, fileMode, gitlinkMode, type RepoPath } from '../../pack/tree.js';
import { BlobBatch } from '../objects/blob-batch.js';
import type { Arguments, Command, Context } from '../command.js';
import { type Index, type IndexEntry, type IndexVersion, indexEntry, readIndex } from '../index/index-file.js';
import { type IndexLock, lockIndex } from '../index/index-lock.js';
import { listPathLines } from '../line-reader.js';
import { LookAhead } from '../index/look-ahead.js';
import { findPathFault } from '../path-safety.js';
import { Pathspec, normalisePath, pathspecContext } from '../pathspec.js';
import { unquotePath } from '../quote.js';
import { Repository } from '../repository.js';
import { findInTree, findRevision } from '../history/revision.js';
import { UnchangedFiles } from '../index/unchanged-files.js';
import { compareEntry } from '../index/work-status.js';
import { WorkTree } from '../index/work-tree.js';

export const command: Command = {
  name: 'update-index',
  family: 'git',
  summary: 'put files of the work tree, or given objects, into the index',
  usage: ['update-index [<options>] [--] [<file>...]'],
  options: [
    { name: 'add', negatable: true, help: 'take paths that are not in the index yet' },
    { name: 'remove', negatable: true, help: 'take missing files out of the index' },
    { name: 'force-remove', negatable: true, help: 'take files out of the index though they exist' },
    { name: 'replace', negatable: true, help: 'let a file take the place of a directory, and the other way round' },
    { name: 'refresh', help: 'renew the stat data of unchanged files' },
    { name: 'really-refresh', help: 'as --refresh, not believing assume-unchanged' },
    { name: 'q', help: 'go on when --refresh finds changes' },
    { name: 'unmerged', negatable: true, help: 'let --refresh pass over unmerged paths' },
    { name: 'ignore-missing', negatable: true, help: 'let --refresh pass over missing files' },
    { name: 'ignore-submodules', negatable: true, help: 'let --refresh pass over nested repositories' },
    { name: 'cacheinfo', value: 'mode,object,path', help: 'put this entry in' },
    { name: 'index-info', help: 'read entries from standard input' },
    { name: 'chmod', value: '(+|-)x', help: 'set or clear the execute bit of the paths that follow' },
    { name: 'assume-unchanged', negatable: true, help: 'mark the paths: never compare them' },
    { name: 'skip-worktree', negatable: true, help: 'mark the paths: not to be in the work tree' },
    { name: 'ignore-skip-worktree-entries', negatable: true, help: 'leave marked entries alone when removing' },
    { name: 'info-only', negatable: true, help: 'do not store the contents, only their ids' },
    { name: 'again', short: 'g', help: 'update the paths that differ from HEAD' },
    { name: 'stdin', help: 'read paths from standard input' },
    { name: 'z', help: 'paths on standard input end in NUL' },
    { name: 'index-version', value: 'n', help: 'write this version of the format' },
    { name: 'force-write-index', negatable: true, help: 'write the index even when nothing changed' },
    { name: 'unresolve', help: 'take back that the paths that follow were resolved' },
    { name: 'no-split-index', help: 'keep the index in one file, as it always is' },
    { name: 'untracked-cache', negatable: true, help: 'remember untracked files, which is done anyway' },
    { name: 'force-untracked-cache', negatable: true, help: 'as --untracked-cache' },
    { name: 'test-untracked-cache', help: 'say whether untracked files can be remembered' },
    { name: 'no-fsmonitor', help: 'without a file monitor, as always' },
    { name: 'fsmonitor-valid', negatable: true, help: 'mark the paths for a file monitor, of which there is none' },
    { name: 'verbose', negatable: true, help: 'say what is added and removed' },
  ],
  run(context, args) {
    const repository = Repository.open(context);
    const updater = new Updater(context, repository, args);
    try {
      return updater.run();
    } finally {
      updater.close();
    }
  },
};

class Updater {
  readonly #context: Context;
  readonly #repository: Repository;
  readonly #args: Arguments;
  readonly #lock: IndexLock | undefined;
  readonly #index: Index;
  readonly #blobs: BlobBatch;
  readonly #flags = new Set<string>();
  #workTree: WorkTree | undefined;
  /** `flag` is undefined for a mark of which the index keeps nothing. */
  #mark: { readonly flag: 'assumeValid' | 'skipWorktree' | undefined; readonly on: boolean } | undefined;
  #executable: boolean | undefined;
  #hasErrors = false;
  /** What was changed is not written. */
  #isGivenUp = false;

  constructor(context: Context, repository: Repository, args: Arguments) {
    this.#context = context;
    this.#repository = repository;
    this.#args = args;
    this.#blobs = new BlobBatch(repository.objects);
    this.#lock = tryLock(repository, args.has('refresh') && args.has('q'));
    this.#index = this.#lock?.index ?? readIndex(repository);
  }

  close(): void {
    this.#blobs[Symbol.dispose]();
    this.#lock?.rollback();
  }

  run(): number {
    const version = this.#version();
    this.#walkArguments();
    if (this.#args.has('again')) this.#updateAgain();
    this.#blobs.finish();
    if (this.#isGivenUp) return 1;
    if (this.#index.isChanged || version !== undefined || this.#args.has('force-write-index')) this.#lock?.write(version);
    return this.#hasErrors ? 1 : 0;
  }

  #version(): IndexVersion | undefined {
    const text = this.#args.value('index-version');
    if (text === undefined) return undefined;
    if (!/^[0-9]+$/.test(text)) throw new UsageError(`option 'index-version' expects a number, not '${text}'`);
    const version = Number(text);
    if (version !== 2 && version !== 3 && version !== 4) throw new InvalidError(`index-version ${text} not in range: 2..4`, { code: 'bad-index-version' });
    return version;
  }

  #walkArguments(): void {
    const { tokens } = this.#args;
    for (let at = 0; at < tokens.length; at += 1) {
      const token = tokens[at]!;
      if (token.kind === 'option' && token.name === 'unresolve') {
        this.#unresolve(tokens.slice(at + 1).flatMap((next) => next.kind === 'positional' ? [next.value] : []));
        return;
      }
      if (token.kind === 'positional') {
        if (!this.#args.has('again')) this.#updateArgument(Buffer.from(token.value).toString('latin1'), this.#repository.prefix);
        continue;
      }
      if (token.name === 'cacheinfo') {
        at += this.#addCacheInfo(token.value!, tokens.slice(at + 1, at + 3).flatMap((next) => next.kind === 'positional' ? [next.value] : []));
      } else {
        const isLast = tokens.slice(at + 1).every((next) => next.kind === 'option' && next.name === 'z');
        this.#applyOption(token.name, token.negated, token.value, isLast);
      }
    }
  }

  #applyOption(name: string, negated: boolean, value: string | undefined, isLast: boolean): void {
    switch (name) {
      case 'refresh': this.#refresh(false); return;
      case 'really-refresh': this.#refresh(true); return;
      case 'assume-unchanged': this.#mark = { flag: 'assumeValid', on: !negated }; return;
      case 'skip-worktree': this.#mark = { flag: 'skipWorktree', on: !negated }; return;
      case 'fsmonitor-valid': this.#mark = { flag: undefined, on: false }; return;
      case 'untracked-cache': case 'force-untracked-cache': case 'test-untracked-cache': case 'no-split-index': case 'no-fsmonitor': return;
      case 'chmod':
        if (value !== '+x' && value !== '-x') throw new UsageError(`option 'chmod' expects "+x" or "-x", not '${value}'`);
        this.#executable = value === '+x';
        return;
      case 'stdin':
      case 'index-info':
        if (!isLast) throw new UsageError(`option '${name}' must be at the end`);
        if (name === 'stdin') this.#readPaths();
        else this.#readEntries();
        return;
      default:
        if (negated) this.#flags.delete(name);
        else this.#flags.add(name);
    }
  }

  get #tree(): WorkTree {
    return this.#workTree ??= new WorkTree(this.#repository, this.#index);
  }

  #report(text: string): void {
    if (this.#flags.has('verbose')) this.#context.stdout.write(Buffer.from(`${text}\n`, 'latin1'));
  }

  /** The path is given as typed, in bytes. */
  #updateArgument(typed: string, prefix: string): void {
    const path = normalisePath(typed, prefix, this.#repository.workTree);
    this.#updateOne(path as RepoPath);
    if (this.#executable !== undefined) this.#changeMode(path as RepoPath, this.#executable);
  }

  #updateOne(path: RepoPath): void {
    const looks = this.#mark === undefined && !this.#flags.has('force-remove');
    const status = looks ? this.#tree.findStatus(path) : undefined;
    const fault = path.endsWith('/') ? 'it ends in a slash' : findPathFault(path, this.#tree.protection, status?.isSymbolicLink() ? 0o120000 : undefined);
    if (fault !== undefined) {
      this.#context.stderr.write(Buffer.from(`Ignoring path ${path}\n`, 'latin1'));
      return;
    }
    if (this.#mark !== undefined) {
      const entry = this.#index.find(path);
      if (entry === undefined) throw new InvalidError(`unable to mark file '${shown(path)}'`, { code: 'not-in-index' });
      if (this.#mark.flag !== undefined) this.#index.refresh({ ...entry, [this.#mark.flag]: this.#mark.on });
      return;
    }
    if (this.#flags.has('force-remove')) {
      this.#index.remove(path);
      this.#report(`remove '${path}'`);
      return;
    }
    this.#process(path, status);
    this.#report(`add '${path}'`);
  }

  #process(path: RepoPath, status: ReturnType<WorkTree['findStatus']>): void {
    const index = this.#index;
    const entry = index.find(path);
    if (this.#tree.isBehindSymlink(path)) throw unable(path, 'it is beyond a symbolic link');
    const removes = this.#flags.has('remove') || this.#flags.has('force-remove');
    if (entry?.skipWorktree) {
      if (!this.#flags.has('ignore-skip-worktree-entries') && removes) index.remove(path);
      return;
    }
    if (status === undefined) {
      if (!removes) throw unable(path, 'does not exist and --remove not passed');
      index.remove(path);
      return;
    }
    if (status.isDirectory()) {
      this.#addNested(path, entry);
      return;
    }
    if (entry !== undefined && !entry.intentToAdd && (entry.assumeValid || this.#tree.compareStatus(entry, status, index) === 'same')) return;
    const found = this.#tree.statData(path);
    const mode = this.#tree.modeOf(status, (entry ?? index.find(path, 2))?.mode);
    if (found === undefined || mode === undefined) throw unable(path, 'it is no file, symbolic link or repository');
    const id = this.#flags.has('info-only') ? this.#tree.hashFile(path, mode) : this.#tree.stageContent(path, mode, this.#blobs);
    this.#put(indexEntry({ path, id, mode, stat: found.stat, assumeValid: entry?.assumeValid ?? false }));
  }

  #addNested(path: RepoPath, entry: IndexEntry | undefined): void {
    const head = this.#tree.isNestedRepository(path) ? this.#tree.findNestedHead(path) : undefined;
    if (head === undefined) {
      if (entry?.mode === gitlinkMode && !this.#tree.isNestedRepository(path)) return;
      if (entry !== undefined && this.#flags.has('remove')) {
        this.#index.remove(path);
        return;
      }
      throw unable(path, this.#index.hasDirectory(path) ? 'is a directory - add individual files instead' : 'is a directory - add files inside instead');
    }
    if (entry === undefined && this.#index.hasDirectory(path)) throw unable(path, 'is a directory - add individual files instead');
    this.#put(indexEntry({ path, id: head, mode: gitlinkMode, stat: this.#tree.statData(path)!.stat }));
  }

  #put(entry: IndexEntry, flags: ReadonlySet<string> = this.#flags): void {
    const index = this.#index;
    const replaces = index.has(entry.path);
    if (!replaces && !flags.has('add')) throw unable(entry.path, 'cannot add to the index - missing --add option?');
    if (!flags.has('replace') && index.find(entry.path, entry.stage) === undefined && index.listConflicts(entry.path, entry.stage).length > 0) {
      throw unable(entry.path, 'cannot add to the index - a directory or file is in its place (--replace?)');
    }
    index.set(entry);
  }

  #changeMode(path: RepoPath, executable: boolean): void {
    const entry = this.#index.find(path);
    if (entry === undefined || (entry.mode & 0o170000) !== 0o100000) {
      throw new InvalidError(`cannot chmod ${executable ? '+' : '-'}x '${shown(path)}'`, { code: 'cannot-chmod' });
    }
    this.#index.set({ ...entry, mode: executable ? executableMode : fileMode });
    this.#report(`chmod ${executable ? '+' : '-'}x '${path}'`);
  }

  /** Returns how many of the words that follow it took. */
  #addCacheInfo(value: string, following: readonly string[]): number {
    const parts = /^([^,]*),([^,]*),(.*)$/s.exec(value);
    const [mode, id, path] = parts === null ? [value, ...following] : parts.slice(1);
    if (mode === undefined || id === undefined || path === undefined) throw new UsageError("option 'cacheinfo' expects <mode>,<sha1>,<path>");
    if (!/^[0-7]+$/.test(mode) || !isObjectId(id.toLowerCase(), this.#repository.format)) {
      if (parts !== null) throw new UsageError("option 'cacheinfo' expects <mode>,<sha1>,<path>");
      throw unable(path, '--cacheinfo cannot add it');
    }
    this.#addInfo(Number.parseInt(mode, 8), parseObjectId(id, this.#repository.format), Buffer.from(path).toString('latin1') as RepoPath, 0, this.#flags);
    return parts === null ? 2 : 0;
  }

  #addInfo(mode: number, id: ObjectId, path: RepoPath, stage: IndexEntry['stage'], flags: ReadonlySet<string>): void {
    const fault = findPathFault(path, this.#protection, mode);
    if (fault !== undefined) throw unable(path, fault);
    const type = mode & 0o170000;
    if (isZeroId(id)) throw unable(path, 'the id of nothing names no object');
    if (type === 0o040000) throw unable(path, 'a directory is no entry of an index');
    const stored = type === 0o160000 ? gitlinkMode : canonicalMode(type === 0o120000 ? mode : 0o100000 | (mode & 0o777));
    this.#put(indexEntry({ path, id, mode: stored, stage, assumeValid: false }), flags);
    this.#report(`add '${path}'`);
  }

  get #protection(): WorkTree['protection'] {
    return this.#repository.workTree === undefined ? { protectNtfs: true, protectHfs: true } : this.#tree.protection;
  }

  #readPaths(): void {
    const nul = this.#args.has('z');
    for (const line of listPathLines(this.#context.stdin, nul)) {
      this.#updateArgument(nul ? line : unquotePath(line), this.#repository.prefix);
    }
  }

  /** `<mode> <id>\t<path>`, `<mode> <type> <id>\t<path>`, `<mode> <id> <stage>\t<path>`; mode 0 removes. */
  #readEntries(): void {
    const nul = this.#args.has('z');
    const flags = new Set([...this.#flags, 'add', 'replace', 'remove']);
    for (const line of listPathLines(this.#context.stdin, nul)) {
      const parts = /^([0-7]+) (?:[a-z]+ )?([0-9a-fA-F]+)(?: ([0-3]))?\t(.*)$/s.exec(line);
      if (parts === null || !isObjectId(parts[2]!.toLowerCase(), this.#repository.format)) {
        throw new InvalidError(`malformed index info ${Buffer.from(line, 'latin1').toString()}`, { code: 'bad-index-info' });
      }
      const mode = Number.parseInt(parts[1]!, 8);
      const path = (nul ? parts[4]! : unquotePath(parts[4]!)) as RepoPath;
      if (findPathFault(path, this.#protection, mode) !== undefined) {
        this.#context.stderr.write(Buffer.from(`Ignoring path ${path}\n`, 'latin1'));
      } else if (mode === 0) {
        this.#index.remove(path);
      } else {
        this.#addInfo(mode, parseObjectId(parts[2]!, this.#repository.format), path, Number(parts[3] ?? 0) as IndexEntry['stage'], flags);
      }
    }
  }

  #refresh(really: boolean): void {
    const index = this.#index;
    // As in git, -q counts for what comes behind it.
    const quiet = this.#flags.has('q');
    const complain = (path: string, what: string): void => {
      this.#hasErrors = true;
      this.#context.stdout.write(Buffer.from(`${path}: needs ${what}\n`, 'latin1'));
    };
    let former = '';
    using ahead = LookAhead.start(this.#repository);
    const unchanged = new UnchangedFiles(this.#tree, index, ahead);
    const suspects: IndexEntry[] = [];
    for (let at = 0; at < index.count; at += 1) if (!unchanged.has(at)) suspects.push(index.entryAt(at));
    for (const entry of suspects) {
      if (entry.stage !== 0) {
        if (entry.path !== former && !this.#flags.has('unmerged')) complain(entry.path, 'merge');
        former = entry.path;
        continue;
      }
      if (entry.mode === gitlinkMode && this.#flags.has('ignore-submodules')) continue;
      const believed = really ? { ...entry, assumeValid: false } : entry;
      const change = compareEntry(this.#tree, index, believed, (stat) => index.refresh({ ...entry, stat }));
      if (change === undefined || (change.kind === 'deleted' && this.#flags.has('ignore-missing'))) continue;
      if (really && entry.assumeValid) index.refresh(believed);
      if (!quiet) complain(entry.path, 'update');
    }
  }

  /** Paths that were resolved are unmerged again, by what the index remembers or else by what both sides have. */
  #unresolve(words: readonly string[]): void {
    const { refs } = this.#repository;
    if (refs.find('HEAD') === undefined) throw new InvalidError('no HEAD -- no initial commit yet?', { code: 'no-head' });
    if (findRevision(this.#repository, 'MERGE_HEAD') === undefined) {
      this.#context.stderr.write('Not in the middle of a merge.\n');
      return;
    }
    for (const word of words) {
      const path = normalisePath(Buffer.from(word).toString('latin1'), this.#repository.prefix, this.#repository.workTree) as RepoPath;
      if (!this.#unresolveOne(path)) this.#hasErrors = true;
    }
    if (this.#hasErrors) this.#isGivenUp = true;
  }

  #unresolveOne(path: RepoPath): boolean {
    const index = this.#index;
    const say = (what: string): void => this.#context.stderr.write(Buffer.from(`${path}: ${what}\n`, 'latin1'));
    if (index.find(path) !== undefined) {
      if (index.unresolve(path)) return true;
    } else if (index.has(path)) {
      say('skipping still unmerged path.');
      return true;
    }
    const [ours, theirs] = ['HEAD^{tree}', 'MERGE_HEAD^{tree}'].map((name) => {
      const tree = findRevision(this.#repository, name);
      const found = tree === undefined ? undefined : findInTree(this.#repository, tree, path);
      return found?.mode === undefined || found.mode === 0o040000 ? undefined : { id: found.id, mode: found.mode };
    });
    if (ours === undefined || theirs === undefined) {
      say(`not in ${ours === undefined ? 'our' : 'their'} branch.`);
      return false;
    }
    if (ours.id === theirs.id && ours.mode === theirs.mode) {
      say('identical in both, skipping.');
      return true;
    }
    index.remove(path);
    index.set(indexEntry({ path, id: ours.id, mode: ours.mode, stage: 2 }));
    index.set(indexEntry({ path, id: theirs.id, mode: theirs.mode, stage: 3 }));
    return true;
  }

  /** Every path whose entry is not the one of HEAD is updated from the work tree. */
  #updateAgain(): void {
    this.#repository.requireWorkTree();
    const pathspec = Pathspec.parse(this.#args.positionals, pathspecContext(this.#repository), { emptyIsPrefix: true });
    const head = findRevision(this.#repository, 'HEAD', 'tree');
    const tree = head === undefined ? undefined : findRevision(this.#repository, 'HEAD^{tree}');
    for (const { path, stage, id, mode } of [...this.#index.entries]) {
      if (stage !== 0 || !pathspec.matches(path)) continue;
      const old = tree === undefined ? undefined : findInTree(this.#repository, tree, path);
      if (old === undefined || old.id !== id || old.mode !== mode) this.#updateOne(path);
    }
  }
}

function unable(path: string, why: string): CairnError {
  return new InvalidError(`unable to process path '${shown(path)}': ${why}`, { code: 'cannot-update' });
}

function shown(path: string): string {
  return Buffer.from(path, 'latin1').toString();
}

/** With --refresh -q an index somebody else is changing is no error. */
function tryLock(repository: Repository, optional: boolean): IndexLock | undefined {
  try {
    return lockIndex(repository);
  } catch (error) {
    if (optional && error instanceof LockedError) return undefined;
    throw error;
  }
}
