// cairn stash: set local changes aside, and bring them back. The work is done in ../stash.ts.
import { CairnError, InvalidError, RefusedError } from '../../pack/errors.js';
import { emptyTreeId } from '../../pack/oid.js';
import { terminalColumns } from '../../plumbing/columns.js';
import { type Arguments, type Command, type Context, type OptionSpec, parseArguments } from '../../plumbing/command.js';
import { DiffRequest, diffOptions, typedColor } from '../../plumbing/diff/diff-options.js';
import { DiffOutput } from '../../plumbing/diff/diff-report.js';
import { type DiffEntry, diffTrees } from '../../plumbing/diff/diff.js';
import { findRevision } from '../../plumbing/history/revision.js';
import { readPathspecs } from '../../plumbing/pathspec-file.js';
import { whileNaming } from '../../plumbing/refs/announcement.js';
import { Repository } from '../../plumbing/repository.js';
import { newBranch } from '../destination.js';
import { choosingModes } from '../hunks/choosing-mode.js';
import { chooseHunks } from '../hunks/hunk-choosing.js';
import { showReflogs } from '../reflog-view.js';
import {
  type StashEntry, type StashRequest, applyEntry, clearEntries, dropEntry, makeEntry, pushEntry, readEntry, readListedEntry, stashRef, storeEntry,
} from '../stash.js';
import { printStatus } from '../status-printing.js';
import { switchTo } from '../switching.js';
import { wantsColor } from '../terminal.js';

const quiet: OptionSpec = { name: 'quiet', short: 'q', negatable: true, help: 'say nothing but errors' };
const message: OptionSpec = { name: 'message', short: 'm', value: 'message', help: 'what the entry is called' };
const pushing: readonly OptionSpec[] = [
  { name: 'keep-index', short: 'k', negatable: true, help: 'what is in the index stays, also in the files' },
  { name: 'staged', short: 'S', negatable: true, help: 'only what is in the index' },
  { name: 'include-untracked', short: 'u', negatable: true, help: 'untracked files too' },
  { name: 'all', short: 'a', help: 'untracked and ignored files too' },
  { name: 'patch', short: 'p', negatable: true, help: 'choose hunk by hunk what is set aside' },
  message, quiet,
];
const applying: readonly OptionSpec[] = [{ name: 'index', negatable: true, help: 'bring back what was in the index, too' }, quiet];

const tables: Readonly<Record<string, readonly OptionSpec[]>> = {
  push: [
    ...pushing,
    { name: 'pathspec-from-file', value: 'file', help: 'read pathspecs from this file; - is standard input' },
    { name: 'pathspec-file-nul', negatable: true, help: 'they end in NUL' },
  ],
  save: pushing,
  apply: applying,
  pop: applying,
  drop: [quiet],
  branch: [],
  clear: [],
  create: [],
  store: [message, quiet],
  list: [{ name: 'json', help: 'list: one JSON object per line' }],
  show: [
    { name: 'only-untracked', help: 'of untracked files only' },
    { name: 'include-untracked', short: 'u', negatable: true, help: 'untracked files too' },
  ],
};

/** What cannot be done here, which is no failure of the program. */
const answers: ReadonlySet<string> = new Set([
  'no-stash', 'no-stash-entry', 'not-a-stash', 'no-match', 'no-head', 'unmerged-index', 'nothing-staged', 'nothing-chosen', 'changes-in-the-way', 'index-conflict', 'bad-options', 'no-such-commit',
]);

