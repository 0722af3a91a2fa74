// Finding, opening and making a repository. Layout: gitrepository-layout(5); discovery as git does it, with '.cairn' before '.git' at each level.
//
// A repository owned by somebody else is refused unless safe.directory names it, because its config and hooks are code. A format or
// extension that is not known is refused, never guessed at. A repository whose HEAD is damaged is an error, not "keep looking further up".
// If the power fails while one is made: HEAD is written last, so either there is no repository yet or a whole one; init again completes it.
import * as fs from 'node:fs';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { splitAlternates } from '../pack/alternates.js';
import { disk, makeDirectories, replaceFile } from '../pack/disk.js';
import { CorruptError, InvalidError, NotFoundError, RefusedError, isSystemError } from '../pack/errors.js';
import type { Hardening } from '../pack/hardening.js';
import { ObjectStore } from '../pack/object-store.js';
import type { PackCaches } from '../pack/pack-reader.js';
import type { ObjectFormat, ObjectId } from '../pack/oid.js';
import { type RepoPath, pathFromUtf8 } from '../pack/tree.js';
import type { Context } from './command.js';
import { Config, type ConfigEntry, expandHome, findConfigBytes, parseConfig, parseConfigBoolean } from './config.js';
import { parseConfigKey, setInConfig, unsetInConfig } from './config-file.js';
import { readHardening } from './hardening-config.js';
import { readGrafts } from './history/grafts.js';
import { type LockHolder } from './lockfile.js';
import { type RefName, isRefName } from './refs/ref-name.js';
import { hasRefJournal } from './refs/ref-journal.js';
import { finishRefTransactions } from './refs/ref-recovery.js';
import { Refs, decodeLooseRef } from './refs/refs.js';

/** The name of the repository's directory inside a work tree. */
export const repositoryName = '.cairn';

export interface InitOptions {
  /** The work tree, or with `bare` the repository itself; made when missing. */
  readonly directory: string;
  readonly objectFormat?: ObjectFormat;
  readonly bare?: boolean;
  /** Short name of the branch HEAD names; absent: init.defaultBranch, else 'main'. */
  readonly initialBranch?: string;
  /** Where the repository is put instead of <directory>/.cairn. */
  readonly gitDirectory?: string;
  /** Leave a file '.cairn' in the work tree that points at `gitDirectory`. */
  readonly separate?: boolean;
  /** Directory copied into a new repository; names beginning with '.' are left out. */
  readonly template?: string;
}

/** A directory that is never there: stands for that of a repository where there is none. */
const nowhere = '/.cairn-nowhere';

/** What the config of a repository says about its layout. */
interface Layout {
  readonly format: ObjectFormat;
  readonly bare: boolean | undefined;
  readonly workTree: string | undefined;
}

interface Found {
  readonly gitDirectory: string;
  /** The directory that contains '.cairn' or '.git', named without symbolic links; undefined for a bare one or inside the repository. */
  readonly top: string | undefined;
  /** The file that pointed here. */
  readonly gitFile: string | undefined;
  readonly isExplicit: boolean;
}

export class Repository {
  readonly context: Context;
  /** Absolute. In a linked work tree its own part, else the same as `commonDirectory`. */
  readonly gitDirectory: string;
  /** Absolute; where objects, branches and config are. */
  readonly commonDirectory: string;
  /** Absolute; undefined when there is none (bare), or when the command runs inside the repository directory. */
  readonly workTree: string | undefined;
  readonly isBare: boolean;
  readonly format: ObjectFormat;
  readonly config: Config;
  #objects: ObjectStore | undefined;
  #caches: PackCaches | undefined;
  #refs: Refs | undefined;
  #hardening: Hardening | undefined;
  #isFinishing = false;
  #prefix: string | undefined;
  #owned: boolean | undefined;

