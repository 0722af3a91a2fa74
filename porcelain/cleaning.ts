// What clean takes away: files that are not tracked, and with them whole directories. Specified by git-clean(1).
//
// Planning touches nothing. A directory is one item when all in it goes; where something in it stays, its items are named one by one.
// Tracked files are never named, repositories inside only when asked for twice. If the power fails, some of the items are gone.
import { gitlinkMode, type RepoPath } from '../pack/tree.js';
import { IgnoreRules } from '../plumbing/ignore.js';
import type { Index } from '../plumbing/index/index-file.js';
import { WorkTree } from '../plumbing/index/work-tree.js';
import type { Pathspec } from '../plumbing/pathspec.js';
import type { Repository } from '../plumbing/repository.js';

export interface CleanRequest {
  /** Untracked directories too. */
  readonly directories: boolean;
  /** What is ignored stays, goes too, or is all that goes. */
  readonly ignored: 'keep' | 'too' | 'only';
  /** Further patterns of what is ignored. */
  readonly patterns: readonly string[];
  /** Repositories inside directories go too. */
  readonly nested: boolean;
  readonly pathspec: Pathspec;
}

/** Paths in order; those of directories end in a slash. */
export interface CleanPlan {
  readonly removals: readonly RepoPath[];
  /** Repositories that stay. */
  readonly kept: readonly RepoPath[];
}

/** Decides what goes. */
export function planClean(repository: Repository, index: Index, request: CleanRequest): CleanPlan {
  const planner = new CleanPlanner(repository, index, request);
  const removals = planner.look('').items;
  return { removals: removals.sort(), kept: planner.kept.sort() };
}

/** Removes what a plan names. */
export function applyClean(repository: Repository, { removals }: CleanPlan): void {
  const workTree = new WorkTree(repository);
  for (const path of removals) workTree.discard(path.replace(/\/$/, ''));
}

class CleanPlanner {
  readonly kept: RepoPath[] = [];
  readonly #index: Index;
  readonly #workTree: WorkTree;
  readonly #rules: IgnoreRules;
  readonly #request: CleanRequest;
  /** The current directory is never removed. */
  readonly #here: string;

  constructor(repository: Repository, index: Index, request: CleanRequest) {
    this.#index = index;
    this.#workTree = new WorkTree(repository, index);
    this.#rules = IgnoreRules.load(repository, { standard: request.ignored !== 'too', patterns: request.patterns });
    this.#request = request;
    this.#here = repository.prefix;
  }

  /** One directory ('' or with trailing slash): what goes, and whether that is all there is. */
  look(directory: string): { items: RepoPath[]; isWhole: boolean } {
    const items: RepoPath[] = [];
    let isWhole = true;
    for (const { name, kind } of this.#workTree.list(directory)) {
      const path = directory + name;
      if (directory === '' && (name === '.git' || name === '.cairn')) continue;
      if (this.#index.has(path) && (kind !== 'directory' || this.#index.find(path)?.mode === gitlinkMode)) {
        isWhole = false;
        continue;
      }
      const found = kind === 'directory' ? this.#lookInto(path) : this.#lookAt(path);
      isWhole = isWhole && found.isWhole;
      for (const item of found.items) items.push(item);
    }
    return { items, isWhole };
  }

  #lookAt(path: string): { items: RepoPath[]; isWhole: boolean } {
    const isIgnored = this.#rules.isIgnored(path, false);
    const goes = (this.#request.ignored === 'only') === isIgnored && this.#request.pathspec.matches(path);
    return { items: goes ? [path as RepoPath] : [], isWhole: goes };
  }

  #lookInto(path: string): { items: RepoPath[]; isWhole: boolean } {
    const { directories, ignored, nested, pathspec } = this.#request;
    const nothing = { items: [], isWhole: false };
    const slashed = `${path}/` as RepoPath;
    if (!pathspec.matches(path, true) && !pathspec.mayMatchBelow(slashed)) return nothing;
    if (this.#index.hasDirectory(path)) return { ...this.look(slashed), isWhole: false };
    const isIgnored = this.#rules.isIgnored(path, true);
    if (isIgnored && ignored !== 'only') return nothing;
    if (this.#workTree.isNestedRepository(path) && !nested) {
      // Told only where it is the reason why a directory stays.
      const parent = path.slice(0, Math.max(path.lastIndexOf('/'), 0));
      if (directories && ignored !== 'only' && parent !== '' && !this.#index.hasDirectory(parent) && pathspec.matches(path, true)) this.kept.push(path as RepoPath);
      return nothing;
    }
    if (!isIgnored && ignored === 'only') {
      const inner = this.look(slashed);
      if (!inner.isWhole || inner.items.length === 0) return { items: inner.items, isWhole: false };
      return directories && pathspec.matches(path, true) ? { items: [slashed], isWhole: true } : nothing;
    }
    if (!directories) return nothing;
    const inner = isIgnored ? { items: [], isWhole: true } : this.look(slashed);
    const goes = inner.isWhole && pathspec.matches(path, true) && !this.#here.startsWith(slashed);
    return goes ? { items: [slashed], isWhole: true } : { items: inner.items, isWhole: false };
  }
}
