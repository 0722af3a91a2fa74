// cairn archive: put history or a directory on a shelf, with proof that it can be read back.
import { basename, extname, resolve } from 'node:path';
import { UsageError } from '../../pack/errors.js';
import type { Arguments, Command, Context } from '../../plumbing/command.js';
import { runInterruptibly } from '../../plumbing/interruption.js';
import { escapeControls } from '../../plumbing/quote.js';
import { formatArchive, formatArchiveJson, formatArchiveLine } from '../archive/archive-report.js';
import { type CreationRequest, createArchive } from '../archive/creation.js';
import { type RestoredForm, restoreArchive } from '../archive/restoration.js';
import { readSidecar } from '../archive/sidecar.js';
import { requireSignature } from '../archive/sidecar-signature.js';
import { verifyArchive } from '../archive/verification.js';
import { version } from '../main.js';
import { describeSignature, signatureToJson } from '../signature-report.js';
import { Progress } from '../terminal.js';

const actions = {
  create: ['all', 'since', 'path', 'input', 'object-format', 'epoch', 'checksums', 'self-test', 'scratch-root', 'force', 'sign', 'json'],
  verify: ['require-signature', 'json'],
  restore: ['base', 'bare', 'files', 'expect-id', 'require-signature', 'json'],
  info: ['json'],
} as const;

type Action = keyof typeof actions;

export const command: Command = {
  name: 'archive',
  family: 'cairn',
  summary: 'keep history or a directory in one file that proves itself',
  usage: [
    'archive create <file> [<revision>... | --all] [--since <revision>]... [--epoch <seconds>] [--checksums] [--no-self-test] [--scratch-root <dir>] [--sign[=<key>]] [--force] [--json]',
    'archive create <file> [<revision>] --path <subtree>... [...]',
    'archive create <file> --input <dir> [--object-format <format>] [...]',
    'archive verify <file> [--require-signature] [--json]',
    'archive restore <file> [<dir>] [--base <file>]... [--bare | --files] [--expect-id <id>] [--require-signature] [--json]',
    'archive info <file> [--json]',
  ],
  options: [
    { name: 'all', help: 'archive all refs' },
    { name: 'since', value: 'revision', help: 'leave out what this reaches' },
    { name: 'path', value: 'subtree', help: 'archive only this part of one snapshot, without its history' },
    { name: 'input', value: 'dir', help: 'archive this directory; no repository is needed' },
    { name: 'object-format', value: 'format', help: 'of the ids of a directory\'s archive: sha256 or sha1' },
    { name: 'epoch', value: 'seconds', help: 'the time of the archive, since 1970' },
    { name: 'checksums', help: 'write a list of digests of the files beside it' },
    { name: 'self-test', negatable: true, help: 'read it back and compare before it appears (default)' },
    { name: 'scratch-root', value: 'dir', help: 'make private directories there' },
    { name: 'sign', value: 'key', valueOptional: true, help: 'sign the sidecar, with this key or the configured one' },
    { name: 'force', short: 'f', help: 'replace an archive that is there' },
    { name: 'base', value: 'file', help: 'an archive this one builds on; oldest first' },
    { name: 'bare', help: 'make a repository without a work tree' },
    { name: 'files', help: 'make the files alone' },
    { name: 'expect-id', value: 'id', help: 'refuse an archive of another repository' },
    { name: 'require-signature', help: 'refuse an archive without a good signature of its sidecar' },
    { name: 'json', help: 'print JSON' },
  ],
  run(context, args) {
    const [action, file, ...rest] = args.positionals;
    if (action === undefined || !Object.hasOwn(actions, action)) throw new UsageError(action === undefined ? 'need a subcommand' : `unknown subcommand: '${action}'`);
    if (file === undefined || file === '') throw new UsageError('need a <file> argument');
    checkOptions(args, action as Action);
    switch (action as Action) {
      case 'create': return create(context, args, file, rest);
      case 'verify': return verify(context, args, file, rest);
      case 'restore': return restore(context, args, file, rest);
      case 'info': return info(context, args, file, rest);
    }
  },
};

function checkOptions(args: Arguments, action: Action): void {
  const known: readonly string[] = actions[action];
  for (const token of args.tokens) {
    if (token.kind === 'option' && !known.includes(token.name)) throw new UsageError(`option '--${token.name}' does not go with '${action}'`);
  }
}

async function create(context: Context, args: Arguments, file: string, revisions: readonly string[]): Promise<number> {
  const request = creationRequest(context, args, file, revisions);
  using progress = new PhaseLine(context);
  const sidecar = await runInterruptibly(context, createArchive(context, request, {
    update: (phase, done, total) => { progress.update(phaseTitles[phase], done, total); },
    warn: (text) => { context.stderr.write(`warning: ${text}\n`); },
  }));
  progress.end();
  context.stdout.write(args.has('json') ? formatArchiveJson(file, sidecar) : formatArchiveLine('created', file, sidecar));
  return 0;
}

