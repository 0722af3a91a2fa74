// Three-way merge of texts: what one side changed is taken, what both changed differently is a conflict with both versions between
// markers. Conflicts are made as small as they can be (unless their base is shown), and near ones are joined.
//
// The result is git's, byte for byte: see git-merge-file(1), and merge.conflictStyle of git-config(1).
import { type LineChange, type Lines, type TextDiffOptions, diffLines, splitLines } from '../diff/text-diff.js';

/** 'diff3' shows the base too; 'zdiff3' in addition takes what both sides have in common at the edges out of the conflict. */
export type ConflictStyle = 'merge' | 'diff3' | 'zdiff3';

export interface TextMergeOptions {
  readonly style?: ConflictStyle;
  /** Takes one side, or both, instead of marking a conflict. */
  readonly favor?: 'ours' | 'theirs' | 'union';
  /** Length of the markers; default 7. */
  readonly markerSize?: number;
  /** What is written after the markers; latin1. */
  readonly labels?: { readonly ours: string; readonly base: string; readonly theirs: string };
  readonly algorithm?: TextDiffOptions['algorithm'];
  readonly text?: Pick<TextDiffOptions, 'ignoreAllSpace' | 'ignoreSpaceChange' | 'ignoreSpaceAtEol' | 'ignoreCrAtEol'>;
  /** Lines between two conflicts that hold no letter or digit become part of the conflict, however many they are. */
  readonly joinsPunctuation?: boolean;
}

export interface TextMergeResult {
  readonly bytes: Buffer;
  readonly conflicts: number;
}

/** 'conflict', or where the lines come from; 'same': both sides agree after all. */
type Source = 'conflict' | 'ours' | 'theirs' | 'both' | 'same';

/** One place that differs: the ranges of base, ours and theirs. */
interface Region {
  source: Source;
  baseAt: number; baseCount: number;
  oursAt: number; oursCount: number;
  theirsAt: number; theirsCount: number;
}

const joinedGap = 3;

/** Merges the changes from `base` to `ours` and to `theirs`. */
export function mergeTexts(base: Buffer, ours: Buffer, theirs: Buffer, options: TextMergeOptions = {}): TextMergeResult {
  const diffOptions: TextDiffOptions = { ...options.text, indentHeuristic: false, ...(options.algorithm === undefined ? {} : { algorithm: options.algorithm }) };
  const texts: Texts = { base: splitLines(base), ours: splitLines(ours), theirs: splitLines(theirs), diffOptions };
  const one = diffLines(texts.base, texts.ours, diffOptions);
  const two = diffLines(texts.base, texts.theirs, diffOptions);
  if (one.length === 0) return { bytes: theirs, conflicts: 0 };
  if (two.length === 0) return { bytes: ours, conflicts: 0 };
  const style = options.style ?? 'merge';
  let regions = findRegions(texts, one, two);
  if (style === 'zdiff3') for (const region of regions) trimRegion(texts, region);
  else if (style === 'merge') regions = joinNear(texts, regions.flatMap((region) => refine(texts, region)), options.joinsPunctuation === true);
  return write(texts, regions, style, options);
}

interface Texts {
  readonly base: Lines;
  readonly ours: Lines;
  readonly theirs: Lines;
  readonly diffOptions: TextDiffOptions;
}

function bytesOf({ bytes, starts }: Lines, at: number, count: number): Buffer {
  return bytes.subarray(starts[at]!, starts[at + count]!);
}

/** True when lines are equal as the comparison takes them. */
function isEqual(texts: Texts, oursAt: number, theirsAt: number, count: number): boolean {
  const [one, two] = [bytesOf(texts.ours, oursAt, count), bytesOf(texts.theirs, theirsAt, count)];
  return one.equals(two) || diffLines(one, two, texts.diffOptions).length === 0;
}

