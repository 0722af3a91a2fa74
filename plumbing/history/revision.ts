// Names of objects: full and abbreviated ids, ref names, 'main~3', 'v1^{tree}', 'HEAD@{yesterday}', ':/text', 'rev:path', ':path'.
//
// One name in, one id out; ranges and sets are in revision-set.ts. A plain ref name or a full id opens no object. What names
// nothing is undefined to `findRevision` and NotFoundError to `resolveRevision`; a name that several objects share is an
// InvalidError. Specified by gitrevisions(7).
import { InvalidError, NotFoundError } from '../../pack/errors.js';
import type { Commit } from '../../pack/commit.js';
import type { ObjectId, ObjectType } from '../../pack/oid.js';
import { hexSize, isObjectId, isZeroId } from '../../pack/oid.js';
import type { RepoPath } from '../../pack/tree.js';
import { approximateDate } from '../date.js';
import { parentsOf, readGrafts } from './grafts.js';
import { readIndex } from '../index/index-file.js';
import { parsePattern } from '../posix-regex.js';
import { encodeRefName } from '../refs/ref-name.js';
import { findLoggedRef, hasReflog, readReflog } from '../refs/reflog.js';
import type { Repository } from '../repository.js';
import { findPushTarget, findUpstream } from '../refs/upstream.js';

/** What an abbreviated id may stand for when several objects begin with it. */
export type RevisionHint = 'commit' | 'committish' | 'tree' | 'treeish' | 'blob';

/** What a name stands for; `path` and `mode` when it went through a tree or the index. */
export interface NamedObject {
  readonly id: ObjectId;
  readonly mode?: number;
  readonly path?: RepoPath;
}

/** The id `text` names; NotFoundError 'bad-revision' when it names none. */
export function resolveRevision(repository: Repository, text: string, hint?: RevisionHint): ObjectId {
  return resolveNamed(repository, text, hint).id;
}

/** Like resolveRevision, but undefined when there is no such object; ambiguous abbreviations still throw. */
export function findRevision(repository: Repository, text: string, hint?: RevisionHint): ObjectId | undefined {
  return findNamed(repository, text, hint)?.id;
}

/** Like resolveRevision, with the path and mode that 'rev:path' or ':path' came to. */
export function resolveNamed(repository: Repository, text: string, hint?: RevisionHint): NamedObject {
  const found = findNamed(repository, text, hint);
  if (found === undefined) {
    throw new NotFoundError(`'${text}' is not a known revision`, { code: 'bad-revision' });
  }
  return found;
}

/** The commit `text` names, tags followed; NotFoundError when it is no commit. */
export function resolveCommit(repository: Repository, text: string): ObjectId {
  const id = peel(repository, resolveRevision(repository, text, 'committish'), 'commit');
  if (id === undefined) throw new NotFoundError(`'${text}' does not name a commit`, { code: 'bad-revision' });
  return id;
}

/** The tree `text` names, tags and commits followed; NotFoundError when it is none. */
export function resolveTree(repository: Repository, text: string): ObjectId {
  const id = peel(repository, resolveRevision(repository, text, 'treeish'), 'tree');
  if (id === undefined) throw new NotFoundError(`'${text}' does not name a tree`, { code: 'bad-revision' });
  return id;
}

/** The object of `type` that `id` leads to through tags (and from a commit to its tree); undefined when it leads elsewhere. */
export function peel(repository: Repository, id: ObjectId, type: ObjectType | 'any'): ObjectId | undefined {
  const { objects } = repository;
  let at = id;
  // A chain of tags longer than this is nonsense; a cycle cannot exist without a hash collision.
  for (let depth = 0; depth < 1000; depth += 1) {
    const header = objects.findHeader(at);
    if (header === undefined) return undefined;
    if (header.type === type || (type === 'any' && header.type !== 'tag')) return at;
    if (header.type === 'tag') at = objects.readTag(at).object;
    else if (header.type === 'commit' && type === 'tree') at = objects.readCommit(at).tree;
    else return undefined;
  }
  return undefined;
}

/** Like resolveNamed, but undefined when nothing is named. */
export function findNamed(repository: Repository, text: string, hint?: RevisionHint): NamedObject | undefined {
  const id = findId(repository, text, hint);
  if (id !== undefined) return { id };
  if (text.startsWith(':')) {
    if (text.startsWith(':/')) {
      if (text.length === 2) return undefined;
      const found = findByMessage(repository, text.slice(2), messageRoots(repository));
      return found === undefined ? undefined : { id: found };
    }
    const staged = /^:([0-3]):/.exec(text);
    return findInIndex(repository, text.slice(staged ? 3 : 1), staged ? Number(staged[1]) : 0);
  }
  const colon = colonOutsideBraces(text);
  if (colon < 0) return undefined;
  const base = findId(repository, text.slice(0, colon), 'treeish');
  const tree = base === undefined ? undefined : peel(repository, base, 'tree');
  return tree === undefined ? undefined : findInTree(repository, tree, pathFromTop(repository, text.slice(colon + 1)));
}

