// cairn tag: list tags, make, sign, verify and delete them. The work is done in ../tag.ts and plumbing/signature.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { type CairnError, NotFoundError, UsageError, isSystemError } from '../../pack/errors.js';
import { abbreviateId } from '../../plumbing/objects/abbreviation.js';
import type { Arguments, Command, Context } from '../../plumbing/command.js';
import { readInput } from '../../plumbing/line-reader.js';
import { parseCleanupMode } from '../../plumbing/message.js';
import { RefContext, RefFormat, RefSubject } from '../../plumbing/refs/ref-format.js';
import { type RefName, isRefName } from '../../plumbing/refs/ref-name.js';
import { Repository } from '../../plumbing/repository.js';
import { Signer } from '../../plumbing/signature/signer.js';
import { verifyObject } from '../../plumbing/signature/verification.js';
import { resolveRevision } from '../../plumbing/history/revision.js';
import { asksForListing, listingColor, listingColumns, listingOptions, printListing, selectRefs } from '../ref-listing.js';
import { type TagRequest, createTag, deleteTag } from '../tag.js';

export const command: Command = {
  name: 'tag',
  family: 'cairn',
  summary: 'list, make or delete tags',
  usage: [
    'tag [-n[<num>]] [-l] [<options>] [<pattern>...]',
    'tag [-a | -s | -u <key>] [-f] [-m <message> | -F <file>] [-e] <name> [<object>]',
    'tag -d <name>...',
    'tag -v [--format=<format>] <name>...',
  ],
  options: [
    { name: 'list', short: 'l', help: 'list those that match the patterns' },
    { name: 'n', value: 'num', valueOptional: true, help: 'list with so many lines of the message (1)' },
    { name: 'delete', short: 'd', help: 'delete tags' },
    { name: 'annotate', short: 'a', negatable: true, help: 'make a tag object, with a message' },
    { name: 'message', short: 'm', value: 'message', help: 'its message; several become paragraphs' },
    { name: 'file', short: 'F', value: 'file', negatable: true, help: "read the message from a file, '-' for standard input" },
    { name: 'edit', short: 'e', negatable: true, help: 'edit the message that was given' },
    { name: 'cleanup', value: 'mode', negatable: true, help: 'what is taken out of the message: verbatim, whitespace, strip' },
    { name: 'force', short: 'f', negatable: true, help: 'replace a tag that exists' },
    { name: 'create-reflog', negatable: true, help: 'keep a log of the tag' },
    { name: 'sign', short: 's', negatable: true, help: 'make a tag object and sign it, with the configured key' },
    { name: 'local-user', short: 'u', value: 'key', help: 'sign it with this key' },
    { name: 'verify', short: 'v', help: 'check the signatures of tags' },
    ...listingOptions,
    { name: 'json', help: 'list as JSON' },
  ],
  run(context, args) {
    const repository = Repository.open(context);
    const words = args.positionals;
    const modes = ['delete', 'list', 'verify'].filter((name) => args.has(name));
    if (modes.length > 1) throw new UsageError(`--${modes[0]!} and --${modes[1]!} do not go together`);
    if (args.has('verify')) return verify(context, repository, args);
    const isListing = args.has('list') || (!args.has('delete') && (words.length === 0 || asksForListing(args) || args.flag('n') === true));
    const makes = ['annotate', 'message', 'file', 'force', 'edit', 'sign', 'local-user'].find((name) => args.has(name) || args.values(name).length > 0);
    if (isListing) {
      if (makes !== undefined) throw new UsageError(words.length === 0 ? 'the tag needs a name' : `--${makes} does not go with listing`);
      return list(context, repository, args);
    }
    if (args.has('delete')) return remove(context, repository, words);
    if (words.length > 2) throw new UsageError('too many arguments');
    const target = resolveRevision(repository, words[1] ?? 'HEAD');
    const annotation = annotationOf(repository, args);
    const { id, former } = createTag(repository, {
      name: words[0]!, target, force: args.has('force'), createReflog: args.has('create-reflog'), ...(annotation === undefined ? {} : { annotation }),
    });
    if (annotation !== undefined && repository.objects.readHeader(target).type === 'tag' && repository.config.getBoolean('advice.nestedtag') !== false) {
      context.stderr.write(`hint: this tag points at another tag; to tag what that points at, say cairn tag -f ${words[0]!} ${words[1] ?? 'HEAD'}^{}\n`);
    }
    if (former !== undefined && former !== id) context.stdout.write(`Updated tag '${words[0]!}' (was ${abbreviateId(repository, former)})\n`);
    return 0;
  },
};