export const command: Command = {
  name: 'stash',
  family: 'git',
  summary: 'set local changes aside, and bring them back',
  usage: [
    'stash [push [-k] [-S] [-u | -a] [-p] [-q] [-m <message>] [--pathspec-from-file=<file> [--pathspec-file-nul]]\n             [--] [<pathspec>...]]',
    'stash list [--json] [<log options>]',
    'stash show [-u | --only-untracked] [<diff options>] [<stash>]',
    'stash (pop | apply) [--index] [-q] [<stash>]',
    'stash drop [-q] [<stash>]',
    'stash branch <branch> [<stash>]',
    'stash clear',
    'stash create [<message>]',
    'stash store [-m <message>] [-q] <commit>',
    'stash save [-k] [-S] [-u | -a] [-p] [-q] [<message>]',
  ],
  options: [...new Map(Object.values(tables).flat().map((option) => [option.name, option])).values()],
  rawArguments: true,
  run(context, args) {
    const [first, ...rest] = args.argv;
    const isNamed = first !== undefined && Object.hasOwn(tables, first);
    const verb = isNamed ? first : 'push';
    const repository = Repository.open(context);
    repository.requireWorkTree();
    const words = isNamed ? rest : args.argv;
    if (verb === 'list') return list(repository, words);
    if (verb === 'show') return show(context, repository, words);
    const parsed = parseArguments({ options: tables[verb]! }, words);
    const { before } = parsed.split();
    if (!isNamed && before.length > 0 && !parsed.has('patch')) {
      throw new InvalidError(`a subcommand is missing: 'push' is not assumed with '${before[0]!}'`, { code: 'no-subcommand', hint: 'say cairn stash push -- <path>' });
    }
    try {
      return run(context, repository, verb, parsed);
    } catch (error) {
      if (!(error instanceof CairnError) || !answers.has(error.code)) throw error;
      context.stdout.flush();
      context.stderr.write(`error: ${error.message}\n${error.hint === undefined ? '' : `hint: ${error.hint}\n`}`);
      return 1;
    }
  },
};

function run(context: Context, repository: Repository, verb: string, args: Arguments): number {
  const isQuiet = args.has('quiet');
  const words = args.positionals;
  switch (verb) {
    case 'push': return push(context, repository, args, args.value('message') ?? '', readPathspecs(context, args));
    case 'save': return push(context, repository, args, args.value('message') ?? words.join(' '), []);
    case 'apply': return bringBack(repository, readEntry(repository, only(words)), args) ? 0 : 1;
    case 'pop': return pop(context, repository, readListedEntry(repository, only(words)), args);
    case 'drop': return drop(context, repository, readListedEntry(repository, only(words)), isQuiet);
    case 'branch': return branch(context, repository, words);
    case 'clear':
      if (words.length > 0) throw new RefusedError('stash clear takes no arguments', { code: 'bad-options' });
      clearEntries(repository);
      return 0;
    case 'create': return create(context, repository, words);
    default: return store(repository, words, args);
  }
}

function only(words: readonly string[]): string | undefined {
  if (words.length > 1) throw new InvalidError(`too many revisions specified: ${words.join(' ')}`, { code: 'bad-options' });
  return words[0];
}

function push(context: Context, repository: Repository, args: Arguments, text: string, paths: readonly string[]): number {
  const untracked = untrackedOf(args);
  if (args.has('staged') && untracked !== 'no') throw new RefusedError('--staged does not go with --include-untracked or --all', { code: 'bad-options' });
  if (args.has('patch') && (args.has('staged') || untracked !== 'no')) throw new RefusedError('--patch does not go with --staged, --include-untracked and --all', { code: 'bad-options' });
  const say = (latin1: string): void => { if (!args.has('quiet')) context.stdout.write(Buffer.from(latin1, 'latin1')); };
  const wasMade = pushEntry(repository, {
    message: Buffer.from(text).toString('latin1'), untracked, stagedOnly: args.has('staged'), paths,
    ...(args.has('patch') ? { choose: (index, tree): void => chooseHunks(repository, { mode: choosingModes.stash, tree, paths, index }) } : {}),
    keepsIndex: args.flag('keep-index') ?? args.has('patch'),
  }, (told) => say(`Saved working directory and index state ${told}\n`));
  if (!wasMade) say('No local changes to save\n');
  return 0;
}

function untrackedOf(args: Arguments): StashRequest['untracked'] {
  const last = args.tokens.findLast((token) => token.kind === 'option' && (token.name === 'all' || token.name === 'include-untracked'));
  if (last?.kind !== 'option' || last.negated) return 'no';
  return last.name === 'all' ? 'all' : 'untracked';
}

function bringBack(repository: Repository, entry: StashEntry, args: Arguments): boolean {
  const isClean = applyEntry(repository, entry, { withIndex: args.has('index') });
  if (!args.has('quiet')) printStatus(repository, parseArguments({ options: [] }, []));
  return isClean;
}

function pop(context: Context, repository: Repository, entry: StashEntry, args: Arguments): number {
  let isClean = false;
  try {
    isClean = bringBack(repository, entry, args);
  } finally {
    if (!isClean) context.stdout.write('The stash entry is kept in case you need it again.\n');
  }
  return isClean ? drop(context, repository, entry, args.has('quiet')) : 1;
}

