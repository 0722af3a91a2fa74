// cairn commit: record a snapshot. Options into a request, and the outcome into words; the work is done in ../commit.ts.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { NotFoundError, UsageError, isSystemError } from '../../pack/errors.js';
import type { Ident } from '../../pack/ident.js';
import type { Arguments, Command, Context } from '../../plumbing/command.js';
import { approximateDate, findExactDate, formatOffset } from '../../plumbing/date.js';
import { authorIdent } from '../../plumbing/identity.js';
import { readInput } from '../../plumbing/line-reader.js';
import { subjectOf } from '../../plumbing/message.js';
import { Repository } from '../../plumbing/repository.js';
import { findCommitSigner, signingOption } from '../../plumbing/signature/signing-option.js';
import { resolveCommit } from '../../plumbing/history/revision.js';
import { type CommitContent, type CommitOutcome, type CommitState, makeCommit, parsePerson } from '../commit.js';
import type { MessageRequest } from '../commit-message.js';
import { startGcIfNeeded } from '../gc-need.js';
import { explainUnchanged, formatSummary, measureCommit } from '../commit-summary.js';
import { choosingModes } from '../hunks/choosing-mode.js';
import { chooseHunks } from '../hunks/hunk-choosing.js';
import { formatInput, makeRunId } from '../run.js';
import { type RunMetadata, checkMetadata } from '../run-metadata.js';

export const command: Command = {
  name: 'commit',
  family: 'cairn',
  summary: 'record a snapshot of the index or of the whole work tree',
  usage: [
    'commit [-A | -a] [-m <message>] [--run <id>|auto] [--input <what>]... [--meta <file>]\n             [--amend] [--allow-empty] [-q] [--json] [<options>]',
    'commit [-i | -o] [<options>] [--] <pathspec>...',
  ],
  options: [
    { name: 'everything', short: 'A', help: 'commit the whole work tree: everything new, changed and deleted' },
    { name: 'all', short: 'a', negatable: true, help: 'commit all changed files that are tracked' },
    { name: 'patch', short: 'p', negatable: true, help: 'choose hunk by hunk what is committed beside what is in the index' },
    { name: 'include', short: 'i', help: 'commit these paths beside what is in the index' },
    { name: 'only', short: 'o', help: 'commit only these paths (what naming paths means anyway)' },
    { name: 'message', short: 'm', value: 'message', help: 'the message; several become paragraphs' },
    { name: 'file', short: 'F', value: 'file', help: "read the message from a file, '-' for standard input" },
    { name: 'reuse-message', short: 'C', value: 'commit', help: 'take message and author from this commit' },
    { name: 'reedit-message', short: 'c', value: 'commit', help: 'the same, and edit the message' },
    { name: 'fixup', value: 'commit', help: "the message 'fixup! ' and the subject of this commit" },
    { name: 'squash', value: 'commit', help: "the message 'squash! ' and the subject of this commit" },
    { name: 'template', short: 't', value: 'file', help: 'begin editing with this file' },
    { name: 'edit', short: 'e', negatable: true, help: 'edit the message, or do not' },
    { name: 'cleanup', value: 'mode', help: 'what is taken out of the message: strip, whitespace, verbatim, scissors, default' },
    { name: 'signoff', short: 's', negatable: true, help: 'add a Signed-off-by trailer' },
    { name: 'trailer', value: 'key=value', help: 'add a trailer to the message' },
    { name: 'author', value: 'author', help: "who wrote it, as 'Name <email>'" },
    { name: 'date', value: 'date', help: 'when it was written' },
    { name: 'reset-author', help: 'with --amend or -C: you wrote it, now' },
    { name: 'amend', help: 'replace the last commit' },
    { name: 'allow-empty', help: 'commit even when nothing changed' },
    { name: 'allow-empty-message', help: 'commit even without a message' },
    { name: 'no-verify', short: 'n', negatable: true, help: 'do not run the pre-commit and commit-msg hooks' },
    { name: 'no-post-rewrite', help: 'do not run the post-rewrite hook' },
    signingOption,
    { name: 'run', value: 'id', help: "record it as this run too ('auto' makes up an id)" },
    { name: 'input', value: 'what', help: 'note what it was made from: a file, or an object of the repository' },
    { name: 'meta', value: 'file', help: 'record this JSON document with the run' },
    { name: 'meta-schema', value: 'name', help: 'hold it against this schema, which cairn meta registered' },
    { name: 'quiet', short: 'q', negatable: true, help: 'print nothing but errors' },
    { name: 'json', help: 'print the result as JSON' },
  ],
  run(context, args) {
    checkOptions(args);
    const repository = Repository.open(context);
    const sign = findCommitSigner(repository, args);
    if (args.has('patch')) chooseHunks(repository, { mode: choosingModes.stage, paths: args.positionals });
    const run = args.value('run');
    const id = run === 'auto' ? makeRunId(context.clock) : run;
    const file = args.value('meta');
    const metadata = file === undefined ? undefined : checkMetadata(repository, file, args.value('meta-schema'));
    const outcome = makeCommit(repository, {
      content: contentOf(args),
      message: messageOf(repository, args, id, metadata),
      amend: args.has('amend'),
      ...(sign === undefined ? {} : { sign }),
      allowEmpty: args.has('allow-empty'),
      verify: !args.has('no-verify'),
      postRewrite: !args.has('no-post-rewrite'),
      author: (state) => decideAuthor(repository, args, state),
      ...(id === undefined ? {} : { run: id }),
      ...(metadata === undefined ? {} : { metadata }),
    });
    const code = report(repository, args, outcome, metadata);
    if (outcome.kind === 'made') startGcIfNeeded(repository);
    return code;
  },
};

