// What could be typed next on a command line: commands and their options from the table, and names out of the repository.
// Nothing is changed and nothing is asked of the person; a repository that cannot be read just has nothing to propose.
// The scripts for shells are in completion-script.ts; specified by cairn-completion(1).
import * as fs from 'node:fs';
import { resolve } from 'node:path';
import { CairnError } from '../pack/errors.js';
import { isTreeMode } from '../pack/tree.js';
import type { Command, Context, OptionSpec } from '../plumbing/command.js';
import { readIndex } from '../plumbing/index/index-file.js';
import { findRevision } from '../plumbing/history/revision.js';
import { hooksAndMoments } from '../plumbing/hooks.js';
import { readReflog } from '../plumbing/refs/reflog.js';
import { Repository } from '../plumbing/repository.js';
import { listChannels } from './channel.js';
import { CommandLineShape, type WordKind, kindOf } from './command-line-shape.js';
import { findCommand, plumbingCommands, porcelainCommands } from './commands.js';
import { completionShells } from './completion-script.js';
import { listEntries } from './linked-work-tree.js';
import { listHolds } from './retention/hold.js';
import { stashRef } from './stash.js';

export interface Proposal {
  /** Replaces the last typed word; goes on when it ends in '/' or '='. */
  readonly word: string;
  readonly help?: string;
}

/** Options of cairn's own, before the command: those that take the next word as their value are marked. */
const globalOptions: readonly (readonly [name: string, takesValue: boolean])[] = [
  ['-C', true], ['-c', true], ['--config-env', false], ['--git-dir', true], ['--work-tree', true], ['--namespace', true], ['--bare', false],
  ['--no-pager', false], ['--paginate', false], ['--no-optional-locks', false], ['--no-replace-objects', false], ['--literal-pathspecs', false],
  ['--help', false], ['--version', false],
];

/** What the last of the typed words (which may be empty) could become; `typed` begins after the program's name. */
export async function proposeWords(context: Context, typed: readonly string[]): Promise<Proposal[]> {
  const words = [...typed];
  const last = words.pop() ?? '';
  const start = findStart(context, words);
  const names = new Names(start.context);
  if (start.pending !== undefined) return fitting(last, start.pending === '-C' || start.pending.startsWith('--') ? [...names.paths(last, false)] : []);
  const [name, ...before] = start.words;
  if (name === undefined) {
    if (last.startsWith('-')) return fitting(last, globalOptions.map(([word]) => ({ word })));
    return fitting(last, commandNames(last !== '').map((word) => ({ word })));
  }
  const load = findCommand(name);
  if (load === undefined) return [];
  const { command } = await load();
  return fitting(last, [...proposals(command, before, last, names)]);
}

/** Commands for people first; the others only when something of their name was typed. */
function commandNames(all: boolean): string[] {
  return [...Object.keys(porcelainCommands), ...(all ? Object.keys(plumbingCommands) : [])].sort();
}

function fitting(last: string, proposed: readonly Proposal[]): Proposal[] {
  return [...new Map(proposed.filter(({ word }) => word.startsWith(last)).map((proposal) => [proposal.word, proposal])).values()];
}

/** The command's words, and what the options before it change; `pending`: the option whose value is being typed. */
function findStart(context: Context, words: readonly string[]): { readonly context: Context; readonly words: readonly string[]; readonly pending?: string } {
  let { cwd } = context;
  const env = { ...context.env };
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at]!;
    if (!word.startsWith('-')) return { context: { ...context, cwd, env }, words: words.slice(at) };
    const option = globalOptions.find(([name]) => name === word);
    let value = /^--[a-z-]+=(.*)$/s.exec(word)?.[1];
    if (option?.[1]) {
      at += 1;
      if (at >= words.length) return { context: { ...context, cwd, env }, words: [], pending: word };
      value = words[at]!;
    }
    if (value === undefined) continue;
    if (word === '-C') cwd = resolve(cwd, value);
    if (word.startsWith('--git-dir')) env['GIT_DIR'] = value;
    if (word.startsWith('--work-tree')) env['GIT_WORK_TREE'] = value;
  }
  return { context: { ...context, cwd, env }, words: [] };
}

