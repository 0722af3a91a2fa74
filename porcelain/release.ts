// Releases: what a channel publishes, planned and then done. Specified by cairn-release(1) and cairn-receipt(5).
//
// Order of `applyRelease`: journal (building) → directories written, read back, durable → pre-release hook → receipt stored → ref
// transaction prepared → journal (swapping) → each target's link replaced by one rename → refs → event → journal removed.
// Invariants: before the rename nothing at the target changed, after it everything did; a receipt counts when its ref names it.
// If it fails, it is undone; if the power fails, whoever comes next settles it from the journal: no link replaced, it never
// happened; a link replaced, it is completed. Nobody has to clean up.
import * as fs from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { temporaryName } from '../pack/disk.js';
import { CairnError, ConflictError, CorruptError, InvalidError, NotFoundError, RefusedError } from '../pack/errors.js';
import type { ObjectStore } from '../pack/object-store.js';
import type { ObjectId } from '../pack/oid.js';
import { type RepoPath, gitlinkMode } from '../pack/tree.js';
import { holdLease, whileNaming } from '../plumbing/refs/announcement.js';
import { runHook } from '../plumbing/hooks.js';
import { committerIdent } from '../plumbing/identity.js';
import { readPathProtection } from '../plumbing/path-safety.js';
import { RefTransaction } from '../plumbing/refs/ref-transaction.js';
import type { Repository } from '../plumbing/repository.js';
import type { Signer } from '../plumbing/signature/signer.js';
import { type Channel, type Target, containerPattern, isChannel, rememberedTargets, targetNamed } from './channel.js';
import { ChannelDirectories, readKeep } from './kept-directories.js';
import { type Receipt, type ReceiptOutput, type StoredReceipt, directoryPattern, encodeReceipt, findNewestReceipt, findReceipt, readReceipt } from './receipt.js';
import {
  type CloneSource, buildDirectory, findRecord, isIntact, linkValue, openContainer, readTarget, writeRecord,
} from './release-directory.js';
import { findRollback, isBad, requireNewestReceipt, resolveReceipt } from './release-history.js';
import { type Journal, recordPath, writeJournal } from './release-journal.js';
import { addRefEdits, complete, lockChannel, settleChannel, swapAll, undoAfter, warn } from './release-recovery.js';
import { type TreeFile, findSubtree, listTreeFiles } from './tree-listing.js';

/** What somebody wants published. */
export interface ReleaseRequest {
  readonly channel: Channel;
  readonly commit: ObjectId;
  /** Absolute or relative to the base, as they will be remembered; undefined takes the remembered ones. */
  readonly targets: readonly string[] | undefined;
  /** One for all outputs, or one for each ('' is the whole commit); undefined takes what was published there before. */
  readonly paths: readonly (RepoPath | '')[] | undefined;
  /** Empty: one is made up. */
  readonly message: string;
  /** The receipt whose snapshot this is, for a rollback. */
  readonly restores: StoredReceipt | undefined;
  /** The receipt that must still be the newest; undefined does not care. */
  readonly expected: ObjectId | undefined;
  /** Signs the receipt; without it, the receipt is not signed. */
  readonly signer?: Signer | undefined;
}

/** One output as it will be. */
export interface PlannedOutput {
  readonly path: RepoPath | undefined;
  readonly tree: ObjectId;
  /** Undefined: the release only records. */
  readonly target: Target | undefined;
  /** What the target points to now, null for nothing. */
  readonly before: string | null;
  /** The output that is live there now, if any. */
  readonly live: ReceiptOutput | undefined;
  /** 'build' a new directory, 'switch' to one that is still there and verified, 'keep' the live one, or only 'record'. */
  readonly action: 'build' | 'switch' | 'keep' | 'record';
  /** For 'switch' and 'keep'. */
  readonly existing: ReceiptOutput | undefined;
}

export interface ReleasePlan {
  readonly channel: Channel;
  readonly number: number;
  readonly commit: ObjectId;
  readonly previous: StoredReceipt | undefined;
  readonly restores: StoredReceipt | undefined;
  readonly message: string;
  readonly outputs: readonly PlannedOutput[];
  readonly remember: readonly string[] | null;
}

/** How long one release waits for another one on the same channel. */
const lockTimeoutMs = 10_000;

// ---- planning