  private constructor(context: Context, found: { gitDirectory: string; commonDirectory: string; workTree: string | undefined; isBare: boolean; format: ObjectFormat; config: Config }) {
    this.context = context;
    this.gitDirectory = found.gitDirectory;
    this.commonDirectory = found.commonDirectory;
    this.workTree = found.workTree;
    this.isBare = found.isBare;
    this.format = found.format;
    this.config = found.config;
  }

  /** The repository `context` stands in; undefined when there is none. Damaged, foreign and unknown ones throw. */
  static find(context: Context): Repository | undefined {
    const found = discover(context);
    return found && Repository.#openFound(context, found);
  }

  static open(context: Context): Repository {
    const repository = Repository.find(context);
    if (repository === undefined) {
      const explicit = context.env['GIT_DIR'];
      if (explicit !== undefined) {
        throw new NotFoundError(`not a cairn or git repository: '${explicit}'`, { code: 'no-repository', hint: 'GIT_DIR or --git-dir names no repository' });
      }
      throw new NotFoundError('not a cairn or git repository (or any of the parent directories)', { code: 'no-repository', hint: 'make one with cairn init' });
    }
    return repository;
  }

  /** What stands for a repository where there is none: the user's own config, no objects, no refs, no attributes of a work tree. */
  static outside(context: Context): Repository {
    const repository = new Repository(context, {
      gitDirectory: nowhere, commonDirectory: nowhere, workTree: undefined, isBare: false, format: 'sha1', config: Config.open(context),
    });
    repository.#owned = true;
    return repository;
  }

  /** Opens the repository in `directory` (a work tree, or the repository itself), as if standing there without GIT_* variables. */
  static openAt(context: Context, directory: string): Repository {
    const env = Object.fromEntries(Object.entries(context.env).filter(([name]) => !repositoryVariables.has(name)));
    const inner: Context = { ...context, cwd: directory, env };
    const found = inspect(realPath(directory));
    if (found === undefined) throw new NotFoundError(`'${directory}' is not a cairn or git repository`, { code: 'no-repository' });
    return Repository.#openFound(inner, found);
  }