function* proposals(command: Command, before: readonly string[], last: string, names: Names): Generator<Proposal> {
  const shape = new CommandLineShape(command);
  const dashes = before.indexOf('--');
  if (dashes < 0 && last.startsWith('-')) {
    const equals = last.indexOf('=');
    const option = equals < 0 ? undefined : command.options.find(({ name }) => name === last.slice(2, equals));
    if (option?.value !== undefined) {
      const head = last.slice(0, equals + 1);
      for (const { word, help } of valuesOf(command, option, last.slice(equals + 1), names)) yield { word: head + word, ...(help === undefined ? {} : { help }) };
    } else {
      yield* optionWords(command);
    }
    return;
  }
  const pending = dashes < 0 ? optionAwaitingValue(command, before) : undefined;
  if (pending !== undefined) {
    yield* valuesOf(command, pending, last, names);
    return;
  }
  const said = positionals(command, dashes < 0 ? before : before.slice(0, dashes));
  const verb = said[0] !== undefined && shape.verbs.includes(said[0]) ? said[0] : undefined;
  if (verb === undefined && said.length === 0 && dashes < 0) for (const word of shape.verbs) yield { word };
  const kinds = [...shape.kinds(verb, before.filter((word) => word.startsWith('-')))];
  yield* names.ofKinds(dashes < 0 ? kinds : kinds.filter((kind) => kind === 'path'), last);
}

function* optionWords({ options }: Command): Generator<Proposal> {
  for (const [at, { name, short, value, valueOptional, negatable, hidden, help }] of options.entries()) {
    // Where two have a name, the first one is meant by it.
    if (hidden || options.findIndex((other) => other.name === name) < at) continue;
    if (name.length > 1) yield { word: `--${name}${value !== undefined && !valueOptional ? '=' : ''}`, help };
    if (negatable && name.length > 1) yield { word: name.startsWith('no-') ? `--${name.slice(3)}` : `--no-${name}`, help: `undo --${name}` };
    const letter = short ?? (name.length === 1 ? name : undefined);
    if (letter !== undefined) yield { word: `-${letter}`, help };
  }
}

/** The option whose value the next word is. */
function optionAwaitingValue({ options }: Command, before: readonly string[]): OptionSpec | undefined {
  const word = before.at(-1);
  if (word === undefined || !word.startsWith('-') || word.includes('=')) return undefined;
  const spec = word.startsWith('--')
    ? options.find(({ name }) => name === word.slice(2))
    : options.find(({ name, short }) => short === word.at(-1) || name === word.at(-1));
  return spec?.value !== undefined && !spec.valueOptional ? spec : undefined;
}

function positionals(command: Command, before: readonly string[]): string[] {
  return before.filter((word, at) => !word.startsWith('-') && optionAwaitingValue(command, before.slice(0, at)) === undefined);
}

function* valuesOf(command: Command, option: OptionSpec, last: string, names: Names): Generator<Proposal> {
  const placeholder = option.value!;
  const listed = wordsNamed[`${command.name} --${option.name}`] ?? wordsNamed[placeholder === 'when' ? option.name : placeholder];
  for (const word of listed ?? []) yield { word };
  const kind = kindOf(command.name, placeholder);
  if (listed === undefined && kind !== undefined) yield* names.ofKinds([kind], last);
}

/** Values that are one of a few words. */
const wordsNamed: Readonly<Record<string, readonly string[]>> = {
  color: ['always', 'never', 'auto'],
  'log --pretty': ['oneline', 'short', 'medium', 'full', 'fuller', 'reference', 'email', 'raw', 'format:'],
  'show --pretty': ['oneline', 'short', 'medium', 'full', 'fuller', 'reference', 'email', 'raw', 'format:'],
  'log --date': ['relative', 'local', 'iso', 'iso-strict', 'rfc', 'short', 'raw', 'human', 'unix', 'format:'],
  'log --decorate': ['short', 'full', 'auto', 'no'],
  'merge --strategy': ['ort', 'recursive', 'resolve', 'octopus', 'ours', 'subtree'],
  'config --type': ['bool', 'int', 'bool-or-int', 'path', 'expiry-date', 'color'],
  'status --untracked-files': ['no', 'normal', 'all'],
  'status --ignored': ['traditional', 'matching', 'no'],
  'status --porcelain': ['v1', 'v2'],
  'commit --cleanup': ['strip', 'whitespace', 'verbatim', 'scissors', 'default'],
  'export --format': ['tar', 'tar.gz', 'zip'],
  'init --object-format': ['sha1', 'sha256'],
  'diff --diff-algorithm': ['myers', 'minimal', 'patience', 'histogram'],
  'log --diff-algorithm': ['myers', 'minimal', 'patience', 'histogram'],
};

/** Names of a repository (or of none) and of files, by what is asked for. */
class Names {
  readonly #context: Context;
  readonly #repository: Repository | undefined;

  constructor(context: Context) {
    this.#context = context;
    this.#repository = ignoringErrors(() => Repository.find(context));
  }

