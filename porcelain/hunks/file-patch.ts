// What changed in one file, cut into the hunks a person says yes or no to; specified by "Interactive mode" (patch) of git-add(1).
//
// Text is latin1. A line of a hunk keeps its sign and its end, and with it the remark that its last byte is no newline, so that a line is one
// string. A hunk counts what it holds, and where it lies is a place among the lines of both sides: hunks can be split, changed and left out
// without any numbers to keep in step.
import { InvalidError } from '../../pack/errors.js';
import type { DiffEntry } from '../../plumbing/diff/diff.js';

export interface Hunk {
  /** Line numbers as they are printed: from 1, or the line before where the side has none. */
  readonly oldAt: number;
  readonly newAt: number;
  /** What follows the numbers, with its blank; often the name of a function. */
  readonly heading: string;
  /** Each begins with its sign. */
  readonly lines: readonly string[];
}

export interface FilePatch {
  readonly entry: DiffEntry;
  /** Before the first hunk, without a change of the mode. */
  readonly header: string;
  /** 'old mode' and 'new mode', when there is more to decide than the content, or nothing but this. */
  readonly modeChange: string | undefined;
  /** The remark and the lines of a file that goes as a whole, as one text. */
  readonly deletion: string | undefined;
  readonly isAddition: boolean;
  readonly isBinary: boolean;
  readonly hunks: readonly Hunk[];
}

const placePattern = /^@@ -([0-9]+)(?:,[0-9]+)? \+([0-9]+)(?:,[0-9]+)? @@(.*)$/s;

/** The parts of a patch as it is printed. */
export function parseFilePatch(entry: DiffEntry, text: string): FilePatch {
  const lines = text.match(/[^\n]*\n/g) ?? [];
  const first = lines.findIndex((line) => line.startsWith('@@ '));
  const head = first < 0 ? lines : lines.slice(0, first);
  const isMode = (line: string): boolean => /^(?:old|new) mode /.test(line);
  const removal = head.findIndex((line) => line.startsWith('deleted file '));
  const modeChange = head.filter(isMode).join('');
  const shared = {
    entry, modeChange: modeChange === '' ? undefined : modeChange, isAddition: head.some((line) => line.startsWith('new file ')),
    isBinary: head.some((line) => line.startsWith('Binary files ')),
  };
  if (removal >= 0) {
    return { ...shared, header: head.slice(0, removal).join(''), deletion: lines.slice(removal).join(''), hunks: first < 0 ? [] : parseHunks(lines.slice(first)) };
  }
  return { ...shared, header: head.filter((line) => !isMode(line)).join(''), deletion: undefined, hunks: first < 0 ? [] : parseHunks(lines.slice(first)) };
}

function parseHunks(lines: readonly string[]): Hunk[] {
  const found: { oldAt: number; newAt: number; heading: string; lines: string[] }[] = [];
  for (const line of lines) {
    const place = line.startsWith('@@ ') ? placePattern.exec(line.slice(0, -1)) : null;
    const last = found.at(-1);
    if (place !== null) found.push({ oldAt: Number(place[1]), newAt: Number(place[2]), heading: place[3]!, lines: [] });
    else if (last === undefined) throw new InvalidError('a hunk begins with its place', { code: 'bad-hunk' });
    else if (line.startsWith('\\') && last.lines.length > 0) last.lines.push(last.lines.pop()! + line);
    else last.lines.push(line);
  }
  return found;
}

/** How many lines of a side a hunk covers. */
export function countSide(lines: readonly string[], side: 'old' | 'new'): number {
  const other = side === 'old' ? '+' : '-';
  return lines.reduce((count, line) => (line[0] === other ? count : count + 1), 0);
}

/** As it is printed in a patch. */
export function formatHunk({ oldAt, newAt, heading, lines }: Hunk): string {
  const count = (side: 'old' | 'new'): string => { const found = countSide(lines, side); return found === 1 ? '' : `,${found}`; };
  return `@@ -${oldAt}${count('old')} +${newAt}${count('new')} @@${heading}\n${lines.join('')}`;
}

/** One line that tells which hunk it is, as lists of hunks have it. */
export function summarizeHunk({ oldAt, newAt, lines }: Hunk): string {
  const place = ` -${oldAt},${countSide(lines, 'old')} +${newAt},${countSide(lines, 'new')} `.padEnd(20);
  const line = lines.find((text) => !text.startsWith(' ')) ?? '';
  return `${(place + line).slice(0, 80).replace(/\n[^]*$/, '')}\n`;
}

/** The hunks between the lines that stay: each has the lines before and behind it, which two that meet then share. */
export function splitHunk(hunk: Hunk): Hunk[] {
  const runs: { readonly from: number; readonly to: number }[] = [];
  for (let at = 0; at < hunk.lines.length; at += 1) {
    if (isKept(hunk.lines[at]!)) continue;
    const from = at;
    while (at + 1 < hunk.lines.length && !isKept(hunk.lines[at + 1]!)) at += 1;
    runs.push({ from, to: at + 1 });
  }
  if (runs.length < 2) return [hunk];
  return runs.map(({}, index) => {
    const start = index === 0 ? 0 : runs[index - 1]!.to;
    const end = runs[index + 1]?.from ?? hunk.lines.length;
    const before = hunk.lines.slice(0, start);
    return {
      oldAt: hunk.oldAt + countSide(before, 'old'), newAt: hunk.newAt + countSide(before, 'new'),
      heading: index === 0 ? hunk.heading : '', lines: hunk.lines.slice(start, end),
    };
  });
}

/** Into how many hunks it can be split. */
export function countParts({ lines }: Hunk): number {
  return lines.reduce((count, line, at) => (!isKept(line) && (at === 0 || isKept(lines[at - 1]!)) ? count + 1 : count), 0);
}

function isKept(line: string): boolean {
  return line[0] === ' ' || line[0] === '\n';
}