/** Decides what publishing would do; touches nothing. */
export function planRelease(repository: Repository, request: ReleaseRequest): ReleasePlan {
  const { channel, commit, restores } = request;
  const store = repository.objects;
  // Found out now rather than when the release is made.
  readKeep(repository);
  const previous = findNewestReceipt(repository, channel);
  if (request.expected !== undefined && previous?.id !== request.expected) {
    throw new ConflictError(`something else was released on '${channel}' meanwhile`, { code: 'channel-moved', hint: 'look at it, then try again' });
  }
  const targets = request.targets?.map((text) => targetNamed(repository, text)) ?? rememberedTargets(repository, channel);
  checkTargets(repository, channel, targets);
  const root = store.readCommit(commit).tree;
  const slots: readonly (Target | undefined)[] = targets.length > 0 ? targets : [undefined];
  const paths = choosePaths(request, slots, restores ?? previous);
  const directories = new ChannelDirectories(repository, channel);
  return {
    channel, commit, previous, restores,
    number: (previous?.number ?? 0) + 1,
    message: request.message || (restores === undefined ? '' : `Roll ${channel} back to ${restores.number}`),
    outputs: slots.map((target, at) => planOutput(repository, directories, root, target, paths[at]!)),
    remember: request.targets === undefined ? null : [...request.targets],
  };
}

function checkTargets(repository: Repository, channel: Channel, targets: readonly Target[]): void {
  const taken = new Map<string, string>();
  for (const other of repository.config.subsections('release')) {
    if (other === channel || !isChannel(other)) continue;
    for (const { path } of rememberedTargets(repository, other)) taken.set(path, `channel '${other}' is published there`);
  }
  for (const { path, container, name } of targets) {
    if (isInsideRelease(path)) throw new RefusedError(`target '${name}' cannot be used: it lies inside a release`, { code: 'target-taken', hint: 'choose another directory' });
    const reason = taken.get(path) ?? taken.get(container);
    if (reason !== undefined) throw new RefusedError(`target '${name}' cannot be used: ${reason}`, { code: 'target-taken', hint: 'choose another directory' });
    taken.set(path, 'it is named twice');
    taken.set(container, 'another target keeps its directories there');
  }
}

/** True when the directory a target would lie in is, links followed, one that releases are kept in. */
function isInsideRelease(path: string): boolean {
  let existing = dirname(path);
  while (!fs.existsSync(existing)) existing = dirname(existing);
  return fs.realpathSync(existing).split(sep).some((part) => containerPattern.test(part));
}

function choosePaths(request: ReleaseRequest, slots: readonly (Target | undefined)[], former: StoredReceipt | undefined): (RepoPath | undefined)[] {
  const { paths } = request;
  if (paths === undefined) return slots.map((target) => (formerOutput(former, target) ?? former?.outputs[0])?.path);
  if (paths.length !== 1 && paths.length !== slots.length) {
    throw new InvalidError(`${paths.length} paths cannot be published to ${slots.length} targets`, { code: 'paths-and-targets', hint: 'give one path for all targets, or one for each, in the same order' });
  }
  return slots.map((_target, at) => paths[paths.length === 1 ? 0 : at] || undefined);
}

function formerOutput(receipt: StoredReceipt | undefined, target: Target | undefined): ReceiptOutput | undefined {
  return receipt?.outputs.find(({ published }) => published?.target === target?.name);
}

function planOutput(repository: Repository, directories: ChannelDirectories, root: ObjectId, target: Target | undefined, path: RepoPath | undefined): PlannedOutput {
  const tree = findSubtree(repository.objects, root, path);
  if (target === undefined) return { path, tree, target, before: null, live: undefined, action: 'record', existing: undefined };
  const before = currentDirectory(target);
  const live = before === null ? undefined : directories.findDirectory(target, before);
  const existing = directories.findIntact(target, tree, before);
  const action = existing === undefined ? 'build' : existing.published?.directory === before ? 'keep' : 'switch';
  return { path, tree, target, before: before === null ? null : linkValue(target, before), live, action, existing };
}

/** The directory a target's link names; RefusedError when what is there was not made by a release. */
function currentDirectory(target: Target): string | null {
  const state = readTarget(target);
  if (state.kind === 'absent') return null;
  const directory = state.kind === 'link' && state.value.startsWith(`${target.containerName}/`) ? state.value.slice(target.containerName.length + 1) : '';
  if (directoryPattern.test(directory)) return directory;
  throw new RefusedError(state.kind === 'link' ? `target '${target.name}' is a symbolic link to '${state.value}', which no release made`
    : `target '${target.name === '' ? '.' : target.name}' exists and was not made by a release`, { code: 'foreign-target', hint: `move '${target.path}' away, or choose another target with --to` });
}

/** A path that publishing would change at a target. */
export interface PlannedChange {
  readonly path: RepoPath;
  readonly kind: 'added' | 'changed' | 'removed';
}

