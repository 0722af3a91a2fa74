// cairn bisect: finds the commit that brought a change in, by testing commits in the middle.
import { resolve } from 'node:path';
import { InvalidError, UsageError } from '../../pack/errors.js';
import { lazyModule } from '../../pack/lazy-module.js';
import type { ObjectId } from '../../pack/oid.js';
import { type Command, type Context, parseArguments } from '../../plumbing/command.js';
import { diffOptions } from '../../plumbing/diff/diff-options.js';
import { RevisionSet } from '../../plumbing/history/revision-set.js';
import { RevWalk } from '../../plumbing/history/walk.js';
import { walkOptions } from '../../plumbing/history/walk-options.js';
import { childEnvironment } from '../../plumbing/hooks.js';
import { shellQuote } from '../../plumbing/quote.js';
import { Repository } from '../../plumbing/repository.js';
import { Bisecting, type Outcome, type Terms, readReplay } from '../bisecting.js';
import { HistoryView, findMailmap, viewOptions } from '../history-view.js';

const childProcess = lazyModule<typeof import('node:child_process')>('node:child_process');

const usage = [
  'bisect start [--term-(bad|new)=<term> --term-(good|old)=<term>] [--no-checkout] [--first-parent] [<bad> [<good>...]] [--] [<path>...]',
  'bisect (bad|new|<term>) [<commit>]',
  'bisect (good|old|<term>) [<commit>...]',
  'bisect terms [--term-good | --term-bad]',
  'bisect skip [(<commit>|<range>)...]',
  'bisect next',
  'bisect reset [<commit>]',
  'bisect (visualize|view) [<log options>]',
  'bisect replay <file>',
  'bisect log',
  'bisect run <command>...',
];

export const command: Command = {
  name: 'bisect',
  family: 'git',
  summary: 'find the commit that brought a change in, by testing commits in the middle',
  usage,
  options: [
    { name: 'term-bad', value: 'term', help: 'with start: the word for commits after the change' },
    { name: 'term-new', value: 'term', help: 'same as --term-bad' },
    { name: 'term-good', value: 'term', help: 'with start: the word for commits before the change' },
    { name: 'term-old', value: 'term', help: 'same as --term-good' },
    { name: 'no-checkout', help: 'with start: leave the work tree alone and move BISECT_HEAD' },
    { name: 'first-parent', help: 'with start: follow only the first parents of merges' },
  ],
  rawArguments: true,
  run(context, { argv }) {
    const repository = Repository.open(context);
    if (repository.prefix !== '') {
      context.stderr.write('fatal: you need to run this command from the toplevel of the working tree\n');
      return 1;
    }
    return new BisectCommand(context, repository).run(argv);
  },
};

class BisectCommand {
  readonly #context: Context;
  readonly #repository: Repository;
  readonly #bisecting: Bisecting;

  constructor(context: Context, repository: Repository) {
    this.#context = context;
    this.#repository = repository;
    this.#bisecting = new Bisecting(repository, (id) => { showFound(context, repository, id); });
  }

