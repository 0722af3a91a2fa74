// What -X asks of a merge: who wins, which white space counts, how lines are compared, what was moved. Specified by "MERGE STRATEGIES" (ort) of
// git-merge(1).
import { UsageError } from '../../pack/errors.js';
import { parseScore } from '../diff/diff-options.js';
import { maxScore } from '../diff/rename.js';
import type { MergeOptions } from './merge.js';

/** How a merge is done, apart from what is merged. */
export type MergeTuning = Pick<MergeOptions, 'favor' | 'findsRenames' | 'renameScore' | 'algorithm' | 'text'>;

const spaces: Readonly<Record<string, NonNullable<MergeTuning['text']>>> = {
  'ignore-space-change': { ignoreSpaceChange: true }, 'ignore-all-space': { ignoreAllSpace: true },
  'ignore-space-at-eol': { ignoreSpaceAtEol: true }, 'ignore-cr-at-eol': { ignoreCrAtEol: true },
};
const algorithms: Readonly<Record<string, NonNullable<MergeTuning['algorithm']>>> = { myers: 'myers', default: 'myers', patience: 'patience', histogram: 'histogram' };

/** The options as typed after -X, in order; UsageError names one that is not supported. */
export function parseStrategyOptions(typed: readonly string[]): MergeTuning {
  let tuning: MergeTuning = {};
  for (const option of typed) tuning = { ...tuning, ...parseOne(option, tuning) };
  return tuning;
}

function parseOne(option: string, { text }: MergeTuning): MergeTuning {
  const [name, value] = /^([^=]*)(?:=(.*))?$/s.exec(option)!.slice(1) as [string, string | undefined];
  if (value === undefined) {
    if (name === 'ours' || name === 'theirs') return { favor: name };
    if (Object.hasOwn(spaces, name)) return { text: { ...text, ...spaces[name] } };
    if (name === 'patience' || name === 'histogram') return { algorithm: name };
    if (name === 'no-renames') return { findsRenames: false };
    if (name === 'find-renames') return { findsRenames: true, renameScore: maxScore / 2 };
  } else {
    if (name === 'diff-algorithm' && Object.hasOwn(algorithms, value)) return { algorithm: algorithms[value]! };
    if (name === 'find-renames' || name === 'rename-threshold') return { findsRenames: true, renameScore: parseScore(value) || maxScore / 2 };
  }
  throw new UsageError(`strategy option '${option}' is not supported`);
}
