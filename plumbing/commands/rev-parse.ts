// rev-parse: revisions into ids, options passed through, and facts about the repository. See git-rev-parse(1).
//
// Arguments are taken one by one in the order they stand, as each changes how the next ones are read; so this command reads its
// argv itself. A plain name touches refs only: nothing that walks or compares is loaded for it.
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { InvalidError, NotFoundError, UsageError } from '../../pack/errors.js';
import { type ObjectId, hexSize } from '../../pack/oid.js';
import { abbreviationDigits } from '../objects/abbreviation.js';
import type { Arguments, Command, Context } from '../command.js';
import { approximateDate } from '../date.js';
import { parentsOf, shallowFile } from '../history/grafts.js';
import { parseHidingSection, readHiddenRefs } from '../refs/hidden-refs.js';
import { Repository } from '../repository.js';
import { shellQuote } from '../quote.js';
import { shortenRef } from '../refs/short-ref.js';
import { expandBranchName, findRevision, peel } from '../history/revision.js';
import { type PathFormat, locateRepositoryFile, relativeTo, showGitDirectory, showRepositoryPath } from '../repository-path.js';

const localVariables = [
  'GIT_ALTERNATE_OBJECT_DIRECTORIES', 'GIT_CONFIG', 'GIT_CONFIG_PARAMETERS', 'GIT_CONFIG_COUNT', 'GIT_OBJECT_DIRECTORY', 'GIT_DIR',
  'GIT_WORK_TREE', 'GIT_IMPLICIT_WORK_TREE', 'GIT_GRAFT_FILE', 'GIT_INDEX_FILE', 'GIT_NO_REPLACE_OBJECTS', 'GIT_REPLACE_REF_BASE',
  'GIT_PREFIX', 'GIT_INTERNAL_SUPER_PREFIX', 'GIT_SHALLOW_FILE', 'GIT_COMMON_DIR',
];

/** Options meant for rev-list, which --revs-only lets through; those ending in '=' take any value. */
const revisionFlags = [
  '--all', '--bisect', '--dense', '--branches', '--header', '--ignore-missing', '--max-age=', '--max-count=', '--min-age=', '--no-merges',
  '--min-parents=', '--no-min-parents', '--max-parents=', '--no-max-parents', '--objects', '--objects-edge', '--parents', '--pretty',
  '--remotes', '--sparse', '--tags', '--topo-order', '--date-order', '--unpacked',
];

function isRevisionFlag(word: string): boolean {
  return /^-[0-9]/.test(word) || revisionFlags.some((each) => (each.endsWith('=') ? word.startsWith(each) : word === each));
}

/** One run over the arguments. */
class RevisionPrinter {
  readonly #context: Context;
  readonly #hasDashes: boolean;
  #repository: Repository | undefined;
  #showFlags = true;
  #showNonFlags = true;
  #showRevs = true;
  #showNonRevs = true;
  #verify = false;
  #quiet = false;
  #short: number | undefined;
  #shellQuoted = false;
  #negated = false;
  #symbolic: 'as-is' | 'full' | undefined;
  #abbreviateRefs: 'strict' | 'loose' | undefined;
  #default: string | undefined;
  #prefix: string | undefined;
  #pathFormat: PathFormat = 'usual';
  #excludes: string[] = [];
  #isHidden: ((name: string) => boolean) | undefined;
  #endOfOptions = false;
  /** Everything is a path from here: 'words' are checked, 'any' are not. */
  #paths: 'no' | 'words' | 'any' = 'no';
  #verified: { readonly id: ObjectId; readonly name: string; readonly negated: boolean }[] = [];

  constructor(context: Context, argv: readonly string[]) {
    this.#context = context;
    this.#hasDashes = argv.includes('--');
  }

