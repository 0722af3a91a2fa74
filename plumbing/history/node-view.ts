// A walked commit as something to show: decoded when first asked for, so that a line with its subject costs no more than that.
import type { Commit } from '../../pack/commit.js';
import type { ObjectId } from '../../pack/oid.js';
import type { CommitView } from './format.js';
import type { CommitNode } from './history.js';

/** The view of one node. */
export class NodeView implements CommitView {
  readonly id: ObjectId;
  readonly mark: string;
  readonly source: string | undefined;
  readonly reflog: CommitView['reflog'];
  readonly #node: CommitNode;
  #commit: Commit | undefined;

  constructor(node: CommitNode, mark: string, reflog?: CommitView['reflog']) {
    this.#node = node;
    this.id = node.id;
    this.mark = mark;
    this.source = node.source;
    this.reflog = reflog;
  }

  get commit(): Commit { return (this.#commit ??= this.#node.commit); }
  get bytes(): Buffer { return this.#node.bytes; }
  get parents(): readonly ObjectId[] { return this.#node.parentIds; }
}
