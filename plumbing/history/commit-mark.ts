// The character before a commit that tells why it is shown: its side, a border, an equal change.
//
// Specified by --left-right, --boundary and --cherry-mark of git-rev-list(1).
import type { CommitNode } from './history.js';
import { flag } from './walk-flag.js';

export interface MarkOptions {
  /** Every commit has one, '*' when there is nothing to tell. */
  readonly graph: boolean;
  readonly leftRight: boolean;
  readonly cherryMark: boolean;
}

/** '-', '^', '=', '<', '>', '+', '*', 'o' or ''. */
export function commitMark(node: CommitNode, options: MarkOptions): string {
  if (node.flags & flag.boundary) return options.graph ? 'o' : '-';
  if (node.flags & flag.uninteresting) return '^';
  if (node.flags & flag.patchSame) return '=';
  if (options.leftRight) return node.flags & flag.left ? '<' : '>';
  if (options.graph) return '*';
  return options.cherryMark ? '+' : '';
}
