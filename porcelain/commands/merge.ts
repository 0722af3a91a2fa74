// cairn merge: bring another branch's changes into the current one. The work is done in ../merging.ts.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { NotFoundError, UsageError } from '../../pack/errors.js';
import type { ObjectId } from '../../pack/oid.js';
import { type Arguments, type Command, type Context, parseArguments } from '../../plumbing/command.js';
import { DiffRequest, diffOptions } from '../../plumbing/diff/diff-options.js';
import { DiffOutput } from '../../plumbing/diff/diff-report.js';
import { diffTrees } from '../../plumbing/diff/diff.js';
import { authorIdent } from '../../plumbing/identity.js';
import { readLogLength, usualLogLength } from '../../plumbing/merge/merge-message.js';
import { clearMergeState } from '../../plumbing/merge/merge-state.js';
import { parseStrategyOptions } from '../../plumbing/merge/strategy-option.js';
import { Repository } from '../../plumbing/repository.js';
import { findCommitSigner, signingOption } from '../../plumbing/signature/signing-option.js';
import { findUpstream } from '../../plumbing/refs/upstream.js';
import { makeCommit } from '../commit.js';
import { formatSummary, measureCommit } from '../commit-summary.js';
import { expandDash } from '../destination.js';
import { type MergeOutcome, type MergeRequest, mergeInto, requireMergeUnderWay } from '../merging.js';
import { resetTo } from '../switching.js';

export const command: Command = {
  name: 'merge',
  family: 'cairn',
  summary: 'bring another branch into the current one',
  usage: [
    'merge [--no-ff | --ff-only] [--squash] [--no-commit] [-m <message>] [-s <strategy>] [-X <option>]\n            [<options>] [<commit>...]',
    'merge (--abort | --quit | --continue)',
  ],
  options: [
    { name: 'ff', negatable: true, help: 'only go forward where that is enough (the default); --no-ff: always make a commit' },
    { name: 'ff-only', help: 'refuse unless going forward is enough' },
    { name: 'squash', negatable: true, help: 'bring the changes, but make no commit' },
    { name: 'commit', negatable: true, help: 'commit the merge (the default), or leave that to you' },
    { name: 'message', short: 'm', value: 'message', help: 'the message; several become paragraphs' },
    { name: 'file', short: 'F', value: 'file', help: 'read the message from a file' },
    { name: 'edit', short: 'e', negatable: true, help: 'edit the message' },
    { name: 'log', value: 'n', valueOptional: true, negatable: true, help: 'list so many subjects in the message (20)' },
    { name: 'into-name', value: 'branch', help: 'the name of what is merged into, for the message' },
    { name: 'strategy', short: 's', value: 'strategy', help: 'ort, octopus (for several), or ours: take nothing but the history' },
    { name: 'strategy-option', short: 'X', value: 'option', help: 'how to merge: ours, theirs, ignore-space-change, no-renames, patience, ...' },
    { name: 'allow-unrelated-histories', negatable: true, help: 'merge what has nothing in common' },
    { name: 'stat', negatable: true, help: 'tell at the end which files changed (the default)' },
    { name: 'n', help: 'the same as --no-stat' },
    signingOption,
    { name: 'verify', negatable: true, help: 'run the hooks pre-merge-commit and commit-msg (the default)' },
    { name: 'quiet', short: 'q', negatable: true, help: 'say nothing but errors' },
    { name: 'abort', help: 'give up an unfinished merge' },
    { name: 'quit', help: 'forget an unfinished merge, leaving files and index' },
    { name: 'continue', help: 'commit an unfinished merge that is resolved' },
    { name: 'json', help: 'print the result as JSON' },
  ],
  run(context, args) {
    const repository = Repository.open(context);
    repository.requireWorkTree();
    const control = ['abort', 'quit', 'continue'].filter((name) => args.has(name));
    if (control.length > 0) {
      if (args.argv.length > 1) throw new UsageError(`--${control[0]} expects no arguments`);
      requireMergeUnderWay(repository);
      return finish(repository, control[0]!);
    }
    const request = readRequest(context, repository, args);
    const { stdout } = context;
    const isQuiet = args.has('quiet') || args.has('json');
    const short = (id: ObjectId): string => repository.objects.abbreviate(id, 7);
    const outcome = mergeInto(repository, request, (from, to) => {
      if (!isQuiet) stdout.write(`Updating ${short(from)}..${short(to)}\n`);
    });
    if (args.has('json')) stdout.write(`${JSON.stringify(describe(outcome))}\n`);
    else report(context, repository, outcome, request, isQuiet, args);
    if (outcome.kind === 'failed') return 2;
    return outcome.kind === 'conflicts' || outcome.kind === 'refused' ? 1 : 0;
  },
};