function colonOutsideBraces(text: string): number {
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] === '{') depth += 1;
    else if (depth > 0 && text[at] === '}') depth -= 1;
    else if (depth === 0 && text[at] === ':') return at;
  }
  return -1;
}

/** The path (latin1) from the top of the tree that is meant in 'rev:path': './x' and '../x' are relative to the current directory. */
export function pathFromTop(repository: Repository, typed: string): string {
  const bytes = encodeRefName(typed);
  if (!/^\.\.?(\/|$)/.test(typed)) return bytes;
  repository.requireWorkTree();
  if (!repository.isInsideWorkTree) throw new InvalidError("relative path syntax can't be used outside working tree", { code: 'outside-work-tree' });
  const parts = String(repository.prefix).split('/').filter((part) => part !== '');
  for (const part of bytes.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.pop() === undefined) {
      throw new InvalidError(`'${typed}' is outside of the repository`, { code: 'outside-repository' });
    }
  }
  return parts.join('/');
}

/** The object at `path` (latin1, '' for the tree itself) below a tree. */
export function findInTree(repository: Repository, tree: ObjectId, path: string): NamedObject | undefined {
  let at: NamedObject = { id: tree, mode: 0o040000, path: path as RepoPath };
  for (const name of path === '' ? [] : path.replace(/\/$/, '').split('/')) {
    if (at.mode !== 0o040000) return undefined;
    const entry = repository.objects.readTree(at.id).find((each) => each.name === name);
    if (entry === undefined) return undefined;
    at = { id: entry.id, mode: entry.mode, path: path as RepoPath };
  }
  return path.endsWith('/') && at.mode !== 0o040000 ? undefined : at;
}

function findInIndex(repository: Repository, typed: string, stage: number): NamedObject | undefined {
  const path = pathFromTop(repository, typed) as RepoPath;
  const entry = readIndex(repository).find(path, stage as 0 | 1 | 2 | 3);
  return entry === undefined ? undefined : { id: entry.id, mode: entry.mode, path };
}

/** A name without the 'rev:path' and ':' forms. */
function findId(repository: Repository, text: string, hint?: RevisionHint): ObjectId | undefined {
  const suffix = /^(.*)([~^])([0-9]*)$/s.exec(text);
  if (suffix && suffix[1] !== '') {
    const count = suffix[3] === '' ? 1 : Number(suffix[3]);
    if (!Number.isSafeInteger(count) || count > 0x7fffffff) return undefined;
    const base = findId(repository, suffix[1]!, 'committish');
    const commit = base === undefined ? undefined : peel(repository, base, 'commit');
    if (commit === undefined) return undefined;
    return suffix[2] === '^' ? parentOf(repository, commit, count) : ancestorOf(repository, commit, count);
  }
  if (text.endsWith('}')) {
    const open = text.lastIndexOf('^{');
    if (open > 0) return findPeeled(repository, text.slice(0, open), text.slice(open + 2, -1));
  }
  return findBasic(repository, text) ?? findDescribed(repository, text) ?? findAbbreviated(repository, text, hint);
}

function parentOf(repository: Repository, commit: ObjectId, number: number): ObjectId | undefined {
  return number === 0 ? commit : parentsOf(repository, commit)[number - 1];
}

function ancestorOf(repository: Repository, commit: ObjectId, generations: number): ObjectId | undefined {
  const grafts = readGrafts(repository);
  let at: ObjectId | undefined = commit;
  for (let step = 0; step < generations && at !== undefined; step += 1) at = parentsOf(repository, at, grafts)[0];
  return at;
}

function findPeeled(repository: Repository, name: string, kind: string): ObjectId | undefined {
  if (kind.startsWith('/')) {
    const base = findId(repository, name, 'committish');
    const commit = base === undefined ? undefined : peel(repository, base, 'commit');
    if (commit === undefined) return undefined;
    return kind === '/' ? commit : findByMessage(repository, kind.slice(1), [commit]);
  }
  const hints: Record<string, RevisionHint> = { commit: 'committish', tree: 'treeish' };
  const base = findId(repository, name, hints[kind]);
  if (base === undefined) return undefined;
  if (kind === '') return peel(repository, base, 'any');
  if (kind === 'object') return repository.objects.has(base) ? base : undefined;
  if (kind === 'commit' || kind === 'tree' || kind === 'blob' || kind === 'tag') return peel(repository, base, kind);
  return undefined;
}