function checkOptions(args: Arguments): void {
  const together = (...names: readonly string[]): void => {
    const given = names.filter((name) => args.has(name));
    if (given.length > 1) throw new UsageError(`options '--${given[0]}' and '--${given[1]}' cannot be used together`);
  };
  together('everything', 'all', 'include', 'only', 'patch');
  together('message', 'file', 'reuse-message', 'reedit-message');
  together('file', 'reuse-message', 'reedit-message', 'fixup', 'squash');
  together('reset-author', 'author');
  together('quiet', 'json');
  if (args.has('meta') && !args.has('run')) throw new UsageError("option '--meta' needs '--run'");
  if (args.has('meta-schema') && !args.has('meta')) throw new UsageError("option '--meta-schema' needs '--meta'");
  const paths = args.positionals.length > 0;
  if (paths && (args.has('all') || args.has('everything'))) {
    throw new UsageError(`paths '${args.positionals[0]} ...' with ${args.has('all') ? '-a' : '-A'} do not make sense`);
  }
  if (!paths && (args.has('include') || (args.has('only') && !args.has('amend')))) {
    throw new UsageError('no paths with --include/--only does not make sense');
  }
  if (args.has('reset-author') && !args.has('amend') && !args.has('reuse-message') && !args.has('reedit-message')) {
    throw new UsageError('--reset-author can be used only with -C, -c or --amend');
  }
}

function contentOf(args: Arguments): CommitContent {
  if (args.has('patch')) return { kind: 'index' };
  const paths = args.positionals;
  if (args.has('everything')) return { kind: 'everything' };
  if (args.has('all')) return { kind: 'tracked' };
  if (args.has('include')) return { kind: 'include', paths };
  return paths.length > 0 || args.has('only') ? { kind: 'only', paths } : { kind: 'index' };
}

function messageOf(repository: Repository, args: Arguments, run: string | undefined, metadata: RunMetadata | undefined): MessageRequest {
  const given = givenMessage(repository, args);
  const template = args.value('template');
  const edit = args.flag('edit') ?? (args.has('reedit-message') || (args.has('squash') && !args.has('message')) ? true : undefined);
  const cleanup = args.value('cleanup');
  return {
    ...(given === undefined ? {} : { given }),
    ...(template === undefined ? {} : { template }),
    ...(edit === undefined ? {} : { edit }),
    ...(cleanup === undefined ? {} : { cleanup }),
    signOff: args.has('signoff'),
    trailers: [
      ...args.values('trailer'),
      ...(run === undefined ? [] : [`Run: ${run}`]),
      ...args.values('input').map((what) => `Input: ${formatInput(repository, what)}`),
      ...(metadata === undefined ? [] : [`Meta: ${metadata.tree}`]),
    ],
    allowEmpty: args.has('allow-empty-message'),
  };
}

