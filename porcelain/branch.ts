// Branches: making, moving, renaming and deleting them, and what they follow. Shared by branch, switch and checkout. Specified by git-branch(1).
//
// A branch that is checked out anywhere is never moved or deleted from under that work tree, and one whose commits nothing else is
// known to have is deleted only with force. Refs move with the value they were seen to have as expectation; value, log, settings and every HEAD
// follow a new name in one transaction. If the power fails between making a branch and configuring it, the branch is there without its settings.
import { basename } from 'node:path';
import { CairnError, ConflictError, InvalidError, NotFoundError, RefusedError } from '../pack/errors.js';
import type { ObjectId } from '../pack/oid.js';
import { abbreviateId } from '../plumbing/objects/abbreviation.js';
import { editRepositoryConfig, hasBranchSettings, moveBranchSettings, removeBranchSettings } from '../plumbing/branch-settings.js';
import { parseConfigKey, setInConfig, unsetInConfig } from '../plumbing/config-file.js';
import { isAncestor, mergeBases } from '../plumbing/history/merge-base.js';
import { type RefName, isRefName } from '../plumbing/refs/ref-name.js';
import { type RefEdit, RefTransaction, updateRef } from '../plumbing/refs/ref-transaction.js';
import { readReflogText } from '../plumbing/refs/reflog.js';
import type { Repository } from '../plumbing/repository.js';
import { expandBranchName, expandRefName, findRevision, peel, resolveCommit } from '../plumbing/history/revision.js';
import { findUpstream, mapRef } from '../plumbing/refs/upstream.js';
import { listBranchesInUse, listWorkTrees } from '../plumbing/work-trees.js';
import { requireNotHeld } from './retention/hold.js';

/** What a new branch is to follow: what it starts from, what that follows, nothing; undefined leaves it to the configuration. */
export type Tracking = 'direct' | 'inherit' | 'no' | undefined;

export interface BranchRequest {
  readonly name: string;
  /** As typed. */
  readonly start: string;
  readonly force: boolean;
  readonly track: Tracking;
  readonly createReflog?: boolean;
  readonly quiet?: boolean;
}