  static #openFound(context: Context, found: Found): Repository {
    const { gitDirectory } = found;
    const commonDirectory = readCommonDirectory(context, gitDirectory);
    const layout = readLayout(commonDirectory, gitDirectory);
    const environment = context.env['GIT_WORK_TREE'];
    let workTree: string | undefined;
    if (environment) workTree = realPath(resolve(context.cwd, environment));
    else if (layout.workTree !== undefined) workTree = realPath(resolve(gitDirectory, layout.workTree));
    else if (layout.bare !== true) workTree = found.isExplicit ? implicitWorkTree(context) : found.top;
    const config = Config.open(context, { gitDirectory, commonDirectory, shownDirectory: shownFor(context, commonDirectory, workTree) });
    const isBare = workTree === undefined && (layout.bare ?? found.top === undefined);
    const repository = new Repository(context, { gitDirectory, commonDirectory, workTree, isBare, format: layout.format, config });
    if (!found.isExplicit) repository.#requireOwner(found);
    return repository;
  }

  /** Makes a repository, or completes an existing one, of which nothing is overwritten. */
  static init(context: Context, options: InitOptions): { repository: Repository; existed: boolean } {
    return initRepository(context, options);
  }

  /** The current directory inside the work tree: '' or 'sub/dir/'. Empty when outside of it. */
  get prefix(): string {
    return this.#prefix ??= this.#findPrefix();
  }

  /** The current directory is the top of the work tree or below it. */
  get isInsideWorkTree(): boolean {
    return this.#findInside() !== undefined;
  }

  /** The same repository as if the current directory were `prefix` below the work tree's top: a latin1 byte string, as a rule with a trailing slash. */
  standingIn(prefix: string): Repository {
    const other = new Repository(this.context, this);
    other.#prefix = prefix;
    return other;
  }

  #findPrefix(): string {
    const inside = this.#findInside();
    return inside === undefined || inside === '' ? '' : `${pathFromUtf8(inside) satisfies RepoPath}/`;
  }

  #findInside(): string | undefined {
    if (this.workTree === undefined) return undefined;
    const inside = relative(this.workTree, realPath(this.context.cwd));
    return inside === '..' || inside.startsWith(`..${sep}`) || isAbsolute(inside) ? undefined : inside;
  }

  /** Where relative paths in the environment begin: git enters the top of the work tree before it reads them. */
  get #base(): string {
    return this.isInsideWorkTree ? this.workTree! : this.context.cwd;
  }

  /** Has objects read by way of these caches, for who reads in another way than most; before any is read. */
  useCaches(caches: PackCaches): void {
    if (this.#objects !== undefined) throw new Error('objects were read before');
    this.#caches = caches;
  }

  #namedAlternates(): string[] {
    return splitAlternates(this.context.env['GIT_ALTERNATE_OBJECT_DIRECTORIES'] ?? '', ':').map((path) => resolve(this.#base, path));
  }

  /** The objects as they are stored, none read in place of another, none from quarantine: for who checks them. The caller closes it. */
  openStored(): ObjectStore {
    return ObjectStore.open(this.objectsDirectory, this.format, { alternates: this.#namedAlternates(), hardening: this.hardening });
  }

  get objects(): ObjectStore {
    if (this.#objects === undefined) {
      const compression = this.#compression('core.loosecompression') ?? this.#compression('core.compression');
      const objects = this.#objects = ObjectStore.open(this.objectsDirectory, this.format, {
        alternates: this.#namedAlternates(),
        ...(compression === undefined ? {} : { compression }),
        hardening: this.hardening,
        replace: this.#replacements(),
        quarantine: join(this.commonDirectory, 'cairn/quarantine'),
        boundary: () => new Set([...readGrafts(this)].flatMap(([id, parents]) => (parents.length === 0 ? [id] : []))),
        ...(this.#caches === undefined ? {} : { caches: this.#caches }),
      });
      this.context.atEnd?.(() => objects.close());
    }
    return this.#objects;
  }

  /** What the user wants made durable; asked for only by who writes. */
  get hardening(): Hardening {
    return this.#hardening ??= readHardening(this.config, (text) => { this.context.stderr.write(`warning: ${text}\n`); });
  }

  #compression(name: string): number | undefined {
    const level = this.config.getInteger(name);
    if (level === undefined || (level >= -1 && level <= 9)) return level;
    throw new InvalidError(`bad zlib compression level ${level} in '${name}'`, { code: 'bad-config-value' });
  }

  /** Makes the names of objects written so far durable, before something that names them is; costs nothing when none was. */
  flushObjects(): void {
    this.#objects?.flush();
  }

  get objectsDirectory(): string {
    const { env, cwd } = this.context;
    const override = env['GIT_OBJECT_DIRECTORY'];
    return override ? resolve(cwd, override) : join(this.commonDirectory, 'objects');
  }

  /** refs/replace/<id>: read <id>, get another; none when GIT_NO_REPLACE_OBJECTS is set or core.useReplaceRefs is false. */
  #replacements(): ReadonlyMap<ObjectId, ObjectId> {
    const replacements = new Map<ObjectId, ObjectId>();
    if (this.context.env['GIT_NO_REPLACE_OBJECTS'] !== undefined) return replacements;
    const base = `${(this.context.env['GIT_REPLACE_REF_BASE'] || 'refs/replace').replace(/\/*$/, '')}/`;
    for (const { name, id } of this.refs.list(base)) replacements.set(name.slice(base.length) as ObjectId, id);
    return replacements.size > 0 && !this.config.getBoolean('core.usereplacerefs', true) ? new Map() : replacements;
  }

  /** The refs; what a process that died had begun to change is finished before the first look at them. */
  get refs(): Refs {
    if (this.#refs === undefined) {
      this.#refs = new Refs({ gitDirectory: this.gitDirectory, commonDirectory: this.commonDirectory, format: this.format });
      this.finishRefTransactions();
    }
    return this.#refs;
  }

  /** Finishes what processes that died had begun to change in several refs; costs one look when there is nothing. */
  finishRefTransactions(): void {
    if (this.#isFinishing || !hasRefJournal(this)) return;
    this.#isFinishing = true;
    try {
      finishRefTransactions(this);
    } finally {
      this.#isFinishing = false;
    }
  }

  get indexPath(): string {
    const override = this.context.env['GIT_INDEX_FILE'];
    return override ? resolve(this.#base, override) : join(this.gitDirectory, 'index');
  }

  /** Where programs are run: at the top of the work tree; where there is none, in the repository; without one, where we are. */
  get programDirectory(): string {
    return this.workTree ?? (this.gitDirectory === nowhere ? this.context.cwd : this.gitDirectory);
  }

  /** The work tree's top; RefusedError when there is none. */
  requireWorkTree(): string {
    if (this.workTree === undefined) {
      throw new RefusedError('this operation must be run in a work tree', { code: 'no-work-tree', hint: 'change into the work tree, or name it with --work-tree' });
    }
    return this.workTree;
  }

  /** Our own drawer, <gitdir>/cairn, made when first needed. */
  cairnDirectory(): string {
    const path = join(this.commonDirectory, 'cairn');
    if (!fs.existsSync(path)) makeDirectories(path);
    return path;
  }

  /** Who takes this repository's locks, for LockFile.acquire. */
  get lockHolder(): LockHolder {
    const { pid, uid } = this.context.process;
    return { directory: join(this.commonDirectory, 'cairn/locks'), pid, uid };
  }

  /** How one of the repository's own files is named in messages. */
  shownPath(path: string): string {
    return join(shownFor(this.context, this.commonDirectory, this.workTree), relative(this.commonDirectory, path));
  }

  /** True for a file inside the repository's directory. */
  ownsPath(path: string): boolean {
    return path.startsWith(this.commonDirectory + sep);
  }

  /** True when the repository is ours, or safe.directory trusts it: only then are its hooks run. */
  get isTrusted(): boolean {
    return this.#owned ??= isOwnedByUser(this.context, [this.gitDirectory]) || this.#isSafe(this.workTree ?? this.gitDirectory);
  }

  #requireOwner(found: Found): void {
    const places = [this.gitDirectory, found.gitFile, found.top].filter((path) => path !== undefined);
    if (isOwnedByUser(this.context, places)) {
      this.#owned = true;
      return;
    }
    const shown = found.top ?? this.gitDirectory;
    if (!this.#isSafe(shown)) {
      throw new RefusedError(`detected dubious ownership in repository at '${shown}'`, {
        code: 'unsafe-repository', hint: `it belongs to another user; to trust it: cairn config --global --add safe.directory '${shown}'`,
      });
    }
    this.#owned = true;
  }

  /** safe.directory is only believed from where a repository cannot write it. */
  #isSafe(path: string): boolean {
    const real = realPath(path);
    let safe = false;
    const outside = Config.open(this.context).listProtected();
    for (const { name, value } of outside) {
      if (name !== 'safe.directory') continue;
      if (value === undefined || value === '') safe = false;
      else if (value === '*') safe = true;
      else if (resolve(expandHome(value, this.context)) === real && isAbsolute(expandHome(value, this.context))) safe = true;
    }
    return safe;
  }
}

