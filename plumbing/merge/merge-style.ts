// How the differences of a merge are shown: not at all, from its first parent, from each parent, or as one from all of them.
//
// One reading of -m, -c, --cc and --diff-merges, so that log, show and diff-tree agree. Of several options the last one counts.
// Specified by git-log(1), "Diff Formatting".
import { InvalidError, UsageError } from '../../pack/errors.js';
import type { Arguments, OptionSpec } from '../command.js';

export type MergeStyle = 'off' | 'first-parent' | 'separate' | 'combined' | 'dense';

export const mergeStyleOptions: readonly OptionSpec[] = [
  { name: 'm', short: 'm', help: 'show merges as differences from each parent' },
  { name: 'c', short: 'c', help: 'show merges as one difference from all parents' },
  { name: 'cc', help: 'like -c, only hunks that differ from all parents' },
  { name: 'diff-merges', value: 'how', help: 'off, first-parent, separate, combined or dense-combined' },
  { name: 'no-diff-merges', help: 'same as --diff-merges=off' },
];

const mergeStyles: Readonly<Record<string, MergeStyle>> = {
  off: 'off', none: 'off', 'first-parent': 'first-parent', 1: 'first-parent', separate: 'separate', m: 'separate', on: 'separate',
  combined: 'combined', c: 'combined', 'dense-combined': 'dense', cc: 'dense',
};

/** The style asked for, and whose patches that asks for when no format is given: all commits' or only those of merges. */
export interface MergeStyleChoice {
  readonly style?: MergeStyle;
  readonly implies?: 'all' | 'merges';
}

/** Reads the options; `isCombined`: merges are shown as one difference without being asked. InvalidError for what does not fit together. */
export function parseMergeStyle(args: Arguments, isCombined = false): MergeStyleChoice {
  let found: MergeStyleChoice = {};
  for (const token of args.tokens) {
    if (token.kind !== 'option') continue;
    switch (token.name) {
      case 'm': found = { style: 'separate' }; break;
      case 'c': found = { style: 'combined', implies: 'all' }; break;
      case 'cc': found = { style: 'dense', implies: 'all' }; break;
      case 'no-diff-merges': found = { style: 'off' }; break;
      case 'diff-merges': found = parseWord(token.value ?? ''); break;
      default:
    }
  }
  const combines = found.style === undefined ? isCombined : found.style === 'combined' || found.style === 'dense';
  if (wantsAllPaths(args) && !combines) throw new InvalidError('--combined-all-paths makes no sense without -c or --cc', { code: 'bad-options' });
  return found;
}

/** With differences from single parents history is not simplified, whatever options come after: each parent may matter. */
export function keepsAllHistory(args: Arguments): boolean {
  return args.has('m') || args.values('diff-merges').some((word) => mergeStyles[word] === 'separate' || mergeStyles[word] === 'first-parent');
}

/** Whether --combined-all-paths is in force: an option for the style that comes after it takes it back. */
export function wantsAllPaths(args: Arguments): boolean {
  const names = ['combined-all-paths', ...mergeStyleOptions.map(({ name }) => name)];
  return args.lastOf(...names) === 'combined-all-paths';
}

function parseWord(word: string): MergeStyleChoice {
  const style = mergeStyles[word];
  if (style !== undefined) return style === 'off' ? { style } : { style, implies: 'merges' };
  if (word === 'remerge' || word === 'r') throw new UsageError('merges are not made again to show what was done by hand');
  throw new InvalidError(`invalid value for '--diff-merges': '${word}'`, { code: 'bad-option' });
}
