// What a rebase is to do: which branch, onto what, and which commits, in which order. Specified by git-rebase(1). Nothing is changed.
//
// Commits whose change is upstream already are left out, and merges; fixups are moved behind what they belong to when asked for.
import { InvalidError, NotFoundError } from '../../pack/errors.js';
import type { ObjectId } from '../../pack/oid.js';
import { patchKeyOf } from '../../plumbing/diff/patch-key.js';
import { forkPoint, mergeBases } from '../../plumbing/history/merge-base.js';
import { expandBranchName, findRevision, peel } from '../../plumbing/history/revision.js';
import { RevWalk } from '../../plumbing/history/walk.js';
import { flag } from '../../plumbing/history/walk-flag.js';
import { subjectOf } from '../../plumbing/message.js';
import { isRefName } from '../../plumbing/refs/ref-name.js';
import { findUpstream } from '../../plumbing/refs/upstream.js';
import type { Repository } from '../../plumbing/repository.js';
import { findCheckedOut } from '../branch.js';
import { type TodoItem, todoOf } from './todo-list.js';

export interface RebaseChoice {
  readonly upstream: string | undefined;
  readonly branch: string | undefined;
  readonly onto: string | undefined;
  readonly isRoot: boolean;
  readonly keepsBase: boolean;
  /** Undefined: only where no upstream was named. */
  readonly usesForkPoint: boolean | undefined;
}

export interface RebaseRange {
  readonly headName: string;
  /** As typed or 'HEAD', for messages. */
  readonly branchName: string;
  readonly origHead: ObjectId;
  readonly upstream: ObjectId | undefined;
  readonly upstreamName: string | undefined;
  /** Undefined: the root, onto nothing. */
  readonly onto: ObjectId | undefined;
  readonly ontoName: string;
  /** Only commits after this one count. */
  readonly forkPoint: ObjectId | undefined;
}

/** Finds everything that was named. NotFoundError 'no-upstream' when nothing was and the branch follows nothing. */
export function planRange(repository: Repository, choice: RebaseChoice): RebaseRange {
  const { refs } = repository;
  const head = findHead(repository, choice.branch);
  const upstreamName = choice.isRoot ? undefined : choice.upstream ?? followed(repository);
  const upstream = upstreamName === undefined ? undefined : findCommit(repository, upstreamName);
  if (upstreamName !== undefined && upstream === undefined) throw new InvalidError(`invalid upstream '${upstreamName}'`, { code: 'bad-revision' });
  const usesForkPoint = choice.usesForkPoint ?? (choice.upstream === undefined && !choice.isRoot && !choice.keepsBase && repository.config.getBoolean('rebase.forkpoint') !== false);
  const forkRef = upstreamName === undefined ? undefined : refs.expand(upstreamName);
  if (choice.usesForkPoint === true && upstreamName !== undefined && forkRef === undefined) throw new InvalidError(`no such ref: '${upstreamName}'`, { code: 'bad-revision' });
  const restricted = usesForkPoint && forkRef !== undefined ? forkPoint(repository, forkRef, head.origHead) : undefined;
  let ontoName = choice.onto ?? upstreamName;
  if (choice.keepsBase) ontoName = `${upstreamName!}...${head.branchName}`;
  const onto = ontoName === undefined ? undefined : findOnto(repository, ontoName, choice.keepsBase);
  return { ...head, upstream, upstreamName, onto, ontoName: ontoName ?? '', forkPoint: restricted };
}