/** What would change at an output's target, in the order of paths. */
export function listChanges(repository: Repository, output: PlannedOutput): PlannedChange[] {
  if (output.live?.tree === output.tree) return [];
  const protection = readPathProtection(repository.config);
  const before = new Map(output.live === undefined ? [] : listTreeFiles(repository.objects, output.live.tree, protection).map((file) => [file.path, file]));
  const changes: PlannedChange[] = [];
  for (const { path, mode, id } of listTreeFiles(repository.objects, output.tree, protection)) {
    const former = before.get(path);
    before.delete(path);
    if (former === undefined) changes.push({ path, kind: 'added' });
    else if (former.id !== id || former.mode !== mode) changes.push({ path, kind: 'changed' });
  }
  for (const path of before.keys()) changes.push({ path, kind: 'removed' });
  return changes.sort((a, b) => (a.path < b.path ? -1 : 1));
}

// ---- applying

/** Publishes: waits for its turn on the channel, settles what an earlier crash left, plans and applies. */
export function publish(repository: Repository, request: ReleaseRequest): StoredReceipt {
  using _ = holdLease(repository);
  const { plan, receipt } = publishLocked(repository, request);
  // The next release need not wait for what the hook does, and the hook may make one.
  tellHook(repository, plan, receipt);
  return receipt;
}

function publishLocked(repository: Repository, request: ReleaseRequest): { plan: ReleasePlan; receipt: StoredReceipt } {
  using _lock = lockChannel(repository, request.channel, lockTimeoutMs);
  settleChannel(repository, request.channel);
  const plan = planRelease(repository, request);
  return { plan, receipt: applyRelease(repository, plan, request.signer) };
}

/** An output on its way, with what the journal says of it. */
interface Job {
  readonly plan: PlannedOutput;
  readonly staging: string;
  readonly directory: string;
}

/** Does exactly the plan, or undoes what it began and throws. The caller holds the channel's lock. */
function applyRelease(repository: Repository, plan: ReleasePlan, signer: Signer | undefined): StoredReceipt {
  const tagger = committerIdent(repository);
  const jobs = plan.outputs.map((output): Job => ({
    plan: output,
    staging: temporaryName('', 'tmp-'),
    directory: output.existing?.published?.directory ?? `${plan.number}.${temporaryName('', '')}`,
  }));
  const journal: Journal = {
    channel: plan.channel, phase: 'building', commit: plan.commit, receipt: null, remember: plan.remember,
    outputs: jobs.flatMap(({ plan: { target, before, action }, staging, directory }) =>
      target === undefined ? [] : [{ target: target.name, staging, directory, fresh: action === 'build', before }]),
  };
  writeJournal(repository, journal);
  let current = journal;
  let receipt: StoredReceipt;
  try {
    const outputs = jobs.map((job) => makeOutput(repository, plan.channel, job));
    askHook(repository, plan, jobs);
    const content: Receipt = {
      channel: plan.channel, number: plan.number, kind: plan.restores === undefined ? 'release' : 'rollback', commit: plan.commit,
      restores: plan.restores?.id, previous: plan.previous?.id, outputs, tagger, message: plan.message,
    };
    // A key may ask for its passphrase, so this comes before anything is held.
    const bytes = encodeReceipt(content);
    const signed = signer === undefined ? bytes : Buffer.concat([bytes, signer.sign(bytes)]);
    const id = whileNaming(repository, () => {
      repository.objects.has(plan.commit);
      repository.objects.rescue();
      return repository.objects.write('tag', signed);
    });
    receipt = readReceipt(repository.objects, id);
    using transaction = new RefTransaction(repository);
    addRefEdits(transaction, receipt);
    transaction.prepare();
    current = { ...journal, phase: 'swapping', receipt: id };
    writeJournal(repository, current);
    swapAll(repository, current);
    transaction.commit();
  } catch (error) {
    undoAfter(repository, current);
    throw error;
  }
  complete(repository, receipt, current);
  return receipt;
}

/** Builds an output's directory, or takes the one that is there; CorruptError names an object that is missing or damaged. */
function makeOutput(repository: Repository, channel: Channel, job: Job): ReceiptOutput {
  try {
    return makeWholeOutput(repository, channel, job);
  } catch (error) {
    if (!(error instanceof NotFoundError) || error.code !== 'object-missing') throw error;
    throw new CorruptError(`snapshot is not complete: ${error.message}`, { code: 'object-missing', hint: 'run cairn fsck; restore the object from another copy', cause: error });
  }
}