/** Variables that say which repository is meant; not for another repository, and not handed to its hooks. */
export const repositoryVariables: ReadonlySet<string> = new Set([
  'GIT_DIR', 'GIT_WORK_TREE', 'GIT_COMMON_DIR', 'GIT_INDEX_FILE', 'GIT_OBJECT_DIRECTORY', 'GIT_ALTERNATE_OBJECT_DIRECTORIES', 'GIT_PREFIX',
  'GIT_NAMESPACE', 'GIT_CONFIG', 'GIT_CONFIG_PARAMETERS', 'GIT_CONFIG_COUNT', 'GIT_GRAFT_FILE', 'GIT_NO_REPLACE_OBJECTS', 'GIT_SHALLOW_FILE',
  'GIT_REPLACE_REF_BASE', 'GIT_INTERNAL_SUPER_PREFIX', 'GIT_IMPLICIT_WORK_TREE',
]);

function realPath(path: string): string {
  try {
    return fs.realpathSync.native(path);
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR', 'EACCES')) return resolve(path);
    throw error;
  }
}

/** How the repository's files are named in messages: seen from the work tree's top, as git does. */
function shownFor(context: Context, directory: string, workTree: string | undefined): string {
  if (context.env['GIT_DIR']) return context.env['GIT_DIR'];
  const inside = relative(workTree ?? realPath(context.cwd), directory);
  return inside === '' ? '.' : inside.startsWith('..') ? directory : inside;
}