function finish(repository: Repository, how: string): number {
  if (how === 'abort') {
    resetTo(repository, repository.refs.find('HEAD')!.id, 'merge', 'HEAD');
    return 0;
  }
  if (how === 'quit') {
    clearMergeState(repository);
    return 0;
  }
  const sign = findCommitSigner(repository);
  const outcome = makeCommit(repository, {
    ...(sign === undefined ? {} : { sign }),
    content: { kind: 'index' }, message: { signOff: false, trailers: [], allowEmpty: false }, amend: false, allowEmpty: false, verify: true, postRewrite: false,
    author: () => authorIdent(repository),
  });
  if (outcome.kind === 'stopped' && outcome.reason !== undefined) repository.context.stderr.write(`${outcome.reason}\n`);
  if (outcome.kind !== 'made') return 1;
  const size = measureCommit(repository, outcome.commit.tree, outcome.commit.parents[0]);
  repository.context.stdout.write(Buffer.from(formatSummary(repository, outcome, size, false), 'latin1'));
  return 0;
}

function readRequest(context: Context, repository: Repository, args: Arguments): MergeRequest {
  const words = args.positionals;
  const strategy = args.values('strategy').at(-1) ?? (words.length > 1 ? 'octopus' : 'ort');
  if (!['ort', 'ours', 'recursive', 'octopus'].includes(strategy)) throw new UsageError(`strategy '${strategy}' is not supported`);
  if (strategy === 'octopus' && words.length < 2) throw new UsageError('the strategy octopus is for several branches');
  const squash = args.has('squash');
  const forward = forwardOf(repository, args);
  if (squash && forward === 'never' && args.flag('ff') === false) throw new UsageError('--squash and --no-ff do not go together');
  if (squash && args.flag('commit') === true) throw new UsageError('--squash and --commit do not go together');
  const log = args.flag('log') === undefined ? readLogLength(repository) : args.flag('log') === false ? 0 : Number(args.value('log') ?? usualLogLength);
  if (!Number.isInteger(log) || log < 0) throw new UsageError("option 'log' expects a numerical value");
  const sign = findCommitSigner(repository, args);
  const messages = args.values('message');
  const file = args.value('file');
  if (messages.length > 0 && file !== undefined) throw new UsageError('-m and -F do not go together');
  return {
    names: words.length === 0 ? [upstreamOf(repository)] : words.map(expandDash),
    forward: squash && forward === 'never' ? 'allow' : forward, strategy: strategy === 'recursive' ? 'ort' : strategy as MergeRequest['strategy'],
    tuning: parseStrategyOptions(args.values('strategy-option')), squash, commits: args.flag('commit') !== false, allowsUnrelated: args.has('allow-unrelated-histories'),
    message: file !== undefined ? readFileSync(resolve(context.cwd, file), 'latin1') : messages.length === 0 ? undefined
      : Buffer.from(messages.join('\n\n')).toString('latin1'),
    log, into: args.value('into-name'), edits: args.flag('edit') ?? editsUnasked(context, messages.length > 0 || file !== undefined),
    verify: args.flag('verify') !== false, ...(sign === undefined ? {} : { sign }),
  };
}