function givenMessage(repository: Repository, args: Arguments): MessageRequest['given'] {
  const texts = args.values('message').map((text) => (text.endsWith('\n') ? text : `${text}\n`));
  for (const kind of ['fixup', 'squash'] as const) {
    const name = args.value(kind);
    if (name === undefined) continue;
    if (kind === 'fixup' && /^(?:amend|reword):/.test(name)) throw new UsageError(`--fixup=${name} is not supported`);
    const { message } = repository.objects.readCommit(resolveCommit(repository, name));
    const subject = Buffer.from(`${kind}! ${subjectOf(message.toString('latin1'))}\n`, 'latin1');
    return { kind: 'text', bytes: Buffer.concat([subject, ...texts.flatMap((text) => [Buffer.from('\n'), Buffer.from(text)])]) };
  }
  if (args.has('message')) return { kind: 'text', bytes: Buffer.from(texts.join('\n')) };
  const file = args.value('file');
  if (file !== undefined) return { kind: 'text', bytes: readMessage(repository.context, file) };
  const name = args.value('reuse-message') ?? args.value('reedit-message');
  return name === undefined ? undefined : { kind: 'commit', id: resolveCommit(repository, name), name };
}

function readMessage(context: Context, file: string): Buffer {
  if (file === '-') return readInput(context.stdin);
  try {
    return readFileSync(resolve(context.cwd, file));
  } catch (error) {
    if (!isSystemError(error, 'ENOENT', 'EISDIR')) throw error;
    throw new NotFoundError(`could not read the message file '${file}'`, { code: 'no-file', cause: error });
  }
}

/** From the commit that is amended or reused, unless it is reset; --author and --date have the last word. */
function decideAuthor(repository: Repository, args: Arguments, { headCommit, merge }: CommitState): Ident {
  const { config, context, objects } = repository;
  const person = args.value('author');
  const given = person === undefined ? undefined : parsePerson(person);
  const reused = args.value('reuse-message') ?? args.value('reedit-message');
  let author: Ident | undefined;
  if (!args.has('reset-author')) {
    if (reused !== undefined) author = objects.readCommit(resolveCommit(repository, reused)).author;
    else if (args.has('amend')) author = headCommit?.author;
    else if (merge.cherryPickHead !== undefined) author = objects.readCommit(merge.cherryPickHead).author;
  }
  // Who is named on the command line need not be named anywhere else.
  const named = given === undefined ? {} : { GIT_AUTHOR_NAME: given.name, GIT_AUTHOR_EMAIL: given.email };
  author ??= authorIdent({ config, context: { ...context, env: { ...context.env, ...named } } });
  return { ...author, ...given, ...(args.has('date') ? parseWhen(args.value('date')!, context) : {}) };
}

function parseWhen(text: string, context: Context): Pick<Ident, 'seconds' | 'offset'> {
  const exact = findExactDate(text, context.clock);
  if (exact !== undefined) return exact;
  const { seconds, understood } = approximateDate(text, context.clock);
  if (!understood) throw new UsageError(`invalid date format: ${text}`);
  return { seconds, offset: formatOffset(context.clock.offsetMinutes(seconds * 1000)) };
}

function report(repository: Repository, args: Arguments, outcome: CommitOutcome, metadata: RunMetadata | undefined): number {
  const { stdout, stderr } = repository.context;
  if (outcome.kind === 'stopped') {
    if (outcome.reason !== undefined) stderr.write(`${outcome.reason}\n`);
    return 1;
  }
  if (outcome.kind === 'unchanged') {
    if (args.has('json')) stdout.write(`${JSON.stringify({ commit: null, reason: 'nothing to commit' })}\n`);
    else if (!args.has('quiet')) stdout.write(Buffer.from(args.has('amend') ? explainAmended : explainUnchanged(repository, outcome.index), 'latin1'));
    return 1;
  }
  for (const warning of outcome.warnings) stderr.write(`warning: ${warning}\n`);
  if (args.has('quiet')) return 0;
  const { commit, id, run, state } = outcome;
  const size = measureCommit(repository, commit.tree, commit.parents[0]);
  if (args.has('json')) {
    stdout.write(`${JSON.stringify({
      commit: id, tree: commit.tree, parents: commit.parents, branch: state.branch ?? null,
      run: run ?? null, ...(metadata === undefined ? {} : { meta: metadata.tree }), subject: Buffer.from(subjectOf(commit.message.toString('latin1')), 'latin1').toString(),
      filesChanged: size.files, insertions: size.lines?.inserted ?? null, deletions: size.lines?.deleted ?? null,
    })}\n`);
  } else {
    const isReused = ['amend', 'reuse-message', 'reedit-message', 'date'].some((name) => args.has(name)) || state.merge.cherryPickHead !== undefined;
    stdout.write(Buffer.from(formatSummary(repository, outcome, size, isReused && !args.has('reset-author')), 'latin1'));
  }
  return 0;
}

const explainAmended = 'the last commit would become empty; repeat the command with --allow-empty, or take it back with cairn update-ref HEAD HEAD^\n';