  *ofKinds(kinds: readonly WordKind[], last: string): Generator<Proposal> {
    for (const kind of kinds) yield* ignoringErrors(() => [...this.#ofKind(kind, last)]) ?? [];
  }

  #ofKind(kind: WordKind, last: string): Iterable<Proposal> {
    const repository = this.#repository;
    switch (kind) {
      case 'path': return this.paths(last, true);
      case 'command': return commandNames(true).map((word) => ({ word }));
      case 'shell': return completionShells.map((word) => ({ word }));
      case 'hook': return Object.entries(hooksAndMoments).map(([word, help]) => ({ word, help }));
      default: return repository === undefined ? [] : this.#ofRepository(repository, kind, last);
    }
  }

  *#ofRepository(repository: Repository, kind: WordKind, last: string): Generator<Proposal> {
    switch (kind) {
      case 'branch': yield* shortened(repository, ['refs/heads/'], ''); return;
      case 'tag': yield* shortened(repository, ['refs/tags/'], ''); return;
      case 'notes-ref': yield* shortened(repository, ['refs/notes/'], ''); return;
      case 'channel': for (const { channel } of listChannels(repository)) yield { word: shown(channel) }; return;
      case 'hold': for (const { id, reason } of listHolds(repository)) yield { word: id, help: reason }; return;
      case 'worktree': for (const { path, isMain } of listEntries(repository)) if (!isMain) yield { word: path }; return;
      case 'config': for (const { name } of repository.config.list()) yield { word: name }; return;
      case 'stash': {
        const entries = readReflog(repository, stashRef);
        for (const [at, { message }] of entries.toReversed().entries()) yield { word: `stash@{${at}}`, help: shown(message) };
        return;
      }
      default: yield* this.#revisions(repository, last);
    }
  }

  /** Refs; behind 'a..' those for the other end; behind 'rev:' what is in its tree. */
  *#revisions(repository: Repository, last: string): Generator<Proposal> {
    const colon = last.indexOf(':');
    if (colon > 0) {
      yield* inTree(repository, last.slice(0, colon), last.slice(colon + 1));
      return;
    }
    const head = /^(?:.*\.\.\.?|\^)/.exec(last)?.[0] ?? '';
    yield { word: `${head}HEAD` };
    if (last.startsWith(`${head}refs/`)) for (const name of repository.refs.listNames()) yield { word: head + shown(name) };
    yield* shortened(repository, ['refs/heads/', 'refs/tags/', 'refs/remotes/'], head);
  }

  /** Files and directories one level deep from what was typed; with `tracked` also what only the index has. */
  *paths(last: string, tracked: boolean): Generator<Proposal> {
    const slash = last.lastIndexOf('/') + 1;
    const head = last.slice(0, slash);
    const directory = resolve(this.#context.cwd, head === '' ? '.' : head);
    const found = new Set<string>();
    for (const entry of listDirectory(directory)) {
      if (entry.name === '.git' || entry.name === '.cairn') continue;
      const isDirectory = entry.isDirectory() || (entry.isSymbolicLink() && fs.statSync(resolve(directory, entry.name), { throwIfNoEntry: false })?.isDirectory() === true);
      found.add(`${head}${entry.name}${isDirectory ? '/' : ''}`);
    }
    if (tracked) for (const name of this.#trackedNames(head)) found.add(name);
    const hidden = last.slice(slash).startsWith('.');
    for (const word of [...found].sort()) if (hidden || word[slash] !== '.') yield { word };
  }

  #trackedNames(head: string): string[] {
    const repository = this.#repository;
    if (repository?.workTree === undefined || head.startsWith('/') || head.includes('../')) return [];
    const prefix = repository.prefix + Buffer.from(head).toString('latin1');
    const names = new Set<string>();
    for (const { path } of readIndex(repository).entries) {
      if (!path.startsWith(prefix)) continue;
      const rest = path.slice(prefix.length);
      const slash = rest.indexOf('/');
      names.add(head + shown(slash < 0 ? rest : rest.slice(0, slash + 1)));
    }
    return [...names];
  }
}

function listDirectory(directory: string): fs.Dirent[] {
  return fs.statSync(directory, { throwIfNoEntry: false })?.isDirectory() ? fs.readdirSync(directory, { withFileTypes: true }) : [];
}

function* shortened({ refs }: Repository, prefixes: readonly string[], head: string): Generator<Proposal> {
  for (const prefix of prefixes) for (const name of refs.listNames(prefix)) yield { word: head + shown(name.slice(prefix.length)) };
}

function* inTree(repository: Repository, revision: string, path: string): Generator<Proposal> {
  const slash = path.lastIndexOf('/');
  const id = findRevision(repository, `${revision}:${slash < 0 ? '' : path.slice(0, slash)}`, 'tree');
  if (id === undefined) return;
  for (const { name, mode } of repository.objects.readTree(id)) {
    yield { word: `${revision}:${path.slice(0, slash + 1)}${shown(name)}${isTreeMode(mode) ? '/' : ''}` };
  }
}

/** Byte strings as a terminal takes them. */
function shown(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString();
}

/** A damaged or foreign repository proposes nothing: the command itself will say what is wrong. */
function ignoringErrors<T>(propose: () => T): T | undefined {
  try {
    return propose();
  } catch (error) {
    if (error instanceof CairnError) return undefined;
    throw error;
  }
}