function findHead(repository: Repository, branch: string | undefined): Pick<RebaseRange, 'headName' | 'branchName' | 'origHead'> {
  const { refs } = repository;
  const current = refs.headBranch();
  if (branch === undefined) {
    const id = refs.find('HEAD')?.id;
    if (id === undefined) throw new InvalidError('could not resolve HEAD to a commit', { code: 'no-head' });
    return { headName: current ?? 'detached HEAD', branchName: current === undefined ? 'HEAD' : current.replace(/^refs\/heads\//, ''), origHead: id };
  }
  const name = expandBranchName(repository, branch) ?? branch;
  const full = `refs/heads/${name}`;
  const ref = isRefName(full) ? refs.find(full) : undefined;
  if (ref !== undefined) {
    const place = findCheckedOut(repository, full);
    if (place !== undefined && current !== full) throw new InvalidError(`'${name}' is already checked out at '${place}'`, { code: 'branch-in-use' });
    return { headName: full, branchName: branch, origHead: ref.id };
  }
  const id = findCommit(repository, branch);
  if (id === undefined) throw new InvalidError(`no such branch/commit '${branch}'`, { code: 'bad-revision' });
  return { headName: 'detached HEAD', branchName: branch, origHead: id };
}

function followed(repository: Repository): string {
  const branch = repository.refs.headBranch();
  try {
    if (branch !== undefined) return findUpstream(repository, branch);
  } catch (error) {
    if (!(error instanceof NotFoundError)) throw error;
  }
  throw new NotFoundError('there is no upstream to rebase onto', { code: 'no-upstream' });
}

function findCommit(repository: Repository, name: string): ObjectId | undefined {
  const id = findRevision(repository, name, 'committish');
  return id === undefined ? undefined : peel(repository, id, 'commit');
}

function findOnto(repository: Repository, name: string, keepsBase: boolean): ObjectId {
  const dots = name.indexOf('...');
  if (dots >= 0) {
    const sides = [name.slice(0, dots), name.slice(dots + 3)].map((side) => findCommit(repository, side === '' ? 'HEAD' : side));
    const bases = sides[0] === undefined || sides[1] === undefined ? [] : mergeBases(repository, sides[0], [sides[1]]);
    if (bases.length !== 1) {
      throw new InvalidError(`'${name}': need exactly one merge base${keepsBase ? ' with branch' : ''}`, { code: 'no-merge-base' });
    }
    return bases[0]!;
  }
  const id = findCommit(repository, name);
  if (id === undefined) throw new InvalidError(`does not point to a valid commit '${name}'`, { code: 'bad-revision' });
  return id;
}

/** True when rebasing would change nothing. */
export function isUpToDate(repository: Repository, { onto, upstream, origHead, forkPoint: restricted }: RebaseRange): boolean {
  if (onto === undefined || upstream === undefined) return false;
  const bases = mergeBases(repository, onto, [origHead]);
  if (bases.length !== 1 || bases[0] !== onto || (restricted !== undefined && restricted !== onto)) return false;
  const others = mergeBases(repository, upstream, [origHead]);
  if (others.length !== 1 || others[0] !== onto) return false;
  for (let id = origHead; id !== onto;) {
    const { parents } = repository.objects.readCommit(id);
    if (parents.length !== 1) return false;
    id = parents[0]!;
  }
  return true;
}

export interface ListChoice {
  /** Also those whose change is upstream already. */
  readonly reapplies: boolean;
  /** Also those that are empty to begin with. */
  readonly keepsEmpty: boolean;
}

/** The commits to be replayed, oldest first; those left out because upstream has them are told. */
export function listItems(repository: Repository, { upstream, onto, origHead, forkPoint: restricted }: RebaseRange, squashOnto: ObjectId | undefined, { reapplies, keepsEmpty }: ListChoice): TodoItem[] {
  const { objects, context } = repository;
  const base = upstream ?? onto ?? squashOnto!;
  const bases = mergeBases(repository, base, [origHead]);
  const walk = new RevWalk(repository, [
    { id: base, isLeft: true }, { id: origHead }, ...bases.map((id) => ({ id, isExcluded: true })), ...(restricted === undefined ? [] : [{ id: restricted, isExcluded: true }]),
  ], { order: 'topo', reverse: true, maxParents: 1, side: 'right', limited: true, ...(reapplies ? {} : { cherry: 'mark' as const, patchKey: patchKeyOf(repository) }) });
  const items: TodoItem[] = [];
  for (const node of walk) {
    const commit = objects.readCommit(node.id);
    const parent = commit.parents[0];
    const isEmpty = parent === undefined ? objects.readTree(commit.tree).length === 0 : objects.readCommit(parent).tree === commit.tree;
    if (!isEmpty && (node.flags & flag.patchSame) !== 0) {
      context.stderr.write(`warning: skipped previously applied commit ${objects.abbreviate(node.id, 7)}\n`);
      continue;
    }
    if (isEmpty && !keepsEmpty) continue;
    const item = todoOf(repository, 'pick', node.id);
    items.push(isEmpty ? { ...item, text: `${item.text} # empty` } : item);
  }
  return items;
}

/** Puts fixups and squashes behind the commits their subjects name. */
export function moveFixups(repository: Repository, items: readonly TodoItem[]): TodoItem[] {
  const { objects } = repository;
  const subjects = items.map(({ commit }) => subjectOf(objects.readCommit(commit!).message.toString('latin1')));
  /** Behind each item, those that belong to it, in order. */
  const followers = new Map<number, number[]>();
  const moved = new Map<number, 'fixup' | 'squash'>();
  const rootOf = new Map<number, number>();
  for (const [at, subject] of subjects.entries()) {
    const match = /^(fixup|squash)! +/.exec(subject);
    if (match === null) continue;
    const wanted = subject.replace(/^(?:(?:fixup|squash|amend)! +)+/, '');
    let target = subjects.findIndex((other, before) => before < at && other === wanted);
    if (target < 0 && !wanted.includes(' ')) {
      const named = findCommit(repository, Buffer.from(wanted, 'latin1').toString());
      target = named === undefined ? -1 : items.findIndex(({ commit }, before) => before < at && commit === named);
    }
    if (target < 0) target = subjects.findIndex((other, before) => before < at && other.startsWith(wanted));
    if (target < 0) continue;
    const root = rootOf.get(target) ?? target;
    rootOf.set(at, root);
    moved.set(at, match[1] as 'fixup' | 'squash');
    followers.set(root, [...followers.get(root) ?? [], at]);
  }
  return items.flatMap((item, at) => (moved.has(at) ? [] : [item, ...(followers.get(at) ?? []).map((each) => ({ ...items[each]!, verb: moved.get(each)! }))]));
}

/** A command line after each commit together with what is melded into it. */
export function addCommands(items: readonly TodoItem[], commands: readonly string[]): TodoItem[] {
  const added = commands.map((command): TodoItem => ({ verb: 'exec', commit: undefined, text: Buffer.from(command).toString('latin1') }));
  return items.flatMap((item, at) => {
    const next = items[at + 1];
    return next?.verb === 'fixup' || next?.verb === 'squash' ? [item] : [item, ...added];
  });
}