  run([verb, ...words]: readonly string[]): number {
    const bisecting = this.#bisecting;
    const { bad, good } = bisecting.terms;
    switch (verb) {
      case 'start': return this.#start(words);
      case 'skip': return Bisecting.exitCode(bisecting.judge('skip', bisecting.expandSkipped(words, (range) => this.#listRange(range))));
      case 'next': return this.#next(words);
      case 'reset':
        if (words.length > 1) return this.#fail('--bisect-reset requires either no argument or a commit');
        return bisecting.reset(words[0]) ? 0 : 1;
      case 'terms': return this.#terms(words);
      case 'log': {
        const log = bisecting.log;
        if (log === undefined) return this.#fail('We are not bisecting.');
        this.#context.stdout.write(Buffer.from(log, 'latin1'));
        return 0;
      }
      case 'replay': return this.#replay(words);
      case 'run': return this.#runCommand(words);
      case 'visualize': case 'view': return this.#visualize(words);
      default:
    }
    if (verb !== undefined && ['bad', 'good', 'new', 'old', bad, good].includes(verb)) return Bisecting.exitCode(bisecting.judge(verb, words));
    if (verb !== undefined) throw new UsageError(`unknown subcommand: '${verb}'`);
    this.#context.stderr.write(`usage: cairn ${usage.join('\n   or: cairn ')}\n`);
    return 1;
  }

  #fail(text: string): number {
    this.#context.stderr.write(`error: ${text}\n`);
    return 1;
  }

  #start(words: readonly string[]): number {
    const bisecting = this.#bisecting;
    const hasDashes = words.includes('--');
    const commits: ObjectId[] = [];
    let [noCheckout, firstParent] = [this.#repository.isBare, false];
    const terms: { bad?: string; good?: string } = {};
    let at = 0;
    for (; at < words.length && words[at] !== '--'; at += 1) {
      const word = words[at]!;
      const term = /^--term-(good|old|bad|new)(?:=(.*))?$/s.exec(word);
      if (word === '--no-checkout') noCheckout = true;
      else if (word === '--first-parent') firstParent = true;
      else if (term !== null) {
        const value = term[2] ?? words[at += 1];
        if (value === undefined) return this.#fail(`'' is not a valid term`);
        terms[term[1] === 'good' || term[1] === 'old' ? 'good' : 'bad'] = value;
      } else if (word.startsWith('--')) return this.#fail(`unrecognized option: '${word}'`);
      else {
        const commit = bisecting.findCommit(word);
        if (commit !== undefined) commits.push(commit);
        else if (hasDashes) throw new InvalidError(`'${word}' does not appear to be a valid revision`, { code: 'bad-revision' });
        else break;
      }
    }
    const isNamed = terms.bad !== undefined || terms.good !== undefined;
    const chosen: Terms | undefined = isNamed ? { bad: terms.bad ?? 'bad', good: terms.good ?? 'good' } : undefined;
    try {
      if (chosen !== undefined) bisecting.checkTerms(chosen);
      return Bisecting.exitCode(bisecting.start({ commits, terms: chosen, noCheckout, firstParent, paths: words.slice(at), words }));
    } catch (error) {
      if (!(error instanceof InvalidError)) throw error;
      return this.#fail(error.message);
    }
  }

  #next(words: readonly string[]): number {
    const bisecting = this.#bisecting;
    if (words.length > 0) return this.#fail('bisect next requires 0 arguments');
    if (!bisecting.isUnderWay) return this.#fail('you need to start by "cairn bisect start"');
    return bisecting.isReady(true) ? Bisecting.exitCode(bisecting.next()) : 1;
  }

  #listRange(range: string): ObjectId[] {
    const set = new RevisionSet(this.#repository);
    if (!set.add(range)) throw new InvalidError(`bad revision '${range}'`, { code: 'bad-revision' });
    return [...new RevWalk(this.#repository, set.commits, { limited: true })].map(({ id }) => id);
  }

  #terms(words: readonly string[]): number {
    const chosen = this.#bisecting.chosenTerms;
    if (words.length > 1) return this.#fail('bisect terms requires 0 or 1 argument');
    if (chosen === undefined) return this.#fail('no terms defined');
    const [word] = words;
    if (word === undefined) this.#context.stdout.write(`Your current terms are ${chosen.good} for the old state\nand ${chosen.bad} for the new state.\n`);
    else if (word === '--term-good' || word === '--term-old') this.#context.stdout.write(`${chosen.good}\n`);
    else if (word === '--term-bad' || word === '--term-new') this.#context.stdout.write(`${chosen.bad}\n`);
    else return this.#fail(`invalid argument ${word} for 'git bisect terms'`);
    return 0;
  }

  #replay(words: readonly string[]): number {
    const [file] = words;
    if (file === undefined || words.length > 1) return this.#fail('no logfile given');
    const bisecting = this.#bisecting;
    let lines: string[];
    try {
      lines = readReplay(resolve(this.#context.cwd, file), file);
    } catch (error) {
      if (!(error instanceof Error) || !('code' in error) || error.code !== 'no-file') throw error;
      return this.#fail(error.message);
    }
    if (!bisecting.reset(undefined)) return 1;
    for (const line of lines) {
      const found = /^[ \t]*git[ -]bisect[ \t]+(\S+)[ \t]*(.*)$/.exec(line);
      if (found === null) continue;
      const [, word, rest] = found as unknown as [string, string, string];
      if (word === 'start') {
        if (this.#start(Bisecting.splitLog(rest)) !== 0) return 1;
      } else if (word === 'terms') {
        if (this.#terms(rest === '' ? [] : [rest]) !== 0) return 1;
      } else if (!bisecting.replay(word, rest)) return 1;
    }
    return Bisecting.exitCode(bisecting.goOn());
  }

  /** Tests one commit after another by a program. */
  #runCommand(words: readonly string[]): number {
    const bisecting = this.#bisecting;
    if (!bisecting.isReady(false)) return 1;
    if (words.length === 0) return this.#fail('bisect run failed: no command provided.');
    const line = words.map((word) => ` ${shellQuote(word)}`).join('');
    for (let isFirst = true; ; isFirst = false) {
      this.#context.stdout.write(`running ${line}\n`);
      const code = this.#try(line);
      if (isFirst && (code === 126 || code === 127)) {
        const known = this.#tryGood(line);
        if (known === code) return this.#fail(`bogus exit code ${known} for good revision`);
      }
      if (code < 0 || code >= 128) {
        this.#fail(`bisect run failed: exit code ${code} from '${line}' is < 0 or >= 128`);
        // As git has it: the code below zero.
        return (256 - code) % 256;
      }
      const { bad, good } = bisecting.terms;
      const word = code === 125 ? 'skip' : code === 0 ? good : bad;
      const outcome = this.#judge(word);
      if (outcome === 'next') continue;
      if (outcome === 'only-skipped') this.#fail('bisect run cannot continue any more');
      else if (outcome === 'merge-base') this.#context.stdout.write('bisect run success\n');
      else if (outcome === 'found') this.#context.stdout.write('bisect found first bad commit');
      else this.#fail(`bisect run failed: 'git bisect ${word}' exited with error code ${Bisecting.exitCode(outcome)}`);
      return Bisecting.exitCode(outcome);
    }
  }

  /** What a verdict prints is kept in a file, as git does. */
  #judge(word: string): Outcome {
    const pieces: Buffer[] = [];
    const { stdout } = this.#context;
    const captured = { ...this.#context, stdout: { isTerminal: false, columns: stdout.columns, write: (data: string | Uint8Array) => { pieces.push(Buffer.from(data as Uint8Array)); }, flush: () => { /* kept */ } } };
    const repository = Repository.open(captured);
    const inner = new Bisecting(repository, (id) => { showFound(captured, repository, id); });
    const outcome = inner.judge(word, []);
    const text = Buffer.concat(pieces);
    this.#bisecting.keepRunOutput(text);
    stdout.write(text);
    return outcome;
  }

  #try(line: string): number {
    const { stdout, stderr, cwd } = this.#context;
    stdout.flush();
    const result = childProcess().spawnSync('sh', ['-c', line], { cwd, env: childEnvironment(this.#repository), stdio: ['inherit', 'pipe', 'pipe'], maxBuffer: 1 << 30 });
    stdout.write(result.stdout ?? Buffer.alloc(0));
    stderr.write(result.stderr ?? Buffer.alloc(0));
    return result.status ?? 128;
  }

  /** How the program ends on a good commit: where it cannot even be started, nothing can be learnt. */
  #tryGood(line: string): number {
    const { good } = this.#bisecting.terms;
    const { refs } = this.#repository;
    const known = [...refs.list('refs/bisect/')].find(({ name }) => name.startsWith(`refs/bisect/${good}-`));
    const current = refs.find('BISECT_HEAD')?.id ?? refs.find('HEAD')?.id;
    if (known === undefined || current === undefined) return -1;
    this.#bisecting.checkOut(known.id);
    this.#context.stdout.write(`running ${line}\n`);
    const code = this.#try(line);
    this.#bisecting.checkOut(current);
    return code;
  }

  #visualize(words: readonly string[]): number {
    if (!this.#bisecting.isReady(false)) return 1;
    const { program } = this.#context.process;
    if (program === undefined) throw new UsageError('bisect visualize starts cairn log, and it is not known how to start it');
    const [node, ...script] = program;
    const names = this.#bisecting.paths;
    this.#context.stdout.flush();
    const result = childProcess().spawnSync(node!, [...script, 'log', ...(words.length === 0 ? ['--oneline'] : words), '--bisect', '--', ...names], {
      cwd: this.#context.cwd, env: this.#context.env as NodeJS.ProcessEnv, stdio: 'inherit',
    });
    return result.status ?? 1;
  }
}

/** Shows the commit and how much it changed. */
function showFound(context: Context, repository: Repository, id: ObjectId): void {
  const taken = new Set([...walkOptions, ...viewOptions].map(({ name }) => name));
  const options = [...walkOptions, ...viewOptions, ...diffOptions.filter(({ name }) => !taken.has(name) && name !== 'exit-code')];
  const args = parseArguments({ options }, ['--pretty=medium', '--no-decorate', '--no-notes', '--stat', '--summary', '--cc']);
  const mailmap = findMailmap(repository, args);
  const walk = new RevWalk(repository, [{ id }], { noWalk: 'sorted', keep: 'contents' });
  const view = new HistoryView(context, repository, args, { showsPatches: true, denseMerges: true, paths: [], walk, mailmap });
  for (const node of walk) view.show(node);
  view.flush();
}
