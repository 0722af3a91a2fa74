// cairn ls-files: the paths of the index and of the work tree, by kind.
import { InvalidError, UsageError } from '../../pack/errors.js';
import { checkTreeDepth, gitlinkMode, symlinkMode, type RepoPath } from '../../pack/tree.js';
import { abbreviateId, fewestDigits } from '../objects/abbreviation.js';
import { Attributes } from '../content/attributes.js';
import type { Arguments, Command, Context } from '../command.js';
import { IgnoreRules } from '../ignore.js';
import { type Index, type IndexEntry, indexEntry, readIndex } from '../index/index-file.js';
import { describeLineEndings, describeText } from '../content/line-endings.js';
import { Pathspec } from '../pathspec.js';
import { type QuoteOptions, quotePath } from '../quote.js';
import { Repository } from '../repository.js';
import { findInTree, resolveTree } from '../history/revision.js';
import { compareEntry, relativePath, scanWorkTree } from '../index/work-status.js';
import { WorkTree } from '../index/work-tree.js';

export const command: Command = {
  name: 'ls-files',
  family: 'git',
  summary: 'list the paths of the index and of the work tree',
  usage: ['ls-files [<options>] [--] [<file>...]'],
  options: [
    { name: 'cached', short: 'c', help: 'what is in the index (default)' },
    { name: 'deleted', short: 'd', help: 'what is missing in the work tree' },
    { name: 'modified', short: 'm', help: 'what differs in the work tree' },
    { name: 'others', short: 'o', help: 'what is not in the index' },
    { name: 'ignored', short: 'i', help: 'only what the given patterns ignore' },
    { name: 'stage', short: 's', help: 'with mode, object id and stage' },
    { name: 'unmerged', short: 'u', help: 'only what is unmerged, as --stage' },
    { name: 'killed', short: 'k', help: 'what a checkout would have to remove' },
    { name: 'directory', help: 'a directory with nothing tracked by its name' },
    { name: 'no-empty-directory', negatable: true, help: 'leave empty directories out' },
    { name: 'eol', negatable: true, help: 'with the line endings of each file' },
    { name: 'deduplicate', negatable: true, help: 'each name once' },
    { name: 'exclude', short: 'x', value: 'pattern', help: 'ignore what matches' },
    { name: 'exclude-from', short: 'X', value: 'file', help: 'read patterns from this file' },
    { name: 'exclude-per-directory', value: 'file', help: 'read patterns from this file in each directory' },
    { name: 'exclude-standard', help: 'ignore as git does by default' },
    { name: 'error-unmatch', negatable: true, help: 'fail when a given path is not there' },
    { name: 'with-tree', value: 'tree-ish', help: 'with what this tree has and the index lacks' },
    { name: 'full-name', help: 'paths from the top' },
    { name: 'abbrev', value: 'n', valueOptional: true, negatable: true, help: 'shorten object ids' },
    { name: 'resolve-undo', help: 'what the stages of resolved paths were' },
    { name: 'recurse-submodules', negatable: true, help: 'with the files of nested repositories, which must not be set up' },
    { name: 'sparse', negatable: true, help: 'leave directories of a sparse index folded, of which there are none' },
    { name: 'debug', help: 'with all an entry holds' },
    { name: 'format', value: 'format', help: 'print this for each path' },
    { name: 't', help: 'with a letter for the kind' },
    { name: 'v', help: 'as -t, small letters for assume-unchanged' },
    { name: 'f', help: 'as -t, small letters for what a file monitor vouches for' },
    { name: 'z', help: 'names as they are, each ending in NUL' },
  ],
  run(context, args) {
    const repository = Repository.open(context);
    return new Lister(context, repository, args).run();
  },
};

const outputBytes = 1 << 16;

type Tag = 'H' | 'S' | 'M' | 'R' | 'C' | 'K' | '?';

class Lister {
  readonly #context: Context;
  readonly #repository: Repository;
  readonly #args: Arguments;
  readonly #index: Index;
  readonly #pathspec: Pathspec;
  readonly #terminator: string;
  readonly #showStage: boolean;
  readonly #tags: boolean;
  readonly #deduplicate: boolean;
  readonly #quoting: QuoteOptions;
  #workTree: WorkTree | undefined;
  #attributes: Attributes | undefined;
  #pending = '';

