// cairn release: publish a snapshot on a channel, and ask about what was published.
import { isAbsolute, relative, resolve } from 'node:path';
import { UsageError } from '../../pack/errors.js';
import { type RepoPath, pathFromUtf8, pathToUtf8 } from '../../pack/tree.js';
import type { Arguments, Command, Context } from '../../plumbing/command.js';
import { checkPath, readPathProtection } from '../../plumbing/path-safety.js';
import { Repository } from '../../plumbing/repository.js';
import { resolveCommit } from '../../plumbing/history/revision.js';
import { type Channel, listChannels, parseChannel, targetBase } from '../channel.js';
import { type StoredReceipt, listReceipts, readReceipt } from '../receipt.js';
import { type ReleaseRequest, planRelease, publish } from '../release.js';
import { checkReceiptSignature, findReceiptSigner, receiptSigningOption } from '../receipt-signature.js';
import { describeSignature, signatureToJson } from '../signature-report.js';
import { isBad, markBad, requireNewestReceipt, resolveReceipt } from '../release-history.js';
import { settleReleases } from '../release-recovery.js';
import { formatDone, formatLine, formatPlan, formatReceipt, isLive, planToJson, receiptToJson } from '../release-report.js';
import { type TargetDrift, checkRelease } from '../release-verification.js';
import { escapeControls } from '../../plumbing/quote.js';

const modes = ['show', 'history', 'verify', 'mark-bad'] as const;
const publishing = ['to', 'path', 'message', 'sign', 'dry-run'] as const;

export const command: Command = {
  name: 'release',
  family: 'cairn',
  summary: 'publish a snapshot on a channel, or look at what is published',
  usage: [
    'release <channel> [<commit>] [--to <directory>]... [--path <subtree>]... [-m <message>] [--sign[=<key>]] [-n] [--json]',
    'release [--json]',
    'release (--show | --history) <channel> [--json]',
    'release --verify <channel> [--require-signature] [--json]',
    'release --mark-bad <channel> [<receipt>] [--json]',
  ],
  options: [
    { name: 'to', value: 'directory', help: 'publish there from now on; given several times, to all of them together' },
    { name: 'path', value: 'subtree', help: 'publish only this directory of the snapshot' },
    { name: 'message', short: 'm', value: 'message', help: 'say why; several become paragraphs' },
    receiptSigningOption,
    { name: 'dry-run', short: 'n', help: 'show what would be done and do nothing' },
    { name: 'show', help: 'show the newest receipt' },
    { name: 'history', help: 'list all receipts, newest first' },
    { name: 'verify', help: 'compare the targets with the snapshot byte for byte' },
    { name: 'require-signature', help: 'with --verify: the receipt must have a good signature, too' },
    { name: 'mark-bad', help: 'never roll back to this release' },
    { name: 'json', help: 'print JSON' },
  ],
  run(context, args) {
    const { positionals } = args;
    const chosen = modes.filter((mode) => args.has(mode));
    if (chosen.length > 1) throw new UsageError(`options '--${chosen[0]}' and '--${chosen[1]}' cannot be used together`);
    const given = publishing.filter((name) => args.flag(name) !== undefined);
    const [mode] = chosen;
    if (given.length > 0 && (mode !== undefined || positionals.length === 0)) {
      throw new UsageError(mode === undefined ? 'which channel to release is missing' : `options '--${mode}' and '--${given[0]}' cannot be used together`);
    }
    if (mode !== undefined && positionals.length === 0) throw new UsageError(`option '--${mode}' needs the name of a channel`);
    if (args.has('require-signature') && mode !== 'verify') throw new UsageError("option '--require-signature' goes with '--verify' only");
    if (positionals.length > (mode === undefined || mode === 'mark-bad' ? 2 : 1)) throw new UsageError('too many arguments');
    const repository = Repository.open(context);
    if (positionals.length === 0) {
      settleReleases(repository);
      return list(context, repository, args.has('json'));
    }
    const channel = parseChannel(positionals[0]!);
    if (mode === undefined) return release(context, repository, channel, args);
    settleReleases(repository);
    return ask(context, repository, channel, mode, args);
  },
};

