// A bisection under way: what is known to be good, bad or not to be tested, and which commit is to be tested next. Specified by
// git-bisect(1); its state lies in files and refs that both programs read: BISECT_START, BISECT_TERMS, BISECT_NAMES, BISECT_LOG,
// BISECT_EXPECTED_REV and others beside HEAD, and refs/bisect/.
//
// A verdict is written as a ref before anything follows from it. If the power fails, the bisection goes on with `bisect next`, since the next
// commit follows from the refs alone; BISECT_START goes last when it is over.
import * as fs from 'node:fs';
import { join } from 'node:path';
import { disk, removeIfPresent, replaceFile } from '../pack/disk.js';
import { InvalidError, NotFoundError, RefusedError, isSystemError } from '../pack/errors.js';
import { type ObjectId, isObjectId } from '../pack/oid.js';
import { estimateSteps } from '../plumbing/history/bisection.js';
import { mergeBases } from '../plumbing/history/merge-base.js';
import { findNamed, peel } from '../plumbing/history/revision.js';
import { type Tip, RevWalk } from '../plumbing/history/walk.js';
import { subjectOf } from '../plumbing/message.js';
import { Pathspec, pathspecContext } from '../plumbing/pathspec.js';
import { shellQuote } from '../plumbing/quote.js';
import { isRefName } from '../plumbing/refs/ref-name.js';
import { RefTransaction, updateRef } from '../plumbing/refs/ref-transaction.js';
import type { Repository } from '../plumbing/repository.js';
import { findDestination } from './destination.js';
import { switchTo } from './switching.js';

/** What came of a step: exit codes, and 'found' and 'merge-base', which are no failures. */
export type Outcome = 'next' | 'found' | 'merge-base' | 'failed' | 'only-skipped' | 'bad-merge-base' | 'no-commit';

export interface Terms {
  readonly bad: string;
  readonly good: string;
}

const standardTerms: Terms = { bad: 'bad', good: 'good' };
/** Words that mean something to bisect itself. */
const reserved = new Set(['help', 'start', 'skip', 'next', 'reset', 'visualize', 'view', 'replay', 'log', 'run', 'terms']);
const stateFiles = ['BISECT_EXPECTED_REV', 'BISECT_ANCESTORS_OK', 'BISECT_LOG', 'BISECT_NAMES', 'BISECT_RUN', 'BISECT_TERMS', 'BISECT_FIRST_PARENT', 'BISECT_START'] as const;

/** What is known: the bad commit, and the others by id. */
interface Known {
  readonly bad: ObjectId | undefined;
  readonly good: readonly ObjectId[];
  readonly skipped: readonly ObjectId[];
}

export interface StartRequest {
  /** The first is bad, the others are good. */
  readonly commits: readonly ObjectId[];
  readonly terms: Terms | undefined;
  readonly noCheckout: boolean;
  readonly firstParent: boolean;
  /** As typed, from the first word that is no commit. */
  readonly paths: readonly string[];
  /** All that was typed, for the log. */
  readonly words: readonly string[];
}

export class Bisecting {
  readonly #repository: Repository;
  /** Prints the commit that was found. */
  readonly #showCommit: (id: ObjectId) => void;

  constructor(repository: Repository, showCommit: (id: ObjectId) => void) {
    this.#repository = repository;
    this.#showCommit = showCommit;
  }

  get isUnderWay(): boolean {
    return (this.#findFile('BISECT_START') ?? '') !== '';
  }

  /** Undefined before the first verdict. */
  get chosenTerms(): Terms | undefined {
    const [bad, good] = (this.#findFile('BISECT_TERMS') ?? '').split('\n');
    return bad === undefined || bad === '' || good === undefined ? undefined : { bad, good };
  }

  get terms(): Terms {
    return this.chosenTerms ?? standardTerms;
  }

  /** What was done so far; undefined when nothing was. */
  get log(): string | undefined {
    return this.#findFile('BISECT_LOG') || undefined;
  }

  #path(name: string): string {
    return join(this.#repository.gitDirectory, name);
  }

  #findFile(name: string): string | undefined {
    try {
      return fs.readFileSync(this.#path(name), 'latin1');
    } catch (error) {
      if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return undefined;
      throw error;
    }
  }

  #say(text: string): void {
    this.#repository.context.stdout.write(Buffer.from(text, 'latin1'));
  }

  #tell(text: string): void {
    this.#repository.context.stderr.write(`${text}\n`);
  }