function creationRequest(context: Context, args: Arguments, file: string, revisions: readonly string[]): CreationRequest {
  const input = args.value('input');
  const paths = args.values('path');
  const since = args.values('since');
  const all = args.has('all');
  if (input !== undefined && (all || revisions.length > 0 || since.length > 0 || paths.length > 0)) throw new UsageError("option '--input' takes no revisions, '--all', '--since' or '--path'");
  if (input === undefined && args.has('object-format')) throw new UsageError("option '--object-format' goes with '--input' only");
  if (all && revisions.length > 0) throw new UsageError("option '--all' takes no revisions");
  if (paths.length > 0 && (all || since.length > 0 || revisions.length > 1)) throw new UsageError("option '--path' takes one revision, and neither '--all' nor '--since'");
  const fromEnvironment = input === undefined ? undefined : context.env['SOURCE_DATE_EPOCH'];
  const epoch = args.value('epoch') ?? (fromEnvironment === '' ? undefined : fromEnvironment);
  const format = args.value('object-format') ?? (context.env['GIT_DEFAULT_HASH'] || 'sha256');
  if (format !== 'sha1' && format !== 'sha256') throw new UsageError(`'${format}' is no object format: sha256 and sha1 are`);
  return {
    path: resolve(context.cwd, file),
    options: { all, revisions, since, paths, input: input !== undefined, checksums: args.has('checksums') },
    input: input === undefined ? undefined : resolve(context.cwd, input),
    inputFormat: format,
    epoch: epoch === undefined ? undefined : parseEpoch(epoch),
    selfTests: args.flag('self-test') ?? true,
    scratchRoot: resolve(context.cwd, args.value('scratch-root') ?? (context.env['TMPDIR'] || '/tmp')),
    force: args.has('force'),
    signingKey: args.has('sign') ? args.value('sign') ?? '' : undefined,
    version,
  };
}

/** The end of the year 9999. */
const lastSecond = 253402300799;

function parseEpoch(text: string): number {
  const seconds = /^(?:0|[1-9][0-9]{0,11})$/.test(text) ? Number(text) : Number.NaN;
  if (!(seconds <= lastSecond)) throw new UsageError(`'${text}' is no number of seconds since 1970`);
  return seconds;
}

async function verify(context: Context, args: Arguments, file: string, rest: readonly string[]): Promise<number> {
  if (rest.length > 0) throw new UsageError('one archive is verified at a time');
  using progress = new PhaseLine(context);
  const path = resolve(context.cwd, file);
  const verified = await runInterruptibly(context, verifyArchive(path, (done, total) => { progress.update(phaseTitles.verifying, done, total); }));
  progress.end();
  const { sidecar } = verified;
  const signature = args.has('require-signature') ? requireSignature(context, path, verified) : undefined;
  const signed = signature === undefined ? {} : { signature: signatureToJson(signature) };
  context.stdout.write(args.has('json') ? formatArchiveJson(file, sidecar, { verified: true, ...signed }) : formatArchiveLine('verified', file, sidecar));
  if (signature !== undefined && !args.has('json')) context.stdout.write(`${escapeControls(describeSignature(signature))}\n`);
  return 0;
}

async function restore(context: Context, args: Arguments, file: string, rest: readonly string[]): Promise<number> {
  if (rest.length > 1) throw new UsageError('too many arguments');
  if (args.has('bare') && args.has('files')) throw new UsageError("options '--bare' and '--files' cannot be used together");
  const extension = extname(file);
  const directory = rest[0] ?? (extension === '' ? undefined : basename(file, extension));
  if (directory === undefined || directory === '') throw new UsageError('where to restore to is missing');
  const form: RestoredForm | undefined = args.has('bare') ? 'bare' : args.has('files') ? 'files' : undefined;
  using progress = new PhaseLine(context);
  const restored = await runInterruptibly(context, restoreArchive(context, {
    archives: [...args.values('base'), file].map((path) => resolve(context.cwd, path)),
    destination: resolve(context.cwd, directory), form, expectedId: args.value('expect-id'),
    requiresSignature: args.has('require-signature'),
  }, (done, total) => { progress.update(phaseTitles.verifying, done, total); }));
  progress.end();
  if (args.has('json')) context.stdout.write(formatArchiveJson(file, restored.sidecar, { destination: directory, form: restored.form, tip: restored.tip ?? null }));
  else context.stdout.write(formatArchiveLine('restored', file, restored.sidecar));
  return 0;
}

function info(context: Context, args: Arguments, file: string, rest: readonly string[]): number {
  if (rest.length > 0) throw new UsageError('too many arguments');
  const { sidecar } = readSidecar(resolve(context.cwd, file));
  context.stdout.write(args.has('json') ? formatArchiveJson(file, sidecar) : formatArchive(file, sidecar));
  return 0;
}

const phaseTitles = { listing: 'Listing objects', compressing: 'Finding deltas', writing: 'Writing archive', verifying: 'Reading back' } as const;

/** One progress line after the other. */
class PhaseLine {
  readonly #context: Context;
  #title: string | undefined;
  #line: Progress | undefined;

  constructor(context: Context) { this.#context = context; }

  update(title: string, done: number, total?: number): void {
    if (title !== this.#title) {
      this.end();
      this.#title = title;
      this.#line = new Progress(this.#context, title, total);
    }
    this.#line?.update(done);
  }

  end(): void {
    this.#line?.[Symbol.dispose]();
    this.#line = undefined;
    this.#title = undefined;
  }

  [Symbol.dispose](): void {
    this.end();
  }
}