/** Where GIT_DIR alone puts the work tree: here, unless --bare forbids it. */
function implicitWorkTree({ cwd, env }: Context): string | undefined {
  return parseConfigBoolean(env['GIT_IMPLICIT_WORK_TREE'] ?? 'true') === false ? undefined : realPath(cwd);
}

function discover(context: Context): Found | undefined {
  const { env } = context;
  const explicit = env['GIT_DIR'];
  if (explicit !== undefined) {
    const path = resolve(context.cwd, explicit);
    const target = readGitFile(path);
    const gitDirectory = target ?? path;
    if (explicit === '' || !isGitDirectory(gitDirectory, context)) return undefined;
    return { gitDirectory: realPath(gitDirectory), top: undefined, gitFile: target === undefined ? undefined : path, isExplicit: true };
  }
  const ceilings = listCeilings(env['GIT_CEILING_DIRECTORIES']);
  const crossing = parseConfigBoolean(env['GIT_DISCOVERY_ACROSS_FILESYSTEM'] ?? 'false') === true;
  let directory = realPath(context.cwd);
  const device = crossing ? 0 : fs.statSync(directory).dev;
  for (;;) {
    const found = inspect(directory, context);
    if (found !== undefined) return found;
    const parent = dirname(directory);
    if (parent === directory || ceilings.has(parent)) return undefined;
    if (!crossing && fs.statSync(parent).dev !== device) return undefined;
    directory = parent;
  }
}

/** What one directory, named without symbolic links, holds: '.cairn', else '.git', else it is itself a repository. */
function inspect(directory: string, context?: Context): Found | undefined {
  for (const name of [repositoryName, '.git']) {
    const path = join(directory, name);
    const own = fs.lstatSync(path, { throwIfNoEntry: false });
    const status = own?.isSymbolicLink() ? fs.statSync(path, { throwIfNoEntry: false }) : own;
    if (status === undefined) continue;
    if (status.isFile()) {
      const target = readGitFile(path)!;
      if (!isGitDirectory(target, context)) {
        throw new NotFoundError(`not a cairn or git repository: '${target}', which '${path}' names`, { code: 'no-repository', hint: `correct or remove '${path}'` });
      }
      return { gitDirectory: realPath(target), top: directory, gitFile: path, isExplicit: false };
    }
    if (isGitDirectory(path, context)) return { gitDirectory: own!.isSymbolicLink() ? realPath(path) : path, top: directory, gitFile: undefined, isExplicit: false };
  }
  return isGitDirectory(directory, context) ? { gitDirectory: directory, top: undefined, gitFile: undefined, isExplicit: false } : undefined;
}