  get repository(): Repository {
    return (this.#repository ??= Repository.open(this.#context));
  }

  async run(argv: readonly string[]): Promise<number> {
    for (let at = 0; at < argv.length; at += 1) {
      const word = argv[at]!;
      // Everything but this needs a repository, even what it is not asked about.
      if (word !== '--local-env-vars' && word !== '--resolve-git-dir') this.#repository ??= Repository.open(this.#context);
      if (this.#paths !== 'no') this.#showPath(word, this.#paths === 'words');
      else if (word.startsWith('-') && (!this.#endOfOptions || word === '--')) at = await this.#takeOption(argv, at);
      else await this.#takeRevision(word);
    }
    if (!this.#verify) {
      this.#showDefault();
      return 0;
    }
    if (this.#verified.length === 1) {
      const { id, name, negated } = this.#verified[0]!;
      this.#showRevision(id, name, negated);
      return 0;
    }
    return this.#verified.length === 0 && this.#showDefault() ? 0 : this.#failVerify();
  }

  #print(text: string): void {
    if (!this.#shellQuoted) return this.#line(text);
    // The sign of what is left out stays outside of the quotes.
    const sign = text.startsWith('^') ? '^' : '';
    this.#context.stdout.write(`${sign}${shellQuote(text.slice(sign.length))} `);
  }

  #line(text: string): void {
    this.#context.stdout.write(`${text}\n`);
  }

  #failVerify(): number {
    if (this.#quiet) return 1;
    throw new InvalidError('needed a single revision', { code: 'not-a-revision' });
  }

  #showWithSign(text: string, negated: boolean): void {
    this.#print(negated !== this.#negated ? `^${text}` : text);
  }

  #showRevision(id: ObjectId, name: string | undefined, negated: boolean): void {
    if (!this.#showRevs) return;
    this.#default = undefined;
    if (name !== undefined && (this.#symbolic === 'full' || this.#abbreviateRefs !== undefined)) {
      const full = this.#findFullName(name);
      if (full !== undefined) this.#showWithSign(this.#abbreviateRefs === undefined ? full : shortenRef(this.repository, full, this.#abbreviateRefs === 'strict'), negated);
    } else if (name !== undefined && this.#symbolic === 'as-is') this.#showWithSign(name, negated);
    else this.#showWithSign(this.#short === undefined ? id : this.repository.objects.abbreviate(id, this.#short), negated);
  }

  /** The full name of the one ref a name stands for, symbolic refs followed; undefined for what is no ref, or several. */
  #findFullName(name: string): string | undefined {
    const branch = expandBranchName(this.repository, name);
    const [expanded, another] = branch === undefined ? [] : this.repository.refs.listExpansions(branch);
    if (another !== undefined) this.#context.stderr.write(`error: refname '${name}' is ambiguous\n`);
    return expanded === undefined || another !== undefined ? undefined : this.repository.refs.resolve(expanded).name;
  }

  #showDefault(): boolean {
    const name = this.#default;
    this.#default = undefined;
    const id = name === undefined ? undefined : findRevision(this.repository, name);
    if (id === undefined) return false;
    this.#showRevision(id, name, false);
    return true;
  }

  #showWord(word: string): boolean {
    this.#showDefault();
    if (!this.#showNonFlags || !this.#showNonRevs) return false;
    this.#print(this.#prefix === undefined || word === '--' ? word : joinPrefix(this.#prefix, word));
    return true;
  }

  #showPath(word: string, check: boolean): void {
    if (this.#showWord(word) && check) this.#requirePath(word);
  }

  #requirePath(word: string): void {
    if (isPath(this.repository, word, this.#prefix)) return;
    throw new NotFoundError(`ambiguous argument '${word}': unknown revision or path not in the working tree`, {
      code: 'bad-revision', hint: "use '--' to separate paths from revisions",
    });
  }

  async #takeRevision(word: string): Promise<void> {
    if (word.includes('..') && await this.#takeRange(word)) return;
    if (/\^(@|!|-[0-9]*)$/.test(word) && this.#takeParents(word)) return;
    const negated = word.startsWith('^');
    const name = negated ? word.slice(1) : word;
    const id = findRevision(this.repository, name);
    if (id !== undefined) {
      if (this.#verify) this.#verified.push({ id, name, negated });
      else this.#showRevision(id, name, negated);
      return;
    }
    if (this.#verify) {
      if (this.#quiet) throw new EarlyEnd(1);
      this.#failVerify();
    }
    if (this.#hasDashes) throw new NotFoundError(`bad revision '${word}'`, { code: 'bad-revision' });
    this.#paths = 'words';
    if (this.#showWord(word)) this.#requirePath(word);
  }

  async #takeRange(word: string): Promise<boolean> {
    const at = word.indexOf('..');
    const isSymmetric = word[at + 2] === '.';
    const from = word.slice(0, at) || 'HEAD';
    const to = word.slice(at + (isSymmetric ? 3 : 2)) || 'HEAD';
    if (word === '..') return false;
    const start = findRevision(this.repository, from, 'committish');
    const end = findRevision(this.repository, to, 'committish');
    if (start === undefined || end === undefined) return false;
    this.#showRevision(end, to, false);
    this.#showRevision(start, from, !isSymmetric);
    if (!isSymmetric) return true;
    const one = peel(this.repository, start, 'commit');
    const two = peel(this.repository, end, 'commit');
    if (one === undefined || two === undefined) return false;
    const { mergeBases } = await import('../history/merge-base.js');
    for (const base of mergeBases(this.repository, one, [two])) this.#showRevision(base, undefined, true);
    return true;
  }

  /** 'r^@', 'r^!' and 'r^-n'. */
  #takeParents(word: string): boolean {
    const [, name, kind] = /^(.*)\^(@|!|-[0-9]*)$/s.exec(word)!;
    const id = findRevision(this.repository, name!, 'committish');
    const commit = id === undefined ? undefined : peel(this.repository, id, 'commit');
    if (commit === undefined) return false;
    const parents = parentsOf(this.repository, commit);
    const only = kind!.startsWith('-') ? (kind === '-' ? 1 : Number(kind!.slice(1))) : undefined;
    if (only !== undefined && (only < 1 || only > parents.length)) return false;
    if (kind !== '@') this.#showRevision(commit, name, false);
    for (const [index, parent] of parents.entries()) {
      if (only !== undefined && index + 1 !== only) continue;
      this.#showRevision(parent, this.#symbolic === undefined ? undefined : `${name}^${index + 1}`, kind !== '@');
    }
    return true;
  }

  /** Takes the option at `at`; returns the index of the last word it used. */
  async #takeOption(argv: readonly string[], at: number): Promise<number> {
    const word = argv[at]!;
    const equals = word.startsWith('--') ? word.indexOf('=') : -1;
    const name = equals < 0 ? word : word.slice(0, equals);
    const value = equals < 0 ? undefined : word.slice(equals + 1);
    const following = (): string => {
      const next = argv[at + 1];
      if (next === undefined) throw new InvalidError(`${word} requires an argument`, { code: 'missing-argument' });
      return next;
    };
    if (word === '-n') {
      const count = following();
      if (this.#showFlags && this.#showRevs) {
        this.#print(word);
        this.#print(count);
      }
      return at + 1;
    }
    if (word.startsWith('-n')) {
      if (this.#showFlags && this.#showRevs) this.#print(word);
      return at;
    }
    if (this.#takeMode(word, name, value)) return at;
    switch (word) {
      case '--':
        this.#paths = 'any';
        if (this.#showFlags || this.#showRevs) this.#showWord(word);
        return at;
      case '--end-of-options':
        this.#endOfOptions = true;
        if (this.#showFlags || this.#showRevs) this.#showWord(word);
        return at;
      case '--default': this.#default = following(); return at + 1;
      case '--prefix':
        this.#prefix = following();
        this.#repository = this.repository.standingIn(Buffer.from(this.#prefix).toString('latin1'));
        return at + 1;
      case '--git-path': {
        const path = locateRepositoryFile(this.repository, following());
        this.#line(showRepositoryPath(this.repository, path, this.#pathFormat));
        return at + 1;
      }
      case '--resolve-git-dir': this.#line(this.#resolveGitDirectory(following())); return at + 1;
      case '--local-env-vars': for (const each of localVariables) this.#line(each); return at;
      default:
    }
    if (await this.#takeFamily(name, value)) return at;
    const fact = this.#fact(word);
    if (fact !== undefined) {
      if (fact !== '') this.#context.stdout.write(fact);
      return at;
    }
    if (this.#takeDate(name, value)) return at;
    if (this.#showFlags && (isRevisionFlag(word) ? this.#showRevs : this.#showNonRevs)) {
      this.#print(word);
      if (this.#verify) this.#failVerify();
    }
    return at;
  }

  /** Options that change how later arguments are shown. */
  #takeMode(word: string, name: string, value: string | undefined): boolean {
    const single = (): void => {
      this.#showFlags = false;
      this.#showNonRevs = false;
      this.#verify = true;
    };
    switch (word) {
      case '--revs-only': this.#showNonRevs = false; return true;
      case '--no-revs': this.#showRevs = false; return true;
      case '--flags': this.#showNonFlags = false; return true;
      case '--no-flags': this.#showFlags = false; return true;
      case '--verify': single(); return true;
      case '-q': case '--quiet': this.#quiet = true; return true;
      case '--sq': this.#shellQuoted = true; return true;
      case '--not': this.#negated = !this.#negated; return true;
      case '--symbolic': this.#symbolic = 'as-is'; return true;
      case '--symbolic-full-name': this.#symbolic = 'full'; return true;
      default:
    }
    switch (name) {
      case '--short': {
        single();
        const digits = value === undefined ? undefined : Number.parseInt(value, 10) || 0;
        this.#short = Math.min(Math.max(digits ?? abbreviationDigits(this.repository), 4), hexSize(this.repository.format));
        return true;
      }
      case '--abbrev-ref':
        if (value !== undefined && value !== 'strict' && value !== 'loose') {
          throw new InvalidError(`unknown mode for --abbrev-ref: ${value}`, { code: 'bad-mode' });
        }
        this.#abbreviateRefs = value ?? (this.repository.config.getBoolean('core.warnambiguousrefs', true) ? 'strict' : 'loose');
        return true;
      case '--path-format':
        if (value !== 'absolute' && value !== 'relative') throw new InvalidError(`unknown argument to --path-format: ${value ?? ''}`, { code: 'bad-mode' });
        this.#pathFormat = value;
        return true;
      default: return false;
    }
  }

  /** --all, --branches and the other families of refs. */
  async #takeFamily(name: string, value: string | undefined): Promise<boolean> {
    if (name === '--exclude' && value !== undefined) {
      this.#excludes.push(value);
      return true;
    }
    if (name === '--exclude-hidden' && value !== undefined) {
      if (this.#isHidden !== undefined) throw new InvalidError('--exclude-hidden= passed more than once', { code: 'bad-options' });
      this.#isHidden = readHiddenRefs(this.repository.config, parseHidingSection(value));
      return true;
    }
    if (name === '--disambiguate' && value !== undefined) {
      const { objects } = this.repository;
      const ids = /^[0-9a-fA-F]{4,}$/.test(value) ? objects.findByPrefix(value.toLowerCase()) : [];
      for (const id of ids) this.#showRevision(id, undefined, false);
      return true;
    }
    if (name === '--bisect' && value === undefined) {
      for (const [kind, negated] of [['bad', false], ['good', true]] as const) {
        for (const ref of this.repository.refs.list(`refs/bisect/${kind}`)) this.#showRevision(ref.id, ref.name, negated);
      }
      return true;
    }
    const family = { '--all': 'all', '--branches': 'branches', '--tags': 'tags', '--remotes': 'remotes', '--glob': 'glob' }[name];
    if (family === undefined || (name === '--all' && value !== undefined) || (name === '--glob' && value === undefined)) return false;
    const isHidden = this.#isHidden ?? (() => false);
    if (this.#isHidden !== undefined && family !== 'all' && family !== 'glob') {
      this.#context.stderr.write(`error: --exclude-hidden cannot be used together with ${name}\n`);
      throw new EarlyEnd(255);
    }
    this.#isHidden = undefined;
    const { listFamily } = await import('../history/revision-set.js');
    const short = { '--branches': 'refs/heads/', '--tags': 'refs/tags/', '--remotes': 'refs/remotes/' }[name] ?? '';
    for (const ref of listFamily(this.repository, family as 'all', value, this.#excludes.splice(0))) {
      if (ref.name === 'HEAD' || isHidden(ref.name)) continue;
      // Without a pattern the names of a family are told without what they have in common.
      this.#showRevision(ref.id, value === undefined && this.#symbolic === 'as-is' ? ref.name.slice(short.length) : ref.name, false);
    }
    return true;
  }

  /** What a question about the repository is answered with, line ends included; undefined for anything else. */
  #fact(word: string): string | undefined {
    const yes = (answer: boolean): string => `${answer}\n`;
    const top = (): string => this.repository.requireWorkTree();
    switch (word) {
      case '--git-dir': return `${showGitDirectory(this.repository, this.#pathFormat)}\n`;
      case '--absolute-git-dir': return `${showGitDirectory(this.repository, 'absolute')}\n`;
      case '--git-common-dir': return `${showRepositoryPath(this.repository, this.repository.commonDirectory, this.#pathFormat)}\n`;
      case '--show-toplevel': return this.#pathFormat === 'relative' ? `${relativeTo(this.#context.cwd, top(), true)}\n` : `${top()}\n`;
      case '--show-prefix': return `${Buffer.from(this.repository.prefix, 'latin1').toString('utf8')}\n`;
      case '--show-cdup': return this.#showCdup();
      case '--is-inside-git-dir': return yes(this.#isInside(this.repository.gitDirectory));
      case '--is-inside-work-tree': return yes(this.repository.workTree !== undefined && !this.#isInside(this.repository.gitDirectory) && this.#isInside(this.repository.workTree));
      case '--is-bare-repository': return yes(this.repository.isBare);
      case '--is-shallow-repository': return yes(statSync(shallowFile(this.repository), { throwIfNoEntry: false }) !== undefined);
      case '--show-superproject-working-tree': return this.repository === undefined ? undefined : '';
      case '--show-object-format': case '--show-object-format=storage': case '--show-object-format=input': case '--show-object-format=output':
        return `${this.repository.format}\n`;
      case '--shared-index-path': return this.repository === undefined ? undefined : '';
      default:
    }
    if (word.startsWith('--show-object-format=')) throw new InvalidError(`unknown mode for --show-object-format: ${word.slice(21)}`, { code: 'bad-mode' });
    return undefined;
  }

  #isInside(directory: string): boolean {
    const seen = relativeTo(directory, this.#context.cwd);
    return seen === './' || (!seen.startsWith('..') && !seen.startsWith('/'));
  }

  #showCdup(): string {
    const { workTree, prefix } = this.repository;
    if (workTree !== undefined && this.#isInside(workTree)) return `${prefix.replace(/[^/]+\//g, '../')}\n`;
    return workTree === undefined ? '' : `${workTree}\n`;
  }

  #resolveGitDirectory(path: string): string {
    const full = resolve(this.#context.cwd, path);
    const inner: Context = { ...this.#context, env: { ...this.#context.env, GIT_DIR: full } };
    const stat = statSync(full, { throwIfNoEntry: false });
    const found = stat === undefined ? undefined : Repository.find(inner);
    if (stat === undefined || found === undefined) throw new NotFoundError(`not a gitdir '${path}'`, { code: 'no-repository' });
    return stat.isDirectory() ? path : found.gitDirectory;
  }

  #takeDate(name: string, value: string | undefined): boolean {
    const flag = name === '--since' || name === '--after' ? '--max-age=' : name === '--until' || name === '--before' ? '--min-age=' : undefined;
    if (flag === undefined || value === undefined) return false;
    if (this.#showFlags && this.#showRevs) this.#print(`${flag}${approximateDate(value, this.#context.clock).seconds}`);
    return true;
  }
}

/** Thrown to end with this exit code and no further words. */
class EarlyEnd extends Error {
  readonly exit: number;

  constructor(exit: number) {
    super();
    this.exit = exit;
  }
}

function joinPrefix(prefix: string, word: string): string {
  return word.startsWith('/') ? word : prefix + word;
}

function isPath(repository: Repository, word: string, prefix: string | undefined): boolean {
  if (/[*?[]/.test(word) || word.startsWith(':(') || /^:[/!^]$/.test(word)) return true;
  if (word.startsWith(':/')) return isPath(repository, word.slice(2), '');
  if (/^:[!^]/.test(word)) return isPath(repository, word.slice(2), prefix);
  if (word === '') return false;
  const base = prefix === undefined ? repository.context.cwd : repository.workTree ?? repository.context.cwd;
  return !word.includes('\0') && statSync(resolve(base, joinPrefix(prefix ?? '', word)), { throwIfNoEntry: false }) !== undefined;
}

export const command: Command = {
  name: 'rev-parse',
  family: 'git',
  summary: 'turn revisions into ids, and tell facts about the repository',
  usage: ['rev-parse [<options>] <argument>...', 'rev-parse --sq-quote <argument>...', 'rev-parse --parseopt [<options>] -- [<argument>...]'],
  rawArguments: true,
  options: [
    { name: 'parseopt', help: 'read the option table on standard input and normalise the arguments by it' },
    { name: 'keep-dashdash', help: 'with --parseopt: print the first -- too' },
    { name: 'stop-at-non-option', help: 'with --parseopt: end at the first argument that is no option' },
    { name: 'stuck-long', help: 'with --parseopt: print options in their long form, values attached' },
    { name: 'sq-quote', help: 'quote the arguments for a shell' },
    { name: 'revs-only', help: 'leave out what is not meant for rev-list' },
    { name: 'no-revs', help: 'leave out what is meant for rev-list' },
    { name: 'flags', help: 'leave out what is no option' },
    { name: 'no-flags', help: 'leave out options' },
    { name: 'default', value: 'arg', help: 'use this when nothing else is given' },
    { name: 'prefix', value: 'arg', help: 'read paths as if standing in this directory' },
    { name: 'verify', help: 'exactly one argument, which must name an object' },
    { name: 'quiet', short: 'q', help: 'with --verify: fail without words' },
    { name: 'sq', help: 'print one line, quoted for a shell' },
    { name: 'short', value: 'length', valueOptional: true, help: 'like --verify, with an abbreviated id' },
    { name: 'not', help: 'turn the meaning of ^ around' },
    { name: 'abbrev-ref', value: 'mode', valueOptional: true, help: 'print short unambiguous names of refs (strict or loose)' },
    { name: 'symbolic', help: 'print names as they were given' },
    { name: 'symbolic-full-name', help: 'print full names of refs' },
    { name: 'all', help: 'every ref' },
    { name: 'bisect', help: 'the refs of a bisection: bad ones, and good ones negated' },
    { name: 'branches', value: 'pattern', valueOptional: true, help: 'every branch that matches' },
    { name: 'tags', value: 'pattern', valueOptional: true, help: 'every tag that matches' },
    { name: 'remotes', value: 'pattern', valueOptional: true, help: 'every remote-tracking branch that matches' },
    { name: 'glob', value: 'pattern', help: 'every ref that matches' },
    { name: 'exclude', value: 'pattern', help: 'not these in the next --all, --branches, --tags, --remotes or --glob' },
    { name: 'exclude-hidden', value: 'section', help: 'not what receive or uploadpack hides in the next --all or --glob' },
    { name: 'disambiguate', value: 'prefix', help: 'every object whose id begins so' },
    { name: 'local-env-vars', help: 'names of the variables that belong to a repository' },
    { name: 'path-format', value: 'kind', help: 'print the paths that follow as absolute or relative' },
    { name: 'git-dir', help: 'the repository directory' },
    { name: 'absolute-git-dir', help: 'the repository directory, absolute' },
    { name: 'git-common-dir', help: 'the directory shared by all work trees' },
    { name: 'git-path', value: 'path', help: 'where a file of the repository is' },
    { name: 'resolve-git-dir', value: 'path', help: 'whether this is a repository or leads to one' },
    { name: 'is-inside-git-dir', help: 'true or false' },
    { name: 'is-inside-work-tree', help: 'true or false' },
    { name: 'is-bare-repository', help: 'true or false' },
    { name: 'is-shallow-repository', help: 'true or false' },
    { name: 'show-toplevel', help: 'the top of the work tree' },
    { name: 'show-prefix', help: 'the current directory below the top' },
    { name: 'show-cdup', help: 'the way up to the top' },
    { name: 'show-superproject-working-tree', help: 'nothing, as there are no superprojects' },
    { name: 'shared-index-path', help: 'nothing, as the index is never split' },
    { name: 'show-object-format', value: 'kind', valueOptional: true, help: 'the hash of the repository (storage, input or output)' },
    { name: 'since', value: 'date', help: 'as --max-age=<seconds>' },
    { name: 'after', value: 'date', help: 'as --max-age=<seconds>' },
    { name: 'until', value: 'date', help: 'as --min-age=<seconds>' },
    { name: 'before', value: 'date', help: 'as --min-age=<seconds>' },
  ],
  async run(context: Context, args: Arguments): Promise<number> {
    const [first, ...rest] = args.argv;
    if (first === '--sq-quote') {
      context.stdout.write(`${rest.map((word) => ` ${shellQuote(word)}`).join('')}\n`);
      return 0;
    }
    if (first === '--parseopt') {
      const { normaliseOptions } = await import('../option-spec.js');
      return normaliseOptions(context, rest);
    }
    if (first === undefined) {
      Repository.open(context);
      return 0;
    }
    if (first === '-h' && args.argv.length === 1) throw new UsageError('usage requested');
    try {
      return await new RevisionPrinter(context, args.argv).run(args.argv);
    } catch (error) {
      if (error instanceof EarlyEnd) return error.exit;
      throw error;
    }
  },
};