function annotationOf(repository: Repository, args: Arguments): TagRequest['annotation'] {
  const { context } = repository;
  const messages = args.values('message');
  const file = args.value('file');
  if (messages.length > 0 && file !== undefined) throw new UsageError('only one of -m and -F can be given');
  const signer = findSigner(repository, args, messages.length > 0 || file !== undefined);
  if (messages.length === 0 && file === undefined && !args.has('annotate') && signer === undefined) return undefined;
  const cleanup = parseCleanupMode(args.value('cleanup') ?? 'strip');
  if (cleanup === 'default' || cleanup === 'scissors') throw new UsageError(`invalid cleanup mode '${cleanup}'`);
  const message = messages.length > 0 ? Buffer.from(messages.map((text) => (text.endsWith('\n') ? text : `${text}\n`)).join('\n')).toString('latin1')
    : file === undefined ? undefined : readMessage(context, file).toString('latin1');
  return { message, edits: args.has('edit'), cleanup, ...(signer === undefined ? {} : { signer }) };
}

/** Who signs: asked for with -s or -u, or configured, for all tags or for those that have a message. */
function findSigner(repository: Repository, args: Arguments, hasMessage: boolean): Signer | undefined {
  const key = args.value('local-user');
  const { config } = repository;
  const isForced = hasMessage && !args.has('annotate') && config.getBoolean('tag.forcesignannotated') === true;
  const wanted = key !== undefined || isForced || (args.flag('sign') ?? config.getBoolean('tag.gpgsign') === true);
  return wanted ? new Signer(repository, key) : undefined;
}

function verify(context: Context, repository: Repository, args: Arguments): number {
  const typed = args.value('format');
  const format = typed === undefined ? undefined : RefFormat.parse(typed, repository);
  let isGood = true;
  for (const name of args.positionals) {
    const full = `refs/tags/${name}`;
    const id = isRefName(full) ? repository.refs.find(full)?.id : undefined;
    if (id === undefined) context.stderr.write(`error: tag '${name}' not found.\n`);
    if (id === undefined || !verifyObject(repository, name, id, { type: 'tag', verbose: format === undefined, raw: false, quiet: format !== undefined })) {
      isGood = false;
      continue;
    }
    if (format === undefined) continue;
    const subject = new RefSubject(new RefContext(repository), { name: name as RefName, id });
    context.stdout.write(Buffer.from(`${format.format(subject)}\n`, 'latin1'));
  }
  return isGood ? 0 : 1;
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

function list(context: Context, repository: Repository, args: Arguments): number {
  const typed = args.flag('n') === true ? args.value('n') ?? '1' : undefined;
  if (typed !== undefined && !/^[0-9]+$/.test(typed)) throw new UsageError("option 'n' expects a numerical value");
  const lines = Number(typed ?? 0) === 0 ? undefined : typed;
  if (lines !== undefined && args.flag('column') === true) throw new UsageError("options '--column' and '-n' cannot be used together");
  const subjects = selectRefs(repository, args, { prefixes: ['refs/tags/'], sortKey: 'tag.sort' }, args.positionals);
  if (args.has('json')) {
    context.stdout.write(`${JSON.stringify(subjects.map(describe))}\n`);
    return 0;
  }
  const text = args.value('format')
    ?? (lines === undefined ? '%(refname:strip=2)' : `%(align:15)%(refname:strip=2)%(end) %(contents:lines=${lines})`);
  const format = RefFormat.parse(text, repository, { color: listingColor(context, repository, args, undefined) });
  const columns = listingColumns(repository, args, 'tag');
  printListing(context, subjects.map((subject) => format.format(subject)), lines === undefined ? columns : { ...columns, when: 'never' }, 2);
  return 0;
}

function describe(subject: RefSubject): object {
  const { ref, object, commitId } = subject;
  return { name: ref.name, id: ref.id, type: object.type, commit: commitId ?? null };
}

function remove(context: Context, repository: Repository, names: readonly string[]): number {
  const failures: CairnError[] = [];
  for (const name of names) {
    try {
      const id = deleteTag(repository, name);
      context.stdout.write(`Deleted tag '${name}' (was ${abbreviateId(repository, id)})\n`);
    } catch (error) {
      if (!(error instanceof NotFoundError)) throw error;
      failures.push(error);
    }
  }
  const last = failures.pop();
  for (const { message } of failures) context.stderr.write(`error: ${message}\n`);
  if (last !== undefined) throw last;
  return 0;
}