function release(context: Context, repository: Repository, channel: Channel, args: Arguments): number {
  const targets = args.values('to').map((text) => rememberedForm(repository, text));
  const paths = args.values('path').map((text) => parseSubtree(repository, text));
  const request: ReleaseRequest = {
    channel,
    commit: resolveCommit(repository, args.positionals[1] ?? 'HEAD'),
    targets: targets.length === 0 ? undefined : targets,
    paths: paths.length === 0 ? undefined : paths,
    message: args.values('message').join('\n\n').trim(),
    restores: undefined,
    expected: undefined,
    signer: findReceiptSigner(repository, args),
  };
  const json = args.has('json');
  if (args.has('dry-run')) {
    const plan = planRelease(repository, request);
    context.stdout.write(json ? asLine(planToJson(repository, plan)) : formatPlan(repository, plan));
    return 0;
  }
  settleReleases(repository);
  const receipt = publish(repository, request);
  context.stdout.write(json ? asLine(receiptToJson(repository, receipt)) : formatDone(receipt, undefined));
  return 0;
}

/** What was typed relative is kept relative to the base, so that a repository can be moved with its targets. */
function rememberedForm(repository: Repository, text: string): string {
  if (text === '') throw new UsageError("option 'to' needs a directory");
  const path = resolve(repository.context.cwd, text);
  return isAbsolute(text) ? path : relative(targetBase(repository), path);
}

/** '' for the whole snapshot. */
function parseSubtree(repository: Repository, text: string): RepoPath | '' {
  const plain = text.replace(/^(?:\.\/+)+/, '').replace(/\/+$/, '');
  if (plain === '' && !text.startsWith('/') || plain === '.') return '';
  const path = pathFromUtf8(plain);
  checkPath(path, readPathProtection(repository.config));
  return path;
}

function list(context: Context, repository: Repository, json: boolean): number {
  const receipts = [...listChannels(repository)].map(({ receipt }) => readReceipt(repository.objects, receipt));
  if (json) context.stdout.write(asLine({ channels: receipts.map((receipt) => receiptToJson(repository, receipt)) }));
  else for (const receipt of receipts) context.stdout.write(formatLine(repository, receipt));
  return 0;
}

function ask(context: Context, repository: Repository, channel: Channel, mode: (typeof modes)[number], args: Arguments): number {
  const { stdout } = context;
  const json = args.has('json');
  const newest = requireNewestReceipt(repository, channel);
  switch (mode) {
    case 'show': {
      const signature = checkReceiptSignature(repository, newest);
      if (json) stdout.write(asLine({ ...receiptToJson(repository, newest), signature: signatureToJson(signature), live: newest.outputs.map((output) => isLive(repository, output) ?? null) }));
      else stdout.write(formatReceipt(repository, newest, signature));
      return 0;
    }
    case 'history': {
      const receipts = [...listReceipts(repository, channel)];
      if (json) stdout.write(asLine({ channel, receipts: receipts.map((receipt) => ({ ...receiptToJson(repository, receipt), signature: signatureToJson(checkReceiptSignature(repository, receipt)) })) }));
      else for (const receipt of receipts) stdout.write(formatLine(repository, receipt));
      return 0;
    }
    case 'verify': return verify(repository, newest, args.has('require-signature'), json);
    case 'mark-bad': {
      const named = args.positionals[1];
      const receipt = named === undefined ? newest : resolveReceipt(repository, channel, named);
      const already = isBad(repository, receipt);
      const marked = markBad(repository, receipt);
      if (json) stdout.write(asLine(receiptToJson(repository, marked)));
      else stdout.write(`${channel}/${marked.number} ${already ? 'is marked bad already' : 'is marked bad'}\n`);
      return 0;
    }
  }
}

function verify(repository: Repository, receipt: StoredReceipt, requiresSignature: boolean, json: boolean): number {
  const { stdout } = repository.context;
  const { channel, number, id } = receipt;
  const drift = [...checkRelease(repository, receipt)];
  const signature = checkReceiptSignature(repository, receipt);
  const isUntrusted = requiresSignature && !signature.isGood;
  const ok = drift.length === 0 && !isUntrusted;
  if (json) {
    stdout.write(asLine({
      channel, number, receipt: id, ok, signature: signatureToJson(signature),
      drift: drift.map(({ target, path, kind }) => ({ target, path: path === '' ? null : pathToUtf8(path), kind })),
    }));
  } else if (ok) {
    stdout.write(`${channel}/${number} is as published${receipt.isSigned ? `; ${escapeControls(describeSignature(signature))}` : ''}\n`);
  } else {
    if (isUntrusted) stdout.write(`signature ${escapeControls(`${channel}/${number}: ${describeSignature(signature)}`)}\n`);
    for (const one of drift) stdout.write(formatDrift(one));
  }
  return ok ? 0 : 1;
}

function formatDrift({ target, path, kind }: TargetDrift): string {
  const where = path === '' ? target : `${target}/${pathToUtf8(path)}`;
  return `${kind.padEnd(8)} ${escapeControls(where)}\n`;
}

function asLine(value: unknown): string {
  return JSON.stringify(value) + '\n';
}