function drop(context: Context, repository: Repository, entry: StashEntry, isQuiet: boolean): number {
  dropEntry(repository, entry);
  if (!isQuiet) context.stdout.write(`Dropped ${entry.name} (${entry.id})\n`);
  return 0;
}

function branch(context: Context, repository: Repository, words: readonly string[]): number {
  const [name, ...rest] = words;
  if (name === undefined) throw new InvalidError('no branch name specified', { code: 'bad-options' });
  const entry = readEntry(repository, only(rest));
  switchTo(repository, { destination: newBranch(repository, name, entry.base, { force: false, track: undefined }), changes: 'keep', quiet: false, looksAround: true });
  if (!bringBack(repository, entry, parseArguments({ options: applying }, ['--index']))) return 1;
  return entry.isListed ? drop(context, repository, entry, false) : 0;
}

function create(context: Context, repository: Repository, words: readonly string[]): number {
  const made = whileNaming(repository, () => makeEntry(repository, { message: Buffer.from(words.join(' ')).toString('latin1'), untracked: 'no', stagedOnly: false, paths: [] }));
  if (made !== undefined) context.stdout.write(`${made.id}\n`);
  return 0;
}

function store(repository: Repository, words: readonly string[], args: Arguments): number {
  const [typed] = words;
  if (typed === undefined || words.length > 1) throw new InvalidError('stash store requires one commit', { code: 'bad-options' });
  const id = findRevision(repository, typed);
  if (id === undefined) throw new InvalidError(`cannot update ${stashRef} with ${typed}`, { code: 'no-such-commit' });
  const text = args.value('message');
  storeEntry(repository, id, text === undefined ? 'Created via "git stash store".' : Buffer.from(text).toString('latin1'));
  return 0;
}

function list(repository: Repository, argv: readonly string[]): number {
  if (repository.refs.find(stashRef) === undefined) return 0;
  return showReflogs(repository, ['--format=%gd: %gs', '--first-parent', ...argv, stashRef, '--']);
}

/** What an entry changed; words that are no options name it. */
function show(context: Context, repository: Repository, argv: readonly string[]): number {
  const { config, objects } = repository;
  const args = parseArguments({ options: [...tables['show']!, ...diffOptions.filter(({ name }) => name !== 'u')] }, argv);
  const options = args.tokens.filter((token) => token.kind === 'option' && token.name !== 'include-untracked' && token.name !== 'only-untracked');
  let entry: StashEntry;
  try {
    entry = readEntry(repository, only(args.positionals));
  } catch (error) {
    if (!(error instanceof CairnError) || !answers.has(error.code)) throw error;
    context.stderr.write(`error: ${error.message}\n`);
    return 1;
  }
  const formats = options.length > 0 ? [] : [
    ...(config.getBoolean('stash.showstat') === false ? [] : ['--stat']), ...(config.getBoolean('stash.showpatch') === true ? ['-p'] : []),
  ];
  if (options.length === 0 && formats.length === 0) return 0;
  const given = formats.length === 0 ? args : parseArguments({ options: diffOptions }, formats);
  const request = new DiffRequest(repository, given, {
    porcelain: true, format: 'patch', columns: terminalColumns(context), isColored: wantsColor(context, config, 'color.diff', typedColor(given)),
  });
  const last = args.tokens.findLast((token) => token.kind === 'option' && (token.name === 'include-untracked' || token.name === 'only-untracked'));
  const which = last?.kind !== 'option' ? (config.getBoolean('stash.showincludeuntracked') === true ? 'too' : 'no') : last.negated ? 'no' : last.name === 'only-untracked' ? 'only' : 'too';
  const between = (from: StashEntry['baseTree'] | undefined, to: StashEntry['baseTree']): DiffEntry[] => diffTrees(objects, from, to, { recursive: true, unchanged: request.wantsUnchanged });
  const found = [
    ...(which === 'only' ? [] : between(entry.baseTree, entry.workTree)),
    ...(which === 'no' ? [] : between(undefined, entry.untrackedTree ?? emptyTreeId(repository.format))),
  ].sort((one, two) => (one.path < two.path ? -1 : one.path > two.path ? 1 : 0));
  const output = new DiffOutput(context, request.outputPath);
  const code = request.write(request.finish(found), output.sink);
  output.end();
  return code;
}
