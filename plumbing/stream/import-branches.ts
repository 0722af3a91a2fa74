// The branches and tags a fast-import stream builds, by the names the stream uses: in memory until a checkpoint moves the refs.
//
// Invariants: a ref moves only after everything it names is in the object store, and only forwards unless forced. Only a few branches, the
// ones used last, keep their trees in memory. If the power fails: each ref is as before the checkpoint or after it.
import { InvalidError } from '../../pack/errors.js';
import type { ObjectId } from '../../pack/oid.js';
import type { ImportTree } from './import-tree.js';
import { isAncestor } from '../history/merge-base.js';
import type { NoteTree } from './note-tree.js';
import { decodeRefName, isRefName } from '../refs/ref-name.js';
import { RefTransaction } from '../refs/ref-transaction.js';
import type { Repository } from '../repository.js';
import { peel } from '../history/revision.js';

export interface Branch {
  /** latin1, as in the stream. */
  readonly name: string;
  tip: ObjectId | undefined;
  /** Of the tip. */
  treeId: ObjectId | undefined;
  /** The same in memory, with changes; made when needed. */
  tree: ImportTree | undefined;
  /** Set once a note was written to the tree. */
  notes: NoteTree | undefined;
  isDeleted: boolean;
  /** The tip is not in its ref yet. */
  isMoved: boolean;
}

export class ImportBranches {
  readonly #repository: Repository;
  readonly #branches = new Map<string, Branch>();
  /** Those whose trees are in memory, the one used last at the end. */
  readonly #active = new Set<Branch>();
  /** By name, those not written yet. */
  readonly #tags = new Map<string, ObjectId>();

  constructor(repository: Repository) {
    this.#repository = repository;
  }

  get count(): number { return this.#branches.size; }

  find(name: string): Branch | undefined {
    return this.#branches.get(name);
  }

  list(): Iterable<Branch> {
    return this.#branches.values();
  }

  /** The branch of that name, begun when the stream has not used it before; InvalidError when no ref can be called so. */
  open(name: string): Branch {
    let branch = this.#branches.get(name);
    if (branch === undefined) {
      if (!isRefName(decodeRefName(name), { oneLevel: true })) throw new InvalidError(`branch name doesn't conform to the rules: ${name}`, { code: 'bad-ref-name' });
      branch = { name, tip: undefined, treeId: undefined, tree: undefined, notes: undefined, isDeleted: false, isMoved: false };
      this.#branches.set(name, branch);
    }
    return branch;
  }

  /** Lets the branch begin anew at a commit, or at nothing. */
  move(branch: Branch, tip: ObjectId | undefined, treeId: ObjectId | undefined): void {
    branch.tip = tip;
    branch.treeId = treeId;
    branch.isMoved = true;
    branch.isDeleted = false;
    forgetTree(branch);
  }

  /** Marks the branch as used last; when more than `most` are in use, the one not used for longest forgets its tree. */
  activate(branch: Branch, most: number): void {
    this.#active.delete(branch);
    this.#active.add(branch);
    if (this.#active.size <= most) return;
    const idle = this.#active.values().next().value!;
    this.#active.delete(idle);
    if (idle !== branch) forgetTree(idle);
  }

  /** InvalidError when no ref can be called so. */
  addTag(name: string, id: ObjectId): void {
    if (!isRefName(`refs/tags/${decodeRefName(name)}`)) throw new InvalidError(`'${name}' cannot be the name of a tag`, { code: 'bad-ref-name' });
    this.#tags.set(name, id);
  }

  /** Tips that are in no ref yet. */
  listNewTips(): ObjectId[] {
    return [...[...this.#branches.values()].flatMap(({ isMoved, tip }) => (isMoved && tip !== undefined ? [tip] : [])), ...this.#tags.values()];
  }

  /** Moves the refs; gives for each branch that would lose commits, and stays, the reason. */
  publish(force: boolean): string[] {
    const refusals = [...this.#branches.values()].flatMap((branch) => this.#publishBranch(branch, force) ?? []);
    if (this.#tags.size > 0) {
      const transaction = new RefTransaction(this.#repository);
      for (const [name, id] of this.#tags) transaction.add({ name: `refs/tags/${decodeRefName(name)}`, target: { id }, message: 'fast-import' });
      transaction.commit();
      this.#tags.clear();
    }
    return refusals;
  }

  #publishBranch(branch: Branch, force: boolean): string | undefined {
    if (!branch.isMoved) return undefined;
    branch.isMoved = false;
    const name = decodeRefName(branch.name);
    const transaction = new RefTransaction(this.#repository);
    if (branch.tip === undefined) {
      if (branch.isDeleted) transaction.add({ name, target: 'delete' }).commit();
      return undefined;
    }
    const old = this.#repository.refs.find(name)?.id;
    if (!force && old !== undefined && !this.#isForward(old, branch.tip)) return `not updating ${name} (new tip ${branch.tip} does not contain ${old})`;
    transaction.add({ name, expected: old ?? 'absent', target: { id: branch.tip }, message: 'fast-import' }).commit();
    return undefined;
  }

  #isForward(old: ObjectId, tip: ObjectId): boolean {
    const commit = peel(this.#repository, old, 'commit');
    return commit !== undefined && isAncestor(this.#repository, commit, tip);
  }
}

export function forgetTree(branch: Branch): void {
  branch.tree = undefined;
  branch.notes = undefined;
}