  #record(text: string): void {
    replaceFile(this.#path('BISECT_LOG'), Buffer.from(`${this.#findFile('BISECT_LOG') ?? ''}${text}`, 'latin1'));
  }

  #titleOf(id: ObjectId): string {
    return `[${id}] ${subjectOf(this.#repository.objects.readCommit(id).message.toString('latin1'))}`;
  }

  start(request: StartRequest): Outcome {
    const repository = this.#repository;
    const { refs } = repository;
    const { commits, noCheckout, firstParent, paths, words } = request;
    const head = refs.find('HEAD')?.id;
    if (head === undefined) throw new InvalidError('bad HEAD - I need a HEAD', { code: 'no-head' });
    const former = this.#findFile('BISECT_START')?.trim();
    if (former && !noCheckout && !this.#checkout(former, true)) {
      this.#tell(`error: checking out '${former}' failed. Try 'cairn bisect start <valid-branch>'.`);
      return 'failed';
    }
    const origin = former || (refs.headBranch()?.replace(/^refs\/heads\//, '') ?? head);
    this.clean();
    replaceFile(this.#path('BISECT_START'), `${origin}\n`);
    if (firstParent) replaceFile(this.#path('BISECT_FIRST_PARENT'), '\n');
    if (noCheckout) updateRef(repository, { name: 'BISECT_HEAD', target: { id: head }, noDeref: true });
    replaceFile(this.#path('BISECT_NAMES'), Buffer.from(`${paths.length > 1 ? paths.map((word) => ` ${shellQuote(word)}`).join('') : ''}\n`));
    const terms = request.terms ?? standardTerms;
    for (const [at, id] of commits.entries()) this.#write(at === 0 ? terms.bad : terms.good, id, terms, false);
    if (commits.length > 0 || request.terms !== undefined) this.#writeTerms(terms);
    this.#record(Buffer.from(`git bisect start${words.map((word) => ` ${shellQuote(word)}`).join('')}\n`).toString('latin1'));
    const outcome = this.goOn();
    if (!['next', 'found', 'merge-base'].includes(outcome)) this.clean();
    return outcome;
  }

  /** InvalidError for words that cannot be terms. */
  checkTerms({ bad, good }: Terms): void {
    for (const [term, others] of [[bad, ['good', 'old']], [good, ['bad', 'new']]] as const) {
      if (!isRefName(`refs/bisect/${term}`)) throw new InvalidError(`'${term}' is not a valid term`, { code: 'bad-term' });
      if (reserved.has(term)) throw new InvalidError(`can't use the builtin command '${term}' as a term`, { code: 'bad-term' });
      if ((others as readonly string[]).includes(term)) throw new InvalidError(`can't change the meaning of the term '${term}'`, { code: 'bad-term' });
    }
    if (bad === good) throw new InvalidError('please use two different terms', { code: 'bad-term' });
  }

  #writeTerms(terms: Terms): void {
    this.checkTerms(terms);
    replaceFile(this.#path('BISECT_TERMS'), `${terms.bad}\n${terms.good}\n`);
  }

  /** Chooses the terms a verdict belongs to, where none are chosen yet; false when it belongs to others. */
  settleTerms(word: string): boolean {
    if (word === 'skip' || word === 'start' || word === 'terms') return true;
    const chosen = this.chosenTerms;
    if (chosen !== undefined) {
      if (word === chosen.bad || word === chosen.good) return true;
      this.#tell(`error: invalid command: you're currently in a ${chosen.bad}/${chosen.good} bisect`);
      return false;
    }
    if (word === 'bad' || word === 'good') this.#writeTerms(standardTerms);
    if (word === 'new' || word === 'old') this.#writeTerms({ bad: 'new', good: 'old' });
    return true;
  }

  /** Writes one verdict down: 'skip' or a term. */
  #write(state: string, id: ObjectId, terms: Terms, isTyped: boolean, typed: string = id): void {
    const name = state === terms.bad ? `refs/bisect/${state}` : `refs/bisect/${state}-${id}`;
    updateRef(this.#repository, { name, target: { id }, noDeref: true });
    this.#record(`# ${state}: ${this.#titleOf(id)}\n${isTyped ? `git bisect ${state} ${typed}\n` : ''}`);
  }

  /** A verdict on commits (by default the one to be tested), and on to the next. */
  judge(word: string, typed: readonly string[]): Outcome {
    if (!this.isUnderWay) {
      this.#tell('You need to start by "cairn bisect start"\n');
      return 'failed';
    }
    if (!this.settleTerms(word)) return 'failed';
    const { terms } = this;
    if (word !== 'skip' && word !== terms.bad && word !== terms.good) return 'failed';
    if (typed.length > 1 && word === terms.bad) {
      this.#tell(`error: 'git bisect ${terms.bad}' can take only one argument.`);
      return 'failed';
    }
    const commits: ObjectId[] = [];
    for (const name of typed.length > 0 ? typed : [this.#repository.refs.find('BISECT_HEAD') === undefined ? 'HEAD' : 'BISECT_HEAD']) {
      const found = findNamed(this.#repository, name);
      if (found === undefined) {
        this.#tell(`error: bad rev input: ${name}`);
        return 'failed';
      }
      const id = peel(this.#repository, found.id, 'commit');
      if (id === undefined) throw new InvalidError(`bad rev input (not a commit): ${name}`, { code: 'not-a-commit' });
      commits.push(id);
    }
    const expected = this.#findFile('BISECT_EXPECTED_REV')?.trim();
    for (const id of commits) {
      this.#write(word, id, terms, true);
      if (expected === undefined || id === expected) continue;
      removeIfPresent(this.#path('BISECT_ANCESTORS_OK'));
      removeIfPresent(this.#path('BISECT_EXPECTED_REV'));
    }
    return this.goOn();
  }

  /** Replays one verdict of a log. */
  replay(word: string, typed: string): boolean {
    if (!this.settleTerms(word)) return false;
    const { terms } = this;
    const found = findNamed(this.#repository, typed);
    const id = found === undefined ? undefined : peel(this.#repository, found.id, 'commit');
    if (id === undefined || ![terms.bad, terms.good, 'skip'].includes(word)) {
      this.#tell(id === undefined ? `error: couldn't get the oid of the rev '${typed}'` : `error: '${word}'?? what are you talking about?`);
      return false;
    }
    this.#write(word, id, terms, true, typed);
    return true;
  }

  #known(): Known {
    const { refs } = this.#repository;
    const { bad, good } = this.terms;
    const known = { bad: undefined as ObjectId | undefined, good: [] as ObjectId[], skipped: [] as ObjectId[] };
    for (const { name, id } of refs.list('refs/bisect/')) {
      const short = name.slice('refs/bisect/'.length);
      if (short === bad) known.bad = id;
      else if (short.startsWith(`${good}-`)) known.good.push(id);
      else if (short.startsWith('skip-')) known.skipped.push(id);
    }
    return known;
  }

  /** The next commit, when enough is known; else what is missing is told. */
  goOn(): Outcome {
    const { bad, good } = this.#known();
    if (bad !== undefined && good.length > 0) return this.next();
    let status = 'waiting for both good and bad commits';
    if (good.length > 0) status = `waiting for bad commit, ${good.length} good commit${good.length === 1 ? '' : 's'} known`;
    else if (bad !== undefined) status = 'waiting for good commit(s), bad commit known';
    this.#say(`status: ${status}\n`);
    this.#record(`# status: ${status}\n`);
    return 'next';
  }

  /** True when a bad and a good commit are known; otherwise says so. `mayLackGood`: the bad one alone is enough. */
  isReady(mayLackGood: boolean): boolean {
    const { bad, good } = this.#known();
    if (bad !== undefined && good.length > 0) return true;
    const { terms } = this;
    if (mayLackGood && bad !== undefined) {
      this.#tell(`warning: bisecting only with a ${terms.bad} commit`);
      return true;
    }
    this.#tell(this.isUnderWay ? `error: you need to give me at least one ${terms.bad} and ${terms.good} revision` : 'error: you need to start by "cairn bisect start"');
    return false;
  }

  /** Finds the commit to be tested and goes there, or tells which it is. */
  next(): Outcome {
    const known = this.#known();
    const bad = known.bad;
    if (bad === undefined) return 'failed';
    const checked = this.#checkAncestry(bad, known);
    if (checked !== undefined) return checked;
    const { terms } = this;
    const walk = this.#walk([{ id: bad }, ...known.good.map((id) => ({ id, isExcluded: true }))], true);
    const found = walk.bisect({ all: known.skipped.length > 0 });
    const { commits, tried } = passOver((found?.commits ?? []).map((number) => walk.history.nodeOf(number).id), known.skipped, bad);
    const [best] = commits;
    if (best === undefined) {
      if (tried.length > 0) return this.#onlySkipped(tried, undefined);
      this.#say(`${bad} was both ${terms.good} and ${terms.bad}\n`);
      return 'failed';
    }
    const total = found!.total;
    if (total === 0) {
      this.#tell('No testable commit found.\nMaybe you started with bad path arguments?');
      return 'no-commit';
    }
    if (best === bad) {
      if (tried.length > 0) return this.#onlySkipped(tried, bad);
      this.#say(`${bad} is the first ${terms.bad} commit\n`);
      this.#showCommit(bad);
      this.#record(`# first ${terms.bad} commit: ${this.#titleOf(bad)}\n`);
      return 'found';
    }
    const left = total - found!.reaches - 1;
    const steps = estimateSteps(total);
    this.#say(`Bisecting: ${left} revision${left === 1 ? '' : 's'} left to test after this (roughly ${steps} step${steps === 1 ? '' : 's'})\n`);
    return this.#visit(best);
  }

  #walk(tips: readonly Tip[], byPaths: boolean): RevWalk {
    const repository = this.#repository;
    const words = byPaths ? this.paths : [];
    return new RevWalk(repository, tips, {
      limited: true, firstParent: fs.existsSync(this.#path('BISECT_FIRST_PARENT')),
      ...(words.length === 0 ? {} : { pathspec: Pathspec.parse(words, pathspecContext(repository)) }),
    });
  }

  #onlySkipped(tried: readonly ObjectId[], bad: ObjectId | undefined): Outcome {
    const { terms } = this;
    this.#say(`There are only 'skip'ped commits left to test.\nThe first ${terms.bad} commit could be any of:\n${[...tried, ...(bad === undefined ? [] : [bad])].map((id) => `${id}\n`).join('')}`
      + 'We cannot bisect more!\n');
    const known = this.#known();
    const walk = this.#walk([{ id: known.bad! }, ...known.good.map((id) => ({ id, isExcluded: true }))], false);
    this.#record(`# only skipped commits left to test\n${[...walk].map(({ id }) => `# possible first ${terms.bad} commit: ${this.#titleOf(id)}\n`).join('')}`);
    return 'only-skipped';
  }

  /** When good commits do not lead to the bad one, what they have in common is tested first; undefined when all is well. */
  #checkAncestry(bad: ObjectId, { good, skipped }: Known): Outcome | undefined {
    const repository = this.#repository;
    const marker = this.#path('BISECT_ANCESTORS_OK');
    if (fs.existsSync(marker) || good.length === 0) return undefined;
    const beyond = new RevWalk(repository, [...good.map((id) => ({ id })), { id: bad, isExcluded: true }], { limited: true });
    if (beyond[Symbol.iterator]().next().done !== true) {
      for (const base of mergeBases(repository, bad, good)) {
        if (base === bad) return this.#badMergeBase(bad);
        if (good.includes(base)) continue;
        if (skipped.includes(base)) {
          this.#tell(`warning: the merge base ${base} must be skipped, so it is not known whether the first ${this.terms.bad} commit is between it and ${bad}`);
          continue;
        }
        this.#say('Bisecting: a merge base must be tested\n');
        const outcome = this.#visit(base);
        return outcome === 'next' ? 'merge-base' : outcome;
      }
    }
    replaceFile(marker, '');
    return undefined;
  }

  #badMergeBase(bad: ObjectId): Outcome {
    const { terms } = this;
    if (this.#findFile('BISECT_EXPECTED_REV')?.trim() === bad) {
      this.#tell(`The merge base ${bad} is ${terms.bad}.\nThis means the first '${terms.good}' commit is between ${bad} and what was said to be ${terms.good}.`);
      return 'bad-merge-base';
    }
    this.#tell(`Some ${terms.good} revs are not ancestors of the ${terms.bad} rev.\ncairn bisect cannot work properly in this case.\nMaybe you mistook ${terms.good} and ${terms.bad} revs?`);
    return 'failed';
  }

  /** Goes to the commit that is to be tested. */
  #visit(id: ObjectId): Outcome {
    const repository = this.#repository;
    updateRef(repository, { name: 'BISECT_EXPECTED_REV', target: { id }, noDeref: true });
    if (repository.refs.find('BISECT_HEAD') !== undefined) updateRef(repository, { name: 'BISECT_HEAD', target: { id }, noDeref: true });
    else if (!this.#checkout(id, true)) return 'failed';
    this.#say(`${this.#titleOf(id)}\n`);
    return 'next';
  }

  /** False, and said why, when local changes are in the way. */
  #checkout(name: string, quiet: boolean): boolean {
    const repository = this.#repository;
    const destination = isObjectId(name, repository.format) ? { kind: 'detached' as const, id: name, name } : findDestination(repository, name, { detach: false, ignoresOthers: true });
    if (destination === undefined) return false;
    try {
      switchTo(repository, { destination, changes: 'keep', quiet });
      return true;
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      this.#tell(`error: ${error.message}`);
      return false;
    }
  }

  /** Goes to a commit that is not to be judged, and says so. */
  checkOut(id: ObjectId): void {
    if (this.#repository.refs.find('BISECT_HEAD') !== undefined) updateRef(this.#repository, { name: 'BISECT_HEAD', target: { id }, noDeref: true });
    else this.#checkout(id, true);
    this.#say(`${this.#titleOf(id)}\n`);
  }

  /** The paths the search is limited to, as typed. */
  get paths(): string[] {
    return splitQuoted(this.#findFile('BISECT_NAMES') ?? '').filter((word, at) => at > 0 || word !== '--');
  }

  /** Goes back to where it began, or to `commit`, and forgets everything. */
  reset(commit: string | undefined): boolean {
    const repository = this.#repository;
    let target = commit;
    if (target === undefined) {
      target = this.#findFile('BISECT_START')?.trim();
      if (!target) {
        this.#say('We are not bisecting.\n');
        return true;
      }
    } else {
      const found = findNamed(repository, target);
      if (found === undefined || peel(repository, found.id, 'commit') === undefined) {
        this.#tell(`error: '${target}' is not a valid commit`);
        return false;
      }
    }
    if (repository.refs.find('BISECT_HEAD') === undefined && !this.#checkout(target, false)) {
      this.#tell(`error: could not check out original HEAD '${target}'. Try 'cairn bisect reset <commit>'.`);
      return false;
    }
    this.clean();
    return true;
  }

  /** Forgets everything. */
  clean(): void {
    const repository = this.#repository;
    using transaction = new RefTransaction(repository);
    for (const { name } of repository.refs.list('refs/bisect/')) transaction.add({ name, target: 'delete', noDeref: true, message: 'bisect: remove' });
    if (repository.refs.find('BISECT_HEAD') !== undefined) transaction.add({ name: 'BISECT_HEAD', target: 'delete', noDeref: true, message: 'bisect: remove' });
    transaction.commit();
    for (const name of stateFiles) removeIfPresent(this.#path(name));
    disk().fsyncDirectory(repository.gitDirectory);
  }

  /** The words of a log's line 'git bisect start ...'. */
  static splitLog(text: string): string[] {
    return splitQuoted(text);
  }

  /** The commit a word names; undefined when it names none. */
  findCommit(word: string): ObjectId | undefined {
    const found = findNamed(this.#repository, word, 'committish');
    return found === undefined ? undefined : peel(this.#repository, found.id, 'commit');
  }

  /** Commits to be skipped: ranges become all that is in them. */
  expandSkipped(words: readonly string[], listRange: (word: string) => readonly ObjectId[]): string[] {
    return words.flatMap((word): readonly string[] => (word.includes('..') ? listRange(word) : [word]));
  }

  /** Keeps what the last step of a run printed, as git does. */
  keepRunOutput(text: Buffer): void {
    replaceFile(this.#path('BISECT_RUN'), text);
  }

  /** Exit code of an outcome. */
  static exitCode(outcome: Outcome): number {
    return { next: 0, found: 0, 'merge-base': 0, failed: 1, 'only-skipped': 2, 'bad-merge-base': 3, 'no-commit': 4 }[outcome];
  }
}

/** Words quoted for a shell, as git writes them. */
function splitQuoted(text: string): string[] {
  const words: string[] = [];
  for (const [word] of text.matchAll(/(?:'[^']*'|\\.|[^\s'\\])+/g)) words.push(word.replace(/'([^']*)'|\\(.)/g, '$1$2'));
  return words.map((word) => Buffer.from(word, 'latin1').toString());
}

/** Without the commits that cannot be tested; when the best one is such, another is taken from far away, as git chooses it. */
function passOver(list: readonly ObjectId[], skipped: readonly ObjectId[], bad: ObjectId): { commits: ObjectId[]; tried: ObjectId[] } {
  if (skipped.length === 0) return { commits: [...list], tried: [] };
  const isSkipped = new Set(skipped);
  if (list[0] === undefined || !isSkipped.has(list[0])) return { commits: [...list], tried: [] };
  const tried = list.filter((id) => isSkipped.has(id));
  const commits = list.filter((id) => !isSkipped.has(id));
  if (commits.length === 0) return { commits, tried };
  const random = (((Math.imul(commits.length, 1103515245) + 12345) >>> 0) >>> 16) % 32768;
  const index = Math.trunc((Math.trunc((commits.length * random) / 32768) * roughRoot(random)) / roughRoot(32768));
  const at = commits[index] === undefined ? 0 : commits[index] === bad ? Math.max(index - 1, 0) : index;
  return { commits: commits.slice(at), tried };
}

function roughRoot(value: number): number {
  if (value === 0) return 0;
  let x = Math.fround(value);
  for (;;) {
    const y = Math.fround(Math.fround(x + Math.fround(value / x)) / 2);
    const distance = Math.abs(y - x);
    x = y;
    if (distance < 0.5) return Math.trunc(x);
  }
}

/** Reads a log that is to be replayed; NotFoundError when there is none. */
export function readReplay(path: string, shown: string): string[] {
  try {
    return fs.readFileSync(path, 'latin1').split('\n');
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR', 'EISDIR')) throw new NotFoundError(`cannot read file '${shown}' for replaying`, { code: 'no-file', cause: error });
    throw error;
  }
}
