// cairn show-branch: branches side by side, with the commits each of them has (git-show-branch(1)).
import { InvalidError, NotFoundError, UsageError } from '../../pack/errors.js';
import type { ObjectId } from '../../pack/oid.js';
import { Arguments, type Command, parseArguments } from '../../plumbing/command.js';
import { approximateDate, formatDate } from '../../plumbing/date.js';
import { BranchComparison, type Tip, mostTips } from '../../plumbing/history/branch-comparison.js';
import { messageOf, subjectOf } from '../../plumbing/history/format.js';
import { type CommitNode, History } from '../../plumbing/history/history.js';
import { expandRefName, findRevision, peel } from '../../plumbing/history/revision.js';
import { latin1 } from '../../plumbing/latin1.js';
import { abbreviateId } from '../../plumbing/objects/abbreviation.js';
import { readReflog } from '../../plumbing/refs/reflog.js';
import { Repository } from '../../plumbing/repository.js';
import { compileWildmatch } from '../../plumbing/wildmatch.js';
import { colorWord } from '../ref-options.js';
import { formatColor, wantsColor } from '../terminal.js';

const reflogEntries = 4;
const plainColors = ['red', 'green', 'yellow', 'blue', 'magenta', 'cyan'];
const columnColors = [...plainColors, ...plainColors.map((name) => `bold ${name}`)];

export const command: Command = {
  name: 'show-branch',
  family: 'git',
  summary: 'show branches and the commits each of them has',
  usage: [
    'show-branch [<options>] [(<rev> | <glob>)...]',
    'show-branch (-g | --reflog)[=<n>[,<base>]] [--list] [<ref>]',
  ],
  options: [
    { name: 'all', short: 'a', negatable: true, help: 'show branches and remote-tracking branches' },
    { name: 'remotes', short: 'r', negatable: true, help: 'show remote-tracking branches' },
    { name: 'color', value: 'when', valueOptional: true, negatable: true, help: 'always, never or auto: whether signs have the colours of their branches' },
    { name: 'more', value: 'n', valueOptional: true, negatable: true, help: 'go on for <n> commits beyond the first that is common' },
    { name: 'list', negatable: true, help: 'show only the branches themselves' },
    { name: 'no-name', negatable: true, help: 'show no names of commits' },
    { name: 'current', negatable: true, help: 'show the current branch besides' },
    { name: 'sha1-name', negatable: true, help: 'name commits by their ids' },
    { name: 'merge-base', negatable: true, help: 'show the best common ancestors' },
    { name: 'independent', negatable: true, help: 'show the commits that no other one leads to' },
    { name: 'topo-order', help: 'show each line of history as a whole (the default)' },
    { name: 'date-order', help: 'show commits by date, parents behind their children' },
    { name: 'topics', help: 'hide what the first branch has' },
    { name: 'sparse', help: 'also show merges that only one branch has' },
    { name: 'reflog', short: 'g', value: 'n[,base]', valueOptional: true, help: 'show entries of the reflog of a ref' },
  ],
  stopAtPositional: true,
  run(context, typed) {
    const repository = Repository.open(context);
    const configured = typed.argv.length === 0 ? repository.config.getAll('showbranch.default') : [];
    const args = configured.length === 0 ? typed : parseArguments(command, configured);
    const color = colorWord(args);
    const more = moreOf(args);
    const asksLog = args.flag('reflog') === true;
    checkCombinations(args, more, asksLog);
    const tips = asksLog ? listLog(repository, args) : listTips(repository, args);
    if (tips.length === 0) {
      context.stderr.write('no revisions to be shown\n');
      return 0;
    }
    if (tips.length > mostTips) throw new InvalidError(`cannot handle more than ${mostTips} revisions`, { code: 'too-many' });
    const history = new History(repository, { keep: 'contents' });
    const comparison = new BranchComparison(history, tips, more);
    const print = (line: string): void => context.stdout.write(Buffer.from(`${line}\n`, 'latin1'));
    if (args.has('merge-base') || args.has('independent')) {
      const ids = args.has('merge-base') ? comparison.mergeBases() : comparison.independent();
      for (const id of ids) print(id);
      return args.has('merge-base') && ids.length === 0 ? 1 : 0;
    }
    new Page(repository, history, args, tips, print, wantsColor(context, repository.config, 'color.showbranch', color)).show(comparison, more);
    return 0;
  },
};

/** A tip, and for an entry of a reflog what that says. */
interface Shown extends Tip {
  readonly message?: string;
}