/** A person at a terminal who gave no message is asked for one. */
function editsUnasked({ env, stdin, stdout }: Context, isGiven: boolean): boolean {
  const auto = env['GIT_MERGE_AUTOEDIT'];
  if (auto !== undefined) return !/^(?:no|false|off|0|)$/i.test(auto) && !isGiven;
  return !isGiven && stdin.isTerminal && stdout.isTerminal;
}

function forwardOf(repository: Repository, args: Arguments): MergeRequest['forward'] {
  for (const token of args.tokens.toReversed()) {
    if (token.kind !== 'option') continue;
    if (token.name === 'ff-only') return 'only';
    if (token.name === 'ff') return token.negated ? 'never' : 'allow';
  }
  const configured = repository.config.get('merge.ff');
  if (configured === 'only') return 'only';
  return repository.config.getBoolean('merge.ff') === false ? 'never' : 'allow';
}

function upstreamOf(repository: Repository): string {
  const branch = repository.refs.headBranch();
  if (branch === undefined) throw new NotFoundError('no branch is checked out, so there is none it follows', { code: 'detached-head', hint: 'name what to merge' });
  return findUpstream(repository, branch);
}

function describe(outcome: MergeOutcome): object {
  return 'to' in outcome ? { result: outcome.kind, from: outcome.from ?? null, to: outcome.to, messages: outcome.messages } : { result: outcome.kind };
}

function report(context: Context, repository: Repository, outcome: MergeOutcome, request: MergeRequest, isQuiet: boolean, args: Arguments): void {
  const { stdout, stderr } = context;
  const say = (text: string): void => { if (!isQuiet) stdout.write(Buffer.from(`${text}\n`, 'latin1')); };
  if (outcome.kind === 'failed') {
    stdout.write(Buffer.from(outcome.messages.map((message) => `${message}\n`).join(''), 'latin1'));
    stderr.write(Buffer.from(`error: ${outcome.reason}\n`, 'latin1'));
    return;
  }
  if (outcome.kind === 'up-to-date') return say(`Already up to date.${request.squash ? ' (nothing to squash)' : ''}`);
  // As git: what the merge itself has to say is said even when it is to be quiet.
  stdout.write(Buffer.from(outcome.messages.map((message) => `${message}\n`).join(''), 'latin1'));
  const showsStat = !isQuiet && args.flag('stat') !== false && !args.has('n') && repository.config.getBoolean('merge.stat') !== false;
  switch (outcome.kind) {
    case 'forward':
      if (outcome.from === undefined) return;
      say('Fast-forward');
      if (showsStat) writeStat(context, repository, outcome.from, outcome.to);
      return;
    case 'made':
      say(`Merge made by the '${outcome.strategy ?? request.strategy}' strategy.`);
      if (showsStat && outcome.from !== undefined) writeStat(context, repository, outcome.from, outcome.to);
      return;
    case 'squashed':
      if (outcome.isForward) say('Fast-forward');
      say('Squash commit -- not updating HEAD');
      if (outcome.isForward) {
        if (showsStat) writeStat(context, repository, outcome.from, outcome.to);
      } else stderr.write('Automatic merge went well; stopped before committing as requested\n');
      return;
    case 'stopped':
      stderr.write('Automatic merge went well; stopped before committing as requested\n');
      return;
    case 'conflicts':
      if (request.squash) say('Squash commit -- not updating HEAD');
      stdout.write('Automatic merge failed; fix conflicts and then commit the result.\n');
      return;
    case 'refused':
      if (outcome.reason !== undefined) stderr.write(`error: ${outcome.reason}\n`);
      stderr.write("Not committing merge; use 'cairn commit' to complete the merge.\n");
  }
}

function writeStat(context: Context, repository: Repository, from: ObjectId, to: ObjectId): void {
  const { objects } = repository;
  const request = new DiffRequest(repository, parseArguments({ options: diffOptions }, ['--stat', '--summary', '-M']), { porcelain: true, columns: context.stdout.columns });
  const output = new DiffOutput(context);
  request.write(request.finish(diffTrees(objects, objects.readCommit(from).tree, objects.readCommit(to).tree, { recursive: true })), output.sink);
  output.end();
}
