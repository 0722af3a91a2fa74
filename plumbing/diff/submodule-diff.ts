// What changed in a submodule: the commits between the two that are named, or the differences between their files.
//
// The submodule's own repository is opened where it is checked out, or where it is kept when it is not; one that is neither here
// nor there, or lacks the commits, is told of in one line. Its own work tree is not looked at. Specified by --submodule of
// git-diff(1).
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CairnError } from '../../pack/errors.js';
import { type ObjectId, isZeroId } from '../../pack/oid.js';
import { parseConfig } from '../config.js';
import { commitMark } from '../history/commit-mark.js';
import { messageOf, subjectOf } from '../history/format.js';
import { mergeBases } from '../history/merge-base.js';
import { RevWalk } from '../history/walk.js';
import { latin1 } from '../latin1.js';
import { abbreviationDigits } from '../objects/abbreviation.js';
import { Repository } from '../repository.js';
import type { DiffEntry } from './diff.js';
import type { DiffColors, Sink } from './diff-format.js';

/** Writes the differences between two commits (undefined: nothing) of a submodule's repository, with its path before all names. */
export type InnerDiff = (inner: Repository, old: ObjectId | undefined, now: ObjectId | undefined, path: string, sink: Sink) => void;

/** How two commits of a submodule stand to each other. */
interface Relation {
  /** Why there is nothing more to be told. */
  readonly note: string | undefined;
  readonly isForward: boolean;
  readonly isRewind: boolean;
  readonly bases: readonly ObjectId[];
}

export class SubmoduleDiff {
  readonly #repository: Repository;
  readonly #colors: Pick<DiffColors, 'old' | 'new' | 'reset'>;
  readonly #inner: InnerDiff | undefined;

  /** Without `inner`, commits are listed. */
  constructor(repository: Repository, colors: Pick<DiffColors, 'old' | 'new' | 'reset'>, inner?: InnerDiff) {
    this.#repository = repository;
    this.#colors = colors;
    this.#inner = inner;
  }

  /** Tells of an entry whose sides are commits, or nothing. */
  write({ path, oldPath, old, new: now }: DiffEntry, sink: Sink): void {
    const inner = this.#open(path) ?? (oldPath === undefined ? undefined : this.#open(oldPath));
    const relation = relate(inner, old.id, now.id);
    const { objects } = this.#repository;
    const digits = abbreviationDigits(this.#repository);
    const shown = (id: ObjectId): string => (isZeroId(id) ? id.slice(0, digits) : objects.abbreviate(id, digits));
    const ids = `${shown(old.id)}${relation.isForward || relation.isRewind ? '..' : '...'}${shown(now.id)}`;
    sink(`Submodule ${path} ${ids}${relation.note === undefined ? `${relation.isRewind ? ' (rewind)' : ''}:` : ` ${relation.note}`}\n`);
    if (inner === undefined) return;
    if (this.#inner === undefined) {
      if (relation.note === undefined) this.#listCommits(inner, old.id, now.id, relation.bases, sink);
      return;
    }
    const [one, two] = [old.id, now.id].map((id) => (isCommit(inner, id) ? id : undefined));
    if ((one ?? isZeroId(old.id)) && (two ?? isZeroId(now.id))) this.#inner(inner, one, two, path, sink);
  }

  #listCommits(inner: Repository, old: ObjectId, now: ObjectId, bases: readonly ObjectId[], sink: Sink): void {
    const tips = [...bases.map((id) => ({ id, name: id, isExcluded: true })), { id: old, name: old, isLeft: true }, { id: now, name: now }];
    const encoding = this.#repository.config.get('i18n.logoutputencoding');
    const { old: gone, new: made, reset } = this.#colors;
    for (const node of new RevWalk(inner, tips, { firstParent: true, keep: 'contents' })) {
      const mark = commitMark(node, { graph: false, leftRight: true, cherryMark: false });
      const { commit } = node;
      sink(`${mark === '<' ? gone : made}  ${mark} ${subjectOf(messageOf(commit, encoding))}${reset}\n`);
      node.letGo();
    }
  }

  /** Undefined when it is not here. */
  #open(path: string): Repository | undefined {
    const { workTree, gitDirectory, commonDirectory, context, format } = this.#repository;
    const places: string[] = [];
    if (workTree !== undefined) {
      const place = Buffer.from(join(latin1(workTree), path), 'latin1').toString();
      if (['.git', '.cairn'].some((name) => existsSync(join(place, name)))) places.push(place);
      const name = nameOf(workTree, path);
      if (name !== undefined) places.push(join(gitDirectory, 'modules', name), join(commonDirectory, 'modules', name));
    }
    for (const place of places) {
      if (!existsSync(place)) continue;
      try {
        const found = Repository.openAt(context, place);
        if (found.format === format) return found;
      } catch (error) {
        // What cannot be opened is not here.
        if (!(error instanceof CairnError)) throw error;
      }
    }
    return undefined;
  }
}

/** The name .gitmodules gives a path. */
function nameOf(workTree: string, path: string): string | undefined {
  const file = join(workTree, '.gitmodules');
  if (!existsSync(file)) return undefined;
  for (const { name, value } of parseConfig(readFileSync(file), '.gitmodules')) {
    const found = /^submodule\.(.*)\.path$/s.exec(name);
    if (found && value !== undefined && latin1(value) === path && !found[1]!.split(/[/\\]/).includes('..')) return found[1];
  }
  return undefined;
}

function isCommit(repository: Repository, id: ObjectId): boolean {
  return !isZeroId(id) && repository.objects.findHeader(id)?.type === 'commit';
}

function relate(inner: Repository | undefined, old: ObjectId, now: ObjectId): Relation {
  const none = { isForward: false, isRewind: false, bases: [] };
  const note = isZeroId(old) ? '(new submodule)' : isZeroId(now) ? '(submodule deleted)' : undefined;
  if (inner === undefined) return { ...none, note: note ?? '(commits not present)' };
  const absent = [old, now].filter((id) => !isCommit(inner, id));
  // Of two that are not there git takes one for the other's ancestor.
  if (absent.some((id) => !isZeroId(id))) return { ...none, isForward: absent.length === 2, note: '(commits not present)' };
  if (note !== undefined) return { ...none, note };
  const bases = mergeBases(inner, old, [now]);
  return { note, isForward: bases[0] === old, isRewind: bases[0] === now, bases };
}