  constructor(context: Context, repository: Repository, args: Arguments) {
    this.#context = context;
    this.#repository = repository;
    this.#args = args;
    this.#index = readIndex(repository);
    const { prefix, workTree } = repository;
    this.#pathspec = Pathspec.parse(args.positionals, {
      prefix, workTree, env: context.env, attributes: () => Attributes.load(repository, { fallback: this.#index }),
    }, { emptyIsPrefix: true });
    this.#terminator = args.has('z') ? '\0' : '\n';
    this.#showStage = args.has('stage') || args.has('unmerged');
    this.#tags = args.has('t') || args.has('v') || args.has('f');
    this.#deduplicate = args.has('deduplicate') && !args.has('t') && !this.#showStage;
    this.#quoting = { quotePath: repository.config.getBoolean('core.quotepath') !== false };
    this.#checkOptions();
  }

  #checkOptions(): void {
    const args = this.#args;
    const has = (...names: string[]): boolean => names.some((name) => args.has(name));
    if (args.value('format') !== undefined && has('stage', 'others', 'killed', 'resolve-undo', 'deduplicate', 'eol', 't')) {
      throw new UsageError('--format cannot be used with -s, -o, -k, -t, --resolve-undo, --deduplicate, --eol');
    }
    for (const digits of args.values('abbrev')) if (!/^[0-9]+$/.test(digits)) throw new UsageError(`option 'abbrev' expects a number, not '${digits}'`);
    if (has('recurse-submodules')) {
      if (has('deleted', 'modified', 'others', 'killed', 'unmerged', 'resolve-undo', 'with-tree')) {
        throw new InvalidError('ls-files --recurse-submodules unsupported mode', { code: 'bad-options' });
      }
      if (has('error-unmatch')) throw new InvalidError('ls-files --recurse-submodules does not support --error-unmatch', { code: 'bad-options' });
      if (this.#repository.config.list().some(({ name }) => name.startsWith('submodule.'))) {
        throw new UsageError('--recurse-submodules is not supported where submodules are set up');
      }
    }
    if (has('modified', 'others', 'deleted', 'killed', 'ignored')) this.#repository.requireWorkTree();
    // A file of patterns that is not there is an error even where none is asked for.
    if (has('exclude-from')) this.#loadRules();
    if (!has('ignored')) return;
    if (!has('others', 'cached')) throw new InvalidError('ls-files -i must be used with either -o or -c', { code: 'bad-options' });
    if (!has('exclude', 'exclude-from', 'exclude-per-directory', 'exclude-standard')) {
      throw new InvalidError('ls-files --ignored needs some exclude pattern', { code: 'bad-options' });
    }
  }

  run(): number {
    const args = this.#args;
    if (args.value('with-tree') !== undefined) this.#overlayTree(args.value('with-tree')!);
    const shown = ['stage', 'deleted', 'others', 'unmerged', 'killed', 'modified', 'resolve-undo', 'with-tree'].some((name) => args.has(name));
    const cached = args.has('cached') || !shown || (args.has('with-tree') && !args.has('deleted') && !args.has('modified') && !args.has('others'));
    if (args.has('others') || args.has('killed')) this.#listOthers();
    if (cached || this.#showStage || args.has('deleted') || args.has('modified')) this.#listEntries(cached);
    if (args.has('resolve-undo')) this.#listResolved();
    this.#flush();
    if (!args.has('error-unmatch')) return 0;
    const unmatched = this.#pathspec.listUnmatched();
    for (const item of unmatched) this.#context.stderr.write(`error: pathspec '${item}' did not match any file(s) known to git\n`);
    if (unmatched.length > 0) this.#context.stderr.write("Did you forget to 'git add'?\n");
    return unmatched.length > 0 ? 1 : 0;
  }

  get #tree(): WorkTree {
    return this.#workTree ??= new WorkTree(this.#repository, this.#index);
  }

  #loadRules(): IgnoreRules {
    const args = this.#args;
    return IgnoreRules.load(this.#repository, {
      standard: args.has('exclude-standard'),
      perDirectory: args.values('exclude-per-directory'),
      files: args.values('exclude-from'),
      patterns: args.values('exclude').map((pattern) => Buffer.from(pattern).toString('latin1')),
    });
  }

  #listEntries(cached: boolean): void {
    const args = this.#args;
    const index = this.#index;
    const ignored = args.has('ignored') ? this.#loadRules() : undefined;
    const [deleted, modified, unmergedOnly] = [args.has('deleted'), args.has('modified'), args.has('unmerged')];
    let former: string | undefined;
    for (let at = 0; at < index.count; at += 1) {
      const entry = index.entryAt(at);
      if (this.#deduplicate && entry.path === former) continue;
      if (!this.#pathspec.admits(entry.path)) continue;
      if (ignored !== undefined && !ignored.isIgnored(entry.path, entry.mode === gitlinkMode)) continue;
      if ((cached || this.#showStage) && !(unmergedOnly && entry.stage === 0)) {
        this.#print(entry.path, entry.stage !== 0 ? 'M' : entry.skipWorktree ? 'S' : 'H', entry);
        former = entry.path;
        if (this.#deduplicate) continue;
      }
      if ((!deleted && !modified) || entry.skipWorktree) continue;
      const isMissing = this.#tree.findStatus(entry.path) === undefined;
      if (isMissing && deleted) {
        this.#print(entry.path, 'R', entry);
        former = entry.path;
        if (this.#deduplicate) continue;
      }
      if (modified && (isMissing || compareEntry(this.#tree, index, entry) !== undefined)) {
        this.#print(entry.path, 'C', entry);
        former = entry.path;
      }
    }
  }

  #listOthers(): void {
    const args = this.#args;
    const ignored = args.has('ignored');
    const hasRules = ['exclude', 'exclude-from', 'exclude-per-directory', 'exclude-standard'].some((name) => args.has(name));
    const scan = scanWorkTree(this.#tree, this.#index, {
      untracked: args.has('directory') ? 'normal' : 'all',
      ignored: ignored ? args.has('directory') ? 'traditional' : 'matching' : 'no',
      pathspec: this.#pathspec,
      ...(hasRules ? { rules: () => this.#loadRules() } : {}),
      emptyDirectories: !args.has('no-empty-directory'),
      expandIgnored: !args.has('directory'),
      trackedUnchecked: true,
    });
    const paths = ignored ? scan.ignored : scan.untracked;
    if (args.has('others')) for (const path of paths) this.#print(path, '?');
    if (args.has('killed')) for (const path of scan.untracked) if (this.#isKilled(path)) this.#print(path, 'K');
  }

  #listResolved(): void {
    for (const [path, stages] of [...this.#index.resolved].sort(([one], [two]) => (one < two ? -1 : 1))) {
      if (!this.#pathspec.matches(path)) continue;
      for (const [at, stage] of stages.entries()) {
        if (stage === undefined) continue;
        const mode = stage.mode.toString(8).padStart(6, '0');
        this.#pending += `${this.#tags ? 'U ' : ''}${mode} ${this.#shortId(stage)} ${at + 1}\t${this.#name(path)}${this.#terminator}`;
      }
    }
  }

  /** True for something untracked that stands where the index has a directory, or below where it has a file. */
  #isKilled(path: string): boolean {
    const plain = path.endsWith('/') ? path.slice(0, -1) : path;
    if (this.#index.hasDirectory(plain)) return true;
    let isBelowFile = false;
    for (let slash = path.indexOf('/'); slash > 0; slash = path.indexOf('/', slash + 1)) {
      const directory = path.slice(0, slash);
      if (this.#index.find(directory) !== undefined) isBelowFile = true;
      // When nothing else was asked for, git looks into no directory the index does not know.
      else if (!this.#args.has('others') && !this.#index.hasDirectory(directory)) return false;
    }
    return isBelowFile;
  }

  #print(path: RepoPath, tag: Tag, entry?: IndexEntry): void {
    // Only what is shown counts as found.
    if (entry !== undefined && !(this.#args.has('error-unmatch') ? this.#pathspec.matchesOnce(path) : this.#pathspec.matches(path))) return;
    const format = this.#args.value('format');
    let line = '';
    if (format !== undefined && entry !== undefined) {
      line = this.#formatLine(format, path, entry);
    } else {
      if (this.#tags) line += `${this.#args.has('v') && entry?.assumeValid ? lowerTag(tag) : tag} `;
      if (this.#showStage && entry !== undefined) line += `${entry.mode.toString(8).padStart(6, '0')} ${this.#shortId(entry)} ${entry.stage}\t`;
      if (this.#args.has('eol')) {
        line += `i/${this.#indexEol(entry).padEnd(5)} w/${this.#workTreeEol(path).padEnd(5)} attr/${this.#eolAttribute(path).padEnd(17)}\t`;
      }
      line += this.#name(path);
    }
    this.#pending += line + this.#terminator;
    if (entry !== undefined && this.#args.has('debug')) this.#pending += describeEntry(entry);
    if (this.#pending.length > outputBytes) this.#flush();
  }

  #flush(): void {
    this.#context.stdout.write(Buffer.from(this.#pending, 'latin1'));
    this.#pending = '';
  }

  #name(path: string): string {
    const shown = this.#args.has('full-name') ? path : relativePath(path, this.#repository.prefix);
    return this.#args.has('z') ? shown : quotePath(shown, this.#quoting);
  }

  #shortId({ id }: Pick<IndexEntry, 'id'>): string {
    if (!this.#args.has('abbrev')) return id;
    const digits = this.#args.value('abbrev');
    return digits === undefined ? abbreviateId(this.#repository, id) : abbreviateId(this.#repository, id, Math.max(Number(digits), fewestDigits));
  }

  #formatLine(format: string, path: RepoPath, entry: IndexEntry): string {
    return Buffer.from(format).toString('latin1').replace(/%(%|\([^)]*\)|x[0-9a-fA-F]{2}|.?)/gs, (whole, what: string) => {
      if (what === '%') return '%';
      if (what === 'n') return '\n';
      if (what.startsWith('x') && what.length === 3) return String.fromCharCode(Number.parseInt(what.slice(1), 16));
      switch (what) {
        case '(objectmode)': return entry.mode.toString(8).padStart(6, '0');
        case '(objectname)': return this.#shortId(entry);
        case '(stage)': return String(entry.stage);
        case '(eolinfo:index)': return this.#indexEol(entry);
        case '(eolinfo:worktree)': return this.#workTreeEol(path);
        case '(eolattr)': return this.#eolAttribute(path);
        case '(path)': return this.#name(path);
        default: throw new InvalidError(`bad ls-files format: ${whole}`, { code: 'bad-format' });
      }
    });
  }

  /** Of a path in conflict our side counts, whatever entry is shown. */
  #indexEol(shown: IndexEntry | undefined): string {
    if (shown === undefined || shown.mode === symlinkMode || shown.mode === gitlinkMode) return '';
    const entry = shown.stage === 0 ? shown : this.#index.find(shown.path, 2);
    const object = entry === undefined ? undefined : this.#repository.objects.find(entry.id);
    return object === undefined ? 'none' : describeText([object.bytes]);
  }

  #workTreeEol(path: string): string {
    if (this.#repository.workTree === undefined) return '';
    return this.#tree.findStatus(path)?.isFile() ? describeText([this.#tree.readFile(path)]) : '';
  }

  #eolAttribute(path: string): string {
    this.#attributes ??= this.#repository.workTree === undefined ? Attributes.load(this.#repository, { fallback: this.#index }) : this.#tree.attributes;
    return describeLineEndings(this.#attributes.find(path));
  }

  /** Adds what the tree has and the index lacks, as if it were unmerged; only to this listing. */
  #overlayTree(name: string): void {
    if (this.#showStage) throw new InvalidError('ls-files --with-tree is incompatible with -s or -u', { code: 'bad-options' });
    const tree = resolveTree(this.#repository, name);
    const add = (prefix: string, id: typeof tree, depth: number): void => {
      checkTreeDepth(depth, id);
      for (const entry of this.#repository.objects.readTree(id)) {
        const path = (prefix + entry.name) as RepoPath;
        if (entry.mode === 0o040000) add(`${path}/`, entry.id, depth + 1);
        else if (!this.#index.has(path)) this.#index.set(indexEntry({ path, id: entry.id, mode: entry.mode, stage: 1 }));
      }
    };
    if (findInTree(this.#repository, tree, '') !== undefined) add('', tree, 0);
  }
}

function describeEntry({ stat, stage, assumeValid, skipWorktree, intentToAdd }: IndexEntry): string {
  // In the order of bits: intent-to-add, skip-worktree; in the low half assume-valid, extended, stage.
  const flags = (skipWorktree ? 0x40000000 : 0) + (intentToAdd ? 0x20000000 : 0) + (assumeValid ? 0x8000 : 0)
    + (skipWorktree || intentToAdd ? 0x4000 : 0) + (stage << 12);
  return `  ctime: ${stat.ctimeS}:${stat.ctimeNs}\n  mtime: ${stat.mtimeS}:${stat.mtimeNs}\n  dev: ${stat.dev}\tino: ${stat.ino}\n`
    + `  uid: ${stat.uid}\tgid: ${stat.gid}\n  size: ${stat.size}\tflags: ${flags.toString(16)}\n`;
}

function lowerTag(tag: Tag): string {
  return tag === '?' ? '!' : tag.toLowerCase();
}