/** Brings the changes of both sides together. */
function findRegions(texts: Texts, one: readonly LineChange[], two: readonly LineChange[]): Region[] {
  const regions: Region[] = [];
  const append = (region: Region): void => {
    const last = regions.at(-1);
    if (last === undefined || (region.oursAt > last.oursAt + last.oursCount && region.theirsAt > last.theirsAt + last.theirsCount)) {
      regions.push(region);
      return;
    }
    if (region.source !== last.source) last.source = 'conflict';
    last.baseCount = region.baseAt + region.baseCount - last.baseAt;
    last.oursCount = region.oursAt + region.oursCount - last.oursAt;
    last.theirsCount = region.theirsAt + region.theirsCount - last.theirsAt;
  };
  const fromOurs = (change: LineChange, shift: number): void => append({
    source: 'ours', baseAt: change.oldAt, baseCount: change.oldCount, oursAt: change.newAt, oursCount: change.newCount,
    theirsAt: change.oldAt + shift, theirsCount: change.oldCount,
  });
  const fromTheirs = (change: LineChange, shift: number): void => append({
    source: 'theirs', baseAt: change.oldAt, baseCount: change.oldCount, oursAt: change.oldAt + shift, oursCount: change.oldCount,
    theirsAt: change.newAt, theirsCount: change.newCount,
  });
  let [left, right] = [0, 0];
  while (left < one.length && right < two.length) {
    const mine = one[left]!;
    const other = two[right]!;
    if (mine.oldAt + mine.oldCount < other.oldAt) {
      fromOurs(mine, other.newAt - other.oldAt);
      left += 1;
      continue;
    }
    if (other.oldAt + other.oldCount < mine.oldAt) {
      fromTheirs(other, mine.newAt - mine.oldAt);
      right += 1;
      continue;
    }
    const isSame = mine.oldAt === other.oldAt && mine.oldCount === other.oldCount && mine.newCount === other.newCount
      && isEqual(texts, mine.newAt, other.newAt, mine.newCount);
    if (!isSame) append(overlap(mine, other));
    const [oursEnd, theirsEnd] = [mine.oldAt + mine.oldCount, other.oldAt + other.oldCount];
    if (oursEnd >= theirsEnd) right += 1;
    if (theirsEnd >= oursEnd) left += 1;
  }
  for (; left < one.length; left += 1) fromOurs(one[left]!, texts.theirs.count - texts.base.count);
  for (; right < two.length; right += 1) fromTheirs(two[right]!, texts.ours.count - texts.base.count);
  return regions;
}

/** Two changes that touch, as one conflict that covers both. */
function overlap(mine: LineChange, other: LineChange): Region {
  const before = mine.oldAt - other.oldAt;
  const after = before + mine.oldCount - other.oldCount;
  let [baseAt, oursAt, theirsAt] = [mine.oldAt, mine.newAt, other.newAt];
  if (before > 0) {
    baseAt -= before;
    oursAt -= before;
  } else theirsAt += before;
  let baseCount = mine.oldAt + mine.oldCount - baseAt;
  let oursCount = mine.newAt + mine.newCount - oursAt;
  let theirsCount = other.newAt + other.newCount - theirsAt;
  if (after < 0) {
    baseCount -= after;
    oursCount -= after;
  } else theirsCount += after;
  return { source: 'conflict', baseAt, baseCount, oursAt, oursCount, theirsAt, theirsCount };
}

/** A conflict as the places in which the sides really differ. */
function refine(texts: Texts, region: Region): Region[] {
  if (region.source !== 'conflict' || region.oursCount === 0 || region.theirsCount === 0) return [region];
  const changes = diffLines(bytesOf(texts.ours, region.oursAt, region.oursCount), bytesOf(texts.theirs, region.theirsAt, region.theirsCount), texts.diffOptions);
  if (changes.length === 0) return [{ ...region, source: 'same' }];
  return changes.map((change) => ({
    ...region, oursAt: region.oursAt + change.oldAt, oursCount: change.oldCount, theirsAt: region.theirsAt + change.newAt, theirsCount: change.newCount,
  }));
}