/** Full ids, ref names, and both with '@{...}'. */
function findBasic(repository: Repository, text: string): ObjectId | undefined {
  if (text.length === hexSize(repository.format)) {
    const lower = text.toLowerCase();
    if (isObjectId(lower, repository.format)) return lower;
  }
  const log = reflogPart(text);
  if (log === undefined) {
    if (/^@\{-[0-9]+\}$/.test(text)) {
      // What was checked out may have been a branch or a detached commit.
      const prior = expandBranchName(repository, text);
      return prior === undefined ? undefined : findId(repository, prior);
    }
    const short = expandBranchName(repository, text);
    return short === undefined || short === '' ? undefined : repository.refs.findExpanded(short)?.id;
  }
  const { base, inside } = log;
  const name = base === '' ? repository.refs.headBranch() ?? 'HEAD' : expandLoggedName(repository, base);
  return name === undefined ? undefined : findInReflog(repository, name, inside, text);
}

/** Splits 'base@{inside}' where inside is a number or a date; '@{-1}', '@{u}' and '@{push}' are part of a name instead. */
function reflogPart(text: string): { base: string; inside: string } | undefined {
  if (!text.endsWith('}')) return undefined;
  const open = text.lastIndexOf('@{');
  if (open < 0) return undefined;
  const inside = text.slice(open + 2, -1);
  if (/^(u|upstream|push)$/i.test(inside) || inside === '') return undefined;
  if (inside.startsWith('-')) return undefined;
  return { base: text.slice(0, open), inside };
}

/** The ref a name stands for by git's rules ('main', '@', '@{-1}', 'main@{upstream}'); undefined when there is none. */
export function expandRefName(repository: Repository, text: string): string | undefined {
  const name = expandBranchName(repository, text);
  if (name === undefined || name === '') return undefined;
  return repository.refs.expand(name);
}

/** Like expandRefName for what stands before '@{...}': of several refs of that name, the first that has a reflog. */
export function expandLoggedName(repository: Repository, text: string): string | undefined {
  const name = expandBranchName(repository, text);
  return name === undefined || name === '' ? undefined : findLoggedRef(repository, name) ?? repository.refs.expand(name);
}

/** Replaces '@', '@{-n}', '@{upstream}' and '@{push}' in a name by what they stand for; undefined when that does not exist. */
export function expandBranchName(repository: Repository, text: string): string | undefined {
  if (text === '@') return 'HEAD';
  const prior = /^@\{-([0-9]+)\}/.exec(text);
  if (prior) {
    const name = priorBranch(repository, Number(prior[1]));
    return name === undefined ? undefined : expandBranchName(repository, name + text.slice(prior[0].length));
  }
  const marked = /^(.*)@\{(u|upstream|push)\}$/i.exec(text);
  if (!marked) return text;
  const base = marked[1] === '' || marked[1] === '@' || marked[1] === 'HEAD' ? undefined : expandBranchName(repository, marked[1]!);
  const branch = base === undefined ? repository.refs.headBranch() : base.startsWith('refs/') ? base : `refs/heads/${base}`;
  if (branch === undefined) throw new InvalidError('HEAD does not point to a branch', { code: 'detached-head' });
  return marked[2]!.toLowerCase() === 'push' ? findPushTarget(repository, branch) : findUpstream(repository, branch);
}

/** The name of the n-th branch checked out before this one, by HEAD's reflog. */
function priorBranch(repository: Repository, count: number): string | undefined {
  if (count <= 0) return undefined;
  const entries = readReflog(repository, 'HEAD');
  let left = count;
  for (let at = entries.length - 1; at >= 0; at -= 1) {
    const moved = /^checkout: moving from (\S+) to /.exec(entries[at]!.message);
    if (moved && (left -= 1) === 0) return moved[1];
  }
  return undefined;
}

