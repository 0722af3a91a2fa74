// Releases in words and in JSON, as cairn-release(1) documents them under "JSON". Pure but for looking where links point.
import type { DateMode } from '../plumbing/date.js';
import { formatDate } from '../plumbing/date.js';
import { pathToUtf8 } from '../pack/tree.js';
import { subjectOf } from '../plumbing/message.js';
import type { Repository } from '../plumbing/repository.js';
import type { SignatureReport } from '../plumbing/signature/signature-check.js';
import { targetNamed } from './channel.js';
import { type ReceiptOutput, type StoredReceipt } from './receipt.js';
import { describeSignature } from './signature-report.js';
import { linkValue, readTarget } from './release-directory.js';
import { isBad } from './release-history.js';
import { type ReleasePlan, listChanges } from './release.js';
import { escapeControls } from '../plumbing/quote.js';
import { formatSize } from './terminal.js';

const utf8 = (latin1: string): string => Buffer.from(latin1, 'latin1').toString();

/** A receipt as JSON: keys as in cairn-receipt(5), in lower case. */
export function receiptToJson(repository: Repository, receipt: StoredReceipt): Record<string, unknown> {
  const { tagger } = receipt;
  return {
    channel: receipt.channel, number: receipt.number, kind: receipt.kind, receipt: receipt.id, commit: receipt.commit,
    previous: receipt.previous ?? null, restores: receipt.restores ?? null, bad: isBad(repository, receipt),
    tagger: { name: utf8(tagger.name), email: utf8(tagger.email), seconds: tagger.seconds, offset: tagger.offset },
    message: receipt.message, signed: receipt.isSigned,
    outputs: receipt.outputs.map((output) => ({
      tree: output.tree, path: output.path === undefined ? null : pathToUtf8(output.path), target: output.published?.target ?? null,
      directory: output.published?.directory ?? null, files: output.files, bytes: output.bytes, verification: output.verification,
    })),
  };
}

/** A plan as JSON. */
export function planToJson(repository: Repository, plan: ReleasePlan): Record<string, unknown> {
  return {
    dryRun: true, channel: plan.channel, number: plan.number, commit: plan.commit, previous: plan.previous?.id ?? null, restores: plan.restores?.id ?? null,
    outputs: plan.outputs.map((output) => ({
      tree: output.tree, path: output.path === undefined ? null : pathToUtf8(output.path), target: output.target?.name ?? null, action: output.action,
      changes: listChanges(repository, output).map(({ path, kind }) => ({ path: pathToUtf8(path), kind })),
    })),
  };
}

const actionWords = {
  build: 'write a new directory', switch: 'switch to a directory that is still there', keep: 'leave the live directory', record: 'only record it',
} as const;
const changeLetters = { added: 'A', changed: 'M', removed: 'D' } as const;

/** A plan in words: what would happen to each output, then the paths that would change. */
export function formatPlan(repository: Repository, plan: ReleasePlan): string {
  const lines = [`would release ${plan.channel} ${plan.number}: ${plan.commit}`];
  for (const output of plan.outputs) {
    const to = output.target === undefined ? '' : ` at ${escapeControls(output.target.name)}`;
    lines.push(`  ${actionWords[output.action]}${to}${ofPath(output.path)}`);
    for (const { path, kind } of listChanges(repository, output)) lines.push(`  ${changeLetters[kind]} ${escapeControls(pathToUtf8(path))}`);
  }
  return lines.join('\n') + '\n';
}

function ofPath(path: ReceiptOutput['path']): string {
  return path === undefined ? '' : ` (${escapeControls(pathToUtf8(path))})`;
}

/** What was done, for whoever did it. */
export function formatDone(receipt: StoredReceipt, restored: StoredReceipt | undefined): string {
  const what = restored === undefined ? `released ${receipt.channel} ${receipt.number}` : `rolled ${receipt.channel} back to ${restored.number} as ${receipt.number}`;
  return [`${what}: ${receipt.commit}`, ...receipt.outputs.map((output) => `  ${formatOutput(output)}`)].join('\n') + '\n';
}

function formatOutput({ published, files, bytes, verification, path }: ReceiptOutput): string {
  const where = published === undefined ? 'recorded' : escapeControls(published.target);
  return `${where}${ofPath(path)}: ${files} ${files === 1 ? 'file' : 'files'}, ${formatSize(bytes)}, ${verification}`;
}

const isoDate: DateMode | string = 'iso';

/** One line of the list of channels or of a history. */
export function formatLine(repository: Repository, receipt: StoredReceipt): string {
  const date = formatDate(receipt.tagger.seconds, receipt.tagger.offset, isoDate, repository.context.clock);
  const bad = isBad(repository, receipt) ? ' [bad]' : '';
  const kind = receipt.kind === 'rollback' ? ' [rollback]' : '';
  return `${receipt.channel}/${receipt.number}  ${receipt.commit.slice(0, 12)}  ${date}${kind}${bad}  ${escapeControls(subjectOf(receipt.message))}\n`;
}

/** Everything a receipt says, and what was found out about its signature. */
export function formatReceipt(repository: Repository, receipt: StoredReceipt, signature: SignatureReport): string {
  const { tagger } = receipt;
  const lines = [
    `${receipt.kind} ${receipt.channel}/${receipt.number}${isBad(repository, receipt) ? ' [bad]' : ''}`,
    `Receipt:   ${receipt.id}`,
    `Commit:    ${receipt.commit}`,
    ...(receipt.restores === undefined ? [] : [`Restores:  ${receipt.restores}`]),
    ...(receipt.previous === undefined ? [] : [`Previous:  ${receipt.previous}`]),
    `Published: ${escapeControls(utf8(tagger.name))} <${escapeControls(utf8(tagger.email))}>, ${formatDate(tagger.seconds, tagger.offset, isoDate, repository.context.clock)}`,
    ...(receipt.isSigned ? [`Signature: ${escapeControls(describeSignature(signature))}`] : []),
    ...receipt.outputs.flatMap((output) => [`Output:    ${formatOutput(output)}${isLive(repository, output) === false ? ' [not live]' : ''}`]),
    '',
    ...escapeControls(receipt.message).split('\n').map((line) => `    ${line}`),
  ];
  return lines.join('\n') + '\n';
}

/** True when the target points to the output's directory; undefined when it has none. */
export function isLive(repository: Repository, { published }: ReceiptOutput): boolean | undefined {
  if (published === undefined) return undefined;
  const target = targetNamed(repository, published.target);
  const state = readTarget(target);
  return state.kind === 'link' && state.value === linkValue(target, published.directory);
}
