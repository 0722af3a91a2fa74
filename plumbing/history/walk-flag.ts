// What a walk remembers of each commit, one bit each in the flags of its history's table.

export const flag = {
  seen: 1,
  /** Left out: excluded, or an ancestor of what is. */
  uninteresting: 2,
  /** Its parents were put into the queue. */
  added: 4,
  shown: 8,
  /** As far as the paths go it equals a parent that counts. */
  treeSame: 16,
  boundary: 32,
  childShown: 64,
  /** On the left of 'a...b'. */
  left: 128,
  /** Named by the caller to be left out. */
  bottom: 256,
  /** Its change is on the other side, too. */
  patchSame: 512,
  marked: 1024,
  /** Differs from its first parent. */
  pullMerge: 2048,
  /** Named by --ancestry-path, or an ancestor of what is. */
  ancestryPath: 4096,
} as const;