function findInReflog(repository: Repository, name: string, inside: string, typed: string): ObjectId | undefined {
  const entries = readReflog(repository, name);
  // A ref without a log has no former values; that is no name at all, where a log without entries is an error.
  if (entries.length === 0 && !hasReflog(repository, name)) return undefined;
  if (entries.length === 0) throw new NotFoundError(`log for '${typed.slice(0, typed.lastIndexOf('@{'))}' is empty`, { code: 'bad-revision' });
  if (/^[0-9]+$/.test(inside) && Number(inside) <= 100000000) {
    const back = Number(inside);
    if (back < entries.length) return entries[entries.length - 1 - back]!.newId;
    const oldest = entries[0]!.oldId;
    if (back === entries.length && !isZeroId(oldest)) return oldest;
    throw new NotFoundError(`log for '${typed.slice(0, typed.lastIndexOf('@{'))}' only has ${entries.length} entries`, { code: 'bad-revision' });
  }
  const { seconds, understood } = approximateDate(inside, repository.context.clock);
  if (!understood) return undefined;
  for (let at = entries.length - 1; at >= 0; at -= 1) {
    if (entries[at]!.ident.seconds <= seconds) return entries[at]!.newId;
  }
  return isZeroId(entries[0]!.oldId) ? entries[0]!.newId : entries[0]!.oldId;
}

/** 'v1.0-14-g2414721': only the id counts. */
function findDescribed(repository: Repository, text: string): ObjectId | undefined {
  const described = /^.+-g([0-9a-f]{4,64})$/s.exec(text);
  return described ? findAbbreviated(repository, described[1]!, 'commit') : undefined;
}

function findAbbreviated(repository: Repository, text: string, hint: RevisionHint | undefined): ObjectId | undefined {
  if (text.length < 4 || text.length > hexSize(repository.format) || !/^[0-9a-fA-F]+$/.test(text)) return undefined;
  const candidates = repository.objects.findByPrefix(text.toLowerCase());
  if (candidates.length <= 1) return candidates[0];
  const wanted = hint ?? configuredHint(repository);
  const fitting = wanted === undefined ? candidates : candidates.filter((id) => fitsHint(repository, id, wanted));
  if (fitting.length === 1) return fitting[0];
  throw new InvalidError(`short object id '${text}' is ambiguous`, {
    code: 'ambiguous-id', hint: `the candidates are ${candidates.slice(0, 10).map((id) => repository.objects.abbreviate(id, 7)).join(', ')}`,
  });
}

function configuredHint(repository: Repository): RevisionHint | undefined {
  const value = repository.config.get('core.disambiguate');
  return value === 'commit' || value === 'committish' || value === 'tree' || value === 'treeish' || value === 'blob' ? value : undefined;
}

function fitsHint(repository: Repository, id: ObjectId, hint: RevisionHint): boolean {
  const type = repository.objects.findHeader(id)?.type;
  if (hint === 'committish' || hint === 'treeish') {
    return type === 'commit' || (hint === 'treeish' && type === 'tree')
      || (type === 'tag' && peel(repository, id, hint === 'treeish' ? 'tree' : 'commit') !== undefined);
  }
  return type === hint;
}

/** Where ':/text' begins: every ref and HEAD, as commits. */
function messageRoots(repository: Repository): ObjectId[] {
  const roots: ObjectId[] = [];
  const add = (id: ObjectId | undefined): void => {
    const commit = id === undefined ? undefined : peel(repository, id, 'commit');
    if (commit !== undefined) roots.push(commit);
  };
  for (const ref of repository.refs.list()) add(ref.id);
  add(repository.refs.find('HEAD')?.id);
  return roots;
}

/** The youngest commit reachable from `roots` whose message matches; '!-' negates, '!!' is a literal '!'. */
function findByMessage(repository: Repository, typed: string, roots: readonly ObjectId[]): ObjectId | undefined {
  let pattern = Buffer.from(typed, 'utf8').toString('latin1');
  let negative = false;
  if (pattern.startsWith('!')) {
    if (pattern[1] !== '-' && pattern[1] !== '!') return undefined;
    negative = pattern[1] === '-';
    pattern = pattern.slice(negative ? 2 : 1);
  }
  const regex = parsePattern(pattern, 'extended', { lines: true });
  const grafts = readGrafts(repository);
  const seen = new Set<ObjectId>();
  const queue: { id: ObjectId; commit: Commit }[] = [];
  const add = (id: ObjectId): void => {
    if (seen.has(id)) return;
    seen.add(id);
    const commit = repository.objects.readCommit(id);
    let place = queue.length;
    while (place > 0 && queue[place - 1]!.commit.committer.seconds >= commit.committer.seconds) place -= 1;
    queue.splice(place, 0, { id, commit });
  };
  for (const id of roots) add(id);
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    if (regex.test(next.commit.message.toString('latin1')) !== negative) return next.id;
    for (const parent of grafts.get(next.id) ?? next.commit.parents) add(parent);
  }
  return undefined;
}