/** Where a 'gitdir: <path>' file points; undefined when `path` is no file. */
function readGitFile(path: string): string | undefined {
  const status = fs.statSync(path, { throwIfNoEntry: false });
  if (status === undefined || !status.isFile()) return undefined;
  if (status.size > 1 << 20) throw new CorruptError(`'${path}' is too large to name a repository`, { code: 'bad-gitfile' });
  const match = /^gitdir: ([^\0]+?)[\r\n]*$/.exec(fs.readFileSync(path, 'utf8'));
  if (match === null) throw new CorruptError(`invalid gitfile format: '${path}'`, { code: 'bad-gitfile', hint: "it should hold one line, 'gitdir: <path>'" });
  return resolve(dirname(path), match[1]!);
}

function listCeilings(variable: string | undefined): Set<string> {
  const ceilings = new Set<string>();
  let literal = false;
  for (const path of (variable ?? '').split(':')) {
    // An empty entry means: do not resolve symbolic links in what follows.
    if (path === '') literal = true;
    else if (isAbsolute(path)) ceilings.add(literal ? resolve(path) : realPath(path));
  }
  return ceilings;
}

/** True when `path` holds objects, refs and a HEAD that can be read; CorruptError when only HEAD is damaged. */
function isGitDirectory(path: string, context?: Context): boolean {
  const head = join(path, 'HEAD');
  const status = fs.lstatSync(head, { throwIfNoEntry: false });
  if (status === undefined) return false;
  const common = readCommonDirectory(context, path);
  const objects = context?.env['GIT_OBJECT_DIRECTORY'];
  if (!isDirectory(objects ? resolve(context!.cwd, objects) : join(common, 'objects')) || !isDirectory(join(common, 'refs'))) return false;
  if (status.isSymbolicLink()) return fs.readlinkSync(head).startsWith('refs/');
  if (!status.isFile()) return false;
  const text = fs.readFileSync(head, 'latin1');
  if (text.startsWith('ref:') || typeof decodeLooseRef(text, 'sha1') !== 'string' || typeof decodeLooseRef(text, 'sha256') !== 'string') return true;
  throw new CorruptError(`'${head}' is damaged: it names neither a branch nor a commit`, {
    code: 'head-damaged', hint: `if the branch was main: printf 'ref: refs/heads/main\\n' >'${head}'`,
  });
}

