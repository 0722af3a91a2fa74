// Releases: what a channel publishes, planned and then done. Specified by cairn-release(1) and cairn-receipt(5).
//
// Order of `applyRelease`: journal (building) → directories written, read back, durable → pre-release hook → receipt stored → ref
// transaction prepared → journal (swapping) → each target's link replaced by one rename → refs → event → journal removed.
// Invariants: before the rename nothing at the target changed, after it everything did; a receipt counts when its ref names it.
// If it fails, it is undone; if the power fails, whoever comes next settles it from the journal: no link replaced, it never
// happened; a link replaced, it is completed. Nobody has to clean up.
import * as fs from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { makeDirectories, removeIfPresent, temporaryName } from '../pack/disk.js';
import { CairnError, ConflictError, CorruptError, InvalidError, LockedError, NotFoundError, RefusedError, isSystemError } from '../pack/errors.js';
import type { ObjectStore } from '../pack/object-store.js';
import type { ObjectId } from '../pack/oid.js';
import { type RepoPath, gitlinkMode } from '../pack/tree.js';
import { runHook } from '../plumbing/hooks.js';
import { committerIdent } from '../plumbing/identity.js';
import { LockFile } from '../plumbing/lockfile.js';
import { readPathProtection } from '../plumbing/path-safety.js';
import { RefTransaction, updateRef } from '../plumbing/ref-transaction.js';
import type { Repository } from '../plumbing/repository.js';
import {
  type Channel, type Target, badRef, containerPattern, isChannel, listChannels, receiptRef, releaseRef, rememberTargets, rememberedTargets, targetKey, targetNamed,
} from './channel.js';
import { appendEvent, listEventsBackwards } from './events.js';
import {
  type Receipt, type ReceiptOutput, type StoredReceipt, directoryPattern, encodeReceipt, findNewestReceipt, listReceipts, readReceipt,
} from './receipt.js';
import {
  type CloneSource, type Swap, buildDirectory, findRecord, isIntact, linkValue, openContainer, readTarget, recordPath, removeDirectory, swapTargets,
  writeRecord,
} from './release-directory.js';
import {
  type Journal, findJournal, journalPath, listJournals, listNames, releasesDirectory, removeJournal, writeJournal,
} from './release-journal.js';
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
const defaultKeep = 3;
/** A private file this old belongs to nobody any more. */
const abandonedMs = 3_600_000;

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
  const history = new History(repository, channel);
  return {
    channel, commit, previous, restores,
    number: (previous?.number ?? 0) + 1,
    message: request.message || (restores === undefined ? '' : `Roll ${channel} back to ${restores.number}`),
    outputs: slots.map((target, at) => planOutput(repository, history, root, target, paths[at]!)),
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

function planOutput(repository: Repository, history: History, root: ObjectId, target: Target | undefined, path: RepoPath | undefined): PlannedOutput {
  const tree = findSubtree(repository.objects, root, path);
  if (target === undefined) return { path, tree, target, before: null, live: undefined, action: 'record', existing: undefined };
  const before = currentDirectory(target);
  const live = before === null ? undefined : history.findDirectory(target, before);
  const existing = history.findIntact(target, tree, before);
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
    : `target '${target.name}' exists and was not made by a release`, { code: 'foreign-target', hint: `move '${target.path}' away, or choose another target with --to` });
}

/** A link's value; null when nothing is there, undefined when something else is. */
function linkOf(target: Target): string | null | undefined {
  const state = readTarget(target);
  return state.kind === 'link' ? state.value : state.kind === 'absent' ? null : undefined;
}

/** A channel's receipts, read as far as a question needs. */
class History {
  readonly #repository: Repository;
  readonly #source: Iterator<StoredReceipt>;
  readonly #read: StoredReceipt[] = [];
  /** Directories that have a record, so may still be there. */
  readonly #recorded: ReadonlySet<string>;

  constructor(repository: Repository, channel: Channel) {
    this.#repository = repository;
    this.#source = listReceipts(repository, channel);
    this.#recorded = new Set(listRecorded(repository));
  }

