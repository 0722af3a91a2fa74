// Two other ways to find out which lines changed: 'patience' holds on to lines that occur once in both texts, 'histogram' to the
// run of lines that occurs least often. What lies between is compared in the same way, and where there is nothing to hold on to,
// by the classic algorithm of text-diff.ts, which the caller brings.
//
// Which of several equal choices is taken decides what is shown, so the order of the steps matters. Named by --patience,
// --histogram and --anchored in git-diff(1).

/** The two texts as numbers, equal for equal lines, and where changed lines are marked (index + 1). */
export interface NumberedTexts {
  readonly ones: Int32Array;
  readonly twos: Int32Array;
  readonly changedOnes: Uint8Array;
  readonly changedTwos: Uint8Array;
  /** Compares parts of both texts by the classic algorithm and marks what changed. */
  classic(oneFrom: number, oneTo: number, twoFrom: number, twoTo: number): void;
}

/** Parts of both texts; ends are exclusive. */
interface Box { readonly oneFrom: number; readonly oneTo: number; readonly twoFrom: number; readonly twoTo: number }

function mark(changed: Uint8Array, from: number, to: number): void {
  changed.fill(1, from + 1, to + 1);
}

function whole(texts: NumberedTexts): Box {
  return { oneFrom: 0, oneTo: texts.ones.length, twoFrom: 0, twoTo: texts.twos.length };
}

/** True when one side is empty: then the other is all changed. */
function markRest(texts: NumberedTexts, box: Box): boolean {
  if (box.oneFrom < box.oneTo && box.twoFrom < box.twoTo) return false;
  mark(texts.changedOnes, box.oneFrom, box.oneTo);
  mark(texts.changedTwos, box.twoFrom, box.twoTo);
  return true;
}

/** A line that occurs once in each part. */
interface UniqueLine {
  readonly one: number;
  readonly two: number;
  readonly isAnchor: boolean;
  previous: UniqueLine | undefined;
  next: UniqueLine | undefined;
}

/** Marks what changed by the patience algorithm; `isAnchor` tells lines of the old text that are to stay where they are. */
export function compareByPatience(texts: NumberedTexts, isAnchor: (line: number) => boolean): void {
  const open = [whole(texts)];
  for (let box = open.pop(); box !== undefined; box = open.pop()) {
    if (markRest(texts, box)) continue;
    const { lines, hasMatches } = listUnique(texts, box, isAnchor);
    if (!hasMatches) {
      mark(texts.changedOnes, box.oneFrom, box.oneTo);
      mark(texts.changedTwos, box.twoFrom, box.twoTo);
      continue;
    }
    const first = longestSequence(lines);
    if (first === undefined) texts.classic(box.oneFrom, box.oneTo, box.twoFrom, box.twoTo);
    else open.push(...boxesBetween(texts, box, first));
  }
}

function listUnique(texts: NumberedTexts, box: Box, isAnchor: (line: number) => boolean): { lines: UniqueLine[]; hasMatches: boolean } {
  const repeated = -1;
  const absent = -2;
  const places = new Map<number, { readonly one: number; two: number }>();
  for (let one = box.oneFrom; one < box.oneTo; one += 1) {
    const found = places.get(texts.ones[one]!);
    if (found === undefined) places.set(texts.ones[one]!, { one, two: absent });
    else found.two = repeated;
  }
  let hasMatches = false;
  for (let two = box.twoFrom; two < box.twoTo; two += 1) {
    const found = places.get(texts.twos[two]!);
    if (found === undefined) continue;
    hasMatches = true;
    found.two = found.two === absent ? two : repeated;
  }
  const lines = [...places.values()].filter(({ two }) => two >= 0)
    .map(({ one, two }): UniqueLine => ({ one, two, isAnchor: isAnchor(one), previous: undefined, next: undefined }));
  return { lines, hasMatches };
}

/** The longest run of lines in the same order in both texts that holds every anchor it can; the first of them, linked. */
function longestSequence(lines: readonly UniqueLine[]): UniqueLine | undefined {
  const ends: UniqueLine[] = [];
  let longest = 0;
  let anchored = -1;
  for (const line of lines) {
    let low = -1;
    let high = longest;
    while (low + 1 < high) {
      const middle = low + ((high - low) >> 1);
      if (ends[middle]!.two > line.two) high = middle;
      else low = middle;
    }
    line.previous = low < 0 ? undefined : ends[low];
    const place = low + 1;
    // An anchor that was found is never given up for a longer run.
    if (place <= anchored) continue;
    ends[place] = line;
    if (line.isAnchor) {
      anchored = place;
      longest = place + 1;
    } else if (place === longest) longest += 1;
  }
  let line = longest === 0 ? undefined : ends[longest - 1];
  if (line === undefined) return undefined;
  line.next = undefined;
  while (line.previous !== undefined) {
    line.previous.next = line;
    line = line.previous;
  }
  return line;
}