function isDirectory(path: string): boolean {
  return fs.statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function readCommonDirectory(context: Context | undefined, gitDirectory: string): string {
  const override = context?.env['GIT_COMMON_DIR'];
  if (override) return realPath(resolve(context!.cwd, override));
  const file = join(gitDirectory, 'commondir');
  if (fs.statSync(file, { throwIfNoEntry: false }) === undefined) return gitDirectory;
  const path = fs.readFileSync(file, 'utf8').replace(/[\r\n]+$/, '');
  if (path === '') throw new CorruptError(`'${file}' is empty`, { code: 'bad-commondir' });
  return realPath(resolve(gitDirectory, path));
}

const knownExtensions: ReadonlySet<string> = new Set(['noop', 'preciousobjects', 'partialclone', 'worktreeconfig', 'noop-v1', 'objectformat']);
const versionOneExtensions: ReadonlySet<string> = new Set(['noop-v1', 'objectformat']);

/** What the repository's own config says about its format; RefusedError for versions and extensions nobody here knows. */
function readLayout(commonDirectory: string, gitDirectory: string): Layout {
  const entries = readOwnConfig(join(commonDirectory, 'config'));
  let version = 0;
  let format: ObjectFormat = 'sha1';
  let bare: boolean | undefined;
  let workTree: string | undefined;
  let perWorkTree = false;
  const extensions: string[] = [];
  for (const { name, value } of entries) {
    if (name === 'core.repositoryformatversion') {
      version = Number(value);
      if (!Number.isInteger(version)) throw new InvalidError(`bad core.repositoryformatversion '${value ?? ''}'`, { code: 'bad-config-value' });
    } else if (name === 'core.bare') {
      bare = parseConfigBoolean(value);
      if (bare === undefined) throw new InvalidError(`bad boolean config value '${value ?? ''}' for 'core.bare'`, { code: 'bad-config-value' });
    } else if (name === 'core.worktree') {
      workTree = value;
    } else if (name.startsWith('extensions.')) {
      const extension = name.slice('extensions.'.length);
      extensions.push(extension);
      if (extension === 'worktreeconfig') perWorkTree = parseConfigBoolean(value) === true;
      if (extension === 'objectformat') {
        if (value !== 'sha1' && value !== 'sha256') throw new InvalidError(`invalid value for 'extensions.objectformat': '${value ?? ''}'`, { code: 'bad-config-value' });
        format = value;
      }
    }
  }
  if (version > 1 || version < 0) {
    throw new RefusedError(`expected repository format version <= 1, found ${version}`, { code: 'unknown-format', hint: 'a newer program made this repository' });
  }
  const refused = extensions.filter((extension) => version === 0 ? versionOneExtensions.has(extension) : !knownExtensions.has(extension));
  if (refused.length > 0) {
    throw new RefusedError(version === 0
      ? `repository format version is 0, but extensions of version 1 are set: ${refused.join(', ')}`
      : `unknown repository extensions: ${refused.join(', ')}`, { code: 'unknown-format', hint: 'a newer program made this repository' });
  }
  if (gitDirectory !== commonDirectory) {
    // A linked work tree is never bare, and has its own top.
    bare = undefined;
    workTree = undefined;
  }
  if (perWorkTree) {
    for (const { name, value } of readOwnConfig(join(gitDirectory, 'config.worktree'))) {
      if (name === 'core.bare') bare = parseConfigBoolean(value);
      if (name === 'core.worktree') workTree = value;
    }
  }
  return { format, bare, workTree };
}

/** Without includes: what decides the format is in the file itself. */
function readOwnConfig(path: string): ConfigEntry[] {
  try {
    return parseConfig(fs.readFileSync(path), `file:${path}`, 'local');
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return [];
    throw error;
  }
}

/** True when all `paths` belong to the user; root also counts as the user sudo was called by. */
function isOwnedByUser(context: Context, paths: readonly string[]): boolean {
  const { uid } = context.process;
  const sudo = uid === 0 ? context.env['SUDO_UID'] : undefined;
  const alsoUid = sudo !== undefined && /^[0-9]+$/.test(sudo) ? Number(sudo) : uid;
  return paths.every((path) => {
    const owner = fs.lstatSync(path, { throwIfNoEntry: false })?.uid;
    return owner === undefined || owner === uid || owner === alsoUid;
  });
}

function initRepository(context: Context, options: InitOptions): { repository: Repository; existed: boolean } {
  const directory = resolve(context.cwd, options.directory);
  const bare = options.bare === true;
  makeDirectories(directory);
  const link = join(realPath(directory), repositoryName);
  const gitDirectory = options.gitDirectory !== undefined
    ? resolve(context.cwd, options.gitDirectory)
    : bare ? realPath(directory) : readGitFile(link) ?? link;
  const existed = isGitDirectory(gitDirectory);
  const layout = existed ? readLayout(gitDirectory, gitDirectory) : undefined;
  if (layout !== undefined && options.objectFormat !== undefined && options.objectFormat !== layout.format) {
    throw new RefusedError('attempt to reinitialize repository with different hash', { code: 'format-differs', hint: `it uses ${layout.format}` });
  }
  const format = layout?.format ?? options.objectFormat ?? defaultFormat(context);
  const branch = existed ? undefined : initialBranch(context, options.initialBranch);
  for (const part of ['', 'refs/heads', 'refs/tags', 'objects/info', 'objects/pack', 'info', 'hooks']) makeDirectories(join(gitDirectory, part));
  if (options.template !== undefined) copyTemplate(resolve(context.cwd, options.template), gitDirectory);
  // Seen from an outer work tree, or by stock git with this one, everything in here is ignored.
  if (!bare && basename(gitDirectory) === repositoryName && !fs.existsSync(join(gitDirectory, '.gitignore'))) replaceFile(join(gitDirectory, '.gitignore'), '*\n');
  if (!existed) {
    const outside = !bare && basename(gitDirectory) !== repositoryName && options.separate !== true && dirname(gitDirectory) !== realPath(directory)
      ? realPath(directory) : undefined;
    writeInitialConfig(join(gitDirectory, 'config'), format, bare, outside);
    replaceFile(join(gitDirectory, 'HEAD'), `ref: ${branch!}\n`);
  }
  if (options.separate === true && gitDirectory !== link) replaceFile(link, `gitdir: ${gitDirectory}\n`);
  const env = { ...context.env, GIT_DIR: gitDirectory, ...(bare ? {} : { GIT_WORK_TREE: context.env['GIT_WORK_TREE'] ?? directory }) };
  if (layout?.bare === true) delete (env as Record<string, string | undefined>)['GIT_WORK_TREE'];
  return { repository: Repository.open({ ...context, env }), existed };
}

function defaultFormat(context: Context): ObjectFormat {
  const wanted = context.env['GIT_DEFAULT_HASH'] ?? 'sha256';
  if (wanted !== 'sha1' && wanted !== 'sha256') throw new InvalidError(`unknown hash algorithm '${wanted}'`, { code: 'unknown-format', hint: 'GIT_DEFAULT_HASH is sha256 or sha1' });
  return wanted;
}

/** The full name of the first branch. */
function initialBranch(context: Context, asked: string | undefined): RefName {
  const short = asked ?? (context.env['GIT_TEST_DEFAULT_INITIAL_BRANCH_NAME'] || Config.open(context).get('init.defaultbranch')) ?? 'main';
  const name = `refs/heads/${short}`;
  if (!isRefName(name) || short.startsWith('-')) throw new InvalidError(`invalid initial branch name: '${short}'`, { code: 'bad-ref-name' });
  return name;
}

/** Sets what makes the repository one, and leaves the rest of a config that a template, or an init that was cut short, put there. */
function writeInitialConfig(path: string, format: ObjectFormat, bare: boolean, workTree: string | undefined): void {
  const before = findConfigBytes(path)?.toString('latin1') ?? '';
  const wanted: readonly (readonly [name: string, value: string | undefined])[] = [
    ['core.repositoryformatversion', format === 'sha1' ? '0' : '1'], ['core.filemode', 'true'], ['core.bare', String(bare)], ['core.logallrefupdates', bare ? undefined : 'true'],
    ['core.worktree', workTree === undefined ? undefined : Buffer.from(workTree).toString('latin1')], ['extensions.objectformat', format === 'sha1' ? undefined : format],
  ];
  const present = new Set(parseConfig(Buffer.from(before, 'latin1'), `file:${path}`).map(({ name }) => name));
  let text = before;
  for (const [name, value] of wanted) {
    const key = parseConfigKey(name);
    if (value !== undefined) text = setInConfig(text, key, value, path, { all: true });
    else if (present.has(name) && name === 'extensions.objectformat') text = unsetInConfig(text, key, path, { all: true });
  }
  replaceFile(path, Buffer.from(text, 'latin1'));
}

/** Copies what is not there yet; symbolic links as links. */
function copyTemplate(from: string, to: string): void {
  let entries: fs.Dirent[];
  try {
    entries = fs.readdirSync(from, { withFileTypes: true });
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) throw new NotFoundError(`templates not found in '${from}'`, { code: 'no-template', cause: error });
    throw error;
  }
  for (const entry of entries) {
    if (entry.name.startsWith('.')) continue;
    const source = join(from, entry.name);
    const target = join(to, entry.name);
    if (entry.isDirectory()) {
      makeDirectories(target);
      copyTemplate(source, target);
    } else if (fs.lstatSync(target, { throwIfNoEntry: false }) === undefined) {
      if (entry.isSymbolicLink()) disk().symlink(fs.readlinkSync(source), target);
      else if (entry.isFile()) disk().cloneFile(source, target);
    }
  }
}