  *#receipts(): Generator<StoredReceipt> {
    for (let at = 0; ; at += 1) {
      if (at === this.#read.length) {
        const next = this.#source.next();
        if (next.done === true) return;
        this.#read.push(next.value);
      }
      yield this.#read[at]!;
    }
  }

  /** The outputs published to a target whose directories have a record, newest first, each directory once. */
  *#published(target: Target): Generator<ReceiptOutput> {
    const left = new Set(this.#recorded);
    for (const { outputs } of this.#receipts()) {
      for (const output of outputs) {
        const { published } = output;
        if (published !== undefined && left.delete(published.directory) && published.target === target.name) yield output;
      }
      if (left.size === 0) return;
    }
  }

  findDirectory(target: Target, directory: string): ReceiptOutput | undefined {
    for (const output of this.#published(target)) if (output.published?.directory === directory) return output;
    return undefined;
  }

  /** A directory that still holds exactly `tree`; the live one first. */
  findIntact(target: Target, tree: ObjectId, live: string | null): ReceiptOutput | undefined {
    const candidates = [...this.#published(target)].filter((output) => output.tree === tree)
      .sort((a, b) => Number(b.published?.directory === live) - Number(a.published?.directory === live));
    return candidates.find(({ published }) => {
      const path = join(target.container, published!.directory);
      if (fs.lstatSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) return false;
      const record = findRecord(recordPath(releasesDirectory(this.#repository), published!.directory), this.#repository.format);
      return record !== undefined && isIntact(path, record);
    });
  }

  /** The newest outputs of a target first, each directory once, with the receipt that is to blame for it. */
  *listDirectories(target: Target): Generator<{ readonly directory: string; readonly tree: ObjectId; readonly receipt: StoredReceipt }> {
    const left = new Set(this.#recorded);
    for (const receipt of this.#receipts()) {
      for (const { published, tree } of receipt.outputs) {
        if (published !== undefined && left.delete(published.directory) && published.target === target.name) yield { directory: published.directory, tree, receipt };
      }
      if (left.size === 0) return;
    }
  }
}

/** Names of directories that have a record. */
function listRecorded(repository: Repository): string[] {
  return listNames(repository).flatMap((name) => {
    const directory = name.endsWith('.index') ? name.slice(0, -'.index'.length) : '';
    return directoryPattern.test(directory) ? [directory] : [];
  });
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
  const { plan, receipt } = publishLocked(repository, request);
  // The next release need not wait for what the hook does, and the hook may make one.
  tellHook(repository, plan, receipt);
  return receipt;
}

function publishLocked(repository: Repository, request: ReleaseRequest): { plan: ReleasePlan; receipt: StoredReceipt } {
  using _lock = lockChannel(repository, request.channel, lockTimeoutMs);
  settleChannel(repository, request.channel);
  const plan = planRelease(repository, request);
  return { plan, receipt: applyRelease(repository, plan) };
}

function lockChannel(repository: Repository, channel: Channel, timeoutMs: number): LockFile {
  makeDirectories(releasesDirectory(repository));
  return LockFile.acquire(journalPath(repository, channel), { holder: repository.lockHolder, timeoutMs });
}

/** An output on its way, with what the journal says of it. */
interface Job {
  readonly plan: PlannedOutput;
  readonly staging: string;
  readonly directory: string;
}

/** Does exactly the plan, or undoes what it began and throws. The caller holds the channel's lock. */
function applyRelease(repository: Repository, plan: ReleasePlan): StoredReceipt {
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
    const outputs = jobs.map((job) => makeOutput(repository, job));
    askHook(repository, plan, jobs);
    const content: Receipt = {
      channel: plan.channel, number: plan.number, kind: plan.restores === undefined ? 'release' : 'rollback', commit: plan.commit,
      restores: plan.restores?.id, previous: plan.previous?.id, outputs, tagger, message: plan.message,
    };
    const id = repository.objects.write('tag', encodeReceipt(content));
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
function makeOutput(repository: Repository, job: Job): ReceiptOutput {
  try {
    return makeWholeOutput(repository, job);
  } catch (error) {
    if (!(error instanceof NotFoundError) || error.code !== 'object-missing') throw error;
    throw new CorruptError(`snapshot is not complete: ${error.message}`, { code: 'object-missing', hint: 'run cairn fsck; restore the object from another copy', cause: error });
  }
}

/** The receipt's lines about an output that is now there. */
function makeWholeOutput(repository: Repository, { plan, staging, directory }: Job): ReceiptOutput {
  const { path, tree, target, existing } = plan;
  const published = target && { target: target.name, directory };
  if (existing !== undefined) return { path, tree, published, files: existing.files, bytes: existing.bytes, verification: 'unchanged' };
  const store = repository.objects;
  const files = listTreeFiles(store, tree, readPathProtection(repository.config));
  if (target === undefined) return { path, tree, published, ...countObjects(store, files), verification: 'objects' };
  openContainer(target);
  const built = buildDirectory(store, files, target.container, { staging, directory }, cloneSource(repository, target, plan.live));
  writeRecord(recordPath(releasesDirectory(repository), directory), built.record);
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

function cloneSource(repository: Repository, target: Target, live: ReceiptOutput | undefined): CloneSource | undefined {
  if (live?.published === undefined) return undefined;
  const record = findRecord(recordPath(releasesDirectory(repository), live.published.directory), repository.format);
  return record && { path: join(target.container, live.published.directory), record };
}

function addRefEdits(transaction: RefTransaction, receipt: StoredReceipt): void {
  const { id } = receipt;
  transaction.add({ name: receiptRef(id), target: { id } });
  transaction.add({
    name: releaseRef(receipt.channel), expected: receipt.previous ?? 'absent', target: { id }, createReflog: true,
    message: `${receipt.kind}: ${receipt.channel} ${receipt.number}`,
  });
}

function swapAll(repository: Repository, journal: Journal): void {
  swapTargets(journal.outputs.map(({ target: name, staging, directory, before }): Swap => {
    const target = targetNamed(repository, name);
    return { target, before, after: linkValue(target, directory), temporary: `${staging}.link` };
  }));
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
    const record = findRecord(recordPath(releasesDirectory(repository), directory), repository.format);
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

function warn(repository: Repository, message: string): void {
  repository.context.stderr.write(`warning: ${message}\n`);
}

// ---- finishing and undoing

/** What follows the moved ref. Nothing of it can unmake the release, so a failure is only told; the journal stays and it is tried again. */
function complete(repository: Repository, receipt: StoredReceipt, journal: Journal): void {
  try {
    keepTargets(repository, journal);
    recordEvent(repository, receipt);
    removeJournal(repository, receipt.channel);
    pruneDirectories(repository, receipt);
  } catch (error) {
    if (!(error instanceof CairnError) && !isSystemError(error)) throw error;
    warn(repository, `the release is made, but not all is tidy yet: ${error.message}`);
  }
}

function keepTargets(repository: Repository, { channel, remember }: Journal): void {
  if (remember === null) return;
  const now = repository.config.getAll(targetKey(channel));
  if (now.length !== remember.length || now.some((value, at) => value !== remember[at])) rememberTargets(repository, channel, remember);
}

function recordEvent(repository: Repository, receipt: StoredReceipt): void {
  appendEvent(repository, receipt.kind, {
    channel: receipt.channel, number: receipt.number, receipt: receipt.id, commit: receipt.commit,
    targets: receipt.outputs.flatMap(({ published }) => published === undefined ? [] : [published.target]),
    ...(receipt.restores === undefined ? {} : { restores: receipt.restores }),
  });
}

/** Undoes a release that failed here; what cannot be undone now is left to the next command. */
function undoAfter(repository: Repository, journal: Journal): void {
  try {
    undo(repository, journal);
  } catch (error) {
    if (!(error instanceof CairnError) && !isSystemError(error)) throw error;
    warn(repository, `what was begun is not yet undone (${error.message}); the next release will do it`);
  }
}

/** Puts refs and links back, then removes what was built. */
function undo(repository: Repository, journal: Journal): void {
  const { channel, receipt } = journal;
  if (receipt !== null) {
    if (repository.refs.find(releaseRef(channel))?.id === receipt) {
      const { previous } = readReceipt(repository.objects, receipt);
      updateRef(repository, { name: releaseRef(channel), expected: receipt, target: previous === undefined ? 'delete' : { id: previous }, message: 'release: undone' });
    }
    if (repository.refs.find(receiptRef(receipt)) !== undefined) updateRef(repository, { name: receiptRef(receipt), target: 'delete' });
  }
  swapTargets(journal.outputs.flatMap(({ target: name, staging, directory, before }): Swap[] => {
    const target = targetNamed(repository, name);
    const after = linkValue(target, directory);
    return linkOf(target) === after && before !== after ? [{ target, before: after, after: before, temporary: `${staging}.link` }] : [];
  }));
  removeBuilt(repository, journal);
  removeJournal(repository, channel);
}

/** Removes everything a journal says was made, but never what a target points to. */
function removeBuilt(repository: Repository, journal: Journal): void {
  for (const { target: name, staging, directory, fresh } of journal.outputs) {
    const target = targetNamed(repository, name);
    if (fs.lstatSync(target.container, { throwIfNoEntry: false })?.isDirectory() !== true) continue;
    removeIfPresent(join(target.container, `${staging}.link`));
    if (fresh && linkOf(target) !== linkValue(target, directory)) {
      removeIfPresent(recordPath(releasesDirectory(repository), directory));
      removeDirectory(target.container, directory, staging);
    }
    removeDirectory(target.container, staging, staging);
  }
}

/** Completes or undoes what a crash left on a channel; the caller holds its lock. */
function settleChannel(repository: Repository, channel: Channel): void {
  const journal = findJournal(repository, channel);
  if (journal === undefined) return;
  const receipt = journal.receipt === null ? undefined : findStored(repository, journal.receipt);
  if (receipt === undefined || !wasSwapped(repository, journal, receipt)) {
    undo(repository, journal);
    return;
  }
  swapTargets(journal.outputs.flatMap(({ target: name, staging, directory, before }): Swap[] => {
    const target = targetNamed(repository, name);
    const now = linkOf(target);
    const after = linkValue(target, directory);
    // What somebody else put there stays.
    return now === after || now === before ? [{ target, before: now, after, temporary: `${staging}.link` }] : [];
  }));
  const edits = new RefTransaction(repository);
  if (repository.refs.find(releaseRef(channel))?.id === receipt.id) edits.add({ name: receiptRef(receipt.id), target: { id: receipt.id } });
  else addRefEdits(edits, receipt);
  edits.commit();
  for (const { target, staging } of journal.outputs) removeIfPresent(join(targetNamed(repository, target).container, `${staging}.link`));
  keepTargets(repository, journal);
  if (!isLogged(repository, receipt)) recordEvent(repository, receipt);
  removeJournal(repository, channel);
  pruneDirectories(repository, receipt);
}

/** True when readers may have seen the release: its ref has moved, or could still move and a link has been replaced. */
function wasSwapped(repository: Repository, journal: Journal, receipt: StoredReceipt): boolean {
  const now = repository.refs.find(releaseRef(journal.channel))?.id;
  if (now === receipt.id) return true;
  if (now !== receipt.previous) return false;
  return journal.outputs.some(({ target: name, directory, before }) => {
    const target = targetNamed(repository, name);
    const after = linkValue(target, directory);
    return before !== after && linkOf(target) === after;
  });
}

function findStored(repository: Repository, id: ObjectId): StoredReceipt | undefined {
  try {
    return readReceipt(repository.objects, id);
  } catch (error) {
    if (error instanceof NotFoundError || error instanceof CorruptError) return undefined;
    throw error;
  }
}

function isLogged(repository: Repository, receipt: StoredReceipt): boolean {
  for (const { kind, data } of listEventsBackwards(repository)) {
    if ((kind === 'release' || kind === 'rollback') && data['channel'] === receipt.channel) return data['receipt'] === receipt.id;
  }
  return false;
}

/** Completes or undoes what crashes left, on every channel nobody is working on; where nothing may be written, nothing is done. */
export function settleReleases(repository: Repository): void {
  for (const { channel } of listJournals(repository)) {
    try {
      using _lock = lockChannel(repository, channel, 0);
      settleChannel(repository, channel);
    } catch (error) {
      if (!(error instanceof LockedError) && !isSystemError(error, 'EACCES', 'EPERM', 'EROFS')) throw error;
    }
  }
}

/** What interrupted releases and deleted channels left is settled or removed; gc calls this. */
export function removeLeftovers(repository: Repository): void {
  settleReleases(repository);
  const wanted = new Set(listJournals(repository).flatMap(({ outputs }) => outputs.map(({ directory }) => directory)));
  for (const { channel } of listChannels(repository)) {
    for (const { outputs } of listReceipts(repository, channel)) for (const { published } of outputs) if (published) wanted.add(published.directory);
  }
  for (const directory of listRecorded(repository)) {
    if (!wanted.has(directory)) removeIfPresent(recordPath(releasesDirectory(repository), directory));
  }
  // What a process died over while it replaced a journal or a record; a living one needs no hour for that.
  for (const name of listNames(repository)) {
    const path = join(releasesDirectory(repository), name);
    const status = name.startsWith('tmp_') ? fs.statSync(path, { throwIfNoEntry: false }) : undefined;
    if (status !== undefined && status.mtimeMs < Date.now() - abandonedMs) removeIfPresent(path);
  }
}

// ---- keeping directories

function readKeep(repository: Repository): number {
  const keep = repository.config.getInteger('release.keep') ?? defaultKeep;
  if (keep < 1) throw new InvalidError(`bad config value '${keep}' for 'release.keep': at least 1 is needed`, { code: 'bad-config-value' });
  return keep;
}

/** Removes directories of the receipt's targets beyond the newest release.keep; never the live one or the one a rollback would take. */
function pruneDirectories(repository: Repository, receipt: StoredReceipt): void {
  const keep = readKeep(repository);
  const { channel } = receipt;
  const back = findRollback(repository, channel, 1);
  for (const { published } of receipt.outputs) {
    if (published === undefined) continue;
    const target = targetNamed(repository, published.target);
    const live = linkOf(target);
    // The rollback would take the newest directory of its tree, whichever receipt made it.
    let spared = back && (back.outputs.find((output) => output.published?.target === published.target) ?? back.outputs[0])?.tree;
    let kept = 0;
    for (const { directory, tree, receipt: owner } of new History(repository, channel).listDirectories(target)) {
      const isThere = fs.existsSync(join(target.container, directory));
      const isSpared = isThere && tree === spared;
      if (isSpared) spared = undefined;
      if (isSpared || live === linkValue(target, directory) || (isThere && kept < keep && !isBad(repository, owner))) {
        kept += 1;
        continue;
      }
      // The record goes last: while it is there, an interrupted removal is taken up again.
      removeDirectory(target.container, directory, `tmp-${directory.slice(directory.indexOf('.') + 1)}`);
      removeIfPresent(recordPath(releasesDirectory(repository), directory));
    }
  }
}

// ---- earlier releases

/** True when the receipt, or the one whose snapshot it published again, is marked bad. */
export function isBad(repository: Repository, receipt: StoredReceipt): boolean {
  return repository.refs.find(badRef(receipt.restores ?? receipt.id)) !== undefined;
}

/** What marking gives back: the receipt that is now marked. */
export function markBad(repository: Repository, receipt: StoredReceipt): StoredReceipt {
  const marked = receipt.restores === undefined ? receipt : readReceipt(repository.objects, receipt.restores);
  if (isBad(repository, marked)) return marked;
  updateRef(repository, { name: badRef(marked.id), target: { id: marked.id } });
  appendEvent(repository, 'mark-bad', { channel: marked.channel, number: marked.number, receipt: marked.id });
  return marked;
}

/**
 * The release that lies `steps` before what is live: rollbacks count as what they restored, so rolling back twice goes back twice;
 * bad ones, and ones that publish the same as the one counted before, are passed over. Undefined when there is none.
 */
export function findRollback(repository: Repository, channel: Channel, steps: number): StoredReceipt | undefined {
  const receipts = new Map<ObjectId, StoredReceipt>();
  for (const receipt of listReceipts(repository, channel)) receipts.set(receipt.id, receipt);
  const origin = (receipt: StoredReceipt): StoredReceipt => (receipt.restores && receipts.get(receipt.restores)) ?? receipt;
  let cursor = receipts.values().next().value;
  if (cursor === undefined) return undefined;
  cursor = origin(cursor);
  let counted = snapshotKey(cursor);
  for (let left = steps; left > 0;) {
    const earlier: StoredReceipt | undefined = cursor.previous && receipts.get(cursor.previous);
    if (earlier === undefined) return undefined;
    cursor = origin(earlier);
    if (isBad(repository, cursor) || snapshotKey(cursor) === counted) continue;
    counted = snapshotKey(cursor);
    left -= 1;
  }
  return cursor;
}

function snapshotKey({ commit, outputs }: Receipt): string {
  return [commit, ...outputs.map(({ tree }) => tree)].join(' ');
}

/** The receipt of a channel that `text` names: '#<number>', '<channel>/<number>', or a receipt's id or the beginning of one. */
export function resolveReceipt(repository: Repository, channel: Channel, text: string): StoredReceipt {
  const number = text.startsWith('#') ? text.slice(1) : text.startsWith(`${channel}/`) ? text.slice(channel.length + 1) : undefined;
  const byId = /^[0-9a-fA-F]{4,64}$/.test(text) ? text.toLowerCase() : undefined;
  let found: StoredReceipt | undefined;
  for (const receipt of listReceipts(repository, channel)) {
    if (number !== undefined ? String(receipt.number) !== number : byId === undefined || !receipt.id.startsWith(byId)) continue;
    if (found !== undefined) throw new InvalidError(`'${text}' names several receipts of '${channel}'`, { code: 'ambiguous-receipt', hint: 'give more digits' });
    found = receipt;
  }
  if (found === undefined) throw new NotFoundError(`'${text}' is no receipt of channel '${channel}'`, { code: 'no-receipt', hint: `cairn release --history ${channel} lists them` });
  return found;
}

/** The newest receipt; NotFoundError when nothing was released on the channel. */
export function requireNewestReceipt(repository: Repository, channel: Channel): StoredReceipt {
  const receipt = findNewestReceipt(repository, channel);
  if (receipt === undefined) throw new NotFoundError(`nothing was released on channel '${channel}'`, { code: 'no-channel', hint: "'cairn release' lists the channels" });
  return receipt;
}

/** What a rollback publishes; RefusedError for a receipt marked bad, NotFoundError when there is nothing earlier. */
export function planRollback(repository: Repository, channel: Channel, to: number | string, message: string): ReleaseRequest {
  const live = requireNewestReceipt(repository, channel);
  let found = typeof to === 'number' ? findRollback(repository, channel, to) : resolveReceipt(repository, channel, to);
  if (found === undefined) {
    throw new NotFoundError(`channel '${channel}' has no release ${to === 1 ? 'before' : `${to} before`} the live one that is not marked bad`, { code: 'nothing-to-roll-back-to' });
  }
  if (found.restores !== undefined) found = readReceipt(repository.objects, found.restores);
  if (isBad(repository, found)) {
    throw new RefusedError(`'${channel}/${found.number}' is marked bad`, { code: 'marked-bad', hint: 'to publish it all the same, release its commit again' });
  }
  if (found.id === live.id) throw new ConflictError(`'${channel}/${found.number}' is live already`, { code: 'already-live' });
  return { channel, commit: found.commit, targets: undefined, paths: undefined, message, restores: found, expected: live.id };
}
