// What hunks can be chosen for, and the words for it: which two sides are compared, and what becomes of the hunks a person says yes to.
// The questions are git's, letter for letter: scripts answer them.
export interface ChoosingMode {
  /** Which two sides are compared: 'tree' is the tree named, and the last word says what it is compared with. */
  readonly compares: 'index-work' | 'tree-work' | 'tree-index';
  /** The comparison is turned round: the tree is what could be taken. */
  readonly isTurned: boolean;
  /** Chosen hunks are taken back out. */
  readonly direction: 'forward' | 'back';
  readonly changes: 'index' | 'files' | 'both';
  /** What the questions begin with, and how they end behind the thing that is asked about. */
  readonly verb: string;
  readonly place: string;
}

const shared = { isTurned: false, direction: 'forward', changes: 'index' } as const;

export const choosingModes = {
  stage: { ...shared, compares: 'index-work', verb: 'Stage', place: '' },
  stash: { ...shared, compares: 'tree-work', verb: 'Stash', place: '' },
  unstage: { ...shared, compares: 'tree-index', direction: 'back', verb: 'Unstage', place: '' },
  'apply-to-index': { ...shared, compares: 'tree-index', isTurned: true, verb: 'Apply', place: ' to index' },
  'discard-from-files': { ...shared, compares: 'index-work', direction: 'back', changes: 'files', verb: 'Discard', place: ' from worktree' },
  'discard-from-both': { ...shared, compares: 'tree-work', direction: 'back', changes: 'both', verb: 'Discard', place: ' from index and worktree' },
  'apply-to-both': { ...shared, compares: 'tree-work', isTurned: true, changes: 'both', verb: 'Apply', place: ' to index and worktree' },
  'discard-from-head': { ...shared, compares: 'tree-work', direction: 'back', changes: 'files', verb: 'Discard', place: ' from worktree' },
  'apply-to-files': { ...shared, compares: 'tree-work', isTurned: true, changes: 'files', verb: 'Apply', place: ' to worktree' },
} as const satisfies Readonly<Record<string, ChoosingMode>>;

/** The question about one thing, with the keys that mean something besides those that always do. */
export function formatQuestion({ verb, place }: ChoosingMode, about: 'hunk' | 'deletion' | 'addition' | 'mode change', keys: string): string {
  return `${verb} ${about === 'hunk' ? 'this hunk' : about}${place} [y,n,q,a,d${keys},?]? `;
}

const furtherKeys: readonly (readonly [key: string, meaning: string])[] = [
  ['j', 'leave this hunk undecided, see next undecided hunk'],
  ['J', 'leave this hunk undecided, see next hunk'],
  ['k', 'leave this hunk undecided, see previous undecided hunk'],
  ['K', 'leave this hunk undecided, see previous hunk'],
  ['g', 'select a hunk to go to'],
  ['/', 'search for a hunk matching the given regex'],
  ['s', 'split the current hunk into smaller hunks'],
  ['e', 'manually edit the current hunk'],
];

/** What the keys mean, those only that can be used now. */
export function formatKeys({ verb, place }: ChoosingMode, keys: string): string {
  const does = verb.toLowerCase();
  const always = [
    `y - ${does} this hunk${place}`, `n - do not ${does} this hunk${place}`, `q - quit; do not ${does} this hunk or any of the remaining ones`,
    `a - ${does} this hunk and all later hunks in the file`, `d - do not ${does} this hunk or any of the later hunks in the file`,
  ];
  const further = furtherKeys.filter(([key]) => keys.includes(key)).map(([key, meaning]) => `${key} - ${meaning}`);
  return [...always, ...further, '? - print help'].map((line) => `${line}\n`).join('');
}