/** The full name of the branch called `name`, which need not exist; InvalidError when no branch can be called so. */
export function parseBranchName(repository: Repository, name: string): RefName {
  const expanded = (expandBranchName(repository, name) ?? name).replace(/^refs\/heads\/(?=@\{|)/, (prefix) => (name.startsWith(prefix) ? prefix : ''));
  const full = `refs/heads/${expanded}`;
  if (name.startsWith('-') || expanded === 'HEAD' || !isRefName(full)) {
    throw new InvalidError(`'${name}' is not a valid branch name`, { code: 'bad-ref-name', hint: 'see cairn check-ref-format for the rules' });
  }
  return full;
}

export const shortBranch = (full: string): string => full.replace(/^refs\/heads\//, '');

/** The commit `text` names, also as 'A...B': what both have in common. */
export function resolveStart(repository: Repository, text: string): ObjectId {
  const found = findStart(repository, text);
  if (found === undefined) throw new NotFoundError(`not a valid object name: '${text}'`, { code: 'bad-revision' });
  return found;
}

/** Like resolveStart, but undefined when it names no commit. */
export function findStart(repository: Repository, text: string): ObjectId | undefined {
  const dots = text.indexOf('...');
  if (dots >= 0) {
    const [one, two] = [text.slice(0, dots) || 'HEAD', text.slice(dots + 3) || 'HEAD'].map((name) => findRevision(repository, name, 'committish'));
    if (one !== undefined && two !== undefined) {
      const bases = mergeBases(repository, resolveCommit(repository, one), [resolveCommit(repository, two)]);
      return bases.length === 1 ? bases[0] : undefined;
    }
  }
  const id = findRevision(repository, text, 'committish');
  return id === undefined ? undefined : peel(repository, id, 'commit');
}

/** The work tree a branch is checked out in; undefined when in none. */
export function findCheckedOut(repository: Repository, full: string): string | undefined {
  for (const place of listWorkTrees(repository)) if (place.branch === full) return place.path;
  return undefined;
}

/** What making a branch comes to, decided but not done. */
export interface BranchPlan {
  readonly full: RefName;
  readonly start: ObjectId;
  readonly former: ObjectId | undefined;
  readonly message: string;
  readonly track: () => void;
}

/** Decides whether the branch may be made, and what it follows; nothing is changed. */
export function planBranch(repository: Repository, request: BranchRequest): BranchPlan {
  const { name, start, force, track } = request;
  const full = parseBranchName(repository, name);
  const former = repository.refs.find(full)?.id;
  if (former !== undefined && !force) {
    throw new RefusedError(`a branch named '${shortBranch(full)}' already exists`, { code: 'branch-exists', hint: 'choose another name, or force it' });
  }
  if (force) {
    const place = findCheckedOut(repository, full);
    if (place !== undefined && (former !== undefined || repository.refs.headBranch() === full)) {
      throw new RefusedError(`cannot force update the branch '${shortBranch(full)}' checked out at '${place}'`, { code: 'branch-in-use' });
    }
  }
  const id = resolveStart(repository, start);
  const tracking = planTracking(repository, full, start, track);
  return {
    full, start: id, former,
    message: `branch: ${former === undefined ? 'Created from' : 'Reset to'} ${start}`,
    track: () => { if (tracking !== undefined) followUpstream(repository, full, tracking, request.quiet === true); },
  };
}

/** Makes the branch, or with force moves it. */
export function createBranch(repository: Repository, request: BranchRequest): void {
  const plan = planBranch(repository, request);
  updateRef(repository, {
    name: plan.full, expected: plan.former ?? 'absent', target: { id: plan.start }, message: plan.message,
    ...(request.createReflog === true ? { createReflog: true } : {}),
  });
  plan.track();
}

// ---- what a branch follows

/** A remote ('.' for this repository) and a ref there. */
export interface Followed {
  readonly remote: string;
  readonly merge: string;
}

function planTracking(repository: Repository, full: RefName, start: string, track: Tracking): Followed | undefined {
  const { config } = repository;
  const configured = config.get('branch.autosetupmerge');
  const word = configured === 'always' || configured === 'inherit' || configured === 'simple' ? configured
    : config.getBoolean('branch.autosetupmerge') === false ? 'no' : 'remote';
  const mode = track ?? word;
  if (mode === 'no') return undefined;
  const ref = findBranchRef(repository, start);
  if (ref === undefined) {
    if (track === 'direct') {
      throw new RefusedError(`cannot set up tracking information; starting point '${start}' is not a branch`, { code: 'not-a-branch' });
    }
    return undefined;
  }
  if (mode === 'inherit') {
    const name = shortBranch(ref);
    const remote = config.get(`branch.${name}.remote`);
    const merge = config.get(`branch.${name}.merge`);
    return !ref.startsWith('refs/heads/') || remote === undefined || merge === undefined ? undefined : { remote, merge };
  }
  const followed = findTracked(repository, ref, track === 'direct');
  if (followed === undefined) return mode === 'direct' || mode === 'always' ? { remote: '.', merge: ref } : undefined;
  if (followed === 'ambiguous') return undefined;
  return mode === 'simple' && followed.merge !== full ? undefined : followed;
}

/** The branch or remote-tracking branch `text` names; undefined for anything else. */
function findBranchRef(repository: Repository, text: string): string | undefined {
  const ref = expandRefName(repository, text);
  const target = ref === undefined || ref === 'HEAD' ? undefined : repository.refs.resolve(ref).name;
  return target !== undefined && /^refs\/(?:heads|remotes)\//.test(target) ? target : undefined;
}

/** The remote, and the ref there, that a ref tracks. */
function findTracked(repository: Repository, ref: string, isExplicit: boolean): Followed | 'ambiguous' | undefined {
  const found: Followed[] = [];
  for (const remote of repository.config.subsections('remote')) {
    const turned = repository.config.getAll(`remote.${remote}.fetch`).filter((spec) => !spec.startsWith('^')).map((spec) => {
      const [from, to] = spec.replace(/^\+/, '').split(':');
      return `${to ?? ''}:${from ?? ''}`;
    });
    const merge = mapRef(turned, ref);
    if (merge !== undefined) found.push({ remote, merge });
  }
  if (found.length < 2) return found[0];
  if (isExplicit) throw new RefusedError(`not tracking: ambiguous information for ref '${ref}'`, { code: 'ambiguous-upstream' });
  return 'ambiguous';
}

const latin1 = (text: string): string => Buffer.from(text).toString('latin1');

/** Writes down what the branch follows, and says so. */
function followUpstream(repository: Repository, full: RefName, { remote, merge }: Followed, quiet: boolean): void {
  const name = shortBranch(full);
  const { stdout, stderr } = repository.context;
  if (remote === '.' && merge === full) {
    stderr.write(`warning: not setting branch '${name}' as its own upstream\n`);
    return;
  }
  const rebases = repository.config.get('branch.autosetuprebase') ?? 'never';
  const rebase = rebases === 'always' || rebases === (remote === '.' ? 'local' : 'remote');
  editRepositoryConfig(repository, (text, path) => {
    const set = (before: string, variable: string, value: string): string =>
      setInConfig(before, parseConfigKey(`branch.${name}.${variable}`), latin1(value), path, { all: true });
    const both = set(set(text, 'remote', remote), 'merge', merge);
    return rebase ? set(both, 'rebase', 'true') : both;
  });
  const short = merge.startsWith('refs/heads/') ? shortBranch(merge) : merge;
  const shown = remote === '.' || short === merge ? short : `${remote}/${short}`;
  if (!quiet) stdout.write(`branch '${name}' set up to track '${shown}'${rebase ? ' by rebasing' : ''}.\n`);
}

/** The existing branch follows `upstream`, a branch here or a remote-tracking one. */
export function setUpstream(repository: Repository, full: RefName, upstream: string, quiet: boolean): void {
  if (repository.refs.find(full) === undefined) throw new NotFoundError(`branch '${shortBranch(full)}' does not exist`, { code: 'no-branch' });
  const ref = findBranchRef(repository, upstream);
  if (ref === undefined) {
    if (findRevision(repository, upstream) === undefined) {
      throw new NotFoundError(`the requested upstream branch '${upstream}' does not exist`, { code: 'no-branch' });
    }
    throw new RefusedError(`cannot set up tracking information; starting point '${upstream}' is not a branch`, { code: 'not-a-branch' });
  }
  const followed = findTracked(repository, ref, true);
  followUpstream(repository, full, followed === undefined || followed === 'ambiguous' ? { remote: '.', merge: ref } : followed, quiet);
}

/** The branch follows nothing any more; NotFoundError when it did not. */
export function unsetUpstream(repository: Repository, full: RefName): void {
  const name = shortBranch(full);
  if (repository.config.get(`branch.${name}.merge`) === undefined) {
    throw new NotFoundError(`branch '${name}' has no upstream information`, { code: 'no-upstream' });
  }
  editRepositoryConfig(repository, (text, path) => {
    const unset = (before: string, variable: string): string => {
      if (repository.config.getAll(`branch.${name}.${variable}`).length === 0) return before;
      return unsetInConfig(before, parseConfigKey(`branch.${name}.${variable}`), path, { all: true });
    };
    return unset(unset(text, 'remote'), 'merge');
  });
}

/** Writes the description of a branch; an empty one is taken away. `text` is latin1. */
export function setDescription(repository: Repository, full: RefName, text: string): void {
  const key = parseConfigKey(`branch.${shortBranch(full)}.description`);
  const isThere = repository.config.find(key.name) !== undefined || repository.config.get(`branch.${shortBranch(full)}.description`) !== undefined;
  if (text === '' && !isThere) return;
  editRepositoryConfig(repository, (before, path) => (text === '' ? unsetInConfig(before, key, path, { all: true }) : setInConfig(before, key, text, path, { all: true })));
}

// ---- deleting

export interface DeleteRequest {
  readonly force: boolean;
  /** The names are remote-tracking branches. */
  readonly remote: boolean;
  readonly quiet: boolean;
}

/** Deletes what may be deleted, saying so; gives what could not be, in order. */
export function deleteBranches(repository: Repository, names: readonly string[], request: DeleteRequest): CairnError[] {
  const failures: CairnError[] = [];
  for (const name of names) {
    try {
      deleteBranch(repository, name, request);
    } catch (error) {
      if (!(error instanceof NotFoundError || error instanceof RefusedError || error instanceof ConflictError || error instanceof InvalidError)) throw error;
      failures.push(error);
    }
  }
  return failures;
}

function deleteBranch(repository: Repository, name: string, { force, remote, quiet }: DeleteRequest): void {
  const { refs, context } = repository;
  const full = remote ? `refs/remotes/${name}` : `refs/heads/${expandBranchName(repository, name) ?? name}`;
  const kind = remote ? 'remote-tracking branch' : 'branch';
  const raw = isRefName(full) ? refs.readRaw(full) : undefined;
  if (raw === undefined) throw new NotFoundError(`${kind} '${name}' not found`, { code: 'no-branch' });
  const short = remote ? name : shortBranch(full);
  const place = remote ? undefined : [...listBranchesInUse(repository)].find(({ branch }) => branch === full)?.path;
  if (place !== undefined) throw new RefusedError(`cannot delete branch '${short}' checked out at '${place}'`, { code: 'branch-in-use' });
  const id = raw.kind === 'id' ? raw.id : undefined;
  if (id !== undefined) requireNotHeld(repository, short, id);
  if (!remote && !force && id !== undefined) requireMerged(repository, full, id);
  updateRef(repository, { name: full, expected: id, target: 'delete', noDeref: true });
  if (!remote) removeBranchSettings(repository, short);
  const was = raw.kind === 'id' ? abbreviateId(repository, raw.id) : raw.target;
  if (!quiet) context.stdout.write(`Deleted ${kind} ${short} (was ${was}).\n`);
}

/** What the branch has must be in what it follows, or else in HEAD. */
function requireMerged(repository: Repository, full: string, id: ObjectId): void {
  const name = shortBranch(full);
  const head = repository.refs.find('HEAD')?.id;
  let upstream: { readonly ref: string; readonly id: ObjectId } | undefined;
  try {
    const ref = findUpstream(repository, full);
    const found = repository.refs.find(ref)?.id;
    if (found !== undefined) upstream = { ref, id: found };
  } catch (error) {
    if (!(error instanceof NotFoundError)) throw error;
  }
  const reference = upstream?.id ?? head;
  const isMerged = reference !== undefined && isAncestor(repository, id, reference);
  const isInHead = head !== undefined && (reference === head ? isMerged : isAncestor(repository, id, head));
  const { stderr } = repository.context;
  if (upstream !== undefined && isMerged !== isInHead) {
    stderr.write(isMerged ? `warning: deleting branch '${name}' that has been merged to\n         '${upstream.ref}', but not yet merged to HEAD.\n`
      : `warning: not deleting branch '${name}' that is not yet merged to\n         '${upstream.ref}', even though it is merged to HEAD.\n`);
  }
  if (!isMerged) {
    throw new RefusedError(`the branch '${name}' is not fully merged`, {
      code: 'not-merged', hint: `if you are sure you want to delete it, say cairn branch -D ${name}`,
    });
  }
}

// ---- renaming and copying

export interface RenameRequest {
  readonly from: RefName;
  readonly to: RefName;
  readonly force: boolean;
  readonly copies: boolean;
}

/** Gives a branch another name (or a second branch the same commit, log and settings). */
export function renameBranch(repository: Repository, { from, to, force, copies }: RenameRequest): void {
  const { refs } = repository;
  const isUnborn = refs.find(from) === undefined;
  if (isUnborn && refs.headBranch() !== from) throw new NotFoundError(`no branch named '${shortBranch(from)}'`, { code: 'no-branch' });
  if (from !== to) {
    if (refs.find(to) !== undefined && !force) throw new RefusedError(`a branch named '${shortBranch(to)}' already exists`, { code: 'branch-exists' });
    const place = findCheckedOut(repository, to);
    if (place !== undefined) throw new RefusedError(`cannot force update the branch '${shortBranch(to)}' checked out at '${place}'`, { code: 'branch-in-use' });
  }
  if (isUnborn && copies) throw new NotFoundError(`no commit on branch '${shortBranch(from)}' yet`, { code: 'no-branch' });
  if (from === to) return;
  if (isUnborn) {
    change(repository, { from, to, copies }, listHeadsOn(repository, from).map((name) => ({ name, target: { symbolic: to }, noDeref: true })));
    return;
  }
  const message = `Branch: ${copies ? 'copied' : 'renamed'} ${from} to ${to}`;
  if (copies || !(to.startsWith(`${from}/`) || from.startsWith(`${to}/`))) {
    giveName(repository, { from, to, copies }, message);
    return;
  }
  // Both cannot be there at once, so it goes by way of a third name, and is whole under that, too.
  const between = `refs/heads/renaming-${repository.context.process.pid}-${repository.context.clock.nowMs()}` as RefName;
  giveName(repository, { from, to: between, copies });
  giveName(repository, { from: between, to, copies }, message);
}

interface NameChange {
  readonly from: RefName;
  readonly to: RefName;
  readonly copies: boolean;
}

/** The new branch has value, log and settings of the old; without a message nothing of this is logged. */
function giveName(repository: Repository, names: NameChange, message?: string): void {
  const { from, to, copies } = names;
  const { refs } = repository;
  const { id } = refs.find(from)!;
  const logged = message === undefined ? { isUnlogged: true } : { message };
  const edits: RefEdit[] = [{ name: to, expected: refs.find(to)?.id ?? 'absent', target: { id }, noDeref: true, formerLog: readReflogText(repository, from), ...logged }];
  if (!copies) {
    edits.push({ name: from, expected: id, target: 'delete', noDeref: true });
    for (const name of listHeadsOn(repository, from)) edits.push({ name, target: { symbolic: to }, noDeref: true, ...logged });
  }
  change(repository, names, edits);
}

function change(repository: Repository, { from, to, copies }: NameChange, edits: readonly RefEdit[]): void {
  const move = { from: shortBranch(from), to: shortBranch(to), copies };
  const settings = hasBranchSettings(repository, move.from) ? { move, apply: () => { moveBranchSettings(repository, move); } } : undefined;
  using transaction = new RefTransaction(repository, { settings });
  for (const edit of edits) transaction.add(edit);
  transaction.commit();
}

/** HEAD of each work tree that is on the branch, named as from here. */
function listHeadsOn(repository: Repository, branch: RefName): RefName[] {
  const { refs, gitDirectory, commonDirectory } = repository;
  const names = [...listWorkTrees(repository)].map((place) => (place.gitDirectory === gitDirectory ? 'HEAD'
    : place.gitDirectory === commonDirectory ? 'main-worktree/HEAD' : `worktrees/${basename(place.gitDirectory)}/HEAD`) as RefName);
  return names.filter((name) => refs.findSymbolic(name) === branch);
}