/** What is left to compare around the lines held on to. */
function boxesBetween({ ones, twos }: NumberedTexts, box: Box, start: UniqueLine): Box[] {
  const boxes: Box[] = [];
  let line: UniqueLine | undefined = start;
  let { oneFrom, twoFrom } = box;
  for (;;) {
    let [oneTo, twoTo] = line === undefined ? [box.oneTo, box.twoTo] : [line.one, line.two];
    if (line !== undefined) while (oneTo > oneFrom && twoTo > twoFrom && ones[oneTo - 1] === twos[twoTo - 1]) { oneTo -= 1; twoTo -= 1; }
    while (oneFrom < oneTo && twoFrom < twoTo && ones[oneFrom] === twos[twoFrom]) { oneFrom += 1; twoFrom += 1; }
    if (oneTo > oneFrom || twoTo > twoFrom) boxes.push({ oneFrom, oneTo, twoFrom, twoTo });
    if (line === undefined) return boxes;
    while (line.next !== undefined && line.next.one === line.one + 1 && line.next.two === line.two + 1) line = line.next;
    oneFrom = line.one + 1;
    twoFrom = line.two + 1;
    line = line.next;
  }
}

/** Lines that occur more often than this are not held on to. */
const mostOccurrences = 64;

/** Marks what changed by the histogram algorithm. */
export function compareByHistogram(texts: NumberedTexts): void {
  const open = [whole(texts)];
  for (let box = open.pop(); box !== undefined; box = open.pop()) {
    if (markRest(texts, box)) continue;
    const { run, isTooCommon } = rarestRun(texts, box);
    if (isTooCommon) texts.classic(box.oneFrom, box.oneTo, box.twoFrom, box.twoTo);
    else if (run === undefined) {
      mark(texts.changedOnes, box.oneFrom, box.oneTo);
      mark(texts.changedTwos, box.twoFrom, box.twoTo);
    } else {
      open.push({ ...box, oneTo: run.oneFrom, twoTo: run.twoFrom }, { ...box, oneFrom: run.oneTo, twoFrom: run.twoTo });
    }
  }
}

/** The longest run of equal lines among those whose rarest line is rarest in the old part. */
function rarestRun({ ones, twos }: NumberedTexts, box: Box): { run: Box | undefined; isTooCommon: boolean } {
  const first = new Map<number, number>();
  const counts = new Map<number, number>();
  /** The next place of the same line in the old part; -1 for none. */
  const following = new Int32Array(box.oneTo - box.oneFrom).fill(-1);
  for (let one = box.oneTo - 1; one >= box.oneFrom; one -= 1) {
    const kind = ones[one]!;
    following[one - box.oneFrom] = first.get(kind) ?? -1;
    first.set(kind, one);
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  let run: Box | undefined;
  let rarest = mostOccurrences + 1;
  let hasCommon = false;
  for (let two = box.twoFrom; two < box.twoTo;) {
    const kind = twos[two]!;
    let next = two + 1;
    const count = counts.get(kind);
    if (count !== undefined) {
      hasCommon = true;
      for (let one = count > rarest ? -1 : first.get(kind)!; one >= 0;) {
        let [oneFrom, twoFrom, oneTo, twoTo] = [one, two, one + 1, two + 1];
        let least = count;
        while (oneFrom > box.oneFrom && twoFrom > box.twoFrom && ones[oneFrom - 1] === twos[twoFrom - 1]) {
          oneFrom -= 1;
          twoFrom -= 1;
          if (least > 1) least = Math.min(least, counts.get(ones[oneFrom]!)!);
        }
        while (oneTo < box.oneTo && twoTo < box.twoTo && ones[oneTo] === twos[twoTo]) {
          if (least > 1) least = Math.min(least, counts.get(ones[oneTo]!)!);
          oneTo += 1;
          twoTo += 1;
        }
        next = Math.max(next, twoTo);
        if (run === undefined || run.oneTo - run.oneFrom < oneTo - oneFrom || least < rarest) {
          run = { oneFrom, oneTo, twoFrom, twoTo };
          rarest = least;
        }
        // The next place that is not part of this run.
        do one = following[one - box.oneFrom]!; while (one >= 0 && one < oneTo);
      }
    }
    two = next;
  }
  return { run, isTooCommon: hasCommon && rarest > mostOccurrences };
}