/** Conflicts with few lines between them become one. */
function joinNear(texts: Texts, regions: readonly Region[], joinsPunctuation: boolean): Region[] {
  const joined: Region[] = [];
  for (const region of regions) {
    const last = joined.at(-1);
    if (last?.source === 'conflict' && region.source === 'conflict') {
      const from = last.oursAt + last.oursCount;
      const gap = region.oursAt - from;
      if (gap <= joinedGap || (joinsPunctuation && !/[A-Za-z0-9]/.test(bytesOf(texts.ours, from, gap).toString('latin1')))) {
        last.oursCount = region.oursAt + region.oursCount - last.oursAt;
        last.theirsCount = region.theirsAt + region.theirsCount - last.theirsAt;
        continue;
      }
    }
    joined.push({ ...region });
  }
  return joined;
}

/** Takes equal lines at both ends out of a conflict, whatever the base has there. */
function trimRegion(texts: Texts, region: Region): void {
  if (region.source !== 'conflict') return;
  while (region.oursCount > 0 && region.theirsCount > 0 && isEqual(texts, region.oursAt, region.theirsAt, 1)) {
    region.oursAt += 1;
    region.theirsAt += 1;
    region.oursCount -= 1;
    region.theirsCount -= 1;
  }
  while (region.oursCount > 0 && region.theirsCount > 0
    && isEqual(texts, region.oursAt + region.oursCount - 1, region.theirsAt + region.theirsCount - 1, 1)) {
    region.oursCount -= 1;
    region.theirsCount -= 1;
  }
}

function write(texts: Texts, regions: readonly Region[], style: ConflictStyle, options: TextMergeOptions): TextMergeResult {
  const { favor, markerSize = 7, labels } = options;
  const pieces: Buffer[] = [];
  let conflicts = 0;
  let done = 0;
  for (const region of regions) {
    const source = region.source === 'conflict' && favor !== undefined ? favor === 'union' ? 'both' : favor : region.source;
    if (source === 'same') continue;
    pieces.push(bytesOf(texts.ours, done, region.oursAt - done));
    const end = needsCarriage(texts, region) ? '\r\n' : '\n';
    const ours = bytesOf(texts.ours, region.oursAt, region.oursCount);
    const theirs = bytesOf(texts.theirs, region.theirsAt, region.theirsCount);
    if (source === 'conflict') {
      conflicts += 1;
      const marker = (sign: string, label?: string): Buffer => Buffer.from(`${sign.repeat(markerSize)}${label === undefined ? '' : ` ${label}`}${end}`, 'latin1');
      pieces.push(marker('<', labels?.ours), ended(ours, end));
      if (style !== 'merge') pieces.push(marker('|', labels?.base), ended(bytesOf(texts.base, region.baseAt, region.baseCount), end));
      pieces.push(marker('='), ended(theirs, end), marker('>', labels?.theirs));
    } else {
      if (source !== 'theirs') pieces.push(source === 'both' ? ended(ours, end) : ours);
      if (source !== 'ours') pieces.push(theirs);
    }
    done = region.oursAt + region.oursCount;
  }
  pieces.push(bytesOf(texts.ours, done, texts.ours.count - done));
  return { bytes: Buffer.concat(pieces), conflicts };
}

/** Lines, the last of which ends. */
function ended(lines: Buffer, end: string): Buffer {
  return lines.length === 0 || lines[lines.length - 1] === 10 ? lines : Buffer.concat([lines, Buffer.from(end)]);
}

/** True when the lines around a conflict, and the base, end in carriage returns. */
function needsCarriage({ base, ours, theirs }: Texts, { oursAt, theirsAt }: Region): boolean {
  let answer = endsInCarriage(ours, Math.max(oursAt - 1, 0));
  if (answer !== false) answer = endsInCarriage(theirs, Math.max(theirsAt - 1, 0));
  if (answer !== false) answer = endsInCarriage(base, 0);
  return answer === true;
}

/** Undefined when it cannot be told. */
function endsInCarriage(lines: Lines, at: number): boolean | undefined {
  if (lines.count === 0) return undefined;
  const line = bytesOf(lines, at, 1);
  if (at < lines.count - 1 || line[line.length - 1] === 10) return line.length > 1 && line[line.length - 2] === 13;
  if (at === 0) return undefined;
  const former = bytesOf(lines, at - 1, 1);
  return former.length > 1 && former[former.length - 2] === 13;
}