/** The receipt's lines about an output that is now there. */
function makeWholeOutput(repository: Repository, channel: Channel, { plan, staging, directory }: Job): ReceiptOutput {
  const { path, tree, target, existing } = plan;
  const published = target && { target: target.name, directory };
  if (existing !== undefined) return { path, tree, published, files: existing.files, bytes: existing.bytes, verification: 'unchanged' };
  const store = repository.objects;
  const files = listTreeFiles(store, tree, readPathProtection(repository.config));
  if (target === undefined) return { path, tree, published, ...countObjects(store, files), verification: 'objects' };
  openContainer(target);
  const built = buildDirectory(store, files, target.container, { staging, directory }, cloneSource(repository, channel, target, plan.live));
  writeRecord(recordPath(repository, channel, directory), built.record);
  return { path, tree, published, files: built.files, bytes: built.bytes, verification: 'hashed' };
}

function countObjects(store: ObjectStore, files: readonly TreeFile[]): { files: number; bytes: number } {
  let count = 0;
  let bytes = 0;
  for (const { mode, id } of files) {
    if (mode === gitlinkMode) continue;
    count += 1;
    bytes += store.readHeader(id).sizeBytes;
  }
  return { files: count, bytes };
}

function cloneSource(repository: Repository, channel: Channel, target: Target, live: ReceiptOutput | undefined): CloneSource | undefined {
  if (live?.published === undefined) return undefined;
  const record = findRecord(recordPath(repository, channel, live.published.directory), repository.format);
  return record && { path: join(target.container, live.published.directory), record };
}

// ---- hooks

function hookEnvironment(plan: ReleasePlan, jobs: readonly Job[]): Record<string, string> {
  return {
    CAIRN_RELEASE_CHANNEL: plan.channel,
    CAIRN_RELEASE_NUMBER: String(plan.number),
    CAIRN_RELEASE_KIND: plan.restores === undefined ? 'release' : 'rollback',
    CAIRN_RELEASE_COMMIT: plan.commit,
    CAIRN_RELEASE_DIRECTORY: jobs.flatMap(({ plan: { target }, directory }) => target === undefined ? [] : [join(target.container, directory)]).join('\n'),
  };
}

function hookArguments(plan: ReleasePlan): string[] {
  return [plan.channel, plan.commit, ...plan.outputs.flatMap(({ target }) => target === undefined ? [] : [target.path])];
}

/** Asks pre-release; what it looked at must still be what was verified. */
function askHook(repository: Repository, plan: ReleasePlan, jobs: readonly Job[]): void {
  const { ran, exitCode } = runHook(repository, 'pre-release', { args: hookArguments(plan), env: hookEnvironment(plan, jobs) });
  if (exitCode !== 0) throw new RefusedError(`hook 'pre-release' refused the release (exit code ${exitCode})`, { code: 'hook-refused' });
  if (!ran) return;
  for (const { plan: { target }, directory } of jobs) {
    if (target === undefined) continue;
    const record = findRecord(recordPath(repository, plan.channel, directory), repository.format);
    if (record === undefined || !isIntact(join(target.container, directory), record)) {
      throw new RefusedError(`hook 'pre-release' changed what is to be published at '${target.name}'`, { code: 'hook-changed-release' });
    }
  }
}

function tellHook(repository: Repository, plan: ReleasePlan, receipt: StoredReceipt): void {
  const jobs = plan.outputs.map((output, at): Job => ({ plan: output, staging: '', directory: receipt.outputs[at]?.published?.directory ?? '' }));
  const env = { ...hookEnvironment(plan, jobs), CAIRN_RELEASE_RECEIPT: receipt.id };
  try {
    const { exitCode } = runHook(repository, 'post-release', { args: hookArguments(plan), env });
    if (exitCode !== 0) warn(repository, `hook 'post-release' exited with ${exitCode}; the release is made`);
  } catch (error) {
    if (!(error instanceof CairnError)) throw error;
    warn(repository, `${error.message}; the release is made`);
  }
}

/** What a rollback publishes; RefusedError for a receipt marked bad, NotFoundError when there is nothing earlier. */
export function planRollback(repository: Repository, channel: Channel, to: number | string, message: string, signer?: Signer): ReleaseRequest {
  const live = requireNewestReceipt(repository, channel);
  let found = typeof to === 'number' ? findRollback(repository, channel, to) : resolveReceipt(repository, channel, to);
  if (found === undefined) {
    throw new NotFoundError(`channel '${channel}' has no release ${to === 1 ? 'before' : `${to} before`} the live one that is not marked bad`, { code: 'nothing-to-roll-back-to' });
  }
  if (found.restores !== undefined) found = findReceipt(repository, found.restores) ?? found;
  if (isBad(repository, found)) {
    throw new RefusedError(`'${channel}/${found.number}' is marked bad`, { code: 'marked-bad', hint: 'to publish it all the same, release its commit again' });
  }
  if (found.id === live.id) throw new ConflictError(`'${channel}/${found.number}' is live already`, { code: 'already-live' });
  return { channel, commit: found.commit, targets: undefined, paths: undefined, message, restores: found, expected: live.id, signer };
}