/** --list is the same as --more=-1: whichever came last. */
function moreOf(args: Arguments): number {
  let more = 0;
  for (const token of args.tokens) {
    if (token.kind !== 'option' || (token.name !== 'more' && token.name !== 'list')) continue;
    if (token.negated) more = 0;
    else if (token.name === 'list') more = -1;
    else if (token.value !== undefined && !/^[+-]?[0-9]+$/.test(token.value)) throw new UsageError("option 'more' expects a number");
    else more = Number(token.value ?? 1);
  }
  return more;
}

function checkCombinations(args: Arguments, more: number, asksLog: boolean): void {
  logRequest(args);
  const answersOnly = args.has('independent') || args.has('merge-base');
  if ((more !== 0 || asksLog) && answersOnly) throw new UsageError('--more, --list and --reflog go neither with --independent nor with --merge-base');
  if (asksLog && (more > 0 || args.has('all') || args.has('remotes'))) throw new InvalidError('--reflog goes not with --more, --all or --remotes', { code: 'bad-options' });
  if (asksLog && args.has('current')) throw new InvalidError('--reflog goes not with --current', { code: 'bad-options' });
}

/** What is named, then what --all or --remotes asks for, then the current branch; each name once. */
function listTips(repository: Repository, args: Arguments): Shown[] {
  const tips = new Map<string, ObjectId>();
  const add = (found: readonly Tip[]): void => {
    for (const { name, id } of found) {
      const commit = tips.has(name) ? undefined : peel(repository, id, 'commit');
      // What is no commit has no place here.
      if (commit !== undefined) tips.set(name, commit);
    }
  };
  const words = args.positionals;
  const refs = [...repository.refs.list()].map(({ name, id }) => ({ name: latin1(name), id }));
  for (const word of words) {
    const id = findRevision(repository, word);
    if (id !== undefined) add([{ name: latin1(word), id }]);
    else if (!/[*?[]/.test(word)) throw new NotFoundError(`bad sha1 reference ${word}`, { code: 'bad-revision' });
    else {
      const matching = refs.filter(({ name }) => matchesTail(latin1(word), name))
        .map((ref) => (ref.name.startsWith('refs/remotes/') ? ref : shortened(repository, ref))).filter(({ name }) => !tips.has(name));
      if (matching.length === 0) repository.context.stderr.write(`error: no matching refs with ${word}\n`);
      add(matching.sort(byName));
    }
  }
  const asksNothing = words.length <= (args.has('topics') ? 1 : 0) && !args.has('all') && !args.has('remotes');
  const below = (prefix: string): Tip[] => refs.filter(({ name }) => name.startsWith(prefix)).map((ref) => shortened(repository, ref)).filter(({ name }) => !tips.has(name)).sort(byName);
  if (args.has('all') || asksNothing) add(below('refs/heads/'));
  if (args.has('all') || args.has('remotes')) add(below('refs/remotes/'));
  const head = repository.refs.find('HEAD');
  if (args.has('current') && head !== undefined) {
    const branch = latin1(repository.refs.headBranch() ?? 'HEAD');
    if (![...tips.keys()].some((name) => isBranch(branch, name))) add([{ name: branch.replace(/^refs\/heads\//, ''), id: head.id }]);
  }
  return [...tips].map(([name, id]) => ({ name, id }));
}

const byName = (one: Tip, two: Tip): number => (one.name < two.name ? -1 : one.name > two.name ? 1 : 0);

/** True when as many parts as the pattern has, from the end, match it. */
function matchesTail(pattern: string, name: string): boolean {
  const tail = name.split('/').slice(-pattern.split('/').length).join('/');
  return compileWildmatch(pattern)(tail);
}

/** A branch without 'refs/heads/' where that still means it, else without 'refs/'. */
function shortened(repository: Repository, { name, id }: Tip): Tip {
  const short = /^refs\/(?:heads|remotes)\//.test(name) ? name.replace(/^refs\/[^/]*\//, '') : undefined;
  if (short !== undefined && findRevision(repository, Buffer.from(short, 'latin1').toString()) === id) return { name: short, id };
  return { name: /^refs\/(?:heads|remotes|tags)\//.test(name) ? name.slice('refs/'.length) : name, id };
}

/** True when `name` is how the branch `full` may have been typed. */
function isBranch(full: string, name: string): boolean {
  return full.replace(/^refs\/heads\//, '') === name.replace(/^(?:refs\/)?heads\//, '');
}

/** How many entries, and from which on. */
function logRequest(args: Arguments): RegExpExecArray {
  const found = /^([0-9]*)(?:,(.*))?$/s.exec(args.value('reflog') ?? String(reflogEntries));
  if (found === null) throw new UsageError(`unrecognized reflog param '${args.value('reflog')}'`);
  return found;
}

/** Entries of the reflog of one ref, the last first. */
function listLog(repository: Repository, args: Arguments): Shown[] {
  const [typed = repository.refs.headBranch() ?? 'HEAD', ...others] = args.positionals;
  if (others.length > 0) throw new InvalidError('--reflog takes one name of a ref', { code: 'bad-options' });
  const [, count = '', base] = logRequest(args);
  const wanted = Number(count) || reflogEntries;
  if (wanted > mostTips) throw new InvalidError(`only ${mostTips} entries can be shown at one time`, { code: 'too-many' });
  const found = expandRefName(repository, typed);
  if (found === undefined) throw new NotFoundError(`no such ref ${typed}`, { code: 'no-ref' });
  const full = repository.refs.resolve(found).name;
  const { clock } = repository.context;
  const entries = readReflog(repository, full).reverse();
  const date = base === undefined || /^[0-9]+$/.test(base) ? undefined : approximateDate(base, clock).seconds;
  const dated = date === undefined ? undefined : entries.findIndex(({ ident }) => ident.seconds <= date);
  const from = dated === undefined ? Number(base ?? 0) : dated < 0 ? entries.length - 1 : dated;
  return entries.slice(from, from + wanted).map(({ newId }, at) => {
    // What stock git 2.39 tells of an entry is what made the next one, but of the last.
    const { ident, message } = entries[Math.max(from + at - 1, 0)]!;
    const when = formatDate(ident.seconds, ident.offset, 'relative', clock);
    return { name: `${latin1(typed)}@{${from + at}}`, id: newId, message: `(${when}) ${message === '' ? '(none)' : message}` };
  });
}

class Page {
  readonly #repository: Repository;
  readonly #history: History;
  readonly #args: Arguments;
  readonly #tips: readonly Shown[];
  readonly #print: (line: string) => void;
  readonly #isColored: boolean;
  readonly #current: number;

  constructor(repository: Repository, history: History, args: Arguments, tips: readonly Shown[], print: (line: string) => void, isColored: boolean) {
    this.#repository = repository;
    this.#history = history;
    this.#args = args;
    this.#tips = tips;
    this.#print = print;
    this.#isColored = isColored;
    const head = repository.refs.find('HEAD')?.id;
    const branch = latin1(repository.refs.headBranch() ?? 'HEAD');
    this.#current = tips.findLastIndex(({ name, id }) => isBranch(branch, name) && id === head);
  }

  show(comparison: BranchComparison, more: number): void {
    const { length } = this.#tips;
    if (length > 1 || more < 0) {
      for (const [at, tip] of this.#tips.entries()) this.#print(this.#headline(at, tip, more < 0));
      if (more >= 0) this.#print('-'.repeat(length));
    }
    if (more >= 0) this.#showCommits(comparison, more);
  }

  #headline(at: number, { name, id, message }: Shown, listsOnly: boolean): string {
    const isCurrent = at === this.#current;
    const sign = listsOnly ? (isCurrent ? '*' : ' ') : ' '.repeat(at) + this.#paint(at, isCurrent ? '*' : '!');
    return `${sign} [${name}] ${message ?? this.#subjectOf(this.#history.node(id))}`;
  }

  #showCommits(comparison: BranchComparison, more: number): void {
    const args = this.#args;
    const order = comparison.listCommits(args.lastOf('topo-order', 'date-order') === 'date-order');
    const names = args.has('sha1-name') || args.has('no-name') ? new Map<number, string>() : comparison.nameCommits(order);
    let left = more;
    let isBelow = false;
    for (const node of order) {
      const isCommon = comparison.isCommon(node);
      isBelow ||= isCommon;
      const isHidden = this.#tips.length > 1 && ((args.has('topics') && !isCommon && comparison.reachedFrom(node)[0] === true)
        || (!args.has('sparse') && node.parents.length > 1 && comparison.isInner(node)));
      if (isHidden) continue;
      const name = args.has('no-name') ? '' : `[${names.get(node.number) ?? abbreviateId(this.#repository, node.id)}] `;
      this.#print(`${this.#tips.length > 1 ? `${this.#signs(comparison, node)} ` : ''}${name}${this.#subjectOf(node)}`);
      if (isBelow) left -= 1;
      if (isBelow && left < 0) return;
    }
  }

  #signs(comparison: BranchComparison, node: CommitNode): string {
    const isMerge = node.parents.length > 1;
    return comparison.reachedFrom(node).map((has, at) => (has ? this.#paint(at, isMerge ? '-' : at === this.#current ? '*' : '+') : ' ')).join('');
  }

  #paint(at: number, sign: string): string {
    return this.#isColored ? `${formatColor(columnColors[at % columnColors.length]!)}${sign}${formatColor('reset')}` : sign;
  }

  #subjectOf(node: CommitNode): string {
    return subjectOf(messageOf(this.#history.load(node).commit, this.#repository.config.get('i18n.logoutputencoding'))).replace(/^\[PATCH\] /, '');
  }
}
